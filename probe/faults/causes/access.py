"""Causes in policies and credentials."""

from __future__ import annotations

from probe.faults.causes.cause import (
    ENDPOINT_POLICY,
    READ_POLICY,
    READ_S3_ENDPOINTS,
    REGISTER,
    REGISTRY_POLICY_DOCUMENT,
    REPOSITORY_POLICY_DOCUMENT,
    CauseText,
    Replacement,
    advice,
    read_task_definition,
    reads,
)

# AWS[explicit-deny]
ECR_ENDPOINT_POLICY = CauseText(
    code="policy.vpce.ecr",
    title="the policy of the ecr.api or ecr.dkr endpoint does not allow this request",
    fix=ENDPOINT_POLICY.to(
        "allow {image_role} ecr:GetAuthorizationToken on *, and {image_actions} on the repository, in the policies of "
        "the ecr.api and ecr.dkr endpoints"
    ),
    fix_of_deny=ENDPOINT_POLICY.to(
        "take the Deny out of the policies of the ecr.api and ecr.dkr endpoints, or exempt {image_role} from it"
    ),
    confirm=READ_POLICY,
)
S3_ENDPOINT_POLICY = CauseText(
    code="policy.vpce.s3",
    title="the policy of the S3 endpoint does not allow ECR's layer bucket",
    fix=ENDPOINT_POLICY.to(
        "in the policy of the S3 endpoint, allow s3:GetObject on arn:{partition}:s3:::{bucket}/* to Principal *, "
        "without conditions on the principal"
    ),
    fix_of_deny=ENDPOINT_POLICY.to(
        "take the Deny out of the policy of the S3 endpoint, or exempt arn:{partition}:s3:::{bucket}/* from it"
    ),
    confirm=reads(f'{READ_S3_ENDPOINTS} --query "VpcEndpoints[].[VpcId,VpcEndpointId,VpcEndpointType,PolicyDocument]"'),
)
# Of a bucket of the account's own, such as the one of an environment file.
S3_BUCKET_POLICY = S3_ENDPOINT_POLICY.variant(
    title="the policy of the S3 endpoint does not allow this request",
    fix=ENDPOINT_POLICY.to("allow {actions} on the file in the policy of the S3 endpoint"),
    fix_of_deny=ENDPOINT_POLICY.to("take the Deny of {actions} out of the policy of the S3 endpoint"),
)
OTHER_ENDPOINT_POLICY = CauseText(
    code="policy.vpce.other",
    title="the policy of the {endpoint} endpoint does not allow this request",
    fix=ENDPOINT_POLICY.to("allow {actions} in the policy of the {endpoint} endpoint"),
    fix_of_deny=ENDPOINT_POLICY.to("take the Deny of {actions} out of the policy of the {endpoint} endpoint"),
    confirm=READ_POLICY,
)
_READ_IDENTITY_POLICIES = (
    "aws iam list-attached-{grantee_kind}-policies --{grantee_kind}-name {grantee}",
    "aws iam list-{grantee_kind}-policies --{grantee_kind}-name {grantee}",
)
EXECUTION_ROLE = CauseText(
    code="iam.execution-role",
    title="the role's own policies do not allow this request (permission missing or mistyped, or the wrong role)",
    fix=advice("allow {actions} to the {grantee_kind} {grantee}{of_pull}", "aws iam {grant}", note="{on_grant}."),
    fix_of_deny=advice(
        "take the Deny of {actions} out of the {denying_policy}",
        *_READ_IDENTITY_POLICIES,
        note="An Allow cannot overrule a Deny.",
    ),
    confirm=reads(
        "aws iam simulate-principal-policy --policy-source-arn {grantee_arn} {each_simulation} "
        "--context-entries ContextKeyName=aws:SourceVpce,ContextKeyType=string,ContextKeyValues=VPCE_ID "
        '--query "EvaluationResults[].[EvalActionName,EvalDecision,MissingContextValues]"',
        note="MissingContextValues lists the conditions of its policies. Repository policies are not simulated.",
    ),
)
PERMISSIONS_BOUNDARY = CauseText(
    code="iam.permissions-boundary",
    title="the permissions boundary of the role does not allow this request",
    fix=advice(
        "allow {actions} in the permissions boundary of the {grantee_kind} {grantee}",
        "aws iam create-policy-version --policy-arn {boundary_arn} --policy-document file://POLICY.json "
        "--set-as-default",
        note="A boundary only limits: the role's own policies must allow it too. IAM keeps the earlier version.",
    ),
    fix_of_deny=advice(
        "take the Deny of {actions} out of the permissions boundary of the {grantee_kind} {grantee}",
        "aws iam create-policy-version --policy-arn {boundary_arn} --policy-document file://POLICY.json "
        "--set-as-default",
        note="IAM keeps the earlier version.",
    ),
    confirm=reads(
        "aws iam get-{grantee_kind} --{grantee_kind}-name {grantee} "
        '--query "*.PermissionsBoundary.PermissionsBoundaryArn"'
    ),
)
REPOSITORY_POLICY = CauseText(
    code="iam.repository-policy",
    title="the repository's policy does not allow this role or account",
    fix=REPOSITORY_POLICY_DOCUMENT.to("allow {puller} in the policy of the repository {repository}"),
    fix_of_deny=REPOSITORY_POLICY_DOCUMENT.to(
        "take the Deny out of the policy of the repository {repository}, or exempt {puller} from it"
    ),
    confirm=reads(
        "aws ecr get-repository-policy --region {region} --registry-id {account} --repository-name {repository}",
        note="Run it in account {account}.",
    ),
)
REGISTRY_POLICY = CauseText(
    code="iam.registry-policy",
    title="the policy of the registry as a whole does not allow this role or account",
    fix=REGISTRY_POLICY_DOCUMENT.to("allow {puller} in the registry's policy", note="Run them in account {account}."),
    fix_of_deny=REGISTRY_POLICY_DOCUMENT.to(
        "take the Deny out of the registry's policy, or exempt {puller} from it", note="Run them in account {account}."
    ),
    confirm=reads(
        "aws ecr get-registry-policy --region {region}",
        note="Run it in account {account}. RegistryPolicyNotFoundException means that the registry has no policy.",
    ),
)
KMS_KEY = CauseText(
    code="kms.key",
    title="the KMS key of the repository or secret is disabled, pending deletion, or not allowed for this use",
    fix=advice(
        "enable the key or cancel its deletion; where its policy or grants were changed, allow the use again",
        "aws kms enable-key --region {key_region} --key-id {key}",
        "aws kms create-grant --region {key_region} --key-id {key} --grantee-principal {each_key_user} "
        "--operations Decrypt DescribeKey",
        note=(
            "aws kms cancel-key-deletion keeps a key that is pending deletion; it is disabled until it is enabled. "
            "ECR uses a repository's key by a grant of its own."
        ),
    ),
    confirm=reads(
        "aws {each_key_source}",
        'aws kms describe-key --region {key_region} --key-id {key} --query "KeyMetadata.[KeyState,Arn]"',
        "aws kms get-key-policy --region {key_region} --key-id {key} --policy-name default --output text",
    ),
)
# AWS[vpce-condition-keys]
SOURCE_VPCE_CONDITION = CauseText(
    code="iam.source-vpce-condition",
    title="a policy of the role has a condition on the VPC or the endpoint that this request does not meet",
    fix=Replacement(
        "the role's policy",
        "aws iam get-{grantee_kind}-policy --{grantee_kind}-name {grantee} --policy-name POLICY_NAME "
        "--query PolicyDocument > OLD_POLICY.json",
        "aws iam put-{grantee_kind}-policy --{grantee_kind}-name {grantee} --policy-name POLICY_NAME "
        "--policy-document file://POLICY.json",
    ).to(
        "send the request through the endpoint so that it meets the condition, or limit the condition (it must not "
        "apply to ecr:GetAuthorizationToken)"
    ),
    confirm=reads(
        *_READ_IDENTITY_POLICIES,
        note=(
            "Look for aws:SourceVpce, aws:SourceVpc, aws:SourceVpcArn, aws:VpceAccount, aws:VpceOrgID and "
            "aws:VpceOrgPaths in these policies. No request that bypasses the endpoints has these keys."
        ),
    ),
)
# AWS[organization-policies]
ORGANISATION_POLICY = CauseText(
    code="iam.scp",
    title="a policy of the organization (SCP or RCP) denies this request",
    fix=Replacement(
        "the organization's policy",
        "aws organizations describe-policy --policy-id {policy_id} --query Policy.Content --output text "
        "> OLD_POLICY.json",
        "aws organizations update-policy --policy-id {policy_id} --content file://POLICY.json",
    ).to(
        "exempt the action or the account in the organization's policy {policy_id}",
        "aws organizations {each_policy_search}",
        note="Run them in the management account{find_policy}.",
    ),
    confirm=reads(
        "aws organizations list-parents --child-id {governed_account}",
        "aws organizations list-policies-for-target --target-id TARGET_ID --filter {each_organization_policy}",
        note=(
            "Run them in the management account. TARGET_ID is the account and each of its parents up to the root. SCPs "
            "apply to the caller's account {caller_account}, RCPs to the repository's account {account}."
        ),
    ),
)
TRUST_POLICY = CauseText(
    code="iam.trust-policy",
    title="the role does not exist, or its trust policy does not let {service_principal} assume it",
    fix=Replacement(
        "the role's trust policy",
        "aws iam get-role --role-name {grantee} --query Role.AssumeRolePolicyDocument > OLD_POLICY.json",
        "aws iam update-assume-role-policy --role-name {grantee} --policy-document file://POLICY.json",
    ).to(
        "let {service_principal} assume the role {grantee}",
        note=(
            "If the role does not exist, correct its ARN in the task definition instead. ECS assumes the role of a "
            "service, which is another one, as ecs.amazonaws.com."
        ),
    ),
    confirm=reads('aws iam get-role --role-name {grantee} --query "Role.AssumeRolePolicyDocument"'),
)
NO_CREDENTIALS = CauseText(
    code="iam.no-credentials",
    title="there is no source of credentials here: no task role, no variables, no profile",
    fix=advice("set taskRoleArn in the task definition", REGISTER),
    confirm=read_task_definition("[taskRoleArn,executionRoleArn]"),
)
CREDENTIALS_REJECTED = CauseText(
    code="iam.credentials-rejected",
    title="the credentials have expired, are invalid, or are not ready yet",
    fix=advice(
        "renew the credentials; remove AWS_ACCESS_KEY_ID and related variables from the task definition where they "
        "override the role",
        REGISTER,
    ),
    confirm=reads("aws sts get-caller-identity --region {task_region}", note="Run it with the same credentials."),
)

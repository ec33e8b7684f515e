"""Causes of denials: policies and identities."""

from __future__ import annotations

from probe.faults.causes.cause import (
    READ_POLICY,
    READ_S3_ENDPOINTS,
    REGISTER,
    SET_POLICY,
    SET_REPOSITORY_POLICY,
    CauseText,
    advice,
    read_task_definition,
    reads,
)

ECR_ENDPOINT_POLICY = CauseText(
    code="policy.vpce.ecr",
    title="the policy of the ecr.api or ecr.dkr endpoint does not allow this request",
    fix=advice(
        "allow the pulling role ecr:GetAuthorizationToken on *, and ecr:BatchGetImage and ecr:GetDownloadUrlForLayer "
        "on the repository, in the policies of the ecr.api and ecr.dkr endpoints",
        SET_POLICY,
    ),
    confirm=READ_POLICY,
)
S3_ENDPOINT_POLICY = CauseText(
    code="policy.vpce.s3",
    title="the policy of the S3 endpoint does not allow ECR's layer bucket",
    fix=advice(
        "in the policy of the S3 endpoint, allow s3:GetObject on arn:{partition}:s3:::{bucket}/* to Principal *, "
        "without conditions on the principal",
        SET_POLICY,
    ),
    confirm=reads(f'{READ_S3_ENDPOINTS} --query "VpcEndpoints[].PolicyDocument"'),
)
OTHER_ENDPOINT_POLICY = CauseText(
    code="policy.vpce.other",
    title="the policy of the {endpoint} endpoint does not allow this request",
    fix=advice("allow {actions} in the policy of the {endpoint} endpoint", SET_POLICY),
    confirm=READ_POLICY,
)
EXECUTION_ROLE = CauseText(
    code="iam.execution-role",
    title="the role's own policies do not allow this request (permission missing or mistyped, or the wrong role)",
    fix=advice(
        "attach the permissions of a pull to the role that pulls",
        "aws iam attach-role-policy --role-name {role_name} "
        "--policy-arn arn:{partition}:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy",
    ),
    confirm=reads(
        "aws iam simulate-principal-policy --policy-source-arn {role_arn} --action-names {actions}",
        note="Name the role that does the pull with --pull-role.",
    ),
)
REPOSITORY_POLICY = CauseText(
    code="iam.repository-policy",
    title="the repository's policy does not allow this role or account",
    fix=advice("allow {who} in the policy of the repository {repository}", SET_REPOSITORY_POLICY),
    confirm=reads(
        "aws ecr get-repository-policy --region {region} --registry-id {account} --repository-name {repository}",
        note="Run it in account {account}.",
    ),
)
REGISTRY_POLICY = CauseText(
    code="iam.registry-policy",
    title="the policy of the registry as a whole does not allow this role or account",
    fix=advice(
        "allow {who} in the registry's policy",
        "aws ecr put-registry-policy --region {region} --policy-text file://POLICY.json",
        note="Run it in account {account}. It replaces the whole policy.",
    ),
    confirm=reads(
        "aws ecr get-registry-policy --region {region}",
        note="Run it in account {account}. RegistryPolicyNotFoundException means that the registry has no policy.",
    ),
)
PERMISSIONS_BOUNDARY = CauseText(
    code="iam.permissions-boundary",
    title="the permissions boundary of the role does not allow this request",
    fix=advice(
        "allow {actions} in the policy that is the role's permissions boundary",
        "aws iam create-policy-version --policy-arn BOUNDARY_ARN --policy-document file://POLICY.json --set-as-default",
    ),
    confirm=reads('aws iam get-role --role-name {role_name} --query "Role.PermissionsBoundary"'),
)
KMS_KEY = CauseText(
    code="kms.key",
    title="the KMS key of the repository or secret is disabled, pending deletion, or not allowed for this use",
    fix=advice(
        "enable the key or cancel its deletion; where its policy or grants were changed, allow the use again",
        "aws kms enable-key --region {region} --key-id KEY_ID",
        note="aws kms cancel-key-deletion keeps a key that is pending deletion; it is disabled until it is enabled.",
    ),
    confirm=reads(
        "aws ecr describe-repositories --region {region} --registry-id {account} --repository-names {repository} "
        '--query "repositories[].encryptionConfiguration"',
        'aws kms describe-key --region {region} --key-id KEY_ID --query "KeyMetadata.KeyState"',
        note="The first command shows the key's ARN.",
    ),
)
SOURCE_VPCE_CONDITION = CauseText(
    code="iam.source-vpce-condition",
    title="a policy of the role has a condition on aws:SourceVpce or aws:SourceVpc that this request does not meet",
    fix=advice(
        "send the request through the endpoint so that it meets the condition, or limit the condition (it must not "
        "apply to ecr:GetAuthorizationToken)",
        "aws iam put-role-policy --role-name {role_name} --policy-name POLICY_NAME "
        "--policy-document file://POLICY.json",
    ),
    confirm=reads(
        "aws iam list-attached-role-policies --role-name {role_name}",
        "aws iam list-role-policies --role-name {role_name}",
        note="Look for aws:SourceVpce and aws:SourceVpc in these policies.",
    ),
)
ORGANISATION_POLICY = CauseText(
    code="iam.scp",
    title="a policy of the organization (SCP or RCP) denies this request",
    fix=advice(
        "exempt the action or the account in the organization's policy",
        "aws organizations update-policy --policy-id POLICY_ID --content file://POLICY.json",
    ),
    confirm=reads(
        "aws organizations list-policies-for-target --target-id {caller_account} --filter SERVICE_CONTROL_POLICY",
        note="Run it in the management account.",
    ),
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

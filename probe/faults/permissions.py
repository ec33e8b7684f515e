"""The values of denials: who has to be allowed which actions on what, and the AWS CLI's options for it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from probe.arns import ANY, role_of, user_of
from probe.faults.evidence import Evidence
from probe.model import Action, Basis, Client, Denial, DenialReason, Endpoint, Step, Topic
from probe.narration import CLIENTS, listed
from probe.records import Record

_TOKEN = "ecr:GetAuthorizationToken"
_PULL = (_TOKEN, "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")  # AWS[ecr-actions-of-a-pull]
# AWS[ecr-actions-of-a-push]
_PUSH = (
    _TOKEN,
    "ecr:BatchCheckLayerAvailability",
    "ecr:InitiateLayerUpload",
    "ecr:UploadLayerPart",
    "ecr:CompleteLayerUpload",
    "ecr:PutImage",
    "ecr:BatchGetImage",
)
# What a task or an agent calls at an endpoint, for denials that do not name the action. At other endpoints _PULL.
_CALLS = {
    "logs": ("logs:CreateLogStream", "logs:PutLogEvents"),
    "ecs": ("ecs:DiscoverPollEndpoint", "ecs:RegisterContainerInstance", "ecs:SubmitTaskStateChange"),
    "ecs-agent": ("ecs:Poll",),
    "ecs-telemetry": ("ecs:StartTelemetrySession",),
    "secretsmanager": ("secretsmanager:GetSecretValue",),
    "ssm": ("ssm:GetParameters",),
    "kms": ("kms:Decrypt",),
    "sts": ("sts:AssumeRole",),
    "s3": ("s3:GetObject",),  # of an environment file
}
# AWS's managed policies for roles, with what they allow on every resource. AWS[managed-policies]
_MANAGED = {
    Client.ECS: {
        "service-role/AmazonECSTaskExecutionRolePolicy": {
            *_PULL,
            "ecr:BatchCheckLayerAvailability",
            "logs:CreateLogStream",
            "logs:PutLogEvents",
        },
        "service-role/AmazonEC2ContainerServiceforEC2Role": {
            "ecs:DeregisterContainerInstance",
            "ecs:DiscoverPollEndpoint",
            "ecs:Poll",
            "ecs:RegisterContainerInstance",
            "ecs:StartTelemetrySession",
            "ecs:SubmitAttachmentStateChanges",
            "ecs:SubmitContainerStateChange",
            "ecs:SubmitTaskStateChange",
            "ecs:UpdateContainerInstancesState",
        },
    },
    Client.KUBERNETES: {"AmazonEC2ContainerRegistryPullOnly": {*_PULL}},
    Client.APP_RUNNER: {"service-role/AWSAppRunnerServicePolicyForECRAccess": {*_PULL}},
}
_SAFE = re.compile(r"[\w+=,.@:/-]+", re.ASCII)  # IAM allows other characters in paths, which a shell would read
_LOG_STREAM = re.compile(r":log-stream(?::.*)?$")  # logs:CreateLogGroup is denied on an empty stream
# As the API of AWS Organizations names them.
_ORGANIZATION = {
    DenialReason.SERVICE_CONTROL: "SERVICE_CONTROL_POLICY",
    DenialReason.RESOURCE_CONTROL: "RESOURCE_CONTROL_POLICY",
}


class _Grantee(Record, frozen=True):
    """Who has to be allowed the request: a "role" or a "user"."""

    kind: str
    name: str
    arn: str


def permission_values(evidence: Evidence, steps: tuple[Step, ...], endpoints: tuple[Endpoint, ...]) -> dict[str, Any]:
    denials = [denial for step in steps if (denial := step.denial)]
    principal = next((denial.principal for denial in denials if denial.principal), None) or evidence.principal
    denied = _identity(evidence, principal)
    grantee = _grantee(evidence, denied)
    of_image = _PUSH if evidence.client is Client.PUSH else _PULL
    of_key = any((answer := step.answer) and answer.topic is Topic.KEY for step in steps)
    # A layer is fetched from S3 with ECR's own principal, so that a denied role needs what a pull does.
    of_layer = any(step.endpoint == "s3" and step.action is not Action.REQUEST for step in steps)
    service = "kms" if of_key else endpoints[0].name if endpoints else ""
    usual = of_image if of_layer else _CALLS.get(service, of_image)
    actions = tuple(dict.fromkeys(denial.action for denial in denials if denial.action)) or usual
    resource = next((denial.resource for denial in denials if denial.resource), None)
    who = f"the {denied.kind} {denied.name}" if denied else principal or _unnamed(evidence)
    return {
        "who": who,
        "puller": f"the {grantee.kind} {grantee.name}" if denied and not evidence.is_text else who,
        "image_role": "the pushing role" if evidence.client is Client.PUSH else "the pulling role",
        "image_actions": listed(action for action in of_image if action != _TOKEN),
        "service_principal": CLIENTS[evidence.client].principal or "SERVICE_PRINCIPAL",
        "grantee": grantee.name,
        "grantee_kind": grantee.kind,
        "grantee_arn": grantee.arn,
        "of_pull": "" if evidence.is_text else ", which pulls the image",
        "actions": listed(actions),
        "repository_arn": _resource(evidence, ()).replace("RESOURCE_ARN", "REPOSITORY_ARN"),
        **_grant(evidence, grantee, actions, resource),
        "each_simulation": tuple(_simulations(evidence, actions, resource)),
        **_policies(evidence, denials),
        **_key(evidence, grantee, endpoints, resource),
    }


def _identity(evidence: Evidence, principal: str | None) -> _Grantee | None:
    """The role or user of an ARN; a session's ARN lacks the path of its role, which our own credentials may have."""
    if principal is None:
        return None
    role, user = role_of(principal), user_of(principal)
    if user:
        return _Grantee("user", user, principal if _SAFE.fullmatch(principal) else "USER_ARN")
    if role is None:
        return None
    known = (principal, evidence.measurement.identity.arn or "", evidence.policy.pull_role or "")
    whole = next((arn for arn in known if ":role/" in arn and role_of(arn) == role), None)
    arn = whole or f"arn:{evidence.plan.partition}:iam::{role[0]}:role/{role[1]}"
    return _Grantee("role", role[1], arn if _SAFE.fullmatch(arn) else "ROLE_ARN")


def _unnamed(evidence: Evidence) -> str:
    if evidence.is_text:
        return CLIENTS[evidence.client].who
    return "the role that pulls" if evidence.measurement.basis is Basis.CONFIGURATION else "the identity held here"


def _grantee(evidence: Evidence, denied: _Grantee | None) -> _Grantee:
    """The one that pulls: a check usually holds another role, and an error text is about the pull's own."""
    name = CLIENTS[evidence.client].role
    unknown = _Grantee("role", name, f"{name}_ARN")
    if evidence.is_text:
        return denied or unknown
    return _identity(evidence, evidence.policy.pull_role) or unknown


def _grant(evidence: Evidence, grantee: _Grantee, actions: tuple[str, ...], resource: str | None) -> dict[str, str]:
    """The command that allows it: AWS's managed policy only where it allows all of the actions."""
    options = f"--{grantee.kind}-name {grantee.name}"
    policies = _MANAGED.get(evidence.client, {})
    managed = next((name for name, allowed in policies.items() if allowed.issuperset(actions)), None)
    if managed is not None and grantee.kind == "role":
        arn = f"arn:{evidence.plan.partition}:iam::aws:policy/{managed}"
        return {
            "grant": f"attach-role-policy {options} --policy-arn {arn}",
            "on_grant": "The policy allows it on all resources",
        }
    everything = resource == "*" or set(actions) == {_TOKEN}
    resource = "*" if everything else _LOG_STREAM.sub(":*", resource or _resource(evidence, actions))
    quoted = ",".join(f'"{action}"' for action in actions)
    statement = f'{{"Effect":"Allow","Action":[{quoted}],"Resource":"{resource}"}}'
    document = f'{{"Version":"2012-10-17","Statement":[{statement}]}}'
    name = f"--policy-name NEW_POLICY_NAME --policy-document '{document}'"
    return {
        "grant": f"put-{grantee.kind}-policy {options} {name}",
        "on_grant": "NEW_POLICY_NAME must be a new name: the command replaces a policy with the same name",
    }


def _resource(evidence: Evidence, actions: Iterable[str]) -> str:
    """The repository's ARN where the actions are ECR's and the image is known."""
    plan, reference = evidence.plan, evidence.plan.reference
    if reference is None or not all(action.startswith("ecr:") for action in actions):
        return "RESOURCE_ARN"
    return f"arn:{plan.partition}:ecr:{plan.region}:{plan.account}:repository/{reference.repository}"


def _simulations(evidence: Evidence, actions: tuple[str, ...], resource: str | None) -> Iterator[str]:
    """Options of simulate-principal-policy; without resources it evaluates "*", which few policies allow.

    GetAuthorizationToken has no resource, so that it is simulated by itself.
    """
    if _TOKEN in actions:
        yield f"--action-names {_TOKEN}"
    rest = [action for action in actions if action != _TOKEN]
    if rest:
        on = "" if resource == "*" else f" --resource-arns {resource or _resource(evidence, rest)}"
        yield f"--action-names {' '.join(rest)}{on}"


def _policies(evidence: Evidence, denials: list[Denial]) -> dict[str, Any]:
    """What AWS says about the policy that denied, and where organization policies apply."""
    named = next((denial for denial in denials if denial.reason), None)
    reason = named.reason if named else None
    arn = next((denial.policy for denial in denials if denial.policy), None)
    caller = evidence.surroundings.account or evidence.plan.account or "ACCOUNT"
    owner = evidence.plan.account or "ACCOUNT"
    governed = owner if reason is DenialReason.RESOURCE_CONTROL else caller
    kinds = tuple(kind for policy, kind in _ORGANIZATION.items() if reason == policy or reason not in _ORGANIZATION)
    is_named = arn is not None and ":organizations:" in arn
    searches = (f"list-policies-for-target --target-id TARGET_ID --filter {kind}" for kind in kinds)
    return {
        "is_explicit_deny": any(denial.explicit for denial in denials),
        "denying_policy": f"policy {arn}" if arn else f"{reason or 'policy'} that has it",
        "boundary_arn": arn or "BOUNDARY_ARN",
        "policy_id": arn.rpartition("/")[2] if arn and is_named else "POLICY_ID",
        "each_policy_search": () if is_named else (f"list-parents --child-id {governed}", *searches),
        "find_policy": ""
        if is_named
        else "; the last ones find POLICY_ID, where TARGET_ID is the account and each of its parents up to the root",
        "governed_account": governed,
        "each_organization_policy": kinds,
    }


# Which key encrypts what an endpoint serves; ECR's for the endpoints of the pull.
_KEY_SOURCES = {
    "secretsmanager": "secretsmanager describe-secret --region {region} --secret-id SECRET_ID --query KmsKeyId",
    "ssm": 'ssm describe-parameters --region {region} --filters Key=Name,Values=PARAMETER --query "Parameters[].KeyId"',
}

_REPOSITORY_KEY = (
    "ecr describe-repositories --region {region} --registry-id {account} --repository-names {repository} "
    '--query "repositories[].encryptionConfiguration"'
)


def _key(
    evidence: Evidence, grantee: _Grantee, endpoints: tuple[Endpoint, ...], resource: str | None
) -> dict[str, Any]:
    """The KMS key, if the denial names it, else the command that shows which one it is."""
    name = endpoints[0].name if endpoints else ""
    of_image = name in ("ecr.api", "ecr.dkr", "s3")  # ECR uses a repository's key by a grant of its own
    match = ANY.match(resource or "")
    if resource and match and match["service"] == "kms":
        return {
            "key": resource,
            "key_region": match["region"] or "REGION",
            "each_key_source": (),
            "each_key_user": () if of_image else (grantee.arn,),
        }
    plan, of_secret = evidence.plan, name in _KEY_SOURCES
    region = (evidence.task_region if of_secret else plan.region) or "REGION"
    repository = plan.reference.repository if plan.reference else "REPOSITORY"
    source = _KEY_SOURCES.get(name, _REPOSITORY_KEY)
    return {
        "key": "KEY_ID",
        "key_region": region,
        "each_key_source": (source.format(region=region, account=plan.account or "ACCOUNT", repository=repository),),
        "each_key_user": (grantee.arn,) if of_secret else (),
    }

"""An account whose policies all allow a pull, to be changed by a test; and the answers of the gates of its calls."""

from __future__ import annotations

import json
from typing import Any

from probe.configuration.document import Configuration
from probe.configuration.view import View
from probe.gates.calls import Call, call_opinions
from probe.gates.opinion import Opinion
from probe.model import Action, GateName
from probe.operator.reading import read
from probe.records import replace
from tests.inspect.vpc import Account

ACCOUNT, OTHER = "123456789012", "210987654321"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/team/puller"
REPOSITORY = f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/team/app"
BUCKET = "arn:aws:s3:::prod-us-east-1-starport-layer-bucket/*"
KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1"
VPCE, GATEWAY = "vpce-0e000002", "vpce-0e000009"
_PULL = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
TOKEN = Call(
    endpoint="ecr.api", step=Action.TOKEN, action="ecr:GetAuthorizationToken", resource="*", principal=ROLE,
    owner=ACCOUNT, region="us-east-1", vpc_endpoint="vpce-0e000001",
)  # fmt: skip
IMAGE = Call(
    endpoint="ecr.dkr", step=Action.MANIFEST, action="ecr:BatchGetImage", resource=REPOSITORY, principal=ROLE,
    owner=ACCOUNT, region="us-east-1", repository="team/app", together=_PULL, vpc_endpoint=VPCE,
)  # fmt: skip
LAYER = Call(
    endpoint="s3", step=Action.LAYER, action="s3:GetObject", resource=BUCKET, principal=None, owner=None,
    region="us-east-1", by_ecr=True, vpc_endpoint=GATEWAY,
)  # fmt: skip
STREAM = Call(
    endpoint="logs", step=Action.LOGS, action="logs:CreateLogStream", principal=ROLE, owner=ACCOUNT, region="us-east-1",
    resource=f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/ecs/app:log-stream:*", log_group="/ecs/app",
    together=("logs:CreateLogStream", "logs:PutLogEvents"), vpc_endpoint="vpce-0e000003",
)  # fmt: skip


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(action: Any = "*", resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Any = "*", resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {**allow(action, resource, **more), "Effect": "Deny"}


PULL = policy(allow("ecr:GetAuthorizationToken"), allow(_PULL, REPOSITORY), allow("logs:*"))
TRUST = policy({"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"})
_ENDPOINTS = {"vpce-0e000001": "ecr.api", VPCE: "ecr.dkr", "vpce-0e000003": "logs", GATEWAY: "s3"}


def account() -> Account:
    """A role with one inline policy, a repository without a policy, endpoints without one, no organization."""
    endpoints = [
        {
            "VpcEndpointId": identity,
            "VpcEndpointType": "Gateway" if name == "s3" else "Interface",
            "VpcId": "vpc-0a000000",
            "OwnerId": ACCOUNT,
            "ServiceName": f"com.amazonaws.us-east-1.{name}",
        }
        for identity, name in _ENDPOINTS.items()
    ]
    return Account(
        objects={"ec2": {"VpcEndpoints": endpoints}},
        replies={
            "sts:GetCallerIdentity": {"Account": ACCOUNT},
            "iam:GetRole puller": {
                "Role": {"Arn": ROLE, "AssumeRolePolicyDocument": TRUST, "Tags": [{"Key": "secret"}]}
            },
            "iam:ListRolePolicies": {"PolicyNames": ["pull"]},
            "iam:GetRolePolicy pull puller": {"PolicyDocument": PULL},
            "iam:ListAttachedRolePolicies": {"AttachedPolicies": []},
            "ecr:DescribeRepositories": {
                "repositories": [
                    {"repositoryName": "team/app", "encryptionConfiguration": {"encryptionType": "AES256"}}
                ]
            },
            "logs:DescribeLogGroups": {"logGroups": [{"logGroupName": "/ecs/app"}, {"logGroupName": "/ecs/app2"}]},
        },
    )


def attach(start: Account, arn: str, document: Any, *, boundary: bool = False) -> None:
    """Attach a managed policy to the role, or make it the role's boundary."""
    if boundary:
        start.replies["iam:GetRole puller"]["Role"]["PermissionsBoundary"] = {"PermissionsBoundaryArn": arn}
    else:
        start.replies["iam:ListAttachedRolePolicies"]["AttachedPolicies"].append({"PolicyArn": arn})
    start.replies[f"iam:GetPolicy {arn}"] = {"Policy": {"Arn": arn, "DefaultVersionId": "v3"}}
    start.replies[f"iam:GetPolicyVersion {arn} v3"] = {"PolicyVersion": {"Document": document, "VersionId": "v3"}}


def organize(start: Account, **policies: tuple[str, Any]) -> None:
    """Put the account in an organization with one unit. `policies`: the target and the document, by the policy's id."""
    start.replies["organizations:DescribeOrganization"] = {
        "Organization": {"Id": "o-abc", "FeatureSet": "ALL", "MasterAccountId": "999999999999"}
    }
    start.replies[f"organizations:ListParents {ACCOUNT}"] = {"Parents": [{"Id": "ou-1", "Type": "ORGANIZATIONAL_UNIT"}]}
    start.replies["organizations:ListParents ou-1"] = {"Parents": [{"Id": "r-1", "Type": "ROOT"}]}
    for kind in ("SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"):
        for target in (ACCOUNT, "ou-1", "r-1"):
            start.replies[f"organizations:ListPoliciesForTarget {kind} {target}"] = {
                "Policies": [{"Id": "p-FullAWSAccess", "AwsManaged": True}]
            }
    for identity, (target, document) in policies.items():
        kind = "RESOURCE_CONTROL_POLICY" if identity.startswith("rcp") else "SERVICE_CONTROL_POLICY"
        listed = start.replies[f"organizations:ListPoliciesForTarget {kind} {target}"]["Policies"]
        listed.append({"Id": identity, "Arn": f"arn:aws:organizations::999999999999:policy/o-abc/{identity}"})
        start.replies[f"organizations:DescribePolicy {identity}"] = {"Policy": {"Content": json.dumps(document)}}


def set_endpoint_policy(start: Account, document: Any, identity: str = VPCE) -> None:
    text = document if isinstance(document, str) else json.dumps(document)
    start.object(identity)["PolicyDocument"] = text


def answers(start: Account, call: Call) -> tuple[dict[GateName, Opinion], Configuration]:
    """The opinions on a call, by gate, and what was read for them."""
    opinions, configuration = read(start, lambda view: tuple(call_opinions(view, call)))
    return {opinion.gate: opinion for opinion in opinions}, configuration


def refusal(start: Account, call: Call) -> Opinion:
    """The one refusal, which has a sentence, an object and a cause of the vocabulary."""
    found, configuration = answers(start, call)
    (opinion,) = [opinion for opinion in found.values() if opinion.refuses]
    assert opinion.object
    assert opinion.cause
    assert "\0" not in opinion.sentence
    if opinion.change is not None:
        prove(opinion, call, configuration)
    return opinion


def prove(opinion: Opinion, call: Call, configuration: Configuration) -> None:
    """The changes, applied in memory, make this gate allow; a Deny can hide that nothing allows it either."""
    refusing: Opinion | None = opinion
    for _ in range(2):
        if refusing is None or refusing.change is None:
            break
        advice = refusing.change.advice("us-east-1")
        assert advice.text
        assert advice.commands
        configuration = refusing.change.applied(configuration)
        again = call_opinions(View(configuration, complete=True), call)
        refusing = next((other for other in again if other.gate is opinion.gate and other.refuses), None)
    assert refusing is None, refusing.sentence


def sent(call: Call, **changes: Any) -> Call:
    return replace(call, **changes)

"""Policies of endpoints: what AWS's examples allow, and what stops a pull."""

from __future__ import annotations

import json
from typing import Any

from tests.lab.cloud import ACCOUNT, REGION
from tests.lab.configurations.vpc import (
    ENDPOINTS,
    GATEWAY,
    NOTHING,
    ROLE,
    VPC,
    Confirmed,
    Generated,
    Item,
    Mutate,
    confirms,
)

_BUCKET = f"arn:aws:s3:::prod-{REGION}-starport-layer-bucket/*"
_REPOSITORIES = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/*"
_CAUSES = {"ecr.api": "policy.vpce.ecr", "ecr.dkr": "policy.vpce.ecr", "s3": "policy.vpce.s3"}


def _policy(name: str, *statements: Item, refuses: bool, version: str = "2012-10-17") -> Mutate:
    """The policy of one endpoint."""

    def make(made: Generated) -> Confirmed:
        identity = GATEWAY if name == "s3" else ENDPOINTS[name]
        made.object(identity)["PolicyDocument"] = json.dumps({"Version": version, "Statement": list(statements)})
        return confirms(_CAUSES[name], identity) if refuses else NOTHING

    return make


def _allow(action: str | list[str], resource: str = "*", principal: Any = "*", **condition: Any) -> Item:
    statement = {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": resource}
    return {**statement, "Condition": condition} if condition else statement


def _deny(action: str, **condition: Any) -> Item:
    return {**_allow(action, **condition), "Effect": "Deny"}


_ROLE = {"AWS": ROLE}
MUTATIONS: dict[str, Mutate] = {
    "policy-of-the-role": _policy("ecr.api", _allow("ecr:*", principal=_ROLE), refuses=False),
    "policy-without-token": _policy("ecr.api", _allow(["ecr:Batch*", "ecr:GetDownload*"]), refuses=True),
    "policy-token-of-repositories": _policy("ecr.api", _allow("ecr:*", _REPOSITORIES), refuses=True),
    "policy-of-images": _policy("ecr.dkr", _allow("ecr:batchgetimage"), _allow("ecr:GetDown*"), refuses=False),
    "policy-without-layers": _policy("ecr.dkr", _allow("ecr:BatchGetImage"), refuses=True),
    "policy-of-another-repository": _policy("ecr.dkr", _allow("ecr:*", f"{_REPOSITORIES[:-1]}other"), refuses=True),
    "policy-denies-outside": _policy(
        "ecr.dkr", _allow("*"), _deny("*", StringNotEquals={"aws:SourceVpc": VPC}), refuses=False
    ),
    "policy-denies-inside": _policy(
        "ecr.dkr", _allow("*"), _deny("*", ArnLike={"aws:PrincipalArn": "arn:aws:iam::*:role/pull*"}), refuses=True
    ),
    "policy-of-the-bucket": _policy("s3", _allow("s3:GetObject", _BUCKET), refuses=False),
    "policy-of-own-principals": _policy("s3", _allow("s3:*", principal={"AWS": ACCOUNT}), refuses=True),
    "policy-of-own-resources": _policy(
        "s3", _allow("s3:*", StringEquals={"aws:ResourceAccount": ACCOUNT}), refuses=True
    ),
    "policy-of-the-vpc": _policy(
        "s3", _allow("s3:Get*", StringEquals={"aws:SourceVpc": [VPC, "vpc-0f"]}), refuses=False
    ),
}

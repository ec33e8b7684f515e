"""Policies of the kinds that AWS's guides print, in our own minimal words, and what they do to a pull.

The source of each is the title of the guide's section.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from probe.gates.call import Call
from probe.model import GateAnswer, GateName
from tests.gates.policy_account import (
    ACCOUNT,
    BUCKET,
    GATEWAY,
    IMAGE,
    LAYER,
    OTHER,
    REPOSITORY,
    ROLE,
    TOKEN,
    account,
    allow,
    answers,
    deny,
    organize,
    policy,
    sent,
    set_endpoint_policy,
)

A, R, D = GateAnswer.ALLOWS, GateAnswer.REFUSES, GateAnswer.DEPENDS
EVERYBODY = {"Principal": "*"}
_ANY = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}
_PULL_ACTIONS = ["ecr:BatchGetImage", "ecr:GetAuthorizationToken", "ecr:GetDownloadUrlForLayer"]
_ONE_ROLE = policy(allow(_PULL_ACTIONS, Principal={"AWS": ROLE}))
_OTHER_ROLE = policy(allow(_PULL_ACTIONS, Principal={"AWS": ROLE.replace("puller", "other")}))
_NO_DELETION = policy(allow(**EVERYBODY), deny("ecr:DeleteRepository", REPOSITORY, **EVERYBODY))
_MINIMAL_BUCKET = policy({**allow("s3:GetObject", [BUCKET], **EVERYBODY), "Sid": "Access-to-specific-bucket-only"})
_OWN_BUCKET = policy(allow("s3:*", ["arn:aws:s3:::bucket_name", "arn:aws:s3:::bucket_name/*"], **EVERYBODY))
_OWN_ACCOUNT = policy(allow(**EVERYBODY, Condition={"StringEquals": {"aws:PrincipalAccount": ACCOUNT}}))
_OWN_ROLE = policy(allow(**EVERYBODY, Condition={"ArnEquals": {"aws:PrincipalArn": ROLE}}))
_OWN_ORG = policy(
    allow(**EVERYBODY, Condition={"StringEquals": {"aws:PrincipalOrgID": "o-abc", "aws:ResourceOrgID": "o-abc"}})
)
# A data perimeter: own identities to own resources, or AWS's own bucket.
_PERIMETER = policy(*_OWN_ORG["Statement"], *_MINIMAL_BUCKET["Statement"])
_OWN_VPC = policy(
    {
        "Effect": "Deny",
        "NotPrincipal": {"AWS": [ROLE, f"arn:aws:iam::{ACCOUNT}:root"]},
        "Action": "*",
        "Resource": "*",
    },
    allow(**EVERYBODY),
)

# The source, the call, the policy of the endpoint, and the answer of the gate.
ENDPOINT_CASES: list[tuple[str, Call, Any, GateAnswer]] = [
    ("PrivateLink guide, default endpoint policy", IMAGE, _ANY, A),
    ("PrivateLink guide, default endpoint policy", LAYER, _ANY, A),
    ("ECR user guide, interface endpoints: one role pulls", TOKEN, _ONE_ROLE, A),
    ("ECR user guide, interface endpoints: one role pulls", IMAGE, _ONE_ROLE, A),
    ("ECR user guide, interface endpoints: another role pulls", IMAGE, _OTHER_ROLE, R),
    ("ECR user guide, interface endpoints: no deletion of a repository", IMAGE, _NO_DELETION, A),
    ("ECR user guide, minimum permissions of the S3 gateway", LAYER, _MINIMAL_BUCKET, A),
    ("PrivateLink guide, gateway endpoints for S3: one bucket", LAYER, _OWN_BUCKET, R),
    ("PrivateLink guide, gateway endpoints for S3: one IAM role", LAYER, _OWN_ROLE, R),
    ("PrivateLink guide, gateway endpoints for S3: users of one account", LAYER, _OWN_ACCOUNT, R),
    ("PrivateLink guide, interface endpoints: one account", IMAGE, _OWN_ACCOUNT, A),
    ("IAM user guide, data perimeters: own organization", IMAGE, _OWN_ORG, A),
    ("IAM user guide, data perimeters: own organization", LAYER, _OWN_ORG, R),
    ("IAM user guide, data perimeters: with AWS's bucket", LAYER, _PERIMETER, A),
    ("IAM user guide, NotPrincipal: all but one role", IMAGE, _OWN_VPC, A),
    ("IAM user guide, NotPrincipal: all but one role", LAYER, _OWN_VPC, R),
]


@pytest.mark.parametrize(("source", "call", "document", "answer"), ENDPOINT_CASES)
def test_an_endpoint_s_policy(source: str, call: Call, document: Any, answer: GateAnswer) -> None:
    start = account()
    organize(start)
    set_endpoint_policy(start, document, call.vpc_endpoint or GATEWAY)
    found, _ = answers(start, call)
    assert found[GateName.ENDPOINT_POLICY].answer is answer, (source, found[GateName.ENDPOINT_POLICY].sentence)


_EXECUTION_ROLE = policy(
    allow([*_PULL_ACTIONS, "ecr:BatchCheckLayerAvailability", "logs:CreateLogStream", "logs:PutLogEvents"])
)


def _for_vpc(vpc: str) -> Any:
    condition = {"Condition": {"StringEquals": {"aws:SourceVpc": vpc}}}
    return policy(allow("ecr:GetAuthorizationToken"), allow(_PULL_ACTIONS, **condition))


_IMAGES = allow("ecr:*")


def _if(operator: str, key: str, value: Any) -> dict[str, Any]:
    return {"Condition": {operator: {key: value}}}


_BY_TAG = policy(allow("ecr:*", **_if("StringEquals", "aws:ResourceTag/Owner", "${aws:username}")))
_BY_REGION = policy(
    _IMAGES,
    {
        "Effect": "Deny",
        "NotAction": ["iam:*"],
        "Resource": "*",
        **_if("StringNotEquals", "aws:RequestedRegion", ["eu-west-1"]),
    },
)
_BY_TLS = policy(_IMAGES, deny(**_if("Bool", "aws:SecureTransport", "false")))
# Through an endpoint aws:SourceIp is absent, so that the negated operator matches.
_BY_ADDRESS = policy(
    _IMAGES,
    deny(
        Condition={"NotIpAddress": {"aws:SourceIp": ["192.0.2.0/24"]}, "Bool": {"aws:ViaAWSService": "false"}},
    ),
)
_BY_TIME = policy(
    allow(
        "ecr:*",
        Condition={
            "DateGreaterThan": {"aws:CurrentTime": "2020-04-01T00:00:00Z"},
            "DateLessThan": {"aws:CurrentTime": "2020-06-30T23:59:59Z"},
        },
    )
)
_BY_MFA = policy(_IMAGES, deny(**_if("BoolIfExists", "aws:MultiFactorAuthPresent", "false")))
ROLE_CASES: list[tuple[str, Call, Any, GateAnswer]] = [
    ("AWS managed policies, AmazonECSTaskExecutionRolePolicy", TOKEN, _EXECUTION_ROLE, A),
    ("AWS managed policies, AmazonECSTaskExecutionRolePolicy", IMAGE, _EXECUTION_ROLE, A),
    ("ECS developer guide, execution role: only from one VPC", TOKEN, _for_vpc("vpc-0a000000"), A),
    ("ECS developer guide, execution role: only from one VPC", IMAGE, _for_vpc("vpc-0a000000"), A),
    ("ECS developer guide, execution role: only from another VPC", IMAGE, _for_vpc("vpc-0b000000"), R),
    ("ECR user guide, tag-based access", IMAGE, _BY_TAG, D),
    ("IAM user guide, deny outside of some Regions", IMAGE, _BY_REGION, R),
    ("IAM user guide, deny without TLS", IMAGE, _BY_TLS, A),
    ("IAM user guide, deny by source address", IMAGE, _BY_ADDRESS, R),
    ("IAM user guide, allow within a time", IMAGE, _BY_TIME, R),
    ("IAM user guide, deny without MFA", IMAGE, _BY_MFA, D),
]


@pytest.mark.parametrize(("source", "call", "document", "answer"), ROLE_CASES)
def test_a_role_s_policy(source: str, call: Call, document: Any, answer: GateAnswer) -> None:
    start = account()
    start.replies["iam:GetRolePolicy pull puller"] = {"PolicyDocument": document}
    found, _ = answers(start, call)
    assert found[GateName.IDENTITY_POLICY].answer is answer, (source, found[GateName.IDENTITY_POLICY].sentence)


FOREIGN = sent(IMAGE, owner=OTHER, resource=REPOSITORY.replace(ACCOUNT, OTHER))
_IN_REPOSITORY = {"Effect": "Allow", "Action": _PULL_ACTIONS}
REPOSITORY_CASES: list[tuple[str, Any, GateAnswer]] = [
    ("ECR user guide, repository policy: another account", {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, A),
    ("ECR user guide, repository policy: several accounts", {"AWS": [f"arn:aws:iam::{OTHER}:root", ACCOUNT]}, A),
    ("ECR user guide, repository policy: a user", {"AWS": f"arn:aws:iam::{ACCOUNT}:user/one"}, R),
    ("ECR user guide, repository policy: CodeBuild", {"Service": "codebuild.amazonaws.com"}, R),
]


@pytest.mark.parametrize(("source", "principal", "answer"), REPOSITORY_CASES)
def test_a_repository_s_policy_for_another_account(source: str, principal: Any, answer: GateAnswer) -> None:
    start = account()
    start.replies["iam:GetRolePolicy pull puller"] = {"PolicyDocument": policy(allow("ecr:*"))}
    text = json.dumps(policy({**_IN_REPOSITORY, "Principal": principal}))
    start.replies["ecr:GetRepositoryPolicy"] = {"policyText": text}
    found, _ = answers(start, FOREIGN)
    assert found[GateName.REPOSITORY_POLICY].answer is answer, source

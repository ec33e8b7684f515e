"""One policy document and one request: what decides, by its Sid or index; and the traps of the policy language."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from probe.gates.policy import AwsOwned, Document, PolicyKind, Principal, Request, Ruling, evaluate
from probe.model import GateAnswer
from tests.gates.policy_account import ACCOUNT, OTHER, REPOSITORY, ROLE, allow, deny, policy

A, R, D, U = GateAnswer.ALLOWS, GateAnswer.REFUSES, GateAnswer.DEPENDS, GateAnswer.UNKNOWN
KNOWN: dict[str, tuple[str, ...]] = {
    "aws:principalarn": (ROLE,),
    "aws:principalaccount": (ACCOUNT,),
    "aws:principalorgid": ("o-abc",),
    "aws:sourcevpc": ("vpc-1",),
    "aws:securetransport": ("true",),
    "aws:calledvia": (),
    "aws:vpcsourceip": ("10.0.1.0/24",),
    "aws:requestedregion": ("us-east-1",),
    "aws:multifactorauthage": ("300",),
    "aws:currenttime": ("2026-01-01T00:00:00Z",),
    "aws:tagnames": ("a", "b"),
}


def ruling(
    document: Any,
    *,
    kind: PolicyKind = PolicyKind.ENDPOINT,
    action: str = "ecr:BatchGetImage",
    resource: str = REPOSITORY,
    principal: Principal | None = None,
    context: Any = None,
) -> Ruling:
    request = Request(
        action=action, resource=resource, principal=principal or Principal(role=ROLE), lookup=(context or KNOWN).get
    )
    return evaluate([Document.of("it", document)], request, kind)


def every(*statements: dict[str, Any]) -> dict[str, Any]:
    """For everybody, as in an endpoint's policy."""
    return policy(*({"Principal": "*", **statement} for statement in statements))


def when(operator: str, key: str, value: Any, **more: Any) -> dict[str, Any]:
    return every(allow(Condition={operator: {key: value}}, **more))


ROOT = f"arn:aws:iam::{ACCOUNT}:root"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/puller/task"
CASES: dict[str, tuple[Any, GateAnswer]] = {
    "all": (every(allow()), A),
    "no statement": (policy(), R),
    "only a Deny": (every(deny("s3:*")), R),
    "one statement, not in a list": ({"Statement": {**allow(), "Principal": "*"}}, A),
    "an action in another case": (every(allow("ECR:batchgetIMAGE")), A),
    "a wildcard in the action": (every(allow("ecr:Batch*Im?ge")), A),
    "brackets are letters": (every(allow("ecr:[B]atchGetImage")), R),
    "brackets of a resource are letters": (every(allow(resource=REPOSITORY.replace("team", "[t]eam"))), R),
    "a resource in another case": (every(allow(resource=REPOSITORY.replace("team", "Team"))), R),
    "a question mark is one letter": (every(allow(resource=REPOSITORY.replace("team", "te?m"))), A),
    "a question mark is not none": (every(allow(resource=REPOSITORY.replace("team", "team?"))), R),
    "a star spans parts": (every(allow(resource="arn:aws:ecr:*")), A),
    "NotAction of others": (policy({"Effect": "Allow", "Principal": "*", "NotAction": "s3:*", "Resource": "*"}), A),
    "NotAction of this": (policy({"Effect": "Allow", "Principal": "*", "NotAction": "ecr:*", "Resource": "*"}), R),
    "NotAction in a Deny": (
        every(allow(), {"Effect": "Deny", "NotAction": "ecr:*", "Resource": "*"}),
        A,
    ),
    "NotResource of others": (
        policy({"Effect": "Allow", "Principal": "*", "Action": "*", "NotResource": f"{REPOSITORY}2"}),
        A,
    ),
    "NotResource of this": (
        policy({"Effect": "Allow", "Principal": "*", "Action": "*", "NotResource": f"{REPOSITORY}*"}),
        R,
    ),
    "a Deny beats an Allow": (every(allow(), deny("ecr:*")), R),
    "a Deny that cannot be known": (every(allow(), deny(Condition={"StringEquals": {"aws:Unknown": "x"}})), D),
    "a Deny that cannot be known, and no Allow": (every(deny(Condition={"StringEquals": {"aws:Unknown": "x"}})), R),
    "the role": (policy(allow(Principal={"AWS": ROLE})), A),
    "another role": (policy(allow(Principal={"AWS": f"{ROLE}2"})), R),
    "the role without its path": (policy(allow(Principal={"AWS": ROLE.replace("team/", "")})), R),
    "its account": (policy(allow(Principal={"AWS": ACCOUNT})), A),
    "its account's root": (policy(allow(Principal={"AWS": [ROOT]})), A),
    "another account": (policy(allow(Principal={"AWS": OTHER})), R),
    "one of its sessions": (policy(allow(Principal={"AWS": SESSION})), D),
    "a session of another role": (policy(allow(Principal={"AWS": SESSION.replace("puller", "x")})), R),
    "a wildcard within an ARN is none": (policy(allow(Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:role/*"})), R),
    "everybody by AWS": (policy(allow(Principal={"AWS": "*"})), A),
    "everybody of an organization": (
        policy(allow(Principal={"AWS": "*"}, Condition={"StringEquals": {"aws:PrincipalOrgID": "o-abc"}})),
        A,
    ),
    "everybody of another organization": (
        policy(allow(Principal={"AWS": "*"}, Condition={"StringEquals": {"aws:PrincipalOrgID": "o-xyz"}})),
        R,
    ),
    "a service": (policy(allow(Principal={"Service": "ecs.amazonaws.com"})), R),
    "NotPrincipal of others": (
        every(allow()) | {"Statement": [allow(Principal="*"), deny(NotPrincipal={"AWS": OTHER})]},
        R,
    ),
    "NotPrincipal of the role and its account": (
        policy(allow(Principal="*"), deny(NotPrincipal={"AWS": [ROLE, ROOT]})),
        A,
    ),
    "NotPrincipal of the role alone": (policy(allow(Principal="*"), deny(NotPrincipal={"AWS": ROLE})), D),
    "NotPrincipal of the account alone": (policy(allow(Principal="*"), deny(NotPrincipal={"AWS": ROOT})), D),
    "NotPrincipal of everybody": (policy(allow(Principal="*"), deny(NotPrincipal="*")), A),
    "a key in another case": (when("StringEquals", "AWS:SOURCEVPC", "vpc-1"), A),
    "another value": (when("StringEquals", "aws:SourceVpc", "vpc-2"), R),
    "values are alternatives": (when("StringEquals", "aws:SourceVpc", ["vpc-2", "vpc-1"]), A),
    "keys have to match all": (
        every(allow(Condition={"StringEquals": {"aws:SourceVpc": "vpc-1", "aws:PrincipalOrgID": "o-x"}})),
        R,
    ),
    "operators have to match all": (
        every(allow(Condition={"StringEquals": {"aws:SourceVpc": "vpc-1"}, "Bool": {"aws:SecureTransport": "false"}})),
        R,
    ),
    "StringEquals has no wildcards": (when("StringEquals", "aws:SourceVpc", "vpc-*"), R),
    "StringLike has": (when("StringLike", "aws:SourceVpc", "vpc-*"), A),
    "StringEqualsIgnoreCase": (when("StringEqualsIgnoreCase", "aws:SourceVpc", "VPC-1"), A),
    "an operator in another case": (when("stringequals", "aws:SourceVpc", "vpc-1"), A),
    "an absent key": (when("StringEquals", "aws:CalledVia", "x"), R),
    "an absent key, negated": (when("StringNotEquals", "aws:CalledVia", "x"), A),
    "an absent key, IfExists": (when("StringEqualsIfExists", "aws:CalledVia", "x"), A),
    "an absent key of all values": (when("ForAllValues:StringEquals", "aws:CalledVia", "x"), A),
    "an absent key of any value": (when("ForAnyValue:StringEquals", "aws:CalledVia", "x"), R),
    "an absent key of any value, negated": (when("ForAnyValue:StringNotEquals", "aws:CalledVia", "x"), R),
    "Null of an absent key": (when("Null", "aws:CalledVia", "true"), A),
    "Null of a present key": (when("Null", "aws:SourceVpc", True), R),
    "a key that is not known": (when("StringEquals", "ec2:Unknown", "x"), D),
    "a tag of the principal": (when("StringEquals", "aws:PrincipalTag/team", "x"), D),
    "a tag of the resource": (when("StringNotEquals", "ecr:ResourceTag/team", "x"), D),
    "Null of a tag": (when("Null", "aws:PrincipalTag/team", "true"), D),
    "what fails beside what is not known": (
        every(allow(Condition={"StringEquals": {"ec2:Unknown": "x", "aws:SourceVpc": "vpc-2"}})),
        R,
    ),
    "what is not known beside another Allow": (
        every(allow(Condition={"StringEquals": {"ec2:Unknown": "x"}}), allow("ecr:*")),
        A,
    ),
    "ArnEquals with a wildcard": (when("ArnEquals", "aws:PrincipalArn", f"arn:aws:iam::{ACCOUNT}:role/team/*"), A),
    "ArnLike of another account": (when("ArnLike", "aws:PrincipalArn", f"arn:aws:iam::{OTHER}:role/team/*"), R),
    "a star in an ARN's part": (when("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:role/team/puller"), A),
    "ArnNotEquals": (when("ArnNotEquals", "aws:PrincipalArn", ROLE), R),
    "StringLike on an ARN": (when("StringLike", "aws:PrincipalArn", "*:role/team/*"), A),
    "an ARN of too few parts": (when("ArnLike", "aws:PrincipalArn", "*"), D),
    "a range within": (when("IpAddress", "aws:VpcSourceIp", "10.0.0.0/16"), A),
    "a range in part": (when("IpAddress", "aws:VpcSourceIp", "10.0.1.128/25"), D),
    "a range elsewhere": (when("IpAddress", "aws:VpcSourceIp", "10.1.0.0/16"), R),
    "a range of the other family": (when("IpAddress", "aws:VpcSourceIp", "fd00::/8"), R),
    "a variable": (when("StringEquals", "aws:SourceVpc", "${aws:SourceVpc}"), A),
    "a variable in a resource": (
        every(allow(resource=f"arn:aws:ecr:${{aws:RequestedRegion}}:{ACCOUNT}:repository/*")),
        A,
    ),
    "a variable of a tag": (every(allow(resource=REPOSITORY.replace("team/", "${aws:PrincipalTag/team}/"))), D),
    "a variable of a tag in another resource": (every(allow(resource="arn:aws:s3:::${aws:PrincipalTag/team}/*")), R),
    "a variable of an absent key": (every(allow(resource=f"{REPOSITORY}${{aws:CalledVia}}")), R),
    "a default value": (every(allow(resource=REPOSITORY.replace("team", "${aws:CalledVia, 'team'}"))), A),
    "a variable in Version 2008": (
        when("StringEquals", "aws:SourceVpc", "${aws:SourceVpc}") | {"Version": "2008-10-17"},
        R,
    ),
    "a variable of a resource in Version 2008": (
        every(allow(resource=f"arn:aws:ecr:${{aws:RequestedRegion}}:{ACCOUNT}:repository/*"))
        | {"Version": "2008-10-17"},
        R,
    ),
    "a number at its bound": (when("NumericLessThanEquals", "aws:MultiFactorAuthAge", "300"), A),
    "a number above it": (when("NumericLessThan", "aws:MultiFactorAuthAge", 300), R),
    "a number that is none": (when("NumericLessThan", "aws:MultiFactorAuthAge", "many"), R),
    "a date": (when("DateLessThan", "aws:CurrentTime", "2026-06-01T00:00:00Z"), A),
    "a date in seconds": (when("DateGreaterThanEquals", "aws:CurrentTime", 1767225600), A),
    "several values, none equal": (when("StringNotEquals", "aws:TagNames", "a"), R),
    "several values, any equal": (when("StringEquals", "aws:TagNames", "b"), A),
    "several values, all of them": (when("ForAllValues:StringEquals", "aws:TagNames", ["a", "b", "c"]), A),
    "several values, not all": (when("ForAllValues:StringEquals", "aws:TagNames", ["a"]), R),
    "several values, any not": (when("ForAnyValue:StringNotEquals", "aws:TagNames", "a"), A),
    "several values in a variable": (when("StringEquals", "aws:SourceVpc", "${aws:TagNames}"), R),
    "a star as a letter": (when("StringLike", "aws:SourceVpc", "${*}"), R),
    "no policy": ("", U),
    "no JSON": ("{", U),
    "deep JSON": ("[" * 60000, U),
    "too large": (json.dumps(every(*[allow()] * 2000)), U),
    "no Statement": ({"Version": "2012-10-17"}, U),
    "another Version": (every(allow()) | {"Version": "2026-01-01"}, U),
    "no Effect": (policy({"Principal": "*", "Action": "*", "Resource": "*"}), U),
    "an Effect in small letters": (policy({**allow(), "Effect": "allow", "Principal": "*"}), U),
    "no Principal": (policy(allow()), U),
    "no Action": (policy({"Effect": "Allow", "Principal": "*", "Resource": "*"}), U),
    "both Action and NotAction": (every(allow(NotAction="s3:*")), U),
    "no Resource": (policy({"Effect": "Allow", "Principal": "*", "Action": "*"}), U),
    "an unknown element": (every(allow(Resources="*")), U),
    "an unknown operator": (when("StringMatches", "aws:SourceVpc", "x"), U),
    "an unknown kind of principal": (policy(allow(Principal={"Role": ROLE})), U),
    "a number as an action": (every(allow(1)), U),
    "a range that is none": (when("IpAddress", "aws:VpcSourceIp", "10.0.0.300"), U),
    "a statement that is a text": ({"Statement": ["Allow"]}, U),
}


@pytest.mark.parametrize("name", CASES)
def test_a_document(name: str) -> None:
    document, answer = CASES[name]
    found = ruling(document)
    assert found.answer is answer
    assert (found.answer is not D) or found.keys
    assert (found.answer is not U) or found.problem


GATEWAY_CASES = {
    "everybody": (every(allow()), A),
    "everybody by AWS": (policy(allow(Principal={"AWS": "*"})), A),
    "an account is its root user": (policy(allow(Principal={"AWS": ACCOUNT})), R),
    "so is its root": (policy(allow(Principal={"AWS": ROOT})), R),
    "a role": (policy(allow(Principal={"AWS": ROLE})), R),
}


@pytest.mark.parametrize("name", GATEWAY_CASES)
def test_a_gateway_endpoint_knows_only_everybody(name: str) -> None:
    document, answer = GATEWAY_CASES[name]
    assert ruling(document, kind=PolicyKind.GATEWAY).answer is answer


ECR = Principal(aws=AwsOwned(frozenset((ACCOUNT,))))
ECR_CONTEXT: dict[str, Any] = {
    **KNOWN,
    "aws:principalaccount": AwsOwned(frozenset((ACCOUNT,))),
    "aws:principalarn": AwsOwned(frozenset((ACCOUNT,))),
    "aws:principalorgid": AwsOwned(frozenset((ACCOUNT,)), True),
}
OF_ECR = {
    "everybody": (every(allow()), A),
    "our account": (policy(allow(Principal={"AWS": ACCOUNT})), R),
    "an account that is not ours": (policy(allow(Principal={"AWS": OTHER})), D),
    "our role": (policy(allow(Principal={"AWS": ROLE})), R),
    "our account by a condition": (when("StringEquals", "aws:PrincipalAccount", ACCOUNT), R),
    "an account by a condition": (when("StringEquals", "aws:PrincipalAccount", OTHER), D),
    "an account by a negated condition": (when("StringNotEquals", "aws:PrincipalAccount", OTHER), D),
    "our role by a condition": (when("ArnEquals", "aws:PrincipalArn", ROLE), R),
    "our organization": (when("StringEquals", "aws:PrincipalOrgID", "o-abc"), R),
    "our organization, if any": (when("StringEqualsIfExists", "aws:PrincipalOrgID", "o-abc"), D),
    "any organization": (when("StringLike", "aws:PrincipalOrgID", "o-*"), D),
    "a Deny of other organizations": (
        every(allow(), deny(Condition={"StringNotEquals": {"aws:PrincipalOrgID": "o-abc"}})),
        R,
    ),
    "a Deny to all but our account": (policy(allow(Principal="*"), deny(NotPrincipal={"AWS": ACCOUNT})), R),
    "our VPC": (when("StringEquals", "aws:SourceVpc", "vpc-1"), A),
}


@pytest.mark.parametrize("name", OF_ECR)
def test_the_principal_of_ecr(name: str) -> None:
    document, answer = OF_ECR[name]
    assert ruling(document, principal=ECR, context=ECR_CONTEXT).answer is answer


def test_an_identity_policy_has_no_principal() -> None:
    assert ruling(policy(allow()), kind=PolicyKind.IDENTITY).answer is A
    assert ruling(every(allow()), kind=PolicyKind.IDENTITY).answer is U


def test_a_resource_policy_needs_no_resource() -> None:
    assert ruling(policy({"Effect": "Allow", "Principal": "*", "Action": "*"}), kind=PolicyKind.RESOURCE).answer is A


def test_an_unknown_part_of_a_resource_is_covered_or_open() -> None:
    streams = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/ecs/app:log-stream:\0"
    for pattern, answer in (
        (f"{streams[:-12]}*", A),
        (streams.replace("\0", "web/*"), D),
        (streams[:-13], R),
        ("*", A),
    ):
        assert ruling(every(allow(resource=pattern)), resource=streams).answer is answer, pattern
        denied = {"Effect": "Deny", "Action": "*", "NotResource": pattern}
        assert ruling(every(allow(), denied), resource=streams).answer is answer, pattern


def test_the_token_is_no_resource() -> None:
    for pattern, answer in (("*", A), ("arn:aws:ecr:*:*:repository/*", R), (["arn:aws:ecr:*", "*"], A)):
        assert ruling(every(allow(resource=pattern)), resource="*", action="ecr:GetAuthorizationToken").answer is answer


def test_the_deciding_statement_is_quoted() -> None:
    denied = ruling(every(allow(), {**deny("ecr:*"), "Sid": "NoImages"}))
    assert (denied.statement, denied.index, denied.explicit) == ("NoImages", 1, True)
    assert ruling(every(allow("s3:*"), allow())).statement == "Statement[1]"
    closest = ruling(
        every(allow("s3:*"), {**when("StringEquals", "aws:SourceVpc", "vpc-2")["Statement"][0], "Sid": "Ours"})
    )
    assert (closest.statement, closest.mismatch, closest.explicit) == ("Ours", "Condition on aws:SourceVpc", False)
    assert ruling(policy(allow(Principal={"AWS": OTHER}))).mismatch == "Principal"


def test_an_account_delegates_and_a_role_does_not() -> None:
    assert ruling(policy(allow(Principal={"AWS": ACCOUNT})), kind=PolicyKind.RESOURCE).delegated
    assert not ruling(policy(allow(Principal={"AWS": [ACCOUNT, ROLE]})), kind=PolicyKind.RESOURCE).delegated
    assert not ruling(every(allow()), kind=PolicyKind.RESOURCE).delegated


def test_a_boundary_makes_not_principal_a_denial() -> None:
    document = policy(allow(Principal="*"), deny(NotPrincipal={"AWS": [ROLE, ROOT]}))
    assert ruling(document, principal=Principal(role=ROLE, bounded=True)).answer is R
    assert ruling(document, principal=Principal(role=ROLE, bounded=None)).answer is D


def test_hostile_documents_take_no_time() -> None:
    started = time.process_time()
    for text in ("*a" * 15000, "?*" * 15000, "${" * 15000, "${a}" * 7500, "a" * 30000):
        ruling(every(allow(resource=text)))
        ruling(when("StringLike", "aws:SourceVpc", text))
    assert time.process_time() - started < 20

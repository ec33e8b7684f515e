"""Two evaluators of policies, written apart, agree; and what one answers with some keys unknown holds for every value
that they could have."""

from __future__ import annotations

import itertools
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from probe.gates.policy import Document, PolicyKind, Principal, Request, evaluate
from probe.model import GateAnswer
from tests.gates.naive_policy import is_allowed

ROLE = "arn:aws:iam::123456789012:role/team/puller"
OTHER_ROLE = "arn:aws:iam::123456789012:role/other"
ACTIONS = ("ecr:BatchGetImage", "ecr:GetAuthorizationToken", "s3:GetObject")
RESOURCES = (
    "arn:aws:ecr:us-east-1:123456789012:repository/team/app",
    "arn:aws:s3:::prod-us-east-1-starport-layer-bucket/a/b",
    "*",
)
# What each key can be in a request; [] stands for an absent key.
VALUES: dict[str, list[list[str]]] = {
    "aws:sourcevpc": [[], ["vpc-1"], ["vpc-2"]],
    "aws:principalarn": [[ROLE], [OTHER_ROLE]],
    "aws:principalorgid": [[], ["o-abc"]],
    "aws:securetransport": [["true"], ["false"]],
    "aws:calledvia": [[], ["a", "b"], ["a"], ["c"]],
    "aws:vpcsourceip": [[], ["10.0.1.7"], ["10.0.2.7"]],
    "s3:signatureage": [[], ["5"], ["50"]],
    "aws:currenttime": [["2026-01-01T00:00:00Z"], ["2027-01-01T00:00:00Z"]],
}
_TEXTS = [
    "vpc-1",
    "VPC-1",
    "vpc-*",
    "vpc-?",
    "*",
    "",
    "a",
    "?",
    "o-abc",
    "o-[a]bc",
    "${aws:SourceVpc}",
    "${aws:missing, 'a'}",
    "${*}",
]
_ARNS = [
    ROLE,
    OTHER_ROLE,
    "arn:aws:iam::123456789012:role/*",
    "arn:*:iam::*:role/team/*",
    "arn:aws:iam::1234567890?2:*",
]
_ADDRESSES = ["10.0.1.0/24", "10.0.0.0/16", "10.0.1.7", "0.0.0.0/0", "fd00::/8"]
_NUMBERS = ["5", "50", "10", "49.5"]
_DATES = ["2026-06-01T00:00:00Z"]
_OPERATORS: dict[str, list[str]] = {
    "StringEquals": _TEXTS,
    "StringNotEquals": _TEXTS,
    "StringEqualsIgnoreCase": _TEXTS,
    "StringNotEqualsIgnoreCase": _TEXTS,
    "StringLike": _TEXTS,
    "StringNotLike": _TEXTS,
    "ArnEquals": _ARNS,
    "ArnLike": _ARNS,
    "ArnNotEquals": _ARNS,
    "ArnNotLike": _ARNS,
    "Bool": ["true", "false", "True"],
    "IpAddress": _ADDRESSES,
    "NotIpAddress": _ADDRESSES,
    "NumericEquals": _NUMBERS,
    "NumericNotEquals": _NUMBERS,
    "NumericLessThan": _NUMBERS,
    "NumericLessThanEquals": _NUMBERS,
    "NumericGreaterThan": _NUMBERS,
    "NumericGreaterThanEquals": _NUMBERS,
    "DateLessThan": _DATES,
    "DateGreaterThan": _DATES,
}
_KEYS = {
    "Bool": ["aws:securetransport"],
    "IpAddress": ["aws:vpcsourceip"],
    "NotIpAddress": ["aws:vpcsourceip"],
    **{name: ["s3:signatureage"] for name in _OPERATORS if name.startswith("Numeric")},
    **{name: ["aws:currenttime"] for name in _OPERATORS if name.startswith("Date")},
    **{name: ["aws:principalarn"] for name in _OPERATORS if name.startswith("Arn")},
}


def some_of(values: list[str]) -> st.SearchStrategy[Any]:
    return st.one_of(st.sampled_from(values), st.lists(st.sampled_from(values), min_size=1, max_size=3, unique=True))


@st.composite
def conditions(draw: st.DrawFn) -> dict[str, Any]:
    block: dict[str, Any] = {}
    for _ in range(draw(st.integers(1, 2))):
        base = draw(st.sampled_from([*_OPERATORS, "Null"]))
        if base == "Null":
            key = draw(st.sampled_from(list(VALUES)))
            block.setdefault("Null", {})[key] = draw(st.sampled_from(["true", "false", True, False]))
            continue
        prefix = draw(st.sampled_from(["", "", "ForAllValues:", "ForAnyValue:"]))
        suffix = draw(st.sampled_from(["", "", "IfExists"])) if not prefix else ""
        keys = _KEYS.get(base, list(VALUES))
        key = draw(st.sampled_from(keys))
        spelled = draw(st.sampled_from([key, key.upper(), key.title()]))
        block.setdefault(f"{prefix}{base}{suffix}", {})[spelled] = draw(some_of(_OPERATORS[base]))
    return block


@st.composite
def statements(draw: st.DrawFn, *, principal: bool) -> dict[str, Any]:
    actions = ["*", "ecr:*", "ecr:batchgetimage", "*", "s3:Get*", "ecr:Get?uthorizationToken", "ecr:[B]atchGetImage"]
    resources = [
        "*",
        "*",
        "arn:aws:ecr:*:*:repository/*",
        "arn:aws:ecr:us-east-1:123456789012:repository/team/app",
        "arn:aws:ecr:us-east-1:123456789012:repository/TEAM/app",
        "arn:aws:s3:::prod-us-east-1-starport-layer-bucket/*",
        "arn:aws:s3:::prod-??-east-1-starport-layer-bucket/?/b",
        "arn:aws:s3:::${aws:SourceVpc}/*",
        "arn:*",
    ]
    statement: dict[str, Any] = {"Effect": draw(st.sampled_from(["Allow", "Allow", "Deny"]))}
    statement[draw(st.sampled_from(["Action", "Action", "NotAction"]))] = draw(some_of(actions))
    statement[draw(st.sampled_from(["Resource", "Resource", "NotResource"]))] = draw(some_of(resources))
    if principal:
        names = ["*", ROLE, OTHER_ROLE, "123456789012", "arn:aws:iam::123456789012:root", "210987654321"]
        statement["Principal"] = draw(st.one_of(st.just("*"), st.builds(lambda value: {"AWS": value}, some_of(names))))
    if draw(st.booleans()):
        statement["Condition"] = draw(conditions())
    return statement


@st.composite
def documents(draw: st.DrawFn, *, principal: bool) -> dict[str, Any]:
    listed = draw(st.lists(statements(principal=principal), max_size=3))
    version = draw(st.sampled_from(["2012-10-17", "2012-10-17", "2008-10-17", None]))
    document = {"Statement": listed[0] if len(listed) == 1 and draw(st.booleans()) else listed}
    return {"Version": version, **document} if version else document


contexts = st.fixed_dictionaries({key: st.sampled_from(values) for key, values in VALUES.items()})


def ours(policies: list[Any], action: str, resource: str, kind: PolicyKind, lookup: Any) -> GateAnswer:
    found = [Document.of(f"policy {number}", policy) for number, policy in enumerate(policies)]
    request = Request(action=action, resource=resource, principal=Principal(role=ROLE), lookup=lookup)
    return evaluate(found, request, kind).answer


of_one_condition = st.builds(
    lambda effect, condition, version: {
        "Version": version,
        "Statement": [
            {"Effect": "Allow", "Action": "*", "Resource": "*"},
            {"Effect": effect, "Action": "*", "Resource": "*", "Condition": condition},
        ][effect == "Allow" :],
    },
    st.sampled_from(["Allow", "Deny"]),
    conditions(),
    st.sampled_from(["2012-10-17", "2008-10-17"]),
)
hidden_keys = st.sets(st.sampled_from(list(VALUES)), max_size=2)


@settings(max_examples=600, deadline=None)
@given(of_one_condition, contexts, hidden_keys)
def test_the_two_agree_on_a_condition(document: Any, context: dict[str, list[str]], hidden: set[str]) -> None:
    compare(PolicyKind.IDENTITY, [document], ACTIONS[0], RESOURCES[0], context, hidden)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(list(PolicyKind)).flatmap(
        lambda kind: st.tuples(
            st.just(kind), st.lists(documents(principal=kind is not PolicyKind.IDENTITY), min_size=1, max_size=2)
        )
    ),
    st.sampled_from(ACTIONS),
    st.sampled_from(RESOURCES),
    contexts,
    hidden_keys,
)
def test_the_two_agree(
    of_kind: tuple[PolicyKind, list[Any]], action: str, resource: str, context: dict[str, list[str]], hidden: set[str]
) -> None:
    compare(*of_kind, action, resource, context, hidden)


def compare(
    kind: PolicyKind, policies: list[Any], action: str, resource: str, context: dict[str, list[str]], hidden: set[str]
) -> None:
    """Compare the two where every key is known; and the answer with some of them hidden with all that they could be."""
    role = None if kind is PolicyKind.IDENTITY else ROLE

    def naive(values: dict[str, list[str]]) -> bool:
        known = {key: found for key, found in values.items() if found}
        return is_allowed(policies, action, resource, role, known, gateway=kind is PolicyKind.GATEWAY)

    exact = ours(policies, action, resource, kind, lambda key: tuple(context.get(key, ())))
    assert exact is (GateAnswer.ALLOWS if naive(context) else GateAnswer.REFUSES)
    open_answer = ours(
        policies, action, resource, kind, lambda key: None if key in hidden else tuple(context.get(key, ()))
    )
    names = sorted(hidden)
    possible = {
        naive({**context, **dict(zip(names, values, strict=True))})
        for values in itertools.product(*(VALUES[name] for name in names))
    }
    if open_answer is not GateAnswer.DEPENDS:
        assert possible == {open_answer is GateAnswer.ALLOWS}

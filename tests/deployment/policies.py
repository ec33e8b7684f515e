"""Convert our JSON policies to those of the simulated VPC, which then evaluates them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from probe.sim.identity import ENDPOINT, IDENTITY, Call, Policy, Principal, Statement
from tests.deployment.definitions import ACCOUNT, filled

Context = Mapping[str, str]
_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda value, expected: value == expected,
    "ArnEquals": fnmatchcase,  # as IAM documents it: the same as ArnLike
    "ArnLike": fnmatchcase,
}
_KEYS = {"Sid", "Effect", "Action", "Resource", "Principal", "Condition"}
ROLE = f"arn:aws:iam::{ACCOUNT}:role/"


def several(value: str | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def statements(name: str) -> list[dict[str, Any]]:
    document = filled(name)
    assert document["Version"] == "2012-10-17", "the older version has no variables"
    return list(document["Statement"])


def policy(name: str, context: Context | None = None) -> Policy:
    """The statements of a file that apply to requests with this context."""
    return translated(statements(name), context or {})


def translated(documents: Iterable[dict[str, Any]], context: Context) -> Policy:
    return tuple(_statement(item) for item in documents if _applies(item.get("Condition", {}), context))


def actions(name: str) -> set[str]:
    """All actions that a file allows, under any condition."""
    return {action for item in statements(name) if item["Effect"] == "Allow" for action in several(item["Action"])}


def may(policies: Policy, action: str, resource: str, *, role: str = "ecr-probe-task", kind: str = IDENTITY) -> bool:
    return refusal(policies, action, resource, role=role, kind=kind) is None


def refusal(
    policies: Policy, action: str, resource: str, *, role: str = "ecr-probe-task", kind: str = ENDPOINT
) -> str | None:
    principal = Principal(ACCOUNT, ROLE + role, f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/0")
    return Call(principal, action, resource).refusal([(kind, policies)])


def _statement(document: dict[str, Any]) -> Statement:
    # An unsupported key, such as NotAction, would change the meaning.
    assert set(document) <= _KEYS, document
    return Statement(
        several(document["Action"]),
        several(document.get("Resource", "*")),
        _principals(document),
        effect=document["Effect"],
    )


def _principals(document: dict[str, Any]) -> tuple[str, ...]:
    principal = document.get("Principal", "*")
    if isinstance(principal, str):
        return (principal,)
    ((_, names),) = principal.items()
    return several(names)


def _applies(condition: dict[str, dict[str, str | list[str]]], context: Context) -> bool:
    """Whether each key of each operator matches one of its values; a key that the request lacks does not match."""
    return all(
        key in context and any(_OPERATORS[operator](context[key], value) for value in several(values))
        for operator, keys in condition.items()
        for key, values in keys.items()
    )

"""Our JSON policies in the words of the simulated VPC, so that it judges them as it judges its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from probe.sim.identity import ENDPOINT, IDENTITY, Call, Policy, Principal, Statement
from tests.deployment.definitions import ACCOUNT, filled

Context = Mapping[str, str]
_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda value, wanted: value == wanted,
    "ArnEquals": fnmatchcase,  # as IAM documents it: the same as ArnLike
    "ArnLike": fnmatchcase,
}
_KEYS = {"Sid", "Effect", "Action", "Resource", "Principal", "Condition"}
ROLE = f"arn:aws:iam::{ACCOUNT}:role/"


def several(value: str | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def statements(name: str) -> list[dict[str, Any]]:
    document = filled(name)
    assert document["Version"] == "2012-10-17", "the older version knows no variables"
    return list(document["Statement"])


def policy(name: str, context: Context | None = None) -> Policy:
    """What of a file's policy is in force for requests of such a context."""
    return translated(statements(name), context or {})


def translated(given: Iterable[dict[str, Any]], context: Context) -> Policy:
    return tuple(_statement(each) for each in given if _in_force(each.get("Condition", {}), context))


def actions(name: str) -> set[str]:
    """All that a file allows, whatever the conditions."""
    return {action for each in statements(name) if each["Effect"] == "Allow" for action in several(each["Action"])}


def may(held: Policy, action: str, resource: str, *, role: str = "ecr-probe-task", kind: str = IDENTITY) -> bool:
    return refusal(held, action, resource, role=role, kind=kind) is None


def refusal(
    held: Policy, action: str, resource: str, *, role: str = "ecr-probe-task", kind: str = ENDPOINT
) -> str | None:
    principal = Principal(ACCOUNT, ROLE + role, f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/0")
    return Call(principal, action, resource).refusal([(kind, held)])


def _statement(given: dict[str, Any]) -> Statement:
    # A key that this does not know, such as NotAction, would change the meaning unseen.
    assert set(given) <= _KEYS, given
    return Statement(
        several(given["Action"]), several(given.get("Resource", "*")), _principals(given), effect=given["Effect"]
    )


def _principals(given: dict[str, Any]) -> tuple[str, ...]:
    principal = given.get("Principal", "*")
    if isinstance(principal, str):
        return (principal,)
    ((_, names),) = principal.items()
    return several(names)


def _in_force(condition: dict[str, dict[str, str | list[str]]], context: Context) -> bool:
    """Every key of every operator must match one of its values; a key that the request lacks matches none."""
    return all(
        key in context and any(_OPERATORS[operator](context[key], value) for value in several(values))
        for operator, keys in condition.items()
        for key, values in keys.items()
    )

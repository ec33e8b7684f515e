"""Policies as JSON, from the statements that decide about simulated calls."""

from __future__ import annotations

import json
from typing import Any

from probe.sim.identity import Policy, Statement


def document(policy: Policy, *, principals: bool, condition: dict[str, Any] | None = None) -> str:
    """A policy in IAM's language; that of a resource names principals, that of a role or organization does not."""
    statements = [_statement(statement, principals=principals, condition=condition) for statement in policy]
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def _statement(statement: Statement, *, principals: bool, condition: dict[str, Any] | None) -> dict[str, Any]:
    named = list(statement.principals)
    return {
        "Effect": statement.effect,
        **({"Principal": "*" if named == ["*"] else {"AWS": named}} if principals else {}),
        "Action": list(statement.actions),
        "Resource": list(statement.resources),
        **({"Condition": condition} if condition else {}),
    }

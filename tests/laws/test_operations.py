"""`inspect` only reads: its list of operations is the policy that an operator attaches, and botocore knows each."""

from __future__ import annotations

import json
from pathlib import Path

import botocore.session
import pytest

from probe.configuration.operations import OPERATIONS, Operation

POLICY = Path(__file__).parents[2] / "task-definitions" / "iam" / "operator-inspect.json"
READS = ("Describe", "Get", "List", "Search", "BatchGet")
# These read what must not be read: a token, a secret, an image.
FORBIDDEN = {"ecr:GetAuthorizationToken", "ecr:BatchGetImage", "secretsmanager:GetSecretValue", "ssm:GetParameters"}
WITHOUT_PERMISSION = {"sts:GetCallerIdentity"}  # botocore sts: no permissions are required


def test_the_policy_allows_exactly_what_is_read() -> None:
    statements = json.loads(POLICY.read_text())["Statement"]
    allowed = [action for statement in statements for action in _listed(statement["Action"])]
    assert sorted(allowed) == sorted({operation.permission for operation in OPERATIONS} - WITHOUT_PERMISSION)


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: f"{operation.service}:{operation.name}")
def test_an_operation_reads_and_is_botocores(operation: Operation) -> None:
    assert operation.name.startswith(READS)
    assert operation.permission not in FORBIDDEN
    model = botocore.session.Session().get_service_model(operation.service)
    shape = model.operation_model(operation.name).output_shape
    for name in filter(None, (operation.items, operation.within)):
        shape = shape.members[name].member
    for path in (*operation.keep, *([operation.key] if operation.key else ())):
        inner = shape
        for name in path.split("."):
            inner = inner.members[name]

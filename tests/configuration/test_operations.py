"""The list of operations: they exist in botocore's models, they only read, and every list of theirs is read whole."""

from __future__ import annotations

import ast
import json
import re
from functools import cache
from pathlib import Path

import botocore.session
import pytest
from botocore import xform_name
from botocore.loaders import create_loader
from botocore.model import OperationModel, Shape

import probe
from probe.configuration.operations import NAMED, OPERATIONS, Operation
from probe.operator import reading

# What a name begins with says that it reads, but for these, which read a secret or issue a token.
_READS = ("Describe", "List", "Get", "Search", "BatchGet", "Simulate")
_NEVER = (
    "BatchGetImage",
    "BatchGetSecretValue",
    "DescribeInstanceAttribute",
    "DescribeLaunchTemplateVersions",
    "GetAuthorizationToken",
    "GetConsoleOutput",
    "GetDownloadUrlForLayer",
    "GetFederationToken",
    "GetLaunchTemplateData",
    "GetParameter",
    "GetParameters",
    "GetParametersByPath",
    "GetPasswordData",
    "GetRandomPassword",
    "GetSecretValue",
    "GetSessionToken",
)
_POLICY = Path(probe.__file__).parents[1] / "task-definitions" / "iam" / "operator-inspect.json"
_WITHOUT_PERMISSION = {"sts:GetCallerIdentity"}  # botocore sts: no permissions are required
each = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: f"{operation.service}:{operation.name}")


@cache
def model(service: str, name: str) -> OperationModel:
    return _session().get_service_model(service).operation_model(name)


@cache
def _session() -> botocore.session.Session:
    session = botocore.session.Session()
    session.register_component("data_loader", create_loader())
    return session


def element(operation: Operation) -> Shape:
    """The shape of what is kept: of an item, or of the whole reply."""
    shape = model(operation.service, operation.name).output_shape
    for member in (operation.items, operation.within):
        if member is not None:
            shape = shape.members[member].member
    return shape


@each
def test_an_operation_only_reads(operation: Operation) -> None:
    assert operation.name.startswith(_READS)
    assert operation.name not in _NEVER or operation.flag is not None


def test_ordinary_runs_never_read_an_image(monkeypatch: pytest.MonkeyPatch) -> None:
    """BatchGetImage counts as a pull: the clients have it only where the reader agreed."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    made: list[dict[str, list[str]]] = []
    monkeypatch.setattr(reading, "Account", lambda **options: made.append(options["operations"]))
    for agreed in ((), ("cross-check",), ("read-manifest",)):
        reading.reading_account(region="us-east-1", profile=None, agreed=agreed)
    assert ["BatchGetImage" in operations["ecr"] for operations in made] == [False, False, True]
    assert ["SimulatePrincipalPolicy" in operations["iam"] for operations in made] == [False, True, False]


@each
def test_the_members_that_are_kept_exist(operation: Operation) -> None:
    named = {*operation.keep, *([operation.key] if operation.key else ())}
    for path in named:
        shape = element(operation)
        for member in path.split("."):
            shape = shape.members[member]
    assert bool(operation.keep) == (element(operation).type_name == "structure"), "only strings are kept whole"


@each
def test_items_are_asked_for_by_what_exists(operation: Operation) -> None:
    if operation.by is None:
        return
    members = model(operation.service, operation.name).input_shape.members
    assert operation.key is not None
    assert (operation.by if operation.by in members else "Filters") in members


@each
def test_every_page_is_read(operation: Operation) -> None:
    """By botocore's paginator, or by a token that reply and request call the same."""
    shapes = model(operation.service, operation.name)
    tokens = {name for name in shapes.output_shape.members if re.search(r"(?i)next.*token|marker", name)}
    if not tokens:
        return
    pages = create_loader().load_service_model(operation.service, "paginators-1")["pagination"]
    if operation.name in pages:
        results = pages[operation.name]["result_key"]
        assert operation.items in (results if isinstance(results, list) else [results])
    else:
        assert tokens <= {"NextToken", "nextToken"} & set(shapes.input_shape.members)


def test_the_policy_allows_exactly_what_is_read() -> None:
    actions = [statement["Action"] for statement in json.loads(_POLICY.read_text())["Statement"]]
    allowed = [action for listed in actions for action in ([listed] if isinstance(listed, str) else listed)]
    assert sorted(allowed) == sorted({operation.permission for operation in OPERATIONS} - _WITHOUT_PERMISSION)


def test_each_operation_is_listed_once() -> None:
    assert len(NAMED) == len(OPERATIONS)
    assert all(xform_name(operation.name) for operation in OPERATIONS)


def test_operations_are_defined_in_one_file() -> None:
    """So that the list is whole: the reader refuses any other."""
    makers = {
        str(path.relative_to(Path(probe.__file__).parent))
        for path in Path(probe.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "Operation"
    }
    assert makers == {"configuration/operations.py"}

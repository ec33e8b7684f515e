"""Every operation of the list, by botocore's own client, in its own protocol, page by page."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.model import Shape

from probe.configuration.operations import OPERATIONS, Operation
from probe.operator.reading import reading_account
from probe.sim.account import SimulatedAccount
from tests.configuration.test_operations import model
from tests.operator.endpoint import CREDENTIALS, Endpoint, served

ITEMS = 3


def example(shape: Shape, name: str = "", seen: tuple[str, ...] = ()) -> Any:
    """A reply with every member. Strings differ, and contain what a protocol has to escape."""
    match shape.type_name:
        case "structure":
            members = {} if shape.name in seen else shape.members
            return {
                key: example(part, f"{name}.{key}", (*seen, shape.name))
                for key, part in members.items()
                if part.type_name not in ("timestamp", "blob") and not is_token(key)
            }
        case "list":
            return [example(shape.member, f"{name}{number}", seen) for number in range(ITEMS)]
        case "map":
            return {f"{name}.key": example(shape.value, f"{name}.value", seen)}
        case "string" if shape.name == "policyDocumentType":
            return {"Statement": [{"Sid": f"{name} %<&>", "Resource": "*"}]}  # as IAM's clients decode it
        case "string":
            return f"{name} <&> é"
        case "boolean":
            return True
        case _:
            return 7


def is_token(name: str) -> bool:
    return name.startswith(("NextToken", "nextToken", "Marker", "IsTruncated", "Truncated", "NextRecord", "NextMarker"))


def required(shape: Any) -> dict[str, Any]:
    """The parameters without which botocore does not send the call."""
    parameters: dict[str, Any] = {}
    for name in shape.required_members if shape is not None else ():
        member = shape.members[name]
        text = (
            (member.enum or ["x" * max(12, member.metadata.get("min", 1))])[0] if member.type_name == "string" else ""
        )
        parameters[name] = [listed(name, member.member)] if member.type_name == "list" else text
    return parameters


def listed(name: str, shape: Shape) -> Any:
    """An item of a parameter that is a list."""
    if name == "Filters":
        return {"Name": "x", "Values": ["y"]}
    return {next(iter(shape.members)): "example"} if shape.type_name == "structure" else "example"


class Fixed(SimulatedAccount, kw_only=True):
    """Answers one call with one reply, and notes its parameters."""

    reply: dict[str, Any]
    asked: list[Any] = []  # noqa: RUF012

    def answer(self, action: str, parameters: Any, region: str | None = None) -> dict[str, Any]:
        self.asked.append((action, dict(parameters), region))
        return self.reply


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize("page_size", [1, 100])
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: f"{operation.service}:{operation.name}")
def test_a_reply_arrives_as_it_was_sent(operation: Operation, page_size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    shapes = model(operation.service, operation.name)
    reply, parameters = example(shapes.output_shape), required(shapes.input_shape)
    account = Fixed(reply=reply, asked=[])
    endpoint = Endpoint(account, page_size=page_size)
    with served(endpoint) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        agreed = () if operation.flag is None else (operation.flag,)
        reader = reading_account(region="eu-west-1", profile=None, agreed=agreed)
        pages = list(reader.pages(f"{operation.service}:{operation.name}", **parameters))
    assert {action for action, _, _ in account.asked} == {f"{operation.service}:{operation.name}"}
    assert all(sent == parameters for _, sent, _ in account.asked)
    if operation.items is None:
        (page,) = pages
        assert {key: value for key, value in page.items() if key in reply} == reply
    else:
        assert [item for page in pages for item in page[operation.items]] == reply[operation.items]
        assert len(pages) == (ITEMS if page_size == 1 and has_pages(shapes.output_shape) else 1)


def has_pages(shape: Shape) -> bool:
    return any(is_token(name) for name in shape.members)


@pytest.mark.usefixtures("credentials")
def test_filters_and_lists_arrive(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the query protocol of EC2 lists are numbered fields."""
    account = Fixed(reply={}, asked=[])
    parameters: dict[str, Any] = {"Filters": [{"Name": "vpc-id", "Values": ["a", "b"]}, {"Name": "x", "Values": ["c"]}]}
    with served(Endpoint(account)) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        list(reading_account(region="eu-west-1", profile=None).pages("ec2:DescribeSubnets", **parameters))
    assert account.asked == [("ec2:DescribeSubnets", parameters, "eu-west-1")]

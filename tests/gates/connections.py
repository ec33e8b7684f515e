"""A connection in a small VPC, and what one gate answers."""

from __future__ import annotations

from functools import partial
from typing import Any

from probe.configuration.document import Configuration
from probe.configuration.view import View
from probe.gates.flow import Flow, Origin
from probe.gates.opinion import Opinion, opinions
from probe.gates.packets import PACKET_GATES
from probe.model import GateName
from probe.operator.reading import read
from probe.records import replace
from tests.inspect.vpc import Account

Item = dict[str, Any]

VPC, OTHER_VPC = "vpc-0a000000", "vpc-0b000000"
TASKS, ENDPOINTS = "subnet-0a000000", "subnet-0e000000"
ORIGIN = Origin(subnet=TASKS, vpc=VPC, ranges=("10.0.1.0/24", "2600:1f18::/64"), groups=("sg-0a000000",), zone="a")
# To an interface endpoint in another subnet, and to S3 and elsewhere.
INSIDE = Flow(
    origin=ORIGIN,
    endpoint="ecr.dkr",
    host="123456789012.dkr.ecr.us-east-1.amazonaws.com",
    address="10.0.2.10",
    interface="eni-0e000001",
    target_subnet=ENDPOINTS,
    target_groups=("sg-0e000000",),
    target_vpc=VPC,
)
INSIDE_6 = replace(INSIDE, address="2600:1f18:0:2::10")
LIST = "pl-0a000003"
S3 = Flow(
    origin=ORIGIN,
    endpoint="s3",
    host="prod-us-east-1-starport-layer-bucket.s3.us-east-1.amazonaws.com",
    address="52.216.0.0",
    public=True,
    service="com.amazonaws.us-east-1.s3",
    prefix_list=LIST,
)
PUBLIC = replace(
    INSIDE, address="203.0.113.1", public=True, interface=None, target_subnet=None, target_groups=(), target_vpc=None
)
ENTRIES = {"Entries": [{"Cidr": "52.216.0.0/15", "_PrefixListId": LIST}]}


def at(address: str, flow: Flow = INSIDE) -> Flow:
    """This flow from one task whose address is known."""
    return replace(flow, origin=replace(flow.origin, addresses=(address,)))


def account(**objects: list[Item]) -> Account:
    """An account with these objects of EC2, by list, and the interface of the endpoint."""
    interface = {"NetworkInterfaceId": "eni-0e000001", "VpcId": VPC, "SubnetId": ENDPOINTS, "Status": "in-use"}
    return Account(objects={"ec2": {"NetworkInterfaces": [interface], **ENTRIES, **objects}})


def answer(account: Account, gate: GateName, flow: Flow) -> Opinion | None:
    """What the gate answers when everything that it asks for has been read."""
    return _answer(account, gate, flow)[0]


def answer_after_change(account: Account, gate: GateName, flow: Flow) -> tuple[Opinion, Opinion]:
    """The refusal, and the answer when its own change is made."""
    opinion, configuration = _answer(account, gate, flow)
    assert opinion is not None
    assert opinion.change is not None, opinion
    after, _ = _answer(account, gate, flow, opinion.change.applied(configuration))
    assert after is not None
    return opinion, after


def _answer(
    account: Account, gate: GateName, flow: Flow, known: Configuration | None = None
) -> tuple[Opinion | None, Configuration]:
    check = dict(PACKET_GATES)[gate]

    def evaluate(view: View) -> tuple[Opinion, ...]:
        return tuple(opinions([(gate, partial(check, view, flow))]))

    found, configuration = read(account, evaluate, known)
    return (found[0] if found else None), configuration


def said(opinion: Opinion | None) -> tuple[str, str | None] | None:
    """The word and the element."""
    return (str(opinion.answer), opinion.element) if opinion else None


def command_of(opinion: Opinion) -> str:
    """The one command of the change that the gate proposes."""
    assert opinion.change is not None
    (command,) = opinion.change.advice("us-east-1").commands
    return command

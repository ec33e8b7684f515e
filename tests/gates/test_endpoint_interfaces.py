"""The interface behind an address: it exists, it is in use, it is in a zone."""

from __future__ import annotations

from typing import Any

import pytest

from probe.configuration.view import View
from probe.gates.destinations import flow_to
from probe.gates.flow import Flow
from probe.model import Endpoint, GateName, Impact, Kind
from probe.operator.reading import read
from probe.records import replace
from tests.gates.connections import ENDPOINTS, INSIDE, ORIGIN, OTHER_VPC, S3, VPC, account, answer, said
from tests.inspect.vpc import Account

Item = dict[str, Any]
SOMEBODY, ZONE = GateName.ENDPOINT_INTERFACE, GateName.ENDPOINT_ZONE
INTERFACE: Item = {
    "NetworkInterfaceId": "eni-0e000001",
    "VpcId": VPC,
    "SubnetId": ENDPOINTS,
    "AvailabilityZone": "b",
    "Groups": [{"GroupId": "sg-0e000000"}],
    "PrivateIpAddress": "10.0.2.10",
    "PrivateIpAddresses": [{"PrivateIpAddress": "10.0.2.10"}],
    "Ipv6Addresses": [{"Ipv6Address": "2600:1f18:0:2::10"}],
    "Status": "in-use",
}
VPC_ITEM: Item = {
    "VpcId": VPC,
    "CidrBlockAssociationSet": [{"CidrBlock": "10.0.0.0/16"}],
    "Ipv6CidrBlockAssociationSet": [{"Ipv6CidrBlock": "2600:1f18::/56"}],
}
NOBODY = replace(INSIDE, address="10.0.2.99", interface=None)


@pytest.mark.parametrize(
    ("flow", "interfaces", "expected"),
    [
        (INSIDE, [INTERFACE], ("allows", "10.0.2.10")),
        (INSIDE, [{**INTERFACE, "Status": "available"}], ("refuses", "available")),
        (INSIDE, [{**INTERFACE, "Status": "detaching"}], ("refuses", "detaching")),
        (INSIDE, [], ("unknown", None)),  # the endpoint names it, so another account has it
        (NOBODY, [INTERFACE], ("refuses", "10.0.2.99")),
        (replace(NOBODY, address="2600:1f18:0:2::99"), [INTERFACE], ("refuses", "2600:1f18:0:2::99")),
        (replace(NOBODY, address="10.9.0.1"), [INTERFACE], ("unknown", None)),  # outside the VPC: another account's
        (replace(NOBODY, origin=replace(ORIGIN, owner="999999999999")), [INTERFACE], ("unknown", None)),
        (S3, [], None),
    ],
)
def test_somebody_has_the_address(flow: Flow, interfaces: list[Item], expected: Any) -> None:
    opinion = answer(account(NetworkInterfaces=interfaces, Vpcs=[VPC_ITEM]), SOMEBODY, flow)
    assert said(opinion) == expected
    assert opinion is None or (opinion.cause == "dns.stale-record") is opinion.refuses


@pytest.mark.parametrize(("state", "expected"), [("associated", "refuses"), ("failed", "unknown")])
def test_a_range_that_failed_is_not_the_vpcs(state: str, expected: str) -> None:
    secondary = {"CidrBlock": "10.9.0.0/16", "CidrBlockState": {"State": state}}
    own = {**VPC_ITEM, "CidrBlockAssociationSet": [*VPC_ITEM["CidrBlockAssociationSet"], secondary]}
    opinion = answer(account(Vpcs=[own]), SOMEBODY, replace(NOBODY, address="10.9.0.1"))
    assert opinion is not None
    assert opinion.answer == expected


def test_another_zone_stops_nothing() -> None:
    opinion = answer(account(), ZONE, replace(INSIDE, target_zone="b"))
    assert opinion is not None
    assert (opinion.answer, opinion.element) == ("allows", "b")
    assert "task in a" in opinion.sentence
    assert answer(account(), ZONE, INSIDE) is None


def flow_of(account: Account, address: str, identity: str | None = None) -> Flow:
    endpoint = Endpoint(
        name="ecr.dkr", host=INSIDE.host, lookup=INSIDE.host, kind=Kind.INTERFACE, region="us-east-1", required=True,
        impact=Impact.PULL,
    )  # fmt: skip

    def evaluate(view: View) -> Flow:
        return flow_to(view, ORIGIN, endpoint, address, identity)

    return read(account, evaluate)[0]


@pytest.mark.parametrize("address", ["10.0.2.10", "2600:1f18:0:2::10"])
@pytest.mark.parametrize("identity", ["eni-0e000001", None])
def test_the_interface_is_found_by_its_address(address: str, identity: str | None) -> None:
    flow = flow_of(account(NetworkInterfaces=[INTERFACE], Vpcs=[VPC_ITEM]), address, identity)
    assert (flow.interface, flow.target_subnet, flow.target_vpc) == ("eni-0e000001", ENDPOINTS, VPC)
    assert (flow.target_groups, flow.target_zone, flow.public) == (("sg-0e000000",), "b", False)


def test_an_interface_of_another_vpc_has_the_address_only_where_the_vpc_has_not() -> None:
    other = {**INTERFACE, "NetworkInterfaceId": "eni-0b000000", "VpcId": OTHER_VPC}
    assert flow_of(account(NetworkInterfaces=[other], Vpcs=[VPC_ITEM]), "10.0.2.10").interface is None
    far = {**other, "PrivateIpAddresses": [{"PrivateIpAddress": "10.1.2.10"}]}
    assert flow_of(account(NetworkInterfaces=[far], Vpcs=[VPC_ITEM]), "10.1.2.10").target_vpc == OTHER_VPC
    twice = [far, {**far, "NetworkInterfaceId": "eni-0c000000", "VpcId": "vpc-0c000000"}]
    assert flow_of(account(NetworkInterfaces=twice, Vpcs=[VPC_ITEM]), "10.1.2.10").interface is None


def test_a_public_address_is_no_stale_one() -> None:
    assert flow_of(account(NetworkInterfaces=[INTERFACE], Vpcs=[VPC_ITEM]), "52.46.145.233").public

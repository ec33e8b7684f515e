"""The route: association or main table, the longest prefix, blackholes, other VPCs and the way back."""

from __future__ import annotations

from typing import Any

import pytest

from probe.gates.flow import Flow
from probe.model import GateName
from probe.records import replace
from tests.gates.connections import (
    ENDPOINTS,
    INSIDE,
    INSIDE_6,
    LIST,
    OTHER_VPC,
    PUBLIC,
    S3,
    TASKS,
    VPC,
    account,
    answer,
    answer_after_change,
    command_of,
    said,
)
from tests.gates.vpc_routes import EVERYTHING, GATEWAY, NAT, NAT_SUBNET, OPEN_ACL, table, to, with_routes
from tests.inspect.vpc import Account

Item = dict[str, Any]
ROUTE = GateName.ROUTE
PUBLIC_6 = replace(PUBLIC, address="2001:db8::1")
S3_ROUTE, DEFAULT = to(LIST, "vpce-0e000009"), to("0.0.0.0/0", "nat-0c000000")


@pytest.mark.parametrize(
    ("flow", "routes", "expected"),
    [
        (INSIDE, [], ("allows", "10.0.0.0/16")),
        (INSIDE_6, [], ("allows", "2600:1f18::/56")),
        (INSIDE, [to("10.0.2.0/24", "eni-0f000000")], ("allows", "10.0.2.0/24")),  # another gate judges the appliance
        (INSIDE, [to("10.0.2.0/24", "eni-0f000000", "blackhole")], ("refuses", "10.0.2.0/24")),
        (replace(INSIDE, target_subnet=TASKS), [to("10.0.2.0/24", "eni-0f000000", "blackhole")], ("allows", "local")),
        (PUBLIC, [], ("refuses", None)),
        (PUBLIC, [DEFAULT], ("allows", "0.0.0.0/0")),
        (PUBLIC, [to("::/0", "eigw-0a000000")], ("refuses", None)),  # the other family
        (PUBLIC_6, [DEFAULT], ("refuses", None)),
        (PUBLIC_6, [to("::/0", "eigw-0a000000")], ("allows", "::/0")),
        (PUBLIC, [to("0.0.0.0/0", "nat-0c000000", "blackhole")], ("refuses", "0.0.0.0/0")),
        (PUBLIC, [to("0.0.0.0/0", "nat-0c000000", "filtered")], ("refuses", None)),
        (PUBLIC, [to("0.0.0.0/0", "tgw-0a000000")], ("depends", "0.0.0.0/0")),
        (PUBLIC, [to("0.0.0.0/0", "vgw-0a000000")], ("depends", "0.0.0.0/0")),
        (S3, [S3_ROUTE], ("allows", LIST)),
        (S3, [S3_ROUTE, DEFAULT], ("allows", LIST)),
        (S3, [DEFAULT], ("allows", "0.0.0.0/0")),
        # A longer prefix takes the packets past the gateway endpoint; its own is /15.
        (S3, [S3_ROUTE, to("52.216.0.0/16", "nat-0c000000", "blackhole")], ("refuses", "52.216.0.0/16")),
        (S3, [S3_ROUTE, to("52.216.0.0/14", "nat-0c000000", "blackhole")], ("allows", LIST)),
        (S3, [], ("refuses", LIST)),
        (S3, [to("0.0.0.0/0", "nat-0c000000", "blackhole")], ("refuses", "0.0.0.0/0")),
    ],
)
def test_route(flow: Flow, routes: list[Item], expected: tuple[str, str | None]) -> None:
    assert said(answer(with_routes(*routes), ROUTE, flow)) == expected


def test_among_equal_prefixes_static_routes_precede_lists_and_these_propagated_ones() -> None:
    propagated = to("52.216.0.0/15", "vgw-0a000000", Origin="EnableVgwRoutePropagation")
    static = to("52.216.0.0/15", "nat-0c000000")
    to_list = to(LIST, "tgw-0a000000")
    for routes, target in (
        ((propagated, to_list, static), "nat-0c000000"),
        ((propagated, to_list), "tgw-0a000000"),
        ((propagated, S3_ROUTE), "vpce-0e000009"),
        ((propagated,), "vgw-0a000000"),
    ):
        opinion = answer(with_routes(*routes), ROUTE, S3)
        assert opinion is not None
        assert target in opinion.sentence


@pytest.mark.parametrize(
    ("associations", "expected"),
    [
        ([{"SubnetId": TASKS}], "allows"),
        ([{"SubnetId": "subnet-0b000000"}], "refuses"),  # so the main one counts
        ([{"SubnetId": TASKS, "AssociationState": {"State": "disassociated"}}], "refuses"),
        ([{"SubnetId": TASKS, "AssociationState": {"State": "associated"}}], "allows"),
    ],
)
def test_the_main_table_counts_where_none_is_associated(associations: list[Item], expected: str) -> None:
    own = {**table("rtb-0a000000", DEFAULT), "Associations": associations}
    opinion = answer(account(RouteTables=[table("rtb-0d000000"), own]), ROUTE, PUBLIC)
    assert opinion is not None
    assert (opinion.answer, opinion.object) == (expected, "rtb-0a000000" if expected == "allows" else "rtb-0d000000")


def test_the_table_of_a_shared_subnet_is_not_this_accounts() -> None:
    opinion = answer(account(RouteTables=[]), ROUTE, INSIDE)
    assert opinion is not None
    assert opinion.answer == "unknown"


LIST_6 = "pl-0a000006"
S3_6 = replace(S3, address="2600:1fa0::", prefix_list=LIST_6)
ENTRIES_6: list[Item] = [
    {"Cidr": "52.216.0.0/15", "_PrefixListId": LIST},
    {"Cidr": "2600:1fa0::/32", "_PrefixListId": LIST_6},
]


@pytest.mark.parametrize(
    ("family", "tables", "cause", "command"),
    [
        ("ipv4", ["rtb-0a000000"], "region.ipv6-unsupported-endpoint", "--ip-address-type dualstack"),
        ("dualstack", [], "s3.route-table-not-associated", "--add-route-table-ids rtb-0a000000"),
    ],
)
def test_a_gateway_for_ipv4_alone_carries_no_ipv6(family: str, tables: list[str], cause: str, command: str) -> None:
    gateway = {**GATEWAY, "IpAddressType": family, "RouteTableIds": tables}
    routes = [S3_ROUTE] if tables else []
    opinion, after = answer_after_change(with_routes(*routes, VpcEndpoints=[gateway], Entries=ENTRIES_6), ROUTE, S3_6)
    assert opinion.cause == cause
    assert command in command_of(opinion)
    assert after.allows


def test_replies_take_a_route_too() -> None:
    back = table("rtb-0e000000", to("10.0.1.0/24", "eni-0f000000", "blackhole"), subnet=ENDPOINTS)
    tables = [table("rtb-0a000000", subnet=TASKS), back]
    opinion = answer(account(RouteTables=tables), ROUTE, INSIDE)
    assert opinion is not None
    assert (opinion.answer, opinion.object, opinion.element) == ("refuses", "rtb-0e000000", "10.0.1.0/24")


def test_a_blackhole_is_replaced() -> None:
    account = with_routes(to("0.0.0.0/0", "nat-0b000000", "blackhole"))
    opinion, after = answer_after_change(account, ROUTE, PUBLIC)
    assert "aws ec2 replace-route " in command_of(opinion)
    assert after.allows


@pytest.mark.parametrize(
    ("flow", "endpoints", "cause", "command"),
    [
        (S3, [GATEWAY], "s3.route-table-not-associated",
         "modify-vpc-endpoint --region us-east-1 --vpc-endpoint-id vpce-0e000009 --add-route-table-ids rtb-0a000000"),
        (S3, [], "endpoint.missing.s3",
         "create-vpc-endpoint --region us-east-1 --vpc-id vpc-0a000000 --vpc-endpoint-type Gateway "
         "--service-name com.amazonaws.us-east-1.s3 --route-table-ids rtb-0a000000"),
        (PUBLIC, [], "tcp.no-route",
         "create-route --region us-east-1 --route-table-id rtb-0a000000 --destination-cidr-block 0.0.0.0/0 "
         "--nat-gateway-id nat-0c000000"),
    ],
)  # fmt: skip
def test_the_smallest_change_mends_it(flow: Flow, endpoints: list[Item], cause: str, command: str) -> None:
    opinion, after = answer_after_change(with_routes(VpcEndpoints=endpoints), ROUTE, flow)
    assert (opinion.cause, command_of(opinion)) == (cause, f"aws ec2 {command}")
    assert after.allows


# ---- another VPC ---------------------------------------------------------------------------------------------------

FAR = replace(INSIDE, address="10.1.2.10", target_vpc=OTHER_VPC, target_subnet=ENDPOINTS, target_zone="b")
PEERING: Item = {
    "VpcPeeringConnectionId": "pcx-0a000000",
    "RequesterVpcInfo": {"VpcId": VPC},
    "AccepterVpcInfo": {"VpcId": OTHER_VPC},
    "Status": {"Code": "active"},
}
ATTACHED: list[Item] = [
    {
        "TransitGatewayAttachmentId": f"tgw-attach-{number}",
        "TransitGatewayId": "tgw-0a000000",
        "ResourceId": vpc,
        "State": "available",
        "Association": {"TransitGatewayRouteTableId": "tgw-rtb-0a000000"},
    }
    for number, vpc in enumerate((VPC, OTHER_VPC))
]
IN_ZONES: list[Item] = [
    {"SubnetId": f"subnet-0{vpc[5]}{zone}", "VpcId": vpc, "AvailabilityZone": zone}
    for vpc in (VPC, OTHER_VPC)
    for zone in "ab"
]


def attached_in(zones: str, zones_there: str = "ab") -> list[Item]:
    """The attachments of both VPCs, with a subnet in each of these zones."""
    return [
        {
            "TransitGatewayAttachmentId": f"tgw-attach-{number}",
            "TransitGatewayId": "tgw-0a000000",
            "VpcId": vpc,
            "SubnetIds": [f"subnet-0{vpc[5]}{zone}" for zone in own],
        }
        for number, (vpc, own) in enumerate(((VPC, zones), (OTHER_VPC, zones_there)))
    ]


def transit_route(vpc: str, address: str, state: str = "active") -> Item:
    cidr = address.rpartition(".")[0] + ".0/24"
    return {
        "DestinationCidrBlock": cidr,
        "State": state,
        "TransitGatewayAttachments": [{"ResourceId": vpc}],
    }


TRANSIT_ROUTES = [transit_route(OTHER_VPC, "10.1.2.10"), transit_route(VPC, "10.0.1.0")]


def across(target: str, objects: dict[str, list[Item]] | None = None, *, back: bool = True) -> Account:
    tables = [
        table("rtb-0a000000", to("10.1.0.0/16", target), subnet=TASKS),
        table("rtb-0b000000", *([to("10.0.0.0/16", target)] if back else []), subnet=ENDPOINTS, vpc=OTHER_VPC),
    ]
    parts = {
        "VpcPeeringConnections": [PEERING],
        "TransitGatewayAttachments": ATTACHED,
        "TransitGatewayVpcAttachments": attached_in("ab"),
        "Routes": TRANSIT_ROUTES,
        "Subnets": IN_ZONES,
        "NetworkAcls": [OPEN_ACL, {**OPEN_ACL, "NetworkAclId": "acl-0b000000", "VpcId": OTHER_VPC}],
    }
    return account(RouteTables=tables, **{**parts, **(objects or {})})


@pytest.mark.parametrize(
    ("target", "objects", "expected"),
    [
        ("pcx-0a000000", {}, ("allows", "rtb-0a000000")),
        ("pcx-0a000000", {"VpcPeeringConnections": [{**PEERING, "Status": {"Code": "pending-acceptance"}}]},
         ("refuses", "pcx-0a000000")),
        ("pcx-0a000000", {"VpcPeeringConnections": [{**PEERING, "AccepterVpcInfo": {"VpcId": "vpc-0c000000"}}]},
         ("refuses", "pcx-0a000000")),
        ("pcx-0a000000", {"VpcPeeringConnections": []}, ("unknown", None)),
        ("tgw-0a000000", {}, ("allows", "rtb-0a000000")),
        ("tgw-0a000000", {"Routes": []}, ("refuses", "tgw-rtb-0a000000")),
        ("tgw-0a000000", {"Routes": [transit_route(OTHER_VPC, "10.1.2.10", "blackhole")]},
         ("refuses", "tgw-rtb-0a000000")),
        ("tgw-0a000000", {"Routes": [transit_route("vpc-0f000000", "10.1.2.10")]}, ("depends", "tgw-rtb-0a000000")),
        ("tgw-0a000000", {"TransitGatewayAttachments": []}, ("depends", "tgw-0a000000")),
        ("tgw-0a000000", {"TransitGatewayAttachments": [{**ATTACHED[0], "State": "pendingAcceptance"}]},
         ("refuses", "tgw-attach-0")),
        ("tgw-0a000000", {"TransitGatewayVpcAttachments": attached_in("a", "b")}, ("allows", "rtb-0a000000")),
        ("tgw-0a000000", {"TransitGatewayVpcAttachments": attached_in("b")}, ("refuses", "tgw-attach-0")),
        ("tgw-0a000000", {"TransitGatewayVpcAttachments": attached_in("ab", "a")}, ("refuses", "tgw-attach-1")),
        ("tgw-0a000000", {"TransitGatewayVpcAttachments": []}, ("unknown", None)),
        ("vgw-0a000000", {}, ("depends", "rtb-0a000000")),
        ("local", {}, ("refuses", "rtb-0a000000")),  # the address is one of this VPC's too
    ],
)  # fmt: skip
def test_another_vpc(target: str, objects: dict[str, list[Item]], expected: tuple[str, str | None]) -> None:
    opinion = answer(across(target, objects), ROUTE, FAR)
    assert opinion is not None
    assert (opinion.answer, opinion.object) == expected


@pytest.mark.parametrize(("zones", "zones_there"), [("b", "ab"), ("ab", "a")])
def test_a_subnet_in_the_missing_zone_is_added(zones: str, zones_there: str) -> None:
    there = across("tgw-0a000000", {"TransitGatewayVpcAttachments": attached_in(zones, zones_there)})
    own = [(TASKS, VPC, "a"), (ENDPOINTS, OTHER_VPC, "b")]
    there.objects["ec2"]["Subnets"] = [
        *IN_ZONES,
        *({"SubnetId": subnet, "VpcId": vpc, "AvailabilityZone": zone} for subnet, vpc, zone in own),
    ]
    opinion, after = answer_after_change(there, ROUTE, FAR)
    assert f"--transit-gateway-attachment-id {opinion.object} --add-subnet-ids subnet-0" in command_of(opinion)
    assert after.allows


def attachment_acl(vpc: str, zones: str, *, egress: bool, ports: tuple[int, int]) -> dict[str, list[Item]]:
    """The subnets of a VPC's attachment in these zones have an ACL that denies TCP to these ports."""
    denies = {"RuleNumber": 1, "Protocol": "6", "RuleAction": "deny", "Egress": egress, "CidrBlock": "10.0.0.0/8"}
    denies["PortRange"] = {"From": ports[0], "To": ports[1]}
    own = {"NetworkAclId": "acl-0f000000", "VpcId": vpc, "Entries": [denies, *EVERYTHING]}
    own["Associations"] = [{"SubnetId": f"subnet-0{vpc[5]}{zone}"} for zone in zones]
    others = [{**OPEN_ACL, "NetworkAclId": f"acl-{other}", "VpcId": other} for other in (VPC, OTHER_VPC)]
    return {"NetworkAcls": [own, *others]}


REQUEST, REPLIES = (443, 443), (1024, 65535)


@pytest.mark.parametrize(
    ("acl", "expected"),
    [
        (attachment_acl(VPC, "a", egress=False, ports=REQUEST), "refuses"),
        (attachment_acl(VPC, "b", egress=False, ports=REQUEST), "allows"),  # the task is in zone a
        (attachment_acl(VPC, "a", egress=True, ports=REQUEST), "allows"),  # requests do not come out there
        (attachment_acl(VPC, "ab", egress=True, ports=REPLIES), "refuses"),
        (attachment_acl(VPC, "a", egress=True, ports=REPLIES), "depends"),  # replies may come back by zone b
        (attachment_acl(OTHER_VPC, "ab", egress=True, ports=REQUEST), "refuses"),
        (attachment_acl(OTHER_VPC, "b", egress=False, ports=REPLIES), "refuses"),
        (attachment_acl(OTHER_VPC, "b", egress=False, ports=REQUEST), "allows"),
    ],
)
def test_the_acls_of_a_transit_gateways_subnets(acl: dict[str, list[Item]], expected: str) -> None:
    opinion = answer(across("tgw-0a000000", acl), ROUTE, FAR)
    assert opinion is not None
    assert opinion.answer == expected
    if opinion.refuses:
        assert (opinion.object, opinion.element, opinion.cause) == ("acl-0f000000", "1", "tcp.nacl")


@pytest.mark.parametrize(
    ("onward", "expected"), [("tgw-0a000000", "depends"), ("igw-0a000000", "refuses"), (None, "refuses")]
)
def test_a_nat_gateway_can_lead_to_private_addresses(onward: str | None, expected: str) -> None:
    beyond = [to("10.1.0.0/16", onward)] if onward else []
    tables = [
        table("rtb-0a000000", to("10.1.0.0/16", "nat-0c000000"), subnet=TASKS),
        table("rtb-0c000000", *beyond, subnet=NAT_SUBNET),
        table("rtb-0b000000", vpc=OTHER_VPC),
    ]
    opinion = answer(with_routes(RouteTables=tables), ROUTE, FAR)
    assert opinion is not None
    assert (opinion.answer, opinion.object) == (expected, "rtb-0a000000")


@pytest.mark.parametrize("target", ["pcx-0a000000", "tgw-0a000000"])
def test_a_missing_route_back_is_added(target: str) -> None:
    opinion, after = answer_after_change(across(target, back=False), ROUTE, FAR)
    assert (opinion.object, opinion.cause) == ("rtb-0b000000", "tcp.no-route")
    option = {"pcx": "vpc-peering-connection", "tgw": "transit-gateway"}[target[:3]]
    words = f"--route-table-id rtb-0b000000 --destination-cidr-block 10.0.1.0/24 --{option}-id {target}"
    assert words in command_of(opinion)
    assert after.allows


@pytest.mark.parametrize("wrong", [[], [to("0.0.0.0/0", "nat-0c000000")]])
def test_a_missing_route_takes_the_way_that_leads_back(wrong: list[Item]) -> None:
    vpcs = [vpc(VPC, "10.0.0.0/16"), vpc(OTHER_VPC, "10.1.0.0/16")]
    there = across("pcx-0a000000", {"Vpcs": vpcs, "NatGateways": [NAT]})
    own = table("rtb-0c000000", to("0.0.0.0/0", "igw-0a000000"), subnet=NAT_SUBNET)
    there.objects["ec2"]["RouteTables"].append(own)
    there.object("rtb-0a000000")["Routes"][2:] = wrong
    opinion, after = answer_after_change(there, ROUTE, FAR)
    assert opinion.object == "rtb-0a000000"
    assert "--destination-cidr-block 10.1.0.0/16 --vpc-peering-connection-id pcx-0a000000" in command_of(opinion)
    assert after.allows
    there.denied.add("ec2:DescribeVpcs")
    unmended = answer(there, ROUTE, FAR)
    assert unmended is not None
    assert (unmended.refuses, unmended.change) == (True, None)


def vpc(identity: str, cidr: str) -> Item:
    return {"VpcId": identity, "CidrBlockAssociationSet": [{"CidrBlock": cidr}]}


def test_what_belongs_to_another_account_is_unknown() -> None:
    hidden = across("tgw-0a000000")
    hidden.denied.add("ec2:SearchTransitGatewayRoutes")
    opinion = answer(hidden, ROUTE, FAR)
    assert opinion is not None
    assert (opinion.answer, opinion.missing) == ("unknown", "ec2:SearchTransitGatewayRoutes")

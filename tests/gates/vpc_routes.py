"""Route tables, NAT gateways and endpoints for the gates that follow a packet out of its subnet."""

from __future__ import annotations

from typing import Any

from tests.gates.connections import LIST, TASKS, VPC, account
from tests.inspect.vpc import Account

Item = dict[str, Any]
NAT_SUBNET, FIREWALL_SUBNET = "subnet-0c000000", "subnet-0f000000"
SERVICE = "com.amazonaws.us-east-1.s3"
GATEWAY: Item = {
    "VpcEndpointId": "vpce-0e000009",
    "VpcEndpointType": "Gateway",
    "VpcId": VPC,
    "ServiceName": SERVICE,
    "State": "available",
    "RouteTableIds": [],
}
INSPECTION: Item = {
    "VpcEndpointId": "vpce-0f000000",
    "VpcEndpointType": "GatewayLoadBalancer",
    "VpcId": VPC,
    "ServiceName": "com.amazonaws.vpce.us-east-1.vpce-svc-0f000000",
    "State": "available",
    "SubnetIds": [FIREWALL_SUBNET],
}
NAT: Item = {
    "NatGatewayId": "nat-0c000000",
    "VpcId": VPC,
    "SubnetId": NAT_SUBNET,
    "State": "available",
    "ConnectivityType": "public",
}
EVERYTHING = [
    {"RuleNumber": number, "Protocol": "-1", "RuleAction": "allow", "Egress": egress, family: cidr}
    for egress in (True, False)
    for number, family, cidr in ((100, "CidrBlock", "0.0.0.0/0"), (101, "Ipv6CidrBlock", "::/0"))
]
OPEN_ACL: Item = {"NetworkAclId": "acl-0d000000", "VpcId": VPC, "IsDefault": True, "Entries": EVERYTHING}


def to(destination: str, target: str, state: str = "active", **more: Any) -> Item:
    """A route, in the API's shape."""
    members = {
        "nat": "NatGatewayId",
        "tgw": "TransitGatewayId",
        "pcx": "VpcPeeringConnectionId",
        "eni": "NetworkInterfaceId",
        "eigw": "EgressOnlyInternetGatewayId",
    }
    key = members.get(target.partition("-")[0], "GatewayId")
    name = "DestinationIpv6CidrBlock" if ":" in destination else "DestinationCidrBlock"
    name = "DestinationPrefixListId" if destination.startswith("pl-") else name
    return {name: destination, key: target, "State": state, **more}


LOCAL = (to("10.0.0.0/16", "local"), to("2600:1f18::/56", "local"))


def table(identity: str, *routes: Item, subnet: str | None = None, vpc: str = VPC, local: bool = True) -> Item:
    """A route table: the main one where it has no subnet."""
    association = {"SubnetId": subnet} if subnet else {"Main": True}
    own = LOCAL if vpc == VPC and local else ()
    return {"RouteTableId": identity, "VpcId": vpc, "Associations": [association], "Routes": [*own, *routes]}


def with_routes(*routes: Item, **objects: list[Item]) -> Account:
    """The task's table has these routes; those of a NAT gateway and a firewall lead on to the internet."""
    tables = [
        table("rtb-0a000000", *routes, subnet=TASKS),
        table("rtb-0c000000", to("0.0.0.0/0", "igw-0a000000"), to("::/0", "igw-0a000000"), subnet=NAT_SUBNET),
        table("rtb-0f000000", to("0.0.0.0/0", "nat-0c000000"), subnet=FIREWALL_SUBNET),
        table("rtb-0d000000"),
    ]
    subnets = [{"SubnetId": NAT_SUBNET, "VpcId": VPC, "CidrBlock": "10.0.3.0/24"}]
    parts: dict[str, list[Item]] = {
        "RouteTables": tables,
        "VpcEndpoints": [GATEWAY, INSPECTION],
        "NatGateways": [NAT],
        "NetworkAcls": [OPEN_ACL],
        "Subnets": subnets,
        "PrefixLists": [{"PrefixListId": LIST, "PrefixListName": SERVICE, "AddressFamily": "IPv4"}],
        **objects,
    }
    return account(**parts)

"""The objects of an account, as the translator reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from ipaddress import ip_address, ip_network
from typing import Any

from tests.lab.cloud import TASK

Item = dict[str, Any]
Objects = Mapping[str, Mapping[str, Sequence[Item]]]  # by service and the list in the API's reply


class Network:
    """The VPCs of an account, in one of which the task is. Their ranges do not overlap."""

    def __init__(self, objects: Objects, replies: Mapping[str, Item]) -> None:
        self._objects = objects
        self._replies = replies

    def items(self, members: str, service: str = "ec2") -> Sequence[Item]:
        return self._objects.get(service, {}).get(members, ())

    def reply(self, call: str) -> Item:
        return self._replies.get(call, {})

    @cached_property
    def interfaces(self) -> dict[str, Item]:
        return {item["NetworkInterfaceId"]: item for item in self.items("NetworkInterfaces")}

    @cached_property
    def groups(self) -> dict[str, Item]:
        return {item["GroupId"]: item for item in self.items("SecurityGroups")}

    @cached_property
    def endpoints(self) -> dict[str, Item]:
        return {item["VpcEndpointId"]: item for item in self.items("VpcEndpoints")}

    @cached_property
    def task(self) -> Item:
        """The task's interface."""
        return next(item for item in self.interfaces.values() if item["PrivateIpAddress"] == TASK)

    def vpc(self, identity: str) -> Item:
        return next(item for item in self.items("Vpcs") if item["VpcId"] == identity)

    def entries(self, prefix_list: str) -> list[str]:
        return [entry["Cidr"] for entry in self.items("Entries") if entry["_PrefixListId"] == prefix_list]

    def table(self, subnet: Item) -> Item:
        """The route table of a subnet, or the main one of its VPC."""
        tables = [table for table in self.items("RouteTables") if table["VpcId"] == subnet["VpcId"]]
        own = [
            table
            for table in tables
            if any(entry.get("SubnetId") == subnet["SubnetId"] for entry in table["Associations"])
        ]
        (table,) = own or [table for table in tables if any(entry.get("Main") for entry in table["Associations"])]
        return table

    def subnet(self, identity: str) -> Item:
        return next(item for item in self.items("Subnets") if item["SubnetId"] == identity)


def ranges(item: Item, version: int) -> list[str]:
    """The ranges of a VPC or a subnet, of one address family."""
    blocks = [entry["CidrBlock"] for entry in item.get("CidrBlockAssociationSet", ())] or [item["CidrBlock"]]
    return blocks if version == 4 else [entry["Ipv6CidrBlock"] for entry in item.get("Ipv6CidrBlockAssociationSet", ())]


def addresses(interface: Item, version: int) -> list[str]:
    if version == 4:
        return [interface["PrivateIpAddress"]]
    return [entry["Ipv6Address"] for entry in interface.get("Ipv6Addresses", ())]


def is_inside(cidr: str, wider: Sequence[str]) -> bool:
    """Whether a range, or an address, is part of one of the others."""
    network = ip_network(cidr, strict=False)
    others = [other for other in map(ip_network, wider) if other.version == network.version]
    return any(int(other[0]) <= int(network[0]) and int(network[-1]) <= int(other[-1]) for other in others)


def is_ipv6(text: str) -> bool:
    return ip_address(text.partition("/")[0]).version == 6

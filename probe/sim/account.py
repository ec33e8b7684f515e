"""A simulated account: it answers the calls that read a configuration, from plain objects in the API's own shape.

An oracle of its own: it knows nothing of gates. Filters and paging behave as EC2's: a filter matches where one of its
values does, several filters all have to match.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from probe.records import Record, field

Item = dict[str, Any]


class RefusedCallError(Exception):
    """The simulated account refuses a call; `args` are the error's code and its message."""


class SimulatedAccount(Record, kw_only=True):
    """Objects by service and list, such as objects["ec2"]["Subnets"]. `denied` are calls that are refused."""

    region: str = "us-east-1"
    account: str = "123456789012"
    objects: dict[str, dict[str, list[Item]]] = field(default_factory=dict)
    replies: dict[str, Item] = field(default_factory=dict)  # of calls without a list, by service and operation
    denied: set[str] = field(default_factory=set)
    calls: list[str] = field(default_factory=list)
    elsewhere: dict[str, SimulatedAccount] = field(default_factory=dict)  # the same account in other Regions

    def answer(self, action: str, parameters: Mapping[str, Any], region: str | None = None) -> Item:
        """The reply to one call. Raises RefusedCallError."""
        if region not in (None, self.region):
            return self.elsewhere[region].answer(action, parameters) if region in self.elsewhere else {}
        self.calls.append(action)
        if action in self.denied:
            raise RefusedCallError("AccessDeniedException", f"not authorized to perform: {action}")
        service, _, operation = action.partition(":")
        listed = _LISTS.get(action)
        if listed is None:
            reply = self.replies.get(action)
            if reply is None:
                raise RefusedCallError("InvalidAction", f"The action {operation} is not valid for this web service.")
            return reply
        items = self.objects.get(service, {}).get(listed, [])
        return {listed: [item for item in items if _matches(item, parameters)]}


# The member of the reply that lists objects.
_LISTS = {
    "ec2:DescribeSubnets": "Subnets",
    "ec2:DescribeSecurityGroups": "SecurityGroups",
    "ec2:DescribeNetworkInterfaces": "NetworkInterfaces",
    "ec2:DescribeVpcEndpoints": "VpcEndpoints",
    "ec2:DescribeVpcs": "Vpcs",
    "ec2:DescribeNetworkAcls": "NetworkAcls",
    "ec2:DescribeRouteTables": "RouteTables",
}
# Where an item has the value that a filter compares. EC2 API reference, the operations' "Filter.N".
_FILTERS = {
    "subnet-id": ("SubnetId",),
    "vpc-id": ("VpcId",),
    "group-id": ("GroupId",),
    "network-interface-id": ("NetworkInterfaceId",),
    "vpc-endpoint-id": ("VpcEndpointId",),
    "network-acl-id": ("NetworkAclId",),
    "route-table-id": ("RouteTableId",),
    "association.subnet-id": ("Associations", "SubnetId"),
    "addresses.private-ip-address": ("PrivateIpAddresses", "PrivateIpAddress"),
}


def _matches(item: Item, parameters: Mapping[str, Any]) -> bool:
    return all(
        any(value in entry["Values"] for value in _values(item, _FILTERS[entry["Name"]]))
        for entry in parameters.get("Filters", ())
    )


def _values(item: Any, path: tuple[str, ...]) -> Iterator[Any]:
    if not path:
        yield item
        return
    value = item.get(path[0])
    for part in value if isinstance(value, list) else [value] if value is not None else []:
        yield from _values(part, path[1:])

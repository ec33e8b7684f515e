"""Route tables: that of a subnet, and the most specific route of it for an address. AWS[route-priority]"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from ipaddress import ip_address
from typing import Any

from probe.configuration.document import Obstacle
from probe.configuration.operations import ENDPOINTS, PREFIX_LIST_ENTRIES, ROUTE_TABLES
from probe.configuration.view import MissingError, View
from probe.gates.flow import Flow
from probe.gates.ranges import network
from probe.records import Record


class Hop(StrEnum):
    """What a route leads to."""

    LOCAL = "local"
    GATEWAY_ENDPOINT = "a gateway endpoint"
    INSPECTION = "a gateway load balancer or firewall"
    INTERNET = "an internet gateway"
    EGRESS_ONLY = "an egress-only internet gateway"
    NAT = "a NAT gateway"
    DEVICE = "a network interface"
    PEERING = "a peering connection"
    TRANSIT = "a transit gateway"
    OTHER = "another network"


class Way(Record, frozen=True):
    """The route that an address takes. `destination` is as in the route: a range, or a prefix list."""

    table: str
    destination: str
    target: str
    hop: Hop
    blackhole: bool

    @property
    def words(self) -> str:
        return f"{self.destination} → {self.target}"


_TARGETS = {
    "NatGatewayId": Hop.NAT,
    "EgressOnlyInternetGatewayId": Hop.EGRESS_ONLY,
    "TransitGatewayId": Hop.TRANSIT,
    "VpcPeeringConnectionId": Hop.PEERING,
    "NetworkInterfaceId": Hop.DEVICE,
    "InstanceId": Hop.DEVICE,
    "LocalGatewayId": Hop.OTHER,
    "CarrierGatewayId": Hop.OTHER,
    "CoreNetworkArn": Hop.OTHER,
    "OdbNetworkArn": Hop.OTHER,
}
_GATEWAYS = {"igw-": Hop.INTERNET, "vgw-": Hop.OTHER}
# Among routes for the same destination. AWS[route-priority]
_STATIC, _BY_LIST, _PROPAGATED = range(3)


def table_of(view: View, subnet: str, vpc: str) -> dict[str, Any]:
    """The route table of a subnet; the VPC's main one where none is associated. Raises MissingError."""
    main = None
    for table in view.items(ROUTE_TABLES, Filters=[{"Name": "vpc-id", "Values": [vpc]}]):
        for association in table.get("Associations", ()):
            if association.get("AssociationState", {}).get("State", "associated") not in ("associated", "associating"):
                continue
            if association.get("SubnetId") == subnet:
                return table
            main = table if association.get("Main") else main
    if main is None:
        raise MissingError(ROUTE_TABLES, Obstacle.NOT_FOUND)  # a shared subnet's belongs to the owner
    return main


def table_of_gateway(view: View, identity: str, vpc: str) -> dict[str, Any] | None:
    """The route table that belongs to a gateway itself; None: it has none. Raises MissingError."""
    tables = view.items(ROUTE_TABLES, Filters=[{"Name": "vpc-id", "Values": [vpc]}])
    found = (
        table
        for table in tables
        if any(association.get("GatewayId") == identity for association in table.get("Associations", ()))
    )
    return next(found, None)


def way(view: View, table: dict[str, Any], address: str) -> Way | None:
    """The most specific route of the table for `address`; None: there is none. Raises MissingError."""
    parsed = ip_address(address)
    best: tuple[tuple[int, int], dict[str, Any], str] | None = None
    for route in table.get("Routes", ()):
        if route.get("State") == "filtered":
            continue
        for destination, cidr in destinations(view, route):
            found = network(cidr)
            if found.version != parsed.version or parsed not in found:
                continue
            rank = (found.prefixlen, -_preference(route))
            if best is None or rank > best[0]:
                best = (rank, route, destination)
    if best is None:
        return None
    _, route, destination = best
    target, hop = _target(view, route, table["VpcId"])
    return Way(table["RouteTableId"], destination, target, hop, route.get("State") == "blackhole")


def way_of(view: View, flow: Flow) -> Way | None:
    """The route that the packet takes out of the pulling subnet. Raises MissingError."""
    return way(view, table_of(view, flow.origin.subnet, flow.origin.vpc), flow.address)


def destinations(view: View, route: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The range of a route as it is written there, with each range that this means. Raises MissingError."""
    for key in ("DestinationCidrBlock", "DestinationIpv6CidrBlock"):
        if route.get(key):
            yield route[key], route[key]
    identity = route.get("DestinationPrefixListId")
    if identity:
        for entry in view.items(PREFIX_LIST_ENTRIES, PrefixListId=identity):
            yield identity, entry["Cidr"]


def _preference(route: dict[str, Any]) -> int:
    if route.get("Origin") in ("EnableVgwRoutePropagation", "Advertisement"):
        return _PROPAGATED
    is_list = route.get("DestinationPrefixListId") and not str(route.get("GatewayId", "")).startswith("vpce-")
    return _BY_LIST if is_list else _STATIC


def _target(view: View, route: dict[str, Any], vpc: str) -> tuple[str, Hop]:
    for key, hop in _TARGETS.items():
        if route.get(key):
            return str(route[key]), hop
    gateway = str(route.get("GatewayId") or "")
    if gateway == "local":
        return gateway, Hop.LOCAL
    if gateway.startswith("vpce-"):
        return gateway, _endpoint_hop(view, gateway, vpc)
    return gateway, _GATEWAYS.get(gateway[:4], Hop.OTHER)


def _endpoint_hop(view: View, identity: str, vpc: str) -> Hop:
    for endpoint in view.items(ENDPOINTS, Filters=[{"Name": "vpc-id", "Values": [vpc]}]):
        if endpoint["VpcEndpointId"] == identity:
            return Hop.GATEWAY_ENDPOINT if endpoint.get("VpcEndpointType") == "Gateway" else Hop.INSPECTION
    raise MissingError(ENDPOINTS, Obstacle.NOT_FOUND)

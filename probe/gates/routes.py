"""The route gate: whether the subnet's route table leads to an address."""

from __future__ import annotations

from typing import Any

from probe.configuration.operations import ENDPOINTS, ROUTE_TABLES
from probe.configuration.view import View
from probe.gates.changes import Change
from probe.gates.flow import Flow
from probe.gates.network_changes import AddRoute, AssociateRouteTable, CreateGatewayEndpoint
from probe.gates.opinion import Opinion, allows, depends, refuses
from probe.gates.other_vpcs import across
from probe.gates.route_tables import Hop, table_of, way
from probe.model import GateName


def route(view: View, flow: Flow) -> Opinion | None:
    """Whether the route table of the pulling subnet leads to the address, and the other's back."""
    if flow.is_within_subnet:
        return allows(GateName.ROUTE, f"{flow.address} is in the same subnet", flow.origin.subnet, "local")
    table = table_of(view, flow.origin.subnet, flow.origin.vpc)
    identity = table["RouteTableId"]
    found = way(view, table, flow.address)
    if found is None:
        sentence = f"{identity}, the route table of {flow.origin.subnet}, has no route to {flow.place}"
        return _no_route(view, flow, identity, sentence, flow.prefix_list)
    if found.blackhole:
        sentence = f"the route {found.words} of {identity} is a blackhole: its target does not exist any more"
        return _no_route(view, flow, identity, sentence, found.destination)
    if found.hop in (Hop.PEERING, Hop.TRANSIT) and flow.crosses_vpcs:
        return across(view, flow, found)
    if not flow.public and found.hop in (Hop.INTERNET, Hop.EGRESS_ONLY, Hop.NAT):
        return refuses(
            GateName.ROUTE,
            f"the route of {identity} for {flow.address} leads out of the VPC ({found.words}), not to its network",
            cause="tcp.no-route",
            identity=identity,
            element=found.destination,
        )
    if found.hop in (Hop.PEERING, Hop.TRANSIT, Hop.OTHER) or (flow.crosses_vpcs and found.hop is not Hop.LOCAL):
        sentence = f"the route of {identity} leads to {found.target}; what lies behind is not in this configuration"
        return depends(GateName.ROUTE, sentence, identity, found.destination)
    if flow.crosses_vpcs:
        sentence = f"{flow.address} is in {flow.target_vpc}, but {identity} keeps it in {flow.origin.vpc}"
        return refuses(GateName.ROUTE, sentence, cause="tcp.no-route", identity=identity, element=found.destination)
    return allows(GateName.ROUTE, f"{identity} routes {found.words}", identity, found.destination)


def _no_route(view: View, flow: Flow, table: str, sentence: str, element: str | None) -> Opinion:
    """No route: for S3, the gateway endpoint is missing, or this table lacks its route."""
    cause: str
    change: Change | None
    if flow.service is None:
        cause, change = "tcp.no-route", _route_out(view, flow, table)
    elif gateways := gateways_of(view, flow.origin.vpc, flow.service):
        cause, change = "s3.route-table-not-associated", associate(gateways[0], flow, table)
        sentence = f"{sentence}; {gateways[0]['VpcEndpointId']} is not associated with it"
    else:
        cause, change = "endpoint.missing.s3", create_gateway(flow, table)
        sentence = f"{sentence}; {flow.origin.vpc} has no gateway endpoint for {flow.service}"
    return refuses(GateName.ROUTE, sentence, cause=cause, identity=table, element=element, change=change)


def gateways_of(view: View, vpc: str, service: str) -> list[dict[str, Any]]:
    """The gateway endpoints of a service in the VPC. Raises MissingError."""
    endpoints = view.items(ENDPOINTS, Filters=[{"Name": "vpc-id", "Values": [vpc]}])
    return [
        endpoint
        for endpoint in endpoints
        if endpoint.get("VpcEndpointType") == "Gateway" and endpoint.get("ServiceName") == service
    ]


def associate(gateway: dict[str, Any], flow: Flow, table: str) -> AssociateRouteTable:
    """The change that puts the gateway endpoint's route into the table."""
    return AssociateRouteTable(
        object=gateway["VpcEndpointId"], vpc=flow.origin.vpc, table=table, prefix_list=flow.prefix_list or ""
    )


def create_gateway(flow: Flow, table: str) -> CreateGatewayEndpoint:
    """The change that creates the gateway endpoint with a route in the table."""
    return CreateGatewayEndpoint(
        object=flow.origin.vpc,
        service=flow.service or "",
        table=table,
        prefix_list=flow.prefix_list or "",
        ipv6=flow.version == 6,
    )


def _route_out(view: View, flow: Flow, table: str) -> AddRoute | None:
    """A route to what the VPC already has: another table's way out. Of tables, the first by id."""
    if not flow.public:
        return None
    tables = view.items(ROUTE_TABLES, Filters=[{"Name": "vpc-id", "Values": [flow.origin.vpc]}])
    for other in sorted(tables, key=lambda item: str(item["RouteTableId"])):
        found = way(view, other, flow.address)
        if found is not None and not found.blackhole and found.hop in (Hop.NAT, Hop.EGRESS_ONLY):
            destination = "0.0.0.0/0" if flow.version == 4 else "::/0"
            option = "NatGatewayId" if found.hop is Hop.NAT else "EgressOnlyInternetGatewayId"
            return AddRoute(object=table, destination=destination, target=found.target, member=option)
    return None

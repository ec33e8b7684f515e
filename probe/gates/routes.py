"""The route gate: whether the subnet's route table leads to an address."""

from __future__ import annotations

from ipaddress import ip_address

from probe.configuration.operations import ROUTE_TABLES
from probe.configuration.view import MissingError, View
from probe.gates.endpoint_interfaces import ranges_of
from probe.gates.flow import Flow
from probe.gates.network_changes import AddRoute
from probe.gates.opinion import Opinion, allows, depends, refuses
from probe.gates.other_vpcs import across
from probe.gates.public_path import ways_out
from probe.gates.ranges import networks
from probe.gates.route_tables import Hop, Way, table_of, way
from probe.gates.s3_gateway import gateway_endpoint
from probe.model import GateName
from probe.records import replace

_ACROSS = {Hop.PEERING: "VpcPeeringConnectionId", Hop.TRANSIT: "TransitGatewayId"}


def route(view: View, flow: Flow) -> Opinion | None:
    """Whether the route table of the pulling subnet leads to the address, and the other's back."""
    if flow.is_within_subnet:
        return allows(GateName.ROUTE, f"{flow.address} is in the same subnet", flow.origin.subnet, "local")
    table = table_of(view, flow.origin.subnet, flow.origin.vpc)
    identity = table["RouteTableId"]
    found = way(view, table, flow.address)
    if found is None:
        sentence = f"{identity}, the route table of {flow.origin.subnet}, has no route to {flow.place}"
        return _no_route(view, flow, identity, sentence, None)
    if found.blackhole:
        sentence = f"the route {found.words} of {identity} is a blackhole: its target does not exist any more"
        return _no_route(view, flow, identity, sentence, found)
    gateway = gateway_endpoint(view, flow) if found.hop is Hop.GATEWAY_ENDPOINT else None
    if gateway is not None and gateway.cause == "endpoint.not-available":
        return replace(gateway, gate=GateName.ROUTE, sentence=f"{identity} routes {found.words}: {gateway.sentence}")
    if found.hop in (Hop.PEERING, Hop.TRANSIT) and flow.crosses_vpcs:
        return across(view, flow, found)
    if not flow.public and found.hop is Hop.NAT and (onward := _behind_nat(view, flow)) is not None:
        sentence = f"{identity} leads to {found.target} and on to {onward.target}, which may lead to {flow.address}"
        return depends(GateName.ROUTE, sentence, identity, found.destination)
    if not flow.public and found.hop in (Hop.INTERNET, Hop.EGRESS_ONLY, Hop.NAT):
        return refuses(
            GateName.ROUTE,
            f"the route of {identity} for {flow.address} leads out of the VPC ({found.words}), not to its network",
            cause="tcp.no-route",
            identity=identity,
            element=found.destination,
            change=_route_across(view, flow, identity),
        )
    if found.hop in (Hop.PEERING, Hop.TRANSIT, Hop.OTHER) or (flow.crosses_vpcs and found.hop is not Hop.LOCAL):
        sentence = f"the route of {identity} leads to {found.target}; what lies behind is not in this configuration"
        return depends(GateName.ROUTE, sentence, identity, found.destination)
    if flow.crosses_vpcs:
        sentence = f"{flow.address} is in {flow.target_vpc}, but {identity} keeps it in {flow.origin.vpc}"
        return refuses(GateName.ROUTE, sentence, cause="tcp.no-route", identity=identity, element=found.destination)
    refusal = None if flow.public else _back(view, flow)
    return refusal or allows(GateName.ROUTE, f"{identity} routes {found.words}", identity, found.destination)


def _behind_nat(view: View, flow: Flow) -> Way | None:
    """Where a NAT gateway passes on what goes to a private address, other than out of the VPC. AWS[private-nat]"""
    last = ways_out(view, flow)[-1]
    return None if last.blackhole or last.hop in (Hop.INTERNET, Hop.EGRESS_ONLY, Hop.NAT) else last


def _back(view: View, flow: Flow) -> Opinion | None:
    """A refusal where a route of the endpoint's subnet, more specific than the local one, leads replies nowhere."""
    sources = flow.origin.networks(flow.version)
    if flow.target_subnet is None or not sources:
        return None
    found = way(view, table_of(view, flow.target_subnet, flow.origin.vpc), str(sources[0].network_address))
    if found is None or not found.blackhole:
        return None
    return refuses(
        GateName.ROUTE,
        f"replies from {flow.address} take the route {found.words} of {found.table}, which is a blackhole",
        cause="tcp.no-route",
        identity=found.table,
        element=found.destination,
    )


def _no_route(view: View, flow: Flow, table: str, sentence: str, found: Way | None) -> Opinion:
    """No route, or `found`, a blackhole. For S3 its gateway endpoint is at fault, else a route is missing."""
    gateway = gateway_endpoint(view, flow)
    if gateway is not None and gateway.refuses and gateway.cause is not None:
        cause, change, sentence = gateway.cause, gateway.change, f"{sentence}: {gateway.sentence}"
    else:
        cause = "region.cross-region" if flow.abroad else "tcp.no-route"
        change = _route_out(view, flow, table, found)
    element = found.destination if found else flow.prefix_list
    return refuses(GateName.ROUTE, sentence, cause=cause, identity=table, element=element, change=change)


def _route_out(view: View, flow: Flow, table: str, blackhole: Way | None) -> AddRoute | None:
    """A route to what the VPC already has: another table's way out. Of tables, the first by id."""
    if flow.crosses_vpcs and blackhole is None:
        return _route_across(view, flow, table)
    if not flow.public or (blackhole and blackhole.destination.startswith("pl-")):
        return None
    tables = view.items(ROUTE_TABLES, Filters=[{"Name": "vpc-id", "Values": [flow.origin.vpc]}])
    for other in sorted(tables, key=lambda item: str(item["RouteTableId"])):
        found = way(view, other, flow.address)
        if found is not None and not found.blackhole and found.hop in (Hop.NAT, Hop.EGRESS_ONLY):
            destination = blackhole.destination if blackhole else "0.0.0.0/0" if flow.version == 4 else "::/0"
            member = "NatGatewayId" if found.hop is Hop.NAT else "EgressOnlyInternetGatewayId"
            return AddRoute(
                object=table,
                destination=destination,
                target=found.target,
                member=member,
                replaces=blackhole is not None,
            )
    return None


def _route_across(view: View, flow: Flow, table: str) -> AddRoute | None:
    """A route to the other VPC over what its own route table leads back through."""
    sources = flow.origin.networks(flow.version)
    if flow.target_vpc is None or flow.target_subnet is None or not flow.crosses_vpcs or not sources:
        return None
    try:
        back = way(view, table_of(view, flow.target_subnet, flow.target_vpc), str(sources[0].network_address))
        ranges = networks(ranges_of(view, flow.target_vpc), flow.version)
    except MissingError:
        return None  # what would mend it is not known, but what refuses is
    destination = next((str(each) for each in ranges if ip_address(flow.address) in each), None)
    member = _ACROSS.get(back.hop) if back is not None and not back.blackhole else None
    if back is None or member is None or destination is None:
        return None
    return AddRoute(object=table, destination=destination, target=back.target, member=member)

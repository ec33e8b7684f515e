"""The way to public addresses: through a firewall, a NAT gateway or a NAT instance, to an internet gateway."""

from __future__ import annotations

from typing import Any

from probe.addresses import is_translated
from probe.configuration.document import Obstacle
from probe.configuration.operations import (
    ENDPOINTS,
    INTERFACES,
    NAT_GATEWAYS,
)
from probe.configuration.view import MissingError, View
from probe.gates.flow import PORT, Flow
from probe.gates.network_acls import EPHEMERAL, Look, judge
from probe.gates.network_changes import TurnOffSourceCheck
from probe.gates.opinion import Opinion, allows, depends, refuses
from probe.gates.route_tables import Hop, Way, table_of, table_of_gateway, way
from probe.model import GateName
from probe.records import replace

_MOST_HOPS = 5
_HTTPS = (PORT, PORT)


def ways_out(view: View, flow: Flow) -> tuple[Way, ...]:
    """The routes that a packet takes one after the other: at a firewall endpoint and a NAT gateway the next begins.

    Raises MissingError. Where a table has no route, the last one is the one that leads there.
    """
    table: dict[str, Any] | None = table_of(view, flow.origin.subnet, flow.origin.vpc)
    ways: list[Way] = []
    while table is not None and len(ways) < _MOST_HOPS:
        found = way(view, table, flow.address)
        if found is None:
            break
        ways.append(found)
        table = None if found.blackhole else _next_table(view, flow, found)
    return tuple(ways)


def _next_table(view: View, flow: Flow, found: Way) -> dict[str, Any] | None:
    vpc = flow.origin.vpc
    if found.hop is Hop.INSPECTION:
        subnets = endpoint_of(view, found.target, vpc).get("SubnetIds", ())
        return table_of(view, subnets[0], vpc) if subnets else None
    if found.hop is Hop.NAT:
        nat = nat_of(view, found.target, vpc)
        if nat.get("SubnetId"):
            return table_of(view, nat["SubnetId"], vpc)
        return table_of_gateway(view, found.target, vpc)  # of a regional one: AWS[regional-nat-gateway]
    return None


def endpoint_of(view: View, identity: str, vpc: str) -> dict[str, Any]:
    """An endpoint of the VPC by its id. Raises MissingError."""
    endpoints = view.items(ENDPOINTS, Filters=[{"Name": "vpc-id", "Values": [vpc]}])
    found = next((endpoint for endpoint in endpoints if endpoint["VpcEndpointId"] == identity), None)
    if found is None:
        raise MissingError(ENDPOINTS, Obstacle.NOT_FOUND)
    return found


def nat_of(view: View, identity: str, vpc: str) -> dict[str, Any]:
    found = view.items(NAT_GATEWAYS, Filter=[{"Name": "vpc-id", "Values": [vpc]}])
    nat = next((item for item in found if item["NatGatewayId"] == identity), None)
    if nat is None:
        raise MissingError(NAT_GATEWAYS, Obstacle.NOT_FOUND)
    return nat


# ---- the way -------------------------------------------------------------------------------------------------------


def public_path(view: View, flow: Flow) -> Opinion | None:
    """Whether what the routes lead to carries packets to public addresses, and the replies back."""
    if not flow.public:
        return None
    ways = ways_out(view, flow)
    if ways and ways[0].hop is Hop.NAT and is_translated(flow.address):
        sentence = f"{ways[0].target} translates {flow.address} to an IPv4 address"
        return allows(GateName.PUBLIC_PATH, sentence, ways[0].target, ways[0].destination)
    if not ways or ways[-1].hop in (Hop.GATEWAY_ENDPOINT, Hop.TRANSIT, Hop.PEERING, Hop.OTHER, Hop.LOCAL):
        return None if len(ways) < 2 else _after(view, flow, ways)
    if ways[0].hop is Hop.DEVICE:
        return _device(view, ways[0])
    return _after(view, flow, ways)


def _after(view: View, flow: Flow, ways: tuple[Way, ...]) -> Opinion:
    for step, found in enumerate(ways):
        if found.hop is Hop.NAT:
            refusal = _through_nat(view, flow, found, ways[step + 1 :])
            if refusal is not None:
                return refusal
    last = ways[-1]
    if last.blackhole:
        return _stops(last, f"the route {last.words} of {last.table} is a blackhole")
    if last.hop is Hop.INSPECTION:
        return _stops(last, f"behind {last.target} there is no route to {flow.place}")
    if last.hop is Hop.INTERNET and flow.version == 4 and not any(found.hop is Hop.NAT for found in ways):
        return _address(flow, last)
    if last.hop in (Hop.INTERNET, Hop.EGRESS_ONLY):
        through = " and ".join(found.target for found in ways)
        return allows(GateName.PUBLIC_PATH, f"{through} lead out of the VPC", ways[0].target, ways[0].destination)
    sentence = f"{last.table} leads to {last.target}; what lies behind is not in this configuration"
    return depends(GateName.PUBLIC_PATH, sentence, last.table, last.destination)


def _stops(last: Way, sentence: str) -> Opinion:
    return refuses(GateName.PUBLIC_PATH, sentence, cause="tcp.no-route", identity=last.table, element=last.destination)


def _address(flow: Flow, last: Way) -> Opinion:
    """An internet gateway translates public addresses only: AWS[internet-gateway-address]."""
    whose = flow.origin.interface or f"a task in {flow.origin.subnet}"
    if flow.origin.public_address:
        sentence = f"{whose} has a public address, and {last.target} leads out of the VPC"
        return allows(GateName.PUBLIC_PATH, sentence, last.target, last.destination)
    if flow.origin.public_address is None:
        sentence = f"{last.table} leads to {last.target}, and whether {whose} has a public address is not known"
        return depends(GateName.PUBLIC_PATH, sentence, flow.origin.subnet, last.destination)
    return refuses(
        GateName.PUBLIC_PATH,
        f"{last.table} leads to {last.target}, but {whose} has no public address",
        cause="tcp.no-public-ip",
        identity=flow.origin.interface or flow.origin.subnet,
        element=last.destination,
    )


def _through_nat(view: View, flow: Flow, found: Way, onward: tuple[Way, ...]) -> Opinion | None:
    """What stops packets at a NAT gateway; None: nothing that is known."""
    nat = nat_of(view, found.target, flow.origin.vpc)
    state = nat.get("State")
    why = None
    if state != "available":
        why = f"{found.target} is {state}"
    elif nat.get("ConnectivityType") == "private" and onward and onward[-1].hop is Hop.INTERNET:
        why = f"{found.target} is private: it has no public address"
    elif not onward and nat.get("SubnetId") is None:
        sentence = f"{found.target} is a regional NAT gateway, and its route table is not in this configuration"
        return depends(GateName.PUBLIC_PATH, sentence, found.target, found.destination)
    elif not onward:
        why = f"the route table of {found.target} has no route to {flow.place}"
    elif onward[0].hop is Hop.NAT:
        why = f"the route table of {found.target} leads back to a NAT gateway"
    if why is not None:
        return refuses(
            GateName.PUBLIC_PATH, why, cause="tcp.no-route", identity=found.target, element=found.destination
        )
    return _nat_acl(view, flow, nat.get("SubnetId"))


def _nat_acl(view: View, flow: Flow, subnet: str | None) -> Opinion | None:
    """The network ACL of the NAT gateway's subnet, which the packets pass twice in each direction.

    Outside, replies arrive at the gateway's own ports: AWS[ephemeral-ports].
    """
    if subnet is None:
        return None
    inside = flow.origin.networks(flow.version)
    outside = flow.destinations
    from_inside = tuple(map(str, inside))
    anywhere = ("0.0.0.0/0" if flow.version == 4 else "::/0",)
    to_it = Look(GateName.PUBLIC_PATH, subnet, flow.origin.vpc, False, inside, _HTTPS, from_inside)
    from_it = replace(to_it, egress=True, peers=outside, grant=anywhere, place=flow.place, decided_by=flow.decided_by)
    looks = [from_it, replace(from_it, egress=False, ports=EPHEMERAL, other_ports="NAT gateways use too")]
    if subnet != flow.origin.subnet:
        back = replace(to_it, egress=True, ports=EPHEMERAL, client_ports=flow.origin.client_ports)
        looks = [to_it, *looks, back]
    opinions = [judge(view, look) for look in looks]
    refusing = [opinion for opinion in opinions if opinion.refuses]
    return next((opinion for opinion in [*refusing, *opinions] if not opinion.allows), None)


def _device(view: View, found: Way) -> Opinion:
    """A NAT instance or an appliance. AWS[source-destination-check]"""
    identity = found.target
    if not identity.startswith("eni-"):
        sentence = f"{found.table} leads to {identity}; what it forwards is not in this configuration"
        return depends(GateName.PUBLIC_PATH, sentence, identity, found.destination)
    interface = view.item(INTERFACES, identity)
    if interface is None:
        raise MissingError(INTERFACES, Obstacle.NOT_FOUND)
    if interface.get("SourceDestCheck"):
        return refuses(
            GateName.PUBLIC_PATH,
            f"{found.table} leads to {identity}, which forwards nothing: its source and destination check is on",
            cause="tcp.nat-device",
            identity=identity,
            element="SourceDestCheck",
            change=TurnOffSourceCheck(object=identity),
        )
    sentence = f"{found.table} leads to {identity}; what it forwards is not in this configuration"
    return depends(GateName.PUBLIC_PATH, sentence, identity, found.destination)

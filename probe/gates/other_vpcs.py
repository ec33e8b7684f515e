"""Endpoints in another VPC: over a peering connection or a transit gateway, and back. AWS[route-both-ways]"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from probe.configuration.document import Obstacle
from probe.configuration.operations import (
    PEERINGS,
    SUBNETS,
    TRANSIT_ATTACHMENTS,
    TRANSIT_ROUTES,
    TRANSIT_VPC_ATTACHMENTS,
)
from probe.configuration.view import MissingError, View
from probe.gates.flow import Flow
from probe.gates.network_acls import EPHEMERAL, Look, judge
from probe.gates.network_changes import AddAttachmentSubnet, AddRoute
from probe.gates.opinion import Opinion, allows, depends, refuses
from probe.gates.ranges import Network, networks
from probe.gates.route_tables import Hop, Way, table_of, way
from probe.model import GateAnswer, GateName
from probe.records import Record, replace


class Sender(Record, frozen=True):
    """Where packets for the other VPC start."""

    vpc: str
    subnet: str
    zone: str | None


def across(view: View, flow: Flow, found: Way) -> Opinion:
    """Whether a peering connection or transit gateway leads to the other VPC, and back."""
    assert flow.target_vpc is not None
    forth = _reaches(
        view, found, flow.target_vpc, Sender(flow.origin.vpc, flow.origin.subnet, flow.origin.zone), flow.address
    )
    if forth is not None:
        return forth
    backs = [str(network.network_address) for network in flow.origin.networks(flow.version)]
    if flow.target_subnet is None or not backs:
        sentence = f"the route back from {flow.address} is not in this configuration"
        return depends(GateName.ROUTE, sentence, flow.target_vpc)
    table = table_of(view, flow.target_subnet, flow.target_vpc)
    back = way(view, table, backs[0])
    if back is None or back.blackhole or back.hop not in (Hop.PEERING, Hop.TRANSIT):
        return refuses(
            GateName.ROUTE,
            f"{table['RouteTableId']}, the route table of {flow.target_subnet}, has no route back to {backs[0]}",
            cause="tcp.no-route",
            identity=table["RouteTableId"],
            element=back.destination if back else None,
            change=_route_back(flow, found, table["RouteTableId"], back),
        )
    refusal = _reaches(
        view, back, flow.origin.vpc, Sender(flow.target_vpc, flow.target_subnet, flow.target_zone), backs[0]
    )
    if refusal is None and found.hop is Hop.TRANSIT:
        refusal = _attachment_acls(view, flow, found.target)
    return refusal or allows(
        GateName.ROUTE, f"{found.table} routes {found.words}, and {back.table} back", found.table, found.destination
    )


def _route_back(flow: Flow, found: Way, table: str, wrong: Way | None) -> AddRoute | None:
    """A route to the pulling subnet, in place of one for exactly the same range."""
    ranges = flow.origin.networks(flow.version)
    if not ranges:
        return None
    member = "VpcPeeringConnectionId" if found.hop is Hop.PEERING else "TransitGatewayId"
    destination = str(ranges[0])
    replaces = wrong is not None and wrong.destination == destination
    return AddRoute(object=table, destination=destination, target=found.target, member=member, replaces=replaces)


def _reaches(view: View, found: Way, vpc: str, sender: Sender, address: str) -> Opinion | None:
    """A refusal, or what is not known, of the way through `found.target` to `vpc`; None: it leads there."""
    if found.hop is Hop.PEERING:
        return _through_peering(view, found, vpc)
    if found.hop is Hop.TRANSIT:
        return _through_transit(view, found, vpc, sender, address)
    sentence = f"{found.table} leads to {found.target}; what lies behind is not in this configuration"
    return depends(GateName.ROUTE, sentence, found.table, found.destination)


def _through_peering(view: View, found: Way, vpc: str) -> Opinion | None:
    peering = view.item(PEERINGS, found.target)
    if peering is None:
        raise MissingError(PEERINGS, Obstacle.NOT_FOUND)
    state = peering.get("Status", {}).get("Code")
    sides = [peering.get(side, {}).get("VpcId") for side in ("AccepterVpcInfo", "RequesterVpcInfo")]
    if state == "active" and vpc in sides:
        return None
    why = f"is {state}" if state != "active" else f"does not lead to {vpc}"
    return refuses(
        GateName.ROUTE,
        f"{found.target}, to which {found.table} routes {found.destination}, {why}",
        cause="tcp.no-route",
        identity=found.target,
        element=state,
    )


def _through_transit(view: View, found: Way, vpc: str, sender: Sender, address: str) -> Opinion | None:
    """By the transit gateway's route table that the sender's attachment is associated with."""
    attachments = view.items(TRANSIT_ATTACHMENTS, Filters=[{"Name": "transit-gateway-id", "Values": [found.target]}])
    own = next((entry for entry in attachments if entry.get("ResourceId") == sender.vpc), None)
    if own is None:
        sentence = f"{found.target} has no attachment of {sender.vpc} that this account can see"
        return depends(GateName.ROUTE, sentence, found.target)
    identity, table = own["TransitGatewayAttachmentId"], own.get("Association", {}).get("TransitGatewayRouteTableId")
    if own.get("State") != "available" or table is None:
        return refuses(
            GateName.ROUTE,
            f"the attachment {identity} of {sender.vpc} to {found.target} is "
            f"{own.get('State') if own.get('State') != 'available' else 'associated with no route table'}",
            cause="tcp.no-route",
            identity=identity,
            element=own.get("State"),
        )
    routes = view.items(
        TRANSIT_ROUTES,
        TransitGatewayRouteTableId=table,
        Filters=[{"Name": "route-search.longest-prefix-match", "Values": [address]}],
    )
    best = next(iter(routes), None)
    targets = [entry.get("ResourceId") for entry in (best or {}).get("TransitGatewayAttachments", ())]
    if best is not None and best.get("State") == "active" and vpc in targets:
        return _without_zone(view, identity, found, sender)
    if best is not None and best.get("State") == "active":
        sentence = f"{table} leads to {', '.join(map(str, targets)) or 'no attachment'}, not straight to {vpc}"
        return depends(GateName.ROUTE, sentence, table, best.get("DestinationCidrBlock"))
    return refuses(
        GateName.ROUTE,
        f"{table} of {found.target} has {'a blackhole' if best else 'no route'} for {address}",
        cause="tcp.no-route",
        identity=table,
        element=(best or {}).get("DestinationCidrBlock"),
    )


def _without_zone(view: View, attachment: str, found: Way, sender: Sender) -> Opinion | None:
    """A refusal where the attachment has no subnet in the sender's zone. AWS[transit-zones]"""
    if sender.zone is None:
        return None
    if any(subnet.get("AvailabilityZone") == sender.zone for subnet in _attached(view, found.target, sender.vpc)):
        return None
    return refuses(
        GateName.ROUTE,
        f"the attachment {attachment} of {sender.vpc} to {found.target} has no subnet in {sender.zone}, so packets "
        "from there do not reach it",
        cause="tcp.no-route",
        identity=attachment,
        element=sender.zone,
        change=AddAttachmentSubnet(object=attachment, subnet=sender.subnet),
    )


def _attached(view: View, gateway: str, vpc: str) -> tuple[dict[str, Any], ...]:
    """The subnets of a VPC's attachment, one in each of its zones. Raises MissingError."""
    filters = [{"Name": "transit-gateway-id", "Values": [gateway]}]
    attachments = view.items(TRANSIT_VPC_ATTACHMENTS, Filters=filters)
    attached = next((item for item in attachments if item.get("VpcId") == vpc), None)
    if attached is None:
        raise MissingError(TRANSIT_VPC_ATTACHMENTS, Obstacle.NOT_FOUND)
    subnets = view.some(SUBNETS, attached.get("SubnetIds", ()))
    found = tuple(subnet for subnet in subnets.values() if subnet is not None)
    if len(found) < len(subnets):
        raise MissingError(SUBNETS, Obstacle.NOT_FOUND)
    return found


# ---- the network ACLs of attachments ---------------------------------------------------------------------------------


class Side(Record, frozen=True):
    """One VPC of a connection over a transit gateway: the subnet of the connection's end, and where that end is."""

    vpc: str
    subnet: str
    zone: str | None
    end: tuple[Network, ...]
    sends: bool  # whether requests start here


def _attachment_acls(view: View, flow: Flow, gateway: str) -> Opinion | None:
    """What the network ACLs of the attachments' own subnets stop. AWS[transit-acls]"""
    origin, target = flow.origin, networks((flow.address,), flow.version)
    assert flow.target_vpc is not None
    assert flow.target_subnet is not None
    for side in (
        Side(origin.vpc, origin.subnet, origin.zone, origin.networks(flow.version), True),
        Side(flow.target_vpc, flow.target_subnet, flow.target_zone, target, False),
    ):
        opinion = _acls_of(view, flow, side, _attached(view, gateway, side.vpc))
        if opinion is not None:
            return opinion
    return None


def _acls_of(view: View, flow: Flow, side: Side, attached: Sequence[dict[str, Any]]) -> Opinion | None:
    """Packets leave by the subnet in their own zone. By which they come back is not known where there are several."""
    near = [subnet for subnet in attached if side.zone in (None, subnet.get("AvailabilityZone"))]
    request = (flow.port, flow.port)
    for egress, subnets, is_request in ((False, near, side.sends), (True, attached, not side.sends)):
        ports = request if is_request else EPHEMERAL
        identities = [str(subnet["SubnetId"]) for subnet in subnets]
        if side.subnet in identities:
            continue  # the gates of the subnet itself look at its list
        grant = tuple(map(str, side.end))
        opinions = [
            judge(
                view,
                Look(
                    GateName.ROUTE,
                    identity,
                    side.vpc,
                    egress,
                    side.end,
                    ports,
                    grant,
                    protocol=flow.protocol,
                    client_ports=flow.origin.client_ports,
                ),
            )
            for identity in identities
        ]
        stops = [opinion for opinion in opinions if not opinion.allows]
        if stops and all(opinion.refuses for opinion in opinions):
            return stops[0]
        if stops:
            return replace(stops[0], answer=GateAnswer.DEPENDS, cause=None, change=None)
    return None

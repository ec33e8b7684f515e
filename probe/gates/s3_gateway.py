"""S3's gateway endpoint: whether it exists, is available, and is associated with the subnet's route table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from probe.configuration.operations import ENDPOINTS
from probe.configuration.view import MissingError, View
from probe.gates import vpc_endpoints
from probe.gates.block_public_access import block_public_access
from probe.gates.flow import Flow
from probe.gates.network_changes import AssociateRouteTable, CreateGatewayEndpoint, SetGatewayAddressType
from probe.gates.opinion import Opinion, allows, refuses
from probe.gates.public_path import public_path, ways_out
from probe.gates.route_tables import table_of
from probe.gates.unserved_names import not_visible
from probe.model import GateName


def gateway_endpoint(view: View, flow: Flow) -> Opinion | None:
    """Whether S3's gateway endpoint exists, is available, and serves the subnet. Raises MissingError.

    The packets may have another way out, as through a NAT gateway: that is for the gates of packets.
    """
    if flow.service is None:
        return None
    found = table_of(view, flow.origin.subnet, flow.origin.vpc)
    table = found["RouteTableId"]
    gateways = _gateways_of(view, flow.origin.vpc, flow.service)
    if not gateways:
        return _without_gateway(view, flow, flow.service, table)
    gateway = next((item for item in gateways if item["VpcEndpointId"] == flow.gateway), gateways[0])
    identity = gateway["VpcEndpointId"]
    if not vpc_endpoints.carries(gateway):
        return refuses(
            GateName.ENDPOINT,
            f"{identity} of {flow.service} is {gateway.get('State')}, not available",
            cause="endpoint.not-available",
            identity=identity,
            element=f"State {gateway.get('State')}",
            change=vpc_endpoints.awaited(gateway) or _create(flow, table, instead_of=gateway),
        )
    if flow.version == 6 and gateway.get("IpAddressType") == "ipv4":  # AWS[gateway-ip-address-type]
        return refuses(
            GateName.ENDPOINT,
            f"{identity} carries only IPv4",
            cause="region.ipv6-unsupported-endpoint",
            identity=identity,
            element="IpAddressType ipv4",
            change=SetGatewayAddressType(object=identity, table=table, prefix_list=flow.prefix_list or ""),
        )
    if not _has_route(found, identity):
        return refuses(
            GateName.ENDPOINT,
            f"{identity} is not associated with {table}, the route table of {flow.origin.subnet}",
            cause="s3.route-table-not-associated",
            identity=identity,
            element=table,
            change=_associate(gateway, flow, table),
        )
    return allows(GateName.ENDPOINT, f"{identity} serves {flow.service} in {table}", identity, table)


def leads_out(view: View, flow: Flow) -> bool:
    """Whether nothing that is known stops packets to public addresses on another way, as through a NAT gateway."""
    try:
        ways = ways_out(view, flow)
    except MissingError:
        return True
    if not ways or any(found.blackhole for found in ways):
        return False
    return not any(_stops(gate, view, flow) for gate in (block_public_access, public_path))


def _stops(gate: Callable[[View, Flow], Opinion | None], view: View, flow: Flow) -> bool:
    """Whether this gate is known to refuse."""
    try:
        opinion = gate(view, flow)
    except MissingError:
        return False
    return opinion is not None and opinion.refuses


def _has_route(table: dict[str, Any], gateway: str) -> bool:
    """Whether the endpoint is associated with the table. A more specific route may still lead elsewhere."""
    return any(route.get("GatewayId") == gateway for route in table.get("Routes", ()))


def _without_gateway(view: View, flow: Flow, service: str, table: str) -> Opinion:
    """S3 may have an interface endpoint, which answers under names of its own unless its private DNS is on."""
    endpoints = view.items(ENDPOINTS, Filters=[{"Name": "vpc-id", "Values": [flow.origin.vpc]}])
    other = next((item for item in endpoints if str(item.get("ServiceName", "")).endswith(service)), None)
    owner, account = flow.origin.owner, view.configuration.account
    if other is None and owner and account and owner != account:  # AWS[shared-vpc-participants]
        what = f"a gateway endpoint for {service} in {flow.origin.vpc} is"
        return not_visible(view, GateName.ENDPOINT, what, owner, f"ec2:DescribeVpcEndpoints in {owner}")
    sentence = f"{flow.origin.vpc} has no gateway endpoint for {service}"
    if other is not None:
        sentence = f"{sentence}, and the name does not lead to its interface endpoint {other['VpcEndpointId']}"
    return refuses(
        GateName.ENDPOINT,
        sentence,
        cause="endpoint.s3-interface-not-gateway" if other else "endpoint.missing.s3",
        identity=other["VpcEndpointId"] if other else flow.origin.vpc,
        element=service,
        change=_create(flow, table),
    )


def _gateways_of(view: View, vpc: str, service: str) -> list[dict[str, Any]]:
    """The gateway endpoints of a service in the VPC, those that carry traffic first. Raises MissingError."""
    endpoints = view.items(ENDPOINTS, Filters=[{"Name": "vpc-id", "Values": [vpc]}])
    found = [
        endpoint
        for endpoint in endpoints
        if endpoint.get("VpcEndpointType") == "Gateway" and endpoint.get("ServiceName") == service
    ]
    return sorted((item for item in found if not vpc_endpoints.is_gone(item)), key=vpc_endpoints.by_state)


def _associate(gateway: dict[str, Any], flow: Flow, table: str) -> AssociateRouteTable:
    """The change that puts the gateway endpoint's route into the table."""
    return AssociateRouteTable(
        object=gateway["VpcEndpointId"], vpc=flow.origin.vpc, table=table, prefix_list=flow.prefix_list or ""
    )


def _create(flow: Flow, table: str, instead_of: dict[str, Any] | None = None) -> CreateGatewayEndpoint:
    """The change that creates the gateway endpoint with a route in the table, in place of one that does not work."""
    old = instead_of or {}
    return CreateGatewayEndpoint(
        object=flow.origin.vpc,
        service=flow.service or "",
        table=table,
        prefix_list=flow.prefix_list or "",
        ipv6=flow.version == 6,
        replaces=old.get("VpcEndpointId"),
        also=tuple(each for each in old.get("RouteTableIds", ()) if each != table),
        deleting=vpc_endpoints.state(old) == "deleting",
    )

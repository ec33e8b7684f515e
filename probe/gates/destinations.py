"""Where a name leads to, as flows: to the interfaces of an endpoint, to S3's addresses, or to public ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import ip_address, ip_network

from probe.addresses import classify, is_ipv6, is_translated
from probe.configuration.document import Obstacle
from probe.configuration.operations import INTERFACES, PREFIX_LIST_ENTRIES, PREFIX_LISTS
from probe.configuration.view import MissingError, View
from probe.endpoints import service_name
from probe.gates.endpoint_interfaces import interface_at, ranges_of
from probe.gates.flow import SOMEWHERE_PUBLIC, Flow, Origin
from probe.gates.route_tables import Hop, table_of, way
from probe.gates.s3_addresses import representatives
from probe.model import AddressClass, Endpoint, Kind
from probe.records import replace


def flow_to(view: View, origin: Origin, endpoint: Endpoint, address: str, identity: str | None) -> Flow:
    """The flow to an address that a name resolves to; `identity` is its interface, where that is known already.

    What cannot be read is left out: the gates that need it say so.
    """
    flow = Flow(origin=origin, endpoint=endpoint.name, host=endpoint.host, address=address)
    return replace(flow, public=True) if is_translated(address) else _arriving(view, flow, identity)


def queries_to(view: View, origin: Origin, server: str) -> Flow:
    """The flow of DNS queries to a name server."""
    return _arriving(view, Flow(origin=origin, endpoint="", host=server, address=server, dns=True), None)


def _arriving(view: View, flow: Flow, identity: str | None) -> Flow:
    """The flow with what is known of the interface that has its address."""
    origin, address = flow.origin, flow.address
    try:
        interface = view.item(INTERFACES, identity) if identity else interface_at(view, origin, address)
        if interface is None and identity is None and _is_public(view, origin, address):
            return replace(flow, public=True)
    except MissingError:
        return replace(flow, interface=identity)
    if interface is None:
        return replace(flow, interface=identity)
    return replace(
        flow,
        interface=interface["NetworkInterfaceId"],
        target_subnet=interface.get("SubnetId"),
        target_groups=tuple(group["GroupId"] for group in interface.get("Groups", ())),
        target_vpc=interface.get("VpcId"),
        target_zone=interface.get("AvailabilityZone"),
    )


def _is_public(view: View, origin: Origin, address: str) -> bool:
    return classify(address, ranges_of(view, origin.vpc)) in (AddressClass.PUBLIC, AddressClass.UNKNOWN)


def public_flows(
    view: View, origin: Origin, endpoint: Endpoint, partition: str, seen: Sequence[str] = ()
) -> tuple[Flow, ...]:
    """The flows to the public addresses of a name: those that were `seen`, or for S3 those that represent its ranges.

    The addresses of other services are in no configuration: one of RFC 5737 represents them all
    (`public_parts`). Raises MissingError.
    """
    flow = Flow(origin=origin, endpoint=endpoint.name, host=endpoint.host, address="", public=True)
    if endpoint.kind is Kind.GATEWAY:
        return tuple(_to_s3(view, flow, endpoint, partition, seen))
    families = [version for version in (4, 6) if origin.sends(version)] or [4]
    addresses = [address for address in seen if origin.sends(ip_address(address).version)]
    return tuple(replace(flow, address=address) for address in addresses or [SOMEWHERE_PUBLIC[families[0]]])


def _to_s3(view: View, flow: Flow, endpoint: Endpoint, partition: str, seen: Sequence[str]) -> Iterator[Flow]:
    """Flows to addresses that represent all of S3's prefix lists. AWS[s3-prefix-lists]"""
    home = view.configuration.region
    region = None if endpoint.region == home else endpoint.region
    service = service_name(endpoint.name, partition, endpoint.region, interface=False)
    lists = view.items(PREFIX_LISTS, region, Filters=[{"Name": "prefix-list-name", "Values": _list_names(service)}])
    if not lists:
        raise MissingError(PREFIX_LISTS, Obstacle.NOT_FOUND)
    dual_stack = ".dualstack." in endpoint.host
    for item in sorted(lists, key=lambda entry: str(entry.get("AddressFamily"))):
        version = 6 if item.get("AddressFamily") == "IPv6" else 4
        if not flow.origin.sends(version) or (version == 6 and not dual_stack):
            continue
        entries = view.items(PREFIX_LIST_ENTRIES, region, PrefixListId=item["PrefixListId"])
        ranges = [ip_network(entry["Cidr"], strict=False) for entry in entries]
        addresses = [address for address in seen if is_ipv6(address) is (version == 6)]
        for address in addresses or representatives(view, flow.origin, ranges):
            listed = any(ip_address(address) in network for network in ranges)
            found = replace(
                flow,
                address=address,
                abroad=region is not None,
                # A gateway endpoint serves its own Region alone: AWS[s3-gateway-regional].
                service=service if region is None and listed else None,
                prefix_list=item["PrefixListId"] if region is None and listed else None,
            )
            yield replace(found, gateway=_gateway(view, found))


def _list_names(service: str) -> list[str]:
    head, _, name = service.rpartition(".")
    return [service, f"{head}.ipv6.{name}"]


def _gateway(view: View, flow: Flow) -> str | None:
    """The gateway endpoint to which the route leads; None where there is none, or that is not known."""
    try:
        found = way(view, table_of(view, flow.origin.subnet, flow.origin.vpc), flow.address)
    except MissingError:
        return None
    return found.target if found and found.hop is Hop.GATEWAY_ENDPOINT and not found.blackhole else None

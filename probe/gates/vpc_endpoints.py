"""The VPC endpoints of a service: whether one exists and is available, which names it answers for, at which addresses.

A service's private names are in the DnsEntries of its endpoint: AWS[endpoint-dns-entries].
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from probe.configuration.operations import ENDPOINTS, INTERFACES
from probe.configuration.view import View
from probe.gates import profiles
from probe.gates.changes import Change
from probe.gates.dns_changes import AwaitEndpoint, ReplaceEndpoint
from probe.gates.dns_names import is_within, plain
from probe.gates.lookup import Lookup
from probe.gates.opinion import Opinion, allows, refuses
from probe.model import GateName
from probe.records import Record

Item = dict[str, Any]

_VPCE = re.compile(r"(?P<id>vpce-[0-9a-f]{8,17})-[0-9a-z]+?(?:-(?P<zone>[a-z]{2,4}(?:-[a-z]+)+-\d[a-z0-9-]*))?\.")
_DUAL_STACK = ("api.aws", "on.aws", "on.amazonwebservices.com.cn")
_CARRYING = ("available", "partial")  # AWS[endpoint-states]
_GONE = ("deleted",)
_COMING = ("pending", "pendingacceptance")  # the others are rejected, expired, failed and deleting
# Names under which an endpoint of a service answers with an asterisk below them.
_WITH_WILDCARD = ("ecr.dkr", "s3")


class Resolved(Record, frozen=True):
    """One address, and the network interface that has it."""

    address: str
    interface: str | None = None


class PrivateName(Record, frozen=True):
    """A domain that the hidden zone of an endpoint's private DNS owns."""

    domain: str
    endpoint: Item


def in_vpc(view: View, vpc: str) -> tuple[Item, ...]:
    """The interface endpoints of a VPC. Raises MissingError."""
    return _existing(view.items(ENDPOINTS, Filters=[{"Name": "vpc-id", "Values": [vpc]}]))


def of_profiles(view: View, vpc: str) -> tuple[Item, ...]:
    """The interface endpoints that the VPC's Profiles contain. Raises MissingError."""
    found = view.some(ENDPOINTS, (each.identity for each in profiles.resources(view, vpc, "vpc-endpoint")))
    return _existing(item for item in found.values() if item is not None)


def _existing(items: Iterable[Item]) -> tuple[Item, ...]:
    return tuple(item for item in items if is_interface(item) and not is_gone(item))


def is_interface(item: Item) -> bool:
    return str(item.get("VpcEndpointType", "Interface")).lower() == "interface"


def state(item: Item) -> str:
    """The state in lower case: the API and its model spell it differently."""
    return str(item.get("State", "")).lower()


def carries(item: Item) -> bool:
    """Whether traffic passes the endpoint."""
    return state(item) in _CARRYING


def is_gone(item: Item) -> bool:
    """Whether the endpoint is listed although it is deleted."""
    return state(item) in _GONE


def is_coming(item: Item) -> bool:
    """Whether the endpoint is created and not yet available."""
    return state(item) in _COMING


def by_state(item: Item) -> int:
    """The place of an endpoint among others of its service: carrying traffic, about to, neither."""
    return 0 if carries(item) else 1 if is_coming(item) else 2


def of_service(endpoints: tuple[Item, ...], lookup: Lookup) -> tuple[Item, ...]:
    """The endpoints of the lookup's service in its Region, those that carry traffic and have private DNS first."""
    own = [
        item
        for item in endpoints
        if item.get("ServiceName") == lookup.service and item.get("ServiceRegion") in (None, "", lookup.region)
    ]
    return tuple(sorted(own, key=lambda item: (by_state(item), not item.get("PrivateDnsEnabled"))))


def availability(item: Item, region: str) -> Opinion:
    """Whether the endpoint carries traffic. AWS[endpoint-states]"""
    identity, service = item["VpcEndpointId"], item.get("ServiceName")
    service_region = item.get("ServiceRegion") or region
    abroad = f" of {service_region}" if service_region != region else ""
    if carries(item):
        part = ", in a part of its subnets" if state(item) == "partial" else ""
        return allows(GateName.ENDPOINT, f"{identity} serves {service}{abroad}{part}", identity, service)
    return refuses(
        GateName.ENDPOINT,
        f"{identity} of {service} is {item.get('State')}, not available{_reason(item)}",
        cause="endpoint.not-available",
        identity=identity,
        element=f"State {item.get('State')}",
        change=awaited(item) or _replacement(item, region),
    )


def _reason(item: Item) -> str:
    error = (item.get("LastError") or {}).get("Message") or item.get("FailureReason")
    return f": {error}" if error else ""


def awaited(item: Item) -> Change | None:
    """To wait for an endpoint that is about to be available. None where it is not, so that it has to be replaced."""
    if not is_coming(item):
        return None
    return AwaitEndpoint(object=item["VpcEndpointId"], accepted=state(item) == "pending")


def _replacement(item: Item, region: str) -> Change | None:
    service_region = item.get("ServiceRegion") or region
    if not item.get("SubnetIds"):
        return None
    return ReplaceEndpoint(
        object=item["VpcEndpointId"],
        vpc=item.get("VpcId", ""),
        service=item.get("ServiceName", ""),
        subnets=tuple(item["SubnetIds"]),
        groups=tuple(group["GroupId"] for group in item.get("Groups", ())),
        private_dns=bool(item.get("PrivateDnsEnabled")),
        service_region=service_region if service_region != region else None,
        deleting=state(item) == "deleting",
    )


def private_names(item: Item, lookup: Lookup) -> tuple[PrivateName, ...]:
    """The domains that an endpoint's private DNS owns in its VPC, with what is below them where it has a wildcard.

    Of S3, only for queries through inbound endpoints, if it is set so: AWS[s3-private-dns-inbound-only].
    """
    options = item.get("DnsOptions") or {}
    if not item.get("PrivateDnsEnabled") or not carries(item):
        return ()
    if options.get("PrivateDnsOnlyForInboundResolverEndpoint") and not lookup.inbound:
        return ()
    listed = {plain(entry.get("DnsName") or "") for entry in item.get("DnsEntries", ())}
    names = {name for name in listed if name and vpce_of(name) is None} or set(_usual_names(item, lookup))
    return tuple(PrivateName(name, item) for name in sorted(names) if _answers(name, lookup.name))


def _answers(entry: str, name: str) -> bool:
    return name.endswith(entry[1:]) if entry.startswith("*.") else name == entry


def _usual_names(item: Item, lookup: Lookup) -> tuple[str, ...]:
    """The private names of the lookup's service where the reply lists none: those of classic hosts."""
    classic = item.get("ServiceName") == lookup.service and lookup.endpoint != "ecr-legacy"
    if not classic or any(is_within(lookup.name, suffix) for suffix in _DUAL_STACK):
        return ()
    parent = lookup.name.partition(".")[2]
    return (f"*.{parent}",) if lookup.endpoint in _WITH_WILDCARD else (lookup.name,)


def vpce_of(name: str) -> tuple[str, str | None] | None:
    """The endpoint's id and, in a zonal name, the zone: "vpce-0a1b-x2y3-us-east-1a.ecr.api.us-east-1.vpce…"."""
    match = _VPCE.match(name)
    return (match["id"], match["zone"]) if match and ".vpce." in name else None


def addresses(view: View, item: Item, lookup: Lookup, zone: str | None = None) -> tuple[Resolved, ...]:
    """The addresses of the endpoint's records, with the interfaces that have them. Raises MissingError."""
    interfaces = view.some(INTERFACES, item.get("NetworkInterfaceIds", ()))
    types = _record_types(item, lookup) or _own_types(item)
    found = []
    for identity, interface in interfaces.items():
        if interface is None or (zone and interface.get("AvailabilityZone") not in (None, zone)):
            continue
        if "A" in types and interface.get("PrivateIpAddress"):
            found.append(Resolved(interface["PrivateIpAddress"], identity))
        if "AAAA" in types:
            found += [Resolved(entry["Ipv6Address"], identity) for entry in interface.get("Ipv6Addresses", ())]
    return tuple(found)


def _record_types(item: Item, lookup: Lookup) -> tuple[str, ...]:
    """The records that the endpoint has, of those that the lookup asks for."""
    return tuple(record for record in lookup.records if record in _own_types(item))


def _own_types(item: Item) -> tuple[str, ...]:
    """The records that the endpoint has. AWS[endpoint-record-types]"""
    kind = (item.get("DnsOptions") or {}).get("DnsRecordIpType")
    if kind in (None, "service-defined"):
        kind = item.get("IpAddressType")
    return {"ipv4": ("A",), "ipv6": ("AAAA",)}.get(str(kind), ("A", "AAAA"))


def lacks_family(item: Item, lookup: Lookup) -> bool:
    """Whether the endpoint has no record of an address family that the origin has."""
    return not _record_types(item, lookup)


def interfaces_at(view: View, wanted: tuple[str, ...], vpc: str) -> tuple[Resolved, ...]:
    """Plain addresses of a record, with the interfaces that have them: of this VPC, else of another one of the account.

    Raises MissingError.
    """
    found: dict[str, Item] = {}
    for name, family in (("addresses.private-ip-address", "."), ("ipv6-addresses.ipv6-address", ":")):
        values = sorted(address for address in wanted if family in address)
        for item in view.items(INTERFACES, Filters=[{"Name": name, "Values": values}]) if values else ():
            for address in own_addresses(item):
                if address in wanted and (address not in found or item.get("VpcId") == vpc):
                    found[address] = item
    return tuple(Resolved(text, found[text]["NetworkInterfaceId"] if text in found else None) for text in wanted)


def own_addresses(interface: Item) -> tuple[str, ...]:
    """Every address of an interface."""
    ipv4 = [entry.get("PrivateIpAddress") for entry in interface.get("PrivateIpAddresses", ())]
    ipv6 = [entry.get("Ipv6Address") for entry in interface.get("Ipv6Addresses", ())]
    return tuple(dict.fromkeys(text for text in (interface.get("PrivateIpAddress"), *ipv4, *ipv6) if text))

"""Which resolver a VPC's hosts ask, and whether it answers for private names: DHCP options and DNS attributes."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_network
from typing import Any

from probe.addresses import AMAZON_PROVIDED_DNS
from probe.configuration.operations import DHCP_OPTIONS, VPC_ATTRIBUTE, VPCS
from probe.configuration.view import MissingError, View
from probe.gates import resolver_rules
from probe.gates.dns_changes import SetVpcAttribute
from probe.gates.lookup import Lookup
from probe.gates.opinion import Opinion, allows, depends, refuses, unknown
from probe.model import GateName
from probe.records import replace

_AMAZON = ("amazonprovideddns", *AMAZON_PROVIDED_DNS)
_NO_OPTIONS = "default"  # a VPC without a set of DHCP options
_SUPPORT, _HOSTNAMES = "enableDnsSupport", "enableDnsHostnames"


def dhcp_options(view: View, lookup: Lookup) -> tuple[Opinion, Lookup | None]:
    """Which servers the VPC hands out, and the lookup at an inbound endpoint of Resolver if the first one is that.

    A client asks the servers in order, so the first one decides.
    """
    gate = GateName.DHCP_OPTIONS
    try:
        vpc = view.item(VPCS, lookup.vpc) or {}
        identity = vpc.get("DhcpOptionsId")
        if identity in (None, _NO_OPTIONS):
            return depends(gate, f"{lookup.vpc} has no DHCP options: its resolver depends on the host"), None
        options = view.item(DHCP_OPTIONS, identity)
    except MissingError as error:
        return unknown(gate, error, lookup.vpc), None
    servers = _servers(options or {})
    if not servers:
        return depends(gate, f"{identity} hands out no server: the resolver depends on the host", identity), None
    first = servers[0]
    if first.lower() in (*_AMAZON, _base_plus_two(vpc)):
        return allows(gate, f"{identity} hands out {first}, the VPC's own resolver", identity, first), None
    element = f"domain-name-servers {', '.join(servers)}"
    hub = at_inbound_endpoint(view, servers, lookup)
    if hub is not None:
        sentence = f"{identity} hands out {first}, an inbound endpoint of Resolver in {hub.vpc}"
        return allows(gate, sentence, identity, element), hub
    sentence = f"{identity} hands out {', '.join(servers)}: what these servers answer cannot be read"
    return replace(depends(gate, sentence, identity, element), cause="dns.custom-resolver"), None


def at_inbound_endpoint(view: View, servers: Sequence[str], lookup: Lookup) -> Lookup | None:
    """The lookup in the VPC of the inbound endpoint that has the first address.

    None where it is no endpoint that can be read, or where the query has been in that VPC before.
    """
    try:
        inbound = resolver_rules.inbound_at(view, servers)
    except MissingError:
        return None
    if inbound is None or (inbound.vpc in lookup.visited and lookup.inbound):
        return None
    visited = (*lookup.visited, inbound.vpc)
    return replace(lookup, vpc=inbound.vpc, inbound=True, server=servers[0], visited=visited)


def dns_attributes(view: View, lookup: Lookup, *, private: bool) -> Opinion:
    """Whether the VPC's resolver answers at all, and for private names, if the name is `private` here.

    AWS[vpc-dns-attributes]
    """
    gate = GateName.VPC_DNS_ATTRIBUTES
    values: dict[str, bool] = {}
    missing: MissingError | None = None
    for attribute in (_SUPPORT, _HOSTNAMES):
        try:
            reply = view.reply(VPC_ATTRIBUTE, Attribute=attribute, VpcId=lookup.vpc)
            member = reply.get(f"{attribute[0].upper()}{attribute[1:]}", {})
            values[attribute] = bool(member.get("Value"))
        except MissingError as error:
            missing = error
    off = [attribute for attribute, value in values.items() if not value]
    if off and (private or _SUPPORT in off):
        effect = "its resolver answers nothing" if _SUPPORT in off else "private names do not resolve"
        return refuses(
            gate,
            f"{off[0]} is off in {lookup.vpc}, so {effect}",
            cause="dns.vpc-attributes-off",
            identity=lookup.vpc,
            element=off[0],
            change=SetVpcAttribute(object=lookup.vpc, attribute=off[0]),
        )
    if missing is not None:
        return unknown(gate, missing, lookup.vpc)
    if off:
        return allows(gate, f"{off[0]} is off in {lookup.vpc}, where no private name is needed", lookup.vpc)
    return allows(gate, f"DNS support and DNS hostnames are on in {lookup.vpc}", lookup.vpc)


def is_silent(attributes: Opinion) -> bool:
    """Whether the VPC's resolver answers nothing at all."""
    return attributes.refuses and attributes.element == _SUPPORT


def _servers(options: dict[str, Any]) -> tuple[str, ...]:
    for entry in options.get("DhcpConfigurations", ()):
        if entry.get("Key") == "domain-name-servers":
            return tuple(value.get("Value", "") for value in entry.get("Values", ()))
    return ()


def _base_plus_two(vpc: dict[str, Any]) -> str:
    """The address of the VPC's resolver: AWS[amazon-dns-addresses]."""
    cidr = vpc.get("CidrBlock")
    return str(ip_network(cidr, strict=False)[2]) if cidr else ""

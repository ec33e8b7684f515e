"""Security groups: stateful, rules only allow, and the rules of all groups of an interface count together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import ip_address, ip_network
from typing import Any

from probe.configuration.operations import PREFIX_LIST_ENTRIES, SECURITY_GROUPS
from probe.configuration.view import MissingError, View
from probe.gates.changes import AddSecurityGroupRule
from probe.gates.flow import Flow
from probe.gates.opinion import Opinion, allows, depends, refuses
from probe.model import GateName
from probe.records import Record

PORT = 443
_TCP = ("-1", "tcp", "6")


class Peers(Record, frozen=True):
    """The other side of a connection: its addresses or, if these are unknown, the ranges they come from, and its
    groups with their VPC."""

    addresses: tuple[str, ...]
    ranges: tuple[str, ...]
    groups: tuple[str, ...]
    vpc: str | None
    prefix_list: str | None = None  # all of the addresses are in this list


class Match(Record, frozen=True):
    """How much of the peers the rules admit. `element` is the rule, `part` what it admits of the ranges."""

    whole: bool
    element: str | None = None
    part: str | None = None


def egress(view: View, flow: Flow) -> Opinion:
    """Whether the groups of the pulling interface let the packet out."""
    peers = Peers((flow.address,), (), flow.target_groups, flow.target_vpc, flow.service)
    return _judge(view, GateName.SECURITY_GROUP_EGRESS, flow, flow.origin.groups, peers, egress=True)


def ingress(view: View, flow: Flow) -> Opinion | None:
    """Whether the groups of the endpoint's interface let the packet in; None where the address has no interface."""
    if flow.interface is None:
        return None
    origin = flow.origin
    peers = Peers(origin.addresses, origin.ranges, origin.groups, origin.vpc)
    return _judge(view, GateName.SECURITY_GROUP_INGRESS, flow, flow.target_groups, peers, egress=False)


def _judge(view: View, gate: GateName, flow: Flow, groups: Sequence[str], peers: Peers, *, egress: bool) -> Opinion:
    found = view.some(SECURITY_GROUPS, groups)
    listed = ", ".join(groups)
    towards, whom = ("to", flow.address) if egress else ("from", _in_words(peers))
    matches: list[tuple[str, Match]] = []
    unread: MissingError | None = None
    for identity, group in found.items():
        for permission in (group or {}).get("IpPermissionsEgress" if egress else "IpPermissions", ()):
            try:
                match = _match(view, permission, peers)
            except MissingError as error:
                unread = error  # another rule may admit it
                continue
            if match is not None:
                matches.append((identity, match))
    for identity, match in matches:
        if match.whole:
            return allows(gate, f"{identity} allows {PORT} {towards} {whom}", identity, match.element)
    if unread is not None:
        raise unread
    if matches:
        identity, match = matches[0]
        sentence = f"{identity} allows {PORT} {towards} {match.part}, which is only a part of {whom}"
        return depends(gate, sentence, identity, match.element)
    first = groups[0] if groups else None
    return refuses(
        gate,
        f"no rule of {listed or 'any security group'} allows {PORT} {towards} {whom}",
        cause=_cause(flow, egress=egress),
        identity=first,
        element="egress" if egress else "ingress",
        change=_change(first, flow, peers, egress=egress) if first else None,
    )


def _cause(flow: Flow, *, egress: bool) -> str:
    return (
        "tcp.security-group-s3-egress"
        if egress and flow.endpoint == "s3" and not flow.interface
        else "tcp.security-group"
    )


def _change(identity: str, flow: Flow, peers: Peers, *, egress: bool) -> AddSecurityGroupRule:
    """The smallest rule that admits the packet: by group where both interfaces are in one VPC, else by range."""
    if peers.prefix_list is not None:
        return AddSecurityGroupRule(object=identity, egress=egress, prefix_list=peers.prefix_list)
    if peers.groups and peers.vpc == flow.origin.vpc == (flow.target_vpc or flow.origin.vpc):
        return AddSecurityGroupRule(object=identity, egress=egress, group=peers.groups[0])
    own = next(iter(peers.ranges), None) or _single(peers.addresses[0])
    return AddSecurityGroupRule(object=identity, egress=egress, cidr=own)


def _single(address: str) -> str:
    return str(ip_network(address))


def _in_words(peers: Peers) -> str:
    places = list(peers.addresses or peers.ranges)
    return " or ".join([*places, *peers.groups]) or "anywhere"


def _match(view: View, permission: dict[str, Any], peers: Peers) -> Match | None:
    """What of the peers this rule admits; None: nothing. Raises MissingError."""
    if str(permission.get("IpProtocol")) not in _TCP or not _has_port(permission):
        return None
    for pair in permission.get("UserIdGroupPairs", ()):
        # A reference works within the VPC, and across VPCs only over an active peering or a transit gateway.
        if pair.get("GroupId") in peers.groups and pair.get("PeeringStatus") in (None, "active"):
            return Match(True, f"{_label(permission)} {pair['GroupId']}")
    parts: list[Match] = []
    for cidr in _ranges(view, permission):
        match = _covers(cidr, peers)
        if match is not None and match.whole:
            return Match(True, f"{_label(permission)} {cidr}")
        if match is not None:
            parts.append(Match(False, f"{_label(permission)} {cidr}", match.part))
    for entry in permission.get("PrefixListIds", ()):
        if peers.prefix_list is not None and entry.get("PrefixListId") == peers.prefix_list:
            return Match(True, f"{_label(permission)} {peers.prefix_list}")
    return parts[0] if parts else None


def _label(permission: dict[str, Any]) -> str:
    protocol = str(permission.get("IpProtocol"))
    return "all" if protocol == "-1" else f"tcp {permission.get('FromPort')}-{permission.get('ToPort')}"


def _has_port(permission: dict[str, Any]) -> bool:
    if str(permission.get("IpProtocol")) == "-1":
        return True
    first, last = permission.get("FromPort", 0), permission.get("ToPort", 65535)
    return bool(first == -1 or first <= PORT <= last)


def _ranges(view: View, permission: dict[str, Any]) -> Iterator[str]:
    for entry in permission.get("IpRanges", ()):
        yield entry["CidrIp"]
    for entry in permission.get("Ipv6Ranges", ()):
        yield entry["CidrIpv6"]
    for entry in permission.get("PrefixListIds", ()):
        for item in view.items(PREFIX_LIST_ENTRIES, PrefixListId=entry["PrefixListId"]):
            yield item["Cidr"]


def _covers(cidr: str, peers: Peers) -> Match | None:
    network = ip_network(cidr, strict=False)
    addresses = [ip_address(text) for text in peers.addresses]
    same = [address for address in addresses if address.version == network.version]
    if addresses:
        return Match(True) if same and all(address in network for address in same) else None
    ranges = [other for text in peers.ranges if (other := ip_network(text)).version == network.version]
    for other in ranges:
        if other.subnet_of(network):  # type: ignore[arg-type]
            return Match(True)
        if network.subnet_of(other):  # type: ignore[arg-type]
            return Match(False, part=cidr)
    return None

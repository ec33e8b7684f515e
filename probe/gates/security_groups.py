"""Security groups: stateful, rules only allow, and the rules of all groups of an interface count together.

A rule admits one address family, by range, prefix list, or the other interface's group. AWS[security-groups]
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from probe.configuration.document import Obstacle
from probe.configuration.operations import (
    INTERFACES,
    PREFIX_LIST_ENTRIES,
    SECURITY_GROUP_RULES,
    SECURITY_GROUPS,
)
from probe.configuration.view import MissingError, View
from probe.gates.changes import AddSecurityGroupRule
from probe.gates.flow import Flow
from probe.gates.opinion import Opinion, allows, depends, refuses
from probe.gates.public_parts import is_of_aws
from probe.gates.ranges import Network, Span, common, covered, networks, shown, span
from probe.gates.route_tables import Hop, way_of
from probe.model import GateName
from probe.narration import few
from probe.records import Record, replace

_PROTOCOLS = {"tcp": ("-1", "tcp", "6"), "udp": ("-1", "udp", "17")}
_MOST_PEERS = 3  # in a sentence


class Peers(Record, frozen=True):
    """The other side of a connection: where its packets come from or go to, and its groups."""

    networks: tuple[Network, ...]
    groups: tuple[str, ...]
    prefix_list: str | None = None  # all of the addresses are in this list

    @property
    def words(self) -> str:
        return " or ".join([*map(shown, self.networks), *self.groups]) or "anywhere"


class Match(Record, frozen=True):
    """A rule that admits a part of the peers: `spans` of their addresses, or all where it names their group.

    `condition`: whether it does depends on that.
    """

    group: str
    permission: dict[str, Any]
    peer: str  # as in the rule: a range, a group, a prefix list
    spans: tuple[Span, ...]
    whole: bool = False
    condition: str | None = None


def egress(view: View, flow: Flow) -> Opinion:
    """Whether the groups of the pulling interface let the packet out."""
    peers = Peers(flow.destinations, flow.target_groups, flow.prefix_list)
    return _judge(view, GateName.SECURITY_GROUP_EGRESS, flow, flow.origin.groups, peers)


def ingress(view: View, flow: Flow) -> Opinion | None:
    """Whether the groups of the endpoint's interface let the packet in; None where the address has no interface."""
    if flow.interface is None:
        return None
    view.item(INTERFACES, flow.interface)  # without it, its groups are not known
    origin = flow.origin
    peers = Peers(origin.networks(flow.version), origin.groups)
    return _judge(view, GateName.SECURITY_GROUP_INGRESS, flow, flow.target_groups, peers)


def _judge(view: View, gate: GateName, flow: Flow, groups: Sequence[str], peers: Peers) -> Opinion:
    egress = gate is GateName.SECURITY_GROUP_EGRESS
    found = view.some(SECURITY_GROUPS, groups)
    towards, whom = ("to", flow.place) if egress else ("from", peers.words)
    matches: list[Match] = []
    unread: MissingError | None = None
    if not groups or None in found.values():  # a group of another account, perhaps
        unread = MissingError(SECURITY_GROUPS, Obstacle.NOT_FOUND)
    for identity, group in found.items():
        for permission in (group or {}).get("IpPermissionsEgress" if egress else "IpPermissions", ()):
            try:
                matches.extend(_matches(view, identity, permission, peers, flow, egress=egress))
            except MissingError as error:
                unread = error  # another rule may admit it
    spans = [span(network) for network in peers.networks]
    whole = next((match for match in matches if match.whole or covered(spans, match.spans)), None)
    admitted = [part for match in matches for part in match.spans]
    if whole is None and spans and covered(spans, admitted):
        whole = matches[0]
    if whole is not None:
        element = _element(view, whole, egress=egress)
        return allows(gate, f"{whole.group} allows {flow.service_port} {towards} {whom}", whole.group, element)
    if unread is not None:
        raise unread
    if matches:
        match = matches[0]
        admitted_peers = few(dict.fromkeys(other.peer for other in matches), _MOST_PEERS)
        condition = match.condition or f"which is only a part of {whom}{flow.decided_by if egress else ''}"
        sentence = f"{match.group} allows {flow.service_port} {towards} {admitted_peers}, {condition}"
        return depends(gate, sentence, match.group, _element(view, match, egress=egress))
    listed = ", ".join(groups)
    return refuses(
        gate,
        f"no rule of {listed} allows {flow.service_port} {towards} {whom}",
        cause="tcp.security-group-s3-egress" if egress and flow.public and flow.service else "tcp.security-group",
        identity=groups[0],
        element="egress" if egress else "ingress",
        change=_change(groups[0], flow, peers, egress=egress),
    )


def _change(identity: str, flow: Flow, peers: Peers, *, egress: bool) -> AddSecurityGroupRule | None:
    """The smallest rule that admits the packet: by group where both interfaces are in one VPC, else by range."""
    rule = AddSecurityGroupRule(object=identity, egress=egress, protocol=flow.protocol, port=flow.port)
    if peers.prefix_list is not None:
        return replace(rule, prefix_list=peers.prefix_list)
    if flow.is_somewhere:
        return replace(rule, cidr="0.0.0.0/0" if flow.version == 4 else "::/0")
    if peers.groups and not flow.crosses_vpcs:
        return replace(rule, group=peers.groups[0])
    if not peers.networks:
        return None
    return replace(rule, cidr=str(peers.networks[0]))


def _matches(
    view: View, group: str, permission: dict[str, Any], peers: Peers, flow: Flow, *, egress: bool
) -> Iterator[Match]:
    """What of the peers this rule admits. Raises MissingError."""
    if str(permission.get("IpProtocol")) not in _PROTOCOLS[flow.protocol] or not _has_port(permission, flow.port):
        return
    for pair in permission.get("UserIdGroupPairs", ()):
        if pair.get("GroupId") in peers.groups:
            yield from _reference(view, Match(group, permission, pair["GroupId"], ()), pair, flow, egress=egress)
    for cidr in _ranges(permission):
        yield from _part(group, permission, peers, cidr, [cidr])
    for entry in permission.get("PrefixListIds", ()):
        identity = entry["PrefixListId"]
        if identity == peers.prefix_list:
            yield Match(group, permission, identity, (), whole=True)
        elif not (flow.is_somewhere and is_of_aws(view, identity)):
            listed = view.items(PREFIX_LIST_ENTRIES, PrefixListId=identity)
            yield from _part(group, permission, peers, identity, [item["Cidr"] for item in listed])


def _reference(view: View, match: Match, pair: dict[str, Any], flow: Flow, *, egress: bool) -> Iterator[Match]:
    """A rule that names the other interface's group. AWS[security-group-references]

    It admits traffic within the VPC that no appliance forwards, and over an active peering. Over a transit gateway only
    rules for inbound traffic can do that, where its option is on. Raises MissingError.
    """
    if pair.get("PeeringStatus") not in (None, "active"):
        return
    if not flow.crosses_vpcs and not flow.is_within_subnet:
        found = way_of(view, flow)
        if found is not None and found.hop in (Hop.DEVICE, Hop.INSPECTION):
            return
    if not flow.crosses_vpcs or pair.get("PeeringStatus") == "active":
        yield replace(match, whole=True)
    elif not egress:
        yield replace(match, condition="which counts across VPCs only where the transit gateway's option is on")


def _part(group: str, permission: dict[str, Any], peers: Peers, peer: str, cidrs: Sequence[str]) -> Iterator[Match]:
    spans = []
    for network in peers.networks:
        for admitted in networks(cidrs, network.version):
            both = common(span(network), span(admitted))
            if both is not None:
                spans.append(both)
    if spans:
        yield Match(group, permission, peer, tuple(spans))


def _has_port(permission: dict[str, Any], port: int) -> bool:
    if str(permission.get("IpProtocol")) == "-1":
        return True
    first, last = permission.get("FromPort", 0), permission.get("ToPort", 65535)
    return bool(first == -1 or first <= port <= last)


def _ranges(permission: dict[str, Any]) -> Iterator[str]:
    for entry in permission.get("IpRanges", ()):
        yield entry["CidrIp"]
    for entry in permission.get("Ipv6Ranges", ()):
        yield entry["CidrIpv6"]


def _element(view: View, match: Match, *, egress: bool) -> str:
    """The id of the rule, or its contents where the ids of rules cannot be read."""
    try:
        rules = view.listed(SECURITY_GROUP_RULES, (match.group,))
    except MissingError:
        return f"{_label(match.permission)} {match.peer}"
    for rule in rules:
        peers = (
            rule.get("CidrIpv4"),
            rule.get("CidrIpv6"),
            rule.get("PrefixListId"),
            rule.get("ReferencedGroupInfo", {}).get("GroupId"),
        )
        if bool(rule.get("IsEgress")) is egress and match.peer in peers and _is_same(rule, match.permission):
            return str(rule["SecurityGroupRuleId"])
    return f"{_label(match.permission)} {match.peer}"


def _is_same(rule: dict[str, Any], permission: dict[str, Any]) -> bool:
    """Whether protocol and ports agree. A rule for all ports has -1 there, a permission has none."""
    pairs = ((rule.get(key), permission.get(key)) for key in ("FromPort", "ToPort"))
    same_ports = all(one == other or {one, other} <= {-1, None} for one, other in pairs)
    return str(rule.get("IpProtocol")) == str(permission.get("IpProtocol")) and same_ports


def _label(permission: dict[str, Any]) -> str:
    protocol = str(permission.get("IpProtocol"))
    return "all" if protocol == "-1" else f"tcp {permission.get('FromPort')}-{permission.get('ToPort')}"

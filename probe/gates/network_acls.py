"""Network ACLs: stateless, so a connection passes four of them, unless both interfaces are in one subnet.

The first entry that matches decides, by number; what no entry matches is denied. IPv4 and IPv6 have entries of their
own. AWS[network-acls]
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from probe.configuration.document import Obstacle
from probe.configuration.operations import NETWORK_ACLS, SUBNETS
from probe.configuration.view import MissingError, View
from probe.gates.flow import Flow
from probe.gates.network_changes import AddNetworkAclEntry, free_number
from probe.gates.opinion import Opinion, allows, depends, refuses
from probe.gates.ranges import Network, Span, between, common, covered, networks, shown, span
from probe.model import GateName
from probe.records import Record

_PROTOCOLS = {"tcp": ("-1", "6"), "udp": ("-1", "17")}
EPHEMERAL: Span = (1024, 65535)
_LAST_NUMBER = 32766


class Area(Record, frozen=True):
    """Addresses and ports."""

    addresses: Span
    ports: Span


class Look(Record, frozen=True):
    """What one list is asked: whether packets to or from `peers` pass, with these destination ports."""

    gate: GateName
    subnet: str
    vpc: str
    egress: bool
    peers: tuple[Network, ...]
    ports: Span
    grant: tuple[str, ...]  # the ranges for which a new entry would allow it
    place: str | None = None  # `peers` in words
    decided_by: str = ""  # the end of a sentence on a part of them
    protocol: str = "tcp"
    client_ports: Span = (32768, 60999)  # without which no reply arrives
    other_ports: str = "the system uses only if it is set so"  # who uses those outside them

    @property
    def is_request(self) -> bool:
        """Whether packets go to the service's one port, not back from it."""
        return self.ports[0] == self.ports[1]

    @property
    def words(self) -> str:
        ports = f"{self.ports[0]}" if self.is_request else f"ports {self.ports[0]}-{self.ports[1]}"
        return f"{ports} {self.towards}"

    @property
    def towards(self) -> str:
        """The direction and the peers in words."""
        return f"{'to' if self.egress else 'from'} {self.place or ' and '.join(map(shown, self.peers))}"


def egress(view: View, flow: Flow) -> Opinion | None:
    """The request, where it leaves the pulling subnet."""
    if flow.is_within_subnet:
        sentence = f"{flow.address} is in the same subnet, where no network ACL is passed"
        return allows(GateName.NACL_EGRESS, sentence, flow.origin.subnet)
    return judge(view, _of_origin(view, flow, forth=True))


def ingress(view: View, flow: Flow) -> Opinion | None:
    """The request, where it enters the endpoint's subnet."""
    look = _of_target(flow, forth=True)
    return judge(view, look) if look else None


def return_egress(view: View, flow: Flow) -> Opinion | None:
    """The reply, where it leaves the endpoint's subnet."""
    look = _of_target(flow, forth=False)
    return judge(view, look) if look else None


def return_ingress(view: View, flow: Flow) -> Opinion | None:
    """The reply, where it enters the pulling subnet."""
    return None if flow.is_within_subnet else judge(view, _of_origin(view, flow, forth=False))


def _of_origin(view: View, flow: Flow, *, forth: bool) -> Look:
    gate = GateName.NACL_EGRESS if forth else GateName.NACL_RETURN_INGRESS
    return Look(
        gate=gate,
        subnet=flow.origin.subnet,
        vpc=flow.origin.vpc,
        egress=forth,
        peers=flow.destinations,
        ports=_ports_of(flow, forth=forth),
        grant=_destinations(view, flow),
        place=flow.place,
        decided_by=flow.decided_by,
        protocol=flow.protocol,
        client_ports=flow.origin.client_ports,
    )


def _of_target(flow: Flow, *, forth: bool) -> Look | None:
    if flow.target_subnet is None or flow.target_vpc is None or flow.is_within_subnet:
        return None
    gate = GateName.NACL_INGRESS if forth else GateName.NACL_RETURN_EGRESS
    sources = networks(flow.origin.ranges or flow.origin.addresses, flow.version)
    return Look(
        gate,
        flow.target_subnet,
        flow.target_vpc,
        not forth,
        flow.origin.networks(flow.version),
        _ports_of(flow, forth=forth),
        tuple(map(str, sources)),
        protocol=flow.protocol,
        client_ports=flow.origin.client_ports,
    )


def _ports_of(flow: Flow, *, forth: bool) -> Span:
    return (flow.port, flow.port) if forth else EPHEMERAL


def _destinations(view: View, flow: Flow) -> tuple[str, ...]:
    """The smallest ranges that an entry needs for this destination: an ACL takes no prefix list."""
    if flow.public:
        return ("0.0.0.0/0" if flow.version == 4 else "::/0",)
    try:
        subnet = view.item(SUBNETS, flow.target_subnet) if flow.target_subnet else None
    except MissingError:
        subnet = None
    own = networks((flow.address,), flow.version)
    found = [each for each in networks(_ranges_of(subnet or {}), flow.version) if common(span(each), span(own[0]))]
    return tuple(map(str, found or own))


def _ranges_of(subnet: dict[str, Any]) -> Iterable[str]:
    if subnet.get("CidrBlock"):
        yield subnet["CidrBlock"]
    for entry in subnet.get("Ipv6CidrBlockAssociationSet", ()):
        if entry.get("Ipv6CidrBlockState", {}).get("State", "associated") == "associated":
            yield entry["Ipv6CidrBlock"]


def judge(view: View, look: Look) -> Opinion:
    """Whether the network ACL of a subnet lets these packets through. Raises MissingError."""
    acl = acl_of(view, look.subnet, look.vpc)
    identity = acl["NetworkAclId"]
    entries = [entry for entry in acl.get("Entries", ()) if bool(entry.get("Egress")) is look.egress]
    decided = _decide(entries, [Area(span(peer), look.ports) for peer in look.peers], look)
    refused = [(area, entry) for area, entry in decided if (entry or {}).get("RuleAction") != "allow"]
    if not refused:
        numbers = dict.fromkeys(str(entry["RuleNumber"]) for _, entry in decided if entry)
        return allows(look.gate, f"{identity} allows {look.words}", identity, ", ".join(numbers) or None)
    needed = [(area, entry) for area, entry in refused if common(area.ports, _needed(look))]
    spans = [span(peer) for peer in look.peers]
    if needed and covered(spans, (area.addresses for area, _ in needed)):
        area, entry = needed[0]
        return refuses(
            look.gate,
            f"{_decider(entry, identity)} denies {_ports(area, look)}{_replies(look)}",
            cause="tcp.nacl",
            identity=identity,
            element=_number(entry),
            change=_change(identity, entries, [entry for _, entry in refused], look),
        )
    area, entry = (needed or refused)[0]
    if needed:
        which = (entry or {}).get("CidrBlock") or (entry or {}).get("Ipv6CidrBlock")
        part = which if which and _number(entry) != "*" else between(area.addresses, look.peers[0].version)
        why = f"{_decider(entry, identity)} denies {part}, a part of {look.words}{look.decided_by}"
    else:
        denied = f"ports {area.ports[0]}-{area.ports[1]}"
        why = f"{_decider(entry, identity)} denies {denied} of replies, which {look.other_ports}"
    return depends(look.gate, why, identity, _number(entry))


def acl_of(view: View, subnet: str, vpc: str) -> dict[str, Any]:
    """The network ACL of a subnet; the VPC's default one where none is associated. Raises MissingError."""
    default = None
    for acl in view.items(NETWORK_ACLS, Filters=[{"Name": "vpc-id", "Values": [vpc]}]):
        if any(association.get("SubnetId") == subnet for association in acl.get("Associations", ())):
            return acl
        default = acl if acl.get("IsDefault") else default
    if default is None:
        raise MissingError(NETWORK_ACLS, Obstacle.NOT_FOUND)  # a shared subnet's belongs to the owner
    return default


def _decide(
    entries: Iterable[dict[str, Any]], areas: Sequence[Area], look: Look
) -> list[tuple[Area, dict[str, Any] | None]]:
    """Which entry decides which part; None: none, which denies."""
    decided: list[tuple[Area, dict[str, Any] | None]] = []
    rest = list(areas)
    version = look.peers[0].version if look.peers else 4
    for entry in sorted(entries, key=lambda entry: int(entry["RuleNumber"])):
        box = _box(entry, version, look.protocol)
        remaining = []
        for area in rest:
            part = _common(area, box)
            if part is None:
                remaining.append(area)
            else:
                decided.append((part, entry))
                remaining.extend(_without(area, part))
        rest = remaining
    return [*decided, *((area, None) for area in rest)]


def _box(entry: dict[str, Any], version: int, protocol: str) -> Area | None:
    """What an entry matches; None where it is of another protocol or address family."""
    found = networks((text for key in ("CidrBlock", "Ipv6CidrBlock") if (text := entry.get(key))), version)
    if not found or str(entry.get("Protocol")) not in _PROTOCOLS[protocol]:
        return None
    ports = entry.get("PortRange") if str(entry["Protocol"]) != "-1" else None
    return Area(span(found[0]), (ports["From"], ports["To"]) if ports else (0, 65535))


def _common(area: Area, box: Area | None) -> Area | None:
    addresses = common(area.addresses, box.addresses) if box else None
    ports = common(area.ports, box.ports) if box else None
    return Area(addresses, ports) if addresses and ports else None


def _without(area: Area, part: Area) -> Iterable[Area]:
    (first, last), (low, high) = area.addresses, area.ports
    if first < part.addresses[0]:
        yield Area((first, part.addresses[0] - 1), area.ports)
    if part.addresses[1] < last:
        yield Area((part.addresses[1] + 1, last), area.ports)
    if low < part.ports[0]:
        yield Area(part.addresses, (low, part.ports[0] - 1))
    if part.ports[1] < high:
        yield Area(part.addresses, (part.ports[1] + 1, high))


def _needed(look: Look) -> Span:
    """The ports without which a connection cannot work: of a reply, those that the operating system uses."""
    return look.ports if look.is_request else look.client_ports


def _number(entry: dict[str, Any] | None) -> str:
    """As the console shows it. The API lists the entry behind all others, which denies, with a number of its own."""
    return "*" if entry is None or int(entry["RuleNumber"]) > _LAST_NUMBER else str(entry["RuleNumber"])


def _decider(entry: dict[str, Any] | None, identity: str) -> str:
    number = _number(entry)
    return f"the last entry (*) of {identity}" if number == "*" else f"entry {number} of {identity}"


def _ports(area: Area, look: Look) -> str:
    ports = common(area.ports, _needed(look)) or area.ports
    listed = f"{ports[0]}" if ports[0] == ports[1] else f"ports {ports[0]}-{ports[1]}"
    return f"{listed} {look.towards}"


def _replies(look: Look) -> str:
    return "" if look.is_request else ", where replies pass"


def _change(
    identity: str, entries: Sequence[dict[str, Any]], refusing: Sequence[dict[str, Any] | None], look: Look
) -> AddNetworkAclEntry | None:
    """An entry in front of every one that denies a part."""
    taken = tuple(sorted(int(entry["RuleNumber"]) for entry in entries))
    denying = (int(entry["RuleNumber"]) for entry in refusing if entry)
    before = min((number for number in denying if number <= _LAST_NUMBER), default=None)
    number = free_number(taken, before)
    if number is None or not look.grant or look.protocol != "tcp":
        return None
    return AddNetworkAclEntry(
        object=identity,
        number=number,
        egress=look.egress,
        ports=look.ports,
        cidr=look.grant[0],
        taken=taken,
        before=before,
    )

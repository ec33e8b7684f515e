"""Faults of connections: addresses that stay silent, refuse or cannot be routed to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from probe.addresses import is_ipv6
from probe.faults import causes
from probe.faults.evidence import REFUSALS, Evidence
from probe.faults.fault import Fault
from probe.faults.findings import Suspects, cited, found, possible, settled
from probe.faults.host_facts import Visit, is_inside
from probe.model import AddressClass, Extent, Failure, Finding, Impact, Kind, Step
from probe.records import replace

SILENT = Fault(
    "tcp.silent",
    "nothing answers on port 443 of {endpoints}",
    "Packets to {where} are dropped, not refused. A security group of the endpoints, the task's own group and a "
    "network ACL look the same from inside; the reads below decide.",
    Impact.PULL,
    (causes.SECURITY_GROUP, causes.NETWORK_ACL),
)
PARTLY_SILENT = Fault(
    "tcp.partly-silent",
    "some addresses of {endpoints} do not answer on port 443, others do",
    "Each was tried twice. What admits one zone and not the other is a subnet's network ACL or a group that names "
    "addresses.",
    Impact.PULL,
    (causes.NETWORK_ACL, causes.SECURITY_GROUP, causes.ZONE_WITHOUT_INTERFACE),
    Extent.PARTLY,
)
S3_SILENT = Fault(
    "s3.silent",
    "nothing answers on port 443 of S3, where ECR keeps the layers",
    "{hosts} has public addresses, which is right with a gateway endpoint, but no packet comes back. A missing route "
    "and a closed group look the same from inside.",
    Impact.PULL,
    (
        causes.MISSING_S3,
        causes.S3_ROUTE_TABLE,
        causes.SECURITY_GROUP_S3_EGRESS,
        causes.NETWORK_ACL,
        causes.S3_INTERFACE_ONLY,
        causes.EGRESS_FIREWALL,
    ),
)
REFUSED = Fault(
    "tcp.refused",
    "connections to {endpoints} are refused",
    "AWS never refuses: groups and network ACLs drop. A firewall or host in between answered.",
    Impact.PULL,
    (causes.EGRESS_FIREWALL,),
)
REFUSED_PARTLY = replace(
    REFUSED,
    title="connections to some addresses of {endpoints} are refused, others work",
    extent=Extent.PARTLY,
)
NO_ROUTE = Fault(
    "tcp.no-route",
    "the task has no route to {endpoints}",
    "The connection failed at once, before a packet left: this host knows no way to {addresses}.",
    Impact.PULL,
    (causes.NO_ROUTE,),
)
IPV6_ONLY = Fault(
    "region.ipv6-unsupported-endpoint",
    "only IPv4 addresses are known for {endpoints}, and this task has only IPv6",
    "The name {hosts} is IPv4 only where this task asks.",
    Impact.PULL,
    (causes.IPV4_ONLY,),
)


def silent_addresses(evidence: Evidence) -> Iterator[Finding]:
    """Hosts none of whose addresses answers, or only some: packets are dropped."""
    groups: dict[tuple[Fault, Suspects], list[Visit]] = {}
    for visit in _own(evidence):
        if visit.unconnected((Failure.TIMEOUT,)):
            groups.setdefault(_silence(evidence, visit), []).append(visit)
    yield from _findings(evidence, groups, (Failure.TIMEOUT,))


def refusing_addresses(evidence: Evidence) -> Iterator[Finding]:
    """Connections that somebody refused, reset, prohibited or called unreachable though packets leave this host."""
    groups: dict[tuple[Fault, Suspects], list[Visit]] = {}
    for visit in _own(evidence):
        unreachable = _is_called_unreachable(evidence, visit)
        if not visit.unconnected(REFUSALS) and not unreachable:
            continue
        # An address inside the VPC that refuses can also be some other host, to which a private zone points.
        other = (causes.ZONE_CONFLICT,) if is_inside(visit.address_class) else ()
        route = (causes.NO_ROUTE,) if unreachable else ()
        fault = REFUSED_PARTLY if visit.connected else REFUSED
        groups.setdefault((fault, possible(*fault.causes, *other, *route)), []).append(visit)
    yield from _findings(evidence, groups, (*REFUSALS, Failure.UNREACHABLE))


def unroutable_addresses(evidence: Evidence) -> Iterator[Finding]:
    """Hosts to which this host knows no way: of another address family than the task's, or without any route."""
    groups: dict[tuple[Fault, Suspects], list[Visit]] = {}
    for visit in _own(evidence):
        if not visit.unconnected((Failure.UNREACHABLE,)) or _is_called_unreachable(evidence, visit):
            continue
        if evidence.is_ipv4_only(visit):
            groups.setdefault((IPV6_ONLY, settled(*IPV6_ONLY.causes)), []).append(visit)
        elif not visit.unconnected(REFUSALS):
            groups.setdefault((NO_ROUTE, possible(*NO_ROUTE.causes)), []).append(visit)
    yield from _findings(evidence, groups, (Failure.UNREACHABLE,))


def _is_called_unreachable(evidence: Evidence, visit: Visit) -> bool:
    """Whether a router said so. AWS drops silently; where packets of the family leave, our host is not the one."""
    lost = _families(visit.unconnected((Failure.UNREACHABLE,)))
    tried = (step for other in evidence.visits for step in other.last_tries)
    sent = _families(step for step in tried if step.failure is not Failure.UNREACHABLE)
    return bool(lost & sent) and not evidence.is_ipv4_only(visit)


def _own(evidence: Evidence) -> Iterator[Visit]:
    """Hosts whose connections are judged here: a public name's belong to `names`, another region's to `layers`."""
    for visit in evidence.visits:
        if not evidence.leaks(visit) and not evidence.is_other_region(visit):
            yield visit


def _silence(evidence: Evidence, visit: Visit) -> tuple[Fault, Suspects]:
    """What silence can mean at addresses of this class."""
    inside = is_inside(visit.address_class)
    if visit.connected and _is_lost_family(visit):
        return PARTLY_SILENT, possible(causes.NO_ROUTE, causes.NETWORK_ACL, causes.SECURITY_GROUP)
    if visit.connected:
        public = (causes.NETWORK_ACL, causes.SECURITY_GROUP_S3_EGRESS, causes.EGRESS_FIREWALL)
        return PARTLY_SILENT, possible(*(PARTLY_SILENT.causes if inside else public))
    if visit.endpoint.kind is Kind.GATEWAY and not inside:
        # A gateway endpoint routes its own region's S3 alone.
        foreign = (causes.CROSS_REGION,) if evidence.is_foreign(visit.endpoint) else ()
        return S3_SILENT, possible(*foreign, *S3_SILENT.causes)
    if visit.address_class is AddressClass.VPC:
        return SILENT, possible(*SILENT.causes)
    return SILENT, possible(*SILENT.causes, causes.NO_ROUTE, causes.EGRESS_FIREWALL)


def _is_lost_family(visit: Visit) -> bool:
    """All of one address family is silent and the other is not: IPv6, or DNS64's addresses, lack a route."""
    return not _families(visit.unconnected((Failure.TIMEOUT,))) & _families(visit.connected)


def _families(steps: Iterable[Step]) -> set[bool]:
    """The address families of what was dialled: IPv6 or not."""
    return {is_ipv6(step.address) for step in steps if step.address}


def _findings(
    evidence: Evidence, groups: dict[tuple[Fault, Suspects], list[Visit]], failures: tuple[Failure, ...]
) -> Iterator[Finding]:
    for (fault, suspects), visits in groups.items():
        names = tuple(visit.endpoint.name for visit in visits)
        yield found(
            fault,
            evidence,
            cited(*(visit.unconnected(failures) for visit in visits)),
            endpoints=names,
            impact=evidence.impact(names),
            extent=Extent.PARTLY if all(visit.connected for visit in visits) else Extent.WHOLLY,
            suspects=suspects,
            hosts=tuple(visit.host for visit in visits),
            where=_where(fault, visits),
        )


def _where(fault: Fault, visits: list[Visit]) -> str | None:
    if fault is not SILENT:
        return None
    known = all(visit.address_class is AddressClass.VPC for visit in visits)
    if any(visit.address_class is AddressClass.UNKNOWN for visit in visits):
        return "IPv6 addresses of which nobody can tell whose they are"
    return "addresses inside the VPC" if known else "private addresses outside the VPC's known ranges"


FAULTS = (SILENT, PARTLY_SILENT, S3_SILENT, REFUSED, NO_ROUTE, IPV6_ONLY)
RULES = (silent_addresses, refusing_addresses, unroutable_addresses)

"""Faults of connections: addresses that do not answer, refuse or have no route."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from probe.addresses import is_ipv6
from probe.faults import causes
from probe.faults.evidence import REFUSALS, Evidence, HostFacts, is_inside
from probe.faults.fault import Fault, Suspects, finding_of_hosts, finds, merged, possible
from probe.faults.name_suspects import is_abroad
from probe.model import AddressClass, Extent, Failure, Finding, Impact, Kind, Step

SILENT = Fault(
    "tcp.silent",
    "nothing answers on port 443 of {endpoints}",
    "Packets to addresses inside the VPC are dropped, not refused. From inside the task, the endpoints' security "
    "group, the task's own group, a network ACL and an address that no interface has look alike.",
    Impact.PULL,
    (causes.SECURITY_GROUP, causes.NETWORK_ACL, causes.STALE_RECORD),
)
SILENT_OUTSIDE = SILENT.variant(
    why=(
        "Packets to private addresses outside the VPC's known ranges are dropped, not refused. From inside the task, "
        "security groups, network ACLs, a missing route and a firewall look alike."
    ),
    causes=(*SILENT.causes, causes.NO_ROUTE, causes.EGRESS_FIREWALL),
)
SILENT_UNKNOWN = SILENT_OUTSIDE.variant(
    why=(
        "Packets to these IPv6 addresses are dropped, not refused. Whether the addresses belong to the VPC is unknown "
        "(--vpc-cidr)."
    )
)
PARTLY_SILENT = Fault(
    "tcp.partly-silent",
    "some addresses of {endpoints} do not answer on port 443, others do",
    "Each was tried twice. A subnet's network ACL, or a security group that lists addresses, can allow one zone and "
    "block another.",
    Impact.PULL,
    (causes.NETWORK_ACL, causes.SECURITY_GROUP, causes.ZONE_WITHOUT_INTERFACE),
    Extent.PARTLY,
    other_causes=(causes.NO_ROUTE, causes.SECURITY_GROUP_S3_EGRESS, causes.EGRESS_FIREWALL),
)
S3_SILENT = Fault(
    "s3.silent",
    "nothing answers on port 443 of S3, where ECR keeps the layers",
    "{hosts} has public addresses, as expected with a gateway endpoint, but no packet comes back. From inside the "
    "task, a missing route and a blocking security group look alike.",
    Impact.PULL,
    (
        causes.MISSING_S3,
        causes.S3_ROUTE_TABLE,
        causes.SECURITY_GROUP_S3_EGRESS,
        causes.NETWORK_ACL,
        causes.S3_INTERFACE_ONLY,
        causes.EGRESS_FIREWALL,
    ),
    other_causes=(causes.CROSS_REGION,),
)
REFUSED = Fault(
    "tcp.refused",
    "connections to {endpoints} are refused",
    "AWS never refuses a connection: security groups and network ACLs drop packets. A firewall or another host "
    "answered.",
    Impact.PULL,
    (causes.EGRESS_FIREWALL,),
    other_causes=(causes.ZONE_CONFLICT, causes.NO_ROUTE),
)
REFUSED_PARTLY = REFUSED.variant(
    title="connections to some addresses of {endpoints} are refused, others work", extent=Extent.PARTLY
)
NO_ROUTE = Fault(
    "tcp.no-route",
    "the task has no route to {endpoints}",
    "The connection failed immediately, before any packet was sent: this host has no route to {addresses}.",
    Impact.PULL,
    (causes.NO_ROUTE,),
)
IPV6_ONLY = Fault(
    "region.ipv6-unsupported-endpoint",
    "{endpoints} {resolve} only to IPv4 addresses, and this task has only IPv6",
    "DNS here has only A records for {hosts}.",
    Impact.PULL,
    (causes.IPV4_ONLY,),
    certain=True,
)


@finds(SILENT, SILENT_OUTSIDE, SILENT_UNKNOWN, PARTLY_SILENT, S3_SILENT)
def silent_addresses(evidence: Evidence) -> Iterator[Finding]:
    """Hosts with no address that answers, or only some: packets are dropped."""
    groups: dict[tuple[Fault, Suspects], list[HostFacts]] = {}
    for host in _own_hosts(evidence):
        if host.unconnected((Failure.TIMEOUT,)):
            groups.setdefault(_silence_of(evidence, host), []).append(host)
    yield from _findings(evidence, groups, (Failure.TIMEOUT,))


@finds(REFUSED, REFUSED_PARTLY)
def refusing_addresses(evidence: Evidence) -> Iterator[Finding]:
    """Connections refused, reset or prohibited on the way, or called unreachable although packets leave this host."""
    groups: dict[tuple[Fault, Suspects], list[HostFacts]] = {}
    for host in _own_hosts(evidence):
        unreachable = _is_unreachable_on_the_way(evidence, host)
        if not host.unconnected(REFUSALS) and not unreachable:
            continue
        # An address inside the VPC that refuses can also be another host that a private zone points to.
        other = (causes.ZONE_CONFLICT,) if is_inside(host.address_class) else ()
        route = (causes.NO_ROUTE,) if unreachable else ()
        fault = REFUSED_PARTLY if host.connected else REFUSED
        groups.setdefault((fault, possible(*fault.causes, *other, *route)), []).append(host)
    yield from _findings(evidence, groups, (*REFUSALS, Failure.UNREACHABLE))


@finds(NO_ROUTE, IPV6_ONLY)
def unroutable_addresses(evidence: Evidence) -> Iterator[Finding]:
    """Hosts that this host has no route to: another address family than the task's, or no route at all."""
    groups: dict[tuple[Fault, Suspects], list[HostFacts]] = {}
    for host in _own_hosts(evidence):
        if not host.unconnected((Failure.UNREACHABLE,)) or _is_unreachable_on_the_way(evidence, host):
            continue
        if evidence.is_ipv4_only(host):
            groups.setdefault((IPV6_ONLY, IPV6_ONLY.suspects), []).append(host)
        elif not host.unconnected(REFUSALS):
            groups.setdefault((NO_ROUTE, NO_ROUTE.suspects), []).append(host)
    yield from _findings(evidence, groups, (Failure.UNREACHABLE,))


def _is_unreachable_on_the_way(evidence: Evidence, host: HostFacts) -> bool:
    """Whether a router reported the host as unreachable: AWS drops silently, and this family has a route here."""
    lost = _families(host.unconnected((Failure.UNREACHABLE,)))
    tried = (step for other in evidence.hosts for step in other.last_tries)
    sent = _families(step for step in tried if step.failure is not Failure.UNREACHABLE)
    return bool(lost & sent) and not evidence.is_ipv4_only(host)


def _own_hosts(evidence: Evidence) -> Iterator[HostFacts]:
    """The hosts to judge here. `names` judges those with wrong addresses, `other_regions` those of another region."""
    for host in evidence.hosts:
        elsewhere = evidence.leads_elsewhere(host) or evidence.is_other_region(host) or is_abroad(evidence, host)
        if not (evidence.leaks(host) or elsewhere):
            yield host


def _silence_of(evidence: Evidence, host: HostFacts) -> tuple[Fault, Suspects]:
    """What can cause silence at addresses of this class."""
    inside = is_inside(host.address_class)
    if host.connected and _is_lost_family(host):
        return PARTLY_SILENT, possible(causes.NO_ROUTE, causes.NETWORK_ACL, causes.SECURITY_GROUP)
    if host.connected:
        public = (causes.NETWORK_ACL, causes.SECURITY_GROUP_S3_EGRESS, causes.EGRESS_FIREWALL)
        return PARTLY_SILENT, possible(*(PARTLY_SILENT.causes if inside else public))
    if host.endpoint.kind is Kind.GATEWAY and not inside:
        # AWS[s3-gateway-regional]
        foreign = (causes.CROSS_REGION,) if evidence.is_foreign(host.endpoint) else ()
        return S3_SILENT, possible(*foreign, *S3_SILENT.causes)
    if host.address_class is AddressClass.VPC:
        return SILENT, SILENT.suspects
    return SILENT_OUTSIDE, SILENT_OUTSIDE.suspects


def _is_lost_family(host: HostFacts) -> bool:
    """All of one address family is silent and the other is not: IPv6, or DNS64's addresses, lack a route."""
    return not _families(host.unconnected((Failure.TIMEOUT,))) & _families(host.connected)


def _families(steps: Iterable[Step]) -> set[bool]:
    """The address families of what was dialed: IPv6 or not."""
    return {is_ipv6(step.address) for step in steps if step.address}


def _findings(
    evidence: Evidence, groups: dict[tuple[Fault, Suspects], list[HostFacts]], failures: tuple[Failure, ...]
) -> Iterator[Finding]:
    for (fault, suspects), hosts in groups.items():
        unknown = any(host.address_class is AddressClass.UNKNOWN for host in hosts)
        fault = SILENT_UNKNOWN if fault is SILENT_OUTSIDE and unknown else fault
        steps = merged(*(host.unconnected(failures) for host in hosts))
        extent = Extent.PARTLY if all(host.connected for host in hosts) else Extent.WHOLLY
        yield finding_of_hosts(fault, evidence, hosts, steps, extent=extent, suspects=suspects)

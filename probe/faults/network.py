"""Faults of connections: addresses that do not answer, refuse or have no route."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from probe.addresses import embedded, is_ipv6
from probe.faults import causes
from probe.faults.causes import DESCRIBE_GROUP, DESCRIBE_TASK_INTERFACE, REPLACE_ROUTE, CauseText, advice, reads
from probe.faults.evidence import REFUSALS, Evidence, HostFacts, is_inside
from probe.faults.fault import Fault, Suspects, Wording, finding_of_hosts, finds, merged, possible
from probe.faults.name_suspects import is_abroad
from probe.model import AddressClass, Extent, Failure, Finding, Impact, Kind, Step

# Causes that only a configuration shows: from inside the task, none of them is likelier than the others.
_ON_THE_WAY = (causes.NO_ROUTE, causes.NO_PUBLIC_IP, causes.NAT_DEVICE, causes.BLOCK_PUBLIC_ACCESS)
# What else can silence an address inside the VPC, after groups, ACLs and records: the endpoint itself, and routes that
# lead through an inspection appliance. VPC encryption controls drop no TLS: AWS[vpc-encryption-controls].
SILENT = Fault(
    "tcp.silent",
    "nothing answers on port 443 of {endpoints}",
    "Packets to addresses inside the VPC are dropped, not refused. From inside the task, the endpoints' security "
    "group, the task's own group, a network ACL and an address that no interface has look alike.",
    Impact.PULL,
    (
        causes.SECURITY_GROUP,
        causes.NETWORK_ACL,
        causes.STALE_RECORD,
        causes.NOT_AVAILABLE,
        causes.EGRESS_FIREWALL,
    ),
    other_causes=_ON_THE_WAY,
)
SILENT_OUTSIDE = SILENT.variant(
    why=(
        "Packets to private addresses outside the VPC's known ranges are dropped, not refused. From inside the task, "
        "security groups, network ACLs, a missing route and a firewall look alike."
    ),
    causes=(
        causes.SECURITY_GROUP,
        causes.NETWORK_ACL,
        causes.STALE_RECORD,
        causes.NO_ROUTE,
        causes.EGRESS_FIREWALL,
        causes.NOT_AVAILABLE,
    ),
)
SILENT_UNKNOWN = SILENT_OUTSIDE.variant(
    why=(
        "Packets to these IPv6 addresses are dropped, not refused. Whether the addresses belong to the VPC is unknown "
        "(--vpc-cidr)."
    )
)
_TASK_GROUP = causes.SECURITY_GROUP.variant(
    title="the task's security group does not allow TCP 443 out",
    fix=advice(
        "allow TCP 443 out in the task's security group, to the endpoints and to S3's prefix list",
        "aws ec2 describe-managed-prefix-lists --region {task_region} "
        "--filters Name=prefix-list-name,Values={s3_service}",
        "aws ec2 authorize-security-group-egress --region {task_region} --group-id GROUP_ID "
        '--ip-permissions "IpProtocol=tcp,FromPort=443,ToPort=443,{to_endpoints},'
        'PrefixListIds=[{{PrefixListId=PREFIX_LIST_ID}}]"',
    ),
    confirm=reads(DESCRIBE_TASK_INTERFACE, DESCRIBE_GROUP),
)
_TASK_ACL = causes.NETWORK_ACL.variant(
    title="the network ACL of the task's subnet drops the packets in one direction",
)
SILENT_EVERYWHERE = SILENT.variant(
    title="nothing answers on port 443, neither the endpoints nor S3 ({endpoints})",
    why=(
        "Packets to addresses inside the VPC and to S3's public addresses are all dropped, so the cause is probably in "
        "the task's own security group or subnet. Two separate faults look the same: the endpoints' security group, "
        "and no S3 gateway endpoint."
    ),
    causes=(_TASK_GROUP, _TASK_ACL, causes.EGRESS_FIREWALL),
)
PARTLY_SILENT = Fault(
    "tcp.partly-silent",
    "some addresses of {endpoints} do not answer on port 443, others do",
    "Each was tried twice. A subnet's network ACL, or a security group that lists addresses, can allow one zone and "
    "block another.",
    Impact.PULL,
    (causes.NETWORK_ACL, causes.SECURITY_GROUP, causes.ZONE_WITHOUT_INTERFACE, causes.STALE_RECORD),
    Extent.PARTLY,
    other_causes=(*_ON_THE_WAY, causes.SECURITY_GROUP_S3_EGRESS, causes.EGRESS_FIREWALL),
    examples=(("family", "IPv6"),),
)
# The local route of a VPC covers its IPv6 range too, so a missing route cannot be the cause: AWS[local-route].
FAMILY_SILENT = PARTLY_SILENT.variant(
    title="the {family} addresses of {endpoints} do not answer on port 443, the others do",
    why=(
        "Every {family} address is silent, and those of the other family answer. Rules of security groups and network "
        "ACLs are for one address family. Between a VPC's own addresses there is always a route."
    ),
    causes=(causes.SECURITY_GROUP, causes.NETWORK_ACL, causes.STALE_RECORD),
)
ROUTE_SILENT = PARTLY_SILENT.variant(
    title="the {family} addresses of {endpoints} do not answer on port 443, the others do",
    why="Every {family} address is silent, and those of the other family answer. The way out can lack a route for it.",
    causes=(causes.NO_ROUTE, causes.NETWORK_ACL, causes.SECURITY_GROUP),
)
# AWS[ipv6-egress]
_NO_DNS64_ROUTE = causes.NO_ROUTE.variant(
    title="the subnet has DNS64, but no route for the addresses that it creates (64:ff9b::/96) to a NAT gateway",
    fix=advice(
        "turn off DNS64 in the subnet, or add a route for 64:ff9b::/96 to a NAT gateway",
        "aws ec2 modify-subnet-attribute --region {task_region} --subnet-id SUBNET_ID --no-enable-dns64",
        "aws ec2 create-route --region {task_region} --route-table-id RTB_ID {route_out}",
        note="Run only the command that applies. A task with IPv4 needs no DNS64.",
    ),
)
DNS64_SILENT = ROUTE_SILENT.variant(causes=(_NO_DNS64_ROUTE, *ROUTE_SILENT.causes[1:]))
S3_IPV6_SILENT = ROUTE_SILENT.variant(
    causes=(causes.S3_GATEWAY_IPV4, causes.NO_ROUTE, causes.NETWORK_ACL, causes.SECURITY_GROUP_S3_EGRESS)
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
    other_causes=(causes.CROSS_REGION, *_ON_THE_WAY),
)
S3_SILENT_IPV6 = S3_SILENT.variant(
    why=(
        "{hosts} has public IPv6 addresses, and no packet comes back. A gateway endpoint carries IPv6 only if its "
        "address type is dualstack or ipv6. One that was created without an address type may carry only IPv4."
    ),
    causes=(causes.S3_GATEWAY_IPV4, *S3_SILENT.causes, causes.NO_ROUTE),
)
S3_SILENT_WITH_WAY_OUT = S3_SILENT.variant(
    why=(
        "{hosts} does not answer, although other public addresses do. So there is a way out of the VPC, and a missing "
        "route does not explain the silence."
    ),
    causes=(causes.EGRESS_FIREWALL, causes.NETWORK_ACL, causes.SECURITY_GROUP_S3_EGRESS),
)
# AWS[network-firewall-reject]
REFUSED = Fault(
    "tcp.refused",
    "connections to {endpoints} are refused",
    "Security groups and network ACLs drop packets and never refuse a connection. A firewall answered, as AWS Network "
    "Firewall does with the action reject, or another host has this address.",
    Impact.PULL,
    (causes.EGRESS_FIREWALL,),
    other_causes=(causes.ZONE_CONFLICT, causes.STALE_RECORD),
)
REFUSED_PARTLY = REFUSED.variant(
    title="connections to some addresses of {endpoints} are refused, others work", extent=Extent.PARTLY
)
UNREACHABLE_INSIDE = REFUSED.variant(
    title="a host or router reports {affected} as unreachable",
    why=(
        "A VPC drops packets silently and always has a route between its own addresses. So a firewall rejects the "
        "connection, or no network interface has the address any more."
    ),
)
NO_ROUTE = Fault(
    "tcp.no-route",
    "the task has no route to {affected}",
    "The connection failed immediately, before any packet was sent: this host has no route to {addresses}.",
    Impact.PULL,
    (causes.NO_ROUTE,),
    other_causes=(causes.MISSING_S3, causes.S3_ROUTE_TABLE, causes.EGRESS_FIREWALL),
    in_texts=Wording(
        why="The system reports {addresses} as unreachable: this host, or a router on the way, has no route there."
    ),
)
_DEVICE_WITHOUT_ROUTE = causes.NO_ROUTE.variant(
    title="the device that the subnet routes to has no route to that address",
    fix=REPLACE_ROUTE.to("create the missing VPC endpoint, which needs no route, or correct the subnet's route"),
)
NO_ROUTE_FURTHER_ON = NO_ROUTE.variant(
    title="a router on the way has no route to {affected}",
    why=(
        "Packets leave this host, and a router answers that {addresses} cannot be reached. A VPC's own router never "
        "answers: the subnet's route leads to an instance or appliance, which has no route of its own, or rejects."
    ),
    causes=(_DEVICE_WITHOUT_ROUTE,),
)
_IPV6_ENDPOINT = causes.NO_ROUTE.variant(
    title="the endpoint has only IPv6 addresses, and the task has only IPv4 routes",
    fix=advice(
        "give the endpoint IPv4 addresses, or the task's subnet an IPv6 range",
        "aws ec2 modify-vpc-endpoint --region {task_region} --vpc-endpoint-id VPCE_ID --ip-address-type dualstack",
        note="EC2 accepts dualstack only if all subnets of the endpoint have both address families.",
    ),
    confirm=causes.IPV4_ONLY.confirm,
)
NO_IPV4 = NO_ROUTE.variant(
    title="{endpoints} {resolve} only to IPv6 addresses, and this task has only IPv4",
    why="DNS here has only AAAA records for {hosts}.",
    causes=(_IPV6_ENDPOINT,),
)
IPV6_ONLY = Fault(
    "region.ipv6-unsupported-endpoint",
    "{endpoints} {resolve} only to IPv4 addresses, and this task has only IPv6",
    "DNS here has only A records for {hosts}.",
    Impact.PULL,
    (causes.IPV4_ONLY,),
    certain=True,
)


@finds(
    SILENT,
    SILENT_OUTSIDE,
    SILENT_UNKNOWN,
    SILENT_EVERYWHERE,
    PARTLY_SILENT,
    FAMILY_SILENT,
    ROUTE_SILENT,
    DNS64_SILENT,
    S3_IPV6_SILENT,
    S3_SILENT,
    S3_SILENT_IPV6,
    S3_SILENT_WITH_WAY_OUT,
)
def silent_addresses(evidence: Evidence) -> Iterator[Finding]:
    """Hosts with no address that answers, or only some: packets are dropped."""
    silent = [host for host in _own_hosts(evidence) if host.unconnected((Failure.TIMEOUT,))]
    groups: dict[tuple[Fault, Suspects], list[HostFacts]] = {}
    for host in silent:
        groups.setdefault(_silence_of(evidence, host), []).append(host)
    if _is_everywhere(evidence, silent, (Failure.TIMEOUT,)):
        groups = {(SILENT_EVERYWHERE, SILENT_EVERYWHERE.suspects): silent}
    yield from _findings(evidence, groups, (Failure.TIMEOUT,))


def _is_everywhere(evidence: Evidence, lost: list[HostFacts], failures: Sequence[Failure]) -> bool:
    """Whether every address failed so: those of interface endpoints, and those of S3, which other rules can block."""
    tried = [host for host in evidence.hosts if host.last_tries]
    dead = all(step.failure in failures for host in tried for step in host.last_tries)
    kinds = {(host.endpoint.kind, is_inside(host.address_class)) for host in lost}
    both = (Kind.GATEWAY, False) in kinds and any(kind is Kind.INTERFACE for kind, _ in kinds)
    return not evidence.is_text and dead and both and len(tried) == len(lost)


@finds(REFUSED, REFUSED_PARTLY)
def refusing_addresses(evidence: Evidence) -> Iterator[Finding]:
    """Connections refused, reset or prohibited on the way."""
    groups: dict[tuple[Fault, Suspects], list[HostFacts]] = {}
    refused = [host for host in _own_hosts(evidence) if host.unconnected(REFUSALS)]
    for host in refused:
        fault = REFUSED_PARTLY if host.connected else REFUSED
        groups.setdefault((fault, possible(*fault.causes, *_other_host(host))), []).append(host)
    if _is_everywhere(evidence, refused, REFUSALS):
        groups = {(REFUSED, REFUSED.suspects): refused}
    yield from _findings(evidence, groups, (*REFUSALS, Failure.UNREACHABLE))


def _other_host(host: HostFacts) -> tuple[CauseText, ...]:
    """An address inside the VPC that refuses can also be another host that a private zone points to."""
    return (causes.ZONE_CONFLICT,) if is_inside(host.address_class) else ()


@finds(NO_ROUTE, NO_ROUTE_FURTHER_ON, NO_IPV4, UNREACHABLE_INSIDE, IPV6_ONLY)
def unroutable_addresses(evidence: Evidence) -> Iterator[Finding]:
    """Hosts to which this host, or a router on the way, has no route."""
    groups: dict[tuple[Fault, Suspects], list[HostFacts]] = {}
    for host in _own_hosts(evidence):
        if host.unconnected((Failure.UNREACHABLE,)) and not host.unconnected(REFUSALS):
            groups.setdefault(_unreachability_of(evidence, host), []).append(host)
    yield from _findings(evidence, groups, (Failure.UNREACHABLE,))


def _unreachability_of(evidence: Evidence, host: HostFacts) -> tuple[Fault, Suspects]:
    """Why an address is reported as unreachable, and by whom."""
    if evidence.is_ipv4_only(host):
        return IPV6_ONLY, IPV6_ONLY.suspects
    is_ours = not _is_unreachable_on_the_way(evidence, host)
    if is_ours and _lacks_ipv4(evidence, host):
        return NO_IPV4, NO_IPV4.suspects
    if is_ours and not evidence.is_text:
        return NO_ROUTE, NO_ROUTE.suspects
    if host.address_class is AddressClass.VPC:
        return UNREACHABLE_INSIDE, possible(causes.EGRESS_FIREWALL, causes.STALE_RECORD, *_other_host(host))
    is_s3 = host.endpoint.kind is Kind.GATEWAY and not is_inside(host.address_class)
    gateway = (causes.MISSING_S3, causes.S3_ROUTE_TABLE) if is_s3 else ()
    fault = NO_ROUTE if is_ours else NO_ROUTE_FURTHER_ON
    return fault, possible(*fault.causes, *gateway, causes.EGRESS_FIREWALL)


def _lacks_ipv4(evidence: Evidence, host: HostFacts) -> bool:
    """An interface endpoint's name with only IPv6 addresses, which a task with only IPv4 addresses cannot reach."""
    own = evidence.surroundings.addresses
    of_task = bool(own) and not any(map(is_ipv6, own))
    addresses = [entry.address for entry in host.addresses]
    return of_task and host.endpoint.kind is Kind.INTERFACE and bool(addresses) and all(map(is_ipv6, addresses))


def _is_unreachable_on_the_way(evidence: Evidence, host: HostFacts) -> bool:
    """Whether a router reported the host as unreachable: this family has a route here."""
    lost = _families(host.unconnected((Failure.UNREACHABLE,)))
    tried = (step for other in evidence.hosts for step in other.last_tries)
    sent = _families(step for step in tried if step.failure is not Failure.UNREACHABLE)
    return bool(lost & sent)


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
        fault = _silence_of_family(host)
        beyond = (causes.NO_ROUTE,) if host.address_class is AddressClass.PRIVATE else ()
        return fault, possible(*fault.causes, *beyond)
    if host.connected:
        public = (causes.NETWORK_ACL, causes.SECURITY_GROUP_S3_EGRESS, causes.EGRESS_FIREWALL)
        return PARTLY_SILENT, possible(*(PARTLY_SILENT.causes if inside else public))
    if host.endpoint.kind is Kind.GATEWAY and not inside:
        fault = _silence_of_s3(evidence, host)
        # AWS[s3-gateway-regional]
        foreign = (causes.CROSS_REGION,) if evidence.is_foreign(host.endpoint) else ()
        return fault, possible(*foreign, *fault.causes)
    if host.address_class is AddressClass.VPC:
        return SILENT, SILENT.suspects
    return SILENT_OUTSIDE, SILENT_OUTSIDE.suspects


def _silence_of_family(host: HostFacts) -> Fault:
    """One address family is silent. Inside the VPC it certainly has a route, except for DNS64's addresses."""
    lost = [step.address or "" for step in host.unconnected((Failure.TIMEOUT,))]
    inside = is_inside(host.address_class)
    translated = any(embedded(address) != address for address in lost)  # DNS64's addresses lead to a NAT gateway
    if inside and not translated:
        return FAMILY_SILENT
    if translated:
        return DNS64_SILENT
    is_s3 = host.endpoint.kind is Kind.GATEWAY and not inside
    return S3_IPV6_SILENT if is_s3 and all(map(is_ipv6, lost)) else ROUTE_SILENT


def _silence_of_s3(evidence: Evidence, host: HostFacts) -> Fault:
    """A route out of the VPC, or addresses that a gateway endpoint may not carry, change what is likely."""
    lost = [step.address or "" for step in host.unconnected((Failure.TIMEOUT,))]
    if all(is_ipv6(address) and embedded(address) == address for address in lost):
        return S3_SILENT_IPV6
    public = (other for other in evidence.hosts if evidence.leaks(other) and other.connected)
    return S3_SILENT_WITH_WAY_OUT if evidence.controls_outside or any(public) else S3_SILENT


def _is_lost_family(host: HostFacts) -> bool:
    """All of one address family is silent and the other is not."""
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
        family = {"family": "IPv6" if _families(steps) == {True} else "IPv4"} if "{family}" in fault.title else {}
        yield finding_of_hosts(fault, evidence, hosts, steps, extent=extent, suspects=suspects, **family)

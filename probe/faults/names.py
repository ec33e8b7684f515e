"""Faults of names: private DNS that does not take effect at an interface endpoint, and names that do not exist."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address, ip_network

from probe.addresses import embedded, is_ipv6
from probe.endpoints import AGENT_ENDPOINTS
from probe.faults import causes
from probe.faults.causes import CauseText, advice, reads
from probe.faults.evidence import (
    NO_EVIDENCE,
    NOT_THERE,
    REFUSALS,
    Evidence,
    HostFacts,
    addresses_of,
    is_inside,
    is_ipv4,
)
from probe.faults.fault import Fault, Suspects, Wording, finding, finding_of_hosts, finds, merged, noted, possible
from probe.faults.name_suspects import (
    EXTERNAL_INSTANCE,
    OUTSIDE_VPC,
    failed_lookups,
    foreign_answer_suspects,
    is_abroad,
    is_numbered,
    lookup_finding,
    malformation,
    missing_name_suspects,
    other_answers,
    public_answer_suspects,
)
from probe.model import AddressClass, Client, Extent, Failure, Finding, Impact, Kind, Step
from probe.records import replace

# What can keep the packets to a public address inside the VPC.
_NO_PATH_OUT = (
    causes.NO_ROUTE,
    causes.SECURITY_GROUP,
    causes.NO_PUBLIC_IP,
    causes.NAT_DEVICE,
    causes.NETWORK_ACL,
    causes.EGRESS_FIREWALL,
    causes.BLOCK_PUBLIC_ACCESS,
)
_PATH_BESIDE_A_WAY_OUT = (causes.EGRESS_FIREWALL, causes.NETWORK_ACL, causes.SECURITY_GROUP)
PUBLIC = Fault(
    "dns.public-answer",
    "traffic to {endpoints} goes to public addresses, not to a VPC endpoint",
    "Private DNS is not taking effect here. Connections work today only through NAT or an internet gateway; "
    "without that, they fail.",
    Impact.ROUTE,
    (
        causes.PRIVATE_DNS_OFF,
        causes.VPC_ATTRIBUTES_OFF,
        causes.ZONE_NOT_ASSOCIATED,
        causes.RESOLVER_RULE,
        causes.ZONE_WRONG_NAME,
    ),
    other_causes=(
        causes.CUSTOM_RESOLVER,
        causes.OTHER,
        causes.MISSING_ECR_API,
        causes.MISSING_ECR_DKR,
        causes.MISSING_LOGS,
        causes.MISSING_CONTROL_PLANE,
        causes.MISSING_SECRETS_MANAGER,
        causes.MISSING_SSM,
        causes.MISSING_OTHER,
        *_NO_PATH_OUT,
        causes.IPV4_ONLY,
        causes.NOT_AVAILABLE,
        causes.ZONE_CONFLICT,
        causes.CROSS_REGION,
        causes.FIPS_HOSTNAME,
        causes.FIPS_HOSTNAME_OF_SERVICE,
        causes.LEGACY_HOSTNAME,
        causes.LOG_REGION,
        causes.PROXY_NEEDED,
        OUTSIDE_VPC,
        EXTERNAL_INSTANCE,
    ),
)
PUBLIC_SILENT = Fault(
    PUBLIC.code,
    "{endpoints} {resolve} only to public addresses, and they are unreachable",
    "Private DNS is not taking effect here, and nothing answered at the public addresses. With private DNS on, no "
    "route to the internet is needed.",
    Impact.PULL,
    PUBLIC.causes,
    other_causes=PUBLIC.other_causes,
    in_texts=Wording(
        title="the call to {endpoints} went to a public address and failed",
        why=(
            "Private DNS does not seem to take effect where the task runs, and nothing answered at the public address. "
            "If the address is one of yours, list its range with --vpc-cidr: other causes apply then."
        ),
    ),
)
_PUBLIC_RECORD = causes.STALE_RECORD.variant(
    title="a record of a private zone lists public addresses together with those of the endpoint"
)
PUBLIC_PARTLY = PUBLIC.variant(
    title="{endpoints} {resolve} to public and private addresses",
    why="Some connections stay inside the VPC and others leave it, at random. Two DNS sources answer "
    "for the same name.",
    causes=(_PUBLIC_RECORD, *PUBLIC.causes),
    extent=Extent.PARTLY,
)
# No image names the host of an API: the client builds it from its region and partition.
_BAD_API_HOST = (
    replace(
        causes.MISCONFIGURED,
        title="the client builds the host {host} from a wrong region, partition or endpoint address",
        confirm=reads(
            "aws configure list",
            note="Run get-caller-identity where the client runs. It shows the region and its source.",
        ),
    ),
    causes.BAD_HOST,
    replace(
        causes.OLD_AGENT,
        title="this version of the client does not know the partition or the region",
        fix=advice("update the client: the SDK, agent, plugin or helper that makes the request", "aws --version"),
        confirm=reads("aws --version", note="Read the version of the client that makes the request."),
    ),
)
_OF_ECR = ("ecr.api", "ecr.dkr", "ecr-legacy")
_MALFORMED_HOST = {
    "ecr.dkr": (causes.BAD_IMAGE_REFERENCE,),
    "logs": (causes.LOG_REGION, *_BAD_API_HOST[::-1]),
}
NAME_MISSING = Fault(
    "dns.name-missing",
    "{endpoints} {do} not resolve here (NXDOMAIN from {servers})",
    "Public DNS resolves {hosts} everywhere. Here a private zone hides the name or lacks its record, a DNS firewall "
    "blocks it, or it is sent to other DNS servers.",
    Impact.PULL,
    (causes.ZONE_MISSING_RECORD, causes.DNS_FIREWALL, causes.ZONE_CONFLICT, causes.RESOLVER_RULE),
    other_causes=(
        causes.CUSTOM_RESOLVER,
        causes.OTHER,
        causes.ZONE_WRONG_NAME,
        causes.FIPS_HOSTNAME,
        causes.FIPS_HOSTNAME_OF_SERVICE,
        causes.LEGACY_HOSTNAME,
        causes.BAD_IMAGE_REFERENCE,
        *_BAD_API_HOST,
        causes.LOG_REGION,
    ),
    examples=(("reason", "Its account id, region or suffix is not one of AWS's."),),
)
# AWS[agent-poll-endpoint]
_NUMBERED_WHY = (
    "The agent gets its hosts from DiscoverPollEndpoint. A number in {hosts} shows that this call did not pass the VPC "
    "endpoint ecs: through it, the hosts have no number."
)
NUMBERED_PUBLIC = PUBLIC.variant(
    title="the ECS agent calls the numbered host {hosts}, which no VPC endpoint serves",
    why=_NUMBERED_WHY,
    impact=Impact.AGENT,
    causes=(
        causes.UNSERVED_POLL_ENDPOINT,
        causes.AGENT_PROXY,
        causes.NO_ROUTE,
        causes.SECURITY_GROUP,
        causes.EGRESS_FIREWALL,
    ),
)
NUMBERED_MISSING = NAME_MISSING.variant(
    title="the ECS agent calls the numbered host {hosts}, which does not resolve here (NXDOMAIN)",
    why=_NUMBERED_WHY,
    causes=(causes.UNSERVED_POLL_ENDPOINT, causes.AGENT_PROXY, causes.ZONE_CONFLICT, causes.DNS_FIREWALL),
)
MALFORMED = NAME_MISSING.variant(
    title="{hosts} does not exist (NXDOMAIN): AWS has no host of this form",
    why="{reason} Private zones and resolvers have nothing to do with it.",
    causes=(causes.BAD_IMAGE_REFERENCE,),
)
OTHER_LOG_REGION = NAME_MISSING.variant(
    why=(
        "awslogs-region is {log_region}, and the task is in {task_region}. The host of a mistyped region exists "
        "nowhere. One of another region can be hidden by a private zone or blocked by a DNS firewall."
    ),
    causes=(causes.LOG_REGION, *NAME_MISSING.causes),
)
OVERRIDE_MISSING = NAME_MISSING.variant(
    title="the name given to --endpoint-dns for {endpoints} does not exist",
    why="{servers} answered NXDOMAIN for {lookups}. Public DNS resolves the names of VPC endpoints everywhere.",
    causes=(
        causes.other(
            "the name is mistyped, or its endpoint was deleted",
            advice("pass the endpoint's own name with --endpoint-dns (ECR_PROBE_ENDPOINT_DNS)"),
            reads(
                "aws ec2 describe-vpc-endpoints --region {task_region} "
                '--filters Name=service-name,Values={services} --query "VpcEndpoints[].DnsEntries[].DnsName"'
            ),
        ),
    ),
)
NO_ADDRESS = Fault(
    "dns.no-address",
    "{endpoints} {resolve} to no address here",
    "{servers} returned no address for {hosts}. Public DNS has one everywhere: here a private zone lacks the record, a "
    "DNS firewall removes it, or the name is sent to other DNS servers.",
    Impact.PULL,
    NAME_MISSING.causes,
    other_causes=NAME_MISSING.other_causes,
)
FOREIGN_ANSWER = Fault(
    "dns.foreign-answer",
    "{endpoints} {resolve} to a host that is not AWS's ({targets})",
    "{servers} answered with {targets}, and no certificate there proves that AWS answers. AWS's own names lead "
    "only to hosts of AWS.",
    Impact.PULL,
    (causes.DNS_FIREWALL, causes.ZONE_CONFLICT),
    other_causes=(causes.CUSTOM_RESOLVER, causes.RESOLVER_RULE, causes.SECURITY_GROUP, causes.OTHER),
    examples=(("targets", "another host"),),
)
CENTRAL = noted(
    "dns.central-endpoint",
    "the private addresses of {endpoints} are outside this VPC's known ranges: probably a central endpoint VPC",
    "{addresses} are not in {ranges}. A shared endpoint VPC behind a transit gateway looks like this; list your other "
    "ranges with --vpc-cidr.",
)
UNDETERMINED = noted(
    "dns.undetermined-answer",
    "it is unknown whether the addresses of {endpoints} belong to a VPC endpoint",
    "{addresses} are global IPv6 addresses outside the known ranges: endpoints have such addresses, and so do "
    "other hosts. Pass the VPC's IPv6 range with --vpc-cidr.",
)


@finds(PUBLIC, PUBLIC_SILENT, PUBLIC_PARTLY, NUMBERED_PUBLIC)
def public_answers(evidence: Evidence) -> Iterator[Finding]:
    """Interface endpoints that resolve publicly, with the connections that failed at their public addresses."""
    groups: dict[tuple[Fault, object], list[tuple[HostFacts, Suspects]]] = {}
    for host in evidence.hosts:
        if not evidence.leaks(host) or is_abroad(evidence, host):
            continue
        fault, suspects = _public_fault(evidence, host)
        groups.setdefault((fault, _similarity(evidence, host, fault, suspects)), []).append((host, suspects))
    for (fault, _), group in groups.items():
        hosts = [host for host, _ in group]
        steps = merged(*(leak_steps(evidence, host) for host in hosts))
        impact = None if fault in (PUBLIC_SILENT, NUMBERED_PUBLIC) else Impact.ROUTE
        # On an external instance without a VPC a public path is right.
        right = fault is PUBLIC and evidence.is_external and evidence.is_outside_vpc
        extent = Extent.NOTED if right else None
        suspects = _merged_suspects(group)
        yield finding_of_hosts(fault, evidence, hosts, steps, impact=impact, extent=extent, suspects=suspects)


def _similarity(evidence: Evidence, host: HostFacts, fault: Fault, suspects: Suspects) -> object:
    """What endpoints must have in common to be one finding: possible causes, except their own, and weight.

    Their own are that they are missing, and that the labels of their zone are swapped. A public path weighs by endpoint
    and policy; unreachable endpoints weigh by what is lost without them.
    """
    own = (causes.missing(host.endpoint.name), causes.ZONE_WRONG_NAME)
    others = tuple(cause for cause in suspects.open if cause not in own)
    optional = host.endpoint.impact is Impact.NONE
    if fault is PUBLIC_SILENT:
        return others, suspects.confirmed, optional
    accepted = optional or host.endpoint.name in evidence.policy.allow_public
    return others, suspects.confirmed, accepted, not accepted and host.endpoint.impact is Impact.PULL


def _public_fault(evidence: Evidence, host: HostFacts) -> tuple[Fault, Suspects]:
    if is_numbered(host):
        return NUMBERED_PUBLIC, NUMBERED_PUBLIC.suspects
    suspects = public_answer_suspects(evidence, host)
    if host.last_tries and not host.connected:
        own = evidence.surroundings.addresses
        ipv6 = (causes.IPV4_ONLY,) if any(map(is_ipv6, own)) and not _has_ipv6(host) else ()
        if all(step.failure in REFUSALS for step in host.last_tries):
            return PUBLIC_SILENT, suspects if suspects.confirmed else suspects.first(causes.EGRESS_FIREWALL)
        if host.line is not None and not host.line.server:
            return PUBLIC_SILENT, possible(*_suspects_in_text(evidence, host, suspects), *ipv6)
        path = _PATH_BESIDE_A_WAY_OUT if evidence.controls_outside else _NO_PATH_OUT
        return PUBLIC_SILENT, suspects.then(*path, *ipv6)
    inside = {address.address for address in host.addresses if is_inside(address.address_class)}
    if not inside:
        return PUBLIC, suspects
    absent = causes.missing(host.endpoint.name)
    if (
        suspects.confirmed
        or absent not in suspects.causes
        or inside.isdisjoint(step.address for step in host.verified_handshakes)
    ):
        return PUBLIC_PARTLY, suspects
    # The endpoint answers at one of the addresses.
    return PUBLIC_PARTLY, replace(suspects, ruled_out=suspects.ruled_out | {absent}).first(_PUBLIC_RECORD)


def _suspects_in_text(evidence: Evidence, host: HostFacts, suspects: Suspects) -> tuple[CauseText, ...]:
    """Why a public address failed in an error text, which does not name the resolver.

    Most reports about ECR are of a client without a working way out: a missing endpoint or a hidden name explains why
    the address is public, and not why it is silent. A client that calls another service has often reached ECR before,
    so there the endpoint of that service is the likelier cause. What applies to this host name alone stays first.
    """
    own = suspects.causes.index(causes.missing(host.endpoint.name)) + (host.endpoint.name not in _OF_ECR)
    before, behind = suspects.causes[:own], suspects.causes[own:]
    if all(step.failure is Failure.UNREACHABLE for step in host.last_tries):
        # Groups and ACLs drop packets without an error.
        return (*before, causes.NO_ROUTE, *behind, causes.EGRESS_FIREWALL)
    if host.endpoint.name in (*AGENT_ENDPOINTS, "ecs"):
        # The agent runs on the instance, whose way out may be a proxy that only the daemon uses.
        return (*before, causes.NO_ROUTE, causes.PROXY_NEEDED, causes.SECURITY_GROUP, *behind, *_NO_PATH_OUT)
    # Only ECS assigns public addresses for each task; other clients run where a proxy may be the way out.
    by_client = causes.NO_PUBLIC_IP if evidence.client in (Client.ECS, Client.BATCH) else causes.PROXY_NEEDED
    return (*before, causes.NO_ROUTE, causes.SECURITY_GROUP, by_client, *behind, *_NO_PATH_OUT)


def _has_ipv6(host: HostFacts) -> bool:
    return not all(is_ipv4(address.address) for address in host.addresses)


def leak_steps(evidence: Evidence, host: HostFacts) -> tuple[Step, ...]:
    """The public answers, other lookups of the name, and the connections that failed at public addresses."""
    line, control = host.line, host.control
    answers = _answers(host)
    others = tuple(step for other in host.lines if other != line for step in other.failed if step.failure in NOT_THERE)
    failed = [step for step in control.failed if step.failure not in NO_EVIDENCE] if control else []
    asked = tuple(step for step in control.steps if step in failed or addresses_of((step,))) if control else ()
    lost = host.unconnected((Failure.TIMEOUT, Failure.UNREACHABLE, *REFUSALS))
    return (*answers, *others, *other_answers(evidence, host), *asked, *lost)


def _merged_suspects(group: list[tuple[HostFacts, Suspects]]) -> Suspects:
    """The suspects of all hosts: each endpoint's own absence, then what they share, then what is ruled out."""
    absences = [causes.missing(host.endpoint.name) for host, _ in group]
    _, longest = max(group, key=lambda entry: len(entry[1].open))
    merged = [cause for common in longest.open for cause in (absences if common in absences else [common])]
    out = frozenset(cause for _, suspects in group for cause in suspects.ruled_out) - set(merged)
    rest = [cause for _, suspects in group for cause in suspects.causes if cause in out]
    return Suspects(tuple(dict.fromkeys((*merged, *rest))), longest.confirmed, out)


@finds(NAME_MISSING, OVERRIDE_MISSING, OTHER_LOG_REGION, NO_ADDRESS, NUMBERED_MISSING, MALFORMED)
def missing_names(evidence: Evidence) -> Iterator[Finding]:
    """Names that do not exist, or have no address, at the first nameserver that answers."""
    groups: dict[tuple[Fault, object], list[tuple[HostFacts, Suspects]]] = {}
    for host in evidence.hosts:
        line = host.line
        if line is None or line.addresses or line.failure not in NOT_THERE or evidence.is_other_region(host):
            continue
        fault = NAME_MISSING if line.failure is Failure.NXDOMAIN else NO_ADDRESS
        if host.endpoint.lookup != host.endpoint.host and not host.redirected:
            steps = failed_lookups(evidence, host, NOT_THERE)
            yield lookup_finding(
                OVERRIDE_MISSING,
                evidence,
                [host],
                steps,
                possible(*OVERRIDE_MISSING.causes),
                lookups=host.endpoint.lookup,
            )
            continue
        reason = malformation(evidence, host.endpoint)
        if reason is not None:
            suspects = possible(*_MALFORMED_HOST.get(host.endpoint.name, _BAD_API_HOST))
            steps = failed_lookups(evidence, host, NOT_THERE)
            yield lookup_finding(MALFORMED, evidence, [host], steps, suspects, reason=reason)
            continue
        if is_numbered(host):
            fault, suspects = NUMBERED_MISSING, NUMBERED_MISSING.suspects
        else:
            suspects = missing_name_suspects(evidence, host, *fault.causes)
        if fault is NAME_MISSING and host.endpoint.name == "logs" and evidence.is_foreign(host.endpoint):
            fault = OTHER_LOG_REGION
        alike = frozenset(suspects.open) - _OF_ONE_ENDPOINT, suspects.confirmed
        groups.setdefault((fault, alike), []).append((host, suspects))
    everything = sum(map(len, groups.values())) == len(evidence.hosts) > 1 and not evidence.is_text
    for (fault, _), group in groups.items():
        hosts = [host for host, _ in group]
        suspects = _shared_suspects(group)
        suspects = suspects.then(causes.BAD_IMAGE_REFERENCE) if everything else suspects
        steps = merged(*(failed_lookups(evidence, host, NOT_THERE) for host in hosts))
        yield lookup_finding(fault, evidence, hosts, steps, suspects)


# Causes that concern the name of one endpoint, where several can fail for the same reason.
_OF_ONE_ENDPOINT = frozenset((causes.LOG_REGION, causes.LEGACY_HOSTNAME))


def _shared_suspects(group: list[tuple[HostFacts, Suspects]]) -> Suspects:
    """The suspects of names that fail alike. A name of S3 among them needs a cause that reaches beyond the zones."""
    _, leading = next((entry for entry in group if entry[0].endpoint.kind is Kind.GATEWAY), group[0])
    others = [cause for _, suspects in group for cause in suspects.causes if cause not in leading.causes]
    own = [cause for cause in others if len(group) == 1 or cause not in _OF_ONE_ENDPOINT]
    return Suspects((*leading.causes, *own), leading.confirmed, leading.ruled_out)


@finds(FOREIGN_ANSWER)
def foreign_answers(evidence: Evidence) -> Iterator[Finding]:
    """Names that lead to hosts outside AWS, with the connections and handshakes that failed there."""
    groups: dict[Suspects, list[HostFacts]] = {}
    for host in evidence.hosts:
        if evidence.leads_elsewhere(host):
            groups.setdefault(foreign_answer_suspects(evidence, host), []).append(host)
    for suspects, hosts in groups.items():
        steps = merged(*(leak_steps(evidence, host) for host in hosts), *(_lost_connections(host) for host in hosts))
        names = [evidence.foreign_targets(host.line) or _texts(host) for host in hosts]
        targets = tuple(dict.fromkeys(name for group in names for name in group))
        yield lookup_finding(FOREIGN_ANSWER, evidence, hosts, steps, suspects, targets=targets[:4])


def _texts(host: HostFacts) -> tuple[str, ...]:
    return tuple(entry.address for entry in host.addresses)


def _lost_connections(host: HostFacts) -> tuple[Step, ...]:
    return tuple(step for step in (*host.tcp, *host.tls) if step.failed and step.failure not in NO_EVIDENCE)


@finds(CENTRAL, UNDETERMINED)
def addresses_elsewhere(evidence: Evidence) -> Iterator[Finding]:
    """Private addresses that are not of this VPC, and global IPv6 addresses that may or may not be."""
    central = [host for host in _interfaces(evidence) if _is_beyond(evidence, host)]
    unknown = [host for host in _interfaces(evidence) if host.address_class is AddressClass.UNKNOWN]
    for fault, hosts in ((CENTRAL, central), (UNDETERMINED, unknown)):
        steps = merged(*(_answers(host) for host in hosts))
        if steps:
            yield finding(fault, evidence, steps)


def _interfaces(evidence: Evidence) -> Iterator[HostFacts]:
    for host in evidence.hosts:
        if host.endpoint.kind is Kind.INTERFACE and host.endpoint.lookup == host.endpoint.host and host.connected:
            yield host


def _answers(host: HostFacts) -> tuple[Step, ...]:
    return tuple(step for step in host.line.steps if addresses_of((step,))) if host.line else ()


def _is_beyond(evidence: Evidence, host: HostFacts) -> bool:
    """Outside the largest VPC (/16) that a known range can belong to; a neighboring subnet is normal."""
    networks = [ip_network(text, strict=False) for text in evidence.plan.vpc_cidrs]
    wide = [
        network.supernet(new_prefix=16) if network.prefixlen > 16 else network
        for network in networks
        if network.version == 4
    ]
    ranges = networks if evidence.knows_whole_vpc else wide
    addresses = [ip_address(embedded(entry.address)) for entry in host.addresses]
    within = any(
        address in network for address in addresses for network in ranges if network.version == address.version
    )
    return bool(ranges) and host.address_class is AddressClass.PRIVATE and not within

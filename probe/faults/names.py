"""Faults of names: whether an interface endpoint's private name is in force, and names that do not exist."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address, ip_network

from probe.addresses import embedded, is_ipv6
from probe.faults import causes
from probe.faults.evidence import REFUSALS, Evidence
from probe.faults.fault import Fault
from probe.faults.findings import Suspects, cited, found, possible
from probe.faults.host_facts import NOT_THERE, Visit, addresses_of, is_inside, is_ipv4
from probe.faults.name_suspects import (
    failed_lookups,
    of_lookups,
    of_missing_name,
    of_public_answer,
    witnesses,
)
from probe.model import AddressClass, Advice, Extent, Failure, Finding, Impact, Kind, Step
from probe.records import replace

PUBLIC = Fault(
    "dns.public-answer",
    "traffic to {endpoints} takes public addresses, not a VPC endpoint",
    "The private name is not in force where this task asks. It works today by a way out of the VPC (NAT or internet "
    "gateway) and ends with it.",
    Impact.ROUTE,
    (
        causes.PRIVATE_DNS_OFF,
        causes.VPC_ATTRIBUTES_OFF,
        causes.ZONE_NOT_ASSOCIATED,
        causes.ZONE_WRONG_NAME,
    ),
)
PUBLIC_SILENT = replace(
    PUBLIC,
    title="only public addresses are known for {endpoints}, and they cannot be reached",
    why=(
        "The private name is not in force where this task asks, and no way leads out of the VPC. With the endpoint's "
        "private name in force no way out is needed."
    ),
    impact=Impact.PULL,
)
PUBLIC_TOLD = replace(
    PUBLIC_SILENT,
    title="the call of {endpoints} went to a public address, and nothing came of it",
    why=(
        "So the private name seems not in force where the task asks, and no way leads out of the VPC. --vpc-cidr tells "
        "which addresses are your own; of those there are other causes."
    ),
)
PUBLIC_PARTLY = replace(
    PUBLIC,
    title="the addresses of {endpoints} are partly public, partly private",
    why="Some connections stay inside the VPC and some leave it, as chance has it. Two sources of the name are mixed.",
    extent=Extent.PARTLY,
)
_SILENT = (PUBLIC_SILENT, PUBLIC_TOLD)
NAME_MISSING = Fault(
    "dns.name-missing",
    "the name of {endpoints} does not exist where this task asks",
    "Public DNS knows the names of AWS. Where {servers} does not, a private zone hides the name or lacks its record.",
    Impact.PULL,
    (causes.ZONE_MISSING_RECORD, causes.ZONE_CONFLICT),
)
GIVEN_NAME_MISSING = replace(
    NAME_MISSING,
    title="the name that --endpoint-dns gives for {endpoints} does not exist",
    why="{servers} answered NXDOMAIN for {lookups}. Names of VPC endpoints are in public DNS, for everybody.",
    causes=(
        causes.other(
            "the name is mistyped, or its endpoint was deleted",
            Advice("give the endpoint's own name to --endpoint-dns (ECR_PROBE_ENDPOINT_DNS)"),
            Advice(
                "",
                (
                    "aws ec2 describe-vpc-endpoints --region {task_region} "
                    '--filters Name=service-name,Values={services} --query "VpcEndpoints[].DnsEntries[].DnsName"',
                ),
            ),
        ),
    ),
)
NO_ADDRESS = Fault(
    "dns.no-address",
    "the name of {endpoints} has no address where this task asks",
    "{servers} knows {hosts} but gave no address for it: a record is missing, or a DNS firewall answers in its place.",
    Impact.PULL,
    (causes.ZONE_MISSING_RECORD, causes.ZONE_CONFLICT, causes.EGRESS_FIREWALL),
)
CENTRAL = Fault(
    "dns.central-endpoint",
    "the private addresses of {endpoints} lie outside this VPC's known ranges: probably a central endpoint VPC",
    "Not inside {ranges}: {addresses}. A shared endpoint VPC behind a transit gateway looks so; --vpc-cidr tells "
    "every range that counts as yours.",
    Impact.NONE,
    extent=Extent.NOTED,
)
UNDETERMINED = Fault(
    "dns.undetermined-answer",
    "whether the addresses of {endpoints} belong to a VPC endpoint cannot be told",
    "Global IPv6 outside the known ranges: {addresses}. Endpoints have such addresses, and so has everybody else. "
    "--vpc-cidr with the VPC's IPv6 range decides.",
    Impact.NONE,
    extent=Extent.NOTED,
)


def public_answers(evidence: Evidence) -> Iterator[Finding]:
    """Interface endpoints whose private name is not in force; what fails at their public addresses belongs to it."""
    groups: dict[tuple[Fault, object], list[tuple[Visit, Suspects]]] = {}
    for visit in filter(evidence.leaks, evidence.visits):
        fault, suspects = _leak(evidence, visit)
        groups.setdefault((fault, _likeness(evidence, visit, fault, suspects)), []).append((visit, suspects))
    for (fault, _), group in groups.items():
        names = tuple(visit.endpoint.name for visit, _ in group)
        yield found(
            fault,
            evidence,
            cited(*(_evidence_of_leak(evidence, visit) for visit, _ in group)),
            endpoints=names,
            impact=evidence.impact(names) if fault in _SILENT else Impact.ROUTE,
            suspects=_merged(group),
            hosts=tuple(visit.host for visit, _ in group),
        )


def _likeness(evidence: Evidence, visit: Visit, fault: Fault, suspects: Suspects) -> object:
    """What endpoints have in common to be one finding: possible causes (but for their own absence), and weight.

    Public ways weigh by endpoint and policy; what cannot be reached weighs by what is lost, the heaviest of all.
    """
    others = tuple(cause for cause in suspects.open if cause is not causes.missing(visit.endpoint.name))
    optional = visit.endpoint.impact is Impact.NONE
    if fault in _SILENT:
        return others, suspects.confirmed, optional
    accepted = optional or visit.endpoint.name in evidence.policy.allow_public
    return others, suspects.confirmed, accepted, not accepted and visit.endpoint.impact is Impact.PULL


def _leak(evidence: Evidence, visit: Visit) -> tuple[Fault, Suspects]:
    suspects = of_public_answer(evidence, visit)
    if visit.last_tries and not visit.connected:
        own = evidence.surroundings.addresses
        follow = (
            causes.NO_ROUTE,
            causes.SECURITY_GROUP,
            causes.NO_PUBLIC_IP,
            causes.NAT_DEVICE,
            causes.NETWORK_ACL,
            causes.EGRESS_FIREWALL,
        )
        ipv6 = (causes.IPV4_ONLY,) if any(map(is_ipv6, own)) and not _has_ipv6(visit) else ()
        silent = PUBLIC_TOLD if evidence.is_text else PUBLIC_SILENT
        if all(step.failure in REFUSALS for step in visit.last_tries):
            return silent, suspects if suspects.confirmed else suspects.first(causes.EGRESS_FIREWALL)
        if evidence.is_text:
            # Nobody looked at the resolver: that there is no endpoint, or no way out, comes before what its zones hide.
            first = suspects.causes.index(causes.missing(visit.endpoint.name)) + 1
            return silent, possible(*suspects.causes[:first], causes.NO_ROUTE, *suspects.causes[first:], *follow, *ipv6)
        return silent, suspects.and_then(*follow, *ipv6)
    mixed = any(is_inside(address.address_class) for address in visit.addresses)
    return (PUBLIC_PARTLY if mixed else PUBLIC), suspects


def _has_ipv6(visit: Visit) -> bool:
    return not all(is_ipv4(address.address) for address in visit.addresses)


def _evidence_of_leak(evidence: Evidence, visit: Visit) -> tuple[Step, ...]:
    """The public answers, what else was asked about the name, and the connections that failed at public addresses."""
    line, control = visit.line, visit.control
    answers = _answers(visit)
    others = tuple(
        step for each in visit.lines if each is not line for step in each.failed if step.failure in NOT_THERE
    )
    asked = tuple(step for step in control.steps if step.failed or addresses_of((step,))) if control else ()
    lost = visit.unconnected((Failure.TIMEOUT, Failure.UNREACHABLE, *REFUSALS))
    return (*answers, *others, *witnesses(evidence, visit), *asked, *lost)


def _merged(group: list[tuple[Visit, Suspects]]) -> Suspects:
    """The suspects of all: each endpoint's own absence in one row, then what they have in common, then what is out."""
    absences = [causes.missing(visit.endpoint.name) for visit, _ in group]
    first = group[0][1]
    merged = [cause for common in first.open for cause in (absences if common is absences[0] else [common])]
    out = frozenset(cause for _, suspects in group for cause in suspects.ruled_out) - set(merged)
    rest = [cause for _, suspects in group for cause in suspects.causes if cause in out]
    return Suspects(tuple(dict.fromkeys((*merged, *rest))), first.confirmed, out)


def missing_names(evidence: Evidence) -> Iterator[Finding]:
    """Names that do not exist, or have no address, at the resolver that counts."""
    groups: dict[tuple[Fault, Suspects], list[Visit]] = {}
    for visit in evidence.visits:
        line = visit.line
        if line is None or line.addresses or line.failure not in NOT_THERE or evidence.is_other_region(visit):
            continue
        fault = NAME_MISSING if line.failure is Failure.NXDOMAIN else NO_ADDRESS
        if visit.endpoint.lookup != visit.endpoint.host and not visit.redirected:
            steps = failed_lookups(evidence, visit, NOT_THERE)
            yield of_lookups(
                GIVEN_NAME_MISSING,
                evidence,
                [visit],
                steps,
                possible(*GIVEN_NAME_MISSING.causes),
                lookups=visit.endpoint.lookup,
            )
            continue
        groups.setdefault((fault, of_missing_name(evidence, visit, *fault.causes)), []).append(visit)
    everything = sum(map(len, groups.values())) == len(evidence.visits) > 1 and not evidence.is_text
    for (fault, suspects), visits in groups.items():
        suspects = suspects.and_then(causes.BAD_IMAGE_REFERENCE) if everything else suspects
        steps = cited(*(failed_lookups(evidence, visit, NOT_THERE) for visit in visits))
        yield of_lookups(fault, evidence, visits, steps, suspects)


def addresses_elsewhere(evidence: Evidence) -> Iterator[Finding]:
    """Private addresses that cannot be of this VPC, and global IPv6 addresses of which nobody can tell."""
    central = [visit for visit in _interfaces(evidence) if _is_beyond(evidence, visit)]
    unknown = [visit for visit in _interfaces(evidence) if visit.address_class is AddressClass.UNKNOWN]
    for fault, visits in ((CENTRAL, central), (UNDETERMINED, unknown)):
        steps = cited(*(_answers(visit) for visit in visits))
        if steps:
            yield found(fault, evidence, steps)


def _interfaces(evidence: Evidence) -> Iterator[Visit]:
    for visit in evidence.visits:
        if visit.endpoint.kind is Kind.INTERFACE and visit.endpoint.lookup == visit.endpoint.host and visit.connected:
            yield visit


def _answers(visit: Visit) -> tuple[Step, ...]:
    return tuple(step for step in visit.line.steps if addresses_of((step,))) if visit.line else ()


def _is_beyond(evidence: Evidence, visit: Visit) -> bool:
    """Outside the largest range (/16) that the VPC of a known range can have; a neighbouring subnet is no news."""
    known = [ip_network(text, strict=False) for text in evidence.plan.vpc_cidrs]
    wide = [
        network.supernet(new_prefix=16) if network.prefixlen > 16 else network
        for network in known
        if network.version == 4
    ]
    given = set(evidence.plan.vpc_cidrs) - {evidence.surroundings.subnet_cidr, evidence.surroundings.subnet_cidr_ipv6}
    ranges = known if given else wide
    return (
        bool(ranges)
        and visit.address_class is AddressClass.PRIVATE
        and not any(
            ip_address(embedded(one.address)) in network
            for one in visit.addresses
            for network in ranges
            if network.version == ip_address(embedded(one.address)).version
        )
    )


FAULTS = (PUBLIC, NAME_MISSING, NO_ADDRESS, CENTRAL, UNDETERMINED)
RULES = (public_answers, missing_names, addresses_elsewhere)

"""Faults of resolvers: nameservers that fail, do not answer or disagree, and the VPC's own resolver as a control."""

from __future__ import annotations

from collections.abc import Iterator

from probe.faults import causes
from probe.faults.evidence import NO_EVIDENCE, NOT_THERE, Evidence, HostFacts, Line, addresses_of, class_of, is_inside
from probe.faults.fault import Fault, Suspects, confirmed, finding, finding_of_hosts, finds, merged, noted, possible
from probe.faults.name_suspects import (
    failed_lookups,
    failing_resolver_suspects,
    failing_server_suspects,
    lookup_finding,
)
from probe.model import AddressClass, Extent, Failure, Finding, Impact, Kind, Step

SILENCE = (Failure.NO_ANSWER, Failure.TIMEOUT, Failure.UNREACHABLE, Failure.REFUSED, Failure.RESET, Failure.PROHIBITED)
FAILING = (Failure.SERVFAIL, Failure.REFUSED_QUERY, Failure.MALFORMED)

SERVFAIL = Fault(
    "dns.servfail",
    "the resolver fails to look up {endpoints}",
    "{servers} answered SERVFAIL: it was reached, but got no usable answer from the servers that it asks.",
    Impact.PULL,
    (causes.FAILING_RULE, causes.CUSTOM_RESOLVER, causes.FORWARDING_TARGET_UNREACHABLE, causes.OTHER),
)
SERVFAIL_PARTLY = SERVFAIL.variant(
    title="the nameserver {servers} fails to look up {endpoints}; another one answers", extent=Extent.PARTLY
)
REFUSED_QUERY = Fault(
    "dns.refused-query",
    "the resolver refuses to look up {endpoints}",
    "{servers} answered REFUSED: it does not serve this task or this name.",
    Impact.PULL,
    (causes.CUSTOM_RESOLVER, causes.FAILING_RULE, causes.OTHER),
)
REFUSED_QUERY_PARTLY = REFUSED_QUERY.variant(
    title="the nameserver {servers} refuses to look up {endpoints}; another one answers", extent=Extent.PARTLY
)
HALF_ANSWER = Fault(
    "dns.half-answer",
    "the nameserver {servers} answers only one of the A and AAAA queries for {endpoints}",
    "Clients send both. Some wait for the missing answer, others treat its failure as a failure of the name.",
    Impact.PULL,
    (causes.CUSTOM_RESOLVER, causes.RESOLVER_UNREACHABLE, causes.OTHER),
    Extent.PARTLY,
    other_causes=(causes.FAILING_RULE, causes.VPC_RESOLVER_UNREACHABLE, causes.FORWARDING_TARGET_UNREACHABLE),
)
RESOLVER_UNREACHABLE = Fault(
    "dns.resolver-unreachable",
    "no resolver in use answers, so {endpoints} cannot be resolved",
    "No query to {servers} was answered: the resolver is down, or the path to it is blocked.",
    Impact.PULL,
    (causes.RESOLVER_UNREACHABLE, causes.CUSTOM_RESOLVER, causes.RESOLVER_SECURITY_GROUP),
    other_causes=(causes.VPC_ATTRIBUTES_OFF, causes.VPC_RESOLVER_UNREACHABLE, causes.FAILING_RULE),
)
RESOLVER_WITHOUT_TCP = RESOLVER_UNREACHABLE.variant(
    title="the answers for {endpoints} are too large for UDP, and {servers} does not answer over TCP",
    why="{servers} answers over UDP, so it works and is reached. The path of TCP to its port 53 is blocked.",
)
RESOLVER_PARTLY = RESOLVER_UNREACHABLE.variant(
    title="the nameserver {servers} does not answer; another one does",
    why="Lookups succeed, but each one that asks {servers} first waits for a timeout.",
    extent=Extent.PARTLY,
)
RESOLVER_BEHIND = RESOLVER_PARTLY.variant(
    title="a later nameserver, {servers}, does not answer; the one before it does",
    why="Clients use it only if the earlier ones fail, and then it could not help.",
    extent=Extent.NOTED,
)
RESOLVERS_DISAGREE = Fault(
    "dns.resolvers-disagree",
    "another nameserver of this task, {others}, does not return the right answer for {endpoints}",
    "The first nameserver answers correctly. When it is slow, clients ask {others}, and the pull leaves the VPC or "
    "fails.",
    Impact.ROUTE,
    (causes.CUSTOM_RESOLVER,),
    Extent.PARTLY,
    other_causes=(causes.RESOLVER_RULE, causes.OTHER),
)
HUB = noted(
    "dns.hub-resolver",
    "only the resolver in use ({servers}) has private addresses of {endpoints}; the VPC's own resolver does not",
    "The private name is served by a central DNS server, not by the VPC's resolver. That works.",
)
CONTROL_DISAGREES = RESOLVERS_DISAGREE.variant(
    title="the VPC's own resolver has private addresses of {endpoints} at {servers}, and none at {others}",
    why="Both are addresses of the same service. Only {servers} is in use, so nothing is lost now.",
    causes=(causes.RESOLVER_RULE, causes.OTHER),
    impact=Impact.NONE,
    extent=Extent.NOTED,
)
CONTROL_SILENT = noted(
    "dns.control-silent",
    "AmazonProvidedDNS does not answer at {others}; the resolver in use does",
    "It was asked only as a control, so nothing is lost.",
    examples=(("others", "its fixed address"),),
)
CONTROL_FAILS = CONTROL_SILENT.variant(
    title="AmazonProvidedDNS at {others} does not resolve {endpoints}; the resolver in use does"
)


@finds(SERVFAIL, REFUSED_QUERY, RESOLVER_UNREACHABLE, RESOLVER_WITHOUT_TCP)
def failing_resolvers(evidence: Evidence) -> Iterator[Finding]:
    """Hosts for which no nameserver returns an answer. What one resolver fails to answer is one finding."""
    groups: dict[tuple[Fault, tuple[str, ...]], list[HostFacts]] = {}
    for host in evidence.hosts:
        fault = _host_fault(host)
        if fault is not None and not evidence.is_other_region(host):
            groups.setdefault((fault, tuple(line.server for line in host.lines)), []).append(host)
    for (fault, _), hosts in groups.items():
        suspects = [failing_resolver_suspects(evidence, host) for host in hosts]
        proven = next((candidate for candidate in suspects if candidate.confirmed), suspects[0])
        failed = merged(*(failed_lookups(evidence, host, (*SILENCE, *FAILING)) for host in hosts))
        steps = merged(failed, evidence.tries(*failed))
        yield lookup_finding(fault, evidence, hosts, steps, proven)


def _host_fault(host: HostFacts) -> Fault | None:
    """The fault of a host that no nameserver answers for: the most specific of its failures."""
    failures = {line.failure for line in host.lines}
    if host.line is not None or not failures or failures & set(NO_EVIDENCE):
        return None
    if Failure.SERVFAIL in failures:
        return SERVFAIL
    if Failure.REFUSED_QUERY in failures:
        return REFUSED_QUERY
    if not failures & set(SILENCE):
        return None
    truncated = all(line.main.names and line.main.names.tcp for line in host.lines)
    return RESOLVER_WITHOUT_TCP if truncated else RESOLVER_UNREACHABLE


@finds(SERVFAIL_PARTLY, REFUSED_QUERY_PARTLY, RESOLVER_PARTLY, RESOLVER_BEHIND, HALF_ANSWER)
def failing_lines(evidence: Evidence) -> Iterator[Finding]:
    """Nameservers that fail while another one answers."""
    groups: dict[tuple[Fault, str], list[tuple[HostFacts, tuple[Step, ...]]]] = {}
    for host in evidence.hosts:
        for line in host.lines if host.line is not None else ():
            fault = _line_fault(line)
            if fault is RESOLVER_PARTLY and _is_behind(host, line):
                fault = RESOLVER_BEHIND
            if fault is not None:
                lost = evidence.tries(*(step for step in line.failed if step.failure not in NO_EVIDENCE))
                groups.setdefault((fault, line.server), []).append((host, lost))
    for (fault, server), cases in groups.items():
        hosts, steps = [host for host, _ in cases], merged(*(lost for _, lost in cases))
        suspects = _line_suspects(evidence, fault, server, steps)
        yield finding_of_hosts(fault, evidence, hosts, steps, suspects=suspects, servers=(server,))


def _is_behind(host: HostFacts, line: Line) -> bool:
    """Whether clients ask this nameserver only after the one that answers."""
    servers = [listed.server for listed in host.lines]
    return host.line is not None and servers.index(line.server) > servers.index(host.line.server)


def _line_fault(line: Line) -> Fault | None:
    """What is wrong with a nameserver while another one answers for the name."""
    failures = {step.failure for step in line.failed}
    if line.answered:
        return HALF_ANSWER if line.addresses and failures - set(NO_EVIDENCE) else None
    if line.failure is Failure.SERVFAIL:
        return SERVFAIL_PARTLY
    if line.failure is Failure.REFUSED_QUERY:
        return REFUSED_QUERY_PARTLY
    return RESOLVER_PARTLY if line.failure in SILENCE else None


def _line_suspects(evidence: Evidence, fault: Fault, server: str, lost: tuple[Step, ...]) -> Suspects:
    """Why one nameserver fails while another one answers."""
    silent = all(step.failure in SILENCE for step in lost)
    if not silent:
        return failing_server_suspects(evidence, server, {step.failure for step in lost})
    if not evidence.is_vpc_resolver(server):
        others = (causes.OTHER,) if fault is HALF_ANSWER else ()
        return possible(causes.RESOLVER_UNREACHABLE, causes.CUSTOM_RESOLVER, *others)
    if fault is HALF_ANSWER:
        return possible(causes.VPC_RESOLVER_UNREACHABLE, causes.OTHER)
    attributes = causes.VPC_ATTRIBUTES_OFF
    out = frozenset({attributes} if evidence.vpc_resolver_answers else ())
    return Suspects((causes.VPC_RESOLVER_UNREACHABLE, attributes), ruled_out=out)


@finds(RESOLVERS_DISAGREE)
def disagreeing_lines(evidence: Evidence) -> Iterator[Finding]:
    """Later nameservers with a different answer: public addresses, or that the name does not exist."""
    wrong: dict[Suspects, list[tuple[HostFacts, Line]]] = {}
    for host in evidence.hosts:
        for line in host.lines:
            if line == host.line or not line.answered or not host.addresses or evidence.leaks(host):
                continue
            leak = is_inside(host.address_class) and class_of(line.addresses) is AddressClass.PUBLIC
            if leak or not line.addresses:
                wrong.setdefault(_disagreement_suspects(evidence, host, line), []).append((host, line))
    for suspects, cases in wrong.items():
        hosts, steps = [host for host, _ in cases], merged(*(line.steps for _, line in cases))
        yield finding_of_hosts(
            RESOLVERS_DISAGREE,
            evidence,
            hosts,
            steps,
            impact=Impact.ROUTE if any(line.addresses for _, line in cases) else None,
            suspects=suspects,
            others=tuple(dict.fromkeys(line.server for _, line in cases)),
        )


def _disagreement_suspects(evidence: Evidence, host: HostFacts, line: Line) -> Suspects:
    """Why a later nameserver answers otherwise. The VPC's own resolver is one server with several addresses."""
    if evidence.is_vpc_resolver(line.server):
        return possible(causes.RESOLVER_RULE, causes.OTHER)
    if evidence.may_be_vpc_resolver(line.server):
        return possible(causes.CUSTOM_RESOLVER, causes.RESOLVER_RULE, causes.OTHER)
    vpc = evidence.is_vpc_resolver(host.line.server) if host.line else False
    vpc = vpc or is_inside(class_of(addresses_of(evidence.vpc_answers(host))))
    return confirmed(causes.CUSTOM_RESOLVER) if vpc else possible(causes.CUSTOM_RESOLVER)


@finds(HUB, CONTROL_DISAGREES, CONTROL_SILENT, CONTROL_FAILS)
def controls(evidence: Evidence) -> Iterator[Finding]:
    """What AmazonProvidedDNS answered where the resolver in use answers well: evidence, never a fault."""
    failed: list[Step] = []
    others: dict[Fault, list[tuple[HostFacts, Line]]] = {}
    for host in evidence.hosts:
        control = host.control
        bug = any(line.failure is Failure.BUG for line in host.lines)
        if control is None or host.is_undecided or evidence.leaks(host) or not (host.addresses or bug):
            continue
        inside = is_inside(host.address_class) and host.endpoint.kind is Kind.INTERFACE
        if inside and (control.failure in NOT_THERE or class_of(control.addresses) is AddressClass.PUBLIC):
            own = host.line is not None and evidence.is_vpc_resolver(host.line.server)
            others.setdefault(CONTROL_DISAGREES if own else HUB, []).append((host, control))
        else:
            failed += (step for step in control.failed if step.failure not in NO_EVIDENCE)
    if failed:
        servers = tuple(dict.fromkeys(step.names.server for step in failed if step.names))
        fault = CONTROL_SILENT if all(step.failure in SILENCE for step in failed) else CONTROL_FAILS
        yield finding(fault, evidence, failed, others=servers)
    for fault, cases in others.items():
        answers = (step for _, control in cases for step in control.steps)
        usable = [step for step in answers if step.ok or (step.failed and step.failure not in NO_EVIDENCE)]
        steps = merged(usable, *(host.line.steps for host, _ in cases if host.line))
        servers = tuple(dict.fromkeys(host.line.server for host, _ in cases if host.line))
        controls = tuple(dict.fromkeys(control.server for _, control in cases))
        yield finding(fault, evidence, steps, servers=servers, others=controls if fault is CONTROL_DISAGREES else None)

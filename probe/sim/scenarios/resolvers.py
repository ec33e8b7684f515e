"""Servers that are asked for names: the VPC's resolver, the company's, the hub's, rules and firewalls within."""

from __future__ import annotations

from probe.sim import names
from probe.sim.changes import all_of, dns_server, nameserver_lines, vpc_with, with_nat
from probe.sim.dns import NO_ANSWER, NXDOMAIN, REFUSED, SERVFAIL, DnsAnswer, DnsHandler
from probe.sim.scenarios.scenario import scenario
from probe.sim.vpc import VPC

REGION = "us-east-1"
OTHER_SERVER = "10.0.3.53"  # a DNS server that somebody runs in the VPC
HUB_SERVER = "10.99.0.2"


def _publicly(vpc: VPC) -> DnsHandler:
    """A server that forwards to the Internet and knows no private zone."""
    return vpc.public_dns.answer


def _privately(vpc: VPC) -> DnsHandler:
    """A server that forwards to the VPC's own resolver."""
    return vpc.resolver.answer


def always(answer: DnsAnswer) -> DnsHandler:
    return lambda _name, _record: answer


def _without_ipv6(vpc: VPC) -> DnsHandler:
    """A server that forwards questions for IPv4 and fails on those for IPv6."""
    return lambda name, record: SERVFAIL if record == "AAAA" else vpc.resolver.answer(name, record)


def _support_off(vpc: VPC) -> None:
    vpc.resolver.answering = False


def _rule_to_nobody(vpc: VPC) -> None:
    """A Route 53 Resolver rule sends AWS's names to a server that is gone."""
    vpc.resolver.forwards["amazonaws.com"] = always(NO_ANSWER)


def _hub_answers(vpc: VPC) -> None:
    """Central endpoints whose zones only the hub's resolver knows; the task asks it."""
    zones, vpc.zones = vpc.zones, []

    def ask(name: str, record: str) -> DnsAnswer:
        held = [each for each in zones if each.contains(name)]
        return held[0].answer(name, record) if held else vpc.public_dns.answer(name, record)

    dns_server(HUB_SERVER, lambda _: ask)(vpc)
    nameserver_lines(HUB_SERVER)(vpc)


def _firewalled(vpc: VPC) -> None:
    """A DNS Firewall rule empties the answers for registries."""
    vpc.resolver.blocked[names.host("ecr.dkr", REGION)] = DnsAnswer()


def _firewalled_s3(vpc: VPC) -> None:
    vpc.resolver.blocked[f"s3.{REGION}.amazonaws.com"] = NXDOMAIN


RESOLVERS = (
    scenario(
        "vpc-dns-support-off",
        "enableDnsSupport is off: the VPC's resolver says nothing.",
        _support_off,
        findings={"dns.resolver-unreachable": "dns.vpc-attributes-off"},
        s3_reached=False,
    ),
    scenario(
        "custom-resolver",
        "DHCP options name a server of the company, which knows no private zone.",
        all_of(dns_server(OTHER_SERVER, _publicly), nameserver_lines(OTHER_SERVER)),
        findings={"dns.public-answer": "dns.custom-resolver"},
    ),
    scenario(
        "custom-resolver-nat",
        "The same with a NAT gateway: pulls work, past the endpoints.",
        all_of(dns_server(OTHER_SERVER, _publicly), nameserver_lines(OTHER_SERVER), with_nat),
        findings={"dns.public-answer": "dns.custom-resolver"},
        pull="works",
    ),
    scenario(
        "custom-resolver-forwards",
        "The company's server forwards AWS's names to the VPC's resolver, as it should.",
        all_of(dns_server(OTHER_SERVER, _privately), nameserver_lines(OTHER_SERVER)),
        status="pass",
        pull="works",
    ),
    scenario(
        "custom-resolver-servfail",
        "The company's server fails on AWS's names; the VPC's own would know them.",
        all_of(dns_server(OTHER_SERVER, lambda _: always(SERVFAIL)), nameserver_lines(OTHER_SERVER)),
        findings={"dns.servfail": "dns.custom-resolver"},
        s3_reached=False,
    ),
    scenario(
        "custom-resolver-half",
        "The company's server answers for IPv4 and fails on IPv6: some clients take that for the whole answer.",
        all_of(dns_server(OTHER_SERVER, _without_ipv6), nameserver_lines(OTHER_SERVER)),
        findings={"dns.half-answer": "dns.custom-resolver"},
        status="degraded",
        pull="works",
    ),
    scenario(
        "custom-resolver-refuses",
        "The company's server does not serve this subnet.",
        all_of(dns_server(OTHER_SERVER, lambda _: always(REFUSED)), nameserver_lines(OTHER_SERVER)),
        findings={"dns.refused-query": "dns.custom-resolver"},
        s3_reached=False,
    ),
    scenario(
        "custom-resolver-nxdomain",
        "The company's server has an empty zone for amazonaws.com.",
        all_of(dns_server(OTHER_SERVER, lambda _: always(NXDOMAIN)), nameserver_lines(OTHER_SERVER)),
        findings={"dns.name-missing": "dns.custom-resolver"},
        s3_reached=False,
    ),
    scenario(
        "custom-resolver-silent",
        "The only nameserver line names a server that is gone.",
        nameserver_lines(OTHER_SERVER),
        findings={"dns.resolver-unreachable": "dns.custom-resolver"},
        s3_reached=False,
    ),
    scenario(
        "first-nameserver-dead",
        "The first nameserver is gone, the second is the VPC's: everything works, late.",
        nameserver_lines(OTHER_SERVER, "vpc"),
        findings={"dns.resolver-unreachable": "dns.resolver-unreachable"},
        status="degraded",
        pull="works",
    ),
    scenario(
        "second-nameserver-public",
        "The second nameserver line knows no private zone: whoever asks it leaves the VPC.",
        all_of(dns_server(OTHER_SERVER, _publicly), nameserver_lines("vpc", OTHER_SERVER)),
        findings={"dns.resolvers-disagree": "dns.custom-resolver"},
        status="degraded",
        pull="works",
    ),
    scenario(
        "resolver-rule-dead",
        "A resolver rule forwards amazonaws.com to a server that is gone: SERVFAIL, except within private zones.",
        _rule_to_nobody,
        findings={"dns.servfail": "dns.custom-resolver"},
        s3_reached=False,
    ),
    scenario(
        "dns-firewall-empty",
        "A DNS Firewall leaves nothing of the registry's name.",
        _firewalled,
        findings={"dns.no-address": "dns.hosted-zone-missing-record"},
    ),
    scenario(
        "dns-firewall-s3",
        "A DNS Firewall says that S3 does not exist.",
        _firewalled_s3,
        findings={"dns.name-missing": "dns.hosted-zone-missing-record"},
        s3_reached=False,
    ),
    scenario(
        "hub-dns",
        "The hub's DNS server answers privately where the VPC's own does not: right, and worth knowing.",
        all_of(vpc_with(central=True), _hub_answers),
        findings={"dns.hub-resolver": None, "dns.central-endpoint": None},
        status="pass",
        pull="works",
    ),
)

"""DNS servers: the VPC's resolver with its rules and firewalls, the company's, the hub's."""

from __future__ import annotations

from probe.sim import names
from probe.sim.changes import all_of, dns_server, nameserver_lines, vpc_with, with_nat
from probe.sim.dns import NO_ANSWER, NXDOMAIN, REFUSED, SERVFAIL, DnsAnswer, DnsHandler
from probe.sim.scenarios.scenario import scenario
from probe.sim.vpc import VPC

REGION = "us-east-1"
OTHER_SERVER = "10.0.3.53"  # the company's DNS server in the VPC
HUB_SERVER = "10.99.0.2"


def _public_dns(vpc: VPC) -> DnsHandler:
    """A server that forwards to public DNS and does not know the private zones."""
    return vpc.public_dns.answer


def _vpc_resolver(vpc: VPC) -> DnsHandler:
    """A server that forwards to the VPC's own resolver."""
    return vpc.resolver.answer


def always(answer: DnsAnswer) -> DnsHandler:
    return lambda _name, _record: answer


def _without_ipv6(vpc: VPC) -> DnsHandler:
    """A server that forwards A queries and fails on AAAA queries."""
    return lambda name, record: SERVFAIL if record == "AAAA" else vpc.resolver.answer(name, record)


def _dns_support_off(vpc: VPC) -> None:
    vpc.resolver.answering = False


def _rule_to_dead_server(vpc: VPC) -> None:
    """A Route 53 Resolver rule forwards AWS's names to a dead server."""
    vpc.resolver.forwards["amazonaws.com"] = always(NO_ANSWER)


def _hub_resolver(vpc: VPC) -> None:
    """The zones of central endpoints are known to the hub's resolver only, which the task uses."""
    zones, vpc.zones = vpc.zones, []

    def answer(name: str, record: str) -> DnsAnswer:
        matching = [zone for zone in zones if zone.contains(name)]
        return matching[0].answer(name, record) if matching else vpc.public_dns.answer(name, record)

    dns_server(HUB_SERVER, lambda _: answer)(vpc)
    nameserver_lines(HUB_SERVER)(vpc)


def _dns_firewall_registry(vpc: VPC) -> None:
    """A DNS Firewall rule removes the addresses of registries."""
    vpc.resolver.blocked[names.host("ecr.dkr", REGION)] = DnsAnswer()


def _dns_firewall_s3(vpc: VPC) -> None:
    vpc.resolver.blocked[f"s3.{REGION}.amazonaws.com"] = NXDOMAIN


RESOLVERS = (
    scenario(
        "vpc-dns-support-off",
        "enableDnsSupport is off, so the VPC's resolver does not answer.",
        _dns_support_off,
        findings={"dns.resolver-unreachable": "dns.vpc-attributes-off"},
        s3_reached=False,
    ),
    scenario(
        "custom-resolver",
        "DHCP options set a company DNS server that does not know the private zones.",
        all_of(dns_server(OTHER_SERVER, _public_dns), nameserver_lines(OTHER_SERVER)),
        findings={"dns.public-answer": "dns.custom-resolver"},
    ),
    scenario(
        "custom-resolver-nat",
        "A company DNS server without the private zones; pulls work through a NAT gateway, not through the endpoints.",
        all_of(dns_server(OTHER_SERVER, _public_dns), nameserver_lines(OTHER_SERVER), with_nat),
        findings={"dns.public-answer": "dns.custom-resolver"},
        pull="works",
    ),
    scenario(
        "custom-resolver-forwards",
        "The company's DNS server forwards AWS's names to the VPC's resolver, as it should.",
        all_of(dns_server(OTHER_SERVER, _vpc_resolver), nameserver_lines(OTHER_SERVER)),
        status="pass",
        pull="works",
    ),
    scenario(
        "custom-resolver-servfail",
        "The company's DNS server fails on AWS's names; the VPC's resolver would answer them.",
        all_of(dns_server(OTHER_SERVER, lambda _: always(SERVFAIL)), nameserver_lines(OTHER_SERVER)),
        findings={"dns.servfail": "dns.custom-resolver"},
        s3_reached=False,
    ),
    scenario(
        "custom-resolver-half",
        "The company's DNS server answers for IPv4 and fails for IPv6, which some clients treat as a failed lookup.",
        all_of(dns_server(OTHER_SERVER, _without_ipv6), nameserver_lines(OTHER_SERVER)),
        findings={"dns.half-answer": "dns.custom-resolver"},
        status="degraded",
        pull="works",
    ),
    scenario(
        "custom-resolver-refuses",
        "The company's DNS server does not serve this subnet.",
        all_of(dns_server(OTHER_SERVER, lambda _: always(REFUSED)), nameserver_lines(OTHER_SERVER)),
        findings={"dns.refused-query": "dns.custom-resolver"},
        s3_reached=False,
    ),
    scenario(
        "custom-resolver-nxdomain",
        "The company's DNS server has an empty zone for amazonaws.com.",
        all_of(dns_server(OTHER_SERVER, lambda _: always(NXDOMAIN)), nameserver_lines(OTHER_SERVER)),
        findings={"dns.name-missing": "dns.custom-resolver"},
        s3_reached=False,
    ),
    scenario(
        "custom-resolver-silent",
        "The only nameserver does not answer.",
        nameserver_lines(OTHER_SERVER),
        findings={"dns.resolver-unreachable": "dns.custom-resolver"},
        s3_reached=False,
    ),
    scenario(
        "first-nameserver-dead",
        "The first nameserver is dead, the second is the VPC's resolver: everything works, but slowly.",
        nameserver_lines(OTHER_SERVER, "vpc"),
        findings={"dns.resolver-unreachable": "dns.resolver-unreachable"},
        status="degraded",
        pull="works",
    ),
    scenario(
        "second-nameserver-public",
        "The second nameserver does not know the private zones: clients that query it leave the VPC.",
        all_of(dns_server(OTHER_SERVER, _public_dns), nameserver_lines("vpc", OTHER_SERVER)),
        findings={"dns.resolvers-disagree": "dns.custom-resolver"},
        status="degraded",
        pull="works",
    ),
    scenario(
        "resolver-rule-dead",
        "A resolver rule forwards amazonaws.com to a dead server: SERVFAIL for all names outside private zones.",
        _rule_to_dead_server,
        findings={"dns.servfail": "dns.custom-resolver"},
        s3_reached=False,
    ),
    scenario(
        "dns-firewall-empty",
        "A DNS Firewall removes the addresses from the registry's answer.",
        _dns_firewall_registry,
        findings={"dns.no-address": "dns.hosted-zone-missing-record"},
    ),
    scenario(
        "dns-firewall-s3",
        "A DNS Firewall answers NXDOMAIN for S3.",
        _dns_firewall_s3,
        findings={"dns.name-missing": "dns.hosted-zone-missing-record"},
        s3_reached=False,
    ),
    scenario(
        "hub-dns",
        "The hub's DNS server answers with private addresses where the VPC's resolver does not. This is correct.",
        all_of(vpc_with(central=True), _hub_resolver),
        findings={"dns.hub-resolver": None, "dns.central-endpoint": None},
        status="pass",
        pull="works",
    ),
)

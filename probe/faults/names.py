"""Faults of names: what resolvers answer, and whether an interface endpoint's private name is in force."""

from __future__ import annotations

from dataclasses import replace

from probe.faults.fault import Fault
from probe.model import Extent, Impact

PUBLIC = Fault(
    "dns.public-answer",
    "{endpoints} is reached by public addresses, not through a VPC endpoint",
    "The private name is not in force where this task asks. It works today by a way out of the VPC (NAT or internet gateway) and ends with it.",
    Impact.ROUTE,
    ("dns.private-dns-disabled", "dns.vpc-attributes-off", "dns.hosted-zone-not-associated", "dns.hosted-zone-wrong-name"),
)
PUBLIC_SILENT = replace(
    PUBLIC,
    title="{endpoints} resolves to public addresses, and they cannot be reached",
    why="The private name is not in force where this task asks, and no way leads out of the VPC. With the endpoint's private name in force no way out is needed.",
    impact=Impact.PULL,
)
PUBLIC_PARTLY = replace(
    PUBLIC,
    title="{endpoints} resolves to public addresses beside private ones",
    why="Some connections stay inside the VPC and some leave it, as chance has it. Two sources of the name are mixed.",
    extent=Extent.PARTLY,
)
NAME_MISSING = Fault(
    "dns.name-missing",
    "the name of {endpoints} does not exist where this task asks",
    "{servers} answered NXDOMAIN for {hosts}. Public DNS knows the names of AWS, so a private zone that hides the name is likely.",
    Impact.PULL,
    ("dns.hosted-zone-missing-record", "dns.hosted-zone-conflict"),
)
NO_ADDRESS = Fault(
    "dns.no-address",
    "the name of {endpoints} has no address where this task asks",
    "{servers} knows {hosts} but gave no address for it: a record is missing, or a DNS firewall answers in its place.",
    Impact.PULL,
    ("dns.hosted-zone-missing-record", "dns.hosted-zone-conflict", "path.egress-firewall"),
)
SERVFAIL = Fault(
    "dns.servfail",
    "the resolver fails to look up {endpoints}",
    "{servers} answered SERVFAIL: it was reached, but whatever it asks in turn was not, or refuses.",
    Impact.PULL,
    ("dns.custom-resolver", "dns.resolver-unreachable", "other"),
)
REFUSED_QUERY = Fault(
    "dns.refused-query",
    "the resolver refuses to look up {endpoints}",
    "{servers} answered REFUSED: it does not serve this task or this name.",
    Impact.PULL,
    ("dns.custom-resolver", "other"),
)
RESOLVER_UNREACHABLE = Fault(
    "dns.resolver-unreachable",
    "no resolver answers, so {endpoints} cannot be found",
    "Queries to {servers} got no answer at all. That is silence, not a wrong answer.",
    Impact.PULL,
    ("dns.resolver-unreachable", "dns.custom-resolver", "tcp.security-group"),
)
RESOLVER_PARTLY = replace(
    RESOLVER_UNREACHABLE,
    title="the nameserver {servers} does not answer; another one does",
    why="Lookups succeed, but each that asks {servers} first waits for it to time out.",
    extent=Extent.PARTLY,
)
RESOLVERS_DISAGREE = Fault(
    "dns.resolvers-disagree",
    "another nameserver of this task, {servers}, knows no private address for {endpoints}",
    "The first nameserver answers privately. Whenever it is slow, lookups fall to {servers} and the pull leaves the VPC or fails.",
    Impact.ROUTE,
    ("dns.custom-resolver",),
    Extent.PARTLY,
)
HUB = Fault(
    "dns.hub-resolver",
    "{endpoints} is private only at the resolver in use ({servers}), not at the VPC's own",
    "A hub's DNS serves the private name. That is fine; it is worth knowing that the VPC's own resolver does not know it.",
    Impact.NONE,
    extent=Extent.NOTED,
)
CONTROL_SILENT = Fault(
    "dns.control-silent",
    "AmazonProvidedDNS does not answer beside the resolver in use",
    "It was asked as a control only. The resolver in use answers, so nothing is lost.",
    Impact.NONE,
    extent=Extent.NOTED,
)
CENTRAL = Fault(
    "dns.central-endpoint",
    "{endpoints} is private but outside this VPC's known ranges: probably a central endpoint VPC",
    "{addresses} lie outside {ranges}. A shared endpoint VPC behind a transit gateway looks so; --vpc-cidr tells every range that counts as yours.",
    Impact.NONE,
    extent=Extent.NOTED,
)
UNDETERMINED = Fault(
    "dns.undetermined-answer",
    "whether the addresses of {endpoints} belong to a VPC endpoint cannot be told",
    "{addresses} are global IPv6 addresses outside the known ranges, and endpoints have such addresses too. --vpc-cidr with the VPC's IPv6 range decides.",
    Impact.NONE,
    extent=Extent.NOTED,
)

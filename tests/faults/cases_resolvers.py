"""Cases of resolvers: those that fail, stay silent or disagree, and the VPC's own beside them."""

from __future__ import annotations

from probe.model import Failure
from tests.faults.behaviour import PRIVATE, PUBLIC, S3, Host, private, public
from tests.faults.case import Case
from tests.faults.cases_names import ALL, all_hosts, at_custom
from tests.faults.plans import CUSTOM
from tests.faults.world import World

CASES = (
    Case(
        "SERVFAIL of the VPC's resolver",
        World({"s3": Host(Failure.SERVFAIL)}),
        {"dns.servfail": "dns.custom-resolver dns.resolver-unreachable other"},
    ),
    Case(
        "SERVFAIL of a custom resolver, private at the VPC's",
        World({name: at_custom(Failure.SERVFAIL, PRIVATE.get(name, S3)) for name in (*ALL, "s3")}),
        {"dns.servfail": "=dns.custom-resolver -dns.resolver-unreachable -other"},
        endpoints={"dns.servfail": "ecr.api ecr.dkr s3 logs"},
    ),
    Case(
        "REFUSED by the resolver",
        World(all_hosts(private, answer=Failure.REFUSED_QUERY, server=CUSTOM)),
        {"dns.refused-query": "dns.custom-resolver other"},
    ),
    Case(
        "the VPC's resolver is silent",
        World(all_hosts(private, answer=Failure.NO_ANSWER, control=Failure.NO_ANSWER)),
        {"dns.resolver-unreachable": "dns.vpc-attributes-off dns.resolver-unreachable"},
        endpoints={"dns.resolver-unreachable": "ecr.api ecr.dkr logs"},
    ),
    Case(
        "the custom resolver is silent, the VPC's answers privately",
        World({name: at_custom(Failure.NO_ANSWER, PRIVATE.get(name, S3)) for name in (*ALL, "s3")}),
        {"dns.resolver-unreachable": "=dns.custom-resolver"},
        endpoints={"dns.resolver-unreachable": "ecr.api ecr.dkr s3 logs"},
    ),
    Case(
        "the custom resolver is silent, and so is the VPC's",
        World(all_hosts(private, answer=Failure.NO_ANSWER, server=CUSTOM, control=Failure.NO_ANSWER)),
        {"dns.resolver-unreachable": "dns.resolver-unreachable dns.custom-resolver tcp.security-group"},
    ),
    Case(
        "first nameserver dead, second alive",
        World({"ecr.api": Host(Failure.NO_ANSWER, server=CUSTOM, second=PRIVATE["ecr.api"])}),
        {"dns.resolver-unreachable": "dns.resolver-unreachable"},
        "degraded",
        "works",
    ),
    Case(
        "the VPC's nameserver line dead, another alive",
        World({"ecr.api": Host(Failure.NO_ANSWER, second=PRIVATE["ecr.api"])}),
        {"dns.resolver-unreachable": "dns.resolver-unreachable dns.vpc-attributes-off"},
        "degraded",
        "works",
    ),
    Case(
        "second nameserver dead",
        World(all_hosts(private, second=Failure.NO_ANSWER)),
        {"dns.resolver-unreachable": "dns.resolver-unreachable"},
        "pass",
        "works",
        endpoints={"dns.resolver-unreachable": "ecr.api ecr.dkr logs"},
    ),
    Case(
        "first nameserver fails, second answers",
        World({"s3": Host(Failure.SERVFAIL, second=S3)}),
        {"dns.servfail": "dns.custom-resolver"},
        "degraded",
        "works",
    ),
    Case(
        "first nameserver refuses, second answers",
        World({"s3": Host(Failure.REFUSED_QUERY, second=S3)}),
        {"dns.refused-query": "dns.custom-resolver"},
        "degraded",
        "works",
    ),
    Case(
        "second nameserver public",
        World({"ecr.api": private("ecr.api", second=PUBLIC["ecr.api"])}),
        {"dns.resolvers-disagree": "=dns.custom-resolver"},
        "degraded",
        "works",
    ),
    Case(
        "second nameserver knows no such name",
        World({"ecr.api": private("ecr.api", server=CUSTOM, second=Failure.NXDOMAIN)}),
        {"dns.resolvers-disagree": "dns.custom-resolver"},
        "degraded",
        "works",
    ),
    Case(
        "a public first nameserver and a second that knows no such name are one fault",
        World({"ecr.api": public("ecr.api", second=Failure.NXDOMAIN)}),
        {"dns.public-answer": "endpoint.missing.ecr-api"},
        "fail",
        "works",
    ),
    Case(
        "AAAA is not answered",
        World({"ecr.api": private("ecr.api", ipv6=Failure.SERVFAIL)}),
        {"dns.half-answer": "dns.custom-resolver dns.resolver-unreachable other"},
        "degraded",
        "works",
    ),
    Case(
        "a hub's DNS is private, the VPC's public",
        World({"ecr.api": private("ecr.api", server=CUSTOM, control=PUBLIC["ecr.api"])}),
        {"dns.hub-resolver": ""},
        "pass",
        "works",
    ),
    Case(
        "a hub's DNS is private, the VPC's knows no such name",
        World({"ecr.api": private("ecr.api", server=CUSTOM, control=Failure.NXDOMAIN)}),
        {"dns.hub-resolver": ""},
        "pass",
        "works",
    ),
    Case(
        "the control is silent beside a good resolver",
        World(all_hosts(private, server=CUSTOM, control=Failure.NO_ANSWER)),
        {"dns.control-silent": ""},
        "pass",
        "works",
    ),
)

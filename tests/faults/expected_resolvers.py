"""Expected verdicts on resolvers that fail, do not answer or disagree, with the VPC's own as a control."""

from __future__ import annotations

from probe.model import Failure
from tests.faults.expectation import Expected
from tests.faults.expected_names import ALL, all_hosts, at_custom
from tests.faults.fake_hosts import CUSTOM, PRIVATE, PUBLIC, S3, Host, private, public
from tests.faults.fake_run import FakeRun

SILENT_VPC = {name: Host(Failure.NO_ANSWER, control=Failure.NO_ANSWER) for name in (*ALL, "s3")}
EXPECTED = (
    Expected(
        "SERVFAIL of the VPC's resolver",
        FakeRun({"s3": Host(Failure.SERVFAIL)}),
        {"dns.servfail": "dns.resolver-rule dns.resolver-unreachable other"},
    ),
    Expected(
        "SERVFAIL of a custom resolver, private at the VPC's",
        FakeRun({name: at_custom(Failure.SERVFAIL, PRIVATE.get(name, S3)) for name in (*ALL, "s3")}),
        {"dns.servfail": "=dns.custom-resolver -dns.resolver-unreachable -other"},
        endpoints={"dns.servfail": "ecr.api ecr.dkr s3 logs"},
    ),
    Expected(
        "REFUSED by the resolver",
        FakeRun(all_hosts(private, answer=Failure.REFUSED_QUERY, server=CUSTOM)),
        {"dns.refused-query": "dns.custom-resolver other"},
    ),
    Expected(
        "the VPC's resolver is silent",
        FakeRun(SILENT_VPC),
        {"dns.resolver-unreachable": "dns.vpc-attributes-off dns.resolver-unreachable"},
        endpoints={"dns.resolver-unreachable": "ecr.api ecr.dkr s3 logs"},
    ),
    Expected(
        "the custom resolver is silent, the VPC's answers privately",
        FakeRun({name: at_custom(Failure.NO_ANSWER, PRIVATE.get(name, S3)) for name in (*ALL, "s3")}),
        {"dns.resolver-unreachable": "=dns.custom-resolver"},
        endpoints={"dns.resolver-unreachable": "ecr.api ecr.dkr s3 logs"},
    ),
    Expected(
        "the custom resolver is silent, and so is the VPC's",
        FakeRun(all_hosts(private, answer=Failure.NO_ANSWER, server=CUSTOM, control=Failure.NO_ANSWER)),
        {"dns.resolver-unreachable": "dns.resolver-unreachable dns.custom-resolver tcp.security-group"},
    ),
    Expected(
        "first nameserver silent, second answers",
        FakeRun({"ecr.api": Host(Failure.NO_ANSWER, server=CUSTOM, second=PRIVATE["ecr.api"])}),
        {"dns.resolver-unreachable": "dns.resolver-unreachable"},
        "degraded",
        "works",
    ),
    Expected(
        "the VPC's resolver silent, another nameserver answers",
        FakeRun({"ecr.api": Host(Failure.NO_ANSWER, second=PRIVATE["ecr.api"])}),
        {"dns.resolver-unreachable": "dns.resolver-unreachable -dns.vpc-attributes-off"},
        "degraded",
        "works",
    ),
    Expected(
        "second nameserver silent",
        FakeRun(all_hosts(private, second=Failure.NO_ANSWER)),
        {"dns.resolver-unreachable": "dns.resolver-unreachable"},
        "pass",
        "works",
        endpoints={"dns.resolver-unreachable": "ecr.api ecr.dkr logs"},
    ),
    Expected(
        "first nameserver fails, second answers",
        FakeRun({"s3": Host(Failure.SERVFAIL, second=S3)}),
        {"dns.servfail": "dns.resolver-rule dns.resolver-unreachable other"},
        "degraded",
        "works",
    ),
    Expected(
        "first nameserver refuses, second answers",
        FakeRun({"s3": Host(Failure.REFUSED_QUERY, second=S3)}),
        {"dns.refused-query": "dns.resolver-rule other"},
        "degraded",
        "works",
    ),
    Expected(
        "second nameserver public",
        FakeRun({"ecr.api": private("ecr.api", second=PUBLIC["ecr.api"])}),
        {"dns.resolvers-disagree": "=dns.custom-resolver"},
        "degraded",
        "works",
    ),
    Expected(
        "second nameserver answers NXDOMAIN",
        FakeRun({"ecr.api": private("ecr.api", server=CUSTOM, second=Failure.NXDOMAIN)}),
        {"dns.resolvers-disagree": "dns.custom-resolver"},
        "degraded",
        "works",
    ),
    Expected(
        "first nameserver public and second NXDOMAIN, which is one fault",
        FakeRun({"ecr.api": public("ecr.api", second=Failure.NXDOMAIN)}),
        {"dns.public-answer": "endpoint.missing.ecr-api"},
        "fail",
        "works",
    ),
    Expected(
        "AAAA is not answered",
        FakeRun({"ecr.api": private("ecr.api", ipv6=Failure.SERVFAIL)}),
        {"dns.half-answer": "dns.resolver-rule dns.resolver-unreachable other"},
        "degraded",
        "works",
    ),
    Expected(
        "a hub's DNS is private, the VPC's public",
        FakeRun({"ecr.api": private("ecr.api", server=CUSTOM, control=PUBLIC["ecr.api"])}),
        {"dns.hub-resolver": ""},
        "pass",
        "works",
    ),
    Expected(
        "a hub's DNS is private, the VPC's answers NXDOMAIN",
        FakeRun({"ecr.api": private("ecr.api", server=CUSTOM, control=Failure.NXDOMAIN)}),
        {"dns.hub-resolver": ""},
        "pass",
        "works",
    ),
    Expected(
        "the control is silent, the resolver in use answers",
        FakeRun(all_hosts(private, server=CUSTOM, control=Failure.NO_ANSWER)),
        {"dns.control-silent": ""},
        "pass",
        "works",
    ),
    Expected(
        "no IPv4 address, and the run ended before the answer for IPv6",
        FakeRun({"ecr.api": Host(Failure.NO_ADDRESS, ipv6=Failure.DEADLINE)}),
        {"probe.deadline": ""},
        "inconclusive",
        "unproven",
    ),
    Expected(
        "the control has no name of S3, the resolver in use has",
        FakeRun({"s3": private("s3", server=CUSTOM, control=Failure.NXDOMAIN)}),
        {"dns.control-silent": ""},
        "pass",
        "works",
    ),
    Expected(
        "S3 is private by a hub's DNS, public by the VPC's",
        FakeRun({"s3": Host(("10.0.1.50",), server=CUSTOM, control=S3)}),
        {},
        "pass",
        "works",
    ),
    Expected(
        "SERVFAIL of the VPC's resolver at base+2, an answer at its other address",
        FakeRun({"s3": Host(Failure.SERVFAIL, control=S3)}),
        {"dns.servfail": "dns.resolver-rule dns.resolver-unreachable other"},
    ),
    Expected(
        "SERVFAIL at base+2 of a range that is not known, an answer of the VPC's resolver",
        FakeRun(
            {"s3": Host(Failure.SERVFAIL, control=S3)},
            around={"subnet_cidr": "100.64.1.0/24", "addresses": ("100.64.1.77",)},
            planned={"vpc_cidrs": ("100.64.1.0/24",)},
        ),
        {
            "dns.servfail": "dns.resolver-rule dns.custom-resolver dns.resolver-unreachable other",
            "dns.central-endpoint": "",
        },
    ),
    Expected(
        "SERVFAIL of a custom resolver for S3 alone, an answer of the VPC's",
        FakeRun({"s3": at_custom(Failure.SERVFAIL, S3)}),
        {"dns.servfail": "=dns.custom-resolver -dns.resolver-unreachable -other"},
    ),
    Expected(
        "base+2 is silent, the VPC's resolver answers at its other address",
        FakeRun({name: Host(Failure.NO_ANSWER, control=PRIVATE.get(name, S3)) for name in (*ALL, "s3")}),
        {"dns.resolver-unreachable": "dns.resolver-unreachable -dns.vpc-attributes-off"},
        endpoints={"dns.resolver-unreachable": "ecr.api ecr.dkr s3 logs"},
    ),
    Expected(
        "the VPC's resolver is silent for one name only",
        FakeRun({"s3": Host(Failure.NO_ANSWER)}),
        {"dns.resolver-unreachable": "dns.resolver-rule dns.resolver-unreachable -dns.vpc-attributes-off"},
    ),
    Expected(
        "answers are truncated over UDP, and TCP port 53 is closed",
        FakeRun({name: Host(Failure.REFUSED, truncated=True) for name in (*ALL, "s3")}),
        {"dns.resolver-unreachable": "dns.resolver-unreachable -dns.vpc-attributes-off"},
    ),
    Expected(
        "two addresses of the VPC's resolver disagree",
        FakeRun(
            {"ecr.api": private("ecr.api", second=PUBLIC["ecr.api"])},
            planned={"vpc_cidrs": ("10.0.0.0/16", "10.9.0.51/32")},
        ),
        {"dns.resolvers-disagree": "=dns.custom-resolver"},
        "degraded",
        "works",
    ),
    Expected(
        "the VPC's resolver is private at base+2 and public at its other address",
        FakeRun({"ecr.api": private("ecr.api", control=PUBLIC["ecr.api"])}),
        {"dns.resolvers-disagree": "dns.resolver-rule other"},
        "pass",
        "works",
        {"dns.resolvers-disagree": "info"},
    ),
)

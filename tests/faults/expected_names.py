"""Expected verdicts on names: private DNS that does not take effect, and names that do not exist."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from probe.model import Failure, Policy
from tests.faults.expectation import Expected
from tests.faults.fake_hosts import CUSTOM, GLOBAL_IPV6, PRIVATE, PUBLIC, Answer, Host, private, public
from tests.faults.fake_run import FakeRun

SILENT = Failure.TIMEOUT
ZONES = (
    "dns.private-dns-disabled dns.vpc-attributes-off dns.hosted-zone-not-associated dns.resolver-rule "
    "dns.hosted-zone-wrong-name"
)
NOT_THERE = "dns.hosted-zone-missing-record dns.firewall dns.hosted-zone-conflict dns.resolver-rule"
ALL = ("ecr.api", "ecr.dkr", "logs")


def all_hosts(make: Callable[..., Host] = private, **changes: Any) -> dict[str, Host]:
    """All three interface endpoints, with the same changes."""
    return {name: make(name, **changes) for name in ALL}


def at_custom(answer: Answer, control: Answer) -> Host:
    """A host that a custom resolver looks up, and the VPC's resolver as a control."""
    return Host(answer, server=CUSTOM, control=control)


ALLOWED = Policy(allow_public=("ecr.api", "ecr.dkr", "logs"))

EXPECTED = (
    Expected("healthy", FakeRun(), {}, "pass", "works"),
    Expected(
        "one name public, through NAT",
        FakeRun({"ecr.api": public("ecr.api", control=PUBLIC["ecr.api"])}),
        {
            "dns.public-answer": "endpoint.missing.ecr-api dns.private-dns-disabled dns.hosted-zone-not-associated "
            "dns.resolver-rule dns.hosted-zone-wrong-name -dns.vpc-attributes-off"
        },
        "fail",
        "works",
        {"dns.public-answer": "error"},
    ),
    Expected(
        "every name public, through NAT",
        FakeRun(all_hosts(public)),
        {"dns.public-answer": f"endpoint.missing.ecr-api endpoint.missing.ecr-dkr {ZONES}"},
        "fail",
        "works",
        {"dns.public-answer": "warning"},  # one finding for logs, which weighs less
        {"dns.public-answer": "ecr.api ecr.dkr"},
    ),
    Expected(
        "every name public, and allowed",
        FakeRun(all_hosts(public), policy=ALLOWED),
        {"dns.public-answer": "endpoint.missing.ecr-api endpoint.missing.ecr-dkr logs.endpoint-missing"},
        "pass",
        "works",
        {"dns.public-answer": "info"},
        {"dns.public-answer": "ecr.api ecr.dkr logs"},
    ),
    Expected(
        "every public path allowed, but ecr.api unreachable",
        FakeRun({"ecr.api": public("ecr.api", tcp=SILENT)}, policy=ALLOWED),
        {"dns.public-answer": "endpoint.missing.ecr-api"},
        severities={"dns.public-answer": "error"},
    ),
    Expected(
        "every name public, and no route to the internet",
        FakeRun(all_hosts(public, tcp=SILENT)),
        {
            "dns.public-answer": f"endpoint.missing.ecr-api endpoint.missing.ecr-dkr logs.endpoint-missing {ZONES} "
            "tcp.no-route tcp.security-group tcp.no-public-ip tcp.nat-device tcp.nacl path.egress-firewall"
        },
        endpoints={"dns.public-answer": "ecr.api ecr.dkr logs"},
    ),
    Expected(
        "only logs public, through NAT",
        FakeRun({"logs": public("logs")}),
        {"dns.public-answer": "logs.endpoint-missing"},
        "degraded",
        "works",
        {"dns.public-answer": "warning"},
    ),
    Expected(
        "the agent's endpoints public",
        FakeRun({name: public(name) for name in ("ecs", "ecs-agent", "ecs-telemetry")}, agent=True),
        {"dns.public-answer": "ecs.control-plane-endpoints-missing"},
        "degraded",
        "works",
        endpoints={"dns.public-answer": "ecs ecs-agent ecs-telemetry"},
    ),
    Expected(
        "the custom resolver answers publicly, the VPC's privately",
        FakeRun({name: at_custom(PUBLIC[name], PRIVATE[name]) for name in ALL}),
        {"dns.public-answer": "=dns.custom-resolver -endpoint.missing.ecr-api -dns.private-dns-disabled"},
        "fail",
        "works",
        {"dns.public-answer": "error"},
        {"dns.public-answer": "ecr.api ecr.dkr"},
    ),
    Expected(
        "the custom resolver answers publicly, and so does the VPC's",
        FakeRun({"ecr.dkr": at_custom(PUBLIC["ecr.dkr"], PUBLIC["ecr.dkr"])}),
        {"dns.public-answer": "endpoint.missing.ecr-dkr"},
        "fail",
        "works",
    ),
    Expected(
        "the custom resolver answers publicly, the VPC's is silent",
        FakeRun({"ecr.dkr": at_custom(PUBLIC["ecr.dkr"], Failure.NO_ANSWER)}),
        {"dns.public-answer": "dns.custom-resolver endpoint.missing.ecr-dkr"},
        "fail",
        "works",
    ),
    Expected(
        "the swapped name is private",
        FakeRun({"ecr.api": public("ecr.api", tcp=SILENT, mistaken=PRIVATE["ecr.api"])}),
        {"dns.public-answer": "=dns.hosted-zone-wrong-name -endpoint.missing.ecr-api"},
    ),
    Expected(
        "the swapped name does not exist",
        FakeRun({"ecr.api": public("ecr.api", mistaken=Failure.NXDOMAIN)}),
        {"dns.public-answer": "endpoint.missing.ecr-api"},
        "fail",
        "works",
    ),
    Expected(
        "public and private addresses under one name",
        FakeRun({"ecr.api": Host((*PRIVATE["ecr.api"], *PUBLIC["ecr.api"]))}),
        {"dns.public-answer": "dns.stale-record dns.private-dns-disabled"},
        "degraded",
        "works",
    ),
    Expected(
        "another region's image, public names",
        FakeRun({"ecr.api": public("ecr.api"), "ecr.dkr": public("ecr.dkr")}, planned={"region": "us-west-2"}),
        {"region.cross-region": "region.cross-region endpoint.missing.ecr-api endpoint.missing.ecr-dkr"},
        "fail",
        "works",
    ),
    Expected(
        "the FIPS host is public",
        FakeRun(
            {"ecr.dkr": public("ecr.dkr")},
            planned={"hosts": {"ecr.dkr": "123456789012.dkr.ecr-fips.eu-west-1.amazonaws.com"}},
        ),
        {
            "dns.public-answer": "client.fips-hostname endpoint.missing.ecr-dkr",
            "registry.host-form": "client.fips-hostname",
        },
        "fail",
        "works",
    ),
    Expected(
        "the legacy host is public, as it always is",
        FakeRun(also=("ecr-legacy",)),
        {"dns.public-answer": "client.legacy-hostname"},
        "pass",
        "works",
        {"dns.public-answer": "info"},
    ),
    Expected(
        "a service of --also has no endpoint",
        FakeRun({"secretsmanager": public("secretsmanager", tcp=SILENT)}, also=("secretsmanager",)),
        {"dns.public-answer": "endpoint.missing.secretsmanager"},
        "pass",
        "works",
        {"dns.public-answer": "info"},
    ),
    Expected(
        "public IPv4 addresses are silent, and the task also has IPv6",
        FakeRun({"ecr.api": public("ecr.api", tcp=SILENT)}, around={"addresses": ("10.0.1.77", f"{GLOBAL_IPV6}77")}),
        {"dns.public-answer": f"endpoint.missing.ecr-api {ZONES.replace('dns.vpc-attributes-off ', '')} tcp.no-route"},
    ),
    Expected(
        "no such name, at the VPC's resolver",
        FakeRun({"ecr.dkr": Host(Failure.NXDOMAIN)}),
        {"dns.name-missing": NOT_THERE},
    ),
    Expected(
        "no such name at the custom resolver, private at the VPC's",
        FakeRun({"ecr.dkr": at_custom(Failure.NXDOMAIN, PRIVATE["ecr.dkr"])}),
        {"dns.name-missing": "=dns.custom-resolver -dns.hosted-zone-missing-record"},
    ),
    Expected(
        "no such name at the custom resolver, public at the VPC's",
        FakeRun({"ecr.dkr": at_custom(Failure.NXDOMAIN, PUBLIC["ecr.dkr"])}),
        {"dns.name-missing": "dns.custom-resolver dns.hosted-zone-missing-record"},
    ),
    Expected(
        "no such name at either resolver",
        FakeRun({"ecr.dkr": at_custom(Failure.NXDOMAIN, Failure.NXDOMAIN)}),
        {"dns.name-missing": "dns.hosted-zone-missing-record"},
    ),
    Expected(
        "no such name, but the name with swapped labels exists",
        FakeRun({"ecr.dkr": Host(Failure.NXDOMAIN, mistaken=PRIVATE["ecr.dkr"])}),
        {"dns.name-missing": "=dns.hosted-zone-wrong-name"},
    ),
    Expected(
        "no such FIPS name",
        FakeRun(
            {"ecr.dkr": Host(Failure.NXDOMAIN)},
            planned={"hosts": {"ecr.dkr": "123456789012.dkr.ecr-fips.eu-west-1.amazonaws.com"}},
        ),
        {"dns.name-missing": "client.fips-hostname dns.hosted-zone-missing-record"},
    ),
    Expected(
        "none of the names exists, as with a mistyped region",
        FakeRun({name: Host(Failure.NXDOMAIN) for name in ("ecr.api", "ecr.dkr", "s3", "logs")}),
        {
            "dns.name-missing": "dns.firewall dns.hosted-zone-missing-record dns.hosted-zone-conflict "
            "dns.resolver-rule registry.bad-image-reference"
        },
        endpoints={"dns.name-missing": "ecr.api ecr.dkr s3 logs"},
    ),
    Expected(
        "no such name for logs",
        FakeRun({"logs": Host(Failure.NXDOMAIN)}),
        {"dns.name-missing": f"{NOT_THERE} logs.misconfigured-region"},
        "fail",
        "works",
    ),
    Expected(
        "no such name for logs of a region that is not the task's",
        FakeRun({"logs": Host(Failure.NXDOMAIN)}, planned={"logs_region": "eu-wets-1"}),
        {"dns.name-missing": "logs.misconfigured-region dns.hosted-zone-missing-record"},
        "fail",
        "works",
    ),
    Expected(
        "a name without address",
        FakeRun({"ecr.dkr": Host(Failure.NO_ADDRESS)}),
        {"dns.no-address": NOT_THERE},
    ),
    Expected(
        "the layer bucket's name does not exist, which no private zone explains",
        FakeRun({"s3": Host(Failure.NXDOMAIN)}),
        {"dns.name-missing": "dns.firewall dns.hosted-zone-missing-record dns.hosted-zone-conflict dns.resolver-rule"},
    ),
    Expected(
        "the layer bucket and a registry have no address: one cause that reaches beyond the zones",
        FakeRun({name: Host(Failure.NO_ADDRESS) for name in ("ecr.dkr", "s3")}),
        {"dns.no-address": "dns.firewall dns.hosted-zone-missing-record"},
        endpoints={"dns.no-address": "ecr.dkr s3"},
    ),
    Expected(
        "the name leads to another host that does not exist",
        FakeRun({"ecr.dkr": Host(Failure.NXDOMAIN, cnames=("blocked.example.com",))}),
        {"dns.name-missing": "dns.firewall dns.hosted-zone-conflict"},
    ),
    Expected(
        "the name leads to another host, whose certificate is its own",
        FakeRun(
            {
                "ecr.api": public(
                    "ecr.api",
                    cnames=("blocked.example.com",),
                    tls=Failure.UNTRUSTED,
                    certificate={"issuer_organization": "Example Inc"},
                )
            }
        ),
        {"dns.foreign-answer": "dns.firewall dns.hosted-zone-conflict"},
    ),
    Expected(
        "the layer bucket's name leads to a host that is silent",
        FakeRun({"s3": private("s3", cnames=("blocked.example.com",), tcp=SILENT)}),
        {"dns.foreign-answer": "dns.firewall dns.hosted-zone-conflict"},
    ),
    Expected(
        "all names lead to the unspecified address",
        FakeRun({name: Host(("0.0.0.0",), tcp=Failure.REFUSED) for name in (*ALL, "s3")}),
        {"dns.foreign-answer": "dns.firewall dns.hosted-zone-conflict"},
        endpoints={"dns.foreign-answer": "ecr.api ecr.dkr s3 logs"},
    ),
    Expected(
        "a custom resolver answers with the loopback address",
        FakeRun({"ecr.dkr": Host(("127.0.0.1",), server=CUSTOM, tcp=Failure.REFUSED)}),
        {"dns.foreign-answer": "dns.custom-resolver dns.firewall"},
    ),
    Expected(
        "a custom resolver answers with the loopback address, the VPC's with the endpoint's",
        FakeRun({"ecr.dkr": Host(("127.0.0.1",), server=CUSTOM, control=PRIVATE["ecr.dkr"], tcp=Failure.REFUSED)}),
        {"dns.foreign-answer": "=dns.custom-resolver -dns.firewall -dns.hosted-zone-conflict"},
    ),
    Expected(
        "one's own name for an endpoint works, as its certificate proves",
        FakeRun({"ecr.api": private("ecr.api", cnames=("ecr.corp.example.com",))}),
        {},
        "pass",
        "works",
    ),
    Expected(
        "one's own name for an endpoint that is silent",
        FakeRun({"ecr.api": private("ecr.api", cnames=("ecr.corp.example.com",), tcp=SILENT)}),
        {"dns.foreign-answer": "dns.firewall dns.hosted-zone-conflict tcp.security-group"},
    ),
    Expected(
        "AWS's own CNAMEs are no foreign hosts",
        FakeRun({"ecr.api": public("ecr.api", cnames=("ecr.eu-west-1.amazonaws.com",), tcp=SILENT)}),
        {"dns.public-answer": "endpoint.missing.ecr-api"},
    ),
    Expected(
        "the VPC's resolver answers publicly at one address and privately at the other",
        FakeRun({"ecr.api": public("ecr.api", control=PRIVATE["ecr.api"])}),
        {"dns.public-answer": "dns.resolver-rule other -endpoint.missing.ecr-api -dns.private-dns-disabled"},
        "fail",
        "works",
    ),
    Expected(
        "public at base+2 of a range that is not known, private at the VPC's resolver",
        FakeRun(
            {"ecr.api": public("ecr.api", server="10.0.0.2", control=PRIVATE["ecr.api"])},
            around={"subnet_cidr": "100.64.1.0/24", "addresses": ("100.64.1.77",)},
            planned={"vpc_cidrs": ("100.64.1.0/24",)},
        ),
        {
            "dns.public-answer": "dns.resolver-rule dns.custom-resolver other -endpoint.missing.ecr-api",
            "dns.central-endpoint": "",
        },
        "fail",
        "works",
    ),
    Expected(
        "private names from a custom resolver do not prove the VPC's attributes",
        FakeRun(
            {"ecr.api": public("ecr.api"), "ecr.dkr": private("ecr.dkr", server=CUSTOM)}, planned={"without": ("logs",)}
        ),
        {"dns.public-answer": "endpoint.missing.ecr-api dns.private-dns-disabled dns.vpc-attributes-off"},
        "fail",
        "works",
    ),
    Expected(
        "no zone with swapped labels exists",
        FakeRun({"ecr.api": public("ecr.api", mistaken=Failure.NXDOMAIN, tcp=SILENT)}),
        {
            "dns.public-answer": "endpoint.missing.ecr-api dns.private-dns-disabled dns.hosted-zone-not-associated "
            "dns.resolver-rule tcp.no-route tcp.security-group tcp.no-public-ip tcp.nat-device tcp.nacl "
            "path.egress-firewall tcp.block-public-access -dns.vpc-attributes-off -dns.hosted-zone-wrong-name"
        },
    ),
    Expected(
        "a central endpoint VPC",
        FakeRun({"ecr.api": Host(("10.99.1.10",))}),
        {"dns.central-endpoint": ""},
        "pass",
        "works",
    ),
    Expected(
        "a central endpoint VPC, only the subnet known",
        FakeRun({"ecr.api": Host(("10.99.1.10",))}, planned={"vpc_cidrs": ("10.0.1.0/24",)}),
        {"dns.central-endpoint": ""},
        "pass",
        "works",
    ),
    Expected(
        "addresses in a neighboring subnet", FakeRun(planned={"vpc_cidrs": ("10.0.1.0/24",)}), {}, "pass", "works"
    ),
    Expected(
        "global IPv6 addresses of an unknown owner",
        FakeRun({"ecr.api": Host((), ipv6=("2600:1f18:9999::10",))}, around={"addresses": (f"{GLOBAL_IPV6}77",)}),
        {"dns.undetermined-answer": ""},
        "pass",
        "works",
    ),
    Expected(
        "the A record decides about an unknown AAAA",
        FakeRun({"ecr.api": private("ecr.api", ipv6=("2600:1f18:9999::10",))}),
        {},
        "pass",
        "works",
    ),
    Expected(
        "a presumed range",
        FakeRun(
            {"ecr.api": Host(("20.10.2.10",), tcp=SILENT)},
            around={"addresses": ("20.10.1.7",)},
            planned={"vpc_cidrs": ()},
        ),
        {"tcp.silent": "tcp.security-group tcp.nacl dns.stale-record"},
    ),
)

"""Cases of names: private names that are not in force, and names that do not exist."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from probe.model import Failure, Policy
from tests.faults.behaviour import PRIVATE, PUBLIC, Answer, Host, private, public
from tests.faults.case import Case
from tests.faults.plans import CUSTOM, GLOBAL_IPV6
from tests.faults.world import World

SILENT = Failure.TIMEOUT
ZONES = "dns.private-dns-disabled dns.vpc-attributes-off dns.hosted-zone-not-associated dns.hosted-zone-wrong-name"
ALL = ("ecr.api", "ecr.dkr", "logs")


def all_hosts(make: Callable[..., Host] = private, **changes: Any) -> dict[str, Host]:
    """All three interface endpoints alike."""
    return {name: make(name, **changes) for name in ALL}


def at_custom(answer: Answer, control: Answer) -> Host:
    """A host asked at a resolver of somebody's own, and beside it at the VPC's."""
    return Host(answer, server=CUSTOM, control=control)


ALLOWED = Policy(allow_public=("ecr.api", "ecr.dkr", "logs"))

CASES = (
    Case("healthy", World(), {}, "pass", "works"),
    Case(
        "one name public, through NAT",
        World({"ecr.api": public("ecr.api", control=PUBLIC["ecr.api"])}),
        {
            "dns.public-answer": "endpoint.missing.ecr-api dns.private-dns-disabled dns.hosted-zone-not-associated "
            "dns.hosted-zone-wrong-name -dns.vpc-attributes-off"
        },
        "fail",
        "works",
        {"dns.public-answer": "error"},
    ),
    Case(
        "every name public, through NAT",
        World(all_hosts(public)),
        {"dns.public-answer": f"endpoint.missing.ecr-api endpoint.missing.ecr-dkr {ZONES}"},
        "fail",
        "works",
        {"dns.public-answer": "warning"},  # one finding for logs, which weighs less
        {"dns.public-answer": "ecr.api ecr.dkr"},
    ),
    Case(
        "every name public, and allowed",
        World(all_hosts(public), policy=ALLOWED),
        {"dns.public-answer": "endpoint.missing.ecr-api endpoint.missing.ecr-dkr logs.endpoint-missing"},
        "pass",
        "works",
        {"dns.public-answer": "info"},
        {"dns.public-answer": "ecr.api ecr.dkr logs"},
    ),
    Case(
        "allowed, yet out of reach",
        World({"ecr.api": public("ecr.api", tcp=SILENT)}, policy=ALLOWED),
        {"dns.public-answer": "endpoint.missing.ecr-api"},
        severities={"dns.public-answer": "error"},
    ),
    Case(
        "every name public, no way out",
        World(all_hosts(public, tcp=SILENT)),
        {
            "dns.public-answer": f"endpoint.missing.ecr-api endpoint.missing.ecr-dkr logs.endpoint-missing {ZONES} "
            "tcp.no-route tcp.security-group tcp.no-public-ip tcp.nat-device tcp.nacl path.egress-firewall"
        },
        endpoints={"dns.public-answer": "ecr.api ecr.dkr logs"},
    ),
    Case(
        "only logs public, through NAT",
        World({"logs": public("logs")}),
        {"dns.public-answer": "logs.endpoint-missing"},
        "degraded",
        "works",
        {"dns.public-answer": "warning"},
    ),
    Case(
        "the agent's endpoints public",
        World({name: public(name) for name in ("ecs", "ecs-agent", "ecs-telemetry")}, agent=True),
        {"dns.public-answer": "ecs.control-plane-endpoints-missing"},
        "degraded",
        "works",
        endpoints={"dns.public-answer": "ecs ecs-agent ecs-telemetry"},
    ),
    Case(
        "the custom resolver answers publicly, the VPC's privately",
        World({name: at_custom(PUBLIC[name], PRIVATE[name]) for name in ALL}),
        {"dns.public-answer": "=dns.custom-resolver -endpoint.missing.ecr-api -dns.private-dns-disabled"},
        "fail",
        "works",
        {"dns.public-answer": "error"},
        {"dns.public-answer": "ecr.api ecr.dkr"},
    ),
    Case(
        "the custom resolver answers publicly, and so does the VPC's",
        World({"ecr.dkr": at_custom(PUBLIC["ecr.dkr"], PUBLIC["ecr.dkr"])}),
        {"dns.public-answer": "endpoint.missing.ecr-dkr dns.private-dns-disabled"},
        "fail",
        "works",
    ),
    Case(
        "the custom resolver answers publicly, the VPC's is silent",
        World({"ecr.dkr": at_custom(PUBLIC["ecr.dkr"], Failure.NO_ANSWER)}),
        {"dns.public-answer": "dns.custom-resolver endpoint.missing.ecr-dkr"},
        "fail",
        "works",
    ),
    Case(
        "the swapped name is private",
        World({"ecr.api": public("ecr.api", tcp=SILENT, mistaken=PRIVATE["ecr.api"])}),
        {"dns.public-answer": "=dns.hosted-zone-wrong-name -endpoint.missing.ecr-api"},
    ),
    Case(
        "the swapped name does not exist",
        World({"ecr.api": public("ecr.api", mistaken=Failure.NXDOMAIN)}),
        {"dns.public-answer": "endpoint.missing.ecr-api"},
        "fail",
        "works",
    ),
    Case(
        "public and private addresses under one name",
        World({"ecr.api": Host((*PRIVATE["ecr.api"], *PUBLIC["ecr.api"]))}),
        {"dns.public-answer": "endpoint.missing.ecr-api"},
        "degraded",
        "works",
    ),
    Case(
        "another region's image, public names",
        World({"ecr.api": public("ecr.api"), "ecr.dkr": public("ecr.dkr")}, planned={"region": "us-west-2"}),
        {"dns.public-answer": "region.cross-region endpoint.missing.ecr-api"},
        "fail",
        "works",
    ),
    Case(
        "the FIPS host is public",
        World(
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
    Case(
        "the legacy host is public, as it always is",
        World(also=("ecr-legacy",)),
        {"dns.public-answer": "client.legacy-hostname"},
        "pass",
        "works",
        {"dns.public-answer": "info"},
    ),
    Case(
        "a service asked for beside has no endpoint",
        World({"secretsmanager": public("secretsmanager", tcp=SILENT)}, also=("secretsmanager",)),
        {"dns.public-answer": "endpoint.missing.secretsmanager"},
        "pass",
        "works",
        {"dns.public-answer": "info"},
    ),
    Case(
        "IPv4 out of the VPC is closed and the task has IPv6 as well",
        World({"ecr.api": public("ecr.api", tcp=SILENT)}, around={"addresses": ("10.0.1.77", f"{GLOBAL_IPV6}77")}),
        {"dns.public-answer": f"endpoint.missing.ecr-api {ZONES.replace('dns.vpc-attributes-off ', '')} tcp.no-route"},
    ),
    Case(
        "no such name, at the VPC's resolver",
        World({"ecr.dkr": Host(Failure.NXDOMAIN)}),
        {"dns.name-missing": "dns.hosted-zone-missing-record dns.hosted-zone-conflict"},
    ),
    Case(
        "no such name at the custom resolver, private at the VPC's",
        World({"ecr.dkr": at_custom(Failure.NXDOMAIN, PRIVATE["ecr.dkr"])}),
        {"dns.name-missing": "=dns.custom-resolver -dns.hosted-zone-missing-record"},
    ),
    Case(
        "no such name at the custom resolver, public at the VPC's",
        World({"ecr.dkr": at_custom(Failure.NXDOMAIN, PUBLIC["ecr.dkr"])}),
        {"dns.name-missing": "dns.custom-resolver dns.hosted-zone-missing-record"},
    ),
    Case(
        "no such name at either resolver",
        World({"ecr.dkr": at_custom(Failure.NXDOMAIN, Failure.NXDOMAIN)}),
        {"dns.name-missing": "dns.hosted-zone-missing-record"},
    ),
    Case(
        "no such name, but the swapped one",
        World({"ecr.dkr": Host(Failure.NXDOMAIN, mistaken=PRIVATE["ecr.dkr"])}),
        {"dns.name-missing": "=dns.hosted-zone-wrong-name"},
    ),
    Case(
        "no such FIPS name",
        World(
            {"ecr.dkr": Host(Failure.NXDOMAIN)},
            planned={"hosts": {"ecr.dkr": "123456789012.dkr.ecr-fips.eu-west-1.amazonaws.com"}},
        ),
        {"dns.name-missing": "client.fips-hostname dns.hosted-zone-missing-record"},
    ),
    Case(
        "none of the names exists: a mistyped region",
        World({name: Host(Failure.NXDOMAIN) for name in ("ecr.api", "ecr.dkr", "s3", "logs")}),
        {"dns.name-missing": "dns.hosted-zone-missing-record dns.hosted-zone-conflict registry.bad-image-reference"},
    ),
    Case(
        "no such name for logs",
        World({"logs": Host(Failure.NXDOMAIN)}),
        {"dns.name-missing": "dns.hosted-zone-missing-record dns.hosted-zone-conflict logs.misconfigured-region"},
        "fail",
        "works",
    ),
    Case(
        "no such name for logs of a region that is not the task's",
        World({"logs": Host(Failure.NXDOMAIN)}, planned={"logs_region": "eu-wets-1"}),
        {"dns.name-missing": "logs.misconfigured-region dns.hosted-zone-missing-record"},
        "fail",
        "works",
    ),
    Case(
        "a name without address",
        World({"ecr.dkr": Host(Failure.NO_ADDRESS)}),
        {"dns.no-address": "dns.hosted-zone-missing-record dns.hosted-zone-conflict path.egress-firewall"},
    ),
    Case(
        "a central endpoint VPC",
        World({"ecr.api": Host(("10.99.1.10",))}),
        {"dns.central-endpoint": ""},
        "pass",
        "works",
    ),
    Case(
        "a central endpoint VPC, only the subnet known",
        World({"ecr.api": Host(("10.99.1.10",))}, planned={"vpc_cidrs": ("10.0.1.0/24",)}),
        {"dns.central-endpoint": ""},
        "pass",
        "works",
    ),
    Case(
        "a neighbouring subnet is no central VPC",
        World(planned={"vpc_cidrs": ("10.0.1.0/24",)}),
        {},
        "pass",
        "works",
    ),
    Case(
        "global IPv6 addresses of nobody known",
        World({"ecr.api": Host((), ipv6=("2600:1f18:9999::10",))}, around={"addresses": (f"{GLOBAL_IPV6}77",)}),
        {"dns.undetermined-answer": ""},
        "pass",
        "works",
    ),
    Case(
        "the A record decides about an unknown AAAA",
        World({"ecr.api": private("ecr.api", ipv6=("2600:1f18:9999::10",))}),
        {},
        "pass",
        "works",
    ),
    Case(
        "a presumed range",
        World(
            {"ecr.api": Host(("20.10.2.10",), tcp=SILENT)},
            around={"addresses": ("20.10.1.7",)},
            planned={"vpc_cidrs": ()},
        ),
        {"tcp.silent": "tcp.security-group tcp.nacl"},
    ),
)

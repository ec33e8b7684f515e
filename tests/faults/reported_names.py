"""What people reported of names and of endpoints that are not there, in our own words."""

from __future__ import annotations

from probe.model import Failure
from tests.faults.behaviour import PRIVATE, PUBLIC, S3, Host, private, public
from tests.faults.cases_names import ALL, all_hosts, at_custom
from tests.faults.cases_network import hosts
from tests.faults.plans import CUSTOM
from tests.faults.report import Reported
from tests.faults.world import World

SILENT = Failure.TIMEOUT
AGENT = ("ecs", "ecs-agent", "ecs-telemetry")
ISOLATED = World(all_hosts(public, tcp=SILENT) | hosts("s3", tcp=SILENT))
NO_API = World({"ecr.api": public("ecr.api", tcp=SILENT)})
NO_DKR = World({"ecr.dkr": public("ecr.dkr", tcp=SILENT)})
S3_SILENT = World(hosts("s3", tcp=SILENT))
NAMES = (
    Reported("endpoint there, private DNS off, pulls time out on public addresses", NO_API, "dns.private-dns-disabled"),
    Reported(
        "a tool cannot be told the endpoint's own name, and the usual one is public", NO_DKR, "dns.private-dns-disabled"
    ),
    Reported(
        "the VPC hands out a peer's DNS servers, which are out of reach",
        World({name: at_custom(Failure.NO_ANSWER, PRIVATE.get(name, S3)) for name in (*ALL, "s3")}),
        "dns.custom-resolver",
        "confirmed",
    ),
    Reported(
        "containers ask a resolver of another network, hosts ask the right one",
        World({name: at_custom(PUBLIC[name], PRIVATE[name]) for name in ALL}),
        "dns.custom-resolver",
        "confirmed",
    ),
    Reported(
        "an endpoint's zone hides sibling names, which no longer exist",
        World({"ecr.dkr": Host(Failure.NXDOMAIN)}),
        "dns.hosted-zone-conflict",
    ),
    Reported(
        "the name leads to the endpoint of another service",
        World(hosts("ecr.api", tls=Failure.WRONG_NAME)),
        "dns.hosted-zone-conflict",
        "first",
    ),
    Reported(
        "an address in the VPC refuses: some other host's record",
        World(hosts("ecr.api", tcp=Failure.REFUSED)),
        "dns.hosted-zone-conflict",
    ),
    Reported(
        "a central zone without the wildcard: the account's name does not exist, api.ecr works",
        World({"ecr.dkr": Host(Failure.NXDOMAIN)}),
        "dns.hosted-zone-missing-record",
        "first",
    ),
    Reported(
        "zones of the hub not shared with this spoke: public names here",
        World({"ecr.api": public("ecr.api"), "ecr.dkr": public("ecr.dkr")}),
        "dns.hosted-zone-not-associated",
    ),
    Reported(
        "zones named after the services; pulls go through the perimeter unnoticed",
        World(
            {
                "ecr.api": public("ecr.api", mistaken=PRIVATE["ecr.api"]),
                "ecr.dkr": public("ecr.dkr", mistaken=PRIVATE["ecr.dkr"]),
            }
        ),
        "dns.hosted-zone-wrong-name",
        "confirmed",
    ),
    Reported(
        "the same with the perimeter closed",
        World({"ecr.api": public("ecr.api", tcp=SILENT, mistaken=PRIVATE["ecr.api"])}),
        "dns.hosted-zone-wrong-name",
        "confirmed",
    ),
    Reported(
        "zones of the agent's services named after the services",
        World({"ecs-agent": public("ecs-agent", mistaken=("10.0.1.14",))}, agent=True),
        "dns.hosted-zone-wrong-name",
        "confirmed",
    ),
    Reported(
        "the cluster's DNS does not answer",
        World(all_hosts(private, answer=Failure.NO_ANSWER, server=CUSTOM)),
        "dns.resolver-unreachable",
        "first",
    ),
    Reported(
        "DNS hostnames are off in the VPC: every name is public", World(all_hosts(public)), "dns.vpc-attributes-off"
    ),
    Reported(
        "DNS support is off in the VPC: nobody answers",
        World(all_hosts(private, answer=Failure.NO_ANSWER)),
        "dns.vpc-attributes-off",
        "first",
    ),
    Reported(
        "a second nameserver gives public answers now and then",
        World({"ecr.api": private("ecr.api", second=PUBLIC["ecr.api"])}),
        "dns.custom-resolver",
        "confirmed",
    ),
)
ENDPOINTS = (
    Reported("no endpoints at all: the token call times out", ISOLATED, "endpoint.missing.ecr-api", "first"),
    Reported("hand-made endpoints, one forgotten: ecr.api", NO_API, "endpoint.missing.ecr-api", "first"),
    Reported("ecr.dkr there, ecr.api not: the agent cannot log in", NO_API, "endpoint.missing.ecr-api", "first"),
    Reported(
        "the token comes and the manifest times out on a public address", NO_DKR, "endpoint.missing.ecr-dkr", "first"
    ),
    Reported("none of the ECR names is private", ISOLATED, "endpoint.missing.ecr-dkr"),
    Reported(
        "tasks with secrets fail since they are fetched inside the VPC",
        World({"secretsmanager": public("", tcp=SILENT)}, also=("secretsmanager",)),
        "endpoint.missing.secretsmanager",
        "first",
    ),
    Reported(
        "tasks with parameters fail likewise",
        World({"ssm": public("", tcp=SILENT)}, also=("ssm",)),
        "endpoint.missing.ssm",
        "first",
    ),
    Reported(
        "another service of the task has no endpoint",
        World({"sts": public("", tcp=SILENT)}, also=("sts",)),
        "endpoint.missing.other",
        "first",
    ),
    Reported("no way to S3 at all", S3_SILENT, "endpoint.missing.s3", "first"),
    Reported(
        "S3 has an interface endpoint only: the layer host is public and silent",
        S3_SILENT,
        "endpoint.s3-interface-not-gateway",
    ),
    Reported("the gateway is missing in this subnet's route table", S3_SILENT, "s3.route-table-not-associated"),
    Reported("the gateway was made without any route table", S3_SILENT, "s3.route-table-not-associated"),
    Reported(
        "the EC2 agent is registered and disconnected",
        World({name: public(name, tcp=SILENT) for name in AGENT}, agent=True),
        "ecs.control-plane-endpoints-missing",
        "first",
    ),
    Reported(
        "the image comes, the container does not start: no logs endpoint",
        World({"logs": public("logs", tcp=SILENT)}),
        "logs.endpoint-missing",
        "first",
    ),
    Reported(
        "logs leave through NAT on one launch type and not on the other",
        World({"logs": public("logs")}),
        "logs.endpoint-missing",
        "first",
    ),
)

"""Reported failures of names, and of missing endpoints."""

from __future__ import annotations

from probe.model import Failure
from tests.faults.expectation import Reported
from tests.faults.expected_names import ALL, all_hosts, at_custom
from tests.faults.expected_network import hosts
from tests.faults.fake_hosts import CUSTOM, PRIVATE, PUBLIC, S3, Host, private, public
from tests.faults.fake_run import FakeRun

SILENT = Failure.TIMEOUT
AGENT = ("ecs", "ecs-agent", "ecs-telemetry")
ISOLATED = FakeRun(all_hosts(public, tcp=SILENT) | hosts("s3", tcp=SILENT))
NO_API = FakeRun({"ecr.api": public("ecr.api", tcp=SILENT)})
NO_DKR = FakeRun({"ecr.dkr": public("ecr.dkr", tcp=SILENT)})
S3_SILENT = FakeRun(hosts("s3", tcp=SILENT))
NAMES = (
    Reported(
        "endpoint exists, private DNS off, pulls time out on public addresses", NO_API, "dns.private-dns-disabled"
    ),
    Reported(
        "a tool cannot use the endpoint's own name, and the usual one is public", NO_DKR, "dns.private-dns-disabled"
    ),
    Reported(
        "the VPC hands out a peer's DNS servers, which are unreachable",
        FakeRun({name: at_custom(Failure.NO_ANSWER, PRIVATE.get(name, S3)) for name in (*ALL, "s3")}),
        "dns.custom-resolver",
        "confirmed",
    ),
    Reported(
        "containers use a resolver of another network, hosts use the right one",
        FakeRun({name: at_custom(PUBLIC[name], PRIVATE[name]) for name in ALL}),
        "dns.custom-resolver",
        "confirmed",
    ),
    Reported(
        "an endpoint's zone hides sibling names, which no longer exist",
        FakeRun({"ecr.dkr": Host(Failure.NXDOMAIN)}),
        "dns.hosted-zone-conflict",
    ),
    Reported(
        "the name leads to the endpoint of another service",
        FakeRun(hosts("ecr.api", tls=Failure.WRONG_NAME)),
        "dns.hosted-zone-conflict",
        "first",
    ),
    Reported(
        "an address in the VPC refuses: the record of another host",
        FakeRun(hosts("ecr.api", tcp=Failure.REFUSED)),
        "dns.hosted-zone-conflict",
    ),
    Reported(
        "a central zone without the wildcard: the account's name does not exist, api.ecr works",
        FakeRun({"ecr.dkr": Host(Failure.NXDOMAIN)}),
        "dns.hosted-zone-missing-record",
        "first",
    ),
    Reported(
        "zones of the hub not shared with this spoke: public names here",
        FakeRun({"ecr.api": public("ecr.api"), "ecr.dkr": public("ecr.dkr")}),
        "dns.hosted-zone-not-associated",
    ),
    Reported(
        "zones named after the services; pulls go through the perimeter unnoticed",
        FakeRun(
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
        FakeRun({"ecr.api": public("ecr.api", tcp=SILENT, mistaken=PRIVATE["ecr.api"])}),
        "dns.hosted-zone-wrong-name",
        "confirmed",
    ),
    Reported(
        "zones of the agent's services named after the services",
        FakeRun({"ecs-agent": public("ecs-agent", mistaken=("10.0.1.14",))}, agent=True),
        "dns.hosted-zone-wrong-name",
        "confirmed",
    ),
    Reported(
        "a walled garden's DNS Firewall lacks the registry: its name does not exist in this VPC only",
        FakeRun({"ecr.dkr": Host(Failure.NXDOMAIN)}),
        "dns.firewall",
    ),
    Reported(
        "a DNS Firewall blocks the layer bucket",
        FakeRun({"s3": Host(Failure.NXDOMAIN)}),
        "dns.firewall",
        "first",
    ),
    Reported(
        "a forwarding rule sends AWS's names to a server that fails",
        FakeRun({"s3": Host(Failure.SERVFAIL)}),
        "dns.resolver-rule",
        "first",
    ),
    Reported(
        "the hub's forwarding rule is not associated with this VPC: public names here",
        FakeRun({"ecr.api": public("ecr.api"), "ecr.dkr": public("ecr.dkr")}),
        "dns.resolver-rule",
    ),
    Reported(
        "the zone still has the addresses of a deleted endpoint",
        FakeRun(hosts("ecr.api", tcp=SILENT)),
        "dns.stale-record",
    ),
    Reported(
        "the cluster's DNS does not answer",
        FakeRun(all_hosts(private, answer=Failure.NO_ANSWER, server=CUSTOM)),
        "dns.resolver-unreachable",
        "first",
    ),
    Reported(
        "DNS hostnames are off in the VPC: every name is public", FakeRun(all_hosts(public)), "dns.vpc-attributes-off"
    ),
    Reported(
        "DNS support is off in the VPC: no resolver answers",
        FakeRun({name: Host(Failure.NO_ANSWER) for name in (*ALL, "s3")}),
        "dns.vpc-attributes-off",
        "first",
    ),
    Reported(
        "a second nameserver sometimes gives public answers",
        FakeRun({"ecr.api": private("ecr.api", second=PUBLIC["ecr.api"])}),
        "dns.custom-resolver",
        "confirmed",
    ),
)
ENDPOINTS = (
    Reported("no endpoints at all: the token call times out", ISOLATED, "endpoint.missing.ecr-api", "first"),
    Reported("endpoints created by hand, without ecr.api", NO_API, "endpoint.missing.ecr-api", "first"),
    Reported("ecr.dkr exists, ecr.api does not: the agent cannot log in", NO_API, "endpoint.missing.ecr-api", "first"),
    Reported(
        "the token arrives and the manifest times out on a public address", NO_DKR, "endpoint.missing.ecr-dkr", "first"
    ),
    Reported("none of the ECR names is private", ISOLATED, "endpoint.missing.ecr-dkr"),
    Reported(
        "tasks with secrets fail since they are fetched inside the VPC",
        FakeRun({"secretsmanager": public("", tcp=SILENT)}, also=("secretsmanager",)),
        "endpoint.missing.secretsmanager",
        "first",
    ),
    Reported(
        "tasks with parameters fail since they are fetched inside the VPC",
        FakeRun({"ssm": public("", tcp=SILENT)}, also=("ssm",)),
        "endpoint.missing.ssm",
        "first",
    ),
    Reported(
        "another service of the task has no endpoint",
        FakeRun({"sts": public("", tcp=SILENT)}, also=("sts",)),
        "endpoint.missing.other",
        "first",
    ),
    Reported("no path to S3", S3_SILENT, "endpoint.missing.s3", "first"),
    Reported(
        "S3 has an interface endpoint only: the layer host is public and silent",
        S3_SILENT,
        "endpoint.s3-interface-not-gateway",
    ),
    Reported(
        "the gateway endpoint is missing from this subnet's route table", S3_SILENT, "s3.route-table-not-associated"
    ),
    Reported("the gateway endpoint was created without a route table", S3_SILENT, "s3.route-table-not-associated"),
    Reported(
        "the EC2 agent is registered and disconnected",
        FakeRun({name: public(name, tcp=SILENT) for name in AGENT}, agent=True),
        "ecs.control-plane-endpoints-missing",
        "first",
    ),
    Reported(
        "the image arrives, the container does not start: no logs endpoint",
        FakeRun({"logs": public("logs", tcp=SILENT)}),
        "logs.endpoint-missing",
        "first",
    ),
    Reported(
        "logs leave through NAT on one launch type and not on the other",
        FakeRun({"logs": public("logs")}),
        "logs.endpoint-missing",
        "first",
    ),
)

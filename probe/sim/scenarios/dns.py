"""Private names that are not in force: no endpoint, no private DNS, zones of the wrong name or content."""

from __future__ import annotations

from probe.sim import names
from probe.sim.changes import (
    Change,
    all_of,
    private_zone,
    vpc_with,
    with_nat,
    without_endpoints,
    without_gateway_route,
    without_private_dns,
)
from probe.sim.scenarios.healthy import EC2_HOST, IPV6
from probe.sim.scenarios.scenario import scenario
from probe.sim.vpc import VPC

REGION = "us-east-1"
CORE = ("ecr.api", "ecr.dkr", "logs")


def _hostnames_off(vpc: VPC) -> None:
    vpc.dns_hostnames = False


def _swapped(service: str, name: str) -> Change:
    """A hosted zone named like the service, not like the host."""
    return private_zone(
        name,
        lambda vpc: {name: vpc.endpoints[service].all_addresses, f"*.{name}": vpc.endpoints[service].all_addresses},
    )


def _apex_only(vpc: VPC) -> None:
    """The zone of registries with a record for itself and none for any account."""
    name = names.host("ecr.dkr", REGION)
    private_zone(name, lambda vpc: {name: vpc.endpoints["ecr.dkr"].all_addresses})(vpc)


def _not_associated(vpc: VPC) -> None:
    """The network team's zones are shared with other VPCs, not with this one."""
    vpc.zones.clear()


def _foreign_zone(vpc: VPC) -> None:
    """Another team's zone for S3, with a record for its own bucket only."""
    name = f"s3.{REGION}.amazonaws.com"
    private_zone(name, lambda vpc: {f"reports.{name}": (vpc.at(3, 9),)})(vpc)


def _zone_of_another_endpoint(vpc: VPC) -> None:
    """api.ecr leads to the endpoint of CloudWatch Logs."""
    name = names.api(REGION)
    private_zone(name, lambda vpc: {name: vpc.endpoints["logs"].all_addresses})(vpc)


def _dns64_nowhere(vpc: VPC) -> None:
    """DNS64 is on by a module's default, and no route leads to 64:ff9b::/96."""
    vpc.resolver.dns64 = True
    for endpoint in vpc.endpoints.values():
        endpoint.addresses_ipv6 = []


DNS = (
    scenario(
        "private-dns-off",
        "The ecr.api endpoint is there, its private DNS is off, and there is no way to public addresses.",
        without_private_dns("ecr.api"),
        findings={"dns.public-answer": "endpoint.missing.ecr-api"},
    ),
    scenario(
        "private-dns-off-nat",
        "The same with a NAT gateway: everything works, past the endpoint.",
        all_of(without_private_dns("ecr.api"), with_nat),
        findings={"dns.public-answer": "endpoint.missing.ecr-api"},
        pull="works",
    ),
    scenario(
        "all-through-nat",
        "No endpoint at all, a NAT gateway: the pull works and nothing of it is private.",
        all_of(without_endpoints(*CORE), without_gateway_route, with_nat),
        findings={"dns.public-answer": None},
        pull="works",
    ),
    scenario(
        "all-through-nat-allowed",
        "The same, and --allow-public says that it is meant so.",
        all_of(without_endpoints(*CORE), without_gateway_route, with_nat),
        findings={"dns.public-answer": None},
        status="pass",
        pull="works",
        arguments=("--allow-public", "ecr.api,ecr.dkr,logs"),
    ),
    scenario(
        "endpoint-missing-ecr-api",
        "Nobody created the ecr.api endpoint: older pages call it optional on Fargate.",
        without_endpoints("ecr.api"),
        findings={"dns.public-answer": "endpoint.missing.ecr-api"},
    ),
    scenario(
        "endpoint-missing-ecr-dkr",
        "The token comes, the registry stays silent: ecr.dkr is missing.",
        without_endpoints("ecr.dkr"),
        findings={"dns.public-answer": "endpoint.missing.ecr-dkr"},
    ),
    scenario(
        "no-endpoints-no-nat",
        "An isolated subnet without any endpoint.",
        all_of(without_endpoints(*CORE), without_gateway_route),
        findings={"dns.public-answer": None, "s3.silent": "endpoint.missing.s3"},
        s3_reached=False,
    ),
    scenario(
        "vpc-dns-hostnames-off",
        "enableDnsHostnames is off, so the VPC ignores the endpoints' private zones.",
        _hostnames_off,
        findings={"dns.public-answer": None},
    ),
    scenario(
        "hosted-zone-wrong-name",
        "A hosted zone named ecr.api… in place of api.ecr…: the host's name stays public.",
        all_of(without_private_dns("ecr.api"), _swapped("ecr.api", f"ecr.api.{REGION}.amazonaws.com")),
        findings={"dns.public-answer": "dns.hosted-zone-wrong-name"},
    ),
    scenario(
        "hosted-zone-wrong-name-agent",
        "Hosted zones named after the services ecs-agent and ecs-telemetry; the hosts are ecs-a and ecs-t.",
        all_of(
            EC2_HOST,
            without_private_dns("ecs-agent", "ecs-telemetry"),
            _swapped("ecs-agent", f"ecs-agent.{REGION}.amazonaws.com"),
            _swapped("ecs-telemetry", f"ecs-telemetry.{REGION}.amazonaws.com"),
        ),
        findings={"dns.public-answer": "dns.hosted-zone-wrong-name"},
        pull="works",
    ),
    scenario(
        "hosted-zone-not-associated",
        "Central endpoints, whose zones are not associated with this VPC: their names stay public here.",
        all_of(vpc_with(central=True), _not_associated),
        findings={"dns.public-answer": None},
    ),
    scenario(
        "hosted-zone-missing-record",
        "A hosted zone for registries without the wildcard: no account's name exists.",
        all_of(without_private_dns("ecr.dkr"), _apex_only),
        findings={"dns.name-missing": "dns.hosted-zone-missing-record"},
    ),
    scenario(
        "hosted-zone-shadows-s3",
        "Another team's zone for S3 hides the layer bucket's name.",
        _foreign_zone,
        findings={"dns.name-missing": "dns.hosted-zone-missing-record"},
        s3_reached=False,
    ),
    scenario(
        "hosted-zone-conflict",
        "A hosted zone sends api.ecr to the endpoint of another service.",
        all_of(without_private_dns("ecr.api"), _zone_of_another_endpoint),
        findings={"tls.wrong-name": "dns.hosted-zone-conflict"},
    ),
    scenario(
        "dns64-without-route",
        "DNS64 makes IPv6 addresses, and no route leads to them: clients that prefer IPv6 wait.",
        all_of(vpc_with(ipv6=IPV6), _dns64_nowhere),
        findings={"tcp.partly-silent": "tcp.no-route"},
        status="degraded",
        pull="works",
    ),
    scenario(
        "endpoint-dns-override",
        "Private DNS is not switched on yet; the probe is told to ask the endpoints' own names.",
        without_private_dns("ecr.api", "ecr.dkr"),
        findings={"path.endpoint-dns-override": None},
        status="degraded",
        pull="unproven",
        arguments=(
            "--endpoint-dns",
            f"ecr.api=vpce-00a1b2c3d4e5f6071-uz5j3lr2.api.ecr.{REGION}.vpce.amazonaws.com",
            "--endpoint-dns",
            f"ecr.dkr=vpce-00b1b2c3d4e5f6071-uz5j3lr2.dkr.ecr.{REGION}.vpce.amazonaws.com",
        ),
    ),
)

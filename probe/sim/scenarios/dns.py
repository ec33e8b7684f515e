"""Private names that do not take effect: no endpoint, no private DNS, zones with a wrong name or content."""

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


def _zone_named_after_service(service: str, name: str) -> Change:
    """A hosted zone that is named after the service instead of the host."""
    return private_zone(
        name,
        lambda vpc: {name: vpc.endpoints[service].all_addresses, f"*.{name}": vpc.endpoints[service].all_addresses},
    )


def _zone_without_wildcard(vpc: VPC) -> None:
    """A zone for registries that has a record for its own name but no wildcard."""
    name = names.host("ecr.dkr", REGION)
    private_zone(name, lambda vpc: {name: vpc.endpoints["ecr.dkr"].all_addresses})(vpc)


def _not_associated(vpc: VPC) -> None:
    """The hub's zones are not associated with this VPC."""
    vpc.zones.clear()


def _zone_of_another_team(vpc: VPC) -> None:
    """Another team's zone for S3, with a record for its own bucket only."""
    name = f"s3.{REGION}.amazonaws.com"
    private_zone(name, lambda vpc: {f"reports.{name}": (vpc.at(3, 9),)})(vpc)


def _zone_of_another_endpoint(vpc: VPC) -> None:
    """A zone that points api.ecr to the endpoint of CloudWatch Logs."""
    name = names.api(REGION)
    private_zone(name, lambda vpc: {name: vpc.endpoints["logs"].all_addresses})(vpc)


def _dns64_without_route(vpc: VPC) -> None:
    """DNS64 is on, as some modules set it by default, without a route to 64:ff9b::/96."""
    vpc.resolver.dns64 = True
    for endpoint in vpc.endpoints.values():
        endpoint.addresses_ipv6 = []


DNS = (
    scenario(
        "private-dns-off",
        "Private DNS of the ecr.api endpoint is off, and public addresses are unreachable.",
        without_private_dns("ecr.api"),
        findings={"dns.public-answer": "endpoint.missing.ecr-api"},
    ),
    scenario(
        "private-dns-off-nat",
        "Private DNS of the ecr.api endpoint is off; a NAT gateway makes the pull work without the endpoint.",
        all_of(without_private_dns("ecr.api"), with_nat),
        findings={"dns.public-answer": "endpoint.missing.ecr-api"},
        pull="works",
    ),
    scenario(
        "all-through-nat",
        "No endpoints but a NAT gateway: the pull works over public addresses only.",
        all_of(without_endpoints(*CORE), without_gateway_route, with_nat),
        findings={"dns.public-answer": None},
        pull="works",
    ),
    scenario(
        "all-through-nat-allowed",
        "No endpoints but a NAT gateway, accepted with --allow-public.",
        all_of(without_endpoints(*CORE), without_gateway_route, with_nat),
        findings={"dns.public-answer": None},
        status="pass",
        pull="works",
        arguments=("--allow-public", "ecr.api,ecr.dkr,logs"),
    ),
    scenario(
        "endpoint-missing-ecr-api",
        "The ecr.api endpoint is missing; older documentation calls it optional on Fargate.",
        without_endpoints("ecr.api"),
        findings={"dns.public-answer": "endpoint.missing.ecr-api"},
    ),
    scenario(
        "endpoint-missing-ecr-dkr",
        "The ecr.dkr endpoint is missing: the token works, but the registry does not answer.",
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
        "A hosted zone is named ecr.api… instead of api.ecr…, so the host resolves to public addresses.",
        all_of(without_private_dns("ecr.api"), _zone_named_after_service("ecr.api", f"ecr.api.{REGION}.amazonaws.com")),
        findings={"dns.public-answer": "dns.hosted-zone-wrong-name"},
    ),
    scenario(
        "hosted-zone-wrong-name-agent",
        "Hosted zones are named after the services ecs-agent and ecs-telemetry, but the hosts are ecs-a and ecs-t.",
        all_of(
            EC2_HOST,
            without_private_dns("ecs-agent", "ecs-telemetry"),
            _zone_named_after_service("ecs-agent", f"ecs-agent.{REGION}.amazonaws.com"),
            _zone_named_after_service("ecs-telemetry", f"ecs-telemetry.{REGION}.amazonaws.com"),
        ),
        findings={"dns.public-answer": "dns.hosted-zone-wrong-name"},
        pull="works",
    ),
    scenario(
        "hosted-zone-not-associated",
        "The hosted zones of central endpoints are not associated with this VPC, so their names resolve publicly.",
        all_of(vpc_with(central=True), _not_associated),
        findings={"dns.public-answer": None},
    ),
    scenario(
        "hosted-zone-missing-record",
        "A hosted zone for registries lacks the wildcard record, so no registry name resolves.",
        all_of(without_private_dns("ecr.dkr"), _zone_without_wildcard),
        findings={"dns.name-missing": "dns.hosted-zone-missing-record"},
    ),
    scenario(
        "hosted-zone-shadows-s3",
        "Another team's hosted zone for S3 hides the name of the layer bucket.",
        _zone_of_another_team,
        findings={"dns.name-missing": "dns.hosted-zone-missing-record"},
        s3_reached=False,
    ),
    scenario(
        "hosted-zone-conflict",
        "A hosted zone points api.ecr to the endpoint of another service.",
        all_of(without_private_dns("ecr.api"), _zone_of_another_endpoint),
        findings={"tls.wrong-name": "dns.hosted-zone-conflict"},
    ),
    scenario(
        "dns64-without-route",
        "DNS64 creates IPv6 addresses without a route to them: clients that prefer IPv6 have to wait.",
        all_of(vpc_with(ipv6=IPV6), _dns64_without_route),
        findings={"tcp.partly-silent": "tcp.no-route"},
        status="degraded",
        pull="works",
    ),
    scenario(
        "endpoint-dns-override",
        "Private DNS is not enabled yet; --endpoint-dns makes the probe use the endpoints' own names.",
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

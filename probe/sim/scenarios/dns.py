"""Names: endpoints without private DNS, zones with a wrong name or content, and the servers that answer."""

from __future__ import annotations

from collections.abc import Callable

from probe.sim import names
from probe.sim.changes import (
    Change,
    all_of,
    dns_server,
    nameserver_lines,
    private_zone,
    serves,
    set_to,
    vpc_with,
    with_nat,
    without_endpoints,
    without_gateway_route,
    without_private_dns,
)
from probe.sim.configuration import identifiers as ids
from probe.sim.dns import (
    NO_ANSWER,
    NXDOMAIN,
    REFUSED,
    SERVFAIL,
    DnsAnswer,
    DnsHandler,
    Forward,
    Profile,
    always,
    failing_once,
    leading_to,
)
from probe.sim.http import Reply
from probe.sim.names import CORE
from probe.sim.network import GATEWAY_ID, Treatment
from probe.sim.scenarios.healthy import EC2_HOST, IPV6
from probe.sim.scenarios.scenario import NO_ENDPOINT, PRIVATE_NAMES, WAY_OUT, degraded, failing, passing
from probe.sim.servers import CORPORATE, Certificate, HttpServer
from probe.sim.vpc import HUB_SERVER, VPC, endpoint_id

REGION = "us-east-1"


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


def _zone_of_another_team(vpc: VPC) -> None:
    """Another team's zone for S3, with a record for its own bucket only."""
    name = f"s3.{REGION}.amazonaws.com"
    private_zone(name, lambda vpc: {f"reports.{name}": (vpc.at(3, 9),)})(vpc)


def _zone_of_another_endpoint(vpc: VPC) -> None:
    """A zone that points api.ecr to the endpoint of CloudWatch Logs."""
    name = names.api(REGION)
    private_zone(name, lambda vpc: {name: vpc.endpoints["logs"].all_addresses})(vpc)


def _zone_with_a_public_address(vpc: VPC) -> None:
    """A zone of one's own that has an address of the endpoint and a public one of AWS."""
    name = names.api(REGION)
    public = vpc.internet.v4(names.AwsHost("ecr.api", REGION))[0]
    private_zone(name, lambda vpc: {name: (vpc.endpoints["ecr.api"].addresses[0], public)})(vpc)


def _dns64_without_route(vpc: VPC) -> None:
    """DNS64 is on, as some modules set it by default, without a route to 64:ff9b::/96."""
    vpc.resolver.dns64 = True
    for endpoint in vpc.endpoints.values():
        endpoint.addresses_ipv6 = []


DNS = (
    failing(
        "private-dns-off",
        "Private DNS of the ecr.api endpoint is off, and public addresses are unreachable.",
        without_private_dns("ecr.api"),
        findings={"dns.public-answer": "endpoint.missing.ecr-api"},
        excludes="dns.hosted-zone-wrong-name dns.vpc-attributes-off dns.custom-resolver",
        settled={"dns.private-dns-disabled": endpoint_id("ecr.api")},
    ),
    failing(
        "private-dns-off-nat",
        "Private DNS of the ecr.api endpoint is off; a NAT gateway makes the pull work without the endpoint.",
        all_of(without_private_dns("ecr.api"), with_nat),
        findings={
            "s3.route-undetermined": None,
            "dns.public-answer": "endpoint.missing.ecr-api",
        },
        pull="works",
        excludes=f"{WAY_OUT} dns.hosted-zone-wrong-name dns.vpc-attributes-off",
        settled={"dns.private-dns-disabled": endpoint_id("ecr.api")},
    ),
    failing(
        "all-through-nat",
        "No endpoints but a NAT gateway: the pull works over public addresses only.",
        all_of(without_endpoints(*CORE), without_gateway_route, with_nat),
        findings={"s3.route-undetermined": None, "dns.public-answer": None},
        pull="works",
        excludes=WAY_OUT,
        settled={
            "endpoint.missing.ecr-api": ids.VPC_ID,
            "endpoint.missing.ecr-dkr": ids.VPC_ID,
            "logs.endpoint-missing": ids.VPC_ID,
        },
    ),
    passing(
        "all-through-nat-allowed",
        "No endpoints but a NAT gateway, accepted with --allow-public.",
        all_of(without_endpoints(*CORE), without_gateway_route, with_nat),
        findings={"s3.route-undetermined": None, "dns.public-answer": None},
        arguments=("--allow-public", "ecr.api,ecr.dkr,logs"),
        settled={
            "endpoint.missing.ecr-api": ids.VPC_ID,
            "endpoint.missing.ecr-dkr": ids.VPC_ID,
            "logs.endpoint-missing": ids.VPC_ID,
        },
    ),
    failing(
        "endpoint-missing-ecr-api",
        "The ecr.api endpoint is missing; older documentation calls it optional on Fargate.",
        without_endpoints("ecr.api"),
        findings={"dns.public-answer": "endpoint.missing.ecr-api"},
        excludes="dns.hosted-zone-wrong-name dns.vpc-attributes-off dns.custom-resolver",
        settled={"endpoint.missing.ecr-api": ids.VPC_ID},
    ),
    failing(
        "endpoint-missing-ecr-dkr",
        "The ecr.dkr endpoint is missing: the token works, but the registry does not answer.",
        without_endpoints("ecr.dkr"),
        findings={"dns.public-answer": "endpoint.missing.ecr-dkr"},
        excludes="dns.hosted-zone-wrong-name dns.vpc-attributes-off dns.custom-resolver",
        settled={"endpoint.missing.ecr-dkr": ids.VPC_ID},
    ),
    failing(
        "no-endpoints-no-nat",
        "An isolated subnet without any endpoint.",
        all_of(without_endpoints(*CORE), without_gateway_route),
        findings={"dns.public-answer": None, "s3.silent": "endpoint.missing.s3"},
        excludes="dns.hosted-zone-wrong-name dns.custom-resolver",
        settled={
            "endpoint.missing.ecr-api": ids.VPC_ID,
            "endpoint.missing.ecr-dkr": ids.VPC_ID,
            "logs.endpoint-missing": ids.VPC_ID,
            "s3.route-table-not-associated": GATEWAY_ID,
        },
    ),
    failing(
        "vpc-dns-hostnames-off",
        "enableDnsHostnames is off, so the VPC ignores the endpoints' private zones.",
        set_to("dns_hostnames", False),
        findings={"dns.public-answer": None},
        excludes="dns.hosted-zone-wrong-name dns.custom-resolver",
        settled={"dns.vpc-attributes-off": ids.VPC_ID},
    ),
    failing(
        "hosted-zone-wrong-name",
        "A hosted zone is named ecr.api… instead of api.ecr…, so the host resolves to public addresses.",
        all_of(without_private_dns("ecr.api"), _zone_named_after_service("ecr.api", f"ecr.api.{REGION}.amazonaws.com")),
        findings={"dns.public-answer": "dns.hosted-zone-wrong-name"},
        excludes=f"{NO_ENDPOINT} {WAY_OUT} dns.private-dns-disabled dns.vpc-attributes-off",
        settled={"dns.hosted-zone-wrong-name": ids.ZONE.format(1)},
    ),
    failing(
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
        settled={"dns.hosted-zone-wrong-name": ids.ZONE.format(1)},
    ),
    failing(
        "hosted-zone-not-associated",
        "The hosted zones of central endpoints are not associated with this VPC, so their names resolve publicly.",
        all_of(vpc_with(central=True), lambda vpc: vpc.zones.clear()),
        findings={"dns.public-answer": None},
        excludes="dns.hosted-zone-wrong-name dns.custom-resolver",
        settled={"dns.hosted-zone-not-associated": ids.HUB_ZONE.format(1)},
    ),
    failing(
        "hosted-zone-missing-record",
        "A hosted zone for registries lacks the wildcard record, so no registry name resolves.",
        all_of(without_private_dns("ecr.dkr"), _zone_without_wildcard),
        findings={"dns.name-missing": "dns.hosted-zone-missing-record"},
        settled={"dns.hosted-zone-missing-record": ids.ZONE.format(1)},
    ),
    failing(
        "hosted-zone-shadows-s3",
        "Another team's hosted zone for S3 hides the name of the layer bucket.",
        _zone_of_another_team,
        findings={"dns.name-missing": "dns.firewall"},  # on the wire a DNS Firewall looks the same, and is likelier
        settled={"dns.hosted-zone-conflict": ids.ZONE.format(1)},
    ),
    failing(
        "hosted-zone-conflict",
        "A hosted zone points api.ecr to the endpoint of another service.",
        all_of(without_private_dns("ecr.api"), _zone_of_another_endpoint),
        findings={"tls.wrong-name": "dns.hosted-zone-conflict"},
        settled={"dns.hosted-zone-conflict": ids.ZONE.format(1)},
    ),
    degraded(
        "record-with-public-address",
        "A private zone has an address of the ecr.api endpoint and a public one, which is unreachable.",
        all_of(without_private_dns("ecr.api"), _zone_with_a_public_address),
        findings={"dns.public-answer": "dns.stale-record"},
        settled={"dns.stale-record": ids.ZONE.format(1)},
    ),
    degraded(
        "dns64-without-route",
        "DNS64 creates IPv6 addresses without a route to them: clients that prefer IPv6 have to wait.",
        all_of(vpc_with(ipv6=IPV6), _dns64_without_route),
        findings={"tcp.partly-silent": "tcp.no-route"},
        settled={"tcp.no-route": ids.TASK_TABLE},
    ),
    degraded(
        "endpoint-dns-override",
        "Private DNS is not enabled yet; --endpoint-dns makes the probe use the endpoints' own names.",
        without_private_dns("ecr.api", "ecr.dkr"),
        findings={"path.endpoint-dns-override": None},
        pull="unproven",
        arguments=(
            "--endpoint-dns",
            f"ecr.api=vpce-00a1b2c3d4e5f6071-uz5j3lr2.api.ecr.{REGION}.vpce.amazonaws.com",
            "--endpoint-dns",
            f"ecr.dkr=vpce-00b1b2c3d4e5f6071-uz5j3lr2.dkr.ecr.{REGION}.vpce.amazonaws.com",
        ),
    ),
)


OTHER_SERVER = "10.0.3.53"  # the company's DNS server in the VPC


def _public_dns(vpc: VPC) -> DnsHandler:
    """A server that forwards to public DNS and does not know the private zones."""
    return vpc.public_dns.answer


def _vpc_resolver(vpc: VPC) -> DnsHandler:
    """A server that forwards to the VPC's own resolver."""
    return vpc.resolver.answer


def _without_ipv6(vpc: VPC) -> DnsHandler:
    """A server that forwards A queries and fails on AAAA queries."""
    return lambda name, record: SERVFAIL if record == "AAAA" else vpc.resolver.answer(name, record)


def _rule_to_dead_server(vpc: VPC) -> None:
    """A Route 53 Resolver rule forwards AWS's names to a dead server."""
    vpc.resolver.forwards["amazonaws.com"] = Forward(always(NO_ANSWER), OTHER_SERVER)


def _hub_resolver(vpc: VPC) -> None:
    """The zones of central endpoints are known to the hub's resolver only, which the task uses."""
    zones, vpc.zones = vpc.zones, []
    dns_server(HUB_SERVER, lambda vpc: serves(zones, vpc))(vpc)
    nameserver_lines(HUB_SERVER)(vpc)


def forwards(handler: Callable[[VPC], DnsHandler], *domains: str, target: str = OTHER_SERVER) -> Change:
    """Resolver rules that send these domains to a server."""
    return lambda vpc: vpc.resolver.forwards.update(dict.fromkeys(domains, Forward(handler(vpc), target)))


def firewall(response: DnsHandler, *domains: str) -> Change:
    """A DNS Firewall that answers `response` for these domains."""
    return lambda vpc: vpc.resolver.blocked.update(dict.fromkeys(domains, response))


def _hub_rules(vpc: VPC) -> None:
    """Central endpoints whose zones the hub's resolver has; Resolver rules of the hub lead to it."""
    zones, vpc.zones = vpc.zones, []
    forwards(lambda vpc: serves(zones, vpc), *(zone.name for zone in zones), target=HUB_SERVER)(vpc)


def _hub_profile(vpc: VPC) -> None:
    """Central endpoints whose zones come to the VPC by a Route 53 Profile."""
    vpc.resolver.profile, vpc.zones = Profile(zones=vpc.zones), []


def _profile_with_firewall(vpc: VPC) -> None:
    """A Profile of another team brings a DNS Firewall that blocks all of ECR."""
    blocked = dict.fromkeys((names.api(REGION), names.host("ecr.dkr", REGION)), always(NXDOMAIN))
    vpc.resolver.profile = Profile(blocked=blocked)


def _block_page(vpc: VPC) -> None:
    """A web server of the company, with a certificate of its own authority."""
    page = HttpServer(lambda _request: Reply(200, b"blocked"), Certificate((BLOCK_PAGE,), issuer=CORPORATE))
    vpc.hosts["10.0.3.80"] = page


S3_DOMAIN = f"s3.{REGION}.amazonaws.com"
ECR_DOMAINS = (names.api(REGION), names.host("ecr.dkr", REGION))
BLOCK_PAGE = "blocked.example.com"
BASE_RESOLVER = "10.0.0.2"


RESOLVERS = (
    failing(
        "vpc-dns-support-off",
        "enableDnsSupport is off, so the VPC's resolver does not answer.",
        set_to("resolver.answering", False),
        findings={"dns.resolver-unreachable": "dns.vpc-attributes-off"},
        settled={"dns.vpc-attributes-off": ids.VPC_ID},
    ),
    failing(
        "custom-resolver",
        "DHCP options set a company DNS server that does not know the private zones.",
        all_of(dns_server(OTHER_SERVER, _public_dns), nameserver_lines(OTHER_SERVER)),
        findings={"dns.public-answer": "dns.custom-resolver"},
        excludes=f"{NO_ENDPOINT} {PRIVATE_NAMES} {WAY_OUT}",
        settled={"dns.custom-resolver": ids.DHCP_OPTIONS},
    ),
    failing(
        "custom-resolver-nat",
        "A company DNS server without the private zones; pulls work through a NAT gateway, not through the endpoints.",
        all_of(dns_server(OTHER_SERVER, _public_dns), nameserver_lines(OTHER_SERVER), with_nat),
        findings={"s3.route-undetermined": None, "dns.public-answer": "dns.custom-resolver"},
        pull="works",
        excludes=f"{NO_ENDPOINT} {PRIVATE_NAMES} {WAY_OUT}",
        settled={"dns.custom-resolver": ids.DHCP_OPTIONS},
    ),
    passing(
        "custom-resolver-forwards",
        "The company's DNS server forwards AWS's names to the VPC's resolver, as it should.",
        all_of(dns_server(OTHER_SERVER, _vpc_resolver), nameserver_lines(OTHER_SERVER)),
    ),
    failing(
        "custom-resolver-servfail",
        "The company's DNS server fails on AWS's names; the VPC's resolver would answer them.",
        all_of(dns_server(OTHER_SERVER, lambda _: always(SERVFAIL)), nameserver_lines(OTHER_SERVER)),
        findings={"dns.servfail": "dns.custom-resolver"},
        excludes="dns.firewall dns.resolver-rule dns.vpc-attributes-off",
        settled={"dns.custom-resolver": ids.DHCP_OPTIONS},
    ),
    degraded(
        "custom-resolver-half",
        "The company's DNS server answers for IPv4 and fails for IPv6, which some clients treat as a failed lookup.",
        all_of(dns_server(OTHER_SERVER, _without_ipv6), nameserver_lines(OTHER_SERVER)),
        findings={"dns.half-answer": "dns.custom-resolver"},
    ),
    failing(
        "custom-resolver-refuses",
        "The company's DNS server does not serve this subnet.",
        all_of(dns_server(OTHER_SERVER, lambda _: always(REFUSED)), nameserver_lines(OTHER_SERVER)),
        findings={"dns.refused-query": "dns.custom-resolver"},
        excludes="dns.firewall dns.resolver-rule dns.vpc-attributes-off",
        settled={"dns.custom-resolver": ids.DHCP_OPTIONS},
    ),
    failing(
        "custom-resolver-nxdomain",
        "The company's DNS server has an empty zone for amazonaws.com.",
        all_of(dns_server(OTHER_SERVER, lambda _: always(NXDOMAIN)), nameserver_lines(OTHER_SERVER)),
        findings={"dns.name-missing": "dns.custom-resolver"},
        excludes="dns.firewall dns.resolver-rule dns.vpc-attributes-off",
        settled={"dns.custom-resolver": ids.DHCP_OPTIONS},
    ),
    failing(
        "custom-resolver-silent",
        "The only nameserver does not answer.",
        nameserver_lines(OTHER_SERVER),
        findings={"dns.resolver-unreachable": "dns.custom-resolver"},
        settled={"dns.custom-resolver": ids.DHCP_OPTIONS},
    ),
    degraded(
        "first-nameserver-dead",
        "The first nameserver is dead, the second is the VPC's resolver: everything works, but slowly.",
        nameserver_lines(OTHER_SERVER, "vpc"),
        findings={"dns.resolver-unreachable": "dns.resolver-unreachable"},
    ),
    degraded(
        "second-nameserver-public",
        "The second nameserver does not know the private zones: clients that query it leave the VPC.",
        all_of(dns_server(OTHER_SERVER, _public_dns), nameserver_lines("vpc", OTHER_SERVER)),
        findings={"dns.resolvers-disagree": "dns.custom-resolver"},
    ),
    failing(
        "resolver-rule-dead",
        "A resolver rule forwards amazonaws.com to a dead server: SERVFAIL for all names outside private zones.",
        _rule_to_dead_server,
        findings={"dns.servfail": "dns.resolver-rule"},
    ),
    failing(
        "dns-firewall-empty",
        "A DNS Firewall removes the addresses from the registry's answer.",
        firewall(always(DnsAnswer()), names.host("ecr.dkr", REGION)),
        findings={"dns.no-address": "dns.hosted-zone-missing-record"},
        settled={"dns.firewall": ids.RULE_GROUP},
    ),
    failing(
        "dns-firewall-s3",
        "A DNS Firewall answers NXDOMAIN for S3.",
        firewall(always(NXDOMAIN), S3_DOMAIN),
        findings={"dns.name-missing": "dns.firewall"},
        settled={"dns.firewall": ids.RULE_GROUP},
    ),
    failing(
        "dns-firewall-nxdomain",
        "A DNS Firewall whose allowed domains lack ECR answers NXDOMAIN for all its names.",
        firewall(always(NXDOMAIN), *ECR_DOMAINS),
        findings={"dns.name-missing": "dns.hosted-zone-missing-record"},
        settled={"dns.firewall": ids.RULE_GROUP},
    ),
    failing(
        "dns-firewall-s3-empty",
        "A DNS Firewall answers NODATA for S3.",
        firewall(always(DnsAnswer()), S3_DOMAIN),
        findings={"dns.no-address": "dns.firewall"},
        settled={"dns.firewall": ids.RULE_GROUP},
    ),
    failing(
        "dns-firewall-redirection",
        "A DNS Firewall blocks the domain that the layer bucket's name leads to by CNAME.",
        firewall(always(NXDOMAIN), f"s3-r-w.{REGION}.amazonaws.com"),
        findings={"dns.name-missing": "dns.firewall"},
        settled={"dns.firewall": ids.RULE_GROUP},
    ),
    failing(
        "dns-firewall-override",
        "A DNS Firewall overrides the names of ECR with a CNAME to a block page, which is unreachable.",
        firewall(leading_to("198.51.100.7", target=BLOCK_PAGE), *ECR_DOMAINS),
        findings={"dns.foreign-answer": "dns.firewall"},
        settled={"dns.firewall": ids.RULE_GROUP},
    ),
    failing(
        "dns-firewall-override-s3",
        "A DNS Firewall overrides the name of the layer bucket with a CNAME to a block page, which has another name.",
        all_of(firewall(leading_to("10.0.3.80", target=BLOCK_PAGE), S3_DOMAIN), _block_page),
        findings={"dns.foreign-answer": "dns.firewall"},
        settled={"dns.firewall": ids.RULE_GROUP},
    ),
    failing(
        "dns-sinkhole",
        "A DNS filter answers the unspecified address for the names of ECR.",
        firewall(leading_to("0.0.0.0"), *ECR_DOMAINS),
        findings={"dns.foreign-answer": "dns.firewall"},
    ),
    failing(
        "resolver-rule-public",
        "A Resolver rule sends the names of ECR to a server that does not know the endpoints' private names.",
        forwards(_public_dns, *ECR_DOMAINS),
        findings={"dns.public-answer": None},
        excludes="dns.hosted-zone-wrong-name dns.vpc-attributes-off dns.custom-resolver",
    ),
    failing(
        "resolver-rule-dead-ecr",
        "A Resolver rule sends the names of ECR to a dead server.",
        forwards(lambda _: always(NO_ANSWER), *ECR_DOMAINS),
        findings={"dns.servfail": "dns.resolver-rule"},
    ),
    passing(
        "hub-rule",
        "Resolver rules send the names of central endpoints to the hub, as they should.",
        all_of(vpc_with(central=True), _hub_rules),
        findings={"dns.central-endpoint": None},
    ),
    failing(
        "hub-rule-not-associated",
        "The hub's Resolver rules are not associated with this VPC, so the names of its endpoints resolve publicly.",
        all_of(vpc_with(central=True), _hub_rules, lambda vpc: vpc.resolver.forwards.clear()),
        findings={"dns.public-answer": None},
        excludes="dns.hosted-zone-wrong-name dns.custom-resolver",
        settled={"dns.hosted-zone-not-associated": ids.HUB_ZONE.format(1)},
    ),
    passing(
        "profile",
        "A Route 53 Profile brings the private zones of central endpoints to this VPC.",
        all_of(vpc_with(central=True), _hub_profile),
        findings={"dns.central-endpoint": None},
    ),
    failing(
        "profile-not-associated",
        "The Route 53 Profile with the private zones is not associated with this VPC, so their names resolve publicly.",
        all_of(vpc_with(central=True), _hub_profile, lambda vpc: vpc.resolver.profile.zones.clear()),
        findings={"dns.public-answer": None},
        excludes="dns.hosted-zone-wrong-name dns.custom-resolver",
        settled={"dns.hosted-zone-not-associated": ids.HUB_ZONE.format(1)},
    ),
    failing(
        "profile-firewall",
        "A Route 53 Profile brings a DNS Firewall to this VPC that blocks ECR.",
        _profile_with_firewall,
        findings={"dns.name-missing": "dns.hosted-zone-missing-record"},
        settled={"dns.firewall": ids.PROFILE_RULE_GROUP},
    ),
    failing(
        "base-resolver-servfail",
        "The VPC's resolver fails at its base address and answers at the other one, which is the same service.",
        dns_server(BASE_RESOLVER, lambda _: always(SERVFAIL)),
        findings={"dns.servfail": "dns.resolver-rule"},
    ),
    failing(
        "base-resolver-silent",
        "The VPC's resolver is silent at its base address and answers at the other one.",
        dns_server(BASE_RESOLVER, lambda _: always(NO_ANSWER)),
        findings={"dns.resolver-unreachable": "dns.resolver-unreachable"},
        excludes="dns.vpc-attributes-off dns.custom-resolver",
    ),
    failing(
        "dns-over-tcp-closed",
        "Answers are too large for UDP, and TCP port 53 is closed.",
        all_of(set_to("truncates", True), set_to("dns_over_tcp", Treatment.DROP)),
        findings={"dns.resolver-unreachable": "dns.resolver-unreachable"},
        excludes="dns.vpc-attributes-off dns.custom-resolver",
    ),
    passing(
        "servfail-once",
        "The VPC's resolver answers the first query for each name with SERVFAIL and the next one well.",
        dns_server(BASE_RESOLVER, lambda vpc: failing_once(vpc.resolver.answer)),
        findings={"probe.retried": None},
    ),
    passing(
        "hub-dns",
        "The hub's DNS server answers with private addresses where the VPC's resolver does not. This is correct.",
        all_of(vpc_with(central=True), _hub_resolver),
        findings={"dns.hub-resolver": None, "dns.central-endpoint": None},
    ),
)

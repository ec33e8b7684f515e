"""Dropped, refused or lost packets, and wrong certificates: security groups, ACLs, routes, firewalls, middleboxes."""

from __future__ import annotations

from functools import partial
from socket import socket
from threading import Event, Lock

from probe.sim import names
from probe.sim.changes import (
    Change,
    acl_drops,
    all_of,
    closed_security_groups,
    connection_treated,
    damaged_bodies,
    egress_only,
    firewall_drops,
    middlebox,
    private_zone,
    server_certificate,
    set_to,
    vpc_with,
    with_nat,
    without_gateway,
    without_gateway_route,
    without_private_dns,
)
from probe.sim.configuration import identifiers as ids
from probe.sim.http import Countdown, Damage, Reply
from probe.sim.names import CORE
from probe.sim.network import GATEWAY_ID, S3_PREFIX_LIST, FixedReply, Treatment
from probe.sim.scenarios.healthy import EC2_AWSVPC, IPV6
from probe.sim.scenarios.scenario import (
    NO_ENDPOINT,
    PACKETS,
    PRIVATE_NAMES,
    WAY_OUT,
    degraded,
    failing,
    inconclusive,
    passing,
)
from probe.sim.servers import (
    AMAZON,
    CORPORATE,
    IMPOSTOR,
    STRANGER,
    Certificate,
    ClosedPort,
    HttpServer,
    LargeHelloFilter,
    PlainTextServer,
    ResetOnClientHello,
    SilentServer,
)
from probe.sim.vpc import VPC, endpoint_id

INSTANCE = "10.0.1.20/32"


def _allow_instances_only(vpc: VPC) -> None:
    """The endpoints' security groups allow the instance, but not its tasks."""
    for endpoint in vpc.endpoints.values():
        endpoint.allowed_sources = [INSTANCE]


def _s3_interface_without_dns(vpc: VPC) -> None:
    vpc.gateway = None
    vpc.add_endpoint("s3", private_dns=False)


def _allow_ipv4_only(vpc: VPC) -> None:
    for endpoint in vpc.endpoints.values():
        endpoint.allowed_sources = list(vpc.ranges)


def _zone_of_a_deleted_endpoint(vpc: VPC) -> None:
    name = names.api(vpc.region)
    private_zone(name, lambda vpc: {name: (vpc.at(1, 210), vpc.at(2, 210))})(vpc)


NETWORK = (
    failing(
        "security-group",
        "The endpoints' security group does not allow the task in.",
        closed_security_groups(*CORE),
        findings={"tcp.silent": "tcp.security-group"},
        excludes=f"{NO_ENDPOINT} {PRIVATE_NAMES} {WAY_OUT} endpoint.missing.s3",
        settled={"tcp.security-group": ids.ENDPOINT_GROUP},
    ),
    failing(
        "security-group-dkr",
        "Only the security group of the ecr.dkr endpoint does not allow the task in.",
        closed_security_groups("ecr.dkr"),
        findings={"tcp.silent": "tcp.security-group"},
        excludes=f"{NO_ENDPOINT} {PRIVATE_NAMES} {WAY_OUT} endpoint.missing.s3",
        settled={"tcp.security-group": ids.OTHER_GROUP},
    ),
    failing(
        "security-group-logs",
        "Only the security group of the logs endpoint blocks the task: the pull works, but the log driver fails.",
        closed_security_groups("logs"),
        findings={"tcp.silent": "tcp.security-group"},
        pull="works",
        excludes=f"{NO_ENDPOINT} {PRIVATE_NAMES} {WAY_OUT} endpoint.missing.s3",
        settled={"tcp.security-group": ids.OTHER_GROUP},
    ),
    failing(
        "ec2-awsvpc-instances-only",
        "EC2 in awsvpc mode: the endpoints allow instances but not tasks. Pulls work, this network path does not.",
        all_of(EC2_AWSVPC, _allow_instances_only),
        findings={"tcp.silent": "tcp.security-group", "path.not-the-pull": None},
        pull="unproven",
        settled={"tcp.security-group": ids.ENDPOINT_GROUP},
    ),
    failing(
        "central-endpoints-silent",
        "Central endpoints behind a transit gateway that drops the packets.",
        all_of(vpc_with(central=True), closed_security_groups(*CORE)),
        findings={"tcp.silent": "tcp.security-group"},
        arguments=("--vpc-cidr", "10.0.0.0/16"),
        excludes=f"{NO_ENDPOINT} {PRIVATE_NAMES}",
        settled={"tcp.security-group": ids.ENDPOINT_GROUP},
    ),
    failing(
        "task-egress-closed",
        "The task's security group allows no outbound traffic.",
        egress_only(),
        findings={"tcp.silent": "tcp.security-group"},
        excludes=f"{NO_ENDPOINT} {PRIVATE_NAMES} endpoint.missing.s3 s3.route-table-not-associated dns.stale-record",
        settled=dict.fromkeys(("tcp.security-group", "tcp.security-group-s3-egress"), ids.TASK_GROUP),
    ),
    failing(
        "everything-silent-by-two-faults",
        "The endpoints' security groups block the task and the S3 gateway endpoint is missing, which looks like one.",
        all_of(closed_security_groups(*CORE), without_gateway),
        findings={"tcp.silent": "tcp.security-group"},
        excludes=f"{NO_ENDPOINT} {PRIVATE_NAMES} endpoint.missing.s3 s3.route-table-not-associated dns.stale-record",
        settled={"tcp.security-group": ids.ENDPOINT_GROUP, "endpoint.missing.s3": ids.VPC_ID},
    ),
    failing(
        "stale-record",
        "A private zone of its own points to the addresses of an endpoint that was deleted.",
        all_of(without_private_dns("ecr.api"), _zone_of_a_deleted_endpoint),
        findings={"tcp.silent": "tcp.security-group"},
        excludes=f"{NO_ENDPOINT} {PRIVATE_NAMES} {WAY_OUT} endpoint.missing.s3",
        settled={"dns.stale-record": ids.VPC_ID},
    ),
    degraded(
        "ipv6-security-group",
        "Endpoints with both address families whose security groups have no rule for IPv6.",
        all_of(vpc_with(ipv6=IPV6), _allow_ipv4_only),
        findings={"tcp.partly-silent": "tcp.security-group"},
        arguments=("--vpc-cidr", f"10.0.0.0/16,{IPV6}"),
        settled={"tcp.security-group": ids.ENDPOINT_GROUP},
    ),
    failing(
        "ipv6-s3-gateway-ipv4",
        "An IPv6-only subnet whose S3 gateway endpoint carries only IPv4.",
        all_of(vpc_with(ipv6=IPV6, ipv4=False), set_to("gateway.ip_address_type", "ipv4")),
        findings={
            "s3.silent": "region.ipv6-unsupported-endpoint",
            "path.family-skipped": None,
            "path.pull-over-ipv4": None,
            "registry.host-form": None,
        },
        settled={"region.ipv6-unsupported-endpoint": GATEWAY_ID},
    ),
    failing(
        "block-public-access",
        "VPC Block Public Access stops the NAT gateway, on which an endpoint without private DNS relied.",
        all_of(without_private_dns("ecr.api"), with_nat, set_to("network.routes.public_access_blocked", True)),
        findings={"dns.public-answer": "endpoint.missing.ecr-api"},
        excludes="dns.hosted-zone-wrong-name dns.vpc-attributes-off dns.custom-resolver",
        settled={"dns.private-dns-disabled": endpoint_id("ecr.api")},
    ),
    failing(
        "firewall-drops-s3",
        "A firewall on the way out drops packets to S3 of this region, and there is no gateway endpoint.",
        all_of(without_gateway, with_nat, firewall_drops("52.216.1.0/24")),
        findings={"s3.silent": "path.egress-firewall"},
        excludes=f"{NO_ENDPOINT} {PRIVATE_NAMES} endpoint.missing.s3 s3.route-table-not-associated",
    ),
    failing(
        "s3-egress",
        "The task's security group allows 443 to the VPC only; the S3 prefix list is missing.",
        egress_only("10.0.0.0/16"),
        findings={"s3.silent": "endpoint.missing.s3"},
        excludes=f"{NO_ENDPOINT} {PRIVATE_NAMES} {WAY_OUT}",
        settled={"tcp.security-group-s3-egress": ids.TASK_GROUP},
    ),
    failing(
        "s3-gateway-missing",
        "The S3 gateway endpoint is missing: the manifest arrives, the layers do not.",
        without_gateway,
        findings={"s3.silent": "endpoint.missing.s3"},
        excludes=f"{NO_ENDPOINT} {PRIVATE_NAMES} {WAY_OUT}",
        settled={"endpoint.missing.s3": ids.VPC_ID},
    ),
    failing(
        "s3-route-table",
        "The S3 gateway endpoint is not associated with this subnet's route table.",
        without_gateway_route,
        findings={"s3.silent": "endpoint.missing.s3"},
        excludes=f"{NO_ENDPOINT} {PRIVATE_NAMES} {WAY_OUT}",
        settled={"s3.route-table-not-associated": GATEWAY_ID},
    ),
    failing(
        "s3-interface-without-dns",
        "S3 has an interface endpoint without private DNS instead of a gateway endpoint.",
        _s3_interface_without_dns,
        findings={"s3.silent": "endpoint.missing.s3"},
        excludes=f"{NO_ENDPOINT} {PRIVATE_NAMES} {WAY_OUT}",
        settled={"endpoint.s3-interface-not-gateway": endpoint_id("s3")},
    ),
    degraded(
        "s3-through-nat",
        "No S3 gateway endpoint but a NAT gateway: layers arrive over the internet, which looks the same on the wire.",
        all_of(without_gateway, with_nat),
        findings={"s3.route-undetermined": "s3.route-table-not-associated"},
        settled={"endpoint.missing.s3": ids.VPC_ID},
    ),
    passing(
        "s3-through-nat-allowed",
        "No S3 gateway endpoint but a NAT gateway, accepted with --allow-public.",
        all_of(without_gateway, with_nat),
        findings={"s3.route-undetermined": None},
        arguments=("--allow-public", "s3"),
    ),
    passing(
        "s3-through-nat-prefix-list",
        "Layers arrive through a NAT, and the task's group allows only S3's prefix list, so the control is silent.",
        all_of(without_gateway, with_nat, egress_only("10.0.0.0/16", S3_PREFIX_LIST)),
    ),
    passing(
        "cross-region-s3-endpoint",
        "An interface endpoint for S3 of another region answers the control inside the VPC, which proves no way out.",
        lambda vpc: vpc.add_endpoint("s3", region="us-east-2"),
    ),
    passing(
        "s3-through-nat-no-controls",
        "No S3 gateway endpoint but a NAT gateway, measured without control connections.",
        all_of(without_gateway, with_nat),
        arguments=("--no-controls",),
    ),
    degraded(
        "nacl-one-zone",
        "A network ACL blocks the subnet in the other zone: one address of each endpoint does not answer.",
        acl_drops("10.0.2.0/24"),
        findings={"tcp.partly-silent": "tcp.nacl"},
        excludes=f"{NO_ENDPOINT} {PRIVATE_NAMES} {WAY_OUT} path.egress-firewall",
        settled={"tcp.nacl": ids.TASK_ACL},
    ),
    failing(
        "nacl-s3",
        "A network ACL allows the VPC only, but S3's addresses are public.",
        acl_drops("52.216.0.0/15"),
        findings={"s3.silent": "endpoint.missing.s3"},
        excludes=f"{NO_ENDPOINT} {PRIVATE_NAMES} {WAY_OUT}",
        settled={"tcp.nacl": ids.TASK_ACL},
    ),
    failing(
        "firewall-refuses",
        "A firewall refuses connections to S3.",
        middlebox("s3", behaviour=ClosedPort()),
        findings={"tcp.refused": "path.egress-firewall"},
        excludes=f"{PACKETS} {NO_ENDPOINT} {PRIVATE_NAMES}",
    ),
    failing(
        "firewall-prohibits",
        "A firewall in front of the endpoints answers that communication is prohibited.",
        middlebox(*CORE, behaviour=Treatment.PROHIBIT),
        findings={"tcp.refused": "path.egress-firewall"},
        excludes=f"{PACKETS} {NO_ENDPOINT} {PRIVATE_NAMES}",
    ),
    failing(
        "firewall-unreachable",
        "A firewall in front of the endpoints answers that the host is unreachable.",
        middlebox(*CORE, behaviour=Treatment.UNREACHABLE),
        findings={"tcp.refused": "path.egress-firewall"},
        excludes=f"{PACKETS} {NO_ENDPOINT} {PRIVATE_NAMES}",
    ),
    failing(
        "router-without-route",
        "The subnet's route leads to an appliance without a route of its own, which answers that S3 is unreachable.",
        middlebox("s3", behaviour=Treatment.UNREACHABLE),
        findings={"tcp.no-route": "tcp.no-route"},
    ),
    failing(
        "firewall-resets-hello",
        "A firewall reads the server name in the ClientHello and resets the connection.",
        middlebox("ecr.dkr", behaviour=ResetOnClientHello()),
        findings={"tls.reset": "path.egress-firewall"},
        excludes=f"{PACKETS} {NO_ENDPOINT} {PRIVATE_NAMES}",
    ),
    failing(
        "firewall-closes-hello",
        "A firewall reads the server name in the ClientHello and closes the connection.",
        middlebox("ecr.api", behaviour=ResetOnClientHello(with_fin=True)),
        findings={"tls.reset": "path.egress-firewall"},
        excludes=f"{PACKETS} {NO_ENDPOINT} {PRIVATE_NAMES}",
    ),
    failing(
        "mtu",
        "Large packets are lost on the way: TCP connects, but the certificate never arrives.",
        middlebox(*CORE, behaviour=SilentServer()),
        findings={"tls.silent": "path.mtu"},
        excludes=f"{PACKETS} {NO_ENDPOINT} {PRIVATE_NAMES}",
    ),
    failing(
        "large-client-hello",
        "A firewall drops every ClientHello that needs two packets, as those of post-quantum clients do.",
        middlebox("ecr.api", "ecr.dkr", "s3", behaviour=LargeHelloFilter),
        findings={"path.large-client-hello": "path.large-client-hello"},
        excludes=f"{PACKETS} path.mtu path.egress-firewall",
    ),
    failing(
        "large-client-hello-reset",
        "A firewall resets connections to S3 whose ClientHello needs two packets.",
        middlebox("s3", behaviour=partial(LargeHelloFilter, with_reset=True)),
        findings={"path.large-client-hello": "path.large-client-hello"},
        excludes=f"{PACKETS} path.mtu path.egress-firewall",
    ),
    passing(
        "large-client-hello-silent-once",
        "The first large ClientHello to S3 gets no answer, and the next one does.",
        lambda vpc: middlebox("s3", behaviour=partial(LargeHelloFilter, times=Countdown(1)))(vpc),
        findings={"probe.retried": None},
    ),
    passing(
        "large-client-hello-no-controls",
        "The same firewall, measured without control connections: nothing sends a large ClientHello.",
        middlebox("ecr.api", "ecr.dkr", "s3", behaviour=LargeHelloFilter),
        arguments=("--no-controls",),
    ),
    failing(
        "transfer-cut",
        "Layer downloads end in the middle.",
        damaged_bodies("s3", Damage.CUT),
        findings={"path.transfer-broken": "path.transfer-broken"},
        excludes=f"{PACKETS} {NO_ENDPOINT} {PRIVATE_NAMES}",
    ),
    failing(
        "transfer-reset",
        "Layer downloads are reset in the middle.",
        damaged_bodies("s3", Damage.RESET),
        findings={"path.transfer-broken": "path.transfer-broken"},
        excludes=f"{PACKETS} {NO_ENDPOINT} {PRIVATE_NAMES}",
    ),
    failing(
        "transfer-frozen",
        "Layer downloads stop in the middle, and the connection stays open.",
        damaged_bodies("s3", Damage.FREEZE),
        findings={"path.transfer-broken": "path.transfer-broken"},
        excludes=f"{PACKETS} {NO_ENDPOINT} {PRIVATE_NAMES}",
    ),
    passing(
        "refused-once",
        "The first connection to the registry is reset as it opens, and the next one works.",
        connection_treated("ecr.dkr", ClosedPort()),
        findings={"probe.retried": None},
    ),
    passing(
        "handshake-reset-once",
        "The first TLS handshake with S3 is reset, and the next one works.",
        connection_treated("s3", ResetOnClientHello()),
        findings={"probe.retried": None},
    ),
    passing(
        "request-reset-once",
        "The connection that carries the token request is reset in its handshake, and the next one works.",
        connection_treated("ecr.api", ResetOnClientHello(), number=3),  # two addresses were tried before
        findings={"probe.retried": None},
        arguments=("--no-controls",),
    ),
    passing(
        "transfer-reset-once",
        "One layer download is reset in the middle, and the next one works.",
        damaged_bodies("s3", Damage.RESET, times=1),
        findings={"probe.retried": None},
    ),
    passing(
        "transfer-cut-once",
        "One layer download ends in the middle, and the next one works.",
        damaged_bodies("s3", Damage.CUT, times=1),
        findings={"probe.retried": None},
    ),
    inconclusive(
        "transfer-trickles",
        "Layers arrive one byte at a time: the download never stalls and never ends.",
        damaged_bodies("s3", Damage.TRICKLE),
        findings={"probe.deadline": None},
        arguments=("--deadline", "3"),
    ),
    degraded(
        "transparent-proxy",
        "A transparent proxy accepts connections to every address, even to one that no host has.",
        set_to("network.transparent_proxy", True),
        findings={"path.proxy": "path.proxy"},
    ),
)


BLOCK_PAGE = Reply(
    403,
    b"<!DOCTYPE html><html><head><title>Blocked</title></head><body>Category: file storage</body></html>",
    content_type="text/html",
)
BUSY_PAGE = Reply(503, b"<html><body>Service unavailable, try again</body></html>", content_type="text/html")


def trust_store(*organisations: str) -> Change:
    """The organizations with a root in the task's trust store."""
    return lambda vpc: setattr(vpc, "trusted", organisations)


class _CertificateOnce:
    """A middlebox that presents its certificate once and resets later connections."""

    def __init__(self) -> None:
        self._first = Lock()

    def serve(self, sock: socket, closing: Event, /) -> None:
        if self._first.acquire(blocking=False):
            HttpServer(
                FixedReply(BLOCK_PAGE), Certificate(names.certificate_names("ecr.api", "us-east-1"), CORPORATE)
            ).serve(sock, closing)
        else:
            ResetOnClientHello().serve(sock, closing)


def _certificate_once(vpc: VPC) -> None:
    endpoint = vpc.endpoints["ecr.api"]
    del endpoint.addresses[1:]
    middlebox("ecr.api", behaviour=_CertificateOnce())(vpc)


def _one_address_reused(vpc: VPC) -> None:
    certificate = Certificate(names.certificate_names("logs", vpc.region))
    vpc.certificates[vpc.endpoints["ecr.api"].addresses[1]] = certificate


PULL_AND_LOGS = ("ecr.api", "ecr.dkr", "s3", "logs")
TLS = (
    failing(
        "tls-interception",
        "A middlebox re-signs every certificate, and the task does not trust it.",
        middlebox(*PULL_AND_LOGS, issuer=CORPORATE),
        findings={"tls.interception": "tls.interception"},
        excludes=f"{PACKETS} tls.ca-bundle",
    ),
    degraded(
        "tls-interception-trusted",
        "A middlebox re-signs every certificate, and its root is in the trust store: the pull works, but is decrypted.",
        all_of(middlebox(*PULL_AND_LOGS, issuer=CORPORATE), trust_store(AMAZON, CORPORATE)),
        findings={"tls.interception": "tls.interception"},
    ),
    failing(
        "tls-interception-s3",
        "Only TLS to S3 is intercepted.",
        middlebox("s3", issuer=CORPORATE),
        findings={"tls.interception": "tls.interception"},
        excludes=f"{PACKETS} tls.ca-bundle",
    ),
    failing(
        "tls-stale-store",
        "The image's trust store is outdated and lacks Amazon's roots.",
        trust_store(STRANGER),
        findings={"tls.ca-bundle": "tls.ca-bundle"},
        excludes="tls.interception path.egress-firewall",
    ),
    failing(
        "tls-impostor",
        "A host with a certificate that claims to be Amazon's answers for S3; the trust store verifies the others.",
        server_certificate("s3", issuer=IMPOSTOR),
        findings={"tls.unverified": "tls.interception"},
        excludes=f"{PACKETS} tls.ca-bundle",
    ),
    failing(
        "tls-impostor-in-vpc",
        "A host in the VPC with a certificate that claims to be Amazon's answers for ecr.dkr.",
        server_certificate("ecr.dkr", issuer=IMPOSTOR),
        findings={"tls.unverified": "dns.hosted-zone-conflict"},
        excludes=f"{PACKETS} tls.ca-bundle",
    ),
    failing(
        "tls-wrong-host-at-s3",
        "AWS presents the certificate of another service at the public addresses of S3.",
        server_certificate("s3", names_of="ecr.api"),
        findings={"tls.wrong-name": "aws.service-error"},
    ),
    degraded(
        "tls-wrong-host-at-one-address",
        "One address of ecr.api belongs to another endpoint now, and presents its certificate.",
        _one_address_reused,
        findings={"tls.wrong-name": "dns.stale-record"},
    ),
    failing(
        "tls-expired",
        "The certificate presented for S3 has expired.",
        server_certificate("s3", expired=True),
        findings={"tls.certificate-expired": "tls.certificate-expired"},
        excludes="clock.skew",
    ),
    failing(
        "tls-unreadable",
        "A certificate is not trusted, and the second connection, which would read it, is reset.",
        _certificate_once,
        findings={"tls.unverified": "tls.interception"},
    ),
    failing(
        "tls-not-tls",
        "The server on port 443 answers in plain HTTP.",
        middlebox("ecr.dkr", behaviour=PlainTextServer()),
        findings={"tls.not-tls": "path.egress-firewall"},
    ),
    failing(
        "block-page",
        "A trusted middlebox answers requests to S3 with a block page.",
        all_of(middlebox("s3", issuer=CORPORATE, reply=BLOCK_PAGE), trust_store(AMAZON, CORPORATE)),
        findings={"tls.interception": "tls.interception", "http.not-aws": "path.egress-firewall"},
    ),
    failing(
        "bare-refusal",
        "A trusted middlebox answers requests to S3 with 403, without a body.",
        all_of(middlebox("s3", issuer=CORPORATE, reply=Reply(403, content_type="")), trust_store(AMAZON, CORPORATE)),
        findings={"tls.interception": "tls.interception", "http.not-aws": "path.egress-firewall"},
    ),
    failing(
        "busy-page",
        "A trusted middlebox answers requests to the registry with 503.",
        all_of(middlebox("ecr.dkr", issuer=CORPORATE, reply=BUSY_PAGE), trust_store(AMAZON, CORPORATE)),
        findings={"tls.interception": "tls.interception", "http.not-aws": "path.egress-firewall"},
    ),
)

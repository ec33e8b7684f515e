"""What people reported of connections, TLS and transfers, in our own words."""

from __future__ import annotations

from probe.model import Failure, ProxySeen
from tests.faults.behaviour import PUBLIC, Host, Reply, private, public
from tests.faults.cases_answers import world
from tests.faults.cases_names import ALL, all_hosts
from tests.faults.cases_network import hosts
from tests.faults.plans import CUSTOM, GLOBAL_IPV6
from tests.faults.report import Reported
from tests.faults.reported_names import ISOLATED, S3_SILENT, SILENT
from tests.faults.world import World

CLOSED = World(hosts(*ALL, tcp=SILENT))
CONNECTIONS = (
    Reported("private subnet, no NAT, no endpoints", ISOLATED, "tcp.no-route"),
    Reported("an internet gateway is attached, no route names it", ISOLATED, "tcp.no-route"),
    Reported("a host without any route", World(hosts(*ALL, "s3", tcp=Failure.UNREACHABLE)), "tcp.no-route", "first"),
    Reported("public subnet without public address", ISOLATED, "tcp.no-public-ip"),
    Reported("the NAT instance does not forward", ISOLATED, "tcp.nat-device"),
    Reported("public subnet and address, and an ACL that drops the answers", ISOLATED, "tcp.nacl"),
    Reported(
        "an address of a VPC that does not look private, silent",
        World({"ecr.dkr": Host(("20.10.1.141",), tcp=SILENT)}, planned={"vpc_cidrs": ("20.10.0.0/16",)}),
        "tcp.security-group",
        "first",
    ),
    Reported(
        "172.40.x.x inside the VPC, silent",
        World({"ecr.api": Host(("172.40.1.94",), tcp=SILENT)}, planned={"vpc_cidrs": ("172.40.0.0/16",)}),
        "tcp.security-group",
        "first",
    ),
    Reported("the endpoints' group was changed and admits nobody", CLOSED, "tcp.security-group", "first"),
    Reported("the default group has no way out", World(hosts(*ALL, "s3", tcp=SILENT)), "tcp.security-group", "first"),
    Reported(
        "443 is open, DNS to a resolver of our own is not",
        World(all_hosts(private, answer=Failure.NO_ANSWER, server=CUSTOM, control=PUBLIC["logs"])),
        "tcp.security-group",
    ),
    Reported("the task's way out lists the endpoints' group and not S3", S3_SILENT, "tcp.security-group-s3-egress"),
    Reported("all ways out closed but those to the endpoints", S3_SILENT, "tcp.security-group-s3-egress"),
    Reported("across subnets everything is lost, within one it works", CLOSED, "tcp.nacl"),
    Reported(
        "some targets always answer, some never, by the zone they are in",
        World(hosts("ecr.dkr", tcp={"10.0.2.11": SILENT})),
        "tcp.nacl",
        "first",
    ),
    Reported(
        "one zone has no working interface", World(hosts("ecr.dkr", tcp={"10.0.2.11": SILENT})), "tcp.az-without-eni"
    ),
    Reported(
        "IPv6-only ways out, and api.ecr has IPv4 alone",
        World(
            {"ecr.api": Host(PUBLIC["ecr.api"], tcp=Failure.UNREACHABLE)}, around={"addresses": (f"{GLOBAL_IPV6}77",)}
        ),
        "region.ipv6-unsupported-endpoint",
        "confirmed",
    ),
    Reported(
        "dual-stack subnet without public IPv4: the token call goes to IPv4",
        World({"ecr.api": public("ecr.api", tcp=SILENT)}, around={"addresses": ("10.0.1.77", f"{GLOBAL_IPV6}77")}),
        "region.ipv6-unsupported-endpoint",
    ),
    Reported(
        "TCP is fine and the handshake never ends, behind a tunnel",
        World(hosts("ecr.dkr", tls=Failure.TLS_STALL)),
        "path.mtu",
        "first",
    ),
    Reported("the download hangs after the first bytes", world(layer=Reply(Failure.STALLED)), "path.mtu"),
    Reported("a large download breaks off", world(layer=Reply(Failure.TRUNCATED)), "path.transfer-broken", "first"),
    Reported(
        "the handshake stalls, and nobody ever found out why",
        World(hosts("ecr.dkr", tls=Failure.TLS_STALL)),
        "path.egress-firewall",
    ),
    Reported(
        "the firewall's list lacks a host: reset at its name",
        World(hosts("s3", tls=Failure.TLS_RESET)),
        "path.egress-firewall",
        "first",
    ),
    Reported(
        "the firewall answers with a page for people",
        world(token=Reply(Failure.NOT_AWS, 503, aws=False)),
        "path.egress-firewall",
        "first",
    ),
    Reported(
        "a page in the place of the layer, 403",
        world(layer=Reply(Failure.NOT_AWS, 403, aws=False)),
        "path.egress-firewall",
        "first",
    ),
    Reported(
        "the proxy gets the requests for credentials",
        World(proxies=ProxySeen(variables=("HTTP_PROXY",), bypassed=False, uncovered=("169.254.170.2",))),
        "path.proxy",
        "first",
    ),
    Reported(
        "the agent has a proxy and no exceptions",
        World(
            proxies=ProxySeen(variables=("https_proxy",), bypassed=False, uncovered=("ecs-a.eu-west-1.amazonaws.com",))
        ),
        "path.proxy",
        "first",
    ),
    Reported(
        "certificates of the company's inspection",
        World(hosts("ecr.dkr", tls=Failure.UNTRUSTED, certificate={"issuer": "O=Corp", "issuer_organization": "Corp"})),
        "tls.interception",
        "confirmed",
    ),
    Reported(
        "an old builder image does not know the authorities",
        World(hosts("ecr.dkr", tls=Failure.UNTRUSTED)),
        "tls.ca-bundle",
        "confirmed",
    ),
)

"""Reported failures of connections, TLS and transfers."""

from __future__ import annotations

from probe.model import Failure, ProxySeen
from tests.faults.expectation import Reported
from tests.faults.expected_answers import run_with
from tests.faults.expected_names import ALL, all_hosts
from tests.faults.expected_network import EVERYTHING, hosts
from tests.faults.fake_hosts import CUSTOM, GLOBAL_IPV6, PUBLIC, Host, Reply, private, public
from tests.faults.fake_run import FakeRun
from tests.faults.reported_names import ISOLATED, S3_SILENT, SILENT

CLOSED = FakeRun(hosts(*ALL, tcp=SILENT))
CONNECTIONS = (
    Reported("private subnet, no NAT, no endpoints", ISOLATED, "tcp.no-route"),
    Reported("an internet gateway is attached, but no route leads to it", ISOLATED, "tcp.no-route"),
    Reported("a host without any route", FakeRun(hosts(*ALL, "s3", tcp=Failure.UNREACHABLE)), "tcp.no-route", "first"),
    Reported("public subnet without public address", ISOLATED, "tcp.no-public-ip"),
    Reported("the NAT instance does not forward", ISOLATED, "tcp.nat-device"),
    Reported("public subnet and address, and a network ACL that drops the answers", ISOLATED, "tcp.nacl"),
    Reported(
        "an address of a VPC that does not look private, silent",
        FakeRun({"ecr.dkr": Host(("20.10.1.141",), tcp=SILENT)}, planned={"vpc_cidrs": ("20.10.0.0/16",)}),
        "tcp.security-group",
        "first",
    ),
    Reported(
        "172.40.x.x inside the VPC, silent",
        FakeRun({"ecr.api": Host(("172.40.1.94",), tcp=SILENT)}, planned={"vpc_cidrs": ("172.40.0.0/16",)}),
        "tcp.security-group",
        "first",
    ),
    Reported("the endpoints' security group was changed and allows no source", CLOSED, "tcp.security-group", "first"),
    Reported(
        "the default security group allows nothing out",
        FakeRun(hosts(*ALL, "s3", tcp=SILENT)),
        "tcp.security-group",
        "first",
    ),
    Reported(
        "443 is allowed out, DNS to a custom resolver is not",
        FakeRun(all_hosts(private, answer=Failure.NO_ANSWER, server=CUSTOM, control=PUBLIC["logs"])),
        "tcp.security-group",
    ),
    Reported(
        "the task's security group allows the endpoints' group out, but not S3",
        S3_SILENT,
        "tcp.security-group-s3-egress",
    ),
    Reported("the task's security group allows only the endpoints out", S3_SILENT, "tcp.security-group-s3-egress"),
    Reported("connections to another subnet are lost, within the subnet they work", CLOSED, "tcp.nacl"),
    Reported(
        "some targets always answer, some never, by the zone they are in",
        FakeRun(hosts("ecr.dkr", tcp={"10.0.2.11": SILENT})),
        "tcp.nacl",
        "first",
    ),
    Reported(
        "one zone has no working interface", FakeRun(hosts("ecr.dkr", tcp={"10.0.2.11": SILENT})), "tcp.az-without-eni"
    ),
    Reported(
        "IPv6-only routes, and api.ecr has only IPv4 addresses",
        FakeRun(
            {"ecr.api": Host(PUBLIC["ecr.api"], tcp=Failure.UNREACHABLE)}, around={"addresses": (f"{GLOBAL_IPV6}77",)}
        ),
        "region.ipv6-unsupported-endpoint",
        "confirmed",
    ),
    Reported(
        "dual-stack subnet without public IPv4: the token call goes to IPv4",
        FakeRun({"ecr.api": public("ecr.api", tcp=SILENT)}, around={"addresses": ("10.0.1.77", f"{GLOBAL_IPV6}77")}),
        "region.ipv6-unsupported-endpoint",
    ),
    Reported(
        "TCP connects and the handshake never ends, behind a tunnel",
        FakeRun(hosts("ecr.dkr", tls=Failure.TLS_STALL)),
        "path.mtu",
        "first",
    ),
    Reported("the download hangs after the first bytes", run_with(layer=Reply(Failure.STALLED)), "path.mtu"),
    Reported("a large download is cut off", run_with(layer=Reply(Failure.TRUNCATED)), "path.transfer-broken", "first"),
    Reported(
        "the handshake stalls, for a reason that was never found",
        FakeRun(hosts("ecr.dkr", tls=Failure.TLS_STALL)),
        "path.egress-firewall",
    ),
    Reported(
        "the firewall's list lacks a host, and it resets the ClientHello",
        FakeRun(hosts("s3", tls=Failure.TLS_RESET)),
        "path.egress-firewall",
        "first",
    ),
    Reported(
        "the firewall answers with a block page",
        run_with(token=Reply(Failure.NOT_AWS, 503, aws=False)),
        "path.egress-firewall",
        "first",
    ),
    Reported(
        "a block page instead of the layer, 403",
        run_with(layer=Reply(Failure.NOT_AWS, 403, aws=False)),
        "path.egress-firewall",
        "first",
    ),
    Reported(
        "the proxy gets the requests for credentials",
        FakeRun(proxies=ProxySeen(variables=("HTTP_PROXY",), bypassed=False, uncovered=("169.254.170.2",))),
        "path.proxy",
        "first",
    ),
    Reported(
        "the agent has a proxy and no NO_PROXY",
        FakeRun(
            proxies=ProxySeen(variables=("https_proxy",), bypassed=False, uncovered=("ecs-a.eu-west-1.amazonaws.com",))
        ),
        "path.proxy",
        "first",
    ),
    Reported(
        "certificates of the company's inspection",
        FakeRun(
            hosts("ecr.dkr", tls=Failure.UNTRUSTED, certificate={"issuer": "O=Corp", "issuer_organization": "Corp"})
        ),
        "tls.interception",
        "confirmed",
    ),
    Reported(
        "an old builder image lacks the certificate authorities",
        FakeRun(hosts(*EVERYTHING, tls=Failure.UNTRUSTED)),
        "tls.ca-bundle",
        "confirmed",
    ),
)

"""Packets that are dropped, refused or lost: groups, ACLs, routes, firewalls, links."""

from __future__ import annotations

from probe.sim.changes import (
    acl_drops,
    all_of,
    closed_security_groups,
    damaged_bodies,
    egress_only,
    middlebox,
    vpc_with,
    with_nat,
    without_gateway,
    without_gateway_route,
)
from probe.sim.http import Damage
from probe.sim.listeners import ClosedPort, ResetOnClientHello, SilentServer
from probe.sim.network import Treatment
from probe.sim.scenarios.healthy import EC2_AWSVPC
from probe.sim.scenarios.scenario import scenario
from probe.sim.vpc import VPC

CORE = ("ecr.api", "ecr.dkr", "logs")
INSTANCE = "10.0.1.20/32"


def _instances_only(vpc: VPC) -> None:
    """The endpoints' groups admit the instance's group and not the tasks'."""
    for endpoint in vpc.endpoints.values():
        endpoint.allowed_sources = [INSTANCE]


def _s3_interface_without_dns(vpc: VPC) -> None:
    vpc.gateway = None
    vpc.add_endpoint("s3", private_dns=False)


def _transparent_proxy(vpc: VPC) -> None:
    vpc.network.transparent_proxy = True


NETWORK = (
    scenario(
        "security-group",
        "The endpoints' security group does not admit the task.",
        closed_security_groups(*CORE),
        findings={"tcp.silent": "tcp.security-group"},
    ),
    scenario(
        "security-group-dkr",
        "Only the ecr.dkr endpoint has a group that does not admit the task.",
        closed_security_groups("ecr.dkr"),
        findings={"tcp.silent": "tcp.security-group"},
    ),
    scenario(
        "security-group-logs",
        "Only the group of the logs endpoint is closed: the pull works, the log driver stops the task.",
        closed_security_groups("logs"),
        findings={"tcp.silent": "tcp.security-group"},
        pull="works",
    ),
    scenario(
        "ec2-awsvpc-instances-only",
        "EC2 awsvpc: the endpoints admit instances, not tasks. Pulls work, and this path does not.",
        all_of(EC2_AWSVPC, _instances_only),
        findings={"tcp.silent": "tcp.security-group", "path.not-the-pull": None},
        pull="unproven",
    ),
    scenario(
        "central-endpoints-silent",
        "Central endpoints behind a transit gateway: packets get lost on the way there.",
        all_of(vpc_with(central=True), closed_security_groups(*CORE)),
        findings={"tcp.silent": "tcp.security-group"},
        arguments=("--vpc-cidr", "10.0.0.0/16"),
    ),
    scenario(
        "task-egress-closed",
        "The task's own group lets nothing out.",
        egress_only(),
        findings={"tcp.silent": "tcp.security-group", "s3.silent": "endpoint.missing.s3"},
        s3_reached=False,
    ),
    scenario(
        "s3-egress",
        "The task's group lets 443 out to the VPC only; S3's prefix list is missing.",
        egress_only("10.0.0.0/16"),
        findings={"s3.silent": "endpoint.missing.s3"},
        s3_reached=False,
    ),
    scenario(
        "s3-gateway-missing",
        "Nobody created the S3 gateway endpoint: the manifest comes, the layers do not.",
        without_gateway,
        findings={"s3.silent": "endpoint.missing.s3"},
        s3_reached=False,
    ),
    scenario(
        "s3-route-table",
        "The gateway endpoint exists, this subnet's route table is not one of its own.",
        without_gateway_route,
        findings={"s3.silent": "endpoint.missing.s3"},
        s3_reached=False,
    ),
    scenario(
        "s3-interface-without-dns",
        "S3 has an interface endpoint without private DNS in place of a gateway.",
        _s3_interface_without_dns,
        findings={"s3.silent": "endpoint.missing.s3"},
        s3_reached=False,
    ),
    scenario(
        "s3-through-nat",
        "No gateway endpoint, but a NAT gateway: layers come over the Internet, and the wire cannot tell.",
        all_of(without_gateway, with_nat),
        status="pass",
        pull="works",
    ),
    scenario(
        "s3-through-nat-no-controls",
        "The same without control connections: even less can be told.",
        all_of(without_gateway, with_nat),
        status="pass",
        pull="works",
        arguments=("--no-controls",),
    ),
    scenario(
        "nacl-one-zone",
        "A network ACL cuts off the other zone's subnet: one address of each endpoint is silent.",
        acl_drops("10.0.2.0/24"),
        findings={"tcp.partly-silent": "tcp.nacl"},
        status="degraded",
        pull="works",
    ),
    scenario(
        "nacl-s3",
        "A network ACL admits the VPC only, and S3's addresses are public.",
        acl_drops("52.216.0.0/15"),
        findings={"s3.silent": "endpoint.missing.s3"},
        s3_reached=False,
    ),
    scenario(
        "firewall-refuses",
        "A firewall answers in S3's name that nobody listens.",
        middlebox("s3", behaviour=ClosedPort()),
        findings={"tcp.refused": "path.egress-firewall"},
        s3_reached=False,
    ),
    scenario(
        "firewall-prohibits",
        "A firewall before the endpoints answers that communication is prohibited.",
        middlebox(*CORE, behaviour=Treatment.PROHIBIT),
        findings={"tcp.refused": "path.egress-firewall"},
    ),
    scenario(
        "firewall-unreachable",
        "A router before S3 answers that the host cannot be reached.",
        middlebox("s3", behaviour=Treatment.UNREACHABLE),
        findings={"tcp.refused": "path.egress-firewall"},
        s3_reached=False,
    ),
    scenario(
        "firewall-resets-hello",
        "A firewall reads the server name in the ClientHello and tears the connection down.",
        middlebox("ecr.dkr", behaviour=ResetOnClientHello()),
        findings={"tls.reset": "path.egress-firewall"},
    ),
    scenario(
        "firewall-closes-hello",
        "The same with a polite end of the connection.",
        middlebox("ecr.api", behaviour=ResetOnClientHello(with_fin=True)),
        findings={"tls.reset": "path.egress-firewall"},
    ),
    scenario(
        "mtu",
        "Large packets get lost on the way: TCP connects, the certificate never comes.",
        middlebox(*CORE, behaviour=SilentServer()),
        findings={"tls.silent": "path.mtu"},
    ),
    scenario(
        "transfer-cut",
        "Layer bodies end in the middle.",
        damaged_bodies("s3", Damage.CUT),
        findings={"path.transfer-broken": "path.transfer-broken"},
    ),
    scenario(
        "transfer-reset",
        "Layer bodies are reset in the middle.",
        damaged_bodies("s3", Damage.RESET),
        findings={"path.transfer-broken": "path.transfer-broken"},
    ),
    scenario(
        "transfer-frozen",
        "Layer bodies stop in the middle, and the connection stays open.",
        damaged_bodies("s3", Damage.FREEZE),
        findings={"path.transfer-broken": "path.transfer-broken"},
    ),
    scenario(
        "transfer-trickles",
        "Layer bytes come one at a time: never silent, never done.",
        damaged_bodies("s3", Damage.TRICKLE),
        findings={"probe.deadline": None},
        status="inconclusive",
        pull="unproven",
        arguments=("--deadline", "3"),
    ),
    scenario(
        "transparent-proxy",
        "Something answers for every address there is, also for one that nobody has.",
        _transparent_proxy,
        findings={"path.proxy": "path.proxy"},
        status="degraded",
        pull="works",
    ),
)

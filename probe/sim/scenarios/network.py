"""Dropped, refused or lost packets: security groups, ACLs, routes, firewalls, links."""

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


def _allow_instances_only(vpc: VPC) -> None:
    """The endpoints' security groups allow the instance, but not its tasks."""
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
        "The endpoints' security group does not allow the task in.",
        closed_security_groups(*CORE),
        findings={"tcp.silent": "tcp.security-group"},
    ),
    scenario(
        "security-group-dkr",
        "Only the security group of the ecr.dkr endpoint does not allow the task in.",
        closed_security_groups("ecr.dkr"),
        findings={"tcp.silent": "tcp.security-group"},
    ),
    scenario(
        "security-group-logs",
        "Only the security group of the logs endpoint blocks the task: the pull works, but the log driver fails.",
        closed_security_groups("logs"),
        findings={"tcp.silent": "tcp.security-group"},
        pull="works",
    ),
    scenario(
        "ec2-awsvpc-instances-only",
        "EC2 in awsvpc mode: the endpoints allow instances but not tasks. Pulls work, this network path does not.",
        all_of(EC2_AWSVPC, _allow_instances_only),
        findings={"tcp.silent": "tcp.security-group", "path.not-the-pull": None},
        pull="unproven",
    ),
    scenario(
        "central-endpoints-silent",
        "Central endpoints behind a transit gateway that drops the packets.",
        all_of(vpc_with(central=True), closed_security_groups(*CORE)),
        findings={"tcp.silent": "tcp.security-group"},
        arguments=("--vpc-cidr", "10.0.0.0/16"),
    ),
    scenario(
        "task-egress-closed",
        "The task's security group allows no outbound traffic.",
        egress_only(),
        findings={"tcp.silent": "tcp.security-group", "s3.silent": "endpoint.missing.s3"},
        s3_reached=False,
    ),
    scenario(
        "s3-egress",
        "The task's security group allows 443 to the VPC only; the S3 prefix list is missing.",
        egress_only("10.0.0.0/16"),
        findings={"s3.silent": "endpoint.missing.s3"},
        s3_reached=False,
    ),
    scenario(
        "s3-gateway-missing",
        "The S3 gateway endpoint is missing: the manifest arrives, the layers do not.",
        without_gateway,
        findings={"s3.silent": "endpoint.missing.s3"},
        s3_reached=False,
    ),
    scenario(
        "s3-route-table",
        "The S3 gateway endpoint is not associated with this subnet's route table.",
        without_gateway_route,
        findings={"s3.silent": "endpoint.missing.s3"},
        s3_reached=False,
    ),
    scenario(
        "s3-interface-without-dns",
        "S3 has an interface endpoint without private DNS instead of a gateway endpoint.",
        _s3_interface_without_dns,
        findings={"s3.silent": "endpoint.missing.s3"},
        s3_reached=False,
    ),
    scenario(
        "s3-through-nat",
        "No S3 gateway endpoint but a NAT gateway: layers arrive over the internet, which looks the same on the wire.",
        all_of(without_gateway, with_nat),
        status="pass",
        pull="works",
    ),
    scenario(
        "s3-through-nat-no-controls",
        "No S3 gateway endpoint but a NAT gateway, measured without control connections.",
        all_of(without_gateway, with_nat),
        status="pass",
        pull="works",
        arguments=("--no-controls",),
    ),
    scenario(
        "nacl-one-zone",
        "A network ACL blocks the subnet in the other zone: one address of each endpoint does not answer.",
        acl_drops("10.0.2.0/24"),
        findings={"tcp.partly-silent": "tcp.nacl"},
        status="degraded",
        pull="works",
    ),
    scenario(
        "nacl-s3",
        "A network ACL allows the VPC only, but S3's addresses are public.",
        acl_drops("52.216.0.0/15"),
        findings={"s3.silent": "endpoint.missing.s3"},
        s3_reached=False,
    ),
    scenario(
        "firewall-refuses",
        "A firewall refuses connections to S3.",
        middlebox("s3", behaviour=ClosedPort()),
        findings={"tcp.refused": "path.egress-firewall"},
        s3_reached=False,
    ),
    scenario(
        "firewall-prohibits",
        "A firewall in front of the endpoints answers that communication is prohibited.",
        middlebox(*CORE, behaviour=Treatment.PROHIBIT),
        findings={"tcp.refused": "path.egress-firewall"},
    ),
    scenario(
        "firewall-unreachable",
        "A router in front of S3 answers that the host is unreachable.",
        middlebox("s3", behaviour=Treatment.UNREACHABLE),
        findings={"tcp.refused": "path.egress-firewall"},
        s3_reached=False,
    ),
    scenario(
        "firewall-resets-hello",
        "A firewall reads the server name in the ClientHello and resets the connection.",
        middlebox("ecr.dkr", behaviour=ResetOnClientHello()),
        findings={"tls.reset": "path.egress-firewall"},
    ),
    scenario(
        "firewall-closes-hello",
        "A firewall reads the server name in the ClientHello and closes the connection.",
        middlebox("ecr.api", behaviour=ResetOnClientHello(with_fin=True)),
        findings={"tls.reset": "path.egress-firewall"},
    ),
    scenario(
        "mtu",
        "Large packets are lost on the way: TCP connects, but the certificate never arrives.",
        middlebox(*CORE, behaviour=SilentServer()),
        findings={"tls.silent": "path.mtu"},
    ),
    scenario(
        "transfer-cut",
        "Layer downloads end in the middle.",
        damaged_bodies("s3", Damage.CUT),
        findings={"path.transfer-broken": "path.transfer-broken"},
    ),
    scenario(
        "transfer-reset",
        "Layer downloads are reset in the middle.",
        damaged_bodies("s3", Damage.RESET),
        findings={"path.transfer-broken": "path.transfer-broken"},
    ),
    scenario(
        "transfer-frozen",
        "Layer downloads stop in the middle, and the connection stays open.",
        damaged_bodies("s3", Damage.FREEZE),
        findings={"path.transfer-broken": "path.transfer-broken"},
    ),
    scenario(
        "transfer-trickles",
        "Layers arrive one byte at a time: the download never stalls and never ends.",
        damaged_bodies("s3", Damage.TRICKLE),
        findings={"probe.deadline": None},
        status="inconclusive",
        pull="unproven",
        arguments=("--deadline", "3"),
    ),
    scenario(
        "transparent-proxy",
        "A transparent proxy accepts connections to every address, even to one that no host has.",
        _transparent_proxy,
        findings={"path.proxy": "path.proxy"},
        status="degraded",
        pull="works",
    ),
)

"""DHCP options and the VPC's DNS attributes: which resolver is asked, and whether it answers for private names."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from probe.model import Failure, GateAnswer, GateName
from tests.gates.resolution import (
    API,
    HUB,
    VPC,
    add_hub,
    add_rule,
    add_zone,
    addresses,
    alias,
    answer_of,
    endpoint_item,
    mended,
    own,
    refusal,
    resolved,
    without_endpoint,
)
from tests.inspect.vpc import Account, healthy_vpc

DHCP, ATTRIBUTES = GateName.DHCP_OPTIONS, GateName.VPC_DNS_ATTRIBUTES


def hands_out(account: Account, *servers: str) -> None:
    (options,) = own(account, "ec2", "DhcpOptions")
    options["DhcpConfigurations"] = [
        {"Key": "domain-name", "Values": [{"Value": "ec2.internal"}]},
        *([{"Key": "domain-name-servers", "Values": [{"Value": server} for server in servers]}] if servers else []),
    ]


def vpc_of(account: Account) -> dict[str, object]:
    return own(account, "ec2", "Vpcs")[0]


SERVERS = {
    "AmazonProvidedDNS": (("AmazonProvidedDNS",), GateAnswer.ALLOWS),
    "in other letters": (("amazonprovideddns",), GateAnswer.ALLOWS),
    "its address in every VPC": (("169.254.169.253",), GateAnswer.ALLOWS),
    "its address over IPv6": (("fd00:ec2::253",), GateAnswer.ALLOWS),
    "its address in this VPC, base plus two": (("10.0.0.2",), GateAnswer.ALLOWS),
    "base plus two of another VPC": (("10.1.0.2",), GateAnswer.DEPENDS),
    "a server of one's own": (("10.9.0.2",), GateAnswer.DEPENDS),
    "the VPC's first, another second": (("AmazonProvidedDNS", "10.9.0.2"), GateAnswer.ALLOWS),
    "another first, the VPC's second": (("10.9.0.2", "AmazonProvidedDNS"), GateAnswer.DEPENDS),
    "no servers": ((), GateAnswer.DEPENDS),
}


@pytest.mark.parametrize("case", SERVERS)
def test_the_first_server_of_the_dhcp_options_decides(case: str) -> None:
    servers, answer = SERVERS[case]
    account = healthy_vpc()
    hands_out(account, *servers)
    resolution = resolved(account)
    opinion = answer_of(resolution, DHCP)
    assert (opinion.answer, opinion.object) == (answer, "dopt-0a000000")
    assert addresses(resolution) == ["10.0.1.10"]  # as if a custom server forwarded to the VPC's resolver


@pytest.mark.parametrize("options", ["default", None])
def test_a_vpc_without_dhcp_options_depends_on_the_host(options: str | None) -> None:
    account = healthy_vpc()
    vpc_of(account)["DhcpOptionsId"] = options
    assert answer_of(resolved(account), DHCP).answer is GateAnswer.DEPENDS


def test_a_custom_server_is_a_possible_cause_and_names_its_addresses() -> None:
    account = healthy_vpc()
    hands_out(account, "10.9.0.2", "10.9.0.3")
    opinion = answer_of(resolved(account), DHCP)
    assert (opinion.cause, opinion.element) == ("dns.custom-resolver", "domain-name-servers 10.9.0.2, 10.9.0.3")


def test_behind_a_custom_server_nothing_refuses() -> None:
    account = healthy_vpc()
    hands_out(account, "10.9.0.2")
    endpoint_item(account, "ecr.api")["PrivateDnsEnabled"] = False
    resolution = resolved(account)
    assert answer_of(resolution, GateName.PRIVATE_DNS).answer is GateAnswer.DEPENDS
    assert (resolution.public, resolution.failure, resolution.addresses) == (False, None, ())


@pytest.mark.parametrize("denied", ["ec2:DescribeVpcs", "ec2:DescribeDhcpOptions"])
def test_dhcp_options_that_cannot_be_read_are_unknown(denied: str) -> None:
    account = healthy_vpc()
    account.denied.add(denied)
    opinion = answer_of(resolved(account), DHCP)
    assert (opinion.answer, opinion.missing) == (GateAnswer.UNKNOWN, denied)


@pytest.mark.parametrize("private_dns", [True, False])
def test_an_inbound_endpoint_of_resolver_is_followed_into_its_vpc(private_dns: bool) -> None:
    account = healthy_vpc()
    without_endpoint(account)
    hands_out(account, "10.9.0.53")
    add_hub(account, private_dns=private_dns)
    _connect_hub(account)
    resolution = resolved(account)
    assert answer_of(resolution, DHCP).allows
    if private_dns:
        assert addresses(resolution) == ["10.9.1.10"]
        assert resolution.served_by == "vpce-0b000001"
    else:
        assert refusal(resolution).object == "vpce-0b000001"
        assert addresses(mended(account)) == ["10.9.1.10"]


def _connect_hub(account: Account) -> None:
    """A peering connection with the hub, whose inbound endpoint admits queries."""
    to_hub, back = (
        {"DestinationCidrBlock": cidr, "VpcPeeringConnectionId": "pcx-0a000000", "State": "active"}
        for cidr in ("10.9.0.0/16", "10.0.0.0/16")
    )
    account.object("rtb-0a000000")["Routes"].append(to_hub)
    table = {"RouteTableId": "rtb-0b000000", "VpcId": HUB, "Associations": [{"Main": True}], "Routes": [back]}
    own(account, "ec2", "RouteTables").append(table)
    sides = {"RequesterVpcInfo": {"VpcId": VPC}, "AccepterVpcInfo": {"VpcId": HUB}}
    peering = {"VpcPeeringConnectionId": "pcx-0a000000", "Status": {"Code": "active"}, **sides}
    own(account, "ec2", "VpcPeeringConnections").append(peering)
    acl = own(account, "ec2", "NetworkAcls")[0]
    acl_of_hub = {**acl, "NetworkAclId": "acl-0b000000", "VpcId": HUB, "Associations": []}
    own(account, "ec2", "NetworkAcls").append(acl_of_hub)
    queries = {"IpProtocol": "udp", "FromPort": 53, "ToPort": 53, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
    group = {"GroupId": "sg-0b000053", "VpcId": HUB, "IpPermissions": [queries]}
    own(account, "ec2", "SecurityGroups").append(group)
    own(account, "ec2", "NetworkInterfaces").append(
        {
            "NetworkInterfaceId": "eni-0b000053",
            "VpcId": HUB,
            "SubnetId": "subnet-0b000053",
            "Groups": [{"GroupId": "sg-0b000053"}],
            "PrivateIpAddress": "10.9.0.53",
            "PrivateIpAddresses": [{"PrivateIpAddress": "10.9.0.53"}],
        }
    )


HTTPS_ALONE = [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
DNS_BY_UDP = [{"IpProtocol": "17", "FromPort": 53, "ToPort": 53, "IpRanges": [{"CidrIp": "10.9.0.0/24"}]}]


def _without_route(account: Account) -> None:
    account.object("rtb-0a000000")["Routes"].pop()


def _closed(account: Account) -> None:
    account.object("sg-0b000053")["IpPermissions"] = []


def _https_alone(account: Account) -> None:
    account.object("sg-0a000000")["IpPermissionsEgress"] = HTTPS_ALONE


@pytest.mark.parametrize(
    ("change", "at_fault"),
    [(_https_alone, "sg-0a000000"), (_without_route, "rtb-0a000000"), (_closed, "sg-0b000053")],
)
def test_queries_to_another_server_than_amazons_need_a_way(change: Callable[[Account], None], at_fault: str) -> None:
    account = healthy_vpc()
    hands_out(account, "10.9.0.53")
    add_hub(account, private_dns=True)
    _connect_hub(account)
    account.object("sg-0a000000")["IpPermissionsEgress"] = HTTPS_ALONE + DNS_BY_UDP
    assert answer_of(resolved(account), DHCP).allows
    change(account)
    resolution = resolved(account)
    opinion = refusal(resolution)
    assert (opinion.gate, opinion.cause, opinion.object) == (DHCP, "dns.resolver-unreachable", at_fault)
    assert (resolution.failure, resolution.server) == (Failure.NO_ANSWER, "10.9.0.53")
    if opinion.change is not None:
        assert answer_of(mended(account), DHCP).allows


# ---- the VPC's DNS attributes ---------------------------------------------------------------------------------------


def test_without_dns_support_the_resolver_answers_nothing() -> None:
    account = healthy_vpc()
    vpc_of(account)["_enableDnsSupport"] = False
    for name in ("ecr.api", "s3"):
        resolution = resolved(account, name)
        opinion = refusal(resolution)
        assert (opinion.gate, opinion.cause) == (ATTRIBUTES, "dns.vpc-attributes-off")
        assert (opinion.object, opinion.element) == (VPC, "enableDnsSupport")
        assert resolution.failure is Failure.NO_ANSWER
    assert addresses(mended(account)) == ["10.0.1.10"]


def test_without_dns_hostnames_private_dns_that_is_on_does_not_answer() -> None:
    account = healthy_vpc()
    vpc_of(account)["_enableDnsHostnames"] = False
    resolution = resolved(account)
    assert (refusal(resolution).cause, refusal(resolution).element) == ("dns.vpc-attributes-off", "enableDnsHostnames")
    assert resolution.public
    assert addresses(mended(account)) == ["10.0.1.10"]


def test_without_dns_hostnames_an_own_zone_does_not_answer_either() -> None:
    account = healthy_vpc()
    endpoint_item(account, "ecr.api")["PrivateDnsEnabled"] = False
    add_zone(account, API, alias(API, "vpce-0e000001"))
    vpc_of(account)["_enableDnsHostnames"] = False
    assert refusal(resolved(account)).gate is ATTRIBUTES


def test_without_dns_hostnames_the_public_name_of_s3_still_resolves() -> None:
    account = healthy_vpc()
    vpc_of(account)["_enableDnsHostnames"] = False
    resolution = resolved(account, "s3")
    assert answer_of(resolution, ATTRIBUTES).allows
    assert resolution.public


def test_without_dns_hostnames_a_rule_of_the_hub_still_forwards() -> None:
    account = healthy_vpc()
    without_endpoint(account)
    vpc_of(account)["_enableDnsHostnames"] = False
    add_hub(account, private_dns=True)
    add_rule(account, API, "10.9.0.53")
    assert addresses(resolved(account)) == ["10.9.1.10"]


def test_attributes_that_cannot_be_read_are_unknown() -> None:
    account = healthy_vpc()
    account.denied.add("ec2:DescribeVpcAttribute")
    opinion = answer_of(resolved(account), ATTRIBUTES)
    assert (opinion.answer, opinion.missing) == (GateAnswer.UNKNOWN, "ec2:DescribeVpcAttribute")

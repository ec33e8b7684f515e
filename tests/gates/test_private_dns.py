"""Private DNS of endpoints, and the endpoint: available, of this service and Region, with these address families."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from probe.faults import causes
from probe.gates.flow import Origin
from probe.gates.unserved_names import missing_cause
from probe.model import GateAnswer, GateName
from probe.records import replace
from tests.gates.resolution import (
    ACCOUNT,
    API,
    ORIGIN,
    REGION,
    REGISTRY,
    SUBNET,
    VPC,
    add_profile,
    addresses,
    answer_of,
    endpoint_item,
    mended,
    own,
    refusal,
    resolved,
    without_endpoint,
)
from tests.inspect.vpc import Account, healthy_vpc

Change = Callable[[Account], object]


def changed(name: str, **members: object) -> Change:
    return lambda account: endpoint_item(account, name).update(members)


@pytest.mark.parametrize(
    ("name", "address"), [("ecr.api", "10.0.1.10"), ("ecr.dkr", "10.0.1.11"), ("logs", "10.0.1.12")]
)
def test_private_dns_answers_with_the_interfaces_of_the_endpoint(name: str, address: str) -> None:
    resolution = resolved(healthy_vpc(), name)
    assert addresses(resolution) == [address]
    assert all(opinion.allows for opinion in resolution.opinions)
    assert [opinion.gate for opinion in resolution.opinions] == [
        GateName.DHCP_OPTIONS,
        GateName.VPC_DNS_ATTRIBUTES,
        GateName.RESOLVER_FIREWALL,
        GateName.RESOLVER_RULE,
        GateName.HOSTED_ZONE,
        GateName.PRIVATE_DNS,
        GateName.ENDPOINT,
    ]
    assert resolution.served_by == endpoint_item(healthy_vpc(), name)["VpcEndpointId"]


def test_in_a_region_that_no_table_lists_the_name_may_not_exist() -> None:
    opinion = answer_of(resolved(healthy_vpc(), "logs", region="us-esat-1"), GateName.ENDPOINT)
    assert (opinion.answer, opinion.element) == (GateAnswer.DEPENDS, "us-esat-1")
    assert refusal(resolved(healthy_vpc(), "logs", region="us-east-2")).cause == "logs.endpoint-missing"


def test_s3_is_public_by_design_and_nothing_refuses() -> None:
    resolution = resolved(healthy_vpc(), "s3")
    assert resolution.public
    assert all(opinion.allows for opinion in resolution.opinions)


# Change, endpoint, gate that refuses, cause, object, whether the proposed change makes the name resolve.
REFUSALS: dict[str, tuple[Change, str, GateName, str, str, bool]] = {
    "private DNS is off": (
        changed("ecr.api", PrivateDnsEnabled=False),
        "ecr.api", GateName.PRIVATE_DNS, "dns.private-dns-disabled", "vpce-0e000001", True,
    ),
    "there is no endpoint": (
        without_endpoint, "ecr.api", GateName.ENDPOINT, "endpoint.missing.ecr-api", VPC, True,
    ),
    "there is no endpoint of the registry": (
        lambda account: without_endpoint(account, "ecr.dkr"),
        "ecr.dkr", GateName.ENDPOINT, "endpoint.missing.ecr-dkr", VPC, True,
    ),
    "there is no endpoint of logs": (
        lambda account: without_endpoint(account, "logs"),
        "logs", GateName.ENDPOINT, "logs.endpoint-missing", VPC, True,
    ),
    "there is no endpoint of the agent": (
        lambda _: None, "ecs-agent", GateName.ENDPOINT, "ecs.control-plane-endpoints-missing", VPC, True,
    ),
    "the endpoint waits for acceptance, as the API spells it": (
        changed("ecr.api", State="pendingAcceptance"),
        "ecr.api", GateName.ENDPOINT, "endpoint.not-available", "vpce-0e000001", True,
    ),
    "the endpoint waits for acceptance, as the model spells it": (
        changed("ecr.api", State="PendingAcceptance"),
        "ecr.api", GateName.ENDPOINT, "endpoint.not-available", "vpce-0e000001", True,
    ),
    "the endpoint failed": (
        changed("ecr.api", State="failed", LastError={"Code": "x", "Message": "no free address"}),
        "ecr.api", GateName.ENDPOINT, "endpoint.not-available", "vpce-0e000001", True,
    ),
    "the endpoint was rejected": (
        changed("ecr.api", State="Rejected"),
        "ecr.api", GateName.ENDPOINT, "endpoint.not-available", "vpce-0e000001", True,
    ),
    "the endpoint is of another Region": (
        changed("ecr.api", ServiceName="com.amazonaws.eu-west-1.ecr.api", ServiceRegion="eu-west-1", DnsEntries=[]),
        "ecr.api", GateName.ENDPOINT, "endpoint.missing.ecr-api", VPC, True,
    ),
    "the endpoint was deleted": (
        changed("ecr.api", State="deleted"), "ecr.api", GateName.ENDPOINT, "endpoint.missing.ecr-api", VPC, True,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSALS)
def test_the_gate_that_keeps_the_name_public(case: str) -> None:
    change, name, gate, cause, identity, curable = REFUSALS[case]
    account = healthy_vpc()
    change(account)
    resolution = resolved(account, name)
    opinion = refusal(resolution)
    assert (opinion.gate, opinion.cause, opinion.object) == (gate, cause, identity)
    assert resolution.public
    assert (opinion.change is not None) is curable
    if curable:
        after = mended(account, name)
        assert after.addresses
        assert all(each.allows for each in after.opinions), after.opinions


@pytest.mark.parametrize("state", ["available", "Available", "partial"])
def test_an_endpoint_carries_traffic_in_these_states(state: str) -> None:
    account = healthy_vpc()
    changed("ecr.api", State=state)(account)
    assert addresses(resolved(account)) == ["10.0.1.10"]


def test_why_an_endpoint_failed_is_in_the_sentence() -> None:
    account = healthy_vpc()
    changed("ecr.api", State="failed", FailureReason="quota exceeded")(account)
    assert "quota exceeded" in refusal(resolved(account)).sentence


def test_a_service_of_another_region_is_named_where_it_is_the_only_one() -> None:
    account = healthy_vpc()
    changed("ecr.api", ServiceName="com.amazonaws.eu-west-1.ecr.api", DnsEntries=[])(account)
    assert "vpce-0e000001 serves com.amazonaws.eu-west-1.ecr.api" in refusal(resolved(account)).sentence


def test_an_image_of_another_region_without_an_endpoint_there() -> None:
    opinion = refusal(resolved(healthy_vpc(), "ecr.api", region="eu-west-1"))
    assert (opinion.cause, opinion.element) == ("region.cross-region", "com.amazonaws.eu-west-1.ecr.api")
    assert opinion.change is not None
    assert "--service-region eu-west-1" in opinion.change.advice(REGION).commands[0]


def test_a_cross_region_endpoint_serves_an_image_of_another_region() -> None:
    account = healthy_vpc()
    name = "api.ecr.eu-west-1.amazonaws.com"
    changed(
        "ecr.api",
        ServiceName="com.amazonaws.eu-west-1.ecr.api",
        ServiceRegion="eu-west-1",
        DnsEntries=[{"DnsName": name, "HostedZoneId": "Z1"}],
    )(account)
    resolution = resolved(account, "ecr.api", region="eu-west-1")
    assert addresses(resolution) == ["10.0.1.10"]
    assert "of eu-west-1" in answer_of(resolution, GateName.ENDPOINT).sentence


def test_an_endpoint_is_never_missing_in_a_vpc_of_another_account() -> None:
    account = healthy_vpc()
    without_endpoint(account)
    resolution = resolved(account, origin=replace(ORIGIN, owner="210987654321"))
    opinion = answer_of(resolution, GateName.ENDPOINT)
    assert opinion.answer is GateAnswer.UNKNOWN
    assert f"not visible from account {ACCOUNT}; ask 210987654321" in opinion.sentence
    assert not resolution.public
    assert not resolution.addresses


SHARED = replace(ORIGIN, owner="210987654321")


def test_in_a_vpc_of_another_account_rules_that_are_not_listed_are_unknown() -> None:
    resolution = resolved(healthy_vpc(), origin=SHARED)
    for gate in (GateName.RESOLVER_FIREWALL, GateName.RESOLVER_RULE):
        opinion = answer_of(resolution, gate)
        assert opinion.answer is GateAnswer.UNKNOWN
        assert "ask 210987654321, which owns the VPC" in opinion.sentence
    assert addresses(resolution) == ["10.0.1.10"]
    assert resolution.is_doubted


def test_in_a_vpc_of_another_account_private_dns_that_is_off_is_not_certain() -> None:
    account = healthy_vpc()
    changed("ecr.api", PrivateDnsEnabled=False)(account)
    resolution = resolved(account, origin=SHARED)
    assert answer_of(resolution, GateName.PRIVATE_DNS).answer is GateAnswer.DEPENDS
    assert not resolution.public


def test_endpoints_that_cannot_be_read_leave_the_name_unknown() -> None:
    account = healthy_vpc()
    account.denied.add("ec2:DescribeVpcEndpoints")
    resolution = resolved(account)
    opinion = answer_of(resolution, GateName.ENDPOINT)
    assert (opinion.answer, opinion.missing) == (GateAnswer.UNKNOWN, "ec2:DescribeVpcEndpoints")
    assert (resolution.public, resolution.addresses, resolution.failure) == (False, (), None)


# ---- names that private DNS covers ----------------------------------------------------------------------------------

COVERED = {
    "an exact name": ([API], "ecr.api", True),
    "a name with a final dot": ([f"{API}."], "ecr.api", True),
    "a wildcard": ([REGISTRY.replace(ACCOUNT, "*")], "ecr.dkr", True),
    "the parent of registries without a wildcard": ([REGISTRY.removeprefix(f"{ACCOUNT}.")], "ecr.dkr", False),
    "none but the endpoint's own name": ([f"vpce-0e000001-x1.api.ecr.{REGION}.vpce.amazonaws.com"], "ecr.api", True),
    "no names at all": ([], "ecr.dkr", True),
    "another host": ([f"ecr.{REGION}.api.aws"], "ecr.api", False),
}


@pytest.mark.parametrize("case", COVERED)
def test_private_dns_answers_for_the_names_that_the_endpoint_lists(case: str) -> None:
    names, name, covered = COVERED[case]
    account = healthy_vpc()
    changed(name, DnsEntries=[{"DnsName": each, "HostedZoneId": "Z1"} for each in names])(account)
    assert bool(resolved(account, name).addresses) is covered


@pytest.mark.parametrize("listed", [True, False])
def test_a_dual_stack_name_needs_an_endpoint_that_lists_it(listed: bool) -> None:
    account = healthy_vpc()
    if listed:
        endpoint_item(account, "ecr.api")["DnsEntries"].append({"DnsName": f"ecr.{REGION}.api.aws"})
    resolution = resolved(account, "ecr.api", dual_stack=True)
    assert bool(resolution.addresses) is listed
    if not listed:
        assert refusal(resolution).cause == "region.ipv6-unsupported-endpoint"


def test_private_dns_of_ecr_does_not_cover_the_name_of_old_clients() -> None:
    assert refusal(resolved(healthy_vpc(), "ecr-legacy")).cause == "client.legacy-hostname"


def _s3_interface(account: Account, **members: object) -> None:
    own(account, "ec2", "VpcEndpoints").append(
        {
            "VpcEndpointId": "vpce-0e000009",
            "VpcEndpointType": "Interface",
            "VpcId": VPC,
            "ServiceName": f"com.amazonaws.{REGION}.s3",
            "State": "available",
            "NetworkInterfaceIds": ["eni-0e000001"],
            "PrivateDnsEnabled": True,
            **members,
        }
    )


@pytest.mark.parametrize(
    ("members", "private"),
    [
        ({"DnsOptions": {"PrivateDnsOnlyForInboundResolverEndpoint": False}}, True),
        ({"DnsOptions": {"PrivateDnsOnlyForInboundResolverEndpoint": True}}, False),
        ({"PrivateDnsEnabled": False}, False),
        ({"VpcEndpointType": "Gateway"}, False),
    ],
)
def test_an_interface_endpoint_of_s3_answers_tasks_only_if_it_is_not_for_inbound_queries_alone(
    members: dict[str, object], private: bool
) -> None:
    account = healthy_vpc()
    _s3_interface(account, **members)
    resolution = resolved(account, "s3")
    assert (addresses(resolution), resolution.public) == ((["10.0.1.10"], False) if private else ([], True))
    assert all(opinion.allows for opinion in resolution.opinions)


# ---- address families -----------------------------------------------------------------------------------------------

IPV6_ORIGIN = replace(ORIGIN, ranges=("2001:db8:1:1::/64",))
DUAL_ORIGIN = replace(ORIGIN, ranges=("10.0.1.0/24", "2001:db8:1:1::/64"))
FAMILIES: dict[str, tuple[Origin, dict[str, object], list[str]]] = {
    "IPv4 of a dual-stack endpoint": (ORIGIN, {"IpAddressType": "dualstack"}, ["10.0.1.10"]),
    "both of a dual-stack endpoint": (DUAL_ORIGIN, {"IpAddressType": "dualstack"}, ["10.0.1.10", "2001:db8::10"]),
    "IPv6 of a dual-stack endpoint": (IPV6_ORIGIN, {"IpAddressType": "dualstack"}, ["2001:db8::10"]),
    "records of IPv4 alone": (
        DUAL_ORIGIN, {"IpAddressType": "dualstack", "DnsOptions": {"DnsRecordIpType": "ipv4"}}, ["10.0.1.10"],
    ),
    "records as the service defines them": (
        DUAL_ORIGIN, {"IpAddressType": "ipv4", "DnsOptions": {"DnsRecordIpType": "service-defined"}}, ["10.0.1.10"],
    ),
    "an IPv4 endpoint for a subnet of IPv6 alone": (IPV6_ORIGIN, {"IpAddressType": "ipv4"}, []),
    "records of IPv4 for a subnet of IPv6 alone": (
        IPV6_ORIGIN, {"IpAddressType": "dualstack", "DnsOptions": {"DnsRecordIpType": "ipv4"}}, [],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", FAMILIES)
def test_the_records_of_an_endpoint_have_its_address_families(case: str) -> None:
    origin, members, expected = FAMILIES[case]
    account = healthy_vpc()
    changed("ecr.api", **members)(account)
    account.object("eni-0e000001")["Ipv6Addresses"] = [{"Ipv6Address": "2001:db8::10"}]
    resolution = resolved(account, origin=origin)
    assert addresses(resolution) == (expected or ["10.0.1.10"])
    if not expected:
        opinion = refusal(resolution)
        assert (opinion.cause, opinion.object) == ("region.ipv6-unsupported-endpoint", "vpce-0e000001")
        assert addresses(mended(account, origin=origin)) == ["2001:db8::10"]


# ---- Profiles, the vocabulary, the calls ----------------------------------------------------------------------------


def test_a_profile_brings_the_private_names_of_a_central_endpoint() -> None:
    account = healthy_vpc()
    changed("ecr.api", VpcId="vpc-0b000000")(account)
    assert refusal(resolved(account)).gate is GateName.ENDPOINT
    add_profile(account, f"arn:aws:ec2:{REGION}:{ACCOUNT}:vpc-endpoint/vpce-0e000001")
    assert addresses(resolved(account)) == ["10.0.1.10"]


@pytest.mark.parametrize(
    "endpoint",
    ["ecr.api", "ecr.dkr", "s3", "logs", "ecs", "ecs-agent", "ecs-telemetry", "secretsmanager", "ssm", "kms"],
)
def test_a_missing_endpoint_has_the_cause_of_the_vocabulary(endpoint: str) -> None:
    assert missing_cause(endpoint) == causes.missing(endpoint).code


def test_a_new_endpoint_has_the_subnets_and_groups_of_those_that_exist() -> None:
    account = healthy_vpc()
    without_endpoint(account)
    change = refusal(resolved(account)).change
    assert change is not None
    assert change.advice(REGION).commands == (
        "aws ec2 create-vpc-endpoint --region us-east-1 --vpc-id vpc-0a000000 --vpc-endpoint-type Interface "
        "--service-name com.amazonaws.us-east-1.ecr.api --subnet-ids subnet-0a000000 "
        "--security-group-ids sg-0e000000 --private-dns-enabled",
    )


def test_the_first_endpoint_of_a_vpc_is_the_same_for_all_of_its_subnets() -> None:
    account = healthy_vpc()
    own(account, "ec2", "VpcEndpoints").clear()
    (subnet,) = own(account, "ec2", "Subnets")
    others = {"subnet-0a000001": "us-east-1a", "subnet-0b000000": "us-east-1b"}
    own(account, "ec2", "Subnets")[:0] = [
        subnet | {"SubnetId": identity, "AvailabilityZone": zone} for identity, zone in others.items()
    ]
    changes = {
        refusal(resolved(account, origin=replace(ORIGIN, subnet=identity))).change
        for identity in (SUBNET, "subnet-0b000000")
    }
    (change,) = changes
    assert change is not None
    assert "--subnet-ids subnet-0a000000 subnet-0b000000 " in change.advice(REGION).commands[0]
    assert mended(account).addresses


def test_one_healthy_name_needs_few_calls() -> None:
    account = healthy_vpc()
    resolved(account)
    assert len(account.calls) == len(set(account.calls)) + 1 <= 11  # one attribute of the VPC is a call of its own

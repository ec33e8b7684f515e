"""Private hosted zones: the most specific one answers alone, by record, wildcard, alias or CNAME, or hides the name."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from probe.configuration.view import MissingError, View
from probe.gates.hosted_zones import Answer, Zone, answer
from probe.model import Failure, GateAnswer, GateName
from probe.operator.reading import read
from probe.records import replace
from tests.gates.resolution import (
    API,
    HUB,
    ORIGIN,
    REGION,
    REGISTRIES,
    REGISTRY,
    VPC,
    Item,
    add_hub,
    add_profile,
    add_zone,
    addresses,
    alias,
    answer_of,
    endpoint_item,
    mended,
    own,
    plain_record,
    refusal,
    resolved,
    without_endpoint,
)
from tests.inspect.vpc import Account, healthy_vpc

GATE = GateName.HOSTED_ZONE
Change = Callable[[Account], object]
ECR_REGION = f"ecr.{REGION}.amazonaws.com"


def own_zone(name: str, *records: Item, service: str = "ecr.api") -> Account:
    """The VPC with an own zone in the place of an endpoint's private DNS."""
    account = healthy_vpc()
    endpoint_item(account, service)["PrivateDnsEnabled"] = False
    add_zone(account, name, *records)
    return account


# Zone, its records, endpoint, address, the record that answers.
ANSWERS: dict[str, tuple[str, tuple[Item, ...], str, str, str]] = {
    "an alias at the apex": (API, (alias(API, "vpce-0e000001"),), "ecr.api", "10.0.1.10", API),
    "an alias to the endpoint of one zone": (
        API, (alias(API, "vpce-0e000001", "api.ecr").copy(),), "ecr.api", "10.0.1.10", API,
    ),
    "an alias below a parent": (ECR_REGION, (alias(API, "vpce-0e000001"),), "ecr.api", "10.0.1.10", API),
    "addresses": (API, (plain_record(API, "10.0.1.10"),), "ecr.api", "10.0.1.10", API),
    "a CNAME": (
        ECR_REGION,
        (plain_record(API, f"vpce-0e000001-x1y2z3.api.ecr.{REGION}.vpce.amazonaws.com.", record="CNAME"),),
        "ecr.api", "10.0.1.10", API,
    ),
    "a wildcard for registries": (
        REGISTRIES,
        (alias(REGISTRIES, "vpce-0e000002", "dkr.ecr"), alias(f"*.{REGISTRIES}", "vpce-0e000002", "dkr.ecr")),
        "ecr.dkr", "10.0.1.11", f"*.{REGISTRIES}",
    ),
    "the record of one registry": (
        REGISTRIES, (alias(REGISTRY, "vpce-0e000002", "dkr.ecr"),), "ecr.dkr", "10.0.1.11", REGISTRY,
    ),
    "a zone of one registry": (
        REGISTRY, (alias(REGISTRY, "vpce-0e000002", "dkr.ecr"),), "ecr.dkr", "10.0.1.11", REGISTRY,
    ),
    "a wildcard far above": (
        "amazonaws.com", (alias("*.amazonaws.com", "vpce-0e000001"),), "ecr.api", "10.0.1.10", "*.amazonaws.com",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ANSWERS)
def test_an_own_zone_answers_in_the_place_of_private_dns(case: str) -> None:
    name, records, endpoint, address, record = ANSWERS[case]
    resolution = resolved(own_zone(name, *records, service=endpoint), endpoint)
    assert addresses(resolution) == [address]
    assert all(opinion.allows for opinion in resolution.opinions)
    opinion = answer_of(resolution, GATE)
    assert (opinion.object, opinion.element) == ("Z0A", record)
    # AWS: private DNS is off while an own zone is right, so the zone is the object.
    assert answer_of(resolution, GateName.PRIVATE_DNS).object == "Z0A"
    assert answer_of(resolution, GateName.ENDPOINT).object == resolution.served_by
    assert [each.interface for each in resolution.addresses] == [
        endpoint_item(healthy_vpc(), endpoint)["NetworkInterfaceIds"][0]
    ]


MISSING: dict[str, tuple[str, tuple[Item, ...], str, Failure]] = {
    "a zone of the name itself, with its NS records alone": (API, (), "ecr.api", Failure.NO_ADDRESS),
    "a zone of a parent without records": (ECR_REGION, (), "ecr.api", Failure.NXDOMAIN),
    "registries without a wildcard": (
        REGISTRIES, (alias(REGISTRIES, "vpce-0e000002", "dkr.ecr"),), "ecr.dkr", Failure.NXDOMAIN,
    ),
    "the record of another registry": (
        REGISTRIES, (alias(f"210987654321.{REGISTRIES}", "vpce-0e000002", "dkr.ecr"),), "ecr.dkr", Failure.NXDOMAIN,
    ),
    "a wildcard that a nearer name hides": (
        ECR_REGION,
        (alias(f"*.{ECR_REGION}", "vpce-0e000002", "dkr.ecr"), alias(f"x.{REGISTRIES}", "vpce-0e000002", "dkr.ecr")),
        "ecr.dkr", Failure.NXDOMAIN,
    ),
    "IPv6 alone for a subnet of IPv4": (
        API, (plain_record(API, "2001:db8::10", record="AAAA"),), "ecr.api", Failure.NO_ADDRESS,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", MISSING)
def test_a_zone_without_the_record_hides_the_name(case: str) -> None:
    name, records, endpoint, failure = MISSING[case]
    account = own_zone(name, *records, service=endpoint)
    resolution = resolved(account, endpoint)
    opinion = refusal(resolution)
    assert (opinion.gate, opinion.cause, opinion.object) == (GATE, "dns.hosted-zone-missing-record", "Z0A")
    assert (resolution.failure, resolution.public) == (failure, False)
    assert addresses(mended(account, endpoint)) == [endpoint_address(endpoint)]


def endpoint_address(name: str) -> str:
    return {"ecr.api": "10.0.1.10", "ecr.dkr": "10.0.1.11"}[name]


def test_the_change_adds_the_wildcard_for_registries() -> None:
    account = own_zone(REGISTRIES, service="ecr.dkr")
    change = refusal(resolved(account, "ecr.dkr")).change
    assert change is not None
    (command,) = change.advice(REGION).commands
    assert "--hosted-zone-id Z0A" in command
    assert f'"Name":"*.{REGISTRIES}"' in command
    assert '"HostedZoneId":"Z7HUB22UULQXV"' in command


def test_a_zone_that_is_more_specific_than_private_dns_conflicts_with_it() -> None:
    account = healthy_vpc()
    add_zone(account, REGISTRY)
    opinion = refusal(resolved(account, "ecr.dkr"))
    assert (opinion.cause, opinion.object) == ("dns.hosted-zone-conflict", "Z0A")
    assert "private DNS of vpce-0e000002 would answer" in opinion.sentence
    assert addresses(mended(account, "ecr.dkr")) == ["10.0.1.11"]


@pytest.mark.parametrize("name", ["amazonaws.com", ECR_REGION])
def test_private_dns_is_more_specific_than_a_zone_of_a_parent(name: str) -> None:
    account = healthy_vpc()
    add_zone(account, name)
    resolution = resolved(account)
    assert addresses(resolution) == ["10.0.1.10"]
    assert "more specific" in answer_of(resolution, GATE).sentence


def test_the_most_specific_of_two_zones_answers_alone() -> None:
    account = own_zone(API)
    add_zone(account, ECR_REGION, alias(API, "vpce-0e000001"), identity="Z0B")
    assert refusal(resolved(account)).object == "Z0A"


def test_a_zone_of_another_team_hides_the_layer_bucket() -> None:
    account = healthy_vpc()
    domain = f"s3.{REGION}.amazonaws.com"
    add_zone(account, domain, plain_record(f"reports.{domain}", "10.0.3.9"))
    resolution = resolved(account, "s3")
    opinion = refusal(resolution)
    assert (opinion.gate, opinion.cause, resolution.failure) == (GATE, "dns.hosted-zone-conflict", Failure.NXDOMAIN)
    assert mended(account, "s3").public


def test_a_record_with_a_public_address_next_to_the_endpoints_is_stale() -> None:
    account = own_zone(API, plain_record(API, "10.0.1.10", "44.213.79.104"))
    resolution = resolved(account)
    opinion = refusal(resolution)
    assert (opinion.gate, opinion.cause, opinion.element) == (GATE, "dns.stale-record", API)
    assert "44.213.79.104" in opinion.sentence
    assert addresses(resolution) == ["10.0.1.10", "44.213.79.104"]
    assert addresses(mended(account)) == ["10.0.1.10"]


def test_a_public_address_of_an_endpoint_with_ipv6_is_not_stale() -> None:
    account = own_zone(API, plain_record(API, "2600:1f18::10", record="AAAA"))
    account.object("eni-0e000001")["Ipv6Addresses"] = [{"Ipv6Address": "2600:1f18::10"}]
    resolution = resolved(account, origin=replace(ORIGIN, ranges=("2600:1f18::/64",)))
    assert all(opinion.allows for opinion in resolution.opinions)


def test_a_record_that_leads_to_the_endpoint_of_another_service_conflicts() -> None:
    account = own_zone(API, alias(API, "vpce-0e000003", "logs"))
    opinion = refusal(resolved(account))
    assert (opinion.gate, opinion.cause, opinion.object) == (GATE, "dns.hosted-zone-conflict", "Z0A")
    assert addresses(mended(account)) == ["10.0.1.10"]


@pytest.mark.parametrize(
    ("record", "target", "public"),
    [("sinkhole.example.com.", "sinkhole.example.com", False), (f"{ECR_REGION}.", None, True)],
)
def test_a_record_that_leads_out_of_the_vpc_conflicts(record: str, target: str | None, public: bool) -> None:
    resolution = resolved(own_zone(API, plain_record(API, record, record="CNAME")))
    assert refusal(resolution).cause == "dns.hosted-zone-conflict"
    assert (resolution.target, resolution.public) == (target, public)


def test_a_chain_within_private_zones_is_followed_and_a_loop_ends() -> None:
    name = f"inner.{ECR_REGION}"
    inner = alias(name, "vpce-0e000001")
    assert addresses(resolved(own_zone(ECR_REGION, plain_record(API, name, record="CNAME"), inner))) == ["10.0.1.10"]
    loop = own_zone(ECR_REGION, plain_record(API, name, record="CNAME"), plain_record(name, API, record="CNAME"))
    assert not resolved(loop).addresses


def test_an_address_that_no_interface_has_goes_to_the_gates_of_packets() -> None:
    resolution = resolved(own_zone(API, plain_record(API, "10.0.1.10", "10.0.1.99")))
    assert [(each.address, each.interface) for each in resolution.addresses] == [
        ("10.0.1.10", "eni-0e000001"),
        ("10.0.1.99", None),
    ]


@pytest.mark.parametrize(("members", "chosen"), [({"Weight": 1}, True), ({"MultiValueAnswer": True}, False)])
def test_one_of_several_records_may_answer(members: dict[str, object], chosen: bool) -> None:
    good, stale = (
        {**plain_record(API, address), "SetIdentifier": address, **members} for address in ("10.0.1.10", "10.0.1.99")
    )
    assert resolved(own_zone(API, good, stale)).is_doubted is chosen
    assert not resolved(own_zone(API, good)).is_doubted


def test_an_alias_to_one_zone_of_the_endpoint_has_the_address_there() -> None:
    record = alias(API, "vpce-0e000001")
    record["AliasTarget"]["DNSName"] = f"vpce-0e000001-x1y2z3-{REGION}b.api.ecr.{REGION}.vpce.amazonaws.com."
    account = own_zone(API, record)
    account.object("eni-0e000001")["AvailabilityZone"] = f"{REGION}a"
    own(account, "ec2", "NetworkInterfaces").append(
        {"NetworkInterfaceId": "eni-0e000011", "AvailabilityZone": f"{REGION}b", "PrivateIpAddress": "10.0.2.10"}
    )
    endpoint_item(account, "ecr.api")["NetworkInterfaceIds"].append("eni-0e000011")
    assert addresses(resolved(account)) == ["10.0.2.10"]


def test_the_state_of_the_endpoint_that_a_record_names_counts() -> None:
    account = own_zone(API, alias(API, "vpce-0e000001"))
    endpoint_item(account, "ecr.api")["State"] = "Failed"
    assert refusal(resolved(account)).cause == "endpoint.not-available"


# ---- zones that are elsewhere, of others, or misnamed ---------------------------------------------------------------


def test_a_central_zone_leads_to_the_endpoint_of_another_vpc() -> None:
    account = healthy_vpc()
    without_endpoint(account)
    add_hub(account)
    add_zone(account, API, alias(API, "vpce-0b000001"), vpcs=(HUB, VPC))
    resolution = resolved(account)
    assert addresses(resolution) == ["10.9.1.10"]
    assert (resolution.served_by, resolution.addresses[0].interface) == ("vpce-0b000001", "eni-0b000001")


TO_HUB = {"DestinationCidrBlock": "10.9.0.0/16", "TransitGatewayId": "tgw-0a000000", "State": "active"}


@pytest.mark.parametrize(
    ("vpcs", "route", "cause"),
    [
        # Shared with other VPCs, and not with this one.
        ((HUB, "vpc-0c000000"), None, "dns.hosted-zone-not-associated"),
        # Of the hub alone, to which this VPC has a route.
        ((HUB,), TO_HUB, "dns.hosted-zone-not-associated"),
        ((HUB,), {**TO_HUB, "State": "blackhole"}, "endpoint.missing.ecr-api"),
        # The zone of another VPC for its own endpoint.
        ((HUB,), None, "endpoint.missing.ecr-api"),
    ],
)
def test_a_central_zone_that_is_not_associated_with_this_vpc(
    vpcs: tuple[str, ...], route: Item | None, cause: str
) -> None:
    account = healthy_vpc()
    without_endpoint(account)
    add_hub(account)
    own(account, "ec2", "RouteTables")[0]["Routes"] += [route] if route else []
    add_zone(account, API, alias(API, "vpce-0b000001"), vpcs=vpcs)
    opinion = refusal(resolved(account))
    assert opinion.cause == cause
    if opinion.gate is GATE:
        assert (opinion.object, opinion.element) == ("Z0A", VPC)
        assert addresses(mended(account)) == ["10.9.1.10"]


def test_a_zone_for_this_vpcs_own_endpoint_that_is_not_associated() -> None:
    account = healthy_vpc()
    endpoint_item(account, "ecr.api")["PrivateDnsEnabled"] = False
    add_zone(account, API, alias(API, "vpce-0e000001"), vpcs=())
    assert refusal(resolved(account)).cause == "dns.hosted-zone-not-associated"
    assert addresses(mended(account)) == ["10.0.1.10"]


@pytest.mark.parametrize(
    ("service", "name"),
    [("ecr.api", f"ecr.api.{REGION}.amazonaws.com"), ("ecr.dkr", f"ecr.dkr.{REGION}.amazonaws.com")],
)
def test_a_zone_with_swapped_labels(service: str, name: str) -> None:
    account = own_zone(name, plain_record(f"*.{name}", "10.0.1.10"), service=service)
    opinion = refusal(resolved(account, service))
    assert (opinion.gate, opinion.cause) == (GATE, "dns.hosted-zone-wrong-name")
    assert (opinion.object, opinion.element) == ("Z0A", name)
    assert addresses(mended(account, service)) == [endpoint_address(service)]


def test_the_records_of_another_account_cannot_be_read() -> None:
    account = healthy_vpc()
    add_zone(account, API, owner="210987654321")
    resolution = resolved(account)
    opinion = answer_of(resolution, GATE)
    assert (opinion.answer, opinion.missing) == (GateAnswer.UNKNOWN, "route53:ListResourceRecordSets in 210987654321")
    assert not resolution.addresses


def test_an_endpoint_of_another_account_is_not_called_missing() -> None:
    resolution = resolved(own_zone(API, alias(API, "vpce-0f000009")))
    opinion = answer_of(resolution, GateName.ENDPOINT)
    assert (opinion.answer, opinion.object) == (GateAnswer.UNKNOWN, "vpce-0f000009")
    assert not any(each.refuses for each in resolution.opinions)


def test_the_hidden_zone_of_an_endpoint_is_not_an_own_one() -> None:
    account = healthy_vpc()
    summary = {"HostedZoneId": "Z9", "Name": f"{API}.", "Owner": {"OwningService": "vpce.amazonaws.com"}, "_VPCId": VPC}
    own(account, "route53", "HostedZoneSummaries").append(summary)
    assert addresses(resolved(account)) == ["10.0.1.10"]


@pytest.mark.parametrize("listed", [True, False])
def test_a_profile_brings_a_zone(listed: bool) -> None:
    account = healthy_vpc()
    endpoint_item(account, "ecr.api")["PrivateDnsEnabled"] = False
    add_zone(account, API, alias(API, "vpce-0e000001"), vpcs=())
    if not listed:
        own(account, "route53", "HostedZones").clear()  # of another account, which shares its Profile
    add_profile(account, "arn:aws:route53:::hostedzone/Z0A")
    assert addresses(resolved(account)) == ["10.0.1.10"]


@pytest.mark.parametrize("denied", ["route53:ListHostedZonesByVPC", "route53profiles:ListProfileAssociations"])
def test_zones_that_cannot_be_read_make_no_refusal_certain(denied: str) -> None:
    account = healthy_vpc()
    endpoint_item(account, "ecr.api")["PrivateDnsEnabled"] = False
    account.denied.add(denied)
    resolution = resolved(account)
    assert (answer_of(resolution, GATE).answer, answer_of(resolution, GATE).missing) == (GateAnswer.UNKNOWN, denied)
    assert not any(opinion.refuses for opinion in resolution.opinions)


def test_records_that_cannot_be_read_are_unknown() -> None:
    account = own_zone(API, alias(API, "vpce-0e000001"))
    account.denied.add("route53:ListResourceRecordSets")
    assert answer_of(resolved(account), GATE).missing == "route53:ListResourceRecordSets"


def test_a_text_record_of_the_name_hides_a_wildcard() -> None:
    wildcard = alias(f"*.{REGISTRIES}", "vpce-0e000002", "dkr.ecr")
    account = own_zone(REGISTRIES, wildcard, plain_record(REGISTRY, '"text"', record="TXT"), service="ecr.dkr")
    found = resolved(account, "ecr.dkr")
    assert found.failure is Failure.NO_ADDRESS
    assert refusal(found).object == "Z0A"


def test_text_records_are_not_kept() -> None:
    account = own_zone(API, plain_record(API, '"a secret"', record="TXT"), alias(API, "vpce-0e000001"))
    zone = Zone(identity="Z0A", name=API)

    def evaluate(view: View) -> Answer | None:
        try:
            return answer(view, zone, API, ("A",))
        except MissingError:
            return None

    found, configuration = read(account, evaluate)
    assert found is not None
    assert "secret" not in repr(configuration)

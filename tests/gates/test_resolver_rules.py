"""Resolver rules: the most specific one decides, before a zone of the same name; known targets are followed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from probe.model import GateAnswer, GateName
from tests.gates.resolution import (
    ACCOUNT,
    API,
    HUB,
    REGION,
    VPC,
    add_hub,
    add_profile,
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

GATE = GateName.RESOLVER_RULE
Change = Callable[[Account], object]
ECR = f"ecr.{REGION}.amazonaws.com"


def rule(domain: str, kind: str = "FORWARD", status: str = "COMPLETE", identity: str = "rslvr-rr-1") -> Change:
    return lambda account: add_rule(account, domain, "10.9.0.2", kind=kind, status=status, identity=identity)


def zone(name: str) -> Change:
    """An own zone, which takes the place of private DNS."""

    def change(account: Account) -> None:
        endpoint_item(account, "ecr.api")["PrivateDnsEnabled"] = False
        add_zone(account, name, alias(API, "vpce-0e000001"))

    return change


# Changes, whether the name is forwarded to the server that cannot be read.
RULES: dict[str, tuple[tuple[Change, ...], bool]] = {
    "the name itself, against private DNS of the same name": ((rule(API),), True),
    "a parent, against private DNS": ((rule(ECR),), False),
    "all names, against private DNS": ((rule(""),), False),
    "another name": ((rule("example.com"),), False),
    "a name that only ends alike": ((rule("i.ecr.us-east-1.amazonaws.com"),), False),
    "a zone of the same name": ((rule(ECR), zone(ECR)), True),
    "a zone that is more specific": ((rule("amazonaws.com"), zone(ECR)), False),
    "a zone that is less specific": ((rule(ECR), zone("amazonaws.com")), True),
    "a system rule of the same name as the zone": ((rule(ECR, kind="SYSTEM"), zone(ECR)), False),
    "a system rule below the one that forwards": (
        (rule(""), rule(ECR, kind="SYSTEM", identity="rslvr-rr-2"), without_endpoint), False,
    ),
    "a system rule above the one that forwards": (
        (rule(API), rule(ECR, kind="SYSTEM", identity="rslvr-rr-2")), True,
    ),
    "all names, where nothing is private": ((rule(""), without_endpoint), True),
    "an association that failed": ((rule(API, status="FAILED"),), False),
    "an association that another one overrides": ((rule(API, status="OVERRIDDEN"),), False),
    "an association that is being made": ((rule(API, status="CREATING"),), True),
    "a rule for delegations": ((rule(API, kind="DELEGATE"),), False),
    "the rule of Resolver itself": ((rule("", identity="rslvr-autodefined-rr-internet-resolver"),), False),
}  # fmt: skip


@pytest.mark.parametrize("case", RULES)
def test_the_most_specific_rule_decides_and_comes_before_a_zone_of_the_same_name(case: str) -> None:
    changes, forwarded = RULES[case]
    account = healthy_vpc()
    for change in changes:
        change(account)
    resolution = resolved(account)
    opinion = answer_of(resolution, GATE)
    if not forwarded:
        assert opinion.allows
        return
    assert (opinion.answer, opinion.cause, opinion.object) == (GateAnswer.DEPENDS, "dns.resolver-rule", "rslvr-rr-1")
    assert (resolution.addresses, resolution.public, resolution.failure) == ((), False, None)


def test_an_inbound_endpoint_as_the_target_is_followed() -> None:
    account = healthy_vpc()
    without_endpoint(account)
    add_hub(account, private_dns=True)
    add_rule(account, "amazonaws.com", "10.9.0.53")
    resolution = resolved(account)
    assert addresses(resolution) == ["10.9.1.10"]
    assert all(opinion.allows for opinion in resolution.opinions)
    assert [resolved_.interface for resolved_ in resolution.addresses] == ["eni-0b000001"]


def test_a_rule_of_another_account_is_read_by_itself() -> None:
    account = healthy_vpc()
    without_endpoint(account)
    add_hub(account, private_dns=True)
    add_rule(account, "amazonaws.com", "10.9.0.53")
    (item,) = own(account, "route53resolver", "ResolverRules")
    own(account, "route53resolver", "ResolverRules").clear()
    account.replies["route53resolver:GetResolverRule rslvr-rr-1"] = {"ResolverRule": item}
    assert addresses(resolved(account)) == ["10.9.1.10"]


def test_a_hub_in_which_private_dns_is_off_refuses_there() -> None:
    account = healthy_vpc()
    without_endpoint(account)
    add_hub(account)
    add_rule(account, "amazonaws.com", "10.9.0.53")
    opinion = refusal(resolved(account))
    assert (opinion.cause, opinion.object) == ("dns.private-dns-disabled", "vpce-0b000001")
    assert addresses(mended(account)) == ["10.9.1.10"]


def test_a_rule_that_takes_the_name_from_the_right_endpoint_refuses() -> None:
    account = healthy_vpc()
    add_hub(account)
    add_rule(account, API, "10.9.0.53")
    opinion = refusal(resolved(account))
    assert (opinion.gate, opinion.cause, opinion.object) == (GATE, "dns.resolver-rule", "rslvr-rr-1")
    assert opinion.element == API
    assert addresses(mended(account)) == ["10.0.1.10"]


@pytest.mark.parametrize("private_dns", [True, False])
def test_the_rule_of_a_hub_that_is_not_associated_with_this_vpc(private_dns: bool) -> None:
    account = healthy_vpc()
    without_endpoint(account)
    add_hub(account, private_dns=private_dns)
    add_rule(account, "amazonaws.com", "10.9.0.53")
    own(account, "route53resolver", "ResolverRuleAssociations").clear()
    opinion = refusal(resolved(account))
    if private_dns:
        assert (opinion.gate, opinion.cause) == (GATE, "dns.resolver-rule")
        assert (opinion.object, opinion.element) == ("rslvr-rr-1", VPC)
        assert addresses(mended(account)) == ["10.9.1.10"]
    else:
        assert opinion.gate is GateName.ENDPOINT


def test_a_zone_of_the_hub_answers_for_the_spoke() -> None:
    account = healthy_vpc()
    without_endpoint(account)
    add_hub(account)
    add_zone(account, API, alias(API, "vpce-0b000001"), vpcs=(HUB,))
    add_rule(account, "amazonaws.com", "10.9.0.53")
    resolution = resolved(account)
    assert addresses(resolution) == ["10.9.1.10"]
    assert answer_of(resolution, GateName.HOSTED_ZONE).object == "Z0A"


def test_two_rules_that_forward_to_each_other_end() -> None:
    account = healthy_vpc()
    without_endpoint(account)
    add_hub(account, private_dns=True)
    add_rule(account, API, "10.9.0.53")
    association = {"Id": "rslvr-rrassoc-2", "ResolverRuleId": "rslvr-rr-1", "VPCId": HUB, "Status": "COMPLETE"}
    own(account, "route53resolver", "ResolverRuleAssociations").append(association)
    resolution = resolved(account)
    assert not resolution.addresses
    assert GateAnswer.DEPENDS in {opinion.answer for opinion in resolution.opinions if opinion.gate is GATE}


def test_private_dns_of_s3_for_inbound_queries_alone_answers_what_a_rule_forwards() -> None:
    account = healthy_vpc()
    add_hub(account)
    item = endpoint_item(account, "ecr.api") | {"VpcEndpointId": "vpce-0b000009", "VpcId": HUB, "DnsEntries": []}
    options = {"PrivateDnsOnlyForInboundResolverEndpoint": True}
    s3 = {"ServiceName": f"com.amazonaws.{REGION}.s3", "NetworkInterfaceIds": ["eni-0b000001"], "DnsOptions": options}
    own(account, "ec2", "VpcEndpoints").append(item | s3)
    assert resolved(account, "s3").public
    add_rule(account, f"s3.{REGION}.amazonaws.com", "10.9.0.53")
    assert addresses(resolved(account, "s3")) == ["10.9.1.10"]


def test_a_profile_brings_a_rule_and_the_vpcs_own_of_the_same_domain_comes_first() -> None:
    account = healthy_vpc()
    add_rule(account, API, "10.9.0.2")
    own(account, "route53resolver", "ResolverRuleAssociations").clear()
    add_profile(account, f"arn:aws:route53resolver:{REGION}:{ACCOUNT}:resolver-rule/rslvr-rr-1")
    assert answer_of(resolved(account), GATE).answer is GateAnswer.DEPENDS
    add_rule(account, API, kind="SYSTEM", identity="rslvr-rr-2")
    assert answer_of(resolved(account), GATE).allows
    assert addresses(resolved(account)) == ["10.0.1.10"]


def test_a_profile_that_is_being_removed_brings_nothing() -> None:
    account = healthy_vpc()
    add_rule(account, API, "10.9.0.2")
    own(account, "route53resolver", "ResolverRuleAssociations").clear()
    arn = f"arn:aws:route53resolver:{REGION}:{ACCOUNT}:resolver-rule/rslvr-rr-1"
    add_profile(account, arn, status="DELETING")
    assert answer_of(resolved(account), GATE).allows


@pytest.mark.parametrize(
    "denied",
    [
        "route53resolver:ListResolverRuleAssociations",
        "route53resolver:ListResolverRules",
        "route53profiles:ListProfileAssociations",
    ],
)
def test_rules_that_cannot_be_read_are_unknown_and_no_refusal_behind_them_is_certain(denied: str) -> None:
    account = healthy_vpc()
    endpoint_item(account, "ecr.api")["PrivateDnsEnabled"] = False
    add_rule(account, "example.com", "10.9.0.2")
    account.denied.add(denied)
    resolution = resolved(account)
    assert (answer_of(resolution, GATE).answer, answer_of(resolution, GATE).missing) == (GateAnswer.UNKNOWN, denied)
    assert not any(opinion.refuses for opinion in resolution.opinions)
    assert (resolution.public, resolution.addresses) == (False, ())


def test_inbound_endpoints_that_cannot_be_read_leave_the_rule_open() -> None:
    account = healthy_vpc()
    add_hub(account, private_dns=True)
    add_rule(account, API, "10.9.0.53")
    account.denied.add("route53resolver:ListResolverEndpoints")
    assert answer_of(resolved(account), GATE).answer is GateAnswer.DEPENDS


def test_the_rule_names_the_vpc_that_it_is_taken_from() -> None:
    account = healthy_vpc()
    add_hub(account)
    add_rule(account, API, "10.9.0.53")
    change = refusal(resolved(account)).change
    assert change is not None
    assert change.advice(REGION).commands[0].endswith(f"--resolver-rule-id rslvr-rr-1 --vpc-id {VPC}")

"""DNS Firewall: the first rule by the priority of its group and its own, over the whole chain of CNAMEs."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from probe.model import Failure, GateAnswer, GateName
from tests.gates.resolution import (
    ACCOUNT,
    API,
    REGION,
    REGISTRY,
    add_firewall_rule,
    add_profile,
    addresses,
    answer_of,
    endpoint_item,
    mended,
    own,
    refusal,
    resolved,
)
from tests.inspect.vpc import Account, healthy_vpc

GATE = GateName.RESOLVER_FIREWALL
BUCKET = f"prod-{REGION}-starport-layer-bucket.s3.{REGION}.amazonaws.com"
rule = add_firewall_rule
Change = Callable[[Account], object]


def all_of(*changes: Change) -> Change:
    def change(account: Account) -> None:
        for each in changes:
            each(account)

    return change


def blocks(*domains: str, priority: int = 10, group: str = "rslvr-frg-1", **members: str) -> Change:
    return lambda account: rule(account, "BLOCK", *domains, priority=priority, group=group, **members)


def permits(*domains: str, priority: int = 5, group: str = "rslvr-frg-1", **members: str) -> Change:
    return lambda account: rule(account, "ALLOW", *domains, priority=priority, group=group, **members)


def alerts(*domains: str, priority: int = 5) -> Change:
    return lambda account: rule(account, "ALERT", *domains, priority=priority)


# Rules, endpoint, whether the name is blocked.
RULES: dict[str, tuple[Change, str, bool]] = {
    "no rules": (lambda _: None, "ecr.api", False),
    "the exact name": (blocks(API), "ecr.api", True),
    "the exact name in other letters": (blocks(API.upper()), "ecr.api", True),
    "another name": (blocks(f"ecr.{REGION}.amazonaws.com"), "ecr.api", False),
    "a wildcard above": (blocks("*.amazonaws.com"), "ecr.api", True),
    "the parent without a wildcard": (blocks("amazonaws.com"), "ecr.api", False),
    "a wildcard of the name itself": (blocks(f"*.{API}"), "ecr.api", False),
    "everything": (blocks("*"), "ecr.api", True),
    "everything but what an earlier rule allows": (all_of(permits("*.amazonaws.com"), blocks("*")), "ecr.api", False),
    "an allow behind the block": (all_of(permits("*.amazonaws.com", priority=20), blocks("*")), "ecr.api", True),
    "an alert before the block": (all_of(alerts("*.amazonaws.com"), blocks("*")), "ecr.api", False),
    "an allow in a later group": (
        all_of(permits(API, priority=1, group="rslvr-frg-2"), blocks(API, priority=99)), "ecr.api", True,
    ),
    "an allow in an earlier group": (
        all_of(permits(API, priority=99), blocks(API, priority=1, group="rslvr-frg-2")), "ecr.api", False,
    ),
    "another type of query": (blocks(API, Qtype="TXT"), "ecr.api", False),
    "queries for IPv6 alone": (blocks(API, Qtype="AAAA"), "ecr.api", False),
    "queries for IPv4": (blocks(API, Qtype="A"), "ecr.api", True),
    "queries for IPv4 by number": (blocks(API, Qtype="TYPE1"), "ecr.api", True),
    "a rule that is not in force": (blocks(API, Status="CREATION_FAILED"), "ecr.api", False),
    "the CNAME of the layer bucket": (blocks(f"s3-r-w.{REGION}.amazonaws.com"), "s3", True),
    "the CNAME, by a rule that looks at the first name alone": (
        blocks(f"s3-r-w.{REGION}.amazonaws.com", FirewallDomainRedirectionAction="TRUST_REDIRECTION_DOMAIN"), "s3",
        False,
    ),
    "an allow of the bucket that does not allow its CNAME": (all_of(permits(BUCKET), blocks("*")), "s3", True),
    "an allow of the bucket that trusts its CNAME": (
        all_of(permits(BUCKET, FirewallDomainRedirectionAction="TRUST_REDIRECTION_DOMAIN"), blocks("*")), "s3", False,
    ),
    "an allow of a private name, which has no CNAME": (all_of(permits(API), blocks("*")), "ecr.api", False),
    "a registry that is allowed, and the others not": (all_of(permits(REGISTRY), blocks("*")), "ecr.dkr", False),
}  # fmt: skip


@pytest.mark.parametrize("case", RULES)
def test_the_first_rule_that_matches_decides(case: str) -> None:
    change, name, blocked = RULES[case]
    account = healthy_vpc()
    change(account)
    resolution = resolved(account, name)
    if not blocked:
        assert answer_of(resolution, GATE).allows
        assert resolution.addresses or resolution.public
        return
    opinion = refusal(resolution)
    assert (opinion.gate, opinion.cause) == (GATE, "dns.firewall")
    assert resolution.failure is Failure.NO_ADDRESS
    assert (opinion.element or "").startswith("priority ")
    after = mended(account, name)
    assert answer_of(after, GATE).allows or refusal(after).element != opinion.element


@pytest.mark.parametrize(
    ("response", "failure", "target"),
    [
        ("NODATA", Failure.NO_ADDRESS, None),
        ("NXDOMAIN", Failure.NXDOMAIN, None),
        ("OVERRIDE", None, "blocked.example.com"),
    ],
)
def test_what_a_blocked_lookup_gets(response: str, failure: Failure | None, target: str | None) -> None:
    account = healthy_vpc()
    blocks(API, BlockResponse=response, BlockOverrideDomain="blocked.example.com.")(account)
    resolution = resolved(account)
    assert (resolution.failure, resolution.target) == (failure, target)


def test_the_change_adds_the_name_to_the_list_that_is_allowed_before() -> None:
    account = healthy_vpc()
    all_of(permits("*.example.com"), blocks("*"))(account)
    change = refusal(resolved(account)).change
    assert change is not None
    assert "--firewall-domain-list-id rslvr-fdl-1-5 --operation ADD" in change.advice(REGION).commands[0]
    assert addresses(mended(account)) == ["10.0.1.10"]


def test_the_change_removes_the_entry_where_nothing_is_allowed_before() -> None:
    account = healthy_vpc()
    blocks(API)(account)
    change = refusal(resolved(account)).change
    assert change is not None
    assert f"rslvr-fdl-1-10 --operation REMOVE --domains '{API}'" in change.advice(REGION).commands[0]
    assert addresses(mended(account)) == ["10.0.1.10"]


def test_lists_of_aws_cannot_be_read_and_do_not_make_the_gate_unknown() -> None:
    account = healthy_vpc()
    blocks(priority=1)(account)
    own(account, "route53resolver", "FirewallDomainLists")[0]["ManagedOwnerName"] = "Route 53 Resolver DNS Firewall"
    opinion = answer_of(resolved(account), GATE)
    assert opinion.allows
    assert "cannot be read" in opinion.sentence
    assert "no fail-open" in opinion.sentence


def test_a_threat_rule_has_no_list_and_does_not_block() -> None:
    account = healthy_vpc()
    blocks(API)(account)
    item = own(account, "route53resolver", "FirewallRules")[0]
    del item["FirewallDomainListId"]
    item["FirewallThreatProtectionId"] = "rslvr-ftp-1"
    assert answer_of(resolved(account), GATE).allows


def test_a_block_is_met_before_private_dns_that_is_off() -> None:
    account = healthy_vpc()
    blocks(API)(account)
    endpoint_item(account, "ecr.api")["PrivateDnsEnabled"] = False
    assert refusal(resolved(account)).gate is GATE


@pytest.mark.parametrize(
    "denied",
    [
        "route53resolver:ListFirewallRuleGroupAssociations",
        "route53resolver:ListFirewallRules",
        "route53resolver:ListFirewallDomainLists",
        "route53resolver:ListFirewallDomains",
        "route53profiles:ListProfileAssociations",
    ],
)
def test_rules_that_cannot_be_read_are_unknown_and_the_name_is_predicted_without_them(denied: str) -> None:
    account = healthy_vpc()
    blocks("example.com")(account)
    account.denied.add(denied)
    resolution = resolved(account)
    assert (answer_of(resolution, GATE).answer, answer_of(resolution, GATE).missing) == (GateAnswer.UNKNOWN, denied)
    assert addresses(resolution) == ["10.0.1.10"]


def test_a_list_that_cannot_be_read_does_not_matter_behind_a_match() -> None:
    account = healthy_vpc()
    all_of(permits(API), blocks("example.com"))(account)
    lists = own(account, "route53resolver", "FirewallDomainLists")
    assert len(lists) == 2
    account.denied.add("route53resolver:ListFirewallDomains rslvr-fdl-1-10")
    assert answer_of(resolved(account), GATE).allows


def test_the_rule_groups_of_a_profile_are_evaluated_by_their_priority() -> None:
    account = healthy_vpc()
    blocks(API, group="rslvr-frg-9")(account)
    own(account, "route53resolver", "FirewallRuleGroupAssociations").clear()
    arn = f"arn:aws:route53resolver:{REGION}:{ACCOUNT}:firewall-rule-group/rslvr-frg-9"
    add_profile(account, arn, priority='{"priority": 102}')
    assert refusal(resolved(account)).object == "rslvr-frg-9"
    permits(API)(account)  # of the VPC's own group, with priority 101
    assert answer_of(resolved(account), GATE).allows

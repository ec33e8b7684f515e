"""What `inspect` reports of names: the finding a check would have, with the gate's cause confirmed and its command."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from probe.model import Cause, GateAnswer, GateName, Standing, Verdict
from tests.gates.resolution import (
    API,
    REGION,
    VPC,
    add_firewall_rule,
    add_hub,
    add_rule,
    add_zone,
    alias,
    endpoint_item,
    own,
    without_endpoint,
)
from tests.inspect.vpc import Account, healthy_vpc, inspected

Change = Callable[[Account], object]


def confirmed(verdict: Verdict, code: str) -> list[Cause]:
    findings = [finding for finding in verdict.findings if finding.code == code]
    assert findings, [finding.code for finding in verdict.findings]
    return [cause for finding in findings for cause in finding.causes if cause.standing is Standing.CONFIRMED]


def without_private_dns(account: Account) -> None:
    endpoint_item(account, "ecr.api")["PrivateDnsEnabled"] = False


def both(first: Change, second: Change) -> Change:
    return lambda account: (first(account), second(account))


def unshared_hub_zone(account: Account) -> None:
    without_endpoint(account)
    add_hub(account)
    add_zone(account, API, alias(API, "vpce-0b000001"), vpcs=("vpc-0b000000", "vpc-0c000000"))


# Change, finding, cause, object, a part of its command.
CASES: dict[str, tuple[Change, str, str, str, str]] = {
    "private DNS is off": (
        without_private_dns, "dns.public-answer", "dns.private-dns-disabled", "vpce-0e000001", "--private-dns-enabled",
    ),
    "DNS hostnames are off": (
        lambda account: own(account, "ec2", "Vpcs")[0].update(_enableDnsHostnames=False),
        "dns.public-answer", "dns.vpc-attributes-off", VPC, "--enable-dns-hostnames",
    ),
    "the endpoint is missing": (
        without_endpoint, "dns.public-answer", "endpoint.missing.ecr-api", VPC, f"com.amazonaws.{REGION}.ecr.api",
    ),
    "DNS support is off": (
        lambda account: own(account, "ec2", "Vpcs")[0].update(_enableDnsSupport=False),
        "dns.resolver-unreachable", "dns.vpc-attributes-off", VPC, "--enable-dns-support",
    ),
    "DNS Firewall blocks": (
        lambda account: add_firewall_rule(account, "BLOCK", API, priority=1, BlockResponse="NXDOMAIN"),
        "dns.name-missing", "dns.firewall", "rslvr-frg-1", "--operation REMOVE",
    ),
    "DNS Firewall blocks without an address": (
        lambda account: add_firewall_rule(account, "BLOCK", API, priority=1),
        "dns.no-address", "dns.firewall", "rslvr-frg-1", "--operation REMOVE",
    ),
    "DNS Firewall overrides": (
        lambda account: add_firewall_rule(
            account, "BLOCK", API, priority=1, BlockResponse="OVERRIDE", BlockOverrideDomain="blocked.example.com"
        ),
        "dns.foreign-answer", "dns.firewall", "rslvr-frg-1", "--operation REMOVE",
    ),
    "the zone lacks the record": (
        both(without_private_dns, lambda account: add_zone(account, f"ecr.{REGION}.amazonaws.com")),
        "dns.name-missing", "dns.hosted-zone-missing-record", "Z0A", "change-resource-record-sets",
    ),
    "the zone is not associated": (
        both(without_private_dns, lambda account: add_zone(account, API, alias(API, "vpce-0e000001"), vpcs=())),
        "dns.public-answer", "dns.hosted-zone-not-associated", "Z0A", "associate-vpc-with-hosted-zone",
    ),
    "a central zone is not associated": (
        unshared_hub_zone, "dns.public-answer", "dns.hosted-zone-not-associated", "Z0A", f"VPCId={VPC}",
    ),
    "the zone has swapped labels": (
        both(without_private_dns, lambda account: add_zone(account, f"ecr.api.{REGION}.amazonaws.com")),
        "dns.public-answer", "dns.hosted-zone-wrong-name", "Z0A", "vpce-0e000001 --private-dns-enabled",
    ),
    "a rule takes the name to a hub without the endpoint's name": (
        both(add_hub, lambda account: add_rule(account, API, "10.9.0.53")),
        "dns.public-answer", "dns.resolver-rule", "rslvr-rr-1", "disassociate-resolver-rule",
    ),
    "the zone points to the endpoint of another service": (
        both(without_private_dns, lambda account: add_zone(account, API, alias(API, "vpce-0e000003", "logs"))),
        "tls.wrong-name", "dns.hosted-zone-conflict", "Z0A", "change-resource-record-sets",
    ),
    "the endpoint is not available": (
        lambda account: endpoint_item(account, "ecr.api").update(State="failed"),
        "dns.public-answer", "endpoint.not-available", "vpce-0e000001", "delete-vpc-endpoints",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_inspect_confirms_the_cause_with_its_object_and_its_command(case: str) -> None:
    change, code, cause, identity, part = CASES[case]
    account = healthy_vpc()
    change(account)
    (found,) = confirmed(inspected(account), code)
    assert (found.code, found.object) == (cause, identity)
    assert any(part in command for command in found.fix.commands), found.fix.commands


def test_causes_whose_gates_allow_are_ruled_out() -> None:
    account = healthy_vpc()
    without_private_dns(account)
    (finding,) = [finding for finding in inspected(account).findings if finding.code == "dns.public-answer"]
    standings = {cause.code: cause.standing for cause in finding.causes}
    for code in (
        "endpoint.missing.ecr-api",
        "dns.hosted-zone-wrong-name",
        "dns.vpc-attributes-off",
        "dns.resolver-rule",
    ):
        assert standings[code] is Standing.RULED_OUT


def test_the_way_out_is_no_cause_where_the_name_should_be_private() -> None:
    account = healthy_vpc()
    without_private_dns(account)
    verdict = inspected(account)
    routes = [gate for gate in verdict.gates if gate.gate is GateName.ROUTE and gate.answer is GateAnswer.REFUSES]
    assert routes
    assert {gate.cause for gate in routes} == {None}


@pytest.mark.parametrize(
    "denied",
    ["route53resolver:ListResolverRuleAssociations", "route53:ListHostedZonesByVPC", "ec2:DescribeDhcpOptions"],
)
def test_a_group_refuses_for_certain_only_where_it_is_known_that_the_name_leads_to_it(denied: str) -> None:
    account = healthy_vpc()
    account.object("sg-0e000000")["IpPermissions"] = []
    assert confirmed(inspected(account), "tcp.silent")
    account.denied.add(denied)
    verdict = inspected(account)
    assert "tcp.silent" not in [finding.code for finding in verdict.findings]
    assert verdict.exit_code == 3


@pytest.mark.parametrize(
    ("ranges", "kind", "code", "cause"),
    [
        ({"CidrBlock": None, "Ipv6Native": True}, "ipv4", "region.ipv6-unsupported-endpoint", None),
        ({}, "ipv6", "tcp.no-route", "tcp.no-route"),
    ],
)
def test_an_endpoint_without_an_address_of_the_subnets_family(
    ranges: dict[str, object], kind: str, code: str, cause: str | None
) -> None:
    account = healthy_vpc()
    own(account, "ec2", "Subnets")[0].update(
        ranges,
        Ipv6CidrBlockAssociationSet=[
            {"Ipv6CidrBlock": "2001:db8:1:1::/64", "Ipv6CidrBlockState": {"State": "associated"}}
        ]
        if ranges
        else [],
    )
    account.object("eni-0e000002")["Ipv6Addresses"] = [{"Ipv6Address": "2001:db8:1:1::11"}]
    endpoint_item(account, "ecr.dkr")["DnsOptions"] = {"DnsRecordIpType": kind}
    (found, *_) = confirmed(inspected(account), code)
    assert (found.code, found.object) == (cause or code, "vpce-0e000002")


def test_names_of_two_subnets_need_few_calls() -> None:
    account = healthy_vpc()
    inspected(account)
    assert len(account.calls) <= 30, account.calls

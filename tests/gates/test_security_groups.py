"""Security groups: the union of rules that only allow, families apart, references within one VPC."""

from __future__ import annotations

from typing import Any

import pytest

from probe.gates.flow import Flow
from probe.model import GateName
from probe.records import replace
from tests.gates.connections import (
    INSIDE,
    INSIDE_6,
    OTHER_VPC,
    PUBLIC,
    S3,
    VPC,
    account,
    answer,
    answer_after_change,
    at,
    command_of,
    said,
)
from tests.inspect.vpc import Account

Item = dict[str, Any]
EGRESS, INGRESS = GateName.SECURITY_GROUP_EGRESS, GateName.SECURITY_GROUP_INGRESS


def tcp(first: int = 443, last: int = 443, protocol: str = "tcp", **peers: Any) -> Item:
    return {"IpProtocol": protocol, "FromPort": first, "ToPort": last, **peers}


def ranges(*cidrs: str) -> Item:
    return {"IpRanges": [{"CidrIp": cidr} for cidr in cidrs]}


def ranges6(*cidrs: str) -> Item:
    return {"Ipv6Ranges": [{"CidrIpv6": cidr} for cidr in cidrs]}


def group(identity: str, **pair: Any) -> Item:
    return {"UserIdGroupPairs": [{"GroupId": identity, **pair}]}


def listed(identity: str) -> Item:
    return {"PrefixListIds": [{"PrefixListId": identity}]}


def every(**peers: Any) -> Item:
    return {"IpProtocol": "-1", **peers}


def with_rules(gate: GateName, *permissions: Item, routes: tuple[Item, ...] = ()) -> Account:
    key, identity = ("IpPermissionsEgress", "sg-0a000000") if gate is EGRESS else ("IpPermissions", "sg-0e000000")
    local = {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "State": "active"}
    return account(
        SecurityGroups=[{"GroupId": identity, "VpcId": VPC, key: list(permissions)}],
        RouteTables=[
            {
                "RouteTableId": "rtb-0a000000",
                "VpcId": VPC,
                "Associations": [{"Main": True}],
                "Routes": [local, {"DestinationIpv6CidrBlock": "2600:1f18::/32", "GatewayId": "local"}, *routes],
            }
        ],
    )


OVER_PEERING = replace(INSIDE, target_vpc=OTHER_VPC)


@pytest.mark.parametrize(
    ("flow", "rules", "expected"),
    [
        (INSIDE, [], ("refuses", "egress")),
        (INSIDE, [every(**ranges("0.0.0.0/0"))], ("allows", "all 0.0.0.0/0")),
        (INSIDE, [tcp(protocol="6", **ranges("10.0.2.0/24"))], ("allows", "tcp 443-443 10.0.2.0/24")),
        (INSIDE, [tcp(0, 65535, **ranges("10.0.2.10/32"))], ("allows", "tcp 0-65535 10.0.2.10/32")),
        (INSIDE, [{"IpProtocol": "tcp", **ranges("0.0.0.0/0")}], ("allows", "tcp None-None 0.0.0.0/0")),
        (INSIDE, [tcp(80, 442, **ranges("0.0.0.0/0")), tcp(444, 500, **ranges("0.0.0.0/0"))], ("refuses", "egress")),
        (INSIDE, [tcp(protocol="udp", **ranges("0.0.0.0/0"))], ("refuses", "egress")),
        (INSIDE, [tcp(protocol="17", **ranges("0.0.0.0/0"))], ("refuses", "egress")),
        (INSIDE, [every(**ranges6("::/0"))], ("refuses", "egress")),  # the other family
        (INSIDE_6, [every(**ranges("0.0.0.0/0"))], ("refuses", "egress")),
        (INSIDE_6, [every(**ranges6("::/0"))], ("allows", "all ::/0")),
        (INSIDE, [tcp(**group("sg-0e000000"))], ("allows", "tcp 443-443 sg-0e000000")),
        (INSIDE, [tcp(**group("sg-0a000000"))], ("refuses", "egress")),  # the task's own, as a default group's rule
        (INSIDE, [tcp(**group("sg-0e000000", VpcId=OTHER_VPC, PeeringStatus="deleted"))], ("refuses", "egress")),
        (OVER_PEERING, [tcp(**group("sg-0e000000"))], ("refuses", "egress")),
        (OVER_PEERING, [tcp(**group("sg-0e000000", PeeringStatus="active"))], ("allows", "tcp 443-443 sg-0e000000")),
        (OVER_PEERING, [tcp(**group("sg-0e000000", PeeringStatus="deleted"))], ("refuses", "egress")),
        (S3, [tcp(**listed("pl-0a000003"))], ("allows", "tcp 443-443 pl-0a000003")),
        (S3, [tcp(**listed("pl-0b000000"))], ("refuses", "egress")),  # another list, without the address
        (S3, [tcp(**group("sg-0e000000"))], ("refuses", "egress")),
        (S3, [tcp(**ranges("52.0.0.0/8"))], ("allows", "tcp 443-443 52.0.0.0/8")),
        (PUBLIC, [tcp(**ranges("10.0.0.0/8"))], ("refuses", "egress")),
        (PUBLIC, [tcp(**ranges("0.0.0.0/0"))], ("allows", "tcp 443-443 0.0.0.0/0")),
    ],
)
def test_egress(flow: Flow, rules: list[Item], expected: tuple[str, str]) -> None:
    assert said(answer(with_rules(EGRESS, *rules), EGRESS, flow)) == expected


@pytest.mark.parametrize(
    ("flow", "rules", "expected"),
    [
        (INSIDE, [], ("refuses", "ingress")),
        (INSIDE, [tcp(**ranges("10.0.0.0/16"))], ("allows", "tcp 443-443 10.0.0.0/16")),
        (INSIDE, [tcp(**ranges("10.0.1.0/25"))], ("depends", "tcp 443-443 10.0.1.0/25")),
        (INSIDE, [tcp(**ranges("10.0.1.0/25", "10.0.1.128/25"))], ("allows", "tcp 443-443 10.0.1.0/25")),
        (at("10.0.1.7"), [tcp(**ranges("10.0.1.0/25"))], ("allows", "tcp 443-443 10.0.1.0/25")),
        (at("10.0.1.200"), [tcp(**ranges("10.0.1.0/25"))], ("refuses", "ingress")),
        (INSIDE, [tcp(**ranges("10.0.2.0/24"))], ("refuses", "ingress")),
        (INSIDE, [tcp(**ranges6("2600:1f18::/32"))], ("refuses", "ingress")),
        (INSIDE_6, [tcp(**ranges6("2600:1f18::/32"))], ("allows", "tcp 443-443 2600:1f18::/32")),
        (INSIDE_6, [tcp(**ranges("10.0.0.0/8"))], ("refuses", "ingress")),
        # A default group admits its own members alone.
        (INSIDE, [every(**group("sg-0e000000"))], ("refuses", "ingress")),
        (INSIDE, [every(**group("sg-0a000000"))], ("allows", "all sg-0a000000")),
        (OVER_PEERING, [every(**group("sg-0a000000", PeeringStatus="active"))], ("allows", "all sg-0a000000")),
        (OVER_PEERING, [every(**group("sg-0a000000"))], ("depends", "all sg-0a000000")),  # a transit gateway's option
    ],
)
def test_ingress(flow: Flow, rules: list[Item], expected: tuple[str, str]) -> None:
    assert said(answer(with_rules(INGRESS, *rules), INGRESS, flow)) == expected


def test_a_reference_admits_nothing_that_a_middlebox_forwards() -> None:
    detour = {"DestinationCidrBlock": "10.0.2.0/24", "NetworkInterfaceId": "eni-0f000000", "State": "active"}
    through = with_rules(EGRESS, tcp(**group("sg-0e000000")), routes=(detour,))
    assert said(answer(through, EGRESS, INSIDE)) == ("refuses", "egress")
    assert said(answer(with_rules(EGRESS, tcp(**group("sg-0e000000"))), EGRESS, INSIDE)) is not None


def test_the_rules_of_all_groups_count_together() -> None:
    flow = replace(INSIDE, origin=replace(INSIDE.origin, groups=("sg-0a000001", "sg-0a000002")))
    groups: list[Item] = [
        {"GroupId": "sg-0a000001", "VpcId": VPC, "IpPermissionsEgress": []},
        {"GroupId": "sg-0a000002", "VpcId": VPC, "IpPermissionsEgress": [every(**ranges("0.0.0.0/0"))]},
    ]
    opinion = answer(account(SecurityGroups=groups), EGRESS, flow)
    assert opinion is not None
    assert (opinion.allows, opinion.object) == (True, "sg-0a000002")


@pytest.mark.parametrize(
    ("flow", "groups"),
    [
        (replace(INSIDE, origin=replace(INSIDE.origin, groups=())), []),
        (INSIDE, []),  # a group of another account
        (replace(INSIDE, origin=replace(INSIDE.origin, groups=("sg-0a000000", "sg-09999999"))), ["sg-0a000000"]),
    ],
)
def test_a_group_that_cannot_be_seen_may_allow(flow: Flow, groups: list[str]) -> None:
    seen = [{"GroupId": identity, "VpcId": VPC, "IpPermissionsEgress": []} for identity in groups]
    opinion = answer(account(SecurityGroups=seen), EGRESS, flow)
    assert opinion is not None
    assert opinion.answer == "unknown"


def test_the_element_is_the_rules_id_where_it_can_be_read() -> None:
    rule = {
        "SecurityGroupRuleId": "sgr-0a000001",
        "GroupId": "sg-0a000000",
        "IsEgress": True,
        "IpProtocol": "-1",
        "FromPort": -1,
        "ToPort": -1,
        "CidrIpv4": "0.0.0.0/0",
    }
    readable = with_rules(EGRESS, every(**ranges("0.0.0.0/0")))
    readable.objects["ec2"]["SecurityGroupRules"] = [{**rule, "IsEgress": False, "SecurityGroupRuleId": "no"}, rule]
    assert said(answer(readable, EGRESS, INSIDE)) == ("allows", "sgr-0a000001")
    readable.denied.add("ec2:DescribeSecurityGroupRules")
    assert said(answer(readable, EGRESS, INSIDE)) == ("allows", "all 0.0.0.0/0")


def test_a_prefix_list_that_cannot_be_read_may_contain_the_address() -> None:
    unreadable = with_rules(EGRESS, tcp(**listed("pl-0b000000")))
    unreadable.denied.add("ec2:GetManagedPrefixListEntries")
    opinion = answer(unreadable, EGRESS, INSIDE)
    assert opinion is not None
    assert (opinion.answer, opinion.missing) == ("unknown", "ec2:GetManagedPrefixListEntries")


@pytest.mark.parametrize(
    ("gate", "flow", "command"),
    [
        (EGRESS, INSIDE, '--group-id sg-0a000000 --ip-permissions \'[{"IpProtocol":"tcp","FromPort":443,"ToPort":443,'
         '"UserIdGroupPairs":[{"GroupId":"sg-0e000000"}]}]\''),
        (EGRESS, S3, '"PrefixListIds":[{"PrefixListId":"pl-0a000003"}]'),
        (EGRESS, PUBLIC, '"IpRanges":[{"CidrIp":"0.0.0.0/0"}]'),
        (EGRESS, OVER_PEERING, '"IpRanges":[{"CidrIp":"10.0.2.10/32"}]'),
        (INGRESS, INSIDE, '"UserIdGroupPairs":[{"GroupId":"sg-0a000000"}]'),
        (INGRESS, replace(INSIDE_6, target_vpc=OTHER_VPC), '"Ipv6Ranges":[{"CidrIpv6":"2600:1f18::/64"}]'),
    ],
)  # fmt: skip
def test_the_smallest_rule_mends_it(gate: GateName, flow: Flow, command: str) -> None:
    opinion, after = answer_after_change(with_rules(gate), gate, flow)
    assert command in command_of(opinion)
    assert after.allows, after

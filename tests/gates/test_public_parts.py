"""Public addresses that are not known: what covers all of the internet decides, a part of it decides nothing."""

from __future__ import annotations

from typing import Any

import pytest

from probe.gates.flow import Flow
from probe.model import GateName
from probe.records import replace
from tests.gates.connections import LIST, ORIGIN, PUBLIC, account, answer
from tests.gates.vpc_routes import to, with_routes

Item = dict[str, Any]
DEFAULT = to("0.0.0.0/0", "nat-0c000000")
CUSTOM = "pl-0b000000"
DIALLED = replace(PUBLIC, address="52.1.2.3")


def group(*cidrs: str, lists: tuple[str, ...] = ()) -> Item:
    rule = {
        "IpProtocol": "tcp",
        "FromPort": 443,
        "ToPort": 443,
        "IpRanges": [{"CidrIp": cidr} for cidr in cidrs],
        "PrefixListIds": [{"PrefixListId": identity} for identity in lists],
    }
    return {"GroupId": ORIGIN.groups[0], "IpPermissionsEgress": [rule]}


LISTS: list[Item] = [{"PrefixListId": LIST, "OwnerId": "AWS"}, {"PrefixListId": CUSTOM, "OwnerId": "123456789012"}]
ENTRIES: list[Item] = [
    {"Cidr": "52.216.0.0/15", "_PrefixListId": LIST},
    {"Cidr": "52.0.0.0/8", "_PrefixListId": CUSTOM},
]


@pytest.mark.parametrize(
    ("flow", "rules", "expected", "words"),
    [
        (PUBLIC, group("0.0.0.0/0"), "allows", "to public addresses"),
        (PUBLIC, group("0.0.0.0/1", "128.0.0.0/1"), "allows", "to public addresses"),
        (PUBLIC, group("10.0.0.0/8"), "refuses", "to public addresses"),
        (PUBLIC, group("52.0.0.0/8"), "depends", "443 to 52.0.0.0/8, which is only a part of public addresses"),
        (PUBLIC, group("52.0.0.0/8", "54.0.0.0/8"), "depends", "52.0.0.0/8, 54.0.0.0/8"),
        (PUBLIC, group(lists=(CUSTOM,)), "depends", f"443 to {CUSTOM}"),
        (PUBLIC, group(lists=(LIST,)), "refuses", "to public addresses"),  # another service's addresses
        (DIALLED, group("52.0.0.0/8"), "allows", "to 52.1.2.3"),
        (DIALLED, group("54.0.0.0/8"), "refuses", "to 52.1.2.3"),
    ],
)
def test_a_group(flow: Flow, rules: Item, expected: str, words: str) -> None:
    opinion = answer(
        account(SecurityGroups=[rules], PrefixLists=LISTS, Entries=ENTRIES), GateName.SECURITY_GROUP_EGRESS, flow
    )
    assert opinion is not None
    assert opinion.answer == expected
    assert words in opinion.sentence


def entry(number: int, action: str, cidr: str) -> Item:
    return {"RuleNumber": number, "Protocol": "-1", "RuleAction": action, "Egress": True, "CidrBlock": cidr}


@pytest.mark.parametrize(
    ("flow", "entries", "expected", "words"),
    [
        (PUBLIC, [entry(1, "allow", "0.0.0.0/0")], "allows", "443 to public addresses"),
        (PUBLIC, [entry(1, "deny", "10.0.0.0/8"), entry(2, "allow", "0.0.0.0/0")], "allows", "443 to public addresses"),
        (PUBLIC, [entry(1, "deny", "52.0.0.0/8"), entry(2, "allow", "0.0.0.0/0")], "depends", "entry 1 "),
        (PUBLIC, [entry(1, "allow", "52.0.0.0/8")], "depends", "a part of 443 to public addresses"),
        (PUBLIC, [], "refuses", "443 to public addresses"),
        (DIALLED, [entry(1, "allow", "52.0.0.0/8")], "allows", "443 to 52.1.2.3"),
    ],
)
def test_a_network_acl(flow: Flow, entries: list[Item], expected: str, words: str) -> None:
    acl = {"NetworkAclId": "acl-0a000000", "IsDefault": True, "VpcId": PUBLIC.origin.vpc, "Entries": entries}
    opinion = answer(account(NetworkAcls=[acl]), GateName.NACL_EGRESS, flow)
    assert opinion is not None
    assert opinion.answer == expected
    assert words in opinion.sentence


@pytest.mark.parametrize(
    ("flow", "routes", "expected", "words"),
    [
        (PUBLIC, [to("0.0.0.0/1", "nat-0c000000"), to("128.0.0.0/1", "nat-0c000000")], "allows", "nat-0c000000"),
        (PUBLIC, [to("52.0.0.0/8", "nat-0c000000")], "depends", "public addresses other than 52.0.0.0/8"),
        (PUBLIC, [DEFAULT, to("52.0.0.0/8", "nat-0f000000", "blackhole")], "depends", "52.0.0.0/8 → nat-0f000000"),
        (PUBLIC, [DEFAULT, to("10.9.0.0/16", "nat-0f000000", "blackhole")], "allows", "0.0.0.0/0"),
        (PUBLIC, [DEFAULT, to("52.0.0.0/8", "pcx-0f000000", "blackhole")], "allows", "0.0.0.0/0"),
        (PUBLIC, [to("52.0.0.0/8", "nat-0f000000", "blackhole")], "refuses", "no route to public addresses"),
        (DIALLED, [to("52.0.0.0/8", "nat-0c000000")], "allows", "52.0.0.0/8"),
    ],
)
def test_a_route(flow: Flow, routes: list[Item], expected: str, words: str) -> None:
    opinion = answer(with_routes(*routes), GateName.ROUTE, flow)
    assert opinion is not None
    assert opinion.answer == expected
    assert words in opinion.sentence

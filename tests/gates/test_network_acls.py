"""Network ACLs: four looks, the first entry by number, replies to the ports that Linux uses."""

from __future__ import annotations

from typing import Any

import pytest

from probe.gates.flow import Flow
from probe.model import GateName
from probe.records import replace
from tests.gates.connections import (
    ENDPOINTS,
    INSIDE,
    INSIDE_6,
    S3,
    TASKS,
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
OUT, IN = GateName.NACL_EGRESS, GateName.NACL_INGRESS
BACK_OUT, BACK_IN = GateName.NACL_RETURN_EGRESS, GateName.NACL_RETURN_INGRESS


def entry(number: int, action: str, cidr: str = "0.0.0.0/0", ports: Any = None, protocol: str = "6") -> Item:
    family = "Ipv6CidrBlock" if ":" in cidr else "CidrBlock"
    limits = {"PortRange": {"From": ports[0], "To": ports[1]}} if ports else {}
    return {"RuleNumber": number, "RuleAction": action, "Protocol": protocol, family: cidr, **limits}


ALL = entry(100, "allow", protocol="-1")
ALL_6 = entry(101, "allow", "::/0", protocol="-1")
# The API lists the entries that stand behind all others with these numbers.
LAST = [entry(32767, "deny", protocol="-1"), entry(32768, "deny", "::/0", protocol="-1")]
HTTPS, REPLIES, LINUX = (443, 443), (1024, 65535), (32768, 60999)


def with_entries(gate: GateName, *entries: Item, last: bool = True) -> Account:
    """The ACL that the gate looks at has these entries in its direction; everything else passes."""
    subnet = TASKS if gate in (OUT, BACK_IN) else ENDPOINTS
    egress = gate in (OUT, BACK_OUT)
    own = [{**each, "Egress": egress} for each in (*entries, *(LAST if last else ()))]
    other = [{**each, "Egress": not egress} for each in (ALL, ALL_6)]
    acl = {
        "NetworkAclId": "acl-0a000000",
        "VpcId": VPC,
        "Associations": [{"SubnetId": subnet}],
        "Entries": [*own, *other],
    }
    default = {"NetworkAclId": "acl-0d000000", "VpcId": VPC, "IsDefault": True, "Entries": []}
    subnets: list[Item] = [
        {"SubnetId": TASKS, "VpcId": VPC, "CidrBlock": "10.0.1.0/24"},
        {
            "SubnetId": ENDPOINTS,
            "VpcId": VPC,
            "CidrBlock": "10.0.2.0/24",
            "Ipv6CidrBlockAssociationSet": [{"Ipv6CidrBlock": "2600:1f18:0:2::/64"}],
        },
    ]
    return account(NetworkAcls=[default, acl], Subnets=subnets)


@pytest.mark.parametrize("gate", [OUT, IN])
@pytest.mark.parametrize(
    ("flow", "entries", "expected"),
    [
        (INSIDE, [ALL], ("allows", "100")),
        (INSIDE, [], ("refuses", "*")),
        (INSIDE_6, [ALL], ("refuses", "*")),  # the other family has entries of its own
        (INSIDE_6, [ALL_6], ("allows", "101")),
        (INSIDE, [entry(100, "allow", ports=HTTPS)], ("allows", "100")),
        (INSIDE, [entry(100, "allow", ports=(80, 442))], ("refuses", "*")),
        (INSIDE, [entry(100, "allow", ports=HTTPS, protocol="17")], ("refuses", "*")),
        (INSIDE, [entry(100, "deny", ports=HTTPS, protocol="17"), entry(110, "allow")], ("allows", "110")),
        (INSIDE, [entry(110, "allow"), entry(90, "deny", ports=(400, 500))], ("refuses", "90")),  # by number
        (INSIDE, [entry(90, "allow", ports=HTTPS), entry(100, "deny")], ("allows", "90")),
        (INSIDE, [entry(90, "deny", "192.168.0.0/16"), ALL], ("allows", "100")),
    ],
)
def test_requests(gate: GateName, flow: Flow, entries: list[Item], expected: tuple[str, str]) -> None:
    assert said(answer(with_entries(gate, *entries), gate, flow)) == expected


@pytest.mark.parametrize("gate", [BACK_OUT, BACK_IN])
@pytest.mark.parametrize(
    ("flow", "entries", "expected"),
    [
        (INSIDE, [ALL], ("allows", "100")),
        (INSIDE, [entry(100, "allow", ports=REPLIES)], ("allows", "100")),
        (INSIDE, [entry(100, "allow", ports=HTTPS)], ("refuses", "*")),  # the classic fault
        (INSIDE, [entry(100, "allow", ports=LINUX)], ("depends", "*")),
        (INSIDE, [entry(100, "allow", ports=(32768, 65535))], ("depends", "*")),
        (INSIDE, [entry(100, "allow", ports=(49152, 65535))], ("refuses", "*")),
        (INSIDE, [entry(50, "deny", ports=(3389, 3389)), ALL], ("depends", "50")),
        (INSIDE, [entry(50, "deny", ports=(40000, 41000)), ALL], ("refuses", "50")),
        (INSIDE, [entry(100, "allow", ports=(1024, 40000)), entry(110, "allow", ports=(40001, 65535))],
         ("allows", "100, 110")),
        (INSIDE_6, [entry(100, "allow", ports=REPLIES)], ("refuses", "*")),
        (INSIDE_6, [entry(100, "allow", "::/0", ports=REPLIES)], ("allows", "100")),
    ],
)  # fmt: skip
def test_replies(gate: GateName, flow: Flow, entries: list[Item], expected: tuple[str, str]) -> None:
    assert said(answer(with_entries(gate, *entries), gate, flow)) == expected


WINDOWS = replace(INSIDE, origin=replace(INSIDE.origin, windows=True))


@pytest.mark.parametrize(
    ("ports", "expected"),
    [((1024, 65535), "allows"), ((49152, 65535), "depends"), ((32768, 60999), "refuses"), ((1024, 49151), "refuses")],
)
def test_replies_to_windows(ports: tuple[int, int], expected: str) -> None:
    opinion = answer(with_entries(BACK_IN, entry(100, "allow", ports=ports)), BACK_IN, WINDOWS)
    assert opinion is not None
    assert opinion.answer == expected


@pytest.mark.parametrize(
    ("gate", "flow", "entries", "expected"),
    [
        (IN, INSIDE, [entry(100, "allow", "10.0.1.0/25", HTTPS)], ("depends", "*")),
        (IN, INSIDE, [entry(90, "deny", "10.0.1.128/25"), ALL], ("depends", "90")),
        (IN, at("10.0.1.7"), [entry(90, "deny", "10.0.1.128/25"), ALL], ("allows", "100")),
        (IN, at("10.0.1.200"), [entry(90, "deny", "10.0.1.128/25"), ALL], ("refuses", "90")),
        (IN, INSIDE, [entry(90, "allow", "10.0.1.0/25"), entry(91, "allow", "10.0.1.128/25")], ("allows", "90, 91")),
        (BACK_OUT, INSIDE, [entry(100, "allow", "10.0.1.0/25", REPLIES)], ("depends", "*")),
        (OUT, S3, [entry(100, "allow", "10.0.0.0/8")], ("refuses", "*")),  # the usual ACL of an isolated subnet
        (BACK_IN, S3, [entry(100, "allow", "10.0.0.0/8")], ("refuses", "*")),
        (IN, S3, [], None),  # no interface, so no subnet to enter
        (BACK_OUT, S3, [], None),
    ],
)
def test_parts_of_a_subnet_and_s3(gate: GateName, flow: Flow, entries: list[Item], expected: Any) -> None:
    assert said(answer(with_entries(gate, *entries), gate, flow)) == expected


@pytest.mark.parametrize("gate", [OUT, IN, BACK_OUT, BACK_IN])
def test_no_acl_is_passed_within_a_subnet(gate: GateName) -> None:
    opinion = answer(with_entries(gate), gate, replace(INSIDE, target_subnet=TASKS))
    assert opinion is None or opinion.allows


def test_a_subnet_without_an_association_has_the_default_acl() -> None:
    opinion = answer(with_entries(IN, ALL), OUT, INSIDE)
    assert opinion is not None
    assert (opinion.object, said(opinion)) == ("acl-0d000000", ("refuses", "*"))


def test_the_acl_of_a_shared_subnet_is_not_this_accounts() -> None:
    opinion = answer(account(NetworkAcls=[]), OUT, INSIDE)
    assert opinion is not None
    assert opinion.answer == "unknown"


@pytest.mark.parametrize(
    ("gate", "flow", "entries", "words"),
    [
        (OUT, INSIDE, [entry(100, "allow", ports=(80, 80))],
         "--rule-number 110 --protocol tcp --port-range From=443,To=443 --cidr-block 10.0.2.0/24 "
         "--rule-action allow --egress"),
        (OUT, INSIDE, [entry(100, "deny"), entry(99, "allow", "192.168.0.0/16")], "--rule-number 98 "),
        (OUT, S3, [entry(100, "allow", "10.0.0.0/8")], "--cidr-block 0.0.0.0/0 --rule-action allow --egress"),
        (OUT, INSIDE_6, [ALL], "--ipv6-cidr-block 2600:1f18:0:2::/64"),
        (IN, INSIDE, [entry(32766, "allow", "192.168.0.0/16")], "--rule-number 32765 "),
        (IN, at("10.0.1.7"), [], "--rule-number 10 --protocol tcp --port-range From=443,To=443 "
         "--cidr-block 10.0.1.0/24 --rule-action allow --ingress"),
        (BACK_OUT, INSIDE, [], "--port-range From=1024,To=65535 --cidr-block 10.0.1.0/24 --rule-action allow --egress"),
        (BACK_IN, S3, [entry(7, "deny", ports=(50000, 50000)), ALL],
         "--rule-number 6 --protocol tcp --port-range From=1024,To=65535 --cidr-block 0.0.0.0/0"),
    ],
)  # fmt: skip
def test_one_entry_in_front_of_the_deny_mends_it(gate: GateName, flow: Flow, entries: list[Item], words: str) -> None:
    opinion, after = answer_after_change(with_entries(gate, *entries), gate, flow)
    command = command_of(opinion)
    assert words in command
    assert "--network-acl-id acl-0a000000 " in command
    assert after.allows, after


def test_where_no_number_is_free_there_is_no_change() -> None:
    opinion = answer(with_entries(OUT, entry(1, "deny")), OUT, INSIDE)
    assert opinion is not None
    assert (opinion.refuses, opinion.change) == (True, None)

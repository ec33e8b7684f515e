"""The changes that are proposed: all of them can be made, and what they achieve is said of every endpoint."""

from __future__ import annotations

import re
from typing import Any

from probe.gates.opinion import refuses
from probe.inspect.remedies import Remedy, outcome
from probe.model import GateName
from tests.inspect.vpc import START, healthy_vpc, inspected


def _entry(*, egress: bool) -> dict[str, Any]:
    ports = {"From": 443, "To": 443}
    allow: dict[str, Any] = {"RuleNumber": 100, "Protocol": "6", "RuleAction": "allow", "CidrBlock": "0.0.0.0/0"}
    return {**allow, "Egress": egress, "PortRange": ports}


def test_entries_of_one_network_acl_get_numbers_of_their_own() -> None:
    """The endpoints' range and S3's need an entry each, and EC2 takes a number once."""
    account = healthy_vpc()
    subnets, acls = account.objects["ec2"]["Subnets"], account.objects["ec2"]["NetworkAcls"]
    subnets.append({**subnets[0], "SubnetId": "subnet-0b000000", "CidrBlock": "10.0.2.0/24"})
    association = {"NetworkAclId": "acl-0b000000", "SubnetId": "subnet-0b000000"}
    entries = [_entry(egress=True), _entry(egress=False)]
    acls.append(
        {
            **acls[0],
            "NetworkAclId": "acl-0b000000",
            "IsDefault": False,
            "Associations": [association],
            "Entries": entries,
        }
    )
    (finding,) = inspected(account, "--subnets", "subnet-0b000000", *START[2:]).findings
    fix = finding.causes[0].fix
    assert [re.findall(r"--rule-number (\d+)", command) for command in fix.commands] == [["110"], ["120"]]
    assert fix.note == "With these changes every gate allows."


def test_one_endpoint_that_stays_blocked_is_not_forgotten() -> None:
    mended = Remedy((), None, 0)
    blocked = Remedy((), refuses(GateName.ROUTE, "rtb-1 has no route", cause="tcp.no-route", identity="rtb-1"), 0)
    assert outcome(1, (mended, blocked)) == "With this change the next gate refuses: rtb-1 has no route."
    assert outcome(2, (mended, Remedy((), None, 2))).endswith("no gate that was read refuses; 2 could not be decided.")

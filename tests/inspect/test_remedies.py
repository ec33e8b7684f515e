"""The changes that are proposed: all of them can be made, and what they achieve is said of every endpoint."""

from __future__ import annotations

import re
from typing import Any

import pytest

from probe.configuration.document import Configuration
from probe.configuration.view import View
from probe.gates.changes import Change
from probe.gates.dns_changes import EnablePrivateDns
from probe.gates.network_changes import AddNetworkAclEntry
from probe.gates.opinion import Opinion, refuses
from probe.inspect.command import evaluate, inspect
from probe.inspect.options import read_options
from probe.inspect.remedies import Mend, Remedy, _by_cause, outcome
from probe.model import GateName, Standing
from probe.records import replace
from tests.gates.resolution import API, add_zone, alias
from tests.inspect.vpc import START, Account, healthy_vpc, inspected


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


def test_each_command_is_printed_once_with_the_cause_that_it_mends() -> None:
    """Two causes of one finding: running both lists in a row must not create anything twice."""
    account = healthy_vpc()
    for rule in account.object("sg-0e000000")["IpPermissions"]:
        rule["IpRanges"] = []
    entries = account.objects["ec2"]["NetworkAcls"][0]["Entries"]
    account.objects["ec2"]["Subnets"].append(
        {**account.objects["ec2"]["Subnets"][0], "SubnetId": "subnet-0e000000", "CidrBlock": "10.0.9.0/24"}
    )
    deny = {**_entry(egress=True), "RuleNumber": 50, "RuleAction": "deny", "CidrBlock": "10.0.9.0/24"}
    entries.append(deny)
    account.object("eni-0e000002").update(
        SubnetId="subnet-0e000000", PrivateIpAddress="10.0.9.11", PrivateIpAddresses=[]
    )
    (finding,) = [each for each in inspected(account).findings if each.code == "tcp.silent"]
    fixes = {cause.code: cause.fix for cause in finding.causes if cause.standing is Standing.CONFIRMED}
    commands = [command for fix in fixes.values() for command in fix.commands]
    assert len(commands) == len(set(commands))
    assert all("authorize-security-group-ingress" in each for each in fixes["tcp.security-group"].commands)
    assert all("create-network-acl-entry" in each for each in fixes["tcp.nacl"].commands)
    notes = {fix.note for fix in fixes.values()}
    assert notes == {"With the changes of all these causes every gate allows."}


def test_a_cause_that_another_change_mends_has_no_command_of_its_own() -> None:
    first, second = _refusal("iam.execution-role", _CHANGE), _refusal("policy.vpce.ecr", _OTHER_CHANGE)
    mended = Remedy((Mend(_CHANGE, first.cause),), None, 0)
    assert _by_cause(["iam.execution-role", "policy.vpce.ecr"], [first, second], [mended]) == {
        "iam.execution-role": [_CHANGE],
        "policy.vpce.ecr": [],
    }


def test_what_hides_behind_a_change_follows_it() -> None:
    first, hidden = _refusal("iam.execution-role", _CHANGE), _refusal("iam.scp", _OTHER_CHANGE)
    mended = Remedy((Mend(_CHANGE, first.cause), Mend(_OTHER_CHANGE, hidden.cause)), None, 0)
    assert _by_cause(["iam.execution-role"], [first], [mended]) == {"iam.execution-role": [_CHANGE, _OTHER_CHANGE]}


def test_changes_of_other_endpoints_have_other_numbers() -> None:
    """Each finding has the changes of its endpoints: of one network ACL, EC2 takes a number once."""
    first = AddNetworkAclEntry(object="acl-0a000000", number=90, egress=True, ports=(443, 443), cidr="10.0.1.0/24")
    other = replace(first, cidr="52.216.0.0/15")
    mends = Remedy((Mend(first, "tcp.nacl"), Mend(other, "tcp.nacl")), None, 0).after((first,)).mends
    assert [mend.change for mend in mends] == [first, replace(other, number=100)]


def test_endpoints_of_one_policy_keep_each_others_corrections() -> None:
    """The last document written contains every correction, and the original is saved once, before the first one."""
    account = healthy_vpc()
    role = "arn:aws:iam::123456789012:role/puller"
    denied = ("ecr:GetAuthorizationToken", "ecr:BatchGetImage")
    statements = [{"Effect": "Deny", "Action": action, "Resource": "*"} for action in denied]
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}, *statements]}
    service = {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
    account.replies |= {
        "iam:GetRole puller": {"Role": {"Arn": role, "AssumeRolePolicyDocument": {"Statement": [service]}}},
        "iam:ListRolePolicies": {"PolicyNames": ["pull"]},
        "iam:GetRolePolicy pull puller": {"PolicyDocument": policy},
        "iam:ListAttachedRolePolicies": {"AttachedPolicies": []},
    }
    findings = inspected(account, *START, "--execution-role", role).findings
    commands = list(dict.fromkeys(command for each in findings for command in each.causes[0].fix.commands))
    assert [command.split()[2] for command in commands] == ["get-role-policy", "put-role-policy", "put-role-policy"]
    assert "Deny" not in commands[-1]
    assert all("every gate allows" in (each.causes[0].fix.note or "") for each in findings)


def _amazonaws_zone(*records: dict[str, Any]) -> Account:
    """A zone for all of AWS's names, which is mended for S3 by taking it from the VPC."""
    account = healthy_vpc()
    account.object("vpce-0e000001")["PrivateDnsEnabled"] = False
    add_zone(account, "amazonaws.com", *records)
    return account


@pytest.mark.parametrize("records", [(), (alias(API, "vpce-0e000001"),)], ids=["no record", "a working record"])
def test_the_changes_of_all_endpoints_together_make_every_gate_allow(records: tuple[dict[str, Any], ...]) -> None:
    """The zone's record for ecr.api goes with the zone, so that its private DNS has to be turned on."""
    account = _amazonaws_zone(*records)
    kept: list[Configuration] = []
    options = read_options(START, {"AWS_REGION": account.region})
    verdict = inspect(options, account, keep=kept.append)
    view = View(kept[0], complete=True)
    (part,) = evaluate(view, options).parts
    changes = [mend.change for remedy in part.remedies.values() for mend in remedy.mends]
    (after,) = evaluate(View(view.edited(dict.fromkeys(changes)).configuration, complete=True), options).parts
    assert not [opinion for leg in after.legs for opinion in leg.opinions if opinion.refuses]
    causes = [cause for finding in verdict.findings for cause in finding.causes if cause.standing is Standing.CONFIRMED]
    printed = {command for cause in causes for command in cause.fix.commands}
    assert printed == {command for change in changes for command in change.advice(account.region).commands}


_CHANGE = EnablePrivateDns(object="vpce-0e000001")
_OTHER_CHANGE = EnablePrivateDns(object="vpce-0e000002")


def _refusal(cause: str, change: Change) -> Opinion:
    return refuses(GateName.IDENTITY_POLICY, "no", cause=cause, identity="x", change=change)

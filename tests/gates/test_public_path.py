"""The way out: NAT gateways and instances, public addresses, Block Public Access, firewalls on the route."""

from __future__ import annotations

import json
from typing import Any

import pytest

from probe.gates.flow import Flow
from probe.gates.network_firewall import failure_of
from probe.model import Failure, GateName
from probe.records import replace
from tests.gates.connections import (
    INSIDE,
    LIST,
    ORIGIN,
    PUBLIC,
    S3,
    TASKS,
    VPC,
    answer,
    answer_after_change,
    command_of,
    said,
)
from tests.gates.vpc_routes import EVERYTHING, NAT, NAT_SUBNET, OPEN_ACL, table, to, with_routes
from tests.inspect.vpc import Account

Item = dict[str, Any]
PATH, BLOCK = GateName.PUBLIC_PATH, GateName.BLOCK_PUBLIC_ACCESS
BY_NAT, BY_GATEWAY = to("0.0.0.0/0", "nat-0c000000"), to("0.0.0.0/0", "igw-0a000000")
WITH_ADDRESS = replace(PUBLIC, origin=replace(ORIGIN, public_address=True))
WITHOUT_ADDRESS = replace(PUBLIC, origin=replace(ORIGIN, public_address=False))
OF_WINDOWS = replace(PUBLIC, origin=replace(ORIGIN, windows=True))
PUBLIC_6 = replace(PUBLIC, address="2001:db8::1")


def nat_routes(*routes: Item) -> dict[str, list[Item]]:
    """The NAT gateway's subnet has these routes."""
    own = table("rtb-0a000000", BY_NAT, subnet=TASKS)
    return {"RouteTables": [own, table("rtb-0c000000", *routes, subnet=NAT_SUBNET), table("rtb-0d000000")]}


def nat_acl(*entries: Item) -> dict[str, list[Item]]:
    """The NAT gateway's subnet has an ACL with these entries in front of those that allow everything."""
    acl = {"NetworkAclId": "acl-0c000000", "VpcId": VPC, "Associations": [{"SubnetId": NAT_SUBNET}]}
    return {"NetworkAcls": [OPEN_ACL, {**acl, "Entries": [*entries, *EVERYTHING]}]}


def denied(cidr: str, first: int, last: int, *, egress: bool) -> Item:
    ports = {"From": first, "To": last}
    return {
        "RuleNumber": 50, "Egress": egress, "Protocol": "6", "RuleAction": "deny", "CidrBlock": cidr, "PortRange": ports
    }  # fmt: skip


@pytest.mark.parametrize(
    ("flow", "routes", "objects", "expected"),
    [
        (INSIDE, [], {}, None),
        (PUBLIC, [], {}, None),  # the route's gate says that there is none
        (S3, [to(LIST, "vpce-0e000009")], {}, None),
        (PUBLIC, [to("0.0.0.0/0", "tgw-0a000000")], {}, None),
        (PUBLIC, [BY_NAT], {}, ("allows", "0.0.0.0/0")),
        (S3, [BY_NAT], {}, ("allows", "0.0.0.0/0")),
        (PUBLIC, [BY_NAT], {"NatGateways": [{**NAT, "State": "failed"}]}, ("refuses", "0.0.0.0/0")),
        (PUBLIC, [BY_NAT], {"NatGateways": [{**NAT, "State": "pending"}]}, ("refuses", "0.0.0.0/0")),
        (PUBLIC, [BY_NAT], {"NatGateways": [{**NAT, "ConnectivityType": "private"}]}, ("refuses", "0.0.0.0/0")),
        (PUBLIC, [BY_NAT], {"NatGateways": []}, ("unknown", None)),
        (PUBLIC, [BY_NAT], nat_routes(), ("refuses", "0.0.0.0/0")),
        (PUBLIC, [BY_NAT], nat_routes(BY_NAT), ("refuses", "0.0.0.0/0")),  # a NAT gateway in a private subnet
        (PUBLIC, [BY_NAT], nat_routes(to("0.0.0.0/0", "igw-0a000000", "blackhole")), ("refuses", "0.0.0.0/0")),
        (PUBLIC, [BY_NAT], nat_routes(to("0.0.0.0/0", "tgw-0a000000")), ("depends", "0.0.0.0/0")),
        (S3, [BY_NAT], nat_routes(BY_GATEWAY, to(LIST, "vpce-0e000009")), ("depends", LIST)),
        (PUBLIC, [BY_NAT], nat_acl(denied("10.0.1.0/24", 443, 443, egress=False)), ("refuses", "50")),
        (PUBLIC, [BY_NAT], nat_acl(denied("0.0.0.0/0", 443, 443, egress=True)), ("refuses", "50")),
        (PUBLIC, [BY_NAT], nat_acl(denied("0.0.0.0/0", 1024, 65535, egress=False)), ("refuses", "50")),
        (PUBLIC, [BY_NAT], nat_acl(denied("10.0.0.0/8", 32768, 65535, egress=True)), ("refuses", "50")),
        (PUBLIC, [BY_NAT], nat_acl(denied("0.0.0.0/0", 1024, 2000, egress=False)), ("depends", "50")),
        (OF_WINDOWS, [BY_NAT], nat_acl(denied("10.0.0.0/8", 1024, 49151, egress=True)), ("depends", "50")),
        (OF_WINDOWS, [BY_NAT], nat_acl(denied("10.0.0.0/8", 49152, 65535, egress=True)), ("refuses", "50")),
        (PUBLIC, [BY_NAT], nat_acl(denied("10.9.0.0/16", 0, 65535, egress=False)), ("allows", "0.0.0.0/0")),
        (WITH_ADDRESS, [BY_GATEWAY], {}, ("allows", "0.0.0.0/0")),
        (WITHOUT_ADDRESS, [BY_GATEWAY], {}, ("refuses", "0.0.0.0/0")),
        (PUBLIC, [BY_GATEWAY], {}, ("depends", "0.0.0.0/0")),
        (PUBLIC_6, [to("::/0", "igw-0a000000")], {}, ("allows", "::/0")),  # IPv6 needs no translation
        (PUBLIC_6, [to("::/0", "eigw-0a000000")], {}, ("allows", "::/0")),
        (PUBLIC, [to("0.0.0.0/0", "vpce-0f000000")], {}, ("allows", "0.0.0.0/0")),  # firewall, then NAT
    ],
)
def test_public_path(flow: Flow, routes: list[Item], objects: dict[str, list[Item]], expected: Any) -> None:
    assert said(answer(with_routes(*routes, **objects), PATH, flow)) == expected


def regional(*associations: Item) -> Account:
    nat = {key: value for key, value in NAT.items() if key != "SubnetId"}
    tables = [
        table("rtb-0a000000", BY_NAT, subnet=TASKS),
        {**table("rtb-0c000000", BY_GATEWAY), "Associations": list(associations)},
        table("rtb-0d000000"),
    ]
    return with_routes(RouteTables=tables, NatGateways=[{**nat, "AvailabilityMode": "regional"}])


def test_a_regional_nat_gateway_has_a_route_table_of_its_own() -> None:
    assert said(answer(regional({"GatewayId": "nat-0c000000"}), PATH, PUBLIC)) == ("allows", "0.0.0.0/0")
    assert said(answer(regional(), PATH, PUBLIC)) == ("depends", "0.0.0.0/0")


@pytest.mark.parametrize(("checked", "expected"), [(True, "refuses"), (False, "depends")])
def test_a_nat_instance(checked: bool, expected: str) -> None:
    interface = {"NetworkInterfaceId": "eni-0c000000", "VpcId": VPC, "SourceDestCheck": checked}
    account = with_routes(to("0.0.0.0/0", "eni-0c000000"), NetworkInterfaces=[interface])
    opinion = answer(account, PATH, PUBLIC)
    assert opinion is not None
    assert (opinion.answer, opinion.object) == (expected, "eni-0c000000")
    if checked:
        opinion, after = answer_after_change(account, PATH, PUBLIC)
        assert opinion.cause == "tcp.nat-device"
        assert "--network-interface-id eni-0c000000 --no-source-dest-check" in command_of(opinion)
        assert after.answer == "depends"  # what it forwards remains unknown


# ---- Block Public Access -------------------------------------------------------------------------------------------


def blocked(account: Account, mode: str, *exclusions: tuple[str, str], **options: str) -> Account:
    account.replies["ec2:DescribeVpcBlockPublicAccessOptions"] = {
        "VpcBlockPublicAccessOptions": {"InternetGatewayBlockMode": mode, **options}
    }
    account.objects["ec2"]["VpcBlockPublicAccessExclusions"] = [
        {
            "ExclusionId": "vpcbpa-exclude-1",
            "InternetGatewayExclusionMode": allowing,
            "ResourceArn": f"arn:aws:ec2:us-east-1:123456789012:{'vpc' if identity == VPC else 'subnet'}/{identity}",
            "State": "create-complete",
        }
        for identity, allowing in exclusions
    ]
    return account


BOTH, IN = "block-bidirectional", "block-ingress"


@pytest.mark.parametrize(
    ("flow", "routes", "mode", "exclusions", "expected"),
    [
        (INSIDE, [], BOTH, [], None),
        (S3, [to(LIST, "vpce-0e000009")], BOTH, [], None),  # endpoints are not blocked
        (PUBLIC, [], BOTH, [], None),
        (PUBLIC, [BY_NAT], "off", [], ("allows", "off")),
        (PUBLIC, [BY_NAT], BOTH, [], ("refuses", BOTH)),
        (PUBLIC, [BY_NAT], IN, [], ("allows", IN)),
        (WITH_ADDRESS, [BY_GATEWAY], BOTH, [], ("refuses", BOTH)),
        (WITH_ADDRESS, [BY_GATEWAY], IN, [], ("refuses", IN)),
        (WITHOUT_ADDRESS, [BY_GATEWAY], BOTH, [], ("refuses", BOTH)),
        (PUBLIC_6, [to("::/0", "eigw-0a000000")], BOTH, [], ("refuses", BOTH)),
        (PUBLIC_6, [to("::/0", "eigw-0a000000")], IN, [], ("allows", IN)),
        (PUBLIC, [BY_NAT], BOTH, [(VPC, "allow-egress")], ("allows", "vpcbpa-exclude-1")),
        (PUBLIC, [BY_NAT], BOTH, [(NAT_SUBNET, "allow-egress")], ("allows", "vpcbpa-exclude-1")),
        (PUBLIC, [BY_NAT], BOTH, [(TASKS, "allow-bidirectional")], ("refuses", BOTH)),  # not the NAT gateway's subnet
        (PUBLIC, [BY_NAT], BOTH, [("vpc-0b000000", "allow-egress")], ("refuses", BOTH)),
        (WITH_ADDRESS, [BY_GATEWAY], IN, [(TASKS, "allow-egress")], ("refuses", IN)),  # has no effect in this mode
        (WITH_ADDRESS, [BY_GATEWAY], IN, [(TASKS, "allow-bidirectional")], ("allows", "vpcbpa-exclude-1")),
        (PUBLIC, [to("0.0.0.0/0", "vpce-0f000000")], BOTH, [(VPC, "allow-egress")], ("depends", "vpcbpa-exclude-1")),
    ],
)
def test_block_public_access(
    flow: Flow, routes: list[Item], mode: str, exclusions: list[tuple[str, str]], expected: Any
) -> None:
    assert said(answer(blocked(with_routes(*routes), mode, *exclusions), BLOCK, flow)) == expected


def test_an_exclusion_that_is_not_complete_is_not_in_force() -> None:
    account = blocked(with_routes(BY_NAT), BOTH, (VPC, "allow-egress"))
    account.objects["ec2"]["VpcBlockPublicAccessExclusions"][0]["State"] = "delete-complete"
    assert said(answer(account, BLOCK, PUBLIC)) == ("refuses", BOTH)


def test_the_smallest_exclusion_mends_it() -> None:
    opinion, after = answer_after_change(blocked(with_routes(BY_NAT), BOTH), BLOCK, PUBLIC)
    assert f"--subnet-id {NAT_SUBNET} --internet-gateway-exclusion-mode allow-egress" in command_of(opinion)
    assert after.allows
    opinion, after = answer_after_change(blocked(with_routes(BY_GATEWAY), IN), BLOCK, WITH_ADDRESS)
    assert f"--subnet-id {TASKS} --internet-gateway-exclusion-mode allow-bidirectional" in command_of(opinion)
    assert after.allows
    forbidden = answer(blocked(with_routes(BY_NAT), BOTH, ExclusionsAllowed="not-allowed"), BLOCK, PUBLIC)
    assert forbidden is not None
    assert forbidden.change is None


# ---- firewalls -----------------------------------------------------------------------------------------------------

FIREWALL = GateName.NETWORK_FIREWALL
_ARN = "arn:aws:network-firewall:us-east-1:123456789012"
THROUGH = to("0.0.0.0/0", "vpce-0f000000")
SFE = {"StatelessDefaultActions": ["aws:forward_to_sfe"]}
STRICT = {**SFE, "StatefulEngineOptions": {"RuleOrder": "STRICT_ORDER"}}


def domains(kind: str, *targets: str, types: tuple[str, ...] = ("TLS_SNI",)) -> Item:
    return {"RulesSourceList": {"GeneratedRulesType": kind, "Targets": list(targets), "TargetTypes": list(types)}}


def firewalled(policy: Item, *sources: Item, route: Item = THROUGH, endpoint: str = "vpce-0f000000") -> Account:
    account = with_routes(route)
    arns = [f"{_ARN}:stateful-rulegroup/g{number}" for number in range(len(sources))]
    references = [{"ResourceArn": arn, "Priority": number + 1} for number, arn in enumerate(arns)]
    account.objects["network-firewall"] = {"Firewalls": [{"FirewallArn": f"{_ARN}:firewall/f", "FirewallName": "f"}]}
    account.replies |= {
        "network-firewall:DescribeFirewall": {
            "Firewall": {"FirewallName": "f", "FirewallPolicyArn": f"{_ARN}:firewall-policy/p"},
            "FirewallStatus": {"SyncStates": {"us-east-1a": {"Attachment": {"EndpointId": endpoint}}}},
        },
        "network-firewall:DescribeFirewallPolicy": {
            "FirewallPolicy": {"StatefulRuleGroupReferences": references, **policy}
        },
        **{
            f"network-firewall:DescribeRuleGroup {arn}": {"RuleGroup": {"RulesSource": source}}
            for arn, source in zip(arns, sources, strict=True)
        },
    }
    return account


OURS, ALL_AWS = INSIDE.host, ".amazonaws.com"
SURICATA = {"RulesString": "pass tls any any -> any any (sid:1;)"}


@pytest.mark.parametrize(
    ("policy", "sources", "expected"),
    [
        (SFE, [], "allows"),
        (SFE, [domains("ALLOWLIST", ALL_AWS)], "allows"),
        (SFE, [domains("ALLOWLIST", OURS)], "allows"),
        (SFE, [domains("ALLOWLIST", "amazonaws.com")], "refuses"),  # that name alone
        (SFE, [domains("ALLOWLIST", ".Amazonaws.COM")], "allows"),
        (SFE, [domains("ALLOWLIST", ".ws.com")], "refuses"),  # a part of a label is no domain
        (SFE, [domains("ALLOWLIST", ".example.com", types=("HTTP_HOST",))], "allows"),  # looks at plain HTTP alone
        (SFE, [domains("DENYLIST", ALL_AWS)], "refuses"),
        (SFE, [domains("REJECTLIST", ALL_AWS)], "refuses"),
        (SFE, [domains("ALERTLIST", ALL_AWS)], "allows"),
        (SFE, [domains("DENYLIST", ".example.com")], "allows"),
        (SFE, [domains("DENYLIST", ALL_AWS), domains("ALLOWLIST", OURS)], "allows"),  # every pass comes first
        (SFE, [domains("ALLOWLIST", ".example.com"), domains("ALLOWLIST", OURS)], "allows"),
        (SFE, [SURICATA], "depends"),
        (SFE, [SURICATA, domains("DENYLIST", ALL_AWS)], "depends"),
        (STRICT, [domains("DENYLIST", ALL_AWS), domains("ALLOWLIST", OURS)], "refuses"),
        (STRICT, [domains("ALLOWLIST", OURS), SURICATA], "allows"),
        (STRICT, [domains("ALLOWLIST", ".example.com")], "allows"),
        ({**STRICT, "StatefulDefaultActions": ["aws:drop_established"]}, [domains("ALLOWLIST", ".example.com")],
         "refuses"),
        ({**STRICT, "StatefulDefaultActions": ["aws:alert_strict"]}, [], "allows"),
        ({"StatelessDefaultActions": ["aws:drop"]}, [], "refuses"),
        ({"StatelessDefaultActions": ["aws:pass"]}, [domains("DENYLIST", ALL_AWS)], "allows"),
    ],
)  # fmt: skip
def test_network_firewall(policy: Item, sources: list[Item], expected: str) -> None:
    opinion = answer(firewalled(policy, *sources), FIREWALL, PUBLIC)
    assert opinion is not None
    assert opinion.answer == expected
    assert (opinion.cause == "path.egress-firewall") is opinion.refuses


@pytest.mark.parametrize(
    ("policy", "sources", "failure"),
    [
        (SFE, [domains("DENYLIST", ALL_AWS)], Failure.TLS_STALL),
        (SFE, [domains("ALLOWLIST", ".example.com")], Failure.TLS_STALL),
        (SFE, [domains("REJECTLIST", ALL_AWS)], Failure.TLS_RESET),
        ({"StatelessDefaultActions": ["aws:drop"]}, [], Failure.TIMEOUT),
        ({**STRICT, "StatefulDefaultActions": ["aws:drop_strict"]}, [], Failure.TIMEOUT),
        ({**STRICT, "StatefulDefaultActions": ["aws:drop_established"]}, [], Failure.TLS_STALL),
    ],
)
def test_a_list_lets_the_handshake_of_tcp_pass(policy: Item, sources: list[Item], failure: Failure) -> None:
    opinion = answer(firewalled(policy, *sources), FIREWALL, PUBLIC)
    assert opinion is not None
    assert failure_of(opinion) is failure


@pytest.mark.parametrize(
    ("policy", "sources", "targets"),
    [
        (SFE, [domains("ALLOWLIST", ".example.com")], [".example.com", OURS]),
        (SFE, [domains("DENYLIST", ALL_AWS, ".example.com")], [".example.com"]),
        ({**STRICT, "StatefulDefaultActions": ["aws:drop_established"]}, [domains("ALLOWLIST", ".example.com")],
         [".example.com", OURS]),
    ],
)  # fmt: skip
def test_a_list_is_edited(policy: Item, sources: list[Item], targets: list[str]) -> None:
    opinion, after = answer_after_change(firewalled(policy, *sources), FIREWALL, PUBLIC)
    assert f"--rule-group-arn {_ARN}:stateful-rulegroup/g0 " in command_of(opinion)
    assert f'"Targets":{json.dumps(targets, separators=(",", ":"))}' in command_of(opinion)
    assert after.allows


@pytest.mark.parametrize("place", ["group", "policy"])
@pytest.mark.parametrize(("home", "decided"), [("10.0.0.0/16", True), ("10.0.1.0/25", False), ("10.99.0.0/16", False)])
@pytest.mark.parametrize("policy", [SFE, {**STRICT, "StatefulDefaultActions": ["aws:drop_established"]}])
def test_a_domain_list_decides_about_what_comes_from_its_home(
    place: str, home: str, decided: bool, policy: Item
) -> None:
    variables = {"HOME_NET": {"Definition": [home]}}
    of_policy = {"PolicyVariables": {"RuleVariables": variables}} if place == "policy" else {}
    for target, expected in ((ALL_AWS, "allows"), (".example.com", "refuses")):
        account = firewalled({**policy, **of_policy}, domains("ALLOWLIST", target))
        if place == "group":
            group = account.replies[f"network-firewall:DescribeRuleGroup {_ARN}:stateful-rulegroup/g0"]["RuleGroup"]
            group["RuleVariables"] = {"IPSets": variables}
        opinion = answer(account, FIREWALL, PUBLIC)
        assert opinion is not None
        assert opinion.answer == (expected if decided else "depends")


def stateless(action: str, **attributes: Any) -> Item:
    rule = {"Priority": 1, "RuleDefinition": {"MatchAttributes": attributes, "Actions": [action]}}
    return {"StatelessRulesAndCustomActions": {"StatelessRules": [rule]}}


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({}, "refuses"),
        ({"Protocols": [17]}, "allows"),
        ({"Protocols": [6], "DestinationPorts": [{"FromPort": 443, "ToPort": 443}]}, "refuses"),
        ({"DestinationPorts": [{"FromPort": 80, "ToPort": 80}]}, "allows"),
        ({"Sources": [{"AddressDefinition": "10.0.0.0/16"}]}, "refuses"),
        ({"Sources": [{"AddressDefinition": "10.0.1.0/25"}]}, "depends"),
        ({"Destinations": [{"AddressDefinition": "10.0.0.0/8"}]}, "allows"),
        ({"SourcePorts": [{"FromPort": 1024, "ToPort": 65535}]}, "depends"),
    ],
)
def test_stateless_rules(attributes: Item, expected: str) -> None:
    arn = f"{_ARN}:stateless-rulegroup/s"
    account = firewalled({**SFE, "StatelessRuleGroupReferences": [{"ResourceArn": arn, "Priority": 1}]})
    reply = {"RuleGroup": {"RulesSource": stateless("aws:drop", **attributes)}}
    account.replies[f"network-firewall:DescribeRuleGroup {arn}"] = reply
    opinion = answer(account, FIREWALL, PUBLIC)
    assert opinion is not None
    assert opinion.answer == expected


@pytest.mark.parametrize(
    ("flow", "route", "expected", "words"),
    [
        (PUBLIC, BY_NAT, "allows", "no firewall"),
        (INSIDE, BY_NAT, "allows", "no firewall"),
        (INSIDE, to("10.0.2.0/24", "vpce-0f000000"), "depends", "gateway load balancer"),
        (PUBLIC, THROUGH, "depends", "vpce-svc-0f000000"),
        (INSIDE, to("10.0.2.0/24", "eni-0f000000"), "depends", "eni-0f000000"),
        (replace(INSIDE, target_subnet=TASKS), to("10.0.2.0/24", "eni-0f000000"), "allows", "no firewall"),
    ],
)
def test_other_appliances_are_named(flow: Flow, route: Item, expected: str, words: str) -> None:
    opinion = answer(firewalled(SFE, route=route, endpoint="vpce-0b000000"), FIREWALL, flow)
    assert opinion is not None
    assert opinion.answer == expected
    assert words in opinion.sentence


def test_a_proxy_that_a_nat_gateway_uses_is_named() -> None:
    appliance = {"Type": "network-firewall-proxy", "AttachmentState": "attached", "ApplianceArn": f"{_ARN}:proxy/p"}
    opinion = answer(with_routes(BY_NAT, NatGateways=[{**NAT, "AttachedAppliances": [appliance]}]), FIREWALL, PUBLIC)
    assert opinion is not None
    assert (opinion.answer, opinion.object) == ("depends", f"{_ARN}:proxy/p")

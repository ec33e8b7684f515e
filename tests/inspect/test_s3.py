"""S3 as `inspect` sees it: its addresses are in no name's answer, its gateway endpoint is in a route table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from probe.model import GateAnswer, GateName, Standing, Status, Verdict
from tests.inspect.vpc import Account, healthy_vpc, inspected

GATEWAY, TABLE, ACL, GROUP, LIST = "vpce-0e000009", "rtb-0a000000", "acl-0a000000", "sg-0a000000", "pl-0a000003"


def change(identity: str, **members: Any) -> Callable[[Account], None]:
    return lambda account: account.object(identity).update(members)


def without(kind: str, identity: str) -> Callable[[Account], None]:
    def remove(account: Account) -> None:
        account.objects["ec2"][kind].remove(account.object(identity))

    return remove


LOCAL = {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "State": "active"}
NO_ROUTE = change(TABLE, Routes=[LOCAL])
TO_VPC = {"RuleNumber": 100, "Protocol": "-1", "RuleAction": "allow", "CidrBlock": "10.0.0.0/8"}
HALVES = ("52.216.0.0/16", "52.217.0.0/16", "54.231.0.0/17", "54.231.128.0/17")
INTERFACE = {
    "VpcEndpointId": "vpce-0e000008",
    "VpcEndpointType": "Interface",
    "VpcId": "vpc-0a000000",
    "ServiceName": "com.amazonaws.us-east-1.s3",
    "State": "available",
    "PrivateDnsEnabled": False,
}


def only_an_interface(account: Account) -> None:
    without("VpcEndpoints", GATEWAY)(account)
    NO_ROUTE(account)
    account.objects["ec2"]["VpcEndpoints"].append(INTERFACE)


def nowhere(account: Account) -> None:
    without("VpcEndpoints", GATEWAY)(account)
    NO_ROUTE(account)


@pytest.mark.parametrize(
    ("break_it", "cause", "identity", "command"),
    [
        (NO_ROUTE, "s3.route-table-not-associated", GATEWAY,
         f"modify-vpc-endpoint --region us-east-1 --vpc-endpoint-id {GATEWAY} --add-route-table-ids {TABLE}"),
        (nowhere, "endpoint.missing.s3", "vpc-0a000000",
         "create-vpc-endpoint --region us-east-1 --vpc-id vpc-0a000000 --vpc-endpoint-type Gateway --service-name "
         f"com.amazonaws.us-east-1.s3 --route-table-ids {TABLE}"),
        (only_an_interface, "endpoint.s3-interface-not-gateway", "vpce-0e000008", f"--route-table-ids {TABLE}"),
        (change(GROUP, IpPermissionsEgress=[{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}]),
         "tcp.security-group-s3-egress", GROUP, f'"PrefixListIds":[{{"PrefixListId":"{LIST}"}}]'),
        (change(ACL, Entries=[{**TO_VPC, "Egress": True}, {**TO_VPC, "Egress": False}]), "tcp.nacl", ACL,
         f"--network-acl-id {ACL} --rule-number 110 --protocol tcp --port-range From=443,To=443"),
    ],
)  # fmt: skip
def test_the_cause_is_confirmed_with_its_object(
    break_it: Callable[[Account], None], cause: str, identity: str, command: str
) -> None:
    account = healthy_vpc()
    break_it(account)
    verdict = inspected(account)
    assert verdict.status is Status.FAIL
    (finding,) = [finding for finding in verdict.findings if finding.code == "s3.silent"]
    first = finding.causes[0]
    assert (first.code, first.standing, first.object) == (cause, Standing.CONFIRMED, identity)
    assert command in first.fix.commands[0]


def test_a_healthy_gateway_confirms_nothing_and_shows_its_route() -> None:
    verdict = inspected(healthy_vpc())
    assert verdict.status is Status.PASS
    assert not [finding for finding in verdict.findings if finding.code.startswith("s3.")]
    route = _gate(verdict, GateName.ROUTE)
    assert (route.answer, route.object, route.element, route.address) == (
        GateAnswer.ALLOWS, TABLE, LIST, "52.216.0.0"
    )  # fmt: skip


def by_nat(account: Account) -> None:
    """S3's packets leave by a NAT gateway: the gateway endpoint is not in the route table."""
    account.object(TABLE)["Routes"] = [LOCAL, {"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-0c000000"}]
    way_out = {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-0a000000", "State": "active"}
    subnet = {"SubnetId": "subnet-0c000000"}
    account.objects["ec2"]["RouteTables"].append(
        {"RouteTableId": "rtb-0c000000", "VpcId": "vpc-0a000000", "Associations": [subnet], "Routes": [LOCAL, way_out]}
    )
    nat = {"NatGatewayId": "nat-0c000000", "VpcId": "vpc-0a000000", "State": "available"}
    account.objects["ec2"]["NatGateways"] = [{**nat, **subnet, "ConnectivityType": "public"}]
    off = {"VpcBlockPublicAccessOptions": {"InternetGatewayBlockMode": "off"}}
    account.replies["ec2:DescribeVpcBlockPublicAccessOptions"] = off


def test_a_way_past_the_gateway_is_judged_as_a_check_judges_it() -> None:
    account = healthy_vpc()
    by_nat(account)
    verdict = inspected(account)
    (finding,) = [finding for finding in verdict.findings if finding.code == "s3.route-undetermined"]
    standings = [(cause.code, cause.standing, cause.object) for cause in finding.causes]
    assert standings == [
        ("s3.route-table-not-associated", Standing.CONFIRMED, GATEWAY),
        ("endpoint.missing.s3", Standing.RULED_OUT, None),
    ]
    assert verdict.exit_code == 0


def test_with_another_way_out_a_missing_gateway_explains_no_silence() -> None:
    account = healthy_vpc()
    by_nat(account)
    account.object(GROUP)["IpPermissionsEgress"] = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}]
    (finding,) = [finding for finding in inspected(account).findings if finding.code == "s3.silent"]
    confirmed = [cause.code for cause in finding.causes if cause.standing is Standing.CONFIRMED]
    assert confirmed == ["tcp.security-group-s3-egress"]


def only_to(*ranges: str) -> Callable[[Account], None]:
    """The task's group lets out to the VPC, and to these ranges."""
    rules = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": each}]} for each in ("10.0.0.0/8", *ranges)]
    return change(GROUP, IpPermissionsEgress=rules)


TO_NOWHERE = {"DestinationCidrBlock": "52.216.8.0/24", "NatGatewayId": "nat-0c000000", "State": "blackhole"}
INSIDE = {"Protocol": "-1", "RuleAction": "deny", "CidrBlock": "54.231.9.0/24", "RuleNumber": 90, "Egress": False}


@pytest.mark.parametrize(
    ("mutate", "name", "passed", "stopped"),
    [
        (only_to("54.231.0.0/16"), GateName.SECURITY_GROUP_EGRESS, ["54.231.0.0"], ["52.216.0.0"]),
        (only_to("52.216.0.0/15", "54.231.128.0/17"), GateName.SECURITY_GROUP_EGRESS,
         ["52.216.0.0", "54.231.128.0"], ["54.231.0.0"]),
        (lambda account: account.object(TABLE)["Routes"].append(TO_NOWHERE), GateName.ROUTE,
         ["52.216.0.0"], ["52.216.8.0"]),
        (lambda account: account.object(ACL)["Entries"].append(INSIDE), GateName.NACL_RETURN_INGRESS,
         ["52.216.0.0"], ["54.231.9.0"]),
    ],
)  # fmt: skip
def test_what_stops_a_part_of_s3_is_undecided_and_has_rows_of_its_own(
    mutate: Callable[[Account], None], name: GateName, passed: list[str], stopped: list[str]
) -> None:
    account = healthy_vpc()
    mutate(account)
    verdict = inspected(account)
    answers = {str(gate.address): gate.answer for gate in _gates(verdict, name)}
    assert [address for address, answer in answers.items() if answer is GateAnswer.DEPENDS] == stopped
    assert [address for address in passed if answers[address] is GateAnswer.ALLOWS] == passed
    assert verdict.status is Status.INCONCLUSIVE


def test_a_narrower_route_is_at_fault_and_not_the_gateway() -> None:
    account = healthy_vpc()
    account.object(TABLE)["Routes"] += [{**TO_NOWHERE, "DestinationCidrBlock": each} for each in HALVES]
    (finding,) = [finding for finding in inspected(account).findings if finding.code == "s3.silent"]
    confirmed = [(cause.code, cause.object) for cause in finding.causes if cause.standing is Standing.CONFIRMED]
    assert confirmed == [("tcp.no-route", TABLE)]
    assert finding.causes[0].fix.commands == ()  # a default route mends no narrower one
    assert TABLE in finding.causes[0].fix.text


@pytest.mark.parametrize("call", ["ec2:DescribeManagedPrefixLists", "ec2:GetManagedPrefixListEntries"])
def test_without_s3s_addresses_the_way_is_unknown(call: str) -> None:
    account = healthy_vpc()
    account.denied.add(call)
    verdict = inspected(account)
    assert verdict.status is Status.INCONCLUSIVE
    assert call in {gate.missing for gate in verdict.gates if gate.endpoint == "s3"}


def _gates(verdict: Verdict, name: GateName) -> list[Any]:
    return [gate for gate in verdict.gates if gate.endpoint == "s3" and gate.gate is name]


def _gate(verdict: Verdict, name: GateName) -> Any:
    (gate,) = _gates(verdict, name)
    return gate


def test_a_deleted_nat_gateway_leaves_the_gateway_endpoint_missing_whatever_else_is_unread() -> None:
    account = healthy_vpc()
    nowhere(account)
    account.object(TABLE)["Routes"].append(
        {"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-0a000001", "State": "active"}
    )
    nat = {"NatGatewayId": "nat-0a000001", "VpcId": "vpc-0a000000", "SubnetId": "subnet-0c000000", "State": "deleted"}
    account.objects["ec2"]["NatGateways"] = [nat]
    out = {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-0a000001", "State": "active"}
    association = {"SubnetId": "subnet-0c000000", "RouteTableId": "rtb-0c000000"}
    account.objects["ec2"]["RouteTables"].append(
        {
            "RouteTableId": "rtb-0c000000",
            "VpcId": "vpc-0a000000",
            "Associations": [association],
            "Routes": [LOCAL, out],
        }
    )
    account.denied.add("ec2:DescribeVpcBlockPublicAccessOptions")
    (finding,) = [finding for finding in inspected(account).findings if finding.code == "s3.silent"]
    confirmed = [cause.code for cause in finding.causes if cause.standing is Standing.CONFIRMED]
    assert confirmed == ["endpoint.missing.s3", "tcp.no-route"]

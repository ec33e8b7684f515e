"""Verdicts of `inspect` for tests of what people see: a fault each, in one subnet or in several."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy

from probe.model import Verdict
from tests.inspect.vpc import IMAGE, Account, healthy_vpc, inspected


def healthy() -> Verdict:
    return inspected(healthy_vpc())


def closed_group() -> Verdict:
    account = healthy_vpc()
    account.object("sg-0e000000")["IpPermissions"] = []
    return inspected(account)


def no_private_dns() -> Verdict:
    account = healthy_vpc()
    account.object("vpce-0e000001")["PrivateDnsEnabled"] = False
    return inspected(account)


def no_route_to_s3() -> Verdict:
    account = healthy_vpc()
    account.objects["ec2"]["RouteTables"][0]["Routes"].pop()
    return inspected(account)


def unread() -> Verdict:
    account = healthy_vpc()
    account.denied |= {"ec2:DescribeNetworkAcls", "ec2:DescribeSecurityGroups", "ec2:DescribeRouteTables"}
    return inspected(account)


def one_of_three_subnets() -> Verdict:
    """The network ACL of one subnet lets nothing out."""
    return in_subnets(3)


def in_subnets(number: int) -> Verdict:
    """The same with so many subnets."""
    account = healthy_vpc()
    (first,), (acl,) = account.objects["ec2"]["Subnets"], account.objects["ec2"]["NetworkAcls"]
    closed = {**deepcopy(acl), "NetworkAclId": "acl-0b000000", "IsDefault": False, "Associations": []}
    closed["Entries"] = [entry for entry in closed["Entries"] if not entry["Egress"]]
    account.objects["ec2"]["NetworkAcls"].append(closed)
    names = [first["SubnetId"]]
    for count in range(1, number):
        name, place = f"subnet-0b{count:06x}", {"AvailabilityZone": f"us-east-1{'ab'[count % 2]}"}
        cidr = f"10.0.{2 + count // 8}.{count % 8 * 32}/27"
        account.objects["ec2"]["Subnets"].append({**first, "SubnetId": name, "CidrBlock": cidr, **place})
        own = closed if count == 1 else acl
        own["Associations"].append({"NetworkAclId": own["NetworkAclId"], "SubnetId": name})
        names.append(name)
    return inspected(account, "--subnets", ",".join(names), "--security-groups", "sg-0a000000", "--image", IMAGE)


def two_faults(account: Account | None = None) -> Verdict:
    account = account or healthy_vpc()
    account.object("vpce-0e000001")["PrivateDnsEnabled"] = False
    account.objects["ec2"]["RouteTables"][0]["Routes"].pop()
    return inspected(account)


FAULTS: tuple[Callable[[], Verdict], ...] = (
    healthy,
    closed_group,
    no_private_dns,
    no_route_to_s3,
    unread,
    one_of_three_subnets,
    two_faults,
)

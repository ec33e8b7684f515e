"""Several subnets, and images of several registries: each is judged by itself, and a common fault is shown once."""

from __future__ import annotations

import copy

from probe.model import Severity, Status, Verdict
from tests.inspect.test_target import with_service
from tests.inspect.vpc import IMAGE, START, Account, healthy_vpc, inspected

OTHER = "subnet-0b000000"
BOTH = ("--subnets", f"subnet-0a000000,{OTHER}", *START[2:])


def two_subnets() -> Account:
    """A second subnet with its own network ACL and the same route table."""
    account = healthy_vpc()
    ec2 = account.objects["ec2"]
    ec2["Subnets"].append(
        {**ec2["Subnets"][0], "SubnetId": OTHER, "CidrBlock": "10.0.2.0/24", "AvailabilityZone": "us-east-1b"}
    )
    acl = copy.deepcopy(ec2["NetworkAcls"][0])
    acl["NetworkAclId"] = "acl-0b000000"
    for association in acl["Associations"]:
        association |= {"SubnetId": OTHER, "NetworkAclId": "acl-0b000000"}
    ec2["NetworkAcls"].append(acl)
    ec2["RouteTables"][0]["Associations"].append({"RouteTableId": "rtb-0a000000", "SubnetId": OTHER, "Main": False})
    return account


def statuses(verdict: Verdict) -> dict[str, Status]:
    assert verdict.configuration is not None
    return {each.subnet: each.status for each in verdict.configuration.subnets}


def test_every_subnet_is_answered() -> None:
    account = two_subnets()
    verdict = inspected(account, *BOTH)
    assert statuses(verdict) == {"subnet-0a000000": "pass", OTHER: "pass"}
    assert verdict.status is Status.PASS
    assert len({step.id for step in verdict.steps}) == len(verdict.steps)
    assert len(account.calls) <= 60


def test_a_fault_of_one_subnet_names_it() -> None:
    account = two_subnets()
    account.object("acl-0b000000")["Entries"] = []
    verdict = inspected(account, *BOTH)
    assert statuses(verdict) == {"subnet-0a000000": "pass", OTHER: "fail"}
    assert verdict.summary.startswith("in 1 of 2 subnets ECS cannot pull the image")
    errors = [finding for finding in verdict.findings if finding.severity is Severity.ERROR]
    assert all(f"(from {OTHER})" in finding.title for finding in errors)
    assert {finding.causes[0].object for finding in errors} == {"acl-0b000000"}
    steps = {step.id for step in verdict.steps}
    assert all(set(finding.because) <= steps for finding in verdict.findings)


def test_a_fault_of_all_subnets_is_shown_once() -> None:
    account = two_subnets()
    account.object("sg-0e000000")["IpPermissions"] = []
    verdict = inspected(account, *BOTH)
    assert [finding.code for finding in verdict.findings if finding.severity is Severity.ERROR] == ["tcp.silent"]
    assert "subnet-" not in verdict.findings[0].title


def test_images_of_another_region_are_inspected_too() -> None:
    account = with_service()
    containers = account.replies["ecs:DescribeTaskDefinition"]["taskDefinition"]["containerDefinitions"]
    containers.append({"name": "far", "image": IMAGE.replace("us-east-1", "eu-west-1")})
    verdict = inspected(account, "--service", "shop")
    assert set(statuses(verdict)) == {"subnet-0a000000/us-east-1", "subnet-0a000000/eu-west-1"}
    far = [finding for finding in verdict.findings if "eu-west-1" in finding.title]
    assert far
    assert verdict.status is Status.FAIL

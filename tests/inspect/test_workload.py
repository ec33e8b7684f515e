"""Where the instances of a service pull, and that nothing is allowed about which no gate was asked."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from probe.config.flags import UsageError
from probe.configuration.document import Configuration
from probe.configuration.saved import to_bytes
from probe.inspect.command import inspect
from probe.inspect.options import read_options
from probe.model import GateAnswer, GateName
from tests.inspect.vpc import IMAGE, Account, healthy_vpc, inspected

_SERVICE = ("--cluster", "main", "--service", "shop")
_PREFIX = "arn:aws:ecs:us-east-1:123456789012"


def on_instances(*interfaces: list[dict[str, Any]]) -> Account:
    """A service on EC2 in bridge mode, on instances with these network interfaces."""
    account = healthy_vpc()
    arns = [f"{_PREFIX}:container-instance/main/{number}" for number, _ in enumerate(interfaces)]
    definition = f"{_PREFIX}:task-definition/shop:1"
    service = {"serviceName": "shop", "status": "ACTIVE", "taskDefinition": definition, "launchType": "EC2"}
    account.objects["ecs"] = {
        "services": [service],
        "containerInstances": [
            {"containerInstanceArn": arn, "ec2InstanceId": f"i-0a00000{number}"} for number, arn in enumerate(arns)
        ],
    }
    account.replies["ecs:ListContainerInstances"] = {"containerInstanceArns": arns}
    containers = [{"name": "app", "image": IMAGE}]
    account.replies["ecs:DescribeTaskDefinition"] = {
        "taskDefinition": {"networkMode": "bridge", "containerDefinitions": containers}
    }
    account.objects["ec2"]["Reservations"] = [
        {"Instances": [{"InstanceId": f"i-0a00000{number}", "NetworkInterfaces": own}]}
        for number, own in enumerate(interfaces)
    ]
    closed = {"GroupId": "sg-0c000000", "VpcId": "vpc-0a000000", "IpPermissionsEgress": []}
    account.objects["ec2"]["SecurityGroups"].append(closed)
    return account


def interface(group: str, address: str, device: int = 0) -> dict[str, Any]:
    return {
        "NetworkInterfaceId": f"eni-0f00000{address[-1]}",
        "SubnetId": "subnet-0a000000",
        "Groups": [{"GroupId": group}],
        "PrivateIpAddress": address,
        "Attachment": {"DeviceIndex": device},
    }


def _refusing(account: Account) -> set[tuple[str, str | None]]:
    gates = inspected(account, *_SERVICE).gates
    return {(gate.endpoint, gate.object) for gate in gates if gate.gate is GateName.SECURITY_GROUP_EGRESS} & {
        (gate.endpoint, gate.object) for gate in gates if gate.answer is GateAnswer.REFUSES
    }


def test_instances_of_one_subnet_with_other_groups_are_inspected_too() -> None:
    closed, opened = [interface("sg-0c000000", "10.0.1.51")], [interface("sg-0a000000", "10.0.1.52")]
    for instances in ((closed, opened), (opened, closed)):
        account = on_instances(*deepcopy(instances))
        assert ("ecr.dkr", "sg-0c000000") in _refusing(account)
        subnets = inspected(account, *_SERVICE).configuration.subnets  # type: ignore[union-attr]
        assert {each.subnet for each in subnets} == {"subnet-0a000000 (sg-0a000000)", "subnet-0a000000 (sg-0c000000)"}


def test_the_primary_interface_of_an_instance_pulls_wherever_it_is_listed() -> None:
    primary, other = interface("sg-0a000000", "10.0.1.51"), interface("sg-0c000000", "10.0.1.52", device=1)
    assert not _refusing(on_instances([other, primary]))


def test_external_instances_of_a_cluster_are_left_out() -> None:
    """EC2 refuses a call that names one of them."""
    account = on_instances([interface("sg-0a000000", "10.0.1.51")], [])
    account.objects["ecs"]["containerInstances"][1]["ec2InstanceId"] = "mi-0123456789abcdef0"
    assert inspected(account, *_SERVICE).configuration.subnets  # type: ignore[union-attr]
    asked = [source.question for source in _read(account).sources if source.question.operation == "DescribeInstances"]
    assert asked
    assert all("mi-" not in question.parameters for question in asked)


def test_a_service_on_external_instances_is_refused_in_one_sentence() -> None:
    account = on_instances([interface("sg-0a000000", "10.0.1.51")])
    account.objects["ecs"]["services"][0]["launchType"] = "EXTERNAL"
    with pytest.raises(UsageError, match=r"--service .*external instances"):
        inspected(account, *_SERVICE)


@pytest.mark.parametrize("place", ["share", "gMSA"])
def test_credentials_outside_of_secrets_need_their_endpoint(place: str) -> None:
    account = on_instances([interface("sg-0a000000", "10.0.1.51")])
    definition = account.replies["ecs:DescribeTaskDefinition"]["taskDefinition"]
    login = "arn:aws:secretsmanager:us-east-1:123456789012:secret:share-AbCdEf"
    if place == "share":
        authorization = {"credentialsParameter": login, "domain": "example.com"}
        share = {"fileSystemId": "fs-1", "authorizationConfig": authorization}
        definition["volumes"] = [{"name": "a"}, {"name": "b", "fsxWindowsFileServerVolumeConfiguration": share}]
    else:
        parameter = "credentialspec:arn:aws:ssm:us-east-1:123456789012:parameter/gmsa"
        definition["containerDefinitions"][0]["credentialSpecs"] = ["credentialspec:arn:aws:s3:::bucket/x", parameter]
    endpoints = {gate.endpoint for gate in inspected(account, *_SERVICE).gates}
    assert endpoints & {"secretsmanager", "ssm"} == {{"share": "secretsmanager", "gMSA": "ssm"}[place]}
    assert b"share-AbCdEf" not in to_bytes(_read(account))
    assert b"parameter/gmsa" not in to_bytes(_read(account))


def _read(account: Account) -> Configuration:
    kept: list[Configuration] = []
    inspect(read_options(_SERVICE, {"AWS_REGION": account.region}), account, keep=kept.append)
    return kept[0]


def test_a_name_without_an_address_of_the_subnets_family_is_not_allowed() -> None:
    account = healthy_vpc()
    subnet = account.object("subnet-0a000000")
    subnet["Ipv6CidrBlockAssociationSet"] = [{"Ipv6CidrBlock": "2600:1f18::/64"}]
    subnet["Ipv6Native"] = True
    assert inspected(account).exit_code == 3


def test_a_task_without_a_group_has_the_default_one() -> None:
    account = healthy_vpc()
    default = {"GroupId": "sg-0d000000", "GroupName": "default", "VpcId": "vpc-0a000000", "IpPermissionsEgress": []}
    account.objects["ec2"]["SecurityGroups"].append(default)
    gates = inspected(account, "--subnets", "subnet-0a000000", "--image", IMAGE).gates
    assert {gate.object for gate in gates if gate.gate is GateName.SECURITY_GROUP_EGRESS} == {"sg-0d000000"}


def test_what_is_missing_of_a_second_image_is_said_of_that_image() -> None:
    account = on_instances([interface("sg-0a000000", "10.0.1.51")])
    other = IMAGE.replace("team/app", "team/side")
    containers = [{"name": "app", "image": IMAGE}, {"name": "side", "image": other}]
    account.replies["ecs:DescribeTaskDefinition"]["taskDefinition"]["containerDefinitions"] = containers
    findings = inspected(account, *_SERVICE).findings
    (finding,) = [finding for finding in findings if finding.code == "registry.tag-not-found"]
    assert "team/side" in finding.title
    assert "--repository-name team/side" in " ".join(finding.causes[0].fix.commands)


def test_a_policy_that_refuses_every_role_refuses_one_that_is_not_known() -> None:
    account = healthy_vpc()
    account.object("vpce-0e000002")["PolicyDocument"] = '{"Statement":[]}'
    verdict = inspected(account)
    assert (verdict.exit_code, [finding.code for finding in verdict.findings]) == (1, ["policy.vpce.ecr"])
    assert "to the role that pulls" in verdict.findings[0].title


def test_the_login_to_another_registry_needs_its_endpoint_too() -> None:
    account = on_instances([interface("sg-0a000000", "10.0.1.51")])
    login = {"credentialsParameter": "arn:aws:secretsmanager:us-east-1:123456789012:secret:login-AbCdEf"}
    other = {"name": "other", "image": "registry.example.com/a:1", "repositoryCredentials": login}
    definition = account.replies["ecs:DescribeTaskDefinition"]["taskDefinition"]
    definition["containerDefinitions"] = [{"name": "app", "image": IMAGE}, other]
    assert "secretsmanager" in {gate.endpoint for gate in inspected(account, *_SERVICE).gates}


def test_of_a_shared_vpc_no_gateway_endpoint_is_called_missing() -> None:
    account = healthy_vpc()
    account.object("subnet-0a000000")["OwnerId"] = "210987654321"
    account.object("rtb-0a000000")["Routes"].pop()
    account.objects["ec2"]["VpcEndpoints"].pop()
    gates = [gate for gate in inspected(account).gates if gate.endpoint == "s3" and gate.gate is GateName.ENDPOINT]
    assert [gate.answer for gate in gates] == [GateAnswer.UNKNOWN]
    assert "ask 210987654321" in gates[0].sentence

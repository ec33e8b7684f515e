"""Where a pull starts: services, tasks, instances and measured verdicts lead to subnets, groups, images and a role."""

from __future__ import annotations

import json
from typing import Any

import pytest

from probe.config.flags import UsageError
from probe.configuration.document import Configuration
from probe.explain import explain_text
from probe.inspect.command import evaluate
from probe.inspect.measured import read_measured
from probe.inspect.options import read_options
from probe.inspect.stopped_task import settled
from probe.inspect.target import Target
from probe.model import GateName, Impact, Path, Severity, Standing, Verdict
from probe.operator.reading import read
from probe.records import replace
from probe.report.json import unshortened
from tests.inspect.vpc import IMAGE, REGION, Account, healthy_vpc, inspected

TASK = f"arn:aws:ecs:{REGION}:123456789012:task/main/0123456789abcdef0123456789abcdef"
INSTANCE = f"arn:aws:ecs:{REGION}:123456789012:container-instance/main/0a"
ROLE = "arn:aws:iam::123456789012:role/shop-execution"


def with_service(**changes: Any) -> Account:
    """The healthy VPC with a service of two containers, one image of which is elsewhere."""
    account = healthy_vpc()
    network = {
        "subnets": ["subnet-0a000000"],
        "securityGroups": ["sg-0a000000"],
        "assignPublicIp": "DISABLED",
    }
    service = {
        "serviceName": "shop",
        "status": "ACTIVE",
        "launchType": "FARGATE",
        "taskDefinition": "shop:7",
        "networkConfiguration": {"awsvpcConfiguration": network},
    }
    log = {"awslogs-group": "/ecs/shop", "awslogs-region": REGION, "awslogs-datetime-format": "secret"}
    account.objects["ecs"] = {"services": [{**service, **changes}]}
    account.replies["ecs:DescribeTaskDefinition"] = {
        "taskDefinition": {
            "taskDefinitionArn": "shop:7",
            "executionRoleArn": ROLE,
            "networkMode": "awsvpc",
            "runtimePlatform": {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"},
            "containerDefinitions": [
                {
                    "name": "app",
                    "image": IMAGE,
                    "environment": [{"name": "PASSWORD", "value": "sentinel"}],
                    "secrets": [{"name": "DB", "valueFrom": f"arn:aws:ssm:{REGION}:123456789012:parameter/sentinel"}],
                    "logConfiguration": {"logDriver": "awslogs", "options": log},
                },
                {"name": "proxy", "image": "public.ecr.aws/nginx/nginx:1"},
            ],
        }
    }
    return account


def on_an_instance(account: Account) -> Account:
    account.objects["ecs"]["containerInstances"] = [{"containerInstanceArn": INSTANCE, "ec2InstanceId": "i-0a"}]
    account.replies["ecs:ListContainerInstances"] = {"containerInstanceArns": [INSTANCE]}
    interface = {
        "NetworkInterfaceId": "eni-0b000000",
        "SubnetId": "subnet-0a000000",
        "Groups": [{"GroupId": "sg-0e000000"}],
        "PrivateIpAddresses": [{"PrivateIpAddress": "10.0.1.50", "Primary": True}],
    }
    account.objects["ec2"]["Reservations"] = [{"Instances": [{"InstanceId": "i-0a", "NetworkInterfaces": [interface]}]}]
    return account


def targeted(account: Account, *argv: str) -> tuple[Target, Configuration]:
    options = read_options(argv, {"AWS_REGION": REGION})
    inspection, configuration = read(account, lambda view: evaluate(view, options))
    assert inspection.target is not None
    return inspection.target, configuration


def test_a_service_on_fargate_pulls_by_its_own_interface() -> None:
    target, configuration = targeted(with_service(), "--cluster", "main", "--service", "shop")
    assert [(origin.subnet, origin.groups) for origin in target.origins] == [("subnet-0a000000", ("sg-0a000000",))]
    assert (target.role, target.plan.platform, target.surroundings.path) == (ROLE, "linux/arm64", Path.TASK_ENI)
    assert [image.text for image in target.images] == [IMAGE]
    assert {endpoint.name for endpoint in target.plan.endpoints} == {"ecr.api", "ecr.dkr", "s3", "logs", "ssm"}
    assert target.plan.log_group == "/ecs/shop"
    assert "sentinel" not in json.dumps([source.reply for source in configuration.sources])


@pytest.mark.parametrize(("system", "windows"), [("LINUX", False), ("WINDOWS_SERVER_2022_CORE", True)])
def test_the_system_decides_which_ports_replies_need(system: str, windows: bool) -> None:
    account = with_service()
    definition = account.replies["ecs:DescribeTaskDefinition"]["taskDefinition"]
    definition["runtimePlatform"] = {"cpuArchitecture": "X86_64", "operatingSystemFamily": system}
    target, _ = targeted(account, "--cluster", "main", "--service", "shop")
    assert [origin.windows for origin in target.origins] == [windows]


@pytest.mark.parametrize(
    ("family", "platform", "windows"),
    [
        ("WINDOWS_SERVER_2022_CORE", None, True),
        (None, "windows", True),
        (None, None, False),
        ("LINUX", "windows", False),  # the cluster has instances of both systems
    ],
)
def test_on_instances_the_system_is_the_task_definitions_else_theirs(
    family: str | None, platform: str | None, windows: bool
) -> None:
    account = on_an_instance(with_service(launchType="EC2"))
    definition = account.replies["ecs:DescribeTaskDefinition"]["taskDefinition"]
    definition["runtimePlatform"] = {"operatingSystemFamily": family} if family else {}
    for reservation in account.objects["ec2"]["Reservations"]:
        for instance in reservation["Instances"]:
            instance.update({"Platform": platform} if platform else {})
    target, _ = targeted(account, "--cluster", "main", "--service", "shop")
    assert [origin.windows for origin in target.origins] == [windows]


def test_a_service_on_ec2_pulls_by_the_instance() -> None:
    account = on_an_instance(with_service(launchType="EC2"))
    target, _ = targeted(account, "--cluster", "main", "--service", "shop")
    (origin,) = target.origins
    assert (origin.interface, origin.groups, origin.addresses) == ("eni-0b000000", ("sg-0e000000",), ("10.0.1.50",))
    assert target.surroundings.path is Path.INSTANCE_ENI
    assert "ecs-agent" in {endpoint.name for endpoint in target.plan.endpoints}


@pytest.mark.parametrize(
    ("provider", "launch_type"), [("FARGATE_SPOT", "FARGATE"), ("mine", "MANAGED_INSTANCES"), ("group", "EC2")]
)
def test_a_capacity_provider_says_on_what_a_service_runs(provider: str, launch_type: str) -> None:
    strategy = [{"capacityProvider": provider, "weight": 1}]
    account = on_an_instance(with_service(launchType=None, capacityProviderStrategy=strategy))
    account.objects["ecs"]["capacityProviders"] = [
        {"name": "mine", "type": "MANAGED_INSTANCES"},
        {"name": "group", "type": "EC2_AUTOSCALING"},
    ]
    target, _ = targeted(account, "--cluster", "main", "--service", "shop")
    assert target.surroundings.launch_type == launch_type


def task(**changes: Any) -> dict[str, Any]:
    details = {"networkInterfaceId": "eni-0e000001", "subnetId": "subnet-0a000000", "privateIPv4Address": "10.0.1.10"}
    return {
        "taskArn": TASK,
        "clusterArn": "main",
        "taskDefinitionArn": "shop:7",
        "launchType": "FARGATE",
        "group": "service:shop",
        "attachments": [{"type": "eni", "details": [{"name": k, "value": v} for k, v in details.items()]}],
        "containers": [{"name": "app", "image": IMAGE, "imageDigest": "sha256:" + "0" * 64}],
        **changes,
    }


def test_a_running_task_is_inspected_at_its_interface() -> None:
    account = with_service()
    account.objects["ecs"]["tasks"] = [task()]
    target, _ = targeted(account, "--task", TASK)
    (origin,) = target.origins
    assert (origin.interface, origin.addresses) == ("eni-0e000001", ("10.0.1.10",))


def test_a_stopped_task_has_the_groups_of_its_service() -> None:
    account = with_service()
    account.objects["ecs"]["tasks"] = [task()]
    account.objects["ec2"]["NetworkInterfaces"].clear()
    target, _ = targeted(account, "--task", TASK)
    (origin,) = target.origins
    assert (origin.interface, origin.groups, origin.addresses) == (None, ("sg-0a000000",), ("10.0.1.10",))


def test_a_stopped_tasks_reason_on_ec2_is_about_the_interface_of_the_instance() -> None:
    """ECS reports the address of the task, over which it does not pull."""
    account = on_an_instance(with_service(launchType="EC2"))
    (subnet,) = account.objects["ec2"]["Subnets"]
    account.objects["ec2"]["Subnets"].append({**subnet, "SubnetId": "subnet-0b000000", "CidrBlock": "10.0.2.0/24"})
    account.objects["ecs"]["tasks"] = [task(launchType="EC2", containerInstanceArn=INSTANCE)]
    verdict = explain_text(
        f"CannotPullContainerError: failed to resolve ref {IMAGE}: dial tcp 10.0.1.11:443: i/o timeout"
    )
    assert verdict is not None
    around = replace(verdict.surroundings, addresses=("10.0.2.10",), launch_type="EC2")
    joined_verdict, problem = settled(replace(verdict, surroundings=around), account, TASK)
    assert problem is None
    gates = [gate for gate in joined_verdict.gates if gate.gate is GateName.SECURITY_GROUP_EGRESS]
    assert {(gate.subnet, gate.object) for gate in gates} == {("subnet-0a000000", "sg-0e000000")}


# ---- measured verdicts -----------------------------------------------------------------------------------------------


def measured(**surroundings: Any) -> Any:
    """The document of a check in the healthy VPC, as if it had been measured."""
    document = json.loads(unshortened(inspected(healthy_vpc())))
    document |= {"basis": "measured", "gates": [], "configuration": None}
    document["surroundings"] |= {"addresses": ["10.0.1.77"], **surroundings}
    return document


def joined(account: Account, document: Any, *argv: str) -> Verdict:
    from probe.inspect.command import inspect

    options = read_options(("--verdict", "-", *argv), {"AWS_REGION": REGION})
    return inspect(options, account, read_measured(json.dumps(document).encode()))


def test_a_verdict_leads_to_the_subnet_of_its_address() -> None:
    verdict = joined(healthy_vpc(), measured())
    assert {gate.subnet for gate in verdict.gates} == {"subnet-0a000000"}
    assert (verdict.basis, verdict.surroundings.addresses) == ("measured", ("10.0.1.77",))


def test_a_verdict_of_another_region_is_refused() -> None:
    with pytest.raises(UsageError, match=r"--verdict .*measured in eu-west-1.*--region"):
        joined(healthy_vpc(), measured(region="eu-west-1"))


def test_an_address_of_two_vpcs_asks_for_the_subnet() -> None:
    account = healthy_vpc()
    (subnet,) = account.objects["ec2"]["Subnets"]
    account.objects["ec2"]["Subnets"].append({**subnet, "SubnetId": "subnet-0b000000", "VpcId": "vpc-0b000000"})
    with pytest.raises(UsageError, match=r"--subnets .*subnet-0a000000 of vpc-0a000000.*subnet-0b000000"):
        joined(account, measured())


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ((), r"--service .*--task .*--subnets"),
        (("--service", "shop", "--task", TASK), r"--task "),
        (("--subnets", "subnet-0a000000"), r"--image "),
        (("--subnets", "subnet-1", "--image", IMAGE), r"--subnets .*not the id of a subnet"),
        (("--subnets", "subnet-0f000000", "--image", IMAGE), r"--subnets .*does not exist"),
        (("--service", "nothing"), r"--service .*nothing.* is not in cluster"),
        (("--task", TASK), r"--task .*no such task"),
    ],
)
def test_bad_input_is_one_line_that_names_the_flag(argv: tuple[str, ...], words: str) -> None:
    with pytest.raises(UsageError, match=words) as error:
        inspected(with_service(), *(argv or ("--cluster", "main")))
    assert "\n" not in str(error.value)


def test_the_endpoint_of_a_secret_is_needed_to_start() -> None:
    verdict = inspected(with_service(), "--service", "shop")
    (finding,) = [finding for finding in verdict.findings if "ssm" in finding.endpoints]
    assert (finding.severity, finding.impact) == (Severity.ERROR, Impact.START)
    assert (finding.causes[0].code, finding.causes[0].standing) == ("endpoint.missing.ssm", Standing.CONFIRMED)
    refusing = [gate.gate for gate in verdict.gates if gate.endpoint == "ssm" and gate.cause == "endpoint.missing.ssm"]
    assert refusing == [GateName.SECRET_ENDPOINT]

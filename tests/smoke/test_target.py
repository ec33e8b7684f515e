"""RunTask's parameters: from the flags, the service and the task definition."""

from __future__ import annotations

from typing import Any

import pytest

from probe.config.flags import UsageError
from probe.model import Status
from tests.smoke.aws import (
    ACCOUNT,
    EXECUTION_ROLE,
    GROUP,
    REGION,
    Aws,
    Failures,
    definition,
    service,
    shop,
    subnet,
)
from tests.smoke.runs import Bench, subnets

IMAGE = f"123456789012.dkr.ecr.{REGION}.amazonaws.com/app:1.0"


def request_of(bench: Bench, *arguments: str) -> dict[str, Any]:
    """The first RunTask's request."""
    bench.smoke(*arguments)
    return bench.aws.requests("ecs:RunTask")[0]


def refused(bench: Bench, *arguments: str) -> str:
    with pytest.raises(UsageError) as refusal:
        bench.smoke(*arguments)
    assert bench.aws.tasks == {}
    return str(refusal.value)


def variables(request: dict[str, Any]) -> dict[str, str]:
    (override,) = request["overrides"]["containerOverrides"]
    assert override["name"] == "ecr-probe"
    return {variable["name"]: variable["value"] for variable in override["environment"]}


def awsvpc(request: dict[str, Any]) -> Any:
    return request["networkConfiguration"]["awsvpcConfiguration"]


# ---- flags -----------------------------------------------------------------------------------------------------------


def test_the_default_is_fargate_without_a_public_address(bench: Bench) -> None:
    request = request_of(bench, *subnets(1))
    assert awsvpc(request) == {"subnets": [subnet(0)], "securityGroups": [GROUP], "assignPublicIp": "DISABLED"}
    assert request["launchType"] == "FARGATE"
    assert "taskRoleArn" not in request["overrides"]
    assert variables(request) == {"ECR_PROBE_FORMAT": "json"}


def test_public_address_launch_type_and_image_come_from_flags(bench: Bench) -> None:
    request = request_of(bench, *subnets(1), "--assign-public-ip", "--launch-type", "ec2", "--image", IMAGE)
    assert awsvpc(request)["assignPublicIp"] == "ENABLED"
    assert request["launchType"] == "EC2"
    assert variables(request)["ECR_PROBE_IMAGE"] == IMAGE


def test_a_capacity_provider_replaces_the_launch_type(bench: Bench) -> None:
    request = request_of(bench, *subnets(1), "--capacity-provider", "FARGATE_SPOT")
    assert request["capacityProviderStrategy"] == [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
    assert "launchType" not in request


def test_a_definition_for_ec2_runs_on_ec2(bench: Bench, aws: Aws) -> None:
    aws.definitions["ecr-probe-smoke"]["requiresCompatibilities"] = ["EC2"]
    assert request_of(bench, *subnets(1))["launchType"] == "EC2"


# ---- the service -----------------------------------------------------------------------------------------------------


def test_a_service_defines_network_and_launch_type(bench: Bench, aws: Aws) -> None:
    placed = service()["networkConfiguration"]["awsvpcConfiguration"] | {"assignPublicIp": "ENABLED"}
    aws.services["shop"] = service(networkConfiguration={"awsvpcConfiguration": placed})
    request = request_of(bench, "--service", "shop")
    assert awsvpc(request) == placed | {"subnets": [subnet(0)]}
    assert (request["launchType"], request["platformVersion"]) == ("FARGATE", "1.4.0")
    assert [Aws._subnet(request) for request in aws.requests("ecs:RunTask")] == [subnet(0), subnet(1), subnet(2)]


@pytest.mark.parametrize(
    ("argv", "launch_type"),
    [
        ((), "FARGATE"),
        (("--launch-type", "EC2"), "EC2"),
        (("--capacity-provider", "FARGATE_SPOT"), "FARGATE"),
        (("--capacity-provider", "mine"), None),
    ],
)
def test_the_fleet_names_launch_type_and_image(bench: Bench, argv: tuple[str, ...], launch_type: str | None) -> None:
    fleet = bench.in_subnets(1, *argv)
    assert (fleet.launch_type, fleet.image) == (
        launch_type,
        f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/ecr-probe:0.1.0",
    )


def test_a_services_capacity_providers_are_used(bench: Bench, aws: Aws) -> None:
    strategy = [
        {"capacityProvider": "FARGATE", "weight": 1, "base": 1},
        {"capacityProvider": "FARGATE_SPOT", "weight": 4},
    ]
    aws.services["shop"] = service(launchType=None, capacityProviderStrategy=strategy)
    request = request_of(bench, "--service", "shop")
    assert request["capacityProviderStrategy"] == strategy
    assert "launchType" not in request


def test_the_network_of_a_codedeploy_service_is_its_primary_task_sets(bench: Bench, aws: Aws) -> None:
    whole = service()
    network = {"networkConfiguration": whole.pop("networkConfiguration"), "launchType": whole.pop("launchType")}
    old = {"status": "ACTIVE", "networkConfiguration": {}}
    aws.services["shop"] = {**whole, "taskSets": [old, {"status": "PRIMARY", **network}]}
    assert awsvpc(request_of(bench, "--service", "shop"))["securityGroups"] == [GROUP]


def test_a_flag_selects_among_a_services_subnets(bench: Bench, aws: Aws) -> None:
    request_of(bench, "--service", "shop", "--subnets", subnet(1))
    assert {task.subnet for task in aws.tasks.values()} == {subnet(1)}


def test_a_service_may_be_named_by_its_arn(bench: Bench) -> None:
    fleet = bench.smoke("--service", f"arn:aws:ecs:{REGION}:123456789012:service/main/shop")
    assert (fleet.exit_code, fleet.service) == (0, "shop")


def test_a_deleted_service_is_refused(bench: Bench, aws: Aws) -> None:
    aws.services["shop"]["status"] = "INACTIVE"
    assert "--service (ECR_PROBE_SERVICE): 'shop' was deleted" in refused(bench, "--service", "shop")


# ---- roles -----------------------------------------------------------------------------------------------------------


def test_the_task_gets_the_services_execution_role_and_the_check_knows_it(bench: Bench) -> None:
    fleet = bench.smoke("--service", "shop", "--as-execution-role")
    request = bench.aws.requests("ecs:RunTask")[0]
    assert request["overrides"]["taskRoleArn"] == EXECUTION_ROLE
    assert variables(request)["ECR_PROBE_PULL_ROLE"] == EXECUTION_ROLE
    assert fleet.role == EXECUTION_ROLE


def test_without_a_service_the_task_gets_its_definitions_execution_role(bench: Bench, aws: Aws) -> None:
    aws.definitions["ecr-probe-smoke"]["executionRoleArn"] = EXECUTION_ROLE
    assert request_of(bench, *subnets(1), "--as-execution-role")["overrides"]["taskRoleArn"] == EXECUTION_ROLE


def test_an_instances_role_is_refused(bench: Bench, aws: Aws) -> None:
    aws.definitions["shop"] = {key: value for key, value in shop().items() if key != "executionRoleArn"}
    text = refused(bench, "--service", "shop", "--as-execution-role")
    assert "shop:41 has no execution role: on EC2 the instances' role pulls" in text


# ---- host and bridge mode --------------------------------------------------------------------------------------------


@pytest.fixture(params=["host", "bridge", None])
def on_instances(request: pytest.FixtureRequest, aws: Aws) -> None:
    aws.definitions["ecr-probe-smoke"] = definition(networkMode=request.param, requiresCompatibilities=["EC2"])


@pytest.mark.usefixtures("on_instances")
def test_a_task_without_an_interface_is_placed_by_its_instances_subnet(bench: Bench, aws: Aws) -> None:
    fleet = bench.smoke("--subnets", f"{subnet(0)},{subnet(1)}")
    first, second = aws.requests("ecs:RunTask")
    for request, where in ((first, subnet(0)), (second, subnet(1))):
        expression = f"attribute:ecs.subnet-id == {where}"
        assert request["placementConstraints"] == [{"type": "memberOf", "expression": expression}]
        assert "networkConfiguration" not in request
        assert request["launchType"] == "EC2"
    assert any("a task cannot use that role" in note for note in fleet.notes)


@pytest.mark.usefixtures("on_instances")
def test_a_subnet_without_an_instance_is_inconclusive(bench: Bench, aws: Aws) -> None:
    aws.lives = lambda where, _: (
        Failures(("MemberOf placement constraint unsatisfied.",)) if where == subnet(1) else None
    )
    fleet = bench.smoke("--subnets", f"{subnet(0)},{subnet(1)}")
    assert [run.status for run in fleet.runs] == [Status.PASS, Status.INCONCLUSIVE]


@pytest.mark.usefixtures("on_instances")
@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--security-groups", GROUP), "--security-groups (ECR_PROBE_SECURITY_GROUPS): in bridge or host mode"),
        (("--assign-public-ip",), "--assign-public-ip (ECR_PROBE_ASSIGN_PUBLIC_IP): in bridge or host mode"),
        (("--launch-type", "FARGATE"), "which Fargate does not have"),
    ],
)
def test_flags_for_an_interface_are_refused(bench: Bench, arguments: tuple[str, ...], complaint: str) -> None:
    assert complaint in refused(bench, "--subnets", subnet(0), *arguments)


def test_a_service_without_subnets_needs_the_flag(bench: Bench, aws: Aws) -> None:
    aws.services["shop"] = service(networkConfiguration=None, launchType="EC2")
    assert "--subnets (ECR_PROBE_SUBNETS): the service's tasks have no subnets" in refused(bench, "--service", "shop")
    text = refused(bench, "--service", "shop", "--subnets", subnet(0))
    assert "its tasks are in bridge or host mode, but those of 'ecr-probe-smoke' in awsvpc mode" in text


# ---- the probe's container -------------------------------------------------------------------------------------------


def container(**changes: Any) -> dict[str, Any]:
    return {**definition()["containerDefinitions"][0], **changes}


def test_the_probes_container_is_found_by_its_image(bench: Bench, aws: Aws) -> None:
    others = [{"name": "app", "image": "app:1"}, container(name="check")]
    aws.definitions["ecr-probe-smoke"] = definition(containerDefinitions=others)
    aws.lives = lambda *_: None
    bench.smoke(*subnets(1), "--timeout", "10")
    (override,) = aws.requests("ecs:RunTask")[0]["overrides"]["containerOverrides"]
    assert override["name"] == "check"


def test_one_of_several_candidates_has_to_be_named(bench: Bench, aws: Aws) -> None:
    both = [container(name="first"), container(name="second")]
    aws.definitions["ecr-probe-smoke"] = definition(containerDefinitions=both)
    assert "several containers run an image ecr-probe" in refused(bench, *subnets(1))
    bench.smoke(*subnets(1), "--container", "second", "--timeout", "10")
    (override,) = aws.requests("ecs:RunTask")[0]["overrides"]["containerOverrides"]
    assert override["name"] == "second"


def test_a_sidecar_is_refused(bench: Bench, aws: Aws) -> None:
    aws.definitions["ecr-probe-smoke"] = definition(containerDefinitions=[container(command=["serve"])])
    assert "its command is serve, but smoke needs check" in refused(bench, *subnets(1))


@pytest.mark.parametrize(
    "logs",
    [
        None,
        {"logDriver": "awsfirelens"},
        {"logDriver": "awslogs", "options": {"awslogs-group": "/ecs/ecr-probe", "awslogs-region": REGION}},
    ],
)
def test_a_note_says_that_documents_cannot_be_read(bench: Bench, aws: Aws, logs: dict[str, Any] | None) -> None:
    aws.definitions["ecr-probe-smoke"] = definition(containerDefinitions=[container(logConfiguration=logs)])
    fleet = bench.in_subnets(1)
    assert (fleet.exit_code, aws.count()["logs:GetLogEvents"]) == (0, 0)
    assert any("verdicts are exit codes" in note for note in fleet.notes)


def test_a_deregistered_definition_is_refused(bench: Bench, aws: Aws) -> None:
    aws.definitions["ecr-probe-smoke"]["status"] = "INACTIVE"
    assert "'ecr-probe-smoke' was deregistered" in refused(bench, *subnets(1))

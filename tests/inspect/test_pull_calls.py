"""The calls of a pull, and the way that they take to their endpoints."""

from __future__ import annotations

import json

import pytest

from probe.config.settings import parse
from probe.images import parse_image
from probe.inspect.pull_calls import pull_calls
from probe.model import GateAnswer, GateName, ImageReference, LogDestination, Plan, Standing, Surroundings
from probe.plan import make_plan
from tests.gates.policy_account import ROLE
from tests.inspect.vpc import IMAGE, healthy_vpc, inspected


def parse_reference(text: str) -> ImageReference:
    image = parse_image(text)
    assert isinstance(image, ImageReference)
    return image


def plan(*argv: str) -> Plan:
    destination = LogDestination(container="app", region="us-east-1", group="/ecs/app", stream=None, own=True)
    surroundings = Surroundings(region="us-east-1", launch_type="FARGATE", log_destinations=(destination,))
    return make_plan(parse(("--image", IMAGE, *argv), {}), surroundings)


def test_the_calls_of_a_task() -> None:
    of_task = plan("--also", "secretsmanager,ssm")
    calls = pull_calls(of_task, [parse_reference(IMAGE)], role=ROLE, created_log_groups=("/ecs/app",))
    assert [(call.endpoint, call.action, call.resource) for call in calls] == [
        ("ecr.api", "ecr:GetAuthorizationToken", "*"),
        ("ecr.dkr", "ecr:BatchGetImage", "arn:aws:ecr:us-east-1:123456789012:repository/team/app"),
        ("ecr.dkr", "ecr:GetDownloadUrlForLayer", "arn:aws:ecr:us-east-1:123456789012:repository/team/app"),
        ("s3", "s3:GetObject", "arn:aws:s3:::prod-us-east-1-starport-layer-bucket/*"),
        ("logs", "logs:CreateLogGroup", "arn:aws:logs:us-east-1:123456789012:log-group:/ecs/app:log-stream:"),
        ("logs", "logs:CreateLogStream", "arn:aws:logs:us-east-1:123456789012:log-group:/ecs/app:log-stream:*"),
        ("logs", "logs:PutLogEvents", "arn:aws:logs:us-east-1:123456789012:log-group:/ecs/app:log-stream:*"),
        ("secretsmanager", "secretsmanager:GetSecretValue", "arn:aws:secretsmanager:us-east-1:123456789012:secret:*"),
        ("ssm", "ssm:GetParameters", "arn:aws:ssm:us-east-1:123456789012:parameter/*"),
    ]
    (layer,) = [call for call in calls if call.by_ecr]
    assert (layer.principal, layer.owner, layer.endpoint) == (None, None, "s3")
    assert {call.principal for call in calls if not call.by_ecr} == {ROLE}


@pytest.mark.parametrize("region", ["cn-north-1", "us-gov-west-1"])
def test_every_arn_has_the_partition_of_its_region(region: str) -> None:
    suffix = "amazonaws.com.cn" if region.startswith("cn") else "amazonaws.com"
    image = f"123456789012.dkr.ecr.{region}.{suffix}/app:1"
    there = make_plan(parse(("--image", image), {}), Surroundings(region=region))
    calls = pull_calls(there, [parse_reference(image)], role=None)
    partition = "aws-cn" if region.startswith("cn") else "aws-us-gov"
    assert {call.resource.split(":")[1] for call in calls if call.resource != "*"} == {partition}


def test_a_call_goes_through_the_endpoint_of_its_name() -> None:
    account = healthy_vpc()
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"}
    account.object("vpce-0e000002")["PolicyDocument"] = json.dumps({"Statement": statement})
    verdict = inspected(account)
    gates = [gate for gate in verdict.gates or () if gate.gate is GateName.ENDPOINT_POLICY]
    refusing = [gate for gate in gates if gate.answer is GateAnswer.REFUSES]
    assert {(gate.endpoint, gate.object) for gate in refusing} == {("ecr.dkr", "vpce-0e000002")}
    assert ("ecr.api", GateAnswer.ALLOWS) in {(gate.endpoint, gate.answer) for gate in gates}
    causes = [cause for finding in verdict.findings for cause in finding.causes if cause.standing is Standing.CONFIRMED]
    assert [(cause.code, cause.object) for cause in causes] == [("policy.vpce.ecr", "vpce-0e000002")]


def test_every_image_of_the_region_is_pulled_and_each_registry_gives_a_token() -> None:
    images = [IMAGE, IMAGE.replace("123456789012", "210987654321"), IMAGE.replace("us-east-1", "eu-west-1")]
    calls = pull_calls(plan(), [parse_reference(image) for image in images], role=ROLE)
    assert [call.owner for call in calls if call.endpoint == "ecr.api"] == ["123456789012", "210987654321"]
    assert [call.owner for call in calls if call.action == "ecr:BatchGetImage"] == ["123456789012", "210987654321"]


def test_on_an_instance_the_log_driver_s_role_is_not_known_and_ec2_may_assume_the_role() -> None:
    calls = pull_calls(plan(), [parse_reference(IMAGE)], role=ROLE, on_fargate=False)
    assert {call.principal for call in calls if call.endpoint == "logs"} == {None}
    assert all("ec2.amazonaws.com" in call.assumed_by for call in calls if call.principal)


def test_a_role_by_its_name_is_one_of_the_account() -> None:
    for role, account, principal in (
        ("puller", "123456789012", "arn:aws:iam::123456789012:role/puller"),
        ("puller", None, None),
        ("no role:", "123456789012", None),
    ):
        calls = pull_calls(plan(), [parse_reference(IMAGE)], role=role, account=account)
        assert calls[0].principal == principal

"""The operator's policy allows the calls that `up` and `down` make, and those of CloudFormation for the resources."""

from __future__ import annotations

import json
import re
from typing import Any

from container.finish import SERVICES
from tests.deploy.aws import DeployedAws, push_by_others
from tests.deploy.runs import Bench
from tests.deployment.definitions import ACCOUNT, FOLDER, VALUES
from tests.deployment.definitions import REGION as THERE
from tests.deployment.policies import actions, may, policy, several
from tests.deployment.templates import Template, decoded
from tests.smoke.aws import REGION, Error, Life, Silence, service
from tests.smoke.test_rights import resource as resource_of_smoke

POLICY = "iam/operator-up"
CLUSTER = {"ecs:cluster": f"arn:aws:ecs:{THERE}:{ACCOUNT}:cluster/{VALUES['CLUSTER']}"}
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/ecr-probe-boundary"
WITHIN = {"iam:PermissionsBoundary": BOUNDARY}
# Registries check these for the requests of a push and of reading an image: AWS[ecr-actions-of-a-push]
OF_THE_REGISTRY = {
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:CompleteLayerUpload",
    "ecr:GetDownloadUrlForLayer",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
}
# What CloudFormation calls for the resources of the stack: AWS[cfn-handlers]
OF_THE_RESOURCES = {
    "cloudformation:TagResource",
    "cloudwatch:DeleteAlarms",
    "cloudwatch:DescribeAlarms",
    "cloudwatch:ListTagsForResource",
    "cloudwatch:PutMetricAlarm",
    "cloudwatch:TagResource",
    "ecr:CreateRepository",
    "ecr:GetLifecyclePolicy",
    "ecr:GetRepositoryPolicy",
    "ecr:ListTagsForResource",
    "ecr:PutImageTagMutability",
    "ecr:TagResource",
    "ecr:UntagResource",
    "ecs:CreateService",
    "ecs:DeleteService",
    "ecs:DeregisterTaskDefinition",
    "ecs:RegisterTaskDefinition",
    "ecs:TagResource",
    "ecs:UpdateService",
    "iam:CreateRole",
    "iam:DeleteRole",
    "iam:DeleteRolePolicy",
    "iam:GetRole",
    "iam:GetRolePolicy",
    "iam:ListAttachedRolePolicies",
    "iam:ListRolePolicies",
    "iam:PassRole",
    "iam:PutRolePermissionsBoundary",
    "iam:PutRolePolicy",
    "iam:TagRole",
    "iam:UntagRole",
    "iam:UpdateAssumeRolePolicy",
    "logs:CreateLogGroup",
    "logs:DeleteLogGroup",
    "logs:DeleteMetricFilter",
    "logs:DeleteRetentionPolicy",
    "logs:DescribeMetricFilters",
    "logs:GetDataProtectionPolicy",
    "logs:ListTagsForResource",
    "logs:PutMetricFilter",
    "logs:PutRetentionPolicy",
    "logs:TagResource",
    "logs:UntagResource",
    "scheduler:CreateSchedule",
    "scheduler:DeleteSchedule",
    "scheduler:GetSchedule",
    "scheduler:UpdateSchedule",
    "sns:CreateTopic",
    "sns:DeleteTopic",
    "sns:GetDataProtectionPolicy",
    "sns:GetTopicAttributes",
    "sns:ListSubscriptionsByTopic",
    "sns:ListTagsForResource",
    "sns:Subscribe",
    "sns:TagResource",
    "sns:Unsubscribe",
    "sns:UntagResource",
}


def resource(action: str, request: dict[str, Any]) -> str:
    if action == "ecs:DescribeClusters":
        return f"arn:aws:ecs:{THERE}:{ACCOUNT}:cluster/{request['clusters'][0]}"
    if action == "logs:DescribeLogGroups":
        return f"arn:aws:logs:{THERE}:{ACCOUNT}:log-group::log-stream:"
    if action.startswith("cloudformation:"):
        name = str(request["StackName"])
        return name.replace(REGION, THERE) if name.startswith("arn:") else f"{_stack(name)}/0a1b"
    if action == "ecr:ListTagsForResource":
        return str(request["resourceArn"]).replace(REGION, THERE)
    if action.startswith("ecr:") and action != "ecr:GetAuthorizationToken":
        name = request.get("repositoryName") or request["repositoryNames"][0]
        return f"arn:aws:ecr:{THERE}:{ACCOUNT}:repository/{name}"
    return resource_of_smoke(action, request)


TO_TASKS = {"iam:PassedToService": "ecs-tasks.amazonaws.com"}
WANTED = {
    "VpcCidr": "10.0.0.0/16",
    "SubnetIds": ["subnet-0a1b"],
    "SecurityGroupIds": ["sg-0a1b"],
    "ScheduleExpression": "rate(1 hour)",
}


def _stack(name: str) -> str:
    return f"arn:aws:cloudformation:{THERE}:{ACCOUNT}:stack/{name}"


def everything(bench: Bench, aws: DeployedAws, archive: str) -> None:
    """Runs that make every call."""
    up = ("--image-archive", archive, "--yes")
    aws.services["shop"] = service(networkConfiguration=_without_groups())
    aws.errors = lambda name, _: _stop(bench, name)
    bench.up(*up)
    bench.stop.clear()
    aws.errors = lambda *_: None
    bench.up(*up)
    bench.up(*up)  # nothing has changed
    aws.lives = lambda *_: Life(hangs_in="PENDING")
    aws.errors = lambda name, _: Silence() if name == "ecs:RunTask" else None
    where = ("--subnets", "subnet-00000000000000000", "--security-groups", "sg-0a1b2c3d4e5f60718", "--timeout", "70")
    bench.up(*up, *where, service=False)
    aws.errors = lambda *_: None
    push_by_others(aws.repositories["ecr-probe"], "prod")
    bench.down("--yes")
    for repository in list(aws.repositories):
        del aws.repositories[repository]
    aws.lives = lambda *_: Life()
    bench.up(*up)
    bench.down("--yes")


def _stop(bench: Bench, name: str) -> Error | None:
    if name == "cloudformation:DescribeChangeSet":
        bench.stop.set()
    return None


def _without_groups() -> dict[str, Any]:
    return {"awsvpcConfiguration": {"subnets": ["subnet-00000000000000000"], "securityGroups": []}}


def test_the_policy_allows_the_calls_of_up_and_down_and_no_others(bench: Bench, aws: DeployedAws, archive: str) -> None:
    everything(bench, aws, archive)
    allowed = policy(POLICY, CLUSTER)
    assert {action.partition(":")[0] for _, action, _ in aws.calls} <= set(SERVICES)  # which the image ships
    for _, action, request in aws.calls:
        assert may(allowed, action, resource(action, request)), action
    assert actions(POLICY) == {action for _, action, _ in aws.calls} | OF_THE_REGISTRY | OF_THE_RESOURCES


def test_other_stacks_repositories_and_roles_are_out_of_reach() -> None:
    allowed = policy(POLICY, CLUSTER | WITHIN)
    assert may(allowed, "cloudformation:DeleteStack", f"{_stack('ecr-probe')}/0a1b")
    assert not may(allowed, "cloudformation:DeleteStack", f"{_stack('payroll')}/0a1b")
    for name, expected in (("ecr-probe", True), ("payroll", False)):
        assert may(allowed, "ecr:BatchDeleteImage", f"arn:aws:ecr:{THERE}:{ACCOUNT}:repository/{name}") is expected
        assert may(allowed, "iam:CreateRole", f"arn:aws:iam::{ACCOUNT}:role/{name}-TaskRole-0A1B") is expected
        assert may(allowed, "logs:DeleteLogGroup", f"arn:aws:logs:{THERE}:{ACCOUNT}:log-group:/ecs/{name}") is expected
        assert may(allowed, "sns:Subscribe", f"arn:aws:sns:{THERE}:{ACCOUNT}:{name}-AlarmTopic-0A1B") is expected
    assert not may(allowed, "sns:Subscribe", f"arn:aws:sns:{THERE}:{ACCOUNT}:ecr-probe-oncall")


def test_the_holder_gets_no_rights_beyond_the_boundary() -> None:
    """A role that its holder creates, trusts and gives every permission would make the holder an administrator."""
    role = f"arn:aws:iam::{ACCOUNT}:role/ecr-probe-TaskRole-0A1B"
    for action in ("iam:CreateRole", "iam:PutRolePolicy", "iam:PutRolePermissionsBoundary"):
        assert may(policy(POLICY, WITHIN), action, role)
        assert not may(policy(POLICY), action, role)
        assert not may(policy(POLICY, {"iam:PermissionsBoundary": f"{BOUNDARY}-2"}), action, role)
    given = {action for action in actions(POLICY) if action.startswith("iam:")}
    assert not {
        action for action in given if re.search("Attach|Policy(Version|Boundary)|DeleteRolePermissions", action)
    } - {"iam:ListAttachedRolePolicies"}
    for name in ("ecr-probe-task", "ecr-probe-execution", "ecr-probe-subnet-0a1b-FunctionRole-0A1B"):  # made by others
        other = f"arn:aws:iam::{ACCOUNT}:role/{name}"
        assert not any(may(policy(POLICY, WITHIN | TO_TASKS), action, other) for action in given)


def test_the_boundary_allows_what_the_roles_of_the_stack_may_do_and_no_more() -> None:
    values = {**WANTED, "PermissionsBoundary": BOUNDARY}
    template = Template(decoded(FOLDER / "cloudformation/probe.yaml"), values, "aws", THERE)
    roles = template.of_type("AWS::IAM::Role")
    assert [item["PermissionsBoundary"] for item in roles] == [BOUNDARY] * 3
    statements = [item for role in roles for made in role["Policies"] for item in made["PolicyDocument"]["Statement"]]
    assert actions("iam/boundary") == {action for item in statements for action in several(item["Action"])}
    boundary = policy("iam/boundary", CLUSTER | TO_TASKS)
    for action, resource_ in (
        ("ecr:BatchGetImage", f"arn:aws:ecr:{THERE}:{ACCOUNT}:repository/"),
        ("logs:PutLogEvents", f"arn:aws:logs:{THERE}:{ACCOUNT}:log-group:/ecs/"),
        ("ecs:RunTask", f"arn:aws:ecs:{THERE}:{ACCOUNT}:task-definition/"),
    ):
        assert may(boundary, action, f"{resource_}ecr-probe-fargate-check:1")
        assert not may(boundary, action, f"{resource_}payroll:1")


def test_the_roles_are_passed_to_ecs_and_the_scheduler_only() -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/ecr-probe-TaskRole-0A1B"
    for partner, expected in (("ecs-tasks", True), ("scheduler", True), ("ec2", False)):
        passed = {"iam:PassedToService": f"{partner}.amazonaws.com"}
        assert may(policy(POLICY, passed), "iam:PassRole", role) is expected


def test_it_fits_a_managed_policy() -> None:
    """6,144 characters without white space (IAM user guide, "IAM and AWS STS quotas")."""
    text = (FOLDER / f"{POLICY}.json").read_text()
    assert len(re.sub(r"\s", "", text)) <= 6144
    assert json.loads(text)

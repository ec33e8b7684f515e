"""The operator's policy allows the calls that `smoke` makes, and no others."""

from __future__ import annotations

from typing import Any

import pytest

from probe.config.flags import UsageError
from tests.deployment.definitions import ACCOUNT, VALUES
from tests.deployment.definitions import REGION as THERE
from tests.deployment.policies import actions, may, policy
from tests.smoke.aws import REGION, Aws, Error, Life, Silence, subnet
from tests.smoke.runs import Bench, subnets

POLICY = "iam/operator-smoke"
CLUSTER = {"ecs:cluster": f"arn:aws:ecs:{THERE}:{ACCOUNT}:cluster/{VALUES['CLUSTER']}"}
PASSED = {"iam:PassedToService": "ecs-tasks.amazonaws.com"}
# Permissions that RunTask needs in addition.
ADDITIONAL = {"iam:PassRole", "ecs:TagResource"}


def resource(action: str, request: dict[str, Any]) -> str:
    ecs, logs = f"arn:aws:ecs:{THERE}:{ACCOUNT}:", f"arn:aws:logs:{THERE}:{ACCOUNT}:log-group:"
    match action:
        case "ecs:RunTask":
            return str(request["taskDefinition"]).replace(REGION, THERE)
        case "ecs:DescribeTasks":
            return str(request["tasks"][0]).replace(REGION, THERE)
        case "ecs:StopTask":
            return str(request["task"]).replace(REGION, THERE)
        case "ecs:DescribeServices":
            return f"{ecs}service/{request['cluster']}/{request['services'][0]}"
        case "logs:GetLogEvents":
            return f"{logs}{request['logGroupName']}:log-stream:{request['logStreamName']}"
    return "*"


def everything(bench: Bench, aws: Aws) -> None:
    """Runs that make every call."""
    aws.definitions["ecr-probe-smoke"]["containerDefinitions"][0]["essential"] = False
    bench.smoke("--service", "shop")
    aws.lives = lambda *_: Life(hangs_in="PENDING")
    aws.errors = lambda name, _: Silence() if name == "ecs:RunTask" else None
    bench.in_subnets(2, "--timeout", "30")


def test_the_policy_allows_the_calls_of_smoke_and_no_others(bench: Bench, aws: Aws) -> None:
    everything(bench, aws)
    allowed = policy(POLICY, CLUSTER)
    for _, action, request in aws.calls:
        assert may(allowed, action, resource(action, request)), action
    assert actions(POLICY) == {action for _, action, _ in aws.calls} | ADDITIONAL


def test_the_additional_permissions_of_run_task_are_allowed(bench: Bench, aws: Aws) -> None:
    bench.smoke("--service", "shop")
    request = aws.requests("ecs:RunTask")[0]
    assert request["tags"]
    assert may(
        policy(POLICY, {"ecs:CreateAction": "RunTask"}), "ecs:TagResource", f"arn:aws:ecs:{THERE}:{ACCOUNT}:task/main/0"
    )
    for role in ("ecr-probe-task", "ecr-probe-execution"):
        assert may(policy(POLICY, PASSED), "iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/{role}")


@pytest.mark.parametrize("action", sorted({"ecs:DescribeServices", "ecs:DescribeTaskDefinition", "ecs:RunTask"}))
def test_without_a_required_permission_no_task_is_started(bench: Bench, aws: Aws, action: str) -> None:
    sentence = f"User: arn:aws:iam::{ACCOUNT}:user/me is not authorized to perform: {action} on resource: x"
    aws.errors = lambda name, _: Error("AccessDeniedException", sentence) if name == action else None
    with pytest.raises(UsageError) as refusal:
        bench.smoke("--service", "shop")
    assert str(refusal.value).startswith(
        f"{action} is not allowed to these credentials; task-definitions/{POLICY}.json"
    )
    assert aws.tasks == {}


@pytest.mark.parametrize("action", ["ec2:DescribeSubnets", "logs:GetLogEvents", "ecs:ListTasks", "ecs:StopTask"])
def test_without_an_optional_permission_a_note_names_it(bench: Bench, aws: Aws, action: str) -> None:
    sentence = f"User: arn:aws:iam::{ACCOUNT}:user/me is not authorized to perform: {action} on resource: x"
    no_reply = action == "ecs:ListTasks"

    def errors(name: str, _nth: int) -> Error | Silence | None:
        if name == action:
            return Error("AccessDeniedException", sentence)
        return Silence() if no_reply and name == "ecs:RunTask" else None

    aws.errors = errors
    aws.lives = lambda where, _: Life(hangs_in="PENDING") if where == subnet(1) else Life()
    fleet = bench.smoke(*subnets(2), "--timeout", "60")
    assert any(f"{action} is not allowed" in note for note in fleet.notes)

"""The operator's policy allows what `smoke` does and no more: held against its calls, whatever goes wrong."""

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
HANDED = {"iam:PassedToService": "ecs-tasks.amazonaws.com"}
# What RunTask asks for besides itself.
BESIDE = {"iam:PassRole", "ecs:TagResource"}


def resource(action: str, given: dict[str, Any]) -> str:
    ecs, logs = f"arn:aws:ecs:{THERE}:{ACCOUNT}:", f"arn:aws:logs:{THERE}:{ACCOUNT}:log-group:"
    match action:
        case "ecs:RunTask":
            return str(given["taskDefinition"]).replace(REGION, THERE)
        case "ecs:DescribeTasks":
            return str(given["tasks"][0]).replace(REGION, THERE)
        case "ecs:StopTask":
            return str(given["task"]).replace(REGION, THERE)
        case "ecs:DescribeServices":
            return f"{ecs}service/{given['cluster']}/{given['services'][0]}"
        case "logs:GetLogEvents":
            return f"{logs}{given['logGroupName']}:log-stream:{given['logStreamName']}"
    return "*"


def everything(http_bench: Bench, aws: Aws) -> None:
    """Runs that bring about every call."""
    aws.definitions["ecr-probe-smoke"]["containerDefinitions"][0]["essential"] = False
    http_bench.smoke("--service", "shop")
    aws.lives = lambda *_: Life(hangs_in="PENDING")
    aws.errors = lambda name, _: Silence() if name == "ecs:RunTask" else None
    http_bench.in_subnets(2, "--timeout", "30")


def test_every_call_is_allowed_and_nothing_is_that_is_never_called(http_bench: Bench, aws: Aws) -> None:
    everything(http_bench, aws)
    held = policy(POLICY, CLUSTER)
    for _, action, given in aws.calls:
        assert may(held, action, resource(action, given)), action
    assert actions(POLICY) == {action for _, action, _ in aws.calls} | BESIDE


def test_what_run_task_asks_besides_is_allowed(http_bench: Bench, aws: Aws) -> None:
    http_bench.smoke("--service", "shop")
    request = aws.given_to("ecs:RunTask")[0]
    assert request["tags"]
    assert may(
        policy(POLICY, {"ecs:CreateAction": "RunTask"}), "ecs:TagResource", f"arn:aws:ecs:{THERE}:{ACCOUNT}:task/main/0"
    )
    for role in ("ecr-probe-task", "ecr-probe-execution"):
        assert may(policy(POLICY, HANDED), "iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/{role}")


@pytest.mark.parametrize("action", sorted({"ecs:DescribeServices", "ecs:DescribeTaskDefinition", "ecs:RunTask"}))
def test_without_what_it_cannot_do_without_nothing_is_started(http_bench: Bench, aws: Aws, action: str) -> None:
    sentence = f"User: arn:aws:iam::{ACCOUNT}:user/me is not authorized to perform: {action} on resource: x"
    aws.errors = lambda name, _: Error("AccessDeniedException", sentence) if name == action else None
    with pytest.raises(UsageError) as refusal:
        http_bench.smoke("--service", "shop")
    assert str(refusal.value).startswith(
        f"{action} is not allowed to these credentials; task-definitions/{POLICY}.json"
    )
    assert aws.tasks == {}


@pytest.mark.parametrize("action", ["ec2:DescribeSubnets", "logs:GetLogEvents", "ecs:ListTasks", "ecs:StopTask"])
def test_without_the_others_it_does_what_it_can_and_says_what_is_missing(
    http_bench: Bench, aws: Aws, action: str
) -> None:
    sentence = f"User: arn:aws:iam::{ACCOUNT}:user/me is not authorized to perform: {action} on resource: x"
    lost = action == "ecs:ListTasks"

    def errors(name: str, _nth: int) -> Error | Silence | None:
        if name == action:
            return Error("AccessDeniedException", sentence)
        return Silence() if lost and name == "ecs:RunTask" else None

    aws.errors = errors
    aws.lives = lambda where, _: Life(hangs_in="PENDING") if where == subnet(1) else Life()
    fleet = http_bench.smoke(*subnets(2), "--timeout", "60")
    assert any(f"{action} is not allowed" in note for note in fleet.notes)

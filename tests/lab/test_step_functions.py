"""The state machine, checked by independent programs: its form by cfn-lint, its result by moto's interpreter.

moto does not run `ecs:runTask.sync` with the parameters of AWS, so the machine starts after that state, with the
errors that Step Functions would pass on.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.deployment.definitions import ACCOUNT, FOLDER
from tests.lab.account import Account, assert_cfn_lint_finds_nothing

FILE = FOLDER / "step-functions" / "smoke.asl.json"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/ecr-probe-states"


def machine() -> dict[str, Any]:
    return dict(json.loads(FILE.read_text()))


def test_cfn_lint_finds_nothing(tmp_path: Path) -> None:
    properties = {"RoleArn": ROLE, "Definition": machine()}
    resource = {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}
    file = tmp_path / "template.json"
    file.write_text(json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": {"Machine": resource}}))
    assert_cfn_lint_finds_nothing(file)


@pytest.fixture(scope="module")
def account(account: Account) -> Account:
    """An account that executes state machines."""
    account.post("config", {"stepfunctions": {"execute_state_machine": True}})
    return account


@pytest.fixture(scope="module")
def machine_arn(account: Account) -> str:
    """The ARN of a machine that starts after RunTask, with an error for each subnet."""
    whole = machine()
    subnet_map = whole["States"]["InEachSubnet"]
    subnet_map |= {"ItemsPath": "$.errors", "ItemSelector": {"subnet": "subnet-1", "error.$": "$$.Map.Item.Value"}}
    del subnet_map["ItemProcessor"]["States"]["RunProbe"]
    subnet_map["ItemProcessor"]["StartAt"] = "DidATaskRun"
    file = account.folder / "machine.json"
    file.write_text(json.dumps(whole))
    command = f"stepfunctions create-state-machine --name after-run-task --definition file://{file} --role-arn {ROLE}"
    return str(account.aws(command)["stateMachineArn"])


def execute(account: Account, arn: str, *errors: dict[str, str]) -> dict[str, Any]:
    file = account.folder / "input.json"
    file.write_text(json.dumps({"errors": list(errors)}))
    # moto accepts only one execution without a name.
    start = f"stepfunctions start-execution --name {uuid4()} --state-machine-arn {arn} --input file://{file}"
    started = account.aws(start)
    until = time.monotonic() + 30
    while time.monotonic() < until:
        ended: dict[str, Any] = account.aws(
            f"stepfunctions describe-execution --execution-arn {started['executionArn']}"
        )
        if ended["status"] != "RUNNING":
            return ended
    raise AssertionError("the execution does not end")


def failed(*containers: dict[str, Any]) -> dict[str, str]:
    """States.TaskFailed; its cause is ECS's description of the task in Step Functions' spelling."""
    task = {"Attachments": [], "Containers": list(containers), "LastStatus": "STOPPED", "TaskArn": "arn:task"}
    return {"Error": "States.TaskFailed", "Cause": json.dumps(task, separators=(",", ":"))}


ROUTER = {"Name": "log-router", "ExitCode": 137}
GUARD = {"Name": "aws-guardduty-agent-f9ac2b"}


def test_a_killed_sidecar_does_not_fail_the_execution(account: Account, machine_arn: str) -> None:
    ended = execute(account, machine_arn, failed(ROUTER, {"Name": "ecr-probe", "ExitCode": 0}, GUARD))
    assert ended["status"] == "SUCCEEDED"


@pytest.mark.parametrize(
    ("errors", "code"),
    [
        ([failed(ROUTER, {"Name": "ecr-probe", "ExitCode": 1})], "EcrProbe.Fail"),
        ([failed({"Name": "ecr-probe", "ExitCode": 3}), failed({"Name": "ecr-probe", "ExitCode": 1})], "EcrProbe.Fail"),
        ([failed({"Name": "ecr-probe", "ExitCode": 3})], "EcrProbe.Inconclusive"),
        ([failed({"Name": "ecr-probe", "ExitCode": 137})], "EcrProbe.Inconclusive"),
        ([failed({"Name": "ecr-probe", "Reason": "CannotPullContainerError"})], "EcrProbe.Inconclusive"),
        ([{"Error": "AmazonECS.Unknown", "Cause": "RESOURCE:ENI"}], "EcrProbe.Inconclusive"),
        ([{"Error": "States.Timeout"}], "EcrProbe.Inconclusive"),
    ],
)
def test_only_the_probe_decides_the_result(
    account: Account, machine_arn: str, errors: list[dict[str, str]], code: str
) -> None:
    ended = execute(account, machine_arn, *errors)
    assert (ended["status"], ended["error"]) == ("FAILED", code)
    assert len(json.loads(ended["cause"])) == len(errors)


def test_the_readmes_commands_create_and_start_it(account: Account) -> None:
    (block,) = (FOLDER / "step-functions" / "README.md").read_text().split("```sh\n")[1:]
    script = block.partition("```")[0]
    printed = account.shell(f"cd step-functions\n{script}")
    assert "executionArn" in printed

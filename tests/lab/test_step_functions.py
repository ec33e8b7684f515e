"""The state machine before judges that nobody here wrote: cfn-lint for its form, moto's interpreter for its judgement.

moto does not run `ecs:runTask.sync` with the parameters of AWS, so the machine is entered behind it, with the errors
that Step Functions would hand on.
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
    """An account whose state machines run."""
    account.tell("config", {"stepfunctions": {"execute_state_machine": True}})
    return account


@pytest.fixture(scope="module")
def judging(account: Account) -> str:
    """The ARN of the machine that is entered behind RunTask, with an error for each subnet."""
    whole = machine()
    each = whole["States"]["InEachSubnet"]
    each |= {"ItemsPath": "$.errors", "ItemSelector": {"subnet": "subnet-1", "error.$": "$$.Map.Item.Value"}}
    del each["ItemProcessor"]["States"]["RunProbe"]
    each["ItemProcessor"]["StartAt"] = "DidATaskRun"
    file = account.folder / "judging.json"
    file.write_text(json.dumps(whole))
    command = f"stepfunctions create-state-machine --name judging --definition file://{file} --role-arn {ROLE}"
    return str(account.aws(command)["stateMachineArn"])


def judged(account: Account, machine: str, *errors: dict[str, str]) -> dict[str, Any]:
    given = json.dumps({"errors": list(errors)})
    file = account.folder / "input.json"
    file.write_text(given)
    # Of executions without a name moto takes one.
    start = f"stepfunctions start-execution --name {uuid4()} --state-machine-arn {machine} --input file://{file}"
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
    """States.TaskFailed, whose cause is the task as ECS describes it, in Step Functions' spelling."""
    task = {"Attachments": [], "Containers": list(containers), "LastStatus": "STOPPED", "TaskArn": "arn:task"}
    return {"Error": "States.TaskFailed", "Cause": json.dumps(task, separators=(",", ":"))}


ROUTER = {"Name": "log-router", "ExitCode": 137}
GUARD = {"Name": "aws-guardduty-agent-f9ac2b"}


def test_a_sidecar_that_is_killed_does_not_decide(account: Account, judging: str) -> None:
    ended = judged(account, judging, failed(ROUTER, {"Name": "ecr-probe", "ExitCode": 0}, GUARD))
    assert ended["status"] == "SUCCEEDED"


@pytest.mark.parametrize(
    ("errors", "word"),
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
def test_only_the_probe_decides(account: Account, judging: str, errors: list[dict[str, str]], word: str) -> None:
    ended = judged(account, judging, *errors)
    assert (ended["status"], ended["error"]) == ("FAILED", word)
    assert len(json.loads(ended["cause"])) == len(errors)


def test_the_readmes_commands_make_and_start_it(account: Account) -> None:
    (block,) = (FOLDER / "step-functions" / "README.md").read_text().split("```sh\n")[1:]
    script = block.partition("```")[0]
    told = account.shell(f"cd step-functions\n{script}")
    assert "executionArn" in told

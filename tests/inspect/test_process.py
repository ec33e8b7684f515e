"""The commands that read a configuration, as processes, against AWS's protocols on loopback: their exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.explain.test_command import task as stopped_task
from tests.inspect.test_target import TASK, task, with_service
from tests.inspect.vpc import REGION, START, Account, healthy_vpc
from tests.operator.endpoint import CREDENTIALS, Endpoint, served

TIMEOUT = 'ResourceInitializationError: unable to pull secrets or registry auth: The task cannot pull registry auth from Amazon ECR: There is a connection issue between the task and Amazon ECR. Check your task network configuration. RequestError: send request failed caused by: Post "https://api.ecr.us-east-1.amazonaws.com/": dial tcp 10.0.1.10:443: i/o timeout'  # noqa: E501


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty folder, so that no configuration of boto3 on this machine counts."""
    return tmp_path


def process(account: Account, home: Path, *argv: str, **environ: str) -> tuple[int, str, str]:
    with served(Endpoint(account)) as url:
        known = {"PATH": os.environ["PATH"], "HOME": str(home), "AWS_REGION": REGION, "AWS_ENDPOINT_URL": url}
        command = (sys.executable, "-m", "probe", *argv)
        done = subprocess.run(command, env={**known, **CREDENTIALS, **environ}, capture_output=True, timeout=60)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def closed(account: Account) -> None:
    account.object("sg-0e000000")["IpPermissions"] = []


def unreadable(account: Account) -> None:
    account.denied.add("ec2:DescribeSecurityGroups")


@pytest.mark.parametrize(
    ("change", "code", "status"),
    [(None, 0, "pass"), (closed, 1, "fail"), (unreadable, 3, "inconclusive")],
    ids=["healthy", "refused", "unreadable"],
)
def test_the_exit_code_is_that_of_the_verdict(
    change: Callable[[Account], None] | None, code: int, status: str, home: Path
) -> None:
    account = healthy_vpc()
    if change is not None:
        change(account)
    returned, out, err = process(account, home, "inspect", *START, "--format", "json")
    document = json.loads(out)
    assert (returned, document["exit_code"], document["status"], err) == (code, code, status, "")


@pytest.mark.parametrize(
    ("argv", "complaint"),
    [
        (("--subnets", "subnet-0f000000", "--image", START[-1]), "subnet-0f000000 does not exist in us-east-1"),
        (("--cluster", "main", "--service", "nothing"), "'nothing' is not in cluster main"),
        ((), "--service (ECR_PROBE_SERVICE): give this"),
        (("--verdict", "missing.json"), "'missing.json' cannot be read"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(argv: tuple[str, ...], complaint: str, home: Path) -> None:
    code, out, err = process(with_service(), home, "inspect", *argv)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert complaint in err


def test_without_credentials_it_is_exit_code_2(home: Path) -> None:
    code, out, err = process(healthy_vpc(), home, "inspect", *START, AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "credentials" in err


def with_stopped_task() -> Account:
    account = with_service()
    closed(account)
    details = [
        {"name": "subnetId", "value": "subnet-0a000000"},
        {"name": "networkInterfaceId", "value": "eni-0f000000"},
    ]
    stopped = stopped_task(taskArn=TASK, stoppedReason=TIMEOUT, containers=[])
    attachments = [{"type": "eni", "details": details}]
    account.objects["ecs"]["tasks"] = [{**stopped, **task(), "stoppedReason": TIMEOUT, "attachments": attachments}]
    return account


def test_a_stopped_task_is_explained_and_settled(home: Path) -> None:
    code, out, err = process(with_stopped_task(), home, "explain", "--task", TASK, "--inspect", "--format", "json")
    document = json.loads(out)
    assert (code, document["basis"], err) == (1, "text", "")
    cause = document["findings"][0]["causes"][0]
    assert (cause["code"], cause["standing"], cause["object"]) == ("tcp.security-group", "confirmed", "sg-0e000000")
    assert document["summary"].endswith("based on the error text and the configuration")
    assert {gate["answer"] for gate in document["gates"]} >= {"allows", "refuses"}
    text = process(with_stopped_task(), home, "explain", "--task", TASK, "--inspect")[1]
    assert "no rule of sg-0e000000 allows 443" in " ".join(text.split())


def test_a_stopped_task_whose_subnet_cannot_be_read_is_explained_all_the_same(home: Path) -> None:
    account = with_stopped_task()
    account.denied.add("ec2:DescribeSubnets")
    code, out, err = process(account, home, "explain", "--task", TASK, "--inspect", "--format", "json")
    assert (code, json.loads(out)["configuration"]) == (1, None)
    assert err.startswith("ecr-probe: the configuration was not read: ")


def test_explain_inspects_only_tasks(home: Path) -> None:
    code, _, err = process(healthy_vpc(), home, "explain", "--inspect", "verdict.json")
    assert code == 2
    assert "--inspect (ECR_PROBE_INSPECT): works only with --task" in err

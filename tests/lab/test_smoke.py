"""`ecr-probe smoke` against moto, an independent implementation of AWS's API. The AWS CLI inspects the result.

moto does not simulate how a task starts and stops; `tests/smoke` does.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from probe.report.json import schema
from tests.deployment.definitions import filled
from tests.lab.account import Account
from tests.lab.cloud import CREDENTIALS, REGION
from tests.lab.network import environment
from tests.report import made

GROUP = "/ecs/ecr-probe"
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def place(account: Account) -> dict[str, str]:
    """A cluster, the task definition, a service, and the subnets and group of the default VPC."""
    account.aws("ecs create-cluster --cluster-name smoke")
    definition = filled("smoke")
    definition["containerDefinitions"][0]["memory"] = 256  # moto runs no task without it
    account.aws(f"ecs register-task-definition --cli-input-json '{json.dumps(definition)}'")
    subnets = account.aws("ec2 describe-subnets")["Subnets"]
    groups = account.aws(f"ec2 describe-security-groups --filters Name=vpc-id,Values={subnets[0]['VpcId']}")
    group = groups["SecurityGroups"][0]["GroupId"]
    account.aws(f"logs create-log-group --log-group-name {GROUP}")
    two = [subnet["SubnetId"] for subnet in subnets[:2]]
    network = json.dumps({"awsvpcConfiguration": {"subnets": two, "securityGroups": [group]}})
    account.aws(
        "ecs create-service --cluster smoke --service-name shop --task-definition ecr-probe-smoke --desired-count 1 "
        f"--launch-type FARGATE --network-configuration '{network}'"
    )
    zones = {subnet["SubnetId"]: subnet["AvailabilityZone"] for subnet in subnets}
    account.skip_waiting("ecs::task")
    return {"subnets": ",".join(two), "group": group, "zones": json.dumps(zones)}


def smoke(account: Account, *arguments: str) -> subprocess.CompletedProcess[str]:
    url = f"http://127.0.0.1:{account.port}"
    own = {**CREDENTIALS, "AWS_ENDPOINT_URL": url, "HOME": str(account.folder)}
    command = (sys.executable, "-m", "probe", "smoke", "--cluster", "smoke", *arguments)
    return subprocess.run(
        command, env=environment(own), cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )


class Writer:
    """Writes a document into the log stream of every task, as the awslogs driver does.

    By boto3, because `smoke` waits for a document only so long, and the AWS CLI starts too slowly on a busy machine.
    """

    def __init__(self, account: Account) -> None:
        self._ecs, self._logs = account.client("ecs"), account.client("logs")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._write, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(60)

    def _write(self) -> None:
        written: set[str] = set()
        while not self._stop.wait(0.1):
            for status in ("RUNNING", "STOPPED"):
                listed = self._ecs.list_tasks(cluster="smoke", desiredStatus=status)["taskArns"]
                for arn in set(listed) - written:
                    written.add(arn)
                    self._stream(f"smoke/ecr-probe/{arn.rpartition('/')[2]}")

    def _stream(self, name: str) -> None:
        stream = {"logGroupName": GROUP, "logStreamName": name}
        self._logs.create_log_stream(**stream)
        now = int(time.time() * 1000)
        messages = ("ecr-probe: a note", msgspec.json.encode(made.verdict()).decode())
        self._logs.put_log_events(**stream, logEvents=[{"timestamp": now, "message": text} for text in messages])


@pytest.fixture(scope="module")
def fleet(account: Account, place: dict[str, str]) -> dict[str, Any]:
    assert place
    with Writer(account):
        done = smoke(account, "--service", "shop", "--as-execution-role", "--format", "json")
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_documents_are_read_from_cloudwatch_logs(fleet: dict[str, Any], place: dict[str, str]) -> None:
    jsonschema.Draft202012Validator(schema("fleet")).validate(fleet)
    zones = json.loads(place["zones"])
    assert {run["subnet"]: run["zone"] for run in fleet["runs"]} == {
        subnet: zones[subnet] for subnet in place["subnets"].split(",")
    }
    assert {(run["status"], run["source"]) for run in fleet["runs"]} == {("pass", "probe")}
    assert fleet["notes"] == []
    assert fleet["region"] == REGION


def test_tasks_have_the_requested_settings(account: Account, fleet: dict[str, Any], place: dict[str, str]) -> None:
    arns = " ".join(run["task_arn"] for run in fleet["runs"])
    tasks = account.aws(f"ecs describe-tasks --cluster smoke --include TAGS --tasks {arns}")["tasks"]
    for task in tasks:
        assert task["startedBy"].startswith("ecr-probe/")
        assert {"key": "application", "value": "ecr-probe"} in task["tags"]
        assert task["overrides"]["taskRoleArn"] == filled("smoke")["executionRoleArn"]
        (override,) = task["overrides"]["containerOverrides"]
        assert {"name": "ECR_PROBE_PULL_ROLE", "value": fleet["role"]} in override["environment"]
    subnets = [
        detail["value"]
        for task in tasks
        for attachment in task["attachments"]
        for detail in attachment["details"]
        if detail["name"] == "subnetId"
    ]
    assert sorted(subnets) == sorted(place["subnets"].split(","))


def test_no_task_definition_is_left(account: Account, fleet: dict[str, Any]) -> None:
    assert fleet["task_definition"] == "ecr-probe-smoke:1"
    definitions = account.aws("ecs list-task-definitions --family-prefix ecr-probe-smoke")["taskDefinitionArns"]
    assert len(definitions) == 1


@pytest.mark.parametrize(
    ("arguments", "error_text"),
    [
        (("--service", "missing"), "--service (ECR_PROBE_SERVICE): 'missing' is not in cluster smoke"),
        (("--service", "shop", "--cluster", "nowhere"), "--cluster (ECR_PROBE_CLUSTER): 'nowhere' is not a cluster"),
        (("--service", "shop", "--task-definition", "nothing"), "'nothing' is not registered in us-east-1"),
        (
            ("--subnets", "subnet-0a1b2c3d4e5f60718", "--security-groups", "sg-0a1b2c3d"),
            "--subnets (ECR_PROBE_SUBNETS): subnet-0a1b2c3d4e5f60718 does not exist in us-east-1",
        ),
    ],
)
def test_what_does_not_exist_is_reported_in_one_line(
    account: Account, place: dict[str, str], arguments: tuple[str, ...], error_text: str
) -> None:
    assert place
    done = smoke(account, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert error_text in line

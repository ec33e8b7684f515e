"""A fake AWS for `smoke`: ECS with the life cycle of a task, CloudWatch Logs, EC2's subnets, and errors of all of them.

moto's tasks have no life cycle: no stop code, an exit code from the start, and no failures. The replies here have the
form of ECS's own (API reference, and recorded replies).
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

import msgspec

from probe.model import Verdict
from tests.http_server import Reply, Request, replying
from tests.report import made

REGION, ACCOUNT = "eu-west-1", "123456789012"
ARN = f"arn:aws:ecs:{REGION}:{ACCOUNT}"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "AWS_EC2_METADATA_DISABLED": "true",
}
GROUP = "sg-0a1b2c3d4e5f60718"
TASK_ROLE, EXECUTION_ROLE = (f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in ("ecr-probe-task", "shop-execution"))


def subnet(number: int) -> str:
    return f"subnet-{number:017x}"


def document(verdict: Verdict | None = None) -> str:
    return msgspec.json.encode(verdict or made.verdict()).decode()


FAILING = made.broken()


@dataclass(frozen=True, kw_only=True)
class Life:
    """The life of a task: seconds until it runs and until it ends, and how it ends. By default its check passes."""

    pending: float = 20.0
    running: float = 10.0
    exit_code: int | None = 0
    lines: tuple[str, ...] = (document(),)
    late: float = 0.0  # seconds from its end until its log lines arrive
    reason: str = "Essential container in task exited"
    stop_code: str = "EssentialContainerExited"
    own_reason: str | None = None
    hangs_in: str | None = None  # its last status
    others: tuple[Mapping[str, Any], ...] = ()  # other containers
    unknown: float = 0.0  # seconds for which DescribeTasks does not know it
    goes_on: bool = False  # the task outlives the probe's container

    @classmethod
    def fails(cls, verdict: Verdict = FAILING, **changes: Any) -> Life:
        return cls(exit_code=verdict.exit_code, lines=(document(verdict),), **changes)

    @classmethod
    def never_runs(cls, reason: str, stop_code: str = "TaskFailedToStart", **changes: Any) -> Life:
        return cls(exit_code=None, lines=(), reason=reason, stop_code=stop_code, running=0, **changes)


@dataclass(frozen=True)
class Failures:
    """RunTask's failures, in an HTTP 200 instead of a task."""

    reasons: tuple[str, ...]
    detail: str | None = None


@dataclass(frozen=True)
class Error:
    code: str
    message: str = ""
    status: int = 400


class Silence:
    """The call is carried out, but its reply is never sent."""


Outcome = Life | Failures | Error | Silence | None  # None: as usual


@dataclass
class Task:
    arn: str
    subnet: str
    life: Life
    began: float
    request: dict[str, Any]
    stopped: float | None = None


def definition(**changes: Any) -> dict[str, Any]:
    container = {
        "name": "ecr-probe",
        "image": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/ecr-probe:0.1.0",
        "essential": True,
        "command": ["check", "--format", "json"],
        "environment": [{"name": "ECR_PROBE_VPC_CIDR", "value": "10.0.0.0/16"}],
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": "/ecs/ecr-probe",
                "awslogs-region": REGION,
                "awslogs-stream-prefix": "smoke",
            },
        },
    }
    return {
        "taskDefinitionArn": f"{ARN}:task-definition/ecr-probe-smoke:7",
        "family": "ecr-probe-smoke",
        "networkMode": "awsvpc",
        "status": "ACTIVE",
        "requiresCompatibilities": ["FARGATE", "EC2"],
        "taskRoleArn": TASK_ROLE,
        "containerDefinitions": [container],
        **changes,
    }


def shop() -> dict[str, Any]:
    return {
        "taskDefinitionArn": f"{ARN}:task-definition/shop:41",
        "family": "shop",
        "networkMode": "awsvpc",
        "executionRoleArn": EXECUTION_ROLE,
        "containerDefinitions": [{"name": "shop", "image": "shop"}],
    }


def service(*, subnets: int = 3, **changes: Any) -> dict[str, Any]:
    return {
        "serviceName": "shop",
        "status": "ACTIVE",
        "launchType": "FARGATE",
        "platformVersion": "1.4.0",
        "taskDefinition": f"{ARN}:task-definition/shop:41",
        "networkConfiguration": {
            "awsvpcConfiguration": {
                "subnets": [subnet(number) for number in range(subnets)],
                "securityGroups": [GROUP],
                "assignPublicIp": "DISABLED",
            }
        },
        **changes,
    }


@dataclass
class Aws:
    """Its fields can be changed to cause errors. `now` is the clock of its tasks."""

    now: Callable[[], float] = time.monotonic
    clusters: list[str] = field(default_factory=lambda: ["main", "default"])
    definitions: dict[str, dict[str, Any]] = field(
        default_factory=lambda: {"ecr-probe-smoke": definition(), "shop": shop()}
    )
    services: dict[str, dict[str, Any]] = field(default_factory=lambda: {"shop": service()})
    subnets: dict[str, str] = field(
        default_factory=lambda: {subnet(number): f"{REGION}{'abc'[number % 3]}" for number in range(1000)}
    )
    lives: Callable[[str, int], Outcome] = lambda _subnet, _nth: Life()  # of the nth task in a subnet
    errors: Callable[[str, int], Error | Silence | None] = lambda _action, _nth: None  # of the nth call of an action
    latency: float = 0.0  # real seconds
    tasks: dict[str, Task] = field(default_factory=dict)
    tokens: dict[str, Task] = field(default_factory=dict)
    calls: list[tuple[float, str, dict[str, Any]]] = field(default_factory=list)
    regions: set[tuple[str, str]] = field(default_factory=set)  # of (action, region its call was signed for)
    lock: threading.Lock = field(default_factory=threading.Lock)
    _calls_of: Counter[str] = field(default_factory=Counter)
    _launches_in: Counter[str] = field(default_factory=Counter)

    # ---- for assertions ----------------------------------------------------------------------------------------------

    def count(self) -> Counter[str]:
        return Counter(action for _, action, _ in self.calls)

    def requests(self, action: str) -> list[dict[str, Any]]:
        return [request for _, name, request in self.calls if name == action]

    def instants(self, action: str) -> list[float]:
        return [instant for instant, name, _ in self.calls if name == action]

    def running(self) -> list[Task]:
        return [task for task in self.tasks.values() if self._status(task) != "STOPPED"]

    # ---- ECS ---------------------------------------------------------------------------------------------------------

    def reply(self, action: str, request: dict[str, Any]) -> dict[str, Any] | Error | Silence:
        with self.lock:
            self.calls.append((self.now(), action, request))
            self._calls_of[action] += 1
            error = self.errors(action, self._calls_of[action])
            if isinstance(error, Error):
                return error
            reply: dict[str, Any] | Error | Silence = getattr(self, f"_{action.partition(':')[2]}")(request)
            return error or reply

    def _in_cluster(self, request: dict[str, Any]) -> Error | None:
        name = str(request.get("cluster", "default")).rpartition("/")[2]
        return None if name in self.clusters else Error("ClusterNotFoundException", "Cluster not found.")

    def _DescribeServices(self, request: dict[str, Any]) -> dict[str, Any] | Error:  # noqa: N802
        names = [str(name).rpartition("/")[2] for name in request["services"]]
        missing = [{"arn": f"{ARN}:service/{name}", "reason": "MISSING"} for name in names if name not in self.services]
        services = [self.services[name] for name in names if name in self.services]
        return self._in_cluster(request) or {"services": services, "failures": missing}

    def _DescribeTaskDefinition(self, request: dict[str, Any]) -> dict[str, Any] | Error:  # noqa: N802
        name = str(request["taskDefinition"]).rpartition("/")[2].partition(":")[0]
        if name not in self.definitions:
            return Error("ClientException", "Unable to describe task definition.")
        return {"taskDefinition": self.definitions[name]}

    def _RunTask(self, request: dict[str, Any]) -> dict[str, Any] | Error | Silence:  # noqa: N802
        if refusal := self._in_cluster(request):
            return refusal
        if request["clientToken"] in self.tokens:
            return {"tasks": [self._describe(self.tokens[request["clientToken"]])], "failures": []}
        where = self._subnet(request)
        if where not in self.subnets:
            sentence = f"Error retrieving subnet information for [{where}]: The subnet ID '{where}' does not exist"
            return Error("InvalidParameterException", f"{sentence} (ErrorCode: InvalidSubnetID.NotFound)")
        self._launches_in[where] += 1
        outcome = self.lives(where, self._launches_in[where])
        if isinstance(outcome, Error):
            return outcome
        if isinstance(outcome, Failures):
            failure = {
                "arn": f"{ARN}:container-instance/main/0a1b",
                **({"detail": outcome.detail} if outcome.detail else {}),
            }
            return {"tasks": [], "failures": [{**failure, "reason": reason} for reason in outcome.reasons]}
        life = outcome if isinstance(outcome, Life) else Life()
        arn = f"{ARN}:task/main/{len(self.tasks):032x}"
        self.tasks[arn] = self.tokens[request["clientToken"]] = Task(arn, where, life, self.now(), request)
        return outcome if isinstance(outcome, Silence) else {"tasks": [self._describe(self.tasks[arn])], "failures": []}

    @staticmethod
    def _subnet(request: dict[str, Any]) -> str:
        network = request.get("networkConfiguration")
        if network:
            (only,) = network["awsvpcConfiguration"]["subnets"]
            return str(only)
        (constraint,) = request["placementConstraints"]
        return str(constraint["expression"]).rpartition(" == ")[2]

    def _DescribeTasks(self, request: dict[str, Any]) -> dict[str, Any] | Error:  # noqa: N802
        assert len(request["tasks"]) <= 100
        tasks = {arn: self.tasks[arn] for arn in request["tasks"] if arn in self.tasks}
        shown = {arn: task for arn, task in tasks.items() if self.now() - task.began >= task.life.unknown}
        missing = [{"arn": arn, "reason": "MISSING"} for arn in request["tasks"] if arn not in shown]
        return {"tasks": [self._describe(task) for task in shown.values()], "failures": missing}

    def _ListTasks(self, request: dict[str, Any]) -> dict[str, Any] | Error:  # noqa: N802
        own = [task.arn for task in self.running() if task.request.get("startedBy") == request.get("startedBy")]
        start = int(request.get("nextToken", 0))
        more = {"nextToken": str(start + 100)} if len(own) > start + 100 else {}
        return {"taskArns": own[start : start + 100], **more}

    def _StopTask(self, request: dict[str, Any]) -> dict[str, Any] | Error:  # noqa: N802
        task = self.tasks.get(request["task"])
        if task is None:
            return Error("InvalidParameterException", "The referenced task was not found.")
        if task.stopped is None:
            task.stopped = self.now()
        return {"task": self._describe(task)}

    def _own_status(self, task: Task) -> str:
        age, life = self.now() - task.began, task.life
        if task.stopped is not None:
            return "STOPPED"
        if life.hangs_in and age >= life.pending / 2:
            return life.hangs_in
        if age < life.pending / 2:
            return "PROVISIONING"
        if age < life.pending:
            return "PENDING"
        return "RUNNING" if age < life.pending + life.running else "STOPPED"

    def _status(self, task: Task) -> str:
        own = self._own_status(task)
        return "RUNNING" if own == "STOPPED" and task.life.goes_on and task.stopped is None else own

    def _describe(self, task: Task) -> dict[str, Any]:
        life, status, own = task.life, self._status(task), self._own_status(task)
        container: dict[str, Any] = {"name": "ecr-probe", "lastStatus": own if own != "PROVISIONING" else "PENDING"}
        if own == "STOPPED":
            container |= {"exitCode": life.exit_code} if life.exit_code is not None else {}
            container |= {"reason": life.own_reason} if life.own_reason else {}
        description: dict[str, Any] = {
            "taskArn": task.arn,
            "availabilityZone": self.subnets[task.subnet],
            "lastStatus": status,
            "desiredStatus": "STOPPED" if status == "STOPPED" else "RUNNING",
            "containers": [*map(dict, life.others), container],
        }
        if status == "STOPPED":
            description |= {"stoppedReason": life.reason, "stopCode": life.stop_code}
        return description

    # ---- CloudWatch Logs and EC2 -------------------------------------------------------------------------------------

    def _GetLogEvents(self, request: dict[str, Any]) -> dict[str, Any] | Error:  # noqa: N802
        prefix, _, name = str(request["logStreamName"]).rpartition("/")
        task = self.tasks.get(f"{ARN}:task/main/{name}")
        if task is None or prefix != "smoke/ecr-probe" or request["logGroupName"] != "/ecs/ecr-probe":
            return Error("ResourceNotFoundException", "The specified log stream does not exist.")
        life = task.life
        if not life.lines or self.now() < task.began + life.pending + life.running + life.late:
            return {"events": []}
        lines = life.lines[: request["limit"]] if request["startFromHead"] else life.lines[-request["limit"] :]
        return {"events": [{"timestamp": 0, "message": line, "ingestionTime": 0} for line in lines]}

    def _DescribeSubnets(self, request: dict[str, Any]) -> dict[str, Any] | Error:  # noqa: N802
        missing = [name for name in request["SubnetIds"] if name not in self.subnets]
        if missing:
            return Error("InvalidSubnetID.NotFound", f"The subnet ID '{missing[0]}' does not exist")
        return {
            "Subnets": [{"SubnetId": name, "AvailabilityZone": self.subnets[name]} for name in request["SubnetIds"]]
        }


# ---- HTTP ------------------------------------------------------------------------------------------------------------

_SERVICES = {"AmazonEC2ContainerServiceV20141113": "ecs", "Logs_20140328": "logs"}


def _reply(aws: Aws, request: Request) -> Reply | None:
    target = request.headers.get("X-Amz-Target", "")
    if target:
        prefix, _, operation = target.partition(".")
        action = f"{_SERVICES[prefix]}:{operation}"
        # "AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, ..."
        aws.regions.add((action, request.headers["Authorization"].split("/")[2]))
        reply = aws.reply(action, json.loads(request.body))
        threading.Event().wait(aws.latency)
        return _json(reply)
    form = {key: values[0] for key, values in parse_qs(request.body.decode()).items()}
    ids = [value for key, value in form.items() if key.startswith("SubnetId.")]
    return _xml(aws.reply(f"ec2:{form['Action']}", {"SubnetIds": ids}))


def _json(reply: dict[str, Any] | Error | Silence) -> Reply | None:
    if isinstance(reply, Silence):
        return None
    status, document = 200, reply
    if isinstance(reply, Error):
        status, document = reply.status, {"__type": reply.code, "message": reply.message}
    return Reply(status, "application/x-amz-json-1.1", json.dumps(document).encode())


def _xml(reply: dict[str, Any] | Error | Silence) -> Reply:
    if isinstance(reply, Error):
        error = f"<Code>{reply.code}</Code><Message>{escape(reply.message)}</Message>"
        status = reply.status
        text = f"<Response><Errors><Error>{error}</Error></Errors><RequestID>0</RequestID></Response>"
    else:
        assert isinstance(reply, dict)
        items = "".join(
            f"<item><subnetId>{described['SubnetId']}</subnetId>"
            f"<availabilityZone>{described['AvailabilityZone']}</availabilityZone></item>"
            for described in reply["Subnets"]
        )
        status, text = 200, f"<DescribeSubnetsResponse><subnetSet>{items}</subnetSet></DescribeSubnetsResponse>"
    return Reply(status, "text/xml", text.encode())


@contextmanager
def served(aws: Aws) -> Iterator[str]:
    """Serve the fake AWS on loopback, and yield its URL."""
    with replying(lambda request: _reply(aws, request)) as url:
        yield url

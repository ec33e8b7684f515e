"""AWS as `smoke` meets it, on loopback: ECS with the life of a task, CloudWatch Logs, EC2's subnets, and their moods.

moto knows no life of a task: it has no stop code, an exit code from the first moment on, and no failures. What stands
here is shaped as ECS's own answers (API reference, and answers recorded elsewhere).
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

import msgspec

from probe.model import Verdict
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
    """What becomes of a task: seconds until it runs, until it ends, and how. The default is a check that passes."""

    pending: float = 20.0
    running: float = 10.0
    exit_code: int | None = 0
    lines: tuple[str, ...] = (document(),)
    late: float = 0.0  # seconds after its end at which its lines have arrived
    reason: str = "Essential container in task exited"
    stop_code: str = "EssentialContainerExited"
    own_reason: str | None = None
    hangs_in: str | None = None  # the status that it never leaves
    others: tuple[Mapping[str, Any], ...] = ()  # more containers
    unknown: float = 0.0  # seconds for which DescribeTasks does not know it
    goes_on: bool = False  # the task outlives our container

    @classmethod
    def fails(cls, verdict: Verdict = FAILING, **given: Any) -> Life:
        return cls(exit_code=verdict.exit_code, lines=(document(verdict),), **given)

    @classmethod
    def never_runs(cls, reason: str, stop_code: str = "TaskFailedToStart", **given: Any) -> Life:
        return cls(exit_code=None, lines=(), reason=reason, stop_code=stop_code, running=0, **given)


@dataclass(frozen=True)
class Failures:
    """In an HTTP 200, in place of a task."""

    reasons: tuple[str, ...]
    detail: str | None = None


@dataclass(frozen=True)
class Error:
    code: str
    message: str = ""
    status: int = 400


class Silence:
    """The call is carried out, and its answer never comes."""


Outcome = Life | Failures | Error | Silence | None  # None: as usual


@dataclass
class Task:
    arn: str
    subnet: str
    life: Life
    began: float
    request: dict[str, Any]
    stopped: float | None = None


def definition(**given: Any) -> dict[str, Any]:
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
        **given,
    }


def shop() -> dict[str, Any]:
    return {
        "taskDefinitionArn": f"{ARN}:task-definition/shop:41",
        "family": "shop",
        "networkMode": "awsvpc",
        "executionRoleArn": EXECUTION_ROLE,
        "containerDefinitions": [{"name": "shop", "image": "shop"}],
    }


def service(*, subnets: int = 3, **given: Any) -> dict[str, Any]:
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
        **given,
    }


@dataclass
class Aws:
    """Change what it holds to make it ill. `now` is the clock by which its tasks live."""

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

    # ---- what a test asks ------------------------------------------------------------------------------------------

    def count(self) -> Counter[str]:
        return Counter(action for _, action, _ in self.calls)

    def given_to(self, action: str) -> list[dict[str, Any]]:
        return [given for _, name, given in self.calls if name == action]

    def instants(self, action: str) -> list[float]:
        return [instant for instant, name, _ in self.calls if name == action]

    def running(self) -> list[Task]:
        return [task for task in self.tasks.values() if self._status(task) != "STOPPED"]

    # ---- ECS -------------------------------------------------------------------------------------------------------

    def answer(self, action: str, given: dict[str, Any]) -> dict[str, Any] | Error | Silence:
        with self.lock:
            self.calls.append((self.now(), action, given))
            self._calls_of[action] += 1
            ill = self.errors(action, self._calls_of[action])
            if isinstance(ill, Error):
                return ill
            answered: dict[str, Any] | Error | Silence = getattr(self, f"_{action.partition(':')[2]}")(given)
            return ill or answered

    def _in_cluster(self, given: dict[str, Any]) -> Error | None:
        name = str(given.get("cluster", "default")).rpartition("/")[2]
        return None if name in self.clusters else Error("ClusterNotFoundException", "Cluster not found.")

    def _DescribeServices(self, given: dict[str, Any]) -> dict[str, Any] | Error:  # noqa: N802
        names = [str(name).rpartition("/")[2] for name in given["services"]]
        missing = [{"arn": f"{ARN}:service/{name}", "reason": "MISSING"} for name in names if name not in self.services]
        found = [self.services[name] for name in names if name in self.services]
        return self._in_cluster(given) or {"services": found, "failures": missing}

    def _DescribeTaskDefinition(self, given: dict[str, Any]) -> dict[str, Any] | Error:  # noqa: N802
        name = str(given["taskDefinition"]).rpartition("/")[2].partition(":")[0]
        if name not in self.definitions:
            return Error("ClientException", "Unable to describe task definition.")
        return {"taskDefinition": self.definitions[name]}

    def _RunTask(self, given: dict[str, Any]) -> dict[str, Any] | Error | Silence:  # noqa: N802
        if refusal := self._in_cluster(given):
            return refusal
        if given["clientToken"] in self.tokens:
            return {"tasks": [self._described(self.tokens[given["clientToken"]])], "failures": []}
        where = self._subnet(given)
        if where not in self.subnets:
            words = f"Error retrieving subnet information for [{where}]: The subnet ID '{where}' does not exist"
            return Error("InvalidParameterException", f"{words} (ErrorCode: InvalidSubnetID.NotFound)")
        self._launches_in[where] += 1
        outcome = self.lives(where, self._launches_in[where])
        if isinstance(outcome, Error):
            return outcome
        if isinstance(outcome, Failures):
            each = {
                "arn": f"{ARN}:container-instance/main/0a1b",
                **({"detail": outcome.detail} if outcome.detail else {}),
            }
            return {"tasks": [], "failures": [{**each, "reason": reason} for reason in outcome.reasons]}
        life = outcome if isinstance(outcome, Life) else Life()
        arn = f"{ARN}:task/main/{len(self.tasks):032x}"
        self.tasks[arn] = self.tokens[given["clientToken"]] = Task(arn, where, life, self.now(), given)
        return (
            outcome if isinstance(outcome, Silence) else {"tasks": [self._described(self.tasks[arn])], "failures": []}
        )

    @staticmethod
    def _subnet(given: dict[str, Any]) -> str:
        network = given.get("networkConfiguration")
        if network:
            (only,) = network["awsvpcConfiguration"]["subnets"]
            return str(only)
        (constraint,) = given["placementConstraints"]
        return str(constraint["expression"]).rpartition(" == ")[2]

    def _DescribeTasks(self, given: dict[str, Any]) -> dict[str, Any] | Error:  # noqa: N802
        assert len(given["tasks"]) <= 100
        known = {arn: self.tasks[arn] for arn in given["tasks"] if arn in self.tasks}
        shown = {arn: task for arn, task in known.items() if self.now() - task.began >= task.life.unknown}
        missing = [{"arn": arn, "reason": "MISSING"} for arn in given["tasks"] if arn not in shown]
        return {"tasks": [self._described(task) for task in shown.values()], "failures": missing}

    def _ListTasks(self, given: dict[str, Any]) -> dict[str, Any] | Error:  # noqa: N802
        mine = [task.arn for task in self.running() if task.request.get("startedBy") == given.get("startedBy")]
        start = int(given.get("nextToken", 0))
        more = {"nextToken": str(start + 100)} if len(mine) > start + 100 else {}
        return {"taskArns": mine[start : start + 100], **more}

    def _StopTask(self, given: dict[str, Any]) -> dict[str, Any] | Error:  # noqa: N802
        task = self.tasks.get(given["task"])
        if task is None:
            return Error("InvalidParameterException", "The referenced task was not found.")
        if task.stopped is None:
            task.stopped = self.now()
        return {"task": self._described(task)}

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

    def _described(self, task: Task) -> dict[str, Any]:
        life, status, own = task.life, self._status(task), self._own_status(task)
        container: dict[str, Any] = {"name": "ecr-probe", "lastStatus": own if own != "PROVISIONING" else "PENDING"}
        if own == "STOPPED":
            container |= {"exitCode": life.exit_code} if life.exit_code is not None else {}
            container |= {"reason": life.own_reason} if life.own_reason else {}
        told: dict[str, Any] = {
            "taskArn": task.arn,
            "availabilityZone": self.subnets[task.subnet],
            "lastStatus": status,
            "desiredStatus": "STOPPED" if status == "STOPPED" else "RUNNING",
            "containers": [*(dict(each) for each in life.others), container],
        }
        if status == "STOPPED":
            told |= {"stoppedReason": life.reason, "stopCode": life.stop_code}
        return told

    # ---- CloudWatch Logs and EC2 -----------------------------------------------------------------------------------

    def _GetLogEvents(self, given: dict[str, Any]) -> dict[str, Any] | Error:  # noqa: N802
        prefix, _, name = str(given["logStreamName"]).rpartition("/")
        task = self.tasks.get(f"{ARN}:task/main/{name}")
        if task is None or prefix != "smoke/ecr-probe" or given["logGroupName"] != "/ecs/ecr-probe":
            return Error("ResourceNotFoundException", "The specified log stream does not exist.")
        life = task.life
        if not life.lines or self.now() < task.began + life.pending + life.running + life.late:
            return {"events": []}
        lines = life.lines[: given["limit"]] if given["startFromHead"] else life.lines[-given["limit"] :]
        return {"events": [{"timestamp": 0, "message": line, "ingestionTime": 0} for line in lines]}

    def _DescribeSubnets(self, given: dict[str, Any]) -> dict[str, Any] | Error:  # noqa: N802
        missing = [each for each in given["SubnetIds"] if each not in self.subnets]
        if missing:
            return Error("InvalidSubnetID.NotFound", f"The subnet ID '{missing[0]}' does not exist")
        return {"Subnets": [{"SubnetId": each, "AvailabilityZone": self.subnets[each]} for each in given["SubnetIds"]]}


# ---- HTTP ------------------------------------------------------------------------------------------------------------

_SERVICES = {"AmazonEC2ContainerServiceV20141113": "ecs", "Logs_20140328": "logs"}


def _handler(aws: Aws) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            target = self.headers.get("X-Amz-Target", "")
            if target:
                prefix, _, operation = target.partition(".")
                action = f"{_SERVICES[prefix]}:{operation}"
                # "AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, ..."
                aws.regions.add((action, self.headers["Authorization"].split("/")[2]))
                answer = aws.answer(action, json.loads(body))
                threading.Event().wait(aws.latency)
                self._json(answer)
            else:
                form = {key: values[0] for key, values in parse_qs(body.decode()).items()}
                ids = [value for key, value in form.items() if key.startswith("SubnetId.")]
                self._xml(aws.answer(f"ec2:{form['Action']}", {"SubnetIds": ids}))

        def _json(self, answer: dict[str, Any] | Error | Silence) -> None:
            if isinstance(answer, Error):
                told = {"__type": answer.code, "message": answer.message}
                self._send(answer.status, "application/x-amz-json-1.1", json.dumps(told))
            elif isinstance(answer, Silence):
                self.close_connection = True
            else:
                self._send(200, "application/x-amz-json-1.1", json.dumps(answer))

        def _xml(self, answer: dict[str, Any] | Error | Silence) -> None:
            if isinstance(answer, Error):
                told = f"<Code>{answer.code}</Code><Message>{escape(answer.message)}</Message>"
                status = answer.status
                text = f"<Response><Errors><Error>{told}</Error></Errors><RequestID>0</RequestID></Response>"
            else:
                assert isinstance(answer, dict)
                items = "".join(
                    f"<item><subnetId>{each['SubnetId']}</subnetId>"
                    f"<availabilityZone>{each['AvailabilityZone']}</availabilityZone></item>"
                    for each in answer["Subnets"]
                )
                status, text = 200, f"<DescribeSubnetsResponse><subnetSet>{items}</subnetSet></DescribeSubnetsResponse>"
            self._send(status, "text/xml", text)

        def _send(self, status: int, kind: str, text: str) -> None:
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()

        def log_message(self, *_: object) -> None:
            return

    return Handler


@contextmanager
def served(aws: Aws) -> Iterator[str]:
    """Its URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(aws))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

"""The hook of a deployment: its calls, and its results for ECS and CodeDeploy. boto3 is real, up to the socket."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from docs.pipelines import deployment_hook as hook
from probe.lambda_event import read
from probe.model import Status
from probe.report import FORMATS, Page
from tests.report import made

SUBNETS = ["subnet-0a1b2c3d4e5f60718", "subnet-0b1c2d3e4f5a60718"]
DIGEST = f"sha256:{'a' * 64}"
APP = f"{made.HOSTS['ecr.dkr']}/team/app"
REVISION = "arn:aws:ecs:eu-west-1:123456789012:service-revision/main/shop/9313423515462893900"
# As https://docs.aws.amazon.com/AmazonECS/latest/developerguide/lambda-lifecycle-hooks.html has it.
OF_ECS: dict[str, Any] = {
    "executionId": "e8d5a28f-eb01-4f3c-9454-a30ba6dc54bc",
    "lifecycleStage": "PRE_SCALE_UP",
    "resourceArn": "arn:aws:ecs:eu-west-1:123456789012:service-deployment/main/shop/EZe5RNVLH6PPzHXINuP28",
    "executionDetails": {
        "serviceArn": "arn:aws:ecs:eu-west-1:123456789012:service/main/shop",
        "targetServiceRevisionArn": REVISION,
        "testTrafficWeights": {},
        "productionTrafficWeights": {},
    },
}
OF_CODEDEPLOY = {"DeploymentId": "d-ABCDEF123", "LifecycleEventHookExecutionId": "eyJlbmMiOiJ4In0"}
GOOD = FORMATS["json"].render(made.verdict(), Page())
BAD = FORMATS["json"].render(made.broken(), Page())
UNKNOWN = FORMATS["json"].render(made.verdict(status=Status.INCONCLUSIVE, exit_code=3), Page())


@cache
def session() -> boto3.session.Session:
    """One for all tests, since each session reads botocore's models again."""
    keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x"}
    return boto3.session.Session(region_name="eu-west-1", **keys)


class Raw(BytesIO):
    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


class Aws:
    """The services' responses and the requests to them. A response is a body, or (body, headers, status)."""

    def __init__(self) -> None:
        self.functions: dict[str, Any] = {f"ecr-probe-{subnet}": GOOD for subnet in SUBNETS}
        self.revision: dict[str, Any] = {
            "serviceRevisionArn": REVISION,
            "networkConfiguration": {"awsvpcConfiguration": {"subnets": SUBNETS}},
            "containerImages": [
                {"containerName": "app", "image": f"{APP}:7", "imageDigest": DIGEST},
                {"containerName": "agent", "image": "public.ecr.aws/x/agent:latest"},
            ],
        }
        self.invocations: list[tuple[str, Any]] = []
        self.results: list[dict[str, Any]] = []  # reported to CodeDeploy

    def client(self, name: str, **options: Any) -> Any:
        client = session().client(name, **options)
        client.meta.events.register("before-send", self.answer)
        return client

    def answer(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        body, headers, status = self._answer(request)
        return AWSResponse(request.url, status, headers, Raw(body.encode()))

    def _answer(self, request: AWSPreparedRequest) -> tuple[str, dict[str, str], int]:
        sent = json.loads(request.body or b"{}")
        if request.url.endswith("/invocations"):
            function = request.url.split("/")[-2]
            self.invocations.append((function, sent))
            answer = self.functions[function]
            return answer if isinstance(answer, tuple) else (answer, {}, 200)
        if request.headers["X-Amz-Target"].decode().endswith(".DescribeServiceRevisions"):
            assert sent == {"serviceRevisionArns": [REVISION]}
            return json.dumps({"serviceRevisions": [self.revision], "failures": []}), {}, 200
        assert request.headers["X-Amz-Target"].decode().endswith(".PutLifecycleEventHookExecutionStatus")
        self.results.append(sent)
        return json.dumps({"lifecycleEventHookExecutionId": sent["lifecycleEventHookExecutionId"]}), {}, 200


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    world = Aws()
    monkeypatch.setattr(boto3, "client", world.client)
    monkeypatch.setattr(hook, "DELAY", 0)
    monkeypatch.setenv("SUBNETS", ",".join(SUBNETS))
    return world


def broken(aws: Aws, answer: Any) -> None:
    aws.functions[f"ecr-probe-{SUBNETS[1]}"] = answer


def test_ecs_continues_if_every_subnet_can_pull_the_new_image(aws: Aws) -> None:
    assert hook.handler(OF_ECS, None) == {"hookStatus": "SUCCEEDED"}
    assert sorted(aws.invocations) == [(f"ecr-probe-{subnet}", {"image": f"{APP}:7@{DIGEST}"}) for subnet in SUBNETS]
    for _, event in aws.invocations:
        read(event)  # the probe's function accepts it


def test_each_image_is_proven_once_and_by_its_digest(aws: Aws) -> None:
    pinned = f"{APP}@{DIGEST}"
    aws.revision["containerImages"] += [
        {"containerName": "worker", "image": f"{APP}:7", "imageDigest": DIGEST},
        {"containerName": "pinned", "image": pinned, "imageDigest": DIGEST},
        {"containerName": "unknown", "image": f"{APP}:8"},
    ]
    assert hook.handler(OF_ECS, None) == {"hookStatus": "SUCCEEDED"}
    images = sorted(event["image"] for function, event in aws.invocations if function.endswith(SUBNETS[0]))
    assert images == [f"{APP}:7@{DIGEST}", f"{APP}:8", pinned]


def test_warnings_do_not_stop_a_deployment(aws: Aws) -> None:
    broken(aws, FORMATS["json"].render(made.verdict(status=Status.DEGRADED), Page()))
    assert hook.handler(OF_ECS, None) == {"hookStatus": "SUCCEEDED"}


def test_without_any_subnet_nothing_is_proven(aws: Aws) -> None:
    assert hook.prove([], []) == "inconclusive"
    assert aws.invocations == []


def test_it_waits_longer_than_a_functions_timeout() -> None:
    template = (Path(__file__).parents[2] / "task-definitions/cloudformation/lambda.yaml").read_text()
    (timeout,) = re.findall(r"^ +Timeout: (\d+)$", template, re.M)
    assert hook.NO_RETRIES.read_timeout > int(timeout)


def test_the_error_of_a_failed_function_is_logged(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    broken(aws, ('{"errorMessage": "Task timed out"}', {"X-Amz-Function-Error": "Unhandled"}, 200))
    hook.handler(OF_ECS, None)
    assert '"message": "Task timed out"' in capsys.readouterr().out


def test_ecs_rolls_back_if_one_subnet_cannot_pull(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    broken(aws, BAD)
    assert hook.handler(OF_ECS, None) == {"hookStatus": "FAILED"}
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (failed,) = [line for line in lines if line["status"] == "fail"]
    assert failed["function"] == f"ecr-probe-{SUBNETS[1]}"
    assert failed["errors"] == ["nothing answers on port 443 of ecr.api, ecr.dkr"]


NO_PROOF = [
    pytest.param(UNKNOWN, id="inconclusive"),
    pytest.param(
        (
            '{"errorMessage": "Task timed out", "errorType": "Sandbox.Timedout"}',
            {"X-Amz-Function-Error": "Unhandled"},
            200,
        ),
        id="the function failed",
    ),
    pytest.param(('{"message": "no"}', {"x-amzn-errortype": "ResourceNotFoundException"}, 404), id="no such function"),
    pytest.param(('{"Reason": "x"}', {"x-amzn-errortype": "TooManyRequestsException"}, 429), id="throttled"),
    pytest.param("null", id="no verdict"),
    pytest.param('{"status": "surprise", "findings": []}', id="a status of another version"),
]


@pytest.mark.parametrize("answer", NO_PROOF)
def test_ecs_calls_again_after_an_inconclusive_check_and_stops_after_five(aws: Aws, answer: Any) -> None:
    broken(aws, answer)
    event = dict(OF_ECS, hookDetails={"mine": 1})
    for tries in range(1, hook.TRIES):
        returned = hook.handler(event, None)
        assert returned == {"hookStatus": "IN_PROGRESS", "callBackDelay": 0, "hookDetails": {"mine": 1, "tries": tries}}
        event["hookDetails"] = returned["hookDetails"]
    assert hook.handler(event, None) == {"hookStatus": "FAILED"}
    assert len(aws.invocations) == 2 * hook.TRIES  # the client itself repeats no call


def test_a_failure_outweighs_an_inconclusive_check(aws: Aws) -> None:
    aws.functions = {f"ecr-probe-{SUBNETS[0]}": UNKNOWN, f"ecr-probe-{SUBNETS[1]}": BAD}
    assert hook.handler(OF_ECS, None) == {"hookStatus": "FAILED"}


def test_a_service_without_subnets_is_an_error(aws: Aws) -> None:
    aws.revision["networkConfiguration"] = None
    with pytest.raises(ValueError, match="no subnets of its own"):
        hook.handler(OF_ECS, None)


@pytest.mark.parametrize(
    ("answer", "status", "times"), [(GOOD, "Succeeded", 1), (BAD, "Failed", 1), (UNKNOWN, "Failed", 5)]
)
def test_codedeploy_gets_one_result(
    aws: Aws, answer: str, status: str, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    broken(aws, answer)
    assert hook.handler(OF_CODEDEPLOY, None) == {"status": status}
    assert slept == [hook.DELAY] * (times - 1)
    assert aws.results == [
        {"deploymentId": "d-ABCDEF123", "lifecycleEventHookExecutionId": "eyJlbmMiOiJ4In0", "status": status}
    ]
    assert sorted(aws.invocations) == [(function, {}) for function in sorted(aws.functions) for _ in range(times)]


def test_codedeploy_gets_a_result_even_if_the_hook_fails(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUBNETS")
    with pytest.raises(KeyError):
        hook.handler(OF_CODEDEPLOY, None)
    assert [result["status"] for result in aws.results] == ["Failed"]


def test_the_answers_are_words_of_the_services(aws: Aws) -> None:
    codedeploy, ecs = (aws.client(name).meta.service_model for name in ("codedeploy", "ecs"))
    assert {"Succeeded", "Failed"} <= set(codedeploy.shape_for("LifecycleEventStatus").enum)
    assert {"SUCCEEDED", "FAILED", "IN_PROGRESS"} <= set(ecs.shape_for("DeploymentLifecycleHookStatus").enum)
    assert OF_ECS["lifecycleStage"] in ecs.shape_for("DeploymentLifecycleHookStage").enum

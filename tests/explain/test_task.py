"""`ecr-probe explain --task`: DescribeTasks is called with boto3, against a fake ECS on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from probe.cli import main
from tests.explain.test_command import TASK, task

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEX"}
SECRET = CREDENTIALS["AWS_SECRET_ACCESS_KEY"]


@dataclass
class Ecs:
    """A fake ECS: one answer for every request, and the requests."""

    status: int = 200
    answer: dict[str, Any] = field(default_factory=lambda: {"tasks": [task()], "failures": []})
    requests: list[tuple[str, dict[str, Any]]] = field(default_factory=list)


@pytest.fixture
def ecs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ecs]:
    ecs = Ecs()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            ecs.requests.append((self.headers["X-Amz-Target"].rpartition(".")[2], json.loads(body)))
            document = json.dumps(ecs.answer).encode()
            self.send_response(ecs.status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(document)))
            self.end_headers()
            self.wfile.write(document)

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION"):
            monkeypatch.delenv(name, raising=False)
        for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}"}.items():
            monkeypatch.setenv(name, value)
        try:
            yield ecs
        finally:
            server.shutdown()
            thread.join()


def test_a_stopped_task_is_explained(ecs: Ecs, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--task", TASK, "--format", "json"]) == 1
    document = json.loads(capfd.readouterr().out)
    assert ecs.requests == [("DescribeTasks", {"cluster": "main", "tasks": [TASK]})]
    assert document["surroundings"]["task_arn"] == TASK
    assert document["causes"][:2] == ["tcp.security-group", "tcp.nacl"]


def test_an_arn_without_a_cluster_uses_the_default_cluster(ecs: Ecs) -> None:
    short_arn = TASK.replace("task/main/", "task/")
    assert main(["explain", "--task", short_arn]) == 1
    assert ecs.requests == [("DescribeTasks", {"cluster": "default", "tasks": [short_arn]})]


@pytest.mark.parametrize(
    ("status", "answer", "complaint"),
    [
        (200, {"tasks": [], "failures": [{"arn": TASK, "reason": "MISSING"}]}, "no such task in the cluster main"),
        (200, {"tasks": [], "failures": []}, "no such task in the cluster main"),
        (200, {"tasks": [task(lastStatus="RUNNING", stoppedReason=None, containers=[])]}, "has not stopped"),
        (
            400,
            {
                "__type": "AccessDeniedException",
                "message": "User: arn:aws:iam::210987654321:user/jo is not authorized to perform: ecs:DescribeTasks on "
                "resource: x because no identity-based policy allows the ecs:DescribeTasks action",
            },
            f"a policy must allow ecs:DescribeTasks on {TASK}",
        ),
        (400, {"__type": "ClusterNotFoundException", "message": "Cluster not found."}, "Cluster not found"),
        (400, {"__type": "ExpiredTokenException", "message": "expired"}, "the AWS credentials have expired"),
    ],
    ids=range(6),
)
def test_an_error_that_the_user_must_correct_exits_2(
    status: int, answer: dict[str, Any], complaint: str, ecs: Ecs, capfd: pytest.CaptureFixture[str]
) -> None:
    ecs.status, ecs.answer = status, answer
    assert main(["explain", "--task", TASK, "--format", "json"]) == 2
    out, err = capfd.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith("ecr-probe: --task (ECR_PROBE_TASK): ")
    assert complaint in err
    assert SECRET not in err


def inconclusive_document(capfd: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The document for an error that passes by itself: it is not a mistake of the user, as in `smoke`."""
    assert main(["explain", "--task", TASK, "--format", "json"]) == 3
    out, err = capfd.readouterr()
    assert err == ""
    document = json.loads(out)
    assert (document["status"], document["pull"]) == ("inconclusive", "unproven")
    assert [finding["code"] for finding in document["findings"]] == ["task.not-described"]
    assert document["surroundings"]["task_arn"] == TASK
    assert isinstance(document, dict)
    return document


@pytest.mark.parametrize(
    ("status", "answer", "failure", "cause"),
    [
        (400, {"__type": "ThrottlingException", "message": "Rate exceeded"}, "throttled", "throttle"),
        (503, {}, "server-error", "other"),
    ],
)
def test_a_temporary_error_is_inconclusive(
    status: int, answer: dict[str, Any], failure: str, cause: str, ecs: Ecs, capfd: pytest.CaptureFixture[str]
) -> None:
    ecs.status, ecs.answer = status, answer
    document = inconclusive_document(capfd)
    assert (document["steps"][0]["failure"], document["causes"]) == (failure, [cause])
    assert "ecs:DescribeTasks" in document["steps"][0]["detail"]


@pytest.mark.usefixtures("ecs")
def test_an_unreachable_ecs_is_inconclusive(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    document = inconclusive_document(capfd)
    assert document["steps"][0]["failure"] == "timeout"
    assert "127.0.0.1 did not answer" in document["steps"][0]["detail"]
    assert document["causes"] == ["other"]


def test_missing_credentials_exit_2(
    ecs: Ecs, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in CREDENTIALS:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    assert main(["explain", "--task", TASK]) == 2
    assert "no usable AWS credentials" in capfd.readouterr().err
    assert ecs.requests == []


@pytest.mark.parametrize(
    "text", ["arn:aws:ecs:eu-north-1:210987654321:cluster/main", "0123456789abcdef", "", TASK + "\n"]
)
def test_an_invalid_arn_is_refused(text: str, ecs: Ecs, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--task", text]) == 2
    assert "is not the ARN of an ECS task" in capfd.readouterr().err
    assert ecs.requests == []


def test_a_task_and_a_file_cannot_be_combined(ecs: Ecs, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "reason.txt", "--task", TASK]) == 2
    assert "cannot be combined with the file 'reason.txt'" in capfd.readouterr().err
    assert ecs.requests == []


def test_a_file_takes_precedence_over_the_variable(ecs: Ecs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECR_PROBE_TASK", TASK)
    assert main(["explain", "/nowhere"]) == 2
    assert ecs.requests == []
    assert main(["explain"]) == 1
    assert len(ecs.requests) == 1

"""`ecr-probe explain --task`: ECS is asked why the task stopped, by boto3, and says so or not."""

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
    """ECS on loopback: one answer to whatever is asked, and what was asked."""

    status: int = 200
    answer: dict[str, Any] = field(default_factory=lambda: {"tasks": [task()], "failures": []})
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)


@pytest.fixture
def ecs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ecs]:
    ecs = Ecs()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            ecs.asked.append((self.headers["X-Amz-Target"].rpartition(".")[2], json.loads(body)))
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


def test_a_task_that_stopped(ecs: Ecs, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--task", TASK, "--format", "json"]) == 1
    document = json.loads(capfd.readouterr().out)
    assert ecs.asked == [("DescribeTasks", {"cluster": "main", "tasks": [TASK]})]
    assert document["surroundings"]["task_arn"] == TASK
    assert document["causes"] == ["tcp.security-group", "tcp.nacl"]


def test_a_task_of_an_old_account_has_no_cluster_in_its_name(ecs: Ecs) -> None:
    old = TASK.replace("task/main/", "task/")
    assert main(["explain", "--task", old]) == 1
    assert ecs.asked == [("DescribeTasks", {"cluster": "default", "tasks": [old]})]


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
        (400, {"__type": "ExpiredTokenException", "message": "expired"}, "does not accept the credentials"),
    ],
    ids=range(6),
)
def test_what_stands_in_the_way(
    status: int, answer: dict[str, Any], complaint: str, ecs: Ecs, capfd: pytest.CaptureFixture[str]
) -> None:
    ecs.status, ecs.answer = status, answer
    assert main(["explain", "--task", TASK, "--format", "json"]) == 2
    out, err = capfd.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith("ecr-probe: --task (ECR_PROBE_TASK): ")
    assert complaint in err
    assert SECRET not in err


def unanswered(capfd: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """As in `smoke`: what passes by itself is no mistake of the user's, and makes a document."""
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
def test_what_passes_is_inconclusive(
    status: int, answer: dict[str, Any], failure: str, cause: str, ecs: Ecs, capfd: pytest.CaptureFixture[str]
) -> None:
    ecs.status, ecs.answer = status, answer
    document = unanswered(capfd)
    assert (document["steps"][0]["failure"], document["causes"]) == (failure, [cause])
    assert "ecs:DescribeTasks" in document["steps"][0]["detail"]


@pytest.mark.usefixtures("ecs")
def test_nobody_answers(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    document = unanswered(capfd)
    assert document["steps"][0]["failure"] == "timeout"
    assert "127.0.0.1 did not answer" in document["steps"][0]["detail"]
    assert document["causes"] == ["other"]


def test_no_credentials(ecs: Ecs, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    for name in CREDENTIALS:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    assert main(["explain", "--task", TASK]) == 2
    assert "no usable AWS credentials" in capfd.readouterr().err
    assert ecs.asked == []


@pytest.mark.parametrize(
    "odd", ["arn:aws:ecs:eu-north-1:210987654321:cluster/main", "0123456789abcdef", "", TASK + "\n"]
)
def test_what_is_no_task(odd: str, ecs: Ecs, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--task", odd]) == 2
    assert "not the ARN of an ECS task" in capfd.readouterr().err
    assert ecs.asked == []


def test_a_task_or_a_file(ecs: Ecs, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "reason.txt", "--task", TASK]) == 2
    assert "the file 'reason.txt' is named as well" in capfd.readouterr().err
    assert ecs.asked == []


def test_a_file_goes_before_the_variable(ecs: Ecs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECR_PROBE_TASK", TASK)
    assert main(["explain", "/nowhere"]) == 2
    assert ecs.asked == []
    assert main(["explain"]) == 1
    assert len(ecs.asked) == 1

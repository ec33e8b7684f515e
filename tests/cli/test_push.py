"""`check --push-gateway`: pushes after the report, never changes the exit code, and prints no login."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.wire.servers import HttpServer, answer, closed_port

IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:1.0"
SECRET = "s3cret-of-mine"

# A process with a run of the test's own; the push is real.
PROCESS = """
import sys
from datetime import UTC, datetime
from types import SimpleNamespace
from probe import crash
from probe.cli import main
def once(settings, wire, **_):
    return crash.broken(settings, ValueError(), began=datetime.now(UTC))
sys.modules["probe.run"] = SimpleNamespace(run=once)
main()
"""


def check(*argv: str, environ: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", PROCESS, *argv]
    variables = {**os.environ, "http_proxy": "http://127.0.0.1:1", **(environ or {})}
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30, env=variables)
    assert SECRET not in done.stdout + done.stderr
    return done


def url(port: int) -> str:
    return f"http://robot:{SECRET}@127.0.0.1:{port}"


def test_the_run_is_pushed_and_the_exit_code_is_unchanged() -> None:
    with HttpServer(lambda _: answer(200)) as server:
        done = check("check", "--image", IMAGE, "--format", "json", "--push-gateway", url(server.port))
    assert (done.returncode, done.stderr) == (3, "")
    assert json.loads(done.stdout)["status"] == "inconclusive"
    (request,) = server.requests
    assert request.startswith(b"PUT /metrics/job/ecr-probe/repository/app HTTP/1.1\r\n")
    assert b'ecr_probe_finding{code="probe.bug",severity="error"} 1.0' in request


def test_the_variable_works_too() -> None:
    with HttpServer(lambda _: answer(202)) as server:
        done = check("check", "--image", IMAGE, environ={"ECR_PROBE_PUSH_GATEWAY": url(server.port)})
    assert (done.returncode, done.stderr) == (3, "")
    assert len(server.requests) == 1


def test_a_failed_push_is_one_line_and_does_not_change_the_exit_code() -> None:
    port = closed_port()
    done = check("check", "--image", IMAGE, "--format", "json", "--push-gateway", url(port))
    assert done.returncode == 3
    assert json.loads(done.stdout)["schema_version"] == 1
    assert done.stderr == (
        "ecr-probe: --push-gateway (ECR_PROBE_PUSH_GATEWAY): the run was not pushed: "
        f"127.0.0.1:{port}: refused: Connection refused\n"
    )


def test_an_answer_that_contains_the_login_is_censored() -> None:
    with HttpServer(lambda request: answer(401, request.replace(b"\r\n", b" ") + SECRET.encode())) as server:
        done = check("check", "--image", IMAGE, "--push-gateway", url(server.port))
    assert done.returncode == 3
    assert f"127.0.0.1:{server.port} answered 401" in done.stderr


@pytest.mark.parametrize(
    "argv",
    [
        ("check", "--push-gateway", f"http://robot:{SECRET}@push.example.com"),
        ("check", "--push-gateway", f"https://robot:{SECRET}/x@push.example.com"),
        ("check", f"--push-gatway=https://robot:{SECRET}@push.example.com"),
        ("check", f"-p=https://robot:{SECRET}@push.example.com"),
        ("check", "--image", IMAGE, f"https://robot:{SECRET}@push.example.com"),
        ("check", "--image", f"https://robot:{SECRET}@push.example.com"),
        ("check", "--format", f"https://robot:{SECRET}@push.example.com"),
        (f"--push-gateway=https://robot:{SECRET}@push.example.com", "check"),
        (f"https://robot:{SECRET}@push.example.com",),
        ("demo", f"https://robot:{SECRET}@push.example.com"),
        ("explain", f"--push-gateway=https://robot:{SECRET}@push.example.com"),
    ],
)
def test_a_usage_error_exits_2_and_shows_no_login(argv: tuple[str, ...]) -> None:
    done = check(*argv)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1


def test_the_refusal_names_flag_variable_and_a_good_url() -> None:
    done = check("check", "--push-gateway", "push.example.com:9091")
    assert done.stderr == (
        "ecr-probe: --push-gateway (ECR_PROBE_PUSH_GATEWAY): not a URL of http or https; "
        "for example --push-gateway https://push.example.com:9091\n"
    )

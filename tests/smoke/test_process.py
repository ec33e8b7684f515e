"""The command as people and pipelines start it: a process, its streams, its exit code, and signals in every phase."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import jsonschema
import pytest

from probe.report.json import schema
from tests.smoke.aws import CREDENTIALS, Aws, Error, Life, Silence, served, subnet
from tests.smoke.runs import subnets

QUICK = Life(pending=0.1, running=0.1)
HANGS = Life(pending=0.1, hangs_in="PENDING")
SMOKE = (sys.executable, "-m", "probe", "smoke", "--region", "eu-west-1", "--cluster", "main")


@pytest.fixture
def aws() -> Iterator[Aws]:
    aws = Aws(lives=lambda *_: QUICK)
    with served(aws) as url:
        aws.url = url  # type: ignore[attr-defined]
        yield aws


def environment(aws: Aws, **more: str) -> dict[str, str]:
    url = aws.url  # type: ignore[attr-defined]
    return {**os.environ, **CREDENTIALS, "AWS_ENDPOINT_URL": url, "PYTHONWARNINGS": "error", **more}


def smoke(aws: Aws, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        (*SMOKE, *arguments), env=environment(aws, **more), capture_output=True, text=True, timeout=60, check=False
    )


def test_the_text_report_and_a_progress_line_for_each_subnet(aws: Aws) -> None:
    aws.lives = lambda where, _: Life.fails(pending=0.1, running=0.1) if where == subnet(1) else QUICK
    done = smoke(aws, *subnets(3))
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    assert lines[0] == "ecr-probe: 3 subnets"
    assert len(lines) == 4
    assert any(re.fullmatch(rf"ecr-probe: \d/3 {subnet(1)} \(eu-west-1b\): fail: tcp\.silent", line) for line in lines)
    out = done.stdout.splitlines()
    assert out[0].startswith("error[tcp.silent]: ")
    subject = out.index("ecr-probe-smoke:7 in cluster main (eu-west-1)")
    assert re.fullmatch(r"zone +subnet +ecr\.api +ecr\.dkr +s3 +logs +verdict", out[subject + 1])
    assert out[-2].startswith("fail: 3 subnets of cluster main: 1 fail, 2 pass; ")
    assert out[-1].startswith("fix:  ")


def test_json_on_stdout_is_one_valid_document(aws: Aws, tmp_path: Path) -> None:
    file = tmp_path / "fleet.json"
    report = ("--format", "json", "--output", str(file), "--format", "json", "--output", "-")
    done = smoke(aws, *subnets(2), *report)
    assert done.returncode == 0
    (line,) = done.stdout.splitlines()
    document = json.loads(line)
    jsonschema.Draft202012Validator(schema("fleet")).validate(document)
    assert json.loads(file.read_text()) == document
    assert document["cluster"] == "main"


def test_all_options_may_come_from_variables(aws: Aws) -> None:
    words = {
        "SUBNETS": subnet(0),
        "SECURITY_GROUPS": "sg-0a1b2c3d",
        "FORMAT": "json",
        "TASK_DEFINITION": "ecr-probe-smoke",
    }
    done = smoke(aws, **{f"ECR_PROBE_{name}": value for name, value in words.items()})
    assert (done.returncode, len(json.loads(done.stdout)["runs"])) == (0, 1)


def test_a_misspelt_variable_is_reported(aws: Aws) -> None:
    done = smoke(aws, "--service", "nobody", ECR_PROBE_SUBNET="subnet-0a1b2c3d")
    assert "ECR_PROBE_SUBNET is not a variable of ecr-probe; did you mean ECR_PROBE_SUBNETS?" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "--subnets (ECR_PROBE_SUBNETS): nothing says where to run"),
        (("--service", "nobody"), "'nobody' is not in cluster main in eu-west-1"),
        ((*subnets(1), "--profile", "nobody"), "--profile (ECR_PROBE_PROFILE): 'nobody' is not in the AWS CLI's files"),
        ((*subnets(1), "--format", "prometheus"), "--format (ECR_PROBE_FORMAT): 'prometheus' is not a format"),
        ((*subnets(1), "--output", "/nowhere/x"), "--output (ECR_PROBE_OUTPUT)"),
    ],
)
def test_a_usage_error_is_one_line_on_stderr(aws: Aws, arguments: tuple[str, ...], words: str) -> None:
    done = smoke(aws, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("ecr-probe: ")
    assert words in line
    assert aws.tasks == {}


def test_a_missing_region_is_reported(aws: Aws) -> None:
    command = (sys.executable, "-m", "probe", "smoke", *subnets(1))
    done = subprocess.run(command, env=environment(aws), capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "no region is configured; give --region (ECR_PROBE_REGION) or set AWS_REGION" in done.stderr


def test_missing_credentials_are_one_line_on_stderr(aws: Aws) -> None:
    keys = {name: value for name, value in environment(aws).items() if not name.startswith("AWS_ACCESS")}
    keys.pop("AWS_SECRET_ACCESS_KEY")
    done = subprocess.run((*SMOKE, *subnets(1)), env=keys, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("ecr-probe: no usable AWS credentials were found (NoCredentialsError); --profile")


# ---- signals ---------------------------------------------------------------------------------------------------------


def interrupted(
    aws: Aws, until: Callable[[], bool], *arguments: str, number: signal.Signals = signal.SIGINT
) -> tuple[int, str, str]:
    """Signalled once `until` holds."""
    running = subprocess.Popen(
        (*SMOKE, *arguments), env=environment(aws), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    patience = time.monotonic() + 30
    while not until() and time.monotonic() < patience:
        time.sleep(0.02)
    running.send_signal(number)
    out, err = running.communicate(timeout=60)
    return running.returncode, out, err


def test_a_signal_before_anything_was_started(aws: Aws) -> None:
    aws.latency = 1.5
    code, out, _ = interrupted(aws, lambda: True, *subnets(2), "--format", "json")
    # At the very start the interpreter itself may still be the one who hears it.
    assert code in (3, -signal.SIGINT, 1, 130)
    assert aws.tasks == {}
    if code == 3:
        assert json.loads(out)["status"] == "inconclusive"


def test_a_signal_while_the_task_definition_is_read(aws: Aws) -> None:
    aws.latency = 1.5
    code, out, err = interrupted(aws, lambda: bool(aws.calls), *subnets(2), "--format", "json")
    document = json.loads(out)
    assert (code, document["exit_code"], len(document["runs"])) == (3, 3, 2)
    assert "interrupted" in document["notes"][0]
    assert aws.tasks == {}
    assert "Traceback" not in err


def test_a_signal_while_a_launch_is_under_way(aws: Aws) -> None:
    aws.lives = lambda *_: HANGS
    aws.errors = lambda name, _: slow() if name == "ecs:RunTask" else None

    def slow() -> None:
        aws.latency = 1.0

    code, out, err = interrupted(aws, lambda: bool(aws.tasks), *subnets(2), "--format", "json")
    assert code == 3
    assert aws.running() == []
    assert "1 task was stopped" in json.loads(out)["notes"]
    assert "ecr-probe: stopping 1 task" in err


def test_a_signal_while_a_launch_is_not_answered(aws: Aws) -> None:
    aws.lives = lambda *_: HANGS
    aws.errors = lambda name, _: Silence() if name == "ecs:RunTask" else None
    code, out, _ = interrupted(aws, lambda: bool(aws.tasks), *subnets(1), "--format", "json")
    assert code == 3
    assert aws.running() == []
    assert "1 task was stopped" in json.loads(out)["notes"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_tasks_run(aws: Aws, number: signal.Signals) -> None:
    aws.lives = lambda *_: HANGS
    code, out, err = interrupted(aws, lambda: len(aws.tasks) == 3, *subnets(3), "--format", "json", number=number)
    assert code == 3
    assert aws.running() == []
    assert "3 tasks were stopped" in json.loads(out)["notes"]
    assert "Traceback" not in err


def test_a_signal_while_logs_are_read(aws: Aws) -> None:
    aws.lives = lambda *_: Life(pending=0.1, running=0.1, exit_code=1, lines=())
    code, out, _ = interrupted(aws, lambda: aws.count()["logs:GetLogEvents"] > 1, *subnets(1), "--format", "json")
    (run,) = json.loads(out)["runs"]
    assert (code, run["status"], run["source"]) == (1, "fail", "exit-code")
    assert aws.running() == []


def test_a_second_signal_ends_the_process(aws: Aws) -> None:
    aws.lives = lambda *_: HANGS
    running = subprocess.Popen(
        (*SMOKE, *subnets(3)), env=environment(aws), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    while len(aws.tasks) < 3:
        time.sleep(0.02)
    aws.latency = 5.0
    running.send_signal(signal.SIGTERM)
    time.sleep(1.0)
    running.send_signal(signal.SIGTERM)
    running.communicate(timeout=3)
    assert running.returncode == 128 + signal.SIGTERM


# ---- a terminal ------------------------------------------------------------------------------------------------------


def test_a_terminal_shows_a_bar_and_the_subnets_that_do_not_pass(aws: Aws) -> None:
    aws.lives = lambda where, _: Life.fails(pending=0.1, running=0.1) if where == subnet(1) else QUICK
    ours, theirs = pty.openpty()
    running = subprocess.Popen(
        (*SMOKE, *subnets(3)), env=environment(aws, TERM="xterm"), stdout=subprocess.PIPE, stderr=theirs
    )
    os.close(theirs)
    written = b""
    try:
        while part := os.read(ours, 65536):
            written += part
    except OSError:
        pass  # the other end has gone
    os.close(ours)
    assert running.wait(timeout=10) == 1
    assert running.stdout is not None
    running.stdout.close()
    text = written.decode()
    assert "subnets" in text
    assert "3/3" in text
    assert f"{subnet(1)} (eu-west-1b): fail: tcp.silent" in text
    assert subnet(0) not in text
    assert text.endswith("\x1b[2K")


def test_secrets_are_never_shown(aws: Aws) -> None:
    aws.errors = lambda *_: Error("AccessDeniedException", f"not authorized {CREDENTIALS['AWS_SECRET_ACCESS_KEY']}")
    done = smoke(aws, *subnets(1), AWS_SESSION_TOKEN="IQoJb3JpZ2luX2VjEXAMPLETOKEN/of+many=letters0123456789abcdef")
    assert done.returncode == 2
    for secret in (*list(CREDENTIALS.values())[:2], "IQoJb3JpZ2luX2Vj"):
        assert secret not in done.stdout + done.stderr

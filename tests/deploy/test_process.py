"""`up` and `down` as a process, over HTTP and in real time: signals, exit codes, and the question on a terminal."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.deploy.aws import DeployedAws
from tests.deploy.endpoint import served
from tests.deploy.registry import TOKEN
from tests.smoke.aws import CREDENTIALS, REGION, Life

# Makes the terminal that of its session, so that Ctrl-C on it is a signal.
ON_A_TERMINAL = "import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); from probe.cli import main; main()"
UP = ("up", "--region", REGION, "--cluster", "main", "--service", "shop", "--image-archive")


@contextmanager
def process(aws: DeployedAws, *arguments: str, **streams: Any) -> Iterator[subprocess.Popen[bytes]]:
    with served(aws) as url:
        running = subprocess.Popen(
            (
                sys.executable,
                "-c",
                ON_A_TERMINAL if "stdin" in streams else "from probe.cli import main; main()",
                *arguments,
            ),
            env={**os.environ, **CREDENTIALS, "AWS_ENDPOINT_URL": url, "PYTHONWARNINGS": "error", "COLUMNS": "100"},
            **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams},
        )
        try:
            yield running
        finally:
            running.kill()
            running.communicate()


def ended(running: subprocess.Popen[bytes]) -> tuple[int, str, str]:
    out, err = running.communicate(timeout=120)
    assert TOKEN.encode() not in out + (err or b"")
    assert b"Traceback" not in (err or b"")
    return running.returncode, out.decode(), (err or b"").decode()


def signal_at(aws: DeployedAws, action: str, running: list[subprocess.Popen[bytes]], number: signal.Signals) -> None:
    """Send the signal when AWS receives a call of `action`."""

    def errors(name: str, _nth: int) -> None:
        if name == action and running:
            running.pop().send_signal(number)

    aws.errors = errors


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_ends_it_with_one_line(aws: DeployedAws, archive: str, number: signal.Signals, code: int) -> None:
    aws.cloudformation.seconds = 1000
    processes: list[subprocess.Popen[bytes]] = []
    signal_at(aws, "cloudformation:DescribeChangeSet", processes, number)
    with process(aws, *UP, archive, "--yes") as running:
        processes.append(running)
        returned, out, err = ended(running)
    assert (returned, out) == (code, "")
    state = "stack ecr-probe has no new resources yet"
    steps = f"the same command goes on, ecr-probe down --region {REGION} removes it"
    assert err.splitlines()[-1] == f"ecr-probe: the run was interrupted; {state}; {steps}"


@pytest.mark.slow
def test_from_nothing_to_a_verdict_and_back(aws: DeployedAws, archive: str) -> None:
    aws.cloudformation.seconds = 0.01
    quick = Life(pending=0, running=0)
    aws.lives = lambda *_: quick
    with process(aws, *UP, archive, "--yes", "--format", "json") as running:
        code, out, err = ended(running)
    assert (code, out[:1]) == (0, "{"), err
    with process(aws, "down", "--region", REGION, "--yes") as running:
        code, out, err = ended(running)
    assert (code, out, aws.left()) == (0, "", {}), err


@pytest.mark.slow
@pytest.mark.parametrize("action", ["cloudformation:DescribeStackEvents", "ecs:DescribeTasks"])
def test_a_closed_terminal_leaves_nothing_with_once(aws: DeployedAws, archive: str, action: str) -> None:
    """The kernel sends SIGHUP, and what is written from then on is lost: lines, bars and the report."""
    aws.cloudformation.seconds = 0.01
    ours, theirs = pty.openpty()
    closed: list[str] = []

    def close(name: str, _nth: int) -> None:
        if name == action and not closed:
            closed.append(name)
            os.close(ours)

    aws.errors = close
    streams = {"stdin": theirs, "stdout": theirs, "stderr": theirs, "start_new_session": True}
    with process(aws, *UP, archive, "--yes", "--once", **streams) as running:
        os.close(theirs)
        assert running.wait(timeout=120) == 129
    assert (closed, aws.left()) == ([action], {})


def test_a_terminal_that_closes_at_the_question_changes_nothing(aws: DeployedAws, archive: str) -> None:
    ours, theirs = pty.openpty()
    streams = {"stdin": theirs, "stdout": theirs, "stderr": theirs, "start_new_session": True}
    with process(aws, *UP, archive, **streams) as running:
        os.close(theirs)
        written = b""
        while b"Go ahead? [y/N] " not in written:
            written += os.read(ours, 65536)
        os.close(ours)
        assert running.wait(timeout=120) == 129
    assert aws.mutations() == []


def test_nohup_outlives_its_terminal(aws: DeployedAws, archive: str) -> None:
    aws.cloudformation.seconds = 1000
    processes: list[subprocess.Popen[bytes]] = []

    def errors(name: str, _nth: int) -> None:
        if name == "cloudformation:DescribeChangeSet" and processes:
            processes[0].send_signal(signal.SIGHUP)
            processes.pop().send_signal(signal.SIGTERM)

    aws.errors = errors
    ignored = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with process(aws, *UP, archive, "--yes") as running:
            processes.append(running)
            returned, _, _ = ended(running)
    finally:
        signal.signal(signal.SIGHUP, ignored)
    assert returned == 143


def test_without_a_terminal_yes_is_needed(aws: DeployedAws, archive: str) -> None:
    with process(aws, *UP, archive) as running:
        code, _, err = ended(running)
    assert (code, aws.mutations()) == (2, [])
    assert err.splitlines()[-1].startswith("ecr-probe: there is no terminal to ask; --yes does it without asking")


@pytest.mark.parametrize(("answer", "code"), [(b"n\n", 0), (b"\n", 0), (b"\x04", 0), (b"\x03", 130)])
def test_a_terminal_is_asked(aws: DeployedAws, archive: str, answer: bytes, code: int) -> None:
    ours, theirs = pty.openpty()
    streams = {"stdin": theirs, "stderr": theirs, "start_new_session": True}
    with process(aws, *UP, archive, **streams) as running:
        os.close(theirs)
        written = b""
        while b"Go ahead? [y/N] " not in written:
            written += os.read(ours, 65536)
        os.write(ours, answer)
        returned, _, _ = ended(running)
    written += os.read(ours, 65536)
    os.close(ours)
    assert b"[y/N] ecr-probe" not in written
    assert (returned, aws.mutations()) == (code, [])
    assert b"create  stack" in written

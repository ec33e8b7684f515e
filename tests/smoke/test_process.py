"""`smoke` as a process, over HTTP and in real time: signals, and a terminal."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

import pytest

from tests.smoke.aws import CREDENTIALS, REGION, Aws, Life, Silence, served, subnet
from tests.smoke.runs import subnets

ARGUMENTS = ("smoke", "--region", REGION, "--cluster", "main", *subnets(3))
QUICK = Life(pending=0.0, running=0.0)
HANGS = Life(hangs_in="PENDING")
INT, TERM = signal.SIGINT, signal.SIGTERM


@contextmanager
def process(
    aws: Aws, *command: str, stderr: int = subprocess.PIPE, started: Future[subprocess.Popen[str]] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """Run smoke in three subnets, by default for a JSON document; `started` receives the process."""
    with served(aws) as url:
        running = subprocess.Popen(
            (sys.executable, *(command or ("-m", "probe", *ARGUMENTS, "--format", "json"))),
            env={**os.environ, **CREDENTIALS, "AWS_ENDPOINT_URL": url, "PYTHONWARNINGS": "error"},
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
        if started is not None:
            started.set_result(running)
        try:
            yield running
        finally:
            running.kill()
            running.communicate()


def interrupted_document(aws: Aws, running: subprocess.Popen[str]) -> dict[str, Any]:
    """Wait for the process, and check that it ended cleanly: no task runs, and both streams report the interruption."""
    out, err = running.communicate(timeout=120)
    assert "Traceback" not in err
    assert err.endswith("ecr-probe: interrupted\n")
    document: dict[str, Any] = json.loads(out)
    assert (running.returncode, aws.running()) == (document["exit_code"], [])
    assert "not complete: the run was interrupted" in document["notes"]
    return document


# ---- signals ---------------------------------------------------------------------------------------------------------


def signal_at(aws: Aws, action: str, nth: int, number: signal.Signals) -> Future[subprocess.Popen[str]]:
    """Send the signal when AWS has received the nth call of `action` and has not replied yet."""
    started: Future[subprocess.Popen[str]] = Future()
    errors = aws.errors

    def send(name: str, count: int) -> Any:
        if (name, count) == (action, nth):
            started.result().send_signal(number)
        return errors(name, count)

    aws.errors = send
    return started


@pytest.mark.parametrize(
    ("action", "nth", "number", "life"),
    [
        ("ecs:DescribeTaskDefinition", 1, INT, HANGS),
        ("ecs:RunTask", 1, TERM, HANGS),
        ("ecs:RunTask", 3, INT, HANGS),
        ("ecs:DescribeTasks", 1, TERM, HANGS),
        ("logs:GetLogEvents", 2, INT, QUICK),
    ],
)
def test_a_signal_during_a_call_stops_every_task(action: str, nth: int, number: signal.Signals, life: Life) -> None:
    aws = Aws(lives=lambda *_: life)
    with process(aws, started=signal_at(aws, action, nth, number)) as running:
        document = interrupted_document(aws, running)
    assert len(document["runs"]) == 3
    assert bool(aws.tasks) == (action != "ecs:DescribeTaskDefinition")
    # A task whose log is read has ended by itself, so its verdict is proven.
    assert document["exit_code"] == (3 if life is HANGS else 0)
    stopped = [note for note in document["notes"] if note.endswith("stopped")]
    assert len(stopped) == (life is HANGS and bool(aws.tasks))


def test_a_signal_during_a_launch_that_gets_no_reply_stops_its_task() -> None:
    aws = Aws(lives=lambda *_: HANGS, errors=lambda name, _: Silence() if name == "ecs:RunTask" else None)
    with process(aws, started=signal_at(aws, "ecs:RunTask", 1, INT)) as running:
        document = interrupted_document(aws, running)
    assert aws.tasks
    assert any(note.endswith("stopped") for note in document["notes"])


# Sends the signal before an import of ours: "AT" is its number.
EARLY = """
import builtins, os, sys
from probe.signals import end_quietly_on_ctrl_c
end_quietly_on_ctrl_c()
real, left = builtins.__import__, [AT]
def importing(name, *rest):
    if name.startswith("probe."):
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), NUMBER)
    return real(name, *rest)
builtins.__import__ = importing
from probe.cli import main
main()
"""


@pytest.mark.parametrize(("at", "number"), [(1, INT), (4, TERM), (20, INT), (80, TERM)])
def test_a_signal_before_the_first_call_starts_no_task(at: int, number: signal.Signals) -> None:
    aws = Aws(lives=lambda *_: HANGS)
    code = EARLY.replace("AT", str(at)).replace("NUMBER", str(int(number)))
    with process(aws, "-c", code, *ARGUMENTS, "--format", "json") as running:
        if at == 1:  # no handler is installed yet, so the signal ends the process
            assert running.communicate(timeout=120) == ("", "")
            assert running.returncode == -number
        else:
            assert interrupted_document(aws, running)["status"] == "inconclusive"
    assert aws.tasks == {}


# With this, signals are two requests however close together they are.
TWICE = "from probe import cli, signals; signals.TOGETHER = 0; cli.main()"


def test_a_second_signal_ends_the_process_without_waiting() -> None:
    never = threading.Event()
    aws = Aws(lives=lambda *_: HANGS)
    started = signal_at(aws, "ecs:DescribeTasks", 1, TERM)
    first_signal = aws.errors

    def hang_at_stop(name: str, count: int) -> Any:
        if name == "ecs:StopTask":
            never.wait()
        return first_signal(name, count)

    aws.errors = hang_at_stop
    with process(aws, "-c", TWICE, *ARGUMENTS, started=started) as running:
        assert running.stderr is not None
        while "stopping 3 tasks" not in running.stderr.readline():
            continue
        running.send_signal(TERM)
        out, _ = running.communicate(timeout=120)
        never.set()
    assert (running.returncode, out) == (128 + TERM, "")


# ---- a terminal ------------------------------------------------------------------------------------------------------


def test_a_terminal_shows_a_bar_and_the_subnets_that_do_not_pass() -> None:
    failing = Life.fails(pending=0.0, running=0.0)
    aws = Aws(lives=lambda where, _: failing if where == subnet(1) else QUICK)
    ours, theirs = pty.openpty()
    with process(aws, "-m", "probe", *ARGUMENTS, stderr=theirs) as running:
        os.close(theirs)
        written = b"".join(iter(lambda: read(ours), b""))
        running.communicate(timeout=120)
    os.close(ours)
    assert running.returncode == 1
    text = written.decode()
    assert "subnets" in text
    assert "3/3" in text
    assert f"{subnet(1)} (eu-west-1b): fail: tcp.silent" in text
    assert subnet(0) not in text
    assert text.endswith("\x1b[2K")


def read(terminal: int) -> bytes:
    """What was written to the terminal; nothing when its last writer has closed it."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""

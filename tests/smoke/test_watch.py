"""What a person sees while tasks run, and what a log keeps."""

from __future__ import annotations

import io
import re

from probe.fleet import SubnetRun
from probe.model import Status
from probe.smoke.progress import Bar, Log, watch_on
from tests.report import fleets, made


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def failing() -> SubnetRun:
    return fleets.run(1, made.broken())


def test_only_a_terminal_gets_a_bar() -> None:
    said: list[str] = []
    assert isinstance(watch_on(Terminal(), said.append), Bar)
    assert isinstance(watch_on(io.StringIO(), said.append), Log)
    assert isinstance(watch_on(None, said.append), Log)


def test_a_log_has_a_line_for_each_subnet_that_is_done() -> None:
    said: list[str] = []
    log = Log(said.append)
    log.begins(3)
    log.running(2)
    log.finished(fleets.run(0, made.verdict()))
    log.again(failing(), 15.0)
    log.finished(fleets.run(2, zone=None, words="no task could be started: x"))
    log.note("stopping 2 tasks")
    log.close()
    assert said == [
        "ecr-probe: 3 subnets",
        "ecr-probe: 1/3 subnet-00000000000000000 (eu-west-1a): pass",
        "ecr-probe: subnet-00000000000000001 (eu-west-1b): fail: tcp.silent; again in 15 s",
        "ecr-probe: 2/3 subnet-00000000000000002: inconclusive: no task could be started: x",
        "ecr-probe: stopping 2 tasks",
    ]


def test_a_bar_counts_and_tells_what_does_not_pass_above_itself() -> None:
    terminal = Terminal()
    bar = Bar(terminal)
    bar.note("before it is there")
    bar.begins(3)
    bar.running(2)
    bar.finished(fleets.run(0, made.verdict()))
    bar.finished(failing())
    bar.again(fleets.run(2, status=Status.INCONCLUSIVE), 15.0)
    bar.note("stopping 1 task")
    bar.close()
    bar.finished(failing())
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.getvalue())
    assert "2/3 2 running, 1 pass, 1 fail" in text
    assert "subnet-00000000000000001 (eu-west-1b): fail: tcp.silent\n" in text
    assert "; again in 15 s\n" in text
    assert "stopping 1 task\n" in text
    assert "before it is there" not in text
    assert "subnet-00000000000000000" not in text
    assert terminal.getvalue().endswith("\x1b[2K")

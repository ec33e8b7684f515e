"""Progress of `smoke` on a terminal and in a log."""

from __future__ import annotations

import io
import re

from probe.fleet import SubnetRun
from probe.model import Status
from probe.smoke.progress import Bar, Lines, progress_on
from tests.report import fleets, made


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def failing() -> SubnetRun:
    return fleets.run(1, made.broken())


def test_a_bar_needs_a_terminal() -> None:
    lines: list[str] = []
    assert isinstance(progress_on(Terminal(), lines.append), Bar)
    assert isinstance(progress_on(io.StringIO(), lines.append), Lines)
    assert isinstance(progress_on(None, lines.append), Lines)


def test_each_finished_subnet_is_a_line() -> None:
    lines: list[str] = []
    progress = Lines(lines.append)
    progress.start(3)
    progress.running(2)
    progress.finished(fleets.run(0, made.verdict()))
    progress.retry(failing(), 15.0)
    progress.finished(fleets.run(2, zone=None, words="no task could be started: x"))
    progress.note("stopping 2 tasks")
    progress.close()
    assert lines == [
        "ecr-probe: 3 subnets",
        "ecr-probe: 1/3 subnet-00000000000000000 (eu-west-1a): pass",
        "ecr-probe: subnet-00000000000000001 (eu-west-1b): fail: tcp.silent; next try in 15 s",
        "ecr-probe: 2/3 subnet-00000000000000002: inconclusive: no task could be started: x",
        "ecr-probe: stopping 2 tasks",
    ]


def test_a_bar_counts_and_lists_what_does_not_pass() -> None:
    terminal = Terminal()
    bar = Bar(terminal)
    bar.note("before it is there")
    bar.start(3)
    bar.running(2)
    bar.finished(fleets.run(0, made.verdict()))
    bar.finished(failing())
    bar.retry(fleets.run(2, status=Status.INCONCLUSIVE), 15.0)
    bar.note("stopping 1 task")
    bar.close()
    bar.finished(failing())
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.getvalue())
    assert "2/3 2 running, 1 pass, 1 fail" in text
    assert "subnet-00000000000000001 (eu-west-1b): fail: tcp.silent\n" in text
    assert "; next try in 15 s\n" in text
    assert "stopping 1 task\n" in text
    assert "before it is there" not in text
    assert "subnet-00000000000000000" not in text
    assert terminal.getvalue().endswith("\x1b[2K")

"""Progress while the tasks run: one bar on a terminal, elsewhere a line for each finished subnet.

A log is never silent for longer than SILENCE while something is waited for: then a line says what that is. It is not
repeated until it changes.
"""

# ruff: noqa: ARG002 - each implementation uses a part of the protocol

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING, NamedTuple, Protocol, TextIO

from probe.fleet import SubnetRun
from probe.model import Severity, Status
from probe.narration import counted
from probe.progress import closable

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

WriteLine = Callable[[str], None]
SILENCE = 10.0  # seconds


class Situation(NamedTuple):
    """What is waited for, as the object of "waiting for". `next_try` is the instant of the next attempt."""

    what: str
    next_try: float | None = None

    def sentence(self, now: float, deadline: float) -> str:
        next_try = f"; next try in {max(self.next_try - now, 0):.0f} s" if self.next_try is not None else ""
        return f"waiting for {self.what}{next_try}; at most {max(deadline - now, 0):.0f} s more"


class Progress(Protocol):
    def start(self, total: int) -> None: ...

    def running(self, number: int) -> None: ...

    def finished(self, run: SubnetRun) -> None: ...

    def retry(self, run: SubnetRun, seconds: float) -> None: ...

    def note(self, text: str) -> None: ...

    def waiting(self, situation: Situation, now: float, deadline: float) -> float:
        """Called before each wait. Returns the instant by which the next call is due."""

    def close(self) -> None: ...


class Lines:
    def __init__(self, write_line: WriteLine) -> None:
        self._write_line = write_line
        self._finished, self._total = 0, 0
        self._has_written = True  # since the last call of `waiting`; the command itself has just begun
        self._last_line = 0.0  # an instant
        self._explained = ""  # the situation that the last such line was about

    def start(self, total: int) -> None:
        self._total = total
        self.note(counted(total, "subnet"))

    def running(self, number: int) -> None:
        return

    def finished(self, run: SubnetRun) -> None:
        self._finished += 1
        self.note(f"{self._finished}/{self._total} {describe(run)}")

    def retry(self, run: SubnetRun, seconds: float) -> None:
        self.note(f"{describe(run)}; next try in {seconds:.0f} s")

    def note(self, text: str) -> None:
        self._write_line(f"ecr-probe: {text}")
        self._has_written = True

    def waiting(self, situation: Situation, now: float, deadline: float) -> float:
        if self._has_written:
            self._has_written, self._last_line = False, now
        if situation.what == self._explained:
            return inf
        if now < self._last_line + SILENCE:
            return self._last_line + SILENCE
        self._explained = situation.what
        self.note(situation.sentence(now, deadline))
        return inf

    def close(self) -> None:
        return


class Bar:
    """A bar, and above it a line for each subnet that does not pass."""

    def __init__(self, terminal: TextIO) -> None:
        self._terminal = terminal
        self._counts: Counter[str] = Counter()
        self._running = 0
        self._bars: Bars | None = None
        self._task: TaskID | None = None

    def start(self, total: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bars

        counts = TextColumn("{task.fields[counts]}")
        console = Console(file=closable(self._terminal), force_terminal=True, highlight=False)
        self._bars = Bars(
            "subnets", BarColumn(), MofNCompleteColumn(), counts, TimeElapsedColumn(), console=console, transient=True
        )
        self._task = self._bars.add_task("subnets", total=total, counts="")
        self._bars.start()

    def running(self, number: int) -> None:
        self._running = number
        self._update(0)

    def finished(self, run: SubnetRun) -> None:
        self._counts[str(run.status)] += 1
        self._update(1)
        if run.status is not Status.PASS:
            self.note(describe(run))

    def _update(self, advance: int) -> None:
        if self._bars is not None and self._task is not None:
            counts = {"running": self._running, **self._counts}
            text = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
            self._bars.update(self._task, advance=advance, counts=text)

    def retry(self, run: SubnetRun, seconds: float) -> None:
        self.note(f"{describe(run)}; next try in {seconds:.0f} s")

    def note(self, text: str) -> None:
        if self._bars is not None:
            self._bars.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def waiting(self, situation: Situation, now: float, deadline: float) -> float:
        return inf  # the bar moves

    def close(self) -> None:
        if self._bars is not None:
            self._bars.stop()
            self._bars = None


def describe(run: SubnetRun) -> str:
    """ "subnet-0a1b2c3d (eu-west-1a): fail: tcp.silent"."""
    place = f"{run.subnet} ({run.zone})" if run.zone else run.subnet
    errors = [finding for finding in run.verdict.findings if finding.severity is Severity.ERROR] if run.verdict else []
    codes = ", ".join(dict.fromkeys(finding.code for finding in errors))
    text = run.words if run.status is not Status.PASS else None
    return ": ".join(part for part in (place, str(run.status), codes, text) if part)


def progress_on(terminal: TextIO | None, write_line: WriteLine) -> Progress:
    return Bar(terminal) if terminal is not None and terminal.isatty() else Lines(write_line)

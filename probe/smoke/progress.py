"""What a person sees while the tasks run: on a terminal one bar, in a log a line for each subnet that is done."""

# ruff: noqa: ARG002 - a log hears more than it keeps

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TextIO

from probe.fleet import SubnetRun
from probe.model import Severity, Status

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

Say = Callable[[str], None]


class Watch(Protocol):
    def begins(self, total: int) -> None: ...

    def running(self, number: int) -> None: ...

    def finished(self, run: SubnetRun) -> None: ...

    def again(self, run: SubnetRun, seconds: float) -> None: ...

    def note(self, words: str) -> None: ...

    def close(self) -> None: ...


class Log:
    def __init__(self, say: Say) -> None:
        self._say = say
        self._done, self._total = 0, 0

    def begins(self, total: int) -> None:
        self._total = total
        self._say(f"ecr-probe: {total} subnet{'' if total == 1 else 's'}")

    def running(self, number: int) -> None:
        return

    def finished(self, run: SubnetRun) -> None:
        self._done += 1
        self._say(f"ecr-probe: {self._done}/{self._total} {line(run)}")

    def again(self, run: SubnetRun, seconds: float) -> None:
        self._say(f"ecr-probe: {line(run)}; again in {seconds:.0f} s")

    def note(self, words: str) -> None:
        self._say(f"ecr-probe: {words}")

    def close(self) -> None:
        return


class Bar:
    """The bar, and above it a line for each subnet that does not pass."""

    def __init__(self, terminal: TextIO) -> None:
        self._terminal = terminal
        self._counts: Counter[str] = Counter()
        self._running = 0
        self._bars: Bars | None = None
        self._task: TaskID | None = None

    def begins(self, total: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bars

        columns = ("subnets", BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[told]}"), TimeElapsedColumn())
        console = Console(file=self._terminal, force_terminal=True, highlight=False)
        self._bars = Bars(*columns, console=console, transient=True)
        self._task = self._bars.add_task("subnets", total=total, told="")
        self._bars.start()

    def running(self, number: int) -> None:
        self._running = number
        self._show(0)

    def finished(self, run: SubnetRun) -> None:
        self._counts[str(run.status)] += 1
        self._show(1)
        if run.status is not Status.PASS:
            self._above(line(run))

    def _show(self, advance: int) -> None:
        if self._bars is not None and self._task is not None:
            told = {"running": self._running, **self._counts}
            words = ", ".join(f"{count} {word}" for word, count in told.items() if count)
            self._bars.update(self._task, advance=advance, told=words)

    def again(self, run: SubnetRun, seconds: float) -> None:
        self._above(f"{line(run)}; again in {seconds:.0f} s")

    def note(self, words: str) -> None:
        self._above(words)

    def close(self) -> None:
        if self._bars is not None:
            self._bars.stop()
            self._bars = None

    def _above(self, text: str) -> None:
        if self._bars is not None:
            self._bars.console.print(text, markup=False, highlight=False, soft_wrap=True)


def line(run: SubnetRun) -> str:
    place = f"{run.subnet} ({run.zone})" if run.zone else run.subnet
    errors = [each for each in run.verdict.findings if each.severity is Severity.ERROR] if run.verdict else []
    codes = ", ".join(dict.fromkeys(each.code for each in errors))
    words = run.words if run.status is not Status.PASS else None
    return ": ".join(part for part in (place, str(run.status), codes, words) if part)


def watch_on(terminal: TextIO | None, say: Say) -> Watch:
    return Bar(terminal) if terminal is not None and terminal.isatty() else Log(say)

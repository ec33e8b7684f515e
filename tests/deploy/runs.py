"""`up` and `down` against the fake AWS of `aws.py`, with a virtual clock."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from probe.config.flags import UsageError
from probe.deploy.command import Down, Up
from probe.deploy.options import read_down_options, read_up_options
from probe.fleet import Fleet
from probe.progress import Silent
from tests.deploy.aws import DeployedAws
from tests.smoke.aws import REGION
from tests.smoke.runs import FakeAccount, RecordedProgress, VirtualWorkers


@dataclass
class RecordedConsole:
    """`answer` None: there is no terminal."""

    answer: bool | None = None
    width: int = 100
    lines: list[str] = field(default_factory=list)
    questions: int = 0

    def say(self, text: str) -> None:
        self.lines.append(f"ecr-probe: {text}")

    def show(self, lines: list[str]) -> None:
        self.lines += lines

    def confirm(self, question: str) -> bool:
        assert question
        self.questions += 1
        if self.answer is None:
            raise UsageError("there is no terminal")
        return self.answer

    def transfer(self) -> Silent:
        return Silent()

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


@dataclass
class Bench:
    """A fake AWS, and runs in it, one after the other. `fleets` are the verdicts."""

    aws: DeployedAws
    console: RecordedConsole = field(default_factory=RecordedConsole)
    fleets: list[Fleet] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)
    workers: VirtualWorkers = field(default_factory=VirtualWorkers)
    environ: dict[str, str] = field(default_factory=dict)
    broken_report: Exception | None = None

    def __post_init__(self) -> None:
        self.aws.now = self.workers.now

    def run(self, name: str, arguments: Sequence[str]) -> int:
        """`up` or `down` with these arguments and no others but the Region."""
        return self._up(arguments) if name == "up" else self.down(*arguments)

    def up(self, *arguments: str, service: bool = True) -> int:
        return self._up(("--cluster", "main", *(("--service", "shop") if service else ()), *arguments))

    def _up(self, arguments: Sequence[str]) -> int:
        options = read_up_options(["--region", REGION, *arguments], {})

        def deliver(fleet: Fleet) -> int:
            if self.broken_report is not None:
                raise self.broken_report
            self.fleets.append(fleet)
            return fleet.exit_code

        return Up(
            options,
            FakeAccount(self.aws),
            self.workers,
            stop=self.stop,
            console=self.console,
            progress=RecordedProgress(),
            deliver=deliver,
            environ=self.environ,
        ).run()

    def down(self, *arguments: str) -> int:
        options = read_down_options(["--region", REGION, *arguments], {})
        return Down(options, FakeAccount(self.aws), self.workers, stop=self.stop, console=self.console).run()

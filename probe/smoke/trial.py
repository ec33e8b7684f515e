"""One subnet on its way: what was started there, and what is known of it."""

from __future__ import annotations

from enum import Enum, auto

from probe.fleet import SubnetRun
from probe.model import Status
from probe.records import Record, field
from probe.smoke import outcome, task
from probe.smoke.outcome import Answer


class State(Enum):
    WAITING = auto()  # for its turn, or until another try makes sense
    STARTING = auto()  # RunTask is under way
    RUNNING = auto()
    ENDED = auto()  # its document is to be read
    READING = auto()  # GetLogEvents is under way
    DONE = auto()


class Trial(Record):
    """`due` is the instant before which there is nothing to do."""

    subnet: str
    zone: str | None = None
    state: State = State.WAITING
    due: float = 0.0
    tries: int = 0
    refusals: int = 0  # of a place to run, in a row
    token: str | None = None
    began: float | None = None
    launched: float | None = None  # when RunTask told of its task
    task_arn: str | None = None
    alive: bool = False  # a task of ours whose end nobody has seen
    earlier: list[str] = field(default_factory=list)  # tasks of earlier tries, likewise
    unsure: bool = False  # RunTask was not answered, so that it may have started one
    last: str = ""  # what was heard last
    before: str = ""  # why the try before this one found no place
    ended: task.Ending | None = None
    looks: int = 0  # at its log
    unreadable: str | None = None
    run: SubnetRun | None = None  # what the last try said

    def begin(self, token: str, now: float) -> None:
        """Another try, with a task of its own."""
        if self.alive and self.task_arn is not None:
            self.earlier.append(self.task_arn)
        self.alive = False
        self.before = self.last if self.refusals else ""
        self.token, self.began, self.launched = token, now, None
        self.tries += 1
        self.task_arn, self.ended, self.looks, self.unreadable, self.last = None, None, 0, None, ""

    def settle(self, answer: Answer, now: float) -> SubnetRun:
        self.run = SubnetRun(
            subnet=self.subnet,
            zone=self.zone,
            task_arn=self.task_arn,
            status=answer.status,
            source=answer.source,
            verdict=answer.verdict,
            words=answer.words,
            seconds=round(now - self.began, 3) if self.began is not None else None,
            tries=max(self.tries, 1),
        )
        return self.run

    def cut_short(self, cut: str, now: float) -> SubnetRun:
        """What an earlier try said stays: nothing better was seen since."""
        return self.run if self.run is not None else self.settle(self._unfinished(cut), now)

    def _unfinished(self, cut: str) -> Answer:
        if self.ended is not None and self.ended.exit_code is not None:
            return outcome.by_exit_code(self.ended, f"its document had not been read when {cut}")
        if self.alive:
            before = f"; before that {self.before}" if self.before else ""
            return Answer(Status.INCONCLUSIVE, words=f"its task was still {self.last} when {cut}{before}")
        return Answer(Status.INCONCLUSIVE, words=f"{self.last or self.before or 'no task had been started'} when {cut}")

"""How steps come to be: one attempt, one step, one failure word; and what becomes of the unfinished at the deadline.

Knows no library and no AWS. A `Run` is what every check of one run shares.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

from probe.addresses import sort_key
from probe.model import Action, AnySeen, Failure, Nothing, Outcome, Plan, Step
from probe.progress import Progress
from probe.records import Record, field, replace
from probe.wire import Wire
from probe.wire.errors import WireError, scrub

T = TypeVar("T")
ACTION_ORDER = {action: position for position, action in enumerate(Action)}


def spawn(work: Callable[[], T]) -> Future[T]:
    """Run `work` on a daemon thread: a thread stuck in a socket must not keep the process alive past its deadline."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # whoever asks for the result gets it
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future


class Attempt(Record, Generic[T], frozen=True):
    """A recorded step, and the value it won (None unless it is OK)."""

    step: Step
    value: T | None = None


class _Open(Record, frozen=True, kw_only=True):
    """A step that has begun, or that is expected to."""

    endpoint: str
    action: Action
    subject: str
    host: str | None = None
    address: str | None = None
    attempt: int = 1
    on: str | None = None
    rank: int = 0
    began: float = field(default_factory=time.monotonic)
    seen: AnySeen = field(default_factory=Nothing)

    @property
    def target(self) -> tuple[str, Action, str]:
        return self.endpoint, self.action, self.subject

    @property
    def id(self) -> str:
        name = "/".join(part for part in (self.endpoint, self.action.value, self.subject) if part)
        return name if self.attempt == 1 else f"{name}#{self.attempt}"


class Recorder(Record):
    """Collects steps from many threads. Once closed it takes no more, so a verdict never changes under its reader."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _once: threading.Lock = field(default_factory=threading.Lock)
    _done: dict[str, tuple[int, Step]] = field(default_factory=dict)
    _open: dict[str, _Open] = field(default_factory=dict)
    _expected: list[_Open] = field(default_factory=list)
    _closed: bool = False

    def attempt(
        self,
        endpoint: str,
        action: Action,
        subject: str = "",
        *,
        call: Callable[[], tuple[AnySeen, T]],
        host: str | None = None,
        address: str | None = None,
        on: str | None = None,
        rank: int = 0,
        seen: AnySeen | None = None,
    ) -> Attempt[T]:
        """Try once. `call` gives what was seen and a value, or raises WireError. `seen` stands in where a
        failure saw nothing.
        """
        opened = self._begin(
            _Open(
                endpoint=endpoint,
                action=action,
                subject=subject,
                host=host,
                address=address,
                on=on,
                rank=rank,
                seen=seen or Nothing(),
            )
        )
        try:
            facts, value = call()
            return Attempt(self._end(opened, Outcome.OK, seen=facts), value)
        except WireError as error:
            facts = error.seen or opened.seen
            failure, detail = error.failure, error.detail
        except Exception as error:  # a bug of ours is a finding of this run, never the end of it
            facts, failure, detail = opened.seen, Failure.BUG, scrub(f"{type(error).__name__}: {error}")
        return Attempt(self._end(opened, Outcome.FAILED, seen=facts, failure=failure, detail=detail))

    def once(self, endpoint: str, action: Action, subject: str, *, call: Callable[[], tuple[AnySeen, T]]) -> Step:
        """Try what many threads want to know but what is one fact."""
        with self._once:
            done = next((step for step in self._steps() if step.target == (endpoint, action, subject)), None)
            return done or self.attempt(endpoint, action, subject, call=call).step

    def skip(
        self,
        endpoint: str,
        action: Action,
        subject: str = "",
        *,
        blocked_by: str | None,
        detail: str | None = None,
        host: str | None = None,
        address: str | None = None,
        rank: int = 0,
        on: str | None = None,
    ) -> Step:
        opened = self._begin(
            _Open(
                endpoint=endpoint,
                action=action,
                subject=subject,
                host=host,
                address=address,
                on=on,
                rank=rank,
            )
        )
        return self._end(opened, Outcome.SKIPPED, seen=Nothing(), detail=detail, blocked_by=blocked_by)

    def expect(self, endpoint: str, action: Action, subject: str = "", *, rank: int = 0) -> None:
        """Announce a step that belongs to the whole. Where it never begins, `close` names it all the same."""
        with self._lock:
            self._expected.append(_Open(endpoint=endpoint, action=action, subject=subject, rank=rank))

    def close(self, *, late: bool) -> None:
        """End every open step as `deadline`, and take nothing more from the threads that are still at work.

        What was expected and has not begun is unfinished too where the run is `late`; else a check of ours has failed,
        and it is skipped.
        """
        with self._lock:
            self._closed = True
            for opened in self._open.values():
                self._done[opened.id] = (opened.rank, self._late(opened, "not finished in time"))
            self._open.clear()
            for opened in filter(self._is_missing, self._expected):
                unbegun = self._late(opened, "not begun in time")
                skipped = self._step(opened, Outcome.SKIPPED, seen=Nothing(), detail="never begun")
                self._done[opened.id] = (opened.rank, unbegun if late else skipped)

    def _is_missing(self, expected: _Open) -> bool:
        """An expectation without subject is met by any step of its endpoint and action."""
        same = (step for step in self._steps() if (step.endpoint, step.action) == (expected.endpoint, expected.action))
        return not any(expected.subject in ("", step.subject) for step in same)

    def _late(self, opened: _Open, detail: str) -> Step:
        return self._step(opened, Outcome.FAILED, seen=opened.seen, failure=Failure.DEADLINE, detail=detail)

    def _steps(self) -> Iterator[Step]:
        return (step for _, step in tuple(self._done.values()))

    def steps(self, endpoints: tuple[str, ...]) -> tuple[Step, ...]:
        """All steps in plan order: by endpoint, action, then address by value."""
        order = {name: position for position, name in enumerate(("task", *endpoints))}

        def key(entry: tuple[int, Step]) -> tuple[object, ...]:
            rank, step = entry
            return (
                order.get(step.endpoint, len(order)),
                ACTION_ORDER[step.action],
                rank,
                sort_key(step.address) if step.address and step.action in (Action.TCP, Action.TLS) else (0, 0),
                step.id,
            )

        return tuple(step for _, step in sorted(self._done.values(), key=key))

    def _begin(self, opened: _Open) -> _Open:
        """Open a step. Another attempt at the same thing gets the next number."""
        with self._lock:
            while opened.id in self._done or opened.id in self._open:
                opened = replace(opened, attempt=opened.attempt + 1)
            if not self._closed:
                self._open[opened.id] = opened
            return opened

    def _end(
        self,
        opened: _Open,
        outcome: Outcome,
        *,
        seen: AnySeen,
        failure: Failure | None = None,
        detail: str | None = None,
        blocked_by: str | None = None,
    ) -> Step:
        step = self._step(opened, outcome, seen=seen, failure=failure, detail=detail, blocked_by=blocked_by)
        with self._lock:
            self._open.pop(opened.id, None)
            if not self._closed:
                self._done[opened.id] = (opened.rank, step)
        return step

    @staticmethod
    def _step(
        opened: _Open,
        outcome: Outcome,
        *,
        seen: AnySeen,
        failure: Failure | None = None,
        detail: str | None = None,
        blocked_by: str | None = None,
    ) -> Step:
        tried = outcome is not Outcome.SKIPPED
        return Step(
            id=opened.id,
            endpoint=opened.endpoint,
            action=opened.action,
            subject=opened.subject,
            host=opened.host,
            address=opened.address,
            attempt=opened.attempt,
            on=opened.on,
            outcome=outcome,
            failure=failure,
            detail=detail,
            seconds=round(time.monotonic() - opened.began, 6) if tried else None,
            seen=seen,
            blocked_by=blocked_by,
        )


class Run(Record, frozen=True):
    """What every check of one run shares. `until` is the instant (monotonic) at which the run is over.

    `beside` gathers work whose answers are evidence only: the run waits for it, no other check does.
    """

    wire: Wire
    plan: Plan
    recorder: Recorder
    until: float
    stop: threading.Event
    progress: Progress
    beside: list[Future[Any]] = field(default_factory=list)

    @property
    def over(self) -> bool:
        return self.stop.is_set() or time.monotonic() >= self.until

    def pause(self, seconds: float) -> None:
        """Wait before a second try; the end of the run ends the wait."""
        self.stop.wait(max(0.0, min(seconds, self.until - time.monotonic())))

"""How steps come to be: one attempt, one step, one failure; and what becomes of unfinished steps at the deadline.

Depends on no library and on nothing of AWS. A `Run` is what all checks of one run share.
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
from probe.safe_words import scrub
from probe.shortage import is_shortage
from probe.wire import Wire
from probe.wire.errors import WireError

T = TypeVar("T")
ACTION_ORDER = {action: position for position, action in enumerate(Action)}
# Failures that may pass: they are worth a second attempt. A connection that was ended once works the next time, and
# every client that pulls tries again. A reset that answers a SYN arrives as REFUSED.
BROKEN_CONNECTION = (Failure.REFUSED, Failure.RESET, Failure.TLS_RESET, Failure.TRUNCATED)
_BUSY = (Failure.THROTTLED, Failure.SERVER_ERROR)


def spawn(work: Callable[[], T]) -> Future[T]:
    """Run `work` on a daemon thread: a thread stuck in a socket must not keep the process alive past its deadline.

    Where no thread can be started, the result is WireError NO_RESOURCES.
    """
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # result() raises it
            future.set_exception(error)

    try:
        threading.Thread(target=run, daemon=True).start()
    except RuntimeError as error:
        shortage = WireError(Failure.NO_RESOURCES, str(error))
        shortage.__cause__ = error
        future.set_exception(shortage)
    return future


class Target(Record, frozen=True):
    """What a step tries; the fields are those of `Step`. `rank` orders the steps of one endpoint and action."""

    endpoint: str
    action: Action
    subject: str = ""
    host: str | None = None
    address: str | None = None
    on: str | None = None
    rank: int = 0


class Attempt(Record, Generic[T], frozen=True):
    """A recorded step, and the value that it produced (None unless it is OK)."""

    step: Step
    value: T | None = None


class _Begun(Record, frozen=True):
    """A step that has begun, or that is expected to. `seen` is what it shows if nothing better comes."""

    target: Target
    attempt: int = 1
    seen: AnySeen = field(default_factory=Nothing)
    since: float = field(default_factory=time.monotonic)

    @property
    def id(self) -> str:
        parts = (self.target.endpoint, self.target.action.value, self.target.subject)
        name = "/".join(part for part in parts if part)
        return name if self.attempt == 1 else f"{name}#{self.attempt}"

    def ended(
        self,
        outcome: Outcome,
        *,
        seen: AnySeen,
        failure: Failure | None = None,
        detail: str | None = None,
        blocked_by: str | None = None,
    ) -> Step:
        tried = outcome is not Outcome.SKIPPED
        return Step(
            id=self.id,
            endpoint=self.target.endpoint,
            action=self.target.action,
            subject=self.target.subject,
            host=self.target.host,
            address=self.target.address,
            attempt=self.attempt,
            on=self.target.on,
            outcome=outcome,
            failure=failure,
            detail=detail,
            seconds=round(time.monotonic() - self.since, 6) if tried else None,
            seen=seen,
            blocked_by=blocked_by,
        )

    def late(self, detail: str) -> Step:
        return self.ended(Outcome.FAILED, seen=self.seen, failure=Failure.DEADLINE, detail=detail)


class Recorder(Record):
    """Collects steps from many threads. Once closed it takes no more, so a verdict never changes under its reader."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _once: threading.Lock = field(default_factory=threading.Lock)
    _done: dict[str, tuple[int, Step]] = field(default_factory=dict)  # by id, with the rank
    _open: dict[str, _Begun] = field(default_factory=dict)
    _expected: list[_Begun] = field(default_factory=list)
    _closed: bool = False

    def attempt(
        self, target: Target, call: Callable[[], tuple[AnySeen, T]], *, seen: AnySeen | None = None
    ) -> Attempt[T]:
        """Try once. `call` returns the facts and a value, or raises WireError. `seen` is recorded for a failure
        without facts.
        """
        begun = self._begin(_Begun(target, seen=seen or Nothing()))
        try:
            facts, value = call()
            return Attempt(self._end(begun, begun.ended(Outcome.OK, seen=facts)), value)
        except WireError as error:
            facts, failure, detail = error.seen or begun.seen, error.failure, error.detail
        except Exception as error:  # a bug of ours is a finding of this run, never its end
            facts, failure = begun.seen, Failure.NO_RESOURCES if is_shortage(error) else Failure.BUG
            detail = scrub(f"{type(error).__name__}: {error}")
        return Attempt(self._end(begun, begun.ended(Outcome.FAILED, seen=facts, failure=failure, detail=detail)))

    def once(self, target: Target, call: Callable[[], tuple[AnySeen, T]]) -> Step:
        """Try what several threads need to know, but only once."""
        with self._once:
            tried = (target.endpoint, target.action, target.subject)
            done = next((step for step in self._steps() if step.target == tried), None)
            return done or self.attempt(target, call).step

    def skip(self, target: Target, *, blocked_by: str | None, detail: str | None = None) -> Step:
        begun = self._begin(_Begun(target))
        return self._end(begun, begun.ended(Outcome.SKIPPED, seen=Nothing(), detail=detail, blocked_by=blocked_by))

    def expect(self, target: Target) -> None:
        """Announce a step that belongs to the whole. If it never begins, `close` records it all the same."""
        with self._lock:
            self._expected.append(_Begun(target))

    def close(self, *, late: bool, interrupted: bool = False) -> None:
        """End every open step as `deadline`, and take nothing more from the threads that are still running.

        An expected step that never began has failed in the same way if the run is `late`. Otherwise a check of ours
        has failed, and the step is skipped. `interrupted`: a signal ended the run, and not the deadline.
        """
        limit = "before the interruption" if interrupted else "in time"
        with self._lock:
            self._closed = True
            for begun in self._open.values():
                self._done[begun.id] = (begun.target.rank, begun.late(f"not finished {limit}"))
            self._open.clear()
            for begun in filter(self._is_missing, self._expected):
                never = begun.ended(Outcome.SKIPPED, seen=Nothing(), detail="never begun")
                self._done[begun.id] = (begun.target.rank, begun.late(f"not begun {limit}") if late else never)

    def _is_missing(self, expected: _Begun) -> bool:
        """Any step of its endpoint and action meets an expectation without subject."""
        target = expected.target
        alike = (step for step in self._steps() if (step.endpoint, step.action) == (target.endpoint, target.action))
        return not any(target.subject in ("", step.subject) for step in alike)

    def steps(self, endpoints: tuple[str, ...]) -> tuple[Step, ...]:
        """All steps in plan order: by endpoint, action, then address by value."""
        order = {name: position for position, name in enumerate(("task", *endpoints))}

        def key(entry: tuple[int, Step]) -> tuple[object, ...]:
            rank, step = entry
            dialled = step.address if step.action in (Action.TCP, Action.TLS) else None
            address = sort_key(dialled) if dialled else (0, 0)
            return order.get(step.endpoint, len(order)), ACTION_ORDER[step.action], rank, address, step.id

        return tuple(step for _, step in sorted(self._done.values(), key=key))

    def _steps(self) -> Iterator[Step]:
        return (step for _, step in tuple(self._done.values()))

    def _begin(self, begun: _Begun) -> _Begun:
        """Open a step. Another attempt at the same thing gets the next number."""
        with self._lock:
            while begun.id in self._done or begun.id in self._open:
                begun = replace(begun, attempt=begun.attempt + 1)
            if not self._closed:
                self._open[begun.id] = begun
            return begun

    def _end(self, begun: _Begun, step: Step) -> Step:
        with self._lock:
            self._open.pop(step.id, None)
            if not self._closed:
                self._done[step.id] = (begun.target.rank, step)
        return step


class Run(Record, frozen=True):
    """What all checks of one run share. `until` is the instant (monotonic) at which the run is over.

    `in_background` collects work that only adds evidence: the run waits for it, other checks do not.
    """

    wire: Wire
    plan: Plan
    recorder: Recorder
    until: float
    stop: threading.Event
    progress: Progress
    in_background: list[Future[Any]] = field(default_factory=list)

    @property
    def over(self) -> bool:
        return self.stop.is_set() or time.monotonic() >= self.until

    def with_retry(self, attempt: Callable[[], Attempt[T]]) -> Attempt[T]:
        """Attempt, and once more after `budget.retry_wait` if the failure may pass. The last attempt counts.

        With `budget.retries` 0 a busy service is not asked again: the sidecar's next round comes soon anyway.
        """
        first, budget = attempt(), self.plan.budget
        step = first.step
        # A connection that times out where one just worked has lost packets. A request that is not answered in time
        # takes longer, and is not worth a second wait.
        lost = step.failure is Failure.TIMEOUT and (step.seconds or 0.0) < budget.request
        busy = budget.retries > 0 and (lost or step.failure in _BUSY)
        if not (busy or step.failure in BROKEN_CONNECTION) or not self.pause():
            return first
        return attempt()

    def pause(self) -> bool:
        """Wait before a second attempt; False if the run is over then."""
        if not self.over:
            self.stop.wait(max(0.0, min(self.plan.budget.retry_wait, self.until - time.monotonic())))
        return not self.over

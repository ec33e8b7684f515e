"""Calls to AWS within the time that a run has: worker threads, retries, and the rates that AWS allows.

The thread that waits makes all decisions; the workers only carry out calls. Tests replace the workers by a clock that
jumps.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple, Protocol

from probe.operator.aws import TEMPORARY, Account, ApiError, Kind
from probe.smoke.progress import Progress, Situation

Reply = dict[str, Any] | ApiError
Call = Callable[[], dict[str, Any]]
OnReply = Callable[[Reply], None]
CONCURRENT_CALLS = 32  # launches, log reads, and DescribeTasks for a thousand tasks
_GLANCE = 0.2  # seconds; a signal is noticed within this time


# ---- workers ---------------------------------------------------------------------------------------------------------


class Workers(Protocol):
    def now(self) -> float:
        """Seconds of a monotonic clock."""

    def start(self, call: Call, on_reply: OnReply) -> None:
        """Queue a call. `on_reply` runs inside `wait`."""

    def wait(self, seconds: float) -> None:
        """Return after a reply, after `seconds`, or earlier."""


class WorkerThreads:
    """Daemon threads: a call that hangs does not keep the process alive."""

    def __init__(self) -> None:
        self._calls: SimpleQueue[tuple[Call, OnReply]] = SimpleQueue()
        self._replies: SimpleQueue[tuple[OnReply, Reply | BaseException]] = SimpleQueue()
        for _ in range(CONCURRENT_CALLS):
            threading.Thread(target=self._work, daemon=True, name="aws").start()

    def now(self) -> float:
        return time.monotonic()

    def start(self, call: Call, on_reply: OnReply) -> None:
        self._calls.put((call, on_reply))

    def wait(self, seconds: float) -> None:
        try:
            self._deliver(*self._replies.get(timeout=max(0.0, min(seconds, _GLANCE))))
            while True:
                self._deliver(*self._replies.get_nowait())
        except Empty:
            return

    @staticmethod
    def _deliver(on_reply: OnReply, reply: Reply | BaseException) -> None:
        if isinstance(reply, BaseException) and not isinstance(reply, ApiError):
            raise reply
        on_reply(reply)

    def _work(self) -> None:
        while True:
            call, on_reply = self._calls.get()
            try:
                self._replies.put((on_reply, call()))
            except BaseException as error:
                self._replies.put((on_reply, error))


# ---- calls until a deadline ------------------------------------------------------------------------------------------


class EarlyEndError(Exception):
    """The run ends early. `str` names the reason as a clause: "--timeout (600 s) expired"."""


class Calls:
    """Calls until `deadline`, an instant of the workers' clock, or until `stop` is set.

    `tolerant`: exceptions that the handlers of replies raise are ignored. `on_retry` receives each temporary error of
    `call` before it is tried again. `progress` learns what each wait is for: a single call, otherwise what `situation`
    says.
    """

    def __init__(
        self,
        account: Account,
        workers: Workers,
        *,
        deadline: float,
        progress: Progress | None = None,
        expired: str = "",
        stop: threading.Event | None = None,
        tolerant: bool = False,
        on_retry: Callable[[ApiError], None] = lambda _error: None,
    ) -> None:
        self._on_retry = on_retry
        self.account, self.deadline = account, deadline
        self.last_error: ApiError | None = None  # the last one that was worth a retry
        self.situation: Callable[[], Situation] = lambda: Situation("AWS")
        self._single_call: Situation | None = None
        self._progress = progress
        self._workers, self._expired, self._stop = workers, expired, stop
        self._ignored = (Exception,) if tolerant else ()

    def now(self) -> float:
        return self._workers.now()

    def start(self, action: str, on_reply: OnReply, *, region: str | None = None, **parameters: Any) -> None:
        """`on_reply` runs inside `wait`; what it raises propagates to the waiter."""
        self._workers.start(lambda: self.account.call(action, region=region, **parameters), on_reply)

    def wait(self, until: float) -> None:
        """Return after a reply, at `until`, or earlier. Raises EarlyEndError."""
        self._check()
        now = self.now()
        until = min(until, self.deadline)
        if self._progress is not None:
            until = min(until, self._progress.waiting(self._single_call or self.situation(), now, self.deadline))
        with suppress(*self._ignored):
            self._workers.wait(max(until - now, 0.0))
        self._check()

    def pause(self, seconds: float) -> None:
        """Raises EarlyEndError."""
        until = self.now() + seconds
        while self.now() < until:
            self.wait(until)

    def call(
        self, action: str, *, retry: bool = True, patience: float | None = None, **parameters: Any
    ) -> dict[str, Any]:
        """Make one call and wait for its reply; temporary errors are retried, a missing reply for at most `patience`
        seconds. Raises ApiError and EarlyEndError."""
        attempt, began = 0, self.now()
        self._single_call = Situation(f"AWS to answer {action}")
        try:
            while True:
                replies: list[Reply] = []
                self.start(action, replies.append, **parameters)
                while not replies:
                    self.wait(self.deadline)
                reply = replies[0]
                if not isinstance(reply, ApiError):
                    return reply
                if reply.kind not in TEMPORARY or not retry:
                    raise reply
                if patience is not None and reply.kind is Kind.NO_REPLY and self.now() >= began + patience:
                    raise EarlyEndError(f"{reply}, for {patience:g} s")
                self.last_error, attempt = reply, attempt + 1
                self._on_retry(reply)
                seconds = backoff(attempt, shortest=1.0, longest=20.0)
                self._single_call = Situation(f"a call to succeed ({reply})", self.now() + seconds)
                self.pause(seconds)
        finally:
            self._single_call = None

    def _check(self) -> None:
        if self._stop is not None and self._stop.is_set():
            raise EarlyEndError("the run was interrupted")
        if self.now() >= self.deadline:
            raise EarlyEndError(self._expired)


# ---- rates -----------------------------------------------------------------------------------------------------------


class Rate(NamedTuple):
    burst: int
    per_second: float


# ECS counts calls by account and region in token buckets, Fargate also those of RunTask (AWS[run-task-rate]).
# Deployments use the same buckets during a run, so calls that change something take half.
LAUNCHES = Rate(10, 10.0)
STOPS = Rate(50, 20.0)  # StopTask: AWS[ecs-api-rates]
LOG_READS = Rate(10, 10.0)  # AWS[get-log-events-rate]
_WHOLE = 1 - 1e-6  # of a token, with room for rounding


class Bucket:
    """A token bucket, full at first."""

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._tokens = float(rate.burst)
        self._filled_at: float | None = None

    def take(self, now: float) -> bool:
        """Take a token if there is one."""
        self._refill(now)
        if self._tokens < _WHOLE:
            return False
        self._tokens -= 1
        return True

    def next_token(self, now: float) -> float:
        """The instant of the next token."""
        self._refill(now)
        return now if self._tokens >= _WHOLE else now + (1 - self._tokens) / self._rate.per_second

    def _refill(self, now: float) -> None:
        if self._filled_at is not None:
            gained = (now - self._filled_at) * self._rate.per_second
            self._tokens = min(float(self._rate.burst), self._tokens + gained)
        self._filled_at = now


def backoff(attempt: int, *, shortest: float, longest: float) -> float:
    """Seconds before the retry after failure number `attempt`: doubled each time, and randomly shortened, so that calls
    that were throttled together are not retried together."""
    full = min(longest, shortest * 2.0 ** min(attempt - 1, 16))
    return full * random.uniform(0.75, 1.0)

"""Rounds: when each one starts, what it measures, and the snapshot that it publishes."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Protocol

from probe.config.settings import Settings, UsageError
from probe.crash import verdict_in_any_case
from probe.history import Snapshot, advance, throttled
from probe.model import Surroundings, Verdict
from probe.records import replace
from probe.run import run
from probe.wire import Wire

JITTER = 0.1  # of the interval, in both directions: many tasks that start together drift apart
LONGEST_INTERVAL = 900.0  # seconds between rounds, however long AWS throttles
LEAST_GAP = 10.0  # seconds between two requested rounds
PATIENCE = 30.0  # seconds that a round may run beyond its deadline before the loop counts as dead


class Measure(Protocol):
    """One round. Returns early once `stop` is set. Raises UsageError where no image is known."""

    def __call__(self, stop: threading.Event, /) -> Verdict: ...


class Broken(Protocol):
    """The verdict on a round that failed by a bug of ours."""

    def __call__(self, error: BaseException, /, *, began: datetime) -> Verdict: ...


class Wakeup(Protocol):
    """The part of threading.Event that the loop waits on; tests put a clock of their own in its place."""

    def wait(self, timeout: float, /) -> bool: ...

    def set(self) -> None: ...

    def clear(self) -> None: ...


class Rounds:
    """Measures one task again and again: names, connections and credentials are fresh in every round.

    The last known metadata is reused when a round cannot read it.
    """

    def __init__(self, settings: Settings, wire: Wire) -> None:
        self._settings = settings
        self._wire = wire
        self._surroundings: Surroundings | None = None

    def measure(self, stop: threading.Event) -> Verdict:
        settings, earlier = replace(self._settings, started=time.monotonic()), self._surroundings
        verdict = verdict_in_any_case(
            settings, lambda: run(settings, self._wire, stop=stop, earlier=earlier), stop=stop
        )
        if verdict.surroundings.metadata_answered:
            self._surroundings = verdict.surroundings
        return verdict


class Loop:
    """Measures on its own thread. Readers take `snapshot`, which is replaced as a whole after each round.

    `after` is called with the snapshots before and after a round. `clock` and `roll` are seconds and a random number
    between -1 and 1.
    """

    def __init__(
        self,
        measure: Measure,
        *,
        interval: float,
        deadline: float,
        broken: Broken,
        after: Callable[[Snapshot, Snapshot], None],
        roll: Callable[[], float] = lambda: random.uniform(-1, 1),
        clock: Callable[[], float] = time.monotonic,
        wakeup: Wakeup | None = None,
    ) -> None:
        self.snapshot = Snapshot(started_at=datetime.now(UTC), interval=interval, base_interval=interval)
        self._measure = measure
        self._deadline = deadline
        self._broken = broken
        self._after = after
        self._roll = roll
        self._clock = clock
        self._wakeup = wakeup or threading.Event()
        self._stop = threading.Event()
        self._last_request = -LEAST_GAP
        self._request_lock = threading.Lock()
        self._next_sign = float("inf")  # the instant by which the loop must have moved on
        self._thread = threading.Thread(target=self.run, daemon=True, name="rounds")

    def start(self) -> None:
        """Run on a thread of its own."""
        self._thread.start()

    def stop(self, *, within: float) -> bool:
        """Cut the current round and wait for the thread; False where it did not end in time.

        The verdict of a round that was cut is not published: it proves nothing.
        """
        self._stop.set()
        self._wakeup.set()
        self._thread.join(within)
        return not self._thread.is_alive()

    def alive(self) -> bool:
        """Whether rounds go on: False where a round hangs or the thread has ended."""
        return self._thread.is_alive() and self._clock() < self._next_sign

    def ask(self) -> float:
        """Start a round now, or as soon as the current one has ended.

        Returns 0.0, or the seconds to wait where the last request was less than LEAST_GAP ago.
        """
        with self._request_lock:
            wait = self._last_request + LEAST_GAP - self._clock()
            if wait > 0:
                return wait
            self._last_request = self._clock()
        self._wakeup.set()
        return 0.0

    def run(self) -> None:
        """Measure round after round until stopped."""
        planned = self._clock()
        while not self._stop.is_set():
            self._next_sign = self._clock() + self._deadline + PATIENCE
            after = self._round()
            if self._stop.is_set():
                return
            planned, late = next_start(planned, after.interval, now=self._clock(), roll=self._roll())
            after = replace(after, totals=replace(after.totals, overruns=after.totals.overruns + late))
            self._next_sign = planned + PATIENCE
            before, self.snapshot = self.snapshot, after
            with suppress(Exception):  # a listener that fails must not end the rounds
                self._after(before, after)
            if self._is_woken(until=planned):
                planned = self._clock()

    def _round(self) -> Snapshot:
        before, began = self.snapshot, datetime.now(UTC)
        try:
            verdict = self._measure(self._stop)
        except UsageError as error:  # in the next round the task's metadata may name an image
            return replace(before, misconfigured=str(error), verdict=None, current=())
        except (Exception, SystemExit) as error:
            verdict = self._broken(error, began=began)
        interval = eased(before.interval, before.base_interval, throttled=throttled(verdict))
        return advance(before, verdict, interval=interval)

    def _is_woken(self, *, until: float) -> bool:
        """Wait for the next start; True where a round was requested before. Several requests start one round."""
        woken = self._wakeup.wait(max(0.0, until - self._clock()))
        self._wakeup.clear()
        return woken


# ---- the schedule, as pure functions ---------------------------------------------------------------------------------


def next_start(planned: float, interval: float, *, now: float, roll: float) -> tuple[float, bool]:
    """The instant of the next round, and whether the last one overran it.

    `planned` is the instant at which the last round was to start, `roll` a random number between -1 and 1. Rounds never
    overlap: after an overrun the next round starts at the next planned instant in the future.
    """
    step = interval * (1 + JITTER * roll)
    late = planned + step < now
    missed = max(0.0, (now - planned) // step) if late else 0.0
    return planned + step * (missed + 1), late


def eased(interval: float, base: float, *, throttled: bool) -> float:
    """The next interval: doubled while AWS throttles, up to LONGEST_INTERVAL; then halved again, down to `base`."""
    if throttled:
        return min(interval * 2, max(base, LONGEST_INTERVAL))
    return max(base, interval / 2)

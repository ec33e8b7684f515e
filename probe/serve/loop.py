"""The loop: one round after another, each under its own deadline, and the snapshot that stands between them."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Protocol

from probe.config.settings import UsageError
from probe.history import Snapshot, advance, throttled
from probe.model import Verdict
from probe.records import replace
from probe.serve.schedule import eased, next_start

LEAST_GAP = 10.0  # seconds between rounds that were asked for
PATIENCE = 30.0  # seconds that a round may lie beyond its deadline before the loop counts as dead


class Measure(Protocol):
    """One round. Returns when it is over, cut short once `stop` is set; raises UsageError where it has no image."""

    def __call__(self, stop: threading.Event, /) -> Verdict: ...


class Broken(Protocol):
    """The verdict on a round that failed by a mistake of our own."""

    def __call__(self, error: BaseException, /, *, began: datetime) -> Verdict: ...


class Loop:
    """Measures on its own thread. Everybody else reads `snapshot`, which is replaced as a whole after a round."""

    def __init__(
        self,
        measure: Measure,
        *,
        interval: float,
        deadline: float,
        broken: Broken,
        after: Callable[[Snapshot, Snapshot], None],
        roll: Callable[[], float] = lambda: random.uniform(-1, 1),
    ) -> None:
        self.snapshot = Snapshot(started_at=datetime.now(UTC), interval=interval, base_interval=interval)
        self._measure = measure
        self._deadline = deadline
        self._broken = broken
        self._after = after
        self._roll = roll
        self._stop = threading.Event()
        self._wish = threading.Event()
        self._asked = -LEAST_GAP
        self._asking = threading.Lock()
        self._due = float("inf")  # the instant by which the next sign of life has to come
        self._thread = threading.Thread(target=self._run, daemon=True, name="rounds")

    def start(self) -> None:
        self._thread.start()

    def stop(self, *, within: float) -> None:
        """Cut the round under way, and wait for the thread. What was cut short is not published: it proves nothing."""
        self._stop.set()
        self._wish.set()
        self._thread.join(within)

    def alive(self) -> bool:
        """Whether rounds go on. A round that hangs, or a thread that is gone, is no life."""
        return self._thread.is_alive() and time.monotonic() < self._due

    def ask(self) -> float:
        """Start a round now, or as soon as the one under way is over. Returns the seconds to wait where it is too soon
        after the last wish; 0.0 where it was granted."""
        with self._asking:
            wait = self._asked + LEAST_GAP - time.monotonic()
            if wait > 0:
                return wait
            self._asked = time.monotonic()
        self._wish.set()
        return 0.0

    def _run(self) -> None:
        planned = time.monotonic()
        while not self._stop.is_set():
            self._due = time.monotonic() + self._deadline + PATIENCE
            after = self._round()
            if self._stop.is_set():
                return
            planned, late = next_start(planned, after.interval, now=time.monotonic(), roll=self._roll())
            after = replace(after, totals=replace(after.totals, overruns=after.totals.overruns + late))
            self._due = planned + PATIENCE
            before, self.snapshot = self.snapshot, after
            with suppress(Exception):  # who is told must not end the rounds
                self._after(before, after)
            if self._wished(until=planned):
                planned = time.monotonic()

    def _round(self) -> Snapshot:
        before, began = self.snapshot, datetime.now(UTC)
        try:
            verdict = self._measure(self._stop)
        except UsageError as error:  # the task's metadata may tell of an image in the next round
            return replace(before, misconfigured=str(error), verdict=None, standing=())
        except (Exception, SystemExit) as error:
            verdict = self._broken(error, began=began)
        interval = eased(before.interval, before.base_interval, throttled=throttled(verdict))
        return advance(before, verdict, interval=interval)

    def _wished(self, *, until: float) -> bool:
        """Wait for the next start; True where somebody wanted it sooner. The wishes of one long round are one."""
        wished = self._wish.wait(max(0.0, until - time.monotonic()))
        self._wish.clear()
        return wished

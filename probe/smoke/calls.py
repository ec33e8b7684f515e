"""AWS's API within the time that a run has."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from probe.operator.aws import PASSING, Account, ApiError
from probe.smoke import rates
from probe.smoke.workers import Answer, Hands


class CutShortError(Exception):
    """The run ends here; `str` says what ended it, as "the 600 s of --timeout were over"."""


class Calls:
    """`deadline` is an instant of the hands' clock. `over` says what it means that it has come."""

    def __init__(self, account: Account, hands: Hands, *, deadline: float, over: str, stop: threading.Event) -> None:
        self.account, self.hands = account, hands
        self.deadline = deadline
        self._over, self._stop = over, stop
        self.trouble: ApiError | None = None  # the last one that was worth another try

    def now(self) -> float:
        return self.hands.now()

    def start(self, action: str, then: Callable[[Answer], None], *, region: str | None = None, **given: Any) -> None:
        """`then` hears the answer while somebody waits, and may raise what that one shall hear."""
        self.hands.start(lambda: self.account.call(action, region=region, **given), then)

    def wait(self, until: float) -> None:
        """Let time pass, at most to `until`. Raises CutShortError."""
        self._check()
        self.hands.wait(max(min(until, self.deadline) - self.now(), 0.0))
        self._check()

    def _check(self) -> None:
        if self._stop.is_set():
            raise CutShortError("it was interrupted")
        if self.now() >= self.deadline:
            raise CutShortError(self._over)

    def ask(self, action: str, *, patient: bool = True, **given: Any) -> dict[str, Any]:
        """One answer, waited for. `patient`: asked again where another try may go better.

        Raises ApiError and CutShortError.
        """
        attempt = 0
        while True:
            replies: list[Answer] = []
            self.start(action, replies.append, **given)
            while not replies:
                self.wait(self.deadline)
            reply = replies[0]
            if not isinstance(reply, ApiError):
                return reply
            if reply.kind not in PASSING or not patient:
                raise reply
            self.trouble, attempt = reply, attempt + 1
            again = self.now() + rates.patience(attempt, shortest=1.0, longest=20.0)
            while self.now() < again:
                self.wait(again)

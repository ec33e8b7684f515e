"""Who carries out the calls, and tells the time: threads and the clock. Tests have other hands, which never wait.

Everything that is decided is decided in one thread, the one that waits; the others only hold a call in their hands.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, Protocol, TypeVar

from probe.operator.aws import ApiError

T = TypeVar("T")
Answer = dict[str, Any] | ApiError
NUMBER = 32  # calls at once: launches, reads of logs, and the looks at a thousand tasks
_GLANCE = 0.2  # seconds; a signal is noticed within


class Hands(Protocol):
    def now(self) -> float:
        """Seconds of a clock that only goes forward."""

    def start(self, call: Callable[[], dict[str, Any]], then: Callable[[Answer], None]) -> None:
        """Make a call some time soon. `then` hears the answer within `wait`."""

    def wait(self, seconds: float) -> None:
        """Return once something was answered, or after so long, or earlier."""


class Threads:
    """Daemons: a call that hangs keeps nobody."""

    def __init__(self, number: int = NUMBER) -> None:
        self._calls: SimpleQueue[tuple[Callable[[], dict[str, Any]], Callable[[Answer], None]]] = SimpleQueue()
        self._answers: SimpleQueue[tuple[Callable[[Answer], None], Answer | BaseException]] = SimpleQueue()
        for _ in range(number):
            threading.Thread(target=self._work, daemon=True, name="aws").start()

    def now(self) -> float:
        return time.monotonic()

    def start(self, call: Callable[[], dict[str, Any]], then: Callable[[Answer], None]) -> None:
        self._calls.put((call, then))

    def wait(self, seconds: float) -> None:
        try:
            self._tell(*self._answers.get(timeout=max(0.0, min(seconds, _GLANCE))))
            while True:
                self._tell(*self._answers.get_nowait())
        except Empty:
            return

    @staticmethod
    def _tell(then: Callable[[Answer], None], answer: Answer | BaseException) -> None:
        if isinstance(answer, BaseException) and not isinstance(answer, ApiError):
            raise answer
        then(answer)

    def _work(self) -> None:
        while True:
            call, then = self._calls.get()
            try:
                self._answers.put((then, call()))
            except BaseException as error:
                self._answers.put((then, error))

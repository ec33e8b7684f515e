"""What the process gets from outside: signals, and streams that are closed.

Of Ctrl-C and SIGTERM the first asks the run to end, so that the document is still printed; the second is obeyed.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

TOGETHER = 0.3  # seconds; a shell and its parent often pass on one and the same wish


@contextmanager
def stop_on_signals(stop: threading.Event) -> Iterator[None]:
    """Within, a signal sets `stop`. Other threads than the main one cannot hear signals and get none."""
    heard: list[float] = []

    def handle(number: int, _frame: object) -> None:
        heard.append(time.monotonic())
        if heard[-1] - heard[0] > TOGETHER:
            os._exit(128 + number)  # what shells call a process that a signal ended
        # Event.set takes a lock that the interrupted thread may hold: it is set from another thread.
        threading.Thread(target=stop.set, daemon=True).start()

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def fill_closed_streams() -> None:
    """A standard stream that the caller closed leaves a number that our next socket or file would get."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free

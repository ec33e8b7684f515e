"""Ctrl-C and SIGTERM: the first asks the run to end, so that the document is still printed; the second is obeyed."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def stop_on_signals(stop: threading.Event) -> Iterator[None]:
    """Within, a signal sets `stop`. Other threads than the main one cannot hear signals and get none."""
    heard: list[int] = []

    def handle(number: int, _frame: object) -> None:
        if heard:
            os._exit(128 + number)  # what shells call a process that a signal ended
        heard.append(number)
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

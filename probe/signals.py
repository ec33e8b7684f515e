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
_OURS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stop_on_signals(stop: threading.Event) -> Iterator[None]:
    """Within, a signal sets `stop`. Other threads than the main one cannot hear signals and get none.

    A handler runs in the midst of whatever the main thread does, which may hold any lock: ours does nothing. The
    interpreter writes the signal's number into a pipe, and a thread of its own reads it there.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard, told = os.pipe()
    os.set_blocking(told, False)
    threading.Thread(target=_obey, args=(heard, stop), daemon=True, name="signals").start()
    earlier = signal.set_wakeup_fd(told, warn_on_full_buffer=False)
    before = {number: signal.signal(number, lambda _number, _frame: None) for number in _OURS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(earlier)
        os.close(told)


def _obey(heard: int, stop: threading.Event) -> None:
    first = None
    with os.fdopen(heard, "rb", buffering=0) as numbers:
        while number := numbers.read(1):
            if number[0] not in _OURS:
                continue
            now = time.monotonic()
            first = now if first is None else first
            if now - first > TOGETHER:
                os._exit(128 + number[0])  # what shells call a process that a signal ended
            stop.set()


def fill_closed_streams() -> None:
    """A standard stream that the caller closed leaves a number that our next socket or file would get."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free

"""Signals, and standard streams that the caller closed.

The first Ctrl-C, SIGTERM or SIGHUP (a closed terminal) lets a command end in order: check, demo and smoke still print
their document, serve stops with exit code 0, and up --once removes what it has created. A second Ctrl-C or SIGTERM ends
the process immediately.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

TOGETHER = 0.3  # seconds; a shell and its parent often pass on the same Ctrl-C, which counts once
_HANDLED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
INTERRUPTED = 128 + signal.SIGINT  # the status that shells report for a process that Ctrl-C ended


class Stop(threading.Event):
    """Set when a signal asks the command to end. `number` is that signal, None if there was none."""

    def __init__(self) -> None:
        super().__init__()
        self.number: int | None = None

    @property
    def exit_code(self) -> int:
        """The status that shells report for a process that this signal ended: 129, 130 or 143."""
        return INTERRUPTED if self.number is None else 128 + self.number


@contextmanager
def stop_on_signals(stop: Stop) -> Iterator[None]:
    """Within, a signal sets `stop`. Only the main thread receives signals; on another one nothing changes.

    A handler interrupts the main thread anywhere, even while it holds a lock, so this one does nothing. The interpreter
    writes the signal's number into a pipe, and a thread reads it there.
    """
    if threading.current_thread() is not threading.main_thread() or (writer := _signal_pipe(stop)) is None:
        yield
        return
    earlier = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    before = {
        number: signal.signal(number, lambda _number, _frame: None) for number in _HANDLED if not _is_kept(number)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(earlier)
        os.close(writer)


def _is_kept(number: signal.Signals) -> bool:
    """nohup starts a command that ignores SIGHUP, so that it outlives its terminal."""
    return number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN


def _signal_pipe(stop: Stop) -> int | None:
    """The pipe's end for the interpreter to write to; None without descriptors or threads, when a signal ends the
    process."""
    try:
        reader, writer = os.pipe()
    except OSError:
        return None
    try:
        threading.Thread(target=_read_signals, args=(reader, stop), daemon=True, name="signals").start()
    except RuntimeError:
        os.close(reader)
        os.close(writer)
        return None
    os.set_blocking(writer, False)
    return writer


def _read_signals(reader: int, stop: Stop) -> None:
    first = None
    with os.fdopen(reader, "rb", buffering=0) as numbers:
        while number := numbers.read(1):
            if number[0] not in _HANDLED:
                continue
            now = time.monotonic()
            first = now if first is None else first
            # A terminal that closes sends SIGHUP by the kernel and by the shell, at any time after Ctrl-C.
            if now - first > TOGETHER and number[0] != signal.SIGHUP:
                os._exit(128 + number[0])
            stop.number = stop.number or number[0]
            stop.set()


def end_quietly_on_ctrl_c() -> None:
    """Let Ctrl-C end the process as SIGTERM does: without a traceback, and with status 130 in the shell."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def keyboard_interrupts() -> Iterator[None]:
    """Within, Ctrl-C raises KeyboardInterrupt, so that half-written files are removed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def fill_closed_streams() -> None:
    """Open closed standard streams on /dev/null: otherwise the next socket or file would get the number of one."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest free number

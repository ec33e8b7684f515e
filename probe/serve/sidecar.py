"""The sidecar put together: loop, server, and what is written after each round; until it is told to stop."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from probe.flags import LISTEN
from probe.mishap import broken
from probe.model import Verdict
from probe.serve import logs
from probe.serve.loop import Loop, Measure
from probe.serve.options import Options
from probe.serve.page import REHEARSAL
from probe.serve.server import Server
from probe.serve.state import Snapshot
from probe.serve.web import App

# Seconds, of the five that a task has to be gone: for the round to be cut, for the last scrapes, for what is unwritten.
CUTTING, ANSWERING, WRITING = 2.0, 1.0, 0.5
_MOST_UNWRITTEN = 200  # lines and reports


def serve(
    options: Options,
    measure: Measure,
    *,
    stop: threading.Event,
    say: Callable[[str], None],
    deliver: Callable[[Verdict], tuple[str, ...]],
) -> int:
    """Serve until `stop` is set; returns the exit code. `say` puts a line on stderr; `deliver` writes the reports and
    returns complaints.

    Raises UsageError where it cannot listen.
    """
    _save_memory()
    words, reports = _Aside(), _Aside()
    complaints: tuple[str, ...] = ()

    def write(verdict: Verdict) -> None:
        nonlocal complaints
        earlier, complaints = complaints, deliver(verdict)
        for line in logs.reports(earlier, complaints):
            words.do(partial(say, line))

    def after(before: Snapshot, now: Snapshot) -> None:
        for line in logs.lines(before, now):
            words.do(partial(say, line))
        if options.outputs and now.verdict is not None:
            reports.do(partial(write, now.verdict))

    loop = Loop(
        measure,
        interval=options.interval,
        deadline=options.check.budget.deadline,
        broken=partial(broken, options.check),
        after=after,
    )

    def mistaken(what: str) -> None:
        words.do(partial(say, logs.event("error", "mistake", words=f"an answer failed by a mistake of ours: {what}")))

    app = App(
        loop,
        compat_blackbox=options.compat_blackbox,
        login=options.login,
        complain=mistaken,
        rehearsal=options.rehearsal,
    )
    try:
        server = Server(app, options.listen, tls=options.tls)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise LISTEN.refusal(f"cannot listen on {options.listen}: {reason}") from None
    words.do(partial(say, logs.event("info", "listening", address=str(options.listen), interval=options.interval)))
    if options.rehearsal:
        words.do(partial(say, logs.event("warning", "rehearsal", words=REHEARSAL)))
    loop.start()  # first, since who asks for its health must not be told that there is none
    server.start()
    stop.wait()
    loop.stop(within=CUTTING)
    server.stop(within=ANSWERING)
    words.do(partial(say, logs.event("info", "stopped", rounds=loop.snapshot.totals.rounds)))
    reports.finish(within=WRITING)
    words.finish(within=WRITING)
    return 0


_M_ARENA_MAX = -8  # malloc.h


def _save_memory() -> None:
    """One arena of glibc's malloc for all threads, not eight for each core: those of a round live for milliseconds, and
    leave memory behind in each arena. Other C libraries know no such thing."""
    with suppress(ImportError, OSError, AttributeError):
        import ctypes

        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


class _Aside:
    """Writes on a thread of its own: a log driver that blocks must not hold up the rounds. What is too much is lost."""

    def __init__(self) -> None:
        self._waiting: queue.Queue[Callable[[], object] | None] = queue.Queue(_MOST_UNWRITTEN)
        self._thread = threading.Thread(target=self._work, daemon=True, name="writing")
        self._thread.start()

    def do(self, work: Callable[[], object]) -> None:
        with suppress(queue.Full):
            self._waiting.put_nowait(work)

    def finish(self, *, within: float) -> None:
        with suppress(queue.Full):
            self._waiting.put_nowait(None)
            self._thread.join(within)

    def _work(self) -> None:
        while (work := self._waiting.get()) is not None:
            with suppress(Exception):  # what failed once may work the next time
                work()

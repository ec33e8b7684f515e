"""The sidecar put together: loop, server, and what is written after each round; until it is told to stop."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from probe.config.flags import LISTEN
from probe.crash import broken
from probe.history import Snapshot
from probe.model import Verdict
from probe.serve import logs
from probe.serve.loop import Loop, Measure
from probe.serve.options import Options
from probe.serve.page import REHEARSAL
from probe.serve.server import Server
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
    out = _Out(say, deliver if options.outputs else None)
    loop = Loop(
        measure,
        interval=options.interval,
        deadline=options.check.budget.deadline,
        broken=partial(broken, options.check),
        after=out.after,
    )
    app = App(
        loop,
        compat_blackbox=options.compat_blackbox,
        login=options.login,
        complain=out.mistaken,
        rehearsal=options.rehearsal,
    )
    try:
        server = Server(app, options.listen, tls=options.tls)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise LISTEN.refusal(f"cannot listen on {options.listen}: {reason}") from None
    out.say(logs.event("info", "listening", address=str(options.listen), interval=options.interval))
    if options.rehearsal:
        out.say(logs.event("warning", "rehearsal", words=REHEARSAL))
    loop.start()  # first, since who asks for its health must not be told that there is none
    server.start()
    stop.wait()
    loop.stop(within=CUTTING)
    server.stop(within=ANSWERING)
    out.say(logs.event("info", "stopped", rounds=loop.snapshot.totals.rounds))
    out.finish()
    return 0


_M_ARENA_MAX = -8  # malloc.h


def _save_memory() -> None:
    """One arena of glibc's malloc for all threads, not eight for each core: those of a round live for milliseconds, and
    leave memory behind in each arena. Other C libraries know no such thing."""
    with suppress(ImportError, OSError, AttributeError):
        import ctypes

        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


class _Out:
    """What leaves the sidecar unasked: lines, and a report of each round. Neither waits for the other."""

    def __init__(self, say: Callable[[str], None], deliver: Callable[[Verdict], tuple[str, ...]] | None) -> None:
        self._say, self._deliver = say, deliver
        self._words, self._reports = _Aside(), _Aside()
        self._complaints: tuple[str, ...] = ()

    def say(self, line: str) -> None:
        self._words.do(partial(self._say, line))

    def after(self, before: Snapshot, now: Snapshot) -> None:
        """After a round."""
        for line in logs.lines(before, now):
            self.say(line)
        if self._deliver is not None and now.verdict is not None:
            self._reports.do(partial(self._report, self._deliver, now.verdict))

    def mistaken(self, what: str) -> None:
        self.say(logs.event("error", "mistake", words=f"an answer failed by a mistake of ours: {what}"))

    def finish(self) -> None:
        self._reports.finish(within=WRITING)
        self._words.finish(within=WRITING)

    def _report(self, deliver: Callable[[Verdict], tuple[str, ...]], verdict: Verdict) -> None:
        earlier, self._complaints = self._complaints, deliver(verdict)
        for line in logs.reports(earlier, self._complaints):
            self.say(line)


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

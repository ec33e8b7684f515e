"""The sidecar put together: the loop, the server, and what is written after each round; until it is stopped."""

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
from probe.runbook import linked
from probe.serve.log_lines import event, report_lines, round_lines
from probe.serve.loop import Loop, Measure
from probe.serve.options import Options
from probe.serve.page import REHEARSAL
from probe.serve.server import Server
from probe.serve.web import App

# Seconds to stop the current round, to answer the last scrapes, and to write what is queued: together less than five.
CUTTING, ANSWERING, WRITING = 2.0, 1.0, 0.5
ONLY_HERE = "reachable only from this task; ECR_PROBE_LISTEN=0.0.0.0:9879 lets a scraper outside it connect"
_MOST_QUEUED = 200  # lines, and reports


def serve(
    options: Options,
    measure: Measure,
    *,
    stop: threading.Event,
    say: Callable[[str], None],
    deliver: Callable[[Verdict], tuple[str, ...]],
) -> int:
    """Serve until `stop` is set by SIGTERM or Ctrl-C; returns the exit code, which is 0 then.

    `say` prints a line on stderr; `deliver` writes the reports and returns its error texts. Raises UsageError where the
    sidecar cannot listen.
    """
    _save_memory()
    output = _Output(say, deliver if options.outputs else None)
    base = options.check.reports.runbook_base
    loop = Loop(
        lambda stop: linked(measure(stop), base),
        interval=options.interval,
        deadline=options.check.budget.deadline,
        broken=lambda error, *, began: linked(broken(options.check, error, began=began), base),
        after=output.after_round,
    )
    app = App(
        loop,
        compat_blackbox=options.compat_blackbox,
        login=options.login,
        report_bug=output.bug,
        rehearsal=options.rehearsal,
        hosts=options.hosts,
    )
    try:
        server = Server(app, options.listen, tls=options.tls)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise LISTEN.refusal(f"cannot listen on {options.listen}: {reason}") from None
    hint = {"message": ONLY_HERE} if str(options.listen) == LISTEN.default else {}
    output.say(event("info", "listening", address=str(options.listen), interval=options.interval, **hint))
    if options.rehearsal:
        output.say(event("warning", "rehearsal", message=REHEARSAL))
    loop.start()  # before the server: its health check needs a running loop
    server.start()
    stop.wait()
    loop.stop(within=CUTTING)
    server.stop(within=ANSWERING)
    output.say(event("info", "stopped", rounds=loop.snapshot.totals.rounds))
    output.finish()
    return 0


_M_ARENA_MAX = -8  # malloc.h


def _save_memory() -> None:
    """Let all threads share one arena of glibc's malloc, instead of eight per core: a round's threads live for
    milliseconds and would leave memory behind in each arena. Other C libraries have no such setting."""
    with suppress(ImportError, OSError, AttributeError):
        import ctypes

        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


class _Output:
    """Writes the log lines and the reports of each round, independently of each other."""

    def __init__(self, say: Callable[[str], None], deliver: Callable[[Verdict], tuple[str, ...]] | None) -> None:
        self._say, self._deliver = say, deliver
        self._lines, self._reports = _Writer(), _Writer()
        self._errors: tuple[str, ...] = ()  # of the last round's reports

    def say(self, line: str) -> None:
        self._lines.submit(partial(self._say, line))

    def after_round(self, before: Snapshot, after: Snapshot) -> None:
        for line in round_lines(before, after):
            self.say(line)
        if self._deliver is not None and after.verdict is not None:
            self._reports.submit(partial(self._report, self._deliver, after.verdict))

    def bug(self, description: str) -> None:
        self.say(event("error", "bug", message=f"an HTTP response failed by a bug of ecr-probe: {description}"))

    def finish(self) -> None:
        self._reports.finish(within=WRITING)
        self._lines.finish(within=WRITING)

    def _report(self, deliver: Callable[[Verdict], tuple[str, ...]], verdict: Verdict) -> None:
        earlier, self._errors = self._errors, deliver(verdict)
        for line in report_lines(earlier, self._errors):
            self.say(line)


class _Writer:
    """Writes on a thread of its own, since a blocked log driver must not delay the rounds. Drops what does not fit into
    its queue."""

    def __init__(self) -> None:
        self._queue: queue.Queue[Callable[[], object] | None] = queue.Queue(_MOST_QUEUED)
        self._thread = threading.Thread(target=self._run, daemon=True, name="writing")
        self._thread.start()

    def submit(self, write: Callable[[], object]) -> None:
        with suppress(queue.Full):
            self._queue.put_nowait(write)

    def finish(self, *, within: float) -> None:
        with suppress(queue.Full):
            self._queue.put_nowait(None)
            self._thread.join(within)

    def _run(self) -> None:
        while (write := self._queue.get()) is not None:
            with suppress(Exception):  # a write that failed once may succeed the next time
                write()

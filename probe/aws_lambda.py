"""The check as an AWS Lambda function: in the subnets of the tasks, and without pulling any image. Its handler is
`probe.aws_lambda.handler`; the event says what differs from the variables, and the verdict is returned.

Between two invocations the process is frozen, for seconds or for hours. So each finds everything anew: settings,
names, connections, credentials, and the instant at which it has to be over.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Protocol

import probe.faults
import probe.report.json
import probe.verdict  # noqa: F401  # what a run imports late is there before the first invocation: see prepare() below
from probe import lambda_event
from probe.config.flags import CHECK_FLAGS, UsageError
from probe.config.settings import Settings, settle
from probe.crash import GRACE, described, report_in_any_case, verdict_in_any_case
from probe.model import Severity, Verdict
from probe.records import replace
from probe.report import Page
from probe.run import run
from probe.serve.log_lines import event as line
from probe.wire import credentials, http, real_wire

# Of the time that the function has left: for a run that does not end at its deadline, and for putting it into words.
RESERVE = GRACE + 1.0
LEAST = 0.1  # seconds, however little is left: what is cut off is told by the verdict

# Lambda starts a function before the clock of its first invocation runs.
http.prepare()
credentials.prepare()
# A function whose log level is DEBUG would log what botocore signs, the session's token included, and signed URLs.
for library in ("botocore", "urllib3"):
    logging.getLogger(library).setLevel(logging.WARNING)


class Context(Protocol):
    """What is used of Lambda's context object."""

    aws_request_id: str

    def get_remaining_time_in_millis(self) -> int: ...


def handler(event: object, context: Context) -> dict[str, Any]:
    """One check; returns the verdict's document, whatever the verdict.

    Raises UsageError where the event or a variable is wrong: Lambda reports it as the function's error.
    """
    request = {"request": context.aws_request_id}
    try:
        return _checked(event, context, request)
    except UsageError as error:
        _say(line("error", "refused", **request, words=str(error)))
        # Lambda prints the frames that an exception went through, and they are nobody's business.
        raise error.with_traceback(None) from None
    except Exception as error:
        words = f"a bug of ecr-probe: {described(error)}; please report it"
        _say(line("error", "mistake", **request, words=words))
        raise RuntimeError(words) from None


def _checked(event: object, context: Context, request: dict[str, str]) -> dict[str, Any]:
    settings, formats, notes = _asked(event, context)
    cut = threading.Event()
    try:
        verdict = verdict_in_any_case(
            settings, lambda: run(settings, real_wire(settings.ca_bundle), stop=cut), stop=cut
        )
    finally:
        cut.set()  # what hangs now must not go on with it in the next invocation
    for form in formats:
        _write(report_in_any_case(verdict, form, Page(), notes.append))
    document: dict[str, Any] = json.loads(report_in_any_case(verdict, "json", Page(), notes.append))
    _say(_summary(verdict, request, notes))
    return document


def _asked(event: object, context: Context) -> tuple[Settings, tuple[str, ...], list[str]]:
    """Settings, the formats of the reports in the log, and what an operator should know of the settings."""
    began, left = time.monotonic(), context.get_remaining_time_in_millis() / 1000
    given, formats = lambda_event.read(event)
    settings = settle(given, started=began)
    if settings.image is None:
        raise lambda_event.KEYS["image"].refusal("is needed, since a function has no task metadata that names one")
    notes = [*settings.notes, *_unread(settings)]
    wanted = settings.budget
    deadline = min(wanted.deadline, max(left - min(RESERVE, left / 2), LEAST))
    if deadline < wanted.deadline:
        notes.append(f"the function's timeout leaves {deadline:.1f} s of the deadline's {wanted.deadline:g} s")
    budget = replace(wanted, deadline=deadline, connect=min(wanted.connect, deadline))
    return replace(settings, budget=budget), formats, notes


def _unread(settings: Settings) -> Iterator[str]:
    """Variables of `check` that are set in vain."""
    for flag in CHECK_FLAGS:
        if flag.name not in lambda_event.KEYS and settings.environ.get(flag.variable):
            yield f"{flag.variable} has no meaning in a function"


def _summary(verdict: Verdict, request: dict[str, str], notes: list[str]) -> str:
    def codes(severity: Severity) -> tuple[str, ...]:
        return tuple(dict.fromkeys(finding.code for finding in verdict.findings if finding.severity is severity))

    return line(
        "error" if verdict.exit_code else "info",
        "check",
        **request,
        status=verdict.status,
        pull=verdict.pull,
        seconds=verdict.seconds,
        errors=codes(Severity.ERROR),
        warnings=codes(Severity.WARNING),
        notes=notes,
    )


def _write(report: str) -> None:
    """To stdout, which Lambda puts into the function's log. What cannot be written is returned all the same."""
    with suppress(OSError, ValueError, AttributeError):
        sys.stdout.buffer.write(report.encode(errors="replace"))
        sys.stdout.buffer.flush()


def _say(words: str) -> None:
    with suppress(OSError, ValueError):
        print(words, file=sys.stderr, flush=True)

"""The check as an AWS Lambda function in the tasks' subnets, which pulls no image.

The handler is `probe.aws_lambda.handler`. The event overrides the variables, and the handler returns the verdict.

Lambda freezes the process between two invocations, for seconds or for hours. So nothing is kept from one invocation to
the next: settings, names, connections, credentials and the deadline are read again.
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
import probe.verdict  # noqa: F401  # imported late by a run, so imported here: see prepare() below
from probe import lambda_event
from probe.config.flags import CHECK_FLAGS, UsageError
from probe.config.settings import Settings, settle
from probe.crash import GRACE, described, report_in_any_case, verdict_in_any_case
from probe.model import Severity, Verdict
from probe.records import replace
from probe.report import Page
from probe.run import run
from probe.runbook import linked
from probe.serve.log_lines import event as log_line
from probe.wire import credentials, http, real_wire

# Seconds of the function's time that are kept for a run that overruns its deadline, and for writing the reports.
RESERVE = GRACE + 1.0
LEAST = 0.1  # seconds of deadline, even if less is left; the verdict names what was cut off

# Lambda starts the process before the clock of the first invocation runs, so slow imports happen here.
http.prepare()
credentials.prepare()
# With the function's log level DEBUG, botocore would log what it signs, including the session token and signed URLs.
for library in ("botocore", "urllib3"):
    logging.getLogger(library).setLevel(logging.WARNING)


class Context(Protocol):
    """The used part of Lambda's context object."""

    aws_request_id: str

    def get_remaining_time_in_millis(self) -> int: ...


def handler(event: object, context: Context) -> dict[str, Any]:
    """Run one check and return the verdict's document.

    Raises UsageError for a wrong event or variable, which Lambda reports as the function's error. A verdict, also of a
    failure, is returned.
    """
    request = {"request": context.aws_request_id}
    try:
        return _check(event, context, request)
    except UsageError as error:
        _write_line(log_line("error", "refused", **request, message=str(error)))
        # Lambda logs the traceback; the error text is enough.
        raise error.with_traceback(None) from None
    except Exception as error:
        error_text = f"a bug of ecr-probe: {described(error)}; please report it"
        _write_line(log_line("error", "bug", **request, message=error_text))
        raise RuntimeError(error_text) from None


def _check(event: object, context: Context, request: dict[str, str]) -> dict[str, Any]:
    settings, formats, notes = _settings(event, context)
    stop = threading.Event()
    try:
        verdict = verdict_in_any_case(
            settings, lambda: run(settings, real_wire(settings.ca_bundle), stop=stop), stop=stop
        )
    finally:
        stop.set()  # a step that hangs must not continue in the next invocation
    verdict = linked(verdict, settings.reports.runbook_base)
    for form in formats:
        _write(report_in_any_case(verdict, form, Page(), notes.append))
    document: dict[str, Any] = json.loads(report_in_any_case(verdict, "json", Page(), notes.append))
    _write_line(_summary(verdict, request, notes))
    return document


def _settings(event: object, context: Context) -> tuple[Settings, tuple[str, ...], list[str]]:
    """The settings, the formats of the reports in the log, and notes on the settings for the operator."""
    began, left = time.monotonic(), context.get_remaining_time_in_millis() / 1000
    arguments, formats = lambda_event.read(event)
    settings = settle(arguments, started=began)
    if settings.image is None:
        raise lambda_event.KEYS["image"].refusal("is needed, since a function has no task metadata that names one")
    notes = [*settings.notes, *_ignored_variables(settings)]
    budget = settings.budget
    deadline = min(budget.deadline, max(left - min(RESERVE, left / 2), LEAST))
    if deadline < budget.deadline:
        notes.append(f"the function's timeout leaves {deadline:.1f} s of the deadline's {budget.deadline:g} s")
    budget = replace(budget, deadline=deadline, connect=min(budget.connect, deadline))
    return replace(settings, budget=budget), formats, notes


def _ignored_variables(settings: Settings) -> Iterator[str]:
    for flag in CHECK_FLAGS:
        if flag.name not in lambda_event.KEYS and settings.environ.get(flag.variable):
            yield f"{flag.variable} has no effect in a function"


def _summary(verdict: Verdict, request: dict[str, str], notes: list[str]) -> str:
    def codes(severity: Severity) -> tuple[str, ...]:
        return tuple(dict.fromkeys(finding.code for finding in verdict.findings if finding.severity is severity))

    return log_line(
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
    """Write to stdout, which Lambda copies to the function's log. An error there does not cost the verdict."""
    with suppress(OSError, ValueError, AttributeError):
        sys.stdout.buffer.write(report.encode(errors="replace"))
        sys.stdout.buffer.flush()


def _write_line(line: str) -> None:
    with suppress(OSError, ValueError):
        print(line, file=sys.stderr, flush=True)

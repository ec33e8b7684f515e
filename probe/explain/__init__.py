"""Diagnosis without a measurement: from an error text, or from a saved verdict (`saved_verdict`). Pure.

A text goes through the same rules as a check. It is split into records (`text_records`), each record is read for a
failure (`reported_failures`, by `error_patterns`, `round_trips` and `hosts`), and the failures become the failed steps
of a `Measurement`.
"""

from __future__ import annotations

from datetime import UTC, datetime

from probe import __version__
from probe.explain.error_patterns import Weight
from probe.explain.measurement import measurement_of
from probe.explain.reported_failures import ReportedFailure, read_failures
from probe.explain.task_context import TaskContext, read_context
from probe.explain.text_records import split_records
from probe.faults import diagnose
from probe.faults.text_only import Subject
from probe.model import Action, Failure, ImageReference, Policy, Verdict
from probe.safe_words import scrub
from probe.verdict import judge


def explain_text(
    text: str,
    *,
    policy: Policy | None = None,
    vpc_cidrs: tuple[str, ...] = (),
    image: ImageReference | None = None,
    region: str | None = None,
    now: datetime | None = None,
) -> Verdict | None:
    """The verdict on an error text: the findings of a check, with lower certainty. None for an unknown text.

    `vpc_cidrs`, `image` and the task's `region` supply what the text may leave out; `now` is the document's instant.
    """
    context = TaskContext(image=image, region=region)
    return explain_records(split_records(text), context, policy=policy, vpc_cidrs=vpc_cidrs, now=now)


def explain_records(
    records: tuple[str, ...],
    context: TaskContext,
    *,
    policy: Policy | None = None,
    vpc_cidrs: tuple[str, ...] = (),
    now: datetime | None = None,
) -> Verdict | None:
    """`explain_text` for a text that is split into records already; `context` supplies what the records leave out."""
    context = read_context(records).or_else(context)
    failures = read_failures(records, context)
    return _judge(failures, context, policy, vpc_cidrs, now) if failures else None


def unrecognised_text(
    records: tuple[str, ...], context: TaskContext, *, policy: Policy | None = None, now: datetime | None = None
) -> Verdict:
    """The verdict on an error text that no pattern matches: it only quotes the last records."""
    failure = _task_failure(Failure.MALFORMED, " ".join(records[-3:]), Subject.UNRECOGNISED)
    return _judge((failure,), read_context(records).or_else(context), policy, (), now)


def task_not_described(
    failure: Failure, error_text: str, context: TaskContext, *, now: datetime | None = None
) -> Verdict:
    """The verdict on a task that ECS did not describe: how the call failed, and nothing about the task."""
    return _judge((_task_failure(failure, error_text, Subject.NOT_DESCRIBED),), context, None, (), now)


def _task_failure(failure: Failure, error_text: str, subject: Subject) -> ReportedFailure:
    return ReportedFailure("task", Action.START, failure, Weight.FAINT, scrub(error_text), subject=subject)


def _judge(
    failures: tuple[ReportedFailure, ...],
    context: TaskContext,
    policy: Policy | None,
    vpc_cidrs: tuple[str, ...],
    now: datetime | None,
) -> Verdict:
    measurement = measurement_of(failures, context, vpc_cidrs=vpc_cidrs, now=now or datetime.now(UTC))
    policy = policy or Policy()
    return judge(diagnose(measurement, policy), measurement, policy, version=__version__)

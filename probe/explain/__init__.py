"""Diagnosis without a measurement: from an error text, ECS's description of a task, or a saved verdict. Pure.

A text goes through the same rules as a check. It is split into records (`text_records`), each record is read for a
failure (`reported_failures`, by `error_patterns`, `round_trips` and `hosts`), and the failures become the failed steps
of a `Measurement`.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable
from datetime import UTC, datetime

from probe import __version__
from probe.explain import saved_verdict
from probe.explain.chronology import Entry, Success, current, entries_of
from probe.explain.clients import client_of_subjects
from probe.explain.documents import Event, decode_json, read_events
from probe.explain.error_patterns import Weight
from probe.explain.measurement import measurement_of
from probe.explain.reported_failures import ReportedFailure, is_failure, read_failures
from probe.explain.task_context import TaskContext, TaskDescription, read_context, read_task_description
from probe.explain.text_records import MAX_CHARACTERS, mentions_error
from probe.faults import diagnose
from probe.faults.subjects import Subject
from probe.fleet import Fleet
from probe.model import Action, Failure, ImageReference, Policy, Verdict
from probe.records import replace
from probe.safe_words import scrub
from probe.verdict import judge

MAX_BYTES = saved_verdict.MAX_BYTES
EXPECTED = (
    "expected a verdict (ecr-probe check --format json), the output of aws ecs describe-tasks, or the text of an error"
)
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def explain_document(document: bytes, context: TaskContext, vpc_cidrs: tuple[str, ...] = ()) -> Verdict | Fleet:
    """The verdict on a file's content; of a document of `smoke`, its fleet judged again.

    Raises ValueError with one plain sentence where there is nothing to explain.
    """
    if len(document) > MAX_BYTES:
        raise ValueError(f"is larger than {MAX_BYTES >> 20} MiB; {EXPECTED}")
    if not document.strip():
        raise ValueError(f"is empty; {EXPECTED}")
    text = _decode_text(document)
    content = decode_json(text)
    if isinstance(content, dict) and "schema_version" in content:
        return saved_verdict.rejudge_document(document, is_fleet=isinstance(content.get("runs"), list))
    if content is None and text.lstrip().startswith("{") and '"schema_version"' in text[:1000]:
        saved_verdict.read_saved(document)  # a truncated or damaged verdict: raises an error with the position
    description = read_task_description(content)
    if description is not None:
        return explain_tasks(description, context, vpc_cidrs)
    events = read_events(content, text)
    if not events and len(text) > MAX_CHARACTERS:
        raise ValueError(f"has more than {MAX_CHARACTERS >> 20} MiB of text; pass only the lines around the error")
    return _explain_or_refuse(events or (Event(text),), context, vpc_cidrs)


def explain_tasks(description: TaskDescription, context: TaskContext, vpc_cidrs: tuple[str, ...] = ()) -> Verdict:
    """The verdict on the stopped reasons of tasks. Raises ValueError with one plain sentence where there are none."""
    if description.missing:
        raise ValueError("has no tasks: ECS knows no such task; it keeps stopped tasks for about an hour")
    if description.running:
        raise ValueError("describes no stopped task, so there is nothing to explain yet")
    return _explain_or_refuse(description.events, description.context.or_else(context), vpc_cidrs)


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
    return _explain(entries_of((Event(text),)), TaskContext(image=image, region=region), policy, vpc_cidrs, now)


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


def _explain_or_refuse(events: Iterable[Event], context: TaskContext, vpc_cidrs: tuple[str, ...]) -> Verdict:
    entries = entries_of(events)
    verdict = _explain(entries, context, None, vpc_cidrs, None)
    records = tuple(entry.text for entry in entries)
    if verdict is None and not any(map(mentions_error, records)):
        raise ValueError(f"contains no error; {EXPECTED}")
    return verdict or unrecognised_text(records, context)


def _explain(
    entries: tuple[Entry, ...],
    context: TaskContext,
    policy: Policy | None,
    vpc_cidrs: tuple[str, ...],
    now: datetime | None,
) -> Verdict | None:
    everything = _context_of(entries).or_else(context)
    kept, success = current(entries, lambda record: is_failure(record, everything))
    if success is not None:
        return _judge((_recovered(success),), _context_of((success.entry,)).or_else(everything), policy, (), now)
    # What is still failing names image and region first.
    context = everything if kept == entries else _context_of(kept).or_else(everything)
    failures = read_failures((entry.text for entry in kept), context)
    return _judge(failures, context, policy, vpc_cidrs, now) if failures else None


def _context_of(entries: tuple[Entry, ...]) -> TaskContext:
    context = read_context(entry.text for entry in entries)
    region = next((entry.region for entry in entries if entry.region), None)
    return replace(context, named_region=region or context.named_region)


def _recovered(success: Success) -> ReportedFailure:
    return _task_failure(Failure.TRUNCATED, f"{success.sentence}; before: {success.entry.text}", Subject.RECOVERED)


def _task_failure(failure: Failure, error_text: str, subject: Subject) -> ReportedFailure:
    return ReportedFailure("task", Action.START, failure, Weight.FAINT, scrub(error_text), subject=subject)


def _judge(
    failures: tuple[ReportedFailure, ...],
    context: TaskContext,
    policy: Policy | None,
    vpc_cidrs: tuple[str, ...],
    now: datetime | None,
) -> Verdict:
    client = client_of_subjects(context.client, (failure.subject for failure in failures))
    context = replace(context, client=client)
    measurement = measurement_of(failures, context, vpc_cidrs=vpc_cidrs, now=now or datetime.now(UTC))
    policy = policy or Policy()
    return judge(diagnose(measurement, policy), measurement, policy, version=__version__)


def _decode_text(document: bytes) -> str:
    """Decode a text. Invalid bytes are replaced, since logs contain some; a binary file is refused."""
    if document.startswith(_UTF16_MARKS):
        return document.decode("utf-16", errors="replace")
    if b"\0" in document:
        raise ValueError(f"is not text; {EXPECTED}")
    return document.decode("utf-8-sig", errors="replace")

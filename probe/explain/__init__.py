"""What is read in place of a measurement: a saved verdict (`saved`), or the words of an error. Pure.

A text goes through the same rules as a check: its records (`words`) give clues (`clauses`, `stages`, `hosts`), and the
clues a `Measurement` whose failed steps are what the text tells.
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
from probe.verdict import judge
from probe.wire.errors import scrub


def explain_text(
    text: str,
    *,
    policy: Policy | None = None,
    vpc_cidrs: tuple[str, ...] = (),
    image: ImageReference | None = None,
    region: str | None = None,
    now: datetime | None = None,
) -> Verdict | None:
    """What an error text tells: the same findings as a check, at lower certainty; None where it cannot be classed.

    `vpc_cidrs`, `image` and the task's `region` are what the text need not tell; `now` is the document's instant.
    """
    known = TaskContext(image=image, region=region)
    return explain_records(split_records(text), known, policy=policy, vpc_cidrs=vpc_cidrs, now=now)


def explain_records(
    lines: tuple[str, ...],
    known: TaskContext,
    *,
    policy: Policy | None = None,
    vpc_cidrs: tuple[str, ...] = (),
    now: datetime | None = None,
) -> Verdict | None:
    """The same of a text that is cut into records already; `known` fills in what they do not tell of the task."""
    context = read_context(lines).over(known)
    clues = read_failures(lines, context)
    return _judged(clues, context, policy, vpc_cidrs, now) if clues else None


def unrecognised_text(
    lines: tuple[str, ...], known: TaskContext, *, policy: Policy | None = None, now: datetime | None = None
) -> Verdict:
    """The verdict on an error that cannot be classed: nothing but its words."""
    words = scrub(" ".join(lines[-3:]))
    clue = ReportedFailure("task", Action.START, Failure.MALFORMED, Weight.FAINT, words, subject=Subject.UNRECOGNISED)
    return _judged((clue,), read_context(lines).over(known), policy, (), now)


def task_not_described(failure: Failure, words: str, known: TaskContext, *, now: datetime | None = None) -> Verdict:
    """The verdict on a task of which ECS did not tell: how it was asked in vain, and nothing of the task."""
    clue = ReportedFailure("task", Action.START, failure, Weight.FAINT, scrub(words), subject=Subject.NOT_DESCRIBED)
    return _judged((clue,), known, None, (), now)


def _judged(
    clues: tuple[ReportedFailure, ...],
    context: TaskContext,
    policy: Policy | None,
    vpc_cidrs: tuple[str, ...],
    now: datetime | None,
) -> Verdict:
    measurement = measurement_of(clues, context, vpc_cidrs=vpc_cidrs, now=now or datetime.now(UTC))
    policy = policy or Policy()
    return judge(diagnose(measurement, policy), measurement, policy, version=__version__)

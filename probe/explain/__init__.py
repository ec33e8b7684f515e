"""What is read in place of a measurement: a saved verdict (`saved`), or the words of an error. Pure.

A text goes through the same rules as a check: its records (`words`) give clues (`clauses`, `stages`, `hosts`), and the
clues a `Measurement` whose failed steps are what the text tells.
"""

from __future__ import annotations

from datetime import UTC, datetime

from probe import __version__
from probe.explain.clauses import Weight
from probe.explain.clues import Clue, read_clues
from probe.explain.context import Context, read_context
from probe.explain.measurement import measurement_of
from probe.explain.words import records
from probe.faults import diagnose
from probe.model import Action, Failure, ImageReference, Policy, Verdict
from probe.verdict import judge
from probe.wire.errors import scrub


def read_text(
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
    known = Context(image=image, region=region)
    return read_records(records(text), known, policy=policy, vpc_cidrs=vpc_cidrs, now=now)


def read_records(
    lines: tuple[str, ...],
    known: Context,
    *,
    policy: Policy | None = None,
    vpc_cidrs: tuple[str, ...] = (),
    now: datetime | None = None,
) -> Verdict | None:
    """The same of a text that is cut into records already; `known` fills in what they do not tell of the task."""
    context = read_context(lines).over(known)
    clues = read_clues(lines, context)
    return _judged(clues, context, policy, vpc_cidrs, now) if clues else None


def unclassified(
    lines: tuple[str, ...], known: Context, *, policy: Policy | None = None, now: datetime | None = None
) -> Verdict:
    """The verdict on an error that cannot be classed: nothing but its words."""
    words = scrub(" ".join(lines[-3:]))
    clue = Clue("task", Action.START, Failure.MALFORMED, Weight.FAINT, words, subject="unclassified")
    return _judged((clue,), read_context(lines).over(known), policy, (), now)


def not_described(failure: Failure, words: str, known: Context, *, now: datetime | None = None) -> Verdict:
    """The verdict on a task of which ECS did not tell: how it was asked in vain, and nothing of the task."""
    clue = Clue("task", Action.START, failure, Weight.FAINT, scrub(words), subject="not-described")
    return _judged((clue,), known, None, (), now)


def _judged(
    clues: tuple[Clue, ...],
    context: Context,
    policy: Policy | None,
    vpc_cidrs: tuple[str, ...],
    now: datetime | None,
) -> Verdict:
    measurement = measurement_of(clues, context, vpc_cidrs=vpc_cidrs, now=now or datetime.now(UTC))
    policy = policy or Policy()
    return judge(diagnose(measurement, policy), measurement, policy, version=__version__)

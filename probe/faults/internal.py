"""Faults of our own run: bugs, the deadline, what was not tried, and the safety net for what no rule knows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from probe.faults import causes
from probe.faults.evidence import Evidence
from probe.faults.fault import Fault
from probe.faults.findings import found
from probe.model import Action, Advice, Asker, Extent, Failure, Finding, Impact, NamesSeen, Outcome, Step
from probe.narration import few

BUG = Fault(
    "probe.bug",
    "ecr-probe itself failed in {what}, so that part is not proven",
    "This is a mistake of ecr-probe and says nothing about the network or AWS.",
    Impact.PROOF,
    (
        causes.other(
            "a bug in ecr-probe",
            Advice("report it with this verdict"),
            Advice("the error text of the steps of this finding"),
        ),
    ),
)
DEADLINE = Fault(
    "probe.deadline",
    "the run ended with {count} unfinished",
    "The deadline of {deadline} s passed, or the run was stopped. What was cut off is neither proven nor refuted.",
    Impact.PROOF,
    (
        causes.other(
            "the time was too short for this network, or the run was interrupted",
            Advice("give it longer: --deadline SECONDS (ECR_PROBE_DEADLINE), and a Lambda function a longer timeout"),
            Advice("compare the seconds of the steps with the deadline of {deadline} s"),
        ),
    ),
)
NOT_MEASURED = Fault(
    "probe.not-measured",
    "the pull was not walked to its end: {detail}",
    "No step failed, but what comes after it was not tried, so the pull is not proven.",
    Impact.PROOF,
    (causes.OTHER,),
)
RETRIED = Fault(
    "probe.retried",
    "{what} failed at first and came through at the second try",
    "One lost packet or one busy moment is no fault; when it comes often, it is.",
    Impact.NONE,
    extent=Extent.NOTED,
)
UNEXPLAINED = Fault(
    "unexplained",
    "{endpoints} {action} failed in a way that ecr-probe has no explanation for: {words}",
    "No rule knows this failure here. The words are those of the library or server.",
    Impact.PROOF,
    (causes.OTHER,),
)

_PULL = (Action.TOKEN, Action.CHALLENGE, Action.MANIFEST, Action.BLOB, Action.LAYER)
_BESIDE = (Action.METADATA, Action.ENVIRONMENT, Action.CONTROL)


def bugs(evidence: Evidence) -> Iterator[Finding]:
    """Exceptions of our own program."""
    steps = _cut(evidence, Failure.BUG)
    if steps:
        yield found(BUG, evidence, steps, what=few(step.id for step in steps))


def deadlines(evidence: Evidence) -> Iterator[Finding]:
    """Steps that were cut off. Controls alone prove nothing, so without them nothing is lost."""
    steps = _cut(evidence, Failure.DEADLINE)
    if steps:
        lost = [step for step in steps if not _is_beside(step)]
        extent = Extent.WHOLLY if lost else Extent.NOTED
        count = f"{len(steps)} steps" if len(steps) > 1 else "one step"
        yield found(DEADLINE, evidence, steps, extent=extent, count=count)


def _cut(evidence: Evidence, failure: Failure) -> tuple[Step, ...]:
    return evidence.tries(*(step for step in evidence.measurement.steps if step.failure is failure))


def unwalked(evidence: Evidence) -> Iterator[Finding]:
    """Links of the pull that were skipped although nothing before them failed."""
    steps = [step for step in evidence.of(*_PULL) if step.outcome is Outcome.SKIPPED and _is_groundless(evidence, step)]
    if steps:
        yield found(NOT_MEASURED, evidence, steps, detail=steps[0].detail or f"{steps[0].id} was skipped")


def _is_groundless(evidence: Evidence, step: Step) -> bool:
    """Whether the chain of `blocked_by` ends at a step that is fine, or at none that exists."""
    known = {each.id: each for each in evidence.measurement.steps}
    passed: set[str] = set()
    while step.outcome is Outcome.SKIPPED and step.id not in passed:
        passed.add(step.id)
        if step.blocked_by is None:
            return False
        if step.blocked_by not in known:
            return True
        step = known[step.blocked_by]
    return not step.failed


def second_tries(evidence: Evidence) -> Iterator[Finding]:
    """Tries that failed before the same thing worked."""
    steps = tuple(step for step in evidence.survived if step.failure is not Failure.BUG)
    if steps:
        yield found(RETRIED, evidence, steps, what=few(step.id for step in steps))


def unexplained(evidence: Evidence, findings: Iterable[Finding]) -> Iterator[Finding]:
    """The safety net: every failed step that no finding names."""
    named = {identity for finding in findings for identity in finding.because}
    groups: dict[tuple[object, ...], list[Step]] = {}
    for step in evidence.measurement.steps:
        if step.failed and step.id not in named:
            groups.setdefault((step.endpoint, step.action, step.failure, _is_beside(step)), []).append(step)
    for steps in groups.values():
        first = steps[0]
        beside = _is_beside(first)
        planned = evidence.plan.endpoint(first.endpoint)
        impact = Impact.PROOF if planned is None else planned.impact
        yield found(
            UNEXPLAINED,
            evidence,
            steps,
            impact=Impact.NONE if beside else impact,
            extent=Extent.NOTED if beside else Extent.WHOLLY,
            action=str(first.action),
            words=first.detail or str(first.failure),
        )


def _is_beside(step: Step) -> bool:
    """Evidence beside the path: controls, follow-ups, metadata. Its failure takes nothing away."""
    return step.action in _BESIDE or (isinstance(step.seen, NamesSeen) and step.seen.asker is not Asker.CONFIGURED)


FAULTS = (BUG, DEADLINE, NOT_MEASURED, RETRIED, UNEXPLAINED)
RULES = (bugs, deadlines, unwalked, second_tries)

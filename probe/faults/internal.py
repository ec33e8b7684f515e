"""Faults of our own run: bugs, the deadline, what was not tried, and the safety net for failures that no rule knows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from probe.faults import causes
from probe.faults.causes import advice
from probe.faults.evidence import Evidence
from probe.faults.fault import Fault, finding, finds, merged, noted
from probe.model import Action, Asker, Extent, Failure, Finding, Impact, Outcome, Step
from probe.narration import few

BUG = Fault(
    "probe.bug",
    "ecr-probe itself failed in {what}, so that part is not proven",
    "This is a bug in ecr-probe, not a sign of a fault in the network or in AWS.",
    Impact.PROOF,
    (
        causes.other(
            "a bug in ecr-probe",
            advice("report the bug with this verdict"),
            advice("the error text of the steps of this finding"),
        ),
    ),
    examples=(("what", "a step"),),
)
NO_RESOURCES = Fault(
    "probe.no-resources",
    "this process is out of file descriptors, memory or threads, so the check is incomplete",
    "The operating system refused a resource. That is no sign of a fault in the network or in AWS.",
    Impact.PROOF,
    (
        causes.other(
            "a limit of the container or the host is too low, or other processes use it up",
            advice(
                "raise the limits of this container in the task definition: ulimits (nofile), memory, and the limit of "
                "processes",
                causes.REGISTER,
            ),
            advice("compare the error text of the steps with the limits of the process", "cat /proc/self/limits"),
        ),
    ),
)
DEADLINE = Fault(
    "probe.deadline",
    "the run ended with {count} unfinished",
    "The deadline of {deadline} s passed. What was not finished is neither proven nor refuted.",
    Impact.PROOF,
    (
        causes.other(
            "the deadline is too short for this network",
            advice("raise --deadline (ECR_PROBE_DEADLINE), and the timeout of a Lambda function"),
            advice("compare the seconds of the steps with the deadline of {deadline} s"),
        ),
    ),
    examples=(("count", "some steps"), ("deadline", "30")),
)
INTERRUPTED = DEADLINE.variant(
    title="the run was interrupted with {count} unfinished",
    why="A signal (Ctrl-C or SIGTERM) ended the run. What was not finished is neither proven nor refuted.",
    causes=(
        causes.other(
            "the run was interrupted by a signal",
            advice("run the check again, and let it finish"),
            advice(
                "find out what sent the signal: a terminal's Ctrl-C, a pipeline's timeout, or ECS stopping the task"
            ),
        ),
    ),
)
NOT_MEASURED = Fault(
    "probe.not-measured",
    "the check could not complete the pull: {detail}",
    "No step failed, but the later ones were not tried, so the pull is not proven.",
    Impact.PROOF,
    (causes.OTHER,),
)
RETRIED = noted(
    "probe.retried",
    "{what} failed at first and succeeded on retry",
    "One lost packet or one busy moment is normal. If it happens often, it is a fault.",
    examples=(("what", "a step"),),
)
UNEXPLAINED = Fault(
    "unexplained",
    "{endpoints} {action} failed in a way that ecr-probe cannot explain: {words}",
    "No rule knows this failure here. The error text comes from the library or the server.",
    Impact.PROOF,
    (causes.OTHER,),
    examples=(("action", "STEP"), ("words", "ERROR")),
)

_PULL = (Action.TOKEN, Action.CHALLENGE, Action.MANIFEST, Action.BLOB, Action.LAYER)
_NOT_ON_THE_PATH = (Action.METADATA, Action.ENVIRONMENT, Action.CONTROL)


@finds(BUG)
def bugs(evidence: Evidence) -> Iterator[Finding]:
    """Exceptions of our own program."""
    steps = _ended_by(evidence, Failure.BUG)
    if steps:
        yield finding(BUG, evidence, steps, extent=_extent_without(steps), what=few(step.id for step in steps))


def _extent_without(steps: tuple[Step, ...]) -> Extent:
    """How much is lost without these steps: nothing if they are controls, which only add evidence."""
    return Extent.NOTED if all(step.action is Action.CONTROL for step in steps) else Extent.WHOLLY


@finds(NO_RESOURCES)
def shortages(evidence: Evidence) -> Iterator[Finding]:
    """Steps for which the operating system refused a resource, and lookups that prove nothing without them."""
    steps = _ended_by(evidence, Failure.NO_RESOURCES)
    if steps:
        because = _with_undecided(evidence, steps)
        yield finding(NO_RESOURCES, evidence, because, extent=_extent_without(steps))


def _with_undecided(evidence: Evidence, steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """These steps, and the failed lookups that prove nothing because of them."""
    undecided = evidence.tries(*(step for host in evidence.hosts for step in host.undecided if step.failed))
    return merged(steps, tuple(step for step in undecided if step not in evidence.survived))


@finds(DEADLINE, INTERRUPTED)
def deadlines(evidence: Evidence) -> Iterator[Finding]:
    """Steps that the deadline cut off, and lookups that prove nothing without them.

    Controls alone prove nothing, so nothing is lost without them.
    """
    steps = _ended_by(evidence, Failure.DEADLINE)
    if steps:
        lost = [step for step in steps if not _is_supplementary(step)]
        extent = Extent.WHOLLY if lost else Extent.NOTED
        count = f"{len(steps)} steps" if len(steps) > 1 else "one step"
        fault = INTERRUPTED if evidence.measurement.interrupted else DEADLINE
        yield finding(fault, evidence, _with_undecided(evidence, steps), extent=extent, count=count)


def _ended_by(evidence: Evidence, failure: Failure) -> tuple[Step, ...]:
    return evidence.tries(*(step for step in evidence.measurement.steps if step.failure is failure))


@finds(NOT_MEASURED)
def untried_links(evidence: Evidence) -> Iterator[Finding]:
    """Links of the pull that were skipped although nothing before them failed."""
    skipped = (step for step in evidence.of(*_PULL) if step.outcome is Outcome.SKIPPED)
    steps = [step for step in skipped if _is_groundless(evidence, step)]
    if steps:
        yield finding(NOT_MEASURED, evidence, steps, detail=steps[0].detail or f"{steps[0].id} was skipped")


def _is_groundless(evidence: Evidence, step: Step) -> bool:
    """Whether the chain of `blocked_by` ends at a step that did not fail, or at one that does not exist."""
    steps = {candidate.id: candidate for candidate in evidence.measurement.steps}
    passed: set[str] = set()
    while step.outcome is Outcome.SKIPPED and step.id not in passed:
        passed.add(step.id)
        if step.blocked_by is None:
            return False
        if step.blocked_by not in steps:
            return True
        step = steps[step.blocked_by]
    return not step.failed


@finds(RETRIED)
def second_tries(evidence: Evidence) -> Iterator[Finding]:
    """Tries that failed before the retry succeeded."""
    steps = tuple(step for step in evidence.survived if step.failure not in (Failure.BUG, Failure.NO_RESOURCES))
    if steps:
        yield finding(RETRIED, evidence, steps, what=few(step.id for step in steps))


def unexplained(evidence: Evidence, findings: Iterable[Finding]) -> Iterator[Finding]:
    """The safety net: every failed step that no finding names."""
    named = {step_id for finding in findings for step_id in finding.because}
    groups: dict[tuple[object, ...], list[Step]] = {}
    for step in evidence.measurement.steps:
        if step.failed and step.id not in named:
            groups.setdefault((step.endpoint, step.action, step.failure, _is_supplementary(step)), []).append(step)
    for steps in groups.values():
        first = steps[0]
        supplementary = _is_supplementary(first)
        planned = evidence.plan.endpoint(first.endpoint)
        impact = Impact.PROOF if planned is None else planned.impact
        yield finding(
            UNEXPLAINED,
            evidence,
            steps,
            impact=Impact.NONE if supplementary else impact,
            extent=Extent.NOTED if supplementary else Extent.WHOLLY,
            action=str(first.action),
            words=first.detail or str(first.failure),
        )


def _is_supplementary(step: Step) -> bool:
    """Evidence that is not on the pull's path: controls, follow-ups, metadata. Its failure takes nothing away."""
    is_extra_lookup = step.asker is not Asker.CONFIGURED
    return step.action in _NOT_ON_THE_PATH or is_extra_lookup

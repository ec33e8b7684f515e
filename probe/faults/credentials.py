"""Faults of credentials and of the clock: who we are to AWS, and whether it believes the time of our signatures."""

from __future__ import annotations

from collections.abc import Iterator

from probe.faults import causes
from probe.faults.evidence import Evidence
from probe.faults.fault import Fault
from probe.faults.findings import Suspects, found, possible, settled
from probe.model import Action, AnswerSeen, CredentialsSeen, Extent, Failure, Finding, Impact, Step
from probe.narration import duration
from probe.records import replace

CLOCK = Fault(
    "clock.skew",
    "AWS refused a signature because this task's clock is wrong",
    "AWS named two times in its refusal: {times}. Nothing that needs a signature can be proven until the clock is "
    "right.",
    Impact.PROOF,
    (causes.CLOCK_SKEW,),
)
CLOCK_OFF = replace(
    CLOCK,
    title="this task's clock is {offset} {direction} AWS's",
    why=(
        "The Date headers of {endpoints} say so. Signatures further off than 5 to 15 minutes are refused, and "
        "certificates may seem out of date."
    ),
    extent=Extent.PARTLY,
)
NO_CREDENTIALS = Fault(
    "credentials.missing",
    "there are no credentials here, and token, manifest and layers need them",
    "The network was measured all the same; ECS itself pulls with the execution role.",
    Impact.PROOF,
    (causes.NO_CREDENTIALS,),
)
NO_CREDENTIALS_TOLD = replace(
    NO_CREDENTIALS,
    title="whoever wrote this found no credentials",
    why="No provider gave any: there is no role, or the link-local address that would give them is not reached.",
)
CREDENTIALS_UNAVAILABLE = Fault(
    "credentials.unavailable",
    "the credentials endpoint of the task did not give credentials",
    "It is link-local and serves the task role; no endpoint, group or network ACL lies on that way.",
    Impact.PROOF,
    (causes.CREDENTIALS_REJECTED, causes.OTHER),
)
CREDENTIALS_UNUSABLE = replace(
    CREDENTIALS_UNAVAILABLE,
    title="the credentials that are configured here ({provider}) cannot be used",
    why="{words}. Whatever comes behind them in the chain, a task role too, was not asked.",
)
CREDENTIALS_REJECTED = Fault(
    "credentials.rejected",
    "AWS does not accept the credentials held here (from {source})",
    "{endpoints} answered, so the network is fine; the keys are expired, invalid or of another partition.",
    Impact.PROOF,
    (causes.CREDENTIALS_REJECTED,),
)
INSTANCE_ROLE = Fault(
    "credentials.instance-role",
    "the credentials come from instance metadata: {role}",
    "The task has no role of its own, so the instance's was used.",
    Impact.NONE,
    extent=Extent.NOTED,
)

CLOCK_TOLERANCE = 300.0  # seconds; AWS refuses signatures that are 5 minutes or more off (S3: 15)
_INSTANCE_METADATA = "iam-role"  # botocore's name of the provider
_CAUSES = {
    Failure.THROTTLED: (causes.THROTTLE,),
    Failure.UNAUTHENTICATED: (causes.CREDENTIALS_REJECTED,),
    Failure.SERVER_ERROR: (causes.CREDENTIALS_REJECTED, causes.OTHER),
    Failure.NOT_AWS: (causes.PROXY, causes.OTHER),
}


def credentials(evidence: Evidence) -> Iterator[Finding]:
    """No credentials, or none to be had; and those of the instance where it had to be."""
    for step in evidence.failed(Action.CREDENTIALS):
        provider = step.seen.source if isinstance(step.seen, CredentialsSeen) else None
        if step.failure is Failure.NO_CREDENTIALS and provider not in (None, _INSTANCE_METADATA):
            words = (step.detail or "they cannot be read").rstrip(".")
            yield found(CREDENTIALS_UNUSABLE, evidence, evidence.tries(step), provider=provider, words=words)
        elif evidence.is_text:
            fault, suspects = _told(step)
            yield found(fault, evidence, evidence.tries(step), suspects=suspects)
        elif step.failure is Failure.NO_CREDENTIALS:
            yield found(NO_CREDENTIALS, evidence, evidence.tries(step), suspects=settled(causes.NO_CREDENTIALS))
        else:
            suspects = possible(*_CAUSES.get(step.failure or Failure.BUG, (causes.OTHER,)))
            yield found(CREDENTIALS_UNAVAILABLE, evidence, evidence.tries(step), suspects=suspects)
    if evidence.measurement.identity.source == _INSTANCE_METADATA:
        steps = [step for step in evidence.of(Action.CREDENTIALS) if step.ok]
        yield found(
            INSTANCE_ROLE, evidence, steps, role=evidence.measurement.identity.arn or "a role that is not named"
        )


def _told(step: Step) -> tuple[Fault, Suspects]:
    """A proxy that swallows calls of link-local addresses is the likeliest reason why those fail."""
    if step.failure is Failure.NO_CREDENTIALS:
        return NO_CREDENTIALS_TOLD, possible(causes.NO_CREDENTIALS, causes.PROXY, causes.EXECUTION_ROLE)
    return CREDENTIALS_UNAVAILABLE, possible(causes.PROXY, *CREDENTIALS_UNAVAILABLE.causes)


def rejected_credentials(evidence: Evidence) -> Iterator[Finding]:
    """AWS's own refusal of who we say we are."""
    refused = evidence.failed(Action.TOKEN, Action.LOGS, Action.REQUEST)
    steps = [step for step in refused if step.failure is Failure.UNAUTHENTICATED]
    if steps:
        yield found(CREDENTIALS_REJECTED, evidence, evidence.tries(*steps))


def wrong_clock(evidence: Evidence) -> Iterator[Finding]:
    """Two times in a refusal, else Date headers that are far from ours. Less than that is nothing."""
    refused = [
        step for step in evidence.measurement.steps if step.failure is Failure.CLOCK and step not in evidence.survived
    ]
    far = [step for step in evidence.measurement.steps if _is_far(step)]
    if refused:
        suspects = settled(causes.CLOCK_SKEW)
        steps = (*evidence.tries(*refused), *far)
        yield found(CLOCK, evidence, steps, suspects=suspects, times=_times(refused[0].answer))
    elif far and (offset := evidence.clock_offset) is not None and abs(offset) > CLOCK_TOLERANCE:
        yield found(
            CLOCK_OFF,
            evidence,
            far,
            suspects=settled(causes.CLOCK_SKEW),
            offset=duration(abs(offset)),
            direction="behind" if offset > 0 else "ahead of",
        )


def _is_far(step: Step) -> bool:
    answer = step.answer
    return answer is not None and answer.aws and abs(answer.clock_offset or 0.0) > CLOCK_TOLERANCE


def _times(answer: AnswerSeen | None) -> str:
    if answer is None or answer.signed_at is None or answer.server_time is None:
        return "neither can be read"
    return f"signed at {answer.signed_at:%H:%M:%S}, AWS's own time {answer.server_time:%H:%M:%S} UTC"


FAULTS = (CLOCK, NO_CREDENTIALS, CREDENTIALS_UNAVAILABLE, CREDENTIALS_REJECTED, INSTANCE_ROLE)
RULES = (credentials, rejected_credentials, wrong_clock)

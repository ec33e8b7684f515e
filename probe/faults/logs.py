"""Faults of CloudWatch Logs, once its endpoint answers. That it does not answer is a fault of names, network or TLS."""

from __future__ import annotations

import re
from collections.abc import Iterator

from probe.faults import causes
from probe.faults.evidence import Evidence
from probe.faults.fault import Fault
from probe.faults.findings import found, possible, settled
from probe.model import Action, DenialReason, Extent, Failure, Finding, Impact, LogsSeen, Step
from probe.records import replace

ENDPOINT_POLICY = Fault(
    "policy.vpce.other",
    "the policy of the logs VPC endpoint refuses {action} to {who}",
    "CloudWatch Logs answered and named the endpoint policy. What the awslogs driver calls may be refused by it as "
    "well.",
    Impact.LOGS,
    (causes.OTHER_ENDPOINT_POLICY,),
    Extent.PARTLY,
)
NOT_PERMITTED = Fault(
    "logs.not-permitted",
    "CloudWatch Logs answers; {who} may not look at log groups",
    "{action} was refused, and the answer proves the endpoint. The log driver writes with the execution role, not "
    "with this one.",
    Impact.NONE,
    extent=Extent.NOTED,
)
GROUP_MISSING = Fault(
    "logs.group-missing",
    "the log group {group} of this task does not exist in {log_region}",
    "CloudWatch Logs answered and does not know it. Unless awslogs-create-group is on, containers that log there do "
    "not start.",
    Impact.LOGS,
    (causes.LOG_GROUP_MISSING, causes.LOG_REGION),
    Extent.PARTLY,
)
GROUP_MISSING_TOLD = replace(
    GROUP_MISSING,
    title="the log group of this task does not exist",
    why="CloudWatch Logs answered and does not know it, so the container did not start.",
    extent=Extent.WHOLLY,
)
STREAM_MISSING = Fault(
    "logs.stream-missing",
    "the log stream {stream} does not exist yet",
    "The log driver makes it when the container starts.",
    Impact.NONE,
    extent=Extent.NOTED,
)
BAD_REGION = Fault(
    "logs.misconfigured-region",
    "the log option awslogs-region of container {container} is not a region: {option}",
    "Task metadata shows it. The SDK refuses it before a packet leaves.",
    Impact.LOGS,
    (causes.LOG_REGION,),
)

ANSWERED_OTHERWISE = replace(
    NOT_PERMITTED,
    title="CloudWatch Logs answers, but not to what was asked: {words}",
    why="Any answer proves the endpoint. Whether the group is there was not learnt.",
    causes=(),
)
_REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-\d+")


def refusals(evidence: Evidence) -> Iterator[Finding]:
    """Any answer proves the endpoint; only its policy can stand in the way of others."""
    for step in evidence.failed(Action.LOGS):
        if step.failure is Failure.MALFORMED and (answer := step.answer) and answer.aws:
            yield found(ANSWERED_OTHERWISE, evidence, evidence.tries(step), words=answer.code or "an error")
        if step.failure is not Failure.DENIED or evidence.is_text:  # a text is the log driver's own: `told`
            continue
        denial = step.denial
        action = (denial.action if denial else None) or "logs:DescribeLogStreams"
        if denial is not None and denial.reason is DenialReason.ENDPOINT:
            suspects = settled(causes.OTHER_ENDPOINT_POLICY)
            yield found(ENDPOINT_POLICY, evidence, evidence.tries(step), suspects=suspects, action=action)
        else:
            yield found(NOT_PERMITTED, evidence, evidence.tries(step), action=action)


def missing_groups(evidence: Evidence) -> Iterator[Finding]:
    """The task's own log group or stream that is not there."""
    for step in evidence.failed(Action.LOGS):
        if step.failure is Failure.NOT_FOUND:
            logs = evidence.plan.endpoint("logs")
            elsewhere = logs is not None and evidence.is_foreign(logs)
            suspects = possible(*GROUP_MISSING.causes) if elsewhere else settled(causes.LOG_GROUP_MISSING)
            # A text is the log driver's own.
            fault = GROUP_MISSING_TOLD if evidence.is_text else GROUP_MISSING
            yield found(fault, evidence, evidence.tries(step), suspects=suspects)
    for step in evidence.of(Action.LOGS):
        if step.ok and _lacks_stream(step):
            yield found(STREAM_MISSING, evidence, (step,))


def _lacks_stream(step: Step) -> bool:
    return isinstance(step.seen, LogsSeen) and step.seen.stream_exists is False


def bad_regions(evidence: Evidence) -> Iterator[Finding]:
    """A container whose awslogs-region is no region's name."""
    told = sorted(evidence.of(Action.METADATA), key=lambda step: not step.ok)  # it may have told in an earlier round
    for destination in evidence.surroundings.log_destinations:
        option = destination.region
        if told and option is not None and not _REGION.fullmatch(option):
            yield found(
                BAD_REGION,
                evidence,
                told[:1],
                endpoints=("logs",),
                suspects=settled(causes.LOG_REGION),
                container=destination.container,
                option=option[:100],
            )


FAULTS = (ENDPOINT_POLICY, NOT_PERMITTED, GROUP_MISSING, STREAM_MISSING, BAD_REGION)
RULES = (refusals, missing_groups, bad_regions)

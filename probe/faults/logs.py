"""Faults of CloudWatch Logs where its endpoint answers; otherwise `names`, `network` and `tls` find the fault."""

from __future__ import annotations

import re
from collections.abc import Iterator

from probe.faults import causes
from probe.faults.causes import REGISTER, advice, read_task_definition, reads
from probe.faults.evidence import Evidence
from probe.faults.fault import Fault, Wording, confirmed, finding, finds, noted, possible
from probe.faults.subjects import Case, Meaning, Subject, says
from probe.model import Action, Basis, DenialReason, Extent, Failure, Finding, Impact, Step
from probe.records import replace

_LOG_DRIVER = "logs:CreateLogStream and logs:PutLogEvents, which the log driver calls,"
_DRIVER_POLICY = causes.OTHER_ENDPOINT_POLICY.variant(
    fix=causes.ENDPOINT_POLICY.to(f"allow {_LOG_DRIVER} in the policy of the logs endpoint"),
    fix_of_deny=causes.ENDPOINT_POLICY.to(
        f"take a Deny of {_LOG_DRIVER} out of the policy of the logs endpoint, if it has one"
    ),
)
ENDPOINT_POLICY = Fault(
    "policy.vpce.other",
    "the policy of the logs VPC endpoint denies {action} to {who}",
    "CloudWatch Logs answered and named the endpoint policy. The policy may also deny the calls of the awslogs driver.",
    Impact.LOGS,
    (_DRIVER_POLICY,),
    Extent.PARTLY,
    certain=True,
    examples=(("action", "an action"), ("who", "a role")),
)
NOT_PERMITTED = noted(
    "logs.not-permitted",
    "CloudWatch Logs answers, but {who} may not read log groups",
    "{action} was denied, but the answer shows that the endpoint works. The log driver writes with the execution role, "
    "not with this one.",
    examples=(("action", "The read"), ("who", "this role"), ("words", "ERROR")),
)
GROUP_MISSING = Fault(
    "logs.group-missing",
    "the log group {group} of this task does not exist in {log_region}",
    "CloudWatch Logs answered that the group does not exist. Unless awslogs-create-group is on, containers that log "
    "there may not start.",
    Impact.LOGS,
    (causes.LOG_GROUP_MISSING, causes.LOG_REGION),
    Extent.PARTLY,
    in_texts=Wording(
        title="the log group of this task does not exist",
        why="CloudWatch Logs answered that the group does not exist, so the container did not start.",
        extent=Extent.WHOLLY,
    ),
)
STREAM_MISSING = noted(
    "logs.stream-missing",
    "the log stream {stream} does not exist yet",
    "The log driver creates it when the container starts.",
)
BAD_REGION = Fault(
    "logs.misconfigured-region",
    "awslogs-region of container {container} is not a region: {option}",
    "The value comes from task metadata. The SDK rejects it before sending anything.",
    Impact.LOGS,
    (causes.LOG_REGION,),
    certain=True,
)
LOG_REGION = BAD_REGION.variant(
    title="the log driver has no endpoint to call: its awslogs-region is not a region",
    why="The SDK fails before sending anything, so the network is not involved.",
    impact=Impact.START,
)
OTHER_ANSWER = NOT_PERMITTED.variant(
    title="CloudWatch Logs answers with an unexpected error: {words}",
    why="The endpoint works, because it answered. Whether the log group exists is unknown.",
)
_REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-\d+")
_DRIVER_OPTION = replace(
    causes.MISCONFIGURED,
    title="an option of the log driver is missing, unknown or has no valid value, or the host does not have the driver",
    fix=advice("correct the log driver or its options in logConfiguration of the task definition", REGISTER),
    confirm=read_task_definition("containerDefinitions[].logConfiguration"),
)
_OLD_DRIVER = replace(
    causes.OLD_AGENT,
    title="the host's Docker or agent is too old for this log driver or option",
    fix=advice("update Docker and the agent on the host, or replace the host", "docker version"),
    confirm=reads("docker info --format {{.Plugins.Log}}", note="Run it on the host. It lists the log drivers."),
)
LOG_DRIVER = Fault(
    "logs.driver",
    "the log driver of the container cannot be set up",
    "The container runtime rejects the driver or one of its options before the container starts. No request was sent.",
    Impact.START,
    (_DRIVER_OPTION, _OLD_DRIVER),
)
_SERVER_DOWN = causes.other(
    "the server of the log driver is down, not started yet, or blocked on its port",
    advice(
        "start the server before the task, allow its port, or set the option mode to non-blocking or fluentd-async",
        REGISTER,
    ),
    read_task_definition("containerDefinitions[].logConfiguration"),
)
LOG_SERVER = LOG_DRIVER.variant(
    title="the server of the log driver does not answer",
    why=(
        "The container runtime starts a container only if its log driver connects. The driver connects to a server of "
        "its own, not to CloudWatch Logs, so the pull and its endpoints are not involved."
    ),
    causes=(_SERVER_DOWN, _DRIVER_OPTION),
)
LOG_NAME = LOG_DRIVER.variant(
    title="CloudWatch Logs does not accept the name of the log group or stream",
    why="CloudWatch Logs answered, so the network works and the credentials are valid.",
    causes=(
        causes.other(
            "the name begins with aws/, or has a character that names of log groups and streams do not have",
            advice(
                "correct awslogs-group and awslogs-stream-prefix in logConfiguration of the task definition", REGISTER
            ),
            read_task_definition("containerDefinitions[].logConfiguration"),
        ),
        causes.LOG_GROUP_MISSING,
        _DRIVER_OPTION,
    ),
)
_DIALLED = re.compile(r"\bdial (?:tcp|udp|unix)\b")


def _server(_evidence: Evidence, step: Step) -> Case | None:
    if step.failure is Failure.DENIED:
        return Case(LOG_NAME)
    return Case(LOG_SERVER) if says(step, _DIALLED) else None


MEANINGS = {
    Subject.LOG_REGION: Meaning(LOG_REGION, ("logs",)),
    Subject.LOG_DRIVER: Meaning(LOG_DRIVER, variants=(LOG_SERVER, LOG_NAME), case=_server),
}


@finds(ENDPOINT_POLICY, NOT_PERMITTED, basis=Basis.MEASURED)
def denied_calls(evidence: Evidence) -> Iterator[Finding]:
    """Denials of our own call. Any answer proves the endpoint; only its policy can also deny the log driver's calls."""
    for step in evidence.failed(Action.LOGS):
        if step.failure is Failure.DENIED:
            denial = step.denial
            fault = ENDPOINT_POLICY if denial and denial.reason is DenialReason.ENDPOINT else NOT_PERMITTED
            action = (denial.action if denial else None) or "logs:DescribeLogStreams"
            yield finding(fault, evidence, evidence.tries(step), action=action)


@finds(OTHER_ANSWER)
def other_answers(evidence: Evidence) -> Iterator[Finding]:
    """Answers of AWS that are neither a list of log groups nor an error that is known."""
    for step in evidence.failed(Action.LOGS):
        if step.failure is Failure.MALFORMED and (answer := step.answer) and answer.aws:
            yield finding(OTHER_ANSWER, evidence, evidence.tries(step), words=answer.code or "an error")


@finds(GROUP_MISSING, STREAM_MISSING)
def missing_groups(evidence: Evidence) -> Iterator[Finding]:
    """The task's own log group or stream that does not exist."""
    for step in evidence.failed(Action.LOGS):
        if step.failure is Failure.NOT_FOUND:
            logs = evidence.plan.endpoint("logs")
            elsewhere = logs is not None and evidence.is_foreign(logs)
            suspects = possible(*GROUP_MISSING.causes) if elsewhere else confirmed(causes.LOG_GROUP_MISSING)
            yield finding(GROUP_MISSING, evidence, evidence.tries(step), suspects=suspects)
    for step in evidence.of(Action.LOGS):
        if step.ok and _lacks_stream(step):
            yield finding(STREAM_MISSING, evidence, (step,))


def _lacks_stream(step: Step) -> bool:
    return step.log_request is not None and step.log_request.stream_exists is False


@finds(BAD_REGION)
def bad_regions(evidence: Evidence) -> Iterator[Finding]:
    """Values of awslogs-region that are not the name of a region."""
    # The step that succeeded first; in a later round of the sidecar it may have failed.
    metadata = sorted(evidence.of(Action.METADATA), key=lambda step: not step.ok)
    for destination in evidence.surroundings.log_destinations:
        option = destination.region
        if metadata and option is not None and not _REGION.fullmatch(option):
            yield finding(
                BAD_REGION,
                evidence,
                metadata[:1],
                endpoints=("logs",),
                container=destination.container,
                option=option[:100],
            )

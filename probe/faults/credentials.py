"""Faults of credentials and of the clock: which identity AWS sees, and whether it accepts the time of a signature."""

from __future__ import annotations

import re
from collections.abc import Iterator

from probe.faults import causes
from probe.faults.causes import REGISTER, advice, reads
from probe.faults.evidence import Evidence
from probe.faults.fault import Fault, Wording, finding, finds, noted, possible
from probe.model import Action, AnswerSeen, Client, Extent, Failure, Finding, Impact, Path, Step
from probe.narration import duration
from probe.records import replace

CLOCK = Fault(
    "clock.skew",
    "AWS refused a signature because this task's clock is wrong",
    "AWS's answer contains both times: {times}. Until the clock is corrected, no signed request can succeed.",
    Impact.PROOF,
    (causes.CLOCK_SKEW,),
    certain=True,
    examples=(
        ("times", "signed at 12:00:00, AWS's own time 12:10:00 UTC"),
        ("offset", "ten minutes"),
        ("direction", "behind"),
    ),
)
CLOCK_OFF = CLOCK.variant(
    title="this task's clock is {offset} {direction} AWS's",
    why=(
        "The Date headers of {endpoints} show it. AWS refuses signatures that are more than 5 to 15 minutes off, and "
        "certificates may appear out of date."
    ),
    extent=Extent.PARTLY,
)
# AWS[agent-settings]
_NOT_SERVED = replace(
    causes.NO_CREDENTIALS,
    title="nothing serves a role here: the address belongs to ECS, and this process is in no task that has one",
    fix=advice(
        "set taskRoleArn in the task definition; for tasks in host network mode on EC2 also set "
        "ECS_ENABLE_TASK_IAM_ROLE_NETWORK_HOST=true in the agent's configuration",
        REGISTER,
    ),
)
# Clients that are not ECS take credentials from where they run.
_NO_SOURCE = replace(
    causes.NO_CREDENTIALS,
    title="there is no source of credentials where the client runs: no role, no variables, no profile",
    fix=advice(
        "give the client a role (of its instance, pod or CI job), or set AWS_PROFILE, or AWS_ACCESS_KEY_ID, "
        "AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN for the user that runs it",
        "aws sts get-caller-identity --region {task_region}",
        note="A container, a service of systemd and sudo do not inherit variables and files of your shell.",
    ),
    confirm=reads("aws configure list", note="Run it as the user, and in the container, in which the client runs."),
)
NO_CREDENTIALS = Fault(
    "credentials.missing",
    "there are no credentials here, and token, manifest and layers need them",
    "The network was measured nevertheless. ECS itself pulls with the execution role.",
    Impact.PROOF,
    (causes.NO_CREDENTIALS,),
    certain=True,
    in_texts=Wording(
        title="the client found no credentials",
        why=(
            "No provider returned any: there is no role, or the link-local address of the credentials endpoint is "
            "unreachable."
        ),
        causes=(causes.NO_CREDENTIALS, causes.PROXY, causes.EXECUTION_ROLE),
        certain=False,
    ),
)
NO_CREDENTIALS_OF_CLIENT = NO_CREDENTIALS.variant(
    title="the client found no credentials of AWS",
    why=(
        "No provider of its chain returned any, so it sent no request to ECR, and endpoints and permissions of ECR are "
        "not involved."
    ),
    causes=(_NO_SOURCE, causes.IMDS_HOP_LIMIT, causes.MISCONFIGURED),
    certain=False,
    in_texts=None,
)
NO_CREDENTIALS_OFF_ECS = NO_CREDENTIALS.variant(
    why="The network was measured nevertheless.",
    causes=(
        replace(
            causes.NO_CREDENTIALS,
            title="there is no source of credentials here: no variables and no profile",
            fix=advice(
                "set AWS_PROFILE, or AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN",
                "export AWS_PROFILE=PROFILE",
            ),
            confirm=reads("aws configure list"),
        ),
    ),
    in_texts=None,
)
# The answer to the token request of IMDSv2 dies one hop after the instance: AWS[imds-hop-limit].
INSTANCE_SILENT = NO_CREDENTIALS.variant(
    title="there are no credentials here: instance metadata does not answer this container",
    why=(
        "Nothing came back from 169.254.169.254. A container behind the instance's bridge is one hop further away than "
        "the instance, and with a hop limit of 1 the metadata's answer does not reach it."
    ),
    causes=(causes.IMDS_HOP_LIMIT, causes.NO_CREDENTIALS),
    certain=False,
    in_texts=None,
)
CREDENTIALS_UNAVAILABLE = Fault(
    "credentials.unavailable",
    "the task's credentials endpoint did not return credentials",
    "It is link-local and serves the task role. No VPC endpoint, security group or network ACL is on that path.",
    Impact.PROOF,
    (causes.CREDENTIALS_REJECTED, causes.OTHER),
    other_causes=(causes.THROTTLE, causes.PROXY),
    examples=(("words", "ERROR"),),
)
METADATA_UNAVAILABLE = CREDENTIALS_UNAVAILABLE.variant(
    title="instance metadata did not return credentials",
    why=(
        "It is link-local (169.254.169.254), so no VPC endpoint, security group or network ACL is on that path. "
        "From a container on EC2, IMDSv2 answers only with a hop limit of 2 or more."
    ),
    causes=(causes.IMDS_HOP_LIMIT, causes.NO_CREDENTIALS, causes.PROXY),
)
# The agent and SDKs ask for the region where none is set.
METADATA_OF_REGION = METADATA_UNAVAILABLE.variant(
    title="instance metadata did not return the region",
    why=(
        "It is link-local (169.254.169.254), so no VPC endpoint, security group or network ACL is on that path. The "
        "client asks it only because no region is set."
    ),
    causes=(
        causes.IMDS_HOP_LIMIT,
        replace(
            causes.MISCONFIGURED,
            title="no region is set where the client runs, so that it asks instance metadata",
            fix=advice("set AWS_DEFAULT_REGION for the client, or for the ECS agent in /etc/ecs/ecs.config"),
        ),
        causes.other(
            "the address is not reachable from here: a rule of the host, a container's network, or no EC2 instance",
            advice("run the client in the host's network (docker run --net=host), or allow the address there"),
            reads("curl --max-time 3 http://169.254.169.254/", note="Run it where the client runs."),
        ),
    ),
)
# The agent serves the address on its host; without a route there is nothing that answers.
ADDRESS_LOST = CREDENTIALS_UNAVAILABLE.variant(
    title="the host has no path to the task's credentials endpoint",
    why=(
        "It is link-local, and the agent serves it on the same host: the connection failed at once, so the address or "
        "its route is missing there, or the agent does not run."
    ),
    causes=(
        causes.other(
            "the host lost the address or route of 169.254.170.2, for example in a restart, or the agent is down",
            advice(
                "restart the agent, which sets up the address; on Windows run Initialize-ECSAgent at every start",
                "systemctl restart ecs",
            ),
            reads("curl --max-time 3 http://169.254.170.2/", note="Run it where the client runs."),
        ),
        _NOT_SERVED,
        causes.PROXY,
    ),
)
METADATA_REFUSED = METADATA_UNAVAILABLE.variant(
    title="there is no instance metadata where the client runs",
    why=(
        "The connection to 169.254.169.254 failed at once. A hop limit makes it silent, and does not refuse it: the "
        "client is not on an EC2 instance, or a rule of its host blocks the address."
    ),
    causes=(_NO_SOURCE, causes.IMDS_HOP_LIMIT, causes.PROXY),
)
CREDENTIALS_UNUSABLE = CREDENTIALS_UNAVAILABLE.variant(
    title="the credentials configured here ({provider}) cannot be used",
    why="{words}. Later providers in the chain, including a task role, were not tried.",
    causes=(causes.CREDENTIALS_REJECTED, causes.OTHER),
)
CREDENTIALS_REJECTED = Fault(
    "credentials.rejected",
    "AWS does not accept the credentials used here (from {source})",
    "{endpoints} answered, so the network works. The keys have expired, are invalid, or belong to another partition.",
    Impact.PROOF,
    (causes.CREDENTIALS_REJECTED,),
    in_texts=Wording(title="AWS does not accept the credentials of the client"),
    examples=(("source", "SOURCE"),),
)
INSTANCE_ROLE = noted(
    "credentials.instance-role",
    "the credentials come from instance metadata: {role}",
    "The task has no role of its own, so the instance's role was used.",
)

CLOCK_TOLERANCE = 300.0  # seconds; the least that a service tolerates: AWS[signature-clock]
_INSTANCE_METADATA = "iam-role"  # botocore's name of the provider
_CAUSES = {
    Failure.THROTTLED: (causes.THROTTLE,),
    Failure.UNAUTHENTICATED: (causes.CREDENTIALS_REJECTED,),
    Failure.SERVER_ERROR: (causes.CREDENTIALS_REJECTED, causes.OTHER),
    Failure.NOT_AWS: (causes.PROXY, causes.OTHER),
}
# A client that dials the address itself uses no proxy for it.
_DIALLED = re.compile(
    r"(?:dial tcp|connect(?:ion to)?|address:?) ?\W{0,3}(?:\w{3,14} )?\W?(?:169\.254\.|fd00:ec2:)", re.I
)
_UNKNOWN_ID = re.compile("(?i)id not found|invalid ?role ?type")  # the ECS agent
_FOR_REGION = re.compile(r"(?i)infer region|identity[ -/]?document|placement/|region from|find region|get region")
_OF_TASK = re.compile(r"169\.254\.170\.2\b")
_REFUSED = re.compile(r"(?i)refused|unreachable|no route to host|host is down|EHOST|ENETUNREACH")


@finds(
    NO_CREDENTIALS,
    NO_CREDENTIALS_OFF_ECS,
    INSTANCE_SILENT,
    CREDENTIALS_UNAVAILABLE,
    METADATA_UNAVAILABLE,
    METADATA_REFUSED,
    METADATA_OF_REGION,
    ADDRESS_LOST,
    NO_CREDENTIALS_OF_CLIENT,
    CREDENTIALS_UNUSABLE,
    INSTANCE_ROLE,
)
def credentials(evidence: Evidence) -> Iterator[Finding]:
    """No credentials, a provider that failed, and credentials of the instance."""
    for step in evidence.failed(Action.CREDENTIALS):
        provider = step.credentials.source if step.credentials else None
        tries = evidence.tries(step)
        if step.failure is Failure.NO_CREDENTIALS and provider not in (None, _INSTANCE_METADATA):
            error_text = (step.detail or "they cannot be read").rstrip(".")
            yield finding(CREDENTIALS_UNUSABLE, evidence, tries, provider=provider, words=error_text)
        elif step.failure is Failure.NO_CREDENTIALS:
            yield _no_credentials(evidence, step, tries)
        elif evidence.is_text:
            yield _unanswered(evidence, step, provider)
        else:
            suspects = possible(*_CAUSES.get(step.failure or Failure.BUG, (causes.OTHER,)))
            yield finding(CREDENTIALS_UNAVAILABLE, evidence, tries, suspects=suspects)
    if evidence.measurement.identity.source == _INSTANCE_METADATA:
        steps = [step for step in evidence.of(Action.CREDENTIALS) if step.ok]
        yield finding(INSTANCE_ROLE, evidence, steps, role=evidence.measurement.identity.arn or "an unnamed role")


def _unanswered(evidence: Evidence, step: Step, provider: str | None) -> Finding:
    """An error text in which a source of credentials did not answer, or answered without any."""
    error_text = step.detail or ""
    fault = CREDENTIALS_UNAVAILABLE
    suspects = possible(_NOT_SERVED, causes.CREDENTIALS_REJECTED, causes.PROXY)
    if provider == _INSTANCE_METADATA:
        fault = METADATA_REFUSED if _REFUSED.search(error_text) else METADATA_UNAVAILABLE
        if fault is METADATA_UNAVAILABLE and _FOR_REGION.search(error_text):
            fault = METADATA_OF_REGION
        suspects = fault.suspects
    elif _REFUSED.search(error_text) and _OF_TASK.search(error_text):
        fault, suspects = ADDRESS_LOST, ADDRESS_LOST.suspects
    if _UNKNOWN_ID.search(error_text):
        suspects = suspects.first(causes.CREDENTIALS_REJECTED)
    excluded = {causes.PROXY} if step.address or _DIALLED.search(error_text) else set()
    excluded |= {causes.IMDS_HOP_LIMIT} if fault is METADATA_REFUSED else set()
    if "proxy" in error_text.lower() or evidence.plan.log_group:  # the log driver is the daemon's, and so is its proxy
        suspects = suspects.first(causes.PROXY)
    return finding(fault, evidence, (step,), suspects=replace(suspects, ruled_out=frozenset(excluded)))


def _no_credentials(evidence: Evidence, step: Step, tries: tuple[Step, ...]) -> Finding:
    """No provider had any. A container that shares the instance's network is no hop further away from its metadata.

    Tasks on Fargate and Lambda functions have no instance metadata, so its silence says nothing there.
    """
    if evidence.is_text and evidence.client not in (Client.ECS, Client.BATCH):
        return finding(NO_CREDENTIALS_OF_CLIENT, evidence, tries)
    mode, around = evidence.surroundings.network_mode, evidence.surroundings
    without_instance = around.launch_type == "FARGATE" or around.path is Path.LAMBDA_ENI or evidence.is_outside_vpc
    if step.credentials is None or not step.credentials.unanswered or mode == "host" or without_instance:
        return finding(NO_CREDENTIALS_OFF_ECS if evidence.is_off_ecs else NO_CREDENTIALS, evidence, tries)
    if mode == "awsvpc":
        # Such a task has an interface of its own, and the agent can be set to block the instance's metadata there.
        return finding(INSTANCE_SILENT, evidence, tries, suspects=possible(*reversed(INSTANCE_SILENT.causes)))
    return finding(INSTANCE_SILENT, evidence, tries)


@finds(CREDENTIALS_REJECTED)
def rejected_credentials(evidence: Evidence) -> Iterator[Finding]:
    """Credentials that AWS does not accept."""
    refused = evidence.failed(Action.TOKEN, Action.LOGS, Action.REQUEST)
    steps = [step for step in refused if step.failure is Failure.UNAUTHENTICATED and not evidence.is_push(step)]
    if steps:
        yield finding(CREDENTIALS_REJECTED, evidence, evidence.tries(*steps))


@finds(CLOCK, CLOCK_OFF)
def wrong_clock(evidence: Evidence) -> Iterator[Finding]:
    """Two times in a refusal, or Date headers more than `CLOCK_TOLERANCE` from ours."""
    refused = [
        step for step in evidence.measurement.steps if step.failure is Failure.CLOCK and step not in evidence.survived
    ]
    far = [step for step in evidence.measurement.steps if _is_far(step)]
    if refused:
        steps = (*evidence.tries(*refused), *far)
        yield finding(CLOCK, evidence, steps, times=_times(refused[0].answer))
    elif far and (offset := evidence.clock_offset) is not None and abs(offset) > CLOCK_TOLERANCE:
        direction = "behind" if offset > 0 else "ahead of"
        yield finding(CLOCK_OFF, evidence, far, offset=duration(abs(offset)), direction=direction)


def _is_far(step: Step) -> bool:
    answer = step.answer
    return answer is not None and answer.aws and abs(answer.clock_offset or 0.0) > CLOCK_TOLERANCE


def _times(answer: AnswerSeen | None) -> str:
    if answer is None or answer.signed_at is None or answer.server_time is None:
        return "neither can be read"
    return f"signed at {answer.signed_at:%H:%M:%S}, AWS's own time {answer.server_time:%H:%M:%S} UTC"

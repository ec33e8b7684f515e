"""Texts that do not show why something failed: without a reason, cut short, or in words that no pattern knows."""

from __future__ import annotations

import re

from probe.faults import causes, network
from probe.faults.causes import DESCRIBE_TASK, CauseText, advice, reads
from probe.faults.evidence import Evidence
from probe.faults.fault import Fault, possible
from probe.faults.subjects import Case, Meaning, Subject, says
from probe.model import Client, ImageHost, Impact, Step
from probe.records import replace

NO_REASON = Fault(
    "text.no-reason",
    "the text reports that tasks do not start, but not why",
    "A deployment reports only its own state. The reason is in the tasks that it stopped.",
    Impact.PROOF,
    (
        causes.other(
            "the reason of the stopped tasks shows the cause",
            advice(
                "read the reasons of the stopped tasks, and pass them to ecr-probe",
                "aws ecs list-tasks --region {task_region} --cluster {cluster} --service-name {task_service} "
                "--desired-status STOPPED",
                "ecr-probe explain --task TASK_ARN",
                note="ECS keeps stopped tasks for about an hour.",
            ),
            reads(
                "aws ecs describe-services --region {task_region} --cluster {cluster} --services {task_service} "
                '--query "services[].events[:10].message"'
            ),
        ),
    ),
)
CUT_SHORT = Fault(
    "text.cut-short",
    "the text ends before the reason",
    "Its headline is the same for failures of network, DNS and permissions; only the end of the text distinguishes "
    "them. ecr-probe explain --task TASK_ARN reads the full text from ECS.",
    Impact.PROOF,
    (causes.NO_ROUTE, causes.MISSING_ECR_API, causes.EXECUTION_ROLE, causes.NO_PUBLIC_IP, causes.SECURITY_GROUP),
    other_causes=(
        *(cause for cause in causes.CAUSES.values() if cause.absence_of or cause is causes.MISSING_OTHER),
        causes.S3_ROUTE_TABLE,
        causes.SECURITY_GROUP_S3_EGRESS,
        causes.S3_ENDPOINT_POLICY,
        causes.TAG_NOT_FOUND,
        causes.LOG_GROUP_MISSING,
        causes.THROTTLE,
        causes.NO_CREDENTIAL_PROVIDER,
        causes.REPOSITORY_NOT_FOUND,
        causes.MISCONFIGURED,
        causes.CREDENTIALS_REJECTED,
    ),
    examples=(("request", "request to an endpoint"),),
)
CUT_SHORT_AT = CUT_SHORT.variant(
    title="the text ends before the reason why the {request} failed",
    why=(
        "Its headline names the {request}. Only the end of the text distinguishes network, DNS and permissions; "
        "ecr-probe explain --task TASK_ARN reads the full text from ECS."
    ),
)
CUT_ANSWER = CUT_SHORT.variant(
    title="the text ends before the status that {endpoints} answered",
    why="The server answered with an error, so the network works. The status, which the text lacks, shows the cause.",
    causes=(causes.EXECUTION_ROLE, causes.TAG_NOT_FOUND, causes.ECR_ENDPOINT_POLICY),
)
UNCLASSIFIED = Fault(
    "text.unclassified",
    "ecr-probe does not recognize this error text",
    "It may be the error of something other than the start of a task. A check from the task's subnet does not depend "
    "on an error text.",
    Impact.PROOF,
    (
        causes.other(
            "unknown: the text matches no known error",
            advice("run ecr-probe check where the task runs, or read the full reason", DESCRIBE_TASK),
            reads(DESCRIBE_TASK),
        ),
    ),
    examples=(("request", "request to an endpoint"),),
)
UNKNOWN_REASON = UNCLASSIFIED.variant(
    title="the {request} failed for a reason that ecr-probe does not know",
    why="The headline of the text names the {request}; its last clause matches no known error.",
)
_REQUESTS = {
    "ecr.api": "request for the registry's token",
    "ecr.dkr": "request for the image's manifest",
    "s3": "download of layers",
    "logs": "request to CloudWatch Logs",
    "secretsmanager": "request for a secret",
    "ssm": "request for a parameter",
}
_LOGIN = re.compile("docker login")
_LOGIN_FAILED = (
    replace(causes.MISCONFIGURED, title="the client's store for logins (credsStore) is missing or locked"),
    causes.CREDENTIALS_REJECTED,
    causes.EXECUTION_ROLE,
    causes.NO_ROUTE,
)
_CHART = re.compile('failed to download "oci://')
_CHART_NOT_PULLED = (
    causes.NO_CREDENTIAL_PROVIDER,
    causes.TAG_NOT_FOUND,
    causes.REPOSITORY_NOT_FOUND,
    causes.EXECUTION_ROLE,
    causes.NO_ROUTE,
)
# A pod that waits for its image: its earlier events have the reason.
_POD_WAITS = (
    causes.TAG_NOT_FOUND,
    causes.EXECUTION_ROLE,
    causes.NO_ROUTE,
    causes.NO_CREDENTIAL_PROVIDER,
    causes.MISSING_ECR_API,
)
_OTHER_REGISTRY = (causes.NO_ROUTE, causes.THROTTLE, causes.SECURITY_GROUP, causes.NO_PUBLIC_IP, causes.EXECUTION_ROLE)


def _cut_short(evidence: Evidence, step: Step) -> Case:
    """A headline without its end, with what its request usually fails from."""
    if step.endpoint != "task":
        return replace(_requested(evidence, step), fault=CUT_SHORT_AT, suspects=possible(*_usual_causes(step.endpoint)))
    if says(step, _LOGIN):
        return replace(_requested(evidence, step), suspects=possible(*_LOGIN_FAILED))
    if says(step, _CHART):
        return replace(_requested(evidence, step), suspects=possible(*_CHART_NOT_PULLED))
    if evidence.client is Client.KUBERNETES:
        return replace(_requested(evidence, step), suspects=possible(*_POD_WAITS))
    elsewhere = evidence.plan.image_host in (ImageHost.OTHER, ImageHost.PUBLIC_ECR) and evidence.plan.image
    return replace(_requested(evidence, step), suspects=possible(*_OTHER_REGISTRY) if elsewhere else None)


def _requested(_evidence: Evidence, step: Step) -> Case:
    usual = "start of the task" if step.endpoint == "task" else f"request to {step.endpoint}"
    return Case(endpoints=(step.endpoint,), values={"request": _REQUESTS.get(step.endpoint, usual)})


def _usual_causes(endpoint: str) -> tuple[CauseText, ...]:
    """Why a request to this endpoint fails most often."""
    absent = causes.missing(endpoint)
    match endpoint:
        case "ecr.api":
            return CUT_SHORT.causes
        case "ecr.dkr":
            return absent, causes.NO_ROUTE, causes.TAG_NOT_FOUND, causes.EXECUTION_ROLE, causes.SECURITY_GROUP
        case "s3":
            return (*network.S3_SILENT.causes[:3], causes.S3_ENDPOINT_POLICY, causes.NO_ROUTE)
        case "logs":
            return absent, causes.LOG_GROUP_MISSING, causes.EXECUTION_ROLE, causes.SECURITY_GROUP
    return absent, causes.NO_ROUTE, causes.SECURITY_GROUP, causes.EXECUTION_ROLE


MEANINGS = {
    Subject.NO_REASON: Meaning(NO_REASON),
    Subject.CUT_SHORT: Meaning(CUT_SHORT, variants=(CUT_SHORT_AT,), case=_cut_short),
    Subject.CUT_ANSWER: Meaning(CUT_ANSWER, case=_requested),
    Subject.UNKNOWN_REASON: Meaning(UNKNOWN_REASON, case=_requested),
    Subject.UNRECOGNISED: Meaning(UNCLASSIFIED),
}

"""Faults of answers, whichever endpoint gave them: rate limits, outages of AWS, answers of others, broken transfers."""

from __future__ import annotations

from collections.abc import Iterator

from probe.faults import causes
from probe.faults.evidence import CONVERSATION, Evidence
from probe.faults.fault import Fault, finds
from probe.faults.findings import Suspects, confirmed, finding, possible
from probe.model import Action, Extent, Failure, Finding, Impact, Step

THROTTLED = Fault(
    "aws.throttled",
    "AWS limits the rate of requests to {endpoints}",
    "AWS answered, so the network works. Nothing is broken; many concurrent pulls reach the limit.",
    Impact.PROOF,
    (causes.THROTTLE,),
)
SERVICE_ERROR = Fault(
    "aws.service-error",
    "{endpoints} answered with a server error",
    "The network carried the request and the answer. The answer carries AWS's request id, so AWS itself has a problem.",
    Impact.PROOF,
    (causes.AWS_OUTAGE,),
)
SERVICE_ERROR_EMPTY = SERVICE_ERROR.variant(
    why="The network carried the request and the answer. The answer is empty, so it may come from a middlebox.",
    causes=(causes.AWS_OUTAGE, causes.EGRESS_FIREWALL),
)
NOT_AWS = Fault(
    "http.not-aws",
    "a host other than AWS answers for {endpoints}",
    "The answer has no request id and none of AWS's formats. It is a block page or comes from a proxy.",
    Impact.PULL,
    (causes.EGRESS_FIREWALL, causes.PROXY),
    other_causes=(causes.OTHER,),
)
UNREADABLE = Fault(
    "http.unreadable",
    "the answer of {endpoints} is not valid",
    "AWS does not answer this request so. The reason is unknown.",
    Impact.PULL,
    (causes.OTHER, causes.EGRESS_FIREWALL),
)
BROKEN_TRANSFER = Fault(
    "path.transfer-broken",
    "data from {endpoints} stops in the middle of the transfer",
    "DNS, TCP and TLS work, but the data on top of them is cut off or stalls. Lost large packets do that, and idle "
    "limits of a NAT or firewall.",
    Impact.PULL,
    (causes.TRANSFER_BROKEN, causes.MTU, causes.EGRESS_FIREWALL),
)

# Failures that end a conversation on a connection whose TLS handshake succeeded.
_CUT_OFF = (
    Failure.TIMEOUT,
    Failure.STALLED,
    Failure.TRUNCATED,
    Failure.RESET,
    Failure.REFUSED,
    Failure.UNREACHABLE,
    Failure.PROHIBITED,
    Failure.TLS_STALL,
    Failure.TLS_RESET,
)
# Only blobs are redirected: a redirect in answer to another request does not come from an API of AWS.
_NO_REDIRECT = (Action.TOKEN, Action.CHALLENGE, Action.MANIFEST, Action.LOGS)
_NO_OBJECT = (Action.TOKEN, Action.CHALLENGE)  # requests that name nothing that could be missing


@finds(THROTTLED)
def limits(evidence: Evidence) -> Iterator[Finding]:
    """Rate limits that also met the retry."""
    steps = _failed(evidence, Failure.THROTTLED)
    yield from _aws_findings(THROTTLED, evidence, steps, confirmed(causes.THROTTLE))


@finds(SERVICE_ERROR, SERVICE_ERROR_EMPTY)
def service_errors(evidence: Evidence) -> Iterator[Finding]:
    """5xx answers: from AWS where they carry its request id, perhaps from a middlebox where they are empty."""
    steps = _failed(evidence, Failure.SERVER_ERROR)
    of_aws = [step for step in steps if (answer := step.answer) and answer.aws]
    empty = [step for step in steps if step not in of_aws]
    yield from _aws_findings(SERVICE_ERROR, evidence, of_aws, confirmed(causes.AWS_OUTAGE))
    yield from _aws_findings(SERVICE_ERROR_EMPTY, evidence, empty, possible(*SERVICE_ERROR_EMPTY.causes))


@finds(NOT_AWS)
def foreign_answers(evidence: Evidence) -> Iterator[Finding]:
    """Answers without any sign of AWS, and redirects where AWS sends none."""
    steps = [*_failed(evidence, Failure.NOT_AWS), *_failed(evidence, Failure.REDIRECT, actions=_NO_REDIRECT)]
    # A text does not prove which host answered: it may be the page of a content network.
    suspects = possible(*NOT_AWS.causes, causes.OTHER) if evidence.is_text else None
    yield from _path_findings(NOT_AWS, evidence, steps, suspects)


@finds(UNREADABLE)
def unreadable_answers(evidence: Evidence) -> Iterator[Finding]:
    """Malformed and oversized answers, and a 404 to a request that names nothing."""
    steps = [
        *(step for step in _failed(evidence, Failure.MALFORMED, Failure.TOO_LARGE) if not _logs_answered(step)),
        *_failed(evidence, Failure.NOT_FOUND, actions=_NO_OBJECT),
    ]
    yield from _path_findings(UNREADABLE, evidence, steps)


def _logs_answered(step: Step) -> bool:
    """Any answer of CloudWatch Logs proves its endpoint; `logs` finds what such an answer means."""
    answer = step.answer
    return step.action is Action.LOGS and answer is not None and answer.aws


@finds(BROKEN_TRANSFER)
def broken_transfers(evidence: Evidence) -> Iterator[Finding]:
    """Conversations that were cut off or stalled after the TLS handshake."""
    yield from _path_findings(BROKEN_TRANSFER, evidence, _failed(evidence, *_CUT_OFF))


def _failed(evidence: Evidence, *failures: Failure, actions: tuple[Action, ...] = CONVERSATION) -> list[Step]:
    return [step for step in evidence.failed(*actions) if step.failure in failures]


def _aws_findings(fault: Fault, evidence: Evidence, steps: list[Step], suspects: Suspects) -> Iterator[Finding]:
    """The proof is lost; only in part where CloudWatch Logs alone failed, because any answer proves its endpoint."""
    if steps:
        extent = Extent.PARTLY if all(step.action is Action.LOGS for step in steps) else Extent.WHOLLY
        yield finding(fault, evidence, evidence.tries(*steps), extent=extent, suspects=suspects)


def _path_findings(
    fault: Fault, evidence: Evidence, steps: list[Step], suspects: Suspects | None = None
) -> Iterator[Finding]:
    if steps:
        impact = evidence.impact(step.endpoint for step in steps)
        yield finding(fault, evidence, evidence.tries(*steps), impact=impact, suspects=suspects)

"""Faults of answers, whoever was asked: limits, AWS's own trouble, words that are not AWS's, and data that stops."""

from __future__ import annotations

from collections.abc import Iterator

from probe.faults import causes
from probe.faults.evidence import CONVERSATION, Evidence
from probe.faults.fault import Fault
from probe.faults.findings import Suspects, found, possible, settled
from probe.model import Action, Extent, Failure, Finding, Impact, Step

THROTTLED = Fault(
    "aws.throttled",
    "AWS limits the rate of requests to {endpoints}",
    "It answered, so the network is fine. Nothing is broken; many pulls at once reach the limit.",
    Impact.PROOF,
    (causes.THROTTLE,),
)
SERVICE_ERROR = Fault(
    "aws.service-error",
    "{endpoints} answered with a server error",
    "The network carried question and answer. {mark}",
    Impact.PROOF,
    (causes.AWS_OUTAGE,),
)
NOT_AWS = Fault(
    "http.not-aws",
    "something between here and AWS answers for {endpoints}",
    "The answer carries no request id and none of AWS's forms: a block page or a proxy's words.",
    Impact.PULL,
    (causes.EGRESS_FIREWALL, causes.PROXY),
)
UNREADABLE = Fault(
    "http.unreadable",
    "the answer of {endpoints} makes no sense",
    "It is not what AWS answers to this request. What makes it so is not known.",
    Impact.PULL,
    (causes.OTHER, causes.EGRESS_FIREWALL),
)
BROKEN_TRANSFER = Fault(
    "path.transfer-broken",
    "data from {endpoints} stops coming in the middle",
    "Name, TCP and TLS are fine; the conversation on top of them is cut or stalls. Large packets that get lost, and "
    "idle limits of a NAT or firewall, do that.",
    Impact.PULL,
    (causes.TRANSFER_BROKEN, causes.MTU, causes.EGRESS_FIREWALL),
)

# What ends a conversation on a connection whose TLS was fine.
_CUT = (
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
# Redirects belong to blobs; whoever answers another request with one is no API of AWS.
_NO_REDIRECT = (Action.TOKEN, Action.CHALLENGE, Action.MANIFEST, Action.LOGS)
_NOTHING_TO_FIND = (Action.TOKEN, Action.CHALLENGE)


def limits(evidence: Evidence) -> Iterator[Finding]:
    """Rate limits that a second try met again."""
    steps = _failed(evidence, Failure.THROTTLED)
    yield from _of_aws(THROTTLED, evidence, steps, settled(causes.THROTTLE))


def service_errors(evidence: Evidence) -> Iterator[Finding]:
    """5xx answers: AWS's own where they carry its mark, perhaps a middlebox's where they carry nothing."""
    steps = _failed(evidence, Failure.SERVER_ERROR)
    marked = [step for step in steps if (answer := step.answer) and answer.aws]
    bare = [step for step in steps if step not in marked]
    mark = "The answer carries AWS's request id: it is AWS that has trouble."
    yield from _of_aws(SERVICE_ERROR, evidence, marked, settled(causes.AWS_OUTAGE), mark=mark)
    either = possible(causes.AWS_OUTAGE, causes.EGRESS_FIREWALL)
    yield from _of_aws(SERVICE_ERROR, evidence, bare, either, mark="The answer is empty, so it may be a middlebox's.")


def strange_answers(evidence: Evidence) -> Iterator[Finding]:
    """Answers without any mark of AWS, and redirects where none belongs."""
    steps = [*_failed(evidence, Failure.NOT_AWS), *_failed(evidence, Failure.REDIRECT, actions=_NO_REDIRECT)]
    # Whom a text speaks with is not sure: it may be a server's own page, such as a content network's.
    suspects = possible(*NOT_AWS.causes, causes.OTHER) if evidence.is_text else None
    yield from _of_path(NOT_AWS, evidence, steps, suspects)


def unreadable_answers(evidence: Evidence) -> Iterator[Finding]:
    """Answers that have no sense, too long ones, and a 404 where nothing was looked for."""
    steps = [
        *(step for step in _failed(evidence, Failure.MALFORMED, Failure.TOO_LARGE) if not _logs_answered(step)),
        *_failed(evidence, Failure.NOT_FOUND, actions=_NOTHING_TO_FIND),
    ]
    yield from _of_path(UNREADABLE, evidence, steps)


def _logs_answered(step: Step) -> bool:
    """Any answer of CloudWatch Logs proves its endpoint; its words are told with those of refusals."""
    answer = step.answer
    return step.action is Action.LOGS and answer is not None and answer.aws


def broken_transfers(evidence: Evidence) -> Iterator[Finding]:
    """Conversations that were cut, or fell silent, after TLS was fine."""
    yield from _of_path(BROKEN_TRANSFER, evidence, _failed(evidence, *_CUT))


def _failed(evidence: Evidence, *failures: Failure, actions: tuple[Action, ...] = CONVERSATION) -> list[Step]:
    return [step for step in evidence.failed(*actions) if step.failure in failures]


def _of_aws(
    fault: Fault, evidence: Evidence, steps: list[Step], suspects: Suspects, mark: str = ""
) -> Iterator[Finding]:
    """Proof is lost; of CloudWatch Logs alone only a part, for any answer proves its endpoint."""
    if steps:
        extent = Extent.PARTLY if all(step.action is Action.LOGS for step in steps) else Extent.WHOLLY
        yield found(fault, evidence, evidence.tries(*steps), extent=extent, suspects=suspects, mark=mark)


def _of_path(
    fault: Fault, evidence: Evidence, steps: list[Step], suspects: Suspects | None = None
) -> Iterator[Finding]:
    if steps:
        impact = evidence.impact(step.endpoint for step in steps)
        yield found(fault, evidence, evidence.tries(*steps), impact=impact, suspects=suspects)


FAULTS = (THROTTLED, SERVICE_ERROR, NOT_AWS, UNREADABLE, BROKEN_TRANSFER)
RULES = (limits, service_errors, strange_answers, unreadable_answers, broken_transfers)

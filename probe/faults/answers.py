"""Faults of answers, from any endpoint: rate limits, outages of AWS, other hosts, broken transfers, denied calls."""

from __future__ import annotations

from collections.abc import Iterator

from probe.faults import causes
from probe.faults.evidence import CONVERSATION, Evidence
from probe.faults.fault import Fault, Suspects, Wording, confirmed, finding, finds, possible
from probe.model import Action, Denial, DenialReason, Extent, Failure, Finding, Impact, Step

THROTTLED = Fault(
    "aws.throttled",
    "AWS limits the rate of requests to {endpoints}",
    "AWS answered, so the network works. Nothing is broken; many concurrent pulls reach the limit.",
    Impact.PROOF,
    (causes.THROTTLE,),
    certain=True,
)
SERVICE_ERROR = Fault(
    "aws.service-error",
    "{endpoints} answered with a server error",
    "The network carried the request and the answer. The answer carries AWS's request id, so AWS itself has a problem.",
    Impact.PROOF,
    (causes.AWS_OUTAGE,),
    certain=True,
)
SERVICE_ERROR_EMPTY = SERVICE_ERROR.variant(
    why="The network carried the request and the answer. The answer is empty, so it may come from a middlebox.",
    causes=(causes.AWS_OUTAGE, causes.EGRESS_FIREWALL),
    certain=False,
)
NOT_AWS = Fault(
    "http.not-aws",
    "a host other than AWS answers for {endpoints}",
    "The answer has no request id and none of AWS's formats. It is a block page or comes from a proxy.",
    Impact.PULL,
    (causes.EGRESS_FIREWALL, causes.PROXY),
    # A text does not prove which host answered: it may be the page of a content network.
    in_texts=Wording(causes=(causes.EGRESS_FIREWALL, causes.PROXY, causes.OTHER)),
)
UNREADABLE = Fault(
    "http.unreadable",
    "the answer of {endpoints} is not valid",
    "AWS does not send answers of this form; the cause is unknown.",
    Impact.PULL,
    (causes.OTHER, causes.EGRESS_FIREWALL),
)
BROKEN_TRANSFER = Fault(
    "path.transfer-broken",
    "data from {endpoints} stops in the middle of the transfer",
    "DNS, TCP and TLS work, but the data on top of them is cut off or stalls. Causes include lost large packets and "
    "idle timeouts on a NAT or firewall.",
    Impact.PULL,
    (causes.TRANSFER_BROKEN, causes.MTU, causes.EGRESS_FIREWALL),
)

# Failures that end a conversation after a successful TLS handshake.
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
    yield from _aws_findings(THROTTLED, evidence, steps)


@finds(SERVICE_ERROR, SERVICE_ERROR_EMPTY)
def service_errors(evidence: Evidence) -> Iterator[Finding]:
    """5xx answers: from AWS where they carry its request id, perhaps from a middlebox where they are empty."""
    steps = _failed(evidence, Failure.SERVER_ERROR)
    of_aws = [step for step in steps if (answer := step.answer) and answer.aws]
    empty = [step for step in steps if step not in of_aws]
    yield from _aws_findings(SERVICE_ERROR, evidence, of_aws)
    yield from _aws_findings(SERVICE_ERROR_EMPTY, evidence, empty)


@finds(NOT_AWS)
def foreign_answers(evidence: Evidence) -> Iterator[Finding]:
    """Answers without any sign of AWS, and redirects where AWS sends none."""
    steps = [*_failed(evidence, Failure.NOT_AWS), *_failed(evidence, Failure.REDIRECT, actions=_NO_REDIRECT)]
    yield from _path_findings(NOT_AWS, evidence, steps)


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


def _aws_findings(fault: Fault, evidence: Evidence, steps: list[Step]) -> Iterator[Finding]:
    """The proof is lost; only in part where CloudWatch Logs alone failed, because any answer proves its endpoint."""
    if steps:
        extent = Extent.PARTLY if all(step.action is Action.LOGS for step in steps) else Extent.WHOLLY
        yield finding(fault, evidence, evidence.tries(*steps), extent=extent)


def _path_findings(fault: Fault, evidence: Evidence, steps: list[Step]) -> Iterator[Finding]:
    if steps:
        impact = evidence.impact(step.endpoint for step in steps)
        yield finding(fault, evidence, evidence.tries(*steps), impact=impact)


ENDPOINT_POLICY = Fault(
    "policy.vpce.ecr",
    "the policy of the {endpoints} VPC endpoint denies {action} to {who}",
    "AWS answered that a VPC endpoint policy denies this request. Network, names and TLS work.",
    Impact.PULL,
    (causes.ECR_ENDPOINT_POLICY,),
    certain=True,
    examples=(("action", "an action"), ("who", "a role")),
)
DENIED = Fault(
    "iam.denied",
    "{who} is denied {action}",
    "AWS answered, so the network works. {reason} {role}",
    Impact.PROOF,
    (causes.EXECUTION_ROLE, causes.ECR_ENDPOINT_POLICY),
    other_causes=(
        causes.SOURCE_VPCE_CONDITION,
        causes.ORGANISATION_POLICY,
        causes.REPOSITORY_POLICY,
        causes.OTHER_ENDPOINT_POLICY,
        causes.S3_ENDPOINT_POLICY,
    ),
    examples=(
        ("who", "a role"),
        ("action", "an action"),
        ("reason", "The finding names the kind of policy, where AWS named one."),
        ("role", "ECS pulls with the execution role, which may have more permissions; name it with --pull-role."),
    ),
)

# The permission that each round trip needs AWS[ecr-actions-of-a-pull].
_ACTIONS = {
    Action.TOKEN: "ecr:GetAuthorizationToken",
    Action.MANIFEST: "ecr:BatchGetImage",
    Action.BLOB: "ecr:GetDownloadUrlForLayer",
}
_POLICIES = {"s3": causes.S3_ENDPOINT_POLICY} | dict.fromkeys(
    ("ecr.api", "ecr.dkr", "ecr-legacy"), causes.ECR_ENDPOINT_POLICY
)
_ORGANISATION = (DenialReason.SERVICE_CONTROL, DenialReason.RESOURCE_CONTROL)


@finds(ENDPOINT_POLICY)
def endpoint_policies(evidence: Evidence) -> Iterator[Finding]:
    """Denials that name a VPC endpoint policy. It applies to the pull too, unless ECS pulls with another role."""
    steps = [step for step in _denials(evidence) if _reason(step) is DenialReason.ENDPOINT]
    if steps:
        yield finding(
            ENDPOINT_POLICY,
            evidence,
            evidence.tries(*steps),
            impact=Impact.PROOF if evidence.holds_pull_role is False else Impact.PULL,
            action=_action(steps[0]),
        )


@finds(DENIED)
def denials(evidence: Evidence) -> Iterator[Finding]:
    """All other denials by ECR, one finding for each kind of policy that denied."""
    groups: dict[tuple[DenialReason | None, Suspects], list[Step]] = {}
    for step in _denials(evidence):
        if _reason(step) is not DenialReason.ENDPOINT:
            groups.setdefault((_reason(step), denial_suspects(evidence, step)), []).append(step)
    for (_, suspects), steps in groups.items():
        yield finding(
            DENIED,
            evidence,
            evidence.tries(*steps),
            impact=Impact.PULL if evidence.holds_pull_role else Impact.PROOF,
            suspects=suspects,
            action=_action(steps[0]),
            reason=policy_sentence(steps[0].denial),
            role=role_sentence(evidence),
        )


def _denials(evidence: Evidence) -> Iterator[Step]:
    for step in evidence.failed(Action.TOKEN, Action.CHALLENGE, Action.MANIFEST, Action.BLOB):
        if step.failure is Failure.DENIED:
            yield step


def _reason(step: Step) -> DenialReason | None:
    return step.denial.reason if step.denial else None


def _action(step: Step) -> str:
    return (step.denial.action if step.denial else None) or _ACTIONS.get(step.action, "the registry")


def policy_sentence(denial: Denial | None) -> str:
    """The kind of policy that denied, where AWS names one."""
    if denial is None or denial.reason is None:
        return "AWS's answer does not say which policy denies this request."
    return f"AWS's answer names the {denial.reason}."


def denial_suspects(evidence: Evidence, step: Step) -> Suspects:
    """Which policy it can be. An endpoint's policy is ruled out where the request left by a public path."""
    denial, public = step.denial, evidence.is_public(step.endpoint)
    reason = denial.reason if denial else None
    policy = _POLICIES.get(step.endpoint, causes.OTHER_ENDPOINT_POLICY)
    if reason in _ORGANISATION:
        return confirmed(causes.ORGANISATION_POLICY)
    if reason is DenialReason.RESOURCE:
        return confirmed(causes.REPOSITORY_POLICY)
    if reason is not None:
        role, condition = causes.EXECUTION_ROLE, causes.SOURCE_VPCE_CONDITION
        return possible(condition, role) if public else possible(role, condition)
    is_ecr = policy is causes.ECR_ENDPOINT_POLICY
    foreign = (causes.REPOSITORY_POLICY,) if is_ecr and _is_other_account(evidence) else ()
    if public:
        suspects = (causes.EXECUTION_ROLE, causes.SOURCE_VPCE_CONDITION, *foreign, policy)
        return Suspects(suspects, ruled_out=frozenset({policy}))
    explicit = (causes.ORGANISATION_POLICY,) if denial is not None and denial.explicit else ()
    return possible(causes.EXECUTION_ROLE, policy, *explicit, *foreign)


def _is_other_account(evidence: Evidence) -> bool:
    own = evidence.surroundings.account
    return own is not None and own != (evidence.plan.account or own)


def role_sentence(evidence: Evidence) -> str:
    """Whether the denied role is the one that pulls."""
    if evidence.holds_pull_role:
        return "This is the role that pulls."
    if evidence.holds_pull_role is False:
        return "ECS pulls with another role (--pull-role), so this does not refute the pull."
    return "ECS pulls with the execution role, which may have more permissions; name it with --pull-role."

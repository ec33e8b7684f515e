"""Faults of answers, from any endpoint: rate limits, outages of AWS, other hosts, broken transfers, denied calls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from probe.arns import role_of
from probe.faults import causes
from probe.faults.causes import advice, reads
from probe.faults.evidence import CONVERSATION, Evidence
from probe.faults.fault import Fault, Suspects, Wording, confirmed, finding, finds, possible
from probe.model import Action, Client, Denial, DenialReason, Extent, Failure, Finding, Impact, Step, Topic
from probe.narration import CLIENTS, http_status

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
REJECTED = Fault(
    "aws.rejected",
    "{endpoints} rejected a request for a reason that ecr-probe does not know",
    "The answer is AWS's, so names, network and TLS work. It is an error that ecr-probe cannot classify: {error}.",
    Impact.PULL,
    (
        causes.other(
            "a reason that only the words of AWS's answer name",
            causes.advice("read these words, and make the same request with the AWS CLI", causes.READ_MANIFEST),
            causes.reads(causes.READ_MANIFEST),
        ),
    ),
    examples=(("error", "HTTP 400 CODE"),),
)
UNREADABLE = Fault(
    "http.unreadable",
    "the answer of {endpoints} is not valid",
    "AWS does not send answers of this form; the cause is unknown.",
    Impact.PULL,
    (causes.OTHER, causes.ALTERING_MIDDLEBOX),
)
BROKEN_TRANSFER = Fault(
    "path.transfer-broken",
    "data from {endpoints} stops in the middle of the transfer",
    "DNS, TCP and TLS work, but the data on top of them is cut off or stalls. Causes include lost large packets, "
    "idle timeouts on a NAT or firewall, and an S3 gateway endpoint that was added to the route table during the "
    "transfer.",
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
# Failures by an answer of which the words decide. A 5xx is a fault of AWS itself.
_WITH_TOPIC = (Failure.DENIED, Failure.UNAUTHENTICATED, Failure.NOT_FOUND, Failure.THROTTLED, Failure.MALFORMED)
_OF_THE_CALLER = (
    DenialReason.IDENTITY,
    DenialReason.BOUNDARY,
    DenialReason.SESSION,
    DenialReason.SERVICE_CONTROL,
    DenialReason.ENDPOINT,
)
_NO_OBJECT = (Action.TOKEN, Action.CHALLENGE)  # requests that name nothing that could be missing


_HEALTH_OF_S3 = reads(
    "aws health describe-events --region us-east-1 --filter services=S3", note="It needs a support plan."
)
_BUCKET_LIMIT = causes.THROTTLE.variant(
    title="S3 gets too many requests for ECR's layer bucket in a short time",
    fix=advice(
        "start fewer tasks at once, or pull the image again later",
        note="The bucket is AWS's: no quota of yours applies.",
    ),
    confirm=reads(
        "aws health describe-events --region us-east-1 --filter services=S3", note="It needs a support plan."
    ),
)


@finds(THROTTLED)
def limits(evidence: Evidence) -> Iterator[Finding]:
    """Rate limits that also met the retry."""
    steps = [step for step in _failed(evidence, Failure.THROTTLED) if concern(step) is not Topic.UPSTREAM]
    at_s3 = bool(steps) and all(step.endpoint == "s3" for step in steps)
    yield from _aws_findings(THROTTLED, evidence, steps, confirmed(_BUCKET_LIMIT) if at_s3 else None)


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


@finds(UNREADABLE, REJECTED)
def unreadable_answers(evidence: Evidence) -> Iterator[Finding]:
    """Malformed and oversized answers, errors of AWS without a class, and a 404 to a request that names nothing."""
    steps = [
        *(step for step in _failed(evidence, Failure.MALFORMED, Failure.TOO_LARGE) if not _logs_answered(step)),
        *_failed(evidence, Failure.NOT_FOUND, actions=_NO_OBJECT),
    ]
    steps = [step for step in steps if concern(step) is None and not _is_artifact(step)]
    rejected: dict[str, list[Step]] = {}
    for step in steps:
        if _is_rejected(step):
            rejected.setdefault(http_status(step.answer), []).append(step)
    yield from _path_findings(UNREADABLE, evidence, [step for step in steps if not _is_rejected(step)])
    for error, alike in rejected.items():
        yield from _path_findings(REJECTED, evidence, alike, error=error)


def _is_artifact(step: Step) -> bool:
    return step.manifest is not None and step.manifest.artifact is not None


def _is_rejected(step: Step) -> bool:
    """An error with a code or request id of AWS, and not a manifest or token that cannot be read."""
    answer = step.answer
    is_error = answer is not None and 400 <= (answer.status or 0) < 500
    return answer is not None and is_error and answer.aws and bool(answer.code or answer.request_id)


def concern(step: Step) -> Topic | None:
    """What the error in the answer concerns, apart from the caller's permissions: `registry` finds what it means."""
    answer, denial = step.answer, step.denial
    if answer is None or step.failure not in _WITH_TOPIC:
        return None
    by_own_policy = step.action is not Action.LAYER and denial is not None and denial.reason in _OF_THE_CALLER
    return None if by_own_policy else answer.topic


def _logs_answered(step: Step) -> bool:
    """Any answer of CloudWatch Logs proves its endpoint; `logs` finds what such an answer means."""
    answer = step.answer
    return step.action is Action.LOGS and answer is not None and answer.aws


@finds(BROKEN_TRANSFER)
def broken_transfers(evidence: Evidence) -> Iterator[Finding]:
    """Conversations that were cut off or stalled after the TLS handshake."""
    steps = _failed(evidence, *_CUT_OFF)
    steps = [step for step in steps if not (evidence.is_push(step) and step.failure is Failure.RESET)]
    yield from _path_findings(BROKEN_TRANSFER, evidence, steps)


def _failed(evidence: Evidence, *failures: Failure, actions: tuple[Action, ...] = CONVERSATION) -> list[Step]:
    return [step for step in evidence.failed(*actions) if step.failure in failures]


def _aws_findings(
    fault: Fault, evidence: Evidence, steps: list[Step], suspects: Suspects | None = None
) -> Iterator[Finding]:
    """The proof is lost; only in part where CloudWatch Logs alone failed, because any answer proves its endpoint."""
    if steps:
        extent = Extent.PARTLY if all(_is_aside(evidence, step) for step in steps) else Extent.WHOLLY
        yield finding(fault, evidence, evidence.tries(*steps), extent=extent, suspects=suspects)


def _is_aside(evidence: Evidence, step: Step) -> bool:
    """A request that is no part of the pull, so that any answer proves its endpoint. An error text is about it."""
    return step.action is Action.LOGS or (step.action is Action.REQUEST and not evidence.is_text)


def _path_findings(fault: Fault, evidence: Evidence, steps: list[Step], **values: Any) -> Iterator[Finding]:
    if steps:
        impact = evidence.impact(step.endpoint for step in steps)
        yield finding(fault, evidence, evidence.tries(*steps), impact=impact, **values)


_PULL_ROLE_UNKNOWN = (
    "ECS pulls with the execution role, to which this request may be allowed; name it with --pull-role."
)
ENDPOINT_POLICY = Fault(
    "policy.vpce.ecr",
    "the policy of the {endpoints} VPC endpoint denies {action} to {who}",
    "AWS answered, so names, network and TLS work. {reason} {role}",
    Impact.PROOF,
    (causes.ECR_ENDPOINT_POLICY,),
    certain=True,
    in_texts=Wording(impact=Impact.PULL),
    examples=(
        ("action", "an action"),
        ("who", "a role"),
        ("reason", "AWS's answer names the VPC endpoint policy."),
        ("role", _PULL_ROLE_UNKNOWN),
    ),
)
_SESSION_POLICY = causes.other(
    "the session policy of these credentials does not allow this request",
    advice(
        "allow {actions} in the session policy that is passed to AssumeRole, or pass none",
        "aws cloudtrail lookup-events --region {task_region} "
        "--lookup-attributes AttributeKey=EventName,AttributeValue=AssumeRole",
        note="The command shows who assumed the role {grantee}, and with which policy.",
    ),
    reads("aws iam get-{grantee_kind} --{grantee_kind}-name {grantee}"),
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
        causes.REGISTRY_POLICY,
        causes.REPOSITORY_NOT_FOUND,
        causes.PERMISSIONS_BOUNDARY,
        causes.KMS_KEY,
        causes.OTHER_ENDPOINT_POLICY,
        causes.S3_BUCKET_POLICY,
        _SESSION_POLICY,
    ),
    examples=(
        ("who", "a role"),
        ("action", "an action"),
        ("reason", "The finding names the kind of policy, where AWS named one."),
        ("role", _PULL_ROLE_UNKNOWN),
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
# Services that pull from outside the VPC, so that no endpoint's policy applies: AWS[pulling-role-lambda],
# AWS[pulling-role-app-runner], AWS[pulling-role-sagemaker].
_BY_SERVICE = {
    Client.LAMBDA: (causes.REPOSITORY_POLICY, causes.EXECUTION_ROLE, causes.REPOSITORY_NOT_FOUND),
    Client.APP_RUNNER: (causes.EXECUTION_ROLE, causes.REPOSITORY_POLICY),
    Client.SAGEMAKER: (causes.EXECUTION_ROLE, causes.REPOSITORY_POLICY, causes.REPOSITORY_NOT_FOUND),
}
_ORGANISATION = (DenialReason.SERVICE_CONTROL, DenialReason.RESOURCE_CONTROL)
_SAME_ANSWER = " It answers the same where a repository of another account does not exist."


@finds(ENDPOINT_POLICY)
def endpoint_policies(evidence: Evidence) -> Iterator[Finding]:
    """Denials that name a VPC endpoint policy.

    They refute the pull only where this role is known to pull. A policy that allows the pulling role alone, as AWS's
    first example does (AWS[ecr-guide-policies]), denies the probe's role, and the pull works.
    """
    steps = [step for step in _denials(evidence) if _reason(step) is DenialReason.ENDPOINT]
    if steps:
        yield finding(
            ENDPOINT_POLICY,
            evidence,
            evidence.tries(*steps),
            impact=_impact(evidence),
            action=_action(steps[0]),
            reason=policy_sentence(steps[0].denial),
            role=role_sentence(evidence),
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
            impact=_impact(evidence),
            suspects=suspects,
            action=_action(steps[0]),
            reason=policy_sentence(steps[0].denial) + (_SAME_ANSWER if _may_not_exist(suspects) else ""),
            role=role_sentence(evidence),
        )


def _denials(evidence: Evidence) -> Iterator[Step]:
    for step in evidence.failed(Action.TOKEN, Action.CHALLENGE, Action.MANIFEST, Action.BLOB):
        if step.failure is Failure.DENIED and concern(step) is None:
            yield step


def _reason(step: Step) -> DenialReason | None:
    return step.denial.reason if step.denial else None


def _action(step: Step) -> str:
    return (step.denial.action if step.denial else None) or _ACTIONS.get(step.action, "the registry")


def _impact(evidence: Evidence) -> Impact:
    """A denial refutes the pull only where the denied role is known to be the one that pulls."""
    return Impact.PULL if evidence.holds_pull_role else Impact.PROOF


def _may_not_exist(suspects: Suspects) -> bool:
    return causes.REPOSITORY_NOT_FOUND in suspects.open


def policy_sentence(denial: Denial | None) -> str:
    """The kind of policy that denied, where AWS names one, and whether it has an explicit Deny."""
    reason = denial.reason if denial else None
    if denial is not None and denial.explicit:
        policy = f"{'an' if reason is DenialReason.IDENTITY else 'a'} {reason}" if reason else "a policy"
        return f"AWS's answer names an explicit Deny in {policy}. It takes precedence over every Allow."
    if reason is None:
        return "AWS's answer does not say which policy denies this request."
    return f"AWS's answer names the {reason}."


def denial_suspects(evidence: Evidence, step: Step) -> Suspects:
    """Which policy it can be. An endpoint's policy is ruled out where the request left by a public path."""
    denial, public = step.denial, evidence.is_public(step.endpoint)
    reason = denial.reason if denial else None
    policy = _POLICIES.get(step.endpoint, causes.OTHER_ENDPOINT_POLICY)
    if policy is causes.S3_ENDPOINT_POLICY and step.action is Action.REQUEST:
        policy = causes.S3_BUCKET_POLICY
    if reason in _ORGANISATION:
        return confirmed(causes.ORGANISATION_POLICY)
    if reason is DenialReason.BOUNDARY:
        return confirmed(causes.PERMISSIONS_BOUNDARY)
    if is_of_key(step):
        return _key_suspects(reason)
    if reason is DenialReason.RESOURCE:
        return _resource_suspects(evidence, denial)
    if reason is DenialReason.SESSION:
        return confirmed(_SESSION_POLICY)
    if reason is not None:
        role, condition = causes.EXECUTION_ROLE, causes.SOURCE_VPCE_CONDITION
        return possible(condition, role) if public else possible(role, condition)
    if evidence.client in _BY_SERVICE:
        return possible(*_BY_SERVICE[evidence.client])
    is_ecr = policy is causes.ECR_ENDPOINT_POLICY
    of_image = is_ecr and step.action is not Action.TOKEN
    is_other = _is_other_account(evidence, denial) if of_image else False
    foreign = (causes.REPOSITORY_POLICY,) if is_other else ()
    unknown = (causes.REPOSITORY_POLICY,) if is_other is None and evidence.is_text else ()
    if public:
        suspects = (causes.EXECUTION_ROLE, causes.SOURCE_VPCE_CONDITION, *foreign, policy)
        return Suspects(suspects, ruled_out=frozenset({policy}))
    if denial is None or not denial.explicit:
        return possible(causes.EXECUTION_ROLE, *foreign, policy, *unknown)
    # Older sentences do not name the policy with the Deny: of a repository it can be the repository's own.
    of_repository = is_ecr and denial.resource is not None and ":repository/" in denial.resource
    own = (causes.REPOSITORY_POLICY,) if of_repository else foreign
    return possible(causes.EXECUTION_ROLE, *own, policy, causes.ORGANISATION_POLICY)


def is_of_key(step: Step) -> bool:
    """Whether the use of a KMS key was denied; Secrets Manager and Parameter Store do not name the action."""
    denial, answer = step.denial, step.answer
    if denial is not None and denial.action is not None:
        return denial.is_of_key
    return answer is not None and answer.topic is Topic.KEY


def _key_suspects(reason: DenialReason | None) -> Suspects:
    """Of a denied KMS action: a key has a policy of its own."""
    if reason is DenialReason.RESOURCE:
        return confirmed(causes.KMS_KEY)
    role, key = causes.EXECUTION_ROLE, causes.KMS_KEY
    return possible(key, role) if reason is None else possible(role, key)


def _resource_suspects(evidence: Evidence, denial: Denial | None) -> Suspects:
    """The repository's policy, or the registry's, which ECR evaluates for every request too.

    To a role of another account AWS answers alike where the repository does not exist: nothing allows the request.
    AWS[ecr-registry-policy] AWS[ecr-other-account-missing]
    """
    explicit = denial is not None and denial.explicit
    if explicit or _is_other_account(evidence, denial) is False:
        return possible(causes.REPOSITORY_POLICY, causes.REGISTRY_POLICY)
    return possible(causes.REPOSITORY_POLICY, causes.REPOSITORY_NOT_FOUND, causes.REGISTRY_POLICY)


def _is_other_account(evidence: Evidence, denial: Denial | None) -> bool | None:
    """Whether the image belongs to another account than the denied role; None where either is unknown."""
    role = role_of((denial.principal if denial else None) or "")
    own = role[0] if role else evidence.surroundings.account
    return own != evidence.plan.account if own and evidence.plan.account else None


def role_sentence(evidence: Evidence) -> str:
    """Whether the denied role is the one that pulls."""
    if evidence.is_text:
        named = evidence.principal is not None or evidence.client is not Client.ECS
        return CLIENTS[evidence.client].proof if named else "The text does not name the role."
    if evidence.holds_pull_role:
        return "This is the role that pulls."
    if evidence.holds_pull_role is False:
        return "ECS pulls with another role (--pull-role), so this does not refute the pull."
    return "This host's credentials are not those of a task." if evidence.is_off_ecs else _PULL_ROLE_UNKNOWN

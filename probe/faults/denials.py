"""Faults of permission: which role was denied, by which kind of policy, and whether ECS pulls with that role."""

from __future__ import annotations

from collections.abc import Iterator

from probe.faults import causes
from probe.faults.evidence import Evidence
from probe.faults.fault import Fault, finds
from probe.faults.findings import Suspects, confirmed, finding, possible
from probe.model import Action, Denial, DenialReason, Failure, Finding, Impact, Step

ENDPOINT_POLICY = Fault(
    "policy.vpce.ecr",
    "the policy of the {endpoints} VPC endpoint denies {action} to {who}",
    "AWS answered that a VPC endpoint policy denies it. Network, names and TLS work.",
    Impact.PULL,
    (causes.ECR_ENDPOINT_POLICY,),
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
        ("role", "ECS pulls with the execution role, which may be allowed more; --pull-role names it."),
    ),
)

# The permission that each round trip needs (ECR guide, "repository policies").
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
            suspects=confirmed(causes.ECR_ENDPOINT_POLICY),
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
    """Which kind of policy denied, as far as AWS says."""
    if denial is None or denial.reason is None:
        return "AWS did not say which policy denies it."
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
    if evidence.is_text:
        return "The text comes from the pull itself, so this is the role that ECS uses."
    if evidence.holds_pull_role:
        return "It is the role that pulls (--pull-role)."
    if evidence.holds_pull_role is False:
        return "ECS pulls with another role (--pull-role), so this does not refute the pull."
    return "ECS pulls with the execution role, which may be allowed more; --pull-role names it."

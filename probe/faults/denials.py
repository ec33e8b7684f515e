"""Faults of permission: whose role was refused, by which kind of policy, and whether that is the pull's own role."""

from __future__ import annotations

from collections.abc import Iterator

from probe.faults import causes
from probe.faults.evidence import Evidence
from probe.faults.fault import Fault
from probe.faults.findings import Suspects, found, possible, settled
from probe.model import Action, Denial, DenialReason, Failure, Finding, Impact, Step

ENDPOINT_POLICY = Fault(
    "policy.vpce.ecr",
    "the policy of the {endpoints} VPC endpoint refuses {action} to {who}",
    "AWS says that a VPC endpoint policy denies it. Network, names and TLS are fine.",
    Impact.PULL,
    (causes.ECR_ENDPOINT_POLICY,),
)
DENIED = Fault(
    "iam.denied",
    "{who} is refused {action}",
    "AWS answered, so the network is fine. {reason} {role}",
    Impact.PROOF,
    (causes.EXECUTION_ROLE, causes.ECR_ENDPOINT_POLICY),
)

# What each round trip needs (ECR guide, "repository policies").
_ACTIONS = {
    Action.TOKEN: "ecr:GetAuthorizationToken",
    Action.MANIFEST: "ecr:BatchGetImage",
    Action.BLOB: "ecr:GetDownloadUrlForLayer",
}
_POLICIES = {"s3": causes.S3_ENDPOINT_POLICY} | dict.fromkeys(
    ("ecr.api", "ecr.dkr", "ecr-legacy"), causes.ECR_ENDPOINT_POLICY
)
_UNSAID = "AWS did not say which policy refuses it."
_ORGANISATION = (DenialReason.SERVICE_CONTROL, DenialReason.RESOURCE_CONTROL)


def endpoint_policies(evidence: Evidence) -> Iterator[Finding]:
    """Denials that name a VPC endpoint policy. The pull's role meets the same policy, unless it is another."""
    steps = [step for step in _denials(evidence) if _reason(step) is DenialReason.ENDPOINT]
    if steps:
        yield found(
            ENDPOINT_POLICY,
            evidence,
            evidence.tries(*steps),
            impact=Impact.PROOF if evidence.holds_pull_role is False else Impact.PULL,
            suspects=settled(causes.ECR_ENDPOINT_POLICY),
            action=_action(steps[0]),
        )


def denials(evidence: Evidence) -> Iterator[Finding]:
    """All other denials by ECR, one finding for each kind of policy that refused."""
    groups: dict[tuple[DenialReason | None, Suspects], list[Step]] = {}
    for step in _denials(evidence):
        if _reason(step) is not DenialReason.ENDPOINT:
            groups.setdefault((_reason(step), suspects_of(evidence, step)), []).append(step)
    for (_, suspects), steps in groups.items():
        yield found(
            DENIED,
            evidence,
            evidence.tries(*steps),
            impact=Impact.PULL if evidence.holds_pull_role else Impact.PROOF,
            suspects=suspects,
            action=_action(steps[0]),
            reason=words_of(steps[0].denial),
            role=whose(evidence),
        )


def _denials(evidence: Evidence) -> Iterator[Step]:
    for step in evidence.failed(Action.TOKEN, Action.CHALLENGE, Action.MANIFEST, Action.BLOB):
        if step.failure is Failure.DENIED:
            yield step


def _reason(step: Step) -> DenialReason | None:
    denial = step.denial
    return denial.reason if denial else None


def _action(step: Step) -> str:
    denial = step.denial
    return (denial.action if denial else None) or _ACTIONS.get(step.action, "the registry")


def words_of(denial: Denial | None) -> str:
    """Which kind of policy refused."""
    known = denial is not None and denial.reason is not None
    return f"AWS's sentence names the {denial.reason}." if known and denial else _UNSAID


def suspects_of(evidence: Evidence, step: Step) -> Suspects:
    """Which policy it is, by the sentence; where the request left by a public way, no endpoint's policy saw it."""
    denial, public = step.denial, evidence.is_public(step.endpoint)
    reason = denial.reason if denial else None
    policy = _POLICIES.get(step.endpoint, causes.OTHER_ENDPOINT_POLICY)
    if reason in _ORGANISATION:
        return settled(causes.ORGANISATION_POLICY)
    if reason is DenialReason.RESOURCE:
        return settled(causes.REPOSITORY_POLICY)
    if reason is not None:
        role, condition = causes.EXECUTION_ROLE, causes.SOURCE_VPCE_CONDITION
        return possible(condition, role) if public else possible(role, condition)
    foreign = (causes.REPOSITORY_POLICY,) if _other_account(evidence) and policy == causes.ECR_ENDPOINT_POLICY else ()
    if public:
        unlikely = (causes.EXECUTION_ROLE, causes.SOURCE_VPCE_CONDITION, *foreign, policy)
        return Suspects(unlikely, ruled_out=frozenset({policy}))
    explicit = (causes.ORGANISATION_POLICY,) if denial is not None and denial.explicit else ()
    return possible(causes.EXECUTION_ROLE, policy, *explicit, *foreign)


def _other_account(evidence: Evidence) -> bool:
    own = evidence.surroundings.account
    return own is not None and own != (evidence.plan.account or own)


def whose(evidence: Evidence) -> str:
    """Whose role it was that was refused, beside the pull's."""
    if evidence.is_text:
        return "The text is the pull's own, so it is the role that ECS uses."
    if evidence.holds_pull_role:
        return "It is the role that pulls (--pull-role)."
    if evidence.holds_pull_role is False:
        return "The pull uses another role (--pull-role), so this refutes nothing about it."
    return "ECS pulls with the execution role, which may be allowed what this one is not; --pull-role says which it is."


FAULTS = (ENDPOINT_POLICY, DENIED)
RULES = (endpoint_policies, denials)

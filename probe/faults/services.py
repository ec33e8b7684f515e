"""Denied requests outside the pull: those of --also in a check, and those that an error text reports.

Where a service does not answer, `names`, `network` and `tls` find the fault.
"""

from __future__ import annotations

from collections.abc import Iterator

from probe.endpoints import ROWS
from probe.faults import causes
from probe.faults.answers import DENIED, concern, denial_suspects, policy_sentence, role_sentence
from probe.faults.evidence import Evidence
from probe.faults.fault import finding, finds, noted
from probe.faults.logs import ENDPOINT_POLICY
from probe.model import Action, Basis, DenialReason, Extent, Failure, Finding, Impact, Step, Topic

SERVICE_POLICY = ENDPOINT_POLICY.variant(
    title="the policy of the {endpoint} VPC endpoint denies {action} to {who}",
    why=(
        "The service answered and named the endpoint policy. The check asks for a name that does not exist, or for a "
        "list, so a policy that allows only certain names or actions denies it too. The policy may also deny the calls "
        "of the task."
    ),
    impact=Impact.START,
    causes=(causes.OTHER_ENDPOINT_POLICY,),
)
REQUEST_POLICY = ENDPOINT_POLICY.variant(
    title="the policy of the {endpoint} VPC endpoint denies {action} to {who}",
    why="AWS answered that a VPC endpoint policy denies this request. Network, names and TLS work.",
    causes=(causes.OTHER_ENDPOINT_POLICY,),
    extent=Extent.WHOLLY,
)
NOT_PERMITTED = noted(
    "service.not-permitted",
    "{endpoint} answers, but {who} may not call {action}",
    "The answer shows that the endpoint works. {policy} ECS itself reads secrets with the execution role.",
    examples=(("action", "an action"), ("who", "this role"), ("policy", "The finding names the kind of policy.")),
)


@finds(SERVICE_POLICY, NOT_PERMITTED, basis=Basis.MEASURED)
def denied_services(evidence: Evidence) -> Iterator[Finding]:
    """Denials of the call that --also makes: by the endpoint's policy, which applies to others too, or by another."""
    for step in evidence.failed(Action.REQUEST):
        if step.failure is not Failure.DENIED:
            continue
        reason = step.denial.reason if step.denial else None
        if reason is DenialReason.ENDPOINT:
            row = ROWS.get(step.endpoint)
            impact = row.if_called if row else Impact.PROOF
            yield finding(SERVICE_POLICY, evidence, evidence.tries(step), impact=impact, action=_action(evidence, step))
        else:
            policy = policy_sentence(step.denial)
            yield finding(NOT_PERMITTED, evidence, evidence.tries(step), action=_action(evidence, step), policy=policy)


def _action(evidence: Evidence, step: Step) -> str:
    endpoint = evidence.plan.endpoint(step.endpoint)
    denied = step.denial.action if step.denial else None
    return denied or (endpoint.call if endpoint else None) or "its API"


@finds(REQUEST_POLICY, DENIED, basis=Basis.TEXT)
def refused_requests(evidence: Evidence) -> Iterator[Finding]:
    """Denials outside the pull that a text reports: of secrets, of the log driver and of other AWS APIs."""
    return _refused_requests(evidence)


@finds(REQUEST_POLICY, DENIED, basis=Basis.CONFIGURATION)
def refused_calls(evidence: Evidence) -> Iterator[Finding]:
    """Denials of what ECS calls for the task outside the pull, as policies have it: secrets, the log driver."""
    return _refused_requests(evidence)


def _refused_requests(evidence: Evidence) -> Iterator[Finding]:
    for step in evidence.failed(Action.REQUEST, Action.LOGS):
        if step.failure is not Failure.DENIED or evidence.is_push(step) or concern(step) is Topic.ROLE:
            continue
        # S3's impact is the pull's, but a REQUEST to it reads an environment file.
        of_file = step.endpoint == "s3"
        denial, impact = step.denial, Impact.START if of_file else evidence.impact((step.endpoint,))
        action = (denial.action if denial else None) or "the request"
        if denial is not None and denial.reason is DenialReason.ENDPOINT:
            yield finding(REQUEST_POLICY, evidence, (step,), impact=impact, action=action)
            continue
        yield finding(
            DENIED,
            evidence,
            (step,),
            impact=impact,
            suspects=denial_suspects(evidence, step),
            action=action,
            reason=policy_sentence(denial),
            role=role_sentence(evidence),
        )

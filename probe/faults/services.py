"""Faults of the services of --also that answer; where one does not, `names`, `network` and `tls` find the fault."""

from __future__ import annotations

from collections.abc import Iterator

from probe.endpoints import ROWS
from probe.faults import causes
from probe.faults.answers import policy_sentence
from probe.faults.evidence import Evidence
from probe.faults.fault import finding, finds, noted
from probe.faults.logs import ENDPOINT_POLICY
from probe.model import Action, Basis, DenialReason, Failure, Finding, Impact, Step

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

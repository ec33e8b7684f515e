"""The policy of a VPC endpoint: one more place that has to allow a call. AWS[endpoint-policies]"""

from __future__ import annotations

from probe.configuration.operations import ENDPOINTS
from probe.configuration.view import View
from probe.gates.call import Call
from probe.gates.opinion import Opinion, allows, not_visible
from probe.gates.policy import Document, PolicyKind, evaluate
from probe.gates.policy_changes import corrected, replace_endpoint_policy
from probe.gates.policy_opinion import opinion_of
from probe.gates.request_context import request_of
from probe.model import GateName

_CAUSES = {"ecr.api": "policy.vpce.ecr", "ecr.dkr": "policy.vpce.ecr", "s3": "policy.vpce.s3"}


def endpoint_policy(view: View, call: Call) -> Opinion | None:
    """Whether the endpoint's policy allows the call; None where it goes through no endpoint that is known."""
    identity = call.vpc_endpoint
    if identity is None:
        return None
    endpoint = view.item(ENDPOINTS, identity)
    if endpoint is None:
        return not_visible(GateName.ENDPOINT_POLICY, identity, "the account of the endpoint")
    text = endpoint.get("PolicyDocument")
    if not text:
        return allows(GateName.ENDPOINT_POLICY, f"{identity} has no policy of its own and allows everything", identity)
    kind = PolicyKind.GATEWAY if endpoint.get("VpcEndpointType") == "Gateway" else PolicyKind.ENDPOINT
    whose = f"the policy of {identity}"
    ruling = evaluate([Document.of(whose, text)], request_of(view, call), kind)
    correction = corrected(text, ruling, call, kind)
    return opinion_of(
        ruling,
        GateName.ENDPOINT_POLICY,
        call,
        identity,
        whose=whose,
        cause=_CAUSES.get(call.endpoint, "policy.vpce.other"),
        change=replace_endpoint_policy(identity, correction) if correction else None,
    )

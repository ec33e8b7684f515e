"""Gates change the standings of causes: one whose gate refuses is confirmed, one whose gates all allow is ruled out.

What depends on a value that cannot be known, and what could not be read, leaves a cause possible.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence, Set

from probe.model import Action, Advice, Cause, Finding, Gate, GateAnswer, GateName, Measurement, Standing, Step
from probe.records import replace

# The gates that decide a cause. Where some of them were met, and all of these allow or refuse for another cause, it is
# ruled out.
SETTLED_BY: Mapping[str, tuple[GateName, ...]] = {
    "tcp.security-group": (GateName.SECURITY_GROUP_EGRESS, GateName.SECURITY_GROUP_INGRESS),
    "tcp.security-group-s3-egress": (GateName.SECURITY_GROUP_EGRESS,),
    "tcp.nacl": (
        GateName.NACL_EGRESS,
        GateName.NACL_INGRESS,
        GateName.NACL_RETURN_EGRESS,
        GateName.NACL_RETURN_INGRESS,
    ),
    "tcp.no-route": (GateName.ROUTE, GateName.PUBLIC_PATH),
    "tcp.block-public-access": (GateName.BLOCK_PUBLIC_ACCESS,),
    "tcp.no-public-ip": (GateName.PUBLIC_PATH,),
    "tcp.nat-device": (GateName.PUBLIC_PATH,),
    "tcp.az-without-eni": (GateName.ENDPOINT_ZONE,),
    "path.egress-firewall": (GateName.NETWORK_FIREWALL,),
    "endpoint.missing.s3": (GateName.ENDPOINT,),
    "endpoint.s3-interface-not-gateway": (GateName.ENDPOINT,),
    "s3.route-table-not-associated": (GateName.ENDPOINT, GateName.ROUTE),
    "dns.private-dns-disabled": (GateName.PRIVATE_DNS,),
    "dns.vpc-attributes-off": (GateName.VPC_DNS_ATTRIBUTES,),
    "dns.firewall": (GateName.RESOLVER_FIREWALL,),
    "dns.resolver-rule": (GateName.RESOLVER_RULE,),
    "dns.custom-resolver": (GateName.DHCP_OPTIONS,),
    "dns.hosted-zone-missing-record": (GateName.HOSTED_ZONE,),
    "dns.hosted-zone-conflict": (GateName.HOSTED_ZONE,),
    "dns.stale-record": (GateName.ENDPOINT_INTERFACE,),
    "endpoint.missing.ecr-api": (GateName.ENDPOINT,),
    "endpoint.missing.ecr-dkr": (GateName.ENDPOINT,),
    "endpoint.missing.secretsmanager": (GateName.SECRET_ENDPOINT,),
    "endpoint.missing.ssm": (GateName.SECRET_ENDPOINT,),
    "endpoint.missing.other": (GateName.ENDPOINT, GateName.SECRET_ENDPOINT),
    "logs.endpoint-missing": (GateName.ENDPOINT,),
    "ecs.control-plane-endpoints-missing": (GateName.ENDPOINT,),
    "dns.hosted-zone-wrong-name": (GateName.HOSTED_ZONE,),
    "dns.hosted-zone-not-associated": (GateName.HOSTED_ZONE,),
    "endpoint.not-available": (GateName.ENDPOINT, GateName.SECRET_ENDPOINT),
    "policy.vpce.ecr": (GateName.ENDPOINT_POLICY,),
    "policy.vpce.s3": (GateName.ENDPOINT_POLICY,),
    "policy.vpce.other": (GateName.ENDPOINT_POLICY,),
    "iam.trust-policy": (GateName.TRUST_POLICY,),
    "iam.execution-role": (GateName.IDENTITY_POLICY,),
    "iam.source-vpce-condition": (GateName.IDENTITY_POLICY,),
    "iam.permissions-boundary": (GateName.PERMISSIONS_BOUNDARY,),
    "iam.scp": (GateName.SERVICE_CONTROL_POLICY, GateName.RESOURCE_CONTROL_POLICY),
    "iam.repository-policy": (GateName.REPOSITORY_POLICY,),
    "iam.registry-policy": (GateName.REGISTRY_POLICY,),
    "kms.key": (GateName.KMS_KEY,),
    "registry.no-matching-platform": (GateName.IMAGE,),
    "logs.group-missing": (GateName.LOG_GROUP,),
}

_PLATFORM = "registry.no-matching-platform"
_OPEN = (GateAnswer.DEPENDS, GateAnswer.UNKNOWN)
_OF_NAMES = frozenset(
    (
        GateName.DHCP_OPTIONS,
        GateName.VPC_DNS_ATTRIBUTES,
        GateName.RESOLVER_FIREWALL,
        GateName.RESOLVER_RULE,
        GateName.HOSTED_ZONE,
    )
)
# Where one of these refuses, the name has an address, but not the endpoint's.
_OF_ENDPOINTS = frozenset((GateName.ENDPOINT, GateName.SECRET_ENDPOINT, GateName.PRIVATE_DNS))
_OF_CONNECTIONS = frozenset(
    (
        GateName.ENDPOINT_INTERFACE,
        GateName.ENDPOINT_ZONE,
        GateName.SECURITY_GROUP_EGRESS,
        GateName.NACL_EGRESS,
        GateName.ROUTE,
        GateName.BLOCK_PUBLIC_ACCESS,
        GateName.PUBLIC_PATH,
        GateName.NETWORK_FIREWALL,
        GateName.NACL_INGRESS,
        GateName.SECURITY_GROUP_INGRESS,
        GateName.NACL_RETURN_EGRESS,
        GateName.NACL_RETURN_INGRESS,
    )
)


def settle(findings: Iterable[Finding], measurement: Measurement, about_gates: Container[str]) -> tuple[Finding, ...]:
    """The findings with the standings that the gates of their endpoints give their causes.

    `about_gates` are the codes of faults that are about the gates themselves: these keep the causes that they list.
    """
    if not measurement.gates:
        return tuple(findings)
    steps = {step.id: step for step in measurement.steps}
    settled = []
    for finding in findings:
        gates = [gate for gate in measurement.gates if _is_about(gate, finding)]
        because = [] if finding.code in about_gates else [steps[identity] for identity in finding.because]
        settled.append(_settled(finding, because, gates))
    return tuple(settled)


def _is_about(gate: Gate, finding: Finding) -> bool:
    """Whether a gate is of an endpoint of the finding. The registry's key counts for S3, which has the layers."""
    return gate.endpoint in finding.endpoints or (gate.gate is GateName.KMS_KEY and "s3" in finding.endpoints)


def _settled(finding: Finding, because: Iterable[Step], gates: Sequence[Gate]) -> Finding:
    if not finding.causes:
        return finding
    causes = [_with_standing(cause, gates) for cause in finding.causes]
    causes += _unlisted(finding, because, gates)
    if any(cause.standing is Standing.CONFIRMED for cause in causes):
        causes = [_overtaken(cause, gates) for cause in causes]
    if all(cause.standing is Standing.RULED_OUT for cause in causes):
        return finding  # it has a cause all the same, in what no configuration shows
    return replace(finding, causes=tuple(sorted(causes, key=lambda cause: cause.standing.rank)))


# ---- the causes of a finding -----------------------------------------------------------------------------------------


def _with_standing(cause: Cause, gates: Iterable[Gate]) -> Cause:
    refusal = next((gate for gate in gates if _refuses(gate) and gate.cause == cause.code), None)
    if refusal is not None:
        settled = replace(cause, standing=Standing.CONFIRMED, title=refusal.sentence)
        return replace(settled, object=refusal.object, element=refusal.element)
    deciding = _deciding(cause, gates)
    open_gate = next(
        (gate for gate in deciding if gate.cause == cause.code and gate.answer is GateAnswer.DEPENDS), None
    )
    if cause.standing is Standing.CONFIRMED and open_gate is not None:  # by what was measured
        return replace(cause, object=open_gate.object, element=open_gate.element)
    if deciding and all(gate.answer is GateAnswer.ALLOWS or _refuses(gate) for gate in deciding):
        return replace(cause, standing=Standing.RULED_OUT)
    return cause


def _overtaken(cause: Cause, gates: Iterable[Gate]) -> Cause:
    """Where one gate refuses, the fault is explained: a cause stays possible only where a gate of its own is open."""
    is_open = any(gate.answer in _OPEN for gate in _deciding(cause, gates))
    if cause.standing is Standing.POSSIBLE and not is_open:
        return replace(cause, standing=Standing.RULED_OUT)
    return cause


def _deciding(cause: Cause, gates: Iterable[Gate]) -> list[Gate]:
    """The gates that decide a cause. A platform that is not known leaves only that of a wrong platform open."""
    names = SETTLED_BY.get(cause.code, ())
    return [gate for gate in gates if gate.gate in names and (cause.code == _PLATFORM or not gate.is_unread_platform)]


def _refuses(gate: Gate) -> bool:
    """Whether a gate refuses and that explains something: behind another refusal it has no cause."""
    return gate.answer is GateAnswer.REFUSES and gate.cause is not None


# ---- causes that the finding does not list ---------------------------------------------------------------------------


def _unlisted(finding: Finding, because: Iterable[Step], gates: Iterable[Gate]) -> list[Cause]:
    """Refusals that explain the finding at an endpoint where none of its own causes does: the same steps can fail for
    another reason at each endpoint.
    """
    refusals = [gate for gate in gates if _refuses(gate) and gate.object]
    if not any(gate.endpoint == "s3" and gate.gate in _OF_CONNECTIONS for gate in refusals):
        # Without its gateway endpoint, S3's packets still have another way.
        refusals = [gate for gate in refusals if (gate.endpoint, gate.gate) != ("s3", GateName.ENDPOINT)]
    listed = {cause.code for cause in finding.causes}
    explained = {gate.endpoint for gate in refusals if gate.cause in listed}
    actions: dict[str, set[Action]] = {}
    for step in because:
        actions.setdefault(step.endpoint, set()).add(step.action)
    found: dict[str | None, Cause] = {}
    for gate in refusals:
        if gate.endpoint not in explained and _shows(gate, actions.get(gate.endpoint, set())):
            explained.add(gate.endpoint)
            found.setdefault(gate.cause, _cause_of(gate))
    return list(found.values())


def _shows(gate: Gate, actions: Set[Action]) -> bool:
    """Whether failed steps of these actions are what a refusal of this gate looks like."""
    if gate.gate in _OF_NAMES:
        return Action.DNS in actions or Action.TCP in actions
    if gate.gate in _OF_ENDPOINTS or gate.gate in _OF_CONNECTIONS:
        return Action.TCP in actions
    return bool(actions - {Action.DNS, Action.TCP, Action.TLS})


def _cause_of(gate: Gate) -> Cause:
    where = f"{gate.element} of {gate.object}" if gate.element else f"{gate.object}"
    return Cause(
        code=gate.cause or "",
        standing=Standing.CONFIRMED,
        title=gate.sentence,
        fix=Advice(f"change {where}"),
        confirm=Advice(f"read {gate.object}"),
        object=gate.object,
        element=gate.element,
    )

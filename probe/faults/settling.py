"""Gates change the standings of causes: one whose gate refuses is confirmed, one whose gates all allow is ruled out.

What depends on a value that cannot be known, and what could not be read, leaves a cause possible.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from probe.model import Cause, Finding, Gate, GateAnswer, GateName, Standing
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
    "endpoint.missing.secretsmanager": (GateName.ENDPOINT,),
    "endpoint.missing.ssm": (GateName.ENDPOINT,),
    "endpoint.missing.other": (GateName.ENDPOINT,),
    "logs.endpoint-missing": (GateName.ENDPOINT,),
    "ecs.control-plane-endpoints-missing": (GateName.ENDPOINT,),
    "dns.hosted-zone-wrong-name": (GateName.HOSTED_ZONE,),
    "dns.hosted-zone-not-associated": (GateName.HOSTED_ZONE,),
    "endpoint.not-available": (GateName.ENDPOINT,),
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
    "logs.group-missing": (GateName.LOG_GROUP,),
}

_OF_PACKETS = frozenset(
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


def settle(findings: Iterable[Finding], gates: Sequence[Gate]) -> tuple[Finding, ...]:
    """The findings with the standings that the gates of their endpoints give their causes."""
    if not gates:
        return tuple(findings)
    return tuple(
        _settled(finding, [gate for gate in gates if gate.endpoint in finding.endpoints]) for finding in findings
    )


def _settled(finding: Finding, gates: Sequence[Gate]) -> Finding:
    if not finding.causes:
        return finding
    refusals = {gate.cause: gate for gate in reversed(list(_first_refusals(gates))) if gate.cause}
    causes = [_with_standing(cause, refusals.get(cause.code), gates) for cause in finding.causes]
    if any(cause.standing is Standing.CONFIRMED for cause in causes):
        causes = [_overtaken(cause, gates) for cause in causes]
    return replace(finding, causes=tuple(sorted(causes, key=lambda cause: cause.standing.rank)))


def _first_refusals(gates: Iterable[Gate]) -> Iterator[Gate]:
    """The refusals that explain something. Where a name leads to a wrong place, what stops packets on their way there
    explains nothing."""
    astray = set()
    for gate in gates:
        leg = (gate.endpoint, gate.subnet)
        if gate.answer is GateAnswer.REFUSES and not (leg in astray and gate.gate in _OF_PACKETS):
            yield gate
            if gate.gate not in _OF_PACKETS and gate.endpoint != "s3":  # whose name is public by design
                astray.add(leg)


def _with_standing(cause: Cause, refusal: Gate | None, gates: Iterable[Gate]) -> Cause:
    if refusal is not None:
        settled = replace(cause, standing=Standing.CONFIRMED, title=refusal.sentence)
        return replace(settled, object=refusal.object, element=refusal.element)
    own = [gate for gate in gates if gate.gate in SETTLED_BY.get(cause.code, ())]
    if own and all(gate.answer is GateAnswer.ALLOWS or _refuses_otherwise(gate) for gate in own):
        return replace(cause, standing=Standing.RULED_OUT)
    return cause


def _refuses_otherwise(gate: Gate) -> bool:
    """Whether a gate that decides this cause refuses for another one."""
    return gate.answer is GateAnswer.REFUSES and gate.cause is not None


def _overtaken(cause: Cause, gates: Iterable[Gate]) -> Cause:
    """Where one gate refuses, the fault is explained: a cause stays possible only where a gate of its own is open."""
    still_open = {gate.gate for gate in gates if gate.answer in (GateAnswer.DEPENDS, GateAnswer.UNKNOWN)}
    if cause.standing is Standing.POSSIBLE and not still_open & set(SETTLED_BY.get(cause.code, ())):
        return replace(cause, standing=Standing.RULED_OUT)
    return cause

"""Gates change the standings of causes: one whose gate refuses is confirmed, one whose gates all allow is ruled out.

What depends on a value that cannot be known, and what could not be read, leaves a cause possible.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from probe.gates.opinion import Opinion
from probe.inspect.legs import Leg
from probe.model import Cause, Finding, GateAnswer, GateName, Standing
from probe.records import replace

# The gates that can confirm a cause. All of them allow: it is ruled out.
SETTLED_BY: Mapping[str, tuple[GateName, ...]] = {
    "tcp.security-group": (GateName.SECURITY_GROUP_EGRESS, GateName.SECURITY_GROUP_INGRESS),
    "tcp.security-group-s3-egress": (GateName.SECURITY_GROUP_EGRESS,),
    "tcp.nacl": (
        GateName.NACL_EGRESS,
        GateName.NACL_INGRESS,
        GateName.NACL_RETURN_EGRESS,
        GateName.NACL_RETURN_INGRESS,
    ),
    "dns.private-dns-disabled": (GateName.PRIVATE_DNS,),
    "dns.stale-record": (GateName.ENDPOINT_INTERFACE,),
}


def settle(findings: Iterable[Finding], legs: Sequence[Leg], region: str) -> tuple[Finding, ...]:
    """The findings with the standings that the gates of their endpoints give them."""
    return tuple(
        _settled(finding, [leg for leg in legs if leg.endpoint.name in finding.endpoints], region)
        for finding in findings
    )


def _settled(finding: Finding, legs: Sequence[Leg], region: str) -> Finding:
    opinions = [opinion for leg in legs for opinion in _opinions(leg)]
    refusing = {opinion.cause: opinion for opinion in reversed(opinions) if opinion.refuses and opinion.cause}
    causes = [_with_standing(cause, refusing.get(cause.code), opinions, region) for cause in finding.causes]
    return replace(finding, causes=tuple(sorted(causes, key=lambda cause: cause.standing.rank)))


def _with_standing(cause: Cause, refusal: Opinion | None, opinions: Sequence[Opinion], region: str) -> Cause:
    if refusal is not None:
        fix = refusal.change.advice(region) if refusal.change else cause.fix
        return replace(
            cause,
            standing=Standing.CONFIRMED,
            title=refusal.sentence,
            fix=fix,
            object=refusal.object,
            element=refusal.element,
        )
    gates = SETTLED_BY.get(cause.code, ())
    answers = [opinion.answer for opinion in opinions if opinion.gate in gates]
    if answers and all(answer is GateAnswer.ALLOWS for answer in answers):
        return replace(cause, standing=Standing.RULED_OUT)
    return cause


def _opinions(leg: Leg) -> Iterable[Opinion]:
    yield from leg.resolution.opinions
    for passage in leg.passages:
        yield from passage.opinions
    for request in leg.requests:
        yield from request.opinions

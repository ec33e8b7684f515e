"""Faults of layers: the registry's redirect, S3's answer, the bytes, and by what way S3 is reached."""

from __future__ import annotations

from collections.abc import Iterator

from probe.faults import causes
from probe.faults.evidence import Evidence
from probe.faults.fault import Fault
from probe.faults.findings import Suspects, found, possible, settled
from probe.model import (
    Action,
    ControlSeen,
    DenialReason,
    Extent,
    Failure,
    Finding,
    Impact,
    Kind,
    Layers,
    LayerSeen,
    ManifestSeen,
    Outcome,
    Route,
    Step,
)
from probe.narration import size
from probe.records import replace

S3_POLICY = Fault(
    "policy.vpce.s3",
    "S3 refuses the layers that ECR has signed for us (bucket {bucket})",
    "Token and manifest came, so the role is fine. ECR signed the address itself, and the principal there is ECR's "
    "own: only an endpoint policy, or an organisation's, refuses that.",
    Impact.PULL,
    (causes.S3_ENDPOINT_POLICY, causes.ORGANISATION_POLICY, causes.OTHER),
)
S3_POLICY_SAID = replace(
    S3_POLICY,
    title="the policy of the S3 endpoint refuses ECR's layers: it does not allow the bucket {bucket}",
    why=(
        "S3 says so itself. Token and manifest came; the principal of a layer's download is ECR's own, no role of ours."
    ),
)
URL_REJECTED = Fault(
    "layers.url-rejected",
    "S3 does not accept the signed address that ECR gave",
    "The address was used at once and unchanged. Something on the way alters the request, or it took too long.",
    Impact.PULL,
    (causes.EGRESS_FIREWALL, causes.PROXY, causes.OTHER),
)
BLOB_MISSING = Fault(
    "layers.missing",
    "the image names layers that are not there",
    "The manifest came and its blob did not: 404. Network and permissions are fine.",
    Impact.PULL,
    (causes.TAG_NOT_FOUND, causes.LAYER_CORRUPT),
)
BAD_DIGEST = Fault(
    "layers.bad-digest",
    "the bytes of {what} do not match their digest",
    "All of it arrived and its sha256 is wrong: the image is damaged, or somebody changes bytes on the way.",
    Impact.PULL,
    (causes.LAYER_CORRUPT, causes.EGRESS_FIREWALL),
)
FOREIGN_LAYERS = Fault(
    "registry.foreign-layers",
    "{count} of the image's layers are not in ECR and were left out",
    "They are foreign (non-distributable) layers, as Windows base images have them: clients fetch them from their "
    "vendor's host, to which no VPC endpoint leads.",
    Impact.PULL,
    (causes.FOREIGN_LAYERS,),
    Extent.PARTLY,
)
RANGED = Fault(
    "layers.ranged",
    "only the first {received} of a layer of {size} were fetched, so its digest is not verified",
    "It is larger than --layer-bytes. --layers all fetches and verifies everything.",
    Impact.NONE,
    extent=Extent.NOTED,
)
NOT_FETCHED = Fault(
    "layers.not-fetched",
    "no layer was fetched, as --layers none asks, so the pull is not proven",
    "Layers come from S3, by another way than the manifest.",
    Impact.NONE,
    extent=Extent.NOTED,
)
S3_ROUTE = Fault(
    "s3.route-undetermined",
    "S3 is reached, by a gateway endpoint or by NAT: the wire does not tell which",
    "A gateway endpoint keeps S3's public addresses. aws ec2 describe-route-tables decides.",
    Impact.NONE,
    (causes.S3_ROUTE_TABLE, causes.MISSING_S3),
    Extent.NOTED,
)
S3_ROUTE_LIKELY = replace(
    S3_ROUTE,
    title="S3 is reached by public addresses, probably through a gateway endpoint",
    why=(
        "S3 of another region ({control}) stays silent, so there seems to be no NAT. aws ec2 describe-route-tables "
        "proves it."
    ),
)
S3_ROUTE_NAT = replace(
    S3_ROUTE,
    title="S3 is reached, but whether by a gateway endpoint or by the NAT cannot be told: there is a way out",
    why=(
        "S3 of another region ({control}) is reached too, so there is a NAT or internet gateway. aws ec2 "
        "describe-route-tables decides which way the layers take."
    ),
)


def refused_layers(evidence: Evidence) -> Iterator[Finding]:
    """S3 refuses what ECR signed: an endpoint policy, said or unsaid, or an organisation's."""
    groups: dict[Suspects, list[Step]] = {}
    for step in evidence.failed(Action.LAYER):
        if step.failure is Failure.DENIED:
            groups.setdefault(_who_refuses(step), []).append(step)
    for suspects, steps in groups.items():
        fault = S3_POLICY_SAID if causes.S3_ENDPOINT_POLICY in suspects.confirmed else S3_POLICY
        yield found(fault, evidence, evidence.tries(*steps), suspects=suspects)


def _who_refuses(step: Step) -> Suspects:
    denial = step.denial
    reason = denial.reason if denial else None
    if reason is DenialReason.ENDPOINT:
        return settled(causes.S3_ENDPOINT_POLICY)
    if reason in (DenialReason.SERVICE_CONTROL, DenialReason.RESOURCE_CONTROL):
        return settled(causes.ORGANISATION_POLICY)
    return possible(*S3_POLICY.causes)


def rejected_addresses(evidence: Evidence) -> Iterator[Finding]:
    """Signed addresses that S3 does not accept."""
    steps = [step for step in evidence.failed(Action.LAYER) if step.failure is Failure.UNAUTHENTICATED]
    if steps:
        yield found(URL_REJECTED, evidence, evidence.tries(*steps))


def missing_blobs(evidence: Evidence) -> Iterator[Finding]:
    """Blobs that the registry, or S3 behind it, does not have."""
    steps = [step for step in evidence.failed(Action.BLOB, Action.LAYER) if step.failure is Failure.NOT_FOUND]
    if steps:
        yield found(BLOB_MISSING, evidence, evidence.tries(*steps))


def damaged_bytes(evidence: Evidence) -> Iterator[Finding]:
    """Manifests and layers whose bytes are not what their digest says."""
    steps = [step for step in evidence.failed(Action.MANIFEST, Action.LAYER) if step.failure is Failure.BAD_DIGEST]
    if steps:
        layers = sum(step.action is Action.LAYER for step in steps)
        what = f"{layers} of the layers" if layers else "the manifest"
        yield found(BAD_DIGEST, evidence, evidence.tries(*steps), what=what)


def foreign_layers(evidence: Evidence) -> Iterator[Finding]:
    """Layers that are not in ECR."""
    steps = [step for step in evidence.of(Action.MANIFEST) if step.ok and _foreign(step)]
    if steps:
        yield found(FOREIGN_LAYERS, evidence, steps[-1:], count=_foreign(steps[-1]))


def _foreign(step: Step) -> int:
    return step.seen.foreign_layers if isinstance(step.seen, ManifestSeen) else 0


def unfetched_layers(evidence: Evidence) -> Iterator[Finding]:
    """Layers of which only a part was fetched, or nothing, because nobody asked for more."""
    for step in evidence.of(Action.LAYER):
        if step.ok and isinstance(step.seen, LayerSeen) and step.seen.ranged:
            whole = size(step.seen.size) if step.seen.size is not None else "unknown size"
            yield found(RANGED, evidence, (step,), received=size(step.seen.received), size=whole)
    if evidence.plan.layers is Layers.NONE:
        skipped = [
            step for step in evidence.of(Action.LAYER) if step.outcome is Outcome.SKIPPED and step.blocked_by is None
        ]
        if skipped and evidence.plan.reference is not None:
            yield found(NOT_FETCHED, evidence, skipped)


def ways_to_s3(evidence: Evidence) -> Iterator[Finding]:
    """By what way S3's public addresses are reached: a gateway endpoint and a NAT look alike."""
    visit = next((each for each in evidence.visits if each.endpoint.kind is Kind.GATEWAY and not each.redirected), None)
    if visit is None or not visit.shaken or evidence.route(visit) is not Route.UNDETERMINED:
        return
    control = next(
        (step for step in evidence.of(Action.CONTROL) if step.endpoint == visit.endpoint.name and step.ok), None
    )
    seen = control.seen if control and isinstance(control.seen, ControlSeen) else None
    fault = {None: S3_ROUTE, False: S3_ROUTE_LIKELY, True: S3_ROUTE_NAT}[seen.reached if seen else None]
    yield found(
        fault, evidence, (*visit.connected, *((control,) if control else ())), control=seen.host if seen else "none"
    )


FAULTS = (S3_POLICY, URL_REJECTED, BLOB_MISSING, BAD_DIGEST, FOREIGN_LAYERS, RANGED, NOT_FETCHED, S3_ROUTE)
RULES = (
    refused_layers,
    rejected_addresses,
    missing_blobs,
    damaged_bytes,
    foreign_layers,
    unfetched_layers,
    ways_to_s3,
)

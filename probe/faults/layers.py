"""Faults of layers: the registry's redirect to them, S3's answer, the bytes, and which path leads to S3."""

from __future__ import annotations

from collections.abc import Iterator

from probe.faults import causes
from probe.faults.answers import concern
from probe.faults.evidence import Evidence
from probe.faults.fault import Fault, Suspects, confirmed, finding, finds, noted, possible
from probe.model import (
    Action,
    Basis,
    DenialReason,
    Extent,
    Failure,
    Finding,
    Gate,
    GateAnswer,
    GateName,
    Impact,
    Kind,
    Layers,
    Outcome,
    RedirectTarget,
    Route,
    Step,
)
from probe.narration import size

PULL_THROUGH = Fault(
    "registry.pull-through-redirect",
    "the registry redirects the layer download to {host}, which is not ECR's layer bucket",
    "The repository seems to be a pull-through cache, and its layers are still upstream. No VPC endpoint is known to "
    "lead there. The layers were not fetched.",
    Impact.PULL,
    (causes.PULL_THROUGH, causes.EGRESS_FIREWALL),
)
BAD_REDIRECT = Fault(
    "layers.bad-redirect",
    "the registry's redirect to the layers cannot be followed",
    "It points back to the registry, or S3 redirected a second time.",
    Impact.PULL,
    (causes.ALTERING_MIDDLEBOX, causes.OTHER),
)
INSECURE_REDIRECT = BAD_REDIRECT.variant(
    why="It points to a URL without TLS ({host}). ECR never does that; a middlebox rewrites it."
)
NO_REDIRECT = BAD_REDIRECT.variant(why="The registry answered without a redirect; it always redirects to S3.")
_LAZY_SNAPSHOTTERS = ("soci",)
_REDIRECTS = {RedirectTarget.INSECURE: INSECURE_REDIRECT, None: NO_REDIRECT}


@finds(PULL_THROUGH, BAD_REDIRECT, INSECURE_REDIRECT, NO_REDIRECT, basis=Basis.MEASURED)
def wrong_redirects(evidence: Evidence) -> Iterator[Finding]:
    """Redirects to a foreign host, without TLS or in a circle, and answers without the redirect."""
    groups: dict[tuple[RedirectTarget | None, str | None], list[Step]] = {}
    for step in evidence.failed(Action.BLOB, Action.LAYER):
        if step.failure is Failure.REDIRECT:
            redirect = step.redirect
            target = redirect.target if redirect else RedirectTarget.LOOP
            groups.setdefault((target, redirect.host if redirect else None), []).append(step)
    for (target, host), steps in groups.items():
        tries, where = evidence.tries(*steps), host or "no host"
        if target is RedirectTarget.FOREIGN:
            suspects = _upstream_suspects(evidence, steps)
            yield finding(PULL_THROUGH, evidence, tries, suspects=suspects, host=where)
        else:
            yield finding(_REDIRECTS.get(target, BAD_REDIRECT), evidence, tries, host=where)


def _upstream_suspects(evidence: Evidence, steps: list[Step]) -> Suspects:
    """Confirmed where AWS itself redirects to a host that is not AWS's: only an upstream registry is there."""
    redirects = [step.redirect for step in steps if step.redirect]
    suffix = evidence.plan.dns_suffix
    ours = all(redirect.answer.aws and not (redirect.host or "").endswith(suffix) for redirect in redirects)
    return confirmed(causes.PULL_THROUGH) if ours else PULL_THROUGH.suspects


S3_POLICY = Fault(
    "policy.vpce.s3",
    "S3 denies the download of layers that ECR signed, from {named_bucket}",
    "Token and manifest arrived, so the role's permissions are fine. Principal and bucket are AWS's own: the policy of "
    "an S3 endpoint applies, and no policy of your roles or organization (SCP, RCP) does.",
    Impact.PULL,
    (causes.S3_ENDPOINT_POLICY, causes.KMS_KEY, causes.OTHER),
)
S3_POLICY_NAMED = S3_POLICY.variant(
    title="the policy of the S3 endpoint blocks ECR's layers: it does not allow {named_bucket}",
    why=(
        "S3's answer names the endpoint policy. Token and manifest arrived; a layer is downloaded with ECR's own "
        "principal, not with a role of yours."
    ),
)
S3_POLICY_NEW_BUCKET = S3_POLICY.variant(
    title="S3 denies the download of layers from the bucket {bucket}, which is not ECR's known layer bucket",
    why=(
        "The registry redirected to S3 of the image's region. The policy of an S3 endpoint may allow only the known "
        "bucket, or a middlebox redirected to a bucket of its own."
    ),
    causes=(causes.S3_ENDPOINT_POLICY, causes.ALTERING_MIDDLEBOX, causes.OTHER),
)
URL_REJECTED = Fault(
    "layers.url-rejected",
    "S3 does not accept the URL that ECR signed",
    "The URL was used immediately and unchanged. Either a middlebox altered the request, or the URL had expired when "
    "it arrived.",
    Impact.PULL,
    (causes.ALTERING_MIDDLEBOX, causes.PROXY, causes.OTHER),
)
NEW_BUCKET = noted(
    "layers.new-bucket",
    "the registry keeps the layers in another bucket than the known one: {host}",
    "It is S3 of the image's region, so the layers were fetched from it. A policy of an S3 endpoint that allows only "
    "prod-{region}-starport-layer-bucket denies them.",
)
LAZY = noted(
    "layers.lazy",
    "the containers of this task read their layers lazily (snapshotter {snapshotter})",
    "A running container continues to read layers from S3, and renews their URLs at the registry. A later loss of this "
    "path breaks it, and a task that has started does not prove that all layers arrived.",
)
BLOB_MISSING = Fault(
    "layers.missing",
    "the image lists layers that do not exist",
    "The manifest arrived, but a blob that it lists returned 404. Network and permissions are fine.",
    Impact.PULL,
    (
        causes.TAG_NOT_FOUND.variant(
            title="layers of the image were deleted, or its push was never completed",
            fix=causes.LAYER_CORRUPT.fix,
            confirm=causes.LAYER_CORRUPT.confirm,
        ),
        causes.LAYER_CORRUPT,
    ),
)
BAD_DIGEST = Fault(
    "layers.bad-digest",
    "the bytes of {what} do not match their digest",
    "All bytes arrived, and their sha256 is wrong: the image is damaged, or a middlebox changes bytes.",
    Impact.PULL,
    (causes.LAYER_CORRUPT, causes.ALTERING_MIDDLEBOX),
    examples=(("what", "the manifest or layers"),),
)
FOREIGN_LAYERS = Fault(
    "registry.foreign-layers",
    "{count} of the image's layers are not in ECR and were left out",
    "They are foreign (non-distributable) layers, which Windows base images have. Clients fetch them from the vendor's "
    "host, which no VPC endpoint reaches.",
    Impact.PULL,
    (causes.FOREIGN_LAYERS,),
    Extent.PARTLY,
    examples=(("count", "some"),),
)
RANGED = noted(
    "layers.ranged",
    "only the first {received} of a layer of {size} were fetched, so its digest is not verified",
    "The layer is larger than --layer-bytes. --layers all fetches and verifies everything.",
    examples=(("received", "RECEIVED"), ("size", "SIZE")),
)
NOT_FETCHED = noted(
    "layers.not-fetched",
    "no layer was fetched (--layers none), so the pull is not proven",
    "Layers come from S3, over a different path from the manifest's.",
)
S3_ROUTE = Fault(
    "s3.route-undetermined",
    "layers may leave the VPC through a NAT or internet gateway: this subnet has a route to the internet",
    "S3 of another region ({control}) was reached at a public address, so there is a way out of the VPC. A gateway "
    "endpoint keeps S3's public addresses, so from inside the task both paths look the same. With a gateway endpoint "
    "in the subnet's route table nothing is wrong: its route is more specific than the one to the internet. "
    "--allow-public s3 accepts both.",
    Impact.ROUTE,
    (causes.MAY_LACK_S3_ROUTE, causes.MISSING_S3),
    Extent.PARTLY,
    examples=(("control", "HOST"),),
)
S3_ROUTE_ACCEPTED = S3_ROUTE.variant(
    why="S3 of another region ({control}) was reached at a public address. --allow-public accepts a path out.",
    causes=(),
    extent=Extent.NOTED,
)
S3_ROUTE_REPORTED = S3_ROUTE.variant(
    why="S3 of another region ({control}) was reached at a public address. Another finding reports the path out of the "
    "VPC; whether the layers use it too shows in the subnet's route table.",
    causes=(),
    extent=Extent.NOTED,
)


@finds(S3_POLICY, S3_POLICY_NAMED, S3_POLICY_NEW_BUCKET)
def refused_layers(evidence: Evidence) -> Iterator[Finding]:
    """S3 denies what ECR signed. AWS[s3-layer-principal] Only an endpoint's policy, or a key's, can do that."""
    groups: dict[Suspects, list[Step]] = {}
    for step in evidence.failed(Action.LAYER):
        if step.failure is Failure.DENIED and concern(step) is None:
            groups.setdefault(_suspects(step), []).append(step)
    for suspects, steps in groups.items():
        fault, bucket = S3_POLICY, _bucket(evidence, steps)
        if causes.S3_ENDPOINT_POLICY in suspects.confirmed:
            fault = S3_POLICY_NAMED
        elif bucket is not None:
            fault, suspects = S3_POLICY_NEW_BUCKET, S3_POLICY_NEW_BUCKET.suspects
        named = f"the bucket {bucket}" if bucket else None
        yield finding(fault, evidence, evidence.tries(*steps), suspects=suspects, bucket=bucket, named_bucket=named)


def _suspects(step: Step) -> Suspects:
    denial = step.denial
    if denial is not None and denial.reason is DenialReason.ENDPOINT:
        return confirmed(causes.S3_ENDPOINT_POLICY)
    return possible(*S3_POLICY.causes)


@finds(NEW_BUCKET)
def new_buckets(evidence: Evidence) -> Iterator[Finding]:
    """Redirects to S3 of the image's region, but to a bucket with another name."""
    steps = [step for step in evidence.of(Action.BLOB) if step.ok and _is_new_bucket(step)]
    if steps:
        host = steps[0].redirect.host if steps[0].redirect else None
        yield finding(NEW_BUCKET, evidence, steps, host=host)


def _is_new_bucket(step: Step) -> bool:
    return step.redirect is not None and step.redirect.target is RedirectTarget.NEW_BUCKET


def _bucket(evidence: Evidence, layers: list[Step]) -> str | None:
    """The bucket of these layers where it is not the usual one."""
    digests = {step.layer.digest for step in layers if step.layer}
    redirects = [step.redirect for step in evidence.of(Action.BLOB) if _is_new_bucket(step)]
    hosts = [redirect.host for redirect in redirects if redirect and redirect.digest in digests and redirect.host]
    return hosts[0].partition(".s3")[0] if hosts else None


@finds(LAZY, basis=Basis.MEASURED)
def lazy_layers(evidence: Evidence) -> Iterator[Finding]:
    """A snapshotter that starts containers before their layers are there. AWS[soci-reads-later]"""
    snapshotter = evidence.surroundings.snapshotter
    steps = [step for step in evidence.of(Action.METADATA) if step.ok][:1]
    if snapshotter in _LAZY_SNAPSHOTTERS and steps:
        yield finding(LAZY, evidence, steps, endpoints=("s3",), snapshotter=snapshotter)


@finds(URL_REJECTED)
def rejected_urls(evidence: Evidence) -> Iterator[Finding]:
    """Signed URLs that S3 does not accept."""
    layers = evidence.failed(Action.LAYER)
    steps = [step for step in layers if step.failure is Failure.UNAUTHENTICATED and concern(step) is None]
    if steps:
        yield finding(URL_REJECTED, evidence, evidence.tries(*steps))


@finds(BLOB_MISSING)
def missing_blobs(evidence: Evidence) -> Iterator[Finding]:
    """Blobs that the registry, or S3 behind it, does not have."""
    blobs = evidence.failed(Action.BLOB, Action.LAYER)
    steps = [step for step in blobs if step.failure is Failure.NOT_FOUND and concern(step) is None]
    if steps:
        yield finding(BLOB_MISSING, evidence, evidence.tries(*steps))


@finds(BAD_DIGEST)
def damaged_bytes(evidence: Evidence) -> Iterator[Finding]:
    """Manifests and layers with bytes that do not match their digest."""
    steps = [step for step in evidence.failed(Action.MANIFEST, Action.LAYER) if step.failure is Failure.BAD_DIGEST]
    if steps:
        layers = sum(step.action is Action.LAYER for step in steps)
        what = f"{layers} of the layers" if layers else "the manifest"
        yield finding(BAD_DIGEST, evidence, evidence.tries(*steps), what=what)


@finds(FOREIGN_LAYERS)
def foreign_layers(evidence: Evidence) -> Iterator[Finding]:
    """Layers that are not in ECR."""
    steps = [step for step in evidence.of(Action.MANIFEST) if step.ok and _foreign(step)]
    if steps:
        yield finding(FOREIGN_LAYERS, evidence, steps[-1:], count=_foreign(steps[-1]))


def _foreign(step: Step) -> int:
    return step.manifest.foreign_layers if step.manifest else 0


@finds(RANGED, NOT_FETCHED)
def unfetched_layers(evidence: Evidence) -> Iterator[Finding]:
    """Layers of which only a part was fetched, or nothing, as the settings ask."""
    for step in evidence.of(Action.LAYER):
        if step.ok and (layer := step.layer) and layer.ranged:
            whole = size(layer.size) if layer.size is not None else "unknown size"
            yield finding(RANGED, evidence, (step,), received=size(layer.received), size=whole)
    if evidence.plan.layers is Layers.NONE:
        skipped = [
            step for step in evidence.of(Action.LAYER) if step.outcome is Outcome.SKIPPED and step.blocked_by is None
        ]
        if skipped and evidence.plan.reference is not None:
            yield finding(NOT_FETCHED, evidence, skipped)


def _is_way_out_reported(evidence: Evidence) -> bool:
    """Whether another finding says that traffic of this task leaves the VPC."""
    needed = (host for host in evidence.hosts if host.endpoint.impact is not Impact.NONE)
    return any(evidence.route(host) is Route.PUBLIC or evidence.is_other_region(host) for host in needed)


def _is_gateway_proven(gate: Gate, endpoint: str) -> bool:
    """Whether the configuration shows S3's gateway endpoint in the subnet's route table."""
    return gate.endpoint == endpoint and gate.gate is GateName.ENDPOINT and gate.answer is GateAnswer.ALLOWS


@finds(S3_ROUTE, S3_ROUTE_ACCEPTED, S3_ROUTE_REPORTED)
def paths_to_s3(evidence: Evidence) -> Iterator[Finding]:
    """S3 at public addresses, from a subnet with a proven way out: a gateway endpoint and a NAT look the same.

    A silent control proves nothing: a security group that allows only S3's prefix list silences it too.
    """
    planned = (host for host in evidence.hosts if not host.redirected)
    host = next((host for host in planned if host.endpoint.kind is Kind.GATEWAY), None)
    if host is None or not host.verified_handshakes or evidence.route(host) is not Route.UNDETERMINED:
        return
    if evidence.is_off_ecs or evidence.is_outside_vpc or evidence.is_foreign(host.endpoint):
        return  # no VPC, or no gateway endpoint: it serves its own region alone
    if any(_is_gateway_proven(gate, host.endpoint.name) for gate in evidence.measurement.gates):
        return
    controls = [step for step in evidence.controls_outside if step.endpoint == host.endpoint.name]
    if controls:
        # A way out that is accepted for one endpoint is there on purpose.
        fault = S3_ROUTE_ACCEPTED if evidence.policy.allow_public else S3_ROUTE
        fault = S3_ROUTE_REPORTED if fault is S3_ROUTE and _is_way_out_reported(evidence) else fault
        control = controls[0].control
        yield finding(fault, evidence, (*host.connected, *controls), control=control.host if control else None)

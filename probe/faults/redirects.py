"""Faults of the registry's redirect to the layers: to another region, to a foreign host, or to no valid host."""

from __future__ import annotations

import re
from collections.abc import Iterator

from probe.faults import causes
from probe.faults.evidence import REFUSALS, Evidence
from probe.faults.fault import Fault, Wording, finds
from probe.faults.findings import Suspects, confirmed, finding, merged, possible
from probe.faults.host_facts import Visit
from probe.faults.registry import CROSS_REGION
from probe.model import Action, Extent, Failure, Finding, Impact, RedirectTarget, Step

CROSS_REGION_LAYERS = CROSS_REGION.variant(
    title="the registry keeps this image's layers in another region ({layer_region})",
    why=(
        "They are at {host}. An S3 gateway endpoint carries only traffic to its own region's buckets, so these bytes "
        "take another path."
    ),
    impact=Impact.ROUTE,
    causes=(causes.CROSS_REGION,),
    extent=Extent.PARTLY,
)
CROSS_REGION_SILENT = CROSS_REGION.variant(
    title="the registry keeps this image's layers in another region ({layer_region}), which is unreachable",
    why=(
        "{host} does not answer. An S3 gateway endpoint carries only traffic to its own region's buckets, so these "
        "bytes need another path."
    ),
    impact=Impact.PULL,
    causes=(causes.CROSS_REGION, causes.NO_ROUTE, causes.SECURITY_GROUP_S3_EGRESS, causes.EGRESS_FIREWALL),
    extent=Extent.WHOLLY,
)
PULL_THROUGH = Fault(
    "registry.pull-through-redirect",
    "the registry redirects the layer download to {host}, which is not ECR's layer bucket",
    "The repository seems to be a pull-through cache, and its layers are still upstream. No VPC endpoint leads there, "
    "so the layers were not fetched.",
    Impact.PULL,
    (causes.PULL_THROUGH, causes.EGRESS_FIREWALL),
    in_texts=Wording(
        title="a layer of the image is fetched from {host}, which is not ECR's layer bucket",
        why=(
            "The image is in ECR, but this layer is not: a pull-through cache redirects clients upstream until it has "
            "the image, and Windows base images keep layers at their vendor. No VPC endpoint leads there."
        ),
        causes=(causes.PULL_THROUGH, causes.FOREIGN_LAYERS, causes.EGRESS_FIREWALL),
    ),
)
BAD_REDIRECT = Fault(
    "layers.bad-redirect",
    "the registry's redirect to the layers cannot be followed",
    "It points back to the registry, or S3 redirected a second time.",
    Impact.PULL,
    (causes.EGRESS_FIREWALL, causes.OTHER),
)
INSECURE_REDIRECT = BAD_REDIRECT.variant(
    why="It points to a URL without TLS ({host}). ECR never does that; a middlebox rewrites it."
)
NO_REDIRECT = BAD_REDIRECT.variant(why="The registry answered without a redirect; it always redirects to S3.")
_OF_WINDOWS = re.compile(r"(?:^|[.<-])(?:mcr|ms|microsoft)\b")  # only its base images have foreign layers
_REDIRECTS = {RedirectTarget.INSECURE: INSECURE_REDIRECT, None: NO_REDIRECT}


@finds(PULL_THROUGH, BAD_REDIRECT, INSECURE_REDIRECT, NO_REDIRECT)
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
            yield finding(PULL_THROUGH, evidence, tries, suspects=_upstream_suspects(evidence, steps), host=where)
        else:
            yield finding(_REDIRECTS.get(target, BAD_REDIRECT), evidence, tries, host=where)


def _upstream_suspects(evidence: Evidence, steps: list[Step]) -> Suspects:
    """Confirmed where AWS itself redirects to a host that is not AWS's: only an upstream registry is there."""
    redirects = [step.redirect for step in steps if step.redirect]
    if evidence.is_text:
        suspects = possible(*PULL_THROUGH.for_evidence(is_text=True).causes)
        of_windows = any(_OF_WINDOWS.search(redirect.host or "") for redirect in redirects)
        return suspects.first(causes.FOREIGN_LAYERS) if of_windows else suspects
    suffix = evidence.plan.dns_suffix
    ours = all(redirect.answer.aws and not (redirect.host or "").endswith(suffix) for redirect in redirects)
    return confirmed(causes.PULL_THROUGH) if ours else possible(*PULL_THROUGH.causes)


@finds(CROSS_REGION_LAYERS, CROSS_REGION_SILENT)
def other_regions(evidence: Evidence) -> Iterator[Finding]:
    """Layers that the registry keeps in another region's S3, reached past the gateway endpoint or not at all."""
    redirects: dict[str, list[Step]] = {}
    for step in evidence.of(Action.BLOB):
        if (redirect := step.redirect) and redirect.target is RedirectTarget.OTHER_REGION and redirect.host:
            redirects.setdefault(redirect.host, []).append(step)
    for host, steps in redirects.items():
        visit = next((visit for visit in evidence.visits if visit.redirected and visit.host == host), None)
        lost = _lost(visit) if visit else ()
        region = steps[0].redirect.region if steps[0].redirect else None
        fault = CROSS_REGION_SILENT if visit and not visit.connected else CROSS_REGION_LAYERS
        where = region or "unknown"
        yield finding(fault, evidence, merged(steps, lost), layer_region=where, region=where, host=host)


def _lost(visit: Visit) -> tuple[Step, ...]:
    """The lookups and connections that failed for that host."""
    asked = (*visit.lines, *((visit.control,) if visit.control else ()))
    names = tuple(step for line in asked for step in line.failed) if not visit.addresses else ()
    return (*names, *visit.unconnected((Failure.TIMEOUT, Failure.UNREACHABLE, *REFUSALS)))

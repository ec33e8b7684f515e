"""Faults of the registry's redirect to the layers: to another region, to somebody else's host, or to nowhere."""

from __future__ import annotations

import re
from collections.abc import Iterator

from probe.faults import causes
from probe.faults.evidence import REFUSALS, Evidence
from probe.faults.fault import Fault
from probe.faults.findings import Suspects, cited, found, possible, settled
from probe.faults.host_facts import Visit
from probe.faults.registry import CROSS_REGION
from probe.model import Action, Extent, Failure, Finding, Impact, RedirectSeen, RedirectTarget, Step
from probe.records import replace

CROSS_REGION_LAYERS = replace(
    CROSS_REGION,
    title="the registry keeps this image's layers in another region ({layer_region})",
    why=(
        "They are at {host}. An S3 gateway endpoint carries only its own region's buckets, so these bytes take "
        "another way."
    ),
    impact=Impact.ROUTE,
    causes=(causes.CROSS_REGION,),
    extent=Extent.PARTLY,
)
CROSS_REGION_SILENT = replace(
    CROSS_REGION,
    title="the registry keeps this image's layers in another region ({layer_region}), which cannot be reached",
    why=(
        "{host} does not answer. An S3 gateway endpoint carries only its own region's buckets, so these bytes need "
        "another way."
    ),
    impact=Impact.PULL,
    causes=(causes.CROSS_REGION, causes.NO_ROUTE, causes.SECURITY_GROUP_S3_EGRESS, causes.EGRESS_FIREWALL),
    extent=Extent.WHOLLY,
)
PULL_THROUGH = Fault(
    "registry.pull-through-redirect",
    "the registry sends the layers' download to {host}, which is not ECR's layer bucket",
    "The repository seems to be a pull-through cache whose layers are still upstream. No VPC endpoint leads there; it "
    "was not fetched.",
    Impact.PULL,
    (causes.PULL_THROUGH, causes.EGRESS_FIREWALL),
)
PULL_THROUGH_TOLD = replace(
    PULL_THROUGH,
    title="a layer of the image is fetched from {host}, which is not ECR's layer bucket",
    why=(
        "The image is in ECR, and this part of it is not: a pull-through cache sends clients upstream until it has the "
        "image, and base images of Windows keep their layers at their vendor's. No VPC endpoint leads there."
    ),
    causes=(causes.PULL_THROUGH, causes.FOREIGN_LAYERS, causes.EGRESS_FIREWALL),
)
BAD_REDIRECT = Fault(
    "layers.bad-redirect",
    "the registry's redirect to the layers cannot be followed",
    "{kind}",
    Impact.PULL,
    (causes.EGRESS_FIREWALL, causes.OTHER),
)
_OF_WINDOWS = re.compile(r"(?:^|[.<-])(?:mcr|ms|microsoft)\b")  # only its base images have foreign layers
_REDIRECTS = {
    RedirectTarget.INSECURE: (
        "It names an address without TLS ({host}). ECR never does; something on the way rewrites it."
    ),
    RedirectTarget.LOOP: "It names the registry itself again, or S3 redirected once more.",
    None: "The registry answered without a redirect where it always redirects to S3.",
}


def wrong_redirects(evidence: Evidence) -> Iterator[Finding]:
    """Redirects to somebody else's host, without TLS, in a circle, or none at all."""
    groups: dict[tuple[RedirectTarget | None, str | None], list[Step]] = {}
    for step in evidence.failed(Action.BLOB, Action.LAYER):
        if step.failure is Failure.REDIRECT:
            seen = step.seen if isinstance(step.seen, RedirectSeen) else None
            target = seen.target if seen else RedirectTarget.LOOP
            groups.setdefault((target, seen.host if seen else None), []).append(step)
    for (target, host), steps in groups.items():
        where = host or "no host"
        if target is RedirectTarget.FOREIGN:
            fault = PULL_THROUGH_TOLD if evidence.is_text else PULL_THROUGH
            yield found(fault, evidence, evidence.tries(*steps), suspects=_upstream(evidence, steps), host=where)
        else:
            kind = _REDIRECTS.get(target, _REDIRECTS[RedirectTarget.LOOP]).format(host=where)
            yield found(BAD_REDIRECT, evidence, evidence.tries(*steps), kind=kind)


def _upstream(evidence: Evidence, steps: list[Step]) -> Suspects:
    """Only the registry itself sends a redirect in an answer of AWS; upstreams are not on AWS's hosts."""
    seen = [step.seen for step in steps if isinstance(step.seen, RedirectSeen)]
    if evidence.is_text:
        suspects = possible(*PULL_THROUGH_TOLD.causes)
        of_windows = any(_OF_WINDOWS.search(each.host or "") for each in seen)
        return suspects.first(causes.FOREIGN_LAYERS) if of_windows else suspects
    ours = all(each.answer.aws and not (each.host or "").endswith(evidence.plan.dns_suffix) for each in seen)
    return settled(causes.PULL_THROUGH) if ours else possible(*PULL_THROUGH.causes)


def other_regions(evidence: Evidence) -> Iterator[Finding]:
    """Layers that the registry keeps in another region's S3: reached by another way than the gateway, or not at all."""
    redirects: dict[str, list[Step]] = {}
    for step in evidence.of(Action.BLOB):
        if isinstance(step.seen, RedirectSeen) and step.seen.target is RedirectTarget.OTHER_REGION and step.seen.host:
            redirects.setdefault(step.seen.host, []).append(step)
    for host, steps in redirects.items():
        visit = next((visit for visit in evidence.visits if visit.redirected and visit.host == host), None)
        lost = _lost(visit) if visit else ()
        seen = steps[0].seen
        region = seen.region if isinstance(seen, RedirectSeen) else None
        fault = CROSS_REGION_SILENT if visit and not visit.connected else CROSS_REGION_LAYERS
        where = region or "unknown"
        yield found(fault, evidence, cited(steps, lost), layer_region=where, region=where, host=host)


def _lost(visit: Visit) -> tuple[Step, ...]:
    """What failed on the way to that host, up to TCP."""
    asked = (*visit.lines, *((visit.control,) if visit.control else ()))
    names = tuple(step for line in asked for step in line.failed) if not visit.addresses else ()
    return (*names, *visit.unconnected((Failure.TIMEOUT, Failure.UNREACHABLE, *REFUSALS)))


FAULTS = (PULL_THROUGH, BAD_REDIRECT)
RULES = (wrong_redirects, other_regions)

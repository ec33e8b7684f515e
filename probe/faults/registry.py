"""Faults that the registry tells of the image: not found, not for this platform, named by another host or region."""

from __future__ import annotations

from collections.abc import Iterator

from probe.faults import causes
from probe.faults.evidence import NO_EVIDENCE, Evidence
from probe.faults.fault import Fault
from probe.faults.findings import Suspects, found, possible, settled
from probe.faults.host_facts import is_inside
from probe.model import Action, Extent, Failure, Finding, Impact, LayerSeen, ManifestSeen, Route, Step
from probe.narration import listed
from probe.records import replace

TOKEN_REJECTED = Fault(
    "registry.token-rejected",
    "the registry does not accept the token that ecr.api has just given",
    "Token and registry answered, so the network is fine; the token is expired, of another region, or was altered on "
    "the way.",
    Impact.PROOF,
    (causes.TOKEN_EXPIRED, causes.CREDENTIALS_REJECTED, causes.PROXY),
)
TOKEN_REJECTED_TOLD = replace(
    TOKEN_REJECTED,
    title="the registry does not accept the token that it was given",
    why="The registry answered, so the network to it is fine; the token is expired, of another region, or incomplete.",
    impact=Impact.PULL,
)
REPO_NOT_FOUND = Fault(
    "registry.repo-not-found",
    "the repository {repository} does not exist in account {account}, region {region}",
    "The registry answered 404: network and credentials are fine. {prefix}",
    Impact.PULL,
    (causes.REPOSITORY_NOT_FOUND,),
)
REPO_HIDDEN = replace(
    REPO_NOT_FOUND,
    title="the repository does not exist, or may not be seen",
    why="The registry answered, so the network is fine. Docker has the same words for a wrong name and for a refusal.",
    causes=(causes.EXECUTION_ROLE, causes.REPOSITORY_NOT_FOUND, causes.TOKEN_EXPIRED, causes.ECR_ENDPOINT_POLICY),
)
REPO_NOT_FOUND_TOLD = replace(REPO_NOT_FOUND, title="the registry has no repository of this name")
TAG_NOT_FOUND = Fault(
    "registry.tag-not-found",
    "the repository {repository} has no image {version}",
    "The registry answered 404: network, credentials and repository are fine. {prefix}",
    Impact.PULL,
    (causes.TAG_NOT_FOUND,),
)
TAG_NOT_FOUND_TOLD = replace(TAG_NOT_FOUND, title="the registry has no image of this name and tag")
NO_PLATFORM = Fault(
    "registry.no-matching-platform",
    "the image has nothing for {platform}",
    "It offers {offered}. A task of that platform cannot pull it, or cannot run it.",
    Impact.PULL,
    (causes.NO_MATCHING_PLATFORM,),
)
NO_PLATFORM_TOLD = replace(
    NO_PLATFORM, why="Its manifest list names other platforms only. A task of that platform cannot pull it."
)
OTHER_PLATFORM = replace(
    NO_PLATFORM,
    why=(
        "It offers {offered}; {chosen} was pulled in its place to prove the path. --platform says which one the "
        "tasks need."
    ),
    extent=Extent.PARTLY,
)
HEAD_REFUSED = Fault(
    "registry.head-refused",
    "the registry refused HEAD for the manifest but answered GET",
    "A HEAD answer has no body, so GET's words count. Clients that ask with HEAD only may stop here.",
    Impact.NONE,
    extent=Extent.NOTED,
)
HOST_FORM = Fault(
    "registry.host-form",
    "the image is named by the {form} host of the registry, {host}",
    "{meaning}",
    Impact.NONE,
    (causes.UNRECOGNISED_HOST,),
    Extent.NOTED,
)
CROSS_REGION = Fault(
    "region.cross-region",
    "the image is in {region}, the task in {task_region}",
    "Names of the other region answer privately and its layers arrive, so a way is provided. It costs transfer "
    "between regions.",
    Impact.NONE,
    extent=Extent.NOTED,
)

# Docker's words for two answers that it does not tell apart: no such repository, and not for you.
HIDDEN = "pull access denied"
_PREFIXED = "The name may be of a pull-through cache, which answers so too while it cannot fetch from upstream."
_NOT_PREFIXED = "The name has no prefix, so it is no pull-through cache."


def rejected_tokens(evidence: Evidence) -> Iterator[Finding]:
    """A registry that does not accept a fresh token."""
    refused = evidence.failed(Action.CHALLENGE, Action.MANIFEST, Action.BLOB)
    steps = [step for step in refused if step.failure is Failure.UNAUTHENTICATED]
    if steps:
        yield found(TOKEN_REJECTED_TOLD if evidence.is_text else TOKEN_REJECTED, evidence, evidence.tries(*steps))


def missing_images(evidence: Evidence) -> Iterator[Finding]:
    """404 for a manifest: no such repository, or no such tag or digest in it."""
    for step in evidence.failed(Action.MANIFEST):
        if step.failure is Failure.NOT_FOUND:
            answer = step.answer
            code = answer.code if answer else None
            if code == HIDDEN:
                yield found(REPO_HIDDEN, evidence, evidence.tries(step))
                continue
            fault = REPO_NOT_FOUND if code in ("NAME_UNKNOWN", "RepositoryNotFoundException") else TAG_NOT_FOUND
            prefix = _PREFIXED if _may_be_cache(evidence) else _NOT_PREFIXED if evidence.plan.reference else ""
            suspects = _not_found(evidence, fault, code)
            if evidence.plan.reference is None:
                fault = REPO_NOT_FOUND_TOLD if fault is REPO_NOT_FOUND else TAG_NOT_FOUND_TOLD
            yield found(fault, evidence, evidence.tries(step), suspects=suspects, prefix=prefix)


def _may_be_cache(evidence: Evidence) -> bool:
    """A pull-through rule owns a prefix, and any first segment of a name can be one."""
    reference = evidence.plan.reference
    return reference is not None and "/" in reference.repository


def _not_found(evidence: Evidence, fault: Fault, code: str | None) -> Suspects:
    other = REPO_NOT_FOUND if fault is TAG_NOT_FOUND else TAG_NOT_FOUND
    if _may_be_cache(evidence):
        # ECR answers "not found" where the role may not import (ECR guide, "troubleshooting pull through cache").
        return possible(*fault.causes, causes.PULL_THROUGH, causes.EXECUTION_ROLE)
    if code is None or (evidence.is_text and evidence.plan.reference is None):
        agent = (causes.OLD_AGENT,) if evidence.is_text else ()
        return possible(*fault.causes, *other.causes, *agent)
    return settled(*fault.causes)


def platforms(evidence: Evidence) -> Iterator[Finding]:
    """An index without this platform's image, or an image that was built for another platform."""
    suspects = settled(causes.NO_MATCHING_PLATFORM)
    indexes = [step for step in evidence.of(Action.MANIFEST) if _offered(step)]
    for step in indexes:
        offered = listed(_offered(step))
        if step.failure is Failure.NO_PLATFORM:
            yield found(NO_PLATFORM, evidence, evidence.tries(step), suspects=suspects, offered=offered)
        elif step.ok and (chosen := _platform(step)) and not _fits(chosen, evidence.plan.platform):
            yield found(OTHER_PLATFORM, evidence, (step,), suspects=suspects, offered=offered, chosen=chosen)
    for step in evidence.failed(Action.MANIFEST):
        if step.failure is Failure.NO_PLATFORM and step not in indexes:
            yield found(NO_PLATFORM_TOLD, evidence, evidence.tries(step), suspects=suspects)
    for step in () if indexes else evidence.of(Action.LAYER):
        if step.ok and (chosen := _platform(step)) and not _fits(chosen, evidence.plan.platform):
            fault = NO_PLATFORM if evidence.plan.platform_given else OTHER_PLATFORM
            yield found(fault, evidence, (step,), suspects=suspects, offered=chosen, chosen=chosen)


def _offered(step: Step) -> tuple[str, ...]:
    return step.seen.platforms if isinstance(step.seen, ManifestSeen) else ()


def _platform(step: Step) -> str | None:
    return step.seen.platform if isinstance(step.seen, ManifestSeen | LayerSeen) else None


def _fits(offered: str, wanted: str) -> bool:
    """A platform without variant fits any variant, and any fits it."""
    return offered == wanted or offered.startswith(f"{wanted}/") or wanted.startswith(f"{offered}/")


def refused_heads(evidence: Evidence) -> Iterator[Finding]:
    """HEAD failed where GET worked: GET's words count."""
    manifests = evidence.of(Action.MANIFEST)
    heads = [step for step in manifests if step.subject == "HEAD" and step.failed]
    heads = [step for step in heads if step not in evidence.survived and step.failure not in NO_EVIDENCE]
    if heads and any(step.subject == "GET" and step.ok for step in manifests):
        yield found(HEAD_REFUSED, evidence, heads)


def host_forms(evidence: Evidence) -> Iterator[Finding]:
    """FIPS and dual-stack spellings of the registry's host are said, for not every endpoint and client knows them."""
    reference, visit = evidence.plan.reference, evidence.visit("ecr.dkr")
    if reference is None or visit is None or not (reference.fips or reference.dual_stack):
        return
    steps = tuple(step for step in visit.lookups if step.ok)
    if steps:
        form, meaning = ("FIPS", _FIPS) if reference.fips else ("dual-stack", _DUAL_STACK)
        suspects = possible(causes.FIPS_HOSTNAME) if reference.fips else possible(*HOST_FORM.causes)
        yield found(HOST_FORM, evidence, steps, suspects=suspects, form=form, meaning=meaning)


_FIPS = "Private DNS of the ecr.dkr endpoint does not cover FIPS hosts, and not every region has them."
_DUAL_STACK = "Older endpoints do not cover it, and login and pull must both use this spelling."


def cross_region(evidence: Evidence) -> Iterator[Finding]:
    """An image of another region that is reached privately and whose layers arrive."""
    pull = [
        visit for visit in evidence.visits if visit.endpoint.name in ("ecr.api", "ecr.dkr") and not visit.redirected
    ]
    if not any(evidence.is_foreign(visit.endpoint) for visit in pull):
        return
    private = all(evidence.route(visit) is Route.ENDPOINT and is_inside(visit.address_class) for visit in pull)
    layers = [step for step in evidence.of(Action.LAYER) if step.ok]
    if private and layers:
        names = tuple(step for visit in pull for step in (visit.line.steps if visit.line else ()) if step.ok)
        yield found(CROSS_REGION, evidence, (*names, *layers))


FAULTS = (TOKEN_REJECTED, REPO_NOT_FOUND, TAG_NOT_FOUND, NO_PLATFORM, HEAD_REFUSED, HOST_FORM, CROSS_REGION)
RULES = (rejected_tokens, missing_images, platforms, refused_heads, host_forms, cross_region)

"""Faults of the image: not found, not for this platform, named by another host or region; and rejected tokens."""

from __future__ import annotations

import re
from collections.abc import Iterator

from probe.faults import causes
from probe.faults.answers import concern
from probe.faults.causes import advice, reads
from probe.faults.evidence import NO_EVIDENCE, Evidence
from probe.faults.fault import Fault, Suspects, Wording, finding, finds, noted, possible
from probe.faults.subjects import Meaning, Subject
from probe.model import (
    PINNED,
    SCHEMA_1,
    Action,
    Client,
    Extent,
    Failure,
    Finding,
    Impact,
    Step,
    Topic,
    fits_platform,
)
from probe.narration import listed
from probe.records import replace

# AWS[ecr-pull-through-404]
_MAY_NOT_IMPORT = replace(
    causes.EXECUTION_ROLE,
    title="the pulling role may not import images through the cache",
    fix=advice(
        "allow ecr:BatchImportUpstreamImage and ecr:CreateRepository on the repository {repository} to the "
        "{grantee_kind} {grantee}",
        "aws iam put-{grantee_kind}-policy --{grantee_kind}-name {grantee} --policy-name NEW_POLICY_NAME "
        '--policy-document \'{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":'
        '["ecr:BatchImportUpstreamImage","ecr:CreateRepository"],"Resource":"{repository_arn}"}}]}}\'',
        note="NEW_POLICY_NAME must be a new name: the command replaces a policy with the same name.",
    ),
    confirm=reads(
        "aws iam simulate-principal-policy --policy-source-arn {grantee_arn} "
        "--action-names ecr:BatchImportUpstreamImage ecr:CreateRepository --resource-arns {repository_arn} "
        '--query "EvaluationResults[].[EvalActionName,EvalDecision,MissingContextValues]"'
    ),
)
# A check sends the token within seconds, to the registry of the region that issued it: renewing it changes nothing.
_REJECTED_AT_ONCE = causes.TOKEN_EXPIRED.variant(
    title="ECR itself refuses a token that it has just issued",
    fix=advice(
        "run the check again; if {registry} refuses the next token too, send AWS Support the request id of its answer",
        "aws ecr get-login-password --region {region} | docker login --username AWS --password-stdin {registry}",
        note="Run the command in the task's subnet: a login that works there shows that the refusal is over.",
    ),
)
_SESSION_ENDED = causes.CREDENTIALS_REJECTED.variant(
    title="the session of the credentials ended or was revoked after the token was issued",
    fix=advice("start a new task, which gets new credentials"),
)
TOKEN_REJECTED = Fault(
    "registry.token-rejected",
    "the registry does not accept the token that ecr.api just issued",
    "ecr.api and the registry answered, so the network works. The token is seconds old and of the same region, so "
    "neither its age nor its region is the reason.",
    Impact.PROOF,
    (_REJECTED_AT_ONCE, _SESSION_ENDED, causes.ALTERING_MIDDLEBOX),
    in_texts=Wording(
        causes=(causes.TOKEN_EXPIRED, causes.CREDENTIALS_REJECTED, causes.PROXY),
        title="the registry does not accept the client's token",
        why=(
            "The registry answered, so the network path works. The token has expired, belongs to another region, or is "
            "incomplete."
        ),
        impact=Impact.PULL,
    ),
)
# ECR answers an expired token with a sentence that says so AWS[ecr-expired-token], and a request without one with 401.
TOKEN_ABSENT = TOKEN_REJECTED.variant(
    title="the registry answers 401: the client sent no token, or one that it does not accept",
    why=(
        "The registry answered, so the network path works. An expired token would have been named; without a "
        "credential provider, or where it fails, the client asks without a token."
    ),
    impact=Impact.PULL,
    causes=(causes.NO_CREDENTIAL_PROVIDER, causes.TOKEN_EXPIRED, causes.EXECUTION_ROLE),
    in_texts=None,
)
_NEEDS_LOGIN = replace(
    causes.NO_CREDENTIAL_PROVIDER,
    title="the client has no login for this registry, or does not use its helper (credHelpers) for it",
)
# Any name can be a pull-through cache's, because a rule's prefix may be ROOT. AWS[ecr-pull-through-root]
# Such a cache answers "not found" where the role may not import: AWS[ecr-pull-through-404].
REPO_NOT_FOUND = Fault(
    "registry.repo-not-found",
    "the repository {repository} does not exist in account {account}, region {region}",
    "The registry answered 404, so network and credentials work. A pull-through cache answers the same while it cannot "
    "fetch from upstream.",
    Impact.PULL,
    (causes.REPOSITORY_NOT_FOUND, causes.PULL_THROUGH, _MAY_NOT_IMPORT),
    other_causes=(causes.BAD_IMAGE_REFERENCE,),
)
REPO_UNNAMED = REPO_NOT_FOUND.variant(
    title="the registry has no repository with this name",
    why="The registry answered 404, so network and credentials work.",
    causes=(causes.REPOSITORY_NOT_FOUND, causes.TAG_NOT_FOUND, causes.OLD_AGENT),
)
REPO_HIDDEN = REPO_NOT_FOUND.variant(
    title="the repository does not exist, or access to it is denied",
    why="The registry answered, so the network works. Docker reports a wrong name and a denial in the same words.",
    causes=(
        causes.EXECUTION_ROLE,
        causes.REPOSITORY_NOT_FOUND,
        causes.REPOSITORY_POLICY,
        causes.TOKEN_EXPIRED,
        causes.ECR_ENDPOINT_POLICY,
    ),
)
# ECS logs in by itself; other clients may ask without a login.
REPO_HIDDEN_FROM_CLIENT = REPO_HIDDEN.variant(
    causes=(
        causes.EXECUTION_ROLE,
        causes.REPOSITORY_NOT_FOUND,
        _NEEDS_LOGIN,
        causes.REPOSITORY_POLICY,
        causes.TOKEN_EXPIRED,
        causes.ECR_ENDPOINT_POLICY,
    )
)
TAG_NOT_FOUND = Fault(
    "registry.tag-not-found",
    "ECR does not find the image {version} in the repository {repository}",
    "The registry answered 404, so network and credentials work. It answers the same for an archived image, and for a "
    "pull-through cache that cannot fetch from upstream.",  # AWS[ecr-archive]
    Impact.PULL,
    (causes.TAG_NOT_FOUND, causes.ARCHIVED, causes.PULL_THROUGH, _MAY_NOT_IMPORT),
    other_causes=(causes.BAD_IMAGE_REFERENCE, causes.UPSTREAM_REFUSED),
)
# AWS[ecs-version-consistency]
_NEW_DEPLOYMENT = advice(
    "reference an image that exists; where ECS pinned the digest, start a new deployment, which resolves the tag again",
    "aws ecs update-service --region {task_region} --cluster {cluster} --service {task_service} --force-new-deployment",
)
_DIGEST_GONE = causes.TAG_NOT_FOUND.variant(
    title="the image with this digest was deleted, perhaps by a lifecycle rule, or was never pushed",
    fix=_NEW_DEPLOYMENT,
)
DIGEST_NOT_FOUND = TAG_NOT_FOUND.variant(
    why=(
        "The registry answered 404, so network and credentials work. ECS resolves a tag once per deployment and pins "
        "its digest: a digest that is in no task definition is pinned, and its image was deleted or archived."
    ),
    causes=(_DIGEST_GONE, *TAG_NOT_FOUND.causes[1:]),
)
# The answer has no code, so the repository may be missing too.
DIGEST_UNCERTAIN = DIGEST_NOT_FOUND.variant(
    causes=(_DIGEST_GONE, causes.ARCHIVED, causes.REPOSITORY_NOT_FOUND, causes.PULL_THROUGH)
)
# The tag or digest itself was found, so pushing another tag does not help.
INDEXED_NOT_FOUND = TAG_NOT_FOUND.variant(
    title="the index {version} in the repository {repository} lists an image that does not exist ({digest})",
    why=(
        "The registry has the index, and answered 404 for the manifest in it. It answers the same for an archived "
        "image, and for a pull-through cache that cannot fetch from upstream."
    ),
    causes=(
        replace(
            causes.TAG_NOT_FOUND,
            title="the image was deleted although an index lists it, or only the index was copied to this registry",
            fix=causes.advice(
                "push the index again, together with the images for all its platforms",
                *causes.TAG_NOT_FOUND.fix.commands,
            ),
        ),
        *TAG_NOT_FOUND.causes[1:],
    ),
)
PINNED_DIGEST_GONE = replace(
    causes.TAG_NOT_FOUND,
    title="the image was deleted, perhaps by a lifecycle rule, after ECS had pinned its digest",
    fix=causes.advice("start a new deployment, which resolves the tag again", *_NEW_DEPLOYMENT.commands),
)
PINNED_GONE = noted(
    "registry.pinned-digest-gone",
    "the image that this task was started from is no longer in the registry ({digest})",
    "The tag {tag} names another image now. ECS resolves a tag once per deployment and pins its digest; where it "
    "pinned this one, replacement tasks of the deployment fail. Whether task metadata has the pinned digest is not "
    "verified.",
    (PINNED_DIGEST_GONE, causes.ARCHIVED),
)
TAG_UNNAMED = TAG_NOT_FOUND.variant(
    title="the registry does not find an image with this name and tag",
    why="The registry answered 404, so network and credentials work.",
    causes=(causes.TAG_NOT_FOUND, causes.REPOSITORY_NOT_FOUND, causes.ARCHIVED, causes.OLD_AGENT),
)
# The answer has no code, so it may also mean that the repository does not exist.
TAG_UNCERTAIN = TAG_NOT_FOUND.variant(
    why=(
        "The registry answered 404, so network and credentials work. The answer does not say whether the repository or "
        "only the image is missing."
    ),
    causes=(causes.TAG_NOT_FOUND, causes.REPOSITORY_NOT_FOUND, causes.ARCHIVED, causes.PULL_THROUGH),
    in_texts=Wording(causes=(*TAG_UNNAMED.causes, causes.PULL_THROUGH)),
)
NO_PLATFORM = Fault(
    "registry.no-matching-platform",
    "the image was not built for {platform}",
    "It was built for {offered}. A task on {platform} cannot pull it, or cannot run it.",
    Impact.PULL,
    (causes.NO_MATCHING_PLATFORM,),
    certain=True,
)
PLATFORMS_UNKNOWN = NO_PLATFORM.variant(
    why="Its manifest list has only other platforms. A task on {platform} cannot pull it."
)
OTHER_PLATFORM = NO_PLATFORM.variant(
    why=(
        "It was built for {offered}; {chosen} was pulled instead to prove the path. Set --platform to what the tasks "
        "need."
    ),
    extent=Extent.PARTLY,
)
KEY_UNUSABLE = Fault(
    "registry.kms-key",
    "the KMS key of {named_repository} cannot be used",
    "The answer names AWS KMS, so names, network and TLS work. The images of the repository are encrypted with this "
    "key, and every pull fails until the key can be used.",
    Impact.PULL,
    (causes.KMS_KEY,),
    certain=True,
)
UPSTREAM_REFUSED = Fault(
    "registry.upstream-refused",
    "the upstream registry refuses {named_image} to the pull-through cache",
    "ECR's answer concerns the upstream registry, so names, network and the role's permissions work.",
    Impact.PULL,
    (causes.UPSTREAM_REFUSED,),
    certain=True,
)
_UPSTREAM_LIMIT = replace(
    causes.THROTTLE,
    title="the upstream registry limits the rate of pulls; this is no quota of ECR",
    fix=causes.advice(
        "give the pull-through cache rule the credentials of an account with a higher limit, or wait",
        *causes.UPSTREAM_REFUSED.fix.commands,
    ),
    confirm=causes.PULL_THROUGH.confirm,
)
UPSTREAM_THROTTLED = UPSTREAM_REFUSED.variant(
    title="the upstream registry of the pull-through cache limits the rate of requests",
    why="ECR's answer quotes the upstream registry, so names, network and the role's permissions work.",
    impact=Impact.PROOF,
    causes=(_UPSTREAM_LIMIT, causes.UPSTREAM_REFUSED),
    certain=False,
)
UPSTREAM_RULE = Fault(
    "registry.upstream-rule-refused",
    "ECR refuses the rule of a pull-through cache",
    "ECR's API answered, so the network works. A rule for an upstream registry that requires a login needs a secret.",
    Impact.PROOF,
    (
        causes.UPSTREAM_REFUSED.variant(
            title="the rule names no secret for its upstream registry, or one that ECR cannot read",
            fix=advice(
                "store the upstream registry's login in a secret, and name it in the rule",
                "aws ecr create-pull-through-cache-rule --region {region} --ecr-repository-prefix PREFIX "
                "--upstream-registry-url UPSTREAM_HOST --credential-arn SECRET_ARN",
            ),
            confirm=reads("aws ecr describe-pull-through-cache-rules --region {region} --registry-id {account}"),
        ),
    ),
)
NOT_AN_IMAGE = Fault(
    "registry.not-an-image",
    "{version} in the repository {repository} is {what}, not a container image",
    "The registry stores it ({artifact}), and a container runtime cannot unpack it.",
    Impact.PULL,
    (causes.NOT_AN_IMAGE,),
    certain=True,
    examples=(("what", "an artifact"), ("artifact", "its type")),
)
OLD_FORMAT = NOT_AN_IMAGE.variant(
    title="{version} in the repository {repository} is an image in the old format of schema 1",
    why="Current container runtimes no longer accept this manifest format.",
)
# Names for types of artifacts, by a part of the type.
_ARTIFACTS = {
    "helm": "a Helm chart",
    "in-toto": "an attestation",
    "cosign": "a signature",
    "notary": "a signature",
    "spdx": "a bill of materials",
    "cyclonedx": "a bill of materials",
    "wasm": "a WebAssembly module",
}
HEAD_REFUSED = noted(
    "registry.head-refused",
    "the registry refused HEAD for the manifest, but answered GET",
    "A HEAD answer has no body, so GET counts. Clients that send only HEAD may fail here.",
)
HOST_FORM = noted(
    "registry.host-form",
    "the image uses the dual-stack host of the registry, {host}",
    "Older endpoints do not cover it, and login and pull must both use this host name.",
    (causes.UNRECOGNISED_HOST,),
)
FIPS_HOST = HOST_FORM.variant(
    title="the image uses the FIPS host of the registry, {host}",
    why="It has an endpoint of its own, com.amazonaws.{region}.ecr-fips.dkr: the private DNS of ecr.dkr does not cover "
    "it. Not every region has FIPS hosts.",
    causes=(causes.FIPS_HOSTNAME,),
)
_PULL = (Action.CHALLENGE, Action.MANIFEST, Action.BLOB, Action.LAYER)  # what needs the repository, not only the role
# Docker's error text both for a repository that does not exist and for a denial.
HIDDEN = "pull access denied"
# A path may hold another registry's name, as mirrors and caches have it, but hardly a host of ECR.
_HOST_IN_NAME = re.compile(r"\bdkr[.-]ecr\b|\.amazonaws\.com|^https?:")
# Prefixes that AWS's documents suggest or that name a registry. A rule may have any other: AWS[ecr-pull-through-root].
_CACHE_NAME = re.compile(
    r"(?:^|[/_-])(?:docker-?(?:hub|io)|docker\.io|hub|ecr-public|public-ecr|quay(?:-?io)?|ghcr(?:-?io)?|github|gitlab|k8s"
    r"|kubernetes|gcr|mcr|microsoft|azure|chainguard|library|cache|mirror|proxy|upstream|pull-?through)(?=[/_.-]|$)"
)
_CACHE_WORDS = re.compile(r"pull[- ]through|upstream registry", re.IGNORECASE)
_TWO_HOSTS = "the image's name has a second registry's host, and ECR does not find it: {repository}"
_NAME_IN_ANSWER = re.compile(r"repository with name '(?P<name>[^']{1,256})'")
_JOINED_HOSTS = replace(
    causes.BAD_IMAGE_REFERENCE,
    title="the image's name was joined from two registries: its repository contains a second host",
    fix=advice("leave one host in the image's name, which is {image} now", *causes.BAD_IMAGE_REFERENCE.fix.commands),
)
MEANINGS = {Subject.UPSTREAM_RULE: Meaning(UPSTREAM_RULE)}


@finds(TOKEN_REJECTED, TOKEN_ABSENT)
def rejected_tokens(evidence: Evidence) -> Iterator[Finding]:
    """Tokens that the registry does not accept."""
    refused = evidence.failed(Action.CHALLENGE, Action.MANIFEST, Action.BLOB)
    steps = [step for step in refused if step.failure is Failure.UNAUTHENTICATED and concern(step) is None]
    if steps:
        fault = TOKEN_ABSENT if all(_may_lack_token(evidence, step) for step in steps) else TOKEN_REJECTED
        yield finding(fault, evidence, evidence.tries(*steps))


def _may_lack_token(evidence: Evidence, step: Step) -> bool:
    """Whether a text shows a bare 401 to a request of a client that needs a helper or provider for its token."""
    by_helper = evidence.is_text and evidence.client in (Client.KUBERNETES, Client.RUNTIME)
    named = re.search("expired|invalid|login", step.detail or "")
    return by_helper and step.action in (Action.MANIFEST, Action.BLOB) and named is None


@finds(KEY_UNUSABLE)
def unusable_keys(evidence: Evidence) -> Iterator[Finding]:
    """Errors of KMS in answers of the registry, and of S3 behind it."""
    steps = [step for step in evidence.failed(*_PULL) if concern(step) is Topic.KEY]
    if steps:
        yield finding(KEY_UNUSABLE, evidence, evidence.tries(*steps))


@finds(UPSTREAM_REFUSED, UPSTREAM_THROTTLED)
def upstream_refusals(evidence: Evidence) -> Iterator[Finding]:
    """Answers of the registry on what the upstream registry of a pull-through cache answered."""
    steps = [step for step in evidence.failed(*_PULL) if concern(step) is Topic.UPSTREAM]
    limited = [step for step in steps if step.failure is Failure.THROTTLED]
    refused = [step for step in steps if step not in limited]
    if refused:
        yield finding(UPSTREAM_REFUSED, evidence, evidence.tries(*refused))
    if limited:
        suspects = Suspects(UPSTREAM_THROTTLED.causes, confirmed=frozenset((_UPSTREAM_LIMIT,)))
        yield finding(UPSTREAM_THROTTLED, evidence, evidence.tries(*limited), suspects=suspects)


@finds(
    REPO_NOT_FOUND,
    REPO_UNNAMED,
    REPO_HIDDEN,
    REPO_HIDDEN_FROM_CLIENT,
    TAG_NOT_FOUND,
    DIGEST_NOT_FOUND,
    DIGEST_UNCERTAIN,
    INDEXED_NOT_FOUND,
    TAG_UNNAMED,
    TAG_UNCERTAIN,
)
def missing_images(evidence: Evidence) -> Iterator[Finding]:
    """404 for a manifest: the repository, the tag or digest in it, or an image in an index does not exist."""
    indexes = {step.id for step in evidence.of(Action.MANIFEST) if step.ok}
    for step in evidence.failed(Action.MANIFEST):
        if step.failure is not Failure.NOT_FOUND or concern(step) is not None:
            continue
        if step.on in indexes:
            yield finding(INDEXED_NOT_FOUND, evidence, evidence.tries(step), digest=step.subject)
        else:
            code = step.answer.code if step.answer else None
            fault = _missing_fault(evidence, code)
            reference = evidence.plan.reference
            answered = _NAME_IN_ANSWER.search(step.detail or "")
            names = (reference.repository if reference else "", answered["name"] if answered else "")
            joined = any(_HOST_IN_NAME.search(name) for name in names)
            suspects = fault.suspects.first(_JOINED_HOSTS) if joined else _of_cache(evidence, step, fault)
            if joined and reference is not None:
                fault = fault.variant(title=_TWO_HOSTS, in_texts=fault.in_texts)
            yield finding(fault, evidence, evidence.tries(step), suspects=suspects)


def _of_cache(evidence: Evidence, step: Step, fault: Fault) -> Suspects | None:
    """Where the name or the answer suggests a cache, what a cache can lack precedes a missing repository."""
    reference = evidence.plan.reference
    if fault not in (TAG_UNCERTAIN, DIGEST_UNCERTAIN) or reference is None:
        return None
    if not _CACHE_NAME.search(reference.repository) and not _CACHE_WORDS.search(step.detail or ""):
        return None
    usual = fault.for_evidence(is_text=evidence.is_text).causes
    return possible(usual[0], causes.PULL_THROUGH, _MAY_NOT_IMPORT, *usual[1:], causes.UPSTREAM_REFUSED)


def _missing_fault(evidence: Evidence, code: str | None) -> Fault:
    """The wording for what the answer and the reference name."""
    reference, is_repository = evidence.plan.reference, code in ("NAME_UNKNOWN", "RepositoryNotFoundException")
    if code == HIDDEN:
        return REPO_HIDDEN if evidence.client in (Client.ECS, Client.BATCH) else REPO_HIDDEN_FROM_CLIENT
    if reference is None:
        return REPO_UNNAMED if is_repository else TAG_UNNAMED
    if is_repository:
        return REPO_NOT_FOUND
    if code is None:
        return DIGEST_UNCERTAIN if reference.digest else TAG_UNCERTAIN
    return DIGEST_NOT_FOUND if reference.digest else TAG_NOT_FOUND


@finds(PINNED_GONE)
def missing_pinned_digests(evidence: Evidence) -> Iterator[Finding]:
    """The task's own image by digest, after its tag was moved. AWS[ecs-image-id] AWS[ecs-version-consistency]"""
    for step in evidence.of(Action.MANIFEST):
        if step.ok and step.subject == PINNED and step.manifest and step.manifest.answer.status == 404:
            digest = step.manifest.digest
            yield finding(PINNED_GONE, evidence, (step,), digest=digest, image_id=f"imageDigest={digest}")


@finds(NOT_AN_IMAGE, OLD_FORMAT)
def artifacts(evidence: Evidence) -> Iterator[Finding]:
    """What is stored like an image and is none: a chart, a signature, a manifest of schema 1."""
    for step in evidence.of(Action.MANIFEST):
        artifact = step.manifest.artifact if step.manifest else None
        if artifact == SCHEMA_1:
            yield finding(OLD_FORMAT, evidence, (step,))
        elif artifact is not None:
            what = next((name for part, name in _ARTIFACTS.items() if part in artifact), "an artifact")
            yield finding(NOT_AN_IMAGE, evidence, (step,), what=what, artifact=artifact)


@finds(NO_PLATFORM, PLATFORMS_UNKNOWN, OTHER_PLATFORM)
def platforms(evidence: Evidence) -> Iterator[Finding]:
    """An index without this platform's image, or an image that was built for another platform.

    The config of an artifact can name a platform too, as that of a WebAssembly module does.
    """
    if any(step.manifest and step.manifest.artifact for step in evidence.of(Action.MANIFEST)):
        return
    indexes = [step for step in evidence.of(Action.MANIFEST) if _offered(step)]
    for step in indexes:
        offered = listed(_offered(step))
        if step.failure is Failure.NO_PLATFORM:
            yield finding(NO_PLATFORM, evidence, evidence.tries(step), offered=offered)
        elif step.ok and (chosen := _platform(step)) and not fits_platform(chosen, evidence.plan.platform):
            yield finding(OTHER_PLATFORM, evidence, (step,), offered=offered, chosen=chosen)
    for step in evidence.failed(Action.MANIFEST):
        if step.failure is Failure.NO_PLATFORM and step not in indexes:
            yield finding(PLATFORMS_UNKNOWN, evidence, evidence.tries(step))
    for step in () if indexes else evidence.of(Action.LAYER):
        if step.ok and (chosen := _platform(step)) and not fits_platform(chosen, evidence.plan.platform):
            fault = NO_PLATFORM if evidence.plan.platform_given else OTHER_PLATFORM
            yield finding(fault, evidence, (step,), offered=chosen, chosen=chosen)


def _offered(step: Step) -> tuple[str, ...]:
    return step.manifest.platforms if step.manifest else ()


def _platform(step: Step) -> str | None:
    seen = step.manifest or step.layer
    return seen.platform if seen else None


@finds(HEAD_REFUSED)
def refused_heads(evidence: Evidence) -> Iterator[Finding]:
    """HEAD requests that failed although GET succeeded."""
    manifests = evidence.of(Action.MANIFEST)
    heads = [step for step in manifests if step.subject == "HEAD" and step.failed]
    heads = [step for step in heads if step not in evidence.survived and step.failure not in NO_EVIDENCE]
    if heads and any(step.subject == "GET" and step.ok for step in manifests):
        yield finding(HEAD_REFUSED, evidence, heads)


@finds(HOST_FORM, FIPS_HOST)
def host_forms(evidence: Evidence) -> Iterator[Finding]:
    """FIPS and dual-stack hosts of the registry, which not every endpoint and client supports."""
    reference, host = evidence.plan.reference, evidence.host("ecr.dkr")
    if reference is None or host is None or not (reference.fips or reference.dual_stack):
        return
    steps = tuple(step for step in host.lookups if step.ok)
    if steps:
        yield finding(FIPS_HOST if reference.fips else HOST_FORM, evidence, steps)

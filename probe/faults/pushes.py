"""Faults of pushes, which only error texts show: a check never pushes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from probe.faults import answers, causes, registry
from probe.faults.causes import advice, reads
from probe.faults.evidence import Evidence
from probe.faults.fault import Fault, finding, finds
from probe.faults.subjects import Case, Meaning, Subject
from probe.model import Action, Basis, DenialReason, Failure, Finding, ImageHost, Impact, Step
from probe.records import replace

DENIED = answers.DENIED.variant(
    title="a push is refused: {who} is denied {action}",
    why="AWS answered, so the network works. {reason} {role} A push needs more permissions than a pull.",
    impact=Impact.PULL,
)
ENDPOINT_POLICY = answers.ENDPOINT_POLICY.variant(
    title="a push is refused: the policy of the {endpoints} VPC endpoint denies {action} to {who}",
    impact=Impact.PULL,
)
REPOSITORY_MISSING = registry.REPO_NOT_FOUND.variant(
    title="a push is refused: the repository {repository} does not exist in account {account}, region {region}",
    why="The registry answered, so network and login work. ECR creates a repository on push only where a repository "
    "creation template for this prefix applies to CREATE_ON_PUSH.",
    causes=(causes.REPOSITORY_NOT_FOUND,),
    certain=True,
)
TOKEN_EXPIRED = registry.TOKEN_REJECTED.variant(
    title="a push is refused: the registry does not accept the client's login",
    # AWS[ecr-token-lifetime]
    why="The registry answered, so the network path works. A login is valid for 12 hours, in one region.",
    impact=Impact.PULL,
    causes=(causes.TOKEN_EXPIRED, causes.CREDENTIALS_REJECTED),
)
# ECR answers an expired token with a sentence that says so AWS[ecr-expired-token], and a request without one with 401.
TOKEN_ABSENT = TOKEN_EXPIRED.variant(
    title="a push is refused with 401: the client sent no login, or one that the registry does not accept",
    causes=(causes.NO_CREDENTIAL_PROVIDER, causes.TOKEN_EXPIRED, causes.CREDENTIALS_REJECTED),
)
TAG_IMMUTABLE = Fault(
    "registry.tag-immutable",
    "a push is refused: the tag exists, and tags of this repository cannot be overwritten",
    "The registry answered, so network, login and permissions work. The image that has the tag stays as it is.",
    Impact.PULL,
    (
        causes.other(
            "the tag was pushed before, and the repository's tags are immutable",
            advice(
                "push under a new tag, or let tags of this repository be overwritten",
                "aws ecr put-image-tag-mutability --region {region} --registry-id {account} "
                "--repository-name {repository} --image-tag-mutability MUTABLE",
            ),
            reads(
                "aws ecr describe-repositories --region {region} --registry-id {account} "
                '--repository-names {repository} --query "repositories[].imageTagMutability"'
            ),
        ),
    ),
    certain=True,
)
QUOTA = Fault(
    "registry.quota",
    "a push is refused: a quota of the repository or registry is reached",
    "The registry answered, so network, login and permissions work.",
    Impact.PULL,
    (causes.QUOTA,),
    certain=True,
)
_QUOTA_OF_PUBLIC = replace(
    causes.QUOTA,
    fix=advice(
        "remove images that nothing uses, or request a higher quota",
        "aws ecr-public batch-delete-image --region us-east-1 --repository-name NAME --image-ids imageTag=TAG",
    ),
    confirm=reads("aws ecr-public describe-images --region us-east-1 --repository-name NAME --max-items 10"),
)
QUOTA_OF_PUBLIC = QUOTA.variant(causes=(_QUOTA_OF_PUBLIC,))
_UNKNOWN_FORM = causes.other(
    "the client writes a form of manifest that this registry does not take, or the client has a bug",
    advice(
        "update the client, or let it write manifests of another type: docker push and podman push --format v2s2 write "
        "Docker's; for a build cache set image-manifest=true,oci-mediatypes=true",
        "docker push {image}",
    ),
    reads("docker manifest inspect --verbose {image}", note="Run it where the image was pushed from."),
)
MANIFEST_REFUSED = Fault(
    "registry.manifest-refused",
    "a push is refused: the registry does not accept the image's manifest",
    "The registry answered to the last request of a push, so network, login and permissions work. The layers arrived. "
    "Artifacts, build caches, attestations and images with foreign layers have manifests that not every registry "
    "takes.",
    Impact.PULL,
    (_UNKNOWN_FORM, causes.NOT_AN_IMAGE, causes.FOREIGN_LAYERS),
)
CONTENT_MISSING = Fault(
    "registry.content-missing",
    "a push is refused: the repository lacks content that the image's manifest names",
    "The registry answered, so network, login and permissions work. An upload was not completed, or the client assumes "
    "that a layer is there already.",
    Impact.PULL,
    (
        causes.LAYER_CORRUPT.variant(
            title="an upload of a layer was interrupted or skipped",
            confirm=reads("docker manifest inspect --verbose {image}", note="Run it where the image was pushed from."),
        ),
        causes.TRANSFER_BROKEN,
    ),
)
UPLOAD_CUT = Fault(
    "registry.upload-cut",
    "a push fails: the connection to {endpoints} is closed when the client begins to upload a layer",
    "The client got no answer to this request, and so no reason. ECR is reported to close the connection so where the "
    "repository does not exist or the upload is denied. A proxy or a firewall can close it as well.",
    Impact.PULL,
    (
        causes.REPOSITORY_NOT_FOUND,
        causes.EXECUTION_ROLE,
        causes.TRANSFER_BROKEN,
        causes.PROXY,
        causes.EGRESS_FIREWALL,
    ),
)
_USUAL = "an action of a push"


def _of_public(evidence: Evidence, _step: Step) -> Case | None:
    return Case(QUOTA_OF_PUBLIC) if evidence.plan.image_host is ImageHost.PUBLIC_ECR else None


MEANINGS = {
    Subject.TAG_IMMUTABLE: Meaning(TAG_IMMUTABLE, ("ecr.dkr",)),
    Subject.QUOTA: Meaning(QUOTA, ("ecr.dkr",), variants=(QUOTA_OF_PUBLIC,), case=_of_public),
    Subject.MANIFEST_REFUSED: Meaning(MANIFEST_REFUSED, ("ecr.dkr",)),
    Subject.CONTENT_MISSING: Meaning(CONTENT_MISSING, ("ecr.dkr",)),
}


@finds(DENIED, ENDPOINT_POLICY, REPOSITORY_MISSING, TOKEN_EXPIRED, TOKEN_ABSENT, UPLOAD_CUT, basis=Basis.TEXT)
def refused_pushes(evidence: Evidence) -> Iterator[Finding]:
    """What the registry answered to a push."""
    for step in evidence.failed(Action.REQUEST):
        if evidence.is_push(step):
            if step.failure is Failure.DENIED:
                yield _denied(evidence, step)
            elif step.failure is Failure.NOT_FOUND:
                yield finding(REPOSITORY_MISSING, evidence, (step,))
            elif step.failure is Failure.UNAUTHENTICATED:
                named = re.search("expired|invalid|login", step.detail or "") is not None
                yield finding(TOKEN_EXPIRED if named else TOKEN_ABSENT, evidence, (step,))
            elif step.failure is Failure.RESET:
                yield finding(UPLOAD_CUT, evidence, (step,))


def _denied(evidence: Evidence, step: Step) -> Finding:
    denial = step.denial
    by_endpoint = denial is not None and denial.reason is DenialReason.ENDPOINT
    return finding(
        ENDPOINT_POLICY if by_endpoint else DENIED,
        evidence,
        (step,),
        impact=Impact.PULL,
        suspects=None if by_endpoint else answers.denial_suspects(evidence, step),
        action=(denial.action if denial else None) or _USUAL,
        reason=answers.policy_sentence(denial),
        role=answers.role_sentence(evidence),
    )

"""Faults of pushes, which only error texts show: a check never pushes."""

from __future__ import annotations

from collections.abc import Iterator

from probe.faults import answers, causes, registry
from probe.faults.evidence import Evidence
from probe.faults.fault import Fault, finding, finds
from probe.model import Action, Basis, DenialReason, Failure, Finding, Impact, Step

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
    why="The registry answered, so the network path works. A login is valid for 12 hours, in one region.",
    impact=Impact.PULL,
    causes=(causes.TOKEN_EXPIRED, causes.CREDENTIALS_REJECTED),
)
TAG_IMMUTABLE = Fault(
    "registry.tag-immutable",
    "a push is refused: the tag exists, and tags of this repository cannot be overwritten",
    "The registry answered, so network, login and permissions work. The image that has the tag stays as it is.",
    Impact.PULL,
    (
        causes.other(
            "the tag was pushed before, and the repository's tags are immutable",
            causes.advice(
                "push under a new tag, or let tags of this repository be overwritten",
                "aws ecr put-image-tag-mutability --region {region} --registry-id {account} "
                "--repository-name {repository} --image-tag-mutability MUTABLE",
            ),
            causes.reads(
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
_USUAL = "an action of a push"


@finds(DENIED, ENDPOINT_POLICY, REPOSITORY_MISSING, TOKEN_EXPIRED, basis=Basis.TEXT)
def refused_pushes(evidence: Evidence) -> Iterator[Finding]:
    """What the registry answered to a push."""
    for step in evidence.failed(Action.REQUEST):
        if evidence.is_push(step):
            if step.failure is Failure.DENIED:
                yield _denied(evidence, step)
            elif step.failure is Failure.NOT_FOUND:
                yield finding(REPOSITORY_MISSING, evidence, (step,))
            elif step.failure is Failure.UNAUTHENTICATED:
                yield finding(TOKEN_EXPIRED, evidence, (step,))


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

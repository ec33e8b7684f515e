"""The calls to AWS's API that a pull and the start of its task make. AWS[ecr-actions-of-a-pull]"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence

from probe.arns import role_of
from probe.gates.call import TASKS, Call
from probe.gates.pinned_images import Pin
from probe.model import Action, ImageReference, Plan
from probe.records import replace

_IMAGE = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
_LOGS = ("logs:CreateLogStream", "logs:PutLogEvents")
# What ECS calls for the secrets of a task. Which secrets they are is not kept.
_SECRETS = {
    "secretsmanager": ("secretsmanager:GetSecretValue", "secret:*"),
    "ssm": ("ssm:GetParameters", "parameter/*"),
}


def pull_calls(
    plan: Plan,
    images: Iterable[ImageReference],
    *,
    role: str | None,
    on_fargate: bool = True,
    account: str | None = None,
    created_log_groups: Container[str] = (),
    pins: Sequence[tuple[ImageReference, Pin]] = (),
    platform: str | None = None,
    reads_manifest: bool = False,
) -> tuple[Call, ...]:
    """The calls of the pulls of `images` by `role`, and of the start of their task, at the endpoints of the plan.

    An image of another Region is pulled through endpoints that the plan does not have. `account` is the task's, by
    default the role's. `created_log_groups`: those that the log driver creates if they are missing. `pins`: the tags
    that ECS may have resolved to digests. `platform` is the one that the task needs.
    """
    # On an instance its own role writes the log, unless the agent is set up otherwise, and pulls where the task has no
    # execution role: AWS[agent-settings].
    log_role = role if on_fargate else None
    assumed_by = (TASKS,) if on_fargate else (TASKS, "ec2.amazonaws.com", f"ec2.{plan.dns_suffix}")
    role = _role_arn(role, plan, account)
    own = role.split(":")[4] if role else account
    here = tuple(image for image in images if image.region == plan.region)
    calls = (
        *(
            replace(call, platform=platform, reads_manifest=reads_manifest)
            for call in _of_images(plan, here, role, pins)
        ),
        *_of_logs(plan, log_role, own, created_log_groups),
        *_of_secrets(plan, role, own),
    )
    of_role = tuple((call.action, call.resource) for call in calls if call.principal is not None)
    return tuple(
        call if call.principal is None else replace(call, of_role=of_role, assumed_by=assumed_by) for call in calls
    )


def _role_arn(role: str | None, plan: Plan, account: str | None) -> str | None:
    """The role's ARN; a task definition may have its name alone."""
    if role is None or role_of(role) is not None:
        return role
    arn = f"arn:{plan.partition}:iam::{account}:role/{role}"
    return arn if role_of(arn) is not None else None


def _of_images(
    plan: Plan, images: Sequence[ImageReference], role: str | None, pins: Sequence[tuple[ImageReference, Pin]]
) -> Iterator[Call]:
    where = Call(
        endpoint="ecr.api",
        step=Action.TOKEN,
        action="ecr:GetAuthorizationToken",
        resource="*",
        owner=None,
        principal=role,
        region=plan.region,
        partition=plan.partition,
    )
    for account in dict.fromkeys(image.account for image in images):
        yield replace(where, owner=account)
    for account, repository in dict.fromkeys((image.account, image.repository) for image in images):
        for step, action in zip((Action.MANIFEST, Action.BLOB), _IMAGE, strict=True):
            yield replace(
                where,
                endpoint="ecr.dkr",
                step=step,
                action=action,
                resource=f"arn:{plan.partition}:ecr:{plan.region}:{account}:repository/{repository}",
                owner=account,
                repository=repository,
                versions=_versions(images, account, repository),
                pins=tuple(
                    pin
                    for image, pin in pins
                    if (image.account, image.region, image.repository) == (account, plan.region, repository)
                ),
                together=_IMAGE,
            )
    # AWS[ecr-layer-bucket] AWS[s3-layer-principal]
    yield replace(
        where,
        endpoint="s3",
        step=Action.LAYER,
        action="s3:GetObject",
        resource=f"arn:{plan.partition}:s3:::prod-{plan.region}-starport-layer-bucket/*",
        principal=None,
        by_ecr=True,
    )


def _versions(images: Iterable[ImageReference], account: str, repository: str) -> tuple[str, ...]:
    named = (image for image in images if (image.account, image.repository) == (account, repository))
    return tuple(dict.fromkeys(image.digest or image.tag or "latest" for image in named))


def _of_logs(plan: Plan, role: str | None, account: str | None, created: Container[str]) -> Iterator[Call]:
    endpoint = plan.endpoint("logs")
    if endpoint is None:
        return
    groups = (plan.log_group, *plan.other_log_groups)
    for group in dict.fromkeys(group for group in groups if group):
        # AWS names a stream in its denials, and an empty one for the group itself.
        arn = f"arn:{plan.partition}:logs:{endpoint.region}:{account or '*'}:log-group:{group}:log-stream:"
        stream = Call(
            endpoint="logs",
            step=Action.LOGS,
            action="logs:CreateLogStream",
            resource=f"{arn}*",
            owner=account,
            log_group=group,
            creates_log_group=group in created,
            together=_LOGS,
            principal=role,
            region=endpoint.region,
            partition=plan.partition,
        )
        if group in created:
            yield replace(stream, action="logs:CreateLogGroup", resource=arn, together=())
        yield from (replace(stream, action=action) for action in _LOGS)


def _of_secrets(plan: Plan, role: str | None, account: str | None) -> Iterator[Call]:
    for name, (action, resource) in _SECRETS.items():
        endpoint = plan.endpoint(name)
        if endpoint is not None:
            yield Call(
                endpoint=name,
                step=Action.REQUEST,
                action=action,
                resource=f"arn:{plan.partition}:{name}:{endpoint.region}:{account or '*'}:{resource}",
                owner=account,
                principal=role,
                region=endpoint.region,
                partition=plan.partition,
            )

"""Why a task stopped, as ECS tells it. Stopped tasks are kept for an hour or so (ECS API reference, DescribeTasks)."""

from __future__ import annotations

import re

from probe.config.flags import TASK, UsageError
from probe.explain import explain_tasks, task_not_described
from probe.explain.task_context import TaskContext, TaskDescription, read_task_description
from probe.model import Failure, Verdict
from probe.operator.aws import Account, ApiError, Kind

_ACTION = "ecs:DescribeTasks"
# Where only time helps, as in `smoke`: that is no mistake of the user's.
_PASSING = {
    Kind.THROTTLED: Failure.THROTTLED,
    Kind.UNAVAILABLE: Failure.SERVER_ERROR,
    Kind.SILENT: Failure.TIMEOUT,
}
# Older accounts' ARNs name no cluster; such a task is looked for in the one that is called `default`.
_ARN = re.compile(
    r"arn:aws[a-z-]*:ecs:(?P<region>[a-z0-9-]{5,25}):\d{12}:task/(?:(?P<cluster>[\w-]{1,255})/)?[0-9a-f-]{32,36}",
    re.ASCII,
)


def task_arn(text: str) -> re.Match[str]:
    """Read a task's ARN. Raises ValueError with one plain sentence."""
    found = _ARN.fullmatch(text)
    if found is None:
        raise ValueError("not the ARN of an ECS task, which tells its region, account and cluster")
    return found


def explain_task(
    arn: re.Match[str] | None, context: TaskContext, vpc_cidrs: tuple[str, ...], *, profile: str | None
) -> Verdict:
    """What the reasons of a task that stopped say; inconclusive where AWS does not answer. Raises UsageError."""
    assert arn is not None, "task_arn raises, where it is none"
    try:
        return explain_tasks(_described(arn, profile), context, vpc_cidrs)
    except ApiError as error:
        asked = TaskContext(region=arn["region"], task_arn=arn[0]).or_else(context)
        return task_not_described(_PASSING[error.kind], str(error), asked)


def _described(arn: re.Match[str], profile: str | None) -> TaskDescription:
    """Raises UsageError for what the user must change, ApiError where only time helps."""
    cluster = arn["cluster"] or "default"
    try:
        account = Account(region=arn["region"], profile=profile)
        answer = account.call(_ACTION, cluster=cluster, tasks=[arn[0]])
    except ApiError as error:
        if error.kind in _PASSING:
            raise
        right = f"; a policy must allow {_ACTION} on {arn[0]}" if error.kind is Kind.DENIED else ""
        raise UsageError(f"--{TASK.name} ({TASK.variable}): {error}{right}") from None
    described = read_task_description(answer)
    if described is None or described.missing:
        hour = "ECS keeps stopped tasks for an hour or so"
        raise TASK.refusal(f"there is no such task in the cluster {cluster} ({hour})")
    if described.running:
        raise TASK.refusal("the task has not stopped, so there is nothing to explain yet")
    return described

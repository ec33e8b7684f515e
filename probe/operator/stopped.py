"""Why a task stopped, from ECS. It keeps stopped tasks for about an hour: AWS[describe-tasks-hour]."""

from __future__ import annotations

import re

from probe.arns import ecs_arn
from probe.config.flags import TASK, UsageError
from probe.explain import explain_tasks, task_not_described
from probe.explain.task_context import TaskContext, TaskDescription, read_task_description
from probe.model import Failure, Verdict
from probe.operator.aws import Account, ApiError, Kind
from probe.safe_words import quoted

_ACTION = "ecs:DescribeTasks"
# Temporary errors are not mistakes of the user, as in `smoke`.
_TEMPORARY = {
    Kind.THROTTLED: Failure.THROTTLED,
    Kind.UNAVAILABLE: Failure.SERVER_ERROR,
    Kind.NO_REPLY: Failure.TIMEOUT,
}


def task_arn(text: str) -> re.Match[str]:
    """Read the ARN of a task. Raises ValueError with one plain sentence."""
    match = ecs_arn(text, "task")
    if match is None:
        raise ValueError(
            f"{quoted(text)} is not the ARN of an ECS task, which contains its region, account and cluster"
        )
    return match


def explain_task(
    arn: re.Match[str] | None, context: TaskContext, vpc_cidrs: tuple[str, ...], *, profile: str | None
) -> Verdict:
    """The verdict on a stopped task's reasons; inconclusive where AWS does not answer. Raises UsageError."""
    assert arn is not None, "task_arn raises for any other text"
    try:
        return explain_tasks(_describe_task(arn, profile), context, vpc_cidrs)
    except ApiError as error:
        return task_not_described(
            _TEMPORARY[error.kind], str(error), TaskContext(region=arn["region"], task_arn=arn[0]).or_else(context)
        )


def _describe_task(arn: re.Match[str], profile: str | None) -> TaskDescription:
    """Raises UsageError for what the user must change, ApiError for temporary errors."""
    cluster = arn["cluster"] or "default"  # an older account's ARN does not contain it
    try:
        account = Account(region=arn["region"], profile=profile)
        reply = account.call(_ACTION, cluster=cluster, tasks=[arn[0]])
    except ApiError as error:
        if error.kind in _TEMPORARY:
            raise
        hint = f"; a policy must allow {_ACTION} on {arn[0]}" if error.kind is Kind.DENIED else ""
        raise UsageError(f"--{TASK.name} ({TASK.variable}): {error}{hint}") from None
    description = read_task_description(reply)
    if description is None or description.missing:
        retention = "ECS keeps stopped tasks for about an hour"
        raise TASK.refusal(f"there is no such task in the cluster {cluster} ({retention})")
    if description.running:
        raise TASK.refusal("the task has not stopped, so there is nothing to explain yet")
    return description

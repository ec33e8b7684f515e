"""What ECS's own description of a task tells: `aws ecs describe-tasks`, or an event of a task's state. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any

from probe.explain.task_context import TaskContext, read_context
from probe.records import Record

_DEPTH, _MOST = 6, 1000
_ARCHITECTURES = {"x86_64": "linux/amd64", "arm64": "linux/arm64"}


class TaskDescription(Record, frozen=True):
    """The reasons that ECS gives, and what it tells of the task beside them. `unknown`: it knows no such task."""

    reasons: tuple[str, ...]
    context: TaskContext
    running: bool = False
    unknown: bool = False


def read_task_description(document: object) -> TaskDescription | None:
    """What a decoded JSON document says of tasks; None where it is none of ECS's."""
    tasks = list(_tasks(document, _DEPTH))[:_MOST]
    if tasks:
        stopped = [task for task in tasks if task.get("stoppedReason") or _reasons(task)]
        reasons = tuple(dict.fromkeys(reason for task in stopped for reason in _reasons(task)))
        return TaskDescription(reasons, _context((stopped or tasks)[0]), running=not reasons)
    failures = document.get("failures") if isinstance(document, dict) else None
    return TaskDescription((), TaskContext(), unknown=True) if failures and isinstance(failures, list) else None


def _tasks(document: object, depth: int) -> Iterator[dict[str, Any]]:
    if isinstance(document, dict):
        if isinstance(document.get("taskArn"), str) and ("containers" in document or "stoppedReason" in document):
            yield document
        elif depth:
            for value in document.values():
                yield from _tasks(value, depth - 1)
    elif isinstance(document, list) and depth:
        for value in document[:_MOST]:
            yield from _tasks(value, depth - 1)


def _reasons(task: dict[str, Any]) -> list[str]:
    """The task's reason, and its containers'; exit codes beside them tell that a container ran."""
    reasons = [task.get("stoppedReason"), *(each.get("reason") for each in _dictionaries(task.get("containers")))]
    return [reason for reason in reasons if isinstance(reason, str) and reason.strip()]


def _context(task: dict[str, Any]) -> TaskContext:
    containers = _dictionaries(task.get("containers"))
    blamed = sorted(containers, key=lambda each: not each.get("reason"))
    images = [f"image {each['image']}" for each in blamed if isinstance(each.get("image"), str)]
    told = read_context((f"{task['taskArn']}", *images))
    launch = task.get("launchType")
    return TaskContext(
        image=told.image,
        other_image=told.other_image,
        other_kind=told.other_kind,
        region=told.region,
        account=told.account,
        task_arn=told.task_arn,
        launch_type=launch if isinstance(launch, str) and launch.isidentifier() and len(launch) < 40 else None,
        platform=_platform(task),
        addresses=tuple(dict.fromkeys(_addresses(task))),
    )


def _platform(task: dict[str, Any]) -> str | None:
    named = {each.get("name"): each.get("value") for each in _dictionaries(task.get("attributes"))}
    architecture = named.get("ecs.cpu-architecture")
    return _ARCHITECTURES.get(architecture) if isinstance(architecture, str) else None


def _addresses(task: dict[str, Any]) -> Iterator[str]:
    for attachment in _dictionaries(task.get("attachments")):
        for detail in _dictionaries(attachment.get("details")):
            if detail.get("name") in ("privateIPv4Address", "ipv6Address"):
                try:
                    yield str(ip_address(str(detail.get("value"))))
                except ValueError:
                    continue


def _dictionaries(value: object) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []

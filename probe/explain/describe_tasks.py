"""What ECS's description of a task contains: `aws ecs describe-tasks`, or a task state change event. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any

from probe.explain.task_context import TaskContext, read_context
from probe.records import Record

_MAX_DEPTH, _MAX_TASKS = 6, 1000
_ARCHITECTURES = {"x86_64": "linux/amd64", "arm64": "linux/arm64"}


class TaskDescription(Record, frozen=True):
    """The reasons that ECS gives, and the task's other facts. `missing`: ECS knows no such task."""

    reasons: tuple[str, ...]
    context: TaskContext
    running: bool = False
    missing: bool = False


def read_task_description(document: object) -> TaskDescription | None:
    """The tasks in a decoded JSON document; None where it is not one of ECS."""
    tasks = list(_tasks(document, _MAX_DEPTH))[:_MAX_TASKS]
    if tasks:
        stopped = [task for task in tasks if task.get("stoppedReason") or _reasons(task)]
        reasons = tuple(dict.fromkeys(reason for task in stopped for reason in _reasons(task)))
        return TaskDescription(reasons, _context((stopped or tasks)[0]), running=not reasons)
    failures = document.get("failures") if isinstance(document, dict) else None
    return TaskDescription((), TaskContext(), missing=True) if failures and isinstance(failures, list) else None


def _tasks(document: object, depth: int) -> Iterator[dict[str, Any]]:
    if isinstance(document, dict):
        if isinstance(document.get("taskArn"), str) and ("containers" in document or "stoppedReason" in document):
            yield document
        elif depth:
            for value in document.values():
                yield from _tasks(value, depth - 1)
    elif isinstance(document, list) and depth:
        for value in document[:_MAX_TASKS]:
            yield from _tasks(value, depth - 1)


def _reasons(task: dict[str, Any]) -> list[str]:
    """The task's stopped reason, and the reason of each container."""
    containers = _dictionaries(task.get("containers"))
    reasons = [task.get("stoppedReason"), *(container.get("reason") for container in containers)]
    return [reason for reason in reasons if isinstance(reason, str) and reason.strip()]


def _context(task: dict[str, Any]) -> TaskContext:
    # The image of a container that failed comes first.
    containers = sorted(_dictionaries(task.get("containers")), key=lambda container: not container.get("reason"))
    images = [f"image {container['image']}" for container in containers if isinstance(container.get("image"), str)]
    context = read_context((f"{task['taskArn']}", *images))
    launch_type = task.get("launchType")
    is_plain = isinstance(launch_type, str) and launch_type.isidentifier() and len(launch_type) < 40
    return TaskContext(
        image=context.image,
        other_image=context.other_image,
        other_kind=context.other_kind,
        region=context.region,
        account=context.account,
        task_arn=context.task_arn,
        launch_type=launch_type if is_plain else None,
        platform=_platform(task),
        addresses=tuple(dict.fromkeys(_addresses(task))),
    )


def _platform(task: dict[str, Any]) -> str | None:
    attributes = {item.get("name"): item.get("value") for item in _dictionaries(task.get("attributes"))}
    architecture = attributes.get("ecs.cpu-architecture")
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
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []

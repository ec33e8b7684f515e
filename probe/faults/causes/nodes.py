"""Causes on the host where containers run: its disk and its container runtime."""

from __future__ import annotations

from probe.faults.causes.cause import REGISTER, CauseText, advice, reads

DISK_FULL = CauseText(
    code="node.disk-full",
    title="the image needs more disk space than is free on the host",
    fix=advice(
        "raise ephemeralStorage in the task definition (on an instance: remove old images, or use a larger volume)",
        REGISTER,
    ),
    confirm=reads(
        "df -h",
        "docker system df",
        note="Run them on the host. On Fargate, read the image's size in ECR.",
    ),
)
UNPACK = CauseText(
    code="node.unpack",
    title="the host cannot unpack the layer: its file system, its memory or the container runtime failed",
    fix=advice(
        "replace the host, or start the task on another one; on Windows, use an image for the host's version",
        "aws ecs update-container-instances-state --region {task_region} --cluster {cluster} "
        "--container-instances INSTANCE --status DRAINING",
    ),
    confirm=reads("dmesg --level err,warn", "df -h", "free -m", note="Run dmesg, df and free on the host."),
)
SLOW_RUNTIME = CauseText(
    code="node.slow-runtime",
    title="the container runtime of the host is too slow or does not answer: disk, CPU or memory is exhausted",
    fix=advice(
        "start fewer tasks at once on the host, or use a faster disk and a larger instance",
        "aws ecs update-container-instances-state --region {task_region} --cluster {cluster} "
        "--container-instances INSTANCE --status DRAINING",
        note="Draining moves the service's tasks to other hosts.",
    ),
    confirm=reads(
        "journalctl --unit docker --since '-1 hour'", "iostat -x 5 3", note="Run journalctl and iostat on the host."
    ),
)

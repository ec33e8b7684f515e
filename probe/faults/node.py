"""Faults of the host that runs the containers, which only error texts show: its disk, its runtime, its network plugin.

Nothing here is about the pull's network or permissions: the bytes arrived, or no request left the host.
"""

from __future__ import annotations

import re

from probe.faults import causes
from probe.faults.causes import advice, reads
from probe.faults.evidence import Evidence
from probe.faults.fault import Fault, possible
from probe.faults.subjects import Case, Meaning, Subject, says
from probe.model import Client, Failure, Impact, Step
from probe.records import replace

DISK = Fault(
    "task.disk-full",
    "the disk is full where the image is unpacked",
    "The layers arrived, so the network works.",
    Impact.START,
    (causes.DISK_FULL,),
    certain=True,
)
NOT_UNPACKED = Fault(
    "task.unpack",
    "the host could not unpack a layer",
    "The layer arrived, so network and permissions work. The error is one of the host's disk, memory or system.",
    Impact.START,
    (causes.UNPACK, causes.LAYER_CORRUPT, causes.DISK_FULL),
    other_causes=(causes.OLD_AGENT,),
)
NOT_UNPACKED_ON_WINDOWS = NOT_UNPACKED.variant(
    why=(
        "The layer arrived, so network and permissions work. A Windows host unpacks only images whose base has the "
        "host's version."
    ),
    causes=(causes.UNPACK, causes.NO_MATCHING_PLATFORM, causes.DISK_FULL),
)
_NOT_RUNNING = causes.other(
    "the container runtime does not run: it was not started yet, has failed, or is not installed",
    advice("start the container runtime, and after it what uses it", "systemctl restart docker"),
    reads("journalctl --unit docker --since '-1 hour'", note="Run it on the host."),
)
_NOT_SHARED = replace(
    causes.MISCONFIGURED,
    title="the job or user has no runtime to use: no privileged mode, no service or socket of Docker, no permission",
    fix=advice(
        "give the client a runtime: privileged mode in CodeBuild, the service docker:dind in GitLab, the host's socket "
        "in Jenkins, a user of the group docker, or the address in DOCKER_HOST",
        "docker info",
    ),
    confirm=reads("docker info", note="Run it as the user, and in the container, in which the client runs."),
)
RUNTIME_DOWN = Fault(
    "task.runtime-down",
    "the container runtime of the host does not answer",
    "The error is one of a socket on the host. No request left the host.",
    Impact.START,
    (causes.SLOW_RUNTIME, _NOT_RUNNING, causes.DISK_FULL),
)
# Users, jobs and builds have a runtime of their own, or need access to one.
RUNTIME_OF_CLIENT = RUNTIME_DOWN.variant(
    title="the client does not reach a container runtime",
    why="The error is one between the client and its Docker daemon. No request was sent to a registry.",
    causes=(_NOT_RUNNING, _NOT_SHARED, causes.SLOW_RUNTIME, causes.DISK_FULL),
)
WINDOWS_START = RUNTIME_DOWN.variant(
    title="Windows could not create or start the container",
    why="The image was pulled. The error is one of the host's service for containers, and no network is involved.",
    causes=(
        causes.SLOW_RUNTIME,
        causes.NO_MATCHING_PLATFORM,
        causes.other(
            "the host's service for containers, its memory or a setting of the container failed",
            advice("read the events of the host, restart its container runtime, or replace the host"),
            reads("docker version", note="Run it on the host. Its version of Windows must fit the image's base."),
        ),
    ),
)
NO_DESCRIPTORS = RUNTIME_DOWN.variant(
    title="the client opened no connection, because its process has no file descriptor left",
    why="The error is the host's own: no packet was sent, so network, endpoints and permissions are not involved.",
    causes=(
        causes.other(
            "the limit of open files of the process is too low, or the process leaks them",
            advice("restart the client, and raise LimitNOFILE of its service", "systemctl restart docker"),
            reads("systemctl show docker --property LimitNOFILE", note="Run it on the host."),
        ),
        causes.SLOW_RUNTIME,
    ),
)
NETWORK_SETUP = Fault(
    "task.network-setup",
    "the network of the task could not be set up on its host",
    "This happens on the host, before the image is pulled. Endpoints and permissions of the pull are not involved.",
    Impact.START,
    (
        causes.other(
            "the network plugin of the host failed",
            advice(
                "update the host's agent and network plugin, and replace the host",
                "aws ecs update-container-instances-state --region {task_region} --cluster {cluster} "
                "--container-instances INSTANCE --status DRAINING",
            ),
            reads("journalctl --since '-1 hour'", note="Run journalctl on the host."),
        ),
        causes.SLOW_RUNTIME,
    ),
)
_ON_WINDOWS = re.compile(r"hcsshim|windowsfilter|[A-Z]:\\|Win32|system (?:cannot find|resources exist)")


# Older runtimes read a compression that they do not know, such as zstd, as a broken archive.
_OLD_RUNTIME = replace(
    causes.OLD_AGENT,
    title="the container runtime is too old for the compression of the layer, such as zstd",
    fix=advice("update the container runtime, or build the image with gzip", "docker version"),
    confirm=reads("docker version", note="Run it on the host."),
)
_ARCHIVE = re.compile(r"tar header", re.IGNORECASE)


def _unpacking(_evidence: Evidence, step: Step) -> Case | None:
    if says(step, _ARCHIVE):
        return Case(suspects=possible(causes.UNPACK, causes.LAYER_CORRUPT, _OLD_RUNTIME, causes.DISK_FULL))
    return Case(NOT_UNPACKED_ON_WINDOWS) if says(step, _ON_WINDOWS) else None


_OF_HOSTS = (Client.ECS, Client.BATCH, Client.KUBERNETES)  # an orchestrator's host has one runtime for all


def _runtime(evidence: Evidence, step: Step) -> Case | None:
    if step.failure is Failure.TOO_LARGE:
        return Case(NO_DESCRIPTORS)
    if step.failure is Failure.MALFORMED:
        return Case(WINDOWS_START)
    if step.failure is Failure.PROHIBITED:
        return Case(RUNTIME_OF_CLIENT, RUNTIME_OF_CLIENT.suspects.first(_NOT_SHARED))
    return None if evidence.client in _OF_HOSTS else Case(RUNTIME_OF_CLIENT)


MEANINGS = {
    Subject.DISK: Meaning(DISK),
    Subject.UNPACK: Meaning(NOT_UNPACKED, variants=(NOT_UNPACKED_ON_WINDOWS,), case=_unpacking),
    Subject.RUNTIME: Meaning(RUNTIME_DOWN, variants=(RUNTIME_OF_CLIENT, WINDOWS_START, NO_DESCRIPTORS), case=_runtime),
    Subject.NETWORK_SETUP: Meaning(NETWORK_SETUP),
}

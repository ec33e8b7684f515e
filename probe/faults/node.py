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
from probe.model import Impact, Step
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
RUNTIME_DOWN = Fault(
    "task.runtime-down",
    "the container runtime of the host does not answer",
    "The error is one of a socket on the host. No request left the host.",
    Impact.START,
    (causes.SLOW_RUNTIME, causes.DISK_FULL),
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


MEANINGS = {
    Subject.DISK: Meaning(DISK),
    Subject.UNPACK: Meaning(NOT_UNPACKED, variants=(NOT_UNPACKED_ON_WINDOWS,), case=_unpacking),
    Subject.RUNTIME: Meaning(RUNTIME_DOWN),
    Subject.NETWORK_SETUP: Meaning(NETWORK_SETUP),
}

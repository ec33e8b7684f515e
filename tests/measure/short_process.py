"""Runs checks in processes that are short of file descriptors or threads, and prints what each verdict says.

    python -m tests.measure.short_process descriptors|threads NUMBER…

Every NUMBER is how many more descriptors, or threads, one process may have. The simulated VPC is served by the parent
process, which has enough of both.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from probe.config.settings import parse
from probe.crash import verdict_in_any_case
from probe.model import Severity, Verdict
from probe.run import run
from probe.sim.vpc import VPC
from probe.wire import Wire

STACK = 1 << 30  # bytes: so large that memory for no further thread can be reserved
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/app:1.0"


def limit_descriptors(number: int) -> None:
    """Use up all descriptors but `number`."""
    highest = max(int(name) for name in os.listdir("/proc/self/fd"))
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest + number, highest + number))
    used = []
    with contextlib.suppress(OSError):
        while True:
            used.append(os.dup(0))
    for descriptor in used[len(used) - number :]:
        os.close(descriptor)


def limit_threads(number: int) -> None:
    """Limit the address space: pthread_create then fails, also for root, whom RLIMIT_NPROC does not bind."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    threading.stack_size(STACK)
    space = pages * resource.getpagesize() + number * STACK + STACK // 2
    resource.setrlimit(resource.RLIMIT_AS, (space, space))


LIMITS: dict[str, Callable[[int], None]] = {"descriptors": limit_descriptors, "threads": limit_threads}


def check(vpc: VPC, wire: Wire) -> Verdict:
    settings = parse(("--image", IMAGE, "--deadline", "20"), vpc.environ, started=time.monotonic())
    stop = threading.Event()
    return verdict_in_any_case(settings, lambda: run(settings, wire, stop=stop), stop=stop)


def main(kind: str, *numbers: str) -> None:
    with VPC() as vpc:
        wire = vpc.wire()
        check(vpc, wire)  # opens the VPC's listening sockets, imports all libraries and reads the trust store
        for number in map(int, numbers):
            if os.fork() == 0:
                LIMITS[kind](number)
                verdict = check(vpc, wire)
                errors = [finding.code for finding in verdict.findings if finding.severity is not Severity.INFO]
                sys.stdout.write(json.dumps([number, verdict.status, verdict.pull, errors]) + "\n")
                sys.stdout.flush()
                os._exit(0)
            os.wait()


if __name__ == "__main__":
    main(*sys.argv[1:])

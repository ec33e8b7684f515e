"""What a program costs: its seconds, processor time and peak memory, here or where the task is."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.lab.cloud import CREDENTIALS, ROOT
from tests.lab.network import Host, environment

TIMED = str(Path(__file__).with_name("timed.py"))
PROBE = (sys.executable, "-m", "probe")


@dataclass(frozen=True, slots=True)
class Cost:
    began: float  # of the monotonic clock
    seconds: float
    cpu: float
    kib: int
    code: int
    out: str


def cost(*command: str, host: Host | None = None, code: int = 0, more: Mapping[str, str] | None = None) -> Cost:
    """Run it once, with `more` variables; an end other than with `code` is an error, since a failure is often fast."""
    with tempfile.NamedTemporaryFile("r") as report:
        timed = (sys.executable, "-I", "-S", TIMED, report.name, *command)
        done = subprocess.run(
            host.wrapped(*timed) if host else timed,
            cwd=ROOT,
            env=environment({**CREDENTIALS, "HOME": "/proc/nonexistent", **(more or {})}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=180,
            check=True,
        )
        measured = Cost(**json.load(report), out=done.stdout)
    if measured.code != code:
        raise RuntimeError(f"{' '.join(command)} exited {measured.code}: {done.stderr[-1000:]} {done.stdout[-1000:]}")
    return measured


def median(times: int, *measures: Callable[[], Cost]) -> list[Cost]:
    """The cost of median time of each, measured in turns, so that what else the machine does befalls all."""
    rounds = [[measure() for measure in measures] for _ in range(times)]
    return [_middle([one[place] for one in rounds]) for place in range(len(measures))]


def _middle(costs: Sequence[Cost]) -> Cost:
    return sorted(costs, key=lambda one: one.seconds)[len(costs) // 2]


def middle(numbers: Sequence[float]) -> float:
    return statistics.median(numbers)

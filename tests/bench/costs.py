"""The cost of a program: seconds, processor time and peak memory, on this machine or in the task's namespace."""

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
    began: float  # on the monotonic clock
    seconds: float
    cpu: float
    kib: int
    code: int
    out: str


def cost(*command: str, host: Host | None = None, code: int = 0, more: Mapping[str, str] | None = None) -> Cost:
    """Run `command` once with the variables `more`. Raises RuntimeError unless it exits with `code`."""
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
    """The cost with the median time for each measure. They take turns, so other load affects all of them."""
    rounds = [[measure() for measure in measures] for _ in range(times)]
    return [_middle([costs[place] for costs in rounds]) for place in range(len(measures))]


def _middle(costs: Sequence[Cost]) -> Cost:
    return sorted(costs, key=lambda cost: cost.seconds)[len(costs) // 2]


def middle(numbers: Sequence[float]) -> float:
    return statistics.median(numbers)

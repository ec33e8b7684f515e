"""The measures of `smoke`: five hundred subnets with a fake AWS on loopback, in real time."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from probe.smoke.calls import LAUNCHES
from probe.smoke.subnets import BATCH, POLL
from tests.bench.costs import PROBE, Cost, cost
from tests.bench.rows import Bench, Row
from tests.smoke.aws import CREDENTIALS, REGION, Aws, Life, served
from tests.smoke.runs import subnets

MANY = 500
LIFE = 15.0  # seconds of a task
LATENCY = 0.2  # seconds of a call
MIB = 1024  # KiB


def fleet(_bench: Bench | None) -> Iterator[Row]:
    """Every task logs the document of a healthy check."""
    document = cost(*PROBE, "demo", "healthy", "--format", "json").out
    aws = Aws(lives=lambda *_: Life(pending=LIFE / 2, running=LIFE / 2, lines=(document,)), latency=LATENCY)
    ours = _run(aws, MANY)
    yield Row(f"smoke over {MANY} subnets: peak memory", f"{ours.kib / MIB:.0f} MiB", "< 120 MiB", ours.kib < 120 * MIB)
    counts = aws.count()
    measured = ", ".join(f"{count} {action.partition(':')[2]}" for action, count in sorted(counts.items()))
    polls = ours.seconds / POLL * (LAUNCHES.per_second * (LIFE + POLL) / BATCH + 1)
    limit = 2 * MANY + polls + 1 + MANY / 200 + 1
    calls = sum(counts.values())
    yield Row(f"  its calls, {calls} ({measured})", f"{calls / MANY:.2f} per subnet", "<= 2.25", calls <= limit)
    shortest = MANY / LAUNCHES.per_second + LIFE
    ratio = ours.seconds / shortest
    peer = f"launch rate and task time {shortest:.0f} s"
    yield Row("  its wall time", f"{ours.seconds:.1f} s", "<= 1.15", ratio <= 1.15, peer, ratio)
    yield Row("  its processor time", f"{ours.cpu:.1f} s", "none", True)


def _run(aws: Aws, number: int) -> Cost:
    with served(aws) as url:
        own = {**CREDENTIALS, "AWS_ENDPOINT_URL": url}
        command = ("smoke", "--region", REGION, "--cluster", "main", *subnets(number), "--format", "json")
        return cost(*PROBE, *command, more=own)


ROWS: tuple[Callable[[Bench], Iterator[Row]], ...] = (fleet,)

"""Snapshots built from a sequence of verdicts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from probe.history import Snapshot, advance
from probe.model import (
    EndpointSummary,
    Extent,
    Failure,
    Impact,
    JudgedFinding,
    Outcome,
    Path,
    Pull,
    Severity,
    Status,
    Step,
    Verdict,
)
from probe.records import replace
from tests.report.made import HOSTS, READ_GROUPS, broken, cause, finding, reach, skipped, summary, verdict
from tests.report.pull_steps import NOON

__all__ = ["NOON", "after", "broken", "failing_in_one_zone", "noted", "unproven", "verdict", "waiting"]

INTERVAL = 60.0


def waiting(**fields: Any) -> Snapshot:
    made: dict[str, Any] = {"started_at": NOON, "interval": INTERVAL, "base_interval": INTERVAL}
    return Snapshot(**(made | fields))


def after(verdicts: Iterable[Verdict], *, end: datetime = NOON, interval: float = INTERVAL) -> Snapshot:
    """The snapshot after these rounds. The last one began at `end`."""
    rounds = list(verdicts)
    begin = end - timedelta(seconds=interval * (len(rounds) - 1))
    snapshot = Snapshot(started_at=begin, interval=interval, base_interval=interval)
    for number, past in enumerate(rounds):
        at = begin + timedelta(seconds=interval * number)
        snapshot = advance(snapshot, replace(past, started_at=at), interval=interval)
    return snapshot


def failing_in_one_zone() -> Verdict:
    """One of three addresses of ecr.api is silent."""
    steps = [_silenced(step) for name in HOSTS for step in reach(name)]
    silent = tuple(step.id for step in steps if step.failed)
    return verdict(
        steps,
        status=Status.DEGRADED,
        findings=(
            finding(
                "tcp.partly-silent",
                silent,
                Severity.WARNING,
                extent=Extent.PARTLY,
                title="some addresses of ecr.api do not answer on port 443, others do",
                why="What admits one zone and not the other is a subnet's network ACL.",
                causes=(
                    cause("tcp.nacl", "a network ACL drops the packets", fix="admit 443", confirm=READ_GROUPS),
                    cause("tcp.security-group", "a security group is closed", confirm=READ_GROUPS),
                ),
            ),
        ),
        endpoints=_summaries(**{"ecr.api": {"reached": 2}}),
    )


def _silenced(step: Step) -> Step:
    if step.id == "ecr.api/tcp/10.0.2.10":
        return replace(step, outcome=Outcome.FAILED, failure=Failure.TIMEOUT, seconds=3.0)
    if step.id == "ecr.api/tls/10.0.2.10":
        return skipped(step.id, step.on)
    return step


def _summaries(**fields: dict[str, Any]) -> tuple[EndpointSummary, ...]:
    return tuple(summary(name, **fields.get(name, {})) for name in HOSTS)


def noted(title: str = "worth a look") -> JudgedFinding:
    return finding(
        "path.not-the-pull",
        (),
        Severity.INFO,
        impact=Impact.NONE,
        title=title,
        why="another interface",
        causes=(cause("other", "somebody's wish", fix="ask", confirm=READ_GROUPS),),
    )


def unproven() -> Verdict:
    """Everything works on a path that is not the pull's."""
    return verdict(pull=Pull.UNPROVEN, path=Path.TASK_ENI, findings=(noted(),))

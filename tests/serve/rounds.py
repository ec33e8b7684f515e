"""Rounds made by hand: verdicts a minute apart, and a stand-in for the sidecar's loop."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from probe.history import Snapshot, advance
from probe.model import JudgedFinding, Severity, Status, Verdict
from probe.records import replace
from tests.report import made

MINUTE = timedelta(minutes=1)
NEW = Snapshot(started_at=made.NOON, interval=60.0, base_interval=60.0)
STATUS = {Severity.ERROR: Status.FAIL, Severity.WARNING: Status.DEGRADED}


def finding(code: str, severity: Severity = Severity.ERROR, *endpoints: str) -> JudgedFinding:
    return made.finding(code, (), severity, endpoints=endpoints or ("ecr.api",))


def verdict(*findings: JudgedFinding, at: int = 0) -> Verdict:
    """The verdict of the round that started `at` minutes after noon."""
    weights = {finding.severity for finding in findings}
    status = next(
        (STATUS[severity] for severity in (Severity.ERROR, Severity.WARNING) if severity in weights), Status.PASS
    )
    return made.verdict(findings=findings, status=status, started_at=made.NOON + at * MINUTE)


def after(verdicts: Iterable[Verdict], before: Snapshot = NEW) -> Snapshot:
    for verdict in verdicts:
        before = advance(before, verdict, interval=before.interval)
    return before


def misconfigured(before: Snapshot, message: str = "--image (ECR_PROBE_IMAGE): there is none") -> Snapshot:
    """The snapshot after a round that could not begin, as the loop builds it."""
    return replace(before, misconfigured=message, verdict=None, current=())


class Source:
    """A stand-in for the loop, from which the pages are rendered."""

    def __init__(self, snapshot: Snapshot = NEW) -> None:
        self.snapshot = snapshot
        self.living = True
        self.wait = 0.0
        self.asked = 0

    def alive(self) -> bool:
        return self.living

    def ask(self) -> float:
        self.asked += 1
        return self.wait

"""What the sidecar says on stderr: a line of JSON per round, and one per change; nothing else is repeated."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from probe.history import Snapshot, identity
from probe.model import JudgedFinding, Severity
from probe.report.utf8 import json_of

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "info"}


def lines(before: Snapshot, after: Snapshot) -> Iterator[str]:
    """What a round adds to the log, each line one object with `time`, `level` and `event`."""
    for each in _events(before, after):
        yield json_of(each).decode()


def event(level: str, name: str, **facts: Any) -> str:
    """A line about the sidecar itself."""
    return json_of({"time": _said(datetime.now(UTC)), "level": level, "event": name, **facts}).decode()


def reports(before: Collection[str], after: Collection[str]) -> Iterator[str]:
    """What is news of the reports: `before` and `after` say what kept those of a round from being written."""
    for words in after:
        if words not in before:
            yield event("error", "unwritten", words=words)
    if before and not after:
        yield event("info", "written", words="the reports are written again")


def _events(before: Snapshot, after: Snapshot) -> Iterator[dict[str, Any]]:
    if after.misconfigured is not None:
        if after.misconfigured != before.misconfigured:
            now = _said(datetime.now(UTC))
            yield {"time": now, "level": "error", "event": "misconfigured", "words": after.misconfigured}
        return
    verdict = after.verdict
    assert verdict is not None, "a round has a verdict or a reason why it could not begin"
    ended = verdict.started_at + timedelta(seconds=verdict.seconds)
    latest = after.history[-1]
    yield {
        "time": _said(ended),
        "level": "error" if latest.bad else "info",
        "event": "round",
        "round": latest.number,
        "status": verdict.status,
        "pull": verdict.pull,
        "seconds": verdict.seconds,
        "errors": latest.errors,
        "warnings": latest.warnings,
    }
    yield from _changes(before, after, ended)
    if after.interval != before.interval:
        throttled = after.interval > before.interval
        words = "AWS throttles, so rounds come less often" if throttled else "rounds come more often again"
        yield {"time": _said(ended), "level": "info", "event": "interval", "seconds": after.interval, "words": words}


def _changes(before: Snapshot, after: Snapshot, ended: datetime) -> Iterator[dict[str, Any]]:
    known = {identity(one.finding) for one in before.standing}
    still = {identity(one.finding) for one in after.standing}
    for one in after.standing:
        if identity(one.finding) not in known:
            causes = [cause.code for cause in one.finding.causes]
            yield {**_finding("finding", one.finding, ended), "why": one.finding.why, "causes": causes}
    for one in before.standing:
        if identity(one.finding) not in still:
            yield {**_finding("cleared", one.finding, ended), "level": "info", "rounds": one.rounds}


def _finding(event: str, finding: JudgedFinding, ended: datetime) -> dict[str, Any]:
    return {
        "time": _said(ended),
        "level": _LEVELS[finding.severity],
        "event": event,
        "code": finding.code,
        "severity": finding.severity,
        "endpoints": finding.endpoints,
        "title": finding.title,
    }


def _said(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

"""The sidecar's log on stderr: one JSON line per round and one per change; nothing is repeated."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from probe.history import Snapshot, identity
from probe.model import JudgedFinding, Severity
from probe.safe_words import json_bytes

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "info"}


def round_lines(before: Snapshot, after: Snapshot) -> Iterator[str]:
    """The lines of a round. Each is one object with `time`, `level` and `event`."""
    for entry in _events(before, after):
        yield json_bytes(entry).decode()


def event(level: str, name: str, **facts: Any) -> str:
    """A line about the program itself."""
    return json_bytes({"time": _rfc3339(datetime.now(UTC)), "level": level, "event": name, **facts}).decode()


def report_lines(before: Collection[str], after: Collection[str]) -> Iterator[str]:
    """What changed about writing the reports; `before` and `after` are the errors of two rounds in a row."""
    for error_text in after:
        if error_text not in before:
            yield event("error", "report-failed", message=error_text)
    if before and not after:
        yield event("info", "report-written", message="the reports are written again")


def _events(before: Snapshot, after: Snapshot) -> Iterator[dict[str, Any]]:
    if after.misconfigured is not None:
        if after.misconfigured != before.misconfigured:
            now = _rfc3339(datetime.now(UTC))
            yield {"time": now, "level": "error", "event": "misconfigured", "message": after.misconfigured}
        return
    verdict = after.verdict
    assert verdict is not None, "a round has a verdict or a reason why it could not begin"
    ended = verdict.started_at + timedelta(seconds=verdict.seconds)
    latest = after.history[-1]
    yield {
        "time": _rfc3339(ended),
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
        lengthened = after.interval > before.interval
        reason = "AWS throttles, so rounds are less frequent" if lengthened else "rounds are more frequent again"
        yield {
            "time": _rfc3339(ended),
            "level": "info",
            "event": "interval",
            "seconds": after.interval,
            "message": reason,
        }


def _changes(before: Snapshot, after: Snapshot, ended: datetime) -> Iterator[dict[str, Any]]:
    earlier = {identity(entry.finding) for entry in before.current}
    current = {identity(entry.finding) for entry in after.current}
    for entry in after.current:
        if identity(entry.finding) not in earlier:
            causes = [cause.code for cause in entry.finding.causes]
            yield {**_finding("finding", entry.finding, ended), "why": entry.finding.why, "causes": causes}
    for entry in before.current:
        if identity(entry.finding) not in current:
            yield {**_finding("cleared", entry.finding, ended), "level": "info", "rounds": entry.rounds}


def _finding(name: str, finding: JudgedFinding, ended: datetime) -> dict[str, Any]:
    return {
        "time": _rfc3339(ended),
        "level": _LEVELS[finding.severity],
        "event": name,
        "code": finding.code,
        "severity": finding.severity,
        "endpoints": finding.endpoints,
        "title": finding.title,
    }


def _rfc3339(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

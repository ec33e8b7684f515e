"""What the sidecar knows after a round, as one immutable value, and what the next round makes of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from probe.model import (
    Action,
    EndpointSummary,
    Failure,
    JudgedFinding,
    Outcome,
    Pull,
    Severity,
    Status,
    Verdict,
)
from probe.records import Record, replace

# Upper bounds of the latency histogram, in seconds.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 1.0, 3.0, 10.0)
LONGEST_HISTORY = 100  # rounds
# Combinations of endpoint, step and failure that have a counter of their own; further ones count as `other`, so that
# the sums stay correct.
MOST_FAILURES = 100
OTHER = "other"
STRIP = timedelta(hours=1)
MOST_IN_STRIP = 720  # rounds of an hour at the shortest interval
MOST_RESOLVED = 20


class Colour(StrEnum):
    """How an endpoint was in one round. UNKNOWN: not tried, or not proven to work."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"
    UNKNOWN = "unknown"


class Round(Record, frozen=True, kw_only=True):
    """The summary of one round. `seconds` is its duration; each code is listed once.

    `endpoints` are in plan order. `codes` are the errors and warnings that name an endpoint; `latencies` the seconds of
    the slowest step that succeeded at an endpoint, apart from layers. Both leave out endpoints that have none.
    """

    number: int
    started_at: datetime
    seconds: float
    status: Status
    pull: Pull
    errors: tuple[str, ...]
    warnings: tuple[str, ...]
    endpoints: dict[str, Colour]
    codes: Mapping[str, tuple[str, ...]] = {}
    latencies: Mapping[str, float] = {}

    @property
    def bad(self) -> bool:
        return self.status not in (Status.PASS, Status.DEGRADED)


class CurrentFinding(Record, frozen=True, kw_only=True):
    """A finding of the last round: since when, and in how many rounds in a row."""

    finding: JudgedFinding
    since: datetime
    rounds: int

    @property
    def may_be_transient(self) -> bool:
        """Found in one round only: the next may resolve it, so it is no reason for an alarm yet."""
        return self.rounds == 1


class Resolved(Record, frozen=True, kw_only=True):
    """An error or warning of earlier rounds that the last round did not find. `rounds`: how many it lasted."""

    code: str
    severity: Severity
    title: str
    endpoints: tuple[str, ...]
    since: datetime
    until: datetime
    rounds: int


class Latency(Record, frozen=True):
    """Durations of one action at one endpoint: the counts up to each bound of BUCKETS, their number and sum in s."""

    below: tuple[int, ...] = (0,) * len(BUCKETS)
    count: int = 0
    seconds: float = 0.0

    def plus(self, seconds: float) -> Latency:
        below = tuple(count + (seconds <= bound) for count, bound in zip(self.below, BUCKETS, strict=True))
        return Latency(below, self.count + 1, self.seconds + seconds)


class Totals(Record, frozen=True, kw_only=True):
    """Running totals over all rounds; keys are (endpoint, action) and (endpoint, action, failure)."""

    rounds: int = 0
    statuses: Mapping[Status, int] = {}  # rounds by the status of their verdict
    overruns: int = 0
    steps: Mapping[tuple[str, str], int] = {}
    failures: Mapping[tuple[str, str, str], int] = {}
    latencies: Mapping[tuple[str, str], Latency] = {}
    layer_bytes: int = 0


class Snapshot(Record, frozen=True, kw_only=True):
    """Everything that is published. `verdict` is None until the first round has ended.

    `misconfigured` is the reason why the last round could not begin; then there is no verdict. `interval` is the
    current one in seconds, `base_interval` the configured one; both are 0 for a single run. `history` is in
    chronological order and holds at most LONGEST_HISTORY rounds: bad ones are kept longest. `strip` holds every round
    of the last hour.
    """

    started_at: datetime
    interval: float
    base_interval: float
    verdict: Verdict | None = None
    misconfigured: str | None = None
    totals: Totals = Totals()
    last_success: datetime | None = None  # end of the last round that was pass or degraded
    since: datetime | None = None  # start of the first round from which status and pull have not changed
    current: tuple[CurrentFinding, ...] = ()
    resolved: tuple[Resolved, ...] = ()  # within the last hour, newest first
    history: tuple[Round, ...] = ()
    strip: tuple[Round, ...] = ()


def advance(before: Snapshot, verdict: Verdict, *, interval: float) -> Snapshot:
    """The snapshot after a round. `interval` is the one from now on."""
    ended = verdict.started_at + timedelta(seconds=verdict.seconds)
    latest = _round(verdict, before.totals.rounds + 1)
    current = _current(before.current, verdict)
    return Snapshot(
        started_at=before.started_at,
        interval=interval,
        base_interval=before.base_interval,
        verdict=verdict,
        totals=_totals(before.totals, verdict),
        last_success=before.last_success if latest.bad else ended,
        since=before.since if _is_same_state(before.verdict, verdict) else verdict.started_at,
        current=current,
        resolved=_resolved(before, current, ended),
        history=_kept((*before.history, latest)),
        strip=tuple(past for past in (*before.strip, latest) if ended - past.started_at <= STRIP)[-MOST_IN_STRIP:],
    )


# ---- rounds ----------------------------------------------------------------------------------------------------------


def _round(verdict: Verdict, number: int) -> Round:
    return Round(
        number=number,
        started_at=verdict.started_at,
        seconds=verdict.seconds,
        status=verdict.status,
        pull=verdict.pull,
        errors=_codes(verdict, Severity.ERROR),
        warnings=_codes(verdict, Severity.WARNING),
        endpoints={summary.name: colour(verdict, summary) for summary in verdict.endpoints},
        codes=_codes_by_endpoint(verdict),
        latencies=_latencies(verdict),
    )


def _is_same_state(before: Verdict | None, verdict: Verdict) -> bool:
    return before is not None and (before.status, before.pull) == (verdict.status, verdict.pull)


def _codes(verdict: Verdict, severity: Severity) -> tuple[str, ...]:
    return tuple(dict.fromkeys(finding.code for finding in verdict.findings if finding.severity is severity))


def _codes_by_endpoint(verdict: Verdict) -> dict[str, tuple[str, ...]]:
    codes: dict[str, tuple[str, ...]] = {}
    for summary in verdict.endpoints:
        naming = [finding for finding in verdict.findings if summary.name in finding.endpoints]
        serious = [finding for finding in naming if finding.severity is not Severity.INFO]
        if serious:
            codes[summary.name] = tuple(dict.fromkeys(finding.code for finding in serious))
    return codes


def _latencies(verdict: Verdict) -> dict[str, float]:
    slowest: dict[str, float] = {}
    names = {summary.name for summary in verdict.endpoints}
    for step in verdict.steps:
        if step.ok and step.seconds is not None and step.action is not Action.LAYER and step.endpoint in names:
            slowest[step.endpoint] = max(step.seconds, slowest.get(step.endpoint, 0.0))
    return slowest


def colour(verdict: Verdict, endpoint: EndpointSummary) -> Colour:
    """Red where an error names the endpoint, amber where a warning does, else green where it works."""
    severities = {finding.severity for finding in verdict.findings if endpoint.name in finding.endpoints}
    if Severity.ERROR in severities:
        return Colour.ERROR
    if Severity.WARNING in severities:
        return Colour.WARNING
    return Colour.OK if endpoint.ok else Colour.UNKNOWN


def _kept(rounds: tuple[Round, ...]) -> tuple[Round, ...]:
    """At most LONGEST_HISTORY: the oldest good round is dropped first, a bad one only where all are bad."""
    if len(rounds) <= LONGEST_HISTORY:
        return rounds
    oldest = next((index for index, past in enumerate(rounds[:-1]) if not past.bad), 0)
    return rounds[:oldest] + rounds[oldest + 1 :]


# ---- findings --------------------------------------------------------------------------------------------------------


def identity(finding: JudgedFinding) -> tuple[str, Severity, tuple[str, ...]]:
    """What two findings of two rounds have in common to count as the same one."""
    return finding.code, finding.severity, finding.endpoints


def _current(before: tuple[CurrentFinding, ...], verdict: Verdict) -> tuple[CurrentFinding, ...]:
    earlier = {identity(entry.finding): entry for entry in before}
    result = []
    for finding in verdict.findings:
        previous = earlier.get(identity(finding))
        since, rounds = (previous.since, previous.rounds + 1) if previous else (verdict.started_at, 1)
        result.append(CurrentFinding(finding=finding, since=since, rounds=rounds))
    return tuple(result)


def _resolved(before: Snapshot, current: tuple[CurrentFinding, ...], ended: datetime) -> tuple[Resolved, ...]:
    identities = {identity(entry.finding) for entry in current}
    new = tuple(
        Resolved(
            code=entry.finding.code,
            severity=entry.finding.severity,
            title=entry.finding.title,
            endpoints=entry.finding.endpoints,
            since=entry.since,
            until=ended,
            rounds=entry.rounds,
        )
        for entry in before.current
        if entry.finding.severity is not Severity.INFO and identity(entry.finding) not in identities
    )
    recent = tuple(entry for entry in before.resolved if ended - entry.until <= STRIP)
    return (*new, *recent)[:MOST_RESOLVED]


# ---- totals ----------------------------------------------------------------------------------------------------------


def _totals(before: Totals, verdict: Verdict) -> Totals:
    counted, failures, latencies = dict(before.steps), dict(before.failures), dict(before.latencies)
    layer_bytes = before.layer_bytes
    for step in verdict.steps:
        if step.outcome is Outcome.SKIPPED:
            continue
        key = (step.endpoint, str(step.action))
        counted[key] = counted.get(key, 0) + 1
        if step.failure is not None:
            reason = (*key, str(step.failure))
            if reason not in failures and len(failures) >= MOST_FAILURES:
                reason = (*key, OTHER)
            failures[reason] = failures.get(reason, 0) + 1
        if step.seconds is not None:
            latencies[key] = latencies.get(key, Latency()).plus(step.seconds)
        if step.layer:
            layer_bytes += step.layer.received
    return replace(
        before,
        rounds=before.rounds + 1,
        statuses={**before.statuses, verdict.status: before.statuses.get(verdict.status, 0) + 1},
        steps=counted,
        failures=failures,
        latencies=latencies,
        layer_bytes=layer_bytes,
    )


def throttled(verdict: Verdict) -> bool:
    """Whether AWS throttled in this round."""
    return any(step.failure is Failure.THROTTLED for step in verdict.steps if step.action is not Action.DNS)

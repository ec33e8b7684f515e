"""What the sidecar knows after a round, as one immutable value; and how a further round changes it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from probe.model import (
    Action,
    EndpointSummary,
    Failure,
    JudgedFinding,
    LayerSeen,
    Outcome,
    Pull,
    Severity,
    Status,
    Step,
    Verdict,
)
from probe.records import Record, replace

# Upper bounds of the latency histogram, in seconds.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 1.0, 3.0, 10.0)
LONGEST_HISTORY = 100  # rounds
# Kinds of failures that are counted one by one; of a further kind `other` is the reason, so that the sums stay true.
MOST_FAILURES = 100
OTHER = "other"
STRIP = timedelta(hours=1)
MOST_IN_STRIP = 720  # rounds of an hour at the shortest interval


class Colour(StrEnum):
    """How an endpoint was in one round. UNKNOWN: not reached, or nothing was proven of it."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"
    UNKNOWN = "unknown"


class Round(Record, frozen=True, kw_only=True):
    """One finished round in short. `seconds` is its duration; codes stand once each, errors first."""

    number: int
    started_at: datetime
    seconds: float
    status: Status
    pull: Pull
    errors: tuple[str, ...]
    warnings: tuple[str, ...]
    endpoints: dict[str, Colour]  # by the endpoint's name, in plan order

    @property
    def bad(self) -> bool:
        return self.status not in (Status.PASS, Status.DEGRADED)


class Standing(Record, frozen=True, kw_only=True):
    """A finding that stands now: since when, and in how many rounds in a row. `passing` after one round only."""

    finding: JudgedFinding
    since: datetime
    rounds: int

    @property
    def passing(self) -> bool:
        """Seen in one round only: it may be gone with the next, and is nobody's alarm yet."""
        return self.rounds == 1


class Passed(Record, frozen=True, kw_only=True):
    """An error or warning that stood and is gone. `rounds` 1: it lasted one round only."""

    code: str
    severity: Severity
    title: str
    endpoints: tuple[str, ...]
    since: datetime
    until: datetime
    rounds: int


class Latency(Record, frozen=True):
    """Durations of one action at one endpoint: how many lay at or below each bound of BUCKETS, all, their sum in s."""

    below: tuple[int, ...] = (0,) * len(BUCKETS)
    count: int = 0
    seconds: float = 0.0

    def plus(self, seconds: float) -> Latency:
        below = tuple(count + (seconds <= bound) for count, bound in zip(self.below, BUCKETS, strict=True))
        return Latency(below, self.count + 1, self.seconds + seconds)


class Totals(Record, frozen=True, kw_only=True):
    """Running totals over all rounds; keys are (endpoint, action) and (endpoint, action, failure)."""

    rounds: int = 0
    overruns: int = 0
    steps: Mapping[tuple[str, str], int] = {}
    failures: Mapping[tuple[str, str, str], int] = {}
    latencies: Mapping[tuple[str, str], Latency] = {}
    layer_bytes: int = 0


class Snapshot(Record, frozen=True, kw_only=True):
    """All that is published. `verdict` None: no round has ended yet.

    `misconfigured` says what is missing where the last round could not begin; there is no verdict then either.
    `interval` is the one in force, in seconds; `base_interval` the one asked for; both 0 for one run by itself.
    `history` is in order of time and holds at most LONGEST_HISTORY rounds: bad ones are kept longest. `strip` holds
    every round of the last hour.
    """

    started_at: datetime
    interval: float
    base_interval: float
    verdict: Verdict | None = None
    misconfigured: str | None = None
    totals: Totals = Totals()
    last_success: datetime | None = None  # end of the last round that was pass or degraded
    since: datetime | None = None  # start of the first of the rounds in a row whose status and pull are the last one's
    standing: tuple[Standing, ...] = ()
    passed: tuple[Passed, ...] = ()  # newest first
    history: tuple[Round, ...] = ()
    strip: tuple[Round, ...] = ()


def advance(before: Snapshot, verdict: Verdict, *, interval: float) -> Snapshot:
    """The snapshot after a round. `interval` is in force from now on."""
    ended = verdict.started_at + timedelta(seconds=verdict.seconds)
    latest = _round(verdict, before.totals.rounds + 1)
    standing = _standing(before.standing, verdict)
    return Snapshot(
        started_at=before.started_at,
        interval=interval,
        base_interval=before.base_interval,
        verdict=verdict,
        totals=_totals(before.totals, verdict.steps),
        last_success=before.last_success if latest.bad else ended,
        since=before.since if _alike(before.verdict, verdict) else verdict.started_at,
        standing=standing,
        passed=_passed(before, standing, ended),
        history=_kept((*before.history, latest)),
        strip=tuple(one for one in (*before.strip, latest) if ended - one.started_at <= STRIP)[-MOST_IN_STRIP:],
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
    )


def _alike(before: Verdict | None, verdict: Verdict) -> bool:
    return before is not None and (before.status, before.pull) == (verdict.status, verdict.pull)


def _codes(verdict: Verdict, severity: Severity) -> tuple[str, ...]:
    return tuple(dict.fromkeys(finding.code for finding in verdict.findings if finding.severity is severity))


def colour(verdict: Verdict, endpoint: EndpointSummary) -> Colour:
    """Red where an error names the endpoint, amber where a warning does, green where it works otherwise."""
    named = {finding.severity for finding in verdict.findings if endpoint.name in finding.endpoints}
    if Severity.ERROR in named:
        return Colour.ERROR
    if Severity.WARNING in named:
        return Colour.WARNING
    return Colour.OK if endpoint.ok else Colour.UNKNOWN


def _kept(rounds: tuple[Round, ...]) -> tuple[Round, ...]:
    """At most LONGEST_HISTORY: the oldest good round goes first, a bad one only where all are bad."""
    if len(rounds) <= LONGEST_HISTORY:
        return rounds
    oldest = next((place for place, one in enumerate(rounds[:-1]) if not one.bad), 0)
    return rounds[:oldest] + rounds[oldest + 1 :]


# ---- findings --------------------------------------------------------------------------------------------------------


def identity(finding: JudgedFinding) -> tuple[str, Severity, tuple[str, ...]]:
    """What makes two findings of two rounds the same one."""
    return finding.code, finding.severity, finding.endpoints


def _standing(before: tuple[Standing, ...], verdict: Verdict) -> tuple[Standing, ...]:
    known = {identity(one.finding): one for one in before}
    found = []
    for finding in verdict.findings:
        earlier = known.get(identity(finding))
        since, rounds = (earlier.since, earlier.rounds + 1) if earlier else (verdict.started_at, 1)
        found.append(Standing(finding=finding, since=since, rounds=rounds))
    return tuple(found)


MOST_PASSED = 20


def _passed(before: Snapshot, standing: tuple[Standing, ...], ended: datetime) -> tuple[Passed, ...]:
    still = {identity(one.finding) for one in standing}
    gone = tuple(
        Passed(
            code=one.finding.code,
            severity=one.finding.severity,
            title=one.finding.title,
            endpoints=one.finding.endpoints,
            since=one.since,
            until=ended,
            rounds=one.rounds,
        )
        for one in before.standing
        if one.finding.severity is not Severity.INFO and identity(one.finding) not in still
    )
    recent = tuple(one for one in before.passed if ended - one.until <= STRIP)
    return (*gone, *recent)[:MOST_PASSED]


# ---- totals ----------------------------------------------------------------------------------------------------------


def _totals(before: Totals, steps: tuple[Step, ...]) -> Totals:
    counted, failures, latencies = dict(before.steps), dict(before.failures), dict(before.latencies)
    layer_bytes = before.layer_bytes
    for step in steps:
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
        if isinstance(step.seen, LayerSeen):
            layer_bytes += step.seen.received
    return replace(
        before,
        rounds=before.rounds + 1,
        steps=counted,
        failures=failures,
        latencies=latencies,
        layer_bytes=layer_bytes,
    )


def throttled(verdict: Verdict) -> bool:
    """Whether AWS asked for fewer calls in this round."""
    return any(step.failure is Failure.THROTTLED for step in verdict.steps if step.action is not Action.DNS)

"""What the sidecar knows after a round: sums, history, current and resolved findings; and bounds on their size."""

from __future__ import annotations

import pickle
from collections import Counter
from datetime import timedelta
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probe.history import (
    BUCKETS,
    LONGEST_HISTORY,
    MOST_FAILURES,
    MOST_IN_STRIP,
    MOST_RESOLVED,
    OTHER,
    STRIP,
    Colour,
    Latency,
    Snapshot,
    advance,
    throttled,
)
from probe.model import Action, Failure, JudgedFinding, LayerSeen, Outcome, Severity, Status, Step, Verdict
from probe.records import replace
from tests.report import made
from tests.serve.rounds import MINUTE, NEW, after, finding, misconfigured, verdict

SILENT = finding("tcp.silent", Severity.ERROR, "ecr.api", "ecr.dkr")
PARTLY = finding("tcp.partly-silent", Severity.WARNING, "ecr.dkr")
NOTED = finding("s3.route-undetermined", Severity.INFO, "s3")
VERDICTS = (verdict(), verdict(SILENT), verdict(PARTLY, NOTED), verdict(SILENT, PARTLY), made.broken())
patient = settings(max_examples=30, deadline=None)  # this machine may be busy
SEQUENCES = st.lists(st.sampled_from(VERDICTS), max_size=12)


def spaced(verdicts: list[Verdict]) -> list[Verdict]:
    return [replace(verdict, started_at=made.NOON + number * MINUTE) for number, verdict in enumerate(verdicts)]


def step(endpoint: str, action: Action, failure: Failure | None = None, seconds: float | None = 0.01) -> Step:
    outcome = Outcome.FAILED if failure else Outcome.OK
    return made.step(f"{endpoint}/{action}", outcome=outcome, failure=failure, seconds=seconds)


# ---- sums ------------------------------------------------------------------------------------------------------------


@patient
@given(SEQUENCES)
def test_totals_are_the_sums_over_all_rounds(verdicts: list[Verdict]) -> None:
    totals = after(spaced(verdicts)).totals
    steps = [step for past in verdicts for step in past.steps if step.outcome is not Outcome.SKIPPED]
    assert totals.rounds == len(verdicts)
    assert totals.steps == Counter((step.endpoint, str(step.action)) for step in steps)
    failed = Counter((step.endpoint, str(step.action), str(step.failure)) for step in steps if step.failure)
    assert totals.failures == failed
    assert totals.layer_bytes == sum(step.seen.received for step in steps if isinstance(step.seen, LayerSeen))
    for key, latency in totals.latencies.items():
        seconds = [
            step.seconds for step in steps if (step.endpoint, str(step.action)) == key and step.seconds is not None
        ]
        assert latency.count == len(seconds)
        assert latency.seconds == pytest.approx(sum(seconds))
        assert latency.below == tuple(sum(duration <= bound for duration in seconds) for bound in BUCKETS)


@given(st.lists(st.floats(0, 100), max_size=20))
def test_a_histogram_is_cumulative(durations: list[float]) -> None:
    latency = Latency()
    for seconds in durations:
        latency = latency.plus(seconds)
    assert all(lower <= upper for lower, upper in pairwise((*latency.below, latency.count)))


def test_kinds_of_failures_are_bounded_and_their_sum_stays_correct() -> None:
    failures = [Failure(failure) for failure in Failure]
    steps = [step(f"service{number}", Action.TCP, failure) for number in range(10) for failure in failures]
    snapshot = NEW
    for at in range(3):
        snapshot = advance(snapshot, replace(verdict(at=at), steps=tuple(steps)), interval=60)
    counts = snapshot.totals.failures
    assert sum(counts.values()) == 3 * len(steps)
    named = [key for key in counts if key[2] != OTHER]
    assert len(named) == MOST_FAILURES
    assert {key[2] for key in counts} - {str(failure) for failure in failures} == {OTHER}


# ---- nothing published is ever changed -------------------------------------------------------------------------------


@patient
@given(SEQUENCES)
def test_earlier_snapshots_stay_as_they_were(verdicts: list[Verdict]) -> None:
    snapshot = NEW
    snapshots: list[tuple[Snapshot, bytes]] = []
    for verdict_of_round in spaced(verdicts):
        snapshots.append((snapshot, pickle.dumps(snapshot)))
        snapshot = advance(snapshot, verdict_of_round, interval=60)
    assert [pickle.dumps(earlier) for earlier, _ in snapshots] == [frozen for _, frozen in snapshots]
    with pytest.raises(AttributeError):
        snapshot.interval = 1  # type: ignore[misc]


# ---- history and strip -----------------------------------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(st.lists(st.booleans(), max_size=400))
def test_history_keeps_bad_rounds_longest(bad: list[bool]) -> None:
    snapshot = after(verdict(*([SILENT] if is_bad else []), at=at) for at, is_bad in enumerate(bad))
    numbers = [past.number for past in snapshot.history]
    assert numbers == sorted(set(numbers))
    assert len(numbers) == min(len(bad), LONGEST_HISTORY)
    if bad:
        assert numbers[-1] == len(bad), "the latest is always there"
    for kind in (True, False):
        kept = [past.number for past in snapshot.history if past.bad is kind]
        every = [number for number, is_bad in enumerate(bad, start=1) if is_bad is kind]
        assert kept == every[len(every) - len(kept) :], "of each kind the oldest goes first"
        if kind:
            assert len(kept) >= min(len(every), LONGEST_HISTORY - 1), "one place is the latest round's"


def test_one_failure_is_kept_over_two_thousand_good_rounds() -> None:
    quick = replace(verdict(), steps=())
    snapshot = after([verdict(SILENT)])
    for at in range(1, 2_000):
        snapshot = advance(snapshot, replace(quick, started_at=made.NOON + at * MINUTE), interval=60)
    assert snapshot.history[0].errors == ("tcp.silent",)
    assert [past.bad for past in snapshot.history[1:]] == [False] * (LONGEST_HISTORY - 1)


@patient
@given(st.lists(st.integers(1, 50), min_size=1, max_size=30))
def test_the_strip_holds_every_round_of_the_last_hour_and_no_other(gaps: list[int]) -> None:
    starts = [sum(gaps[:place]) for place in range(1, len(gaps) + 1)]
    snapshot = after(verdict(at=start) for start in starts)
    ended = made.NOON + starts[-1] * MINUTE + timedelta(seconds=made.verdict().seconds)
    expected = [minute for minute in starts if ended - (made.NOON + minute * MINUTE) <= STRIP]
    assert [past.started_at for past in snapshot.strip] == [made.NOON + minute * MINUTE for minute in expected]


def test_a_clock_that_jumps_back_does_not_make_the_strip_grow() -> None:
    snapshot, quick = NEW, replace(verdict(), steps=())
    for number in range(MOST_IN_STRIP + 50):
        snapshot = advance(snapshot, replace(quick, started_at=made.NOON - number * MINUTE), interval=60)
    assert len(snapshot.strip) == MOST_IN_STRIP
    assert snapshot.strip[-1].number == MOST_IN_STRIP + 50


# ---- what stands, and what has passed --------------------------------------------------------------------------------


def test_a_finding_is_transient_for_one_round_only() -> None:
    first = after([verdict(), verdict(SILENT, at=1)])
    (entry,) = first.current
    assert (entry.may_be_transient, entry.rounds, entry.since) == (True, 1, made.NOON + MINUTE)
    second = after([verdict(SILENT, at=2)], first)
    (entry,) = second.current
    assert (entry.may_be_transient, entry.rounds, entry.since) == (False, 2, made.NOON + MINUTE)
    assert second.resolved == ()


def test_a_resolved_finding_has_its_duration() -> None:
    snapshot = after([verdict(SILENT, at=0), verdict(SILENT, at=1), verdict(at=2)])
    assert snapshot.current == ()
    (gone,) = snapshot.resolved
    assert (gone.code, gone.severity, gone.endpoints, gone.rounds) == (
        "tcp.silent",
        Severity.ERROR,
        ("ecr.api", "ecr.dkr"),
        2,
    )
    assert gone.since == made.NOON
    assert gone.until == made.NOON + 2 * MINUTE + timedelta(seconds=0.812)


def test_a_fault_of_one_round_is_counted_as_such_and_left_in_the_history() -> None:
    snapshot = after([verdict(at=0), verdict(SILENT, at=1), verdict(at=2)])
    (gone,) = snapshot.resolved
    assert gone.rounds == 1
    assert [past.status for past in snapshot.history] == [Status.PASS, Status.FAIL, Status.PASS]
    assert [past.endpoints["ecr.api"] for past in snapshot.strip] == [Colour.OK, Colour.ERROR, Colour.OK]


def test_notes_are_never_listed_as_resolved() -> None:
    assert after([verdict(NOTED), verdict(at=1)]).resolved == ()


def test_resolved_findings_are_dropped_after_an_hour() -> None:
    snapshot = after([verdict(SILENT), verdict(at=1)])
    assert after([verdict(at=61)], snapshot).resolved == snapshot.resolved
    assert after([verdict(at=62)], snapshot).resolved == ()


def test_resolved_findings_are_bounded_newest_first() -> None:
    rounds = [verdict(*([finding(f"code.{at}")] if at % 2 == 0 else []), at=at // 4) for at in range(120)]
    snapshot = after(rounds)
    assert [resolved.code for resolved in snapshot.resolved] == [
        f"code.{at}" for at in range(118, 118 - 2 * MOST_RESOLVED, -2)
    ]


@pytest.mark.parametrize(
    "other",
    [
        finding("tcp.refused", Severity.ERROR, "ecr.api", "ecr.dkr"),
        finding("tcp.silent", Severity.WARNING, "ecr.api", "ecr.dkr"),
        finding("tcp.silent", Severity.ERROR, "ecr.api"),
    ],
)
def test_another_code_severity_or_endpoint_is_another_finding(other: JudgedFinding) -> None:
    snapshot = after([verdict(SILENT), verdict(other, at=1)])
    assert snapshot.current[0].rounds == 1
    assert [resolved.code for resolved in snapshot.resolved] == ["tcp.silent"]


def test_a_reworded_finding_is_the_same_finding() -> None:
    snapshot = after([verdict(SILENT), verdict(replace(SILENT, title="5 of 6 connections timed out"), at=1)])
    assert snapshot.current[0].rounds == 2
    assert snapshot.current[0].finding.title == "5 of 6 connections timed out"


@patient
@given(SEQUENCES)
def test_the_current_findings_are_those_of_the_last_verdict(verdicts: list[Verdict]) -> None:
    snapshot = after(spaced(verdicts))
    assert [entry.finding for entry in snapshot.current] == list(snapshot.verdict.findings if snapshot.verdict else ())
    assert all(entry.rounds <= len(verdicts) for entry in snapshot.current)


# ---- success, misconfiguration, throttling ---------------------------------------------------------------------------


def test_the_last_success_outlives_failures() -> None:
    snapshot = after([verdict(), verdict(PARTLY, at=1), verdict(SILENT, at=2)])
    assert snapshot.last_success == made.NOON + MINUTE + timedelta(seconds=0.812)
    assert after([verdict(SILENT)]).last_success is None


def test_a_misconfigured_round_withdraws_the_verdict_until_the_next_one() -> None:
    before = after([verdict(SILENT)])
    withdrawn = misconfigured(before)
    assert (withdrawn.verdict, withdrawn.current, withdrawn.totals) == (None, (), before.totals)
    again = after([verdict(at=2)], withdrawn)
    assert again.misconfigured is None
    assert again.verdict is not None
    assert [past.number for past in again.history] == [1, 2]


def test_only_throttling_by_aws_counts() -> None:
    asked = step("ecr.api", Action.TOKEN, Failure.THROTTLED)
    resolver = step("ecr.api", Action.DNS, Failure.THROTTLED)
    assert throttled(replace(verdict(), steps=(asked,)))
    assert not throttled(replace(verdict(), steps=(resolver,)))
    assert not throttled(made.broken())


# ---- colors ----------------------------------------------------------------------------------------------------------


def test_colours_of_an_endpoint() -> None:
    verdict_of_step = msgspec.structs.replace(
        verdict(SILENT, PARTLY, NOTED),
        endpoints=(
            made.summary("ecr.api"),
            made.summary("ecr.dkr"),
            made.summary("s3"),
            made.summary("logs", ok=False),
        ),
    )
    colours = after([verdict_of_step]).history[-1].endpoints
    assert colours == {"ecr.api": Colour.ERROR, "ecr.dkr": Colour.ERROR, "s3": Colour.OK, "logs": Colour.UNKNOWN}
    assert list(colours) == ["ecr.api", "ecr.dkr", "s3", "logs"]
    amber = after([verdict(PARTLY)]).history[-1].endpoints
    assert amber["ecr.dkr"] is Colour.WARNING


# ---- memory ----------------------------------------------------------------------------------------------------------


def test_three_thousand_rounds_take_no_more_memory_than_a_thousand() -> None:
    few = [replace(verdict, steps=verdict.steps[:: max(1, len(verdict.steps) // 6)]) for verdict in VERDICTS]
    snapshot, sizes = NEW, []
    for number in range(3_000):
        moment = made.NOON + number * timedelta(seconds=30)
        snapshot = advance(snapshot, replace(few[number // 7 % len(few)], started_at=moment), interval=30)
        if number in (1_000, 2_999):
            sizes.append(len(pickle.dumps(snapshot)))
    assert sizes[1] < sizes[0] * 1.05

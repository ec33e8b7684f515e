"""The last hour: cells in proportion to time, findings and times in words, and latencies as a line."""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import pairwise

import pytest

from probe.history import Colour, Snapshot
from probe.model import Action, Pull, Status, Verdict
from probe.records import replace
from probe.serve.timeline import WIDTH, Cell, LatencyLine, hour
from tests.page.snapshots import NOON, after, broken, failing_in_one_zone, unproven, verdict


def cells(snapshot: Snapshot, name: str = "pull") -> tuple[Cell, ...]:
    (strip,) = [strip for strip in hour(snapshot).strips if strip.name == name]
    return strip.cells


@pytest.mark.parametrize(
    ("rounds", "title"),
    [(1, "The last 5 minutes"), (5, "The last 5 minutes"), (6, "The last 15 minutes"), (200, "The last hour")],
)
def test_a_young_sidecar_shows_less_than_an_hour(rounds: int, title: str) -> None:
    assert hour(after([verdict()] * rounds)).title == title


@pytest.mark.parametrize("rounds", [1, 5, 15, 60, 200])
def test_cells_lie_side_by_side_within_the_strip(rounds: int) -> None:
    drawn = cells(after([verdict()] * rounds))
    assert drawn[0].start >= 0
    assert all(cell.start + cell.width <= following.start for cell, following in pairwise(drawn))
    assert drawn[-1].start + drawn[-1].width <= WIDTH


def test_it_ends_where_the_next_round_is_due() -> None:
    assert hour(after([verdict()] * 3)).end == NOON + timedelta(seconds=60)


def test_a_pause_is_left_blank() -> None:
    """Nothing is known about ten minutes without a round."""
    snapshot = after([verdict()] * 2, interval=600)
    paused = cells(replace(snapshot, interval=60.0))
    assert paused[0].width < WIDTH * 60 / 900


def test_a_short_failure_is_wide_enough_to_be_seen() -> None:
    quick = [verdict(seconds=0.2)] * 700
    drawn = cells(after([*quick, broken(), *quick[:10]], interval=5))
    (failed,) = [cell for cell in drawn if cell.colour is Colour.ERROR]
    assert failed.width >= 12


@pytest.mark.parametrize(
    ("pull", "status", "colour"),
    [
        (Pull.WORKS, Status.PASS, Colour.OK),
        (Pull.WORKS, Status.DEGRADED, Colour.WARNING),
        (Pull.WORKS, Status.FAIL, Colour.ERROR),
        (Pull.WORKS, Status.INCONCLUSIVE, Colour.UNKNOWN),
        (Pull.BROKEN, Status.FAIL, Colour.ERROR),
        (Pull.UNPROVEN, Status.PASS, Colour.UNKNOWN),
    ],
)
def test_the_strip_of_the_pull(pull: Pull, status: Status, colour: Colour) -> None:
    assert cells(after([verdict(pull=pull, status=status)]))[0].colour is colour


def test_an_endpoint_that_was_not_planned_then_is_unknown() -> None:
    fewer = verdict(endpoints=verdict().endpoints[:2])
    assert [cell.colour for cell in cells(after([fewer, verdict()]), "logs")] == [Colour.UNKNOWN, Colour.OK]


def test_only_the_latest_spells_are_listed() -> None:
    pull = hour(after([broken(), verdict()] * 8)).strips[0]
    assert pull.short == "8 of 16 rounds failed"
    assert "3 earlier spells; failed 11:51 UTC, 1 round: tcp.silent, logs.group-missing;" in pull.spoken


def test_failed_and_unproven_rounds_are_counted_separately() -> None:
    pull = hour(after([verdict(), broken(), unproven(), unproven()])).strips[0]
    assert pull.short == "1 of 4 rounds failed, 2 not proven"


def test_a_spell_names_its_findings_and_times() -> None:
    strips = hour(after([verdict(), broken(), broken(), verdict(), failing_in_one_zone(), verdict()])).strips
    spells = {strip.name: [spell.title for spell in strip.spells] for strip in strips}
    assert spells["pull"] == [
        "failed 11:56 to 11:57 UTC, 2 rounds: tcp.silent, logs.group-missing",
        "with warnings 11:59 UTC, 1 round: tcp.partly-silent",
    ]
    assert spells["ecr.dkr"] == ["failed 11:56 to 11:57 UTC, 2 rounds: tcp.silent"]
    assert spells["s3"] == ["not proven 11:56 to 11:57 UTC, 2 rounds"]


def test_spells_that_differ_in_their_findings_are_separate() -> None:
    only_silent = replace(broken(), findings=broken().findings[:1])
    pull = hour(after([broken(), only_silent])).strips[0]
    assert len(pull.spells) == 2


def test_a_restless_hour_has_a_bounded_number_of_titles() -> None:
    assert all(len(strip.spells) <= 24 for strip in hour(after([verdict(), broken()] * 360, interval=5)).strips)


# ---- latencies -------------------------------------------------------------------------------------------------------


def taking(seconds: float) -> Verdict:
    """A verdict in which the slowest step of each endpoint, apart from layers, takes this long."""
    steps = [replace(step, seconds=9.0 if step.action is Action.LAYER else seconds) for step in verdict().steps]
    return verdict(steps=steps)


def latency(verdicts: list[Verdict], name: str = "ecr.api") -> LatencyLine:
    (strip,) = [strip for strip in hour(after(verdicts)).strips if strip.name == name]
    assert strip.latency is not None
    return strip.latency


def test_latency_is_that_of_the_slowest_step_without_layers() -> None:
    assert latency([taking(0.02), taking(0.5), taking(0.03)], "s3").short == "slowest step 30 ms, max 500 ms"
    assert latency([taking(0.02)]).short == "slowest step 20 ms"


def test_a_latency_line_is_described() -> None:
    expected = "ecr.api, slowest step of each round: 30 ms in the last round, 20 ms to 30 ms"
    assert latency([taking(0.02), taking(0.03)]).spoken == expected


def test_the_pull_has_no_latency_of_its_own() -> None:
    assert hour(after([verdict()])).strips[0].latency is None


def test_a_round_without_latency_is_a_gap() -> None:
    silent = verdict(steps=[replace(step, seconds=None) for step in verdict().steps])
    line = latency([taking(0.02), silent, taking(0.02)])
    assert line.path.count("M") == 2
    assert latency([taking(0.02), silent]).short == "slowest step –, max 20 ms"


def test_a_peak_among_many_rounds_is_drawn() -> None:
    verdicts = [taking(0.01)] * 300 + [taking(1.0)] + [taking(0.01)] * 300
    path = hour(after(verdicts, interval=6)).strips[1].latency
    assert path is not None
    heights = [int(height) for height in re.findall(r"[ML]\d+ (\d+)", path.path)]
    assert len(heights) <= 120
    assert heights.count(min(heights)) == 1
    assert (min(heights), max(heights)) == (5, 94)


def test_noise_is_drawn_flat() -> None:
    heights = re.findall(r"[ML]\d+ (\d+)", latency([taking(0.0005), taking(0.0001)]).path)
    assert heights == ["91", "94"]

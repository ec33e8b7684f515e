"""The strips: cells in proportion to time, and the same in words."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest

from probe.history import Colour, Snapshot
from probe.model import Pull, Status
from probe.records import replace
from probe.serve.timeline import WIDTH, Cell, hour
from tests.page.snapshots import NOON, after, broken, unproven, verdict


def cells(snapshot: Snapshot, name: str = "pull") -> tuple[Cell, ...]:
    (strip,) = [strip for strip in hour(snapshot).strips if strip.name == name]
    return strip.cells


@pytest.mark.parametrize(
    ("rounds", "words"),
    [(1, "The last 5 minutes"), (5, "The last 5 minutes"), (6, "The last 15 minutes"), (200, "The last hour")],
)
def test_a_young_sidecar_shows_less_than_an_hour(rounds: int, words: str) -> None:
    assert hour(after([verdict()] * rounds)).words == words


@pytest.mark.parametrize("rounds", [1, 5, 15, 60, 200])
def test_cells_lie_side_by_side_within_the_strip(rounds: int) -> None:
    known = cells(after([verdict()] * rounds))
    assert known[0].start >= 0
    assert all(one.start + one.width <= following.start for one, following in pairwise(known))
    assert known[-1].start + known[-1].width <= WIDTH


def test_it_ends_where_the_next_round_is_due() -> None:
    assert hour(after([verdict()] * 3)).end == NOON + timedelta(seconds=60)


def test_a_pause_is_left_blank() -> None:
    """After ten minutes without a round nobody knows what was."""
    snapshot = after([verdict()] * 2, interval=600)
    paused = cells(replace(snapshot, interval=60.0))
    assert paused[0].width < WIDTH * 60 / 900


def test_a_short_failure_is_wide_enough_to_be_seen() -> None:
    quick = [verdict(seconds=0.2)] * 700
    known = cells(after([*quick, broken(), *quick[:10]], interval=5))
    (failed,) = [cell for cell in known if cell.colour is Colour.ERROR]
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
def test_the_pulls_own_strip(pull: Pull, status: Status, colour: Colour) -> None:
    assert cells(after([verdict(pull=pull, status=status)]))[0].colour is colour


def test_an_endpoint_that_was_not_planned_then_is_unknown() -> None:
    fewer = verdict(endpoints=verdict().endpoints[:2])
    assert [cell.colour for cell in cells(after([fewer, verdict()]), "logs")] == [Colour.UNKNOWN, Colour.OK]


def test_only_the_latest_spells_are_told_one_by_one() -> None:
    pull = hour(after([broken(), verdict()] * 8)).strips[0]
    assert pull.short == "8 of 16 rounds failed"
    assert "3 earlier spells; failed 11:51, one round;" in pull.spoken


def test_several_kinds_are_counted_apart() -> None:
    pull = hour(after([verdict(), broken(), unproven(), unproven()])).strips[0]
    assert pull.short == "1 of 4 rounds failed, 2 not proven"

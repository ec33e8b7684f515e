"""When the next round starts, and how throttling stretches the interval: properties over all of time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probe.serve.loop import JITTER, LONGEST_INTERVAL, eased, next_start
from probe.serve.options import LONGEST, SHORTEST

INSTANTS = st.floats(0, 1e9)
INTERVALS = st.floats(SHORTEST, LONGEST)
CHANCE = st.floats(-1, 1)
TINY = 1e-6  # what floats lose at 1e9


@given(planned=INSTANTS, interval=INTERVALS, lasted=st.floats(0, 1e7), roll=CHANCE)
def test_the_next_start_is_never_in_the_past(planned: float, interval: float, lasted: float, roll: float) -> None:
    now = planned + lasted
    start, _ = next_start(planned, interval, now=now, roll=roll)
    assert start >= now - TINY
    assert start <= now + interval * (1 + JITTER) + TINY


@given(planned=INSTANTS, interval=INTERVALS, part=st.floats(0, 0.89), roll=CHANCE)
def test_jitter_is_a_tenth_either_way(planned: float, interval: float, part: float, roll: float) -> None:
    start, late = next_start(planned, interval, now=planned + interval * part, roll=roll)
    assert not late
    assert interval * 0.9 - TINY <= start - planned <= interval * 1.1 + TINY


@pytest.mark.parametrize(("roll", "start"), [(-1, 54.0), (0, 60.0), (1, 66.0)])
def test_jitter_covers_its_whole_range(roll: float, start: float) -> None:
    planned, late = next_start(0.0, 60.0, now=1.0, roll=roll)
    assert planned == pytest.approx(start)
    assert late is False


@pytest.mark.parametrize(
    ("lasted", "start", "late"),
    [
        (0, 60, False),
        (59.9, 60, False),
        (60, 60, False),  # to the point
        (60.1, 120, True),
        (90, 120, True),
        (119.9, 120, True),
        (125, 180, True),
        (100_000, 100_020, True),  # the machine slept
    ],
)
def test_after_an_overrun_the_plan_is_kept(lasted: float, start: float, late: bool) -> None:
    assert next_start(0.0, 60.0, now=lasted, roll=0) == (start, late)


@given(planned=INSTANTS, interval=INTERVALS, over=st.floats(0.01, 1e4), roll=CHANCE)
def test_a_long_overrun_counts_once(planned: float, interval: float, over: float, roll: float) -> None:
    step = interval * (1 + JITTER * roll)
    start, late = next_start(planned, interval, now=planned + step + over, roll=roll)
    assert late is True
    periods = (start - planned) / step
    assert periods == pytest.approx(round(periods), abs=1e-3)
    assert periods > 1.5


@given(base=INTERVALS, throttles=st.lists(st.booleans(), max_size=60))
def test_the_interval_stays_between_the_configured_and_the_longest_one(base: float, throttles: list[bool]) -> None:
    interval = base
    for throttled in throttles:
        before, interval = interval, eased(interval, base, throttled=throttled)
        assert base <= interval <= max(base, LONGEST_INTERVAL)
        assert interval >= before if throttled else interval <= before


@given(base=INTERVALS, throttled=st.integers(1, 20))
def test_success_restores_the_interval(base: float, throttled: int) -> None:
    interval = base
    for _ in range(throttled):
        interval = eased(interval, base, throttled=True)
    for _ in range(throttled):
        interval = eased(interval, base, throttled=False)
    assert interval == base


def test_it_doubles_and_halves() -> None:
    stretched = [60.0]
    for throttled in (True, True, True, True, True, False, False, False, False, False):
        stretched.append(eased(stretched[-1], 60.0, throttled=throttled))
    assert stretched == [60, 120, 240, 480, 900, 900, 450, 225, 112.5, 60, 60]

"""When the next round starts. Pure."""

from __future__ import annotations

JITTER = 0.1  # of the interval, either way: many tasks that start together drift apart
LONGEST = 900.0  # seconds between rounds, however long AWS goes on asking for fewer calls


def next_start(planned: float, interval: float, *, now: float, roll: float) -> tuple[float, bool]:
    """The instant of the next round, and whether the last one overran it.

    `planned` is the instant at which the last round was to start, `roll` chance between -1 and 1. Rounds never overlap:
    after an overrun the next one starts at the next instant of the plan that is still to come.
    """
    step = interval * (1 + JITTER * roll)
    late = planned + step < now
    missed = max(0.0, (now - planned) // step) if late else 0.0
    return planned + step * (missed + 1), late


def eased(interval: float, base: float, *, throttled: bool) -> float:
    """The interval from now on: doubled while AWS throttles, up to LONGEST; halved again, down to `base`, once not."""
    if throttled:
        return min(interval * 2, max(base, LONGEST))
    return max(base, interval / 2)

"""The one retry: a second step, for what passes by itself. A success after it is the one that counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from probe.measure.recorder import Attempt, Run
from probe.model import Failure

T = TypeVar("T")
PASSING = (Failure.THROTTLED, Failure.SERVER_ERROR, Failure.RESET)


def with_retry(run: Run, attempt: Callable[[], Attempt[T]]) -> Attempt[T]:
    """Attempt, and once more after `budget.retry_wait` where the failure is one that passes."""
    first = attempt()
    if first.step.failure not in PASSING or run.over:
        return first
    run.pause(run.plan.budget.retry_wait)
    return first if run.over else attempt()

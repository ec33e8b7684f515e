"""The one retry: a second step, for what passes by itself. A success after it is the one that counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from probe.measure.recorder import Attempt, Run
from probe.model import Failure, Step

T = TypeVar("T")
PASSING = (Failure.THROTTLED, Failure.SERVER_ERROR, Failure.RESET)


def _passes(step: Step, run: Run) -> bool:
    """A connection that does not come up where one just did is lost packets; a request that is not answered in time
    takes longer, and is worth no second wait."""
    lost = step.failure is Failure.TIMEOUT and (step.seconds or 0.0) < run.plan.budget.request
    return step.failure in PASSING or lost


def with_retry(run: Run, attempt: Callable[[], Attempt[T]]) -> Attempt[T]:
    """Attempt, and once more after `budget.retry_wait` where the failure is one that passes.

    Without `budget.retries` it stays at the first: for who comes again soon anyway.
    """
    first = attempt()
    if not _passes(first.step, run) or run.over or not run.plan.budget.retries:
        return first
    run.pause(run.plan.budget.retry_wait)
    return first if run.over else attempt()

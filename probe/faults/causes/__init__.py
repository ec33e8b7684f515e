"""What can produce a fault: each cause's title, fix and deciding read, stated once. The tables are `causes_*.py`."""

from __future__ import annotations

from collections.abc import Mapping

from probe.faults.causes.answers import ANSWERS
from probe.faults.causes.network import NETWORK
from probe.faults.causes.texts import CauseText
from probe.model import Cause, Standing

CAUSES: Mapping[str, CauseText] = {**NETWORK, **ANSWERS}


def cause(code: str, standing: Standing, values: Mapping[str, object], *, other: CauseText | None = None) -> Cause:
    """The cause `code` with its texts filled in; `other` are a fault's own words for what has no code."""
    text = other if code == "other" and other is not None else CAUSES[code]
    return Cause(
        code=code,
        standing=standing,
        title=text.title.format_map(values),
        fix=text.fix.format_map(values),
        decide=text.decide.format_map(values),
    )


def in_order(causes: tuple[Cause, ...]) -> tuple[Cause, ...]:
    """Confirmed first, ruled out last, else as they stand."""
    return tuple(sorted(causes, key=lambda cause: cause.standing.rank))

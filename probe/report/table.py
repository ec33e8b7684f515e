"""The table of steps: one block for each endpoint, one row for what went alike. Healthy addresses share a row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from probe.model import (
    Action,
    Asker,
    Basis,
    EndpointSummary,
    Outcome,
    Route,
    Step,
    Verdict,
)
from probe.narration import duration, object_cell, result_cell, skip_reason
from probe.records import Record
from probe.report import Page
from probe.report.layout import Line, columns, cut, pad, plain

_INFERRED = ("dim", "(ok)")  # what the words of an error only let infer
# A control and a follow-up are evidence: that they came to nothing is no fault.
_NO_FAULT = ("dim", "no")
_MARKS = {Outcome.OK: ("good", "ok"), Outcome.FAILED: ("error", "FAIL"), Outcome.SKIPPED: ("dim", "skip")}
ROUTES = {
    Route.ENDPOINT: "through the endpoint",
    Route.PUBLIC: "by public addresses",
    Route.UNDETERMINED: "gateway endpoint or NAT",
}
_MARGIN = 2 + 4 + 4 * 2  # indent, mark and gaps


class Row(Record, frozen=True):
    """What went alike. `mark` is a style and a word."""

    outcome: Outcome
    action: str
    what: str
    facts: str
    time: str
    mark: tuple[str, str]

    @property
    def cells(self) -> tuple[str, str, str, str]:
        return self.action, self.what, self.facts, self.time


class Block(Record, frozen=True):
    """An endpoint and its rows. `about` is its host and how it was reached."""

    name: str
    about: tuple[str, ...]
    rows: tuple[Row, ...]


def blocks(verdict: Verdict) -> list[Block]:
    by_id = {step.id: step for step in verdict.steps}
    summaries = {summary.name: summary for summary in verdict.endpoints}
    return [
        Block(
            name, tuple(_about(summaries[name])) if name in summaries else (), tuple(_rows(steps, by_id, verdict.basis))
        )
        for name, steps in _by_endpoint(verdict.steps)
        if not _left_out(steps)
    ]


def not_needed(verdict: Verdict) -> list[str]:
    """The endpoints outside the plan."""
    return [name for name, steps in _by_endpoint(verdict.steps) if _left_out(steps)]


def table(verdict: Verdict, page: Page) -> Iterator[Line]:
    """All blocks, columns aligned throughout and cut to the page's width."""
    known = blocks(verdict)
    widths = _widths([row for block in known for row in block.rows], page)
    for block in known:
        yield ("strong", block.name), ("dim", "  " + " · ".join(block.about))
        for row in block.rows:
            style, mark = row.mark
            cells = [pad(cut(cell, width, page), width) for cell, width in zip(row.cells, widths, strict=True)]
            cells[-1] = row.time.rjust(widths[-1])
            dim = "dim" if row.outcome is Outcome.SKIPPED else ""
            yield ("", "  "), (style, pad(mark, 4)), (dim, "  " + "  ".join(cells))
    left_out = not_needed(verdict)
    if left_out:
        yield plain(f"not needed here: {', '.join(left_out)}", "dim")


def _widths(rows: Sequence[Row], page: Page) -> list[int]:
    widths = columns([row.cells for row in rows])
    if widths:
        widths[1] = min(widths[1], page.width // 3)
        widths[2] = max(min(widths[2], page.width - _MARGIN - widths[0] - widths[1] - widths[3]), 8)
    return widths


def _by_endpoint(steps: Iterable[Step]) -> list[tuple[str, list[Step]]]:
    groups: dict[str, list[Step]] = {}
    for step in steps:
        groups.setdefault(step.endpoint, []).append(step)
    return list(groups.items())


def _left_out(steps: Sequence[Step]) -> bool:
    """An endpoint outside the plan is one skipped lookup."""
    return (
        len(steps) == 1
        and steps[0].outcome is Outcome.SKIPPED
        and steps[0].action is Action.DNS
        and not steps[0].subject
    )


def _about(summary: EndpointSummary) -> Iterator[str]:
    yield summary.host
    if summary.route is not None:
        yield ROUTES[summary.route]
    if summary.reached < summary.resolved:
        yield f"{summary.reached} of {summary.resolved} addresses answer"


def _rows(steps: Sequence[Step], by_id: Mapping[str, Step], basis: Basis) -> list[Row]:
    groups: dict[tuple[object, ...], list[Step]] = {}
    for step in steps:
        groups.setdefault(_likeness(step, by_id), []).append(step)
    return [_row(group, by_id, basis) for group in groups.values()]


def _likeness(step: Step, by_id: Mapping[str, Step]) -> tuple[object, ...]:
    """What steps must have in common to share a row."""
    base: tuple[object, ...] = (step.action, step.outcome, step.failure)
    if step.skipped:
        return (*base, skip_reason(step, by_id))
    if step.names:
        return (*base, step.names.server, step.names.name, step.asker)
    if step.action in (Action.TCP, Action.TLS, Action.BLOB, Action.LAYER):
        return (*base, step.layer.what) if step.layer else base
    return (*base, step.id)


def _row(group: Sequence[Step], by_id: Mapping[str, Step], basis: Basis) -> Row:
    first = group[0]
    mark = _INFERRED if first.ok and basis is Basis.TEXT else _MARKS[first.outcome]
    seconds = [step.seconds for step in group if step.seconds is not None]
    return Row(
        outcome=first.outcome,
        action=str(first.action),
        what=object_cell(group),
        facts=result_cell(group, by_id),
        time=duration(max(seconds)) if seconds and not first.skipped else "",
        mark=_NO_FAULT if first.failed and first.asker is not Asker.CONFIGURED else mark,
    )

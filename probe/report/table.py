"""The table of endpoints: a line for each endpoint, and its steps. Steps with the same result share a row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from probe.model import Action, Asker, Basis, EndpointSummary, Failure, Outcome, Route, Step, Verdict
from probe.narration import (
    action_label,
    counted,
    duration,
    failure_cell,
    listed,
    object_cell,
    result_cell,
    size,
    skip_reason,
)
from probe.records import Record, replace
from probe.report import Page
from probe.report.layout import Line, cells, columns, pad, plain, wrapped
from probe.report.summary import Mark, endpoint_state, measured_from

_INFERRED = ("dim", "(ok)")  # from an error text
# Controls and follow-ups are evidence; their failure is not a fault.
_NO_FAULT = ("dim", "no")
_MARKS = {Outcome.OK: ("good", "ok"), Outcome.FAILED: ("error", "FAIL"), Outcome.SKIPPED: ("dim", "skip")}
ROUTES = {
    Route.ENDPOINT: "through the endpoint",
    Route.PUBLIC: "by public addresses",
    Route.UNDETERMINED: "gateway endpoint or NAT",
}
MARKS = {
    Mark.OK: ("good", "ok"),
    Mark.WARNING: ("warning", "warn"),
    Mark.UNPROVEN: ("warning", "?"),
    Mark.BROKEN: ("error", "FAIL"),
    Mark.NOT_TRIED: ("dim", "-"),
}
# Subjects of a start that succeeded, in an error text about what came after or before it.
_SUCCEEDED = {"ended": "the task ran, then ended", "recovered": "succeeded later"}
_NO_HOST = "HOST"  # an error text names none
_WITHOUT_FAULT = (Mark.OK, Mark.NOT_TRIED)
_INDENT = 8  # columns before the first cell: blanks and the mark
_MARGIN = _INDENT + 3 * 2  # with the gaps between the cells


class Row(Record, frozen=True):
    """Steps with the same result. `mark` is a style and a word."""

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
        if not _is_outside_plan(steps)
    ]


def not_needed(verdict: Verdict) -> list[str]:
    """The endpoints that this task does not need."""
    return [name for name, steps in _by_endpoint(verdict.steps) if _is_outside_plan(steps)]


def table(verdict: Verdict, page: Page) -> Iterator[Line]:
    """Every step of every endpoint, with columns aligned over all endpoints."""
    endpoint_blocks = blocks(verdict)
    widths = _widths([row for block in endpoint_blocks for row in block.rows], page)
    for block in endpoint_blocks:
        yield from _heading(block, page)
        for row in block.rows:
            yield from _step_lines(row, widths, page)
    if any(row.mark == _NO_FAULT for block in endpoint_blocks for row in block.rows):
        yield plain("no = evidence only: its failure is not a fault", "dim")
    left_out = not_needed(verdict)
    if left_out:
        yield plain(f"not needed here: {', '.join(left_out)}", "dim")


def _heading(block: Block, page: Page) -> Iterator[Line]:
    """The name of an endpoint and what there is to say about it, on a second line where the page is too narrow."""
    text = " · ".join(block.about)
    if cells(block.name) + 2 + cells(text) <= page.width:
        yield ("strong", block.name), ("dim", f"  {text}")
        return
    host, *rest = block.about
    yield ("strong", block.name), ("dim", f"  {host}{' ·' if rest else ''}")
    if rest:
        yield from wrapped(("", ""), " · ".join(rest), indent=_INDENT, page=page, style="dim")


def overview(verdict: Verdict, page: Page, *, steps: bool, working: bool = True) -> Iterator[Line]:
    """One line for each endpoint. `steps`: also the steps of those that do not work; `working` False: the others are
    counted.
    """
    all_steps = _rooted(verdict.steps)
    by_id = {step.id: step for step in all_steps}
    groups = [(name, group) for name, group in _by_endpoint(all_steps) if not _is_outside_plan(group)]
    states = {name: endpoint_state(verdict, name)[0] for name, _ in groups}
    rows = {
        name: _short_rows(group, by_id, verdict.basis)
        for name, group in groups
        if steps and states[name] not in _WITHOUT_FAULT
    }
    widths = _widths([row for group in rows.values() for row in group if row.outcome is not Outcome.SKIPPED], page)
    column = max((cells(name) for name in states), default=0) + 2
    hosts = {summary.name: (summary.host,) for summary in verdict.endpoints if summary.host != _NO_HOST}
    counted_only = [name for name, _ in groups if not working and states[name] is Mark.OK and name != "task"]
    for name, group in groups:
        if name in counted_only:
            continue
        inferred = verdict.basis is Basis.TEXT and any(step.ok for step in group)
        style, sign = _INFERRED if inferred and states[name] in _WITHOUT_FAULT else MARKS[states[name]]
        label = (("strong", pad(name, column)), (style, pad(sign, 4)))
        more = hosts.get(name, ()) if name in rows else _failures(group, by_id)
        yield from _labelled(label, "; ".join((*_state(name, group, verdict), *more)), column + 6, page)
        for row in rows.get(name, ()):
            yield from _step_lines(row, widths, page)
    if counted_only:
        yield plain(f"ok: {', '.join(counted_only)} (-v)", "dim")


def _rooted(steps: Sequence[Step]) -> list[Step]:
    """The steps; each skipped one is blocked by the step that failed, not by another skipped one."""
    by_id = {step.id: step for step in steps}

    def root(step: Step) -> Step:
        blocker, ids = step, {step.id}
        while blocker.skipped and blocker.blocked_by in by_id.keys() - ids:
            blocker = by_id[str(blocker.blocked_by)]
            ids.add(blocker.id)
        return replace(step, blocked_by=blocker.id) if blocker.failed else step

    return [root(step) if step.skipped else step for step in steps]


def _labelled(label: Line, text: str, column: int, page: Page) -> list[Line]:
    """`text` after a label of several spans."""
    first, *rest = wrapped(("", ""), text, indent=column, page=page)
    return [(*label, ("", "  "), *first[2:]), *rest]


def _step_lines(row: Row, widths: Sequence[int], page: Page) -> list[Line]:
    """A row in its columns. A row too wide for them is wrapped, with its facts on the lines below."""
    style, sign = row.mark
    dim = "dim" if row.outcome is Outcome.SKIPPED else ""
    head = (("", "  "), (style, pad(sign, 4)), ("", "  "))
    if all(cells(cell) <= width for cell, width in zip(row.cells, widths, strict=True)):
        row_cells = [pad(cell, width) for cell, width in zip(row.cells[:-1], widths, strict=False)]
        return [(*head, (dim, "  ".join([*row_cells, row.time.rjust(widths[-1])])))]
    label, room = f"{pad(row.action, widths[0])}  ", widths[1] + 2 + widths[2]
    if cells(row.action) <= widths[0] and cells(row.what) <= room:
        line: Line = ((dim, f"{label}{pad(row.what, room)}  {row.time.rjust(widths[-1])}"),)
        rest: list[Line] = []
    else:
        what = "  ".join(part for part in (row.what, row.time) if part)
        lines = wrapped((dim, label), what, indent=_INDENT, page=page, style=dim)
        line, rest = lines[0][1:], lines[1:]
    facts = wrapped((dim, ""), row.facts, indent=_INDENT + widths[0] + 2, page=page, style=dim) if row.facts else []
    return [(*head, *line), *rest, *facts]


def _widths(rows: Sequence[Row], page: Page) -> list[int]:
    """The widths of the columns, which fit the page together."""
    if not rows:
        return [0] * 4
    action, what, facts, time = columns([row.cells for row in rows])
    what = min(what, page.width // 3)
    return [action, what, max(min(facts, page.width - _MARGIN - action - what - time), 0), time]


def _short_rows(steps: Sequence[Step], by_id: Mapping[str, Step], basis: Basis) -> list[Row]:
    """The rows of an endpoint, without lookups at other than the configured resolvers. Skipped steps share a row."""
    rows = _rows([step for step in steps if not step.skipped and step.asker is Asker.CONFIGURED], by_id, basis)
    for reason, group in _skipped(steps, by_id).items():
        rows.append(replace(_row(group[:1], by_id, basis), action=f"{_actions(group)}: {reason}", what="", facts=""))
    return rows


def _skipped(steps: Sequence[Step], by_id: Mapping[str, Step]) -> dict[str, list[Step]]:
    """The skipped steps, by reason."""
    groups: dict[str, list[Step]] = {}
    for step in steps:
        if step.skipped:
            groups.setdefault(skip_reason(step, by_id), []).append(step)
    return groups


def _actions(steps: Sequence[Step]) -> str:
    return ", ".join(dict.fromkeys(action_label(step.action) for step in steps))


# ---- the state of an endpoint, in a line -----------------------------------------------------------------------------


def _state(name: str, steps: Sequence[Step], verdict: Verdict) -> Iterator[str]:
    """What was reached and what was received."""
    summary = next((row for row in verdict.endpoints if row.name == name), None)
    if summary is not None:
        yield from _reached(summary)
    elif where := measured_from(verdict):
        yield where
    yield from _results(steps)


def _reached(summary: EndpointSummary) -> Iterator[str]:
    if summary.resolved:
        number = f"{summary.reached} of {_addresses(summary)}"
        route = f", {ROUTES[summary.route]}" if summary.route is not None else ""
        yield f"{number}{route}" if summary.reached else f"{number} reached"


def _addresses(summary: EndpointSummary) -> str:
    """ "1 address", "2 addresses": how many the name resolved to."""
    return f"{summary.resolved} address{'' if summary.resolved == 1 else 'es'}"


def _results(steps: Sequence[Step]) -> Iterator[str]:
    """What was received from an endpoint."""
    succeeded = [step for step in steps if step.ok]
    if any(step.action is Action.TOKEN for step in succeeded):
        yield "token received"
    manifests = [step.manifest for step in succeeded if step.manifest and step.manifest.layers is not None]
    if manifests:
        yield f"manifest read ({counted(manifests[-1].layers or 0, 'layer')})"
    layers = {step.layer.digest: step.layer for step in succeeded if step.layer}.values()  # the last attempt of each
    if layers:
        count = sum(layer.what == "layer" for layer in layers)
        kinds = [*(["config"] if count < len(layers) else []), *([counted(count, "layer")] if count else [])]
        verified = "verified" if all(layer.verified for layer in layers) else "read"
        yield f"{listed(kinds)} {verified} ({size(sum(layer.received for layer in layers))})"
    if any(step.action in (Action.LOGS, Action.REQUEST) and step.answer for step in succeeded):
        yield "answered"


def _failures(steps: Sequence[Step], by_id: Mapping[str, Step]) -> Iterator[str]:
    """What failed and was not overcome by a retry; if nothing, what was skipped because something else failed."""
    succeeded = {step.target for step in steps if step.ok}
    steps = [step for step in steps if step.target not in succeeded]
    failures = [step for step in steps if step.failed and step.asker is Asker.CONFIGURED]
    yield from dict.fromkeys(
        f"{action_label(step.action)} {failure_cell(step.failure or Failure.BUG)}" for step in failures
    )
    if not failures:
        groups = _skipped([step for step in steps if step.blocked_by], by_id).items()
        yield from (f"{_actions(group)} skipped: {reason}" for reason, group in groups)


# ---- the steps of an endpoint ----------------------------------------------------------------------------------------


def _by_endpoint(steps: Iterable[Step]) -> list[tuple[str, list[Step]]]:
    groups: dict[str, list[Step]] = {}
    for step in steps:
        groups.setdefault(step.endpoint, []).append(step)
    return list(groups.items())


def _is_outside_plan(steps: Sequence[Step]) -> bool:
    """Whether these are the steps of an endpoint outside the plan: a single skipped lookup."""
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
        yield f"{summary.reached} of {_addresses(summary)} reached"


def _rows(steps: Sequence[Step], by_id: Mapping[str, Step], basis: Basis) -> list[Row]:
    groups: dict[tuple[object, ...], list[Step]] = {}
    for step in steps:
        groups.setdefault(_row_key(step, by_id), []).append(step)
    return [_row(group, by_id, basis) for group in groups.values()]


def _row_key(step: Step, by_id: Mapping[str, Step]) -> tuple[object, ...]:
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
    if first.action is Action.START and first.subject in _SUCCEEDED:
        return Row(first.outcome, str(first.action), _SUCCEEDED[first.subject], "", "", _INFERRED)
    return Row(
        outcome=first.outcome,
        action=str(first.action),
        what=object_cell(group),
        facts=skip_reason(first, by_id) if first.skipped else result_cell(group, by_id),  # the mark says "skip"
        time=duration(max(seconds)) if seconds and not first.skipped else "",
        mark=_NO_FAULT if first.failed and first.asker is not Asker.CONFIGURED else mark,
    )

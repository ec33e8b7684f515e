"""A fleet in words, for people: what each subnet reached, then each finding once with all subnets that have it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from probe.fleet import Fleet, Source, SubnetRun
from probe.model import Severity
from probe.report import Page
from probe.report.findings import reasons
from probe.report.fleet import Fault, Mark, conclusion, endpoints, faults, of_endpoint, places, silences
from probe.report.layout import Line, Span, columns, cut, pad, paint, wrapped
from probe.report.summary import TONES

_MARKS = {
    Mark.WELL: ("good", "ok"),
    Mark.WARNED: ("warning", "warn"),
    Mark.UNPROVEN: ("warning", "?"),
    Mark.BROKEN: ("error", "FAIL"),
    Mark.NOT_TRIED: ("dim", "-"),
}
_MOST_ROWS = 24  # more than fit on a screen; then subnets of a zone that did alike share one
_MOST_PLACES = 8
_MOST_ENDPOINTS = 12


class _Row(NamedTuple):
    place: tuple[str, str]  # zone, subnet
    cells: tuple[Span, ...]  # one for each endpoint
    answer: Span


def render_fleet(fleet: Fleet, page: Page) -> str:
    return paint(_lines(fleet, page), page)


def _lines(fleet: Fleet, page: Page) -> Iterator[Line]:
    yield from wrapped(("dim", ""), _subject(fleet), indent=0, page=page, style="dim")
    yield from _matrix(fleet, page)
    yield ()
    known = faults(fleet)
    for fault in known:
        if fault.finding.severity is not Severity.INFO:
            yield from _fault(fault, page)
    for status, words, runs in silences(fleet):
        yield from wrapped((TONES[status], f"{status}: "), words, indent=0, page=page, style="strong", hang=2)
        yield from _where(runs, page)
        yield ()
    notes = [*_remarks(fleet, page), *(line for words in fleet.notes for line in _note("note: ", words, page))]
    for fault in known:
        if fault.finding.severity is Severity.INFO:
            title = f"{fault.finding.title}{_share(fault.runs, fleet)}"
            notes += _note(f"info[{fault.finding.code}]: ", title, page)
    yield from [*notes, ()] if notes else []
    yield (TONES[fleet.status], str(fleet.status)), ("", f": {conclusion(fleet)}")


def _subject(fleet: Fleet) -> str:
    service = f", service {fleet.service}" if fleet.service else ""
    role = f", as {fleet.role.rpartition('/')[2]}" if fleet.role else ""
    return f"{fleet.task_definition} in cluster {fleet.cluster} ({fleet.region}){service}{role}"


# ---- the matrix ------------------------------------------------------------------------------------------------------


def _matrix(fleet: Fleet, page: Page) -> Iterator[Line]:
    if not fleet.runs:
        return
    names = endpoints(fleet, _MOST_ENDPOINTS)
    rows = _shared([_row(run, names) for run in fleet.runs])
    head = _Row(("zone", "subnet"), tuple(("dim", name) for name in names), ("dim", "verdict"))
    texts = [[*row.place, *(text for _, text in row.cells), row.answer[1]] for row in (head, *rows)]
    widths = columns(texts)
    for row, cells in zip((head, *rows), texts, strict=True):
        styles = ["dim" if row is head else "", "dim" if row is head else "", *(style for style, _ in row.cells)]
        padded = [pad(cell, width) for cell, width in zip(cells[:-1], widths[:-1], strict=True)]
        spans = [(style, text) for style, text in zip(styles, padded, strict=True)]
        left = page.width - sum(widths[:-1]) - 2 * len(padded)
        gaps: list[Span] = [piece for span in spans for piece in (span, ("", "  "))]
        yield (*gaps, (row.answer[0], cut(row.answer[1], max(left, 12), page)))


def _row(run: SubnetRun, names: Sequence[str]) -> _Row:
    cells = tuple(_MARKS[of_endpoint(run.verdict, name)[0]] for name in names)
    source = " (by its exit code)" if run.source is Source.EXIT_CODE else ""
    return _Row((run.zone or "unknown", run.subnet), cells, (TONES[run.status], f"{run.status}{source}"))


def _shared(rows: Sequence[_Row]) -> list[_Row]:
    if len(rows) <= _MOST_ROWS:
        return list(rows)
    alike: dict[tuple[object, ...], list[_Row]] = {}
    for row in rows:
        alike.setdefault((row.place[0], row.cells, row.answer), []).append(row)
    return [_first_of(group) for group in alike.values()]


def _first_of(group: Sequence[_Row]) -> _Row:
    zone, subnet = group[0].place
    more = f" and {len(group) - 1} more" if len(group) > 1 else ""
    return group[0]._replace(place=(zone, subnet + more))


# ---- what was found --------------------------------------------------------------------------------------------------


def _fault(fault: Fault, page: Page) -> Iterator[Line]:
    finding = fault.finding
    tone = str(finding.severity)
    yield from wrapped((tone, f"{tone}[{finding.code}]: "), finding.title, indent=0, page=page, style="strong", hang=2)
    yield from _where(fault.runs, page, "; told of the first" if len(fault.runs) > 1 else "")
    yield from reasons(finding, fault.verdict, page)
    yield ()


def _where(runs: Sequence[SubnetRun], page: Page, also: str = "") -> Iterator[Line]:
    known = places(runs)
    more = f" and {len(known) - _MOST_PLACES} more" if len(known) > _MOST_PLACES else ""
    yield from wrapped(("dim", "in:    "), f"{', '.join(known[:_MOST_PLACES])}{more}{also}", indent=2, page=page)


def _remarks(fleet: Fleet, page: Page) -> Iterator[Line]:
    """What has to be known beside a verdict, and how a verdict came about that is no document of the probe's."""
    alike: dict[str, list[SubnetRun]] = {}
    for run in fleet.runs:
        if run.words and run.verdict is not None:
            alike.setdefault(run.words, []).append(run)
    for words, runs in alike.items():
        yield from _note("note: ", words, page)
        yield from _where(runs, page)


def _note(label: str, words: str, page: Page) -> list[Line]:
    return wrapped(("info", label), words, indent=0, page=page, hang=2)


def _share(runs: Sequence[SubnetRun], fleet: Fleet) -> str:
    """In how many subnets, where it is not all of them."""
    return "" if len(runs) == len(fleet.runs) else f" ({len(runs)} of {len(fleet.runs)} subnets)"

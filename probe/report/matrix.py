"""A fleet in words for people: each fault once with the subnets that have it, the subnets as a table, the verdict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from probe.fleet import Fleet, Source, SubnetRun
from probe.narration import counted
from probe.report import Page
from probe.report.findings import explanation, headline, more_findings
from probe.report.fleet import Fault, closing_sentence, endpoints, faults, leading_fault, places, silences
from probe.report.layout import DETAILS, Detail, Line, Span, columns, first_on_a_screen, pad, paint, plain, wrapped
from probe.report.summary import MOST_FINDINGS, TONES, fix, is_note, of_endpoint
from probe.report.table import MARKS

_MOST_ROWS = 24  # more than fit on a screen; then subnets of a zone with the same result share a row
_MOST_PLACES = 8
_MOST_ENDPOINTS = 12


class _Row(NamedTuple):
    place: tuple[str, str]  # zone, subnet
    cells: tuple[Span, ...]  # one for each endpoint
    answer: Span


def render_fleet(fleet: Fleet, page: Page) -> str:
    if page.quiet:
        return paint([_verdict_line(fleet)], page)
    if page.verbose:
        return paint(_lines(fleet, page, None), page)
    return paint(first_on_a_screen((_lines(fleet, page, detail) for detail in DETAILS), page), page)


def _lines(fleet: Fleet, page: Page, detail: Detail | None) -> Iterator[Line]:
    """`detail` None: everything."""
    all_faults = faults(fleet)
    serious = [fault for fault in all_faults if not is_note(fault.finding)]
    full = serious if detail is None else serious[:MOST_FINDINGS]
    for fault in full:
        yield from _fault(fault, page, detail)
    yield from more_findings([fault.finding for fault in serious[len(full) :]], page)
    for status, text, runs in silences(fleet):
        yield from wrapped((TONES[status], f"{status}: "), text, indent=0, page=page, style="strong", hang=2)
        yield from _where(runs, page)
        yield ()
    yield from wrapped(("dim", ""), _subject(fleet), indent=0, page=page, style="dim")
    yield from _matrix(fleet)
    notes = [fault for fault in all_faults if is_note(fault.finding)]
    yield from _remarks(fleet, page)
    if notes and detail is not None:
        yield plain(f"{counted(len(notes), 'note')} (-v)", "dim")
    for fault in notes if detail is None else ():
        title = f"{fault.finding.title}{_share(fault.runs, fleet)}"
        yield from _note(f"info[{fault.finding.code}]: ", title, page)
    yield ()
    yield _verdict_line(fleet)
    lead = leading_fault(fleet)
    text = fix(lead.finding if lead else None)
    if text:
        yield ("good", "fix:  "), ("", text)


def _verdict_line(fleet: Fleet) -> Line:
    return (TONES[fleet.status], str(fleet.status)), ("", f": {closing_sentence(fleet)}")


def _subject(fleet: Fleet) -> str:
    service = f", service {fleet.service}" if fleet.service else ""
    role = f", as {fleet.role.rpartition('/')[2]}" if fleet.role else ""
    return f"{fleet.task_definition} in cluster {fleet.cluster} ({fleet.region}){service}{role}"


# ---- the subnets -----------------------------------------------------------------------------------------------------


def _matrix(fleet: Fleet) -> Iterator[Line]:
    if not fleet.runs:
        return
    names = endpoints(fleet, _MOST_ENDPOINTS)
    rows = _shared([_row(run, names) for run in fleet.runs])
    head = _Row(("zone", "subnet"), tuple(("dim", name) for name in names), ("dim", "verdict"))
    texts = [[*row.place, *(text for _, text in row.cells)] for row in (head, *rows)]
    widths = columns(texts)
    for row, texts_of_row in zip((head, *rows), texts, strict=True):
        style = "dim" if row is head else ""
        styles = [style, style, *(style for style, _ in row.cells)]
        cells = [(style, pad(text, width)) for style, text, width in zip(styles, texts_of_row, widths, strict=True)]
        yield (*(span for cell in cells for span in (cell, ("", "  "))), row.answer)


def _row(run: SubnetRun, names: Sequence[str]) -> _Row:
    cells = tuple(MARKS[of_endpoint(run.verdict, name)[0]] for name in names)
    source = " (by its exit code)" if run.source is Source.EXIT_CODE else ""
    return _Row((run.zone or "unknown", run.subnet), cells, (TONES[run.status], f"{run.status}{source}"))


def _shared(rows: Sequence[_Row]) -> list[_Row]:
    if len(rows) <= _MOST_ROWS:
        return list(rows)
    groups: dict[tuple[object, ...], list[_Row]] = {}
    for row in rows:
        groups.setdefault((row.place[0], row.cells, row.answer), []).append(row)
    return [_first_of(group) for group in groups.values()]


def _first_of(group: Sequence[_Row]) -> _Row:
    zone, subnet = group[0].place
    more = f" and {len(group) - 1} more" if len(group) > 1 else ""
    return group[0]._replace(place=(zone, subnet + more))


# ---- faults and notes ------------------------------------------------------------------------------------------------


def _fault(fault: Fault, page: Page, detail: Detail | None) -> Iterator[Line]:
    yield from headline(fault.finding, page)
    yield from _where(fault.runs, page, "; details from the first" if len(fault.runs) > 1 else "")
    yield from explanation(fault.finding, fault.verdict, page, detail)
    yield ()


def _where(runs: Sequence[SubnetRun], page: Page, remark: str = "") -> Iterator[Line]:
    names = places(runs)
    more = f" and {len(names) - _MOST_PLACES} more" if len(names) > _MOST_PLACES else ""
    yield from wrapped(("dim", "in:    "), f"{', '.join(names[:_MOST_PLACES])}{more}{remark}", indent=2, page=page)


def _remarks(fleet: Fleet, page: Page) -> Iterator[Line]:
    """What holds for the whole run, and how a verdict came about that is not the probe's own document."""
    for text in fleet.notes:
        yield from _note("note: ", text, page)
    runs_by_text: dict[str, list[SubnetRun]] = {}
    for run in fleet.runs:
        if run.words and run.verdict is not None:
            runs_by_text.setdefault(run.words, []).append(run)
    for text, runs in runs_by_text.items():
        yield from _note("note: ", text, page)
        yield from _where(runs, page)


def _note(label: str, text: str, page: Page) -> list[Line]:
    return wrapped(("info", label), text, indent=0, page=page, hang=2)


def _share(runs: Sequence[SubnetRun], fleet: Fleet) -> str:
    """In how many subnets, where it is not all of them."""
    return "" if len(runs) == len(fleet.runs) else f" ({len(runs)} of {len(fleet.runs)} subnets)"

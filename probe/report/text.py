"""A verdict in words for people: the faults, a line for each endpoint, and last the verdict and its fix.

Without --verbose a single fault takes at most a screen.
"""

from __future__ import annotations

from collections.abc import Iterator

from probe.model import Basis, Verdict
from probe.narration import counted
from probe.report import Page
from probe.report.findings import explanation, headline, more_findings
from probe.report.layout import DETAILS, Detail, Line, first_on_a_screen, paint, plain, wrapped
from probe.report.matrix import render_fleet
from probe.report.summary import MOST_FINDINGS, TONES, fix, in_a_line, is_note, leading, subject_and_time, weight
from probe.report.table import overview, table

__all__ = ["render", "render_fleet"]

_TEXT_ONLY = "based on the error text only; nothing was measured"


def render(verdict: Verdict, page: Page) -> str:
    if page.quiet:
        return paint([_verdict_line(verdict)], page)
    if page.verbose:
        return paint(_lines(verdict, page, None), page)
    return paint(first_on_a_screen((_lines(verdict, page, detail) for detail in DETAILS), page), page)


def _lines(verdict: Verdict, page: Page, detail: Detail | None) -> Iterator[Line]:
    """`detail` None: everything."""
    if verdict.basis is Basis.TEXT:
        yield from wrapped(("dim", ""), _TEXT_ONLY, indent=0, page=page, style="dim")
        yield ()
    findings = sorted(verdict.findings, key=weight)
    faults = [finding for finding in findings if not is_note(finding)]
    full = faults if detail is None else faults[:MOST_FINDINGS]
    for finding in full:
        yield from headline(finding, page)
        yield from explanation(finding, verdict, page, detail)
        yield ()
    yield from more_findings(faults[len(full) :], page)
    yield from wrapped(("dim", ""), subject_and_time(verdict), indent=0, page=page, style="dim")
    yield from table(verdict, page) if detail is None else overview(verdict, page, steps=detail.steps)
    notes = findings[len(faults) :]
    if notes and detail is not None:
        yield plain(f"{counted(len(notes), 'note')} (-v)", "dim")
    for finding in notes if detail is None else ():
        yield ()
        yield from headline(finding, page)
        yield from explanation(finding, verdict, page)
    yield ()
    yield _verdict_line(verdict)
    text = fix(leading(verdict.findings))
    if text:
        yield ("good", "fix:  "), ("", text)


def _verdict_line(verdict: Verdict) -> Line:
    """One line however long: people grep for it. So is the fix below it."""
    return (TONES[verdict.status], str(verdict.status)), ("", f": {in_a_line(verdict.summary)}")

"""A verdict in words, for people: findings, errors first, then the table of steps, and in the last line the verdict."""

from __future__ import annotations

from collections.abc import Iterator

from probe.model import Basis, JudgedFinding, Severity, Verdict
from probe.report import Page
from probe.report.findings import reasons
from probe.report.layout import Line, paint, wrapped
from probe.report.matrix import render_fleet
from probe.report.summary import TONES, conclusion, subject, weight
from probe.report.table import table

__all__ = ["render", "render_fleet"]


def render(verdict: Verdict, page: Page) -> str:
    return paint(_lines(verdict, page), page)


def _lines(verdict: Verdict, page: Page) -> Iterator[Line]:
    if verdict.basis is Basis.TEXT:
        yield from wrapped(
            ("dim", ""), "Read from an error's words; nothing was measured.", indent=0, page=page, style="dim"
        )
        yield ()
    for severity in Severity:
        alike = sorted((finding for finding in verdict.findings if finding.severity is severity), key=weight)
        for finding in alike:
            yield from _note(finding, page) if severity is Severity.INFO else _finding(finding, verdict, page)
        if alike and severity is Severity.INFO:
            yield ()
    label = "steps of " if verdict.basis is Basis.MEASURED else "steps as the words tell them, (ok) inferred, of "
    yield from wrapped(("dim", label), subject(verdict), indent=0, page=page, style="dim", hang=2)
    yield from table(verdict, page)
    yield ()
    yield _sentence(verdict)


def _note(finding: JudgedFinding, page: Page) -> list[Line]:
    return wrapped(("info", f"info[{finding.code}]: "), finding.title, indent=0, page=page, hang=2)


def _finding(finding: JudgedFinding, verdict: Verdict, page: Page) -> Iterator[Line]:
    tone = str(finding.severity)
    yield from wrapped((tone, f"{tone}[{finding.code}]: "), finding.title, indent=0, page=page, style="strong", hang=2)
    yield from reasons(finding, verdict, page)
    yield ()


def _sentence(verdict: Verdict) -> Line:
    """One line however long: people grep for the last one."""
    return (TONES[verdict.status], str(verdict.status)), ("", f": {conclusion(verdict)}")

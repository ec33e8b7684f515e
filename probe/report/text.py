"""A verdict in words, for people: findings, errors first, then the table of steps, and in the last line the verdict."""

from __future__ import annotations

from collections.abc import Iterator

from probe.model import Cause, JudgedFinding, Severity, Standing, Status, Verdict
from probe.report import Page
from probe.report.advice import advice
from probe.report.layout import Line, paint, wrapped
from probe.report.saw import duration, saw
from probe.report.summary import ORDER, answer, found, measured, standing, subject, weight
from probe.report.table import table

_TONES = {Status.PASS: "good", Status.DEGRADED: "warning", Status.FAIL: "error", Status.INCONCLUSIVE: "warning"}


def render(verdict: Verdict, page: Page) -> str:
    return paint(_lines(verdict, page), page)


def _lines(verdict: Verdict, page: Page) -> Iterator[Line]:
    for severity in ORDER:
        alike = sorted((finding for finding in verdict.findings if finding.severity is severity), key=weight)
        for finding in alike:
            yield from _note(finding, page) if severity is Severity.INFO else _finding(finding, verdict, page)
        if alike and severity is Severity.INFO:
            yield ()
    yield from wrapped(("dim", "steps of "), subject(verdict), indent=0, page=page, style="dim")
    yield from table(verdict, page)
    yield ()
    yield _sentence(verdict)


def _note(finding: JudgedFinding, page: Page) -> list[Line]:
    return wrapped(("info", f"info[{finding.code}]: "), finding.title, indent=0, page=page, hang=2)


def _finding(finding: JudgedFinding, verdict: Verdict, page: Page) -> Iterator[Line]:
    tone = str(finding.severity)
    yield from wrapped((tone, f"{tone}[{finding.code}]: "), finding.title, indent=0, page=page, style="strong", hang=2)
    for number, sentence in enumerate(saw(finding, verdict.steps)):
        yield from wrapped(("dim", "saw:   " if number == 0 else "       "), sentence, indent=2, page=page)
    if finding.why:
        yield from wrapped(("dim", "why:   "), finding.why, indent=2, page=page)
    told: set[str] = set()
    for cause in finding.causes:
        if cause.standing is Standing.RULED_OUT:
            continue
        yield from _cause(cause, finding, page)
        if cause.decide and cause.standing is not Standing.CONFIRMED:
            read = "the same read as above" if cause.decide in told else cause.decide
            yield from advice(("dim", "settle it: "), read, indent=9, page=page)
            told.add(cause.decide)
    ruled_out = [cause.title for cause in finding.causes if cause.standing is Standing.RULED_OUT]
    if ruled_out:
        yield from wrapped(("dim", "ruled out: "), "; ".join(ruled_out), indent=2, page=page, style="dim")
    yield ()


def _cause(cause: Cause, finding: JudgedFinding, page: Page) -> Iterator[Line]:
    yield from wrapped(("dim", "cause: "), f"{cause.title} ({standing(cause, finding)})", indent=2, page=page)
    if cause.fix:
        yield from advice(("good", "fix: "), cause.fix, indent=9, page=page)


def _sentence(verdict: Verdict) -> Line:
    """One line however long: people grep for the last one."""
    parts = answer(verdict), found(verdict.findings), measured(verdict), duration(verdict.seconds)
    return (_TONES[verdict.status], str(verdict.status)), ("", f": {'; '.join(part for part in parts if part)}")

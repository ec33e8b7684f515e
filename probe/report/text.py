"""A verdict in words, for people: findings, errors first, then the table of steps, and in the last line the verdict."""

from __future__ import annotations

from collections.abc import Iterator

from probe.model import Basis, Cause, JudgedFinding, Severity, Standing, Status, Verdict
from probe.report import Page
from probe.report.advice import advice
from probe.report.layout import Line, paint, wrapped
from probe.report.saw import said, saw
from probe.report.summary import ORDER, conclusion, standing, subject, weight
from probe.report.table import table
from probe.verdict import likeliest

_WHOLE = 3  # causes that are told whole, with their fix and the read that settles them
TONES = {Status.PASS: "good", Status.DEGRADED: "warning", Status.FAIL: "error", Status.INCONCLUSIVE: "warning"}


def render(verdict: Verdict, page: Page) -> str:
    return paint(_lines(verdict, page), page)


def _lines(verdict: Verdict, page: Page) -> Iterator[Line]:
    if verdict.basis is Basis.TEXT:
        yield from wrapped(
            ("dim", ""), "Read from an error's words; nothing was measured.", indent=0, page=page, style="dim"
        )
        yield ()
    for severity in ORDER:
        alike = sorted((finding for finding in verdict.findings if finding.severity is severity), key=weight)
        for finding in alike:
            yield from _note(finding, page) if severity is Severity.INFO else _finding(finding, verdict, page)
        if alike and severity is Severity.INFO:
            yield ()
    if page.ranked:
        yield from _ranking(verdict, page)
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
    yield from _evidence(finding, verdict, page) if page.ranked else reasons(finding, verdict, page)
    yield ()


def reasons(finding: JudgedFinding, verdict: Verdict, page: Page) -> Iterator[Line]:
    """What stands below a finding's title: what was seen, what can cause it, what to do."""
    yield from _evidence(finding, verdict, page)
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


def _evidence(finding: JudgedFinding, verdict: Verdict, page: Page) -> Iterator[Line]:
    """What was seen, or what a text says, and what follows from it."""
    of_text = verdict.basis is Basis.TEXT
    sentences = said(finding, verdict.steps) if of_text else saw(finding, verdict.steps)
    for number, sentence in enumerate(sentences):
        label = ("says:  " if of_text else "saw:   ") if number == 0 else "       "
        yield from wrapped(("dim", label), sentence, indent=2, page=page)
    if finding.why:
        yield from wrapped(("dim", "why:   "), finding.why, indent=2, page=page)


def _ranking(verdict: Verdict, page: Page) -> Iterator[Line]:
    """The causes of everything found, likeliest first. Whole are the likeliest, and the first of each finding."""
    causes = likeliest(verdict.findings)
    first = {finding.causes[0].code for finding in verdict.findings if finding.causes}
    if causes:
        yield (("strong", "What can be the cause, likeliest first:"),)
    width = len(str(len(causes))) + 2
    for number, cause in enumerate(causes, start=1):
        sure = ", confirmed" if cause.standing is Standing.CONFIRMED else ""
        label = ("dim", f"{number}. ".rjust(width + 1))
        yield from wrapped(label, f"{cause.title} ({cause.code}{sure})", indent=1, page=page)
        if number <= _WHOLE or cause.code in first:
            indent = width + 2
            yield from advice(("good", "fix: "), cause.fix, indent=indent, page=page) if cause.fix else ()
            if cause.decide and not sure:
                yield from advice(("dim", "settle it: "), cause.decide, indent=indent, page=page)
    yield from [()] if causes else []


def _cause(cause: Cause, finding: JudgedFinding, page: Page) -> Iterator[Line]:
    yield from wrapped(("dim", "cause: "), f"{cause.title} ({standing(cause, finding)})", indent=2, page=page)
    if cause.fix:
        yield from advice(("good", "fix: "), cause.fix, indent=9, page=page)


def _sentence(verdict: Verdict) -> Line:
    """One line however long: people grep for the last one."""
    return (TONES[verdict.status], str(verdict.status)), ("", f": {conclusion(verdict)}")

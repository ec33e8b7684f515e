"""A finding in words for people, as text, JUnit and Markdown show it: what was seen, what can cause it, what to do."""

from __future__ import annotations

from collections.abc import Iterator

from probe.model import Advice, Basis, Cause, JudgedFinding, Standing, Verdict
from probe.narration import observations
from probe.report import Page
from probe.report.layout import Line, advice, wrapped
from probe.report.summary import standing


def reasons(finding: JudgedFinding, verdict: Verdict, page: Page) -> Iterator[Line]:
    """What stands below a finding's title: what was seen, what can cause it, what to do."""
    yield from _evidence(finding, verdict, page)
    reads: dict[Advice, str] = {}
    for cause in finding.causes:
        if cause.standing is Standing.RULED_OUT:
            continue
        yield from _cause(cause, finding, page)
        if cause.standing is not Standing.CONFIRMED:
            first = reads.setdefault(cause.confirm, cause.title)
            read = cause.confirm if first == cause.title else Advice(f"the same read as for: {first}")
            yield from advice(("dim", "confirm with: "), read, indent=9, page=page)
    ruled_out = [cause.title for cause in finding.causes if cause.standing is Standing.RULED_OUT]
    if ruled_out:
        yield from wrapped(("dim", "ruled out: "), "; ".join(ruled_out), indent=2, page=page, style="dim")


def _evidence(finding: JudgedFinding, verdict: Verdict, page: Page) -> Iterator[Line]:
    """What was seen, or what a text says, and what follows from it."""
    of_text = verdict.basis is Basis.TEXT
    for number, sentence in enumerate(observations(finding.because, verdict)):
        label = ("says:  " if of_text else "saw:   ") if number == 0 else "       "
        yield from wrapped(("dim", label), sentence, indent=2, page=page)
    if finding.why:
        yield from wrapped(("dim", "why:   "), finding.why, indent=2, page=page)


def _cause(cause: Cause, finding: JudgedFinding, page: Page) -> Iterator[Line]:
    yield from wrapped(("dim", "cause: "), f"{cause.title} ({standing(cause, finding)})", indent=2, page=page)
    yield from advice(("good", "fix: "), cause.fix, indent=9, page=page)

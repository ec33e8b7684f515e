"""A finding in words for people, for text, JUnit and Markdown: what was seen, what can cause it, how to fix it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from probe.model import Advice, Basis, Cause, JudgedFinding, Standing, Verdict
from probe.narration import counted, observations
from probe.report import Page
from probe.report.layout import Detail, Line, command, plain, wrapped
from probe.report.summary import standing

_ADVICE = 9  # columns before "fix:"
_COMMAND = 14  # columns before a command
_MOST_ROWS_OF_TITLES = 2


def headline(finding: JudgedFinding, page: Page) -> list[Line]:
    """The severity, the code and the title."""
    tone = str(finding.severity)
    style = "" if tone == "info" else "strong"
    return wrapped((tone, f"{tone}[{finding.code}]: "), finding.title, indent=0, page=page, style=style, hang=2)


def explanation(finding: JudgedFinding, verdict: Verdict, page: Page, detail: Detail | None = None) -> Iterator[Line]:
    """Everything below the headline. `detail` None: all of it, with every cause in full."""
    yield from _evidence(finding, verdict, page, detail)
    alive = [cause for cause in finding.causes if cause.standing is not Standing.RULED_OUT]
    full = alive if detail is None else _leading(alive)[: detail.causes]
    confirmations: dict[Advice, str] = {}
    for cause in full:
        code = f", {cause.code}" if detail is None else ""  # `explain` prints the page of a code
        text = f"{cause.title} ({standing(cause, finding)}{code})"
        yield from wrapped(("dim", "cause: "), text, indent=2, page=page)
        yield from _advice(("good", "fix: "), cause.fix, page)
        if cause.standing is not Standing.CONFIRMED:
            same = confirmations.setdefault(cause.confirm, cause.title)
            confirm = cause.confirm if same == cause.title else Advice(f"the same as for “{same}”")
            yield from _advice(("dim", "confirm with: "), confirm, page)
    yield from _titles(alive[len(full) :], page)
    ruled_out = [cause.title for cause in finding.causes if cause.standing is Standing.RULED_OUT]
    if detail is None:
        if ruled_out:
            yield from wrapped(("dim", "ruled out: "), "; ".join(ruled_out), indent=2, page=page, style="dim")
        yield from wrapped(("dim", "page:  "), finding.url, indent=2, page=page, style="dim")


def _leading(causes: Sequence[Cause]) -> list[Cause]:
    """The causes worth reading first: where one is confirmed, the possible ones add nothing."""
    confirmed = [cause for cause in causes if cause.standing is Standing.CONFIRMED]
    return confirmed or list(causes)


def _evidence(finding: JudgedFinding, verdict: Verdict, page: Page, detail: Detail | None) -> Iterator[Line]:
    """What was measured, or the clauses of an error text, and what follows from it."""
    is_text = verdict.basis is Basis.TEXT
    sentences = observations(finding.because, verdict)
    shown = sentences if detail is None else sentences[: detail.sentences]
    for number, sentence in enumerate([*shown, "… (-v)"] if len(shown) < len(sentences) else shown):
        label = ("text:  " if is_text else "saw:   ") if number == 0 else "       "
        yield from wrapped(("dim", label), sentence, indent=2, page=page)
    if finding.why:
        yield from wrapped(("dim", "why:   "), finding.why, indent=2, page=page)


def _advice(label: tuple[str, str], advice: Advice, page: Page) -> Iterator[Line]:
    """The words behind the label, each command alone on its lines, and the note on them."""
    if not (advice.text or advice.commands or advice.note):
        return
    yield from wrapped(label, advice.text, indent=_ADVICE, page=page)
    for text in advice.commands:
        yield from command(text, indent=_COMMAND, page=page)
    if advice.note:
        yield from wrapped(("", ""), advice.note, indent=_COMMAND, page=page, style="dim")


def _titles(causes: Sequence[Cause], page: Page) -> list[Line]:
    """The causes that are not shown in full: how many, and as many titles as two rows hold."""
    if not causes:
        return []
    label = ("dim", f"{counted(len(causes), 'more possible cause')}: ")
    for count in range(len(causes), -1, -1):
        titles = [cause.title for cause in causes[:count]] + (["…"] if count < len(causes) else [])
        lines = wrapped(label, f"{' · '.join(titles)} (-v)", indent=2, page=page, style="dim", hang=4)
        if len(lines) <= _MOST_ROWS_OF_TITLES:
            break
    return lines


def more_findings(findings: Sequence[JudgedFinding], page: Page) -> Iterator[Line]:
    """Those beyond the ones shown in full: how many, and a line for each."""
    if findings:
        yield plain(f"{counted(len(findings), 'more finding')} (-v):", "dim")
        for finding in findings:
            yield from headline(finding, page)
        yield ()

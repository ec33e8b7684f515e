"""The text report of a verdict or a fleet: the faults, a line for each endpoint or subnet, the verdict and its fix.

Without --verbose the report is shortened to fit a screen, as far as its faults allow: the more there are, the less is
shown of each. JUnit and Markdown use `explanation` too, so that a finding reads the same there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

from probe.faults.causes.lookups import lookups_of
from probe.fleet import Fleet, SubnetRun
from probe.model import Advice, Basis, Cause, JudgedFinding, Standing, Verdict
from probe.narration import counted, observations
from probe.report import Page, gates
from probe.report.fleet import closing_sentence, endpoints, faults, leading_fault, places, remark, unmeasured_runs
from probe.report.gates import Brevity
from probe.report.layout import Line, Span, columns, command, first_on_a_screen, pad, paint, plain, wrapped
from probe.report.printed_commands import PrintedCommands
from probe.report.summary import (
    CUT_SHORT,
    TONES,
    can_be_settled,
    certainty,
    endpoint_state,
    fix,
    in_a_line,
    is_note,
    settling_command,
    subject_and_time,
)
from probe.report.table import MARKS, overview, table
from probe.verdict import OFF_ECS, leading_finding, weight

_TEXT_ONLY = "based on the error text only; nothing was measured"
_WITH_CONFIGURATION = "based on the error text and the configuration; nothing was measured"
_INFERRED = "steps inferred from the text; (ok) = must have worked"
# What a finding is based on; a configuration shows what a check would see.
_EVIDENCE = {Basis.MEASURED: "saw:   ", Basis.TEXT: "text:  ", Basis.CONFIGURATION: "expected: "}
_ADVICE = 9  # columns before "fix:"
_COMMAND = 14  # columns before a command
_MOST_ROWS_OF_TITLES = 2
_MOST_FINDINGS = 3  # the others are listed by title
_MOST_SUBNETS = 24  # of more, those of a zone with the same result share a row
_FEW_SUBNETS = 6
_MOST_PLACES = 8
_MOST_ENDPOINTS = 12


class Detail(NamedTuple):
    """How much a report shows: causes of a finding in full, sentences about what was measured, the steps of endpoints
    that do not work, how many findings in full (those after them are brief), and how many subnets, each in its row."""

    causes: int
    sentences: int = 5
    steps: bool = False
    in_full: int = _MOST_FINDINGS
    subnets: int = _MOST_SUBNETS
    gates: Brevity = Brevity.FULL


# From the longest report to the shortest: the first that fits a screen is printed.
_DETAILS = (
    Detail(causes=2, steps=True),
    Detail(causes=1, steps=True),
    Detail(causes=1),
    Detail(causes=1, sentences=2, gates=Brevity.BRIEF),
    Detail(causes=1, sentences=2, subnets=_FEW_SUBNETS, gates=Brevity.TERSE),
    Detail(causes=1, sentences=2, subnets=_FEW_SUBNETS, gates=Brevity.TERSE, in_full=1),
    Detail(causes=1, sentences=1, subnets=_FEW_SUBNETS, gates=Brevity.TERSE, in_full=0),
    Detail(causes=1, sentences=1, subnets=_FEW_SUBNETS, gates=Brevity.NONE, in_full=0),
)


def render(verdict: Verdict, page: Page) -> str:
    return _painted(partial(_lines, verdict, page), _verdict_line(verdict), page)


def render_fleet(fleet: Fleet, page: Page) -> str:
    return _painted(partial(_fleet_lines, fleet, page), _fleet_line(fleet), page)


def _painted(lines: Callable[[Detail | None], Iterator[Line]], verdict_line: Line, page: Page) -> str:
    if page.quiet:
        return paint([verdict_line], page)
    if page.verbose:
        return paint(lines(None), page)
    return paint(first_on_a_screen(map(lines, _DETAILS), page), page)


# ---- a verdict -------------------------------------------------------------------------------------------------------


def _lines(verdict: Verdict, page: Page, detail: Detail | None) -> Iterator[Line]:
    """`detail` None: everything."""
    if verdict.basis is Basis.TEXT:
        only = _TEXT_ONLY if verdict.configuration is None else _WITH_CONFIGURATION
        yield from wrapped(("dim", ""), only, indent=0, page=page, style="dim")
        yield ()
    findings = sorted(verdict.findings, key=weight)
    serious = [finding for finding in findings if not is_note(finding)]
    place = [finding for finding in findings if finding.code == OFF_ECS]
    for finding in place:
        yield from headline(finding, page)
        yield from explanation(finding, verdict, page) if detail is None else ()
        yield ()
    listed = serious if detail is None else serious[:_MOST_FINDINGS]
    printed = PrintedCommands()
    for number, finding in enumerate(listed):
        yield from headline(finding, page)
        yield from _explained(number, finding, verdict, page, detail, printed)
        yield ()
    yield from _more_findings(serious[len(listed) :], page)
    yield from wrapped(("dim", ""), subject_and_time(verdict), indent=0, page=page, style="dim")
    if verdict.basis is Basis.TEXT:
        yield plain(_INFERRED, "dim")
    if verdict.basis is not Basis.CONFIGURATION:
        if detail is None:
            yield from table(verdict, page)
        else:
            yield from overview(verdict, page, steps=detail.steps, working=detail.gates is not Brevity.NONE)
    if verdict.configuration is not None:
        if verdict.basis is not Basis.CONFIGURATION and (detail is None or detail.gates is not Brevity.NONE):
            yield ()
        yield from gates.heading(verdict.configuration, page)
        if detail is None:
            yield from gates.details(verdict, page)
        else:
            yield from gates.rows(verdict, page, detail.gates)
        yield from gates.unread(verdict.configuration, verdict.gates, page)
    notes = [finding for finding in findings[len(serious) :] if finding not in place]
    if notes and detail is not None:
        yield plain(f"{counted(len(notes), 'note')} (-v)", "dim")
    for finding in notes if detail is None else ():
        yield ()
        yield from headline(finding, page)
        yield from explanation(finding, verdict, page, printed=printed)
    yield ()
    yield _verdict_line(verdict)
    yield from _fix_line(leading_finding(verdict.findings))


def _verdict_line(verdict: Verdict) -> Line:
    """One line however long, so that it can be found with grep; the fix below it is one line too."""
    return (TONES[verdict.status], str(verdict.status)), ("", f": {in_a_line(verdict.summary)}")


def _fix_line(finding: JudgedFinding | None) -> Iterator[Line]:
    text = fix(finding)
    if text:
        yield ("good", "fix:  "), ("", text)


# ---- a finding -------------------------------------------------------------------------------------------------------


def headline(finding: JudgedFinding, page: Page) -> list[Line]:
    """The severity, the code and the title."""
    tone = str(finding.severity)
    style = "" if tone == "info" else "strong"
    return wrapped((tone, f"{tone}[{finding.code}]: "), finding.title, indent=0, page=page, style=style, hang=2)


def explanation(
    finding: JudgedFinding,
    verdict: Verdict,
    page: Page,
    detail: Detail | None = None,
    printed: PrintedCommands | None = None,
) -> Iterator[Line]:
    """Everything below the headline. `detail` None: all of it, with every cause in full.

    `printed` are the commands of the findings above, which are not printed again.
    """
    printed = printed or PrintedCommands()
    yield from _evidence(finding, verdict, page, detail.sentences if detail else None)
    settled = detail is not None and any(cause.object is not None for cause in finding.causes[:1])
    if finding.why and not settled:
        yield from wrapped(("dim", "why:   "), finding.why, indent=2, page=page)
    alive = [cause for cause in finding.causes if cause.standing is not Standing.RULED_OUT]
    most = detail.causes if detail and finding.code != CUT_SHORT else 0
    full = alive if detail is None else _leading_causes(alive)[:most]
    confirmations: dict[Advice, str] = {}
    for cause in full:
        # The code is for `explain`, which prints its page.
        remark = f", {cause.code}" if detail is None else ""
        yield from _cause(cause, printed.new_of(cause), finding, page, remark)
        if cause.standing is Standing.CONFIRMED:
            yield from _lookups(cause, page)
        else:
            same = confirmations.setdefault(cause.confirm, cause.title)
            confirm = cause.confirm if same == cause.title else Advice(f"the same as for “{same}”")
            yield from _advice(("dim", "confirm with: "), confirm, page)
    command = settling_command(verdict) if can_be_settled(finding) else ""
    command = page.settle or command if command else ""
    offer = f"-v; or confirm one with: {command}" if command else "-v"
    yield from _titles(alive[len(full) :], page, "more " if full else "", offer)
    ruled_out = [cause.title for cause in finding.causes if cause.standing is Standing.RULED_OUT]
    if detail is None:
        if ruled_out:
            yield from wrapped(("dim", "ruled out: "), "; ".join(ruled_out), indent=2, page=page, style="dim")
        at = f"{finding.url} or " if finding.is_published else ""
        offline = f"ecr-probe explain {finding.code}"
        yield from wrapped(("dim", "page:  "), f"{at}{offline}", indent=2, page=page, style="dim")


def _explained(
    number: int,
    finding: JudgedFinding,
    verdict: Verdict,
    page: Page,
    detail: Detail | None,
    printed: PrintedCommands,
) -> Iterator[Line]:
    """The explanation of the finding with this number in the report, brief after those in full."""
    if detail is None or number < detail.in_full:
        yield from explanation(finding, verdict, page, detail, printed)
        return
    yield from _evidence(finding, verdict, page, 1)
    more = sum(cause.standing is not Standing.RULED_OUT for cause in finding.causes[1:])
    for cause in finding.causes[:1]:
        yield from _cause(cause, printed.new_of(cause), finding, page, f"; {more} more: -v" if more else "")
        yield from _lookups(cause, page)


def _leading_causes(causes: Sequence[Cause]) -> list[Cause]:
    """The causes worth reading first: where one is confirmed, the possible ones add nothing."""
    confirmed = [cause for cause in causes if cause.standing is Standing.CONFIRMED]
    return confirmed or list(causes)


def _evidence(finding: JudgedFinding, verdict: Verdict, page: Page, most: int | None) -> Iterator[Line]:
    """What was measured, or the clauses of an error text, in at most `most` sentences."""
    sentences = observations(finding.because, verdict)
    if most is not None and len(sentences) > most:
        sentences = [*sentences[: most - 1], f"{sentences[most - 1]} … (-v)"]
    for number, sentence in enumerate(sentences):
        label = _EVIDENCE[verdict.basis] if number == 0 else " " * len(_EVIDENCE[verdict.basis])
        yield from wrapped(("dim", label), sentence, indent=2, page=page)


def _cause(cause: Cause, fix: Advice, finding: JudgedFinding, page: Page, remark: str) -> Iterator[Line]:
    """The cause, how certain it is, and its fix, as far as it is not above."""
    text = f"{cause.title} ({certainty(cause, finding)}{remark})"
    yield from wrapped(("dim", "cause: "), text, indent=2, page=page)
    yield from _advice(("good", "fix: "), fix, page)


def _lookups(cause: Cause, page: Page) -> Iterator[Line]:
    """What stands for the words in capitals, where the reads that confirm the cause are not shown."""
    yield from _advice(("dim", "look up: "), lookups_of(cause), page)


def _advice(label: tuple[str, str], advice: Advice, page: Page) -> Iterator[Line]:
    """The text after the label, each command alone on its lines, and the note on them."""
    if not (advice.text or advice.commands or advice.note):
        return
    yield from wrapped(label, advice.text, indent=_ADVICE, page=page)
    for text in advice.commands:
        yield from command(text, indent=_COMMAND, page=page)
    if advice.note:
        yield from wrapped(("", ""), advice.note, indent=_COMMAND, page=page, style="dim")


def _titles(causes: Sequence[Cause], page: Page, more: str, offer: str) -> list[Line]:
    """The causes that are not shown in full: how many, as many titles as two rows hold, and how to see more."""
    if not causes:
        return []
    label = ("dim", f"{counted(len(causes), f'{more}possible cause')}: ")
    for count in range(len(causes), -1, -1):
        titles = [cause.title for cause in causes[:count]] + (["…"] if count < len(causes) else [])
        lines = wrapped(label, f"{' · '.join(titles)} ({offer})", indent=2, page=page, style="dim", hang=4)
        if len(lines) <= _MOST_ROWS_OF_TITLES:
            break
    return lines


def _more_findings(findings: Sequence[JudgedFinding], page: Page) -> Iterator[Line]:
    """The findings that are not explained: how many, and a line for each."""
    if findings:
        yield plain(f"{counted(len(findings), 'more finding')} (-v):", "dim")
        for finding in findings:
            yield from headline(finding, page)
        yield ()


# ---- a fleet ---------------------------------------------------------------------------------------------------------


def _fleet_lines(fleet: Fleet, page: Page, detail: Detail | None) -> Iterator[Line]:
    """`detail` None: everything."""
    all_faults = faults(fleet)
    serious = [fault for fault in all_faults if not is_note(fault.finding)]
    listed = serious if detail is None else serious[:_MOST_FINDINGS]
    printed = PrintedCommands()
    for number, fault in enumerate(listed):
        yield from headline(fault.finding, page)
        yield from _where(fault.runs, page, "; details from the first" if len(fault.runs) > 1 else "")
        yield from _explained(number, fault.finding, fault.verdict, page, detail, printed)
        yield ()
    yield from _more_findings([fault.finding for fault in serious[len(listed) :]], page)
    for status, text, runs in unmeasured_runs(fleet):
        yield from wrapped((TONES[status], f"{status}: "), text, indent=0, page=page, style="strong", hang=2)
        yield from _where(runs, page)
        yield ()
    yield from wrapped(("dim", ""), _subject(fleet), indent=0, page=page, style="dim")
    yield from _subnets(fleet, _MOST_SUBNETS if detail is None else detail.subnets)
    notes = [fault for fault in all_faults if is_note(fault.finding)]
    yield from _remarks(fleet, page)
    if notes and detail is not None:
        yield plain(f"{counted(len(notes), 'note')} (-v)", "dim")
    for fault in notes if detail is None else ():
        title = f"{fault.finding.title}{_share(fault.runs, fleet)}"
        yield from _note(f"info[{fault.finding.code}]: ", title, page)
    yield ()
    yield _fleet_line(fleet)
    lead = leading_fault(fleet)
    yield from _fix_line(lead.finding if lead else None)


def _fleet_line(fleet: Fleet) -> Line:
    return (TONES[fleet.status], str(fleet.status)), ("", f": {closing_sentence(fleet)}")


def _subject(fleet: Fleet) -> str:
    service = f", service {fleet.service}" if fleet.service else ""
    role = f", as {fleet.role.rpartition('/')[2]}" if fleet.role else ""
    return f"{fleet.task_definition} in cluster {fleet.cluster} ({fleet.region}){service}{role}"


class _Row(NamedTuple):
    """Of the table of subnets. `place` is zone and subnet, `cells` has one for each endpoint."""

    place: tuple[str, str]
    cells: tuple[Span, ...]
    answer: Span


def _subnets(fleet: Fleet, most: int) -> Iterator[Line]:
    """A table of subnets; of more than `most`, those of a zone with the same result share a row."""
    if not fleet.runs:
        return
    names = endpoints(fleet, _MOST_ENDPOINTS)
    rows = [_row(run, names) for run in fleet.runs]
    if len(rows) > most:
        rows = _shared(rows)
    head = _Row(("zone", "subnet"), tuple(("dim", name) for name in names), ("dim", "verdict"))
    texts = [[*row.place, *(text for _, text in row.cells)] for row in (head, *rows)]
    widths = columns(texts)
    for row, texts_of_row in zip((head, *rows), texts, strict=True):
        style = "dim" if row is head else ""
        styles = [style, style, *(style for style, _ in row.cells)]
        cells = [(style, pad(text, width)) for style, text, width in zip(styles, texts_of_row, widths, strict=True)]
        yield (*(span for cell in cells for span in (cell, ("", "  "))), row.answer)


def _row(run: SubnetRun, names: Sequence[str]) -> _Row:
    cells = tuple(MARKS[endpoint_state(run.verdict, name)[0]] for name in names)
    return _Row((run.zone or "unknown", run.subnet), cells, (TONES[run.status], f"{run.status}{remark(run)}"))


def _shared(rows: Sequence[_Row]) -> list[_Row]:
    """One row for the subnets of a zone with the same result."""
    groups: dict[tuple[object, ...], list[_Row]] = {}
    for row in rows:
        groups.setdefault((row.place[0], row.cells, row.answer), []).append(row)
    return [_first_of(group) for group in groups.values()]


def _first_of(group: Sequence[_Row]) -> _Row:
    zone, subnet = group[0].place
    more = f" and {len(group) - 1} more" if len(group) > 1 else ""
    return group[0]._replace(place=(zone, subnet + more))


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
        if run.words and run.verdict is not None and not run.is_predicted:
            runs_by_text.setdefault(run.words, []).append(run)
    for text, runs in runs_by_text.items():
        yield from _note("note: ", text, page)
        yield from _where(runs, page)


def _note(label: str, text: str, page: Page) -> list[Line]:
    return wrapped(("info", label), text, indent=0, page=page, hang=2)


def _share(runs: Sequence[SubnetRun], fleet: Fleet) -> str:
    """In how many subnets, where it is not all of them."""
    return "" if len(runs) == len(fleet.runs) else f" ({len(runs)} of {len(fleet.runs)} subnets)"

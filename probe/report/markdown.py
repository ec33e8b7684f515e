"""Markdown for a job summary or a comment: the verdict, the endpoints as a table, and the findings.

All foreign text is shown as code, where neither Markdown nor HTML has a meaning and GitHub links no address or name.
Outside of code there is only our own text.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Sequence

from probe.fleet import Fleet, SubnetRun
from probe.model import (
    Action,
    Asker,
    Basis,
    ConfigurationSummary,
    Gate,
    GateAnswer,
    JudgedFinding,
    Outcome,
    Severity,
    Status,
    Step,
    Verdict,
)
from probe.narration import counted, failure_cell, few
from probe.report import Page, gates
from probe.report.fleet import (
    closing_sentence,
    endpoints,
    faults,
    is_met_drill,
    leading_fault,
    places,
    remark,
    unmeasured_runs,
)
from probe.report.layout import block
from probe.report.printed_commands import PrintedCommands
from probe.report.summary import Mark, endpoint_state, fix, mark, subject
from probe.report.table import ROUTES
from probe.report.text import explanation
from probe.safe_words import shortened
from probe.verdict import leading_finding, weight

LIMIT = 512 * 1024  # bytes; GitHub drops the summary of a step that writes more than 1 MiB
_LONGEST_TABLE = LIMIT // 2
_LONGEST_WORD = 120  # characters
_LONGEST_LINE = 1_000
_LONGEST_BODY = 8_000
_MOST_ENDPOINTS = 16
_MOST_NOTES = 50
_PAGE = Page(width=100)
# Each picture comes with a word, because fonts may lack it.
_PICTURES = {Status.PASS: "✅", Status.DEGRADED: "⚠️", Status.FAIL: "❌", Status.INCONCLUSIVE: "❔"}
_MARKS = {Mark.OK: "✅ ok", Mark.WARNING: "⚠️", Mark.UNPROVEN: "❔", Mark.BROKEN: "❌", Mark.NOT_TRIED: "–"}
_GATE_MARKS = {
    GateAnswer.ALLOWS: "✅ allows",
    GateAnswer.REFUSES: "❌ refuses",
    GateAnswer.DEPENDS: "❔ depends",
    GateAnswer.UNKNOWN: "❔ unknown",
}
_STAGES = {"DNS": {Action.DNS}, "TCP": {Action.TCP}, "TLS": {Action.TLS}}
_STAGES["requests"] = {*Action} - {Action.CONTROL}.union(*_STAGES.values())


def render(verdict: Verdict, _page: Page) -> str:
    return _bounded(_of_verdict(verdict))


def render_fleet(fleet: Fleet, _page: Page) -> str:
    return _bounded(_of_fleet(fleet))


def of_finding(finding: JudgedFinding, verdict: Verdict) -> str:
    """One finding as in the report, to be pasted elsewhere."""
    return _bounded(_findings([(finding, verdict, "")]))


def _of_verdict(verdict: Verdict) -> Iterator[str]:
    yield from _head(verdict.status, verdict.summary, fix(leading_finding(verdict.findings)))
    yield f"Image {_code(subject(verdict), _LONGEST_LINE)}"
    if verdict.basis is not Basis.CONFIGURATION:
        yield _table(("endpoint", *_STAGES, "reached"), _stage_rows(verdict))
    if verdict.configuration is not None:
        yield from _of_configuration(verdict.configuration, verdict.gates)
    findings = sorted(verdict.findings, key=weight)
    yield from _findings((finding, verdict, "") for finding in findings)


def _of_configuration(configuration: ConfigurationSummary, all_gates: Sequence[Gate]) -> Iterator[str]:
    """The subnets, the gates that do not allow, and what was not read."""
    subnets = [
        f"- {_PICTURES[status]} {status}, {_code(text, _LONGEST_LINE)}"
        for status, text in gates.subnets_by_status(configuration)
    ]
    if subnets:
        yield "\n".join(subnets)
    found = gates.open_gates(all_gates)
    if found:
        yield _table(("endpoint", "gate", "object", "element", "why"), (_gate_row(*each) for each in found))
    else:
        yield "Every gate that was read allows."
    yield _code(gates.what_was_read(configuration), _LONGEST_LINE)
    checked = [f"- {_code(text, _LONGEST_LINE)}" for text in gates.cross_checked(configuration)]
    if checked:
        yield "\n".join(checked)
    for text in gates.unanswered(configuration):
        yield f"Not read: {_code(text, _LONGEST_LINE)}"
    missing = gates.missing_rights(all_gates)
    if missing:
        yield f"Not read, {counted(len(missing), 'right')} missing. This statement allows them:"
        yield _fenced("\n".join(gates.statement(missing, _PAGE.width)))


def _gate_row(gate: Gate, endpoints: Sequence[str]) -> list[str]:
    names = few((_cell(name) for name in endpoints), _MOST_ENDPOINTS)
    place = (_cell(part) if part else "" for part in (gate.object, gate.element))
    sentence = _code(gate.sentence.replace("|", "¦"), _LONGEST_LINE)
    return [names, f"{_GATE_MARKS[gate.answer]} {_cell(gate.gate)}", *place, sentence]


def _of_fleet(fleet: Fleet) -> Iterator[str]:
    lead = leading_fault(fleet)
    advice = fix(lead.finding) if lead else ""
    yield from _head(fleet.status, closing_sentence(fleet), advice, is_met_drill=is_met_drill(fleet))
    if fleet.runs:
        names = endpoints(fleet, _MOST_ENDPOINTS)
        head = ("subnet", "zone", *(_cell(name) for name in names), "verdict")
        yield _table(head, (_run_row(run, names) for run in fleet.runs))
    for status, reason, runs in unmeasured_runs(fleet):
        number = counted(len(runs), "subnet")
        yield f"{_PICTURES[status]} {status}, {number}: {_code(reason, _LONGEST_LINE)} in {_listed_subnets(runs)}"
    for note in fleet.notes:
        yield _code(note, _LONGEST_LINE)
    yield from _findings((fault.finding, fault.verdict, _listed_subnets(fault.runs)) for fault in faults(fleet))


def _head(status: Status, sentence: str, advice: str, *, is_met_drill: bool = False) -> Iterator[str]:
    picture, drill = (_PICTURES[Status.PASS], ", as expected") if is_met_drill else (_PICTURES[status], "")
    yield f"## {picture} ecr-probe: {status}{drill}"
    yield _code(sentence, _LONGEST_LINE)
    if advice:
        yield f"Fix: {_code(advice, _LONGEST_LINE)}"


# ---- tables -------------------------------------------------------------------------------------


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [_row(head), _row(["---"] * len(head))]
    left, more = _LONGEST_TABLE, 0
    for cells in rows:
        line = _row(cells)
        left -= len(line.encode())
        if left > 0:
            lines.append(line)
        else:
            more += 1
    if more:
        lines.append(_row([f"and {more} more", *[""] * (len(head) - 1)]))
    return "\n".join(lines)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _stage_rows(verdict: Verdict) -> Iterator[list[str]]:
    for summary in verdict.endpoints:
        # Other lookups than those of the configured resolvers are evidence; their failure is not a fault.
        steps = [step for step in verdict.steps if step.endpoint == summary.name and step.asker is Asker.CONFIGURED]
        stages = [
            _stage([step for step in steps if step.action in actions], verdict.findings) for actions in _STAGES.values()
        ]
        yield [_cell(summary.name), *stages, ROUTES[summary.route] if summary.route else _MARKS[Mark.NOT_TRIED]]


def _stage(steps: Sequence[Step], findings: Sequence[JudgedFinding]) -> str:
    """The result of some steps of one endpoint."""
    tried = [step for step in steps if step.outcome is not Outcome.SKIPPED]
    if not tried:
        return _MARKS[Mark.NOT_TRIED]
    ids = {step.id for step in tried}
    worst = min((finding for finding in findings if not ids.isdisjoint(finding.because)), key=weight, default=None)
    succeeded, total = len({step.target for step in tried if step.ok}), len({step.target for step in tried})
    # A failed step that no finding lists depends on one that a finding lists.
    state = mark(worst) if worst else Mark.OK if succeeded else Mark.BROKEN
    if state is Mark.OK:
        return _MARKS[state]
    if worst and succeeded == total:
        return f"{_MARKS[state]} {_cell(worst.code)}"
    failures = few((failure_cell(step.failure) for step in tried if step.failure), 2)
    count = "" if total == 1 else f", {total - succeeded} of {total}"
    return f"{_MARKS[state]} {failures}{count}"


def _run_row(run: SubnetRun, names: Sequence[str]) -> list[str]:
    cells = [_endpoint(*endpoint_state(run.verdict, name)) for name in names]
    return [_cell(run.subnet), _cell(run.zone or ""), *cells, f"{_PICTURES[run.status]} {run.status}{remark(run)}"]


def _endpoint(state: Mark, worst: JudgedFinding | None) -> str:
    code = f" {_cell(worst.code)}" if worst and state not in (Mark.OK, Mark.NOT_TRIED) else ""
    return f"{_MARKS[state]}{code}"


# ---- findings -----------------------------------------------------------------------------------


def _findings(findings: Iterable[tuple[JudgedFinding, Verdict, str]]) -> Iterator[str]:
    """Each error unfolded, each warning folded, and the notes in one folded list."""
    notes = []
    printed = PrintedCommands()
    for finding, verdict, where in findings:
        title = shortened(f"{finding.severity}[{finding.code}]: {finding.title}", _LONGEST_LINE)
        if finding.severity is Severity.INFO:
            notes.append(f"- {_code(title, _LONGEST_LINE)}{f' in {where}' if where else ''}")
            continue
        body = _fenced(block(explanation(finding, verdict, _PAGE, printed=printed), _LONGEST_BODY))
        # Within HTML, its own escaping applies.
        head = f"<code>{html.escape(title)}</code>"
        yield _folded(head, *([f"In {where}"] if where else []), body, is_open=finding.severity is Severity.ERROR)
    if notes:
        more = [f"- and {len(notes) - _MOST_NOTES} more"] if len(notes) > _MOST_NOTES else []
        yield _folded("notes", "\n".join([*notes[:_MOST_NOTES], *more]))


def _folded(head: str, *parts: str, is_open: bool = False) -> str:
    """A part that the reader can fold. Blank lines separate the HTML from the Markdown within."""
    return "\n\n".join((f"<details{' open' if is_open else ''}>\n<summary>{head}</summary>", *parts, "</details>"))


def _fenced(text: str) -> str:
    fence = "`" * max(3, _longest_run(text) + 1)
    return f"{fence}text\n{text}\n{fence}"


# ---- text ---------------------------------------------------------------------------------------


def _listed_subnets(runs: Sequence[SubnetRun]) -> str:
    return few((_code(place) for place in places(runs)), 20)


def _cell(text: str) -> str:
    """Code in a table, without pipes: these would end the cell even within code."""
    return _code(text.replace("|", "¦"))


def _code(text: str, most: int = _LONGEST_WORD) -> str:
    """Code between more backticks than the text has in a row, with blanks if it begins or ends with a backtick."""
    text = shortened(text, most).strip()
    ticks = "`" * (_longest_run(text) + 1)
    return f"{ticks} {text} {ticks}" if text[:1] == "`" or text[-1:] == "`" else f"{ticks}{text}{ticks}" if text else ""


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)


def _bounded(parts: Iterable[str]) -> str:
    """As many whole parts as fit, because GitHub drops a summary that is too long."""
    kept: list[str] = []
    size, left_out = 0, 0
    for part in parts:
        length = len(part.encode()) + 2
        if size + length > LIMIT:
            left_out += 1
        else:
            kept.append(part)
            size += length
    if left_out:
        kept.append(f"{left_out} more parts do not fit here; the JSON report has them.")
    return "\n\n".join(kept) + "\n"

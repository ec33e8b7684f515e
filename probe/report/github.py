"""Annotations of a GitHub Actions run: each line is one workflow command.

The runner's rules are in its ActionCommand.cs: a line is a command when it begins with "::", properties end at a comma
and a colon, and percent signs escape. GitHub shows ten annotations of each level per step and drops the others.
https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from probe.faults.causes.lookups import lookups_of
from probe.fleet import Fleet
from probe.model import Advice, JudgedFinding, Severity, Standing, Status, Verdict
from probe.narration import few
from probe.report import Page, gates
from probe.report.fleet import closing_sentence, faults, is_met_drill, leading_fault, places, unmeasured_runs
from probe.report.printed_commands import PrintedCommands
from probe.report.summary import certainty, fix
from probe.safe_words import shortened
from probe.verdict import leading_finding, weight

MOST = 10
_LEVELS = ("error", "warning", "notice")
_BY_SEVERITY = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}
_BY_STATUS = {Status.FAIL: "error", Status.INCONCLUSIVE: "error", Status.DEGRADED: "warning", Status.PASS: "notice"}
_LONGEST_TITLE = 200  # characters
_LONGEST_LINE = 1_000


class _Annotation(NamedTuple):
    level: str
    title: str
    lines: tuple[str, ...]


def render(verdict: Verdict, _page: Page) -> str:
    findings = sorted(verdict.findings, key=weight)
    answer = _answer(verdict.status, verdict.exit_code, verdict.summary, leading_finding(findings))
    printed = PrintedCommands()
    annotations = [_annotation(finding, printed, finding.code, finding.title) for finding in findings]
    return _commands([answer, *annotations, *_of_configuration(verdict)])


def render_fleet(fleet: Fleet, _page: Page) -> str:
    lead = leading_fault(fleet)
    answer = _answer(fleet.status, fleet.exit_code, closing_sentence(fleet), lead.finding if lead else None)
    annotations = [answer, *_of_fleet(fleet)]
    if is_met_drill(fleet):
        annotations = [annotation._replace(level="notice") for annotation in annotations]
    return _commands(annotations)


def _of_fleet(fleet: Fleet) -> Iterator[_Annotation]:
    for status, reason, runs in unmeasured_runs(fleet):
        yield _Annotation(_BY_STATUS[status], f"{status}{_share(len(runs), fleet)}", (reason, *_where(places(runs))))
    printed = PrintedCommands()
    for finding, _, runs in faults(fleet):
        title = f"{finding.code}{_share(len(runs), fleet)}"
        yield _annotation(finding, printed, title, finding.title, *_where(places(runs)))
    for note in fleet.notes:
        yield _Annotation("notice", "ecr-probe", (note,))


def _of_configuration(verdict: Verdict) -> Iterator[_Annotation]:
    """What was read, which subnets pass, and what could not be read."""
    if verdict.configuration is None:
        return
    missing = gates.missing_rights(verdict.gates)
    yield _Annotation(
        "notice",
        "ecr-probe: configuration",
        (
            gates.what_was_read(verdict.configuration),
            *(f"{status}: {text}" for status, text in gates.subnets_by_status(verdict.configuration)),
            *gates.cross_checked(verdict.configuration),
            *(f"not read: {text}" for text in gates.unanswered(verdict.configuration)),
            *([f"not read for lack of rights: {few(missing, 20)}"] if missing else ()),
        ),
    )


def _answer(status: Status, exit_code: int, sentence: str, lead: JudgedFinding | None) -> _Annotation:
    """The verdict comes first, so its level is no lower than any other's."""
    advice = fix(lead)
    lines = (sentence, f"fix: {advice}") if advice else (sentence,)
    return _Annotation("error" if exit_code else _BY_STATUS[status], f"ecr-probe: {status}", lines)


def _annotation(finding: JudgedFinding, printed: PrintedCommands, title: str, *lines: str) -> _Annotation:
    advice = _advice(finding, printed) if finding.severity is not Severity.INFO else ()
    page = (f"page: {finding.url}",) if finding.is_published else ()
    return _Annotation(_BY_SEVERITY[finding.severity], title, (*lines, *advice, *page))


def _advice(finding: JudgedFinding, printed: PrintedCommands) -> Iterator[str]:
    """The likeliest cause; the others are in the reports that have room for them."""
    for cause in finding.causes[:1]:
        if cause.standing is not Standing.RULED_OUT:
            yield f"cause: {cause.title} ({certainty(cause, finding)})"
            if cause.object:
                yield f"object: {cause.object}{f', {cause.element}' if cause.element else ''}"
            yield from _lines_of("fix: ", printed.new_of(cause))
            if cause.standing is not Standing.CONFIRMED:
                yield from _lines_of("confirm with: ", cause.confirm)
            else:
                yield from _lines_of("look up: ", lookups_of(cause))


def _lines_of(label: str, advice: Advice) -> Iterator[str]:
    """The advice, each command on a line of its own."""
    lines = [line for line in (advice.text, *advice.commands, advice.note) if line]
    yield from (f"{label if number == 0 else ''}{line}" for number, line in enumerate(lines))


def _share(count: int, fleet: Fleet) -> str:
    return f" in {count} of {len(fleet.runs)} subnets"


def _where(subnets: Sequence[str]) -> tuple[str]:
    return (f"in {few(subnets, 6)}",)


def _commands(annotations: Iterable[_Annotation]) -> str:
    """At most ten, the most serious first. If there are more, the last one lists the titles of the rest."""
    by_level = sorted(annotations, key=lambda annotation: _LEVELS.index(annotation.level))
    if len(by_level) > MOST:
        shown, left_out = by_level[: MOST - 1], by_level[MOST - 1 :]
        text = f"not shown: {few((annotation.title for annotation in left_out), 20)}"
        by_level = [*shown, _Annotation(left_out[0].level, f"{len(left_out)} more findings", (text,))]
    return "".join(map(_command, by_level))


def _command(annotation: _Annotation) -> str:
    title = _escaped(shortened(annotation.title, _LONGEST_TITLE)).replace(":", "%3A").replace(",", "%2C")
    message = "%0A".join(_escaped(shortened(line, _LONGEST_LINE)) for line in annotation.lines)
    return f"::{annotation.level} title={title}::{message}\n"


def _escaped(text: str) -> str:
    """Printable text with the runner's escape character escaped. It has no line breaks."""
    return text.replace("%", "%25")

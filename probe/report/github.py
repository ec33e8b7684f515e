"""Annotations of a GitHub Actions run: one workflow command on each line, and nothing else.

The runner's own rules are in its ActionCommand.cs: a line is a command when it begins with "::", properties end at a
comma and a colon, and percent signs escape. GitHub shows ten annotations of a kind for each step and drops the others.
https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from probe.fleet import Fleet
from probe.model import Advice, JudgedFinding, Severity, Standing, Status, Verdict
from probe.narration import few
from probe.report import Page
from probe.report.fleet import closing_sentence, faults, is_met_drill, leading_fault, places, silences
from probe.report.layout import shortened
from probe.report.summary import fix, leading, standing, weight

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
    answer = _answer(verdict.status, verdict.exit_code, verdict.summary, leading(findings))
    return _commands([answer, *(_annotation(each, each.code, each.title) for each in findings)])


def render_fleet(fleet: Fleet, _page: Page) -> str:
    lead = leading_fault(fleet)
    answer = _answer(fleet.status, fleet.exit_code, closing_sentence(fleet), lead.finding if lead else None)
    known = [answer, *_of_fleet(fleet)]
    return _commands([each._replace(level="notice") for each in known] if is_met_drill(fleet) else known)


def _of_fleet(fleet: Fleet) -> Iterator[_Annotation]:
    for status, words, runs in silences(fleet):
        yield _Annotation(_BY_STATUS[status], f"{status}{_share(len(runs), fleet)}", (words, *_where(places(runs))))
    for finding, _, runs in faults(fleet):
        title = f"{finding.code}{_share(len(runs), fleet)}"
        yield _annotation(finding, title, finding.title, *_where(places(runs)))
    for words in fleet.notes:
        yield _Annotation("notice", "ecr-probe", (words,))


def _answer(status: Status, exit_code: int, sentence: str, lead: JudgedFinding | None) -> _Annotation:
    """The verdict comes first, so its level is no lower than any other's."""
    advice = fix(lead)
    lines = (sentence, f"fix: {advice}") if advice else (sentence,)
    return _Annotation("error" if exit_code else _BY_STATUS[status], f"ecr-probe: {status}", lines)


def _annotation(finding: JudgedFinding, title: str, *lines: str) -> _Annotation:
    advice = _advice(finding) if finding.severity is not Severity.INFO else ()
    return _Annotation(_BY_SEVERITY[finding.severity], title, (*lines, *advice))


def _advice(finding: JudgedFinding) -> Iterator[str]:
    """The likeliest cause; the others are in the reports that have room for them."""
    for cause in finding.causes[:1]:
        if cause.standing is not Standing.RULED_OUT:
            yield f"cause: {cause.title} ({standing(cause, finding)})"
            yield from _lines_of("fix: ", cause.fix)
            if cause.standing is not Standing.CONFIRMED:
                yield from _lines_of("confirm with: ", cause.confirm)


def _lines_of(label: str, given: Advice) -> Iterator[str]:
    """The advice, each command on a line of its own."""
    lines = [line for line in (given.text, *given.commands, given.note) if line]
    yield from (f"{label if number == 0 else ''}{line}" for number, line in enumerate(lines))


def _share(count: int, fleet: Fleet) -> str:
    return f" in {count} of {len(fleet.runs)} subnets"


def _where(known: Sequence[str]) -> tuple[str]:
    return (f"in {few(known, 6)}",)


def _commands(annotations: Iterable[_Annotation]) -> str:
    """At most ten, the graver first; where there are more, the last one says so."""
    known = sorted(annotations, key=lambda each: _LEVELS.index(each.level))
    if len(known) > MOST:
        shown, left_out = known[: MOST - 1], known[MOST - 1 :]
        words = few((each.title for each in left_out), 20)
        known = [*shown, _Annotation(left_out[0].level, f"{len(left_out)} more findings", (f"not shown: {words}",))]
    return "".join(map(_command, known))


def _command(annotation: _Annotation) -> str:
    title = _data(shortened(annotation.title, _LONGEST_TITLE)).replace(":", "%3A").replace(",", "%2C")
    message = "%0A".join(_data(shortened(line, _LONGEST_LINE)) for line in annotation.lines)
    return f"::{annotation.level} title={title}::{message}\n"


def _data(text: str) -> str:
    """No line break is left in clean words; only the runner's own sign needs care."""
    return text.replace("%", "%25")

"""JUnit's XML, as CodeBuild, GitLab, Jenkins and others read it: a case for each step, a failure for each error.

The format has no owner. The document satisfies both schemas in use, Ant's and Jenkins's: attributes and order of the
first, times of the second. A case may have one element only, so warnings are in the suite's output.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from xml.etree import ElementTree

from probe.fleet import Fleet, SubnetRun
from probe.model import (
    Basis,
    Gate,
    GateAnswer,
    Impact,
    JudgedFinding,
    Outcome,
    Severity,
    Standing,
    Status,
    Step,
    Verdict,
)
from probe.report import Page
from probe.report.fleet import PREDICTED, closing_sentence, is_met_drill, reason
from probe.report.gates import by_word, heading, unread
from probe.report.layout import Line, block, plain, wrapped
from probe.report.printed_commands import PrintedCommands
from probe.report.summary import fix
from probe.report.text import explanation
from probe.safe_words import shortened
from probe.verdict import leading_finding, weight

_NAME = "ecr-probe"
_LONGEST_ATTRIBUTE = 1_000  # characters
_LONGEST_BODY = 16_000
_PAGE = Page()


class _Mark(NamedTuple):
    """What keeps a case from passing. `kind` is the element: failure, error or skipped."""

    kind: str
    type: str
    message: str
    body: str = ""


class _Case(NamedTuple):
    endpoint: str
    name: str
    seconds: float = 0.0
    mark: _Mark | None = None


class _Suite(NamedTuple):
    name: str
    host: str
    started_at: datetime
    seconds: float
    properties: Mapping[str, str | None]
    cases: tuple[_Case, ...]
    output: str


def render(verdict: Verdict, _page: Page) -> str:
    return _document([_suite(verdict, name=_NAME)])


def render_fleet(fleet: Fleet, _page: Page) -> str:
    suites = [_of_run(run, fleet) for run in fleet.runs]
    if is_met_drill(fleet):
        suites = [suite._replace(cases=tuple(map(_expected, suite.cases))) for suite in suites]
    if fleet.exit_code and not any(_has_failed(suite.cases) for suite in suites):
        # For example degraded with --strict, or no subnet: a non-zero exit code needs a failing case.
        case = _answer_case(fleet.status, closing_sentence(fleet))
        suites.append(_Suite(_NAME, _NAME, fleet.started_at, fleet.seconds, {"cluster": fleet.cluster}, (case,), ""))
    return _document(suites)


# ---- a verdict ----------------------------------------------------------------------------------


def _suite(verdict: Verdict, *, name: str) -> _Suite:
    here = verdict.surroundings
    cases = tuple(_cases(verdict))
    if verdict.exit_code and not _has_failed(cases):
        cases = (*cases, _answer_case(verdict.status, verdict.summary))
    return _Suite(
        name=name,
        host=(here.task_arn or "").rpartition("/")[2] or "localhost",
        started_at=verdict.started_at,
        seconds=verdict.seconds,
        properties={
            "status": verdict.status,
            "pull": verdict.pull,
            "path": verdict.path,
            "image": verdict.plan.image,
            "platform": verdict.plan.platform,
            "region": verdict.plan.region,
            "availability-zone": here.availability_zone,
            "task": here.task_arn,
            "version": verdict.version,
        },
        cases=cases,
        output=block(_output(verdict), _LONGEST_BODY),
    )


def _cases(verdict: Verdict) -> Iterator[_Case]:
    """A case for each step; where the configuration was read, one for each endpoint and kind of gate."""
    # What a check would see proves nothing by itself: the gates from which it follows are the tests.
    printed = PrintedCommands()
    steps = {step.id: step for step in verdict.steps} if verdict.basis is not Basis.CONFIGURATION else {}
    rows = _gates_by_case(verdict.gates)
    errors = _errors_by_case(verdict, steps, rows)
    # The most serious error comes first, so it is the one that a step of several refers to.
    case_by_step = {name: case for case, finding in reversed(errors.items()) for name in finding.because}
    for step in steps.values():
        error = errors.get(step.id)
        mark = _failure_of(error, verdict, printed) if error else _skipped(step, steps, case_by_step)
        yield _Case(step.endpoint, step.id, step.seconds or 0.0, mark)
    for name, gates in rows.items():
        error = errors.get(name)
        yield _Case(
            gates[0].endpoint, name, mark=_failure_of(error, verdict, printed) if error else _refused(gates, errors)
        )
    for name, finding in errors.items():
        if name not in steps and name not in rows:
            yield _Case("findings", name, mark=_failure_of(finding, verdict, printed))


def _gates_by_case(gates: Iterable[Gate]) -> dict[str, tuple[Gate, ...]]:
    """The gates of each endpoint and kind, from all subnets."""
    by_endpoint: dict[str, list[Gate]] = {}
    for gate in gates:
        by_endpoint.setdefault(gate.endpoint, []).append(gate)
    return {f"{name}/{word}": some for name, own in by_endpoint.items() for word, some in by_word(own)}


def _errors_by_case(
    verdict: Verdict, steps: Mapping[str, Step], rows: Mapping[str, Sequence[Gate]]
) -> dict[str, JudgedFinding]:
    """The error of each case: the case of a step that it lists or of a gate that explains it, or its own if all of
    these have an error already."""
    errors_by_case: dict[str, JudgedFinding] = {}
    for number, finding in enumerate(sorted(_errors(verdict), key=weight)):
        free = [name for name in finding.because if name in steps and name not in errors_by_case]
        failed = [name for name in free if steps[name].failed]
        refusing = [name for name, gates in rows.items() if name not in errors_by_case and _explains(gates, finding)]
        errors_by_case[(failed or free or refusing or [f"{finding.code} {number}"])[0]] = finding
    return errors_by_case


def _explains(gates: Iterable[Gate], finding: JudgedFinding) -> bool:
    """Whether one of these gates refuses, and is the confirmed cause of the finding."""
    confirmed = {cause.code for cause in finding.causes if cause.standing is Standing.CONFIRMED}
    return any(
        gate.answer is GateAnswer.REFUSES and gate.endpoint in finding.endpoints and gate.cause in confirmed
        for gate in gates
    )


def _refused(gates: Sequence[Gate], errors: Mapping[str, JudgedFinding]) -> _Mark | None:
    """The mark of gates that refuse because of an error in another case, or that are not known to allow."""
    first = min(gates, key=lambda gate: not gate.is_open)
    if not first.is_open:
        return None
    case = next((name for name, finding in errors.items() if _explains(gates, finding)), None)
    return _Mark("skipped", str(first.gate), f"{first.answer}: {f'see {case}' if case else first.sentence}")


def _errors(verdict: Verdict) -> list[JudgedFinding]:
    """The findings that fail the run: with --strict also warnings."""
    failing = (Severity.ERROR, Severity.WARNING) if verdict.policy.strict else (Severity.ERROR,)
    return [finding for finding in verdict.findings if finding.severity in failing]


def _failure_of(finding: JudgedFinding, verdict: Verdict, printed: PrintedCommands) -> _Mark:
    """The failure of a case. In JUnit an error is a test that could not run: a finding that only prevents the proof."""
    kind = "error" if finding.impact is Impact.PROOF else "failure"
    return _Mark(
        kind, finding.code, finding.title, block(explanation(finding, verdict, _PAGE, printed=printed), _LONGEST_BODY)
    )


def _skipped(step: Step, steps: Mapping[str, Step], case_by_step: Mapping[str, str]) -> _Mark | None:
    """The mark of a step that was skipped, or that failed because of an error in another case."""
    if step.outcome is Outcome.SKIPPED:
        why = f"skipped: {step.blocked_by} failed" if step.blocked_by else step.detail or "not requested"
        return _Mark("skipped", "skipped", why)
    if not step.failed:
        return None
    case = next((case_by_step[name] for name in _with_dependencies(step, steps) if name in case_by_step), None)
    # A failed step that no error lists, such as a first attempt or a control, does not fail the run.
    return _Mark("skipped", str(step.failure), f"{step.failure}: see {case}") if case else None


def _with_dependencies(step: Step, steps: Mapping[str, Step]) -> Iterator[str]:
    """The step, and the steps that it depends on."""
    visited: set[str] = set()
    name: str | None = step.id
    while name is not None and name not in visited:
        yield name
        visited.add(name)
        name = steps[name].on if name in steps else None


def _output(verdict: Verdict) -> Iterator[Line]:
    for finding in sorted(verdict.findings, key=weight):
        if finding.severity is not Severity.ERROR:
            label = ("", f"{finding.severity}[{finding.code}]: ")
            yield from wrapped(label, finding.title, indent=0, page=_PAGE, hang=2)
            if finding.severity is Severity.WARNING:
                yield from explanation(finding, verdict, _PAGE)
            yield ()
    if verdict.configuration is not None:
        yield from heading(verdict.configuration, _PAGE)
        yield from unread(verdict.configuration, verdict.gates, _PAGE)
    yield plain(f"{verdict.status}: {verdict.summary}")
    text = fix(leading_finding(verdict.findings))
    if text:
        yield plain(f"fix:  {text}")


# ---- a fleet ------------------------------------------------------------------------------------


def _of_run(run: SubnetRun, fleet: Fleet) -> _Suite:
    properties = {
        "status": run.status,
        "subnet": run.subnet,
        "availability-zone": run.zone,
        "task": run.task_arn,
        "source": run.source,
        "cluster": fleet.cluster,
        "task-definition": fleet.task_definition,
        "service": fleet.service,
    }
    notes = (*fleet.notes, *((run.words,) if run.words else ()), *((PREDICTED,) if run.is_predicted else ()))
    output = "".join(f"{shortened(note, _LONGEST_BODY)}\n" for note in notes)
    task = _Case("task", "task", run.seconds or 0.0, _failing(run.status, run.source or "task", reason(run)))
    if run.verdict is None:
        return _Suite(run.subnet, run.subnet, fleet.started_at, task.seconds, properties, (task,), output)
    suite = _suite(run.verdict, name=run.subnet)
    cases = (task, *suite.cases) if run.is_predicted else suite.cases
    if run.status in (Status.FAIL, Status.INCONCLUSIVE) and not _has_failed(cases):
        cases = (*cases, _answer_case(run.status, run.words or run.verdict.summary))
    return suite._replace(properties={**suite.properties, **properties}, cases=cases, output=output + suite.output)


def _expected(case: _Case) -> _Case:
    """The case of a drill: an expected failure is skipped with the message "as expected"."""
    if case.mark is None or case.mark.kind == "skipped":
        return case
    return case._replace(mark=case.mark._replace(kind="skipped", message=f"as expected: {case.mark.message}"))


def _answer_case(status: Status, sentence: str) -> _Case:
    """The verdict as a case, for a run that fails although no step does."""
    mark = _failing(status, "verdict", sentence) or _Mark("failure", "verdict", sentence)
    return _Case("verdict", "verdict", mark=mark)


def _failing(status: Status, kind: str, message: str) -> _Mark | None:
    elements = {Status.FAIL: "failure", Status.INCONCLUSIVE: "error"}
    return _Mark(elements[status], kind, message) if status in elements else None


def _has_failed(cases: Iterable[_Case]) -> bool:
    return any(case.mark is not None and case.mark.kind != "skipped" for case in cases)


# ---- XML ----------------------------------------------------------------------------------------


def _document(suites: Iterable[_Suite]) -> str:
    """The suites are written one by one, because one tree of a large fleet takes many times the memory of its text."""
    texts = (_xml(number, suite) for number, suite in enumerate(suites))
    return "".join(('<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n', *texts, "</testsuites>\n"))


def _xml(number: int, suite: _Suite) -> str:
    kinds = [case.mark.kind for case in suite.cases if case.mark]
    root = ElementTree.Element(
        "testsuite",
        id=str(number),
        name=_attribute(suite.name),
        package=_NAME,
        hostname=_attribute(suite.host),
        # Ant's schema does not allow a time zone; the time is in UTC.
        timestamp=suite.started_at.replace(tzinfo=None, microsecond=0).isoformat(),
        time=_seconds(suite.seconds),
        tests=str(len(suite.cases)),
        failures=str(kinds.count("failure")),
        errors=str(kinds.count("error")),
        skipped=str(kinds.count("skipped")),
    )
    properties = ElementTree.SubElement(root, "properties")
    for name, value in suite.properties.items():
        if value:
            ElementTree.SubElement(properties, "property", name=name, value=_attribute(value))
    for case in suite.cases:
        # GitLab identifies a case by class and name, not by its suite.
        classname = f"{_attribute(suite.name)}.{_attribute(case.endpoint)}"
        names = {"classname": classname, "name": _attribute(case.name), "time": _seconds(case.seconds)}
        element = ElementTree.SubElement(root, "testcase", names)
        if case.mark:
            attributes = {"type": _attribute(case.mark.type), "message": _attribute(case.mark.message)}
            ElementTree.SubElement(element, case.mark.kind, attributes).text = case.mark.body
    ElementTree.SubElement(root, "system-out").text = suite.output
    ElementTree.SubElement(root, "system-err")
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def _attribute(text: str) -> str:
    return shortened(text, _LONGEST_ATTRIBUTE).strip() or "?"


def _seconds(seconds: float) -> str:
    return f"{max(seconds, 0.0):.3f}"

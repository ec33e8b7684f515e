"""Every scenario of the simulated VPC, run by the real check: as expected, and in line with the laws of a verdict."""

from __future__ import annotations

import base64
import io
import time
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import cache
from typing import Any

import jsonschema
import msgspec
import pytest

from probe.config.settings import parse
from probe.demo import differences
from probe.explain.saved_verdict import read_saved, rejudge
from probe.faults import diagnose
from probe.model import SCHEMA_VERSION, Action, Outcome, Severity, Verdict
from probe.report import FLEET_FORMATS, FORMATS, Page
from probe.report.json import schema
from probe.run import run
from probe.sim.account import SimulatedAccount
from probe.sim.configuration import account_of
from probe.sim.scenarios import SCENARIOS
from probe.sim.scenarios.pairs import PAIRS
from probe.sim.scenarios.scenario import Scenario
from probe.sim.vpc import VPC
from tests.faults.commands import PLAYED, commands_of, fault_of_text, forms_of, known_forms, unreadable
from tests.laws.lookups import reads_that_are_not_printed, words_without_read
from tests.laws.placeholders import signs_of_empty_placeholders
from tests.report import fleets, readers
from tests.report.screen import check_form
from tests.scenarios.inspection import the_configuration_confirms_the_cause, the_prediction_is_what_was_measured

# A dropped packet takes the whole timeout; nothing else depends on it.
QUICK = ("--connect-timeout", "1.5")
LARGEST_DOCUMENT = 200 * 1024


@dataclass(frozen=True, slots=True)
class ScenarioRun:
    verdict: Verdict
    printed: str  # on stdout and stderr during the run
    secrets: tuple[str, ...]
    account: SimulatedAccount


def run_scenario(scenario: Scenario) -> ScenarioRun:
    printed = io.StringIO()
    arguments = scenario.arguments if "--connect-timeout" in scenario.arguments else (*scenario.arguments, *QUICK)
    with VPC() as vpc, redirect_stdout(printed), redirect_stderr(printed):
        scenario.change(vpc)
        settings = parse(arguments, vpc.environ, started=time.monotonic())
        verdict = run(settings, vpc.wire())
        return ScenarioRun(verdict, printed.getvalue() + repr(settings), vpc.secrets, account_of(vpc))


@cache
def validator() -> Any:
    """Definitions replace the references to them, because following references takes half of the validation's time."""
    verdict_schema = schema()

    def resolved(node: Any) -> Any:
        if isinstance(node, list):
            return [resolved(item) for item in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            return resolved(verdict_schema["$defs"][node["$ref"].removeprefix("#/$defs/")])
        return {name: resolved(value) for name, value in node.items() if name != "$defs"}

    return jsonschema.Draft202012Validator(resolved(verdict_schema))


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_scenario_matches_its_expectations_and_the_laws(scenario: Scenario) -> None:
    result = run_scenario(scenario)
    assert differences(scenario, result.verdict) == []
    every_failed_step_belongs_to_a_finding(result.verdict)
    every_error_and_warning_has_evidence_and_a_cause(result.verdict)
    the_exit_code_follows_from_the_status(result.verdict)
    every_command_has_a_form_that_the_laboratory_tries(scenario, result.verdict)
    check_form(result.verdict)
    the_configuration_confirms_the_cause(scenario, result.verdict, result.account)
    the_prediction_is_what_was_measured(scenario, result.verdict, result.account)
    assert signs_of_empty_placeholders(result.verdict) == []
    assert list(words_without_read(cause for finding in result.verdict.findings for cause in finding.causes)) == []
    assert list(reads_that_are_not_printed(result.verdict)) == []
    texts = {name: form.render(result.verdict, Page()) for name, form in FORMATS.items()}
    fleet = fleets.fleet([fleets.run(0, result.verdict)])
    texts |= {f"{name} of a fleet": form.render(fleet, Page()) for name, form in FLEET_FORMATS.items()}
    the_document_matches_its_schema(texts["json"])
    a_saved_verdict_is_judged_the_same(texts["json"], result.verdict)
    a_document_of_an_older_version_is_judged_the_same(texts["json"], result.verdict)
    pipeline_reports_agree_with_the_verdict(texts, result.verdict)
    no_secret_is_printed(texts, result)


def every_failed_step_belongs_to_a_finding(verdict: Verdict) -> None:
    """Each failed step is listed by a finding, or depends on a step that is."""
    named = {name for finding in verdict.findings for name in finding.because}
    steps = {step.id: step for step in verdict.steps}
    assert len(steps) == len(verdict.steps), "ids are unique"
    assert named <= set(steps)
    for step in verdict.steps:
        if step.outcome is Outcome.FAILED:
            ancestors = {step.id}
            on = step.on
            while on is not None and on not in ancestors:
                ancestors.add(on)
                on = steps[on].on if on in steps else None
            assert ancestors & named, f"no finding lists {step.id}: {step.failure} {step.detail}"
        if step.outcome is Outcome.SKIPPED and step.blocked_by is not None:
            assert step.blocked_by in steps
        assert step.detail is None or len(step.detail) <= 200


def every_error_and_warning_has_evidence_and_a_cause(verdict: Verdict) -> None:
    for finding in verdict.findings:
        assert "{" not in finding.title + finding.why, finding.code
        if finding.severity is not Severity.INFO:
            assert finding.because, finding.code
            assert finding.causes, finding.code
            assert finding.values.get("saw"), finding.code
        for cause in finding.causes:
            assert cause.title
            assert cause.fix.text
            assert "{" not in f"{cause.title} {cause.fix.text} {cause.fix.note} {cause.confirm.note}", cause.code
    assert not any(finding.code in ("probe.bug", "unexplained") for finding in verdict.findings) or verdict.findings


def the_exit_code_follows_from_the_status(verdict: Verdict) -> None:
    errors = [finding for finding in verdict.findings if finding.severity is Severity.ERROR]
    expected = {"pass": 0, "degraded": 1 if verdict.policy.strict else 0, "fail": 1, "inconclusive": 3}
    assert verdict.exit_code == expected[verdict.status]
    assert bool(errors) == (verdict.status in ("fail", "inconclusive"))


def every_command_has_a_form_that_the_laboratory_tries(scenario: Scenario, verdict: Verdict) -> None:
    """Its text is in order, and it is of a form that a case, a sample or a page has, else the laboratory plays it."""
    commands = commands_of(verdict.findings)
    assert {command: fault for command in commands if (fault := fault_of_text(command))} == {}
    assert unreadable(sorted(commands)) == []
    new_forms = sorted(forms_of(commands) - known_forms())
    assert bool(new_forms) == (scenario.name in PLAYED), f"tests/faults/commands.py, PLAYED: {new_forms}"


def the_document_matches_its_schema(document: str) -> None:
    assert len(document.encode()) <= LARGEST_DOCUMENT
    parsed = msgspec.json.decode(document)
    validator().validate(parsed)
    assert parsed["schema_version"] == SCHEMA_VERSION


def a_saved_verdict_is_judged_the_same(document: str, verdict: Verdict) -> None:
    rejudged = rejudge(read_saved(document.encode()))
    assert rejudged.findings == verdict.findings
    assert (rejudged.status, rejudged.pull, rejudged.exit_code) == (verdict.status, verdict.pull, verdict.exit_code)
    assert diagnose(verdict.measurement, verdict.policy) == diagnose(verdict.measurement, verdict.policy)


def a_document_of_an_older_version_is_judged_the_same(document: str, verdict: Verdict) -> None:
    """Older documents lack some fields of a step, and have other names for some of the surroundings."""
    older = msgspec.json.decode(document)
    for step in older["steps"]:
        for name in ("host", "address", "attempt"):
            del step[name]
    surroundings = older["surroundings"]
    for name, old in (
        ("metadata_answered", "told"),
        ("metadata_remembered", "remembered"),
        ("log_drivers_known", "log_drivers_told"),
    ):
        surroundings[old] = surroundings.pop(name)
    reread = read_saved(msgspec.json.encode(older))
    assert reread.surroundings == verdict.surroundings
    assert rejudge(reread).findings == verdict.findings
    connections = (Action.DNS, Action.TCP, Action.TLS)
    fields = {step.id: (step.host, step.address, step.attempt) for step in verdict.steps if step.action in connections}
    for step in reread.steps:
        if step.id in fields:
            assert (step.host, step.address, step.attempt) == fields[step.id]


def pipeline_reports_agree_with_the_verdict(texts: dict[str, str], verdict: Verdict) -> None:
    """Each error fails one JUnit case, has one annotation and is in the summary; exit code 0 fails no case."""
    errors = sorted(finding.code for finding in verdict.findings if finding.severity is Severity.ERROR)
    for of in ("", " of a fleet"):
        (suite,) = readers.suites(texts[f"junit{of}"])
        failed = sorted(kind for mark, kind, *_ in readers.marks(suite).values() if mark != "skipped")
        assert failed == (errors or ["verdict"] if verdict.exit_code else [])
        cases = [(case.classname, case.name) for case in suite]
        assert len(set(cases)) == len(cases)
        annotations = [item for item in readers.commands(texts[f"github{of}"]) if item.name == "error"]
        assert len(annotations) == (len(errors) + 1 if verdict.exit_code else 0)
        page = readers.shown(texts[f"markdown{of}"])
        assert sum(code.startswith("error[") for code in page.code) == len(errors)


def no_secret_is_printed(texts: dict[str, str], result: ScenarioRun) -> None:
    output = "\n".join((*texts.values(), result.printed))
    assert result.secrets
    for secret in result.secrets:
        assert secret not in output
        assert base64.b64encode(f"AWS:{secret}".encode()).decode() not in output
    for word in ("X-Amz-Signature=", "X-Amz-Security-Token=", "Authorization: Basic"):
        assert word not in output


def test_there_are_sixty_scenarios_and_ten_pairs() -> None:
    names = [scenario.name for scenario in SCENARIOS]
    assert len(set(names)) == len(names) >= 60
    assert len(PAIRS) >= 10
    assert all(len(pair.expected_findings) >= 2 for pair in PAIRS)
    assert all(scenario.description.strip() for scenario in SCENARIOS)


def test_no_scenario_expects_an_unexplained_failure_or_a_bug() -> None:
    assert not [scenario.name for scenario in SCENARIOS if scenario.expected_findings & {"unexplained", "probe.bug"}]

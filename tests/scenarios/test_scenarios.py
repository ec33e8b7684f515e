"""Every scenario of the simulated VPC, run by the real check: does it come out as told, and do the laws of a
verdict hold?
"""

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
from probe.sim.scenarios import SCENARIOS
from probe.sim.scenarios.pairs import PAIRS
from probe.sim.scenarios.scenario import Scenario
from probe.sim.vpc import VPC
from tests.report import fleets, forms

# Silence takes as long as the timeout; nothing else depends on it.
QUICK = ("--connect-timeout", "1.5")
LARGEST_DOCUMENT = 200 * 1024


@dataclass(frozen=True, slots=True)
class Played:
    verdict: Verdict
    printed: str  # whatever reached stdout and stderr while it ran
    secrets: tuple[str, ...]


def play(scenario: Scenario) -> Played:
    printed = io.StringIO()
    arguments = scenario.arguments if "--connect-timeout" in scenario.arguments else (*scenario.arguments, *QUICK)
    with VPC() as vpc, redirect_stdout(printed), redirect_stderr(printed):
        scenario.change(vpc)
        settings = parse(arguments, {**vpc.environ, **scenario.environ}, started=time.monotonic())
        verdict = run(settings, vpc.wire())
        return Played(verdict, printed.getvalue() + repr(settings), vpc.secrets)


@cache
def validator() -> Any:
    return jsonschema.Draft202012Validator(schema())


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_scenario_comes_out_as_told_and_obeys_the_laws(scenario: Scenario) -> None:
    played = play(scenario)
    assert differences(scenario, played.verdict) == []
    no_failed_step_goes_unnamed(played.verdict)
    every_complaint_has_its_evidence_and_its_cause(played.verdict)
    the_exit_code_follows_from_the_status(played.verdict)
    texts = {name: form.render(played.verdict, Page()) for name, form in FORMATS.items()}
    fleet = fleets.fleet([fleets.run(0, played.verdict)])
    texts |= {f"{name} of a fleet": form.render(fleet, Page()) for name, form in FLEET_FORMATS.items()}
    the_document_is_of_its_schema(texts["json"])
    a_saved_verdict_says_the_same_again(texts["json"], played.verdict)
    a_document_of_an_older_version_says_the_same(texts["json"], played.verdict)
    a_pipeline_is_told_the_same(texts, played.verdict)
    no_secret_is_told(texts, played)


def no_failed_step_goes_unnamed(verdict: Verdict) -> None:
    """Each failed step is named by a finding or stands on one that is."""
    named = {name for finding in verdict.findings for name in finding.because}
    steps = {step.id: step for step in verdict.steps}
    assert len(steps) == len(verdict.steps), "ids are unique"
    assert named <= set(steps)
    for step in verdict.steps:
        if step.outcome is Outcome.FAILED:
            below = {step.id}
            on = step.on
            while on is not None and on not in below:
                below.add(on)
                on = steps[on].on if on in steps else None
            assert below & named, f"nobody names {step.id}: {step.failure} {step.detail}"
        if step.outcome is Outcome.SKIPPED and step.blocked_by is not None:
            assert step.blocked_by in steps
        assert step.detail is None or len(step.detail) <= 200


def every_complaint_has_its_evidence_and_its_cause(verdict: Verdict) -> None:
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


def the_document_is_of_its_schema(document: str) -> None:
    assert len(document.encode()) <= LARGEST_DOCUMENT
    parsed = msgspec.json.decode(document)
    validator().validate(parsed)
    assert parsed["schema_version"] == SCHEMA_VERSION


def a_saved_verdict_says_the_same_again(document: str, verdict: Verdict) -> None:
    again = rejudge(read_saved(document.encode()))
    assert again.findings == verdict.findings
    assert (again.status, again.pull, again.exit_code) == (verdict.status, verdict.pull, verdict.exit_code)
    assert diagnose(verdict.measurement, verdict.policy) == diagnose(verdict.measurement, verdict.policy)


def a_document_of_an_older_version_says_the_same(document: str, verdict: Verdict) -> None:
    """Older documents lack some fields of a step, and name some of the surroundings' otherwise."""
    older = msgspec.json.decode(document)
    for step in older["steps"]:
        for name in ("host", "address", "attempt"):
            del step[name]
    here = older["surroundings"]
    for name, old in (
        ("metadata_answered", "told"),
        ("metadata_remembered", "remembered"),
        ("log_drivers_known", "log_drivers_told"),
    ):
        here[old] = here.pop(name)
    again = read_saved(msgspec.json.encode(older))
    assert again.surroundings == verdict.surroundings
    assert rejudge(again).findings == verdict.findings
    connections = (Action.DNS, Action.TCP, Action.TLS)
    fields = {step.id: (step.host, step.address, step.attempt) for step in verdict.steps if step.action in connections}
    for step in again.steps:
        if step.id in fields:
            assert (step.host, step.address, step.attempt) == fields[step.id]


def a_pipeline_is_told_the_same(texts: dict[str, str], verdict: Verdict) -> None:
    """Each error fails one case, is annotated once and stands in the summary; what exits well fails nothing."""
    errors = sorted(finding.code for finding in verdict.findings if finding.severity is Severity.ERROR)
    for of in ("", " of a fleet"):
        (suite,) = forms.suites(texts[f"junit{of}"])
        failed = sorted(kind for mark, kind, *_ in forms.marks(suite).values() if mark != "skipped")
        assert failed == (errors or ["verdict"] if verdict.exit_code else [])
        cases = [(case.classname, case.name) for case in suite]
        assert len(set(cases)) == len(cases)
        told = [each for each in forms.commands(texts[f"github{of}"]) if each.name == "error"]
        assert len(told) == (len(errors) + 1 if verdict.exit_code else 0)
        page = forms.shown(texts[f"markdown{of}"])
        assert sum(words.startswith("error[") for words in page.code) == len(errors)


def no_secret_is_told(texts: dict[str, str], played: Played) -> None:
    told = "\n".join((*texts.values(), played.printed))
    assert played.secrets
    for secret in played.secrets:
        assert secret not in told
        assert base64.b64encode(f"AWS:{secret}".encode()).decode() not in told
    for word in ("X-Amz-Signature=", "X-Amz-Security-Token=", "Authorization: Basic"):
        assert word not in told


def test_there_are_sixty_scenarios_and_ten_pairs() -> None:
    names = [scenario.name for scenario in SCENARIOS]
    assert len(set(names)) == len(names) >= 60
    assert len(PAIRS) >= 10
    assert all(len(pair.expected_findings - {"s3.route-undetermined"}) >= 2 for pair in PAIRS)
    assert all(scenario.description.strip() for scenario in SCENARIOS)


def test_nothing_is_left_unexplained_in_the_simulated_vpc() -> None:
    assert not [scenario.name for scenario in SCENARIOS if scenario.expected_findings & {"unexplained", "probe.bug"}]

"""JUnit's XML: it is valid, an independent library reads it, and it fails exactly where the verdict does."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings

from probe.fleet import SubnetRun
from probe.model import Failure, Impact, Policy, Severity, Status, Verdict
from probe.records import replace
from probe.report import FLEET_FORMATS, FORMATS, Page
from tests.page.hostile import PAYLOADS, spoilt
from tests.report import fleets, made
from tests.report.hostile import hostile_verdicts
from tests.report.readers import marks, outputs, properties, suites


def marks_of(verdict: Verdict) -> dict[str, tuple[str, str, str, str]]:
    (suite,) = suites(FORMATS["junit"].render(verdict, Page()))
    return marks(suite)


def test_each_step_is_a_case() -> None:
    verdict = made.verdict()
    text = FORMATS["junit"].render(verdict, Page())
    (suite,), (output,), (attributes,) = suites(text), outputs(text), properties(text)
    assert [case.name for case in suite] == [step.id for step in verdict.steps]
    assert [case.classname for case in suite] == [f"ecr-probe.{step.endpoint}" for step in verdict.steps]
    assert (suite.failures, suite.errors, suite.skipped) == (0, 0, 3)
    assert output.startswith("pass: ECS can pull the image; ")
    assert attributes["image"] == verdict.plan.image
    assert "task" not in attributes
    assert (suite.timestamp, suite.time) == ("2026-03-01T12:00:00", 0.812)


def test_an_error_fails_one_case_and_the_other_cases_refer_to_it() -> None:
    verdict = made.broken()
    case_marks = marks_of(verdict)
    kind, code, message, text = case_marks.pop("ecr.api/tcp/10.0.1.10")
    assert (kind, code, message) == ("failure", "tcp.silent", "nothing answers on port 443 of ecr.api, ecr.dkr")
    assert "saw:   6 of 6 connections timed out" in text
    assert "fix: allow TCP 443 from 10.0.1.0/24" in text
    assert {kind for kind, *_ in case_marks.values()} == {"skipped"}
    assert case_marks["ecr.dkr/tcp/10.0.3.11"][2] == "timeout: see ecr.api/tcp/10.0.1.10"
    assert case_marks["ecr.api/token"][2] == "skipped: ecr.api/tcp/10.0.1.10 failed"


def test_a_warning_fails_no_case_and_is_in_the_output() -> None:
    assert "logs/logs/10.0.1.12" not in marks_of(made.broken())
    (output,) = outputs(FORMATS["junit"].render(made.broken(), Page()))
    assert "warning[logs.group-missing]: the log group /app does not exist" in output
    assert "fix: create the log group" in output


def test_a_finding_that_only_prevents_the_proof_is_an_error() -> None:
    step = made.step("ecr.api/token/x", failure=Failure.THROTTLED)
    finding = made.finding("throttle", (step.id,), impact=Impact.PROOF)
    case_marks = marks_of(made.verdict([step], status=Status.INCONCLUSIVE, exit_code=3, findings=(finding,)))
    assert case_marks[step.id][:2] == ("error", "throttle")


def test_a_successful_step_can_carry_an_error() -> None:
    finding = made.finding("dns.public-answer", ("ecr.api/dns/10.0.0.2/A",), impact=Impact.ROUTE)
    case_marks = marks_of(made.verdict(status=Status.FAIL, exit_code=1, findings=(finding,)))
    assert case_marks["ecr.api/dns/10.0.0.2/A"][:2] == ("failure", "dns.public-answer")


def test_a_failed_step_carries_the_error_rather_than_a_successful_one() -> None:
    steps = [made.step("s3/dns/x"), made.step("s3/tcp/x", failure=Failure.TIMEOUT)]
    finding = made.finding("tcp.silent", tuple(step.id for step in steps))
    case_marks = marks_of(made.verdict(steps, status=Status.FAIL, exit_code=1, findings=(finding,)))
    assert {name: mark[0] for name, mark in case_marks.items()} == {"s3/tcp/x": "failure"}


def test_two_errors_at_one_step_are_two_cases() -> None:
    step = made.step("ecr.api/token/x", failure=Failure.DENIED)
    findings = tuple(made.finding(code, (step.id,)) for code in ("one", "two"))
    (suite,) = suites(
        FORMATS["junit"].render(made.verdict([step], status=Status.FAIL, exit_code=1, findings=findings), Page())
    )
    assert [mark[1] for mark in marks(suite).values()] == ["one", "two"]
    assert suite.failures == 2


def test_a_step_of_two_errors_refers_to_the_more_serious_one() -> None:
    steps = [made.step(f"ecr.api/tcp/{number}", failure=Failure.TIMEOUT) for number in range(3)]
    proof = made.finding("deadline", (steps[1].id, steps[2].id), impact=Impact.PROOF)
    pull = made.finding("tcp.silent", (steps[0].id, steps[2].id))
    case_marks = marks_of(made.verdict(steps, status=Status.FAIL, exit_code=1, findings=(proof, pull)))
    assert [case_marks[step.id][1] for step in steps] == ["tcp.silent", "deadline", "timeout"]
    assert case_marks[steps[2].id][2] == f"timeout: see {steps[0].id}"


def test_a_failed_step_that_depends_on_a_listed_one_is_no_second_failure() -> None:
    below = made.step("ecr.api/tcp/x", failure=Failure.RESET)
    above = made.step("ecr.api/tls/x", failure=Failure.RESET, on=below.id)
    finding = made.finding("tcp.reset", (below.id,))
    case_marks = marks_of(made.verdict([below, above], status=Status.FAIL, exit_code=1, findings=(finding,)))
    assert (case_marks[below.id][0], case_marks[above.id][0]) == ("failure", "skipped")


@pytest.mark.parametrize(("status", "code", "kind"), [(Status.INCONCLUSIVE, 3, "error"), (Status.FAIL, 1, "failure")])
def test_an_exit_code_without_a_finding_fails_a_case_of_its_own(status: Status, code: int, kind: str) -> None:
    case_marks = marks_of(made.verdict([], status=status, exit_code=code))
    assert {name: mark[0] for name, mark in case_marks.items()} == {"verdict": kind}


def test_with_strict_a_warning_fails_its_case() -> None:
    strict = replace(fleets.degraded(), exit_code=1, policy=Policy(strict=True))
    assert marks_of(strict)["logs/logs/10.0.1.12"][:2] == ("failure", "logs.group-missing")


def test_each_subnet_is_a_suite() -> None:
    fleet = fleets.mixed()
    text = FLEET_FORMATS["junit"].render(fleet, Page())
    all_suites = suites(text)
    assert [suite.name for suite in all_suites] == [run.subnet for run in fleet.runs]
    assert [(suite.failures, suite.errors) for suite in all_suites] == [(0, 0), (1, 0), (0, 0), (0, 1), (1, 0), (0, 1)]
    assert [attributes["availability-zone"] for attributes in properties(text)] == [run.zone for run in fleet.runs]
    assert marks(all_suites[3]) == {"task": ("error", "task", fleets.WORDS, "")}
    cases = [(case.classname, case.name) for suite in all_suites for case in suite]
    assert len(set(cases)) == len(cases)  # GitLab takes two cases with one name for one


def test_a_subnet_that_failed_without_a_finding_fails_a_case() -> None:
    odd = fleets.run(0, made.verdict(), status=Status.FAIL, words="the container ended with 1")
    (suite,) = suites(FLEET_FORMATS["junit"].render(fleets.fleet([odd]), Page()))
    assert marks(suite)["verdict"][:3] == ("failure", "verdict", "the container ended with 1")


@pytest.mark.parametrize("runs", [[], [fleets.run(0, fleets.degraded())]])
def test_a_nonzero_exit_code_fails_a_case(runs: list[SubnetRun]) -> None:
    *_, last = suites(FLEET_FORMATS["junit"].render(fleets.fleet(runs, strict=True), Page()))
    assert list(marks(last)) == ["verdict"]


def test_a_drill_as_expected_fails_no_case() -> None:
    text = FLEET_FORMATS["junit"].render(fleets.drill(), Page())
    for suite in suites(text):
        assert (suite.failures, suite.errors) == (0, 0)
        kind, code, message, body = marks(suite)["ecr.api/tcp/10.0.1.10"]
        assert (kind, code) == ("skipped", "tcp.silent")
        assert message == "as expected: nothing answers on port 443 of ecr.api, ecr.dkr"
        assert "6 of 6 connections timed out" in body
    missed = replace(fleets.drill(), exit_code=1)
    assert [suite.failures for suite in suites(FLEET_FORMATS["junit"].render(missed, Page()))] == [1, 1]


def test_remarks_on_the_fleet_and_on_a_subnet_are_in_the_output() -> None:
    first, second = outputs(FLEET_FORMATS["junit"].render(fleets.drill(), Page()))
    assert first.startswith("verdicts are exit codes\nwarning[")
    assert second.startswith("verdicts are exit codes\nthe sidecar ended with 137\nwarning[")


def test_a_clock_that_was_set_back_gives_no_negative_time() -> None:
    (suite,) = suites(
        FORMATS["junit"].render(made.verdict([made.step("s3/tcp/x", seconds=-0.5)], seconds=-3.0), Page())
    )
    assert (suite.time, [case.time for case in suite]) == (0, [0])


def test_control_characters_and_markup_leave_the_document_valid() -> None:
    for payload in (*PAYLOADS, "]]>", "\x00\x1b[2J\ufffe\U0001fffe", "&amp;", "é" * 5000):
        verdict = spoilt(made.broken(), lambda text, payload=payload: f"{text}{payload}")  # type: ignore[misc]
        suites(FORMATS["junit"].render(verdict, Page()))


@settings(max_examples=60, deadline=None)
@given(hostile_verdicts())
def test_a_hostile_verdict_gives_a_valid_document(verdict: Verdict) -> None:
    (suite,) = suites(FORMATS["junit"].render(verdict, Page()))
    errors = [finding for finding in verdict.findings if finding.severity is Severity.ERROR]
    assert suite.failures == len(errors)
    fleet = fleets.fleet([fleets.run(0, verdict, subnet=verdict.version, zone=verdict.version, words=verdict.version)])
    assert len(suites(FLEET_FORMATS["junit"].render(fleet, Page()))) == 1


def test_the_length_is_bounded_by_the_number_of_steps() -> None:
    long = spoilt(made.broken(), lambda text: text * 10_000)
    text = FORMATS["junit"].render(long, Page())
    assert len(text) < 10_000 * len(long.steps)
    assert all(len(case.name) == 1_000 and case.name.endswith("…") for suite in suites(text) for case in suite)
    suites(text)
    assert len(msgspec.json.encode(long)) > 10 * len(text)

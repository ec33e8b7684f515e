"""Laws that every finding obeys, for any measurement."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from functools import cache
from types import ModuleType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from probe.faults import FAULTS, RULES, diagnose, text_failures
from probe.faults.causes import CAUSES, CauseText
from probe.faults.evidence import Evidence
from probe.faults.fault import Rule
from probe.faults.subjects import Subject
from probe.model import Cause, Extent, Failure, Finding, Measurement, Nothing, Outcome, Policy, Standing, Step
from probe.records import replace
from tests.faults.expected import EXPECTED
from tests.faults.fake_hosts import OWN_ROLE, PULL_ROLE

HOLE = re.compile(r"\{[a-z_0-9]*\}")


@cache
def measurements() -> tuple[tuple[Measurement, Policy], ...]:
    """The measurement of every case, with its policy."""
    return tuple((case.run.measure(), case.run.policy) for case in EXPECTED)


@cache
def all_findings() -> tuple[Finding, ...]:
    return diagnose_all()


def diagnose_all() -> tuple[Finding, ...]:
    return tuple(finding for measurement, policy in measurements() for finding in diagnose(measurement, policy))


def finding_texts(finding: Finding) -> list[str]:
    return [
        finding.title,
        finding.why,
        finding.values["saw"],
        *(text for cause in finding.causes for text in cause_texts(cause)),
    ]


def cause_texts(cause: Cause | CauseText) -> list[str]:
    """Everything that a reader sees of a cause."""
    advices = (cause.fix, cause.confirm)
    parts = (text for advice in advices for text in (advice.text, *advice.commands, advice.note))
    return [cause.title, *(text for text in parts if text)]


def unnamed_failures(measurement: Measurement, findings: tuple[Finding, ...]) -> dict[str, set[str]]:
    """The failed steps that no finding names, neither themselves nor a step that they depend on."""
    cited = {identity for finding in findings for identity in finding.because}
    steps = {step.id: step for step in measurement.steps}
    unnamed: dict[str, set[str]] = {}
    for step in measurement.steps:
        chain: set[str] = set()
        lower: Step | None = step
        while lower is not None and lower.id not in chain:
            chain.add(lower.id)
            lower = steps.get(lower.on or "")
        if step.failed and not chain & cited:
            unnamed[step.id] = chain
    return unnamed


# ---- the catalog ---------------------------------------------------------------------------------------------------


def test_codes_of_faults_are_unique() -> None:
    assert not [code for code, count in Counter(fault.code for fault in FAULTS).items() if count > 1]


def test_every_subject_of_a_text_has_one_meaning() -> None:
    areas = [area for area in vars(text_failures).values() if isinstance(area, ModuleType)]
    assert sorted(subject for area in areas for subject in area.MEANINGS) == sorted(Subject)


def test_every_fault_is_produced_by_a_case() -> None:
    assert {fault.code for fault in FAULTS} == {finding.code for finding in all_findings()}


def test_every_cause_is_named_by_a_case() -> None:
    rare = {"region.ipv6-unsupported-endpoint", "endpoint.missing.ssm", "endpoint.missing.other"}
    assert set(CAUSES) - {cause.code for finding in all_findings() for cause in finding.causes} <= rare


@pytest.mark.parametrize("code", sorted(CAUSES))
def test_every_cause_says_what_to_do_and_what_to_read(code: str) -> None:
    cause = CAUSES[code]
    assert cause.title
    assert cause.fix.text
    assert cause.confirm.text or cause.confirm.commands
    assert not {cause.title[-1], cause.fix.text[-1]} & {".", ",", ":"}
    for note in (cause.fix.note, cause.confirm.note):
        assert note is None or note.endswith(".")


def test_every_usual_cause_of_a_fault_is_in_the_catalogue() -> None:
    assert {cause.code for fault in FAULTS for cause in fault.causes} <= set(CAUSES)


# Programs in the commands of causes; those of a host are for texts that its agent or kubelet wrote.
PROGRAMS = {"aws", "docker", "openssl", "curl", "ping", "ip", "date", "export"} | {
    "df",
    "dmesg",
    "free",
    "iostat",
    "journalctl",
    "kubectl",
    "docker-credential-ecr-login",
    "docker-credential-wincred",
    "ecr-probe",
    "cat",
    "dig",
    "grep",
    "sleep",
    "systemctl",
    "timedatectl",
}


@pytest.mark.parametrize("code", sorted(CAUSES))
def test_every_command_stands_whole(code: str) -> None:
    """Nothing to fill in but words in capitals, no remark behind it, and the shell can read it."""
    commands = [*CAUSES[code].fix.commands, *CAUSES[code].confirm.commands]
    assert commands
    for command in commands:
        assert "…" not in command
        assert " (" not in command
        assert shlex.split(command)[0] in PROGRAMS, command


# ---- rules ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.find.__name__)
def test_a_rule_finds_only_what_it_declares(rule: Rule) -> None:
    declared: dict[str, set[str]] = {fault.code: set() for fault in rule.faults}
    for fault in rule.faults:
        for wording in fault.wordings:
            declared[fault.code] |= {cause.code for cause in (*wording.causes, *wording.other_causes)}
    for measurement, policy in measurements():
        for finding in rule(Evidence(measurement, policy)):
            assert finding.code in declared
            assert {cause.code for cause in finding.causes} <= declared[finding.code], finding.code


# ---- findings -------------------------------------------------------------------------------------------------------


def test_no_text_has_a_hole() -> None:
    assert not [
        text for finding in all_findings() for text in finding_texts(finding) if HOLE.search(text) or "None" in text
    ]


def test_complaints_have_evidence_words_and_causes() -> None:
    for finding in all_findings():
        if finding.extent is not Extent.NOTED:
            assert finding.because, finding.code
            assert finding.causes, finding.code
        if finding.because:
            assert finding.values["saw"], finding.code


def test_confirmed_causes_come_first_and_those_ruled_out_last() -> None:
    order = [Standing.CONFIRMED, Standing.POSSIBLE, Standing.RULED_OUT]
    for finding in all_findings():
        places = [order.index(cause.standing) for cause in finding.causes]
        assert places == sorted(places), finding.code
        assert len({cause.code for cause in finding.causes}) == len(finding.causes), finding.code
        assert not finding.causes or finding.causes[0].standing is not Standing.RULED_OUT, finding.code


def test_titles_stand_alone() -> None:
    for finding in all_findings():
        assert finding.title[-1] not in ".:,", finding.title
        assert len(finding.title) < 200, finding.title


def test_every_failed_step_is_claimed_once() -> None:
    for case, (measurement, policy) in zip(EXPECTED, measurements(), strict=True):
        claims = Counter(identity for finding in diagnose(measurement, policy) for identity in finding.because)
        failed = {step.id for step in measurement.steps if step.failed}
        assert set(claims) <= {step.id for step in measurement.steps}
        assert {identity: claims[identity] for identity in failed} == dict.fromkeys(failed, 1), case.name


def unexplained_lookups(measurement: Measurement, policy: Policy) -> set[str]:
    lookups = {step.id for step in measurement.steps if step.names}
    findings = (finding for finding in diagnose(measurement, policy) if finding.code == "unexplained")
    return lookups & {identity for finding in findings for identity in finding.because}


def without_answer(step: Step, record: str) -> Step:
    """The step as the end of the run leaves it, if it asks for this kind of record."""
    if step.names is None or step.names.record != record:
        return step
    names = replace(step.names, addresses=())
    return replace(step, outcome=Outcome.FAILED, failure=Failure.DEADLINE, seen=names)


@pytest.mark.parametrize("record", ["A", "AAAA"])
def test_a_lookup_is_not_unexplained_because_its_other_half_was_cut_off(record: str) -> None:
    for case, (measurement, policy) in zip(EXPECTED, measurements(), strict=True):
        steps = tuple(without_answer(step, record) for step in measurement.steps)
        assert unexplained_lookups(replace(measurement, steps=steps), policy) == set(), case.name


def test_rules_are_pure() -> None:
    assert diagnose_all() == all_findings()


# ---- any measurement ------------------------------------------------------------------------------------------------


def with_failure(step: Step, failure: Failure | None, *, blind: bool) -> Step:
    if failure is None:
        return replace(step, outcome=Outcome.OK, failure=None)
    return replace(step, outcome=Outcome.FAILED, failure=failure, seen=Nothing() if blind else step.seen)


@st.composite
def altered_measurements(draw: st.DrawFn) -> tuple[Measurement, Policy]:
    """A measured run in which some steps come out otherwise, and some are missing."""
    measurement, _ = draw(st.sampled_from(measurements()))
    steps = list(measurement.steps)
    for place in draw(st.lists(st.integers(0, len(steps) - 1), max_size=8)):
        failure, blind = draw(st.none() | st.sampled_from(Failure)), draw(st.booleans())
        steps[place] = with_failure(steps[place], failure, blind=blind)
    gone = set(draw(st.lists(st.integers(0, len(steps) - 1), max_size=3)))
    policy = Policy(
        allow_public=draw(st.sampled_from(((), ("ecr.api",)))),
        pull_role=draw(st.sampled_from((None, OWN_ROLE, PULL_ROLE, "nonsense"))),
    )
    return replace(measurement, steps=tuple(step for place, step in enumerate(steps) if place not in gone)), policy


@settings(max_examples=100, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(altered_measurements())
def test_no_measurement_breaks_the_rules(run: tuple[Measurement, Policy]) -> None:
    measurement, policy = run
    findings = diagnose(measurement, policy)
    assert unnamed_failures(measurement, findings) == {}
    for finding in findings:
        assert not [text for text in finding_texts(finding) if HOLE.search(text)]
        assert finding.extent is Extent.NOTED or (finding.because and finding.causes), finding.code

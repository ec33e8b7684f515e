"""Closed vocabularies: every failure is produced by a test, and every fault by a scenario or an error text."""

from __future__ import annotations

from pathlib import Path

import pytest

from probe.faults import FAULTS, OF_CONFIGURATION, TEXT_ONLY
from probe.model import Failure
from probe.sim.scenarios import SCENARIOS
from tests.explain.sample import UNDESCRIBED
from tests.explain.samples import SAMPLES

TESTS = Path(__file__).parent.parent
PRODUCERS = "\n".join(
    path.read_text() for part in ("wire", "measure") for path in sorted((TESTS / part).glob("test_*.py"))
)

# Faults that no state of a network causes: tests/faults and tests/cli make them. Those that only an error text shows
# have a sample in tests/explain, those of the configuration a test in tests/inspect.
WITHOUT_SCENARIO = {"probe.bug", "unexplained", *TEXT_ONLY, *OF_CONFIGURATION}


@pytest.mark.parametrize("failure", Failure)
def test_every_failure_has_a_test_that_produces_it(failure: Failure) -> None:
    assert f"Failure.{failure.name}" in PRODUCERS


@pytest.mark.parametrize("code", sorted({fault.code for fault in FAULTS} - WITHOUT_SCENARIO))
def test_every_fault_has_a_scenario(code: str) -> None:
    assert [scenario.name for scenario in SCENARIOS if code in scenario.expected_findings]


@pytest.mark.parametrize("code", sorted(TEXT_ONLY))
def test_every_fault_of_error_texts_has_a_sample(code: str) -> None:
    assert [case.name for case in (*(sample.expected for sample in SAMPLES), *UNDESCRIBED) if code in case.causes]


def test_scenarios_expect_only_faults_that_exist() -> None:
    codes = {fault.code for fault in FAULTS}
    assert {code for scenario in SCENARIOS for code in scenario.expected_findings} <= codes

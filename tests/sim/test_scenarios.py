"""The scenarios as data; `tests/scenarios` runs them."""

from __future__ import annotations

import re

import pytest

from probe.faults.causes import CAUSES
from probe.sim.scenarios import SCENARIOS, Scenario
from probe.sim.vpc import VPC

STATUSES = {"pass", "degraded", "fail", "inconclusive"}


def test_there_are_at_least_sixty_scenarios_with_unique_names() -> None:
    names = [scenario.name for scenario in SCENARIOS]
    assert len(names) >= 70
    assert len(set(names)) == len(names)
    assert SCENARIOS[0].name == "healthy"


def test_many_scenarios_exclude_causes() -> None:
    assert sum(1 for scenario in SCENARIOS if scenario.excluded_causes) >= 80


def test_there_are_at_least_ten_pairs() -> None:
    assert sum(1 for scenario in SCENARIOS if "-and-" in scenario.name) >= 10


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_scenario_is_well_formed(scenario: Scenario) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", scenario.name)
    assert scenario.description.endswith(".")
    assert set(scenario.expected_first_causes) <= scenario.expected_findings
    assert scenario.excluded_causes <= CAUSES.keys() - set(scenario.expected_first_causes.values())
    assert scenario.expected_status in STATUSES
    assert scenario.expected_pull in ("works", "broken", "unproven")
    if scenario.expected_pull == "broken":
        assert scenario.expected_status == "fail"
    if scenario.expected_status == "inconclusive":
        assert scenario.expected_pull == "unproven"
    with VPC() as vpc:
        scenario.change(vpc)
        assert vpc.environ
        assert vpc.wire().resolvers()


def test_vpcs_share_no_state() -> None:
    with VPC() as first, VPC() as second:
        first.endpoints["ecr.api"].allowed_sources.clear()
        first.network.routes.nat = True
        assert second.endpoints["ecr.api"].allowed_sources
        assert not second.network.routes.nat
        assert not set(first.secrets) & set(second.secrets)

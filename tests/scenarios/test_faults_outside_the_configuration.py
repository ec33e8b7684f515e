"""Scenarios with a fault that no configuration shows, such as a firewall appliance: inspect alone confirms nothing."""

from __future__ import annotations

import pytest

from probe.demo import pull_role
from probe.sim.scenarios import SCENARIOS
from probe.sim.scenarios.scenario import Scenario
from probe.simulated_inspection import predicted, settled
from tests.scenarios.inspection import NOT_INSPECTED
from tests.scenarios.remedies import described

# What the configuration lacks as well, which the measurement does not show: packets to S3 have another way out, and a
# flag of the check names the endpoint's addresses, which ECS does not use.
ALSO_AT_FAULT = {
    "endpoint-dns-override": "dns.private-dns-disabled",
    "firewall-drops-s3": "endpoint.missing.s3",
    "s3-through-nat-allowed": "endpoint.missing.s3",
    "s3-through-nat-prefix-list": "endpoint.missing.s3",
    "s3-through-nat-no-controls": "endpoint.missing.s3",
}
UNSETTLED = [scenario for scenario in SCENARIOS if not scenario.settled and scenario.name not in NOT_INSPECTED]


@pytest.mark.parametrize("scenario", UNSETTLED, ids=lambda scenario: scenario.name)
def test_inspect_confirms_nothing_that_is_not_at_fault(scenario: Scenario) -> None:
    account, argv = described(scenario)
    verdict = predicted(account, *argv, role=pull_role(scenario))
    cause = ALSO_AT_FAULT.get(scenario.name)
    assert set(settled(verdict)) == ({cause} if cause else set())
    refusals = {gate.cause for gate in verdict.gates if gate.answer == "refuses" and gate.cause}
    assert refusals == ({cause} if cause else set())

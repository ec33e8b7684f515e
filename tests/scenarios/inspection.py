"""What `inspect` has to say about a scenario: the causes that its configuration confirms, each with its object."""

from __future__ import annotations

from probe.demo import pull_role
from probe.model import Verdict
from probe.sim.account import SimulatedAccount
from probe.sim.scenarios.scenario import Scenario
from probe.simulated_inspection import joined, settled

# The image is not in private ECR, so that nothing of the pull can be inspected.
NOT_INSPECTED = ("own-image-elsewhere", "own-image-ecr-public")


def the_configuration_confirms_the_cause(scenario: Scenario, verdict: Verdict, account: SimulatedAccount) -> None:
    """What was measured, joined with the configuration."""
    if scenario.name in NOT_INSPECTED:
        return
    found = joined(account, verdict, role=pull_role(scenario))
    assert settled(found) == scenario.settled

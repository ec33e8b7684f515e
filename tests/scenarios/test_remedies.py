"""The printed commands, run on the simulated account: the next inspection finds nothing more that refuses."""

from __future__ import annotations

import pytest

from probe.demo import pull_role
from probe.model import Status, Verdict
from probe.sim.scenarios.scenario import Scenario
from probe.simulated_inspection import predicted
from tests.scenarios.operator import run
from tests.scenarios.remedies import DESCRIBED, described, printed_commands

_MOST_ROUNDS = 2  # layers that leave by a NAT gateway are news only after all other traffic stays inside


@pytest.mark.parametrize("scenario", DESCRIBED, ids=lambda scenario: scenario.name)
def test_the_printed_commands_mend_the_configuration(scenario: Scenario) -> None:
    account, argv = described(scenario)
    verdict = predicted(account, *argv, role=pull_role(scenario))
    assert not _passes(verdict)
    for _ in range(_MOST_ROUNDS):
        if not _passes(verdict):
            run(account, printed_commands(verdict))
            verdict = predicted(account, *argv, role=pull_role(scenario))
    assert [(gate.endpoint, gate.gate, gate.sentence) for gate in verdict.gates if gate.answer == "refuses"] == []
    assert _passes(verdict)


def _passes(verdict: Verdict) -> bool:
    return verdict.status is Status.PASS

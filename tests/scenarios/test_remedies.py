"""The printed commands, run on the simulated account: the next inspection finds nothing more that refuses."""

from __future__ import annotations

import pytest

from probe.demo import pull_role
from probe.model import Standing, Status, Verdict
from probe.sim.account import SimulatedAccount
from probe.sim.configuration import account_of
from probe.sim.scenarios import SCENARIOS
from probe.sim.scenarios.scenario import Scenario
from probe.sim.vpc import VPC
from probe.simulated_inspection import predicted
from tests.scenarios.operator import run

# Scenarios whose remedy is no change of this configuration, by the reason.
_NO_CHANGE = {
    "the configuration alone does not decide, since it cannot be read what another DNS server answers": (
        *(scenario.name for scenario in SCENARIOS if scenario.name.startswith("custom-resolver")),
        "nameserver-and-s3-route",
    ),
    "the task that is inspected does not need the endpoint": (
        *(scenario.name for scenario in SCENARIOS if scenario.name.startswith("also-")),
        "legacy-hostname",
    ),
    "an instance pulls, and its path works": ("ec2-awsvpc-instances-only",),
    "the configuration of DNS64 is not predicted": ("dns64-without-route",),
    "the image itself is at fault": (
        *("repo-not-found", "repo-not-found-pull-through", "tag-not-found", "digest-not-found", "schema1-image"),
        *("helm-chart", "artifact", "proxy-and-tag", "repo-and-logs-endpoint", "fips-image-host"),
    ),
    "which record to write is not known, since the endpoint of the record is gone": ("stale-record",),
    "ECR alone makes the grants of a key": ("s3-kms-denied",),
    "no change is known for the layers of another Region": ("cross-region", "cross-region-s3-missing"),
}
_UNCHANGED = {name for names in _NO_CHANGE.values() for name in names}
DESCRIBED = [scenario for scenario in SCENARIOS if scenario.settled and scenario.name not in _UNCHANGED]
_MOST_ROUNDS = 2  # layers that leave by a NAT gateway are news only after all other traffic stays inside


def described(scenario: Scenario) -> tuple[SimulatedAccount, tuple[str, ...]]:
    """The account of a scenario, and what is inspected there."""
    with VPC() as vpc:
        scenario.change(vpc)
        account, task = account_of(vpc), vpc.task.arn
        image = vpc.task.image
    flags = list(scenario.arguments)
    image = flags[flags.index("--image") + 1] if "--image" in flags else image
    place = ("--task", task)
    return account, (*place, "--image", image)


def printed_commands(verdict: Verdict) -> list[str]:
    """Of the confirmed causes, each once, in order."""
    causes = [cause for finding in verdict.findings for cause in finding.causes if cause.standing is Standing.CONFIRMED]
    return list(dict.fromkeys(command for cause in causes for command in cause.fix.commands))


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

"""The commands that `inspect` prints for a scenario from the configuration alone."""

from __future__ import annotations

from probe.demo import pull_role
from probe.model import Standing, Verdict
from probe.sim.account import SimulatedAccount
from probe.sim.configuration import account_of
from probe.sim.scenarios import SCENARIOS
from probe.sim.scenarios.scenario import Scenario
from probe.sim.vpc import VPC
from probe.simulated_inspection import predicted

# Scenarios with a remedy that is no change of this configuration, by the reason.
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
        *(
            "helm-chart",
            "artifact",
            "no-matching-platform",
            "proxy-and-tag",
            "repo-and-logs-endpoint",
            "fips-image-host",
        ),
    ),
    "ECR alone makes the grants of a key": ("s3-kms-denied",),
    "no change is known for the layers of another Region": ("cross-region", "cross-region-s3-missing"),
}
_UNCHANGED = {name for names in _NO_CHANGE.values() for name in names}
DESCRIBED = [scenario for scenario in SCENARIOS if scenario.settled and scenario.name not in _UNCHANGED]


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


def all_printed_commands() -> set[str]:
    """Of every scenario that has a remedy."""
    found: set[str] = set()
    for scenario in DESCRIBED:
        account, argv = described(scenario)
        found |= set(printed_commands(predicted(account, *argv, role=pull_role(scenario))))
    return found

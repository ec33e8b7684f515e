"""What `inspect` finds in a scenario: the causes that its configuration confirms, each with its object, and
from the configuration alone what was measured.
"""

from __future__ import annotations

from collections.abc import Iterator

from probe.demo import pull_role
from probe.model import Action, AddressClass, Asker, Endpoint, Kind, NamesSeen, Outcome, Step, Verdict
from probe.sim.account import SimulatedAccount
from probe.sim.scenarios import AREAS
from probe.sim.scenarios.scenario import Scenario
from probe.simulated_inspection import joined, predicted, settled
from tests.report.screen import check_form

# The image is not in private ECR, so that nothing of the pull can be inspected.
NOT_INSPECTED = ("own-image-elsewhere", "own-image-ecr-public")
# Names and connections that are not predicted as they were measured, by the reason.
_OTHER_PATHS = {
    "what DNS servers of one's own answer cannot be read": (
        *("custom-resolver", "custom-resolver-nat", "custom-resolver-servfail", "custom-resolver-refuses"),
        *("custom-resolver-nxdomain", "custom-resolver-silent", "nameserver-and-s3-route"),
    ),
    "addresses that DNS64 makes are not predicted": ("dns64-with-route", "dns64-without-route"),
    "the address of a block page is in public DNS alone": ("dns-firewall-override", "dns-firewall-override-s3"),
    "the instance pulls, the task was measured": ("ec2-awsvpc-instances-only",),
}
# The same paths, and another status.
_OTHER_STATUS = {
    "the check holds another role than the one that pulls": (
        *("ecr-endpoint-policy", "ecr-endpoint-policy-dkr", "ecr-endpoint-policy-deny", "ecr-endpoint-policy-layers"),
        "iam-scp",
    ),
    "a flag of the check accepts it": ("all-through-nat-allowed", "logs-through-nat-allowed"),
    "the check makes another call than the log driver": ("logs-endpoint-policy",),
    "only its owner can read the policy of the repository": ("healthy-other-account",),
    "the instance pulls, the task was measured": ("agent-endpoints-missing-awsvpc",),
    "outside ECS the check does not know that the task logs": ("outside-ecs-logs-missing",),
    "the check pulls another platform to prove the path": ("no-matching-platform",),
    "the check pulls the tag, and ECS the digest that it pinned": ("pinned-digest-gone", "pinned-digest-archived"),
    "no configuration shows corrupted layers": ("nacl-and-corrupt-layer",),
}
_UNPREDICTED = {name for names in _OTHER_PATHS.values() for name in names}
_JUDGED_OTHERWISE = _UNPREDICTED | {name for names in _OTHER_STATUS.values() for name in names}


def the_configuration_confirms_the_cause(scenario: Scenario, verdict: Verdict, account: SimulatedAccount) -> None:
    """What was measured, joined with the configuration."""
    if scenario.name in NOT_INSPECTED:
        return
    found = joined(account, verdict, role=pull_role(scenario))
    assert settled(found) == scenario.settled
    check_form(found)


def the_prediction_is_what_was_measured(scenario: Scenario, verdict: Verdict, account: SimulatedAccount) -> None:
    """Of healthy scenarios, and of those with a cause in the configuration."""
    if not (scenario.settled or scenario in AREAS["Healthy"]):
        return
    (task,) = account.objects["ecs"]["tasks"]
    image = verdict.plan.image or ""
    place = ("--task", task["taskArn"], "--image", image, "--read-manifest")
    found = predicted(account, *place, role=pull_role(scenario))
    assert found.status is verdict.status or scenario.name in _JUDGED_OTHERWISE
    if scenario.name not in _UNPREDICTED:
        measured, foreseen = _paths(verdict), _paths(found)
        common = measured.keys() & foreseen.keys()
        assert {name: foreseen[name] for name in common} == {name: measured[name] for name in common}


def _paths(verdict: Verdict) -> dict[str, tuple[str, str]]:
    """Where each endpoint's name leads, and how many of its addresses are reached."""
    paths = {}
    for endpoint in verdict.plan.endpoints:
        steps = [step for step in verdict.steps if step.endpoint == endpoint.name]
        public = {each for step in steps for each in _answers(step, endpoint)}
        where = "nowhere" if not public else "public" if True in public else "private"
        # The last try of each address.
        tried = [step for step in steps if step.action is Action.TCP and step.outcome is not Outcome.SKIPPED]
        reached = {step.address: step.outcome is Outcome.OK for step in tried}.values()
        paths[endpoint.name] = (where, "all" if all(reached) else "some" if any(reached) else "none")
    return paths


def _answers(step: Step, endpoint: Endpoint) -> Iterator[bool]:
    """Whether each address that the first nameserver answers is public. Whose other global ones are is not known."""
    seen = step.seen
    if not isinstance(seen, NamesSeen) or step.outcome is not Outcome.OK:
        return
    outside = (AddressClass.PUBLIC, *([AddressClass.UNKNOWN] if endpoint.kind is Kind.GATEWAY else []))
    if (seen.asker, seen.order, seen.name) == (Asker.CONFIGURED, 0, endpoint.lookup):
        yield from (entry.address_class in outside for entry in seen.addresses)

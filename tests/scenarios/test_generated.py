"""Generated configurations: inspect confirms what was mutated, and predicts what a packet and a name find there."""

from __future__ import annotations

import pytest

from probe.model import Action, NamesSeen, Outcome, Standing, Status, Verdict
from probe.sim.configuration import account_of
from probe.sim.names import inside
from probe.sim.network import Treatment
from probe.sim.vpc import VPC
from probe.simulated_inspection import predicted, settled
from tests.scenarios.generated import EVERYTHING, generated

SEEDS = range(240)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_confirmed_was_mutated_and_what_is_predicted_happens(seed: int) -> None:
    case = generated(seed)
    with VPC() as vpc:
        case.change(vpc)
        account = account_of(vpc)
        verdict = predicted(account, "--task", vpc.task.arn)
        assert frozenset(settled(verdict)) == case.visible, case.name
        assert _confirmed(verdict) <= case.places(account), case.name
        assert (verdict.status is Status.PASS) is (not case.mutations), case.name
        walked = {name: _walked(vpc, verdict, name) for name in EVERYTHING}
        assert {name: _predicted(verdict, name) for name in EVERYTHING} == walked, case.name


def _confirmed(verdict: Verdict) -> set[tuple[str, str | None, str | None]]:
    """Causes with the object and element that are named."""
    return {
        (cause.code, cause.object, cause.element)
        for finding in verdict.findings
        for cause in finding.causes
        if cause.standing is Standing.CONFIRMED
    }


def _walked(vpc: VPC, verdict: Verdict, endpoint: str) -> tuple[str, str]:
    """Where the simulator's resolver leads, and how many of the addresses its network lets a packet reach."""
    planned = verdict.plan.endpoint(endpoint)
    assert planned is not None
    answer = vpc.resolver.answer(planned.lookup, "A")
    if not answer.addresses:
        return ("nowhere", "none")
    where = "private" if inside(answer.addresses[0], vpc.ranges) else "public"
    reached = [vpc.server_at(address, 443) not in (None, Treatment.DROP) for address in answer.addresses]
    return (where, _amount(reached))


def _predicted(verdict: Verdict, endpoint: str) -> tuple[str, str]:
    steps = [step for step in verdict.steps if step.endpoint == endpoint]
    lookups = [step for step in steps if step.action is Action.DNS]
    answers = [step.seen for step in lookups if step.outcome is Outcome.OK and isinstance(step.seen, NamesSeen)]
    addresses = [entry.address_class for seen in answers for entry in seen.addresses]
    if not addresses:
        return ("nowhere", "none")
    connections = [step.outcome is Outcome.OK for step in steps if step.action is Action.TCP]
    return ("private" if addresses[0] == "vpc" else "public", _amount(connections))


def _amount(reached: list[bool]) -> str:
    return "all" if all(reached) else "some" if any(reached) else "none"

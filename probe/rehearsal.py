"""What `demo --serve` measures: rounds in the simulated VPC, with faults that come and go under --drill.

The other user of the simulator in the program is `demo`, which runs a scenario once.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import chain, cycle, repeat
from typing import TYPE_CHECKING

from probe.config.settings import parse
from probe.model import Verdict
from probe.records import replace
from probe.serve.loop import Rounds
from probe.serve.options import LAYER_BYTES, thrifty
from probe.sim.vpc import VPC

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from probe.sim.scenarios import Scenario

PHASE = 5  # rounds of health, then as many of a fault
# For a drill without a scenario, one of each kind: dead, half-dead, past the endpoint, denied, blocked, throttled.
FAULTS = (
    "s3-gateway-missing",
    "nacl-one-zone",
    "private-dns-off-nat",
    "s3-endpoint-policy",
    "security-group",
    "throttled",
)


def phases(healthy: Scenario, faults: Sequence[Scenario], *, drill: bool) -> Iterator[Scenario]:
    """The scenario of each round, without end."""
    if not drill:
        return repeat(faults[0])
    pairs = chain.from_iterable((healthy, fault) for fault in cycle(faults))
    return chain.from_iterable(repeat(scenario, PHASE) for scenario in pairs)


class Stage:
    """A simulated VPC that is kept from round to round until the scenario changes. Runs one round at a time."""

    def __init__(
        self,
        scenarios: Iterator[Scenario],
        *,
        arguments: Sequence[str],
        variables: Mapping[str, str],
        deadline: float,
        layer_bytes: int = LAYER_BYTES,
    ) -> None:
        self._scenarios = scenarios
        self._arguments = arguments
        self._variables = variables
        self._deadline = deadline
        self._layer_bytes = layer_bytes
        self._scenario: Scenario | None = None
        self._vpc: VPC | None = None
        self._rounds: Rounds | None = None

    def measure(self, stop: threading.Event) -> Verdict:
        scenario = next(self._scenarios)
        if self._rounds is None or scenario is not self._scenario:
            self._rounds = self._change_to(scenario)
        return self._rounds.measure(stop)

    def close(self) -> None:
        if self._vpc is not None:
            self._vpc.close()

    def _change_to(self, scenario: Scenario) -> Rounds:
        self.close()
        self._scenario, self._vpc = scenario, VPC()
        scenario.change(self._vpc)
        environ = {**self._variables, **self._vpc.environ}
        settings = parse([*scenario.arguments, *self._arguments], environ)
        budget = thrifty(settings.budget, deadline=self._deadline, layer_bytes=self._layer_bytes)
        return Rounds(replace(settings, budget=budget), self._vpc.wire())

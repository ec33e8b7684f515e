"""All scenarios, by area. A scenario is data: a description, a change to the VPC, and the expected findings."""

from __future__ import annotations

from probe.sim.scenarios.access import CREDENTIALS, DENIALS
from probe.sim.scenarios.dns import DNS, RESOLVERS
from probe.sim.scenarios.healthy import HEALTHY
from probe.sim.scenarios.logs import LOGS
from probe.sim.scenarios.network import NETWORK, TLS
from probe.sim.scenarios.pairs import PAIRS
from probe.sim.scenarios.registry import LAYERS, REGISTRY
from probe.sim.scenarios.scenario import Scenario
from probe.sim.scenarios.task import TASK

AREAS: dict[str, tuple[Scenario, ...]] = {
    "Healthy": HEALTHY,
    "Private names": DNS,
    "DNS servers": RESOLVERS,
    "Network": NETWORK,
    "TLS": TLS,
    "Denied calls": DENIALS,
    "Registry": REGISTRY,
    "Layers": LAYERS,
    "Logs and agent": LOGS,
    "Credentials": CREDENTIALS,
    "Task": TASK,
    "Two faults": PAIRS,
}
SCENARIOS: tuple[Scenario, ...] = tuple(scenario for area in AREAS.values() for scenario in area)

__all__ = ["AREAS", "SCENARIOS", "Scenario"]

"""All scenarios, by area. A scenario is data: a description, a change to the VPC, and the expected findings."""

from __future__ import annotations

from probe.sim.scenarios.credentials import CREDENTIALS
from probe.sim.scenarios.denials import DENIALS
from probe.sim.scenarios.dns import DNS
from probe.sim.scenarios.healthy import HEALTHY
from probe.sim.scenarios.layers import LAYERS
from probe.sim.scenarios.logs import LOGS
from probe.sim.scenarios.network import NETWORK
from probe.sim.scenarios.pairs import PAIRS
from probe.sim.scenarios.registry import REGISTRY
from probe.sim.scenarios.resolvers import RESOLVERS
from probe.sim.scenarios.scenario import Scenario
from probe.sim.scenarios.task import TASK
from probe.sim.scenarios.tls import TLS

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

"""THE table of the laboratory: which fault of a real network tells which story of the simulated VPC.

What the probe has to say stands in the scenario, once: so the simulator and reality cannot drift apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from probe.demo import differences
from probe.model import Verdict
from probe.sim.scenarios import SCENARIOS
from probe.sim.scenarios.scenario import Scenario
from tests.lab import faults
from tests.lab.cloud import REGISTRY
from tests.lab.faults import Fault

FAKETIME = "/lab/libfaketime.so.1"
BOTH_CAS = "/lab/both.pem"
SMALL_IMAGE = f"{REGISTRY}/app:1"


@dataclass(frozen=True, slots=True)
class Story:
    """A scenario's name, the fault that tells it here, what the task is given beside, and what chance may add."""

    scenario: str
    fault: Fault
    variables: Mapping[str, str] = field(default_factory=dict)
    perhaps: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.scenario}-by-{self.fault.__name__}"

    def wrong(self, verdict: Verdict) -> list[str]:
        """What the verdict says otherwise than the scenario tells."""
        allowed = [f"{code} is too much" for code in self.perhaps]
        return [each for each in differences(self.told, verdict) if each not in allowed]

    @property
    def told(self) -> Scenario:
        (found,) = [each for each in SCENARIOS if each.name == self.scenario]
        return found


def clock(offset: str) -> dict[str, str]:
    """A wrong clock of the task alone, by libfaketime; waiting goes by the right one."""
    return {"LD_PRELOAD": FAKETIME, "FAKETIME": offset, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


def faketime_library() -> str:
    """Where Debian puts it. Raises LookupError."""
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    if not found:
        raise LookupError("libfaketime is not installed")
    return str(found[0])


STORIES = (
    Story("healthy", faults.nothing),
    Story("healthy", faults.packets_lost, {"ECR_PROBE_IMAGE": SMALL_IMAGE}, perhaps=("probe.retried",)),
    Story("healthy", faults.slow_link),
    Story("security-group", faults.endpoints_silent),
    Story("security-group", faults.answers_lost),
    Story("security-group-dkr", faults.registry_silent),
    Story("security-group-logs", faults.logs_silent),
    Story("task-egress-closed", faults.everything_silent),
    Story("nacl-one-zone", faults.zone_silent),
    Story("s3-gateway-missing", faults.layers_silent),
    Story("s3-egress", faults.layers_silent),
    Story("firewall-refuses", faults.layers_refused),
    Story("firewall-prohibits", faults.endpoints_prohibited),
    Story("mtu", faults.large_packets_lost),
    Story("transfer-reset", faults.layers_reset),
    Story("transfer-frozen", faults.layers_frozen),
    Story("transfer-trickles", faults.layers_trickle),
    Story("vpc-dns-support-off", faults.resolver_silent),
    Story("all-through-nat", faults.private_dns_off),
    Story("custom-resolver", faults.resolver_of_the_company),
    Story("custom-resolver-forwards", faults.resolver_that_forwards),
    Story("first-nameserver-dead", faults.first_resolver_dead),
    Story("tls-interception", faults.intercepted),
    Story("tls-interception-trusted", faults.intercepted, {"AWS_CA_BUNDLE": BOTH_CAS}),
    Story("proxy-variables", faults.nothing, {"HTTPS_PROXY": "http://proxy.example:3128"}),
    Story("clock-ten-minutes", faults.nothing, clock("-10m")),
    Story("clock-an-hour", faults.api_checks_signatures, clock("-1h")),
    Story("iam-token", faults.api_forbids),
)

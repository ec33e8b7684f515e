"""THE table of the laboratory: which fault of a real network tells which story of the simulated VPC.

What the probe has to say stands in the scenario, once: so the simulator and reality cannot drift apart.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from probe.config.settings import parse
from probe.model import Verdict
from probe.run import run
from probe.sim.scenarios import SCENARIOS
from probe.sim.scenarios.scenario import Scenario
from probe.sim.vpc import VPC
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
    perhaps: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        return f"{self.scenario}-by-{self.fault.__name__}"

    @property
    def told(self) -> Scenario:
        (found,) = [each for each in SCENARIOS if each.name == self.scenario]
        return found

    @property
    def fits(self) -> bool:
        """Whether it is told within the task's own size. Not behind libfaketime: with a quarter of a core
        names then take seconds, which they do not with a whole one, and some are told as silent."""
        return "LD_PRELOAD" not in self.variables

    def simulated(self) -> Verdict:
        """What the probe says of the scenario in the simulated VPC."""
        with VPC() as vpc:
            self.told.change(vpc)
            settings = parse(self.told.arguments, vpc.environ, started=time.monotonic())
            return run(settings, vpc.wire())

    def gist(self, verdict: Verdict) -> list[object]:
        """All of a verdict that must be the same in both worlds: everything but addresses, names and times."""
        findings = sorted(
            (
                (
                    one.code,
                    one.severity,
                    one.extent,
                    one.endpoints,
                    [(cause.code, cause.standing) for cause in one.causes],
                )
                for one in verdict.findings
                if one.code not in self.perhaps
            ),
            key=str,
        )
        return [verdict.status, verdict.pull, verdict.exit_code, *findings]


def clock(offset: str) -> dict[str, str]:
    """A wrong clock of the task alone, by libfaketime; waiting goes by the right one."""
    return {"LD_PRELOAD": FAKETIME, "FAKETIME": offset, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


def faketime_library() -> str:
    """Where Debian puts it. Raises LookupError."""
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    if not found:
        raise LookupError("libfaketime is not installed")
    return str(found[0])


# Lost packets may show as a second try, and keep a control from being tried to its end.
LOSS = frozenset({"probe.retried"})
STORIES = (
    Story("healthy", faults.nothing),
    Story("healthy", faults.answers_get_lost, {"ECR_PROBE_IMAGE": SMALL_IMAGE}, perhaps=LOSS),
    Story("healthy", faults.requests_get_lost, {"ECR_PROBE_IMAGE": SMALL_IMAGE}, perhaps=LOSS),
    Story("healthy", faults.slow_link),
    Story("security-group", faults.endpoints_silent),
    Story("security-group", faults.answers_lost),
    Story("security-group-dkr", faults.registry_silent),
    Story("security-group-logs", faults.logs_silent),
    Story("task-egress-closed", faults.everything_silent),
    Story("nacl-one-zone", faults.zone_silent),
    Story("s3-gateway-missing", faults.layers_silent),
    Story("firewall-refuses", faults.layers_refused),
    Story("firewall-prohibits", faults.endpoints_prohibited),
    Story("mtu", faults.large_packets_lost),
    Story("transfer-reset", faults.layers_reset),
    Story("transfer-frozen", faults.layers_frozen),
    Story("transfer-trickles", faults.layers_trickle),
    Story("vpc-dns-support-off", faults.resolver_silent),
    Story("vpc-dns-hostnames-off", faults.private_names_ignored),
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

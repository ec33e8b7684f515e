"""Faults of the real network give the built image the same verdict as their scenario in the simulator.

The expected verdict is in the scenario only, so the simulator and reality cannot drift apart.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest

from probe.config.settings import parse
from probe.model import LayerSeen, Verdict
from probe.report import FORMATS, Page
from probe.run import run
from probe.sim import images
from probe.sim.scenarios import SCENARIOS
from probe.sim.scenarios.scenario import Scenario
from probe.sim.vpc import VPC
from tests.lab import faults
from tests.lab.cloud import REGISTRY, Cloud
from tests.lab.containers import Task
from tests.lab.faults import Fault
from tests.lab.images import Layout

FAKETIME = "/lab/libfaketime.so.1"
BOTH_CAS = "/lab/both.pem"
SMALL_IMAGE = f"{REGISTRY}/app:1"


@dataclass(frozen=True, slots=True)
class Reproduction:
    """A scenario and a fault of the real network that reproduces it. Findings with a code in `optional` may occur."""

    scenario_name: str
    fault: Fault
    variables: Mapping[str, str] = field(default_factory=dict)
    optional: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        return f"{self.scenario_name}-by-{self.fault.__name__}"

    @property
    def scenario(self) -> Scenario:
        (scenario,) = [scenario for scenario in SCENARIOS if scenario.name == self.scenario_name]
        return scenario

    @property
    def limited(self) -> bool:
        """Whether the container has only the CPU and memory of the task.

        Not with libfaketime: on a quarter of a core it delays name lookups by seconds, so that some time out.
        """
        return "LD_PRELOAD" not in self.variables

    def simulated_verdict(self) -> Verdict:
        with VPC() as vpc:
            self.scenario.change(vpc)
            settings = parse(self.scenario.arguments, vpc.environ, started=time.monotonic())
            return run(settings, vpc.wire())

    def real_verdict(self, cloud: Cloud, task: Task) -> Verdict:
        """The verdict of the image while the fault lasts."""
        mounts = {FAKETIME: faketime_library(), BOTH_CAS: str(cloud.both_cas)}
        arguments = ("check", "--format", "json", *self.scenario.arguments)
        flags = task.size() if self.limited else ()
        with self.fault(cloud):
            ended = task.run(*arguments, variables=self.variables, mounts=mounts, flags=flags)
        assert ended.err == ""
        verdict = msgspec.json.decode(ended.out, type=Verdict)
        assert ended.code == verdict.exit_code
        return verdict

    def essence(self, verdict: Verdict) -> list[object]:
        """Everything of a verdict except addresses, names and times, which differ between the two worlds."""
        findings = sorted(
            (
                (
                    finding.code,
                    finding.severity,
                    finding.extent,
                    finding.endpoints,
                    [(cause.code, cause.standing) for cause in finding.causes],
                )
                for finding in verdict.findings
                if finding.code not in self.optional
            ),
            key=str,
        )
        return [verdict.status, verdict.pull, verdict.exit_code, *findings]


def clock(offset: str) -> dict[str, str]:
    """Variables of libfaketime that shift the task's clock; its monotonic clock stays right."""
    return {"LD_PRELOAD": FAKETIME, "FAKETIME": offset, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


def faketime_library() -> str:
    """The path of Debian's libfaketime. Raises LookupError."""
    paths = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    if not paths:
        raise LookupError("libfaketime is not installed")
    return str(paths[0])


# Lost packets can cause a retry, and can keep a control from completing.
LOSS = frozenset({"probe.retried"})
REPRODUCTIONS = (
    Reproduction("healthy", faults.nothing),
    Reproduction("healthy", faults.answers_get_lost, {"ECR_PROBE_IMAGE": SMALL_IMAGE}, optional=LOSS),
    Reproduction("healthy", faults.requests_get_lost, {"ECR_PROBE_IMAGE": SMALL_IMAGE}, optional=LOSS),
    Reproduction("healthy", faults.slow_link),
    Reproduction("helm-chart", faults.nothing, {"ECR_PROBE_IMAGE": f"{REGISTRY}/chart:1"}),
    Reproduction("artifact", faults.nothing, {"ECR_PROBE_IMAGE": f"{REGISTRY}/artifact:1"}),
    Reproduction("index-in-index", faults.nothing, {"ECR_PROBE_IMAGE": f"{REGISTRY}/nested:1"}),
    Reproduction("index-without-media-type", faults.nothing, {"ECR_PROBE_IMAGE": f"{REGISTRY}/typeless:1"}),
    Reproduction("schema1-image", faults.nothing, {"ECR_PROBE_IMAGE": f"{REGISTRY}/old:1"}),
    Reproduction("cross-region", faults.nothing),
    Reproduction("security-group", faults.endpoints_silent),
    Reproduction("security-group", faults.answers_lost),
    Reproduction("security-group-dkr", faults.registry_silent),
    Reproduction("security-group-logs", faults.logs_silent),
    Reproduction("task-egress-closed", faults.everything_silent),
    Reproduction("nacl-one-zone", faults.zone_silent),
    Reproduction("ipv6-security-group", faults.ipv6_silent),
    Reproduction("router-without-route", faults.router_without_route),
    Reproduction("firewall-unreachable", faults.endpoints_unreachable),
    Reproduction("s3-gateway-missing", faults.layers_silent),
    Reproduction("firewall-refuses", faults.layers_refused),
    Reproduction("firewall-prohibits", faults.endpoints_prohibited),
    Reproduction("mtu", faults.large_packets_lost),
    Reproduction("large-client-hello", faults.large_client_hellos_lost),
    Reproduction("refused-once", faults.first_connection_refused),
    Reproduction("transfer-reset-once", faults.layer_reset_once),
    Reproduction("transfer-reset", faults.layers_reset),
    Reproduction("transfer-frozen", faults.layers_frozen),
    Reproduction("transfer-trickles", faults.layers_trickle),
    Reproduction("vpc-dns-support-off", faults.resolver_silent),
    Reproduction("vpc-dns-hostnames-off", faults.private_names_ignored),
    Reproduction("all-through-nat", faults.private_dns_off),
    Reproduction("custom-resolver", faults.resolver_of_the_company),
    Reproduction("custom-resolver-forwards", faults.resolver_that_forwards),
    Reproduction("servfail-once", faults.first_lookups_fail),
    Reproduction("first-nameserver-dead", faults.first_resolver_dead),
    Reproduction("dns-firewall-s3", faults.layers_blocked_by_dns),
    Reproduction("dns-firewall-override", faults.registry_overridden_by_dns),
    Reproduction("resolver-rule-public", faults.registry_forwarded_to_public_dns),
    Reproduction("base-resolver-silent", faults.base_resolver_silent),
    Reproduction("dns-over-tcp-closed", faults.answers_need_tcp),
    Reproduction("tls-interception", faults.intercepted),
    Reproduction("tls-interception-trusted", faults.intercepted, {"AWS_CA_BUNDLE": BOTH_CAS}),
    Reproduction("proxy-variables", faults.nothing, {"HTTPS_PROXY": "http://proxy.example:3128"}),
    Reproduction("fips-variable", faults.nothing, {"AWS_USE_FIPS_ENDPOINT": "true"}),
    Reproduction("clock-ten-minutes", faults.nothing, clock("-10m")),
    Reproduction("clock-an-hour", faults.api_checks_signatures, clock("-1h")),
    Reproduction("iam-token", faults.api_forbids),
)


UPLOADS = {
    "chart:1": images.helm_chart(),
    "artifact:1": images.artifact(),
    "nested:1": images.nested_index(),
    "typeless:1": images.typeless_index(),
}


@pytest.fixture(scope="module")
def uploaded(cloud: Cloud, image: Layout) -> None:
    """What is stored like an image, and an image in the old format of schema 1, in the registry."""
    for reference, upload in UPLOADS.items():
        cloud.upload(upload, reference)
    cloud.push(f"oci:{image.folder}", "old:1", "--format", "v2s1")


@pytest.mark.usefixtures("uploaded")
@pytest.mark.parametrize("reproduction", REPRODUCTIONS, ids=lambda reproduction: reproduction.name)
def test_a_fault_of_the_network_gives_the_verdict_of_its_scenario(
    cloud: Cloud, task: Task, image: Layout, reproduction: Reproduction
) -> None:
    assert SMALL_IMAGE.endswith(f"/{image.reference}")  # the fixture pushed it into the registry
    real, simulated = reproduction.real_verdict(cloud, task), reproduction.simulated_verdict()
    # pytest shows them if the test fails: a fault that occurs once leaves no other trace.
    for verdict in (real, simulated):
        print(FORMATS["text"].render(verdict, Page(verbose=True)))
    assert reproduction.essence(real) == reproduction.essence(simulated)


def test_a_slow_link_is_measured_as_slow(cloud: Cloud, task: Task) -> None:
    slow, fast = (
        Reproduction("healthy", fault).real_verdict(cloud, task) for fault in (faults.slow_link, faults.nothing)
    )
    limit = 100e6 / 8
    assert max(_speeds(slow)) < 1.05 * limit
    assert max(_speeds(fast)) > 2 * limit


def _speeds(verdict: Verdict) -> list[float]:
    """The speed in bytes per second of every layer that was large enough to measure it."""
    layers = [step.seen for step in verdict.steps if isinstance(step.seen, LayerSeen) and step.seen.what == "layer"]
    return [layer.bytes_per_second for layer in layers if layer.bytes_per_second]

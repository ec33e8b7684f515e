"""`ecr-probe check` of the working tree in a real network: what it measures and how long it takes.

test_scenarios.py compares its findings for every fault with the simulator's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec
import pytest

from probe.model import Failure, JudgedFinding, Outcome, Pull, Severity, Status, Verdict
from tests.lab import faults
from tests.lab.cloud import REGISTRY, Cloud
from tests.lab.images import Layout

CONNECT = 3.0  # seconds, the default of --connect-timeout
# The eight addresses of a silent network are tried concurrently: one after the other they would take 24 seconds.
AT_ONCE = 4 * CONNECT
INTERFACE = ("ecr.api", "ecr.dkr", "logs")


@dataclass(frozen=True, slots=True)
class Checked:
    verdict: Verdict
    seconds: float  # of the whole process

    @property
    def problems(self) -> list[JudgedFinding]:
        """Errors and warnings."""
        return [finding for finding in self.verdict.findings if finding.severity is not Severity.INFO]

    def only(self, code: str) -> JudgedFinding:
        """The only error or warning, which has this code."""
        assert [finding.code for finding in self.problems] == [code]
        return self.problems[0]


Check = Callable[..., Checked]


@pytest.fixture
def check(cloud: Cloud, image: Layout) -> Check:
    def run(*more: str) -> Checked:
        arguments = ("--image", f"{REGISTRY}/{image.reference}", "--vpc-cidr", "10.0.0.0/16", "--also", "logs")
        ended = cloud.probe("check", "--format", "json", *arguments, "--ca-bundle", str(cloud.ca_bundle), *more)
        verdict = msgspec.json.decode(ended.out, type=Verdict)
        assert (ended.code, ended.err) == (verdict.exit_code, "")
        return Checked(verdict, ended.seconds)

    return run


def test_a_healthy_network_passes(check: Check) -> None:
    checked = check("--layers", "all")
    assert checked.problems == []
    assert (checked.verdict.status, checked.verdict.pull) == (Status.PASS, Pull.WORKS)
    assert {step.outcome for step in checked.verdict.steps} <= {Outcome.OK, Outcome.SKIPPED}
    endpoints = [endpoint for endpoint in checked.verdict.endpoints if endpoint.name in INTERFACE]
    counts = {endpoint.name: (endpoint.resolved, endpoint.reached) for endpoint in endpoints}
    assert counts == dict.fromkeys(INTERFACE, (2, 2))
    assert checked.verdict.identity.source == "env"


def test_a_closed_security_group_is_one_finding_within_the_connect_timeout(cloud: Cloud, check: Check) -> None:
    with faults.endpoints_silent(cloud):
        checked = check()
    assert checked.verdict.status is Status.FAIL
    assert checked.only("tcp.silent").endpoints == INTERFACE
    assert checked.seconds < AT_ONCE


def test_an_interceptor_is_identified_by_its_certificate(cloud: Cloud, check: Check) -> None:
    with faults.intercepted(cloud):
        checked = check()
    assert checked.verdict.status is Status.FAIL
    finding = checked.only("tls.interception")
    assert finding.endpoints == ("ecr.api", "ecr.dkr", "s3", "logs")
    assert "Corporate Proxy Inc" in finding.why + finding.title + str(finding.values)


def test_an_mtu_black_hole_stalls_the_handshake(cloud: Cloud, check: Check) -> None:
    with faults.large_packets_lost(cloud):
        checked = check()
    assert checked.verdict.status is Status.FAIL
    assert checked.only("tls.silent").causes[0].code == "path.mtu"
    assert checked.seconds < AT_ONCE  # the handshake's limit is the connection's


def test_the_process_ends_at_the_deadline_while_a_layer_trickles(cloud: Cloud, check: Check) -> None:
    with faults.layers_trickle(cloud):
        checked = check("--deadline", "5", "--layers", "all")
    assert 4.5 < checked.seconds < AT_ONCE  # the layer would trickle for an hour
    assert checked.verdict.pull is Pull.UNPROVEN
    cut = [step for step in checked.verdict.steps if step.failure is Failure.DEADLINE]
    assert {step.id.rsplit("/", 1)[0] for step in cut} == {"s3/layer"}

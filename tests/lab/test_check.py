"""`ecr-probe check` from the working tree in a real network: its facts and its times. What it says of each fault is in
test_stories.py.
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
INTERFACE = ("ecr.api", "ecr.dkr", "logs")


@dataclass(frozen=True, slots=True)
class Checked:
    verdict: Verdict
    seconds: float  # of the whole process

    @property
    def grave(self) -> list[JudgedFinding]:
        """Errors and warnings."""
        return [one for one in self.verdict.findings if one.severity is not Severity.INFO]

    def only(self, code: str) -> JudgedFinding:
        """The one error or warning there is."""
        assert [one.code for one in self.grave] == [code]
        return self.grave[0]


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
    assert checked.grave == []
    assert (checked.verdict.status, checked.verdict.pull) == (Status.PASS, Pull.WORKS)
    assert {step.outcome for step in checked.verdict.steps} <= {Outcome.OK, Outcome.SKIPPED}
    reached = {one.name: (one.resolved, one.reached) for one in checked.verdict.endpoints if one.name in INTERFACE}
    assert reached == dict.fromkeys(INTERFACE, (2, 2))
    assert checked.verdict.identity.source == "env"


def test_a_closed_security_group_is_one_finding_within_the_connect_timeout(cloud: Cloud, check: Check) -> None:
    with faults.endpoints_silent(cloud):
        checked = check()
    assert checked.verdict.status is Status.FAIL
    assert checked.only("tcp.silent").endpoints == INTERFACE
    assert checked.seconds < CONNECT + 1.5


def test_an_interceptor_is_named_by_its_certificate(cloud: Cloud, check: Check) -> None:
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
    assert checked.seconds < CONNECT + 1.5  # the handshake's limit is the connection's


def test_the_process_is_gone_at_the_deadline_whatever_trickles(cloud: Cloud, check: Check) -> None:
    with faults.layers_trickle(cloud):
        checked = check("--deadline", "5", "--layers", "all")
    assert 4.5 < checked.seconds < 5.5
    assert checked.verdict.pull is Pull.UNPROVEN
    cut = [step for step in checked.verdict.steps if step.failure is Failure.DEADLINE]
    assert {step.id.rsplit("/", 1)[0] for step in cut} == {"s3/layer"}

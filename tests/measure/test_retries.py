"""Connections that are ended once work at the next try, in a check and in the sidecar's rounds."""

from __future__ import annotations

import threading
import time

import pytest

from probe.config.settings import parse
from probe.model import Failure, Step
from probe.records import replace
from probe.run import run
from probe.serve.options import thrifty
from probe.sim import changes
from probe.sim.http import Damage
from probe.sim.servers import ClosedPort, ResetOnClientHello
from probe.sim.vpc import VPC
from tests.measure.simulated_run import steps

ENDED_ONCE = {
    "the SYN is answered with a reset": (
        changes.connection_treated("ecr.dkr", ClosedPort()),
        "ecr.dkr/tcp/",
        Failure.REFUSED,
    ),
    "reset in the handshake": (
        changes.connection_treated("s3", ResetOnClientHello()),
        "s3/tls/",
        Failure.TLS_RESET,
    ),
    "closed in the handshake": (
        changes.connection_treated("s3", ResetOnClientHello(with_fin=True)),
        "s3/tls/",
        Failure.TLS_RESET,
    ),
    "the connection of a request is reset": (
        changes.connection_treated("ecr.api", ResetOnClientHello(), number=3),
        "ecr.api/token/",
        Failure.TLS_RESET,
    ),
    "a layer is cut": (changes.damaged_bodies("s3", Damage.CUT, times=1), "s3/layer/", Failure.TRUNCATED),
}


@pytest.mark.parametrize(("change", "prefix", "failure"), ENDED_ONCE.values(), ids=ENDED_ONCE)
def test_a_connection_that_is_ended_once_is_tried_once_more(
    change: changes.Change, prefix: str, failure: Failure
) -> None:
    measured = steps(change)
    (failed,) = [step for step in measured.values() if step.failed]
    assert (failed.id.startswith(prefix), failed.failure) == (True, failure)
    assert measured[f"{failed.id}#2"].ok


def test_a_connection_that_is_always_reset_is_tried_twice() -> None:
    measured = steps(changes.middlebox("s3", behaviour=ResetOnClientHello()))
    tried: dict[str | None, list[Step]] = {}
    for step in measured.values():
        if step.failed:
            tried.setdefault(step.address, []).append(step)
    assert [[step.attempt for step in attempts] for attempts in tried.values()] == [[1, 2], [1, 2]]


def test_a_stop_ends_the_wait_for_the_second_try() -> None:
    stop = threading.Event()
    threading.Timer(0.5, stop.set).start()
    began = time.monotonic()
    measured = steps(changes.middlebox("ecr.dkr", behaviour=ClosedPort()), stop=stop)
    assert time.monotonic() - began < 30
    assert not [name for name in measured if name.startswith("ecr.dkr/tcp/") and "#" in name]


def test_a_round_of_the_sidecar_tries_once_more_too() -> None:
    with VPC() as vpc:
        changes.connection_treated("ecr.api", ResetOnClientHello())(vpc)
        settings = parse([], vpc.environ, started=time.monotonic())
        settings = replace(settings, budget=thrifty(settings.budget, deadline=30.0))
        verdict = run(settings, vpc.wire())
    assert {finding.code for finding in verdict.findings} >= {"probe.retried"}
    assert (verdict.status, verdict.plan.budget.retries) == ("pass", 0)

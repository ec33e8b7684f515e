"""The control handshake with a large ClientHello."""

from __future__ import annotations

from importlib import import_module

import pytest

from probe.model import Action, Failure, LargeHelloSeen, Outcome, Step
from probe.sim import changes
from probe.sim.servers import LargeHelloFilter
from probe.wire import Wire
from tests.measure.simulated_run import steps


def controls(steps_by_id: dict[str, Step]) -> dict[str, Step]:
    return {step.endpoint: step for step in steps_by_id.values() if step.large_hello}


def test_each_host_of_the_pull_is_sent_one_at_the_address_that_carries_its_requests() -> None:
    measured = steps(changes.no_change, controls=True)
    sent = controls(measured)
    assert {name: step.address for name, step in sent.items()} == {
        "ecr.api": "10.0.1.10",
        "ecr.dkr": "10.0.1.11",
        "s3": "52.216.1.8",
    }
    for step in sent.values():
        assert measured[step.on or ""].action is Action.TLS
        assert step.seen == LargeHelloSeen(address=step.address or "", hello_bytes=1800, answer="ServerHello")


def test_none_is_sent_without_controls() -> None:
    assert controls(steps(changes.no_change)) == {}


def test_none_is_sent_where_the_usual_handshake_fails() -> None:
    assert set(controls(steps(changes.middlebox("s3", issuer="Example Corp"), controls=True))) == {"ecr.api", "ecr.dkr"}


def test_a_filter_that_drops_large_hellos_is_found_and_stops_nothing_else() -> None:
    measured = steps(changes.middlebox("s3", behaviour=LargeHelloFilter), controls=True)
    assert [step.id for step in measured.values() if step.failed] == [
        f"s3/control/large-client-hello{attempt}" for attempt in ("", "#2")
    ]
    assert measured["s3/control/large-client-hello#2"].failure is Failure.TLS_STALL


def test_a_bug_in_it_is_the_failure_of_its_step(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_wire: Wire, _host: str) -> bytes:
        raise IndexError("a ClientHello in a form that nobody expected")

    monkeypatch.setattr(import_module("probe.measure.reach"), "large_hello", fail)
    failed = [step for step in steps(changes.no_change, controls=True).values() if step.outcome is Outcome.FAILED]
    assert {(step.action, step.failure) for step in failed} == {(Action.CONTROL, Failure.BUG)}

"""A process that is short of descriptors, memory or threads proves nothing, and accuses nothing in the network."""

from __future__ import annotations

import errno
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from probe.config.settings import parse
from probe.crash import broken
from probe.measure.recorder import Recorder, Target, spawn
from probe.model import Action, Failure, Nothing
from probe.records import replace
from probe.serve.loop import Rounds
from probe.shortage import is_shortage
from probe.sim import changes
from probe.sim.vpc import VPC
from probe.wire import real_wire
from probe.wire.certificates import handshake
from probe.wire.errors import WireError
from probe.wire.sockets import connect, has_route
from tests.measure.simulated_run import steps

IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/app:1.0"
NO_DESCRIPTOR = OSError(errno.EMFILE, os.strerror(errno.EMFILE))


@pytest.mark.skipif(sys.platform != "linux", reason="limits as on Linux")
@pytest.mark.parametrize(
    ("kind", "numbers"), [("descriptors", "0 1 2 3 4 5 6 8 10 12 200"), ("threads", "0 1 2 3 5 8 12 16 20 100")]
)
def test_a_process_that_is_short_of_something_accuses_nobody(kind: str, numbers: str) -> None:
    command = [sys.executable, "-m", "tests.measure.short_process", kind, *numbers.split()]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    assert ended.stderr == ""
    *short, enough = [json.loads(line) for line in ended.stdout.splitlines()]
    assert len(short) + 1 == len(numbers.split())
    assert enough[1:] == ["pass", "works", []]
    assert short[0][1:] == ["inconclusive", "unproven", ["probe.no-resources"]]
    for _, status, pull, errors in short:
        assert (status, errors) in (("pass", []), ("inconclusive", ["probe.no-resources"]))
        assert pull == "works" or status == "inconclusive"


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS])
def test_a_refused_socket_is_no_fault_of_the_network(number: int) -> None:
    def refuse(*_: object) -> socket.socket:
        raise OSError(number, os.strerror(number))

    measured = steps(changes.no_change, "--image", IMAGE, through=lambda wire: replace(wire, dial=refuse))
    assert {step.failure for step in measured.values() if step.failed} == {Failure.NO_RESOURCES}


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("can't start new thread"), NO_DESCRIPTOR], ids=lambda error: str(error)
)
def test_an_unexpected_shortage_is_no_bug(error: Exception) -> None:
    def call() -> tuple[Nothing, None]:
        raise error

    step = Recorder().attempt(Target("task", Action.ENVIRONMENT, "x"), call).step
    assert step.failure is Failure.NO_RESOURCES


@pytest.mark.parametrize("error", [RuntimeError("dictionary changed size during iteration"), OSError(errno.ENOENT, "")])
def test_other_errors_are_no_shortage(error: Exception) -> None:
    assert not is_shortage(error)


def test_a_thread_that_cannot_start_is_the_failure_of_its_work(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    error = spawn(lambda: None).exception()
    assert isinstance(error, WireError)
    assert error.failure is Failure.NO_RESOURCES
    assert is_shortage(error)


def test_a_run_without_a_thread_has_a_verdict_of_its_own() -> None:
    settings = parse(["--image", IMAGE], {}, started=0.0)
    verdict = broken(settings, RuntimeError("can't start new thread"), began=datetime.now(UTC))
    assert ([finding.code for finding in verdict.findings], verdict.exit_code) == (["probe.no-resources"], 3)


def test_no_route_is_not_concluded_from_a_missing_descriptor() -> None:
    def refuse(_address: str, _port: int) -> socket.socket:
        raise NO_DESCRIPTOR

    with VPC() as vpc, pytest.raises(WireError) as caught:
        has_route(replace(vpc.wire(), datagram=refuse), "10.0.1.10")
    assert caught.value.failure is Failure.NO_RESOURCES


def refuse_files(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise NO_DESCRIPTOR

    monkeypatch.setattr("builtins.open", refuse)


def test_a_trust_store_that_cannot_be_opened_is_not_taken_for_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    wire = real_wire(None)
    refuse_files(monkeypatch)
    with pytest.raises(OSError, match=os.strerror(errno.EMFILE)):
        wire.trust()
    with pytest.raises(OSError, match=os.strerror(errno.EMFILE)):
        wire.resolvers()


def test_a_certificate_is_not_called_untrusted_without_a_descriptor(monkeypatch: pytest.MonkeyPatch) -> None:
    with VPC() as vpc:
        context = ssl.create_default_context()
        wire, until = replace(vpc.wire(), trust=lambda: context), time.monotonic() + 60
        sock = connect(wire, vpc.endpoints["ecr.api"].addresses[0], 443, timeout=60, until=until)
        refuse_files(monkeypatch)
        with pytest.raises(WireError) as caught:
            handshake(wire, sock, "api.ecr.us-east-1.amazonaws.com", timeout=60, until=until)
    assert caught.value.failure is Failure.NO_RESOURCES


def test_the_sidecar_recovers_when_descriptors_are_back() -> None:
    with VPC() as vpc:
        rounds = Rounds(parse([], vpc.environ, started=time.monotonic()), vpc.wire())
        vpc.descriptors_left = False
        short = rounds.measure(threading.Event())
        vpc.descriptors_left = True
        healthy = rounds.measure(threading.Event())
    assert (short.status, healthy.status) == ("inconclusive", "pass")

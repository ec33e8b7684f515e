"""The cost of a round, counted by the simulated services: calls, which have quotas, and bytes, which are billed."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import repeat
from math import ceil
from pathlib import Path

import pytest

from probe import demo
from probe.demo import all_scenarios, scenario_named
from probe.model import Budget, LayerSeen, Verdict
from probe.records import replace
from probe.rehearsal import Stage
from probe.serve.options import LAYER_BYTES, read, thrifty
from probe.sim import images
from probe.sim.changes import Change, all_of, inject_reply, pushed_image
from probe.sim.cloud import TAG
from probe.sim.http import Reply, Request
from probe.sim.scenarios.scenario import Scenario
from probe.sim.services import EntryPoint, Service
from probe.sim.vpc import VPC

SIDECAR = Path(__file__).parents[2] / "docs/sidecar.md"
MIB = 1024 * 1024
LARGE = images.index(sizes=(3 * MIB, 2 * MIB))  # its smallest layer is twice what a round may read
QUICK = ("--connect-timeout", "1.5")


class Books:
    """The requests to AWS's services, and the bytes of layers that they sent."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.layer_bytes = 0

    def of(self, change: Change) -> Change:
        def changed(vpc: VPC) -> None:
            change(vpc)
            cloud = vpc.cloud
            for service in (cloud.api, cloud.registry, cloud.layers, cloud.logs):
                self._watch(service, layers=service is cloud.layers)

        return changed

    def of_packets(self, vpc: VPC) -> None:
        dial, datagram = vpc.dial, vpc.datagram

        def dialling(address: str, port: int, timeout: float) -> socket.socket:
            self.lines.append(f"reached {address}")
            return dial(address, port, timeout)

        def asking(address: str, port: int) -> socket.socket:
            self.lines.append(f"asked {address}")
            return datagram(address, port)

        vpc.dial, vpc.datagram = dialling, asking  # type: ignore[method-assign]

    def _watch(self, service: Service, *, layers: bool) -> None:
        answer = service.reply

        def reply(request: Request, entry: EntryPoint) -> Reply:
            response = answer(request, entry)
            target = request.headers.get("x-amz-target", "").rpartition(".")[2]
            self.lines.append(f"{request.method} {request.path.partition('?')[0]} {target}".strip())
            if layers and response.status < 300:
                self.layer_bytes += len(response.body)
            return response

        service.reply = reply  # type: ignore[method-assign]

    def count(self, word: str) -> int:
        return sum(word in line for line in self.lines)


@contextmanager
def stage(scenario: Scenario) -> Iterator[Stage]:
    simulated = Stage(repeat(scenario), arguments=QUICK, variables={}, deadline=20)
    try:
        yield simulated
    finally:
        simulated.close()


def measured(name: str, books: Books, change: Change | None = None) -> Verdict:
    scenario = scenario_named(name, all_scenarios())
    changes = scenario.change if change is None else all_of(scenario.change, change)
    with stage(replace(scenario, change=books.of(changes))) as simulated:
        return simulated.measure(threading.Event())


def received(verdict: Verdict, what: str = "layer") -> int:
    layers = [step.seen for step in verdict.steps if isinstance(step.seen, LayerSeen)]
    return sum(layer.received for layer in layers if layer.what == what)


@pytest.mark.parametrize(
    "name",
    [
        "throttled",
        "throttled-once",
        "throttled-manifest",
        "s3-endpoint-policy",
        "nacl-one-zone",
        "private-dns-off-nat",
        "s3-gateway-missing",
    ],
)
def test_calls_of_a_round(name: str) -> None:
    books = Books()
    measured(name, books)
    assert books.count("GetAuthorizationToken") <= 1
    assert books.count("/manifests/") <= 3
    assert len(books.lines) <= 11


def test_a_healthy_round_makes_the_calls_that_its_page_counts() -> None:
    books = Books()
    verdict = measured("healthy", books)
    assert verdict.status == "pass"
    assert books.count("GetAuthorizationToken") == 1
    assert books.count("/manifests/") == 3
    assert books.count("/blobs/") == 2
    assert books.count("Log") == 1
    assert len(books.lines) <= 11
    rounds = round(30 * 24 * 3600 / read([]).interval)
    stated = " ".join(SIDECAR.read_text().split())
    assert f"{rounds:,} rounds: {rounds:,} token calls, {3 * rounds:,} manifest requests, {2 * rounds:,} blob" in stated
    assert f"at most {ceil(rounds * LAYER_BYTES / 1024**3)} GiB of layers" in stated


@pytest.mark.parametrize("status", [429, 500, 503])
@pytest.mark.parametrize(("service", "at"), [("ecr.api", ""), ("ecr.dkr", "/blobs/"), ("s3", "")])
def test_a_round_does_not_retry(service: str, at: str, status: int) -> None:
    """The next round is the retry."""
    books = Books()
    measured("healthy", books, inject_reply(service, Reply(status), at=at))
    assert sorted(books.lines) == sorted(set(books.lines)), "nothing is asked for twice"


def test_a_mebibyte_of_a_large_layer_is_read() -> None:
    books = Books()
    verdict = measured("healthy", books, pushed_image(LARGE, TAG))
    assert verdict.pull == "works"
    assert 0 < received(verdict) <= LAYER_BYTES == MIB
    assert books.layer_bytes <= MIB + 64 * 1024, "and no more is asked for"
    assert "layers.ranged" in {finding.code for finding in verdict.findings}, "and a finding reports it"


@pytest.mark.parametrize("source", ["typed", "variable", "neither"])
def test_an_explicit_limit_is_kept(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if source == "variable":
        monkeypatch.setenv("ECR_PROBE_LAYER_BYTES", "3MiB")
    wanted = demo.read(["--serve", *(["--layer-bytes", "3MiB"] if source == "typed" else []), *QUICK])
    books, healthy = Books(), wanted.scenarios[0]
    large = replace(healthy, change=books.of(all_of(healthy.change, pushed_image(LARGE, TAG))))
    with closing(demo.stage(replace(wanted, scenarios=(large,)))) as stage:
        verdict = stage.measure(threading.Event())
    assert (received(verdict) > 2 * MIB) is (source != "neither")


def test_a_small_layer_is_read_whole() -> None:
    books = Books()
    verdict = measured("healthy", books)
    assert received(verdict) == books.layer_bytes - received(verdict, "config") < MIB


def test_each_round_has_new_connections_and_credentials() -> None:
    """Names are resolved, connections opened and credentials read again."""
    books = Books()
    healthy = scenario_named("healthy", all_scenarios())
    with stage(replace(healthy, change=all_of(books.of(healthy.change), books.of_packets))) as simulated:
        rounds = []
        for _ in range(3):
            simulated.measure(threading.Event())
            rounds.append(set(books.lines))  # a set: on a busy machine a round may repeat a query
            books.lines.clear()
    assert rounds[0] == rounds[1] == rounds[2]
    for begun in ("POST /", "asked 10.0.0.2", "reached 10.0.1.10", "reached 169.254.170.2"):
        assert any(line.startswith(begun) for line in rounds[0]), begun


def test_a_cut_round_makes_no_further_calls() -> None:
    stop = threading.Event()
    stop.set()
    books = Books()
    healthy = scenario_named("healthy", all_scenarios())
    with stage(replace(healthy, change=books.of(healthy.change))) as simulated:
        simulated.measure(stop)
    assert books.count("/manifests/") == 0


def test_in_short_rounds_a_silent_address_is_reported_as_a_timeout() -> None:
    usual, changed = Budget(), Budget(deadline=5.0, connect=3.0)
    assert thrifty(usual, deadline=6.0).connect == 2.0
    assert thrifty(usual, deadline=60.0).connect == usual.connect
    assert thrifty(changed, deadline=changed.deadline).connect == 3.0

"""`serve` in the built image, as the sidecar's task definition says, watched by a real Prometheus with our rules.

Rounds come every two seconds, so a minute of the rules is two seconds too.
"""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.deployment.definitions import filled
from tests.lab import faults, servers
from tests.lab.cloud import ROOT, TASK, Cloud
from tests.lab.containers import Task, new_name
from tests.lab.daemons import Daemon
from tests.lab.network import ENVIRONMENT
from tests.report.promtool import assert_promtool_likes

PATIENCE = 20.0
SOON = 5.0  # seconds from SIGTERM to the end
ROUND = 2  # seconds
BROKEN = "EcrPullPathBroken"
PORT, ITS_PORT = 9879, 9090  # the sidecar's, by its task definition, and Prometheus'
QUICK = {"ECR_PROBE_INTERVAL": str(ROUND), "ECR_PROBE_DEADLINE": "10", "ECR_PROBE_CONNECT_TIMEOUT": "0.5"}


def wait_for(wanted: object, told: Callable[[], object]) -> None:
    until = time.monotonic() + PATIENCE
    while (last := told()) != wanted:
        assert time.monotonic() < until, f"still {last}"
        time.sleep(0.1)


@dataclass(frozen=True, slots=True)
class Sidecar:
    """A container that serves."""

    cloud: Cloud
    task: Task  # whose container it is
    port: int
    name: str
    process: subprocess.Popen[bytes]

    def get(self, path: str) -> str:
        """What it answers to whoever asks from the company's side of the network."""
        return self.cloud.company.run("curl", "-sS", "--fail", "--max-time", "5", f"http://{TASK}:{self.port}{path}")

    def healthy(self) -> bool:
        """By the command that ECS runs for the definition's health check."""
        kind, *command = self.task.container["healthCheck"]["command"]
        assert kind == "CMD"
        return self.task.engine.run("podman", "exec", self.name, *command) == "healthy\n"

    def ready(self) -> bool:
        try:
            return self.get("/-/ready") == "ready\n"
        except RuntimeError:
            return False


@contextmanager
def serving(cloud: Cloud, task: Task, *, port: int = PORT) -> Iterator[Sidecar]:
    name = new_name()
    sidecar = replace(task, definition=filled("fargate-sidecar"))
    variables = {**QUICK, "ECR_PROBE_LISTEN": f"0.0.0.0:{port}"}
    command = sidecar.command(variables=variables, flags=sidecar.size(), name=name)
    log = (cloud.folder / f"{name}.log").open("wb")
    with log, subprocess.Popen(command, stdout=log, stderr=log, env=task.engine.environment) as process:
        try:
            found = Sidecar(cloud, sidecar, port, name, process)
            wait_for(True, found.ready)
            yield found
        finally:
            process.terminate()
            try:
                process.wait(SOON)
            except subprocess.TimeoutExpired:
                process.kill()


WELL: tuple[object, ...] = (1.0, set(), None)


class Watched:
    """A sidecar, and the Prometheus that scrapes it."""

    def __init__(self, sidecar: Sidecar, server: Daemon) -> None:
        self.sidecar, self._server = sidecar, server

    def ready(self) -> bool:
        """Whether Prometheus answers queries: it listens before it has read its storage."""
        try:
            self._ask("/-/ready")
        except RuntimeError:
            return False
        return True

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The series of an instant query, as Prometheus' API tells them."""
        answer = json.loads(self._ask("/api/v1/query", "--data-urlencode", f"query={expression}"))
        assert answer["status"] == "success"
        return list(answer["data"]["result"])

    def _ask(self, path: str, *more: str) -> str:
        url = f"http://{self._server.host.addresses[0]}:{ITS_PORT}{path}"
        return self._server.host.run("curl", "-sS", "--fail", *more, url)

    def value(self, expression: str) -> float | None:
        """Of the one series there is, or None."""
        found = self.query(expression)
        assert len(found) <= 1, found
        return float(found[0]["value"][1]) if found else None

    def findings(self) -> set[str]:
        """Codes of the errors and warnings that stand."""
        found = self.query('ecr_probe_finding{severity=~"error|warning"}')
        assert all(each["value"][1] == "1" for each in found)
        return {each["metric"]["code"] for each in found}

    def alert(self) -> str | None:
        """The state of the one alert that pages."""
        found = self.query(f'ALERTS{{alertname="{BROKEN}"}}')
        return str(found[0]["metric"]["alertstate"]) if found else None

    def firing(self) -> set[str]:
        return {each["metric"]["alertname"] for each in self.query('ALERTS{alertstate="firing"}')}

    def series(self) -> set[tuple[tuple[str, str], ...]]:
        """Everything that the sidecar exports now, but for counts of what failed, which are kept for ever."""
        found = self.query('{__name__=~"ecr_probe_.*",__name__!="ecr_probe_step_failures_total"}')
        return {tuple(sorted(each["metric"].items())) for each in found}

    def state(self) -> tuple[object, ...]:
        return self.value("ecr_probe_pull_success"), self.findings(), self.alert()


def rules(folder: Path) -> Path:
    """Our own, in which a minute lasts one round: each `for`, and each range that an expression looks back on."""
    seconds = {"m": ROUND, "h": ROUND * 60, "d": ROUND * 60 * 24}
    text, count = re.subn(
        r"(?<=\bfor: )(\d+)([mhd])\b|(?<=\[)(\d+)([mhd])(?=\])",
        lambda found: f"{int(found[1] or found[3]) * seconds[found[2] or found[4]]}s",
        (ROOT / "container" / "observability" / "alerts.yaml").read_text(),
    )
    assert count > text.count("- alert:")
    file = folder / "alerts.yaml"
    file.write_text(text)
    return file


@pytest.fixture(scope="module")
def watched(cloud: Cloud, task: Task, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    if not shutil.which("prometheus", path=ENVIRONMENT["PATH"]):
        pytest.skip("prometheus is not installed; .ci/run does")
    folder = tmp_path_factory.mktemp("prometheus")
    with serving(cloud, task) as sidecar:
        server = servers.prometheus(
            cloud.company, folder, f"{TASK}:{PORT}", rules(folder), job="ecr-probe", port=ITS_PORT
        )
        try:
            watched = Watched(sidecar, server)
            wait_for(True, watched.ready)
            yield watched
        finally:
            server.stop()


def test_a_fault_is_seen_and_alerted_and_over_again(cloud: Cloud, watched: Watched) -> None:
    wait_for(WELL, watched.state)
    before = watched.series()
    assert watched.value("up") == 1
    assert watched.value('ecr_probe_endpoint_success{endpoint="s3"}') == 1

    with faults.layers_silent(cloud):
        wait_for((0.0, {"s3.silent"}, "pending"), watched.state)
        assert watched.value('ecr_probe_endpoint_success{endpoint="s3"}') == 0
        assert watched.value('ecr_probe_endpoint_success{endpoint="ecr.api"}') == 1
        assert watched.value('ecr_probe_addresses_reachable{endpoint="s3"}') == 0
        assert watched.query('ecr_probe_step_duration_seconds{step="layer"}') == []  # not reached is not 0
        wait_for((0.0, {"s3.silent"}, "firing"), watched.state)
        assert watched.firing() == {BROKEN}
        assert watched.sidecar.healthy()

    wait_for(WELL, watched.state)
    assert watched.series() == before
    failed = watched.value('sum(ecr_probe_step_failures_total{endpoint="s3",step="tcp",reason="timeout"})')
    assert failed is not None
    assert failed >= 3


def test_a_fault_of_one_round_wakes_nobody(cloud: Cloud, watched: Watched) -> None:
    wait_for(WELL, watched.state)

    def history() -> dict[str, Any]:
        return dict(json.loads(watched.sidecar.get("/history")))

    with faults.layers_silent(cloud):
        wait_for(["s3.silent"], lambda: history()["rounds"][-1]["errors"])
    wait_for([], lambda: history()["rounds"][-1]["errors"])
    passed = history()["passed"][0]
    assert (passed["code"], passed["rounds"]) == ("s3.silent", 1)
    wait_for(WELL, watched.state)
    seconds = (datetime.now(UTC) - datetime.fromisoformat(passed["since"])).total_seconds()
    states = watched.query(f'count_over_time(ALERTS{{alertname="{BROKEN}"}}[{seconds:.0f}s])')
    # Pending where Prometheus looked within the second or so that it was shown; on a busy machine it may not have.
    assert {each["metric"]["alertstate"] for each in states} <= {"pending"}


def test_dead_endpoints_are_no_reason_to_kill_the_task(cloud: Cloud, watched: Watched) -> None:
    wait_for(WELL, watched.state)
    assert watched.sidecar.healthy()
    with faults.endpoints_silent(cloud):
        wait_for({"tcp.silent"}, watched.findings)
        assert watched.value("ecr_probe_pull_success") == 0
        assert watched.value("up") == 1
        assert watched.sidecar.healthy()
    wait_for(WELL, watched.state)


def test_promtool_likes_what_it_exports(watched: Watched) -> None:
    assert_promtool_likes(watched.sidecar.get("/metrics"))


def test_sigterm_ends_it_soon_in_the_middle_of_a_round(cloud: Cloud, task: Task) -> None:
    with serving(cloud, task, port=PORT + 1) as sidecar, faults.endpoints_silent(cloud):
        cloud.wait_for_connection("syn-sent", "10.0.10.10")
        began = time.monotonic()
        sidecar.process.send_signal(signal.SIGTERM)  # podman hands it on
        code = sidecar.process.wait(PATIENCE)
        assert (code, time.monotonic() - began < SOON) == (0, True)

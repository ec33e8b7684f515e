"""`serve` in the built image with the sidecar's task definition, scraped by a real Prometheus with our alert rules.

Rounds start every two seconds, so a minute of the rules is replaced by two seconds.
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
PORT, PROMETHEUS_PORT = 9879, 9090  # the sidecar's is that of its task definition
QUICK = {"ECR_PROBE_INTERVAL": str(ROUND), "ECR_PROBE_DEADLINE": "10", "ECR_PROBE_CONNECT_TIMEOUT": "0.5"}


def wait_for(expected: object, read: Callable[[], object]) -> None:
    until = time.monotonic() + PATIENCE
    while (last := read()) != expected:
        assert time.monotonic() < until, f"still {last}"
        time.sleep(0.1)


@dataclass(frozen=True, slots=True)
class Sidecar:
    """A container that runs `serve`."""

    cloud: Cloud
    task: Task
    port: int
    name: str
    process: subprocess.Popen[bytes]

    def get(self, path: str) -> str:
        """The body of its answer to a client in the company's network."""
        return self.cloud.company.run("curl", "-sS", "--fail", "--max-time", "5", f"http://{TASK}:{self.port}{path}")

    def healthy(self) -> bool:
        """Run the health check of the task definition as ECS does."""
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
            container = Sidecar(cloud, sidecar, port, name, process)
            wait_for(True, container.ready)
            yield container
        finally:
            process.terminate()
            try:
                process.wait(SOON)
            except subprocess.TimeoutExpired:
                process.kill()


HEALTHY: tuple[object, ...] = (1.0, set(), None)


class Watched:
    """A sidecar and the Prometheus that scrapes it."""

    def __init__(self, sidecar: Sidecar, server: Daemon) -> None:
        self.sidecar, self._server = sidecar, server

    def ready(self) -> bool:
        """Whether Prometheus answers queries. It listens before it has read its storage."""
        try:
            self._get("/-/ready")
        except RuntimeError:
            return False
        return True

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The series of an instant query, as Prometheus' API returns them."""
        answer = json.loads(self._get("/api/v1/query", "--data-urlencode", f"query={expression}"))
        assert answer["status"] == "success"
        return list(answer["data"]["result"])

    def _get(self, path: str, *more: str) -> str:
        url = f"http://{self._server.host.addresses[0]}:{PROMETHEUS_PORT}{path}"
        return self._server.host.run("curl", "-sS", "--fail", *more, url)

    def value(self, expression: str) -> float | None:
        """The value of the only series, or None without one."""
        series = self.query(expression)
        assert len(series) <= 1, series
        return float(series[0]["value"][1]) if series else None

    def findings(self) -> set[str]:
        """The codes of the current errors and warnings."""
        series = self.query('ecr_probe_finding{severity=~"error|warning"}')
        assert all(item["value"][1] == "1" for item in series)
        return {item["metric"]["code"] for item in series}

    def alert(self) -> str | None:
        """The state of the alert that pages."""
        series = self.query(f'ALERTS{{alertname="{BROKEN}"}}')
        return str(series[0]["metric"]["alertstate"]) if series else None

    def firing(self) -> set[str]:
        return {item["metric"]["alertname"] for item in self.query('ALERTS{alertstate="firing"}')}

    def series(self) -> set[tuple[tuple[str, str], ...]]:
        """The labels of every series that the sidecar exports, except counters of failures, which never disappear."""
        series = self.query('{__name__=~"ecr_probe_.*",__name__!="ecr_probe_step_failures_total"}')
        return {tuple(sorted(item["metric"].items())) for item in series}

    def state(self) -> tuple[object, ...]:
        return self.value("ecr_probe_pull_success"), self.findings(), self.alert()


def rules(folder: Path) -> Path:
    """Our alert rules with every `for` and every range of an expression shortened: a minute becomes one round."""
    seconds = {"m": ROUND, "h": ROUND * 60, "d": ROUND * 60 * 24}
    text, count = re.subn(
        r"(?<=\bfor: )(\d+)([mhd])\b|(?<=\[)(\d+)([mhd])(?=\])",
        lambda match: f"{int(match[1] or match[3]) * seconds[match[2] or match[4]]}s",
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
            cloud.company, folder, f"{TASK}:{PORT}", rules(folder), job="ecr-probe", port=PROMETHEUS_PORT
        )
        try:
            watched = Watched(sidecar, server)
            wait_for(True, watched.ready)
            yield watched
        finally:
            server.stop()


def test_a_fault_is_exported_and_alerted_until_it_ends(cloud: Cloud, watched: Watched) -> None:
    wait_for(HEALTHY, watched.state)
    before = watched.series()
    assert watched.value("up") == 1
    assert watched.value('ecr_probe_endpoint_success{endpoint="s3"}') == 1

    with faults.layers_silent(cloud):
        wait_for((0.0, {"s3.silent"}, "pending"), watched.state)
        assert watched.value('ecr_probe_endpoint_success{endpoint="s3"}') == 0
        assert watched.value('ecr_probe_endpoint_success{endpoint="ecr.api"}') == 1
        assert watched.value('ecr_probe_addresses_reachable{endpoint="s3"}') == 0
        assert watched.query('ecr_probe_step_duration_seconds{step="layer"}') == []  # no value, rather than 0
        wait_for((0.0, {"s3.silent"}, "firing"), watched.state)
        assert watched.firing() == {BROKEN}
        assert watched.sidecar.healthy()

    wait_for(HEALTHY, watched.state)
    assert watched.series() == before
    failed = watched.value('sum(ecr_probe_step_failures_total{endpoint="s3",step="tcp",reason="timeout"})')
    assert failed is not None
    assert failed >= 3


def test_a_fault_of_one_round_fires_no_alert(cloud: Cloud, watched: Watched) -> None:
    wait_for(HEALTHY, watched.state)

    def history() -> dict[str, Any]:
        return dict(json.loads(watched.sidecar.get("/history")))

    with faults.layers_silent(cloud):
        wait_for(["s3.silent"], lambda: history()["rounds"][-1]["errors"])
    wait_for([], lambda: history()["rounds"][-1]["errors"])
    resolved = history()["resolved"][0]
    assert (resolved["code"], resolved["rounds"]) == ("s3.silent", 1)
    wait_for(HEALTHY, watched.state)
    seconds = (datetime.now(UTC) - datetime.fromisoformat(resolved["since"])).total_seconds()
    states = watched.query(f'count_over_time(ALERTS{{alertname="{BROKEN}"}}[{seconds:.0f}s])')
    # Pending if Prometheus scraped during that round, which it may miss on a busy machine.
    assert {item["metric"]["alertstate"] for item in states} <= {"pending"}


def test_unreachable_endpoints_do_not_make_the_task_unhealthy(cloud: Cloud, watched: Watched) -> None:
    wait_for(HEALTHY, watched.state)
    assert watched.sidecar.healthy()
    with faults.endpoints_silent(cloud):
        wait_for({"tcp.silent"}, watched.findings)
        assert watched.value("ecr_probe_pull_success") == 0
        assert watched.value("up") == 1
        assert watched.sidecar.healthy()
    wait_for(HEALTHY, watched.state)


def test_promtool_accepts_its_metrics(watched: Watched) -> None:
    assert_promtool_likes(watched.sidecar.get("/metrics"))


def test_sigterm_ends_it_soon_in_the_middle_of_a_round(cloud: Cloud, task: Task) -> None:
    with serving(cloud, task, port=PORT + 1) as sidecar, faults.endpoints_silent(cloud):
        cloud.wait_for_connection("syn-sent", "10.0.10.10")
        began = time.monotonic()
        sidecar.process.send_signal(signal.SIGTERM)  # podman forwards it
        code = sidecar.process.wait(PATIENCE)
        assert (code, time.monotonic() - began < SOON) == (0, True)

"""The sidecar's measures: a thousand rounds with blackbox_exporter as peer, scrapes during packet loss, a soak."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from probe.rehearsal import PHASE
from probe.sim.task import CREDENTIALS_ADDRESS
from tests.bench.costs import middle
from tests.bench.rows import Bench, Row
from tests.deployment.definitions import filled
from tests.lab import servers
from tests.lab.cloud import ROOT, TASK, Cloud
from tests.lab.containers import HOME, new_name
from tests.lab.network import environment

ROUNDS, WARM = 1000, 100
PORT, PEER_PORT = 9879, 9115
METRICS = f"http://127.0.0.1:{PORT}/metrics"
MIB = 1024  # KiB
PATIENCE = 60.0
SAMPLES = 10  # memory is measured after so many rounds; the result is their median

# The image's program with a shorter minimum interval: one a minute, a thousand rounds would take most of a day.
_SHORT_INTERVAL = """
import sys
from probe.serve import options
options.SHORTEST = 0.01
from probe.cli import main
sys.exit(main())
"""


@dataclass(frozen=True, slots=True)
class Usage:
    """The resources of a process, and the processor time that it has used."""

    kib: int
    threads: int
    descriptors: int
    cpu: float


def _usage(pid: int) -> Usage:
    status = Path("/proc", str(pid), "status").read_text()
    kib, threads = (int(re.findall(rf"(?m)^{name}:\s+(\d+)", status)[0]) for name in ("VmRSS", "Threads"))
    times = Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()[11:13]
    ticks = sum(map(int, times))
    return Usage(kib, threads, len(os.listdir(f"/proc/{pid}/fd")), ticks / os.sysconf("SC_CLK_TCK"))


@dataclass(frozen=True, slots=True)
class FastSidecar:
    """A container of the sidecar that starts the next round immediately."""

    log: Path
    pid: int

    def rounds(self) -> int:
        return self.log.read_text().count('"event":"round"')

    def wait_for(self, rounds: int) -> None:
        until = time.monotonic() + PATIENCE
        while self.rounds() < rounds:
            if time.monotonic() > until:
                raise RuntimeError(f"the sidecar does not reach round {rounds}: {self.log.read_text()[-1000:]}")
            time.sleep(0.01)


@contextmanager
def _fast_sidecar(bench: Bench) -> Iterator[FastSidecar]:
    task, name = replace(bench.task, definition=filled("fargate-sidecar")), new_name()
    quick = ("serve", "--interval", "0.01", "--deadline", "30")
    # Without an init process, so that the sidecar is the container's main process.
    flags = (f"--entrypoint={HOME}/bin/python", "--init=false")
    log = bench.cloud.folder / f"{name}.log"
    with (
        log.open("wb") as output,
        subprocess.Popen(
            task.command("-c", _SHORT_INTERVAL, *quick, flags=flags, name=name),
            stdout=output,
            stderr=output,
            env=task.engine.environment,
        ) as podman,
    ):
        try:
            until = time.monotonic() + PATIENCE
            while not log.stat().st_size and time.monotonic() < until:
                time.sleep(0.05)
            yield FastSidecar(log, int(task.engine.run("podman", "inspect", "--format", "{{.State.Pid}}", name)))
        finally:
            podman.terminate()
            podman.wait(PATIENCE)


# ---- compared with blackbox_exporter ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Probe:
    """A probe of blackbox_exporter that corresponds to one of our steps."""

    kind: str
    target: str
    module: dict[str, Any]


def _probes(cloud: Cloud, verdict: dict[str, Any]) -> Iterator[Probe]:
    """The probes for our successful DNS queries, TLS handshakes and HTTP requests."""
    hosts = {endpoint["name"]: endpoint["host"] for endpoint in verdict["endpoints"]}
    first_address: dict[str, str] = {}
    for step in verdict["steps"]:
        endpoint, action, subject = step["endpoint"], step["action"], step["subject"]
        tls = {"ca_file": str(cloud.ca_bundle), "server_name": hosts.get(endpoint, "")}
        if step["outcome"] != "ok":
            continue
        if action == "dns":
            server, record = subject.split("/")
            query = {"query_name": hosts[endpoint], "query_type": record, "preferred_ip_protocol": "ip4"}
            yield Probe("DNS", f"{server}:53", {"prober": "dns", "dns": query})
        elif action == "tls":
            first_address.setdefault(endpoint, subject)
            yield Probe("TLS", f"{subject}:443", {"prober": "tcp", "tcp": {"tls": True, "tls_config": tls}})
        elif action in ("token", "challenge", "manifest", "blob", "layer", "logs"):
            request = {
                "headers": {"Host": hosts[endpoint]},
                "tls_config": tls,
                "valid_status_codes": [200, 401, 403, 404, 405],
            }
            yield Probe("HTTP", f"https://{first_address[endpoint]}/", {"prober": "http", "http": request})


def against_blackbox(bench: Bench) -> Iterator[Row]:
    """After each round of the sidecar: the same number of probes of the same targets, and a scrape of both."""
    cloud, folder = bench.cloud, bench.cloud.folder
    with _fast_sidecar(bench) as ours:
        ours.wait_for(1)
        probes = list(_probes(cloud, json.loads(cloud.task.run("curl", "-sS", METRICS.replace("metrics", "verdict")))))
        modules = {f"m{number}": probe.module for number, probe in enumerate(probes)}
        exporter = servers.blackbox_exporter(cloud.task, folder, modules, port=PEER_PORT)
        probe_urls = [f"http://127.0.0.1:{PEER_PORT}/probe?module=m{n}&target={p.target}" for n, p in enumerate(probes)]
        urls = folder / "urls"
        urls.write_text("".join(f'url = "{url}"\n' for url in (*probe_urls, METRICS)))
        mine, theirs = [_usage(ours.pid)], [_usage(exporter.pid)]
        try:
            for number in range(2, ROUNDS + 1):
                ours.wait_for(number)
                mine.append(_usage(ours.pid))
                metrics = cloud.task.run("curl", "-sS", "--fail", "--config", str(urls))
                if metrics.count("\nprobe_success 1\n") != len(probes):
                    raise RuntimeError(f"a probe of blackbox_exporter failed: {metrics}")
                theirs.append(_usage(exporter.pid))
        finally:
            exporter.stop()
    yield from _memory(mine, theirs)
    kinds = Counter(probe.kind for probe in probes)
    yield _processor(mine, theirs, ", ".join(f"{count} {kind}" for kind, count in kinds.items()))


def _memory(mine: Sequence[Usage], theirs: Sequence[Usage]) -> Iterator[Row]:
    early, late = mine[WARM - SAMPLES : WARM], mine[-SAMPLES:]
    before, after = (middle([usage.kib for usage in sample]) for sample in (early, late))
    peer = middle([usage.kib for usage in theirs[-SAMPLES:]])
    peer_text = f"blackbox_exporter {peer / MIB:.1f} MiB"
    met = after <= 2.5 * peer and after < 56 * MIB
    title = f"sidecar's memory after {ROUNDS} rounds"
    yield Row(title, f"{after / MIB:.1f} MiB", "<= 2.50, < 56 MiB", met, peer_text, after / peer)
    growth = after / before - 1
    yield Row(f"  its growth since round {WARM}", f"{growth:+.1%}", "< 2 %", growth < 0.02)
    # The minimum, because threads that end by themselves, such as those of a control, may outlast a round.
    counts = [
        (min(usage.threads for usage in sample), min(usage.descriptors for usage in sample)) for sample in (early, late)
    ]
    measured = ", then ".join(f"{threads} and {descriptors}" for threads, descriptors in counts)
    met = counts[1][0] <= counts[0][0] and counts[1][1] <= counts[0][1]
    yield Row("  its threads and file descriptors", measured, "no increase", met)


def _processor(mine: Sequence[Usage], theirs: Sequence[Usage], probes: str) -> Row:
    ours, peer = ((usages[-1].cpu - usages[WARM].cpu) / (len(usages) - 1 - WARM) * 1000 for usages in (mine, theirs))
    ratio = ours / peer
    title = f"  its processor time per round ({probes})"
    return Row(title, f"{ours:.0f} ms", "<= 5.00", ratio <= 5, f"blackbox_exporter {peer:.0f} ms", ratio)


# ---- scrapes ---------------------------------------------------------------------------------------------------------


def scraped(bench: Bench) -> Iterator[Row]:
    """Fifty clients, which request again as soon as they have an answer: more than any Prometheus."""
    # The agent is on the task's own host, so a VPC never drops its packets.
    rule = f"ip saddr {TASK} ip daddr != {CREDENTIALS_ADDRESS} drop;"
    with _fast_sidecar(bench) as sidecar:
        sidecar.wait_for(2)
        with bench.cloud.router.filtering(f"chain forward {{ type filter hook forward priority 10; {rule} }}"):
            sidecar.wait_for(sidecar.rounds() + 2)  # rounds without any packet, and the start of another
            slow = [_percentile(bench.cloud, 99) for _ in range(5)]
    yield Row("/metrics, 50 clients, all packets lost: p99", f"{middle(slow):.0f} ms", "< 50 ms", middle(slow) < 50)


def _percentile(cloud: Cloud, percent: int) -> float:
    """The percentile of the response time in milliseconds, measured by Apache's ab."""
    with tempfile.NamedTemporaryFile("r") as table:
        report = cloud.task.run("ab", "-q", "-l", "-k", "-c", "50", "-n", "3000", "-e", table.name, METRICS)
        rows = dict(line.strip().split(",") for line in table)
    if "Non-2xx" in report or not re.search(r"Failed requests: +0\n", report):
        raise RuntimeError(report)
    return float(rows[str(percent)])


# ---- the soak --------------------------------------------------------------------------------------------------------


def soak(_bench: Bench) -> Iterator[Row]:
    """A fault that starts and ends repeatedly; /metrics is read after every round."""
    done = subprocess.run(
        (sys.executable, "-m", "tests.bench.soak", "s3-endpoint-policy", str(ROUNDS)),
        cwd=ROOT,
        env=environment({}),
        capture_output=True,
        text=True,
        timeout=900,
        check=True,
    )
    exported = json.loads(done.stdout)
    expected = [["policy.vpce.s3"] if number // PHASE % 2 else [] for number in range(ROUNDS)]
    correct = [codes == expected_codes for codes, expected_codes in zip(exported, expected, strict=True)]
    changes = range(PHASE, ROUNDS, PHASE)
    shown = sum(correct[number - 1] and correct[number] for number in changes)
    measured = f"{shown} of {len(changes)} changes"
    yield Row(f"soak of {ROUNDS} rounds: changes in the next scrape", measured, "all", shown == len(changes))
    healthy = [right for right, codes in zip(correct, expected, strict=True) if not codes]
    measured = f"{sum(healthy)} of {len(healthy)} rounds"
    yield Row("  no finding without a fault", measured, "all", all(healthy))


ROWS: tuple[Callable[[Bench], Iterator[Row]], ...] = (against_blackbox, scraped, soak)

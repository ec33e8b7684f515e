"""The sidecar's measures: a thousand rounds beside blackbox_exporter, scrapes while all packets are lost, a soak."""

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
SAMPLES = 10  # rounds at whose ends memory is looked at, of which the median counts

# The image's own program, but for the shortest interval: a minute apart, a thousand rounds would take a day.
_RESTLESS = """
import sys
from probe.serve import options
options.SHORTEST = 0.01
from probe.cli import main
sys.exit(main())
"""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a process holds, and the processor time it has had."""

    kib: int
    threads: int
    descriptors: int
    cpu: float


def _taken(pid: int) -> Taken:
    status = Path("/proc", str(pid), "status").read_text()
    kib, threads = (int(re.findall(rf"(?m)^{name}:\s+(\d+)", status)[0]) for name in ("VmRSS", "Threads"))
    times = Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()[11:13]
    ticks = sum(map(int, times))
    return Taken(kib, threads, len(os.listdir(f"/proc/{pid}/fd")), ticks / os.sysconf("SC_CLK_TCK"))


@dataclass(frozen=True, slots=True)
class Restless:
    """A container of the sidecar whose rounds follow one another at once."""

    log: Path
    pid: int

    def rounds(self) -> int:
        return self.log.read_text().count('"event":"round"')

    def wait_for(self, rounds: int) -> None:
        until = time.monotonic() + PATIENCE
        while self.rounds() < rounds:
            if time.monotonic() > until:
                raise RuntimeError(f"the sidecar does not come to round {rounds}: {self.log.read_text()[-1000:]}")
            time.sleep(0.01)


@contextmanager
def _restless(bench: Bench) -> Iterator[Restless]:
    task, name = replace(bench.task, definition=filled("fargate-sidecar")), new_name()
    quick = ("serve", "--interval", "0.01", "--deadline", "30")
    # Without an init process, so that the container's process is the sidecar.
    flags = (f"--entrypoint={HOME}/bin/python", "--init=false")
    log = bench.cloud.folder / f"{name}.log"
    with (
        log.open("wb") as said,
        subprocess.Popen(
            task.command("-c", _RESTLESS, *quick, flags=flags, name=name),
            stdout=said,
            stderr=said,
            env=task.engine.environment,
        ) as podman,
    ):
        try:
            until = time.monotonic() + PATIENCE
            while not log.stat().st_size and time.monotonic() < until:
                time.sleep(0.05)
            yield Restless(log, int(task.engine.run("podman", "inspect", "--format", "{{.State.Pid}}", name)))
        finally:
            podman.terminate()
            podman.wait(PATIENCE)


# ---- beside blackbox_exporter ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Probe:
    """What blackbox_exporter is asked for in the place of one of our steps."""

    kind: str
    target: str
    module: dict[str, Any]


def _probes(cloud: Cloud, verdict: dict[str, Any]) -> Iterator[Probe]:
    """One for each step of ours that is a question to a name server, a handshake, or a request."""
    hosts = {each["name"]: each["host"] for each in verdict["endpoints"]}
    ready: dict[str, str] = {}  # an endpoint's first address
    for step in verdict["steps"]:
        endpoint, action, subject = step["endpoint"], step["action"], step["subject"]
        trusting = {"ca_file": str(cloud.ca_bundle), "server_name": hosts.get(endpoint, "")}
        if step["outcome"] != "ok":
            continue
        if action == "dns":
            server, record = subject.split("/")
            asked = {"query_name": hosts[endpoint], "query_type": record, "preferred_ip_protocol": "ip4"}
            yield Probe("DNS", f"{server}:53", {"prober": "dns", "dns": asked})
        elif action == "tls":
            ready.setdefault(endpoint, subject)
            yield Probe("TLS", f"{subject}:443", {"prober": "tcp", "tcp": {"tls": True, "tls_config": trusting}})
        elif action in ("token", "challenge", "manifest", "blob", "layer", "logs"):
            asked = {
                "headers": {"Host": hosts[endpoint]},
                "tls_config": trusting,
                "valid_status_codes": [200, 401, 403, 404, 405],
            }
            yield Probe("HTTP", f"https://{ready[endpoint]}/", {"prober": "http", "http": asked})


def beside_blackbox(bench: Bench) -> Iterator[Row]:
    """As many probes of the same names and addresses after each round of ours, and a scrape of both."""
    cloud, folder = bench.cloud, bench.cloud.folder
    with _restless(bench) as ours:
        ours.wait_for(1)
        probes = list(_probes(cloud, json.loads(cloud.task.run("curl", "-sS", METRICS.replace("metrics", "verdict")))))
        modules = {f"m{number}": probe.module for number, probe in enumerate(probes)}
        exporter = servers.blackbox_exporter(cloud.task, folder, modules, port=PEER_PORT)
        asked = [f"http://127.0.0.1:{PEER_PORT}/probe?module=m{n}&target={p.target}" for n, p in enumerate(probes)]
        urls = folder / "urls"
        urls.write_text("".join(f'url = "{url}"\n' for url in (*asked, METRICS)))
        mine, its = [_taken(ours.pid)], [_taken(exporter.pid)]
        try:
            for number in range(2, ROUNDS + 1):
                ours.wait_for(number)
                mine.append(_taken(ours.pid))
                told = cloud.task.run("curl", "-sS", "--fail", "--config", str(urls))
                if told.count("\nprobe_success 1\n") != len(probes):
                    raise RuntimeError(f"blackbox_exporter does not succeed: {told}")
                its.append(_taken(exporter.pid))
        finally:
            exporter.stop()
    yield from _memory(mine, its)
    kinds = Counter(probe.kind for probe in probes)
    yield _processor(mine, its, ", ".join(f"{count} {kind}" for kind, count in kinds.items()))


def _memory(mine: Sequence[Taken], its: Sequence[Taken]) -> Iterator[Row]:
    early, late = mine[WARM - SAMPLES : WARM], mine[-SAMPLES:]
    before, after = (middle([each.kib for each in some]) for some in (early, late))
    peer = middle([each.kib for each in its[-SAMPLES:]])
    told = f"blackbox_exporter {peer / MIB:.1f} MiB"
    met = after <= 2.5 * peer and after < 56 * MIB
    what = f"sidecar's memory after {ROUNDS} rounds"
    yield Row(what, f"{after / MIB:.1f} MiB", "<= 2.50, < 56 MiB", met, told, after / peer)
    growth = after / before - 1
    yield Row(f"  its growth since round {WARM}", f"{growth:+.1%}", "< 2 %", growth < 0.02)
    # Between two rounds: threads that end by themselves, such as a control's, may be there a little longer.
    held = [(min(each.threads for each in some), min(each.descriptors for each in some)) for some in (early, late)]
    words = ", then ".join(f"{threads} and {descriptors}" for threads, descriptors in held)
    met = held[1][0] <= held[0][0] and held[1][1] <= held[0][1]
    yield Row("  its threads and descriptors", words, "no more", met)


def _processor(mine: Sequence[Taken], its: Sequence[Taken], probes: str) -> Row:
    ours, peer = ((each[-1].cpu - each[WARM].cpu) / (len(each) - 1 - WARM) * 1000 for each in (mine, its))
    ratio = ours / peer
    what = f"  its processor time, a round ({probes})"
    return Row(what, f"{ours:.0f} ms", "<= 5.00", ratio <= 5, f"blackbox_exporter {peer:.0f} ms", ratio)


# ---- scrapes ---------------------------------------------------------------------------------------------------------


def scraped(bench: Bench) -> Iterator[Row]:
    """Fifty clients, each asking again as soon as it is answered: more than any Prometheus."""
    # The agent is on the task's own machine, so no VPC loses its packets.
    loses = f"ip saddr {TASK} ip daddr != {CREDENTIALS_ADDRESS} drop;"
    with _restless(bench) as sidecar:
        sidecar.wait_for(2)
        with bench.cloud.router.filtering(f"chain forward {{ type filter hook forward priority 10; {loses} }}"):
            sidecar.wait_for(sidecar.rounds() + 2)  # whole rounds in which everything is lost; another one has begun
            slow = [_percentile(bench.cloud, 99) for _ in range(5)]
    yield Row("/metrics, 50 at once, all packets lost: p99", f"{middle(slow):.0f} ms", "< 50 ms", middle(slow) < 50)


def _percentile(cloud: Cloud, percent: int) -> float:
    """Milliseconds, as apache's ab has it."""
    with tempfile.NamedTemporaryFile("r") as table:
        told = cloud.task.run("ab", "-q", "-l", "-k", "-c", "50", "-n", "3000", "-e", table.name, METRICS)
        rows = dict(line.strip().split(",") for line in table)
    if "Non-2xx" in told or not re.search(r"Failed requests: +0\n", told):
        raise RuntimeError(told)
    return float(rows[str(percent)])


# ---- the soak --------------------------------------------------------------------------------------------------------


def soak(_bench: Bench) -> Iterator[Row]:
    """A fault that comes and goes, and what /metrics tells right after each round."""
    done = subprocess.run(
        (sys.executable, "-m", "tests.bench.soak", "s3-endpoint-policy", str(ROUNDS)),
        cwd=ROOT,
        env=environment({}),
        capture_output=True,
        text=True,
        timeout=900,
        check=True,
    )
    told = json.loads(done.stdout)
    wanted = [["policy.vpce.s3"] if number // PHASE % 2 else [] for number in range(ROUNDS)]
    right = [one == other for one, other in zip(told, wanted, strict=True)]
    changes = range(PHASE, ROUNDS, PHASE)
    seen = sum(right[number - 1] and right[number] for number in changes)
    measured = f"{seen} of {len(changes)} changes"
    yield Row(f"soak of {ROUNDS} rounds: shown by the next scrape", measured, "all", seen == len(changes))
    silent = [fine for fine, codes in zip(right, wanted, strict=True) if not codes]
    measured = f"{sum(silent)} of {len(silent)} rounds"
    yield Row("  nothing found while there is nothing", measured, "all", all(silent))


ROWS: tuple[Callable[[Bench], Iterator[Row]], ...] = (beside_blackbox, scraped, soak)

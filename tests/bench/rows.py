"""The promised measures. A row has the probe's figure, a peer's figure of the same run, and the target."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.bench.costs import PROBE, Cost, cost, median, middle
from tests.explain.samples import SAMPLES
from tests.lab import faults
from tests.lab.cloud import LAYERS, OWN_IMAGE, PASSWORD, REGISTRY, ROOT, S3, Cloud
from tests.lab.containers import HOME, Task
from tests.lab.images import MIB, Layout
from tests.lab.network import environment

ONE_FILE = ROOT / "dist" / "ecr-probe.pyz"
CONNECT = 3.0  # the default of --connect-timeout
LAYER = "one-layer"
STREAMS = 15  # the result is their median


@dataclass(frozen=True, slots=True)
class Row:
    title: str
    measured: str
    target: str
    met: bool
    peer: str = ""
    ratio: float | None = None


@dataclass(frozen=True, slots=True)
class Bench:
    cloud: Cloud
    image: Layout
    task: Task  # with the built image

    def arguments(self) -> tuple[str, ...]:
        image = ("--image", f"{REGISTRY}/{self.image.reference}", "--vpc-cidr", "10.0.0.0/16")
        return (*image, "--ca-bundle", str(self.cloud.ca_bundle), "--format", "json")

    def check(self, *more: str, code: int = 0) -> Cost:
        return cost(*PROBE, "check", *self.arguments(), *more, host=self.cloud.task, code=code)


def pull(bench: Bench) -> Iterator[Row]:
    """Download and verify every layer; the peer is skopeo, which copies the same image."""
    ours, skopeo = median(9, lambda: bench.check("--layers", "all"), lambda: _skopeo(bench))
    ratio = ours.seconds / skopeo.seconds
    measured, peer = f"{ours.seconds:.2f} s", f"skopeo {skopeo.seconds:.2f} s"
    yield Row("verified pull of 200 MB, wall time", measured, "<= 0.50", ratio <= 0.5, peer, ratio)
    steps = json.loads(ours.out)["steps"]
    layers = sum(1 for step in steps if step["action"] == "layer" and step["outcome"] == "ok")
    mib = ours.kib / 1024
    peer = f"skopeo {skopeo.kib / 1024:.0f} MiB"
    yield Row(f"  its peak memory ({layers} blobs)", f"{mib:.0f} MiB", "<= 72 MiB", mib <= 72, peer)
    peer = f"skopeo {skopeo.cpu:.2f} s"
    yield Row("  its processor time", f"{ours.cpu:.2f} s", "none", True, peer, ours.cpu / skopeo.cpu)


def _skopeo(bench: Bench) -> Cost:
    with tempfile.TemporaryDirectory(dir=bench.cloud.folder) as folder:
        source = ("--src-creds", f"AWS:{PASSWORD}", f"docker://{REGISTRY}/{bench.image.reference}")
        command = ("skopeo", "copy", "--quiet", "--insecure-policy", *source, f"dir:{folder}")
        return cost(*command, host=bench.cloud.task, more={"SSL_CERT_FILE": str(bench.cloud.ca_bundle)})


def stream(bench: Bench) -> Iterator[Row]:
    """Read one layer over TLS and hash it with sha256; the peer is curl, which discards the bytes."""
    mine, peer = _streamed(bench)
    yield Row(
        "one layer over TLS with sha256",
        f"{mine:.0f} MB/s",
        ">= 0.70",
        mine >= 0.7 * peer,
        f"curl {peer:.0f} MB/s",
        mine / peer,
    )
    # The same work by programs in C shows the limit of the machine, whose cores the server uses too.
    both = f"curl -sS --cacert {bench.cloud.ca_bundle} https://{LAYERS}/{LAYER} | openssl dgst -sha256"
    size = _layer(bench).stat().st_size
    hashed = size / middle([bench.cloud.in_task("sh", "-c", both).seconds for _ in range(STREAMS)]) / 1e6
    yield Row(
        "  the same work in C", f"{mine:.0f} MB/s", "none", True, f"curl | openssl {hashed:.0f} MB/s", mine / hashed
    )
    with faults.link_of(bench.cloud, 5000):
        mine, peer = _streamed(bench)
    yield Row("  over a link of 5 Gbit/s", f"{mine:.0f} MB/s", "none", True, f"curl {peer:.0f} MB/s", mine / peer)


def _streamed(bench: Bench) -> tuple[float, float]:
    """MB/s of the probe and of curl, measured in turns."""
    size, trust = _layer(bench).stat().st_size, str(bench.cloud.ca_bundle)
    ours, curls = [], []
    script = (sys.executable, str(Path(__file__).with_name("streamed.py")))
    for _ in range(STREAMS):
        arguments = (LAYERS, S3, f"/{LAYER}", str(size), trust)
        seconds, received, _ = bench.cloud.in_task(*script, *arguments, PYTHONPATH=str(ROOT)).out.split()
        if int(received) != size:
            raise RuntimeError(f"streamed {received} of {size} bytes")
        ours.append(size / float(seconds) / 1e6)
        speed = bench.cloud.in_task(
            "curl", "-sS", "--cacert", trust, "-o", "/dev/null", "-w", "%{speed_download}", f"https://{LAYERS}/{LAYER}"
        ).out
        curls.append(float(speed) / 1e6)
    return middle(ours), middle(curls)


def _layer(bench: Bench) -> Path:
    return bench.cloud.folder / "registry" / LAYER


def start(bench: Bench) -> Iterator[Row]:
    """The start of the program."""
    (bare,) = median(5, lambda: cost(sys.executable, "-c", ""))
    for flag in ("--version", "--help"):
        (ours,) = median(5, lambda flag=flag: cost(*PROBE, flag))  # type: ignore[misc]
        measured, peer = f"{ours.seconds:.3f} s", f"python -c '' {bare.seconds:.3f} s"
        yield Row(f"ecr-probe {flag}", measured, "< 0.1 s", ours.seconds < 0.1, peer, ours.seconds / bare.seconds)
    listed = "import sys, probe.cli; probe.cli.main(['--version']); probe.cli.main(['--help']); print(*sys.modules)"
    modules = set(cost(sys.executable, "-c", listed).out.split())
    heavy = sorted(modules & {"botocore", "boto3", "requests", "urllib3", "dns", "cryptography"})
    yield Row("  heavy modules that both import", ", ".join(heavy) or "none", "none", not heavy)
    first = middle([_first_packet(bench, lambda: bench.check().began) for _ in range(5)])
    yield Row("check: start to first packet", f"{first:.3f} s", "< 0.25 s", first < 0.25)


def _first_packet(bench: Bench, run: Callable[[], float]) -> float:
    """Seconds from the start of the program, which `run` returns, to the first packet of the task at the router."""
    listener = subprocess.Popen(
        bench.cloud.router.wrapped(sys.executable, str(Path(__file__).with_name("first_packet.py")), "to-task"),
        stdout=subprocess.PIPE,
        text=True,
        env=environment({}),
    )
    assert listener.stdout is not None
    with listener, listener.stdout as lines:
        lines.readline()  # it is ready
        began = run()
        return float(lines.readline()) - began


def one_file(bench: Bench) -> Iterator[Row]:
    """The one-file build, at its first run, which unpacks it, and later."""
    if not ONE_FILE.exists():
        raise RuntimeError("the file is not built; run: make onefile")
    with tempfile.TemporaryDirectory(dir=bench.cloud.folder) as unpacked:

        def run() -> float:
            python = (f"{sys.base_prefix}/bin/python3", "-I", str(ONE_FILE), "check")
            return cost(*python, *bench.arguments(), host=bench.cloud.task, more={"SHIV_ROOT": unpacked}).began

        cold = _first_packet(bench, run)
        first = middle([_first_packet(bench, run) for _ in range(5)])
    yield Row("one-file build: start to first packet", f"{first:.3f} s", "<= 1.0 s", first <= 1.0)
    yield Row("  its first run, which unpacks it", f"{cold:.1f} s", "none", True)


def container(bench: Bench) -> Iterator[Row]:
    """The built image in Fargate's smallest task; the peer is skopeo, which copies the same image to a disk."""
    task, size = bench.task, bench.task.size()

    def check() -> Cost:
        return cost(*task.command(flags=size), more=task.engine.own)

    first = middle([_first_packet(bench, lambda: check().began) for _ in range(5)])
    yield Row(f"container ({' '.join(size)}): start to first packet", f"{first:.2f} s", "<= 1.2 s", first <= 1.2)
    ours, skopeo = median(5, check, lambda: cost(*_skopeo_contained(bench), more=task.engine.own))
    measured, peer = f"{ours.seconds:.2f} s", f"skopeo copy {skopeo.seconds:.2f} s"
    ratio = ours.seconds / skopeo.seconds
    yield Row("  start to verdict", measured, "<= 3 s", ours.seconds <= 3, peer, ratio)
    mib = _peak(task)
    yield Row("  peak memory", f"{mib:.0f} MiB", "<= 72 MiB", mib <= 72)


def _skopeo_contained(bench: Bench) -> tuple[str, ...]:
    """The command for this machine's skopeo in a container of the same size and network, on an overlay."""
    task, bundle = bench.task, str(bench.cloud.ca_bundle)
    network = ("--network", f"ns:/run/netns/{task.host.name}", "--env", f"SSL_CERT_FILE={bundle}")
    copy = ("skopeo", "copy", "--quiet", "--insecure-policy", "--src-creds", f"AWS:{PASSWORD}")
    image = (f"docker://{REGISTRY}/{OWN_IMAGE}", "dir:/var/tmp/copied")
    return ("podman", "run", "--rm", *network, *task.size(), "--rootfs", "/:O", *copy, *image)


_PRINT_PEAK = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def _peak(task: Task) -> float:
    """Peak memory in MiB of the process in the container, as its parent process there measures it."""
    python = f"--entrypoint={HOME}/bin/python"
    ended = task.run("-c", _PRINT_PEAK, "ecr-probe", *task.container["command"], flags=[*task.size(), python])
    if ended.code:
        raise RuntimeError(ended.err)
    return int(ended.out) / 1024


def blackholed(bench: Bench) -> Iterator[Row]:
    """Packets to every endpoint are dropped."""
    with faults.everything_silent(bench.cloud):
        (ours,) = median(3, lambda: bench.check(code=1))
    limit = CONNECT + 1.5
    measured = f"{ours.seconds:.2f} s"
    yield Row("verdict with all endpoints blackholed", measured, f"< {limit:.1f} s", ours.seconds < limit)


def simulated(_bench: Bench) -> Iterator[Row]:
    (healthy,) = median(5, lambda: cost(*PROBE, "demo", "healthy"))
    yield Row("healthy simulated check", f"{healthy.seconds:.2f} s", "< 1 s", healthy.seconds < 1)
    scenarios = cost(*PROBE, "demo", "--all")
    yield Row("all scenarios (demo --all)", f"{scenarios.seconds:.1f} s", "< 60 s", scenarios.seconds < 60)


_EXPLAIN_ALL = """
from probe.explain import explain_text
from tests.explain.samples import SAMPLES
print(sum(explain_text(sample.text) is not None for sample in SAMPLES), len(SAMPLES))
"""


def error_texts(_bench: Bench) -> Iterator[Row]:
    """Explain all error texts in a new process, and one of them from a file."""
    (ours,) = median(5, lambda: cost(sys.executable, "-c", _EXPLAIN_ALL, more={"PYTHONPATH": str(ROOT)}))
    recognised, number = map(int, ours.out.split())
    yield Row(
        f"explain: {number} error texts ({recognised} recognized)", f"{ours.seconds:.2f} s", "< 2 s", ours.seconds < 2
    )
    with tempfile.TemporaryDirectory() as folder:
        reason = Path(folder) / "reason.txt"
        reason.write_text(SAMPLES[0].text)
        (single,) = median(5, lambda: cost(*PROBE, "explain", str(reason), code=1))
    yield Row("  one of them, ecr-probe explain FILE", f"{single.seconds:.2f} s", "none", True)


ROWS: tuple[Callable[[Bench], Iterator[Row]], ...] = (
    pull,
    stream,
    start,
    one_file,
    container,
    blackholed,
    simulated,
    error_texts,
)
SIZES = (40 * MIB,) * 5

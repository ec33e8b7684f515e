"""However a laboratory ends, nothing of it is left: no process, namespace, mount, file or container."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.lab.cloud import ROOT, SERVERS, Cloud
from tests.lab.containers import Engine
from tests.lab.network import run

# Builds a laboratory with a running container in it, prints "ready" and waits.
_SESSION = """
import signal, subprocess, sys
from tests.lab import faults
from tests.lab.cloud import S3, SERVERS, Cloud
from tests.lab.containers import Engine, one_off
signal.signal(signal.SIGTERM, signal.default_int_handler)
with Cloud(SERVERS) as cloud, Engine.at() as engine, faults.layers_trickle(cloud):
    with subprocess.Popen(one_off(cloud, engine).command(), env=engine.environment, stdout=subprocess.DEVNULL):
        cloud.wait_for_connection("established", S3)
        print("ready", flush=True)
        sys.stdin.read()
"""


def remains(owner: int, engine: Engine) -> list[str]:
    """All objects with the name of the session with the process id `owner`."""
    mark = f"ecr-probe-lab-{owner}-"
    left = [line for line in run("ip", "netns", "list").splitlines() if mark in line]
    left += [line for line in Path("/proc/mounts").read_text().splitlines() if mark in line]
    left += [str(path) for folder in ("/tmp", "/etc/netns") for path in Path(folder).glob(f"{mark}*")]
    left += [name for name in engine.containers() if mark in name]
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            command = process.joinpath("cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            left += [command] if mark in command else []
    return left


@pytest.fixture
def session(engine: Engine) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        (sys.executable, "-c", _SESSION),
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        start_new_session=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            assert len(remains(process.pid, engine)) > 10  # otherwise the test would prove nothing
            yield process
        finally:
            process.kill()


ENDING = 90  # seconds; podman alone takes many of them on a busy machine


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_laboratory_leaves_nothing(
    session: subprocess.Popen[str], engine: Engine, number: signal.Signals
) -> None:
    os.killpg(session.pid, number)
    session.wait(ENDING)
    assert remains(session.pid, engine) == []


def test_the_next_laboratory_removes_what_a_killed_one_left(session: subprocess.Popen[str], engine: Engine) -> None:
    os.killpg(session.pid, signal.SIGKILL)
    session.wait(ENDING)
    with Cloud(SERVERS), Engine.at():
        pass
    assert remains(session.pid, engine) == []

"""A signal in the middle of a run: the process ends soon and still prints its document."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import AbstractContextManager
from dataclasses import dataclass

import msgspec
import pytest

from probe.model import Failure, Status, Verdict
from tests.lab import faults
from tests.lab.cloud import CREDENTIALS, REGISTRY, ROOT, S3, Cloud
from tests.lab.images import Layout
from tests.lab.network import environment

SOON = 15.0  # seconds from the signal to the end; a check whose layer trickles lasts 30


@dataclass(frozen=True, slots=True)
class Interrupted:
    verdict: Verdict
    code: int


def interrupted(
    cloud: Cloud, image: Layout, fault: AbstractContextManager[None], number: signal.Signals, *, once: tuple[str, str]
) -> Interrupted:
    """Run a check and send it a signal once it has a connection in a state to an address: `once` is both."""
    flags = ("--image", f"{REGISTRY}/{image.reference}", "--ca-bundle", str(cloud.ca_bundle), "--format", "json")
    with (
        fault,
        subprocess.Popen(
            cloud.task.wrapped(sys.executable, "-m", "probe", "check", *flags, "--vpc-cidr", "10.0.0.0/16"),
            cwd=ROOT,
            env=environment({**CREDENTIALS, "HOME": str(cloud.folder)}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        try:
            cloud.wait_for_connection(*once)
            process.send_signal(number)  # `ip netns exec` replaced itself by the program
            out, err = process.communicate(timeout=SOON)
        finally:
            process.kill()
    assert err == ""
    verdict = msgspec.json.decode(out, type=Verdict)
    assert any(step.failure is Failure.DEADLINE for step in verdict.steps)
    return Interrupted(verdict, process.returncode)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_while_a_layer_trickles_nothing_is_proven(cloud: Cloud, image: Layout, number: signal.Signals) -> None:
    ended = interrupted(cloud, image, faults.layers_trickle(cloud), number, once=("established", S3))
    assert (ended.code, ended.verdict.status) == (3, Status.INCONCLUSIVE)


def test_while_nothing_answers(cloud: Cloud, image: Layout) -> None:
    fault = faults.endpoints_silent(cloud)
    ended = interrupted(cloud, image, fault, signal.SIGINT, once=("syn-sent", "10.0.10.10"))
    assert ended.code == ended.verdict.exit_code
    assert ended.code in (1, 3)

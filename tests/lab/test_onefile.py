"""The one-file build on a host that cannot pull an image: without environment variables, home and packages."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from probe import __version__
from probe.model import Action, Failure, Outcome, Pull, Severity, Status, Verdict
from probe.report.json import schema_text
from tests.lab.cloud import CREDENTIALS, REGISTRY, ROOT, Cloud
from tests.lab.images import Layout
from tests.lab.network import Host

IMAGE = f"{REGISTRY}/app:1"
# The Python outside the virtual environment of these tests, which has all packages that the file must contain.
PYTHON = (f"{sys.base_prefix}/bin/python3", "-I")


@dataclass(frozen=True, slots=True)
class OneFile:
    """The built file, and a scratch directory into which it unpacks itself at its first run."""

    path: Path
    scratch: Path

    def run(
        self, *arguments: str, at: Host | None = None, prefix: Sequence[str] = PYTHON, stdin: str = "", **environ: str
    ) -> subprocess.CompletedProcess[str]:
        command = (*prefix, str(self.path), *arguments)
        return subprocess.run(
            at.wrapped(*command) if at else command,
            cwd=self.scratch,
            env={"TMPDIR": str(self.scratch), **environ},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )


@pytest.fixture(scope="session")
def onefile(tmp_path_factory: pytest.TempPathFactory) -> OneFile:
    built = ROOT / "dist" / "ecr-probe.pyz"
    if not built.exists():
        pytest.skip("the file is not built: make onefile")
    return OneFile(built, tmp_path_factory.mktemp("onefile"))


def test_it_is_one_file_that_runs_by_itself(onefile: OneFile) -> None:
    done = onefile.run("--version", prefix=(), PATH=f"{Path(PYTHON[0]).parent}:/usr/bin:/bin")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"ecr-probe {__version__}\n", "")


def test_it_carries_no_path_of_the_machine_that_built_it(onefile: OneFile) -> None:
    onefile.run("--version")
    (unpacked,) = onefile.scratch.glob("ecr-probe-*/ecr-probe.pyz_*/site-packages")
    texts = [path for path in unpacked.rglob("*") if path.is_file() and path.suffix not in (".pyc", ".so", ".gz")]
    assert len(texts) > 1000
    assert not [path for path in texts if str(ROOT).encode() in path.read_bytes()]


def test_it_unpacks_once_for_its_user_alone(onefile: OneFile) -> None:
    onefile.run("--version")
    (own,) = onefile.scratch.glob("ecr-probe-*")
    assert own.stat().st_mode & 0o777 == 0o700
    (unpacked,) = own.glob("ecr-probe.pyz_*")
    assert list(unpacked.glob("site-packages/botocore/__pycache__/session.*.pyc"))
    before = unpacked.stat()
    assert onefile.run("--version", HOME="/proc").returncode == 0  # a home that is not writable
    assert unpacked.stat().st_ctime_ns == before.st_ctime_ns


def test_a_directory_that_cannot_be_created_is_reported_in_one_line(onefile: OneFile) -> None:
    done = onefile.run("--version", SHIV_ROOT="/proc/nowhere")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("ecr-probe: cannot be unpacked into /proc/nowhere: ")
    assert done.stderr.count("\n") == 1


def test_a_directory_mounted_noexec_is_reported_in_one_line(onefile: OneFile, tmp_path: Path) -> None:
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("a mount needs root on Linux")
    mounted = 'mount -t tmpfs -o noexec,mode=755 none "$SHIV_ROOT" && exec "$@"'
    prefix = ("unshare", "--mount", "/bin/sh", "-c", mounted, "sh", *PYTHON)
    done = onefile.run("check", "--image", IMAGE, prefix=prefix, SHIV_ROOT=str(tmp_path), PATH=os.environ["PATH"])
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"ecr-probe: cannot be unpacked into {tmp_path}: {tmp_path} is mounted noexec, ")
    assert done.stderr.count("\n") == 1


def test_a_directory_in_which_another_can_plant_code_is_refused(onefile: OneFile, tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    done = onefile.run("--version", SHIV_ROOT=str(tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    assert "can be changed by others" in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("lost", ["msgspec", "probe/run.py", "botocore/data/endpoints.json"])
def test_a_missing_file_is_unpacked_again(onefile: OneFile, lost: str) -> None:
    onefile.run("--version")
    (unpacked,) = onefile.scratch.glob("ecr-probe-*/ecr-probe.pyz_*/site-packages")
    path = unpacked / lost
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    done = onefile.run("schema")
    assert (done.returncode, done.stderr) == (0, "")
    assert path.exists()


def test_an_interruption_while_unpacking_prints_nothing(onefile: OneFile, tmp_path: Path) -> None:
    command = (*PYTHON, str(onefile.path), "check", "--image", IMAGE)
    environ = {"SHIV_ROOT": str(tmp_path)}
    with subprocess.Popen(command, env=environ, stderr=subprocess.PIPE, text=True, start_new_session=True) as running:
        until = time.monotonic() + 30
        while not list(
            tmp_path.glob("*/*.tmp/site-packages/pygments")
        ):  # late in the alphabet: compilation starts soon
            assert time.monotonic() < until
            time.sleep(0.02)
        time.sleep(0.5)
        os.killpg(running.pid, signal.SIGINT)
        _, err = running.communicate(timeout=30)
    assert (running.returncode, err) == (130, "")
    assert not list(tmp_path.glob("*/*.tmp"))


def test_the_printed_checksum_is_that_of_the_file(onefile: OneFile) -> None:
    packer = ROOT / ".venv" / "packer" / "bin" / "python"
    if not packer.exists():
        pytest.skip("the packer is not installed: make onefile")
    code = "import sys, pathlib, container.onefile.build as build; print(build.checksum(pathlib.Path(sys.argv[1])))"
    done = subprocess.run((packer, "-c", code, onefile.path), cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == f"{hashlib.sha256(onefile.path.read_bytes()).hexdigest()}  ecr-probe.pyz\n"


def test_commands_without_a_network(onefile: OneFile) -> None:
    done = onefile.run("schema")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == json.loads(schema_text())
    done = onefile.run("demo", "healthy")  # the build has no library for its certificates
    assert (done.returncode, done.stdout) == (2, "")
    assert "trustme" in done.stderr
    done = onefile.run("check", "--image", "nginx")
    assert (done.returncode, done.stdout) == (2, "")
    assert "ECR_PROBE_IMAGE" in done.stderr


def test_without_a_network_the_verdict_names_the_resolver_and_can_be_explained(onefile: OneFile, alone: Host) -> None:
    arguments = ("check", "--image", IMAGE, "--deadline", "10", "--connect-timeout", "0.5", "--format", "json")
    done = onefile.run(*arguments, at=alone, **CREDENTIALS)
    assert (done.returncode, done.stderr) == (1, "")
    verdict = msgspec.json.decode(done.stdout, type=Verdict)
    assert (verdict.status, verdict.identity.source) == (Status.FAIL, "env")
    assert [finding.code for finding in verdict.findings if finding.severity is Severity.ERROR] == [
        "dns.resolver-unreachable"
    ]
    failures = {step.failure for step in verdict.steps if step.action is Action.DNS and step.endpoint == "ecr.api"}
    assert failures == {Failure.NO_ANSWER}
    explained = onefile.run("explain", "-", "--format", "json", stdin=done.stdout)
    assert explained.returncode == 1, explained.stderr
    assert msgspec.json.decode(explained.stdout, type=Verdict).findings == verdict.findings


def test_health_fails_where_nothing_listens(onefile: OneFile, alone: Host) -> None:
    done = onefile.run("health", at=alone)
    assert (done.returncode, done.stdout) == (1, "")
    assert "nothing listens on 127.0.0.1:9879" in done.stderr


def test_it_signs_and_pulls(onefile: OneFile, cloud: Cloud, image: Layout) -> None:
    """Against the laboratory's servers: botocore's regions, credential chain and signer work inside the file."""
    arguments = ("check", "--image", f"{REGISTRY}/{image.reference}", "--vpc-cidr", "10.0.0.0/16", "--format", "json")
    done = onefile.run(*arguments, "--ca-bundle", str(cloud.ca_bundle), at=cloud.task, **CREDENTIALS)
    assert (done.returncode, done.stderr) == (0, "")
    verdict = msgspec.json.decode(done.stdout, type=Verdict)
    assert (verdict.status, verdict.pull) == (Status.PASS, Pull.WORKS)
    signed = [step.outcome for step in verdict.steps if step.action in (Action.CREDENTIALS, Action.TOKEN)]
    assert signed == [Outcome.OK, Outcome.OK]

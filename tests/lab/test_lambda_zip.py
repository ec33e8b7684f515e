"""The zip of the Lambda function: its contents, and that it needs only a Python of Lambda's runtimes."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from container.finish import SERVICES, UNREAD
from container.wheels import PYTHONS, extensions
from probe.model import Outcome, Pull, Status, Verdict
from probe.model import Path as NetworkPath
from tests.aws_lambda.simulated import VARIABLES
from tests.lab.cloud import CREDENTIALS, REGISTRY, ROOT, Cloud
from tests.lab.images import Layout
from tests.lab.network import Host, environment

ZIP = ROOT / "dist" / "ecr-probe-lambda-x86_64.zip"
PACKER = ROOT / ".venv" / "packer" / "bin" / "python"
IMAGE = f"{REGISTRY}/app:1"
MIB = 1 << 20
# The Python of these tests without their virtual environment, and other installed versions.
INTERPRETERS = sorted(
    {
        str(Path(path).resolve())
        for python in PYTHONS
        for path in (
            f"{sys.base_prefix}/bin/python3",
            shutil.which(f"python{python}", path="/usr/local/bin:/usr/bin"),
            *Path(sys.base_prefix).parent.glob(f"{python}.*/bin/python{python}"),
        )
        if path is not None
    }
)
# As Lambda does it: the unpacked zip on the path, and no other packages.
CALL = """
import json, sys
sys.path.insert(0, sys.argv[1])
from types import SimpleNamespace
from probe.aws_lambda import handler
context = SimpleNamespace(aws_request_id="1", get_remaining_time_in_millis=lambda: 20_000)
returned = handler(json.loads(sys.argv[2]), context)
files = [module.__file__ for module in list(sys.modules.values()) if getattr(module, "__file__", None)]
print(json.dumps({"returned": returned, "files": files}))
"""
POWERLESS = (
    "setpriv",
    "--bounding-set=-all",
    "--inh-caps=-all",
)  # root without capabilities, which cannot write read-only files


@dataclass(frozen=True, slots=True)
class Called:
    verdict: Verdict
    files: list[str]
    log: dict[str, object]


@pytest.fixture(scope="session")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not ZIP.exists():
        pytest.skip("the zip is not built: make lambda-zip")
    folder = tmp_path_factory.mktemp("lambda") / "task"
    with zipfile.ZipFile(ZIP) as archive:
        archive.extractall(folder)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    return folder


def call(python: str, unpacked: Path, at: Host, event: dict[str, object]) -> Called:
    done = subprocess.run(
        at.wrapped(*POWERLESS, python, "-I", "-S", "-c", CALL, str(unpacked), json.dumps(event)),
        cwd="/",
        env=environment({**VARIABLES, **CREDENTIALS, "LC_ALL": "C.UTF-8"}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    return Called(msgspec.convert(printed["returned"], Verdict), printed["files"], json.loads(done.stderr))


# ---- contents --------------------------------------------------------------------------------------------------------


def test_it_is_within_lambdas_quotas_and_readable_by_all(unpacked: Path) -> None:
    size = sum(path.stat().st_size for path in unpacked.rglob("*") if path.is_file())
    assert ZIP.stat().st_size < 20 * MIB
    assert size < 50 * MIB
    with zipfile.ZipFile(ZIP) as archive:
        entries = archive.infolist()
    assert {stat.S_IMODE(entry.external_attr >> 16) for entry in entries} == {0o644}
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)


def test_it_contains_only_what_a_function_reads(unpacked: Path) -> None:
    assert (unpacked / "probe" / "aws_lambda.py").exists()
    data = {path.name for path in (unpacked / "botocore" / "data").iterdir() if path.is_dir()}
    assert data <= set(SERVICES)
    assert not [name for name in UNREAD if (unpacked / name).exists()]
    assert not [path for path in unpacked.rglob("*") if path.suffix == ".pyc" or path.name in ("bin", "__pycache__")]


def test_compiled_modules_fit_every_runtime(unpacked: Path) -> None:
    names = [path.name for path in unpacked.rglob("*.so")]
    for extension in extensions("x86_64"):
        assert f"_cffi_backend{extension}" in names
        assert f"_core{extension}" in names  # msgspec's


def test_it_carries_no_path_of_the_machine_that_built_it(unpacked: Path) -> None:
    files = [path for path in unpacked.rglob("*") if path.is_file()]
    assert len(files) > 500
    assert not [path for path in files if str(ROOT).encode() in path.read_bytes()]


def test_the_same_sources_give_the_same_bytes(tmp_path: Path) -> None:
    """In any folder and with any umask: as `make lambda-zip`, which make test-lab runs first, has built it here."""
    if not (PACKER.exists() and ZIP.exists()):
        pytest.skip("the zip is not built: make lambda-zip")
    for name in ("probe", "container", "requirements"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    command = (PACKER, "-m", "container.lambda_zip", "made.zip", "x86_64")
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, umask=0o077)
    assert "python3.11 to python3.14 on x86_64" in done.stdout
    assert (tmp_path / "made.zip").read_bytes() == ZIP.read_bytes()


# ---- running ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("python", INTERPRETERS, ids=lambda python: Path(python).name)
def test_a_python_without_packages_runs_it_without_a_network(python: str, unpacked: Path, alone: Host) -> None:
    event = {"image": IMAGE, "vpc-cidr": ["10.0.0.0/16"], "deadline": 10, "connect-timeout": 0.5}
    called = call(python, unpacked, alone, event)
    assert (called.verdict.status, called.verdict.path) == (Status.FAIL, NetworkPath.LAMBDA_ENI)
    assert (called.log["event"], called.log["errors"]) == ("check", ["dns.resolver-unreachable"])
    library = Path(python).parents[1] / "lib"
    assert [file for file in called.files if not Path(file).is_relative_to(library)] == [
        file for file in called.files if Path(file).is_relative_to(unpacked)
    ]
    assert not [file for file in called.files if "site-packages" in file]


def test_it_signs_and_pulls_when_lambdas_client_calls_it(unpacked: Path, cloud: Cloud, image: Layout) -> None:
    """Against the laboratory's servers, twice in one process, with only the zip and the client on its path."""
    event = {
        "image": f"{REGISTRY}/{image.reference}",
        "vpc-cidr": ["10.0.0.0/16"],
        "ca-bundle": str(cloud.ca_bundle),
    }
    command = (sys.executable, "-m", "tests.aws_lambda.runtime_api", str(unpacked), "probe.aws_lambda.handler")
    done = cloud.in_task(*command, json.dumps(event), **VARIABLES)
    assert done.code == 0, done.err
    printed = json.loads(done.out)
    assert len(printed["log"]) == 2
    for document in printed["documents"]:
        verdict = msgspec.convert(document, Verdict)
        assert (verdict.status, verdict.pull, verdict.path) == (Status.PASS, Pull.UNPROVEN, NetworkPath.LAMBDA_ENI)
        assert not [step for step in verdict.steps if step.outcome is Outcome.FAILED and step.action != "control"]
        assert verdict.identity.source == "env"

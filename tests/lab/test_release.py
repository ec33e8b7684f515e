"""A release is built twice, the second time from another directory, and compared byte for byte.

The one-file and the zip are compared with those of `make onefile lambda-zip`. The image is built twice, which takes
about a minute.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from container import image_contents
from container.image_archive import OciArchive
from container.third_parties import DEBIAN, is_allowed
from tests.lab.cloud import ROOT
from tests.lab.containers import Engine, build_variables

SOURCES = ("container", "probe", "requirements", "Makefile", "pyproject.toml", "README.md", "LICENSE", ".dockerignore")
PACKER = ROOT / ".venv" / "packer"
ZIP = "ecr-probe-lambda-x86_64.zip"


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sources with the packer and the history, from which the time of the commit is read."""
    if not PACKER.exists():
        pytest.skip("the packer is not installed: make onefile")
    folder = tmp_path_factory.mktemp("elsewhere")
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, copy_function=shutil.copy)  # with new times
        else:
            shutil.copy(source, folder / name)
    (folder / ".venv").mkdir()
    (folder / ".venv" / "packer").symlink_to(PACKER)
    git = subprocess.run(
        ("git", "rev-parse", "--absolute-git-dir"), cwd=ROOT, capture_output=True, text=True, check=True
    )
    (folder / ".git").write_text(f"gitdir: {git.stdout}")
    return folder


def make(folder: Path, *arguments: str) -> None:
    subprocess.run(("make", "--silent", "-C", str(folder), *arguments), check=True, umask=0o077, capture_output=True)


def test_one_file_and_zip_are_the_same_when_built_elsewhere(elsewhere: Path) -> None:
    make(elsewhere, "onefile", "lambda-zip")
    for name in ("ecr-probe.pyz", ZIP):
        first, second = ((folder / "dist" / name).read_bytes() for folder in (ROOT, elsewhere))
        assert first == second, f"{name} differs: {len(first)} and {len(second)} bytes"


def test_the_layers_of_the_image_are_the_same_when_built_elsewhere(
    engine: Engine, elsewhere: Path, tmp_path: Path
) -> None:
    digests = []
    for number, folder in enumerate((ROOT, elsewhere)):
        archive = tmp_path / f"{number}.tar"
        with build_variables() as variables:
            flags = (f"IMAGE_ARCHIVE={archive}", "BUILD_FLAGS=--network host", *variables)
            engine.run("make", "--silent", "-C", str(folder), "image-archive", *flags, timeout=600)
        with OciArchive(archive) as read:
            (manifest,) = read.manifests()
            digests.append([layer["digest"] for layer in read.document(manifest)["layers"]])
    assert digests[0] == digests[1]
    assert len(digests[0]) == 2

    (contents,) = image_contents.read(tmp_path / "0.tar")
    assert contents.parts()["Python package: botocore"] > 1_000_000
    parties = contents.third_parties
    assert {"boto3", "libc6"} <= {party.name for party in parties}
    assert [party for party in parties if not is_allowed(party)] == []
    assert all(party.licence for party in parties if party.origin != DEBIAN)
    inspected = json.loads(engine.run("skopeo", "inspect", f"oci-archive:{tmp_path / '0.tar'}"))
    assert inspected["Layers"] == digests[0]

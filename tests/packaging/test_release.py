"""The files of a release: the same bytes from the same sources, what they hold, and their bills of materials."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from importlib.metadata import distributions
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from container import image_contents, sbom
from container.image_archive import OciArchive, join
from container.release import sums
from container.third_parties import (
    ThirdParty,
    as_json,
    debian_packages,
    is_allowed,
    python_packages,
    third_parties,
)
from container.wheels import LOCK, ROOT
from probe import __version__
from tests.packaging.images import image_archive
from tools import base_image
from tools.third_parties import FILE, page

SOURCES = ("probe", "container", "pyproject.toml", "README.md", "LICENSE")
EPOCH = 1_700_000_000
ENVIRONMENT = {"PATH": os.defpath, "SOURCE_DATE_EPOCH": str(EPOCH)}


# ---- wheel and sdist -------------------------------------------------------------------------------------------------


def built(folder: Path, *, umask: int, time: int) -> dict[str, bytes]:
    """The packages, from a copy of the sources with other modes and times."""
    sources = folder / "sources"
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, sources / name)  # with bytecode, if there is some
        else:
            shutil.copy(source, sources / name)
    for path in sources.rglob("*"):
        path.chmod(path.stat().st_mode & ~umask)
        os.utime(path, (time, time))
    command = (sys.executable, "-m", "container.release", "packages", str(folder / "built"))
    subprocess.run(command, cwd=sources, env=ENVIRONMENT, umask=umask, check=True, capture_output=True)
    return {path.name: path.read_bytes() for path in (folder / "built").iterdir()}


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return built(tmp_path_factory.mktemp("first"), umask=0o022, time=EPOCH)


def test_the_same_sources_give_the_same_packages(packages: dict[str, bytes], tmp_path: Path) -> None:
    again = built(tmp_path / "elsewhere", umask=0o077, time=EPOCH + 86_400)
    assert set(packages) == {f"ecr_probe-{__version__}-py3-none-any.whl", f"ecr_probe-{__version__}.tar.gz"}
    assert {name: hashlib.sha256(content).digest() for name, content in again.items()} == {
        name: hashlib.sha256(content).digest() for name, content in packages.items()
    }


def test_packages_have_no_bytecode_and_no_path_of_this_machine(packages: dict[str, bytes], tmp_path: Path) -> None:
    for name, content in packages.items():
        (tmp_path / name).write_bytes(content)
    (wheel,), (sdist,) = tmp_path.glob("*.whl"), tmp_path.glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as archive, tarfile.open(sdist) as tar:
        contents = {name: archive.read(name) for name in archive.namelist()}
        files = {member.name: tar.extractfile(member) for member in tar if member.isfile()}
        contents |= {name: file.read() for name, file in files.items() if file}
    assert any(name.endswith("probe/__main__.py") for name in contents)
    assert not [name for name in contents if name.endswith(".pyc")]
    assert not [name for name, content in contents.items() if str(ROOT).encode() in content]


def test_a_release_without_the_time_of_its_commit_is_refused(tmp_path: Path) -> None:
    command = (sys.executable, "-m", "container.release", "packages", str(tmp_path / "built"))
    done = subprocess.run(command, cwd=ROOT, env={"PATH": os.defpath}, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("SOURCE_DATE_EPOCH must be set, for example to $(git log")
    assert not (tmp_path / "built").exists()


def test_the_checksums_are_in_the_form_of_sha256sum(tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(b"b")
    (tmp_path / "a").write_bytes(b"a")
    (tmp_path / "SHA256SUMS").write_text(sums(tmp_path))
    done = subprocess.run(
        ("sha256sum", "--check", "--strict", "SHA256SUMS"), cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, "a: OK\nb: OK\n")


# ---- the image archive -----------------------------------------------------------------------------------------------


def test_archives_of_platforms_are_joined_into_one_image(tmp_path: Path) -> None:
    parts = [image_archive(tmp_path / f"{name}.tar", name, {"a": name.encode()}) for name in ("arm64", "amd64")]
    digest = join(parts, tmp_path / "image.tar")
    with OciArchive(tmp_path / "image.tar") as archive:
        assert [one["platform"]["architecture"] for one in archive.manifests()] == ["amd64", "arm64"]
    with tarfile.open(tmp_path / "image.tar") as tar:
        assert tar.getnames()[:2] == ["oci-layout", "index.json"]
        contents = {member.name: file.read() for member in tar if (file := tar.extractfile(member))}
    assert [one["digest"] for one in json.loads(contents.pop("index.json"))["manifests"]] == [digest]
    del contents["oci-layout"]
    assert all(name == f"blobs/sha256/{hashlib.sha256(content).hexdigest()}" for name, content in contents.items())
    reversed_parts = join(reversed(parts), tmp_path / "again.tar")
    assert (reversed_parts, (tmp_path / "again.tar").read_bytes()) == (digest, (tmp_path / "image.tar").read_bytes())


def test_a_damaged_archive_or_a_platform_twice_is_refused(tmp_path: Path) -> None:
    good = image_archive(tmp_path / "good.tar", "amd64", {"a": b"content that is long enough to be found"})
    with pytest.raises(ValueError, match="a platform is there twice"):
        join([good, good], tmp_path / "twice.tar")
    damaged = good.read_bytes().replace(b'"architecture": "amd64"', b'"architecture": "arm64"')
    assert damaged != good.read_bytes()
    (tmp_path / "bad.tar").write_bytes(damaged)
    with pytest.raises(ValueError, match="has other content"):
        join([tmp_path / "bad.tar"], tmp_path / "target.tar")


def test_the_contents_of_an_image_are_counted_by_part(tmp_path: Path) -> None:
    base = {
        "usr/lib/libc.so": b"c" * 5000,
        "usr/local/bin/pip3": b"p" * 700,
        "usr/local/lib/python3.13/os.py": b"o" * 300,
        "var/lib/dpkg/info/libc6:amd64.list": b"/.\n/lib/libc.so\n",
    }
    own = {
        "opt/ecr-probe/lib/python3.13/site-packages/probe/run.py": b"r" * 90,
        "opt/ecr-probe/lib/python3.13/site-packages/botocore/auth.py": b"a" * 60,
        "opt/ecr-probe/bytecode/x.pyc": b"b" * 40,
        "usr/local/bin/.wh.pip3": b"",
        image_contents.LIST: as_json([ThirdParty("python", "botocore", "1", "Apache-2.0")]).encode(),
    }
    path = image_archive(tmp_path / "image.tar", "arm64", base, own, links={"lib": "usr/lib"})
    (contents,) = image_contents.read(path)
    listed = len(own[image_contents.LIST])
    assert contents.parts() == {
        "Debian: libc6": 5000,
        "CPython": 300,
        "ecr-probe itself": 90 + listed,
        "Python package: botocore": 60,
        "bytecode of program, packages and standard library": 40,
        "Debian: no package's file": len(base["var/lib/dpkg/info/libc6:amd64.list"]),
    }
    assert [party.name for party in contents.third_parties] == ["botocore"]
    assert f"linux/arm64: {sum(contents.layers) / 1e6:.1f} MB compressed in 2 layers" in next(
        image_contents.table(contents)
    )


def test_the_base_of_the_image_is_pinned_in_one_place() -> None:
    lines = (ROOT / "container/base.Dockerfile").read_text().splitlines()
    (base,) = [line.removeprefix("FROM ") for line in lines if not line.startswith("#")]
    assert re.fullmatch(r"[a-z0-9./-]+:[\w.-]+@sha256:[0-9a-f]{64}", base)
    dockerfile = (ROOT / "container/Dockerfile").read_text()
    assert re.findall(r"^(?:ARG BASE|FROM).*$", dockerfile, re.MULTILINE) == [
        "ARG BASE",
        "FROM ${BASE} AS build",
        "FROM ${BASE}",
    ]
    command = ("make", "-C", str(ROOT), "--just-print", "image", "ENGINE=docker")
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert f"--build-arg BASE={base} " in printed


SKOPEO = """\
#!/bin/sh
test "$*" = "inspect --raw docker://registry.example/python:3" || exit 1
printf '%s' '{}'
"""


@pytest.mark.parametrize("architectures", [("amd64", "arm64", "s390x"), ("amd64",)])
def test_the_base_is_renewed_to_the_digest_of_its_index(
    architectures: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = json.dumps({"manifests": [{"platform": {"architecture": name}} for name in architectures]})
    (tmp_path / "skopeo").write_text(SKOPEO.replace("{}", index))
    (tmp_path / "skopeo").chmod(0o755)
    pinned = tmp_path / "base.Dockerfile"
    pinned.write_text(f"# why\nFROM registry.example/python:3@sha256:{'0' * 64}\n")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.defpath}")
    monkeypatch.setattr(base_image, "FILE", pinned)
    if "arm64" in architectures:
        base_image.main()
        digest = hashlib.sha256(index.encode()).hexdigest()
    else:
        with pytest.raises(SystemExit, match="has no image for arm64"):
            base_image.main()
        digest = "0" * 64
    assert pinned.read_text() == f"# why\nFROM registry.example/python:3@sha256:{digest}\n"


# ---- bills of materials ----------------------------------------------------------------------------------------------

PARTIES = (
    ThirdParty("python", "botocore", "1.40.0", "Apache-2.0"),
    ThirdParty("python", "cryptography", "50.0.0", "Apache-2.0 OR BSD-3-Clause"),
    ThirdParty("cpython", "CPython", "3.13.5", "PSF-2.0"),
    ThirdParty("debian", "bash", "5.2.15-2+b13", "GFDL-1.3, GPL-3+"),
    ThirdParty("debian", "libcrypt1", "1:4.4.33-2", ""),
)


def test_the_sbom_of_the_wheel_lists_the_lock_file_and_is_valid() -> None:
    licences = python_packages(distributions())
    text = sbom.of_lock(LOCK.read_text(), licences, seconds=EPOCH)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    assert text == sbom.of_lock(LOCK.read_text(), reversed(licences), seconds=EPOCH)
    document = json.loads(text)
    assert document["metadata"]["component"]["purl"] == f"pkg:pypi/ecr-probe@{__version__}"
    assert document["metadata"]["timestamp"] == "2023-11-14T22:13:20+00:00"
    locked = re.findall(r"^([a-z0-9-]+)==(\S+)", LOCK.read_text(), re.MULTILINE)
    assert [(one["name"], one["version"]) for one in document["components"]] == sorted(locked)
    assert all(one["licenses"] for one in document["components"])


def test_the_sbom_of_an_image_lists_all_that_it_holds_and_is_valid() -> None:
    digest = f"sha256:{'a' * 64}"
    text = sbom.of_image(PARTIES, architecture="arm64", digest=digest, seconds=EPOCH)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    document = json.loads(text)
    assert document["metadata"]["component"]["hashes"] == [{"alg": "SHA-256", "content": "a" * 64}]
    assert {one["purl"] for one in document["components"]} == {
        f"pkg:pypi/ecr-probe@{__version__}",
        "pkg:pypi/botocore@1.40.0",
        "pkg:pypi/cryptography@50.0.0",
        "pkg:generic/python@3.13.5",
        "pkg:deb/debian/bash@5.2.15-2%2Bb13",
        "pkg:deb/debian/libcrypt1@1:4.4.33-2",
    }


# ---- licences --------------------------------------------------------------------------------------------------------


def test_every_locked_library_has_a_licence_on_the_list() -> None:
    installed = {party.name: party for party in python_packages(distributions())}
    libraries = [installed[name] for name, _ in sbom.locked(LOCK.read_text())]
    assert len(libraries) > 20
    assert [party for party in libraries if not is_allowed(party)] == []


@pytest.mark.parametrize(
    ("licence", "allowed"),
    [
        ("MIT", True),
        ("GPL-3.0-or-later OR MIT", True),
        ("Apache-2.0 AND BSD-2-Clause", True),
        ("MIT AND GPL-3.0-or-later", False),
        ("AGPL-3.0-only", False),
        ("unknown", False),
        ("", False),
    ],
)
def test_a_licence_off_the_list_is_refused(licence: str, allowed: bool) -> None:
    assert is_allowed(ThirdParty("python", "x", "1", licence)) is allowed


def test_the_committed_list_is_current() -> None:
    assert FILE.read_text() == page(), "run: make third-parties"


DPKG = """\
Package: bash
Status: install ok installed
Section: shells
Version: 5.2

Package: gone
Status: deinstall ok config-files
Section: shells
Version: 1

Package: libx
Status: install ok installed
Section: {section}
Version: 2
"""


def debian(root: Path, section: str, *documented: str) -> Path:
    (root / "var/lib/dpkg").mkdir(parents=True)
    (root / "var/lib/dpkg/status").write_text(DPKG.format(section=section))
    for name in documented:
        (root / f"usr/share/doc/{name}").mkdir(parents=True)
        (root / f"usr/share/doc/{name}/copyright").write_text(
            "Files: *\nLicense: GPL-3+\n see /usr/share/common-licenses/GPL-3.\n\nFiles: x\nLicense: Expat\n Text\n"
        )
    return root


def test_debian_packages_are_listed_with_the_licences_of_their_copyright_file(tmp_path: Path) -> None:
    root = debian(tmp_path, "libs", "bash", "libx")
    (root / "usr/local/include/python3.13").mkdir(parents=True)
    (root / "usr/local/include/python3.13/patchlevel.h").write_text('#define PY_VERSION      \t"3.13.5"\n')
    assert third_parties(root, tmp_path / "nothing") == [
        ThirdParty("cpython", "CPython", "3.13.5", "PSF-2.0"),
        ThirdParty("debian", "bash", "5.2", "Expat, GPL-3, GPL-3+"),
        ThirdParty("debian", "libx", "2", "Expat, GPL-3, GPL-3+"),
    ]


def test_a_debian_package_outside_main_or_without_a_licence_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"libx is not in Debian's main: its section is non-free/libs"):
        debian_packages(debian(tmp_path / "a", "non-free/libs", "bash", "libx"))
    with pytest.raises(ValueError, match="libx has no copyright file"):
        debian_packages(debian(tmp_path / "b", "libs", "bash"))

"""Makes the one file: locked wheels for every Python it may meet, the package from this tree, packed by shiv.

    python -m container.onefile.build TARGET [MACHINE]

Wheels are fetched for Linux whatever this machine is; MACHINE is x86_64 or aarch64. Pure modules are the same for all
Pythons, and compiled ones carry the Python's version in their names, so that all lie in one directory.
"""

from __future__ import annotations

import hashlib
import json
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from datetime import UTC, datetime
from pathlib import Path

from shiv import __version__ as shiv_version
from shiv.bootstrap.environment import Environment
from shiv.builder import create_archive
from shiv.constants import BUILD_AT_TIMESTAMP_FORMAT

from container.onefile.unpack import BUILT

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
LOCK = ROOT / "requirements" / "runtime.txt"
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
# The C libraries of Amazon Linux 2023, Debian 12 and all that is newer: glibc 2.28 is the newest that a wheel may need.
GLIBC_MINORS = range(28, 16, -1)
MACHINES = {"arm64": "aarch64", "amd64": "x86_64"}
FIRST = ("__init__.py", "start.py", "unpack.py")
EPOCH = datetime(1980, 1, 1, tzinfo=UTC)  # so that the same sources give the same bytes


def main(target: Path, machine: str) -> None:
    machine = MACHINES.get(machine.lower(), machine.lower())
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        site = Path(scratch, "site-packages")
        _install_locked(site, LOCK, PYTHONS[0], machine)
        compiled = Path(scratch, "compiled.txt")
        compiled.write_text(_compiled_part(LOCK.read_text(), site))
        for python in PYTHONS[1:]:
            _install_locked(Path(scratch, python), compiled, python, machine)
            shutil.copytree(Path(scratch, python), site, dirs_exist_ok=True)
        _pip("--no-deps", "--no-build-isolation", "--target", str(Path(scratch, "own")), str(ROOT))
        shutil.copytree(Path(scratch, "own"), site, dirs_exist_ok=True)
        _strip(site)
        packed = Path(scratch, "packed")
        _pack(site, packed, machine)
        shutil.move(packed, target)
    print(f"{target}: {target.stat().st_size / 1e6:.1f} MB, Python {PYTHONS[0]} to {PYTHONS[-1]} on Linux {machine}")
    print(checksum(target))


def checksum(file: Path) -> str:
    """As sha256sum prints it: Python tells a file that was cut short on its way in words that help nobody."""
    return f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}"


def _install_locked(site: Path, lock: Path, python: str, machine: str) -> None:
    libraries = [f"manylinux_2_{minor}_{machine}" for minor in GLIBC_MINORS] + [f"manylinux2014_{machine}"]
    platforms = [word for library in libraries for word in ("--platform", library)]
    wheels = ("--only-binary", ":all:", "--implementation", "cp", "--python-version", python, *platforms)
    _pip("--no-deps", "--require-hashes", *wheels, "--target", str(site), "--requirement", str(lock))


def _pip(*words: str) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile", *words]
    subprocess.run(command, check=True)


def _compiled_part(lock: str, site: Path) -> str:
    """The lines of the lock whose wheels hold compiled modules: only they differ from Python to Python."""
    compiled = {
        _normal(wheel.parent.name.partition("-")[0])
        for wheel in site.glob("*.dist-info/WHEEL")
        if "Root-Is-Purelib: false" in wheel.read_text()
    }
    entries = re.split(r"\n(?=\S)", lock)
    return "\n".join(entry for entry in entries if _normal(entry.partition("==")[0]) in compiled)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _strip(site: Path) -> None:
    """Leave out what only an installation needs: it would carry paths of this machine."""
    shutil.rmtree(site / "bin", ignore_errors=True)
    for name in ("direct_url.json", "RECORD", "REQUESTED", "INSTALLER"):
        for file in site.glob(f"*.dist-info/{name}"):
            file.unlink()
    for path in (site, *site.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)  # whatever the umask is here


def _pack(site: Path, target: Path, machine: str) -> None:
    environment = Environment(
        built_at=EPOCH.strftime(BUILD_AT_TIMESTAMP_FORMAT),
        shiv_version=shiv_version,
        entry_point="probe.cli:main",
        compile_pyc=True,
        reproducible=True,
    )
    create_archive([site], target, "/usr/bin/env python3", "onefile.start:main", environment)
    names = [f".cpython-{python.replace('.', '')}-{machine}-linux-gnu.so" for python in PYTHONS]
    missing = [name for name in names if not any(site.rglob(f"*{name}"))]
    if missing:
        raise SystemExit(f"no compiled module is named {', '.join(missing)}: is there no wheel?")
    own = {name: (HERE / name).read_bytes() for name in FIRST}
    own[BUILT] = json.dumps({"extensions": names}).encode()
    with zipfile.ZipFile(target, "a", zipfile.ZIP_DEFLATED) as archive:
        for name, content in own.items():
            archive.writestr(zipfile.ZipInfo(f"onefile/{name}", EPOCH.timetuple()[:6]), content)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else platform.machine())

"""Install the program and its locked libraries into one directory, for several Pythons and a given processor.

Pure modules are the same for all Pythons. Compiled ones have the Python's version in their names, so they can share a
directory.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "requirements" / "runtime.txt"
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
MACHINES = {"arm64": "aarch64", "amd64": "x86_64"}
OLDEST_GLIBC = 17  # of manylinux2014
EPOCH = (1980, 1, 1, 0, 0, 0)  # the time of every packed file, so that the same sources give the same bytes


def machine_named(name: str) -> str:
    """A processor by its name in wheels."""
    return MACHINES.get(name.lower(), name.lower())


def install(site: Path, machine: str, *, glibc: int) -> None:
    """Fill `site` for Linux with glibc 2.`glibc` or newer. Ends the program if a Python has no wheel."""
    with tempfile.TemporaryDirectory() as scratch:
        _install_locked(site, LOCK, PYTHONS[0], machine, glibc)
        compiled = Path(scratch, "compiled.txt")
        compiled.write_text(_compiled_part(LOCK.read_text(), site))
        for python in PYTHONS[1:]:
            _install_locked(Path(scratch, python), compiled, python, machine, glibc)
            shutil.copytree(Path(scratch, python), site, dirs_exist_ok=True)
        _pip("--no-deps", "--no-build-isolation", "--target", str(Path(scratch, "own")), str(ROOT))
        shutil.copytree(Path(scratch, "own"), site, dirs_exist_ok=True)
    _strip(site)
    missing = [name for name in extensions(machine) if not any(site.rglob(f"*{name}"))]
    if missing:
        raise SystemExit(f"no compiled module is named {', '.join(missing)}: is there no wheel?")


def extensions(machine: str) -> list[str]:
    """The suffix of compiled modules for each Python; it contains version, processor and C library."""
    return [f".cpython-{python.replace('.', '')}-{machine}-linux-gnu.so" for python in PYTHONS]


def _install_locked(site: Path, lock: Path, python: str, machine: str, glibc: int) -> None:
    libraries = [f"manylinux_2_{minor}_{machine}" for minor in range(glibc, OLDEST_GLIBC - 1, -1)]
    platforms = [part for library in (*libraries, f"manylinux2014_{machine}") for part in ("--platform", library)]
    wheels = ("--only-binary", ":all:", "--implementation", "cp", "--python-version", python, *platforms)
    _pip("--no-deps", "--require-hashes", *wheels, "--target", str(site), "--requirement", str(lock))


def _pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    subprocess.run([*command, *arguments], check=True)


def _compiled_part(lock: str, site: Path) -> str:
    """The entries of the lock that have compiled modules in their wheels: only these differ between Pythons."""
    compiled = {
        _normal(wheel.parent.name.partition("-")[0])
        for wheel in site.glob("*.dist-info/WHEEL")
        if "Root-Is-Purelib: false" in wheel.read_text()
    }
    entries = re.split(r"\n(?=\S)", lock)
    return "\n".join(entry for entry in entries if _normal(entry.partition("==")[0]) in compiled)


def _normal(name: str) -> str:
    """A package's name in its normalized form (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _strip(site: Path) -> None:
    """Remove files that only an installer needs: they contain paths of this machine."""
    shutil.rmtree(site / "bin", ignore_errors=True)
    for name in ("direct_url.json", "RECORD", "REQUESTED", "INSTALLER"):
        for file in site.glob(f"*.dist-info/{name}"):
            file.unlink()
    for path in (site, *site.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)  # independent of this machine's umask

"""Create the one file: the program and its libraries for every supported Python, packed by shiv.

    python -m container.onefile.build TARGET [MACHINE]

MACHINE is x86_64 or aarch64, by default this machine's.
"""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
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
from container.wheels import EPOCH, PYTHONS, extensions, install, machine_named

HERE = Path(__file__).parent
GLIBC = 28  # of 2.28: Amazon Linux 2023, Debian 12 and newer systems have at least this C library
FIRST = ("__init__.py", "start.py", "unpack.py")


def main(target: Path, machine: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        site = Path(scratch, "site-packages")
        install(site, machine, glibc=GLIBC)
        packed = Path(scratch, "packed")
        _pack(site, packed, machine)
        shutil.move(packed, target)
    print(f"{target}: {target.stat().st_size / 1e6:.1f} MB, Python {PYTHONS[0]} to {PYTHONS[-1]} on Linux {machine}")
    print(checksum(target))


def checksum(file: Path) -> str:
    """A line in the format of sha256sum: Python's error for a truncated file does not name the reason."""
    return f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}"


def _pack(site: Path, target: Path, machine: str) -> None:
    environment = Environment(
        built_at=datetime(*EPOCH, tzinfo=UTC).strftime(BUILD_AT_TIMESTAMP_FORMAT),
        shiv_version=shiv_version,
        entry_point="probe.__main__:run",
        compile_pyc=True,
        reproducible=True,
    )
    create_archive([site], target, "/usr/bin/env python3", "onefile.start:main", environment)
    own = {name: (HERE / name).read_bytes() for name in FIRST}
    own[BUILT] = json.dumps({"extensions": extensions(machine)}).encode()
    with zipfile.ZipFile(target, "a", zipfile.ZIP_DEFLATED) as archive:
        for name, content in own.items():
            archive.writestr(zipfile.ZipInfo(f"onefile/{name}", EPOCH), content)


if __name__ == "__main__":
    main(Path(sys.argv[1]), machine_named(sys.argv[2] if len(sys.argv) > 2 else platform.machine()))

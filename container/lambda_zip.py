"""Create the zip of the Lambda function: the program and its libraries for every Python of Lambda's runtimes.

    python -m container.lambda_zip TARGET MACHINE

MACHINE is x86_64 or aarch64. The zip contains no bytecode: it would fit only one Python, and none can be written where
Lambda unpacks the zip.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
import zipfile
from pathlib import Path

from container.finish import drop_unread
from container.wheels import EPOCH, PYTHONS, install, machine_named

GLIBC = 26  # of 2.26: python3.11 runs on Amazon Linux 2, newer runtimes on Amazon Linux 2023
# In bytes: a zip that is uploaded without S3, and all that is unpacked, layers included. AWS[lambda-package-size]
MOST_ZIPPED, MOST_UNZIPPED = 50 << 20, 250 << 20


def main(target: Path, machine: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        site = Path(scratch, "site-packages")
        install(site, machine, glibc=GLIBC)
        drop_unread(site)
        unzipped = _pack(site, target)
    zipped = target.stat().st_size
    if zipped > MOST_ZIPPED or unzipped > MOST_UNZIPPED:
        raise SystemExit(f"{target} is larger than Lambda accepts: {zipped} bytes, {unzipped} unpacked")
    print(
        f"{target}: {zipped / 1e6:.1f} MB, {unzipped / 1e6:.1f} MB unpacked, "
        f"for the runtimes python{PYTHONS[0]} to python{PYTHONS[-1]} on {machine}"
    )
    print(f"{hashlib.sha256(target.read_bytes()).hexdigest()}  {target.name}")


def _pack(site: Path, target: Path) -> int:
    """Write the zip; returns its unpacked size in bytes."""
    files = sorted((path for path in site.rglob("*") if path.is_file()), key=str)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in files:
            entry = zipfile.ZipInfo(path.relative_to(site).as_posix(), EPOCH)
            entry.external_attr = path.stat().st_mode << 16  # the function runs as another user
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes(), compresslevel=9)
    return sum(path.stat().st_size for path in files)


if __name__ == "__main__":
    main(Path(sys.argv[1]), machine_named(sys.argv[2]))

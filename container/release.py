"""Make the files of a release: `make release` runs each step in turn.

    python -m container.release packages FOLDER    the wheel and the sdist
    python -m container.release finish FOLDER      SBOMs, the third parties of the image, and SHA256SUMS

The same commit gives the same bytes: SOURCE_DATE_EPOCH, which must be set, is the time of every file.
"""

from __future__ import annotations

import hashlib
import os
import sys
from importlib.metadata import distributions
from pathlib import Path

from flit_core import buildapi

from container import image_contents, sbom
from container.third_parties import as_markdown, python_packages
from container.wheels import LOCK, ROOT

IMAGE = "ecr-probe-image.tar"
SUMS = "SHA256SUMS"


def make_packages(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    target = str(folder.resolve())
    os.chdir(ROOT)  # flit_core builds the project of the working directory
    umask = os.umask(0o022)
    try:
        buildapi.build_wheel(target)
        buildapi.build_sdist(target)
    finally:
        os.umask(umask)
    for path in Path(target).iterdir():
        path.chmod(0o644)  # flit_core keeps the mode of its temporary file


def finish(folder: Path) -> None:
    """What is made of the other files: SBOMs, the third parties of the image where there is one, and the checksums."""
    (zipped,) = folder.glob("*-lambda-x86_64.zip")  # it has the metadata of every package
    licences = python_packages(distributions(path=[str(zipped)]))
    (folder / "ecr-probe.cdx.json").write_text(sbom.of_lock(LOCK.read_text(), licences, seconds=epoch()))
    if (folder / IMAGE).exists():
        for contents in image_contents.read(folder / IMAGE):
            parties, architecture = contents.third_parties, contents.architecture
            document = sbom.of_image(parties, architecture=architecture, digest=contents.digest, seconds=epoch())
            (folder / f"ecr-probe-image-{architecture}.cdx.json").write_text(document)
            (folder / f"third-parties-{architecture}.md").write_text(as_markdown(parties))
    (folder / SUMS).write_text(sums(folder))


def sums(folder: Path) -> str:
    """Lines that `sha256sum --check` reads, one for each file but this one."""
    paths = sorted(path for path in folder.iterdir() if path.name != SUMS)
    return "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in paths)


def epoch() -> int:
    """Seconds since 1970. Ends the program if they are not set, since the files would depend on the clock."""
    value = os.environ.get("SOURCE_DATE_EPOCH", "")
    if not value.isdecimal():
        raise SystemExit(
            "SOURCE_DATE_EPOCH must be set, for example to $(git log -1 --format=%ct); make release does it"
        )
    return int(value)


def main(step: str, folder: str) -> None:
    steps = {"packages": make_packages, "finish": finish}
    epoch()
    steps[step](Path(folder))


if __name__ == "__main__":
    main(*sys.argv[1:])

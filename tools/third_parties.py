"""Write docs/third-party.md: the licences of the libraries in requirements/runtime.txt.

python -m tools.third_parties
"""

from __future__ import annotations

from importlib.metadata import distribution
from pathlib import Path

from container.sbom import locked
from container.third_parties import ALLOWED, python_packages
from container.wheels import LOCK

FILE = Path(__file__).parents[1] / "docs" / "third-party.md"
_PAGE = """\
# Third parties

The libraries that `ecr-probe` is installed with, from `requirements/runtime.txt`, with the licences that their metadata
states. `make third-parties` writes this page. A test fails on a licence that is not one of {allowed}.

The image also holds CPython and the Debian packages of its base. Its build lists all of them with their versions and
licences in `/opt/ecr-probe/third-parties.json`. It fails on a package outside Debian's `main`, and on one without its
copyright file. The texts are in the image: those of Debian packages are `/usr/share/doc/PACKAGE/copyright`, those of
Python packages are next to their metadata.

| library | licence |
|---|---|
{rows}
"""


def page() -> str:
    names = [name for name, _ in locked(LOCK.read_text())]
    licences = {party.name: party.licence for party in python_packages(map(distribution, names))}
    rows = [f"| {name} | {licences[name]} |" for name in names]
    return _PAGE.format(allowed=", ".join(sorted(ALLOWED)), rows="\n".join(rows))


def main() -> None:
    FILE.write_text(page())


if __name__ == "__main__":
    main()

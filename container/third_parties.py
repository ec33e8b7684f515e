"""The third parties of the image and their licences: Python packages, CPython, Debian packages.

    python container/third_parties.py FILE

The image's build runs this in the environment that is shipped, and the image has the list as
/opt/ecr-probe/third-parties.json. It needs only the standard library, because that environment has no tools.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from email.parser import HeaderParser
from importlib.metadata import Distribution, PackageMetadata, distributions
from pathlib import Path
from typing import NamedTuple

OWN = "ecr-probe"
DEBIAN = "debian"
# Licences of what runs inside the program, as SPDX identifiers: permissive ones, and MPL-2.0 for unchanged files.
ALLOWED = frozenset(
    {
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "ISC",
        "MIT",
        "MIT-0",
        "MPL-2.0",
        "PSF-2.0",
        "ZPL-2.1",
    }
)
# The licences of metadata without a License-Expression.
_SPDX = {
    "Apache-2.0": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "MIT": "MIT",
    "MPL-2.0": "MPL-2.0",
    "ZPL 2.1": "ZPL-2.1",
}
_SPDX_OF_CLASSIFIERS = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}
_CLASSIFIER = "License :: OSI Approved :: "


class ThirdParty(NamedTuple):
    """`origin` is "python", "cpython" or "debian".

    `licence` is an SPDX expression; for a Debian package the names in its copyright file, or "" if that file has none.
    """

    origin: str
    name: str
    version: str
    licence: str


def is_allowed(party: ThirdParty) -> bool:
    """Whether every licence that applies is in ALLOWED.

    Debian's packages are not judged by name: Debian's `main`, which is checked when the list is made, has only licences
    that follow Debian's Free Software Guidelines.
    """
    if party.origin == DEBIAN:
        return True
    return all(
        any(name in ALLOWED for name in alternative.split(" OR ")) for alternative in party.licence.split(" AND ")
    )


def third_parties(root: Path, environment: Path) -> list[ThirdParty]:
    """What the file system at `root` holds, with the Python packages of the directory `environment`."""
    return [*python_packages(distributions(path=[str(environment)])), *cpython(root), *debian_packages(root)]


# ---- Python ----------------------------------------------------------------------------------------------------------


def python_packages(installed: Iterable[Distribution]) -> list[ThirdParty]:
    """Every package but the program, by name."""
    rows = [(_normal(package.name), package) for package in installed]
    return [
        ThirdParty("python", name, package.version, licence_of(package.metadata))
        for name, package in sorted(rows, key=lambda row: row[0])
        if name != OWN
    ]


def licence_of(metadata: PackageMetadata) -> str:
    """The SPDX expression, "unknown" where the metadata has none that we know."""
    fields = metadata.json
    expression, named = str(fields.get("license_expression", "")), str(fields.get("license", ""))
    if expression:
        return expression
    if named in _SPDX:
        return _SPDX[named]
    classifiers = fields.get("classifier", ())
    names = {
        _SPDX_OF_CLASSIFIERS.get(text.removeprefix(_CLASSIFIER), "unknown")
        for text in ([classifiers] if isinstance(classifiers, str) else classifiers)
        if text.startswith(_CLASSIFIER)
    }
    return " AND ".join(sorted(names)) or "unknown"


def cpython(root: Path) -> Iterator[ThirdParty]:
    """The Python of Docker's official images; Debian's own is a Debian package."""
    for header in sorted(root.glob("usr/local/include/python3.*/patchlevel.h")):
        if version := re.search(r'^#define PY_VERSION\s+"([^"]+)"', header.read_text(), re.MULTILINE):
            yield ThirdParty("cpython", "CPython", version[1], "PSF-2.0")


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


# ---- Debian ----------------------------------------------------------------------------------------------------------


def debian_packages(root: Path) -> list[ThirdParty]:
    """The installed packages. Raises ValueError for one outside `main`, or one without its copyright file."""
    status = root / "var/lib/dpkg/status"
    if not status.exists():
        return []
    paragraphs = (HeaderParser().parsestr(text) for text in status.read_text().split("\n\n") if text.strip())
    installed = [package for package in paragraphs if package["Status"] == "install ok installed"]
    return sorted(_debian_package(root, dict(package)) for package in installed)


def _debian_package(root: Path, package: Mapping[str, str]) -> ThirdParty:
    name, section = package["Package"], package.get("Section", "")
    if "/" in section:  # contrib/…, non-free/…
        raise ValueError(f"{name} is not in Debian's main: its section is {section}")
    copyright_file = root / f"usr/share/doc/{name}/copyright"
    if not copyright_file.is_file():
        raise ValueError(f"{name} has no copyright file: {copyright_file}")
    return ThirdParty(DEBIAN, name, package["Version"], _named_licences(copyright_file.read_text(errors="replace")))


# The short names in a machine-readable copyright file, and the texts of /usr/share/common-licenses in other ones.
_NAMED = re.compile(
    r"^License:[ \t]*([A-Za-z0-9][\w.+-]*)[ \t]*$|common-licenses/([A-Z][A-Za-z0-9-]+(?:\.\d+)?)", re.MULTILINE
)


def _named_licences(text: str) -> str:
    return ", ".join(sorted({short or common for short, common in _NAMED.findall(text)}))


# ---- the list --------------------------------------------------------------------------------------------------------


def as_json(parties: Iterable[ThirdParty]) -> str:
    """One line for each."""
    return "[\n" + ",\n".join(json.dumps(party._asdict()) for party in parties) + "\n]\n"


def from_json(text: str) -> list[ThirdParty]:
    return [ThirdParty(**row) for row in json.loads(text)]


def as_markdown(parties: Iterable[ThirdParty]) -> str:
    rows = [
        f"| {party.name} | {party.version} | {party.licence or 'see its copyright file'} | {party.origin} |"
        for party in parties
    ]
    return "\n".join(["| name | version | licence | origin |", "|---|---|---|---|", *rows, ""])


def main(file: str) -> None:
    import sysconfig

    parties = third_parties(Path("/"), Path(sysconfig.get_path("purelib")))
    if refused := [party for party in parties if not is_allowed(party)]:
        raise SystemExit(f"licences that are not in ALLOWED of container/third_parties.py: {refused}")
    Path(file).write_text(as_json(parties))


if __name__ == "__main__":
    main(*sys.argv[1:])

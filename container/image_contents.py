"""What the image of an archive is made of, as a table: `make image-contents`.

    python -m container.image_contents ARCHIVE

Sizes are those of the files that a container sees, and of the compressed layers that are pulled.
"""

from __future__ import annotations

import re
import sys
import tarfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from container.image_archive import OciArchive
from container.third_parties import ThirdParty, from_json

HOME = "opt/ecr-probe"
LIST = f"{HOME}/third-parties.json"
_DPKG = "var/lib/dpkg/info/"
_WHITEOUT = ".wh."
_PACKAGE = re.compile(rf"^{HOME}/lib/python3\.\d+/site-packages/(?P<name>[^/]+)")
_LARGEST = 12  # rows of parts; the rest is one row


@dataclass(slots=True)
class Contents:
    """One platform. `sizes` are bytes by path; `texts` is what the parts are recognized by."""

    architecture: str
    digest: str
    layers: list[int]  # bytes, compressed
    sizes: dict[str, int] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)

    @property
    def third_parties(self) -> list[ThirdParty]:
        return from_json(self.texts[LIST])

    def parts(self) -> Counter[str]:
        """Bytes by what a file belongs to."""
        owners = self._debian_owners()
        counted: Counter[str] = Counter()
        for path, size in self.sizes.items():
            counted[_part(path, owners)] += size
        return counted

    def _debian_owners(self) -> dict[str, str]:
        """The Debian package of each path. Lists of packages have /lib/…, which is a link to /usr/lib."""
        owners = {}
        for path, text in self.texts.items():
            if path.startswith(_DPKG):
                package = path.removeprefix(_DPKG).removesuffix(".list").partition(":")[0]
                for line in text.splitlines():
                    first, _, rest = line.lstrip("/").partition("/")
                    owners[f"{self.links[first]}/{rest}" if first in self.links else f"{first}/{rest}"] = package
        return owners


def read(path: Path) -> list[Contents]:
    """Every platform of the archive."""
    with OciArchive(path) as archive:
        return [_read(archive, descriptor) for descriptor in archive.manifests()]


def _read(archive: OciArchive, descriptor: Mapping[str, Any]) -> Contents:
    layers = archive.document(descriptor)["layers"]
    contents = Contents(
        descriptor["platform"]["architecture"], descriptor["digest"], [int(layer["size"]) for layer in layers]
    )
    for layer in layers:
        with archive.open(layer) as file, tarfile.open(fileobj=file, mode="r|*") as tar:
            for member in tar:
                _apply(contents, tar, member)
    return contents


def _apply(contents: Contents, tar: tarfile.TarFile, member: tarfile.TarInfo) -> None:
    path = member.name.removeprefix("./").rstrip("/")
    folder, _, name = path.rpartition("/")
    if name.startswith(_WHITEOUT):
        removed = f"{folder}/{name.removeprefix(_WHITEOUT)}".lstrip("/")
        for known in [known for known in contents.sizes if known == removed or known.startswith(f"{removed}/")]:
            del contents.sizes[known]
        return
    if member.issym():
        contents.links[path] = member.linkname.lstrip("/")
    if not member.isfile():
        return
    contents.sizes[path] = member.size
    if path == LIST or (path.startswith(_DPKG) and path.endswith(".list")):
        file = tar.extractfile(member)
        contents.texts[path] = file.read().decode() if file else ""


def _part(path: str, owners: Mapping[str, str]) -> str:
    if package := _PACKAGE.match(path):
        name = re.split(r"[-.]", package["name"])[0]
        return "ecr-probe itself" if name in ("probe", "ecr_probe") else f"Python package: {name.lstrip('_')}"
    if path.startswith(f"{HOME}/bytecode/"):
        return "bytecode of program, packages and standard library"
    if path.startswith(HOME):
        return "ecr-probe itself"
    if path in owners:
        return f"Debian: {owners[path]}"
    return "CPython" if path.startswith("usr/local/") else "Debian: no package's file"


def table(contents: Contents) -> Iterator[str]:
    """Lines of Markdown."""
    compressed, unpacked = sum(contents.layers), sum(contents.sizes.values())
    own = sum(size for path, size in contents.sizes.items() if path.startswith(HOME))
    parts = contents.parts().most_common()
    yield f"linux/{contents.architecture}: {_mb(compressed)} compressed in {len(contents.layers)} layers"
    yield f"({', '.join(map(_mb, contents.layers))}), {_mb(unpacked)} unpacked; ecr-probe adds {_mb(own)} to its base."
    yield from ("", "| part | unpacked |", "|---|---:|")
    for name, size in parts[:_LARGEST]:
        yield f"| {name} | {_mb(size)} |"
    yield f"| {len(parts[_LARGEST:])} more | {_mb(sum(size for _, size in parts[_LARGEST:]))} |"


def _mb(size: int) -> str:
    return f"{size / 1e6:.1f} MB"


def main(archive: str) -> None:
    for contents in read(Path(archive)):
        print("\n".join(table(contents)), end="\n\n")


if __name__ == "__main__":
    main(*sys.argv[1:])

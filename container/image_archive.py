"""Join OCI archives of single platforms into one archive of the image: `make image-archive`.

    python -m container.image_archive TARGET ARCHIVE …

The archive is an OCI image layout (https://github.com/opencontainers/image-spec/blob/main/image-layout.md) in a tar
file, whose only entry is an index of all platforms. skopeo, podman and crane read it, and the same platforms give the
same bytes.
"""

from __future__ import annotations

import hashlib
import io
import json
import sys
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

from probe import __version__

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
LAYOUT = b'{"imageLayoutVersion":"1.0.0"}'


class OciArchive:
    """An OCI layout in a tar file. Raises ValueError for content that does not match its digest."""

    def __init__(self, path: Path) -> None:
        self._path, self._tar = path, tarfile.open(path)  # noqa: SIM115 - closed by __exit__
        self._members = {member.name.removeprefix("./"): member for member in self._tar if member.isfile()}

    def __enter__(self) -> OciArchive:
        return self

    def __exit__(self, *_: object) -> None:
        self._tar.close()

    def manifests(self) -> Iterator[dict[str, Any]]:
        """The descriptor of each platform's manifest, with its platform."""
        yield from self._manifests(json.loads(self._read("index.json")))

    def _manifests(self, index: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        for descriptor in index["manifests"]:
            if descriptor["mediaType"] == INDEX:
                yield from self._manifests(self.document(descriptor))
            else:
                configuration = self.document(self.document(descriptor)["config"])
                platform = {"architecture": configuration["architecture"], "os": configuration["os"]}
                yield {**_bare(descriptor), "platform": platform}

    def document(self, descriptor: Mapping[str, Any]) -> dict[str, Any]:
        """A manifest, an index or a configuration."""
        content = self._read(blob_path(descriptor))
        _check(descriptor, hashlib.sha256(content).hexdigest())
        return dict(json.loads(content))

    def open(self, descriptor: Mapping[str, Any]) -> IO[bytes]:
        return self._open(blob_path(descriptor))

    def _read(self, name: str) -> bytes:
        with self._open(name) as file:
            return file.read()

    def _open(self, name: str) -> IO[bytes]:
        member = self._members.get(name)
        file = self._tar.extractfile(member) if member else None
        if file is None:
            raise ValueError(f"{self._path} has no {name}")
        return file


def blob_path(descriptor: Mapping[str, Any]) -> str:
    algorithm, _, name = str(descriptor["digest"]).partition(":")
    return f"blobs/{algorithm}/{name}"


def join(archives: Iterable[Path], target: Path) -> str:
    """Write one archive with the platforms of all; returns the digest of their index."""
    with ExitStack() as stack:
        sources = [stack.enter_context(OciArchive(path)) for path in archives]
        found = [(source, descriptor) for source in sources for descriptor in source.manifests()]
        found.sort(key=lambda pair: str(pair[1]["platform"]["architecture"]))
        platforms = [descriptor["platform"] for _, descriptor in found]
        if any(platform in platforms[:place] for place, platform in enumerate(platforms)):
            raise ValueError(f"a platform is there twice: {platforms}")
        index = _json({"schemaVersion": 2, "mediaType": INDEX, "manifests": [descriptor for _, descriptor in found]})
        entry = {
            "mediaType": INDEX,
            "digest": f"sha256:{hashlib.sha256(index).hexdigest()}",
            "size": len(index),
            "annotations": {"org.opencontainers.image.ref.name": __version__},
        }
        blobs = {
            blob_path(descriptor): (source, descriptor)
            for source, manifest in found
            for descriptor in (manifest, *_contents(source.document(manifest)))
        }
        with tarfile.open(target, "w", format=tarfile.USTAR_FORMAT) as tar:
            _add(tar, "oci-layout", io.BytesIO(LAYOUT), len(LAYOUT))
            top = _json({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]})
            _add(tar, "index.json", io.BytesIO(top), len(top))
            _add(tar, blob_path(entry), io.BytesIO(index), len(index))
            for name in sorted(blobs):
                source, descriptor = blobs[name]
                with source.open(descriptor) as file:
                    _check(descriptor, _sha256(file))
                    file.seek(0)
                    _add(tar, name, file, int(descriptor["size"]))
    return str(entry["digest"])


def _contents(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [manifest["config"], *manifest["layers"]]


def _bare(descriptor: Mapping[str, Any]) -> dict[str, Any]:
    return {name: descriptor[name] for name in ("mediaType", "digest", "size")}


def _json(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


def _check(descriptor: Mapping[str, Any], sha256: str) -> None:
    if descriptor["digest"] != f"sha256:{sha256}":
        raise ValueError(f"{descriptor['digest']} has other content: its SHA-256 is {sha256}")


def _sha256(file: IO[bytes]) -> str:
    summed = hashlib.sha256()
    while chunk := file.read(1 << 20):
        summed.update(chunk)
    return summed.hexdigest()


def _add(tar: tarfile.TarFile, name: str, content: IO[bytes], size: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o644
    tar.addfile(entry, content)


def main(target: str, *archives: str) -> None:
    digest = join(map(Path, archives), Path(target))
    with OciArchive(Path(target)) as archive:
        platforms = ", ".join(descriptor["platform"]["architecture"] for descriptor in archive.manifests())
    print(f"{target}: {Path(target).stat().st_size / 1e6:.1f} MB, linux on {platforms}\n{digest}")


if __name__ == "__main__":
    main(*sys.argv[1:])

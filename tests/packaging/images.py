"""Small OCI archives in the form in which buildah writes them."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path


def image_archive(
    path: Path, architecture: str, *layers: Mapping[str, bytes], links: Mapping[str, str] | None = None
) -> Path:
    """An archive of one platform, whose layers have these files; the first one has the links too."""
    blobs: dict[str, bytes] = {}
    descriptors = []
    for place, files in enumerate(layers):
        content = gzip.compress(_tar(files, (links or {}) if place == 0 else {}), mtime=0)
        descriptors.append(_put(blobs, content, "layer.v1.tar+gzip"))
    configuration = json.dumps({"architecture": architecture, "os": "linux", "config": {}}).encode()
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": _put(blobs, configuration, "config.v1+json"),
        "layers": descriptors,
    }
    index = {"schemaVersion": 2, "manifests": [_put(blobs, json.dumps(manifest).encode(), "manifest.v1+json")]}
    files = {f"blobs/sha256/{digest}": content for digest, content in blobs.items()}
    files |= {"index.json": json.dumps(index).encode(), "oci-layout": b'{"imageLayoutVersion": "1.0.0"}'}
    path.write_bytes(_tar(files, {}))
    return path


def _put(blobs: dict[str, bytes], content: bytes, kind: str) -> dict[str, str | int]:
    digest = hashlib.sha256(content).hexdigest()
    blobs[digest] = content
    media_type = f"application/vnd.oci.image.{kind}"
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content)}


def _tar(files: Mapping[str, bytes], links: Mapping[str, str]) -> bytes:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as tar:
        for name, target in links.items():
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, target
            tar.addfile(link)
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return whole.getvalue()

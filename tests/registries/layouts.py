"""Images in memory, and archives of them in every form. Nothing here uses the code that reads them."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

OCI = "application/vnd.oci.image"
INDEX, MANIFEST, CONFIG, LAYER = (
    f"{OCI}.index.v1+json",
    f"{OCI}.manifest.v1+json",
    f"{OCI}.config.v1+json",
    f"{OCI}.layer.v1.tar+gzip",
)

Files = dict[str, bytes]
Descriptor = dict[str, Any]


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def put(files: Files, content: bytes, media_type: str, **more: Any) -> Descriptor:
    files[f"blobs/sha256/{hashlib.sha256(content).hexdigest()}"] = content
    return {"mediaType": media_type, "digest": digest(content), "size": len(content), **more}


def put_json(files: Files, value: Mapping[str, Any], media_type: str, **more: Any) -> Descriptor:
    return put(files, json.dumps(value).encode(), media_type, **more)


def tar(entries: Mapping[str, bytes]) -> bytes:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as archive:
        for name, content in entries.items():
            add(archive, name, content)
    return whole.getvalue()


def add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))


def config(layers: Sequence[bytes], architecture: str = "amd64", **more: str) -> bytes:
    """The config of an image of these layers, which are tar archives."""
    rootfs = {"type": "layers", "diff_ids": [digest(layer) for layer in layers]}
    return json.dumps({"os": "linux", "architecture": architecture, "rootfs": rootfs, "config": {}, **more}).encode()


def put_image(files: Files, architecture: str = "amd64", content: bytes = b"content", **more: Any) -> Descriptor:
    """An image of one layer; its descriptor."""
    layer = tar({"content": content})
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": put(files, config([layer], architecture), CONFIG),
        "layers": [put(files, gzip.compress(layer, mtime=0), LAYER)],
    }
    return put_json(files, manifest, MANIFEST, **more)


def put_attestation(files: Files, subject: Descriptor) -> Descriptor:
    """What BuildKit writes next to an image; its descriptor."""
    statement = put_json(files, {"subject": [{"digest": subject["digest"]}]}, "application/vnd.in-toto+json")
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": put(files, b"{}", CONFIG), "layers": [statement]}
    annotations = {
        "vnd.docker.reference.digest": subject["digest"],
        "vnd.docker.reference.type": "attestation-manifest",
    }
    platform = {"os": "unknown", "architecture": "unknown"}
    return put_json(files, manifest, MANIFEST, annotations=annotations, platform=platform)


def put_index(files: Files, entries: Sequence[Descriptor], **more: Any) -> Descriptor:
    return put_json(files, {"schemaVersion": 2, "mediaType": INDEX, "manifests": list(entries)}, INDEX, **more)


def put_platforms(files: Files) -> Descriptor:
    """An index of two platforms, each with an attestation; its descriptor."""
    entries = []
    for architecture, platform in (
        ("amd64", {"os": "linux", "architecture": "amd64"}),
        ("arm64", {"os": "linux", "architecture": "arm64", "variant": "v8"}),
    ):
        image = put_image(files, architecture, architecture.encode() * 50, platform=platform)
        entries += [image, put_attestation(files, image)]
    return put_index(files, entries)


def layout(files: Files, *roots: Descriptor) -> Files:
    """The same files with what makes them a layout."""
    index = {"schemaVersion": 2, "manifests": list(roots)}
    return {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}', "index.json": json.dumps(index).encode(), **files}


def one_platform() -> Files:
    files: Files = {}
    return layout(files, put_image(files))


def two_platforms() -> Files:
    files: Files = {}
    return layout(files, put_platforms(files))


def saved(layers: Sequence[bytes], **changes: Any) -> Files:
    """What `docker save` wrote before version 25."""
    body = config(layers)
    name = f"{hashlib.sha256(body).hexdigest()}.json"
    names = [f"{number}/layer.tar" for number in range(len(layers))]
    image = {"Config": name, "RepoTags": ["app:1"], "Layers": names, **changes}
    return {name: body, **dict(zip(names, layers, strict=True)), "manifest.json": json.dumps([image]).encode()}


def write_folder(folder: Path, files: Mapping[str, bytes]) -> str:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return str(folder)


def write_tar(folder: Path, files: Mapping[str, bytes], name: str = "image.tar") -> str:
    return write(folder, tar(files), name)


def write(folder: Path, content: bytes, name: str = "image.tar") -> str:
    path = folder / name
    path.write_bytes(content)
    return str(path)

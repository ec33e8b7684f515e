"""Builds an OCI layout that skopeo can push: gzipped layers of bytes that do not compress."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import platform
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

KIB, MIB = 1024, 1024 * 1024
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True, slots=True)
class Layout:
    reference: str  # name:tag
    folder: Path
    layers: tuple[str, ...]  # digests


def write_layout(folder: Path, reference: str, sizes: Sequence[int]) -> Layout:
    """Write an image for this machine's platform with one layer of about each size."""
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    contents = [_tar(size) for size in sizes]
    layers = [_put(blobs, gzip.compress(content, 0), "layer.v1.tar+gzip") for content in contents]
    configuration = {
        "architecture": _MACHINES.get(platform.machine(), platform.machine()),
        "os": "linux",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [_digest(content) for content in contents]},
        "history": [{"created_by": "write_layout"} for _ in contents],  # the format of schema 1 consists of it
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": _put(blobs, json.dumps(configuration).encode(), "config.v1+json"),
        "layers": layers,
    }
    index = {"schemaVersion": 2, "manifests": [_put(blobs, json.dumps(manifest).encode(), "manifest.v1+json")]}
    (folder / "index.json").write_text(json.dumps(index))
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    return Layout(reference, folder, tuple(str(layer["digest"]) for layer in layers))


def _tar(size: int) -> bytes:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as tar:
        entry = tarfile.TarInfo("content")
        entry.size = size
        tar.addfile(entry, io.BytesIO(os.urandom(size)))
    return whole.getvalue()


def _digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def _put(blobs: Path, content: bytes, kind: str) -> dict[str, str | int]:
    digest = _digest(content)
    (blobs / digest.removeprefix("sha256:")).write_bytes(content)
    return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": digest, "size": len(content)}

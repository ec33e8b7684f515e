"""Images of the simulated registries: manifests, configs and layers, with the same bytes in every process."""

from __future__ import annotations

import gzip
import hashlib
import json
import random
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from probe.records import Record, Unshown, field
from probe.sim.identity import Policy

DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
DOCKER_FOREIGN = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
OCI_EMPTY = "application/vnd.oci.empty.v1+json"
HELM_CONFIG = "application/vnd.cncf.helm.config.v1+json"
HELM_CHART = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
DOCKER_SCHEMA_1 = "application/vnd.docker.distribution.manifest.v1+prettyjws"
IN_TOTO = "application/vnd.in-toto+json"

KIB = 1024
USUAL_LAYERS = (3 * KIB, 20 * KIB, 96 * KIB, 7 * KIB)


class Content(Unshown, frozen=True):
    """Content addressed by its digest."""

    media_type: str
    body: bytes
    digest: str = ""

    @classmethod
    def of(cls, media_type: str, body: bytes) -> Content:
        return cls(media_type, body, f"sha256:{hashlib.sha256(body).hexdigest()}")

    def descriptor(self, **more: Any) -> dict[str, Any]:
        return {"mediaType": self.media_type, "digest": self.digest, "size": len(self.body), **more}


class Image(Record, frozen=True):
    """A manifest or index with everything that it refers to."""

    top: Content
    manifests: tuple[Content, ...]
    blobs: tuple[Content, ...]


class Key(Record, frozen=True):
    """The KMS key that encrypts a repository. `granted`: ECR's grant to decrypt exists."""

    state: str = "Enabled"
    granted: bool = True


class Repository(Record):
    """A repository. `policy` applies to other accounts; `upstream`: the host that has the blobs (pull-through)."""

    name: str
    tags: dict[str, str] = field(default_factory=dict)
    manifests: dict[str, Content] = field(default_factory=dict)
    blobs: dict[str, Content] = field(default_factory=dict)
    policy: Policy = ()
    upstream: str | None = None
    layer_region: str | None = None  # where S3 keeps the layers, if not in the registry's region
    layer_bucket: str | None = None  # where S3 keeps them, if not in the usual bucket
    key: Key | None = None
    archived: set[str] = field(default_factory=set)  # digests in the storage class ARCHIVE

    def push(self, image: Image, *tags: str) -> Repository:
        self.manifests.update((manifest.digest, manifest) for manifest in image.manifests)
        self.blobs.update((blob.digest, blob) for blob in image.blobs)
        self.tags.update(dict.fromkeys(tags, image.top.digest))
        return self

    def manifest(self, reference: str) -> Content | None:
        """What the registry has under a tag or digest; an archived image answers as a missing one AWS[ecr-archive]."""
        digest = self.tags.get(reference, reference)
        return None if digest in self.archived else self.manifests.get(digest)


class Repositories:
    """All registries of all accounts and regions."""

    def __init__(self) -> None:
        self._repositories: dict[tuple[str, str, str], Repository] = {}

    def create(self, account: str, region: str, name: str) -> Repository:
        return self._repositories.setdefault((account, region, name), Repository(name))

    def delete(self, account: str, region: str, name: str) -> None:
        del self._repositories[account, region, name]

    def find(self, account: str, region: str, name: str) -> Repository | None:
        return self._repositories.get((account, region, name))

    def all_of(self, account: str, region: str) -> Iterator[Repository]:
        """The repositories of a registry."""
        return (item for (owner, place, _), item in self._repositories.items() if (owner, place) == (account, region))

    def blob(self, digest: str) -> Content | None:
        return next((item.blobs[digest] for item in self._repositories.values() if digest in item.blobs), None)


@cache
def layer(size: int, seed: int, media_type: str = OCI_LAYER) -> Content:
    """A gzip stream of about `size` bytes that cannot be compressed further."""
    body = random.Random(seed * 1_000_003 + size).randbytes(size)
    return Content.of(media_type, gzip.compress(body, compresslevel=0, mtime=0))


@cache
def single(
    architecture: str = "amd64", *, sizes: tuple[int, ...] = USUAL_LAYERS, docker: bool = False, foreign: int = 0
) -> Image:
    """An image for one platform. `foreign` layers are on another host, as those of Windows base images are."""
    media_types = (DOCKER_MANIFEST, DOCKER_CONFIG, DOCKER_LAYER) if docker else (OCI_MANIFEST, OCI_CONFIG, OCI_LAYER)
    seed = sum(architecture.encode())
    layers = tuple(layer(size, seed + number, media_types[2]) for number, size in enumerate(sizes))
    foreign_layers = tuple(layer(64 * KIB, 900 + number, DOCKER_FOREIGN) for number in range(foreign))
    content = {
        "architecture": architecture,
        "os": "windows" if foreign else "linux",
        "config": {"Cmd": ["/app"]},
        "rootfs": {"type": "layers", "diff_ids": [_diff_id(item) for item in (*foreign_layers, *layers)]},
    }
    config = Content.of(media_types[1], _json(content))
    document = {
        "schemaVersion": 2,
        "mediaType": media_types[0],
        "config": config.descriptor(),
        "layers": [
            *(item.descriptor(urls=["https://layers.upstream.example/" + item.digest]) for item in foreign_layers),
            *(item.descriptor() for item in layers),
        ],
    }
    manifest = Content.of(media_types[0], _json(document))
    return Image(manifest, (manifest,), (config, *layers))


@cache
def index(architectures: tuple[str, ...] = ("amd64", "arm64"), *, sizes: tuple[int, ...] = USUAL_LAYERS) -> Image:
    """An index as buildx pushes it: an image per platform, each with an attestation of platform unknown/unknown."""
    images = [single(architecture, sizes=sizes) for architecture in architectures]
    attestations = [_attestation(image) for image in images]
    entries = [
        image.top.descriptor(platform={"architecture": architecture, "os": "linux"})
        for architecture, image in zip(architectures, images, strict=True)
    ]
    entries += [
        attestation.top.descriptor(
            annotations={
                "vnd.docker.reference.digest": image.top.digest,
                "vnd.docker.reference.type": "attestation-manifest",
            },
            platform={"architecture": "unknown", "os": "unknown"},
        )
        for image, attestation in zip(images, attestations, strict=True)
    ]
    top = Content.of(OCI_INDEX, _json({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}))
    parts = (*images, *attestations)
    return Image(top, (top, *_flat(part.manifests for part in parts)), _flat(part.blobs for part in parts))


def index_of_indexes() -> Image:
    """An index whose entries claim to be images and are indexes again."""
    inner = index()
    return _index_of(
        *(
            (inner, {"platform": {"architecture": architecture, "os": "linux"}, "mediaType": OCI_MANIFEST})
            for architecture in ("amd64", "arm64")
        )
    )


def nested_index() -> Image:
    """An index of two indexes; neither names a platform, and the second has the common ones."""
    return _index_of((index(("s390x",)), {}), (index(), {}))


def typeless_index() -> Image:
    """An index in which neither the document nor its entries name a media type."""
    images = [single(architecture) for architecture in ("amd64", "arm64")]
    entries = [
        {
            "digest": image.top.digest,
            "size": len(image.top.body),
            "platform": {"architecture": architecture, "os": "linux"},
        }
        for architecture, image in zip(("amd64", "arm64"), images, strict=True)
    ]
    top = Content.of(OCI_INDEX, _json({"schemaVersion": 2, "manifests": entries}))
    return Image(top, (top, *_flat(image.manifests for image in images)), _flat(image.blobs for image in images))


def _index_of(*entries: tuple[Image, dict[str, Any]]) -> Image:
    """An index; the second of each entry replaces parts of its descriptor."""
    descriptors = [image.top.descriptor() | changes for image, changes in entries]
    top = Content.of(OCI_INDEX, _json({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": descriptors}))
    parts = [image for image, _ in entries]
    return Image(top, (top, *_flat(part.manifests for part in parts)), _flat(part.blobs for part in parts))


@cache
def helm_chart() -> Image:
    """A chart as helm pushes it."""
    content = layer(4 * KIB, 700, HELM_CHART)
    return _artifact(Content.of(HELM_CONFIG, _json({"name": "app", "version": "1.0.0", "apiVersion": "v2"})), content)


@cache
def artifact() -> Image:
    """A bill of materials as oras pushes it, in the form of OCI 1.1 with an empty config."""
    content = Content.of("application/spdx+json", _json({"spdxVersion": "SPDX-2.3", "name": "app"}))
    return _artifact(Content.of(OCI_EMPTY, b"{}"), content, artifactType="application/spdx+json")


def _artifact(config: Content, *layers: Content, **more: Any) -> Image:
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        **more,
        "config": config.descriptor(),
        "layers": [item.descriptor() for item in layers],
    }
    manifest = Content.of(OCI_MANIFEST, _json(document))
    return Image(manifest, (manifest,), (config, *layers))


@cache
def schema_1() -> Image:
    """An image in Docker's first manifest format. Its digest is that of the manifest without the signatures."""
    layers = [layer(size, 800 + number, DOCKER_LAYER) for number, size in enumerate(USUAL_LAYERS)]
    document = {
        "schemaVersion": 1,
        "name": "team/app",
        "tag": "1.0",
        "architecture": "amd64",
        "fsLayers": [{"blobSum": item.digest} for item in layers],
        "history": [{"v1Compatibility": "{}"} for _ in layers],
    }
    unsigned = Content.of(DOCKER_SCHEMA_1, _json(document))
    signature = {"header": {"alg": "ES256"}, "signature": "c2lnbmF0dXJl", "protected": "cHJvdGVjdGVk"}
    manifest = Content(DOCKER_SCHEMA_1, _json({**document, "signatures": [signature]}), unsigned.digest)
    return Image(manifest, (manifest,), tuple(layers))


def _diff_id(layer: Content) -> str:
    """The digest of a layer before compression, which the config lists."""
    return f"sha256:{hashlib.sha256(gzip.decompress(layer.body)).hexdigest()}"


def _attestation(image: Image) -> Image:
    statement = Content.of(IN_TOTO, _json({"_type": "https://in-toto.io/Statement/v0.1", "subject": image.top.digest}))
    config = Content.of(OCI_CONFIG, _json({"architecture": "unknown", "os": "unknown", "rootfs": {"type": "layers"}}))
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": config.descriptor(),
        "layers": [statement.descriptor(annotations={"in-toto.io/predicate-type": "https://slsa.dev/provenance/v0.2"})],
    }
    manifest = Content.of(OCI_MANIFEST, _json(document))
    return Image(manifest, (manifest,), (config, statement))


def _flat(groups: Iterable[tuple[Content, ...]]) -> tuple[Content, ...]:
    return tuple(item for group in groups for item in group)


def _json(content: dict[str, Any]) -> bytes:
    return json.dumps(content, indent=2).encode()

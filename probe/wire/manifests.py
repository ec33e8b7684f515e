"""Read an image manifest or index: platforms, config, layers. Pure. The bytes come from the network: all are validated.

Formats: OCI image specification 1.1 (manifest.md, image-index.md) and Docker's schema 2. They do not differ in the
fields that are read here. A registry also stores what is no image (charts, signatures, schema 1); its type is read.
"""

from __future__ import annotations

import msgspec

from probe.model import SCHEMA_1, Failure
from probe.records import Record, field
from probe.safe_words import scrub
from probe.wire.errors import WireError

INDEX_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
MANIFEST_TYPES = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
# Types of configs that clients take for an image's. Docker also accepts the last four, which old clients pushed
# (moby, daemon/internal/distribution/registry.go, ImageTypes).
IMAGE_CONFIGS = (
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.container.image.v1+json",
    "application/octet-stream",
    "application/json",
    "text/html",
    "",
)
ACCEPT = ", ".join((*INDEX_TYPES, *MANIFEST_TYPES))
SIGNIFICANT_BYTES = 64 * 1024  # a smaller layer proves little about the path


class _Platform(Record, frozen=True):
    os: str = ""
    architecture: str = ""
    variant: str = ""

    @property
    def text(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)


class Blob(Record, frozen=True, rename="camel"):
    """A descriptor, which is a manifest's entry for a blob. `size` is in bytes."""

    digest: str
    size: int
    media_type: str = ""
    artifact_type: str = ""
    urls: list[str] | None = None
    platform: _Platform | None = None

    @property
    def foreign(self) -> bool:
        """Not stored in the registry: Windows base layers (OCI image specification, "non-distributable layers")."""
        return bool(self.urls) or "nondistributable" in self.media_type or ".foreign." in self.media_type


class _Document(Record, frozen=True, rename="camel"):
    schema_version: int = 0
    media_type: str = ""
    artifact_type: str = ""
    config: Blob | None = None
    layers: list[Blob] = field(default_factory=list)
    manifests: list[Blob] | None = None


class Manifest(Record, frozen=True):
    """A manifest or an index. `children` are the images of an index, and the indexes in it, without attestations.

    `artifact` is the type of content that is no image, None for an image. It may be a manifest without config.
    """

    media_type: str
    config: Blob | None = None
    layers: tuple[Blob, ...] = ()
    children: tuple[Blob, ...] = ()
    artifact: str | None = None

    @property
    def is_index(self) -> bool:
        return bool(self.children)

    @property
    def platforms(self) -> tuple[str, ...]:
        return tuple(child.platform.text for child in self.children if child.platform)

    @property
    def own_layers(self) -> tuple[Blob, ...]:
        return tuple(layer for layer in self.layers if not layer.foreign)

    def candidates(self, platform: str) -> tuple[Blob, ...]:
        """The child for `os/architecture[/variant]`; without one, the children that name no platform.

        A platform without variant matches any variant. Clients look into a child without a platform: an index, or an
        image whose config names the platform (containerd, core/images/image.go, Manifest).
        """
        for child in self.children:
            text = child.platform.text if child.platform else ""
            if text == platform or text.startswith(f"{platform}/") or platform.startswith(f"{text}/"):
                return (child,)
        return tuple(child for child in self.children if child.platform is None)


def parse(body: bytes, media_type: str) -> Manifest:
    """Parse a body. By its content it is a manifest or an index; raises WireError MALFORMED otherwise."""
    try:
        document = msgspec.json.decode(body, type=_Document)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise WireError(Failure.MALFORMED, f"not an image manifest: {error}") from error
    if document.manifests is not None:
        children = tuple(child for child in document.manifests if _is_image(child))
        return Manifest(media_type, children=children, artifact=None if children else _type_of_index(document))
    if document.schema_version == 1:
        return Manifest(media_type, artifact=SCHEMA_1)
    if document.config is None or document.schema_version != 2:
        raise WireError(Failure.MALFORMED, "neither an image manifest of schema version 2 nor an index")
    blobs = (document.config, *document.layers)
    if any(not _is_sha256(blob.digest) or blob.size < 0 for blob in blobs):
        raise WireError(Failure.MALFORMED, "a manifest with a malformed digest or size")
    layers = tuple(document.layers)
    return Manifest(media_type, document.config, layers, artifact=_artifact(document, document.config, layers))


def _artifact(document: _Document, config: Blob, layers: tuple[Blob, ...]) -> str | None:
    """The type of content that no container runtime can unpack.

    Signatures and attestations have the config of an image, but no layer that is an archive.
    """
    if config.media_type not in IMAGE_CONFIGS:
        return _shown(document.artifact_type or config.media_type)
    if layers and not any(_is_archive(layer) for layer in layers):
        return _shown(document.artifact_type or layers[0].media_type)
    return None


def _is_archive(layer: Blob) -> bool:
    """Layers of images: also those of lazily read formats, which are no tar archives."""
    is_usual = any(part in layer.media_type for part in ("tar", ".image.layer", ".image.rootfs"))
    return is_usual or layer.media_type in ("", "application/octet-stream")


def _type_of_index(document: _Document) -> str:
    types = (entry.artifact_type or entry.media_type for entry in document.manifests or ())
    return _shown(document.artifact_type or next(filter(None, types), "an index without entries"))


def _shown(media_type: str) -> str:
    return scrub(media_type)[:100]


def _is_sha256(digest: str) -> bool:
    algorithm, _, value = digest.partition(":")
    return algorithm == "sha256" and len(value) == 64 and all(letter in "0123456789abcdef" for letter in value)


def _is_image(child: Blob) -> bool:
    """An image, or an index of images.

    False for the attestations of buildkit, which have the platform unknown/unknown, and for artifacts, such as
    SOCI's, also with a platform. The artifactType of an image is the type of its config (OCI descriptor.md).
    """
    attestation = child.platform is not None and child.platform.os == "unknown"
    artifact = child.artifact_type not in IMAGE_CONFIGS
    is_manifest = child.media_type in (*MANIFEST_TYPES, *INDEX_TYPES, "")
    return is_manifest and not attestation and not artifact and _is_sha256(child.digest)


def platform_of(config: bytes) -> str | None:
    """The platform in an image's config (OCI image specification, config.md), None if it cannot be read."""
    try:
        return msgspec.json.decode(config, type=_Platform).text or None
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def smallest_layer(layers: tuple[Blob, ...]) -> Blob | None:
    """The smallest layer of at least SIGNIFICANT_BYTES, or the smallest of all."""
    significant = [layer for layer in layers if layer.size >= SIGNIFICANT_BYTES]
    return min(significant or layers, key=lambda layer: layer.size, default=None)

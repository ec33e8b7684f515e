"""Read an image manifest or index: platforms, config, layers. Pure. The bytes come from the network: all are validated.

Formats: OCI image specification 1.1 (manifest.md, image-index.md) and Docker's schema 2. They do not differ in the
fields that are read here.
"""

from __future__ import annotations

import msgspec

from probe.model import Failure
from probe.records import Record, field
from probe.wire.errors import WireError

INDEX_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
MANIFEST_TYPES = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
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
    urls: list[str] | None = None
    platform: _Platform | None = None

    @property
    def foreign(self) -> bool:
        """Not stored in the registry: Windows base layers (OCI image specification, "non-distributable layers")."""
        return bool(self.urls) or "nondistributable" in self.media_type or ".foreign." in self.media_type


class _Document(Record, frozen=True, rename="camel"):
    schema_version: int = 0
    media_type: str = ""
    config: Blob | None = None
    layers: list[Blob] = field(default_factory=list)
    manifests: list[Blob] | None = None


class Manifest(Record, frozen=True):
    """A manifest or an index. `children` are the images of an index, in its order, without attestations."""

    media_type: str
    config: Blob | None
    layers: tuple[Blob, ...]
    children: tuple[Blob, ...]

    @property
    def is_index(self) -> bool:
        return self.config is None

    @property
    def platforms(self) -> tuple[str, ...]:
        return tuple(child.platform.text for child in self.children if child.platform)

    @property
    def own_layers(self) -> tuple[Blob, ...]:
        return tuple(layer for layer in self.layers if not layer.foreign)

    def child_for(self, platform: str) -> Blob | None:
        """The child for `os/architecture[/variant]`; a platform without variant matches any variant."""
        for child in self.children:
            candidate = child.platform.text if child.platform else ""
            if candidate == platform or candidate.startswith(f"{platform}/") or platform.startswith(f"{candidate}/"):
                return child
        return None


def parse(body: bytes, media_type: str) -> Manifest:
    """Parse a body. Raises WireError MALFORMED unless it is a manifest or index that current clients accept."""
    try:
        document = msgspec.json.decode(body, type=_Document)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise WireError(Failure.MALFORMED, f"not an image manifest: {error}") from error
    if document.manifests is not None:
        children = tuple(child for child in document.manifests if _is_image(child))
        if not children:
            raise WireError(Failure.MALFORMED, "an index without images")
        return Manifest(document.media_type or media_type, None, (), children)
    if document.config is None or document.schema_version != 2:
        raise WireError(Failure.MALFORMED, "neither an image manifest of schema version 2 nor an index")
    blobs = (document.config, *document.layers)
    if any(not _is_sha256(blob.digest) or blob.size < 0 for blob in blobs):
        raise WireError(Failure.MALFORMED, "a manifest with a malformed digest or size")
    return Manifest(document.media_type or media_type, document.config, tuple(document.layers), ())


def _is_sha256(digest: str) -> bool:
    algorithm, _, value = digest.partition(":")
    return algorithm == "sha256" and len(value) == 64 and all(letter in "0123456789abcdef" for letter in value)


def _is_image(child: Blob) -> bool:
    """False for buildkit's attestations, which an index lists with the platform unknown/unknown."""
    attestation = child.platform is not None and child.platform.os == "unknown"
    return not attestation and child.media_type in MANIFEST_TYPES and _is_sha256(child.digest)


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

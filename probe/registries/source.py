"""An image that can be copied: its manifests, which are read and verified at once, and a way to read its blobs.

Formats: OCI image specification 1.1 (manifest.md, image-index.md, descriptor.md) and Docker's schema 2. Every byte may
come from a stranger: sizes, depths and numbers are bounded, and each digest is computed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol, Self

import msgspec

from probe.config.flags import UsageError, with_example
from probe.model import Failure
from probe.records import Record, Unshown
from probe.safe_words import json_bytes, quoted, scrub, shortened
from probe.wire.manifests import IMAGE_CONFIGS, INDEX_TYPES, MANIFEST_TYPES, Blob, platform_of

MAX_MANIFEST = 4 * 1024 * 1024  # bytes, for a config too; distribution refuses larger manifests
MAX_MANIFESTS = 500  # of one source
_MAX_DEPTH = 4  # indexes within indexes
_MAX_BLOBS = 10_000  # of one manifest
_MAX_BLOB = 1 << 40  # bytes
_LONGEST_ERROR = 1000  # characters
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_PLATFORM = re.compile(r"(?:[\w.-]{1,32}/){0,2}[\w.-]{1,32}", re.ASCII)
# The entry of an attestation names the image that it is about (BuildKit, docs/attestations/attestation-storage.md).
_SUBJECT_ANNOTATION = "vnd.docker.reference.digest"


class CopyError(Exception):
    """Why a copy cannot start or go on: one short printable line without secrets."""

    def __init__(self, failure: Failure, text: str) -> None:
        self.failure = failure
        super().__init__(shortened(text, _LONGEST_ERROR))


class StoppedError(CopyError):
    """The caller's stop was set, or its time has passed."""

    def __init__(self) -> None:
        super().__init__(Failure.DEADLINE, "the copy was stopped")


class MissingError(CopyError):
    """The source does not have what one of its manifests names."""

    def __init__(self, text: str) -> None:
        super().__init__(Failure.NOT_FOUND, text)


class Content(Protocol):
    """Where the bytes of a source are. `name` is for sentences."""

    name: str

    @property
    def repository(self) -> tuple[str, str] | None:
        """The host and repository in a registry, None elsewhere."""

    def manifest(self, entry: Blob) -> bytes:
        """The body of a manifest, of at most MAX_MANIFEST bytes. Raises CopyError, MissingError if it is absent."""

    def check(self, blob: Blob) -> None:
        """Raise CopyError if it is known without reading the blob that it is absent or of another size."""

    def blob(self, blob: Blob) -> Iterator[bytes]:
        """The bytes of a blob, in pieces of at most 1 MiB and no more than `blob.size`. Raises CopyError."""

    def close(self) -> None: ...


class Document(Unshown, frozen=True):
    """A manifest or an index as it is stored. `children` are the entries of an index, `blobs` what must be copied."""

    digest: str
    media_type: str
    body: bytes
    children: tuple[Blob, ...] = ()
    blobs: tuple[Blob, ...] = ()
    config: Blob | None = None

    @property
    def is_index(self) -> bool:
        return self.media_type in INDEX_TYPES

    @property
    def size(self) -> int:
        """Bytes of config and layers, as a registry stores them."""
        return sum(blob.size for blob in self.blobs)


class PlatformImage(Record, frozen=True):
    """An image of one platform. `size` is the number of bytes of its config and layers, compressed as they are."""

    platform: str  # such as linux/arm64/v8
    digest: str
    size: int


class Source:
    """An image or an index with all manifests below it. A context manager: leaving it closes the content.

    `documents` has children before their parents, the root last. `absent` are manifests that the root's indexes name
    and the content does not have, as in an archive of one platform.
    """

    def __init__(self, content: Content, documents: Sequence[Document], absent: Sequence[Blob] = ()) -> None:
        self.content = content
        self.documents = tuple(documents)
        self.absent = tuple(absent)
        self._platforms: tuple[PlatformImage, ...] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.content.close()

    @property
    def root(self) -> Document:
        return self.documents[-1]

    @property
    def digest(self) -> str:
        return self.root.digest

    @property
    def platforms(self) -> tuple[PlatformImage, ...]:
        """The images that are here, in the index's order; without attestations and other artifacts.

        Where no index names the platform of an image, its config does. Raises CopyError if that cannot be read.
        """
        if self._platforms is None:
            self._platforms = tuple(self._find_platforms())
        return self._platforms

    def only(self, platforms: Iterable[str]) -> Source:
        """The same images of some platforms only, such as linux/arm64, which also chooses linux/arm64/v8.

        One platform: the root becomes that image's own manifest, with its own digest, as a pull resolves it; an
        attestation cannot accompany it. Several: the root becomes a new index of them and their attestations, so that
        its digest is new, because the digest of an index covers the list of its entries. All: nothing changes.

        Raises UsageError for a platform that is not here.
        """
        wanted = tuple(dict.fromkeys(platforms))
        chosen = [image for image in self.platforms if any(_matches(platform, image.platform) for platform in wanted)]
        for platform in wanted:
            if not any(_matches(platform, image.platform) for image in chosen):
                raise UsageError(self._no_platform(platform))
        if not self.root.is_index or (len(chosen) == len(self.platforms) and not self.absent and len(chosen) > 1):
            return self
        by_digest = {document.digest: document for document in self.documents}
        digests = dict.fromkeys(image.digest for image in chosen)
        if len(digests) == 1:
            return Source(self.content, [by_digest[digest] for digest in digests])
        entries = self._entries(digests)
        index = {**_object(self.root.body), "manifests": entries}
        body = json_bytes(index)
        kept = [by_digest[digest] for digest in dict.fromkeys(entry["digest"] for entry in entries)]
        root = parse(body, digest=digest_of(body), media_type=self.root.media_type, name=self.content.name)
        return Source(self.content, [*kept, root])

    def require_complete(self) -> None:
        """Raise CopyError for manifests that are absent. The sentence names a platform that can be copied."""
        if self.absent:
            entry = self.absent[0]
            what = f"{entry.platform.text if entry.platform else 'an entry'} ({entry.digest[:19]}…)"
            here = next((image.platform for image in self.platforms), None)
            way = f"; --platform {here} copies what is there" if here else ""
            raise MissingError(f"{self.content.name} does not have {what}, which its index names{way}")

    def _no_platform(self, platform: str) -> str:
        here = ", ".join(dict.fromkeys(image.platform for image in self.platforms)) or "no image"
        good = self.platforms[0].platform if self.platforms else "linux/amd64"
        text = f"--platform {quoted(platform)} is not in {self.content.name}, which has {here}"
        return with_example(text, f"--platform {good}")

    def _entries(self, digests: Mapping[str, None]) -> list[dict[str, Any]]:
        """The entries of all indexes for these digests, and of the attestations about them, as they are written."""
        absent = {entry.digest for entry in self.absent}
        entries: list[dict[str, Any]] = []
        for document in reversed(self.documents):
            for entry in _object(document.body).get("manifests", ()) if document.is_index else ():
                annotations = entry.get("annotations")
                subject = annotations.get(_SUBJECT_ANNOTATION) if isinstance(annotations, dict) else None
                is_chosen = entry["digest"] in digests or (subject in digests and entry["digest"] not in absent)
                if is_chosen and entry not in entries:
                    entries.append(entry)
        return entries

    def _find_platforms(self) -> Iterator[PlatformImage]:
        by_digest = {document.digest: document for document in self.documents}
        yielded = set()

        def images(document: Document, entry: Blob | None) -> Iterator[PlatformImage]:
            if document.is_index:
                for child in document.children:
                    if child.digest in by_digest:
                        yield from images(by_digest[child.digest], child)
            elif document.digest not in yielded and (platform := self._platform(document, entry)):
                yielded.add(document.digest)
                yield PlatformImage(platform=platform, digest=document.digest, size=document.size)

        yield from images(self.root, None)

    def _platform(self, document: Document, entry: Blob | None) -> str | None:
        """The platform of an image, None for an artifact or attestation."""
        if entry is not None and entry.platform is not None:
            return None if entry.platform.os == "unknown" else entry.platform.text or None
        config = document.config
        if config is None or config.media_type not in IMAGE_CONFIGS or config.size > MAX_MANIFEST:
            return None
        platform = platform_of(read_whole(self.content, config))
        return _check_platform(platform, self.content.name) if platform else None


class _Manifest(Record, frozen=True, rename="camel"):
    schema_version: int = 0
    media_type: str = ""
    config: Blob | None = None
    layers: list[Blob] | None = None
    manifests: list[Blob] | None = None


def read_source(content: Content, root: Blob) -> Source:
    """Read the manifest `root` and all manifests below it. Raises CopyError.

    Manifests that the content lacks become `absent`, if at least one image of the index is there.
    """
    documents: dict[str, Document] = {}
    absent: list[Blob] = []

    def visit(entry: Blob, depth: int) -> None:
        if entry.digest in documents:
            return
        if depth > _MAX_DEPTH:
            raise CopyError(Failure.TOO_LARGE, f"{content.name} nests indexes deeper than {_MAX_DEPTH} levels")
        document = read_document(content, entry)
        for child in document.children:
            if len(documents) + len(absent) >= MAX_MANIFESTS:
                raise CopyError(Failure.TOO_LARGE, f"{content.name} has more than {MAX_MANIFESTS} manifests")
            try:
                visit(child, depth + 1)
            except MissingError:
                if child.digest not in (other.digest for other in absent):
                    absent.append(child)
        for blob in document.blobs:
            content.check(blob)
        documents[entry.digest] = document

    visit(root, 0)
    source = Source(content, list(documents.values()), absent)
    if absent and not source.platforms:
        source.require_complete()
    return source


def read_document(content: Content, entry: Blob) -> Document:
    """Read and verify one manifest. Raises CopyError MALFORMED, BAD_DIGEST and what reading raises."""
    check_entry(entry, content.name)
    body = content.manifest(entry)
    digest = digest_of(body)
    if digest != entry.digest:
        raise bad_digest(content.name, entry.digest, digest)
    if entry.size != len(body):
        text = (
            f"{content.name}: the manifest {entry.digest[:19]}… has {len(body)} bytes, but {entry.size} are announced"
        )
        raise CopyError(Failure.MALFORMED, text)
    return parse(body, digest=digest, media_type=entry.media_type, name=content.name)


def parse(body: bytes, *, digest: str, media_type: str, name: str) -> Document:
    """Parse the body of a manifest or index. Raises CopyError MALFORMED."""
    try:
        manifest = msgspec.json.decode(body, type=_Manifest)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise CopyError(
            Failure.MALFORMED, f"{name}: {digest[:19]}… is not an image manifest: {scrub(str(error))}"
        ) from None
    if manifest.schema_version == 1:
        raise CopyError(
            Failure.MALFORMED, f"{name} has the format of schema 1, which ECR does not store; push it again"
        )
    if manifest.manifests is not None:
        media_type = _media_type(manifest, media_type, INDEX_TYPES)
        entries, blobs, config = manifest.manifests, [], None
    elif manifest.config is not None and manifest.layers is not None:
        media_type = _media_type(manifest, media_type, MANIFEST_TYPES)
        config = manifest.config
        entries, blobs = [], [config, *(layer for layer in manifest.layers if not layer.foreign)]
    else:
        raise CopyError(Failure.MALFORMED, f"{name}: {digest[:19]}… is neither an image manifest nor an index")
    if len(entries) > MAX_MANIFESTS or len(blobs) > _MAX_BLOBS:
        raise CopyError(
            Failure.TOO_LARGE,
            f"{name}: {digest[:19]}… lists more than {MAX_MANIFESTS} manifests or {_MAX_BLOBS} layers",
        )
    for entry in (*entries, *blobs):
        check_entry(entry, name)
    unique = tuple({blob.digest: blob for blob in blobs}.values())
    return Document(
        digest=digest, media_type=media_type, body=body, children=tuple(entries), blobs=unique, config=config
    )


def _media_type(manifest: _Manifest, announced: str, possible: tuple[str, ...]) -> str:
    """The type that a registry needs with the body: what the body names, or what its descriptor or response names."""
    return next((name for name in (manifest.media_type, announced) if name in possible), possible[0])


def check_entry(entry: Blob, name: str) -> None:
    """Raise CopyError MALFORMED for a digest other than sha256, an impossible size, or a platform that is no name."""
    if not is_digest(entry.digest):
        text = f"{name} has the digest {quoted(entry.digest)}; only sha256: and 64 hexadecimal digits can be copied"
        raise CopyError(Failure.MALFORMED, text)
    if not 0 <= entry.size <= _MAX_BLOB:
        raise CopyError(Failure.MALFORMED, f"{name}: {entry.digest[:19]}… has the size {entry.size}")
    if entry.platform is not None and entry.platform.text:
        _check_platform(entry.platform.text, name)


def _check_platform(text: str, name: str) -> str:
    """`text`, which is shown in plans and errors. Raises CopyError MALFORMED."""
    if not _PLATFORM.fullmatch(text):
        raise CopyError(Failure.MALFORMED, f"{name} has the platform {quoted(text)}; for example linux/amd64")
    return text


def read_whole(content: Content, blob: Blob) -> bytes:
    """A small blob, verified. Raises CopyError."""
    if blob.size > MAX_MANIFEST:
        raise CopyError(Failure.TOO_LARGE, f"{content.name}: the config {blob.digest[:19]}… has {blob.size} bytes")
    body = b"".join(content.blob(blob))
    if (digest := digest_of(body)) != blob.digest:
        raise bad_digest(content.name, blob.digest, digest)
    return body


def is_digest(text: str) -> bool:
    return _DIGEST.fullmatch(text) is not None


def digest_of(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def bad_digest(name: str, expected: str, computed: str) -> CopyError:
    return CopyError(Failure.BAD_DIGEST, f"{name}: the content of {expected[:19]}… has the digest {computed[:19]}…")


def _object(body: bytes) -> dict[str, Any]:
    value: dict[str, Any] = msgspec.json.decode(body)
    return value


def _matches(wanted: str, platform: str) -> bool:
    return platform == wanted or platform.startswith(f"{wanted}/")

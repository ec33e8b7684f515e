"""Copy an image into a repository: what is there already is skipped, and an index is written after its images, because
registries refuse it otherwise (AWS[ecr-index-order])."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Event

from probe.narration.phrases import size
from probe.progress import Progress, Silent
from probe.records import Record
from probe.registries.client import Registry
from probe.registries.source import Document, Source
from probe.registries.upload import upload
from probe.wire.errors import WireError
from probe.wire.manifests import Blob


class Copied(Record, frozen=True):
    """What a copy did, as digests. `bytes_sent` counts the bodies of blobs and manifests, also repeated ones."""

    digest: str  # of the root
    manifests_pushed: tuple[str, ...] = ()
    manifests_skipped: tuple[str, ...] = ()
    blobs_pushed: tuple[str, ...] = ()
    blobs_skipped: tuple[str, ...] = ()
    blobs_mounted: tuple[str, ...] = ()
    tags_written: tuple[str, ...] = ()
    bytes_sent: int = 0


def copy(
    source: Source,
    registry: Registry,
    repository: str,
    *,
    tags: Sequence[str] = (),
    progress: Progress | None = None,
    stop: Event | None = None,
) -> Copied:
    """Copy a source into a repository, children before their index, and let `tags` name its root.

    May be repeated after any failure: it goes on with what is missing. Of the index everything is copied, attestations
    too; manifests that only refer to an image (OCI's referrers) are not. Raises CopyError, StoppedError once `stop` is
    set, and UsageError from the login callbacks.
    """
    source.require_complete()
    before, registry.stop = registry.stop, stop or registry.stop
    try:
        return _Copy(source, registry, repository, progress or Silent()).run(tags)
    finally:
        registry.stop = before


class _Copy:
    def __init__(self, source: Source, registry: Registry, repository: str, progress: Progress) -> None:
        self._source = source
        self._registry = registry
        self._repository = repository
        self._progress = progress
        self._blobs: dict[str, list[str]] = {"pushed": [], "skipped": [], "mounted": []}
        self._bytes_sent = 0

    def run(self, tags: Sequence[str]) -> Copied:
        try:
            return self._run(tags)
        except WireError as error:
            raise self._registry.failed(error, self._repository) from None

    def _run(self, tags: Sequence[str]) -> Copied:
        pushed, skipped, written = [], [], []
        for document in self._source.documents:
            if self._registry.has(self._repository, document.digest):
                skipped.append(document.digest)
                continue
            for blob in document.blobs:
                self._copy_blob(blob, "config" if blob == document.config else "layer")
            self._put(document, document.digest)
            pushed.append(document.digest)
        root = self._source.root
        for tag in tags:
            if self._registry.digest_of_tag(self._repository, tag) != root.digest:
                self._put(root, tag)
                written.append(tag)
        return Copied(
            digest=root.digest,
            manifests_pushed=tuple(pushed),
            manifests_skipped=tuple(skipped),
            blobs_pushed=tuple(self._blobs["pushed"]),
            blobs_skipped=tuple(self._blobs["skipped"]),
            blobs_mounted=tuple(self._blobs["mounted"]),
            tags_written=tuple(written),
            bytes_sent=self._bytes_sent,
        )

    def _put(self, document: Document, reference: str) -> None:
        self._registry.require_time()
        self._registry.put_manifest(self._repository, document, reference)
        self._bytes_sent += len(document.body)
        kind = ("index" if document.is_index else "manifest") if reference == document.digest else "tag"
        self._progress.step(f"{kind} {_short(reference)}: pushed")

    def _copy_blob(self, blob: Blob, kind: str) -> None:
        if any(blob.digest in digests for digests in self._blobs.values()):
            return
        how = self._copied(blob)
        self._blobs[how].append(blob.digest)
        self._progress.step(f"{kind} {_short(blob.digest)}, {size(blob.size)}: {how}")

    def _copied(self, blob: Blob) -> str:
        registry, repository, content = self._registry, self._repository, self._source.content
        if registry.has_blob(repository, blob.digest):
            return "skipped"
        url = None
        if content.repository is not None and content.repository[0] == registry.host:
            url = registry.mount(repository, blob.digest, content.repository[1])
            if url is None:
                return "mounted"
        self._progress.layer_started(blob.digest, blob.size)
        self._bytes_sent += upload(
            registry, repository, content, blob, url, lambda count: self._progress.layer_advanced(blob.digest, count)
        )
        return "pushed"


def _short(reference: str) -> str:
    return reference[:19] + "…" if reference.startswith("sha256:") else reference

"""Upload a blob in chunks, and go on after a lost connection (distribution specification, "Pushing a blob in chunks").

What is known of ECR decides the details: it answers a PATCH with 201, its Range does not advance after the first chunk
although every chunk is stored, and it may not report the state of an upload (AWS[ecr-chunked-uploads]). So the position
after an accepted chunk is what was sent; only after a failure the registry is asked, and a chunk that it has already is
recognized by its refusal. Chunks have at least 5 MiB (AWS[ecr-chunk-size]), and the last one is sent with the PUT,
because an empty PUT has failed. The digest, which both sides compute, decides in the end.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator

from probe.model import Failure
from probe.registries.client import TEMPORARY, TEMPORARY_STATUS, TRIES, Registry
from probe.registries.source import Content, CopyError, bad_digest
from probe.registries.urls import with_query
from probe.wire.errors import WireError
from probe.wire.http import Answer
from probe.wire.manifests import Blob

CHUNK = 6 * 1024 * 1024  # bytes; the largest part of the memory that a copy needs
_BEGINNINGS = 5  # of an upload at its first byte; distribution 2.8 needs one after each request that is cut
_RANGE = re.compile(r"(?:bytes=)?0-(\d{1,19})")
# ECR's refusal of a chunk: "First byte of the layer part is 0 instead of 11304960" (apple/containerization issue 790).
_EXPECTED_FIRST = re.compile(rb"layer part is \d{1,19} instead of (\d{1,19})")


class _LostError(Exception):
    """The registry no longer has the upload, or has other bytes of it than were sent. `cause` says why, for people."""

    def __init__(self, cause: CopyError) -> None:
        self.cause = cause
        super().__init__()


def upload(
    registry: Registry, repository: str, content: Content, blob: Blob, url: str | None, advance: Callable[[int], None]
) -> int:
    """Upload a blob, at `url` if an upload has begun; return the number of bytes sent, with repeated ones.

    `advance` is called with the size of each accepted part, and with a negative one if the upload starts again. Raises
    CopyError, BAD_DIGEST if the content is not the blob's; nothing is then stored.
    """
    sent = 0
    for beginning in range(1, _BEGINNINGS + 1):
        attempt = _Upload(registry, repository, blob, url or registry.begin_upload(repository), advance)
        try:
            attempt.run(content)
        except _LostError as error:
            if beginning == _BEGINNINGS:
                raise error.cause from None
            registry.pause(beginning)
            advance(-attempt.position)
            url = None
        else:
            return sent + attempt.sent
        sent += attempt.sent
    raise AssertionError("unreachable")


class _Upload:
    """One upload session. `position` is the number of bytes that the registry has."""

    def __init__(
        self, registry: Registry, repository: str, blob: Blob, url: str, advance: Callable[[int], None]
    ) -> None:
        self.position = 0
        self.sent = 0
        self._registry = registry
        self._repository = repository
        self._blob = blob
        self._url = url
        self._advance = advance

    def run(self, content: Content) -> None:
        sha256, read = hashlib.sha256(), 0
        for chunk in _chunks(content.blob(self._blob)):
            sha256.update(chunk)
            read += len(chunk)
            if read < self._blob.size:
                self._send(chunk, last=False)
                continue
            digest = f"sha256:{sha256.hexdigest()}"
            if read > self._blob.size or digest != self._blob.digest:
                break
            self._send(chunk, last=True)
            return
        self._cancel()
        if read == self._blob.size:
            raise bad_digest(content.name, self._blob.digest, f"sha256:{sha256.hexdigest()}")
        text = f"{content.name}: {self._blob.digest[:19]}… has {read} bytes, but its manifest says {self._blob.size}"
        raise CopyError(Failure.MALFORMED, text)

    def _send(self, chunk: memoryview, *, last: bool) -> None:
        """Send a chunk, or what the registry does not have of it, until all is stored. Raises _LostError, CopyError."""
        begin, end, tries = self.position, self.position + len(chunk), 0
        while True:
            tries += 1
            try:
                answer = self._request(chunk[self.position - begin :], last=last)
            except WireError as error:
                if error.failure not in TEMPORARY or tries >= TRIES:
                    raise self._registry.failed(error, self._repository) from None
                answer = None
            if answer is not None and answer.status in (201, 202, 204):
                if not last:
                    self._url = self._registry.upload_location(self._url, answer)
                self._advance(end - self.position)
                self.position = end
                return
            if answer is not None and answer.status not in (*TEMPORARY_STATUS, 416):
                raise self._lost_or_refused(answer)
            if answer is not None and tries >= TRIES:
                raise self._registry.refused(answer, self._repository)
            if answer is None or answer.status != 416:
                self._registry.pause(tries, answer)
            if last and self._registry.has_blob(self._repository, self._blob.digest):
                self._advance(end - self.position)
                self.position = end
                return  # only the answer was lost
            self._go_on(begin, end, answer)
            if self.position == end and not last:
                return

    def _request(self, data: memoryview, *, last: bool) -> Answer:
        """One PATCH or PUT. A blob of one chunk needs no range, so that it is uploaded in one piece."""
        end = self.position + len(data)
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(len(data))}
        if data and not (last and self.position == 0):
            headers["Content-Range"] = f"{self.position}-{end - 1}"
        self.sent += len(data)
        url = with_query(self._url, f"digest={self._blob.digest}") if last else self._url
        return self._registry.send("PUT" if last else "PATCH", url, self._repository, headers=headers, body=data)

    def _go_on(self, begin: int, end: int, refusal: Answer | None) -> None:
        """Find out after a failure how much the registry has, and continue there. Raises _LostError.

        A position before this chunk contradicts an accepted one. ECR reports such positions, and then refuses what it
        has; another registry that lost bytes refuses too, and names no position within the chunk.
        """
        status = refusal.status if refusal is not None else 0
        position = _expected_first(refusal) if refusal is not None else None
        if position is None:
            position = self._ask()
        if position is None or not begin <= position <= end:
            if status == 416:
                assert refusal is not None
                raise _LostError(self._registry.refused(refusal, self._repository))
            position = self.position
        self._advance(position - self.position)
        self.position = position

    def _ask(self) -> int | None:
        """The registry's own position, None if it does not say. Raises CopyError."""
        try:
            answer = self._registry.send("GET", self._url, self._repository, headers={})
        except WireError:
            return None
        if answer.status not in (200, 202, 204):
            return None
        match = _RANGE.fullmatch(answer.headers.get("Range", ""))
        if match is None:
            return None
        if answer.headers.get("Location"):
            self._url = self._registry.upload_location(self._url, answer)
        last = int(match[1])
        return last + 1 if last else 0  # distribution writes 0-0 for nothing

    def _lost_or_refused(self, answer: Answer) -> Exception:
        error = self._registry.refused(answer, self._repository)
        # 404 and 410: the upload has expired. 400 after a resumed upload: other bytes are stored than were sent.
        return _LostError(error) if answer.status in (400, 404, 410) else error

    def _cancel(self) -> None:
        """Give the upload up. If this fails too, the registry forgets it by itself."""
        try:
            self._registry.send("DELETE", self._url, self._repository, headers={})
        except (WireError, CopyError):
            return


def _expected_first(refusal: Answer) -> int | None:
    match = _EXPECTED_FIRST.search(refusal.body)
    return int(match[1]) if match else None


def _chunks(pieces: Iterator[bytes]) -> Iterator[memoryview]:
    """The same bytes in chunks of CHUNK, the last one shorter, in one buffer that each chunk overwrites.

    An empty blob is one empty chunk.
    """
    buffer, filled, any_chunk = bytearray(CHUNK), 0, False
    for piece in pieces:
        rest = memoryview(piece)
        while rest:
            if filled == CHUNK:
                yield memoryview(buffer)
                filled, any_chunk = 0, True
            count = min(CHUNK - filled, len(rest))
            buffer[filled : filled + count] = rest[:count]
            filled, rest = filled + count, rest[count:]
    if filled or not any_chunk:
        yield memoryview(buffer)[:filled]

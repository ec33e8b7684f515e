"""sha256 of a body while it is read, in a few buffers that are used again and again."""

from __future__ import annotations

import hashlib
import queue
import threading
from collections.abc import Callable
from typing import Protocol

BUFFER_BYTES = 512 * 1024  # large enough that handing over costs little, small enough that memory does not notice
BUFFERS = 12  # at most: as much as comes in while the hashing thread waits for a core, where others want it too


class Readable(Protocol):
    """What `http.Body` is."""

    def read_into(self, buffer: memoryview) -> int: ...


def hash_body(
    body: Readable, *, advance: Callable[[int], None] | None = None, threaded: bool = True
) -> tuple[int, str]:
    """Read `body` to its end: how many bytes came, and their sha256 in hex. `advance` is told of every piece.

    `threaded` hashes on a thread of its own, which overlaps with reading: both release the interpreter's lock in their
    work. Bodies that are read at once overlap with each other, and are the faster without. Raises what reading raises.
    """
    buffer = bytearray(BUFFER_BYTES)
    count = _read(body, buffer, advance)
    if threaded and count == BUFFER_BYTES:  # what is shorter than one buffer is not worth a thread
        return _apart(body, buffer, advance)
    received, digest = count, hashlib.sha256(memoryview(buffer)[:count])
    while count == BUFFER_BYTES:
        count = _read(body, buffer, advance)
        digest.update(memoryview(buffer)[:count])
        received += count
    return received, digest.hexdigest()


def _apart(body: Readable, first: bytearray, advance: Callable[[int], None] | None) -> tuple[int, str]:
    digest, made = hashlib.sha256(), 1
    full: queue.SimpleQueue[tuple[bytearray, int] | None] = queue.SimpleQueue()
    free: queue.SimpleQueue[bytearray] = queue.SimpleQueue()

    def work() -> None:
        while (filled := full.get()) is not None:
            buffer, count = filled
            digest.update(memoryview(buffer)[:count])
            free.put(buffer)

    def empty() -> bytearray:
        """A buffer whose bytes are hashed, or another one while there are few."""
        nonlocal made
        if free.empty() and made < BUFFERS:
            made += 1
            return bytearray(BUFFER_BYTES)
        return free.get()

    worker = threading.Thread(target=work, daemon=True, name="sha256")
    worker.start()
    full.put((first, BUFFER_BYTES))
    received = BUFFER_BYTES
    try:
        while count := _read(body, buffer := empty(), advance):
            full.put((buffer, count))
            received += count
    finally:
        full.put(None)
        worker.join()
    return received, digest.hexdigest()


def _read(body: Readable, buffer: bytearray, advance: Callable[[int], None] | None) -> int:
    count = body.read_into(memoryview(buffer))
    if advance is not None and count:
        advance(count)
    return count

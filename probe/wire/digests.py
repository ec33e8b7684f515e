"""Compute the sha256 of a body while it is downloaded, with a few reusable buffers."""

from __future__ import annotations

import hashlib
import queue
import threading
from collections.abc import Callable
from typing import Protocol

BUFFER_BYTES = 512 * 1024  # large enough that passing it to a thread costs little, small enough for a small task
MAX_BUFFERS = 12  # hold what arrives while the hashing thread waits for a busy core


class Readable(Protocol):
    """A body with `http.Body.read_into`."""

    def read_into(self, buffer: memoryview) -> int: ...


def hash_body(
    body: Readable, *, advance: Callable[[int], None] | None = None, threaded: bool = True
) -> tuple[int, str]:
    """Read `body` to its end; return the number of bytes and their sha256 in hex. Raises what reading raises.

    `advance` is called with the size of every piece. `threaded` hashes on a second thread while this one reads: both
    release the interpreter's lock. Concurrent downloads already overlap; a second thread would slow them down.
    """
    buffer = bytearray(BUFFER_BYTES)
    count = _fill(buffer, body, advance)
    if threaded and count == BUFFER_BYTES:  # a body shorter than one buffer is not worth a thread
        return _hash_on_thread(buffer, body, advance)
    received, digest = count, hashlib.sha256(memoryview(buffer)[:count])
    while count == BUFFER_BYTES:
        count = _fill(buffer, body, advance)
        digest.update(memoryview(buffer)[:count])
        received += count
    return received, digest.hexdigest()


def _hash_on_thread(first: bytearray, body: Readable, advance: Callable[[int], None] | None) -> tuple[int, str]:
    """Hash `first`, which is full, and the rest of `body` on a second thread."""
    digest, buffers = hashlib.sha256(), 1
    full: queue.SimpleQueue[tuple[bytearray, int] | None] = queue.SimpleQueue()
    free: queue.SimpleQueue[bytearray] = queue.SimpleQueue()

    def hash_full_buffers() -> None:
        while (item := full.get()) is not None:
            buffer, count = item
            digest.update(memoryview(buffer)[:count])
            free.put(buffer)

    def free_buffer() -> bytearray:
        """Return a buffer that has been hashed, or a new one up to MAX_BUFFERS."""
        nonlocal buffers
        if free.empty() and buffers < MAX_BUFFERS:
            buffers += 1
            return bytearray(BUFFER_BYTES)
        return free.get()

    worker = threading.Thread(target=hash_full_buffers, daemon=True, name="sha256")
    worker.start()
    full.put((first, BUFFER_BYTES))
    received = BUFFER_BYTES
    try:
        while count := _fill(buffer := free_buffer(), body, advance):
            full.put((buffer, count))
            received += count
    finally:
        full.put(None)
        worker.join()
    return received, digest.hexdigest()


def _fill(buffer: bytearray, body: Readable, advance: Callable[[int], None] | None) -> int:
    """Read into `buffer` and report the progress; return the number of bytes, fewer than fit only at the end."""
    count = body.read_into(memoryview(buffer))
    if advance is not None and count:
        advance(count)
    return count

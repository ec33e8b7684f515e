from __future__ import annotations

import hashlib
import threading
from types import SimpleNamespace

import pytest

from probe.model import Failure
from probe.wire import digests
from probe.wire.digests import BUFFER_BYTES, MAX_BUFFERS, hash_body
from probe.wire.errors import WireError

CONTENT = bytes(range(251)) * (BUFFER_BYTES * (MAX_BUFFERS + 3) // 251 + 1)


class Source:
    """A body of `size` bytes. At its end it raises `error`, if there is one."""

    def __init__(self, size: int, *, error: WireError | None = None) -> None:
        self.unread = memoryview(CONTENT)[:size]
        self.error = error

    def read_into(self, buffer: memoryview) -> int:
        count = min(len(buffer), len(self.unread))
        if not count and self.error:
            raise self.error
        buffer[:count], self.unread = self.unread[:count], self.unread[count:]
        return count


@pytest.mark.parametrize(
    "size",
    [0, 1, BUFFER_BYTES - 1, BUFFER_BYTES, BUFFER_BYTES + 1, BUFFER_BYTES * 2, BUFFER_BYTES * (MAX_BUFFERS + 2) + 7],
)
@pytest.mark.parametrize("threaded", [True, False])
def test_the_digest_is_that_of_the_bytes(size: int, threaded: bool) -> None:
    sizes: list[int] = []
    assert hash_body(Source(size), advance=sizes.append, threaded=threaded) == (
        size,
        hashlib.sha256(CONTENT[:size]).hexdigest(),
    )
    assert sum(sizes) == size
    assert 0 not in sizes


@pytest.mark.parametrize("size", [BUFFER_BYTES, BUFFER_BYTES * 3])
@pytest.mark.parametrize("threaded", [True, False])
def test_an_error_is_raised_and_the_thread_ends(size: int, threaded: bool) -> None:
    with pytest.raises(WireError) as caught:
        hash_body(Source(size, error=WireError(Failure.STALLED)), threaded=threaded)
    assert caught.value.failure is Failure.STALLED
    assert not [thread for thread in threading.enumerate() if thread.name == "sha256"]


def test_reading_is_at_most_max_buffers_ahead_of_hashing(monkeypatch: pytest.MonkeyPatch) -> None:
    all_buffers_read, buffers = threading.Event(), set()

    class BlockedHash:
        def __init__(self) -> None:
            self.sha256 = hashlib.sha256()

        def update(self, data: memoryview) -> None:
            assert all_buffers_read.wait(60)
            self.sha256.update(data)

        def hexdigest(self) -> str:
            return self.sha256.hexdigest()

    class CountingSource(Source):
        def read_into(self, buffer: memoryview) -> int:
            buffers.add(id(buffer.obj))
            if len(buffers) == MAX_BUFFERS:
                all_buffers_read.set()
            return super().read_into(buffer)

    monkeypatch.setattr(digests, "hashlib", SimpleNamespace(sha256=BlockedHash))
    size = BUFFER_BYTES * (MAX_BUFFERS + 2) + 7
    assert hash_body(CountingSource(size)) == (size, hashlib.sha256(CONTENT[:size]).hexdigest())
    assert len(buffers) == MAX_BUFFERS


def test_without_a_thread_one_buffer_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    class CountingSource(Source):
        def read_into(self, buffer: memoryview) -> int:
            buffers.add(id(buffer.obj))
            return super().read_into(buffer)

    buffers: set[int] = set()
    monkeypatch.setattr(digests, "threading", None)
    hash_body(CountingSource(BUFFER_BYTES * 3), threaded=False)
    assert len(buffers) == 1

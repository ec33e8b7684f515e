from __future__ import annotations

import hashlib
import threading
from types import SimpleNamespace

import pytest

from probe.model import Failure
from probe.wire import digests
from probe.wire.digests import BUFFER_BYTES, MAX_BUFFERS, hash_body
from probe.wire.errors import WireError

WHOLE = bytes(range(251)) * (BUFFER_BYTES * (MAX_BUFFERS + 3) // 251 + 1)


class Source:
    """`size` bytes, then the end, or `failing`."""

    def __init__(self, size: int, *, failing: WireError | None = None) -> None:
        self.left = memoryview(WHOLE)[:size]
        self.failing = failing

    def read_into(self, buffer: memoryview) -> int:
        count = min(len(buffer), len(self.left))
        if not count and self.failing:
            raise self.failing
        buffer[:count], self.left = self.left[:count], self.left[count:]
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
        hashlib.sha256(WHOLE[:size]).hexdigest(),
    )
    assert sum(sizes) == size
    assert 0 not in sizes


@pytest.mark.parametrize("size", [BUFFER_BYTES, BUFFER_BYTES * 3])
@pytest.mark.parametrize("threaded", [True, False])
def test_a_failure_comes_through_and_leaves_no_thread(size: int, threaded: bool) -> None:
    with pytest.raises(WireError) as caught:
        hash_body(Source(size, failing=WireError(Failure.STALLED)), threaded=threaded)
    assert caught.value.failure is Failure.STALLED
    assert not [thread for thread in threading.enumerate() if thread.name == "sha256"]


def test_reading_runs_ahead_of_hashing_by_so_many_buffers_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    ahead, buffers = threading.Event(), set()

    class Waiting:
        def __init__(self) -> None:
            self.real = hashlib.sha256()

        def update(self, data: memoryview) -> None:
            assert ahead.wait(30)
            self.real.update(data)

        def hexdigest(self) -> str:
            return self.real.hexdigest()

    class Counting(Source):
        def read_into(self, buffer: memoryview) -> int:
            buffers.add(id(buffer.obj))
            if len(buffers) == MAX_BUFFERS:
                ahead.set()
            return super().read_into(buffer)

    monkeypatch.setattr(digests, "hashlib", SimpleNamespace(sha256=Waiting))
    size = BUFFER_BYTES * (MAX_BUFFERS + 2) + 7
    assert hash_body(Counting(size)) == (size, hashlib.sha256(WHOLE[:size]).hexdigest())
    assert len(buffers) == MAX_BUFFERS


def test_in_its_place_it_needs_one_buffer_and_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    class Alone(Source):
        def read_into(self, buffer: memoryview) -> int:
            buffers.add(id(buffer.obj))
            return super().read_into(buffer)

    buffers: set[int] = set()
    monkeypatch.setattr(digests, "threading", None)
    hash_body(Alone(BUFFER_BYTES * 3), threaded=False)
    assert len(buffers) == 1

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Event

import pytest

from probe.registries import upload
from tests.registries.server import Registry, serving

CHUNK = 64 * 1024


class Clock(Event):
    """A stop whose waits take no time. `pauses` are their seconds."""

    def __init__(self) -> None:
        super().__init__()
        self.pauses: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.pauses.append(timeout or 0.0)
        return self.is_set()


@dataclass(frozen=True)
class Served:
    registry: Registry
    port: int
    clock: Clock = field(default_factory=Clock)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload, "CHUNK", CHUNK)


@pytest.fixture
def served() -> Iterator[Served]:
    registry = Registry()
    with serving(registry) as port:
        yield Served(registry, port)
    assert registry.all_faults_occurred

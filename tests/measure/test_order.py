"""What begins before what."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest

import probe.measure
from probe.sim import changes
from tests.measure.worlds import steps


def test_what_imports_libraries_begins_behind_all_that_can_go_without(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[str] = []

    def at_once(work: Callable[[], Any]) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(work())
        return future

    def noting(name: str) -> None:
        real = getattr(probe.measure, name)

        def noted(*given: Any) -> Any:
            begun.append(name)
            return real(*given)

        monkeypatch.setattr(probe.measure, name, noted)

    monkeypatch.setattr(probe.measure, "spawn", at_once)
    for name in ("other_region", "transparent_proxy", "reach", "find_credentials", "pull"):
        noting(name)
    steps(changes.no_change, controls=True)
    assert begun[:2] == ["other_region", "transparent_proxy"]  # whose silence takes longest
    assert begun.index("find_credentials") > max(place for place, name in enumerate(begun) if name == "reach")
    assert begun[-1] == "pull"

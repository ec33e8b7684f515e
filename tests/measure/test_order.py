"""The order in which the parts of a measurement begin."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest

import probe.measure
from probe.sim import changes
from tests.measure.simulated_run import steps

CONTROLS = ["control_other_region", "control_transparent_proxy"]


def test_what_imports_libraries_begins_after_what_needs_none(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[str] = []

    def run_now(work: Callable[[], Any]) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(work())
        return future

    def record_calls(name: str) -> None:
        function = getattr(probe.measure, name)

        def recorded(*arguments: Any) -> Any:
            begun.append(name)
            return function(*arguments)

        monkeypatch.setattr(probe.measure, name, recorded)

    monkeypatch.setattr(probe.measure, "spawn", run_now)
    for name in (*CONTROLS, "reach", "find_credentials", "pull"):
        record_calls(name)
    steps(changes.no_change, controls=True)
    assert begun[:2] == CONTROLS, "their timeouts take longest"
    assert begun.index("find_credentials") > max(place for place, name in enumerate(begun) if name == "reach")
    assert begun[-1] == "pull"

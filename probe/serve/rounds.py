"""One check after another: names, connections and credentials afresh, and a memory for what cannot change meanwhile."""

from __future__ import annotations

import threading
import time

from probe.config.settings import Settings
from probe.crash import verdict_in_any_case
from probe.model import Surroundings, Verdict
from probe.records import replace
from probe.run import run
from probe.wire import Wire


class Rounds:
    """Measures one task with the same settings. What its metadata told last holds for a round in which it is silent."""

    def __init__(self, settings: Settings, wire: Wire) -> None:
        self._settings = settings
        self._wire = wire
        self._known: Surroundings | None = None

    def measure(self, stop: threading.Event) -> Verdict:
        settings, known = replace(self._settings, started=time.monotonic()), self._known
        verdict = verdict_in_any_case(settings, lambda: run(settings, self._wire, stop=stop, known=known), stop=stop)
        if verdict.surroundings.metadata_answered:
            self._known = verdict.surroundings
        return verdict

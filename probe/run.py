"""One run: look around, plan, measure, diagnose, judge. Every command that measures calls it."""

from __future__ import annotations

import threading
import time
from concurrent.futures import wait
from datetime import UTC, datetime

from probe import __version__
from probe.config.settings import Settings, UsageError
from probe.measure import POLL, measure
from probe.measure.recorder import Recorder, Run, spawn
from probe.measure.surroundings import look_around, remembering
from probe.model import Failure, Measurement, Plan, Surroundings, Verdict
from probe.plan import make_plan
from probe.progress import Progress, Silent
from probe.shortage import ShortageError
from probe.wire import Wire

METADATA_GRACE = 0.5  # seconds for metadata after a stop: without it the image is often unknown


def run(
    settings: Settings,
    wire: Wire,
    *,
    progress: Progress | None = None,
    stop: threading.Event | None = None,
    earlier: Surroundings | None = None,
) -> Verdict:
    """Measure once and judge. Returns at the deadline at the latest, and soon after `stop` is set. `earlier` are the
    surroundings in an earlier run of the same task.

    Raises UsageError if settings and surroundings do not suffice for a plan, TimeoutError if `stop` was set before
    metadata answered, which contains the image, and ShortageError, OSError or WireError if this process is too short of
    resources to read them.
    """
    started_at, began = datetime.now(UTC), time.monotonic()
    stop = stop or threading.Event()
    until = settings.started + settings.budget.deadline
    recorder = Recorder()
    looking, grace = spawn(lambda: look_around(settings, wire, recorder, until=until)), METADATA_GRACE
    while wait([looking], timeout=POLL).not_done and grace > 0:
        grace -= POLL if stop.is_set() else 0
    cut_short = not looking.done()
    surroundings = remembering(earlier, Surroundings(resolvers=wire.resolvers()) if cut_short else looking.result())
    try:
        plan = _plan(settings, surroundings, recorder, until)
    except UsageError as error:
        if cut_short:
            raise TimeoutError from error  # nothing is wrong with the settings
        raise
    identity = measure(Run(wire, plan, recorder, until, stop, progress or Silent()), settings)
    measurement = Measurement(
        started_at=started_at,
        seconds=round(time.monotonic() - began, 3),
        surroundings=surroundings,
        identity=identity,
        plan=plan,
        interrupted=stop.is_set(),
        steps=recorder.steps(tuple(endpoint.name for endpoint in plan.endpoints) + plan.omitted),
    )
    from probe.faults import (
        diagnose,  # rules are not needed before the last packet, and their import takes longer than the first
    )
    from probe.verdict import judge

    findings = diagnose(measurement, settings.policy)
    return judge(findings, measurement, settings.policy, version=__version__)


def _plan(settings: Settings, surroundings: Surroundings, recorder: Recorder, until: float) -> Plan:
    """The plan. A shortage while metadata was read is no error in the settings."""
    try:
        return make_plan(settings, surroundings, late=time.monotonic() >= until)
    except UsageError as error:
        short = next((step for step in recorder.steps(()) if step.failure is Failure.NO_RESOURCES), None)
        if short is None:
            raise
        raise ShortageError(short.detail) from error

"""A run of the measuring part alone in the simulated VPC, which gives steps and no findings."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from probe.config.settings import parse
from probe.measure import measure
from probe.measure.recorder import Recorder, Run
from probe.measure.surroundings import look_around
from probe.model import Step
from probe.plan import make_plan
from probe.progress import Silent
from probe.sim.changes import Change
from probe.sim.vpc import VPC
from probe.wire import Wire


def steps(
    change: Change,
    *arguments: str,
    stop: threading.Event | None = None,
    through: Callable[[Wire], Wire] | None = None,
    controls: bool = False,
) -> dict[str, Step]:
    """The steps, by id, of one run in a VPC with `change`. `through` can replace parts of the wire."""
    with VPC() as vpc:
        change(vpc)
        settings = parse([*arguments, *([] if controls else ["--no-controls"])], vpc.environ, started=time.monotonic())
        recorder = Recorder()
        until = settings.started + settings.budget.deadline
        wire = through(vpc.wire()) if through else vpc.wire()
        surroundings = look_around(settings, wire, recorder, until=until)
        plan = make_plan(settings, surroundings)
        measure(Run(wire, plan, recorder, until, stop or threading.Event(), Silent()), settings)
        order = tuple(endpoint.name for endpoint in plan.endpoints) + plan.omitted
        return {step.id: step for step in recorder.steps(order)}


def only(steps_by_id: dict[str, Step], prefix: str) -> Step:
    """The only step with an id that begins with `prefix`."""
    (step,) = [step for name, step in steps_by_id.items() if name.startswith(prefix)]
    return step

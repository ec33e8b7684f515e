"""A run of the measuring part alone, in the simulated VPC: steps without any opinion."""

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
    breaks: Change,
    *arguments: str,
    stop: threading.Event | None = None,
    through: Callable[[Wire], Wire] | None = None,
    controls: bool = False,
) -> dict[str, Step]:
    """The steps by id of one run in a VPC so broken. `through` may put something of its own into the wire."""
    with VPC() as vpc:
        breaks(vpc)
        settings = parse([*arguments, *([] if controls else ["--no-controls"])], vpc.environ, started=time.monotonic())
        recorder = Recorder()
        until = settings.started + settings.budget.deadline
        world = through(vpc.wire()) if through else vpc.wire()
        surroundings = look_around(settings, world, recorder, until=until)
        plan = make_plan(settings, surroundings)
        measure(Run(world, plan, recorder, until, stop or threading.Event(), Silent()), settings)
        order = tuple(endpoint.name for endpoint in plan.endpoints) + plan.omitted
        return {step.id: step for step in recorder.steps(order)}


def only(found: dict[str, Step], prefix: str) -> Step:
    """The one step whose id begins so."""
    (step,) = [step for name, step in found.items() if name.startswith(prefix)]
    return step

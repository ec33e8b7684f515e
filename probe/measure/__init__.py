"""What is tried, and in which order. What can run concurrently does; opinions are in `faults`."""

from __future__ import annotations

from concurrent.futures import Future, wait
from functools import partial
from typing import Any

from probe.config.settings import Settings
from probe.measure.logs import OWN as OWN_LOGS
from probe.measure.logs import logs
from probe.measure.pull import CHAIN, Start, pull
from probe.measure.reach import Reached, reach
from probe.measure.recorder import Attempt, Run, Target, spawn
from probe.measure.services import expected, service
from probe.measure.surroundings import (
    control_other_region,
    control_transparent_proxy,
    find_credentials,
    look_at_proxies,
)
from probe.model import Action, Identity, Nothing
from probe.wire.credentials import FoundCredentials

POLL = 0.1  # seconds between checks whether the run was stopped


def measure(run: Run, settings: Settings) -> Identity:
    """Measure the plan until it is done, the deadline is reached or `run.stop` is set. Returns the identity that was
    used.
    """
    _announce(run)
    work, credentials = _begin(run, settings)
    _wait(run, work)
    run.recorder.close(late=run.over, interrupted=run.stop.is_set())
    return _identity(run, credentials)


def _begin(run: Run, settings: Settings) -> tuple[list[Future[Any]], Future[Attempt[FoundCredentials]]]:
    """Start everything: the controls first, since a timeout takes longest, then reaching each endpoint, and the
    requests that follow."""
    plan, work = run.plan, list[Future[Any]]()
    if plan.controls:
        work += [spawn(lambda: control_other_region(run)), spawn(lambda: control_transparent_proxy(run))]
    reached = {endpoint.name: spawn(partial(reach, run, endpoint)) for endpoint in plan.endpoints}
    # After all of these: it imports libraries, and a thread that starts during an import waits for it.
    credentials = spawn(lambda: find_credentials(run, settings))

    def pull_image() -> None:
        pull(run, Start(credentials.result(), reached["ecr.api"].result(), reached["ecr.dkr"], reached["s3"]))

    work += [*reached.values(), spawn(pull_image), spawn(lambda: look_at_proxies(run, settings.environment))]
    for endpoint in plan.endpoints:
        if endpoint.call is not None:
            work.append(spawn(partial(_call_service, run, credentials, reached[endpoint.name])))
    if "logs" in reached:
        work.append(spawn(lambda: logs(run, credentials.result(), reached["logs"].result())))
    return work, credentials


def _call_service(run: Run, credentials: Future[Attempt[FoundCredentials]], reached: Future[Reached]) -> None:
    service(run, credentials.result(), reached.result())


def _wait(run: Run, work: list[Future[Any]]) -> None:
    """Wait until all is done, the deadline or the stop. An exception that escaped a check becomes a step of its own."""
    # The background is looked at last: work that has just ended may have added to it.
    while not run.over and (unfinished := [*_unfinished(work), *_unfinished(run.in_background)]):
        wait(unfinished, timeout=POLL)
    for future in (*work, *run.in_background):
        if future.done() and (error := future.exception()) is not None:
            run.recorder.attempt(Target("task", Action.ENVIRONMENT, "probe"), partial(_raise, error))


def _unfinished(futures: list[Future[Any]]) -> list[Future[Any]]:
    return [future for future in futures if not future.done()]


def _raise(error: BaseException) -> tuple[Nothing, None]:
    raise error


def _identity(run: Run, credentials: Future[Attempt[FoundCredentials]]) -> Identity:
    """The identity that was used: the ARN of the credentials document, else the one in a denial."""
    ended = credentials.done() and credentials.exception() is None
    caller = credentials.result().value if ended else None
    if caller is None:
        return Identity(source="none")
    # Without those of layers, where the principal is ECR's own.
    denials = (step.denial for step in run.recorder.steps(()) if step.action is not Action.LAYER)
    principals = (denial.principal for denial in denials if denial is not None and denial.principal)
    return Identity(source=caller.source, arn=caller.arn or next(principals, None))


def _announce(run: Run) -> None:
    """Record the endpoints that are not needed, so that none is taken for healthy, and expect the steps to come."""
    for name in run.plan.omitted:
        omitted = Target(name, Action.DNS)
        run.recorder.skip(omitted, blocked_by="task/metadata/task", detail="this task does not need it")
    for target in CHAIN:
        run.recorder.expect(target)
    if run.plan.endpoint("logs") is not None:
        run.recorder.expect(OWN_LOGS)
    for endpoint in run.plan.endpoints:
        if endpoint.call is not None:
            run.recorder.expect(expected(endpoint))

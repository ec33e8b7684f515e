"""What is tried, and in which order. Everything that can go at once goes at once; opinions are in `faults`."""

from __future__ import annotations

from concurrent.futures import Future, wait
from functools import partial
from typing import Any

from probe.config.settings import Settings
from probe.measure.controls import other_region, transparent_proxy
from probe.measure.logs import logs
from probe.measure.pull import CHAIN, Start, pull
from probe.measure.reach import reach
from probe.measure.recorder import Attempt, Run, spawn
from probe.measure.surroundings import find_credentials, look_at_proxies
from probe.model import Action, AnswerSeen, Identity, Nothing
from probe.wire.credentials import FoundCredentials

GLANCE = 0.1  # seconds between looks at whether the run was stopped


def measure(run: Run, settings: Settings) -> Identity:
    """Measure all of the plan until it is done, the deadline is reached or `run.stop` is set. Tells the identity
    used.
    """
    _announce(run)
    work, credentials = _begin(run, settings)
    _wait(run, work)
    run.recorder.close(late=run.over)
    return _identity(run, credentials)


def _begin(run: Run, settings: Settings) -> tuple[list[Future[Any]], Future[Attempt[FoundCredentials]]]:
    """Start everything: the controls, since silence takes longest, each endpoint's reach, and the conversations that
    follow upon it."""
    plan, work = run.plan, list[Future[Any]]()
    if plan.controls:
        work += [spawn(lambda: other_region(run)), spawn(lambda: transparent_proxy(run))]
    reached = {endpoint.name: spawn(partial(reach, run, endpoint)) for endpoint in plan.endpoints}
    # Behind what is under way by then: it imports libraries, and whoever starts a thread beside that waits for it.
    credentials = spawn(lambda: find_credentials(run, settings))

    def walk() -> None:
        pull(run, Start(credentials.result(), reached["ecr.api"].result(), reached["ecr.dkr"], reached["s3"]))

    work += [*reached.values(), spawn(walk), spawn(lambda: look_at_proxies(run, settings.environment))]
    if "logs" in reached:
        work.append(spawn(lambda: logs(run, credentials.result(), reached["logs"].result())))
    return work, credentials


def _wait(run: Run, work: list[Future[Any]]) -> None:
    """Until all is done, the deadline or the stop. An exception that escaped a check is a step of its own."""
    # What is beside is looked at last: work that has just ended may have added to it.
    while not run.over and (unfinished := [*_unfinished(work), *_unfinished(run.beside)]):
        wait(unfinished, timeout=GLANCE)
    for future in (*work, *run.beside):
        if future.done() and (error := future.exception()) is not None:
            run.recorder.attempt("task", Action.ENVIRONMENT, "probe", call=partial(_raise, error))


def _unfinished(futures: list[Future[Any]]) -> list[Future[Any]]:
    return [future for future in futures if not future.done()]


def _raise(error: BaseException) -> tuple[Nothing, None]:
    raise error


def _identity(run: Run, credentials: Future[Attempt[FoundCredentials]]) -> Identity:
    """Whose credentials were used: the document's ARN, else the one that a refusal names."""
    found = credentials.result().value if credentials.done() else None
    if found is None:
        return Identity(source="none")
    # A layer's refusal is left out: the principal there is ECR's own.
    ours = (step.seen for step in run.recorder.steps(()) if step.action is not Action.LAYER)
    answers = (seen if isinstance(seen, AnswerSeen) else getattr(seen, "answer", None) for seen in ours)
    denials = (answer.denial for answer in answers if answer is not None)
    named = (denial.principal for denial in denials if denial is not None and denial.principal)
    return Identity(source=found.source, arn=found.arn or next(named, None))


def _announce(run: Run) -> None:
    """Name what is not needed, so that nobody takes its absence for health, and what has to come."""
    for name in run.plan.omitted:
        run.recorder.skip(name, Action.DNS, blocked_by="task/metadata/task", detail="this task does not need it")
    for endpoint, action, subject in CHAIN:
        run.recorder.expect(endpoint, action, subject)
    if run.plan.endpoint("logs") is not None:
        run.recorder.expect("logs", Action.LOGS)

"""A verdict in any case: where our own program fails or hangs, a document still says so.

`run` turns what goes wrong in a check into a step. This is the last resort behind it: it trusts only `model`.
"""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import Future, wait
from datetime import UTC, datetime
from pathlib import PurePath
from typing import TYPE_CHECKING

from probe import __version__
from probe.config.settings import Settings, UsageError
from probe.model import (
    SCHEMA_VERSION,
    Action,
    Advice,
    Cause,
    Extent,
    Failure,
    Identity,
    ImageHost,
    Impact,
    JudgedFinding,
    Nothing,
    Outcome,
    Path,
    Plan,
    Pull,
    Severity,
    Standing,
    Status,
    Step,
    Surroundings,
    Verdict,
    finding_url,
)

if TYPE_CHECKING:
    from probe.fleet import Fleet
    from probe.report import Page

GRACE = 1.0  # seconds beyond the deadline that a run has for its verdict
GRACE_AFTER_SIGNAL = 5.0  # seconds; on a busy machine some of them pass before the run notices
_GLANCE = 0.1
_STEP = "task/environment/probe"


def verdict_in_any_case(settings: Settings, run: Callable[[], Verdict], *, stop: threading.Event) -> Verdict:
    """What `run` returns, or a verdict on its failure to. Raises UsageError where `run` does."""
    began = datetime.now(UTC)
    try:
        return _bounded(settings, run, stop)
    except UsageError:
        raise
    except (Exception, SystemExit) as error:
        interrupted = isinstance(error, TimeoutError) and stop.is_set()
        return broken(settings, error, began=began, interrupted=interrupted)


def _bounded(settings: Settings, run: Callable[[], Verdict], stop: threading.Event) -> Verdict:
    """Run on a thread of its own: the main one stays free for signals and for the deadline."""
    future: Future[Verdict] = Future()

    def work() -> None:
        try:
            future.set_result(run())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=work, daemon=True).start()
    until = settings.started + settings.budget.deadline + GRACE
    while not wait([future], timeout=_GLANCE).done:
        if stop.is_set():
            until = min(until, time.monotonic() + GRACE_AFTER_SIGNAL)
            stop = threading.Event()  # noticed; a second look must not extend the time
        if time.monotonic() > until:
            raise TimeoutError
    return future.result(timeout=0)


def report_in_any_case(what: Verdict | Fleet, form: str, page: Page, complain: Callable[[str], None]) -> str:
    """A report. Where the words fail us, the bare document stands in: what was measured must not be lost."""
    from probe.report import FORMATS

    try:
        return FORMATS[form].render(what, page)
    except Exception as error:
        from probe.report.json import bare

        complain(f"a mistake of ecr-probe's own in the {form} report: {described(error)}; here is the document")
        return bare(what)


def described(error: BaseException) -> str:
    """Kind and place of an exception. Its words stay out: nobody knows what they hold."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return type(error).__name__
    place = frames[-1]
    return f"{type(error).__name__} in {PurePath(place.filename).name}:{place.lineno} ({place.name})"[:200]


def broken(settings: Settings, error: BaseException, *, began: datetime, interrupted: bool = False) -> Verdict:
    """An inconclusive verdict with one finding: probe.bug, or probe.deadline where a signal ended a run that hung."""
    finding = _interruption() if interrupted else _finding(error)
    return Verdict(
        schema_version=SCHEMA_VERSION,
        version=__version__,
        interrupted=interrupted,
        summary=f"whether ECS can pull the image is not proven: {finding.title}",
        status=Status.INCONCLUSIVE,
        pull=Pull.UNPROVEN,
        exit_code=3,
        started_at=began,
        seconds=round((datetime.now(UTC) - began).total_seconds(), 3),
        path=Path.UNKNOWN,
        identity=Identity(source="none"),
        surroundings=Surroundings(),
        plan=_plan(settings),
        policy=settings.policy,
        endpoints=(),
        findings=(finding,),
        causes=("other",),
        steps=(_step(Failure.DEADLINE, "not finished before the interruption"),)
        if interrupted
        else (_step(Failure.BUG, described(error)),),
    )


def _step(failure: Failure, detail: str) -> Step:
    return Step(
        id=_STEP,
        endpoint="task",
        action=Action.ENVIRONMENT,
        subject="probe",
        on=None,
        outcome=Outcome.FAILED,
        failure=failure,
        detail=detail,
        seconds=None,
        seen=Nothing(),
        blocked_by=None,
    )


def _finding(error: BaseException) -> JudgedFinding:
    return JudgedFinding(
        code="probe.bug",
        severity=Severity.ERROR,
        url=finding_url("probe.bug"),
        impact=Impact.PROOF,
        extent=Extent.WHOLLY,
        endpoints=("task",),
        title="ecr-probe itself failed, so nothing was proven",
        why="this says nothing about the network or AWS",
        because=(_STEP,),
        values={"detail": described(error)},
        causes=(
            Cause(
                code="other",
                standing=Standing.CONFIRMED,
                title="a bug in ecr-probe",
                fix=Advice("report it with this verdict"),
                confirm=Advice("the error text of the step"),
            ),
        ),
    )


def _interruption() -> JudgedFinding:
    return JudgedFinding(
        code="probe.deadline",
        severity=Severity.ERROR,
        url=finding_url("probe.deadline"),
        impact=Impact.PROOF,
        extent=Extent.WHOLLY,
        endpoints=("task",),
        title="the run was interrupted before anything was proven",
        why="A signal (Ctrl-C or SIGTERM) ended the run, and the run did not end in time.",
        because=(_STEP,),
        values={},
        causes=(
            Cause(
                code="other",
                standing=Standing.POSSIBLE,
                title="the run was interrupted by a signal",
                fix=Advice("run it again, and let it finish"),
                confirm=Advice("read what sent the signal: a terminal, a pipeline's timeout, or ECS stopping the task"),
            ),
        ),
    )


def _plan(settings: Settings) -> Plan:
    image = settings.image
    return Plan(
        endpoints=(),
        omitted=(),
        region=image.region if image else "",
        partition=image.partition if image else "",
        dns_suffix="",
        account=image.account if image else "",
        layer_host="",
        image=image.text if image else None,
        reference=image,
        image_host=ImageHost.PRIVATE_ECR if image else ImageHost.OTHER,
        image_given=image is not None,
        platform=settings.platform,
        platform_given=settings.platform_given,
        layers=settings.layers,
        vpc_cidrs=settings.vpc_cidrs,
        budget=settings.budget,
    )

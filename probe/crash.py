"""A verdict in any case: if ecr-probe itself fails or hangs, the document reports that.

`run` turns every error of a check into a step. This module is the last resort for what is left; it relies only on
`model` and `shortage`.
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
from probe.records import Record
from probe.shortage import is_shortage

if TYPE_CHECKING:
    from probe.fleet import Fleet
    from probe.report import Page

GRACE = 1.0  # seconds beyond the deadline that a run has for its verdict
GRACE_AFTER_SIGNAL = 5.0  # seconds; on a busy machine some of them pass before the run notices
_POLL = 0.1  # seconds
_STEP = "task/environment/probe"


def verdict_in_any_case(settings: Settings, run: Callable[[], Verdict], *, stop: threading.Event) -> Verdict:
    """The verdict of `run`, or one that reports why there is none. Raises UsageError if `run` does."""
    began = datetime.now(UTC)
    try:
        return _bounded(settings, run, stop)
    except UsageError:
        raise
    except (Exception, SystemExit) as error:
        interrupted = isinstance(error, TimeoutError) and stop.is_set()
        return broken(settings, error, began=began, interrupted=interrupted)


def _bounded(settings: Settings, run: Callable[[], Verdict], stop: threading.Event) -> Verdict:
    """Run on a thread of its own, so that the main one can watch signals and the deadline."""
    future: Future[Verdict] = Future()

    def work() -> None:
        try:
            future.set_result(run())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=work, daemon=True).start()
    until = settings.started + settings.budget.deadline + GRACE
    while not wait([future], timeout=_POLL).done:
        if stop.is_set():
            until = min(until, time.monotonic() + GRACE_AFTER_SIGNAL)
            stop = threading.Event()  # handled; the next poll must not extend the time
        if time.monotonic() > until:
            raise TimeoutError
    return future.result(timeout=0)


def report_in_any_case(what: Verdict | Fleet, form: str, page: Page, complain: Callable[[str], None]) -> str:
    """A report; the bare document if rendering fails, so that what was measured is not lost."""
    from probe.report import FORMATS

    try:
        return FORMATS[form].render(what, page)
    except Exception as error:
        from probe.report.json import unshortened

        complain(f"a bug of ecr-probe in the {form} report: {described(error)}; here is the document")
        return unshortened(what)


def described(error: BaseException) -> str:
    """Type and place of an exception. Its text is left out, since it may contain a secret."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return type(error).__name__
    place = frames[-1]
    return f"{type(error).__name__} in {PurePath(place.filename).name}:{place.lineno} ({place.name})"[:200]


class _End(Record, frozen=True, kw_only=True):
    """Why a run ended without a verdict of its own: the texts of its only finding, and the failure of its only step."""

    code: str
    title: str
    why: str
    failure: Failure
    detail: str
    values: dict[str, str]
    standing: Standing
    cause: str
    fix: str
    confirm: str


def broken(settings: Settings, error: BaseException, *, began: datetime, interrupted: bool = False) -> Verdict:
    """An inconclusive verdict with one finding: probe.bug, probe.no-resources, or probe.deadline after a signal."""
    end = _interruption() if interrupted else _shortage(error) if is_shortage(error) else _bug(error)
    return Verdict(
        schema_version=SCHEMA_VERSION,
        version=__version__,
        interrupted=interrupted,
        summary=f"it is not proven whether ECS can pull the image: {end.title}",
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
        findings=(_finding(end),),
        causes=("other",),
        steps=(_step(end),),
    )


def _bug(error: BaseException) -> _End:
    return _End(
        code="probe.bug",
        title="ecr-probe itself failed, so nothing was proven",
        why="This is a bug in ecr-probe. The network and AWS were not judged.",
        failure=Failure.BUG,
        detail=described(error),
        values={"detail": described(error)},
        standing=Standing.CONFIRMED,
        cause="a bug in ecr-probe",
        fix="report it with this verdict",
        confirm="the error text of the step",
    )


def _shortage(error: BaseException) -> _End:
    return _End(
        code="probe.no-resources",
        title="this process is out of file descriptors, memory or threads, so nothing was proven",
        why="The operating system refused a resource. The network and AWS were not judged.",
        failure=Failure.NO_RESOURCES,
        detail=described(error),
        values={"detail": described(error)},
        standing=Standing.POSSIBLE,
        cause="a limit of the container or the host is too low, or other processes use it up",
        fix="raise the limits of this container in the task definition: ulimits (nofile), memory, and the limit of "
        "processes",
        confirm="compare the error text of the step with /proc/self/limits",
    )


def _interruption() -> _End:
    return _End(
        code="probe.deadline",
        title="the run was interrupted before anything was proven",
        why="A signal (Ctrl-C or SIGTERM) ended the run before there was a result.",
        failure=Failure.DEADLINE,
        detail="not finished before the interruption",
        values={},
        standing=Standing.POSSIBLE,
        cause="the run was interrupted by a signal",
        fix="run it again, and let it finish",
        confirm="read what sent the signal: a terminal, a pipeline's timeout, or ECS stopping the task",
    )


def _step(end: _End) -> Step:
    return Step(
        id=_STEP,
        endpoint="task",
        action=Action.ENVIRONMENT,
        subject="probe",
        on=None,
        outcome=Outcome.FAILED,
        failure=end.failure,
        detail=end.detail,
        seconds=None,
        seen=Nothing(),
        blocked_by=None,
    )


def _finding(end: _End) -> JudgedFinding:
    fix, confirm = Advice(end.fix), Advice(end.confirm)
    return JudgedFinding(
        code=end.code,
        severity=Severity.ERROR,
        url=finding_url(end.code),
        impact=Impact.PROOF,
        extent=Extent.WHOLLY,
        endpoints=("task",),
        title=end.title,
        why=end.why,
        because=(_STEP,),
        values=end.values,
        causes=(Cause(code="other", standing=end.standing, title=end.cause, fix=fix, confirm=confirm),),
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

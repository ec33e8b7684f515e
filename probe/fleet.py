"""The nouns of `smoke`: one run of the probe per subnet, and what all of them say together. Pure values."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from probe.model import SCHEMA_VERSION, Severity, Status, Verdict
from probe.records import Record
from probe.verdict import exit_code


class Source(StrEnum):
    """Where a run's verdict comes from."""

    PROBE = "probe"  # the probe's own document, out of its log stream
    STOPPED_REASON = "stopped-reason"  # read from ECS's words: no task, or one whose container never started
    EXIT_CODE = "exit-code"  # the container ended, but its document did not arrive


class SubnetRun(Record, frozen=True, kw_only=True):
    """One subnet, and what became of the probe's task in it.

    `verdict` is None where nobody could tell more than `status`; `words` then says why, in one sentence. Where both
    stand, `words` is what has to be known beside the verdict. `task_arn` is None where no task was started.
    """

    subnet: str  # "subnet-0a1b2c3d4e5f60718"
    zone: str | None  # "eu-west-1a"
    task_arn: str | None
    status: Status
    source: Source | None
    verdict: Verdict | None
    words: str | None
    seconds: float | None  # from the last RunTask to the answer
    tries: int = 1  # tasks that were run here, or would have been; the last one's answer is told


class Expectation(Record, frozen=True, kw_only=True):
    """Of a drill: these subnets fail with a finding of this code. No subnet stands for all that nobody else names."""

    code: str
    subnets: tuple[str, ...] = ()


class Fleet(Record, frozen=True, kw_only=True):
    """The document of `smoke`. `runs` stand in the order of zones, then of subnets.

    `status` is what was measured. `exit_code` follows it, or the expectations where there are any.
    """

    schema_version: int = SCHEMA_VERSION
    version: str
    status: Status
    exit_code: int
    started_at: datetime
    seconds: float
    region: str
    cluster: str
    task_definition: str  # with its revision
    service: str | None
    role: str | None  # the role that the tasks held instead of their own
    runs: tuple[SubnetRun, ...]
    expected: tuple[Expectation, ...] = ()
    notes: tuple[str, ...] = ()  # what holds for all runs and has to be known, a sentence each


# The worst of them first. Inconclusive outweighs degraded: an unknown subnet must not pass a gate.


def overall(statuses: Iterable[Status], *, strict: bool) -> tuple[Status, int]:
    """One status over all subnets, and the exit code of it; nothing run at all is inconclusive."""
    status = min(statuses, key=lambda status: status.rank, default=Status.INCONCLUSIVE)
    return status, exit_code(status, strict=strict)


def as_expected(runs: Iterable[SubnetRun], expected: Iterable[Expectation], *, strict: bool) -> int:
    """The exit code of a drill: 0 where every subnet did what was expected, 3 where some did not tell, else 1.

    Where subnets are named, the others are expected to pass.
    """
    named = {subnet: each.code for each in expected for subnet in each.subnets}
    rest = next((each.code for each in expected if not each.subnets), None)
    codes = [_met(run, named.get(run.subnet, rest), strict=strict) for run in runs]
    return 1 if 1 in codes else max(codes, default=3)


def _met(run: SubnetRun, code: str | None, *, strict: bool) -> int:
    if run.status is Status.INCONCLUSIVE:
        return 3
    if code is None:
        return exit_code(run.status, strict=strict)
    errors = (
        {finding.code for finding in run.verdict.findings if finding.severity is Severity.ERROR}
        if run.verdict
        else set()
    )
    if run.status is Status.FAIL and run.verdict is None:
        return 3  # it fails, and of what is not known
    return 0 if run.status is Status.FAIL and code in errors else 1

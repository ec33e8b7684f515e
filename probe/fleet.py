"""The values of `smoke`: a run of the probe in each subnet, and the fleet of these runs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from probe.model import SCHEMA_VERSION, Basis, Severity, Status, Verdict
from probe.records import Record
from probe.verdict import exit_code


class Source(StrEnum):
    """What a run's status is based on."""

    PROBE = "probe"  # the probe's own document, from its log stream
    STOPPED_REASON = "stopped-reason"  # ECS's reasons: there was no task, or its container did not start
    EXIT_CODE = "exit-code"  # the container ended, but its document did not arrive


class SubnetRun(Record, frozen=True, kw_only=True):
    """The result of the probe's task in one subnet.

    `verdict` is None if only `status` is known; `words` is then the reason, in one sentence. With a verdict, `words` is
    a remark on it. With `--inspect` such a run has a predicted verdict, which does not change `status`. `task_arn` is
    None if no task was started.
    """

    subnet: str  # "subnet-0a1b2c3d4e5f60718"
    zone: str | None  # "eu-west-1a"
    task_arn: str | None
    status: Status
    source: Source | None
    verdict: Verdict | None
    words: str | None
    seconds: float | None  # from the last RunTask to the answer
    tries: int = 1  # how often a task was requested here; the other fields are those of the last one

    @property
    def is_predicted(self) -> bool:
        """Whether the verdict was predicted from the configuration: nothing was measured in this subnet."""
        return self.verdict is not None and self.verdict.basis is Basis.CONFIGURATION


class Expectation(Record, frozen=True, kw_only=True):
    """Of a drill: these subnets fail with a finding of this code; without subnets, all that no other one lists."""

    code: str
    subnets: tuple[str, ...] = ()


class Fleet(Record, frozen=True, kw_only=True):
    """The document of `smoke`. `runs` are sorted by zone, then by subnet.

    `status` is what was measured. `exit_code` follows from it, or from the expectations of a drill.
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
    role: str | None  # the role that the tasks had instead of their own
    launch_type: str | None = None  # of the tasks; None: that of a capacity provider's instances
    image: str | None = None  # that of --image, otherwise the probe's own; None: it is not in private ECR
    runs: tuple[SubnetRun, ...]
    expected: tuple[Expectation, ...] = ()
    notes: tuple[str, ...] = ()  # remarks on all runs, a sentence each


def overall(statuses: Iterable[Status], *, strict: bool) -> tuple[Status, int]:
    """The worst of the subnets' statuses, and its exit code. Without any subnet it is inconclusive.

    Inconclusive is worse than degraded, so that an unknown subnet does not pass a gate.
    """
    status = min(statuses, key=lambda status: status.rank, default=Status.INCONCLUSIVE)
    return status, exit_code(status, strict=strict)


def as_expected(runs: Iterable[SubnetRun], expected: Iterable[Expectation], *, strict: bool) -> int:
    """The exit code of a drill: 0 if every subnet is as expected, 1 if one is not, 3 if one is unknown.

    A subnet that no expectation lists is expected to pass, unless an expectation without subnets covers it.
    """
    code_by_subnet = {subnet: expectation.code for expectation in expected for subnet in expectation.subnets}
    other_code = next((expectation.code for expectation in expected if not expectation.subnets), None)
    exit_codes = [_drill_code(run, code_by_subnet.get(run.subnet, other_code), strict=strict) for run in runs]
    return 1 if 1 in exit_codes else max(exit_codes, default=3)


def _drill_code(run: SubnetRun, code: str | None, *, strict: bool) -> int:
    if run.status is Status.INCONCLUSIVE:
        return 3
    if code is None:
        return exit_code(run.status, strict=strict)
    if run.status is not Status.FAIL:
        return 1
    if run.verdict is None or run.is_predicted:
        return 3  # why it fails is unknown
    return (
        0 if any(finding.severity is Severity.ERROR and finding.code == code for finding in run.verdict.findings) else 1
    )

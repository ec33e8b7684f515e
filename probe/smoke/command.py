"""The command `smoke`: read everything before a task is started, run the tasks, stop what still runs, report."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import uuid4

from probe import __version__
from probe.config.flags import UsageError
from probe.fleet import Fleet, as_expected, overall
from probe.operator.aws import Account, ApiError
from probe.smoke.calls import Calls, EarlyEndError, Workers
from probe.smoke.cleanup import Cleanup
from probe.smoke.options import Options
from probe.smoke.progress import Progress
from probe.smoke.subnets import Scheduler, Subnet, started_by
from probe.smoke.target import Target, read_target, read_zones, refusal_of


class Smoke:
    """One run of the command."""

    def __init__(
        self, options: Options, account: Account, workers: Workers, *, stop: threading.Event, progress: Progress
    ) -> None:
        self._options, self._account, self._workers, self._progress = options, account, workers, progress
        self._began, self._started_at = workers.now(), datetime.now(UTC)
        expired = f"--timeout ({options.timeout:g} s) expired"
        deadline = self._began + options.timeout
        self._calls = Calls(account, workers, progress=progress, deadline=deadline, expired=expired, stop=stop)
        self._run_id = uuid4().hex[:16]
        self._target: Target | None = None
        self._subnets = [Subnet(name) for name in options.subnets]
        self._notes: list[str] = []

    def run(self) -> Fleet:
        """Raises UsageError where the user must change something. On return and on errors every task is stopped."""
        try:
            early_end = self._run_tasks()
        except UsageError as error:
            raise UsageError("; ".join((str(error), *self._clean_up()))) from None
        except BaseException:
            self._clean_up()
            raise
        else:
            return self._fleet(early_end, self._clean_up())
        finally:
            self._progress.close()

    def _run_tasks(self) -> str | None:
        """The reason why the run ended early, if it did."""
        try:
            target = self._prepare()
            self._progress.start(len(self._subnets))
            Scheduler(
                self._subnets,
                target,
                self._options,
                self._calls,
                run_id=self._run_id,
                retry_until=self._began + self._options.wait_until_pass,
                progress=self._progress,
                notes=self._notes,
            ).run()
        except EarlyEndError as error:
            return str(error)
        return None

    def _prepare(self) -> Target:
        """Only read: where something is wrong here, no task was started."""
        options, region = self._options, self._account.region
        try:
            self._target = target = read_target(options, self._calls.call, region=region)
            self._subnets = [Subnet(name) for name in target.subnets]
            zones = read_zones(options, self._calls.call, target.subnets, region, self._notes)
            self._account.forget("ec2")
        except ApiError as error:
            raise refusal_of(error, options, region) from None
        unknown = {name for expectation in options.expected for name in expectation.subnets} - set(target.subnets)
        if unknown:
            raise options.arguments.refusal("expect", f"{min(unknown)} is not one of the subnets")
        for subnet in self._subnets:
            subnet.zone = zones.get(subnet.id)
        self._subnets.sort(key=_order)
        self._notes += target.notes
        return target

    def _clean_up(self) -> list[str]:
        cleanup = Cleanup(
            self._account,
            self._workers,
            cluster=self._options.cluster,
            started_by=started_by(self._run_id),
            progress=self._progress,
        )
        return cleanup.run(self._subnets)

    def _fleet(self, early_end: str | None, cleanup_notes: Sequence[str]) -> Fleet:
        now, options = self._workers.now(), self._options
        if early_end is not None:
            error = f" ({self._calls.last_error})" if self._calls.last_error and self._target is None else ""
            self._notes.append(f"not complete: {early_end}{error}")
        runs = tuple(subnet.final_run(early_end or "", now) for subnet in sorted(self._subnets, key=_order))
        status, code = overall((run.status for run in runs), strict=options.strict)
        definition = self._target.task_definition if self._target else options.task_definition
        return Fleet(
            version=__version__,
            status=status,
            exit_code=as_expected(runs, options.expected, strict=options.strict) if options.expected else code,
            started_at=self._started_at,
            seconds=round(now - self._began, 3),
            region=self._account.region,
            cluster=options.cluster.rpartition("/")[2],
            task_definition=definition.rpartition("/")[2],
            service=options.service.rpartition("/")[2] if options.service else None,
            role=self._target.role if self._target else None,
            launch_type=self._target.launch_type if self._target else None,
            image=options.image or (self._target.own_image if self._target else None),
            runs=runs,
            expected=options.expected,
            notes=tuple(dict.fromkeys((*self._notes, *cleanup_notes))),
        )


def _order(subnet: Subnet) -> tuple[str, str]:
    """By zone, unknown zones last."""
    return subnet.zone or "~", subnet.id

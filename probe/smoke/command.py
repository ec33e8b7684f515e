"""The command `smoke`: look before anything is started, run the waves, leave nothing behind, say what came of it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import uuid4

from probe import __version__
from probe.config.flags import UsageError
from probe.fleet import Fleet, as_expected, overall
from probe.operator.aws import Account, ApiError
from probe.smoke import target
from probe.smoke.calls import Calls, CutShortError
from probe.smoke.cleanup import Tidying
from probe.smoke.options import Options
from probe.smoke.progress import Watch
from probe.smoke.subnets import Waves, started_by
from probe.smoke.target import Target
from probe.smoke.trial import Trial
from probe.smoke.workers import Hands


class Smoke:
    """One run of the command."""

    def __init__(
        self, options: Options, account: Account, hands: Hands, *, stop: threading.Event, watch: Watch
    ) -> None:
        self._options, self._account, self._hands, self._watch = options, account, hands, watch
        self._began, self._started_at = hands.now(), datetime.now(UTC)
        over = f"the {options.timeout:g} s of --timeout were over"
        self._calls = Calls(account, hands, deadline=self._began + options.timeout, over=over, stop=stop)
        self._run_id = uuid4().hex[:16]
        self._target: Target | None = None
        self._trials = [Trial(subnet) for subnet in options.subnets]
        self._notes: list[str] = []

    def run(self) -> Fleet:
        """Raises UsageError where the user must change something; whatever had been started is stopped by then."""
        try:
            cut = self._run()
        except UsageError as error:
            raise UsageError("; ".join((str(error), *self._tidied()))) from None
        except BaseException:
            self._tidied()
            raise
        else:
            told = self._tidied()
            return self._fleet(cut, told)
        finally:
            self._watch.close()

    def _run(self) -> str | None:
        """What cut it short, if anything did."""
        try:
            found = self._look()
            self._watch.begins(len(self._trials))
            gate = self._began + self._options.wait_until_pass
            waves = Waves(
                self._trials,
                found,
                self._options,
                self._calls,
                run_id=self._run_id,
                gate=gate,
                watch=self._watch,
                notes=self._notes,
            )
            waves.run()
        except CutShortError as cut:
            return str(cut)
        return None

    def _look(self) -> Target:
        """Reads only: while something is wrong here, nothing has been started."""
        try:
            self._target = found = target.read(self._options, self._calls.ask, region=self._account.region)
            self._trials = [Trial(subnet) for subnet in found.subnets]
            zones = target.zones(self._options, self._calls.ask, found.subnets, self._account.region, self._notes)
            self._account.forget("ec2")
        except ApiError as error:
            raise target.refused(error, self._options, self._account.region) from None
        strangers = {subnet for each in self._options.expected for subnet in each.subnets} - set(found.subnets)
        if strangers:
            raise self._options.given.refusal("expect", f"{min(strangers)} is not one of the subnets")
        for trial in self._trials:
            trial.zone = zones.get(trial.subnet)
        self._trials.sort(key=_place)
        self._notes += found.notes
        return found

    def _tidied(self) -> list[str]:
        tidying = Tidying(
            self._account,
            self._hands,
            cluster=self._options.cluster,
            started_by=started_by(self._run_id),
            tell=self._watch.note,
        )
        return tidying.tidy(self._trials)

    def _fleet(self, cut: str | None, told: Sequence[str]) -> Fleet:
        now, options = self._hands.now(), self._options
        if cut is not None:
            trouble = f" ({self._calls.trouble})" if self._calls.trouble and self._target is None else ""
            self._notes.append(f"the run was cut short when {cut}{trouble}")
        runs = tuple(trial.run or trial.cut_short(cut or "", now) for trial in sorted(self._trials, key=_place))
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
            runs=runs,
            expected=options.expected,
            notes=tuple(dict.fromkeys((*self._notes, *told))),
        )


def _place(trial: Trial) -> tuple[str, str]:
    """By zone, those of unknown zones last."""
    return trial.zone or "~", trial.subnet

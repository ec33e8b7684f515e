"""Stops every task that the run started and that may still run, however the run ended."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from probe.narration import counted
from probe.operator.aws import TEMPORARY, Account, ApiError, Kind
from probe.smoke.calls import STOPS, Bucket, Calls, EarlyEndError, Reply, Workers, backoff
from probe.smoke.progress import Progress, Situation
from probe.smoke.subnets import State, Subnet

LIMIT = 20.0  # seconds, and one more for every ten tasks
_REASON = "ecr-probe smoke has ended"
_LIST_DELAYS = (0.0, 2.0, 4.0)  # seconds before each ListTasks: a new task is not listed immediately
_MOST_LISTED = 10_000
_ATTEMPTS = 5
_NO_TIME = "there was no time left"
_MOST_NOTES = 3


class Cleanup:
    def __init__(
        self, account: Account, workers: Workers, *, cluster: str, started_by: str, progress: Progress
    ) -> None:
        self._account, self._workers = account, workers
        self._cluster, self._started_by, self._progress = cluster, started_by, progress
        self._bucket = Bucket(STOPS)
        self._stopped = 0
        self._not_stopped: dict[str, str] = {}  # the reason for each task

    def run(self, subnets: Sequence[Subnet]) -> list[str]:
        """Stop the tasks. Returns a sentence for each thing done; none where there was nothing to do."""
        deadline = self._workers.now() + LIMIT + len(subnets) / 10
        # Tolerant: a late reply to a call of the run may raise, and the tasks have to be stopped nevertheless.
        calls = Calls(self._account, self._workers, progress=self._progress, deadline=deadline, tolerant=True)
        calls.situation = self._situation
        with suppress(EarlyEndError):
            self._await_launches(subnets, calls)
        running = [subnet.task_arn for subnet in subnets if subnet.may_run and subnet.task_arn]
        running += [arn for subnet in subnets for arn in subnet.earlier_tasks]
        unsure = any(subnet.launch_unknown or subnet.state is State.STARTING for subnet in subnets)
        if running or unsure:
            self._progress.note(
                f"stopping {counted(len(running), 'task')}" if running else "looking for tasks that may run"
            )
            with suppress(EarlyEndError):
                self._stop(running, calls)
                if unsure:
                    self._stop_unknown_tasks(calls, already_stopped=set(running))
        return self._notes()

    def _situation(self) -> Situation:
        if not self._not_stopped:
            return Situation("AWS to answer ecs:RunTask")
        reasons = ", ".join(sorted(set(self._not_stopped.values()) - {_NO_TIME}))
        return Situation(f"{counted(len(self._not_stopped), 'task')} to stop{f' ({reasons})' if reasons else ''}")

    def _await_launches(self, subnets: Sequence[Subnet], calls: Calls) -> None:
        """Wait for each RunTask in flight, since its task must be stopped too."""
        while any(subnet.state is State.STARTING for subnet in subnets):
            calls.wait(calls.deadline)

    def _stop_unknown_tasks(self, calls: Calls, *, already_stopped: set[str]) -> None:
        for delay in _LIST_DELAYS:
            calls.pause(delay)
            try:
                listed = self._list_tasks(calls)
            except ApiError as error:
                self._not_stopped["a task that may have started"] = str(error)
                return
            self._stop([arn for arn in listed if arn not in already_stopped], calls)
            already_stopped |= set(listed)

    def _list_tasks(self, calls: Calls) -> list[str]:
        arns: list[str] = []
        page: dict[str, Any] = {}
        while True:
            reply = calls.call("ecs:ListTasks", cluster=self._cluster, startedBy=self._started_by, **page)
            arns += map(str, reply.get("taskArns") or ())
            if not reply.get("nextToken") or len(arns) >= _MOST_LISTED:
                return arns
            page = {"nextToken": str(reply["nextToken"])}

    def _stop(self, arns: Sequence[str], calls: Calls) -> None:
        due = dict.fromkeys(arns, 0.0)  # instant of the next StopTask
        attempts = dict.fromkeys(arns, 0)
        in_flight: set[str] = set()

        def on_stop(arn: str, reply: Reply) -> None:
            in_flight.discard(arn)
            attempts[arn] += 1
            if not isinstance(reply, ApiError) or reply.kind is Kind.REFUSED:
                self._stopped += not isinstance(reply, ApiError)  # refused: the task no longer exists
                self._not_stopped.pop(arn, None)
            else:
                self._not_stopped[arn] = str(reply)
                if reply.kind in TEMPORARY and attempts[arn] < _ATTEMPTS:
                    due[arn] = calls.now() + backoff(attempts[arn], shortest=0.5, longest=4.0)

        self._not_stopped |= dict.fromkeys(arns, _NO_TIME)
        while due or in_flight:
            now = calls.now()
            for arn in [arn for arn, instant in due.items() if instant <= now]:
                if not self._bucket.take(now):
                    break
                del due[arn]
                in_flight.add(arn)
                calls.start("ecs:StopTask", partial(on_stop, arn), cluster=self._cluster, task=arn, reason=_REASON)
            calls.wait(max(self._bucket.next_token(now), min(due.values(), default=calls.deadline)))

    def _notes(self) -> list[str]:
        notes = []
        if self._stopped:
            notes.append(f"{counted(self._stopped, 'task')} {'was' if self._stopped == 1 else 'were'} stopped")
        for task, reason in list(self._not_stopped.items())[:_MOST_NOTES]:
            notes.append(f"{task} was not stopped, and runs until its check ends: {reason}")
        if len(self._not_stopped) > _MOST_NOTES:
            notes.append(f"{len(self._not_stopped) - _MOST_NOTES} more were not stopped")
        return notes

"""Leaving nothing behind: whatever was started and may still run is stopped, however the run ended."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from probe.config.flags import UsageError
from probe.operator.aws import PASSING, Account, ApiError, Kind
from probe.smoke import rates
from probe.smoke.calls import Calls, CutShortError
from probe.smoke.trial import State, Trial
from probe.smoke.workers import Answer, Hands

LIMIT = 20.0  # seconds, and one more for every ten tasks
REASON = "ecr-probe smoke is over"
_LOOKS = (0.0, 2.0, 4.0)  # seconds before each: a list is not complete at once
_ATTEMPTS = 5


class Tidying:
    def __init__(self, account: Account, hands: Hands, *, cluster: str, started_by: str, tell: Callable[[str], None]):
        self._cluster, self._started_by, self._tell = cluster, started_by, tell
        self._account, self._hands = account, hands
        self._bucket = rates.stops()
        self._stopped = 0
        self._left: dict[str, str] = {}  # why a task could not be stopped

    def tidy(self, trials: Sequence[Trial]) -> list[str]:
        """What was done, a sentence each; nothing where there was nothing to do."""
        deadline = self._hands.now() + LIMIT + len(trials) / 10
        calls = Calls(self._account, self._hands, deadline=deadline, over="", stop=threading.Event())
        with suppress(CutShortError):
            self._hear_of_launches(trials, calls)
        running = [trial.task_arn for trial in trials if trial.alive and trial.task_arn]
        running += [arn for trial in trials for arn in trial.earlier]
        unsure = [trial for trial in trials if trial.unsure or trial.state is State.STARTING]
        if running or unsure:
            self._tell(f"stopping {_tasks(len(running))}" if running else "looking for a task that may have started")
            with suppress(CutShortError):
                self._stop(running, calls)
                self._stop_strays(unsure, calls, known=set(running))
        return self._told()

    def _hear_of_launches(self, trials: Sequence[Trial], calls: Calls) -> None:
        """Those under way, whose tasks are to be stopped as well."""
        while any(trial.state is State.STARTING for trial in trials):
            with suppress(UsageError, ApiError):  # it was no use, so there is nothing to stop
                calls.wait(calls.deadline)

    def _stop_strays(self, unsure: Sequence[Trial], calls: Calls, *, known: set[str]) -> None:
        for pause in _LOOKS if unsure else ():
            until = calls.now() + pause
            while calls.now() < until:
                calls.wait(until)
            try:
                found = self._listed(calls)
            except ApiError as error:
                self._left["a task that may have started"] = str(error)
                return
            strays = [arn for arn in found if arn not in known]
            self._stop(strays, calls)
            known |= set(strays)

    def _listed(self, calls: Calls) -> list[str]:
        found: list[str] = []
        page: dict[str, Any] = {}
        while True:
            answer = calls.ask("ecs:ListTasks", cluster=self._cluster, startedBy=self._started_by, **page)
            found += [str(arn) for arn in answer.get("taskArns") or ()]
            if not answer.get("nextToken") or len(found) >= 10_000:
                return found
            page = {"nextToken": str(answer["nextToken"])}

    def _stop(self, arns: Sequence[str], calls: Calls) -> None:
        waiting = dict.fromkeys(arns, 0.0)  # until when
        attempts = dict.fromkeys(arns, 0)
        asked: set[str] = set()

        def heard(arn: str, reply: Answer) -> None:
            asked.discard(arn)
            attempts[arn] += 1
            if not isinstance(reply, ApiError) or reply.kind is Kind.REFUSED:
                self._stopped += not isinstance(reply, ApiError)  # refused: it is no task any more
                self._left.pop(arn, None)
            else:
                self._left[arn] = str(reply)
                if reply.kind in PASSING and attempts[arn] < _ATTEMPTS:
                    waiting[arn] = calls.now() + rates.patience(attempts[arn], shortest=0.5, longest=4.0)

        self._left |= dict.fromkeys(arns, "there was no time left")
        while waiting or asked:
            now = calls.now()
            for arn in [arn for arn, due in waiting.items() if due <= now]:
                if not self._bucket.take(now):
                    break
                del waiting[arn]
                asked.add(arn)
                calls.start("ecs:StopTask", partial(heard, arn), cluster=self._cluster, task=arn, reason=REASON)
            calls.wait(max(self._bucket.due(now), min(waiting.values(), default=calls.deadline)))

    def _told(self) -> list[str]:
        sentences = []
        if self._stopped:
            sentences.append(f"{_tasks(self._stopped)} {'was' if self._stopped == 1 else 'were'} stopped")
        for what, why in list(self._left.items())[:3]:
            sentences.append(f"{what} was not stopped, and ends with its check: {why}")
        if len(self._left) > 3:
            sentences.append(f"nor were {len(self._left) - 3} more")
        return sentences


def _tasks(number: int) -> str:
    return f"{number} task{'' if number == 1 else 's'}"

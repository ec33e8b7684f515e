"""The subnets' tasks, from RunTask to the answer, many at once and as fast as AWS lets them be started.

One thread decides and knows everything; `Hands` make its calls. For n subnets whose tasks come to an end at the first
try it takes n RunTask, n GetLogEvents, and every POLL seconds one DescribeTasks for each BATCH of tasks that run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any
from uuid import uuid4

from probe.explain import explain_text
from probe.model import Policy, Status, Verdict
from probe.operator.aws import PASSING, POLICY, ApiError, Kind
from probe.report.json import essence
from probe.smoke import outcome, rates, task
from probe.smoke.calls import Calls
from probe.smoke.options import Options
from probe.smoke.outcome import Answer
from probe.smoke.progress import Watch
from probe.smoke.target import Target, refused
from probe.smoke.trial import State, Trial
from probe.smoke.workers import Answer as Reply
from probe.verdict import exit_code

POLL = 3.0  # seconds; a task takes a multiple of it to start
BATCH = 100  # tasks that one DescribeTasks may name
AGAIN = 15.0  # seconds from a subnet's failure to its next try under --wait-until-pass
UNKNOWN = 60.0  # seconds for which a new task may be unknown to DescribeTasks
LATE = (1.0, 2.0, 4.0, 8.0)  # seconds between looks for a document that may yet arrive
# Launches under way, and reads of logs: ten a second, of which each may take a second. The hands are more, so that no
# call waits for one: what waits could not be taken back, and looks must not come late.
AT_ONCE = 12
DOCUMENTS = 8 * 1024 * 1024  # bytes of all subnets' documents
_MOST = 200 * 1024  # of one


class Waves:
    """`gate` is the instant until which what fails is tried again. Notes are added to `notes`."""

    def __init__(
        self,
        trials: Sequence[Trial],
        target: Target,
        options: Options,
        calls: Calls,
        *,
        run_id: str,
        gate: float,
        watch: Watch,
        notes: list[str],
    ) -> None:
        self._trials, self._target, self._options, self._calls = trials, target, options, calls
        self._run_id, self._gate, self._watch, self._notes = run_id, gate, watch, notes
        self._launches, self._log_reads = rates.launches(), rates.log_reads()
        self._accepted = False  # AWS has taken a RunTask as such, so it will not refuse the others for what they say
        self._looking, self._next_look = 0, 0.0
        self._with_logs = target.log is not None
        self._read_text = partial(
            explain_text,
            policy=Policy(strict=options.strict),
            vpc_cidrs=target.vpc_cidrs,
            image=target.image,
            region=calls.account.region,
        )

    def run(self) -> None:
        """Raises UsageError where AWS refuses what was asked, and CutShortError."""
        while any(trial.state is not State.DONE for trial in self._trials):
            self._go_on()

    # ---- the loop --------------------------------------------------------------------------------------------------

    def _go_on(self) -> None:
        now = self._calls.now()
        for trial in self._due(State.WAITING, now):
            if not self._may_launch() or not self._launches.take(now):
                break
            self._launch(trial, now)
        self._look(now)
        for trial in self._due(State.ENDED, now):
            if self._count(State.READING) >= AT_ONCE or not self._log_reads.take(now):
                break
            self._read(trial)
        self._watch.running(self._count(State.RUNNING))
        self._calls.wait(min(self._instants(now), default=self._calls.deadline))

    def _due(self, state: State, now: float) -> list[Trial]:
        return [trial for trial in self._trials if trial.state is state and trial.due <= now]

    def _count(self, state: State) -> int:
        return sum(trial.state is state for trial in self._trials)

    def _may_launch(self) -> bool:
        """The first goes alone: what AWS refuses in it, it refuses in all, and then there is nothing to stop."""
        return self._count(State.STARTING) < (AT_ONCE if self._accepted else 1)

    def _instants(self, now: float) -> Iterator[float]:
        """When there is something to do next, besides hearing an answer."""
        launching, reading = self._may_launch(), self._count(State.READING) < AT_ONCE
        for trial in self._trials:
            if trial.state is State.WAITING and launching:
                yield max(trial.due, self._launches.due(now))
            elif trial.state is State.ENDED and reading:
                yield max(trial.due, self._log_reads.due(now))
            elif trial.state is State.RUNNING and not self._looking:
                yield self._next_look

    # ---- starting --------------------------------------------------------------------------------------------------

    def _launch(self, trial: Trial, now: float) -> None:
        if trial.token is None:
            trial.begin(uuid4().hex, now)
        trial.state = State.STARTING
        self._calls.start(
            "ecs:RunTask",
            partial(self._launched, trial),
            cluster=self._options.cluster,
            taskDefinition=self._target.task_definition,
            count=1,
            clientToken=trial.token,  # asked twice, ECS starts one task
            startedBy=started_by(self._run_id),
            tags=[{"key": "application", "value": "ecr-probe"}, {"key": "ecr-probe-run", "value": self._run_id}],
            **self._target.in_subnet(trial.subnet),
        )

    def _launched(self, trial: Trial, reply: Reply) -> None:
        trial.state = State.WAITING
        if isinstance(reply, ApiError):
            self._not_launched(trial, reply)
            return
        self._accepted, trial.unsure = True, False
        started = next((each for each in reply.get("tasks") or () if each.get("taskArn")), None)
        if started is None:
            self._not_placed(trial, task.telling(reply.get("failures") or ()))
            return
        if not any(other.state is State.RUNNING for other in self._trials):
            self._next_look = self._calls.now() + POLL
        trial.task_arn, trial.last = str(started["taskArn"]), task.status(started)
        trial.state, trial.alive, trial.launched = State.RUNNING, True, self._calls.now()

    def _not_launched(self, trial: Trial, error: ApiError) -> None:
        trial.unsure = trial.unsure or error.kind in (Kind.SILENT, Kind.UNAVAILABLE)
        if error.kind in PASSING:
            trial.last = f"no task could be started ({error})"
            self._later(trial)
        elif error.kind is Kind.REFUSED and task.is_of_the_place(error.words):
            self._accepted = True
            self._not_placed(trial, error.words)
        else:
            raise refused(error, self._options, self._calls.account.region)

    def _not_placed(self, trial: Trial, reason: str, stop_code: str = "") -> None:
        trial.last = f"no task could be started: {task.meaning(reason)}"
        if task.passes(reason, stop_code):
            trial.token = None  # the last one has had its answer
            self._later(trial)
        else:
            self._settle(trial, outcome.without_task(reason, self._read_text))

    def _later(self, trial: Trial) -> None:
        trial.state = State.WAITING
        trial.refusals += 1
        trial.due = self._calls.now() + rates.patience(trial.refusals, shortest=2.0, longest=60.0)

    # ---- watching --------------------------------------------------------------------------------------------------

    def _look(self, now: float) -> None:
        running = [trial for trial in self._trials if trial.state is State.RUNNING]
        if not running or self._looking or now < self._next_look:
            return
        self._next_look = now + POLL
        for start in range(0, len(running), BATCH):
            asked = {str(trial.task_arn): trial for trial in running[start : start + BATCH]}
            self._looking += 1
            self._calls.start(
                "ecs:DescribeTasks", partial(self._seen, asked), cluster=self._options.cluster, tasks=list(asked)
            )

    def _seen(self, asked: Mapping[str, Trial], reply: Reply) -> None:
        self._looking -= 1
        now = self._calls.now()
        if isinstance(reply, ApiError):
            if reply.kind not in PASSING:
                raise refused(reply, self._options, self._calls.account.region)
            self._next_look = now + rates.patience(2, shortest=POLL, longest=20.0)
            return
        for each in reply.get("tasks") or ():
            trial = asked.get(str(each.get("taskArn")))
            if trial is not None:
                self._saw(trial, each, now)
        for each in reply.get("failures") or ():
            trial = asked.get(str(each.get("arn")))
            if trial is not None and now - (trial.launched or now) > UNKNOWN:
                self._settle(trial, Answer(Status.INCONCLUSIVE, words="ECS does not know the task that it started"))

    def _saw(self, trial: Trial, seen: Mapping[str, Any], now: float) -> None:
        trial.last = task.status(seen)
        trial.zone = trial.zone or task.zone(seen)
        trial.ended = ended = task.ending(seen, self._target.container)
        if ended is None:
            return
        # An essential container takes its task with it. From another one it would go on.
        trial.alive = trial.last != "STOPPED" and not self._target.essential
        if trial.alive:
            self._halt(trial)
        if ended.exit_code is not None and self._with_logs:
            trial.state, trial.due = State.ENDED, now
        elif ended.exit_code is not None:
            self._settle(trial, outcome.by_exit_code(ended))
        elif task.passes(ended.reason, ended.stop_code):
            self._not_placed(trial, ended.reason, ended.stop_code)
        else:
            self._settle(trial, outcome.by_reason(ended.reason, ended.stop_code, self._read_text))

    def _halt(self, trial: Trial) -> None:
        arn = trial.task_arn

        def heard(reply: Reply) -> None:
            if trial.task_arn == arn:
                trial.alive = isinstance(reply, ApiError)

        self._calls.start(
            "ecs:StopTask",
            heard,
            cluster=self._options.cluster,
            task=arn,
            reason="the check of ecr-probe is done",
        )

    # ---- reading ---------------------------------------------------------------------------------------------------

    def _read(self, trial: Trial) -> None:
        log = self._target.log
        assert log is not None
        trial.state = State.READING
        self._calls.start(
            "logs:GetLogEvents",
            partial(self._found, trial),
            region=log.region,
            logGroupName=log.group,
            logStreamName=log.stream(self._target.container, str(trial.task_arn)),
            # From either end by turns, since an empty page does not mean an empty stream.
            startFromHead=trial.looks % 2 == 1,
            limit=outcome.LINES,
        )

    def _found(self, trial: Trial, reply: Reply) -> None:
        ended = trial.ended
        assert ended is not None
        if isinstance(reply, ApiError) and reply.code != "ResourceNotFoundException":
            if reply.kind in PASSING:
                trial.state, trial.due = State.ENDED, self._calls.now() + rates.patience(2, shortest=1.0, longest=8.0)
            else:
                self._do_without_logs(reply)
                self._settle(trial, outcome.by_exit_code(ended))
            return
        lines = outcome.lines([] if isinstance(reply, ApiError) else reply.get("events") or [])
        if lines.verdict is not None:
            self._settle(trial, outcome.by_document(self._slim(lines.verdict), ended))
        elif lines.settle(ended) or trial.looks == len(LATE):
            self._settle(trial, outcome.by_exit_code(ended, lines.why, lines.last))
        else:
            trial.state, trial.due = State.ENDED, self._calls.now() + LATE[trial.looks]
            trial.looks += 1

    def _do_without_logs(self, error: ApiError) -> None:
        if self._with_logs:
            self._with_logs = False
            hint = f"; {POLICY} allows it" if error.kind is Kind.DENIED else ""
            self._notes.append(f"verdicts are exit codes, since their documents cannot be fetched: {error}{hint}")

    def _slim(self, verdict: Verdict) -> Verdict:
        """Shortened to its share of what all documents may take."""
        return essence(verdict, limit=min(_MOST, DOCUMENTS // len(self._trials)))

    # ---- what is told ----------------------------------------------------------------------------------------------

    def _settle(self, trial: Trial, answer: Answer) -> None:
        now = self._calls.now()
        run = trial.settle(answer, now)
        if exit_code(run.status, strict=self._options.strict) != 0 and now + AGAIN < self._gate:
            trial.state, trial.due, trial.token, trial.refusals = State.WAITING, now + AGAIN, None, 0
            self._watch.again(run, AGAIN)
        else:
            trial.state = State.DONE
            self._watch.finished(run)


def started_by(run_id: str) -> str:
    """By this ECS lists the tasks of one run."""
    return f"ecr-probe/{run_id}"

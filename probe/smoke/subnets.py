"""Start the tasks of all subnets, poll ECS until they end and read their results, as fast as AWS allows.

One thread makes all decisions; `Calls` carries out the calls. If all tasks end normally at the first try, n subnets
take n RunTask, n GetLogEvents, and every POLL seconds one DescribeTasks for each BATCH of running tasks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum, auto
from functools import partial
from typing import Any
from uuid import uuid4

from probe.explain import explain_text
from probe.fleet import SubnetRun
from probe.model import Policy, Status, Verdict
from probe.operator.aws import TEMPORARY, ApiError, Kind
from probe.records import Record, field
from probe.report.json import essence
from probe.smoke import outcome
from probe.smoke.calls import LAUNCHES, LOG_READS, Bucket, Calls, Reply, backoff
from probe.smoke.options import Options
from probe.smoke.outcome import Ending, Result
from probe.smoke.progress import Progress, Situation
from probe.smoke.target import Target, refusal_of
from probe.verdict import exit_code

POLL = 3.0  # seconds; a task takes several times as long to start
BATCH = 100  # tasks that one DescribeTasks may name
RETRY_AFTER = 15.0  # seconds from a subnet's failure to its next try under --wait-until-pass
NEW_ROLES = 60.0  # seconds for which ECS may not be able to assume a new role
UNKNOWN = 60.0  # seconds for which DescribeTasks may not know a new task
LOG_DELAYS = (1.0, 2.0, 4.0, 8.0)  # seconds between reads of a log to which the document may still be written
# Launches, and log reads, in flight: ten a second, each of up to a second. There are more workers than that, so that no
# call is queued: a queued launch could not be withdrawn, and a queued DescribeTasks would be late.
IN_FLIGHT = 12
_LISTED = 3  # subnets that a line of progress names
DOCUMENTS = 8 * 1024 * 1024  # bytes of all subnets' documents
_LONGEST_DOCUMENT = 200 * 1024


def longest_document(subnets: int) -> int:
    """The share of one of so many subnets, in bytes."""
    return min(_LONGEST_DOCUMENT, DOCUMENTS // subnets)


# ---- one subnet ------------------------------------------------------------------------------------------------------


class State(Enum):
    WAITING = auto()  # for its turn, or for its next try
    STARTING = auto()  # RunTask is in flight
    RUNNING = auto()
    ENDED = auto()  # its document has to be read
    READING = auto()  # GetLogEvents is in flight
    DONE = auto()


class Subnet(Record):
    """One subnet and the task of its current try. Before the instant `due` there is nothing to do."""

    id: str
    zone: str | None = None
    state: State = State.WAITING
    due: float = 0.0
    tries: int = 0
    failed_launches: int = 0  # in a row, for temporary reasons
    token: str | None = None
    began: float | None = None
    launched: float | None = None  # when RunTask returned the task
    task_arn: str | None = None
    may_run: bool = False  # the task was not seen to stop
    earlier_tasks: list[str] = field(default_factory=list)  # tasks of earlier tries that may run
    launch_unknown: bool = False  # a RunTask without a reply may have started a task
    status: str = ""  # of the task in ECS's words, or why there is no task
    failure_before: str = ""  # why the try before this one found no place
    ending: Ending | None = None
    log_reads: int = 0
    run: SubnetRun | None = None  # the result of the last try

    def begin(self, token: str, now: float) -> None:
        """Begin another try, with a task of its own."""
        if self.may_run and self.task_arn is not None:
            self.earlier_tasks.append(self.task_arn)
        self.failure_before = self.status if self.failed_launches else ""
        self.token, self.began, self.launched = token, now, None
        self.tries += 1
        self.may_run, self.task_arn, self.ending, self.log_reads, self.status = False, None, None, 0, ""

    def settle(self, result: Result, now: float) -> SubnetRun:
        self.run = SubnetRun(
            subnet=self.id,
            zone=self.zone,
            task_arn=self.task_arn,
            status=result.status,
            source=result.source,
            verdict=result.verdict,
            words=result.words,
            seconds=round(now - self.began, 3) if self.began is not None else None,
            tries=max(self.tries, 1),
        )
        return self.run

    def final_run(self, early_end: str, now: float) -> SubnetRun:
        """The last try's result, also that of an earlier one; where there is none, `early_end` is the reason."""
        return self.run if self.run is not None else self.settle(self._unfinished(early_end), now)

    def _unfinished(self, early_end: str) -> Result:
        if self.ending is not None and self.ending.exit_code is not None:
            return outcome.from_exit_code(self.ending, f"its document was not read before {early_end}")
        if self.may_run:
            before = f"; before that {self.failure_before}" if self.failure_before else ""
            return Result(Status.INCONCLUSIVE, words=f"its task was still {self.status} when {early_end}{before}")
        reason = self.status or self.failure_before
        text = f"{reason}; {early_end}" if reason else f"no task was started before {early_end}"
        return Result(Status.INCONCLUSIVE, words=text)


# ---- all subnets -----------------------------------------------------------------------------------------------------


class Scheduler:
    """Failing subnets are tried again until the instant `retry_until`. Notes are added to `notes`."""

    def __init__(
        self,
        subnets: Sequence[Subnet],
        target: Target,
        options: Options,
        calls: Calls,
        *,
        run_id: str,
        retry_until: float,
        progress: Progress,
        notes: list[str],
    ) -> None:
        self._subnets, self._target, self._options, self._calls = subnets, target, options, calls
        self._run_id, self._retry_until, self._progress, self._notes = run_id, retry_until, progress, notes
        self._roles_known = calls.now() + NEW_ROLES
        self._launches, self._log_reads = Bucket(LAUNCHES), Bucket(LOG_READS)
        self._accepted = False  # AWS accepted the parameters of a RunTask, so it will not refuse the others for them
        self._polls, self._next_poll = 0, 0.0  # DescribeTasks in flight
        self._failing: dict[str, ApiError] = {}  # actions whose last call failed for a temporary reason
        self._with_logs = target.log is not None
        self._read_text = partial(
            explain_text,
            policy=Policy(strict=options.strict),
            vpc_cidrs=target.vpc_cidrs,
            image=target.image,
            region=calls.account.region,
        )

    def run(self) -> None:
        """Raises UsageError where AWS refuses the request, and EarlyEndError."""
        self._calls.situation = self._situation
        while any(subnet.state is not State.DONE for subnet in self._subnets):
            self._advance()

    def _situation(self) -> Situation:
        """What the next reply or instant is waited for: the state of each subnet, and what failed."""
        groups: dict[str, list[Subnet]] = {}
        for subnet in self._subnets:
            if subnet.state is not State.DONE:
                groups.setdefault(_waiting_for(subnet), []).append(subnet)
        parts = [f"{what}{_places(subnets)}" for what, subnets in groups.items()]
        parts += [f"a call to succeed ({error})" for error in self._failing.values()]
        retries = [subnet.due for subnet in self._in(State.WAITING) if subnet.tries]
        if "ecs:DescribeTasks" in self._failing:
            retries.append(self._next_poll)
        if "logs:GetLogEvents" in self._failing:
            retries += [subnet.due for subnet in self._in(State.ENDED)]
        return Situation("; ".join(parts), min(retries, default=None))

    def _note_outcome(self, action: str, reply: Reply) -> None:
        if isinstance(reply, ApiError) and reply.kind in TEMPORARY:
            self._failing[action] = reply
        else:
            self._failing.pop(action, None)

    # ---- the loop ----------------------------------------------------------------------------------------------------

    def _advance(self) -> None:
        now = self._calls.now()
        for subnet in self._due(State.WAITING, now):
            if not self._may_launch() or not self._launches.take(now):
                break
            self._launch(subnet, now)
        self._poll(now)
        for subnet in self._due(State.ENDED, now):
            if not self._may_read() or not self._log_reads.take(now):
                break
            self._read_log(subnet)
        self._progress.running(len(self._in(State.RUNNING)))
        self._calls.wait(self._next_instant(now))

    def _in(self, state: State) -> list[Subnet]:
        return [subnet for subnet in self._subnets if subnet.state is state]

    def _due(self, state: State, now: float) -> list[Subnet]:
        return [subnet for subnet in self._in(state) if subnet.due <= now]

    def _may_launch(self) -> bool:
        """The first launch goes alone: if AWS refuses its parameters, it refuses all, and there is nothing to stop."""
        return len(self._in(State.STARTING)) < (IN_FLIGHT if self._accepted else 1)

    def _may_read(self) -> bool:
        return len(self._in(State.READING)) < IN_FLIGHT

    def _next_instant(self, now: float) -> float:
        """When there is something to do, apart from handling replies."""
        instants = [self._calls.deadline]
        waiting, ended = self._in(State.WAITING), self._in(State.ENDED)
        if waiting and self._may_launch():
            instants.append(max(min(subnet.due for subnet in waiting), self._launches.next_token(now)))
        if ended and self._may_read():
            instants.append(max(min(subnet.due for subnet in ended), self._log_reads.next_token(now)))
        if not self._polls and self._in(State.RUNNING):
            instants.append(self._next_poll)
        return min(instants)

    # ---- RunTask -----------------------------------------------------------------------------------------------------

    def _launch(self, subnet: Subnet, now: float) -> None:
        if subnet.token is None:
            subnet.begin(uuid4().hex, now)
        subnet.state = State.STARTING
        self._calls.start(
            "ecs:RunTask",
            partial(self._on_launch, subnet),
            cluster=self._options.cluster,
            taskDefinition=self._target.task_definition,
            count=1,
            clientToken=subnet.token,  # ECS starts one task for it, however often it is called
            startedBy=started_by(self._run_id),
            tags=[{"key": "application", "value": "ecr-probe"}, {"key": "ecr-probe-run", "value": self._run_id}],
            **self._target.in_subnet(subnet.id),
        )

    def _on_launch(self, subnet: Subnet, reply: Reply) -> None:
        subnet.state = State.WAITING
        if isinstance(reply, ApiError):
            self._on_failed_launch(subnet, reply)
            return
        self._accepted, subnet.launch_unknown = True, False
        task = next((described for described in reply.get("tasks") or () if described.get("taskArn")), None)
        if task is None:
            self._on_no_place(subnet, outcome.placement_reason(reply.get("failures") or ()))
            return
        if not any(other.state is State.RUNNING for other in self._subnets):
            self._next_poll = self._calls.now() + POLL
        subnet.task_arn, subnet.status = str(task["taskArn"]), outcome.task_status(task)
        subnet.state, subnet.may_run, subnet.launched = State.RUNNING, True, self._calls.now()

    def _on_failed_launch(self, subnet: Subnet, error: ApiError) -> None:
        subnet.launch_unknown = subnet.launch_unknown or error.kind in (Kind.NO_REPLY, Kind.UNAVAILABLE)
        if error.kind in TEMPORARY or (error.kind is Kind.REFUSED and self._waits_for_role(error.text)):
            subnet.status = f"no task could be started ({error})"
            self._launch_later(subnet)
        elif error.kind is Kind.REFUSED and outcome.is_placement(error.text):
            self._accepted = True
            self._on_no_place(subnet, error.text)
        else:
            raise refusal_of(error, self._options, self._calls.account.region)

    def _waits_for_role(self, reason: str) -> bool:
        return outcome.is_new_role(reason) and self._options.roles_are_new and self._calls.now() < self._roles_known

    def _on_no_place(self, subnet: Subnet, reason: str, stop_code: str = "") -> None:
        subnet.status = f"no task could be started: {outcome.explained(reason)}"
        if outcome.is_temporary(reason, stop_code) or self._waits_for_role(reason):
            subnet.token = None  # the RunTask with this token is answered
            self._launch_later(subnet)
        else:
            self._settle(subnet, outcome.without_task(reason, self._read_text))

    def _launch_later(self, subnet: Subnet) -> None:
        subnet.state = State.WAITING
        subnet.failed_launches += 1
        subnet.due = self._calls.now() + backoff(subnet.failed_launches, shortest=2.0, longest=60.0)

    # ---- DescribeTasks -----------------------------------------------------------------------------------------------

    def _poll(self, now: float) -> None:
        running = self._in(State.RUNNING)
        if not running or self._polls or now < self._next_poll:
            return
        self._next_poll = now + POLL
        for start in range(0, len(running), BATCH):
            batch = {str(subnet.task_arn): subnet for subnet in running[start : start + BATCH]}
            self._polls += 1
            self._calls.start(
                "ecs:DescribeTasks", partial(self._on_poll, batch), cluster=self._options.cluster, tasks=list(batch)
            )

    def _on_poll(self, batch: Mapping[str, Subnet], reply: Reply) -> None:
        self._polls -= 1
        self._note_outcome("ecs:DescribeTasks", reply)
        now = self._calls.now()
        if isinstance(reply, ApiError):
            if reply.kind not in TEMPORARY:
                raise refusal_of(reply, self._options, self._calls.account.region)
            self._next_poll = now + backoff(2, shortest=POLL, longest=20.0)
            return
        for task in reply.get("tasks") or ():
            subnet = batch.get(str(task.get("taskArn")))
            if subnet is not None:
                self._update(subnet, task, now)
        for failure in reply.get("failures") or ():
            subnet = batch.get(str(failure.get("arn")))
            if subnet is not None and now - (subnet.launched or now) > UNKNOWN:
                self._settle(subnet, Result(Status.INCONCLUSIVE, words="ECS does not know the task that it started"))

    def _update(self, subnet: Subnet, task: Mapping[str, Any], now: float) -> None:
        subnet.status = outcome.task_status(task)
        subnet.zone = subnet.zone or outcome.task_zone(task)
        subnet.ending = ending = outcome.read_ending(task, self._target.container)
        if ending is None:
            return
        # AWS[stopped-task-order]: the task of an essential container stops, that of another one continues.
        subnet.may_run = subnet.status != "STOPPED" and not self._target.essential
        if subnet.may_run:
            self._stop_task(subnet)
        if ending.exit_code is not None and self._with_logs:
            subnet.state, subnet.due = State.ENDED, now
        elif ending.exit_code is not None:
            self._settle(subnet, outcome.from_exit_code(ending))
        elif outcome.is_temporary(ending.reason, ending.stop_code) or self._waits_for_role(ending.reason):
            self._on_no_place(subnet, ending.reason, ending.stop_code)
        else:
            self._settle(subnet, outcome.from_stopped_reason(ending, self._read_text))

    def _stop_task(self, subnet: Subnet) -> None:
        arn = subnet.task_arn

        def on_stop(reply: Reply) -> None:
            if subnet.task_arn == arn:
                subnet.may_run = isinstance(reply, ApiError)

        reason = "the check of ecr-probe is finished"
        self._calls.start("ecs:StopTask", on_stop, cluster=self._options.cluster, task=arn, reason=reason)

    # ---- GetLogEvents ------------------------------------------------------------------------------------------------

    def _read_log(self, subnet: Subnet) -> None:
        log = self._target.log
        assert log is not None
        subnet.state = State.READING
        self._calls.start(
            "logs:GetLogEvents",
            partial(self._on_log, subnet),
            region=log.region,
            logGroupName=log.group,
            logStreamName=log.stream(self._target.container, str(subnet.task_arn)),
            # From each end in turn, since an empty page does not mean an empty stream.
            startFromHead=subnet.log_reads % 2 == 1,
            limit=outcome.LOG_LINES,
        )

    def _on_log(self, subnet: Subnet, reply: Reply) -> None:
        ending = subnet.ending
        assert ending is not None
        self._note_outcome("logs:GetLogEvents", reply)
        if isinstance(reply, ApiError) and reply.code != "ResourceNotFoundException":
            if reply.kind in TEMPORARY:
                subnet.state, subnet.due = State.ENDED, self._calls.now() + backoff(2, shortest=1.0, longest=8.0)
            else:
                self._give_up_logs(reply)
                self._settle(subnet, outcome.from_exit_code(ending))
            return
        content = outcome.read_log([] if isinstance(reply, ApiError) else reply.get("events") or [])
        if content.verdict is not None:
            self._settle(subnet, outcome.from_document(self._shortened(content.verdict), ending))
        elif content.is_final(ending) or subnet.log_reads == len(LOG_DELAYS):
            self._settle(subnet, outcome.from_exit_code(ending, content.why_no_document, content.last_line))
        else:
            subnet.state, subnet.due = State.ENDED, self._calls.now() + LOG_DELAYS[subnet.log_reads]
            subnet.log_reads += 1

    def _give_up_logs(self, error: ApiError) -> None:
        if self._with_logs:
            self._with_logs = False
            hint = f"; {self._options.policy} allows it" if error.kind is Kind.DENIED else ""
            self._notes.append(f"verdicts are exit codes, because the documents cannot be read: {error}{hint}")

    def _shortened(self, verdict: Verdict) -> Verdict:
        """Shortened to its share of the space for all documents."""
        return essence(verdict, limit=longest_document(len(self._subnets)))

    # ---- results -----------------------------------------------------------------------------------------------------

    def _settle(self, subnet: Subnet, result: Result) -> None:
        now = self._calls.now()
        run = subnet.settle(result, now)
        if exit_code(run.status, strict=self._options.strict) != 0 and now + RETRY_AFTER < self._retry_until:
            subnet.state, subnet.due, subnet.token, subnet.failed_launches = State.WAITING, now + RETRY_AFTER, None, 0
            self._progress.retry(run, RETRY_AFTER)
        else:
            subnet.state = State.DONE
            self._progress.finished(run)


def _waiting_for(subnet: Subnet) -> str:
    """What a subnet waits for, the same for all in the same state."""
    match subnet.state:
        case State.WAITING | State.STARTING if subnet.failed_launches:
            return f"a task, because {subnet.status or subnet.failure_before}"
        case State.WAITING:
            return "the turn to start a task" if subnet.run is None else "the next try"
        case State.STARTING:
            return "AWS to answer ecs:RunTask"
        case State.RUNNING:
            return f"a task that is {subnet.status}"
        case _:
            return "the verdict in CloudWatch Logs"


def _places(subnets: Sequence[Subnet]) -> str:
    listed = ", ".join(subnet.id for subnet in subnets[:_LISTED])
    return f" in {listed}" + (f" and {len(subnets) - _LISTED} more subnets" if len(subnets) > _LISTED else "")


def started_by(run_id: str) -> str:
    """The name by which ECS lists the tasks of one run."""
    return f"ecr-probe/{run_id}"

"""CloudWatch Logs: one signed call that changes nothing, to see that the endpoint answers and whether the
task's group is there.
"""

from __future__ import annotations

import json

from probe.measure.questions import ask_aws, seen_of
from probe.measure.reach import Reached, Ready
from probe.measure.recorder import Attempt, Run
from probe.measure.retries import with_retry
from probe.model import Action, AnswerSeen, Failure, LogsSeen
from probe.records import replace
from probe.wire import apis
from probe.wire.credentials import FoundCredentials
from probe.wire.errors import WireError


def logs(run: Run, credentials: Attempt[FoundCredentials], reached: Reached) -> None:
    """With the task's own group known its streams are listed, which tells of the group too; else one group of
    any name.
    """
    found = credentials.value
    if not reached.ready:
        run.recorder.skip("logs", Action.LOGS, blocked_by=reached.blocked_by)
        return
    if found is None:
        run.recorder.skip("logs", Action.LOGS, blocked_by=credentials.step.id)
        return
    plan, ready = run.plan, reached.ready[0]
    _look(run, found, reached, _wanted(ready, plan.log_group, plan.log_stream), subject=ready.address)
    for group in plan.other_log_groups:
        _look(run, found, reached, _wanted(ready, group, None), subject=f"{ready.address}/{group}")
    for region in plan.other_log_regions:
        why = "a container of this task logs to this region too; it was not measured"
        run.recorder.skip("logs", Action.LOGS, region, blocked_by=None, detail=why)


def _wanted(ready: Ready, group: str | None, stream: str | None) -> LogsSeen:
    return LogsSeen(answer=AnswerSeen(address=ready.address, method="POST"), group=group, stream=stream)


def _look(run: Run, found: FoundCredentials, reached: Reached, blank: LogsSeen, *, subject: str) -> None:
    """Ask for one group's streams, or for any group where none is known."""
    ready = reached.ready[0]

    def call() -> tuple[LogsSeen, None]:
        target, body = _question(blank)
        try:
            asked = ask_aws(run, reached.endpoint, ready, found, service="logs", target=target, body=body)
            names = asked.read(apis.log_stream_names)
        except WireError as error:
            missing = blank.group is not None and error.failure is Failure.NOT_FOUND
            seen = replace(blank, answer=seen_of(error, blank.answer), group_exists=False if missing else None)
            raise WireError(error.failure, error.detail, seen=seen) from error
        if blank.group is None:
            return replace(blank, answer=asked.seen), None
        exists = blank.stream in names if blank.stream else None
        return replace(blank, answer=asked.seen, group_exists=True, stream_exists=exists), None

    with_retry(
        run,
        lambda: run.recorder.attempt(
            "logs",
            Action.LOGS,
            subject,
            call=call,
            host=reached.endpoint.host,
            address=ready.address,
            on=ready.step,
            seen=blank,
        ),
    )


def _question(wanted: LogsSeen) -> tuple[str, bytes]:
    if wanted.group is None:
        return apis.DESCRIBE_LOG_GROUPS, json.dumps({"limit": 1}).encode()
    question: dict[str, object] = {"logGroupName": wanted.group, "limit": 1}
    if wanted.stream:
        question["logStreamNamePrefix"] = wanted.stream
    return apis.DESCRIBE_LOG_STREAMS, json.dumps(question).encode()

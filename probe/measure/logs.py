"""CloudWatch Logs: one signed call that changes nothing. Does the endpoint answer, and does the log group exist?"""

from __future__ import annotations

import json
from functools import partial

from probe.measure.http_request import answer_in, call_aws
from probe.measure.reach import Reached
from probe.measure.recorder import Attempt, Run, Target
from probe.model import Action, AnswerSeen, Failure, LogsSeen
from probe.records import replace
from probe.wire import aws_calls
from probe.wire.credentials import FoundCredentials
from probe.wire.errors import WireError

OWN = Target("logs", Action.LOGS)  # without the address to which the request goes


def logs(run: Run, credentials: Attempt[FoundCredentials], reached: Reached) -> None:
    """List the streams of the task's log group, which shows whether it exists; without one, list any group."""
    if not reached.ready:
        run.recorder.skip(OWN, blocked_by=reached.blocked_by)
        return
    if credentials.value is None:
        run.recorder.skip(OWN, blocked_by=credentials.step.id)
        return
    plan, ready = run.plan, reached.ready[0]
    other_groups = ((group, None, f"{ready.address}/{group}") for group in plan.other_log_groups)
    for group, stream, subject in ((plan.log_group, plan.log_stream, ready.address), *other_groups):
        wanted = LogsSeen(answer=AnswerSeen(address=ready.address, method="POST"), group=group, stream=stream)
        target = Target("logs", Action.LOGS, subject, reached.endpoint.host, ready.address, on=ready.step)
        call = partial(_list_streams, run, credentials.value, reached, wanted)
        run.with_retry(partial(run.recorder.attempt, target, call, seen=wanted))
    for region in plan.other_log_regions:
        why = "a container of this task logs to this region too; it was not measured"
        run.recorder.skip(Target("logs", Action.LOGS, region), blocked_by=None, detail=why)


def _list_streams(run: Run, caller: FoundCredentials, reached: Reached, wanted: LogsSeen) -> tuple[LogsSeen, None]:
    """List the streams of one group, or any group where none is known."""
    target, body = _call_of(wanted)
    try:
        response = call_aws(run, reached.endpoint, reached.ready[0], caller, service="logs", target=target, body=body)
        streams = response.read(aws_calls.log_stream_names)
    except WireError as error:
        missing = wanted.group is not None and error.failure is Failure.NOT_FOUND
        answer = answer_in(error, wanted.answer)
        raise error.with_seen(replace(wanted, answer=answer, group_exists=False if missing else None)) from error
    if wanted.group is None:
        return replace(wanted, answer=response.seen), None
    exists = wanted.stream in streams if wanted.stream else None
    return replace(wanted, answer=response.seen, group_exists=True, stream_exists=exists), None


def _call_of(wanted: LogsSeen) -> tuple[str, bytes]:
    if wanted.group is None:
        return aws_calls.DESCRIBE_LOG_GROUPS, json.dumps({"limit": 1}).encode()
    body: dict[str, object] = {"logGroupName": wanted.group, "limit": 1}
    if wanted.stream:
        body["logStreamNamePrefix"] = wanted.stream
    return aws_calls.DESCRIBE_LOG_STREAMS, json.dumps(body).encode()

"""The handler as Lambda runs it: called by AWS's own client, in a process that is frozen between invocations."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.aws_lambda.simulated import CENSUS, WORLD

pytest.importorskip("awslambdaric", reason="AWS's client exists only for Linux")

from tests.aws_lambda.runtime_api import Function

ROOT = Path(__file__).parents[2]
PLENTY = 60.0


def function(**variables: str) -> Function:
    return Function("tests.aws_lambda.simulated.handler", environ={"PYTHONPATH": str(ROOT), **variables})


@pytest.fixture
def running() -> Iterator[Function]:
    with function() as running:
        yield running


def invoke(running: Function, world: str = "healthy", *, timeout: float = PLENTY, **settings: Any) -> dict[str, Any]:
    returned = running.invoke({WORLD: world, "settings": settings}, timeout=timeout)
    assert not returned.error, returned.document
    return dict(returned.document)


def census(running: Function) -> dict[str, Any]:
    return dict(running.invoke({WORLD: CENSUS}).document)


def open_files(running: Function, *, most: int | None = None) -> int:
    """The number of open files, once every thread but the main one has ended and there are at most `most`.

    The simulator runs in the same process, and on a busy machine its servers close a connection some time later.
    """
    until = time.monotonic() + PLENTY
    while (facts := census(running))["threads"] != ["MainThread"] or (most is not None and facts["files"] > most):
        assert time.monotonic() < until, facts
        time.sleep(0.1)
    return int(facts["files"])


# ---- the runtime's contract -----------------------------------------------------------------------


def test_the_verdict_comes_through_and_the_log_has_one_line(running: Function) -> None:
    document = invoke(running)
    assert (document["status"], document["path"]) == ("pass", "lambda-eni")
    assert running.log("out") == ""
    (line,) = running.log("err").splitlines()
    assert re.fullmatch("[0-9a-f-]{36}", json.loads(line)["request"])


@pytest.mark.parametrize(
    ("event", "kind", "message"),
    [
        ({"imgae": 1}, "UsageError", "'imgae' is no setting; did you mean image? For example: {"),
        ([1], "UsageError", "the event is a list and has to be an object; "),
        (b'{"deadline": 1e400}', "UsageError", "'inf' is not a duration"),
        (b"{", "Runtime.UnmarshalError", ""),
    ],
)
def test_a_wrong_event_is_the_functions_error(running: Function, event: object, kind: str, message: str) -> None:
    returned = running.invoke(event)
    assert (returned.error, returned.document["errorType"]) == (True, kind)
    assert message in returned.document["errorMessage"]
    own_frames = [frame for frame in returned.document["stackTrace"] if "/probe/" in frame]
    assert all("aws_lambda.py" in frame for frame in own_frames)
    assert invoke(running)["status"] == "pass"  # the next invocation is not affected


def test_a_function_that_logs_everything_logs_no_secret() -> None:
    """With the log level DEBUG botocore would log what it signs, and urllib3 the URLs that it requests."""
    with function(AWS_LAMBDA_LOG_FORMAT="JSON", AWS_LAMBDA_LOG_LEVEL="DEBUG") as running:
        document = invoke(running, format=["text", "json", "emf"])
        secrets = census(running)["secrets"]
        log = running.log("out") + running.log("err")
    assert document["status"] == "pass"
    assert len(secrets) > 8
    assert not [secret for secret in secrets if secret in log or secret in json.dumps(document)]


# ---- frozen and thawed ---------------------------------------------------------------------------

HANGING = [
    "security-group",  # connections that time out
    "custom-resolver-silent",
    "transfer-trickles",  # layer bytes that never end
]


@pytest.mark.parametrize("world", HANGING)
def test_a_call_that_hangs_at_the_deadline_ends_before_the_next_invocation(running: Function, world: str) -> None:
    invoke(running)
    invoke(running, world, deadline=4)
    before = open_files(running)
    cut = invoke(running, world, timeout=2)
    assert "probe.deadline" in {finding["code"] for finding in cut["findings"]}
    time.sleep(2)  # frozen
    after = invoke(running)
    assert after["status"] == "pass"
    assert "deadline" not in {step["failure"] for step in after["steps"]}
    assert after["plan"]["budget"]["deadline"] == 30
    open_files(running, most=before)


def test_time_while_frozen_does_not_count(running: Function) -> None:
    """By the process's clock the first invocation's deadline has passed when the second one begins."""
    first = invoke(running, deadline=5)
    time.sleep(6)
    second = invoke(running, deadline=5)
    assert (first["status"], second["status"]) == ("pass", "pass")
    assert second["started_at"] > first["started_at"]


def test_a_pause_within_an_invocation_costs_only_its_own_verdict(running: Function) -> None:
    paused = running.invoke({WORLD: "security-group", "settings": {"deadline": 2}}, paused_at=0.5)
    assert (paused.error, paused.document["status"]) == (False, "inconclusive")
    assert invoke(running)["status"] == "pass"


def test_many_invocations_leave_nothing_behind(running: Function) -> None:
    for _ in range(5):
        invoke(running)
    before, memory = open_files(running), running.resident_kib()
    for _ in range(25):
        assert invoke(running)["status"] == "pass"
    open_files(running, most=before)
    assert running.resident_kib() < memory + 6 * 1024

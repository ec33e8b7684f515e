"""The recorder: one attempt, one step; and what becomes of unfinished steps."""

from __future__ import annotations

import threading
from concurrent.futures import wait
from types import SimpleNamespace
from typing import Any

import pytest

from probe.measure import POLL, _wait
from probe.measure.recorder import Recorder, Target, spawn
from probe.model import Action, Failure, MetadataSeen, Nothing, Outcome
from probe.wire.errors import WireError

SEEN = MetadataSeen(version="v4")


def test_an_attempt_that_works_is_ok_and_returns_its_value() -> None:
    attempt = Recorder().attempt(Target("task", Action.METADATA, "task"), lambda: (SEEN, 7))
    assert (attempt.step.id, attempt.step.outcome, attempt.step.seen, attempt.value) == (
        "task/metadata/task",
        Outcome.OK,
        SEEN,
        7,
    )
    assert attempt.step.seconds is not None


def test_a_failed_step_keeps_failure_detail_and_facts() -> None:
    def call() -> tuple[MetadataSeen, None]:
        raise WireError(Failure.THROTTLED, "429 Too Many Requests", seen=SEEN)

    step = Recorder().attempt(Target("task", Action.METADATA, "task"), call).step
    assert (step.outcome, step.failure, step.detail, step.seen) == (
        Outcome.FAILED,
        Failure.THROTTLED,
        "429 Too Many Requests",
        SEEN,
    )


def test_an_unexpected_exception_is_recorded_as_a_bug() -> None:
    def call() -> tuple[MetadataSeen, None]:
        raise KeyError("surprise")

    step = Recorder().attempt(Target("task", Action.METADATA, "task"), call).step
    assert step.failure is Failure.BUG
    assert "KeyError" in (step.detail or "")


def test_a_retry_is_a_step_of_its_own() -> None:
    recorder = Recorder()
    names = [
        recorder.attempt(Target("ecr.api", Action.TOKEN, "10.0.1.15"), lambda: (Nothing(), None)).step.id
        for _ in range(3)
    ]
    assert names == ["ecr.api/token/10.0.1.15", "ecr.api/token/10.0.1.15#2", "ecr.api/token/10.0.1.15#3"]


def test_what_several_threads_need_is_tried_once() -> None:
    recorder = Recorder()
    wanted = [
        spawn(lambda: recorder.once(Target("task", Action.ENVIRONMENT, "ipv6"), lambda: (Nothing(), None)).id)
        for _ in range(8)
    ]
    assert {future.result(5) for future in wanted} == {"task/environment/ipv6"}
    assert len(recorder.steps(())) == 1


def test_open_steps_end_as_deadline_and_later_steps_are_ignored() -> None:
    recorder, entered, release = Recorder(), threading.Event(), threading.Event()

    def call() -> tuple[Nothing, None]:
        entered.set()
        release.wait(5)
        return Nothing(), None

    late = spawn(lambda: recorder.attempt(Target("ecr.api", Action.TCP, "10.0.1.15"), call))
    assert entered.wait(5)
    recorder.close(late=True)
    release.set()
    wait([late], timeout=5)
    recorder.skip(Target("ecr.api", Action.TLS, "10.0.1.15"), blocked_by=None)
    (step,) = recorder.steps(("ecr.api",))
    assert (step.outcome, step.failure) == (Outcome.FAILED, Failure.DEADLINE)


def test_steps_are_in_plan_order_and_addresses_by_value() -> None:
    recorder = Recorder()
    for endpoint, address in (
        ("ecr.dkr", "10.0.2.9"),
        ("ecr.dkr", "10.0.10.9"),
        ("ecr.api", "10.0.1.1"),
        ("ecr.dkr", "2600::1"),
    ):
        recorder.skip(Target(endpoint, Action.TCP, address, address=address), blocked_by=None)
    recorder.skip(Target("task", Action.METADATA, "task"), blocked_by=None)
    ids = [step.id for step in recorder.steps(("ecr.api", "ecr.dkr"))]
    assert ids == [
        "task/metadata/task",
        "ecr.api/tcp/10.0.1.1",
        "ecr.dkr/tcp/10.0.2.9",
        "ecr.dkr/tcp/10.0.10.9",
        "ecr.dkr/tcp/2600::1",
    ]


def test_an_exception_in_spawned_work_is_raised_by_result() -> None:
    def fail() -> None:
        raise LookupError("gone")

    with pytest.raises(LookupError, match="gone"):
        spawn(fail).result(5)


def test_an_expected_step_that_never_began_is_recorded() -> None:
    late, broken = Recorder(), Recorder()
    for recorder in (late, broken):
        recorder.expect(Target("s3", Action.LAYER, "sha256:1"))
        recorder.expect(Target("s3", Action.LAYER, "sha256:2"))
        recorder.expect(Target("ecr.dkr", Action.BLOB))
        recorder.attempt(Target("s3", Action.LAYER, "sha256:1"), lambda: (Nothing(), None))
        recorder.attempt(Target("ecr.dkr", Action.BLOB, "sha256:1"), lambda: (Nothing(), None))
    late.close(late=True)
    broken.close(late=False)
    ends = [
        [(step.id, step.outcome, step.failure) for step in recorder.steps(("ecr.dkr", "s3"))]
        for recorder in (late, broken)
    ]
    done = [("ecr.dkr/blob/sha256:1", Outcome.OK, None), ("s3/layer/sha256:1", Outcome.OK, None)]
    assert ends[0] == [*done, ("s3/layer/sha256:2", Outcome.FAILED, Failure.DEADLINE)]
    assert ends[1] == [*done, ("s3/layer/sha256:2", Outcome.SKIPPED, None)]


def test_work_that_begins_as_other_work_ends_is_waited_for() -> None:
    """Otherwise it would be reported as cut off by the deadline, in a run that had time left."""
    run: Any = SimpleNamespace(over=False, in_background=[])

    def last() -> None:
        threading.Event().wait(POLL / 2)
        run.in_background.append(spawn(lambda: threading.Event().wait(3 * POLL)))

    _wait(run, [spawn(last)])
    assert [future.done() for future in run.in_background] == [True]

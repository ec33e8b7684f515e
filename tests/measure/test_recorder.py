"""Steps: one attempt, one word; and what becomes of the unfinished."""

from __future__ import annotations

import threading
from concurrent.futures import wait
from types import SimpleNamespace
from typing import Any

import pytest

from probe.measure import GLANCE, _wait
from probe.measure.recorder import Recorder, spawn
from probe.model import Action, Failure, MetadataSeen, Nothing, Outcome
from probe.wire.errors import WireError

SEEN = MetadataSeen(version="v4")


def test_an_attempt_that_works_is_ok_and_gives_its_value() -> None:
    attempt = Recorder().attempt("task", Action.METADATA, "task", call=lambda: (SEEN, 7))
    assert (attempt.step.id, attempt.step.outcome, attempt.step.seen, attempt.value) == (
        "task/metadata/task",
        Outcome.OK,
        SEEN,
        7,
    )
    assert attempt.step.seconds is not None


def test_a_failure_keeps_its_word_its_detail_and_what_was_seen() -> None:
    def call() -> tuple[MetadataSeen, None]:
        raise WireError(Failure.THROTTLED, "429 Too Many Requests", seen=SEEN)

    step = Recorder().attempt("task", Action.METADATA, "task", call=call).step
    assert (step.outcome, step.failure, step.detail, step.seen) == (
        Outcome.FAILED,
        Failure.THROTTLED,
        "429 Too Many Requests",
        SEEN,
    )


def test_an_exception_of_ours_is_a_bug_and_no_traceback() -> None:
    def call() -> tuple[MetadataSeen, None]:
        raise KeyError("surprise")

    step = Recorder().attempt("task", Action.METADATA, "task", call=call).step
    assert step.failure is Failure.BUG
    assert "KeyError" in (step.detail or "")


def test_a_second_try_is_a_second_step() -> None:
    recorder = Recorder()
    names = [
        recorder.attempt("ecr.api", Action.TOKEN, "10.0.1.15", call=lambda: (Nothing(), None)).step.id for _ in range(3)
    ]
    assert names == ["ecr.api/token/10.0.1.15", "ecr.api/token/10.0.1.15#2", "ecr.api/token/10.0.1.15#3"]


def test_a_fact_that_many_threads_want_is_found_once() -> None:
    recorder = Recorder()
    wanted = [
        spawn(lambda: recorder.once("task", Action.ENVIRONMENT, "ipv6", call=lambda: (Nothing(), None)).id)
        for _ in range(8)
    ]
    assert {future.result(5) for future in wanted} == {"task/environment/ipv6"}
    assert len(recorder.steps(())) == 1


def test_what_is_open_at_the_deadline_ends_as_deadline_and_later_words_are_not_taken() -> None:
    recorder, entered, release = Recorder(), threading.Event(), threading.Event()

    def call() -> tuple[Nothing, None]:
        entered.set()
        release.wait(5)
        return Nothing(), None

    late = spawn(lambda: recorder.attempt("ecr.api", Action.TCP, "10.0.1.15", call=call))
    assert entered.wait(5)
    recorder.close(late=True)
    release.set()
    wait([late], timeout=5)
    recorder.skip("ecr.api", Action.TLS, "10.0.1.15", blocked_by=None)
    (step,) = recorder.steps(("ecr.api",))
    assert (step.outcome, step.failure) == (Outcome.FAILED, Failure.DEADLINE)


def test_steps_stand_in_plan_order_and_addresses_by_value() -> None:
    recorder = Recorder()
    for endpoint, subject in (
        ("ecr.dkr", "10.0.2.9"),
        ("ecr.dkr", "10.0.10.9"),
        ("ecr.api", "10.0.1.1"),
        ("ecr.dkr", "2600::1"),
    ):
        recorder.skip(endpoint, Action.TCP, subject, blocked_by=None, address=subject)
    recorder.skip("task", Action.METADATA, "task", blocked_by=None)
    ids = [step.id for step in recorder.steps(("ecr.api", "ecr.dkr"))]
    assert ids == [
        "task/metadata/task",
        "ecr.api/tcp/10.0.1.1",
        "ecr.dkr/tcp/10.0.2.9",
        "ecr.dkr/tcp/10.0.10.9",
        "ecr.dkr/tcp/2600::1",
    ]


def test_a_spawned_error_reaches_whoever_asks() -> None:
    def fail() -> None:
        raise LookupError("gone")

    with pytest.raises(LookupError, match="gone"):
        spawn(fail).result(5)


def test_what_was_announced_and_never_began_is_named() -> None:
    late, broken = Recorder(), Recorder()
    for recorder in (late, broken):
        recorder.expect("s3", Action.LAYER, "sha256:1")
        recorder.expect("s3", Action.LAYER, "sha256:2")
        recorder.expect("ecr.dkr", Action.BLOB)
        recorder.attempt("s3", Action.LAYER, "sha256:1", call=lambda: (Nothing(), None))
        recorder.attempt("ecr.dkr", Action.BLOB, "sha256:1", call=lambda: (Nothing(), None))
    late.close(late=True)
    broken.close(late=False)
    ends = [
        [(step.id, step.outcome, step.failure) for step in each.steps(("ecr.dkr", "s3"))] for each in (late, broken)
    ]
    done = [("ecr.dkr/blob/sha256:1", Outcome.OK, None), ("s3/layer/sha256:1", Outcome.OK, None)]
    assert ends[0] == [*done, ("s3/layer/sha256:2", Outcome.FAILED, Failure.DEADLINE)]
    assert ends[1] == [*done, ("s3/layer/sha256:2", Outcome.SKIPPED, None)]


def test_work_that_begins_as_the_last_of_the_other_work_ends_is_waited_for() -> None:
    """Else it would be told as what the deadline cut off, in a run that had all the time."""
    run: Any = SimpleNamespace(over=False, beside=[])

    def last() -> None:
        threading.Event().wait(GLANCE / 2)
        run.beside.append(spawn(lambda: threading.Event().wait(3 * GLANCE)))

    _wait(run, [spawn(last)])
    assert [future.done() for future in run.beside] == [True]

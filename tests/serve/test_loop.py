"""The loop: when rounds start, what they publish, and that nothing which happens in a round ends it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest

from probe.config.settings import UsageError, parse
from probe.crash import broken
from probe.history import Snapshot
from probe.model import Action, Failure, Status, Verdict
from probe.records import replace
from probe.serve import loop as loops
from probe.serve.loop import LEAST_GAP, PATIENCE, Loop
from probe.serve.schedule import LONGEST
from tests.report import made
from tests.serve.rounds import verdict

IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:1.0"
SETTINGS = parse(["--image", IMAGE], {})
SOON = 20.0  # seconds that no wait takes unless something is wrong
THROTTLED = replace(
    verdict(),
    status=Status.INCONCLUSIVE,
    steps=(made.step("ecr.api/token/10.0.1.10", failure=Failure.THROTTLED), made.step("ecr.api/tcp/10.0.1.10")),
)


def bug(error: BaseException, *, began: datetime) -> Verdict:
    return broken(SETTINGS, error, began=began)


def loop_of(measure: Callable[[threading.Event], Verdict], **given: Any) -> Loop:
    return Loop(
        measure,
        **{
            "interval": 60.0,
            "deadline": 30.0,
            "broken": bug,
            "after": lambda _before, _after: None,
            "roll": lambda: 0,
            **given,
        },
    )


# ---- in a time of our own --------------------------------------------------------------------------------------------


class Time:
    """A clock that only rounds and waits move, and the instants at which rounds started."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.starts: list[float] = []
        self.waits: list[float] = []
        self.wishes = 0

    def monotonic(self) -> float:
        return self.now

    # In place of the event on which the loop waits for a wish.

    def wait(self, seconds: float) -> bool:
        if self.wishes:
            return True
        self.waits.append(seconds)
        self.now += seconds
        return False

    def clear(self) -> None:
        self.wishes = 0

    def set(self) -> None:
        self.wishes += 1


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Time:
    time = Time()
    monkeypatch.setattr(loops, "time", SimpleNamespace(monotonic=time.monotonic))
    return time


def lived(clock: Time, rounds: Iterable[Callable[[Loop], Verdict]], **given: Any) -> tuple[Loop, list[Snapshot]]:
    """A loop after these rounds, run on the test's own thread, and what it published."""
    left, published = iter(rounds), []

    def measure(stop: threading.Event) -> Verdict:
        clock.starts.append(clock.now)
        do = next(left, None)
        if do is None:
            stop.set()
            return verdict()
        return do(loop)

    loop = loop_of(measure, after=lambda _, after: published.append(after), **given)
    loop._wish = clock  # type: ignore[assignment]
    loop._run()
    return loop, published


def lasting(clock: Time, seconds: float, result: Verdict | None = None) -> Callable[[Loop], Verdict]:
    def do(_loop: Loop) -> Verdict:
        clock.now += seconds
        return result or verdict()

    return do


def raising(error: BaseException) -> Callable[[Loop], Verdict]:
    def do(_loop: Loop) -> Verdict:
        raise error

    return do


def test_the_first_round_starts_at_once_and_the_others_by_the_interval(clock: Time) -> None:
    lived(clock, [lasting(clock, 2)] * 3)
    assert clock.starts == [1000, 1060, 1120, 1180]
    assert clock.waits == [58, 58, 58]


def test_jitter_comes_from_chance(clock: Time) -> None:
    rolls = iter([-1.0, 1.0, 0.0])
    lived(clock, [lasting(clock, 2)] * 3, roll=lambda: next(rolls))
    assert clock.starts == [1000, 1054, 1120, 1180]


def test_an_overrun_is_counted_and_the_plan_is_kept(clock: Time) -> None:
    _, published = lived(clock, [lasting(clock, 2), lasting(clock, 70), lasting(clock, 200), lasting(clock, 2)])
    assert clock.starts == [1000, 1060, 1180, 1420, 1480]
    assert [one.totals.overruns for one in published] == [0, 1, 2, 2]


def test_throttling_lengthens_the_interval_and_success_restores_it(clock: Time) -> None:
    rounds = [lasting(clock, 1, THROTTLED)] * 5 + [lasting(clock, 1)] * 5
    _, published = lived(clock, rounds)
    assert [one.interval for one in published] == [120, 240, 480, LONGEST, LONGEST, 450, 225, 112.5, 60, 60]
    assert {one.base_interval for one in published} == {60}
    gaps = [later - earlier for earlier, later in zip(clock.starts, clock.starts[1:], strict=False)]
    assert gaps == [one.interval for one in published]


def test_a_wish_is_granted_at_most_every_ten_seconds(clock: Time) -> None:
    answers: list[float] = []

    def wish(loop: Loop) -> Verdict:
        answers.append(loop.ask())
        clock.now += 4
        answers.append(loop.ask())
        clock.now += LEAST_GAP - 4
        answers.append(loop.ask())
        return verdict()

    lived(clock, [wish])
    assert answers == [0.0, LEAST_GAP - 4, 0.0]


def test_wishes_during_a_round_are_one_round_after_it(clock: Time) -> None:
    """Whoever asks every ten seconds during rounds of thirty must not pile them up."""

    def wish(loop: Loop) -> Verdict:
        for _ in range(3):
            assert loop.ask() == 0
            clock.now += LEAST_GAP
        return verdict()

    lived(clock, [wish, lasting(clock, 2), lasting(clock, 2)])
    assert clock.starts == [1000, 1030, 1090, 1150], "at once, and then by a plan that starts anew"


BUGS = [ValueError("no"), KeyError(), RecursionError(), SystemExit(3), MemoryError(), StopIteration(), OSError(5, "x")]


@pytest.mark.parametrize("error", BUGS, ids=lambda error: type(error).__name__)
def test_a_bug_in_a_round_is_a_finding_of_that_round(error: BaseException, clock: Time) -> None:
    _, published = lived(clock, [lasting(clock, 1), raising(error), lasting(clock, 1)])
    assert [one.verdict.status if one.verdict else None for one in published] == ["pass", "inconclusive", "pass"]
    assert [one.finding.code for one in published[1].standing] == ["probe.bug"]
    assert type(error).__name__ in published[1].standing[0].finding.values["detail"]
    assert published[2].passed[0].code == "probe.bug"


def test_without_an_image_the_verdict_is_withdrawn_until_there_is_one(clock: Time) -> None:
    _, published = lived(clock, [lasting(clock, 1), raising(UsageError("no image")), lasting(clock, 1)])
    assert [one.misconfigured for one in published] == [None, "no image", None]
    assert [one.verdict is None for one in published] == [False, True, False]
    assert [one.totals.rounds for one in published] == [1, 1, 2]
    assert clock.starts == [1000, 1060, 1120, 1180]


def test_who_is_told_cannot_end_the_rounds(clock: Time) -> None:
    def after(_before: Snapshot, _after: Snapshot) -> None:
        raise ValueError

    rounds = iter([lasting(clock, 1)] * 3)

    def measure(stop: threading.Event) -> Verdict:
        do = next(rounds, None)
        if do is None:
            stop.set()
        return do(loop) if do else verdict()

    loop = loop_of(measure, after=after)
    loop._wish = clock  # type: ignore[assignment]
    loop._run()
    assert loop.snapshot.totals.rounds == 3


def test_each_round_is_told_with_the_one_before(clock: Time) -> None:
    told: list[tuple[int, int]] = []

    def after(before: Snapshot, now: Snapshot) -> None:
        told.append((before.totals.rounds, now.totals.rounds))

    rounds = iter([verdict(), verdict(), None])

    def measure(stop: threading.Event) -> Verdict:
        found = next(rounds)
        if found is None:
            stop.set()
        return found or verdict()

    loop = loop_of(measure, after=after)
    loop._wish = clock  # type: ignore[assignment]
    loop._run()
    assert told == [(0, 1), (1, 2)]


# ---- on its thread ---------------------------------------------------------------------------------------------------


class Rounds:
    """A measure that a test leads by the hand."""

    def __init__(self) -> None:
        self.began = threading.Semaphore(0)
        self.end = threading.Semaphore(0)
        self.running = 0
        self.most = 0

    def __call__(self, stop: threading.Event) -> Verdict:
        self.running += 1
        self.most = max(self.most, self.running)
        self.began.release()
        while not self.end.acquire(timeout=0.01) and not stop.is_set():
            pass
        self.running -= 1
        return verdict()


@contextmanager
def running(measure: Callable[[threading.Event], Verdict], **given: Any) -> Iterator[tuple[Loop, threading.Semaphore]]:
    """A loop, and a semaphore that each publication releases."""
    published = threading.Semaphore(0)
    loop = loop_of(measure, after=lambda _before, _after: published.release(), **given)
    loop.start()
    try:
        yield loop, published
    finally:
        loop.stop(within=SOON)
        assert not loop._thread.is_alive()


def test_nothing_is_published_before_the_first_round_is_over() -> None:
    rounds = Rounds()
    with running(rounds) as (loop, published):
        assert rounds.began.acquire(timeout=SOON)
        assert loop.snapshot.verdict is None
        assert loop.snapshot.totals.rounds == 0
        assert loop.alive()
        rounds.end.release()
        assert published.acquire(timeout=SOON)
        assert loop.snapshot.totals.rounds == 1


def test_rounds_never_overlap() -> None:
    rounds = Rounds()
    with running(rounds, interval=0.001) as (loop, published):
        for _ in range(20):
            assert rounds.began.acquire(timeout=SOON)
            loop.ask()
            rounds.end.release()
            assert published.acquire(timeout=SOON)
    assert rounds.most == 1


def test_a_wish_ends_the_wait() -> None:
    rounds = Rounds()
    with running(rounds, interval=3600.0) as (loop, published):
        rounds.end.release(2)
        assert published.acquire(timeout=SOON)
        assert loop.ask() == 0.0
        assert published.acquire(timeout=SOON)
        assert 0 < loop.ask() <= LEAST_GAP


def test_many_ask_and_one_is_granted() -> None:
    rounds = Rounds()
    with running(rounds, interval=3600.0) as (loop, _):
        answers: list[float] = []
        threads = [threading.Thread(target=lambda: answers.append(loop.ask())) for _ in range(20)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
    assert sorted(answers)[0] == 0.0
    assert all(answer > 0 for answer in sorted(answers)[1:])


def test_a_round_that_is_cut_is_not_published() -> None:
    rounds = Rounds()
    with running(rounds) as (loop, published):
        assert rounds.began.acquire(timeout=SOON)
        loop.stop(within=SOON)
        assert loop.snapshot.verdict is None
        assert not published.acquire(blocking=False)
        assert not loop.alive()


def test_a_stop_while_it_waits_ends_it() -> None:
    rounds = Rounds()
    with running(rounds, interval=3600.0) as (loop, published):
        rounds.end.release()
        assert published.acquire(timeout=SOON)
        loop.stop(within=SOON)
        assert not loop.alive()
        assert loop.snapshot.totals.rounds == 1


def test_a_round_that_ignores_the_stop_is_left_behind() -> None:
    hang, began = threading.Event(), threading.Event()

    def measure(_stop: threading.Event) -> Verdict:
        began.set()
        hang.wait(SOON)
        return verdict()

    with running(measure) as (loop, _):
        assert began.wait(SOON)
        loop.stop(within=0.05)
        assert loop._thread.is_alive()
        hang.set()


# ---- alive -----------------------------------------------------------------------------------------------------------


def test_before_its_start_there_is_no_life() -> None:
    assert not loop_of(lambda _: verdict()).alive()


def test_a_round_that_hangs_beyond_deadline_and_patience_is_no_life(clock: Time) -> None:
    rounds = Rounds()
    with running(rounds, deadline=30.0) as (loop, _):
        assert rounds.began.acquire(timeout=SOON)
        clock.now += 30 + PATIENCE - 0.1
        assert loop.alive()
        clock.now += 0.2
        assert not loop.alive()
        rounds.end.release()


def test_a_start_that_does_not_come_is_no_life(clock: Time) -> None:
    rounds = Rounds()
    with running(rounds, interval=3600.0) as (loop, published):
        rounds.end.release()
        assert published.acquire(timeout=SOON)
        clock.now += 3600 + PATIENCE - 0.1
        assert loop.alive()
        clock.now += 0.2
        assert not loop.alive()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_is_gone_is_no_life() -> None:
    class End(BaseException):
        pass

    def measure(_stop: threading.Event) -> Verdict:
        raise End

    loop = loop_of(measure)
    loop.start()
    loop._thread.join(SOON)
    assert not loop.alive()
    assert loop.snapshot.verdict is None


def test_only_aws_counts_as_throttling(clock: Time) -> None:
    refused = replace(verdict(), steps=(made.step("ecr.api/token/10.0.1.10", failure=Failure.DENIED),))
    assert refused.steps[0].action is Action.TOKEN
    _, published = lived(clock, [lasting(clock, 1, refused)])
    assert published[0].interval == 60

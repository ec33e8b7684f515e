"""The loop: when rounds start, what they publish, and that no failure of a round ends it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probe.config.settings import UsageError, parse
from probe.crash import broken
from probe.history import Snapshot
from probe.model import Action, Failure, Status, Surroundings, Verdict
from probe.records import replace
from probe.serve.loop import JITTER, LEAST_GAP, LONGEST_INTERVAL, PATIENCE, Loop, Rounds, eased, next_start
from probe.serve.options import LONGEST, SHORTEST
from probe.sim.services import InjectedReply
from probe.sim.task import CREDENTIALS_ADDRESS, ID, string_error
from probe.sim.vpc import VPC
from tests.report import made
from tests.serve.rounds import verdict

IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:1.0"
SETTINGS = parse(["--image", IMAGE], {})
SOON = 20.0  # seconds; no wait takes so long unless something is broken
THROTTLED = replace(
    verdict(),
    status=Status.INCONCLUSIVE,
    steps=(made.step("ecr.api/token/10.0.1.10", failure=Failure.THROTTLED), made.step("ecr.api/tcp/10.0.1.10")),
)


def bug(error: BaseException, *, began: datetime) -> Verdict:
    return broken(SETTINGS, error, began=began)


def loop_of(measure: Callable[[threading.Event], Verdict], **options: Any) -> Loop:
    return Loop(
        measure,
        **{
            "interval": 60.0,
            "deadline": 30.0,
            "broken": bug,
            "after": lambda _before, _after: None,
            "roll": lambda: 0,
            **options,
        },
    )


# ---- with a clock of the test's own ----------------------------------------------------------------------------------


class Clock:
    """A clock that only rounds and waits advance, with the instants at which rounds started. Also the loop's wakeup."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.starts: list[float] = []
        self.waits: list[float] = []
        self.woken = False

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> bool:
        if self.woken:
            return True
        self.waits.append(seconds)
        self.now += seconds
        return False

    def clear(self) -> None:
        self.woken = False

    def set(self) -> None:
        self.woken = True


@pytest.fixture
def clock() -> Clock:
    return Clock()


Round = Callable[[Loop], Verdict]


def run(clock: Clock, rounds: Iterable[Round], **options: Any) -> tuple[Loop, list[Snapshot]]:
    """Run these rounds on the test's own thread; returns the loop and the snapshots that it published."""
    remaining = iter(rounds)
    published: list[Snapshot] = []

    def measure(stop: threading.Event) -> Verdict:
        clock.starts.append(clock.now)
        next_round = next(remaining, None)
        if next_round is None:
            stop.set()
            return verdict()
        return next_round(loop)

    options = {"after": lambda _, after: published.append(after), **options}
    loop = loop_of(measure, clock=clock, wakeup=clock, **options)
    loop.run()
    return loop, published


def lasting(clock: Clock, seconds: float, result: Verdict | None = None) -> Callable[[Loop], Verdict]:
    def do(_loop: Loop) -> Verdict:
        clock.now += seconds
        return result or verdict()

    return do


def raising(error: BaseException) -> Callable[[Loop], Verdict]:
    def do(_loop: Loop) -> Verdict:
        raise error

    return do


def test_the_first_round_starts_immediately_and_the_others_by_the_interval(clock: Clock) -> None:
    run(clock, [lasting(clock, 2)] * 3)
    assert clock.starts == [1000, 1060, 1120, 1180]
    assert clock.waits == [58, 58, 58]


def test_jitter_is_random(clock: Clock) -> None:
    rolls = iter([-1.0, 1.0, 0.0])
    run(clock, [lasting(clock, 2)] * 3, roll=lambda: next(rolls))
    assert clock.starts == [1000, 1054, 1120, 1180]


def test_an_overrun_is_counted_and_the_plan_is_kept(clock: Clock) -> None:
    _, published = run(clock, [lasting(clock, 2), lasting(clock, 70), lasting(clock, 200), lasting(clock, 2)])
    assert clock.starts == [1000, 1060, 1180, 1420, 1480]
    assert [snapshot.totals.overruns for snapshot in published] == [0, 1, 2, 2]


def test_throttling_lengthens_the_interval_and_success_restores_it(clock: Clock) -> None:
    rounds = [lasting(clock, 1, THROTTLED)] * 5 + [lasting(clock, 1)] * 5
    _, published = run(clock, rounds)
    assert [snapshot.interval for snapshot in published] == [
        120,
        240,
        480,
        LONGEST_INTERVAL,
        LONGEST_INTERVAL,
        450,
        225,
        112.5,
        60,
        60,
    ]
    assert {snapshot.base_interval for snapshot in published} == {60}
    gaps = [later - earlier for earlier, later in zip(clock.starts, clock.starts[1:], strict=False)]
    assert gaps == [snapshot.interval for snapshot in published]


def test_a_round_can_be_requested_every_ten_seconds(clock: Clock) -> None:
    answers: list[float] = []

    def request(loop: Loop) -> Verdict:
        answers.append(loop.ask())
        clock.now += 4
        answers.append(loop.ask())
        clock.now += LEAST_GAP - 4
        answers.append(loop.ask())
        return verdict()

    run(clock, [request])
    assert answers == [0.0, LEAST_GAP - 4, 0.0]


def test_requests_during_a_round_start_one_round_after_it(clock: Clock) -> None:
    """Requests every ten seconds during rounds of thirty must not queue up."""

    def request(loop: Loop) -> Verdict:
        for _ in range(3):
            assert loop.ask() == 0
            clock.now += LEAST_GAP
        return verdict()

    run(clock, [request, lasting(clock, 2), lasting(clock, 2)])
    assert clock.starts == [1000, 1030, 1090, 1150], "immediately, and then on a new plan"


BUGS = [ValueError("no"), KeyError(), RecursionError(), SystemExit(3), StopIteration(), OSError(5, "x")]


@pytest.mark.parametrize("error", BUGS, ids=lambda error: type(error).__name__)
def test_a_bug_in_a_round_is_a_finding_of_that_round(error: BaseException, clock: Clock) -> None:
    _, published = run(clock, [lasting(clock, 1), raising(error), lasting(clock, 1)])
    assert [snapshot.verdict.status if snapshot.verdict else None for snapshot in published] == [
        "pass",
        "inconclusive",
        "pass",
    ]
    assert [entry.finding.code for entry in published[1].current] == ["probe.bug"]
    assert type(error).__name__ in published[1].current[0].finding.values["detail"]
    assert published[2].resolved[0].code == "probe.bug"


def test_a_shortage_in_a_round_is_no_bug(clock: Clock) -> None:
    _, published = run(clock, [raising(MemoryError()), lasting(clock, 1)])
    assert [entry.finding.code for entry in published[0].current] == ["probe.no-resources"]
    assert published[1].resolved[0].code == "probe.no-resources"


def test_without_an_image_the_verdict_is_withdrawn_until_there_is_one(clock: Clock) -> None:
    _, published = run(clock, [lasting(clock, 1), raising(UsageError("no image")), lasting(clock, 1)])
    assert [snapshot.misconfigured for snapshot in published] == [None, "no image", None]
    assert [snapshot.verdict is None for snapshot in published] == [False, True, False]
    assert [snapshot.totals.rounds for snapshot in published] == [1, 1, 2]
    assert clock.starts == [1000, 1060, 1120, 1180]


def test_a_listener_that_fails_does_not_end_the_rounds(clock: Clock) -> None:
    def after(_before: Snapshot, _after: Snapshot) -> None:
        raise ValueError

    loop, _ = run(clock, [lasting(clock, 1)] * 3, after=after)
    assert loop.snapshot.totals.rounds == 3


def test_a_listener_gets_the_snapshots_before_and_after_a_round(clock: Clock) -> None:
    pairs: list[tuple[int, int]] = []
    run(
        clock,
        [lasting(clock, 1)] * 2,
        after=lambda before, after: pairs.append((before.totals.rounds, after.totals.rounds)),
    )
    assert pairs == [(0, 1), (1, 2)]


# ---- on its thread ---------------------------------------------------------------------------------------------------


class HeldRounds:
    """A measure with rounds that a test begins and ends."""

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
def running(
    measure: Callable[[threading.Event], Verdict], **options: Any
) -> Iterator[tuple[Loop, threading.Semaphore]]:
    """A loop, and a semaphore that each publication releases."""
    published = threading.Semaphore(0)
    loop = loop_of(measure, after=lambda _before, _after: published.release(), **options)
    loop.start()
    try:
        yield loop, published
    finally:
        assert loop.stop(within=SOON)


def test_nothing_is_published_before_the_first_round_is_over() -> None:
    rounds = HeldRounds()
    with running(rounds) as (loop, published):
        assert rounds.began.acquire(timeout=SOON)
        assert loop.snapshot.verdict is None
        assert loop.snapshot.totals.rounds == 0
        assert loop.alive()
        rounds.end.release()
        assert published.acquire(timeout=SOON)
        assert loop.snapshot.totals.rounds == 1


def test_rounds_never_overlap() -> None:
    rounds = HeldRounds()
    with running(rounds, interval=0.001) as (loop, published):
        for _ in range(20):
            assert rounds.began.acquire(timeout=SOON)
            loop.ask()
            rounds.end.release()
            assert published.acquire(timeout=SOON)
    assert rounds.most == 1


def test_a_request_ends_the_wait() -> None:
    rounds = HeldRounds()
    with running(rounds, interval=3600.0) as (loop, published):
        rounds.end.release(2)
        assert published.acquire(timeout=SOON)
        assert loop.ask() == 0.0
        assert published.acquire(timeout=SOON)
        assert 0 < loop.ask() <= LEAST_GAP


def test_of_many_concurrent_requests_one_is_granted() -> None:
    rounds = HeldRounds()
    with running(rounds, interval=3600.0) as (loop, _):
        answers: list[float] = []
        threads = [threading.Thread(target=lambda: answers.append(loop.ask())) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(answers)[0] == 0.0
    assert all(answer > 0 for answer in sorted(answers)[1:])


def test_a_round_that_is_cut_is_not_published() -> None:
    rounds = HeldRounds()
    with running(rounds) as (loop, published):
        assert rounds.began.acquire(timeout=SOON)
        loop.stop(within=SOON)
        assert loop.snapshot.verdict is None
        assert not published.acquire(blocking=False)
        assert not loop.alive()


def test_a_stop_while_it_waits_ends_it() -> None:
    rounds = HeldRounds()
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
        assert not loop.stop(within=0.05)
        hang.set()


# ---- alive -----------------------------------------------------------------------------------------------------------


def test_a_loop_that_was_not_started_is_not_alive() -> None:
    assert not loop_of(lambda _: verdict()).alive()


def test_a_loop_whose_round_hangs_is_not_alive(clock: Clock) -> None:
    rounds = HeldRounds()
    with running(rounds, deadline=30.0, clock=clock) as (loop, _):
        assert rounds.began.acquire(timeout=SOON)
        clock.now += 30 + PATIENCE - 0.1
        assert loop.alive()
        clock.now += 0.2
        assert not loop.alive()
        rounds.end.release()


def test_a_loop_whose_next_round_does_not_start_is_not_alive(clock: Clock) -> None:
    rounds = HeldRounds()
    with running(rounds, interval=3600.0, clock=clock) as (loop, published):
        rounds.end.release()
        assert published.acquire(timeout=SOON)
        clock.now += 3600 + PATIENCE - 0.1
        assert loop.alive()
        clock.now += 0.2
        assert not loop.alive()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_loop_whose_thread_has_ended_is_not_alive() -> None:
    class End(BaseException):
        pass

    def measure(_stop: threading.Event) -> Verdict:
        raise End

    loop = loop_of(measure)
    loop.start()
    until = time.monotonic() + SOON
    while loop.alive() and time.monotonic() < until:
        time.sleep(0.01)
    assert not loop.alive()
    assert loop.snapshot.verdict is None


def test_only_aws_counts_as_throttling(clock: Clock) -> None:
    refused = replace(verdict(), steps=(made.step("ecr.api/token/10.0.1.10", failure=Failure.DENIED),))
    assert refused.steps[0].action is Action.TOKEN
    _, published = run(clock, [lasting(clock, 1, refused)])
    assert published[0].interval == 60


# ---- what a round remembers of earlier ones: the task's identity and nothing else ------------------------------------

UNREADABLE = "task.metadata-unavailable"
ERROR = string_error(500, "unable to generate metadata for task")


def failing(vpc: VPC) -> None:
    vpc.metadata.injected_replies += [InjectedReply(ERROR, "/v4/"), InjectedReply(ERROR, "/v3/")]


def falling_back_to_version_3(vpc: VPC) -> None:
    vpc.metadata.injected_replies.append(InjectedReply(ERROR, "/v4/"))


def knowing_all_but_the_container(vpc: VPC) -> None:
    vpc.metadata.injected_replies.append(InjectedReply(ERROR, f"/{ID} "))


@contextmanager
def rounds() -> Iterator[tuple[VPC, Callable[[], Verdict]]]:
    with VPC() as vpc:
        of = Rounds(parse(["--no-controls", "--connect-timeout", "1"], vpc.environ), vpc.wire())
        yield vpc, lambda: of.measure(threading.Event())


def codes(verdict: Verdict) -> set[str]:
    return {finding.code for finding in verdict.findings}


@pytest.mark.parametrize(
    ("fails", "code"),
    [(failing, UNREADABLE), (knowing_all_but_the_container, UNREADABLE), (falling_back_to_version_3, "probe.retried")],
)
def test_failing_metadata_in_one_round_is_no_misconfiguration(fails: Callable[[VPC], None], code: str) -> None:
    with rounds() as (vpc, measured):
        first = measured()
        fails(vpc)
        second = measured()
        vpc.metadata.injected_replies.clear()
        third = measured()
    assert codes(second) == codes(first) | {code}
    assert (second.status, second.pull, second.path) == (first.status, first.pull, first.path)
    assert [endpoint.name for endpoint in second.endpoints] == [endpoint.name for endpoint in first.endpoints]
    assert second.plan == first.plan
    assert second.surroundings == replace(first.surroundings, metadata_remembered=True, clock_synchronized=None)
    titles = [finding.title for finding in second.findings if finding.code == UNREADABLE]
    assert all("of an earlier round" in title for title in titles)
    assert (third.surroundings, codes(third)) == (first.surroundings, codes(first))


def test_silent_metadata_in_one_round_is_no_misconfiguration() -> None:
    with rounds() as (vpc, measured):
        first = measured()
        heard = vpc.local.pop((CREDENTIALS_ADDRESS, 80))
        silent = measured()
        vpc.local[CREDENTIALS_ADDRESS, 80] = heard
        last = measured()
    assert silent.plan.image == first.plan.image
    assert {UNREADABLE, "credentials.unavailable"} <= codes(silent)
    assert codes(last) == codes(first)


def test_without_earlier_metadata_nothing_is_remembered() -> None:
    with rounds() as (vpc, measured):
        failing(vpc)
        with pytest.raises(UsageError, match="could not be read"):
            measured()
        vpc.metadata.injected_replies.clear()
        assert measured().surroundings.metadata_remembered is False


def test_facts_that_may_change_are_not_remembered() -> None:
    with rounds() as (vpc, measured):
        vpc.metadata.edits.append(lambda document: document.update(FaultInjectionEnabled=True))
        assert "task.fault-injection" in codes(measured())
        failing(vpc)
        vpc.nameservers = vpc.nameservers[:1] * 2
        second = measured()
    assert "task.fault-injection" not in codes(second)
    assert second.surroundings.resolvers == tuple(vpc.nameservers)
    assert second.surroundings.clock_synchronized is None
    assert second.surroundings != Surroundings()


# ---- the schedule, at any time ---------------------------------------------------------------------------------------

INSTANTS = st.floats(0, 1e9)
INTERVALS = st.floats(SHORTEST, LONGEST)
CHANCE = st.floats(-1, 1)
TINY = 1e-6  # what floats lose at 1e9


@given(planned=INSTANTS, interval=INTERVALS, lasted=st.floats(0, 1e7), roll=CHANCE)
def test_the_next_start_is_never_in_the_past(planned: float, interval: float, lasted: float, roll: float) -> None:
    now = planned + lasted
    start, _ = next_start(planned, interval, now=now, roll=roll)
    assert start >= now - TINY
    assert start <= now + interval * (1 + JITTER) + TINY


@given(planned=INSTANTS, interval=INTERVALS, part=st.floats(0, 0.89), roll=CHANCE)
def test_jitter_is_a_tenth_either_way(planned: float, interval: float, part: float, roll: float) -> None:
    start, late = next_start(planned, interval, now=planned + interval * part, roll=roll)
    assert not late
    assert interval * 0.9 - TINY <= start - planned <= interval * 1.1 + TINY


@pytest.mark.parametrize(("roll", "start"), [(-1, 54.0), (0, 60.0), (1, 66.0)])
def test_jitter_covers_its_whole_range(roll: float, start: float) -> None:
    planned, late = next_start(0.0, 60.0, now=1.0, roll=roll)
    assert planned == pytest.approx(start)
    assert late is False


@pytest.mark.parametrize(
    ("lasted", "start", "late"),
    [
        (0, 60, False),
        (59.9, 60, False),
        (60, 60, False),  # to the point
        (60.1, 120, True),
        (90, 120, True),
        (119.9, 120, True),
        (125, 180, True),
        (100_000, 100_020, True),  # the machine slept
    ],
)
def test_after_an_overrun_the_plan_is_kept(lasted: float, start: float, late: bool) -> None:
    assert next_start(0.0, 60.0, now=lasted, roll=0) == (start, late)


@given(planned=INSTANTS, interval=INTERVALS, over=st.floats(0.01, 1e4), roll=CHANCE)
def test_a_long_overrun_counts_once(planned: float, interval: float, over: float, roll: float) -> None:
    step = interval * (1 + JITTER * roll)
    start, late = next_start(planned, interval, now=planned + step + over, roll=roll)
    assert late is True
    periods = (start - planned) / step
    assert periods == pytest.approx(round(periods), abs=1e-3)
    assert periods > 1.5


@given(base=INTERVALS, throttles=st.lists(st.booleans(), max_size=60))
def test_the_interval_stays_between_the_configured_and_the_longest_one(base: float, throttles: list[bool]) -> None:
    interval = base
    for throttled in throttles:
        before, interval = interval, eased(interval, base, throttled=throttled)
        assert base <= interval <= max(base, LONGEST_INTERVAL)
        assert interval >= before if throttled else interval <= before


@given(base=INTERVALS, throttled=st.integers(1, 20))
def test_success_restores_the_interval(base: float, throttled: int) -> None:
    interval = base
    for _ in range(throttled):
        interval = eased(interval, base, throttled=True)
    for _ in range(throttled):
        interval = eased(interval, base, throttled=False)
    assert interval == base


def test_it_doubles_and_halves() -> None:
    stretched = [60.0]
    for throttled in (True, True, True, True, True, False, False, False, False, False):
        stretched.append(eased(stretched[-1], 60.0, throttled=throttled))
    assert stretched == [60, 120, 240, 480, 900, 900, 450, 225, 112.5, 60, 60]

"""A log says within ten seconds what `smoke` waits for, once. The clock is virtual."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from probe.config.flags import UsageError
from probe.fleet import Fleet
from probe.smoke.progress import SILENCE, Lines
from tests.smoke.aws import Aws, Error, Failures, Life, subnet
from tests.smoke.runs import Bench, VirtualWorkers

THROTTLED = Error("ThrottlingException", "Rate exceeded")
NAME = subnet(0)


@dataclass
class Log:
    """The lines of a run, with the seconds since its begin."""

    workers: VirtualWorkers
    lines: list[tuple[float, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.began = self.workers.now()

    def run(self, bench: Bench, *arguments: str, subnets: int = 1) -> Fleet:
        return bench.in_subnets(subnets, *arguments, progress=Lines(self._write))

    def _write(self, line: str) -> None:
        self.lines.append((self.workers.now() - self.began, line.removeprefix("ecr-probe: ")))

    @property
    def waits(self) -> list[tuple[float, str]]:
        return [(second, line) for second, line in self.lines if line.startswith("waiting for ")]


@pytest.fixture
def log(workers: VirtualWorkers) -> Log:
    return Log(workers)


def throttle(aws: Aws, action: str, first: int, last: int) -> None:
    """Refuse the calls of an action from number `first` to number `last`."""
    aws.errors = lambda called, nth: THROTTLED if called == action and first <= nth <= last else None


def test_a_task_that_stays_in_a_state_is_named_once(bench: Bench, aws: Aws, log: Log) -> None:
    aws.lives = lambda *_: Life(hangs_in="PENDING")
    log.run(bench, "--timeout", "300")
    ((second, line),) = [wait for wait in log.waits if "PENDING" in wait[1]]
    assert line == f"waiting for a task that is PENDING in {NAME}; at most {300 - second:.0f} s more"
    assert second < 30


def test_a_short_run_has_no_such_line(bench: Bench, aws: Aws, log: Log) -> None:
    aws.lives = lambda *_: Life(pending=3.0, running=2.0)
    log.run(bench)
    assert log.waits == []
    assert log.lines[-1][0] < SILENCE


def test_throttled_reads_are_named_with_their_next_try(bench: Bench, aws: Aws, log: Log) -> None:
    throttle(aws, "ecs:DescribeTaskDefinition", 1, 12)
    log.run(bench)
    second, line = log.waits[0]
    assert second == SILENCE
    assert line.startswith(
        "waiting for a call to succeed (ecs:DescribeTaskDefinition: ThrottlingException: Rate exceeded)"
    )
    assert "; next try in " in line
    assert sum("Rate exceeded" in line for _, line in log.waits) == 1


def test_a_throttled_launch_is_named_with_its_next_try(bench: Bench, aws: Aws, log: Log) -> None:
    throttle(aws, "ecs:RunTask", 1, 8)
    log.run(bench)
    second, line = log.waits[0]
    assert second <= SILENCE + 1
    assert "a task, because no task could be started (ecs:RunTask: ThrottlingException: Rate exceeded)" in line
    assert f"in {NAME}; next try in " in line
    assert sum("Rate exceeded" in line for _, line in log.waits) == 1


def test_missing_capacity_is_named(bench: Bench, aws: Aws, log: Log) -> None:
    aws.lives = lambda _, nth: Failures(("Capacity is unavailable at this time",)) if nth < 9 else Life()
    log.run(bench)
    named = [line for _, line in log.waits if "because no task could be started: Capacity is unavailable" in line]
    assert len(named) == 1


@pytest.mark.parametrize("action", ["ecs:DescribeTasks", "logs:GetLogEvents"])
def test_a_throttled_call_beside_running_tasks_is_named(bench: Bench, aws: Aws, log: Log, action: str) -> None:
    throttle(aws, action, 1, 10)
    log.run(bench)
    (line,) = [line for _, line in log.waits if "Rate exceeded" in line]
    assert f"; a call to succeed ({action}: ThrottlingException: Rate exceeded); next try in " in line


def test_a_call_without_an_answer_is_named(bench: Bench, workers: VirtualWorkers, log: Log) -> None:
    workers.latency = 45.0
    log.run(bench, "--timeout", "400")
    assert log.waits[0] == (SILENCE, "waiting for AWS to answer ecs:DescribeTaskDefinition; at most 390 s more")
    assert any(line.startswith(f"waiting for AWS to answer ecs:RunTask in {NAME};") for _, line in log.waits)


def test_tasks_that_are_hard_to_stop_are_named(bench: Bench, aws: Aws, workers: VirtualWorkers, log: Log) -> None:
    workers.latency = 4.0
    aws.lives = lambda *_: Life(hangs_in="RUNNING")
    throttle(aws, "ecs:StopTask", 1, 99)
    log.run(bench, "--timeout", "100")
    assert [line for _, line in log.lines if line.startswith("stopping ")] == ["stopping 1 task"]
    assert any(line.startswith("waiting for 1 task to stop (ecs:StopTask: ") for _, line in log.waits)


def test_many_subnets_are_counted_and_a_line_comes_at_most_every_ten_seconds(bench: Bench, aws: Aws, log: Log) -> None:
    aws.lives = lambda *_: Life(pending=60.0)
    log.run(bench, subnets=8)
    assert any(" and 5 more subnets" in line for _, line in log.waits)
    seconds = [second for second, _ in log.waits]
    assert all(later - earlier >= SILENCE for earlier, later in pairwise(seconds))


def test_wrong_usage_is_still_one_line(bench: Bench, aws: Aws, log: Log) -> None:
    aws.clusters = []
    with pytest.raises(UsageError):
        log.run(bench)
    assert log.waits == []

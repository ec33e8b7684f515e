"""Five hundred subnets: the number of calls, the duration, and AWS's published rates."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence

from probe.report import FLEET_FORMATS, Page
from probe.smoke.subnets import BATCH, DOCUMENTS, POLL
from tests.report import made
from tests.smoke.aws import Aws, Error, Failures, Life, subnet
from tests.smoke.runs import LATENCY, Bench

MANY = 500
PENDING, RUNNING = 20.0, 10.0
# Calls in one second: RunTask on Fargate 20, GetLogEvents 10; reads of ECS have a bucket of 100 tokens and 20 a second.
RATES = {"ecs:RunTask": 20, "logs:GetLogEvents": 20, "ecs:DescribeTasks": 20, "ecs:StopTask": 100}
SUSTAINED = {"ecs:RunTask": 10, "logs:GetLogEvents": 10, "ecs:DescribeTasks": 20, "ecs:StopTask": 40}


def busiest(instants: Sequence[float], seconds: float) -> int:
    """The most calls within any period of `seconds`; `instants` are sorted."""
    return max((bisect_left(instants, start + seconds) - place for place, start in enumerate(instants)), default=0)


def assert_within_rates(aws: Aws) -> None:
    for action, most in RATES.items():
        assert busiest(aws.instants(action), 1.0) <= most, action
    for action, rate in SUSTAINED.items():
        assert busiest(aws.instants(action), 30.0) <= 30 * rate + RATES[action], action


def test_five_hundred_subnets(bench: Bench) -> None:
    """The number of calls, the duration and the size of the document are bounded."""
    fleet = bench.in_subnets(MANY)
    seconds = bench.workers.time - 1000.0
    assert (fleet.exit_code, len(fleet.runs)) == (0, MANY)

    counts = bench.aws.count()
    assert counts["ecs:RunTask"] == counts["logs:GetLogEvents"] == MANY
    assert counts["ecs:DescribeTaskDefinition"] == 1
    assert counts["ec2:DescribeSubnets"] == 3
    # With ten launches a second and tasks of thirty seconds, some three hundred run concurrently.
    assert counts["ecs:DescribeTasks"] <= seconds / POLL * (10 * (PENDING + RUNNING + POLL) / BATCH + 1)
    assert sum(counts.values()) <= 2.25 * MANY
    assert_within_rates(bench.aws)

    launching = MANY / 10  # seconds, at half of Fargate's rate
    assert seconds <= launching + PENDING + RUNNING + POLL + 12 * LATENCY

    assert len(FLEET_FORMATS["json"].render(fleet, Page())) <= 1.1 * DOCUMENTS
    assert all(run.verdict is not None and run.verdict.endpoints for run in fleet.runs)


def test_fifty_subnets_keep_their_documents_whole(bench: Bench) -> None:
    fleet = bench.in_subnets(50)
    assert sum(bench.aws.count().values()) <= 2.5 * 50
    assert fleet.runs[0].verdict == made.verdict()


def test_a_slow_api_delays_only_its_own_replies(bench: Bench) -> None:
    bench.workers.latency = 1.0
    bench.in_subnets(MANY)
    assert bench.workers.time - 1000.0 <= MANY / 10 + PENDING + RUNNING + 2 * POLL + 12
    assert_within_rates(bench.aws)
    assert bench.workers.longest_queue == 0


def test_throttled_calls_keep_to_the_rates_and_succeed(bench: Bench, aws: Aws) -> None:
    aws.errors = lambda _, nth: Error("ThrottlingException", "Rate exceeded") if nth % 3 == 0 else None
    aws.lives = lambda where, nth: Failures(("RESOURCE:ENI",)) if nth == 1 and where < subnet(100) else Life()
    fleet = bench.in_subnets(MANY)
    assert fleet.exit_code == 0
    assert_within_rates(aws)
    assert Counter(task.subnet for task in aws.tasks.values()).most_common(1)[0][1] == 1


def test_five_hundred_are_stopped_within_the_rates(bench: Bench, aws: Aws) -> None:
    aws.lives = lambda *_: Life(hangs_in="PENDING")
    fleet = bench.in_subnets(MANY, "--timeout", "100")
    assert aws.running() == []
    assert "500 tasks were stopped" in fleet.notes
    assert_within_rates(aws)

"""`up --once`: it removes what it has created, and nothing that was there before or that another run has created."""

from __future__ import annotations

import pytest

from probe.config.flags import UsageError
from tests.deploy.aws import DeployedAws
from tests.deploy.cloudformation import FakeStack
from tests.deploy.runs import Bench
from tests.smoke.aws import REGION, Error

EXPIRED = Error("ExpiredTokenException", "The security token included in the request is expired")


def test_a_stack_that_was_there_before_stays(bench: Bench, aws: DeployedAws, archive: str) -> None:
    bench.up("--image-archive", archive, "--yes", "--schedule", "rate(1 hour)")
    before = aws.left()
    assert bench.up("--yes", "--once") == 0
    assert aws.left() == before
    assert "The stack was there before this run, so it stays also with --once." in bench.console.text
    assert "Everything is removed" not in bench.console.text


def test_a_stack_that_an_earlier_once_has_left_is_removed(bench: Bench, aws: DeployedAws, archive: str) -> None:
    up = ("--image-archive", archive, "--yes", "--once")
    aws.errors = lambda name, _: EXPIRED if name in ("ecs:RunTask", "cloudformation:DeleteStack") else None
    assert bench.up(*up) == 2
    line = bench.console.lines[-1]
    assert line.startswith("ecr-probe: the AWS credentials have expired")
    assert line.endswith(f"ecr-probe down --region {REGION} tries it again")
    aws.errors = lambda *_: None
    assert aws.left()["stacks"] == ["ecr-probe"]
    assert bench.up(*up) == 0
    assert aws.left() == {}


def test_without_once_the_stack_stays_from_then_on(bench: Bench, aws: DeployedAws, archive: str) -> None:
    aws.errors = lambda name, _: EXPIRED if name in ("ecs:RunTask", "cloudformation:DeleteStack") else None
    bench.up("--image-archive", archive, "--yes", "--once")
    aws.errors = lambda *_: None
    assert bench.up("--image-archive", archive, "--yes") == 0
    assert bench.up("--yes", "--once") == 0
    assert aws.left()["stacks"] == ["ecr-probe"]


@pytest.mark.parametrize("action", ["CreateChangeSet", "ExecuteChangeSet"])
def test_a_stack_that_another_run_creates_meanwhile_is_left(
    bench: Bench, aws: DeployedAws, archive: str, action: str
) -> None:
    def other_run(name: str, nth: int) -> None:
        if (name, nth) == (f"cloudformation:{action}", 1):
            aws.cloudformation.stacks[:] = [FakeStack("arn:other", "ecr-probe", status="CREATE_IN_PROGRESS")]

    aws.errors = other_run
    with pytest.raises(UsageError, match=r"another run changes stack ecr-probe at the same time.* ecr-probe-2$"):
        bench.up("--image-archive", archive, "--yes", "--once")
    assert aws.left() == {"stacks": ["ecr-probe"]}
    assert "cloudformation:DeleteStack" not in aws.mutations()


def test_an_error_of_the_report_leaves_nothing(bench: Bench, aws: DeployedAws, archive: str) -> None:
    bench.broken_report = OSError("the disk is full")
    with pytest.raises(OSError, match="the disk is full"):
        bench.up("--image-archive", archive, "--yes", "--once")
    assert aws.left() == {}

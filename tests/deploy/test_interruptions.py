"""Ctrl-C in every phase: one line says what exists, the next `up` goes on, and the next `down` removes all of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.deploy.aws import DeployedAws
from tests.deploy.runs import Bench
from tests.smoke.aws import Silence

NEXT = "the same command goes on, ecr-probe down --region eu-west-1 removes it"
# The call at which Ctrl-C arrives, and what is then printed.
UP = {
    "reading": ("ecs:DescribeServices", 1, "nothing was changed"),
    "reading the stack": ("cloudformation:DescribeStacks", 1, "nothing was changed"),
    "creating the change set": ("cloudformation:CreateChangeSet", 1, "stack ecr-probe has no new resources yet"),
    "waiting for the change set": ("cloudformation:DescribeChangeSet", 2, "stack ecr-probe has no new resources yet"),
    "executing it": ("cloudformation:ExecuteChangeSet", 1, "AWS continues with stack ecr-probe"),
    "waiting for the stack": ("cloudformation:DescribeStackEvents", 4, "AWS continues with stack ecr-probe"),
    "logging in": ("ecr:GetAuthorizationToken", 1, "stack ecr-probe exists, and the image is pushed in part"),
    "pushing 3": ("push", 3, "stack ecr-probe exists, and the image is pushed in part"),
    "pushing 17": ("push", 17, "stack ecr-probe exists, and the image is pushed in part"),
    "switching the schedule on": ("cloudformation:CreateChangeSet", 2, "stack ecr-probe has no new resources yet"),
    "starting a task": ("ecs:RunTask", 1, "stack ecr-probe and its image exist"),
    "waiting for the tasks": ("ecs:DescribeTasks", 2, "stack ecr-probe and its image exist"),
}
DOWN = {
    "reading": ("ecr:DescribeRepositories", 1, "nothing was changed"),
    "removing images": ("ecr:BatchDeleteImage", 2, "stack ecr-probe exists, its images are removed in part"),
    "removing the repository": ("ecr:DeleteRepository", 1, "stack ecr-probe exists, its images are removed in part"),
    "removing the stack": ("cloudformation:DeleteStack", 1, "AWS continues to remove stack ecr-probe"),
    "waiting": ("cloudformation:DescribeStackEvents", 3, "AWS continues to remove stack ecr-probe"),
}
SCHEDULE = ("--schedule", "rate(15 minutes)")


def interrupt(bench: Bench, aws: DeployedAws, action: str, nth: int, run: Callable[[], int]) -> str:
    """Run until Ctrl-C at the nth call of `action`; returns the last line."""
    arrived = []

    def at_call(name: str, number: int) -> None:
        if (name, number) == (action, before[name] + nth):
            arrived.append(name)
            bench.stop.set()

    def at_request(number: int, _method: str) -> None:
        if action == "push" and number == nth:
            arrived.append("push")
            bench.stop.set()

    before = aws.count()
    aws.errors = at_call
    aws.registry.on_request = at_request
    aws.registry.requests.clear()
    run()
    assert arrived
    bench.stop.clear()
    aws.errors = lambda *_: None
    aws.registry.on_request = lambda *_: None
    return bench.console.lines[-1]


@pytest.mark.parametrize("then", ["up", "down"])
@pytest.mark.parametrize("phase", UP)
def test_up(bench: Bench, aws: DeployedAws, archive: str, phase: str, then: str) -> None:
    action, nth, state = UP[phase]
    up = ("--image-archive", archive, "--yes", *SCHEDULE)
    line = interrupt(bench, aws, action, nth, lambda: bench.up(*up))
    assert line == f"ecr-probe: the run was interrupted; {state}" + ("" if state.startswith("nothing") else f"; {NEXT}")
    assert aws.running() == []
    if then == "up":
        assert bench.up(*up) == 0
        assert aws.others == {"ecr-probe-Schedule"}
    assert bench.down("--yes") == 0
    assert aws.left() == {}


@pytest.mark.parametrize("then", ["up", "down"])
@pytest.mark.parametrize("phase", DOWN)
def test_down(bench: Bench, aws: DeployedAws, archive: str, phase: str, then: str) -> None:
    action, nth, state = DOWN[phase]
    up = ("--image-archive", archive, "--yes")
    bench.up(*up)
    line = interrupt(bench, aws, action, nth, lambda: bench.down("--yes"))
    ending = "" if state.startswith("nothing") else "; ecr-probe down --region eu-west-1 finishes"
    assert line == f"ecr-probe: the run was interrupted; {state}{ending}"
    if then == "up":
        assert bench.up(*up) == 0
    assert bench.down("--yes") == 0
    assert aws.left() == {}


@pytest.mark.parametrize("phase", [phase for phase in UP if "schedule" not in phase])
def test_up_once_removes_everything_also_after_an_interruption(
    bench: Bench, aws: DeployedAws, archive: str, phase: str
) -> None:
    action, nth, state = UP[phase]
    interrupt(bench, aws, action, nth, lambda: bench.up("--image-archive", archive, "--yes", "--once"))
    assert aws.left() == {}
    assert any(state in line for line in bench.console.lines)


def test_an_expired_timeout_is_reported_in_the_same_way(bench: Bench, aws: DeployedAws, archive: str) -> None:
    aws.cloudformation.seconds = 100
    assert bench.up("--image-archive", archive, "--yes", "--timeout", "150") == 3
    assert bench.console.lines[-1].startswith(
        "ecr-probe: --timeout (150 s) expired; AWS continues with stack ecr-probe;"
    )


def test_once_waits_for_the_creation_that_it_has_begun(bench: Bench, aws: DeployedAws, archive: str) -> None:
    """Otherwise the stack would look empty, and its repository would be left."""
    aws.cloudformation.lag = 6
    interrupt(
        bench, aws, "cloudformation:DescribeStacks", 2, lambda: bench.up("--image-archive", archive, "--yes", "--once")
    )
    assert aws.left() == {}
    assert "removed repository ecr-probe" in bench.console.text


@pytest.mark.parametrize("command", ["up", "down"])
def test_without_a_network_it_ends_soon(bench: Bench, aws: DeployedAws, archive: str, command: str) -> None:
    aws.errors = lambda *_: Silence()
    assert (bench.up("--image-archive", archive, "--yes") if command == "up" else bench.down("--yes")) == 3
    line = bench.console.lines[-1]
    assert line.startswith("ecr-probe: sts:GetCallerIdentity: 127.0.0.1 did not answer")
    assert line.endswith("for 60 s; nothing was changed")
    assert bench.workers.now() < 1100

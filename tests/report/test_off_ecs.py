"""A check on a host that is no ECS task: every report says so first, and none says what ECS can do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from probe.model import Failure
from probe.report import FORMATS, Page
from probe.verdict import judge
from tests.faults.expected_task import HOME, off_ecs
from tests.faults.fake_hosts import Reply, public
from tests.faults.fake_run import FakeRun

AT_HOME = "this host is not an ECS task, and nothing shows that it is in a VPC; it can download the image, but "
IN_A_VPC = "this host is not an ECS task; it can download the image"


@pytest.mark.parametrize(("world", "start"), [(off_ecs(HOME), AT_HOME), (off_ecs(), IN_A_VPC)], ids=["home", "vpc"])
def test_every_report_says_first_where_it_ran(world: FakeRun, start: str) -> None:
    verdict = judge(world.findings(), world.measure(), world.policy, version="0")
    assert verdict.summary.startswith(start)
    place = verdict.summary.partition(";")[0]
    text = FORMATS["text"].render(verdict, Page())
    assert text.startswith(f"info[task.not-ecs]: {place}\n")
    assert text.count(place) == 2  # at the top and in the last sentence
    for name in ("text", "markdown", "junit", "github"):
        report = FORMATS[name].render(verdict, Page())
        assert place in report
        assert "ECS can" not in report
        assert "ECS pulls" not in report


def test_an_unreached_registry_is_no_statement_about_ecs() -> None:
    world = off_ecs({"ecr.api": public("ecr.api", tcp=Failure.TIMEOUT)})
    verdict = judge(world.findings(), world.measure(), world.policy, version="0")
    assert "; it cannot download the image: " in verdict.summary


@pytest.mark.parametrize("step", ["credentials", "token"])
def test_a_run_without_proof_does_not_speak_of_ecs_either(step: str) -> None:
    failure = Failure.NO_CREDENTIALS if step == "credentials" else Failure.DENIED
    world = replace(off_ecs(), replies={step: Reply(failure, 400)})
    verdict = judge(world.findings(), world.measure(), world.policy, version="0")
    assert "; it is not proven whether it can download the image: " in verdict.summary
    assert "ECS pulls" not in FORMATS["text"].render(verdict, Page(verbose=True))
    assert "ECS itself" not in FORMATS["text"].render(verdict, Page(verbose=True))

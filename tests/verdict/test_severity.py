"""Severity is one pure function of what is lost, how much of it, the plan, the policy and the path."""

from __future__ import annotations

from typing import Any

import pytest

from probe.model import Extent, Finding, Impact, Path, Policy, Severity
from probe.verdict import severity
from tests.faults.world import World

ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO
ALLOWED = Policy(allow_public=("ecr.api", "logs"))


def finding(impact: Impact, *endpoints: str, extent: Extent = Extent.WHOLLY) -> Finding:
    facts: dict[str, Any] = {"title": "", "why": "", "because": (), "values": {}, "causes": ()}
    return Finding(code="made-up", impact=impact, extent=extent, endpoints=endpoints, **facts)


def weigh(
    impact: Impact,
    *endpoints: str,
    extent: Extent = Extent.WHOLLY,
    policy: Policy = Policy(),  # noqa: B008
    path: Path = Path.TASK_ENI,
    logs_required: bool = True,
) -> Severity:
    plan = World(agent=True, also=("sts",), planned={"logs_required": logs_required}).plan()
    return severity(finding(impact, *endpoints, extent=extent), plan, policy, path)


@pytest.mark.parametrize("impact", Impact)
def test_what_is_only_noted_is_info(impact: Impact) -> None:
    assert weigh(impact, "ecr.api", extent=Extent.NOTED) is INFO


@pytest.mark.parametrize("impact", [Impact.PULL, Impact.PROOF])
def test_a_part_weighs_less_than_the_whole(impact: Impact) -> None:
    assert weigh(impact, "ecr.dkr") is ERROR
    assert weigh(impact, "ecr.dkr", extent=Extent.PARTLY) is WARNING


@pytest.mark.parametrize(
    ("endpoints", "policy", "expected"),
    [
        (("ecr.api",), Policy(), ERROR),
        (("ecr.dkr",), Policy(), ERROR),
        (("logs",), Policy(), WARNING),
        (("ecs-agent",), Policy(), WARNING),
        (("s3",), Policy(), WARNING),
        (("sts",), Policy(), INFO),
        (("ecr.api",), ALLOWED, INFO),
        (("logs",), ALLOWED, INFO),
        (("ecr.dkr",), ALLOWED, ERROR),
        (("ecr.api", "ecr.dkr"), ALLOWED, ERROR),
        (("ecr.api", "logs"), ALLOWED, INFO),
        ((), Policy(), WARNING),
    ],
)
def test_a_public_route_weighs_by_endpoint_and_policy(
    endpoints: tuple[str, ...], policy: Policy, expected: Severity
) -> None:
    assert weigh(Impact.ROUTE, *endpoints, policy=policy) is expected


def test_a_part_of_a_public_route_that_is_accepted_stays_info() -> None:
    assert weigh(Impact.ROUTE, "ecr.api", extent=Extent.PARTLY) is WARNING
    assert weigh(Impact.ROUTE, "ecr.api", extent=Extent.PARTLY, policy=ALLOWED) is INFO


def test_logs_weigh_by_whether_somebody_logs_there() -> None:
    assert weigh(Impact.LOGS, "logs") is ERROR
    assert weigh(Impact.LOGS, "logs", logs_required=False) is WARNING
    assert weigh(Impact.LOGS, "logs", extent=Extent.PARTLY) is WARNING


@pytest.mark.parametrize(
    ("path", "expected"),
    [(Path.INSTANCE_ENI, ERROR), (Path.TASK_ENI, WARNING), (Path.UNKNOWN, WARNING), (Path.LAMBDA_ENI, WARNING)],
)
def test_the_agent_weighs_on_the_instances_path(path: Path, expected: Severity) -> None:
    assert weigh(Impact.AGENT, "ecs-agent", path=path) is expected


def test_nothing_lost_is_info() -> None:
    assert weigh(Impact.NONE, "sts") is INFO

"""Severity is a pure function of impact, extent, plan, policy and path."""

from __future__ import annotations

from typing import Any

import pytest

from probe.model import Extent, Finding, Impact, Path, Policy, Severity
from probe.verdict import severity
from tests.faults.fake_run import FakeRun

ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO
ALLOWED = Policy(allow_public=("ecr.api", "logs"))


def finding(impact: Impact, *endpoints: str, extent: Extent = Extent.WHOLLY) -> Finding:
    facts: dict[str, Any] = {"title": "", "why": "", "because": (), "values": {}, "causes": ()}
    return Finding(code="made-up", impact=impact, extent=extent, endpoints=endpoints, **facts)


def severity_of(
    impact: Impact,
    *endpoints: str,
    extent: Extent = Extent.WHOLLY,
    policy: Policy = Policy(),  # noqa: B008
    path: Path = Path.TASK_ENI,
    logs_required: bool = True,
) -> Severity:
    plan = FakeRun(agent=True, also=("sts",), planned={"logs_required": logs_required}).plan()
    return severity(finding(impact, *endpoints, extent=extent), plan, policy, path)


@pytest.mark.parametrize("impact", Impact)
def test_a_note_is_info(impact: Impact) -> None:
    assert severity_of(impact, "ecr.api", extent=Extent.NOTED) is INFO


@pytest.mark.parametrize("impact", [Impact.PULL, Impact.PROOF])
def test_a_partial_failure_is_less_severe(impact: Impact) -> None:
    assert severity_of(impact, "ecr.dkr") is ERROR
    assert severity_of(impact, "ecr.dkr", extent=Extent.PARTLY) is WARNING


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
def test_the_severity_of_a_public_route_depends_on_endpoint_and_policy(
    endpoints: tuple[str, ...], policy: Policy, expected: Severity
) -> None:
    assert severity_of(Impact.ROUTE, *endpoints, policy=policy) is expected


def test_a_partial_public_route_that_is_allowed_is_info() -> None:
    assert severity_of(Impact.ROUTE, "ecr.api", extent=Extent.PARTLY) is WARNING
    assert severity_of(Impact.ROUTE, "ecr.api", extent=Extent.PARTLY, policy=ALLOWED) is INFO


def test_the_severity_of_logs_depends_on_whether_they_are_required() -> None:
    assert severity_of(Impact.LOGS, "logs") is ERROR
    assert severity_of(Impact.LOGS, "logs", logs_required=False) is WARNING
    assert severity_of(Impact.LOGS, "logs", extent=Extent.PARTLY) is WARNING


@pytest.mark.parametrize(
    ("path", "expected"),
    [(Path.INSTANCE_ENI, ERROR), (Path.TASK_ENI, WARNING), (Path.UNKNOWN, WARNING), (Path.LAMBDA_ENI, WARNING)],
)
def test_the_agents_endpoints_are_errors_on_the_instances_path(path: Path, expected: Severity) -> None:
    assert severity_of(Impact.AGENT, "ecs-agent", path=path) is expected


def test_no_impact_is_info() -> None:
    assert severity_of(Impact.NONE, "sts") is INFO

"""Fleets for tests: subnets that pass, have the same failure, have a warning, or have no verdict."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from probe.fleet import Expectation, Fleet, Source, SubnetRun, overall
from probe.model import Severity, Status, Verdict
from tests.report import made

WORDS = "RunTask: RESOURCE:ENI, tried 5 times"


def run(number: int, verdict: Verdict | None = None, **fields: Any) -> SubnetRun:
    defaults: dict[str, Any] = {
        "subnet": f"subnet-{number:017x}",
        "zone": f"eu-west-1{'abc'[number % 3]}",
        "task_arn": f"arn:aws:ecs:eu-west-1:123456789012:task/main/{number:032x}",
        "status": verdict.status if verdict else Status.INCONCLUSIVE,
        "source": Source.PROBE if verdict else None,
        "verdict": verdict,
        "words": None if verdict else WORDS,
        "seconds": 31.5,
    }
    return SubnetRun(**(defaults | fields))


def fleet(runs: Iterable[SubnetRun], *, strict: bool = False, **fields: Any) -> Fleet:
    runs = tuple(runs)
    status, code = overall((run.status for run in runs), strict=strict)
    defaults: dict[str, Any] = {
        "version": "0.1.0",
        "status": status,
        "exit_code": code,
        "started_at": made.NOON,
        "seconds": 48.25,
        "region": made.REGION,
        "cluster": "main",
        "task_definition": "ecr-probe-smoke:3",
        "service": None,
        "role": None,
        "launch_type": "FARGATE",
        "runs": runs,
    }
    return Fleet(**(defaults | fields))


def degraded() -> Verdict:
    """Healthy but for the log group."""
    broken = made.broken()
    warnings = tuple(finding for finding in broken.findings if finding.severity is Severity.WARNING)
    cited = [step for step in broken.steps if step.id in warnings[0].because]
    return made.verdict([*made.verdict().steps, *cited], status=Status.DEGRADED, findings=warnings)


def mixed() -> Fleet:
    unstarted = run(5, task_arn=None, seconds=None)
    return fleet(
        [run(0, made.verdict()), run(1, made.broken()), run(2, degraded()), run(3), run(4, made.broken()), unstarted]
    )


def drill() -> Fleet:
    """Two subnets that fail as expected."""
    runs = [run(0, made.broken()), run(1, made.broken(), words="the sidecar ended with 137")]
    expected = (Expectation(code="tcp.silent"),)
    return fleet(runs, exit_code=0, expected=expected, notes=("verdicts are exit codes",))


def large(count: int, *, same_fault: bool = True) -> Fleet:
    """`same_fault` False: each subnet has a fault of its own."""
    broken = made.broken()

    def of(number: int) -> Verdict:
        if same_fault:
            return broken
        findings = tuple(
            msgspec.structs.replace(finding, title=f"{finding.title} {number}") for finding in broken.findings
        )
        return msgspec.structs.replace(broken, findings=findings)

    return fleet(run(number, of(number)) for number in range(count))

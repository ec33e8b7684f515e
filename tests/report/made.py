"""Verdicts for tests: a healthy one, and one with every severity of findings."""

from __future__ import annotations

from typing import Any

import msgspec

from probe.model import (
    Advice,
    Cause,
    Endpoint,
    EndpointSummary,
    Extent,
    Failure,
    Identity,
    ImageHost,
    Impact,
    JudgedFinding,
    Kind,
    Path,
    Plan,
    Policy,
    ProxySeen,
    Pull,
    Route,
    Severity,
    Standing,
    Status,
    Step,
    Surroundings,
    Verdict,
)
from probe.verdict import summary as summary_of
from tests.report.pull_steps import ADDRESSES, ANSWER, HOSTS, NOON, REGION, blob, conversation, in_order, reach, step
from tests.steps import skipped

__all__ = [
    "ADDRESSES",
    "ANSWER",
    "HOSTS",
    "NOON",
    "PLAN",
    "READ_GROUPS",
    "REGION",
    "blob",
    "broken",
    "cause",
    "conversation",
    "finding",
    "in_order",
    "reach",
    "skipped",
    "step",
    "summarised",
    "summary",
    "verdict",
]


def summary(name: str, **fields: Any) -> EndpointSummary:
    defaults: dict[str, Any] = {
        "name": name,
        "host": HOSTS[name],
        "kind": Kind.GATEWAY if name == "s3" else Kind.INTERFACE,
        "required": True,
        "route": Route.UNDETERMINED if name == "s3" else Route.ENDPOINT,
        "resolved": len(ADDRESSES[name]),
        "reached": len(ADDRESSES[name]),
        "ok": True,
    }
    return EndpointSummary(**(defaults | fields))


PLAN = Plan(
    endpoints=tuple(
        Endpoint(
            name=name,
            host=host,
            lookup=host,
            kind=Kind.GATEWAY if name == "s3" else Kind.INTERFACE,
            region=REGION,
            required=True,
            impact=Impact.LOGS if name == "logs" else Impact.PULL,
        )
        for name, host in HOSTS.items()
    ),
    omitted=("ecs", "ecs-agent", "ecs-telemetry"),
    region=REGION,
    partition="aws",
    dns_suffix="amazonaws.com",
    account="123456789012",
    layer_host=HOSTS["s3"],
    image=f"{HOSTS['ecr.dkr']}/team/app:1.0",
    reference=None,
    image_host=ImageHost.PRIVATE_ECR,
    image_given=True,
    platform="linux/amd64",
    platform_given=False,
)
HEALTHY_STEPS = [
    step("task/metadata/task", seconds=0.006),
    step("task/environment/proxy", ProxySeen(variables=(), bypassed=True), seconds=0.0),
    *(step for name in HOSTS for step in reach(name)),
    *conversation(),
    *(skipped(f"{name}/dns", "task/metadata/task") for name in ("ecs", "ecs-agent", "ecs-telemetry")),
]


def verdict(steps: list[Step] | None = None, **fields: Any) -> Verdict:
    """A healthy verdict, with other values for some fields."""
    defaults: dict[str, Any] = {
        "schema_version": 1,
        "version": "0.1.0",
        "summary": "",
        "status": Status.PASS,
        "pull": Pull.WORKS,
        "exit_code": 0,
        "started_at": NOON,
        "seconds": 0.812,
        "path": Path.TASK_ENI,
        "identity": Identity(source="container-role", arn="arn:aws:iam::123456789012:role/app-task"),
        "surroundings": Surroundings(path=Path.TASK_ENI, region=REGION, launch_type="FARGATE", cluster="main"),
        "plan": PLAN,
        "policy": Policy(),
        "endpoints": tuple(map(summary, HOSTS)),
        "findings": (),
        "steps": in_order(HEALTHY_STEPS if steps is None else steps),
    }
    return summarised(Verdict(**(defaults | fields)))


def summarised(verdict: Verdict) -> Verdict:
    """The verdict with the summary that follows from the rest."""
    sentence = summary_of(verdict.status, verdict.pull, verdict.findings, verdict.measurement)
    return msgspec.structs.replace(verdict, summary=sentence)


ADVICES = ("fix", "confirm")


def cause(code: str, title: str, standing: Standing = Standing.POSSIBLE, **fields: Any) -> Cause:
    """A cause. `fix` and `confirm` may be a text instead of an Advice."""
    fix, confirm = (Advice(text) if isinstance(text := fields.get(name, ""), str) else text for name in ADVICES)
    return Cause(code=code, standing=standing, title=title, fix=fix, confirm=confirm)


def finding(code: str, because: tuple[str, ...], severity: Severity = Severity.ERROR, **fields: Any) -> JudgedFinding:
    defaults: dict[str, Any] = {
        "code": code,
        "severity": severity,
        "url": f"docs/findings/{code}.md",
        "impact": Impact.PULL,
        "extent": Extent.WHOLLY,
        "endpoints": ("ecr.api",),
        "title": f"the title of {code}",
        "why": "",
        "because": because,
        "values": {},
        "causes": () if severity is Severity.INFO else (cause("other", "something else"),),
    }
    return JudgedFinding(**(defaults | fields))


READ_ACLS = Advice(
    "",
    ("aws ec2 describe-network-acls --filters Name=association.subnet-id,Values=SUBNET_ID",),
    "SUBNET_ID is the task's subnet.",
)
READ_GROUPS = Advice(
    "",
    (
        "aws ec2 describe-security-groups --region eu-west-1 --filters Name=vpc-id,Values=vpc-0a1b2c3d4e5f60718"
        " --query SecurityGroups[].IpPermissions",
    ),
)


def _broken_steps() -> list[Step]:
    return [
        step("task/metadata/task", seconds=0.006),
        step(
            "task/environment/proxy",
            ProxySeen(variables=("HTTPS_PROXY",), bypassed=False, uncovered=(HOSTS["ecr.api"],)),
        ),
        *reach("ecr.api", silent=True),
        *reach("ecr.dkr", silent=True),
        *reach("s3"),
        *reach("logs"),
        skipped("ecr.api/token", "ecr.api/tcp/10.0.1.10"),
        skipped("ecr.dkr/challenge", "ecr.dkr/tcp/10.0.1.11"),
        skipped("ecr.dkr/manifest/HEAD", "ecr.dkr/tcp/10.0.1.11"),
        skipped("ecr.dkr/blob", "ecr.dkr/tcp/10.0.1.11"),
        skipped("s3/layer", "ecr.dkr/tcp/10.0.1.11"),
        step(
            "logs/logs/10.0.1.12",
            msgspec.structs.replace(ANSWER, method="POST", status=400, code="ResourceNotFoundException"),
            failure=Failure.NOT_FOUND,
            detail="ResourceNotFoundException: The specified log group does not exist.",
        ),
    ]


def _broken_findings(silent: tuple[str, ...]) -> tuple[JudgedFinding, ...]:
    return (
        finding(
            "path.undetermined",
            ("s3/tls/52.218.1.1",),
            Severity.INFO,
            title="S3 is reached by a gateway endpoint or by NAT",
        ),
        finding(
            "logs.group-missing",
            ("logs/logs/10.0.1.12",),
            Severity.WARNING,
            endpoints=("logs",),
            title="the log group /app does not exist",
            causes=(
                cause(
                    "logs.group-missing",
                    "the group was never made",
                    Standing.CONFIRMED,
                    fix=Advice("create the log group", ("aws logs create-log-group --log-group-name /app",)),
                ),
            ),
        ),
        finding(
            "tcp.silent",
            silent,
            title="nothing answers on port 443 of ecr.api, ecr.dkr",
            why="packets to addresses inside the VPC are dropped, not refused",
            endpoints=("ecr.api", "ecr.dkr"),
            causes=(
                cause(
                    "tcp.security-group",
                    "the endpoints' security group does not admit the task",
                    fix="allow TCP 443 from 10.0.1.0/24 on the endpoints' security group",
                    confirm=READ_GROUPS,
                ),
                cause("tcp.nacl", "a network ACL drops the packets", fix="admit 443 and 1024-65535", confirm=READ_ACLS),
                cause("tcp.az-without-eni", "no ENI here", fix="one per zone", confirm=READ_GROUPS),
                cause("tcp.no-route", "no route", Standing.RULED_OUT),
            ),
        ),
    )


def broken() -> Verdict:
    """Interface endpoints that do not answer, a missing log group, and a note."""
    steps = _broken_steps()
    silent = tuple(step.id for step in steps if step.failure is Failure.TIMEOUT)
    return verdict(
        steps,
        status=Status.FAIL,
        pull=Pull.BROKEN,
        exit_code=1,
        seconds=3.102,
        findings=_broken_findings(silent),
        endpoints=(
            summary("ecr.api", reached=0, ok=False),
            summary("ecr.dkr", reached=0, ok=False),
            summary("s3", ok=False),  # reached, but no layer was tried
            summary("logs", ok=False),
        ),
    )

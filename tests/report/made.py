"""Verdicts made by hand: a healthy walk, and one with every kind of finding."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from probe.model import (
    Action,
    Address,
    AddressClass,
    AnswerSeen,
    AnySeen,
    Asker,
    Cause,
    CertificateSeen,
    ConnectionSeen,
    Endpoint,
    EndpointSummary,
    Extent,
    Failure,
    Identity,
    ImageHost,
    Impact,
    JudgedFinding,
    Kind,
    LayerSeen,
    ManifestSeen,
    NamesSeen,
    Nothing,
    Outcome,
    Path,
    Plan,
    Policy,
    ProxySeen,
    Pull,
    RedirectSeen,
    RedirectTarget,
    Route,
    Severity,
    Standing,
    Status,
    Step,
    Surroundings,
    Verdict,
)

NOON = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
REGION = "eu-west-1"
HOSTS = {
    "ecr.api": f"api.ecr.{REGION}.amazonaws.com",
    "ecr.dkr": f"123456789012.dkr.ecr.{REGION}.amazonaws.com",
    "s3": f"prod-{REGION}-starport-layer-bucket.s3.{REGION}.amazonaws.com",
    "logs": f"logs.{REGION}.amazonaws.com",
}
ADDRESSES = {
    "ecr.api": ("10.0.1.10", "10.0.2.10", "10.0.3.10"),
    "ecr.dkr": ("10.0.1.11", "10.0.2.11", "10.0.3.11"),
    "s3": ("52.218.1.1", "52.218.1.2"),
    "logs": ("10.0.1.12", "10.0.2.12", "10.0.3.12"),
}
ANSWER = AnswerSeen(
    address="10.0.1.10", method="GET", status=200, aws=True, request_id="0a1b2c3d-0000-4000-8000-000000000000"
)


def step(identity: str, seen: AnySeen | None = None, **given: Any) -> Step:
    endpoint, action, *rest = identity.split("/", 2)
    made: dict[str, Any] = {
        "id": identity,
        "endpoint": endpoint,
        "action": Action(action),
        "subject": rest[0] if rest else "",
        "on": None,
        "outcome": Outcome.FAILED if "failure" in given else Outcome.OK,
        "failure": None,
        "detail": None,
        "seconds": 0.004,
        "seen": seen or Nothing(),
        "blocked_by": None,
    }
    return Step(**(made | given))


def skipped(identity: str, blocked_by: str | None = None, detail: str | None = None) -> Step:
    return step(identity, outcome=Outcome.SKIPPED, blocked_by=blocked_by, detail=detail, seconds=None)


def address_class(endpoint: str) -> AddressClass:
    return AddressClass.PUBLIC if endpoint == "s3" else AddressClass.VPC


def reach(endpoint: str, *, names: int = 2, silent: bool = False) -> list[Step]:
    """dns, tcp and tls of one endpoint."""
    kind = address_class(endpoint)
    known = tuple(Address(address, kind) for address in ADDRESSES[endpoint])
    steps = []
    for record, found in (("A", known), ("AAAA", ())):
        seen = NamesSeen(
            server="10.0.0.2",
            asker=Asker.CONFIGURED,
            order=0,
            name=HOSTS[endpoint],
            record=record,
            addresses=found,
            ttl=60,
        )
        steps.append(step(f"{endpoint}/dns/10.0.0.2/{record}", seen, seconds=0.002))
    for address in ADDRESSES[endpoint]:
        tcp, on = f"{endpoint}/tcp/{address}", f"{endpoint}/dns/10.0.0.2/A"
        connection = ConnectionSeen(address=address, address_class=kind)
        if silent:
            steps.append(step(tcp, connection, on=on, failure=Failure.TIMEOUT, seconds=3.0))
            steps.append(skipped(f"{endpoint}/tls/{address}", tcp))
            continue
        steps.append(step(tcp, connection, on=on, seconds=0.001))
        certificate = CertificateSeen(
            address=address,
            address_class=kind,
            verified=True,
            version="TLSv1.3",
            issuer="C=US, O=Amazon, CN=Amazon RSA 2048 M02",
            issuer_organization="Amazon",
            names=tuple(f"name{number}.{HOSTS[endpoint]}" for number in range(names)),
            not_before=datetime(2026, 1, 1, tzinfo=UTC),
            not_after=datetime(2027, 1, 1, tzinfo=UTC),
        )
        steps.append(step(f"{endpoint}/tls/{address}", certificate, on=tcp, seconds=0.008))
    return sorted(steps, key=lambda each: list(Action).index(each.action))


def blob(number: int, *, request_id: str = "R" * 40) -> list[Step]:
    digest = f"sha256:{number:064x}"
    answer = msgspec.structs.replace(ANSWER, request_id=request_id)
    redirect = RedirectSeen(
        answer=answer, digest=digest, target=RedirectTarget.LAYER_BUCKET, host=HOSTS["s3"], region=REGION
    )
    layer = LayerSeen(
        answer=answer,
        digest=digest,
        what="layer" if number else "config",
        size=70000,
        received=70000,
        verified=True,
        bytes_per_second=5e6,
    )
    identity = f"ecr.dkr/blob/{digest[:19]}x{number}"
    return [
        step(identity, redirect, on="ecr.dkr/manifest/GET"),
        step(f"s3/layer/{digest[:19]}x{number}", layer, on=identity),
    ]


def conversation(blobs: int = 2) -> list[Step]:
    manifest = ManifestSeen(
        answer=ANSWER, digest="sha256:" + "a" * 64, platform="linux/amd64", layers=3, layers_bytes=210000
    )
    return [
        step("ecr.api/token/10.0.1.10", ANSWER, on="ecr.api/tls/10.0.1.10", seconds=0.031),
        step("ecr.dkr/challenge/10.0.1.11", msgspec.structs.replace(ANSWER, status=401)),
        step("ecr.dkr/manifest/HEAD", manifest),
        step("ecr.dkr/manifest/GET", manifest),
        *(each for number in range(blobs) for each in blob(number)),
    ]


def in_order(steps: list[Step]) -> tuple[Step, ...]:
    names = ["task", *HOSTS, "ecs", "ecs-agent", "ecs-telemetry"]
    return tuple(sorted(steps, key=lambda each: names.index(each.endpoint)))


def summary(name: str, **given: Any) -> EndpointSummary:
    made: dict[str, Any] = {
        "name": name,
        "host": HOSTS[name],
        "kind": Kind.GATEWAY if name == "s3" else Kind.INTERFACE,
        "required": True,
        "route": Route.UNDETERMINED if name == "s3" else Route.ENDPOINT,
        "resolved": len(ADDRESSES[name]),
        "reached": len(ADDRESSES[name]),
        "ok": True,
    }
    return EndpointSummary(**(made | given))


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
    *(each for name in HOSTS for each in reach(name)),
    *conversation(),
    *(skipped(f"{name}/dns", "task/metadata/task") for name in ("ecs", "ecs-agent", "ecs-telemetry")),
]


def verdict(steps: list[Step] | None = None, **given: Any) -> Verdict:
    """A healthy verdict, but for what is given."""
    made: dict[str, Any] = {
        "schema_version": 1,
        "version": "0.1.0",
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
    return Verdict(**(made | given))


def cause(code: str, title: str, standing: Standing = Standing.POSSIBLE, **given: Any) -> Cause:
    made: dict[str, Any] = {"code": code, "standing": standing, "title": title, "fix": "", "decide": ""}
    return Cause(**(made | given))


def finding(code: str, because: tuple[str, ...], severity: Severity = Severity.ERROR, **given: Any) -> JudgedFinding:
    made: dict[str, Any] = {
        "code": code,
        "severity": severity,
        "impact": Impact.PULL,
        "extent": Extent.WHOLLY,
        "endpoints": ("ecr.api",),
        "title": f"the title of {code}",
        "why": "",
        "because": because,
        "values": {},
        "causes": () if severity is Severity.INFO else (cause("other", "something else"),),
    }
    return JudgedFinding(**(made | given))


READ_GROUPS = "aws ec2 describe-security-groups --region eu-west-1 --filters Name=vpc-id,Values=vpc-0a1b2c3d4e5f60718 --query SecurityGroups[].IpPermissions"


def broken() -> Verdict:
    """Silent interface endpoints, a missing log group, and something worth knowing."""
    steps = [
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
    silent = tuple(each.id for each in steps if each.failure is Failure.TIMEOUT)
    findings = (
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
            title="the log group /app does not exist",
            causes=(
                cause(
                    "logs.group-missing",
                    "the group was never made",
                    Standing.CONFIRMED,
                    fix="aws logs create-log-group",
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
                    decide=READ_GROUPS,
                ),
                cause(
                    "tcp.nacl", "a network ACL drops the packets", fix="admit 443 and 1024-65535", decide=READ_GROUPS
                ),
                cause("tcp.no-route", "no route", Standing.RULED_OUT),
            ),
        ),
    )
    return verdict(
        steps,
        status=Status.FAIL,
        pull=Pull.BROKEN,
        exit_code=1,
        seconds=3.102,
        findings=findings,
        endpoints=(
            summary("ecr.api", reached=0, ok=False),
            summary("ecr.dkr", reached=0, ok=False),
            summary("s3"),
            summary("logs", ok=False),
        ),
    )

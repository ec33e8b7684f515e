"""Where synthetic measurements are made: a region, a VPC, and a plan for them, spelled by hand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from probe.model import Endpoint, ImageHost, ImageReference, Impact, Kind, Plan

NOON = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
REGION, ACCOUNT = "eu-west-1", "123456789012"
ROLE = f"arn:aws:sts::{ACCOUNT}:assumed-role/probe-task/0c1b2a39"
OWN_ROLE, PULL_ROLE = f"arn:aws:iam::{ACCOUNT}:role/probe-task", f"arn:aws:iam::{ACCOUNT}:role/service/ecsExecution"
VPC_DNS, SECOND, CUSTOM = "10.0.0.2", "10.9.0.53", "10.9.0.54"
GLOBAL_IPV6 = "2600:1f18:4a3b:5601::"  # the /64 of a subnet

_HOSTS = {
    "ecr.api": "api.ecr.{region}.amazonaws.com",
    "ecr.dkr": "{account}.dkr.ecr.{region}.amazonaws.com",
    "s3": "prod-{region}-starport-layer-bucket.s3.{region}.amazonaws.com",
    "logs": "logs.{region}.amazonaws.com",
    "ecs": "ecs.{region}.amazonaws.com",
    "ecs-agent": "ecs-a.{region}.amazonaws.com",
    "ecs-telemetry": "ecs-t.{region}.amazonaws.com",
    "ecr-legacy": "ecr.{region}.amazonaws.com",
}
_MISTAKEN = {
    "ecr.api": "ecr.api.{region}.amazonaws.com",
    "ecr.dkr": "{account}.ecr.dkr.{region}.amazonaws.com",
    "ecs-agent": "ecs-agent.{region}.amazonaws.com",
    "ecs-telemetry": "ecs-telemetry.{region}.amazonaws.com",
}
_IMPACTS = {
    "ecr.api": Impact.PULL,
    "ecr.dkr": Impact.PULL,
    "s3": Impact.PULL,
    "logs": Impact.LOGS,
    "ecs": Impact.AGENT,
    "ecs-agent": Impact.AGENT,
    "ecs-telemetry": Impact.AGENT,
}


def make_plan(also: tuple[str, ...], agent: bool, image: str | None, given: Mapping[str, Any]) -> Plan:
    """The plan for an image in `given["region"]` (ours, unless said) and a task in REGION."""
    region = given.get("region", REGION)
    lookups = given.get("lookups", {})
    hosts = given.get("hosts", {})
    names = ["ecr.api", "ecr.dkr", "s3", "logs", *(("ecs", "ecs-agent", "ecs-telemetry") if agent else ()), *also]
    names = [name for name in names if name not in given.get("without", ())]
    endpoints = tuple(
        _endpoint(
            name,
            given.get("logs_region", REGION) if name == "logs" else region if name in _IMPACTS else REGION,
            hosts.get(name),
            lookups.get(name),
            required=given.get("logs_required", True) if name == "logs" else name in _IMPACTS,
        )
        for name in names
    )
    registry = hosts.get("ecr.dkr") or _HOSTS["ecr.dkr"].format(region=region, account=ACCOUNT)
    reference = ImageReference(
        text=image or f"{registry}/app:1.0",
        host=registry,
        account=given.get("account", ACCOUNT),
        region=region,
        partition="aws",
        repository=given.get("repository", "app"),
        tag="1.0",
        digest=None,
        fips="fips" in registry,
        dual_stack="dkr-ecr" in registry,
    )
    facts: dict[str, Any] = {
        "endpoints": endpoints,
        "omitted": () if agent else ("ecs", "ecs-agent", "ecs-telemetry"),
        "region": region,
        "partition": "aws",
        "dns_suffix": "amazonaws.com",
        "account": ACCOUNT,
        "layer_host": _HOSTS["s3"].format(region=region),
        "image": reference.text,
        "reference": reference,
        "image_host": ImageHost.PRIVATE_ECR,
        "image_given": False,
        "platform": "linux/amd64",
        "platform_given": False,
        "vpc_cidrs": ("10.0.0.0/16",),
        "log_group": "/ecs/app",
        "log_stream": "ecs/app/0c1b",
        "control_host": "s3.eu-central-1.amazonaws.com",
    }
    return Plan(**(facts | {name: value for name, value in given.items() if name in Plan.__struct_fields__}))


def _endpoint(name: str, region: str, host: str | None, lookup: str | None, *, required: bool) -> Endpoint:
    spelled = _HOSTS.get(name, f"{name}.{{region}}.amazonaws.com").format(region=region, account=ACCOUNT)
    mistaken = _MISTAKEN.get(name)
    return Endpoint(
        name=name,
        host=host or spelled,
        lookup=lookup or host or spelled,
        kind=Kind.GATEWAY if name == "s3" else Kind.INTERFACE,
        region=region,
        required=required,
        impact=_IMPACTS.get(name, Impact.NONE),
        mistaken=mistaken.format(region=region, account=ACCOUNT) if mistaken else None,
    )

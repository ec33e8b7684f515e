"""The region, account and plan of measurements built by hand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from probe.endpoints import CORE_ENDPOINTS, ROWS, Place
from probe.model import Endpoint, ImageHost, ImageReference, Plan
from probe.wire.partitions import partitions

NOON = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
REGION, ACCOUNT = "eu-west-1", "123456789012"
ROLE = f"arn:aws:sts::{ACCOUNT}:assumed-role/probe-task/0c1b2a39"
OWN_ROLE, PULL_ROLE = f"arn:aws:iam::{ACCOUNT}:role/probe-task", f"arn:aws:iam::{ACCOUNT}:role/service/ecsExecution"
VPC_DNS, SECOND, CUSTOM = "10.0.0.2", "10.9.0.53", "10.9.0.54"
GLOBAL_IPV6 = "2600:1f18:4a3b:5601::"  # the /64 of a subnet

AWS = partitions()[0]


def make_plan(also: tuple[str, ...], agent: bool, image: str | None, changes: Mapping[str, Any]) -> Plan:
    """The plan for an image in `changes["region"]` (by default REGION) and a task in REGION."""
    region = changes.get("region", REGION)
    lookups = changes.get("lookups", {})
    hosts = changes.get("hosts", {})
    names = ["ecr.api", "ecr.dkr", "s3", "logs", *(("ecs", "ecs-agent", "ecs-telemetry") if agent else ()), *also]
    names = [name for name in names if name not in changes.get("without", ())]
    endpoints = tuple(
        _endpoint(
            name,
            changes.get("logs_region", REGION) if name == "logs" else region if name in CORE_ENDPOINTS else REGION,
            hosts.get(name),
            lookups.get(name),
            required=changes.get("logs_required", True) if name == "logs" else name in CORE_ENDPOINTS,
        )
        for name in names
    )
    registry = hosts.get("ecr.dkr") or Place(AWS, region, ACCOUNT).fill(ROWS["ecr.dkr"].host)
    reference = ImageReference(
        text=image or f"{registry}/app:1.0",
        host=registry,
        account=changes.get("account", ACCOUNT),
        region=region,
        partition="aws",
        repository=changes.get("repository", "app"),
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
        "layer_host": Place(AWS, region, ACCOUNT).fill(ROWS["s3"].host),
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
    return Plan(**(facts | {name: value for name, value in changes.items() if name in Plan.__struct_fields__}))


def _endpoint(name: str, region: str, host: str | None, lookup: str | None, *, required: bool) -> Endpoint:
    place, row = Place(AWS, region, ACCOUNT), ROWS[name]
    return row.endpoint(place, host=host or place.fill(row.host), lookup=lookup, required=required)

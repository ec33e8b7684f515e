"""THE table of AWS endpoints: their names, host names and what is lost without them. `plan.py` fills it in.

A new endpoint is one row here (and its name in the simulated zone). Host names: ECR, ECS and CloudWatch Logs guides,
"interface VPC endpoints"; a test holds every name against botocore's endpoint rules.
"""

from __future__ import annotations

from probe.model import Impact, Kind
from probe.records import Record


class Row(Record, frozen=True):
    """One endpoint. Templates take region, account, suffix (of the partition) and dual (its dual-stack suffix)."""

    name: str
    host: str
    dual_stack: str
    impact: Impact = Impact.NONE
    kind: Kind = Kind.INTERFACE
    mistaken: str | None = None


TABLE = (
    Row(
        "ecr.api",
        "api.ecr.{region}.{suffix}",
        "ecr.{region}.{dual}",
        Impact.PULL,
        mistaken="ecr.api.{region}.{suffix}",
    ),
    Row(
        "ecr.dkr",
        "{account}.dkr.ecr.{region}.{suffix}",
        "{account}.dkr-ecr.{region}.on.aws",
        Impact.PULL,
        mistaken="{account}.ecr.dkr.{region}.{suffix}",
    ),
    Row(
        "s3",
        "prod-{region}-starport-layer-bucket.s3.{region}.{suffix}",
        "prod-{region}-starport-layer-bucket.s3.dualstack.{region}.{suffix}",
        Impact.PULL,
        kind=Kind.GATEWAY,
    ),
    Row("logs", "logs.{region}.{suffix}", "logs.{region}.{dual}", Impact.LOGS),
    Row("ecs", "ecs.{region}.{suffix}", "ecs.{region}.{dual}", Impact.AGENT),
    Row(
        "ecs-agent",
        "ecs-a.{region}.{suffix}",
        "ecs-a.{region}.{dual}",
        Impact.AGENT,
        mistaken="ecs-agent.{region}.{suffix}",
    ),
    Row(
        "ecs-telemetry",
        "ecs-t.{region}.{suffix}",
        "ecs-t.{region}.{dual}",
        Impact.AGENT,
        mistaken="ecs-telemetry.{region}.{suffix}",
    ),
    Row("secretsmanager", "secretsmanager.{region}.{suffix}", "secretsmanager.{region}.{suffix}"),
    Row("ssm", "ssm.{region}.{suffix}", "ssm.{region}.{dual}"),
    Row("kms", "kms.{region}.{suffix}", "kms.{region}.{dual}"),
    Row("sts", "sts.{region}.{suffix}", "sts.{region}.{dual}"),
    # SDKs from before 2018 call this name; ECR's private DNS does not cover it.
    Row("ecr-legacy", "ecr.{region}.{suffix}", "ecr.{region}.{suffix}"),
)
ROWS = {row.name: row for row in TABLE}
PULL_ENDPOINTS = tuple(row.name for row in TABLE if row.impact is Impact.PULL)
AGENT_ENDPOINTS = tuple(row.name for row in TABLE if row.impact is Impact.AGENT)
CORE_ENDPOINTS = tuple(row.name for row in TABLE if row.impact is not Impact.NONE)
EXTRA_ENDPOINTS = tuple(row.name for row in TABLE if row.impact is Impact.NONE)

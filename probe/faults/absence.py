"""Which cause says that an endpoint does not exist."""

from __future__ import annotations

_MISSING = {
    "ecr.api": "endpoint.missing.ecr-api",
    "ecr.dkr": "endpoint.missing.ecr-dkr",
    "s3": "endpoint.missing.s3",
    "logs": "logs.endpoint-missing",
    "ecs": "ecs.control-plane-endpoints-missing",
    "ecs-agent": "ecs.control-plane-endpoints-missing",
    "ecs-telemetry": "ecs.control-plane-endpoints-missing",
    "secretsmanager": "endpoint.missing.secretsmanager",
    "ssm": "endpoint.missing.ssm",
}


def missing(endpoint: str) -> str:
    """The cause that this endpoint does not exist."""
    return _MISSING.get(endpoint, "endpoint.missing.other")

"""CloudWatch Logs and the ECS agent's endpoints, which a task needs in addition to its image."""

from __future__ import annotations

from probe.sim.changes import (
    Change,
    all_of,
    endpoint_policy,
    role_policy,
    vpc_with,
    with_nat,
    without_endpoints,
    without_log_groups,
)
from probe.sim.configuration import identifiers as ids
from probe.sim.identity import Statement
from probe.sim.names import AGENT, NEW_REGIONS
from probe.sim.scenarios.healthy import EC2_AWSVPC, EC2_HOST
from probe.sim.scenarios.scenario import WAY_OUT, degraded, failing, passing
from probe.sim.task import Container
from probe.sim.vpc import VPC, endpoint_id


def _no_log_streams(vpc: VPC) -> None:
    vpc.cloud.logs.groups["/ecs/app"] = []


def _firelens(vpc: VPC) -> None:
    """The application logs through a router, which itself uses awslogs."""
    image = vpc.task.image
    vpc.task.containers[:] = [Container("app", image, "awsfirelens"), Container("log_router", image)]
    vpc.task.use_awslogs("log_router", "/ecs/router")
    vpc.cloud.logs.groups["/ecs/router"] = [f"ecs/log_router/{vpc.task.log_stream.rpartition('/')[2]}"]


def _no_awslogs(vpc: VPC) -> None:
    vpc.task.containers[:] = [Container("app", vpc.task.image, "awsfirelens")]


def _awslogs_region(region: str) -> Change:
    return lambda vpc: vpc.task.use_awslogs("app", region=region)


LOGS = (
    failing(
        "logs-endpoint-missing",
        "The task's endpoint for CloudWatch Logs is missing: the pull works, but the container does not start.",
        without_endpoints("logs"),
        findings={"dns.public-answer": "logs.endpoint-missing"},
        pull="works",
        excludes="endpoint.missing.ecr-api endpoint.missing.ecr-dkr dns.vpc-attributes-off dns.custom-resolver",
        settled={"logs.endpoint-missing": ids.VPC_ID},
    ),
    degraded(
        "logs-through-nat",
        "The endpoint for CloudWatch Logs is missing; logs leave through a NAT gateway.",
        all_of(without_endpoints("logs"), with_nat),
        findings={
            "s3.route-undetermined": None,
            "dns.public-answer": "logs.endpoint-missing",
        },
        excludes=WAY_OUT,
        settled={"logs.endpoint-missing": ids.VPC_ID},
    ),
    passing(
        "logs-through-nat-allowed",
        "Logs leave through a NAT gateway, accepted with --allow-public.",
        all_of(without_endpoints("logs"), with_nat),
        findings={"s3.route-undetermined": None, "dns.public-answer": "logs.endpoint-missing"},
        arguments=("--allow-public", "logs"),
        settled={"logs.endpoint-missing": ids.VPC_ID},
    ),
    passing(
        "logs-not-needed",
        "The endpoint for CloudWatch Logs is missing, but no container of the task uses it.",
        all_of(without_endpoints("logs"), _no_awslogs),
    ),
    failing(
        "firelens-router",
        "The application logs through FireLens; the log router itself uses awslogs, and its endpoint is missing.",
        all_of(without_endpoints("logs"), _firelens),
        findings={"dns.public-answer": "logs.endpoint-missing"},
        pull="works",
        settled={"logs.endpoint-missing": ids.VPC_ID},
    ),
    passing(
        "firelens-router-healthy",
        "The application logs through FireLens, and the log router's endpoint exists.",
        _firelens,
    ),
    degraded(
        "logs-group-missing",
        "The task's log group does not exist.",
        without_log_groups,
        findings={"logs.group-missing": "logs.group-missing"},
        settled={"logs.group-missing": "/ecs/app"},
    ),
    passing(
        "logs-stream-missing",
        "The log group exists, but the log stream does not exist yet.",
        _no_log_streams,
        findings={"logs.stream-missing": None},
    ),
    passing(
        "logs-not-permitted",
        "The role may not describe log groups; the answer still proves that the endpoint works.",
        role_policy(Statement(actions=("ecr:*",))),
        findings={"logs.not-permitted": None},
    ),
    degraded(
        "logs-endpoint-policy",
        "The policy of the logs endpoint denies the call.",
        endpoint_policy("logs", Statement(actions=("logs:PutLogEvents",))),
        findings={"policy.vpce.other": "policy.vpce.other"},
        settled={"policy.vpce.other": endpoint_id("logs")},
    ),
    failing(
        "logs-bad-region",
        "The log driver's region is the name of a zone.",
        _awslogs_region("us-east-1a"),
        findings={"logs.misconfigured-region": "logs.misconfigured-region"},
        pull="works",
    ),
    failing(
        "logs-misspelt-region",
        "The log driver's region is misspelled, so its host does not resolve.",
        _awslogs_region("us-esat-1"),
        findings={"dns.name-missing": "logs.misconfigured-region"},
        pull="works",
    ),
    failing(
        "agent-endpoints-missing",
        "EC2 without the agent's three endpoints: the instance registers but stays disconnected.",
        all_of(EC2_HOST, without_endpoints(*AGENT)),
        findings={"dns.public-answer": "ecs.control-plane-endpoints-missing"},
        pull="works",
        settled={"ecs.control-plane-endpoints-missing": ids.VPC_ID},
    ),
    degraded(
        "agent-endpoints-missing-awsvpc",
        "EC2 without the agent's endpoints, measured on a task's interface, which the agent does not use.",
        all_of(EC2_AWSVPC, without_endpoints(*AGENT)),
        findings={"dns.public-answer": "ecs.control-plane-endpoints-missing", "path.not-the-pull": None},
        pull="unproven",
        settled={"ecs.control-plane-endpoints-missing": ids.VPC_ID},
    ),
    degraded(
        "agent-endpoints-through-nat",
        "EC2 without the agent's endpoints: its traffic leaves through a NAT gateway.",
        all_of(EC2_HOST, without_endpoints(*AGENT), with_nat),
        findings={
            "s3.route-undetermined": None,
            "dns.public-answer": "ecs.control-plane-endpoints-missing",
        },
        excludes=WAY_OUT,
        settled={"ecs.control-plane-endpoints-missing": ids.VPC_ID},
    ),
    degraded(
        "agent-endpoints-missing-managed-instances",
        "ECS Managed Instances without the agent's endpoints: which of them the instances need was not verified.",
        all_of(vpc_with(launch_type="MANAGED_INSTANCES", network_mode="host"), without_endpoints(*AGENT)),
        findings={"dns.public-answer": "ecs.control-plane-endpoints-missing"},
        settled={"ecs.control-plane-endpoints-missing": ids.VPC_ID},
    ),
    degraded(
        "agent-endpoints-missing-new-region",
        "Fargate in a region that opened after 2023, where every task needs the agent's endpoints.",
        all_of(vpc_with(region=NEW_REGIONS[0]), without_endpoints(*AGENT)),
        findings={"dns.public-answer": "ecs.control-plane-endpoints-missing"},
        settled={"ecs.control-plane-endpoints-missing": ids.VPC_ID},
    ),
    passing(
        "agent-endpoints-new-region",
        "Fargate in a region that opened after 2023, with the agent's three endpoints.",
        vpc_with(region=NEW_REGIONS[0]),
    ),
    passing("agent-endpoints-not-needed", "Fargate, where the agent's endpoints are not needed.", vpc_with()),
)

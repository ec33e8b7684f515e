"""CloudWatch Logs and the ECS agent's endpoints: what a task needs besides its image."""

from __future__ import annotations

from probe.sim.changes import Change, all_of, endpoint_policy, role_policy, vpc_with, with_nat, without_endpoints
from probe.sim.identity import Statement
from probe.sim.names import AGENT
from probe.sim.scenarios.healthy import EC2_AWSVPC, EC2_HOST
from probe.sim.scenarios.scenario import scenario
from probe.sim.task import Container
from probe.sim.vpc import VPC


def _no_groups(vpc: VPC) -> None:
    vpc.cloud.logs.groups.clear()


def _no_streams(vpc: VPC) -> None:
    vpc.cloud.logs.groups["/ecs/app"] = []


def _firelens(vpc: VPC) -> None:
    """The application logs through a router, and the router itself by awslogs."""
    image = vpc.task.image
    vpc.task.containers[:] = [Container("app", image, "awsfirelens"), Container("log_router", image)]
    vpc.task.use_awslogs("log_router", "/ecs/router")
    vpc.cloud.logs.groups["/ecs/router"] = [f"ecs/log_router/{vpc.task.log_stream.rpartition('/')[2]}"]


def _no_awslogs(vpc: VPC) -> None:
    vpc.task.containers[:] = [Container("app", vpc.task.image, "awsfirelens")]


def _region(region: str) -> Change:
    return lambda vpc: vpc.task.use_awslogs("app", region=region)


LOGS = (
    scenario(
        "logs-endpoint-missing",
        "No endpoint for CloudWatch Logs, where the task logs: the image comes, the container does not start.",
        without_endpoints("logs"),
        findings={"dns.public-answer": "logs.endpoint-missing"},
        pull="works",
    ),
    scenario(
        "logs-through-nat",
        "Logs leave by a NAT gateway, for want of an endpoint.",
        all_of(without_endpoints("logs"), with_nat),
        findings={"dns.public-answer": "logs.endpoint-missing"},
        status="degraded",
        pull="works",
    ),
    scenario(
        "logs-through-nat-allowed",
        "The same, and --allow-public says that it is meant so.",
        all_of(without_endpoints("logs"), with_nat),
        findings={"dns.public-answer": "logs.endpoint-missing"},
        status="pass",
        pull="works",
        arguments=("--allow-public", "logs"),
    ),
    scenario(
        "logs-not-needed",
        "No endpoint for CloudWatch Logs, and nobody in the task logs there.",
        all_of(without_endpoints("logs"), _no_awslogs),
        status="pass",
        pull="works",
    ),
    scenario(
        "firelens-router",
        "The application logs by FireLens; the router itself logs by awslogs, and its endpoint is missing.",
        all_of(without_endpoints("logs"), _firelens),
        findings={"dns.public-answer": "logs.endpoint-missing"},
        pull="works",
    ),
    scenario(
        "firelens-router-healthy",
        "The same with the endpoint.",
        _firelens,
        status="pass",
        pull="works",
    ),
    scenario(
        "logs-group-missing",
        "The task's log group does not exist.",
        _no_groups,
        findings={"logs.group-missing": "logs.group-missing"},
        status="degraded",
        pull="works",
    ),
    scenario(
        "logs-stream-missing",
        "The group exists, the stream does not yet.",
        _no_streams,
        findings={"logs.stream-missing": None},
        status="pass",
        pull="works",
    ),
    scenario(
        "logs-not-permitted",
        "The role may not look at log groups: the answer proves the endpoint all the same.",
        role_policy(Statement(actions=("ecr:*",))),
        findings={"logs.not-permitted": None},
        status="pass",
        pull="works",
    ),
    scenario(
        "logs-endpoint-policy",
        "The policy of the logs endpoint refuses.",
        endpoint_policy("logs", Statement(actions=("logs:PutLogEvents",))),
        findings={"policy.vpce.other": "policy.vpce.other"},
        status="degraded",
        pull="works",
    ),
    scenario(
        "logs-bad-region",
        "The log driver's region is the name of a zone.",
        _region("us-east-1a"),
        findings={"logs.misconfigured-region": "logs.misconfigured-region"},
        pull="works",
    ),
    scenario(
        "logs-misspelt-region",
        "The log driver's region is misspelt, and so is the host's name: it does not exist.",
        _region("us-esat-1"),
        findings={"dns.name-missing": "logs.misconfigured-region"},
        pull="works",
    ),
    scenario(
        "agent-endpoints-missing",
        "On EC2 without the agent's three endpoints: the instance registers and then stays disconnected.",
        all_of(EC2_HOST, without_endpoints(*AGENT)),
        findings={"dns.public-answer": "ecs.control-plane-endpoints-missing"},
        pull="works",
    ),
    scenario(
        "agent-endpoints-missing-awsvpc",
        "The same seen from a task's own interface, which the agent does not use.",
        all_of(EC2_AWSVPC, without_endpoints(*AGENT)),
        findings={"dns.public-answer": "ecs.control-plane-endpoints-missing", "path.not-the-pull": None},
        status="degraded",
        pull="unproven",
    ),
    scenario(
        "agent-endpoints-through-nat",
        "On EC2 the agent's traffic leaves by a NAT gateway.",
        all_of(EC2_HOST, without_endpoints(*AGENT), with_nat),
        findings={"dns.public-answer": "ecs.control-plane-endpoints-missing"},
        status="degraded",
        pull="works",
    ),
    scenario(
        "agent-endpoints-not-needed",
        "On Fargate nobody needs the agent's endpoints.",
        vpc_with(),
        status="pass",
        pull="works",
    ),
)

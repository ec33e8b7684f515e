"""The handler in a simulated VPC, for tests and for a process that Lambda's client runs."""

from __future__ import annotations

import os
import threading
from typing import Any

from probe import aws_lambda
from probe.sim.scenarios import SCENARIOS
from probe.sim.vpc import VPC

FUNCTION = "ecr-probe-subnet-0a1b2c3d4e5f60718"
# As Lambda sets them (Lambda's guide, "Defined runtime environment variables").
VARIABLES = {
    "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
    "AWS_LAMBDA_FUNCTION_NAME": FUNCTION,
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
    "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
    "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{FUNCTION}",
    "AWS_LAMBDA_LOG_STREAM_NAME": "2026/01/01/[$LATEST]0c1b2a3948576d6e8f90a1b2c3d4e5f6",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "LANG": "en_US.UTF-8",
    "LAMBDA_TASK_ROOT": "/var/task",
    "LAMBDA_RUNTIME_DIR": "/var/runtime",
    "TZ": ":UTC",
}
WORLD, CENSUS = "world", "census"
_OF_SERVERS = ("(_accept)", "(_answer)", "(_meet)")  # the simulator's threads


def credentials(vpc: VPC) -> dict[str, str]:
    """The credentials of a function's role, as Lambda sets them when it starts the process."""
    keys = vpc.cloud.task_keys
    return {
        "AWS_ACCESS_KEY_ID": keys.access_key,
        "AWS_SECRET_ACCESS_KEY": keys.secret_key,
        "AWS_SESSION_TOKEN": keys.token,
    }


def variables(vpc: VPC) -> dict[str, str]:
    return {
        **VARIABLES,
        **credentials(vpc),
        "ECR_PROBE_IMAGE": vpc.task.image,
        "ECR_PROBE_VPC_CIDR": ",".join(vpc.ranges),
    }


_worlds: dict[str, VPC] = {}


def world(name: str) -> VPC:
    """The VPC of a scenario; all invocations of this process share it."""
    if name not in _worlds:
        scenario = next(scenario for scenario in SCENARIOS if scenario.name == name)
        _worlds[name] = VPC()
        scenario.change(_worlds[name])
    return _worlds[name]


def handler(event: Any, context: Any) -> Any:
    """The key WORLD of the event names the scenario; CENSUS returns facts about this process instead."""
    name = event.get(WORLD, "healthy") if isinstance(event, dict) else "healthy"
    if name == CENSUS:
        return {
            "threads": [thread.name for thread in threading.enumerate() if not thread.name.endswith(_OF_SERVERS)],
            "files": len(os.listdir("/proc/self/fd")),
            "secrets": [secret for vpc in _worlds.values() for secret in vpc.secrets],
        }
    vpc = world(name)
    os.environ.update(variables(vpc))
    vars(aws_lambda)["real_wire"] = lambda _ca_bundle: vpc.wire()
    return aws_lambda.handler(event, context)

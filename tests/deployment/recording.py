"""Run the real check in a simulated VPC as a task definition describes, and record each call that needs permission."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from probe.config.settings import parse
from probe.model import Verdict
from probe.records import field
from probe.run import run
from probe.sim import images
from probe.sim.identity import Call, Principal, Statement
from probe.sim.network import Gateway, Interface
from probe.sim.task import ID, Container
from probe.sim.vpc import VPC
from tests.aws_lambda import simulated
from tests.deployment.definitions import ACCOUNT, REGION, VALUES, filled, probe_container, variables


class RecordingStatement(Statement, frozen=True):
    """A statement that allows everything and records the calls."""

    calls: list[Call] = field(default_factory=list)

    def applies_to(self, principal: Principal, action: str, resource: str) -> bool:
        self.calls.append(Call(principal, action, resource))
        return True


@dataclass(frozen=True, slots=True)
class Recording:
    verdict: Verdict
    calls: dict[str, tuple[Call, ...]]  # by endpoint

    def of(self, *endpoints: str) -> tuple[Call, ...]:
        return tuple(call for name in endpoints for call in self.calls[name])


@cache
def recorded(name: str) -> Recording:
    """A run of a task definition with policies that allow everything."""
    return _record(partial(checked, name))


@cache
def recorded_in_lambda() -> Recording:
    """A run of the Lambda function with policies that allow everything."""
    return _record(checked_in_lambda)


def _record(check: Callable[[Callable[[VPC], object]], Verdict]) -> Recording:
    statements = {endpoint: RecordingStatement() for endpoint in ("ecr.api", "ecr.dkr", "logs", "s3")}

    def attach(vpc: VPC) -> None:
        for endpoint, statement in statements.items():
            vpc_endpoint(vpc, endpoint).policy = (statement,)

    verdict = check(attach)
    return Recording(verdict, {endpoint: tuple(statement.calls) for endpoint, statement in statements.items()})


def checked(name: str, change: Callable[[VPC], object]) -> Verdict:
    """The verdict of a task definition in a healthy VPC with `change`."""
    definition = filled(name)
    own = probe_container(definition)
    with VPC() as vpc:
        _build_task(vpc, definition)
        change(vpc)
        arguments = own["command"][1:]
        settings = parse(arguments, {**vpc.environ, **variables(own)}, started=time.monotonic())
        return run(settings, vpc.wire())


def checked_in_lambda(change: Callable[[VPC], object]) -> Verdict:
    """The verdict of the Lambda function in the same VPC, for the probe's own image."""
    with VPC() as vpc:
        vpc.build(region=REGION, account=ACCOUNT, cidr=VALUES["VPC_CIDR"])
        vpc.cloud.repositories.create(ACCOUNT, REGION, "ecr-probe").push(images.index(), "latest")
        change(vpc)
        image = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/ecr-probe:latest"
        settings = parse(["--image", image], simulated.variables(vpc), started=time.monotonic())
        return run(settings, vpc.wire())


def vpc_endpoint(vpc: VPC, endpoint: str) -> Interface | Gateway:
    """The VPC endpoint with this name; "s3" is the gateway endpoint."""
    if endpoint != "s3":
        return vpc.endpoints[endpoint]
    assert vpc.gateway is not None, "the VPC has a gateway endpoint"
    return vpc.gateway


def _build_task(vpc: VPC, definition: dict[str, Any]) -> None:
    """Build the task of a definition, with the image and the log groups that it names."""
    launch_type = definition["requiresCompatibilities"][0]
    vpc.build(
        region=REGION,
        account=ACCOUNT,
        cidr=VALUES["VPC_CIDR"],
        launch_type=launch_type,
        network_mode=definition["networkMode"],
    )
    vpc.task.family = definition["family"]
    own = probe_container(definition)
    others = [container for container in definition["containerDefinitions"] if container["name"] != own["name"]]
    vpc.task.containers = [_container(container) for container in (own, *others)]
    vpc.cloud.logs.groups.clear()
    for container in vpc.task.containers:
        streams = vpc.cloud.logs.groups.setdefault(container.log_options["awslogs-group"], [])
        streams.append(container.log_options["awslogs-stream"])
    repository, _, tag = own["image"].partition("/")[2].partition(":")
    vpc.cloud.repositories.create(ACCOUNT, REGION, repository).push(images.index(), tag)


def _container(definition: dict[str, Any]) -> Container:
    log = definition["logConfiguration"]
    options = dict(log["options"])
    stream = f"{options.pop('awslogs-stream-prefix')}/{definition['name']}/{ID}"
    return Container(definition["name"], definition["image"], log["logDriver"], options | {"awslogs-stream": stream})

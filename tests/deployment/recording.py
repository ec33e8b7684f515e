"""The real check in a simulated VPC, run as a task definition says, with every call that AWS was asked to authorise."""

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
from probe.sim.endpoints import Gateway, Interface
from probe.sim.identity import Call, Principal, Statement
from probe.sim.task import ID, Container
from probe.sim.vpc import VPC
from tests.aws_lambda import simulated
from tests.deployment.definitions import ACCOUNT, REGION, VALUES, filled, probe_container, variables


class Listening(Statement, frozen=True):
    """Allows everything, and keeps what it was asked."""

    calls: list[Call] = field(default_factory=list)

    def speaks_of(self, principal: Principal, action: str, resource: str) -> bool:
        self.calls.append(Call(principal, action, resource))
        return True


@dataclass(frozen=True, slots=True)
class Recording:
    verdict: Verdict
    calls: dict[str, tuple[Call, ...]]  # by the endpoint that they took

    def of(self, *endpoints: str) -> tuple[Call, ...]:
        return tuple(call for name in endpoints for call in self.calls[name])


@cache
def recorded(name: str) -> Recording:
    """One run of a task definition where everything is allowed."""
    return _heard(partial(checked, name))


@cache
def recorded_in_lambda() -> Recording:
    return _heard(checked_in_lambda)


def _heard(check: Callable[[Callable[[VPC], object]], Verdict]) -> Recording:
    heard = {each: Listening() for each in ("ecr.api", "ecr.dkr", "logs", "s3")}

    def listen(vpc: VPC) -> None:
        for endpoint, listening in heard.items():
            door(vpc, endpoint).policy = (listening,)

    verdict = check(listen)
    return Recording(verdict, {endpoint: tuple(listening.calls) for endpoint, listening in heard.items()})


def checked(name: str, change: Callable[[VPC], object]) -> Verdict:
    """The verdict of a task definition in a healthy VPC that is changed so."""
    definition = filled(name)
    own = probe_container(definition)
    with VPC() as vpc:
        _settle(vpc, definition)
        change(vpc)
        arguments = own["command"][1:]
        settings = parse(arguments, {**vpc.environ, **variables(own)}, started=time.monotonic())
        return run(settings, vpc.wire())


def checked_in_lambda(change: Callable[[VPC], object]) -> Verdict:
    """The verdict of the function in the same VPC, about the probe's own image."""
    with VPC() as vpc:
        vpc.lay_out(region=REGION, account=ACCOUNT, cidr=VALUES["VPC_CIDR"])
        vpc.cloud.repositories.create(ACCOUNT, REGION, "ecr-probe").push(images.index(), "latest")
        change(vpc)
        image = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/ecr-probe:latest"
        settings = parse(["--image", image], simulated.variables(vpc), started=time.monotonic())
        return run(settings, vpc.wire())


def door(vpc: VPC, endpoint: str) -> Interface | Gateway:
    """The endpoint that a policy is attached to, the gateway for "s3"."""
    if endpoint != "s3":
        return vpc.endpoints[endpoint]
    assert vpc.gateway is not None, "without a gateway no policy of it is in force"
    return vpc.gateway


def _settle(vpc: VPC, definition: dict[str, Any]) -> None:
    """The task that ECS makes of the definition, with the image and the log group that it names."""
    launch_type = definition["requiresCompatibilities"][0]
    vpc.lay_out(
        region=REGION,
        account=ACCOUNT,
        cidr=VALUES["VPC_CIDR"],
        launch_type=launch_type,
        network_mode=definition["networkMode"],
    )
    own = probe_container(definition)
    others = [each for each in definition["containerDefinitions"] if each["name"] != own["name"]]
    vpc.task.containers = [_container(each) for each in (own, *others)]
    vpc.cloud.logs.groups.clear()
    for each in vpc.task.containers:
        streams = vpc.cloud.logs.groups.setdefault(each.log_options["awslogs-group"], [])
        streams.append(each.log_options["awslogs-stream"])
    repository, _, tag = own["image"].partition("/")[2].partition(":")
    vpc.cloud.repositories.create(ACCOUNT, REGION, repository).push(images.index(), tag)


def _container(given: dict[str, Any]) -> Container:
    log = given["logConfiguration"]
    options = dict(log["options"])
    stream = f"{options.pop('awslogs-stream-prefix')}/{given['name']}/{ID}"
    return Container(given["name"], given["image"], log["logDriver"], options | {"awslogs-stream": stream})

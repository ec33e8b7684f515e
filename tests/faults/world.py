"""Measurements built by hand: `World()` is a healthy task on Fargate, changed by keyword."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from probe.addresses import presume
from probe.faults import diagnose
from probe.model import (
    Finding,
    Identity,
    Measurement,
    Path,
    Plan,
    Policy,
    ProxySeen,
    RedirectTarget,
    Step,
    Surroundings,
)
from tests.faults.behaviour import OK, Host, Reply
from tests.faults.plans import NOON, REGION, ROLE, VPC_DNS, make_plan
from tests.faults.world_steps import WorldSteps

NO_PROXY = ProxySeen(variables=(), bypassed=False)
IDENTITY = Identity(source="container-role", arn=ROLE)
STRICTEST = Policy()


@dataclass(frozen=True)
class World:
    """Everything that a run can measure. `hosts` and `replies` hold what differs from a healthy task on Fargate."""

    hosts: Mapping[str, Host] = field(default_factory=dict)
    # By token, challenge, head, manifest, blob, layer, logs and credentials.
    replies: Mapping[str, Reply] = field(default_factory=dict)
    around: Mapping[str, Any] = field(default_factory=dict)
    planned: Mapping[str, Any] = field(default_factory=dict)
    also: tuple[str, ...] = ()
    agent: bool = False
    image: str | None = None
    other_region: bool | None = None  # the S3 control
    nobody: bool | None = None  # the transparent proxy control
    proxies: ProxySeen = NO_PROXY
    metadata: Reply = OK
    instance: Reply | None = None
    redirect: tuple[RedirectTarget, str, str] | None = None
    redirected: Host | None = None
    identity: Identity = IDENTITY
    extra: tuple[Step, ...] = ()
    policy: Policy = STRICTEST

    def surroundings(self) -> Surroundings:
        usual: dict[str, Any] = {
            "metadata_answered": True,
            "path": Path.TASK_ENI,
            "region": REGION,
            "account": "123456789012",
            "launch_type": "FARGATE",
            "network_mode": "awsvpc",
            "cluster": "main",
            "task_arn": f"arn:aws:ecs:{REGION}:123456789012:task/main/0c1b2a39",
            "subnet_cidr": "10.0.1.0/24",
            "addresses": ("10.0.1.77",),
            "resolvers": (VPC_DNS,),
        }
        return Surroundings(**(usual | dict(self.around)))

    def plan(self) -> Plan:
        presumed = presume(self.surroundings().addresses)
        return make_plan(self.also, self.agent, self.image, {"presumed_cidrs": presumed, **self.planned})

    def measure(self) -> Measurement:
        return Measurement(
            started_at=NOON,
            seconds=1.0,
            surroundings=self.surroundings(),
            identity=self.identity,
            plan=self.plan(),
            steps=(*WorldSteps(self, self.plan()).steps(), *self.extra),
        )

    def findings(self) -> tuple[Finding, ...]:
        return diagnose(self.measure(), self.policy)

"""Measurements made by hand: `World()` is a healthy task on Fargate, and its parts are changed by keyword."""

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
from tests.faults.parts import OK, Host, Said
from tests.faults.places import NOON, REGION, ROLE, VPC_DNS, make_plan
from tests.faults.walk import Walk

NO_PROXY = ProxySeen(variables=(), bypassed=False)
HELD = Identity(source="container-role", arn=ROLE)
STRICTEST = Policy()


@dataclass(frozen=True)
class World:
    """All that a run can see. `hosts` and `said` name what differs from a healthy task on Fargate."""

    hosts: Mapping[str, Host] = field(default_factory=dict)
    said: Mapping[str, Said] = field(default_factory=dict)  # token challenge head manifest blob layer logs credentials
    around: Mapping[str, Any] = field(default_factory=dict)
    planned: Mapping[str, Any] = field(default_factory=dict)
    also: tuple[str, ...] = ()
    agent: bool = False
    image: str | None = None
    other_region: bool | None = None  # the S3 control
    nobody: bool | None = None  # the transparent proxy control
    proxies: ProxySeen = NO_PROXY
    metadata: Said = OK
    instance: Said | None = None
    redirect: tuple[RedirectTarget, str, str] | None = None
    redirected: Host | None = None
    identity: Identity = HELD
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
            steps=(*Walk(self, self.plan()).steps(), *self.extra),
        )

    def findings(self) -> tuple[Finding, ...]:
        return diagnose(self.measure(), self.policy)

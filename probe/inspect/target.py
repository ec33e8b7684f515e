"""What is inspected: where the pull starts, which images it pulls, with which role; read from ECS and EC2."""

from __future__ import annotations

from probe.config.settings import parse
from probe.configuration.operations import SUBNETS, VPCS
from probe.configuration.view import View
from probe.gates.calls import Call
from probe.gates.flow import Origin
from probe.inspect.options import Options
from probe.model import Path, Plan, Surroundings
from probe.plan import make_plan
from probe.records import Record, replace


class Target(Record, frozen=True, kw_only=True):
    """The pull that is inspected. `origins` are one for each subnet; `role` is the execution role's ARN."""

    plan: Plan
    surroundings: Surroundings
    origins: tuple[Origin, ...]
    role: str | None = None
    calls: tuple[Call, ...] = ()

    def surroundings_in(self, origin: Origin) -> Surroundings:
        """What a task in this subnet would know about itself."""
        ipv4 = next((text for text in origin.ranges if ":" not in text), None)
        ipv6 = next((text for text in origin.ranges if ":" in text), None)
        return replace(
            self.surroundings,
            subnet_cidr=ipv4,
            subnet_cidr_ipv6=ipv6,
            availability_zone=origin.zone,
            addresses=origin.addresses,
        )


def read_target(view: View, options: Options) -> Target:
    """Raises MissingError while the answers are not there, UsageError for what the user must change."""
    if not options.subnets or options.image is None:
        raise options.arguments.refusal("subnets", "give these and --image (ECR_PROBE_IMAGE), to say what to inspect")
    subnets = view.some(SUBNETS, options.subnets)
    for identity, subnet in subnets.items():
        if subnet is None:
            raise options.arguments.refusal("subnets", f"{identity} does not exist in {view.configuration.region}")
    found = [subnet for subnet in subnets.values() if subnet is not None]
    vpcs = view.some(VPCS, (subnet["VpcId"] for subnet in found))
    ranges = tuple(
        entry["CidrBlock"] for vpc in vpcs.values() for entry in (vpc or {}).get("CidrBlockAssociationSet", ())
    )
    origins = tuple(
        Origin(
            subnet=subnet["SubnetId"],
            vpc=subnet["VpcId"],
            zone=subnet.get("AvailabilityZone"),
            ranges=(subnet["CidrBlock"],) if subnet.get("CidrBlock") else (),
            groups=options.security_groups,
            owner=subnet.get("OwnerId"),
        )
        for subnet in found
    )
    surroundings = Surroundings(
        region=view.configuration.region,
        path=Path.TASK_ENI,
        launch_type="FARGATE",
        log_drivers_known=True,
        subnet_cidr=found[0].get("CidrBlock"),
        availability_zone=found[0].get("AvailabilityZone"),
    )
    settings = parse(("--image", options.image.text), {})
    plan = make_plan(settings, surroundings)
    return Target(plan=replace(plan, vpc_cidrs=(*plan.vpc_cidrs, *ranges)), surroundings=surroundings, origins=origins)

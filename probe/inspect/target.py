"""What is inspected: where the pull starts, which images it pulls, with which role; read from ECS and EC2."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from ipaddress import ip_network

from probe.config.settings import parse
from probe.configuration.operations import SECURITY_GROUPS, SUBNETS
from probe.configuration.view import Item, View
from probe.endpoints import ROWS
from probe.gates.calls import Call
from probe.gates.endpoint_interfaces import ranges_of
from probe.gates.flow import Origin
from probe.images import OtherImage, parse_image
from probe.inspect.measured import Measured, workload_of
from probe.inspect.options import Options
from probe.inspect.pull_calls import pull_calls
from probe.inspect.workload import Place, Workload, of_service, of_task
from probe.model import Basis, Endpoint, ImageReference, Path, Plan, Surroundings
from probe.narration import few
from probe.plan import make_plan
from probe.records import Record, replace
from probe.safe_words import quoted


class Target(Record, frozen=True, kw_only=True):
    """The pull that is inspected. `origins` are one for each subnet; `role` is the execution role's ARN.

    `images` are all those in private ECR; `plan` is that of the first, and of all others in its Region.
    """

    plan: Plan
    surroundings: Surroundings
    origins: tuple[Origin, ...]
    images: tuple[ImageReference, ...]
    workload: Workload
    role: str | None = None
    calls: tuple[Call, ...] = ()

    def surroundings_in(self, origin: Origin) -> Surroundings:
        """What a task in this subnet would know about itself."""
        ipv4 = next((text for text in origin.ranges if ":" not in text), None)
        ipv6 = next((text for text in origin.ranges if ":" in text), None)
        # One address stands for any other where the family of all of them decides which hosts ECS calls.
        only_ipv6 = (str(ip_network(ipv6, strict=False)[4]),) if ipv6 and not ipv4 else ()
        return replace(
            self.surroundings,
            subnet_cidr=ipv4,
            subnet_cidr_ipv6=ipv6,
            availability_zone=origin.zone,
            addresses=origin.addresses or only_ipv6,
        )


def read_target(view: View, options: Options, measured: Sequence[Measured] = ()) -> tuple[Target, dict[str, Measured]]:
    """What is inspected, and the measurements that are joined with it, by subnet.

    Raises MissingError while the answers are not there, UsageError for what the user must change.
    """
    workload, runs = workload_of(view, options, measured) if measured else (_workload(view, options), {})
    places = tuple({place.subnet: place for place in workload.places}.values()) if measured else workload.places
    origins = tuple(_origins(view, options, places, workload.windows))
    images = tuple(_private_images(workload.images))
    if not images:
        named = few(tuple(quoted(image) for image in workload.images)) or "nothing"
        raise options.arguments.refusal(
            "image", f"no image is in private ECR ({named}), so no endpoint serves the pull"
        )
    surroundings = Surroundings(
        region=view.configuration.region,
        account=view.configuration.account,
        path=Path.TASK_ENI if workload.launch_type == "FARGATE" else Path.INSTANCE_ENI,
        launch_type=workload.launch_type,
        network_mode=workload.network_mode,
        cluster=workload.cluster,
        service=workload.service,
        task_arn=workload.task,
        image=images[0].text,
        log_drivers_known=True,
        log_destinations=workload.logs,
        # A subnet without IPv4 has tasks without IPv4, which need other names.
        addresses=next((origin.addresses for origin in origins if origin.addresses), ()),
    )
    also = _secret_endpoints(workload.secrets)
    argv = ["--image", images[0].text, *(("--platform", workload.platform) if workload.platform else ())]
    settings = parse([*argv, *(("--also", ",".join(also)) if also else ())], {})
    ranges = tuple(dict.fromkeys(text for origin in origins for text in ranges_of(view, origin.vpc)))
    plan = make_plan(settings, surroundings)
    plan = replace(plan, vpc_cidrs=ranges, endpoints=tuple(_needed(endpoint, also) for endpoint in plan.endpoints))
    plan = next((run.facts.plan for run in measured if run.facts.basis is Basis.MEASURED), plan)
    target = Target(
        plan=plan,
        surroundings=surroundings,
        origins=origins,
        images=images,
        workload=workload,
        role=workload.role,
        calls=_calls(plan, images, workload, surroundings),
    )
    return target, runs


def other_registries(target: Target) -> Iterator[Target]:
    """The same pull for the images of each other Region, at the endpoints of their registries."""
    own = target.plan.region
    for region in dict.fromkeys(image.region for image in target.images if image.region != own):
        images = tuple(image for image in target.images if image.region == region)
        surroundings = replace(target.surroundings, image=images[0].text)
        plan = make_plan(parse(("--image", images[0].text), {}), surroundings)
        plan = replace(
            plan,
            vpc_cidrs=target.plan.vpc_cidrs,
            endpoints=tuple(endpoint for endpoint in plan.endpoints if ROWS[endpoint.name].of_image),
        )
        yield replace(
            target,
            plan=plan,
            surroundings=surroundings,
            origins=tuple(replace(origin) for origin in target.origins),
            images=images,
            calls=_calls(plan, images, target.workload, surroundings),
        )


def _calls(
    plan: Plan, images: Iterable[ImageReference], workload: Workload, surroundings: Surroundings
) -> tuple[Call, ...]:
    return pull_calls(
        plan,
        images,
        role=workload.role,
        on_fargate=workload.launch_type == "FARGATE",
        account=surroundings.account,
        created_log_groups=workload.created_log_groups,
        pins=workload.pins,
        platform=workload.platform,
        reads_manifest=workload.reads_manifest,
    )


def _workload(view: View, options: Options) -> Workload:
    if options.task is not None:
        return of_task(view, options, options.task[0], options.task["cluster"] or "default")
    if options.service is not None:
        return of_service(view, options)
    return Workload(
        launch_type=options.launch_type or "FARGATE",
        images=(options.image.text,) if options.image else (),
        places=tuple(
            Place(subnet=subnet, groups=options.security_groups, names_no_group=not options.security_groups)
            for subnet in options.subnets
        ),
        role=options.execution_role,
    )


def _origins(view: View, options: Options, places: Iterable[Place], windows: bool | None) -> Iterator[Origin]:
    """One for each subnet, and where instances in one subnet have different groups, for each of these.

    `windows` is None where the instances decide it.
    """
    found = {(place.subnet, place.groups): place for place in places}
    subnets = view.some(SUBNETS, (place.subnet for place in found.values()))
    for place in found.values():
        identity = place.subnet
        subnet = subnets[identity]
        if subnet is None:
            region = view.configuration.region
            raise options.arguments.refusal("subnets", f"{identity} does not exist in {region}")
        yield Origin(
            subnet=identity,
            vpc=subnet["VpcId"],
            zone=subnet.get("AvailabilityZone"),
            ranges=tuple(_ranges(subnet)),
            groups=_default_group(view, subnet["VpcId"]) if place.names_no_group else place.groups,
            addresses=place.addresses,
            interface=place.interface,
            public_address=place.public_address,
            owner=subnet.get("OwnerId"),
            windows=place.windows if windows is None else windows,
        )


def _default_group(view: View, vpc: str) -> tuple[str, ...]:
    """The group that ECS takes where none is named. AWS[ecs-default-group]"""
    named = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "group-name", "Values": ["default"]}]
    return tuple(group["GroupId"] for group in view.items(SECURITY_GROUPS, Filters=named))


def _ranges(subnet: Item) -> Iterator[str]:
    if subnet.get("CidrBlock") and not subnet.get("Ipv6Native"):
        yield subnet["CidrBlock"]
    for entry in subnet.get("Ipv6CidrBlockAssociationSet", ()):
        if (entry.get("Ipv6CidrBlockState") or {}).get("State") in (None, "associated"):
            yield entry["Ipv6CidrBlock"]


def _private_images(texts: Iterable[str]) -> Iterator[ImageReference]:
    for text in texts:
        try:
            image = parse_image(text, listed_regions=False)
        except ValueError:
            continue
        if not isinstance(image, OtherImage):
            yield image


def _needed(endpoint: Endpoint, also: Container[str]) -> Endpoint:
    """The endpoint of the task's secrets: without it the task does not start."""
    return replace(endpoint, required=True, impact=ROWS[endpoint.name].if_called) if endpoint.name in also else endpoint


def _secret_endpoints(secrets: Iterable[str]) -> list[str]:
    """The endpoints that the secrets of the task definition need."""
    names = {"ssm" if ":ssm:" in secret or secret == "ssm" else "secretsmanager" for secret in secrets}
    return sorted(names)

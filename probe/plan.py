"""From settings and surroundings to a `Plan`: which endpoints, by which names, within which ranges. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from probe.addresses import is_ipv6, presume
from probe.config.readers import duration_text
from probe.config.settings import Environment, Settings, UsageError
from probe.endpoints import CORE_ENDPOINTS, ROWS, TABLE, Place, Row
from probe.images import GOOD_IMAGE, OtherImage, parse_image
from probe.model import Endpoint, ImageHost, ImageReference, Impact, LogDestination, Plan, Surroundings
from probe.partitions import partition_of

# On these the agent runs on an instance of yours, which calls ecs, ecs-agent and ecs-telemetry: AWS[agent-endpoints].
# Which of the three Managed Instances need was not verified: AWS[managed-instances-endpoints].
_MANAGED_INSTANCES = "MANAGED_INSTANCES"
_LAUNCHES_WITH_AGENT = ("EC2", _MANAGED_INSTANCES)
# ECS Anywhere: the agent runs outside AWS, where no VPC endpoint is.
_EXTERNAL = "EXTERNAL"
# Regions that opened before 2023-12-23. In every later one, tasks on Fargate need the three endpoints as well:
# AWS[agent-endpoints-new-regions].
# fmt: off
_REGIONS_BEFORE_2023_12_23 = frozenset((
    "af-south-1", "ap-east-1", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-south-2",
    "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "ca-central-1", "eu-central-1",
    "eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2", "eu-west-3", "il-central-1",
    "me-central-1", "me-south-1", "sa-east-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2",
    "cn-north-1", "cn-northwest-1", "us-gov-east-1", "us-gov-west-1", "us-iso-east-1", "us-iso-west-1",
    "us-isob-east-1",
))
# fmt: on
_GOOD_DEADLINE = "30s"


def make_plan(settings: Settings, surroundings: Surroundings, *, late: bool = False) -> Plan:
    """Decide what to measure. Raises UsageError if flags and surroundings together do not suffice.

    `late`: the deadline passed while the surroundings were read.
    """
    image, kind = _image(settings, surroundings, late=late)
    place = _image_place(image) if image else _task_place(surroundings)
    dual_stack = _ipv6_only(surroundings)
    destination = _log_destination(surroundings)
    endpoints = tuple(_endpoints(settings, surroundings, place=place, image=image, destination=destination))
    chosen = {endpoint.name for endpoint in endpoints}
    return Plan(
        endpoints=endpoints,
        omitted=tuple(name for name in CORE_ENDPOINTS if name not in chosen),
        region=place.region,
        partition=place.partition.name,
        dns_suffix=place.partition.dns_suffix,
        account=place.account,
        layer_host=_host(ROWS["s3"], place=place, image=image, dual_stack=dual_stack),
        image=image.text if image else surroundings.image,
        reference=image,
        image_host=kind,
        image_given=settings.image is not None,
        pinned_digest=_pinned_digest(settings, surroundings, image),
        platform=settings.platform,
        platform_given=settings.platform_given,
        layers=settings.layers,
        vpc_cidrs=_known_ranges(settings, surroundings),
        presumed_cidrs=presume(surroundings.addresses),
        log_group=destination.group if destination else None,
        log_stream=destination.stream if destination else None,
        other_log_groups=_other_groups(surroundings, destination),
        other_log_regions=_other_regions(surroundings, destination),
        controls=settings.controls,
        control_host=_control_host(place, surroundings.region),
        budget=settings.budget,
    )


def _endpoints(
    settings: Settings,
    surroundings: Surroundings,
    *,
    place: Place,
    image: ImageReference | None,
    destination: LogDestination | None,
) -> Iterator[Endpoint]:
    for row in TABLE:
        if not _wanted(row, settings, surroundings, destination):
            continue
        where = _row_place(row, place, surroundings, destination)
        host = _host(row, place=where, image=image, dual_stack=_ipv6_only(surroundings))
        yield row.endpoint(
            where,
            host=host,
            required=_required(row, settings, surroundings, destination),
            lookup=settings.endpoint_dns.get(row.name),
            called=row.name in settings.also,
        )


def _image(settings: Settings, surroundings: Surroundings, *, late: bool) -> tuple[ImageReference | None, ImageHost]:
    if settings.image is not None:
        return settings.image, ImageHost.PRIVATE_ECR
    if surroundings.image is None:
        if late and not surroundings.metadata_answered and _metadata_variables(settings.environment):
            raise UsageError(
                f"--deadline (ECR_PROBE_DEADLINE): {duration_text(settings.budget.deadline)} passed before the task "
                f"metadata answered, which contains the image; for example --deadline {_GOOD_DEADLINE}"
            )
        why = _why_no_image(settings.environment, surroundings)
        raise UsageError(f"--image (ECR_PROBE_IMAGE) is needed, since {why}: for example --image {GOOD_IMAGE}")
    try:
        own = parse_image(surroundings.image, listed_regions=False)
    except ValueError:
        # ECS pulled it, so the reference is valid and our parser is wrong.
        return None, ImageHost.OTHER
    return (None, own.host) if isinstance(own, OtherImage) else (own, ImageHost.PRIVATE_ECR)


def _pinned_digest(settings: Settings, surroundings: Surroundings, image: ImageReference | None) -> str | None:
    """The digest of the container's own image, where its reference has a tag, which may have been moved since.

    Only Fargate's metadata has the digest of a manifest. AWS[ecs-image-id] AWS[ecs-version-consistency]
    """
    if settings.image is not None or image is None or image.digest or surroundings.launch_type != "FARGATE":
        return None
    digest = surroundings.image_id or ""
    return digest if re.fullmatch(r"sha256:[0-9a-f]{64}", digest) else None


def _why_no_image(environment: Environment, surroundings: Surroundings) -> str:
    if surroundings.metadata_answered:
        return "task metadata contains no image"
    if variables := _metadata_variables(environment):
        return f"task metadata at {' and '.join(variables)} could not be read"
    return "there is no ECS task metadata here (ECS_CONTAINER_METADATA_URI_V4 is not set)"


def _metadata_variables(environment: Environment) -> list[str]:
    """The variables that are set and contain the address of task metadata."""
    uris = {
        "ECS_CONTAINER_METADATA_URI_V4": environment.metadata_v4,
        "ECS_CONTAINER_METADATA_URI": environment.metadata_v3,
    }
    return [name for name, uri in uris.items() if uri]


def _image_place(image: ImageReference) -> Place:
    partition = partition_of(image.region)
    assert partition is not None, "parse_image accepts only regions of a partition"
    return Place(partition, image.region, image.account)


def _task_place(surroundings: Surroundings) -> Place:
    """Where the task itself runs, for an image that is not in private ECR."""
    region, account = surroundings.region, surroundings.account
    partition = partition_of(region) if region else None
    if region is None or partition is None or account is None:
        missing = "region" if partition is None else "account"
        raise UsageError(
            f"--image (ECR_PROBE_IMAGE) is needed, since the {missing} is not known: for example --image {GOOD_IMAGE}"
        )
    return Place(partition, region, account)


def _row_place(row: Row, place: Place, surroundings: Surroundings, destination: LogDestination | None) -> Place:
    """Endpoints of the image are in the image's region, logs in the log driver's, those of the agent in the task's."""
    region = surroundings.region
    if row.of_image:
        return place
    if row.impact is Impact.LOGS and destination is not None and destination.region:
        region = destination.region
    partition = partition_of(region) if region else None
    return Place(partition, region, surroundings.account or place.account) if region and partition else place


def _host(row: Row, *, place: Place, image: ImageReference | None, dual_stack: bool) -> str:
    if row.name == "ecr.dkr" and image is not None:
        return image.host
    return place.fill(row.dual_stack if dual_stack else row.host)


def _wanted(row: Row, settings: Settings, surroundings: Surroundings, destination: LogDestination | None) -> bool:
    if row.impact is Impact.PULL or row.name in settings.also:
        return True
    if row.impact is Impact.LOGS:
        return destination is not None or not surroundings.log_drivers_known
    return row.impact is Impact.AGENT and _needs_agent_endpoints(surroundings)


def _needs_agent_endpoints(surroundings: Surroundings) -> bool:
    """Whether something in the VPC calls the ECS agent's endpoints."""
    launch_type, region = surroundings.launch_type, surroundings.region
    if launch_type in _LAUNCHES_WITH_AGENT:
        return True
    is_task_in_vpc = launch_type is not None and launch_type != _EXTERNAL
    return is_task_in_vpc and region is not None and region not in _REGIONS_BEFORE_2023_12_23


def _required(row: Row, settings: Settings, surroundings: Surroundings, destination: LogDestination | None) -> bool:
    if row.impact is Impact.LOGS:
        return destination is not None or row.name in settings.also
    if row.impact is Impact.AGENT:
        return surroundings.launch_type != _MANAGED_INSTANCES and _needs_agent_endpoints(surroundings)
    return row.impact is Impact.PULL


def _log_destination(surroundings: Surroundings) -> LogDestination | None:
    """The destination of our own container, else of another one."""
    return next(iter(sorted(surroundings.log_destinations, key=lambda destination: not destination.own)), None)


def _other_groups(surroundings: Surroundings, chosen: LogDestination | None) -> tuple[str, ...]:
    """Groups of the other containers in the same region."""
    if chosen is None:
        return ()
    destinations = surroundings.log_destinations
    groups = (destination.group for destination in destinations if destination.region == chosen.region)
    return tuple(dict.fromkeys(group for group in groups if group and group != chosen.group))


def _other_regions(surroundings: Surroundings, chosen: LogDestination | None) -> tuple[str, ...]:
    measured = chosen.region if chosen else None
    regions = (destination.region for destination in surroundings.log_destinations)
    return tuple(dict.fromkeys(region for region in regions if region and region != measured))


def _known_ranges(settings: Settings, surroundings: Surroundings) -> tuple[str, ...]:
    subnets = (surroundings.subnet_cidr, surroundings.subnet_cidr_ipv6)
    ranges = (*settings.vpc_cidrs, *surroundings.instance_cidrs, *(subnet for subnet in subnets if subnet))
    return tuple(dict.fromkeys(ranges))


def _ipv6_only(surroundings: Surroundings) -> bool:
    """Whether ECS needs the dual-stack names AWS[ipv6-only-hosts]."""
    return bool(surroundings.addresses) and all(map(is_ipv6, surroundings.addresses))


def _control_host(place: Place, own_region: str | None) -> str | None:
    """S3 of another region of the partition, if possible a near one, which answers within half a second."""
    # Not the task's own region either: its gateway endpoint may route that.
    others = [region for region in place.partition.regions if region not in (place.region, own_region)]
    near = [region for region in others if region.split("-")[0] == place.region.split("-")[0]]
    other = next(iter(near or others), None)
    return f"s3.{other}.{place.partition.dns_suffix}" if other else None

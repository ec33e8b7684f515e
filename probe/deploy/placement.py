"""Where the check will run: subnets, security groups, platform and the ranges of the VPC."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from probe.config.flags import UsageError
from probe.deploy.denials import BY_HAND
from probe.deploy.options import PLATFORMS, UpOptions
from probe.operator.aws import ApiError, Kind
from probe.records import Record
from probe.safe_words import quoted
from probe.smoke.calls import Calls
from probe.smoke.options import Options as SmokeOptions
from probe.smoke.target import placement_of, read_definition, read_service, refusal_of

_SUBNETS_PER_CALL = 200


class Placement(Record, frozen=True):
    """`platform` is that of the service's task definition, None if it has none. `cluster` is a name."""

    cluster: str
    service: str | None
    subnets: tuple[str, ...]
    security_groups: tuple[str, ...]
    on_fargate: bool
    platform: str | None
    vpc_cidrs: tuple[str, ...]


def read_placement(options: UpOptions, calls: Calls, *, region: str) -> Placement:
    """Raises UsageError for what the user must change, ApiError and EarlyEndError."""
    smoke = options.smoke
    try:
        if smoke.service is None:
            return _from_flags(options, calls, region)
        service = read_service(smoke, calls.call, region)
        if not service.get("taskDefinition"):  # an external deployment controller
            raise smoke.arguments.refusal(
                "service",
                "it has no task set yet, so it has no task definition and no subnets; give the subnets instead",
                example="--subnets subnet-0a1b2c3d4e5f60718 --security-groups sg-0a1b2c3d4e5f60718",
            )
        definition = read_definition(smoke, calls.call, str(service.get("taskDefinition")), region, flag="service")
    except ApiError as error:
        # Names of clusters and services that do not exist have their own sentence.
        raise refusal_of(error, smoke, region) if error.kind is Kind.REFUSED else error from None
    placement = placement_of(service)
    if placement is None:
        raise smoke.arguments.refusal(
            "service",
            f"its tasks are in bridge or host mode, and up runs the check with an interface of its own; {BY_HAND} "
            "has a task definition for them",
            example="--service of one in awsvpc mode",
        )
    own = tuple(dict.fromkeys(map(str, placement.get("subnets") or ())))
    foreign = next((subnet for subnet in smoke.subnets if subnet not in own), None)
    if foreign is not None:
        raise smoke.arguments.refusal("subnets", f"{foreign} is not one of the service's")
    subnets = smoke.subnets or own
    vpc, ranges = _read_vpc(options, calls, subnets, region)
    groups = tuple(map(str, placement.get("securityGroups") or ())) or _default_group(calls, vpc)
    return Placement(
        cluster=_name(smoke.cluster),
        service=_name(smoke.service),
        subnets=subnets,
        security_groups=groups,
        on_fargate=_is_on_fargate(service),
        platform=_platform(definition),
        vpc_cidrs=options.vpc_cidrs or ranges,
    )


def _from_flags(options: UpOptions, calls: Calls, region: str) -> Placement:
    smoke = options.smoke
    if not smoke.security_groups:
        raise smoke.arguments.refusal("security-groups", "without it the tasks get the VPC's default group, not yours")
    _require_cluster(smoke, calls, region)
    _, ranges = _read_vpc(options, calls, smoke.subnets, region)
    return Placement(
        cluster=_name(smoke.cluster),
        service=None,
        subnets=smoke.subnets,
        security_groups=smoke.security_groups,
        on_fargate=smoke.launch_type != "EC2" and smoke.capacity_provider in (None, "FARGATE", "FARGATE_SPOT"),
        platform=None,
        vpc_cidrs=options.vpc_cidrs or ranges,
    )


def _require_cluster(smoke: SmokeOptions, calls: Calls, region: str) -> None:
    reply = calls.call("ecs:DescribeClusters", clusters=[smoke.cluster])
    if not any(cluster.get("status") == "ACTIVE" for cluster in reply.get("clusters") or ()):
        raise smoke.arguments.refusal("cluster", f"{quoted(smoke.cluster)} is not a cluster in {region}")


def _name(name_or_arn: str) -> str:
    return name_or_arn.rpartition("/")[2]


def _is_on_fargate(service: Mapping[str, Any]) -> bool:
    strategy = service.get("capacityProviderStrategy") or ()
    providers = [str(item.get("capacityProvider")) for item in strategy]
    return (service.get("launchType") or "") == "FARGATE" or any(name.startswith("FARGATE") for name in providers)


def _platform(definition: Mapping[str, Any]) -> str | None:
    """Raises UsageError for Windows."""
    runtime = definition.get("runtimePlatform") or {}
    system = str(runtime.get("operatingSystemFamily") or "LINUX")
    if system != "LINUX":
        raise UsageError(f"the service's tasks run {quoted(system)}, and the probe's image is for Linux only")
    architecture = runtime.get("cpuArchitecture")
    return next((platform for platform, name in PLATFORMS.items() if name == architecture), None)


# ---- the VPC ---------------------------------------------------------------------------------------------------------


def _read_vpc(options: UpOptions, calls: Calls, subnets: Sequence[str], region: str) -> tuple[str, tuple[str, ...]]:
    """The subnets' VPC and its ranges, the primary one first. Raises UsageError for subnets of several VPCs."""
    found: dict[str, str] = {}
    try:
        for start in range(0, len(subnets), _SUBNETS_PER_CALL):
            reply = calls.call("ec2:DescribeSubnets", SubnetIds=list(subnets[start : start + _SUBNETS_PER_CALL]))
            found |= {str(item.get("SubnetId")): str(item.get("VpcId")) for item in reply.get("Subnets") or ()}
        vpcs = sorted(set(found.values()))
        if len(vpcs) != 1:
            raise options.arguments.refusal("subnets", f"they are in {len(vpcs)} VPCs; give those of one VPC")
        reply = calls.call("ec2:DescribeVpcs", VpcIds=vpcs)
    except ApiError as error:
        if error.kind is Kind.REFUSED and error.code.startswith("InvalidSubnetI"):
            raise options.arguments.refusal("subnets", f"{error.text} (in {region})") from None
        raise
    return vpcs[0], tuple(dict.fromkeys(_ranges((reply.get("Vpcs") or [{}])[0])))


def _ranges(vpc: Mapping[str, Any]) -> Iterator[str]:
    if vpc.get("CidrBlock"):
        yield str(vpc["CidrBlock"])
    for family, key in (("CidrBlockAssociationSet", "CidrBlock"), ("Ipv6CidrBlockAssociationSet", "Ipv6CidrBlock")):
        for item in vpc.get(family) or ():
            state = (item.get("CidrBlockState") or item.get("Ipv6CidrBlockState") or {}).get("State")
            if state == "associated" and item.get(key):
                yield str(item[key])


def _default_group(calls: Calls, vpc: str) -> tuple[str, ...]:
    """The group that tasks get if their service names none: AWS[ecs-default-group]."""
    filters = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "group-name", "Values": ["default"]}]
    reply = calls.call("ec2:DescribeSecurityGroups", Filters=filters)
    return tuple(str(group.get("GroupId")) for group in reply.get("SecurityGroups") or ())[:1]

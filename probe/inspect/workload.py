"""What ECS runs: the service or the task, its task definition, and where its image pull starts.

On Fargate the pull goes through the task's own interface; on EC2 and on Managed Instances through the instance's, in
awsvpc mode too. AWS[fargate-task-eni]
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from probe.config.flags import FARGATE_PROVIDERS
from probe.configuration.operations import (
    DESCRIBE_CAPACITY_PROVIDERS,
    DESCRIBE_CONTAINER_INSTANCES,
    DESCRIBE_SERVICES,
    DESCRIBE_TASK_DEFINITION,
    DESCRIBE_TASKS,
    INSTANCES,
    INTERFACES,
    LIST_CONTAINER_INSTANCES,
    SERVICE_REVISIONS,
)
from probe.configuration.view import Item, MissingError, View
from probe.gates.pinned_images import Pin
from probe.images import OtherImage, parse_image
from probe.inspect.options import Options
from probe.model import ImageReference, LogDestination
from probe.records import Record, replace
from probe.safe_words import quoted

_EXTERNAL = "EXTERNAL"  # the launch type of ECS Anywhere
_INSTANCES_PER_CALL = 100  # of ecs:DescribeContainerInstances


class Place(Record, frozen=True, kw_only=True):
    """Where a pull starts, before its subnet is described.

    `names_no_group`: it was asked for without a group, so that ECS takes the VPC's default one. Otherwise no groups
    means that they are not known.
    """

    subnet: str
    groups: tuple[str, ...] = ()
    interface: str | None = None
    addresses: tuple[str, ...] = ()
    public_address: bool | None = None
    names_no_group: bool = False
    windows: bool = False  # the instance's system


class Workload(Record, frozen=True, kw_only=True):
    """What pulls: images, role and places. `launch_type` is ECS's word.

    `task_places` are where the tasks of a service have interfaces of their own, which do not pull on EC2.
    """

    launch_type: str
    images: tuple[str, ...]
    places: tuple[Place, ...]
    task_places: tuple[Place, ...] = ()
    role: str | None = None
    network_mode: str | None = None
    cluster: str | None = None
    service: str | None = None
    task: str | None = None
    logs: tuple[LogDestination, ...] = ()
    created_log_groups: tuple[str, ...] = ()  # by the log driver, if they are missing
    secrets: tuple[str, ...] = ()  # ARNs up to the name, or "ssm"
    pins: tuple[tuple[ImageReference, Pin], ...] = ()  # tags of a service, which ECS may have resolved
    platform: str | None = None  # None where the instance decides it
    windows: bool | None = None  # likewise
    reads_manifest: bool = False


def of_service(view: View, options: Options) -> Workload:
    """The workload of a service. Raises MissingError, and UsageError for a service that does not exist."""
    found = view.items(DESCRIBE_SERVICES, cluster=options.cluster, services=[options.service])
    where = f"cluster {options.cluster} in {view.configuration.region}"
    if not found:
        raise options.arguments.refusal("service", f"{quoted(options.service or '')} is not in {where}")
    if found[0].get("status") == "INACTIVE":
        raise options.arguments.refusal("service", f"{quoted(options.service or '')} was deleted")
    service = _with_task_set(found[0])
    definition = _definition(view, service["taskDefinition"])
    launch_type = options.launch_type or _launch_type(view, service, definition)
    _refuse_external(options, "service", launch_type)
    places = task_places = tuple(_of_configuration(service))
    if launch_type != "FARGATE" or not places:
        arns = view.items(LIST_CONTAINER_INSTANCES, cluster=options.cluster)
        places = _of_instances(view, options, [str(arn) for arn in arns])
        if not places:
            raise options.arguments.refusal("service", f"{where} has no instances, so it is not known where it pulls")
    if options.subnets:
        places = tuple(place for place in places if place.subnet in options.subnets)
        if not places:
            raise options.arguments.refusal("subnets", "none of them is one of the service's")
    revision = _revision(view, service, str(service["taskDefinition"]))
    pins = tuple(_pins(definition, revision)) if revision else ()
    name = str(service.get("serviceName") or "")
    return _workload(definition, launch_type, places, options, service=name, pins=pins, task_places=task_places)


def of_task(view: View, options: Options, arn: str, cluster: str) -> Workload:
    """The workload of a task, running or stopped. Raises MissingError, and UsageError for one that ECS forgot."""
    found = view.items(DESCRIBE_TASKS, cluster=cluster, tasks=[arn])
    if not found:
        retention = "ECS keeps stopped tasks for about an hour"  # AWS[describe-tasks-hour]
        raise options.arguments.refusal("task", f"there is no such task in the cluster {cluster} ({retention})")
    task = found[0]
    definition = _definition(view, task["taskDefinitionArn"])
    launch_type = options.launch_type or _launch_type(view, task, definition)
    if launch_type == "FARGATE":
        places = tuple(_of_attachments(view, task, options))
    elif task.get("containerInstanceArn"):
        places = _of_instances(view, options, [task["containerInstanceArn"]], cluster=cluster)
    else:
        places = ()
    if not places:
        places = tuple(Place(subnet=subnet, groups=options.security_groups) for subnet in options.subnets)
    if not places:
        _refuse_external(options, "task", launch_type)
        sentence = "the task no longer has a network interface, so its subnet is not known"
        raise options.arguments.refusal("subnets", f"{sentence}; give it with --security-groups")
    role = (task.get("overrides") or {}).get("executionRoleArn")
    group = str(task.get("group") or "")
    service = group.removeprefix("service:") if group.startswith("service:") else None
    pins = tuple(_pins_of_task(view, task, definition, cluster, service)) if service else ()
    return _workload(definition, launch_type, places, options, task=arn, role=role, service=service, pins=pins)


def _refuse_external(options: Options, start: str, launch_type: str) -> None:
    """Raise UsageError for ECS Anywhere: no configuration of AWS describes the network of its instances."""
    if launch_type == _EXTERNAL:
        sentence = "it runs on external instances, which pull outside of AWS; run ecr-probe check on one of them"
        raise options.arguments.refusal(start, sentence)


def is_known(view: View, cluster: str, arn: str) -> bool:
    """Whether ECS still knows the task. Raises MissingError."""
    return bool(view.items(DESCRIBE_TASKS, cluster=cluster, tasks=[arn]))


def _with_task_set(service: Item) -> Item:
    """With CodeDeploy or an external deployment controller, the network is that of the primary task set."""
    sets: Sequence[Item] = service.get("taskSets") or ()
    primary = next((each for each in sets if each.get("status") == "PRIMARY"), sets[0] if sets else {})
    return {key: value for part in (primary, service) for key, value in part.items() if value}


def _definition(view: View, name: str) -> Item:
    found: Item = view.reply(DESCRIBE_TASK_DEFINITION, taskDefinition=name)["taskDefinition"]
    return found


def _launch_type(view: View, item: Item, definition: Item) -> str:
    if item.get("launchType"):
        return str(item["launchType"])
    strategy = item.get("capacityProviderStrategy") or ()
    names = [str(entry["capacityProvider"]) for entry in strategy] or [str(item.get("capacityProviderName") or "")]
    if any(name in FARGATE_PROVIDERS for name in names):
        return "FARGATE"
    if any(names):
        providers = view.items(DESCRIBE_CAPACITY_PROVIDERS, capacityProviders=sorted(names))
        managed = any(provider.get("type") == "MANAGED_INSTANCES" for provider in providers)
        return "MANAGED_INSTANCES" if managed else "EC2"
    return "FARGATE" if "FARGATE" in (definition.get("requiresCompatibilities") or ()) else "EC2"


# ---- places ----------------------------------------------------------------------------------------------------------


def _of_configuration(service: Item) -> Iterator[Place]:
    network = (service.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}
    for subnet in network.get("subnets", ()):
        yield Place(
            subnet=subnet,
            groups=tuple(network.get("securityGroups", ())),
            public_address=network.get("assignPublicIp") == "ENABLED",
            names_no_group=not network.get("securityGroups"),
        )


def _of_attachments(view: View, task: Item, options: Options) -> Iterator[Place]:
    """The task's interface where it exists; after the task has stopped, its subnet and the service's groups."""
    details = {
        detail["name"]: detail.get("value")
        for attachment in task.get("attachments", ())
        for detail in attachment.get("details", ())
    }
    interface = view.item(INTERFACES, details["networkInterfaceId"]) if details.get("networkInterfaceId") else None
    if interface is not None:
        yield of_interface(interface)
        return
    if details.get("subnetId"):
        address = details.get("privateIPv4Address")
        groups, public, names_no_group = options.security_groups, None, False
        group = str(task.get("group") or "")
        if not groups and group.startswith("service:"):
            name = group.removeprefix("service:")
            found = view.items(DESCRIBE_SERVICES, cluster=task.get("clusterArn") or options.cluster, services=[name])
            places = [place for service in found for place in _of_configuration(_with_task_set(service))]
            groups = places[0].groups if places else ()
            public = places[0].public_address if places else None
            names_no_group = bool(places) and places[0].names_no_group
        yield Place(
            subnet=str(details["subnetId"]),
            groups=groups,
            addresses=(address,) if address else (),
            public_address=public,
            names_no_group=names_no_group,
        )


def _of_instances(
    view: View, options: Options, arns: Sequence[str], *, cluster: str | None = None
) -> tuple[Place, ...]:
    """The primary interfaces of the instances, each subnet with its groups once."""
    ids: list[str] = []
    for start in range(0, len(arns), _INSTANCES_PER_CALL):
        some = list(arns[start : start + _INSTANCES_PER_CALL])
        found = view.items(DESCRIBE_CONTAINER_INSTANCES, cluster=cluster or options.cluster, containerInstances=some)
        found_ids = (str(instance.get("ec2InstanceId") or "") for instance in found)
        # An external instance has an id of Systems Manager, "mi-…", for which EC2 refuses the whole call.
        ids += [identity for identity in found_ids if identity.startswith("i-")]
    instances = [instance for instance in view.some(INSTANCES, ids).values() if instance is not None]
    places: dict[tuple[str, tuple[str, ...]], Place] = {}
    for instance in instances:
        windows = str(instance.get("Platform")).lower() == "windows"  # of Linux EC2 lists none
        for interface in sorted(instance.get("NetworkInterfaces", ()), key=_device)[:1]:
            place = replace(of_interface(interface), windows=windows)
            places.setdefault((place.subnet, place.groups), place)
    return tuple(places.values())


def _device(interface: Item) -> int:
    """Its place on the instance: 0 is the primary interface's. EC2 lists them in no particular order."""
    return int((interface.get("Attachment") or {}).get("DeviceIndex") or 0)


def of_interface(interface: Item) -> Place:
    """Where a pull over this network interface starts."""
    ipv4 = [
        entry["PrivateIpAddress"] for entry in interface.get("PrivateIpAddresses", ()) if entry.get("Primary", True)
    ]
    ipv6 = [entry["Ipv6Address"] for entry in interface.get("Ipv6Addresses", ())]
    return Place(
        subnet=interface["SubnetId"],
        groups=tuple(group["GroupId"] for group in interface.get("Groups", ())),
        interface=interface["NetworkInterfaceId"],
        addresses=(*(ipv4 or filter(None, [interface.get("PrivateIpAddress")])), *ipv6),
        public_address=bool((interface.get("Association") or {}).get("PublicIp")),
    )


# ---- the digests that ECS pinned -------------------------------------------------------------------------------------


def _pins_of_task(
    view: View, task: Item, definition: Item, cluster: str, service: str
) -> Iterator[tuple[ImageReference, Pin]]:
    """The tags of a service's task, with the revision of the service that runs this task definition."""
    revision = None
    try:
        for described in view.items(DESCRIBE_SERVICES, cluster=cluster, services=[service]):
            revision = _revision(view, described, str(task["taskDefinitionArn"]))
    except MissingError as error:
        if error.obstacle is None:
            raise
    started_from = {container.get("name"): container.get("imageDigest") for container in task.get("containers", ())}
    for image, pin in _pins(definition, revision):
        digest = started_from.get(pin.container)
        if revision is not None or digest:
            yield image, replace(pin, started_from=digest)


def _revision(view: View, service: Item, definition: str) -> str | None:
    """The service's newest revision with this task definition. AWS[ecs-version-consistency]

    Of a single one the digests are read later, by the gate that needs them.
    """
    arns = [str(revision["arn"]) for revision in service.get("currentServiceRevisions") or () if revision.get("arn")]
    if len(arns) < 2 and service.get("taskDefinition") in (None, definition):
        return arns[0] if arns else None
    found: list[Item] = []
    missing = None
    for arn in arns:
        try:
            found += view.items(SERVICE_REVISIONS, serviceRevisionArns=[arn])
        except MissingError as error:
            missing = missing if missing is not None and missing.obstacle is None else error
    if missing is not None:
        if missing.obstacle is None:
            raise missing
        return arns[-1]  # which of them it is cannot be read, as the gate will answer
    own = [item for item in found if item.get("taskDefinition") == definition]
    newest = max(own, key=lambda item: str(item.get("createdAt")), default=None)
    return str(newest["serviceRevisionArn"]) if newest else None


def _pins(definition: Item, revision: str | None) -> Iterator[tuple[ImageReference, Pin]]:
    """The tags that ECS resolves. A container can be left out of it (versionConsistency)."""
    for container in definition.get("containerDefinitions", ()):
        try:
            image = parse_image(str(container.get("image") or ""), listed_regions=False)
        except ValueError:
            continue
        if isinstance(image, OtherImage) or image.digest or container.get("versionConsistency") == "disabled":
            continue
        yield image, Pin(tag=image.tag or "latest", container=str(container.get("name")), revision=revision)


# ---- the task definition ---------------------------------------------------------------------------------------------


def _workload(
    definition: Item,
    launch_type: str,
    places: tuple[Place, ...],
    options: Options,
    role: str | None = None,
    **fields: Any,
) -> Workload:
    containers = definition.get("containerDefinitions", ())
    images = tuple(dict.fromkeys(str(container["image"]) for container in containers if container.get("image")))
    return Workload(
        launch_type=launch_type,
        images=(options.image.text,) if options.image else images,
        places=places,
        role=options.execution_role or role or definition.get("executionRoleArn"),
        network_mode=definition.get("networkMode"),
        cluster=options.cluster,
        logs=tuple(_logs(containers)),
        created_log_groups=tuple(_created_log_groups(containers)),
        secrets=tuple(dict.fromkeys(_secrets(definition))),
        platform=_platform(definition, launch_type),
        windows=_is_windows(definition, launch_type),
        reads_manifest=options.read_manifest,
        **fields,
    )


def _logs(containers: Sequence[Item]) -> Iterator[LogDestination]:
    for number, container in enumerate(containers):
        log = container.get("logConfiguration") or {}
        if log.get("logDriver") == "awslogs":
            options = log.get("options") or {}
            yield LogDestination(
                container=str(container.get("name")),
                region=options.get("awslogs-region"),
                group=options.get("awslogs-group"),
                stream=None,
                own=number == 0,
            )


def _secrets(definition: Item) -> Iterator[str]:
    """What ECS reads before the containers start: their secrets, and logins to other registries and to shares."""
    for volume in definition.get("volumes", ()):
        yield str(volume["fsxWindowsFileServerVolumeConfiguration"]["authorizationConfig"]["credentialsParameter"])
    for container in definition.get("containerDefinitions", ()):
        yield from (str(secret["valueFrom"]) for secret in container.get("secrets", ()))
        login = (container.get("repositoryCredentials") or {}).get("credentialsParameter")
        if login:
            yield str(login)


def _created_log_groups(containers: Sequence[Item]) -> Iterator[str]:
    for container in containers:
        options = (container.get("logConfiguration") or {}).get("options") or {}
        if str(options.get("awslogs-create-group")).lower() == "true" and options.get("awslogs-group"):
            yield str(options["awslogs-group"])


def _is_windows(definition: Item, launch_type: str) -> bool | None:
    """By the task definition, which need not name its system on instances."""
    family = (definition.get("runtimePlatform") or {}).get("operatingSystemFamily")
    if not family:
        return False if launch_type == "FARGATE" else None
    return str(family).startswith("WINDOWS")


def _platform(definition: Item, launch_type: str) -> str | None:
    """The platform in an image's words (botocore ecs, CPUArchitecture and OSFamily). On instances it is theirs, unless
    the task definition names it."""
    platform = definition.get("runtimePlatform") or {}
    if launch_type != "FARGATE" and not platform.get("cpuArchitecture"):
        return None
    system = "windows" if _is_windows(definition, launch_type) else "linux"
    architecture = {"X86_64": "amd64", "ARM64": "arm64"}.get(str(platform.get("cpuArchitecture") or "X86_64"))
    return f"{system}/{architecture}" if architecture else None

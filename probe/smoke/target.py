"""What is run, where and with which role: read from the task definition and the service before a task is started."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from probe.config import readers
from probe.config.commands import COMMANDS
from probe.config.flags import FARGATE_PROVIDERS, UsageError
from probe.images import OtherImage, parse_image
from probe.model import ImageReference
from probe.narration import few
from probe.operator.aws import ApiError, Kind
from probe.records import Record
from probe.safe_words import quoted
from probe.smoke.options import Options

Call = Callable[..., Mapping[str, Any]]  # call("ecs:DescribeServices", cluster=…); raises ApiError
_PROBE = "ecr-probe"  # the name of the probe's container, or of its image
_SUBNETS_PER_CALL = 200


class Log(Record, frozen=True):
    """Where the awslogs driver writes the lines of the probe's container."""

    group: str
    region: str | None  # None: the cluster's
    prefix: str

    def stream(self, container: str, task_arn: str) -> str:
        return f"{self.prefix}/{container}/{task_arn.rpartition('/')[2]}"


class Target(Record, frozen=True):
    """`request` contains RunTask's parameters that all subnets share."""

    task_definition: str
    container: str
    essential: bool
    own_interface: bool  # awsvpc mode: the task has an interface, with a subnet and security groups
    subnets: tuple[str, ...]
    network: Mapping[str, Any]  # awsvpcConfiguration without the subnets
    request: Mapping[str, Any]
    role: str | None
    log: Log | None
    image: ImageReference | None  # the probe's own, which ECS pulls; None: not in private ECR
    vpc_cidrs: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def launch_type(self) -> str | None:
        """ECS's word, None where a capacity provider's instances decide it."""
        strategy = self.request.get("capacityProviderStrategy", ())
        if any(entry.get("capacityProvider") in FARGATE_PROVIDERS for entry in strategy):
            return "FARGATE"
        return self.request.get("launchType")

    @property
    def own_image(self) -> str | None:
        """The probe's own image as it is written; None: it is not in private ECR."""
        return self.image.text if self.image else None

    def in_subnet(self, subnet: str) -> dict[str, Any]:
        """RunTask's parameters for a task in `subnet`. ECS would choose among several, so each needs its own call.
        Without an interface of its own, a task is in the subnet of its instance."""
        if self.own_interface:
            where = {"awsvpcConfiguration": {"subnets": [subnet], **self.network}}
            return {**self.request, "networkConfiguration": where}
        constraint = {"type": "memberOf", "expression": f"attribute:ecs.subnet-id == {subnet}"}
        return {**self.request, "placementConstraints": [constraint]}


def read_target(options: Options, call: Call, *, region: str) -> Target:
    """Raises UsageError for what the user must change, ApiError for temporary errors."""
    service = read_service(options, call, region) if options.service is not None else None
    definition = read_definition(options, call, options.task_definition, region, flag="task-definition")
    container = _container(options, definition)
    own_interface = definition.get("networkMode") == "awsvpc"
    role = _execution_role(options, call, region, definition, service) if options.as_execution_role else None
    log = _log(container)
    return Target(
        task_definition=str(definition["taskDefinitionArn"]),
        container=str(container["name"]),
        essential=container.get("essential") is not False,
        own_interface=own_interface,
        subnets=_subnets(options, service, own_interface=own_interface),
        network=_network(options, service, own_interface=own_interface),
        request={
            **_launch_parameters(options, service, definition, own_interface=own_interface),
            "overrides": _overrides(options, str(container["name"]), role),
        },
        role=role,
        log=log,
        image=_image(container),
        vpc_cidrs=tuple(_vpc_cidrs(container)),
        notes=tuple(_notes(options, definition, log)),
    )


# ---- the service -----------------------------------------------------------------------------------------------------


def read_service(options: Options, call: Call, region: str) -> Mapping[str, Any]:
    """As DescribeServices returns it, with the network of its primary task set. Raises UsageError and ApiError."""
    try:
        reply = call("ecs:DescribeServices", cluster=options.cluster, services=[options.service])
    except ApiError as error:
        raise refusal_of(error, options, region) from None
    service = next(iter(reply.get("services", ())), None)
    name = quoted(options.service or "")
    if service is None:
        raise options.arguments.refusal("service", f"{name} is not in cluster {options.cluster} in {region}")
    if service.get("status") == "INACTIVE":
        raise options.arguments.refusal("service", f"{name} was deleted")
    # With CodeDeploy or an external deployment controller, the network of a service is that of its primary task set.
    sets: Sequence[Mapping[str, Any]] = service.get("taskSets") or ()
    primary = next((task_set for task_set in sets if task_set.get("status") == "PRIMARY"), sets[0] if sets else {})
    return {key: value for part in (primary, service) for key, value in part.items() if value}


def placement_of(service: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """The service's awsvpcConfiguration. None in bridge and host mode."""
    placement = ((service or {}).get("networkConfiguration") or {}).get("awsvpcConfiguration")
    return placement if isinstance(placement, Mapping) else None


def _subnets(options: Options, service: Mapping[str, Any] | None, *, own_interface: bool) -> tuple[str, ...]:
    service_subnets = tuple(dict.fromkeys((placement_of(service) or {}).get("subnets", ())))
    if not service_subnets:
        if not options.subnets:
            sentence = "the service's tasks have no subnets of their own (bridge or host mode); name the instances'"
            raise options.arguments.refusal("subnets", sentence)
        return options.subnets
    foreign = next((subnet for subnet in options.subnets if subnet not in service_subnets), None)
    if foreign is not None and own_interface:
        raise options.arguments.refusal("subnets", f"{foreign} is not one of the service's: {few(service_subnets)}")
    return options.subnets or service_subnets


def _network(options: Options, service: Mapping[str, Any] | None, *, own_interface: bool) -> Mapping[str, Any]:
    arguments, placement = options.arguments, placement_of(service)
    if not own_interface:
        for name in ("security-groups", "assign-public-ip"):
            if name in arguments:
                raise arguments.refusal(name, "in bridge or host mode a task has no interface of its own; leave it out")
        return {}
    if service is None:
        if not options.security_groups:
            raise arguments.refusal("security-groups", "without it the tasks get the VPC's default group, not yours")
        return {
            "securityGroups": list(options.security_groups),
            "assignPublicIp": "ENABLED" if options.public_ip else "DISABLED",
        }
    if placement is None:
        raise arguments.refusal(
            "service",
            f"its tasks are in bridge or host mode, but those of {quoted(options.task_definition)} "
            "in awsvpc mode; --task-definition (ECR_PROBE_TASK_DEFINITION) names another",
        )
    return {
        "securityGroups": list(placement.get("securityGroups", ())),
        "assignPublicIp": placement.get("assignPublicIp", "DISABLED"),
    }


def _launch_parameters(
    options: Options, service: Mapping[str, Any] | None, definition: Mapping[str, Any], *, own_interface: bool
) -> dict[str, Any]:
    if service is not None:
        parameters: dict[str, Any] = {}
        strategy = service.get("capacityProviderStrategy")
        if strategy:
            parameters["capacityProviderStrategy"] = list(map(dict, strategy))
        elif service.get("launchType"):
            parameters["launchType"] = service["launchType"]
        if service.get("platformVersion"):
            parameters["platformVersion"] = service["platformVersion"]
        return parameters
    if options.capacity_provider is not None:
        return {"capacityProviderStrategy": [{"capacityProvider": options.capacity_provider, "weight": 1}]}
    if options.launch_type == "FARGATE" and not own_interface:
        mode = definition.get("networkMode") or "bridge"
        sentence = f"the task definition is in {mode} mode, which Fargate does not have"
        raise options.arguments.refusal("launch-type", sentence)
    compatible = definition.get("requiresCompatibilities") or definition.get("compatibilities") or ("FARGATE",)
    fargate = own_interface and "FARGATE" in compatible
    return {"launchType": options.launch_type or ("FARGATE" if fargate else "EC2")}


# ---- the task definition ---------------------------------------------------------------------------------------------


def read_definition(options: Options, call: Call, name: str, region: str, *, flag: str) -> Mapping[str, Any]:
    """As DescribeTaskDefinition returns it. `flag` names it in errors. Raises UsageError and ApiError."""
    try:
        reply = call("ecs:DescribeTaskDefinition", taskDefinition=name)
    except ApiError as error:
        if error.kind is Kind.REFUSED and error.code == "ClientException":
            raise options.arguments.refusal(flag, f"{quoted(name)} is not registered in {region}") from None
        raise refusal_of(error, options, region) from None
    definition: Mapping[str, Any] = reply.get("taskDefinition") or {}
    if definition.get("status") == "INACTIVE":
        raise options.arguments.refusal(flag, f"{quoted(name)} was deregistered")
    return definition


def _container(options: Options, definition: Mapping[str, Any]) -> Mapping[str, Any]:
    """The probe's container: the one with the name in the options, else with our name, else with our image."""
    containers = definition.get("containerDefinitions") or ()
    names = few(str(container.get("name")) for container in containers)
    name = options.container or _PROBE
    candidates = [container for container in containers if container.get("name") == name]
    if options.container is None:
        candidates = candidates or [
            container for container in containers if _repository(str(container.get("image", ""))) == _PROBE
        ]
    elif not candidates:
        sentence = f"{quoted(name)} is not in the task definition, which has {names}"
        raise options.arguments.refusal("container", sentence)
    if len(candidates) != 1:
        count = "several containers run" if candidates else "no container runs"
        raise options.arguments.refusal(
            "container",
            f"in {quoted(options.task_definition)} {count} an image {_PROBE}, and none has that name; "
            f"its containers are {names}",
        )
    command = candidates[0].get("command") or ()
    if command and command[0] in COMMANDS and command[0] != "check":
        sentence = f"its command is {command[0]}, but smoke needs check, which measures once and ends"
        raise options.arguments.refusal("task-definition", sentence)
    return dict(candidates[0])


def _repository(image: str) -> str:
    """The last part of an image's repository name."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[0]


def _execution_role(
    options: Options, call: Call, region: str, definition: Mapping[str, Any], service: Mapping[str, Any] | None
) -> str:
    if service is not None:
        name = str(service.get("taskDefinition") or "")
        definition = read_definition(options, call, name, region, flag="service")
    role = definition.get("executionRoleArn")
    if not role:
        name = str(definition.get("taskDefinitionArn", "")).rpartition("/")[2]
        raise options.arguments.refusal(
            "as-execution-role",
            f"{name} has no execution role: on EC2 the instances' role pulls, and a task cannot use that role",
        )
    return str(role)


def _overrides(options: Options, container: str, role: str | None) -> dict[str, Any]:
    variables = {"ECR_PROBE_FORMAT": "json"}
    if options.image is not None:
        variables["ECR_PROBE_IMAGE"] = options.image
    if options.strict:
        variables["ECR_PROBE_STRICT"] = "true"  # then the exit code alone distinguishes degraded from pass
    if role is not None:
        variables["ECR_PROBE_PULL_ROLE"] = role
    environment = [{"name": name, "value": value} for name, value in variables.items()]
    overrides: dict[str, Any] = {"containerOverrides": [{"name": container, "environment": environment}]}
    return {**overrides, "taskRoleArn": role} if role is not None else overrides


def _log(container: Mapping[str, Any]) -> Log | None:
    configuration = container.get("logConfiguration") or {}
    driver_options = configuration.get("options") or {}
    group, prefix = driver_options.get("awslogs-group"), driver_options.get("awslogs-stream-prefix")
    if configuration.get("logDriver") != "awslogs" or not group or not prefix:
        return None
    return Log(str(group), driver_options.get("awslogs-region"), str(prefix))


def _image(container: Mapping[str, Any]) -> ImageReference | None:
    try:
        image = parse_image(str(container.get("image") or ""), listed_regions=False)
    except ValueError:
        return None
    return None if isinstance(image, OtherImage) else image


def _vpc_cidrs(container: Mapping[str, Any]) -> Iterator[str]:
    """The ranges that the check in the task counts as the VPC's. Invalid ones are left to it to reject."""
    for variable in container.get("environment") or ():
        if variable.get("name") == "ECR_PROBE_VPC_CIDR":
            for text in str(variable.get("value", "")).replace(",", " ").split():
                try:
                    yield readers.cidr(text)
                except ValueError:
                    continue


def _notes(options: Options, definition: Mapping[str, Any], log: Log | None) -> Iterator[str]:
    if log is None:
        yield (
            "verdicts are exit codes, because the documents cannot be read: the probe's container has no awslogs "
            "driver with a stream prefix"
        )
    if definition.get("networkMode") != "awsvpc" and not options.as_execution_role:
        yield (
            "the tasks use their instances' interface, as pulls do there, but their own role; where the instance's "
            "role pulls, a task cannot use that role"
        )


# ---- the subnets -----------------------------------------------------------------------------------------------------


def read_zones(options: Options, call: Call, subnets: Sequence[str], region: str, notes: list[str]) -> dict[str, str]:
    """The zone of each subnet. A subnet that does not exist is refused before a task is started in another.

    The permission is optional: without it a note is added, and ECS reports the zones of the tasks. Raises UsageError.
    """
    zones: dict[str, str] = {}
    try:
        for start in range(0, len(subnets), _SUBNETS_PER_CALL):
            batch = list(subnets[start : start + _SUBNETS_PER_CALL])
            for subnet in call("ec2:DescribeSubnets", retry=False, SubnetIds=batch).get("Subnets", ()):
                zones[str(subnet.get("SubnetId"))] = str(subnet.get("AvailabilityZone"))
    except ApiError as error:
        if error.code.startswith("InvalidSubnetI"):
            missing = few(re.findall(r"subnet-[0-9a-f]+", error.text)) or "one of them"
            raise options.arguments.refusal("subnets", f"{missing} does not exist in {region}") from None
        if error.kind is Kind.CREDENTIALS:
            raise
        hint = f"; {options.policy} allows it" if error.kind is Kind.DENIED else ""
        notes.append(f"zones are those of the tasks, because the subnets could not be described: {error}{hint}")
    return zones


# ---- what AWS refuses ------------------------------------------------------------------------------------------------


def refusal_of(error: ApiError, options: Options, region: str) -> UsageError | ApiError:
    """A UsageError for what the user must change; a temporary error is returned unchanged."""
    match error.kind:
        case Kind.DENIED:
            return UsageError(
                f"{error.action} is not allowed to these credentials; {options.policy} allows it ({error.text})"
            )
        case Kind.CREDENTIALS:
            return UsageError(
                f"{error.text}; --profile (ECR_PROBE_PROFILE) names others, for example --profile default"
            )
        case Kind.REFUSED if error.code == "ClusterNotFoundException":
            return options.arguments.refusal("cluster", f"{quoted(options.cluster)} is not a cluster in {region}")
        case Kind.REFUSED:
            return UsageError(f"{error.action} was refused: {error.code}: {error.text}")
    return error

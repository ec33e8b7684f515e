"""What is run, where and as whom: read from the task definition and the service before anything is started."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from probe.config import readers
from probe.config.flags import UsageError
from probe.images import OtherImage, parse_image
from probe.model import ImageReference
from probe.operator.aws import POLICY, ApiError, Kind
from probe.records import Record
from probe.safe_words import quoted
from probe.smoke.options import Options

Ask = Callable[..., Mapping[str, Any]]  # ask("ecs:DescribeServices", cluster=…); raises ApiError
OURS = "ecr-probe"
_SUBNETS_AT_ONCE = 200
_ENDLESS = ("serve", "health", "demo", "schema", "explain", "smoke")


class Log(Record, frozen=True):
    """Where our container's lines go. The stream ends in the task's id."""

    group: str
    region: str | None  # None: the cluster's
    prefix: str

    def stream(self, container: str, task_arn: str) -> str:
        return f"{self.prefix}/{container}/{task_arn.rpartition('/')[2]}"


class Target(Record, frozen=True):
    """`request` holds RunTask's arguments that all subnets share."""

    task_definition: str
    container: str
    essential: bool
    own_interface: bool  # awsvpc: the task has an interface, with a subnet and security groups
    subnets: tuple[str, ...]
    network: Mapping[str, Any]  # awsvpcConfiguration but for the subnets
    request: Mapping[str, Any]
    role: str | None
    log: Log | None
    image: ImageReference | None  # the container's own, which ECS pulls; None: from elsewhere
    vpc_cidrs: tuple[str, ...]
    notes: tuple[str, ...]

    def in_subnet(self, subnet: str) -> dict[str, Any]:
        """RunTask chooses one of several subnets, so each has a call of its own. Without an interface of its own a task
        is in the subnet of its instance."""
        if self.own_interface:
            where = {"awsvpcConfiguration": {"subnets": [subnet], **self.network}}
            return {**self.request, "networkConfiguration": where}
        constraint = {"type": "memberOf", "expression": f"attribute:ecs.subnet-id == {subnet}"}
        return {**self.request, "placementConstraints": [constraint]}


def read(options: Options, ask: Ask, *, region: str) -> Target:
    """Raises UsageError for what the user must change, ApiError where AWS does not answer."""
    service = _service(options, ask, region) if options.service is not None else None
    definition = _definition(options, ask, options.task_definition, region, flag="task-definition")
    container = _container(options, definition)
    own_interface = definition.get("networkMode") == "awsvpc"
    role = _execution_role(options, ask, region, definition, service) if options.as_execution_role else None
    log = _log(container)
    return Target(
        task_definition=str(definition["taskDefinitionArn"]),
        container=str(container["name"]),
        essential=container.get("essential") is not False,
        own_interface=own_interface,
        subnets=_subnets(options, service, own_interface=own_interface),
        network=_network(options, service, own_interface=own_interface),
        request={
            **_launch(options, service, definition, own_interface=own_interface),
            "overrides": _overrides(options, str(container["name"]), role),
        },
        role=role,
        log=log,
        image=_image(container),
        vpc_cidrs=tuple(_vpc_cidrs(container)),
        notes=tuple(_notes(options, definition, log)),
    )


# ---- the service -----------------------------------------------------------------------------------------------------


def _service(options: Options, ask: Ask, region: str) -> Mapping[str, Any]:
    try:
        answer = ask("ecs:DescribeServices", cluster=options.cluster, services=[options.service])
    except ApiError as error:
        raise refused(error, options, region) from None
    found = next(iter(answer.get("services", ())), None)
    if found is None:
        where = f"cluster {options.cluster} in {region}"
        raise options.given.refusal("service", f"{quoted(options.service or '')} is not in {where}")
    if found.get("status") == "INACTIVE":
        raise options.given.refusal("service", f"{quoted(options.service or '')} has been deleted")
    # Where CodeDeploy or another controller deploys, the task set that takes the traffic says what is missing here.
    sets: Sequence[Mapping[str, Any]] = found.get("taskSets") or ()
    primary = next((each for each in sets if each.get("status") == "PRIMARY"), sets[0] if sets else {})
    return {key: value for told in (primary, found) for key, value in told.items() if value}


def _placed(service: Mapping[str, Any]) -> Mapping[str, Any] | None:
    found = (service.get("networkConfiguration") or {}).get("awsvpcConfiguration")
    return found if isinstance(found, Mapping) else None


def _subnets(options: Options, service: Mapping[str, Any] | None, *, own_interface: bool) -> tuple[str, ...]:
    placed = _placed(service) if service is not None else None
    theirs = tuple(dict.fromkeys(placed.get("subnets", ()))) if placed else ()
    if not theirs:
        if not options.subnets:
            sentence = "the service's tasks have no subnets of their own (bridge or host mode); name the instances'"
            raise options.given.refusal("subnets", sentence)
        return options.subnets
    stranger = next((subnet for subnet in options.subnets if subnet not in theirs), None)
    if stranger is not None and own_interface:
        raise options.given.refusal("subnets", f"{stranger} is not one of the service's: {_few(theirs)}")
    return options.subnets or theirs


def _few(words: Sequence[str]) -> str:
    return ", ".join(words[:3]) + (f" and {len(words) - 3} more" if len(words) > 3 else "")


def _network(options: Options, service: Mapping[str, Any] | None, *, own_interface: bool) -> Mapping[str, Any]:
    given = options.given
    if not own_interface:
        for name in ("security-groups", "assign-public-ip"):
            if name in given:
                raise given.refusal(name, "in bridge or host mode a task has no interface of its own; leave it out")
        return {}
    if service is not None:
        placed = _placed(service)
        if placed is None:
            raise given.refusal(
                "service",
                f"its tasks are in bridge or host mode, and those of {quoted(options.task_definition)} "
                "in awsvpc mode; --task-definition (ECR_PROBE_TASK_DEFINITION) names another",
            )
        return {
            "securityGroups": list(placed.get("securityGroups", ())),
            "assignPublicIp": placed.get("assignPublicIp", "DISABLED"),
        }
    if not options.security_groups:
        raise given.refusal("security-groups", "without it the tasks get the VPC's default group, which is not yours")
    return {
        "securityGroups": list(options.security_groups),
        "assignPublicIp": "ENABLED" if options.public_ip else "DISABLED",
    }


def _launch(
    options: Options, service: Mapping[str, Any] | None, definition: Mapping[str, Any], *, own_interface: bool
) -> dict[str, Any]:
    if service is not None:
        found: dict[str, Any] = {}
        strategy = service.get("capacityProviderStrategy")
        if strategy:
            found["capacityProviderStrategy"] = [dict(each) for each in strategy]
        elif service.get("launchType"):
            found["launchType"] = service["launchType"]
        if service.get("platformVersion"):
            found["platformVersion"] = service["platformVersion"]
        return found
    if options.capacity_provider is not None:
        return {"capacityProviderStrategy": [{"capacityProvider": options.capacity_provider, "weight": 1}]}
    if options.launch_type == "FARGATE" and not own_interface:
        mode = definition.get("networkMode") or "bridge"
        raise options.given.refusal(
            "launch-type", f"the task definition is in {mode} mode, which Fargate does not have"
        )
    compatible = definition.get("requiresCompatibilities") or definition.get("compatibilities") or ("FARGATE",)
    fargate = own_interface and "FARGATE" in compatible
    return {"launchType": options.launch_type or ("FARGATE" if fargate else "EC2")}


# ---- the task definition ---------------------------------------------------------------------------------------------


def _definition(options: Options, ask: Ask, name: str, region: str, *, flag: str) -> Mapping[str, Any]:
    try:
        answer = ask("ecs:DescribeTaskDefinition", taskDefinition=name)
    except ApiError as error:
        if error.kind is Kind.REFUSED and error.code == "ClientException":
            raise options.given.refusal(flag, f"{quoted(name)} is not registered in {region}") from None
        raise refused(error, options, region) from None
    found: Mapping[str, Any] = answer.get("taskDefinition") or {}
    if found.get("status") == "INACTIVE":
        raise options.given.refusal(flag, f"{quoted(name)} has been deregistered")
    return found


def _container(options: Options, definition: Mapping[str, Any]) -> Mapping[str, Any]:
    containers = definition.get("containerDefinitions") or ()
    names = _few([str(each.get("name")) for each in containers])
    if options.container is not None:
        found = [each for each in containers if each.get("name") == options.container]
        if not found:
            sentence = f"{quoted(options.container)} is not in the task definition, which has {names}"
            raise options.given.refusal("container", sentence)
    else:
        found = [each for each in containers if each.get("name") == OURS]
        found = found or [each for each in containers if _repository(str(each.get("image", ""))) == OURS]
        if len(found) != 1:
            what = "several containers run" if found else "no container runs"
            raise options.given.refusal(
                "container",
                f"in {quoted(options.task_definition)} {what} an image {OURS}, and none has that name; "
                f"its containers are {names}",
            )
    command = found[0].get("command") or ()
    if command and command[0] in _ENDLESS:
        sentence = f"its command is {command[0]}, where smoke needs a check, which measures once and ends"
        raise options.given.refusal("task-definition", sentence)
    return dict(found[0])


def _repository(image: str) -> str:
    """The last part of an image's name."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[0]


def _execution_role(
    options: Options, ask: Ask, region: str, own: Mapping[str, Any], service: Mapping[str, Any] | None
) -> str:
    definition = own
    if service is not None:
        name = str(service.get("taskDefinition") or "")
        definition = _definition(options, ask, name, region, flag="service")
    role = definition.get("executionRoleArn")
    if not role:
        name = str(definition.get("taskDefinitionArn", "")).rpartition("/")[2]
        raise options.given.refusal(
            "as-execution-role",
            f"{name} has no execution role: on EC2 its instances' role pulls, and that one cannot be lent to a task",
        )
    return str(role)


def _overrides(options: Options, container: str, role: str | None) -> dict[str, Any]:
    variables = {"ECR_PROBE_FORMAT": "json"}
    if options.image is not None:
        variables["ECR_PROBE_IMAGE"] = options.image
    if options.strict:
        variables["ECR_PROBE_STRICT"] = "true"  # so that the exit code alone tells a pass from a degraded one
    if role is not None:
        variables["ECR_PROBE_PULL_ROLE"] = role
    environment = [{"name": name, "value": value} for name, value in variables.items()]
    overrides: dict[str, Any] = {"containerOverrides": [{"name": container, "environment": environment}]}
    return {**overrides, "taskRoleArn": role} if role is not None else overrides


def _log(container: Mapping[str, Any]) -> Log | None:
    logs = container.get("logConfiguration") or {}
    told = logs.get("options") or {}
    group, prefix = told.get("awslogs-group"), told.get("awslogs-stream-prefix")
    if logs.get("logDriver") != "awslogs" or not group or not prefix:
        return None
    return Log(str(group), told.get("awslogs-region"), str(prefix))


def _image(container: Mapping[str, Any]) -> ImageReference | None:
    try:
        image = parse_image(str(container.get("image") or ""), listed_regions=False)
    except ValueError:
        return None
    return None if isinstance(image, OtherImage) else image


def _vpc_cidrs(container: Mapping[str, Any]) -> Iterator[str]:
    """The ranges that the task's check counts as the VPC's; those it will refuse itself are left out."""
    for each in container.get("environment") or ():
        if each.get("name") == "ECR_PROBE_VPC_CIDR":
            for word in str(each.get("value", "")).replace(",", " ").split():
                try:
                    yield readers.cidr(word)
                except ValueError:
                    continue


def _notes(options: Options, definition: Mapping[str, Any], log: Log | None) -> Iterator[str]:
    if log is None:
        yield (
            "the probe's container has no awslogs driver with a stream prefix, so its documents cannot be fetched: "
            "verdicts are exit codes"
        )
    if definition.get("networkMode") != "awsvpc" and not options.as_execution_role:
        yield (
            "the tasks use their instances' interface, as pulls do there, and hold a role of their own; "
            "where the instance's role pulls, that one cannot be lent to a task"
        )


# ---- the subnets -----------------------------------------------------------------------------------------------------


def zones(options: Options, ask: Ask, subnets: Sequence[str], region: str, notes: list[str]) -> Mapping[str, str]:
    """The zone of each subnet, and whether it exists, before a task is started in another. A right that one can do
    without; then `notes` says so, and the tasks tell their zones. Raises UsageError."""
    found: dict[str, str] = {}
    try:
        for start in range(0, len(subnets), _SUBNETS_AT_ONCE):
            batch = list(subnets[start : start + _SUBNETS_AT_ONCE])
            for each in ask("ec2:DescribeSubnets", patient=False, SubnetIds=batch).get("Subnets", ()):
                found[str(each.get("SubnetId"))] = str(each.get("AvailabilityZone"))
    except ApiError as error:
        if error.code.startswith("InvalidSubnetI"):
            missing = _few(re.findall(r"subnet-[0-9a-f]+", error.words)) or "one of them"
            raise options.given.refusal("subnets", f"{missing} does not exist in {region}") from None
        if error.kind is Kind.CREDENTIALS:
            raise
        hint = f"; {POLICY} allows it" if error.kind is Kind.DENIED else ""
        notes.append(f"zones are told by the tasks, since the subnets could not be looked up: {error}{hint}")
    return found


# ---- what AWS refuses ------------------------------------------------------------------------------------------------


def refused(error: ApiError, options: Options, region: str) -> UsageError | ApiError:
    """The line for what the user must change; `error` itself where only time helps."""
    match error.kind:
        case Kind.DENIED:
            return UsageError(f"{error.action} is not allowed to these credentials; {POLICY} allows it ({error.words})")
        case Kind.CREDENTIALS:
            return UsageError(
                f"{error.words}; --profile (ECR_PROBE_PROFILE) names others, for example --profile default"
            )
        case Kind.REFUSED if error.code == "ClusterNotFoundException":
            return options.given.refusal("cluster", f"{quoted(options.cluster)} is no cluster in {region}")
        case Kind.REFUSED:
            return UsageError(f"{error.action} was refused: {error.code}: {error.words}")
    return error

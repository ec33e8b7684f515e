"""Where the task runs: metadata, credentials, proxies, and controls that show which ways lead out of the VPC."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from ipaddress import ip_address, ip_network

from probe.addresses import LINK_LOCAL_SERVICES
from probe.arns import ecs_arn
from probe.config.settings import Environment, Settings
from probe.measure.recorder import Attempt, Recorder, Run, Target
from probe.model import (
    Action,
    AnySeen,
    ControlSeen,
    CredentialsSeen,
    Failure,
    LogDestination,
    MetadataSeen,
    Path,
    Plan,
    ProxySeen,
    Step,
    Surroundings,
)
from probe.records import replace
from probe.wire import Wire, credentials, http, metadata, names
from probe.wire.errors import WireError
from probe.wire.sockets import connect

# TEST-NET-1 (RFC 5737): no host has this address, so an answer from it comes from a transparent proxy.
NO_HOST = "192.0.2.1"
AWSVPC = "awsvpc"
SERVICE_CONNECT = "ecs-service-connect-"  # AWS[service-connect-container]


def look_around(settings: Settings, wire: Wire, recorder: Recorder, *, until: float) -> Surroundings:
    """Read the task's metadata: version 4, else 3. Neither is no error; all of it takes `budget.metadata` at most."""
    environment, ends = settings.environment, time.monotonic() + settings.budget.metadata
    container, task, version = metadata.Container(), metadata.Task(), ""
    uris = {"v4": environment.metadata_v4, "v3": environment.metadata_v3}
    sources = {name: uri for name, uri in uris.items() if uri}
    if not sources:
        why = "no ECS_CONTAINER_METADATA_URI_V4 in the environment"
        recorder.skip(Target("task", Action.METADATA, "task"), blocked_by=None, detail=why)
    else:
        http.prepare()
    for name, uri in sources.items():
        read = partial(_metadata, recorder, version=name)
        # The time that one document takes is lost for the next: all of them share one budget.
        budget = replace(settings.budget, metadata=max(0.05, ends - time.monotonic()))
        document = read("task", read=partial(metadata.task_document, wire, uri, budget=budget, until=until))
        if document.value is not None:
            own = read("container", read=partial(metadata.container_document, wire, uri, budget=budget, until=until))
            container, task, version = own.value or container, document.value, name
        if version or document.step.failure is Failure.TIMEOUT:
            break
    return _surroundings(settings, wire, recorder, container, task, version=version, until=until)


def remembering(earlier: Surroundings | None, here: Surroundings) -> Surroundings:
    """What metadata answered earlier, if it answers less now: image, network interface and log drivers of a task never
    change."""
    if earlier is None or (here.image is not None and here.log_drivers_known >= earlier.log_drivers_known):
        return here
    return replace(
        earlier,
        metadata_remembered=True,
        resolvers=here.resolvers,
        proxies=here.proxies,
        clock_synchronized=None,
        fault_injection=False,
    )


def _metadata(
    recorder: Recorder, subject: str, *, version: str, read: Callable[[], metadata.Document]
) -> Attempt[metadata.Document]:
    def call() -> tuple[AnySeen, metadata.Document]:
        return MetadataSeen(version=version, status=200), read()

    target = Target("task", Action.METADATA, subject, rank=("task", "container").index(subject))
    return recorder.attempt(target, call, seen=MetadataSeen(version=version))


def _surroundings(
    settings: Settings,
    wire: Wire,
    recorder: Recorder,
    container: metadata.Container,
    task: metadata.Task,
    *,
    version: str,
    until: float,
) -> Surroundings:
    environment = settings.environment
    arn = ecs_arn(task.task_arn or "", "task")
    network = next(iter(container.networks), None)
    launch_type = task.launch_type or _launch_type(environment)
    mode = network.network_mode if network else None
    region = environment.region or (arn["region"] if arn else None) or container.log_options.get("awslogs-region")
    on_instance = bool(version) and launch_type in ("EC2", "MANAGED_INSTANCES")
    return Surroundings(
        metadata_answered=bool(version),
        log_drivers_known=version == "v4",  # version 3 does not describe logging
        path=_path(launch_type, mode, environment),
        region=region,
        account=arn["account"] if arn else None,
        launch_type=launch_type,
        network_mode=mode,
        availability_zone=task.availability_zone,
        cluster=task.cluster,
        service=environment.lambda_function or task.service,
        task_arn=task.task_arn,
        container=container.name,
        image=container.image,
        image_id=container.image_id,
        snapshotter=next((own.snapshotter for own in (*task.containers, container) if own.snapshotter), None),
        log_destinations=_log_destinations(task, container),
        subnet_cidr=_network(network.ipv4_subnet) if network else None,
        subnet_cidr_ipv6=_network(network.ipv6_subnet) if network else None,
        instance_cidrs=_instance_ranges(wire, recorder, settings, until) if on_instance else (),
        addresses=_addresses(network) if mode == AWSVPC else (),
        resolvers=wire.resolvers(),
        proxies=tuple(sorted(environment.proxies)),
        clock_synchronized=task.clock_synchronized,
        fault_injection=task.fault_injection,
        fips_endpoints=environment.fips_endpoints,
        service_connect=any((container.name or "").startswith(SERVICE_CONNECT) for container in task.containers),
    )


def _launch_type(environment: Environment) -> str | None:
    """From AWS_EXECUTION_ENV, for metadata without LaunchType (version 3, old agents)."""
    prefix = "AWS_ECS_"
    value = environment.execution_env or ""
    return value.removeprefix(prefix) if value.startswith(prefix) else None


def _path(launch_type: str | None, mode: str | None, environment: Environment) -> Path:
    if environment.lambda_function:
        return Path.LAMBDA_ENI
    if mode == AWSVPC or launch_type == "FARGATE":
        return Path.TASK_ENI
    return Path.INSTANCE_ENI if mode is not None else Path.UNKNOWN


def _log_destinations(task: metadata.Task, own: metadata.Container) -> tuple[LogDestination, ...]:
    """Every container of the task that logs with awslogs; with FireLens that may be the router alone."""
    return tuple(
        LogDestination(
            container=container.name or "",
            region=container.log_options.get("awslogs-region"),
            group=container.log_options.get("awslogs-group"),
            stream=container.log_options.get("awslogs-stream"),
            own=container.name == own.name,
        )
        for container in (task.containers or (own,))
        if container.log_driver == "awslogs"
    )


def _network(text: str | None) -> str | None:
    try:
        return str(ip_network(text or "", strict=False))
    except ValueError:
        return None


def _addresses(network: metadata.Network | None) -> tuple[str, ...]:
    """The task's own addresses. In host mode the metadata holds a list with an empty string."""
    addresses = []
    for text in (*network.ipv4_addresses, *network.ipv6_addresses) if network else ():
        try:
            addresses.append(str(ip_address(text)))
        except ValueError:
            continue
    return tuple(addresses)


def _instance_ranges(wire: Wire, recorder: Recorder, settings: Settings, until: float) -> tuple[str, ...]:
    """The VPC's ranges, which only the metadata of an EC2 instance has."""

    def call() -> tuple[AnySeen, tuple[str, ...]]:
        ranges = metadata.instance_vpc_cidrs(wire, budget=settings.budget, until=until)
        return MetadataSeen(version="instance", status=200), tuple(text for text in map(_network, ranges) if text)

    target = Target("task", Action.METADATA, "instance", rank=2)
    return recorder.attempt(target, call, seen=MetadataSeen(version="instance")).value or ()


# ---- during the run -------------------------------------------------------------------------------------------------


def find_credentials(run: Run, settings: Settings) -> Attempt[credentials.FoundCredentials]:
    """Go through botocore's chain, and once more after a failure that may pass (the agent answers 503 at its start)."""
    # One after the other, on one thread: libraries that are imported concurrently race for the interpreter's warning
    # filters, and can see each other half initialized. Everything that speaks HTTP waits for these credentials.
    http.prepare()
    credentials.prepare()

    def call() -> tuple[AnySeen, credentials.FoundCredentials]:
        caller = credentials.find(
            run.wire,
            settings.environ,
            allow_instance=settings.allow_instance_role,
            budget=run.plan.budget,
            until=run.until,
        )
        return CredentialsSeen(source=caller.source, arn=caller.arn), caller

    target = Target("task", Action.CREDENTIALS, "chain")
    return run.with_retry(lambda: run.recorder.attempt(target, call, seen=CredentialsSeen()))


def look_at_proxies(run: Run, environment: Environment) -> Step:
    """Which proxy variables are set, and which hosts NO_PROXY does not cover. No connection of ours uses them."""
    # HTTP_PROXY alone takes plain HTTP, which only the link-local services speak.
    all_hosts = any(name.upper() != "HTTP_PROXY" for name in environment.proxies)
    hosts = (*LINK_LOCAL_SERVICES, *(_hosts(run.plan) if all_hosts else ()))
    no_proxy = environment.no_proxy or ""
    uncovered = tuple(host for host in hosts if not _is_bypassed(host, no_proxy)) if environment.proxies else ()

    def call() -> tuple[AnySeen, None]:
        variables = tuple(sorted(environment.proxies))
        return ProxySeen(variables=variables, bypassed=bool(variables) and not uncovered, uncovered=uncovered), None

    return run.recorder.attempt(Target("task", Action.ENVIRONMENT, "proxy"), call).step


def _hosts(plan: Plan) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*(endpoint.host for endpoint in plan.endpoints), plan.layer_host)))


def _is_bypassed(host: str, no_proxy: str) -> bool:
    """Whether NO_PROXY covers the host: by suffix, as all clients read it, or by range, as some do."""
    entries = [entry.strip().lower().lstrip(".") for entry in no_proxy.split(",") if entry.strip()]
    if any(entry == "*" or host == entry or host.endswith(f".{entry}") for entry in entries):
        return True
    try:
        return any(ip_address(host) in ip_network(entry, strict=False) for entry in entries if "/" in entry)
    except ValueError:
        return False


# ---- controls: bare connects outside the plan, on which nothing is sent ---------------------------------------------


def control_other_region(run: Run) -> None:
    """Connect to S3 of another region: a gateway endpoint routes only its own region, a NAT routes all."""
    host = run.plan.control_host
    if host is None:
        return
    ends = time.monotonic() + run.plan.budget.control  # for lookup and connect: a control must not delay the verdict

    def call() -> tuple[ControlSeen, None]:
        address = _control_address(run, host, until=min(run.until, ends))
        reached = _is_reachable(run, address, seconds=ends - time.monotonic()) if address else None
        return ControlSeen(host=host, address=address, reached=reached), None

    run.recorder.attempt(Target("s3", Action.CONTROL, "other-region", host), call, seen=ControlSeen(host=host))


def control_transparent_proxy(run: Run) -> None:
    """Connect to an address that no host has."""

    def call() -> tuple[ControlSeen, None]:
        reached = _is_reachable(run, NO_HOST, seconds=run.plan.budget.control)
        return ControlSeen(host=NO_HOST, address=NO_HOST, reached=reached), None

    target = Target("task", Action.CONTROL, "transparent-proxy", address=NO_HOST)
    run.recorder.attempt(target, call, seen=ControlSeen(host=NO_HOST))


def _control_address(run: Run, host: str, *, until: float) -> str | None:
    servers = run.wire.resolvers()
    if not servers:
        return None
    try:
        lookup = names.lookup(run.wire, servers[0], host, "A", budget=run.plan.budget, tries=1, until=until)
    except WireError:
        return None
    return lookup.addresses[0] if lookup.addresses else None


def _is_reachable(run: Run, address: str, *, seconds: float) -> bool:
    """A refusal counts as unreachable: only a way out of the VPC matters, and a firewall that refuses is none."""
    timeout = max(0.1, min(seconds, run.plan.budget.connect))
    try:
        connect(run.wire, address, 443, timeout=timeout, until=run.until).close()
    except WireError as error:
        if error.failure in (Failure.DEADLINE, Failure.NO_RESOURCES):
            raise
        return False
    return True

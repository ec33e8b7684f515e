"""Where am I: task metadata, the environment's proxies, credentials. Facts about the task itself, before and
beside the endpoints.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from ipaddress import ip_address, ip_network

from probe.addresses import LINK_LOCAL_SERVICES
from probe.config.settings import Environment, Settings
from probe.measure.recorder import Attempt, Recorder, Run
from probe.measure.retries import with_retry
from probe.model import (
    Action,
    AnySeen,
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
from probe.wire import Wire, credentials, ecs, http

AWSVPC = "awsvpc"


def look_around(settings: Settings, wire: Wire, recorder: Recorder, *, until: float) -> Surroundings:
    """Read the task's metadata: version 4, else 3. Neither is no error; their silence costs at most
    `budget.metadata`.
    """
    environment, ends = settings.environment, time.monotonic() + settings.budget.metadata
    container, task, told_by = ecs.Container(), ecs.Task(), ""
    sources = [
        (uri, version) for uri, version in ((environment.metadata_v4, "v4"), (environment.metadata_v3, "v3")) if uri
    ]
    if sources:
        http.prepare()
    for uri, version in sources:
        ask = partial(_metadata, recorder, version=version)
        # What one document takes is gone for the next: metadata must not cost more than its budget in all.
        budget = replace(settings.budget, metadata=max(0.05, ends - time.monotonic()))
        whole = ask("task", read=partial(ecs.task_document, wire, uri, budget=budget, until=until))
        if whole.value is not None:
            own = ask("container", read=partial(ecs.container_document, wire, uri, budget=budget, until=until))
            container, task, told_by = own.value or container, whole.value, version
        if told_by or whole.step.failure is Failure.TIMEOUT:
            break
    if not sources:
        why = "no ECS_CONTAINER_METADATA_URI_V4 in the environment"
        recorder.skip("task", Action.METADATA, "task", blocked_by=None, detail=why)
    return _surroundings(settings, wire, recorder, container, task, told_by=told_by, until=until)


def remembering(known: Surroundings | None, here: Surroundings) -> Surroundings:
    """What metadata told earlier, where it tells less now: the image, the network interface and where logs go are a
    task's for life."""
    if known is None or (here.image is not None and here.log_drivers_known >= known.log_drivers_known):
        return here
    return replace(
        known,
        metadata_remembered=True,
        resolvers=here.resolvers,
        proxies=here.proxies,
        clock_synchronized=None,
        fault_injection=False,
    )


def _metadata(
    recorder: Recorder, subject: str, *, version: str, read: Callable[[], ecs.Document]
) -> Attempt[ecs.Document]:
    def call() -> tuple[AnySeen, ecs.Document]:
        return MetadataSeen(version=version, status=200), read()

    rank = ("task", "container").index(subject)
    blank = MetadataSeen(version=version)
    return recorder.attempt("task", Action.METADATA, subject, call=call, seen=blank, rank=rank)


def _surroundings(
    settings: Settings,
    wire: Wire,
    recorder: Recorder,
    container: ecs.Container,
    task: ecs.Task,
    *,
    told_by: str,
    until: float,
) -> Surroundings:
    environment = settings.environment
    arn = _Arn.of(task.task_arn)
    network = next(iter(container.networks), None)
    launch_type = task.launch_type or _launch_type(environment)
    mode = network.network_mode if network else None
    own_region = environment.region or (arn.region if arn else None) or container.log_options.get("awslogs-region")
    on_instance = bool(told_by) and launch_type in ("EC2", "MANAGED_INSTANCES")
    return Surroundings(
        metadata_answered=bool(told_by),
        log_drivers_known=told_by == "v4",  # version 3 does not describe logging
        path=_path(launch_type, mode, environment),
        region=own_region,
        account=arn.account if arn else None,
        launch_type=launch_type,
        network_mode=mode,
        availability_zone=task.availability_zone,
        cluster=task.cluster,
        service=environment.lambda_function or task.service,
        task_arn=task.task_arn,
        container=container.name,
        image=container.image,
        log_destinations=_log_destinations(task, container),
        subnet_cidr=_network(network.ipv4_subnet) if network else None,
        subnet_cidr_ipv6=_network(network.ipv6_subnet) if network else None,
        instance_cidrs=_instance_ranges(wire, recorder, settings, until) if on_instance else (),
        addresses=_addresses(network) if mode == AWSVPC else (),
        resolvers=wire.resolvers(),
        proxies=tuple(sorted(environment.proxies)),
        clock_synchronized=task.clock_synchronized,
        fault_injection=task.fault_injection,
    )


class _Arn(tuple[str, str, str]):
    """Partition, region and account of a task's ARN."""

    __slots__ = ()

    @classmethod
    def of(cls, text: str | None) -> _Arn | None:
        parts = (text or "").split(":")
        return cls((parts[1], parts[3], parts[4])) if len(parts) >= 6 and parts[0] == "arn" else None

    @property
    def region(self) -> str:
        return self[1]

    @property
    def account(self) -> str:
        return self[2]


def _launch_type(environment: Environment) -> str | None:
    """What AWS_EXECUTION_ENV tells where the metadata has no LaunchType (version 3, old agents)."""
    prefix = "AWS_ECS_"
    told = environment.execution_env or ""
    return told.removeprefix(prefix) if told.startswith(prefix) else None


def _path(launch_type: str | None, mode: str | None, environment: Environment) -> Path:
    if environment.lambda_function:
        return Path.LAMBDA_ENI
    if mode == AWSVPC or launch_type == "FARGATE":
        return Path.TASK_ENI
    return Path.INSTANCE_ENI if mode is not None else Path.UNKNOWN


def _log_destinations(task: ecs.Task, own: ecs.Container) -> tuple[LogDestination, ...]:
    """Every container of the task that logs with awslogs; a FireLens router may do so while the others use it."""
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


def _addresses(network: ecs.Network | None) -> tuple[str, ...]:
    """The task's own addresses. In host mode the metadata holds a list with an empty string."""
    found = []
    for text in (*network.ipv4_addresses, *network.ipv6_addresses) if network else ():
        try:
            found.append(str(ip_address(text)))
        except ValueError:
            continue
    return tuple(found)


def _instance_ranges(wire: Wire, recorder: Recorder, settings: Settings, until: float) -> tuple[str, ...]:
    """The VPC's ranges, which only an EC2 instance's metadata tells."""

    def call() -> tuple[AnySeen, tuple[str, ...]]:
        ranges = ecs.instance_vpc_cidrs(wire, budget=settings.budget, until=until)
        return MetadataSeen(version="instance", status=200), tuple(text for text in map(_network, ranges) if text)

    attempt = recorder.attempt(
        "task", Action.METADATA, "instance", call=call, seen=MetadataSeen(version="instance"), rank=2
    )
    return attempt.value or ()


# ---- beside the endpoints
# ------------------------------------------------------------------------------------------------------


def find_credentials(run: Run, settings: Settings) -> Attempt[credentials.FoundCredentials]:
    """botocore's chain, once more after an answer that passes (the agent answers 503 right after its start)."""

    # One after the other, on one thread: libraries imported side by side race for the interpreter's warning filters,
    # and can meet each other half initialised. All that speaks HTTP waits for these credentials.
    http.prepare()
    credentials.prepare()

    def attempt() -> Attempt[credentials.FoundCredentials]:
        def call() -> tuple[AnySeen, credentials.FoundCredentials]:
            found = credentials.find(
                run.wire,
                settings.environ,
                allow_instance=settings.allow_instance_role,
                budget=run.plan.budget,
                until=run.until,
            )
            return CredentialsSeen(source=found.source, arn=found.arn), found

        return run.recorder.attempt("task", Action.CREDENTIALS, "chain", call=call, seen=CredentialsSeen())

    return with_retry(run, attempt)


def look_at_proxies(run: Run, environment: Environment) -> Step:
    """Which proxy variables are set, and what NO_PROXY leaves to the proxy. No connection of ours uses them."""
    # HTTP_PROXY alone takes plain HTTP, and that is the link-local addresses'.
    everything = any(name.upper() != "HTTP_PROXY" for name in environment.proxies)
    hosts = (*LINK_LOCAL_SERVICES, *(_hosts(run.plan) if everything else ()))
    uncovered = (
        tuple(host for host in hosts if not _bypassed(host, environment.no_proxy or "")) if environment.proxies else ()
    )

    def call() -> tuple[AnySeen, None]:
        variables = tuple(sorted(environment.proxies))
        return ProxySeen(variables=variables, bypassed=bool(variables) and not uncovered, uncovered=uncovered), None

    return run.recorder.attempt("task", Action.ENVIRONMENT, "proxy", call=call).step


def _hosts(plan: Plan) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*(endpoint.host for endpoint in plan.endpoints), plan.layer_host)))


def _bypassed(host: str, no_proxy: str) -> bool:
    """Whether NO_PROXY names the host: by suffix as every client reads it, or by range as some do."""
    entries = [entry.strip().lower().lstrip(".") for entry in no_proxy.split(",") if entry.strip()]
    if any(entry == "*" or host == entry or host.endswith(f".{entry}") for entry in entries):
        return True
    try:
        return any(ip_address(host) in ip_network(entry, strict=False) for entry in entries if "/" in entry)
    except ValueError:
        return False

"""ECS task metadata, versions 3 and 4: what the task knows of itself.

The documents differ by launch type, platform and age of the agent, so every field may be missing or of another kind:
what cannot be read is left out, and no document makes us fail. What follows from them is decided in `measure`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec

from probe.model import Budget, Failure, MetadataSeen
from probe.records import Record, field
from probe.wire import Wire
from probe.wire.errors import WireError
from probe.wire.http import Answer, get
from probe.wire.instance import instance_metadata

_BY_STATUS = {401: Failure.DENIED, 403: Failure.DENIED, 404: Failure.NOT_FOUND, 429: Failure.THROTTLED}


class Network(Record, frozen=True, kw_only=True):
    """One attachment. In bridge mode the address is docker's, in host mode there is none."""

    network_mode: str | None = None
    ipv4_addresses: tuple[str, ...] = ()
    ipv6_addresses: tuple[str, ...] = ()
    ipv4_subnet: str | None = None
    ipv6_subnet: str | None = None


class Container(Record, frozen=True, kw_only=True):
    """`image` is as the task definition writes it."""

    name: str | None = None
    image: str | None = None
    log_driver: str | None = None
    log_options: Mapping[str, str] = field(default_factory=dict)
    networks: tuple[Network, ...] = ()


class Task(Record, frozen=True, kw_only=True):
    """`launch_type` is whatever word the agent uses. `cluster` is a name or an ARN.

    `service` is the ECS service that the task belongs to; where none is told, the task definition's family.
    """

    cluster: str | None = None
    service: str | None = None
    task_arn: str | None = None
    launch_type: str | None = None
    availability_zone: str | None = None
    containers: tuple[Container, ...] = ()
    clock_synchronized: bool | None = None
    fault_injection: bool = False


Document = TypeVar("Document", Container, Task)


def container_document(wire: Wire, base_uri: str, *, budget: Budget, until: float) -> Container:
    """Our own container. Raises WireError NOT_FOUND, DENIED, THROTTLED, SERVER_ERROR, MALFORMED, and what asking
    raises."""
    return _read(wire, base_uri, _container, budget=budget, until=until)


def task_document(wire: Wire, base_uri: str, *, budget: Budget, until: float) -> Task:
    """The whole task; `base_uri` is the same as for the container. Raises as `container_document` does."""
    return _read(wire, base_uri.rstrip("/") + "/task", _task, budget=budget, until=until)


def instance_vpc_cidrs(wire: Wire, *, budget: Budget, until: float) -> tuple[str, ...]:
    """The VPC's ranges, all IPv4 ones and all IPv6 ones, as EC2 instance metadata tells them."""
    with instance_metadata(wire, budget=budget, until=until) as metadata:
        interface = f"network/interfaces/macs/{metadata.get('mac')}"
        ranges = metadata.get(f"{interface}/vpc-ipv4-cidr-blocks").split()
        try:
            ranges += metadata.get(f"{interface}/vpc-ipv6-cidr-blocks").split()
        except WireError as error:
            if error.failure is not Failure.NOT_FOUND:  # a VPC without IPv6 has no such path
                raise
    return tuple(ranges)


def _read(wire: Wire, uri: str, build: Callable[[Any], Document], *, budget: Budget, until: float) -> Document:
    answer = get(
        wire, uri, headers={}, budget=budget, until=until, seconds=budget.metadata, limit=budget.metadata_bytes
    )
    seen = MetadataSeen(version="v3" if "/v3/" in uri else "v4", status=answer.status)
    document = _decode(answer)
    if answer.status != 200:
        failure = _BY_STATUS.get(answer.status, Failure.SERVER_ERROR if answer.status >= 500 else Failure.MALFORMED)
        words = document if isinstance(document, str) else answer.body.decode("utf-8", "replace")
        raise WireError(failure, f"task metadata answered {answer.status}: {words}", seen=seen)
    if not isinstance(document, dict):
        raise WireError(Failure.MALFORMED, "task metadata answered no document", seen=seen)
    return build(document)


def _decode(answer: Answer) -> Any:
    """The agent's errors are JSON strings, not objects."""
    try:
        return msgspec.json.decode(answer.body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


# ---- documents, field by field ---------------------------------------------------------------------------------------


def _task(document: dict[str, Any]) -> Task:
    containers = _objects(document, "Containers")
    return Task(
        cluster=_text(document, "Cluster"),
        service=_text(document, "ServiceName") or _text(document, "Family"),
        task_arn=_text(document, "TaskARN"),
        launch_type=_text(document, "LaunchType"),
        availability_zone=_text(document, "AvailabilityZone"),
        containers=tuple(_container(each) for each in containers),
        clock_synchronized=_clock(document, *containers),
        fault_injection=document.get("FaultInjectionEnabled") is True,
    )


def _container(document: dict[str, Any]) -> Container:
    options = document.get("LogOptions")
    entries = options.items() if isinstance(options, dict) else ()
    return Container(
        name=_text(document, "Name"),
        image=_text(document, "Image"),
        log_driver=_text(document, "LogDriver"),
        log_options={name: value for name, value in entries if isinstance(value, str) and value},
        networks=tuple(_network(each) for each in _objects(document, "Networks")),
    )


def _network(document: dict[str, Any]) -> Network:
    return Network(
        network_mode=_text(document, "NetworkMode"),
        ipv4_addresses=_texts(document, "IPv4Addresses"),
        ipv6_addresses=_texts(document, "IPv6Addresses"),
        ipv4_subnet=_text(document, "IPv4SubnetCIDRBlock"),
        ipv6_subnet=_text(document, "IPv6SubnetCIDRBlock"),
    )


def _clock(*documents: dict[str, Any]) -> bool | None:
    """Fargate tells it of the task; AWS's documentation shows it inside a container."""
    for document in documents:
        drift = document.get("ClockDrift")
        status = drift.get("ClockSynchronizationStatus") if isinstance(drift, dict) else None
        if isinstance(status, str) and status:
            return status == "SYNCHRONIZED"
    return None


def _text(document: dict[str, Any], key: str) -> str | None:
    value = document.get(key)
    return value if isinstance(value, str) and value else None


def _texts(document: dict[str, Any], key: str) -> tuple[str, ...]:
    values = document.get(key)
    return tuple(value for value in values if isinstance(value, str) and value) if isinstance(values, list) else ()


def _objects(document: dict[str, Any], key: str) -> tuple[dict[str, Any], ...]:
    values = document.get(key)
    return tuple(value for value in values if isinstance(value, dict)) if isinstance(values, list) else ()

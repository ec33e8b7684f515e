"""ECS task metadata (versions 3 and 4) and EC2 instance metadata (version 2).

ECS's documents differ by launch type, platform and age of the agent: a field may be missing or have another type. What
cannot be read is left out, and no document raises. What follows from the values is decided in `measure`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import msgspec

from probe.model import Budget, Failure, MetadataSeen
from probe.records import Record, field
from probe.wire import Wire
from probe.wire.aws_errors import failure_of_status
from probe.wire.errors import WireError
from probe.wire.http import Answer, Conversation, get

INSTANCE_ADDRESS = "169.254.169.254"  # link-local: security groups and network ACLs do not apply to it
# All requests to instance metadata together. Its response never reaches a container beyond the hop limit, and
# botocore waits no longer than this either.
INSTANCE_SECONDS = 1.0
_TOKEN_LIFETIME = "60"  # seconds


class Network(Record, frozen=True, kw_only=True):
    """A network attachment. In bridge mode the address is docker's; in host mode there is none."""

    network_mode: str | None = None
    ipv4_addresses: tuple[str, ...] = ()
    ipv6_addresses: tuple[str, ...] = ()
    ipv4_subnet: str | None = None
    ipv6_subnet: str | None = None


class Container(Record, frozen=True, kw_only=True):
    """`image` has the form that the task definition uses. `image_id` is a digest: on EC2 that of the image's config, on
    Fargate usually that of its manifest. AWS[ecs-image-id]
    """

    name: str | None = None
    image: str | None = None
    image_id: str | None = None
    snapshotter: str | None = None
    log_driver: str | None = None
    log_options: Mapping[str, str] = field(default_factory=dict)
    networks: tuple[Network, ...] = ()


class Task(Record, frozen=True, kw_only=True):
    """`launch_type` is the agent's text, not validated. `cluster` is a name or an ARN.

    `service` is the ECS service of the task, or the family of its task definition for a task without a service.
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


# ---- ECS task metadata -----------------------------------------------------------------------------------------------


def container_document(wire: Wire, base_uri: str, *, budget: Budget, until: float) -> Container:
    """Read the document of our own container. Raises WireError NOT_FOUND, DENIED, THROTTLED, SERVER_ERROR, MALFORMED,
    and what `get` raises."""
    return _read_document(wire, base_uri, _container, budget=budget, until=until)


def task_document(wire: Wire, base_uri: str, *, budget: Budget, until: float) -> Task:
    """Read the document of the whole task; `base_uri` and the errors are those of `container_document`."""
    return _read_document(wire, base_uri.rstrip("/") + "/task", _task, budget=budget, until=until)


def _read_document(wire: Wire, uri: str, build: Callable[[Any], Document], *, budget: Budget, until: float) -> Document:
    answer = get(
        wire, uri, headers={}, budget=budget, until=until, seconds=budget.metadata, limit=budget.metadata_bytes
    )
    seen = MetadataSeen(version="v3" if "/v3/" in uri else "v4", status=answer.status)
    document = _decode(answer)
    if answer.status != 200:
        message = document if isinstance(document, str) else answer.body.decode("utf-8", "replace")
        raise WireError(_failure(answer.status), f"task metadata answered {answer.status}: {message}", seen=seen)
    if not isinstance(document, dict):
        raise WireError(Failure.MALFORMED, "task metadata answered no document", seen=seen)
    return build(document)


def _decode(answer: Answer) -> Any:
    """The JSON value of a body, None if it is not JSON. The agent's errors are JSON strings, not objects."""
    try:
        return msgspec.json.decode(answer.body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def _failure(status: int) -> Failure:
    """As for any status, except 401: no credentials are sent here, so it is a refusal like 403."""
    failure = failure_of_status(status)
    return Failure.DENIED if failure is Failure.UNAUTHENTICATED else failure


def _task(document: dict[str, Any]) -> Task:
    containers = _objects(document, "Containers")
    return Task(
        cluster=_text(document, "Cluster"),
        service=_text(document, "ServiceName") or _text(document, "Family"),
        task_arn=_text(document, "TaskARN"),
        launch_type=_text(document, "LaunchType"),
        availability_zone=_text(document, "AvailabilityZone"),
        containers=tuple(_container(container) for container in containers),
        clock_synchronized=_clock(document, *containers),
        fault_injection=document.get("FaultInjectionEnabled") is True,
    )


def _container(document: dict[str, Any]) -> Container:
    options = document.get("LogOptions")
    entries = options.items() if isinstance(options, dict) else ()
    return Container(
        name=_text(document, "Name"),
        image=_text(document, "Image"),
        image_id=_text(document, "ImageID"),
        snapshotter=_text(document, "Snapshotter"),
        log_driver=_text(document, "LogDriver"),
        log_options={name: value for name, value in entries if isinstance(value, str) and value},
        networks=tuple(_network(network) for network in _objects(document, "Networks")),
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
    """Whether the clock is synchronized. Fargate reports it for the task; AWS's documentation shows it in a
    container."""
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


# ---- EC2 instance metadata -------------------------------------------------------------------------------------------


class InstanceMetadata:
    """A session with instance metadata. All its requests together take at most INSTANCE_SECONDS."""

    def __init__(self, conversation: Conversation, token: str, *, ends: float, limit: int) -> None:
        self._conversation = conversation
        self._headers = {"X-aws-ec2-metadata-token": token}
        self._ends = ends
        self._limit = limit

    def get(self, path: str) -> str:
        """Return the text at `path`. Raises WireError NOT_FOUND, and what `instance_metadata` raises."""
        seconds = max(0.001, self._ends - time.monotonic())
        answer = self._conversation.request(
            "GET", f"/latest/meta-data/{path}", headers=self._headers, seconds=seconds, limit=self._limit
        )
        if answer.status == 404:
            raise WireError(Failure.NOT_FOUND, f"instance metadata has no {path}")
        _require_ok(answer)
        return answer.body.decode("utf-8", "replace").strip()


@contextmanager
def instance_metadata(wire: Wire, *, budget: Budget, until: float) -> Iterator[InstanceMetadata]:
    """Open a session. Raises WireError TIMEOUT, REFUSED, UNREACHABLE, DENIED (switched off), SERVER_ERROR, MALFORMED
    …"""
    ends, limit = time.monotonic() + INSTANCE_SECONDS, budget.metadata_bytes
    with Conversation(
        wire, host=INSTANCE_ADDRESS, address=INSTANCE_ADDRESS, port=80, tls=False, until=until, budget=budget
    ) as conversation:
        headers = {"X-aws-ec2-metadata-token-ttl-seconds": _TOKEN_LIFETIME}
        answer = conversation.request(
            "PUT", "/latest/api/token", headers=headers, seconds=INSTANCE_SECONDS, limit=limit
        )
        _require_ok(answer)
        token = answer.body.decode("ascii", "replace").strip()
        if not token.isascii() or not token.isprintable():
            raise WireError(Failure.MALFORMED, "the session token of instance metadata is not printable ASCII")
        yield InstanceMetadata(conversation, token, ends=ends, limit=limit)


def instance_vpc_cidrs(wire: Wire, *, budget: Budget, until: float) -> tuple[str, ...]:
    """The ranges of the instance's VPC, first the IPv4 ones. Raises what `instance_metadata` raises."""
    with instance_metadata(wire, budget=budget, until=until) as metadata:
        interface = f"network/interfaces/macs/{metadata.get('mac')}"
        ranges = metadata.get(f"{interface}/vpc-ipv4-cidr-blocks").split()
        try:
            ranges += metadata.get(f"{interface}/vpc-ipv6-cidr-blocks").split()
        except WireError as error:
            if error.failure is not Failure.NOT_FOUND:  # a VPC without IPv6 has no such path
                raise
    return tuple(ranges)


def _require_ok(answer: Answer) -> None:
    if answer.status != 200:
        raise WireError(_failure(answer.status), f"instance metadata answered {answer.status}")

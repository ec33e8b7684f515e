from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probe.model import Budget, Failure, MetadataSeen
from probe.wire import metadata
from probe.wire.errors import WireError
from tests.wire.servers import (
    GENEROUS,
    Handler,
    HttpServer,
    NameServer,
    Server,
    answer,
    closed_port,
    limits,
    reply_then,
    silent,
    trickle,
    wire_to,
    within,
)
from tests.wire.test_names import always

BASE = "http://169.254.170.2/v4/0123-abc"
ARN = "arn:aws:ecs:eu-central-1:111122223333:task/green/0a1b2c3d4e5f60718293a4b5c6d7e8f9"
CONTAINER: dict[str, Any] = {
    "DockerId": "0a1b2c3d4e5f60718293a4b5c6d7e8f9-1234567890",
    "Name": "probe",
    "Image": "111122223333.dkr.ecr.eu-central-1.amazonaws.com/team/probe:1",
    "ImageID": "sha256:00",
    "KnownStatus": "NONE",
    "Limits": {"CPU": 0.25, "Memory": 512},
    "CreatedAt": "2026-02-03T04:05:06.123456789Z",
    "Health": {"status": "HEALTHY", "exitCode": -1},
    "LogDriver": "awslogs",
    "LogOptions": {
        "awslogs-group": "/ecs/green",
        "awslogs-region": "eu-central-1",
        "awslogs-stream": "a/probe/0a1b",
        "mode": "non-blocking",
    },
    "Networks": [
        {
            "NetworkMode": "awsvpc",
            "IPv4Addresses": ["100.64.3.17"],
            "IPv6Addresses": ["2a05:d014::17"],
            "IPv4SubnetCIDRBlock": "100.64.3.0/24",
            "IPv6SubnetCIDRBlock": "2a05:d014::/64",
            "SubnetGatewayIpv4Address": "",
            "DomainNameServers": ["100.64.0.2"],
        }
    ],
}
PAUSE: dict[str, Any] = {"Name": "~internal~ecs~pause", "Type": "CNI_PAUSE", "ImageID": ""}
TASK: dict[str, Any] = {
    "Cluster": "green",
    "TaskARN": ARN,
    "LaunchType": "FARGATE",
    "AvailabilityZone": "eu-central-1b",
    "PullStartedAt": "2026-02-03T04:05:06.1Z",
    "Containers": [CONTAINER, PAUSE],
    "ClockDrift": {"ClockErrorBound": 0.4, "ClockSynchronizationStatus": "SYNCHRONIZED"},
    "FaultInjectionEnabled": True,
}


def read_task(document: object, status: int = 200) -> metadata.Task:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    with HttpServer(lambda _: answer(status, body)) as server:
        return metadata.task_document(wire_to({80: server.port}), BASE, budget=GENEROUS, until=within())


def test_the_documents_of_the_task_and_the_container() -> None:
    def respond(request: bytes) -> bytes:
        return answer(200, json.dumps(TASK if b"/task " in request else CONTAINER).encode())

    with HttpServer(respond) as server:
        wire = wire_to({80: server.port})
        task = metadata.task_document(wire, BASE, budget=GENEROUS, until=within())
        container = metadata.container_document(wire, BASE, budget=GENEROUS, until=within())
    assert [request.split(b" ")[1] for request in server.requests] == [b"/v4/0123-abc/task", b"/v4/0123-abc"]
    assert task == metadata.Task(
        cluster="green",
        task_arn=ARN,
        launch_type="FARGATE",
        availability_zone="eu-central-1b",
        containers=(container, metadata.Container(name="~internal~ecs~pause")),
        clock_synchronized=True,
        fault_injection=True,
    )
    assert container.image == CONTAINER["Image"]
    assert container.log_options["awslogs-group"] == "/ecs/green"
    assert container.networks == (
        metadata.Network(
            network_mode="awsvpc",
            ipv4_addresses=("100.64.3.17",),
            ipv6_addresses=("2a05:d014::17",),
            ipv4_subnet="100.64.3.0/24",
            ipv6_subnet="2a05:d014::/64",
        ),
    )


@pytest.mark.parametrize(
    ("networks", "mode", "addresses"),
    [
        ([{"NetworkMode": "host", "IPv4Addresses": [""]}], "host", ()),
        ([{"NetworkMode": "bridge", "IPv4Addresses": ["172.17.0.2"]}], "bridge", ("172.17.0.2",)),
        ([{"NetworkMode": 7, "IPv4Addresses": "172.17.0.2"}], None, ()),
        ([{"IPv4Addresses": [None, 5, "10.0.0.1"]}], None, ("10.0.0.1",)),
    ],
)
def test_networks_of_every_mode(networks: object, mode: str | None, addresses: tuple[str, ...]) -> None:
    network = read_task({"Containers": [{"Networks": networks}]}).containers[0].networks[0]
    assert (network.network_mode, network.ipv4_addresses) == (mode, addresses)


@pytest.mark.parametrize(
    "document", [{}, {"Containers": None}, {"Containers": [1, None, "x"]}, {"LaunchType": ["EC2"], "ClockDrift": 3}]
)
def test_values_of_another_type_are_left_out(document: object) -> None:
    assert read_task(document) == metadata.Task()


def test_without_a_service_the_family_is_used() -> None:
    assert read_task({**TASK, "Family": "app", "ServiceName": "web"}).service == "web"
    assert read_task({**TASK, "Family": "app"}).service == "app"
    assert read_task(TASK).service is None


def test_unusual_values_are_no_errors() -> None:
    assert read_task({"LaunchType": "MOONBASE"}).launch_type == "MOONBASE"
    assert read_task(
        {"Containers": [{"LogDriver": "awsfirelens", "LogOptions": {"a": 1, "b": "c"}, "Networks": {}}]}
    ).containers == (metadata.Container(log_driver="awsfirelens", log_options={"b": "c"}),)
    drift = {"ClockSynchronizationStatus": "NOT_SYNCHRONIZED"}
    assert read_task({"Containers": [{"ClockDrift": drift}]}).clock_synchronized is False


any_value = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*TASK, *CONTAINER, *CONTAINER["Networks"][0]]), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from([*TASK, *CONTAINER]), any_value, max_size=8))
def test_no_document_raises(document: dict[str, Any]) -> None:
    assert isinstance(metadata._task(document), metadata.Task)


# ---- errors ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (404, b'"V4 task metadata handler: unable to get task arn"', Failure.NOT_FOUND),
        (429, b'"too many requests"', Failure.THROTTLED),
        (500, b'"unable to generate metadata"', Failure.SERVER_ERROR),
        (403, b"", Failure.DENIED),
        (400, b"no", Failure.MALFORMED),
        (200, b'"a string"', Failure.MALFORMED),
        (200, b"<html>", Failure.MALFORMED),
        (200, b"[" * 100_000, Failure.MALFORMED),
        (200, b'{"Cluster": "\xff"}', Failure.MALFORMED),
        (200, b"", Failure.MALFORMED),
    ],
)
def test_errors_of_the_agent(status: int, body: bytes, expected: Failure) -> None:
    with pytest.raises(WireError) as caught:
        read_task(body, status)
    assert caught.value.failure is expected
    assert caught.value.seen == MetadataSeen(version="v4", status=status)


def test_the_agents_message_is_kept() -> None:
    with pytest.raises(WireError, match="unable to get task arn"):
        read_task(b'"unable to get task arn"', 404)


def test_a_huge_document_is_refused() -> None:
    with pytest.raises(WireError) as caught:
        read_task(b'"' + b"x" * GENEROUS.metadata_bytes + b'"')
    assert caught.value.failure is Failure.TOO_LARGE


@pytest.mark.parametrize(
    ("handler", "budget", "expected"),
    [
        (silent, limits(stall=0.3), Failure.STALLED),
        (
            reply_then(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", trickle(b" ")),
            limits(metadata=0.3),
            Failure.TIMEOUT,
        ),
    ],
)
def test_a_silent_or_slow_agent(handler: Handler, budget: Budget, expected: Failure) -> None:
    with Server(handler) as server, pytest.raises(WireError) as caught:
        metadata.task_document(wire_to({80: server.port}), BASE, budget=budget, until=within())
    assert caught.value.failure is expected


def test_no_agent_listens() -> None:
    with pytest.raises(WireError) as caught:
        metadata.container_document(wire_to({80: closed_port()}), BASE, budget=GENEROUS, until=within())
    assert caught.value.failure is Failure.REFUSED


def test_a_base_uri_with_a_host_name() -> None:
    with (
        HttpServer(lambda _: answer(200, b'{"Name": "x"}')) as server,
        NameServer(always("emulator.local. 60 IN A 127.0.0.1")) as names,
    ):
        wire = wire_to(server.port, names=names.port)
        container = metadata.container_document(
            wire, f"http://emulator.local:{server.port}/v3/1", budget=GENEROUS, until=within()
        )
    assert container.name == "x"


# ---- EC2 instance metadata -------------------------------------------------------------------------------------------

MAC = "network/interfaces/macs/0e:00:00:00:00:01"


def instance(paths: dict[str, bytes]) -> Any:
    def respond(request: bytes) -> bytes:
        method, target, *_ = request.decode().split(" ")
        if method == "PUT":
            return answer(200, b"token") if target == "/latest/api/token" else answer(404)
        path = target.removeprefix("/latest/meta-data/")
        return answer(200, paths[path]) if path in paths and b"metadata-token: token" in request else answer(404)

    return respond


@pytest.mark.parametrize(
    ("ipv6", "expected"),
    [
        ({}, ("10.0.0.0/16", "100.64.0.0/16")),
        ({f"{MAC}/vpc-ipv6-cidr-blocks": b"2a05:d014::/56"}, ("10.0.0.0/16", "100.64.0.0/16", "2a05:d014::/56")),
    ],
)
def test_the_cidr_blocks_of_the_vpc(ipv6: dict[str, bytes], expected: tuple[str, ...]) -> None:
    paths = {"mac": b"0e:00:00:00:00:01\n", f"{MAC}/vpc-ipv4-cidr-blocks": b"10.0.0.0/16\n100.64.0.0/16", **ipv6}
    with HttpServer(instance(paths)) as server:
        assert metadata.instance_vpc_cidrs(wire_to({80: server.port}), budget=GENEROUS, until=within()) == expected


@pytest.mark.parametrize(
    ("respond", "expected"),
    [
        (lambda _: answer(403), Failure.DENIED),
        (lambda _: answer(500), Failure.SERVER_ERROR),
        (lambda _: answer(429), Failure.THROTTLED),
        (lambda _: answer(200, b"t\x00ken"), Failure.MALFORMED),
        (lambda _: answer(302), Failure.MALFORMED),
        (instance({}), Failure.NOT_FOUND),
    ],
)
def test_errors_of_instance_metadata(respond: Any, expected: Failure) -> None:
    with HttpServer(respond) as server, pytest.raises(WireError) as caught:
        metadata.instance_vpc_cidrs(wire_to({80: server.port}), budget=GENEROUS, until=within())
    assert caught.value.failure is expected

from __future__ import annotations

import errno
import os
import shutil
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from probe.model import Failure
from probe.wire import Wire, _IcmpWatch, read_resolvers, real_wire
from probe.wire.errors import WireError
from probe.wire.sockets import Pace, connect, has_route
from tests.wire.servers import Server, closed_port, no_datagram, no_trust, silent, trickle, wire_to, within


def wire_that_dials(dial: Callable[[str, int, float], socket.socket]) -> Wire:
    return Wire(dial, no_datagram, lambda: (), no_trust)


def failing_wire(error: OSError) -> Wire:
    def dial(_address: str, _port: int, _timeout: float) -> socket.socket:
        raise error

    return wire_that_dials(dial)


@contextmanager
def full_port() -> Iterator[int]:
    """A port with a full queue: Linux drops every further SYN."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            queued = stack.enter_context(socket.socket())
            queued.setblocking(False)
            queued.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def test_a_connection() -> None:
    with Server(silent) as server, connect(wire_to(server.port), "10.0.0.1", 443, timeout=60, until=within()) as sock:
        assert sock.getpeername() == ("127.0.0.1", server.port)


def test_refused() -> None:
    with pytest.raises(WireError) as caught:
        connect(real_wire(None), "127.0.0.1", closed_port(), timeout=60, until=within())
    assert caught.value.failure is Failure.REFUSED


@pytest.mark.skipif(sys.platform != "linux", reason="other systems answer a SYN to a full queue")
@pytest.mark.parametrize(
    ("timeout", "run_ends_in", "expected"), [(0.15, 600, Failure.TIMEOUT), (60, 0.15, Failure.DEADLINE)]
)
def test_silence_is_a_timeout_or_the_deadline(timeout: float, run_ends_in: float, expected: Failure) -> None:
    with full_port() as port, pytest.raises(WireError) as caught:
        connect(real_wire(None), "127.0.0.1", port, timeout=timeout, until=within(run_ends_in))
    assert caught.value.failure is expected


def test_no_packet_is_sent_after_the_deadline() -> None:
    with pytest.raises(WireError) as caught:
        connect(failing_wire(OSError("dialled")), "10.0.0.1", 443, timeout=60, until=within(-1))
    assert caught.value.failure is Failure.DEADLINE


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (errno.ENETUNREACH, Failure.UNREACHABLE),
        (errno.EHOSTUNREACH, Failure.UNREACHABLE),
        (errno.EADDRNOTAVAIL, Failure.UNREACHABLE),
        (errno.EINVAL, Failure.UNREACHABLE),
        (errno.EACCES, Failure.PROHIBITED),
        (errno.EPERM, Failure.PROHIBITED),
        (errno.ECONNRESET, Failure.RESET),
        (errno.ECONNREFUSED, Failure.REFUSED),
        (errno.ETIMEDOUT, Failure.TIMEOUT),
    ],
)
def test_errors_of_the_operating_system(code: int, expected: Failure) -> None:
    with pytest.raises(WireError) as caught:
        connect(failing_wire(OSError(code, os.strerror(code))), "10.0.0.1", 443, timeout=60, until=within())
    assert caught.value.failure is expected
    assert caught.value.detail


NAMESPACE_SCRIPT = """
import subprocess, time
from probe.wire import real_wire
from probe.wire.sockets import connect
from probe.wire.errors import WireError

subprocess.run("ip link set lo up; ip addr add 10.9.0.1/24 dev lo; ip route add prohibit 10.7.0.0/16;"
    "ip route add unreachable 10.6.0.0/16", shell=True, check=True)
rules = '''table ip f {
 chain o {
  type filter hook output priority 0;
  ip daddr 10.9.0.3 tcp dport 443 reject with icmp type admin-prohibited
  ip daddr 10.9.0.4 tcp dport 443 reject with icmp type host-prohibited
  ip daddr 10.9.0.5 tcp dport 443 reject with icmp type host-unreachable
 }
}
'''
subprocess.run(["nft", "-f", "-"], input=rules.encode(), check=True)
for last in ("10.9.0.3", "10.9.0.4", "10.9.0.5", "10.7.0.1", "10.6.0.1"):
    try:
        connect(real_wire(None), last, 443, timeout=30, until=time.monotonic() + 60)
    except WireError as error:
        print(error.failure)
"""


@pytest.mark.skipif(
    sys.platform != "linux" or not all(map(shutil.which, ("unshare", "ip", "nft"))),
    reason="needs namespaces and nftables",
)
def test_a_prohibiting_firewall_differs_from_a_missing_host() -> None:
    command = ["unshare", "--map-root-user", "--net", sys.executable, "-c", textwrap.dedent(NAMESPACE_SCRIPT)]
    process = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if process.returncode:
        pytest.skip(f"no namespace here: {process.stderr.strip()[-100:]}")
    assert process.stdout.split() == ["prohibited", "prohibited", "unreachable", "prohibited", "unreachable"]


def test_a_missing_route_is_reported_immediately() -> None:
    began = time.monotonic()
    with socket.socket() as sock:
        sock.settimeout(60)
        with pytest.raises(OSError, match="no route"), _IcmpWatch(sock):
            raise OSError(errno.ENETUNREACH, "no route")
    assert time.monotonic() - began < 30


# ---- every call has a limit ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("idle", "run_ends_in", "expected"), [(0.1, 600, Failure.STALLED), (60, 0.1, Failure.DEADLINE)]
)
def test_a_silent_server_blocks_no_call(idle: float, run_ends_in: float, expected: Failure) -> None:
    with Server(silent) as server, connect(wire_to(server.port), "10.0.0.1", 443, timeout=60, until=within()) as sock:
        sock.pace = Pace(idle=idle, until=within(run_ends_in))
        with pytest.raises(WireError) as caught:
            sock.recv(1)
    assert caught.value.failure is expected


def test_a_trickling_server_does_not_delay_the_deadline() -> None:
    with (
        Server(trickle(b"x")) as server,
        connect(wire_to(server.port), "10.0.0.1", 443, timeout=60, until=within()) as sock,
        sock.makefile("rb") as reader,
    ):
        sock.pace = Pace(idle=60, until=within(0.3))
        with pytest.raises(WireError) as caught:
            reader.readline()
    assert caught.value.failure is Failure.DEADLINE


def test_a_server_that_does_not_read_does_not_delay_the_deadline() -> None:
    with Server(silent) as server, connect(wire_to(server.port), "10.0.0.1", 443, timeout=60, until=within()) as sock:
        sock.pace = Pace(idle=60, until=within(0.3))
        with pytest.raises(WireError) as caught:
            sock.sendall(bytes(64 * 1024 * 1024))
    assert caught.value.failure is Failure.DEADLINE


# ---- routes, resolvers and trust -------------------------------------------------------------------------------------


def test_a_route_is_looked_up_without_sending() -> None:
    assert has_route(real_wire(None), "127.0.0.1")
    assert not has_route(wire_to(1), "10.0.0.1")
    assert not has_route(real_wire(None), "not-an-address")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ("127.0.0.1",)),
        ("search a.example\nnameserver 10.0.0.2\n", ("10.0.0.2",)),
        (
            "nameserver 10.0.0.2\nnameserver 10.0.0.2\nnameserver fd00:ec2::253\nnameserver 10.0.0.4\n",
            ("10.0.0.2", "fd00:ec2::253"),
        ),
        ("  nameserver\t10.0.0.2 # ours\nnameserver\nnameserver nonsense\n#nameserver 10.0.0.9\n", ("10.0.0.2",)),
    ],
)
def test_name_servers_are_read_as_glibc_reads_them(text: str, expected: tuple[str, ...]) -> None:
    assert read_resolvers(text) == expected


def test_a_bundle_that_cannot_be_read_is_reported_immediately(tmp_path: object) -> None:
    with pytest.raises(OSError, match="No such file"):
        real_wire(f"{tmp_path}/missing.pem")
    with open(f"{tmp_path}/empty.pem", "w"):
        pass
    with pytest.raises(OSError, match=r"CERTIFICATE|NO_CERT"):
        real_wire(f"{tmp_path}/empty.pem")


def test_trust_is_built_once() -> None:
    wire = real_wire(None)
    assert wire.trust() is wire.trust()

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
from probe.wire import Wire, read_resolvers, real_wire
from probe.wire.errors import WireError
from probe.wire.sockets import Pace, connect, has_route
from tests.wire.servers import Server, closed_port, no_datagram, no_trust, silent, soon, trickle, wire_to


def wire_that_dials(dial: Callable[[str, int, float], socket.socket]) -> Wire:
    return Wire(dial, no_datagram, lambda: (), no_trust)


def failing_wire(error: OSError) -> Wire:
    def dial(_address: str, _port: int, _timeout: float) -> socket.socket:
        raise error

    return wire_that_dials(dial)


@contextmanager
def deaf_port() -> Iterator[int]:
    """A port whose queue is full: Linux drops every further SYN."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def test_a_connection_that_is_made() -> None:
    with Server(silent) as server, connect(wire_to(server.port), "10.0.0.1", 443, timeout=1, until=soon()) as sock:
        assert sock.getpeername() == ("127.0.0.1", server.port)


def test_refused() -> None:
    with pytest.raises(WireError) as caught:
        connect(real_wire(None), "127.0.0.1", closed_port(), timeout=1, until=soon())
    assert caught.value.failure is Failure.REFUSED


@pytest.mark.skipif(sys.platform != "linux", reason="other systems answer a SYN to a full queue")
@pytest.mark.parametrize(("timeout", "left", "expected"), [(0.15, 5.0, Failure.TIMEOUT), (5.0, 0.15, Failure.DEADLINE)])
def test_silence_is_a_timeout_or_the_deadline(timeout: float, left: float, expected: Failure) -> None:
    began = time.monotonic()
    with deaf_port() as port, pytest.raises(WireError) as caught:
        connect(real_wire(None), "127.0.0.1", port, timeout=timeout, until=soon(left))
    assert caught.value.failure is expected
    assert time.monotonic() - began < 4


def test_no_packet_is_sent_after_the_deadline() -> None:
    with pytest.raises(WireError) as caught:
        connect(failing_wire(OSError("dialled")), "10.0.0.1", 443, timeout=1, until=time.monotonic() - 1)
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
def test_what_the_system_says(code: int, expected: Failure) -> None:
    with pytest.raises(WireError) as caught:
        connect(failing_wire(OSError(code, os.strerror(code))), "10.0.0.1", 443, timeout=1, until=soon())
    assert caught.value.failure is expected
    assert caught.value.detail


IN_A_NAMESPACE = """
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
        connect(real_wire(None), last, 443, timeout=0.5, until=time.monotonic() + 5)
    except WireError as error:
        print(error.failure)
"""


@pytest.mark.skipif(
    sys.platform != "linux" or not all(map(shutil.which, ("unshare", "ip", "nft"))),
    reason="needs namespaces and nftables",
)
def test_a_firewall_that_prohibits_differs_from_a_missing_host() -> None:
    command = ["unshare", "--map-root-user", "--net", sys.executable, "-c", textwrap.dedent(IN_A_NAMESPACE)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    if done.returncode:
        pytest.skip(f"no namespace here: {done.stderr.strip()[-100:]}")
    assert done.stdout.split() == ["prohibited", "prohibited", "unreachable", "prohibited", "unreachable"]


# ---- every call is bounded -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("idle", "left", "expected"), [(0.1, 5.0, Failure.STALLED), (5.0, 0.1, Failure.DEADLINE)])
def test_a_silent_server_holds_no_call(idle: float, left: float, expected: Failure) -> None:
    with Server(silent) as server, connect(wire_to(server.port), "10.0.0.1", 443, timeout=1, until=soon()) as sock:
        sock.pace = Pace(idle=idle, until=soon(left))
        with pytest.raises(WireError) as caught:
            sock.recv(1)
    assert caught.value.failure is expected


def test_a_trickling_server_cannot_outlive_the_end() -> None:
    began = time.monotonic()
    with (
        Server(trickle(b"x")) as server,
        connect(wire_to(server.port), "10.0.0.1", 443, timeout=1, until=soon()) as sock,
        sock.makefile("rb") as reader,
    ):
        sock.pace = Pace(idle=0.2, until=soon(0.3))
        with pytest.raises(WireError) as caught:
            reader.readline()
    assert caught.value.failure is Failure.DEADLINE
    assert time.monotonic() - began < 4


def test_a_server_that_does_not_read_cannot_outlive_the_end() -> None:
    with Server(silent) as server, connect(wire_to(server.port), "10.0.0.1", 443, timeout=1, until=soon()) as sock:
        sock.pace = Pace(idle=0.2, until=soon(0.3))
        with pytest.raises(WireError) as caught:
            sock.sendall(bytes(64 * 1024 * 1024))
    assert caught.value.failure in (Failure.STALLED, Failure.DEADLINE)


# ---- surroundings of a socket ----------------------------------------------------------------------------------------


def test_a_route_is_known_without_sending() -> None:
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


def test_a_bundle_that_cannot_be_read_is_told_at_once(tmp_path: object) -> None:
    with pytest.raises(OSError, match="No such file"):
        real_wire(f"{tmp_path}/missing.pem")
    with open(f"{tmp_path}/empty.pem", "w"):
        pass
    with pytest.raises(OSError, match=r"CERTIFICATE|NO_CERT"):
        real_wire(f"{tmp_path}/empty.pem")


def test_trust_is_built_once() -> None:
    wire = real_wire(None)
    assert wire.trust() is wire.trust()

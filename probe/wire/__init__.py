"""The only door to the world: sockets, names, TLS, HTTP, credentials and task metadata, with every foreign error
translated.

`Wire` is the seam: four things that the simulator replaces. Third-party network libraries are imported in this
package's modules only, and never by importing the package itself. What is tried, and what an answer means, is decided
elsewhere.
"""

from __future__ import annotations

import errno
import os
import socket
import ssl
import struct
import sys
import threading
from collections.abc import Callable

from probe.records import Record

RESOLV_CONF = "/etc/resolv.conf"
MOST_RESOLVERS = 3  # glibc reads no more (resolv.conf(5), MAXNS)

# linux/in.h, linux/errqueue.h, linux/icmp.h; Python's socket module names none of them.
_IP_RECVERR = 11
_SO_EE_ORIGIN_ICMP = 2
_ICMP_PROHIBITED = (9, 10, 13)  # communication administratively prohibited: with the network, the host, by filtering


class Wire(Record, frozen=True):
    """What the program needs of the world.

    `dial` gives a connected TCP socket for (address, port, seconds) or raises OSError; `datagram` a connected UDP
    socket, which sends nothing and raises OSError where there is no route; `resolvers` the addresses of the name
    servers in order; `trust` the verifying client context, the same object each time.
    """

    dial: Callable[[str, int, float], socket.socket]
    datagram: Callable[[str, int], socket.socket]
    resolvers: Callable[[], tuple[str, ...]]
    trust: Callable[[], ssl.SSLContext]


def real_wire(ca_bundle: str | None) -> Wire:
    """The real world. Raises OSError or ssl.SSLError where the bundle cannot be read; the system's store is read on
    first use."""
    trust = _Trust(ca_bundle)
    if ca_bundle is not None:
        trust()
    return Wire(dial=_dial, datagram=_datagram, resolvers=_resolvers, trust=trust)


class _Trust:
    """Builds the verifying context once. A bundle replaces the system's store, as AWS_CA_BUNDLE does in botocore."""

    def __init__(self, ca_bundle: str | None) -> None:
        self._ca_bundle = ca_bundle
        self._lock = threading.Lock()
        self._context: ssl.SSLContext | None = None

    def __call__(self) -> ssl.SSLContext:
        with self._lock:
            if self._context is None:
                self._context = self._build()
            return self._context

    def _build(self) -> ssl.SSLContext:
        bundle = self._ca_bundle
        if bundle is not None and os.path.isdir(bundle):
            context = ssl.create_default_context(capath=bundle)
        else:
            context = ssl.create_default_context(cafile=bundle)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context


def _resolvers() -> tuple[str, ...]:
    try:
        with open(RESOLV_CONF, encoding="ascii", errors="replace") as lines:
            return read_resolvers(lines.read())
    except OSError:
        return read_resolvers("")


def read_resolvers(text: str) -> tuple[str, ...]:
    """The nameserver lines of a resolv.conf, as glibc reads them: three at most, and this host where there is none."""
    words = [line.split() for line in text.splitlines()]
    named = [line[1] for line in words if len(line) > 1 and line[0] == "nameserver"]
    return tuple(dict.fromkeys(filter(_is_address, named[:MOST_RESOLVERS]))) or ("127.0.0.1",)


def _is_address(text: str) -> bool:
    try:
        return bool(_sockaddr(text, 53, socket.SOCK_DGRAM))
    except OSError:
        return False


def _sockaddr(
    address: str, port: int, kind: int
) -> tuple[socket.AddressFamily, tuple[str, int] | tuple[str, int, int, int]]:
    """Numeric only, so nothing is asked; understands a scope as in fe80::1%eth0."""
    found = socket.getaddrinfo(address, port, type=kind, flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV)[0]
    return found[0], found[4]  # type: ignore[return-value,unused-ignore]


def _dial(address: str, port: int, timeout: float) -> socket.socket:
    family, place = _sockaddr(address, port, socket.SOCK_STREAM)
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.settimeout(timeout)
        with _IcmpWatch(sock):
            sock.connect(place)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        sock.close()
        raise
    return sock


def _datagram(address: str, port: int) -> socket.socket:
    family, place = _sockaddr(address, port, socket.SOCK_DGRAM)
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        sock.connect(place)
    except BaseException:
        sock.close()
        raise
    return sock


class _IcmpWatch:
    """Tells an administrative prohibition from a missing host while connecting over IPv4 on Linux.

    Linux turns both ICMP messages into EHOSTUNREACH or ENETUNREACH (RFC 1122 asks for no more), while ICMPv6's
    prohibition arrives as EACCES. With IP_RECVERR the message itself waits in the error queue, since Linux 5.8 for
    TCP too; older kernels and other systems leave the error as it is. Switched off once connected: later ICMP must
    not break the connection.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._watching = sys.platform == "linux" and sock.family == socket.AF_INET

    def __enter__(self) -> None:
        if self._watching:
            self._sock.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if not self._watching:
            return
        if error is None:
            self._sock.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 0)
        elif (
            isinstance(error, OSError) and error.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH) and self._prohibited()
        ):
            raise PermissionError(errno.EACCES, "administratively prohibited (ICMP)") from None

    def _prohibited(self) -> bool:
        try:
            _, ancillary, _, _ = self._sock.recvmsg(256, 256, socket.MSG_ERRQUEUE)
        except OSError:
            return False
        for level, kind, data in ancillary:
            if level == socket.IPPROTO_IP and kind == _IP_RECVERR and len(data) >= 16:
                _, origin, icmp_type, code = struct.unpack_from("IBBB", data)  # struct sock_extended_err
                return origin == _SO_EE_ORIGIN_ICMP and icmp_type == 3 and code in _ICMP_PROHIBITED
        return False

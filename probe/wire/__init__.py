"""All network access of the program: sockets, DNS, TLS, HTTP, credentials and metadata. Every error of a library leaves
this package as a WireError.

`Wire` holds the four functions that the simulator replaces. Third-party network libraries are imported in this
package's modules only, and not by importing the package itself. What to try, and what the results mean, is decided
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
from probe.shortage import is_shortage

RESOLV_CONF = "/etc/resolv.conf"
MOST_RESOLVERS = 3  # glibc ignores further ones (resolv.conf(5), MAXNS)

# linux/in.h, linux/errqueue.h, linux/icmp.h; Python's socket module does not define them.
_IP_RECVERR = 11
_SO_EE_ORIGIN_ICMP = 2
_ICMP_PROHIBITED = (9, 10, 13)  # communication administratively prohibited: to the network, to the host, by a filter


class Wire(Record, frozen=True):
    """The functions through which the program reaches the network.

    `dial` takes (address, port, seconds) and returns a connected TCP socket; `datagram` takes (address, port) and
    returns a connected UDP socket without sending anything. Both raise OSError, `datagram` if there is no route.
    `resolvers` returns the addresses of the name servers in order, `trust` the verifying client context, always the
    same object; both raise OSError if this process is short of descriptors.
    """

    dial: Callable[[str, int, float], socket.socket]
    datagram: Callable[[str, int], socket.socket]
    resolvers: Callable[[], tuple[str, ...]]
    trust: Callable[[], ssl.SSLContext]


def real_wire(ca_bundle: str | None) -> Wire:
    """Return the wire of this machine. Raises OSError or ssl.SSLError if the bundle cannot be read; the system's store
    is read on first use."""
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
        open(os.devnull).close()  # without a free descriptor OpenSSL would silently leave out the system's store
        if bundle is not None and os.path.isdir(bundle):
            context = ssl.create_default_context(capath=bundle)
        else:
            context = ssl.create_default_context(cafile=bundle)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context


def _resolvers() -> tuple[str, ...]:
    try:
        with open(RESOLV_CONF, encoding="ascii", errors="replace") as file:
            return read_resolvers(file.read())
    except OSError as error:
        if is_shortage(error):
            raise
        return read_resolvers("")


def read_resolvers(text: str) -> tuple[str, ...]:
    """The name servers of a resolv.conf, as glibc reads it: three lines at most, and this host if there is no line."""
    lines = [line.split() for line in text.splitlines()]
    servers = [fields[1] for fields in lines if len(fields) > 1 and fields[0] == "nameserver"]
    return tuple(dict.fromkeys(filter(_is_address, servers[:MOST_RESOLVERS]))) or ("127.0.0.1",)


def _is_address(text: str) -> bool:
    try:
        return bool(_sockaddr(text, 53, socket.SOCK_DGRAM))
    except OSError:
        return False


def _sockaddr(
    address: str, port: int, kind: int
) -> tuple[socket.AddressFamily, tuple[str, int] | tuple[str, int, int, int]]:
    """Family and socket address of a numeric address, without a DNS query. Understands a scope as in fe80::1%eth0."""
    info = socket.getaddrinfo(address, port, type=kind, flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV)[0]
    return info[0], info[4]  # type: ignore[return-value,unused-ignore]


def _dial(address: str, port: int, timeout: float) -> socket.socket:
    family, sockaddr = _sockaddr(address, port, socket.SOCK_STREAM)
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.settimeout(timeout)
        with _IcmpWatch(sock):
            sock.connect(sockaddr)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        sock.close()
        raise
    return sock


def _datagram(address: str, port: int) -> socket.socket:
    family, sockaddr = _sockaddr(address, port, socket.SOCK_DGRAM)
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        sock.connect(sockaddr)
    except BaseException:
        sock.close()
        raise
    return sock


class _IcmpWatch:
    """Distinguishes a firewall's prohibition from a missing host while connecting over IPv4 on Linux.

    Linux reports both ICMP messages as EHOSTUNREACH or ENETUNREACH (RFC 1122 requires no more), but ICMPv6's
    prohibition as EACCES. With IP_RECVERR the ICMP message itself is put into the error queue, for TCP since Linux 5.8;
    on older kernels and other systems the error is unchanged. The option is removed after connecting, because a later
    ICMP message must not break the connection.
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
        self._sock.settimeout(0)  # with a timeout, Python would poll an empty queue until it expires
        try:
            _, ancillary, _, _ = self._sock.recvmsg(256, 256, socket.MSG_ERRQUEUE)
        except OSError:
            return False
        for level, kind, data in ancillary:
            if level == socket.IPPROTO_IP and kind == _IP_RECVERR and len(data) >= 16:
                _, origin, icmp_type, code = struct.unpack_from("IBBB", data)  # struct sock_extended_err
                return origin == _SO_EE_ORIGIN_ICMP and icmp_type == 3 and code in _ICMP_PROHIBITED
        return False

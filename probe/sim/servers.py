"""Servers on loopback sockets, and their certificates. Which connections reach a server is decided in `network`."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from probe.records import Record
from probe.sim.http import Connection, Countdown, Delivery, Handler, close_with_reset, read_until_closed

if TYPE_CHECKING:
    import trustme

AMAZON = "Amazon"  # public certificates of AWS services are issued by "C=US, O=Amazon, CN=Amazon RSA 2048 M0x"
CORPORATE = "Example Corp TLS Inspection"
STRANGER = "Example Appliance"
IMPOSTOR = "Amazon, as a stranger writes it"  # its certificates name the organization Amazon


class Certificate(Record, frozen=True):
    """A server certificate: the names that it covers, the organization that signed it, and whether it has expired."""

    names: tuple[str, ...]
    issuer: str = AMAZON
    expired: bool = False


_lock = threading.RLock()  # servers start concurrently; each authority and certificate is issued once
_authorities: dict[str, trustme.CA] = {}
_contexts: dict[Certificate, ssl.SSLContext] = {}


def authority(organisation: str) -> trustme.CA:
    """The certificate authority of an organization."""
    with _lock:
        if organisation not in _authorities:
            import trustme

            unit = f"{organisation} RSA 2048 M02"
            _authorities[organisation] = trustme.CA(
                organization_name=organisation.partition(",")[0], organization_unit_name=unit
            )
        return _authorities[organisation]


def server_context(certificate: Certificate) -> ssl.SSLContext:
    with _lock:
        if certificate not in _contexts:
            _contexts[certificate] = _server_context(certificate)
        return _contexts[certificate]


def _server_context(certificate: Certificate) -> ssl.SSLContext:
    """A server context with TLS 1.2 or newer and HTTP/1.1, as S3 offers it."""
    today = datetime.now(UTC).replace(tzinfo=None)
    not_after = today + timedelta(days=-1 if certificate.expired else 300)  # about a year, as captured
    issued = authority(certificate.issuer).issue_cert(
        *certificate.names, not_before=not_after - timedelta(days=395), not_after=not_after
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    issued.configure_cert(context)
    return context


def client_context(trusted: tuple[str, ...]) -> ssl.SSLContext:
    """A trust store with the roots of these organizations only."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for organisation in trusted:
        authority(organisation).configure_trust(context)
    return context


def authority_pem(organisation: str = AMAZON) -> bytes:
    """The root certificate as PEM, for clients that need a file."""
    return bytes(authority(organisation).cert_pem.bytes())


class Server(Protocol):
    """A server's behavior on a connection. Equal servers share one listening socket, so they are hashable."""

    def __hash__(self) -> int: ...

    def serve(self, sock: socket.socket, closing: threading.Event, /) -> None: ...


class HttpServer(Record, frozen=True):
    """Serve HTTP, over TLS where there is a certificate."""

    handler: Handler
    certificate: Certificate | None = None
    delivery: Delivery | None = None
    clock: Callable[[], float] | None = None

    def serve(self, sock: socket.socket, closing: threading.Event, /) -> None:
        if self.certificate is not None:
            sock = server_context(self.certificate).wrap_socket(sock, server_side=True)
        with sock:
            Connection(sock, self.handler, closing, self.delivery, self.clock).serve()


class SilentServer(Record, frozen=True):
    """Accept the connection and never answer, as on a path that loses large packets."""

    def serve(self, sock: socket.socket, _closing: threading.Event, /) -> None:
        read_until_closed(sock)


class ResetOnClientHello(Record, frozen=True):
    """Reset the connection after the ClientHello, as a firewall that filters by server name does."""

    with_fin: bool = False  # close with FIN instead of RST

    def serve(self, sock: socket.socket, _closing: threading.Event, /) -> None:
        sock.recv(65536)
        if not self.with_fin:
            close_with_reset(sock)


class LargeHelloFilter(Record, frozen=True):
    """Drop a ClientHello of more than `most` bytes, as a firewall that reads one packet does, and pass smaller ones."""

    server: HttpServer
    most: int = 1_400
    with_reset: bool = False
    times: Countdown | None = None  # how many it drops; None: all

    def serve(self, sock: socket.socket, closing: threading.Event, /) -> None:
        header = sock.recv(5, socket.MSG_PEEK | socket.MSG_WAITALL)
        small = 5 + int.from_bytes(header[3:5], "big") <= self.most
        if small or (self.times is not None and not self.times.take()):
            self.server.serve(sock, closing)
        elif self.with_reset:
            sock.recv(65536)
            close_with_reset(sock)
        else:
            read_until_closed(sock)


class PlainTextServer(Record, frozen=True):
    """Answer on port 443 without TLS."""

    answer: bytes = (
        b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    )

    def serve(self, sock: socket.socket, _closing: threading.Event, /) -> None:
        sock.recv(65536)
        sock.sendall(self.answer)
        sock.shutdown(socket.SHUT_WR)
        read_until_closed(sock)


class ClosedPort(Record, frozen=True):
    """A port without a listener: the kernel answers with RST, which nothing in AWS does."""

    def serve(self, _sock: socket.socket, _closing: threading.Event, /) -> None:
        raise AssertionError("a port without a listener accepts no connection")


class Listeners:
    """One listening socket per server, opened at the first connection and closed with the VPC."""

    def __init__(self) -> None:
        self.closing = threading.Event()
        self._lock = threading.Lock()
        self._ports: dict[Server, socket.socket] = {}
        self._open: set[socket.socket] = set()

    def port(self, server: Server) -> int:
        """The loopback port of `server`."""
        with self._lock:
            if self.closing.is_set():
                raise ConnectionAbortedError("the simulated VPC is closed")
            if server not in self._ports:
                self._ports[server] = self._listen(server)
            port: int = self._ports[server].getsockname()[1]
            return port

    def connect(self, server: Server, timeout: float | None) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port(server)), timeout)

    def keep(self, sock: socket.socket) -> None:
        """Close `sock` together with the VPC; immediately where the VPC is closed already."""
        with self._lock:
            if self.closing.is_set():
                sock.close()
            else:
                self._open.add(sock)

    def close(self) -> None:
        """End all waits and connections."""
        with self._lock:
            self.closing.set()
            sockets = [*self._ports.values(), *self._open]
        for sock in sockets:
            with contextlib.suppress(OSError):
                _wake(sock)
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    def _listen(self, server: Server) -> socket.socket:
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        if not isinstance(server, ClosedPort):
            listener.listen(128)
            threading.Thread(target=self._accept, args=(listener, server), daemon=True).start()
        return listener

    def _accept(self, listener: socket.socket, server: Server) -> None:
        while not self.closing.is_set():
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock, server), daemon=True).start()

    def _serve(self, sock: socket.socket, server: Server) -> None:
        self.keep(sock)
        try:
            with sock, contextlib.suppress(OSError, ssl.SSLError, ValueError):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                server.serve(sock, self.closing)
        finally:
            with self._lock:
                self._open.discard(sock)


def _wake(sock: socket.socket) -> None:
    """End a pending accept or recvfrom: closing the socket alone does not on every system."""
    if sock.type == socket.SOCK_DGRAM:
        sock.sendto(b"", sock.getsockname())
    elif sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        socket.create_connection(sock.getsockname(), 1).close()

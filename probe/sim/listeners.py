"""Real sockets on loopback: what happens to a connection once it arrives. What arrives is decided in `network`."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from typing import Protocol

from probe.records import Record
from probe.sim.http import Connection, Delivery, Handler, reset, swallow
from probe.sim.tls import Certificate, server_context


class Conduct(Protocol):
    """How a server behaves on a connection. Equal conducts share one listening socket, so they are frozen."""

    def __hash__(self) -> int: ...

    def meet(self, sock: socket.socket, closing: threading.Event, /) -> None: ...


class Serves(Record, frozen=True):
    """HTTP, over TLS where there is a certificate."""

    handler: Handler
    certificate: Certificate | None = None
    delivery: Delivery | None = None
    clock: Callable[[], float] | None = None

    def meet(self, sock: socket.socket, closing: threading.Event, /) -> None:
        if self.certificate is not None:
            sock = server_context(self.certificate).wrap_socket(sock, server_side=True)
        with sock:
            Connection(sock, self.handler, closing, self.delivery, self.clock).serve()


class Swallows(Record, frozen=True):
    """TCP is fine, and then nothing ever comes: what a path does that loses large packets."""

    def meet(self, sock: socket.socket, _closing: threading.Event, /) -> None:
        swallow(sock)


class ResetsHello(Record, frozen=True):
    """A firewall that reads the server name in the ClientHello and tears the connection down."""

    politely: bool = False  # with FIN in place of RST

    def meet(self, sock: socket.socket, _closing: threading.Event, /) -> None:
        sock.recv(65536)
        if not self.politely:
            reset(sock)


class SpeaksPlain(Record, frozen=True):
    """Something on port 443 that does not speak TLS."""

    words: bytes = (
        b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    )

    def meet(self, sock: socket.socket, _closing: threading.Event, /) -> None:
        sock.recv(65536)
        sock.sendall(self.words)
        sock.shutdown(socket.SHUT_WR)
        swallow(sock)


class Refuses(Record, frozen=True):
    """No listener: the kernel answers with RST. AWS's own constructs never do."""

    def meet(self, _sock: socket.socket, _closing: threading.Event, /) -> None:
        raise AssertionError("nobody can connect to a port without a listener")


class Listeners:
    """One listening socket for every conduct in use, opened when it is first met and closed with the world."""

    def __init__(self) -> None:
        self.closing = threading.Event()
        self._lock = threading.Lock()
        self._ports: dict[Conduct, socket.socket] = {}
        self._open: set[socket.socket] = set()

    def port(self, conduct: Conduct) -> int:
        """The loopback port on which `conduct` is met."""
        with self._lock:
            if self.closing.is_set():
                raise ConnectionAbortedError("the simulated VPC is closed")
            if conduct not in self._ports:
                self._ports[conduct] = self._listen(conduct)
            port: int = self._ports[conduct].getsockname()[1]
            return port

    def connect(self, conduct: Conduct, timeout: float | None) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port(conduct)), timeout)

    def keep(self, sock: socket.socket) -> None:
        """Close `sock` with the world; at once, where that is closed already."""
        with self._lock:
            if self.closing.is_set():
                sock.close()
            else:
                self._open.add(sock)

    def close(self) -> None:
        """End every wait and every connection."""
        with self._lock:
            self.closing.set()
            everything = [*self._ports.values(), *self._open]
        for sock in everything:
            with contextlib.suppress(OSError):
                _wake(sock)
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    def _listen(self, conduct: Conduct) -> socket.socket:
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        if not isinstance(conduct, Refuses):
            listener.listen(128)
            threading.Thread(target=self._accept, args=(listener, conduct), daemon=True).start()
        return listener

    def _accept(self, listener: socket.socket, conduct: Conduct) -> None:
        while not self.closing.is_set():
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._meet, args=(sock, conduct), daemon=True).start()

    def _meet(self, sock: socket.socket, conduct: Conduct) -> None:
        self.keep(sock)
        try:
            with sock, contextlib.suppress(OSError, ssl.SSLError, ValueError):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                conduct.meet(sock, self.closing)
        finally:
            with self._lock:
                self._open.discard(sock)


def _wake(sock: socket.socket) -> None:
    """End a pending accept or recvfrom: closing alone does not, everywhere."""
    if sock.type == socket.SOCK_DGRAM:
        sock.sendto(b"", sock.getsockname())
    elif sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        socket.create_connection(sock.getsockname(), 1).close()

"""Servers on loopback that misbehave as a test requires, wires that lead to them, and limits of time."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Self

import dns.message

from probe.model import Budget
from probe.records import replace
from probe.wire import Wire
from probe.wire.http import Conversation

HOST = "api.ecr.eu-west-1.amazonaws.com"
ADDRESS = "10.0.1.10"

# No test reaches these limits while its server does what it should, on a busy machine too.
GENEROUS = Budget(
    connect=60, tls=60, request=60, stall=60, dns_try=60, dns_tries=2, dns_total=120, metadata=60, error_bytes=1024
)

Handler = Callable[[socket.socket, threading.Event], None]


def limits(**short: Any) -> Budget:
    """Generous limits except `short`. A test shortens only the limit that it is about, so that no other is reached."""
    return replace(GENEROUS, **short)


def within(seconds: float = 600.0) -> float:
    """The instant at which a run ends that starts now."""
    return time.monotonic() + seconds


def no_trust() -> ssl.SSLContext:
    raise AssertionError("no certificate is verified here")


def no_datagram(address: str, port: int) -> socket.socket:
    raise OSError(f"no route to {address}:{port}")


class Server:
    """Accepts connections on a loopback port and calls `handler` for each on a thread of its own."""

    def __init__(self, handler: Handler, *, tls: ssl.SSLContext | None = None) -> None:
        self._handler = handler
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._stop = threading.Event()
        self._sockets: list[socket.socket] = []
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0
        self.requests: list[bytes] = []
        self.server_names: list[str | None] = []

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in self._sockets:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    def _accept(self) -> None:
        while not self._stop.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._sockets.append(sock)
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError):
            if self._tls is not None:
                self._tls.sni_callback = lambda _sock, name, _context: self.server_names.append(name)
                sock = self._tls.wrap_socket(sock, server_side=True)
                self._sockets.append(sock)
            with sock:
                self._handler(sock, self._stop)


def read_request(sock: socket.socket) -> bytes:
    """One request with its body; b"" if the client has closed the connection."""
    data = b""
    while b"\r\n\r\n" not in data:
        received = sock.recv(65536)
        if not received:
            return b""
        data += received
    head, _, body = data.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
    while len(body) < length:
        body += sock.recv(65536)
    return head + b"\r\n\r\n" + body


def answer(status: int = 200, body: bytes = b"", *, headers: Mapping[str, str] | None = None) -> bytes:
    lines = [f"HTTP/1.1 {status} Reason", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class HttpServer(Server):
    """Sends the bytes that `respond` returns for each request, and keeps the connection."""

    def __init__(self, respond: Callable[[bytes], bytes], *, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(self._answer_requests, tls=tls)
        self._respond = respond

    def _answer_requests(self, sock: socket.socket, _stop: threading.Event) -> None:
        while request := read_request(sock):
            self.requests.append(request)
            sock.sendall(self._respond(request))


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

# ---- handlers that misbehave -----------------------------------------------------------------------------------------


def silent(_sock: socket.socket, stop: threading.Event) -> None:
    stop.wait()


def close(_sock: socket.socket, _stop: threading.Event) -> None:
    """Does nothing; the server closes the connection after its handler returns."""


def hang_up(sock: socket.socket, _stop: threading.Event) -> None:
    """Reads the beginning of the request, then closes."""
    sock.recv(65536)


def reset(sock: socket.socket, _stop: threading.Event) -> None:
    """Reads the beginning of the request, then closes with an RST."""
    sock.recv(65536)
    send_rst_on_close(sock)


def send_rst_on_close(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def reply_then(reply: bytes, after: Handler = silent) -> Handler:
    """Answers the first request with `reply`, then calls `after`."""

    def handle(sock: socket.socket, stop: threading.Event) -> None:
        read_request(sock)
        sock.sendall(reply)
        after(sock, stop)

    return handle


def trickle(data: bytes) -> Handler:
    """Sends `data` every 20 ms, endlessly."""

    def handle(sock: socket.socket, stop: threading.Event) -> None:
        while not stop.wait(0.02):
            sock.sendall(data)

    return handle


def flood(data: bytes) -> Handler:
    """Sends `data` as fast as the client reads, endlessly."""

    def handle(sock: socket.socket, stop: threading.Event) -> None:
        while not stop.is_set():
            sock.sendall(data * 64)

    return handle


# ---- DNS -------------------------------------------------------------------------------------------------------------


class NameServer:
    """Answers UDP queries with the datagrams that `respond` returns for them."""

    def __init__(self, respond: Callable[[dns.message.QueryMessage], list[bytes]]) -> None:
        self._respond = respond
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sock.bind(("127.0.0.1", 0))
        self.port: int = self._sock.getsockname()[1]
        self.queries: list[dns.message.Message] = []

    def __enter__(self) -> Self:
        threading.Thread(target=self._answer_queries, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._sock.close()

    def _answer_queries(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                data, client = self._sock.recvfrom(4096)
                if not data:
                    return
                query = dns.message.from_wire(data)
                self.queries.append(query)
                for datagram in self._respond(query):  # type: ignore[arg-type]
                    self._sock.sendto(datagram, client)


# ---- wires -----------------------------------------------------------------------------------------------------------


def wire_to(
    port: int | Mapping[int, int],
    *,
    trust: Callable[[], ssl.SSLContext] = no_trust,
    names: int | None = None,
    resolvers: tuple[str, ...] = ("10.0.0.2",),
) -> Wire:
    """A wire on which every address is this machine. Each port leads to `port`, or to the port that `port` maps it to;
    DNS queries go to the port `names`."""

    def dial(_address: str, requested: int, timeout: float) -> socket.socket:
        return socket.create_connection(("127.0.0.1", port if isinstance(port, int) else port[requested]), timeout)

    def datagram(_address: str, _port: int) -> socket.socket:
        assert names is not None, "no name server here"
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.connect(("127.0.0.1", names))
        return sock

    return Wire(dial, datagram if names is not None else no_datagram, lambda: resolvers, trust)


def closed_port() -> int:
    """A port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextlib.contextmanager
def connected(
    wire: Wire, *, tls: bool = False, budget: Budget = GENEROUS, until: float | None = None
) -> Iterator[Conversation]:
    """A conversation with HOST."""
    with Conversation(
        wire, host=HOST, address=ADDRESS, tls=tls, until=until or within(), budget=budget
    ) as conversation:
        yield conversation

"""Servers on loopback that behave as badly as a test wants, and wires that lead to them."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Self

import dns.message

from probe.model import Budget
from probe.wire import Wire
from probe.wire.http import Conversation

HOST = "api.ecr.eu-west-1.amazonaws.com"
ADDRESS = "10.0.1.10"

# Short limits, so that no test waits long for what never comes.
QUICK = Budget(
    connect=0.25,
    tls=0.25,
    request=0.5,
    stall=0.25,
    dns_try=0.2,
    dns_tries=2,
    dns_total=1.0,
    metadata=0.4,
    error_bytes=1024,
)

Handler = Callable[[socket.socket, threading.Event], None]


def soon(seconds: float = 5.0) -> float:
    return time.monotonic() + seconds


def no_trust() -> ssl.SSLContext:
    raise AssertionError("nothing here is verified")


def no_datagram(address: str, port: int) -> socket.socket:
    raise OSError(f"no way to {address}:{port}")


class Server:
    """Accepts on a loopback port and lets `handler` speak with each connection on a thread of its own."""

    def __init__(self, handler: Handler, *, tls: ssl.SSLContext | None = None) -> None:
        self._handler = handler
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._stop = threading.Event()
        self._sockets: list[socket.socket] = []
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0
        self.requests: list[bytes] = []
        self.asked_names: list[str | None] = []

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
                self._tls.sni_callback = lambda _sock, name, _context: self.asked_names.append(name)
                sock = self._tls.wrap_socket(sock, server_side=True)
                self._sockets.append(sock)
            with sock:
                self._handler(sock, self._stop)


def read_request(sock: socket.socket) -> bytes:
    """One request with its body; b"" where the client has gone."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = sock.recv(65536)
        if not piece:
            return b""
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
    while len(body) < length:
        body += sock.recv(65536)
    return head + b"\r\n\r\n" + body


def answer(
    status: int = 200, body: bytes = b"", *, reason: str = "Word", headers: Mapping[str, str] | None = None
) -> bytes:
    lines = [f"HTTP/1.1 {status} {reason}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class HttpServer(Server):
    """Answers each request with the bytes that `respond` gives for it, and keeps the connection."""

    def __init__(self, respond: Callable[[bytes], bytes], *, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(self._speak, tls=tls)
        self._respond = respond

    def _speak(self, sock: socket.socket, _stop: threading.Event) -> None:
        while request := read_request(sock):
            self.requests.append(request)
            sock.sendall(self._respond(request))


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

# ---- bad manners -----------------------------------------------------------------------------------------------------


def silent(_sock: socket.socket, stop: threading.Event) -> None:
    stop.wait()


def abort(sock: socket.socket) -> None:
    """Let its closing, which comes next, be an RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def reset(sock: socket.socket, _stop: threading.Event) -> None:
    """Reads what comes first, then breaks off by RST."""
    sock.recv(65536)
    abort(sock)


def hang_up(sock: socket.socket, _stop: threading.Event) -> None:
    sock.recv(65536)


def then(sent: bytes, after: Handler = silent) -> Handler:
    """Answers the first request with `sent`, then does `after`."""

    def handle(sock: socket.socket, stop: threading.Event) -> None:
        read_request(sock)
        sock.sendall(sent)
        after(sock, stop)

    return handle


def trickle(piece: bytes) -> Handler:
    """One piece every 20 ms, for ever."""

    def handle(sock: socket.socket, stop: threading.Event) -> None:
        while not stop.wait(0.02):
            sock.sendall(piece)

    return handle


def flood(piece: bytes) -> Handler:
    """Pieces as fast as they are taken, for ever."""

    def handle(sock: socket.socket, stop: threading.Event) -> None:
        while not stop.is_set():
            sock.sendall(piece * 64)

    return handle


def done(_sock: socket.socket, _stop: threading.Event) -> None:
    """Closes."""


# ---- names -----------------------------------------------------------------------------------------------------------


class NameServer:
    """Answers UDP questions with the datagrams that `respond` gives for them."""

    def __init__(self, respond: Callable[[dns.message.QueryMessage], list[bytes]]) -> None:
        self._respond = respond
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sock.bind(("127.0.0.1", 0))
        self.port: int = self._sock.getsockname()[1]
        self.questions: list[dns.message.Message] = []

    def __enter__(self) -> Self:
        threading.Thread(target=self._work, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._sock.close()

    def _work(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                data, client = self._sock.recvfrom(4096)
                if not data:
                    return
                question = dns.message.from_wire(data)
                self.questions.append(question)
                for datagram in self._respond(question):  # type: ignore[arg-type]
                    self._sock.sendto(datagram, client)


# ---- wires -----------------------------------------------------------------------------------------------------------


def wire_to(
    port: int | Mapping[int, int],
    *,
    trust: Callable[[], ssl.SSLContext] = no_trust,
    names: int | None = None,
    resolvers: tuple[str, ...] = ("10.0.0.2",),
) -> Wire:
    """A wire on which every address is this machine: each port leads to `port`, or to what `port` maps it to."""

    def dial(_address: str, asked: int, timeout: float) -> socket.socket:
        return socket.create_connection(("127.0.0.1", port if isinstance(port, int) else port[asked]), timeout)

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
def talk(wire: Wire, *, tls: bool = False, budget: Budget = QUICK, left: float = 5.0) -> Iterator[Conversation]:
    with Conversation(wire, host=HOST, address=ADDRESS, tls=tls, until=soon(left), budget=budget) as conversation:
        yield conversation

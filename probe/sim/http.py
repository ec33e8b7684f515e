"""HTTP/1.1 as AWS's front ends speak it: small replies in one write, connections kept alive.

`Delivery` damages a body on its way. This module knows no AWS service.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Mapping
from email.utils import formatdate
from enum import Enum
from http import HTTPStatus
from urllib.parse import parse_qsl, urlsplit

from probe.records import Record, field

_HEAD_LIMIT = 64 * 1024  # authorization headers of ECR are long
_PIECE = 256 * 1024


class Request(Record, frozen=True):
    method: str
    target: str
    headers: Mapping[str, str]  # lower-case names
    body: bytes = b""

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @property
    def host(self) -> str:
        return self.headers.get("host", "").partition(":")[0].lower()


class Reply(Record, frozen=True):
    status: int
    body: bytes | memoryview = b""
    headers: tuple[tuple[str, str], ...] = ()
    content_type: str = "application/json"
    chunked: bool = False  # as S3 sends its errors


class Damage(Enum):
    """How a body is damaged in the middle."""

    CUT = "cut"  # the connection is closed
    RESET = "reset"
    FREEZE = "freeze"  # no further byte is sent
    TRICKLE = "trickle"  # one byte after each pause
    FLIP = "flip"  # one bit differs


class Countdown:
    """Counts down from `times`, also from several threads."""

    def __init__(self, times: int) -> None:
        self._left = times
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Whether this is one of the first `times` calls."""
        with self._lock:
            self._left -= 1
            return self._left >= 0


class Delivery(Record, frozen=True):
    """Bodies longer than `after` bytes are damaged at that byte, all or as many as `times`; `pause` in seconds."""

    damage: Damage
    after: int = 1024
    pause: float = 0.05
    times: Countdown | None = None


Handler = Callable[[Request], Reply]


class Connection(Record):
    """An accepted connection: answers requests until the client, the path or the closing VPC ends it."""

    sock: socket.socket
    handler: Handler
    closing: threading.Event
    delivery: Delivery | None = None
    clock: Callable[[], float] | None = None
    _rest: bytes = field(default=b"")

    def serve(self) -> None:
        while not self.closing.is_set():
            request = self._read_request()
            if request is None:
                return
            if not self._write_reply(request, self.handler(request)):
                return

    def _read_request(self) -> Request | None:
        while b"\r\n\r\n" not in self._rest:
            piece = self.sock.recv(_PIECE) if len(self._rest) < _HEAD_LIMIT else b""
            if not piece:
                return None
            self._rest += piece
        head, _, rest = self._rest.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in lines)
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        length = int(headers.get("content-length", "0"))
        while len(rest) < length:
            piece = self.sock.recv(_PIECE)
            if not piece:
                return None
            rest += piece
        self._rest = rest[length:]
        method, target, _ = first.split(" ", 2)
        return Request(method, target, headers, rest[:length])

    def _write_reply(self, request: Request, reply: Reply) -> bool:
        """Whether the connection stays open."""
        body = b"" if request.method == "HEAD" else reply.body
        head = self._head(reply)
        if reply.chunked:
            body = _chunked(bytes(body))
        delivery = self.delivery
        if delivery is not None and len(body) > delivery.after and (delivery.times is None or delivery.times.take()):
            return self._damage(head, memoryview(body), delivery)
        self.sock.sendall(head + bytes(body[:_PIECE]))
        for start in range(_PIECE, len(body), _PIECE):
            self.sock.sendall(memoryview(body)[start : start + _PIECE])
        return request.headers.get("connection", "").lower() != "close"

    def _head(self, reply: Reply) -> bytes:
        now = self.clock() if self.clock else None
        names = {name.lower() for name, _ in reply.headers}
        lines = [f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}", f"Date: {formatdate(now, usegmt=True)}"]
        lines += [f"{name}: {value}" for name, value in reply.headers]
        if "content-type" not in names and reply.content_type:
            lines.append(f"Content-Type: {reply.content_type}")
        if reply.chunked:
            lines.append("Transfer-Encoding: chunked")
        elif "content-length" not in names:
            lines.append(f"Content-Length: {len(reply.body)}")
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    def _damage(self, head: bytes, body: memoryview, delivery: Delivery) -> bool:
        before, after = bytes(body[: delivery.after]), body[delivery.after :]
        match delivery.damage:
            case Damage.FLIP:
                self.sock.sendall(head + before + bytes([after[0] ^ 1]) + bytes(after[1:]))
                return True
            case Damage.TRICKLE:
                self.sock.sendall(head + before)
                for position in range(len(after)):
                    if self.closing.wait(delivery.pause):
                        break
                    self.sock.sendall(after[position : position + 1])
            case Damage.FREEZE:
                self.sock.sendall(head + before)
                read_until_closed(self.sock)
            case Damage.RESET:
                self.sock.sendall(head + before)
                close_with_reset(self.sock)
            case Damage.CUT:
                self.sock.sendall(head + before)
        return False


def _chunked(body: bytes) -> bytes:
    return b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if body else b"0\r\n\r\n"


def read_until_closed(sock: socket.socket) -> None:
    """Read without answering until the client or the VPC closes the connection."""
    while sock.recv(_PIECE):
        pass


def close_with_reset(sock: socket.socket) -> None:
    """Close with RST instead of FIN."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    sock.close()

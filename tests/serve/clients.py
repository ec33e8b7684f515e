"""HTTP over bare sockets: well-behaved clients, and the parts for hostile ones."""

from __future__ import annotations

import socket
import ssl
from typing import NamedTuple

from probe.config.listen import Address

SOON = 20.0  # seconds that no wait takes unless something is wrong


class Answered(NamedTuple):
    code: int
    headers: dict[str, str]
    body: bytes


def connect(there: Address, tls: ssl.SSLContext | None = None, *, narrow: bool = False) -> socket.socket:
    """`narrow`: with a receive buffer too small for a response, so that the server must wait."""
    plain = socket.socket(there.family, socket.SOCK_STREAM)
    try:
        plain.settimeout(SOON)
        if narrow:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        plain.connect(there.place)
        return plain if tls is None else tls.wrap_socket(plain, server_hostname="127.0.0.1")
    except BaseException:
        plain.close()
        raise


def request(path: str = "/metrics", *headers: str, method: str = "GET", version: str = "1.1") -> bytes:
    lines = [f"{method} {path} HTTP/{version}", "Host: probe", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def everything(connection: socket.socket) -> bytes:
    """All bytes until the server closes or resets the connection."""
    received = b""
    try:
        while part := connection.recv(65536):
            received += part
    except ConnectionError:
        pass
    return received


def read(received: bytes) -> Answered:
    """Parse one response; nothing may follow it."""
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if "content-length" in headers:
        assert len(body) == int(headers["content-length"])
    return Answered(int(first.split()[1]), headers, body)


def ask(there: Address, sent: bytes, tls: ssl.SSLContext | None = None) -> Answered:
    with connect(there, tls) as connection:
        connection.sendall(sent)
        return read(everything(connection))


def get(there: Address, path: str = "/metrics", *headers: str, tls: ssl.SSLContext | None = None) -> Answered:
    return ask(there, request(path, *headers), tls)

"""The container's health check: whether the loop of `serve` is alive, never whether the endpoints are.

A task that is killed for a broken endpoint could not pull its replacement. This runs every minute in the smallest of
tasks, so it is a bare socket: http.client alone would cost as much as everything here.
"""

from __future__ import annotations

import re
import socket
import time
from typing import NamedTuple

from probe import __version__


class Address(NamedTuple):
    """Where `serve` listens. `host` is an IPv4 or IPv6 address, without brackets."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


LIMIT = 2.0  # seconds, for everything
_ENOUGH = 1024  # bytes; the first line says it all
_LISTEN = re.compile(
    r"(?:\[(?P<v6>[0-9a-f.]*:[0-9a-f:.]*)\]|(?P<v4>[0-9.]+)):(?P<port>[0-9]{1,5})", re.ASCII | re.IGNORECASE
)
_WILDCARDS = {bytes(4): "127.0.0.1", bytes(16): "::1"}
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})(?: [^\r\n]*)?\r?\n")


def address(text: str) -> Address:
    """Read ADDR:PORT. Raises ValueError."""
    match = _LISTEN.fullmatch(text)
    if not match:
        raise ValueError(f"{_shown(text)} is not ADDR:PORT, an IPv4 address or an IPv6 one in brackets, and a port")
    host, port = match["v6"] or match["v4"], int(match["port"])
    try:
        socket.inet_pton(_family(host), host)
    except OSError:
        raise ValueError(f"{_shown(host)} is not an IP address") from None
    if not 1 <= port <= 65535:
        raise ValueError(f"port {port} is not between 1 and 65535")
    return Address(host, port)


def _shown(text: str) -> str:
    from probe.values import shown  # in case of a mistake only

    return shown(text)


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def complaint(listen: Address, *, limit: float = LIMIT) -> str | None:
    """What is wrong with the `serve` that listens there, in one line; None where it is healthy."""
    packed = socket.inet_pton(_family(listen.host), listen.host)
    there = Address(_WILDCARDS.get(packed, listen.host), listen.port)
    try:
        received = _first_line(there, until=time.monotonic() + limit)
    except ConnectionRefusedError:
        return f"nothing listens on {there}: is the command serve, with the same --listen (ECR_PROBE_LISTEN)?"
    except TimeoutError:
        return f"{there} gave no answer within {limit:g} s: the process there hangs, or has too little CPU"
    except ConnectionError:
        received = b""
    except OSError as error:
        return f"{there} cannot be asked: {(error.strerror or type(error).__name__).lower()}"
    return _judged(received, there)


def _first_line(there: Address, *, until: float) -> bytes:
    """What is received up to the end of the first line, or of what is enough. Raises OSError."""
    request = f"GET /-/healthy HTTP/1.0\r\nHost: {there}\r\nUser-Agent: ecr-probe/{__version__}\r\n\r\n"
    received = b""
    with socket.socket(_family(there.host), socket.SOCK_STREAM) as connection:
        connection.settimeout(_left(until))
        connection.connect(there)
        connection.sendall(request.encode("ascii"))
        while b"\n" not in received and len(received) < _ENOUGH:
            connection.settimeout(_left(until))  # anew, against a server that trickles
            part = connection.recv(_ENOUGH - len(received))
            if not part:
                break
            received += part
    return received


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _judged(received: bytes, there: Address) -> str | None:
    """Nothing of the answer is repeated but its number: who knows what listens there."""
    if not received:
        return f"{there} closed the connection without an answer: the process there is failing"
    match = _STATUS_LINE.match(received)
    status = int(match[1]) if match else None
    if status is None:
        return f"{there} answered, but not in HTTP: another program than ecr-probe serve listens there"
    if status == 503:
        return f"{there} answered 503: the loop has stopped"
    if status != 200:
        return f"{there} answered {status} instead of 200: another program than ecr-probe serve may listen there"
    return None

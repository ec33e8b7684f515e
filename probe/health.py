"""The container's health check: whether the loop of `serve` runs, never whether the endpoints work.

A task that ECS stops for a broken endpoint could not be replaced, since its image could not be pulled. The check runs
every minute in the smallest of tasks, so it uses a bare socket: importing http.client alone would double its cost.
"""

from __future__ import annotations

import re
import socket
import time

from probe import __version__
from probe.config.listen import Address

LIMIT = 2.0  # seconds, for everything
_MOST_BYTES = 1024  # of the response; its first line is shorter
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})(?: [^\r\n]*)?\r?\n")


def complaint(listen: Address, *, tls: bool = False, limit: float = LIMIT) -> str | None:
    """What is wrong with the `serve` that listens at this address, in one line; None if it is healthy."""
    there = listen.nearest
    try:
        received = _first_line(there, tls=tls, until=time.monotonic() + limit)
    except (ConnectionRefusedError, FileNotFoundError):
        return f"nothing listens on {there}: is the command serve, with the same --listen (ECR_PROBE_LISTEN)?"
    except TimeoutError:
        return f"{there} gave no answer within {limit:g} s: the process there hangs, or has too little CPU"
    except ConnectionError:
        received = b""
    except OSError as error:
        return f"{there} cannot be reached: {(error.strerror or type(error).__name__).lower()}"
    return _complaint_about(received, there)


def _first_line(there: Address, *, tls: bool, until: float) -> bytes:
    """The response up to the end of its first line, at most _MOST_BYTES. Raises OSError."""
    host = "localhost" if there.family is socket.AF_UNIX else there
    request = f"GET /-/healthy HTTP/1.0\r\nHost: {host}\r\nUser-Agent: ecr-probe/{__version__}\r\n\r\n"
    received = b""
    with socket.socket(there.family, socket.SOCK_STREAM) as plain:
        plain.settimeout(_left(until))
        plain.connect(there.place)
        connection = _secured(plain) if tls else plain
        connection.sendall(request.encode("ascii"))
        while b"\n" not in received and len(received) < _MOST_BYTES:
            connection.settimeout(_left(until))  # for each read: a server may send byte by byte
            part = connection.recv(_MOST_BYTES - len(received))
            if not part:
                break
            received += part
    return received


def _secured(connection: socket.socket) -> socket.socket:
    """TLS without verification: this is the task's own loopback interface, and the certificate names other hosts."""
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(connection)


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _complaint_about(received: bytes, there: Address) -> str | None:
    """Of the response only the status is repeated, since any program may listen there."""
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

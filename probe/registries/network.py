"""The network as an operator's machine uses it: the system's resolver, and the proxy that its settings name.

A check avoids both, because it proves one path. A copy of an image takes the path that other clients take here.
"""

from __future__ import annotations

import base64
import os
import re
import socket
import time
import urllib.request
from collections.abc import Callable, Mapping
from urllib.parse import SplitResult, unquote, urlsplit

from probe.config.flags import UsageError, with_example
from probe.model import Failure
from probe.records import replace
from probe.registries.urls import LOOPBACK
from probe.safe_words import quoted
from probe.wire import Wire, real_wire
from probe.wire.errors import WireError

_LONGEST_HEAD = 16 * 1024  # bytes of a proxy's answer
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})\b")


def operator_wire(ca_bundle: str | None = None, *, proxies: Callable[[], Mapping[str, str]] | None = None) -> Wire:
    """A wire whose `dial` also takes host names. `proxies` returns proxy URLs by scheme (default: the system's).

    It trusts the system's store and also `ca_bundle`, the value of AWS_CA_BUNDLE: behind a proxy that opens TLS it
    has the certificate that every registry presents. Raises UsageError if the bundle cannot be read.
    """
    wire = real_wire(None)
    if ca_bundle:
        _trust_also(wire, ca_bundle)
    find = urllib.request.getproxies if proxies is None else proxies

    def dial(host: str, port: int, seconds: float) -> socket.socket:
        proxy = None if host in LOOPBACK.values() or urllib.request.proxy_bypass(host) else find().get("https")
        if proxy:
            return _tunnel(proxy, host, port, seconds)
        return _connected(host, port, seconds)

    return replace(wire, dial=dial)


def _trust_also(wire: Wire, path: str) -> None:
    try:
        if os.path.isdir(path):
            wire.trust().load_verify_locations(capath=path)
        else:
            wire.trust().load_verify_locations(cafile=path)
    except (OSError, ValueError):  # ssl.SSLError is an OSError
        good = "AWS_CA_BUNDLE=/etc/ssl/company.pem"
        raise UsageError(
            with_example(f"AWS_CA_BUNDLE: {quoted(path)} cannot be read as certificates in PEM", good)
        ) from None


def _connected(host: str, port: int, seconds: float) -> socket.socket:
    try:
        sock = socket.create_connection((host, port), timeout=seconds)
    except socket.gaierror as error:
        raise WireError(Failure.NXDOMAIN, f"{host} does not resolve: {error.strerror}") from None
    except UnicodeError:
        raise WireError(Failure.NXDOMAIN, "not a host name") from None
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def _tunnel(proxy: str, host: str, port: int, seconds: float) -> socket.socket:
    """A connection to `host` through a proxy's CONNECT. No error repeats the proxy's URL: it may have a login."""
    parts = _proxy(proxy)
    name = f"the proxy {parts.hostname}"
    target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    if parts.username is not None:
        login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        lines.append(f"Proxy-Authorization: Basic {base64.b64encode(login.encode()).decode()}")
    ends = time.monotonic() + seconds
    sock: socket.socket | None = None
    try:
        sock = _connected(parts.hostname or "", parts.port or 3128, seconds)
        sock.sendall("\r\n".join([*lines, "", ""]).encode())
        _require_tunnel(_read_head(sock, ends))
    except BaseException as error:
        if sock is not None:
            sock.close()
        match error:
            case WireError():
                raise WireError(error.failure, f"the proxy {error.detail}") from None
            case TimeoutError():
                raise WireError(Failure.TIMEOUT, f"{name} does not answer") from None
            case OSError() | ValueError():
                reason = getattr(error, "strerror", None) or error
                raise WireError(Failure.UNREACHABLE, f"{name} did not connect to {host}: {reason}") from None
        raise
    sock.settimeout(seconds)
    return sock


def _read_head(sock: socket.socket, ends: float) -> bytes:
    """The head of a proxy's answer. Raises TimeoutError at the instant `ends`, ValueError for one without end."""
    head = b""
    while b"\r\n\r\n" not in head and b"\n\n" not in head:
        if (left := ends - time.monotonic()) <= 0:
            raise TimeoutError
        sock.settimeout(left)
        piece = sock.recv(_LONGEST_HEAD)
        if not piece or len(head) > _LONGEST_HEAD:
            raise ValueError("its answer is no HTTP" if not piece else "its answer is too long")
        head += piece
    return head


def _require_tunnel(head: bytes) -> None:
    """Raises ValueError unless the proxy agrees. It sends nothing more before the client does."""
    match = _STATUS.match(head)
    if match is None or not match[1].startswith(b"2"):
        raise ValueError(head.partition(b"\n")[0].decode("latin-1").strip() if match else "its answer is no HTTP")


def _proxy(url: str) -> SplitResult:
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        if parts.scheme == "http" and parts.hostname and parts.port != 0:
            return parts
    except ValueError:
        pass
    raise WireError(
        Failure.MALFORMED, "HTTPS_PROXY is not a usable proxy; for example HTTPS_PROXY=http://proxy.example:3128"
    )

"""The network as an operator's machine uses it: the system's resolver, and the proxy that its settings name.

A check avoids both, because it proves one path. A copy of an image takes the path that other clients take here.
"""

from __future__ import annotations

import base64
import os
import socket
import urllib.request
from collections.abc import Callable, Mapping
from http.client import HTTPConnection, HTTPException
from urllib.parse import SplitResult, unquote, urlsplit

from probe.config.flags import UsageError, with_example
from probe.model import Failure
from probe.records import replace
from probe.registries.urls import LOOPBACK
from probe.safe_words import quoted
from probe.wire import Wire, real_wire
from probe.wire.errors import WireError


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
    connection = HTTPConnection(parts.hostname or "", parts.port or 3128, timeout=seconds)
    headers = {}
    if parts.username is not None:
        login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Proxy-Authorization"] = f"Basic {base64.b64encode(login.encode()).decode()}"
    connection.set_tunnel(f"[{host}]" if ":" in host else host, port, headers)
    try:
        connection.connect()
        sock: socket.socket = connection.sock
        connection.sock = None  # close() leaves it open
    except socket.gaierror as error:
        raise WireError(Failure.NXDOMAIN, f"{name} does not resolve: {error.strerror}") from None
    except TimeoutError:
        raise WireError(Failure.TIMEOUT, f"{name} does not answer") from None
    except (OSError, HTTPException) as error:
        raise WireError(Failure.UNREACHABLE, f"{name} did not connect to {host}: {error}") from None
    finally:
        connection.close()
    return sock


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

"""The URLs of a registry, and those that it names. Pure. What is malformed or without TLS is refused here."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import urljoin, urlsplit

from probe.model import Failure
from probe.records import Record
from probe.registries.source import CopyError
from probe.safe_words import quoted
from probe.wire.errors import WireError

LOOPBACK = {"localhost": "127.0.0.1", "127.0.0.1": "127.0.0.1", "::1": "::1"}  # host → address
_DOCKER_HUB = {"docker.io": "registry-1.docker.io", "index.docker.io": "registry-1.docker.io"}
_AWS_LOCAL = IPv6Network("fd00:ec2::/32")  # instance metadata and other services of the machine itself
_LONGEST = 16_384  # characters; a signed URL has about 2,000


class Origin(Record, frozen=True):
    """Scheme, host and port of a URL."""

    tls: bool
    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        return self.host in LOOPBACK

    @property
    def is_of_this_machine(self) -> bool:
        """A name or address of this machine itself, or of a service such as its instance metadata, in any spelling."""
        name = self.host.rstrip(".")
        if name == "localhost" or name.endswith(".localhost"):
            return True
        address = _address(name.partition("%")[0])
        if address is None:
            return False
        mapped = getattr(address, "ipv4_mapped", None) or address
        is_local = mapped.is_loopback or mapped.is_unspecified or mapped.is_link_local
        return is_local or (isinstance(mapped, IPv6Address) and mapped in _AWS_LOCAL)

    @property
    def address(self) -> str:
        """What to connect to: without TLS a literal address, so that nothing else can be meant."""
        return self.host if self.tls else LOOPBACK[self.host]

    def url(self, path: str) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}{path}"


def registry_origin(host: str) -> Origin:
    """The origin of a registry's host or URL. Raises CopyError MALFORMED, also for one without TLS elsewhere."""
    scheme, separator, name = host.rpartition("://")
    name = name.rstrip("/")
    name = _DOCKER_HUB.get(name, name)
    try:
        parts = urlsplit(f"//{name}")
        local = (parts.hostname or "") in LOOPBACK
        tls = scheme == "https" if separator else not local
        port = parts.port or (443 if tls else 80)
        is_host = bool(parts.hostname) and parts.username is None and not parts.path and scheme in ("", "http", "https")
    except ValueError:
        is_host = False
    if not is_host:
        raise CopyError(Failure.MALFORMED, f"{quoted(host)} is not a registry host; for example registry.example:5000")
    if not tls and not local:
        raise CopyError(Failure.MALFORMED, f"{quoted(host)} has no TLS; only a registry on this machine may")
    return Origin(tls=tls, host=parts.hostname or "", port=port)


def origin_of(url: str) -> Origin:
    """The origin of an absolute URL. Raises WireError MALFORMED, CopyError REDIRECT for a remote one without TLS."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise _malformed() from None
    if parts.scheme not in ("http", "https") or not host or not url.isascii() or not url.isprintable() or " " in url:
        raise _malformed()
    tls = parts.scheme == "https"
    if not tls and host not in LOOPBACK:
        text = f"the registry leads to {quoted(host)} without TLS, which is not followed"
        raise CopyError(Failure.REDIRECT, text)
    return Origin(tls=tls, host=host, port=port or (443 if tls else 80))


def request_target(url: str) -> str:
    """Path and query as they are: quoting a signed query again would break its signature."""
    rest = url.partition("://")[2].partition("#")[0]
    begin = min((place for place in (rest.find("/"), rest.find("?")) if place >= 0), default=len(rest))
    target = rest[begin:]
    return target if target.startswith("/") else f"/{target}"


def joined(url: str, location: str) -> str:
    """Where a Location header leads. Raises WireError MALFORMED."""
    if len(location) > _LONGEST:
        raise WireError(Failure.MALFORMED, f"the registry names a URL of more than {_LONGEST} characters")
    try:
        return urljoin(url, location)
    except ValueError:
        raise _malformed() from None


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """A numeric address as the resolver reads it, also 127.1 or 0x7f000001. None: a name."""
    try:
        return ip_address(text)
    except ValueError:
        pass
    try:
        return ip_address(socket.inet_aton(text))
    except (OSError, UnicodeError):
        return None


def with_query(url: str, query: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}{query}"


def _malformed() -> WireError:
    return WireError(Failure.MALFORMED, "the registry names a malformed URL")

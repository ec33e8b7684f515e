"""The sidecar's address: the reader of --listen, for `serve`, which listens there, and `health`, which connects there.

`health` imports this module every minute, so it imports little.
"""

from __future__ import annotations

import re
import socket
from typing import NamedTuple

_LISTEN = re.compile(
    r"(?:\[(?P<v6>[0-9a-f.]*:[0-9a-f:.]*)\]|(?P<v4>[0-9.]+)):(?P<port>[0-9]{1,5})", re.ASCII | re.IGNORECASE
)
_LONGEST_PATH = 100  # bytes; sockaddr_un has room for 107, and less on other systems
_WILDCARDS = {bytes(4): "127.0.0.1", bytes(16): "::1"}


class Address(NamedTuple):
    """`host` is an IPv4 or IPv6 address without brackets, or the path of a Unix socket; then `port` is 0."""

    host: str
    port: int

    def __str__(self) -> str:
        if self.family is socket.AF_UNIX:
            return f"unix:{self.host}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def family(self) -> socket.AddressFamily:
        if self.host.startswith("/"):
            return socket.AF_UNIX
        return socket.AF_INET6 if ":" in self.host else socket.AF_INET

    @property
    def place(self) -> str | tuple[str, int]:
        """The argument of `bind` and `connect`."""
        return self.host if self.family is socket.AF_UNIX else (self.host, self.port)

    @property
    def nearest(self) -> Address:
        """The address that a client on this machine connects to: loopback for a wildcard address."""
        if self.family is socket.AF_UNIX:
            return self
        packed = socket.inet_pton(self.family, self.host)
        return Address(_WILDCARDS.get(packed, self.host), self.port)


def address(text: str) -> Address:
    """Read ADDR:PORT or unix:/PATH. Raises ValueError."""
    if text.startswith("unix:"):
        return _path(text.removeprefix("unix:"))
    match = _LISTEN.fullmatch(text)
    if not match:
        raise ValueError(
            f"{_quoted(text)} is neither ADDR:PORT (an IPv4 address, or an IPv6 address in brackets) nor unix:/PATH"
        )
    listen = Address(match["v6"] or match["v4"], int(match["port"]))
    try:
        socket.inet_pton(listen.family, listen.host)
    except OSError:
        raise ValueError(f"{_quoted(listen.host)} is not an IP address") from None
    if not 1 <= listen.port <= 65535:
        raise ValueError(f"port {listen.port} is not between 1 and 65535")
    return listen


def _path(path: str) -> Address:
    if not path.startswith("/") or path.endswith("/") or "\0" in path:
        raise ValueError(f"{_quoted(path)} is not the absolute path of a socket")
    if len(path.encode(errors="replace")) > _LONGEST_PATH:
        raise ValueError(f"{_quoted(path)} is longer than {_LONGEST_PATH} bytes, the limit of a socket's path")
    return Address(path, 0)


def _quoted(text: str) -> str:
    from probe.safe_words import quoted  # after a mistake only

    return quoted(text)

"""An adapter of requests that connects to one address, with our own dial and handshake.

It is called directly, without `requests.Session`: no proxies, redirects, cookies, retries or settings from the
environment. Limits of time and size are set in `http`.

Only a part of requests is used: preparing a request, sending it over urllib3 and parsing the head of the response. For
the rest this module and `http` rely on details that requests and urllib3 do not promise: `Response.raw` and its
`_original_response`, and the pool's `_new_conn`. pyproject.toml therefore bounds the versions of both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool

from probe.wire.sockets import BoundedSocket


class _Connection(HTTPConnection):
    """A connection over a socket that `open_socket` returns, already with TLS for https."""

    def __init__(self, host: str, port: int, open_socket: Callable[[], BoundedSocket]) -> None:
        super().__init__(host, port)
        self._open_socket = open_socket

    def connect(self) -> None:
        self.sock = self._open_socket()


class _Pool(HTTPConnectionPool):
    """One connection, kept alive. If it is closed before a request, the pool opens another. It never sends a request
    twice."""

    def __init__(self, host: str, port: int, open_socket: Callable[[], BoundedSocket]) -> None:
        super().__init__(host, port, maxsize=1)
        self._open_socket = open_socket

    def _new_conn(self) -> _Connection:
        return _Connection(self.host, self.port or 0, self._open_socket)


class PinnedAdapter(HTTPAdapter):
    """Sends every request over the connection of `open_socket`; the host in the URL is ignored."""

    def __init__(self, host: str, port: int, open_socket: Callable[[], BoundedSocket]) -> None:
        self._pool = _Pool(host, port, open_socket)
        super().__init__(max_retries=0)

    def init_poolmanager(self, *_arguments: Any, **_options: Any) -> None:
        """Create no pool manager: there is one pool."""

    def get_connection_with_tls_context(self, *_arguments: Any, **_options: Any) -> HTTPConnectionPool:
        return self._pool

    def cert_verify(self, *_arguments: Any, **_options: Any) -> None:
        """Verify nothing here: our own handshake has done it."""

    def request_url(self, request: requests.PreparedRequest, _proxies: Mapping[str, str] | None) -> str:  # type: ignore[override,unused-ignore]
        """The request target unchanged: quoting a signed query again would break its signature."""
        return str(request.__dict__["target"])

    def close(self) -> None:
        self._pool.close()

    def exchange(
        self, method: str, url: str, target: str, headers: Mapping[str, str], body: bytes | memoryview
    ) -> requests.Response:
        """Send one request and read the head of the response; the body stays unread in `raw`."""
        prepared = requests.Request(method, url, headers=dict(headers), data=body or None).prepare()
        prepared.__dict__["target"] = target
        return self.send(prepared, stream=True)

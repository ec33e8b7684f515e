"""requests, tied to one address: an adapter whose pool opens connections by our own dial and handshake.

No proxies, no redirects, no cookies, no retries, nothing from the environment: the adapter is called directly, below
`requests.Session`, which would follow all of those. What an answer may cost is `http`'s business.
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
    """A connection whose socket comes from outside, with TLS on it already where that is wanted."""

    def __init__(self, host: str, port: int, opening: Callable[[], BoundedSocket]) -> None:
        super().__init__(host, port)
        self._opening = opening

    def connect(self) -> None:
        self.sock = self._opening()


class _Pool(HTTPConnectionPool):
    """One connection, kept alive. A connection found closed before a request is replaced; nothing is ever sent
    twice."""

    def __init__(self, host: str, port: int, opening: Callable[[], BoundedSocket]) -> None:
        super().__init__(host, port, maxsize=1)
        self._opening = opening

    def _new_conn(self) -> _Connection:
        return _Connection(self.host, self.port or 0, self._opening)


class Pinned(HTTPAdapter):
    """Sends to one host at one address, whatever the URL says."""

    def __init__(self, host: str, port: int, opening: Callable[[], BoundedSocket]) -> None:
        self._pool = _Pool(host, port, opening)
        super().__init__(max_retries=0)

    def init_poolmanager(self, *_arguments: Any, **_options: Any) -> None:
        """There is one pool only."""

    def get_connection_with_tls_context(self, *_arguments: Any, **_options: Any) -> HTTPConnectionPool:
        return self._pool

    def cert_verify(self, *_arguments: Any, **_options: Any) -> None:
        """The handshake verified already."""

    def request_url(self, request: requests.PreparedRequest, _proxies: Mapping[str, str] | None) -> str:  # type: ignore[override,unused-ignore]
        """The target as it was given: a signed query must not be quoted anew."""
        return str(request.__dict__["target"])

    def close(self) -> None:
        self._pool.close()

    def ask(self, method: str, url: str, target: str, headers: Mapping[str, str], body: bytes) -> requests.Response:
        """Send one request and read the head of its answer; the body waits in `raw`."""
        prepared = requests.Request(method, url, headers=dict(headers), data=body or None).prepare()
        prepared.__dict__["target"] = target
        return self.send(prepared, stream=True)

"""HTTP with one host at one address. Every answer is limited in time and in bytes.

SNI, the Host header and the verified name are the host's; the address is independent of them. What an answer of AWS
means is in `answers`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPException, HTTPResponse
from ipaddress import IPv6Network, ip_address
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from probe.model import Budget, Failure
from probe.records import Record
from probe.wire import Wire, names
from probe.wire.certificates import handshake
from probe.wire.errors import Phase, WireError, wire_error
from probe.wire.sockets import BoundedSocket, Pace, connect

if TYPE_CHECKING:
    from probe.wire.requests_adapter import PinnedAdapter

_PORTS = {True: 443, False: 80}
# The credential agent of EKS has an address in it (botocore, ContainerMetadataFetcher).
_AWS_LOCAL = IPv6Network("fd00:ec2::/32")
_CHUNK = 64 * 1024
_IDEMPOTENT = ("GET", "HEAD")


class Answer(Record, frozen=True):
    """An answer with its body. `headers` is case-insensitive."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Body:
    """An answer with its body still to be read. `received` is the number of body bytes read so far."""

    def __init__(self, response: Any, pace: Pace, *, limit: int, budget: Budget) -> None:
        self.status: int = response.status_code
        self.headers: Mapping[str, str] = response.headers
        self.received = 0
        self._source: HTTPResponse = response.raw._original_response
        self._announced: int | None = None if self._source.chunked else self._source.length
        self._pace = pace
        self._limit = limit
        self._budget = budget

    def read_into(self, buffer: memoryview) -> int:
        """Fill `buffer` and return the number of bytes: fewer than fit only at the end of the body, 0 after it.

        Raises WireError TOO_LARGE, TRUNCATED, STALLED, RESET …
        """
        if self._announced is not None and self._announced > self._limit:
            raise WireError(
                Failure.TOO_LARGE, f"a body of {self._announced} bytes, at most {self._limit} were expected"
            )
        count = self._read(buffer)
        if self.received > self._limit:
            raise WireError(Failure.TOO_LARGE, f"more than the expected {self._limit} bytes")
        return count

    def error_body(self) -> bytes:
        """Read at most `budget.error_bytes` of an error's body. A part of it is enough, if the rest does not arrive."""
        self._pace.ends = min(self._pace.ends, time.monotonic() + self._budget.request)
        buffer = bytearray(self._budget.error_bytes)
        try:
            with memoryview(buffer) as view:
                while self.received < len(buffer) and self._read(view[self.received :][:_CHUNK]):
                    pass
        except WireError as error:
            if error.failure is Failure.DEADLINE or not self.received:
                raise
        return bytes(buffer[: self.received])

    def read_all(self) -> bytes:
        """Read the whole body. Raises WireError TOO_LARGE above the limit."""
        buffer = bytearray(min(_CHUNK, self._announced if self._announced is not None else _CHUNK) or 1)
        chunks = []
        while count := self.read_into(memoryview(buffer)):
            chunks.append(bytes(buffer[:count]))
        return b"".join(chunks)

    @property
    def ended(self) -> bool:
        return self._source.isclosed()

    def _read(self, buffer: memoryview) -> int:
        try:
            return self._read_announced(buffer) if self._announced is not None else self._read_unannounced(buffer)
        except (OSError, HTTPException, ValueError) as error:
            raise wire_error(error, phase=Phase.BODY, about=f"after {self.received} bytes") from error

    def _read_announced(self, buffer: memoryview) -> int:
        """Read a body of known length directly from the connection's buffer.

        http.client would not count the bytes before an error, and would accept a body that ends too early.
        """
        assert self._announced is not None
        size, filled = min(len(buffer), self._announced - self.received), 0
        while filled < size:
            count = self._source.fp.readinto1(buffer[filled:size])
            if not count:
                raise WireError(Failure.TRUNCATED, f"the body ended after {self.received} of {self._announced} bytes")
            filled += count
            self.received += count
        if self.received == self._announced:
            self._source.close()
        return filled

    def _read_unannounced(self, buffer: memoryview) -> int:
        """Read a body in chunks, or one that ends with the connection."""
        count = self._source.readinto(buffer)
        self.received += count
        return count


class Conversation:
    """A connection to one host at one address, kept alive between requests. Not thread-safe."""

    def __init__(
        self, wire: Wire, *, host: str, address: str, port: int = 443, tls: bool = True, until: float, budget: Budget
    ) -> None:
        self.host = host
        self.address = address
        self._wire = wire
        self._port = port
        self._tls = tls
        self._budget = budget
        self._pace = Pace(idle=budget.stall, until=until)
        self._adapter: PinnedAdapter | None = None
        self._socket: BoundedSocket | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        if self._adapter is not None:
            self._adapter.close()
        if self._socket is not None:
            self._socket.close()

    def request(
        self,
        method: str,
        target: str,
        *,
        headers: Mapping[str, str],
        body: bytes | memoryview = b"",
        seconds: float | None = None,
        limit: int,
    ) -> Answer:
        """Send a request and read the whole answer within `seconds` (default: budget.request).

        An error's body is cut at budget.error_bytes. Raises WireError TIMEOUT, STALLED, RESET, TRUNCATED, TOO_LARGE,
        MALFORMED, DEADLINE and what connecting raises.
        """
        with self._exchange(method, target, headers=headers, body=body, seconds=seconds, limit=limit) as answer:
            content = answer.read_all() if answer.status < 400 else answer.error_body()
            return Answer(answer.status, answer.headers, content)

    @contextmanager
    def stream(self, method: str, target: str, *, headers: Mapping[str, str], limit: int) -> Iterator[Body]:
        """Send a request and leave the body to the caller. It may take until the run ends, but no longer than
        budget.stall without data."""
        with self._exchange(method, target, headers=headers, body=b"", seconds=None, limit=limit) as answer:
            self._pace.ends = self._pace.until
            yield answer

    @contextmanager
    def _exchange(
        self,
        method: str,
        target: str,
        *,
        headers: Mapping[str, str],
        body: bytes | memoryview,
        seconds: float | None,
        limit: int,
    ) -> Iterator[Body]:
        """Send a request and return the answer. The connection is kept only if the body is read to its end."""
        self._protect_credentials(headers)
        self._pace.ends = time.monotonic() + (self._budget.request if seconds is None else seconds)
        response = self._send(method, target, headers, body)
        answer = Body(response, self._pace, limit=limit, budget=self._budget)
        try:
            yield answer
        finally:
            if answer.ended:
                response.raw.release_conn()
            else:
                response.raw.close()

    def _send(self, method: str, target: str, headers: Mapping[str, str], body: bytes | memoryview) -> Any:
        from probe.wire.requests_adapter import PinnedAdapter

        if self._adapter is None:
            self._adapter = PinnedAdapter(_bracketed(self.host), self._port, self._open)
        all_headers = {"Host": self._host_header(), "Accept-Encoding": "identity", "User-Agent": "ecr-probe", **headers}
        url = f"{'https' if self._tls else 'http'}://{self._host_header()}/"
        kept = self._socket
        if kept is not None:
            kept.answered = False
        try:
            try:
                response = self._adapter.exchange(method, url, target, all_headers, body)
            except Exception as error:
                if method not in _IDEMPOTENT or not self._was_closed_idle(kept, error):
                    raise
                response = self._adapter.exchange(method, url, target, all_headers, body)
        except WireError:
            raise
        except Exception as error:  # urllib3's exceptions have no narrower common base
            raise wire_error(error, phase=Phase.HTTP) from error
        if self._socket is not None and self._socket.ended:
            # http.client accepts the end of the connection as the end of the headers.
            response.raw.close()
            raise WireError(Failure.TRUNCATED, "the answer ended within its headers")
        return response

    def _was_closed_idle(self, kept: BoundedSocket | None, error: Exception) -> bool:
        """Whether the server closed a kept connection while the request was in flight, before any byte of an answer.

        The network path is not the cause, and clients that pull retry immediately (Go's http.Transport does).
        """
        if kept is None or kept is not self._socket or kept.answered or isinstance(error, WireError):
            return False
        return wire_error(error, phase=Phase.HTTP).failure is Failure.RESET

    def _open(self) -> BoundedSocket:
        budget, pace = self._budget, self._pace
        plain = connect(self._wire, self.address, self._port, timeout=self._at_most(budget.connect), until=pace.until)
        sock: BoundedSocket = plain
        if self._tls:
            sock = handshake(self._wire, plain, self.host, timeout=self._at_most(budget.tls), until=pace.until)
        sock.pace = pace
        self._socket = sock
        return sock

    def _at_most(self, seconds: float) -> float:
        return max(0.001, min(seconds, self._pace.ends - time.monotonic()))

    def _host_header(self) -> str:
        host = _bracketed(self.host)
        return host if self._port == _PORTS[self._tls] else f"{host}:{self._port}"

    def _protect_credentials(self, headers: Mapping[str, str]) -> None:
        """Raise BUG for credentials that would be sent unencrypted to another machine."""
        if self._tls or not any(name.lower() == "authorization" for name in headers):
            return
        address = ip_address(self.address.partition("%")[0])
        if not (address.is_loopback or address.is_link_local or (address.version == 6 and address in _AWS_LOCAL)):
            raise WireError(Failure.BUG, f"credentials are not sent unencrypted to {self.address}")


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def prepare() -> None:
    """Import requests now, so that no step's time contains it."""
    import probe.wire.requests_adapter  # noqa: F401


def get(
    wire: Wire, url: str, *, headers: Mapping[str, str], budget: Budget, until: float, seconds: float, limit: int
) -> Answer:
    """Send one GET to a URL. Raises what `request_once` raises."""
    return request_once(wire, "GET", url, headers=headers, budget=budget, until=until, seconds=seconds, limit=limit)


def request_once(
    wire: Wire,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    body: bytes = b"",
    budget: Budget,
    until: float,
    seconds: float,
    limit: int,
) -> Answer:
    """Send one request to a URL outside the plan. Its host is an address, localhost or a name.

    Raises WireError as `Conversation.request` and `names.lookup` do, and MALFORMED for text that is not a URL.
    """
    try:
        parts = urlsplit(url)
        host, tls = parts.hostname, parts.scheme == "https"
        port = parts.port or _PORTS[tls]
    except ValueError as error:
        raise WireError(Failure.MALFORMED, f"not a URL: {error}") from error
    if not host or parts.scheme not in ("http", "https"):
        raise WireError(Failure.MALFORMED, "not an http or https URL")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    address = _address(wire, host, budget=budget, until=min(until, time.monotonic() + seconds))
    with Conversation(wire, host=host, address=address, port=port, tls=tls, until=until, budget=budget) as conversation:
        return conversation.request(method, target, headers=headers, body=body, seconds=seconds, limit=limit)


def _address(wire: Wire, host: str, *, budget: Budget, until: float) -> str:
    if host == "localhost":
        return "127.0.0.1"
    try:
        return str(ip_address(host))
    except ValueError:
        server = next(iter(wire.resolvers()), "127.0.0.1")
        try:
            answer = names.lookup(wire, server, host, "A", budget=budget, tries=budget.dns_tries, until=until)
        except WireError as error:
            if error.failure is not Failure.NO_ADDRESS:
                raise
            answer = names.lookup(wire, server, host, "AAAA", budget=budget, tries=budget.dns_tries, until=until)
            if not answer.addresses:
                raise
        return answer.addresses[0]

"""Conversations over HTTP with one host at one address: every answer bounded in time and in bytes.

SNI, Host and verification are the service's, whatever the address. What an answer of AWS means is read in `answers`.
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
    from probe.wire.requests_adapter import Pinned

_PORTS = {True: 443, False: 80}
# Where EKS's credential agent listens beside link-local addresses (botocore, ContainerMetadataFetcher).
_AWS_LOCAL = IPv6Network("fd00:ec2::/32")
_PIECE = 64 * 1024
_REPEATABLE = ("GET", "HEAD")


class Answer(Record, frozen=True):
    """A whole answer. `headers` is case-insensitive."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Body:
    """An answer whose body is not read yet. `received` is the number of body bytes read."""

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
        """Fill `buffer`; fewer bytes only at the end, 0 behind it. Raises WireError TOO_LARGE, TRUNCATED, STALLED,
        RESET …"""
        if self._announced is not None and self._announced > self._limit:
            raise WireError(
                Failure.TOO_LARGE, f"a body of {self._announced} bytes where at most {self._limit} were expected"
            )
        count = self._read(buffer)
        if self.received > self._limit:
            raise WireError(Failure.TOO_LARGE, f"more than the {self._limit} bytes that were expected")
        return count

    def error_body(self) -> bytes:
        """At most `budget.error_bytes` of the body, and as much as came: an error's words need no end to be read."""
        self._pace.ends = min(self._pace.ends, time.monotonic() + self._budget.request)
        taken = bytearray(self._budget.error_bytes)
        try:
            with memoryview(taken) as view:
                while self.received < len(taken) and self._read(view[self.received :][:_PIECE]):
                    pass
        except WireError as error:
            if error.failure is Failure.DEADLINE or not self.received:
                raise
        return bytes(taken[: self.received])

    def read_all(self) -> bytes:
        """The whole body. Raises WireError TOO_LARGE above the limit."""
        buffer = bytearray(min(_PIECE, self._announced if self._announced is not None else _PIECE) or 1)
        pieces = []
        while count := self.read_into(memoryview(buffer)):
            pieces.append(bytes(buffer[:count]))
        return b"".join(pieces)

    @property
    def ended(self) -> bool:
        return self._source.isclosed()

    def _read(self, buffer: memoryview) -> int:
        try:
            return self._fill(buffer) if self._announced is not None else self._unframe(buffer)
        except (OSError, HTTPException, ValueError) as error:
            raise wire_error(error, phase=Phase.BODY, about=f"after {self.received} bytes") from error

    def _fill(self, buffer: memoryview) -> int:
        """A body of known length, straight from the connection's buffer: http.client would lose count of what came
        before an error, and take an end that comes too early for the end."""
        assert self._announced is not None
        wanted, got = min(len(buffer), self._announced - self.received), 0
        while got < wanted:
            count = self._source.fp.readinto1(buffer[got:wanted])
            if not count:
                raise WireError(Failure.TRUNCATED, f"the body ended after {self.received} of {self._announced} bytes")
            got += count
            self.received += count
        if self.received == self._announced:
            self._source.close()
        return got

    def _unframe(self, buffer: memoryview) -> int:
        """A body in chunks, or one that lasts as long as the connection."""
        count = self._source.readinto(buffer)
        self.received += count
        return count


class Conversation:
    """One host at one address, over a connection that is kept alive. For one thread at a time."""

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
        self._adapter: Pinned | None = None
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
        body: bytes = b"",
        seconds: float | None = None,
        limit: int,
    ) -> Answer:
        """Ask, and read the whole answer within `seconds` (budget.request). An error's body is cut at
        budget.error_bytes.

        Raises WireError TIMEOUT, STALLED, RESET, TRUNCATED, TOO_LARGE, MALFORMED, DEADLINE and what connecting raises.
        """
        with self._asked(method, target, headers=headers, body=body, seconds=seconds, limit=limit) as answer:
            content = answer.read_all() if answer.status < 400 else answer.error_body()
            return Answer(answer.status, answer.headers, content)

    @contextmanager
    def stream(self, method: str, target: str, *, headers: Mapping[str, str], limit: int) -> Iterator[Body]:
        """Ask, and leave the body to be read: in all as long as the run lasts, but no longer than budget.stall
        without a byte."""
        with self._asked(method, target, headers=headers, body=b"", seconds=None, limit=limit) as answer:
            self._pace.ends = self._pace.until
            yield answer

    @contextmanager
    def _asked(
        self, method: str, target: str, *, headers: Mapping[str, str], body: bytes, seconds: float | None, limit: int
    ) -> Iterator[Body]:
        """The connection is kept only where the answer was read to its end."""
        self._refuse_to_tell(headers)
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

    def _send(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Any:
        from probe.wire.requests_adapter import Pinned

        if self._adapter is None:
            self._adapter = Pinned(_bracketed(self.host), self._port, self._open)
        sent = {"Host": self._host_header(), "Accept-Encoding": "identity", "User-Agent": "ecr-probe", **headers}
        url = f"{'https' if self._tls else 'http'}://{self._host_header()}/"
        kept = self._socket
        if kept is not None:
            kept.answered = False
        try:
            try:
                response = self._adapter.ask(method, url, target, sent, body)
            except Exception as error:
                if method not in _REPEATABLE or not self._was_closed_idle(kept, error):
                    raise
                response = self._adapter.ask(method, url, target, sent, body)
        except WireError:
            raise
        except Exception as error:  # urllib3's errors have no other base
            raise wire_error(error, phase=Phase.HTTP) from error
        if self._socket is not None and self._socket.ended:
            # http.client takes the end of the connection for the end of the headers.
            response.raw.close()
            raise WireError(Failure.TRUNCATED, "the answer ended within its headers")
        return response

    def _was_closed_idle(self, kept: BoundedSocket | None, error: Exception) -> bool:
        """Whether the server closed a kept connection while the request was on its way, before a byte of an answer.

        This does not concern the network path, and clients that pull retry immediately (Go's http.Transport does).
        """
        if kept is None or kept is not self._socket or kept.answered or isinstance(error, WireError):
            return False
        return wire_error(error, phase=Phase.HTTP).failure is Failure.RESET

    def _open(self) -> BoundedSocket:
        budget, pace = self._budget, self._pace
        plain = connect(self._wire, self.address, self._port, timeout=self._most(budget.connect), until=pace.until)
        sock: BoundedSocket = plain
        if self._tls:
            sock = handshake(self._wire, plain, self.host, timeout=self._most(budget.tls), until=pace.until)
        sock.pace = pace
        self._socket = sock
        return sock

    def _most(self, seconds: float) -> float:
        return max(0.001, min(seconds, self._pace.ends - time.monotonic()))

    def _host_header(self) -> str:
        host = _bracketed(self.host)
        return host if self._port == _PORTS[self._tls] else f"{host}:{self._port}"

    def _refuse_to_tell(self, headers: Mapping[str, str]) -> None:
        if self._tls or not any(name.lower() == "authorization" for name in headers):
            return
        parsed = ip_address(self.address.partition("%")[0])
        if not (parsed.is_loopback or parsed.is_link_local or (parsed.version == 6 and parsed in _AWS_LOCAL)):
            raise WireError(Failure.BUG, f"credentials are not sent unencrypted to {self.address}")


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def prepare() -> None:
    """Import requests now, so that no step's time contains it."""
    import probe.wire.requests_adapter  # noqa: F401


def get(
    wire: Wire, url: str, *, headers: Mapping[str, str], budget: Budget, until: float, seconds: float, limit: int
) -> Answer:
    """One GET of a URL of the task's own surroundings. Raises as `request_once` does."""
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
    """One request to a URL that is not planned, whose host is an address, localhost or a name.

    Raises WireError as `Conversation.request` does, with what looking the name up raises, and MALFORMED for no URL at
    all.
    """
    try:
        parts = urlsplit(url)
        host, tls = parts.hostname, parts.scheme == "https"
        port = parts.port or _PORTS[tls]
    except ValueError as error:
        raise WireError(Failure.MALFORMED, f"not a URL: {error}") from error
    if not host or parts.scheme not in ("http", "https"):
        raise WireError(Failure.MALFORMED, "not a URL of http or https")
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
            found = names.lookup(wire, server, host, "A", budget=budget, tries=budget.dns_tries, until=until)
        except WireError as error:
            if error.failure is not Failure.NO_ADDRESS:
                raise
            found = names.lookup(wire, server, host, "AAAA", budget=budget, tries=budget.dns_tries, until=until)
            if not found.addresses:
                raise
        return found.addresses[0]

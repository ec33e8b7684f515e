"""TCP connections on which every call has a time limit: its own, and the end of the run.

`certificates` performs TLS handshakes; `http` and `names` contain the protocols. Every "instant" in this package is a
reading of time.monotonic(), every duration is in seconds.
"""

from __future__ import annotations

import socket
import ssl
import time
from typing import TYPE_CHECKING, Any

from probe.model import Failure
from probe.shortage import is_shortage
from probe.wire import Wire
from probe.wire.errors import Phase, WireError, wire_error

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

_SLACK = 0.002  # the kernel may report a timeout this much before time.monotonic() reaches the limit
_TLS_RECORD = 16 * 1024  # bytes: the longest TLS record (RFC 8446, section 5.1)
_SHORTEST = 0.001  # settimeout(0) would mean "do not wait"


class Pace:
    """How long the next call on a socket may take, and which Failure it is to take longer.

    `idle` limits one call; `ends`, an instant, limits all calls together; `until` is the instant at which the run
    ends. The socket reads them before every call, and the owner of the connection changes them between requests.
    """

    __slots__ = ("ends", "ends_failure", "idle", "idle_failure", "until")

    def __init__(self, *, idle: float, until: float, idle_failure: Failure = Failure.STALLED) -> None:
        self.until = until
        self.idle = idle
        self.idle_failure = idle_failure
        self.ends = until
        self.ends_failure = Failure.TIMEOUT

    def left(self) -> float:
        """The seconds that the next call may take. Raises WireError if no time is left."""
        now = time.monotonic()
        left = min(self.ends, self.until) - now
        if left <= 0:
            raise self.exceeded()
        return min(left, self.idle) if left > _SHORTEST else _SHORTEST

    def idle_bound_until(self) -> float:
        """The instant until which `idle` is the tightest limit, so that left() returns the same for every call."""
        return min(self.ends, self.until) - self.idle

    def exceeded(self) -> WireError:
        """Return the error for a call that took too long, by the limit that has passed."""
        now = time.monotonic() + _SLACK
        if now >= self.until:
            return WireError(Failure.DEADLINE, "the deadline of the run has passed")
        if now >= self.ends:
            return WireError(self.ends_failure, "not finished in time")
        return WireError(self.idle_failure, f"no data for {self.idle:g} s")


class PlainSocket(socket.socket):
    """A TCP socket that takes the timeout of every call from its pace.

    `ended`: the peer has closed the connection. `answered`: bytes have arrived since it was last set to False.
    """

    pace: Pace
    ended = False
    answered = False

    def recv_into(self, buffer: WriteableBuffer, nbytes: int = 0, flags: int = 0) -> int:
        _set_timeout(self)
        try:
            count = super().recv_into(buffer, nbytes, flags)
        except TimeoutError as error:
            raise self.pace.exceeded() from error
        if count:
            self.answered = True
        else:
            self.ended = True
        return count

    def recv(self, bufsize: int, flags: int = 0) -> bytes:
        _set_timeout(self)
        try:
            return super().recv(bufsize, flags)
        except TimeoutError as error:
            raise self.pace.exceeded() from error

    def send(self, data: ReadableBuffer, flags: int = 0) -> int:
        _set_timeout(self)
        try:
            return super().send(data, flags)
        except TimeoutError as error:
            raise self.pace.exceeded() from error

    def sendall(self, data: ReadableBuffer, flags: int = 0) -> None:
        view = memoryview(data).cast("B")
        while view:
            view = view[self.send(view, flags) :]


class TlsSocket(ssl.SSLSocket):
    """A TLS socket with the same pace and attributes as PlainSocket.

    `recv_into` fills a large buffer from several TLS records in one call. An error after the first record is raised
    by the next call, so that the bytes before it are counted.
    """

    pace: Pace
    ended = False
    answered = False
    _deferred: Exception | None = None

    def recv_into(self, buffer: WriteableBuffer, nbytes: int | None = None, _flags: int = 0) -> int:
        view = memoryview(buffer).cast("B")
        size = nbytes or len(view)
        count: int = self.read(size, view)
        read: Any = super().read
        idle_bound_until, now = self.pace.idle_bound_until(), time.monotonic
        try:
            while count and size - count >= _TLS_RECORD:
                if now() > idle_bound_until:  # before that, the timeout set for the first record is still right
                    _set_timeout(self)
                more = read(_TLS_RECORD, view[count:])
                if not more:
                    break
                count += more
        except TimeoutError:
            self._deferred = self.pace.exceeded()
        except Exception as error:
            self._deferred = error
        return count

    def read(self, size: int = 1024, buffer: Any = None) -> Any:
        """Read at most one record; SSLSocket.recv and `recv_into` both end here."""
        if (deferred := self._deferred) is not None:
            self._deferred = None
            try:
                raise deferred
            finally:
                del deferred  # its traceback would keep these frames and their buffers alive
        _set_timeout(self)
        try:
            received = super().read(size, buffer)
        except TimeoutError as error:
            raise self.pace.exceeded() from error
        if received:
            self.answered = True
        else:
            self.ended = True
        return received

    def send(self, data: ReadableBuffer, flags: int = 0) -> int:
        _set_timeout(self)
        try:
            return super().send(data, flags)
        except TimeoutError as error:
            raise self.pace.exceeded() from error

    def do_handshake(self, block: bool = False) -> None:
        _set_timeout(self)
        try:
            super().do_handshake(block)
        except TimeoutError as error:
            raise self.pace.exceeded() from error


BoundedSocket = PlainSocket | TlsSocket


def _set_timeout(sock: BoundedSocket) -> None:
    left = sock.pace.left()
    if sock.gettimeout() != left:  # unchanged while the idle limit is the tightest: saves a system call
        sock.settimeout(left)


def connect(wire: Wire, address: str, port: int, *, timeout: float, until: float) -> PlainSocket:
    """Open a TCP connection within `timeout` seconds.

    Raises WireError TIMEOUT, REFUSED, RESET, UNREACHABLE, PROHIBITED or DEADLINE. A firewall that rejects with ICMP
    causes EACCES over IPv6; over IPv4 the real wire reads the ICMP message (see `probe.wire`).
    """
    pace = Pace(idle=timeout, until=until, idle_failure=Failure.TIMEOUT)
    try:
        dialled = wire.dial(address, port, pace.left())
    except TimeoutError as error:
        exceeded = pace.exceeded()
        if exceeded.failure is Failure.DEADLINE:
            raise exceeded from error
        raise WireError(exceeded.failure, f"no answer for {round(timeout, 1):g} s") from error
    except OSError as error:
        raise wire_error(error, phase=Phase.CONNECT) from error
    sock = PlainSocket(dialled.family, dialled.type, dialled.proto, fileno=dialled.detach())
    sock.pace = pace
    return sock


def has_route(wire: Wire, address: str) -> bool:
    """Whether this machine has a route to `address` and a source address for it. Sends nothing.

    Raises WireError NO_RESOURCES.
    """
    try:
        wire.datagram(address, 443).close()
    except OSError as error:
        if is_shortage(error):
            raise wire_error(error, phase=Phase.CONNECT) from error
        return False
    return True

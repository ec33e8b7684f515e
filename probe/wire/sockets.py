"""TCP connections whose every call is bounded: by its own limit and by the instant at which the run is over.

TLS is in `certificates`; what is said over a connection in `http` and `names`.
"""

from __future__ import annotations

import socket
import ssl
import time
from typing import TYPE_CHECKING, Any

from probe.model import Failure
from probe.wire import Wire
from probe.wire.errors import Phase, WireError, wire_error

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

_SLACK = 0.002  # a timeout of the kernel may come this much before the clock says so
_RECORD = 16 * 1024
_SHORTEST = 0.001  # zero would mean "do not wait"


class Pace:
    """How long the next call on a socket may take, and the failure word if it takes longer.

    `idle` bounds one call, `ends` (an instant) all calls together, `until` is the end of the run. Changed from
    outside as a conversation moves on; the socket asks before every call.
    """

    __slots__ = ("ends", "ends_failure", "idle", "idle_failure", "until")

    def __init__(self, *, idle: float, until: float, idle_failure: Failure = Failure.STALLED) -> None:
        self.until = until
        self.idle = idle
        self.idle_failure = idle_failure
        self.ends = until
        self.ends_failure = Failure.TIMEOUT

    def left(self) -> float:
        """Seconds for the next call. Raises WireError where there are none."""
        now = time.monotonic()
        left = min(self.ends, self.until) - now
        if left <= 0:
            raise self.exceeded()
        return min(left, self.idle) if left > _SHORTEST else _SHORTEST

    def calm_until(self) -> float:
        """The instant until which `idle` alone bounds a call, so that the time left is the same from call to call."""
        return min(self.ends, self.until) - self.idle

    def exceeded(self) -> WireError:
        """The error for a call that took too long."""
        now = time.monotonic() + _SLACK
        if now >= self.until:
            return WireError(Failure.DEADLINE, "the run's deadline")
        if now >= self.ends:
            return WireError(self.ends_failure, "not finished in time")
        return WireError(self.idle_failure, f"no byte for {self.idle:g} s")


class PlainSocket(socket.socket):
    """A TCP socket that asks its pace before every call.

    `ended` tells that the other side has closed, `answered` that bytes came since it was last set to False.
    """

    pace: Pace
    ended = False
    answered = False

    def recv_into(self, buffer: WriteableBuffer, nbytes: int = 0, flags: int = 0) -> int:
        _bound(self)
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
        _bound(self)
        try:
            return super().recv(bufsize, flags)
        except TimeoutError as error:
            raise self.pace.exceeded() from error

    def send(self, data: ReadableBuffer, flags: int = 0) -> int:
        _bound(self)
        try:
            return super().send(data, flags)
        except TimeoutError as error:
            raise self.pace.exceeded() from error

    def sendall(self, data: ReadableBuffer, flags: int = 0) -> None:
        view = memoryview(data).cast("B")
        while view:
            view = view[self.send(view, flags) :]


class TlsSocket(ssl.SSLSocket):
    """The same over TLS. A large buffer is filled from as many records (16 KiB at most) as come, in one call.

    What goes wrong behind the first record of a call is told by the next call, so that no byte is lost to the count.
    """

    pace: Pace
    ended = False
    answered = False
    _late: Exception | None = None

    def recv_into(self, buffer: WriteableBuffer, nbytes: int | None = None, _flags: int = 0) -> int:
        view = memoryview(buffer).cast("B")
        size = nbytes or len(view)
        count: int = self.read(size, view)
        read: Any = super().read
        calm, now = self.pace.calm_until(), time.monotonic
        try:
            while count and size - count >= _RECORD:
                if now() > calm:  # else what bounded the first record bounds this one too
                    _bound(self)
                more = read(_RECORD, view[count:])
                if not more:
                    break
                count += more
        except TimeoutError:
            self._late = self.pace.exceeded()
        except Exception as error:
            self._late = error
        return count

    def read(self, size: int = 1024, buffer: Any = None) -> Any:
        """What SSLSocket's recv and ours come down to."""
        if (late := self._late) is not None:
            self._late = None
            try:
                raise late
            finally:
                del late  # or its traceback would hold these frames, their buffers and itself
        _bound(self)
        try:
            got = super().read(size, buffer)
        except TimeoutError as error:
            raise self.pace.exceeded() from error
        if got:
            self.answered = True
        else:
            self.ended = True
        return got

    def send(self, data: ReadableBuffer, flags: int = 0) -> int:
        _bound(self)
        try:
            return super().send(data, flags)
        except TimeoutError as error:
            raise self.pace.exceeded() from error

    def do_handshake(self, block: bool = False) -> None:
        _bound(self)
        try:
            super().do_handshake(block)
        except TimeoutError as error:
            raise self.pace.exceeded() from error


BoundedSocket = PlainSocket | TlsSocket


def _bound(sock: BoundedSocket) -> None:
    left = sock.pace.left()
    if sock.gettimeout() != left:  # while the idle limit is the smaller one, one system call less
        sock.settimeout(left)


def connect(wire: Wire, address: str, port: int, *, timeout: float, until: float) -> PlainSocket:
    """A TCP connection within `timeout` seconds.

    Raises WireError TIMEOUT, REFUSED, RESET, UNREACHABLE, PROHIBITED or DEADLINE. What a firewall prohibits by ICMP
    arrives as EACCES over IPv6; over IPv4 the real wire finds it out (see `probe.wire`).
    """
    pace = Pace(idle=timeout, until=until, idle_failure=Failure.TIMEOUT)
    try:
        dialled = wire.dial(address, port, pace.left())
    except TimeoutError as error:
        late = pace.exceeded()
        raise WireError(
            late.failure, late.detail if late.failure is Failure.DEADLINE else f"no answer for {timeout:g} s"
        ) from error
    except OSError as error:
        raise wire_error(error, phase=Phase.CONNECT) from error
    sock = PlainSocket(dialled.family, dialled.type, dialled.proto, fileno=dialled.detach())
    sock.pace = pace
    return sock


def has_route(wire: Wire, address: str) -> bool:
    """Whether this machine has a route, and an address of its own, for `address`. Nothing is sent."""
    try:
        wire.datagram(address, 443).close()
    except OSError:
        return False
    return True

"""The sockets of the sidecar: waitress, which spends no thread on a request before it has been read completely.

Slow and hostile clients cost a bounded number of connections, bytes and seconds: a connection carries one request and
one response, each within TIMEOUT, or CROWDED_TIMEOUT while many are open or much is unsent. So no client can occupy
every connection and delay the health check, or request hundreds of responses without reading them.

waitress has no settings for this, so its private parts are used: Server overrides `readable` of its server and reads
`active_channels`, `_map` and the dispatcher's queue; _Channel and _Request subclass its channel and parser and rely on
their `requests`, `total_outbufs_len`, `will_close` and `completed`. pyproject.toml bounds the version for this reason.
"""

from __future__ import annotations

import errno
import logging
import os
import socket
import ssl
import stat
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import create_server

from probe.config.listen import Address
from probe.shortage import is_shortage

if TYPE_CHECKING:
    from probe.serve.web import App

THREADS = 4
MOST_CONNECTIONS = 400  # more wait in the queue of the operating system
CROWD = 100  # open connections from which on the shorter timeout holds
MOST_UNSENT = 16 * 1024 * 1024  # bytes of responses that clients have not read; beyond it no request is read
MOST_QUEUED = 8 * THREADS  # requests that were read and not answered
TIMEOUT, CROWDED_TIMEOUT = 10.0, 0.5  # seconds to send a whole request; then as many to read its response
LONGEST_HEADERS = 16 * 1024
LONGEST_BODY = 1024
SHORTAGE_PAUSE = 0.5  # seconds without accepting after a descriptor was refused
_BACKLOG = 1024
_RECORD = 16 * 1024  # bytes of the largest TLS record


class Server:
    """Listens as soon as it is constructed. Raises OSError where it cannot bind."""

    def __init__(self, app: App, listen: Address, *, tls: ssl.SSLContext | None = None) -> None:
        # waitress logs the mistakes of clients, which do not belong in the sidecar's log.
        logging.getLogger("waitress").addHandler(logging.NullHandler())
        logging.getLogger("waitress").propagate = False
        self.listen = listen
        self._socket = _listening(listen, tls)
        self._server: Any = create_server(
            app,
            sockets=[self._socket],
            threads=THREADS,
            connection_limit=MOST_CONNECTIONS,
            max_request_header_size=LONGEST_HEADERS,
            max_request_body_size=LONGEST_BODY,
            backlog=_BACKLOG,
            asyncore_use_poll=True,
            clear_untrusted_proxy_headers=True,
            ident=None,
        )
        self._server.channel_class = _Channel
        # Called in every iteration of waitress's loop, to ask whether a further connection may be accepted.
        self._may_accept, self._server.readable = self._server.readable, self._before_poll
        self._accept, self._server.accept = self._server.accept, self._accepted
        self._accept_after = 0.0  # the instant before which no connection is accepted
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._server.run, daemon=True, name="http")

    def start(self) -> None:
        self._thread.start()

    @property
    def address(self) -> Address:
        """Where it listens; with the port that the system chose, where port 0 was asked for."""
        if self.listen.family is socket.AF_UNIX:
            return self.listen
        host, port = self._socket.getsockname()[:2]
        return Address(host, port)

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self._server.active_channels)

    @property
    def queued(self) -> int:
        """How many requests were read and wait for a thread."""
        return len(self._server.task_dispatcher.queue)

    def stop(self, *, within: float) -> bool:
        """Answer the requests that have arrived and close; False where the thread did not end in time."""
        until = time.monotonic() + within
        idle_polls = 0  # several in a row, since a request may have arrived that was not read yet
        while idle_polls < 3 and time.monotonic() < until:
            threading.Event().wait(0.02)
            idle_polls = 0 if self._is_busy() else idle_polls + 1
        self._ending.set()
        self._server.pull_trigger()
        self._thread.join(max(0.1, until - time.monotonic()))
        self._server.task_dispatcher.shutdown(timeout=max(0.1, until - time.monotonic()))
        if self.listen.family is socket.AF_UNIX:
            with suppress(OSError):
                os.unlink(self.listen.host)
        return not self._thread.is_alive()

    def _is_busy(self) -> bool:
        channels = list(self._server.active_channels.values())
        return any(channel.requests or channel.total_outbufs_len for channel in channels)

    def _accepted(self) -> Any:
        """The next connection. Without a free descriptor it waits in the queue, and polling would spin."""
        try:
            return self._accept()
        except OSError as error:
            if is_shortage(error):
                self._accept_after = time.monotonic() + SHORTAGE_PAUSE
            raise

    def _before_poll(self) -> bool:
        """Close overdue connections, on waitress's own thread; returns whether it may accept another one."""
        if self._ending.is_set():
            wasyncore.close_all(self._server._map, ignore_all=True)
            return False
        channels = list(self._server.active_channels.values())
        full = sum(channel.total_outbufs_len for channel in channels) >= MOST_UNSENT
        crowded = len(channels) >= CROWD
        now = time.monotonic()
        for channel in channels:
            channel.paused = full
            # Only those that read nothing make it full; the others wait, with their requests unread.
            hurried = crowded or (full and channel.total_outbufs_len)
            if now - channel.since > (CROWDED_TIMEOUT if hurried else TIMEOUT) and not channel.requests:
                channel.handle_close()
        return bool(self._may_accept()) and now >= self._accept_after


class _Request(HTTPRequestParser):  # type: ignore[misc]
    """The only request of its connection: a client that sends many and reads no response would fill the memory."""

    def received(self, data: bytes) -> int:
        consumed = int(super().received(data))
        return len(data) if self.completed else consumed  # what follows it is dropped

    def parse_header(self, header_plus: bytes) -> None:
        super().parse_header(header_plus)
        self.headers["CONNECTION"] = "close"


class _Channel(HTTPChannel):  # type: ignore[misc]
    parser_class = _Request
    paused = False  # nothing is read from it now

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.since = time.monotonic()

    # A channel that `_before_poll` has just closed must not be polled: a new connection may get its file descriptor.
    # Nor may one that would not be served when it is ready: the loop would spin and take the processor from the threads
    # that it waits for.

    def readable(self) -> bool:
        return self.socket is not None and not self.paused and self._has_room() and super().readable()

    def writable(self) -> bool:
        is_answering = self.requests and not self.will_close  # the answering thread sends, and leaves the rest to us
        return self.socket is not None and not is_answering and bool(super().writable())

    def handle_read(self) -> None:
        if self._has_room():
            with suppress(_IncompleteRecordError):
                super().handle_read()

    def _has_room(self) -> bool:
        return len(self.server.task_dispatcher.queue) < MOST_QUEUED

    def write_soon(self, data: Any) -> int:
        self.since = time.monotonic()
        return int(super().write_soon(data))


class _IncompleteRecordError(Exception):
    """A TLS record has not arrived completely. Not an OSError, on which waitress would close the connection."""


def _listening(listen: Address, tls: ssl.SSLContext | None) -> socket.socket:
    kind = socket.socket if tls is None else _TlsListener
    listener = kind(listen.family, socket.SOCK_STREAM)
    try:
        if isinstance(listener, _TlsListener):
            listener.tls = tls
        if listen.family is socket.AF_UNIX:
            _remove_stale_socket(listen.host)
        else:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if listen.family is socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.bind(listen.place)
        listener.listen(_BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener


def _remove_stale_socket(path: str) -> None:
    """Remove the socket of a predecessor that was killed. Anything else stays, and binding fails."""
    with suppress(FileNotFoundError):
        if stat.S_ISSOCK(os.stat(path).st_mode):
            with socket.socket(socket.AF_UNIX) as probing, suppress(ConnectionRefusedError):
                probing.setblocking(False)  # a process that hangs with a full queue would block us
                with suppress(BlockingIOError):
                    probing.connect(path)
                raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
            os.unlink(path)


class _TlsListener(socket.socket):
    """Accepts without a handshake, which happens with the first bytes, so that no client can delay the others."""

    tls: ssl.SSLContext | None = None

    def accept(self) -> tuple[socket.socket, Any]:
        connection, address = super().accept()
        assert self.tls is not None
        connection.setblocking(False)
        secure = self.tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return secure, address


class _TlsSocket(ssl.SSLSocket):
    """Turns the exceptions of TLS into those that waitress handles."""

    def recv(self, size: int = _RECORD, flags: int = 0) -> bytes:
        """All decrypted bytes: no poll reports those that are left inside the TLS layer."""
        try:
            received = super().recv(max(size, _RECORD), flags)
            while waiting := self.pending():
                received += super().recv(waiting, flags)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError) as error:
            raise _IncompleteRecordError from error
        except ssl.SSLError as error:
            raise ConnectionResetError(errno.ECONNRESET, "no TLS") from error
        return received

    def send(self, data: Any, flags: int = 0) -> int:
        try:
            return super().send(data, flags)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError) as error:
            raise BlockingIOError(errno.EWOULDBLOCK, "wait") from error
        except ssl.SSLError as error:
            raise ConnectionResetError(errno.ECONNRESET, "no TLS") from error


def tls_context(certificate: str, key: str | None) -> ssl.SSLContext:
    """A server's context; without `key` the certificate's file holds the key too.

    Raises OSError or ssl.SSLError where the files cannot be read or do not belong together.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = _TlsSocket
    context.load_cert_chain(certificate, key, password=lambda: b"")  # otherwise OpenSSL prompts on the terminal
    return context

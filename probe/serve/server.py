"""The sockets of the sidecar: waitress, which reads a request to its end before a thread is spent on it.

Slow and hostile clients cost a bounded number of connections, bytes and seconds each: one request and one answer per
connection, within SLOWEST seconds each, or CROWDED where it is full. So nobody can fill all places and keep the health
check waiting, nor order hundreds of answers and never read them.
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
from typing import Any

from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import create_server

from probe.config.listen import Address
from probe.serve.web import App

THREADS = 4
MOST_CONNECTIONS = 400  # more wait in the system's queue
CROWD = 100  # connections from which on there is little patience
MOST_UNSENT = 16 * 1024 * 1024  # bytes of answers that clients have not taken; beyond it nothing more is read
MOST_WAITING = 8 * THREADS  # requests read and not yet answered
SLOWEST, CROWDED = 10.0, 0.5  # seconds in which a request has to be there whole; then the same for taking its answer
LONGEST_HEADERS = 16 * 1024
LONGEST_BODY = 1024
_BACKLOG = 1024
_RECORD = 16 * 1024


class Server:
    """Listening from construction on. Raises OSError where the address cannot be had."""

    def __init__(self, app: App, listen: Address, *, tls: ssl.SSLContext | None = None) -> None:
        # It logs what clients do wrong, which is theirs to know and not our log's.
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
        self._accepting, self._server.readable = self._server.readable, self._turn  # asked in each turn of its loop
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._server.run, daemon=True, name="http")

    def start(self) -> None:
        self._thread.start()

    def stop(self, *, within: float) -> None:
        """Answer what is asked already, take nothing new, and be gone."""
        until = time.monotonic() + within
        quiet = 0  # looks in a row: a request may have arrived that nobody has read yet
        while quiet < 3 and time.monotonic() < until:
            threading.Event().wait(0.02)
            quiet = 0 if self._busy() else quiet + 1
        self._ending.set()
        self._server.pull_trigger()
        self._thread.join(max(0.1, until - time.monotonic()))
        self._server.task_dispatcher.shutdown(timeout=max(0.1, until - time.monotonic()))
        if self.listen.family is socket.AF_UNIX:
            with suppress(OSError):
                os.unlink(self.listen.host)

    def _busy(self) -> bool:
        channels = list(self._server.active_channels.values())
        return any(channel.requests or channel.total_outbufs_len for channel in channels)

    def _turn(self) -> bool:
        """On the server's own thread, before it waits for packets: whether it may accept one more connection."""
        if self._ending.is_set():
            wasyncore.close_all(self._server._map, ignore_all=True)
            return False
        channels = list(self._server.active_channels.values())
        full = sum(channel.total_outbufs_len for channel in channels) >= MOST_UNSENT
        oldest = time.monotonic() - (CROWDED if full or len(channels) >= CROWD else SLOWEST)
        for channel in channels:
            channel.held = full
            if channel.since < oldest and not channel.requests:
                channel.handle_close()
        return bool(self._accepting())


class _Request(HTTPRequestParser):  # type: ignore[misc]
    """The only one of its connection: whoever sends many at once and reads no answer would fill our memory."""

    def received(self, data: bytes) -> int:
        consumed = int(super().received(data))
        return len(data) if self.completed else consumed  # what comes after it is not even read

    def parse_header(self, header_plus: bytes) -> None:
        super().parse_header(header_plus)
        self.headers["CONNECTION"] = "close"


class _Channel(HTTPChannel):  # type: ignore[misc]
    parser_class = _Request
    held = False  # nothing is read from it now

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.since = time.monotonic()

    # What `_turn` has just closed must not be waited for: the next connection may get its number. Nor what is not dealt
    # with when it is there: the loop would turn round and round, and take the processor from those whom it waits for.

    def readable(self) -> bool:
        return self.socket is not None and not self.held and self._has_room() and super().readable()

    def writable(self) -> bool:
        at_work = self.requests and not self.will_close  # the thread that answers also sends, and leaves us the rest
        return self.socket is not None and not at_work and bool(super().writable())

    def handle_read(self) -> None:
        if self._has_room():
            with suppress(_NotYetError):
                super().handle_read()

    def _has_room(self) -> bool:
        return len(self.server.task_dispatcher.queue) < MOST_WAITING

    def write_soon(self, data: Any) -> int:
        self.since = time.monotonic()
        return int(super().write_soon(data))


class _NotYetError(Exception):
    """A TLS record is not there whole yet. No OSError, on which waitress would close the connection."""


def _listening(listen: Address, tls: ssl.SSLContext | None) -> socket.socket:
    kind = socket.socket if tls is None else _TlsListener
    listener = kind(listen.family, socket.SOCK_STREAM)
    try:
        if isinstance(listener, _TlsListener):
            listener.tls = tls
        if listen.family is socket.AF_UNIX:
            _make_way(listen.host)
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


def _make_way(path: str) -> None:
    """Remove the socket that a killed predecessor left; anything else in its place stays, and binding fails."""
    with suppress(FileNotFoundError):
        if stat.S_ISSOCK(os.stat(path).st_mode):
            with socket.socket(socket.AF_UNIX) as probing, suppress(ConnectionRefusedError):
                probing.setblocking(False)  # whoever hangs with a full queue would hold us up
                with suppress(BlockingIOError):
                    probing.connect(path)
                raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
            os.unlink(path)


class _TlsListener(socket.socket):
    """Accepts connections whose handshake happens with their first bytes, so that no client can hold up the others."""

    tls: ssl.SSLContext | None = None

    def accept(self) -> tuple[socket.socket, Any]:
        connection, address = super().accept()
        assert self.tls is not None
        connection.setblocking(False)
        secure = self.tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return secure, address


class _TlsSocket(ssl.SSLSocket):
    """Speaks of waiting and of mistakes in words that waitress understands."""

    def recv(self, size: int = _RECORD, flags: int = 0) -> bytes:
        """All that has been decrypted: what waits inside the TLS layer no poll tells of."""
        try:
            received = super().recv(max(size, _RECORD), flags)
            while waiting := self.pending():
                received += super().recv(waiting, flags)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError) as error:
            raise _NotYetError from error
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
    """Without `key` it stands in the certificate's file.

    Raises OSError or ssl.SSLError where the files cannot be read or do not belong together.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = _TlsSocket
    context.load_cert_chain(certificate, key, password=lambda: b"")  # else OpenSSL would ask on the terminal
    return context

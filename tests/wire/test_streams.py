from __future__ import annotations

import gc
import shutil
import socket
import subprocess
import threading
import time
import weakref
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest

from probe.model import Failure
from probe.wire import Wire, http, sockets
from probe.wire.errors import WireError
from probe.wire.http import Answer, Body, Conversation, get
from tests.wire.conftest import Authority
from tests.wire.servers import (
    CHUNKED,
    GENEROUS,
    HOST,
    Handler,
    HttpServer,
    Server,
    answer,
    close,
    closed_port,
    connected,
    reply_then,
    silent,
    wire_to,
    within,
)

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n"
PART = b"z" * 50_000


class PartialBody:
    """Answers with the head and a part of the body, then calls `after`. `sent` is set in between."""

    def __init__(self, after: Handler = silent) -> None:
        self.sent = threading.Event()
        self._after = after

    def __call__(self, sock: socket.socket, stop: threading.Event) -> None:
        reply_then(HEAD + PART, self._announce)(sock, stop)

    def _announce(self, sock: socket.socket, stop: threading.Event) -> None:
        self.sent.set()
        self._after(sock, stop)


def read_all(body: Body, size: int) -> None:
    buffer = memoryview(bytearray(size))
    while body.read_into(buffer):
        pass


def test_a_stream_is_read_whole_and_keeps_the_connection(authority: Authority) -> None:
    content = bytes(range(256)) * 4096 * 2
    buffer = memoryview(bytearray(100_000))
    with (
        HttpServer(lambda _: answer(200, content), tls=authority.server()) as server,
        connected(wire_to(server.port, trust=authority.trust()), tls=True) as conversation,
    ):
        for _ in range(2):
            received = b""
            with conversation.stream("GET", "/", headers={}, limit=len(content)) as body:
                while count := body.read_into(buffer):
                    received += buffer[:count]
            assert received == content
            assert body.received == len(content)
    assert server.connections == 1


@pytest.mark.parametrize(("after", "expected"), [(silent, Failure.STALLED), (close, Failure.TRUNCATED)])
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_an_incomplete_stream_counts_the_bytes_that_arrived(
    authority: Authority, tls: bool, after: Handler, expected: Failure
) -> None:
    handler = PartialBody(after)
    with (
        Server(handler, tls=authority.server() if tls else None) as server,
        connected(wire_to(server.port, trust=authority.trust()), tls=tls) as conversation,
        conversation.stream("GET", "/", headers={}, limit=900_000) as body,
    ):
        assert handler.sent.wait(60)
        conversation._pace.idle = 1.0
        with pytest.raises(WireError) as caught:
            read_all(body, 1 << 20)
    assert caught.value.failure is expected
    assert body.received == len(PART)


def test_full_records_at_intervals_do_not_delay_the_end_of_the_run(authority: Authority) -> None:
    def send_records(sock: socket.socket, stop: threading.Event) -> None:
        for _ in range(40):
            sock.sendall(b"x" * 16384)
            if stop.wait(0.1):
                return

    buffer_size = 32 * 16384
    with (
        Server(reply_then(HEAD, send_records), tls=authority.server()) as server,
        connected(wire_to(server.port, trust=authority.trust()), tls=True) as conversation,
        conversation.stream("GET", "/", headers={}, limit=900_000) as body,
    ):
        conversation._pace.ends = conversation._pace.until = within(0.3)
        with pytest.raises(WireError) as caught:
            read_all(body, buffer_size)
    assert caught.value.failure is Failure.DEADLINE
    assert body.received < buffer_size  # a call that ignored the limit would have filled its buffer


def test_after_an_unfinished_body_the_next_request_uses_a_new_connection(authority: Authority) -> None:
    first = threading.Event()

    def serve(sock: socket.socket, stop: threading.Event) -> None:
        reply = answer(200, b"fine") if first.is_set() else HEAD + PART
        first.set()
        reply_then(reply)(sock, stop)

    with (
        Server(serve, tls=authority.server()) as server,
        connected(wire_to(server.port, trust=authority.trust()), tls=True) as conversation,
    ):
        with conversation.stream("GET", "/", headers={}, limit=900_000) as body:
            assert body.read_into(memoryview(bytearray(len(PART)))) == len(PART)
        assert conversation.request("GET", "/", headers={}, limit=10).body == b"fine"
    assert server.connections == 2


def test_a_deferred_error_holds_no_buffer(authority: Authority) -> None:
    handler = PartialBody()
    gc.disable()
    try:
        with (
            Server(handler, tls=authority.server()) as server,
            connected(wire_to(server.port, trust=authority.trust()), tls=True) as conversation,
        ):
            buffer = _read_until_it_stalls(conversation, handler)
        assert buffer() is None
    finally:
        gc.enable()


def _read_until_it_stalls(conversation: Conversation, handler: PartialBody) -> weakref.ref[Buffer]:
    buffer = Buffer(1 << 20)
    with conversation.stream("GET", "/", headers={}, limit=900_000) as body:
        assert handler.sent.wait(60)
        conversation._pace.idle = 0.3
        with suppress(WireError):
            while body.read_into(memoryview(buffer)):
                pass
    return weakref.ref(buffer)


class Buffer(bytearray):
    """A bytearray that supports weak references."""


@pytest.mark.parametrize("reply", [answer(200, b"x" * 5000), CHUNKED + b"1388\r\n" + b"x" * 5000 + b"\r\n0\r\n\r\n"])
def test_a_stream_above_its_limit_is_cut(reply: bytes) -> None:
    with (
        Server(reply_then(reply)) as server,
        connected(wire_to(server.port)) as conversation,
        conversation.stream("GET", "/", headers={}, limit=4096) as body,
        pytest.raises(WireError) as caught,
    ):
        read_all(body, 1000)
    assert caught.value.failure is Failure.TOO_LARGE


def test_the_error_body_of_a_stream_can_be_read() -> None:
    with (
        Server(reply_then(answer(403, b"<Error><Code>AccessDenied</Code></Error>"))) as server,
        connected(wire_to(server.port)) as conversation,
        conversation.stream("GET", "/", headers={}, limit=10) as body,
    ):
        assert body.status == 403
        assert body.error_body() == b"<Error><Code>AccessDenied</Code></Error>"


def test_the_limit_of_a_request_does_not_end_a_download(monkeypatch: pytest.MonkeyPatch) -> None:
    elapsed = 0.0
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + elapsed)
    monkeypatch.setattr(sockets, "time", clock)
    monkeypatch.setattr(http, "time", clock)
    later = threading.Event()

    def send_later(sock: socket.socket, _stop: threading.Event) -> None:
        assert later.wait(60)
        sock.sendall(b"x" * 64)

    with (
        Server(reply_then(HEAD, send_later)) as server,
        connected(wire_to(server.port)) as conversation,
        conversation.stream("GET", "/", headers={}, limit=900_000) as body,
    ):
        elapsed = GENEROUS.request + 1
        later.set()
        assert body.read_into(memoryview(bytearray(64))) == 64


# ---- one URL ---------------------------------------------------------------------------------------------------------


def fetch(wire: Wire, url: str) -> Answer:
    return get(wire, url, headers={}, budget=GENEROUS, until=within(), seconds=60, limit=100)


def test_a_url_with_an_address_or_localhost() -> None:
    with HttpServer(lambda request: answer(200, request.split(b" ")[1])) as server:
        wire = wire_to({server.port: server.port, 80: server.port})
        assert fetch(wire, "http://169.254.170.2/v4/x?y=1").body == b"/v4/x?y=1"
        assert fetch(wire, f"http://localhost:{server.port}").body == b"/"
        assert fetch(wire, "http://[fd00:ec2::23]/v1/credentials").body == b"/v1/credentials"
    assert b"\r\nHost: [fd00:ec2::23]\r\n" in server.requests[2]
    assert f"\r\nHost: localhost:{server.port}\r\n".encode() in server.requests[1]


@pytest.mark.parametrize(
    "url", ["", "ftp://169.254.170.2/", "http://", "http://[::1", "http://127.0.0.1:99999/", "169.254.170.2/v4"]
)
def test_text_that_is_not_a_url(url: str) -> None:
    with pytest.raises(WireError) as caught:
        fetch(wire_to(1), url)
    assert caught.value.failure is Failure.MALFORMED


# ---- against an independent server -----------------------------------------------------------------------------------

NGINX = """
daemon off; master_process off; pid {at}/pid; error_log stderr; worker_processes 1;
events {{}}
http {{ access_log off; client_body_temp_path {at}; proxy_temp_path {at};
  fastcgi_temp_path {at}; uwsgi_temp_path {at}; scgi_temp_path {at};
  server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {at}/pem; ssl_certificate_key {at}/pem; root {at}/www; }} }}
"""


@pytest.mark.skipif(not shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/bin"), reason="needs nginx")
def test_against_nginx(authority: Authority, tmp_path: Path) -> None:
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/bin")
    assert nginx is not None
    port = closed_port()
    (tmp_path / "www").mkdir()
    (tmp_path / "www" / "blob").write_bytes(b"0123456789" * 1000)
    authority.ca.issue_cert(HOST).private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "pem"))
    (tmp_path / "conf").write_text(NGINX.format(at=tmp_path, port=port))
    tmp_path.chmod(0o755)
    with subprocess.Popen([nginx, "-c", str(tmp_path / "conf")], stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(port)
            with connected(wire_to(port, trust=authority.trust()), tls=True) as conversation:
                assert conversation.request("HEAD", "/blob", headers={}, limit=10).headers["content-length"] == "10000"
                ranged = conversation.request("GET", "/blob", headers={"Range": "bytes=0-9"}, limit=10)
                assert (ranged.status, ranged.body) == (206, b"0123456789")
                assert conversation.request("GET", "/missing", headers={}, limit=10).status == 404
                with conversation.stream("GET", "/blob", headers={}, limit=10_000) as body:
                    assert body.read_into(memoryview(bytearray(20_000))) == 10_000
        finally:
            process.kill()


def wait_for(port: int) -> None:
    """Wait until a server listens on `port`."""
    pause = threading.Event()
    until = within(60)
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            pause.wait(0.01)
        else:
            return
    raise AssertionError(f"no server listens on port {port}")

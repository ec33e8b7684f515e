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

import pytest

from probe.model import Budget, Failure
from probe.wire import Wire
from probe.wire.errors import WireError
from probe.wire.http import Answer, Body, Conversation, get
from tests.wire.conftest import Authority
from tests.wire.servers import (
    CHUNKED,
    HOST,
    QUICK,
    Handler,
    HttpServer,
    Server,
    answer,
    closed_port,
    done,
    silent,
    soon,
    talk,
    then,
    wire_to,
)


def read_all(body: Body, size: int) -> None:
    buffer = memoryview(bytearray(size))
    while body.read_into(buffer):
        pass


def test_a_stream_is_as_long_as_it_is(authority: Authority) -> None:
    content = bytes(range(256)) * 4096 * 2
    buffer = memoryview(bytearray(100_000))
    with (
        HttpServer(lambda _: answer(200, content), tls=authority.server()) as server,
        talk(wire_to(server.port, trust=authority.trust()), tls=True) as conversation,
    ):
        for _ in range(2):
            got = b""
            with conversation.stream("GET", "/", headers={}, limit=len(content)) as body:
                while count := body.read_into(buffer):
                    got += buffer[:count]
            assert got == content
            assert body.received == len(content)
    assert server.connections == 1


@pytest.mark.parametrize(("after", "expected"), [(silent, Failure.STALLED), (done, Failure.TRUNCATED)])
@pytest.mark.parametrize("secure", [False, True])
def test_a_stream_that_ends_too_early_tells_how_much_came(
    authority: Authority, secure: bool, after: Handler, expected: Failure
) -> None:
    part = b"z" * 50_000
    handler = then(b"HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n" + part, after)
    tls = authority.server() if secure else None
    with (
        Server(handler, tls=tls) as server,
        talk(wire_to(server.port, trust=authority.trust()), tls=secure) as conversation,
        conversation.stream("GET", "/", headers={}, limit=900_000) as body,
        pytest.raises(WireError) as caught,
    ):
        read_all(body, 1 << 20)
    assert caught.value.failure is expected
    assert body.received == len(part)


def test_full_records_now_and_then_do_not_outlive_the_end_of_the_run(authority: Authority) -> None:
    def drip(sock: socket.socket, stop: threading.Event) -> None:
        for _ in range(40):
            sock.sendall(b"x" * 16384)
            if stop.wait(0.1):
                return

    began = time.monotonic()
    with (
        Server(then(b"HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n", drip), tls=authority.server()) as server,
        talk(wire_to(server.port, trust=authority.trust()), tls=True, left=0.8, budget=Budget(stall=0.5)) as talking,
        talking.stream("GET", "/", headers={}, limit=900_000) as body,
        pytest.raises(WireError) as caught,
    ):
        read_all(body, 1 << 19)
    assert caught.value.failure is Failure.DEADLINE
    assert time.monotonic() - began < 3.5  # four seconds of dripping


def test_after_a_frozen_body_the_next_request_has_a_connection_of_its_own(authority: Authority) -> None:
    first = threading.Event()

    def serve(sock: socket.socket, stop: threading.Event) -> None:
        frozen = not first.is_set()
        first.set()
        part = b"HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n" + b"z" * 50_000
        then(part if frozen else answer(200, b"fine"), silent)(sock, stop)

    with (
        Server(serve, tls=authority.server()) as server,
        talk(wire_to(server.port, trust=authority.trust()), tls=True, budget=Budget(stall=0.3)) as talking,
    ):
        with pytest.raises(WireError), talking.stream("GET", "/", headers={}, limit=900_000) as body:
            read_all(body, 1 << 20)
        assert talking.request("GET", "/", headers={}, limit=10).body == b"fine"
    assert server.connections == 2


def test_an_error_that_was_told_late_holds_no_buffer(authority: Authority) -> None:
    part = b"HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n" + b"z" * 50_000
    gc.disable()
    try:
        with (
            Server(then(part, silent), tls=authority.server()) as server,
            talk(wire_to(server.port, trust=authority.trust()), tls=True, budget=Budget(stall=0.2)) as talking,
        ):
            kept = _read_until_it_stalls(talking)
        assert kept() is None
    finally:
        gc.enable()


def _read_until_it_stalls(talking: Conversation) -> weakref.ref[Buffer]:
    buffer = Buffer(1 << 20)
    with talking.stream("GET", "/", headers={}, limit=900_000) as body, suppress(WireError):
        while body.read_into(memoryview(buffer)):
            pass
    return weakref.ref(buffer)


class Buffer(bytearray):
    """One that can be referred to weakly."""


@pytest.mark.parametrize("sent", [answer(200, b"x" * 5000), CHUNKED + b"1388\r\n" + b"x" * 5000 + b"\r\n0\r\n\r\n"])
def test_a_stream_that_is_longer_than_expected_is_cut(sent: bytes) -> None:
    with (
        Server(then(sent)) as server,
        talk(wire_to(server.port)) as conversation,
        conversation.stream("GET", "/", headers={}, limit=4096) as body,
        pytest.raises(WireError) as caught,
    ):
        read_all(body, 1000)
    assert caught.value.failure is Failure.TOO_LARGE


def test_a_streams_refusal_can_be_read() -> None:
    with (
        Server(then(answer(403, b"<Error><Code>AccessDenied</Code></Error>"))) as server,
        talk(wire_to(server.port)) as conversation,
        conversation.stream("GET", "/", headers={}, limit=10) as body,
    ):
        assert body.status == 403
        assert body.error_body() == b"<Error><Code>AccessDenied</Code></Error>"


def test_a_stream_outlives_the_limit_of_a_request() -> None:
    """Only silence and the deadline end a download."""
    stopped = threading.Event()

    def drip(sock: socket.socket, _stop: threading.Event) -> None:
        for _ in range(12):
            sock.sendall(b"x" * 10)
            stopped.wait(0.02)

    budget = Budget(request=0.1, stall=0.3)
    with (
        Server(then(b"HTTP/1.1 200 OK\r\nContent-Length: 120\r\n\r\n", drip)) as server,
        talk(wire_to(server.port), budget=budget) as c,
        c.stream("GET", "/", headers={}, limit=120) as body,
    ):
        while body.read_into(memoryview(bytearray(64))):
            pass
    assert body.received == 120


# ---- one URL ---------------------------------------------------------------------------------------------------------


def fetch(wire: Wire, url: str) -> Answer:
    return get(wire, url, headers={}, budget=QUICK, until=soon(), seconds=0.5, limit=100)


def test_a_url_of_the_surroundings() -> None:
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
def test_what_is_no_url(url: str) -> None:
    with pytest.raises(WireError) as caught:
        fetch(wire_to(1), url)
    assert caught.value.failure is Failure.MALFORMED


# ---- against a server that is not ours -------------------------------------------------------------------------------

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
            with talk(wire_to(port, trust=authority.trust()), tls=True, budget=Budget()) as conversation:
                assert conversation.request("HEAD", "/blob", headers={}, limit=10).headers["content-length"] == "10000"
                ranged = conversation.request("GET", "/blob", headers={"Range": "bytes=0-9"}, limit=10)
                assert (ranged.status, ranged.body) == (206, b"0123456789")
                assert conversation.request("GET", "/missing", headers={}, limit=10).status == 404
                with conversation.stream("GET", "/blob", headers={}, limit=10_000) as body:
                    assert body.read_into(memoryview(bytearray(20_000))) == 10_000
        finally:
            process.kill()


def wait_for(port: int) -> None:
    """Until something listens there."""
    never = threading.Event()
    until = soon(5)
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
        except OSError:
            never.wait(0.01)
        else:
            return
    raise AssertionError("nobody listens")

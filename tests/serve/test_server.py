"""Real sockets, hostile and slow clients: each costs the sidecar a bounded number of connections, bytes and seconds."""

from __future__ import annotations

import errno
import os
import selectors
import socket
import ssl
import stat
import threading
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from pathlib import Path

import pytest
import trustme

from probe.config.listen import Address
from probe.history import Snapshot
from probe.model import Severity
from probe.serve import server as servers
from probe.serve.server import CROWD, LONGEST_BODY, LONGEST_HEADERS, MOST_CONNECTIONS, TIMEOUT, Server, tls_context
from probe.serve.web import App
from tests.report import made
from tests.serve.clients import SOON, ask, connect, everything, get, read, request
from tests.serve.rounds import Source, after, finding, verdict

LIVED = after([verdict(), made.broken()])
LOOPBACK = Address("127.0.0.1", 0)
PATIENCE = 8.0  # seconds within which every client is answered, also on a busy machine; Prometheus waits ten


@contextmanager
def serving(
    listen: Address = LOOPBACK, source: Source | None = None, *, tls: ssl.SSLContext | None = None
) -> Iterator[Address]:
    server = Server(App(source or Source(LIVED)), listen, tls=tls)
    server.start()
    try:
        yield server.address
    finally:
        assert server.stop(within=SOON)


@contextmanager
def crowd(there: Address, number: int, first: bytes, *, narrow: bool = False) -> Iterator[list[socket.socket]]:
    """Connections that have each sent the same bytes."""
    with ExitStack() as stack:
        connections = [stack.enter_context(connect(there, narrow=narrow)) for _ in range(number)]
        for connection in connections:
            connection.sendall(first)
        yield connections


def closed(connections: list[socket.socket], *, within: float = SOON) -> int:
    """How many of the connections the server has closed, waiting for all of them."""
    count = 0
    until = time.monotonic() + within
    with selectors.DefaultSelector() as selector:
        for connection in connections:
            selector.register(connection, selectors.EVENT_READ)
        while count < len(connections) and time.monotonic() < until:
            for key, _ in selector.select(until - time.monotonic()):
                with suppress(ConnectionError):
                    if key.fileobj.recv(65536):  # type: ignore[union-attr]
                        continue
                selector.unregister(key.fileobj)
                count += 1
    return count


# ---- ordinary clients ------------------------------------------------------------------------------------------------


def test_a_request_is_answered_and_the_connection_closed() -> None:
    with serving() as there:
        answer = get(there)
    assert answer.code == 200
    assert b"ecr_probe_pull_success 0.0" in answer.body
    assert answer.headers["connection"] == "close"
    assert "server" not in answer.headers


@pytest.mark.parametrize(
    "sent",
    [
        request("/metrics", "Connection: keep-alive"),
        request("/metrics", "Connection: keep-alive", version="1.0"),
        request("/metrics", "Connection: close"),
        request("/metrics", "Connection: Upgrade", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAoAAA"),
        b"\r\n" + request("/metrics"),
        request("http://probe/metrics"),
        request("/metrics?a=b#c"),
        request("/metrics", "X-Forwarded-For: 1.2.3.4, evil", "Forwarded: for=x;proto=https"),
    ],
    ids=range(8),
)
def test_requests_in_several_forms(sent: bytes) -> None:
    with serving() as there:
        assert ask(there, sent).code == 200


def test_of_pipelined_requests_only_the_first_is_answered() -> None:
    """A connection is for one request: a client that sends many and reads no response would fill the memory."""
    with serving() as there, connect(there) as connection:
        connection.sendall(request("/metrics") + request("/verdict") * 50)
        answer = read(everything(connection))
    assert answer.headers["content-type"].startswith("text/plain")


def test_a_half_closed_client_is_answered() -> None:
    with serving() as there, connect(there) as connection:
        connection.sendall(request())
        connection.shutdown(socket.SHUT_WR)
        assert read(everything(connection)).code == 200


def test_a_request_in_small_parts() -> None:
    with serving() as there, connect(there) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in request():
            connection.sendall(bytes([byte]))
        assert read(everything(connection)).code == 200


def test_head_and_post() -> None:
    source = Source(LIVED)
    with serving(source=source) as there:
        with connect(there) as connection:
            connection.sendall(request(method="HEAD"))
            head = everything(connection)
        assert head.endswith(b"\r\n\r\n")
        assert b"Content-Length: " in head
        assert ask(there, request("/-/run", "Content-Length: 3", method="POST") + b"abc").code == 202
        assert ask(there, request("/-/run", "Transfer-Encoding: chunked", method="POST") + b"0\r\n\r\n").code == 202
    assert source.asked == 2


# ---- slow and hostile clients ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "codes"),
    [
        (request("/metrics", "X: " + "x" * LONGEST_HEADERS), {431}),
        (request("/" + "x" * LONGEST_HEADERS), {431}),
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * LONGEST_HEADERS, {431}),
        (b"x" * 2 * LONGEST_HEADERS, {431}),
        (request("/-/run", f"Content-Length: {LONGEST_BODY + 1}", method="POST"), {413}),
        (request("/-/run", "Content-Length: 99999999999999999999", method="POST"), {413}),
        (request("/-/run", "Content-Length: -1", method="POST"), {400}),
        (request("/-/run", "Content-Length: 1, 2", method="POST"), {400}),
        (request("/-/run", "Transfer-Encoding: gzip", method="POST"), {501}),
        (request("/-/run", "Transfer-Encoding: chunked", method="POST") + b"zz\r\n", {400}),
        (request("/-/run", "Transfer-Encoding: chunked", method="POST") + b"fff\r\n" + b"x" * 4095, {413}),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100) + b"\r\n\r\n", {400}),
        (b"\xff\xfe\x00\r\n\r\n", {400}),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {400, 404, 405}),
        (b"GET /metrics\r\n\r\n", {200, 400}),
        (b"GET /metrics HTTP/1.1\r\nHo st: x\r\n\r\n", {400}),
        (b"GET /metrics HTTP/1.1\nHost: x\n\n\r\n\r\n", {400}),
        (b"GET /metrics HTTP/9.9\r\n\r\n", {200, 400, 505}),
        (request("/%00%ff%2e%2e/"), {404}),
        (request("//metrics"), {200, 404}),
        (request("*", method="OPTIONS"), {404, 405}),
    ],
    ids=range(21),
)
def test_garbage_is_refused_and_the_connection_closed(sent: bytes, codes: set[int]) -> None:
    source = Source(LIVED)
    with serving(source=source) as there:
        with connect(there) as connection:
            with suppress(ConnectionError):
                connection.sendall(sent)
            received = everything(connection)
        if received:  # closing with unread bytes may reset the connection
            assert read(received).code in codes
        assert get(there).code == 200
    assert source.asked == 0


UNFINISHED = [
    b"",
    b"G",
    b"GET /metrics HTTP/1.1\r\nHost: x\r\n",
    request("/-/run", "Content-Length: 10", method="POST") + b"only",
    request("/-/run", "Expect: 100-continue", "Content-Length: 10", method="POST"),
    request("/-/run", "Transfer-Encoding: chunked", method="POST") + b"5\r\nab",
]


def test_a_request_that_stays_unfinished_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "TIMEOUT", 0.2)
    source = Source(LIVED)
    with serving(source=source) as there, ExitStack() as stack:
        waiting = [stack.enter_context(connect(there)) for _ in UNFINISHED]
        for connection, first in zip(waiting, UNFINISHED, strict=True):
            connection.sendall(first)
        assert {everything(connection) for connection in waiting} == {b"", b"HTTP/1.1 100 Continue\r\n\r\n"}
    assert source.asked == 0


def test_trickling_bytes_do_not_prolong_the_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "TIMEOUT", 0.3)
    began = time.monotonic()
    with serving() as there, connect(there) as connection:
        connection.sendall(b"GET /metrics HTTP/1.1\r\n")
        until, pause = began + SOON, threading.Event()
        with suppress(ConnectionError):
            while time.monotonic() < until:
                connection.sendall(b"X: y\r\n")
                pause.wait(0.02)
        assert time.monotonic() < until


def test_a_response_that_is_not_read_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's buffers are full then, so no packet wakes the server."""
    monkeypatch.setattr(servers, "TIMEOUT", 0.3)
    server = Server(App(Source(large())), LOOPBACK)
    server.start()
    with connect(server.address, narrow=True) as connection:
        connection.sendall(request("/history"))
        until = time.monotonic() + SOON
        while not server.connections and time.monotonic() < until:
            threading.Event().wait(0.01)
        while server.connections and time.monotonic() < until:
            threading.Event().wait(0.01)
        assert not server.connections
        assert get(server.address).code == 200
    server.stop(within=SOON)


@cache
def large() -> Snapshot:
    """A history of more than a megabyte; real ones are far smaller."""
    findings = [finding(f"code.{number}", Severity.WARNING) for number in range(1000)]
    return after(verdict(*findings, at=at) for at in range(100))


def test_the_large_history_exceeds_a_sockets_buffer() -> None:
    assert len(App(Source(large())).history({}).body) > 1_000_000


def test_slowloris_delays_no_other_client() -> None:
    """More connections than are served at once, each with an unfinished request that continues byte by byte."""
    number = MOST_CONNECTIONS + 150
    ending = threading.Event()

    def trickle(connections: list[socket.socket]) -> None:
        while not ending.wait(0.1):
            for connection in connections:
                with suppress(OSError):
                    connection.send(b"X: y\r\n", socket.MSG_DONTWAIT)

    with serving() as there, crowd(there, number, b"GET /metrics HTTP/1.1\r\n") as slow:
        trickling = threading.Thread(target=trickle, args=(slow,))
        trickling.start()
        try:
            began = time.monotonic()
            assert get(there).code == 200
            assert time.monotonic() - began < PATIENCE
            began = time.monotonic()
            assert get(there, "/-/healthy").code == 200
            assert time.monotonic() - began < PATIENCE
            assert closed(slow[: number - CROWD]) == number - CROWD
        finally:
            ending.set()
            trickling.join()


def test_a_few_slow_clients_get_the_full_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "CROWDED_TIMEOUT", 0.0)
    with serving() as there, crowd(there, CROWD // 2, b"GET /metrics HTTP/1.1\r\n") as slow:
        assert get(there).code == 200
        for connection in slow:
            connection.sendall(b"\r\n")
        assert {read(everything(connection)).code for connection in slow} == {200}
    assert TIMEOUT >= 10


def test_clients_that_read_nothing_delay_no_other() -> None:
    """Each requests as many responses as fit into a packet, and reads none."""
    tracemalloc.start()
    try:
        with serving(source=Source(large())) as there, crowd(there, 50, request("/history") * 300, narrow=True):
            for _ in range(5):
                began = time.monotonic()
                assert get(there).code == 200
                assert time.monotonic() - began < PATIENCE
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < servers.MOST_UNSENT + 50e6


def test_five_hundred_concurrent_scrapes_are_all_answered() -> None:
    with serving() as there:
        expected = get(there).body
        with crowd(there, 500, request()) as scrapes:
            answers = [read(everything(connection)) for connection in scrapes]
    assert {answer.code for answer in answers} == {200}
    assert {answer.body for answer in answers} == {expected}


def test_five_hundred_keep_alive_clients_are_all_answered() -> None:
    """Idle connections do not use up the connection limit."""
    with serving() as there, crowd(there, 500, request("/metrics", "Connection: keep-alive")) as scrapes:
        assert all(b"200 OK" in connection.recv(100) for connection in scrapes)


def test_memory_is_released() -> None:
    def storm(there: Address) -> None:
        with crowd(there, 150, b"GET /metrics HTTP/1.1\r\nX: " + b"x" * 8000):
            get(there)
        with crowd(there, 150, request("/verdict", "Accept-Encoding: gzip")) as scrapes:
            for connection in scrapes:
                everything(connection)

    with serving() as there:
        storm(there)
        tracemalloc.start()
        try:
            before, _ = tracemalloc.get_traced_memory()
            for _ in range(3):
                storm(there)
            get(there)
            now, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert most - before < 20e6
    assert now - before < 5e6


def test_a_stopped_server_leaves_no_thread_and_no_file() -> None:
    with serving():
        pass
    threads, files = threading.active_count(), len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        with serving() as there, connect(there):
            assert get(there).code == 200
    assert threading.active_count() <= threads
    assert len(os.listdir("/proc/self/fd")) <= files


# ---- where it listens ------------------------------------------------------------------------------------------------


def has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


def test_ipv6() -> None:
    if not has_ipv6():
        with pytest.raises(OSError, match=r"."):
            Server(App(Source(LIVED)), Address("::1", 0))
        return
    with serving(Address("::1", 0)) as there:
        assert get(there).code == 200
    with serving(Address("::", 0)) as there:
        assert get(Address("::1", there.port)).code == 200
        assert get(Address("127.0.0.1", there.port)).code == 200, "a wildcard is for both families"


def test_a_wildcard_address() -> None:
    with serving(Address("0.0.0.0", 0)) as there:
        assert get(there.nearest).code == 200


def test_an_address_in_use_is_refused() -> None:
    with serving() as there, pytest.raises(OSError, match="in use"):
        Server(App(Source(LIVED)), there)


def test_an_address_is_free_again_immediately() -> None:
    with serving() as there:
        get(there)
    with serving(there) as again:
        assert get(again).code == 200


def test_a_unix_socket_is_created_and_removed(tmp_path: Path) -> None:
    place = tmp_path / "probe.sock"
    with serving(Address(str(place), 0)) as there:
        assert stat.S_ISSOCK(place.stat().st_mode)
        assert get(there).code == 200
    assert not place.exists()


def test_the_socket_of_a_killed_process_is_replaced(tmp_path: Path) -> None:
    place = tmp_path / "probe.sock"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(place))
        stale.listen()
    assert place.exists()
    with serving(Address(str(place), 0)) as there:
        assert get(there).code == 200


@pytest.mark.parametrize("full", [False, True])
def test_a_socket_in_use_is_not_removed(tmp_path: Path, full: bool) -> None:
    place = tmp_path / "probe.sock"
    with ExitStack() as stack:
        living = stack.enter_context(socket.socket(socket.AF_UNIX))
        living.bind(str(place))
        living.listen(0)
        for _ in range(3 if full else 0):  # until the queue is full
            waiting = stack.enter_context(socket.socket(socket.AF_UNIX))
            waiting.setblocking(False)
            with suppress(BlockingIOError):
                waiting.connect(str(place))
        with pytest.raises(OSError, match="in use"):
            Server(App(Source(LIVED)), Address(str(place), 0))
    assert place.exists()


def test_a_file_that_is_no_socket_is_not_removed(tmp_path: Path) -> None:
    file, link, folder = tmp_path / "file", tmp_path / "link", tmp_path / "folder"
    file.write_text("precious")
    link.symlink_to(file)
    folder.mkdir()
    for place in (file, link, folder):
        with pytest.raises(OSError, match="in use"):
            Server(App(Source(LIVED)), Address(str(place), 0))
    assert file.read_text() == "precious"
    assert link.is_symlink()
    with pytest.raises(OSError, match="No such file"):
        Server(App(Source(LIVED)), Address(str(tmp_path / "no" / "where"), 0))


# ---- TLS -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def server_side(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    path = tmp_path_factory.mktemp("tls") / "tls.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(path)
    return tls_context(str(path), None)


@pytest.fixture(scope="module")
def client_side(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls(authority: trustme.CA, server_side: ssl.SSLContext, version: ssl.TLSVersion) -> None:
    context = ssl.create_default_context()
    context.minimum_version = context.maximum_version = version
    authority.configure_trust(context)
    with serving(tls=server_side) as there:
        for _ in range(10):
            answer = get(there, tls=context)
            assert answer.code == 200
            assert b"ecr_probe_build_info" in answer.body


def test_a_response_of_many_records(server_side: ssl.SSLContext, client_side: ssl.SSLContext) -> None:
    app = App(Source(large()))
    with serving(source=Source(large()), tls=server_side) as there:
        assert get(there, "/history", tls=client_side).body == app.history({}).body
        with connect(there, client_side) as connection:  # read little by little
            connection.sendall(request("/history"))
            received = b""
            while part := connection.recv(1000):
                received += part
    assert read(received).body == app.history({}).body


def test_a_request_of_several_records(server_side: ssl.SSLContext, client_side: ssl.SSLContext) -> None:
    with serving(tls=server_side) as there, connect(there, client_side) as connection:
        sent = request("/metrics", *(f"X-{number}: {'y' * 100}" for number in range(100)))
        for place in range(0, len(sent), 500):
            connection.sendall(sent[place : place + 500])
        assert read(everything(connection)).code == 200


def test_a_slow_handshake_delays_no_other_client(server_side: ssl.SSLContext, client_side: ssl.SSLContext) -> None:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    slow = client_side.wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
    with pytest.raises(ssl.SSLWantReadError):
        slow.do_handshake()
    hello = outgoing.read()
    with serving(tls=server_side) as there, ExitStack() as stack:
        starting = [stack.enter_context(connect(there)) for _ in range(20)]
        for number, connection in enumerate(starting):
            connection.sendall(hello[: number * 10])
        assert get(there, tls=client_side).code == 200
        last = starting[-1]
        last.sendall(hello[190:])
        while True:
            incoming.write(last.recv(65536))
            try:
                slow.do_handshake()
                break
            except ssl.SSLWantReadError:
                continue
        slow.write(request())
        last.sendall(outgoing.read())
        received = b""
        while part := last.recv(65536):
            incoming.write(part)
        incoming.write_eof()
        with suppress(ssl.SSLError):
            while part := slow.read(65536):
                received += part
    assert read(received).code == 200


@pytest.mark.parametrize("sent", [request(), b"\x00" * 300, b"\x16\x03\x01\xff\xff" + b"x" * 300])
def test_a_client_without_tls_is_closed(sent: bytes, server_side: ssl.SSLContext, client_side: ssl.SSLContext) -> None:
    with serving(tls=server_side) as there:
        with connect(there) as connection:
            connection.sendall(sent)
            assert b"HTTP" not in everything(connection)
        assert get(there, tls=client_side).code == 200


def test_handshakes_that_never_end_are_closed(
    server_side: ssl.SSLContext, client_side: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "TIMEOUT", 0.3)
    with serving(tls=server_side) as there, crowd(there, CROWD + 50, b"\x16\x03\x01") as slow:
        assert closed(slow) == len(slow)
        monkeypatch.undo()
        assert get(there, tls=client_side).code == 200


def test_many_scrapes_over_tls(server_side: ssl.SSLContext, client_side: ssl.SSLContext) -> None:
    codes: list[int] = []
    with serving(tls=server_side) as there:
        threads = [threading.Thread(target=lambda: codes.append(get(there, tls=client_side).code)) for _ in range(50)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert codes == [200] * 50


def test_old_tls_is_refused(server_side: ssl.SSLContext) -> None:
    assert server_side.minimum_version == ssl.TLSVersion.TLSv1_2


# ---- stopping --------------------------------------------------------------------------------------------------------


def test_requests_that_arrived_before_the_stop_are_answered() -> None:
    for _ in range(5):
        server = Server(App(Source(LIVED)), LOOPBACK)
        server.start()
        with crowd(server.address, 20, request()) as scrapes:
            server.stop(within=SOON)
            assert {read(everything(connection)).code for connection in scrapes} == {200}


def test_unfinished_requests_do_not_delay_the_stop() -> None:
    server = Server(App(Source(LIVED)), LOOPBACK)
    server.start()
    with crowd(server.address, 20, b"GET / HTTP/1.1\r\n") as slow:
        began = time.monotonic()
        server.stop(within=SOON)
        assert time.monotonic() - began < PATIENCE
        assert closed(slow) == len(slow)


def test_after_the_stop_connections_are_refused() -> None:
    with serving() as there:
        pass
    with pytest.raises(ConnectionRefusedError):
        connect(there)


def test_a_server_without_a_free_descriptor_waits_and_then_answers() -> None:
    """The connection stays in the system's queue. A loop that polls it would try thousands of times a second."""
    server = Server(App(Source(LIVED)), LOOPBACK)
    accept, tries = server._accept, threading.Semaphore(0)
    counted = 0

    def refuse() -> None:
        nonlocal counted
        counted += 1
        tries.release()
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    server._accept = refuse
    server.start()
    try:
        with connect(server.address) as connection:
            connection.sendall(request("/-/healthy"))
            assert tries.acquire(timeout=SOON)
            threading.Event().wait(2.0)
            assert counted <= 10
            server._accept = accept
            assert read(everything(connection)).code == 200
    finally:
        assert server.stop(within=SOON)

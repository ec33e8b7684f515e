from __future__ import annotations

import socket
import threading
from contextlib import nullcontext

import pytest

from probe.model import Budget, Failure
from probe.wire import sockets
from probe.wire.errors import WireError
from probe.wire.http import Answer, Conversation
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
    flood,
    hang_up,
    limits,
    read_request,
    reply_then,
    reset,
    send_rst_on_close,
    silent,
    trickle,
    wire_to,
    within,
)


def request(
    handler: Handler,
    *,
    limit: int = 4096,
    seconds: float | None = None,
    until: float | None = None,
    budget: Budget = GENEROUS,
) -> Answer:
    with Server(handler) as server, connected(wire_to(server.port), until=until, budget=budget) as conversation:
        return conversation.request("GET", "/v2/", headers={}, limit=limit, seconds=seconds)


def error_of(
    handler: Handler,
    *,
    limit: int = 4096,
    seconds: float | None = None,
    until: float | None = None,
    budget: Budget = GENEROUS,
) -> WireError:
    with pytest.raises(WireError) as caught:
        request(handler, limit=limit, seconds=seconds, until=until, budget=budget)
    return caught.value


# ---- requests --------------------------------------------------------------------------------------------------------


def test_host_and_sni_are_the_services_for_any_address(authority: Authority) -> None:
    with (
        HttpServer(lambda _: answer(200, b"{}"), tls=authority.server()) as server,
        connected(wire_to(server.port, trust=authority.trust()), tls=True) as conversation,
    ):
        response = conversation.request("POST", "/", headers={"Authorization": "AWS4 x"}, body=b"{}", limit=10)
    assert response.status == 200
    assert response.body == b"{}"
    assert server.server_names == [HOST]
    head = server.requests[0].partition(b"\r\n\r\n")[0].decode()
    assert head.startswith("POST / HTTP/1.1\r\n")
    assert f"\r\nHost: {HOST}\r\n" in head  # without the port, because the host is signed
    assert "\r\nAccept-Encoding: identity\r\n" in head
    assert head.count("\r\nHost:") == 1


def test_a_signed_query_is_sent_unchanged() -> None:
    target = (
        "/1a2b-123456789012-uuid/uuid?X-Amz-Security-Token=Ab%2Fc%3D%3D&X-Amz-Credential=A%2F20190814%2Fr%2Fs3&x=~%7E+y"
    )
    with HttpServer(lambda _: answer()) as server, connected(wire_to(server.port)) as conversation:
        conversation.request("GET", target, headers={}, limit=10)
    assert server.requests[0].startswith(f"GET {target} HTTP/1.1\r\n".encode())


def test_one_connection_carries_many_requests() -> None:
    with (
        HttpServer(lambda request: answer(200, request.split(b" ")[1])) as server,
        connected(wire_to(server.port)) as conversation,
    ):
        bodies = [conversation.request("GET", f"/{n}", headers={}, limit=10).body for n in range(3)]
    assert bodies == [b"/0", b"/1", b"/2"]
    assert server.connections == 1


def test_redirects_are_not_followed() -> None:
    response = request(reply_then(answer(307, b"<a>", headers={"Location": "http://127.0.0.1:1/"})))
    assert response.status == 307
    assert response.headers["location"] == "http://127.0.0.1:1/"


def test_proxy_variables_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port()}")
    assert request(reply_then(answer(200, b"direct"))).body == b"direct"


@pytest.mark.parametrize(
    ("address", "allowed"), [("10.0.0.1", False), ("169.254.170.2", True), ("127.0.0.1", True), ("fd00:ec2::23", True)]
)
def test_credentials_are_sent_unencrypted_to_local_addresses_only(address: str, allowed: bool) -> None:
    with (
        HttpServer(lambda _: answer()) as server,
        Conversation(
            wire_to(server.port), host=address, address=address, port=80, tls=False, until=within(), budget=GENEROUS
        ) as conversation,
        nullcontext() if allowed else pytest.raises(WireError, match="bug: credentials are not sent"),
    ):
        conversation.request("GET", "/", headers={"authorization": "secret"}, limit=10)
    assert bool(server.requests) is allowed


def test_large_headers_in_both_directions() -> None:
    token = "A" * 12_000
    with (
        HttpServer(lambda _: answer(200, headers={"X-Long": "b" * 30_000})) as server,
        connected(wire_to(server.port)) as conversation,
    ):
        response = conversation.request("GET", "/", headers={"X-Token": token}, limit=10)
    assert token.encode() in server.requests[0]
    assert len(response.headers["x-long"]) == 30_000


def test_an_answer_to_head_has_no_body() -> None:
    with (
        HttpServer(lambda _: b"HTTP/1.1 403 No\r\nContent-Length: 300\r\n\r\n") as server,
        connected(wire_to(server.port)) as conversation,
    ):
        responses = [conversation.request("HEAD", "/", headers={}, limit=10) for _ in range(2)]
    assert [(response.status, response.body) for response in responses] == [(403, b"")] * 2
    assert server.connections == 1


@pytest.mark.parametrize("headers", [{"X": "a\r\nY: b"}, {"Bad name\n": "x"}])
def test_a_header_with_a_line_break_is_not_sent(headers: dict[str, str]) -> None:
    with (
        HttpServer(lambda _: answer()) as server,
        connected(wire_to(server.port)) as conversation,
        pytest.raises(WireError) as caught,
    ):
        conversation.request("GET", "/", headers=headers, limit=10)
    assert caught.value.failure is Failure.MALFORMED
    assert not server.requests


# ---- closed connections ----------------------------------------------------------------------------------------------


def test_a_connection_that_was_closed_is_replaced() -> None:
    closed = threading.Event()

    def serve_one(sock: socket.socket, stop: threading.Event) -> None:
        reply_then(answer(200, b"x"), close)(sock, stop)
        sock.shutdown(socket.SHUT_RDWR)
        closed.set()

    with Server(serve_one) as server, connected(wire_to(server.port)) as conversation:
        for _ in range(2):
            closed.clear()
            assert conversation.request("GET", "/", headers={}, limit=10).status == 200
            assert closed.wait(60)
    assert server.connections == 2


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("leave", [hang_up, reset])
def test_a_connection_that_closes_during_the_next_request_is_replaced(
    authority: Authority, leave: Handler, tls: bool
) -> None:
    with (
        Server(reply_then(answer(200, b"x"), leave), tls=authority.server() if tls else None) as server,
        connected(wire_to(server.port, trust=authority.trust()), tls=tls) as conversation,
    ):
        for method in ("GET", "GET", "HEAD"):
            assert conversation.request(method, "/", headers={}, limit=10).status == 200
    assert server.connections == 3


def test_a_request_on_a_new_connection_is_not_repeated() -> None:
    with Server(reset) as server, connected(wire_to(server.port)) as conversation, pytest.raises(WireError) as caught:
        conversation.request("GET", "/", headers={}, limit=10)
    assert caught.value.failure is Failure.RESET
    assert server.connections == 1


def test_a_request_that_may_have_had_an_effect_is_not_repeated() -> None:
    with Server(reply_then(answer(200, b"x"), reset)) as server, connected(wire_to(server.port)) as conversation:
        conversation.request("GET", "/", headers={}, limit=10)
        with pytest.raises(WireError) as caught:
            conversation.request("POST", "/", headers={}, limit=10)
    assert caught.value.failure is Failure.RESET
    assert server.connections == 1


def test_a_request_that_was_answered_in_part_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    client_has_read = threading.Event()

    class WatchedSocket(sockets.PlainSocket):
        def recv_into(self, buffer: memoryview, nbytes: int = 0, flags: int = 0) -> int:  # type: ignore[override]
            count = super().recv_into(buffer, nbytes, flags)
            client_has_read.set()
            return count

    def answer_in_part(sock: socket.socket, _stop: threading.Event) -> None:
        read_request(sock)
        client_has_read.clear()  # set by the first answer
        sock.sendall(b"HTTP/1.1 200 OK\r\n")
        assert client_has_read.wait(60)
        send_rst_on_close(sock)

    monkeypatch.setattr(sockets, "PlainSocket", WatchedSocket)
    handler = reply_then(answer(200, b"x"), answer_in_part)
    with Server(handler) as server, connected(wire_to(server.port)) as conversation:
        conversation.request("GET", "/", headers={}, limit=10)
        with pytest.raises(WireError) as caught:
            conversation.request("GET", "/", headers={}, limit=10)
    assert caught.value.failure is Failure.RESET
    assert server.connections == 1


def test_a_request_is_repeated_only_once() -> None:
    first = threading.Event()

    def handle(sock: socket.socket, stop: threading.Event) -> None:
        if first.is_set():
            reset(sock, stop)
            return
        first.set()
        reply_then(answer(200, b"x"), reset)(sock, stop)

    with Server(handle) as server, connected(wire_to(server.port)) as conversation:
        conversation.request("GET", "/", headers={}, limit=10)
        with pytest.raises(WireError) as caught:
            conversation.request("GET", "/", headers={}, limit=10)
    assert caught.value.failure is Failure.RESET
    assert server.connections == 2


# ---- hostile answers -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("handler", "expected"),
    [
        (reset, Failure.RESET),
        (hang_up, Failure.RESET),
        (reply_then(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n", close), Failure.TRUNCATED),
        (reply_then(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", close), Failure.TRUNCATED),
        (reply_then(CHUNKED + b"9\r\nhalf", close), Failure.TRUNCATED),
        (reply_then(CHUNKED + b"no number\r\nhalf\r\n"), Failure.TRUNCATED),
        (reply_then(b"SSH-2.0-OpenSSH_9.2\r\n", close), Failure.MALFORMED),
        (reply_then(b"HTTP/1.1 2x0 OK\r\n\r\n", close), Failure.MALFORMED),
        (reply_then(b"\x00\x01\x02\x03\r\n\r\n", close), Failure.MALFORMED),
        (reply_then(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\n\r\n"), Failure.MALFORMED),
        (reply_then(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 120 + b"\r\n"), Failure.MALFORMED),
        (reply_then(answer(200, b"x" * 5000)), Failure.TOO_LARGE),
        (reply_then(CHUNKED, flood(b"4\r\nbody\r\n")), Failure.TOO_LARGE),
        (reply_then(b"HTTP/1.1 200 OK\r\n\r\n", flood(b"endless")), Failure.TOO_LARGE),
    ],
)
def test_hostile_answers(handler: Handler, expected: Failure) -> None:
    error = error_of(handler)
    assert error.failure is expected, error
    assert error.detail


@pytest.mark.parametrize(
    "handler",
    [
        silent,
        reply_then(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"),
        reply_then(CHUNKED + b"4\r\nhalf\r\n"),
    ],
    ids=["before the answer", "in the body", "between chunks"],
)
def test_a_server_that_stalls(handler: Handler) -> None:
    error = error_of(handler, budget=limits(stall=0.3))
    assert error.failure is Failure.STALLED
    assert error.detail


@pytest.mark.parametrize(
    "beginning",
    [b"", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n", CHUNKED + b"fff\r\n"],
    ids=["status", "header", "body", "chunk"],
)
@pytest.mark.parametrize(
    ("seconds", "run_ends_in", "expected"), [(0.3, 600, Failure.TIMEOUT), (600, 0.3, Failure.DEADLINE)]
)
def test_a_server_that_trickles(beginning: bytes, seconds: float, run_ends_in: float, expected: Failure) -> None:
    handler = reply_then(beginning, trickle(b"1"))
    assert error_of(handler, limit=100_000, seconds=seconds, until=within(run_ends_in)).failure is expected


def test_a_server_that_sends_continue_endlessly() -> None:
    assert error_of(flood(b"HTTP/1.1 100 Continue\r\n\r\n"), seconds=0.3).failure is Failure.TIMEOUT


@pytest.mark.parametrize("after", [silent, flood(b"<p>")])
def test_an_errors_long_body_is_cut(after: Handler) -> None:
    response = request(reply_then(b"HTTP/1.1 403 No\r\nContent-Length: 999999\r\n\r\n" + b"x" * 2000, after))
    assert response.status == 403
    assert response.body == b"x" * GENEROUS.error_bytes


@pytest.mark.parametrize("after", [silent, close])
def test_an_errors_incomplete_body_is_returned(after: Handler) -> None:
    handler = reply_then(b"HTTP/1.1 403 No\r\nContent-Length: 99\r\n\r\nwords", after)
    response = request(handler, seconds=600, budget=limits(request=0.3))  # which limits the body of an error, too
    assert (response.status, response.body) == (403, b"words")


def test_errors_of_connecting_are_raised_unchanged(authority: Authority, untrusted: Authority) -> None:
    with connected(wire_to(closed_port())) as conversation, pytest.raises(WireError) as caught:
        conversation.request("GET", "/", headers={}, limit=10)
    assert caught.value.failure is Failure.REFUSED
    with (
        Server(silent, tls=untrusted.server()) as server,
        connected(wire_to(server.port, trust=authority.trust()), tls=True) as conversation,
        pytest.raises(WireError) as caught,
    ):
        conversation.request("GET", "/", headers={}, limit=10)
    assert caught.value.failure is Failure.UNTRUSTED

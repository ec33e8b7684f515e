from __future__ import annotations

import socket
import threading
import time
from contextlib import nullcontext

import pytest

from probe.model import Budget, Failure
from probe.wire.errors import WireError
from probe.wire.http import Answer, Conversation
from tests.wire.conftest import Authority
from tests.wire.servers import (
    CHUNKED,
    HOST,
    QUICK,
    Handler,
    HttpServer,
    Server,
    abort,
    answer,
    closed_port,
    done,
    flood,
    hang_up,
    reset,
    silent,
    soon,
    talk,
    then,
    trickle,
    wire_to,
)


def ask(
    handler: Handler, *, limit: int = 4096, seconds: float | None = None, left: float = 5.0, budget: Budget = QUICK
) -> Answer:
    with Server(handler) as server, talk(wire_to(server.port), left=left, budget=budget) as conversation:
        return conversation.request("GET", "/v2/", headers={}, limit=limit, seconds=seconds)


def refused(handler: Handler, *, limit: int = 4096, seconds: float | None = None, left: float = 5.0) -> WireError:
    began = time.monotonic()
    with pytest.raises(WireError) as caught:
        ask(handler, limit=limit, seconds=seconds, left=left)
    assert time.monotonic() - began < 4
    return caught.value


# ---- what is said ----------------------------------------------------------------------------------------------------


def test_host_and_sni_are_the_services_whatever_the_address(authority: Authority) -> None:
    with (
        HttpServer(lambda _: answer(200, b"{}"), tls=authority.server()) as server,
        talk(wire_to(server.port, trust=authority.trust()), tls=True) as conversation,
    ):
        got = conversation.request("POST", "/", headers={"Authorization": "AWS4 x"}, body=b"{}", limit=10)
    assert got.status == 200
    assert got.body == b"{}"
    assert server.asked_names == [HOST]
    head = server.requests[0].partition(b"\r\n\r\n")[0].decode()
    assert head.startswith("POST / HTTP/1.1\r\n")
    assert f"\r\nHost: {HOST}\r\n" in head  # without the port, for the host is signed
    assert "\r\nAccept-Encoding: identity\r\n" in head
    assert head.count("\r\nHost:") == 1


def test_a_signed_query_goes_out_as_it_came() -> None:
    target = (
        "/1a2b-123456789012-uuid/uuid?X-Amz-Security-Token=Ab%2Fc%3D%3D&X-Amz-Credential=A%2F20190814%2Fr%2Fs3&x=~%7E+y"
    )
    with HttpServer(lambda _: answer()) as server, talk(wire_to(server.port)) as conversation:
        conversation.request("GET", target, headers={}, limit=10)
    assert server.requests[0].startswith(f"GET {target} HTTP/1.1\r\n".encode())


def test_one_connection_carries_many_requests() -> None:
    with (
        HttpServer(lambda request: answer(200, request.split(b" ")[1])) as server,
        talk(wire_to(server.port)) as conversation,
    ):
        bodies = [conversation.request("GET", f"/{n}", headers={}, limit=10).body for n in range(3)]
    assert bodies == [b"/0", b"/1", b"/2"]
    assert server.connections == 1


def test_a_connection_known_to_be_closed_is_replaced() -> None:
    closed = threading.Event()

    def once(sock: socket.socket, stop: threading.Event) -> None:
        then(answer(200, b"x"), done)(sock, stop)
        sock.shutdown(socket.SHUT_RDWR)
        closed.set()

    with Server(once) as server, talk(wire_to(server.port)) as conversation:
        for _ in range(2):
            closed.clear()
            assert conversation.request("GET", "/", headers={}, limit=10).status == 200
            assert closed.wait(2)
    assert server.connections == 2


def test_nothing_is_sent_twice() -> None:
    with Server(reset) as server, talk(wire_to(server.port)) as conversation, pytest.raises(WireError) as caught:
        conversation.request("GET", "/", headers={}, limit=10)
    assert caught.value.failure is Failure.RESET
    assert server.connections == 1


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("leave", [hang_up, reset])
def test_a_connection_that_closes_as_it_is_asked_again_is_replaced(
    authority: Authority, leave: Handler, tls: bool
) -> None:
    with (
        Server(then(answer(200, b"x"), leave), tls=authority.server() if tls else None) as server,
        talk(wire_to(server.port, trust=authority.trust()), tls=tls) as conversation,
    ):
        for method in ("GET", "GET", "HEAD"):
            assert conversation.request(method, "/", headers={}, limit=10).status == 200
    assert server.connections == 3


@pytest.mark.parametrize(
    ("method", "words"),
    [("POST", b""), ("GET", b"HTTP/1.1 200 OK\r\n")],
    ids=["what might have had an effect", "what was answered in part"],
)
def test_nothing_else_is_asked_again(method: str, words: bytes) -> None:
    def leave(sock: socket.socket, stop: threading.Event) -> None:
        then(words, done)(sock, stop)
        time.sleep(0.1)  # a reset at once would overtake the words
        abort(sock)

    with Server(then(answer(200, b"x"), leave)) as server, talk(wire_to(server.port)) as conversation:
        conversation.request("GET", "/", headers={}, limit=10)
        with pytest.raises(WireError) as caught:
            conversation.request(method, "/", headers={}, limit=10)
    assert caught.value.failure is Failure.RESET
    assert server.connections == 1


def test_what_fails_on_the_fresh_connection_too_has_failed() -> None:
    first = threading.Event()

    def handle(sock: socket.socket, stop: threading.Event) -> None:
        if first.is_set():
            reset(sock, stop)
            return
        first.set()
        then(answer(200, b"x"), reset)(sock, stop)

    with Server(handle) as server, talk(wire_to(server.port)) as conversation:
        conversation.request("GET", "/", headers={}, limit=10)
        with pytest.raises(WireError) as caught:
            conversation.request("GET", "/", headers={}, limit=10)
    assert caught.value.failure is Failure.RESET
    assert server.connections == 2


def test_redirects_are_not_followed() -> None:
    got = ask(then(answer(307, b"<a>", headers={"Location": "http://127.0.0.1:1/"})))
    assert got.status == 307
    assert got.headers["location"] == "http://127.0.0.1:1/"


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port()}")
    assert ask(then(answer(200, b"direct"))).body == b"direct"


@pytest.mark.parametrize(
    ("address", "allowed"), [("10.0.0.1", False), ("169.254.170.2", True), ("127.0.0.1", True), ("fd00:ec2::23", True)]
)
def test_credentials_are_told_unencrypted_to_neighbours_only(address: str, allowed: bool) -> None:
    with (
        HttpServer(lambda _: answer()) as server,
        Conversation(
            wire_to(server.port), host=address, address=address, port=80, tls=False, until=soon(), budget=QUICK
        ) as talked,
        nullcontext() if allowed else pytest.raises(WireError, match="bug: credentials are not sent"),
    ):
        talked.request("GET", "/", headers={"authorization": "secret"}, limit=10)
    assert bool(server.requests) is allowed


def test_large_headers_both_ways() -> None:
    token = "A" * 12_000
    with (
        HttpServer(lambda _: answer(200, headers={"X-Long": "b" * 30_000})) as server,
        talk(wire_to(server.port)) as conversation,
    ):
        got = conversation.request("GET", "/", headers={"X-Token": token}, limit=10)
    assert token.encode() in server.requests[0]
    assert len(got.headers["x-long"]) == 30_000


def test_an_answer_to_head_has_no_body() -> None:
    with (
        HttpServer(lambda _: b"HTTP/1.1 403 No\r\nContent-Length: 300\r\n\r\n") as server,
        talk(wire_to(server.port)) as conversation,
    ):
        got = [conversation.request("HEAD", "/", headers={}, limit=10) for _ in range(2)]
    assert [(each.status, each.body) for each in got] == [(403, b"")] * 2
    assert server.connections == 1


# ---- what goes wrong -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("handler", "expected"),
    [
        (reset, Failure.RESET),
        (hang_up, Failure.RESET),
        (silent, Failure.STALLED),
        (then(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n", done), Failure.TRUNCATED),
        (then(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", done), Failure.TRUNCATED),
        (then(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"), Failure.STALLED),
        (then(CHUNKED + b"9\r\nhalf", done), Failure.TRUNCATED),
        (then(CHUNKED + b"4\r\nhalf\r\n"), Failure.STALLED),
        (then(CHUNKED + b"no number\r\nhalf\r\n"), Failure.TRUNCATED),
        (then(b"SSH-2.0-OpenSSH_9.2\r\n", done), Failure.MALFORMED),
        (then(b"HTTP/1.1 2x0 OK\r\n\r\n", done), Failure.MALFORMED),
        (then(b"\x00\x01\x02\x03\r\n\r\n", done), Failure.MALFORMED),
        (then(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\n\r\n"), Failure.MALFORMED),
        (then(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 120 + b"\r\n"), Failure.MALFORMED),
        (then(answer(200, b"x" * 5000)), Failure.TOO_LARGE),
        (then(CHUNKED, flood(b"4\r\nbody\r\n")), Failure.TOO_LARGE),
        (then(b"HTTP/1.1 200 OK\r\n\r\n", flood(b"for ever")), Failure.TOO_LARGE),
    ],
)
def test_hostile_answers(handler: Handler, expected: Failure) -> None:
    failed = refused(handler)
    assert failed.failure is expected, failed
    assert failed.detail


@pytest.mark.parametrize(
    "beginning",
    [b"", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n", CHUNKED + b"fff\r\n"],
    ids=["status", "header", "body", "chunk"],
)
@pytest.mark.parametrize(("seconds", "left", "expected"), [(0.3, 5.0, Failure.TIMEOUT), (5.0, 0.3, Failure.DEADLINE)])
def test_a_server_that_trickles(beginning: bytes, seconds: float, left: float, expected: Failure) -> None:
    failed = refused(then(beginning, trickle(b"1")), limit=100_000, seconds=seconds, left=left)
    assert failed.failure is expected


def test_a_server_that_says_continue_for_ever() -> None:
    assert refused(flood(b"HTTP/1.1 100 Continue\r\n\r\n"), seconds=0.3).failure is Failure.TIMEOUT


@pytest.mark.parametrize("after", [silent, flood(b"<p>")])
def test_an_errors_body_is_cut_without_complaint(after: Handler) -> None:
    got = ask(then(b"HTTP/1.1 403 No\r\nContent-Length: 999999\r\n\r\n" + b"x" * 2000, after))
    assert got.status == 403
    assert got.body == b"x" * QUICK.error_bytes


@pytest.mark.parametrize("after", [silent, done])
def test_an_errors_body_that_stops_is_read_as_far_as_it_came(after: Handler) -> None:
    got = ask(then(b"HTTP/1.1 403 No\r\nContent-Length: 99\r\n\r\nwords", after))
    assert (got.status, got.body) == (403, b"words")


def test_failures_of_connecting_come_through(authority: Authority, stranger: Authority) -> None:
    with talk(wire_to(closed_port())) as conversation, pytest.raises(WireError) as caught:
        conversation.request("GET", "/", headers={}, limit=10)
    assert caught.value.failure is Failure.REFUSED
    with (
        Server(silent, tls=stranger.server()) as server,
        talk(wire_to(server.port, trust=authority.trust()), tls=True) as conversation,
        pytest.raises(WireError) as caught,
    ):
        conversation.request("GET", "/", headers={}, limit=10)
    assert caught.value.failure is Failure.UNTRUSTED


@pytest.mark.parametrize("headers", [{"X": "a\r\nY: b"}, {"Bad name\n": "x"}])
def test_a_header_that_would_open_another_is_not_sent(headers: dict[str, str]) -> None:
    with (
        HttpServer(lambda _: answer()) as server,
        talk(wire_to(server.port)) as conversation,
        pytest.raises(WireError) as caught,
    ):
        conversation.request("GET", "/", headers=headers, limit=10)
    assert caught.value.failure is Failure.MALFORMED
    assert not server.requests

"""The way to a registry: directly or through a proxy, without its login in any error."""

from __future__ import annotations

import base64
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from probe.model import Failure
from probe.registries.network import operator_wire
from probe.wire.errors import WireError

PASSWORD = "sentinel/pass"
LOGIN = "user:sentinel%2Fpass"


@contextmanager
def proxy(answer: Callable[[bytes], bytes]) -> Iterator[tuple[int, list[bytes]]]:
    """A proxy for one connection: it answers CONNECT, and then repeats what it receives. Yields its port and heads."""
    heads: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                head = b""
                while b"\r\n\r\n" not in head:
                    head += connection.recv(4096)
                heads.append(head)
                with suppress(OSError):  # a client that closed early
                    connection.sendall(answer(head))
                    while piece := connection.recv(4096):
                        connection.sendall(piece)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield int(server.getsockname()[1]), heads
        thread.join(10)


def test_a_proxy_connects_and_receives_its_login() -> None:
    with proxy(lambda _head: b"HTTP/1.1 200 Connection established\r\n\r\n") as (port, heads):
        wire = operator_wire(proxies=lambda: {"https": f"http://{LOGIN}@127.0.0.1:{port}"})
        with wire.dial("registry.invalid", 443, 30) as sock:
            sock.sendall(b"hello")
            assert sock.recv(5) == b"hello"
    assert heads[0].startswith(b"CONNECT registry.invalid:443 HTTP/1.")
    assert base64.b64encode(f"user:{PASSWORD}".encode()) in heads[0]


@pytest.mark.parametrize("answer", [b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", b"\xff\xff\r\n\r\n"])
def test_a_proxy_that_refuses_is_named_without_its_login(answer: bytes) -> None:
    with proxy(lambda _head: answer) as (port, _):
        wire = operator_wire(proxies=lambda: {"https": f"http://{LOGIN}@127.0.0.1:{port}"})
        with pytest.raises(WireError, match=r"the proxy 127\.0\.0\.1 did not connect to registry\.invalid") as caught:
            wire.dial("registry.invalid", 443, 30)
    assert "sentinel" not in str(caught.value)
    assert caught.value.failure is Failure.UNREACHABLE


@pytest.mark.parametrize(
    ("answer", "seconds", "failure"),
    [
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100_000, 30, Failure.UNREACHABLE),
        (b"HTTP/1.1 200 OK\r\nX: y\r\n", 0.05, Failure.TIMEOUT),
    ],
    ids=["headers without end", "silence within the headers"],
)
def test_a_proxy_answers_in_bounded_time_and_bytes(answer: bytes, seconds: float, failure: Failure) -> None:
    with proxy(lambda _head: answer) as (port, _):
        wire = operator_wire(proxies=lambda: {"https": f"http://127.0.0.1:{port}"})
        with pytest.raises(WireError) as caught:
            wire.dial("registry.invalid", 443, seconds)
    assert caught.value.failure is failure


def test_a_proxys_words_control_no_terminal() -> None:
    with proxy(lambda _head: b"HTTP/1.1 403 \x1b[2J password=sentinel\r\n\r\n") as (port, _):
        wire = operator_wire(proxies=lambda: {"https": f"http://127.0.0.1:{port}"})
        with pytest.raises(WireError, match=r"did not connect to registry\.invalid: HTTP/1\.1 403") as caught:
            wire.dial("registry.invalid", 443, 30)
    assert str(caught.value).isprintable()
    assert "sentinel" not in str(caught.value)


@pytest.mark.parametrize("url", ["https://proxy.example", "socks5://proxy.example", "http://[", "http://:0"])
def test_a_proxy_of_another_kind_is_refused(url: str) -> None:
    wire = operator_wire(proxies=lambda: {"https": url})
    with pytest.raises(WireError, match="HTTPS_PROXY is not a usable proxy; for example HTTPS_PROXY=http"):
        wire.dial("registry.invalid", 443, 30)


def test_a_registry_on_this_machine_is_reached_directly() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        wire = operator_wire(proxies=lambda: {"https": "http://proxy.invalid"})
        wire.dial("127.0.0.1", server.getsockname()[1], 30).close()


def test_no_proxy_is_obeyed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.invalid:1")
    monkeypatch.setenv("NO_PROXY", "registry.invalid")
    with pytest.raises(WireError, match=r"^nxdomain: registry\.invalid does not resolve"):
        operator_wire().dial("registry.invalid", 443, 30)
    with pytest.raises(WireError, match=r"^nxdomain: the proxy proxy\.invalid does not resolve"):
        operator_wire().dial("other.invalid", 443, 30)

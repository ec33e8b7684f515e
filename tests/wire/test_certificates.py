from __future__ import annotations

import contextlib
import shutil
import socket
import ssl
import subprocess
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from probe.model import Failure
from probe.wire.certificates import (
    LARGE_HELLO,
    CertificateFacts,
    first_answer,
    handshake,
    large_hello,
    peer_facts,
    read_certificate,
)
from probe.wire.errors import WireError
from probe.wire.sockets import connect
from tests.wire.conftest import Authority
from tests.wire.servers import (
    ADDRESS,
    HOST,
    Handler,
    Server,
    hang_up,
    reset,
    silent,
    trickle,
    wire_to,
    within,
)


def facts_of(
    server: Server, authority: Authority, *, host: str = HOST, timeout: float = 60.0, until: float | None = None
) -> CertificateFacts:
    wire = wire_to(server.port, trust=authority.trust())
    until = until or within()
    sock = connect(wire, ADDRESS, 443, timeout=60, until=until)
    with handshake(wire, sock, host, timeout=timeout, until=until) as secure:
        return peer_facts(secure)


def error_of(server: Server, authority: Authority, *, timeout: float = 60.0, until: float | None = None) -> WireError:
    with server, pytest.raises(WireError) as caught:
        facts_of(server, authority, timeout=timeout, until=until)
    return caught.value


def test_the_facts_of_a_verified_handshake(authority: Authority) -> None:
    with Server(silent, tls=authority.server(HOST, "*.api.ecr.eu-west-1.vpce.amazonaws.com")) as server:
        facts = facts_of(server, authority)
    assert facts.verified
    assert facts.version in ("TLSv1.2", "TLSv1.3")
    assert facts.issuer_organization == "Amazon"
    assert facts.issuer is not None
    assert facts.issuer.startswith("O=Amazon")
    assert facts.names == (HOST, "*.api.ecr.eu-west-1.vpce.amazonaws.com")
    assert facts.not_before is not None
    assert facts.not_after is not None
    assert facts.not_before < datetime.now(UTC) < facts.not_after
    assert server.server_names == [HOST]


@pytest.mark.parametrize(
    ("timeout", "run_ends_in", "expected"), [(0.15, 600, Failure.TLS_STALL), (60, 0.15, Failure.DEADLINE)]
)
def test_a_handshake_that_stalls(authority: Authority, timeout: float, run_ends_in: float, expected: Failure) -> None:
    assert error_of(Server(silent), authority, timeout=timeout, until=within(run_ends_in)).failure is expected


def test_a_handshake_that_trickles(authority: Authority) -> None:
    record = b"\x16\x03\x03\x3f\xff" + b"\x02"

    def handle(sock: socket.socket, stop: threading.Event) -> None:
        sock.sendall(record)
        trickle(b"\x00")(sock, stop)

    assert error_of(Server(handle), authority, timeout=0.2).failure is Failure.TLS_STALL


@pytest.mark.parametrize("handler", [reset, hang_up])
def test_a_peer_that_closes_during_the_handshake(authority: Authority, handler: Handler) -> None:
    assert error_of(Server(handler), authority).failure is Failure.TLS_RESET


def test_a_peer_that_sends_an_alert(authority: Authority) -> None:
    server = authority.server()
    server.set_ciphers("ECDHE-ECDSA-AES128-SHA256")
    server.maximum_version = ssl.TLSVersion.TLSv1_2
    client = authority.trust()()
    client.set_ciphers("ECDHE-RSA-AES256-GCM-SHA384")
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    with Server(silent, tls=server) as running:
        wire = wire_to(running.port, trust=lambda: client)
        sock = connect(wire, ADDRESS, 443, timeout=60, until=within())
        with pytest.raises(WireError) as caught:
            handshake(wire, sock, HOST, timeout=60, until=within())
    assert caught.value.failure is Failure.TLS_RESET
    assert "alert" in (caught.value.detail or "").lower()


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_old_tls_is_refused_even_if_the_context_allows_it(authority: Authority) -> None:
    server = authority.server()
    server.minimum_version, server.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    server.set_ciphers("ALL:@SECLEVEL=0")
    client = authority.trust()()
    client.minimum_version = ssl.TLSVersion.TLSv1
    client.set_ciphers("ALL:@SECLEVEL=0")
    with Server(silent, tls=server) as running:
        wire = wire_to(running.port, trust=lambda: client)
        sock = connect(wire, ADDRESS, 443, timeout=60, until=within())
        with pytest.raises(WireError) as caught:
            handshake(wire, sock, HOST, timeout=60, until=within())
    assert caught.value.failure is Failure.TLS_RESET


@pytest.mark.parametrize(
    "greeting", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-OpenSSH_9.2\r\n", b"220 mail ready\r\n"]
)
def test_a_peer_that_does_not_speak_tls(authority: Authority, greeting: bytes) -> None:
    assert error_of(Server(greet(greeting)), authority).failure is Failure.NOT_TLS


def greet(greeting: bytes) -> Handler:
    """Reads the ClientHello, then sends `greeting`."""

    def handle(sock: socket.socket, stop: threading.Event) -> None:
        sock.recv(4096)
        sock.sendall(greeting)
        stop.wait()

    return handle


def test_an_untrusted_issuer(authority: Authority, untrusted: Authority) -> None:
    error = error_of(Server(silent, tls=untrusted.server()), authority)
    assert error.failure is Failure.UNTRUSTED
    assert "issuer" in (error.detail or "")


def test_a_wrong_name(authority: Authority) -> None:
    error = error_of(Server(silent, tls=authority.server("*.vpce.amazonaws.com")), authority)
    assert error.failure is Failure.WRONG_NAME


def test_an_expired_certificate(authority: Authority) -> None:
    past = datetime.now(UTC) - timedelta(days=1)
    error = error_of(Server(silent, tls=authority.server(HOST, not_after=past)), authority)
    assert error.failure is Failure.EXPIRED


@pytest.mark.parametrize("host", ["", ".leading.dot", "x" * 300])
def test_a_host_that_is_not_a_valid_server_name(authority: Authority, host: str) -> None:
    with Server(silent, tls=authority.server()) as server, pytest.raises(WireError) as caught:
        facts_of(server, authority, host=host)
    assert caught.value.failure in (Failure.WRONG_NAME, Failure.TLS_RESET)


# ---- the unverified handshake ----------------------------------------------------------------------------------------


def test_an_untrusted_certificate_is_read_and_no_data_is_sent(authority: Authority, untrusted: Authority) -> None:
    received: list[bytes] = []
    closed = threading.Event()

    def receive(sock: socket.socket, _stop: threading.Event) -> None:
        with contextlib.suppress(OSError):
            received.append(sock.recv(100))
        closed.set()

    with Server(receive, tls=untrusted.server(HOST, "10.0.1.10")) as server:
        wire = wire_to(server.port, trust=authority.trust())
        facts = read_certificate(wire, ADDRESS, 443, HOST, timeout=60, until=within())
        assert closed.wait(60)
    assert not facts.verified
    assert facts.issuer_organization == "Middlebox Inc"
    assert facts.issuer is not None
    assert facts.issuer.startswith("O=Middlebox Inc")
    assert facts.names == (HOST, "10.0.1.10")
    assert facts.not_after is not None
    assert facts.not_after.tzinfo is not None
    assert b"".join(received) == b""
    assert server.server_names == [HOST]


def test_an_unverified_handshake_raises_the_same_errors() -> None:
    with Server(greet(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as server, pytest.raises(WireError) as caught:
        read_certificate(wire_to(server.port), ADDRESS, 443, HOST, timeout=60, until=within())
    assert caught.value.failure is Failure.NOT_TLS


# ---- against an independent server -----------------------------------------------------------------------------------


@pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl")
@pytest.mark.parametrize(("options", "version"), [(["-tls1_2"], "TLSv1.2"), (["-tls1_3"], "TLSv1.3")])
def test_against_openssl(authority: Authority, tmp_path: Path, options: list[str], version: str) -> None:
    pem = tmp_path / "server.pem"
    authority.ca.issue_cert(HOST).private_key_and_cert_chain_pem.write_to_path(str(pem))
    # Port 0: s_server prints the port that it got on its first line.
    command = ["openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", str(pem), "-key", str(pem), "-www", *options]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            line = next(line for line in process.stdout if line.startswith("ACCEPT"))
            wire = wire_to(int(line.rpartition(":")[2]), trust=authority.trust())
            sock = connect(wire, ADDRESS, 443, timeout=60, until=within())
            with handshake(wire, sock, HOST, timeout=60, until=within()) as secure:
                facts = peer_facts(secure)
        finally:
            process.kill()
    assert facts.version == version
    assert facts.names == (HOST,)


def answering(reply: bytes) -> Handler:
    """Reads the ClientHello, then answers with `reply`."""

    def handle(sock: socket.socket, stop: threading.Event) -> None:
        sock.recv(65536)
        sock.sendall(reply)
        stop.wait()

    return handle


def answer_to_large_hello(server: Server, authority: Authority, *, timeout: float = 60.0) -> str:
    wire, until = wire_to(server.port, trust=authority.trust()), within()
    hello = large_hello(wire, HOST)
    return first_answer(connect(wire, ADDRESS, 443, timeout=60, until=until), hello, timeout=timeout, until=until)


@pytest.mark.parametrize("host", ["a.example", HOST, f"{'long-name.' * 20}example"])  # OpenSSL pads some lengths itself
def test_a_large_hello_differs_from_the_usual_one_in_its_padding_only(authority: Authority, host: str) -> None:
    wire = wire_to(1, trust=authority.trust())
    hello = large_hello(wire, host)
    assert len(hello) == LARGE_HELLO
    assert hello[:3] == b"\x16\x03\x01"
    assert hello.count(b"\x00\x15" + hello[-2:]) <= 1
    assert host.encode() in hello
    assert set(hello[-1_000:]) == {0}


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_server_answers_a_large_hello(authority: Authority, version: ssl.TLSVersion) -> None:
    context = authority.server()
    context.minimum_version = context.maximum_version = version
    with Server(silent, tls=context) as server:
        assert answer_to_large_hello(server, authority) == "ServerHello"
    assert server.server_names == [HOST]


def test_an_alert_answers_a_large_hello(authority: Authority) -> None:
    with Server(answering(b"\x15\x03\x03\x00\x02\x02\x28")) as server:
        assert answer_to_large_hello(server, authority) == "alert"


@pytest.mark.parametrize(
    ("handler", "timeout", "expected"),
    [
        (silent, 0.15, Failure.TLS_STALL),
        (reset, 60.0, Failure.TLS_RESET),
        (hang_up, 60.0, Failure.TLS_RESET),
        (answering(b"HTTP/1.1 400 Bad Request"), 60.0, Failure.NOT_TLS),
    ],
    ids=["silent", "reset", "closed", "not TLS"],
)
def test_a_large_hello_without_an_answer(
    authority: Authority, handler: Handler, timeout: float, expected: Failure
) -> None:
    with Server(handler) as server, pytest.raises(WireError) as caught:
        answer_to_large_hello(server, authority, timeout=timeout)
    assert caught.value.failure is expected

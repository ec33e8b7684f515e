from __future__ import annotations

import contextlib
import shutil
import socket
import ssl
import subprocess
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from probe.model import Failure
from probe.wire.certificates import CertificateFacts, handshake, peer_facts, read_certificate
from probe.wire.errors import WireError
from probe.wire.sockets import connect
from tests.wire.conftest import Authority
from tests.wire.servers import ADDRESS, HOST, Server, answer, done, hang_up, reset, silent, soon, then, trickle, wire_to


def shake(
    server: Server, authority: Authority, *, host: str = HOST, timeout: float = 1.0, until: float | None = None
) -> CertificateFacts:
    wire = wire_to(server.port, trust=authority.trust())
    until = until or soon()
    sock = connect(wire, ADDRESS, 443, timeout=1, until=until)
    with handshake(wire, sock, host, timeout=timeout, until=until) as secure:
        return peer_facts(secure)


def failure_of_shaking(
    server: Server, authority: Authority, *, timeout: float = 1.0, until: float | None = None
) -> WireError:
    with server, pytest.raises(WireError) as caught:
        shake(server, authority, timeout=timeout, until=until)
    return caught.value


def test_a_verified_handshake_tells_who_is_there(authority: Authority) -> None:
    with Server(silent, tls=authority.server(HOST, "*.api.ecr.eu-west-1.vpce.amazonaws.com")) as server:
        facts = shake(server, authority)
    assert facts.verified
    assert facts.version in ("TLSv1.2", "TLSv1.3")
    assert facts.issuer_organization == "Amazon"
    assert facts.issuer is not None
    assert facts.issuer.startswith("O=Amazon")
    assert facts.names == (HOST, "*.api.ecr.eu-west-1.vpce.amazonaws.com")
    assert facts.not_before is not None
    assert facts.not_after is not None
    assert facts.not_before < datetime.now(UTC) < facts.not_after
    assert server.asked_names == [HOST]


def hold(sock: socket.socket, stop: threading.Event) -> None:
    """Reads the greeting, then is silent."""
    sock.recv(4096)
    stop.wait()


@pytest.mark.parametrize(("timeout", "left", "expected"), [(0.15, 5, Failure.TLS_STALL), (5, 0.15, Failure.DEADLINE)])
def test_a_handshake_that_stalls(authority: Authority, timeout: float, left: float, expected: Failure) -> None:
    began = time.monotonic()
    assert failure_of_shaking(Server(hold), authority, timeout=timeout, until=soon(left)).failure is expected
    assert time.monotonic() - began < 4


def test_a_handshake_that_trickles(authority: Authority) -> None:
    record = b"\x16\x03\x03\x3f\xff" + b"\x02"
    began = time.monotonic()

    def handle(sock: socket.socket, stop: threading.Event) -> None:
        sock.sendall(record)
        trickle(b"\x00")(sock, stop)

    assert failure_of_shaking(Server(handle), authority, timeout=0.2).failure is Failure.TLS_STALL
    assert time.monotonic() - began < 4


@pytest.mark.parametrize("manners", [reset, hang_up])
def test_a_handshake_that_is_broken_off(authority: Authority, manners: object) -> None:
    assert failure_of_shaking(Server(manners), authority).failure is Failure.TLS_RESET  # type: ignore[arg-type]


def test_a_handshake_that_is_broken_off_by_an_alert(authority: Authority) -> None:
    server = authority.server()
    server.set_ciphers("ECDHE-ECDSA-AES128-SHA256")
    server.maximum_version = ssl.TLSVersion.TLSv1_2
    client = authority.trust()()
    client.set_ciphers("ECDHE-RSA-AES256-GCM-SHA384")
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    with Server(silent, tls=server) as running:
        wire = wire_to(running.port, trust=lambda: client)
        sock = connect(wire, ADDRESS, 443, timeout=1, until=soon())
        with pytest.raises(WireError) as caught:
            handshake(wire, sock, HOST, timeout=1, until=soon())
    assert caught.value.failure is Failure.TLS_RESET
    assert "alert" in (caught.value.detail or "").lower()


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_old_tls_is_refused_even_where_the_context_would_take_it(authority: Authority) -> None:
    server = authority.server()
    server.minimum_version, server.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    server.set_ciphers("ALL:@SECLEVEL=0")
    client = authority.trust()()
    client.minimum_version = ssl.TLSVersion.TLSv1
    client.set_ciphers("ALL:@SECLEVEL=0")
    with Server(silent, tls=server) as running:
        wire = wire_to(running.port, trust=lambda: client)
        sock = connect(wire, ADDRESS, 443, timeout=1, until=soon())
        with pytest.raises(WireError) as caught:
            handshake(wire, sock, HOST, timeout=1, until=soon())
    assert caught.value.failure is Failure.TLS_RESET


@pytest.mark.parametrize(
    "words", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-OpenSSH_9.2\r\n", b"220 mail ready\r\n"]
)
def test_something_that_is_not_tls(authority: Authority, words: bytes) -> None:
    def handle(sock: socket.socket, stop: threading.Event) -> None:
        sock.recv(4096)
        sock.sendall(words)
        stop.wait()

    assert failure_of_shaking(Server(handle), authority).failure is Failure.NOT_TLS


def test_another_issuer(authority: Authority, stranger: Authority) -> None:
    failed = failure_of_shaking(Server(silent, tls=stranger.server()), authority)
    assert failed.failure is Failure.UNTRUSTED
    assert "issuer" in (failed.detail or "")


def test_another_name(authority: Authority) -> None:
    failed = failure_of_shaking(Server(silent, tls=authority.server("*.vpce.amazonaws.com")), authority)
    assert failed.failure is Failure.WRONG_NAME


def test_a_certificate_that_has_expired(authority: Authority) -> None:
    past = datetime.now(UTC) - timedelta(days=1)
    failed = failure_of_shaking(Server(silent, tls=authority.server(HOST, not_after=past)), authority)
    assert failed.failure is Failure.EXPIRED


@pytest.mark.parametrize("host", ["", ".leading.dot", "x" * 300])
def test_a_host_that_no_certificate_can_name(authority: Authority, host: str) -> None:
    with Server(silent, tls=authority.server()) as server, pytest.raises(WireError) as caught:
        shake(server, authority, host=host)
    assert caught.value.failure in (Failure.WRONG_NAME, Failure.TLS_RESET)


# ---- the unverified look ---------------------------------------------------------------------------------------------


def test_a_refused_certificate_can_be_read_and_nothing_is_sent(authority: Authority, stranger: Authority) -> None:
    received: list[bytes] = []
    read = threading.Event()

    def listen(sock: socket.socket, _stop: threading.Event) -> None:
        with contextlib.suppress(OSError):
            received.append(sock.recv(100))
        read.set()

    with Server(listen, tls=stranger.server(HOST, "10.0.1.10")) as server:
        wire = wire_to(server.port, trust=authority.trust())
        facts = read_certificate(wire, ADDRESS, 443, HOST, timeout=1, until=soon())
        assert read.wait(2)
    assert not facts.verified
    assert facts.issuer_organization == "Middlebox Inc"
    assert facts.issuer is not None
    assert facts.issuer.startswith("O=Middlebox Inc")
    assert facts.names == (HOST, "10.0.1.10")
    assert facts.not_after is not None
    assert facts.not_after.tzinfo is not None
    assert b"".join(received) == b""
    assert server.asked_names == [HOST]


def test_an_unverified_look_fails_as_a_handshake_does() -> None:
    with Server(then(answer(400), done)) as server, pytest.raises(WireError) as caught:
        read_certificate(wire_to(server.port), ADDRESS, 443, HOST, timeout=0.3, until=soon())
    assert caught.value.failure in (Failure.NOT_TLS, Failure.TLS_STALL, Failure.TLS_RESET)


# ---- against a server that is not ours -------------------------------------------------------------------------------


@pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl")
@pytest.mark.parametrize(("options", "version"), [(["-tls1_2"], "TLSv1.2"), (["-tls1_3"], "TLSv1.3")])
def test_against_openssl(authority: Authority, tmp_path: Path, options: list[str], version: str) -> None:
    pem = tmp_path / "server.pem"
    authority.ca.issue_cert(HOST).private_key_and_cert_chain_pem.write_to_path(str(pem))
    # Port 0: s_server tells on its first line which port it got.
    command = ["openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", str(pem), "-key", str(pem), "-www", *options]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            line = next(line for line in process.stdout if line.startswith("ACCEPT"))
            wire = wire_to(int(line.rpartition(":")[2]), trust=authority.trust())
            sock = connect(wire, ADDRESS, 443, timeout=1, until=soon())
            with handshake(wire, sock, HOST, timeout=2, until=soon()) as secure:
                found = peer_facts(secure)
        finally:
            process.kill()
    assert found.version == version
    assert found.names == (HOST,)

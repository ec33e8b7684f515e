from __future__ import annotations

import shutil
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from probe.model import Failure
from probe.wire import Wire
from probe.wire.errors import WireError
from probe.wire.names import Lookup, lookup
from tests.wire.servers import HOST, QUICK, Handler, NameServer, Server, done, no_trust, reset, silent, soon, wire_to

Respond = Callable[[dns.message.QueryMessage], list[bytes]]


def reply(
    question: dns.message.QueryMessage, *records: str, rcode: dns.rcode.Rcode = dns.rcode.NOERROR
) -> dns.message.Message:
    made = dns.message.make_response(question)
    made.set_rcode(rcode)
    made.answer = [dns.rrset.from_text(*record.split(maxsplit=4)) for record in records]  # type: ignore[arg-type]
    return made


def always(*records: str, rcode: dns.rcode.Rcode = dns.rcode.NOERROR) -> Respond:
    return lambda question: [reply(question, *records, rcode=rcode).to_wire()]


def ask(
    respond: Respond, record: str = "A", *, name: str = HOST, tries: int = 2, left: float = 5.0, tcp: int | None = None
) -> Lookup:
    with NameServer(respond) as server:
        wire = wire_to(tcp or 1, names=server.port)
        return lookup(wire, "10.0.0.2", name, record, budget=QUICK, tries=tries, until=soon(left))


def refused(
    respond: Respond, record: str = "A", *, name: str = HOST, left: float = 5.0, tcp: int | None = None
) -> WireError:
    with pytest.raises(WireError) as caught:
        ask(respond, record, name=name, left=left, tcp=tcp)
    return caught.value


def test_addresses_are_sorted_by_value() -> None:
    found = ask(always(f"{HOST}. 60 IN A 10.0.10.9", f"{HOST}. 60 IN A 10.0.9.10", f"{HOST}. 60 IN A 9.9.9.9"))
    assert found == Lookup(("9.9.9.9", "10.0.9.10", "10.0.10.9"), (), 60, "NOERROR", tcp=False)


def test_a_chain_is_followed_in_any_order() -> None:
    records = (
        "b.example. 5 IN A 10.0.0.1",
        f"{HOST}. 300 IN CNAME a.example.",
        "a.example. 60 IN CNAME b.example.",
        "x.example. 1 IN A 1.1.1.1",
    )
    found = ask(always(*records))
    assert found.addresses == ("10.0.0.1",)
    assert found.cnames == ("a.example", "b.example")
    assert found.ttl == 5


def test_aaaa() -> None:
    assert ask(always(f"{HOST}. 60 IN AAAA fd00::1"), "AAAA").addresses == ("fd00::1",)
    assert ask(always(), "AAAA") == Lookup((), (), None, "NOERROR", tcp=False)


def test_a_chain_that_bites_its_tail() -> None:
    failed = refused(always(f"{HOST}. 1 IN CNAME a.example.", f"a.example. 1 IN CNAME {HOST}."))
    assert failed.failure is Failure.NO_ADDRESS


@pytest.mark.parametrize(
    ("rcode", "expected"),
    [
        (dns.rcode.NXDOMAIN, Failure.NXDOMAIN),
        (dns.rcode.SERVFAIL, Failure.SERVFAIL),
        (dns.rcode.REFUSED, Failure.REFUSED_QUERY),
        (dns.rcode.NOTIMP, Failure.SERVFAIL),
        (dns.rcode.NOERROR, Failure.NO_ADDRESS),
    ],
)
def test_answers_without_an_address(rcode: dns.rcode.Rcode, expected: Failure) -> None:
    failed = refused(always(f"{HOST}. 60 IN CNAME a.example.", rcode=rcode))
    assert failed.failure is expected
    assert failed.lookup is not None
    assert failed.lookup.rcode == dns.rcode.to_text(rcode)
    assert failed.lookup.cnames == ("a.example",)


def test_the_question_is_absolute_and_plain() -> None:
    with NameServer(always(f"{HOST}. 60 IN A 10.0.0.1")) as server:
        lookup(wire_to(1, names=server.port), "10.0.0.2", HOST + ".", "A", budget=QUICK, tries=1, until=soon())
    question = server.questions[0]
    assert question.question[0].name.to_text() == f"{HOST}."
    assert question.edns < 0
    assert question.flags & dns.flags.RD


def test_silence() -> None:
    began = time.monotonic()
    asked: list[object] = []
    failed = refused(lambda question: asked.append(question) or [])  # type: ignore[func-returns-value]
    assert failed.failure is Failure.NO_ANSWER
    assert len(asked) == 2
    assert 0.35 < time.monotonic() - began < 4


def test_silence_until_the_deadline() -> None:
    assert refused(lambda _: [], left=0.1).failure is Failure.DEADLINE


def test_the_second_try_may_be_answered() -> None:
    answers = iter([[], [f"{HOST}. 60 IN A 10.0.0.1"]])

    def respond(question: dns.message.QueryMessage) -> list[bytes]:
        records = next(answers)
        return [reply(question, *records).to_wire()] if records else []

    assert ask(respond).addresses == ("10.0.0.1",)


def test_what_is_not_for_us_is_passed_over() -> None:
    """Another id, another question, no answer at all, then the right one."""

    def respond(question: dns.message.QueryMessage) -> list[bytes]:
        other_id = reply(question, f"{HOST}. 60 IN A 6.6.6.6")
        other_id.id = (question.id + 1) % 65536
        other = dns.message.make_query("evil.example", "A")
        other.id = question.id
        other_question = reply(other, "evil.example. 60 IN A 6.6.6.6")
        right = reply(question, f"{HOST}. 60 IN A 10.0.0.1")
        return [b"", b"x", other_id.to_wire(), other_question.to_wire(), question.to_wire(), right.to_wire()]

    assert ask(respond).addresses == ("10.0.0.1",)


def test_a_flood_of_forgeries_ends() -> None:
    began = time.monotonic()
    assert refused(lambda _: [b"forged"] * 50).failure is Failure.NO_ANSWER
    assert time.monotonic() - began < 4


def test_garbage_under_the_right_id() -> None:
    assert refused(lambda question: [question.id.to_bytes(2, "big") + b"\x81\x80garbage"]).failure is Failure.MALFORMED


@pytest.mark.parametrize("name", ["", "a..b", "x" * 64 + ".example", "é" * 300])
def test_what_is_no_name(name: str) -> None:
    failed = refused(always(), name=name)
    assert failed.failure in (Failure.MALFORMED, Failure.NO_ADDRESS)


def test_no_server_listens() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    with pytest.raises(WireError) as caught:
        lookup(wire_to(1, names=port), "10.0.0.2", HOST, "A", budget=QUICK, tries=2, until=soon())
    assert caught.value.failure is Failure.NO_ANSWER


def test_no_route_to_the_server() -> None:
    with pytest.raises(WireError) as caught:
        lookup(wire_to(1), "10.0.0.2", HOST, "A", budget=QUICK, tries=2, until=soon())
    assert caught.value.failure is Failure.UNREACHABLE


# ---- over TCP --------------------------------------------------------------------------------------------------------


def cut(question: dns.message.QueryMessage) -> list[bytes]:
    answer = reply(question, f"{HOST}. 60 IN A 6.6.6.6")
    answer.flags |= dns.flags.TC
    return [answer.to_wire()]


def over_tcp(make: Callable[[dns.message.QueryMessage], bytes]) -> Handler:
    def handle(sock: socket.socket, _stop: threading.Event) -> None:
        (size,) = struct.unpack("!H", sock.recv(2))
        message = make(dns.message.from_wire(sock.recv(size)))  # type: ignore[arg-type]
        sock.sendall(struct.pack("!H", len(message)) + message)

    return handle


def test_a_cut_answer_is_asked_for_again_over_tcp() -> None:
    records = [f"{HOST}. 60 IN A 10.0.0.{last}" for last in range(1, 101)]
    with Server(over_tcp(lambda question: reply(question, *records).to_wire())) as server:
        found = ask(cut, tcp=server.port)
    assert found.tcp
    assert len(found.addresses) == 100
    assert "6.6.6.6" not in found.addresses


@pytest.mark.parametrize(
    ("handler", "expected"),
    [
        (silent, Failure.NO_ANSWER),
        (reset, Failure.NO_ANSWER),
        (done, Failure.NO_ANSWER),
        (over_tcp(lambda _: b"garbage"), Failure.MALFORMED),
        (over_tcp(lambda _: reply(dns.message.make_query("evil.example", "A")).to_wire()), Failure.MALFORMED),
    ],
)
def test_tcp_that_fails(handler: Handler, expected: Failure) -> None:
    with Server(handler) as server:
        failed = refused(cut, tcp=server.port)
    assert failed.failure is expected
    assert "over TCP" in (failed.detail or "")


# ---- against a server that is not ours -------------------------------------------------------------------------------

DNSMASQ = shutil.which("dnsmasq", path="/usr/sbin:/usr/bin:/usr/local/sbin")


@pytest.mark.skipif(not DNSMASQ, reason="needs dnsmasq")
def test_against_dnsmasq(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    many = [f"--host-record=many.test,10.1.{n // 200}.{n % 200 + 1}" for n in range(60)]
    command = [
        str(DNSMASQ),
        "--no-daemon",
        "--conf-file=/dev/null",
        "--no-resolv",
        "--no-hosts",
        f"--port={port}",
        "--listen-address=127.0.0.1",
    ]
    command += [
        "--bind-interfaces",
        "--local=/test/",
        f"--host-record={HOST},10.0.1.10,fd00::10",
        f"--cname=alias.test,{HOST}",
        *many,
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        try:
            assert process.stderr is not None
            assert any("started" in line for line in process.stderr)
            wire = Wire(wire_to(port).dial, wire_to(1, names=port).datagram, lambda: ("10.0.0.2",), no_trust)

            def find(name: str, record: str = "A") -> Lookup:
                return lookup(wire, "10.0.0.2", name, record, budget=QUICK, tries=2, until=soon())

            assert find(HOST).addresses == ("10.0.1.10",)
            assert find(HOST, "AAAA").addresses == ("fd00::10",)
            assert find("alias.test").cnames == (HOST,)
            big = find("many.test")
            assert big.tcp
            assert len(big.addresses) == 60
            with pytest.raises(WireError) as caught:
                find("missing.test")
            assert caught.value.failure is Failure.NXDOMAIN
            with pytest.raises(WireError) as caught:
                find("elsewhere.example")
            assert caught.value.failure is Failure.REFUSED_QUERY
        finally:
            process.kill()

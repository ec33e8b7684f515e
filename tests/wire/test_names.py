from __future__ import annotations

import shutil
import socket
import struct
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from probe.model import Budget, Failure
from probe.records import replace
from probe.wire import Wire
from probe.wire.errors import WireError
from probe.wire.names import Lookup, lookup
from tests.wire.servers import (
    GENEROUS,
    HOST,
    Handler,
    NameServer,
    Server,
    close,
    limits,
    no_trust,
    reset,
    silent,
    wire_to,
    within,
)

Respond = Callable[[dns.message.QueryMessage], list[bytes]]


def reply(
    query: dns.message.QueryMessage, *records: str, rcode: dns.rcode.Rcode = dns.rcode.NOERROR
) -> dns.message.Message:
    response = dns.message.make_response(query)
    response.set_rcode(rcode)
    response.answer = [dns.rrset.from_text(*record.split(maxsplit=4)) for record in records]  # type: ignore[arg-type]
    return response


def always(*records: str, rcode: dns.rcode.Rcode = dns.rcode.NOERROR) -> Respond:
    return lambda query: [reply(query, *records, rcode=rcode).to_wire()]


def resolve(
    respond: Respond,
    record: str = "A",
    *,
    name: str = HOST,
    tries: int = 2,
    until: float | None = None,
    tcp: int = 1,
    budget: Budget = GENEROUS,
) -> Lookup:
    with NameServer(respond) as server:
        wire = wire_to(tcp, names=server.port)
        return lookup(wire, "10.0.0.2", name, record, budget=budget, tries=tries, until=until or within())


def error_of(
    respond: Respond,
    *,
    name: str = HOST,
    tries: int = 2,
    until: float | None = None,
    tcp: int = 1,
    budget: Budget = GENEROUS,
) -> WireError:
    with pytest.raises(WireError) as caught:
        resolve(respond, name=name, tries=tries, until=until, tcp=tcp, budget=budget)
    return caught.value


def test_addresses_are_sorted_by_value() -> None:
    answer = resolve(always(f"{HOST}. 60 IN A 10.0.10.9", f"{HOST}. 60 IN A 10.0.9.10", f"{HOST}. 60 IN A 9.9.9.9"))
    assert answer == Lookup(("9.9.9.9", "10.0.9.10", "10.0.10.9"), (), 60, "NOERROR", tcp=False)


def test_cnames_are_followed_in_any_order() -> None:
    records = (
        "b.example. 5 IN A 10.0.0.1",
        f"{HOST}. 300 IN CNAME a.example.",
        "a.example. 60 IN CNAME b.example.",
        "x.example. 1 IN A 1.1.1.1",
    )
    answer = resolve(always(*records))
    assert answer.addresses == ("10.0.0.1",)
    assert answer.cnames == ("a.example", "b.example")
    assert answer.ttl == 5


def test_an_empty_aaaa_is_an_answer() -> None:
    assert resolve(always(f"{HOST}. 60 IN AAAA fd00::1"), "AAAA").addresses == ("fd00::1",)
    assert resolve(always(), "AAAA") == Lookup((), (), None, "NOERROR", tcp=False)


def test_a_loop_of_cnames() -> None:
    error = error_of(always(f"{HOST}. 1 IN CNAME a.example.", f"a.example. 1 IN CNAME {HOST}."))
    assert error.failure is Failure.NO_ADDRESS


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
    error = error_of(always(f"{HOST}. 60 IN CNAME a.example.", rcode=rcode))
    assert error.failure is expected
    assert error.lookup is not None
    assert error.lookup.rcode == dns.rcode.to_text(rcode)
    assert error.lookup.cnames == ("a.example",)


def test_the_query_is_absolute_and_has_no_edns() -> None:
    with NameServer(always(f"{HOST}. 60 IN A 10.0.0.1")) as server:
        lookup(wire_to(1, names=server.port), "10.0.0.2", HOST + ".", "A", budget=GENEROUS, tries=1, until=within())
    query = server.queries[0]
    assert query.question[0].name.to_text() == f"{HOST}."
    assert query.edns < 0
    assert query.flags & dns.flags.RD


def test_a_silent_server_is_tried_again() -> None:
    sockets: list[socket.socket] = []
    with NameServer(lambda _: []) as server:
        wire = wire_to(1, names=server.port)

        def datagram(address: str, port: int) -> socket.socket:
            sockets.append(wire.datagram(address, port))
            return sockets[-1]

        counting = replace(wire, datagram=datagram)
        with pytest.raises(WireError) as caught:
            lookup(counting, "10.0.0.2", HOST, "A", budget=limits(dns_try=0.2), tries=2, until=within())
    assert caught.value.failure is Failure.NO_ANSWER
    assert len(sockets) == 2


def test_a_silent_server_until_the_deadline() -> None:
    assert error_of(lambda _: [], until=within(0.1)).failure is Failure.DEADLINE


def test_the_second_try_is_answered() -> None:
    answers = iter([garbage, always(f"{HOST}. 60 IN A 10.0.0.1")])
    assert resolve(lambda query: next(answers)(query)).addresses == ("10.0.0.1",)


def garbage(query: dns.message.QueryMessage) -> list[bytes]:
    return [query.id.to_bytes(2, "big") + b"\x81\x80garbage"]


def test_a_malformed_answer() -> None:
    assert error_of(garbage).failure is Failure.MALFORMED


def test_datagrams_that_do_not_answer_the_query_are_ignored() -> None:
    def respond(query: dns.message.QueryMessage) -> list[bytes]:
        other_id = reply(query, f"{HOST}. 60 IN A 6.6.6.6")
        other_id.id = (query.id + 1) % 65536
        other_query = dns.message.make_query("evil.example", "A")
        other_query.id = query.id
        other_name = reply(other_query, "evil.example. 60 IN A 6.6.6.6")
        right = reply(query, f"{HOST}. 60 IN A 10.0.0.1")
        return [b"", b"x", other_id.to_wire(), other_name.to_wire(), query.to_wire(), right.to_wire()]

    assert resolve(respond).addresses == ("10.0.0.1",)


def test_many_forged_answers_do_not_extend_the_wait() -> None:
    assert error_of(lambda _: [b"forged"] * 50, budget=limits(dns_try=0.2)).failure is Failure.NO_ANSWER


@pytest.mark.parametrize("name", ["", "a..b", "x" * 64 + ".example", "é" * 300])
def test_text_that_is_not_a_domain_name(name: str) -> None:
    error = error_of(always(), name=name)
    assert error.failure in (Failure.MALFORMED, Failure.NO_ADDRESS)


def test_a_port_without_a_server() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    with pytest.raises(WireError) as caught:
        lookup(wire_to(1, names=port), "10.0.0.2", HOST, "A", budget=GENEROUS, tries=2, until=within())
    assert caught.value.failure is Failure.NO_ANSWER


def test_no_route_to_the_server() -> None:
    with pytest.raises(WireError) as caught:
        lookup(wire_to(1), "10.0.0.2", HOST, "A", budget=GENEROUS, tries=2, until=within())
    assert caught.value.failure is Failure.UNREACHABLE


# ---- over TCP --------------------------------------------------------------------------------------------------------


def truncated(query: dns.message.QueryMessage) -> list[bytes]:
    answer = reply(query, f"{HOST}. 60 IN A 6.6.6.6")
    answer.flags |= dns.flags.TC
    return [answer.to_wire()]


def over_tcp(respond: Callable[[dns.message.QueryMessage], bytes]) -> Handler:
    def handle(sock: socket.socket, _stop: threading.Event) -> None:
        (size,) = struct.unpack("!H", sock.recv(2))
        message = respond(dns.message.from_wire(sock.recv(size)))  # type: ignore[arg-type]
        sock.sendall(struct.pack("!H", len(message)) + message)

    return handle


def test_a_truncated_answer_is_repeated_over_tcp() -> None:
    records = [f"{HOST}. 60 IN A 10.0.0.{last}" for last in range(1, 101)]
    with Server(over_tcp(lambda query: reply(query, *records).to_wire())) as server:
        answer = resolve(truncated, tcp=server.port)
    assert answer.tcp
    assert len(answer.addresses) == 100
    assert "6.6.6.6" not in answer.addresses


@pytest.mark.parametrize(
    ("handler", "expected"),
    [
        (reset, Failure.NO_ANSWER),
        (close, Failure.NO_ANSWER),
        (over_tcp(lambda _: b"garbage"), Failure.MALFORMED),
        (over_tcp(lambda _: reply(dns.message.make_query("evil.example", "A")).to_wire()), Failure.MALFORMED),
    ],
)
def test_tcp_that_fails(handler: Handler, expected: Failure) -> None:
    with Server(handler) as server:
        error = error_of(truncated, tcp=server.port)
    assert error.failure is expected
    assert "over TCP" in (error.detail or "")


def test_tcp_that_is_silent() -> None:
    with Server(silent) as server:
        error = error_of(truncated, tries=1, tcp=server.port, budget=limits(dns_try=2))  # the UDP answer is in it
    assert error.failure is Failure.NO_ANSWER
    assert "over TCP" in (error.detail or "")


# ---- against an independent server -----------------------------------------------------------------------------------

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
                return lookup(wire, "10.0.0.2", name, record, budget=GENEROUS, tries=2, until=within())

            assert find(HOST).addresses == ("10.0.1.10",)
            assert find(HOST, "AAAA").addresses == ("fd00::10",)
            assert find("alias.test").cnames == (HOST,)
            large = find("many.test")
            assert large.tcp
            assert len(large.addresses) == 60
            with pytest.raises(WireError) as caught:
                find("missing.test")
            assert caught.value.failure is Failure.NXDOMAIN
            with pytest.raises(WireError) as caught:
                find("elsewhere.example")
            assert caught.value.failure is Failure.REFUSED_QUERY
        finally:
            process.kill()

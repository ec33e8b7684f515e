"""One DNS query to one name server, as glibc sends it: absolute names, no EDNS, TCP after a truncated answer.

Which servers are queried, and what their answers mean together, is decided in `measure`. This module imports dnspython
with the modules that it would load at its first answer, so that no lookup's time contains the import.
"""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.ANY.CNAME
import dns.rdtypes.IN.A
import dns.rdtypes.IN.AAAA

from probe.addresses import sort_key
from probe.model import Budget, Failure
from probe.records import Record
from probe.wire import Wire
from probe.wire.errors import Phase, WireError, failure_of, wire_error
from probe.wire.sockets import Pace, PlainSocket, connect

if TYPE_CHECKING:
    from dns.rrset import RRset

PORT = 53
_LONGEST_CHAIN = 16  # CNAME records
_RETRIED = (Failure.NO_ANSWER, Failure.MALFORMED)


class Lookup(Record, frozen=True):
    """A name server's answer. `addresses` are sorted by family and value, `cnames` in the order of the chain; `ttl` is
    the lowest of all records. `tcp`: the answer over UDP was truncated, so TCP was tried."""

    addresses: tuple[str, ...]
    cnames: tuple[str, ...]
    ttl: int | None
    rcode: str
    tcp: bool


def lookup(wire: Wire, server: str, name: str, record: str, *, budget: Budget, tries: int, until: float) -> Lookup:
    """Query `server` for the `record` ("A" or "AAAA") of `name`. An empty AAAA is an answer, an empty A is NO_ADDRESS.

    Raises WireError NXDOMAIN, NO_ADDRESS, SERVFAIL (for every other rcode too), REFUSED_QUERY, NO_ANSWER, UNREACHABLE,
    MALFORMED or DEADLINE. The error's `lookup` is the answer, if there was one.
    """
    query = _query(name, record)
    ends = min(until, time.monotonic() + budget.dns_total)
    last_error: WireError | None = None
    for _ in range(tries):
        pace = Pace(idle=budget.dns_try, until=until, idle_failure=Failure.NO_ANSWER)
        pace.ends, pace.ends_failure = min(ends, time.monotonic() + budget.dns_try), Failure.NO_ANSWER
        try:
            answer, tcp = _round_trip(wire, server, query, pace)
        except WireError as error:
            if error.failure not in _RETRIED:
                raise
            last_error = error
        else:
            return _require_address(_lookup(answer, query, tcp=tcp), record)
    raise last_error or WireError(Failure.NO_ANSWER, "no query was sent")


def _query(name: str, record: str) -> dns.message.Message:
    try:
        absolute = dns.name.from_text(name.rstrip("."), dns.name.root)
        return dns.message.make_query(absolute, record, use_edns=False)
    except (dns.exception.DNSException, UnicodeError, ValueError) as error:
        raise WireError(Failure.MALFORMED, f"not a domain name: {error}") from error


# ---- the round trip --------------------------------------------------------------------------------------------------


def _round_trip(wire: Wire, server: str, query: dns.message.Message, pace: Pace) -> tuple[dns.message.Message, bool]:
    """Return the answer, and whether it came over TCP."""
    try:
        with wire.datagram(server, PORT) as sock:
            answer = _over_udp(sock, query, pace)
    except OSError as error:
        raise wire_error(error, phase=Phase.NAME) from error
    if not answer.flags & dns.flags.TC:
        return answer, False
    try:
        return _over_tcp(wire, server, query, pace), True
    except (WireError, OSError) as error:
        text = (error.detail if isinstance(error, WireError) else None) or str(error)
        truncated = Lookup((), (), None, dns.rcode.to_text(answer.rcode()), tcp=True)
        raise WireError(
            failure_of(error, phase=Phase.NAME), f"truncated over UDP; over TCP: {text}", lookup=truncated
        ) from error


def _over_udp(sock: socket.socket, query: dns.message.Message, pace: Pace) -> dns.message.Message:
    """Send the query and wait for its answer. Other datagrams at the port are ignored."""
    sock.settimeout(pace.left())
    sock.send(query.to_wire())
    while True:
        sock.settimeout(pace.left())
        try:
            data = sock.recv(65535)
        except TimeoutError as error:
            raise pace.exceeded() from error
        if data[:2] != query.id.to_bytes(2, "big"):
            continue
        answer = _parse(data)
        if query.is_response(answer):
            return answer


def _over_tcp(wire: Wire, server: str, query: dns.message.Message, pace: Pace) -> dns.message.Message:
    left = pace.left()
    with connect(wire, server, PORT, timeout=left, until=pace.until) as sock:
        sock.pace = pace
        message = query.to_wire()
        sock.sendall(len(message).to_bytes(2, "big") + message)
        size = int.from_bytes(_receive(sock, 2), "big")
        answer = _parse(_receive(sock, size))
    if not query.is_response(answer):
        raise WireError(Failure.MALFORMED, "the answer belongs to another query")
    return answer


def _receive(sock: PlainSocket, count: int) -> bytes:
    data = bytearray()
    while len(data) < count:
        received = sock.recv(count - len(data))
        if not received:
            raise WireError(Failure.NO_ANSWER, "closed without an answer")
        data += received
    return bytes(data)


def _parse(data: bytes) -> dns.message.Message:
    try:
        return dns.message.from_wire(data, ignore_trailing=True)
    except (dns.exception.DNSException, ValueError) as error:
        raise WireError(Failure.MALFORMED, f"not a DNS message: {type(error).__name__}") from error


# ---- the answer ------------------------------------------------------------------------------------------------------


def _lookup(answer: dns.message.Message, query: dns.message.Message, *, tcp: bool) -> Lookup:
    """Follow the CNAMEs from the queried name, in any order of the answer's records."""
    question = query.question[0]
    owner = question.name
    chain: list[str] = []
    ttls: list[int] = []
    records: RRset | None = None
    while records is None and len(chain) < _LONGEST_CHAIN:
        records = answer.get_rrset(answer.answer, owner, dns.rdataclass.IN, question.rdtype)
        alias = answer.get_rrset(answer.answer, owner, dns.rdataclass.IN, dns.rdatatype.CNAME)
        if records is None and alias is None:
            break
        ttls.append((records or alias).ttl)  # type: ignore[union-attr]
        if records is None and alias is not None:
            owner = alias[0].target  # type: ignore[attr-defined,unused-ignore]
            chain.append(owner.to_text(omit_final_dot=True))
    addresses = {record.to_text() for record in records} if records else set()
    return Lookup(
        addresses=tuple(sorted(addresses, key=sort_key)),
        cnames=tuple(chain),
        ttl=min(ttls, default=None),
        rcode=dns.rcode.to_text(answer.rcode()),
        tcp=tcp,
    )


def _require_address(answer: Lookup, record: str) -> Lookup:
    if answer.rcode == "NXDOMAIN":
        raise WireError(Failure.NXDOMAIN, "the name does not exist", lookup=answer)
    if answer.rcode == "REFUSED":
        raise WireError(Failure.REFUSED_QUERY, "the server refused the query", lookup=answer)
    if answer.rcode != "NOERROR":
        raise WireError(Failure.SERVFAIL, f"the server answered {answer.rcode}", lookup=answer)
    if not answer.addresses and record == "A":
        raise WireError(Failure.NO_ADDRESS, "the name exists but has no address", lookup=answer)
    return answer

"""DNS servers on loopback sockets: UDP with truncation, and TCP. The answers come from `dns`."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading

from probe.records import Record
from probe.sim.dns import DnsAnswer, DnsHandler
from probe.sim.listeners import Listeners

_MAX_WITHOUT_EDNS = 512  # bytes of a UDP answer


class Nameserver(Record, frozen=True):
    """A server on port 53. `truncates`: every UDP answer has the TC flag, so clients retry over TCP."""

    handler: DnsHandler
    truncates: bool = False

    def serve(self, sock: socket.socket, closing: threading.Event, /) -> None:
        """Serve DNS over TCP: each message follows its length."""
        with sock.makefile("rb") as stream:
            while not closing.is_set():
                prefix = stream.read(2)
                if len(prefix) < 2:
                    return
                reply = self.reply(stream.read(struct.unpack("!H", prefix)[0]), tcp=True)
                if reply is None:
                    stream.read()
                    return
                sock.sendall(struct.pack("!H", len(reply)) + reply)

    def reply(self, query: bytes, *, tcp: bool) -> bytes | None:
        """The packet that answers `query`; None for no answer. Raises ValueError where the query is invalid."""
        import dns.exception
        import dns.flags
        import dns.message
        import dns.rdataclass
        import dns.rdatatype

        try:
            message = dns.message.from_wire(query)
            question = message.question[0]
        except (dns.exception.DNSException, IndexError) as error:
            raise ValueError("not a DNS query") from error
        record = dns.rdatatype.to_text(question.rdtype)
        name = question.name.to_text(omit_final_dot=True).lower()
        supported = record in ("A", "AAAA") and question.rdclass == dns.rdataclass.IN
        answer = self.handler(name, record) if supported else DnsAnswer()
        if answer.rcode is None:
            return None
        reply = dns.message.make_response(message, recursion_available=True)
        if self.truncates and not tcp:
            reply.flags |= dns.flags.TC
            return bytes(reply.to_wire())
        _fill(reply, name, record, answer)
        limit = 65535 if tcp else max(message.payload or 0, _MAX_WITHOUT_EDNS)
        with contextlib.suppress(dns.exception.TooBig):
            return bytes(reply.to_wire(max_size=limit))
        reply.answer.clear()
        reply.flags |= dns.flags.TC
        return bytes(reply.to_wire())


def _fill(reply, name: str, record: str, answer: DnsAnswer) -> None:  # type: ignore[no-untyped-def]
    import dns.rcode
    import dns.rrset

    reply.set_rcode(dns.rcode.from_text(answer.rcode or "NOERROR"))
    owner = f"{name}."
    for target in answer.chain:
        reply.answer.append(dns.rrset.from_text(owner, answer.ttl, "IN", "CNAME", f"{target}."))
        owner = f"{target}."
    if answer.addresses:
        reply.answer.append(dns.rrset.from_text(owner, answer.ttl, "IN", record, *answer.addresses))


class Datagrams:
    """One UDP socket per nameserver that is queried, and one that ignores all other packets."""

    def __init__(self, listeners: Listeners) -> None:
        self._listeners = listeners
        self._lock = threading.Lock()
        self._ports: dict[Nameserver | None, int] = {}

    def connect(self, server: Nameserver | None) -> socket.socket:
        """A UDP socket connected to `server`; None is an address that does not answer."""
        with self._lock:
            if self._listeners.closing.is_set():
                raise ConnectionAbortedError("the simulated VPC is closed")
            if server not in self._ports:
                self._ports[server] = self._open(server)
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.connect(("127.0.0.1", self._ports[server]))
        return sock

    def _open(self, server: Nameserver | None) -> int:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind(("127.0.0.1", 0))
        self._listeners.keep(sock)
        if server is not None:
            threading.Thread(target=self._answer, args=(sock, server), daemon=True).start()
        port: int = sock.getsockname()[1]
        return port

    def _answer(self, sock: socket.socket, server: Nameserver) -> None:
        while not self._listeners.closing.is_set():
            try:
                query, client = sock.recvfrom(65535)
            except OSError:
                return
            if query:
                with contextlib.suppress(ValueError, OSError):  # an invalid query gets no answer
                    reply = server.reply(query, tcp=False)
                    if reply is not None:
                        sock.sendto(reply, client)

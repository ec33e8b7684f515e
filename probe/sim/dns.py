"""DNS: public DNS, private hosted zones, the VPC's resolver, and the servers that answer over UDP and TCP."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterable, Mapping

from probe.records import Record, field
from probe.sim import names
from probe.sim.names import Internet, synthesised
from probe.sim.servers import Listeners


class DnsAnswer(Record, frozen=True):
    """`chain`: the CNAME targets in order; `addresses` belong to the last one. rcode None: no answer."""

    addresses: tuple[str, ...] = ()
    chain: tuple[str, ...] = ()
    rcode: str | None = "NOERROR"
    ttl: int = 60


NXDOMAIN = DnsAnswer(rcode="NXDOMAIN")
SERVFAIL = DnsAnswer(rcode="SERVFAIL")
REFUSED = DnsAnswer(rcode="REFUSED")
NO_ANSWER = DnsAnswer(rcode=None)

# (absolute name without the last dot, "A" or "AAAA") -> answer
DnsHandler = Callable[[str, str], DnsAnswer]


def always(answer: DnsAnswer) -> DnsHandler:
    """A server, or a rule of DNS Firewall, that answers every query in the same way."""
    return lambda _name, _record: answer


def leading_to(*addresses: str, target: str | None = None) -> DnsHandler:
    """A DNS filter that answers with these addresses, or with a CNAME to a `target` that has them.

    Rules of DNS Firewall can override a name only with a CNAME. AWS[dns-firewall-responses]
    """
    return lambda _name, record: DnsAnswer(of_family(addresses, record), (target,) if target else ())


def failing_once(handler: DnsHandler) -> DnsHandler:
    """A server that answers the first query for each name and record with SERVFAIL, as an overloaded one does."""
    asked: set[tuple[str, str]] = set()

    def answer(name: str, record: str) -> DnsAnswer:
        first = (name, record) not in asked
        asked.add((name, record))
        return SERVFAIL if first else handler(name, record)

    return answer


def of_family(addresses: Iterable[str], record: str) -> tuple[str, ...]:
    return tuple(address for address in addresses if (":" in address) == (record == "AAAA"))


class Zone(Record):
    """A private hosted zone. Records are keyed by full name; `*.` plus the zone's name is its wildcard."""

    name: str
    records: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def contains(self, name: str) -> bool:
        return name == self.name or name.endswith(f".{self.name}")

    def answer(self, name: str, record: str) -> DnsAnswer:
        """Answer for the whole subtree: a name without a record does not exist, even if public DNS has it."""
        addresses = self.records.get(name, self.records.get(f"*.{self.name}") if name != self.name else ())
        return NXDOMAIN if addresses is None else DnsAnswer(of_family(addresses, record))


class PublicDns(Record):
    """Public DNS for AWS names. `vpce` has the endpoint-specific names: public records with private addresses."""

    internet: Internet
    vpce: Callable[[], Mapping[str, tuple[str, ...]]]
    others: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def answer(self, name: str, record: str) -> DnsAnswer:
        if name in self.others:
            return DnsAnswer(of_family(self.others[name], record))
        if ".vpce." in name:
            addresses = self.vpce().get(name)
            return NXDOMAIN if addresses is None else DnsAnswer(of_family(addresses, record))
        host = names.parse_host(name)
        if host is None:
            return NXDOMAIN
        addresses = self.internet.v6(host) if record == "AAAA" else self.internet.v4(host)
        return DnsAnswer(addresses, self._chain(name, host))

    def _chain(self, name: str, host: names.AwsHost) -> tuple[str, ...]:
        """CNAMEs as captured: api.ecr leads to ecr, registries to a load balancer, layer buckets to s3-r-w."""
        region, suffix = host.region, names.suffix(host.region)
        if host.dual:
            return ()
        if host.service == "ecr.api" and name.startswith("api.ecr."):
            return (f"ecr.{region}.{suffix}",)
        if host.service == "ecr.dkr":
            return (f"nlb1-3f9d5e0c7b1a2468.elb.{region}.{suffix}",)
        if host.service == "s3" and not name.startswith("s3."):
            return (f"s3-r-w.{region}.{suffix}",)
        return ()


class Forward(Record, frozen=True):
    """A Route 53 Resolver rule: what the server at `target` answers."""

    handler: DnsHandler
    target: str


class Profile(Record):
    """A Route 53 Profile: zones, Resolver rules and DNS Firewall rules that many VPCs share. AWS[profile-contents]"""

    zones: list[Zone] = field(default_factory=list)
    forwards: dict[str, Forward] = field(default_factory=dict)
    blocked: dict[str, DnsHandler] = field(default_factory=dict)


class Resolver(Record):
    """AmazonProvidedDNS of a VPC: the most specific private zone first, then public DNS.

    `forwards` are Route 53 Resolver rules by domain, `blocked` are rules of DNS Firewall with what they answer,
    `profile` is the Profile that is associated with the VPC, `dns64` the subnet's setting.
    """

    public: PublicDns
    zones: Callable[[], list[Zone]]
    forwards: dict[str, Forward] = field(default_factory=dict)
    blocked: dict[str, DnsHandler] = field(default_factory=dict)
    profile: Profile = field(default_factory=Profile)
    dns64: bool = False
    answering: bool = True

    def answer(self, name: str, record: str) -> DnsAnswer:
        if not self.answering:
            return NO_ANSWER
        answer = self._resolve(name, record)
        if self.dns64 and record == "AAAA" and answer.rcode == "NOERROR" and not answer.addresses:
            ipv4 = self._resolve(name, "A")
            return DnsAnswer(tuple(map(synthesised, ipv4.addresses)), ipv4.chain, ttl=ipv4.ttl)
        return answer

    def _resolve(self, name: str, record: str) -> DnsAnswer:
        """Answer through the DNS Firewall, which inspects the targets of CNAMEs too. AWS[dns-firewall-redirection]"""
        answer = self._unfiltered(name, record)
        rules = {**self.profile.blocked, **self.blocked}
        blocking = (rules[domain] for link in (name, *answer.chain) for domain in rules if _within(link, domain))
        response = next(blocking, None)
        return response(name, record) if response else answer

    def _unfiltered(self, name: str, record: str) -> DnsAnswer:
        zones = [zone for zone in (*self.zones(), *self.profile.zones) if zone.contains(name)]
        zone = max(zones, key=lambda zone: len(zone.name), default=None)
        forwards = {**self.profile.forwards, **self.forwards}
        rule = max((domain for domain in forwards if _within(name, domain)), key=len, default=None)
        # The more specific of zone and rule wins, and the rule where both have the same name.
        # AWS[resolver-rule-precedence]
        if rule is not None and (zone is None or len(rule) >= len(zone.name)):
            answer = forwards[rule].handler(name, record)
            return SERVFAIL if answer.rcode is None else answer  # the target of the rule did not answer
        return zone.answer(name, record) if zone else self.public.answer(name, record)


def _within(name: str, domain: str) -> bool:
    return name == domain or name.endswith(f".{domain}")


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

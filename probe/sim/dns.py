"""What a name answers, and to whom: public DNS, private hosted zones, the VPC's resolver. No sockets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from probe.records import Record, field
from probe.sim import names
from probe.sim.addresses import Internet, synthesised


class Answer(Record, frozen=True):
    """`chain` are the CNAME targets in order; `addresses` belong to the last of them. rcode None: no answer at all."""

    addresses: tuple[str, ...] = ()
    chain: tuple[str, ...] = ()
    rcode: str | None = "NOERROR"
    ttl: int = 60


NXDOMAIN = Answer(rcode="NXDOMAIN")
SERVFAIL = Answer(rcode="SERVFAIL")
REFUSED = Answer(rcode="REFUSED")
SILENCE = Answer(rcode=None)

Ask = Callable[[str, str], Answer]  # absolute name without the last dot, "A" or "AAAA"


def of_family(addresses: Iterable[str], record: str) -> tuple[str, ...]:
    return tuple(address for address in addresses if (":" in address) == (record == "AAAA"))


class Zone(Record):
    """A private hosted zone. Its records stand under full names; `*.` in front of the zone's name is its wildcard."""

    name: str
    records: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def holds(self, name: str) -> bool:
        return name == self.name or name.endswith(f".{self.name}")

    def answer(self, name: str, record: str) -> Answer:
        """Authoritative for the whole subtree: what has no record here does not exist, whatever public DNS says."""
        found = self.records.get(name, self.records.get(f"*.{self.name}") if name != self.name else ())
        return NXDOMAIN if found is None else Answer(of_family(found, record))


class PublicDns(Record):
    """The Internet's view of AWS names. `vpce` holds endpoint-specific names: public records with private addresses."""

    internet: Internet
    vpce: Callable[[], Mapping[str, tuple[str, ...]]]
    others: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def answer(self, name: str, record: str) -> Answer:
        if name in self.others:
            return Answer(of_family(self.others[name], record))
        if ".vpce." in name:
            found = self.vpce().get(name)
            return NXDOMAIN if found is None else Answer(of_family(found, record))
        place = names.read(name)
        if place is None:
            return NXDOMAIN
        found = self.internet.v6(place) if record == "AAAA" else self.internet.v4(place)
        return Answer(found, self._chain(name, place))

    def _chain(self, name: str, place: names.Place) -> tuple[str, ...]:
        """Captured: api.ecr is an alias of ecr, registries of a load balancer, layer buckets of s3-r-w."""
        region, suffix = place.region, names.suffix(place.region)
        if place.dual:
            return ()
        if place.service == "ecr.api" and name.startswith("api.ecr."):
            return (f"ecr.{region}.{suffix}",)
        if place.service == "ecr.dkr":
            return (f"nlb1-3f9d5e0c7b1a2468.elb.{region}.{suffix}",)
        if place.service == "s3" and not name.startswith("s3."):
            return (f"s3-r-w.{region}.{suffix}",)
        return ()


class Resolver(Record):
    """AmazonProvidedDNS of a VPC: its private zones first, the most specific one, then public DNS.

    `forwards` are Route 53 Resolver rules (domain → who answers), `blocked` is a DNS Firewall, `dns64` a subnet's.
    """

    public: PublicDns
    zones: Callable[[], list[Zone]]
    forwards: dict[str, Ask] = field(default_factory=dict)
    blocked: dict[str, Answer] = field(default_factory=dict)
    dns64: bool = False
    answering: bool = True

    def answer(self, name: str, record: str) -> Answer:
        if not self.answering:
            return SILENCE
        found = self._find(name, record)
        if self.dns64 and record == "AAAA" and found.rcode == "NOERROR" and not found.addresses:
            plain = self._find(name, "A")
            return Answer(tuple(map(synthesised, plain.addresses)), plain.chain, ttl=plain.ttl)
        return found

    def _find(self, name: str, record: str) -> Answer:
        for domain, answer in self.blocked.items():
            if _within(name, domain):
                return answer
        zone = max((each for each in self.zones() if each.holds(name)), key=lambda each: len(each.name), default=None)
        rule = max((domain for domain in self.forwards if _within(name, domain)), key=len, default=None)
        # The more specific of zone and rule counts; where both have one name, the rule (Route 53 guide).
        if rule is not None and (zone is None or len(rule) >= len(zone.name)):
            found = self.forwards[rule](name, record)
            return SERVFAIL if found.rcode is None else found  # the target of the rule is silent
        return zone.answer(name, record) if zone else self.public.answer(name, record)


def _within(name: str, domain: str) -> bool:
    return name == domain or name.endswith(f".{domain}")

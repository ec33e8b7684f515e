"""What was measured at one host: lookups by nameserver line, connections by address."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address

from probe.addresses import embedded
from probe.model import (
    ANSWERED,
    Address,
    AddressClass,
    Asker,
    Endpoint,
    Failure,
    Step,
)
from probe.records import Record

NOT_THERE = (Failure.NXDOMAIN, Failure.NO_ADDRESS)
_INSIDE = (AddressClass.VPC, AddressClass.PRIVATE)


def addresses_of(steps: Iterable[Step]) -> tuple[Address, ...]:
    """The addresses in these answers, each once."""
    answers = (address for step in steps if step.names for address in step.names.addresses)
    return tuple({address.address: address for address in answers}.values())


def class_of(addresses: Iterable[Address]) -> AddressClass | None:
    """The class that counts: one public address is a leak; a global IPv6 address counts only if there is no other."""
    classes = {address.address_class for address in addresses}
    order = (AddressClass.PUBLIC, AddressClass.VPC, AddressClass.PRIVATE, AddressClass.UNKNOWN)
    return next((address_class for address_class in order if address_class in classes), None)


def is_inside(address_class: AddressClass | None) -> bool:
    return address_class in _INSIDE


def is_ipv4(address: str) -> bool:
    """IPv4, also inside a DNS64 address."""
    return ip_address(embedded(address)).version == 4


class Line(Record, frozen=True):
    """The answers of one nameserver line, A and AAAA, for one host."""

    server: str
    steps: tuple[Step, ...]

    @property
    def main(self) -> Step:
        """The answer that counts: A, if it was asked."""
        return next((step for step in self.steps if step.names and step.names.record == "A"), self.steps[0])

    @property
    def answered(self) -> bool:
        return self.main.failure in ANSWERED or bool(addresses_of(self.steps))

    @property
    def addresses(self) -> tuple[Address, ...]:
        return addresses_of(self.steps)

    @property
    def failed(self) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.failed)

    @property
    def failure(self) -> Failure | None:
        return self.main.failure


class Visit(Record, frozen=True):
    """The lookups and connections of an endpoint's host, or of a host that a redirect named (`redirected`)."""

    endpoint: Endpoint
    host: str
    redirected: bool
    lookups: tuple[Step, ...]
    tcp: tuple[Step, ...]
    tls: tuple[Step, ...]

    def asked(self, asker: Asker) -> tuple[Step, ...]:
        return tuple(step for step in self.lookups if step.asker is asker)

    @property
    def lines(self) -> tuple[Line, ...]:
        """The configured nameservers, in the order of resolv.conf, each with its last answer for A and for AAAA."""
        servers: dict[tuple[int, str], dict[str, Step]] = {}
        for step in self.asked(Asker.CONFIGURED):
            seen = step.names
            assert seen is not None
            servers.setdefault((seen.order, seen.server), {})[seen.record] = step
        return tuple(Line(server, tuple(servers[order, server].values())) for order, server in sorted(servers))

    @property
    def line(self) -> Line | None:
        """The line that counts: the first that answers."""
        return next((line for line in self.lines if line.answered), None)

    @property
    def control(self) -> Line | None:
        steps = self.asked(Asker.CONTROL)
        seen = steps[0].names if steps else None
        return Line(seen.server, steps) if seen else None

    @property
    def addresses(self) -> tuple[Address, ...]:
        return self.line.addresses if self.line else ()

    @property
    def address_class(self) -> AddressClass | None:
        return class_of(self.addresses)

    @property
    def last_tries(self) -> tuple[Step, ...]:
        """The last attempt to connect to each address."""
        return tuple({step.address: step for step in self.tcp if not step.skipped}.values())

    @property
    def connected(self) -> tuple[Step, ...]:
        return tuple(step for step in self.last_tries if step.ok)

    def unconnected(self, failures: Iterable[Failure]) -> tuple[Step, ...]:
        """All failed attempts at the addresses that in the end failed in one of these ways."""
        lost = {step.address for step in self.last_tries if step.failure in tuple(failures)}
        return tuple(step for step in self.tcp if step.address in lost and step.failed)

    @property
    def shaken(self) -> tuple[Step, ...]:
        """Handshakes that were verified."""
        return tuple(step for step in self.tls if step.ok)


def visits_of(endpoint: Endpoint, steps: Iterable[Step]) -> list[Visit]:
    """One for the planned host, and one for each host that a redirect named."""
    ours = [step for step in steps if step.endpoint == endpoint.name]
    redirected = (step.host for step in ours if step.names and step.host not in (None, endpoint.host))
    return [_visit(endpoint, host, ours) for host in dict.fromkeys((None, *redirected))]


def _visit(endpoint: Endpoint, redirected: str | None, steps: list[Step]) -> Visit:
    """For the host that a redirect named, or for the planned one."""
    hosts = (redirected,) if redirected else (endpoint.host, None)
    ours = [step for step in steps if step.host in hosts]
    return Visit(
        endpoint=endpoint,
        host=redirected or endpoint.lookup,
        redirected=redirected is not None,
        lookups=tuple(step for step in ours if step.names),
        tcp=tuple(step for step in ours if step.connection),
        tls=tuple(step for step in ours if step.certificate),
    )

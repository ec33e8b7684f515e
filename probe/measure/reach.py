"""From a name to verified TLS: every resolver, every address, each step by itself. Holds no opinion of what it
finds.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any, TypeVar

from probe.addresses import AMAZON_PROVIDED_DNS, classify, is_ipv6, sort_key
from probe.measure.recorder import Attempt, Run, spawn
from probe.model import (
    ANSWERED,
    Action,
    Address,
    AddressClass,
    AnySeen,
    Asker,
    CertificateSeen,
    ConnectionSeen,
    Endpoint,
    Failure,
    Kind,
    NamesSeen,
    Step,
)
from probe.records import Record, replace
from probe.wire import names
from probe.wire.certificates import CertificateFacts, handshake, peer_facts, read_certificate
from probe.wire.errors import WireError
from probe.wire.sockets import connect, has_route

T = TypeVar("T")
CONTROL_ORDER = 99
_QUICK_TRIES = 3  # an answer that comes at all is there in milliseconds
MOST_ADDRESSES = 32  # per name; a hostile resolver could name thousands

_CERTIFICATE_FAILURES = (Failure.UNTRUSTED, Failure.WRONG_NAME, Failure.EXPIRED)


class Ready(Record, frozen=True):
    """An address on which TLS was verified, and the step that proved it."""

    address: str
    step: str


class Reached(Record, frozen=True):
    """How far an endpoint was reached. `ready` is sorted; where it is empty, `blocked_by` names the step that
    prevented it.
    """

    endpoint: Endpoint
    ready: tuple[Ready, ...]
    blocked_by: str


class _Question(Record, frozen=True):
    server: str
    asker: Asker
    order: int
    name: str
    record: str
    quick: float | None = None  # seconds for each of a few quick tries, in place of the usual ones


def reach(run: Run, endpoint: Endpoint, *, on: str | None = None) -> Reached:
    """Resolve, connect and shake hands. `on` is the redirect that named the host, where it was not planned."""
    prefix = f"{endpoint.host}/" if on else ""
    run.beside.extend(_ask_control(run, endpoint, prefix, on))
    answers = _resolve(run, endpoint, prefix, on)
    run.beside.append(spawn(lambda: _mistaken_names(run, endpoint, answers)))
    addresses = _addresses(answers)
    tried = _Visit(run, endpoint, prefix).all(addresses) if addresses else []
    ready = tuple(Ready(step.address, step.id) for step in tried if step.ok and step.address)
    last = tried or answers
    return Reached(endpoint, ready, next((step for step in last if step.failed), last[0]).id)


# ---- names
# -----------------------------------------------------------------------------------------------------------------


def _ask_control(run: Run, endpoint: Endpoint, prefix: str, on: str | None) -> list[Future[Any]]:
    """Ask AmazonProvidedDNS beside the configured resolvers; its answer is evidence and gives no address to dial."""
    over_ipv4, over_ipv6 = AMAZON_PROVIDED_DNS
    control = over_ipv4 if has_route(run.wire, over_ipv4) else over_ipv6
    if control in run.wire.resolvers() or not has_route(run.wire, control):
        return []
    questions = [_Question(control, Asker.CONTROL, CONTROL_ORDER, endpoint.lookup, record) for record in ("A", "AAAA")]
    return list(_ask_both(run, endpoint, questions, prefix, on))


def _resolve(run: Run, endpoint: Endpoint, prefix: str, on: str | None) -> list[Step]:
    """The A and AAAA steps of the nameserver line that counts: the first that answers, else the first of all."""
    servers = run.wire.resolvers()
    asked = [
        spawn(partial(_ask_line, run, endpoint, server, order, prefix, on)) for order, server in enumerate(servers)
    ]
    lines = [future.result() for future in asked]
    return next((line for line in lines if line[0].failure in ANSWERED or _named(line[1])), lines[0])


def _ask_line(run: Run, endpoint: Endpoint, server: str, order: int, prefix: str, on: str | None) -> list[Step]:
    """A and AAAA of one nameserver line. One that stays silent beside an answered one is asked once more, in what is
    left of the time that a name has: loss is not death."""
    questions = [_Question(server, Asker.CONFIGURED, order, endpoint.lookup, record) for record in ("A", "AAAA")]
    ends = time.monotonic() + run.plan.budget.dns_total
    steps = [future.result() for future in _ask_both(run, endpoint, questions, prefix, on)]
    silent = [place for place, step in enumerate(steps) if step.failure is Failure.NO_ANSWER]
    left = ends - time.monotonic()
    if len(silent) != 1 or run.over or left <= 0 or steps[1 - silent[0]].failure not in ANSWERED:
        return steps
    (place,) = silent
    other = steps[1 - place]
    steps[place] = _ask(
        run,
        endpoint,
        replace(questions[place], quick=left / _QUICK_TRIES),
        subject=steps[place].subject,
        on=on,
        otherwise=(lambda: other) if place == 0 else None,
    )
    return steps


def _ask_both(
    run: Run, endpoint: Endpoint, questions: Sequence[_Question], prefix: str, on: str | None
) -> tuple[Future[Step], Future[Step]]:
    """Ask for A and AAAA at once. An empty A is no failure where AAAA has addresses."""
    a, aaaa = questions

    def ask(question: _Question, otherwise: Callable[[], Step] | None) -> Step:
        subject = f"{prefix}{question.server}/{question.record}"
        return _ask(run, endpoint, question, subject=subject, on=on, otherwise=otherwise)

    other = spawn(lambda: ask(aaaa, None))
    return spawn(lambda: ask(a, other.result)), other


def _ask(
    run: Run,
    endpoint: Endpoint,
    question: _Question,
    *,
    subject: str,
    on: str | None = None,
    otherwise: Callable[[], Step] | None = None,
) -> Step:
    budget = run.plan.budget
    tries = 1 if question.asker is Asker.CONTROL else budget.dns_tries
    if question.quick is not None:
        budget, tries = replace(budget, dns_try=question.quick), _QUICK_TRIES

    def call() -> tuple[NamesSeen, None]:
        try:
            found = names.lookup(
                run.wire,
                question.server,
                question.name,
                question.record,
                budget=budget,
                tries=tries,
                until=run.until,
            )
        except WireError as error:
            other = otherwise() if otherwise is not None and error.failure is Failure.NO_ADDRESS else None
            if other is not None and _named(other):
                return _seen(run, question, error.lookup), None
            raise WireError(error.failure, error.detail, seen=_seen(run, question, error.lookup)) from error
        return _seen(run, question, found), None

    return run.recorder.attempt(
        endpoint.name,
        Action.DNS,
        subject,
        call=call,
        host=endpoint.host,
        address=question.server,
        on=on,
        rank=question.order,
        seen=_seen(run, question, None),
    ).step


def _seen(run: Run, question: _Question, found: names.Lookup | None) -> NamesSeen:
    ranges = (*run.plan.vpc_cidrs, *run.plan.presumed_cidrs)
    addresses = found.addresses[:MOST_ADDRESSES] if found else ()
    return NamesSeen(
        server=question.server,
        asker=question.asker,
        order=question.order,
        name=question.name,
        record=question.record,
        addresses=tuple(Address(address, classify(address, ranges)) for address in addresses),
        cnames=found.cnames if found else (),
        ttl=found.ttl if found else None,
        rcode=found.rcode if found else None,
        tcp=found.tcp if found else False,
    )


def _mistaken_names(run: Run, endpoint: Endpoint, answers: list[Step]) -> None:
    """Where an interface name is public or missing, ask for the name that its zone is often given by mistake."""
    if endpoint.mistaken is None or endpoint.kind is not Kind.INTERFACE or endpoint.lookup != endpoint.host:
        return
    first = answers[0]
    classes = {address.address_class for step in answers for address in _named(step)}
    if first.failure not in (None, Failure.NXDOMAIN, Failure.NO_ADDRESS) or (
        first.ok and AddressClass.PUBLIC not in classes
    ):
        return
    if first.names is None:
        return
    question = _Question(first.names.server, Asker.FOLLOW_UP, CONTROL_ORDER + 1, endpoint.mistaken, "A")
    _ask(run, endpoint, question, subject=f"{question.server}/{question.name}/A", on=first.id)


def _named(step: Step) -> tuple[Address, ...]:
    return step.names.addresses if step.names else ()


def _addresses(answers: list[Step]) -> list[tuple[Address, str]]:
    """Each address once, with the step that named it, sorted by value."""
    found = {address.address: (address, step.id) for step in reversed(answers) if step.ok for address in _named(step)}
    return sorted(found.values(), key=lambda entry: sort_key(entry[0].address))


# ---- addresses
# ---------------------------------------------------------------------------------------------------------------


class _Visit(Record, frozen=True):
    """TCP and TLS to every address of one endpoint."""

    run: Run
    endpoint: Endpoint
    prefix: str

    def all(self, addresses: list[tuple[Address, str]]) -> list[Step]:
        """The last step of each address (its TLS, or what prevented it)."""
        unused = self._families_without_route([address.address for address, _ in addresses])
        visits = [spawn(partial(self._one, *entry, unused=unused)) for entry in addresses]
        last = [visit.result() for visit in visits]
        retries = {
            place: spawn(partial(self._connect, *addresses[place]))
            for place, step in enumerate(last)
            if self._may_be_loss(step, last)
        }
        for place, retry in retries.items():
            last[place] = retry.result()
        return last

    @staticmethod
    def _may_be_loss(step: Step, last: list[Step]) -> bool:
        """Silence beside an address that got further: lost packets look so, and a second try tells."""
        if step.failure is Failure.TIMEOUT:
            return any(other.ok or other.action is Action.TLS for other in last)
        return step.failure is Failure.TLS_STALL and any(other.ok for other in last)

    def _families_without_route(self, addresses: list[str]) -> dict[int, str]:
        """Families the task has no route for, while it has one for the other: family → the step that says so."""
        routes = {
            family: any(has_route(self.run.wire, address) for address in addresses if _family(address) == family)
            for family in {_family(address) for address in addresses}
        }
        if not any(routes.values()):
            return {}
        return {family: self._no_route(family) for family, routed in routes.items() if not routed}

    def _no_route(self, family: int) -> str:
        subject = f"ipv{family}"

        def call() -> tuple[ConnectionSeen, None]:
            raise WireError(Failure.UNREACHABLE, f"the task has no IPv{family} address or route")

        return self.run.recorder.once("task", Action.ENVIRONMENT, subject, call=call).id

    def _one(self, address: Address, on: str, *, unused: dict[int, str]) -> Step:
        family = _family(address.address)
        if family in unused:
            return self._skip(Action.TCP, address, blocked_by=unused[family], on=on)
        return self._connect(address, on)

    def _connect(self, address: Address, on: str) -> Step:
        run, budget = self.run, self.run.plan.budget
        seen = ConnectionSeen(address=address.address, address_class=address.address_class)

        def call() -> tuple[ConnectionSeen, socket.socket]:
            return seen, connect(run.wire, address.address, self.endpoint.port, timeout=budget.connect, until=run.until)

        tcp = self._attempt(Action.TCP, address, call=call, on=on, seen=seen)
        if tcp.value is None:
            self._skip(Action.TLS, address, blocked_by=tcp.step.id, on=tcp.step.id)
            return tcp.step
        return self._shake_hands(address, tcp.value, tcp.step.id)

    def _shake_hands(self, address: Address, sock: socket.socket, on: str) -> Step:
        run, endpoint = self.run, self.endpoint
        timeout = run.plan.budget.tls

        def call() -> tuple[CertificateSeen, None]:
            try:
                shaken = handshake(run.wire, sock, endpoint.host, timeout=timeout, until=run.until)
            except WireError as error:
                facts = None
                if error.failure in _CERTIFICATE_FAILURES:
                    facts = self._look_at_certificate(address.address)
                raise WireError(error.failure, error.detail, seen=_certificate(address, facts)) from error
            finally:
                sock.close()
            with shaken:
                return _certificate(address, peer_facts(shaken)), None

        return self._attempt(Action.TLS, address, call=call, on=on, seen=_certificate(address, None)).step

    def _attempt(
        self, action: Action, address: Address, *, call: Callable[[], tuple[AnySeen, T]], on: str, seen: AnySeen
    ) -> Attempt[T]:
        return self.run.recorder.attempt(
            self.endpoint.name,
            action,
            self.prefix + address.address,
            call=call,
            host=self.endpoint.host,
            address=address.address,
            on=on,
            seen=seen,
        )

    def _skip(self, action: Action, address: Address, *, blocked_by: str, on: str) -> Step:
        return self.run.recorder.skip(
            self.endpoint.name,
            action,
            self.prefix + address.address,
            blocked_by=blocked_by,
            host=self.endpoint.host,
            address=address.address,
            on=on,
        )

    def _look_at_certificate(self, address: str) -> CertificateFacts | None:
        """Who presents the certificate that was refused? Only worth knowing; that it cannot be read changes nothing."""
        run, endpoint = self.run, self.endpoint
        timeout = run.plan.budget.tls
        try:
            return read_certificate(run.wire, address, endpoint.port, endpoint.host, timeout=timeout, until=run.until)
        except WireError:
            return None


def _family(address: str) -> int:
    return 6 if is_ipv6(address) else 4


def _certificate(address: Address, facts: CertificateFacts | None) -> CertificateSeen:
    if facts is None:
        return CertificateSeen(address=address.address, address_class=address.address_class)
    return CertificateSeen(
        address=address.address,
        address_class=address.address_class,
        verified=facts.verified,
        version=facts.version,
        issuer=facts.issuer,
        issuer_organization=facts.issuer_organization,
        names=facts.names,
        not_before=facts.not_before,
        not_after=facts.not_after,
    )

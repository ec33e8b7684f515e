"""From a name to verified TLS: every resolver, every address, each step by itself. Draws no conclusions."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any

from probe.addresses import AMAZON_PROVIDED_DNS, classify, is_ipv6, sort_key
from probe.measure.recorder import BROKEN_CONNECTION, Attempt, Run, Target, spawn
from probe.model import (
    ANSWERED,
    Action,
    Address,
    AddressClass,
    Asker,
    CertificateSeen,
    ConnectionSeen,
    Endpoint,
    Failure,
    Impact,
    Kind,
    LargeHelloSeen,
    NamesSeen,
    Step,
)
from probe.records import Record, fields, replace
from probe.wire import names
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
from probe.wire.sockets import connect, has_route

CONTROL_ORDER = 99
MOST_ADDRESSES = 32  # per name; a hostile resolver could return thousands
_QUICK_TRIES = 3  # a resolver that answers at all does so within milliseconds
_CERTIFICATE_FAILURES = (Failure.UNTRUSTED, Failure.WRONG_NAME, Failure.EXPIRED)


class Ready(Record, frozen=True):
    """An address with verified TLS, and the id of the step that verified it."""

    address: str
    step: str


class Reached(Record, frozen=True):
    """How far an endpoint was reached. `ready` is sorted; if it is empty, `blocked_by` is the step that failed."""

    endpoint: Endpoint
    ready: tuple[Ready, ...]
    blocked_by: str


class _Host(Record, frozen=True):
    """The host to reach. `redirect` is the id of the step that redirected to it, None for a planned host."""

    endpoint: Endpoint
    redirect: str | None

    def target(self, action: Action, subject: str, *, address: str, on: str | None, rank: int = 0) -> Target:
        prefix = f"{self.endpoint.host}/" if self.redirect else ""
        return Target(self.endpoint.name, action, prefix + subject, self.endpoint.host, address, on, rank)


def reach(run: Run, endpoint: Endpoint, *, on: str | None = None) -> Reached:
    """Resolve, connect and shake hands. `on` is the redirect that named the host, if it is not a planned one."""
    host = _Host(endpoint, on)
    run.in_background.extend(_ask_control(run, host))
    answers = _resolve(run, host)
    run.in_background.append(spawn(lambda: _ask_mistaken_name(run, host, answers)))
    addresses = _addresses(answers)
    last_steps = _Connections(run, host).try_all(addresses) if addresses else []
    ready = tuple(Ready(step.address, step.id) for step in last_steps if step.ok and step.address)
    # Only the hosts of the pull, since the others share their paths, and one address of each. Later, so that nothing
    # waits for it.
    if run.plan.controls and ready and on is None and endpoint.impact is Impact.PULL:
        run.in_background.append(spawn(lambda: _send_large_hello(run, endpoint, ready[0])))
    steps = last_steps or answers
    return Reached(endpoint, ready, next((step for step in steps if step.failed), steps[0]).id)


# ---- names ----------------------------------------------------------------------------------------------------------


class _Question(Record, frozen=True):
    server: str
    asker: Asker
    order: int
    name: str
    record: str
    quick: float | None = None  # seconds for each of a few quick tries, in place of the usual ones


def _ask_control(run: Run, host: _Host) -> list[Future[Any]]:
    """Also ask AmazonProvidedDNS; its answer is evidence and gives no address to dial."""
    over_ipv4, over_ipv6 = AMAZON_PROVIDED_DNS
    control = over_ipv4 if has_route(run.wire, over_ipv4) else over_ipv6
    if control in run.wire.resolvers() or not has_route(run.wire, control):
        return []
    lookup = host.endpoint.lookup
    questions = [_Question(control, Asker.CONTROL, CONTROL_ORDER, lookup, record) for record in ("A", "AAAA")]
    return list(_ask_both(run, host, questions))


def _resolve(run: Run, host: _Host) -> list[Step]:
    """The A and AAAA steps of the nameserver line that counts: the first that answers, else the first of all."""
    asked = [spawn(partial(_ask_line, run, host, server, order)) for order, server in enumerate(run.wire.resolvers())]
    lines = [future.result() for future in asked]
    return next((line for line in lines if line[0].failure in ANSWERED or _returned(line[1])), lines[0])


def _ask_line(run: Run, host: _Host, server: str, order: int) -> list[Step]:
    """A and AAAA of one nameserver line.

    If it answers one of the two and not the other, packets may have been lost: the other is asked once more, in what is
    left of `budget.dns_total`. So is everything if it answers SERVFAIL, because a resolver that is busy does that too,
    and clients ask again.
    """
    lookup = host.endpoint.lookup
    questions = [_Question(server, Asker.CONFIGURED, order, lookup, record) for record in ("A", "AAAA")]
    ends = time.monotonic() + run.plan.budget.dns_total
    steps = [future.result() for future in _ask_both(run, host, questions)]
    failed = [place for place, step in enumerate(steps) if step.failure is Failure.SERVFAIL]
    if failed and run.plan.budget.retries and not run.over and time.monotonic() < ends:
        if len(failed) == len(steps):
            steps = [future.result() for future in _ask_both(run, host, questions)]
        else:
            steps[failed[0]] = _ask_again(run, host, questions[failed[0]], other=steps[1 - failed[0]])
    silent = [place for place, step in enumerate(steps) if step.failure is Failure.NO_ANSWER]
    left = ends - time.monotonic()
    if len(silent) != 1 or run.over or left <= 0 or steps[1 - silent[0]].failure not in ANSWERED:
        return steps
    (place,) = silent
    again = replace(questions[place], quick=left / _QUICK_TRIES)
    steps[place] = _ask_again(run, host, again, other=steps[1 - place])
    return steps


def _ask_again(run: Run, host: _Host, question: _Question, *, other: Step) -> Step:
    """Ask for one of A and AAAA again. `other` is the step of the other one."""
    return _ask(run, host, question, on=host.redirect, otherwise=(lambda: other) if question.record == "A" else None)


def _ask_both(run: Run, host: _Host, questions: Sequence[_Question]) -> tuple[Future[Step], Future[Step]]:
    """Ask for A and AAAA concurrently. An empty A is no failure if AAAA has addresses."""
    a, aaaa = questions
    other = spawn(lambda: _ask(run, host, aaaa, on=host.redirect))
    return spawn(lambda: _ask(run, host, a, on=host.redirect, otherwise=other.result)), other


def _ask(
    run: Run, host: _Host, question: _Question, *, on: str | None, otherwise: Callable[[], Step] | None = None
) -> Step:
    """Look up once. `otherwise` returns the AAAA step, which excuses an empty A."""
    budget = run.plan.budget
    tries = 1 if question.asker is Asker.CONTROL else budget.dns_tries
    if question.quick is not None:
        budget, tries = replace(budget, dns_try=question.quick), _QUICK_TRIES

    def call() -> tuple[NamesSeen, None]:
        try:
            lookup = names.lookup(
                run.wire, question.server, question.name, question.record, budget=budget, tries=tries, until=run.until
            )
        except WireError as error:
            other = otherwise() if otherwise is not None and error.failure is Failure.NO_ADDRESS else None
            if other is not None and _returned(other):
                return _names_seen(run, question, error.lookup), None
            raise error.with_seen(_names_seen(run, question, error.lookup)) from error
        return _names_seen(run, question, lookup), None

    name = f"{question.name}/" if question.asker is Asker.FOLLOW_UP else ""
    subject = f"{question.server}/{name}{question.record}"
    target = host.target(Action.DNS, subject, address=question.server, on=on, rank=question.order)
    return run.recorder.attempt(target, call, seen=_names_seen(run, question, None)).step


def _names_seen(run: Run, question: _Question, lookup: names.Lookup | None) -> NamesSeen:
    ranges = (*run.plan.vpc_cidrs, *run.plan.presumed_cidrs)
    addresses = lookup.addresses[:MOST_ADDRESSES] if lookup else ()
    return NamesSeen(
        server=question.server,
        asker=question.asker,
        order=question.order,
        name=question.name,
        record=question.record,
        addresses=tuple(Address(address, classify(address, ranges)) for address in addresses),
        cnames=lookup.cnames if lookup else (),
        ttl=lookup.ttl if lookup else None,
        rcode=lookup.rcode if lookup else None,
        tcp=lookup.tcp if lookup else False,
    )


def _ask_mistaken_name(run: Run, host: _Host, answers: list[Step]) -> None:
    """If an interface endpoint's name is public or missing, ask for the one that its zone is often given by mistake."""
    endpoint, first = host.endpoint, answers[0]
    if endpoint.mistaken is None or endpoint.kind is not Kind.INTERFACE or endpoint.lookup != endpoint.host:
        return
    missing = first.failure in (Failure.NXDOMAIN, Failure.NO_ADDRESS)
    public = any(entry.address_class is AddressClass.PUBLIC for step in answers for entry in _returned(step))
    if first.names is None or not (missing or (first.ok and public)):
        return
    question = _Question(first.names.server, Asker.FOLLOW_UP, CONTROL_ORDER + 1, endpoint.mistaken, "A")
    _ask(run, _Host(endpoint, None), question, on=first.id)


def _returned(step: Step) -> tuple[Address, ...]:
    return step.names.addresses if step.names else ()


def _addresses(answers: list[Step]) -> list[tuple[Address, str]]:
    """Each address once, with the id of the step that returned it, sorted by value."""
    entries = {entry.address: (entry, step.id) for step in reversed(answers) if step.ok for entry in _returned(step)}
    return sorted(entries.values(), key=lambda entry: sort_key(entry[0].address))


# ---- addresses ------------------------------------------------------------------------------------------------------


class _Connections(Record, frozen=True):
    """TCP and TLS to every address of one host."""

    run: Run
    host: _Host

    def try_all(self, addresses: list[tuple[Address, str]]) -> list[Step]:
        """The last step of each address: its TLS, or what prevented it."""
        unused = self._families_without_route([address.address for address, _ in addresses])
        first = [spawn(partial(self._try_one, *entry, unused=unused)) for entry in addresses]
        last = [future.result() for future in first]
        retries = {
            place: spawn(partial(self._retry, step, *addresses[place]))
            for place, step in enumerate(last)
            if step.failure in BROKEN_CONNECTION or self._may_be_loss(step, last)
        }
        for place, retry in retries.items():
            last[place] = retry.result()
        return last

    def _retry(self, step: Step, address: Address, on: str) -> Step:
        """Connect once more: immediately after a timeout, which was wait enough, else after a pause."""
        if step.failure in BROKEN_CONNECTION and not self.run.pause():
            return step
        return self._connect(address, on)

    @staticmethod
    def _may_be_loss(step: Step, last: list[Step]) -> bool:
        """A timeout while another address got further may be packet loss: then a second attempt succeeds."""
        if step.failure is Failure.TIMEOUT:
            return any(other.ok or other.action is Action.TLS for other in last)
        return step.failure is Failure.TLS_STALL and any(other.ok for other in last)

    def _families_without_route(self, addresses: Iterable[str]) -> dict[int, str]:
        """Families without a route, if the other one has a route: family → the step that recorded it."""
        routed: dict[int, bool] = {}
        for address in addresses:
            family = _family(address)
            routed[family] = routed.get(family, False) or has_route(self.run.wire, address)
        if not any(routed.values()):
            return {}
        return {family: self._no_route(family) for family, has_one in routed.items() if not has_one}

    def _no_route(self, family: int) -> str:
        def call() -> tuple[ConnectionSeen, None]:
            raise WireError(Failure.UNREACHABLE, f"the task has no IPv{family} address or route")

        return self.run.recorder.once(Target("task", Action.ENVIRONMENT, f"ipv{family}"), call).id

    def _try_one(self, address: Address, on: str, *, unused: dict[int, str]) -> Step:
        family = _family(address.address)
        if family in unused:
            return self.run.recorder.skip(self._target(Action.TCP, address, on), blocked_by=unused[family])
        return self._connect(address, on)

    def _connect(self, address: Address, on: str) -> Step:
        run, port = self.run, self.host.endpoint.port
        seen = ConnectionSeen(address=address.address, address_class=address.address_class)

        def call() -> tuple[ConnectionSeen, socket.socket]:
            return seen, connect(run.wire, address.address, port, timeout=run.plan.budget.connect, until=run.until)

        tcp = run.recorder.attempt(self._target(Action.TCP, address, on), call, seen=seen)
        if tcp.value is None:
            run.recorder.skip(self._target(Action.TLS, address, tcp.step.id), blocked_by=tcp.step.id)
            return tcp.step
        return self._shake_hands(address, tcp.value, tcp.step.id)

    def _shake_hands(self, address: Address, sock: socket.socket, on: str) -> Step:
        run, host = self.run, self.host.endpoint.host

        def call() -> tuple[CertificateSeen, None]:
            try:
                shaken = handshake(run.wire, sock, host, timeout=run.plan.budget.tls, until=run.until)
            except WireError as error:
                refused = error.failure in _CERTIFICATE_FAILURES
                facts = self._unverified_certificate(address.address) if refused else None
                raise error.with_seen(_certificate_seen(address, facts)) from error
            finally:
                sock.close()
            with shaken:
                return _certificate_seen(address, peer_facts(shaken)), None

        target = self._target(Action.TLS, address, on)
        return run.recorder.attempt(target, call, seen=_certificate_seen(address, None)).step

    def _unverified_certificate(self, address: str) -> CertificateFacts | None:
        """Who presents the certificate that was refused. Extra evidence: None if it cannot be read."""
        run, endpoint = self.run, self.host.endpoint
        timeout = run.plan.budget.tls
        try:
            return read_certificate(run.wire, address, endpoint.port, endpoint.host, timeout=timeout, until=run.until)
        except WireError:
            return None

    def _target(self, action: Action, address: Address, on: str) -> Target:
        return self.host.target(action, address.address, address=address.address, on=on)


def _send_large_hello(run: Run, endpoint: Endpoint, ready: Ready) -> None:
    """Shake hands as clients with post-quantum key exchange begin: some middleboxes drop a ClientHello of two packets.

    A control: the address has just completed a handshake with a ClientHello of the usual size.
    """
    blank = LargeHelloSeen(address=ready.address, hello_bytes=LARGE_HELLO)

    def call() -> tuple[LargeHelloSeen, None]:
        budget = run.plan.budget
        hello = large_hello(run.wire, endpoint.host)
        sock = connect(run.wire, ready.address, endpoint.port, timeout=budget.connect, until=run.until)
        answer = first_answer(sock, hello, timeout=budget.tls, until=run.until)
        return replace(blank, hello_bytes=len(hello), answer=answer), None

    target = Target(
        endpoint.name, Action.CONTROL, "large-client-hello", endpoint.host, ready.address, on=ready.step, rank=1
    )

    def attempt() -> Attempt[None]:
        return run.recorder.attempt(target, call, seen=blank)

    if run.with_retry(attempt).step.failure is Failure.TLS_STALL and not run.over:
        attempt()  # one silence may be a loss, and this step alone says that clients cannot connect


def _family(address: str) -> int:
    return 6 if is_ipv6(address) else 4


def _certificate_seen(address: Address, facts: CertificateFacts | None) -> CertificateSeen:
    values = {item.name: getattr(facts, item.name) for item in fields(facts)} if facts else {}
    return CertificateSeen(address=address.address, address_class=address.address_class, **values)

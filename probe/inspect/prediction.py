"""From gates to the steps that a check would see. From there on the rules of a check find the same findings.

A gate that is not known to allow is predicted as if it allowed: `settling` says that the leg is undecided. Nothing here
has a duration, since nothing was measured.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from ipaddress import ip_network

from probe.addresses import AMAZON_PROVIDED_DNS, classify, is_ipv6
from probe.inspect.legs import Leg, Passage, Request
from probe.model import (
    Action,
    Address,
    AddressClass,
    AnswerSeen,
    AnySeen,
    Asker,
    Basis,
    CertificateSeen,
    ConnectionSeen,
    Failure,
    GateAnswer,
    Identity,
    Measurement,
    NamesSeen,
    Nothing,
    Outcome,
    Plan,
    Step,
    Surroundings,
)

# An address of no one, for the public addresses of a name, which no configuration contains (RFC 5737).
_SOMEWHERE_PUBLIC = "203.0.113.1"


def predict(
    legs: Iterable[Leg], plan: Plan, surroundings: Surroundings, *, principal: str | None, read_at: datetime
) -> Measurement:
    """What a check in the subnet of `legs` would measure."""
    return Measurement(
        basis=Basis.CONFIGURATION,
        started_at=read_at,
        seconds=0.0,
        surroundings=surroundings,
        identity=Identity(source="configuration", arn=principal),
        plan=plan,
        steps=tuple(step for leg in legs for step in _steps(leg, plan)),
    )


def _steps(leg: Leg, plan: Plan) -> Iterator[Step]:
    server = _resolver(plan)
    lookup = _lookup(leg, plan, server)
    yield lookup
    if lookup.failed:
        return
    handshakes: list[Step] = []
    for passage in leg.passages:
        connection = _connection(leg, passage, plan, lookup)
        yield connection
        if connection.ok:
            handshake = _step(
                leg,
                Action.TLS,
                passage.flow.address,
                CertificateSeen(
                    address=passage.flow.address, address_class=_class(passage.flow.address, plan), verified=True
                ),
                on=connection.id,
                address=passage.flow.address,
            )
            handshakes.append(handshake)
            yield handshake
    for request in leg.requests if handshakes else ():
        yield _request(leg, request, handshakes[0])


def _resolver(plan: Plan) -> str:
    for text in plan.vpc_cidrs:
        network = ip_network(text, strict=False)
        if network.version == 4:
            return str(network[2])
    return AMAZON_PROVIDED_DNS[0]


def _lookup(leg: Leg, plan: Plan, server: str) -> Step:
    resolution = leg.resolution
    addresses = tuple(Address(found.address, _class(found.address, plan)) for found in resolution.addresses)
    if not addresses and resolution.public:
        addresses = (Address(_SOMEWHERE_PUBLIC, classify(_SOMEWHERE_PUBLIC, ())),)
    record = "AAAA" if addresses and all(is_ipv6(entry.address) for entry in addresses) else "A"
    seen = NamesSeen(
        server=server, asker=Asker.CONFIGURED, order=0, name=leg.endpoint.lookup, record=record, addresses=addresses
    )
    return _step(leg, Action.DNS, f"{server}/{record}", seen, failure=resolution.failure, address=server, on=None)


def _connection(leg: Leg, passage: Passage, plan: Plan, lookup: Step) -> Step:
    address = passage.flow.address
    failure = Failure.TIMEOUT if passage.answer is GateAnswer.REFUSES else None
    seen = ConnectionSeen(address=address, address_class=_class(address, plan))
    return _step(leg, Action.TCP, address, seen, failure=failure, address=address, on=lookup.id)


def _request(leg: Leg, request: Request, handshake: Step) -> Step:
    denied = request.answer is GateAnswer.REFUSES
    seen = AnswerSeen(address=handshake.address, method="POST", status=400 if denied else 200, aws=True)
    failure = Failure.DENIED if denied else None
    return _step(
        leg,
        request.call.step,
        handshake.address or "",
        seen,
        failure=failure,
        address=handshake.address,
        on=handshake.id,
    )


def _class(address: str, plan: Plan) -> AddressClass:
    return classify(address, (*plan.vpc_cidrs, *plan.presumed_cidrs))


def _step(
    leg: Leg,
    action: Action,
    subject: str,
    seen: AnySeen,
    *,
    failure: Failure | None = None,
    address: str | None,
    on: str | None,
) -> Step:
    return Step(
        id=f"{leg.endpoint.name}/{action}/{subject}",
        endpoint=leg.endpoint.name,
        action=action,
        subject=subject,
        host=leg.endpoint.host,
        address=address,
        on=on,
        outcome=Outcome.FAILED if failure else Outcome.OK,
        failure=failure,
        detail=None,
        seconds=None,
        seen=seen if failure is None or not isinstance(seen, CertificateSeen) else Nothing(),
        blocked_by=None,
    )

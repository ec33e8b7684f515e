"""A leg is one endpoint as seen from one subnet: its name, its addresses, its calls, each through its gates."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence

from probe.addresses import classify, embedded, is_sinkhole
from probe.configuration.view import MissingError, View
from probe.gates.calls import Call, call_opinions
from probe.gates.destinations import flow_to, public_flows
from probe.gates.flow import Flow, Origin
from probe.gates.names import Resolution, resolve
from probe.gates.opinion import Opinion, depends, unknown
from probe.gates.packets import packet_opinions
from probe.gates.s3_gateway import gateway_endpoint, leads_out
from probe.model import AddressClass, Endpoint, Gate, GateAnswer, GateName, Impact, Kind, Plan
from probe.records import Record, replace


class Passage(Record, frozen=True):
    """A connection to one address, and what its gates answer."""

    flow: Flow
    opinions: tuple[Opinion, ...]

    @property
    def answer(self) -> GateAnswer:
        return combined(self.opinions)


class Request(Record, frozen=True):
    """A call, and what its gates answer."""

    call: Call
    opinions: tuple[Opinion, ...]

    @property
    def answer(self) -> GateAnswer:
        return combined(self.opinions)


class Leg(Record, frozen=True, kw_only=True):
    """Everything that decides whether one endpoint works from one subnet."""

    origin: Origin
    endpoint: Endpoint
    resolution: Resolution
    passages: tuple[Passage, ...]
    requests: tuple[Request, ...]

    @property
    def opinions(self) -> tuple[Opinion, ...]:
        """Every answer, in the order in which the gates are met."""
        return tuple(opinion for opinion, _ in self._answers())

    @property
    def gates(self) -> tuple[Gate, ...]:
        """Every answer in its place, as the document shows it; what several calls have in common once."""
        return tuple(dict.fromkeys(self._gate(*answer) for answer in self._answers()))

    def _answers(self) -> Iterator[tuple[Opinion, str | None]]:
        """Each answer with the address to which it applies, if that is one."""
        yield from ((opinion, None) for opinion in self.resolution.opinions)
        for passage in self.passages:
            address = None if passage.flow.is_somewhere else passage.flow.address
            yield from ((opinion, address) for opinion in passage.opinions)
        for request in self.requests:
            yield from ((opinion, None) for opinion in request.opinions)

    def _gate(self, opinion: Opinion, address: str | None) -> Gate:
        of_secret = opinion.gate is GateName.ENDPOINT and self.endpoint.impact is Impact.START
        return Gate(
            endpoint=self.endpoint.name,
            address=address,
            gate=GateName.SECRET_ENDPOINT if of_secret else opinion.gate,
            answer=opinion.answer,
            object=opinion.object,
            element=opinion.element,
            sentence=opinion.sentence,
            subnet=self.origin.subnet,
            cause=opinion.cause,
            missing=opinion.missing,
        )


def combined(opinions: Iterable[Opinion]) -> GateAnswer:
    """The answer of gates in a row: one refusal refuses, and what is not known to allow does not allow."""
    answers = [opinion.answer for opinion in opinions]
    for answer in (GateAnswer.REFUSES, GateAnswer.UNKNOWN, GateAnswer.DEPENDS):
        if answer in answers:
            return answer
    return GateAnswer.ALLOWS


def leg(
    view: View,
    origin: Origin,
    endpoint: Endpoint,
    plan: Plan,
    calls: Iterable[Call] = (),
    dialled: Sequence[str] = (),
    unchanged: Leg | None = None,
) -> Leg:
    """Evaluate one leg. Nothing is raised: what is missing is an UNKNOWN gate.

    `dialled` are the addresses to which a measurement tried to connect. They count, not those that the name should
    have, unless the name has others than in the leg before a change, `unchanged`.
    """
    try:
        resolution = resolve(view, origin, endpoint, plan.partition)
    except MissingError as error:
        resolution = Resolution(opinions=(unknown(GateName.ENDPOINT, error, origin.vpc),))
    if unchanged is not None and resolution.answer != unchanged.resolution.answer:
        dialled = ()
    passages: tuple[Passage, ...] = ()
    try:
        passages = _passages(view, origin, endpoint, plan, resolution, dialled)
        if not passages and resolution.is_reachable:
            resolution = replace(resolution, opinions=(*resolution.opinions, _without_address(origin, endpoint)))
        resolution = _with_gateway(view, resolution, passages)
    except MissingError as error:
        resolution = replace(resolution, opinions=(*resolution.opinions, unknown(GateName.ROUTE, error, origin.vpc)))
    requests = tuple(
        _request(view, call, origin, resolution, passages) for call in calls if call.endpoint == endpoint.name
    )
    return Leg(origin=origin, endpoint=endpoint, resolution=resolution, passages=passages, requests=requests)


def _without_address(origin: Origin, endpoint: Endpoint) -> Opinion:
    """The gates of packets need an address: without one they allow nothing."""
    families = " or ".join(f"IPv{version}" for version in (4, 6) if origin.sends(version)) or "any"
    sentence = f"no {families} address of {endpoint.host} is known, and {origin.subnet} has no other family"
    return depends(GateName.ENDPOINT, sentence, origin.vpc, endpoint.host)


# ---- connections -----------------------------------------------------------------------------------------------------


def _passages(
    view: View, origin: Origin, endpoint: Endpoint, plan: Plan, resolution: Resolution, dialled: Sequence[str]
) -> tuple[Passage, ...]:
    """The connections to the addresses of the name. A refusal counts as far as the name leads there.

    Raises MissingError.
    """
    flows = _flows(view, origin, endpoint, plan, resolution, dialled)
    passages = tuple(Passage(flow, _opinions(view, flow, resolution)) for flow in flows)
    of_s3 = endpoint.kind is Kind.GATEWAY
    if not dialled:
        passages = tuple(_distinct(passages))
        passages = _alternatives(passages) if of_s3 and resolution.public else passages
    if any(opinion.refuses for opinion in resolution.opinions):
        return tuple(map(_behind, passages))
    if resolution.is_doubted and not dialled:
        return tuple(map(_doubtful, passages))
    if resolution.public or of_s3:
        return passages
    own = {resolved.address for resolved in resolution.addresses}
    return tuple(passage if _is_expected(passage.flow, own) else _behind(passage) for passage in passages)


def _flows(
    view: View, origin: Origin, endpoint: Endpoint, plan: Plan, resolution: Resolution, dialled: Sequence[str]
) -> tuple[Flow, ...]:
    """The flows to the addresses of the name. Raises MissingError."""
    # Whose network a global IPv6 address belongs to is not known; of S3 it is AWS's.
    outside = (AddressClass.PUBLIC, *([AddressClass.UNKNOWN] if endpoint.kind is Kind.GATEWAY else []))
    public = tuple(text for text in dialled if classify(text, plan.vpc_cidrs) in outside)
    interfaces = {found.address: found.interface for found in resolution.addresses}
    private = [text for text in dialled if text not in public] or ([] if public else list(interfaces))
    if private or not (resolution.public or public):
        found = [flow_to(view, origin, endpoint, address, interfaces.get(address)) for address in private]
        return tuple(flow for flow in found if origin.sends(flow.version))
    return public_flows(view, origin, endpoint, plan.partition, public)


def _opinions(view: View, flow: Flow, resolution: Resolution) -> tuple[Opinion, ...]:
    """The answers of the gates of packets. An address that no interface has is corrected where a record lists it."""
    return tuple(
        replace(opinion, change=resolution.correction)
        if opinion.gate is GateName.ENDPOINT_INTERFACE and opinion.refuses
        else opinion
        for opinion in packet_opinions(view, flow)
    )


def _with_gateway(view: View, resolution: Resolution, passages: Sequence[Passage]) -> Resolution:
    """For S3, the answer of its gateway endpoint. Raises MissingError.

    Where packets have another way out, and something else stops them, a missing gateway endpoint explains nothing.
    """
    if not passages:
        return resolution
    flow = passages[0].flow
    opinion = gateway_endpoint(view, flow)
    if opinion is None:
        return resolution
    stopped = any(passage.answer is GateAnswer.REFUSES for passage in passages)
    if opinion.refuses and stopped and leads_out(view, flow):
        opinion = _without_cause(opinion)
    served_by = resolution.served_by or flow.gateway
    return replace(resolution, opinions=(*resolution.opinions, opinion), served_by=served_by)


def _is_expected(flow: Flow, resolved: Container[str]) -> bool:
    """Whether the address is one that the name has, or could have: a public one that was dialled instead is not, nor is
    that of a filter."""
    if is_sinkhole(flow.address):
        return False
    return not flow.public or flow.address in resolved or embedded(flow.address) in resolved


def _behind(passage: Passage) -> Passage:
    """The passage of a name that does not resolve as it should: what refuses there explains nothing, and mending the
    name leads to other addresses.
    """
    return Passage(passage.flow, tuple(map(_without_cause, passage.opinions)))


def _alternatives(passages: tuple[Passage, ...]) -> tuple[Passage, ...]:
    """The passages to parts of S3's addresses. The name has a few of them: what stops a part may stop nothing."""
    let_through = {passage.flow.version for passage in passages if passage.answer is not GateAnswer.REFUSES}
    return tuple(_doubtful(each) if each.flow.version in let_through else each for each in passages)


def _doubtful(passage: Passage) -> Passage:
    """The passage to an address that the name may not have: no refusal there is certain."""
    return Passage(passage.flow, tuple(map(_if_it_leads_there, passage.opinions)))


def _if_it_leads_there(opinion: Opinion) -> Opinion:
    if not opinion.refuses:
        return opinion
    sentence = f"{opinion.sentence}, if the name leads to this address"
    return replace(_without_cause(opinion), answer=GateAnswer.DEPENDS, sentence=sentence)


def _without_cause(opinion: Opinion) -> Opinion:
    return replace(opinion, cause=None, change=None)


def _distinct(passages: Iterable[Passage]) -> Iterator[Passage]:
    """One passage for all of S3's ranges that the same rules decide alike."""
    decided = set()
    for passage in passages:
        flow = passage.flow
        alike = tuple((each.gate, each.answer, each.object, each.element) for each in passage.opinions)
        key = (flow.public or flow.address, flow.version, flow.gateway, alike)
        if key not in decided:
            decided.add(key)
            yield passage


# ---- calls -----------------------------------------------------------------------------------------------------------


def _request(view: View, call: Call, origin: Origin, resolution: Resolution, passages: Iterable[Passage]) -> Request:
    """The call on its way: through the gateway endpoint of the route, through the name's own, or past them all."""
    gateway = next((passage.flow.gateway for passage in passages if passage.flow.gateway), None)
    served_by = None if resolution.public else resolution.served_by
    sent = replace(
        call,
        vpc_endpoint=gateway or served_by,
        public=resolution.public and gateway is None and any(True for _ in passages),
        sources=origin.addresses or origin.ranges,
    )
    return Request(sent, tuple(call_opinions(view, sent)))

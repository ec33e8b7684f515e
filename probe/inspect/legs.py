"""A leg is one endpoint as seen from one subnet: its name, its addresses, its calls, each through its gates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from probe.configuration.operations import INTERFACES
from probe.configuration.view import MissingError, View
from probe.gates.calls import Call, call_opinions
from probe.gates.flow import Flow, Origin
from probe.gates.names import Resolution, resolve
from probe.gates.opinion import Opinion, unknown
from probe.gates.packets import packet_opinions
from probe.gates.vpc_endpoints import Resolved
from probe.model import Endpoint, Gate, GateAnswer, GateName, Plan
from probe.records import Record


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
        passages = (opinion for passage in self.passages for opinion in passage.opinions)
        requests = (opinion for request in self.requests for opinion in request.opinions)
        return (*self.resolution.opinions, *passages, *requests)

    @property
    def gates(self) -> Iterator[Gate]:
        """Every answer in its place, as the document shows it."""
        for opinion in self.resolution.opinions:
            yield self._gate(opinion)
        for passage in self.passages:
            for opinion in passage.opinions:
                yield self._gate(opinion, passage.flow.address)
        for request in self.requests:
            for opinion in request.opinions:
                yield self._gate(opinion)

    def _gate(self, opinion: Opinion, address: str | None = None) -> Gate:
        return Gate(
            endpoint=self.endpoint.name,
            address=address,
            gate=opinion.gate,
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


def leg(view: View, origin: Origin, endpoint: Endpoint, plan: Plan, calls: Iterable[Call] = ()) -> Leg:
    """Evaluate one leg. Nothing is raised: what is missing is an UNKNOWN gate."""
    try:
        resolution = resolve(view, origin, endpoint, plan.partition)
    except MissingError as error:
        resolution = Resolution(opinions=(unknown(GateName.ENDPOINT, error, origin.vpc),))
    passages = tuple(_passage(view, origin, endpoint, found) for found in resolution.addresses)
    requests = tuple(
        Request(call, tuple(call_opinions(view, call, origin))) for call in calls if call.endpoint == endpoint.name
    )
    return Leg(origin=origin, endpoint=endpoint, resolution=resolution, passages=passages, requests=requests)


def _passage(view: View, origin: Origin, endpoint: Endpoint, found: Resolved) -> Passage:
    try:
        interface = view.item(INTERFACES, found.interface) if found.interface else None
    except MissingError:
        interface = None  # the gates that need it say so
    flow = Flow(
        origin=origin,
        endpoint=endpoint.name,
        address=found.address,
        interface=found.interface,
        target_subnet=(interface or {}).get("SubnetId"),
        target_groups=tuple(group["GroupId"] for group in (interface or {}).get("Groups", ())),
        target_vpc=(interface or {}).get("VpcId"),
    )
    return Passage(flow, tuple(packet_opinions(view, flow)))

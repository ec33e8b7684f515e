"""What a fault is, how a rule declares which faults it can find, and how a fault becomes a finding.

A fault is one constant in the file of its rule. A special case has its own wording, which is a variant of that
constant: a code belongs to one fault.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from probe.faults.causes import CauseText, missing
from probe.faults.evidence import UNNAMED, Evidence, HostFacts
from probe.faults.placeholders import service_of, service_options, values_of
from probe.model import Action, Basis, Client, Extent, Finding, GateAnswer, Impact, Kind, Standing, Step
from probe.narration import listed, observations
from probe.records import Record, replace


class Wording(Record, frozen=True, kw_only=True):
    """How a special case of a fault differs from it; None keeps the value of the fault."""

    title: str | None = None
    why: str | None = None
    impact: Impact | None = None
    causes: tuple[CauseText, ...] | None = None
    extent: Extent | None = None
    certain: bool | None = None
    in_texts: Wording | None = None


class Fault(Record, frozen=True):
    """What the evidence can show. Texts hold {placeholders} for a finding's values.

    `causes` are the usual ones, likeliest first; the first is confirmed where the fault is `certain`. A rule adds
    `other_causes` where the evidence suggests them. `in_texts` is the wording where an error text was read and nothing
    was measured. A page about the fault shows `examples` for some placeholders, and all others in capitals. A fault
    `about_gates` is in what the gates answer, so a gate that refuses is not another cause of it.
    """

    code: str
    title: str
    why: str
    impact: Impact
    causes: tuple[CauseText, ...] = ()
    extent: Extent = Extent.WHOLLY
    certain: bool = False
    other_causes: tuple[CauseText, ...] = ()
    in_texts: Wording | None = None
    examples: tuple[tuple[str, str], ...] = ()
    about_gates: bool = False

    def variant(self, **changes: Any) -> Fault:
        """The same fault in the wording of a special case. `changes` are fields of a `Wording`."""
        return self._worded(Wording(**changes))

    def _worded(self, wording: Wording) -> Fault:
        changes = {name: getattr(wording, name) for name in wording.__struct_fields__}
        return replace(
            self, **{name: value for name, value in changes.items() if value is not None or name == "in_texts"}
        )

    @property
    def wordings(self) -> tuple[Fault, ...]:
        """The wording for what was measured, and the one for texts where it differs."""
        return (self, self._worded(self.in_texts)) if self.in_texts is not None else (self,)

    def for_evidence(self, *, is_text: bool) -> Fault:
        """The wording for what was measured, or for an error text."""
        return self.wordings[-1] if is_text else self

    @property
    def suspects(self) -> Suspects:
        """The usual causes, the first of them confirmed where the fault is certain."""
        return confirmed(*self.causes) if self.certain else possible(*self.causes)


def noted(code: str, title: str, why: str, causes: tuple[CauseText, ...] = (), **others: Any) -> Fault:
    """A fault that is only worth knowing: nothing is lost."""
    return Fault(code, title, why, Impact.NONE, causes, Extent.NOTED, **others)


class Rule(Record, frozen=True):
    """A rule over the evidence, and every fault that it can find. `basis`: the only kind of evidence that it reads."""

    find: Callable[[Evidence], Iterator[Finding]]
    faults: tuple[Fault, ...]
    basis: Basis | None = None

    def __call__(self, evidence: Evidence) -> Iterator[Finding]:
        return self.find(evidence) if self.basis in (None, evidence.measurement.basis) else iter(())


def finds(*faults: Fault, basis: Basis | None = None) -> Callable[[Callable[[Evidence], Iterator[Finding]]], Rule]:
    """Declare a rule and the faults, with all their variants, that it can find."""
    return lambda find: Rule(find, faults, basis)


_UNNAMED = "a host that the text does not name"


class Suspects(Record, frozen=True):
    """The causes of one occurrence, likeliest first, with those that the evidence confirms or rules out."""

    causes: tuple[CauseText, ...]
    confirmed: frozenset[CauseText] = frozenset()
    ruled_out: frozenset[CauseText] = frozenset()

    @property
    def open(self) -> tuple[CauseText, ...]:
        """The causes not ruled out. Occurrences that agree in these are one finding."""
        return tuple(cause for cause in self.causes if cause not in self.ruled_out)

    def joined_by(self, causes: Iterable[CauseText]) -> Suspects:
        """Add causes that a configuration shows, each unless one of its code is there."""
        codes = {cause.code for cause in self.causes}
        more = (cause for cause in causes if cause.code not in codes)
        return Suspects((*self.causes, *more), self.confirmed, self.ruled_out)

    def then(self, *causes: CauseText) -> Suspects:
        """Add less likely causes, unless one is confirmed already."""
        return self if self.confirmed else Suspects((*self.causes, *causes), self.confirmed, self.ruled_out)

    def first(self, *causes: CauseText) -> Suspects:
        """Put these causes before all others."""
        return Suspects((*causes, *self.causes), self.confirmed, self.ruled_out)

    def standing(self, cause: CauseText) -> Standing:
        """How sure this cause is."""
        if cause in self.confirmed:
            return Standing.CONFIRMED
        return Standing.RULED_OUT if cause in self.ruled_out else Standing.POSSIBLE


def confirmed(cause: CauseText, *others: CauseText) -> Suspects:
    """One cause confirmed, which rules out the others."""
    rest = tuple(other for other in others if other != cause)
    return Suspects((cause, *rest), frozenset((cause,)), frozenset(rest))


def possible(*causes: CauseText) -> Suspects:
    """Causes of which the evidence neither confirms nor rules out any."""
    return Suspects(tuple(dict.fromkeys(causes)))


def finding(
    fault: Fault,
    evidence: Evidence,
    steps: Iterable[Step],
    *,
    endpoints: Iterable[str] | None = None,
    impact: Impact | None = None,
    extent: Extent | None = None,
    suspects: Suspects | None = None,
    **values: Any,
) -> Finding:
    """The finding that `steps` show `fault`. `values` fill its placeholders, with those that every finding has."""
    fault = fault.for_evidence(is_text=evidence.is_text)
    because = _in_plan_order(evidence, steps)
    ids = tuple(step.id for step in because)
    names = _names(evidence, because if endpoints is None else (), endpoints or ())
    suspects = (suspects or fault.suspects).joined_by(_refusing(fault, evidence, because))
    general = values_of(evidence, because, names)
    shown = listed(_UNNAMED if name == UNNAMED else name for name in names)
    # What a rule found at some addresses only, of a fault that usually affects all.
    in_part = extent is Extent.PARTLY and fault.extent is not Extent.PARTLY
    own = {"endpoints": shown, "affected": f"some addresses of {shown}" if in_part else shown}
    texts = {**general, **_in_words(values), **own, **agreement(len(names))}
    by_other = evidence.is_text and evidence.client not in (Client.ECS, Client.BATCH)
    causes = [
        (cause.outside_ecs if by_other else cause).filled(
            suspects.standing(cause), {**texts, **_absent(evidence, names, cause, suspects)}
        )
        for cause in dict.fromkeys(suspects.causes)
    ]
    saw = "; ".join(observations(ids, evidence.measurement))
    own_values = {name: value for name, value in values.items() if value is not None}
    presumed = any(evidence.is_presumed(address) for address in general["address_list"])
    if presumed:
        own_values["presumed_cidrs"] = evidence.plan.presumed_cidrs
    return Finding(
        code=fault.code,
        impact=fault.impact if impact is None else impact,
        extent=fault.extent if extent is None else extent,
        endpoints=names,
        title=fault.title.format_map(texts),
        why=fault.why.format_map(texts) + (_presumption(evidence) if presumed else ""),
        because=ids,
        values={"saw": saw, "addresses": general["address_list"], **own_values},
        causes=tuple(sorted(causes, key=lambda cause: cause.standing.rank)),
    )


def finding_of_hosts(
    fault: Fault, evidence: Evidence, hosts: Iterable[HostFacts], steps: Iterable[Step], **others: Any
) -> Finding:
    """One finding about several hosts; by default it weighs what fails without their endpoints."""
    endpoints, names = zip(*((host.endpoint.name, host.name) for host in hosts), strict=True)
    impact = others.pop("impact", None) or evidence.impact(endpoints)
    return finding(fault, evidence, steps, endpoints=endpoints, impact=impact, hosts=names, **others)


def agreement(count: int) -> dict[str, str]:
    """Verbs that agree with so many endpoints."""
    return {"do": "does", "resolve": "resolves"} if count == 1 else {"do": "do", "resolve": "resolve"}


def _absent(evidence: Evidence, names: Iterable[str], cause: CauseText, suspects: Suspects) -> dict[str, Any]:
    """The values of the endpoint that this cause reports as missing, where a finding is about several endpoints.

    Its fix creates all of them that may be missing: one alone would mend nothing.
    """
    planned = [endpoint for name in names if (endpoint := evidence.plan.endpoint(name)) is not None]
    first = next((endpoint for endpoint in planned if missing(endpoint.name) is cause), None)
    if first is None:
        return {}
    interfaces = [endpoint for endpoint in planned if endpoint.kind is Kind.INTERFACE]
    absent = [endpoint for endpoint in interfaces if missing(endpoint.name) in suspects.open] or [first]
    return {
        "endpoint": first.name,
        "vpc_endpoints": "VPC endpoint" if len(absent) == 1 else "VPC endpoints",
        "service": listed(service_of(endpoint, evidence.plan.partition) for endpoint in absent),
        "each_service": tuple(service_options(evidence, endpoint) for endpoint in absent),
    }


def _refusing(fault: Fault, evidence: Evidence, steps: Iterable[Step]) -> Iterator[CauseText]:
    """Of the causes that this fault can have, those of the gates that refuse the connections of `steps`."""
    failed = {(step.endpoint, step.address) for step in steps if step.action is Action.TCP and step.failed}
    refusing = {
        gate.cause
        for gate in evidence.measurement.gates
        if gate.answer is GateAnswer.REFUSES and gate.address and (gate.endpoint, gate.address) in failed
    }
    yield from (cause for cause in (*fault.causes, *fault.other_causes) if cause.code in refusing)


def _in_plan_order(evidence: Evidence, steps: Iterable[Step]) -> tuple[Step, ...]:
    wanted = {step.id for step in steps}
    return tuple(step for step in evidence.measurement.steps if step.id in wanted)


def _names(evidence: Evidence, steps: Iterable[Step], names: Iterable[str]) -> tuple[str, ...]:
    """Endpoints in plan order, "task" for what concerns the task itself."""
    everything = {step.endpoint for step in steps} | set(names)
    order = ["task", *(endpoint.name for endpoint in evidence.plan.endpoints)]
    return tuple(sorted(everything, key=lambda name: (order.index(name) if name in order else len(order), name)))


def _in_words(values: dict[str, Any]) -> dict[str, str]:
    """The values as text. An empty one is left out, so that the value that every finding has takes its place."""
    texts = {
        name: listed(filter(None, map(str, value))) if isinstance(value, tuple) else str(value)
        for name, value in values.items()
        if value is not None
    }
    return {name: text for name, text in texts.items() if text}


def _presumption(evidence: Evidence) -> str:
    ranges = listed(evidence.plan.presumed_cidrs)
    if not evidence.surroundings.addresses:
        return f" The addresses are presumed to be inside the VPC: AWS has no public names there ({ranges})."
    return f" The addresses are presumed to be inside the VPC, because the task's own address is near ({ranges})."


def merged(*groups: Iterable[Step]) -> tuple[Step, ...]:
    """The steps of several groups, each once."""
    return tuple(dict.fromkeys(step for group in groups for step in group))

"""How a fault becomes a finding: its texts filled in, its causes with their standing, the steps that show it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from probe.faults.causes import CauseText, missing
from probe.faults.evidence import Evidence
from probe.faults.fault import Fault
from probe.faults.placeholders import service_of, values_of
from probe.model import Extent, Finding, Impact, Standing, Step
from probe.narration import listed, observations
from probe.records import Record


class Suspects(Record, frozen=True):
    """The causes of one occurrence, likeliest first, with those that the evidence confirms or rules out."""

    causes: tuple[CauseText, ...]
    confirmed: frozenset[CauseText] = frozenset()
    ruled_out: frozenset[CauseText] = frozenset()

    @property
    def open(self) -> tuple[CauseText, ...]:
        """What still can be the cause: occurrences that agree in this are one fault."""
        return tuple(cause for cause in self.causes if cause not in self.ruled_out)

    def and_then(self, *causes: CauseText) -> Suspects:
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


def settled(cause: CauseText, *others: CauseText) -> Suspects:
    """One cause confirmed, which rules out the others."""
    rest = tuple(other for other in others if other != cause)
    return Suspects((cause, *rest), frozenset((cause,)), frozenset(rest))


def possible(*causes: CauseText) -> Suspects:
    """Causes of which the evidence neither confirms nor rules out any."""
    return Suspects(tuple(dict.fromkeys(causes)))


def found(
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
    """The finding that `steps` show `fault`. `values` fill its texts beside those that every finding has."""
    because = _in_plan_order(evidence, steps)
    ids = tuple(step.id for step in because)
    names = _names(evidence, because if endpoints is None else (), endpoints or ())
    suspects = suspects or Suspects(fault.causes)
    general = values_of(evidence, because, names)
    texts = {**general, **_worded(values), "endpoints": listed(names)}
    causes = [
        cause.filled(suspects.standing(cause), {**texts, **_absent(evidence, names, cause)})
        for cause in dict.fromkeys(suspects.causes)
    ]
    saw = "; ".join(observations(ids, evidence.measurement))
    told = {name: value for name, value in values.items() if value is not None}
    presumed = [address for address in general["address_list"] if evidence.is_presumed(address)]
    if presumed:
        told["presumed_cidrs"] = evidence.plan.presumed_cidrs
    return Finding(
        code=fault.code,
        impact=fault.impact if impact is None else impact,
        extent=fault.extent if extent is None else extent,
        endpoints=names,
        title=fault.title.format_map(texts),
        why=fault.why.format_map(texts) + _presumed(presumed, evidence),
        because=ids,
        values={"saw": saw, "addresses": general["address_list"], **told},
        causes=tuple(sorted(causes, key=lambda cause: cause.standing.rank)),
    )


def _absent(evidence: Evidence, names: Iterable[str], cause: CauseText) -> dict[str, str]:
    """What to make where the cause is that one of several endpoints does not exist: that one."""
    absent = (endpoint for name in names if missing(name) is cause and (endpoint := evidence.plan.endpoint(name)))
    return (
        {"endpoint": one.name, "service": service_of(one, evidence.plan.partition)}
        if (one := next(absent, None))
        else {}
    )


def _in_plan_order(evidence: Evidence, steps: Iterable[Step]) -> tuple[Step, ...]:
    wanted = {step.id for step in steps}
    return tuple(step for step in evidence.measurement.steps if step.id in wanted)


def _names(evidence: Evidence, steps: Iterable[Step], given: Iterable[str]) -> tuple[str, ...]:
    """Endpoints in plan order, "task" for what concerns the task itself."""
    names = {step.endpoint for step in steps} | set(given)
    order = ["task", *(endpoint.name for endpoint in evidence.plan.endpoints)]
    return tuple(sorted(names, key=lambda name: (order.index(name) if name in order else len(order), name)))


def _worded(values: dict[str, Any]) -> dict[str, str]:
    return {name: listed(map(str, value)) if isinstance(value, tuple) else str(value) for name, value in values.items()}


def _presumed(presumed: Iterable[str], evidence: Evidence) -> str:
    if not tuple(presumed):
        return ""
    ranges = listed(evidence.plan.presumed_cidrs)
    if not evidence.surroundings.addresses:
        return f" That they are inside the VPC is presumed: AWS has no public names there ({ranges})."
    return f" That they are inside the VPC is presumed from the task's own address ({ranges})."


def cited(*groups: Iterable[Step]) -> tuple[Step, ...]:
    """Steps of several groups, each once."""
    return tuple(dict.fromkeys(step for group in groups for step in group))

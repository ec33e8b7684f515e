"""The JSON documents of a verdict and of a fleet, and their schemas.

A verdict's document is kept below the size at which log drivers split lines (AWS[awslogs-line-size]), since a split
line is not JSON. Gates that allow, and details of successful steps that no finding names, are left out first. `explain`
must reach the same conclusions from the shortened document, so facts that rules read are left out last, and one step
and one gate of each kind always stay.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import msgspec

from probe.fleet import Fleet
from probe.model import (
    SCHEMA_VERSION,
    AnswerSeen,
    CertificateSeen,
    Gate,
    JudgedFinding,
    LayerSeen,
    ManifestSeen,
    NamesSeen,
    RedirectSeen,
    Step,
    Verdict,
)
from probe.records import replace
from probe.report import Page
from probe.safe_words import json_bytes

LIMIT = 200 * 1024  # bytes; log drivers split lines beyond 256 KiB
_PLATFORMS = 50
_GROUP_SIZES = (200, 100, 50, 20, 8, 3, 1)
_TEXT_LIMITS = (2000, 500, 200)


def render(verdict: Verdict, page: Page) -> str:
    return _formatted(json_bytes(fold(verdict)), page)


def render_fleet(fleet: Fleet, page: Page) -> str:
    """The verdicts of its runs have been shortened with `essence`."""
    return _formatted(json_bytes(fleet), page)


def _formatted(document: bytes, page: Page) -> str:
    return (msgspec.json.format(document, indent=2) if page.pretty else document).decode() + "\n"


def unshortened(document: Verdict | Fleet) -> str:
    """The whole document in one line."""
    return json_bytes(document).decode() + "\n"


DOCUMENTS: dict[str, tuple[type[Verdict] | type[Fleet], str]] = {
    "verdict": (Verdict, "One run of ecr-probe: what was measured, what was found, and the answer."),
    "fleet": (Fleet, "One run of ecr-probe smoke: the verdict of each subnet, and the answer over all."),
}


def schema_text(name: str = "verdict") -> str:
    return msgspec.json.format(json_bytes(schema(name)), indent=2).decode() + "\n"


def schema(name: str = "verdict") -> dict[str, Any]:
    """JSON Schema of a document. Readers must accept further keys; only the program's own enums are closed."""
    kind, description = DOCUMENTS[name]
    (reference,), components = msgspec.json.schema_components((kind,), ref_template="#/$defs/{name}")
    for component in components.values():
        if "properties" in component:
            component["required"] = list(component["properties"])  # all keys are always present
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"{name.capitalize()} of ecr-probe, schema version {SCHEMA_VERSION}",
        "description": f"{description} Seconds, bytes, UTC.",
        **reference,
        "$defs": components,
    }


# ---- shortening ------------------------------------------------------------------------------------------------------


def fold(verdict: Verdict, *, limit: int = LIMIT) -> Verdict:
    """The verdict, shortened until its document takes at most `limit` bytes."""
    for stage in _stages():
        if len(json_bytes(verdict)) < limit:  # the line's end is the last byte
            break
        verdict = stage(verdict)
    return verdict


def essence(verdict: Verdict, *, limit: int) -> Verdict:
    """The verdict of one of many runs: if shortening is not enough, only the steps that findings list, and the steps
    that these depend on.

    It is for reading: `explain` would lack the successful steps.
    """
    folded = fold(verdict, limit=limit)
    if len(json_bytes(folded)) < limit:
        return folded
    named = {step for finding in verdict.findings for step in finding.because}
    return fold(_with_steps(verdict, named), limit=limit)


def _stages() -> Iterator[Callable[[Verdict], Verdict]]:
    """What is left out, one stage after the other."""
    yield _without_healthy_legs
    for lighten in (_without_names, _without_detail, _without_answer):
        yield partial(_with_light_steps, lighten=lighten)
    yield _with_few_platforms
    for size in _GROUP_SIZES:
        yield partial(_with_few_of_a_kind, size=size)
        yield partial(_with_few_gates, size=size)
    yield _with_short_configuration
    for length in _TEXT_LIMITS:
        yield partial(_without_long_values, length=length)


def _without_healthy_legs(verdict: Verdict) -> Verdict:
    """One gate of each endpoint and kind for all the addresses and subnets where every gate allows."""
    healthy = {_leg(gate) for gate in verdict.gates} - {_leg(gate) for gate in verdict.gates if gate.is_open}
    seen: set[tuple[str, str]] = set()
    kept = []
    for gate in verdict.gates:
        kind = gate.endpoint, gate.gate
        if _leg(gate) not in healthy or kind not in seen:
            kept.append(gate)
        seen.add(kind)
    return replace(verdict, gates=tuple(kept))


def _leg(gate: Gate) -> tuple[str | None, ...]:
    return gate.endpoint, gate.subnet, gate.address


def _with_few_gates(verdict: Verdict, size: int) -> Verdict:
    """At most `size` gates of each endpoint with the same answer and cause."""
    counts: Counter[tuple[object, ...]] = Counter()
    kept = []
    for gate in verdict.gates:
        kind = gate.endpoint, gate.gate, gate.answer, gate.cause
        counts[kind] += 1
        if counts[kind] <= size:
            kept.append(gate)
    return replace(verdict, gates=tuple(kept))


def _with_short_configuration(verdict: Verdict) -> Verdict:
    """Each kind of call once, and each summary of a subnet once: another one names the subnet with the same."""
    if verdict.configuration is None:
        return verdict
    first: dict[str, str] = {}
    subnets = []
    for answer in verdict.configuration.subnets:
        same = first.setdefault(answer.summary, answer.subnet)
        subnets.append(answer if same == answer.subnet else replace(answer, summary=f"as {same}"))
    sources = tuple(dict.fromkeys(verdict.configuration.sources))
    return replace(verdict, configuration=replace(verdict.configuration, sources=sources, subnets=tuple(subnets)))


def _with_light_steps(verdict: Verdict, lighten: Callable[[Step], Step]) -> Verdict:
    """The verdict with less detail of successful steps that no finding lists."""
    cited = {step for finding in verdict.findings for step in finding.because}
    steps = (lighten(step) if step.ok and step.id not in cited else step for step in verdict.steps)
    return replace(verdict, steps=tuple(steps))


def _without_names(step: Step) -> Step:
    if isinstance(step.seen, CertificateSeen):
        return replace(step, seen=replace(step.seen, names=()))
    if isinstance(step.seen, NamesSeen):
        return replace(step, seen=replace(step.seen, cnames=()))
    return step


def _without_detail(step: Step) -> Step:
    return replace(step, detail=None)


def _without_answer(step: Step) -> Step:
    """Without request ids and the like of a blob or layer that arrived. That it arrived, and from where, stays."""
    if not isinstance(step.seen, RedirectSeen | LayerSeen):
        return step
    answer = step.seen.answer
    light = AnswerSeen(method=answer.method, status=answer.status, aws=answer.aws, clock_offset=answer.clock_offset)
    return replace(step, seen=replace(step.seen, answer=light))


def _with_few_platforms(verdict: Verdict) -> Verdict:
    return replace(verdict, steps=tuple(map(_few_platforms, verdict.steps)))


def _few_platforms(step: Step) -> Step:
    seen = step.seen
    if not isinstance(seen, ManifestSeen) or len(seen.platforms) <= _PLATFORMS:
        return step
    kept = dict.fromkeys((*seen.platforms[:_PLATFORMS], *((seen.platform,) if seen.platform else ())))
    return replace(step, seen=replace(seen, platforms=tuple(kept)))


def _with_few_of_a_kind(verdict: Verdict, size: int) -> Verdict:
    """At most `size` steps of each kind, one step of each finding, and the steps that these depend on."""
    counts: Counter[tuple[object, ...]] = Counter()
    kept = {finding.because[0] for finding in verdict.findings if finding.because}
    for step in verdict.steps:
        kind = (step.endpoint, step.action, step.outcome, step.failure, *_kind(step))
        counts[kind] += 1
        if counts[kind] <= size:
            kept.add(step.id)
    return _with_steps(verdict, kept)


def _with_steps(verdict: Verdict, kept: set[str]) -> Verdict:
    """Only these steps, and the steps that they depend on."""
    by_id = {step.id: step for step in verdict.steps}
    kept, waiting = set(kept), list(kept)
    while waiting:
        step = by_id.get(waiting.pop())
        dependencies = {step.on, step.blocked_by} if step else set()
        added = {dependency for dependency in dependencies if dependency is not None} - kept
        kept |= added
        waiting += added
    steps = tuple(step for step in verdict.steps if step.id in kept)
    findings = tuple(
        replace(finding, because=tuple(name for name in finding.because if name in kept))
        for finding in verdict.findings
    )
    return replace(verdict, steps=steps, findings=findings)


def _kind(step: Step) -> tuple[object, ...]:
    """What distinguishes steps of one action: the resolver and the name, config or layer."""
    seen = step.seen
    if isinstance(seen, NamesSeen):
        return seen.server, seen.name, seen.record
    return (seen.what,) if isinstance(seen, LayerSeen) else ()


def _without_long_values(verdict: Verdict, length: int) -> Verdict:
    """Without long values, which the title and the reason of a finding state too."""

    def short(finding: JudgedFinding) -> JudgedFinding:
        values = {key: value for key, value in finding.values.items() if len(json_bytes(value)) <= length}
        return replace(finding, values=values)

    return replace(verdict, findings=tuple(map(short, verdict.findings)))

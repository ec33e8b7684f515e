"""Shortening of a long document: log drivers split lines beyond 256 KiB, and a split line is no JSON.

What is left out first is what nobody will miss: details of steps that went well and that no finding names. `explain` of
the shortened document must find the same, so what rules look at goes last, and one step of each kind always stays.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from probe.model import (
    AnswerSeen,
    CertificateSeen,
    JudgedFinding,
    LayerSeen,
    ManifestSeen,
    NamesSeen,
    RedirectSeen,
    Step,
    Verdict,
)
from probe.records import replace
from probe.report.utf8 import json_of

LIMIT = 200 * 1024
_PLATFORMS = 50
_GROUP_SIZES = (200, 100, 50, 20, 8, 3, 1)
_TEXT_LIMITS = (2000, 500, 200)


def fold(verdict: Verdict, *, limit: int = LIMIT) -> Verdict:
    """The verdict, shortened until its document takes at most `limit` bytes."""
    for stage in _stages():
        if len(json_of(verdict)) < limit:  # the line's end is the last byte
            break
        verdict = stage(verdict)
    return verdict


def essence(verdict: Verdict, *, limit: int) -> Verdict:
    """For one of many: where folding is not enough, only the steps that findings name, and what those stand on.

    What is left is for reading. `explain` would miss what went well.
    """
    folded = fold(verdict, limit=limit)
    if len(json_of(folded)) < limit:
        return folded
    named = {step for finding in verdict.findings for step in finding.because}
    return fold(_with(verdict, named), limit=limit)


def _stages() -> Iterator[Callable[[Verdict], Verdict]]:
    for lighten in (_without_names, _without_detail, _without_answer):
        yield lambda verdict, lighten=lighten: _healthy(verdict, lighten)  # type: ignore[misc]
    yield lambda verdict: replace(verdict, steps=tuple(map(_few_platforms, verdict.steps)))
    for size in _GROUP_SIZES:
        yield lambda verdict, size=size: _thinned(verdict, size)  # type: ignore[misc]
    for length in _TEXT_LIMITS:
        yield lambda verdict, length=length: _short_values(verdict, length)  # type: ignore[misc]


def _healthy(verdict: Verdict, lighten: Callable[[Step], Step]) -> Verdict:
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
    """A blob or layer that came needs no request id; whether it came, and from where, stays."""
    if not isinstance(step.seen, RedirectSeen | LayerSeen):
        return step
    answer = step.seen.answer
    light = AnswerSeen(method=answer.method, status=answer.status, aws=answer.aws, clock_offset=answer.clock_offset)
    return replace(step, seen=replace(step.seen, answer=light))


def _few_platforms(step: Step) -> Step:
    seen = step.seen
    if not isinstance(seen, ManifestSeen) or len(seen.platforms) <= _PLATFORMS:
        return step
    kept = dict.fromkeys((*seen.platforms[:_PLATFORMS], *((seen.platform,) if seen.platform else ())))
    return replace(step, seen=replace(seen, platforms=tuple(kept)))


def _thinned(verdict: Verdict, size: int) -> Verdict:
    """At most `size` steps of each kind, one of each finding's, and whatever those stand on."""
    counts: Counter[tuple[object, ...]] = Counter()
    kept = {finding.because[0] for finding in verdict.findings if finding.because}
    for step in verdict.steps:
        kind = (step.endpoint, step.action, step.outcome, step.failure, *_kind(step))
        counts[kind] += 1
        if counts[kind] <= size:
            kept.add(step.id)
    return _with(verdict, kept)


def _with(verdict: Verdict, kept: set[str]) -> Verdict:
    """Of all steps these, and whatever they stand on."""
    known = {step.id: step for step in verdict.steps}
    kept, waiting = set(kept), list(kept)
    while waiting:
        below = known.get(waiting.pop())
        grounds = {below.on, below.blocked_by} if below else set()
        fresh = {ground for ground in grounds if ground is not None} - kept
        kept |= fresh
        waiting += fresh
    steps = tuple(step for step in verdict.steps if step.id in kept)
    findings = tuple(
        replace(finding, because=tuple(one for one in finding.because if one in kept)) for finding in verdict.findings
    )
    return replace(verdict, steps=steps, findings=findings)


def _kind(step: Step) -> tuple[object, ...]:
    """What else makes a step unlike others: each resolver's answer counts, and so does the image's configuration."""
    seen = step.seen
    if isinstance(seen, NamesSeen):
        return seen.server, seen.name, seen.record
    return (seen.what,) if isinstance(seen, LayerSeen) else ()


def _short_values(verdict: Verdict, length: int) -> Verdict:
    """The texts say what the values say: a value that fills pages can go."""

    def short(finding: JudgedFinding) -> JudgedFinding:
        values = {key: value for key, value in finding.values.items() if len(json_of(value)) <= length}
        return replace(finding, values=values)

    return replace(verdict, findings=tuple(map(short, verdict.findings)))

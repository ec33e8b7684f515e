"""One verdict over several subnets: each is judged by itself, and a fault that several have in common is shown once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from probe.fleet import overall
from probe.gates.flow import Origin
from probe.model import JudgedFinding, Pull, Step, SubnetAnswer, Verdict
from probe.narration import few
from probe.records import replace

_MOST_NAMED = 3  # subnets in the title of a finding


class Judged(NamedTuple):
    """The verdict in one subnet, for the images of one Region. `label` distinguishes it from all others."""

    label: str
    origin: Origin
    verdict: Verdict


def answers(judged: Iterable[Judged]) -> tuple[SubnetAnswer, ...]:
    """The answer of each subnet."""
    return tuple(
        SubnetAnswer(subnet=label, zone=origin.zone, status=verdict.status, summary=verdict.summary)
        for label, origin, verdict in judged
    )


def over_all(judged: Sequence[Judged], *, strict: bool) -> Verdict:
    """The verdict over all subnets: the worst status, every finding once, the steps of all."""
    if len(judged) == 1:
        return judged[0].verdict
    status, code = overall((verdict.status for _, _, verdict in judged), strict=strict)
    worst = [verdict for _, _, verdict in judged if verdict.status is status]
    some = "" if len(worst) == len(judged) else f"in {len(worst)} of {len(judged)} subnets "
    pulls = {verdict.pull for _, _, verdict in judged}
    return replace(
        worst[0],
        status=status,
        exit_code=code,
        summary=f"{some}{worst[0].summary}",
        pull=next((pull for pull in (Pull.BROKEN, Pull.UNPROVEN) if pull in pulls), Pull.WORKS),
        findings=_merged(judged),
        causes=tuple(dict.fromkeys(cause for _, _, verdict in judged for cause in verdict.causes)),
        steps=tuple(_labelled(step, each.label) for each in judged for step in each.verdict.steps),
    )


def _merged(judged: Sequence[Judged]) -> tuple[JudgedFinding, ...]:
    alike: dict[tuple[object, ...], list[tuple[str, JudgedFinding]]] = {}
    for each in judged:
        for finding in each.verdict.findings:
            causes = tuple((cause.code, cause.standing, cause.object) for cause in finding.causes)
            alike.setdefault((finding.code, finding.endpoints, causes), []).append((each.label, finding))
    return tuple(_in_places(places, len(judged)) for places in alike.values())


def _in_places(places: Sequence[tuple[str, JudgedFinding]], number: int) -> JudgedFinding:
    """One finding of several subnets, which names them where they are not all."""
    first = min((finding for _, finding in places), key=lambda finding: finding.severity.rank)
    labels = dict.fromkeys(label for label, _ in places)
    where = "" if len(labels) == number else f" (from {few(labels, _MOST_NAMED)})"
    because = tuple(_at(step, label) for label, finding in places for step in finding.because)
    return replace(first, title=f"{first.title}{where}", because=because)


def _labelled(step: Step, label: str) -> Step:
    return replace(
        step,
        id=_at(step.id, label),
        subject=_at(step.subject, label),
        on=_at(step.on, label) if step.on else None,
        blocked_by=_at(step.blocked_by, label) if step.blocked_by else None,
    )


def _at(identity: str, label: str) -> str:
    return f"{identity}@{label}"

"""One verdict over several subnets: each is judged by itself, and a fault that several have in common is shown once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from probe.fleet import overall
from probe.gates.flow import Origin
from probe.model import JudgedFinding, Pull, Step, SubnetAnswer, Verdict
from probe.records import replace

Judged = tuple[Origin, Verdict]


def answers(judged: Iterable[Judged]) -> tuple[SubnetAnswer, ...]:
    """The answer of each subnet."""
    return tuple(
        SubnetAnswer(subnet=origin.subnet, zone=origin.zone, status=verdict.status, summary=verdict.summary)
        for origin, verdict in judged
    )


def over_all(judged: Sequence[Judged], *, strict: bool) -> Verdict:
    """The verdict over all subnets: the worst status, every finding once, the steps of all."""
    if len(judged) == 1:
        return judged[0][1]
    status, code = overall((verdict.status for _, verdict in judged), strict=strict)
    worst = [verdict for _, verdict in judged if verdict.status is status]
    some = "" if len(worst) == len(judged) else f"in {len(worst)} of {len(judged)} subnets "
    pulls = {verdict.pull for _, verdict in judged}
    return replace(
        worst[0],
        status=status,
        exit_code=code,
        summary=f"{some}{worst[0].summary}",
        pull=next((pull for pull in (Pull.BROKEN, Pull.UNPROVEN) if pull in pulls), Pull.WORKS),
        findings=_merged(judged),
        causes=tuple(dict.fromkeys(cause for _, verdict in judged for cause in verdict.causes)),
        steps=tuple(_of_subnet(step, origin) for origin, verdict in judged for step in verdict.steps),
    )


def _merged(judged: Sequence[Judged]) -> tuple[JudgedFinding, ...]:
    alike: dict[tuple[object, ...], list[tuple[Origin, JudgedFinding]]] = {}
    for origin, verdict in judged:
        for finding in verdict.findings:
            causes = tuple((cause.code, cause.standing, cause.object) for cause in finding.causes)
            alike.setdefault((finding.code, finding.endpoints, causes), []).append((origin, finding))
    return tuple(_in_places(places, len(judged)) for places in alike.values())


def _in_places(places: Sequence[tuple[Origin, JudgedFinding]], subnets: int) -> JudgedFinding:
    """One finding of several subnets, which names them where they are not all."""
    first = min((finding for _, finding in places), key=lambda finding: finding.severity.rank)
    names = dict.fromkeys(origin.subnet for origin, _ in places)
    where = "" if len(names) == subnets else f" (from {', '.join(names)})"
    because = tuple(f"{step}@{origin.subnet}" for origin, finding in places for step in finding.because)
    return replace(first, title=f"{first.title}{where}", because=because)


def _of_subnet(step: Step, origin: Origin) -> Step:
    def named(identity: str | None) -> str | None:
        return f"{identity}@{origin.subnet}" if identity else None

    return replace(
        step,
        id=f"{step.id}@{origin.subnet}",
        subject=f"{step.subject}@{origin.subnet}",
        on=named(step.on),
        blocked_by=named(step.blocked_by),
    )

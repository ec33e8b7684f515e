"""What the subnets of a fleet have in common: each fault once with all that have it, and one sentence over them all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from enum import Enum, auto
from typing import NamedTuple

from probe.fleet import Fleet, SubnetRun
from probe.model import Impact, JudgedFinding, Severity, Status, Verdict
from probe.narration import duration
from probe.report.summary import weight

NO_VERDICT = "no verdict came"


class Mark(Enum):
    """How something did, in one sign."""

    WELL = auto()
    WARNED = auto()
    UNPROVEN = auto()
    BROKEN = auto()
    NOT_TRIED = auto()


class Fault(NamedTuple):
    """A finding, and the runs that have it. `verdict` is the first run's: its steps are the evidence."""

    finding: JudgedFinding
    verdict: Verdict
    runs: tuple[SubnetRun, ...]


class Silence(NamedTuple):
    """Runs without a verdict, of which the same was said."""

    status: Status
    words: str
    runs: tuple[SubnetRun, ...]


def faults(fleet: Fleet) -> list[Fault]:
    """Each fault once, the weightiest first, and among equals what most subnets have."""
    first: dict[tuple[Severity, str, str], tuple[JudgedFinding, Verdict]] = {}
    having: dict[tuple[Severity, str, str], dict[str, SubnetRun]] = {}
    for run, verdict in ((run, run.verdict) for run in fleet.runs if run.verdict):
        for finding in verdict.findings:
            alike = finding.severity, finding.code, finding.title
            first.setdefault(alike, (finding, verdict))
            having.setdefault(alike, {})[run.subnet] = run
    known = [Fault(*first[alike], tuple(runs.values())) for alike, runs in having.items()]
    return sorted(known, key=lambda fault: (*weight(fault.finding), -len(fault.runs)))


def silences(fleet: Fleet) -> list[Silence]:
    alike: dict[tuple[Status, str], list[SubnetRun]] = {}
    for run in fleet.runs:
        if run.verdict is None:
            alike.setdefault((run.status, run.words or NO_VERDICT), []).append(run)
    known = [Silence(status, words, tuple(runs)) for (status, words), runs in alike.items()]
    return sorted(known, key=lambda silence: silence.status.rank)


def endpoints(fleet: Fleet, most: int) -> list[str]:
    """The columns of a table of subnets."""
    known = (endpoint.name for run in fleet.runs if run.verdict for endpoint in run.verdict.endpoints)
    return list(dict.fromkeys(known))[:most]


def of_endpoint(verdict: Verdict | None, name: str) -> tuple[Mark, JudgedFinding | None]:
    """How an endpoint did in one subnet, and the weightiest thing that was found of it."""
    summary = next((each for each in verdict.endpoints if each.name == name), None) if verdict else None
    if verdict is None or summary is None:
        return Mark.NOT_TRIED, None
    worst = min((finding for finding in verdict.findings if name in finding.endpoints), key=weight, default=None)
    if worst is None or worst.severity is Severity.INFO:
        return Mark.WELL if summary.ok else Mark.NOT_TRIED, worst
    return mark(worst), worst


def mark(finding: JudgedFinding) -> Mark:
    if finding.severity is Severity.ERROR:
        return Mark.UNPROVEN if finding.impact is Impact.PROOF else Mark.BROKEN
    return Mark.WARNED if finding.severity is Severity.WARNING else Mark.WELL


def is_met_drill(fleet: Fleet) -> bool:
    """Whether what was found is what was expected: then it fails nothing."""
    return bool(fleet.expected) and not fleet.exit_code


def conclusion(fleet: Fleet) -> str:
    """What stands behind the fleet's status, in one line."""
    counts = Counter(run.status for run in fleet.runs)
    told = ", ".join(f"{counts[status]} {status}" for status in Status if counts[status])
    number = f"{len(fleet.runs)} subnet{'' if len(fleet.runs) == 1 else 's'}"
    where = f"{number} of {f'service {fleet.service}' if fleet.service else f'cluster {fleet.cluster}'}"
    parts = (f"{where}: {told}" if told else f"{where} tried", _drill(fleet), duration(fleet.seconds))
    return "; ".join(part for part in parts if part)


def _drill(fleet: Fleet) -> str:
    met = {0: "as expected", 3: "not known whether as expected"}.get(fleet.exit_code, "not as expected")
    return f"{met} ({', '.join(f'fail:{each.code}' for each in fleet.expected)})" if fleet.expected else ""


def places(runs: Iterable[SubnetRun]) -> list[str]:
    """The subnets, each with its zone."""
    return [f"{run.subnet} ({run.zone})" if run.zone else run.subnet for run in runs]

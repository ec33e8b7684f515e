"""What the subnets of a fleet have in common: each fault once with its subnets, and one sentence over all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from probe.fleet import Fleet, SubnetRun
from probe.model import JudgedFinding, Severity, Status, Verdict
from probe.narration import counted, duration
from probe.report.summary import in_a_line, is_note, weight

NO_VERDICT = "no verdict"


class Fault(NamedTuple):
    """A finding, and the runs that have it. `verdict` is the first run's: its steps are the evidence."""

    finding: JudgedFinding
    verdict: Verdict
    runs: tuple[SubnetRun, ...]


class Silence(NamedTuple):
    """Runs without a verdict, for the same reason."""

    status: Status
    reason: str
    runs: tuple[SubnetRun, ...]


def faults(fleet: Fleet) -> list[Fault]:
    """Each fault once, the most serious first, and among equals the one that most subnets have."""
    first: dict[tuple[Severity, str, str], tuple[JudgedFinding, Verdict]] = {}
    having: dict[tuple[Severity, str, str], dict[str, SubnetRun]] = {}
    for run, verdict in ((run, run.verdict) for run in fleet.runs if run.verdict):
        for finding in verdict.findings:
            alike = finding.severity, finding.code, finding.title
            first.setdefault(alike, (finding, verdict))
            having.setdefault(alike, {})[run.subnet] = run
    merged = [Fault(*first[alike], tuple(runs.values())) for alike, runs in having.items()]
    return sorted(merged, key=lambda fault: (*weight(fault.finding), -len(fault.runs)))


def silences(fleet: Fleet) -> list[Silence]:
    alike: dict[tuple[Status, str], list[SubnetRun]] = {}
    for run in fleet.runs:
        if run.verdict is None:
            alike.setdefault((run.status, run.words or NO_VERDICT), []).append(run)
    merged = [Silence(status, reason, tuple(runs)) for (status, reason), runs in alike.items()]
    return sorted(merged, key=lambda silence: silence.status.rank)


def endpoints(fleet: Fleet, most: int) -> list[str]:
    """The columns of a table of subnets."""
    names = (endpoint.name for run in fleet.runs if run.verdict for endpoint in run.verdict.endpoints)
    return list(dict.fromkeys(names))[:most]


def is_met_drill(fleet: Fleet) -> bool:
    """Whether a drill found what it expected: then nothing fails."""
    return bool(fleet.expected) and not fleet.exit_code


def leading_fault(fleet: Fleet) -> Fault | None:
    """The most serious error or warning."""
    return next((fault for fault in faults(fleet) if not is_note(fault.finding)), None)


def closing_sentence(fleet: Fleet) -> str:
    """What stands behind the fleet's status, in one line: how many subnets, and the leading fault."""
    counts = Counter(run.status for run in fleet.runs)
    statuses = ", ".join(f"{counts[status]} {status}" for status in Status if counts[status])
    number = counted(len(fleet.runs), "subnet")
    where = f"{number} of {f'service {fleet.service}' if fleet.service else f'cluster {fleet.cluster}'}"
    lead = leading_fault(fleet)
    title = lead.finding.title if lead else ""
    parts = f"{where}{f': {statuses}' if statuses else ' tried'}", title, _drill(fleet), duration(fleet.seconds)
    return in_a_line("; ".join(part for part in parts if part))


def _drill(fleet: Fleet) -> str:
    met = {0: "as expected", 3: "not known whether as expected"}.get(fleet.exit_code, "not as expected")
    return (
        f"{met} ({', '.join(f'fail:{expectation.code}' for expectation in fleet.expected)})" if fleet.expected else ""
    )


def places(runs: Iterable[SubnetRun]) -> list[str]:
    """The subnets, each with its zone."""
    return [f"{run.subnet} ({run.zone})" if run.zone else run.subnet for run in runs]

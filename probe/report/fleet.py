"""A fleet as a whole: each fault once, with the subnets that have it, and the fleet's verdict in one sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from probe.fleet import Fleet, Source, SubnetRun
from probe.model import Basis, JudgedFinding, Severity, Status, Verdict
from probe.narration import counted, duration
from probe.report.summary import in_a_line, is_note
from probe.verdict import weight

NO_VERDICT = "no verdict"
PREDICTED = "its endpoints and findings are predicted from the configuration, and nothing was measured"


class Fault(NamedTuple):
    """A finding, and the runs that have it. `verdict` is the first run's, and its steps are the evidence."""

    finding: JudgedFinding
    verdict: Verdict
    runs: tuple[SubnetRun, ...]


class Unmeasured(NamedTuple):
    """Runs in which nothing was measured, for the same reason. They have no verdict, or a predicted one."""

    status: Status
    reason: str
    runs: tuple[SubnetRun, ...]


def faults(fleet: Fleet) -> list[Fault]:
    """Each fault once, the most serious first, and among equals the one that most subnets have."""
    first: dict[tuple[Severity, str, str], tuple[JudgedFinding, Verdict]] = {}
    runs_by_fault: dict[tuple[Severity, str, str], dict[str, SubnetRun]] = {}
    # What was measured is the evidence of a fault that is predicted elsewhere.
    for run, verdict in ((run, run.verdict) for run in sorted(fleet.runs, key=_is_predicted) if run.verdict):
        for finding in verdict.findings:
            fault = finding.severity, finding.code, finding.title
            first.setdefault(fault, (finding, verdict))
            runs_by_fault.setdefault(fault, {})[run.subnet] = run
    merged = [Fault(*first[fault], tuple(runs.values())) for fault, runs in runs_by_fault.items()]
    return sorted(merged, key=lambda fault: (*weight(fault.finding), -len(fault.runs)))


def unmeasured_runs(fleet: Fleet) -> list[Unmeasured]:
    """The runs in which nothing was measured, by reason, the worst status first."""
    runs_by_reason: dict[tuple[Status, str], list[SubnetRun]] = {}
    for run in fleet.runs:
        if run.verdict is None or run.is_predicted:
            runs_by_reason.setdefault((run.status, reason(run)), []).append(run)
    merged = [Unmeasured(status, text, tuple(runs)) for (status, text), runs in runs_by_reason.items()]
    return sorted(merged, key=lambda group: group.status.rank)


def reason(run: SubnetRun) -> str:
    """Why nothing was measured in this subnet, and that findings are predicted where they are."""
    text = run.words or NO_VERDICT
    return f"{text}; {PREDICTED}" if run.is_predicted else text


def remark(run: SubnetRun) -> str:
    """What a table adds to the status of a run whose probe reported no verdict; otherwise empty."""
    if run.is_predicted:
        return " (endpoints predicted)"
    return " (by its exit code)" if run.source is Source.EXIT_CODE else ""


def _is_predicted(run: SubnetRun) -> bool:
    return run.is_predicted


def endpoints(fleet: Fleet, most: int) -> list[str]:
    """The endpoints of all runs, for the columns of a table: at most `most`."""
    names = (endpoint.name for run in fleet.runs if run.verdict for endpoint in run.verdict.endpoints)
    return list(dict.fromkeys(names))[:most]


def is_met_drill(fleet: Fleet) -> bool:
    """Whether this was a drill and every subnet is as expected. Then reports show no failure."""
    return bool(fleet.expected) and not fleet.exit_code


def leading_fault(fleet: Fleet) -> Fault | None:
    """The most serious error or warning."""
    return next((fault for fault in faults(fleet) if not is_note(fault.finding)), None)


def closing_sentence(fleet: Fleet) -> str:
    """The verdict in one line: the subnets by status, the leading fault, the result of a drill, the duration."""
    counts = Counter(run.status for run in fleet.runs)
    statuses = ", ".join(f"{counts[status]} {status}" for status in Status if counts[status])
    number = counted(len(fleet.runs), "subnet")
    where = f"{number} of {f'service {fleet.service}' if fleet.service else f'cluster {fleet.cluster}'}"
    lead = leading_fault(fleet)
    title = f"{'predicted: ' if lead.verdict.basis is Basis.CONFIGURATION else ''}{lead.finding.title}" if lead else ""
    parts = f"{where}{f': {statuses}' if statuses else ' tried'}", title, _drill(fleet), duration(fleet.seconds)
    return in_a_line("; ".join(part for part in parts if part))


def _drill(fleet: Fleet) -> str:
    if not fleet.expected:
        return ""
    result = {0: "as expected", 3: "not known whether as expected"}.get(fleet.exit_code, "not as expected")
    return f"{result} ({', '.join(f'fail:{expectation.code}' for expectation in fleet.expected)})"


def places(runs: Iterable[SubnetRun]) -> list[str]:
    """The subnets, each with its zone and, where nothing was measured, that a verdict is predicted."""
    remarks = (
        (run.subnet, [*([run.zone] if run.zone else []), *(["predicted"] if run.is_predicted else [])]) for run in runs
    )
    return [f"{subnet} ({', '.join(texts)})" if texts else subnet for subnet, texts in remarks]

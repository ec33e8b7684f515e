"""A verdict as a whole: the leading finding and its fix, the state of each endpoint, and what was measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from enum import Enum, auto

from probe.faults.settling import SETTLED_BY
from probe.model import (
    Basis,
    Cause,
    Impact,
    JudgedFinding,
    Path,
    Severity,
    Standing,
    Status,
    Verdict,
)
from probe.narration import counted, duration, few
from probe.verdict import weight

TONES = {Status.PASS: "good", Status.DEGRADED: "warning", Status.FAIL: "error", Status.INCONCLUSIVE: "warning"}
_PATHS = {
    Path.TASK_ENI: "on the task's network interface",
    Path.INSTANCE_ENI: "on the instance's network interface",
    Path.LAMBDA_ENI: "on the function's network interface",
    Path.UNKNOWN: "on an unknown path (no ECS metadata)",
}


CUT_SHORT = "text.cut-short"  # its causes are guesses: reports list them by title, and ask for the whole text


class Mark(Enum):
    """The state of an endpoint."""

    OK = auto()
    WARNING = auto()
    UNPROVEN = auto()
    BROKEN = auto()
    NOT_TRIED = auto()


def mark(finding: JudgedFinding) -> Mark:
    """The state of an endpoint whose most serious finding this is."""
    if finding.severity is Severity.ERROR:
        return Mark.UNPROVEN if finding.impact is Impact.PROOF else Mark.BROKEN
    return Mark.WARNING if finding.severity is Severity.WARNING else Mark.OK


def endpoint_state(verdict: Verdict | None, name: str) -> tuple[Mark, JudgedFinding | None]:
    """The state of an endpoint, and the most serious finding that names it."""
    summary = next((row for row in verdict.endpoints if row.name == name), None) if verdict else None
    if verdict is None or (summary is None and name != "task"):
        return Mark.NOT_TRIED, None
    worst = min((finding for finding in verdict.findings if name in finding.endpoints), key=weight, default=None)
    if worst is None or worst.severity is Severity.INFO:
        ok = any(step.ok for step in verdict.steps if step.endpoint == name) if summary is None else summary.ok
        return Mark.OK if ok else Mark.NOT_TRIED, worst
    return mark(worst), worst


def is_note(finding: JudgedFinding) -> bool:
    """Whether the finding needs no action."""
    return finding.severity is Severity.INFO


def subject(verdict: Verdict) -> str:
    """The image, its platform and its region."""
    plan = verdict.plan
    where = ", ".join(part for part in (plan.platform, plan.region) if part)
    return f"{plan.image or 'no image'} ({where})" if where else plan.image or "no image"


def fix(finding: JudgedFinding | None) -> str:
    """The fix of the leading cause, without its commands, in one line."""
    if finding is not None and finding.code == CUT_SHORT:
        return "read the whole text, for example with ecr-probe explain --task TASK_ARN"
    if finding is None or not finding.causes or finding.causes[0].standing is Standing.RULED_OUT:
        return ""
    return in_a_line(finding.causes[0].fix.text)


def in_a_line(text: str) -> str:
    """The text without the line breaks and unusual blanks that foreign text may hold."""
    return " ".join(text.split())


# ---- what a configuration can settle ---------------------------------------------------------------------------------


def can_be_settled(finding: JudgedFinding) -> bool:
    """Whether gates of the configuration decide between its causes."""
    alive = [cause for cause in finding.causes if cause.standing is not Standing.RULED_OUT]
    return bool(SETTLED_BY.keys() & {cause.code for cause in alive}) and not any(
        cause.standing is Standing.CONFIRMED for cause in alive
    )


def settling_command(verdict: Verdict, *, file: str = "FILE", task: str | None = None) -> str:
    """The command that reads the configuration and settles the causes, or "" where it was read, or where it is not
    known where to look. `task` is shown for an error text.
    """
    here = verdict.surroundings
    if verdict.configuration is not None:
        return ""
    if verdict.basis is Basis.TEXT:
        return f"ecr-probe explain --task {task or 'TASK_ARN'} --inspect" if here.task_arn else ""
    return f"ecr-probe inspect --verdict {file}" if here.addresses else ""


# ---- parts of a report -----------------------------------------------------------------------------------------------


def fault_counts(findings: Sequence[JudgedFinding]) -> str:
    """ "2 errors and 1 warning"; empty if there are none."""
    counts = Counter(finding.severity for finding in findings)
    faults = (severity for severity in (Severity.ERROR, Severity.WARNING) if counts[severity])
    return " and ".join(counted(counts[severity], severity) for severity in faults)


def measured_path(verdict: Verdict) -> str:
    """The network path and the credentials of the run."""
    if verdict.basis is Basis.TEXT:
        return "based on the error text only; nothing was measured"
    return f"measured {_PATHS[verdict.path]} {_identity(verdict)}"


def _identity(verdict: Verdict) -> str:
    identity = verdict.identity
    if identity.source == "none":
        return "without credentials"
    if identity.arn is None:
        return f"with credentials from {identity.source}"
    return f"as {identity.arn.rpartition(':')[2]} (from {identity.source})"


def subject_and_time(verdict: Verdict) -> str:
    """The image and how long the run took; of an error text, the image."""
    if verdict.basis is Basis.MEASURED:
        return f"{subject(verdict)} in {duration(verdict.seconds)}"
    return subject(verdict) if verdict.plan.image else "image not named"


def measured_from(verdict: Verdict) -> str:
    """Where the probe ran, its role, and the network path that it measured."""
    if verdict.basis is Basis.TEXT:
        return ""
    here = verdict.surroundings
    address = few(here.addresses, 2)
    where = f"{address} in {here.availability_zone}" if address and here.availability_zone else address
    return ", ".join(part for part in (where, _role(verdict), _PATHS[verdict.path]) if part)


def _role(verdict: Verdict) -> str:
    identity = verdict.identity
    return identity.arn.rpartition(":")[2] if identity.arn else _identity(verdict)


def certainty(cause: Cause, finding: JudgedFinding) -> str:
    """How certain a cause is. The first of several possible causes is likely."""
    if cause.standing is not Standing.POSSIBLE:
        return "confirmed" if cause.standing is Standing.CONFIRMED else "ruled out"
    alive = [other for other in finding.causes if other.standing is not Standing.RULED_OUT]
    return "likely" if cause is alive[0] and len(finding.causes) > 1 else "possible"

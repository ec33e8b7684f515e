"""A verdict as a whole, in words: what it says of the pull, what was found, and on whose path it was measured."""

from __future__ import annotations

from collections.abc import Sequence

from probe.model import Basis, Cause, Impact, JudgedFinding, Path, Pull, Severity, Standing, Status, Verdict
from probe.narration import duration

TONES = {Status.PASS: "good", Status.DEGRADED: "warning", Status.FAIL: "error", Status.INCONCLUSIVE: "warning"}
_PULLS = {
    Pull.WORKS: "ECS can pull the image",
    Pull.BROKEN: "ECS cannot pull the image",
    Pull.UNPROVEN: "whether ECS can pull the image is not proven",
}
_BUTS = {  # why it fails although the pull is not broken
    Impact.PULL: "it fails on this path",
    Impact.START: "tasks do not start",
    Impact.ROUTE: "past the endpoint",
    Impact.LOGS: "no logs get through",
    Impact.AGENT: "the agent is cut off",
}
_PATHS = {
    Path.TASK_ENI: "on the task's network interface",
    Path.INSTANCE_ENI: "on the instance's network interface",
    Path.LAMBDA_ENI: "on the function's network interface",
    Path.UNKNOWN: "on an unknown path (no ECS metadata)",
}


def weight(finding: JudgedFinding) -> tuple[int, int]:
    """What finding comes first: errors, and among these what takes the pull away."""
    return finding.severity.rank, finding.impact.rank


def subject(verdict: Verdict) -> str:
    plan = verdict.plan
    where = ", ".join(part for part in (plan.platform, plan.region) if part)
    return f"{plan.image or 'no image'} ({where})" if where else plan.image or "no image"


def answer(verdict: Verdict) -> str:
    """Whether ECS can pull, and what makes a verdict fail whose pull is not broken."""
    return _PULLS[verdict.pull] + _but(verdict)


def _but(verdict: Verdict) -> str:
    if verdict.status is not Status.FAIL or verdict.pull is Pull.BROKEN:
        return ""
    reasons: dict[Impact, list[str]] = {}
    for finding in verdict.findings:
        if finding.severity is Severity.ERROR and finding.impact in _BUTS:
            reasons.setdefault(finding.impact, []).extend(finding.endpoints)
    known = [f"{_BUTS[impact]}: {', '.join(dict.fromkeys(reasons[impact]))}" for impact in _BUTS if impact in reasons]
    return f", but {', and '.join(known)}" if known else ""


def found(findings: Sequence[JudgedFinding]) -> str:
    """How many errors and warnings; empty where there are none."""
    counts = [
        (severity, sum(one.severity is severity for one in findings)) for severity in (Severity.ERROR, Severity.WARNING)
    ]
    return " and ".join(f"{count} {severity}{'s' if count > 1 else ''}" for severity, count in counts if count)


def conclusion(verdict: Verdict) -> str:
    """What stands behind the status, in one line."""
    took = duration(verdict.seconds) if verdict.basis is Basis.MEASURED else ""
    parts = answer(verdict), found(verdict.findings), measured(verdict), took
    return "; ".join(part for part in parts if part)


def measured(verdict: Verdict) -> str:
    if verdict.basis is Basis.TEXT:
        return "read from an error's words, not measured"
    return f"measured {_PATHS[verdict.path]} {_identity(verdict)}"


def _identity(verdict: Verdict) -> str:
    identity = verdict.identity
    if identity.source == "none":
        return "without credentials"
    if identity.arn is None:
        return f"with credentials from {identity.source}"
    return f"as {identity.arn.rpartition(':')[2]} (from {identity.source})"


def standing(cause: Cause, finding: JudgedFinding) -> str:
    """How sure a cause is. The first of several possible ones is the likeliest."""
    if cause.standing is not Standing.POSSIBLE:
        return "confirmed" if cause.standing is Standing.CONFIRMED else "ruled out"
    alive = [one for one in finding.causes if one.standing is not Standing.RULED_OUT]
    return "likely" if cause is alive[0] and len(finding.causes) > 1 else "possible"

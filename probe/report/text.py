"""A verdict in words, for people: findings, errors first, then the table of steps, and in the last line the verdict."""

from __future__ import annotations

from collections.abc import Iterator

from probe.model import Cause, Impact, JudgedFinding, Path, Pull, Severity, Standing, Status, Verdict
from probe.report import Page
from probe.report.advice import advice
from probe.report.layout import Line, paint, wrapped
from probe.report.saw import duration, saw
from probe.report.table import table

_ORDER = (Severity.ERROR, Severity.WARNING, Severity.INFO)
_BY_IMPACT = (Impact.PULL, Impact.ROUTE, Impact.LOGS, Impact.AGENT, Impact.PROOF, Impact.NONE)
_TONES = {Status.PASS: "good", Status.DEGRADED: "warning", Status.FAIL: "error", Status.INCONCLUSIVE: "warning"}
_PULLS = {
    Pull.WORKS: "ECS can pull the image",
    Pull.BROKEN: "ECS cannot pull the image",
    Pull.UNPROVEN: "whether ECS can pull the image is not proven",
}
_BUTS = {  # why it fails although the pull is not broken
    Impact.PULL: "it fails on this path",
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


def render(verdict: Verdict, page: Page) -> str:
    return paint(_lines(verdict, page), page)


def _lines(verdict: Verdict, page: Page) -> Iterator[Line]:
    for severity in _ORDER:
        found = [finding for finding in verdict.findings if finding.severity is severity]
        found.sort(key=lambda finding: _BY_IMPACT.index(finding.impact))
        for finding in found:
            yield from _note(finding, page) if severity is Severity.INFO else _finding(finding, verdict, page)
        if found and severity is Severity.INFO:
            yield ()
    yield from wrapped(("dim", "steps of "), _subject(verdict), indent=0, page=page, style="dim")
    yield from table(verdict, page)
    yield ()
    yield _sentence(verdict)


def _note(finding: JudgedFinding, page: Page) -> list[Line]:
    return wrapped(("info", f"info[{finding.code}]: "), finding.title, indent=0, page=page, hang=2)


def _finding(finding: JudgedFinding, verdict: Verdict, page: Page) -> Iterator[Line]:
    tone = str(finding.severity)
    yield from wrapped((tone, f"{tone}[{finding.code}]: "), finding.title, indent=0, page=page, style="strong", hang=2)
    for number, sentence in enumerate(saw(finding, verdict.steps)):
        yield from wrapped(("dim", "saw:   " if number == 0 else "       "), sentence, indent=2, page=page)
    if finding.why:
        yield from wrapped(("dim", "why:   "), finding.why, indent=2, page=page)
    told: set[str] = set()
    for number, cause in enumerate(cause for cause in finding.causes if cause.standing is not Standing.RULED_OUT):
        yield from _cause(cause, page, likeliest=number == 0 and len(finding.causes) > 1)
        if cause.decide and cause.standing is not Standing.CONFIRMED:
            read = "the same read as above" if cause.decide in told else cause.decide
            yield from advice(("dim", "settle it: "), read, indent=9, page=page)
            told.add(cause.decide)
    ruled_out = [cause.title for cause in finding.causes if cause.standing is Standing.RULED_OUT]
    if ruled_out:
        yield from wrapped(("dim", "ruled out: "), "; ".join(ruled_out), indent=2, page=page, style="dim")
    yield ()


def _cause(cause: Cause, page: Page, *, likeliest: bool) -> Iterator[Line]:
    likely = "likely" if likeliest else "possible"
    standing = "confirmed" if cause.standing is Standing.CONFIRMED else likely
    yield from wrapped(("dim", "cause: "), f"{cause.title} ({standing})", indent=2, page=page)
    if cause.fix:
        yield from advice(("good", "fix: "), cause.fix, indent=9, page=page)


def _subject(verdict: Verdict) -> str:
    plan = verdict.plan
    where = ", ".join(part for part in (plan.platform, plan.region) if part)
    return f"{plan.image or 'no image'} ({where})"


def _sentence(verdict: Verdict) -> Line:
    """One line however long: people grep for the last one."""
    return (_TONES[verdict.status], str(verdict.status)), ("", f": {_words(verdict)}")


def _words(verdict: Verdict) -> str:
    counts = [(severity, sum(one.severity is severity for one in verdict.findings)) for severity in _ORDER[:2]]
    found = " and ".join(f"{count} {severity}{'s' if count > 1 else ''}" for severity, count in counts if count)
    parts = [
        _PULLS[verdict.pull] + _but(verdict),
        found,
        f"measured {_PATHS[verdict.path]} {_identity(verdict)}",
        duration(verdict.seconds),
    ]
    return "; ".join(part for part in parts if part)


def _but(verdict: Verdict) -> str:
    """What makes a verdict fail whose pull is not broken."""
    if verdict.status is not Status.FAIL or verdict.pull is Pull.BROKEN:
        return ""
    reasons: dict[Impact, list[str]] = {}
    for finding in verdict.findings:
        if finding.severity is Severity.ERROR and finding.impact in _BUTS:
            reasons.setdefault(finding.impact, []).extend(finding.endpoints)
    known = [f"{_BUTS[impact]}: {', '.join(dict.fromkeys(reasons[impact]))}" for impact in _BUTS if impact in reasons]
    return f", but {', and '.join(known)}" if known else ""


def _identity(verdict: Verdict) -> str:
    identity = verdict.identity
    if identity.source == "none":
        return "without credentials"
    if identity.arn is None:
        return f"with credentials from {identity.source}"
    return f"as {identity.arn.rpartition(':')[2]} (from {identity.source})"

"""What of a verdict was measured. Reports in numbers leave out what was not reached: zero would be a number too."""

from __future__ import annotations

from probe.endpoints import ROWS
from probe.model import Action, EndpointSummary, Failure, Impact, Outcome, Severity, Step, Verdict

# All that endpoints are called, beside what concerns the task itself. A saved document may name others, and those are
# anybody's words.
ENDPOINTS = frozenset({*ROWS, "task"})
_LONGEST = 256  # characters; what the task's metadata says of itself has no limit of its own


def tried(verdict: Verdict) -> list[Step]:
    return [step for step in verdict.steps if step.outcome is not Outcome.SKIPPED and step.endpoint in ENDPOINTS]


def reached(verdict: Verdict, *actions: Action) -> set[str]:
    """Endpoints of which one of these steps came to an end of its own: the deadline's is no measurement."""
    ended = [step for step in tried(verdict) if step.failure is not Failure.DEADLINE]
    return {step.endpoint for step in ended if step.action in actions}


def success(verdict: Verdict, endpoint: EndpointSummary) -> bool | None:
    """Whether the endpoint works. None: not reached, or its requests were not tried since something else had failed."""
    if endpoint.name not in reached(verdict, *Action):
        return None
    if endpoint.ok or not endpoint.reached:
        return endpoint.ok
    errors = [finding for finding in verdict.findings if finding.severity is Severity.ERROR]
    failed = any(endpoint.name in finding.endpoints for finding in errors if finding.impact is not Impact.PROOF)
    return False if failed else None


def throughput(verdict: Verdict) -> float | None:
    """Bytes per second of the largest of the fetched layers."""
    layers = [step.layer for step in tried(verdict) if step.layer]
    timed = [layer for layer in layers if layer.bytes_per_second is not None]
    return max(timed, key=lambda layer: layer.received).bytes_per_second if timed else None


def cluster(verdict: Verdict) -> str | None:
    """Its name; old agents tell its ARN."""
    return printable(verdict.surroundings.cluster or "").rpartition("/")[2] or None


def service(verdict: Verdict) -> str | None:
    return printable(verdict.surroundings.service or "") or None


def printable(text: str) -> str:
    """What a task was told of itself may be any characters, also such as UTF-8 has none for."""
    return "".join(c if c.isprintable() else "?" for c in text[:_LONGEST])

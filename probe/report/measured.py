"""What a verdict measured, for metrics. A value that was not measured is left out, because 0 is a measurement."""

from __future__ import annotations

from probe.endpoints import ROWS
from probe.model import Action, EndpointSummary, Failure, Impact, Outcome, Severity, Step, Verdict
from probe.safe_words import shortened

# All endpoints, and the task itself. A saved document may hold other names, which are foreign text.
ENDPOINTS = frozenset({*ROWS, "task"})
_LONGEST_LABEL = 256  # characters; the task's metadata has no limit of its own


def tried(verdict: Verdict) -> list[Step]:
    """The steps that were not skipped, of endpoints that exist."""
    return [step for step in verdict.steps if step.outcome is not Outcome.SKIPPED and step.endpoint in ENDPOINTS]


def reached(verdict: Verdict, *actions: Action) -> set[str]:
    """Endpoints at which one of these actions ended. A step that the deadline cut off is not a measurement."""
    ended = [step for step in tried(verdict) if step.failure is not Failure.DEADLINE]
    return {step.endpoint for step in ended if step.action in actions}


def success(verdict: Verdict, endpoint: EndpointSummary) -> bool | None:
    """Whether the endpoint works. None: not tried, or its requests were skipped because something else failed."""
    if endpoint.name not in reached(verdict, *Action):
        return None
    if endpoint.ok or not endpoint.reached:
        return endpoint.ok
    errors = [finding for finding in verdict.findings if finding.severity is Severity.ERROR]
    failed = any(endpoint.name in finding.endpoints for finding in errors if finding.impact is not Impact.PROOF)
    return False if failed else None


def throughput(verdict: Verdict) -> float | None:
    """Bytes per second of the largest layer that was downloaded."""
    layers = [step.layer for step in tried(verdict) if step.layer]
    timed = [layer for layer in layers if layer.bytes_per_second is not None]
    return max(timed, key=lambda layer: layer.received).bytes_per_second if timed else None


def cluster(verdict: Verdict) -> str | None:
    """The cluster's name; old agents report its ARN."""
    return label(verdict.surroundings.cluster).rpartition("/")[2] or None


def service(verdict: Verdict) -> str | None:
    return label(verdict.surroundings.service) or None


def label(text: str | None) -> str:
    """Metadata as a label or property of a metric."""
    return shortened(text or "", _LONGEST_LABEL)

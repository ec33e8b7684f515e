"""A run in CloudWatch's Embedded Metric Format: CloudWatch Logs extracts metrics from these lines.

One line for the run and one for each endpoint, since all metrics of a line share their dimensions. The names are a
contract with dashboards and alarms. Values of high cardinality (codes, the task's ARN) are properties: Logs Insights
can query them, and they are not billed as metrics. Numbers that were not measured are left out.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from probe import __version__
from probe.model import Action, EndpointSummary, JudgedFinding, Pull, Severity, Verdict
from probe.report import Page
from probe.report.measured import cluster, label, reached, service, success, throughput
from probe.safe_words import json_bytes

NAMESPACE = "EcrProbe"
SERVICE = "ecr-probe"  # outside ECS


class _Metric(NamedTuple):
    value: float | None
    unit: str = "None"


def render(verdict: Verdict, _page: Page) -> str:
    return "".join(f"{line}\n" for line in _lines(verdict))


def _lines(verdict: Verdict) -> Iterator[str]:
    yield _line(verdict, {}, _of_run(verdict), verdict.findings)
    for endpoint in verdict.endpoints:
        named = tuple(finding for finding in verdict.findings if endpoint.name in finding.endpoints)
        metrics = _of_endpoint(verdict, endpoint)
        if any(metric.value is not None for metric in metrics.values()):
            yield _line(verdict, {"Endpoint": endpoint.name}, metrics, named)


def _of_run(verdict: Verdict) -> Mapping[str, _Metric]:
    severities = [finding.severity for finding in verdict.findings]
    return {
        "PullSuccess": _Metric(None if verdict.pull is Pull.UNPROVEN else verdict.pull is Pull.WORKS),
        "Findings": _Metric(severities.count(Severity.ERROR), "Count"),
        "Warnings": _Metric(severities.count(Severity.WARNING), "Count"),
        "RunDuration": _Metric(verdict.seconds, "Seconds"),
        "LayerThroughput": _Metric(throughput(verdict), "Bytes/Second"),
    }


def _of_endpoint(verdict: Verdict, endpoint: EndpointSummary) -> Mapping[str, _Metric]:
    def if_reached(value: float, *actions: Action) -> float | None:
        return value if endpoint.name in reached(verdict, *actions) else None

    return {
        "EndpointSuccess": _Metric(success(verdict, endpoint)),
        "AddressesResolved": _Metric(if_reached(endpoint.resolved, Action.DNS), "Count"),
        "AddressesReachable": _Metric(if_reached(endpoint.reached, Action.TCP, Action.TLS), "Count"),
    }


def _line(
    verdict: Verdict,
    further: Mapping[str, str],
    metrics: Mapping[str, _Metric],
    findings: tuple[JudgedFinding, ...],
) -> str:
    dimensions = {
        "Cluster": _dimension(cluster(verdict)),
        "Service": _dimension(service(verdict) or SERVICE),
        **further,
    }
    measured = {
        name: metric for name, metric in metrics.items() if metric.value is not None and math.isfinite(metric.value)
    }
    directive = {
        "Namespace": NAMESPACE,
        "Dimensions": [list(dimensions)],
        "Metrics": [{"Name": name, "Unit": metric.unit} for name, metric in measured.items()],
    }
    ended = verdict.started_at.timestamp() + verdict.seconds
    document = {
        "_aws": {"Timestamp": round(ended * 1000), "CloudWatchMetrics": [directive]},
        **dimensions,
        **{name: _number(metric) for name, metric in measured.items()},
        "Status": verdict.status,
        "Pull": verdict.pull,
        "ErrorCodes": _codes(findings, Severity.ERROR),
        "WarningCodes": _codes(findings, Severity.WARNING),
        "TaskArn": label(verdict.surroundings.task_arn),
        "Version": __version__,
    }
    return json_bytes(document).decode()


def _number(metric: _Metric) -> float | None:
    """A number also for a truth value, since CloudWatch does not read true and false as numbers."""
    return int(metric.value) if isinstance(metric.value, bool) else metric.value


def _codes(findings: tuple[JudgedFinding, ...], severity: Severity) -> str:
    """Each code once, in one text: Logs Insights searches a text, but splits a list into fields."""
    return " ".join(dict.fromkeys(finding.code for finding in findings if finding.severity is severity))


def _dimension(text: str | None) -> str:
    """The value of a dimension: CloudWatch accepts ASCII that is not blank and does not begin with a colon."""
    return (text or "").encode("ascii", "replace").decode().strip().lstrip(":") or "none"

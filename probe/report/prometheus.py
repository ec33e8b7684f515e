"""One run as Prometheus text exposition, for the textfile collector. Names and labels are a contract with dashboards.

An unreached phase has no sample: zero is a measurement. No address, digest, URL or error text is ever a label.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from probe.endpoints import CORE_ENDPOINTS
from probe.model import (
    Action,
    AddressClass,
    CertificateSeen,
    ConnectionSeen,
    Failure,
    Kind,
    LayerSeen,
    Outcome,
    Pull,
    Status,
    Step,
    Verdict,
)
from probe.report import Page

PREFIX = "ecr_probe_"
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 1.0, 3.0, 10.0)


def render(verdict: Verdict, _page: Page) -> str:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(OneRun(verdict))
    return generate_latest(registry).decode()


class OneRun(Collector):
    """Collects the metrics of one verdict; they vanish with it."""

    def __init__(self, verdict: Verdict) -> None:
        self._verdict = verdict

    def collect(self) -> Iterator[Metric]:
        yield from _answers(self._verdict)
        yield from _steps(self._verdict)
        yield from _paths(self._verdict)
        yield from _bytes(self._verdict)
        yield from _moments(self._verdict)
        yield from _identity(self._verdict)


def _gauge(name: str, documentation: str, labels: Iterable[str] = ()) -> GaugeMetricFamily:
    return GaugeMetricFamily(PREFIX + name, documentation, labels=list(labels))


def _value(name: str, documentation: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(PREFIX + name, documentation, value=value)


def _tried(verdict: Verdict) -> list[Step]:
    return [step for step in verdict.steps if step.outcome is not Outcome.SKIPPED]


def _reached(verdict: Verdict, *actions: Action) -> set[str]:
    """Endpoints of which one of these steps came to an end of its own: the deadline's is no measurement."""
    ended = [step for step in _tried(verdict) if step.failure is not Failure.DEADLINE]
    return {step.endpoint for step in ended if step.action in actions}


def _answers(verdict: Verdict) -> Iterator[Metric]:
    if verdict.pull is not Pull.UNPROVEN:
        works = verdict.pull is Pull.WORKS
        yield _value("pull_success", "1 where ECS can pull the image, 0 where it cannot; absent where unproven.", works)
    success = _gauge("endpoint_success", "1 where the endpoint works, 0 where it does not.", ["endpoint"])
    tried = _reached(verdict, *Action)
    for endpoint in verdict.endpoints:
        if endpoint.name in tried:
            success.add_metric([endpoint.name], endpoint.ok)
    yield success
    found = _gauge("finding", "1 while a finding stands.", ["code", "severity"])
    for code, severity in dict.fromkeys((finding.code, str(finding.severity)) for finding in verdict.findings):
        found.add_metric([code, severity], 1)
    yield found


def _steps(verdict: Verdict) -> Iterator[Metric]:
    tried = _tried(verdict)
    labels = ["endpoint", "step"]
    slowest: dict[tuple[str, str], float] = {}
    for step in tried:
        if step.seconds is not None:
            key = (step.endpoint, str(step.action))
            slowest[key] = max(step.seconds, slowest.get(key, 0.0))
    duration = _gauge("step_duration_seconds", "Duration of a step in the last run; the slowest of several.", labels)
    for key, seconds in slowest.items():
        duration.add_metric(list(key), seconds)
    yield duration
    yield _latency(tried)
    total = CounterMetricFamily(f"{PREFIX}steps_total", "Steps that were tried.", labels=labels)
    for key, count in Counter((step.endpoint, str(step.action)) for step in tried).items():
        total.add_metric(list(key), count)
    yield total
    failures = CounterMetricFamily(f"{PREFIX}step_failures_total", "Steps that failed.", labels=[*labels, "reason"])
    failed = Counter((step.endpoint, str(step.action), str(step.failure)) for step in tried if step.failed)
    for reason, count in failed.items():
        failures.add_metric(list(reason), count)
    yield failures


def _latency(tried: Iterable[Step]) -> Metric:
    """Of the planned endpoints only: what --also adds must not multiply the series."""
    samples: dict[tuple[str, str], list[float]] = {}
    for step in tried:
        if step.endpoint in CORE_ENDPOINTS and step.seconds is not None:
            samples.setdefault((step.endpoint, str(step.action)), []).append(step.seconds)
    latency = HistogramMetricFamily(f"{PREFIX}step_latency_seconds", "Durations of steps.", labels=["endpoint", "step"])
    for key, seconds in samples.items():
        bounds = [(f"{bound}", float(sum(one <= bound for one in seconds))) for bound in BUCKETS]
        latency.add_metric(list(key), [*bounds, ("+Inf", float(len(seconds)))], sum_value=sum(seconds))
    return latency


def _paths(verdict: Verdict) -> Iterator[Metric]:
    info = _gauge("path_info", "Where the addresses of an endpoint lie.", ["endpoint", "path_class"])
    for endpoint, path_class in dict.fromkeys(_classes(verdict)):
        info.add_metric([endpoint, path_class], 1)
    yield info
    resolved = _gauge("addresses_resolved", "Addresses that the endpoint's name gave.", ["endpoint"])
    reachable = _gauge("addresses_reachable", "Addresses of the endpoint on which TLS was completed.", ["endpoint"])
    asked, dialled = _reached(verdict, Action.DNS), _reached(verdict, Action.TCP, Action.TLS)
    for summary in verdict.endpoints:
        if summary.name in asked:
            resolved.add_metric([summary.name], summary.resolved)
        if summary.name in dialled:
            reachable.add_metric([summary.name], summary.reached)
    yield resolved
    yield reachable


def _classes(verdict: Verdict) -> Iterator[tuple[str, str]]:
    """(endpoint, class) of every address that was dialled. A public S3 address is right behind a gateway endpoint."""
    kinds = {endpoint.name: endpoint.kind for endpoint in verdict.endpoints}
    for step in _tried(verdict):
        if isinstance(step.seen, ConnectionSeen) and step.endpoint in kinds:
            s3_public = kinds[step.endpoint] is Kind.GATEWAY and step.seen.address_class is AddressClass.PUBLIC
            yield step.endpoint, "s3-public" if s3_public else str(step.seen.address_class)


def _bytes(verdict: Verdict) -> Iterator[Metric]:
    layers = [step.seen for step in _tried(verdict) if isinstance(step.seen, LayerSeen)]
    if layers:
        total = CounterMetricFamily(f"{PREFIX}layer_bytes_total", "Bytes of layers and image configurations received.")
        total.add_metric([], sum(layer.received for layer in layers))
        yield total
    timed = [layer for layer in layers if layer.bytes_per_second is not None]
    if timed:
        largest = max(timed, key=lambda layer: layer.received)
        documentation = "Rate at which the largest of the fetched layers came."
        yield _value("layer_throughput_bytes_per_second", documentation, largest.bytes_per_second or 0.0)
    ends: dict[str, float] = {}
    for step in _tried(verdict):
        if isinstance(step.seen, CertificateSeen) and step.seen.not_after is not None:
            ends[step.endpoint] = min(step.seen.not_after.timestamp(), ends.get(step.endpoint, math.inf))
    documentation = "Moment at which the endpoint's certificate expires; the earliest of several."
    expiry = _gauge("tls_certificate_not_after_timestamp_seconds", documentation, ["endpoint"])
    for endpoint, moment in ends.items():
        expiry.add_metric([endpoint], moment)
    yield expiry


def _moments(verdict: Verdict) -> Iterator[Metric]:
    ended = verdict.started_at.timestamp() + verdict.seconds
    yield _value("last_run_timestamp_seconds", "Moment at which the last run ended.", ended)
    if verdict.status in (Status.PASS, Status.DEGRADED):
        yield _value("last_success_timestamp_seconds", "Moment at which the last run ended that passed.", ended)
    yield _value("run_duration_seconds", "Duration of the last run.", verdict.seconds)
    yield _value("config_valid", "1 where the configuration could be read.", 1)


def _identity(verdict: Verdict) -> Iterator[Metric]:
    build = _gauge("build_info", "The version that measured.", ["version"])
    build.add_metric([verdict.version], 1)
    yield build
    here = verdict.surroundings
    said = {
        "path": str(verdict.path),
        "region": here.region or verdict.plan.region,
        "account": here.account,
        "launch_type": here.launch_type,
        "availability_zone": here.availability_zone,
        "cluster": here.cluster,
        "task_arn": here.task_arn,
    }
    task = _gauge("task_info", "Where the probe runs; empty where it was not told.", list(said))
    task.add_metric([value or "" for value in said.values()], 1)
    yield task

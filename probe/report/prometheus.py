"""The metrics of a snapshot, in the formats of Prometheus and OpenMetrics. Alerts and dashboards rely on their names.

Metrics are a pure function of the snapshot, so no series outlives what it describes. What was not measured has no
sample, because zero is a measurement. No address, digest, URL or error text is a label; only task_info has labels on
where the probe runs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from probe import __version__
from probe.endpoints import CORE_ENDPOINTS
from probe.history import BUCKETS, Snapshot, advance
from probe.model import (
    Action,
    AddressClass,
    Kind,
    Pull,
    Status,
    Verdict,
)
from probe.report import Page
from probe.report.measured import ENDPOINTS, label, reached, service, success, throughput, tried

PREFIX = "ecr_probe_"
# An upper bound for any failures: a test counts the series that the closed vocabularies allow.
MOST_SERIES = 1000


def render(verdict: Verdict, _page: Page) -> str:
    """The metrics of one run, for the textfile collector and the push gateway: without interval_seconds and
    run_overruns_total, because no further run is scheduled."""
    return exposition(snapshot_of(verdict), accept="")[0].decode()


def exposition(snapshot: Snapshot, *, accept: str, compat_blackbox: bool = False) -> tuple[bytes, str]:
    """(body, content type) for a scraper with this Accept header. A snapshot always has the same."""
    encode, content_type = _encoder(accept)
    return encode(Metrics(snapshot, compat_blackbox=compat_blackbox)), content_type


def _encoder(accept: str) -> tuple[Callable[[Collector], bytes], str]:
    try:
        return choose_encoder(accept)
    except (TypeError, ValueError):  # the library compares an invalid version with numbers
        return choose_encoder("")


def snapshot_of(verdict: Verdict) -> Snapshot:
    """The snapshot of a single run, without an interval."""
    return advance(Snapshot(started_at=verdict.started_at, interval=0, base_interval=0), verdict, interval=0)


class Metrics(Collector):
    """Collects the metrics of one snapshot."""

    def __init__(self, snapshot: Snapshot, *, compat_blackbox: bool = False) -> None:
        self._snapshot = snapshot
        self._compat_blackbox = compat_blackbox

    def collect(self) -> Iterator[Metric]:
        snapshot = self._snapshot
        yield from _of_program(snapshot)
        if snapshot.verdict is not None:
            yield from _last_run(snapshot.verdict)
        if snapshot.totals.rounds:
            yield from _all_runs(snapshot)
        if self._compat_blackbox:
            yield from _blackbox(snapshot)


def _gauge(name: str, documentation: str, labels: Iterable[str] = ()) -> GaugeMetricFamily:
    return GaugeMetricFamily(PREFIX + name, documentation, labels=list(labels))


def _value(name: str, documentation: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(PREFIX + name, documentation, value=value)


def _counter(name: str, documentation: str, labels: Iterable[str] = ()) -> CounterMetricFamily:
    return CounterMetricFamily(PREFIX + name, documentation, labels=list(labels))


# ---- the program -----------------------------------------------------------------------------------------------------


def _of_program(snapshot: Snapshot) -> Iterator[Metric]:
    """Metrics that exist before the first round has ended."""
    build = _gauge("build_info", "The version of ecr-probe.", ["version"])
    build.add_metric([__version__], 1)
    yield build
    valid = "1 if the last run could begin, 0 if its configuration was incomplete."
    yield _value("config_valid", valid, snapshot.misconfigured is None)
    if snapshot.interval:
        yield _value("interval_seconds", "Current seconds between the starts of two runs.", snapshot.interval)
        overruns = _counter("run_overruns_total", "Runs that had not ended when the next one was due.")
        overruns.add_metric([], snapshot.totals.overruns)
        yield overruns


# ---- the last run ----------------------------------------------------------------------------------------------------


def _last_run(verdict: Verdict) -> Iterator[Metric]:
    yield from _answers(verdict)
    yield from _durations(verdict)
    yield from _paths(verdict)
    yield from _bytes(verdict)
    yield from _moments(verdict)
    yield from _identity(verdict)


def _answers(verdict: Verdict) -> Iterator[Metric]:
    if verdict.pull is not Pull.UNPROVEN:
        works = verdict.pull is Pull.WORKS
        yield _value("pull_success", "1 if ECS can pull the image, 0 if it cannot; absent if unproven.", works)
    documentation = "1 if the endpoint works, 0 if it does not; absent if an earlier failure left its requests untried."
    successes = _gauge("endpoint_success", documentation, ["endpoint"])
    for endpoint in verdict.endpoints:
        succeeded = success(verdict, endpoint)
        if succeeded is not None:
            successes.add_metric([endpoint.name], succeeded)
    yield successes
    findings = _gauge("finding", "1 for each finding of the last run.", ["code", "severity"])
    for code, severity in dict.fromkeys((finding.code, str(finding.severity)) for finding in verdict.findings):
        findings.add_metric([code, severity], 1)
    yield findings


def _durations(verdict: Verdict) -> Iterator[Metric]:
    slowest: dict[tuple[str, str], float] = {}
    for step in tried(verdict):
        if step.seconds is not None:
            key = (step.endpoint, str(step.action))
            slowest[key] = max(step.seconds, slowest.get(key, 0.0))
    documentation = "Duration of a step in the last run; of several steps the slowest."
    duration = _gauge("step_duration_seconds", documentation, ["endpoint", "step"])
    for key, seconds in slowest.items():
        duration.add_metric(list(key), seconds)
    yield duration


def _paths(verdict: Verdict) -> Iterator[Metric]:
    info = _gauge("path_info", "The kind of addresses at which an endpoint was reached.", ["endpoint", "path_class"])
    for endpoint, path_class in dict.fromkeys(_classes(verdict)):
        info.add_metric([endpoint, path_class], 1)
    yield info
    resolved = _gauge("addresses_resolved", "Addresses to which the endpoint's name resolved.", ["endpoint"])
    reachable = _gauge("addresses_reachable", "Addresses of the endpoint on which TLS was completed.", ["endpoint"])
    asked, dialled = reached(verdict, Action.DNS), reached(verdict, Action.TCP, Action.TLS)
    for summary in verdict.endpoints:
        if summary.name in asked:
            resolved.add_metric([summary.name], summary.resolved)
        if summary.name in dialled:
            reachable.add_metric([summary.name], summary.reached)
    yield resolved
    yield reachable


def _classes(verdict: Verdict) -> Iterator[tuple[str, str]]:
    """(endpoint, class) of each address that was dialed. With a gateway endpoint S3 has public addresses."""
    kinds = {endpoint.name: endpoint.kind for endpoint in verdict.endpoints}
    for step in tried(verdict):
        if step.connection and step.endpoint in kinds:
            address_class = step.connection.address_class
            s3_public = kinds[step.endpoint] is Kind.GATEWAY and address_class is AddressClass.PUBLIC
            yield step.endpoint, "s3-public" if s3_public else str(address_class)


def _bytes(verdict: Verdict) -> Iterator[Metric]:
    rate = throughput(verdict)
    if rate is not None:
        yield _value("layer_throughput_bytes_per_second", "Download rate of the largest layer.", rate)
    ends: dict[str, float] = {}
    for step in tried(verdict):
        if step.certificate and step.certificate.not_after is not None:
            ends[step.endpoint] = min(step.certificate.not_after.timestamp(), ends.get(step.endpoint, math.inf))
    documentation = "Time at which the endpoint's certificate expires; of several the earliest."
    expiry = _gauge("tls_certificate_not_after_timestamp_seconds", documentation, ["endpoint"])
    for endpoint, moment in ends.items():
        expiry.add_metric([endpoint], moment)
    yield expiry


def _moments(verdict: Verdict) -> Iterator[Metric]:
    ended = verdict.started_at.timestamp() + verdict.seconds
    yield _value("last_run_timestamp_seconds", "Time at which the last run ended.", ended)
    yield _value("run_duration_seconds", "Duration of the last run.", verdict.seconds)


def _identity(verdict: Verdict) -> Iterator[Metric]:
    here = verdict.surroundings
    labels = {
        "path": str(verdict.path),
        "service": service(verdict),
        "region": here.region or verdict.plan.region,
        "account": here.account,
        "launch_type": here.launch_type,
        "availability_zone": here.availability_zone,
        "cluster": here.cluster,
        "task_arn": here.task_arn,
    }
    task = _gauge("task_info", "Where the probe runs; empty if unknown.", list(labels))
    task.add_metric([label(value) for value in labels.values()], 1)
    yield task


# ---- all runs --------------------------------------------------------------------------------------------------------


def _all_runs(snapshot: Snapshot) -> Iterator[Metric]:
    totals, labels = snapshot.totals, ["endpoint", "step"]
    rounds = _counter("rounds_total", "Runs that ended, by the status of their verdict.", ["status"])
    for status in Status:  # each from the start, so that the first failing run is an increase
        rounds.add_metric([status], totals.statuses.get(status, 0))
    yield rounds
    latency = HistogramMetricFamily(f"{PREFIX}step_latency_seconds", "Durations of steps.", labels=labels)
    for key, histogram in totals.latencies.items():
        if key[0] in CORE_ENDPOINTS:  # endpoints of --also would multiply the series
            bounds = [(f"{bound}", float(count)) for bound, count in zip(BUCKETS, histogram.below, strict=True)]
            latency.add_metric(list(key), [*bounds, ("+Inf", float(histogram.count))], sum_value=histogram.seconds)
    yield latency
    steps = _counter("steps_total", "Steps that were tried.", labels)
    for key, count in totals.steps.items():
        if key[0] in ENDPOINTS:
            steps.add_metric(list(key), count)
    yield steps
    failures = _counter("step_failures_total", "Steps that failed.", [*labels, "reason"])
    for reason, count in totals.failures.items():
        if reason[0] in ENDPOINTS:
            failures.add_metric(list(reason), count)
    yield failures
    if any(action == Action.LAYER for _, action in totals.steps):
        received = _counter("layer_bytes_total", "Bytes of layers and image configurations received.")
        received.add_metric([], totals.layer_bytes)
        yield received
    if snapshot.last_success is not None:
        moment = snapshot.last_success.timestamp()
        yield _value("last_success_timestamp_seconds", "Time at which the last passing run ended.", moment)


# ---- blackbox_exporter's names --------------------------------------------------------------------------------------


def _blackbox(snapshot: Snapshot) -> Iterator[Metric]:
    """The same names and meaning as blackbox_exporter's, for existing rules: a run that proved nothing has failed."""
    verdict = snapshot.verdict
    if verdict is not None or snapshot.misconfigured is not None:
        good = verdict is not None and verdict.status in (Status.PASS, Status.DEGRADED)
        yield GaugeMetricFamily("probe_success", "1 if the last run was pass or degraded.", value=good)
    if verdict is not None:
        yield GaugeMetricFamily("probe_duration_seconds", "Duration of the last run.", value=verdict.seconds)

"""A snapshot as Prometheus and OpenMetrics exposition. Names and labels are a contract with alerts and dashboards.

A pure function of the snapshot, so no series outlives what it describes. An unreached phase has no sample: zero is a
measurement. No address, digest, URL or error text is ever a label; where the probe runs is in task_info alone.
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
from probe.report.measured import ENDPOINTS, label, reached, success, throughput, tried

PREFIX = "ecr_probe_"
# An upper bound for any failure: a test counts the series from the closed vocabularies.
MOST_SERIES = 1000


def render(verdict: Verdict, _page: Page) -> str:
    """One run, for the textfile collector and the push gateway: nothing is scheduled, so the series about a schedule
    (interval_seconds, run_overruns_total) are left out."""
    return exposition(alone(verdict), accept="")[0].decode()


def exposition(snapshot: Snapshot, *, accept: str, compat_blackbox: bool = False) -> tuple[bytes, str]:
    """(body, content type) for a scraper with this Accept header. Always the same for one snapshot."""
    encode, content_type = _encoder(accept)
    return encode(Metrics(snapshot, compat_blackbox=compat_blackbox)), content_type


def _encoder(accept: str) -> tuple[Callable[[Collector], bytes], str]:
    try:
        return choose_encoder(accept)
    except (TypeError, ValueError):  # a version that is none, which the library compares with numbers
        return choose_encoder("")


def alone(verdict: Verdict) -> Snapshot:
    """The snapshot of one run. No interval: there is no next one."""
    return advance(Snapshot(started_at=verdict.started_at, interval=0, base_interval=0), verdict, interval=0)


class Metrics(Collector):
    """Collects the metrics of one snapshot; they vanish with it."""

    def __init__(self, snapshot: Snapshot, *, compat_blackbox: bool = False) -> None:
        self._snapshot = snapshot
        self._compat_blackbox = compat_blackbox

    def collect(self) -> Iterator[Metric]:
        snapshot = self._snapshot
        yield from _ourselves(snapshot)
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


# ---- ourselves -------------------------------------------------------------------------------------------------------


def _ourselves(snapshot: Snapshot) -> Iterator[Metric]:
    """Metrics that exist before the first round has ended."""
    build = _gauge("build_info", "The version of ecr-probe.", ["version"])
    build.add_metric([__version__], 1)
    yield build
    valid = "1 where the last run could begin, 0 where the configuration left something out."
    yield _value("config_valid", valid, snapshot.misconfigured is None)
    if snapshot.interval:
        yield _value("interval_seconds", "Seconds between the starts of two runs, now.", snapshot.interval)
        overruns = _counter("run_overruns_total", "Runs that were still going when the next one was due.")
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
        yield _value("pull_success", "1 where ECS can pull the image, 0 where it cannot; absent where unproven.", works)
    documentation = "1 where the endpoint works, 0 where it does not; absent where its requests were not tried."
    successes = _gauge("endpoint_success", documentation, ["endpoint"])
    for endpoint in verdict.endpoints:
        succeeded = success(verdict, endpoint)
        if succeeded is not None:
            successes.add_metric([endpoint.name], succeeded)
    yield successes
    findings = _gauge("finding", "1 while a finding stands.", ["code", "severity"])
    for code, severity in dict.fromkeys((finding.code, str(finding.severity)) for finding in verdict.findings):
        findings.add_metric([code, severity], 1)
    yield findings


def _durations(verdict: Verdict) -> Iterator[Metric]:
    slowest: dict[tuple[str, str], float] = {}
    for step in tried(verdict):
        if step.seconds is not None:
            key = (step.endpoint, str(step.action))
            slowest[key] = max(step.seconds, slowest.get(key, 0.0))
    documentation = "Duration of a step in the last run; the slowest of several."
    duration = _gauge("step_duration_seconds", documentation, ["endpoint", "step"])
    for key, seconds in slowest.items():
        duration.add_metric(list(key), seconds)
    yield duration


def _paths(verdict: Verdict) -> Iterator[Metric]:
    info = _gauge("path_info", "Where the addresses of an endpoint lie.", ["endpoint", "path_class"])
    for endpoint, path_class in dict.fromkeys(_classes(verdict)):
        info.add_metric([endpoint, path_class], 1)
    yield info
    resolved = _gauge("addresses_resolved", "Addresses that the endpoint's name gave.", ["endpoint"])
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
    """(endpoint, class) of every address that was dialled. A public S3 address is right behind a gateway endpoint."""
    kinds = {endpoint.name: endpoint.kind for endpoint in verdict.endpoints}
    for step in tried(verdict):
        if step.connection and step.endpoint in kinds:
            address_class = step.connection.address_class
            s3_public = kinds[step.endpoint] is Kind.GATEWAY and address_class is AddressClass.PUBLIC
            yield step.endpoint, "s3-public" if s3_public else str(address_class)


def _bytes(verdict: Verdict) -> Iterator[Metric]:
    rate = throughput(verdict)
    if rate is not None:
        yield _value("layer_throughput_bytes_per_second", "Rate at which the largest of the fetched layers came.", rate)
    ends: dict[str, float] = {}
    for step in tried(verdict):
        if step.certificate and step.certificate.not_after is not None:
            ends[step.endpoint] = min(step.certificate.not_after.timestamp(), ends.get(step.endpoint, math.inf))
    documentation = "Moment at which the endpoint's certificate expires; the earliest of several."
    expiry = _gauge("tls_certificate_not_after_timestamp_seconds", documentation, ["endpoint"])
    for endpoint, moment in ends.items():
        expiry.add_metric([endpoint], moment)
    yield expiry


def _moments(verdict: Verdict) -> Iterator[Metric]:
    ended = verdict.started_at.timestamp() + verdict.seconds
    yield _value("last_run_timestamp_seconds", "Moment at which the last run ended.", ended)
    yield _value("run_duration_seconds", "Duration of the last run.", verdict.seconds)


def _identity(verdict: Verdict) -> Iterator[Metric]:
    here = verdict.surroundings
    labels = {
        "path": str(verdict.path),
        "region": here.region or verdict.plan.region,
        "account": here.account,
        "launch_type": here.launch_type,
        "availability_zone": here.availability_zone,
        "cluster": here.cluster,
        "task_arn": here.task_arn,
    }
    task = _gauge("task_info", "Where the probe runs; empty where unknown.", list(labels))
    task.add_metric([label(value) for value in labels.values()], 1)
    yield task


# ---- all runs --------------------------------------------------------------------------------------------------------


def _all_runs(snapshot: Snapshot) -> Iterator[Metric]:
    totals, labels = snapshot.totals, ["endpoint", "step"]
    latency = HistogramMetricFamily(f"{PREFIX}step_latency_seconds", "Durations of steps.", labels=labels)
    for key, one in totals.latencies.items():
        if key[0] in CORE_ENDPOINTS:  # what --also adds must not multiply the series
            bounds = [(f"{bound}", float(count)) for bound, count in zip(BUCKETS, one.below, strict=True)]
            latency.add_metric(list(key), [*bounds, ("+Inf", float(one.count))], sum_value=one.seconds)
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
        yield _value("last_success_timestamp_seconds", "Moment at which the last run ended that passed.", moment)


# ---- other people's names --------------------------------------------------------------------------------------------


def _blackbox(snapshot: Snapshot) -> Iterator[Metric]:
    """blackbox_exporter's names, for rules that exist. There a run that proved nothing has failed too."""
    verdict = snapshot.verdict
    if verdict is not None or snapshot.misconfigured is not None:
        good = verdict is not None and verdict.status in (Status.PASS, Status.DEGRADED)
        yield GaugeMetricFamily("probe_success", "1 where the last run was pass or degraded.", value=good)
    if verdict is not None:
        yield GaugeMetricFamily("probe_duration_seconds", "Duration of the last run.", value=verdict.seconds)

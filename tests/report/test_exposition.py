"""The metrics of a snapshot: the contract's names, before and after rounds, in both formats, and how many series there
can be."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

import probe.measure
from probe import __version__
from probe.faults import FAULTS, TEXT_ONLY
from probe.history import MOST_FAILURES, Latency, Snapshot, Totals, advance
from probe.model import (
    Action,
    AddressClass,
    CertificateSeen,
    ConnectionSeen,
    Failure,
    Impact,
    LayerSeen,
    Pull,
    Severity,
    Status,
    Step,
    Verdict,
)
from probe.model import (
    Path as MeasuredPath,
)
from probe.report import Page
from probe.report.prometheus import MOST_SERIES, exposition, render
from tests.report import made
from tests.report.hostile import ALSO, PLANNED, hostile_verdicts, verdict_of
from tests.report.promtool import assert_promtool_likes

# The contract, spelled by hand: dashboards and alerts are written against it.
SELF = {
    "ecr_probe_build_info": ("gauge", {"version"}),
    "ecr_probe_config_valid": ("gauge", set()),
    "ecr_probe_interval_seconds": ("gauge", set()),
    "ecr_probe_run_overruns_total": ("counter", set()),
}
CONTRACT = SELF | {
    "ecr_probe_pull_success": ("gauge", set()),
    "ecr_probe_endpoint_success": ("gauge", {"endpoint"}),
    "ecr_probe_step_duration_seconds": ("gauge", {"endpoint", "step"}),
    "ecr_probe_step_latency_seconds": ("histogram", {"endpoint", "step"}),
    "ecr_probe_rounds_total": ("counter", {"status"}),
    "ecr_probe_steps_total": ("counter", {"endpoint", "step"}),
    "ecr_probe_step_failures_total": ("counter", {"endpoint", "step", "reason"}),
    "ecr_probe_finding": ("gauge", {"code", "severity"}),
    "ecr_probe_path_info": ("gauge", {"endpoint", "path_class"}),
    "ecr_probe_addresses_resolved": ("gauge", {"endpoint"}),
    "ecr_probe_addresses_reachable": ("gauge", {"endpoint"}),
    "ecr_probe_layer_bytes_total": ("counter", set()),
    "ecr_probe_layer_throughput_bytes_per_second": ("gauge", set()),
    "ecr_probe_tls_certificate_not_after_timestamp_seconds": ("gauge", {"endpoint"}),
    "ecr_probe_last_run_timestamp_seconds": ("gauge", set()),
    "ecr_probe_last_success_timestamp_seconds": ("gauge", set()),
    "ecr_probe_run_duration_seconds": ("gauge", set()),
    "ecr_probe_task_info": (
        "gauge",
        {"path", "service", "region", "account", "launch_type", "availability_zone", "cluster", "task_arn"},
    ),
}
OPENMETRICS = "application/openmetrics-text;version=1.0.0"
NEW = Snapshot(started_at=made.NOON, interval=60.0, base_interval=60.0)
BROKEN_THEN_HEALTHY = advance(advance(NEW, made.broken(), interval=60.0), made.verdict(), interval=60.0)
HEALTHY_THEN_BROKEN = advance(advance(NEW, made.verdict(), interval=60.0), made.broken(), interval=60.0)
SNAPSHOTS = [NEW, BROKEN_THEN_HEALTHY, HEALTHY_THEN_BROKEN]


def text(snapshot: Snapshot, **options: Any) -> str:
    return exposition(snapshot, accept="", **options)[0].decode()


def openmetrics(body: bytes) -> Iterator[Metric]:
    """By the library's strict parser."""
    yield from parse_openmetrics(body.decode())  # type: ignore[no-untyped-call]


def families(snapshot: Snapshot, **options: Any) -> dict[str, Metric]:
    """Families that have samples, by the name of their samples: a counter's ends with _total."""
    sampled = [family for family in parse_text(text(snapshot, **options)) if family.samples]
    return {f"{family.name}_total" if family.type == "counter" else family.name: family for family in sampled}


def connection(address_class: AddressClass) -> ConnectionSeen:
    return ConnectionSeen(address="10.0.1.20", address_class=address_class)


def value(snapshot: Snapshot, name: str, **labels: str) -> float | None:
    samples = (sample for family in parse_text(text(snapshot)) for sample in family.samples)
    values = (sample.value for sample in samples if sample.name == f"ecr_probe_{name}" and sample.labels == labels)
    return next(values, None)


# ---- the contract ----------------------------------------------------------------------------------------------------


def test_names_types_and_labels_match_the_contract() -> None:
    exported: dict[str, tuple[str, set[str]]] = {}
    for snapshot in SNAPSHOTS:
        for name, family in families(snapshot).items():
            exported[name] = (family.type, {label for sample in family.samples for label in sample.labels} - {"le"})
    assert exported == CONTRACT


def test_before_the_first_round_there_are_only_metrics_of_the_program() -> None:
    assert set(families(NEW, compat_blackbox=True)) == set(SELF)
    assert value(NEW, "build_info", version=__version__) == 1
    assert value(NEW, "config_valid") == 1
    assert value(NEW, "interval_seconds") == 60
    assert value(NEW, "run_overruns_total") == 0


def test_a_round_that_could_not_begin_keeps_the_totals() -> None:
    lost = msgspec.structs.replace(BROKEN_THEN_HEALTHY, verdict=None, misconfigured="which image?", current=())
    assert value(lost, "config_valid") == 0
    assert value(lost, "pull_success") is None
    assert value(lost, "steps_total", endpoint="ecr.api", step="tls") == 3
    assert value(lost, "last_success_timestamp_seconds") is not None
    assert families(lost, compat_blackbox=True)["probe_success"].samples[0].value == 0
    assert "which image" not in text(lost)


def test_an_ended_finding_leaves_no_series() -> None:
    assert value(HEALTHY_THEN_BROKEN, "finding", code="tcp.silent", severity="error") == 1
    assert value(HEALTHY_THEN_BROKEN, "pull_success") == 0
    assert "ecr_probe_finding{" not in text(BROKEN_THEN_HEALTHY)
    assert value(BROKEN_THEN_HEALTHY, "pull_success") == 1


def test_an_unproven_pull_has_no_sample() -> None:
    unproven = advance(NEW, made.verdict(pull=Pull.UNPROVEN, status=Status.INCONCLUSIVE), interval=60.0)
    assert value(unproven, "pull_success") is None
    assert value(unproven, "last_success_timestamp_seconds") is None


def test_counters_add_up_over_rounds() -> None:
    for snapshot in (BROKEN_THEN_HEALTHY, HEALTHY_THEN_BROKEN):
        assert value(snapshot, "steps_total", endpoint="ecr.api", step="tcp") == 6
        assert value(snapshot, "step_failures_total", endpoint="ecr.api", step="tcp", reason="timeout") == 3
        assert value(snapshot, "step_latency_seconds_count", endpoint="ecr.api", step="tcp") == 6
        assert value(snapshot, "layer_bytes_total") == 140000


def test_the_last_success_keeps_the_time_at_which_its_round_ended() -> None:
    assert value(HEALTHY_THEN_BROKEN, "last_success_timestamp_seconds") == made.NOON.timestamp() + 0.812
    assert value(HEALTHY_THEN_BROKEN, "last_run_timestamp_seconds") == made.NOON.timestamp() + 3.102


def test_the_loop_exports_its_interval_and_overruns() -> None:
    late = msgspec.structs.replace(BROKEN_THEN_HEALTHY, interval=120.0, totals=Totals(rounds=2, overruns=3))
    assert value(late, "interval_seconds") == 120
    assert value(late, "run_overruns_total") == 3


def test_an_endpoint_of_also_has_no_histogram() -> None:
    steps = [made.step("sts/tcp/10.0.1.20", connection(AddressClass.VPC), seconds=0.01)]
    snapshot = advance(NEW, verdict_of(steps), interval=60.0)
    assert value(snapshot, "steps_total", endpoint="sts", step="tcp") == 1
    assert value(snapshot, "step_latency_seconds_count", endpoint="sts", step="tcp") is None


@pytest.mark.parametrize(
    ("verdict", "success"),
    [
        (made.verdict(), 1),
        (made.verdict(status=Status.DEGRADED), 1),
        (made.verdict(status=Status.INCONCLUSIVE), 0),
        (made.broken(), 0),
    ],
)
def test_names_of_blackbox_exporter_are_optional(verdict: Verdict, success: float) -> None:
    snapshot = advance(NEW, verdict, interval=60.0)
    added = {name: family.samples[0].value for name, family in families(snapshot, compat_blackbox=True).items()}
    assert added["probe_success"] == success
    assert added["probe_duration_seconds"] == verdict.seconds
    assert set(added) - set(families(snapshot)) == {"probe_success", "probe_duration_seconds"}


def test_a_single_run_has_all_metrics_but_those_of_the_schedule() -> None:
    single = set(render(made.broken(), Page()).splitlines())
    scheduled = set(text(advance(NEW, made.broken(), interval=60.0)).splitlines())
    assert single < scheduled
    assert {line.split()[0] for line in scheduled - single if line[0] != "#"} == {
        "ecr_probe_interval_seconds",
        "ecr_probe_run_overruns_total",
    }


# ---- formats ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("snapshot", SNAPSHOTS)
def test_promtool_finds_no_fault(snapshot: Snapshot) -> None:
    assert_promtool_likes(text(snapshot))
    assert_promtool_likes(text(snapshot, compat_blackbox=True))


@pytest.mark.parametrize("snapshot", SNAPSHOTS)
def test_openmetrics_has_the_same_samples(snapshot: Snapshot) -> None:
    body, content_type = exposition(snapshot, accept=OPENMETRICS, compat_blackbox=True)
    assert content_type.startswith("application/openmetrics-text; version=1.0.0; charset=utf-8")
    assert body.endswith(b"# EOF\n")
    strict = {sample for family in openmetrics(body) for sample in _named(family)}
    assert strict == {
        sample for family in parse_text(text(snapshot, compat_blackbox=True)) for sample in _named(family)
    }


def _named(family: Metric) -> Iterator[tuple[str, frozenset[tuple[str, str]], float]]:
    for sample in family.samples:
        yield sample.name, frozenset(sample.labels.items()), sample.value


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("", "text/plain; version=0.0.4"),
        ("*/*", "text/plain; version=0.0.4"),
        ("text/plain;version=0.0.4;q=0.5,*/*;q=0.1", "text/plain; version=0.0.4"),
        # Prometheus 2.42
        (
            "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
            "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            "application/openmetrics-text; version=1.0.0",
        ),
        # invalid versions
        ("application/openmetrics-text;version=new", "text/plain; version=0.0.4"),
        ("text/plain;version=1.x", "text/plain; version=0.0.4"),
        (f"text/plain;version={'9' * 5000}", "text/plain; version=0.0.4"),
        ("application/openmetrics-text;;=;version", "application/openmetrics-text; version=1.0.0"),
    ],
)
def test_the_accept_header_decides(accept: str, content_type: str) -> None:
    assert exposition(NEW, accept=accept)[1].startswith(content_type)


# ---- how many --------------------------------------------------------------------------------------------------------

# What is tried after dns, tcp and tls of every endpoint.
CONVERSATIONS = {
    ("ecr.api", "token"),
    ("ecr.dkr", "challenge"),
    ("ecr.dkr", "manifest"),
    ("ecr.dkr", "blob"),
    ("s3", "layer"),
    ("s3", "control"),
    ("logs", "logs"),
    ("task", "metadata"),
    ("task", "credentials"),
    ("task", "environment"),
    ("task", "control"),
}
TRIED = sorted({*product((*PLANNED, *ALSO), ("dns", "tcp", "tls")), *CONVERSATIONS})


def test_the_list_of_conversations_is_complete() -> None:
    """As the source shows: a step of a fixed endpoint is recorded by a call with the endpoint and the action."""
    folder = Path(probe.measure.__file__).parent
    calls = [node for path in folder.glob("*.py") for node in ast.walk(ast.parse(path.read_text()))]
    recorded = set()
    for call in calls:
        match call:
            case ast.Call(args=[ast.Constant(value=str(endpoint)), ast.Attribute(ast.Name("Action"), name), *_]):
                recorded.add((endpoint, str(Action[name])))
    assert recorded == CONVERSATIONS


def worst_totals() -> Totals:
    """Every step has failed in so many ways that each also has failures counted as other."""
    kinds = list(product(TRIED, Failure))[:MOST_FAILURES]
    return Totals(
        rounds=1,
        steps=dict.fromkeys(TRIED, 1),
        failures={(*key, str(failure)): 1 for key, failure in kinds} | {(*key, "other"): 1 for key in TRIED},
        latencies={key: Latency().plus(0.1) for key in TRIED},
        layer_bytes=1,
    )


def worst_steps() -> Iterator[Step]:
    for endpoint, action in TRIED:
        yield made.step(f"{endpoint}/{action}/x", failure=Failure.TIMEOUT, seconds=0.1)
    for endpoint in (*PLANNED, *ALSO):
        for address_class in AddressClass:
            yield made.step(f"{endpoint}/tcp/{address_class}", connection(address_class), seconds=0.1)
        seen = CertificateSeen(address="10.0.0.1", address_class=AddressClass.VPC, not_after=made.NOON)
        yield made.step(f"{endpoint}/tls/x", seen, seconds=0.1)
    yield made.step("s3/layer/x", LayerSeen(answer=made.ANSWER, digest="", what="layer", bytes_per_second=1.0))


def test_rounds_are_counted_by_the_status_of_their_verdict() -> None:
    """Every status from the first round on, so that the first failing one is an increase."""
    snapshot = NEW
    for verdict in (made.verdict(), made.broken(), made.verdict()):
        snapshot = advance(snapshot, verdict, interval=60.0)
    lines = [line for line in text(snapshot).splitlines() if line.startswith("ecr_probe_rounds_total{")]
    assert {line.partition('"')[2].replace('"} ', " ") for line in lines} == {
        "pass 2.0",
        "fail 1.0",
        "degraded 0.0",
        "inconclusive 0.0",
    }


def test_the_number_of_series_is_bounded() -> None:
    """All endpoints, all that can be tried at them, and all faults that a check finds, in every severity."""
    findings = tuple(
        made.finding(fault.code, ("x",), severity)
        for fault in FAULTS
        if fault.code not in TEXT_ONLY
        for severity in ([Severity.INFO] if fault.impact is Impact.NONE else Severity)
    )
    summaries = [
        made.summary("s3"),
        *(msgspec.structs.replace(made.summary("logs"), name=name) for name in (*PLANNED, *ALSO) if name != "s3"),
    ]
    verdict = verdict_of(worst_steps(), findings=findings, endpoints=tuple(summaries))
    worst = msgspec.structs.replace(advance(NEW, verdict, interval=60.0), totals=worst_totals())
    lines = [line for line in text(worst, compat_blackbox=True).splitlines() if not line.startswith("#")]
    series = {line.rpartition(" ")[0] for line in lines}
    assert len(series) == len(lines)
    page = Path(__file__).parents[2] / "docs/sidecar.md"
    stated = re.search(r"at most (\d+) series", " ".join(page.read_text().split()))
    assert stated is not None
    assert 800 < len(series) <= int(stated[1]) < MOST_SERIES == 1000


def test_kinds_of_failures_are_bounded_and_every_failure_is_counted() -> None:
    snapshot = NEW
    for failure in Failure:
        steps = [made.step(f"{endpoint}/{action}/x", failure=failure) for endpoint, action in TRIED]
        snapshot = advance(snapshot, verdict_of(steps), interval=60.0)
    counted = snapshot.totals.failures
    assert sum(counted.values()) == len(TRIED) * len(Failure)
    assert len(counted) == MOST_FAILURES + len(TRIED)
    assert value(snapshot, "step_failures_total", endpoint="ecr.api", step="dns", reason="other") is not None


# ---- hostile verdicts ------------------------------------------------------------------------------------------------

CLOSED = {
    "endpoint": {*PLANNED, *ALSO, "task"},
    "step": set(map(str, Action)),
    "reason": {*map(str, Failure), "other"},
    "code": {fault.code for fault in FAULTS},
    "severity": {"error", "warning", "info"},
    "path_class": {"vpc", "private", "s3-public", "public", "unknown"},
    "version": {__version__},
    "le": {"0.001", "0.0025", "0.005", "0.01", "0.025", "0.1", "0.5", "1.0", "3.0", "10.0", "+Inf"},
    "path": set(map(str, MeasuredPath)),
    "status": set(map(str, Status)),
}


@settings(max_examples=60, deadline=None)
@given(hostile_verdicts())
def test_a_hostile_verdict_adds_no_value_to_a_label(verdict: Verdict) -> None:
    snapshot = advance(advance(NEW, verdict, interval=60.0), verdict, interval=60.0)
    list(openmetrics(exposition(snapshot, accept=OPENMETRICS)[0]))
    for family in parse_text(text(snapshot)):
        for sample in family.samples:
            labels = sample.labels if family.name != "ecr_probe_task_info" else {"path": sample.labels["path"]}
            assert all(word in CLOSED[label] for label, word in labels.items()), sample
    task = families(snapshot)["ecr_probe_task_info"]
    assert all(len(word) <= 256 and word.isprintable() for word in task.samples[0].labels.values())

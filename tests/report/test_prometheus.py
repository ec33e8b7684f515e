"""The metrics of one run: names, labels, no sample instead of zero, and promtool's verdict."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from probe.model import Failure, Pull, Severity, Status, Verdict
from probe.records import replace
from probe.report import FORMATS, Page
from tests.report import made
from tests.report.promtool import assert_promtool_likes

ONE_RUN = {
    "pull_success": set(),
    "endpoint_success": {"endpoint"},
    "step_duration_seconds": {"endpoint", "step"},
    "step_latency_seconds": {"endpoint", "step"},
    "steps": {"endpoint", "step"},
    "step_failures": {"endpoint", "step", "reason"},
    "finding": {"code", "severity"},
    "path_info": {"endpoint", "path_class"},
    "addresses_resolved": {"endpoint"},
    "addresses_reachable": {"endpoint"},
    "layer_bytes": set(),
    "layer_throughput_bytes_per_second": set(),
    "tls_certificate_not_after_timestamp_seconds": {"endpoint"},
    "last_run_timestamp_seconds": set(),
    "last_success_timestamp_seconds": set(),
    "run_duration_seconds": set(),
    "config_valid": set(),
    "build_info": {"version"},
    "task_info": {"path", "service", "region", "account", "launch_type", "availability_zone", "cluster", "task_arn"},
    "rounds": {"status"},
}
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def exposition(verdict: Verdict) -> str:
    return FORMATS["prometheus"].render(verdict, Page())


def samples(verdict: Verdict) -> Samples:
    return {
        (sample.name.removeprefix("ecr_probe_"), frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(exposition(verdict))
        for sample in family.samples
    }


def value(series: Samples, name: str, **labels: str) -> float | None:
    return series.get((name, frozenset(labels.items())))


@pytest.mark.parametrize("verdict", [made.verdict(), made.broken(), made.verdict([], endpoints=())])
def test_promtool_finds_no_fault(verdict: Verdict) -> None:
    assert_promtool_likes(exposition(verdict))


def test_names_and_labels_match_the_contract() -> None:
    families = {
        family.name.removeprefix("ecr_probe_"): {
            name for sample in family.samples for name in sample.labels if name != "le"
        }
        for verdict in (made.verdict(), made.broken())
        for family in text_string_to_metric_families(exposition(verdict))
        if family.samples
    }
    assert families == ONE_RUN


def test_a_healthy_run() -> None:
    series = samples(made.verdict())
    assert value(series, "pull_success") == 1
    assert value(series, "endpoint_success", endpoint="s3") == 1
    assert value(series, "addresses_reachable", endpoint="ecr.api") == 3
    assert value(series, "path_info", endpoint="s3", path_class="s3-public") == 1
    assert value(series, "path_info", endpoint="ecr.api", path_class="vpc") == 1
    assert value(series, "layer_bytes_total") == 140000
    assert value(series, "layer_throughput_bytes_per_second") == 5e6
    assert value(series, "last_success_timestamp_seconds") == value(series, "last_run_timestamp_seconds")
    assert value(series, "step_duration_seconds", endpoint="ecr.api", step="token") == 0.031
    assert value(series, "step_latency_seconds_bucket", endpoint="ecr.api", step="tls", le="0.01") == 3
    assert not [name for name, _ in series if name == "finding"]


def test_what_was_not_reached_has_no_sample() -> None:
    series = samples(made.broken())
    assert value(series, "step_duration_seconds", endpoint="ecr.api", step="token") is None
    assert value(series, "tls_certificate_not_after_timestamp_seconds", endpoint="ecr.api") is None
    assert value(series, "layer_bytes_total") is None
    assert value(series, "last_success_timestamp_seconds") is None
    assert value(series, "addresses_reachable", endpoint="ecr.api") == 0
    assert value(series, "step_failures_total", endpoint="ecr.api", step="tcp", reason="timeout") == 3
    nothing = samples(made.verdict([], pull=Pull.UNPROVEN, status=Status.INCONCLUSIVE))
    assert not [name for name, _ in nothing if name.startswith(("endpoint_", "addresses_", "steps", "path_", "pull_"))]


def test_a_name_without_addresses_has_resolved_zero_and_no_reachable_addresses() -> None:
    steps = [made.step("ecr.api/dns/10.0.0.2/A", failure=Failure.NXDOMAIN)]
    series = samples(made.verdict(steps, endpoints=(made.summary("ecr.api", resolved=0, reached=0, ok=False),)))
    assert value(series, "addresses_resolved", endpoint="ecr.api") == 0
    assert value(series, "addresses_reachable", endpoint="ecr.api") is None


def test_a_step_that_the_deadline_cut_off_is_not_a_measurement() -> None:
    steps = [made.step("ecr.api/dns/10.0.0.2/A", failure=Failure.DEADLINE)]
    cut = made.verdict(steps, endpoints=(made.summary("ecr.api", resolved=0, reached=0, ok=False),))
    series = samples(cut)
    assert value(series, "endpoint_success", endpoint="ecr.api") is None
    assert value(series, "addresses_resolved", endpoint="ecr.api") is None
    assert value(series, "step_failures_total", endpoint="ecr.api", step="dns", reason="deadline") == 1


def test_an_endpoint_whose_requests_were_not_tried_has_no_success() -> None:
    untried = [replace(summary, ok=summary.name == "logs") for summary in made.verdict().endpoints]
    series = samples(made.verdict(endpoints=tuple(untried)))
    assert value(series, "endpoint_success", endpoint="s3") is None
    assert value(series, "endpoint_success", endpoint="logs") == 1
    assert value(series, "addresses_reachable", endpoint="s3") is not None


def test_two_findings_of_one_code_are_one_series() -> None:
    twice = tuple(
        made.finding("tcp.silent", ("x",), severity) for severity in (Severity.ERROR, Severity.ERROR, Severity.WARNING)
    )
    assert len([name for name, _ in samples(made.verdict(findings=twice)) if name == "finding"]) == 2


def test_no_label_holds_an_address_a_digest_or_a_host() -> None:
    labels = " ".join(text for _, pairs in samples(made.broken()) for _, text in pairs)
    assert "10.0." not in labels
    assert "sha256" not in labels
    assert "amazonaws" not in labels

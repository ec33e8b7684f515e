"""CloudWatch's Embedded Metric Format: its documented rules, the contract of names, and the values of dimensions."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings

from probe.model import Failure, LayerSeen, Pull, Severity, Surroundings, Verdict
from probe.records import replace
from probe.report import FORMATS, Page
from tests.report import made
from tests.report.hostile import ALSO, PLANNED, hostile_verdicts

# The rules of the specification and of CloudWatch's PutMetricData, in their strictest reading.
UNITS = [
    f"{size}{unit}{rate}" for unit in ("Bits", "Bytes") for size in ("", "Kilo", "Mega") for rate in ("", "/Second")
]
NAME = {"type": "string", "pattern": "^[A-Za-z]+$", "maxLength": 250}
DIRECTIVE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["Namespace", "Dimensions", "Metrics"],
    "properties": {
        "Namespace": {"type": "string", "pattern": "^[A-Za-z0-9./_#-]{1,255}$"},
        "Dimensions": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "array", "maxItems": 9, "uniqueItems": True, "items": NAME},
        },
        "Metrics": {
            "type": "array",
            "minItems": 1,
            "maxItems": 100,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["Name"],
                "properties": {"Name": NAME, "Unit": {"enum": [*UNITS, "Seconds", "Count", "None"]}},
            },
        },
    },
}
DOCUMENT = {
    "type": "object",
    "required": ["_aws"],
    "properties": {
        "_aws": {
            "type": "object",
            "additionalProperties": False,
            "required": ["Timestamp", "CloudWatchMetrics"],
            "properties": {
                "Timestamp": {"type": "integer"},
                "CloudWatchMetrics": {"type": "array", "minItems": 1, "maxItems": 1, "items": DIRECTIVE},
            },
        }
    },
}
# The contract, spelled by hand: the CloudWatch dashboard is written against it.
RUN = {
    "PullSuccess": "None",
    "Findings": "Count",
    "Warnings": "Count",
    "RunDuration": "Seconds",
    "LayerThroughput": "Bytes/Second",
}
ENDPOINT = {"EndpointSuccess": "None", "AddressesResolved": "Count", "AddressesReachable": "Count"}


def refuse_constant(text: str) -> float:
    raise AssertionError(f"{text} is not JSON")


def lines(verdict: Verdict) -> list[dict[str, Any]]:
    """The documents, checked against the rules."""
    text = FORMATS["emf"].render(verdict, Page(pretty=True))
    assert text.endswith("\n")
    documents = [json.loads(line, parse_constant=refuse_constant) for line in text[:-1].split("\n")]
    for line, document in zip(text.split("\n"), documents, strict=False):
        assert len(line) < 16 * 1024  # where log drivers split lines
        jsonschema.validate(document, DOCUMENT)
        for name in directive(document)["Dimensions"][0]:
            value = document[name]
            assert isinstance(value, str)
            assert 1 <= len(value) <= 1024
            assert value.isascii()
            assert value.isprintable()
            assert value.strip()
            assert not value.startswith(":")
        for metric in directive(document)["Metrics"]:
            assert type(document[metric["Name"]]) in (int, float)
    return documents


def directive(document: dict[str, Any]) -> dict[str, Any]:
    metrics: dict[str, Any] = document["_aws"]["CloudWatchMetrics"][0]
    return metrics


def units(document: dict[str, Any]) -> dict[str, str]:
    return {metric["Name"]: metric["Unit"] for metric in directive(document)["Metrics"]}


def line_of(verdict: Verdict, endpoint: str) -> dict[str, Any]:
    return next(document for document in lines(verdict) if document.get("Endpoint") == endpoint)


def test_names_units_and_dimensions_match_the_contract() -> None:
    run, *endpoints = lines(made.verdict())
    assert {directive(document)["Namespace"] for document in (run, *endpoints)} == {"EcrProbe"}
    assert directive(run)["Dimensions"] == [["Cluster", "Service"]]
    assert units(run) == RUN
    assert [document["Endpoint"] for document in endpoints] == ["ecr.api", "ecr.dkr", "s3", "logs"]
    for document in endpoints:
        assert directive(document)["Dimensions"] == [["Cluster", "Service", "Endpoint"]]
        assert units(document) == ENDPOINT


def test_services_of_a_cluster_are_distinguished() -> None:
    verdict = made.verdict()
    named = replace(verdict, surroundings=replace(verdict.surroundings, service="web"))
    assert {document["Service"] for document in lines(named)} == {"web"}


def test_a_healthy_run() -> None:
    run, *_ = lines(made.verdict())
    assert (run["Cluster"], run["Service"]) == ("main", "ecr-probe")
    assert run["_aws"]["Timestamp"] == round((made.NOON.timestamp() + 0.812) * 1000)
    assert (run["PullSuccess"], run["Findings"], run["Warnings"]) == (1, 0, 0)
    assert (run["RunDuration"], run["LayerThroughput"]) == (0.812, 5e6)
    assert (run["Status"], run["ErrorCodes"], run["WarningCodes"]) == ("pass", "", "")
    api = line_of(made.verdict(), "ecr.api")
    assert (api["EndpointSuccess"], api["AddressesResolved"], api["AddressesReachable"]) == (1, 3, 3)


def test_a_broken_run_and_its_codes() -> None:
    run, *_ = lines(made.broken())
    assert (run["PullSuccess"], run["Findings"], run["Warnings"]) == (0, 1, 1)
    assert (run["ErrorCodes"], run["WarningCodes"]) == ("tcp.silent", "logs.group-missing")
    assert "LayerThroughput" not in run
    dkr, logs = line_of(made.broken(), "ecr.dkr"), line_of(made.broken(), "logs")
    assert (dkr["EndpointSuccess"], dkr["AddressesReachable"], dkr["ErrorCodes"]) == (0, 0, "tcp.silent")
    assert logs["ErrorCodes"] == ""


def test_values_that_were_not_measured_are_left_out() -> None:
    steps = [made.step("ecr.api/dns/10.0.0.2/A", failure=Failure.NXDOMAIN)]
    unproven = made.verdict(steps, pull=Pull.UNPROVEN)
    run, *endpoints = lines(unproven)
    assert units(run) == {name: unit for name, unit in RUN.items() if name not in ("PullSuccess", "LayerThroughput")}
    assert "PullSuccess" not in run
    assert [document["Endpoint"] for document in endpoints] == ["ecr.api"]
    assert set(units(endpoints[0])) == {"EndpointSuccess", "AddressesResolved"}


def test_each_code_is_listed_once() -> None:
    twice = tuple(made.finding("tcp.silent", ("x",), endpoints=(name,)) for name in ("ecr.api", "s3"))
    run, *_ = lines(made.verdict(findings=(*twice, made.finding("dns.public", ("x",), Severity.ERROR))))
    assert (run["Findings"], run["ErrorCodes"]) == (3, "tcp.silent dns.public")


@pytest.mark.parametrize(
    ("reported", "cluster"),
    [
        (None, "none"),
        ("main", "main"),
        ("arn:aws:ecs:eu-west-1:123456789012:cluster/main", "main"),
        ("::odd", "odd"),
        ("  ", "none"),
        ("grün", "gr?n"),
    ],
)
def test_the_cluster_is_a_name_that_cloudwatch_accepts(reported: str | None, cluster: str) -> None:
    run, *_ = lines(made.verdict(surroundings=Surroundings(cluster=reported)))
    assert run["Cluster"] == cluster


@pytest.mark.parametrize("rate", [float("inf"), float("nan")])
def test_a_rate_that_is_not_a_number_is_left_out(rate: float) -> None:
    layer = LayerSeen(answer=made.ANSWER, digest="", what="layer", bytes_per_second=rate)
    run, *_ = lines(made.verdict([made.step("s3/layer/x", layer)]))
    assert "LayerThroughput" not in run
    assert "LayerThroughput" not in units(run)


@settings(max_examples=60, deadline=None)
@given(hostile_verdicts())
def test_a_hostile_verdict_adds_no_endpoint(verdict: Verdict) -> None:
    for document in lines(verdict):
        assert document.get("Endpoint", "task") in {*PLANNED, *ALSO, "task"}
        assert document["Service"] == "ecr-probe"

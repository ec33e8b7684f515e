"""The metrics that the probe exports: names and labels for expressions, and CloudWatch's metrics."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache

from prometheus_client.parser import text_string_to_metric_families

from probe.history import Snapshot, advance
from probe.report import Page
from probe.report.emf import render
from probe.report.prometheus import exposition
from tests.report import made

# Series of the scrape itself and of Prometheus.
OF_THE_TARGET = {"job", "instance"}
BESIDE = {"up": OF_THE_TARGET, "ALERTS": {"alertname", "alertstate"}}


@cache
def series() -> Mapping[str, set[str]]:
    """Labels by sample name, of a failing and a healthy round."""
    new = Snapshot(started_at=made.NOON, interval=60.0, base_interval=60.0)
    families: dict[str, set[str]] = {}
    for verdicts in ((made.broken(), made.verdict()), (made.verdict(), made.broken())):
        snapshot = new
        for verdict in verdicts:
            snapshot = advance(snapshot, verdict, interval=60.0)
        for family in text_string_to_metric_families(exposition(snapshot, accept="")[0].decode()):
            for sample in family.samples:
                families.setdefault(sample.name, set()).update(sample.labels)
    return families


_SELECTOR = re.compile(r"(?<![\w:$\"'])([a-zA-Z_:][\w:]*)\s*(\{[^}]*\})?")
_MATCHER = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"[^\"]*\"")
_BY = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)")
_STRING = re.compile(r"\"[^\"]*\"")


def selectors(expression: str) -> Iterator[tuple[str, set[str]]]:
    """The pairs (metric, labels in its matchers) of an expression."""
    for selector in _SELECTOR.finditer(_BY.sub("", expression)):
        name, matchers = selector.groups()
        if name in BESIDE or name.startswith("ecr_probe_"):
            yield name, set(_MATCHER.findall(matchers or ""))


def grouping_labels(expression: str) -> set[str]:
    return {label for group in _BY.findall(expression) for label in re.findall(r"\w+", group.partition("(")[2])}


def unknown(expression: str) -> list[str]:
    """Names and labels in an expression that are not exported."""
    exported = {**series(), **BESIDE}
    wrong = [name for name, _ in selectors(expression) if name not in exported]
    for name, labels in selectors(expression):
        wrong += [f"{name}{{{label}}}" for label in labels - exported.get(name, set()) - OF_THE_TARGET]
    every = set().union(*(exported.get(name, set()) for name, _ in selectors(expression)))
    return wrong + [f"by ({label})" for label in grouping_labels(expression) - every - OF_THE_TARGET]


@cache
def cloudwatch() -> Mapping[str, tuple[str, tuple[str, ...], str]]:
    """(namespace, dimensions, unit) by the name of a CloudWatch metric."""
    emitted: dict[str, tuple[str, tuple[str, ...], str]] = {}
    for line in render(made.verdict(), Page()).splitlines():
        for directive in json.loads(line)["_aws"]["CloudWatchMetrics"]:
            (dimensions,) = directive["Dimensions"]
            for metric in directive["Metrics"]:
                emitted[metric["Name"]] = (directive["Namespace"], tuple(dimensions), metric["Unit"])
    return emitted


def cloudwatch_fields() -> set[str]:
    """The fields that Logs Insights can query."""
    return {key for line in render(made.verdict(), Page()).splitlines() for key in json.loads(line)}

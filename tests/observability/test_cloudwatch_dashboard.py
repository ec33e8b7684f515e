"""The CloudWatch dashboard: documented keys, and metrics and fields that the embedded metrics have.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from tests.deployment.definitions import NAMES, VALUES, filled
from tests.observability.exported import cloudwatch, cloudwatch_fields
from tests.observability.files import FOLDER, load, overlapping

BODY: dict[str, Any] = load("cloudwatch-dashboard.json")
WIDGETS: list[dict[str, Any]] = BODY["widgets"]
_STRING, _INTEGER, _BOOLEAN = {"type": "string"}, {"type": "integer"}, {"type": "boolean"}


def _closed(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


_AXIS = _closed([], min={"type": "number"}, max={"type": "number"}, label=_STRING, showUnits=_BOOLEAN)
_LINE = _closed(
    ["value"],
    value={"type": "number"},
    label=_STRING,
    color={"type": "string", "pattern": "^#[0-9a-f]{6}$"},
    fill={"enum": ["above", "below", "none"]},
)
_STATISTIC = {"type": "string", "pattern": r"^(SampleCount|Average|Sum|Minimum|Maximum|p\d{1,2}(\.\d+)?)$"}
_EXPRESSION = _closed(
    ["expression", "id"], expression=_STRING, label=_STRING, id={"type": "string", "pattern": r"^[a-z]\w*$"}
)
_WIDGETS = {
    "metric": _closed(
        ["title", "region", "metrics"],
        title=_STRING,
        region=_STRING,
        view={"enum": ["timeSeries", "singleValue", "gauge", "bar", "pie", "table"]},
        metrics={"type": "array", "items": {"type": "array", "items": _EXPRESSION}},
        period={"type": "integer", "multipleOf": 60},
        stat=_STATISTIC,
        stacked=_BOOLEAN,
        sparkline=_BOOLEAN,
        yAxis=_closed([], left=_AXIS, right=_AXIS),
        annotations=_closed([], horizontal={"type": "array", "items": _LINE}),
    ),
    "log": _closed(
        ["region", "query", "view"],
        title=_STRING,
        region=_STRING,
        query=_STRING,
        view={"enum": ["table", "timeSeries", "bar", "pie"]},
    ),
    "text": _closed(["markdown"], markdown=_STRING, background={"enum": ["solid", "transparent"]}),
}
_BODY = _closed(
    ["widgets"],
    start={"type": "string", "pattern": r"^-P"},
    periodOverride={"enum": ["auto", "inherit"]},
    widgets={
        "type": "array",
        "maxItems": 500,
        "items": _closed(
            ["type", "x", "y", "width", "height", "properties"],
            type={"enum": list(_WIDGETS)},
            x=_INTEGER,
            y=_INTEGER,
            width=_INTEGER,
            height=_INTEGER,
            properties={"type": "object"},
        ),
    },
)


def searches() -> Iterator[tuple[str, tuple[str, ...], str]]:
    """The (namespace, dimensions, metric) of each search expression."""
    for widget in WIDGETS:
        for (metric,) in widget["properties"].get("metrics", ()):
            search = re.match(r"SEARCH\('\{([^}]*)\} MetricName=\"(\w+)\"", metric["expression"])
            assert search, metric
            namespace, *dimensions = (part.strip('"') for part in search[1].split(","))
            yield namespace, tuple(dimensions), search[2]


def test_its_structure_is_what_aws_documents() -> None:
    jsonschema.validate(BODY, _BODY)
    for widget in WIDGETS:
        jsonschema.validate(widget["properties"], _WIDGETS[widget["type"]])


def test_widgets_are_within_the_grid_and_do_not_overlap() -> None:
    boxes = [
        (str(place), *(widget[key] for key in ("x", "y", "width", "height"))) for place, widget in enumerate(WIDGETS)
    ]
    assert overlapping(boxes) == []
    assert [name for name, x, _, width, _ in boxes if x + width > 24] == []


def test_every_metric_that_the_probe_emits_is_shown_and_no_other() -> None:
    emitted = {(namespace, dimensions, name) for name, (namespace, dimensions, _) in cloudwatch().items()}
    assert {search for search in searches() if not search[0].startswith("AWS/")} == emitted


def test_metrics_of_aws_are_documented_ones() -> None:
    dimensions = ("Endpoint Type", "Service Name", "VPC Endpoint Id", "VPC Id")
    names = {"ActiveConnections", "BytesProcessed", "NewConnections", "PacketsDropped", "RstPacketsReceived"}
    beside = [search for search in searches() if search[0].startswith("AWS/")]
    assert {namespace for namespace, _, _ in beside} == {"AWS/PrivateLinkEndpoints"}
    assert {dimension for _, dimension, _ in beside} == {dimensions}
    assert {name for _, _, name in beside} <= names


def test_placeholders_are_those_of_the_task_definitions() -> None:
    used = set(re.findall(r"\$\{(\w+)\}", (FOLDER / "cloudwatch-dashboard.json").read_text()))
    assert used == {"REGION", "CLUSTER"} <= set(VALUES)
    json.loads(re.sub(r"\$\{(\w+)\}", lambda name: VALUES[name[1]], (FOLDER / "cloudwatch-dashboard.json").read_text()))


@pytest.mark.parametrize("widget", [widget for widget in WIDGETS if widget["type"] == "log"])
def test_the_log_widget_reads_the_task_definitions_group_and_fields_that_are_there(widget: dict[str, Any]) -> None:
    query = widget["properties"]["query"]
    groups = {
        container["logConfiguration"]["options"]["awslogs-group"]
        for name in NAMES
        for container in filled(name)["containerDefinitions"]
    }
    assert set(re.findall(r"SOURCE '([^']+)'", query)) == groups
    assert set(re.findall(r"\b[A-Z][a-z]+(?:[A-Z]\w+)?\b", query)) <= cloudwatch_fields()

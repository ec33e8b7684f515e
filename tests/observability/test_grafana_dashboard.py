"""The Grafana dashboard: valid by Grafana's schema, with exported metrics only, in PromQL that parses."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.observability.exported import series, unknown
from tests.observability.files import load, overlapping, promtool
from tests.observability.grafana import complaints

DASHBOARD: dict[str, Any] = load("grafana-dashboard.json")
PANELS: list[dict[str, Any]] = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
VARIABLES = {variable["name"]: variable for variable in DASHBOARD["templating"]["list"]}


def queries() -> Iterator[tuple[str, str]]:
    """The (place, expression) of every panel, annotation and variable."""
    for panel in PANELS:
        for target in panel["targets"]:
            yield f"{panel['title']} {target['refId']}", target["expr"]
    for annotation in DASHBOARD["annotations"]["list"]:
        yield annotation["name"], annotation["expr"]
    for name, variable in VARIABLES.items():
        if variable["type"] == "query":
            query = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"]["query"])
            assert query, name
            yield name, f"count by ({query[2]}) ({query[1]})"


def plain(expression: str) -> str:
    """The expression with values for Grafana's variables."""
    return re.sub(r"\$\w+", "x", expression.replace("$__rate_interval", "5m"))


def test_it_matches_grafanas_own_schema() -> None:
    assert complaints(DASHBOARD) == []


def test_the_schema_knows_keys_and_types() -> None:
    """Otherwise the test above could not fail."""
    broken = json.loads(json.dumps(DASHBOARD))
    broken["panels"][1]["gridpos"] = {}
    broken["panels"][1]["options"]["colorMode"] = "loud"
    broken["panels"][1]["targets"][0]["instant"] = "yes"
    assert len(complaints(broken)) == 3


def test_every_query_uses_exported_metrics() -> None:
    assert {where: wrong for where, query in queries() if (wrong := unknown(plain(query)))} == {}


def test_every_metric_is_shown() -> None:
    text = " ".join(query for _, query in queries())
    assert [name for name in series() if not re.search(re.sub("_(count|sum|bucket)$", "", name), text)] == []


def test_every_query_parses(tmp_path: Path) -> None:
    rules = [{"record": f"query:{place}", "expr": plain(query)} for place, (_, query) in enumerate(queries())]
    file = tmp_path / "queries.json"
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    promtool("check", "rules", file)


def test_every_variable_is_defined_and_used() -> None:
    used = set(re.findall(r"\$\{?(\w+)", json.dumps(DASHBOARD))) - {"__rate_interval", "__all"}
    assert used == set(VARIABLES)


def test_a_missing_endpoint_success_is_neither_green_nor_red() -> None:
    """Without a mapping, Grafana gives an empty cell the lowest threshold's color: green. A timeline has a gap."""
    shown = [panel for panel in PANELS if any("endpoint_success" in target["expr"] for target in panel["targets"])]
    assert {panel["type"] for panel in shown} == {"state-timeline", "table"}
    for panel in shown:
        missing = list(_mappings_of_missing_values(panel))
        assert missing == (["#808080"] if panel["type"] == "table" else []), panel["title"]
        assert "spanNulls" not in panel["fieldConfig"]["defaults"]["custom"]
        assert "noValue" not in panel["fieldConfig"]["defaults"]


def _mappings_of_missing_values(panel: dict[str, Any]) -> Iterator[str]:
    """The colors that mappings give to a missing value of the column "works", or of all fields."""
    properties = [
        entry
        for override in panel["fieldConfig"]["overrides"]
        if override["matcher"]["options"] == "works"
        for entry in override["properties"]
    ]
    mappings = [*panel["fieldConfig"]["defaults"].get("mappings", ())]
    mappings += [mapping for entry in properties if entry["id"] == "mappings" for mapping in entry["value"]]
    for mapping in mappings:
        if mapping["type"] == "special" and mapping["options"]["match"] in ("null", "null+nan"):
            yield mapping["options"]["result"]["color"]


def test_every_panel_is_explained_and_has_a_place_of_its_own() -> None:
    assert [panel["title"] for panel in PANELS if len(panel["description"]) < 20] == []
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    boxes = [(panel["title"], *(panel["gridPos"][key] for key in "xywh")) for panel in DASHBOARD["panels"]]
    assert overlapping(boxes) == []
    assert [name for name, x, _, width, _ in boxes if x + width > 24] == []

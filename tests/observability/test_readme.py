"""The README describes every file and every alert, and nothing that does not exist."""

from __future__ import annotations

import re

from probe.config.flags import FLAGS, SERVE_FLAGS
from tests.deployment.definitions import VALUES
from tests.observability.exported import cloudwatch, series
from tests.observability.files import FOLDER, ROOT, load

TEXT = (FOLDER / "README.md").read_text()


def test_every_file_is_listed_and_every_alert_has_its_section() -> None:
    files = set(re.findall(r"^\| `([^`]+)` \|", TEXT, re.M))
    assert files | {"README.md"} == {path.name for path in FOLDER.iterdir()}
    alerts = [rule["alert"] for group in load("alerts.yaml")["groups"] for rule in group["rules"]]
    assert re.findall(r"^### (\w+)$", TEXT, re.M) == alerts


def test_links_lead_to_files() -> None:
    assert [link for link in re.findall(r"\]\(([^)#]+)\)", TEXT) if not (FOLDER / link).exists()] == []


def test_names_are_those_of_the_program() -> None:
    assert set(re.findall(r"\becr_probe_\w+", TEXT)) <= set(series())
    variables = {flag.variable for flag in (*FLAGS, *SERVE_FLAGS)}
    alerts = (FOLDER / "alerts.yaml").read_text()
    assert set(re.findall(r"ECR_PROBE_[A-Z_]+", TEXT + alerts)) <= variables
    assert {"PullSuccess", "Findings"} <= set(cloudwatch())
    assert set(re.findall(r"\$\{(\w+)\}", TEXT)) <= {*VALUES, "NAMESPACE"}


def test_no_file_contains_a_path_of_a_machine() -> None:
    for path in (*FOLDER.iterdir(), *(ROOT / "docs/findings").iterdir()):
        assert not re.search(r"/(?:home|root|work|Users)/", path.read_text()), path.name

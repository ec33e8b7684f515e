"""The alert rules, run by promtool: valid, firing and silent as expected, and with runbooks that exist."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from probe.faults import FAULTS, WORDINGS
from probe.model import Impact
from tests.observability.exported import unknown
from tests.observability.files import FOLDER, ROOT, load, promtool

RULES: list[dict[str, Any]] = [rule for group in load("alerts.yaml")["groups"] for rule in group["rules"]]
NAMES = [rule["alert"] for rule in RULES]
CASES: list[dict[str, Any]] = load("alerts_test.yaml")["tests"]
EACH = pytest.mark.parametrize("rule", RULES, ids=NAMES)
CODES = {fault.code for fault in FAULTS}
README = (FOLDER / "README.md").read_text()


def expectations(alert: str) -> Iterator[list[Any]]:
    """The alerts that each case expects."""
    for case in CASES:
        for test in case.get("alert_rule_test", ()):
            if test["alertname"] == alert:
                yield test["exp_alerts"]


def codes(expression: str) -> Iterator[str]:
    """The regular expressions and values with which a finding's code is compared."""
    for operator, pattern in re.findall(r"code(=~|!~|=|!=)\"([^\"]*)\"", expression):
        yield from re.split(r"\|(?![^(]*\))", pattern) if "~" in operator else [re.escape(pattern)]


# ---- by promtool ----------------------------------------------------------------------------------------------------


def test_promtool_accepts_the_rules() -> None:
    assert f"{len(RULES)} rules found" in promtool("check", "rules", "alerts.yaml")


@pytest.mark.slow
def test_each_alert_fires_and_stays_silent_as_its_cases_expect() -> None:
    promtool("test", "rules", "alerts_test.yaml")


@pytest.mark.parametrize("alert", NAMES)
def test_each_alert_has_a_firing_and_a_silent_case(alert: str) -> None:
    assert {bool(expected) for expected in expectations(alert)} == {True, False}


def test_one_bad_round_is_a_case_in_which_no_alert_at_all_fires() -> None:
    silent = [
        case["name"]
        for case in CASES
        for test in case.get("promql_expr_test", ())
        if "count_over_time(ALERTS{alertstate=" in test["expr"] and test["exp_samples"] == []
    ]
    assert [name for name in silent if name.startswith("one bad round")]


# ---- what they say --------------------------------------------------------------------------------------------------


@EACH
def test_an_alert_has_severity_summary_and_description(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}


@EACH
def test_a_description_begins_with_service_and_cluster(rule: dict[str, Any]) -> None:
    """From the probe's metadata; where it has none, or a series has no instance, from labels of the scrape."""
    by_scrape = rule["alert"] in ("EcrProbeAbsent", "EcrErrorBudgetBurns")
    source = r"with \$labels\.ecs_service" if by_scrape else r"range query \(printf \"ecr_probe_task_info\{service!=''"
    assert re.match(r"\{\{ " + source + r".*?Service \{\{.*? in cluster \{\{", rule["annotations"]["description"], re.S)


@EACH
def test_no_alert_fires_within_three_minutes(rule: dict[str, Any]) -> None:
    number, unit = re.fullmatch(r"(\d+)([mh])", rule["for"]).groups()  # type: ignore[union-attr]
    assert int(number) * {"m": 1, "h": 60}[unit] >= 3


@EACH
def test_it_queries_only_exported_metrics(rule: dict[str, Any]) -> None:
    assert unknown(rule["expr"]) == []
    for query in re.findall(r"printf \"(.*?)\" *\$", " ".join(rule["annotations"].values())):
        assert unknown(query.replace("'", '"').replace("%q", '""')) == []


@EACH
def test_the_runbook_is_a_page_that_exists(rule: dict[str, Any]) -> None:
    page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
    if "{{" in page:
        assert page.startswith("docs/findings/")
        assert page.endswith(".md")
    else:
        text = (ROOT / page).read_text()
        assert not anchor or anchor in [title.lower() for title in re.findall(r"^#+ (\S+)$", text, re.M)]


@EACH
def test_every_code_it_names_is_one_of_ours(rule: dict[str, Any]) -> None:
    named = [*codes(rule["expr"]), *codes(" ".join(rule["annotations"].values()).replace("'", '"'))]
    assert [pattern for pattern in named if not any(re.fullmatch(pattern, code) for code in CODES)] == []


def test_the_alert_on_bypassed_endpoints_covers_every_fault_of_the_route() -> None:
    (rule,) = [rule for rule in RULES if rule["alert"] == "EcrTrafficBypassesEndpoint"]
    named = {code for code in CODES if any(re.fullmatch(pattern, code) for pattern in codes(rule["expr"]))}
    assert named == {code for code in CODES if any(fault.impact is Impact.ROUTE for fault in WORDINGS[code])}


def test_every_code_has_an_alert() -> None:
    """EcrFindingStands covers every code without an alert of its own."""
    patterns = {rule["alert"]: list(codes(rule["expr"])) for rule in RULES}
    left_out = [code for code in CODES if any(re.fullmatch(pattern, code) for pattern in patterns["EcrFindingStands"])]
    others = [
        pattern for alert, own_patterns in patterns.items() if alert != "EcrFindingStands" for pattern in own_patterns
    ]
    assert [code for code in left_out if not any(re.fullmatch(pattern, code) for pattern in others)] == []


# ---- their runbooks, made absolute by the README's commands ---------------------------------------------------------


def _filled(url: str, code: str) -> str:
    """What Prometheus makes of a runbook: a label, or the first code of a query, which may have no result."""
    url = url.replace("{{ $labels.code }}", "tcp.silent")
    query = r"\{\{- with .*?\}\}\{\{ \. \|.*?\}\}(.*?)(?:\{\{ else \}\}(.*?))?\{\{ end \}\}"
    chosen = re.sub(query, lambda found: f"{code}{found[1]}" if code else found[2] or "", url, flags=re.S)
    return re.sub(r"\s", "", chosen)


def _on_the_site(path: str) -> str:
    """The URL on the documentation site of a page in the repository."""
    page, _, anchor = path.partition("#")
    folder, _, name = page.removesuffix(".md").rpartition("/")
    at = f"{Path(folder).name}/" + ("" if name == "README" else f"{name}/")
    return f"https://docs.example.com/ecr-probe/{at}" + (f"#{anchor}" if anchor else "")


@pytest.mark.parametrize("site", [False, True])
def test_the_readmes_commands_make_every_runbook_absolute(site: bool, tmp_path: Path) -> None:
    commands = [block for block in re.findall(r"^```sh\n(.*?)^```$", README, re.M | re.S) if "sed -i" in block]
    copy = tmp_path / "alerts.yaml"
    copy.write_text((FOLDER / "alerts.yaml").read_text())
    subprocess.run(["bash", "-euc", commands[site]], cwd=tmp_path, check=True)
    changed = [rule for group in yaml.safe_load(copy.read_text())["groups"] for rule in group["rules"]]
    for rule, after in zip(RULES, changed, strict=True):
        for code in ("tcp.silent", ""):
            path = _filled(rule["annotations"]["runbook_url"], code)
            url = _on_the_site(path) if site else f"https://git.example.com/ecr-probe/blob/main/{path}"
            assert _filled(after["annotations"]["runbook_url"], code) == url

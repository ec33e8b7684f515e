"""--runbook-base: the links to the pages of findings are absolute in every output, and paths without it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from probe.cli import main
from probe.config.settings import parse
from probe.model import RUNBOOK_BASE, Verdict, finding_url
from probe.report import FLEET_FORMATS, FORMATS, Page
from probe.runbook import linked
from tests.report import fleets, made

BASE = "https://docs.example.com/ecr-probe/findings/CODE/"
URL = "https://docs.example.com/ecr-probe/findings/tcp.silent/"
IN_WORDS = [name for name, form in FORMATS.items() if not form.numeric]


def broken() -> Verdict:
    return made.verdict(findings=(made.finding("tcp.silent", ("ecr.api/tcp/10.0.1.10",)),))


def urls(document: object) -> Iterator[str]:
    if isinstance(document, dict):
        if "severity" in document and "url" in document:
            yield document["url"]
        document = list(document.values())
    for item in document if isinstance(document, list) else ():
        yield from urls(item)


@pytest.mark.parametrize(
    ("text", "base", "url"),
    [
        (
            "https://docs.example.com/findings/",
            "https://docs.example.com/findings/CODE",
            "https://docs.example.com/findings/tcp.silent",
        ),
        (BASE, BASE, URL),
        (
            "https://CODE.example.com/CODE/docs/findings/CODE.md",
            "https://CODE.example.com/CODE/docs/findings/CODE.md",
            "https://CODE.example.com/CODE/docs/findings/tcp.silent.md",
        ),
        (
            "http://[fd00::1]:8080/?page=CODE",
            "http://[fd00::1]:8080/?page=CODE",
            "http://[fd00::1]:8080/?page=tcp.silent",
        ),
    ],
)
def test_the_code_takes_the_place_of_the_last_CODE_or_is_added(text: str, base: str, url: str) -> None:  # noqa: N802
    assert parse(["--runbook-base", text], {}).reports.runbook_base == base
    assert parse([], {"ECR_PROBE_RUNBOOK_BASE": text}).reports.runbook_base == base
    assert finding_url("tcp.silent", base) == url


def test_without_a_base_a_link_is_the_path_of_a_page_in_the_repository() -> None:
    assert parse([], {}).reports.runbook_base is None
    assert finding_url("tcp.silent") == RUNBOOK_BASE.replace("CODE", "tcp.silent")
    if not RUNBOOK_BASE.startswith("https://"):  # not published yet
        assert (Path(__file__).parents[2] / finding_url("tcp.silent")).is_file()
    assert linked(broken(), None).findings[0].url == finding_url("tcp.silent", RUNBOOK_BASE)


@pytest.mark.parametrize("form", IN_WORDS)
def test_every_report_in_words_has_the_link(form: str) -> None:
    report = FORMATS[form].render(linked(broken(), BASE), Page(verbose=True, width=160))
    assert URL in report.replace("\\/", "/")
    if form != "json":
        assert "http" not in FORMATS[form].render(broken(), Page(verbose=True, width=160)).replace("http://www.w3", "")
    if form in ("text", "junit", "markdown"):
        assert "ecr-probe explain tcp.silent" in report  # without network


@pytest.mark.parametrize("form", FLEET_FORMATS)
def test_every_report_of_a_fleet_has_it_too(form: str) -> None:
    fleet = linked(fleets.mixed(), BASE)
    verdicts = [run.verdict for run in fleet.runs if run.verdict]
    assert {finding.url for verdict in verdicts for finding in verdict.findings} >= {URL}
    report = FLEET_FORMATS[form].render(fleet, Page(verbose=True, width=160))
    assert "https://docs.example.com/ecr-probe/findings/" in report.replace("\\/", "/")


@pytest.mark.parametrize(
    "argv",
    [
        ["demo", "security-group", "--format", "json"],
        ["demo", "security-group", "--inspect", "--format", "json"],
        ["explain", "-", "--format", "json"],
    ],
    ids=" ".join,
)
def test_commands_print_it(
    argv: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "dial tcp 10.0.1.10:443: i/o timeout"
    monkeypatch.setattr("probe.cli._read", lambda _name, _limit: text.encode())
    main([*argv, "--runbook-base", BASE])
    found = {url for line in capsys.readouterr().out.splitlines() if line[:1] == "{" for url in urls(json.loads(line))}
    assert URL in found
    assert all(url.startswith("https://docs.example.com/ecr-probe/findings/") for url in found)

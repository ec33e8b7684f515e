"""The text report of a fleet: each fault once, the table of subnets, subnets without a verdict, the last line. And the
fleet's document."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import given, settings

from probe.fleet import Expectation, Fleet, Source
from probe.model import Status
from probe.report import FLEET_FORMATS, Page
from probe.report.json import schema
from probe.report.layout import cells
from tests.report import fleets, made
from tests.report.hostile import WORDS


def text(fleet: Fleet, **page: Any) -> str:
    return FLEET_FORMATS["text"].render(fleet, Page(**page))


MATRIX = """
ecr-probe-smoke:3 in cluster main (eu-west-1)
zone        subnet                    ecr.api  ecr.dkr  s3  logs  verdict
eu-west-1a  subnet-00000000000000000  ok       ok       ok  ok    pass
eu-west-1b  subnet-00000000000000001  FAIL     FAIL     -   warn  fail
eu-west-1c  subnet-00000000000000002  ok       ok       ok  warn  degraded
eu-west-1a  subnet-00000000000000003  -        -        -   -     inconclusive
eu-west-1b  subnet-00000000000000004  FAIL     FAIL     -   warn  fail
eu-west-1c  subnet-00000000000000005  -        -        -   -     inconclusive
1 note (-v)

fail: 6 subnets of cluster main: 2 fail, 2 inconclusive, 1 degraded, 1 pass; nothing answers on port 443 of ecr.api, \
ecr.dkr; 48.2 s
fix:  allow TCP 443 from 10.0.1.0/24 on the endpoints' security group
"""
FAULT = """\
error[tcp.silent]: nothing answers on port 443 of ecr.api, ecr.dkr
  in:    subnet-00000000000000001 (eu-west-1b), subnet-00000000000000004 (eu-west-1b); details from
         the first
  saw:   6 of 6 connections timed out after 3.0 s (10.0.1.10, 10.0.2.10, 10.0.3.10, …)
"""


def test_a_report_is_each_fault_once_the_table_of_subnets_and_the_verdict() -> None:
    report = text(fleets.mixed())
    assert report.startswith(FAULT)
    assert report.count("error[tcp.silent]") == 1
    assert report.endswith(MATRIX)


def test_verbose_shows_every_cause_and_every_note_and_quiet_the_verdict_line() -> None:
    report = text(fleets.mixed(), verbose=True)
    assert report.count("  cause: ") == 4
    assert "info[path.undetermined]: S3 is reached by a gateway endpoint or by NAT (2 of 6 subnets)\n" in report
    assert text(fleets.mixed(), quiet=True).splitlines() == report.splitlines()[-2:-1]


def test_of_subnets_without_a_verdict_the_worst_status_comes_first() -> None:
    statuses = (Status.PASS, Status.INCONCLUSIVE, Status.DEGRADED, Status.FAIL)
    runs = (fleets.run(number, status=status, words="w") for number, status in enumerate(statuses))
    report = text(fleets.fleet(runs))
    order = [line.removesuffix(": w") for line in report.splitlines() if line.endswith(": w")]
    assert order == ["fail", "inconclusive", "degraded", "pass"]


def test_a_reason_without_a_verdict_is_shown_once_with_its_subnets() -> None:
    report = text(fleets.mixed())
    assert report.count(fleets.WORDS) == 1
    assert (
        f"inconclusive: {fleets.WORDS}\n"
        "  in:    subnet-00000000000000003 (eu-west-1a), subnet-00000000000000005 (eu-west-1c)\n"
    ) in report


def test_an_unknown_zone_and_a_result_by_exit_code_are_marked() -> None:
    run = fleets.run(1, zone=None, status=Status.PASS, source=Source.EXIT_CODE, words="ended with exit code 0")
    row = next(line for line in text(fleets.fleet([run])).splitlines() if line.startswith("unknown"))
    assert row.split() == ["unknown", run.subnet, "pass", "(by", "its", "exit", "code)"]


def test_a_remark_on_a_verdict_is_a_note() -> None:
    run = fleets.run(1, made.broken(), source=Source.STOPPED_REASON, words="the probe's container never ran: x")
    report = text(fleets.fleet([run], notes=("the tasks report their zones",)))
    assert "note: the probe's container never ran: x\n  in:    subnet-00000000000000001 (eu-west-1b)\n" in report
    assert "note: the tasks report their zones\n" in report


def test_role_service_and_drill_are_shown() -> None:
    expected = (Expectation(code="tcp.silent"),)
    report = text(
        fleets.fleet(
            [fleets.run(1, made.broken())],
            service="shop",
            role="arn:aws:iam::123456789012:role/path/pull",
            expected=expected,
            exit_code=0,
        )
    )
    assert "\necr-probe-smoke:3 in cluster main (eu-west-1), service shop, as pull\n" in report
    *_, sentence, fix = report.splitlines()
    assert sentence.startswith("fail: 1 subnet of service shop: 1 fail; nothing answers")
    assert sentence.endswith("; as expected (fail:tcp.silent); 48.2 s")
    assert fix.startswith("fix:  allow TCP 443")


def test_many_subnets_with_the_same_result_share_a_row() -> None:
    passing = [fleets.run(number, made.verdict()) for number in range(300)]
    lines = text(fleets.fleet([*passing, fleets.run(300, made.broken())])).splitlines()
    assert len(lines) < 40
    rows = [line for line in lines if line.startswith("eu-west-1")]
    assert [row.split()[1:4] for row in rows[:3]] == [[f"subnet-{number:017x}", "and", "99"] for number in range(3)]


def test_a_fault_and_subnets_without_a_verdict_fit_a_screen() -> None:
    runs = [
        *(fleets.run(number, made.verdict()) for number in range(4)),
        fleets.run(4, made.broken()),
        *(fleets.run(number, words="no task could be started: RESOURCE:ENI") for number in range(5, 24)),
    ]
    assert len(text(fleets.fleet(runs, notes=("3 tasks were stopped",))).splitlines()) <= 40


def test_a_fleet_without_subnets_is_a_line() -> None:
    assert text(fleets.fleet([])).splitlines()[-1] == "inconclusive: 0 subnets of cluster main tried; 48.2 s"


@pytest.mark.parametrize("width", [60, 80, 100, 160])
def test_lines_fit_the_page(width: int) -> None:
    lines = text(fleets.mixed(), width=width).splitlines()
    assert all(cells(line) <= max(width, 84) for line in lines[:-2])  # ids and endpoints are not cut


@given(WORDS)
@settings(max_examples=50, deadline=None)
def test_hostile_text_has_no_control_character(words: str) -> None:
    run = fleets.run(1, words=words)
    report = text(fleets.fleet([run], notes=(words,), cluster=words, service=words))
    assert not any(unicodedata.category(letter)[0] == "C" for letter in report if letter != "\n")


def test_ascii_and_colours_are_optional() -> None:
    assert text(fleets.mixed(), unicode=False).isascii()
    assert "\x1b[1;31mFAIL" in text(fleets.mixed(), colour=True)


# ---- the document ----------------------------------------------------------------------------------------------------


def test_the_document_matches_its_schema() -> None:
    whole = schema("fleet")
    jsonschema.Draft202012Validator.check_schema(whole)
    document = json.loads(FLEET_FORMATS["json"].render(fleets.mixed(), Page()))
    jsonschema.Draft202012Validator(whole, format_checker=jsonschema.FormatChecker()).validate(document)
    assert [run["status"] for run in document["runs"]][:2] == ["pass", "fail"]
    assert msgspec.json.decode(msgspec.json.encode(document), type=Fleet) == fleets.mixed()


def test_the_document_is_one_line_unless_pretty() -> None:
    assert FLEET_FORMATS["json"].render(fleets.mixed(), Page()).count("\n") == 1
    assert FLEET_FORMATS["json"].render(fleets.mixed(), Page(pretty=True)).count("\n") > 100

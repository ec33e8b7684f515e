"""The lines on stderr: one per round, one per change, and nothing repeated."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from probe.history import Snapshot, advance
from probe.model import Severity, Status, Verdict
from probe.records import replace
from probe.serve.log_lines import event, round_lines
from tests.report import made
from tests.serve.rounds import NEW, after, finding, misconfigured, verdict

SILENT = finding("tcp.silent", Severity.ERROR, "ecr.api", "ecr.dkr")
PARTLY = finding("tcp.partly-silent", Severity.WARNING, "ecr.dkr")
NOTED = finding("s3.route-undetermined", Severity.INFO, "s3")
HOSTILE = replace(
    SILENT, code="tls.interception", title='"}\n{"level":"info"\x1b[31m\u2028\ud7ff\udcff', why="\r\n\x00"
)


def said(before: Snapshot, now: Snapshot) -> list[dict[str, Any]]:
    """Each line is one object, and one line."""
    found = []
    for line in round_lines(before, now):
        assert "\n" not in line
        assert "\r" not in line
        one = json.loads(line)
        assert {"time", "level", "event"} <= set(one)
        assert one["time"].endswith("Z")
        assert datetime.fromisoformat(one["time"])
        assert one["level"] in ("info", "warning", "error")
        found.append(one)
    return found


def story(verdicts: Iterable[Verdict], before: Snapshot = NEW) -> list[list[dict[str, Any]]]:
    """What each round adds."""
    told = []
    for one in verdicts:
        now = advance(before, one, interval=before.interval)
        told.append(said(before, now))
        before = now
    return told


def events(told: list[dict[str, Any]]) -> list[str]:
    return [f"{one['event']} {one['code']}" if "code" in one else one["event"] for one in told]


def test_a_round_is_a_line() -> None:
    (first,) = story([verdict()])
    assert first == [
        {
            "time": "2026-03-01T12:00:00.812Z",
            "level": "info",
            "event": "round",
            "round": 1,
            "status": "pass",
            "pull": "works",
            "seconds": 0.812,
            "errors": [],
            "warnings": [],
        }
    ]


def test_a_change_is_a_line_and_nothing_is_repeated() -> None:
    told = story([verdict(), verdict(SILENT), verdict(SILENT), verdict(SILENT, PARTLY, NOTED), verdict(NOTED)])
    assert [events(each) for each in told] == [
        ["round"],
        ["round", "finding tcp.silent"],
        ["round"],
        ["round", "finding tcp.partly-silent", "finding s3.route-undetermined"],
        ["round", "cleared tcp.silent", "cleared tcp.partly-silent"],
    ]
    new = told[1][1]
    assert (new["level"], new["severity"], new["endpoints"]) == ("error", "error", ["ecr.api", "ecr.dkr"])
    assert (new["title"], new["causes"]) == ("the title of tcp.silent", ["other"])
    gone = told[4][1]
    assert (gone["level"], gone["severity"], gone["rounds"]) == ("info", "error", 3)


def test_other_words_of_the_same_finding_are_no_news() -> None:
    told = story([verdict(SILENT), verdict(replace(SILENT, title="7 of 9 connections", why="other"))])
    assert events(told[1]) == ["round"]


def test_the_level_follows_the_status() -> None:
    levels = {
        status: story([replace(verdict(), status=status)])[0][0]["level"]
        for status in (Status.PASS, Status.DEGRADED, Status.FAIL, Status.INCONCLUSIVE)
    }
    assert levels == {"pass": "info", "degraded": "info", "fail": "error", "inconclusive": "error"}


def test_hostile_words_stay_within_their_line() -> None:
    ((_, new),) = story([verdict(HOSTILE)])
    assert new["level"] == "error"
    assert "level" in new["title"]


def test_a_misconfigured_state_is_said_once() -> None:
    before = after([verdict(SILENT)])
    first = misconfigured(before)
    (line,) = said(before, first)
    assert (line["event"], line["level"]) == ("misconfigured", "error")
    assert line["words"] == "--image (ECR_PROBE_IMAGE): there is none"
    assert said(first, misconfigured(first)) == []
    assert events(said(first, misconfigured(first, "another reason"))) == ["misconfigured"]
    good = advance(first, verdict(), interval=60)
    assert events(said(first, good)) == ["round"]
    assert events(said(good, misconfigured(good))) == ["misconfigured"]


def test_another_interval_is_said_once() -> None:
    slower = advance(NEW, verdict(), interval=120)
    assert [one.get("seconds") for one in said(NEW, slower)] == [0.812, 120]
    assert "throttles" in said(NEW, slower)[1]["words"]
    assert events(said(slower, advance(slower, verdict(), interval=120))) == ["round"]
    assert "again" in said(slower, advance(slower, verdict(), interval=60))[1]["words"]


def test_a_line_about_the_sidecar_itself() -> None:
    one = json.loads(event("info", "listening", address="127.0.0.1:9879", interval=60.0))
    assert datetime.fromisoformat(one.pop("time"))
    assert one == {"level": "info", "event": "listening", "address": "127.0.0.1:9879", "interval": 60.0}


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sets(st.sampled_from(["tcp.silent", "tcp.refused", "dns.nxdomain", "tls.expired"])), max_size=10))
def test_what_comes_must_go_before_it_comes_again(rounds: list[set[str]]) -> None:
    standing: set[str] = set()
    told = story(verdict(*map(finding, sorted(each))) for each in rounds)
    for found, each in zip(told, rounds, strict=True):
        assert events(found)[0] == "round"
        for one in found[1:]:
            if one["event"] == "finding":
                assert one["code"] not in standing
                standing.add(one["code"])
            else:
                standing.remove(one["code"])
        assert standing == each


def test_nothing_of_steps_or_surroundings_is_logged() -> None:
    """Addresses, digests and words of servers are in the verdict; the log driver's reader gets codes and titles."""
    text = "".join(round_lines(NEW, advance(NEW, made.broken(), interval=60)))
    assert "sha256" not in text
    assert "arn:aws:iam" not in text
    assert "Authorization" not in text

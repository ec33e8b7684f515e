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


def logged(before: Snapshot, now: Snapshot) -> list[dict[str, Any]]:
    """The entries that a round logs; checks that each is one line with one object."""
    entries = []
    for line in round_lines(before, now):
        assert "\n" not in line
        assert "\r" not in line
        entry = json.loads(line)
        assert {"time", "level", "event"} <= set(entry)
        assert entry["time"].endswith("Z")
        assert datetime.fromisoformat(entry["time"])
        assert entry["level"] in ("info", "warning", "error")
        entries.append(entry)
    return entries


def story(verdicts: Iterable[Verdict], before: Snapshot = NEW) -> list[list[dict[str, Any]]]:
    """The entries of each round."""
    lines = []
    for past in verdicts:
        now = advance(before, past, interval=before.interval)
        lines.append(logged(before, now))
        before = now
    return lines


def events(lines: list[dict[str, Any]]) -> list[str]:
    return [f"{line['event']} {line['code']}" if "code" in line else line["event"] for line in lines]


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
    lines = story([verdict(), verdict(SILENT), verdict(SILENT), verdict(SILENT, PARTLY, NOTED), verdict(NOTED)])
    assert [events(lines_of_round) for lines_of_round in lines] == [
        ["round"],
        ["round", "finding tcp.silent"],
        ["round"],
        ["round", "finding tcp.partly-silent", "finding s3.route-undetermined"],
        ["round", "cleared tcp.silent", "cleared tcp.partly-silent"],
    ]
    new = lines[1][1]
    assert (new["level"], new["severity"], new["endpoints"]) == ("error", "error", ["ecr.api", "ecr.dkr"])
    assert (new["title"], new["causes"]) == ("the title of tcp.silent", ["other"])
    gone = lines[4][1]
    assert (gone["level"], gone["severity"], gone["rounds"]) == ("info", "error", 3)


def test_a_reworded_finding_is_not_logged_again() -> None:
    lines = story([verdict(SILENT), verdict(replace(SILENT, title="7 of 9 connections", why="other"))])
    assert events(lines[1]) == ["round"]


def test_the_level_follows_the_status() -> None:
    levels = {
        status: story([replace(verdict(), status=status)])[0][0]["level"]
        for status in (Status.PASS, Status.DEGRADED, Status.FAIL, Status.INCONCLUSIVE)
    }
    assert levels == {"pass": "info", "degraded": "info", "fail": "error", "inconclusive": "error"}


def test_hostile_text_stays_within_its_line() -> None:
    ((_, new),) = story([verdict(HOSTILE)])
    assert new["level"] == "error"
    assert "level" in new["title"]


def test_a_misconfiguration_is_logged_once() -> None:
    before = after([verdict(SILENT)])
    first = misconfigured(before)
    (line,) = logged(before, first)
    assert (line["event"], line["level"]) == ("misconfigured", "error")
    assert line["message"] == "--image (ECR_PROBE_IMAGE): there is none"
    assert logged(first, misconfigured(first)) == []
    assert events(logged(first, misconfigured(first, "another reason"))) == ["misconfigured"]
    good = advance(first, verdict(), interval=60)
    assert events(logged(first, good)) == ["round"]
    assert events(logged(good, misconfigured(good))) == ["misconfigured"]


def test_a_changed_interval_is_logged_once() -> None:
    slower = advance(NEW, verdict(), interval=120)
    assert [entry.get("seconds") for entry in logged(NEW, slower)] == [0.812, 120]
    assert "throttles" in logged(NEW, slower)[1]["message"]
    assert events(logged(slower, advance(slower, verdict(), interval=120))) == ["round"]
    assert "again" in logged(slower, advance(slower, verdict(), interval=60))[1]["message"]


def test_a_line_about_the_sidecar_itself() -> None:
    entry = json.loads(event("info", "listening", address="127.0.0.1:9879", interval=60.0))
    assert datetime.fromisoformat(entry.pop("time"))
    assert entry == {"level": "info", "event": "listening", "address": "127.0.0.1:9879", "interval": 60.0}


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sets(st.sampled_from(["tcp.silent", "tcp.refused", "dns.nxdomain", "tls.expired"])), max_size=10))
def test_a_finding_is_logged_again_only_after_it_was_cleared(rounds: list[set[str]]) -> None:
    standing: set[str] = set()
    lines = story(verdict(*map(finding, sorted(codes))) for codes in rounds)
    for lines_of_round, codes in zip(lines, rounds, strict=True):
        assert events(lines_of_round)[0] == "round"
        for line in lines_of_round[1:]:
            if line["event"] == "finding":
                assert line["code"] not in standing
                standing.add(line["code"])
            else:
                standing.remove(line["code"])
        assert standing == codes


def test_steps_and_surroundings_are_not_logged() -> None:
    """The log has codes and titles; addresses, digests and server texts are only in the verdict."""
    text = "".join(round_lines(NEW, advance(NEW, made.broken(), interval=60)))
    assert "sha256" not in text
    assert "arn:aws:iam" not in text
    assert "Authorization" not in text

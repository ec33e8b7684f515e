"""The content of the page for a snapshot, and its HTML: well-formed, accessible, without external resources."""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise

import pytest

from probe.faults import WORDINGS
from probe.faults.causes import CAUSES
from probe.history import Snapshot, advance
from probe.model import JudgedFinding, Layers, Pull, Status, Verdict
from probe.records import replace
from probe.report import Page
from probe.report.finding_page import finding_page, has_page
from probe.report.markdown import of_finding
from probe.report.markdown import render as render_markdown
from probe.serve.page import FINDING_HEADERS, HEADERS, REHEARSAL, finding_html, html
from tests.page.parsed import Node, parse
from tests.page.snapshots import NOON, after, broken, failing_in_one_zone, noted, unproven, verdict, waiting

NOW = NOON + timedelta(seconds=20)
STATES = {
    "healthy": after([verdict()] * 70),
    "failing": after([verdict()] * 8 + [broken()] * 3),
    "half-dead": after([verdict()] * 8 + [failing_in_one_zone()] * 3),
    "resolved": after([verdict(), broken(), verdict()]),
    "unproven": after([unproven()] * 2),
    "waiting": waiting(),
    "misconfigured": waiting(misconfigured="no image is known; give --image"),
}


def page(snapshot: Snapshot) -> Node:
    return parse(html(snapshot, now=NOW))


@pytest.fixture(params=STATES.values(), ids=tuple(STATES))
def any_page(request: pytest.FixtureRequest) -> Node:
    snapshot: Snapshot = request.param
    return page(snapshot)


# ---- the state in words ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pull", "status", "word", "colour"),
    [
        (Pull.WORKS, Status.PASS, "Works", "ok"),
        (Pull.WORKS, Status.DEGRADED, "Works, with warnings", "warning"),
        (Pull.WORKS, Status.FAIL, "Failing", "error"),
        (Pull.WORKS, Status.INCONCLUSIVE, "Works, not all proven", "unknown"),
        (Pull.BROKEN, Status.FAIL, "Broken", "error"),
        (Pull.UNPROVEN, Status.PASS, "Unproven", "unknown"),
        (Pull.UNPROVEN, Status.DEGRADED, "Unproven, with warnings", "warning"),
        (Pull.UNPROVEN, Status.FAIL, "Failing", "error"),
        (Pull.UNPROVEN, Status.INCONCLUSIVE, "Unproven", "unknown"),
    ],
)
def test_the_headline_is_a_word_and_a_colour(pull: Pull, status: Status, word: str, colour: str) -> None:
    shown = page(after([verdict(pull=pull, status=status)]))
    (heading,) = shown.all("h1")
    assert heading.text == word
    assert shown.by_id("hero").attributes["class"] == f"hero {colour}"
    assert shown.all("title")[0].text.startswith(word)


@pytest.mark.parametrize("name", STATES)
def test_a_rehearsal_is_named_on_top_and_in_the_title(name: str) -> None:
    shown = parse(html(STATES[name], now=NOW, rehearsal=True))
    assert REHEARSAL in shown.by_id("top").text
    assert shown.all("title")[0].text == f"Rehearsal · {page(STATES[name]).all('title')[0].text}"
    assert "ehears" not in page(STATES[name]).text


def test_before_the_first_round_nothing_is_claimed() -> None:
    shown = page(STATES["waiting"])
    assert shown.by_id("state").text == "Waiting"
    assert {node.text for node in shown.by_id("path").all("span", class_="word")} == {"unknown"}
    assert not [node for node in shown.by_id("main").walk() if "ok" in (node.attributes.get("class") or "").split()]


def test_a_misconfiguration_is_shown() -> None:
    assert page(STATES["misconfigured"]).by_id("lead").text == "no image is known; give --image"


def test_the_times_of_the_state_and_of_the_next_round() -> None:
    hero = page(STATES["failing"]).by_id("hero").text
    assert "since 11:58:00 UTC" in hero
    assert "last round 12:00:00 UTC" in hero
    assert "next round about 12:01:00 UTC" in hero


@pytest.mark.parametrize("made", [verdict, broken, failing_in_one_zone, unproven])
def test_the_sentence_is_the_verdicts_summary(made: Callable[[], Verdict]) -> None:
    """The text report ends with the same one."""
    summary = made().summary
    shown = "".join(page(after([made()])).by_id("lead").texts())
    assert shown == f"{summary[:1].upper()}{summary[1:]}."


def test_the_most_serious_finding_is_linked_from_the_top() -> None:
    (link,) = page(STATES["failing"]).by_id("lead").all("a")
    assert (link.text, link.attributes["href"]) == ("nothing answers on port 443 of ecr.api, ecr.dkr", "#tcp.silent")
    assert not page(STATES["healthy"]).by_id("lead").all("a")


def test_the_page_names_its_task() -> None:
    here = replace(verdict().surroundings, cluster="main", service="shop", task_arn="arn:aws:ecs:x:1:task/main/0c1b")
    shown = page(after([verdict(surroundings=here)]))
    assert shown.by_id("top").text.endswith("main/shop · linux/amd64, eu-west-1")
    assert "in arn:aws:ecs:x:1:task/main/0c1b." in shown.by_id("limits").text


def test_a_longer_interval_has_its_reason() -> None:
    eased = replace(STATES["healthy"], interval=240.0)
    assert "every 240 s while AWS throttles, about 12:04:00 UTC" in page(eased).by_id("hero").text


def test_a_time_of_another_day_has_its_date() -> None:
    assert (
        "since 2026-03-01 10:51 UTC" in parse(html(STATES["healthy"], now=NOW + timedelta(days=1))).by_id("hero").text
    )


# ---- what is wrong, and what is resolved -----------------------------------------------------------------------------


def test_a_finding_is_shown_in_full() -> None:
    findings = page(STATES["failing"]).by_id("findings")
    first, second = findings.all("article")
    assert first.all("h3")[0].text == "error: nothing answers on port 443 of ecr.api, ecr.dkr"
    assert second.all("h3")[0].text == "warning: the log group /app does not exist"
    assert "6 of 6 connections timed out after 3.0 s" in first.text
    assert "packets to addresses inside the VPC are dropped" in first.text
    assert [node.text for node in first.all("span", class_="standing")] == [
        "likely",
        "possible",
        "possible",
        "ruled out",
    ]
    assert "since 11:58:00 UTC , 3 rounds in a row" in first.text
    assert "the same as for: the endpoints' security group does not admit the task" in first.text


def test_a_command_can_be_copied_as_it_stands() -> None:
    first = page(STATES["failing"]).by_id("findings").all("pre")[0]
    (code,) = first.all("code")
    (text,) = code.children
    assert isinstance(text, str)
    assert text.startswith("aws ec2 describe-security-groups --region eu-west-1 \\\n  --filters Name=vpc-id")


def test_the_likeliest_cause_is_open_and_the_others_wait() -> None:
    causes = page(STATES["failing"]).by_id("findings").all("article")[0].all("details")
    assert ["open" in cause.attributes for cause in causes] == [True, False, False]


def test_a_fault_of_one_round_may_be_transient() -> None:
    shown = page(after([verdict()] * 3 + [broken()]))
    assert "first found in this round: may be transient" in shown.by_id("findings").text
    assert "First found in this round: may be transient." in shown.by_id("lead").text


def test_the_very_first_round_is_not_called_transient() -> None:
    assert "transient" not in page(after([broken()])).text


def test_a_finding_that_is_gone_is_listed_as_resolved() -> None:
    resolved = page(STATES["resolved"]).by_id("resolved").text
    assert "resolved: nothing answers on port 443 of ecr.api, ecr.dkr" in resolved
    assert "tcp.silent error, 11:59:00 UTC to 12:00:00 UTC , one round only" in resolved


def test_with_an_error_the_findings_come_before_the_path() -> None:
    def order(name: str) -> list[str]:
        return [identity for section in page(STATES[name]).all("section") if (identity := section.attributes["id"])]

    assert order("failing")[:3] == ["hero", "findings", "path"]
    assert order("half-dead")[:3] == ["hero", "path", "findings"]


def test_a_finding_has_its_code_as_anchor() -> None:
    first, second = page(STATES["failing"]).by_id("findings").all("article")
    assert (first.attributes["id"], second.attributes["id"]) == ("tcp.silent", "logs.group-missing")
    assert first.all("a")[0].attributes["href"] == "#tcp.silent"


def silent_finding() -> JudgedFinding:
    return next(finding for finding in broken().findings if finding.code == "tcp.silent")


def test_two_findings_of_one_code_have_two_anchors() -> None:
    twice = silent_finding(), replace(silent_finding(), endpoints=("logs",))
    ids = [node.attributes["id"] for node in page(after([verdict(findings=twice)])).all("article")]
    assert ids == ["tcp.silent", "tcp.silent-2"]


def test_a_finding_links_to_its_page() -> None:
    article = page(STATES["failing"]).by_id("tcp.silent")
    assert [link.text for link in article.all("a", href="findings/tcp.silent")] == ["explanation of tcp.silent"]
    note = page(STATES["unproven"]).by_id("path.not-the-pull")
    assert note.all("a", href="findings/path.not-the-pull")


def test_a_finding_links_to_its_published_page() -> None:
    url = "https://docs.example.com/findings/tcp.silent/"
    published = replace(silent_finding(), url=url)
    article = page(after([verdict(findings=(published,))])).by_id("tcp.silent")
    assert [link.text for link in article.all("a", href=url)] == ["runbook of tcp.silent"]
    assert article.all("a", href="findings/tcp.silent")  # without network


def test_a_code_without_a_page_is_not_linked() -> None:
    unknown = replace(silent_finding(), code="no.such-code", url="javascript:alert(1)")
    article = page(after([verdict(findings=(unknown,))])).by_id("no.such-code")
    assert [link.attributes["href"] for link in article.all("a")] == ["#no.such-code"]


def test_a_finding_carries_its_part_of_the_markdown_report() -> None:
    (source, *_) = page(STATES["failing"]).by_id("tcp.silent").all("pre", class_="markdown")
    assert "hidden" in source.attributes
    own_part = of_finding(silent_finding(), broken())
    assert "".join(map(str, source.children)) == own_part
    assert own_part.rstrip("\n") in render_markdown(broken(), Page())


# ---- what is not proven ----------------------------------------------------------------------------------------------


def test_a_path_that_is_not_the_pulls_is_named() -> None:
    shown = page(STATES["unproven"])
    assert shown.by_id("lead").text.startswith("The task's own path works, and pass proves only that; it is not proven")
    assert "another interface" in shown.by_id("limits").text


def test_layers_that_were_left_out_are_named() -> None:
    plan = replace(verdict().plan, layers=Layers.NONE)
    assert "--layers none" in page(after([verdict(plan=plan, pull=Pull.UNPROVEN)])).by_id("limits").text


def test_no_zone_is_claimed_of_an_address() -> None:
    assert "The zone of an address cannot be measured" in page(STATES["healthy"]).by_id("limits").text


def test_notes_are_listed_apart_from_faults() -> None:
    shown = page(after([verdict(findings=(noted("S3 may be reached by NAT"),))]))
    assert "S3 may be reached by NAT" in shown.by_id("notes").text
    assert "aws ec2 describe-security-groups" in shown.by_id("notes").text
    assert not [node for node in shown.walk() if node.attributes.get("id") == "findings"]


# ---- the last hour ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rounds", [1, 2, 30, 70])
def test_a_strip_has_a_cell_for_each_round_of_the_hour(rounds: int) -> None:
    snapshot = after([failing_in_one_zone() if number % 7 == 3 else verdict() for number in range(rounds)])
    strips = page(snapshot).by_id("hour").all("svg", class_="strip")
    assert len(strips) == 1 + len(verdict().endpoints)
    for strip in strips:
        assert sum((path.attributes["d"] or "").count("h") for path in strip.all("path")) == len(snapshot.strip)


def test_a_strip_has_a_text_alternative() -> None:
    strips = page(STATES["failing"]).by_id("hour").all("svg", role="img", class_="strip")
    labels = [strip.attributes["aria-label"] for strip in strips]
    spell = "failed 11:58 to 12:00 UTC, 3 rounds: tcp.silent, logs.group-missing"
    assert labels[0] == f"pull, 11:50 to 12:00 UTC: 3 of 11 rounds failed; {spell}"
    assert labels[3] == "s3, 11:50 to 12:00 UTC: 3 of 11 rounds not proven; not proven 11:58 to 12:00 UTC, 3 rounds"


def test_a_bad_cell_names_its_findings_and_times() -> None:
    (strip, *_) = page(STATES["failing"]).by_id("hour").all("svg", class_="strip")
    (title,) = strip.all("title")
    assert title.text == "failed 11:58 to 12:00 UTC, 3 rounds: tcp.silent, logs.group-missing"


def test_a_latency_line_has_a_text_alternative() -> None:
    lines = page(STATES["healthy"]).by_id("hour").all("svg", role="img", class_="latency")
    assert len(lines) == len(verdict().endpoints)
    assert str(lines[0].attributes["aria-label"]).startswith("ecr.api, slowest step of each round: ")


# ---- how it is built -------------------------------------------------------------------------------------------------


def test_headings_descend_without_a_gap(any_page: Node) -> None:
    levels = [int(node.name[1]) for node in any_page.walk() if re.fullmatch("h[1-6]", node.name)]
    assert levels[0] == levels.count(1) == 1
    assert all(below <= above + 1 for above, below in pairwise(levels))


def test_ids_are_unique_and_what_is_referred_to_exists(any_page: Node) -> None:
    ids = [str(node.attributes["id"]) for node in any_page.walk() if "id" in node.attributes]
    assert len(set(ids)) == len(ids)
    named = {
        str(node.attributes["aria-labelledby"]) for node in any_page.walk() if "aria-labelledby" in node.attributes
    }
    links = {
        str(node.attributes["href"])[1:] for node in any_page.walk() if str(node.attributes.get("href")).startswith("#")
    }
    assert named | links <= set(ids)


def test_there_are_landmarks(any_page: Node) -> None:
    assert [len(any_page.all(name)) for name in ("header", "main", "footer", "nav")] == [1, 1, 1, 1]
    assert any_page.all("html")[0].attributes["lang"] == "en"


def test_a_mark_always_has_text(any_page: Node) -> None:
    """Marks are hidden from screen readers, so the element around one must have text."""
    for node in any_page.walk():
        if any(
            isinstance(child, Node) and "mark" in (child.attributes.get("class") or "").split()
            for child in node.children
        ):
            assert node.text


def test_the_content_security_policy_allows_only_what_is_inlined(any_page: Node) -> None:
    policy = dict(HEADERS)["Content-Security-Policy"]
    for name in ("style", "script"):
        (element,) = any_page.all(name)
        digest = hashlib.sha256("".join(map(str, element.children)).encode()).digest()
        assert f"{name}-src 'sha256-{base64.b64encode(digest).decode()}';" in policy
    for rule in (
        "default-src 'none'",
        "connect-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'self'",
    ):
        assert rule in policy.split("; ")
    assert "unsafe" not in policy
    assert not [node for node in any_page.walk() if "style" in node.attributes]


def test_nothing_comes_from_elsewhere(any_page: Node) -> None:
    style, script = ("".join(map(str, any_page.all(name)[0].children)) for name in ("style", "script"))
    assert not re.search(r"url\(|@import|//[a-z]", style)
    assert "http" not in script
    addresses = {
        node.attributes[name]
        for node in any_page.walk()
        for name in ("src", "href", "action")
        if name in node.attributes
    }
    assert all(
        re.match(r"#|data:image/svg|(metrics|verdict|history|-/run|findings/[a-z.-]+)$", str(address))
        for address in addresses
    )


def test_without_a_script_it_is_fetched_again(any_page: Node) -> None:
    (refresh,) = any_page.all("noscript")[0].all("meta")
    assert refresh.attributes == {"http-equiv": "refresh", "content": "15"}


def test_the_same_snapshot_gives_the_same_bytes() -> None:
    """Otherwise a client that compares ETags would see a change."""
    failing = STATES["failing"]
    assert html(failing, now=NOW) == html(failing, now=NOW + timedelta(minutes=5))


@pytest.mark.parametrize("name", STATES)
def test_it_is_small(name: str) -> None:
    assert len(html(STATES[name], now=NOW)) < 60 * 1024


def test_an_hour_of_many_rounds_is_small_too() -> None:
    restless = after([verdict(), broken()] * 360, interval=5.0)
    assert len(html(restless, now=NOW)) < 100 * 1024


def test_a_finding_keeps_its_id_from_round_to_round() -> None:
    """By its id the script finds what to change in place."""
    before = STATES["failing"]
    later = advance(before, broken(), interval=60)
    ids = [[node.attributes["id"] for node in page(snapshot).all("article")] for snapshot in (before, later)]
    assert ids[0] == ids[1]


@pytest.mark.parametrize("command", [["check", "--help"], ["demo", "healthy"]], ids=" ".join)
def test_only_serve_imports_the_template_engine(command: list[str]) -> None:
    code = (
        "import contextlib, io, sys\n"
        "from probe.cli import main\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):\n"
        f"    main({command})\n"
        "sys.exit('jinja2' in sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, stderr=subprocess.DEVNULL).returncode == 0


# ---- the page of a finding -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", sorted({*WORDINGS, *CAUSES}))
def test_the_page_of_a_code_shows_what_its_markdown_does(code: str) -> None:
    shown = parse(finding_html(code))
    text = shown.by_id("main").text
    assert shown.all("h1")[0].text == code
    markdown_words = re.findall(r"[\w.-]{2,}", re.sub(r"^```.*", "", finding_page(code), flags=re.M).lower())
    assert set(markdown_words) <= set(re.findall(r"[\w.-]{2,}", text.lower()))
    levels = [int(node.name[1]) for node in shown.walk() if re.fullmatch("h[1-6]", node.name)]
    assert all(below <= above + 1 for above, below in pairwise(levels))
    links = {str(link.attributes["href"]) for link in shown.by_id("main").all("a")}
    assert all(map(has_page, links))


def test_the_page_of_a_code_allows_only_its_own_style_and_script() -> None:
    policy = dict(FINDING_HEADERS)["Content-Security-Policy"]
    for name in ("style", "script"):
        (element,) = parse(finding_html("tcp.silent")).all(name)
        digest = hashlib.sha256("".join(map(str, element.children)).encode()).digest()
        assert f"{name}-src 'sha256-{base64.b64encode(digest).decode()}';" in policy
    rules, page_rules = (dict(headers)["Content-Security-Policy"].split("; ") for headers in (FINDING_HEADERS, HEADERS))
    assert [rule for rule in rules if "script-src" not in rule] == [
        rule for rule in page_rules if "script-src" not in rule
    ]
    assert FINDING_HEADERS[1:] == HEADERS[1:]


# ---- what the configuration decides ----------------------------------------------------------------------------------

TASK = "arn:aws:ecs:eu-west-1:123456789012:task/main/0123456789abcdef0123456789abcdef"
OLD_TASK = "arn:aws:ecs:eu-west-1:123456789012:task/0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("task", "name", "command"),
    [
        (TASK, "main", f"ecr-probe inspect --verdict verdict.json --task {TASK}"),
        (OLD_TASK, "main", f"ecr-probe inspect --verdict verdict.json --cluster main --task {OLD_TASK}"),
        (None, None, "ecr-probe inspect --verdict verdict.json"),
        ("x; reboot", "main; reboot", "ecr-probe inspect --verdict verdict.json"),
    ],
)
def test_the_command_that_decides_between_causes_names_the_task(
    task: str | None, name: str | None, command: str
) -> None:
    here = replace(verdict().surroundings, addresses=("10.0.1.77",), task_arn=task, cluster=name)
    shown = page(after([replace(broken(), surroundings=here)]))
    pasted = [" ".join("".join(node.texts()).replace("\\\n", " ").split()) for node in shown.all("pre")]
    assert command in pasted
    nowhere = replace(broken(), surroundings=replace(here, addresses=()))
    assert "ecr-probe inspect" not in page(after([nowhere])).text

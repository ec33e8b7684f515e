"""Markdown as GitHub's own parser shows it: what a reader sees, and that foreign text stays text."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probe.fleet import Fleet
from probe.model import Asker, Failure, Impact, NamesSeen, Severity, Verdict
from probe.records import replace
from probe.report import FLEET_FORMATS, FORMATS, Page
from probe.report.markdown import LIMIT
from tests.page.hostile import PAYLOADS, spoilt
from tests.report import fleets, made
from tests.report.hostile import hostile_verdicts
from tests.report.readers import shown

MARKUP = (
    "[x](https://evil.example)",
    "![x](https://evil.example/x.png)",
    "<https://evil.example>",
    "https://evil.example www.evil.example me@evil.example",
    "[x]: https://evil.example",
    "`", "``", "```", "````\n", "`x`", " `", "` ", "~~~",
    "|", "\\|", "\\\\|", "a | b |", "\\", "\\`",
    "\n\n# x", "\n> x", "\n- x", "\n| a |\n|---|\n", "\r\r1. x", "\n\n<details>", "\n</details>", "</summary>", "\n===",
    "**x** __x__ ~~x~~ *x*", "$x$ :smile: @admin #1 GH-1", "\t\tx", "    x", "&lt;b&gt;&#124;",
    "<!--", "-->", "<?", "]]>", "", " ", "\u2028# x", "\u00a0",
)  # fmt: skip


def rows(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]


def test_a_failing_verdict_is_a_heading_a_table_and_findings() -> None:
    text = FORMATS["markdown"].render(made.broken(), Page())
    sentence = "ECS cannot pull the image: nothing answers on port 443 of ecr.api, ecr.dkr; 1 more warning"
    fix = "allow TCP 443 from 10.0.1.0/24 on the endpoints' security group"
    assert text.startswith(f"## ❌ ecr-probe: fail\n\n`{sentence}`\n\nFix: `{fix}`\n\n")
    assert rows(text) == [
        ["endpoint", "DNS", "TCP", "TLS", "requests", "reached"],
        ["---"] * 6,
        ["`ecr.api`", "✅ ok", "❌ timed out, 3 of 3", "–", "–", "through the endpoint"],
        ["`ecr.dkr`", "✅ ok", "❌ timed out, 3 of 3", "–", "–", "through the endpoint"],
        ["`s3`", "✅ ok", "✅ ok", "✅ ok", "–", "gateway endpoint or NAT"],
        ["`logs`", "✅ ok", "✅ ok", "✅ ok", "⚠️ not found", "through the endpoint"],
    ]
    assert "<details open>\n<summary><code>error[tcp.silent]: nothing answers on port 443" in text
    assert "<details>\n<summary><code>warning[logs.group-missing]: " in text
    assert "fix: allow TCP 443 from 10.0.1.0/24" in text
    assert "- `info[path.undetermined]: " in text


def test_a_healthy_verdict_is_short() -> None:
    text = FORMATS["markdown"].render(made.verdict(), Page())
    assert text.startswith("## ✅ ecr-probe: pass\n")
    assert "❌" not in text
    assert "<details" not in text
    assert len(text) < 1000


def test_a_successful_step_with_an_error_is_marked_as_failed() -> None:
    public = made.finding("dns.public-answer", ("logs/dns/10.0.0.2/A",), impact=Impact.ROUTE)
    assert rows(FORMATS["markdown"].render(made.verdict(findings=(public,)), Page()))[-1][1] == "❌ `dns.public-answer`"


def test_a_retry_that_succeeded_is_no_failure() -> None:
    steps = [made.step("logs/logs/x", failure=Failure.RESET), made.step("logs/logs/x#2")]
    retried = made.finding("probe.retried", ("logs/logs/x",), Severity.INFO, impact=Impact.NONE)
    assert rows(FORMATS["markdown"].render(made.verdict(steps, findings=(retried,)), Page()))[-1][4] == "✅ ok"


def test_a_failed_control_is_no_failure() -> None:
    seen = [NamesSeen(server="10.0.0.2", asker=asker, order=0, name="x.example", record="A") for asker in Asker]
    steps = [
        made.step(
            f"logs/dns/{names.asker}",
            names,
            **({} if names.asker is Asker.CONFIGURED else {"failure": Failure.NXDOMAIN}),
        )
        for names in seen
    ]
    assert rows(FORMATS["markdown"].render(made.verdict(steps), Page()))[-1][1] == "✅ ok"


def test_controls_are_not_counted_as_failures() -> None:
    seen = [NamesSeen(server="10.0.0.2", asker=asker, order=0, name="x.example", record="A") for asker in Asker]
    steps = [made.step(f"logs/dns/{names.asker}", names, failure=Failure.NXDOMAIN) for names in seen]
    missing = made.finding("dns.name-missing", tuple(step.id for step in steps))
    assert rows(FORMATS["markdown"].render(made.verdict(steps, findings=(missing,)), Page()))[-1][1] == "❌ NXDOMAIN"


def test_a_step_that_depends_on_another_fault_is_marked_as_failed() -> None:
    steps = [made.step("logs/tls/x", failure=Failure.RESET, on="logs/tcp/x")]
    assert rows(FORMATS["markdown"].render(made.verdict(steps), Page()))[-1][3] == "❌ reset"


def test_an_endpoint_that_was_not_tried_is_not_marked_as_ok() -> None:
    verdict = made.verdict(endpoints=(made.summary("logs", ok=False, reached=0),))
    assert rows(FLEET_FORMATS["markdown"].render(fleets.fleet([fleets.run(0, verdict)]), Page()))[-1][2] == "–"


def test_of_many_notes_fifty_are_shown_and_the_rest_is_counted() -> None:
    notes = tuple(made.finding(f"note.{number}", ("x",), Severity.INFO) for number in range(60))
    text = FORMATS["markdown"].render(made.verdict(findings=notes), Page())
    assert text.count("- `info[") == 50
    assert "\n- and 10 more\n" in text


def test_failures_are_counted_and_a_lost_proof_has_its_own_mark() -> None:
    steps = [made.step("logs/tcp/1", failure=Failure.TIMEOUT), made.step("logs/tcp/2")]
    partly = made.finding("tcp.partly", ("logs/tcp/1",), Severity.WARNING)
    assert (
        rows(FORMATS["markdown"].render(made.verdict(steps, findings=(partly,)), Page()))[-1][2]
        == "⚠️ timed out, 1 of 2"
    )
    proof = made.finding("throttle", ("logs/tcp/1",), impact=Impact.PROOF)
    assert (
        rows(FORMATS["markdown"].render(made.verdict(steps, findings=(proof,)), Page()))[-1][2]
        == "❔ timed out, 1 of 2"
    )


def test_a_fleet_is_a_heading_a_table_and_findings() -> None:
    text = FLEET_FORMATS["markdown"].render(fleets.mixed(), Page())
    assert "`6 subnets of cluster main: 2 fail, 2 inconclusive, 1 degraded, 1 pass; nothing answers on port " in text
    head, _, *subnets = rows(text)
    assert head == ["subnet", "zone", "`ecr.api`", "`ecr.dkr`", "`s3`", "`logs`", "verdict"]
    assert [row[-1] for row in subnets] == [
        "✅ pass",
        "❌ fail",
        "⚠️ degraded",
        "❔ inconclusive",
        "❌ fail",
        "❔ inconclusive",
    ]
    assert subnets[1][:4] == [f"`subnet-{1:017x}`", "`eu-west-1b`", "❌ `tcp.silent`", "❌ `tcp.silent`"]
    assert subnets[3][2:6] == ["–"] * 4
    assert text.count("error[tcp.silent]") == 1  # once, with both subnets that have it
    assert f"In `subnet-{1:017x} (eu-west-1b)`, `subnet-{4:017x} (eu-west-1b)`\n" in text
    assert f"❔ inconclusive, 2 subnets: `{fleets.WORDS}` in `subnet-{3:017x} (eu-west-1a)`, " in text


def test_a_drill_as_expected_is_marked_as_ok() -> None:
    text = FLEET_FORMATS["markdown"].render(fleets.drill(), Page())
    assert text.startswith("## ✅ ecr-probe: fail, as expected\n")
    assert "\n\n`verdicts are exit codes`\n\n" in text
    missed = FLEET_FORMATS["markdown"].render(replace(fleets.drill(), exit_code=1), Page())
    assert missed.startswith("## ❌ ecr-probe: fail\n")


def test_a_fleet_without_subnets() -> None:
    text = FLEET_FORMATS["markdown"].render(fleets.fleet([]), Page())
    assert text == "## ❔ ecr-probe: inconclusive\n\n`0 subnets of cluster main tried; 48.2 s`\n"


@pytest.mark.parametrize(
    "fleet", [fleets.large(500), fleets.large(500, same_fault=False)], ids=["alike", "each its own"]
)
def test_five_hundred_subnets_stay_far_below_the_limit_of_github(fleet: Fleet) -> None:
    started = time.perf_counter()
    text = FLEET_FORMATS["markdown"].render(fleet, Page())
    assert time.perf_counter() - started < 10
    assert len(text.encode()) <= LIMIT + 1000 < 1024 * 1024
    assert len(rows(text)) == 502
    shown(text)


def test_parts_and_rows_that_do_not_fit_are_counted() -> None:
    text = FLEET_FORMATS["markdown"].render(fleets.large(1500, same_fault=False), Page())
    assert text.rstrip().endswith("more parts do not fit here; the JSON report has them.")
    many = FLEET_FORMATS["markdown"].render(fleets.large(5000), Page())
    *_, last = rows(many)
    assert last[0] == f"and {5002 - len(rows(many)) + 1} more"
    assert len(many.encode()) < LIMIT
    shown(many)


def test_very_long_texts_are_cut() -> None:
    long = spoilt(made.broken(), lambda text: f"{text} {'x' * 100_000}")
    assert len(FORMATS["markdown"].render(long, Page())) < 50_000
    fleet = crowd("w" * 100_000, *[long] * 50)
    assert len(FLEET_FORMATS["markdown"].render(fleet, Page()).encode()) <= LIMIT + 1000


@pytest.mark.parametrize("payload", [*PAYLOADS, *MARKUP])
def test_foreign_text_is_shown_as_code_alone(payload: str) -> None:
    words = f"evil{payload}evil"
    broken, healthy = (spoilt(verdict, lambda _: words) for verdict in (made.broken(), made.verdict()))
    fleet = crowd(words, broken, healthy)
    for text in (FORMATS["markdown"].render(broken, Page()), FLEET_FORMATS["markdown"].render(fleet, Page())):
        page = shown(text)
        assert "evil" not in page.outside
        assert sum("evil" in code for code in page.code) > 5


def crowd(words: str, *verdicts: Verdict) -> Fleet:
    """A subnet for each verdict and one without a verdict, with this text in every field."""
    runs = [
        fleets.run(number, verdict, subnet=f"{number}{words}", zone=words, words=words)
        for number, verdict in enumerate([*verdicts, None])
    ]
    return fleets.fleet(runs, cluster=words, service=words)


@settings(max_examples=150, deadline=None)
@given(st.text(st.sampled_from("`|\\<>[]()!*_~#-+=&;:/@.xw \n\t1"), max_size=30), st.booleans())
def test_no_mixture_of_punctuation_leaves_the_code(words: str, is_whole: bool) -> None:
    hostile = spoilt(made.broken(), lambda _: words if is_whole else f"evil{words}evil")
    assert "evil" not in shown(FORMATS["markdown"].render(hostile, Page())).outside
    assert "evil" not in shown(FLEET_FORMATS["markdown"].render(crowd(words, hostile), Page())).outside


@settings(max_examples=60, deadline=None)
@given(hostile_verdicts())
def test_a_hostile_verdict_adds_no_element(verdict: Verdict) -> None:
    shown(FORMATS["markdown"].render(verdict, Page()))
    shown(FLEET_FORMATS["markdown"].render(crowd(verdict.version, verdict), Page()))

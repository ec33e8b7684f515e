"""Markdown: what a reader sees, and that nobody else's words are anything but words. Read by GitHub's own reader."""

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
from tests.report.forms import shown
from tests.report.hostile import hostile_verdicts

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


def test_a_verdict_at_a_glance() -> None:
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


def test_what_went_well_may_be_wrong_all_the_same() -> None:
    public = made.finding("dns.public-answer", ("logs/dns/10.0.0.2/A",), impact=Impact.ROUTE)
    assert rows(FORMATS["markdown"].render(made.verdict(findings=(public,)), Page()))[-1][1] == "❌ `dns.public-answer`"


def test_a_second_try_that_went_well_is_no_failure() -> None:
    steps = [made.step("logs/logs/x", failure=Failure.RESET), made.step("logs/logs/x#2")]
    retried = made.finding("probe.retried", ("logs/logs/x",), Severity.INFO, impact=Impact.NONE)
    assert rows(FORMATS["markdown"].render(made.verdict(steps, findings=(retried,)), Page()))[-1][4] == "✅ ok"


def test_evidence_that_came_to_nothing_is_no_failure() -> None:
    seen = [NamesSeen(server="10.0.0.2", asker=asker, order=0, name="x.example", record="A") for asker in Asker]
    steps = [
        made.step(
            f"logs/dns/{each.asker}", each, **({} if each.asker is Asker.CONFIGURED else {"failure": Failure.NXDOMAIN})
        )
        for each in seen
    ]
    assert rows(FORMATS["markdown"].render(made.verdict(steps), Page()))[-1][1] == "✅ ok"


def test_evidence_is_not_counted_beside_a_failure() -> None:
    seen = [NamesSeen(server="10.0.0.2", asker=asker, order=0, name="x.example", record="A") for asker in Asker]
    steps = [made.step(f"logs/dns/{each.asker}", each, failure=Failure.NXDOMAIN) for each in seen]
    missing = made.finding("dns.name-missing", tuple(step.id for step in steps))
    assert rows(FORMATS["markdown"].render(made.verdict(steps, findings=(missing,)), Page()))[-1][1] == "❌ NXDOMAIN"


def test_what_stands_on_a_fault_that_is_told_elsewhere_has_failed_too() -> None:
    steps = [made.step("logs/tls/x", failure=Failure.RESET, on="logs/tcp/x")]
    assert rows(FORMATS["markdown"].render(made.verdict(steps), Page()))[-1][3] == "❌ reset"


def test_an_endpoint_of_which_nothing_is_known_is_not_well() -> None:
    verdict = made.verdict(endpoints=(made.summary("logs", ok=False, reached=0),))
    assert rows(FLEET_FORMATS["markdown"].render(fleets.fleet([fleets.run(0, verdict)]), Page()))[-1][2] == "–"


def test_a_long_list_of_notes_is_cut_and_says_so() -> None:
    notes = tuple(made.finding(f"note.{number}", ("x",), Severity.INFO) for number in range(60))
    text = FORMATS["markdown"].render(made.verdict(findings=notes), Page())
    assert text.count("- `info[") == 50
    assert "\n- and 10 more\n" in text


def test_some_of_several_are_counted_and_proof_is_in_question() -> None:
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


def test_a_fleet_at_a_glance() -> None:
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


def test_a_drill_that_went_as_expected() -> None:
    text = FLEET_FORMATS["markdown"].render(fleets.drill(), Page())
    assert text.startswith("## ✅ ecr-probe: fail, as expected\n")
    assert "\n\n`verdicts are exit codes`\n\n" in text
    missed = FLEET_FORMATS["markdown"].render(replace(fleets.drill(), exit_code=1), Page())
    assert missed.startswith("## ❌ ecr-probe: fail\n")


def test_a_fleet_without_subnets() -> None:
    text = FLEET_FORMATS["markdown"].render(fleets.fleet([]), Page())
    assert text == "## ❔ ecr-probe: inconclusive\n\n`0 subnets of cluster main tried; 48.2 s`\n"


@pytest.mark.parametrize("fleet", [fleets.large(500), fleets.large(500, alike=False)], ids=["alike", "each its own"])
def test_five_hundred_subnets_stay_far_below_what_github_takes(fleet: Fleet) -> None:
    started = time.perf_counter()
    text = FLEET_FORMATS["markdown"].render(fleet, Page())
    assert time.perf_counter() - started < 10
    assert len(text.encode()) <= LIMIT + 1000 < 1024 * 1024
    assert len(rows(text)) == 502
    shown(text)


def test_what_has_no_place_is_counted() -> None:
    text = FLEET_FORMATS["markdown"].render(fleets.large(1500, alike=False), Page())
    assert text.rstrip().endswith("more parts do not fit here; the JSON report has them.")
    many = FLEET_FORMATS["markdown"].render(fleets.large(5000), Page())
    *_, last = rows(many)
    assert last[0] == f"and {5002 - len(rows(many)) + 1} more"
    assert len(many.encode()) < LIMIT
    shown(many)


def test_words_without_end_are_cut() -> None:
    long = spoilt(made.broken(), lambda text: f"{text} {'x' * 100_000}")
    assert len(FORMATS["markdown"].render(long, Page())) < 50_000
    fleet = crowd("w" * 100_000, *[long] * 50)
    assert len(FLEET_FORMATS["markdown"].render(fleet, Page()).encode()) <= LIMIT + 1000


@pytest.mark.parametrize("payload", [*PAYLOADS, *MARKUP])
def test_other_peoples_words_are_nothing_but_words(payload: str) -> None:
    words = f"evil{payload}evil"
    broken, healthy = (spoilt(verdict, lambda _: words) for verdict in (made.broken(), made.verdict()))
    fleet = crowd(words, broken, healthy)
    for text in (FORMATS["markdown"].render(broken, Page()), FLEET_FORMATS["markdown"].render(fleet, Page())):
        page = shown(text)
        assert "evil" not in page.outside
        assert sum("evil" in words for words in page.code) > 5


def crowd(words: str, *verdicts: Verdict) -> Fleet:
    """A subnet for each verdict and one without, with these words wherever there are any."""
    runs = [
        fleets.run(number, verdict, subnet=f"{number}{words}", zone=words, words=words)
        for number, verdict in enumerate([*verdicts, None])
    ]
    return fleets.fleet(runs, cluster=words, service=words)


@settings(max_examples=150, deadline=None)
@given(st.text(st.sampled_from("`|\\<>[]()!*_~#-+=&;:/@.xw \n\t1"), max_size=30), st.booleans())
def test_no_mixture_of_signs_gets_out(words: str, alone: bool) -> None:
    spoiled = spoilt(made.broken(), lambda _: words if alone else f"evil{words}evil")
    assert "evil" not in shown(FORMATS["markdown"].render(spoiled, Page())).outside
    assert "evil" not in shown(FLEET_FORMATS["markdown"].render(crowd(words, spoiled), Page())).outside


@settings(max_examples=60, deadline=None)
@given(hostile_verdicts())
def test_whatever_a_verdict_says_the_page_is_ours(verdict: Verdict) -> None:
    shown(FORMATS["markdown"].render(verdict, Page()))
    shown(FLEET_FORMATS["markdown"].render(crowd(verdict.version, verdict), Page()))

"""GitHub's annotations: ten at most, the graver first, and every line read as the runner reads it."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from probe.fleet import Source
from probe.model import Policy, Severity, Status, Verdict
from probe.records import replace
from probe.report import FLEET_FORMATS, FORMATS, Page
from probe.safe_words import printable
from tests.page.hostile import PAYLOADS, spoilt
from tests.report import fleets, made
from tests.report.forms import Command, commands
from tests.report.hostile import hostile_verdicts

SIGNS = ("%", "%0A", "%250A", "%3A", "::", ",", "=", ", file=x,line=1", "\r\n::set-output name=x::y", "##[error]", "]")


def of(verdict: Verdict) -> list[Command]:
    return commands(FORMATS["github"].render(verdict, Page()))


def test_errors_first_then_warnings_then_notices() -> None:
    told = of(made.broken())
    assert [(each.name, each.properties) for each in told] == [
        ("error", {"title": "ecr-probe: fail"}),
        ("error", {"title": "tcp.silent"}),
        ("warning", {"title": "logs.group-missing"}),
        ("notice", {"title": "path.undetermined"}),
    ]
    title, cause, fix, settle = told[1].message.split("\n")
    assert title == "nothing answers on port 443 of ecr.api, ecr.dkr"
    assert cause == "cause: the endpoints' security group does not admit the task (likely)"
    assert fix == "fix: allow TCP 443 from 10.0.1.0/24 on the endpoints' security group"
    assert settle == f"confirm with: {made.READ_GROUPS.commands[0]}"


def test_what_is_only_worth_knowing_comes_without_advice() -> None:
    cause = made.cause("x", "a cause", fix="a fix", confirm="a read")
    (_, told) = of(made.verdict(findings=(made.finding("x", ("x",), Severity.INFO, title="a title", causes=(cause,)),)))
    assert told == Command("notice", {"title": "x"}, "a title")


@pytest.mark.parametrize(
    ("status", "code", "level"),
    [
        (Status.PASS, 0, "notice"),
        (Status.DEGRADED, 0, "warning"),
        (Status.DEGRADED, 1, "error"),
        (Status.FAIL, 1, "error"),
        (Status.INCONCLUSIVE, 3, "error"),
    ],
)
def test_the_verdict_is_always_told(status: Status, code: int, level: str) -> None:
    policy = Policy(strict=code == 1)
    (told,) = of(made.verdict(status=status, exit_code=code, policy=policy))
    assert (told.name, told.properties) == (level, {"title": f"ecr-probe: {status}"})
    assert told.message.startswith("ECS can pull the image")


def test_ten_and_no_more() -> None:
    findings = [made.finding(f"code.{number}", ("x",), Severity.ERROR) for number in range(9)]
    assert len(of(made.verdict(status=Status.FAIL, exit_code=1, findings=tuple(findings)))) == 10
    one_too_many = of(made.verdict(status=Status.FAIL, exit_code=1, findings=(*findings, findings[0])))
    assert [each.properties["title"] for each in one_too_many[8:]] == ["code.7", "2 more findings"]
    findings += [made.finding(f"late.{number}", ("x",), Severity.WARNING) for number in range(30)]
    told = of(made.verdict(status=Status.FAIL, exit_code=1, findings=tuple(findings)))
    assert len(told) == 10
    assert [each.properties["title"] for each in told[1:9]] == [f"code.{number}" for number in range(8)]
    assert (told[9].name, told[9].properties["title"]) == ("error", "31 more findings")
    assert told[9].message.startswith("not shown: code.8, late.0, late.1, ")
    assert told[9].message.endswith(", …")


def test_a_fleet_tells_each_fault_once() -> None:
    told = commands(FLEET_FORMATS["github"].render(fleets.mixed(), Page()))
    assert [(each.name, each.properties["title"]) for each in told] == [
        ("error", "ecr-probe: fail"),
        ("error", "inconclusive in 2 of 6 subnets"),
        ("error", "tcp.silent in 2 of 6 subnets"),
        ("warning", "logs.group-missing in 3 of 6 subnets"),
        ("notice", "path.undetermined in 2 of 6 subnets"),
    ]
    counts = "6 subnets of cluster main: 2 fail, 2 inconclusive, 1 degraded, 1 pass"
    fix = "allow TCP 443 from 10.0.1.0/24 on the endpoints' security group"
    assert told[0].message == f"{counts}; nothing answers on port 443 of ecr.api, ecr.dkr; 48.2 s\nfix: {fix}"
    assert told[1].message.startswith(f"{fleets.WORDS}\nin subnet-{3:017x} (eu-west-1a), ")
    assert f"\nin subnet-{1:017x} (eu-west-1b), subnet-{4:017x} (eu-west-1b)\ncause: " in told[2].message
    assert len(FLEET_FORMATS["github"].render(fleets.large(500, alike=False), Page()).splitlines()) == 10


def test_a_drill_that_went_as_expected_is_no_error() -> None:
    told = commands(FLEET_FORMATS["github"].render(fleets.drill(), Page()))
    assert {each.name for each in told} == {"notice"}
    assert told[0].message.startswith("2 subnets of cluster main: 2 fail; ")
    assert "; as expected (fail:tcp.silent); " in told[0].message
    assert told[-1] == Command("notice", {"title": "ecr-probe"}, "verdicts are exit codes")
    missed = commands(FLEET_FORMATS["github"].render(replace(fleets.drill(), exit_code=1), Page()))
    assert [each.name for each in missed] == ["error", "error", "warning", "notice", "notice"]


def test_of_equal_faults_the_one_that_most_subnets_have_comes_first() -> None:
    rare, common = (
        made.verdict(status=Status.FAIL, exit_code=1, findings=(made.finding(code, ("x",)),))
        for code in ("rare", "common")
    )
    fleet = fleets.fleet([fleets.run(0, rare), fleets.run(1, common), fleets.run(2, common)])
    titles = [each.properties["title"] for each in commands(FLEET_FORMATS["github"].render(fleet, Page()))]
    assert titles == ["ecr-probe: fail", "common in 2 of 3 subnets", "rare in 1 of 3 subnets"]


def test_what_went_well_without_a_verdict_comes_last() -> None:
    unread = fleets.run(0, status=Status.PASS, source=Source.EXIT_CODE, words="the container ended with 0")
    told = commands(FLEET_FORMATS["github"].render(fleets.fleet([unread, fleets.run(1, made.broken())]), Page()))
    assert [each.name for each in told] == ["error", "error", "warning", "notice", "notice"]
    assert told[3].message.startswith("the container ended with 0\nin subnet-")


@pytest.mark.parametrize("payload", [*PAYLOADS, *SIGNS])
def test_other_peoples_words_end_no_command_and_begin_none(payload: str) -> None:
    spoiled = spoilt(made.broken(), lambda text: f"{text}{payload}")
    told = of(spoiled)
    assert len(told) == 4
    assert all(set(each.properties) == {"title"} for each in told)
    assert told[0].properties["title"] == "ecr-probe: fail"


@settings(max_examples=100, deadline=None)
@given(st.text(st.sampled_from("%0123ACD:,=;\r\n# []ax"), min_size=1, max_size=40))
@example("%")
@example("%0A%0D%25%3A%2C")
@example("%250A")
def test_words_arrive_as_they_were_sent(words: str) -> None:
    finding = made.finding(f"x{words}x", ("x",), title=words, causes=())
    _, told = of(made.verdict(status=Status.FAIL, exit_code=1, findings=(finding,)))
    assert told == Command("error", {"title": f"x{printable(words)}x"}, printable(words))


def test_length_is_bounded() -> None:
    long = spoilt(made.broken(), lambda text: text * 10_000)
    assert len(FORMATS["github"].render(long, Page())) < 30_000


@settings(max_examples=60, deadline=None)
@given(hostile_verdicts())
def test_whatever_a_verdict_says_there_are_only_commands(verdict: Verdict) -> None:
    assert {each.name for each in of(verdict)} <= {"error", "warning", "notice"}
    run = fleets.run(0, verdict, words=verdict.version, zone=verdict.version)
    silent = replace(run, verdict=None, status=Status.INCONCLUSIVE)
    assert 2 <= len(commands(FLEET_FORMATS["github"].render(fleets.fleet([run, silent]), Page()))) <= 10

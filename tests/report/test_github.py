"""GitHub's annotations: at most ten, the most serious first, and every line as the runner reads it."""

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
from tests.report.hostile import hostile_verdicts
from tests.report.readers import Command, commands

SIGNS = ("%", "%0A", "%250A", "%3A", "::", ",", "=", ", file=x,line=1", "\r\n::set-output name=x::y", "##[error]", "]")


def annotations_of(verdict: Verdict) -> list[Command]:
    return commands(FORMATS["github"].render(verdict, Page()))


def test_errors_first_then_warnings_then_notices() -> None:
    annotations = annotations_of(made.broken())
    assert [(annotation.name, annotation.properties) for annotation in annotations] == [
        ("error", {"title": "ecr-probe: fail"}),
        ("error", {"title": "tcp.silent"}),
        ("warning", {"title": "logs.group-missing"}),
        ("notice", {"title": "path.undetermined"}),
    ]
    title, cause, fix, confirm = annotations[1].message.split("\n")
    assert title == "nothing answers on port 443 of ecr.api, ecr.dkr"
    assert cause == "cause: the endpoints' security group does not admit the task (likely)"
    assert fix == "fix: allow TCP 443 from 10.0.1.0/24 on the endpoints' security group"
    assert confirm == f"confirm with: {made.READ_GROUPS.commands[0]}"


def test_a_note_has_no_advice() -> None:
    cause = made.cause("x", "a cause", fix="a fix", confirm="a read")
    finding = made.finding("x", ("x",), Severity.INFO, title="a title", causes=(cause,))
    (_, note) = annotations_of(made.verdict(findings=(finding,)))
    assert note == Command("notice", {"title": "x"}, "a title")


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
def test_the_verdict_is_always_an_annotation(status: Status, code: int, level: str) -> None:
    policy = Policy(strict=code == 1)
    (annotation,) = annotations_of(made.verdict(status=status, exit_code=code, policy=policy))
    assert (annotation.name, annotation.properties) == (level, {"title": f"ecr-probe: {status}"})
    assert annotation.message.startswith("ECS can pull the image")


def test_there_are_at_most_ten_annotations() -> None:
    findings = [made.finding(f"code.{number}", ("x",), Severity.ERROR) for number in range(9)]
    assert len(annotations_of(made.verdict(status=Status.FAIL, exit_code=1, findings=tuple(findings)))) == 10
    one_too_many = annotations_of(made.verdict(status=Status.FAIL, exit_code=1, findings=(*findings, findings[0])))
    assert [annotation.properties["title"] for annotation in one_too_many[8:]] == ["code.7", "2 more findings"]
    findings += [made.finding(f"late.{number}", ("x",), Severity.WARNING) for number in range(30)]
    annotations = annotations_of(made.verdict(status=Status.FAIL, exit_code=1, findings=tuple(findings)))
    assert len(annotations) == 10
    assert [annotation.properties["title"] for annotation in annotations[1:9]] == [
        f"code.{number}" for number in range(8)
    ]
    assert (annotations[9].name, annotations[9].properties["title"]) == ("error", "31 more findings")
    assert annotations[9].message.startswith("not shown: code.8, late.0, late.1, ")
    assert annotations[9].message.endswith(", …")


def test_each_fault_of_a_fleet_is_one_annotation() -> None:
    annotations = commands(FLEET_FORMATS["github"].render(fleets.mixed(), Page()))
    assert [(annotation.name, annotation.properties["title"]) for annotation in annotations] == [
        ("error", "ecr-probe: fail"),
        ("error", "inconclusive in 2 of 6 subnets"),
        ("error", "tcp.silent in 2 of 6 subnets"),
        ("warning", "logs.group-missing in 3 of 6 subnets"),
        ("notice", "path.undetermined in 2 of 6 subnets"),
    ]
    counts = "6 subnets of cluster main: 2 fail, 2 inconclusive, 1 degraded, 1 pass"
    fix = "allow TCP 443 from 10.0.1.0/24 on the endpoints' security group"
    assert annotations[0].message == f"{counts}; nothing answers on port 443 of ecr.api, ecr.dkr; 48.2 s\nfix: {fix}"
    assert annotations[1].message.startswith(f"{fleets.WORDS}\nin subnet-{3:017x} (eu-west-1a), ")
    assert f"\nin subnet-{1:017x} (eu-west-1b), subnet-{4:017x} (eu-west-1b)\ncause: " in annotations[2].message
    assert len(FLEET_FORMATS["github"].render(fleets.large(500, same_fault=False), Page()).splitlines()) == 10


def test_a_drill_as_expected_has_no_error() -> None:
    annotations = commands(FLEET_FORMATS["github"].render(fleets.drill(), Page()))
    assert {annotation.name for annotation in annotations} == {"notice"}
    assert annotations[0].message.startswith("2 subnets of cluster main: 2 fail; ")
    assert "; as expected (fail:tcp.silent); " in annotations[0].message
    assert annotations[-1] == Command("notice", {"title": "ecr-probe"}, "verdicts are exit codes")
    missed = commands(FLEET_FORMATS["github"].render(replace(fleets.drill(), exit_code=1), Page()))
    assert [annotation.name for annotation in missed] == ["error", "error", "warning", "notice", "notice"]


def test_of_equally_serious_faults_the_most_frequent_comes_first() -> None:
    rare, common = (
        made.verdict(status=Status.FAIL, exit_code=1, findings=(made.finding(code, ("x",)),))
        for code in ("rare", "common")
    )
    fleet = fleets.fleet([fleets.run(0, rare), fleets.run(1, common), fleets.run(2, common)])
    titles = [annotation.properties["title"] for annotation in commands(FLEET_FORMATS["github"].render(fleet, Page()))]
    assert titles == ["ecr-probe: fail", "common in 2 of 3 subnets", "rare in 1 of 3 subnets"]


def test_a_subnet_that_passed_without_a_verdict_comes_last() -> None:
    unread = fleets.run(0, status=Status.PASS, source=Source.EXIT_CODE, words="the container ended with 0")
    annotations = commands(FLEET_FORMATS["github"].render(fleets.fleet([unread, fleets.run(1, made.broken())]), Page()))
    assert [annotation.name for annotation in annotations] == ["error", "error", "warning", "notice", "notice"]
    assert annotations[3].message.startswith("the container ended with 0\nin subnet-")


@pytest.mark.parametrize("payload", [*PAYLOADS, *SIGNS])
def test_foreign_text_neither_ends_nor_begins_a_command(payload: str) -> None:
    hostile = spoilt(made.broken(), lambda text: f"{text}{payload}")
    annotations = annotations_of(hostile)
    assert len(annotations) == 4
    assert all(set(annotation.properties) == {"title"} for annotation in annotations)
    assert annotations[0].properties["title"] == "ecr-probe: fail"


@settings(max_examples=100, deadline=None)
@given(st.text(st.sampled_from("%0123ACD:,=;\r\n# []ax"), min_size=1, max_size=40))
@example("%")
@example("%0A%0D%25%3A%2C")
@example("%250A")
def test_escaped_text_is_read_back_unchanged(words: str) -> None:
    finding = made.finding(f"x{words}x", ("x",), title=words, causes=())
    _, annotation = annotations_of(made.verdict(status=Status.FAIL, exit_code=1, findings=(finding,)))
    assert annotation == Command("error", {"title": f"x{printable(words)}x"}, printable(words))


def test_the_length_is_bounded() -> None:
    long = spoilt(made.broken(), lambda text: text * 10_000)
    assert len(FORMATS["github"].render(long, Page())) < 30_000


@settings(max_examples=60, deadline=None)
@given(hostile_verdicts())
def test_a_hostile_verdict_gives_only_commands(verdict: Verdict) -> None:
    assert {annotation.name for annotation in annotations_of(verdict)} <= {"error", "warning", "notice"}
    run = fleets.run(0, verdict, words=verdict.version, zone=verdict.version)
    silent = replace(run, verdict=None, status=Status.INCONCLUSIVE)
    assert 2 <= len(commands(FLEET_FORMATS["github"].render(fleets.fleet([run, silent]), Page()))) <= 10

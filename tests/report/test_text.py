"""The words for people: layout, order, widths, colours, and what hostile servers may not do."""

from __future__ import annotations

import re
import shlex

import msgspec
import pytest
from hypothesis import given as draws
from hypothesis import settings
from hypothesis import strategies as st

from probe.model import (
    AddressClass,
    Advice,
    Asker,
    CertificateSeen,
    Failure,
    Identity,
    Impact,
    NamesSeen,
    Pull,
)
from probe.report import FORMATS, Page
from probe.report.layout import advice, cells, paint, wrapped
from tests.report import made

FINDINGS = """\
error[tcp.silent]: nothing answers on port 443 of ecr.api, ecr.dkr
  saw:   6 of 6 connections timed out after 3.0 s (10.0.1.10, 10.0.2.10, 10.0.3.10, …)
  why:   packets to addresses inside the VPC are dropped, not refused
  cause: the endpoints' security group does not admit the task (likely)
         fix: allow TCP 443 from 10.0.1.0/24 on the endpoints' security group
         confirm with: aws ec2 describe-security-groups --region eu-west-1 \\
                         --filters Name=vpc-id,Values=vpc-0a1b2c3d4e5f60718 \\
                         --query SecurityGroups[].IpPermissions
  cause: a network ACL drops the packets (possible)
         fix: admit 443 and 1024-65535
         confirm with: aws ec2 describe-network-acls \\
                         --filters Name=association.subnet-id,Values=SUBNET_ID
                       SUBNET_ID is the task's subnet.
  cause: no ENI here (possible)
         fix: one per zone
         confirm with: the same read as for: the endpoints' security group does not admit the task
  ruled out: no route

warning[logs.group-missing]: the log group /app does not exist
  saw:   the CloudWatch Logs request failed: not found, HTTP 400 ResourceNotFoundException
         “ResourceNotFoundException: The specified log group does not exist.”
  cause: the group was never made (confirmed)
         fix: aws logs create-log-group

info[path.undetermined]: S3 is reached by a gateway endpoint or by NAT

steps of 123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/app:1.0 (linux/amd64, eu-west-1)
"""
BLOCK = """\
ecr.api  api.ecr.eu-west-1.amazonaws.com · through the endpoint · 0 of 3 addresses answer
  ok    dns          10.0.0.2 A+AAAA                  10.0.1.10, 10.0.2.10, 10.0.3.10 (vpc)     2 ms
  FAIL  tcp          10.0.1.10, 10.0.2.10, 10.0.3.10  timed out                                3.0 s
  skip  tls          10.0.1.10, 10.0.2.10, 10.0.3.10  skipped: TCP failed
  skip  token                                         skipped: TCP failed
"""
LAST = (
    "fail: ECS cannot pull the image; 1 error and 1 warning; measured on the task's network interface as role/app-task"
)
ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


def text(page: Page | None = None, **given: object) -> str:
    verdict = msgspec.structs.replace(made.broken(), **given)
    return FORMATS["text"].render(verdict, page or Page())


def test_findings_come_first_and_in_order() -> None:
    assert text().startswith(FINDINGS)


def test_the_table_folds_what_went_alike() -> None:
    assert BLOCK in text()
    assert "not needed here: ecs, ecs-agent, ecs-telemetry" in FORMATS["text"].render(made.verdict(), Page())


def test_the_last_line_is_the_verdict() -> None:
    assert text(Page(width=60)).splitlines()[-1] == f"{LAST} (from container-role); 3.1 s"
    healthy = FORMATS["text"].render(made.verdict(identity=Identity(source="none")), Page(width=200))
    assert healthy.splitlines()[-1].startswith("pass: ECS can pull the image; measured")
    assert "without credentials" in healthy


@pytest.mark.parametrize("width", [60, 80, 100, 160])
def test_lines_keep_to_the_width(width: int) -> None:
    for line in text(Page(width=width)).splitlines():
        # A word and a shell option are never broken; an endpoint's heading is one line.
        assert cells(line) <= width or not line.startswith("  ") or len(line.split()) <= 3


def test_a_command_can_be_pasted_as_it_stands() -> None:
    lines = text(Page(width=60)).split("confirm with: ")[1].splitlines()
    command = []
    for line in lines:
        command.append(line.strip().removesuffix("\\"))
        if not line.endswith("\\"):
            break
    assert " ".join(" ".join(command).split()) == made.READ_GROUPS.commands[0]


ADVICE = [
    (Advice("create it"), ["fix: create it"]),
    (Advice(""), []),
    (Advice("", ("aws a b --c d",)), ["fix: aws a b --c d"]),
    (Advice("create it", ("aws a b --c d",)), ["fix: create it:", "     aws a b --c d"]),
    (Advice("", ("aws a --b c",), "Elsewhere."), ["fix: aws a --b c", "     Elsewhere."]),
    (Advice("", ("aws a --b c", "aws d --e f")), ["fix: aws a --b c", "     aws d --e f"]),
    (Advice("wait", (), "It takes long."), ["fix: wait", "     It takes long."]),
]


@pytest.mark.parametrize(("given", "lines"), ADVICE)
def test_advice(given: Advice, lines: list[str]) -> None:
    page = Page()
    assert paint(advice(("", "fix: "), given, indent=0, page=page), page).splitlines() == lines


ADDRESSES = ",".join(f"10.0.{number}.10" for number in range(12))


@pytest.mark.parametrize("width", [60, 100, 400])
def test_a_long_list_keeps_the_indentation_and_can_be_pasted(width: int) -> None:
    read = f"aws a b --region r --filters Name=addresses.private-ip-address,Values={ADDRESSES} --query Q"
    page = Page(width=width)
    shown = paint(advice(("", "fix: "), Advice("", (read,)), indent=9, page=page), page)
    assert all(cells(line) <= width for line in shown.splitlines())
    words = shlex.split(shown.replace("\\\n", "").strip().removeprefix("fix: "))
    # The AWS CLI skips white space after a comma.
    assert [re.sub(r"\s", "", word) for word in words] == read.split()


def test_a_word_longer_than_the_line_keeps_the_indentation() -> None:
    title = "x" * 150
    shown = paint(wrapped(("", "saw: "), f"a {title} b", indent=2, page=Page(width=60)), Page(width=60))
    assert all(line.startswith("  saw: " if number == 0 else " " * 7) for number, line in enumerate(shown.splitlines()))
    assert max(map(len, shown.splitlines())) == 60
    assert "".join(shown.split()) == f"saw:a{title}b"


def test_prose_is_readable_on_a_wide_screen() -> None:
    shown = paint(wrapped(("", ""), "word " * 100, indent=0, page=Page(width=400)), Page(width=400))
    assert 100 < max(map(len, shown.splitlines())) <= 120


def test_the_real_fault_stands_above_what_only_stops_the_proof() -> None:
    impacts = (Impact.PROOF, Impact.AGENT, Impact.LOGS, Impact.NONE, Impact.ROUTE, Impact.PULL)
    findings = tuple(made.finding(str(impact), ("s3/tls/52.218.1.1",), impact=impact) for impact in impacts)
    titles = [line for line in text(findings=findings).splitlines() if line.startswith("error[")]
    assert [line[6:].partition("]")[0] for line in titles] == ["pull", "route", "logs", "agent", "proof", "none"]


@pytest.mark.parametrize(
    ("impact", "pull", "words"),
    [
        (Impact.ROUTE, Pull.WORKS, "fail: ECS can pull the image, but past the endpoint: ecr.api; 1 error; "),
        (Impact.LOGS, Pull.WORKS, "fail: ECS can pull the image, but no logs get through: ecr.api; 1 error; "),
        (Impact.AGENT, Pull.WORKS, "fail: ECS can pull the image, but the agent is cut off: ecr.api; 1 error; "),
        (Impact.PULL, Pull.UNPROVEN, "is not proven, but it fails on this path: ecr.api; 1 error; "),
        (Impact.PULL, Pull.BROKEN, "fail: ECS cannot pull the image; 1 error; "),
    ],
)
def test_the_last_line_says_why_it_fails(impact: Impact, pull: Pull, words: str) -> None:
    found = made.finding("code", ("s3/tls/52.218.1.1",), impact=impact)
    assert words in text(pull=pull, findings=(found,)).splitlines()[-1]


def test_a_control_or_a_follow_up_that_came_to_nothing_is_no_fault() -> None:
    seen = {
        asker: NamesSeen(server="10.0.0.2", asker=asker, order=0, name=f"{asker}.example.com", record="A")
        for asker in Asker
    }
    steps = [made.step(f"s3/dns/{asker}/A", each, failure=Failure.NXDOMAIN) for asker, each in seen.items()]
    shown = FORMATS["text"].render(made.verdict(steps), Page())
    assert [line.split()[0] for line in shown.splitlines() if line.endswith("4 ms")] == ["FAIL", "no", "no"]


def test_colour_only_where_asked_for() -> None:
    coloured = text(Page(colour=True))
    assert "\x1b[1;31merror[tcp.silent]: \x1b[0m" in coloured
    assert "\x1b" not in text(Page())
    assert ESCAPE.sub("", coloured) == text(Page())


def test_ascii_where_the_terminal_knows_no_more() -> None:
    plain = text(Page(unicode=False))
    assert plain.isascii()
    assert "10.0.3.10, ..." in plain
    rows = [line for line in plain.splitlines() if line.startswith(("  ok ", "  FAIL ")) and line.endswith("s")]
    assert len(rows) > 10
    assert len({len(row) for row in rows}) == 1


HOSTILE = "a\x1b]0;owned\x07b\x9b31mc\r\nd\u202ee\u2028f\x00g\u200bh"


def test_no_control_character_of_a_server_reaches_the_terminal() -> None:
    seen = CertificateSeen(
        address=HOSTILE, address_class=AddressClass.VPC, issuer=HOSTILE, issuer_organization=HOSTILE, names=(HOSTILE,)
    )
    steps = [
        made.step("ecr.api/tls/x", seen, failure=Failure.UNTRUSTED, detail=HOSTILE),
        made.step("ecr.dkr/tls/x", seen),
        made.step("ecr.dkr/token/x", msgspec.structs.replace(made.ANSWER, code=HOSTILE), failure=Failure.DENIED),
    ]
    found = made.finding(
        HOSTILE, tuple(step.id for step in steps), title=HOSTILE, why=HOSTILE, causes=(made.cause("x", HOSTILE),)
    )
    verdict = made.verdict(steps, findings=(found,), identity=Identity(source=HOSTILE, arn=HOSTILE))
    for page in (Page(), Page(colour=True), Page(unicode=False)):
        shown = (
            ESCAPE.sub("", FORMATS["text"].render(verdict, page))
            if page.colour
            else FORMATS["text"].render(verdict, page)
        )
        assert all(letter == "\n" or letter.isprintable() for letter in shown)
        assert "owned" in shown


@settings(max_examples=60, deadline=None)
@draws(st.text(max_size=80), st.integers(60, 120))
def test_any_words_are_printable(words: str, width: int) -> None:
    found = made.finding(
        "code", ("ecr.api/tls/x",), title=words, why=words, causes=(made.cause("x", words, fix=words, confirm=words),)
    )
    steps = [made.step("ecr.api/tls/x", failure=Failure.NOT_TLS, detail=words)]
    shown = FORMATS["text"].render(made.verdict(steps, findings=(found,)), Page(width=width))
    assert all(letter == "\n" or letter.isprintable() for letter in shown)


def test_wide_letters_count_twice() -> None:
    assert cells("日本") == 4
    assert cells("e\u0301") == 1
    assert cells("abc") == 3

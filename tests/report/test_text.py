"""The text report: layout, order, widths, colors, and hostile text."""

from __future__ import annotations

import re
import shlex
import subprocess
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probe.faults import WORDINGS
from probe.model import (
    AddressClass,
    Advice,
    Asker,
    Basis,
    Cause,
    CertificateSeen,
    ConfigurationSummary,
    Failure,
    Identity,
    Impact,
    Layers,
    NamesSeen,
    Pull,
    Severity,
    Standing,
    Surroundings,
)
from probe.records import replace
from probe.report import FORMATS, Page
from probe.report.finding_page import causes_of
from probe.report.layout import cells, command, paint, wrapped
from tests.report import made
from tests.report.screen import WIDTHS, arguments, check_form, commands_in, names_its_object
from tests.steps import step

SCREEN = """\
error[tcp.silent]: nothing answers on port 443 of ecr.api, ecr.dkr
  saw:   6 of 6 connections timed out after 3.0 s (10.0.1.10, 10.0.2.10, 10.0.3.10, …)
  why:   packets to addresses inside the VPC are dropped, not refused
  cause: the endpoints' security group does not admit the task (likely)
         fix: allow TCP 443 from 10.0.1.0/24 on the endpoints' security group
         confirm with:
              aws ec2 describe-security-groups --region eu-west-1 \\
                --filters Name=vpc-id,Values=vpc-0a1b2c3d4e5f60718 \\
                --query SecurityGroups[].IpPermissions
  2 more possible causes: a network ACL drops the packets · no ENI here (-v)

warning[logs.group-missing]: the log group /app does not exist
  saw:   the CloudWatch Logs request failed: not found, HTTP 400 ResourceNotFoundException
         “ResourceNotFoundException: The specified log group does not exist.”
  cause: the group was never made (confirmed)
         fix: create the log group
              aws logs create-log-group --log-group-name /app

123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/app:1.0 (linux/amd64, eu-west-1) in 3.1 s
task     ok    role/app-task, on the task's network interface
ecr.api  FAIL  0 of 3 addresses reached; TCP timed out
ecr.dkr  FAIL  0 of 3 addresses reached; TCP timed out
s3       -     2 of 2 addresses, gateway endpoint or NAT; layer skipped: ecr.dkr TCP failed
logs     warn  3 of 3 addresses, through the endpoint; logs not found
1 note (-v)

fail: ECS cannot pull the image: nothing answers on port 443 of ecr.api, ecr.dkr; 1 more warning
fix:  allow TCP 443 from 10.0.1.0/24 on the endpoints' security group
"""
BLOCK = """\
ecr.api  api.ecr.eu-west-1.amazonaws.com · through the endpoint · 0 of 3 addresses reached
  ok    dns          10.0.0.2 A+AAAA                  10.0.1.10, 10.0.2.10, 10.0.3.10 (vpc)     2 ms
  FAIL  tcp          10.0.1.10, 10.0.2.10, 10.0.3.10  timed out                                3.0 s
  skip  tls          10.0.1.10, 10.0.2.10, 10.0.3.10  TCP failed
  skip  token                                         TCP failed
"""
CAUSES = """\
  cause: a network ACL drops the packets (possible, tcp.nacl)
         fix: admit 443 and 1024-65535
         confirm with:
              aws ec2 describe-network-acls --filters Name=association.subnet-id,Values=SUBNET_ID
              SUBNET_ID is the task's subnet.
  cause: no ENI here (possible, tcp.az-without-eni)
         fix: one per zone
         confirm with: the same as for “the endpoints' security group does not admit the task”
  ruled out: no route
"""
ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


def text(page: Page | None = None, **fields: object) -> str:
    verdict = made.summarised(msgspec.structs.replace(made.broken(), **fields))
    return FORMATS["text"].render(verdict, page or Page())


def test_a_report_begins_with_the_fault_and_ends_with_the_verdict_and_its_fix() -> None:
    assert text(Page(width=100)) == SCREEN


def test_verbose_shows_every_cause_every_step_and_every_note() -> None:
    report = text(Page(verbose=True))
    assert CAUSES in report
    assert BLOCK in report
    assert "info[path.undetermined]: S3 is reached by a gateway endpoint or by NAT\n" in report
    assert report.splitlines()[-2:] == SCREEN.splitlines()[-2:]
    healthy = FORMATS["text"].render(made.verdict(), Page(verbose=True))
    assert "not needed here: ecs, ecs-agent, ecs-telemetry" in healthy


def test_quiet_shows_the_verdict_line_alone() -> None:
    assert text(Page(quiet=True)) == f"{SCREEN.splitlines()[-2]}\n"


def test_a_healthy_endpoint_takes_one_line() -> None:
    assert (
        FORMATS["text"].render(made.verdict(), Page())
        == """\
123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/app:1.0 (linux/amd64, eu-west-1) in 812 ms
task     ok    role/app-task, on the task's network interface
ecr.api  ok    3 of 3 addresses, through the endpoint; token received
ecr.dkr  ok    3 of 3 addresses, through the endpoint; manifest read (3 layers)
s3       ok    2 of 2 addresses, gateway endpoint or NAT; config and 1 layer verified (136.7 KiB)
logs     ok    3 of 3 addresses, through the endpoint

pass: ECS can pull the image; config and 1 of 3 layers read (--layers all reads all)
"""
    )


def test_an_endpoint_whose_requests_were_not_tried_is_neither_ok_nor_failed() -> None:
    steps = [*made.reach("ecr.api", silent=True), *made.reach("s3"), made.skipped("s3/layer", "ecr.api/tcp/10.0.1.10")]
    summaries = (made.summary("ecr.api", ok=False), made.summary("s3", ok=False))
    lines = FORMATS["text"].render(made.verdict(steps, endpoints=summaries), Page()).splitlines()
    assert "s3       -     2 of 2 addresses, gateway endpoint or NAT; layer skipped: ecr.api TCP failed" in lines


def test_of_many_findings_three_are_shown_in_full_and_the_rest_by_title() -> None:
    findings = tuple(made.finding(f"code{number}", ("s3/tls/52.218.1.1",)) for number in range(5))
    report = text(findings=findings)
    assert report.count("  cause: ") == 3
    assert "2 more findings (-v):\nerror[code3]: the title of code3\nerror[code4]: the title of code4\n" in report
    assert text(Page(verbose=True), findings=findings).count("  cause: ") == 5


def test_a_single_fault_shows_two_causes_and_lists_the_titles_of_the_others() -> None:
    causes = tuple(made.cause(f"c{number}", f"cause number {number}", fix="mend the endpoint") for number in range(9))
    report = text(findings=(made.finding("code", ("s3/tls/52.218.1.1",), causes=causes),))
    assert report.count("  cause: ") == 2
    assert "  7 more possible causes: cause number 2 · cause number 3 · " in report
    assert report.splitlines()[-1] == "fix:  mend the endpoint"


def test_possible_causes_are_only_listed_if_one_is_confirmed() -> None:
    causes = (made.cause("a", "it is so", Standing.CONFIRMED), made.cause("b", "it may be so"))
    report = text(findings=(made.finding("code", ("s3/tls/52.218.1.1",), causes=causes),))
    assert "  cause: it is so (confirmed)\n" in report
    assert "  1 more possible cause: it may be so (-v)\n" in report


def test_a_fault_too_long_for_a_screen_keeps_its_leading_cause_and_fix() -> None:
    causes = (made.cause("c", "the cause", fix="mend the endpoint"), made.cause("d", "another", fix="mend the route"))
    long = made.finding("code", ("s3/tls/52.218.1.1",), causes=causes, why="word " * 500)
    report = text(findings=(long,), endpoints=(made.summary("ecr.api", reached=0, ok=False),))
    assert "  cause: the cause (likely; 1 more: -v)\n         fix: mend the endpoint\n" in report
    assert "word" not in report
    assert "  FAIL  tcp" not in report


def test_of_several_faults_too_long_for_a_screen_the_first_is_in_full() -> None:
    first, second = (
        made.finding(
            code,
            ("s3/tls/52.218.1.1",),
            why=f"why {code}",
            causes=(
                made.cause(
                    "c", f"cause of {code}", fix=Advice("mend the endpoint", (f"aws {code}",) * 6), confirm="look"
                ),
                made.cause("d", "another"),
            ),
        )
        for code, commands in (("first", ("aws first",) * 6), ("second", ("aws second",) * 6))
    )
    report = text(findings=(first, second))
    assert "why:   why first" in report
    assert "why:   why second" not in report
    assert report.count("confirm with: look") == 1
    assert "  cause: cause of second (likely; 1 more: -v)\n         fix: mend the endpoint\n" in report
    assert report.count("  aws first\n") == report.count("  aws second\n") == 6


@pytest.mark.parametrize(
    ("pull", "layers", "sentence"),
    [
        (
            Pull.WORKS,
            Layers.SMALLEST,
            "pass: ECS can pull the image; config and 1 of 3 layers read (--layers all reads all)",
        ),
        (
            Pull.UNPROVEN,
            Layers.NONE,
            "pass: the measured path works, but it is not proven whether ECS can pull the image: no layer was read",
        ),
        (
            Pull.UNPROVEN,
            Layers.SMALLEST,
            "pass: the task's own path works, and pass proves only that; it is not proven whether ECS can pull the "
            "image, because ECS pulls through another network interface",
        ),
    ],
)
def test_the_last_line_states_what_was_not_proven(pull: Pull, layers: Layers, sentence: str) -> None:
    plan = msgspec.structs.replace(made.PLAN, layers=layers)
    assert FORMATS["text"].render(made.verdict(pull=pull, plan=plan), Page()).splitlines()[-1] == sentence


def test_a_healthy_and_a_failing_verdict_have_the_form_of_every_verdict() -> None:
    check_form(made.verdict())
    check_form(made.broken())


def test_on_a_narrow_page_the_times_stay_in_one_column_and_the_heading_fits() -> None:
    lines = FORMATS["text"].render(made.verdict(), Page(width=80, verbose=True)).splitlines()
    timed = [line for line in lines if re.fullmatch(r"  ok  .* (ms|s)", line)]
    assert len(timed) > 5
    assert len({len(line) for line in timed}) == 1
    assert (
        max(
            map(
                len,
                lines[
                    : lines.index(
                        "pass: ECS can pull the image; config and 1 of 3 layers read (--layers all reads all)"
                    )
                ],
            )
        )
        <= 80
    )


def test_verbose_explains_the_mark_of_a_control_that_failed() -> None:
    legend = "\nno = evidence only: its failure is not a fault\n"
    names = NamesSeen(server="169.254.169.253", asker=Asker.CONTROL, order=0, name="x", record="A", addresses=())
    control = step("ecr.api/dns/169.254.169.253", names, failure=Failure.NO_ANSWER)
    report = text(Page(verbose=True), steps=(*made.broken().steps, control))
    assert "\n  no    dns          169.254.169.253 control " in report
    assert legend in report
    assert legend not in text(Page(verbose=True))


def test_the_page_of_a_finding_is_shown_by_a_command() -> None:
    assert "\n  page:  ecr-probe explain tcp.silent\n" in text(Page(verbose=True))


FIXES = sorted({cause.fix.text for code in WORDINGS for cause in causes_of(code)})


@pytest.mark.parametrize("fix", FIXES)
def test_the_fix_of_every_cause_names_its_object(fix: str) -> None:
    assert names_its_object(fix)


@pytest.mark.parametrize("fix", ["create it", "turn both on", "allow it in the policy", "wait and try again"])
def test_a_fix_that_names_no_object_is_noticed(fix: str) -> None:
    assert not names_its_object(fix)


@pytest.mark.parametrize("width", WIDTHS)
def test_a_shell_accepts_the_printed_commands(width: int) -> None:
    report = text(Page(width=width, verbose=True))
    commands = [*made.READ_GROUPS.commands, *made.READ_ACLS.commands, "aws logs create-log-group --log-group-name /app"]
    printed = list(commands_in(report))
    assert sorted(map(arguments, printed)) == sorted(map(shlex.split, commands))
    subprocess.run(["bash", "-n"], input="\n".join(printed), text=True, check=True, timeout=30)


LONG = [
    "aws a b --filters Name=private-ip-address,Values=" + ",".join(f"10.0.{number}.10" for number in range(40)),
    'aws a b --query "Reservations[].Instances[].[InstanceId, State.Name]" --output text',
    'aws a put-policy --policy \'{"Statement": [{"Effect": "Allow", "Action": "s3:GetObject"}]}\' --x y',
    "openssl s_client -connect h.example.com:443 -servername h.example.com </dev/null | openssl x509 -noout -dates",
    "export NO_PROXY=169.254.170.2,169.254.169.254,api.ecr.eu-west-1.amazonaws.com,"
    "123456789012.dkr.ecr.eu-west-1.amazonaws.com,prod-eu-west-1-starport-layer-bucket.s3.eu-west-1.amazonaws.com",
]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("original", LONG)
def test_no_argument_of_a_command_is_broken(original: str, width: int) -> None:
    page = Page(width=width)
    printed = paint(command(original, indent=14, page=page), page)
    assert arguments(printed) == shlex.split(original)
    subprocess.run(["bash", "-n"], input=printed, text=True, check=True, timeout=30)
    assert all(cells(line) <= width or len(arguments(line.removesuffix("\\"))) == 1 for line in printed.splitlines())


@pytest.mark.parametrize("width", WIDTHS)
def test_a_word_longer_than_the_line_is_not_broken(width: int) -> None:
    host = "x" * 200
    lines = paint(wrapped(("", "saw: "), f"a {host} b", indent=2, page=Page(width=width)), Page(width=width)).split(
        "\n"
    )
    assert lines == ["  saw: a", f"       {host}", "       b", ""]


def test_prose_is_readable_on_a_wide_screen() -> None:
    shown = paint(wrapped(("", ""), "word " * 100, indent=0, page=Page(width=400)), Page(width=400))
    assert 100 < max(map(len, shown.splitlines())) <= 120


def test_faults_are_ordered_by_impact_and_a_lost_proof_comes_late() -> None:
    impacts = (Impact.PROOF, Impact.AGENT, Impact.LOGS, Impact.NONE, Impact.ROUTE, Impact.PULL)
    findings = tuple(made.finding(str(impact), ("s3/tls/52.218.1.1",), impact=impact) for impact in impacts)
    titles = [line for line in text(findings=findings).splitlines() if line.startswith("error[")]
    assert [line[6:].partition("]")[0] for line in titles] == ["pull", "route", "logs", "agent", "proof", "none"]


@pytest.mark.parametrize(
    ("impact", "pull", "sentence"),
    [
        (Impact.ROUTE, Pull.WORKS, "fail: ECS can pull the image, but the title of code"),
        (Impact.PULL, Pull.BROKEN, "fail: ECS cannot pull the image: the title of code"),
        (
            Impact.PULL,
            Pull.UNPROVEN,
            "fail: the measured path fails, and ECS pulls through another network interface: the title of code",
        ),
        (Impact.PROOF, Pull.UNPROVEN, "fail: it is not proven whether ECS can pull the image: the title of code"),
        (Impact.AGENT, Pull.UNPROVEN, "fail: the title of code; it is not proven whether ECS can pull the image"),
    ],
)
def test_the_verdict_line_states_why_it_fails(impact: Impact, pull: Pull, sentence: str) -> None:
    finding = made.finding("code", ("s3/tls/52.218.1.1",), impact=impact)
    assert text(pull=pull, findings=(finding,)).splitlines()[-1] == sentence


def test_the_verdict_line_keeps_a_fault_apart_from_the_reason_why_the_pull_is_not_proven() -> None:
    fault = made.finding("code", ("s3/tls/52.218.1.1",), impact=Impact.AGENT)
    elsewhere = made.finding("path.not-the-pull", (), Severity.INFO, impact=Impact.NONE)
    assert text(pull=Pull.UNPROVEN, findings=(fault, elsewhere)).splitlines()[-1] == (
        "fail: the title of code; it is not proven whether ECS can pull the image, because ECS pulls through another "
        "network interface"
    )


def test_a_failed_control_or_follow_up_is_not_marked_as_a_failure() -> None:
    seen = {
        asker: NamesSeen(server="10.0.0.2", asker=asker, order=0, name=f"{asker}.example.com", record="A")
        for asker in Asker
    }
    steps = [made.step(f"s3/dns/{asker}/A", names, failure=Failure.NXDOMAIN) for asker, names in seen.items()]
    shown = FORMATS["text"].render(made.verdict(steps), Page(verbose=True))
    assert [line.split()[0] for line in shown.splitlines() if line.endswith("4 ms")] == ["FAIL", "no", "no"]


def test_there_is_no_colour_by_default() -> None:
    coloured = text(Page(colour=True))
    assert "\x1b[1;31merror[tcp.silent]: \x1b[0m" in coloured
    assert "\x1b" not in text(Page())
    assert ESCAPE.sub("", coloured) == text(Page())


def test_the_report_is_ascii_for_a_terminal_without_unicode() -> None:
    plain = text(Page(unicode=False, verbose=True))
    assert plain.isascii()
    assert "10.0.3.10, ..." in plain
    rows = [line for line in plain.splitlines() if line.startswith(("  ok ", "  FAIL ")) and len(line) > 60]
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
    finding = made.finding(
        HOSTILE, tuple(step.id for step in steps), title=HOSTILE, why=HOSTILE, causes=(made.cause("x", HOSTILE),)
    )
    verdict = made.verdict(steps, findings=(finding,), identity=Identity(source=HOSTILE, arn=HOSTILE))
    for page in (Page(), Page(colour=True), Page(unicode=False)):
        shown = (
            ESCAPE.sub("", FORMATS["text"].render(verdict, page))
            if page.colour
            else FORMATS["text"].render(verdict, page)
        )
        assert all(letter == "\n" or letter.isprintable() for letter in shown)
        assert "owned" in shown


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=80), st.integers(60, 120))
def test_any_text_is_printable(words: str, width: int) -> None:
    finding = made.finding(
        "code", ("ecr.api/tls/x",), title=words, why=words, causes=(made.cause("x", words, fix=words, confirm=words),)
    )
    steps = [made.step("ecr.api/tls/x", failure=Failure.NOT_TLS, detail=words)]
    shown = FORMATS["text"].render(made.verdict(steps, findings=(finding,)), Page(width=width))
    assert all(letter == "\n" or letter.isprintable() for letter in shown)


def test_wide_letters_count_twice() -> None:
    assert cells("日本") == 4
    assert cells("e\u0301") == 1
    assert cells("abc") == 3


READ = ConfigurationSummary(read_at=made.NOON, account=None, region=made.REGION, sources=())


@pytest.mark.parametrize(
    ("change", "offer"),
    [
        ({}, "(-v; or confirm one with: ecr-probe inspect --verdict FILE)"),
        ({"basis": Basis.TEXT}, "(-v; or confirm one with: ecr-probe explain --task TASK_ARN --inspect)"),
        ({"surroundings": Surroundings()}, "(-v)"),
        ({"configuration": READ}, "(-v)"),
    ],
    ids=["measured", "text", "nowhere", "read"],
)
def test_causes_that_gates_decide_are_offered_the_command_that_reads_them(change: dict[str, Any], offer: str) -> None:
    here = Surroundings(addresses=("10.0.1.77",), task_arn="arn:aws:ecs:eu-west-1:123456789012:task/main/0")
    causes = (
        made.cause("tcp.security-group", "a cause"),
        made.cause("tcp.nacl", "a cause"),
        made.cause("tcp.no-route", "a cause"),
    )
    verdict = replace(
        made.broken(),
        findings=(made.finding("tcp.silent", ("ecr.api/tcp/10.0.1.10",), causes=causes),),
        surroundings=here,
    )
    assert offer in " ".join(FORMATS["text"].render(replace(verdict, **change), Page(width=160)).split())


@pytest.mark.parametrize(
    "causes",
    [
        (made.cause("clock.skew", "a cause"), made.cause("other", "a cause"), made.cause("other", "a cause")),
        (
            made.cause("tcp.nacl", "a cause", standing=Standing.CONFIRMED),
            made.cause("tcp.no-route", "a cause"),
            made.cause("other", "a cause"),
        ),
    ],
)
def test_nothing_is_offered_where_no_gate_decides(causes: tuple[Cause, ...]) -> None:
    finding = made.finding("tcp.silent", ("ecr.api/tcp/10.0.1.10",), causes=causes)
    verdict = replace(made.broken(), findings=(finding,), surroundings=Surroundings(addresses=("10.0.1.77",)))
    assert "ecr-probe inspect" not in FORMATS["text"].render(verdict, Page(width=160))

"""The words for people: layout, order, widths, colours, and what hostile servers may not do."""

from __future__ import annotations

import re

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probe.model import (
    Action,
    Address,
    AddressClass,
    AnswerSeen,
    AnySeen,
    Asker,
    CertificateSeen,
    ConnectionSeen,
    ControlSeen,
    CredentialsSeen,
    Failure,
    Identity,
    LayerSeen,
    LogsSeen,
    ManifestSeen,
    NamesSeen,
    Nothing,
    Outcome,
    ProxySeen,
    RedirectSeen,
    RedirectTarget,
    Step,
)
from probe.report import FORMATS, Page
from probe.report.layout import cells
from probe.report.saw import duration, saw, size
from tests.report import made

FINDINGS = """\
error[tcp.silent]: nothing answers on port 443 of ecr.api, ecr.dkr
  saw:   6 of 6 connections timed out after 3.0 s (10.0.1.10, 10.0.2.10, 10.0.3.10, …)
  why:   packets to addresses inside the VPC are dropped, not refused
  cause: the endpoints' security group does not admit the task (likely)
         fix: allow TCP 443 from 10.0.1.0/24 on the endpoints' security group
         settle it: aws ec2 describe-security-groups --region eu-west-1 \\
                      --filters Name=vpc-id,Values=vpc-0a1b2c3d4e5f60718 \\
                      --query SecurityGroups[].IpPermissions
  cause: a network ACL drops the packets (possible)
         fix: admit 443 and 1024-65535
  ruled out: no route

warning[logs.group-missing]: the log group /app does not exist
  saw:   the request to CloudWatch Logs came back as not found: 400 ResourceNotFoundException
         “ResourceNotFoundException: The specified log group does not exist.”
  cause: the group was never made (confirmed)
         fix: aws logs create-log-group

info[path.undetermined]: S3 is reached by a gateway endpoint or by NAT

steps of 123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/app:1.0 (linux/amd64, eu-west-1)
"""
BLOCK = """\
ecr.api  api.ecr.eu-west-1.amazonaws.com · through the endpoint · 0 of 3 addresses answer
  ok    dns          10.0.0.2 A+AAAA                  10.0.1.10, 10.0.2.10, 10.0.3.10 (vpc)     2 ms
  FAIL  tcp          10.0.1.10, 10.0.2.10, 10.0.3.10  timeout                                  3.0 s
  skip  tls          10.0.1.10, 10.0.2.10, 10.0.3.10  for want of tcp
  skip  token                                         for want of tcp
"""
LAST = (
    "fail: ECS cannot pull the image; 1 error and 1 warning; measured on the task's network interface as role/app-task"
)
ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


def text(page: Page | None = None, **given: object) -> str:
    verdict = msgspec.structs.replace(made.broken(), **given)
    return FORMATS["text"](verdict, page or Page())


def test_findings_come_first_and_in_order() -> None:
    assert text().startswith(FINDINGS)


def test_the_table_folds_what_went_alike() -> None:
    assert BLOCK in text()
    assert "not needed here: ecs, ecs-agent, ecs-telemetry" in FORMATS["text"](made.verdict(), Page())


def test_the_last_line_is_the_verdict() -> None:
    assert " ".join(text(Page(width=200)).splitlines()[-1].split()) == f"{LAST} (from container-role); 3.1 s"
    healthy = FORMATS["text"](made.verdict(identity=Identity(source="none")), Page(width=200))
    assert healthy.splitlines()[-1].startswith("pass: ECS can pull the image; measured")
    assert "without credentials" in healthy


@pytest.mark.parametrize("width", [60, 80, 100, 160])
def test_lines_keep_to_the_width(width: int) -> None:
    for line in text(Page(width=width)).splitlines():
        # A word and a shell option are never broken; an endpoint's heading is one line.
        assert cells(line) <= width or not line.startswith("  ") or len(line.split()) <= 3


def test_a_command_can_be_pasted_as_it_stands() -> None:
    lines = text(Page(width=60)).split("settle it: ")[1].splitlines()
    command = []
    for line in lines:
        command.append(line.strip().removesuffix("\\"))
        if not line.endswith("\\"):
            break
    assert " ".join(" ".join(command).split()) == made.READ_GROUPS


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
        shown = ESCAPE.sub("", FORMATS["text"](verdict, page)) if page.colour else FORMATS["text"](verdict, page)
        assert all(letter == "\n" or letter.isprintable() for letter in shown)
        assert "owned" in shown


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=80), st.integers(60, 120))
def test_any_words_are_printable(words: str, width: int) -> None:
    found = made.finding(
        "code", ("ecr.api/tls/x",), title=words, why=words, causes=(made.cause("x", words, fix=words, decide=words),)
    )
    steps = [made.step("ecr.api/tls/x", failure=Failure.NOT_TLS, detail=words)]
    shown = FORMATS["text"](made.verdict(steps, findings=(found,)), Page(width=width))
    assert all(letter == "\n" or letter.isprintable() for letter in shown)


def test_wide_letters_count_twice() -> None:
    assert cells("日本") == 4
    assert cells("e\u0301") == 1
    assert cells("abc") == 3


# ---- what was seen -------------------------------------------------------------------------------

ANSWER = AnswerSeen(status=403, aws=True, code="AccessDeniedException")
NAMES = NamesSeen(
    server="10.0.0.2",
    asker=Asker.CONFIGURED,
    order=0,
    name="api.example.com",
    record="A",
    addresses=(Address("52.1.1.1", AddressClass.PUBLIC), Address("10.0.1.1", AddressClass.VPC)),
)
TLS = CertificateSeen(
    address="10.0.1.1",
    address_class=AddressClass.VPC,
    issuer="CN=Middle",
    names=("other.example.com",),
    not_after=made.NOON,
)
SEEN: list[tuple[str, AnySeen, Failure | None, str]] = [
    ("a/dns/r/A", NAMES, None, "api.example.com is 52.1.1.1 (public), 10.0.1.1 (vpc) at 10.0.0.2"),
    (
        "a/dns/r/A",
        msgspec.structs.replace(NAMES, asker=Asker.CONTROL, addresses=()),
        None,
        "api.example.com is without A at 10.0.0.2 (the VPC's own resolver)",
    ),
    ("a/dns/r/A", NAMES, Failure.NXDOMAIN, "the lookup found that no such name exists for api.example.com at 10.0.0.2"),
    ("a/dns/r/A", NAMES, Failure.NO_ANSWER, "the lookup got no answer after 5.0 s for api.example.com at 10.0.0.2"),
    ("a/tls/x", TLS, Failure.UNTRUSTED, "the handshake met a certificate that is not trusted (x): issued by CN=Middle"),
    (
        "a/tls/x",
        TLS,
        Failure.WRONG_NAME,
        "the handshake met a certificate for another name (x): it names other.example.com",
    ),
    ("a/tls/x", TLS, Failure.EXPIRED, "the handshake met a certificate out of date (x): valid until 2026-03-01"),
    ("a/tls/x", TLS, Failure.TLS_STALL, "the handshake fell silent after 5.0 s (x)"),
    ("a/tls/x", TLS, None, "a's certificate at 10.0.1.1 is issued by CN=Middle"),
    ("a/token/x", ANSWER, Failure.DENIED, "the token request met a denial: 403 AccessDeniedException"),
    ("a/token/x", msgspec.structs.replace(ANSWER, clock_offset=-400.0), None, "a's clock is 400 s behind ours"),
    (
        "a/layer/x",
        LayerSeen(answer=ANSWER, digest="d", what="layer", size=2048, received=1024),
        Failure.TRUNCATED,
        "403",
    ),
    (
        "a/layer/x",
        LayerSeen(answer=AnswerSeen(), digest="d", what="layer", size=2048, received=1024),
        Failure.STALLED,
        "the download stalled after 5.0 s: 1.0 KiB of 2.0 KiB",
    ),
    (
        "a/credentials/chain",
        CredentialsSeen(status=503),
        Failure.SERVER_ERROR,
        "the request for credentials met a server error: 503",
    ),
    (
        "a/environment/proxy",
        ProxySeen(variables=("HTTPS_PROXY",), bypassed=False, uncovered=("a.example.com",)),
        None,
        "HTTPS_PROXY set, and NO_PROXY leaves out a.example.com",
    ),
    ("a/control/x", ControlSeen(host="h", address="192.0.2.1", reached=True), None, "192.0.2.1 could be reached"),
    (
        "a/blob/x",
        RedirectSeen(answer=ANSWER, digest="d", target=RedirectTarget.FOREIGN, host="cdn.example.com"),
        None,
        "cdn.example.com",
    ),
    (
        "a/manifest/GET",
        ManifestSeen(answer=ANSWER, platforms=("linux/amd64", "linux/arm64")),
        None,
        "offers linux/amd64, linux/arm64",
    ),
    ("a/logs/x", LogsSeen(answer=ANSWER, group="/app", group_exists=False), None, "the log group /app does not exist"),
    ("a/logs/x", LogsSeen(answer=ANSWER, stream="s", stream_exists=False), None, "the log stream s does not exist"),
    ("a/logs/x", LogsSeen(answer=ANSWER), None, "CloudWatch Logs answered 403 AccessDeniedException"),
    ("a/metadata/x", Nothing(), None, "a metadata is fine"),
]


@pytest.mark.parametrize(("identity", "seen", "failure", "words"), SEEN)
def test_what_was_seen(identity: str, seen: AnySeen, failure: Failure | None, words: str) -> None:
    step = made.step(identity, seen, seconds=5.0, **({"failure": failure} if failure else {}))
    (sentence,) = saw(made.finding("code", (identity,)), [step])
    assert words in sentence


def test_every_failure_and_every_action_has_words() -> None:
    for failure in Failure:
        for action in Action:
            step = made.step(f"a/{action}/x", failure=failure)
            assert saw(made.finding("code", (step.id,)), [step])


def test_some_of_several_are_counted_and_retries_are_not() -> None:
    def connection(address: str, failure: Failure | None = None) -> Step:
        seen = ConnectionSeen(address=address.partition("#")[0], address_class=AddressClass.VPC)
        return made.step(f"a/tcp/{address}", seen, seconds=3.0, **({"failure": failure} if failure else {}))

    steps = [connection("10.0.0.1"), connection("10.0.0.2", Failure.TIMEOUT), connection("10.0.0.2#2", Failure.TIMEOUT)]
    found = made.finding("code", ("a/tcp/10.0.0.2", "a/tcp/10.0.0.2#2"))
    assert saw(found, steps) == ["1 of 2 connections timed out after 3.0 s (10.0.0.2)"]


def test_many_sentences_are_counted_instead() -> None:
    steps = [made.step(f"a/dns/{n}/A", msgspec.structs.replace(NAMES, server=f"10.0.0.{n}")) for n in range(9)]
    sentences = saw(made.finding("code", tuple(step.id for step in steps)), steps)
    assert len(sentences) == 5
    assert sentences[-1] == "and 5 more like these"


def test_a_skipped_step_says_why() -> None:
    step = made.step("s3/layer", outcome=Outcome.SKIPPED, detail="not asked for")
    assert saw(made.finding("code", ("s3/layer",)), [step]) == ["s3 layer not tried: not asked for"]


def test_numbers_for_people() -> None:
    assert [duration(one) for one in (0.0004, 0.012, 0.9996, 3.0)] == ["0 ms", "12 ms", "1.0 s", "3.0 s"]
    assert [size(one) for one in (0, 2048, 5 << 20, 3 << 30)] == ["0 B", "2.0 KiB", "5.0 MiB", "3.0 GiB"]

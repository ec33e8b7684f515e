"""Steps in words: a sentence and a cell for every kind of step and failure."""

from __future__ import annotations

import pytest

from probe.model import (
    Action,
    Address,
    AddressClass,
    AnswerSeen,
    AnySeen,
    Asker,
    Basis,
    CertificateSeen,
    ConnectionSeen,
    ControlSeen,
    CredentialsSeen,
    Failure,
    LargeHelloSeen,
    LayerSeen,
    LogsSeen,
    ManifestSeen,
    MetadataSeen,
    NamesSeen,
    Nothing,
    ProxySeen,
    RedirectSeen,
    RedirectTarget,
    Step,
)
from probe.narration import (
    address_list,
    duration,
    failure_cell,
    few,
    listed,
    object_cell,
    observations,
    result_cell,
    size,
)
from probe.records import replace
from tests.report.made import NOON, verdict
from tests.steps import skipped, step

DENIED = AnswerSeen(status=403, aws=True, code="AccessDeniedException")
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
    not_after=NOON,
)
LAYER = LayerSeen(answer=AnswerSeen(), digest="d", what="layer", size=2048, received=1024)
SENTENCES: list[tuple[str, AnySeen, Failure | None, str]] = [
    ("a/dns/r/A", NAMES, None, "api.example.com resolves to 52.1.1.1 (public), 10.0.1.1 (vpc) at 10.0.0.2"),
    (
        "a/dns/r/A",
        replace(NAMES, asker=Asker.CONTROL, addresses=()),
        None,
        "api.example.com has no A record at 10.0.0.2 (the VPC's own resolver, asked as a control)",
    ),
    ("a/dns/r/A", NAMES, Failure.NXDOMAIN, "10.0.0.2 answered NXDOMAIN for api.example.com"),
    ("a/dns/r/A", NAMES, Failure.NO_ANSWER, "10.0.0.2 did not answer for api.example.com within 5.0 s"),
    ("a/dns/r/A", replace(NAMES, server=""), Failure.SERVFAIL, "the resolver answered SERVFAIL for api.example.com"),
    (
        "a/dns/r/A",
        NAMES,
        Failure.UNREACHABLE,
        "the lookup of api.example.com at 10.0.0.2 failed: no route",
    ),
    ("a/tcp/10.0.1.1", Nothing(), Failure.TIMEOUT, "the connection to 10.0.1.1 timed out after 5.0 s"),
    ("a/tcp/10.0.1.1", Nothing(), Failure.REFUSED, "the connection to 10.0.1.1 was refused"),
    ("a/tcp/10.0.1.1", Nothing(), None, "the connection succeeded (10.0.1.1)"),
    (
        "a/tls/10.0.1.1",
        TLS,
        Failure.UNTRUSTED,
        "the TLS handshake with 10.0.1.1 failed: the certificate is not trusted, issued by CN=Middle",
    ),
    (
        "a/tls/10.0.1.1",
        TLS,
        Failure.WRONG_NAME,
        "the TLS handshake with 10.0.1.1 failed: the certificate is for another name, issued for other.example.com",
    ),
    (
        "a/tls/10.0.1.1",
        TLS,
        Failure.EXPIRED,
        "the TLS handshake with 10.0.1.1 failed: the certificate has expired, valid until 2026-03-01",
    ),
    ("a/tls/10.0.1.1", TLS, Failure.TLS_STALL, "the TLS handshake with 10.0.1.1 timed out after 5.0 s"),
    ("a/tls/10.0.1.1", TLS, None, "a presents a certificate issued by CN=Middle (10.0.1.1)"),
    ("a/token/x", DENIED, Failure.DENIED, "the token request was denied: HTTP 403 AccessDeniedException"),
    ("a/token/x", replace(DENIED, clock_offset=-400.0), None, "the clock of a is 7 minutes behind ours"),
    ("a/token/x", DENIED, None, "the token request succeeded"),
    ("kms/request/x", DENIED, Failure.DENIED, "the kms request was denied: HTTP 403 AccessDeniedException"),
    (
        "a/layer/x",
        replace(LAYER, answer=DENIED),
        Failure.TRUNCATED,
        "the layer download was cut short: HTTP 403 AccessDeniedException",
    ),
    ("a/layer/x", LAYER, Failure.STALLED, "the layer download stalled after 5.0 s: 1.0 KiB of 2.0 KiB"),
    (
        "a/credentials/chain",
        CredentialsSeen(status=503),
        Failure.SERVER_ERROR,
        "the credentials request failed: server error, HTTP 503",
    ),
    (
        "a/environment/proxy",
        ProxySeen(variables=("HTTPS_PROXY",), bypassed=False, uncovered=("a.example.com",)),
        None,
        "HTTPS_PROXY set; NO_PROXY does not cover a.example.com",
    ),
    ("a/environment/proxy", ProxySeen(variables=(), bypassed=False), None, "no proxy variable is set"),
    ("a/control/x", ControlSeen(host="192.0.2.1", address="192.0.2.1", reached=True), None, "192.0.2.1 is reachable"),
    (
        "a/control/x",
        LargeHelloSeen(address="10.0.1.15", hello_bytes=1800, answer="alert"),
        None,
        "10.0.1.15 answered a ClientHello of 1800 bytes with alert",
    ),
    ("a/control/x", ControlSeen(host="s3", address="52.1.1.1", reached=False), None, "s3 (52.1.1.1) is not reachable"),
    (
        "a/blob/x",
        RedirectSeen(answer=DENIED, digest="d", target=RedirectTarget.FOREIGN, host="cdn.example.com"),
        None,
        "the blob request was redirected to cdn.example.com",
    ),
    (
        "a/manifest/GET",
        ManifestSeen(answer=DENIED, platforms=("linux/amd64", "linux/arm64")),
        None,
        "the image offers linux/amd64, linux/arm64",
    ),
    ("a/manifest/GET", ManifestSeen(answer=DENIED, layers=5, foreign_layers=2), None, "2 of 5 layers are foreign"),
    ("a/logs/x", LogsSeen(answer=DENIED, group="/app", group_exists=False), None, "the log group /app does not exist"),
    ("a/logs/x", LogsSeen(answer=DENIED, stream="s", stream_exists=False), None, "the log stream s does not exist"),
    ("a/logs/x", LogsSeen(answer=DENIED), None, "CloudWatch Logs answered HTTP 403 AccessDeniedException"),
    ("a/metadata/x", MetadataSeen(version="v4"), None, "metadata v4 answered"),
    ("a/credentials/chain", CredentialsSeen(source="env"), None, "the credentials are those of env"),
]


def sentences(cited: list[Step], steps: list[Step] | None = None, basis: Basis = Basis.MEASURED) -> list[str]:
    document = replace(verdict(), steps=tuple(cited if steps is None else steps), basis=basis)
    return observations([step.id for step in cited], document)


@pytest.mark.parametrize(("identity", "seen", "failure", "sentence"), SENTENCES)
def test_every_kind_of_step_has_its_sentence(
    identity: str, seen: AnySeen, failure: Failure | None, sentence: str
) -> None:
    assert sentences([step(identity, seen, seconds=5.0, failure=failure)]) == [sentence]


def test_every_failure_of_every_action_has_a_sentence_and_a_cell() -> None:
    for failure in Failure:
        for action in Action:
            failed = step(f"a/{action}/x", failure=failure)
            assert sentences([failed])
            is_event = action in (Action.START, Action.ENVIRONMENT)  # its subject is the failure
            assert result_cell([failed], {}) == ("" if is_event else failure_cell(failure))


def test_failures_are_counted_without_retries() -> None:
    def connection(identity: str, failure: Failure | None = None) -> Step:
        address = identity.split("/")[2].partition("#")[0]
        return step(identity, ConnectionSeen(address=address, address_class=AddressClass.VPC), failure=failure)

    good = connection("a/tcp/10.0.0.1")
    lost = [connection(f"a/tcp/10.0.0.2{retry}", Failure.TIMEOUT) for retry in ("", "#2")]
    assert sentences(lost, [good, *lost]) == ["1 of 2 connections timed out after 3.0 s (10.0.0.2)"]


def test_addresses_come_before_a_result_that_explains() -> None:
    steps = [step(f"a/tls/10.0.1.{number}", TLS, failure=Failure.UNTRUSTED) for number in (1, 2)]
    assert sentences(steps) == [
        "2 of 2 TLS handshakes (10.0.1.1, 10.0.1.2) failed: the certificate is not trusted, issued by CN=Middle"
    ]


def test_a_sentence_of_aws_is_quoted_and_a_bare_status_is_not() -> None:
    head = ManifestSeen(answer=AnswerSeen(method="HEAD", status=403, aws=True))
    get = ManifestSeen(answer=AnswerSeen(status=403, aws=True, code="DENIED"))
    steps = [
        step("a/manifest/HEAD", head, failure=Failure.DENIED, detail="status 403"),
        step("a/manifest/GET", get, failure=Failure.DENIED, detail="DENIED: User: x is not authorized"),
    ]
    both = ["2 of 2 manifest requests were denied: HTTP 403 DENIED", "“DENIED: User: x is not authorized”"]
    assert sentences(steps) == both
    assert sentences(steps[:1]) == ["the manifest request was denied: HTTP 403"]
    metadata = step("a/metadata/task", failure=Failure.SERVER_ERROR, detail="status 503")
    assert sentences([metadata])[-1] == "status 503"


def test_a_sentence_of_our_own_is_not_quoted() -> None:
    digest = step("a/layer/x", LAYER, failure=Failure.BAD_DIGEST, detail="the bytes' sha256 is sha256:0")
    assert sentences([digest])[-1] == "the bytes' sha256 is sha256:0"
    page = AnswerSeen(status=403)
    blocked = step("a/token/x", page, failure=Failure.NOT_AWS, detail="status 403, not from AWS: Blocked")
    assert sentences([blocked])[-1] == "status 403, not from AWS: Blocked"


@pytest.mark.parametrize(
    ("failure", "detail", "rest"),
    [
        (Failure.NXDOMAIN, "the name does not exist", []),
        (Failure.NO_ADDRESS, "the name exists but has no address", []),
        (Failure.REFUSED_QUERY, "the server refused the query", []),
        (Failure.SERVFAIL, "the server answered SERVFAIL", []),
        (Failure.SERVFAIL, "the server answered FORMERR", ["the server answered FORMERR"]),
        (Failure.NO_ANSWER, "closed without an answer", ["closed without an answer"]),
    ],
)
def test_a_lookup_does_not_repeat_the_resolvers_answer(failure: Failure, detail: str, rest: list[str]) -> None:
    assert sentences([step("a/dns/r/A", NAMES, failure=failure, detail=detail)])[1:] == rest


def test_the_verb_agrees_with_how_many_failed() -> None:
    get, head = (step(f"a/manifest/{method}", failure=Failure.DENIED) for method in ("GET", "HEAD"))
    other = step("a/manifest/HEAD")
    assert sentences([get], [get, other]) == ["1 of 2 manifest requests was denied"]
    assert sentences([get, head]) == ["2 of 2 manifest requests were denied"]


def test_lookups_other_than_the_configured_ones_are_marked() -> None:
    def lookup(identity: str, asker: Asker) -> Step:
        seen = replace(NAMES, asker=asker, name=f"{asker}.example.com", addresses=())
        return step(f"a/dns/{identity}", seen, failure=Failure.NXDOMAIN)

    steps = [
        lookup("10.0.0.2/A", Asker.CONFIGURED),
        lookup("169.254.169.253/A", Asker.CONTROL),
        lookup("10.0.0.2/ecr.api.example.com/A", Asker.FOLLOW_UP),
    ]
    assert sentences(steps) == [
        "10.0.0.2 answered NXDOMAIN for configured.example.com",
        "10.0.0.2 (the VPC's own resolver, asked as a control) answered NXDOMAIN for control.example.com",
        "10.0.0.2 answered NXDOMAIN for follow-up.example.com (a common misspelling, also asked)",
    ]


@pytest.mark.parametrize(
    ("classes", "text"),
    [
        (("vpc", "vpc"), "10.0.1.0, 10.0.1.1 (vpc)"),
        (("vpc", "private"), "10.0.1.0, 10.0.1.1 (private)"),
        (("private", "public"), "10.0.1.0 (private), 10.0.1.1 (public)"),
        (("vpc", "public"), "10.0.1.0 (vpc), 10.0.1.1 (public)"),
    ],
)
def test_addresses_of_one_vpc_are_not_told_apart(classes: tuple[str, ...], text: str) -> None:
    addresses = tuple(
        Address(address=f"10.0.1.{number}", address_class=AddressClass(kind)) for number, kind in enumerate(classes)
    )
    assert address_list(replace(NAMES, addresses=addresses)) == text


def test_sentences_after_the_fourth_are_counted() -> None:
    steps = [step(f"a/dns/{number}/A", replace(NAMES, server=f"10.0.0.{number}")) for number in range(9)]
    assert len(sentences(steps)) == 5
    assert sentences(steps)[-1] == "and 5 more"


def test_a_skipped_step_gives_its_reason() -> None:
    assert sentences([skipped("s3/layer", detail="not requested (--layers none)")]) == [
        "s3 layer download skipped: not requested (--layers none)"
    ]
    token, layer = skipped("ecr.api/token", detail="no role"), skipped("s3/layer", detail="not requested")
    assert len(sentences([token, layer])) == 2
    failed = step("ecr.api/tcp/10.0.1.1", failure=Failure.TIMEOUT)
    by_id = {failed.id: failed}
    assert result_cell([skipped("ecr.api/tls/10.0.1.1", failed.id)], by_id) == "skipped: TCP failed"
    assert result_cell([skipped("s3/layer", failed.id)], by_id) == "skipped: ecr.api TCP failed"
    assert result_cell([skipped("s3/layer", "s3/gone")], by_id) == "skipped: not requested"


def test_an_error_text_is_quoted_and_no_observation_is_claimed() -> None:
    failed = step("a/tcp/10.0.1.1", failure=Failure.TIMEOUT, detail="dial tcp 10.0.1.1:443: i/o timeout")
    assert sentences([failed], basis=Basis.TEXT) == ["“dial tcp 10.0.1.1:443: i/o timeout”"]
    inferred = step("a/dns", NAMES)
    assert sentences([inferred], basis=Basis.TEXT) == ["52.1.1.1 (public), 10.0.1.1 (vpc)"]


@pytest.mark.parametrize(
    ("identity", "seen", "cells"),
    [
        ("a/dns/10.0.0.2/A", NAMES, ("10.0.0.2 A", "52.1.1.1 (public), 10.0.1.1 (vpc)")),
        ("a/dns/10.0.0.2/A", replace(NAMES, asker=Asker.CONTROL, addresses=()), ("10.0.0.2 control", "no address")),
        ("a/tls/10.0.1.1", TLS, ("10.0.1.1", "Middle, until 2026-03-01")),
        ("s3/layer/sha256:1", replace(LAYER, verified=True), ("layer sha256:1", "1.0 KiB, verified")),
        ("s3/layer/sha256:1", replace(LAYER, ranged=True), ("layer sha256:1", "1.0 KiB, first bytes only")),
        (
            "ecr.dkr/manifest/GET",
            ManifestSeen(answer=DENIED, layers=1, platform="linux/amd64"),
            ("GET", "1 layer, linux/amd64"),
        ),
        (
            "ecr.dkr/blob/sha256:1",
            RedirectSeen(answer=DENIED, digest="d", target=RedirectTarget.LAYER_BUCKET, host="h"),
            ("sha256:1", "→ the layer bucket"),
        ),
        (
            "task/credentials/chain",
            CredentialsSeen(source="env", arn="arn:aws:iam::1:role/x"),
            ("chain", "env as role/x"),
        ),
        ("task/control/x", ControlSeen(host="h", reached=True), ("x", "reached")),
        (
            "s3/control/x",
            LargeHelloSeen(address="10.0.1.15", hello_bytes=1800, answer="ServerHello"),
            ("x", "1800 bytes answered with ServerHello"),
        ),
        ("s3/control/x", ControlSeen(host="h", reached=False), ("x", "not reached, so no NAT is proven")),
        (
            "task/control/x",
            ControlSeen(host="192.0.2.1", address="192.0.2.1", reached=False),
            ("x", "not reached, as it should be"),
        ),
        ("ecr.api/token/x", DENIED, ("x", "HTTP 403 AccessDeniedException")),
    ],
)
def test_every_kind_of_step_has_its_cells(identity: str, seen: AnySeen, cells: tuple[str, str]) -> None:
    ok = step(identity, seen)
    assert (object_cell([ok]), result_cell([ok], {})) == cells


def test_several_steps_share_a_cell() -> None:
    connections = [step(f"a/tcp/10.0.0.{number}") for number in range(1, 6)]
    assert object_cell(connections) == "10.0.0.1, 10.0.0.2, 10.0.0.3, … (5)"
    layers = [step(f"s3/layer/{number}", replace(LAYER, verified=number > 0)) for number in range(2)]
    assert (object_cell(layers), result_cell(layers, {})) == ("2 layers", "2.0 KiB, partly verified")


def test_numbers_and_lists() -> None:
    assert [duration(seconds) for seconds in (0.0004, 0.012, 0.9996, 3.0, 400)] == [
        "0 ms",
        "12 ms",
        "1.0 s",
        "3.0 s",
        "7 minutes",
    ]
    assert [size(count) for count in (0, 2048, 5 << 20, 3 << 30)] == ["0 B", "2.0 KiB", "5.0 MiB", "3.0 GiB"]
    assert (listed("abb"), listed(""), few("abcd"), few("abca")) == ("a and b", "", "a, b, c, …", "a, b, c")

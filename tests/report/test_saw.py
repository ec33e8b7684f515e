"""What was seen, in a sentence for every kind of step and failure."""

from __future__ import annotations

import msgspec
import pytest

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
    LayerSeen,
    LogsSeen,
    ManifestSeen,
    MetadataSeen,
    NamesSeen,
    Nothing,
    Outcome,
    ProxySeen,
    RedirectSeen,
    RedirectTarget,
    Step,
)
from probe.report.saw import duration, saw, size
from tests.report import made

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
    ("a/metadata/x", MetadataSeen(version="v4"), None, "v4 metadata answered"),
    ("a/credentials/chain", CredentialsSeen(source="env"), None, "the credentials are those of env"),
    (
        "a/manifest/GET",
        ManifestSeen(answer=ANSWER, layers=5, foreign_layers=2),
        None,
        "2 of the image's 5 layers are foreign",
    ),
    ("a/tcp/x", Nothing(), None, "a tcp went well"),
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


def test_awss_own_sentence_is_quoted_and_a_bare_status_is_not() -> None:
    head = ManifestSeen(answer=AnswerSeen(method="HEAD", status=403, aws=True))
    get = ManifestSeen(answer=AnswerSeen(status=403, aws=True, code="DENIED"))
    steps = [
        made.step("a/manifest/HEAD", head, failure=Failure.DENIED, detail="status 403"),
        made.step("a/manifest/GET", get, failure=Failure.DENIED, detail="DENIED: User: x is not authorized"),
    ]
    found = made.finding("code", ("a/manifest/HEAD", "a/manifest/GET"))
    said = ["2 of 2 manifest requests met a denial: 403 DENIED", "“DENIED: User: x is not authorized”"]
    assert saw(found, steps) == said
    assert saw(found, steps[:1]) == ["the manifest request met a denial: 403"]
    other = made.step("a/metadata/task", failure=Failure.SERVER_ERROR, detail="status 503")
    assert saw(made.finding("code", (other.id,)), [other])[-1] == "“status 503”"


def test_only_configured_lookups_are_counted() -> None:
    def lookup(identity: str, asker: Asker, failure: Failure | None = Failure.NXDOMAIN, **given: str) -> Step:
        seen = msgspec.structs.replace(NAMES, asker=asker, name=f"{asker}.example.com", addresses=())
        return made.step(f"a/dns/{identity}", seen, **({"failure": failure} if failure else {}), **given)

    steps = [
        lookup("10.0.0.2/A", Asker.CONFIGURED),
        lookup("10.0.0.3/A", Asker.CONFIGURED, None),
        lookup("169.254.169.253/A", Asker.CONTROL),
        lookup("10.0.0.2/ecr.api.example.com/A", Asker.FOLLOW_UP, detail="the name does not exist"),
    ]
    assert saw(made.finding("code", tuple(step.id for step in steps if step.failed)), steps) == [
        "1 of 2 lookups found that no such name exists for configured.example.com at 10.0.0.2",
        "the control lookup found that no such name exists for control.example.com at 10.0.0.2",
        "asked besides, with labels swapped: "
        "the lookup found that no such name exists for follow-up.example.com at 10.0.0.2",
    ]


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

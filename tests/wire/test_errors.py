from __future__ import annotations

import base64
import http.client
import importlib
import inspect
import pkgutil
import socket
import ssl
import string
from collections.abc import Iterator

import dns
import dns.exception
import msgspec
import pytest
import requests.exceptions
import urllib3.exceptions
from hypothesis import given
from hypothesis import strategies as st

from probe.model import AnswerSeen, Failure
from probe.wire.errors import LONGEST, Phase, WireError, failure_of, scrub, wire_error

# ---- the table -------------------------------------------------------------------------------------------------------


def exceptions_of(module: object) -> Iterator[type[BaseException]]:
    for _, kind in inspect.getmembers(module, inspect.isclass):
        if issubclass(kind, Exception) and not kind.__name__.startswith("_"):
            yield kind


def foreign() -> Iterator[type[BaseException]]:
    """Every exception class that the libraries used here define."""
    for module in (requests.exceptions, urllib3.exceptions, ssl, socket, http.client, msgspec):
        yield from exceptions_of(module)
    for found in pkgutil.iter_modules(dns.__path__, "dns."):
        if found.name in (
            "dns.exception",
            "dns.message",
            "dns.name",
            "dns.rdata",
            "dns.rcode",
            "dns.wire",
            "dns.edns",
            "dns.query",
        ):
            yield from exceptions_of(importlib.import_module(found.name))


# Python's own for mistakes in a program: ours, where they come.
MISTAKES = {KeyError, TypeError, AttributeError, NotImplementedError, ImportError, UserWarning}
FOREIGN = sorted(
    {kind for kind in foreign() if kind not in MISTAKES}, key=lambda kind: f"{kind.__module__}.{kind.__qualname__}"
)


@pytest.mark.parametrize("kind", FOREIGN, ids=lambda kind: f"{kind.__module__}.{kind.__qualname__}")
def test_no_exception_of_a_library_is_taken_for_a_bug_of_ours(kind: type[BaseException]) -> None:
    for phase in Phase:
        assert failure_of(kind.__new__(kind), phase=phase) is not Failure.BUG


def test_the_walk_is_not_empty() -> None:
    assert len(FOREIGN) > 80


@pytest.mark.parametrize(
    "error", [KeyError("x"), TypeError(), AssertionError(), AttributeError("x"), ZeroDivisionError()]
)
def test_ours_stay_bugs(error: Exception) -> None:
    assert failure_of(error, phase=Phase.HTTP) is Failure.BUG


@pytest.mark.parametrize(
    ("error", "phase", "expected"),
    [
        (TimeoutError(), Phase.CONNECT, Failure.TIMEOUT),
        (TimeoutError(), Phase.TLS, Failure.TLS_STALL),
        (TimeoutError(), Phase.BODY, Failure.STALLED),
        (TimeoutError(), Phase.NAME, Failure.NO_ANSWER),
        (ConnectionResetError(), Phase.CONNECT, Failure.RESET),
        (ConnectionResetError(), Phase.TLS, Failure.TLS_RESET),
        (BrokenPipeError(), Phase.HTTP, Failure.RESET),
        (ConnectionRefusedError(), Phase.CONNECT, Failure.REFUSED),
        (ssl.SSLEOFError(), Phase.TLS, Failure.TLS_RESET),
        (ssl.SSLZeroReturnError(), Phase.TLS, Failure.TLS_RESET),
        (http.client.RemoteDisconnected("gone"), Phase.HTTP, Failure.RESET),
        (http.client.IncompleteRead(b""), Phase.BODY, Failure.TRUNCATED),
        (http.client.BadStatusLine("x"), Phase.HTTP, Failure.MALFORMED),
        (http.client.LineTooLong("header"), Phase.HTTP, Failure.MALFORMED),
        (
            requests.ConnectionError(urllib3.exceptions.ProtocolError("aborted", ConnectionResetError(104, "reset"))),
            Phase.HTTP,
            Failure.RESET,
        ),
        (
            requests.ConnectionError(urllib3.exceptions.ProtocolError("aborted", http.client.BadStatusLine("x"))),
            Phase.HTTP,
            Failure.MALFORMED,
        ),
        (requests.exceptions.InvalidHeader("x"), Phase.HTTP, Failure.MALFORMED),
        (msgspec.DecodeError("x"), Phase.BODY, Failure.MALFORMED),
        (dns.exception.DNSException.__new__(dns.exception.FormError), Phase.NAME, Failure.MALFORMED),
    ],
)
def test_the_innermost_error_decides(error: Exception, phase: Phase, expected: Failure) -> None:
    assert failure_of(error, phase=phase) is expected


def test_an_error_of_ours_inside_another_is_taken_as_it_is() -> None:
    ours = WireError(Failure.DEADLINE, "x")
    assert wire_error(requests.ConnectionError(ours), phase=Phase.HTTP) is ours
    assert failure_of(requests.ConnectionError(ours), phase=Phase.HTTP) is Failure.DEADLINE


def test_an_error_that_names_itself_as_its_cause_is_no_endless_chain() -> None:
    error = OSError("x")
    error.__cause__ = error
    assert failure_of(error, phase=Phase.HTTP) is Failure.UNREACHABLE


def test_an_error_carries_what_was_seen() -> None:
    seen = AnswerSeen(status=403)
    error = WireError(Failure.DENIED, "no\nway", seen=seen)
    assert (error.failure, error.detail, error.seen, error.lookup) == (Failure.DENIED, "no way", seen, None)
    assert str(error) == "denied: no way"
    assert WireError(Failure.DENIED, "\x00").detail is None


# ---- scrubbing -------------------------------------------------------------------------------------------------------

words = st.text(alphabet=string.ascii_letters + " .,:/-", max_size=120)
secrets = st.binary(min_size=30, max_size=600).map(lambda raw: base64.b64encode(b"\xff\x01" + raw).decode())
keys = st.text(alphabet=string.ascii_uppercase + string.digits, min_size=16, max_size=16).map(
    lambda tail: "ASIA" + tail
)


@given(st.text(max_size=1000))
def test_any_text_becomes_one_short_printable_line(text: str) -> None:
    scrubbed = scrub(text)
    assert len(scrubbed) <= LONGEST
    assert scrubbed.isprintable()
    assert scrub(scrubbed) == scrubbed


@given(words, secrets, keys, words)
def test_a_presigned_query_is_never_shown(before: str, token: str, key: str, after: str) -> None:
    secret = f"X-Amz-Security-Token={token}&X-Amz-Credential={key}%2F20190814&X-Amz-Signature={'0a' * 32}"
    for url in (
        f"https://bucket.s3.amazonaws.com/k?{secret}",
        f"<a href='/k?{secret}'>",
        f"GET /k?{secret.replace('&', '&amp;')}",
        secret,
    ):
        scrubbed = scrub(f"{before} {url} {after}")
        assert token[:20] not in scrubbed
        assert key not in scrubbed
        assert "0a0a0a" not in scrubbed


@pytest.mark.parametrize(
    "form",
    [
        "Authorization: Basic {}",
        "authorization='Bearer {}'",
        '{{"Authorization": "{}"}}',
        "Basic {}",
        "SecretAccessKey={}",
        '"Token" : "{}"',
        "{}",
        "x {}\n y",
    ],
)
@given(secret=secrets)
def test_secrets_are_cut_in_every_form(form: str, secret: str) -> None:
    assert secret[:16] not in scrub("answer: " + form.format(secret))


@pytest.mark.parametrize(
    "form",
    [
        '{{"auths": {{"registry.example": {{"auth": "{}"}}}}}}',
        "docker login -u AWS -p {} registry.example",
        "docker login --password {} registry.example",
        "curl -u AWS:{} https://registry.example/v2/",
        "-----BEGIN RSA PRIVATE KEY----- {} -----END RSA PRIVATE KEY-----",
    ],
)
def test_a_short_secret_is_known_by_what_stands_before_it(form: str) -> None:
    assert "hunter2" not in scrub("answer: " + form.format("hunter2"))


@pytest.mark.parametrize("begin", ["ghp_", "github_pat_", "glpat-", "dckr_pat_", "npm_"])
def test_tokens_that_begin_like_one_are_cut(begin: str) -> None:
    assert scrub(f"with {begin}abcDEF0123456789xyzw it fails") == "with [cut] it fails"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("proxyconnect http://build:hunter2@10.9.9.9:3128: EOF", "10.9.9.9:3128: EOF"),
        ("Get https://AWS:hunter2@registry.example/v2/: EOF", "registry.example/v2/: EOF"),
    ],
)
def test_logins_of_urls_are_cut(text: str, shown: str) -> None:
    scrubbed = scrub(text)
    assert "hunter2" not in scrubbed
    assert scrubbed.endswith(shown)


@given(secrets, st.integers(0, 20_000), st.integers(0, 20_000))
def test_a_secret_in_a_long_page_is_not_shown_by_halves(secret: str, before: int, after: int) -> None:
    scrubbed = scrub("a" * (before % 300) + " " + "b " * (before // 2) + secret + " c" * (after // 2))
    assert not any(secret[at : at + 12] in scrubbed for at in range(len(secret) - 12))


@pytest.mark.parametrize(
    "kept",
    [
        "User: arn:aws:sts::123456789012:assumed-role/TaskExecutionRole/938f6d263c464aa5985dc67ab7f38a7e is denied",
        "the bytes' sha256 is sha256:" + "0123456789abcdef" * 4,
        "status 200 instead of a Basic challenge",
        "The security token included in the request is invalid.",
        "Your authorization token has expired. Reauthenticate and try again.",
        "Signature expired: 20170111T204052Z is now earlier than 20170111T225449Z (20170111T230949Z - 15 min.)",
        "redirected to prod-eu-west-1-starport-layer-bucket.s3.eu-west-1.amazonaws.com",
        "The repository with name 'platform/services/backend/orders' does not exist in the registry '123456789012'",
        "certificate is not valid for 'api.ecr.eu-west-1.amazonaws.com'",
        "unable to pull secrets or registry auth: execution resource retrieval failed",
        "mkdir -p /var/lib/docker: permission denied",
    ],
)
def test_what_is_no_secret_is_kept(kept: str) -> None:
    assert scrub(kept) == kept


def test_a_long_denial_keeps_its_reason() -> None:
    sentence = (
        "AccessDeniedException: User: arn:aws:sts::123456789012:assumed-role/a-role-with-a-long-name/"
        "0123456789abcdef0123456789abcdef is not authorized to perform: ecr:GetAuthorizationToken on resource: * "
        "because no VPC endpoint policy allows the "
        "ecr:GetAuthorizationToken action"
    )
    scrubbed = scrub(sentence)
    assert scrubbed.startswith("AccessDeniedException: User: arn:aws:sts::123456789012")
    assert scrubbed.endswith("because no VPC endpoint policy allows the ecr:GetAuthorizationToken action")

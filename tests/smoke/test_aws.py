"""The door to AWS: what its errors mean, what is shown of them, and how much is read."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme

from probe.config.flags import UsageError
from probe.operator import aws
from probe.operator.aws import Account, ApiError, Kind
from tests.smoke.aws import CREDENTIALS, Aws, Error, served

TOKEN = "IQoJb3JpZ2luX2VjEXAMPLE0123456789/abcdefghijklmnopqrstuvwxyzABCDEFGHIJ"


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(aws, "READ", 1.0)


def account() -> Account:
    return Account(region="eu-west-1", profile=None)


def error_of(action: str = "ecs:ListTasks", **given: Any) -> ApiError:
    with pytest.raises(ApiError) as raised:
        account().call(action, **given)
    return raised.value


@contextmanager
def answering(answer: bytes, *, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """A server that says the same to everybody, whatever is asked."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
                if tls is not None:
                    connection = tls.wrap_socket(connection, server_side=True)
                connection.recv(65536)
                connection.sendall(answer)
                connection.close()
            except OSError:
                if server.fileno() < 0:
                    return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.getsockname()[1]}"
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(5)


def http(body: bytes, status: str = "200 OK") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body


# ---- what AWS says ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (Error("AccessDeniedException", "no"), Kind.DENIED),
        (Error("ThrottlingException", "Rate exceeded"), Kind.THROTTLED),
        (Error("InvalidParameterException", "x (ErrorCode: RequestLimitExceeded)"), Kind.THROTTLED),
        (Error("ClientException", "Rate exceeded"), Kind.THROTTLED),
        (Error("ServerException", "", 500), Kind.UNAVAILABLE),
        (Error("SomethingNew", "", 503), Kind.UNAVAILABLE),
        (Error("ExpiredTokenException", ""), Kind.CREDENTIALS),
        (Error("UnrecognizedClientException", ""), Kind.CREDENTIALS),
        (Error("InvalidSignatureException", ""), Kind.CREDENTIALS),
        (Error("ClusterNotFoundException", ""), Kind.REFUSED),
        (Error("SomethingNew", ""), Kind.REFUSED),
        (Error("", ""), Kind.REFUSED),
    ],
)
def test_codes_have_a_kind(error: Error, kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    with served(Aws(errors=lambda *_: error)) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        assert error_of().kind is kind


def test_the_action_that_is_missing_is_the_one_that_aws_names(monkeypatch: pytest.MonkeyPatch) -> None:
    words = f"User: arn:aws:iam::1:user/x is not authorized to perform: iam:PassRole on resource: y. {TOKEN}"
    with served(Aws(errors=lambda *_: Error("AccessDeniedException", words))) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        found = error_of()
    assert found.action == "iam:PassRole"
    assert TOKEN not in str(found)
    assert str(found).startswith("iam:PassRole is not allowed: User: arn:aws:iam::1:user/x is not authorized")


# ---- what is no answer of AWS ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (http(b"<html>Access to this site is blocked</html>"), Kind.REFUSED),
        (http(b"[]"), Kind.REFUSED),
        (http(b"\xff\xfe\x00"), Kind.REFUSED),
        (http(b"{nonsense"), Kind.REFUSED),
        (http(b"", "503 Service Unavailable"), Kind.UNAVAILABLE),
        (http(b'{"taskArns": 7}'), Kind.UNAVAILABLE),
        (http(b"<html>blocked</html>", "502 Bad Gateway"), Kind.UNAVAILABLE),
        (http(b"<html>blocked</html>", "403 Forbidden"), Kind.REFUSED),
        (b"", Kind.SILENT),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}", Kind.SILENT),
        (b"\x16\x03\x01 what", Kind.SILENT),
    ],
)
def test_what_is_no_answer_of_awss_is_an_error(answer: bytes, kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(answer) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        found = error_of()
    assert found.kind is kind
    assert "blocked" not in str(found)


def test_an_answer_without_end_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws, "BODY", 100_000)
    with answering(http(json.dumps({"taskArns": ["x" * 300_000]}).encode())) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        assert error_of().kind is Kind.SILENT


def test_nobody_there_is_silence_and_a_login_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://me:hunter2@127.0.0.1:{port}")
    found = error_of()
    assert found.kind is Kind.SILENT
    assert str(found) == "ecs:ListTasks: 127.0.0.1 did not answer (EndpointConnectionError)"


def test_a_certificate_that_is_not_trusted_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with answering(http(b"{}"), tls=context) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        found = error_of()
    assert found.kind is Kind.REFUSED
    assert "AWS_CA_BUNDLE" in str(found)


def test_a_value_that_the_api_does_not_take_is_refused() -> None:
    assert error_of("ecs:ListTasks", cluster=7).kind is Kind.REFUSED


# ---- whose account ---------------------------------------------------------------------------------------------------


def test_without_credentials_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in CREDENTIALS:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    found = error_of()
    assert found.kind is Kind.CREDENTIALS
    assert str(found) == "ecs:ListTasks: no usable AWS credentials were found (NoCredentialsError)"


def test_half_a_pair_of_keys_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert error_of().kind is Kind.CREDENTIALS


def test_a_profile_that_fails_tells_nothing_of_itself(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in CREDENTIALS:
        monkeypatch.delenv(name)
    file = tmp_path / "config"
    file.write_text(f"[profile ci]\nregion = eu-west-1\ncredential_process = /bin/sh -c 'echo {TOKEN} >&2; exit 1'\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    with pytest.raises(ApiError) as raised:
        Account(region=None, profile="ci").call("ecs:ListTasks")
    assert raised.value.kind is Kind.CREDENTIALS
    assert TOKEN not in str(raised.value)


@pytest.mark.parametrize(("profile", "words"), [("nobody", "--profile"), (None, "AWS_PROFILE names one")])
def test_a_profile_that_does_not_exist_is_refused(
    profile: str | None, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if profile is None:
        monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(UsageError, match=words):
        Account(region="eu-west-1", profile=profile)


def test_the_region_may_be_the_profiles(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text("[profile ci]\nregion = eu-central-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    assert Account(region=None, profile="ci").region == "eu-central-1"
    with pytest.raises(UsageError, match="no region is configured"):
        Account(region=None, profile=None)


def test_a_configuration_that_cannot_be_read_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text(f"[profile ci\nsecret = {TOKEN}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    with pytest.raises(UsageError) as raised:
        Account(region="eu-west-1", profile=None)
    assert TOKEN not in str(raised.value)


def test_what_is_forgotten_can_be_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with served(Aws()) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        ours = account()
        for _ in range(2):
            assert ours.call("ec2:DescribeSubnets", SubnetIds=["subnet-00000000000000001"])["Subnets"]
            ours.forget("ec2")

"""Errors of AWS's API: how they are classified, what is shown of them, and how much of a reply is read."""

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
from probe.fleet import Source
from probe.model import Status
from probe.operator import aws
from probe.operator.aws import Account, ApiError, Kind
from tests.smoke.aws import CREDENTIALS, REGION, Aws, Error, served
from tests.smoke.runs import Bench

TOKEN = "IQoJb3JpZ2luX2VjEXAMPLE0123456789/abcdefghijklmnopqrstuvwxyzABCDEFGHIJ"


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(aws, "READ_TIMEOUT", 1.0)


def account() -> Account:
    return Account(region="eu-west-1", profile=None)


def error_of(action: str = "ecs:ListTasks", **parameters: Any) -> ApiError:
    with pytest.raises(ApiError) as raised:
        account().call(action, **parameters)
    return raised.value


@contextmanager
def answering(reply: bytes, *, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """A server that sends the same reply to each request."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
                if tls is not None:
                    connection = tls.wrap_socket(connection, server_side=True)
                connection.recv(65536)
                connection.sendall(reply)
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


# ---- AWS's errors ----------------------------------------------------------------------------------------------------


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
def test_error_codes_are_classified(error: Error, kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    with served(Aws(errors=lambda *_: error)) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        assert error_of().kind is kind


def test_a_denial_names_the_action_in_awss_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    sentence = f"User: arn:aws:iam::1:user/x is not authorized to perform: iam:PassRole on resource: y. {TOKEN}"
    with served(Aws(errors=lambda *_: Error("AccessDeniedException", sentence))) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        error = error_of()
    assert error.action == "iam:PassRole"
    assert TOKEN not in str(error)
    assert str(error).startswith("iam:PassRole is not allowed: User: arn:aws:iam::1:user/x is not authorized")


# ---- replies that are not AWS's --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (http(b"<html>Access to this site is blocked</html>"), Kind.REFUSED),
        (http(b"[]"), Kind.REFUSED),
        (http(b"\xff\xfe\x00"), Kind.REFUSED),
        (http(b"{nonsense"), Kind.REFUSED),
        (http(b"", "503 Service Unavailable"), Kind.UNAVAILABLE),
        (http(b'{"taskArns": 7}'), Kind.UNAVAILABLE),
        (http(b"<html>blocked</html>", "502 Bad Gateway"), Kind.UNAVAILABLE),
        (http(b"<html>blocked</html>", "403 Forbidden"), Kind.REFUSED),
        (b"", Kind.NO_REPLY),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}", Kind.NO_REPLY),
        (b"\x16\x03\x01 what", Kind.NO_REPLY),
    ],
)
def test_a_reply_that_is_not_awss_is_an_error(reply: bytes, kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(reply) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        error = error_of()
    assert error.kind is kind
    assert "blocked" not in str(error)


def test_a_reply_that_is_too_large_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws, "MAX_BODY", 100_000)
    with answering(http(json.dumps({"taskArns": ["x" * 300_000]}).encode())) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        assert error_of().kind is Kind.NO_REPLY


def test_an_unreachable_endpoint_did_not_answer_and_its_login_is_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://me:hunter2@127.0.0.1:{port}")
    error = error_of()
    assert error.kind is Kind.NO_REPLY
    assert str(error) == "ecs:ListTasks: 127.0.0.1 did not answer (EndpointConnectionError)"


def test_an_untrusted_certificate_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with answering(http(b"{}"), tls=context) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        error = error_of()
    assert error.kind is Kind.REFUSED
    assert "AWS_CA_BUNDLE" in str(error)


def test_an_invalid_parameter_is_refused() -> None:
    assert error_of("ecs:ListTasks", cluster=7).kind is Kind.REFUSED


# ---- credentials and configuration -----------------------------------------------------------------------------------


def test_missing_credentials_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in CREDENTIALS:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    error = error_of()
    assert error.kind is Kind.CREDENTIALS
    assert str(error) == "ecs:ListTasks: no usable AWS credentials were found (NoCredentialsError)"


def test_an_expired_sign_in_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in CREDENTIALS:
        monkeypatch.delenv(name)
    lines = (
        "sso_start_url = https://x",
        "sso_region = us-east-1",
        "sso_account_id = 123456789012",
        "sso_role_name = A",
    )
    (tmp_path / "config").write_text("\n".join(("[profile work]", *lines)))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(ApiError) as error:
        Account(region=REGION, profile="work").call("ecs:ListTasks")
    text = "the sign-in of IAM Identity Center has expired (SSOTokenLoadError); aws sso login renews it"
    assert (error.value.kind, error.value.text) == (Kind.CREDENTIALS, text)


def test_a_wrong_clock_is_named() -> None:
    response = {"Error": {"Code": "SignatureDoesNotMatch", "Message": "Signature expired: 20261130T000000Z is now"}}
    assert "so this machine's clock is wrong" in aws.error_of_response(response, "ecs:ListTasks").text


def test_an_access_key_without_its_secret_is_not_usable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert error_of().kind is Kind.CREDENTIALS


def test_the_output_of_a_failing_credential_process_is_hidden(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in CREDENTIALS:
        monkeypatch.delenv(name)
    file = tmp_path / "config"
    file.write_text(f"[profile ci]\nregion = eu-west-1\ncredential_process = /bin/sh -c 'echo {TOKEN} >&2; exit 1'\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    with pytest.raises(ApiError) as raised:
        Account(region=None, profile="ci").call("ecs:ListTasks")
    assert raised.value.kind is Kind.CREDENTIALS
    assert TOKEN not in str(raised.value)


@pytest.mark.parametrize(
    ("profile", "complaint"),
    [
        ("unknown", "--profile"),
        ("https://u:SENTINEL@h", r"'https://\[cut\]@h' is not in"),
        (None, "AWS_PROFILE names one"),
    ],
)
def test_an_unknown_profile_is_refused(profile: str | None, complaint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if profile is None:
        monkeypatch.setenv("AWS_PROFILE", "unknown")
    with pytest.raises(UsageError, match=complaint):
        Account(region="eu-west-1", profile=profile)


def test_the_region_may_come_from_the_profile(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text("[profile ci]\nregion = eu-central-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    assert Account(region=None, profile="ci").region == "eu-central-1"
    with pytest.raises(UsageError, match="no region is configured"):
        Account(region=None, profile=None)


def test_an_unreadable_configuration_is_refused_without_its_content(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "config"
    file.write_text(f"[profile ci\nsecret = {TOKEN}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    with pytest.raises(UsageError) as raised:
        Account(region="eu-west-1", profile=None)
    assert TOKEN not in str(raised.value)


def test_a_run_by_botocores_clients_calls_every_service(http_bench: Bench) -> None:
    fleet = http_bench.smoke("--service", "shop")
    assert [(run.status, run.source, run.zone) for run in fleet.runs] == [
        (Status.PASS, Source.PROBE, f"{REGION}{letter}") for letter in "abc"
    ]
    assert fleet.notes == ()


def test_a_forgotten_service_can_be_called_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with served(Aws()) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        ours = account()
        for _ in range(2):
            assert ours.call("ec2:DescribeSubnets", SubnetIds=["subnet-00000000000000001"])["Subnets"]
            ours.forget("ec2")

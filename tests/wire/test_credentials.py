from __future__ import annotations

import hashlib
import hmac
import json
import re
from pathlib import Path

import pytest

from probe.model import Budget, CredentialsSeen, Failure
from probe.wire import Wire
from probe.wire.aws_calls import signed_headers
from probe.wire.credentials import Credentials, FoundCredentials, find
from probe.wire.errors import WireError
from tests.wire.servers import GENEROUS, HttpServer, Server, answer, closed_port, limits, silent, wire_to, within

RELATIVE = {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials/1"}
ROLE = "arn:aws:iam::123456789012:role/TaskRole"
DOCUMENT = {
    "RoleArn": ROLE,
    "AccessKeyId": "ASIAX",
    "SecretAccessKey": "s",
    "Token": "t",
    "Expiration": "2001-01-01T00:00:00Z",
}
NO_NETWORK = wire_to(1)


def find_in(
    environ: dict[str, str], wire: Wire = NO_NETWORK, *, instance: bool = False, budget: Budget = GENEROUS
) -> FoundCredentials:
    return find(wire, environ, allow_instance=instance, budget=budget, until=within())


def error_of(
    environ: dict[str, str], wire: Wire = NO_NETWORK, *, instance: bool = False, budget: Budget = GENEROUS
) -> WireError:
    with pytest.raises(WireError) as caught:
        find_in(environ, wire, instance=instance, budget=budget)
    return caught.value


def write_files(home: Path, *, credentials: str = "", config: str = "") -> dict[str, str]:
    (home / ".aws").mkdir()
    (home / ".aws" / "credentials").write_text(credentials)
    (home / ".aws" / "config").write_text(config)
    return {"HOME": str(home)}


KEYS = "aws_access_key_id = AKIA{0}\naws_secret_access_key = secret{0}\n"

# ---- variables and files ---------------------------------------------------------------------------------------------


def test_variables_come_first(tmp_path: Path) -> None:
    environ = {
        **write_files(tmp_path, credentials="[default]\n" + KEYS.format(1)),
        **RELATIVE,
        "AWS_ACCESS_KEY_ID": "AKIA0",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_SESSION_TOKEN": "t",
        "AWS_CREDENTIAL_EXPIRATION": "2001-01-01T00:00:00Z",
    }
    assert find_in(environ) == FoundCredentials(Credentials("AKIA0", "x", "t"), "env")


def test_a_missing_variable_is_named() -> None:
    error = error_of({"AWS_ACCESS_KEY_ID": "AKIA0"})
    assert error.failure is Failure.NO_CREDENTIALS
    assert "AWS_SECRET_ACCESS_KEY" in (error.detail or "")


def test_the_order_of_files_and_the_profile(tmp_path: Path) -> None:
    environ = write_files(
        tmp_path,
        credentials="[default]\n" + KEYS.format(1),
        config="[default]\n" + KEYS.format(2) + "[profile other]\n" + KEYS.format(3),
    )
    assert (find_in(environ).source, find_in(environ).credentials.access_key) == ("shared-credentials-file", "AKIA1")
    other = find_in({**environ, "AWS_PROFILE": "other"})
    assert (other.source, other.credentials.access_key) == ("config-file", "AKIA3")
    assert error_of({**environ, "AWS_PROFILE": "missing"}).failure is Failure.NO_CREDENTIALS


def test_a_variable_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("[default]\n" + KEYS.format(7))
    for name in (str(tmp_path / "keys"), "~/keys"):
        environ = {"HOME": str(tmp_path), "AWS_SHARED_CREDENTIALS_FILE": name}
        assert find_in(environ).credentials.access_key == "AKIA7"


def test_the_real_environment_is_not_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in {
        **write_files(tmp_path, credentials="[default]\n" + KEYS.format(1)),
        "AWS_ACCESS_KEY_ID": "A",
        "AWS_SECRET_ACCESS_KEY": "b",
        **RELATIVE,
    }.items():
        monkeypatch.setenv(name, value)
    assert error_of({}).failure is Failure.NO_CREDENTIALS


def test_a_file_that_cannot_be_parsed(tmp_path: Path) -> None:
    error = error_of(write_files(tmp_path, credentials="no section\n"))
    assert error.failure is Failure.NO_CREDENTIALS
    assert error.seen == CredentialsSeen(source="shared-credentials-file")


# ---- the container's endpoint ----------------------------------------------------------------------------------------


def test_the_task_role() -> None:
    with HttpServer(lambda _: answer(200, json.dumps(DOCUMENT).encode())) as server:
        caller = find_in(RELATIVE, wire_to({80: server.port}))
    assert caller == FoundCredentials(Credentials("ASIAX", "s", "t"), "container-role", ROLE)
    assert len(server.requests) == 1  # an expiry in the past causes no second request
    assert server.requests[0].startswith(b"GET /v2/credentials/1 HTTP/1.1\r\nHost: 169.254.170.2\r\n")


def test_a_full_uri_with_its_token(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-file")
    with HttpServer(lambda _: answer(200, json.dumps(DOCUMENT).encode())) as server:
        environ = {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://127.0.0.1:{server.port}/x",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": "from-variable",
        }
        find_in(environ, wire_to(server.port))
        find_in({**environ, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(tmp_path / "token")}, wire_to(server.port))
    assert b"\r\nAuthorization: from-variable\r\n" in server.requests[0]
    assert b"\r\nAuthorization: from-file\r\n" in server.requests[1]


@pytest.mark.parametrize(
    "environ",
    [
        {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://10.0.0.1/x"},
        {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://localhost/", "AWS_CONTAINER_AUTHORIZATION_TOKEN": "a\r\nb"},
        {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://localhost/",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/missing",
        },
    ],
)
def test_an_endpoint_that_botocore_does_not_allow(environ: dict[str, str]) -> None:
    error = error_of(environ)
    assert error.failure is Failure.NO_CREDENTIALS
    assert error.seen == CredentialsSeen(source="container-role")


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (
            400,
            b'{"code":"InvalidIdInRequest","message":"Credentials not found","HTTPErrorCode":400}',
            Failure.UNAUTHENTICATED,
        ),
        (404, b"", Failure.UNAUTHENTICATED),
        (429, b"", Failure.THROTTLED),
        (500, b"", Failure.SERVER_ERROR),
        (503, b'{"code":"CredentialsUninitialized","message":"x","HTTPErrorCode":503}', Failure.SERVER_ERROR),
        (302, b"", Failure.MALFORMED),
        (200, b"", Failure.MALFORMED),
        (200, b'"words"', Failure.MALFORMED),
        (200, b'{"AccessKeyId": 1}', Failure.MALFORMED),
        (200, b"<html>", Failure.MALFORMED),
    ],
)
def test_errors_of_the_endpoint(status: int, body: bytes, expected: Failure) -> None:
    with HttpServer(lambda _: answer(status, body)) as server:
        error = error_of(RELATIVE, wire_to({80: server.port}))
    assert error.failure is expected
    assert error.seen == CredentialsSeen(source="container-role", status=status)
    assert len(server.requests) == 1


def test_an_endpoint_that_is_silent_or_refuses_the_connection() -> None:
    with Server(silent) as server:
        error = error_of(RELATIVE, wire_to({80: server.port}), budget=limits(stall=0.3))
        assert error.failure is Failure.STALLED
    error = error_of(RELATIVE, wire_to({80: closed_port()}))
    assert (error.failure, error.seen) == (Failure.REFUSED, CredentialsSeen(source="container-role"))


# ---- the instance role -----------------------------------------------------------------------------------------------


def instance(request: bytes) -> bytes:
    method, target, *_ = request.decode().split(" ")
    if method == "PUT":
        return answer(200, b"session-token")
    if "X-aws-ec2-metadata-token: session-token" not in request.decode():
        return answer(401)
    texts = {
        "/latest/meta-data/iam/security-credentials/": b"InstanceRole",
        "/latest/meta-data/iam/security-credentials/InstanceRole": json.dumps(DOCUMENT).encode(),
    }
    return answer(200, texts[target]) if target in texts else answer(404)


def test_the_instance_role_is_used_only_if_allowed() -> None:
    with HttpServer(instance) as server:
        wire = wire_to({80: server.port})
        assert error_of({}, wire).failure is Failure.NO_CREDENTIALS
        assert not server.requests
        assert find_in({}, wire, instance=True).source == "iam-role"


@pytest.mark.parametrize(
    "respond",
    [
        lambda _: answer(403),
        lambda _: answer(404),
        lambda r: answer(200, b"x") if r.startswith(b"PUT") else answer(404),
    ],
)
def test_an_instance_without_a_role(respond: object) -> None:
    with HttpServer(respond) as server:  # type: ignore[arg-type]
        error = error_of({}, wire_to({80: server.port}), instance=True)
    assert (error.failure, error.seen) == (Failure.NO_CREDENTIALS, CredentialsSeen(source="iam-role"))


def test_silent_instance_metadata_is_marked_as_unanswered() -> None:
    with Server(silent) as server:
        error = error_of({}, wire_to({80: server.port}), instance=True, budget=limits(stall=0.3))
    assert (error.failure, error.seen) == (
        Failure.NO_CREDENTIALS,
        CredentialsSeen(source="iam-role", unanswered=True),
    )


def test_secrets_are_not_shown() -> None:
    shown = repr(FoundCredentials(Credentials("AKIAKEY", "SECRET", "TOKEN"), "env"))
    assert not re.search("AKIAKEY|SECRET|TOKEN", shown)


# ---- signing ---------------------------------------------------------------------------------------------------------


def test_the_signature_follows_the_specification() -> None:
    """Computed independently from AWS's description of signature version 4."""
    host, target, body = (
        "api.ecr.eu-west-1.amazonaws.com",
        "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken",
        b"{}",
    )
    headers = signed_headers(
        Credentials("AKIA", "secret", "token"), service="ecr", region="eu-west-1", host=host, target=target, body=body
    )
    lower = {name.lower(): value for name, value in headers.items()} | {"host": host}
    match = re.fullmatch(
        r"AWS4-HMAC-SHA256 Credential=AKIA/(\d{8}/eu-west-1/ecr/aws4_request), "
        r"SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})",
        headers["Authorization"],
    )
    assert match is not None
    scope, names, signature = match.groups()
    assert set(names.split(";")) == {"content-type", "host", "x-amz-date", "x-amz-security-token", "x-amz-target"}
    canonical = "\n".join(
        [
            "POST",
            "/",
            "",
            *(f"{name}:{lower[name]}" for name in names.split(";")),
            "",
            names,
            hashlib.sha256(body).hexdigest(),
        ]
    )
    text = "\n".join(["AWS4-HMAC-SHA256", lower["x-amz-date"], scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = b"AWS4secret"
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    assert hmac.digest(key, text.encode(), "sha256").hex() == signature
    assert lower["x-amz-target"] == target
    assert lower["content-type"] == "application/x-amz-json-1.1"

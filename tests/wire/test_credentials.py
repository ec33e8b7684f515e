from __future__ import annotations

import hashlib
import hmac
import json
import re
from pathlib import Path

import pytest

from probe.model import CredentialsSeen, Failure
from probe.wire import Wire
from probe.wire.aws_calls import signed_headers
from probe.wire.credentials import Credentials, FoundCredentials, find
from probe.wire.errors import WireError
from tests.wire.servers import QUICK, HttpServer, Server, answer, closed_port, silent, soon, wire_to

RELATIVE = {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials/1"}
ROLE = "arn:aws:iam::123456789012:role/TaskRole"
DOCUMENT = {
    "RoleArn": ROLE,
    "AccessKeyId": "ASIAX",
    "SecretAccessKey": "s",
    "Token": "t",
    "Expiration": "2001-01-01T00:00:00Z",
}
NOWHERE = wire_to(1)


def look(environ: dict[str, str], wire: Wire = NOWHERE, *, instance: bool = False) -> FoundCredentials:
    return find(wire, environ, allow_instance=instance, budget=QUICK, until=soon())


def refused(environ: dict[str, str], wire: Wire = NOWHERE, *, instance: bool = False) -> WireError:
    with pytest.raises(WireError) as caught:
        look(environ, wire, instance=instance)
    return caught.value


def files(at: Path, *, credentials: str = "", config: str = "") -> dict[str, str]:
    (at / ".aws").mkdir()
    (at / ".aws" / "credentials").write_text(credentials)
    (at / ".aws" / "config").write_text(config)
    return {"HOME": str(at)}


KEYS = "aws_access_key_id = AKIA{0}\naws_secret_access_key = secret{0}\n"

# ---- variables and files ---------------------------------------------------------------------------------------------


def test_variables_come_first(tmp_path: Path) -> None:
    environ = {
        **files(tmp_path, credentials="[default]\n" + KEYS.format(1)),
        **RELATIVE,
        "AWS_ACCESS_KEY_ID": "AKIA0",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_SESSION_TOKEN": "t",
        "AWS_CREDENTIAL_EXPIRATION": "2001-01-01T00:00:00Z",
    }
    assert look(environ) == FoundCredentials(Credentials("AKIA0", "x", "t"), "env")


def test_half_a_pair_of_variables_is_told() -> None:
    failed = refused({"AWS_ACCESS_KEY_ID": "AKIA0"})
    assert failed.failure is Failure.NO_CREDENTIALS
    assert "AWS_SECRET_ACCESS_KEY" in (failed.detail or "")


def test_files_in_their_order_and_the_profile(tmp_path: Path) -> None:
    environ = files(
        tmp_path,
        credentials="[default]\n" + KEYS.format(1),
        config="[default]\n" + KEYS.format(2) + "[profile other]\n" + KEYS.format(3),
    )
    assert (look(environ).source, look(environ).credentials.access_key) == ("shared-credentials-file", "AKIA1")
    other = look({**environ, "AWS_PROFILE": "other"})
    assert (other.source, other.credentials.access_key) == ("config-file", "AKIA3")
    assert refused({**environ, "AWS_PROFILE": "missing"}).failure is Failure.NO_CREDENTIALS


def test_files_that_variables_name(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("[default]\n" + KEYS.format(7))
    for name in (str(tmp_path / "keys"), "~/keys"):
        environ = {"HOME": str(tmp_path), "AWS_SHARED_CREDENTIALS_FILE": name}
        assert look(environ).credentials.access_key == "AKIA7"


def test_the_real_environment_is_not_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in {
        **files(tmp_path, credentials="[default]\n" + KEYS.format(1)),
        "AWS_ACCESS_KEY_ID": "A",
        "AWS_SECRET_ACCESS_KEY": "b",
        **RELATIVE,
    }.items():
        monkeypatch.setenv(name, value)
    assert refused({}).failure is Failure.NO_CREDENTIALS


def test_a_file_that_cannot_be_parsed_is_told(tmp_path: Path) -> None:
    failed = refused(files(tmp_path, credentials="no section\n"))
    assert failed.failure is Failure.NO_CREDENTIALS
    assert failed.seen == CredentialsSeen(source="shared-credentials-file")


# ---- the container's endpoint ----------------------------------------------------------------------------------------


def test_the_task_role() -> None:
    with HttpServer(lambda _: answer(200, json.dumps(DOCUMENT).encode())) as server:
        found = look(RELATIVE, wire_to({80: server.port}))
    assert found == FoundCredentials(Credentials("ASIAX", "s", "t"), "container-role", ROLE)
    assert len(server.requests) == 1  # an expiry in the past makes nobody ask again
    assert server.requests[0].startswith(b"GET /v2/credentials/1 HTTP/1.1\r\nHost: 169.254.170.2\r\n")


def test_a_full_uri_with_its_token(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-file")
    with HttpServer(lambda _: answer(200, json.dumps(DOCUMENT).encode())) as server:
        environ = {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://127.0.0.1:{server.port}/x",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": "from-variable",
        }
        look(environ, wire_to(server.port))
        look({**environ, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(tmp_path / "token")}, wire_to(server.port))
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
def test_an_endpoint_that_botocore_would_not_ask(environ: dict[str, str]) -> None:
    failed = refused(environ)
    assert failed.failure is Failure.NO_CREDENTIALS
    assert failed.seen == CredentialsSeen(source="container-role")


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
def test_an_endpoint_that_gives_none(status: int, body: bytes, expected: Failure) -> None:
    with HttpServer(lambda _: answer(status, body)) as server:
        failed = refused(RELATIVE, wire_to({80: server.port}))
    assert failed.failure is expected
    assert failed.seen == CredentialsSeen(source="container-role", status=status)
    assert len(server.requests) == 1


def test_an_endpoint_that_is_silent_or_not_there() -> None:
    with Server(silent) as server:
        assert refused(RELATIVE, wire_to({80: server.port})).failure is Failure.STALLED
    failed = refused(RELATIVE, wire_to({80: closed_port()}))
    assert (failed.failure, failed.seen) == (Failure.REFUSED, CredentialsSeen(source="container-role"))


# ---- the instance's role ---------------------------------------------------------------------------------------------


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


def test_the_instance_role_only_where_it_is_allowed() -> None:
    with HttpServer(instance) as server:
        wire = wire_to({80: server.port})
        assert refused({}, wire).failure is Failure.NO_CREDENTIALS
        assert not server.requests
        assert look({}, wire, instance=True).source == "iam-role"


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
        failed = refused({}, wire_to({80: server.port}), instance=True)
    assert (failed.failure, failed.seen) == (Failure.NO_CREDENTIALS, CredentialsSeen(source="iam-role"))


def test_secrets_are_not_shown() -> None:
    shown = repr(FoundCredentials(Credentials("AKIAKEY", "SECRET", "TOKEN"), "env"))
    assert not re.search("AKIAKEY|SECRET|TOKEN", shown)


# ---- signing ---------------------------------------------------------------------------------------------------------


def test_a_signature_is_what_the_specification_says() -> None:
    """Computed anew from AWS's description of signature version 4."""
    host, target, body = (
        "api.ecr.eu-west-1.amazonaws.com",
        "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken",
        b"{}",
    )
    headers = signed_headers(
        Credentials("AKIA", "secret", "token"), service="ecr", region="eu-west-1", host=host, target=target, body=body
    )
    lower = {name.lower(): value for name, value in headers.items()} | {"host": host}
    found = re.fullmatch(
        r"AWS4-HMAC-SHA256 Credential=AKIA/(\d{8}/eu-west-1/ecr/aws4_request), "
        r"SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})",
        headers["Authorization"],
    )
    assert found is not None
    scope, names, signature = found.groups()
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

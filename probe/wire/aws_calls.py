"""The AWS JSON calls that a check makes: their targets, the signature, and how a successful response is read."""

from __future__ import annotations

import base64
import binascii
import re

import msgspec

from probe.model import Failure
from probe.records import Record, field
from probe.wire.credentials import Credentials
from probe.wire.errors import WireError

GET_AUTHORIZATION_TOKEN = "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken"
DESCRIBE_LOG_GROUPS = "Logs_20140328.DescribeLogGroups"
DESCRIBE_LOG_STREAMS = "Logs_20140328.DescribeLogStreams"

_JSON = "application/x-amz-json-1.1"
_FORM = "application/x-www-form-urlencoded; charset=utf-8"
# ASCII without blanks or line ends, so that the token cannot start another header.
_HEADER_WORD = re.compile(r"[A-Za-z0-9+/=_-]{1,16384}")


class ServiceCall(Record, frozen=True):
    """A call that changes nothing and reads no secret. `target` None: AWS's query protocol, not JSON."""

    service: str
    target: str | None
    body: bytes


# By IAM action: AWS[service-calls]. Those for secrets are the actions that ECS uses, so a policy judges them in the
# same way. They ask for names that do not exist, and where the API allows it for a version that cannot exist.
SERVICE_CALLS = {
    "secretsmanager:GetSecretValue": ServiceCall(
        "secretsmanager",
        "secretsmanager.GetSecretValue",
        b'{"SecretId":"ecr-probe/no-such-secret","VersionId":"00000000-0000-0000-0000-000000000000"}',
    ),
    "ssm:GetParameters": ServiceCall("ssm", "AmazonSSM.GetParameters", b'{"Names":["/ecr-probe/no-such-parameter"]}'),
    "kms:ListAliases": ServiceCall("kms", "TrentService.ListAliases", b'{"Limit":1}'),
    "sts:GetCallerIdentity": ServiceCall("sts", None, b"Action=GetCallerIdentity&Version=2011-06-15"),
    "ecs:DescribeClusters": ServiceCall("ecs", "AmazonEC2ContainerServiceV20141113.DescribeClusters", b"{}"),
}


def signed_headers(
    credentials: Credentials, *, service: str, region: str, host: str, target: str | None, body: bytes
) -> dict[str, str]:
    """The headers of `POST https://<host>/` for the operation `target`, with a signature (version 4) by botocore.

    `target` None: the query protocol, whose body names the operation.
    """
    from botocore.auth import SigV4Auth  # type: ignore[import-untyped,unused-ignore]
    from botocore.awsrequest import AWSRequest  # type: ignore[import-untyped,unused-ignore]

    headers = {"Content-Type": _FORM} if target is None else {"Content-Type": _JSON, "X-Amz-Target": target}
    request = AWSRequest(method="POST", url=f"https://{host}/", data=body, headers=headers)
    SigV4Auth(credentials, service, region).add_auth(request)
    return {str(name): str(value) for name, value in request.headers.items()}


class _Authorization(Record, frozen=True, rename="camel"):
    authorization_token: str


class _AuthorizationData(Record, frozen=True, rename="camel"):
    authorization_data: list[_Authorization]


class _LogStream(Record, frozen=True, rename="camel"):
    log_stream_name: str


class _LogStreams(Record, frozen=True, rename="camel"):
    log_streams: list[_LogStream] = field(default_factory=list)


def authorization(body: bytes) -> str:
    """Return the registry's Authorization header from the response to GetAuthorizationToken.

    The token is used unchanged as Basic credentials. Raises WireError MALFORMED, and never quotes the body, because it
    may hold the secret.
    """
    try:
        token = msgspec.json.decode(body, type=_AuthorizationData).authorization_data[0].authorization_token
        user = base64.b64decode(token, validate=True).partition(b":")[0]
    except (msgspec.DecodeError, UnicodeDecodeError, IndexError, binascii.Error) as error:
        raise WireError(Failure.MALFORMED, "the answer to GetAuthorizationToken holds no token") from error
    if user != b"AWS" or not _HEADER_WORD.fullmatch(token):
        raise WireError(
            Failure.MALFORMED, "the answer to GetAuthorizationToken holds no token of the form AWS:password"
        )
    return f"Basic {token}"


def log_stream_names(body: bytes) -> tuple[str, ...]:
    """The stream names in the response to DescribeLogStreams. Raises WireError MALFORMED."""
    try:
        return tuple(stream.log_stream_name for stream in msgspec.json.decode(body, type=_LogStreams).log_streams)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise WireError(Failure.MALFORMED, "the answer to DescribeLogStreams cannot be read") from error

"""AWS's API from outside: the clients, and what their errors mean.

No call is repeated here and none sleeps: whoever asks knows what time is left. What leaves this file of an error is its
kind, its code and AWS's own sentence, scrubbed; never a library's words on credentials or on a URL.
"""

from __future__ import annotations

import gc
import re
import threading
from collections.abc import Mapping
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

import botocore.exceptions as library
import botocore.session
import msgspec
from botocore import xform_name
from botocore.config import Config
from botocore.httpsession import URLLib3Session
from botocore.loaders import create_loader

from probe import __version__
from probe.config.flags import UsageError
from probe.model import Failure
from probe.safe_words import scrub
from probe.wire.aws_errors import failure_of_code

CONNECT, READ = 5.0, 20.0  # seconds
BODY = 8 * 1024 * 1024  # bytes; the largest answer that is asked for, a page of log events, has 1 MiB
POLICY = "task-definitions/iam/operator-smoke.json"
_CHUNK = 64 * 1024


class Kind(StrEnum):
    """What to do about an error. Three of them pass by themselves."""

    THROTTLED = "throttled"
    UNAVAILABLE = "unavailable"  # AWS's own trouble, or an answer that is not AWS's
    SILENT = "silent"  # no answer: the call may have been carried out
    DENIED = "denied"
    CREDENTIALS = "credentials"
    REFUSED = "refused"  # the request as such: a name that does not exist, values that do not fit


PASSING = (Kind.THROTTLED, Kind.UNAVAILABLE, Kind.SILENT)


class ApiError(Exception):
    """The only exception of a call. `action` is IAM's name of what was tried, or of what the caller lacks."""

    def __init__(self, kind: Kind, action: str, code: str, words: str) -> None:
        self.kind = kind
        self.action = action
        self.code = code
        self.words = words
        super().__init__(kind, action, code, words)

    def __str__(self) -> str:
        match self.kind:
            case Kind.DENIED:
                return f"{self.action} is not allowed: {self.words}"
            case Kind.CREDENTIALS | Kind.SILENT:
                return f"{self.action}: {self.words}"
            case _:
                return f"{self.action}: {self.code}: {self.words}" if self.words else f"{self.action}: {self.code}"


class ForeignAnswerError(Exception):
    """What answered is not AWS: a proxy's page, a captive portal's. `args` hold the HTTP status."""


# What to do about an error code; a code that is not in the table of `wire.aws_errors` is REFUSED.
_KINDS: Mapping[Failure | None, Kind] = {
    Failure.DENIED: Kind.DENIED,
    Failure.UNAUTHENTICATED: Kind.CREDENTIALS,
    Failure.CLOCK: Kind.CREDENTIALS,
    Failure.THROTTLED: Kind.THROTTLED,
    Failure.SERVER_ERROR: Kind.UNAVAILABLE,
}
# ECS asks EC2, and tells what EC2 said as a mistake of ours: "Error retrieving security group information for [sg-…]:
# Request limit exceeded. (ErrorCode: RequestLimitExceeded)" is an InvalidParameterException.
_THROTTLED_BEHIND = re.compile(r"RequestLimitExceeded|Rate exceeded|Throttling", re.IGNORECASE)
_NOT_AUTHORIZED = re.compile(r"not authorized to perform:? (\w+:\w+)")
_WITHOUT_CREDENTIALS = (
    library.NoCredentialsError,
    library.PartialCredentialsError,
    library.CredentialRetrievalError,
    library.InvalidConfigError,
    library.ConfigNotFound,
    library.TokenRetrievalError,
    library.SSOError,
    library.NoAuthTokenError,
)


class Account:
    """One account in one region, as the credentials of the environment see it. Calls may come from several threads."""

    def __init__(self, *, region: str | None, profile: str | None, at_once: int = 1) -> None:
        """Raises UsageError."""
        self._session = _session(profile)
        found = region or _configured(self._session, "region")
        if not found:
            raise UsageError(
                "no region is configured; give --region (ECR_PROBE_REGION) or set AWS_REGION, "
                "for example --region eu-west-1"
            )
        self.region = str(found)
        self._at_once = at_once
        self._making = threading.Lock()
        self._clients: dict[tuple[str, str], Any] = {}

    def call(self, action: str, *, region: str | None = None, **parameters: Any) -> dict[str, Any]:
        """One call, such as "ecs:RunTask". Raises ApiError."""
        service, _, operation = action.partition(":")
        try:
            client = self._client(service, region or self.region)
            answer = getattr(client, xform_name(operation))(**parameters)
        except Exception as error:
            raise _told(error, action) from None
        return dict(answer)

    def forget(self, service: str) -> None:
        """Let go of a service that is not asked again: EC2's description alone takes 20 MiB."""
        with self._making:
            self._clients = {key: client for key, client in self._clients.items() if key[0] != service}
        gc.collect()

    def _client(self, service: str, region: str) -> Any:
        with self._making:
            if (service, region) not in self._clients:
                self._clients[service, region] = self._made(service, region)
            return self._clients[service, region]

    def _made(self, service: str, region: str) -> Any:
        config = Config(
            connect_timeout=CONNECT,
            read_timeout=READ,
            retries={"total_max_attempts": 1, "mode": "standard"},
            max_pool_connections=self._at_once,
            user_agent_extra=f"ecr-probe/{__version__}",
        )
        # A loader of its own: the session's would keep what it has read.
        loader = create_loader(self._session.get_config_variable("data_path"))
        self._session.register_component("data_loader", loader)
        client = self._session.create_client(service, region_name=region, config=config)
        _bound(client)
        return client


def _session(profile: str | None) -> Any:
    try:
        session = botocore.session.Session(profile=profile)
        session.get_scoped_config()  # a profile that does not exist is told here
    except library.ProfileNotFound:
        named = f"--profile (ECR_PROBE_PROFILE): {profile!r}" if profile else "AWS_PROFILE names one that"
        raise UsageError(f"{named} is not in the AWS CLI's files; for example --profile default") from None
    except library.BotoCoreError as error:
        raise UsageError(f"the AWS CLI's files cannot be read: {type(error).__name__}") from None
    return session


def _configured(session: Any, name: str) -> Any:
    try:
        return session.get_config_variable(name)
    except library.BotoCoreError as error:
        raise UsageError(f"the AWS CLI's files cannot be read: {type(error).__name__}") from None


def _bound(client: Any) -> None:
    """botocore reads a body whole, whatever its size, and takes a block page for an answer that says nothing: we send
    in its place, with its own session, and look at what we read."""
    http: URLLib3Session = client._endpoint.http_session
    is_json = client.meta.service_model.resolved_protocol == "json"

    def send(request: Any, **_: object) -> Any:
        request.stream_output = True
        answer = http.send(request)
        answer._content = body = _read(answer)
        if is_json and body and not _is_object(body):
            raise ForeignAnswerError(answer.status_code)
        return answer

    client.meta.events.register("before-send", send)


def _is_object(body: bytes) -> bool:
    try:
        msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return False
    return True


def _read(answer: Any) -> bytes:
    """Raises HTTPClientError where it is cut short, or longer than anything that is asked for."""
    parts, size = [], 0
    try:
        for part in answer.raw.stream(_CHUNK):
            size += len(part)
            if size > BODY:
                break
            parts.append(part)
    except Exception as error:  # urllib3's, whichever
        raise library.HTTPClientError(error=type(error).__name__) from None
    length = answer.headers.get("Content-Length")
    if size > BODY or (length is not None and length != str(size)):
        answer.raw.close()
        raise library.HTTPClientError(error="not a whole answer")
    return b"".join(parts)


def _told(error: Exception, action: str) -> ApiError:
    if isinstance(error, library.ClientError):
        return error_of_response(error.response, action)
    name = type(error).__name__
    if isinstance(error, _WITHOUT_CREDENTIALS):
        return ApiError(Kind.CREDENTIALS, action, name, f"no usable AWS credentials were found ({name})")
    if isinstance(error, library.ParamValidationError):
        return ApiError(Kind.REFUSED, action, "ValidationError", scrub(str(error)))
    if isinstance(error, library.SSLError):
        words = "the connection's certificate is not trusted; AWS_CA_BUNDLE names the certificates that are"
        return ApiError(Kind.REFUSED, action, name, words)
    if isinstance(error, ForeignAnswerError):
        status = error.args[0]
        kind = Kind.UNAVAILABLE if status >= 500 else Kind.REFUSED
        return ApiError(kind, action, f"HTTP {status}", "what answered is not AWS but something on the way to it")
    if isinstance(error, library.HTTPClientError | library.ConnectionError | OSError):
        return ApiError(Kind.SILENT, action, name, f"{_host(error)} did not answer ({name})")
    if isinstance(error, library.BotoCoreError):
        return ApiError(Kind.REFUSED, action, name, "the AWS configuration does not allow this call")
    # The request was made, so what is wrong is the answer, whatever botocore's parsers stumble over in it.
    return ApiError(Kind.UNAVAILABLE, action, name, "the answer is not one of AWS")


def _host(error: Exception) -> str:
    """The host alone: a URL may hold a login."""
    url = getattr(error, "kwargs", {}).get("endpoint_url") or ""
    try:
        return urlsplit(str(url)).hostname or "AWS"
    except ValueError:
        return "AWS"


def error_of_response(response: Mapping[str, Any], action: str) -> ApiError:
    """Classify an error that AWS answered, in the shape of botocore's `ClientError.response`."""
    told = response.get("Error", {})
    code, words = scrub(str(told.get("Code", ""))) or "an error without a code", scrub(str(told.get("Message", "")))
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    kind = _KINDS.get(failure_of_code(code, control_plane=True))
    if kind is None and _THROTTLED_BEHIND.search(words):
        kind = Kind.THROTTLED
    if kind is None:
        kind = Kind.UNAVAILABLE if isinstance(status, int) and status >= 500 else Kind.REFUSED
    if kind is Kind.CREDENTIALS:
        words = f"AWS does not accept the credentials ({code})"
    named = _NOT_AUTHORIZED.search(str(told.get("Message", ""))[:2000]) if kind is Kind.DENIED else None
    return ApiError(kind, named[1] if named else action, code, words)

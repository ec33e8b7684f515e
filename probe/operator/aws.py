"""Calls to AWS's API with botocore's clients, and the classification of their errors.

No call is retried here, and none sleeps: the caller knows how much time is left. Of an error only its kind, its code
and AWS's own sentence, scrubbed, leave this module; never a library's text about credentials or a URL.
"""

from __future__ import annotations

import gc
import re
import threading
from collections.abc import Collection, Iterator, Mapping
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
from probe.operator.service_models import ReducedLoader
from probe.safe_words import quoted, scrub
from probe.wire.aws_errors import failure_of_code

CONNECT_TIMEOUT, READ_TIMEOUT = 5.0, 20.0  # seconds
MAX_BODY = 8 * 1024 * 1024  # bytes; the largest expected reply, a page of log events, has 1 MiB
MAX_PAGES = 1000  # of one reply
POLICY = "task-definitions/iam/operator-smoke.json"
_CHUNK = 64 * 1024


class Kind(StrEnum):
    """What the caller can do about an error."""

    THROTTLED = "throttled"
    UNAVAILABLE = "unavailable"  # a server error, or a reply that is not AWS's
    NO_REPLY = "no reply"  # the call may have been carried out
    DENIED = "denied"
    CREDENTIALS = "credentials"
    UNSUPPORTED = "unsupported"  # the service is not in this Region
    TOO_LARGE = "too large"  # more pages than are read
    REFUSED = "refused"  # the request is wrong: an unknown name, an invalid value


TEMPORARY = (Kind.THROTTLED, Kind.UNAVAILABLE, Kind.NO_REPLY)


class ApiError(Exception):
    """The only exception of a call. `action` is IAM's name of the call, or of the permission that is missing."""

    def __init__(self, kind: Kind, action: str, code: str, text: str) -> None:
        self.kind = kind
        self.action = action
        self.code = code
        self.text = text
        super().__init__(kind, action, code, text)

    def __str__(self) -> str:
        match self.kind:
            case Kind.DENIED:
                return f"{self.action} is not allowed: {self.text}"
            case Kind.CREDENTIALS | Kind.NO_REPLY | Kind.TOO_LARGE:
                return f"{self.action}: {self.text}"
            case _:
                return f"{self.action}: {self.code}: {self.text}" if self.text else f"{self.action}: {self.code}"


class ForeignReplyError(Exception):
    """The reply is not AWS's, but that of a proxy or a captive portal. `args` contain the HTTP status."""


# The kind for each failure in the table of `wire.aws_errors`. A code that is not in that table is REFUSED.
_KINDS: Mapping[Failure | None, Kind] = {
    Failure.DENIED: Kind.DENIED,
    Failure.UNAUTHENTICATED: Kind.CREDENTIALS,
    Failure.CLOCK: Kind.CREDENTIALS,
    Failure.THROTTLED: Kind.THROTTLED,
    Failure.SERVER_ERROR: Kind.UNAVAILABLE,
}
# ECS calls EC2, and reports EC2's errors as an InvalidParameterException: "Error retrieving security group information
# for [sg-…]: Request limit exceeded. (ErrorCode: RequestLimitExceeded)".
_THROTTLED_BY_EC2 = re.compile(r"RequestLimitExceeded|Rate exceeded|Throttling", re.IGNORECASE)
# "Signature expired: 20261130T000000Z is now earlier than ...", "Signature not yet current: ..."
_OF_CLOCK = re.compile(r"^Signature (?:expired|not yet current)")
_NOT_AUTHORIZED = re.compile(r"not authorized to perform:? (\w+:\w+)")
_WITHOUT_CREDENTIALS = (
    library.NoCredentialsError,
    library.PartialCredentialsError,
    library.CredentialRetrievalError,
    library.InvalidConfigError,
    library.ConfigNotFound,
)
# SSOTokenLoadError and UnauthorizedSSOTokenError are SSOErrors.
_OF_SIGN_IN = (library.SSOError, library.TokenRetrievalError, library.NoAuthTokenError)


_WITHOUT_ENDPOINT = (library.EndpointProviderError, library.BaseEndpointResolverError)


class Account:
    """The account and region of the configured credentials. Several threads may make calls."""

    def __init__(
        self,
        *,
        region: str | None,
        profile: str | None,
        concurrent_calls: int = 1,
        attempts: int = 1,
        operations: Mapping[str, Collection[str]] | None = None,
    ) -> None:
        """`attempts`: how often botocore's standard mode may send a call. `operations`, by service: the only ones that
        can be called; None: all. Raises UsageError."""
        self._session = _make_session(profile)
        region = region or _configured(self._session, "region")
        if not region:
            raise UsageError(
                "no region is configured; give --region (ECR_PROBE_REGION) or set AWS_REGION, "
                "for example --region eu-west-1"
            )
        self.region = str(region)
        self._concurrent_calls = concurrent_calls
        # AWS_MAX_ATTEMPTS and AWS_RETRY_MODE count where calls only read; those that change something have one attempt.
        configured = _configured(self._session, "max_attempts") if attempts > 1 else None
        mode = _configured(self._session, "retry_mode") if attempts > 1 else "standard"
        self._retries = {
            "total_max_attempts": configured or attempts,
            "mode": "adaptive" if mode == "adaptive" else "standard",
        }
        self._is_reduced = operations is not None
        if operations is not None:
            # One for all clients, since what it keeps is small, and it lists the folder of all services only once.
            loader = create_loader(self._session.get_config_variable("data_path"))
            self._session.register_component("data_loader", ReducedLoader(loader, operations))
        self._lock = threading.Lock()
        self._clients: dict[tuple[str, str], Any] = {}

    def call(self, action: str, *, region: str | None = None, **parameters: Any) -> dict[str, Any]:
        """Make one call, such as "ecs:RunTask". Raises ApiError."""
        service, _, operation = action.partition(":")
        try:
            client = self._client(service, region or self.region)
            return dict(getattr(client, xform_name(operation))(**parameters))
        except Exception as error:
            raise _classify(error, action) from None

    def pages(self, action: str, *, region: str | None = None, **parameters: Any) -> Iterator[dict[str, Any]]:
        """The pages of a reply, in order. Raises ApiError."""
        service, _, operation = action.partition(":")
        region = region or self.region
        try:
            client = self._client(service, region)
            for number, page in enumerate(_pages(client, operation, parameters)):
                if number == MAX_PAGES:
                    text = f"the reply has more than {MAX_PAGES} pages"
                    raise ApiError(Kind.TOO_LARGE, action, Kind.TOO_LARGE, text)
                yield dict(page)
        except ApiError:
            raise
        except Exception as error:
            if isinstance(error, _WITHOUT_ENDPOINT) or (
                _is_unresolved(error) and not self._is_offered(service, region)
            ):
                text = f"{service} has no endpoint in {region}"
                raise ApiError(Kind.UNSUPPORTED, action, type(error).__name__, text) from None
            raise _classify(error, action) from None

    def _is_offered(self, service: str, region: str) -> bool:
        """Whether botocore's table has the service in this Region; of a Region that it does not know, True."""
        partition = self._session.get_partition_for_region(region)
        regions = set(self._session.get_available_regions(service, partition))
        known = self._session.get_available_regions("ec2", partition)
        return region in regions or region not in known or not regions

    def forget(self, service: str) -> None:
        """Free the memory of a service that is not called again: EC2's description alone takes 20 MiB."""
        with self._lock:
            self._clients = {key: client for key, client in self._clients.items() if key[0] != service}
        gc.collect()

    def _client(self, service: str, region: str) -> Any:
        with self._lock:
            if (service, region) not in self._clients:
                self._clients[service, region] = self._make_client(service, region)
            return self._clients[service, region]

    def _make_client(self, service: str, region: str) -> Any:
        config = Config(
            connect_timeout=CONNECT_TIMEOUT,
            read_timeout=READ_TIMEOUT,
            retries=self._retries,
            max_pool_connections=self._concurrent_calls,
            user_agent_extra=f"ecr-probe/{__version__}",
        )
        if not self._is_reduced:
            # Each client gets its own loader: the session's would keep the descriptions of all services in memory.
            loader = create_loader(self._session.get_config_variable("data_path"))
            self._session.register_component("data_loader", loader)
        client = self._session.create_client(service, region_name=region, config=config)
        _check_replies(client)
        return client


def _pages(client: Any, operation: str, parameters: dict[str, Any]) -> Iterator[dict[str, Any]]:
    name = xform_name(operation)
    if client.can_paginate(name):
        yield from client.get_paginator(name).paginate(**parameters)
        return
    # botocore has no paginator for some operations with pages, such as route53:ListHostedZonesByVPC.
    model = client.meta.service_model.operation_model(operation)
    own, next_own = (set(shape.members) if shape else set() for shape in (model.input_shape, model.output_shape))
    token = next((name for name in ("NextToken", "nextToken") if name in own & next_own), None)
    page = getattr(client, name)(**parameters)
    yield page
    while token is not None and page.get(token):
        page = getattr(client, name)(**parameters, **{token: page[token]})
        yield page


def _is_unresolved(error: Exception) -> bool:
    """Whether the name of the service's host does not resolve."""
    cause = getattr(error, "kwargs", {}).get("error")  # urllib3's
    return isinstance(error, library.EndpointConnectionError) and type(cause).__name__ == "NameResolutionError"


def _make_session(profile: str | None) -> Any:
    try:
        session = botocore.session.Session(profile=profile)
        session.get_scoped_config()  # raises where the profile does not exist
    except library.ProfileNotFound:
        named = f"--profile (ECR_PROBE_PROFILE): {quoted(profile)}" if profile else "AWS_PROFILE names one that"
        raise UsageError(f"{named} is not in the AWS CLI's files; for example --profile default") from None
    except library.BotoCoreError as error:
        raise UsageError(f"the AWS CLI's files cannot be read: {type(error).__name__}") from None
    return session


def _configured(session: Any, name: str) -> Any:
    try:
        return session.get_config_variable(name)
    except (library.BotoCoreError, ValueError) as error:
        raise UsageError(f"the AWS CLI's files cannot be read: {type(error).__name__}") from None


def _check_replies(client: Any) -> None:
    """Send requests ourselves, with botocore's HTTP session, and check the replies. botocore would read a body of any
    size, and accept a block page as an empty reply."""
    http: URLLib3Session = client._endpoint.http_session
    is_json = client.meta.service_model.resolved_protocol == "json"

    def send(request: Any, **_: object) -> Any:
        request.stream_output = True
        reply = http.send(request)
        reply._content = body = _read_body(reply)
        if is_json and body and not _is_object(body):
            raise ForeignReplyError(reply.status_code)
        return reply

    client.meta.events.register("before-send", send)


def _is_object(body: bytes) -> bool:
    try:
        msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return False
    return True


def _read_body(reply: Any) -> bytes:
    """Raises HTTPClientError where the body is truncated or larger than any expected reply."""
    chunks, size = [], 0
    try:
        for chunk in reply.raw.stream(_CHUNK):
            size += len(chunk)
            if size > MAX_BODY:
                break
            chunks.append(chunk)
    except Exception as error:  # any of urllib3's
        raise library.HTTPClientError(error=type(error).__name__) from None
    length = reply.headers.get("Content-Length")
    if size > MAX_BODY or (length is not None and length != str(size)):
        reply.raw.close()
        raise library.HTTPClientError(error="an incomplete reply")
    return b"".join(chunks)


def _classify(error: Exception, action: str) -> ApiError:
    if isinstance(error, library.ClientError):
        return error_of_response(error.response, action)
    name = type(error).__name__
    if isinstance(error, _OF_SIGN_IN):
        text = f"the sign-in of IAM Identity Center has expired ({name}); aws sso login renews it"
        return ApiError(Kind.CREDENTIALS, action, name, text)
    if isinstance(error, _WITHOUT_CREDENTIALS):
        return ApiError(Kind.CREDENTIALS, action, name, f"no usable AWS credentials were found ({name})")
    if isinstance(error, library.ParamValidationError):
        return ApiError(Kind.REFUSED, action, "ValidationError", scrub(str(error)))
    if isinstance(error, library.SSLError):
        text = "the connection's certificate is not trusted; AWS_CA_BUNDLE names a file of trusted certificates"
        return ApiError(Kind.REFUSED, action, name, text)
    if isinstance(error, ForeignReplyError):
        status = error.args[0]
        kind = Kind.UNAVAILABLE if status >= 500 else Kind.REFUSED
        return ApiError(kind, action, f"HTTP {status}", "the reply comes from something between here and AWS")
    if isinstance(error, library.HTTPClientError | library.ConnectionError | OSError):
        return ApiError(Kind.NO_REPLY, action, name, f"{_host(error)} did not answer ({name})")
    if isinstance(error, library.BotoCoreError):
        return ApiError(Kind.REFUSED, action, name, "the AWS configuration does not allow this call")
    # The request was sent, so the error is one of botocore's parsers, and the reply is wrong.
    return ApiError(Kind.UNAVAILABLE, action, name, "the reply is not one of AWS")


def _host(error: Exception) -> str:
    """Only the host, since a URL may contain a login."""
    url = getattr(error, "kwargs", {}).get("endpoint_url") or ""
    try:
        return urlsplit(str(url)).hostname or "AWS"
    except ValueError:
        return "AWS"


def _is_quota(code: str, action: str) -> bool:
    """With CloudFormation and ECR this code is a quota, which no retry passes: AWS[limit-exceeded-quota]."""
    return code.startswith("LimitExceeded") and action.startswith(("cloudformation:", "ecr:"))


def error_of_response(response: Mapping[str, Any], action: str) -> ApiError:
    """Classify an error reply of AWS, in the form of botocore's `ClientError.response`."""
    error = response.get("Error", {})
    code, message = scrub(str(error.get("Code", ""))) or "an error without a code", str(error.get("Message", ""))
    text = scrub(message)
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    failure = None if _is_quota(code, action) else failure_of_code(code, control_plane=True)
    kind = _KINDS.get(failure)
    if kind is None and _THROTTLED_BY_EC2.search(text):
        kind = Kind.THROTTLED
    if kind is None:
        kind = Kind.UNAVAILABLE if isinstance(status, int) and status >= 500 else Kind.REFUSED
    if kind is Kind.CREDENTIALS:
        if code == "RequestExpired":  # EC2's for both
            text = f"the AWS credentials have expired, or this machine's clock is wrong ({code})"
        elif failure is Failure.CLOCK or _OF_CLOCK.search(message):
            text = f"AWS does not accept the time of the request, so this machine's clock is wrong ({code})"
        elif code.startswith("ExpiredToken"):
            text = f"the AWS credentials have expired ({code})"
        else:
            text = f"AWS does not accept the credentials ({code})"
    denied = _NOT_AUTHORIZED.search(message[:2000]) if kind is Kind.DENIED else None
    return ApiError(kind, denied[1] if denied else action, code, text)

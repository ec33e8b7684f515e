"""Error messages of every client: the failure that each means, also behind the headlines of others."""

from __future__ import annotations

import errno
import os
import time

import pytest

from probe.explain.error_patterns import Weight, deciding_match
from probe.model import Action, Failure
from tests.explain.client_messages import (
    ALL,
    BOTOCORE,
    DEPLOYMENTS,
    HEADLINES,
    HELPERS,
    MESSAGES,
    UNPACKING,
    WAITING,
    WRAPPING,
)
from tests.explain.registry_messages import STORING


@pytest.mark.parametrize(("message", "failure", "about"), MESSAGES, ids=lambda value: str(value)[:60])
def test_the_message_means_the_failure(message: str, failure: Failure, about: Action | str | None) -> None:
    for headline in HEADLINES:
        match = deciding_match(headline + message)
        assert match is not None
        assert (match.failure, match.subject or match.action) == (failure, about)


@pytest.mark.parametrize("message", UNPACKING)
def test_a_layer_cannot_be_unpacked(message: str) -> None:
    match = deciding_match(message)
    assert match is not None
    assert (match.subject, match.weight) == ("unpack", Weight.WEAK)
    more_specific = deciding_match(f"{message}: read tcp 10.0.0.1:9->10.0.0.9:443: read: connection reset by peer")
    assert more_specific is not None
    assert more_specific.failure is Failure.RESET


@pytest.mark.parametrize(("message", "failure"), HELPERS)
def test_a_helper_returns_no_credentials(message: str, failure: Failure) -> None:
    match = deciding_match(message)
    assert match is not None
    assert match.subject in ("helper-failed", "provider-failed")
    assert match.failure is failure
    more_specific = deciding_match(f"{message}: dial tcp 10.0.0.9:443: i/o timeout")
    assert more_specific is not None
    assert more_specific.action is Action.TCP


@pytest.mark.parametrize(("messages", "weight"), [(WAITING, Weight.WEAK), (WRAPPING, Weight.WRAPPING)])
def test_a_client_stopped_waiting(messages: tuple[str, ...], weight: Weight) -> None:
    for message in messages:
        match = deciding_match(message)
        assert match is not None
        assert (match.failure, match.action, match.weight) == (Failure.TIMEOUT, Action.TCP, weight)


@pytest.mark.parametrize(("message", "subject"), [(message, "login-store") for message in STORING])
def test_words_in_front_of_a_reason_yield_to_it(message: str, subject: str) -> None:
    match = deciding_match(message)
    assert match is not None
    assert (match.subject, match.weight) == (subject, Weight.WEAK)
    more_specific = deciding_match(f"dial tcp 10.0.0.9:443: i/o timeout {message}")
    assert more_specific is not None
    assert more_specific.action is Action.TCP


@pytest.mark.parametrize("message", DEPLOYMENTS)
def test_a_deployment_reports_no_reason(message: str) -> None:
    match = deciding_match(message)
    assert match is not None
    assert (match.subject, match.weight) == ("no-reason", Weight.FAINT)


# ---- finite lists ---------------------------------------------------------------------------------------------------

# Codes that a socket or a disk can return, and what they mean behind "dial tcp …: connect: " or alone.
SOCKET_ERRORS = {
    errno.ECONNREFUSED: Failure.REFUSED,
    errno.ECONNRESET: Failure.RESET,
    errno.ECONNABORTED: Failure.RESET,
    errno.EPIPE: Failure.RESET,
    errno.ENETRESET: Failure.RESET,
    errno.ETIMEDOUT: Failure.TIMEOUT,
    errno.ENETUNREACH: Failure.UNREACHABLE,
    errno.EHOSTUNREACH: Failure.UNREACHABLE,
    errno.ENETDOWN: Failure.UNREACHABLE,
    errno.EHOSTDOWN: Failure.UNREACHABLE,
    errno.EADDRNOTAVAIL: Failure.UNREACHABLE,
    errno.EAFNOSUPPORT: Failure.UNREACHABLE,
    errno.EACCES: Failure.PROHIBITED,
    errno.EPERM: Failure.PROHIBITED,
}
HOST_ERRORS = {
    errno.ENOSPC: "disk",
    errno.EDQUOT: "disk",
    errno.EIO: "unpack",
    errno.EROFS: "unpack",
    errno.ENOMEM: "unpack",
    errno.EMFILE: "unpack",
    errno.EUCLEAN: "unpack",
    errno.ESTALE: "unpack",
    errno.EMLINK: "unpack",
    errno.EOPNOTSUPP: "unpack",
    errno.ENOEXEC: "exec",
}


@pytest.mark.parametrize("code", sorted(errno.errorcode))
def test_every_error_of_the_system_is_known_or_left_out_on_purpose(code: int) -> None:
    message = os.strerror(code)
    if code in SOCKET_ERRORS:
        match = deciding_match(f"dial tcp 10.0.0.9:443: connect: {message}")
        assert match is not None
        assert (match.failure, match.action) == (SOCKET_ERRORS[code], Action.TCP)
    elif code in HOST_ERRORS:
        match = deciding_match(f"failed to extract layer sha256:1: {message}")
        assert match is not None
        assert match.subject == HOST_ERRORS[code]
    else:
        # Errors of files and programs: the headline decides, and says that a layer could not be unpacked.
        match = deciding_match(f"failed to extract layer sha256:1: {message}")
        assert match is not None
        assert match.subject == "unpack"


# Errors in the use of the library, of S3's own features, of retries and configuration that no text about a pull has.
UNCLASSIFIED = {
    "AliasConflictParameterError",
    "AwsChunkedWrapperError",
    "ApiVersionNotFoundError",
    "BotoCoreError",
    "CapacityNotAvailableError",
    "BaseEndpointResolverError",
    "DataNotFoundError",
    "EndpointProviderError",
    "EndpointResolutionError",
    "FlexibleChecksumError",
    "HTTPClientError",
    "InfiniteLoopConfigError",
    "InvalidChecksumConfigError",
    "InvalidConfigError",
    "InvalidDNSNameError",
    "InvalidEndpointDiscoveryConfigurationError",
    "InvalidExpressionError",
    "InvalidHostLabelError",
    "InvalidMaxRetryAttemptsError",
    "InvalidRetryConfigurationError",
    "InvalidRetryModeError",
    "InvalidS3AddressingStyleError",
    "InvalidS3UsEast1RegionalEndpointConfigError",
    "InvalidSTSRegionalEndpointsConfigError",
    "LoginAuthorizationCodeError",
    "LoginError",
    "LoginInsufficientPermissions",
    "MD5UnavailableError",
    "MissingDependencyException",
    "MissingParametersError",
    "OperationNotPageableError",
    "PaginationError",
    "RangeError",
    "RefreshWithMFAUnsupportedError",
    "SSOError",
    "StubAssertionError",
    "StubResponseError",
    "UnStubbedResponseError",
    "UnknownClientMethodError",
    "UnknownEndpointResolutionBuiltInName",
    "UnknownCredentialError",
    "UnknownKeyError",
    "UnknownParameterError",
    "UnknownServiceError",
    "UnknownServiceStyle",
    "UnknownSignatureVersionError",
    "UnknownTokenProviderError",
    "UnseekableStreamError",
    "UnsupportedOutpostResourceError",
    "UnsupportedS3AccesspointConfigurationError",
    "UnsupportedServiceProtocolsError",
    "UnsupportedS3ArnError",
    "UnsupportedS3ConfigurationError",
    "UnsupportedS3ControlArnError",
    "UnsupportedS3ControlConfigurationError",
    "UnsupportedSignatureVersionError",
    "ValidationError",
    "WaiterConfigError",
    "WaiterError",
}


@pytest.mark.parametrize("name", sorted(BOTOCORE))
def test_every_error_of_botocore_is_known_or_left_out_on_purpose(name: str) -> None:
    assert (deciding_match(BOTOCORE[name]) is not None) != (name in UNCLASSIFIED)


def test_only_existing_errors_of_botocore_are_left_out() -> None:
    assert UNCLASSIFIED - set(BOTOCORE) == set()


@pytest.mark.parametrize("filler", [" ", "a", "(", '"', "x.", "://", "1 ", "sha256:", "failed to ", "lookup a.", ": "])
def test_no_pattern_is_slow_on_repetitive_text(filler: str) -> None:
    text = (filler * 8000)[:8000]
    begin = time.process_time()
    for message in ALL[::40]:
        deciding_match(text + message)
    assert time.process_time() - begin < 60  # seconds: exponential time would take hours

"""The errors of the network libraries, translated: WireError is the only exception that leaves this package.

A step can fail in each phase of its round trip, and in each phase in few ways:

    Failure
    ├── name        NXDOMAIN, NO_ADDRESS, SERVFAIL, REFUSED_QUERY, NO_ANSWER, UNREACHABLE
    ├── connection  TIMEOUT, REFUSED, RESET, UNREACHABLE, PROHIBITED
    ├── TLS         TLS_STALL, TLS_RESET, NOT_TLS, UNTRUSTED, WRONG_NAME, EXPIRED
    ├── HTTP        TIMEOUT, STALLED, RESET, TRUNCATED, TOO_LARGE
    ├── answer      UNAUTHENTICATED, DENIED, NOT_FOUND, THROTTLED, SERVER_ERROR, REDIRECT, CLOCK, NOT_AWS
    ├── body        STALLED, RESET, TRUNCATED, TOO_LARGE, BAD_DIGEST
    ├── task        NO_CREDENTIALS, NO_PLATFORM
    └── any phase   MALFORMED, NO_RESOURCES, DEADLINE, BUG

The table below names exception classes as text, so that no library is imported to read it. What an answer of AWS means
is in `answers` and `aws_errors`.
"""

from __future__ import annotations

import errno
import ssl
from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING

from probe.model import AnySeen, Failure
from probe.safe_words import scrub
from probe.shortage import is_shortage

if TYPE_CHECKING:
    from probe.wire.names import Lookup


class WireError(Exception):
    """A failure, the original error text (scrubbed), and the facts seen before it.

    `lookup` is the name server's answer, if there was one but it contains no address.
    """

    def __init__(
        self, failure: Failure, detail: str | None = None, *, seen: AnySeen | None = None, lookup: Lookup | None = None
    ) -> None:
        self.failure = failure
        self.detail = scrub(detail or "") or None
        self.seen = seen
        self.lookup = lookup
        super().__init__(failure, self.detail)

    def __str__(self) -> str:
        return f"{self.failure}: {self.detail}" if self.detail else str(self.failure)

    def with_seen(self, seen: AnySeen) -> WireError:
        """Return the same failure with `seen` as the facts of the step."""
        return WireError(self.failure, self.detail, seen=seen, lookup=self.lookup)


class Phase(StrEnum):
    """What a library was doing when it raised. The same exception is another Failure in another phase."""

    NAME = "name"
    CONNECT = "connect"
    TLS = "tls"
    HTTP = "http"
    BODY = "body"


# ---- tables ----------------------------------------------------------------------------------------------------------

_BY_ERRNO = {
    errno.ECONNREFUSED: Failure.REFUSED,
    errno.ECONNRESET: Failure.RESET,
    errno.ECONNABORTED: Failure.RESET,
    errno.EPIPE: Failure.RESET,
    errno.ENOTCONN: Failure.RESET,
    errno.ETIMEDOUT: Failure.TIMEOUT,
    errno.ENETUNREACH: Failure.UNREACHABLE,
    errno.EHOSTUNREACH: Failure.UNREACHABLE,
    errno.ENETDOWN: Failure.UNREACHABLE,
    errno.EHOSTDOWN: Failure.UNREACHABLE,
    errno.EADDRNOTAVAIL: Failure.UNREACHABLE,  # IPv6 switched off on the host
    errno.EINVAL: Failure.UNREACHABLE,  # a blackhole route
    errno.EAFNOSUPPORT: Failure.UNREACHABLE,
    errno.EACCES: Failure.PROHIBITED,  # ICMPv6 administratively prohibited, or a local rule
    errno.EPERM: Failure.PROHIBITED,  # a local firewall rule
}

_BY_CLASS = {
    "builtins.TimeoutError": Failure.TIMEOUT,
    "builtins.ConnectionRefusedError": Failure.REFUSED,
    "builtins.ConnectionError": Failure.RESET,
    "builtins.PermissionError": Failure.PROHIBITED,
    "builtins.OSError": Failure.UNREACHABLE,  # an errno that _BY_ERRNO does not list
    "socket.gaierror": Failure.MALFORMED,  # it is called with numeric addresses only
    "ssl.SSLCertVerificationError": Failure.UNTRUSTED,
    "ssl.SSLZeroReturnError": Failure.RESET,
    "ssl.SSLEOFError": Failure.RESET,
    "ssl.SSLError": Failure.RESET,
    "ssl.CertificateError": Failure.UNTRUSTED,
    "http.client.RemoteDisconnected": Failure.RESET,
    "http.client.IncompleteRead": Failure.TRUNCATED,
    "http.client.HTTPException": Failure.MALFORMED,
    "urllib3.exceptions.NewConnectionError": Failure.UNREACHABLE,
    "urllib3.exceptions.TimeoutError": Failure.TIMEOUT,
    "urllib3.exceptions.ReadTimeoutError": Failure.STALLED,
    "urllib3.exceptions.IncompleteRead": Failure.TRUNCATED,
    "urllib3.exceptions.SSLError": Failure.RESET,
    "urllib3.exceptions.ProtocolError": Failure.RESET,
    "urllib3.exceptions.ClosedPoolError": Failure.RESET,
    "urllib3.exceptions.EmptyPoolError": Failure.RESET,
    "urllib3.exceptions.InvalidChunkLength": Failure.MALFORMED,
    "urllib3.exceptions.ProxySchemeUnsupported": Failure.MALFORMED,
    "urllib3.exceptions.HTTPError": Failure.MALFORMED,
    "urllib3.exceptions.HTTPWarning": Failure.MALFORMED,
    "requests.exceptions.SSLError": Failure.RESET,
    "requests.exceptions.ConnectTimeout": Failure.TIMEOUT,
    "requests.exceptions.ReadTimeout": Failure.STALLED,
    "requests.exceptions.Timeout": Failure.TIMEOUT,
    "requests.exceptions.ChunkedEncodingError": Failure.TRUNCATED,
    "requests.exceptions.ConnectionError": Failure.RESET,
    "requests.exceptions.RequestException": Failure.MALFORMED,
    "requests.exceptions.RequestsWarning": Failure.MALFORMED,
    "dns.exception.Timeout": Failure.TIMEOUT,
    "dns.exception.DNSException": Failure.MALFORMED,
    "msgspec.MsgspecError": Failure.MALFORMED,
    "json.decoder.JSONDecodeError": Failure.MALFORMED,
    "simplejson.errors.JSONDecodeError": Failure.MALFORMED,  # requests raises it if simplejson is installed
    "email.errors.MessageDefect": Failure.MALFORMED,
    "builtins.UnicodeError": Failure.MALFORMED,
}

# The same failure has another name in another phase.
_BY_PHASE = {
    Phase.NAME: {
        Failure.TIMEOUT: Failure.NO_ANSWER,
        Failure.STALLED: Failure.NO_ANSWER,
        Failure.REFUSED: Failure.NO_ANSWER,
        Failure.RESET: Failure.NO_ANSWER,
        Failure.TRUNCATED: Failure.NO_ANSWER,
        Failure.PROHIBITED: Failure.UNREACHABLE,
    },
    Phase.CONNECT: {},
    Phase.TLS: {
        Failure.TIMEOUT: Failure.TLS_STALL,
        Failure.STALLED: Failure.TLS_STALL,
        Failure.RESET: Failure.TLS_RESET,
        Failure.REFUSED: Failure.TLS_RESET,
    },
    Phase.HTTP: {},
    Phase.BODY: {Failure.TIMEOUT: Failure.STALLED},
}

# X509_V_ERR_* of OpenSSL (x509_vfy.h).
_BY_VERIFICATION = {
    9: Failure.EXPIRED,  # not yet valid
    10: Failure.EXPIRED,
    62: Failure.WRONG_NAME,  # host name mismatch
    64: Failure.WRONG_NAME,  # address mismatch
}

# OpenSSL's reasons for bytes that are not a TLS record.
_NOT_TLS = (
    "WRONG_VERSION_NUMBER",
    "HTTP_REQUEST",
    "HTTPS_PROXY_REQUEST",
    "UNKNOWN_PROTOCOL",
    "PACKET_LENGTH_TOO_LONG",
    "RECORD_TOO_SMALL",
    "BAD_RECORD_TYPE",
    "UNEXPECTED_MESSAGE",
    "UNEXPECTED_RECORD",
)


def failure_of(error: BaseException, *, phase: Phase) -> Failure:
    """The failure for a library's exception, by the innermost exception that the tables list; otherwise BUG."""
    if is_shortage(error):
        return Failure.NO_RESOURCES
    failures = (_own_failure(inner, phase) for inner in reversed(list(_chain(error))))
    failure = next((failure for failure in failures if failure is not None), Failure.BUG)
    return _BY_PHASE[phase].get(failure, failure)


def wire_error(error: BaseException, *, phase: Phase, about: str = "") -> WireError:
    """`error` as a WireError with its original text. A WireError inside it is returned unchanged."""
    chain = list(_chain(error))
    ours = next((inner for inner in chain if isinstance(inner, WireError)), None)
    if ours is not None:
        return ours
    text = _error_text(chain[-1])
    return WireError(failure_of(error, phase=phase), f"{about}: {text}" if about else text)


def _own_failure(error: BaseException, phase: Phase) -> Failure | None:
    """The failure for this exception alone, without those inside it; None if the tables do not list it."""
    if isinstance(error, WireError):
        return error.failure
    if isinstance(error, ssl.SSLCertVerificationError):
        return _BY_VERIFICATION.get(getattr(error, "verify_code", 0), Failure.UNTRUSTED)
    if isinstance(error, ssl.SSLError):
        if phase is Phase.TLS and getattr(error, "reason", None) in _NOT_TLS:
            return Failure.NOT_TLS
    elif isinstance(error, OSError) and error.errno in _BY_ERRNO:
        return _BY_ERRNO[error.errno]
    names = (f"{base.__module__}.{base.__qualname__}" for base in type(error).__mro__)
    return next((_BY_CLASS[name] for name in names if name in _BY_CLASS), None)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """`error` and the exceptions that libraries wrapped in it, outermost first: causes, reasons, arguments."""
    visited: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in visited:
        visited.add(id(current))
        yield current
        wrapped = (current.__cause__, getattr(current, "reason", None), *current.args)
        current = next((inner for inner in wrapped if isinstance(inner, BaseException)), None)


def _error_text(error: BaseException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return getattr(error, "verify_message", "") or str(error)
    if isinstance(error, OSError) and error.strerror:
        return str(error.strerror)
    return ": ".join(part for part in (type(error).__name__, str(error)) if part)

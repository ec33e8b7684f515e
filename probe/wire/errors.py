"""Foreign errors stop here: one exception of ours, and one table from the libraries' to `Failure`.

The table names classes by text, so that reading it imports no library. What AWS means by an answer is read in
`answers`.
"""

from __future__ import annotations

import errno
import ssl
from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING

from probe.model import AnySeen, Failure
from probe.safe_words import scrub

if TYPE_CHECKING:
    from probe.wire.names import Lookup


class WireError(Exception):
    """The only exception that leaves this package: a failure word, the raw words (scrubbed), and what was seen until
    then.

    `lookup` holds a name server's answer where it was one that names no address.
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
        """The same failure, with `seen` as what the step showed."""
        return WireError(self.failure, self.detail, seen=seen, lookup=self.lookup)


class Phase(StrEnum):
    """What was being done when a library raised: the same error means different things."""

    NAME = "name"
    CONNECT = "connect"
    TLS = "tls"
    HTTP = "http"
    BODY = "body"


# ---- the table -------------------------------------------------------------------------------------------------------

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
    "builtins.OSError": Failure.UNREACHABLE,  # an errno that the table does not know: the network did not carry it
    "socket.gaierror": Failure.MALFORMED,  # only numeric addresses are given to it
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
    "simplejson.errors.JSONDecodeError": Failure.MALFORMED,  # of requests, where it is installed
    "email.errors.MessageDefect": Failure.MALFORMED,
    "builtins.UnicodeError": Failure.MALFORMED,
}

# The same failure has another name where TLS, a body or a name was under way.
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

# OpenSSL's reasons for bytes that are no TLS record at all.
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
    """The failure word for a library's error. The innermost error that the table knows decides; an unknown one is our
    bug."""
    chain = list(_chain(error))
    found = next((failure for each in reversed(chain) if (failure := _one(each, phase)) is not None), Failure.BUG)
    return _BY_PHASE[phase].get(found, found)


def wire_error(error: BaseException, *, phase: Phase, about: str = "") -> WireError:
    """`error` as a WireError, with its own words. A WireError inside it is taken as it is."""
    chain = list(_chain(error))
    ours = next((each for each in chain if isinstance(each, WireError)), None)
    if ours is not None:
        return ours
    words = _words(chain[-1])
    return WireError(failure_of(error, phase=phase), f"{about}: {words}" if about else words)


def _one(error: BaseException, phase: Phase) -> Failure | None:
    if isinstance(error, WireError):
        return error.failure
    if isinstance(error, ssl.SSLCertVerificationError):
        return _BY_VERIFICATION.get(getattr(error, "verify_code", 0), Failure.UNTRUSTED)
    if isinstance(error, ssl.SSLError):
        if phase is Phase.TLS and getattr(error, "reason", None) in _NOT_TLS:
            return Failure.NOT_TLS
    elif isinstance(error, OSError) and error.errno in _BY_ERRNO:
        return _BY_ERRNO[error.errno]
    names = (f"{kind.__module__}.{kind.__qualname__}" for kind in type(error).__mro__)
    return next((_BY_CLASS[name] for name in names if name in _BY_CLASS), None)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """`error` and the errors that libraries wrapped in it, outermost first: causes, reasons, arguments."""
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        yield following
        inside = (following.__cause__, getattr(following, "reason", None), *following.args)
        following = next((each for each in inside if isinstance(each, BaseException)), None)


def _words(error: BaseException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return getattr(error, "verify_message", "") or str(error)
    if isinstance(error, OSError) and error.strerror:
        return str(error.strerror)
    return ": ".join(part for part in (type(error).__name__, str(error)) if part)

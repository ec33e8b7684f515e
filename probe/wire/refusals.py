"""AWS's own words when it refuses, wherever they are read: error codes, the access-denied sentence, the two times of a
refused signature. Pure.

Answers to our own requests are read by `answers`; other people's error texts by `explain`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from probe.model import Denial, DenialReason, Failure
from probe.wire.errors import scrub

# Codes of the APIs, of the registry and of S3. Those of S3 and of the registry never end in "Exception"; that ending is
# cut before comparing.
_BY_CODE = {
    Failure.UNAUTHENTICATED: {
        "UnrecognizedClient",
        "ExpiredToken",
        "InvalidSignature",
        "IncompleteSignature",
        "MissingAuthenticationToken",
        "InvalidClientTokenId",
        "InvalidAccessKeyId",
        "InvalidToken",
        "SignatureDoesNotMatch",
        "UNAUTHORIZED",
    },
    Failure.CLOCK: {"RequestTimeTooSkewed", "RequestExpired"},
    Failure.DENIED: {"AccessDenied", "DENIED", "AllAccessDisabled", "UnauthorizedOperation", "NotAuthorized"},
    Failure.NOT_FOUND: {"NAME_UNKNOWN", "MANIFEST_UNKNOWN", "BLOB_UNKNOWN", "NoSuchKey", "NoSuchBucket"},
    Failure.THROTTLED: {
        "TOOMANYREQUESTS",
        "SlowDown",
        "TooManyRequests",
        "RequestLimitExceeded",
        "Throttle",
        "RequestThrottled",
    },
    Failure.SERVER_ERROR: {"Server", "InternalFailure", "InternalError", "ServiceUnavailable", "InternalServerError"},
}
_FAILURES = {code: failure for failure, codes in _BY_CODE.items() for code in codes}

_SENTENCE = re.compile(r"User: (?P<principal>\S+) is not authorized to perform: (?P<action>[\w-]+:[\w*]+)")
_REASON = re.compile(
    r"(?:because no|explicit deny in an?) (?P<reason>" + "|".join(re.escape(reason) for reason in DenialReason) + ")",
    re.IGNORECASE,
)
_REASONS = {reason.value.lower(): reason for reason in DenialReason}
# "Signature expired: <signed> is now earlier than <oldest> (<server's now> - 15 min.)"; the future's sentence has the
# same form.
_TIMES = re.compile(r"Signature (?:expired|not yet current): (\d{8}T\d{6}Z)\D+(\d{8}T\d{6}Z)(?:\s*\((\d{8}T\d{6}Z))?")


def failure_of_code(code: str, message: str) -> Failure | None:
    """The failure word for an error code; None where the code tells nothing."""
    code = code.removesuffix("Exception")
    # ECR answers an expired token with 403 and no challenge, S3 an expired URL with AccessDenied: neither is a
    # policy's.
    if code in ("DENIED", "AccessDenied") and ("token has expired" in message or "Request has expired" in message):
        return Failure.UNAUTHENTICATED
    if code in _FAILURES:
        return _FAILURES[code]
    if code.endswith("NotFound"):
        return Failure.NOT_FOUND
    return Failure.THROTTLED if code.startswith("Throttling") else None


def denial_in(message: str) -> Denial | None:
    """The access-denied sentence (IAM guide): who, what, and which kind of policy; old sentences end before the
    reason."""
    sentence = _SENTENCE.search(message)
    if sentence is None:
        return None
    return Denial(
        reason=reason_in(message[sentence.end() :]),
        explicit="explicit deny" in message,
        principal=scrub(sentence["principal"]),
        action=sentence["action"],
    )


def reason_in(message: str) -> DenialReason | None:
    """Which kind of policy refused, as the end of the sentence names it."""
    found = _REASON.search(message)
    return _REASONS[found["reason"].lower()] if found else None


def times_in(message: str) -> tuple[datetime | None, datetime | None]:
    """When the request was signed and the server's own time, from a refused signature's sentence."""
    found = _TIMES.search(message)
    if found is None:
        return None, None
    try:
        return _instant(found[1]), _instant(found[3] or found[2])
    except ValueError:
        return None, None


def _instant(text: str) -> datetime:
    return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)

"""Signature Version 4 on the service's side: recompute and compare. Written by hand from AWS's description."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from probe.sim.http import Request
from probe.sim.identity import Keys, Principal

ALGORITHM = "AWS4-HMAC-SHA256"
TOLERANCE = timedelta(minutes=15)
_STAMP = "%Y%m%dT%H%M%SZ"
_AUTHORIZATION = re.compile(
    rf"{ALGORITHM} Credential=(?P<key>[A-Z0-9]+)/(?P<scope>\d{{8}}/[a-z0-9-]+/[a-z0-9-]+/aws4_request), ?"
    r"SignedHeaders=(?P<signed>[a-z0-9;-]+), ?Signature=(?P<signature>[0-9a-f]{64})"
)


class SignatureError(Exception):
    """A rejected signature, with type and message of the JSON protocol's error (status 400)."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(kind)
        self.kind = kind
        self.message = message


def verify(
    request: Request, keys: Mapping[str, Keys], *, service: str, region: str, now: float, expired: bool
) -> Principal:
    """The principal that signed `request`. Raises SignatureError with AWS's message."""
    match = _AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    stamp = request.headers.get("x-amz-date", "")
    if match is None or not stamp:
        raise SignatureError(
            "IncompleteSignatureException",
            "Authorization header requires 'Credential', 'SignedHeaders' and 'Signature'.",
        )
    day, _, scope = match["scope"].partition("/")
    if scope != f"{region}/{service}/aws4_request" or not stamp.startswith(day):
        message = f"Credential should be scoped to a valid region and correct service: '{service}'."
        raise SignatureError("InvalidSignatureException", message)
    signer = keys.get(match["key"])
    if signer is None or request.headers.get("x-amz-security-token") != signer.token:
        # Captured: UnrecognizedClientException for unknown keys and for invalid tokens.
        raise SignatureError("UnrecognizedClientException", "The security token included in the request is invalid.")
    if expired:
        raise SignatureError("ExpiredTokenException", "The security token included in the request is expired")
    _check_time(stamp, now)
    if not hmac.compare_digest(
        _signature(request, match["signed"], stamp, match["scope"], signer.secret_key), match["signature"]
    ):
        raise SignatureError(
            "InvalidSignatureException",
            "The request signature we calculated does not match the signature you provided. "
            "Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
        )
    return signer.principal


def _check_time(stamp: str, now: float) -> None:
    """Reject a signature that is too old or too new; the message has both times and the tolerance, as captured."""
    signed = datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC)
    ours = datetime.fromtimestamp(int(now), UTC)
    if signed < ours - TOLERANCE:
        limit = f"{ours - TOLERANCE:{_STAMP}} ({ours:{_STAMP}} - 15 min.)"
        raise SignatureError("InvalidSignatureException", f"Signature expired: {stamp} is now earlier than {limit}")
    if signed > ours + TOLERANCE:
        limit = f"{ours + TOLERANCE:{_STAMP}} ({ours:{_STAMP}} + 15 min.)"
        raise SignatureError(
            "InvalidSignatureException", f"Signature not yet current: {stamp} is still later than {limit}"
        )


def _signature(request: Request, signed: str, stamp: str, scope: str, secret: str) -> str:
    names = signed.split(";")
    headers = "".join(f"{name}:{' '.join(request.headers.get(name, '').split())}\n" for name in names)
    payload = hashlib.sha256(request.body).hexdigest()
    canonical = "\n".join((request.method, request.path, "", headers, signed, payload))
    return _sign(canonical, stamp, scope, secret)


def presigned(host: str, path: str, query: Mapping[str, str], secret: str, *, method: str = "GET") -> str:
    """The signature of a presigned URL, which signs only the host header."""
    pairs = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in query.items())
    canonical_query = "&".join(f"{name}={value}" for name, value in pairs)
    canonical = "\n".join((method, path, canonical_query, f"host:{host}\n", "host", "UNSIGNED-PAYLOAD"))
    scope = query["X-Amz-Credential"].partition("/")[2]
    return _sign(canonical, query["X-Amz-Date"], scope, secret)


def stamped(now: float) -> str:
    return f"{datetime.fromtimestamp(int(now), UTC):{_STAMP}}"


def instant(stamp: str) -> float:
    return datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC).timestamp()


def _sign(canonical: str, stamp: str, scope: str, secret: str) -> str:
    text = "\n".join((ALGORITHM, stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()))
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()

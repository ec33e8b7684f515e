"""AWS's errors: HTTP statuses, error codes and access-denied messages, each mapped to a Failure or a Denial. Pure.

`answers` applies this to the responses to our own requests, `explain` to error texts, `operator.aws` to botocore's
errors. There is no other table of statuses or codes.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from probe.model import Denial, DenialReason, Failure, Topic
from probe.safe_words import cut_secrets, scrub

_BY_STATUS = {401: Failure.UNAUTHENTICATED, 403: Failure.DENIED, 404: Failure.NOT_FOUND, 429: Failure.THROTTLED}

# Codes of the APIs, the registry and S3. An ending "Exception" is removed before comparing; the registry and S3 do not
# use it.
_CODES = {
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
# Codes that are only clear in a response of ECS, EC2, CloudWatch Logs, IAM, Route 53 or Organizations (API references,
# "common errors" and the errors of operations). In an error text of unknown origin "LimitExceeded", for example, may be
# a quota.
_CONTROL_PLANE_CODES = {
    Failure.UNAUTHENTICATED: {"AuthFailure"},
    Failure.DENIED: {"AuthorizationError"},
    Failure.NOT_FOUND: {"NoSuchEntity", "NoSuchHostedZone", "AWSOrganizationsNotInUse"},
    Failure.THROTTLED: {"Throttled", "LimitExceeded"},
    Failure.SERVER_ERROR: {"Unavailable"},
}
_BY_CODE = {code: failure for failure, codes in _CODES.items() for code in codes}
_BY_CONTROL_PLANE_CODE = _BY_CODE | {code: failure for failure, codes in _CONTROL_PLANE_CODES.items() for code in codes}

_DENIAL = re.compile(r"User: (?P<principal>\S+) is not authorized to perform: (?P<action>[\w-]+:[\w*]+)")
# What follows the action. A name that is not an ARN is no resource that a policy could contain.
_RESOURCE = re.compile(r" on resource: \"?(?P<resource>\*|arn:aws[\w-]{0,20}:[\w+=,.@:/*-]{1,400})", re.ASCII)
_REASON = re.compile(
    r"(?:because no|explicit deny in an?) (?P<reason>" + "|".join(re.escape(reason) for reason in DenialReason) + ")",
    re.IGNORECASE,
)
# AWS[denial-policy-arn]
_POLICY = re.compile(r": (?P<policy>arn:aws[\w-]{0,20}:(?:iam|organizations)::[\w+=,.@:/-]{1,400})", re.ASCII)
_REASONS = {reason.value.lower(): reason for reason in DenialReason}
# The names are those of ECR's exceptions and failure codes. AWS[ecr-kms-errors], AWS[ecr-upstream-denied]; that Docker
# Hub's sentence on its limit arrives unchanged is assumed: AWS[ecr-upstream-limit].
_TOPICS = {
    Topic.UPSTREAM: re.compile(
        r"(?i)upstream[ _-]?(?:registry|image|layer|access|too|unavailable)|pull[ _-]through[ _-]cache rule"
        r"|unabletoaccesssecret|unabletodecryptsecret|secretnotfound|reached your (?:\w+ )?pull rate limit"
    ),
    # An action, the ARN of a key, or an exception: KmsException, KMS.DisabledException, KMSInvalidStateException.
    Topic.KEY: re.compile(
        r"\bkms:[A-Z]\w|:kms:[a-z]{2}-|(?i:\bkms[. _]?\w{0,40}(?:exception|error)\b|access to kms\b)"
    ),
}
# "Signature expired: <signed> is now earlier than <oldest> (<server's time> - 15 min.)". The message for a signature
# from the future has the same form.
_TIMES = re.compile(r"Signature (?:expired|not yet current): (\d{8}T\d{6}Z)\D+(\d{8}T\d{6}Z)(?:\s*\((\d{8}T\d{6}Z))?")


def failure_of_status(status: int) -> Failure:
    """The failure for an HTTP status that is not a success; MALFORMED for a status that AWS does not use for errors."""
    return Failure.SERVER_ERROR if status >= 500 else _BY_STATUS.get(status, Failure.MALFORMED)


def failure_of_code(code: str, message: str = "", *, control_plane: bool = False) -> Failure | None:
    """The failure for an error code, None for an unknown code. `control_plane` adds the codes of ECS, EC2 and Logs."""
    code = code.removesuffix("Exception")
    # AWS[ecr-expired-token]; S3 answers an expired URL with AccessDenied. No policy denies it.
    if code in ("DENIED", "AccessDenied") and ("token has expired" in message or "Request has expired" in message):
        return Failure.UNAUTHENTICATED
    by_code = _BY_CONTROL_PLANE_CODE if control_plane else _BY_CODE
    if code in by_code:
        return by_code[code]
    if code.endswith("NotFound"):
        return Failure.NOT_FOUND
    return Failure.THROTTLED if code.startswith("Throttling") else None


def topic_of(text: str) -> Topic | None:
    """What the code and message of an error concern, None for anything else."""
    return next((topic for topic, pattern in _TOPICS.items() if pattern.search(text)), None)


def denial_in(message: str) -> Denial | None:
    """The principal, the action and the kind of policy in an access-denied message AWS[denial-sentence].

    Older messages do not name the policy.
    """
    match = _DENIAL.search(message)
    if match is None:
        return None
    rest = message[match.end() :]
    resource = _RESOURCE.match(rest)
    return Denial(
        reason=reason_in(rest),
        explicit="explicit deny" in message,
        principal=scrub(match["principal"]),
        action=match["action"],
        resource=_whole(resource["resource"]) if resource else None,
        policy=_policy_in(rest),
    )


def _policy_in(text: str) -> str | None:
    """The ARN of the policy, which follows its kind in the newest messages."""
    reason = _REASON.search(text)
    match = _POLICY.match(text, reason.end()) if reason else None
    return _whole(match["policy"]) if match else None


def _whole(text: str) -> str | None:
    """The text without the punctuation behind it; None where a part of it could be a secret."""
    text = text.rstrip(".,:")
    return text if cut_secrets(text) == text else None


def reason_in(message: str) -> DenialReason | None:
    """The kind of policy that an access-denied message names."""
    match = _REASON.search(message)
    return _REASONS[match["reason"].lower()] if match else None


def times_in(message: str) -> tuple[datetime | None, datetime | None]:
    """The signing time and the server's time, from the message on a signature that was refused for its time."""
    match = _TIMES.search(message)
    if match is None:
        return None, None
    try:
        return _utc(match[1]), _utc(match[3] or match[2])
    except ValueError:
        return None, None


def _utc(text: str) -> datetime:
    return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)

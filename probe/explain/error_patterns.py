"""The table of error patterns: which wording of an error means which failure. Pure.

Go, Python, Java, Node and curl word the same error differently, and ECS puts its own headline in front. The headline is
never used for the failure: the last match with a specific reason decides, and one that only states that a client
stopped waiting is the second choice.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from enum import IntEnum

from probe.faults.registry import HIDDEN
from probe.faults.text_only import Subject
from probe.model import Action, Failure
from probe.records import Record
from probe.wire.aws_errors import failure_of_code


class Weight(IntEnum):
    """How specific a match is. FAINT: a headline's hint; WEAK: a client stopped waiting; STRONG: what happened."""

    FAINT = 0
    WEAK = 1
    STRONG = 2


class ErrorPattern(Record, frozen=True):
    """A row of the table. The pattern is matched against the record in lower case.

    `action` is set where the wording alone identifies the step that failed. `subject` is set where the error concerns
    the task, its image or its settings instead of a round trip.
    """

    failure: Failure
    pattern: re.Pattern[str]
    action: Action | None = None
    subject: Subject | None = None
    code: str | None = None
    weight: Weight = Weight.STRONG


class PatternMatch(Record, frozen=True):
    """A match in a record, with its groups. None where a group did not match."""

    failure: Failure
    weight: Weight
    begin: int
    end: int
    action: Action | None = None
    subject: Subject | None = None
    code: str | None = None
    host: str | None = None
    server: str | None = None  # the resolver that was asked
    address: str | None = None
    port: str | None = None
    platform: str | None = None
    names: str | None = None  # of a certificate, separated by commas


DOCKER_HUB = "docker hub"  # used as the code of messages that only Docker Hub sends
_IPV6 = r"\[[0-9a-f:.]{2,45}(?:%\w{1,16})?\]"
_IPV4 = r"\d{1,3}(?:\.\d{1,3}){3}"
_NAME = r"[\w.*<>-]{1,255}"
_UDP = rf"(?:read|write|dial) udp (?:\S{{1,80}}->)?(?P<server>{_IPV4}|{_IPV6}):53: "
# The remote end of a socket: an address, or the mask that replaced it before the text was posted.
_PEER = rf"(?:(?P<address>{_IPV4}|{_IPV6})|[\w.*<>…-]{{0,80}})(?::(?P<port>[\w.*]{{1,8}}))?"
_DIAL = rf"dial tcp:? ?(?:\S{{1,80}}->)?{_PEER}:? (?:connect: |connectex: )?"
_OPEN = rf"(?:read|write) tcp \S{{1,80}}->{_PEER}: (?:read: |write: )?"
_CURL = rf"failed to connect to (?P<host>{_NAME})(?: \((?P<address>{_IPV4})\))? port 443[^:]{{0,40}}: "
_JAVA = rf"connect to (?P<host>{_NAME}):443(?: \[[^\]/]{{0,255}}/(?P<address>{_IPV4})\])? failed: "
_LOOKUP = rf"lookup (?P<host>{_NAME})(?: on (?P<asked>{_IPV6}|[^\s:]{{1,80}})(?::[\w.*]{{1,8}})?)?: "
_CANCELLED = "operation was canceled|context deadline exceeded|context canceled|request canceled"
_TIMED_OUT = "(?:connection|operation|connect) timed out"
_UNREACHABLE = "network is unreachable|no route to host|cannot assign requested address|host is unreachable"


def _round_trip(
    failure: Failure, *patterns: str, action: Action | None = None, code: str | None = None
) -> ErrorPattern:
    return ErrorPattern(failure, re.compile("|".join(patterns)), action, code=code)


def _setting(subject: Subject, failure: Failure, *patterns: str) -> ErrorPattern:
    """Of a setting: it fails before, or instead of, a round trip."""
    return ErrorPattern(failure, re.compile("|".join(patterns)), Action.ENVIRONMENT, subject)


def _task_start(subject: Subject, failure: Failure, *patterns: str, weight: Weight = Weight.STRONG) -> ErrorPattern:
    """Of what ECS does with a task before or after the pull."""
    return ErrorPattern(failure, re.compile("|".join(patterns)), Action.START, subject, weight=weight)


def _no_answer(*patterns: str, weight: Weight) -> ErrorPattern:
    """Of a timeout that may be one of the lookup, the connection or the handshake."""
    return ErrorPattern(Failure.TIMEOUT, re.compile("|".join(patterns)), Action.TCP, weight=weight)


# Where matches overlap, the pattern that is listed first counts.
PATTERNS = (
    # ---- settings, and what ECS does before and after the pull
    # All that follows these words is about the proxy, also a lookup or a certificate.
    _setting(Subject.PROXY, Failure.TIMEOUT, rf"proxyconnect tcp: (?:{_DIAL})?[^\"]{{0,200}}"),
    _setting(Subject.PROXY, Failure.DENIED, "proxy authentication required"),
    _setting(
        Subject.EXECUTION_ROLE,
        Failure.NO_CREDENTIALS,
        "requires? (?:the )?task definition to have (?:an )?execution role",
    ),
    _setting(
        Subject.LOG_REGION,
        Failure.MALFORMED,
        "missingendpoint",
        "'endpoint' configuration is required",
        "missingregion",
        "could not find region configuration",
        "missing required option: awslogs-region",
    ),
    _setting(
        Subject.ENDPOINT_ZONE,
        Failure.MALFORMED,
        r"endpoint service \S{1,120} does not support the availability zone of the subnet",
    ),
    _setting(
        Subject.PRIVATE_DNS,
        Failure.MALFORMED,
        "conflicting dns domain",
        "conflictingdomainexists",
        "private-dns-enabled cannot be set because there is already",
    ),
    _setting(Subject.REFERENCE, Failure.MALFORMED, "invalid reference format", "could not parse reference"),
    _task_start(
        Subject.PLACEMENT, Failure.THROTTLED, "rate limit exceeded while attempting to create network interface"
    ),
    _task_start(
        Subject.PLACEMENT,
        Failure.TIMEOUT,
        "capacity is unavailable at this time",
        "insufficientfreeaddressesinsubnet",
        "attempting to create network interface",
        "timeout waiting for network interface provisioning",
        "was unable to place a task",
        "no container instances",
        "empty capacity provider",
        r"(?<![\w/])resource:(?:cpu|memory|eni|ports|gpu)\b",
        "taskfailedtostart: (?:agent|attribute|location)",
    ),
    _task_start(Subject.DISK, Failure.TOO_LARGE, "no space left on device", "disk quota exceeded"),
    _task_start(
        Subject.MEDIA_TYPE,
        Failure.MALFORMED,
        "no processor for media-type",
        "unsupported (?:manifest )?media ?type",
        "mediatype in manifest should be",
        "failed to get stream processor",
        "number of layers and diffids don't match",
    ),
    _task_start(Subject.EXEC, Failure.NO_PLATFORM, "exec format error"),
    _task_start(Subject.VOLUME, Failure.UNREACHABLE, "efs utils commands to set up efs volumes.*"),
    _task_start(Subject.BUILD_IMAGE, Failure.DENIED, "build_container_unable_to_pull_image"),
    _task_start(
        Subject.SECRET,
        Failure.NOT_FOUND,
        "secrets manager can't find the specified secret",
        "parameternotfound",
        "invalid ssm parameters?",
        r"retrieved secret .{0,200}did not contain json key",
    ),
    _task_start(
        Subject.TIMEOUT,
        Failure.TIMEOUT,
        r"could not transition to \w+(?:; timed out(?: after waiting \w+)?)?",
        weight=Weight.FAINT,
    ),
    _task_start(
        Subject.ENDED,
        Failure.TRUNCATED,
        "essential container in task exited",
        "failed (?:elb|container) health checks",
        r"(?<!java\.lang\.)outofmemory(?:error)?\b",
        "scaling activity initiated by",
        "task stopped by user",
        "spot (?:capacity|interruption)",
        "your spot task was",
        "(?:host|instance) .{0,80}terminated",
        weight=Weight.FAINT,
    ),
    # ---- credentials
    _round_trip(
        Failure.NO_ANSWER,
        "credentialsendpointerror",
        "failed to load credentials",
        "no ec2 imds role found",
        "ec2metadataerror",
        action=Action.CREDENTIALS,
    ),
    _round_trip(
        Failure.NO_CREDENTIALS,
        "nocredentialproviders",
        "unable to locate credentials",
        "nocredentialserror",
        "no valid (?:credential )?providers",
        action=Action.CREDENTIALS,
    ),
    # ---- names
    _round_trip(Failure.NXDOMAIN, f"{_LOOKUP}no such host", action=Action.DNS),
    _round_trip(Failure.SERVFAIL, f"{_LOOKUP}(?:server misbehaving|cannot unmarshal dns)", action=Action.DNS),
    _round_trip(Failure.NO_ADDRESS, f"{_LOOKUP}no (?:suitable )?address", action=Action.DNS),
    _round_trip(
        Failure.NO_ANSWER,
        f"{_LOOKUP}(?:{_UDP})?(?:connect: |read: )?(?:i/o timeout|connection refused|{_UNREACHABLE}|{_CANCELLED})",
        action=Action.DNS,
    ),
    _round_trip(Failure.NO_ANSWER, rf"{_UDP}(?:i/o timeout|read: \w+|connect: \w+)", action=Action.DNS),
    _round_trip(Failure.NXDOMAIN, f"could not resolve host(?:name)?:? ?(?P<host>{_NAME})?", action=Action.DNS),
    _round_trip(Failure.NXDOMAIN, f"(?:enotfound|unknownhostexception:) (?P<host>{_NAME})", action=Action.DNS),
    _round_trip(
        Failure.NXDOMAIN,
        "no such host",
        "name or service not known",
        "nodename nor servname",
        r"\bnxdomain\b",
        action=Action.DNS,
    ),
    _round_trip(
        Failure.NO_ANSWER, f"eai_again (?P<host>{_NAME})", "temporary failure in name resolution", action=Action.DNS
    ),
    _round_trip(Failure.SERVFAIL, r"\bservfail\b", "server misbehaving", action=Action.DNS),
    _round_trip(Failure.NO_ADDRESS, "no address associated with (?:host)?name", action=Action.DNS),
    # ---- connections
    _round_trip(
        Failure.TIMEOUT,
        f"{_DIAL}(?:i/o timeout|{_TIMED_OUT}|a connection attempt failed|{_CANCELLED})",
        action=Action.TCP,
    ),
    _round_trip(Failure.REFUSED, f"{_DIAL}(?:connection refused|no connection could be made)", action=Action.TCP),
    _round_trip(Failure.RESET, f"{_DIAL}connection reset", action=Action.TCP),
    _round_trip(Failure.UNREACHABLE, f"{_DIAL}(?:{_UNREACHABLE})", action=Action.TCP),
    _round_trip(Failure.PROHIBITED, f"{_DIAL}(?:permission denied|operation not permitted)", action=Action.TCP),
    _round_trip(Failure.TIMEOUT, f"connect etimedout {_PEER}", action=Action.TCP),
    _round_trip(Failure.REFUSED, f"connect econnrefused {_PEER}", action=Action.TCP),
    _round_trip(Failure.UNREACHABLE, f"connect (?:enetunreach|ehostunreach) {_PEER}", action=Action.TCP),
    _round_trip(
        Failure.TIMEOUT, f"{_CURL}(?:{_TIMED_OUT}|couldn't connect to server|timeout was reached)", action=Action.TCP
    ),
    _round_trip(Failure.REFUSED, f"{_CURL}connection refused", action=Action.TCP),
    _round_trip(Failure.TIMEOUT, f"{_JAVA}{_TIMED_OUT}", action=Action.TCP),
    _round_trip(Failure.REFUSED, f"{_JAVA}connection refused", action=Action.TCP),
    _round_trip(
        Failure.TIMEOUT,
        "connect timeout on endpoint url",
        f"connection to (?P<host>{_NAME}) timed out",
        action=Action.TCP,
    ),
    # ---- TLS
    _round_trip(Failure.TLS_STALL, "(?:tls|ssl) handshake time(?:out|d out)", action=Action.TLS),
    _round_trip(
        Failure.WRONG_NAME,
        r"certificate is valid for (?P<names>[^:]{1,300}?), not \S+",
        "certificate is not valid for",
        "hostname mismatch",
        "no alternative certificate subject name matches",
        action=Action.TLS,
    ),
    _round_trip(
        Failure.EXPIRED,
        "certificate has expired(?: or is not yet valid)?",
        "certificate is not yet valid",
        action=Action.TLS,
    ),
    _round_trip(
        Failure.UNTRUSTED,
        "signed by unknown authority",
        "certificate[ _]verify[ _]failed",
        "unable to get local issuer",
        "self[- ]signed certificate",
        "ssl certificate problem",
        "pkix path building failed",
        action=Action.TLS,
    ),
    _round_trip(
        Failure.NOT_TLS,
        "server gave http response to https client",
        "does not look like a tls handshake",
        "wrong version number",
        action=Action.TLS,
    ),
    _round_trip(
        Failure.TLS_RESET,
        r"remote error: tls: [\w ]{1,60}",
        "ssl_error_syscall",
        "unexpected_eof_while_reading",
        action=Action.TLS,
    ),
    # ---- bytes
    _round_trip(
        Failure.BAD_DIGEST,
        "layer verification failed",
        "unexpected commit digest",
        "digest (?:mismatch|did not match)",
        "failed to verify .{0,80}digest",
        action=Action.LAYER,
    ),
    _round_trip(
        Failure.TRUNCATED,
        "unexpected eof",
        "short read: expected",
        "failed size validation",
        "incompleteread",
        r"(?:stream error|stream id \d+).{0,60}(?:internal_error|protocol_error|cancel)",
    ),
    _round_trip(Failure.RESET, f"{_OPEN}(?:connection reset|broken pipe)"),
    _round_trip(Failure.STALLED, f"{_OPEN}(?:i/o timeout|{_TIMED_OUT})"),
    _round_trip(Failure.STALLED, "timeout awaiting response headers", "read timeout on endpoint url"),
    _round_trip(Failure.RESET, r"[\"'/]: eof\b", "connection reset by peer", "econnreset", "socket hang up"),
    # ---- answers
    _round_trip(
        Failure.DENIED, r"parsing http 403 response body: invalid character '<'[^<]{0,80}<\?xml", action=Action.LAYER
    ),
    # An HTML page may contain "403" and "access denied" as well: all of it is one match.
    _round_trip(Failure.NOT_AWS, "<(?:!doctype|html|head|title).*"),
    _round_trip(Failure.NOT_AWS, "invalid character '<' looking for beginning of value"),
    _round_trip(
        Failure.NO_CREDENTIALS,
        "no basic auth credentials",
        "failed to fetch anonymous token.*",
        action=Action.CHALLENGE,
    ),
    _round_trip(Failure.CLOCK, "signature (?:expired|not yet current)"),
    _round_trip(
        Failure.UNAUTHENTICATED,
        "(?:authorization|provided) token has expired",
        "401 unauthorized",
        r"\bunauthorized: ",
        r"login attempt to \S{1,300} failed",
        "security token included in the request is (?:invalid|expired)",
    ),
    _round_trip(
        Failure.THROTTLED,
        "toomanyrequests: you have reached your (?:unauthenticated )?pull rate limit.*",
        r"toomanyrequests: too many requests\. please see https://docs\.docker\.com.*",
        code=DOCKER_HUB,
    ),
    _round_trip(
        Failure.THROTTLED, "toomanyrequests", "rate exceeded", "429 too many requests", "(?:pull )?rate limit exceeded"
    ),
    _round_trip(
        Failure.NO_PLATFORM,
        r"no matching manifest for (?P<platform>[\w/]{2,40})",
        r"descriptor matching platform '(?P<requested>[^']{2,40})'",
        "find a descriptor for platform",
        "no match for platform",
        r"image operating system \S{1,40} cannot be used",
        action=Action.MANIFEST,
    ),
    _round_trip(
        Failure.NOT_FOUND,
        r"repository with name '[^']{1,256}' does not exist in the registry with id",
        "name unknown",
        action=Action.MANIFEST,
        code="NAME_UNKNOWN",
    ),
    _round_trip(
        Failure.NOT_FOUND,
        "manifest unknown(?:: requested image not found)?",
        "requested image not found",
        action=Action.MANIFEST,
        code="MANIFEST_UNKNOWN",
    ),
    _round_trip(Failure.NOT_FOUND, "blob unknown", action=Action.BLOB, code="BLOB_UNKNOWN"),
    _round_trip(
        Failure.NOT_FOUND,
        "specified log group does not exist",
        r"log (?:group|stream) \S{1,512} does not exist",
        action=Action.LOGS,
    ),
    _round_trip(
        Failure.NOT_FOUND,
        "pull access denied(?: for [^,]{1,512})?, repository does not exist or may require",
        action=Action.MANIFEST,
        code=HIDDEN,
    ),
    _round_trip(
        Failure.NOT_FOUND,
        r"\S[:@]\S{1,512}: not found(?!\w)",
        r"(?:manifest for|repo|repository|image) \S{1,512} not found",
        "404 not found",
        "does not exist or no pull access",
        action=Action.MANIFEST,
    ),
    _round_trip(
        Failure.DENIED,
        "is not authorized to perform",
        "403 forbidden",
        "status(?: code)?:? 403",
        "access ?denied(?:exception)?",
        r"\bdenied: ",
        r"because no [\w -]{5,40} policy allows",
        "with an explicit deny",
    ),
    _round_trip(
        Failure.SERVER_ERROR,
        r"\b50[0-4] (?:internal server error|bad gateway|service unavailable|gateway time-?out)",
        "statuscode: 50[0-4]",
    ),
    # ---- timeouts and connections without details
    _round_trip(Failure.REFUSED, "connection refused", action=Action.TCP),
    _round_trip(Failure.UNREACHABLE, _UNREACHABLE, action=Action.TCP),
    _no_answer(
        "client.timeout",
        "signal: killed",
        r"statuscode: 0\b",
        "requestcanceled",
        "request (?:context )?canceled",
        "context (?:deadline exceeded|canceled)",
        "(?:request send|send request) failed",
        "failed to do request",
        "i/o timeout",
        "could not connect to the endpoint url",
        _TIMED_OUT,
        "etimedout",
        weight=Weight.WEAK,
    ),
    _no_answer(
        "connection issue between the task and", "check your (?:task )?network configuration", weight=Weight.FAINT
    ),
)
# Error codes: AccessDeniedException, SlowDown, NAME_UNKNOWN. A word with one capital is not a code.
_CODE = re.compile(r"\b(?:[A-Z][a-z0-9]+){2,8}\b|\b[A-Z]{3,20}(?:_[A-Z]{2,20}){0,3}\b")
_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)  # unlike lower(), keeps every position


def deciding_match(record: str) -> PatternMatch | None:
    """The match that decides: of the most specific ones the last."""
    return max(_matches(record), key=lambda match: (match.weight, match.end), default=None)


def _matches(record: str) -> Iterator[PatternMatch]:
    """Every match in a record, without those that overlap an earlier one."""
    accepted: list[PatternMatch] = []
    for match in (*_pattern_matches(record), *_code_matches(record)):
        if all(match.end <= other.begin or other.end <= match.begin for other in accepted):
            accepted.append(match)
            yield match


def _pattern_matches(record: str) -> Iterator[PatternMatch]:
    lower = record.translate(_LOWER)
    for row in PATTERNS:
        for match in row.pattern.finditer(lower):
            yield _pattern_match(row, match, record)


def _pattern_match(row: ErrorPattern, match: re.Match[str], record: str) -> PatternMatch:
    groups = {name: record[slice(*match.span(name))] or None for name in match.re.groupindex}
    return PatternMatch(
        failure=row.failure,
        weight=row.weight,
        begin=match.start(),
        end=match.end(),
        action=row.action,
        subject=row.subject,
        code=row.code,
        host=groups.get("host"),
        server=groups.get("server") or groups.get("asked"),
        address=groups.get("address"),
        port=groups.get("port"),
        platform=groups.get("platform") or groups.get("requested"),
        names=groups.get("names"),
    )


def _code_matches(record: str) -> Iterator[PatternMatch]:
    for match in _CODE.finditer(record):
        failure = failure_of_code(match[0], record)
        if failure is not None:
            yield PatternMatch(failure, Weight.STRONG, match.start(), match.end(), code=match[0])

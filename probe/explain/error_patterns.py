"""THE table of last clauses: which words of a text mean which failure. Headlines are never read for that. Pure.

Go, Python, Java, Node and curl say the same in other words, and ECS puts sentences of its own before them. The last
clause that says what happened decides; one that only says that somebody gave up waiting yields to it.
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
from probe.wire.refusals import failure_of_code


class Weight(IntEnum):
    """How much a clause says. FAINT: a headline's hint; WEAK: somebody gave up waiting; STRONG: what happened."""

    FAINT = 0
    WEAK = 1
    STRONG = 2


class ErrorPattern(Record, frozen=True):
    """Words and their meaning. Patterns are matched against the record in small letters.

    `action` where the words tell the round trip whatever the stage. `subject` names what concerns the task, its image
    or its settings rather than a round trip: the faults of `faults/told.py`.
    """

    failure: Failure
    pattern: re.Pattern[str]
    action: Action | None = None
    subject: Subject | None = None
    code: str | None = None
    weight: Weight = Weight.STRONG


class PatternMatch(Record, frozen=True):
    """A clause as it stands in a record, with what its pattern caught."""

    failure: Failure
    weight: Weight
    begin: int
    end: int
    action: Action | None = None
    subject: Subject | None = None
    code: str | None = None
    host: str | None = None
    server: str | None = None
    address: str | None = None
    port: str | None = None
    platform: str | None = None
    names: str | None = None  # of a certificate


DOCKER_HUB = "docker hub"  # in place of a code: words that only Docker Hub has
_IPV6 = r"\[[0-9a-f:.]{2,45}(?:%\w{1,16})?\]"
_IPV4 = r"\d{1,3}(?:\.\d{1,3}){3}"
_NAME = r"[\w.*<>-]{1,255}"
_UDP = rf"(?:read|write|dial) udp (?:\S{{1,80}}->)?(?P<server>{_IPV4}|{_IPV6}):53: "
# What a socket's other end is called: an address, or what somebody put over it before posting.
_PEER = rf"(?:(?P<address>{_IPV4}|{_IPV6})|[\w.*<>…-]{{0,80}})(?::(?P<port>[\w.*]{{1,8}}))?"
_DIAL = rf"dial tcp:? ?(?:\S{{1,80}}->)?{_PEER}:? (?:connect: |connectex: )?"
_OPEN = rf"(?:read|write) tcp \S{{1,80}}->{_PEER}: (?:read: |write: )?"
_CURL = rf"failed to connect to (?P<host>{_NAME})(?: \((?P<address>{_IPV4})\))? port 443[^:]{{0,40}}: "
_JAVA = rf"connect to (?P<host>{_NAME}):443(?: \[[^\]/]{{0,255}}/(?P<address>{_IPV4})\])? failed: "
_LOOKUP = rf"lookup (?P<host>{_NAME})(?: on (?P<at>{_IPV6}|[^\s:]{{1,80}})(?::[\w.*]{{1,8}})?)?: "
_GAVE_UP = "operation was canceled|context deadline exceeded|context canceled|request canceled"
_TIMED_OUT = "(?:connection|operation|connect) timed out"
_UNREACHABLE = "network is unreachable|no route to host|cannot assign requested address|host is unreachable"
# Subjects that are settings rather than something that ECS does.
_SETTINGS = (
    Subject.PROXY,
    Subject.EXECUTION_ROLE,
    Subject.LOG_REGION,
    Subject.ENDPOINT_ZONE,
    Subject.PRIVATE_DNS,
    Subject.REFERENCE,
)


def _row(failure: Failure, *patterns: str, action: Action | None = None, code: str | None = None) -> ErrorPattern:
    return ErrorPattern(failure, re.compile("|".join(patterns)), action, code=code)


def _about(subject: Subject, failure: Failure, *patterns: str, weight: Weight = Weight.STRONG) -> ErrorPattern:
    action = Action.ENVIRONMENT if subject in _SETTINGS else Action.START
    return ErrorPattern(failure, re.compile("|".join(patterns)), action, subject, weight=weight)


def _waited(*patterns: str, weight: Weight) -> ErrorPattern:
    """Nothing answered, and nothing tells whether the name, the connection or the handshake got none."""
    return ErrorPattern(Failure.TIMEOUT, re.compile("|".join(patterns)), Action.TCP, weight=weight)


# Of clauses that overlap, the one that stands further up counts.
TABLE = (
    # ---- settings, and what ECS does around the pull
    # Whatever follows is told of the proxy, also a name that is looked up or a certificate.
    _about(Subject.PROXY, Failure.TIMEOUT, rf"proxyconnect tcp: (?:{_DIAL})?[^\"]{{0,200}}"),
    _about(Subject.PROXY, Failure.DENIED, "proxy authentication required"),
    _about(
        Subject.EXECUTION_ROLE,
        Failure.NO_CREDENTIALS,
        "requires? (?:the )?task definition to have (?:an )?execution role",
    ),
    _about(
        Subject.LOG_REGION,
        Failure.MALFORMED,
        "missingendpoint",
        "'endpoint' configuration is required",
        "missingregion",
        "could not find region configuration",
        "missing required option: awslogs-region",
    ),
    _about(
        Subject.ENDPOINT_ZONE,
        Failure.MALFORMED,
        r"endpoint service \S{1,120} does not support the availability zone of the subnet",
    ),
    _about(
        Subject.PRIVATE_DNS,
        Failure.MALFORMED,
        "conflicting dns domain",
        "conflictingdomainexists",
        "private-dns-enabled cannot be set because there is already",
    ),
    _about(Subject.REFERENCE, Failure.MALFORMED, "invalid reference format", "could not parse reference"),
    _about(Subject.PLACEMENT, Failure.THROTTLED, "rate limit exceeded while attempting to create network interface"),
    _about(
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
    _about(Subject.DISK, Failure.TOO_LARGE, "no space left on device", "disk quota exceeded"),
    _about(
        Subject.MEDIA_TYPE,
        Failure.MALFORMED,
        "no processor for media-type",
        "unsupported (?:manifest )?media ?type",
        "mediatype in manifest should be",
        "failed to get stream processor",
        "number of layers and diffids don't match",
    ),
    _about(Subject.EXEC, Failure.NO_PLATFORM, "exec format error"),
    _about(Subject.VOLUME, Failure.UNREACHABLE, "efs utils commands to set up efs volumes.*"),
    _about(Subject.BUILD_IMAGE, Failure.DENIED, "build_container_unable_to_pull_image"),
    _about(
        Subject.SECRET,
        Failure.NOT_FOUND,
        "secrets manager can't find the specified secret",
        "parameternotfound",
        "invalid ssm parameters?",
        r"retrieved secret .{0,200}did not contain json key",
    ),
    _about(
        Subject.TIMEOUT,
        Failure.TIMEOUT,
        r"could not transition to \w+(?:; timed out(?: after waiting \w+)?)?",
        weight=Weight.FAINT,
    ),
    _about(
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
    _row(
        Failure.NO_ANSWER,
        "credentialsendpointerror",
        "failed to load credentials",
        "no ec2 imds role found",
        "ec2metadataerror",
        action=Action.CREDENTIALS,
    ),
    _row(
        Failure.NO_CREDENTIALS,
        "nocredentialproviders",
        "unable to locate credentials",
        "nocredentialserror",
        "no valid (?:credential )?providers",
        action=Action.CREDENTIALS,
    ),
    # ---- names
    _row(Failure.NXDOMAIN, f"{_LOOKUP}no such host", action=Action.DNS),
    _row(Failure.SERVFAIL, f"{_LOOKUP}(?:server misbehaving|cannot unmarshal dns)", action=Action.DNS),
    _row(Failure.NO_ADDRESS, f"{_LOOKUP}no (?:suitable )?address", action=Action.DNS),
    _row(
        Failure.NO_ANSWER,
        f"{_LOOKUP}(?:{_UDP})?(?:connect: |read: )?(?:i/o timeout|connection refused|{_UNREACHABLE}|{_GAVE_UP})",
        action=Action.DNS,
    ),
    _row(Failure.NO_ANSWER, rf"{_UDP}(?:i/o timeout|read: \w+|connect: \w+)", action=Action.DNS),
    _row(Failure.NXDOMAIN, f"could not resolve host(?:name)?:? ?(?P<host>{_NAME})?", action=Action.DNS),
    _row(Failure.NXDOMAIN, f"(?:enotfound|unknownhostexception:) (?P<host>{_NAME})", action=Action.DNS),
    _row(
        Failure.NXDOMAIN,
        "no such host",
        "name or service not known",
        "nodename nor servname",
        r"\bnxdomain\b",
        action=Action.DNS,
    ),
    _row(
        Failure.NO_ANSWER,
        f"eai_again (?P<host>{_NAME})",
        "temporary failure in name resolution",
        action=Action.DNS,
    ),
    _row(Failure.SERVFAIL, r"\bservfail\b", "server misbehaving", action=Action.DNS),
    _row(Failure.NO_ADDRESS, "no address associated with (?:host)?name", action=Action.DNS),
    # ---- connections
    _row(
        Failure.TIMEOUT,
        f"{_DIAL}(?:i/o timeout|{_TIMED_OUT}|a connection attempt failed|{_GAVE_UP})",
        action=Action.TCP,
    ),
    _row(Failure.REFUSED, f"{_DIAL}(?:connection refused|no connection could be made)", action=Action.TCP),
    _row(Failure.RESET, f"{_DIAL}connection reset", action=Action.TCP),
    _row(Failure.UNREACHABLE, f"{_DIAL}(?:{_UNREACHABLE})", action=Action.TCP),
    _row(Failure.PROHIBITED, f"{_DIAL}(?:permission denied|operation not permitted)", action=Action.TCP),
    _row(Failure.TIMEOUT, f"connect etimedout {_PEER}", action=Action.TCP),
    _row(Failure.REFUSED, f"connect econnrefused {_PEER}", action=Action.TCP),
    _row(Failure.UNREACHABLE, f"connect (?:enetunreach|ehostunreach) {_PEER}", action=Action.TCP),
    _row(Failure.TIMEOUT, f"{_CURL}(?:{_TIMED_OUT}|couldn't connect to server|timeout was reached)", action=Action.TCP),
    _row(Failure.REFUSED, f"{_CURL}connection refused", action=Action.TCP),
    _row(Failure.TIMEOUT, f"{_JAVA}{_TIMED_OUT}", action=Action.TCP),
    _row(Failure.REFUSED, f"{_JAVA}connection refused", action=Action.TCP),
    _row(
        Failure.TIMEOUT,
        "connect timeout on endpoint url",
        f"connection to (?P<host>{_NAME}) timed out",
        action=Action.TCP,
    ),
    # ---- TLS
    _row(Failure.TLS_STALL, "(?:tls|ssl) handshake time(?:out|d out)", action=Action.TLS),
    _row(
        Failure.WRONG_NAME,
        r"certificate is valid for (?P<names>[^:]{1,300}?), not \S+",
        "certificate is not valid for",
        "hostname mismatch",
        "no alternative certificate subject name matches",
        action=Action.TLS,
    ),
    _row(
        Failure.EXPIRED,
        "certificate has expired(?: or is not yet valid)?",
        "certificate is not yet valid",
        action=Action.TLS,
    ),
    _row(
        Failure.UNTRUSTED,
        "signed by unknown authority",
        "certificate[ _]verify[ _]failed",
        "unable to get local issuer",
        "self[- ]signed certificate",
        "ssl certificate problem",
        "pkix path building failed",
        action=Action.TLS,
    ),
    _row(
        Failure.NOT_TLS,
        "server gave http response to https client",
        "does not look like a tls handshake",
        "wrong version number",
        action=Action.TLS,
    ),
    _row(
        Failure.TLS_RESET,
        r"remote error: tls: [\w ]{1,60}",
        "ssl_error_syscall",
        "unexpected_eof_while_reading",
        action=Action.TLS,
    ),
    # ---- bytes
    _row(
        Failure.BAD_DIGEST,
        "layer verification failed",
        "unexpected commit digest",
        "digest (?:mismatch|did not match)",
        "failed to verify .{0,80}digest",
        action=Action.LAYER,
    ),
    _row(
        Failure.TRUNCATED,
        "unexpected eof",
        "short read: expected",
        "failed size validation",
        "incompleteread",
        r"(?:stream error|stream id \d+).{0,60}(?:internal_error|protocol_error|cancel)",
    ),
    _row(Failure.RESET, f"{_OPEN}(?:connection reset|broken pipe)"),
    _row(Failure.STALLED, f"{_OPEN}(?:i/o timeout|{_TIMED_OUT})"),
    _row(Failure.STALLED, "timeout awaiting response headers", "read timeout on endpoint url"),
    _row(Failure.RESET, r"[\"'/]: eof\b", "connection reset by peer", "econnreset", "socket hang up"),
    # ---- answers
    _row(Failure.DENIED, r"parsing http 403 response body: invalid character '<'[^<]{0,80}<\?xml", action=Action.LAYER),
    # A page for people speaks of 403 and of access denied too: all of it is one clause.
    _row(Failure.NOT_AWS, "<(?:!doctype|html|head|title).*"),
    _row(Failure.NOT_AWS, "invalid character '<' looking for beginning of value"),
    _row(
        Failure.NO_CREDENTIALS,
        "no basic auth credentials",
        "failed to fetch anonymous token.*",
        action=Action.CHALLENGE,
    ),
    _row(Failure.CLOCK, "signature (?:expired|not yet current)"),
    _row(
        Failure.UNAUTHENTICATED,
        "(?:authorization|provided) token has expired",
        "401 unauthorized",
        r"\bunauthorized: ",
        r"login attempt to \S{1,300} failed",
        "security token included in the request is (?:invalid|expired)",
    ),
    _row(
        Failure.THROTTLED,
        "toomanyrequests: you have reached your (?:unauthenticated )?pull rate limit.*",
        r"toomanyrequests: too many requests\. please see https://docs\.docker\.com.*",
        code=DOCKER_HUB,
    ),
    _row(
        Failure.THROTTLED, "toomanyrequests", "rate exceeded", "429 too many requests", "(?:pull )?rate limit exceeded"
    ),
    _row(
        Failure.NO_PLATFORM,
        r"no matching manifest for (?P<platform>[\w/]{2,40})",
        r"descriptor matching platform '(?P<wanted>[^']{2,40})'",
        "find a descriptor for platform",
        "no match for platform",
        r"image operating system \S{1,40} cannot be used",
        action=Action.MANIFEST,
    ),
    _row(
        Failure.NOT_FOUND,
        r"repository with name '[^']{1,256}' does not exist in the registry with id",
        "name unknown",
        action=Action.MANIFEST,
        code="NAME_UNKNOWN",
    ),
    _row(
        Failure.NOT_FOUND,
        "manifest unknown(?:: requested image not found)?",
        "requested image not found",
        action=Action.MANIFEST,
        code="MANIFEST_UNKNOWN",
    ),
    _row(Failure.NOT_FOUND, "blob unknown", action=Action.BLOB, code="BLOB_UNKNOWN"),
    _row(
        Failure.NOT_FOUND,
        "specified log group does not exist",
        r"log (?:group|stream) \S{1,512} does not exist",
        action=Action.LOGS,
    ),
    _row(
        Failure.NOT_FOUND,
        "pull access denied(?: for [^,]{1,512})?, repository does not exist or may require",
        action=Action.MANIFEST,
        code=HIDDEN,
    ),
    _row(
        Failure.NOT_FOUND,
        r"\S[:@]\S{1,512}: not found(?!\w)",
        r"(?:manifest for|repo|repository|image) \S{1,512} not found",
        "404 not found",
        "does not exist or no pull access",
        action=Action.MANIFEST,
    ),
    _row(
        Failure.DENIED,
        "is not authorized to perform",
        "403 forbidden",
        "status(?: code)?:? 403",
        "access ?denied(?:exception)?",
        r"\bdenied: ",
        r"because no [\w -]{5,40} policy allows",
        "with an explicit deny",
    ),
    _row(
        Failure.SERVER_ERROR,
        r"\b50[0-4] (?:internal server error|bad gateway|service unavailable|gateway time-?out)",
        "statuscode: 50[0-4]",
    ),
    # ---- somebody gave up
    _row(Failure.REFUSED, "connection refused", action=Action.TCP),
    _row(Failure.UNREACHABLE, _UNREACHABLE, action=Action.TCP),
    _waited(
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
    _waited("connection issue between the task and", "check your (?:task )?network configuration", weight=Weight.FAINT),
)
# Codes: AccessDeniedException, SlowDown, NAME_UNKNOWN. One capital alone is a word of a sentence.
_CODE = re.compile(r"\b(?:[A-Z][a-z0-9]+){2,8}\b|\b[A-Z]{3,20}(?:_[A-Z]{2,20}){0,3}\b")
_SMALL = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)  # letter for letter, so that places stay


def deciding_match(record: str) -> PatternMatch | None:
    """The clause that decides: the last of the weightiest."""
    return max(_said(record), key=lambda said: (said.weight, said.end), default=None)


def _said(record: str) -> Iterator[PatternMatch]:
    """Every clause of a record. What one clause covers is no other clause."""
    covered: list[PatternMatch] = []
    for said in (*_of_table(record), *_of_codes(record)):
        if all(said.end <= other.begin or other.end <= said.begin for other in covered):
            covered.append(said)
            yield said


def _of_table(record: str) -> Iterator[PatternMatch]:
    small = record.translate(_SMALL)
    for clause in TABLE:
        for found in clause.pattern.finditer(small):
            yield _one(clause, found, record)


def _one(clause: ErrorPattern, found: re.Match[str], record: str) -> PatternMatch:
    caught = {name: record[slice(*found.span(name))] or None for name in found.re.groupindex}
    return PatternMatch(
        failure=clause.failure,
        weight=clause.weight,
        begin=found.start(),
        end=found.end(),
        action=clause.action,
        subject=clause.subject,
        code=clause.code,
        host=caught.get("host"),
        server=caught.get("server") or caught.get("at"),
        address=caught.get("address"),
        port=caught.get("port"),
        platform=caught.get("platform") or caught.get("wanted"),
        names=caught.get("names"),
    )


def _of_codes(record: str) -> Iterator[PatternMatch]:
    for found in _CODE.finditer(record):
        failure = failure_of_code(found[0], record)
        if failure is not None:
            yield PatternMatch(failure, Weight.STRONG, found.start(), found.end(), code=found[0])

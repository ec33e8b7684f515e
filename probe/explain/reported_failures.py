"""From a record to a reported failure: which round trip failed, at which host and address, and how. Pure.

The host and address of the last request take precedence over a headline: ECS's sentences name the registry where S3 is
meant, and put secrets, parameters and tokens under one title.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from ipaddress import ip_address

from probe.addresses import can_be_aws, is_s3
from probe.explain.clients import is_push
from probe.explain.error_patterns import DOCKER_HUB, INSTANCE_METADATA, PatternMatch, Weight, deciding_match
from probe.explain.hosts import Host, is_foreign, is_link, is_masked, is_public_ecr, read_host
from probe.explain.round_trips import (
    BLOB,
    ENVIRONMENT_FILE,
    LAYER,
    LOGS,
    MANIFEST,
    PUSH,
    TOKEN,
    RoundTrip,
    round_trip_in_text,
    round_trip_of_url,
)
from probe.explain.task_context import TaskContext
from probe.explain.text_records import MAX_RECORDS
from probe.faults.evidence import ELSEWHERE, UNNAMED
from probe.faults.subjects import Subject
from probe.model import Action, Client, Denial, Failure, Topic
from probe.records import Record, replace
from probe.safe_words import cut_secrets, scrub
from probe.wire.aws_errors import denial_in, failure_of_code, reason_in, times_in, topic_of

_URL = re.compile(
    r"(?:https?|wss?)://(?:[^\s/@\"'<>]{1,255}@)?(?P<host>[^\s/\"'?#:@\[]{1,255}|\[[\da-fA-F:]{2,45}\])"
    r"(?::\d+)?(?P<path>/[^\s\"']*)?"
)
_DIALLED_HOST = re.compile(r"(?:unable to dial|error dialing) (?P<host>[\w.*<>-]{1,255})")
# Host names of AWS without a scheme. One with a path is an image.
_AWS_HOST = re.compile(
    r"(?<![\w./@:-])(?P<host>[\w.*<>-]{1,200}\.(?:amazonaws\.com(?:\.cn)?|api\.aws|on\.aws))\b(?![/:\w-])"
)
_POLICY_ALLOWS = re.compile(r"policy allows the (?P<action>[\w-]{2,40}:\w{2,60})")
_BY_OPERATION = {
    "ecr:BatchGetImage": MANIFEST,
    "ecr:GetDownloadUrlForLayer": BLOB,
    "ecr:BatchCheckLayerAvailability": BLOB,
}
_BY_SERVICE = {"ecr": TOKEN, "logs": LOGS, "s3": LAYER}
_ROLE_WITHOUT_SENTENCE = re.compile(r"image exist and role (?P<role>arn:aws\S{1,300}) has ")  # SageMaker's
_REQUEST_ID = re.compile(r"request ?id\b[:=\"' ]{1,4}[0-9a-z-]{8,64}", re.IGNORECASE)
_STATUS = re.compile(r"status(?: ?code)?:? (?P<code>[1-5]\d\d)\b|\b(?P<leading>[45]\d\d) [A-Z][a-z]", re.IGNORECASE)
_S3_BODY = re.compile(r"<\?xml|<Error>")
_CODE = re.compile(r"\b[A-Z][A-Za-z]{2,60}\b")
_LOG_GROUP = re.compile(r"log ?group(?:name)?[ =:'\"]{1,3}(/[\w.#/-]{1,512})", re.IGNORECASE)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
# Go's crypto/x509
_EXPIRY = re.compile(r"current time \S{10,40} is after (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)Z")
_NOT_YET = re.compile(r"current time \S{10,40} is before (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)Z")
# The headline of an error of a task's start. Where nothing else matches, its reason is missing or unknown.
_HEADLINE = re.compile(
    r"\bCannotPull\w+Error\b|\b(?:ResourceInitialization|ContainerRuntime|DockerTimeout)\w*Error\b|\bErrImagePull\b"
    r"|ImagePullBackOff|[Bb]ack-off pulling image|trying and failing to pull image"
    r"|[Uu]nable to (?:pull|retrieve|get)[\w ]{1,60}|registry auth(?: from asm)?"
    r"|[Ff]ailed to (?:pull(?: and unpack)?(?: image)?|resolve (?:ref(?:erence)?|source metadata for)|copy|solve|fetch"
    r"|create [Cc]loud[Ww]atch log stream|initialize logging driver|validate logger args)"
    r"|httpRead(?:er)?Seeker: failed open|service call has been retried \d{1,4} time\(s\)"
    r"|(?:image|manifest|ref|pull|stream)\w* (?:pull )?has been retried \d{1,4} times?(?:\(s\))?"
    r"|asm fetching secret from the service for|failed to fetch secret"
)
_ANSWERED = re.compile(r"unexpected status(?: code| from \w{3,7} request to)?:? ")
# What may stand behind a headline without being a reason: requests, names of images and secrets, counts.
_NO_REASON = re.compile(
    r"\b(?:Get|Head|Post|Put|GET|HEAD|POST|PUT)\b|\"[^\"]{0,2000}\"|\S*[/:@]\S*|caused by:|\bfor \S+|\d+ "
    r"times?(?:\(s\))?"
)
_CUT_END = re.compile(r"[:,(\[][\"' )\]]*\Z|https?://[^\s\"')]*[\"']?\Z")
_ELLIPSIS = re.compile(r"(?:\.\.\.|…)(?=[\"')\]\s]|\Z)")
# Evidence that a container runtime wrote the record: other programs have hosts and disks too.
_ABOUT_AN_IMAGE = re.compile(
    r"/v2\b|/v1/_ping\b|\bdocker|docker\b|containerd|podman|buildkit|\bmanifests?\b|\blayers?\b|\bsnapshots?\b"
    r"|overlay|push refers to|error response from daemon"
    r"|cannot ?pull|pull(?:ing)? (?:access|image|the image|and unpack)|imagepull"
    r"|(?:failed|unable) to (?:pull|resolve (?:ref|source)|solve|copy|extract|authorize|fetch \w+ token)",
    re.IGNORECASE,
)
# An upload that has no answer: ECR is reported to hang up where it should refuse (aws/containers-roadmap 1970).
_UPLOAD = re.compile(
    r"/blobs/uploads/?[\"']?(?: in \S{1,255})?: EOF\b|retrying in \d{1,3} seconds?\b.{0,80}\bEOF\b"
    r"|docker push \S{1,300} exited with error code \d{1,3}: EOF\b",
    re.IGNORECASE,
)
_UPLOAD_BEGUN = re.compile(r"/blobs/uploads/[\w-]")
_BUCKET_OF_HOST = re.compile(r"(.+?)\.(?:vpce-[^.]+\.)?s3[.-]")
# A host with a port other than 443: a database, a cache.
_OTHER_PORT = re.compile(r"(?:[\w-]\.[a-z]{2,}|\d\.\d{1,3}):(?!443\b)\d{2,5}\b")
_OWN_BUCKET = re.compile(r"arn:[\w-]{1,20}:s3:::(?!prod-[\w-]{1,40}-starport-)")
_ANSWERS = (Failure.DENIED, Failure.NOT_FOUND, Failure.UNAUTHENTICATED)
_CONNECTION_ACTIONS = (Action.DNS, Action.TCP, Action.TLS)
# Where credentials come from: the instance, the task, the pod.
_LINK_LOCAL = re.compile(r"(?<![\d.])169\.254\.(?:169\.254|170\.2|170\.23)(?!\d)|\[?fd00:ec2::(?:254|23)\]?")
_INSTANCE_METADATA = re.compile(r"(?<![\d.])169\.254\.169\.254(?!\d)|fd00:ec2::254")
_HTTPS_PORTS = (None, "443", "https")
_METHOD = re.compile(r"\b(?:Get|Head|Post|Put) \"\Z")  # as Go's net/http quotes a request
_LOGS_OF_FILTERS = (Subject.FIREWALL_LOG, Subject.DNS_FIREWALL_LOG)
_REGISTRY_HOST = re.compile(r"docker|registry|ghcr|quay|gcr|\bpkg\.dev|azurecr|mcr\.", re.IGNORECASE)
_LOOK_BACK = 4000  # characters before an excerpt that can make its words a secret
_CONTEXT = 160  # characters that are shown before and after a match
_LONGEST_QUOTE = 190  # characters of a record without a match: its end, where the reason is


class ReportedFailure(Record, frozen=True):
    """One failure as a record describes it. None and empty where the record does not say."""

    endpoint: str
    action: Action  # of the step that failed: a lookup, a connection, a handshake, or the round trip itself
    failure: Failure
    weight: Weight
    error_text: str
    subject: Subject | None = None
    host: Host | None = None
    address: str | None = None
    resolver: str | None = None
    code: str | None = None
    status: int | None = None
    is_aws: bool = False  # the answer is AWS's
    denial: Denial | None = None
    topic: Topic | None = None
    signed_at: datetime | None = None
    server_time: datetime | None = None
    platform: str | None = None
    certificate_names: tuple[str, ...] = ()
    not_before: datetime | None = None
    not_after: datetime | None = None
    log_group: str | None = None
    digest: str | None = None


class _Target(Record, frozen=True):
    """Where a request went."""

    begin: int
    host: Host
    path: str = ""


def read_failures(records: Iterable[str], context: TaskContext) -> tuple[ReportedFailure, ...]:
    """The failures of a text, in its order.

    Headlines count only where nothing is more specific, unnamed endpoints only where none is named; of each endpoint
    the last failure counts.
    """
    failures = [failure for record in records if (failure := _read_failure(record, context)) is not None]
    failures = [failure for failure in failures if failure.weight is not Weight.FAINT] or failures
    failures = [failure for failure in failures if failure.endpoint != UNNAMED] or failures
    if any(map(_leaves_no_token, failures)):
        failures = [failure for failure in failures if not _lacks_token(failure)]
    last = {(failure.endpoint, failure.subject): (failure.action, failure.failure) for failure in failures}
    return tuple(
        dict.fromkeys(
            failure
            for failure in failures
            if last[failure.endpoint, failure.subject] == (failure.action, failure.failure)
        )
    )


def _leaves_no_token(failure: ReportedFailure) -> bool:
    """Whether the client could not get a token, so that it asks the registry without one."""
    return failure.action is Action.CREDENTIALS or failure.subject in (Subject.HELPER_MISSING, Subject.HELPER_FAILED)


def _lacks_token(failure: ReportedFailure) -> bool:
    """Whether the registry answered a request without a token."""
    if failure.action is Action.CHALLENGE:
        return failure.failure is Failure.NO_CREDENTIALS
    bare = failure.failure is Failure.UNAUTHENTICATED and re.search("expired|invalid", failure.error_text) is None
    return failure.endpoint == "ecr.dkr" and bare


def is_failure(record: str, context: TaskContext) -> bool:
    """Whether a record reports a failure that is more than a headline."""
    failure = _read_failure(record, context)
    return failure is not None and failure.weight is not Weight.FAINT


@lru_cache(maxsize=MAX_RECORDS)  # `is_failure` reads the same records
def _read_failure(record: str, context: TaskContext) -> ReportedFailure | None:
    match, named = deciding_match(record), round_trip_in_text(record)
    if match is None:
        return _without_match(record, named, context)
    target = _target(record, match)
    if match.weight is Weight.WRAPPING and not _is_cut(record, match.end) and _HEADLINE.search(record):
        return _without_reason(record, named, context)
    match = _of_these_settings(_of_this_scheme(_of_this_login(match, target), target), named)
    if _is_rate(record, match) and context.client is not Client.PUSH:
        return None  # the limits of other requests are rates
    if match.subject is Subject.DISK and not _ABOUT_AN_IMAGE.search(record):
        return None  # any program can fill a disk
    if match.subject is Subject.UNPACK and not _ABOUT_AN_IMAGE.search(record):
        return None
    if match.subject in _LOGS_OF_FILTERS and (target is None or not _is_of_pull(target.host)):
        return None  # another program's traffic
    if match.subject:
        return _reported_failure(record, match, RoundTrip("task", match.action or Action.START), target)
    if match.action is Action.CREDENTIALS or _is_link_local(record, match, target):
        of_instance = match.code is None and _INSTANCE_METADATA.search(record) is not None
        match = replace(match, code=INSTANCE_METADATA) if of_instance else match
        return _reported_failure(record, match, RoundTrip("task", Action.CREDENTIALS), target)
    if match.action is Action.TCP and not _is_https(match.port):
        return None  # a connection of another program
    round_trip = _round_trip(record, match, target, named, context)
    if _is_of_push(match, round_trip, context):
        round_trip = PUSH
    return None if round_trip is None else _reported_failure(record, match, round_trip, target)


def _is_of_pull(host: Host) -> bool:
    """Whether a pull or push calls this host: one of AWS, or of a registry."""
    return host.endpoint is not None or is_public_ecr(host.name) or _REGISTRY_HOST.search(host.name) is not None


def _is_rate(record: str, match: PatternMatch) -> bool:
    """Whether only a code says that a limit is reached, which may be a rate."""
    return match.subject is Subject.QUOTA and record[match.begin : match.end].lower().startswith("limitexceeded")


def _is_of_push(match: PatternMatch, round_trip: RoundTrip | None, context: TaskContext) -> bool:
    """Whether a request of the push failed. Before it a client may pull: only a pull chooses a platform."""
    if context.client is not Client.PUSH or match.failure is Failure.NO_PLATFORM:
        return False
    return round_trip is None or round_trip.endpoint in ("ecr.dkr", "s3", UNNAMED)


def _of_these_settings(match: PatternMatch, named: RoundTrip | None) -> PatternMatch:
    """Settings of the log driver, where the text names it, else of the client: any client can lack a region."""
    if match.subject is Subject.LOG_REGION and named != LOGS:
        return replace(match, subject=Subject.CLIENT_SETTINGS)
    is_logs = match.subject is Subject.CLIENT_SETTINGS and named == LOGS
    return replace(match, subject=Subject.LOG_REGION) if is_logs else match


def _of_this_login(match: PatternMatch, target: _Target | None) -> PatternMatch:
    """A malformed login is one to ECR; another host refuses any login of ECR."""
    elsewhere = target is not None and (target.host.vpce or is_foreign(target.host))
    if match.subject is not Subject.LOGIN or not elsewhere:
        return match
    return replace(match, subject=None, action=None, failure=Failure.UNAUTHENTICATED)


def _of_this_scheme(match: PatternMatch, target: _Target | None) -> PatternMatch:
    """A client that dials port 80 of an AWS host has a setting for plain HTTP, which ECR does not serve."""
    if match.action is not Action.TCP or match.port != "80" or target is None or target.host.endpoint is None:
        return match
    return replace(match, subject=Subject.CLIENT_SETTINGS, action=Action.ENVIRONMENT, failure=Failure.MALFORMED)


def _without_match(record: str, named: RoundTrip | None, context: TaskContext) -> ReportedFailure | None:
    """A record that matches no pattern: an error of the registry that only its topic explains, or a headline."""
    topic = topic_of(record)
    hosts = [read_host(url["host"]) for url in _URL.finditer(record)]
    of_registry = any(host.endpoint == "ecr.dkr" for host in hosts) or (named and named.endpoint in ("ecr.dkr", "s3"))
    if topic is not None and of_registry:
        step = BLOB if "/blobs/" in record or named in (BLOB, LAYER) else MANIFEST
        return ReportedFailure(
            step.endpoint,
            step.action,
            Failure.MALFORMED,
            Weight.STRONG,
            _last_words(record),
            host=next((host for host in hosts if host.endpoint == "ecr.dkr"), None),
            status=_status(record),
            is_aws=True,
            topic=topic,
        )
    return _without_reason(record, named, context) if _HEADLINE.search(record) else None


def _without_reason(record: str, named: RoundTrip | None, context: TaskContext) -> ReportedFailure:
    """A text with a headline and no known reason: it was cut off, or its last clause is unknown."""
    last = max(headline.end() for headline in _HEADLINE.finditer(record))
    hosts = [read_host(url["host"]) for url in _URL.finditer(record)]
    host = next((host for host in reversed(hosts) if not is_link(host.name)), None)
    cut, answered = _is_cut(record, last), _ANSWERED.search(record) is not None
    elsewhere = host is not None and is_foreign(host)
    if cut and answered and elsewhere:
        return ReportedFailure(
            ELSEWHERE, Action.MANIFEST, Failure.MALFORMED, Weight.FAINT, _last_words(record), host=host
        )
    endpoint = (host.endpoint if host else None) or (named.endpoint if named else None)
    of_ecr = not elsewhere and (context.other_image is None or endpoint not in ("ecr.dkr", "s3", None))
    subject = (Subject.CUT_ANSWER if answered else Subject.CUT_SHORT) if cut else Subject.UNKNOWN_REASON
    return ReportedFailure(
        endpoint if endpoint and of_ecr else "task",
        Action.START,
        Failure.MALFORMED,
        Weight.FAINT,
        _last_words(record),
        subject=subject,
        host=host if host is not None and host.endpoint == endpoint else None,
    )


def _last_words(record: str) -> str:
    """The end of a record, where its reason is, from a word on and short enough to be shown whole."""
    if len(record) <= _LONGEST_QUOTE:
        return scrub(record)
    begin = record.find(" ", len(record) - _LONGEST_QUOTE) + 1
    return f"… {scrub(record[_past_secrets(record, begin, len(record)) :])}"


def _is_cut(record: str, begin: int) -> bool:
    """Whether a text ends before the reason: nothing but names stands after `begin`, or its end is missing."""
    rest = record[begin:]
    if _ELLIPSIS.search(rest) or _CUT_END.search(rest):
        return True
    reason = re.split(r"[:,]\s", rest, maxsplit=1)[1:]
    return not reason or re.search(r"[A-Za-z]{3}", _NO_REASON.sub(" ", reason[0])) is None


def _is_link_local(record: str, match: PatternMatch, target: _Target | None) -> bool:
    """Whether credentials were requested: no endpoint, security group or network ACL applies to these addresses."""
    if match.address is None and target is None:
        return match.action in _CONNECTION_ACTIONS and _LINK_LOCAL.search(record) is not None
    return any(_LINK_LOCAL.fullmatch(name) for name in (match.address, target.host.name if target else None) if name)


def _is_https(port: str | None) -> bool:
    """Whether the port is 443, masked or left out."""
    return port in _HTTPS_PORTS or not (port or "").strip("*xX")


# ---- where ----------------------------------------------------------------------------------------------------------


def _target(record: str, match: PatternMatch) -> _Target | None:
    """The host in the match itself, else that of the last request before its end."""
    if match.host is not None:
        return _Target(match.begin, read_host(match.host))
    for pattern in (_URL, _DIALLED_HOST, _AWS_HOST):
        targets = [_Target(url.start(), read_host(url["host"]), _path(url)) for url in pattern.finditer(record)]
        targets = [target for target in targets if not is_link(target.host.name)]
        before = [target for target in targets if target.begin < match.end]
        if targets:
            return before[-1] if before else targets[0]
    return None


def _path(url: re.Match[str]) -> str:
    return (url["path"] if "path" in url.re.groupindex else None) or ""


def _round_trip(
    record: str, match: PatternMatch, target: _Target | None, named: RoundTrip | None, context: TaskContext
) -> RoundTrip | None:
    """The round trip that failed; None where it is one of another program.

    By the operation that was denied, by what answered, by the host, and last by what the text names (`named`).
    """
    if _is_fallback(record, match, target) or _is_of_upstream(record, match, target, context):
        return BLOB if target is not None and "/blobs/" in target.path and "resolve ref" not in record else MANIFEST
    if match.failure is Failure.DENIED and (operation := _operation(record)) is not None:
        service = operation.partition(":")[0]
        if service == "s3" and _OWN_BUCKET.search(record):
            return ENVIRONMENT_FILE  # a bucket of the account, not ECR's
        if service == "ecr" and operation not in _BY_OPERATION and operation != "ecr:GetAuthorizationToken":
            return PUSH if is_push(record) else RoundTrip("ecr.api", Action.REQUEST)
        return _BY_OPERATION.get(operation) or _BY_SERVICE.get(service) or RoundTrip(service, Action.REQUEST)
    if target is not None and target.host.endpoint == "s3" and not _may_be_layer_bucket(record, target):
        return named if named in (LAYER, BLOB, ENVIRONMENT_FILE) else None  # a bucket of another program
    if match.action not in _CONNECTION_ACTIONS and _S3_BODY.search(record):
        return LAYER
    if match.action is Action.LAYER and target is None and context.other_image is not None:
        return RoundTrip(ELSEWHERE, Action.MANIFEST)
    if match.action in (Action.LAYER, Action.LOGS):
        return LAYER if match.action is Action.LAYER else LOGS
    of_registry = match.action is Action.CHALLENGE or match.failure is Failure.NO_PLATFORM
    if target is not None and target.host.endpoint is not None:
        return MANIFEST if of_registry else round_trip_of_url(target.host.endpoint, target.path)
    if target is not None and is_foreign(target.host):
        of_ecr = context.image is not None or "dkr.ecr" in record
        if of_ecr and named in (LAYER, BLOB):
            return RoundTrip("ecr.dkr", Action.BLOB)
        return RoundTrip(ELSEWHERE, Action.MANIFEST) if _is_image_pull(record, target.host, context) else None
    if match.code == DOCKER_HUB:
        return RoundTrip(ELSEWHERE, Action.MANIFEST)
    of_pull = named is None or named.endpoint in ("ecr.dkr", "s3")
    if context.other_image is not None and of_pull:
        return RoundTrip(ELSEWHERE, Action.MANIFEST)
    if named is not None and not named.sure and target is None and context.image is None and match.address:
        return _round_trip_of_address(match.address) or named
    if named is not None and not of_registry:
        return named
    if match.action in (Action.MANIFEST, Action.CHALLENGE, Action.BLOB):
        return RoundTrip("ecr.dkr", match.action)
    if match.failure is Failure.UNAUTHENTICATED and context.image is not None and match.action is None:
        return MANIFEST
    # No host is named. Codes of AWS are AWS's, and a specific failure of a connection counts; the rest may be anything.
    specific = match.action in _CONNECTION_ACTIONS and match.weight is Weight.STRONG
    if match.action is Action.TCP and _OTHER_PORT.search(record):
        return None
    of_aws = (
        specific
        or match.action is Action.TOKEN
        or _code(record, match.failure) is not None
        or match.failure is Failure.CLOCK
    )
    return RoundTrip(UNNAMED, Action.REQUEST) if of_aws else None


def _is_fallback(record: str, match: PatternMatch, target: _Target | None) -> bool:
    """Whether containerd asked for a manifest under /blobs/: it does so after /manifests/ answered 404.

    containerd, core/remotes/docker/resolver.go: it resolves a digest at /manifests/, then at /blobs/.
    """
    digest = _DIGEST.search(target.path) if target is not None and "/blobs/" in target.path else None
    resolving = "failed to resolve ref" in record
    return digest is not None and resolving and f"@{digest[0]}" in record and match.failure in _ANSWERS


def _is_of_upstream(record: str, match: PatternMatch, target: _Target | None, context: TaskContext) -> bool:
    """Whether ECR quotes the upstream registry of a pull-through cache; Docker Hub's own limit has the same words."""
    if topic_of(record) is not Topic.UPSTREAM or match.action in _CONNECTION_ACTIONS:
        return False
    at_ecr = context.image is not None or (target is not None and target.host.endpoint == "ecr.dkr")
    return at_ecr or (match.code != DOCKER_HUB and context.other_image is None)


def _round_trip_of_address(address: str) -> RoundTrip | None:
    """Where only a headline names the request: S3's addresses are known, other public ones may be any service's."""
    known = _address(address)
    if known is None or not can_be_aws(known):
        return None
    return LAYER if is_s3(known) else RoundTrip(UNNAMED, Action.REQUEST)


def _is_image_pull(record: str, host: Host, context: TaskContext) -> bool:
    """Whether a host outside AWS is one of a registry, as far as the text shows."""
    return context.other_image is not None or is_public_ecr(host.name) or _ABOUT_AN_IMAGE.search(record) is not None


def _may_be_layer_bucket(record: str, target: _Target) -> bool:
    """Whether a bucket is that of ECR's layers, or masked or left out."""
    in_host, in_path = _BUCKET_OF_HOST.match(target.host.name), target.path.strip("/").partition("/")[0]
    bucket = in_host[1] if in_host else in_path
    return "starport-layer" in record or not bucket or is_masked(bucket)


def _operation(record: str) -> str | None:
    """The operation that was denied, for example ecr:BatchGetImage."""
    denial = denial_in(record)
    allowed = _POLICY_ALLOWS.search(record)
    return denial.action if denial else allowed["action"] if allowed else None


# ---- what -----------------------------------------------------------------------------------------------------------


def _has_topic(action: Action, round_trip: RoundTrip) -> bool:
    """Whether it is an answer of the registry, of its layers' bucket, or to a request outside the pull."""
    of_image = round_trip.endpoint in ("ecr.dkr", "s3") and action not in _CONNECTION_ACTIONS
    return of_image or action is Action.REQUEST


def _reported_failure(
    record: str, match: PatternMatch, round_trip: RoundTrip, target: _Target | None
) -> ReportedFailure:
    host = target.host if target is not None else None
    action, failure, subject = _failed_step(record, match, round_trip, target)
    signed_at, server_time = times_in(record) if failure is Failure.CLOCK else (None, None)
    digest, log_group = _DIGEST.search(record), _LOG_GROUP.search(record)
    code = match.code or _code(record, failure)
    answered = action not in _CONNECTION_ACTIONS
    return ReportedFailure(
        endpoint="task" if subject else round_trip.endpoint,
        action=action,
        failure=failure,
        weight=match.weight,
        error_text=_excerpt(record, match, target),
        subject=subject,
        host=host if host is not None and host.endpoint in (round_trip.endpoint, None) else None,
        address=_address(match.address),
        resolver=_address(match.server),
        code=code if answered or match.code == INSTANCE_METADATA else None,
        status=_status(record) if answered else None,
        is_aws=_is_of_aws(record, code, failure),
        denial=_denial(record) if failure is Failure.DENIED else None,
        topic=topic_of(record) if _has_topic(action, round_trip) else None,
        signed_at=signed_at,
        server_time=server_time,
        platform=match.platform,
        certificate_names=tuple((match.names or "").replace(",", " ").split())[:8],
        not_before=_time(_NOT_YET.search(record)) if failure is Failure.EXPIRED else None,
        not_after=_time(_EXPIRY.search(record)) if failure is Failure.EXPIRED else None,
        log_group=log_group[1] if log_group else None,
        digest=digest[0] if digest else None,
    )


def _failed_step(
    record: str, match: PatternMatch, round_trip: RoundTrip, target: _Target | None
) -> tuple[Action, Failure, Subject | None]:
    """The step that failed, its failure, and its subject."""
    if match.subject:
        return match.action or Action.START, match.failure, match.subject
    if _is_fallback(record, match, target):
        return Action.MANIFEST, Failure.NOT_FOUND, None
    if target is not None and target.host.vpce and ("login" in record or target.path.startswith("/v2")):
        return Action.ENVIRONMENT, match.failure, Subject.VPCE_HOST
    if target is not None and is_foreign(target.host) and round_trip.endpoint == "ecr.dkr":
        return Action.BLOB, Failure.REDIRECT, None
    if round_trip.action is Action.CREDENTIALS:
        missing = match.failure is Failure.NO_CREDENTIALS
        missing = missing or (match.code == INSTANCE_METADATA and _status(record) == 404)
        return Action.CREDENTIALS, Failure.NO_CREDENTIALS if missing else Failure.NO_ANSWER, None
    if match.action in _CONNECTION_ACTIONS:
        return match.action or round_trip.action, match.failure, None
    if match.failure is Failure.RESET and round_trip == PUSH and _UPLOAD.search(record):
        return Action.REQUEST, match.failure, None
    if match.failure is Failure.RESET and round_trip == PUSH and _UPLOAD_BEGUN.search(record):
        return Action.REQUEST, Failure.TRUNCATED, None
    if match.failure is Failure.RESET and (round_trip.action is not Action.LAYER or "failed to do request" in record):
        # No byte of an answer: the connection was cut after the ClientHello, or in the handshake.
        return Action.TLS, Failure.TLS_RESET, None
    if round_trip == PUSH and match.failure is not Failure.NO_CREDENTIALS:
        return Action.REQUEST, match.failure, None
    specific = match.action in (Action.CREDENTIALS, Action.CHALLENGE, Action.MANIFEST, Action.BLOB)
    return (match.action if specific and match.action else round_trip.action), match.failure, None


def _excerpt(record: str, match: PatternMatch, target: _Target | None) -> str:
    """The part of a record around the match, fit to be shown."""
    begin = max(min(match.begin, target.begin if target is not None else match.begin), match.begin - _CONTEXT)
    begin = _past_secrets(record, record.rfind(" ", 0, begin) + 1 if begin else 0, match.begin)
    if method := _METHOD.search(record, 0, begin + 1):
        begin = method.start()  # not between the quotation marks of its URL
    end = match.end + _CONTEXT
    if end < len(record):
        end = max(record.rfind(" ", 0, end), match.end)  # not within a word, such as a URL
    return scrub(record[begin:end].strip("\"'{} "))


def _past_secrets(record: str, begin: int, end: int) -> int:
    """The first word from `begin` on with which an excerpt can begin and show no secret.

    A word is cut because of words before it, which an excerpt may leave out: an excerpt is safe if the record, cut as a
    whole, contains it.
    """
    safe_text = cut_secrets(record[max(begin - _LOOK_BACK, 0) : end])
    for word in re.finditer(r"\S+", record[begin:end]):
        if cut_secrets(record[begin + word.start() : end]) in safe_text:
            return begin + word.start()
    return end


def _address(text: str | None) -> str | None:
    """An IP address; None where it is masked or invalid."""
    try:
        return str(ip_address((text or "").strip("[]").partition("%")[0]))
    except ValueError:
        return None


def _code(record: str, failure: Failure) -> str | None:
    """AWS's code for this failure, anywhere in the record."""
    codes = (match[0] for match in _CODE.finditer(record) if not match[0].isupper())
    return next((code for code in codes if failure_of_code(code, record) is failure), None)


def _status(record: str) -> int | None:
    """The HTTP status that is named last."""
    statuses = [int(match["code"] or match["leading"]) for match in _STATUS.finditer(record)]
    return statuses[-1] if statuses else None


def _is_of_aws(record: str, code: str | None, failure: Failure) -> bool:
    """Whether AWS answered. A code of a server error is a common word, which other programs write too."""
    own_code = code is not None and failure is not Failure.SERVER_ERROR
    return own_code or bool(_REQUEST_ID.search(record) or _S3_BODY.search(record))


def _denial(record: str) -> Denial | None:
    """AWS's sentence on a denial, also where its beginning is missing."""
    denial = denial_in(record)
    if denial is not None and denial.reason is not None:
        return denial
    reason = reason_in(record)
    explicit = "explicit deny" in record
    if denial is None and (named := _ROLE_WITHOUT_SENTENCE.search(record)):
        denial = Denial(principal=named["role"])
    if denial is None and reason is None and not explicit:
        return None
    return replace(denial or Denial(action=_operation(record)), reason=reason, explicit=explicit)


def _time(match: re.Match[str] | None) -> datetime | None:
    try:
        return datetime.fromisoformat(f"{match[1]}+00:00") if match else None
    except ValueError:
        return None

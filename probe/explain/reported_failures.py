"""From a record to a clue: which round trip failed, at which host and address, and how. Pure.

The last request's host and address decide before any headline: ECS's sentences name the registry where S3 is meant, and
put secrets, parameters and tokens under one title.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from ipaddress import ip_address

from probe.addresses import LINK_LOCAL_SERVICES
from probe.explain.error_patterns import DOCKER_HUB, PatternMatch, Weight, deciding_match
from probe.explain.hosts import Host, is_foreign, is_link, is_masked, is_public_ecr, read_host
from probe.explain.round_trips import (
    BLOB,
    FILE,
    LAYER,
    LOGS,
    MANIFEST,
    TOKEN,
    RoundTrip,
    round_trip_in_text,
    round_trip_of_url,
)
from probe.explain.task_context import TaskContext
from probe.faults.evidence import ELSEWHERE, UNNAMED
from probe.faults.text_only import Subject
from probe.model import Action, Denial, Failure
from probe.records import Record
from probe.wire.errors import scrub
from probe.wire.refusals import denial_in, failure_of_code, reason_in, times_in

_URL = re.compile(
    r"(?:https?|wss?)://(?:[^\s/@\"'<>]{1,255}@)?(?P<host>[^\s/\"'?#:@\[]{1,255}|\[[\da-fA-F:]{2,45}\])"
    r"(?::\d+)?(?P<path>/[^\s\"']*)?"
)
_DIALLED = re.compile(r"(?:unable to dial|error dialing) (?P<host>[\w.*<>-]{1,255})")
# Names of AWS without a scheme. What has a path is an image.
_BARE = re.compile(
    r"(?<![\w./@:-])(?P<host>[\w.*<>-]{1,200}\.(?:amazonaws\.com(?:\.cn)?|api\.aws|on\.aws))\b(?![/:\w-])"
)
_ALLOWS = re.compile(r"policy allows the (?P<action>[\w-]{2,40}:\w{2,60})")
_ACTIONS = {
    "ecr:BatchGetImage": MANIFEST,
    "ecr:GetDownloadUrlForLayer": BLOB,
    "ecr:BatchCheckLayerAvailability": BLOB,
}
_SERVICES = {"ecr": TOKEN, "logs": LOGS, "s3": LAYER}
_REQUEST_ID = re.compile(r"request ?id\b[:=\"' ]{1,4}[0-9a-z-]{8,64}", re.IGNORECASE)
_STATUS = re.compile(r"status(?: ?code)?:? (?P<code>[1-5]\d\d)\b|\b(?P<said>[45]\d\d) [A-Z][a-z]", re.IGNORECASE)
_S3_BODY = re.compile(r"<\?xml|<Error>")
_CODE = re.compile(r"\b[A-Z][A-Za-z]{2,60}\b")
_GROUP = re.compile(r"log ?group(?:name)?[ =:'\"]{1,3}(/[\w.#/-]{1,512})", re.IGNORECASE)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_EXPIRY = re.compile(r"current time \S{10,40} is after (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)Z")
# What stands over an error of the pull. Without a clause it is all that was left of it.
_HEADLINE = re.compile(
    r"\bCannotPull\w+Error\b|\b(?:ResourceInitialization|ContainerRuntime)\w*Error\b|ErrImagePull|ImagePullBackOff"
    r"|[Ff]ailed to (?:pull|resolve ref|copy|solve|fetch)|[Uu]nable to (?:pull|retrieve)|registry auth"
)
# That an image is pulled, or a registry asked: other programs have hosts and disks too.
_OF_AN_IMAGE = re.compile(
    r"/v2\b|\bdocker|docker\b|containerd|podman|buildkit|\bmanifests?\b|\blayers?\b|\bsnapshots?\b|overlay"
    r"|error response from daemon|cannot ?pull|pull(?:ing)? (?:access|image|the image|and unpack)|imagepull"
    r"|(?:failed|unable) to (?:pull|resolve (?:ref|source)|solve|copy|extract|authorize|fetch \w+ token)",
    re.IGNORECASE,
)
_BUCKET_OF_HOST = re.compile(r"(.+?)\.(?:vpce-[^.]+\.)?s3[.-]")
# A host with a port of its own: a database, a cache.
_OTHER_PORT = re.compile(r"(?:[\w-]\.[a-z]{2,}|\d\.\d{1,3}):(?!443\b)\d{2,5}\b")
_BELOW = (Action.DNS, Action.TCP, Action.TLS)
_HTTPS = (None, "443", "https")
_AROUND = 160  # characters that are shown beside a clause


class ReportedFailure(Record, frozen=True):
    """What a record tells of one failure; None where it does not tell."""

    endpoint: str
    action: Action  # of the step that failed: a lookup, a connection, a handshake, or the round trip itself
    failure: Failure
    weight: Weight
    words: str
    subject: Subject | None = None
    host: Host | None = None
    address: str | None = None
    server: str | None = None
    code: str | None = None
    status: int | None = None
    aws: bool = False
    denial: Denial | None = None
    signed_at: datetime | None = None
    server_time: datetime | None = None
    platform: str | None = None
    names: tuple[str, ...] = ()
    not_after: datetime | None = None
    log_group: str | None = None
    digest: str | None = None


class _Target(Record, frozen=True):
    """What a request went to."""

    begin: int
    host: Host
    path: str = ""


def read_failures(records: Iterable[str], context: TaskContext) -> tuple[ReportedFailure, ...]:
    """The clues of a text, in its order: hints only where nothing says more, and of each endpoint its last failure."""
    clues = [clue for record in records if (clue := _read(record, context)) is not None]
    said = [clue for clue in clues if clue.weight is not Weight.FAINT] or clues
    named = [clue for clue in said if clue.endpoint != UNNAMED] or said
    last = {(clue.endpoint, clue.subject): (clue.action, clue.failure) for clue in named}
    kept = (clue for clue in named if last[clue.endpoint, clue.subject] == (clue.action, clue.failure))
    return tuple(dict.fromkeys(kept))


def _read(record: str, context: TaskContext) -> ReportedFailure | None:
    said, words = deciding_match(record), round_trip_in_text(record)
    if said is None:
        return _headline(record) if _HEADLINE.search(record) else None
    target = _target(record, said)
    if said.subject is Subject.LOG_REGION and words != LOGS:
        return None  # any client can lack a region
    if said.subject is Subject.DISK and not _OF_AN_IMAGE.search(record):
        return None  # and any program fill a disk
    if said.subject:
        return _clue(record, said, RoundTrip("task", said.action or Action.START), target)
    if said.action is Action.CREDENTIALS or _is_link_local(said, target):
        return _clue(record, said, RoundTrip("task", Action.CREDENTIALS), target)
    if said.action is Action.TCP and not _is_https(said.port):
        return None  # some other program's connection
    stage = _stage(record, said, target, words, context)
    return None if stage is None else _clue(record, said, stage, target)


def _headline(record: str) -> ReportedFailure:
    """A text that stops before it says what went wrong."""
    return ReportedFailure(
        "task", Action.START, Failure.MALFORMED, Weight.FAINT, scrub(record), subject=Subject.CUT_SHORT
    )


def _is_link_local(said: PatternMatch, target: _Target | None) -> bool:
    """Whether it was asked for credentials, whose addresses no endpoint, group or network ACL concerns."""
    return said.address in LINK_LOCAL_SERVICES or (target is not None and target.host.name in LINK_LOCAL_SERVICES)


def _is_https(port: str | None) -> bool:
    """Port 443, told or masked or left out."""
    return port in _HTTPS or not (port or "").strip("*xX")


# ---- where ----------------------------------------------------------------------------------------------------------


def _target(record: str, said: PatternMatch) -> _Target | None:
    """The host that the clause itself names, else that of the last request before its end."""
    if said.host is not None:
        return _Target(said.begin, read_host(said.host))
    for pattern in (_URL, _DIALLED, _BARE):
        found = [_Target(each.start(), read_host(each["host"]), _path(each)) for each in pattern.finditer(record)]
        found = [target for target in found if not is_link(target.host.name)]
        before = [target for target in found if target.begin < said.end]
        if found:
            return before[-1] if before else found[0]
    return None


def _path(found: re.Match[str]) -> str:
    return (found["path"] if "path" in found.re.groupindex else None) or ""


def _stage(
    record: str, said: PatternMatch, target: _Target | None, words: RoundTrip | None, context: TaskContext
) -> RoundTrip | None:
    """The round trip: by the operation that was refused, by what answered, by the host, and at last by words."""
    if said.failure is Failure.DENIED and (operation := _operation(record)) is not None:
        service = operation.partition(":")[0]
        return _ACTIONS.get(operation) or _SERVICES.get(service) or RoundTrip(service, Action.REQUEST)
    if target is not None and target.host.endpoint == "s3" and not _keeps_layers(record, target):
        return words if words in (LAYER, BLOB, FILE) else None  # some other program's bucket
    if said.action not in _BELOW and _S3_BODY.search(record):
        return LAYER
    if said.action in (Action.LAYER, Action.LOGS):
        return LAYER if said.action is Action.LAYER else LOGS
    of_registry = said.action is Action.CHALLENGE or said.failure is Failure.NO_PLATFORM
    if target is not None and target.host.endpoint is not None:
        return MANIFEST if of_registry else round_trip_of_url(target.host.endpoint, target.path)
    if target is not None and is_foreign(target.host):
        of_ecr = context.image is not None or "dkr.ecr" in record
        if of_ecr and words in (LAYER, BLOB):
            return RoundTrip("ecr.dkr", Action.BLOB)
        return RoundTrip(ELSEWHERE, Action.MANIFEST) if _is_of_an_image(record, target.host, context) else None
    if said.code == DOCKER_HUB:
        return RoundTrip(ELSEWHERE, Action.MANIFEST)
    of_pull = words is None or words.endpoint in ("ecr.dkr", "s3")
    if context.other_image is not None and of_pull:
        return RoundTrip(ELSEWHERE, Action.MANIFEST)
    if words is not None and not of_registry:
        return words
    if said.action in (Action.MANIFEST, Action.CHALLENGE, Action.BLOB):
        return RoundTrip("ecr.dkr", said.action)
    # Nobody is named: words of AWS are AWS's, and what happened to a connection is known; the rest may be anybody's.
    happened = said.action in _BELOW and said.weight is Weight.STRONG
    if said.action is Action.TCP and _OTHER_PORT.search(record):
        return None
    ours = happened or _code(record, said.failure) is not None or said.failure is Failure.CLOCK
    return RoundTrip(UNNAMED, Action.REQUEST) if ours else None


def _is_of_an_image(record: str, host: Host, context: TaskContext) -> bool:
    """Whether another's host is one of a registry, as far as the text tells."""
    return context.other_image is not None or is_public_ecr(host.name) or _OF_AN_IMAGE.search(record) is not None


def _keeps_layers(record: str, target: _Target) -> bool:
    """Whether a bucket is the one of ECR's layers, or not told."""
    in_host, in_path = _BUCKET_OF_HOST.match(target.host.name), target.path.strip("/").partition("/")[0]
    bucket = in_host[1] if in_host else in_path
    return "starport-layer" in record or not bucket or is_masked(bucket)


def _operation(record: str) -> str | None:
    denial = denial_in(record)
    allowed = _ALLOWS.search(record)
    return denial.action if denial else allowed["action"] if allowed else None


# ---- what -----------------------------------------------------------------------------------------------------------


def _clue(record: str, said: PatternMatch, stage: RoundTrip, target: _Target | None) -> ReportedFailure:
    host = target.host if target is not None else None
    action, failure, subject = _failed(record, said, stage, target)
    signed_at, server_time = times_in(record) if failure is Failure.CLOCK else (None, None)
    digest, group = _DIGEST.search(record), _GROUP.search(record)
    code = said.code or _code(record, failure)
    return ReportedFailure(
        endpoint="task" if subject else stage.endpoint,
        action=action,
        failure=failure,
        weight=said.weight,
        words=_words(record, said, target),
        subject=subject,
        host=host if host is not None and host.endpoint in (stage.endpoint, None) else None,
        address=_address(said.address),
        server=_address(said.server),
        code=code if action not in _BELOW else None,
        status=_status(record) if action not in _BELOW else None,
        aws=bool(code or _REQUEST_ID.search(record) or _S3_BODY.search(record)),
        denial=_denial(record) if failure is Failure.DENIED else None,
        signed_at=signed_at,
        server_time=server_time,
        platform=said.platform,
        names=tuple((said.names or "").replace(",", " ").split())[:8],
        not_after=_not_after(record) if failure is Failure.EXPIRED else None,
        log_group=group[1] if group else None,
        digest=digest[0] if digest else None,
    )


def _failed(
    record: str, said: PatternMatch, stage: RoundTrip, target: _Target | None
) -> tuple[Action, Failure, Subject | None]:
    """The step that failed, how, and its subject."""
    if said.subject:
        return said.action or Action.START, said.failure, said.subject
    if target is not None and target.host.vpce and ("login" in record or target.path.startswith("/v2")):
        return Action.ENVIRONMENT, said.failure, Subject.VPCE_HOST
    if target is not None and is_foreign(target.host) and stage.endpoint == "ecr.dkr":
        return Action.BLOB, Failure.REDIRECT, None
    if stage.action is Action.CREDENTIALS:
        known = said.failure is Failure.NO_CREDENTIALS
        return Action.CREDENTIALS, said.failure if known else Failure.NO_ANSWER, None
    if said.action in _BELOW:
        return said.action or stage.action, said.failure, None
    if said.failure is Failure.RESET and (stage.action is not Action.LAYER or "failed to do request" in record):
        # No byte of an answer: it was cut after the ClientHello, or in the handshake.
        return Action.TLS, Failure.TLS_RESET, None
    own = said.action in (Action.CREDENTIALS, Action.CHALLENGE, Action.MANIFEST, Action.BLOB)
    return (said.action if own and said.action else stage.action), said.failure, None


def _words(record: str, said: PatternMatch, target: _Target | None) -> str:
    """The record's own words around the clause, fit to be shown."""
    begin = max(min(said.begin, target.begin if target is not None else said.begin), said.begin - _AROUND)
    begin = _past_secrets(record, record.rfind(" ", 0, begin) + 1 if begin else 0, said.begin)
    return scrub(record[begin : said.end + _AROUND].strip("\"'{} "))


def _past_secrets(record: str, begin: int, most: int) -> int:
    """Where words may begin: not at one that is a secret by those before it, which would be left out."""
    for word in re.finditer(r"\S+", record[begin:most]):
        before = record[max(begin + word.start() - _AROUND, 0) : begin + word.start()].split()[-2:]
        if scrub(" ".join((*before, word[0]))).endswith(scrub(word[0])):
            return begin + word.start()
    return most


def _address(text: str | None) -> str | None:
    """None where it is masked, or no address."""
    try:
        return str(ip_address((text or "").strip("[]").partition("%")[0]))
    except ValueError:
        return None


def _code(record: str, failure: Failure) -> str | None:
    """AWS's code for this failure, wherever in the record it stands."""
    codes = (found[0] for found in _CODE.finditer(record) if not found[0].isupper())
    return next((code for code in codes if failure_of_code(code, record) is failure), None)


def _status(record: str) -> int | None:
    found = [int(each["code"] or each["said"]) for each in _STATUS.finditer(record)]
    return found[-1] if found else None


def _denial(record: str) -> Denial | None:
    """AWS's sentence, also where its beginning was cut off or left out."""
    whole = denial_in(record)
    if whole is not None and whole.reason is not None:
        return whole
    reason = reason_in(record)
    explicit = "explicit deny" in record
    if whole is None and reason is None and not explicit:
        return None
    principal, action = (whole.principal, whole.action) if whole else (None, _operation(record))
    return Denial(reason=reason, explicit=explicit, principal=principal, action=action)


def _not_after(record: str) -> datetime | None:
    found = _EXPIRY.search(record)
    try:
        return datetime.fromisoformat(f"{found[1]}+00:00") if found else None
    except ValueError:
        return None

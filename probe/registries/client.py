"""The protocol of registries (OCI distribution specification 1.1, spec.md), for what a copy needs.

Every request is bounded in time and bytes, and repeated a bounded number of times where that is safe. Redirects are
followed for blobs only, and no other host than the registry's own receives its Authorization header. What registries
write into errors is scrubbed, and URLs are never shown, since they carry signatures and state.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from threading import Event
from time import monotonic, time
from typing import Self
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from probe.model import Budget, Failure
from probe.records import Record
from probe.registries.authorization import Authorization, LoginCallback, scope_of
from probe.registries.network import operator_wire
from probe.registries.source import (
    MAX_MANIFEST,
    CopyError,
    Document,
    MissingError,
    StoppedError,
    bad_digest,
    digest_of,
    is_digest,
    parse,
)
from probe.registries.urls import Origin, joined, origin_of, registry_origin, request_target, with_query
from probe.safe_words import quoted, scrub
from probe.wire import Wire
from probe.wire.errors import WireError
from probe.wire.http import Answer, Body, Conversation
from probe.wire.manifests import ACCEPT, Blob

TRIES = 6  # of a request that fails for a reason that may pass
_FIRST_TRIES = 2  # while the registry has not answered at all: its name may be wrong
_LONGEST_PAUSE = 60.0  # seconds, also if the server asks for more
_REDIRECTS = 5
_PIECE = 256 * 1024
_ANSWER = 64 * 1024  # bytes of a response that is no manifest or blob
_UPLOAD_SECONDS = 600.0  # for one chunk
_BUDGET = Budget(connect=10, tls=10, request=60, stall=60)
_YEAR = 365 * 86400.0
_CONNECTIONS = 8
_MAX_BELOW, _MAX_DEPTH = 500, 4  # manifests below an index, and indexes within indexes
# Failures of a connection that may pass. Others, such as an untrusted certificate, stay.
TEMPORARY = (
    Failure.TIMEOUT,
    Failure.REFUSED,
    Failure.RESET,
    Failure.UNREACHABLE,
    Failure.TLS_STALL,
    Failure.TLS_RESET,
    Failure.TRUNCATED,
    Failure.STALLED,
)
_REDIRECTED = (301, 302, 303, 307, 308)
TEMPORARY_STATUS = (408, 425, 429, 500, 502, 503, 504)
_CONTENT_RANGE = re.compile(r"bytes (\d{1,19})-\d{1,19}/(?:\d{1,19}|\*)")
_ACCEPTED = {"Accept": ACCEPT}


class Registry:
    """One registry. Not thread-safe; a context manager that closes its connections.

    `host` is that of an image reference, with a port if it has one, or a URL such as the proxyEndpoint of ECR's
    GetAuthorizationToken. Registries on this machine's loopback addresses are called without TLS unless the URL says
    https. `login` is called when the registry first asks for a login, and again when it no longer accepts it, such as
    after the 12 hours of a token of ECR (AWS[ecr-token-lifetime]). `stop` ends waiting and copying, and so does
    `until`, an instant of time.monotonic(): a registry that answers slowly for ever would be waited for otherwise.
    """

    def __init__(
        self,
        host: str,
        login: LoginCallback = lambda: None,
        *,
        wire: Wire | None = None,
        stop: Event | None = None,
        until: float | None = None,
    ) -> None:
        """Raises CopyError MALFORMED for text that is no host, and for a remote registry without TLS."""
        self.host = urlsplit(host).netloc if "://" in host else host
        self.stop = stop or Event()
        self._until = monotonic() + _YEAR if until is None else until
        self._origin = registry_origin(host)
        self._authorization = Authorization(self.host, login, self._send_once)
        self._wire = wire or operator_wire()
        self._conversations: dict[Origin, Conversation] = {}
        self._answered: set[Origin] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        for conversation in self._conversations.values():
            conversation.close()
        self._conversations.clear()

    # ---- manifests -------------------------------------------------------------------------------

    def has(self, repository: str, digest: str) -> bool:
        """Whether a repository has this manifest. Raises CopyError."""
        return self.digest_of_tag(repository, digest) is not None

    def digest_of_tag(self, repository: str, reference: str) -> str | None:
        """The digest of a tag (or digest), None if it does not exist. Raises CopyError."""
        answer = self._call("HEAD", self._manifest(repository, reference), repository, headers=_ACCEPTED)
        if answer.status == 404:
            return None
        self._require(answer, repository, 200)
        digest = answer.headers.get("Docker-Content-Digest", "")
        if is_digest(digest):
            return digest
        return reference if is_digest(reference) else self.read_manifest(repository, reference).digest

    def digests_below(self, repository: str, digest: str) -> tuple[str, ...]:
        """The digests of all manifests below an index, children before their parents. Raises CopyError.

        Empty for the manifest of an image, and for one that does not exist.
        """
        below: dict[str, None] = {}

        def visit(digest: str, depth: int) -> None:
            try:
                document = self.read_manifest(repository, digest)
            except MissingError:
                return
            for child in document.children if depth < _MAX_DEPTH else ():
                if child.digest not in below and len(below) < _MAX_BELOW:
                    visit(child.digest, depth + 1)
                    below[child.digest] = None

        visit(digest, 0)
        return tuple(below)

    def read_manifest(self, repository: str, reference: str) -> Document:
        """A manifest by its tag or digest, verified. Raises CopyError, MissingError if it does not exist."""
        url = self._manifest(repository, reference)
        answer = self._call("GET", url, repository, headers=_ACCEPTED, limit=MAX_MANIFEST)
        if answer.status == 404:
            raise MissingError(f"{self.host} has no {repository}{_suffix(reference)}{self._reason(answer)}")
        self._require(answer, repository, 200)
        digest, name = digest_of(answer.body), f"{self.host}/{repository}"
        announced = reference if is_digest(reference) else answer.headers.get("Docker-Content-Digest", digest)
        if digest != announced:
            raise bad_digest(name, announced, digest)
        media_type = answer.headers.get("Content-Type", "").partition(";")[0].strip()
        return parse(answer.body, digest=digest, media_type=media_type, name=name)

    def put_manifest(self, repository: str, document: Document, reference: str) -> None:
        """Write a manifest under its digest or a tag. Raises CopyError."""
        url, scope = self._manifest(repository, reference), scope_of(repository, push=True)
        headers = {"Content-Type": document.media_type}
        answer = self._call("PUT", url, repository, headers=headers, body=document.body, scope=scope)
        self._require(answer, repository, 200, 201, 202)
        digest = answer.headers.get("Docker-Content-Digest", document.digest)
        if digest != document.digest:
            raise bad_digest(f"{self.host}/{repository}", document.digest, digest)

    # ---- blobs -----------------------------------------------------------------------------------

    def has_blob(self, repository: str, digest: str) -> bool:
        """Whether a repository has this blob. Raises CopyError."""
        answer = self._call("HEAD", self._blob(repository, digest), repository)
        if answer.status == 404:
            return False
        self._require(answer, repository, 200, *_REDIRECTED)  # a registry redirects to what it has
        return True

    def read_blob(self, repository: str, blob: Blob) -> Iterator[bytes]:
        """The bytes of a blob, in pieces; after a lost connection the rest is requested. Raises CopyError.

        The digest is left to the caller, the size is not.
        """
        received, tries = 0, 0
        while True:
            before = received
            try:
                with self._stream(repository, blob, received) as body:
                    for piece in _pieces(body):
                        self.require_time()
                        received += len(piece)
                        yield piece
                if received >= blob.size:
                    return
                raise WireError(Failure.TRUNCATED, f"the body ended after {received} of {blob.size} bytes")
            except WireError as error:
                tries = 1 if received > before else tries + 1
                if error.failure not in TEMPORARY or tries >= TRIES:
                    raise self.failed(error, repository) from None
            self.pause(tries)

    @contextmanager
    def _stream(self, repository: str, blob: Blob, begin: int) -> Iterator[Body]:
        """The response to a GET of a blob from `begin` on, after redirects. Raises WireError, CopyError."""
        url, scope = self._blob(repository, blob.digest), scope_of(repository)
        headers = {"Range": f"bytes={begin}-"} if begin else {}
        for _ in range(_REDIRECTS + 2):  # two more, since a login may be asked for, and may have expired
            origin = origin_of(url)
            self._check_redirect(origin)
            all_headers = {**headers, **self._headers_for(origin, scope)}
            conversation = self._conversation(origin)
            with conversation.stream("GET", request_target(url), headers=all_headers, limit=blob.size) as body:
                self._answered.add(origin)
                if body.status == 206 and begin:
                    match = _CONTENT_RANGE.fullmatch(body.headers.get("Content-Range", ""))
                    if match is None or int(match[1]) != begin:
                        raise WireError(Failure.MALFORMED, "the response has another range than the requested one")
                elif body.status == 200:
                    _skip(body, begin)
                if body.status in (200, 206):
                    yield body
                    return
                answer = Answer(body.status, body.headers, body.error_body())
            if answer.status in _REDIRECTED:
                url = joined(url, answer.headers.get("Location", ""))
            elif answer.status in TEMPORARY_STATUS:
                raise WireError(Failure.RESET, f"HTTP {answer.status}")
            elif not self._follow(origin, answer, scope):
                raise self.refused(answer, repository)
        text = f"{self.host} redirects the blob {blob.digest[:19]}… more than {_REDIRECTS} times"
        raise CopyError(Failure.REDIRECT, text)

    def mount(self, repository: str, digest: str, other: str) -> str | None:
        """Ask for a blob of another repository of this registry: None if it is mounted, else the URL of a new upload.

        ECR mounts where the account setting BLOB_MOUNTING is on and both repositories have the same encryption
        (AWS[ecr-blob-mounting]); otherwise it begins an upload, as any registry may.
        """
        return self._begin(repository, {"mount": digest, "from": other})

    def begin_upload(self, repository: str) -> str:
        """The URL of a new upload. Raises CopyError."""
        url = self._begin(repository, {})
        if url is None:
            raise CopyError(Failure.MALFORMED, f"{self.host} did not begin an upload to {repository}")
        return url

    def _begin(self, repository: str, query: Mapping[str, str]) -> str | None:
        url = self._origin.url(f"/v2/{repository}/blobs/uploads/")
        url = with_query(url, urlencode(query)) if query else url
        scope = scope_of(repository, push=True, mount_from=query.get("from"))
        answer = self._call("POST", url, repository, scope=scope)
        if query and answer.status in (401, 403, 404):  # the other repository may not be readable
            return self._begin(repository, {})
        self._require(answer, repository, 201, 202)
        if answer.status == 201:
            return None
        return self.upload_location(url, answer)

    def upload_location(self, url: str, answer: Answer) -> str:
        """Where an upload goes on, by the response to the request of `url`. Raises CopyError."""
        location = answer.headers.get("Location", "")
        if not location:
            raise CopyError(Failure.MALFORMED, f"{self.host} names no place for the upload")
        place = joined(url, location)
        self._check_redirect(origin_of(place))
        return place

    def send(
        self, method: str, url: str, repository: str, *, headers: Mapping[str, str], body: bytes | memoryview = b""
    ) -> Answer:
        """One request of an upload, sent once, but for a login that has expired. Raises WireError, CopyError."""
        scope = scope_of(repository, push=True)
        return self._exchange(method, url, scope, headers=headers, body=body, seconds=_UPLOAD_SECONDS)

    def _manifest(self, repository: str, reference: str) -> str:
        return self._origin.url(f"/v2/{repository}/manifests/{quote(reference, safe=':')}")

    def _blob(self, repository: str, digest: str) -> str:
        return self._origin.url(f"/v2/{repository}/blobs/{digest}")

    # ---- requests --------------------------------------------------------------------------------

    def _call(
        self,
        method: str,
        url: str,
        repository: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        scope: str = "",
        limit: int = _ANSWER,
    ) -> Answer:
        """A request that may be repeated, until its answer is no temporary error. Raises CopyError."""
        tries, scope = 0, scope or scope_of(repository)
        while True:
            tries += 1
            try:
                answer = self._exchange(method, url, scope, headers=headers or {}, body=body, limit=limit)
            except WireError as error:
                most = TRIES if self._origin in self._answered else _FIRST_TRIES
                if error.failure not in TEMPORARY or tries >= most:
                    raise self.failed(error, repository) from None
                self.pause(tries)
            else:
                if answer.status not in TEMPORARY_STATUS or tries >= TRIES:
                    return answer
                self.pause(tries, answer)

    def _exchange(
        self,
        method: str,
        url: str,
        scope: str,
        *,
        headers: Mapping[str, str],
        body: bytes | memoryview = b"",
        limit: int = _ANSWER,
        seconds: float | None = None,
    ) -> Answer:
        """One request, and again with a login if the registry asks for one. Raises WireError, CopyError."""
        origin = origin_of(url)
        for is_last in (False, False, True):
            self.require_time()
            all_headers = {**headers, **self._headers_for(origin, scope)}
            answer = self._conversation(origin).request(
                method, request_target(url), headers=all_headers, body=body, seconds=seconds, limit=limit
            )
            self._answered.add(origin)
            if is_last or not self._follow(origin, answer, scope):
                break
        return answer

    def _headers_for(self, origin: Origin, scope: str) -> dict[str, str]:
        return self._authorization.headers(scope) if origin == self._origin else {}

    def _follow(self, origin: Origin, answer: Answer, scope: str) -> bool:
        """Whether a request should be sent again, with another login. Raises WireError, CopyError."""
        if origin != self._origin:
            return False
        if answer.status == 401 or self._authorization.may_have_expired(answer):
            return self._authorization.follow(answer, scope)
        if answer.status != 403:
            self._authorization.accepted()
        return False

    def _send_once(self, method: str, url: str, *, headers: Mapping[str, str], body: bytes = b"") -> Answer:
        """A request of a token service."""
        origin = origin_of(url)
        self._check_redirect(origin)
        answer = self._conversation(origin).request(
            method, request_target(url), headers=headers, body=body, limit=_ANSWER
        )
        if answer.status in TEMPORARY_STATUS:
            raise WireError(Failure.RESET, f"HTTP {answer.status} of the token service")
        return answer

    def _conversation(self, origin: Origin) -> Conversation:
        if origin not in self._conversations:
            if len(self._conversations) >= _CONNECTIONS:
                oldest = next(key for key in self._conversations if key != self._origin)
                self._conversations.pop(oldest).close()
            self._conversations[origin] = Conversation(
                self._wire,
                host=origin.host,
                address=origin.address,
                port=origin.port,
                tls=origin.tls,
                until=self._until,
                budget=_BUDGET,
            )
        return self._conversations[origin]

    def _check_redirect(self, origin: Origin) -> None:
        """Raise CopyError for a place to which no remote registry may lead: this machine itself."""
        if origin == self._origin or not origin.is_of_this_machine:
            return
        if self._origin.is_loopback and origin.is_loopback:
            return
        raise CopyError(Failure.REDIRECT, f"{self.host} redirects to {quoted(origin.host)}, which is not followed")

    def pause(self, tries: int, answer: Answer | None = None) -> None:
        """Wait before another try: longer each time, or as long as the server asks for. Raises StoppedError."""
        asked = _retry_after(answer.headers.get("Retry-After", "")) if answer is not None else 0.0
        self.stop.wait(min(_LONGEST_PAUSE, max(asked, 2.0 ** (tries - 1)), max(0.0, self._until - monotonic())))
        self.require_time()

    def require_time(self) -> None:
        """Raises StoppedError."""
        if self.stop.is_set() or monotonic() >= self._until:
            raise StoppedError

    # ---- errors ----------------------------------------------------------------------------------

    def _require(self, answer: Answer, repository: str, *statuses: int) -> None:
        if answer.status not in statuses:
            raise self.refused(answer, repository)

    def failed(self, error: WireError, repository: str) -> CopyError:
        """The error for a connection that failed."""
        if error.failure is Failure.DEADLINE:
            return StoppedError()
        if error.failure is Failure.UNTRUSTED:
            text = f"{self.host}: its certificate is not trusted: {error.detail}"
            return CopyError(error.failure, f"{text}; AWS_CA_BUNDLE names a file of trusted ones")
        return CopyError(error.failure, f"{self.host}/{repository}: {error.detail or error.failure}")

    def refused(self, answer: Answer, repository: str) -> CopyError:
        """The error for an answer that is no success."""
        code, message = _error_of(answer)
        place = f"{self.host}/{repository}"
        why = self._reason(answer)
        match answer.status:
            case 401:
                lack = "the login is not accepted" if self._authorization.has_login else "a login is needed"
                return CopyError(Failure.UNAUTHENTICATED, f"{place}: {lack}{why}")
            case 403:
                return CopyError(Failure.DENIED, f"{place}: not allowed{why}")
            case 404 if code != "BLOB_UNKNOWN":
                return CopyError(Failure.NOT_FOUND, f"{place} does not exist{why}")
            case 429:
                return CopyError(Failure.THROTTLED, f"{place}: too many requests{why}")
            case _ if code == "TAG_INVALID" and "immutable" in message:  # AWS[ecr-immutable-tags]
                return CopyError(Failure.DENIED, f"{place}: its tags are immutable{why}")
            case status:
                failure = Failure.SERVER_ERROR if status >= 500 else Failure.MALFORMED
                return CopyError(failure, f"{place}: HTTP {status}{why}")

    def _reason(self, answer: Answer) -> str:
        """What the registry says about an error, without the secrets that it received."""
        text = ": ".join(part for part in _error_of(answer) if part)
        text = scrub(self._authorization.without_secrets(text))
        return f": {text}" if text else ""


class _Error(Record, frozen=True):
    code: str = ""
    message: str = ""


class _Errors(Record, frozen=True):
    errors: list[_Error]


def _error_of(answer: Answer) -> tuple[str, str]:
    """Code and message of a registry's error (distribution specification, "Error codes")."""
    try:
        errors = msgspec.json.decode(answer.body, type=_Errors).errors
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return "", ""
    return (errors[0].code, errors[0].message) if errors else ("", "")


def _suffix(reference: str) -> str:
    return f"@{reference}" if is_digest(reference) else f":{reference}"


def _retry_after(text: str) -> float:
    try:
        return float(text) if text.isdigit() else max(0.0, parsedate_to_datetime(text).timestamp() - time())
    except (ValueError, OverflowError, TypeError):
        return 0.0


def _pieces(body: Body) -> Iterator[bytes]:
    """The rest of a body. Before an error comes what arrived, so that it is not requested again."""
    buffer, failure = memoryview(bytearray(_PIECE)), None
    while failure is None:
        before = body.received
        try:
            count = body.read_into(buffer)
        except WireError as error:
            if error.failure not in TEMPORARY:
                raise
            count, failure = body.received - before, error
        if count:
            yield bytes(buffer[:count])
        elif failure is None:
            return
    raise failure


def _skip(body: Body, count: int) -> None:
    """Read over the beginning, which a server that ignores Range sends again."""
    buffer = memoryview(bytearray(_PIECE))
    while count:
        read = body.read_into(buffer[: min(count, _PIECE)])
        if not read:
            raise WireError(Failure.TRUNCATED, "the body ended early")
        count -= read

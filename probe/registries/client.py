"""The protocol of registries (OCI distribution specification 1.1, spec.md), for what a copy needs.

Every request is bounded in time and bytes, and repeated a bounded number of times where that is safe. Redirects are
followed for blobs only, and no other host than the registry's own receives its Authorization header. What registries
write into errors is scrubbed, and URLs are never shown, since they carry signatures and state.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from threading import Event
from time import monotonic, time
from typing import Self
from urllib.parse import quote, urlencode, urljoin, urlsplit

import msgspec

from probe.model import Budget, Failure
from probe.records import Record, Unshown
from probe.registries.logins import Login
from probe.registries.network import LOOPBACK, operator_wire
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
from probe.safe_words import quoted, scrub, without
from probe.wire import Wire
from probe.wire.errors import WireError
from probe.wire.http import Answer, Body, Conversation
from probe.wire.manifests import ACCEPT, Blob

TRIES = 6  # of a request that fails for a reason that may pass
_FIRST_TRIES = 2  # while the registry has not answered at all: its name may be wrong
_LONGEST_PAUSE = 60.0  # seconds, also if the server asks for more
_REDIRECTS = 5
_MAX_TOKEN = 64 * 1024  # bytes of a token service's response
_PIECE = 256 * 1024
_ANSWER = 64 * 1024  # bytes of a response whose body does not matter
_UPLOAD_SECONDS = 600.0  # for one chunk
_BUDGET = Budget(connect=10, tls=10, request=60, stall=60)
_YEAR = 365 * 86400.0
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
_PARAMETER = re.compile(r'([a-zA-Z]+)\s*=\s*(?:"([^"\\]*)"|([^\s",]+))')
_DOCKER_HUB = {"docker.io": "registry-1.docker.io", "index.docker.io": "registry-1.docker.io"}
_CONTENT_RANGE = re.compile(r"bytes (\d{1,19})-\d{1,19}/(?:\d{1,19}|\*)")

LoginCallback = Callable[[], Login | None]


class _Origin(Record, frozen=True):
    """Scheme, host and port of a URL."""

    tls: bool
    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        return self.host in LOOPBACK


class Registry:
    """One registry. Not thread-safe; a context manager that closes its connections.

    `host` is that of an image reference, with a port if it has one, or a URL such as the proxyEndpoint of ECR's
    GetAuthorizationToken. Registries on this machine's loopback addresses are called without TLS unless the URL says
    https. `login` is called when the registry first asks for a login, and again when it no longer accepts it, such as
    after the 12 hours of a token of ECR (AWS[ecr-token-lifetime]). `stop` ends waiting and copying.
    """

    def __init__(
        self, host: str, login: LoginCallback = lambda: None, *, wire: Wire | None = None, stop: Event | None = None
    ) -> None:
        """Raises CopyError MALFORMED for text that is no host, and for a remote registry without TLS."""
        self.host = urlsplit(host).netloc if "://" in host else host
        self.stop = stop or Event()
        self._origin = _registry_origin(host)
        self._login_callback = login
        self._login: Login | None = None
        self._has_asked = False  # for the login
        self._basic: str | None = None  # the Authorization header
        self._tokens: dict[str, str] = {}  # Authorization headers by scope
        self._accepted = False  # the registry has accepted the current login
        self._wire = wire or operator_wire()
        self._conversations: dict[_Origin, Conversation] = {}
        self._answered: set[_Origin] = set()

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
        answer = self._call("HEAD", _manifest(repository, reference), repository, accept=ACCEPT)
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
            for child in document.children if depth < 4 else ():
                if child.digest not in below and len(below) < 500:
                    visit(child.digest, depth + 1)
                    below[child.digest] = None

        visit(digest, 0)
        return tuple(below)

    def read_manifest(self, repository: str, reference: str) -> Document:
        """A manifest by its tag or digest, verified. Raises CopyError, MissingError if it does not exist."""
        answer = self._call("GET", _manifest(repository, reference), repository, accept=ACCEPT, limit=MAX_MANIFEST)
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
        headers = {"Content-Type": document.media_type}
        answer = self._call(
            "PUT", _manifest(repository, reference), repository, headers=headers, body=document.body, push=True
        )
        self._require(answer, repository, 200, 201, 202)
        digest = answer.headers.get("Docker-Content-Digest", document.digest)
        if digest != document.digest:
            raise bad_digest(f"{self.host}/{repository}", document.digest, digest)

    # ---- blobs -----------------------------------------------------------------------------------

    def has_blob(self, repository: str, digest: str) -> bool:
        """Whether a repository has this blob. Raises CopyError."""
        url = self._url(f"/v2/{repository}/blobs/{digest}")
        for _ in range(_REDIRECTS):
            answer = self._call("HEAD", url, repository)
            if answer.status in _REDIRECTED:
                return True  # a registry redirects to what it has
            if answer.status == 404:
                return False
            self._require(answer, repository, 200)
            return True
        return False

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
                        if self.stop.is_set():
                            raise StoppedError
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
        url = self._url(f"/v2/{repository}/blobs/{blob.digest}")
        headers = {"Range": f"bytes={begin}-"} if begin else {}
        authorized = False
        for _ in range(_REDIRECTS + 2):
            origin = _origin(url)
            self._check_redirect(origin)
            all_headers = {**headers, **self._authorization(origin, repository)}
            with self._conversation(origin).stream("GET", _target(url), headers=all_headers, limit=blob.size) as body:
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
                url = _joined(url, answer.headers.get("Location", ""))
            elif answer.status in TEMPORARY_STATUS:
                raise WireError(Failure.RESET, f"HTTP {answer.status}")
            elif (
                authorized
                or answer.status != 401
                or origin != self._origin
                or not self._authorize(answer, repository, push=False)
            ):
                raise self.refused(answer, repository)
            else:
                authorized = True
        raise CopyError(
            Failure.REDIRECT, f"{self.host} redirects the blob {blob.digest[:19]}… more than {_REDIRECTS} times"
        )

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
        url = self._url(f"/v2/{repository}/blobs/uploads/") + (f"?{urlencode(query)}" if query else "")
        also = query.get("from")
        answer = self._call("POST", url, repository, push=True, also=also)
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
        joined = _joined(url, location)
        self._check_redirect(_origin(joined))
        return joined

    def send(
        self, method: str, url: str, repository: str, *, headers: Mapping[str, str], body: bytes | memoryview = b""
    ) -> Answer:
        """One request of an upload, sent once, but for a login that has expired. Raises WireError, CopyError."""
        return self._exchange(method, url, repository, headers=headers, body=body, push=True, seconds=_UPLOAD_SECONDS)

    # ---- requests --------------------------------------------------------------------------------

    def _call(
        self,
        method: str,
        url: str,
        repository: str,
        *,
        headers: Mapping[str, str] | None = None,
        accept: str = "",
        body: bytes = b"",
        push: bool = False,
        also: str | None = None,
        limit: int = _ANSWER,
    ) -> Answer:
        """A request that may be repeated, until its answer is no temporary error. Raises CopyError."""
        url = url if "://" in url else self._url(url)
        all_headers = {**(headers or {}), **({"Accept": accept} if accept else {})}
        tries = 0
        while True:
            tries += 1
            try:
                answer = self._exchange(
                    method, url, repository, headers=all_headers, body=body, push=push, also=also, limit=limit
                )
            except WireError as error:
                most = TRIES if _origin(url) in self._answered else _FIRST_TRIES
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
        repository: str,
        *,
        headers: Mapping[str, str],
        body: bytes | memoryview = b"",
        push: bool,
        also: str | None = None,
        limit: int = _ANSWER,
        seconds: float | None = None,
    ) -> Answer:
        """One request, and once more with a login if the registry asks for one. Raises WireError, CopyError."""
        origin = _origin(url)
        renewed = False
        for _ in range(3):
            if self.stop.is_set():
                raise StoppedError
            authorization = self._authorization(origin, repository, push=push, also=also)
            answer = self._conversation(origin).request(
                method, _target(url), headers={**headers, **authorization}, body=body, seconds=seconds, limit=limit
            )
            self._answered.add(origin)
            if origin != self._origin or answer.status not in (401, 403):
                self._accepted = self._accepted or bool(authorization)
                return answer
            # ECR answers an expired token with 403 and no challenge (AWS[ecr-expired-token]).
            expired = answer.status == 403 and self._accepted and self._basic is not None and not renewed
            if answer.status == 401 or expired:
                renewed = True
                if self._authorize(answer, repository, push=push, also=also, expired=expired):
                    continue
            return answer
        return answer

    def _conversation(self, origin: _Origin) -> Conversation:
        if origin not in self._conversations:
            if len(self._conversations) >= 8:  # redirects to ever new hosts
                other = next(key for key in self._conversations if key != self._origin)
                self._conversations.pop(other).close()
            self._conversations[origin] = Conversation(
                self._wire,
                host=origin.host,
                address=origin.host if origin.tls else LOOPBACK[origin.host],
                port=origin.port,
                tls=origin.tls,
                until=monotonic() + _YEAR,
                budget=_BUDGET,
            )
        return self._conversations[origin]

    def _url(self, path: str) -> str:
        host = f"[{self._origin.host}]" if ":" in self._origin.host else self._origin.host
        return f"{'https' if self._origin.tls else 'http'}://{host}:{self._origin.port}{path}"

    def _check_redirect(self, origin: _Origin) -> None:
        """Raise CopyError for a place that a registry must not lead to: without TLS, or this machine itself."""
        if origin == self._origin or (origin.tls and not origin.is_loopback) or self._origin.is_loopback:
            return
        raise CopyError(Failure.REDIRECT, f"{self.host} redirects to {quoted(origin.host)}, which is not followed")

    def pause(self, tries: int, answer: Answer | None = None) -> None:
        """Wait before another try: longer each time, or as long as the server asks for. Raises StoppedError."""
        asked = _retry_after(answer.headers.get("Retry-After", "")) if answer is not None else 0.0
        if self.stop.wait(min(_LONGEST_PAUSE, max(asked, 2.0 ** (tries - 1)))):
            raise StoppedError

    # ---- logins ----------------------------------------------------------------------------------

    def _authorization(
        self, origin: _Origin, repository: str, *, push: bool = False, also: str | None = None
    ) -> dict[str, str]:
        header = self._basic or self._tokens.get(_scope(repository, push, also))
        return {"Authorization": header} if header and origin == self._origin else {}

    def _authorize(
        self, answer: Answer, repository: str, *, push: bool, also: str | None = None, expired: bool = False
    ) -> bool:
        """Follow a challenge. False: there is nothing new to try, so the answer stands. Raises WireError, CopyError."""
        challenge = answer.headers.get("WWW-Authenticate", "")
        scheme, _, parameters = challenge.strip().partition(" ")
        if expired or scheme.lower() == "basic":
            return self._authorize_basic()
        if scheme.lower() == "bearer":
            values = {match[1].lower(): match[2] or match[3] or "" for match in _PARAMETER.finditer(parameters[:4096])}
            return self._authorize_bearer(values, _scope(repository, push, also))
        return False

    def _authorize_basic(self) -> bool:
        before = self._basic
        for renew in (False, True):
            login = self._current_login(renew=renew)
            if login is None or not login.user:
                return False
            self._basic = _basic(login)
            if self._basic != before:
                self._accepted = False
                return True
        self._basic = before
        return False

    def _authorize_bearer(self, challenge: Mapping[str, str], scope: str) -> bool:
        rejected = self._tokens.pop(scope, None)
        token = self._fetch_token(challenge, scope, self._current_login(renew=False))
        if (
            token is None or token == rejected
        ):  # the token service no longer accepts the login, or neither does the registry
            token = self._fetch_token(challenge, scope, self._current_login(renew=True))
        if token is None or token == rejected:
            return False
        self._tokens[scope] = token
        return True

    def _current_login(self, *, renew: bool) -> Login | None:
        if renew or not self._has_asked:
            self._login, self._has_asked = self._login_callback(), True
        return self._login

    def _fetch_token(self, challenge: Mapping[str, str], scope: str, login: Login | None) -> str | None:
        """The Authorization header for a scope, None if the token service rejects the login.

        distribution, docs/spec/auth/token.md and oauth.md. Raises WireError, CopyError.
        """
        realm = challenge.get("realm", "")
        origin = _origin(realm)
        self._check_redirect(origin)
        query = {"service": challenge.get("service", ""), "scope": scope}
        if login is not None and login.identity_token:
            form = {
                **query,
                "grant_type": "refresh_token",
                "refresh_token": login.identity_token,
                "client_id": "ecr-probe",
            }
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            answer = self._conversation(origin).request(
                "POST", _target(realm), headers=headers, body=urlencode(form).encode(), limit=_MAX_TOKEN
            )
        else:
            scopes = [("service", query["service"]), *(("scope", part) for part in scope.split(" "))]
            separator = "&" if "?" in realm else "?"
            headers = {"Authorization": _basic(login)} if login is not None and login.user else {}
            answer = self._conversation(origin).request(
                "GET", f"{_target(realm)}{separator}{urlencode(scopes)}", headers=headers, limit=_MAX_TOKEN
            )
        if answer.status in (400, 401, 403):
            return None
        if answer.status in TEMPORARY_STATUS:
            raise WireError(Failure.RESET, f"HTTP {answer.status} of the token service")
        if answer.status != 200:
            raise CopyError(Failure.UNAUTHENTICATED, f"{self.host}: HTTP {answer.status} of its token service")
        try:
            reply = msgspec.json.decode(answer.body, type=_Token)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            reply = _Token()
        token = reply.token or reply.access_token
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            raise CopyError(Failure.UNAUTHENTICATED, f"{self.host}: its token service returned no token")
        return f"Bearer {token}"

    # ---- errors ----------------------------------------------------------------------------------

    def _require(self, answer: Answer, repository: str, *statuses: int) -> None:
        if answer.status not in statuses:
            raise self.refused(answer, repository)

    def failed(self, error: WireError, repository: str) -> CopyError:
        """The error for a connection that failed."""
        if error.failure is Failure.UNTRUSTED:
            text = f"{self.host}: its certificate is not trusted: {error.detail}"
            return CopyError(error.failure, f"{text}; --ca-bundle names a file of trusted ones")
        return CopyError(error.failure, f"{self.host}/{repository}: {error.detail or error.failure}")

    def refused(self, answer: Answer, repository: str) -> CopyError:
        """The error for an answer that is no success."""
        code, message = _error_of(answer)
        place = f"{self.host}/{repository}"
        why = self._reason(answer)
        match answer.status:
            case 401:
                lack = "a login is needed" if self._login is None else "the login is not accepted"
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
        login = self._login or Login()
        headers = (self._basic or "", *self._tokens.values())
        secrets = (login.password, login.identity_token, *(header.rpartition(" ")[2] for header in headers))
        text = scrub(without(filter(None, secrets), text))
        return f": {text}" if text else ""


class _Token(Unshown, frozen=True):
    token: str = ""
    access_token: str = ""


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


# ---- URLs ------------------------------------------------------------------------------------------------------------


def _registry_origin(host: str) -> _Origin:
    scheme, separator, name = host.rpartition("://")
    name = name.rstrip("/")
    name = _DOCKER_HUB.get(name, name)
    try:
        parts = urlsplit(f"//{name}")
        local = (parts.hostname or "") in LOOPBACK
        tls = scheme == "https" if separator else not local
        port = parts.port or (443 if tls else 80)
        good = parts.hostname and parts.username is None and not parts.path and scheme in ("", "http", "https")
    except ValueError:
        good = None
    if not good:
        raise CopyError(Failure.MALFORMED, f"{quoted(host)} is not a registry host; for example registry.example:5000")
    if not tls and not local:
        raise CopyError(Failure.MALFORMED, f"{quoted(host)} has no TLS; only a registry on this machine may")
    return _Origin(tls=tls, host=parts.hostname or "", port=port)


def _origin(url: str) -> _Origin:
    """Scheme, host and port of an absolute URL. Raises WireError MALFORMED."""
    try:
        parts = urlsplit(url)
        tls = parts.scheme == "https"
        port = parts.port or (443 if tls else 80)
    except ValueError:
        raise WireError(Failure.MALFORMED, "the registry names a malformed URL") from None
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or not url.isascii()
        or not url.isprintable()
        or " " in url
    ):
        raise WireError(Failure.MALFORMED, "the registry names a malformed URL")
    if not tls and parts.hostname not in LOOPBACK:
        raise CopyError(
            Failure.REDIRECT, f"the registry leads to {quoted(parts.hostname)} without TLS, which is not followed"
        )
    return _Origin(tls=tls, host=parts.hostname, port=port)


def _target(url: str) -> str:
    """Path and query, as they are: quoting a signed query again would break its signature."""
    rest = url.partition("://")[2].partition("#")[0]
    cut = min((index for index in (rest.find("/"), rest.find("?")) if index >= 0), default=len(rest))
    target = rest[cut:]
    return target if target.startswith("/") else f"/{target}"


def _joined(url: str, location: str) -> str:
    if len(location) > 16_384:
        raise WireError(Failure.MALFORMED, "the registry names a URL of more than 16384 characters")
    try:
        return urljoin(url, location)
    except ValueError:
        raise WireError(Failure.MALFORMED, "the registry names a malformed URL") from None


def _manifest(repository: str, reference: str) -> str:
    return f"/v2/{repository}/manifests/{quote(reference, safe=':')}"


def _suffix(reference: str) -> str:
    return f"@{reference}" if is_digest(reference) else f":{reference}"


def _scope(repository: str, push: bool, also: str | None) -> str:
    own = f"repository:{repository}:{'pull,push' if push else 'pull'}"
    return f"{own} repository:{also}:pull" if also else own


def _basic(login: Login) -> str:
    return f"Basic {base64.b64encode(f'{login.user}:{login.password}'.encode()).decode()}"


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

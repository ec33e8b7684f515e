"""What the sidecar answers over HTTP, from the last snapshot alone: no request ever waits for a round, or changes one.

/            the page              /metrics      Prometheus text or OpenMetrics
/verdict     the last verdict      /history      rounds in short, bad ones kept longest
/-/healthy   the loop lives        /-/ready      a first round is done      POST /-/run   a round now
"""

from __future__ import annotations

import gzip
import hashlib
import hmac
import math
import re
import threading
from base64 import b64decode
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol
from wsgiref.types import StartResponse, WSGIEnvironment

from probe.crash import described
from probe.history import Snapshot
from probe.report import Page
from probe.report.json import render as render_json
from probe.report.prometheus import exposition
from probe.report.utf8 import json_of
from probe.serve import page

Headers = tuple[tuple[str, str], ...]
JSON = "application/json"
TEXT = "text/plain; charset=utf-8"
_FORM = "application/x-www-form-urlencoded"
_PLAIN = (("X-Content-Type-Options", "nosniff"), ("Cache-Control", "no-cache"))
_MOST_RENDERED = 16  # renderings of one snapshot: forms, times compressed or not; Accept headers are anybody's
_LONGEST_ACCEPT = 256
_WORTH_COMPRESSING = 1024  # bytes
_GZIP = re.compile(r"\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))")


class Source(Protocol):
    """What `loop.Loop` is."""

    @property
    def snapshot(self) -> Snapshot: ...

    def alive(self) -> bool: ...

    def ask(self) -> float: ...


class Login(NamedTuple):
    """What a client has to know. Never printed."""

    user: str
    password: str

    def matches(self, header: str) -> bool:
        kind, _, encoded = header.partition(" ")
        try:
            given = b64decode(encoded, validate=True) if kind.lower() == "basic" else b""
        except ValueError:
            return False
        return hmac.compare_digest(given, f"{self.user}:{self.password}".encode(errors="surrogateescape"))


class Answer(NamedTuple):
    status: str
    content_type: str
    body: bytes
    headers: Headers = ()


class App:
    """The WSGI application."""

    def __init__(
        self,
        source: Source,
        *,
        compat_blackbox: bool = False,
        login: Login | None = None,
        complain: Callable[[str], object] = lambda _: None,
        rehearsal: bool = False,
    ) -> None:
        self._source = source
        self._compat_blackbox = compat_blackbox
        self._login = login
        self._complain = complain
        self._rehearsal = rehearsal
        self._rendered = _Rendered()
        self._mistakes: set[str] = set()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "/")
        try:
            answer = self._answer(method, path, environ)
        except Exception as error:
            answer = self._mistaken(described(error))
        headers = [*_PLAIN, *answer.headers]
        if not answer.status.startswith("304"):
            headers += [("Content-Type", answer.content_type), ("Content-Length", str(len(answer.body)))]
        start_response(answer.status, headers)
        return [] if method == "HEAD" else [answer.body]

    def _answer(self, method: str, path: str, environ: WSGIEnvironment) -> Answer:
        route = _ROUTES.get(path)
        if route is None:
            return _words("404 Not Found", f"there are {', '.join(_ROUTES)}")
        if method not in route.methods:
            return _words("405 Method Not Allowed", "not so", ("Allow", ", ".join(route.methods)))
        if route.guarded and self._login and not self._login.matches(environ.get("HTTP_AUTHORIZATION", "")):
            return _words("401 Unauthorized", "who are you?", ("WWW-Authenticate", 'Basic realm="ecr-probe"'))
        return route.answer(self, environ)

    def _mistaken(self, what: str) -> Answer:
        """A mistake of our own in one answer is told once, and leaves the other answers as they are."""
        if what not in self._mistakes:
            self._mistakes.add(what)
            self._complain(what)
        return _words("500 Internal Server Error", f"a mistake of ecr-probe's own: {what}; please report it")

    # ---- what is read ------------------------------------------------------------------------------------------------

    def page(self, environ: WSGIEnvironment) -> Answer:
        def render(snapshot: Snapshot) -> tuple[bytes, str]:
            return page.html(snapshot, now=datetime.now(UTC), rehearsal=self._rehearsal), "text/html; charset=utf-8"

        return self._of_snapshot(environ, self._source.snapshot, "page", render, headers=tuple(page.HEADERS))

    def metrics(self, environ: WSGIEnvironment) -> Answer:
        accept = environ.get("HTTP_ACCEPT", "")[:_LONGEST_ACCEPT]

        def render(snapshot: Snapshot) -> tuple[bytes, str]:
            return exposition(snapshot, accept=accept, compat_blackbox=self._compat_blackbox)

        vary = ("Vary", "Accept")
        return self._of_snapshot(environ, self._source.snapshot, f"metrics {accept}", render, headers=(vary,))

    def verdict(self, environ: WSGIEnvironment) -> Answer:
        snapshot = self._source.snapshot
        verdict = snapshot.verdict
        if verdict is None:
            return _words("503 Service Unavailable", "no round has ended yet", ("Retry-After", "5"))
        return self._of_snapshot(environ, snapshot, "verdict", lambda _: (render_json(verdict, Page()).encode(), JSON))

    def history(self, environ: WSGIEnvironment) -> Answer:
        def render(snapshot: Snapshot) -> tuple[bytes, str]:
            return json_of({"rounds": snapshot.history, "passed": snapshot.passed}), JSON

        return self._of_snapshot(environ, self._source.snapshot, "history", render)

    def _of_snapshot(
        self,
        environ: WSGIEnvironment,
        snapshot: Snapshot,
        form: str,
        render: Callable[[Snapshot], tuple[bytes, str]],
        *,
        headers: Headers = (),
    ) -> Answer:
        whole = self._rendered.of(snapshot, form, lambda: _tagged(*render(snapshot)))
        headers = (("ETag", f"W/{whole.tag}"), ("Vary", "Accept-Encoding"), *headers)
        if whole.tag in (tag.strip().removeprefix("W/") for tag in environ.get("HTTP_IF_NONE_MATCH", "").split(",")):
            return Answer("304 Not Modified", whole.content_type, b"", headers)
        if _GZIP.search(environ.get("HTTP_ACCEPT_ENCODING", "")) and len(whole.body) >= _WORTH_COMPRESSING:
            packed = self._rendered.of(
                snapshot, f"gzip {form}", lambda: whole._replace(body=gzip.compress(whole.body, 5))
            )
            return Answer("200 OK", whole.content_type, packed.body, (*headers, ("Content-Encoding", "gzip")))
        return Answer("200 OK", whole.content_type, whole.body, headers)

    # ---- what is told of the loop, and asked of it ------------------------------------------------------------------

    def healthy(self, _environ: WSGIEnvironment) -> Answer:
        """Whether the loop lives, never whether the endpoints do: a task that is killed for a broken endpoint could not
        pull its replacement."""
        if self._source.alive():
            return _words("200 OK", "healthy")
        return _words("503 Service Unavailable", "the loop has stopped")

    def ready(self, _environ: WSGIEnvironment) -> Answer:
        if self._source.snapshot.totals.rounds:
            return _words("200 OK", "ready")
        return _words("503 Service Unavailable", "the first round is not done yet", ("Retry-After", "1"))

    def run(self, environ: WSGIEnvironment) -> Answer:
        if not _of_this_site(environ):
            return _words("403 Forbidden", "another site's page has no say here")
        wait = self._source.ask()
        if environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower() == _FORM:
            # The page without its script, which shows that round or the one asked for just now.
            return _words("303 See Other", "see the page", ("Location", "../"))
        if wait > 0:
            return _words(
                "429 Too Many Requests", "a round was asked for just now", ("Retry-After", str(math.ceil(wait)))
            )
        return _words("202 Accepted", "a round starts now, or when the one under way is over")


class Route(NamedTuple):
    answer: Callable[[App, WSGIEnvironment], Answer]
    methods: tuple[str, ...] = ("GET", "HEAD")
    guarded: bool = True  # by the login, where there is one; a health check of the task knows none


_ROUTES = {
    "/": Route(App.page),
    "/metrics": Route(App.metrics),
    "/verdict": Route(App.verdict),
    "/history": Route(App.history),
    "/-/healthy": Route(App.healthy, guarded=False),
    "/-/ready": Route(App.ready, guarded=False),
    "/-/run": Route(App.run, methods=("POST",)),
}


def _of_this_site(environ: WSGIEnvironment) -> bool:
    """Whether no browser says that a page of another site asks. Other clients than browsers say nothing of it."""
    if environ.get("HTTP_SEC_FETCH_SITE", "none") not in ("same-origin", "none"):
        return False
    origin = environ.get("HTTP_ORIGIN")  # older browsers have this one alone
    return origin is None or origin.partition("://")[2] == environ.get("HTTP_HOST")


def _words(status: str, words: str, *headers: tuple[str, str]) -> Answer:
    return Answer(status, TEXT, f"{words}\n".encode(), headers)


class _Tagged(NamedTuple):
    body: bytes
    content_type: str
    tag: str


def _tagged(body: bytes, content_type: str) -> _Tagged:
    return _Tagged(body, content_type, f'"{hashlib.sha256(body).hexdigest()[:16]}"')


class _Rendered:
    """Renderings of the last snapshot: hundreds of readers cost as much as one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._snapshot: Any = None
        self._forms: dict[str, _Tagged] = {}

    def of(self, snapshot: Snapshot, form: str, render: Callable[[], _Tagged]) -> _Tagged:
        with self._lock:
            if self._snapshot is not snapshot:
                self._snapshot, self._forms = snapshot, {}
            if form not in self._forms:
                if len(self._forms) >= _MOST_RENDERED:
                    self._forms.clear()
                self._forms[form] = render()
            return self._forms[form]

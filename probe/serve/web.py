"""The sidecar's HTTP responses. They come from the last snapshot alone: no request waits for a round or changes one.

/            the page                /findings/CODE   the page of a finding or a cause
/verdict     the last verdict        /history         a summary of the rounds; bad ones are kept longest
/-/healthy   the loop is running     /-/ready         the first round has ended
/-/run       POST: start a round     /metrics         Prometheus text or OpenMetrics
"""

from __future__ import annotations

import gzip
import hashlib
import math
import re
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple, Protocol
from wsgiref.types import StartResponse, WSGIEnvironment

from probe.crash import described
from probe.history import Snapshot
from probe.report import Page
from probe.report.finding_page import has_page
from probe.report.json import render as render_json
from probe.report.prometheus import exposition
from probe.safe_words import json_bytes
from probe.serve import page
from probe.serve.hosts import accepts

if TYPE_CHECKING:
    from probe.serve.options import Login

Headers = tuple[tuple[str, str], ...]
HTML = "text/html; charset=utf-8"
JSON = "application/json"
TEXT = "text/plain; charset=utf-8"
_FINDINGS = "/findings/"
_FORM = "application/x-www-form-urlencoded"
_PLAIN = (("X-Content-Type-Options", "nosniff"), ("Cache-Control", "no-cache"))
MOST_RENDERINGS = 16  # of one snapshot: routes, formats, compressed or not; clients choose the Accept header
_UNKNOWN_HOST = (
    "the Host header has a name that is not known to be this sidecar's; if it is, set ECR_PROBE_ALLOW_HOST to it, or "
    "use an address"
)
_LONGEST_ACCEPT = 256
_WORTH_COMPRESSING = 1024  # bytes
_GZIP = re.compile(r"\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))")


class Source(Protocol):
    """The part of `loop.Loop` that responses need."""

    @property
    def snapshot(self) -> Snapshot: ...

    def alive(self) -> bool: ...

    def ask(self) -> float: ...


class Answer(NamedTuple):
    status: str
    content_type: str
    body: bytes
    headers: Headers = ()


class App:
    """The WSGI application. `report_bug` is called once for each kind of exception in a response. `hosts`: names under
    which it answers, in addition to those that `hosts.accepts` always accepts."""

    def __init__(
        self,
        source: Source,
        *,
        compat_blackbox: bool = False,
        login: Login | None = None,
        report_bug: Callable[[str], object] = lambda _: None,
        rehearsal: bool = False,
        renderings: Renderings | None = None,
        hosts: tuple[str, ...] = (),
    ) -> None:
        self._source = source
        self._compat_blackbox = compat_blackbox
        self._login = login
        self._report_bug = report_bug
        self._rehearsal = rehearsal
        self._hosts = hosts
        self._renderings = Renderings() if renderings is None else renderings
        self._bugs: set[str] = set()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "/")
        try:
            answer = self._answer(method, path, environ)
        except Exception as error:
            answer = self._bug(described(error))
        headers = [*_PLAIN, *answer.headers]
        if not answer.status.startswith("304"):
            headers += [("Content-Type", answer.content_type), ("Content-Length", str(len(answer.body)))]
        start_response(answer.status, headers)
        return [] if method == "HEAD" else [answer.body]

    def _answer(self, method: str, path: str, environ: WSGIEnvironment) -> Answer:
        route = _ROUTES.get(f"{_FINDINGS}CODE" if path.startswith(_FINDINGS) else path)
        if route is None:
            return _text("404 Not Found", f"not found; the paths are {', '.join(_ROUTES)}")
        if method not in route.methods:
            return _text("405 Method Not Allowed", "method not allowed", ("Allow", ", ".join(route.methods)))
        if route.guarded and not accepts(environ.get("HTTP_HOST"), self._hosts):
            return _text("421 Misdirected Request", _UNKNOWN_HOST)
        if route.guarded and self._login and not self._login.matches(environ.get("HTTP_AUTHORIZATION", "")):
            challenge = ("WWW-Authenticate", 'Basic realm="ecr-probe"')
            return _text("401 Unauthorized", "authentication required", challenge)
        return route.answer(self, environ)

    def _bug(self, description: str) -> Answer:
        """An exception in one response; it is reported once and affects no other response."""
        if description not in self._bugs:
            self._bugs.add(description)
            self._report_bug(description)
        return _text("500 Internal Server Error", f"a bug of ecr-probe: {description}; please report it")

    # ---- rendered from the snapshot ----------------------------------------------------------------------------------

    def page(self, environ: WSGIEnvironment) -> Answer:
        def render(snapshot: Snapshot) -> tuple[bytes, str]:
            return page.html(snapshot, now=datetime.now(UTC), rehearsal=self._rehearsal), HTML

        return self._of_snapshot(environ, self._source.snapshot, "page", render, headers=page.HEADERS)

    def finding(self, environ: WSGIEnvironment) -> Answer:
        code = environ["PATH_INFO"].removeprefix(_FINDINGS)
        if not has_page(code):
            return _text("404 Not Found", "no finding or cause has this code")

        def render(_: Snapshot) -> tuple[bytes, str]:
            return page.finding_html(code), HTML

        # It does not depend on the snapshot, but shares the bounded cache of the last one.
        headers = page.FINDING_HEADERS
        return self._of_snapshot(environ, self._source.snapshot, f"finding {code}", render, headers=headers)

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
            return _text("503 Service Unavailable", "no round has ended yet", ("Retry-After", "5"))
        return self._of_snapshot(environ, snapshot, "verdict", lambda _: (render_json(verdict, Page()).encode(), JSON))

    def history(self, environ: WSGIEnvironment) -> Answer:
        def render(snapshot: Snapshot) -> tuple[bytes, str]:
            return json_bytes({"rounds": snapshot.history, "resolved": snapshot.resolved}), JSON

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
        whole = self._renderings.of(snapshot, form, lambda: _tagged(*render(snapshot)))
        headers = (("ETag", f"W/{whole.tag}"), ("Vary", "Accept-Encoding"), *headers)
        if whole.tag in (tag.strip().removeprefix("W/") for tag in environ.get("HTTP_IF_NONE_MATCH", "").split(",")):
            return Answer("304 Not Modified", whole.content_type, b"", headers)
        if _GZIP.search(environ.get("HTTP_ACCEPT_ENCODING", "")) and len(whole.body) >= _WORTH_COMPRESSING:
            packed = self._renderings.of(
                snapshot, f"gzip {form}", lambda: whole._replace(body=gzip.compress(whole.body, 5))
            )
            return Answer("200 OK", whole.content_type, packed.body, (*headers, ("Content-Encoding", "gzip")))
        return Answer("200 OK", whole.content_type, whole.body, headers)

    # ---- the loop ----------------------------------------------------------------------------------------------------

    def healthy(self, _environ: WSGIEnvironment) -> Answer:
        """Whether the loop is running, never whether the endpoints work: a task that ECS stops for a broken endpoint
        could not be replaced, since its image could not be pulled."""
        if self._source.alive():
            return _text("200 OK", "healthy")
        return _text("503 Service Unavailable", "the loop has stopped")

    def ready(self, _environ: WSGIEnvironment) -> Answer:
        if self._source.snapshot.totals.rounds:
            return _text("200 OK", "ready")
        return _text("503 Service Unavailable", "the first round has not ended yet", ("Retry-After", "1"))

    def run(self, environ: WSGIEnvironment) -> Answer:
        if not _of_this_site(environ):
            return _text("403 Forbidden", "cross-site request refused")
        wait = self._source.ask()
        if environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower() == _FORM:
            # Sent by the page without its script; the page shows the new round, or the one that was just requested.
            return _text("303 See Other", "see the page", ("Location", "../"))
        if wait > 0:
            retry_after = ("Retry-After", str(math.ceil(wait)))
            return _text("429 Too Many Requests", "a round was requested a moment ago", retry_after)
        return _text("202 Accepted", "a round starts now, or when the current one has ended")


class Route(NamedTuple):
    answer: Callable[[App, WSGIEnvironment], Answer]
    methods: tuple[str, ...] = ("GET", "HEAD")
    guarded: bool = True  # by --basic-auth and --allow-host; the health check has no password, and shows nothing


_ROUTES = {
    "/": Route(App.page),
    f"{_FINDINGS}CODE": Route(App.finding),
    "/metrics": Route(App.metrics),
    "/verdict": Route(App.verdict),
    "/history": Route(App.history),
    "/-/healthy": Route(App.healthy, guarded=False),
    "/-/ready": Route(App.ready, guarded=False),
    "/-/run": Route(App.run, methods=("POST",)),
}


def _of_this_site(environ: WSGIEnvironment) -> bool:
    """False where the headers of a browser name another site as the origin. Other clients send no such header."""
    if environ.get("HTTP_SEC_FETCH_SITE", "none") not in ("same-origin", "none"):
        return False
    origin = environ.get("HTTP_ORIGIN")  # the only header of older browsers
    return origin is None or origin.partition("://")[2] == environ.get("HTTP_HOST")


def _text(status: str, text: str, *headers: tuple[str, str]) -> Answer:
    return Answer(status, TEXT, f"{text}\n".encode(), headers)


class _Tagged(NamedTuple):
    body: bytes
    content_type: str
    tag: str


def _tagged(body: bytes, content_type: str) -> _Tagged:
    return _Tagged(body, content_type, f'"{hashlib.sha256(body).hexdigest()[:16]}"')


class Renderings:
    """A bounded cache of the last snapshot's renderings by format: hundreds of clients cost as much as one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._snapshot: Snapshot | None = None
        self._by_format: dict[str, _Tagged] = {}

    def __len__(self) -> int:
        return len(self._by_format)

    def of(self, snapshot: Snapshot, form: str, render: Callable[[], _Tagged]) -> _Tagged:
        with self._lock:
            if self._snapshot is not snapshot:
                self._snapshot, self._by_format = snapshot, {}
            if form not in self._by_format:
                if len(self._by_format) >= MOST_RENDERINGS:
                    self._by_format.clear()
                self._by_format[form] = render()
            return self._by_format[form]

"""The WSGI application, called directly and watched by the standard library's own validator."""

from __future__ import annotations

import base64
import gzip
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from urllib.parse import urljoin
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probe.history import Snapshot
from probe.model import Severity, Verdict
from probe.records import replace
from probe.report import Page
from probe.report.json import render as render_json
from probe.report.prometheus import exposition
from probe.serve import web
from probe.serve.options import Login
from probe.serve.web import MOST_RENDERINGS, App, Renderings
from tests.page.hostile import spoilt
from tests.report import made
from tests.serve.rounds import NEW, Source, after, finding, misconfigured, verdict

SILENT = finding("tcp.silent", Severity.ERROR, "ecr.api")
LIVED = after([verdict(), verdict(SILENT), made.broken()])
LOGIN = Login("prometheus", "s3cret:with:colons")
READ = ("/", "/metrics", "/verdict", "/history", "/findings/tcp.silent", "/-/healthy", "/-/ready")
OPENMETRICS = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"


class Answered(NamedTuple):
    status: str
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> int:
        return int(self.status[:3])


def ask(app: App, path: str = "/", method: str = "GET", query: str = "", **headers: str) -> Answered:
    """Call the application, which must follow the rules of WSGI."""
    environ: dict[str, Any] = {"REQUEST_METHOD": method, "SCRIPT_NAME": "", "PATH_INFO": path}
    environ["QUERY_STRING"] = query
    environ |= {("" if name == "content_type" else "HTTP_") + name.upper(): text for name, text in headers.items()}
    setup_testing_defaults(environ)
    started: list[Any] = []

    def start_response(status: str, sent: list[tuple[str, str]], *_: object) -> Callable[[bytes], object]:
        started.extend((status, sent))
        return lambda _: None

    parts = validator(app)(environ, start_response)
    try:
        body = b"".join(parts)
    finally:
        parts.close()  # type: ignore[attr-defined]
    status, sent = started
    headers_sent: dict[str, str] = {}
    for name, text in sent:
        assert text.isprintable()
        headers_sent[name.lower()] = f"{headers_sent[name.lower()]}, {text}" if name.lower() in headers_sent else text
    return Answered(status, headers_sent, body)


def basic(login: Login) -> str:
    return "Basic " + base64.b64encode(f"{login.user}:{login.password}".encode()).decode()


# ---- routes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/metrics", "text/plain; version=0.0.4; charset=utf-8"),
        ("/verdict", "application/json"),
        ("/history", "application/json"),
        ("/-/healthy", "text/plain; charset=utf-8"),
        ("/-/ready", "text/plain; charset=utf-8"),
    ],
)
def test_a_route_answers(path: str, content_type: str) -> None:
    answer = ask(App(Source(LIVED)), path)
    assert answer.status == "200 OK"
    assert answer.headers["content-type"] == content_type
    assert answer.headers["content-length"] == str(len(answer.body))
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.body


@pytest.mark.parametrize("path", READ)
@pytest.mark.parametrize("snapshot", [NEW, LIVED, misconfigured(LIVED)], ids=["new", "lived", "misconfigured"])
def test_head_is_get_without_a_body(path: str, snapshot: Snapshot) -> None:
    app = App(Source(snapshot))
    got, headed = ask(app, path), ask(app, path, "HEAD")
    assert (headed.status, headed.headers, headed.body) == (got.status, got.headers, b"")


def test_the_verdict_is_the_report() -> None:
    answer = ask(App(Source(LIVED)), "/verdict")
    assert LIVED.verdict is not None
    assert answer.body.decode() == render_json(LIVED.verdict, Page())


def test_the_history_is_in_chronological_order() -> None:
    history = json.loads(ask(App(Source(LIVED)), "/history").body)
    assert [past["number"] for past in history["rounds"]] == [1, 2, 3]
    assert [past["status"] for past in history["rounds"]] == ["pass", "fail", "fail"]
    assert history["rounds"][1]["errors"] == ["tcp.silent"]
    again = json.loads(ask(App(Source(after([verdict(SILENT), verdict(at=1)]))), "/history").body)
    assert [(resolved["code"], resolved["rounds"]) for resolved in again["resolved"]] == [("tcp.silent", 1)]


@pytest.mark.parametrize("accept", ["", OPENMETRICS, "text/html"])
def test_metrics_are_the_exposition(accept: str) -> None:
    for compat in (False, True):
        answer = ask(App(Source(LIVED), compat_blackbox=compat), "/metrics", accept=accept)
        body, content_type = exposition(LIVED, accept=accept, compat_blackbox=compat)
        assert (answer.body, answer.headers["content-type"]) == (body, content_type)
        assert (b"probe_success" in answer.body) is compat


def not_utf_8() -> Verdict:
    """A verdict in which each text but codes ends in a byte that is not UTF-8, as an environment variable may."""
    whole = made.broken()
    bad = spoilt(whole, lambda text: f"{text}\udcff")
    pairs = zip(bad.findings, whole.findings, strict=True)
    return replace(bad, findings=tuple(replace(finding, code=own.code) for finding, own in pairs))


@pytest.mark.parametrize("path", ["/", "/metrics", "/verdict", "/history"])
def test_text_that_is_not_utf_8_is_shown(path: str) -> None:
    answer = ask(App(Source(after([not_utf_8(), verdict(SILENT)]))), path)
    assert answer.code == 200
    assert answer.body.decode()
    answer = ask(App(Source(after([verdict(), not_utf_8()]))), path)
    assert answer.code == 200
    body = answer.body.decode()
    if answer.headers["content-type"] == "application/json":
        assert json.loads(body)
    assert "tcp.silent" in body


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])
@pytest.mark.parametrize("path", READ)
def test_pages_are_read_only(path: str, method: str) -> None:
    source = Source(LIVED)
    answer = ask(App(source), path, method)
    assert answer.code == 405
    assert answer.headers["allow"] == "GET, HEAD"
    assert source.asked == 0


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_only_post_requests_a_round(method: str) -> None:
    source = Source(LIVED)
    answer = ask(App(source), "/-/run", method)
    assert (answer.code, answer.headers["allow"], source.asked) == (405, "POST", 0)


@pytest.mark.parametrize(
    "path",
    ["", "//", "/metrics/", "/Metrics", "/verdict.json", "/../etc/passwd", "/-/", "/findings", "/\x00", "/ÿ", "/<b>"],
)
def test_other_paths_are_not_found_and_not_repeated(path: str) -> None:
    answer = ask(App(Source(LIVED)), path)
    assert answer.code == 404
    assert answer.body == (
        b"not found; the paths are /, /findings/CODE, /metrics, /verdict, /history, /-/healthy, /-/ready, /-/run\n"
    )


@pytest.mark.parametrize("code", ["tcp.silent", "task.start-timeout", "tcp.security-group"])
def test_the_page_of_a_finding_or_cause(code: str) -> None:
    """It needs no snapshot, and has the security headers of the other page."""
    answer = ask(App(Source(NEW)), f"/findings/{code}")
    assert (answer.code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    root = ask(App(Source(NEW)), "/")
    assert set(answer.headers) == set(root.headers)
    assert f"<h1>{code}</h1>" in answer.body.decode()


@pytest.mark.parametrize(
    "code",
    [
        "",
        "CODE",
        "no.such-code",
        "tcp.silent/",
        "tcp.silent.md",
        "TCP.SILENT",
        "../metrics",
        "../../../etc/passwd",
        "..",
        "tcp.silent\x00",
        "tcp.silent\n",
        "<script>alert(1)</script>",
        "{{ 7 * 7 }}",
        "x" * 8000,
    ],
)
def test_an_unknown_code_is_not_found_and_not_repeated(code: str) -> None:
    answer = ask(App(Source(LIVED)), f"/findings/{code}")
    assert (answer.code, answer.body) == (404, b"no finding or cause has this code\n")


@pytest.mark.parametrize("query", ["x=1", "../../x", "a" * 5000, "%00%ff", "format=json&<script>", "=&=&;"])
@pytest.mark.parametrize("path", READ)
def test_query_strings_are_ignored(path: str, query: str) -> None:
    app = App(Source(LIVED))
    assert ask(app, path, query=query) == ask(app, path)


# ---- before the first round, and when the loop has stopped -----------------------------------------------------------


def test_before_the_first_round() -> None:
    app = App(Source(NEW))
    codes = {path: ask(app, path).code for path in READ}
    assert {path for path, code in codes.items() if code != 200} == {"/verdict", "/-/ready"}
    assert {codes["/verdict"], codes["/-/ready"]} == {503}
    assert ask(app, "/verdict").headers["retry-after"] == "5"
    assert ask(app, "/-/ready").headers["retry-after"] == "1"
    assert b"pull_success" not in ask(app, "/metrics").body
    assert json.loads(ask(app, "/history").body) == {"rounds": [], "resolved": []}


def test_a_withdrawn_verdict_is_not_shown() -> None:
    app = App(Source(misconfigured(LIVED)))
    assert ask(app, "/verdict").code == 503
    assert ask(app, "/").code == 200
    assert b"ecr_probe_config_valid 0.0" in ask(app, "/metrics").body
    assert b"pull_success" not in ask(app, "/metrics").body


def test_health_is_the_loops_and_never_the_endpoints() -> None:
    source = Source(after([verdict(SILENT)]))
    assert ask(App(source), "/-/healthy").code == 200
    source.living = False
    answer = ask(App(source), "/-/healthy")
    assert (answer.code, answer.body) == (503, b"the loop has stopped\n")
    assert ask(App(source), "/metrics").code == 200


def test_a_bug_in_one_response_is_reported_once_and_affects_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken_page(*_: object, **__: object) -> bytes:
        raise ValueError("s3cret")

    monkeypatch.setattr("probe.serve.page.html", broken_page)
    reported: list[str] = []
    app = App(Source(LIVED), report_bug=reported.append)
    for _ in range(3):
        answer = ask(app)
        assert answer.code == 500
        assert b"ValueError in test_web.py" in answer.body
        assert b"s3cret" not in answer.body
    assert len(reported) == 1
    assert {ask(app, path).code for path in READ[1:]} == {200}


# ---- a round now -----------------------------------------------------------------------------------------------------


def test_a_round_can_be_requested() -> None:
    source = Source(LIVED)
    assert ask(App(source), "/-/run", "POST").code == 202
    assert source.asked == 1
    source.wait = 3.2
    answer = ask(App(source), "/-/run", "POST")
    assert (answer.code, answer.headers["retry-after"]) == (429, "4")


@pytest.mark.parametrize("wait", [0.0, 3.2], ids=["granted", "too soon"])
def test_a_form_leads_back_to_the_page(wait: float) -> None:
    source = Source(LIVED)
    source.wait = wait
    environ = {"content_type": "application/x-www-form-urlencoded; charset=UTF-8", "origin": "http://probe:9879"}
    answer = ask(App(source), "/-/run", "POST", host="probe:9879", **environ)
    assert (answer.code, urljoin("http://probe:9879/-/run", answer.headers["location"])) == (303, "http://probe:9879/")
    assert source.asked == 1
    assert ask(App(source), "/-/run", "POST", content_type="application/json").code in (202, 429)


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, 202),
        ({"sec_fetch_site": "same-origin"}, 202),
        ({"sec_fetch_site": "none"}, 202),
        ({"sec_fetch_site": "cross-site"}, 403),
        ({"sec_fetch_site": "same-site"}, 403),
        ({"sec_fetch_site": ""}, 403),
        ({"origin": "http://probe:9879"}, 202),
        ({"origin": "https://probe:9879", "sec_fetch_site": "same-origin"}, 202),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "http://probe:9880"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": ""}, 403),
    ],
)
def test_cross_site_requests_are_refused(headers: dict[str, str], code: int) -> None:
    source = Source(LIVED)
    assert ask(App(source), "/-/run", "POST", host="probe:9879", **headers).code == code
    assert source.asked == (code == 202)


# ---- caching and compression -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/metrics", "/verdict", "/history"])
def test_a_matching_etag_gets_304(path: str) -> None:
    source = Source(LIVED)
    app = App(source)
    whole = ask(app, path)
    tag = whole.headers["etag"]
    for sent in (tag, tag.removeprefix("W/"), f'"other", {tag}', f"{tag},{tag}"):
        again = ask(app, path, if_none_match=sent)
        assert (again.status, again.body, again.headers["etag"]) == ("304 Not Modified", b"", tag)
        assert "content-type" not in again.headers
        assert "content-length" not in again.headers
    assert ask(app, path, "HEAD", if_none_match=tag).code == 304
    assert ask(app, path, if_none_match='"other"') == whole
    source.snapshot = after([verdict(at=3)], LIVED)
    assert ask(app, path, if_none_match=tag).code == 200


def test_the_page_of_a_finding_stays_the_same_from_round_to_round() -> None:
    source = Source(LIVED)
    tag = ask(App(source), "/findings/tcp.silent").headers["etag"]
    source.snapshot = after([verdict(at=3)], LIVED)
    assert ask(App(source), "/findings/tcp.silent", if_none_match=tag).code == 304


@pytest.mark.parametrize("path", ["/", "/metrics", "/verdict", "/findings/tcp.silent"])
@pytest.mark.parametrize(
    ("accepted", "packed"),
    [
        ("gzip", True),
        ("gzip, deflate, br", True),
        ("deflate;q=1, gzip;q=0.5", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000, identity", False),
        ("gzip;q=0,deflate", False),
        ("identity", False),
        ("xgzipx", False),
        ("", False),
    ],
)
def test_gzip_where_the_client_accepts_it(path: str, accepted: str, packed: bool) -> None:
    app = App(Source(LIVED))
    plain, answer = ask(app, path), ask(app, path, accept_encoding=accepted)
    assert answer.headers.get("content-encoding") == ("gzip" if packed else None)
    assert (gzip.decompress(answer.body) if packed else answer.body) == plain.body
    assert int(answer.headers["content-length"]) == len(answer.body)
    assert "Accept-Encoding" in answer.headers["vary"]
    if packed:
        assert len(answer.body) < len(plain.body)


def test_a_small_response_is_not_compressed() -> None:
    assert "content-encoding" not in ask(App(Source(NEW)), "/history", accept_encoding="gzip").headers


def test_metrics_vary_with_accept() -> None:
    assert "Accept, " in ask(App(Source(LIVED)), "/metrics").headers["vary"] + ", "
    app = App(Source(LIVED))
    assert ask(app, "/metrics").body != ask(app, "/metrics", accept=OPENMETRICS).body
    assert ask(app, "/metrics").headers["etag"] != ask(app, "/metrics", accept=OPENMETRICS).headers["etag"]


# ---- the cache of renderings -----------------------------------------------------------------------------------------


def test_hundreds_of_readers_cost_one_rendering(monkeypatch: pytest.MonkeyPatch) -> None:
    rendered: list[Snapshot] = []

    def counted(snapshot: Snapshot, **options: Any) -> tuple[bytes, str]:
        rendered.append(snapshot)
        return exposition(snapshot, **options)

    monkeypatch.setattr(web, "exposition", counted)
    source = Source(LIVED)
    app = App(source)
    for _ in range(50):
        ask(app, "/metrics")
        ask(app, "/metrics", accept_encoding="gzip")
    assert len(rendered) == 1
    source.snapshot = after([verdict(at=3)], LIVED)
    ask(app, "/metrics")
    assert rendered == [LIVED, source.snapshot]


def test_hostile_accept_headers_do_not_fill_the_memory() -> None:
    renderings = Renderings()
    app = App(Source(LIVED), renderings=renderings)
    for number in range(100):
        ask(app, "/metrics", accept=f"text/plain;version={number}", accept_encoding="gzip")
        assert len(renderings) <= MOST_RENDERINGS
    before = len(renderings)
    for number in range(3):
        ask(app, "/metrics", accept="x" * 10_000 + str(number))
    assert len(renderings) == before + 1, "only the beginning of a long header counts"


def test_no_accept_header_gets_the_rendering_of_another() -> None:
    """A cached rendering must have the format that the next client accepts."""
    app = App(Source(LIVED))
    expected = ask(App(Source(LIVED)), "/metrics", accept="text/plain", accept_encoding="gzip")
    for accept in ("text/plain gzip", "text/plain  gzip", " gzip", "gzip text/plain", "gzip metrics text/plain"):
        ask(app, "/metrics", accept=accept)
        ask(app, "/metrics", accept=accept, accept_encoding="gzip")
    packed = ask(app, "/metrics", accept="text/plain", accept_encoding="gzip")
    assert gzip.decompress(packed.body) == gzip.decompress(expected.body)


def test_a_round_that_ends_between_two_requests_mixes_no_renderings() -> None:
    """A cached rendering must belong to the current snapshot."""
    new = after([verdict(at=3)], LIVED)

    class Moving(Source):
        looks: Iterator[Snapshot] = iter([LIVED])

        @property
        def snapshot(self) -> Snapshot:
            return next(self.looks, new)

        @snapshot.setter
        def snapshot(self, _: Snapshot) -> None: ...

    app = App(Moving())
    ask(app, "/verdict")
    assert new.verdict is not None
    assert ask(app, "/verdict").body.decode() == render_json(new.verdict, Page())


def test_many_threads_get_consistent_snapshots() -> None:
    snapshots = [after([verdict(at=at)]) for at in range(5)]
    source = Source(snapshots[0])
    app = App(source)
    expected = {render_json(snapshot.verdict, Page()).encode() for snapshot in snapshots if snapshot.verdict}
    wrong: list[bytes] = []

    def read() -> None:
        for _ in range(30):
            wrong.extend({ask(app, "/verdict").body} - expected)

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    while any(reader.is_alive() for reader in readers):
        for snapshot in snapshots:
            source.snapshot = snapshot
    assert wrong == []


# ---- authentication --------------------------------------------------------------------------------------------------

WRONG = [
    None,
    "",
    "Basic",
    "Basic ",
    basic(Login("prometheus", "wrong")),
    basic(Login("other", LOGIN.password)),
    basic(Login("prometheus", LOGIN.password + "x")),
    basic(Login("", "")),
    basic(LOGIN).replace("Basic", "Bearer"),
    basic(LOGIN) + "=",
    "Basic " + "A" * 10_000,
    "Basic ÿþ\x80",
    "Basic %%%",
    "Negotiate " + basic(LOGIN),
]


@pytest.mark.parametrize("path", ["/", "/metrics", "/verdict", "/history", "/-/run"])
@pytest.mark.parametrize("header", WRONG, ids=range(len(WRONG)))
def test_all_wrong_credentials_get_the_same_response(path: str, header: str | None) -> None:
    source = Source(LIVED)
    headers = {} if header is None else {"authorization": header}
    answer = ask(App(source, login=LOGIN), path, "POST" if path == "/-/run" else "GET", **headers)
    assert (answer.status, answer.body) == ("401 Unauthorized", b"authentication required\n")
    assert answer.headers["www-authenticate"] == 'Basic realm="ecr-probe"'
    assert source.asked == 0


@pytest.mark.parametrize("path", READ)
def test_the_right_credentials_are_accepted(path: str) -> None:
    app = App(Source(LIVED), login=LOGIN)
    for header in (basic(LOGIN), basic(LOGIN).replace("Basic", "bAsIc")):
        assert ask(app, path, authorization=header).code == 200


def test_the_health_check_needs_no_password() -> None:
    """The container's health check has no password."""
    app = App(Source(LIVED), login=LOGIN)
    assert ask(app, "/-/healthy").code == 200
    assert ask(app, "/-/ready").code == 200


def test_without_credentials_no_response_reveals_a_verdict() -> None:
    assert ask(App(Source(NEW), login=LOGIN), "/verdict") == ask(App(Source(LIVED), login=LOGIN), "/verdict")
    tag = ask(App(Source(LIVED)), "/verdict").headers["etag"]
    assert ask(App(Source(LIVED), login=LOGIN), "/verdict", if_none_match=tag).code == 401


@pytest.mark.parametrize("password", ["pässwörd", "\udcff\udc80", "日本"])
def test_a_password_may_have_any_characters(password: str) -> None:
    login = Login("user", password)
    credentials = base64.b64encode(f"user:{password}".encode(errors="surrogateescape")).decode()
    assert ask(App(Source(LIVED), login=login), "/metrics", authorization=f"Basic {credentials}").code == 200
    assert ask(App(Source(LIVED), login=login), "/metrics", authorization=basic(LOGIN)).code == 401


# ---- arbitrary requests ----------------------------------------------------------------------------------------------

WORDS = st.text(st.characters(max_codepoint=255, blacklist_categories=["Cc"]), max_size=300)


@settings(max_examples=150, deadline=None)
@given(
    path=st.sampled_from((*READ, "/-/run")) | WORDS.map("/{}".format),
    method=st.sampled_from(["GET", "HEAD", "POST"]),
    query=WORDS,
    headers=st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(
            ("accept", "accept_encoding", "if_none_match", "authorization", "origin", "sec_fetch_site"), WORDS
        ),
    ),
)
def test_no_request_makes_it_fail(path: str, method: str, query: str, headers: dict[str, str]) -> None:
    for app in (APP, GUARDED):
        assert ask(app, path, method, query, **headers).code in (200, 202, 304, 401, 403, 404, 405, 503)


def _app(**options: Any) -> App:
    latest: Verdict | None = LIVED.verdict
    assert latest is not None
    return App(Source(LIVED), **options)


APP, GUARDED = _app(), _app(login=LOGIN)

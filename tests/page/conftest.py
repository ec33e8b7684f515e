"""A browser for each worker, and a sidecar for each test, which sets its snapshot."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from selenium.webdriver.support.ui import WebDriverWait

from probe.history import Snapshot
from probe.serve.web import App
from tests.page.browser import Browser, browsing, installed
from tests.page.snapshots import waiting

PATIENCE = 20  # seconds; also enough on a busy machine


class Sidecar:
    """The source that `web` renders, and its URL. With `answering` False every response is 503."""

    def __init__(self) -> None:
        self.snapshot: Snapshot = waiting()
        self.answering = True
        self.asked = 0
        self.paths: list[str] = []
        self.url = ""

    def alive(self) -> bool:
        return True

    def ask(self) -> float:
        self.asked += 1
        return 0.0 if self.asked == 1 else 7.0


class _Server(ThreadingMixIn, WSGIServer):
    """Chromium opens connections that it may never use; these must not delay others."""

    daemon_threads = True
    block_on_close = False


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def sidecar() -> Iterator[Sidecar]:
    source = Sidecar()
    app = App(source)

    def answer(environ: Any, start_response: Any) -> Any:
        source.paths.append(environ["PATH_INFO"])
        environ.pop("HTTP_SEC_FETCH_SITE", None)  # over plain HTTP a browser sends it only to this machine
        if source.answering:
            return app(environ, start_response)
        start_response("503 Service Unavailable", [("Content-Type", "text/plain")])
        return [b"gone\n"]

    with make_server("127.0.0.1", 0, answer, server_class=_Server, handler_class=_Quiet) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        source.url = f"http://127.0.0.1:{server.server_port}/"
        yield source
        server.shutdown()


@pytest.fixture(scope="session")
def _browser() -> Iterator[Browser]:
    if installed() is None:
        pytest.skip("chromium and chromedriver are not installed")
    with browsing() as browser:
        yield browser


@pytest.fixture
def browser(_browser: Browser) -> Iterator[Browser]:
    """A browser with a large, light screen and empty logs."""
    _browser.scripts(True)
    _browser.look(width=1280)
    _browser.complaints()
    _browser.requested()
    yield _browser
    _browser.scripts(True)
    _browser.get("about:blank")  # so that the page stops polling


@pytest.fixture
def wait(browser: Browser) -> WebDriverWait[Browser]:
    return WebDriverWait(browser, PATIENCE, poll_frequency=0.05)

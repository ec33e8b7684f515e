"""HTTP servers on loopback, for the fakes of the tests."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple


class Request(NamedTuple):
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


class Reply(NamedTuple):
    status: int
    kind: str  # the media type
    body: bytes
    headers: Mapping[str, str] = {}


class Handler(BaseHTTPRequestHandler):
    """Keeps connections, sends a response in one write, and logs nothing."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    @property
    def body_length(self) -> int:
        return int(self.headers.get("Content-Length", 0))

    def read_body(self) -> bytes:
        """Shorter than `body_length` if the client has gone."""
        return self.rfile.read(self.body_length)

    def send(self, status: int, headers: Mapping[str, str], body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        return


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # with five, as by default, concurrent connections wait for retransmissions


@contextmanager
def serving(handler: type[Handler]) -> Iterator[str]:
    """Serve on a free port, and yield the URL."""
    server = _Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def replying(reply: Callable[[Request], Reply | None]) -> Iterator[str]:
    """Serve what a function replies to GET and POST, and yield the URL. None: the connection closes without a reply.

    What the function raises is a mistake of the test, and fails it at the end.
    """
    mistakes: list[str] = []

    class Replying(Handler):
        def do_POST(self) -> None:
            body = self.read_body()
            if len(body) < self.body_length:
                self.close_connection = True  # the client ended in the middle of its request
                return
            request = Request(self.command, self.path, dict(self.headers), body)
            try:
                answer = reply(request)
            except Exception as error:
                mistakes.append(f"{request.method} {request.target} {request.body[:200]!r}: {error!r}")
                answer = Reply(400, "text/plain", b"the test is wrong")
            if answer is None:
                self.close_connection = True
            else:
                self.send(answer.status, {**answer.headers, "Content-Type": answer.kind}, answer.body)

        do_GET = do_POST  # noqa: N815

    with serving(Replying) as url:
        yield url
    assert mistakes == [], mistakes[0]

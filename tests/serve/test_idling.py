"""The server's loop blocks while there is nothing to do: a busy loop would take processor time from the threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from contextlib import ExitStack
from wsgiref.types import StartResponse, WSGIEnvironment

from probe.config.listen import Address
from probe.serve.server import MOST_QUEUED, THREADS, Server
from tests.serve.clients import connect, everything, request

WATCHED = 0.3  # seconds


class Slow:
    """An app that answers once `answering` is set."""

    def __init__(self) -> None:
        self.answering, self.asked = threading.Event(), threading.Semaphore(0)

    def __call__(self, _environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self.asked.release()
        self.answering.wait(60)
        start_response("200 OK", [("Content-Length", "2")])
        return [b"ok"]


def test_requests_that_wait_for_a_thread_cost_no_processor_time() -> None:
    app = Slow()
    server = Server(app, Address("127.0.0.1", 0))  # type: ignore[arg-type]
    server.start()
    with ExitStack() as stack:
        clients = [stack.enter_context(connect(server.address)) for _ in range(THREADS + MOST_QUEUED + 10)]
        for client in clients:
            client.sendall(request("/"))
        for _ in range(THREADS):
            assert app.asked.acquire(timeout=20)
        until = time.monotonic() + 20
        while server.queued < MOST_QUEUED:
            assert time.monotonic() < until
            time.sleep(0.01)
        before = time.process_time()
        time.sleep(WATCHED)
        spent = time.process_time() - before
        app.answering.set()
        assert [everything(client).endswith(b"ok") for client in clients] == [True] * len(clients)
    server.stop(within=20)
    assert spent < WATCHED / 5

"""Where there is nothing to do the server's loop waits: its turns would be taken from the threads that answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from contextlib import ExitStack
from wsgiref.types import StartResponse, WSGIEnvironment

from probe.config.listen import Address
from probe.serve.server import MOST_WAITING, THREADS, Server
from tests.serve.clients import connect, everything, request

WATCHED = 0.5  # seconds


class Slow:
    """An app that answers when it is told to."""

    def __init__(self) -> None:
        self.answering, self.asked = threading.Event(), threading.Semaphore(0)

    def __call__(self, _environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self.asked.release()
        self.answering.wait(10)
        start_response("200 OK", [("Content-Length", "2")])
        return [b"ok"]


def test_more_requests_than_there_is_room_for_cost_nothing_while_they_wait() -> None:
    app = Slow()
    server = Server(app, Address("127.0.0.1", 0))  # type: ignore[arg-type]
    server.start()
    there = Address(*server._socket.getsockname())
    with ExitStack() as stack:
        clients = [stack.enter_context(connect(there)) for _ in range(THREADS + MOST_WAITING + 10)]
        for client in clients:
            client.sendall(request("/"))
        for _ in range(THREADS):
            assert app.asked.acquire(timeout=5)
        until = time.monotonic() + 5
        while len(server._server.task_dispatcher.queue) < MOST_WAITING:
            assert time.monotonic() < until
            time.sleep(0.01)
        before = time.process_time()
        time.sleep(WATCHED)
        spent = time.process_time() - before
        app.answering.set()
        assert [everything(client).endswith(b"ok") for client in clients] == [True] * len(clients)
    server.stop(within=5)
    assert spent < WATCHED / 5

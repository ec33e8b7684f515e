"""The fake AWS of `aws.py` behind HTTP, in the protocols of its services, for `up` and `down` as a process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import botocore.session
from botocore.model import ServiceModel

from tests.deploy.aws import DeployedAws
from tests.operator.protocols import Reply, Request, answered, parsed, refused, signed_for
from tests.smoke.aws import Error, Silence


@cache
def _model(signing_name: str) -> ServiceModel:
    return botocore.session.Session().get_service_model(signing_name)


def _reply(aws: DeployedAws, request: Request) -> Reply:
    model = _model(signed_for(request)[1])
    operation, parameters = parsed(request, model)
    reply = aws.reply(f"{model.service_name}:{operation.name}", parameters)
    assert not isinstance(reply, Silence)
    if isinstance(reply, Error):
        return refused(reply.code, reply.message, reply.status, model)
    return answered(reply, operation)


@contextmanager
def served(aws: DeployedAws) -> Iterator[str]:
    """Serve on loopback and yield the URL. At the end no mistake of the test may be left."""
    faults: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            try:
                reply = _reply(aws, Request(self.command, self.path, dict(self.headers), body))
            except Exception as error:
                faults.append(f"{body[:200]!r}: {error!r}")
                reply = Reply(400, "text/plain", b"the test is wrong")
            self.send_response(reply.status)
            self.send_header("Content-Type", reply.kind)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)
            self.wfile.flush()

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert faults == [], faults[0]

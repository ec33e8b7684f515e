"""Lambda's side of a function: its Runtime API on the loopback interface, and the process that polls it for work.

AWS's own client runs the handler in that process, as in Lambda's Python runtimes. Between two invocations the process
is frozen, as Lambda freezes it. https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self

START = "import sys; from awslambdaric.__main__ import main; main(sys.argv)"
ARN = "arn:aws:lambda:us-east-1:123456789012:function:ecr-probe"
# AWS's client and what it needs.
CLIENT = ("awslambdaric", "runtime_client", "simplejson", "snapshot_restore_py")


@dataclass(frozen=True, slots=True)
class Returned:
    """The result of an invocation. `error` is Lambda's X-Amz-Function-Error: the handler raised."""

    document: Any
    error: bool
    seconds: float
    size: int  # in bytes, as it was sent


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a frozen process holds its connection for as long as it is frozen

    def handle_error(self, *_: object) -> None:
        """Ignore it: a process is killed while it waits for work."""


class Function:
    """A function with one process. `command` starts a Python that can import AWS's client and the handler."""

    def __init__(
        self, handler: str, *, command: Sequence[str] = (sys.executable, "-c", START), environ: Mapping[str, str]
    ) -> None:
        self._work: queue.Queue[tuple[str, bytes, float] | None] = queue.Queue()
        self._returned: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self._server = _Server(("127.0.0.1", 0), _conversation(self._work, self._returned))
        self._serving = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._serving.start()
        address = f"127.0.0.1:{self._server.server_address[1]}"
        self._folder = tempfile.TemporaryDirectory()
        with self._file("out").open("wb") as out, self._file("err").open("wb") as err:
            self._process = subprocess.Popen(
                [*command, handler],
                env={"PATH": os.environ["PATH"], **environ, "AWS_LAMBDA_RUNTIME_API": address},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._work.put(None)
        self._server.shutdown()
        self._server.server_close()
        self._folder.cleanup()

    def invoke(self, event: object, *, timeout: float = 60.0, paused_at: float | None = None) -> Returned:
        """Thaw, run, freeze. `paused_at`: seconds after which the process is stopped for two seconds."""
        began = time.monotonic()
        os.kill(self._process.pid, signal.SIGCONT)
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        self._work.put((str(uuid.uuid4()), body, time.time() + timeout))
        if paused_at is not None:
            time.sleep(paused_at)
            os.kill(self._process.pid, signal.SIGSTOP)
            time.sleep(2.0)
            os.kill(self._process.pid, signal.SIGCONT)
        route, body = self._returned.get(timeout=timeout + 10)
        seconds = time.monotonic() - began
        os.kill(self._process.pid, signal.SIGSTOP)
        return Returned(json.loads(body), route != "response", seconds, len(body))

    def log(self, stream: str) -> str:
        """What was written to "out" or "err": Lambda puts both into the function's log."""
        return self._file(stream).read_text()

    def resident_kib(self) -> int:
        lines = Path(f"/proc/{self._process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))

    def _file(self, stream: str) -> Path:
        return Path(self._folder.name, stream)


def _conversation(
    work: queue.Queue[tuple[str, bytes, float] | None], returned: queue.Queue[tuple[str, bytes]]
) -> type[BaseHTTPRequestHandler]:
    class Conversation(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            """Answer with the next invocation, as soon as there is one."""
            invocation = work.get()
            if invocation is None:
                self.close_connection = True
                return
            request, body, until = invocation
            self.send_response(200)
            self.send_header("Lambda-Runtime-Aws-Request-Id", request)
            self.send_header("Lambda-Runtime-Deadline-Ms", str(round(until * 1000)))
            self.send_header("Lambda-Runtime-Invoked-Function-Arn", ARN)
            self._end(body)

        def do_POST(self) -> None:
            """Take the result, which is posted to `.../response` or `.../error`."""
            body = self._body()
            self.send_response(202)
            self._end(b"{}")
            returned.put((self.path.rpartition("/")[2], body))

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") != "chunked":
                return self.rfile.read(int(self.headers["Content-Length"]))
            whole = b""
            while size := int(self.rfile.readline(), 16):
                whole += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return whole

        def _end(self, body: bytes) -> None:
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    return Conversation


def main(folder: str, handler: str, event: str) -> None:
    """Invoke the handler that lies unpacked in `folder` twice and print the results, from within a namespace."""
    with tempfile.TemporaryDirectory() as client:
        for name in CLIENT:
            spec = find_spec(name)
            assert spec is not None, name
            assert spec.origin is not None, name
            origin = Path(spec.origin)
            installed = origin.parent if origin.name == "__init__.py" else origin
            Path(client, installed.name).symlink_to(installed)
        # Nothing else can be imported, and the function's own packages come first, as in Lambda.
        start = f"import sys; sys.path[:0] = [{folder!r}, {client!r}]; {START}"
        with Function(
            handler, command=(f"{sys.base_prefix}/bin/python3", "-I", "-S", "-c", start), environ=os.environ
        ) as f:
            returned = [f.invoke(json.loads(event)) for _ in range(2)]
            log = f.log("err")
    print(json.dumps({"documents": [result.document for result in returned], "log": log.splitlines()}))


if __name__ == "__main__":
    main(*sys.argv[1:])

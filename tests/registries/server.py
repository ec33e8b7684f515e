"""A small registry in this process: the distribution protocol as the specification has it, with faults on request.

It shares no code with the client. Everything that it received is in `requests`, so that tests can look for secrets and
for bytes that were sent twice.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

USER, PASSWORD, TOKEN, STATE, SIGNATURE = (
    "robot",
    "sentinel-password",
    "sentinel-token",
    "sentinel-state",
    "sentinel-sig",
)


@dataclass
class Request:
    method: str
    host: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes = b""

    @property
    def authorization(self) -> str:
        return self.headers.get("authorization", "")


@dataclass
class Response:
    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    cut: int | None = None  # close the connection after so many bytes of the body


class CutError(Exception):
    """Close the connection without a response."""


Fault = Callable[[Request], Response | None]


@dataclass
class Repository:
    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)


def error(status: int, code: str, message: str = "", **headers: str) -> Response:
    body = json.dumps({"errors": [{"code": code, "message": message}]}).encode()
    return Response(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


class Registry:
    """`auth`: None, "basic" or "bearer". `like_ecr`: uploads as ECR's registry answers them."""

    def __init__(self, *, auth: str | None = None, like_ecr: bool = False) -> None:
        self.auth = auth
        self.like_ecr = like_ecr
        self.logins = {(USER, PASSWORD)}
        self.tokens = {TOKEN}
        self.repositories: dict[str, Repository] = {}
        self.uploads: dict[str, bytearray] = {}
        self.requests: list[Request] = []
        self.redirects: dict[str, str] = {}  # from blobs to URLs
        self.reads_of_mounts = True
        self.address = ""
        self._faults: list[tuple[str, re.Pattern[str], Fault]] = []
        self._lock = threading.Lock()
        self._begun = 0
        self._states: dict[str, str] = {}  # of uploads

    def repository(self, name: str) -> Repository:
        return self.repositories.setdefault(name, Repository())

    def fail(self, method: str, path: str, fault: Fault | Response) -> None:
        """Answer the next request for a path with `fault`; several are used in order."""
        made = (lambda _request: fault) if isinstance(fault, Response) else fault
        self._faults.append((method, re.compile(path), made))

    def forget_faults(self) -> None:
        self._faults.clear()

    @property
    def all_faults_occurred(self) -> bool:
        return not self._faults

    def sent(self, method: str, path: str = "") -> list[Request]:
        return [request for request in self.requests if request.method == method and re.search(path, request.path)]

    # ---- answering -------------------------------------------------------------------------------

    def answer(self, request: Request) -> Response:
        with self._lock:
            self.requests.append(request)
            for index, (method, path, fault) in enumerate(self._faults):
                if method == request.method and path.search(request.path):
                    del self._faults[index]
                    response = fault(request)
                    return self._answer(request) if response is None else response
            return self._answer(request)

    def _answer(self, request: Request) -> Response:
        if request.path == "/token":
            return self._token(request)
        if request.path.startswith("/signed/"):
            return self._signed(request)
        match = re.fullmatch(r"/v2/(.+)/(manifests|blobs)/(.+?)/?", request.path)
        if not match:
            return Response(404)
        if (challenge := self._challenge(request, match[1])) is not None:
            return challenge
        name, kind, rest = match[1], match[2], match[3]
        if kind == "manifests":
            return self._manifest(request, self.repository(name), rest)
        if rest == "uploads" or rest.startswith("uploads/"):
            return self._upload(request, name, rest.removeprefix("uploads").strip("/"))
        return self._blob(request, self.repository(name), rest)

    def _challenge(self, request: Request, repository: str) -> Response | None:
        scheme, _, credentials = request.authorization.partition(" ")
        if self.auth == "basic":
            if scheme == "Basic" and self._is_known(credentials):
                return None
            return error(401, "UNAUTHORIZED", WWW_Authenticate='Basic realm="lab",service="lab"')
        if self.auth == "bearer":
            if scheme == "Bearer" and credentials in self.tokens:
                return None
            realm = f"{self.address}/token"
            scope = f"repository:{repository}:pull"
            return error(401, "UNAUTHORIZED", WWW_Authenticate=f'Bearer realm="{realm}",service="lab",scope="{scope}"')
        return None

    def _is_known(self, credentials: str) -> bool:
        user, _, password = base64.b64decode(credentials).decode().partition(":")
        return (user, password) in self.logins

    def _token(self, request: Request) -> Response:
        scheme, _, credentials = request.authorization.partition(" ")
        if request.method == "POST":
            form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
            allowed = form.get("refresh_token") == PASSWORD
        else:
            allowed = scheme == "Basic" and self._is_known(credentials)
        if not allowed:
            return error(401, "UNAUTHORIZED")
        return Response(200, {}, json.dumps({"access_token": sorted(self.tokens)[-1], "expires_in": 300}).encode())

    def _signed(self, request: Request) -> Response:
        if request.query.get("signature") != SIGNATURE or request.authorization:
            return Response(400, {}, b"<Error><Code>InvalidArgument</Code></Error>")
        digest = request.path.removeprefix("/signed/")
        body = next(repo.blobs[digest] for repo in self.repositories.values() if digest in repo.blobs)
        return self._range(request, body)

    @staticmethod
    def _range(request: Request, body: bytes) -> Response:
        match = re.fullmatch(r"bytes=(\d+)-", request.headers.get("range", ""))
        if not match:
            return Response(200, {}, body)
        begin = int(match[1])
        return Response(206, {"Content-Range": f"bytes {begin}-{len(body) - 1}/{len(body)}"}, body[begin:])

    def _manifest(self, request: Request, repository: Repository, reference: str) -> Response:
        if request.method == "PUT":
            digest = f"sha256:{hashlib.sha256(request.body).hexdigest()}"
            if missing := self._missing(repository, json.loads(request.body)):
                return error(400, "MANIFEST_BLOB_UNKNOWN", missing)
            repository.manifests[digest] = (request.headers["content-type"], request.body)
            if reference != digest:
                repository.tags[reference] = digest
            return Response(201, {"Docker-Content-Digest": digest})
        digest = repository.tags.get(reference, reference)
        if digest not in repository.manifests:
            return error(404, "MANIFEST_UNKNOWN")
        media_type, body = repository.manifests[digest]
        return Response(200, {"Content-Type": media_type, "Docker-Content-Digest": digest}, body)

    @staticmethod
    def _missing(repository: Repository, manifest: dict[str, Any]) -> str | None:
        blobs = [manifest["config"], *manifest["layers"]] if "config" in manifest else []
        missing = [blob["digest"] for blob in blobs if blob["digest"] not in repository.blobs]
        children = manifest.get("manifests", ())
        missing += [child["digest"] for child in children if child["digest"] not in repository.manifests]
        return missing[0] if missing else None

    def _blob(self, request: Request, repository: Repository, digest: str) -> Response:
        if digest not in repository.blobs:
            return error(404, "BLOB_UNKNOWN")
        if digest in self.redirects:
            return Response(307, {"Location": self.redirects[digest]})
        return self._range(request, repository.blobs[digest])

    # ---- uploads ---------------------------------------------------------------------------------

    def _upload(self, request: Request, name: str, upload: str) -> Response:
        if request.method == "POST":
            digest, other = request.query.get("mount", ""), self.repositories.get(request.query.get("from", ""))
            if other is not None and digest in other.blobs and self.reads_of_mounts:
                self.repository(name).blobs[digest] = other.blobs[digest]
                return Response(201, {"Location": f"/v2/{name}/blobs/{digest}"})
            self._begun += 1
            upload = str(self._begun)
            self.uploads[upload] = bytearray()
            return Response(202, {"Location": self._location(name, upload), "Range": "0-0"})
        if upload not in self.uploads:
            return error(404, "BLOB_UPLOAD_UNKNOWN")
        stored = self.uploads[upload]
        if request.query.get("state") != self._states[upload]:
            return error(400, "BLOB_UPLOAD_INVALID", "not the last location")
        match request.method:
            case "GET" if self.like_ecr:
                return error(404, "BLOB_UPLOAD_UNKNOWN")
            case "GET":
                return Response(204, {"Location": self._location(name, upload), "Range": _range_of(len(stored))})
            case "DELETE":
                del self.uploads[upload]
                return Response(204)
        begin = int(request.headers.get("content-range", "0").partition("-")[0])
        if request.body and begin != len(stored):
            text = f"First byte of the layer part is {begin} instead of {len(stored)}" if self.like_ecr else ""
            return error(416, "BLOB_UPLOAD_INVALID", text)
        first = len(stored) or len(request.body)
        stored += request.body
        if request.method == "PATCH":
            stuck = first if self.like_ecr else len(stored)
            headers = {"Location": self._location(name, upload), "Range": _range_of(stuck)}
            return Response(201 if self.like_ecr else 202, headers)
        digest = f"sha256:{hashlib.sha256(stored).hexdigest()}"
        if digest != request.query["digest"]:
            return error(400, "DIGEST_INVALID")
        self.repository(name).blobs[digest] = bytes(stored)
        del self.uploads[upload]
        return Response(201, {"Docker-Content-Digest": digest})

    def store(self, request: Request, count: int) -> None:
        """Keep the first bytes of an upload's request, as a registry does whose client went away."""
        self.uploads[request.path.rpartition("/")[2]] += request.body[:count]

    def _location(self, name: str, upload: str) -> str:
        """Another one after each request, as distribution has it."""
        self._states[upload] = f"{STATE}-{len(self.requests)}"
        return f"/v2/{name}/blobs/uploads/{upload}?{urlencode({'state': self._states[upload]})}"


def _range_of(count: int) -> str:
    return f"0-{max(0, count - 1)}"


# ---- the server ------------------------------------------------------------------------------------------------------


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    registry: Registry

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except (ConnectionError, ssl.SSLError):
            self.close_connection = True

    def _respond(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        request = Request(self.command, headers.get("host", ""), parts.path, query, headers, body)
        try:
            response = self.registry.answer(request)
        except CutError:
            self.close_connection = True
            return
        self.send_response_only(response.status)
        for name, value in {"Content-Length": str(len(response.body)), **response.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body[: response.cut])
        if response.cut is not None:
            self.close_connection = True

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _respond  # noqa: N815

    def log_message(self, *_arguments: object) -> None:
        """Print nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_arguments: object) -> None:
        """Print nothing: clients break connections on purpose."""


@contextmanager
def serving(registry: Registry, context: ssl.SSLContext | None = None, *, name: str = "") -> Iterator[int]:
    """Serve on a free port, which is yielded. `name` is the host of the registry's own URLs."""
    handler = type("Handler", (_Handler,), {"registry": registry})
    server = _Server(("127.0.0.1", 0), handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    port = int(server.server_address[1])
    registry.address = f"https://{name}" if name else f"http://127.0.0.1:{port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

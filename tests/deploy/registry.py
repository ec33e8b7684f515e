"""An ECR registry in this process: the distribution protocol over HTTP, on the manifests of a fake ECR.

What ECR does and distribution does not: a repository must exist (NAME_UNKNOWN), a tag of an immutable repository is not
moved (ECR user guide, "Image tag mutability"), and an index is refused without its images.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from tests.http_server import Handler, serving

TOKEN = "eyJwYXlsb2FkIjoiRUNSLXRva2VuLW9mLXRoZS10ZXN0In0"
_PATH = re.compile(r"/v2/(?P<repository>.+?)/(?P<kind>manifests|blobs/uploads|blobs)/?(?P<rest>.*)")


def digest_of(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


@dataclass
class FakeRepository:
    """`manifests` are (media type, body) by digest."""

    name: str
    immutable: bool = False
    manifests: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    stack: str = ""  # that has created it

    def tags_of(self, digest: str) -> list[str]:
        return [tag for tag, tagged in self.tags.items() if tagged == digest]

    def listed_by(self, digest: str) -> list[str]:
        """The indexes that list a manifest."""
        return [
            other
            for other, (_, body) in self.manifests.items()
            if any(entry["digest"] == digest for entry in json.loads(body).get("manifests", ()))
        ]

    def put(self, media_type: str, body: bytes, reference: str) -> str | None:
        """Store a manifest; returns the error code of a refusal."""
        document, digest = json.loads(body), digest_of(body)
        if any(entry["digest"] not in self.manifests for entry in document.get("manifests", ())):
            return "MANIFEST_BLOB_UNKNOWN"
        needed = [document["config"], *document["layers"]] if "config" in document else []
        if any(blob["digest"] not in self.blobs for blob in needed):
            return "BLOB_UNKNOWN"
        if reference.startswith("sha256:"):
            if reference != digest:
                return "DIGEST_INVALID"
        elif self.immutable and self.tags.get(reference, digest) != digest:
            return "TAG_INVALID"
        else:
            self.tags[reference] = digest
        self.manifests[digest] = (media_type, body)
        return None


@dataclass
class FakeRegistry:
    """`on_request` is called before each request, with its number; `faults` are mistakes of the test."""

    repositories: dict[str, FakeRepository]
    on_request: Callable[[int, str], None] = lambda _number, _method: None
    requests: list[tuple[str, str]] = field(default_factory=list)
    uploads: dict[str, bytes] = field(default_factory=dict)
    url: str = ""
    denial: str = ""  # of every upload


def _handler(registry: FakeRegistry) -> type[Handler]:
    expected = "Basic " + base64.b64encode(f"AWS:{TOKEN}".encode()).decode()

    class OfRegistry(Handler):
        def _answer(self) -> None:
            body = self.read_body()
            registry.requests.append((self.command, self.path))
            registry.on_request(len(registry.requests), self.command)
            if self.headers.get("Authorization") != expected:
                return self._send(401, {"WWW-Authenticate": 'Basic realm="ECR"'}, self._error("UNAUTHORIZED"))
            parts = urlsplit(self.path)
            match = _PATH.fullmatch(parts.path)
            if match is None:
                return self._send(200 if parts.path == "/v2/" else 404)
            repository = registry.repositories.get(match["repository"])
            if repository is None:
                return self._send(404, {}, self._error("NAME_UNKNOWN"))
            if match["kind"] == "manifests":
                return self._manifest(repository, match["rest"], body)
            if match["kind"] == "blobs":
                blob = repository.blobs.get(match["rest"])
                return self._send(404 if blob is None else 200, {}, blob or b"")
            return self._upload(repository, match["rest"], parse_qs(parts.query), body)

        do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = _answer  # noqa: N815

        def _manifest(self, repository: FakeRepository, reference: str, body: bytes) -> None:
            if self.command == "PUT":
                refusal = repository.put(self.headers["Content-Type"], body, reference)
                return self._send(400 if refusal else 201, {}, self._error(refusal) if refusal else b"")
            digest = repository.tags.get(reference, reference)
            if digest not in repository.manifests:
                return self._send(404, {}, self._error("MANIFEST_UNKNOWN"))
            kind, content = repository.manifests[digest]
            return self._send(200, {"Content-Type": kind, "Docker-Content-Digest": digest}, content)

        def _upload(self, repository: FakeRepository, name: str, query: dict[str, list[str]], body: bytes) -> None:
            if registry.denial:
                errors = {"errors": [{"code": "DENIED", "message": registry.denial}]}
                return self._send(403, {"Content-Type": "application/json"}, json.dumps(errors).encode())
            if self.command == "POST":
                name = str(len(registry.requests))
                registry.uploads[name] = b""
                return self._send(202, {"Location": f"/v2/{repository.name}/blobs/uploads/{name}"})
            registry.uploads[name] += body
            if self.command == "PATCH":
                location = f"/v2/{repository.name}/blobs/uploads/{name}"
                return self._send(202, {"Location": location, "Range": f"0-{len(registry.uploads[name]) - 1}"})
            content = registry.uploads.pop(name)
            if digest_of(content) != query["digest"][0]:
                return self._send(400, {}, self._error("DIGEST_INVALID"))
            repository.blobs[digest_of(content)] = content
            return self._send(201, {"Docker-Content-Digest": digest_of(content)})

        @staticmethod
        def _error(code: str) -> bytes:
            return json.dumps({"errors": [{"code": code, "message": "no"}]}).encode()

        def _send(self, status: int, headers: dict[str, str] | None = None, body: bytes = b"") -> None:
            self.send(status, headers or {}, body)

    return OfRegistry


@contextmanager
def served(registry: FakeRegistry) -> Iterator[str]:
    """Serve on loopback, and yield the URL, which is the proxyEndpoint."""
    with serving(_handler(registry)) as url:
        registry.url = url
        yield url

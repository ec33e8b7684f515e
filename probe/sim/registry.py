"""The registry behind `<account>.dkr.ecr.<region>`, as Docker clients see it: challenge, manifests, redirects to S3."""

from __future__ import annotations

import base64
import binascii
import json
import re
from urllib.parse import unquote

from probe.records import replace
from probe.sim import names
from probe.sim.api import Passwords
from probe.sim.http import Reply, Request
from probe.sim.identity import Principal
from probe.sim.images import Content, Repositories, Repository
from probe.sim.s3 import LayerStore
from probe.sim.services import Account, Door, Service

_TEXT = "text/plain; charset=utf-8"
_VERSION = ("Docker-Distribution-Api-Version", "registry/2.0")
_PATH = re.compile(r"/v2/(?P<name>[a-z0-9][a-z0-9._/-]*)/(?P<what>manifests|blobs|tags)/(?P<reference>[^/]+)")
# Which IAM action a registry call needs.
_ACTIONS = {
    ("GET", "manifests"): "ecr:BatchGetImage",
    ("HEAD", "manifests"): "ecr:BatchGetImage",
    ("GET", "blobs"): "ecr:GetDownloadUrlForLayer",
    ("HEAD", "blobs"): "ecr:BatchCheckLayerAvailability",
    ("GET", "tags"): "ecr:ListImages",
}
_EXPIRED = "Your authorization token has expired. Reauthenticate and try again."


class Registry(Service):
    def __init__(self, account: Account, passwords: Passwords, repositories: Repositories, store: LayerStore) -> None:
        super().__init__(account)
        self.passwords = passwords
        self.repositories = repositories
        self.store = store

    def answer(self, request: Request, door: Door, /) -> Reply:
        place = names.read(request.host)
        scheme, _, word = request.headers.get("authorization", "").partition(" ")
        if place is None or not place.account or scheme != "Basic":
            return _challenge(request.host)
        password = _password(word)
        if password is None:
            return Reply(400, b"", (_VERSION,), _TEXT)  # captured for garbled passwords; its body is not known
        principal = self.passwords.issued.get(password)
        if principal is None or self.passwords.expired:
            # An undecodable password is reported as an expired one; neither comes with a challenge.
            return _refusal(403, "DENIED", _EXPIRED)
        if request.path == "/v2/":
            return Reply(200, b"{}", (_VERSION,))
        return self._call(request, door, place, principal)

    def _call(self, request: Request, door: Door, place: names.Place, principal: Principal) -> Reply:
        found = _PATH.fullmatch(unquote(request.path))
        action = _ACTIONS.get((request.method, found["what"])) if found else None
        if found is None or action is None:
            return _refusal(404, "UNSUPPORTED", "The operation is unsupported.")
        account, name = place.account, found["name"]
        repository = self.repositories.find(account, door.region, name)
        resource = f"arn:{names.partition(door.region)}:ecr:{door.region}:{account}:repository/{name}"
        owner = repository.policy if repository and account != self.account.id else None
        # Permissions are asked at every call and not baked into the token.
        refusal = self.account.refusal(principal, action, resource, endpoint=door.endpoint, owner=owner)
        if refusal:
            return _refusal(403, "DENIED", refusal)
        if repository is None:
            words = f"The repository with name '{name}' does not exist in the registry with id '{account}'"
            return _refusal(404, "NAME_UNKNOWN", words)
        if found["what"] == "tags":
            # The list of tags is JSON under a text type.
            return Reply(200, json.dumps({"name": name, "tags": sorted(repository.tags)}).encode(), (_VERSION,), _TEXT)
        if found["what"] == "manifests":
            return _manifest(request, repository.manifest(found["reference"]))
        return self._blob(request, repository, found["reference"], place)

    def _blob(self, request: Request, repository: Repository, digest: str, place: names.Place) -> Reply:
        blob = repository.blobs.get(digest)
        if blob is None:
            return Reply(404) if request.method == "HEAD" else _refusal(404, "BLOB_UNKNOWN", "blob unknown to registry")
        if request.method == "HEAD":
            # Only private registries answer HEAD of a blob themselves.
            return Reply(200, blob.body, (_VERSION, ("Docker-Content-Digest", digest)), "application/octet-stream")
        if repository.upstream:
            location = f"https://{repository.upstream}/blobs/{digest}?signature=upstream"
        else:
            location = self.store.url(blob, replace(place, region=repository.layer_region or place.region))
        return Reply(307, b"", (("Location", location), _VERSION), "")


def _challenge(host: str) -> Reply:
    """Captured word for word: Basic, never Bearer; a realm with a slash at its end; this body."""
    challenge = f'Basic realm="https://{host}/",service="ecr.amazonaws.com"'
    return Reply(401, b"Not Authorized\n", (_VERSION, ("Www-Authenticate", challenge)), _TEXT)


def _manifest(request: Request, manifest: Content | None) -> Reply:
    if manifest is None:
        return _refusal(404, "MANIFEST_UNKNOWN", "Requested image not found")
    headers = [_VERSION, ("Sizes", "")]
    if request.method == "HEAD":
        # GET answers without this header (clients compute the digest); HEAD has it.
        headers.append(("Docker-Content-Digest", manifest.digest))
    return Reply(200, manifest.body, tuple(headers), manifest.kind)


def _refusal(status: int, code: str, message: str) -> Reply:
    """The envelope of the distribution protocol."""
    body = json.dumps({"errors": [{"code": code, "message": message}]}).encode()
    return Reply(status, body, (_VERSION,), "application/json; charset=utf-8")


def throttled() -> Reply:
    return _refusal(429, "TOOMANYREQUESTS", "Rate exceeded")


def _password(word: str) -> str | None:
    try:
        user, _, password = base64.b64decode(word, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return password if user == "AWS" else None

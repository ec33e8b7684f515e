"""ECR: its JSON API behind `api.ecr.<region>`, and the Docker registry behind `<account>.dkr.ecr.<region>`."""

from __future__ import annotations

import base64
import binascii
import json
import re
import secrets
from typing import Any
from urllib.parse import unquote

from probe.records import replace
from probe.sim import names
from probe.sim.http import Reply, Request
from probe.sim.identity import Principal, SignatureError
from probe.sim.images import Content, Repositories, Repository
from probe.sim.s3 import LayerStore
from probe.sim.services import Account, EntryPoint, Service, json_call, json_error, json_reply

_VALID = 12 * 3600  # seconds; AWS[ecr-token-lifetime]


class Passwords:
    """The registry passwords that were issued, and their principals."""

    def __init__(self) -> None:
        self.issued: dict[str, Principal] = {}
        self.expired = False

    def issue(self, principal: Principal, now: float) -> str:
        """Issue a password in the captured form: base64 of a JSON document with these keys."""
        content = {
            "payload": secrets.token_urlsafe(900),
            "datakey": secrets.token_urlsafe(300),
            "version": "2",
            "type": "DATA_KEY",
            "expiration": int(now + _VALID),
        }
        password = base64.b64encode(json.dumps(content).encode()).decode()
        self.issued[password] = principal
        return password


class EcrApi(Service):
    def __init__(self, account: Account, passwords: Passwords, repositories: Repositories) -> None:
        super().__init__(account)
        self.passwords = passwords
        self.repositories = repositories

    def answer(self, request: Request, entry: EntryPoint, /) -> Reply:
        if request.path != "/":
            # Captured: a registry path on the API's host is refused.
            return json_error(
                "AccessDeniedException", "Unable to determine service/operation name to be authorized", 403
            )
        try:
            principal = self.account.authenticate(request, service="ecr", region=entry.region)
        except SignatureError as error:
            return json_error(error.kind, error.message)
        operation, content = json_call(request)
        if operation == "GetAuthorizationToken":
            return self._token(principal, entry)
        if operation == "BatchGetImage":
            return self._images(principal, content, entry)
        return json_error("UnknownOperationException", "")

    def _token(self, principal: Principal, entry: EntryPoint) -> Reply:
        # The only resource of this action is "*".
        refusal = self.account.refusal(principal, "ecr:GetAuthorizationToken", "*", endpoint=entry.endpoint)
        if refusal:
            return json_error("AccessDeniedException", refusal)
        now = self.account.now()
        token = base64.b64encode(f"AWS:{self.passwords.issue(principal, now)}".encode()).decode()
        return json_reply(
            {
                "authorizationData": [
                    {
                        "authorizationToken": token,
                        "expiresAt": now + _VALID,
                        # The caller's own registry; the token is valid for others too.
                        "proxyEndpoint": f"https://{names.registry(self.account.id, entry.region)}",
                    }
                ]
            }
        )

    def _images(self, principal: Principal, content: dict[str, Any], entry: EntryPoint) -> Reply:
        account, name = content.get("registryId", self.account.id), str(content.get("repositoryName"))
        resource = f"arn:{names.partition(entry.region)}:ecr:{entry.region}:{account}:repository/{name}"
        refusal = self.account.refusal(principal, "ecr:BatchGetImage", resource, endpoint=entry.endpoint)
        if refusal:
            return json_error("AccessDeniedException", refusal)
        repository = self.repositories.find(account, entry.region, name)
        if repository is None:
            message = f"The repository with name '{name}' does not exist in the registry with id '{account}'"
            return json_error("RepositoryNotFoundException", message)
        images: list[dict[str, Any]] = []
        failures: list[dict[str, Any]] = []
        for image_id in content.get("imageIds", []):
            reference = image_id.get("imageDigest") or image_id.get("imageTag")
            manifest = repository.manifest(reference)
            if manifest is None:
                # A missing image is not an error of the call: status 200 with a failure.
                reason = {"failureCode": "ImageNotFound", "failureReason": "Requested image not found"}
                failures.append({"imageId": image_id, **reason})
                continue
            identity = {"imageDigest": manifest.digest, **({"imageTag": reference} if "imageTag" in image_id else {})}
            image = {
                "imageId": identity,
                "imageManifest": manifest.body.decode(),
                "imageManifestMediaType": manifest.media_type,
            }
            images.append({"registryId": account, "repositoryName": name, **image})
        return json_reply({"images": images, "failures": failures})


_TEXT = "text/plain; charset=utf-8"
_VERSION = ("Docker-Distribution-Api-Version", "registry/2.0")
_PATH = re.compile(r"/v2/(?P<name>[a-z0-9][a-z0-9._/-]*)/(?P<what>manifests|blobs|tags)/(?P<reference>[^/]+)")
# The IAM action of each registry call.
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

    def answer(self, request: Request, entry: EntryPoint, /) -> Reply:
        registry = names.parse_host(request.host)
        scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
        if registry is None or not registry.account or scheme != "Basic":
            return _challenge(request.host)
        password = _password(credentials)
        if password is None:
            return Reply(400, b"", (_VERSION,), _TEXT)  # captured for invalid base64; the body is not known
        principal = self.passwords.issued.get(password)
        if principal is None or self.passwords.expired:
            # An unknown password is reported as an expired one; neither answer has a challenge.
            return registry_error(403, "DENIED", _EXPIRED)
        if request.path == "/v2/":
            return Reply(200, b"{}", (_VERSION,))
        return self._call(request, entry, registry, principal)

    def _call(self, request: Request, entry: EntryPoint, registry: names.AwsHost, principal: Principal) -> Reply:
        match = _PATH.fullmatch(unquote(request.path))
        action = _ACTIONS.get((request.method, match["what"])) if match else None
        if match is None or action is None:
            return registry_error(404, "UNSUPPORTED", "The operation is unsupported.")
        account, name = registry.account, match["name"]
        repository = self.repositories.find(account, entry.region, name)
        resource = f"arn:{names.partition(entry.region)}:ecr:{entry.region}:{account}:repository/{name}"
        # AWS[ecr-other-account-missing] No policy allows access to another account's repository that does not exist.
        owner = (repository.policy if repository else ()) if account != self.account.id else None
        # Permissions are checked at every call; the token does not contain them.
        refusal = self.account.refusal(principal, action, resource, endpoint=entry.endpoint, owner=owner)
        if refusal:
            return registry_error(403, "DENIED", refusal)
        if repository is None:
            message = f"The repository with name '{name}' does not exist in the registry with id '{account}'"
            return registry_error(404, "NAME_UNKNOWN", message)
        if match["what"] == "tags":
            # The list of tags is JSON with a text media type.
            return Reply(200, json.dumps({"name": name, "tags": sorted(repository.tags)}).encode(), (_VERSION,), _TEXT)
        if match["what"] == "manifests":
            return _manifest(request, repository.manifest(match["reference"]))
        return self._blob(request, repository, match["reference"], registry)

    def _blob(self, request: Request, repository: Repository, digest: str, registry: names.AwsHost) -> Reply:
        blob = repository.blobs.get(digest)
        if blob is None:
            return (
                Reply(404)
                if request.method == "HEAD"
                else registry_error(404, "BLOB_UNKNOWN", "blob unknown to registry")
            )
        if request.method == "HEAD":
            # Private registries answer HEAD of a blob themselves.
            return Reply(200, blob.body, (_VERSION, ("Docker-Content-Digest", digest)), "application/octet-stream")
        if repository.upstream:
            location = f"https://{repository.upstream}/blobs/{digest}?signature=upstream"
        else:
            where = replace(registry, region=repository.layer_region or registry.region)
            location = self.store.url(blob, where, repository.layer_bucket)
        return Reply(307, b"", (("Location", location), _VERSION), "")


def _challenge(host: str) -> Reply:
    """The challenge exactly as captured: Basic, never Bearer; the realm ends with a slash; this body."""
    challenge = f'Basic realm="https://{host}/",service="ecr.amazonaws.com"'
    return Reply(401, b"Not Authorized\n", (_VERSION, ("Www-Authenticate", challenge)), _TEXT)


def _manifest(request: Request, manifest: Content | None) -> Reply:
    if manifest is None:
        return registry_error(404, "MANIFEST_UNKNOWN", "Requested image not found")
    headers = [_VERSION, ("Sizes", "")]
    if request.method == "HEAD":
        # Only the answer to HEAD has this header; clients of GET compute the digest.
        headers.append(("Docker-Content-Digest", manifest.digest))
    return Reply(200, manifest.body, tuple(headers), manifest.media_type)


def registry_error(status: int, code: str, message: str) -> Reply:
    """An error of the distribution protocol."""
    body = json.dumps({"errors": [{"code": code, "message": message}]}).encode()
    return Reply(status, body, (_VERSION,), "application/json; charset=utf-8")


def throttled() -> Reply:
    """The registry's answer to too many requests."""
    return registry_error(429, "TOOMANYREQUESTS", "Rate exceeded")


def key_disabled() -> Reply:
    """The answer where the repository's KMS key is disabled. AWS[ecr-kms-errors]"""
    return registry_error(400, "KmsException", "The operation failed due to a KMS exception.")


def upstream_refused() -> Reply:
    """The answer where the upstream registry refuses a pull-through rule's credentials. AWS[ecr-upstream-denied]"""
    message = "The authentication to the upstream registry failed. Verify that the credentials are valid."
    return registry_error(403, "DENIED", message)


def upstream_throttled() -> Reply:
    """The answer where Docker Hub limits the pulls of a pull-through rule. AWS[ecr-upstream-limit]"""
    return registry_error(429, "TOOMANYREQUESTS", "You have reached your unauthenticated pull rate limit.")


def _password(credentials: str) -> str | None:
    """The password in Basic credentials; None where they are invalid."""
    try:
        user, _, password = base64.b64decode(credentials, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return password if user == "AWS" else None

"""The ECR API behind `api.ecr.<region>`: GetAuthorizationToken and BatchGetImage, in the JSON protocol."""

from __future__ import annotations

import base64
import json
import secrets
from typing import Any

from probe.sim import names
from probe.sim.http import Reply, Request
from probe.sim.identity import Principal
from probe.sim.images import Repositories
from probe.sim.services import Account, EntryPoint, Service, json_call, json_error, json_reply
from probe.sim.sigv4 import SignatureError

_VALID = 12 * 3600  # a registry token lives 12 hours


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

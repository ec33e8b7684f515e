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
from probe.sim.services import Account, Door, Service, json_call, json_error, json_reply
from probe.sim.sigv4 import SignatureError

_VALID = 12 * 3600  # a registry token lives 12 hours


class Passwords:
    """The registry passwords that were handed out, and for whom."""

    def __init__(self) -> None:
        self.issued: dict[str, Principal] = {}
        self.expired = False

    def issue(self, principal: Principal, now: float) -> str:
        """Captured shape: base64 of a JSON document with these keys."""
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

    def answer(self, request: Request, door: Door, /) -> Reply:
        if request.path != "/":
            # Captured: a registry path on the API's host is refused.
            return json_error(
                "AccessDeniedException", "Unable to determine service/operation name to be authorized", 403
            )
        try:
            principal = self.account.authenticate(request, service="ecr", region=door.region)
        except SignatureError as refused:
            return json_error(refused.kind, refused.message)
        operation, content = json_call(request)
        if operation == "GetAuthorizationToken":
            return self._token(principal, door)
        if operation == "BatchGetImage":
            return self._images(principal, content, door)
        return json_error("UnknownOperationException", "")

    def _token(self, principal: Principal, door: Door) -> Reply:
        # This action has no resource but "*".
        refusal = self.account.refusal(principal, "ecr:GetAuthorizationToken", "*", endpoint=door.endpoint)
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
                        # The caller's own registry, whatever registry will be asked.
                        "proxyEndpoint": f"https://{names.registry(self.account.id, door.region)}",
                    }
                ]
            }
        )

    def _images(self, principal: Principal, content: dict[str, Any], door: Door) -> Reply:
        account, name = content.get("registryId", self.account.id), str(content.get("repositoryName"))
        resource = f"arn:{names.partition(door.region)}:ecr:{door.region}:{account}:repository/{name}"
        refusal = self.account.refusal(principal, "ecr:BatchGetImage", resource, endpoint=door.endpoint)
        if refusal:
            return json_error("AccessDeniedException", refusal)
        repository = self.repositories.find(account, door.region, name)
        if repository is None:
            words = f"The repository with name '{name}' does not exist in the registry with id '{account}'"
            return json_error("RepositoryNotFoundException", words)
        images: list[dict[str, Any]] = []
        failures: list[dict[str, Any]] = []
        for wanted in content.get("imageIds", []):
            reference = wanted.get("imageDigest") or wanted.get("imageTag")
            manifest = repository.manifest(reference)
            if manifest is None:
                # A missing image is no error of the call: status 200 and a failure.
                reason = {"failureCode": "ImageNotFound", "failureReason": "Requested image not found"}
                failures.append({"imageId": wanted, **reason})
                continue
            identity = {"imageDigest": manifest.digest, **({"imageTag": reference} if "imageTag" in wanted else {})}
            found = {
                "imageId": identity,
                "imageManifest": manifest.body.decode(),
                "imageManifestMediaType": manifest.kind,
            }
            images.append({"registryId": account, "repositoryName": name, **found})
        return json_reply({"images": images, "failures": failures})

"""The link-local HTTP servers of a task and its instance: task metadata, credentials, EC2 instance metadata."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from probe.sim.http import Reply, Request
from probe.sim.identity import Keys
from probe.sim.services import InjectedReply
from probe.sim.task import ID, Task

CREDENTIALS_ADDRESS = "169.254.170.2"
INSTANCE_ADDRESS = "169.254.169.254"
_LIFETIME = timedelta(hours=6)


class TaskMetadata:
    """169.254.170.2 as the ECS agent serves it. `edits` change documents before they are sent."""

    def __init__(self, task: Task, keys: Keys) -> None:
        self.task = task
        self.keys = keys
        self.injected_replies: list[InjectedReply] = []
        self.edits: list[Callable[[dict[str, Any]], None]] = []

    def answer(self, request: Request) -> Reply:
        for injected in self.injected_replies:
            if injected.matches(request):
                return injected.reply
        if request.path == self.task.credentials_path and self.task.role:
            return self._credentials()
        if request.path.startswith(("/v1/credentials", "/v2/credentials")):
            return credentials_error(400, "InvalidIdInRequest", "CredentialsV2Request: Credentials not found")
        return self._document(request.path)

    def _document(self, path: str) -> Reply:
        for version in (4, 3):
            base = f"/v{version}/{ID}"
            if path == base:
                return self._json(self.task.container_document(self.task.own, version=version))
            if path == f"{base}/task":
                return self._json(self.task.task_document(version=version))
        return string_error(404, f"V4 task metadata handler: unable to get task id from v3 endpoint ID: {path}")

    def _json(self, document: dict[str, Any]) -> Reply:
        for edit in self.edits:
            edit(document)
        return Reply(200, json.dumps(document).encode())

    def _credentials(self) -> Reply:
        document = {
            "RoleArn": self.task.role_arn,
            "AccessKeyId": self.keys.access_key,
            "SecretAccessKey": self.keys.secret_key,
            "Token": self.keys.token,
            "Expiration": f"{datetime.now(UTC) + _LIFETIME:%Y-%m-%dT%H:%M:%SZ}",
        }
        return Reply(200, json.dumps(document).encode())


def string_error(status: int, message: str) -> Reply:
    """An error of the agent's metadata: a JSON string, not an object."""
    return Reply(status, json.dumps(message).encode())


def credentials_error(status: int, code: str, message: str) -> Reply:
    return Reply(status, json.dumps({"code": code, "message": message, "HTTPErrorCode": status}).encode())


def credentials_uninitialised() -> Reply:
    """The agent's answer right after its start, when it has no credentials yet."""
    return credentials_error(503, "CredentialsUninitialized", "CredentialsV2Request: Credentials uninitialized for ID")


class InstanceMetadata:
    """169.254.169.254, version 2 only: every read needs a session token. It contains the VPC's ranges."""

    MAC = "0a:de:f6:10:51:01"

    def __init__(self, ranges: list[str], ranges_ipv6: list[str], keys: Keys, role: str) -> None:
        self.ranges = ranges
        self.ranges_ipv6 = ranges_ipv6
        self.keys = keys
        self.role = role
        self._sessions: set[str] = set()

    def answer(self, request: Request) -> Reply:
        if request.path == "/latest/api/token" and request.method == "PUT":
            token = secrets.token_urlsafe(40)
            self._sessions.add(token)
            return _text(token)
        if request.headers.get("x-aws-ec2-metadata-token") not in self._sessions:
            return Reply(401, b"", (), "text/html")
        value = self._tree().get(request.path.removeprefix("/latest/meta-data/").rstrip("/"))
        return _text(value) if value is not None else Reply(404, b"<html>Not Found</html>", (), "text/html")

    def _tree(self) -> dict[str, str]:
        interface = f"network/interfaces/macs/{self.MAC}"
        credentials = {
            "Code": "Success",
            "Type": "AWS-HMAC",
            "AccessKeyId": self.keys.access_key,
            "SecretAccessKey": self.keys.secret_key,
            "Token": self.keys.token,
            "Expiration": f"{datetime.now(UTC) + _LIFETIME:%Y-%m-%dT%H:%M:%SZ}",
        }
        tree = {
            "mac": self.MAC,
            "network/interfaces/macs": f"{self.MAC}/",
            f"{interface}/vpc-ipv4-cidr-block": self.ranges[0],
            f"{interface}/vpc-ipv4-cidr-blocks": "\n".join(self.ranges),
            "iam/security-credentials": self.role,
            f"iam/security-credentials/{self.role}": json.dumps(credentials),
        }
        if self.ranges_ipv6:
            tree[f"{interface}/vpc-ipv6-cidr-blocks"] = "\n".join(self.ranges_ipv6)
        return tree


def _text(value: str) -> Reply:
    return Reply(200, value.encode(), (("Server", "EC2ws"),), "text/plain")

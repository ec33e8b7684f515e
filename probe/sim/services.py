"""What AWS's front ends have in common: an account with its keys and clock, doors into a service, and bad days."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any, Protocol
from uuid import uuid4

from probe.records import Record, field
from probe.sim import sigv4
from probe.sim.http import Reply, Request
from probe.sim.identity import Call, Keys, Permissions, Policy, Principal

AMAZON_JSON = "application/x-amz-json-1.1"


class Guarded(Protocol):
    """An endpoint of ours: it has an id and a policy of its own."""

    vpce_id: str
    policy: Policy


class Account(Record, eq=False):
    """The caller's side of AWS: who holds which keys, what its policies say, and what time it is there."""

    id: str
    keys: dict[str, Keys]
    permissions: Permissions = field(default_factory=Permissions)
    session_expired: bool = False
    clock_ahead: float = 0.0  # seconds by which AWS's clock is ahead of ours

    def now(self) -> float:
        return time.time() + self.clock_ahead

    def authenticate(self, request: Request, *, service: str, region: str) -> Principal:
        """Raises sigv4.SignatureError."""
        return sigv4.verify(
            request, self.keys, service=service, region=region, now=self.now(), expired=self.session_expired
        )

    def refusal(
        self, principal: Principal, action: str, resource: str, *, endpoint: Guarded | None, owner: Policy | None = None
    ) -> str | None:
        """The sentence that refuses a call through `endpoint` (None: over the Internet). `owner`: another's policy."""
        checks = self.permissions.checks(
            endpoint=endpoint.policy if endpoint else None, through_endpoint=endpoint is not None, resource=owner
        )
        return Call(principal, action, resource).refusal(checks, enriched=self.permissions.enriched)


class Mishap(Record):
    """A reply in place of the right one where the request line or X-Amz-Target holds `at`; so many times, or always."""

    reply: Reply
    at: str = ""
    times: int | None = None

    def strikes(self, request: Request) -> bool:
        if (
            self.times == 0
            or self.at not in f"{request.method} {request.target} {request.headers.get('x-amz-target', '')}"
        ):
            return False
        if self.times is not None:
            self.times -= 1
        return True


class Service:
    """One AWS service in all regions. `mishaps` come before everything else."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.mishaps: list[Mishap] = []

    def reply(self, request: Request, door: Door) -> Reply:
        for mishap in self.mishaps:
            if mishap.strikes(request):
                return mishap.reply
        return self.answer(request, door)

    def answer(self, _request: Request, _door: Door, /) -> Reply:
        """A service that is only reached: it knows no such call, which proves that it answers."""
        return json_error("UnknownOperationException", "")


class Door(Record, frozen=True):
    """A way into a service in a region: an endpoint of ours, or the Internet (None)."""

    service: Service
    region: str
    endpoint: Guarded | None = None

    def __call__(self, request: Request) -> Reply:
        return self.service.reply(request, self)


def json_reply(content: Mapping[str, Any], status: int = 200) -> Reply:
    """AWS's JSON protocol: every answer carries a request id."""
    body = json.dumps(content).encode()
    return Reply(status, body, (("x-amzn-RequestId", str(uuid4())),), AMAZON_JSON)


def json_error(kind: str, message: str, status: int = 400) -> Reply:
    """Client faults of the JSON protocol have status 400, whatever they are."""
    return json_reply({"__type": kind, "message": message}, status)


def json_call(request: Request) -> tuple[str, dict[str, Any]]:
    """The operation that X-Amz-Target names, and the body."""
    operation = request.headers.get("x-amz-target", "").rpartition(".")[2]
    content = json.loads(request.body or b"{}")
    return operation, content if isinstance(content, dict) else {}

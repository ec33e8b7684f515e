"""EC2 instance metadata, version 2, as far as the probe asks it. It is link-local: no security group or ACL touches
it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from probe.model import Budget, Failure
from probe.wire import Wire
from probe.wire.errors import WireError
from probe.wire.http import Conversation

ADDRESS = "169.254.169.254"
# Where the hop limit keeps containers out, the answer never comes; botocore waits no longer either.
SECONDS = 1.0
_TOKEN_SECONDS = "60"


class InstanceMetadata:
    """A session with instance metadata; all its answers together within `SECONDS`."""

    def __init__(self, conversation: Conversation, token: str, *, ends: float, limit: int) -> None:
        self._conversation = conversation
        self._headers = {"X-aws-ec2-metadata-token": token}
        self._ends = ends
        self._limit = limit

    def get(self, path: str) -> str:
        """The text at a path. Raises WireError NOT_FOUND and what else fails."""
        answer = self._conversation.request(
            "GET", f"/latest/meta-data/{path}", headers=self._headers, seconds=_left(self._ends), limit=self._limit
        )
        if answer.status == 404:
            raise WireError(Failure.NOT_FOUND, f"{path} is not there")
        _require(answer.status)
        return answer.body.decode("utf-8", "replace").strip()


@contextmanager
def instance_metadata(wire: Wire, *, budget: Budget, until: float) -> Iterator[InstanceMetadata]:
    """Open a session. Raises WireError TIMEOUT, REFUSED, UNREACHABLE, DENIED (switched off), SERVER_ERROR, MALFORMED
    …"""
    ends = time.monotonic() + SECONDS
    with Conversation(
        wire, host=ADDRESS, address=ADDRESS, port=80, tls=False, until=until, budget=budget
    ) as conversation:
        lifetime = {"X-aws-ec2-metadata-token-ttl-seconds": _TOKEN_SECONDS}
        answer = conversation.request(
            "PUT", "/latest/api/token", headers=lifetime, seconds=SECONDS, limit=budget.metadata_bytes
        )
        _require(answer.status)
        token = answer.body.decode("ascii", "replace").strip()
        if not token.isascii() or not token.isprintable():
            raise WireError(Failure.MALFORMED, "the session token is no word")
        yield InstanceMetadata(conversation, token, ends=ends, limit=budget.metadata_bytes)


def _left(ends: float) -> float:
    return max(0.001, ends - time.monotonic())


def _require(status: int) -> None:
    if status == 200:
        return
    known = {401: Failure.DENIED, 403: Failure.DENIED, 404: Failure.NOT_FOUND, 429: Failure.THROTTLED}
    word = known.get(status, Failure.SERVER_ERROR if status >= 500 else Failure.MALFORMED)
    raise WireError(word, f"instance metadata answered {status}")

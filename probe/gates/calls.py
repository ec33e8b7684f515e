"""The gates of a call to AWS's API: every policy that can deny it.

The calls of a pull: ecr:GetAuthorizationToken, ecr:BatchGetImage, ecr:GetDownloadUrlForLayer by the pulling role, and
s3:GetObject by ECR's own principal with the presigned URL. Secrets and logs have their own calls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from probe.configuration.view import View
from probe.gates.flow import Origin
from probe.gates.opinion import Opinion, opinions
from probe.model import Action, GateName
from probe.records import Record


class Call(Record, frozen=True, kw_only=True):
    """One call. `action` is IAM's name, `resource` its ARN or "*". `principal` is the calling role's ARN, None where it
    is not known; `owner` the account of the resource. `step` is the step of a check that makes the call.
    """

    endpoint: str
    step: Action
    action: str
    resource: str
    principal: str | None
    owner: str | None
    region: str
    vpc: str
    vpc_endpoint: str | None = None  # through which it goes
    by_ecr: bool = False  # with ECR's presigned URL: the principal is AWS's own


Gate = Callable[[View, Call, Origin], Opinion | None]

CALL_GATES: tuple[tuple[GateName, Gate], ...] = ()


def call_opinions(view: View, call: Call, origin: Origin) -> Iterator[Opinion]:
    """The answers of the gates up to the first that refuses."""
    return opinions((name, partial(gate, view, call, origin)) for name, gate in CALL_GATES)

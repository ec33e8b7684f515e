"""How the parts of a world behave: the names and addresses of hosts, and the replies to requests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from probe.model import AnswerSeen, Denial, DenialReason, Failure
from tests.faults.plans import NOON, ROLE, VPC_DNS

Answer = tuple[str, ...] | Failure | None
AWS_CLOCK = 0.4


@dataclass(frozen=True)
class Host:
    """One endpoint's name and addresses. `control`: what AmazonProvidedDNS answers if it is not configured."""

    answer: Answer
    ipv6: Answer = ()
    server: str = VPC_DNS
    control: Answer = None
    second: Answer = None
    second_ipv6: Answer = ()
    mistaken: Answer = None
    tcp: Failure | Mapping[str, Failure] = field(default_factory=dict)
    again: bool = False  # silent addresses answer the second attempt
    tls: Failure | Mapping[str, Failure] = field(default_factory=dict)
    certificate: Mapping[str, Any] = field(default_factory=dict)
    unused: str | None = None  # a family without a route


@dataclass(frozen=True)
class Reply:
    """The reply to one request. Without a failure it is a good one."""

    failure: Failure | None = None
    status: int = 200
    aws: bool = True
    code: str | None = None
    reason: DenialReason | None = None
    sentence: bool = False
    first: Failure | None = None  # how the first attempt failed
    offset: float = AWS_CLOCK
    detail: str | None = None
    seen: Mapping[str, Any] = field(default_factory=dict)

    def answer(self, action: str) -> AnswerSeen:
        denial = Denial(reason=self.reason, principal=ROLE, action=action) if self.reason or self.sentence else None
        status = 200 if self.failure is None else self.status
        return AnswerSeen(status=status, aws=self.aws, code=self.code, denial=denial, clock_offset=self.offset)


OK = Reply()
PRIVATE = {
    "ecr.api": ("10.0.1.10", "10.0.2.10"),
    "ecr.dkr": ("10.0.1.11", "10.0.2.11"),
    "logs": ("10.0.1.12", "10.0.2.12"),
}
PUBLIC = {"ecr.api": ("44.200.0.9",), "ecr.dkr": ("44.201.0.9", "44.201.0.10"), "logs": ("44.202.0.9",)}
S3 = ("52.216.1.8", "52.216.1.40")
AGENT = {"ecs": ("10.0.1.13",), "ecs-agent": ("10.0.1.14",), "ecs-telemetry": ("10.0.1.15",)}
DIGEST, CONFIG = "sha256:" + "a" * 64, "sha256:" + "c" * 64


def private(name: str, **changes: Any) -> Host:
    return replace(Host({**PRIVATE, **AGENT, "s3": S3}[name]), **changes)


def public(name: str, **changes: Any) -> Host:
    return replace(Host(PUBLIC.get(name, ("44.203.0.9",))), **changes)


def days(count: float) -> datetime:
    return NOON + timedelta(days=count)

"""The plan of a run made by hand, the names and addresses of its hosts, and the replies to its requests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from probe.endpoints import CORE_ENDPOINTS, ROWS, Place
from probe.model import AnswerSeen, Denial, DenialReason, Endpoint, Failure, ImageHost, ImageReference, Plan, Topic
from probe.partitions import partitions

NOON = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
REGION, ACCOUNT = "eu-west-1", "123456789012"
ROLE = f"arn:aws:sts::{ACCOUNT}:assumed-role/probe-task/0c1b2a39"
OWN_ROLE, PULL_ROLE = f"arn:aws:iam::{ACCOUNT}:role/probe-task", f"arn:aws:iam::{ACCOUNT}:role/service/ecsExecution"
VPC_DNS, SECOND, CUSTOM = "10.0.0.2", "10.9.0.53", "10.9.0.54"
GLOBAL_IPV6 = "2600:1f18:4a3b:5601::"  # the /64 of a subnet

AWS = partitions()[0]


def make_plan(also: tuple[str, ...], agent: bool, image: str | None, changes: Mapping[str, Any]) -> Plan:
    """The plan for an image in `changes["region"]` (by default REGION) and a task in REGION."""
    region = changes.get("region", REGION)
    lookups = changes.get("lookups", {})
    hosts = changes.get("hosts", {})
    names = ["ecr.api", "ecr.dkr", "s3", "logs", *(("ecs", "ecs-agent", "ecs-telemetry") if agent else ()), *also]
    names = [name for name in names if name not in changes.get("without", ())]
    endpoints = tuple(
        _endpoint(
            name,
            changes.get("logs_region", REGION) if name == "logs" else region if name in CORE_ENDPOINTS else REGION,
            hosts.get(name),
            lookups.get(name),
            required=changes.get("logs_required", True) if name == "logs" else name in CORE_ENDPOINTS,
        )
        for name in names
    )
    registry = hosts.get("ecr.dkr") or Place(AWS, region, ACCOUNT).fill(ROWS["ecr.dkr"].host)
    reference = ImageReference(
        text=image or f"{registry}/app:1.0",
        host=registry,
        account=changes.get("account", ACCOUNT),
        region=region,
        partition="aws",
        repository=changes.get("repository", "app"),
        tag=None if "digest" in changes else "1.0",
        digest=changes.get("digest"),
        fips="fips" in registry,
        dual_stack="dkr-ecr" in registry,
    )
    facts: dict[str, Any] = {
        "endpoints": endpoints,
        "omitted": () if agent else ("ecs", "ecs-agent", "ecs-telemetry"),
        "region": region,
        "partition": "aws",
        "dns_suffix": "amazonaws.com",
        "account": ACCOUNT,
        "layer_host": Place(AWS, region, ACCOUNT).fill(ROWS["s3"].host),
        "image": reference.text,
        "reference": reference,
        "image_host": ImageHost.PRIVATE_ECR,
        "image_given": False,
        "platform": "linux/amd64",
        "platform_given": False,
        "vpc_cidrs": ("10.0.0.0/16",),
        "log_group": "/ecs/app",
        "log_stream": "ecs/app/0c1b",
        "control_host": "s3.eu-central-1.amazonaws.com",
    }
    return Plan(**(facts | {name: value for name, value in changes.items() if name in Plan.__struct_fields__}))


def _endpoint(name: str, region: str, host: str | None, lookup: str | None, *, required: bool) -> Endpoint:
    place, row = Place(AWS, region, ACCOUNT), ROWS[name]
    return row.endpoint(place, host=host or place.fill(row.host), lookup=lookup, required=required)


Answer = tuple[str, ...] | Failure | None
AWS_CLOCK = 0.4


@dataclass(frozen=True)
class Host:
    """One endpoint's name and addresses. `control`: what AmazonProvidedDNS answers if it is not configured."""

    answer: Answer
    ipv6: Answer = ()
    server: str = VPC_DNS
    control: Answer = None
    cnames: tuple[str, ...] = ()  # of the answers of the first nameserver
    truncated: bool = False  # over UDP, so that the answer is the one over TCP
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
    topic: Topic | None = None
    reason: DenialReason | None = None
    sentence: bool = False
    words: Mapping[str, Any] = field(default_factory=dict)  # other fields of the denial
    first: Failure | None = None  # how the first attempt failed
    offset: float = AWS_CLOCK
    detail: str | None = None
    seen: Mapping[str, Any] = field(default_factory=dict)

    def answer(self, action: str) -> AnswerSeen:
        words: dict[str, Any] = {"reason": self.reason, "principal": ROLE, "action": action, **self.words}
        denial = Denial(**words) if self.reason or self.sentence else None
        status = 200 if self.failure is None else self.status
        return AnswerSeen(
            status=status, aws=self.aws, code=self.code, topic=self.topic, denial=denial, clock_offset=self.offset
        )


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

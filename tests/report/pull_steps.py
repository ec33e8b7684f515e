"""The steps that measuring a pull records, from the name to the layers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from probe.model import (
    Action,
    Address,
    AddressClass,
    AnswerSeen,
    AnySeen,
    Asker,
    CertificateSeen,
    ConnectionSeen,
    Failure,
    LayerSeen,
    ManifestSeen,
    NamesSeen,
    RedirectSeen,
    RedirectTarget,
    Step,
)
from tests import steps
from tests.steps import skipped

NOON = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
REGION = "eu-west-1"
HOSTS = {
    "ecr.api": f"api.ecr.{REGION}.amazonaws.com",
    "ecr.dkr": f"123456789012.dkr.ecr.{REGION}.amazonaws.com",
    "s3": f"prod-{REGION}-starport-layer-bucket.s3.{REGION}.amazonaws.com",
    "logs": f"logs.{REGION}.amazonaws.com",
}
ADDRESSES = {
    "ecr.api": ("10.0.1.10", "10.0.2.10", "10.0.3.10"),
    "ecr.dkr": ("10.0.1.11", "10.0.2.11", "10.0.3.11"),
    "s3": ("52.218.1.1", "52.218.1.2"),
    "logs": ("10.0.1.12", "10.0.2.12", "10.0.3.12"),
}
ANSWER = AnswerSeen(
    address="10.0.1.10", method="GET", status=200, aws=True, request_id="0a1b2c3d-0000-4000-8000-000000000000"
)


def step(identity: str, seen: AnySeen | None = None, **fields: Any) -> Step:
    return steps.step(identity, seen, **({"seconds": 0.004} | fields))


def address_class(endpoint: str) -> AddressClass:
    return AddressClass.PUBLIC if endpoint == "s3" else AddressClass.VPC


def reach(endpoint: str, *, names: int = 2, silent: bool = False) -> list[Step]:
    """The steps dns, tcp and tls of one endpoint."""
    kind = address_class(endpoint)
    resolved = tuple(Address(address, kind) for address in ADDRESSES[endpoint])
    steps = []
    for record, addresses in (("A", resolved), ("AAAA", ())):
        seen = NamesSeen(
            server="10.0.0.2",
            asker=Asker.CONFIGURED,
            order=0,
            name=HOSTS[endpoint],
            record=record,
            addresses=addresses,
            ttl=60,
        )
        steps.append(step(f"{endpoint}/dns/10.0.0.2/{record}", seen, seconds=0.002))
    for address in ADDRESSES[endpoint]:
        tcp, on = f"{endpoint}/tcp/{address}", f"{endpoint}/dns/10.0.0.2/A"
        connection = ConnectionSeen(address=address, address_class=kind)
        if silent:
            steps.append(step(tcp, connection, on=on, failure=Failure.TIMEOUT, seconds=3.0))
            steps.append(skipped(f"{endpoint}/tls/{address}", tcp))
            continue
        steps.append(step(tcp, connection, on=on, seconds=0.001))
        certificate = CertificateSeen(
            address=address,
            address_class=kind,
            verified=True,
            version="TLSv1.3",
            issuer="C=US, O=Amazon, CN=Amazon RSA 2048 M02",
            issuer_organization="Amazon",
            names=tuple(f"name{number}.{HOSTS[endpoint]}" for number in range(names)),
            not_before=datetime(2026, 1, 1, tzinfo=UTC),
            not_after=datetime(2027, 1, 1, tzinfo=UTC),
        )
        steps.append(step(f"{endpoint}/tls/{address}", certificate, on=tcp, seconds=0.008))
    return sorted(steps, key=lambda step: list(Action).index(step.action))


def blob(number: int, *, request_id: str = "R" * 40) -> list[Step]:
    digest = f"sha256:{number:064x}"
    answer = msgspec.structs.replace(ANSWER, request_id=request_id)
    redirect = RedirectSeen(
        answer=answer, digest=digest, target=RedirectTarget.LAYER_BUCKET, host=HOSTS["s3"], region=REGION
    )
    layer = LayerSeen(
        answer=answer,
        digest=digest,
        what="layer" if number else "config",
        size=70000,
        received=70000,
        verified=True,
        bytes_per_second=5e6,
    )
    identity = f"ecr.dkr/blob/{digest[:19]}x{number}"
    return [
        step(identity, redirect, on="ecr.dkr/manifest/GET"),
        step(f"s3/layer/{digest[:19]}x{number}", layer, on=identity),
    ]


def conversation(blobs: int = 2) -> list[Step]:
    manifest = ManifestSeen(
        answer=ANSWER, digest="sha256:" + "a" * 64, platform="linux/amd64", layers=3, layers_bytes=210000
    )
    return [
        step("ecr.api/token/10.0.1.10", ANSWER, on="ecr.api/tls/10.0.1.10", seconds=0.031),
        step("ecr.dkr/challenge/10.0.1.11", msgspec.structs.replace(ANSWER, status=401)),
        step("ecr.dkr/manifest/HEAD", manifest),
        step("ecr.dkr/manifest/GET", manifest),
        *(step for number in range(blobs) for step in blob(number)),
    ]


def in_order(steps: list[Step]) -> tuple[Step, ...]:
    names = ["task", *HOSTS, "ecs", "ecs-agent", "ecs-telemetry"]
    return tuple(sorted(steps, key=lambda step: names.index(step.endpoint)))

"""The measures of `inspect`: a service in two subnets, and five hundred subnets, of an account on loopback."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from tests.bench.costs import PROBE, Cost, cost
from tests.bench.rows import Bench, Row
from tests.inspect.test_policies import with_service
from tests.inspect.vpc import IMAGE, REGION, Account
from tests.operator.endpoint import CREDENTIALS, Endpoint, served

LATENCY = 0.05  # seconds of a call
MIB = 1024  # KiB
VPCS, EACH = 5, 100  # VPCs, and subnets of each
_SHARED = ("PrefixLists", "Entries")  # AWS's own, which no VPC has


def inspection(_bench: Bench | None) -> Iterator[Row]:
    """Reads and judges; nothing refuses."""
    account = larger(with_service(), vpcs=1, each=2)
    service = account.objects["ecs"]["services"][0]["networkConfiguration"]["awsvpcConfiguration"]
    service["subnets"] = [item["SubnetId"] for item in account.objects["ec2"]["Subnets"]]
    runs = [_run(account, "--cluster", "main", "--service", "shop") for _ in range(3)]
    ours, calls = sorted(runs, key=lambda run: run[0].seconds)[1]
    yield Row("inspect of a service in two subnets: calls", f"{calls}", "<= 60", calls <= 60)
    yield Row(
        f"  wall time at {LATENCY * 1000:.0f} ms a call", f"{ours.seconds:.2f} s", "<= 2.0 s", ours.seconds <= 2.0
    )
    yield Row("  peak memory", f"{ours.kib / MIB:.0f} MiB", "<= 130 MiB", ours.kib <= 130 * MIB)
    account = larger(with_service(), vpcs=VPCS, each=EACH)
    subnets, groups = (
        ",".join(item[key] for item in account.objects["ec2"][kind] if item[key].startswith(prefix))
        for kind, key, prefix in (("Subnets", "SubnetId", "subnet-"), ("SecurityGroups", "GroupId", "sg-0a"))
    )
    ours, calls = _run(account, "--subnets", subnets, "--security-groups", groups, "--image", IMAGE)
    yield Row(f"inspect of {VPCS * EACH} subnets in {VPCS} VPCs: calls", f"{calls}", "<= 400", calls <= 400)
    yield Row("  peak memory", f"{ours.kib / MIB:.0f} MiB", "<= 200 MiB", ours.kib <= 200 * MIB)
    yield Row("  wall time", f"{ours.seconds:.1f} s", "none", True)
    yield Row("  processor time", f"{ours.cpu:.1f} s", "none", True)


def larger(account: Account, *, vpcs: int, each: int) -> Account:
    """The account with its VPC so many times, and so many subnets in each."""
    own = account.objects["ec2"]
    copies = [_numbered(own, number) for number in range(vpcs)]
    for number, copy in enumerate(copies):
        first = copy["Subnets"][0]
        copy["Subnets"] = [
            {**first, "SubnetId": f"subnet-0a{number:02x}{place:04x}", "CidrBlock": f"10.{number}.{place}.0/24"}
            for place in range(1, each + 1)
        ]
        associations = [
            {"NetworkAclId": copy["NetworkAcls"][0]["NetworkAclId"], "SubnetId": subnet["SubnetId"]}
            for subnet in copy["Subnets"]
        ]
        copy["NetworkAcls"][0]["Associations"] = associations
    account.objects["ec2"] = {
        kind: own[kind] if kind in _SHARED else [item for copy in copies for item in copy[kind]] for kind in own
    }
    return account


def _numbered(objects: dict[str, list[dict[str, Any]]], number: int) -> dict[str, list[dict[str, Any]]]:
    """The objects of a VPC of its own: other ids and another range. Ids here begin with 0a or 0e and six digits."""
    text = json.dumps({kind: items for kind, items in objects.items() if kind not in _SHARED})
    for kind in ("vpc", "sg", "rtb", "acl", "dopt", "eni", "vpce"):
        for group in ("0a", "0e"):
            text = text.replace(f"{kind}-{group}00", f"{kind}-{group}{number:02x}")
    text = text.replace("subnet-0a000000", f"subnet-0a{number:02x}0001").replace("10.0.", f"10.{number}.")
    numbered: dict[str, list[dict[str, Any]]] = json.loads(text)
    return numbered


def _run(account: Account, *argv: str) -> tuple[Cost, int]:
    """The cost of an inspection, and its calls without further pages."""
    endpoint = Endpoint(account, latency=LATENCY)
    with served(endpoint) as url:
        own = {**CREDENTIALS, "AWS_ENDPOINT_URL": url, "AWS_REGION": REGION}
        ours = cost(*PROBE, "inspect", *argv, "--format", "json", more=own)
    return ours, len(endpoint.calls)


ROWS: tuple[Callable[[Bench], Iterator[Row]], ...] = (inspection,)

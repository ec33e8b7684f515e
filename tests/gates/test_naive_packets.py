"""The packet filters against an evaluator that tries single packets: address by address, port by port.

The gates do arithmetic on ranges. This one only knows how one packet is judged, and must come to the same answer.
"""

from __future__ import annotations

import random
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from probe.model import GateName
from probe.records import replace
from tests.gates.connections import INSIDE, ORIGIN, VPC, account, answer
from tests.gates.test_network_acls import with_entries
from tests.gates.test_routes import ROUTE
from tests.gates.vpc_routes import table, to

Item = dict[str, Any]
# A subnet of eight addresses, so that every one can be tried.
TASKS = replace(INSIDE, origin=replace(ORIGIN, ranges=("10.0.1.0/29",)))
RANGES = (
    "0.0.0.0/0",
    "10.0.0.0/8",
    "10.0.1.0/29",
    "10.0.1.0/30",
    "10.0.1.4/30",
    "10.0.1.6/31",
    "10.0.1.5/32",
    "10.9.0.0/16",
)
BOUNDS = (0, 443, 444, 1024, 3389, 32768, 40000, 60999, 61000, 65535)
SEEDS = range(150)


def acl_entries(chance: random.Random) -> list[Item]:
    entries = []
    for number in chance.sample(range(1, 200), chance.randint(0, 6)):
        protocol = chance.choice(("-1", "6", "6", "6", "17"))
        entry: Item = {
            "RuleNumber": number,
            "RuleAction": chance.choice(("allow", "allow", "deny")),
            "Protocol": protocol,
            "CidrBlock": chance.choice(RANGES),
        }
        if protocol != "-1" and chance.random() < 0.8:
            first, last = sorted(chance.sample(BOUNDS, 2))
            entry["PortRange"] = {"From": first, "To": last}
        entries.append(entry)
    return entries


def passes(entries: list[Item], address: str, port: int) -> bool:
    """Whether an ACL lets one TCP packet to this port pass, to or from this address."""
    for entry in sorted(entries, key=lambda entry: int(entry["RuleNumber"])):
        ports = entry.get("PortRange", {"From": 0, "To": 65535})
        if entry["Protocol"] not in ("-1", "6"):
            continue
        if entry["Protocol"] != "-1" and not ports["From"] <= port <= ports["To"]:
            continue
        if ip_address(address) in ip_network(entry["CidrBlock"]):
            return bool(entry["RuleAction"] == "allow")
    return False


def expected(entries: list[Item], *, needed: set[int], possible: set[int]) -> str:
    addresses = [str(address) for address in ip_network("10.0.1.0/29")]
    stopped = {address for address in addresses if not all(passes(entries, address, port) for port in needed)}
    if len(stopped) == len(addresses):
        return "refuses"
    doubtful = any(not passes(entries, address, port) for address in addresses for port in possible)
    return "depends" if stopped or doubtful else "allows"


# Between two bounds every port is judged as its neighbours are.
_SAMPLES = {port for bound in BOUNDS for port in (bound - 1, bound, bound + 1)}
REPLIES = {port for port in _SAMPLES if 1024 <= port <= 65535}
LINUX = {port for port in _SAMPLES if 32768 <= port <= 60999}


@pytest.mark.parametrize("seed", SEEDS)
def test_network_acls(seed: int) -> None:
    entries = acl_entries(random.Random(seed))
    for gate, needed, possible in (
        (GateName.NACL_INGRESS, {443}, {443}),
        (GateName.NACL_RETURN_EGRESS, LINUX, REPLIES),
    ):
        opinion = answer(with_entries(gate, *entries, last=False), gate, TASKS)
        assert opinion is not None
        assert opinion.answer == expected(entries, needed=needed, possible=possible), (gate, entries)


@pytest.mark.parametrize("seed", SEEDS)
def test_security_groups(seed: int) -> None:
    chance = random.Random(seed)
    rules: list[Item] = []
    for _ in range(chance.randint(0, 4)):
        first, last = sorted(chance.choices(BOUNDS, k=2))
        protocol = chance.choice(("tcp", "6", "udp", "-1"))
        cidrs = chance.sample(RANGES, chance.randint(1, 2))
        rules.append(
            {"IpProtocol": protocol, "FromPort": first, "ToPort": last, "IpRanges": [{"CidrIp": c} for c in cidrs]}
        )

    def admits(address: str) -> bool:
        return any(
            rule["IpProtocol"] == "-1"
            or (rule["IpProtocol"] in ("tcp", "6") and rule["FromPort"] <= 443 <= rule["ToPort"])
            for rule in rules
            for cidr in rule["IpRanges"]
            if ip_address(address) in ip_network(cidr["CidrIp"])
        )

    admitted = [admits(str(address)) for address in ip_network("10.0.1.0/29")]
    group = {"GroupId": "sg-0e000000", "VpcId": VPC, "IpPermissions": rules}
    opinion = answer(account(SecurityGroups=[group]), GateName.SECURITY_GROUP_INGRESS, TASKS)
    assert opinion is not None
    assert opinion.answer == ("allows" if all(admitted) else "depends" if any(admitted) else "refuses"), rules


@pytest.mark.parametrize("seed", SEEDS)
def test_routes(seed: int) -> None:
    """The route is that of the range with the fewest addresses."""
    chance = random.Random(seed)
    cidrs = chance.sample(("10.0.0.0/16", "10.0.2.0/24", "10.0.2.8/29", "10.0.2.10/32", "10.0.2.11/32", "0.0.0.0/0"), 4)
    routes = [to(cidr, "eni-0f000000", chance.choice(("active", "blackhole"))) for cidr in cidrs]
    tables = [table("rtb-0a000000", *routes, local=False)]
    matching = [route for route in routes if ip_address("10.0.2.10") in ip_network(route["DestinationCidrBlock"])]
    best = min(matching, key=lambda route: ip_network(route["DestinationCidrBlock"]).num_addresses, default=None)
    opinion = answer(account(RouteTables=tables, VpcEndpoints=[]), ROUTE, replace(TASKS, target_subnet=None))
    assert opinion is not None
    assert opinion.answer == ("allows" if best and best["State"] == "active" else "refuses"), routes

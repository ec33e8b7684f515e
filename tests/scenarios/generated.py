"""Generated VPCs: healthy but for none, one or two mutations, from a seed.

A mutation changes the simulated VPC, never the configuration, which is derived from it. It names the endpoints that it
touches and the causes that the configuration has to confirm, each with the object and the element in it that is at
fault.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random
from typing import Any

from probe.records import Record
from probe.sim import changes, images
from probe.sim.account import SimulatedAccount
from probe.sim.changes import Change
from probe.sim.cloud import TAG
from probe.sim.configuration import identifiers as ids
from probe.sim.dns import NXDOMAIN, DnsAnswer, Zone, always
from probe.sim.identity import Statement
from probe.sim.names import CORE, api, host
from probe.sim.network import S3_PREFIX_LIST
from probe.sim.vpc import VPC

REGION = "us-east-1"
PULL = ("ecr.api", "ecr.dkr", "s3")  # in the order of the pull's calls
EVERYTHING = (*CORE, "s3")
_STRANGERS = ((), ("10.0.2.0/24",), ("10.0.1.0/26",), ("192.168.0.0/16",), ("10.0.1.78/32",))
_MISSING = {
    "ecr.api": "endpoint.missing.ecr-api",
    "ecr.dkr": "endpoint.missing.ecr-dkr",
    "logs": "logs.endpoint-missing",
}


_OF_GATEWAY = frozenset(("endpoint.missing.s3", "s3.route-table-not-associated"))
_OUTSIDE = frozenset(
    ("dns.private-dns-disabled", "dns.vpc-attributes-off", "dns.hosted-zone-wrong-name", *_MISSING.values())
)  # causes by which names have public addresses


# The objects that are at fault, each with the element in it. A report names the first of several.
Places = Callable[[SimulatedAccount], set[tuple[str, str | None]]]


class Mutation(Record, frozen=True):
    """One fault. `calls`: it denies calls only, which come last. `partly`: some addresses still answer."""

    name: str
    change: Change
    endpoints: tuple[str, ...]
    places: Mapping[str, Places]  # by cause
    calls: bool = False
    partly: bool = False

    @property
    def causes(self) -> frozenset[str]:
        return frozenset(self.places)


class Generated(Record, frozen=True):
    """A configuration of the generator. `nat`: a NAT gateway leads out of the VPC."""

    mutations: tuple[Mutation, ...]
    nat: bool

    @property
    def name(self) -> str:
        return "+".join(mutation.name for mutation in self.mutations) + ("+nat" if self.nat else "") or "healthy"

    def change(self, vpc: VPC) -> None:
        vpc.task.execution_role = "probe-task"  # so that the policies of the task's role are those of the pull
        if self.nat:
            changes.with_nat(vpc)
        for mutation in self.mutations:
            mutation.change(vpc)

    @property
    def visible(self) -> frozenset[str]:
        """The causes that show: a call of the pull is not made where an earlier one fails."""
        return frozenset(cause for each in self.mutations if not self._is_hidden(each) for cause in each.causes)

    def places(self, account: SimulatedAccount) -> set[tuple[str, str, str | None]]:
        """What is at fault: causes, objects and elements."""
        return {
            (cause, *place)
            for mutation in self.mutations
            for cause, places in mutation.places.items()
            for place in places(account)
        }

    def _is_hidden(self, mutation: Mutation) -> bool:
        if self.nat and mutation.causes & _OF_GATEWAY:
            # Layers leave by the NAT gateway, which is no news where other traffic does so too.
            return any(other.causes & _OUTSIDE for other in self.mutations)
        if not mutation.calls or mutation.endpoints[0] not in PULL:
            return False
        before = PULL[: PULL.index(mutation.endpoints[0])]
        return any(set(before) & set(other.endpoints) and self._stops(other) for other in self.mutations)

    def _stops(self, mutation: Mutation) -> bool:
        """Whether the pull ends there."""
        return not mutation.partly and not (self.nat and mutation.causes & _OUTSIDE)


def generated(seed: int) -> Generated:
    random = Random(seed)
    kinds = list(_mutations(random))
    random.shuffle(kinds)
    chosen: list[Mutation] = []
    for mutation in kinds[: random.choice((0, 1, 1, 1, 2, 2, 2, 2)) and len(kinds)]:
        if not any(set(mutation.endpoints) & set(other.endpoints) for other in chosen):
            chosen.append(mutation)
        if len(chosen) == 2 or (chosen and random.random() < 0.3):
            break
    return Generated(tuple(chosen), nat=random.random() < 0.2)


def _some(random: Random) -> tuple[str, ...]:
    return tuple(sorted(random.sample(CORE, random.randint(1, 3))))


def _mutations(random: Random) -> Iterator[Mutation]:
    """Every kind of mutation once, with random particulars."""
    yield from _packets(random)
    yield from _names(random)
    yield from _calls(random)


def _mutation(
    name: str,
    change: Change,
    endpoints: Sequence[str],
    places: Mapping[str, Places],
    *,
    calls: bool = False,
    partly: bool = False,
) -> Mutation:
    return Mutation(name, change, tuple(endpoints), places, calls, partly)


def _at(identity: str, element: str | None) -> Places:
    return lambda _: {(identity, element)}


def _at_endpoints(*services: str, element: str | None) -> Places:
    return lambda account: {(_endpoint(account, service)["VpcEndpointId"], element) for service in services}


def _at_groups(*services: str) -> Places:
    """The rules for inbound traffic of these endpoints' groups."""
    return lambda account: {
        (group["GroupId"], "ingress") for service in services for group in _endpoint(account, service)["Groups"]
    }


def _at_entry(cidr: str) -> Places:
    """The entry of the task's ACL that denies this range."""

    def places(account: SimulatedAccount) -> set[tuple[str, str | None]]:
        return {
            (acl["NetworkAclId"], str(entry["RuleNumber"]))
            for acl in account.objects["ec2"]["NetworkAcls"]
            for entry in acl["Entries"]
            if entry["RuleAction"] == "deny" and entry.get("CidrBlock") == cidr
        }

    return places


def _endpoint(account: SimulatedAccount, service: str) -> dict[str, Any]:
    name = f"com.amazonaws.{REGION}.{service}"
    return next(item for item in account.objects["ec2"]["VpcEndpoints"] if item["ServiceName"] == name)


def _packets(random: Random) -> Iterator[Mutation]:
    some, sources = _some(random), list(random.choice(_STRANGERS))

    def close(vpc: VPC) -> None:
        for service in some:
            vpc.endpoints[service].allowed_sources = list(sources)

    yield _mutation(f"group {some} {sources}", close, some, {"tcp.security-group": _at_groups(*some)})
    inside = random.choice((("10.0.0.0/16",), ("10.0.1.0/24", "10.0.2.0/24"), ("10.0.0.0/8",)))
    out = _at(ids.TASK_GROUP, "egress")
    yield _mutation(f"egress {inside}", changes.egress_only(*inside), ("s3",), {"tcp.security-group-s3-egress": out})
    yield _mutation("egress to S3", changes.egress_only(S3_PREFIX_LIST), CORE, {"tcp.security-group": out})
    wide = random.choice(("52.216.0.0/15", "52.0.0.0/8"))
    yield _mutation("acl S3", changes.acl_drops(wide), ("s3",), {"tcp.nacl": _at_entry(wide)})
    zone = "10.0.2.0/24"
    yield _mutation("acl zone", changes.acl_drops(zone), CORE, {"tcp.nacl": _at_entry(zone)}, partly=True)
    service = f"com.amazonaws.{REGION}.s3"
    yield _mutation("no gateway", changes.without_gateway, ("s3",), {"endpoint.missing.s3": _at(ids.VPC_ID, service)})
    table = _at_endpoints("s3", element=ids.TASK_TABLE)
    yield _mutation(
        "no gateway route", changes.without_gateway_route, ("s3",), {"s3.route-table-not-associated": table}
    )


def _names(random: Random) -> Iterator[Mutation]:
    some = _some(random)
    off = _at_endpoints(*some, element="PrivateDnsEnabled false")
    yield _mutation(f"private DNS {some}", changes.without_private_dns(*some), some, {"dns.private-dns-disabled": off})
    gone = _some(random)
    missing = {_MISSING[name]: _at(ids.VPC_ID, f"com.amazonaws.{REGION}.{name}") for name in gone}
    yield _mutation(f"no endpoint {gone}", changes.without_endpoints(*gone), gone, missing)
    for name, attribute, member, endpoints in (
        ("hostnames", "dns_hostnames", "enableDnsHostnames", CORE),
        ("DNS support", "resolver.answering", "enableDnsSupport", EVERYTHING),
    ):
        place = {"dns.vpc-attributes-off": _at(ids.VPC_ID, member)}
        yield _mutation(name, changes.set_to(attribute, False), endpoints, place)
    wrong, swapped = api(REGION), f"ecr.api.{REGION}.amazonaws.com"
    yield _mutation(
        "swapped zone",
        _own_zone("ecr.api", swapped),
        ("ecr.api",),
        {"dns.hosted-zone-wrong-name": _at_zone(swapped, swapped)},
    )
    yield _mutation(
        "conflict",
        _own_zone("ecr.api", wrong, of="logs"),
        ("ecr.api", "logs"),
        {"dns.hosted-zone-conflict": _at_zone(wrong, wrong)},
    )
    registry = host("ecr.dkr", REGION)
    record = f"123456789012.{registry}"
    yield _mutation(
        "no record",
        _own_zone("ecr.dkr", registry),
        ("ecr.dkr",),
        {"dns.hosted-zone-missing-record": _at_zone(registry, record)},
    )
    stale = _at(ids.VPC_ID, "10.0.1.210")
    yield _mutation("stale record", _stale, ("ecr.api",), {"dns.stale-record": stale})
    answer = random.choice((NXDOMAIN, DnsAnswer()))
    for name, domain, blocked in (
        ("firewall S3", f"s3.{REGION}.amazonaws.com", ("s3",)),
        ("firewall ECR", f"ecr.{REGION}.amazonaws.com", ("ecr.api", "ecr.dkr")),
    ):
        yield _mutation(name, _blocked(domain, answer), blocked, {"dns.firewall": _at_rule(domain)})


def _at_zone(name: str, element: str) -> Places:
    """The account's own zone of this name."""

    def places(account: SimulatedAccount) -> set[tuple[str, str | None]]:
        zones = account.objects["route53"]["HostedZoneSummaries"]
        return {(zone["HostedZoneId"], element) for zone in zones if zone["Name"] == f"{name}."}

    return places


def _at_rule(domain: str) -> Places:
    """The rule of DNS Firewall whose list has this domain."""

    def places(account: SimulatedAccount) -> set[tuple[str, str | None]]:
        objects = account.objects["route53resolver"]
        lists = {item["_FirewallDomainListId"] for item in objects["Domains"] if item["_"] == f"{domain}."}
        return {
            (rule["FirewallRuleGroupId"], f"priority {rule['Priority']}")
            for rule in objects["FirewallRules"]
            if rule["FirewallDomainListId"] in lists
        }

    return places


def _own_zone(service: str, name: str, *, of: str = "") -> Change:
    """A private zone with one record, for an endpoint without private DNS."""

    def change(vpc: VPC) -> None:
        vpc.endpoints[service].private_dns = False
        vpc.zones.append(Zone(name, {name: vpc.endpoints[of or service].all_addresses}))

    return change


def _stale(vpc: VPC) -> None:
    vpc.endpoints["ecr.api"].private_dns = False
    vpc.zones.append(Zone(api(REGION), {api(REGION): (vpc.at(1, 210),)}))


def _blocked(domain: str, answer: DnsAnswer) -> Change:
    return lambda vpc: vpc.resolver.blocked.update({domain: always(answer)})


def _calls(random: Random) -> Iterator[Mutation]:
    statement = "Statement[0]"  # of an endpoint's policy: it denies the call, or is for the call and does not match it
    of_api, element = random.choice(
        (
            (Statement(actions=("ecr:Batch*",)), None),
            (Statement(effect="Deny"), statement),
            (Statement(principals=("999999999999",)), statement),
        )
    )
    yield _policy("ecr.api", of_api, element, "policy.vpce.ecr")
    of_dkr, element = random.choice(
        (
            (Statement(actions=("ecr:ListImages",)), None),
            (Statement(resources=("*:repository/other",)), statement),
        )
    )
    yield _policy("ecr.dkr", of_dkr, element, "policy.vpce.ecr")
    of_s3 = random.choice((Statement(resources=("arn:aws:s3:::data/*",)), Statement(principals=("123456789012",))))
    yield _policy("s3", of_s3, statement, "policy.vpce.s3")
    no_token = Statement(actions=("ecr:Batch*", "ecr:GetDownload*", "logs:*"))
    role = _at("arn:aws:iam::123456789012:role/probe-task", None)
    yield _call("role", changes.role_policy(no_token), "ecr.api", "iam.execution-role", role)
    disabled = images.Key(state="Disabled")
    key = _at(ids.KEY_ARN, "KeyState Disabled")
    yield _call("key", changes.encrypted_with(disabled), "ecr.dkr", "kms.key", key)
    tag = _at(ids.REPOSITORY, TAG)
    yield _call("tag", lambda vpc: changes.repository(vpc).tags.pop(TAG), "ecr.dkr", "registry.tag-not-found", tag)
    yield _call("log group", changes.without_log_groups, "logs", "logs.group-missing", _at("/ecs/app", None))


def _policy(endpoint: str, statement: Statement, element: str | None, cause: str) -> Mutation:
    """The only statement of an endpoint's policy."""
    place = _at_endpoints(endpoint, element=element)
    return _call(f"policy {endpoint}", changes.endpoint_policy(endpoint, statement), endpoint, cause, place)


def _call(name: str, change: Change, endpoint: str, cause: str, place: Places) -> Mutation:
    return _mutation(name, change, (endpoint,), {cause: place}, calls=True)

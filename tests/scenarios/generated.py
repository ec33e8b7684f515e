"""Generated VPCs: healthy but for none, one or two mutations, from a seed.

A mutation changes the simulated VPC, never the configuration, which is derived from it. It names the endpoints that it
touches and the causes that the configuration has to confirm.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

from probe.records import Record
from probe.sim import changes, images
from probe.sim.changes import Change
from probe.sim.cloud import TAG
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


class Mutation(Record, frozen=True):
    """One fault. `calls`: it denies calls only, which come last. `partly`: some addresses still answer."""

    name: str
    change: Change
    endpoints: tuple[str, ...]
    causes: frozenset[str]
    calls: bool = False
    partly: bool = False


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
    name: str, change: Change, endpoints: Sequence[str], *causes: str, calls: bool = False, partly: bool = False
) -> Mutation:
    return Mutation(name, change, tuple(endpoints), frozenset(causes), calls, partly)


def _packets(random: Random) -> Iterator[Mutation]:
    some, sources = _some(random), list(random.choice(_STRANGERS))

    def close(vpc: VPC) -> None:
        for service in some:
            vpc.endpoints[service].allowed_sources = list(sources)

    yield _mutation(f"group {some} {sources}", close, some, "tcp.security-group")
    inside = random.choice((("10.0.0.0/16",), ("10.0.1.0/24", "10.0.2.0/24"), ("10.0.0.0/8",)))
    yield _mutation(f"egress {inside}", changes.egress_only(*inside), ("s3",), "tcp.security-group-s3-egress")
    yield _mutation("egress to S3", changes.egress_only(S3_PREFIX_LIST), CORE, "tcp.security-group")
    yield _mutation("acl S3", changes.acl_drops(random.choice(("52.216.0.0/15", "52.0.0.0/8"))), ("s3",), "tcp.nacl")
    yield _mutation("acl zone", changes.acl_drops("10.0.2.0/24"), CORE, "tcp.nacl", partly=True)
    yield _mutation("no gateway", changes.without_gateway, ("s3",), "endpoint.missing.s3")
    yield _mutation("no gateway route", changes.without_gateway_route, ("s3",), "s3.route-table-not-associated")


def _names(random: Random) -> Iterator[Mutation]:
    some = _some(random)
    yield _mutation(f"private DNS {some}", changes.without_private_dns(*some), some, "dns.private-dns-disabled")
    gone = _some(random)
    yield _mutation(f"no endpoint {gone}", changes.without_endpoints(*gone), gone, *(_MISSING[name] for name in gone))
    yield _mutation("hostnames", changes.set_to("dns_hostnames", False), CORE, "dns.vpc-attributes-off")
    yield _mutation("DNS support", changes.set_to("resolver.answering", False), EVERYTHING, "dns.vpc-attributes-off")
    wrong, swapped = api(REGION), f"ecr.api.{REGION}.amazonaws.com"
    yield _mutation("swapped zone", _own_zone("ecr.api", swapped), ("ecr.api",), "dns.hosted-zone-wrong-name")
    yield _mutation("conflict", _own_zone("ecr.api", wrong, of="logs"), ("ecr.api", "logs"), "dns.hosted-zone-conflict")
    yield _mutation(
        "no record", _own_zone("ecr.dkr", host("ecr.dkr", REGION)), ("ecr.dkr",), "dns.hosted-zone-missing-record"
    )
    yield _mutation("stale record", _stale, ("ecr.api",), "dns.stale-record")
    answer = random.choice((NXDOMAIN, DnsAnswer()))
    yield _mutation("firewall S3", _blocked(f"s3.{REGION}.amazonaws.com", answer), ("s3",), "dns.firewall")
    yield _mutation(
        "firewall ECR", _blocked(f"ecr.{REGION}.amazonaws.com", answer), ("ecr.api", "ecr.dkr"), "dns.firewall"
    )


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
    of_api = random.choice(
        (Statement(actions=("ecr:Batch*",)), Statement(effect="Deny"), Statement(principals=("999999999999",)))
    )
    yield _call("policy ecr.api", changes.endpoint_policy("ecr.api", of_api), "ecr.api", "policy.vpce.ecr")
    of_dkr = random.choice((Statement(actions=("ecr:ListImages",)), Statement(resources=("*:repository/other",))))
    yield _call("policy ecr.dkr", changes.endpoint_policy("ecr.dkr", of_dkr), "ecr.dkr", "policy.vpce.ecr")
    of_s3 = random.choice((Statement(resources=("arn:aws:s3:::data/*",)), Statement(principals=("123456789012",))))
    yield _call("policy s3", changes.endpoint_policy("s3", of_s3), "s3", "policy.vpce.s3")
    no_token = Statement(actions=("ecr:Batch*", "ecr:GetDownload*", "logs:*"))
    yield _call("role", changes.role_policy(no_token), "ecr.api", "iam.execution-role")
    disabled = images.Key(state="Disabled")
    yield _call("key", changes.encrypted_with(disabled), "ecr.dkr", "kms.key")
    yield _call("tag", lambda vpc: changes.repository(vpc).tags.pop(TAG), "ecr.dkr", "registry.tag-not-found")
    yield _call("log group", changes.without_log_groups, "logs", "logs.group-missing")


def _call(name: str, change: Change, endpoint: str, cause: str) -> Mutation:
    return _mutation(name, change, (endpoint,), cause, calls=True)

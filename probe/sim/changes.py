"""What people and circumstances do to a VPC: the changes that scenarios are composed of. Each is physical.

A function here either is a change or makes one; `all_of` composes them.
"""

from __future__ import annotations

from collections.abc import Callable

from probe.records import replace
from probe.sim import images, names
from probe.sim.cloud import APP, TAG
from probe.sim.dns import Ask, Zone
from probe.sim.http import Damage, Delivery, Reply
from probe.sim.identity import Policy, Statement
from probe.sim.listeners import Conduct
from probe.sim.nameservers import Nameserver
from probe.sim.network import Middlebox, Treatment
from probe.sim.services import Mishap
from probe.sim.tls import Certificate
from probe.sim.vpc import VPC

Change = Callable[[VPC], object]


def all_of(*changes: Change) -> Change:
    def change(vpc: VPC) -> None:
        for each in changes:
            each(vpc)

    return change


def nothing(_vpc: VPC) -> None:
    """The healthy world."""


def laid_out(**how: object) -> Change:
    """Another VPC; comes before all other changes."""
    return lambda vpc: vpc.lay_out(**how)  # type: ignore[arg-type]


# ---- endpoints and routes ------------------------------------------------------------------


def without_endpoints(*services: str) -> Change:
    return lambda vpc: [vpc.endpoints.pop(service) for service in services]


def without_private_dns(*services: str) -> Change:
    def change(vpc: VPC) -> None:
        for service in services:
            vpc.endpoints[service].private_dns = False

    return change


def with_nat(vpc: VPC) -> None:
    vpc.network.routes.nat = True


def without_gateway_route(vpc: VPC) -> None:
    """The subnet's route table is not one of the gateway endpoint's."""
    vpc.network.routes.gateway = False


def without_gateway(vpc: VPC) -> None:
    vpc.gateway = None


def closed_groups(*services: str) -> Change:
    """The security groups of these endpoints admit nobody."""

    def change(vpc: VPC) -> None:
        for service in services:
            vpc.endpoints[service].admits = []

    return change


def egress_only(*targets: str) -> Change:
    """The task's security group lets out 443 to these ranges (or prefix lists) only."""
    return lambda vpc: setattr(vpc.network, "egress", list(targets))


def acl_drops(*ranges: str) -> Change:
    return lambda vpc: vpc.network.acl_drops.extend(ranges)


# ---- names ------------------------------------------------------------------


def zone(name: str, records: Callable[[VPC], dict[str, tuple[str, ...]]]) -> Change:
    """A private hosted zone of the account's own."""
    return lambda vpc: vpc.zones.append(Zone(name, records(vpc)))


def nameserver(address: str, ask: Callable[[VPC], Ask]) -> Change:
    """Somebody's DNS server at `address`; nobody uses it yet."""

    def change(vpc: VPC) -> None:
        vpc.servers[address] = Nameserver(ask(vpc))

    return change


def asks(*servers: str) -> Change:
    """The nameserver lines of the task, in order ("vpc" is the VPC's own resolver)."""

    def change(vpc: VPC) -> None:
        vpc.nameservers = [vpc.base_resolver if each == "vpc" else each for each in servers]

    return change


# ---- boxes in the middle ------------------------------------------------------------------


def box(
    *services: str, does: Treatment | Conduct | None = None, issuer: str | None = None, page: Reply | None = None
) -> Change:
    return lambda vpc: vpc.network.boxes.append(Middlebox(frozenset(services), does, issuer=issuer, page=page))


def damaged(service: str, damage: Damage, *, after: int = 40_000) -> Change:
    """Bodies of a service break off on their way, after so many bytes."""
    return lambda vpc: vpc.network.boxes.append(Middlebox(frozenset((service,)), delivery=Delivery(damage, after)))


def certificate(
    service: str, *, issuer: str | None = None, names_of: str | None = None, expired: bool = False
) -> Change:
    """The endpoint's addresses present another certificate."""

    def change(vpc: VPC) -> None:
        held = Certificate(names.certificate_names(names_of or service, vpc.region), expired=expired)
        held = replace(held, issuer=issuer) if issuer else held
        if service == "s3":
            place = names.Place("s3", vpc.region)
            vpc.certificates.update(dict.fromkeys(vpc.internet.v4(place), held))
        else:
            vpc.certificates.update(dict.fromkeys(vpc.endpoints[service].everything, held))

    return change


# ---- policies, services, images ------------------------------------------------------------------


def endpoint_policy(service: str, *statements: Statement) -> Change:
    """The policy of an endpoint, "s3" the gateway's."""

    def change(vpc: VPC) -> None:
        target = vpc.gateway if service == "s3" else vpc.endpoints[service]
        assert target is not None, "a gateway that is there"
        target.policy = statements

    return change


def role_may(*statements: Statement) -> Change:
    return lambda vpc: setattr(vpc.cloud.account.permissions, "role", statements)


def mishap(service: str, reply: Reply, *, at: str = "", times: int | None = None) -> Change:
    """A service answers otherwise, so many times or always."""
    return lambda vpc: vpc.cloud.service(service).mishaps.append(Mishap(reply, at, times))


def repository(vpc: VPC, account: str = "", region: str = "", name: str = APP) -> images.Repository:
    found = vpc.cloud.repositories.find(account or vpc.task.account, region or vpc.region, name)
    assert found is not None, "a repository that is there"
    return found


def corrupt_layers(vpc: VPC) -> None:
    """S3 gives bytes of the right length and the wrong content."""
    for blob in repository(vpc).blobs.values():
        if blob.kind in (images.OCI_LAYER, images.DOCKER_LAYER):
            vpc.cloud.layers.objects[blob.digest] = bytes(byte ^ 1 for byte in blob.body)


def repository_policy(account: str, name: str, policy: Policy) -> Change:
    return lambda vpc: setattr(repository(vpc, account, name=name), "policy", policy)


def pushed(image: images.Image, *tags: str, name: str = APP) -> Change:
    return lambda vpc: vpc.cloud.repositories.create(vpc.task.account, vpc.region, name).push(image, *tags)


def untagged(vpc: VPC) -> None:
    """The tag was cleaned away."""
    del repository(vpc).tags[TAG]


def deleted(vpc: VPC) -> None:
    vpc.cloud.repositories.delete(vpc.task.account, vpc.region, APP)


def clock_behind(seconds: float) -> Change:
    """Our clock is that much behind AWS's."""
    return lambda vpc: setattr(vpc.cloud.account, "clock_ahead", seconds)


def variables(**values: str) -> Change:
    """Variables of the task definition."""
    return lambda vpc: vpc.task.variables.update(values)

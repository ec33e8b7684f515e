"""Changes to a simulated VPC, of which scenarios are composed: routes, groups, zones, policies, middleboxes.

A function here is a change, or returns one; `all_of` combines several.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter

from probe.records import replace
from probe.sim import images, names
from probe.sim.cloud import APP, TAG
from probe.sim.dns import DnsAnswer, DnsHandler, Nameserver, Zone
from probe.sim.http import Countdown, Damage, Delivery, Reply
from probe.sim.identity import Policy, Statement
from probe.sim.network import Middlebox, Treatment
from probe.sim.servers import Certificate, HttpServer, Server
from probe.sim.services import InjectedReply
from probe.sim.vpc import VPC

Change = Callable[[VPC], object]


def all_of(*changes: Change) -> Change:
    """Apply several changes, in order."""

    def apply_all(vpc: VPC) -> None:
        for change in changes:
            change(vpc)

    return apply_all


def no_change(_vpc: VPC) -> None:
    """Leave the VPC healthy."""


def vpc_with(**options: object) -> Change:
    """Build the VPC with these options; must come before all other changes."""
    return lambda vpc: vpc.build(**options)  # type: ignore[arg-type]


def set_to(attribute: str, value: object) -> Change:
    """Set an attribute of the VPC, named by its path."""
    path, _, name = attribute.rpartition(".")

    def change(vpc: VPC) -> None:
        owner = attrgetter(path)(vpc) if path else vpc
        assert hasattr(owner, name), attribute
        setattr(owner, name, value)

    return change


# ---- endpoints and routes ------------------------------------------------------------------


def without_endpoints(*services: str) -> Change:
    return lambda vpc: [vpc.endpoints.pop(service) for service in services]


def without_private_dns(*services: str) -> Change:
    def change(vpc: VPC) -> None:
        for service in services:
            vpc.endpoints[service].private_dns = False

    return change


with_nat = set_to("network.routes.nat", True)
without_gateway = set_to("gateway", None)
# The gateway endpoint is not associated with the subnet's route table.
without_gateway_route = set_to("network.routes.gateway", False)


def closed_security_groups(*services: str) -> Change:
    """The security groups of these endpoints allow no source."""

    def change(vpc: VPC) -> None:
        for service in services:
            vpc.endpoints[service].allowed_sources = []

    return change


def egress_only(*targets: str) -> Change:
    """The task's security group allows 443 to these ranges (or prefix lists) only."""
    return lambda vpc: setattr(vpc.network, "egress", list(targets))


def acl_drops(*ranges: str) -> Change:
    """The subnet's network ACL drops packets to these ranges."""
    return lambda vpc: vpc.network.acl_drops.extend(ranges)


def firewall_drops(*ranges: str) -> Change:
    """A firewall appliance drops packets to these ranges; no configuration of AWS shows it."""
    return lambda vpc: vpc.network.firewall_drops.extend(ranges)


# ---- names ------------------------------------------------------------------


def private_zone(name: str, records: Callable[[VPC], dict[str, tuple[str, ...]]]) -> Change:
    """A private hosted zone that is associated with the VPC."""
    return lambda vpc: vpc.zones.append(Zone(name, records(vpc)))


def dns_server(address: str, handler: Callable[[VPC], DnsHandler]) -> Change:
    """A DNS server at `address`; `nameserver_lines` makes the task use it."""

    def change(vpc: VPC) -> None:
        vpc.dns_servers[address] = Nameserver(handler(vpc))

    return change


def serves(zones: list[Zone], vpc: VPC) -> DnsHandler:
    """A server that knows these private zones, and otherwise forwards to public DNS."""

    def answer(name: str, record: str) -> DnsAnswer:
        matching = [zone for zone in zones if zone.contains(name)]
        return matching[0].answer(name, record) if matching else vpc.public_dns.answer(name, record)

    return answer


def nameserver_lines(*servers: str) -> Change:
    """The task's nameservers, in order; "vpc" is the VPC's resolver."""

    def change(vpc: VPC) -> None:
        vpc.nameservers = [vpc.base_resolver if server == "vpc" else server for server in servers]

    return change


# ---- middleboxes ------------------------------------------------------------------


def middlebox(
    *services: str,
    behaviour: Treatment | Server | Callable[[HttpServer], Treatment | Server] | None = None,
    issuer: str | None = None,
    reply: Reply | None = None,
) -> Change:
    """A middlebox in front of services; see `Middlebox`."""
    box = Middlebox(frozenset(services), behaviour, issuer=issuer, reply=reply)
    return lambda vpc: vpc.network.middleboxes.append(box)


def damaged_bodies(service: str, damage: Damage, *, after: int = 40_000, times: int | None = None) -> Change:
    """Bodies of a service are damaged on their way, after `after` bytes: all of them, or the first `times`."""

    def change(vpc: VPC) -> None:
        delivery = Delivery(damage, after, times=Countdown(times) if times is not None else None)
        vpc.network.middleboxes.append(Middlebox(frozenset((service,)), delivery=delivery))

    return change


def connection_treated(service: str, behaviour: Treatment | Server, *, number: int = 1) -> Change:
    """One connection to a service, the first or that of another number, meets a middlebox; the others do not."""

    def change(vpc: VPC) -> None:
        before, this = Countdown(number - 1), Countdown(1)

        def treat(server: HttpServer) -> Treatment | Server:
            return server if before.take() or not this.take() else behaviour

        middlebox(service, behaviour=treat)(vpc)

    return change


def server_certificate(
    service: str, *, issuer: str | None = None, names_of: str | None = None, expired: bool = False
) -> Change:
    """The addresses of a service present another certificate."""

    def change(vpc: VPC) -> None:
        certificate = Certificate(names.certificate_names(names_of or service, vpc.region), expired=expired)
        certificate = replace(certificate, issuer=issuer) if issuer else certificate
        if service == "s3":
            addresses = vpc.internet.v4(names.AwsHost("s3", vpc.region))
        else:
            addresses = vpc.endpoints[service].all_addresses
        vpc.certificates.update(dict.fromkeys(addresses, certificate))

    return change


# ---- policies, services, images ------------------------------------------------------------------


def endpoint_policy(service: str, *statements: Statement) -> Change:
    """The policy of an endpoint; "s3" is the gateway endpoint."""

    def change(vpc: VPC) -> None:
        target = vpc.gateway if service == "s3" else vpc.endpoints[service]
        assert target is not None, "the VPC has a gateway endpoint"
        target.policy = statements

    return change


def role_policy(*statements: Statement) -> Change:
    """The identity-based policy of the role."""
    return lambda vpc: setattr(vpc.cloud.account.permissions, "role", statements)


def inject_reply(service: str, reply: Reply, *, at: str = "", times: int | None = None) -> Change:
    """A service sends `reply` instead of its own answer, `times` times or always."""
    return lambda vpc: vpc.cloud.service(service).injected_replies.append(InjectedReply(reply, at, times))


def repository(vpc: VPC, account: str = "", region: str = "", name: str = APP) -> images.Repository:
    """The repository of an image; the task's own by default."""
    image_repository = vpc.cloud.repositories.find(account or vpc.task.account, region or vpc.region, name)
    assert image_repository is not None, "the repository exists"
    return image_repository


def encrypted_with(key: images.Key) -> Change:
    """A KMS key encrypts the repository; what follows from its state is a change of its own."""
    return lambda vpc: setattr(repository(vpc), "key", key)


def pull_through_rule(prefix: str) -> Change:
    """A pull-through cache rule for repositories whose names begin with `prefix`."""
    return lambda vpc: vpc.cloud.pull_through.append(prefix)


def corrupt_layers(vpc: VPC) -> None:
    """S3 returns layers of the right length with wrong content."""
    for blob in repository(vpc).blobs.values():
        if blob.media_type in (images.OCI_LAYER, images.DOCKER_LAYER):
            vpc.cloud.layers.objects[blob.digest] = bytes(byte ^ 1 for byte in blob.body)


def repository_policy(account: str, name: str, policy: Policy) -> Change:
    return lambda vpc: setattr(repository(vpc, account, name=name), "policy", policy)


def pushed_image(image: images.Image, *tags: str, name: str = APP) -> Change:
    return lambda vpc: vpc.cloud.repositories.create(vpc.task.account, vpc.region, name).push(image, *tags)


def tag_deleted(vpc: VPC) -> None:
    """Delete the image's tag, as a lifecycle rule does."""
    del repository(vpc).tags[TAG]


def repository_deleted(vpc: VPC) -> None:
    """Delete the image's repository."""
    vpc.cloud.repositories.delete(vpc.task.account, vpc.region, APP)


def without_log_groups(vpc: VPC) -> None:
    vpc.cloud.logs.groups.clear()


without_task_role = set_to("task.role", None)


def clock_behind(seconds: float) -> Change:
    """The task's clock is `seconds` behind AWS's."""
    return lambda vpc: setattr(vpc.cloud.account, "clock_ahead", seconds)


def task_variables(**values: str) -> Change:
    """Environment variables from the task definition."""
    return lambda vpc: vpc.task.variables.update(values)

"""VPC endpoints, and which packets arrive: security groups, network ACL, route table, middleboxes.

Pure decisions about a network that scenarios break; sockets are in `servers`.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from probe.records import Record, field, replace
from probe.sim import names
from probe.sim.dns import Zone
from probe.sim.http import Delivery, Reply, Request
from probe.sim.identity import ALLOW_ALL, Policy
from probe.sim.names import embedded, inside
from probe.sim.servers import HttpServer, Server

_SUFFIX = "uz5j3lr2"  # vpce names: vpce-<17 hex>-<8 letters and digits>


class Interface(Record, eq=False):
    """An interface endpoint: an ENI in each zone. `allowed_sources`: ranges that its security group allows on 443."""

    service: str
    region: str
    vpce_id: str
    addresses: list[str]
    addresses_ipv6: list[str] = field(default_factory=list)
    allowed_sources: list[str] = field(default_factory=list)
    private_dns: bool = True
    year: int = 2026  # of its creation: older endpoints have fewer private names
    policy: Policy = ALLOW_ALL

    @property
    def all_addresses(self) -> tuple[str, ...]:
        return (*self.addresses, *self.addresses_ipv6)

    @property
    def vpce_name(self) -> str:
        return f"{self.vpce_id}-{_SUFFIX}.{names.vpce_base(self.service, self.region)}"

    def vpce_names(self) -> dict[str, tuple[str, ...]]:
        """Endpoint-specific names, one per zone: public DNS returns their private addresses to every client."""
        addresses = {self.vpce_name: self.all_addresses}
        for zone, address in zip("ab", self.addresses, strict=False):
            addresses[self.vpce_name.replace(f"-{_SUFFIX}.", f"-{_SUFFIX}-{self.region}{zone}.")] = (address,)
        return addresses

    def zones(self) -> list[Zone]:
        """The private zones that "private DNS" creates: one per name, with wildcards inside their parent's zone."""
        zones: dict[str, Zone] = {}
        for name in names.private_names(self.service, self.region, year=self.year):
            zone = zones.setdefault(name.removeprefix("*."), Zone(name.removeprefix("*.")))
            zone.records[name] = self.all_addresses
        return list(zones.values())


GATEWAY_ID = "vpce-0ffffaaaa22221111"


class Gateway(Record, eq=False):
    """The S3 gateway endpoint: a route to S3's public ranges of one region and a policy, without name or address."""

    region: str
    ip_address_type: str = "ipv4"  # or dualstack; AWS[gateway-ip-address-type]
    vpce_id: str = GATEWAY_ID
    policy: Policy = ALLOW_ALL
    service: str = "s3"


S3_PREFIX_LIST = "pl-s3"  # in security group rules: the prefix list of S3 in the region


class Routes(Record):
    """Routes of the task's subnet in addition to the VPC's own. `ranges` lead to a transit gateway."""

    gateway: bool = True  # S3's prefix list to the gateway endpoint
    nat: bool = False
    ipv6_out: bool = False  # ::/0 to an egress-only Internet gateway
    dns64: bool = False  # 64:ff9b::/96 to the NAT gateway
    public_access_blocked: bool = False  # VPC Block Public Access, bidirectional; AWS[block-public-access]
    ranges: list[str] = field(default_factory=list)


class Treatment(Enum):
    """How a middlebox blocks a connection."""

    DROP = "drop"
    PROHIBIT = "prohibit"  # ICMP "administratively prohibited"
    UNREACHABLE = "unreachable"  # ICMP "host unreachable"


class Middlebox(Record, frozen=True):
    """A firewall, proxy or broken link in front of `services`; "" means all public addresses.

    `behaviour` blocks the connection, or replaces or wraps the server. Without it `issuer`, `delivery` or `reply`
    change the server's certificate, bodies or answers.
    """

    services: frozenset[str]
    behaviour: Treatment | Server | Callable[[HttpServer], Treatment | Server] | None = None
    issuer: str | None = None
    delivery: Delivery | None = None
    reply: Reply | None = None

    def treat(self, server: Server) -> Server | Treatment:
        if callable(self.behaviour):
            return self.behaviour(server) if isinstance(server, HttpServer) else server
        if self.behaviour is not None:
            return self.behaviour
        if not isinstance(server, HttpServer):
            return server
        if self.issuer and server.certificate:
            server = replace(server, certificate=replace(server.certificate, issuer=self.issuer))
        if self.reply:
            server = replace(server, handler=FixedReply(self.reply))
        return replace(server, delivery=self.delivery) if self.delivery else server


class FixedReply(Record, frozen=True):
    """A handler that answers every request with `reply`."""

    reply: Reply

    def __call__(self, _request: Request) -> Reply:
        return self.reply


class Network(Record):
    """The network between the task and an address. `ranges` are the VPC's own."""

    region: str
    ranges: list[str]
    address: str | None
    ipv6: str | None
    nat: str  # the NAT gateway's address inside the VPC: the source of translated DNS64 packets
    routes: Routes = field(default_factory=Routes)
    egress: list[str] = field(
        default_factory=lambda: ["0.0.0.0/0", "::/0"]
    )  # destinations that the task's security group allows on 443
    acl_drops: list[str] = field(default_factory=list)  # destinations that the subnet's network ACL drops
    firewall_drops: list[str] = field(default_factory=list)  # destinations that an appliance on the way drops
    middleboxes: list[Middlebox] = field(default_factory=list)
    transparent_proxy: bool = False  # accepts connections to every public address and forwards to those that exist

    def has_family(self, address: str) -> bool:
        """Whether the task has an address of this family; link-local IPv4 works in every task."""
        if ":" in address:
            return self.ipv6 is not None
        return self.address is not None or address.startswith("169.254.170.")

    def allows(self, address: str, endpoint: Interface | None, service: str, region: str) -> bool:
        """Whether the task's security group, the network ACL and the endpoint's security group allow the packet."""
        regional_s3 = service == "s3" and region == self.region
        allowed_ranges = [target for target in self.egress if target != S3_PREFIX_LIST]
        if not (inside(address, allowed_ranges) or (S3_PREFIX_LIST in self.egress and regional_s3)):
            return False
        if inside(address, [*self.acl_drops, *self.firewall_drops]):
            return False
        translated = embedded(address) != address
        source = self.nat if translated else self.ipv6 if ":" in address else self.address
        return endpoint is None or (source is not None and inside(source, endpoint.allowed_sources))

    def route(self, address: str, *, service: str, region: str, gateway: Gateway | None) -> Gateway | str | None:
        """The route of a packet: "local", "transit", "internet" or the gateway endpoint. None without a route."""
        if inside(address, self.ranges):
            return "local"
        if inside(address, self.routes.ranges):
            return "transit"
        if embedded(address) != address:
            return "internet" if self.routes.dns64 and self.routes.nat else None
        carried = gateway is not None and (":" not in address or gateway.ip_address_type == "dualstack")
        if service == "s3" and region == self.region and self.routes.gateway and carried:
            return gateway  # the prefix list is more specific than the default route
        if self.transparent_proxy:
            return "internet"
        has_default_route = self.routes.ipv6_out if ":" in address else self.routes.nat
        return "internet" if has_default_route and not self.routes.public_access_blocked else None

    def middlebox(self, service: str, route: Gateway | str) -> Middlebox | None:
        """The middlebox in front of a service; "" covers every packet that takes the default route."""
        for middlebox in self.middleboxes:
            if service in middlebox.services or ("" in middlebox.services and route == "internet"):
                return middlebox
        return None

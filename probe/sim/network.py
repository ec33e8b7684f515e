"""Which packets arrive: the task's group, the network ACL, the route table, endpoints' groups, boxes in the middle.

Pure decisions about a world that scenarios break; sockets are in `listeners`.
"""

from __future__ import annotations

from enum import Enum

from probe.records import Record, field, replace
from probe.sim import addresses
from probe.sim.endpoints import Gateway, Interface
from probe.sim.http import Delivery, Reply, Request
from probe.sim.listeners import Conduct, Serves

S3_PREFIX_LIST = "pl-s3"  # in a group's rules: the prefix list of the region's S3


class Routes(Record):
    """The route table of the task's subnet, besides the VPC itself. `ranges` lead to a transit gateway."""

    gateway: bool = True  # S3's prefix list to the gateway endpoint
    nat: bool = False
    ipv6_out: bool = False  # ::/0 to an egress-only Internet gateway
    dns64: bool = False  # 64:ff9b::/96 to the NAT gateway
    ranges: list[str] = field(default_factory=list)


class Treatment(Enum):
    """What a box in the middle does to connections. The first ones never let them arrive."""

    DROP = "drop"
    PROHIBIT = "prohibit"  # ICMP "administratively prohibited"
    UNREACHABLE = "unreachable"  # ICMP "host unreachable"


class Middlebox(Record, frozen=True):
    """A firewall, proxy or broken link before some services ("" is everything public), by name as the world knows them.

    `does` is a treatment or a conduct in place of the server's; else the certificate's issuer, the delivery or every
    answer is changed.
    """

    before: frozenset[str]
    does: Treatment | Conduct | None = None
    issuer: str | None = None
    delivery: Delivery | None = None
    page: Reply | None = None

    def treat(self, conduct: Conduct) -> Conduct | Treatment:
        if self.does is not None:
            return self.does
        if not isinstance(conduct, Serves):
            return conduct
        if self.issuer and conduct.certificate:
            conduct = replace(conduct, certificate=replace(conduct.certificate, issuer=self.issuer))
        if self.page:
            conduct = replace(conduct, handler=Page(self.page))
        return replace(conduct, delivery=self.delivery) if self.delivery else conduct


class Page(Record, frozen=True):
    """One answer to everything."""

    reply: Reply

    def __call__(self, _request: Request) -> Reply:
        return self.reply


def stands_before(*services: str) -> frozenset[str]:
    return frozenset(services)


class Network(Record):
    """What lies between the task and an address. `ranges` are the VPC's own."""

    region: str
    ranges: list[str]
    address: str | None
    ipv6: str | None
    nat: str  # the NAT gateway's address inside the VPC, from which it translates DNS64's addresses
    routes: Routes = field(default_factory=Routes)
    egress: list[str] = field(default_factory=lambda: ["0.0.0.0/0", "::/0"])  # the task's group, towards 443
    acl_drops: list[str] = field(default_factory=list)  # destinations that the subnet's network ACL cuts off
    boxes: list[Middlebox] = field(default_factory=list)
    transparent_proxy: bool = False  # answers for every public address and passes on what exists

    def has_family(self, address: str) -> bool:
        """A task without an address of a family has no route for it; link-local IPv4 works in every task."""
        if ":" in address:
            return self.ipv6 is not None
        return self.address is not None or address.startswith("169.254.170.")

    def admits(self, address: str, endpoint: Interface | None, service: str, region: str) -> bool:
        """Whether the packet leaves the task, crosses the ACL and passes the endpoint's group."""
        regional_s3 = service == "s3" and region == self.region
        allowed = [each for each in self.egress if each != S3_PREFIX_LIST]
        if not (addresses.inside(address, allowed) or (S3_PREFIX_LIST in self.egress and regional_s3)):
            return False
        if addresses.inside(address, self.acl_drops):
            return False
        translated = addresses.embedded(address) != address
        source = self.nat if translated else self.ipv6 if ":" in address else self.address
        return endpoint is None or (source is not None and addresses.inside(source, endpoint.admits))

    def way(self, address: str, *, service: str, region: str, gateway: Gateway | None) -> Gateway | str | None:
        """How the route table carries a packet: "local", "transit", "internet", the gateway endpoint; or none."""
        if addresses.inside(address, self.ranges):
            return "local"
        if addresses.inside(address, self.routes.ranges):
            return "transit"
        if addresses.embedded(address) != address:
            return "internet" if self.routes.dns64 and self.routes.nat else None
        if service == "s3" and region == self.region and self.routes.gateway and gateway is not None:
            return gateway  # the prefix list is more specific than the default route
        if self.transparent_proxy:
            return "internet"
        out = self.routes.ipv6_out if ":" in address else self.routes.nat
        return "internet" if out else None

    def box(self, service: str, way: Gateway | str) -> Middlebox | None:
        """The box that stands before a service; "" before everything that leaves by the default route."""
        for box in self.boxes:
            if service in box.before or ("" in box.before and way == "internet"):
                return box
        return None

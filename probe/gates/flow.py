"""A packet's way: where it starts, where it goes."""

from __future__ import annotations

from ipaddress import ip_address

from probe.gates.ranges import Network, Span, internet, networks
from probe.records import Record

# These represent the public addresses of a service, which no configuration contains (RFC 5737, RFC 3849).
SOMEWHERE_PUBLIC = {4: "203.0.113.1", 6: "2001:db8::1"}
PORT, DNS_PORT = 443, 53


class Origin(Record, frozen=True, kw_only=True):
    """Whence ECS pulls: an interface in a subnet, of a task that runs or of one that would.

    `addresses` are the interface's where it exists, else empty: a task could get any address of the subnet.
    """

    subnet: str
    vpc: str
    zone: str | None = None
    ranges: tuple[str, ...] = ()  # the subnet's
    groups: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    interface: str | None = None
    public_address: bool | None = None  # whether the interface has, or would get, a public IPv4 address
    owner: str | None = None  # the account of the subnet, where it is shared
    windows: bool = False

    @property
    def client_ports(self) -> Span:
        """From which the operating system takes the ports of connections. AWS[ephemeral-ports]"""
        return (49152, 65535) if self.windows else (32768, 60999)

    def networks(self, version: int) -> tuple[Network, ...]:
        """Where packets of this address family can come from: exact where the interface exists."""
        return networks(self.addresses or self.ranges, version)

    def sends(self, version: int) -> bool:
        """Whether the interface has an address of this family."""
        return bool(self.networks(version))


class Flow(Record, frozen=True, kw_only=True):
    """A connection to port 443 of one address, or queries by UDP to port 53 of a name server.

    `interface` is the network interface that has the address, with its subnet and groups; None for a public address,
    and for one that no interface has. `prefix_list` is the list of a gateway endpoint's service that contains the
    address, and `gateway` the gateway endpoint to which the route leads. `part` is the range of a route that `address`
    represents, where it is one of public addresses that are not known.
    """

    origin: Origin
    endpoint: str
    host: str
    address: str
    public: bool = False
    interface: str | None = None
    target_subnet: str | None = None
    target_groups: tuple[str, ...] = ()
    target_vpc: str | None = None
    target_zone: str | None = None
    service: str | None = None  # the gateway endpoint's, if one exists for this endpoint
    prefix_list: str | None = None
    gateway: str | None = None
    abroad: bool = False  # to S3 of another Region, which no gateway endpoint serves
    part: str | None = None
    dns: bool = False

    @property
    def port(self) -> int:
        return DNS_PORT if self.dns else PORT

    @property
    def protocol(self) -> str:
        return "udp" if self.dns else "tcp"

    @property
    def service_port(self) -> str:
        """The port in words; TCP goes without saying."""
        return f"UDP {self.port}" if self.dns else f"{self.port}"

    @property
    def version(self) -> int:
        return ip_address(self.address).version

    @property
    def is_somewhere(self) -> bool:
        """Whether the address represents public ones that are not known."""
        return self.address in SOMEWHERE_PUBLIC.values()

    @property
    def place(self) -> str:
        """Where it goes, in words."""
        return self.part or ("public addresses" if self.is_somewhere else self.address)

    @property
    def decided_by(self) -> str:
        """The end of a sentence on a part of where it can go; empty where the address is known."""
        return ": the addresses of the name decide, which a measured verdict has" if self.is_somewhere else ""

    @property
    def destinations(self) -> tuple[Network, ...]:
        """Where it can go: anywhere in the internet, where its address is not known."""
        return internet(self.version) if self.is_somewhere else networks((self.address,), self.version)

    @property
    def is_within_subnet(self) -> bool:
        return self.target_subnet is not None and self.target_subnet == self.origin.subnet

    @property
    def crosses_vpcs(self) -> bool:
        return self.target_vpc is not None and self.target_vpc != self.origin.vpc

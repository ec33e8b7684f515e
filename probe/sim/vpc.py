"""The simulated VPC: a world that is healthy until a scenario breaks it, seen through the four callables of `Wire`.

Everything is real (packets, handshakes, signatures) except the way from an address to a loopback port, which is `dial`.
Scenarios change the attributes of a `VPC`, as people change groups, routes, zones and policies.
"""

from __future__ import annotations

import errno
import os
import socket
import ssl
from ipaddress import IPv6Network, ip_network

from probe.records import Record
from probe.sim import addresses, names
from probe.sim.cloud import APP, TAG, Cloud
from probe.sim.dns import PublicDns, Resolver, Zone
from probe.sim.endpoints import Gateway, Interface
from probe.sim.listeners import Conduct, Listeners, Serves, Swallows
from probe.sim.metadata import CREDENTIALS_ADDRESS, INSTANCE_ADDRESS, InstanceMetadata, TaskMetadata
from probe.sim.nameservers import Datagrams, Nameserver
from probe.sim.network import Network, Treatment
from probe.sim.services import Door
from probe.sim.task import Task
from probe.sim.tls import AMAZON, Certificate, client_context
from probe.wire import Wire

AMAZON_PROVIDED_DNS = ("169.254.169.253", "fd00:ec2::253")
HUB = "10.99.0.0/16"  # a VPC of the network team, behind a transit gateway
_LAST_OCTETS = {
    name: 10 + place for place, name in enumerate((*names.CORE, *names.AGENT, "s3", "secretsmanager", "sts"))
}
_ICMP = {Treatment.PROHIBIT: errno.EACCES, Treatment.UNREACHABLE: errno.EHOSTUNREACH}


class Site(Record, frozen=True):
    """What stands at an address."""

    service: str
    region: str
    endpoint: Interface | None
    conduct: Conduct


class VPC:
    """A VPC with endpoints in two zones, a task in the first, and AWS around it."""

    def __init__(self) -> None:
        self._listeners = Listeners()
        self._datagrams = Datagrams(self._listeners)
        self.lay_out()

    def lay_out(
        self,
        *,
        region: str = "us-east-1",
        account: str = "123456789012",
        cidr: str = "10.0.0.0/16",
        ipv6: str | None = None,
        ipv4: bool = True,
        launch_type: str = "FARGATE",
        network_mode: str = "awsvpc",
        central: bool = False,
    ) -> None:
        """Lay the world out anew, healthy.

        `cidr` and `ipv6` are the ranges, `ipv4=False` makes the task's subnet IPv6-only; `central` puts the endpoints
        into the hub's VPC, with private zones shared from there.
        """
        self.region = region
        self.ranges = [cidr]
        self.ranges_ipv6 = [ipv6] if ipv6 else []
        address = self.at(1, 77 if network_mode == "awsvpc" else 20) if ipv4 else None
        self.base_resolver = str(ip_network(cidr)[2])  # the VPC's range plus two
        nameserver = self.base_resolver if ipv4 else AMAZON_PROVIDED_DNS[1]
        self.task = Task(
            account=account,
            region=region,
            launch_type=launch_type,
            network_mode=network_mode,
            address=address,
            subnet=f"{self.at(1, 0)}/24",
            ipv6=self.at_ipv6(1, 0x77) if ipv6 else None,
            subnet_ipv6=f"{self.at_ipv6(1, 0)}/64" if ipv6 else None,
            image=f"{names.registry(account, region) if ipv4 else names.registry_dual(account, region)}/{APP}:{TAG}",
            nameservers=(nameserver,),
        )
        self.cloud = Cloud(self.task)
        self.cloud.logs.groups["/ecs/app"] = [self.task.log_stream]
        self.network = Network(region, [*self.ranges, *self.ranges_ipv6], address, self.task.ipv6, nat=self.at(0, 5))
        self.gateway: Gateway | None = Gateway(region)
        self.endpoints: dict[str, Interface] = {}
        self.zones: list[Zone] = []  # hosted zones of the account's own, associated with this VPC
        self.dns_hostnames = True
        self.internet = addresses.Internet()
        self.public_dns = PublicDns(self.internet, self._vpce_names)
        self.resolver = Resolver(self.public_dns, self._zones)
        self.truncates = False  # every UDP answer of the VPC's resolver asks for TCP
        self.nameservers = [nameserver]
        self.servers: dict[str, Nameserver] = {}  # DNS servers of others, by address
        self.hosts: dict[str, Conduct] = {}  # what stands on 443 of addresses that are not AWS's
        self.certificates: dict[str, Certificate] = {}  # in place of the right one, by address
        self.trusted: tuple[str, ...] = (AMAZON,)
        self.metadata = TaskMetadata(self.task, self.cloud.task_keys)
        self.instance = InstanceMetadata(self.ranges, self.ranges_ipv6, self.cloud.instance_keys, "ecsInstanceRole")
        self.local: dict[tuple[str, int], Conduct] = {(CREDENTIALS_ADDRESS, 80): Serves(self.metadata.answer)}
        if launch_type != "FARGATE":  # Fargate has no instance metadata
            self.local[INSTANCE_ADDRESS, 80] = Serves(self.instance.answer)
        self._trust: ssl.SSLContext | None = None
        for service in (*names.CORE, *(names.AGENT if launch_type == "EC2" else ())):
            self.add_endpoint(service, central=central)
        if central:
            self.network.routes.ranges.append(HUB)

    # ---- building ---------------------------------------------------------------------------------------------------

    def at(self, subnet: int, last: int) -> str:
        """An address of the VPC: the third octet counts subnets, one in each zone."""
        return str(ip_network(self.ranges[0])[256 * subnet + last])

    def at_ipv6(self, subnet: int, last: int) -> str:
        block = IPv6Network(self.ranges_ipv6[0])
        return str(block[(subnet << 64) + last])

    def add_endpoint(
        self, service: str, *, central: bool = False, private_dns: bool = True, region: str | None = None
    ) -> Interface:
        """Create an interface endpoint with an ENI in two zones, open to the whole VPC; of another region if named."""
        last = _LAST_OCTETS[service] + (100 if region else 0)
        found = (
            [str(ip_network(HUB)[256 * each + last]) for each in (1, 2)]
            if central
            else [self.at(each, last) for each in (1, 2)]
        )
        endpoint = Interface(
            service,
            region or self.region,
            f"vpce-0{last:02x}1b2c3d4e5f6071"[:22],
            found,
            [self.at_ipv6(each, last) for each in (1, 2)] if self.ranges_ipv6 else [],
            admits=[*self.ranges, *self.ranges_ipv6],
            private_dns=private_dns and not central,
        )
        self.endpoints[f"{service} {region}" if region else service] = endpoint
        if central:
            # One endpoint for many VPCs: private DNS stays off there, and zones of the same names are shared instead.
            self.zones += endpoint.zones()
        return endpoint

    def _zones(self) -> list[Zone]:
        """Private zones in force here. Those of endpoints need enableDnsHostnames."""
        own = [zone for each in self.endpoints.values() if each.private_dns for zone in each.zones()]
        return [*self.zones, *own] if self.dns_hostnames else []

    def _vpce_names(self) -> dict[str, tuple[str, ...]]:
        return {name: found for each in self.endpoints.values() for name, found in each.vpce_names().items()}

    @property
    def environ(self) -> dict[str, str]:
        return self.task.environ()

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every secret handed out so far; none may appear in any output."""
        return self.cloud.secrets()

    # ---- the seam ---------------------------------------------------------------------------------------------------

    def wire(self) -> Wire:
        return Wire(dial=self.dial, datagram=self.datagram, resolvers=lambda: tuple(self.nameservers), trust=self.trust)

    def dial(self, address: str, port: int, timeout: float) -> socket.socket:
        """A connected socket, as connect(2) would give or refuse it; silence takes the whole timeout."""
        conduct = self.met(address, port)
        if conduct is None or conduct is Treatment.DROP:
            self._listeners.closing.wait(timeout)
            raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
        if isinstance(conduct, Treatment):
            raise OSError(_ICMP[conduct], os.strerror(_ICMP[conduct]))
        return self._listeners.connect(conduct, timeout)

    def datagram(self, address: str, port: int) -> socket.socket:
        self._check_family(address)
        return self._datagrams.connect(self._nameserver(address) if port == 53 else None)

    def trust(self) -> ssl.SSLContext:
        if self._trust is None:
            self._trust = client_context(self.trusted)
        return self._trust

    def port(self, address: str, port: int) -> int:
        """The loopback port behind an address, for other clients than ours."""
        conduct = self.met(address, port)
        if conduct is None or isinstance(conduct, Treatment):
            raise LookupError(f"nothing answers at {address}:{port}")
        return self._listeners.port(conduct)

    def udp_port(self, address: str) -> int:
        with self._datagrams.connect(self._nameserver(address)) as sock:
            found: int = sock.getpeername()[1]
            return found

    def __enter__(self) -> VPC:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End every server, connection and wait."""
        self._listeners.close()

    # ---- from an address to what stands there -----------------------------------------------------------------------

    def met(self, address: str, port: int) -> Conduct | Treatment | None:
        """What a SYN meets; None is silence. Raises OSError where the task has no route."""
        self._check_family(address)
        if port == 53:
            return self._nameserver(address)
        if addresses.is_link_local(address):
            return self.local.get((address, port))  # not subject to groups or ACLs
        site = self._site(address) if port == 443 else None
        service, region = (site.service, site.region) if site else ("", "")
        way = self.network.way(address, service=service, region=region, gateway=self.gateway)
        if way is None or not self.network.admits(address, site.endpoint if site else None, service, region):
            return None
        if site is None:
            answered = self.network.transparent_proxy and way == "internet" and port == 443
            return Swallows() if answered else None
        conduct = site.conduct
        if isinstance(way, Gateway) and isinstance(conduct, Serves):
            conduct = self._serves(address, site.service, site.region, way)
        box = self.network.box(service, way)
        return box.treat(conduct) if box else conduct

    def _site(self, address: str) -> Site | None:
        if address in self.hosts:
            return Site("host", self.region, None, self.hosts[address])
        plain = addresses.embedded(address)  # a NAT gateway translates DNS64's addresses back
        for endpoint in self.endpoints.values():
            if plain in endpoint.everything:
                conduct = self._serves(address, endpoint.service, endpoint.region, endpoint)
                return Site(endpoint.service, endpoint.region, endpoint, conduct)
        place = self.internet.owner(plain)
        if place is None:
            return None
        return Site(place.service, place.region, None, self._serves(address, place.service, place.region, None))

    def _serves(self, address: str, service: str, region: str, endpoint: Interface | Gateway | None) -> Serves:
        certificate = self.certificates.get(address) or Certificate(names.certificate_names(service, region))
        return Serves(Door(self.cloud.service(service), region, endpoint), certificate, clock=self.cloud.account.now)

    def _nameserver(self, address: str) -> Nameserver | None:
        """The VPC's resolver is beyond the reach of groups and ACLs; servers of others need a way like any host."""
        if address in (self.base_resolver, *AMAZON_PROVIDED_DNS):
            return Nameserver(self.resolver.answer, self.truncates)
        server = self.servers.get(address)
        way = self.network.way(address, service="dns", region=self.region, gateway=None)
        return server if server is not None and way is not None else None

    def _check_family(self, address: str) -> None:
        if not self.network.has_family(address):
            raise OSError(errno.ENETUNREACH, os.strerror(errno.ENETUNREACH))

"""The simulated VPC, healthy until a scenario changes it. The program reaches it through the four callables of `Wire`.

Packets, handshakes and signatures are real; only `dial` maps an address to a loopback port. Scenarios change the
attributes of a `VPC`, as people change groups, routes, zones and policies.
"""

from __future__ import annotations

import errno
import os
import socket
import ssl
from ipaddress import IPv6Network, ip_network

from probe.records import Record
from probe.sim import images, names
from probe.sim.cloud import APP, TAG, Cloud
from probe.sim.dns import Datagrams, Nameserver, PublicDns, Resolver, Zone
from probe.sim.names import Internet, embedded, is_link_local
from probe.sim.network import Gateway, Interface, Network, Treatment
from probe.sim.servers import AMAZON, Certificate, HttpServer, Listeners, Server, SilentServer, client_context
from probe.sim.services import EntryPoint
from probe.sim.task import CREDENTIALS_ADDRESS, INSTANCE_ADDRESS, InstanceMetadata, Task, TaskMetadata
from probe.wire import Wire

AMAZON_PROVIDED_DNS = ("169.254.169.253", "fd00:ec2::253")
HUB = "10.99.0.0/16"  # the network team's VPC, behind a transit gateway
HUB_SERVER = "10.99.0.53"  # an inbound endpoint of the hub's resolver
_LAST_OCTETS = {
    service: 10 + number
    for number, service in enumerate((*names.CORE, *names.AGENT, "s3", "secretsmanager", "sts", "ssm", "kms"))
}
_ICMP = {Treatment.PROHIBIT: errno.EACCES, Treatment.UNREACHABLE: errno.EHOSTUNREACH}


def endpoint_id(service: str, *, abroad: bool = False) -> str:
    """The id of an interface endpoint; `abroad`: of the service in another region."""
    return f"vpce-0{_LAST_OCTETS[service] + 100 * abroad:02x}1b2c3d4e5f6071"[:22]


class Destination(Record, frozen=True):
    """The service behind an address, and its server."""

    service: str
    region: str
    endpoint: Interface | None
    server: Server


class VPC:
    """A VPC with endpoints in two zones, a task in the first zone, and AWS outside."""

    def __init__(self) -> None:
        self._listeners = Listeners()
        self._datagrams = Datagrams(self._listeners)
        self.build()

    def build(
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
        """Build the VPC again, healthy.

        `cidr` and `ipv6` are its ranges; `ipv4=False` makes the task's subnet IPv6-only; `central` creates the
        endpoints in the hub's VPC, which shares its private zones.
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
        self.task.own.image_id = images.single().top.digest  # of the manifest for the task's platform
        self.cloud.logs.groups["/ecs/app"] = [self.task.log_stream]
        self.network = Network(region, [*self.ranges, *self.ranges_ipv6], address, self.task.ipv6, nat=self.at(0, 5))
        self.gateway: Gateway | None = Gateway(region, "dualstack" if ipv6 else "ipv4")
        self.endpoints: dict[str, Interface] = {}
        self.zones: list[Zone] = []  # private hosted zones that are associated with this VPC
        self.dns_hostnames = True
        self.internet = Internet()
        self.public_dns = PublicDns(self.internet, self._vpce_names)
        self.resolver = Resolver(self.public_dns, self._zones)
        self.descriptors_left = True  # of the probe's process
        self.truncates = False  # every UDP answer of the VPC's resolver has the TC flag
        self.dns_over_tcp: Treatment | None = None  # what becomes of TCP to the VPC's resolver
        self.nameservers = [nameserver]
        self.dns_servers: dict[str, Nameserver] = {}  # other DNS servers, by address
        self.hosts: dict[str, Server] = {}  # servers on port 443 of other addresses
        self.certificates: dict[str, Certificate] = {}  # that replace the right one, by address
        self.trusted: tuple[str, ...] = (AMAZON,)
        self.metadata = TaskMetadata(self.task, self.cloud.task_keys)
        self.instance = InstanceMetadata(self.ranges, self.ranges_ipv6, self.cloud.instance_keys, "ecsInstanceRole")
        self.local: dict[tuple[str, int], Server] = {(CREDENTIALS_ADDRESS, 80): HttpServer(self.metadata.answer)}
        if launch_type != "FARGATE":  # Fargate has no instance metadata
            self.local[INSTANCE_ADDRESS, 80] = HttpServer(self.instance.answer)
        self._trust: ssl.SSLContext | None = None
        on_instance = launch_type in ("EC2", "MANAGED_INSTANCES")
        for service in (*names.CORE, *(names.AGENT if on_instance or region in names.NEW_REGIONS else ())):
            self.add_endpoint(service, central=central)
        if central:
            self.network.routes.ranges.append(HUB)

    # ---- building ---------------------------------------------------------------------------------------------------

    def at(self, subnet: int, last: int) -> str:
        """An address of the VPC: the third octet is the subnet, one per zone."""
        return str(ip_network(self.ranges[0])[256 * subnet + last])

    def at_ipv6(self, subnet: int, last: int) -> str:
        block = IPv6Network(self.ranges_ipv6[0])
        return str(block[(subnet << 64) + last])

    def add_endpoint(
        self, service: str, *, central: bool = False, private_dns: bool = True, region: str | None = None
    ) -> Interface:
        """Create an interface endpoint with an ENI in two zones that allows the whole VPC; `region` if not this one."""
        last = _LAST_OCTETS[service] + (100 if region else 0)
        addresses = (
            [str(ip_network(HUB)[256 * subnet + last]) for subnet in (1, 2)]
            if central
            else [self.at(subnet, last) for subnet in (1, 2)]
        )
        endpoint = Interface(
            service,
            region or self.region,
            endpoint_id(service, abroad=region is not None),
            addresses,
            [self.at_ipv6(subnet, last) for subnet in (1, 2)] if self.ranges_ipv6 else [],
            allowed_sources=[*self.ranges, *self.ranges_ipv6],
            private_dns=private_dns and not central,
        )
        self.endpoints[f"{service} {region}" if region else service] = endpoint
        if central:
            # One endpoint serves many VPCs: its private DNS is off, and hosted zones with its names are shared instead.
            self.zones += endpoint.zones()
        return endpoint

    def _zones(self) -> list[Zone]:
        """The private zones that apply in this VPC; all of them need enableDnsHostnames."""
        endpoints = [endpoint for endpoint in self.endpoints.values() if endpoint.private_dns]
        return (
            [*self.zones, *(zone for endpoint in endpoints for zone in endpoint.zones())] if self.dns_hostnames else []
        )

    def _vpce_names(self) -> dict[str, tuple[str, ...]]:
        return {
            name: addresses for endpoint in self.endpoints.values() for name, addresses in endpoint.vpce_names().items()
        }

    @property
    def environ(self) -> dict[str, str]:
        return self.task.environ()

    @property
    def secrets(self) -> tuple[str, ...]:
        """All secrets issued so far; none may appear in any output."""
        return self.cloud.secrets()

    # ---- the seam ---------------------------------------------------------------------------------------------------

    def wire(self) -> Wire:
        return Wire(dial=self.dial, datagram=self.datagram, resolvers=lambda: tuple(self.nameservers), trust=self.trust)

    def dial(self, address: str, port: int, timeout: float) -> socket.socket:
        """A connected socket, or the error of connect(2); a dropped packet takes the whole timeout."""
        self._check_descriptors()
        server = self.server_at(address, port)
        if server is None or server is Treatment.DROP:
            self._listeners.closing.wait(timeout)
            raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
        if isinstance(server, Treatment):
            raise OSError(_ICMP[server], os.strerror(_ICMP[server]))
        return self._listeners.connect(server, timeout)

    def datagram(self, address: str, port: int) -> socket.socket:
        self._check_descriptors()
        self._check_family(address)
        return self._datagrams.connect(self._nameserver(address) if port == 53 else None)

    def trust(self) -> ssl.SSLContext:
        if self._trust is None:
            self._trust = client_context(self.trusted)
        return self._trust

    def port(self, address: str, port: int) -> int:
        """The loopback port behind an address, for other clients than the probe."""
        server = self.server_at(address, port)
        if server is None or isinstance(server, Treatment):
            raise LookupError(f"no server at {address}:{port}")
        return self._listeners.port(server)

    def udp_port(self, address: str) -> int:
        """The loopback port of the DNS server at an address."""
        with self._datagrams.connect(self._nameserver(address)) as sock:
            port: int = sock.getpeername()[1]
            return port

    def __enter__(self) -> VPC:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End all servers, connections and waits."""
        self._listeners.close()

    # ---- from an address to its server ------------------------------------------------------------------------------

    def server_at(self, address: str, port: int) -> Server | Treatment | None:
        """What answers a SYN; None where it is dropped. Raises OSError where the task has no address of the family."""
        self._check_family(address)
        if port == 53:
            own = address in (self.base_resolver, *AMAZON_PROVIDED_DNS)
            return self.dns_over_tcp if own and self.dns_over_tcp else self._nameserver(address)
        if is_link_local(address):
            return self.local.get((address, port))  # security groups and ACLs do not apply
        destination = self._destination(address) if port == 443 else None
        service, region = (destination.service, destination.region) if destination else ("", "")
        route = self.network.route(address, service=service, region=region, gateway=self.gateway)
        if route is None or not self.network.allows(
            address, destination.endpoint if destination else None, service, region
        ):
            return None
        if destination is None:
            intercepted = self.network.transparent_proxy and route == "internet" and port == 443
            return SilentServer() if intercepted else None
        server = destination.server
        if isinstance(route, Gateway) and isinstance(server, HttpServer):
            server = self._http_server(address, destination.service, destination.region, route)
        middlebox = self.network.middlebox(service, route)
        return middlebox.treat(server) if middlebox else server

    def _destination(self, address: str) -> Destination | None:
        if address in self.hosts:
            return Destination("host", self.region, None, self.hosts[address])
        plain = embedded(address)  # a NAT gateway translates DNS64 addresses back
        for endpoint in self.endpoints.values():
            if plain in endpoint.all_addresses:
                server = self._http_server(address, endpoint.service, endpoint.region, endpoint)
                return Destination(endpoint.service, endpoint.region, endpoint, server)
        host = self.internet.owner(plain)
        if host is None:
            return None
        return Destination(host.service, host.region, None, self._http_server(address, host.service, host.region, None))

    def _http_server(self, address: str, service: str, region: str, endpoint: Interface | Gateway | None) -> HttpServer:
        certificate = self.certificates.get(address) or Certificate(names.certificate_names(service, region))
        return HttpServer(
            EntryPoint(self.cloud.service(service), region, endpoint), certificate, clock=self.cloud.account.now
        )

    def _nameserver(self, address: str) -> Nameserver | None:
        """The DNS server at an address. Groups and ACLs do not apply to the VPC's resolver; others need a route."""
        server = self.dns_servers.get(address)
        if address in (self.base_resolver, *AMAZON_PROVIDED_DNS):
            return server or Nameserver(self.resolver.answer, self.truncates)
        route = self.network.route(address, service="dns", region=self.region, gateway=None)
        return server if server is not None and route is not None else None

    def _check_descriptors(self) -> None:
        if not self.descriptors_left:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    def _check_family(self, address: str) -> None:
        if not self.network.has_family(address):
            raise OSError(errno.ENETUNREACH, os.strerror(errno.ENETUNREACH))

"""Public addresses of AWS services: invented and stable, in ranges that Amazon owns. No sockets."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from zlib import crc32

from probe.sim.names import AwsHost

DNS64 = IPv6Network("64:ff9b::/96")  # RFC 6052, used by Route 53 Resolver's DNS64
LINK_LOCAL = (ip_network("169.254.0.0/16"), ip_network("fd00:ec2::/32"))

_SERVICES = ("ecr.api", "ecr.dkr", "logs", "ecs", "ecs-agent", "ecs-telemetry", "secretsmanager", "ssm", "kms", "sts")
_REGIONS = (
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "eu-west-1",
    "eu-central-1",
    "us-gov-west-1",
    "cn-north-1",
)


def _octet(region: str) -> int:
    return _REGIONS.index(region) + 1 if region in _REGIONS else 100 + crc32(region.encode()) % 150


class Internet:
    """Public addresses by service and region, and back."""

    def __init__(self) -> None:
        self._owners: dict[str, AwsHost] = {}

    def v4(self, host: AwsHost) -> tuple[str, ...]:
        """IPv4 addresses: several of S3, one of the other services (as captured)."""
        octet = _octet(host.region)
        if host.service == "s3":
            return self._own(host, *(f"52.216.{octet}.{last}" for last in (8, 40)))
        return self._own(host, f"44.{200 + _SERVICES.index(host.service)}.{octet}.9")

    def v6(self, host: AwsHost) -> tuple[str, ...]:
        """IPv6 addresses; only dual-stack names have some."""
        if not host.dual:
            return ()
        octet = _octet(host.region)
        number = 0xFF if host.service == "s3" else _SERVICES.index(host.service)
        return self._own(host, f"2600:1fa0:{octet:x}:{number:x}::9")

    def owner(self, address: str) -> AwsHost | None:
        return self._owners.get(address)

    def _own(self, host: AwsHost, *addresses: str) -> tuple[str, ...]:
        for address in addresses:
            self._owners[address] = host
        return addresses


def is_link_local(address: str) -> bool:
    parsed = ip_address(address)
    return any(parsed in network for network in LINK_LOCAL if network.version == parsed.version)


def inside(address: str, ranges: tuple[str, ...] | list[str]) -> bool:
    parsed = ip_address(address)
    return any(parsed in network for network in map(ip_network, ranges) if network.version == parsed.version)


def embedded(address: str) -> str:
    """The IPv4 address inside a DNS64 address; any other address unchanged."""
    parsed = ip_address(address)
    if isinstance(parsed, IPv6Address) and parsed in DNS64:
        return str(IPv4Address(int(parsed) & 0xFFFFFFFF))
    return address


def synthesised(address: str) -> str:
    """The DNS64 form of an IPv4 address."""
    return str(IPv6Address(int(DNS64.network_address) + int(IPv4Address(address))))

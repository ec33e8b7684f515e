"""Where an address lies: inside the VPC, private elsewhere, or public. Pure; DNS and sockets are in `wire`.

Private is not RFC 1918: VPCs use 100.64.0.0/10, 20.x and other ranges (VPC guide, "VPC CIDR blocks"), and endpoint
ENIs of dual-stack VPCs have globally routable IPv6 addresses.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_interface, ip_network

from probe.model import AddressClass

DNS64 = IPv6Network("64:ff9b::/96")  # RFC 6052; AWS[dns64-prefix]
# AmazonProvidedDNS over IPv4 and over IPv6: AWS[amazon-dns-addresses].
AMAZON_PROVIDED_DNS = ("169.254.169.253", "fd00:ec2::253")
# Credentials and task metadata; instance metadata. Requests to them must not go to a proxy.
LINK_LOCAL_SERVICES = ("169.254.170.2", "169.254.169.254")
# Public networks of other owners that VPCs are known to use as private ranges: the US and UK ministries of defense,
# Microsoft, T-Mobile. AWS's public names never resolve to them (AWS[never-aws-ranges]); a name that does comes from
# a private hosted zone.
NEVER_AWS = tuple(
    ip_network(text)
    for text in (
        *(f"{number}.0.0.0/8" for number in (6, 7, 11, 20, 21, 22, 25, 26, 28, 29, 30, 33, 55)),
        "172.32.0.0/11",
    )
)
RFC1918 = tuple(ip_network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))


# Addresses that no endpoint and no service of AWS has: DNS filters answer them for names that they block.
_SINKHOLES = tuple(
    ip_network(text) for text in ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "::/127", "fe80::/10", "ff00::/8")
)


def is_sinkhole(address: str) -> bool:
    """Whether nothing outside this host can have the address: unspecified, loopback, link-local or multicast."""
    parsed = ip_address(embedded(address))
    return parsed.is_multicast or any(parsed in network for network in _SINKHOLES if network.version == parsed.version)


def embedded(address: str) -> str:
    """The IPv4 address inside a DNS64 or IPv4-mapped one, else the address itself."""
    parsed = ip_address(address)
    if isinstance(parsed, IPv6Address):
        if parsed in DNS64:
            return str(IPv4Address(int(parsed) & 0xFFFFFFFF))
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
    return address


def is_translated(address: str) -> bool:
    """Whether a NAT gateway translates the address to IPv4. AWS[dns64-prefix]"""
    return embedded(address) != address and is_ipv6(address)


def is_ipv6(address: str) -> bool:
    return ip_address(address).version == 6


def classify(address: str, ranges: Iterable[str]) -> AddressClass:
    """The class of `address`. `ranges` are the CIDR ranges of the VPC, known and presumed."""
    parsed = ip_address(embedded(address))
    if any(parsed in network for network in map(ip_network, ranges) if network.version == parsed.version):
        return AddressClass.VPC
    if not parsed.is_global:
        return AddressClass.PRIVATE
    return AddressClass.UNKNOWN if parsed.version == 6 else AddressClass.PUBLIC


def can_be_aws(address: str) -> bool:
    """Whether a public service of AWS could have this address."""
    parsed = ip_address(embedded(address))
    return parsed.is_global and not any(parsed in network for network in NEVER_AWS)


# Long-lived ranges of S3, in several regions AWS[s3-addresses]. S3 has others too.
_S3 = tuple(map(ip_network, ("3.5.0.0/16", "52.92.0.0/16", "52.216.0.0/14", "54.231.0.0/16")))


def is_s3(address: str) -> bool:
    """Whether an address is certainly one of S3; False where that is unknown."""
    parsed = ip_address(embedded(address))
    return any(parsed in network for network in _S3)


def presume(addresses: Iterable[str]) -> tuple[str, ...]:
    """The ranges that a task's own addresses suggest: /16 around an IPv4 address outside RFC 1918, /56 around IPv6.

    An IPv4 range of a VPC is a /16 at most, an IPv6 range that Amazon provides a /56 AWS[vpc-sizes]. It is a guess.
    """
    presumed = []
    for parsed in map(ip_address, addresses):
        if parsed.is_loopback or parsed.is_link_local:
            continue
        if parsed.version == 6:
            presumed.append(str(ip_interface(f"{parsed}/56").network))
        elif not any(parsed in network for network in RFC1918):
            presumed.append(str(ip_interface(f"{parsed}/16").network))
    return tuple(dict.fromkeys(presumed))


def sort_key(address: str) -> tuple[int, int]:
    """IPv4 before IPv6, then by value."""
    parsed = ip_address(address)
    return parsed.version, int(parsed)

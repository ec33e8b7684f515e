"""Arithmetic of address ranges: which part of some ranges others cover."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network, summarize_address_range

Network = IPv4Network | IPv6Network
# The ranges that are not of the internet, in order: IANA's special-purpose addresses (RFC 6890), multicast and above.
_NOT_PUBLIC = (
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24"),
    *("192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3"),
)
Span = tuple[int, int]  # the first and the last of consecutive numbers


@lru_cache(maxsize=4096)  # the same rules are asked for every subnet
def network(text: str) -> Network:
    """The range that this is; an address is a range of one."""
    return ip_network(text, strict=False)


@lru_cache(maxsize=2)
def internet(version: int) -> tuple[Network, ...]:
    """All public addresses of a family."""
    if version == 6:
        return (network("2000::/3"),)
    found: list[Network] = []
    first = 0
    for start, end in (span(network(text)) for text in _NOT_PUBLIC):
        if first < start:
            found += summarize_address_range(IPv4Address(first), IPv4Address(start - 1))
        first = end + 1
    return tuple(found)


def networks(texts: Iterable[str], version: int) -> tuple[Network, ...]:
    """The ranges of one address family."""
    return tuple(parsed for parsed in map(network, texts) if parsed.version == version)


def span(parsed: Network) -> Span:
    return int(parsed.network_address), int(parsed.broadcast_address)


def shown(parsed: Network) -> str:
    """A range as people write it: one address without its length."""
    return str(parsed.network_address) if parsed.num_addresses == 1 else str(parsed)


def between(addresses: Span, version: int) -> str:
    """The first and the last address of a part that need not be a range."""
    first, last = (str((IPv4Address if version == 4 else IPv6Address)(number)) for number in addresses)
    return first if first == last else f"{first}-{last}"


def common(one: Span, other: Span) -> Span | None:
    """What both contain; None: nothing."""
    first, last = max(one[0], other[0]), min(one[1], other[1])
    return (first, last) if first <= last else None


def covered(spans: Iterable[Span], parts: Iterable[Span]) -> bool:
    """Whether `parts` together contain all of `spans`."""
    merged: list[Span] = []
    for first, last in sorted(parts):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return all(any(first >= low and last <= high for low, high in merged) for first, last in spans)

"""Arithmetic of address ranges: which part of some ranges others cover."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_network

Network = IPv4Network | IPv6Network
Span = tuple[int, int]  # the first and the last of consecutive numbers


def networks(texts: Iterable[str], version: int) -> tuple[Network, ...]:
    """The ranges of one address family; an address is a range of one."""
    parsed = (ip_network(text, strict=False) for text in texts)
    return tuple(network for network in parsed if network.version == version)


def span(network: Network) -> Span:
    return int(network.network_address), int(network.broadcast_address)


def shown(network: Network) -> str:
    """A range as people write it: one address without its length."""
    return str(network.network_address) if network.num_addresses == 1 else str(network)


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

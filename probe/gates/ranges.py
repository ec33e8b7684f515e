"""Arithmetic of address ranges: which part of some ranges others cover."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network

Network = IPv4Network | IPv6Network
Span = tuple[int, int]  # the first and the last of consecutive numbers


@lru_cache(maxsize=4096)  # the same rules are asked for every subnet
def network(text: str) -> Network:
    """The range that this is; an address is a range of one."""
    return ip_network(text, strict=False)


def networks(texts: Iterable[str], version: int) -> tuple[Network, ...]:
    """The ranges of one address family."""
    return tuple(parsed for parsed in map(network, texts) if parsed.version == version)


def span(parsed: Network) -> Span:
    return int(parsed.network_address), int(parsed.broadcast_address)


def shown(parsed: Network) -> str:
    """A range as people write it: one address without its length."""
    return str(parsed.network_address) if parsed.num_addresses == 1 else str(parsed)


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

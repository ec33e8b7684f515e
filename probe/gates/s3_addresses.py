"""Addresses that represent all of S3's. Which of them its name has changes all the time, so every part counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from probe.configuration.operations import PREFIX_LIST_ENTRIES, SECURITY_GROUPS
from probe.configuration.view import MissingError, View
from probe.gates.flow import Origin
from probe.gates.network_acls import acl_of
from probe.gates.ranges import Network, networks, span
from probe.gates.route_tables import table_of

# Where a route, an entry of an ACL and a rule of a group name a range, or a list of ranges.
_RANGES = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "CidrBlock", "Ipv6CidrBlock", "CidrIp", "CidrIpv6")
_LISTS = ("DestinationPrefixListId", "PrefixListId")


def representatives(view: View, origin: Origin, ranges: Sequence[Network]) -> tuple[str, ...]:
    """The first address of each range, and of each part of it that the rules in front treat apart.

    A rule that could not be read is missing here, and its gate is unknown.
    """
    found = {str(each.network_address): None for each in ranges}
    for each in ranges:
        first, last = span(each)
        named = networks(_named(view, origin), each.version)
        edges = {edge for start, end in map(span, named) for edge in (start, end + 1)}
        found |= {str(each[edge - first]): None for edge in sorted(edges) if first < edge <= last}
    return tuple(found)


def _named(view: View, origin: Origin) -> Iterator[str]:
    """Every range in the route table, the network ACL and the groups of the origin."""
    for part in _parts(view, origin):
        yield from (part[member] for member in _RANGES if part.get(member))
        for member in _LISTS:
            if part.get(member):
                with suppress(MissingError):
                    yield from (entry["Cidr"] for entry in view.items(PREFIX_LIST_ENTRIES, PrefixListId=part[member]))


def _parts(view: View, origin: Origin) -> Iterator[dict[str, Any]]:
    with suppress(MissingError):
        yield from table_of(view, origin.subnet, origin.vpc).get("Routes", ())
    with suppress(MissingError):
        yield from acl_of(view, origin.subnet, origin.vpc).get("Entries", ())
    with suppress(MissingError):
        for group in view.some(SECURITY_GROUPS, origin.groups).values():
            for permission in (group or {}).get("IpPermissionsEgress", ()):
                for members in ("IpRanges", "Ipv6Ranges", "PrefixListIds"):
                    yield from permission.get(members, ())

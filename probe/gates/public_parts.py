"""Public addresses that no configuration contains: those of every service but S3.

What covers the whole internet decides about them. Where routes treat a part of it apart, each part is asked for, and
where the parts differ the answer depends on the addresses that the name has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from ipaddress import ip_address
from typing import Any

from probe.configuration.operations import PREFIX_LISTS
from probe.configuration.view import MissingError, View
from probe.gates.flow import Flow
from probe.gates.opinion import Opinion, depends
from probe.gates.ranges import Network, common, internet, network, span
from probe.gates.route_tables import destinations, table_of, way
from probe.narration import few
from probe.records import replace

Gate = Callable[[View, Flow], Opinion | None]

_MOST_PARTS = 3  # in a sentence


def for_each_part(gate: Gate) -> Gate:
    """The gate, asked for each part of the internet that the subnet's routes treat apart."""

    def over_all(view: View, flow: Flow) -> Opinion | None:
        opinion = gate(view, flow)
        parts = _parts(view, flow) if flow.is_somewhere else ()
        return _combined(opinion, [(part.place, gate(view, part)) for part in parts], flow.decided_by)

    return over_all


def is_of_aws(view: View, prefix_list: str) -> bool:
    """Whether AWS manages the list: it has addresses of one service. AWS[managed-prefix-lists]"""
    try:
        item = view.item(PREFIX_LISTS, prefix_list)
    except MissingError:
        return False
    return item is not None and item.get("OwnerId") == "AWS"


def _parts(view: View, flow: Flow) -> Iterator[Flow]:
    """A flow to an address of each range of the internet that has a route of its own."""
    table = table_of(view, flow.origin.subnet, flow.origin.vpc)
    for route in table.get("Routes", ()):
        prefix_list, gateway = route.get("DestinationPrefixListId"), str(route.get("GatewayId", ""))
        if gateway == "local" or route.get("VpcPeeringConnectionId"):
            continue  # addresses of this VPC, and of another one
        if prefix_list and (gateway.startswith("vpce-") or is_of_aws(view, prefix_list)):
            continue
        for destination, cidr in destinations(view, route):
            address = _address_in(view, table, destination, network(cidr), flow)
            if address is not None:
                yield replace(flow, address=address, part=cidr)
                break


def _address_in(view: View, table: dict[str, Any], destination: str, part: Network, flow: Flow) -> str | None:
    """A public address of the range that takes this route; None where `flow` represents the range already."""
    if part.version != flow.version or ip_address(flow.address) in part:
        return None
    for each in internet(flow.version):
        both = common(span(each), span(part))
        for number in both or ():
            address = str(part[number - int(part.network_address)])
            found = way(view, table, address)
            if found is not None and found.destination == destination:
                return address
    return None


def _combined(opinion: Opinion | None, parts: list[tuple[str, Opinion | None]], decided_by: str) -> Opinion | None:
    """One answer. `opinion` is of all that has no route of its own."""
    if opinion is not None and opinion.refuses:
        passing = [name for name, part in parts if part is None or not part.refuses]
        sentence = f"{opinion.sentence} other than {few(passing, _MOST_PARTS)}{decided_by}"
        return _open(opinion, sentence) if passing else opinion
    for name, part in parts:
        if part is not None and part.refuses:
            sentence = f"{part.sentence}, and other public addresses than {name} take another route{decided_by}"
            return _open(part, sentence)
    still_open = (part for _, part in parts if part is not None and not part.allows)
    return opinion if opinion is not None and not opinion.allows else next(still_open, opinion)


def _open(refusal: Opinion, sentence: str) -> Opinion:
    return depends(refusal.gate, sentence, refusal.object, refusal.element)

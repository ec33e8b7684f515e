"""Whether queries reach a name server other than the VPC's own resolver, to which groups and ACLs do not apply.

AWS[amazon-dns-unfiltered]
"""

from __future__ import annotations

from probe.configuration.view import MissingError, View
from probe.gates.destinations import queries_to
from probe.gates.flow import Origin
from probe.gates.opinion import Opinion, unknown
from probe.gates.packets import packet_opinions
from probe.model import GateName
from probe.records import replace


def path_to(view: View, origin: Origin, server: str, handed_out: Opinion) -> Opinion:
    """`handed_out`, the opinion that the server answers, unless something refuses the queries on their way."""
    try:
        opinions = list(packet_opinions(view, queries_to(view, origin, server)))
    except MissingError as error:
        return unknown(handed_out.gate, error, handed_out.object)
    # Resolver itself lists the address, whether its interface can be seen or not.
    others = [opinion for opinion in opinions if opinion.gate is not GateName.ENDPOINT_INTERFACE and not opinion.allows]
    stops = next((opinion for opinion in others if opinion.refuses), None) or next(iter(others), None)
    if stops is None:
        return handed_out
    verb = "do not" if stops.refuses else "may not"
    sentence = f"{handed_out.sentence}, and queries {verb} reach it: {stops.sentence}"
    cause = "dns.resolver-unreachable" if stops.refuses else None
    return replace(stops, gate=handed_out.gate, sentence=sentence, cause=cause)

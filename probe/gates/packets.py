"""The gates of a connection, in the order in which its packets meet them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from probe.configuration.view import View
from probe.gates import network_acls, security_groups
from probe.gates.block_public_access import block_public_access
from probe.gates.endpoint_interfaces import has_interface, zone
from probe.gates.flow import Flow
from probe.gates.network_firewall import network_firewall
from probe.gates.opinion import Opinion, opinions
from probe.gates.public_parts import for_each_part
from probe.gates.public_path import public_path
from probe.gates.routes import route
from probe.model import GateName

Gate = Callable[[View, Flow], Opinion | None]

# Forth, then back. Groups are stateful: the answer of an admitted packet needs no rule.
PACKET_GATES: tuple[tuple[GateName, Gate], ...] = (
    (GateName.ENDPOINT_INTERFACE, has_interface),
    (GateName.ENDPOINT_ZONE, zone),
    (GateName.SECURITY_GROUP_EGRESS, security_groups.egress),
    (GateName.NACL_EGRESS, network_acls.egress),
    (GateName.ROUTE, for_each_part(route)),
    # Before NAT and public addresses: it stops the gateway.
    (GateName.BLOCK_PUBLIC_ACCESS, for_each_part(block_public_access)),
    (GateName.PUBLIC_PATH, for_each_part(public_path)),
    (GateName.NETWORK_FIREWALL, for_each_part(network_firewall)),
    (GateName.NACL_INGRESS, network_acls.ingress),
    (GateName.SECURITY_GROUP_INGRESS, security_groups.ingress),
    (GateName.NACL_RETURN_EGRESS, network_acls.return_egress),
    (GateName.NACL_RETURN_INGRESS, network_acls.return_ingress),
)


def packet_opinions(view: View, flow: Flow) -> Iterator[Opinion]:
    """The answers of the gates up to the first that refuses."""
    return opinions((name, partial(gate, view, flow)) for name, gate in PACKET_GATES)

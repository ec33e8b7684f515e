"""The gates of a connection, in the order in which its packets meet them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from probe.configuration.view import View
from probe.gates import security_groups
from probe.gates.flow import Flow
from probe.gates.opinion import Opinion, opinions
from probe.model import GateName

Gate = Callable[[View, Flow], Opinion | None]

# Forth, then back. Groups are stateful: the answer of an admitted packet needs no rule.
PACKET_GATES: tuple[tuple[GateName, Gate], ...] = (
    (GateName.SECURITY_GROUP_EGRESS, security_groups.egress),
    (GateName.SECURITY_GROUP_INGRESS, security_groups.ingress),
)


def packet_opinions(view: View, flow: Flow) -> Iterator[Opinion]:
    """The answers of the gates up to the first that refuses."""
    return opinions((name, partial(gate, view, flow)) for name, gate in PACKET_GATES)

"""A packet's way: where it starts, where it goes."""

from __future__ import annotations

from probe.records import Record


class Origin(Record, frozen=True, kw_only=True):
    """Whence ECS pulls: an interface in a subnet, of a task that runs or of one that would.

    `addresses` are the interface's where it exists, else empty: a task could get any address of the subnet.
    """

    subnet: str
    vpc: str
    zone: str | None = None
    ranges: tuple[str, ...] = ()  # the subnet's
    groups: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    interface: str | None = None
    public_address: bool | None = None  # whether the interface has, or would get, a public IPv4 address
    owner: str | None = None  # the account of the subnet, where it is shared


class Flow(Record, frozen=True, kw_only=True):
    """A connection to port 443 of one address.

    `interface` is the endpoint's network interface that has the address, with its subnet and groups; None for a public
    address, and for one without an interface.
    """

    origin: Origin
    endpoint: str
    address: str
    interface: str | None = None
    target_subnet: str | None = None
    target_groups: tuple[str, ...] = ()
    target_vpc: str | None = None
    service: str | None = None  # the endpoint service's name where the address belongs to a gateway endpoint's list

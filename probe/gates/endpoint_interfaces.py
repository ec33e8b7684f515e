"""The network interface behind an address: whether one has it, whether it is in use, and in which zone it is."""

from __future__ import annotations

from typing import Any

from probe.addresses import classify
from probe.configuration.document import Obstacle
from probe.configuration.operations import INTERFACES, VPCS
from probe.configuration.view import MissingError, View
from probe.gates.flow import Flow, Origin
from probe.gates.opinion import Opinion, allows, refuses
from probe.model import AddressClass, GateName


def interface_at(view: View, origin: Origin, address: str) -> dict[str, Any] | None:
    """The network interface with this address, in the VPC of `origin` if it is an address of that VPC.

    None: no interface that this account can see has it. Raises MissingError.
    """
    name = "ipv6-addresses.ipv6-address" if ":" in address else "addresses.private-ip-address"
    found = view.items(INTERFACES, Filters=[{"Name": name, "Values": [address]}])
    if classify(address, ranges_of(view, origin.vpc)) is AddressClass.VPC:
        found = tuple(item for item in found if item.get("VpcId") == origin.vpc)
    return found[0] if len(found) == 1 else None


def ranges_of(view: View, vpc: str) -> tuple[str, ...]:
    """The ranges of a VPC, of both address families. Raises MissingError."""
    item = view.item(VPCS, vpc)
    if item is None:
        raise MissingError(VPCS, Obstacle.NOT_FOUND)
    ipv4 = [entry["CidrBlock"] for entry in item.get("CidrBlockAssociationSet", ()) if _is_associated(entry, "")]
    ipv6 = [
        entry["Ipv6CidrBlock"] for entry in item.get("Ipv6CidrBlockAssociationSet", ()) if _is_associated(entry, "Ipv6")
    ]
    return tuple(dict.fromkeys((*ipv4, *ipv6)))


def _is_associated(entry: dict[str, Any], family: str) -> bool:
    """Whether a range is in force: those that failed or were taken away stay in the list for a while."""
    return (entry.get(f"{family}CidrBlockState") or {}).get("State") in (None, "associated", "associating")


def has_interface(view: View, flow: Flow) -> Opinion | None:
    """Whether a network interface has the address, and is in use."""
    if flow.public:
        return None
    if flow.interface is None:
        return _nobody(view, flow)
    interface = view.item(INTERFACES, flow.interface)
    if interface is None:
        raise MissingError(INTERFACES, Obstacle.NOT_FOUND)  # of another account, in a shared subnet
    state = interface.get("Status")
    if state not in (None, "in-use"):
        return refuses(
            GateName.ENDPOINT_INTERFACE,
            f"{flow.interface}, which has {flow.address}, is {state}: nothing uses it",
            cause="dns.stale-record",
            identity=flow.interface,
            element=state,
        )
    sentence = f"{flow.interface} has {flow.address}"
    return allows(GateName.ENDPOINT_INTERFACE, sentence, flow.interface, flow.address)


def _nobody(view: View, flow: Flow) -> Opinion:
    """An address of the VPC that no interface has. One outside it can be of another account."""
    if interface_at(view, flow.origin, flow.address) is not None:
        raise MissingError(INTERFACES)
    inside = classify(flow.address, ranges_of(view, flow.origin.vpc)) is AddressClass.VPC
    if not inside or flow.origin.owner not in (None, view.configuration.account):
        raise MissingError(INTERFACES, Obstacle.NOT_FOUND)
    return refuses(
        GateName.ENDPOINT_INTERFACE,
        f"no network interface in {flow.origin.vpc} has {flow.address}",
        cause="dns.stale-record",
        identity=flow.origin.vpc,
        element=flow.address,
    )


def zone(_: View, flow: Flow) -> Opinion | None:
    """In which zone the interface is. Connections cross zones, so another one stops nothing: AWS[endpoint-zones]."""
    if flow.interface is None or flow.target_zone is None or flow.origin.zone is None:
        return None
    same = flow.target_zone == flow.origin.zone
    where = "in the task's zone" if same else f"in {flow.target_zone}, the task in {flow.origin.zone}"
    return allows(GateName.ENDPOINT_ZONE, f"{flow.interface} is {where}", flow.interface, flow.target_zone)

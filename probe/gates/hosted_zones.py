"""Private hosted zones: which one owns a name in a VPC, and which record in it answers.

The most specific zone answers alone: AWS[resolver-rule-precedence]. A zone without a matching record hides the public
name: AWS[zone-without-record]. An own wildcard answers only where nothing nearer exists (RFC 4592).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from probe.configuration.operations import RECORDS, ZONE, ZONES, ZONES_OF_VPC
from probe.configuration.view import MissingError, View
from probe.gates import profiles
from probe.gates.dns_names import is_within, labels, parents, plain
from probe.records import Record

_PREFIX = "/hostedzone/"


class Zone(Record, frozen=True, kw_only=True):
    """A private zone. `owner` is the account, or the service of AWS, that owns it; None where that is not known."""

    identity: str
    name: str
    owner: str | None = None
    direct: bool = True  # associated with the VPC itself, not by a Profile
    order: int = 0


class Answer(Record, frozen=True):
    """What the records at `record` answer: addresses, or names that they lead to. Neither: nothing for these types.

    `chosen`: Route 53 answers with one of several records, by weight, health or place. AWS[routing-policies]
    """

    record: str
    addresses: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    chosen: bool = False


def owning_zone(zones: Iterable[Zone], name: str) -> Zone | None:
    """The most specific zone for a name; of two with one name, the VPC's own: AWS[profile-priority]."""
    fitting = [zone for zone in zones if is_within(name, zone.name)]
    return max(fitting, key=lambda zone: (labels(zone.name), zone.direct, -zone.order), default=None)


def own_zones(view: View, vpc: str) -> tuple[Zone, ...]:
    """The zones that are associated with the VPC itself. Raises MissingError."""
    summaries = view.items(ZONES_OF_VPC, VPCId=vpc, VPCRegion=view.configuration.region)
    return tuple(
        Zone(identity=item["HostedZoneId"], name=plain(item["Name"]), owner=_owner(item.get("Owner", {})))
        for item in summaries
    )


def profile_zones(view: View, vpc: str) -> tuple[Zone, ...]:
    """The zones that the VPC has by its Profiles. Raises MissingError where a zone's name cannot be read."""
    found = profiles.resources(view, vpc, "hostedzone")
    if not found:
        return ()
    names = account_zones(view)
    zones, missing = [], None
    for resource in found:
        if resource.identity in names:
            name = names[resource.identity]
        else:
            try:
                name = plain(view.reply(ZONE, Id=resource.identity)["HostedZone"]["Name"])
            except MissingError as error:
                missing = error
                continue
        zones.append(Zone(identity=resource.identity, name=name, direct=False, order=resource.order))
    if missing is not None:
        raise missing
    return tuple(zones)


def account_zones(view: View) -> dict[str, str]:
    """The names of all private zones of the account, by id. Raises MissingError."""
    items = view.items(ZONES, HostedZoneType="PrivateHostedZone")
    return {item["Id"].removeprefix(_PREFIX): plain(item["Name"]) for item in items}


def vpcs_of(view: View, zone: str) -> tuple[str, ...]:
    """The VPCs with which a zone is associated. Raises MissingError."""
    return tuple(item["VPCId"] for item in view.reply(ZONE, Id=zone).get("VPCs", ()))


def records_of(view: View, zone: Zone) -> tuple[dict[str, Any], ...]:
    """Every record set of a zone but those that each zone has. Raises MissingError."""
    return tuple(
        item
        for item in view.items(RECORDS, HostedZoneId=zone.identity)
        if item["Type"] not in ("NS", "SOA") or plain(item["Name"]) != zone.name
    )


def answer(view: View, zone: Zone, name: str, types: tuple[str, ...]) -> Answer | None:
    """What the zone answers for a name; None where it has no record for it. Raises MissingError."""
    records = view.items(RECORDS, HostedZoneId=zone.identity)
    return _answer([(plain(item["Name"]), item) for item in records], zone.name, name, types)


def _answer(records: list[tuple[str, dict[str, Any]]], zone: str, name: str, types: tuple[str, ...]) -> Answer | None:
    owner = _matching_name({other for other, _ in records}, zone, name)
    if owner is None:
        return None
    own = [item for other, item in records if other == owner]
    answering = [item for item in own if item["Type"] in (*types, "CNAME")]
    chosen = any(item.get("SetIdentifier") and not item.get("MultiValueAnswer") for item in answering)
    addresses, targets = dict.fromkeys(_addresses(own, types)), dict.fromkeys(_targets(own, types))
    return Answer(owner, tuple(addresses), tuple(targets), chosen and len(addresses) + len(targets) > 1)


def _matching_name(names: set[str], zone: str, name: str) -> str | None:
    """The name of the records that answer: the name itself, else the wildcard below its nearest existing parent."""
    if name in names:
        return name
    for parent in parents(name):
        if not is_within(parent, zone):
            return None
        if f"*.{parent}" in names:
            return f"*.{parent}"
        if any(is_within(other, parent) for other in names):
            return None
    return None


def _addresses(records: Iterable[dict[str, Any]], types: tuple[str, ...]) -> Iterator[str]:
    for item in records:
        if item["Type"] in types:
            for value in item.get("ResourceRecords", ()):
                yield value["Value"]


def _targets(records: Iterable[dict[str, Any]], types: tuple[str, ...]) -> Iterator[str]:
    for item in records:
        if item["Type"] in types and item.get("AliasTarget"):
            yield plain(item["AliasTarget"]["DNSName"])
        elif item["Type"] == "CNAME":
            for value in item.get("ResourceRecords", ()):
                yield plain(value["Value"])


def _owner(owner: dict[str, Any]) -> str | None:
    return owner.get("OwningAccount") or owner.get("OwningService")

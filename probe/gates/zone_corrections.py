"""What mends a private zone that answers wrongly for a name: a record of its own, or the VPC without the zone."""

from __future__ import annotations

import json

from probe.configuration.view import MissingError, View
from probe.gates import vpc_endpoints
from probe.gates.changes import Change
from probe.gates.dns_changes import AddRecord, DeleteZone, DisassociateZone
from probe.gates.dns_names import is_within, plain
from probe.gates.hosted_zones import Zone, records_of, vpcs_of
from probe.gates.lookup import Lookup
from probe.gates.vpc_endpoints import Item

_ADDRESSES = ("A", "AAAA")


def correction(
    view: View, lookup: Lookup, zone: Zone, endpoints: tuple[Item, ...], record: str | None = None
) -> Change | None:
    """An alias to the service's endpoint in this VPC, in place of `record`, the name of the records that answer now.

    Without an endpoint, the zone is taken away if it has no other use: an endpoint with private DNS, or the public
    name, can answer then.
    """
    own = vpc_endpoints.of_service(endpoints, lookup)
    entry = _regional_entry(own[0]) if own and vpc_endpoints.carries(own[0]) else None
    try:
        records = records_of(view, zone)
    except MissingError:
        return None
    if entry is None:
        return removal(view, lookup, zone) if all(_is_about(item, lookup) for item in records) else None
    name = lookup.name if record == lookup.name else _usual_name(lookup, zone)
    replaced = [item for item in records if plain(item["Name"]) == name and _hinders_alias(item)]
    if not all(map(_is_whole, replaced)):
        return None
    return AddRecord(
        object=zone.identity,
        name=name,
        target=entry[0],
        target_zone=entry[1],
        types=lookup.records,
        replaced=tuple(map(json.dumps, replaced)),
    )


def removal(view: View, lookup: Lookup, zone: Zone) -> Change | None:
    """The VPC without the zone. One that no other VPC has is deleted, unless it has records for other names."""
    if not zone.direct:
        return None
    try:
        is_last = vpcs_of(view, zone.identity) == (lookup.vpc,)
        records = records_of(view, zone)
    except MissingError:
        is_last, records = False, ()
    if is_last and all(_is_about(item, lookup) and _is_whole(item) for item in records):
        written = tuple(map(json.dumps, records))
        return DeleteZone(object=zone.identity, vpc=lookup.vpc, name=zone.name, records=written)
    return DisassociateZone(object=zone.identity, vpc=lookup.vpc, name=zone.name, is_last=is_last)


def _usual_name(lookup: Lookup, zone: Zone) -> str:
    """The name of the record to add: of ecr.dkr a wildcard, for the registries of all accounts."""
    parent = lookup.name.partition(".")[2]
    wildcard = lookup.endpoint == "ecr.dkr" and lookup.name != zone.name and is_within(parent, zone.name)
    return f"*.{parent}" if wildcard else lookup.name


def _is_about(record: Item, lookup: Lookup) -> bool:
    """Whether a record is for this name, or for its siblings of the same service."""
    parent = lookup.name.partition(".")[2]
    of_service = () if parent.partition(".")[0] == lookup.region else (parent, f"*.{parent}")
    return plain(record["Name"]) in (lookup.name, *of_service)


def _hinders_alias(record: Item) -> bool:
    """Whether Route 53 refuses a plain alias of the same name next to this record set."""
    return record["Type"] == "CNAME" or (record["Type"] in _ADDRESSES and "SetIdentifier" in record)


def _is_whole(record: Item) -> bool:
    """Whether everything is known that the deletion of a record set has to repeat."""
    return "AliasTarget" in record or {"TTL", "ResourceRecords"} <= set(record)


def _regional_entry(item: Item) -> tuple[str, str] | None:
    """The endpoint's own name, of all its zones, and the zone of Route 53 that has it."""
    for entry in item.get("DnsEntries", ()):
        found = vpc_endpoints.vpce_of(entry.get("DnsName", ""))
        if found is not None and found[1] is None and entry.get("HostedZoneId"):
            return entry["DnsName"], entry["HostedZoneId"]
    return None

"""A lookup: which name is resolved, by the resolver of which VPC, for which records."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

from probe.endpoints import service_name
from probe.gates.dns_names import plain
from probe.gates.flow import Origin
from probe.model import Endpoint, Kind
from probe.records import Record


class Lookup(Record, frozen=True, kw_only=True):
    """One name in one VPC. `service` is the endpoint service that the name should lead to, in `region`.

    `public_by_design`: nothing private has to answer, as for S3, which a gateway endpoint serves. `inbound`: the query
    arrives at an inbound endpoint of Route 53 Resolver in the VPC, at its address `server`. `visited` are the VPCs that
    the query has passed.
    """

    name: str
    vpc: str
    endpoint: str
    service: str
    region: str
    records: tuple[str, ...]
    mistaken: str | None = None
    public_by_design: bool = False
    inbound: bool = False
    server: str | None = None
    visited: tuple[str, ...] = ()


def lookup_of(origin: Origin, endpoint: Endpoint, partition: str) -> Lookup:
    """The lookup that the pull makes in the VPC of `origin`."""
    return Lookup(
        name=plain(endpoint.lookup),
        vpc=origin.vpc,
        endpoint=endpoint.name,
        service=service_name(endpoint.name, partition, endpoint.region),
        region=endpoint.region,
        records=records_of(origin),
        mistaken=plain(endpoint.mistaken) if endpoint.mistaken else None,
        public_by_design=endpoint.kind is Kind.GATEWAY,
        visited=(origin.vpc,),
    )


def records_of(origin: Origin) -> tuple[str, ...]:
    """The record types of the origin's own address families."""
    own = [ip_address(text).version for text in origin.addresses] or [
        ip_network(text, strict=False).version for text in origin.ranges
    ]
    families = tuple(record for version, record in ((4, "A"), (6, "AAAA")) if version in own)
    return families or ("A", "AAAA")

"""What a name resolves to inside the VPC, and which gate made it so.

In the order in which the VPC's resolver decides: DHCP options, the VPC's DNS attributes, DNS Firewall, resolver rules
(a rule beats a zone of the same name), hosted zones and an endpoint's private DNS, and then the public answer.
"""

from __future__ import annotations

from typing import Any

from probe.configuration.operations import ENDPOINTS, INTERFACES
from probe.configuration.view import View
from probe.endpoints import service_name
from probe.gates.flow import Origin
from probe.gates.opinion import Opinion, allows, refuses
from probe.model import Endpoint, Failure, GateName, Kind
from probe.records import Record


class Resolved(Record, frozen=True):
    """One address, and the network interface that has it."""

    address: str
    interface: str | None = None


class Resolution(Record, frozen=True, kw_only=True):
    """The answer that a lookup would get: addresses, `public` ones that are not known one by one, or a failure.

    `served_by` is the VPC endpoint that the name leads to. None of the three: it cannot be known.
    """

    opinions: tuple[Opinion, ...]
    addresses: tuple[Resolved, ...] = ()
    public: bool = False
    failure: Failure | None = None
    served_by: str | None = None


def resolve(view: View, origin: Origin, endpoint: Endpoint, partition: str) -> Resolution:
    """What `endpoint`'s name resolves to where `origin` is. Raises MissingError."""
    if endpoint.kind is Kind.GATEWAY:
        return Resolution(opinions=(), public=True)
    service = service_name(endpoint.name, partition, endpoint.region)
    found = _endpoint(view, origin, service)
    if found is None:
        refusal = refuses(
            GateName.ENDPOINT,
            f"{origin.vpc} has no endpoint for {service}",
            cause=f"endpoint.missing.{endpoint.name.replace('.', '-')}",
            identity=origin.vpc,
            element=service,
        )
        return Resolution(opinions=(refusal,), public=True)
    identity = found["VpcEndpointId"]
    exists = allows(GateName.ENDPOINT, f"{identity} serves {service}", identity)
    if not found.get("PrivateDnsEnabled"):
        refusal = refuses(
            GateName.PRIVATE_DNS,
            f"private DNS of {identity} is off",
            cause="dns.private-dns-disabled",
            identity=identity,
        )
        return Resolution(opinions=(exists, refusal), public=True, served_by=identity)
    private = allows(GateName.PRIVATE_DNS, f"private DNS of {identity} answers for {endpoint.host}", identity)
    interfaces = view.some(INTERFACES, found.get("NetworkInterfaceIds", ()))
    addresses = tuple(Resolved(item["PrivateIpAddress"], name) for name, item in interfaces.items() if item is not None)
    return Resolution(opinions=(exists, private), addresses=addresses, served_by=identity)


def _endpoint(view: View, origin: Origin, service: str) -> dict[str, Any] | None:
    endpoints = view.items(ENDPOINTS, Filters=[{"Name": "vpc-id", "Values": [origin.vpc]}])
    return next((item for item in endpoints if item.get("ServiceName") == service), None)

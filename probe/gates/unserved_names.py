"""Why nothing private answers for a name: what was meant to answer, or what is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from probe.configuration.operations import ENDPOINTS, INTERFACES, SUBNETS, VPCS
from probe.configuration.view import MissingError, View
from probe.gates import hosted_zones, resolver_rules, route_tables, vpc_endpoints
from probe.gates.changes import Change
from probe.gates.dns_changes import (
    AssociateRule,
    AssociateZone,
    CreateEndpoint,
    EnablePrivateDns,
    NewInterface,
    SetEndpointAddressType,
    free_address,
)
from probe.gates.dns_names import is_within, labels
from probe.gates.flow import Origin
from probe.gates.hosted_zones import Answer, Zone
from probe.gates.lookup import Lookup
from probe.gates.opinion import Opinion, depends, refuses
from probe.gates.route_tables import Hop
from probe.gates.vpc_endpoints import Item
from probe.gates.vpc_resolver import at_inbound_endpoint
from probe.model import GateAnswer, GateName
from probe.records import replace

# The cause that an endpoint is missing; of any other endpoint, `_OTHER_MISSING`.
_MISSING = {
    "ecr.api": "endpoint.missing.ecr-api",
    "ecr.dkr": "endpoint.missing.ecr-dkr",
    "secretsmanager": "endpoint.missing.secretsmanager",
    "ssm": "endpoint.missing.ssm",
    "s3": "endpoint.missing.s3",
    "logs": "logs.endpoint-missing",
    "ecs": "ecs.control-plane-endpoints-missing",
    "ecs-agent": "ecs.control-plane-endpoints-missing",
    "ecs-telemetry": "ecs.control-plane-endpoints-missing",
}
_OTHER_MISSING = "endpoint.missing.other"
_FIPS = "client.fips-hostname"
_OF_PULL = ("ecr.api", "ecr.dkr", "s3")
_TO_OTHER_VPCS = (Hop.PEERING, Hop.TRANSIT)
_AWS_ALONE = 2  # labels of "amazonaws.com", whose private zone is not meant for one service


def missing_cause(endpoint: str) -> str:
    """The cause that the interface endpoint does not exist."""
    return _MISSING.get(endpoint, _OTHER_MISSING)


def intended(
    view: View, origin: Origin, lookup: Lookup, own: Sequence[Item], is_private: Callable[[Lookup], bool]
) -> Opinion | None:
    """What was meant to answer: a zone with swapped labels, or a rule or zone that is not associated with this VPC.

    `own` are the service's endpoints in this VPC; `is_private` decides whether a name is private in another one.
    """
    try:
        return (
            _swapped_zone(view, lookup, own)
            or _unassociated_rule(view, lookup, own, is_private)
            or _unassociated_zone(view, origin, lookup, own)
        )
    except MissingError:
        return None  # these are read only to find a more precise cause


def _swapped_zone(view: View, lookup: Lookup, own: Sequence[Item]) -> Opinion | None:
    if lookup.mistaken is None:
        return None
    zone = hosted_zones.owning_zone(hosted_zones.own_zones(view, lookup.vpc), lookup.mistaken)
    if zone is None:
        return None
    off = [item for item in own if not item.get("PrivateDnsEnabled") and vpc_endpoints.carries(item)]
    return refuses(
        GateName.HOSTED_ZONE,
        f"zone {zone.identity} is named {zone.name}, with swapped labels, so it does not answer for {lookup.name}",
        cause="dns.hosted-zone-wrong-name",
        identity=zone.identity,
        element=zone.name,
        change=EnablePrivateDns(object=off[0]["VpcEndpointId"]) if off else None,
    )


def _unassociated_rule(
    view: View, lookup: Lookup, own: Sequence[Item], is_private: Callable[[Lookup], bool]
) -> Opinion | None:
    """A rule of the account that forwards the name to a hub where it is private."""
    rules = () if own else resolver_rules.account_rules(view)
    rule = resolver_rules.deciding_rule([rule for rule in rules if rule.forwards], lookup.name)
    hub = at_inbound_endpoint(view, rule.targets, lookup) if rule is not None else None
    if rule is None or hub is None or not is_private(hub):
        return None
    return refuses(
        GateName.RESOLVER_RULE,
        f"{rule.identity} would forward {rule.domain} to {hub.vpc}, where {lookup.name} is private, and is not "
        f"associated with {lookup.vpc}",
        cause="dns.resolver-rule",
        identity=rule.identity,
        element=lookup.vpc,
        change=AssociateRule(object=rule.identity, vpc=lookup.vpc, domain=rule.domain),
    )


def _unassociated_zone(view: View, origin: Origin, lookup: Lookup, own: Sequence[Item]) -> Opinion | None:
    """A zone of the account that leads to this VPC's endpoint, or to a central one that this VPC can reach."""
    zones = [Zone(identity=key, name=name) for key, name in hosted_zones.account_zones(view).items()]
    fitting = [zone for zone in zones if is_within(lookup.name, zone.name) and labels(zone.name) > _AWS_ALONE]
    for zone in sorted(fitting, key=lambda each: -labels(each.name)):
        answer = hosted_zones.answer(view, zone, lookup.name, lookup.records)
        if answer is not None and _is_meant_for(view, origin, lookup, zone, answer, own):
            return refuses(
                GateName.HOSTED_ZONE,
                f"zone {zone.identity} ({zone.name}) answers for {lookup.name}, and is not associated with "
                f"{lookup.vpc}",
                cause="dns.hosted-zone-not-associated",
                identity=zone.identity,
                element=lookup.vpc,
                change=AssociateZone(object=zone.identity, vpc=lookup.vpc, name=zone.name),
            )
    return None


def _is_meant_for(view: View, origin: Origin, lookup: Lookup, zone: Zone, answer: Answer, own: Sequence[Item]) -> bool:
    targets = [found[0] for target in answer.targets if (found := vpc_endpoints.vpce_of(target))]
    if own:
        interfaces = {each for item in own for each in item.get("NetworkInterfaceIds", ())}
        resolved = vpc_endpoints.interfaces_at(view, answer.addresses, lookup.vpc)
        return any(item["VpcEndpointId"] in targets for item in own) or any(
            each.interface in interfaces for each in resolved
        )
    central = [item for item in view.some(ENDPOINTS, targets).values() if item is not None]
    homes = {item.get("VpcId") for item in central}
    if central and not set(hosted_zones.vpcs_of(view, zone.identity)) <= homes:
        return True  # other VPCs share it
    addresses = [*answer.addresses, *(address for item in central for address in _addresses(view, item))]
    return any(_leads_to_another_vpc(view, origin, address) for address in addresses)


def _addresses(view: View, item: Item) -> Iterator[str]:
    for interface in view.some(INTERFACES, item.get("NetworkInterfaceIds", ())).values():
        yield from vpc_endpoints.own_addresses(interface or {})


def _leads_to_another_vpc(view: View, origin: Origin, address: str) -> bool:
    """Whether the subnet has a route to the address over a peering connection or a transit gateway."""
    way = route_tables.way(view, route_tables.table_of(view, origin.subnet, origin.vpc), address)
    return way is not None and way.hop in _TO_OTHER_VPCS and not way.blackhole


# ---- the endpoint itself --------------------------------------------------------------------------------------------


def without_endpoint(view: View, origin: Origin, lookup: Lookup, endpoints: Sequence[Item]) -> Opinion:
    """There is no endpoint of the service in the VPC; of a VPC of another account, that cannot be known."""
    gate = GateName.ENDPOINT
    owner = other_owner(view, origin, lookup)
    if owner is not None:
        what = f"an endpoint for {lookup.service} in {lookup.vpc} is"
        opinion = not_visible(view, gate, what, owner, f"ec2:DescribeVpcEndpoints in {owner}")
        return replace(opinion, object=lookup.vpc, element=lookup.service)
    abroad = lookup.region != view.configuration.region
    is_pull_abroad = abroad and lookup.endpoint in _OF_PULL
    others = [item for item in endpoints if _service(item) == _last_labels(lookup.service) and not abroad]
    but = f"; {others[0]['VpcEndpointId']} serves {others[0].get('ServiceName')}" if others else ""
    return refuses(
        gate,
        f"{lookup.vpc} has no endpoint for {lookup.service}{but}",
        cause="region.cross-region" if is_pull_abroad else missing_cause(lookup.endpoint),
        identity=lookup.vpc,
        element=lookup.service,
        change=_creation(view, origin, lookup, endpoints),
    )


def in_unlisted_region(lookup: Lookup) -> Opinion:
    """The Region of the name is in no list: a new Region may have an endpoint, a misspelled one has none."""
    sentence = f"{lookup.region} is not among the Regions that are known here: {lookup.name} may not exist"
    return depends(GateName.ENDPOINT, sentence, lookup.vpc, lookup.region)


def without_private_dns(lookup: Lookup, item: Item) -> Opinion:
    """Why the private DNS of an endpoint that is available does not answer."""
    gate, identity = GateName.PRIVATE_DNS, item["VpcEndpointId"]
    if not item.get("PrivateDnsEnabled"):
        return refuses(
            gate,
            f"private DNS of {identity} is off",
            cause="dns.private-dns-disabled",
            identity=identity,
            element="PrivateDnsEnabled false",
            change=EnablePrivateDns(object=identity),
        )
    legacy = "client.legacy-hostname" if lookup.endpoint == "ecr-legacy" else _FIPS if _is_fips(lookup) else None
    return refuses(
        gate,
        f"private DNS of {identity} does not cover {lookup.name}",
        cause=legacy or "region.ipv6-unsupported-endpoint",
        identity=identity,
        element=lookup.name,
        change=None if legacy else SetEndpointAddressType(object=identity),
    )


def _is_fips(lookup: Lookup) -> bool:
    """Whether the name is a FIPS host's, which has an endpoint of its own. AWS[ecr-fips-endpoints]"""
    return "ecr-fips." in lookup.name


def without_family(lookup: Lookup, item: Item) -> Opinion:
    """The endpoint has no address of a family that the subnet has."""
    identity = item["VpcEndpointId"]
    kind = (item.get("DnsOptions") or {}).get("DnsRecordIpType") or item.get("IpAddressType")
    families = " and ".join({"A": "IPv4", "AAAA": "IPv6"}[record] for record in lookup.records)
    return refuses(
        GateName.ENDPOINT,
        f"{identity} has only {kind} records, and the subnet has only {families}",
        cause="region.ipv6-unsupported-endpoint" if lookup.records == ("AAAA",) else "tcp.no-route",
        identity=identity,
        element=f"DnsRecordIpType {kind}",
        change=SetEndpointAddressType(object=identity),
    )


def other_owner(view: View, origin: Origin, lookup: Lookup) -> str | None:
    """The account that shares the VPC of the lookup with the caller's; None where the VPC is the caller's own."""
    account, owner = view.configuration.account, None
    try:
        owner = origin.owner if lookup.vpc == origin.vpc else None
        owner = owner or (view.item(VPCS, lookup.vpc) or {}).get("OwnerId")
    except MissingError:
        return None
    return owner if owner and account and owner != account else None


def not_visible(view: View, gate: GateName, what: str, owner: str, missing: str) -> Opinion:
    """What only the account that owns a shared VPC can list."""
    sentence = f"{what} not visible from account {view.configuration.account}; ask {owner}, which owns the VPC"
    return Opinion(gate=gate, answer=GateAnswer.UNKNOWN, sentence=sentence, missing=missing)


def _creation(view: View, origin: Origin, lookup: Lookup, endpoints: Sequence[Item]) -> Change | None:
    """A new endpoint next to those that exist, with their subnets and groups; else in one subnet of each zone.

    It is the same for every subnet of the VPC: a second endpoint of the service would conflict with it.
    """
    here = [item for item in endpoints if item.get("VpcId") == lookup.vpc and item.get("SubnetIds")]
    groups = [group["GroupId"] for group in here[0].get("Groups", ())] if here else list(origin.groups)
    try:
        subnets = view.some(SUBNETS, here[0]["SubnetIds"]) if here else _one_of_each_zone(view, lookup.vpc)
    except MissingError:
        return None
    interfaces = tuple(_interfaces(subnets))
    if not interfaces or not groups:
        return None
    region = view.configuration.region
    return CreateEndpoint(
        object=lookup.vpc,
        service=lookup.service,
        groups=tuple(groups),
        interfaces=interfaces,
        service_region=lookup.region if lookup.region != region else None,
    )


def _one_of_each_zone(view: View, vpc: str) -> dict[str, dict[str, Any] | None]:
    """The first subnet of each zone. Raises MissingError."""
    items = sorted(
        view.items(SUBNETS, Filters=[{"Name": "vpc-id", "Values": [vpc]}]), key=lambda item: item["SubnetId"]
    )
    firsts = {item.get("AvailabilityZone"): item for item in reversed(items)}
    return {item["SubnetId"]: item for item in sorted(firsts.values(), key=lambda item: item["SubnetId"])}


def _interfaces(subnets: dict[str, dict[str, Any] | None]) -> Iterator[NewInterface]:
    for identity, subnet in subnets.items():
        address = free_address(subnet or {})
        if address is not None:
            yield NewInterface(identity, (subnet or {}).get("AvailabilityZone"), address)


def _service(item: Item) -> str:
    return _last_labels(item.get("ServiceName") or "")


def _last_labels(service: str) -> str:
    """The service without prefix and Region: "ecr.api" of "com.amazonaws.us-east-1.ecr.api"."""
    parts = service.split(".")
    regions = [place for place, part in enumerate(parts) if part[-1:].isdigit() and part.count("-") >= 2]
    return ".".join(parts[regions[-1] + 1 :]) if regions else service

"""The endpoints in a second VPC, over a peering connection or a transit gateway, and what is mutated on that way."""

from __future__ import annotations

from tests.lab.cloud import ACCOUNT, COMPANY_FORWARDS, COMPANY_PUBLIC, HOSTS, MIDDLEBOX, REGION
from tests.lab.configurations.vpc import (
    ENDPOINT_GROUP,
    ENDPOINTS,
    MAIN_TABLE,
    NAT_SUBNET,
    NOTHING,
    SUBNETS,
    TASK_GROUP,
    TASK_SUBNET,
    VPC,
    Confirmed,
    Generated,
    Item,
    Mutate,
    acl_entry,
    add_zone,
    confirms,
    healthy,
    network_acl,
    network_interface,
    permission,
    route_table,
    security_group,
    subnet_item,
)

HUB = "vpc-0b000000"
OWN_RANGE, HUB_RANGES = "10.0.0.0/21", ("10.0.8.0/21", "10.0.16.0/20")  # with one endpoint subnet in each
HUB_TABLE, HUB_ACL, TRANSIT_ACL, INBOUND_SUBNET = "rtb-0e000000", "acl-0e000000", "acl-0f000000", "subnet-0b000009"
PEERING, TRANSIT = "pcx-0a000000", "tgw-0a000000"
ATTACHMENT, HUB_ATTACHMENT = "tgw-attach-0a000000", "tgw-attach-0b000000"
TRANSIT_TABLE, HUB_TRANSIT_TABLE = "tgw-rtb-0a000000", "tgw-rtb-0b000000"
RULE, INBOUND_GROUP = "rslvr-rr-0a000000", "sg-0b000009"


# ---- the healthy hub -------------------------------------------------------------------------------------------------


def _move(made: Generated, target: str) -> None:
    """The endpoints and their subnets become a hub's, and the task's VPC is routed to it over `target`."""
    made.account = healthy()
    vpc = made.objects("Vpcs")[0]
    vpc |= {"CidrBlock": OWN_RANGE, "CidrBlockAssociationSet": [{"CidrBlock": OWN_RANGE}]}
    ranges = [{"CidrBlock": cidr} for cidr in HUB_RANGES]
    hub = {**vpc, "VpcId": HUB, "CidrBlock": HUB_RANGES[0], "CidrBlockAssociationSet": ranges}
    made.objects("Vpcs").append(hub)
    made.object(NAT_SUBNET)["CidrBlock"] = "10.0.7.0/24"
    made.objects("Subnets").append({**subnet_item(INBOUND_SUBNET, "10.0.9.0/24", "a"), "VpcId": HUB})
    endpoints = [item for item in made.objects("VpcEndpoints") if item["VpcEndpointType"] == "Interface"]
    interfaces = [item for item in made.objects("NetworkInterfaces") if item["InterfaceType"] == "vpc_endpoint"]
    subnets = [made.object(identity) for identity in SUBNETS.values()]
    for item in (*endpoints, *interfaces, *subnets, made.object(ENDPOINT_GROUP)):
        item["VpcId"] = HUB
    _route(made, target)
    acl = network_acl(HUB_ACL, *SUBNETS.values(), INBOUND_SUBNET, entries=_everything())
    made.objects("NetworkAcls").append({**acl, "VpcId": HUB})


def _everything() -> list[Item]:
    return [acl_entry(100, egress, "-1", "0.0.0.0/0") for egress in (True, False)]


def _route(made: Generated, target: str) -> None:
    member = "VpcPeeringConnectionId" if target == PEERING else "TransitGatewayId"
    table, hub = made.object(MAIN_TABLE), {**route_table(HUB_TABLE), "VpcId": HUB}
    own = [{"DestinationCidrBlock": cidr, "GatewayId": "local", "State": "active"} for cidr in HUB_RANGES]
    table["Routes"][0]["DestinationCidrBlock"] = OWN_RANGE
    table["Routes"] += [{"DestinationCidrBlock": cidr, member: target, "State": "active"} for cidr in HUB_RANGES]
    hub["Routes"] = [*own, {"DestinationCidrBlock": OWN_RANGE, member: target, "State": "active"}]
    made.objects("RouteTables").append(hub)
    if target == PEERING:
        sides = {"RequesterVpcInfo": {"VpcId": VPC}, "AccepterVpcInfo": {"VpcId": HUB}}
        peering = {"VpcPeeringConnectionId": PEERING, "Status": {"Code": "active"}, **sides}
        made.objects("VpcPeeringConnections").append(peering)
    else:
        _attach(made)


def _attach(made: Generated) -> None:
    for vpc, attachment, own, subnets, beyond in (
        (VPC, ATTACHMENT, TRANSIT_TABLE, [TASK_SUBNET], (HUB, HUB_RANGES)),
        (HUB, HUB_ATTACHMENT, HUB_TRANSIT_TABLE, [*SUBNETS.values()], (VPC, (OWN_RANGE,))),
    ):
        identity = {"TransitGatewayAttachmentId": attachment, "TransitGatewayId": TRANSIT, "State": "available"}
        association = {"TransitGatewayRouteTableId": own, "State": "associated"}
        made.objects("TransitGatewayAttachments").append(
            {**identity, "ResourceType": "vpc", "ResourceId": vpc, "Association": association}
        )
        made.objects("TransitGatewayVpcAttachments").append({**identity, "VpcId": vpc, "SubnetIds": subnets})
        for cidr in beyond[1]:
            made.objects("Routes").append(
                {
                    "DestinationCidrBlock": cidr,
                    "TransitGatewayAttachments": [{"ResourceId": beyond[0], "ResourceType": "vpc"}],
                    "State": "active",
                    "_TransitGatewayRouteTableId": own,
                }
            )


def _by_zones(made: Generated) -> None:
    """Zones of the endpoints' names, associated with both VPCs, instead of private DNS."""
    for number, (name, host) in enumerate(HOSTS.items()):
        endpoint = made.object(ENDPOINTS[name])
        endpoint["PrivateDnsEnabled"] = False
        own, zone = endpoint["DnsEntries"][0]["DnsName"], host.removeprefix(f"{ACCOUNT}.")
        alias = {"HostedZoneId": "Z7HUB22UULQXV", "DNSName": f"{own}.", "EvaluateTargetHealth": False}
        record = f"\\052.{zone}." if name == "ecr.dkr" else f"{host}."
        add_zone(made, f"Z{number}", zone, {"Name": record, "Type": "A", "AliasTarget": alias})
        _associate(made, f"Z{number}", VPC, HUB)


def _associate(made: Generated, zone: str, *vpcs: str) -> None:
    summaries = made.objects("HostedZoneSummaries", "route53")
    next(item for item in summaries if item["HostedZoneId"] == zone)["_VPCId"] = list(vpcs)
    made.account.replies[f"route53:GetHostedZone {zone}"]["VPCs"] = [{"VPCId": vpc} for vpc in vpcs]


def _by_rule(made: Generated, target: str) -> None:
    """Private DNS in the hub, and a rule that forwards AWS's names of the Region to a server."""
    domain = f"{REGION}.amazonaws.com."
    rule = {"Id": RULE, "DomainName": domain, "RuleType": "FORWARD", "Status": "COMPLETE"}
    made.objects("ResolverRules", "route53resolver").append({**rule, "TargetIps": [{"Ip": target, "Port": 53}]})
    association = {"Id": "rslvr-rrassoc-0a000000", "ResolverRuleId": RULE, "VPCId": VPC, "Status": "COMPLETE"}
    made.objects("ResolverRuleAssociations", "route53resolver").append(association)


def _inbound_endpoint(made: Generated) -> None:
    """An inbound endpoint of Resolver in the hub."""
    endpoint = {"Id": "rslvr-in-0b000000", "Direction": "INBOUND", "HostVPCId": HUB, "Status": "OPERATIONAL"}
    made.objects("ResolverEndpoints", "route53resolver").append(endpoint)
    address = {"IpId": "rni-0b000000", "SubnetId": INBOUND_SUBNET, "Ip": MIDDLEBOX, "Status": "ATTACHED"}
    made.objects("IpAddresses", "route53resolver").append({**address, "_ResolverEndpointId": endpoint["Id"]})
    interface = network_interface("eni-0b000009", INBOUND_SUBNET, MIDDLEBOX, INBOUND_GROUP, "interface")
    made.objects("NetworkInterfaces").append({**interface, "VpcId": HUB})
    rules = [permission(protocol, (53, 53), cidr=OWN_RANGE) for protocol in ("udp", "tcp")]
    made.objects("SecurityGroups").append({**security_group(INBOUND_GROUP, rules, []), "VpcId": HUB})


def _zoned(target: str = PEERING) -> Mutate:
    def make(made: Generated) -> Confirmed:
        _move(made, target)
        _by_zones(made)
        return NOTHING

    return make


# ---- mutations -------------------------------------------------------------------------------------------------------


def _without_route(made: Generated) -> Confirmed:
    _zoned()(made)
    del made.object(MAIN_TABLE)["Routes"][2:]
    return confirms("tcp.no-route", MAIN_TABLE)


def _without_route_of_a_zone(made: Generated) -> Confirmed:
    """The hub's secondary range was forgotten, with the endpoints of one zone in it."""
    _zoned()(made)
    made.object(MAIN_TABLE)["Routes"].pop()
    return confirms("tcp.no-route", MAIN_TABLE)


def _without_way_back(made: Generated) -> Confirmed:
    _zoned()(made)
    made.object(HUB_TABLE)["Routes"].pop()
    return confirms("tcp.no-route", HUB_TABLE)


def _to_another_vpc(made: Generated) -> Confirmed:
    """A narrower route leads over the peering with a third VPC."""
    _zoned()(made)
    other = "pcx-0c000000"
    narrow = {"DestinationCidrBlock": "10.0.10.0/23", "VpcPeeringConnectionId": other, "State": "active"}
    made.object(MAIN_TABLE)["Routes"].append(narrow)
    sides = {"RequesterVpcInfo": {"VpcId": VPC}, "AccepterVpcInfo": {"VpcId": "vpc-0c000000"}}
    made.objects("VpcPeeringConnections").append(
        {"VpcPeeringConnectionId": other, "Status": {"Code": "active"}, **sides}
    )
    return confirms("tcp.no-route", other)


def _acl_of_hub(made: Generated) -> Confirmed:
    _zoned()(made)
    made.object(HUB_ACL)["Entries"].append(acl_entry(90, False, "6", OWN_RANGE, (443, 443), allow=False))
    return confirms("tcp.nacl", HUB_ACL)


def _by_group(status: str, target: str = PEERING) -> Mutate:
    """The endpoints' group admits the task's group, which is in the other VPC."""

    def make(made: Generated) -> Confirmed:
        _zoned(target)(made)
        rule = permission(group=TASK_GROUP)
        if target == PEERING:
            rule["UserIdGroupPairs"][0] |= {"PeeringStatus": status, "VpcPeeringConnectionId": PEERING, "VpcId": VPC}
        made.object(ENDPOINT_GROUP)["IpPermissions"] = [rule]
        return confirms("tcp.security-group", ENDPOINT_GROUP) if status == "deleted" else NOTHING

    return make


def _without_transit_route(table: str) -> Mutate:
    def make(made: Generated) -> Confirmed:
        _zoned(TRANSIT)(made)
        routes = made.objects("Routes")
        routes[:] = [route for route in routes if route["_TransitGatewayRouteTableId"] != table]
        return confirms("tcp.no-route", table)

    return make


def _transit_blackhole(made: Generated) -> Confirmed:
    """A narrower route of the transit gateway drops what goes to the endpoints of one zone."""
    _zoned(TRANSIT)(made)
    narrow = {"DestinationCidrBlock": "10.0.20.0/24", "TransitGatewayAttachments": [], "State": "blackhole"}
    made.objects("Routes").append({**narrow, "_TransitGatewayRouteTableId": TRANSIT_TABLE})
    for route in made.object(MAIN_TABLE)["Routes"][3:]:
        route["DestinationCidrBlock"] = "10.0.20.0/24"
    return confirms("tcp.no-route", TRANSIT_TABLE)


def _attached_in(attachment: str, *subnets: str) -> Mutate:
    """An attachment has subnets in these zones only."""

    def make(made: Generated) -> Confirmed:
        _zoned(TRANSIT)(made)
        made.objects("Subnets").append(subnet_item("subnet-0a000002", "10.0.6.0/24", "b"))
        items = made.objects("TransitGatewayVpcAttachments")
        next(item for item in items if item["TransitGatewayAttachmentId"] == attachment)["SubnetIds"] = list(subnets)
        return confirms("tcp.no-route", attachment)

    return make


def _attachment_acl(egress: bool, *, refuses: bool) -> Mutate:
    """The attachment of the task's VPC has a subnet of its own, whose ACL denies HTTPS in one direction."""

    def make(made: Generated) -> Confirmed:
        _zoned(TRANSIT)(made)
        made.objects("Subnets").append(subnet_item("subnet-0a000003", "10.0.6.0/28", "a"))
        made.objects("TransitGatewayVpcAttachments")[0]["SubnetIds"] = ["subnet-0a000003"]
        denied = acl_entry(90, egress, "6", "0.0.0.0/0", (443, 443), allow=False)
        made.objects("NetworkAcls").append(
            network_acl(TRANSIT_ACL, "subnet-0a000003", entries=[denied, *_everything()])
        )
        return confirms("tcp.nacl", TRANSIT_ACL) if refuses else NOTHING

    return make


def _zone_of_hub_only(made: Generated) -> Confirmed:
    _zoned()(made)
    _associate(made, "Z0", HUB)
    return confirms("dns.hosted-zone-not-associated", "Z0")


def _forwarded(target: str) -> Mutate:
    def make(made: Generated) -> Confirmed:
        _move(made, PEERING)
        _inbound_endpoint(made)
        _by_rule(made, target)
        return NOTHING

    return make


def _forwarded_without_private_dns(made: Generated) -> Confirmed:
    """The hub's resolver answers for the endpoint's name as the internet does."""
    _forwarded(MIDDLEBOX)(made)
    made.object(ENDPOINTS["ecr.api"])["PrivateDnsEnabled"] = False
    return confirms("dns.private-dns-disabled", ENDPOINTS["ecr.api"])


def _forwarded_past_own_zones(made: Generated) -> Confirmed:
    """Zones of the task's own VPC are more specific than a rule for the names of the whole Region."""
    _zoned()(made)
    _by_rule(made, COMPANY_PUBLIC)
    return NOTHING


def _handed_out(server: str) -> Mutate:
    """DHCP options name this server."""

    def make(made: Generated) -> Confirmed:
        _move(made, PEERING)
        _inbound_endpoint(made)
        options = {"Key": "domain-name-servers", "Values": [{"Value": server}]}
        made.objects("DhcpOptions").append({"DhcpOptionsId": "dopt-0b000000", "DhcpConfigurations": [options]})
        made.objects("Vpcs")[0]["DhcpOptionsId"] = "dopt-0b000000"
        return NOTHING

    return make


def _handed_out_behind_tcp(made: Generated) -> Confirmed:
    """The task's group lets TCP out alone, so no query reaches the server."""
    _handed_out(MIDDLEBOX)(made)
    made.object(TASK_GROUP)["IpPermissionsEgress"] = [permission(cidr="0.0.0.0/0")]
    return confirms("dns.resolver-unreachable", TASK_GROUP)


def _handed_out_closed(made: Generated) -> Confirmed:
    """The group of the inbound endpoint admits TCP alone."""
    _handed_out(MIDDLEBOX)(made)
    del made.object(INBOUND_GROUP)["IpPermissions"][0]
    return confirms("dns.resolver-unreachable", INBOUND_GROUP)


MUTATIONS: dict[str, Mutate] = {
    "hub-over-peering": _zoned(),
    "hub-over-transit": _zoned(TRANSIT),
    "hub-without-route": _without_route,
    "hub-without-route-of-a-zone": _without_route_of_a_zone,
    "hub-without-way-back": _without_way_back,
    "hub-to-another-vpc": _to_another_vpc,
    "hub-acl": _acl_of_hub,
    "hub-group-over-peering": _by_group("active"),
    "hub-group-over-deleted-peering": _by_group("deleted"),
    "hub-group-over-transit": _by_group("", TRANSIT),
    "hub-without-transit-route": _without_transit_route(TRANSIT_TABLE),
    "hub-without-transit-route-back": _without_transit_route(HUB_TRANSIT_TABLE),
    "hub-transit-blackhole": _transit_blackhole,
    "hub-transit-in-another-zone": _attached_in(ATTACHMENT, "subnet-0a000002"),
    "hub-transit-in-one-zone-of-endpoints": _attached_in(HUB_ATTACHMENT, SUBNETS["a"]),
    "hub-transit-acl-of-attachment": _attachment_acl(egress=False, refuses=True),
    "hub-transit-acl-that-is-not-asked": _attachment_acl(egress=True, refuses=False),
    "hub-zone-not-associated": _zone_of_hub_only,
    "resolver-rule-to-inbound-endpoint": _forwarded(MIDDLEBOX),
    "resolver-rule-without-private-dns": _forwarded_without_private_dns,
    "resolver-rule-past-own-zones": _forwarded_past_own_zones,
    "resolver-rule-to-public-server": _forwarded(COMPANY_PUBLIC),
    "resolver-rule-to-forwarding-server": _forwarded(COMPANY_FORWARDS),
    "dhcp-inbound-endpoint": _handed_out(MIDDLEBOX),
    "dhcp-inbound-endpoint-behind-tcp": _handed_out_behind_tcp,
    "dhcp-inbound-endpoint-closed": _handed_out_closed,
    "dhcp-public-server": _handed_out(COMPANY_PUBLIC),
    "dhcp-forwarding-server": _handed_out(COMPANY_FORWARDS),
}

# No configuration contains what servers of one's own answer. Of a transit gateway's option for groups, the attachments
# that are read say nothing.
UNDECIDED = (
    "hub-group-over-transit",
    "resolver-rule-past-own-zones",
    "resolver-rule-to-public-server",
    "resolver-rule-to-forwarding-server",
    "dhcp-public-server",
    "dhcp-forwarding-server",
)

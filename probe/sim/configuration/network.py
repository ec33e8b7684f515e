"""What EC2 describes: VPCs, subnets, groups, ACLs, routes, endpoints and their interfaces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import ip_network
from typing import Any

from probe.sim import names
from probe.sim.configuration import identifiers as ids
from probe.sim.configuration.policies import document
from probe.sim.names import AwsHost, Internet, inside
from probe.sim.network import S3_PREFIX_LIST, Gateway, Interface
from probe.sim.vpc import AMAZON_PROVIDED_DNS, HUB, HUB_SERVER, VPC

Item = dict[str, Any]

_ANYWHERE = ("0.0.0.0/0", "::/0")
_HTTPS = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}


def network_of(vpc: VPC) -> dict[str, list[Item]]:
    """The lists of EC2's objects."""
    groups = _groups(vpc)
    return {
        "Vpcs": list(_vpcs(vpc)),
        "Subnets": list(_subnets(vpc)),
        "SecurityGroups": [_task_group(vpc), *groups.values(), *_hub_groups(vpc)],
        "NetworkAcls": list(_acls(vpc)),
        "RouteTables": list(_route_tables(vpc)),
        "NatGateways": list(_nat_gateways(vpc)),
        "VpcEndpoints": [*_interface_endpoints(vpc, groups), *_gateway_endpoints(vpc)],
        "NetworkInterfaces": [*_task_interfaces(vpc), *_endpoint_interfaces(vpc, groups), *_hub_interfaces(vpc)],
        **prefix_lists(vpc.region),
        "DhcpOptions": [_dhcp_options(vpc)],
        "TransitGatewayAttachments": list(_attachments(vpc)),
        "TransitGatewayVpcAttachments": list(_vpc_attachments(vpc)),
        "Routes": list(_transit_routes(vpc)),
        "Reservations": list(_reservations(vpc)),
        "VpcBlockPublicAccessExclusions": [],
    }


def block_public_access(vpc: VPC) -> Item:
    """The reply to DescribeVpcBlockPublicAccessOptions."""
    mode = "block-bidirectional" if vpc.network.routes.public_access_blocked else "off"
    options = {"InternetGatewayBlockMode": mode, "State": "update-complete", "ExclusionsAllowed": "allowed"}
    return {"VpcBlockPublicAccessOptions": options}


def is_central(vpc: VPC, endpoint: Interface) -> bool:
    """Whether an endpoint is in the hub's VPC."""
    return not inside(next(iter(endpoint.all_addresses)), [*vpc.ranges, *vpc.ranges_ipv6])


def has_hub(vpc: VPC) -> bool:
    return any(is_central(vpc, endpoint) for endpoint in vpc.endpoints.values())


# ---- VPCs and subnets ------------------------------------------------------------------------------------------------


def _vpcs(vpc: VPC) -> Iterator[Item]:
    yield {
        "VpcId": ids.VPC_ID,
        "OwnerId": vpc.task.account,
        "CidrBlock": vpc.ranges[0],
        "CidrBlockAssociationSet": [
            {"CidrBlock": text, "CidrBlockState": {"State": "associated"}} for text in vpc.ranges
        ],
        "Ipv6CidrBlockAssociationSet": _associated(vpc.ranges_ipv6),
        "DhcpOptionsId": ids.DHCP_OPTIONS,
        "_enableDnsSupport": vpc.resolver.answering,
        "_enableDnsHostnames": vpc.dns_hostnames,
    }
    if has_hub(vpc):
        yield {
            "VpcId": ids.HUB_ID,
            "OwnerId": vpc.task.account,
            "CidrBlock": HUB,
            "CidrBlockAssociationSet": [{"CidrBlock": HUB, "CidrBlockState": {"State": "associated"}}],
            "Ipv6CidrBlockAssociationSet": _associated(_hub_ranges_ipv6(vpc)),
            "DhcpOptionsId": ids.DHCP_OPTIONS,
        }


def _associated(ranges: Iterable[str]) -> list[Item]:
    return [{"Ipv6CidrBlock": text, "Ipv6CidrBlockState": {"State": "associated"}} for text in ranges]


def _hub_ranges_ipv6(vpc: VPC) -> list[str]:
    return [text for text in vpc.network.routes.ranges if ":" in text]


def _subnets(vpc: VPC) -> Iterator[Item]:
    task = vpc.task
    ipv6 = [task.subnet_ipv6] if task.subnet_ipv6 else []
    yield _subnet(vpc, ids.TASK_SUBNET, None if vpc.network.address is None else task.subnet, ipv6, "a")
    other_ipv6 = [f"{vpc.at_ipv6(2, 0)}/64"] if vpc.ranges_ipv6 else []
    yield _subnet(vpc, ids.OTHER_SUBNET, f"{vpc.at(2, 0)}/24", other_ipv6, "b")
    if vpc.network.routes.nat:
        yield _subnet(vpc, ids.NAT_SUBNET, f"{vpc.at(0, 0)}/24", [], "a")
    if has_hub(vpc):
        for number, zone in ((0, "a"), (1, "a"), (2, "b")):
            cidr = f"{ip_network(HUB)[256 * number]}/24"
            ipv6 = _hub_ranges_ipv6(vpc) if number == 1 else []
            yield _subnet(vpc, hub_subnet(number), cidr, ipv6, zone, ids.HUB_ID)


def hub_subnet(number: int) -> str:
    return f"subnet-0b00000{number}"


def _subnet(vpc: VPC, identity: str, cidr: str | None, ipv6: Iterable[str], zone: str, of: str = ids.VPC_ID) -> Item:
    return {
        "SubnetId": identity,
        "VpcId": of,
        "OwnerId": vpc.task.account,
        **({"CidrBlock": cidr} if cidr else {}),
        "Ipv6CidrBlockAssociationSet": _associated(ipv6),
        "Ipv6Native": cidr is None,
        "AvailabilityZone": f"{vpc.region}{zone}",
        "EnableDns64": vpc.resolver.dns64 and of == ids.VPC_ID,
    }


def _subnet_of(vpc: VPC, address: str) -> str | None:
    """The subnet that has an address."""
    for subnet in _subnets(vpc):
        ranges = [subnet.get("CidrBlock"), *(item["Ipv6CidrBlock"] for item in subnet["Ipv6CidrBlockAssociationSet"])]
        if inside(address, [text for text in ranges if text]):
            return str(subnet["SubnetId"])
    # Endpoints in an IPv6-only subnet also have IPv4 addresses here.
    return ids.TASK_SUBNET if inside(address, [vpc.task.subnet]) else None


# ---- security groups and network ACLs --------------------------------------------------------------------------------


def _task_group(vpc: VPC) -> Item:
    egress = vpc.network.egress
    permissions = [_https(target) for target in egress]
    if set(egress) == set(_ANYWHERE):
        permissions = [{"IpProtocol": "-1", **_peers(target)} for target in egress]
    return _group(vpc, ids.TASK_GROUP, ids.VPC_ID, [], permissions)


def _https(target: str) -> Item:
    return {**_HTTPS, **_peers(target)}


def _peers(target: str) -> Item:
    if target == S3_PREFIX_LIST:
        return {"PrefixListIds": [{"PrefixListId": ids.S3_LIST}]}
    return {"Ipv6Ranges": [{"CidrIpv6": target}]} if ":" in target else {"IpRanges": [{"CidrIp": target}]}


def _groups(vpc: VPC) -> dict[str, Item]:
    """The groups of endpoints by the name of the endpoint: one for all that allow the same sources in one VPC."""
    groups: dict[str, Item] = {}
    by_sources: dict[tuple[str, ...], Item] = {}
    for name, endpoint in vpc.endpoints.items():
        sources = tuple(endpoint.allowed_sources)
        if sources not in by_sources:
            number = len(by_sources) + 1
            of = ids.HUB_ID if is_central(vpc, endpoint) else ids.VPC_ID
            by_sources[sources] = _group(vpc, f"sg-0e00000{number}", of, [_https(text) for text in sources], [])
        groups[name] = by_sources[sources]
    return groups


def _group(vpc: VPC, identity: str, of: str, ingress: list[Item], egress: list[Item]) -> Item:
    return {
        "GroupId": identity,
        "VpcId": of,
        "OwnerId": vpc.task.account,
        "IpPermissions": ingress,
        "IpPermissionsEgress": egress,
    }


def _acls(vpc: VPC) -> Iterator[Item]:
    """The task's subnet has an ACL of its own where it drops something."""
    drops = vpc.network.acl_drops
    denied = [_entry(10 + number, egress=True, allow=False, cidr=text) for number, text in enumerate(drops) if drops]
    own = [ids.TASK_SUBNET] if drops else []
    others = [subnet["SubnetId"] for subnet in _subnets(vpc) if subnet["VpcId"] == ids.VPC_ID]
    if drops:
        yield _acl(ids.TASK_ACL, ids.VPC_ID, own, denied)
    yield _acl(ids.DEFAULT_ACL, ids.VPC_ID, [identity for identity in others if identity not in own], [])
    if has_hub(vpc):
        yield _acl(ids.HUB_ACL, ids.HUB_ID, [hub_subnet(number) for number in range(3)], [])


def _acl(identity: str, of: str, subnets: Iterable[str], denied: list[Item]) -> Item:
    everything = [
        _entry(100 + number, egress=egress, allow=True, cidr=cidr)
        for egress in (True, False)
        for number, cidr in enumerate(_ANYWHERE)
    ]
    return {
        "NetworkAclId": identity,
        "VpcId": of,
        "IsDefault": not denied,
        "Associations": [{"NetworkAclId": identity, "SubnetId": subnet} for subnet in subnets],
        "Entries": [*denied, *everything],
    }


def _entry(number: int, *, egress: bool, allow: bool, cidr: str) -> Item:
    family = "Ipv6CidrBlock" if ":" in cidr else "CidrBlock"
    action = "allow" if allow else "deny"
    return {"RuleNumber": number, "Egress": egress, "Protocol": "-1", "RuleAction": action, family: cidr}


# ---- routes ----------------------------------------------------------------------------------------------------------


def _route_tables(vpc: VPC) -> Iterator[Item]:
    yield _table(ids.TASK_TABLE, ids.VPC_ID, [], list(_routes(vpc)), main=True)
    if vpc.network.routes.nat:
        out = {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": ids.INTERNET_GATEWAY, "State": "active"}
        yield _table(ids.NAT_TABLE, ids.VPC_ID, [ids.NAT_SUBNET], [*_local(vpc), out])
    if has_hub(vpc):
        back = [_route(text, "TransitGatewayId", ids.TRANSIT_GATEWAY) for text in (*vpc.ranges, *vpc.ranges_ipv6)]
        local = [_route(text, "GatewayId", "local") for text in (HUB, *_hub_ranges_ipv6(vpc))]
        yield _table(ids.HUB_TABLE, ids.HUB_ID, [], [*local, *back], main=True)


def _routes(vpc: VPC) -> Iterator[Item]:
    routes = vpc.network.routes
    yield from _local(vpc)
    if vpc.gateway is not None and routes.gateway:
        for identity in _lists_of(vpc.gateway):
            yield {"DestinationPrefixListId": identity, "GatewayId": vpc.gateway.vpce_id, "State": "active"}
    if routes.nat:
        yield _route("0.0.0.0/0", "NatGatewayId", ids.NAT_GATEWAY)
    if routes.dns64:
        yield _route(str(names.DNS64), "NatGatewayId", ids.NAT_GATEWAY)
    if routes.ipv6_out:
        yield _route("::/0", "EgressOnlyInternetGatewayId", ids.EGRESS_ONLY_GATEWAY)
    for text in routes.ranges:
        yield _route(text, "TransitGatewayId", ids.TRANSIT_GATEWAY)


def _local(vpc: VPC) -> Iterator[Item]:
    for text in (*vpc.ranges, *vpc.ranges_ipv6):
        yield _route(text, "GatewayId", "local")


def _route(destination: str, member: str, target: str) -> Item:
    key = "DestinationIpv6CidrBlock" if ":" in destination else "DestinationCidrBlock"
    return {key: destination, member: target, "State": "active"}


def _table(identity: str, of: str, subnets: Iterable[str], routes: list[Item], *, main: bool = False) -> Item:
    associations: list[Item] = [{"Main": False, "RouteTableId": identity, "SubnetId": subnet} for subnet in subnets]
    if main:
        associations.append({"Main": True, "RouteTableId": identity})
    return {"RouteTableId": identity, "VpcId": of, "Associations": associations, "Routes": routes}


def _nat_gateways(vpc: VPC) -> Iterator[Item]:
    if vpc.network.routes.nat:
        yield {
            "NatGatewayId": ids.NAT_GATEWAY,
            "VpcId": ids.VPC_ID,
            "SubnetId": ids.NAT_SUBNET,
            "State": "available",
            "ConnectivityType": "public",
            "NatGatewayAddresses": [{"PrivateIp": vpc.network.nat, "PublicIp": "198.51.100.5"}],
        }


def _attachments(vpc: VPC) -> Iterator[Item]:
    for identity in (ids.VPC_ID, ids.HUB_ID) if has_hub(vpc) else ():
        yield {
            "TransitGatewayAttachmentId": f"tgw-attach-{identity[4:12]}",
            "TransitGatewayId": ids.TRANSIT_GATEWAY,
            "TransitGatewayOwnerId": vpc.task.account,
            "ResourceOwnerId": vpc.task.account,
            "ResourceType": "vpc",
            "ResourceId": identity,
            "State": "available",
            "Association": {"TransitGatewayRouteTableId": ids.TRANSIT_TABLE, "State": "associated"},
        }


def _vpc_attachments(vpc: VPC) -> Iterator[Item]:
    """The same attachments, with a subnet in each zone."""
    for attachment in _attachments(vpc):
        subnets = [hub_subnet(1), hub_subnet(2)]
        yield {
            "TransitGatewayAttachmentId": attachment["TransitGatewayAttachmentId"],
            "TransitGatewayId": ids.TRANSIT_GATEWAY,
            "VpcId": attachment["ResourceId"],
            "VpcOwnerId": vpc.task.account,
            "State": "available",
            "SubnetIds": [ids.TASK_SUBNET, ids.OTHER_SUBNET] if attachment["ResourceId"] == ids.VPC_ID else subnets,
        }


def _transit_routes(vpc: VPC) -> Iterator[Item]:
    """To every range of both VPCs."""
    if not has_hub(vpc):
        return
    ranges = {ids.HUB_ID: (HUB, *_hub_ranges_ipv6(vpc)), ids.VPC_ID: (*vpc.ranges, *vpc.ranges_ipv6)}
    for identity, texts in ranges.items():
        for text in texts:
            yield {
                "DestinationCidrBlock": text,
                "TransitGatewayAttachments": [{"ResourceId": identity, "ResourceType": "vpc"}],
                "Type": "propagated",
                "State": "active",
            }


# ---- endpoints -------------------------------------------------------------------------------------------------------


def _interface_endpoints(vpc: VPC, groups: dict[str, Item]) -> Iterator[Item]:
    for name, endpoint in vpc.endpoints.items():
        central = is_central(vpc, endpoint)
        private = endpoint.private_dns and not central
        families = _families(endpoint)
        interfaces = list(_interfaces_of(vpc, endpoint))
        yield {
            "VpcEndpointId": endpoint.vpce_id,
            "VpcEndpointType": "Interface",
            "VpcId": ids.HUB_ID if central else ids.VPC_ID,
            "ServiceName": names.endpoint_service(endpoint.service, endpoint.region),
            "ServiceRegion": endpoint.region,
            "State": "available",
            "PolicyDocument": document(endpoint.policy, principals=True),
            "SubnetIds": [interface["SubnetId"] for interface in interfaces],
            "Groups": [{"GroupId": groups[name]["GroupId"]}],
            "IpAddressType": families,
            "DnsOptions": {"DnsRecordIpType": families},
            "PrivateDnsEnabled": private,
            "NetworkInterfaceIds": [interface["NetworkInterfaceId"] for interface in interfaces],
            "DnsEntries": list(_dns_entries(endpoint, private=private)),
            "OwnerId": vpc.task.account,
        }


def _families(endpoint: Interface) -> str:
    if not endpoint.addresses_ipv6:
        return "ipv4"
    return "dualstack" if endpoint.addresses else "ipv6"


def _dns_entries(endpoint: Interface, *, private: bool) -> Iterator[Item]:
    for name in endpoint.vpce_names():
        yield {"DnsName": name, "HostedZoneId": "Z7HUB22UULQXV"}
    for name in names.private_names(endpoint.service, endpoint.region, year=endpoint.year) if private else ():
        yield {"DnsName": name, "HostedZoneId": "ZONEIDPENDING"}


def _endpoint_interfaces(vpc: VPC, groups: dict[str, Item]) -> Iterator[Item]:
    for name, endpoint in vpc.endpoints.items():
        for interface in _interfaces_of(vpc, endpoint):
            yield {**interface, "Groups": [{"GroupId": groups[name]["GroupId"]}]}


def _interfaces_of(vpc: VPC, endpoint: Interface) -> Iterator[Item]:
    """One in each zone, with one address of each family."""
    ipv4, ipv6 = endpoint.addresses, endpoint.addresses_ipv6
    for place in range(max(len(ipv4), len(ipv6))):
        own = ipv4[place] if place < len(ipv4) else None
        own_ipv6 = ipv6[place] if place < len(ipv6) else None
        subnet = _subnet_of(vpc, own or own_ipv6 or "") or ids.TASK_SUBNET
        yield _interface(
            f"eni-{endpoint.vpce_id[5:9]}0{place + 1}",
            ids.HUB_ID if is_central(vpc, endpoint) else ids.VPC_ID,
            subnet,
            f"{vpc.region}{'b' if subnet in (ids.OTHER_SUBNET, hub_subnet(2)) else 'a'}",
            own,
            own_ipv6,
            kind="vpc_endpoint",
        )


def _interface(
    identity: str, of: str, subnet: str, zone: str, ipv4: str | None, ipv6: str | None, *, kind: str
) -> Item:
    own = (
        {"PrivateIpAddress": ipv4, "PrivateIpAddresses": [{"PrivateIpAddress": ipv4, "Primary": True}]} if ipv4 else {}
    )
    return {
        "NetworkInterfaceId": identity,
        "VpcId": of,
        "SubnetId": subnet,
        "AvailabilityZone": zone,
        "InterfaceType": kind,
        "Status": "in-use",
        "SourceDestCheck": True,
        **own,
        "Ipv6Addresses": [{"Ipv6Address": ipv6}] if ipv6 else [],
    }


def _gateway_endpoints(vpc: VPC) -> Iterator[Item]:
    gateway = vpc.gateway
    if gateway is not None:
        yield {
            "VpcEndpointId": gateway.vpce_id,
            "VpcEndpointType": "Gateway",
            "VpcId": ids.VPC_ID,
            "ServiceName": _s3_service(vpc.region),
            "State": "available",
            "PolicyDocument": document(gateway.policy, principals=True),
            "RouteTableIds": [ids.TASK_TABLE] if vpc.network.routes.gateway else [],
            "IpAddressType": gateway.ip_address_type,
            "OwnerId": vpc.task.account,
        }


def _s3_service(region: str) -> str:
    return f"com.amazonaws.{region}.s3"


def _lists_of(gateway: Gateway) -> tuple[str, ...]:
    return (ids.S3_LIST, ids.S3_LIST_IPV6) if gateway.ip_address_type == "dualstack" else (ids.S3_LIST,)


def prefix_lists(region: str) -> dict[str, list[Item]]:
    """S3's prefix lists in a Region."""
    return {"PrefixLists": list(_prefix_lists(region)), "Entries": list(_prefix_list_entries(region))}


def _prefix_lists(region: str) -> Iterator[Item]:
    prefix, service = _s3_service(region).rsplit(".", 1)
    for identity, name, family in (
        (ids.S3_LIST, f"{prefix}.{service}", "IPv4"),
        (ids.S3_LIST_IPV6, f"{prefix}.ipv6.{service}", "IPv6"),
    ):
        yield {"PrefixListId": identity, "PrefixListName": name, "AddressFamily": family, "OwnerId": "AWS"}


def _prefix_list_entries(region: str) -> Iterator[Item]:
    """S3's ranges in the Region."""
    host = AwsHost("s3", region, dual=True)
    internet = Internet()
    for identity, address, length in (
        (ids.S3_LIST, internet.v4(host)[0], 24),
        (ids.S3_LIST_IPV6, internet.v6(host)[0], 64),
    ):
        yield {"Cidr": str(ip_network(f"{address}/{length}", strict=False)), "_PrefixListId": identity}


def _hub_groups(vpc: VPC) -> Iterator[Item]:
    """The group of the hub's inbound endpoint of Resolver, which answers every query."""
    if has_hub(vpc):
        everything = [{"IpProtocol": "-1", **_peers(target)} for target in _ANYWHERE]
        yield _group(vpc, ids.RESOLVER_GROUP, ids.HUB_ID, everything, [])


def _hub_interfaces(vpc: VPC) -> Iterator[Item]:
    if has_hub(vpc):
        place = (ids.HUB_ID, hub_subnet(0), f"{vpc.region}a")
        interface = _interface(ids.RESOLVER_INTERFACE, *place, HUB_SERVER, None, kind="interface")
        yield {**interface, "Groups": [{"GroupId": ids.RESOLVER_GROUP}]}


# ---- the task's own interfaces, DHCP ---------------------------------------------------------------------------------


def _task_interfaces(vpc: VPC) -> Iterator[Item]:
    """The interface that sends the task's packets; on EC2 the instance's too."""
    groups = {"Groups": [{"GroupId": ids.TASK_GROUP}]}
    zone = f"{vpc.region}a"
    if uses_own_interface(vpc):
        own, ipv6 = vpc.network.address, vpc.network.ipv6
        interface = _interface(ids.TASK_INTERFACE, ids.VPC_ID, ids.TASK_SUBNET, zone, own, ipv6, kind="interface")
        yield {**interface, **groups}
    if vpc.task.launch_type != "FARGATE":
        yield instance_interface(vpc)


def uses_own_interface(vpc: VPC) -> bool:
    return vpc.task.network_mode == "awsvpc"


def instance_interface(vpc: VPC) -> Item:
    """The primary interface of the container instance."""
    own = vpc.at(1, 20)
    zone = f"{vpc.region}a"
    interface = _interface(ids.INSTANCE_INTERFACE, ids.VPC_ID, ids.TASK_SUBNET, zone, own, None, kind="interface")
    return {**interface, "Groups": [{"GroupId": ids.TASK_GROUP}]}


def _reservations(vpc: VPC) -> Iterator[Item]:
    if vpc.task.launch_type != "FARGATE":
        instance = {
            "InstanceId": ids.INSTANCE,
            "SubnetId": ids.TASK_SUBNET,
            "VpcId": ids.VPC_ID,
            "NetworkInterfaces": [instance_interface(vpc)],
        }
        yield {"ReservationId": "r-0a000001", "Instances": [instance]}


def _dhcp_options(vpc: VPC) -> Item:
    own = (vpc.base_resolver, *AMAZON_PROVIDED_DNS)
    servers = ["AmazonProvidedDNS"] if vpc.nameservers[0] in own and len(vpc.nameservers) == 1 else vpc.nameservers
    values = [{"Value": server} for server in servers]
    return {
        "DhcpOptionsId": ids.DHCP_OPTIONS,
        "OwnerId": vpc.task.account,
        "DhcpConfigurations": [{"Key": "domain-name-servers", "Values": values}],
    }

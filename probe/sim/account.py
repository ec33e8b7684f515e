"""A simulated account: it answers the calls that read a configuration, from plain objects in the API's own shape.

An oracle of its own: it knows nothing of gates. Filters and paging behave as EC2's: a filter matches where one of its
values does, several filters all have to match. A member that begins with "_" relates an object to a parameter of the
call ("_HostedZoneId" of a record), or is an attribute, and is not part of the reply; "_" alone is the item itself where
a list has strings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import ip_address, ip_network
from typing import Any

from probe.records import Record, field

Item = dict[str, Any]


class RefusedCallError(Exception):
    """The simulated account refuses a call; `args` are the error's code and its message."""


class SimulatedAccount(Record, kw_only=True):
    """Objects by service and list, such as objects["ec2"]["Subnets"]. `denied` are calls that are refused."""

    region: str = "us-east-1"
    account: str = "123456789012"
    objects: dict[str, dict[str, list[Item]]] = field(default_factory=dict)
    replies: dict[str, Item] = field(default_factory=dict)  # of calls without a list, by service and operation
    denied: set[str] = field(default_factory=set)  # "service:Operation", or with one value of its parameters
    calls: list[str] = field(default_factory=list)
    elsewhere: dict[str, SimulatedAccount] = field(default_factory=dict)  # the same account in other Regions

    def answer(self, action: str, parameters: Mapping[str, Any], region: str | None = None) -> Item:
        """The reply to one call. Raises RefusedCallError."""
        if region is not None and region != self.region:
            elsewhere = self.elsewhere.get(region) or SimulatedAccount(region=region, account=self.account)
            return elsewhere.answer(action, parameters)
        self.calls.append(action)
        if {action, *(f"{action} {value}" for value in parameters.values())} & self.denied:
            raise RefusedCallError("AccessDeniedException", f"not authorized to perform: {action}")
        service, _, operation = action.partition(":")
        if action == "ec2:DescribeVpcAttribute":
            return self._vpc_attribute(parameters["VpcId"], parameters["Attribute"])
        if action in _NAMED and action not in self.replies:
            members, parameter, keys = _NAMED[action]
            wanted = parameters.get(parameter)
            named = self.objects.get(service, {}).get(members, [])
            return {members: [item for item in named if wanted is None or any(item.get(key) in wanted for key in keys)]}
        listed = _LISTS.get(action)
        if listed is None:
            # Of one object, such as "route53:GetHostedZone Z1", or of all; several values in their parameters' order.
            values = [parameters[name] for name in sorted(parameters) if isinstance(parameters[name], str)]
            keys = (f"{action} {' '.join(values)}", *(f"{action} {value}" for value in values), action)
            reply = next((self.replies[key] for key in keys if key in self.replies), None)
            if reply is None and action in _ABSENCES:
                raise RefusedCallError(_ABSENCES[action], "It does not exist.")
            if reply is None and action == "sts:GetCallerIdentity":
                return {"Account": self.account, "Arn": f"arn:aws:iam::{self.account}:user/operator", "UserId": "AIDA"}
            if reply is None:
                raise RefusedCallError("InvalidAction", f"The action {operation} is not valid for this web service.")
            return reply
        if action == "ecr:DescribeImages":
            return self._images(parameters)
        if action == "ecr:BatchGetImage":
            return self._manifests(parameters)
        items = self.objects.get(service, {}).get(listed, [])
        if action == "ec2:SearchTransitGatewayRoutes":
            items = _longest_match(items, parameters)
            parameters = {name: value for name, value in parameters.items() if name != "Filters"}
        return {listed: [_shown(item) for item in items if _matches(item, parameters)]}

    def _images(self, parameters: Mapping[str, Any]) -> Item:
        """The images of a repository that the parameters name, all of them active unless others are asked for."""
        repository = parameters["repositoryName"]
        stored = [
            item for item in self.objects.get("ecr", {}).get("imageDetails", ()) if item["repositoryName"] == repository
        ]
        (wanted,) = parameters["imageIds"]
        any_status = parameters.get("filter", {}).get("imageStatus") == "ANY"
        found = [
            item
            for item in stored
            if wanted.get("imageTag") in item.get("imageTags", ()) or wanted.get("imageDigest") == item["imageDigest"]
            if any_status or item.get("imageStatus", "ACTIVE") == "ACTIVE"
        ]
        if not found:
            raise RefusedCallError("ImageNotFoundException", "The image requested does not exist.")
        return {"imageDetails": found}

    def _manifests(self, parameters: Mapping[str, Any]) -> Item:
        """The manifests of the images that the parameters name."""
        details = self._images({**parameters, "filter": {"imageStatus": "ACTIVE"}})["imageDetails"]
        digests = [item["imageDigest"] for item in details]
        stored = self.objects.get("ecr", {}).get("images", ())
        return {"images": [item for item in stored if item["imageId"]["imageDigest"] in digests], "failures": []}

    def _vpc_attribute(self, vpc: str, attribute: str) -> Item:
        found = [item for item in self.objects["ec2"]["Vpcs"] if item["VpcId"] == vpc]
        value = found[0].get(f"_{attribute}", True) if found else False
        return {"VpcId": vpc, f"{attribute[0].upper()}{attribute[1:]}": {"Value": value}}


# With which code an operation answers that there is nothing of the kind.
_ABSENCES = {
    "ecr:GetRepositoryPolicy": "RepositoryPolicyNotFoundException",
    "ecr:GetRegistryPolicy": "RegistryPolicyNotFoundException",
    "iam:GetRole": "NoSuchEntity",
    "iam:GetPolicy": "NoSuchEntity",
    "kms:DescribeKey": "NotFoundException",
    "organizations:DescribeOrganization": "AWSOrganizationsNotInUseException",
}
# The member of the reply that lists objects.
_LISTS = {
    "ec2:DescribeSubnets": "Subnets",
    "ec2:DescribeSecurityGroups": "SecurityGroups",
    "ec2:DescribeNetworkInterfaces": "NetworkInterfaces",
    "ec2:DescribeVpcEndpoints": "VpcEndpoints",
    "ec2:DescribeVpcs": "Vpcs",
    "ec2:DescribeNetworkAcls": "NetworkAcls",
    "ec2:DescribeRouteTables": "RouteTables",
    "ec2:DescribeSecurityGroupRules": "SecurityGroupRules",
    "ec2:DescribeNatGateways": "NatGateways",
    "ec2:DescribeVpcPeeringConnections": "VpcPeeringConnections",
    "ec2:DescribeTransitGatewayAttachments": "TransitGatewayAttachments",
    "ec2:DescribeTransitGatewayVpcAttachments": "TransitGatewayVpcAttachments",
    "ec2:SearchTransitGatewayRoutes": "Routes",
    "ec2:DescribeManagedPrefixLists": "PrefixLists",
    "ec2:GetManagedPrefixListEntries": "Entries",
    "ec2:DescribeVpcBlockPublicAccessExclusions": "VpcBlockPublicAccessExclusions",
    "network-firewall:ListFirewalls": "Firewalls",
    "ec2:DescribeDhcpOptions": "DhcpOptions",
    "route53resolver:ListResolverRuleAssociations": "ResolverRuleAssociations",
    "route53resolver:ListResolverRules": "ResolverRules",
    "route53resolver:ListResolverEndpoints": "ResolverEndpoints",
    "route53resolver:ListResolverEndpointIpAddresses": "IpAddresses",
    "route53resolver:ListFirewallRuleGroupAssociations": "FirewallRuleGroupAssociations",
    "route53resolver:ListFirewallRules": "FirewallRules",
    "route53resolver:ListFirewallDomainLists": "FirewallDomainLists",
    "route53resolver:ListFirewallDomains": "Domains",
    "route53profiles:ListProfileAssociations": "ProfileAssociations",
    "route53profiles:ListProfileResourceAssociations": "ProfileResourceAssociations",
    "route53:ListHostedZonesByVPC": "HostedZoneSummaries",
    "route53:ListHostedZones": "HostedZones",
    "route53:ListResourceRecordSets": "ResourceRecordSets",
    "ec2:DescribeInstances": "Reservations",
    "ecr:DescribeImages": "imageDetails",
    "ecr:BatchGetImage": "images",
    "ecr:DescribePullThroughCacheRules": "pullThroughCacheRules",
}
# Of services other than EC2: the list, the parameter that names objects, and the members in which they are named.
_NAMED = {
    "ecr:DescribeRepositories": ("repositories", "repositoryNames", ("repositoryName",)),
    "ecs:DescribeServices": ("services", "services", ("serviceName", "serviceArn")),
    "ecs:DescribeServiceRevisions": ("serviceRevisions", "serviceRevisionArns", ("serviceRevisionArn",)),
    "ecs:DescribeTasks": ("tasks", "tasks", ("taskArn",)),
    "ecs:DescribeContainerInstances": ("containerInstances", "containerInstances", ("containerInstanceArn",)),
    "ecs:DescribeCapacityProviders": ("capacityProviders", "capacityProviders", ("name",)),
}
# Where an item has the value that a filter compares. EC2 API reference, the operations' "Filter.N".
_FILTERS = {
    "subnet-id": ("SubnetId",),
    "vpc-id": ("VpcId",),
    "group-id": ("GroupId",),
    "group-name": ("GroupName",),
    "network-interface-id": ("NetworkInterfaceId",),
    "vpc-endpoint-id": ("VpcEndpointId",),
    "network-acl-id": ("NetworkAclId",),
    "route-table-id": ("RouteTableId",),
    "association.subnet-id": ("Associations", "SubnetId"),
    "instance-id": ("Instances", "InstanceId"),
    "addresses.private-ip-address": ("PrivateIpAddresses", "PrivateIpAddress"),
    "ipv6-addresses.ipv6-address": ("Ipv6Addresses", "Ipv6Address"),
    "prefix-list-id": ("PrefixListId",),
    "prefix-list-name": ("PrefixListName",),
    "vpc-peering-connection-id": ("VpcPeeringConnectionId",),
    "transit-gateway-id": ("TransitGatewayId",),
}


def _longest_match(routes: list[Item], parameters: Mapping[str, Any]) -> list[Item]:
    """Of a transit gateway's route table, the route with the longest prefix that contains the address."""
    (wanted,) = (entry["Values"][0] for entry in parameters["Filters"])
    address, own = ip_address(wanted), {"TransitGatewayRouteTableId": parameters["TransitGatewayRouteTableId"]}
    found = {ip_network(route["DestinationCidrBlock"]): route for route in routes if _matches(route, own)}
    best = max((cidr for cidr in found if address in cidr), key=lambda cidr: cidr.prefixlen, default=None)
    return [] if best is None else [found[best]]


def _matches(item: Item, parameters: Mapping[str, Any]) -> bool:
    return all(
        any(value in entry["Values"] for value in _values(item, _FILTERS.get(entry["Name"], (entry["Name"],))))
        for entry in parameters.get("Filters", parameters.get("Filter", ()))
    ) and all(_has(item, name, wanted) for name, wanted in parameters.items() if name not in ("Filters", "Filter"))


def _has(item: Item, name: str, wanted: Any) -> bool:
    """Whether the item is among those that a parameter asks for: "Id" for one, "Ids" for several."""
    if isinstance(wanted, list):
        name = name.removesuffix("s")
    own = item.get(f"_{name}", item.get(name))
    asked = wanted if isinstance(wanted, list) else [wanted]
    return own is None or any(value in asked for value in (own if isinstance(own, list) else [own]))


def _shown(item: Item) -> Any:
    return item["_"] if "_" in item else {name: value for name, value in item.items() if not name.startswith("_")}


def _values(item: Any, path: tuple[str, ...]) -> Iterator[Any]:
    if not path:
        yield item
        return
    value = item.get(path[0])
    for part in value if isinstance(value, list) else [value] if value is not None else []:
        yield from _values(part, path[1:])

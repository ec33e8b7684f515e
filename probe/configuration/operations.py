"""Every operation of AWS's API that reads the configuration. This list is what makes the outside view read-only.

A new one is a row here and its statement in `task-definitions/iam/operator-inspect.json`. Service, operation and
members are those of botocore's models; `tests/configuration` compares them.
"""

from __future__ import annotations

from probe.records import Record


class Operation(Record, frozen=True):
    """One operation. `items` is the member of the reply that lists objects, None where the reply is one object itself.

    `key` is an item's id. `by` is how items are asked for by their ids, many in one call: a filter of EC2's, or a
    parameter where it begins with a capital letter. `keep` are an item's members that are kept; all others are
    dropped on reading, and with them everything that could hold a secret. `action` is what IAM calls it.
    """

    service: str
    name: str
    items: str | None = None
    key: str | None = None
    by: str | None = None
    keep: tuple[str, ...] = ()
    action: str = ""
    ids_per_call: int = 200  # the values that a filter of EC2's takes

    @property
    def permission(self) -> str:
        """The IAM action that allows it."""
        return self.action or f"{self.service}:{self.name}"


SUBNETS = Operation(
    "ec2",
    "DescribeSubnets",
    "Subnets",
    "SubnetId",
    "subnet-id",
    keep=(
        "SubnetId",
        "VpcId",
        "OwnerId",
        "CidrBlock",
        "Ipv6CidrBlockAssociationSet",
        "Ipv6Native",
        "AvailabilityZone",
        "AvailabilityZoneId",
        "MapPublicIpOnLaunch",
        "EnableDns64",
    ),
)
SECURITY_GROUPS = Operation(
    "ec2",
    "DescribeSecurityGroups",
    "SecurityGroups",
    "GroupId",
    "group-id",
    keep=("GroupId", "VpcId", "OwnerId", "IpPermissions", "IpPermissionsEgress"),
)
SECURITY_GROUP_RULES = Operation(
    "ec2",
    "DescribeSecurityGroupRules",
    "SecurityGroupRules",
    keep=(
        "SecurityGroupRuleId",
        "GroupId",
        "IsEgress",
        "IpProtocol",
        "FromPort",
        "ToPort",
        "CidrIpv4",
        "CidrIpv6",
        "PrefixListId",
        "ReferencedGroupInfo",
    ),
)
INTERFACES = Operation(
    "ec2",
    "DescribeNetworkInterfaces",
    "NetworkInterfaces",
    "NetworkInterfaceId",
    "network-interface-id",
    keep=(
        "NetworkInterfaceId",
        "VpcId",
        "SubnetId",
        "AvailabilityZone",
        "InterfaceType",
        "Status",
        "Groups",
        "OwnerId",
        "RequesterId",
        "PrivateIpAddress",
        "PrivateIpAddresses",
        "Ipv6Addresses",
        "Association",
        "Attachment",
    ),
)
ENDPOINTS = Operation(
    "ec2",
    "DescribeVpcEndpoints",
    "VpcEndpoints",
    "VpcEndpointId",
    "vpc-endpoint-id",
    keep=(
        "VpcEndpointId",
        "VpcEndpointType",
        "VpcId",
        "ServiceName",
        "ServiceRegion",
        "State",
        "PolicyDocument",
        "RouteTableIds",
        "SubnetIds",
        "Groups",
        "IpAddressType",
        "DnsOptions",
        "PrivateDnsEnabled",
        "NetworkInterfaceIds",
        "DnsEntries",
        "OwnerId",
        "FailureReason",
        "LastError",
    ),
)
VPCS = Operation(
    "ec2",
    "DescribeVpcs",
    "Vpcs",
    "VpcId",
    "vpc-id",
    keep=("VpcId", "OwnerId", "CidrBlock", "CidrBlockAssociationSet", "Ipv6CidrBlockAssociationSet", "DhcpOptionsId"),
)
VPC_ATTRIBUTE = Operation("ec2", "DescribeVpcAttribute")  # of one VPC and one attribute; it has no list
NETWORK_ACLS = Operation(
    "ec2",
    "DescribeNetworkAcls",
    "NetworkAcls",
    "NetworkAclId",
    "network-acl-id",
    keep=("NetworkAclId", "VpcId", "IsDefault", "Associations", "Entries"),
)
ROUTE_TABLES = Operation(
    "ec2",
    "DescribeRouteTables",
    "RouteTables",
    "RouteTableId",
    "route-table-id",
    keep=("RouteTableId", "VpcId", "Associations", "Routes"),
)
PREFIX_LISTS = Operation(
    "ec2",
    "DescribeManagedPrefixLists",
    "PrefixLists",
    "PrefixListId",
    "prefix-list-id",
    keep=("PrefixListId", "PrefixListName", "AddressFamily", "OwnerId", "State"),
)
PREFIX_LIST_ENTRIES = Operation("ec2", "GetManagedPrefixListEntries", "Entries", keep=("Cidr",))

OPERATIONS = tuple(value for value in tuple(vars().values()) if isinstance(value, Operation))
NAMED = {(operation.service, operation.name): operation for operation in OPERATIONS}

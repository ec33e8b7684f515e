"""Every operation of AWS's API that reads the configuration. This list is what makes the outside view read-only.

A new one is a row here and its statement in `task-definitions/iam/operator-inspect.json`. Service, operation and
members are those of botocore's models; `tests/configuration` compares them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from probe.configuration.reductions import image_manifest, record_set, service, task, task_definition
from probe.records import Record


class Operation(Record, frozen=True):
    """One operation. `items` is the member of the reply that lists objects, None where the reply is one object itself.

    `key` is an item's id. `by` is how items are asked for by their ids, many in one call: a filter of EC2's, or a
    parameter where it begins with a capital letter. `keep` are an item's members that are kept; all others are
    dropped on reading, and with them everything that could hold a secret; "Role.Arn" is a member of a member, and
    `reduced` drops more. `action` is what IAM calls it.
    """

    service: str
    name: str
    items: str | None = None
    key: str | None = None
    by: str | None = None
    keep: tuple[str, ...] = ()
    within: str | None = None  # the member of an item that lists the objects, such as a reservation's instances
    reduced: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    action: str = ""
    flag: str | None = None  # with which the reader agrees to this read; without it the clients do not have it
    ids_per_call: int = 200  # the values that a filter of EC2's takes

    def kept(self, item: Any) -> Any:
        """What is kept of an item of the reply, or of the whole reply where it lists none."""
        if not isinstance(item, dict):
            return item  # an ARN
        kept = {key: value for key, value in item.items() if key in self.keep}
        for outer, _, inner in (path.partition(".") for path in self.keep if "." in path):
            if inner in item.get(outer, {}):
                kept.setdefault(outer, {})[inner] = item[outer][inner]
        kept = kept if self.reduced is None else self.reduced(kept)
        return _without_free_text(kept)

    @property
    def permission(self) -> str:
        """The IAM action that allows it."""
        return self.action or f"{self.service}:{self.name}"


# Members in which people write what they like, at any depth.
_FREE_TEXT = frozenset(("Tags", "TagSet", "TagList", "tags", "Description", "description", "Comment"))


def _without_free_text(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_free_text(part) for key, part in value.items() if key not in _FREE_TEXT}
    return [_without_free_text(part) for part in value] if isinstance(value, list) else value


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
    "GroupId",
    "group-id",
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
        "SourceDestCheck",
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
# Of one VPC and one attribute; it has no list.
VPC_ATTRIBUTE = Operation("ec2", "DescribeVpcAttribute", keep=("EnableDnsSupport", "EnableDnsHostnames"))
DHCP_OPTIONS = Operation(
    "ec2",
    "DescribeDhcpOptions",
    "DhcpOptions",
    "DhcpOptionsId",
    "DhcpOptionsIds",
    keep=("DhcpOptionsId", "OwnerId", "DhcpConfigurations"),
)
NETWORK_ACLS = Operation(
    "ec2",
    "DescribeNetworkAcls",
    "NetworkAcls",
    "NetworkAclId",
    "network-acl-id",
    keep=("NetworkAclId", "VpcId", "IsDefault", "Associations", "Entries"),
)
NAT_GATEWAYS = Operation(
    "ec2",
    "DescribeNatGateways",
    "NatGateways",
    "NatGatewayId",
    keep=(
        "NatGatewayId",
        "VpcId",
        "SubnetId",
        "State",
        "ConnectivityType",
        "AvailabilityMode",
        "RouteTableId",
        "NatGatewayAddresses",
        "AttachedAppliances",
    ),
)
PEERINGS = Operation(
    "ec2",
    "DescribeVpcPeeringConnections",
    "VpcPeeringConnections",
    "VpcPeeringConnectionId",
    "vpc-peering-connection-id",
    keep=("VpcPeeringConnectionId", "AccepterVpcInfo", "RequesterVpcInfo", "Status"),
)
TRANSIT_ATTACHMENTS = Operation(
    "ec2",
    "DescribeTransitGatewayAttachments",
    "TransitGatewayAttachments",
    "TransitGatewayAttachmentId",
    keep=(
        "TransitGatewayAttachmentId",
        "TransitGatewayId",
        "TransitGatewayOwnerId",
        "ResourceOwnerId",
        "ResourceType",
        "ResourceId",
        "State",
        "Association",
    ),
)
TRANSIT_VPC_ATTACHMENTS = Operation(
    "ec2",
    "DescribeTransitGatewayVpcAttachments",
    "TransitGatewayVpcAttachments",
    "TransitGatewayAttachmentId",
    keep=("TransitGatewayAttachmentId", "TransitGatewayId", "VpcId", "VpcOwnerId", "State", "SubnetIds"),
)
TRANSIT_ROUTES = Operation(
    "ec2",
    "SearchTransitGatewayRoutes",
    "Routes",
    keep=("DestinationCidrBlock", "PrefixListId", "TransitGatewayAttachments", "Type", "State"),
)
BLOCK_PUBLIC_ACCESS = Operation(
    "ec2", "DescribeVpcBlockPublicAccessOptions", keep=("VpcBlockPublicAccessOptions",)
)  # of the account and Region
BLOCK_PUBLIC_ACCESS_EXCLUSIONS = Operation(
    "ec2",
    "DescribeVpcBlockPublicAccessExclusions",
    "VpcBlockPublicAccessExclusions",
    "ExclusionId",
    keep=("ExclusionId", "InternetGatewayExclusionMode", "ResourceArn", "State"),
)
FIREWALLS = Operation(
    "network-firewall", "ListFirewalls", "Firewalls", "FirewallArn", keep=("FirewallName", "FirewallArn")
)  # of one VPC, or of all
FIREWALL = Operation("network-firewall", "DescribeFirewall", keep=("Firewall", "FirewallStatus"))
FIREWALL_POLICY = Operation("network-firewall", "DescribeFirewallPolicy", keep=("FirewallPolicy",))
NETWORK_FIREWALL_RULES = Operation("network-firewall", "DescribeRuleGroup", keep=("RuleGroup", "RuleGroupResponse"))
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
DESCRIBE_SERVICES = Operation(
    "ecs",
    "DescribeServices",
    "services",
    keep=(
        "serviceArn",
        "serviceName",
        "clusterArn",
        "status",
        "launchType",
        "capacityProviderStrategy",
        "platformVersion",
        "taskDefinition",
        "taskSets",
        "networkConfiguration",
        "currentServiceRevisions",
    ),
    reduced=service,
)
# The digests to which ECS resolved the tags of a deployment.
SERVICE_REVISIONS = Operation(
    "ecs",
    "DescribeServiceRevisions",
    "serviceRevisions",
    keep=("serviceRevisionArn", "taskDefinition", "containerImages", "createdAt"),
)
DESCRIBE_TASKS = Operation(
    "ecs",
    "DescribeTasks",
    "tasks",
    keep=(
        "taskArn",
        "clusterArn",
        "taskDefinitionArn",
        "launchType",
        "capacityProviderName",
        "availabilityZone",
        "containerInstanceArn",
        "group",
        "lastStatus",
        "platformVersion",
        "attachments",
        "containers",
        "overrides",
    ),
    reduced=task,
)
# The reply has one definition, and its tags, which are dropped.
DESCRIBE_TASK_DEFINITION = Operation("ecs", "DescribeTaskDefinition", keep=("taskDefinition",), reduced=task_definition)
CALLER_IDENTITY = Operation("sts", "GetCallerIdentity", keep=("Account",))
INSTANCES = Operation(
    "ec2",
    "DescribeInstances",
    "Reservations",
    "InstanceId",
    "instance-id",
    keep=("InstanceId", "SubnetId", "VpcId", "NetworkInterfaces", "MetadataOptions", "Platform"),
    within="Instances",
)
LIST_CONTAINER_INSTANCES = Operation("ecs", "ListContainerInstances", "containerInstanceArns")
DESCRIBE_CONTAINER_INSTANCES = Operation(
    "ecs", "DescribeContainerInstances", "containerInstances", keep=("containerInstanceArn", "ec2InstanceId", "status")
)
DESCRIBE_CAPACITY_PROVIDERS = Operation(
    "ecs", "DescribeCapacityProviders", "capacityProviders", keep=("name", "autoScalingGroupProvider", "type")
)

RESOLVER_RULE_ASSOCIATIONS = Operation(
    "route53resolver",
    "ListResolverRuleAssociations",
    "ResolverRuleAssociations",
    "Id",
    keep=("Id", "ResolverRuleId", "VPCId", "Status"),
)
# The account's own rules; one that another account shares is read by itself.
RESOLVER_RULES = Operation(
    "route53resolver",
    "ListResolverRules",
    "ResolverRules",
    "Id",
    keep=("Id", "DomainName", "RuleType", "Status", "TargetIps", "ResolverEndpointId", "OwnerId"),
)
RESOLVER_RULE = Operation("route53resolver", "GetResolverRule", keep=("ResolverRule",))
RESOLVER_ENDPOINTS = Operation(
    "route53resolver",
    "ListResolverEndpoints",
    "ResolverEndpoints",
    "Id",
    keep=("Id", "Direction", "HostVPCId", "Status", "SecurityGroupIds"),
)
RESOLVER_ENDPOINT_ADDRESSES = Operation(
    "route53resolver",
    "ListResolverEndpointIpAddresses",
    "IpAddresses",
    keep=("IpId", "SubnetId", "Ip", "Ipv6", "Status"),
)
FIREWALL_ASSOCIATIONS = Operation(
    "route53resolver",
    "ListFirewallRuleGroupAssociations",
    "FirewallRuleGroupAssociations",
    "Id",
    keep=("Id", "FirewallRuleGroupId", "VpcId", "Priority", "Status"),
)
FIREWALL_RULES = Operation(
    "route53resolver",
    "ListFirewallRules",
    "FirewallRules",
    keep=(
        "FirewallRuleGroupId",
        "FirewallDomainListId",
        "FirewallThreatProtectionId",
        "Priority",
        "Action",
        "BlockResponse",
        "BlockOverrideDomain",
        "FirewallDomainRedirectionAction",
        "Qtype",
        "Status",
    ),
)
FIREWALL_DOMAIN_LISTS = Operation(
    "route53resolver",
    "ListFirewallDomainLists",
    "FirewallDomainLists",
    "Id",
    keep=("Id", "Name", "ManagedOwnerName"),
)
FIREWALL_DOMAINS = Operation("route53resolver", "ListFirewallDomains", "Domains")  # its items are strings
FIREWALL_CONFIG = Operation("route53resolver", "GetFirewallConfig", keep=("FirewallConfig",))
PROFILE_ASSOCIATIONS = Operation(
    "route53profiles",
    "ListProfileAssociations",
    "ProfileAssociations",
    "Id",
    keep=("Id", "ProfileId", "ResourceId", "OwnerId", "Status", "Priority"),
)
PROFILE_RESOURCES = Operation(
    "route53profiles",
    "ListProfileResourceAssociations",
    "ProfileResourceAssociations",
    "Id",
    keep=("Id", "ProfileId", "ResourceArn", "ResourceType", "ResourceProperties", "OwnerId", "Status"),
)
ZONES_OF_VPC = Operation(
    "route53",
    "ListHostedZonesByVPC",
    "HostedZoneSummaries",
    keep=("HostedZoneId", "Name", "Owner"),
)
ZONES = Operation("route53", "ListHostedZones", "HostedZones", keep=("Id", "Name"))
ZONE = Operation("route53", "GetHostedZone", keep=("HostedZone", "VPCs"))
# Records of other types are not kept: a TXT record can hold a secret.
RECORDS = Operation(
    "route53",
    "ListResourceRecordSets",
    "ResourceRecordSets",
    keep=(
        *("Name", "Type", "TTL", "ResourceRecords", "AliasTarget"),
        *("SetIdentifier", "Weight", "Region", "Failover", "MultiValueAnswer", "HealthCheckId"),
        *("GeoLocation", "GeoProximityLocation", "CidrRoutingConfig"),
    ),
    reduced=record_set,
)

# Of a role its tags and description are not kept.
ROLE = Operation(
    "iam",
    "GetRole",
    keep=("Role.RoleName", "Role.Arn", "Role.RoleId", "Role.AssumeRolePolicyDocument", "Role.PermissionsBoundary"),
)
ROLE_POLICIES = Operation("iam", "ListRolePolicies", "PolicyNames")  # its items are strings
# Only with --cross-check: IAM's own evaluation, which changes nothing.
SIMULATION = Operation(
    "iam",
    "SimulatePrincipalPolicy",
    "EvaluationResults",
    keep=("EvalActionName", "EvalResourceName", "EvalDecision", "MissingContextValues"),
    flag="cross-check",
)
ROLE_POLICY = Operation("iam", "GetRolePolicy", keep=("PolicyName", "PolicyDocument"))
ATTACHED_ROLE_POLICIES = Operation("iam", "ListAttachedRolePolicies", "AttachedPolicies", keep=("PolicyArn",))
POLICY = Operation("iam", "GetPolicy", keep=("Policy.Arn", "Policy.DefaultVersionId"))
POLICY_VERSION = Operation("iam", "GetPolicyVersion", keep=("PolicyVersion.Document", "PolicyVersion.VersionId"))
ORGANIZATION = Operation(
    "organizations",
    "DescribeOrganization",
    keep=("Organization.Id", "Organization.FeatureSet", "Organization.MasterAccountId"),
)
PARENTS = Operation("organizations", "ListParents", "Parents", keep=("Id", "Type"))
TARGET_POLICIES = Operation(
    "organizations", "ListPoliciesForTarget", "Policies", keep=("Id", "Arn", "Name", "Type", "AwsManaged")
)
ORGANIZATION_POLICY = Operation("organizations", "DescribePolicy", keep=("Policy.Content",))
REPOSITORIES = Operation(
    "ecr",
    "DescribeRepositories",
    "repositories",
    keep=("repositoryArn", "registryId", "repositoryName", "encryptionConfiguration"),
)
IMAGES = Operation(
    "ecr",
    "DescribeImages",
    "imageDetails",
    keep=("imageDigest", "imageTags", "imageStatus", "imageManifestMediaType", "artifactMediaType"),
)
# It can count as a pull. Of a manifest only the platforms are kept. AWS[ecr-batch-get-image-pull]
IMAGE_MANIFESTS = Operation(
    "ecr",
    "BatchGetImage",
    "images",
    keep=("imageManifest", "imageManifestMediaType"),
    reduced=image_manifest,
    flag="read-manifest",
)
PULL_THROUGH_RULES = Operation(
    "ecr",
    "DescribePullThroughCacheRules",
    "pullThroughCacheRules",
    keep=("ecrRepositoryPrefix", "upstreamRegistryUrl"),
)
REPOSITORY_POLICY = Operation("ecr", "GetRepositoryPolicy", keep=("policyText",))
REGISTRY_POLICY = Operation("ecr", "GetRegistryPolicy", keep=("policyText",))
KEY = Operation(
    "kms",
    "DescribeKey",
    keep=("KeyMetadata.Arn", "KeyMetadata.KeyState", "KeyMetadata.KeyManager", "KeyMetadata.AWSAccountId"),
)
KEY_POLICY = Operation("kms", "GetKeyPolicy", keep=("Policy",))
KEY_GRANTS = Operation(
    "kms",
    "ListGrants",
    "Grants",
    keep=("GrantId", "GranteePrincipal", "GranteeServicePrincipal", "Operations", "Constraints"),
)
LOG_GROUPS = Operation("logs", "DescribeLogGroups", "logGroups", keep=("logGroupName", "arn"))

OPERATIONS = tuple(value for value in tuple(vars().values()) if isinstance(value, Operation))
NAMED = {(operation.service, operation.name): operation for operation in OPERATIONS}

"""How the reader finds the identifiers that the commands of a fix leave open, such as VPCE_ID.

The reads of a cause come first. Where none of them shows an identifier, the one here is added to them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from probe.model import Advice, Cause
from probe.records import Record


class Lookup(Record, frozen=True):
    """A read that shows identifiers. `shown_by`: the commands that show them as well."""

    names: tuple[str, ...]
    shown_by: re.Pattern[str]
    command: str


def _lookup(names: str, shown_by: str, command: str) -> Lookup:
    return Lookup(tuple(names.split()), re.compile(shown_by), command)


_OWN_INTERFACE = (
    "aws ec2 describe-network-interfaces --region {task_region} --filters {by_own_address} "
    '--query "NetworkInterfaces[].[VpcId,SubnetId,Groups[].GroupId]"'
)
_INTERFACES = r"describe-network-interfaces (?!.*--query)|describe-network-interfaces .*"
LOOKUPS = (
    _lookup("VPC_ID", rf"(?:{_INTERFACES})VpcId|describe-vpc-endpoints .*VpcId", _OWN_INTERFACE),
    _lookup("SUBNET_ID", rf"(?:{_INTERFACES})SubnetId|describe-subnets", _OWN_INTERFACE),
    _lookup("GROUP_ID", rf"(?:{_INTERFACES})Groups|SecurityGroupIds", _OWN_INTERFACE),
    _lookup(
        "VPCE_ID",
        r"describe-vpc-endpoints .*--filters (?!.*--query (?!.*VpcEndpointId))",
        "aws ec2 describe-vpc-endpoints --region {task_region} --filters Name=service-name,Values={services} "
        '--query "VpcEndpoints[].[VpcEndpointId,ServiceName,VpcId]"',
    ),
    _lookup(
        "RTB_ID",
        "describe-route-tables .*RouteTableId",
        "aws ec2 describe-route-tables --region {task_region} --filters Name=association.subnet-id,Values=SUBNET_ID "
        '--query "RouteTables[].[RouteTableId,VpcId]"',
    ),
    _lookup("NAT_INSTANCE_ID", "describe-route-tables .*Routes", ""),  # the route's own field
    _lookup(
        "NAT_ID",
        "describe-nat-gateways",
        'aws ec2 describe-nat-gateways --region {task_region} --query "NatGateways[].[NatGatewayId,VpcId,State]"',
    ),
    _lookup(
        "EIGW_ID",
        "describe-egress-only-internet-gateways",
        "aws ec2 describe-egress-only-internet-gateways --region {task_region}",
    ),
    _lookup("ACL_ID", "describe-network-acls", "aws ec2 describe-network-acls --region {task_region}"),
    _lookup(
        "PREFIX_LIST_ID",
        "describe-managed-prefix-lists",
        "aws ec2 describe-managed-prefix-lists --region {task_region}",
    ),
    _lookup(
        "DOPT_ID", "describe-dhcp-options|create-dhcp-options", "aws ec2 describe-dhcp-options --region {task_region}"
    ),
    _lookup(
        "RULE_ID HUB_RULE_ID WRONG_RULE_ID TARGET_IP",
        "list-resolver-rules",
        "aws route53resolver list-resolver-rules --region {task_region}",
    ),
    _lookup(
        "ALLOWED_LIST_ID",
        "list-firewall-rules|list-firewall-domain-lists",
        "aws route53resolver list-firewall-domain-lists --region {task_region}",
    ),
    _lookup(
        "ZONE_ID",
        "list-hosted-zones-by-vpc",
        "aws route53 list-hosted-zones-by-vpc --vpc-id VPC_ID --vpc-region {task_region}",
    ),
    _lookup(
        "PROFILE_ID",
        "list-profile-associations|list-profiles",
        "aws route53profiles list-profiles --region {task_region}",
    ),
    _lookup(
        "RULE_GROUP", "list-rule-groups", "aws network-firewall list-rule-groups --region {task_region} --type STATEFUL"
    ),
    _lookup(
        "FIREWALL_POLICY",
        "list-firewall-policies",
        "aws network-firewall list-firewall-policies --region {task_region}",
    ),
    _lookup(
        "TLS_INSPECTION",
        "list-tls-inspection-configurations",
        "aws network-firewall list-tls-inspection-configurations --region {task_region}",
    ),
    # The command that saves what is there saves the token too.
    _lookup("UPDATE_TOKEN", r"network-firewall describe-[\w-]+ .*> OLD_", ""),
    _lookup(
        "BOUNDARY_ARN",
        "PermissionsBoundaryArn",
        "aws iam get-{grantee_kind} --{grantee_kind}-name {grantee} "
        '--query "*.PermissionsBoundary.PermissionsBoundaryArn"',
    ),
    _lookup(
        "POLICY_NAME",
        r"iam list-(?:role|user)-policies",
        "aws iam list-{grantee_kind}-policies --{grantee_kind}-name {grantee}",
    ),
    _lookup(
        "POLICY_ID",
        "list-policies-for-target",
        "aws organizations list-policies-for-target --target-id TARGET_ID --filter {each_organization_policy}",
    ),
    _lookup("TARGET_ID", "list-parents", "aws organizations list-parents --child-id {governed_account}"),
    _lookup(
        "EXECUTION_ROLE EXECUTION_ROLE_ARN",
        "executionRoleArn",
        "aws ecs describe-task-definition --region {task_region} --task-definition FAMILY "
        '--query "taskDefinition.executionRoleArn"',
    ),
    _lookup("KEY_ID", "encryptionConfiguration|KmsKeyId|KeyId", "aws kms list-keys --region {key_region}"),
    _lookup(
        "QUOTA_CODE",
        "list-service-quotas",
        "aws service-quotas list-service-quotas --region {region} --service-code ecr",
    ),
    _lookup(
        "PREFIX",
        "describe-pull-through-cache-rules",
        "aws ecr describe-pull-through-cache-rules --region {region} --registry-id {account}",
    ),
    _lookup(
        "SECRET_ARN", "list-secrets", 'aws secretsmanager list-secrets --region {region} --query "SecretList[].ARN"'
    ),
    _lookup("CLUSTER", "list-clusters", "aws ecs list-clusters --region {task_region}"),
    _lookup("SERVICE", "list-services", "aws ecs list-services --region {task_region} --cluster {cluster}"),
    _lookup(
        "TASK_ID TASK_ARN",
        "list-tasks",
        "aws ecs list-tasks --region {task_region} --cluster {cluster} --desired-status STOPPED",
    ),
    _lookup(
        "INSTANCE",
        "list-container-instances",
        "aws ecs list-container-instances --region {task_region} --cluster {cluster}",
    ),
    _lookup(
        "INSTANCE_ID",
        "describe-instances (?!.*--instance-ids)",
        "aws ec2 describe-instances --region {task_region} "
        '--query "Reservations[].Instances[].[InstanceId,PrivateIpAddress]"',
    ),
    _lookup(
        "LOG_GROUP",
        "describe-log-groups|logConfiguration",
        "aws logs describe-log-groups --region {log_region}",
    ),
    _lookup(
        "ACCESS_ROLE CALLER CREATOR_ROLE NODE_ROLE PULLING_ROLE PUSH_ROLE ROLE ROLE_ARN SAGEMAKER_ROLE SERVICE_ROLE",
        "list-roles",
        'aws iam list-roles --query "Roles[].[RoleName,Arn]"',
    ),
    _lookup(
        "CIDR ENDPOINT_CIDR ENDPOINT_IPV6_CIDR SUBNET_CIDR SUBNET_IPV6_CIDR",
        "describe-subnets",
        "aws ec2 describe-subnets --region {task_region} "
        '--query "Subnets[].[SubnetId,VpcId,CidrBlock,Ipv6CidrBlockAssociationSet[].Ipv6CidrBlock]"',
    ),
    _lookup("RESOLVER", "resolv.conf", "cat /etc/resolv.conf"),
    _lookup("FUNCTION", "list-functions", "aws lambda list-functions --region {task_region}"),
    _lookup("PROJECT", "list-projects", "aws codebuild list-projects --region {task_region}"),
)


def missing_lookups(fix: Advice, confirm: Advice) -> Iterator[str]:
    """The reads to add, so that each identifier in the commands of a fix is shown by one of them."""
    shown = [*fix.commands, *confirm.commands]
    for lookup in LOOKUPS:
        if fix.open_words.intersection(lookup.names) and not any(map(lookup.shown_by.search, shown)):
            shown.append(lookup.command)
            yield lookup.command


def lookups_of(cause: Cause) -> Advice:
    """The fewest reads of a cause that show the identifiers in its fix, with the note where these are all its reads."""
    shown = {command: _shown_by(command, cause.fix.open_words) for command in cause.confirm.commands}
    chosen: set[str] = set()
    missing: set[str] = set().union(*shown.values())
    while missing:
        best = max(shown, key=lambda command: len(shown[command] & missing))
        chosen.add(best)
        missing -= shown[best]
    reads = tuple(command for command in cause.confirm.commands if command in chosen)
    return Advice("", reads, cause.confirm.note if reads == cause.confirm.commands else None)


def _shown_by(command: str, words: AbstractSet[str]) -> set[str]:
    return {name for lookup in LOOKUPS if lookup.shown_by.search(command) for name in lookup.names if name in words}

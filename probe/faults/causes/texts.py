"""The shape of a cause's texts, and the reads that several causes share."""

from __future__ import annotations

from probe.records import Record


class CauseText(Record, frozen=True):
    """`fix` is an action with a command, `decide` the read that settles it. {names} are those of `values.py`."""

    title: str
    fix: str
    decide: str


# The reads. Capital words stand for what cannot be known from inside a task.
READ_ENDPOINTS = (
    "aws ec2 describe-vpc-endpoints --region {task_region} --filters Name=service-name,Values={services} "
    '--query "VpcEndpoints[].[VpcEndpointId,State,PrivateDnsEnabled,VpcId]"'
)
READ_GROUPS = (
    "aws ec2 describe-network-interfaces --region {task_region} --filters {by_address} "
    '--query "NetworkInterfaces[].Groups[].GroupId", then aws ec2 describe-security-groups --region {task_region} '
    "--group-ids GROUP_ID "
    "(in the account that owns the endpoints)"
)
READ_TASK_INTERFACE = (
    "aws ec2 describe-network-interfaces --region {task_region} --filters {by_own_address} "
    '--query "NetworkInterfaces[].[VpcId,SubnetId,Groups[].GroupId]"'
)
READ_ROUTES = (
    "aws ec2 describe-route-tables --region {task_region} --filters Name=association.subnet-id,Values=SUBNET_ID "
    '--query "RouteTables[].Routes" (of {own_subnet}; without an association of its own the main table of the '
    "VPC counts)"
)
READ_ACLS = (
    "aws ec2 describe-network-acls --region {task_region} --filters Name=association.subnet-id,Values=SUBNET_ID (of "
    "{own_subnet}{theirs})"
)
READ_ZONES = (
    "aws route53 list-hosted-zones-by-vpc --vpc-id VPC_ID --vpc-region {task_region} "
    "(shows zones of other accounts too; their records only to the account that owns them)"
)
READ_RESOLVER_RULES = (
    "aws route53resolver list-resolver-rule-associations --region {task_region} --filters Name=VPCId,Values=VPC_ID"
)
READ_FLOW_LOGS = (
    "aws ec2 describe-flow-logs --region {task_region} --filter Name=resource-id,Values=VPC_ID (their REJECT or "
    "missing records show the hop)"
)
READ_SIMULATION = "aws iam simulate-principal-policy --policy-source-arn {role_arn} --action-names {actions}"

"""What can cause a fault. Each cause is one constant: its code, its title, how to fix it and how to confirm it.

A word in capitals is a value that cannot be known from inside a task. `placeholders.py` has the {placeholders}.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from probe.model import Advice, Cause, Standing
from probe.records import Record


class CauseText(Record, frozen=True, kw_only=True):
    """A cause before a finding fills in its placeholders. `absence_of`: endpoints that it reports as missing."""

    code: str
    title: str
    fix: Advice
    confirm: Advice
    absence_of: tuple[str, ...] = ()

    def filled(self, standing: Standing, values: Mapping[str, Any]) -> Cause:
        """The cause of one finding, with `values` for its placeholders."""
        return Cause(
            code=self.code,
            standing=standing,
            title=self.title.format_map(values),
            fix=_filled(self.fix, values),
            confirm=_filled(self.confirm, values),
        )


def _filled(advice: Advice, values: Mapping[str, Any]) -> Advice:
    return Advice(
        advice.text.format_map(values),
        tuple(command.format_map(values) for command in advice.commands),
        advice.note.format_map(values) if advice.note is not None else None,
    )


def advice(text: str, *commands: str, note: str | None = None) -> Advice:
    """What to do, and the commands for it."""
    return Advice(text, commands, note)


def reads(*commands: str, note: str | None = None) -> Advice:
    """Commands that read what confirms a cause."""
    return Advice("", commands, note)


# ---- reads and commands that several causes share --------------------------------------------------------------------

OWNING_ACCOUNT = "Run it in the account that owns the endpoints."
READ_ENDPOINTS = reads(
    "aws ec2 describe-vpc-endpoints --region {task_region} --filters Name=service-name,Values={services} "
    '--query "VpcEndpoints[].[VpcEndpointId,State,PrivateDnsEnabled,VpcId]"'
)
READ_S3_ENDPOINTS = (
    "aws ec2 describe-vpc-endpoints --region {task_region} --filters Name=service-name,Values={s3_service}"
)
DESCRIBE_GROUP = "aws ec2 describe-security-groups --region {task_region} --group-ids GROUP_ID"
READ_GROUPS = reads(
    "aws ec2 describe-network-interfaces --region {task_region} --filters {by_address} "
    '--query "NetworkInterfaces[].Groups[].GroupId"',
    DESCRIBE_GROUP,
    note=OWNING_ACCOUNT,
)
DESCRIBE_TASK_INTERFACE = (
    "aws ec2 describe-network-interfaces --region {task_region} --filters {by_own_address} "
    '--query "NetworkInterfaces[].[VpcId,SubnetId,Groups[].GroupId]"'
)
READ_ROUTES = reads(
    "aws ec2 describe-route-tables --region {task_region} --filters Name=association.subnet-id,Values=SUBNET_ID "
    '--query "RouteTables[].Routes"',
    note="SUBNET_ID is {own_subnet}. A subnet without its own association uses the VPC's main route table.",
)
# AWS[profile-contents], AWS[hidden-endpoint-zones]
READ_PROFILES = (
    "aws route53profiles list-profile-associations --region {task_region} --resource-id VPC_ID "
    '--query "ProfileAssociations[].[ProfileId,Status]"',
    "aws route53profiles list-profile-resource-associations --region {task_region} --profile-id PROFILE_ID "
    '--query "ProfileResourceAssociations[].[ResourceType,ResourceArn,Status]"',
)
READ_ZONES = reads(
    "aws route53 list-hosted-zones-by-vpc --vpc-id VPC_ID --vpc-region {task_region}",
    *READ_PROFILES,
    note=(
        "The first one also lists zones of other accounts, whose records only their owner can read. It lists neither "
        "zones of a Route 53 Profile nor the hidden zone of an endpoint's private DNS."
    ),
)
DESCRIBE_TASK = "aws ecs describe-tasks --region {task_region} --cluster {cluster} --tasks {task}"
REGISTER = "aws ecs register-task-definition --cli-input-json file://TASK_DEFINITION.json"


def read_task_definition(query: str) -> Advice:
    """Read these fields of the task definition."""
    command = "aws ecs describe-task-definition --task-definition FAMILY"
    return reads(f'{command} --query "taskDefinition.{query}"')


READ_IMAGE_FIELD = read_task_definition("containerDefinitions[].image")
READ_MANIFEST = (
    "aws ecr batch-get-image --region {region} --registry-id {account} --repository-name {repository} "
    "--image-ids imageTag={tag}"
)
READ_POLICY = reads(
    "aws ec2 describe-vpc-endpoints --region {task_region} --filters Name=service-name,Values={services} "
    '--query "VpcEndpoints[].PolicyDocument"',
    note=OWNING_ACCOUNT,
)
SET_POLICY = (
    "aws ec2 modify-vpc-endpoint --region {task_region} --vpc-endpoint-id VPCE_ID --policy-document file://POLICY.json"
)
READ_ISSUER = reads(
    "openssl s_client -connect {host}:443 -servername {host} </dev/null | openssl x509 -noout -issuer -dates",
    note="Run it in the task's subnet.",
)
CREATE_ENDPOINT = advice(
    "create the VPC endpoint {service}",
    "aws ec2 create-vpc-endpoint --region {task_region} --vpc-id VPC_ID --vpc-endpoint-type Interface "
    "--service-name {service} --subnet-ids SUBNET_ID --security-group-ids GROUP_ID --private-dns-enabled",
)
CREATE_S3_GATEWAY = advice(
    "create the gateway endpoint {s3_service}",
    "aws ec2 create-vpc-endpoint --region {task_region} --vpc-id VPC_ID --vpc-endpoint-type Gateway "
    "--service-name {s3_service} --route-table-ids RTB_ID",
)
SET_REPOSITORY_POLICY = (
    "aws ecr set-repository-policy --region {region} --registry-id {account} --repository-name {repository} "
    "--policy-text file://POLICY.json"
)

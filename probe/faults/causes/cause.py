"""What can cause a fault. Each cause is one constant: its code, its title, how to fix it and how to confirm it.

A word in capitals is a value that cannot be known from inside a task. `placeholders.py` has the {placeholders}; a
command with one that begins with "each_" is repeated for each of its values.
"""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping
from typing import Any

from probe.faults.causes.lookups import missing_lookups
from probe.model import Advice, Cause, Standing
from probe.records import Record, replace


class CauseText(Record, frozen=True, kw_only=True):
    """A cause before a finding fills in its placeholders. `absence_of`: endpoints that it reports as missing.

    `fix_of_deny` is the fix where AWS's answer names an explicit deny, which no Allow can overrule.
    """

    code: str
    title: str
    fix: Advice
    confirm: Advice
    absence_of: tuple[str, ...] = ()
    fix_of_deny: Advice | None = None

    def variant(self, **changes: Any) -> CauseText:
        """The same cause in the wording of a special case. `changes` are fields of this one."""
        return replace(self, **changes)

    @property
    def outside_ecs(self) -> CauseText:
        """The same cause for a client that reads no task definition."""
        commands = tuple(command for command in self.fix.commands if command != REGISTER)
        return replace(self, fix=replace(self.fix, commands=commands))

    def filled(self, standing: Standing, values: Mapping[str, Any]) -> Cause:
        """The cause of one finding, with `values` for its placeholders."""
        fix = self.fix_of_deny if self.fix_of_deny is not None and values["is_explicit_deny"] else self.fix
        filled, confirm = _filled(fix, values), _filled(self.confirm, values)
        lookups = missing_lookups(filled, confirm)
        added = tuple(command for template in lookups for command in _commands(template, values))
        return Cause(
            code=self.code,
            standing=standing,
            title=self.title.format_map(values),
            fix=filled,
            confirm=replace(confirm, commands=(*confirm.commands, *added)),
        )


def _filled(advice: Advice, values: Mapping[str, Any]) -> Advice:
    return Advice(
        advice.text.format_map(values),
        tuple(command for template in advice.commands for command in _commands(template, values)),
        advice.note.format_map(values) if advice.note is not None else None,
    )


def _commands(template: str, values: Mapping[str, Any]) -> Iterator[str]:
    """The command, once for each value of its placeholder that has several."""
    fields = (field for _, field, _, _ in string.Formatter().parse(template))
    name = next((field for field in fields if field is not None and field.startswith("each_")), None)
    if name is None:
        yield template.format_map(values)
        return
    for value in values[name]:
        yield template.format_map({**values, name: value})


def advice(text: str, *commands: str, note: str | None = None) -> Advice:
    """What to do, and the commands for it."""
    return Advice(text, commands, note)


def reads(*commands: str, note: str | None = None) -> Advice:
    """Commands that read what confirms a cause."""
    return Advice("", commands, note)


class Replacement(Record, frozen=True):
    """A command that replaces the whole of `what`, and the command that saves or prints what is there."""

    what: str
    save: str
    command: str

    def to(self, text: str, *after: str, note: str | None = None) -> Advice:
        """Replace it in order to do `text`; `after` are the commands that follow."""
        warning = f"The second command replaces {self.what} as a whole; the first one saves what is there now."
        return Advice(text, (self.save, self.command, *after), f"{warning} {note}" if note else warning)


# ---- reads and commands that several causes share --------------------------------------------------------------------

# A participant account of a shared VPC sees no endpoints.
OWNING_ACCOUNT = (
    "Run describe-vpc-endpoints in the account that owns the endpoints; in another one the answer is empty."
)
READ_ENDPOINTS = reads(
    "aws ec2 describe-vpc-endpoints --region {task_region} --filters Name=service-name,Values={services} "
    '--query "VpcEndpoints[].[ServiceName,ServiceRegion,VpcEndpointType,VpcEndpointId,State,PrivateDnsEnabled,VpcId]"',
    note=OWNING_ACCOUNT,
)
READ_S3_ENDPOINTS = (
    "aws ec2 describe-vpc-endpoints --region {task_region} --filters Name=service-name,Values={s3_services}"
)
DESCRIBE_GROUP = "aws ec2 describe-security-groups --region {task_region} --group-ids GROUP_ID"
READ_GROUPS = reads(
    "aws ec2 describe-network-interfaces --region {task_region} --filters {by_address} "
    '--query "NetworkInterfaces[].[VpcId,NetworkInterfaceId,InterfaceType,Status,Groups[].GroupId]"',
    DESCRIBE_GROUP,
    note="{whose_interface}.",
)
DESCRIBE_TASK_INTERFACE = (
    "aws ec2 describe-network-interfaces --region {task_region} --filters {by_own_address} "
    '--query "NetworkInterfaces[].[VpcId,SubnetId,Groups[].GroupId]"'
)
READ_ROUTES = reads(
    "aws ec2 describe-route-tables --region {task_region} --filters Name=association.subnet-id,Values=SUBNET_ID "
    '--query "RouteTables[].[RouteTableId,Routes]"',
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
REGISTER = "aws ecs register-task-definition --region {task_region} --cli-input-json file://TASK_DEFINITION.json"


def read_task_definition(query: str) -> Advice:
    """Read these fields of the task definition."""
    command = "aws ecs describe-task-definition --region {task_region} --task-definition FAMILY"
    return reads(f'{command} --query "taskDefinition.{query}"')


READ_IMAGE_FIELD = read_task_definition("containerDefinitions[].image")
READ_MANIFEST = (
    "aws ecr batch-get-image --region {region} --registry-id {account} --repository-name {repository} "
    "--image-ids {image_id}"
)
READ_POLICY = reads(
    "aws ec2 describe-vpc-endpoints --region {task_region} --filters Name=service-name,Values={services} "
    '--query "VpcEndpoints[].[VpcId,VpcEndpointId,VpcEndpointType,PolicyDocument]"',
    note=OWNING_ACCOUNT,
)
ENDPOINT_POLICY = Replacement(
    "the endpoint's policy",
    "aws ec2 describe-vpc-endpoints --region {task_region} --vpc-endpoint-ids VPCE_ID "
    '--query "VpcEndpoints[0].PolicyDocument" --output text > OLD_POLICY.json',
    "aws ec2 modify-vpc-endpoint --region {task_region} --vpc-endpoint-id VPCE_ID --policy-document file://POLICY.json",
)
READ_ISSUER = reads(
    "openssl s_client -connect {host}:443 -servername {host} </dev/null | openssl x509 -noout -issuer -dates",
    note="Run openssl in the task's subnet.",
)
CREATE_ENDPOINT = advice(
    "create the {vpc_endpoints} {service}",
    "aws ec2 create-vpc-endpoint --region {task_region} --vpc-id VPC_ID --vpc-endpoint-type Interface "
    "--service-name {each_service} --subnet-ids SUBNET_ID --security-group-ids GROUP_ID --private-dns-enabled",
)
# AWS[s3-gateway-cuts-connections]: creating a gateway endpoint and associating a route table.
CUTS_S3_CONNECTIONS = "This interrupts the S3 connections that are open in the subnets of that route table."
CREATE_S3_GATEWAY = advice(
    "create the gateway endpoint {s3_service}",
    "aws ec2 create-vpc-endpoint --region {task_region} --vpc-id VPC_ID --vpc-endpoint-type Gateway "
    "--service-name {s3_service} --route-table-ids RTB_ID{gateway_address_type}",
    note=CUTS_S3_CONNECTIONS,
)
_REPOSITORY = "--region {region} --registry-id {account} --repository-name {repository}"
REPOSITORY_POLICY_DOCUMENT = Replacement(
    "the repository's policy",
    f"aws ecr get-repository-policy {_REPOSITORY} --query policyText --output text > OLD_POLICY.json",
    f"aws ecr set-repository-policy {_REPOSITORY} --policy-text file://POLICY.json",
)
REGISTRY_POLICY_DOCUMENT = Replacement(
    "the registry's policy",
    "aws ecr get-registry-policy --region {region} --query policyText --output text > OLD_POLICY.json",
    "aws ecr put-registry-policy --region {region} --policy-text file://POLICY.json",
)


def service_network(options: str) -> Replacement:
    """Replace a service's network configuration by these options."""
    return Replacement(
        "the service's network configuration",
        "aws ecs describe-services --region {task_region} --cluster {cluster} --services SERVICE "
        '--query "services[].networkConfiguration" > OLD_NETWORK.json',
        "aws ecs update-service --region {task_region} --cluster {cluster} --service SERVICE "
        f'--network-configuration "awsvpcConfiguration={{{{{options}}}}}"',
    )

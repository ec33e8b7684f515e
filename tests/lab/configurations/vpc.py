"""The healthy VPC of the laboratory in the API's own shape, and what generates a configuration from it."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from probe.sim.task import ID as TASK_ID
from tests.inspect.vpc import Account, dns_entries
from tests.lab.cloud import ACCOUNT, ENIS, HOSTS, LOG_GROUP, REGION, TASK, ZONES

Item = dict[str, Any]

VPC, RANGE = "vpc-0a000000", "10.0.0.0/16"
TASK_SUBNET, NAT_SUBNET = "subnet-0a000001", "subnet-0a000030"
SUBNETS = {"a": "subnet-0a000010", "b": "subnet-0a000020"}  # of the endpoints, by zone
TASK_GROUP, ENDPOINT_GROUP, OTHER_GROUP = "sg-0a000000", "sg-0e000000", "sg-0b000000"
TASK_INTERFACE, TASK_ARN = "eni-0a000000", f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/main/{TASK_ID}"
ENDPOINTS = {name: f"vpce-0e00000{number}" for number, name in enumerate(HOSTS, 1)}
GATEWAY, NAT, S3_LIST, OWN_LIST = "vpce-0e000009", "nat-0a000000", "pl-0a000003", "pl-0b000000"
S3_RANGES = ("52.216.0.0/15", "54.231.0.0/16")
MAIN_TABLE, PRIVATE_TABLE, PUBLIC_TABLE = "rtb-0a000000", "rtb-0b000000", "rtb-0c000000"
DEFAULT_ACL, TASK_ACL, ENDPOINT_ACL = "acl-0a000000", "acl-0b000000", "acl-0c000000"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/puller"

Confirmed = frozenset[tuple[str, str]]  # causes, each with the id of its object
NOTHING: Confirmed = frozenset()


@dataclass(frozen=True, slots=True)
class Mutation:
    """One change of a healthy configuration, and what is confirmed because of it; nothing where it is harmless."""

    name: str
    confirmed: Confirmed
    undecided: bool = False  # it breaks something or nothing, depending on what no configuration contains


@dataclass
class Generated:
    """A configuration in the API's shape, with what was mutated."""

    seed: int
    account: Account
    rng: random.Random
    mutations: list[Mutation] = field(default_factory=list)

    @property
    def name(self) -> str:
        return "-".join([f"seed{self.seed}", *(mutation.name for mutation in self.mutations or [])])

    @property
    def confirmed(self) -> Confirmed:
        return frozenset(pair for mutation in self.mutations for pair in mutation.confirmed)

    @property
    def is_undecided(self) -> bool:
        return any(mutation.undecided for mutation in self.mutations)

    @property
    def groups_of_task(self) -> list[str]:
        return [group["GroupId"] for group in self.object(TASK_INTERFACE)["Groups"]]

    @property
    def ranges(self) -> list[str]:
        """The ranges of all VPCs, of both address families."""
        vpcs = self.objects("Vpcs")
        ipv4 = [entry["CidrBlock"] for vpc in vpcs for entry in vpc["CidrBlockAssociationSet"]]
        ipv6 = [entry["Ipv6CidrBlock"] for vpc in vpcs for entry in vpc.get("Ipv6CidrBlockAssociationSet", ())]
        return [*ipv4, *ipv6]

    def object(self, identity: str) -> Item:
        return self.account.object(identity)

    def objects(self, members: str, service: str = "ec2") -> list[Item]:
        return self.account.objects.setdefault(service, {}).setdefault(members, [])


# ---- the healthy VPC -------------------------------------------------------------------------------------------------


def subnet_item(identity: str, cidr: str, zone: str) -> Item:
    return {
        "SubnetId": identity,
        "VpcId": VPC,
        "CidrBlock": cidr,
        "AvailabilityZone": f"{REGION}{zone}",
        "OwnerId": ACCOUNT,
    }


def network_interface(identity: str, subnet: str, address: str, group: str, kind: str) -> Item:
    return {
        "NetworkInterfaceId": identity,
        "VpcId": VPC,
        "SubnetId": subnet,
        "AvailabilityZone": f"{REGION}{next((zone for zone, own in SUBNETS.items() if own == subnet), 'a')}",
        "Groups": [{"GroupId": group}],
        "PrivateIpAddress": address,
        "PrivateIpAddresses": [{"PrivateIpAddress": address, "Primary": True}],
        "InterfaceType": kind,
        "Status": "in-use",
    }


def interface_endpoint(name: str) -> Item:
    return {
        "VpcEndpointId": ENDPOINTS[name],
        "VpcEndpointType": "Interface",
        "VpcId": VPC,
        "ServiceName": f"com.amazonaws.{REGION}.{name}",
        "State": "available",
        "PrivateDnsEnabled": True,
        "NetworkInterfaceIds": [interface_of(zone, name) for zone in ZONES],
        "SubnetIds": list(SUBNETS.values()),
        "DnsEntries": dns_entries(ENDPOINTS[name], name, REGION),
        "Groups": [{"GroupId": ENDPOINT_GROUP}],
    }


def interface_of(zone: str, name: str) -> str:
    return f"eni-0e0000{zone}{list(HOSTS).index(name)}"


def route_table(identity: str, *routes: Item, subnet: str | None = None) -> Item:
    association = {"SubnetId": subnet} if subnet else {"Main": True}
    return {
        "RouteTableId": identity,
        "VpcId": VPC,
        "Associations": [{**association, "RouteTableId": identity}],
        "Routes": [{"DestinationCidrBlock": RANGE, "GatewayId": "local", "State": "active"}, *routes],
    }


TO_GATEWAY = {"DestinationPrefixListId": S3_LIST, "GatewayId": GATEWAY, "State": "active"}
OUT_BY_NAT = {"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": NAT, "State": "active"}


def network_acl(identity: str, *subnets: str, entries: list[Item], default: bool = False) -> Item:
    return {
        "NetworkAclId": identity,
        "VpcId": VPC,
        "IsDefault": default,
        "Associations": [{"NetworkAclId": identity, "SubnetId": subnet} for subnet in subnets],
        "Entries": [*entries, *(acl_entry(32767, egress, "-1", "0.0.0.0/0", allow=False) for egress in (True, False))],
    }


def acl_entry(
    number: int, egress: bool, protocol: str, cidr: str, ports: tuple[int, int] | None = None, *, allow: bool = True
) -> Item:
    entry = {
        "RuleNumber": number,
        "Egress": egress,
        "Protocol": protocol,
        "CidrBlock": cidr,
        "RuleAction": "allow" if allow else "deny",
    }
    return entry if ports is None else {**entry, "PortRange": {"From": ports[0], "To": ports[1]}}


def permission(protocol: str = "tcp", ports: tuple[int, int] | None = (443, 443), **peers: str) -> Item:
    """A permission of a group for `cidr`, `group` or `prefix_list`."""
    shapes = {
        "cidr": ("IpRanges", "CidrIp"),
        "group": ("UserIdGroupPairs", "GroupId"),
        "prefix_list": ("PrefixListIds", "PrefixListId"),
    }
    rule: Item = {"IpProtocol": protocol}
    if ports is not None and protocol != "-1":
        rule |= {"FromPort": ports[0], "ToPort": ports[1]}
    for name, value in peers.items():
        members, member = shapes[name]
        rule[members] = [{member: value}]
    return rule


def security_group(identity: str, ingress: list[Item], egress: list[Item]) -> Item:
    return {"GroupId": identity, "VpcId": VPC, "IpPermissions": ingress, "IpPermissionsEgress": egress}


def healthy() -> Account:
    """The laboratory's VPC as an account: a task, endpoints of two zones, a gateway endpoint, and no way out."""
    endpoint_interfaces = [
        network_interface(interface_of(zone, name), SUBNETS[zone], address, ENDPOINT_GROUP, "vpc_endpoint")
        for (zone, name), address in ENIS.items()
    ]
    gateway = {
        "VpcEndpointId": GATEWAY,
        "VpcEndpointType": "Gateway",
        "VpcId": VPC,
        "ServiceName": f"com.amazonaws.{REGION}.s3",
        "State": "available",
        "RouteTableIds": [MAIN_TABLE],
    }
    everything = [acl_entry(100, egress, "-1", "0.0.0.0/0") for egress in (True, False)]
    dhcp = {"Key": "domain-name-servers", "Values": [{"Value": "AmazonProvidedDNS"}]}
    lists = {S3_LIST: f"com.amazonaws.{REGION}.s3", OWN_LIST: "tasks"}
    entries = [(S3_LIST, cidr) for cidr in S3_RANGES] + [(OWN_LIST, cidr) for cidr in ("10.0.1.0/26", "10.0.1.64/26")]
    return Account(
        objects={
            "ec2": {
                "Vpcs": [
                    {
                        "VpcId": VPC,
                        "CidrBlock": RANGE,
                        "CidrBlockAssociationSet": [{"CidrBlock": RANGE}],
                        "DhcpOptionsId": "dopt-0a000000",
                        "OwnerId": ACCOUNT,
                    }
                ],
                "DhcpOptions": [{"DhcpOptionsId": "dopt-0a000000", "DhcpConfigurations": [dhcp]}],
                "Subnets": [
                    subnet_item(TASK_SUBNET, "10.0.1.0/24", "a"),
                    *(subnet_item(SUBNETS[zone], f"{net}.0/24", zone) for zone, net in ZONES.items()),
                    subnet_item(NAT_SUBNET, "10.0.30.0/24", "a"),
                ],
                "NetworkInterfaces": [
                    network_interface(TASK_INTERFACE, TASK_SUBNET, TASK, TASK_GROUP, "interface"),
                    *endpoint_interfaces,
                ],
                "SecurityGroups": [
                    security_group(TASK_GROUP, [], [permission("-1", cidr="0.0.0.0/0")]),
                    security_group(ENDPOINT_GROUP, [permission(cidr=RANGE)], []),
                    security_group(OTHER_GROUP, [], []),
                ],
                "NetworkAcls": [network_acl(DEFAULT_ACL, NAT_SUBNET, entries=everything, default=True)],
                "RouteTables": [
                    route_table(MAIN_TABLE, dict(TO_GATEWAY)),
                    route_table(
                        PUBLIC_TABLE,
                        {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-0a000000", "State": "active"},
                        subnet=NAT_SUBNET,
                    ),
                ],
                "NatGateways": [
                    {
                        "NatGatewayId": NAT,
                        "VpcId": VPC,
                        "SubnetId": NAT_SUBNET,
                        "State": "available",
                        "ConnectivityType": "public",
                    }
                ],
                "VpcEndpoints": [*map(interface_endpoint, HOSTS), gateway],
                "PrefixLists": [
                    {"PrefixListId": identity, "PrefixListName": name, "AddressFamily": "IPv4", "OwnerId": "AWS"}
                    for identity, name in lists.items()
                ],
                "Entries": [{"Cidr": cidr, "_PrefixListId": identity} for identity, cidr in entries],
            },
            "ecr": {"imageDetails": [_IMAGE]},
            "ecs": {"tasks": [_TASK]},
        },
        replies=_replies(),
    )


_IMAGE = {
    "repositoryName": "app",
    "imageDigest": f"sha256:{'0' * 64}",
    "imageTags": ["1"],
    "imageStatus": "ACTIVE",
    "imageManifestMediaType": "application/vnd.oci.image.index.v1+json",
}
_DETAILS = {"networkInterfaceId": TASK_INTERFACE, "subnetId": TASK_SUBNET, "privateIPv4Address": TASK}
_TASK = {
    "taskArn": TASK_ARN,
    "clusterArn": "main",
    "taskDefinitionArn": "app:1",
    "launchType": "FARGATE",
    "attachments": [{"type": "eni", "details": [{"name": key, "value": value} for key, value in _DETAILS.items()]}],
}


def _replies() -> dict[str, Item]:
    log = {"awslogs-group": LOG_GROUP, "awslogs-region": REGION, "awslogs-stream-prefix": "ecs"}
    container = {
        "name": "app",
        "image": f"{HOSTS['ecr.dkr']}/app:1",
        "logConfiguration": {"logDriver": "awslogs", "options": log},
    }
    statement = {"Effect": "Allow", "Action": ["ecr:*", "logs:*"], "Resource": "*"}
    trust = {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
    version = {"Version": "2012-10-17"}
    return {
        "ecs:DescribeTaskDefinition": {
            "taskDefinition": {
                "taskDefinitionArn": "app:1",
                "executionRoleArn": ROLE,
                "networkMode": "awsvpc",
                "runtimePlatform": {"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"},
                "containerDefinitions": [container],
            }
        },
        "ec2:DescribeVpcBlockPublicAccessOptions": {"VpcBlockPublicAccessOptions": {"InternetGatewayBlockMode": "off"}},
        "iam:GetRole": {"Role": {"Arn": ROLE, "AssumeRolePolicyDocument": {**version, "Statement": [trust]}}},
        "iam:ListRolePolicies": {"PolicyNames": ["pull"]},
        "iam:GetRolePolicy": {"PolicyDocument": {**version, "Statement": [statement]}},
        "iam:ListAttachedRolePolicies": {"AttachedPolicies": []},
        "ecr:DescribeRepositories": {
            "repositories": [{"repositoryName": "app", "encryptionConfiguration": {"encryptionType": "AES256"}}]
        },
        "logs:DescribeLogGroups": {"logGroups": [{"logGroupName": LOG_GROUP}]},
    }


def table_of_task(made: Generated) -> str:
    tables = [table["RouteTableId"] for table in made.objects("RouteTables")]
    return PRIVATE_TABLE if PRIVATE_TABLE in tables else MAIN_TABLE


def set_routes(made: Generated, *routes: Item) -> str:
    """The task's table has only the local route and these."""
    table = table_of_task(made)
    made.object(table)["Routes"][1:] = [dict(route) for route in routes]
    return table


def add_zone(made: Generated, identity: str, zone: str, *records: Item) -> None:
    """A private zone of the account, associated with the VPC."""
    made.objects("HostedZones", "route53").append({"Id": f"/hostedzone/{identity}", "Name": f"{zone}."})
    summary = {"HostedZoneId": identity, "Name": f"{zone}.", "Owner": {"OwningAccount": ACCOUNT}, "_VPCId": [VPC]}
    made.objects("HostedZoneSummaries", "route53").append(summary)
    made.objects("ResourceRecordSets", "route53").extend({**each, "_HostedZoneId": identity} for each in records)
    reply = {"HostedZone": {"Id": f"/hostedzone/{identity}", "Name": f"{zone}."}, "VPCs": [{"VPCId": VPC}]}
    made.account.replies[f"route53:GetHostedZone {identity}"] = reply


def confirms(cause: str, identity: str) -> Confirmed:
    return frozenset({(cause, identity)})


Mutate = Callable[[Generated], Confirmed]

"""Seeded configurations of the laboratory's VPC: healthy in one of many ways, but for up to two mutations.

A seed always gives the same configuration, so a failing one can be tried again by its name.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from probe.sim.task import ID as TASK_ID
from tests.inspect.vpc import Account, dns_entries
from tests.lab.cloud import ACCOUNT, ENIS, HOSTS, LAYERS, LOG_GROUP, REGION, TASK, ZONES

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


@dataclass(frozen=True, slots=True)
class Mutation:
    """One change of a healthy configuration, and what is confirmed because of it; nothing where it is harmless."""

    name: str
    confirmed: Confirmed


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
        """Whether one of the mutations breaks something or nothing, depending on what no configuration says."""
        return any(mutation.name in UNDECIDED for mutation in self.mutations)

    @property
    def groups_of_task(self) -> list[str]:
        return [group["GroupId"] for group in self.object(TASK_INTERFACE)["Groups"]]

    def object(self, identity: str) -> Item:
        return self.account.object(identity)

    def objects(self, members: str, service: str = "ec2") -> list[Item]:
        return self.account.objects.setdefault(service, {}).setdefault(members, [])


def generated(seed: int, *mutations: str) -> Generated:
    """The configuration of this seed, with these mutations."""
    made = Generated(seed, _healthy(), random.Random(seed))
    _vary(made)
    made.mutations = [Mutation(name, MUTATIONS[name](made)) for name in mutations]
    return made


def _area(mutation: str) -> str:
    return mutation.partition("-")[0]


# ---- the healthy VPC -------------------------------------------------------------------------------------------------


def _subnet(identity: str, cidr: str, zone: str) -> Item:
    return {
        "SubnetId": identity,
        "VpcId": VPC,
        "CidrBlock": cidr,
        "AvailabilityZone": f"{REGION}{zone}",
        "OwnerId": ACCOUNT,
    }


def _interface(identity: str, subnet: str, address: str, group: str, kind: str) -> Item:
    return {
        "NetworkInterfaceId": identity,
        "VpcId": VPC,
        "SubnetId": subnet,
        "Groups": [{"GroupId": group}],
        "PrivateIpAddress": address,
        "PrivateIpAddresses": [{"PrivateIpAddress": address, "Primary": True}],
        "InterfaceType": kind,
        "Status": "in-use",
    }


def _endpoint(name: str) -> Item:
    return {
        "VpcEndpointId": ENDPOINTS[name],
        "VpcEndpointType": "Interface",
        "VpcId": VPC,
        "ServiceName": f"com.amazonaws.{REGION}.{name}",
        "State": "available",
        "PrivateDnsEnabled": True,
        "NetworkInterfaceIds": [_interface_of(zone, name) for zone in ZONES],
        "SubnetIds": list(SUBNETS.values()),
        "DnsEntries": dns_entries(ENDPOINTS[name], name, REGION),
        "Groups": [{"GroupId": ENDPOINT_GROUP}],
    }


def _interface_of(zone: str, name: str) -> str:
    return f"eni-0e0000{zone}{list(HOSTS).index(name)}"


def _table(identity: str, *routes: Item, subnet: str | None = None) -> Item:
    association = {"SubnetId": subnet} if subnet else {"Main": True}
    return {
        "RouteTableId": identity,
        "VpcId": VPC,
        "Associations": [{**association, "RouteTableId": identity}],
        "Routes": [{"DestinationCidrBlock": RANGE, "GatewayId": "local", "State": "active"}, *routes],
    }


_TO_GATEWAY = {"DestinationPrefixListId": S3_LIST, "GatewayId": GATEWAY, "State": "active"}
_OUT_BY_NAT = {"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": NAT, "State": "active"}


def _acl(identity: str, *subnets: str, entries: list[Item], default: bool = False) -> Item:
    return {
        "NetworkAclId": identity,
        "VpcId": VPC,
        "IsDefault": default,
        "Associations": [{"NetworkAclId": identity, "SubnetId": subnet} for subnet in subnets],
        "Entries": [*entries, *(_entry(32767, egress, "-1", "0.0.0.0/0", allow=False) for egress in (True, False))],
    }


def _entry(
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


def _rule(protocol: str = "tcp", ports: tuple[int, int] | None = (443, 443), **peers: str) -> Item:
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


def _group(identity: str, ingress: list[Item], egress: list[Item]) -> Item:
    return {"GroupId": identity, "VpcId": VPC, "IpPermissions": ingress, "IpPermissionsEgress": egress}


def _healthy() -> Account:
    """The laboratory's VPC as an account: a task, endpoints of two zones, a gateway endpoint, and no way out."""
    endpoint_interfaces = [
        _interface(_interface_of(zone, name), SUBNETS[zone], address, ENDPOINT_GROUP, "vpc_endpoint")
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
    everything = [_entry(100, egress, "-1", "0.0.0.0/0") for egress in (True, False)]
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
                    _subnet(TASK_SUBNET, "10.0.1.0/24", "a"),
                    *(_subnet(SUBNETS[zone], f"{net}.0/24", zone) for zone, net in ZONES.items()),
                    _subnet(NAT_SUBNET, "10.0.30.0/24", "a"),
                ],
                "NetworkInterfaces": [
                    _interface(TASK_INTERFACE, TASK_SUBNET, TASK, TASK_GROUP, "interface"),
                    *endpoint_interfaces,
                ],
                "SecurityGroups": [
                    _group(TASK_GROUP, [], [_rule("-1", cidr="0.0.0.0/0")]),
                    _group(ENDPOINT_GROUP, [_rule(cidr=RANGE)], []),
                    _group(OTHER_GROUP, [], []),
                ],
                "NetworkAcls": [_acl(DEFAULT_ACL, NAT_SUBNET, entries=everything, default=True)],
                "RouteTables": [
                    _table(MAIN_TABLE, dict(_TO_GATEWAY)),
                    _table(
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
                "VpcEndpoints": [*map(_endpoint, HOSTS), gateway],
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


# ---- ways to be healthy ----------------------------------------------------------------------------------------------


def _vary(made: Generated) -> None:
    """Choose other rules, entries, tables and zones that admit a pull too."""
    rng = made.rng
    made.object(ENDPOINT_GROUP)["IpPermissions"] = rng.choice(_ADMITTING)
    made.object(TASK_GROUP)["IpPermissionsEgress"] = rng.choice(_LETTING_OUT)
    if rng.random() < 0.3:  # the union of two groups counts
        made.object(OTHER_GROUP)["IpPermissions"] = [_rule("-1", group=OTHER_GROUP), _rule("udp", cidr="0.0.0.0/0")]
        _join(made, ENDPOINT_GROUP, OTHER_GROUP)
    if rng.random() < 0.5:
        _own_acl(made, TASK_ACL, TASK_SUBNET)
    if rng.random() < 0.5:
        _own_acl(made, ENDPOINT_ACL, *SUBNETS.values())
    if rng.random() < 0.4:
        _own_table(made)
    if rng.random() < 0.3:
        made.object(_table_of_task(made))["Routes"].append(dict(_OUT_BY_NAT))
    if rng.random() < 0.3:
        _zone_instead_of_private_dns(made, rng.choice(list(HOSTS)))


# Each list admits 443 from the task, the last by two rules of which either is too narrow for the subnet.
_ADMITTING: tuple[list[Item], ...] = (
    [_rule(cidr=RANGE)],
    [_rule("6", cidr="10.0.1.0/24")],
    [_rule("-1", cidr=f"{TASK}/32")],
    [_rule(group=TASK_GROUP)],
    [_rule(prefix_list=OWN_LIST)],
    [_rule("udp", cidr=RANGE), _rule("tcp", (0, 65535), cidr="10.0.0.0/23")],
    [_rule(cidr="10.0.1.0/26"), _rule(ports=(80, 443), cidr="10.0.1.64/26"), _rule(ports=(22, 22), cidr=RANGE)],
)
_LETTING_OUT: tuple[list[Item], ...] = (
    [_rule("-1", cidr="0.0.0.0/0")],
    [_rule(cidr="0.0.0.0/0")],
    [_rule(cidr=RANGE), _rule(prefix_list=S3_LIST)],
    [_rule(group=ENDPOINT_GROUP), _rule(cidr="52.216.0.0/15"), _rule(cidr="54.231.0.0/16")],
    [_rule("6", (1, 1023), cidr="0.0.0.0/1"), _rule(cidr="128.0.0.0/1")],
)


def _join(made: Generated, with_group: str, group: str) -> None:
    """Give a further group to every interface that has `with_group`."""
    for interface in made.objects("NetworkInterfaces"):
        if {"GroupId": with_group} in interface["Groups"]:
            interface["Groups"].append({"GroupId": group})


def _own_acl(made: Generated, identity: str, *subnets: str) -> None:
    """An ACL with only what is needed, in one of two styles."""
    tasks = identity == TASK_ACL
    entries = [
        _entry(100, tasks, "6", "0.0.0.0/0", (443, 443)),
        _entry(100, not tasks, "6", "0.0.0.0/0", (1024, 65535)),
        _entry(90, tasks, "17", "0.0.0.0/0", allow=False),  # UDP is not TCP
        _entry(50, False, "6", "10.9.0.0/16", allow=False),  # no host is there
    ]
    if made.rng.random() < 0.5:
        entries = [
            *(_entry(200, egress, "-1", "0.0.0.0/0") for egress in (True, False)),
            _entry(300, tasks, "6", "0.0.0.0/0", (443, 443), allow=False),  # too late to count
            _entry(110, not tasks, "6", "0.0.0.0/0", (22, 22), allow=False),
        ]
    made.rng.shuffle(entries)  # the API promises no order
    made.objects("NetworkAcls").append(_acl(identity, *subnets, entries=entries))


def _own_table(made: Generated) -> None:
    """A table of the task's subnet, while the main one leads nowhere."""
    made.object(MAIN_TABLE)["Routes"].pop()
    made.objects("RouteTables").append(_table(PRIVATE_TABLE, dict(_TO_GATEWAY), subnet=TASK_SUBNET))
    made.object(GATEWAY)["RouteTableIds"] = [PRIVATE_TABLE]


def _zone_instead_of_private_dns(made: Generated, name: str) -> None:
    """A hosted zone with the endpoint's names, as an alias or as addresses."""
    made.object(ENDPOINTS[name])["PrivateDnsEnabled"] = False
    host = HOSTS[name]
    zone = host.removeprefix(f"{ACCOUNT}.")
    record: Item = {"Name": f"{host}.", "Type": "A", "TTL": 60}
    if name == "ecr.dkr" and made.rng.random() < 0.5:
        record["Name"] = f"\\052.{zone}."
    if made.rng.random() < 0.5:
        own = next(entry["DnsName"] for entry in made.object(ENDPOINTS[name])["DnsEntries"])
        record["AliasTarget"] = {"HostedZoneId": "Z7HUB22UULQXV", "DNSName": own, "EvaluateTargetHealth": False}
    else:
        record["ResourceRecords"] = [{"Value": ENIS[part, name]} for part in ZONES]
    add_zone(made, f"Z{list(HOSTS).index(name)}", zone, record)


def add_zone(made: Generated, identity: str, zone: str, *records: Item) -> None:
    """A private zone of the account, associated with the VPC."""
    made.objects("HostedZones", "route53").append({"Id": f"/hostedzone/{identity}", "Name": f"{zone}."})
    summary = {"HostedZoneId": identity, "Name": f"{zone}.", "Owner": {"OwningAccount": ACCOUNT}, "_VPCId": [VPC]}
    made.objects("HostedZoneSummaries", "route53").append(summary)
    made.objects("ResourceRecordSets", "route53").extend({**each, "_HostedZoneId": identity} for each in records)
    reply = {"HostedZone": {"Id": f"/hostedzone/{identity}", "Name": f"{zone}."}, "VPCs": [{"VPCId": VPC}]}
    made.account.replies[f"route53:GetHostedZone {identity}"] = reply


# ---- mutations -------------------------------------------------------------------------------------------------------


def _confirms(cause: str, identity: str) -> Confirmed:
    return frozenset({(cause, identity)})


_NOTHING: Confirmed = frozenset()


def _ingress(*rules: Item) -> Callable[[Generated], Confirmed]:
    """The endpoints' group admits only this."""

    def mutate(made: Generated) -> Confirmed:
        made.object(ENDPOINT_GROUP)["IpPermissions"] = list(rules)
        return _confirms("tcp.security-group", ENDPOINT_GROUP)

    return mutate


_GROUP, _GROUP_OF_S3 = "tcp.security-group", "tcp.security-group-s3-egress"


def _egress(causes: tuple[str, ...], *rules: Item) -> Callable[[Generated], Confirmed]:
    """The task's group lets only this out."""

    def mutate(made: Generated) -> Confirmed:
        made.object(TASK_GROUP)["IpPermissionsEgress"] = list(rules)
        return frozenset((cause, TASK_GROUP) for cause in causes)

    return mutate


def _ingress_of_one(made: Generated) -> Confirmed:
    """One endpoint has another group, without a rule."""
    for zone in ZONES:
        made.object(_interface_of(zone, "ecr.dkr"))["Groups"] = [{"GroupId": OTHER_GROUP}]
    made.object(OTHER_GROUP)["IpPermissions"] = [_rule(group=OTHER_GROUP)]
    made.object(TASK_GROUP)["IpPermissionsEgress"] = [_rule("-1", cidr="0.0.0.0/0")]
    return _confirms("tcp.security-group", OTHER_GROUP)


def _task_in_group(made: Generated) -> Confirmed:
    """A group that refers to itself admits the task, which has it too."""
    made.object(ENDPOINT_GROUP)["IpPermissions"] = [_rule("-1", group=ENDPOINT_GROUP)]
    made.object(TASK_INTERFACE)["Groups"].append({"GroupId": ENDPOINT_GROUP})
    return _NOTHING


def _denying(
    subnets: str, egress: bool, cidr: str, ports: tuple[int, int], *, harmless: bool = False
) -> Callable[[Generated], Confirmed]:
    """A new ACL of the task's or the endpoints' subnets denies this and allows everything else."""

    def mutate(made: Generated) -> Confirmed:
        identity = TASK_ACL if subnets == "task" else ENDPOINT_ACL
        acls = made.objects("NetworkAcls")
        acls[:] = [acl for acl in acls if acl["NetworkAclId"] != identity]
        entries = [
            _entry(100, True, "-1", "0.0.0.0/0"),
            _entry(100, False, "-1", "0.0.0.0/0"),
            _entry(90, egress, "6", cidr, ports, allow=False),
        ]
        own = (TASK_SUBNET,) if subnets == "task" else tuple(SUBNETS.values())
        acls.append(_acl(identity, *own, entries=entries))
        return _NOTHING if harmless else _confirms("tcp.nacl", identity)

    return mutate


def _empty_acl(made: Generated) -> Confirmed:
    """An ACL without any entry of its own, as a new one has none, of one zone's endpoints."""
    acls = made.objects("NetworkAcls")
    acls[:] = [acl for acl in acls if acl["NetworkAclId"] != ENDPOINT_ACL]
    acls.append(_acl(ENDPOINT_ACL, SUBNETS["b"], entries=[]))
    return _confirms("tcp.nacl", ENDPOINT_ACL)


def _table_of_task(made: Generated) -> str:
    tables = [table["RouteTableId"] for table in made.objects("RouteTables")]
    return PRIVATE_TABLE if PRIVATE_TABLE in tables else MAIN_TABLE


def _set_routes(made: Generated, *routes: Item) -> str:
    """The task's table has only the local route and these."""
    table = _table_of_task(made)
    made.object(table)["Routes"][1:] = [dict(route) for route in routes]
    return table


def _no_gateway_route(made: Generated) -> Confirmed:
    _set_routes(made)
    made.object(GATEWAY)["RouteTableIds"] = []
    return _confirms("s3.route-table-not-associated", GATEWAY)


def _other_table(made: Generated) -> Confirmed:
    """The gateway endpoint's route is in the main table, and the task's subnet has one of its own."""
    if _table_of_task(made) == PRIVATE_TABLE:
        return _no_gateway_route(made)
    made.objects("RouteTables").append(_table(PRIVATE_TABLE, subnet=TASK_SUBNET))
    return _confirms("s3.route-table-not-associated", GATEWAY)


def _no_gateway(made: Generated) -> Confirmed:
    _set_routes(made)
    endpoints = made.objects("VpcEndpoints")
    endpoints.remove(made.object(GATEWAY))
    return _confirms("endpoint.missing.s3", VPC)


def _by_nat(made: Generated) -> Confirmed:
    """No gateway endpoint, and a NAT gateway instead: S3 is reached, which costs more."""
    missing = _no_gateway(made)
    _set_routes(made, _OUT_BY_NAT)
    return missing


def _by_deleted_nat(made: Generated) -> Confirmed:
    """A narrower route than that of the gateway endpoint leads to a NAT gateway that no longer exists."""
    narrower = {**_OUT_BY_NAT, "DestinationCidrBlock": "52.216.0.0/16", "State": "blackhole"}
    table = _set_routes(made, _TO_GATEWAY, narrower)
    return _confirms("tcp.no-route", table)


def _by_nat_that(**members: str) -> Callable[[Generated], Confirmed]:
    """The NAT gateway, instead of a gateway endpoint, cannot carry packets to public addresses."""

    def mutate(made: Generated) -> Confirmed:
        missing = _by_nat(made)
        made.object(NAT).update(members)
        return missing | _confirms("tcp.no-route", NAT)

    return mutate


def _replies_nowhere(made: Generated) -> Confirmed:
    """In the table of one zone's endpoints, a route to the tasks' subnet that leads to an interface of the past."""
    back = {"DestinationCidrBlock": "10.0.1.0/24", "NetworkInterfaceId": "eni-0f000000", "State": "blackhole"}
    made.objects("RouteTables").append(_table("rtb-0d000000", back, subnet=SUBNETS["b"]))
    return _confirms("tcp.no-route", "rtb-0d000000")


def _wider_blackhole(made: Generated) -> Confirmed:
    """The prefix list of the gateway endpoint is more specific than a default route that leads nowhere."""
    _set_routes(made, {**_OUT_BY_NAT, "State": "blackhole"}, _TO_GATEWAY)
    return _NOTHING


def _by_internet_gateway(made: Generated) -> Confirmed:
    """The task's subnet has a way to the internet gateway, and the task no public address."""
    _no_gateway(made)
    _set_routes(made, {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-0a000000", "State": "active"})
    return frozenset({("tcp.no-public-ip", TASK_INTERFACE), ("endpoint.missing.s3", VPC)})


def _private_dns_off(made: Generated) -> Confirmed:
    name = made.rng.choice(list(HOSTS))
    _forget_zones(made)
    for each in ENDPOINTS.values():
        made.object(each)["PrivateDnsEnabled"] = True
    made.object(ENDPOINTS[name])["PrivateDnsEnabled"] = False
    return _confirms("dns.private-dns-disabled", ENDPOINTS[name])


def _forget_zones(made: Generated) -> None:
    made.account.objects.pop("route53", None)
    for endpoint in ENDPOINTS.values():
        made.object(endpoint)["PrivateDnsEnabled"] = True


def _attribute_off(attribute: str) -> Callable[[Generated], Confirmed]:
    def mutate(made: Generated) -> Confirmed:
        made.objects("Vpcs")[0][f"_{attribute}"] = False
        return _confirms("dns.vpc-attributes-off", VPC)

    return mutate


_MISSING = {
    "ecr.api": "endpoint.missing.ecr-api",
    "ecr.dkr": "endpoint.missing.ecr-dkr",
    "logs": "logs.endpoint-missing",
}


def _missing(made: Generated) -> Confirmed:
    """An endpoint does not exist, and neither do its interfaces."""
    _forget_zones(made)
    name = made.rng.choice(list(HOSTS))
    made.objects("VpcEndpoints").remove(made.object(ENDPOINTS[name]))
    for zone in ZONES:
        made.objects("NetworkInterfaces").remove(made.object(_interface_of(zone, name)))
    return _confirms(_MISSING[name], VPC)


def _pending(made: Generated) -> Confirmed:
    """An endpoint waits for its acceptance."""
    _forget_zones(made)
    made.object(ENDPOINTS["logs"])["State"] = "pendingAcceptance"
    return _confirms("endpoint.not-available", ENDPOINTS["logs"])


def _zone_without_record(made: Generated) -> Confirmed:
    _forget_zones(made)
    made.object(ENDPOINTS["ecr.api"])["PrivateDnsEnabled"] = False
    add_zone(made, "Z8", f"ecr.{REGION}.amazonaws.com")
    return _confirms("dns.hosted-zone-missing-record", "Z8")


def _wider_zone(made: Generated) -> Confirmed:
    """A zone of a parent domain does not hide the names of private DNS, which are more specific."""
    _forget_zones(made)
    add_zone(made, "Z8", f"ecr.{REGION}.amazonaws.com")
    return _NOTHING


def _two_zones(made: Generated) -> Confirmed:
    """Of two zones of the account, the more specific one has the record."""
    _forget_zones(made)
    _zone_instead_of_private_dns(made, "ecr.api")
    add_zone(made, "Z8", f"ecr.{REGION}.amazonaws.com")
    return _NOTHING


def _stale_record(made: Generated) -> Confirmed:
    """A record still has addresses of an endpoint that was created anew."""
    _forget_zones(made)
    made.object(ENDPOINTS["ecr.api"])["PrivateDnsEnabled"] = False
    values = [{"Value": f"{net}.99"} for net in ZONES.values()]
    add_zone(made, "Z8", HOSTS["ecr.api"], {"Name": f"{HOSTS['ecr.api']}.", "Type": "A", "ResourceRecords": values})
    return _confirms("dns.stale-record", VPC)


def _zone_over_layers(made: Generated) -> Confirmed:
    """A zone of S3's domain hides the bucket of layers."""
    add_zone(made, "Z9", f"s3.{REGION}.amazonaws.com")
    return _confirms("dns.hosted-zone-conflict", "Z9")


def _firewall(allowed_before: bool) -> Callable[[Generated], Confirmed]:
    """DNS Firewall blocks the layers' names; a rule with a smaller number may allow them before."""

    def mutate(made: Generated) -> Confirmed:
        for priority, action, domain in ((20, "BLOCK", f"*.{REGION}.amazonaws.com"), (10, "ALLOW", LAYERS)):
            if action == "ALLOW" and not allowed_before:
                continue
            identity = f"rslvr-fdl-{priority}"
            rule: Item = {"FirewallRuleGroupId": "rslvr-frg-1", "FirewallDomainListId": identity}
            rule |= {"Priority": priority, "Action": action}
            if action == "BLOCK":
                domain = domain if not allowed_before else "*.s3.us-east-1.amazonaws.com"
                rule["BlockResponse"] = "NXDOMAIN"
            else:
                rule["FirewallDomainRedirectionAction"] = "TRUST_REDIRECTION_DOMAIN"
            made.objects("FirewallRules", "route53resolver").append(rule)
            made.objects("FirewallDomainLists", "route53resolver").append({"Id": identity})
            entry = {"_": f"{domain}.", "_FirewallDomainListId": identity}
            made.objects("Domains", "route53resolver").append(entry)
        association = {"FirewallRuleGroupId": "rslvr-frg-1", "VpcId": VPC, "Priority": 101, "Status": "COMPLETE"}
        made.objects("FirewallRuleGroupAssociations", "route53resolver").append(association)
        return _NOTHING if allowed_before else _confirms("dns.firewall", "rslvr-frg-1")

    return mutate


MUTATIONS: dict[str, Callable[[Generated], Confirmed]] = {
    "ingress-empty": _ingress(),
    "ingress-of-another-range": _ingress(_rule(cidr="10.0.2.0/24")),
    "ingress-of-other-addresses": _ingress(_rule(cidr="10.0.1.0/26")),
    "ingress-of-another-port": _ingress(_rule(ports=(80, 442), cidr="0.0.0.0/0")),
    "ingress-of-another-protocol": _ingress(_rule("17", cidr="0.0.0.0/0")),
    "ingress-of-itself": _ingress(_rule("-1", group=ENDPOINT_GROUP)),
    "ingress-of-another-group": _ingress(_rule(group=OTHER_GROUP)),
    "ingress-of-one-endpoint": _ingress_of_one,
    "ingress-by-a-common-group": _task_in_group,
    "egress-empty": _egress((_GROUP, _GROUP_OF_S3)),
    "egress-to-the-vpc": _egress((_GROUP_OF_S3,), _rule(cidr=RANGE)),
    "egress-to-s3": _egress((_GROUP,), _rule(prefix_list=S3_LIST)),
    "egress-of-half-the-world": _egress((_GROUP,), _rule("-1", cidr="32.0.0.0/3")),
    "acl-request-leaves": _denying("task", True, "0.0.0.0/0", (443, 443)),
    "acl-request-to-endpoints": _denying("task", True, "10.0.0.0/19", (1, 1023)),
    "acl-request-to-one-interface": _denying("task", True, f"{ENIS['a', 'logs']}/32", (443, 443)),
    "acl-request-arrives": _denying("endpoints", False, "10.0.1.0/24", (0, 65535)),
    "acl-reply-leaves": _denying("endpoints", True, "10.0.0.0/23", (1024, 65535)),
    "acl-reply-arrives": _denying("task", False, "0.0.0.0/0", (1024, 65535)),
    "acl-reply-of-s3": _denying("task", False, "52.216.0.0/14", (32768, 60999)),
    "acl-unused-ports": _denying("task", False, "0.0.0.0/0", (1024, 30000), harmless=True),
    "acl-of-others": _denying("endpoints", False, "10.0.2.0/24", (443, 443), harmless=True),
    "acl-empty": _empty_acl,
    "route-of-gateway-missing": _no_gateway_route,
    "route-in-another-table": _other_table,
    "route-gateway-endpoint-missing": _no_gateway,
    "route-by-nat": _by_nat,
    "route-by-deleted-nat": _by_deleted_nat,
    "route-by-private-nat": _by_nat_that(ConnectivityType="private"),
    "route-by-failed-nat": _by_nat_that(State="failed"),
    "route-of-replies": _replies_nowhere,
    "route-wider-blackhole": _wider_blackhole,
    "route-by-internet-gateway": _by_internet_gateway,
    "names-private-dns-off": _private_dns_off,
    "names-hostnames-off": _attribute_off("enableDnsHostnames"),
    "names-support-off": _attribute_off("enableDnsSupport"),
    "names-endpoint-missing": _missing,
    "names-endpoint-pending": _pending,
    "names-zone-without-record": _zone_without_record,
    "names-wider-zone": _wider_zone,
    "names-two-zones": _two_zones,
    "names-stale-record": _stale_record,
    "names-zone-over-layers": _zone_over_layers,
    "names-firewall": _firewall(allowed_before=False),
    "names-firewall-allows-before": _firewall(allowed_before=True),
}


# No configuration contains which of S3's addresses the name has, or from which port the task connects.
UNDECIDED = ("acl-reply-of-s3", "acl-unused-ports", "route-by-deleted-nat")


def all_configurations() -> list[Generated]:
    """Some healthy ones, each mutation alone, and pairs of mutations of different areas."""
    rng = random.Random(0)
    pairs = [rng.sample(list(MUTATIONS), 2) for _ in range(20)]
    chosen: list[list[str]] = [[], [], *([name] for name in MUTATIONS)]
    chosen += [[one, other] for one, other in pairs if _area(one) != _area(other)][:5]
    return [generated(seed, *names) for seed, names in enumerate(chosen)]

"""One name resolved in a simulated VPC, and what its gates answer."""

from __future__ import annotations

from typing import Any

from probe.configuration.view import View
from probe.endpoints import ROWS, Place
from probe.gates.flow import Origin
from probe.gates.names import Resolution, resolve
from probe.gates.opinion import Opinion
from probe.model import Endpoint, GateAnswer, GateName
from probe.operator.reading import read
from probe.partitions import partition_of
from probe.records import replace
from tests.inspect.vpc import Account

ACCOUNT = "123456789012"
VPC, HUB, SUBNET = "vpc-0a000000", "vpc-0b000000", "subnet-0a000000"
REGION = "us-east-1"
API = f"api.ecr.{REGION}.amazonaws.com"
REGISTRIES = f"dkr.ecr.{REGION}.amazonaws.com"
REGISTRY = f"{ACCOUNT}.{REGISTRIES}"
ORIGIN = Origin(subnet=SUBNET, vpc=VPC, ranges=("10.0.1.0/24",), groups=("sg-0a000000",), owner=ACCOUNT)
Item = dict[str, Any]


def endpoint_of(name: str, region: str = REGION, *, dual_stack: bool = False) -> Endpoint:
    row, partition = ROWS[name], partition_of(region)
    assert partition is not None
    place = Place(partition, region, ACCOUNT)
    return row.endpoint(place, host=place.fill(row.dual_stack if dual_stack else row.host), required=True)


def resolved(
    account: Account, name: str = "ecr.api", origin: Origin = ORIGIN, *, region: str = REGION, dual_stack: bool = False
) -> Resolution:
    """What the name of an endpoint resolves to, after everything was read that the gates ask for."""
    endpoint = endpoint_of(name, region, dual_stack=dual_stack)
    return read(account, lambda view: resolve(_of_account(view), origin, endpoint, "aws"))[0]


def mended(account: Account, name: str = "ecr.api", origin: Origin = ORIGIN, *, region: str = REGION) -> Resolution:
    """The name after the change that its refusing gate proposes, in the same configuration, edited in memory."""
    endpoint = endpoint_of(name, region)
    change = refusal(resolved(account, name, origin, region=region)).change
    assert change is not None
    commands = change.advice(REGION).commands
    assert change.object in " ".join(commands)
    assert all(command.removeprefix("until ").startswith("aws ") for command in commands)

    def evaluate(view: View) -> Resolution:
        resolve(_of_account(view), origin, endpoint, "aws")
        edited = view.edited([change])
        resolution = resolve(edited, origin, endpoint, "aws")
        view.want_also(edited)
        return resolution

    return read(account, evaluate)[0]


def _of_account(view: View) -> View:
    view.configuration = replace(view.configuration, account=ACCOUNT)
    return view


def refusal(resolution: Resolution) -> Opinion:
    (opinion,) = [opinion for opinion in resolution.opinions if opinion.refuses]
    return opinion


def answer_of(resolution: Resolution, gate: GateName) -> Opinion:
    (opinion,) = [opinion for opinion in resolution.opinions if opinion.gate is gate]
    return opinion


def addresses(resolution: Resolution) -> list[str]:
    return [resolved.address for resolved in resolution.addresses]


def is_open(resolution: Resolution) -> bool:
    """Whether nothing refuses, and not all is known to allow."""
    answers = {opinion.answer for opinion in resolution.opinions}
    return GateAnswer.REFUSES not in answers and answers != {GateAnswer.ALLOWS}


def own(account: Account, service: str, listed: str) -> list[Item]:
    """A list of the account's objects, to be changed."""
    return account.objects.setdefault(service, {}).setdefault(listed, [])


def endpoint_item(account: Account, name: str) -> Item:
    items = own(account, "ec2", "VpcEndpoints")
    return next(item for item in items if item["ServiceName"].endswith(f".{name}"))


def add_zone(
    account: Account,
    name: str,
    *records: Item,
    identity: str = "Z0A",
    vpcs: tuple[str, ...] = (VPC,),
    owner: str = ACCOUNT,
) -> None:
    """A private zone with these records, associated with `vpcs`."""
    if owner == ACCOUNT:
        zone = {"Id": f"/hostedzone/{identity}", "Name": f"{name}."}
        own(account, "route53", "HostedZones").append(zone)
    account.replies[f"route53:GetHostedZone {identity}"] = {
        "HostedZone": {"Id": f"/hostedzone/{identity}", "Name": f"{name}."},
        "VPCs": [{"VPCRegion": REGION, "VPCId": vpc} for vpc in vpcs],
    }
    if vpcs:
        summary = {"HostedZoneId": identity, "Name": f"{name}.", "Owner": {"OwningAccount": owner}, "_VPCId": [*vpcs]}
        own(account, "route53", "HostedZoneSummaries").append(summary)
    apex = {"Name": f"{name}.", "Type": "NS", "ResourceRecords": [{"Value": "ns-0.awsdns-00.com."}]}
    for record in (apex, *records):
        own(account, "route53", "ResourceRecordSets").append({**record, "_HostedZoneId": identity})


def alias(name: str, endpoint: str, service: str = "api.ecr") -> Item:
    """An alias record to an endpoint, as Route 53 lists it."""
    target = f"{endpoint}-x1y2z3.{service}.{REGION}.vpce.amazonaws.com."
    return {
        "Name": f"{name}.".replace("*", "\\052"),
        "Type": "A",
        "AliasTarget": {"HostedZoneId": "Z7HUB22UULQXV", "DNSName": target, "EvaluateTargetHealth": False},
    }


def plain_record(name: str, *values: str, record: str = "A") -> Item:
    records = [{"Value": value} for value in values]
    return {"Name": f"{name}.".replace("*", "\\052"), "Type": record, "TTL": 60, "ResourceRecords": records}


def add_hub(account: Account, *, private_dns: bool = False) -> None:
    """A central VPC with an endpoint of ecr.api and an inbound endpoint of Resolver at 10.9.0.53."""
    own(account, "ec2", "Vpcs").append(
        {
            "VpcId": HUB,
            "CidrBlock": "10.9.0.0/16",
            "CidrBlockAssociationSet": [{"CidrBlock": "10.9.0.0/16"}],
            "DhcpOptionsId": "dopt-0a000000",
        }
    )
    own(account, "ec2", "VpcEndpoints").append(
        {
            "VpcEndpointId": "vpce-0b000001",
            "VpcEndpointType": "Interface",
            "VpcId": HUB,
            "ServiceName": f"com.amazonaws.{REGION}.ecr.api",
            "State": "available",
            "PrivateDnsEnabled": private_dns,
            "NetworkInterfaceIds": ["eni-0b000001"],
        }
    )
    own(account, "ec2", "NetworkInterfaces").append(
        {
            "NetworkInterfaceId": "eni-0b000001",
            "VpcId": HUB,
            "AvailabilityZone": "us-east-1b",
            "PrivateIpAddress": "10.9.1.10",
            "PrivateIpAddresses": [{"PrivateIpAddress": "10.9.1.10"}],
        }
    )
    inbound = {"Id": "rslvr-in-1", "Direction": "INBOUND", "HostVPCId": HUB, "Status": "OPERATIONAL"}
    own(account, "route53resolver", "ResolverEndpoints").append(inbound)
    own(account, "route53resolver", "IpAddresses").append({"_ResolverEndpointId": "rslvr-in-1", "Ip": "10.9.0.53"})


def without_endpoint(account: Account, name: str = "ecr.api") -> None:
    items = own(account, "ec2", "VpcEndpoints")
    items.remove(endpoint_item(account, name))


def add_rule(
    account: Account,
    domain: str,
    *targets: str,
    kind: str = "FORWARD",
    identity: str = "rslvr-rr-1",
    status: str = "COMPLETE",
) -> None:
    """A Resolver rule that is associated with the VPC."""
    rule = {
        "Id": identity,
        "DomainName": f"{domain}.",
        "RuleType": kind,
        "Status": "COMPLETE",
        "TargetIps": [{"Ip": target, "Port": 53} for target in targets],
        "Name": "a name of the reader's own",
    }
    own(account, "route53resolver", "ResolverRules").append(rule)
    association = {"Id": f"rslvr-rrassoc-{identity}", "ResolverRuleId": identity, "VPCId": VPC, "Status": status}
    own(account, "route53resolver", "ResolverRuleAssociations").append(association)


def add_firewall_rule(
    account: Account, action: str, *domains: str, priority: int, group: str = "rslvr-frg-1", **members: str
) -> None:
    """A rule of DNS Firewall with a list of its own; its group is associated with the VPC, group 1 before group 2."""
    identity = f"rslvr-fdl-{group[-1]}-{priority}"
    associations = own(account, "route53resolver", "FirewallRuleGroupAssociations")
    if all(item["FirewallRuleGroupId"] != group for item in associations):
        associations.append({"FirewallRuleGroupId": group, "VpcId": VPC, "Priority": 100 + int(group[-1])})
    rule = {
        "FirewallRuleGroupId": group,
        "FirewallDomainListId": identity,
        "Priority": priority,
        "Action": action,
        **members,
    }
    own(account, "route53resolver", "FirewallRules").append(rule)
    own(account, "route53resolver", "FirewallDomainLists").append({"Id": identity})
    entries = own(account, "route53resolver", "Domains")
    entries += [{"_": f"{domain}.", "_FirewallDomainListId": identity} for domain in domains]
    account.replies["route53resolver:GetFirewallConfig"] = {"FirewallConfig": {"FirewallFailOpen": "DISABLED"}}


def add_profile(account: Account, *arns: str, priority: str | None = None, status: str = "COMPLETE") -> None:
    """A Route 53 Profile that is associated with the VPC, with these resources."""
    association = {"Id": "rpassoc-1", "ProfileId": "rp-1", "ResourceId": VPC, "Status": status}
    own(account, "route53profiles", "ProfileAssociations").append(association)
    for arn in arns:
        resource = {"ProfileId": "rp-1", "ResourceArn": arn, "Status": "COMPLETE", "ResourceProperties": priority}
        own(account, "route53profiles", "ProfileResourceAssociations").append(resource)

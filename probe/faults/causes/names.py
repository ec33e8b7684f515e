"""Causes of names that do not resolve as they should: private DNS, zones, resolvers."""

from __future__ import annotations

from probe.faults.causes.cause import (
    DESCRIBE_GROUP,
    DESCRIBE_TASK_INTERFACE,
    READ_ENDPOINTS,
    READ_ZONES,
    CauseText,
    advice,
    reads,
)

PRIVATE_DNS_OFF = CauseText(
    code="dns.private-dns-disabled",
    title="the endpoint exists, but its private DNS is off",
    fix=advice(
        "turn on private DNS for {endpoints}",
        "aws ec2 modify-vpc-endpoint --region {task_region} --vpc-endpoint-id VPCE_ID --private-dns-enabled",
    ),
    confirm=READ_ENDPOINTS,
)
VPC_ATTRIBUTES_OFF = CauseText(
    code="dns.vpc-attributes-off",
    title="DNS support or DNS hostnames are off in the VPC, so it serves no private names",
    fix=advice(
        "turn on DNS support and DNS hostnames in the VPC",
        "aws ec2 modify-vpc-attribute --region {task_region} --vpc-id VPC_ID --enable-dns-support",
        "aws ec2 modify-vpc-attribute --region {task_region} --vpc-id VPC_ID --enable-dns-hostnames",
    ),
    confirm=reads(
        "aws ec2 describe-vpc-attribute --region {task_region} --vpc-id VPC_ID --attribute enableDnsSupport",
        "aws ec2 describe-vpc-attribute --region {task_region} --vpc-id VPC_ID --attribute enableDnsHostnames",
    ),
)
CUSTOM_RESOLVER = CauseText(
    code="dns.custom-resolver",
    title="the resolver in use{of_servers} is not the VPC's own and does not serve the private names",
    fix=advice(
        "use AmazonProvidedDNS, or forward the AWS names to an inbound endpoint of Route 53 Resolver",
        "aws ec2 associate-dhcp-options --region {task_region} --dhcp-options-id DOPT_ID --vpc-id VPC_ID",
        note="Also check the forwarding rules for {hosts}.",
    ),
    confirm=reads(
        "aws route53resolver list-resolver-rule-associations --region {task_region} --filters Name=VPCId,Values=VPC_ID",
        "aws ec2 describe-dhcp-options --region {task_region}",
        note="The DHCP options list the resolvers that the VPC hands out.",
    ),
)
RESOLVER_UNREACHABLE = CauseText(
    code="dns.resolver-unreachable",
    title="the path to the resolver{of_servers} is blocked, or the resolver is down or overloaded",
    fix=advice(
        "allow UDP and TCP 53 from {subnet} to the resolver{of_servers}",
        "aws ec2 authorize-security-group-egress --region {task_region} --group-id GROUP_ID --protocol udp "
        "--port 53 --cidr {server}/32",
        "aws ec2 authorize-security-group-egress --region {task_region} --group-id GROUP_ID --protocol tcp "
        "--port 53 --cidr {server}/32",
        note="A VPC resolver accepts at most 1024 packets per second per network interface.",
    ),
    confirm=reads(
        DESCRIBE_TASK_INTERFACE,
        DESCRIBE_GROUP,
        note="Security groups do not filter the VPC's own resolver; they filter every other one.",
    ),
)
ZONE_WRONG_NAME = CauseText(
    code="dns.hosted-zone-wrong-name",
    title="the labels in the private zone's name are swapped ({mistaken})",
    fix=advice(
        "create the private zone {zone}, with a record for *",
        "aws route53 create-hosted-zone --name {zone} --vpc VPCRegion={task_region},VPCId=VPC_ID "
        "--caller-reference NEW",
    ),
    confirm=READ_ZONES,
)
ZONE_MISSING_RECORD = CauseText(
    code="dns.hosted-zone-missing-record",
    title="the private zone exists, but has no record for this host (often the wildcard is missing)",
    fix=advice(
        "add a record for {host} (or *) as an alias to the endpoint",
        "aws route53 change-resource-record-sets --hosted-zone-id ZONE_ID --change-batch file://RECORD.json",
    ),
    confirm=reads(
        "aws route53 list-hosted-zones-by-vpc --vpc-id VPC_ID --vpc-region {task_region}",
        "aws route53 list-resource-record-sets --hosted-zone-id ZONE_ID",
        note="Read the records in the account that owns the zone.",
    ),
)
ZONE_NOT_ASSOCIATED = CauseText(
    code="dns.hosted-zone-not-associated",
    title="the private zone exists elsewhere, but is not associated with this VPC",
    fix=advice(
        "associate the private zone with this VPC",
        "aws route53 associate-vpc-with-hosted-zone --hosted-zone-id ZONE_ID "
        "--vpc VPCRegion={task_region},VPCId=VPC_ID",
        note="If another account owns the zone, it first runs aws route53 create-vpc-association-authorization.",
    ),
    confirm=READ_ZONES,
)
ZONE_CONFLICT = CauseText(
    code="dns.hosted-zone-conflict",
    title="another private zone or endpoint in this VPC owns the name",
    fix=advice(
        "keep only one owner of {host}, or add the missing record to the zone that owns it",
        "aws route53 disassociate-vpc-from-hosted-zone --hosted-zone-id ZONE_ID "
        "--vpc VPCRegion={task_region},VPCId=VPC_ID",
    ),
    confirm=READ_ZONES,
)

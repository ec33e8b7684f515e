"""Causes of names that do not resolve as they should: private DNS, zones, resolvers, DNS Firewall."""

from __future__ import annotations

from probe.faults.causes.cause import (
    DESCRIBE_GROUP,
    DESCRIBE_TASK_INTERFACE,
    READ_ENDPOINTS,
    READ_PROFILES,
    READ_ZONES,
    CauseText,
    Replacement,
    advice,
    reads,
)
from probe.faults.causes.network import SECURITY_GROUP
from probe.records import replace

_READ_RULES = (
    "aws route53resolver list-resolver-rule-associations --region {task_region} --filters Name=VPCId,Values=VPC_ID "
    '--query "ResolverRuleAssociations[].[ResolverRuleId,Status]"',
    "aws route53resolver list-resolver-rules --region {task_region} "
    '--query "ResolverRules[].[Id,DomainName,RuleType,TargetIps]"',
)
_READ_RECORDS = "aws route53 list-resource-record-sets --hosted-zone-id ZONE_ID"
_SET_RECORD = "aws route53 change-resource-record-sets --hosted-zone-id ZONE_ID --change-batch file://RECORD.json"

PRIVATE_DNS_OFF = CauseText(
    code="dns.private-dns-disabled",
    title="the endpoint exists, but its private DNS is off",
    fix=advice(
        "turn on private DNS for {endpoints}",
        "aws ec2 modify-vpc-endpoint --region {task_region} --vpc-endpoint-id VPCE_ID --private-dns-enabled",
    ),
    confirm=READ_ENDPOINTS,
)
VPC_ATTRIBUTES_OFF = CauseText(  # AWS[vpc-dns-attributes]
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
    title="the resolver in use{of_custom} is not the VPC's own, and does not resolve AWS's names as the VPC's own does",
    fix=Replacement(
        "the DHCP options of all subnets of the VPC",
        'aws ec2 describe-vpcs --region {task_region} --vpc-ids VPC_ID --query "Vpcs[].DhcpOptionsId"',
        "aws ec2 associate-dhcp-options --region {task_region} --dhcp-options-id DOPT_ID --vpc-id VPC_ID",
    ).to(
        "use AmazonProvidedDNS, or let the resolver forward {hosts} to an inbound endpoint of Route 53 Resolver",
        note="DOPT_ID is a set with AmazonProvidedDNS. Tasks that start later use it.",
    ),
    confirm=reads(
        "aws ec2 describe-dhcp-options --region {task_region} "
        '--query "DhcpOptions[].[DhcpOptionsId,DhcpConfigurations[].[Key,Values[].Value]]"',
        note="The DHCP options list the resolvers that the VPC hands out.",
    ),
)
RESOLVER_UNREACHABLE = CauseText(
    code="dns.resolver-unreachable",
    title="the path to the resolver{of_custom} is blocked, or the resolver is down or overloaded",
    fix=advice(
        "allow UDP and TCP 53 from {subnet} to the resolver{of_custom}",
        "aws ec2 authorize-security-group-egress --region {task_region} --group-id GROUP_ID {to_server:udp/53}",
        "aws ec2 authorize-security-group-egress --region {task_region} --group-id GROUP_ID {to_server:tcp/53}",
        note="The resolver's own security group needs the matching inbound rules.",
    ),
    confirm=reads(DESCRIBE_TASK_INTERFACE, DESCRIBE_GROUP),
)
RESOLVER_SECURITY_GROUP = replace(
    SECURITY_GROUP,
    title="the task's security group does not allow UDP and TCP 53 out to the resolver{of_custom}",
    fix=RESOLVER_UNREACHABLE.fix,
    confirm=RESOLVER_UNREACHABLE.confirm,
)
# AWS[resolver-unfiltered], AWS[resolver-packet-limit]
VPC_RESOLVER_UNREACHABLE = replace(
    RESOLVER_UNREACHABLE,
    title="packets to or from port 53 of the VPC's resolver{of_servers} are lost: a packet filter on the host, or the "
    "resolver's packet limit",
    fix=advice(
        "allow UDP and TCP 53 in the packet filter of the task's host, and lower the rate of DNS queries",
        note=(
            "Security groups and network ACLs do not filter the VPC's resolver. It accepts 1024 packets per second "
            "per network interface."
        ),
    ),
    confirm=reads(
        "dig @{server} {host}",
        "dig +tcp @{server} {host}",
        note="On an EC2 instance, linklocal_allowance_exceeded in ethtool -S counts the packets over the limit.",
    ),
)
FORWARDING_TARGET_UNREACHABLE = replace(
    RESOLVER_UNREACHABLE,
    title="a DNS server that the resolver{of_servers} forwards to is unreachable, down or overloaded",
    fix=advice(
        "allow UDP and TCP 53 from the resolver's outbound endpoint to the servers that it forwards to, and back",
        "aws ec2 authorize-security-group-egress --region {task_region} --group-id GROUP_ID --protocol udp --port 53 "
        "--cidr TARGET_IP/32",
        "aws ec2 authorize-security-group-egress --region {task_region} --group-id GROUP_ID --protocol tcp --port 53 "
        "--cidr TARGET_IP/32",
        note="GROUP_ID is the security group of the outbound endpoint, TARGET_IP a target of the Resolver rule.",
    ),
    confirm=reads(
        _READ_RULES[1],
        "aws route53resolver list-resolver-endpoints --region {task_region} "
        '--query "ResolverEndpoints[].[Id,Direction,Status,SecurityGroupIds]"',
    ),
)
# AWS[resolver-rule-precedence], AWS[profile-contents]
RESOLVER_RULE = CauseText(
    code="dns.resolver-rule",
    title="a Route 53 Resolver rule sends the name to the wrong DNS servers, or the hub's rule is not associated with "
    "this VPC",
    fix=advice(
        "associate the hub's Resolver rule with this VPC; where a rule sends {hosts} elsewhere, disassociate that one",
        "aws route53resolver associate-resolver-rule --region {task_region} --resolver-rule-id HUB_RULE_ID "
        "--vpc-id VPC_ID",
        "aws route53resolver disassociate-resolver-rule --region {task_region} --resolver-rule-id WRONG_RULE_ID "
        "--vpc-id VPC_ID",
        note="Run only the command that applies. A rule takes precedence over a private zone with the same name.",
    ),
    confirm=reads(*_READ_RULES, *READ_PROFILES, note="Rules can also come from a Route 53 Profile."),
)
FAILING_RULE = replace(
    RESOLVER_RULE,
    title="a Route 53 Resolver rule forwards the name to DNS servers that fail or do not answer",
    fix=Replacement(
        "the rule's targets",
        "aws route53resolver get-resolver-rule --region {task_region} --resolver-rule-id RULE_ID",
        "aws route53resolver update-resolver-rule --region {task_region} --resolver-rule-id RULE_ID "
        '--config "TargetIps=[{{Ip=TARGET_IP,Port=53}}]"',
    ).to(
        "correct the targets of the Resolver rule for {hosts}, or disassociate the rule from this VPC",
        "aws route53resolver disassociate-resolver-rule --region {task_region} --resolver-rule-id RULE_ID "
        "--vpc-id VPC_ID",
        note="Run either the second or the third command.",
    ),
)
# AWS[dns-firewall-responses], AWS[dns-firewall-redirection], AWS[profile-contents]
DNS_FIREWALL = CauseText(
    code="dns.firewall",
    title="a rule of Route 53 Resolver DNS Firewall blocks or overrides the name",
    fix=advice(
        "allow {hosts} in the VPC's DNS Firewall: extend its list of allowed domains, or shorten the one of blocked "
        "domains",
        "aws route53resolver update-firewall-domains --region {task_region} --firewall-domain-list-id ALLOWED_LIST_ID "
        "--operation ADD --domains {domains}",
        note=(
            "The firewall also inspects the hosts that a CNAME leads to, unless the rule has "
            "TRUST_REDIRECTION_DOMAIN. Dual-stack names end in api.aws and on.aws."
        ),
    ),
    confirm=reads(
        "aws route53resolver list-firewall-rule-group-associations --region {task_region} --vpc-id VPC_ID "
        '--query "FirewallRuleGroupAssociations[].[FirewallRuleGroupId,Priority,Status]"',
        "aws route53resolver list-firewall-rules --region {task_region} --firewall-rule-group-id RULE_GROUP_ID "
        '--query "FirewallRules[].[Priority,Action,BlockResponse,BlockOverrideDomain,FirewallDomainListId]"',
        "aws route53resolver list-firewall-domains --region {task_region} --firewall-domain-list-id LIST_ID",
        *READ_PROFILES,
        note="Rule groups can also come from a Route 53 Profile. Resolver query logs name the rule that acted.",
    ),
)
ZONE_WRONG_NAME = CauseText(
    code="dns.hosted-zone-wrong-name",
    title="the labels in the private zone's name are swapped ({mistaken})",
    fix=advice(
        "create the private zone {zones}, as an alias to the endpoint",
        "aws route53 create-hosted-zone --name {each_zone} --vpc VPCRegion={task_region},VPCId=VPC_ID "
        "--caller-reference NEW",
        _SET_RECORD,
        note=(
            "Add an A record, and AAAA where the endpoint has IPv6. Until the record exists, the new zone hides the "
            "public name, so add it without delay."
        ),
    ),
    confirm=READ_ZONES,
)
ZONE_MISSING_RECORD = CauseText(  # AWS[zone-without-record]
    code="dns.hosted-zone-missing-record",
    title="a private zone owns the name, but has no record for it (often the wildcard is missing)",
    fix=advice("add a record for {records} to the zone, as an alias to the endpoint", _SET_RECORD),
    confirm=reads(
        "aws route53 list-hosted-zones-by-vpc --vpc-id VPC_ID --vpc-region {task_region}",
        _READ_RECORDS,
        *READ_PROFILES,
        note="Read the records in the account that owns the zone. Zones can also come from a Route 53 Profile.",
    ),
)
ZONE_NOT_ASSOCIATED = CauseText(
    code="dns.hosted-zone-not-associated",
    title="the private zone exists elsewhere, but neither it nor its Route 53 Profile is associated with this VPC",
    fix=advice(
        "associate the private zone, or the Route 53 Profile that contains it, with this VPC",
        "aws route53 associate-vpc-with-hosted-zone --hosted-zone-id ZONE_ID "
        "--vpc VPCRegion={task_region},VPCId=VPC_ID",
        "aws route53profiles associate-profile --region {task_region} --profile-id PROFILE_ID --resource-id VPC_ID "
        "--name NEW_NAME",
        note=(
            "Run only the command that applies. If another account owns the zone, it first runs "
            "aws route53 create-vpc-association-authorization."
        ),
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
STALE_RECORD = CauseText(
    code="dns.stale-record",
    title="a private zone's record has an address that no network interface has: the endpoint was deleted or replaced",
    fix=advice("point the record of {host} to the endpoint again, as an alias", _SET_RECORD),
    confirm=reads(
        "aws ec2 describe-network-interfaces --region {task_region} --filters {by_address} "
        '--query "NetworkInterfaces[].[VpcId,NetworkInterfaceId,InterfaceType,Status]"',
        _READ_RECORDS,
        note=(
            "Run the first one in the account that owns the endpoints: if it lists no interface, nothing has the "
            "address. An endpoint's own private DNS has no stale records."
        ),
    ),
)

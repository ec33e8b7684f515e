"""One of each form of the changes that the gates propose; `tests/lab/test_commands.py` runs their commands."""

from __future__ import annotations

from probe.gates.changes import AddSecurityGroupRule, Change
from probe.gates.network_changes import (
    AddAttachmentSubnet,
    AddNetworkAclEntry,
    AddRoute,
    AssociateRouteTable,
    CreateGatewayEndpoint,
    ExcludeFromBlock,
    ReplaceRuleGroup,
    SetGatewayAddressType,
    TurnOffSourceCheck,
)

ACL, GROUP, TABLE, VPC = "acl-0a000000", "sg-0a000000", "rtb-0a000000", "vpc-0a000000"
LIST, SERVICE = "pl-0a000003", "com.amazonaws.us-east-1.s3"
TARGETS = {
    "NatGatewayId": "nat-0c000000",
    "EgressOnlyInternetGatewayId": "eigw-0a000000",
    "VpcPeeringConnectionId": "pcx-0a000000",
    "TransitGatewayId": "tgw-0a000000",
}
NETWORK_CHANGES: tuple[Change, ...] = (
    AddSecurityGroupRule(object=GROUP, egress=True, cidr="10.0.1.0/24"),
    AddSecurityGroupRule(object=GROUP, egress=True, prefix_list=LIST),
    AddSecurityGroupRule(object=GROUP, egress=False, cidr="2600:1f18::/64"),
    AddSecurityGroupRule(object=GROUP, egress=False, group="sg-0e000000"),
    AddNetworkAclEntry(object=ACL, number=90, egress=True, ports=(443, 443), cidr="0.0.0.0/0"),
    AddNetworkAclEntry(object=ACL, number=90, egress=False, ports=(1024, 65535), cidr="::/0"),
    *(AddRoute(object=TABLE, destination="0.0.0.0/0", target=id_, member=member) for member, id_ in TARGETS.items()),
    AddRoute(object=TABLE, destination="::/0", target="nat-0c000000", member="NatGatewayId", replaces=True),
    AssociateRouteTable(object="vpce-0e000009", vpc=VPC, table=TABLE, prefix_list=LIST),
    CreateGatewayEndpoint(object=VPC, service=SERVICE, table=TABLE, prefix_list=LIST),
    CreateGatewayEndpoint(object=VPC, service=SERVICE, table=TABLE, prefix_list=LIST, ipv6=True),
    CreateGatewayEndpoint(
        object=VPC,
        service=SERVICE,
        table=TABLE,
        prefix_list=LIST,
        replaces="vpce-0e000009",
        also=("rtb-0b000000",),
    ),
    ExcludeFromBlock(object="subnet-0a000000"),
    ExcludeFromBlock(object=VPC, mode="allow-bidirectional"),
    SetGatewayAddressType(object="vpce-0e000009", table="rtb-0a000000", prefix_list="pl-0a000006"),
    TurnOffSourceCheck(object="eni-0c000000"),
    AddAttachmentSubnet(object="tgw-attach-0a000000", subnet="subnet-0a000000"),
    ReplaceRuleGroup(
        object="arn:aws:network-firewall:us-east-1:123456789012:stateful-rulegroup/hosts",
        group='{"RulesSource":{"RulesSourceList":{"Targets":[".amazonaws.com"],"TargetTypes":["TLS_SNI"],'
        '"GeneratedRulesType":"ALLOWLIST"}}}',
        text="allow api.ecr.us-east-1.amazonaws.com in rule group",
    ),
)

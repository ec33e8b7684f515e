"""The ids of the objects in a simulated account. Scenarios name with them what a configuration has to confirm."""

from __future__ import annotations

VPC_ID = "vpc-0a1b2c3d4e5f60718"  # as in the metadata of a task on EC2
HUB_ID = "vpc-0b000000000000099"
SPOKE_ID = "vpc-0c000000000000098"  # another VPC with which the hub shares its zones
TASK_SUBNET = "subnet-0a000001"
OTHER_SUBNET = "subnet-0a000002"  # in the other zone
NAT_SUBNET = "subnet-0a000000"
TASK_GROUP = "sg-0a000001"
ENDPOINT_GROUP = "sg-0e000001"  # of the endpoints that allow what the first one allows
OTHER_GROUP = "sg-0e000002"  # of those that allow something else
RESOLVER_GROUP = "sg-0b000053"  # of the hub's inbound endpoint of Resolver
TASK_TABLE = "rtb-0a000001"  # the main one
NAT_TABLE = "rtb-0a000000"
HUB_TABLE = "rtb-0b000099"
TASK_ACL = "acl-0a000001"
DEFAULT_ACL = "acl-0a000000"
HUB_ACL = "acl-0b000099"
NAT_GATEWAY = "nat-0a000001"
INTERNET_GATEWAY = "igw-0a000001"
EGRESS_ONLY_GATEWAY = "eigw-0a000001"
TRANSIT_GATEWAY = "tgw-0a000001"
TRANSIT_TABLE = "tgw-rtb-0a000001"
S3_LIST = "pl-0a000003"
S3_LIST_IPV6 = "pl-0a000006"
DHCP_OPTIONS = "dopt-0a000001"
RULE = "rslvr-rr-0a00000{}"
RULE_GROUP = "rslvr-frg-0a000001"
PROFILE_RULE_GROUP = "rslvr-frg-0a000002"
PROFILE = "rp-0a000001"
ZONE = "Z0A00000{}"  # zones of the VPC's own, in order
HUB_ZONE = "Z0B00000{}"  # zones of central endpoints
TASK_INTERFACE = "eni-0a000001"
RESOLVER_INTERFACE = "eni-0b000053"
INSTANCE_INTERFACE = "eni-0a000002"
SERVICE_CONTROL = "p-0a000001"
SERVICE_CONTROL_ARN = (
    f"arn:aws:organizations::999999999999:policy/o-0a1b2c3d4e/service_control_policy/{SERVICE_CONTROL}"
)
REPOSITORY = "arn:aws:ecr:us-east-1:123456789012:repository/team/app"
KEY = "0a1b2c3d-0000-4444-8888-121212121212"
KEY_ARN = f"arn:aws:kms:us-east-1:123456789012:key/{KEY}"  # in the usual Region and account
CONTAINER_INSTANCE = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
INSTANCE = "i-0a1b2c3d4e5f60718"

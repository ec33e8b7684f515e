"""Causes in names, routes, groups and endpoints: what stands between a task and an address. No logic."""

from __future__ import annotations

from probe.faults.causes.texts import (
    READ_ACLS,
    READ_ENDPOINTS,
    READ_FLOW_LOGS,
    READ_GROUPS,
    READ_RESOLVER_RULES,
    READ_ROUTES,
    READ_TASK_INTERFACE,
    READ_ZONES,
    CauseText,
)

_CREATE = (
    "aws ec2 create-vpc-endpoint --region {task_region} --vpc-id VPC_ID --vpc-endpoint-type Interface --service-name "
    "{service} "
    "--subnet-ids SUBNET_ID --security-group-ids GROUP_ID --private-dns-enabled"
)

NETWORK = {
    "dns.private-dns-disabled": CauseText(
        "the endpoint exists, but its private DNS names are off",
        "turn them on: aws ec2 modify-vpc-endpoint --region {task_region} --vpc-endpoint-id VPCE_ID "
        "--private-dns-enabled",
        READ_ENDPOINTS,
    ),
    "dns.vpc-attributes-off": CauseText(
        "the VPC has DNS support or DNS hostnames off, so private names are not served",
        "turn both on: aws ec2 modify-vpc-attribute --region {task_region} --vpc-id VPC_ID --enable-dns-support "
        "(then again with --enable-dns-hostnames)",
        "aws ec2 describe-vpc-attribute --region {task_region} --vpc-id VPC_ID --attribute enableDnsHostnames (and "
        "--attribute enableDnsSupport)",
    ),
    "dns.custom-resolver": CauseText(
        "the resolver in use ({servers}) is not the VPC's own and does not serve the private names",
        "use AmazonProvidedDNS, or forward the AWS names from there to an inbound endpoint of Route 53 Resolver (check "
        "rules that name {hosts}): aws ec2 associate-dhcp-options --region {task_region} --dhcp-options-id DOPT_ID "
        "--vpc-id VPC_ID",
        READ_RESOLVER_RULES + " (and aws ec2 describe-dhcp-options for the resolvers that the VPC hands out)",
    ),
    "dns.resolver-unreachable": CauseText(
        "the path to the resolver {servers} is closed, or the resolver is down or overloaded",
        "open UDP and TCP 53 from {subnet} to it: aws ec2 authorize-security-group-egress --region {task_region} "
        "--group-id GROUP_ID --protocol udp --port 53 "
        "--cidr {server}/32 (a VPC resolver takes at most 1024 packets per second and interface)",
        READ_TASK_INTERFACE + " (groups do not filter the VPC's own resolver, all others they do)",
    ),
    "dns.hosted-zone-wrong-name": CauseText(
        "the private zone has its labels swapped ({mistaken})",
        "make zones named as the hosts are, with a record *: aws route53 create-hosted-zone --name {zone} --vpc "
        "VPCRegion={task_region},VPCId=VPC_ID "
        "--caller-reference NEW",
        READ_ZONES,
    ),
    "dns.hosted-zone-missing-record": CauseText(
        "the private zone exists and lacks a record for this host (often the wildcard)",
        "add a record for {host} (or *) as an alias of the endpoint: aws route53 change-resource-record-sets "
        "--hosted-zone-id ZONE_ID --change-batch FILE",
        "aws route53 list-resource-record-sets --hosted-zone-id ZONE_ID (in the account that owns the zone; find it "
        "with list-hosted-zones-by-vpc)",
    ),
    "dns.hosted-zone-not-associated": CauseText(
        "the private zone exists elsewhere and this VPC is not associated with it",
        "associate it: aws route53 associate-vpc-with-hosted-zone --hosted-zone-id ZONE_ID --vpc "
        "VPCRegion={task_region},VPCId=VPC_ID "
        "(from another account: create-vpc-association-authorization first)",
        READ_ZONES,
    ),
    "dns.hosted-zone-conflict": CauseText(
        "another private zone or endpoint in this VPC claims the name",
        "leave one owner of the name: aws route53 disassociate-vpc-from-hosted-zone --hosted-zone-id ZONE_ID --vpc "
        "VPCRegion={task_region},VPCId=VPC_ID, "
        "or add the missing record to it",
        READ_ZONES,
    ),
    "tcp.security-group": CauseText(
        "a security group is closed: the endpoints' does not admit the task, or the task's has no way out on 443",
        "allow TCP 443 from {subnet} on the endpoints' group, and TCP 443 out on the task's: aws ec2 "
        "authorize-security-group-ingress --region {task_region} --group-id GROUP_ID --protocol tcp --port 443 "
        "--cidr {cidr}",
        READ_GROUPS,
    ),
    "tcp.security-group-s3-egress": CauseText(
        "the task's security group does not allow 443 to S3's prefix list",
        "allow it: aws ec2 authorize-security-group-egress --region {task_region} --group-id GROUP_ID --ip-permissions "
        "file://s3-prefix-list.json (aws ec2 describe-managed-prefix-lists names the list of S3)",
        READ_TASK_INTERFACE + ", then aws ec2 describe-security-groups --group-ids GROUP_ID",
    ),
    "tcp.nacl": CauseText(
        "a network ACL drops the packets one way or the other",
        "admit 443 one way and 1024-65535 back, on both subnets: aws ec2 create-network-acl-entry --region "
        "{task_region} --network-acl-id ACL_ID …",
        READ_ACLS,
    ),
    "tcp.no-route": CauseText(
        "the subnet has no route to there",
        "make the endpoint, which needs no route, or add one: aws ec2 create-route --region {task_region} "
        "--route-table-id RTB_ID --destination-cidr-block 0.0.0.0/0 "
        "--nat-gateway-id NAT_ID (towards another VPC: its range by --transit-gateway-id)",
        READ_ROUTES,
    ),
    "tcp.no-public-ip": CauseText(
        "the subnet routes to an internet gateway, but the task has no public address",
        "assign one (aws ecs update-service --network-configuration … with assignPublicIp=ENABLED), or make the "
        "endpoints",
        READ_TASK_INTERFACE + " (Association.PublicIp is missing there)",
    ),
    "tcp.nat-device": CauseText(
        "the NAT instance or appliance that the subnet routes to drops packets",
        "repair it: aws ec2 modify-instance-attribute --region {task_region} --instance-id NAT_ID "
        "--no-source-dest-check (its group and forwarding too; or use a NAT gateway)",
        READ_ROUTES,
    ),
    "tcp.az-without-eni": CauseText(
        "traffic to the endpoint's interface in another zone is not admitted, or that zone's interface is gone",
        "give the endpoint an interface in the task's zone: aws ec2 modify-vpc-endpoint --region {task_region} "
        "--vpc-endpoint-id VPCE_ID --add-subnet-ids SUBNET_ID",
        "aws ec2 describe-network-interfaces --region {task_region} --filters {by_address} --query "
        '"NetworkInterfaces[].[PrivateIpAddress,AvailabilityZone,Status]"',
    ),
    "endpoint.missing.ecr-api": CauseText(
        "there is no ecr.api endpoint in this VPC", "make it: " + _CREATE, READ_ENDPOINTS
    ),
    "endpoint.missing.ecr-dkr": CauseText(
        "there is no ecr.dkr endpoint in this VPC", "make it: " + _CREATE, READ_ENDPOINTS
    ),
    "endpoint.missing.secretsmanager": CauseText(
        "there is no secretsmanager endpoint in this VPC", "make it: " + _CREATE, READ_ENDPOINTS
    ),
    "endpoint.missing.ssm": CauseText("there is no ssm endpoint in this VPC", "make it: " + _CREATE, READ_ENDPOINTS),
    "endpoint.missing.other": CauseText(
        "there is no {endpoint} endpoint in this VPC", "make it: " + _CREATE, READ_ENDPOINTS
    ),
    "logs.endpoint-missing": CauseText(
        "there is no CloudWatch Logs endpoint in this VPC", "make it: " + _CREATE, READ_ENDPOINTS
    ),
    "ecs.control-plane-endpoints-missing": CauseText(
        "the ecs, ecs-agent and ecs-telemetry endpoints are not all in this VPC",
        "make all three (this one, and likewise ecs-agent and ecs-telemetry), then restart the agent: " + _CREATE,
        READ_ENDPOINTS,
    ),
    "endpoint.missing.s3": CauseText(
        "there is no S3 gateway endpoint in this VPC",
        "make it: aws ec2 create-vpc-endpoint --region {task_region} --vpc-id VPC_ID --vpc-endpoint-type Gateway "
        "--service-name {s3_service} --route-table-ids RTB_ID",
        "aws ec2 describe-vpc-endpoints --region {task_region} --filters Name=service-name,Values={s3_service} "
        '--query "VpcEndpoints[].[VpcId,VpcEndpointType,RouteTableIds]"',
    ),
    "s3.route-table-not-associated": CauseText(
        "the S3 gateway endpoint is not associated with the route table of this subnet",
        "associate it: aws ec2 modify-vpc-endpoint --region {task_region} --vpc-endpoint-id VPCE_ID "
        "--add-route-table-ids RTB_ID",
        READ_ROUTES,
    ),
    "endpoint.s3-interface-not-gateway": CauseText(
        "S3 has only an interface endpoint here, whose private name does not cover the layer bucket",
        "add the gateway endpoint: aws ec2 create-vpc-endpoint --region {task_region} --vpc-id VPC_ID "
        "--vpc-endpoint-type Gateway --service-name {s3_service} "
        "--route-table-ids RTB_ID",
        "aws ec2 describe-vpc-endpoints --region {task_region} --filters Name=service-name,Values={s3_service} "
        '--query "VpcEndpoints[].[VpcId,VpcEndpointType,PrivateDnsEnabled]"',
    ),
    "path.mtu": CauseText(
        "large packets are lost on the way (MTU)",
        "clamp the MSS on the VPN, transit or appliance in between, or allow ICMP type 3 code 4; to try it here: ip "
        "route change default via GATEWAY mtu 1300",
        "ping -M do -s 1400 {host_address} (from the task's subnet, towards a host behind the same hop that answers; "
        "smaller sizes passing proves it)",
    ),
    "path.transfer-broken": CauseText(
        "a middlebox cuts or stalls long transfers (idle limit of a NAT, inspection, overload)",
        "exempt {hosts} from inspection, or take the middlebox out of the path: aws ec2 replace-route --region "
        "{task_region} --route-table-id RTB_ID …",
        READ_FLOW_LOGS,
    ),
    "path.proxy": CauseText(
        "a proxy is in the way, or proxy variables lack their exceptions",
        "set NO_PROXY={no_proxy} where the variables are set (aws ecs register-task-definition, or the agent's and "
        "daemon's configuration)",
        "aws ecs describe-task-definition --task-definition FAMILY --query "
        '"taskDefinition.containerDefinitions[].environment"',
    ),
    "path.egress-firewall": CauseText(
        "a firewall on the way does not let {hosts} pass",
        "allow the hosts there (aws network-firewall update-rule-group --region {task_region} --rule-group-name NAME "
        "…), or make the endpoints so that nothing passes it",
        "aws network-firewall list-firewalls --region {task_region} (and read their rule groups, or ask who runs the "
        "appliance that the subnet routes to)",
    ),
    "region.cross-region": CauseText(
        "the bytes are in {region}, the task in {task_region}: endpoints of this VPC serve only their own region",
        "replicate the repository: aws ecr put-replication-configuration --region {region} "
        "--replication-configuration FILE; and use the copy in {task_region}",
        "aws ecr describe-registry --region {region} (in account {account}; shows whether it replicates to "
        "{task_region})",
    ),
    "region.ipv6-unsupported-endpoint": CauseText(
        "the name has only IPv4 addresses and the task only IPv6 ways",
        "use the dual-stack names ({account}.dkr-ecr.{region}.on.aws), a dual-stack endpoint (aws ec2 "
        "modify-vpc-endpoint --vpc-endpoint-id VPCE_ID "
        "--ip-address-type dualstack), or give the subnet an IPv4 path",
        "aws ec2 describe-vpc-endpoints --region {task_region} --filters Name=service-name,Values={services} --query "
        '"VpcEndpoints[].[VpcEndpointId,IpAddressType,DnsOptions]"',
    ),
}

"""What can cause a fault. Each cause is one constant: its code, its title, how to fix it and how to confirm it.

A word in capitals is a value that cannot be known from inside a task. `placeholders.py` has the {placeholders}.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from probe.model import Advice, Cause, Standing
from probe.records import Record, replace


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

_OWNING_ACCOUNT = "Run it in the account that owns the endpoints."
_READ_ENDPOINTS = reads(
    "aws ec2 describe-vpc-endpoints --region {task_region} --filters Name=service-name,Values={services} "
    '--query "VpcEndpoints[].[VpcEndpointId,State,PrivateDnsEnabled,VpcId]"'
)
_READ_S3_ENDPOINTS = (
    "aws ec2 describe-vpc-endpoints --region {task_region} --filters Name=service-name,Values={s3_service}"
)
_DESCRIBE_GROUP = "aws ec2 describe-security-groups --region {task_region} --group-ids GROUP_ID"
_READ_GROUPS = reads(
    "aws ec2 describe-network-interfaces --region {task_region} --filters {by_address} "
    '--query "NetworkInterfaces[].Groups[].GroupId"',
    _DESCRIBE_GROUP,
    note=_OWNING_ACCOUNT,
)
_DESCRIBE_TASK_INTERFACE = (
    "aws ec2 describe-network-interfaces --region {task_region} --filters {by_own_address} "
    '--query "NetworkInterfaces[].[VpcId,SubnetId,Groups[].GroupId]"'
)
_READ_ROUTES = reads(
    "aws ec2 describe-route-tables --region {task_region} --filters Name=association.subnet-id,Values=SUBNET_ID "
    '--query "RouteTables[].Routes"',
    note="SUBNET_ID is {own_subnet}. A subnet without its own association uses the VPC's main route table.",
)
_READ_ZONES = reads(
    "aws route53 list-hosted-zones-by-vpc --vpc-id VPC_ID --vpc-region {task_region}",
    note="It also lists zones of other accounts; only the owning account can read their records.",
)
DESCRIBE_TASK = "aws ecs describe-tasks --region {task_region} --cluster {cluster} --tasks {task}"
REGISTER = "aws ecs register-task-definition --cli-input-json file://TASK_DEFINITION.json"


def read_task_definition(query: str) -> Advice:
    """Read these fields of the task definition."""
    command = "aws ecs describe-task-definition --task-definition FAMILY"
    return reads(f'{command} --query "taskDefinition.{query}"')


_READ_IMAGE_FIELD = read_task_definition("containerDefinitions[].image")
READ_MANIFEST = (
    "aws ecr batch-get-image --region {region} --registry-id {account} --repository-name {repository} "
    "--image-ids imageTag={tag}"
)
_READ_POLICY = reads(
    "aws ec2 describe-vpc-endpoints --region {task_region} --filters Name=service-name,Values={services} "
    '--query "VpcEndpoints[].PolicyDocument"',
    note=_OWNING_ACCOUNT,
)
_SET_POLICY = (
    "aws ec2 modify-vpc-endpoint --region {task_region} --vpc-endpoint-id VPCE_ID --policy-document file://POLICY.json"
)
_READ_ISSUER = reads(
    "openssl s_client -connect {host}:443 -servername {host} </dev/null | openssl x509 -noout -issuer -dates",
    note="Run it in the task's subnet.",
)
_CREATE_ENDPOINT = advice(
    "create the VPC endpoint {service}",
    "aws ec2 create-vpc-endpoint --region {task_region} --vpc-id VPC_ID --vpc-endpoint-type Interface "
    "--service-name {service} --subnet-ids SUBNET_ID --security-group-ids GROUP_ID --private-dns-enabled",
)
_CREATE_S3_GATEWAY = advice(
    "create the gateway endpoint {s3_service}",
    "aws ec2 create-vpc-endpoint --region {task_region} --vpc-id VPC_ID --vpc-endpoint-type Gateway "
    "--service-name {s3_service} --route-table-ids RTB_ID",
)
_SET_REPOSITORY_POLICY = (
    "aws ecr set-repository-policy --region {region} --registry-id {account} --repository-name {repository} "
    "--policy-text file://POLICY.json"
)

# ---- names -----------------------------------------------------------------------------------------------------------

PRIVATE_DNS_OFF = CauseText(
    code="dns.private-dns-disabled",
    title="the endpoint exists, but its private DNS is off",
    fix=advice(
        "turn on private DNS for {endpoints}",
        "aws ec2 modify-vpc-endpoint --region {task_region} --vpc-endpoint-id VPCE_ID --private-dns-enabled",
    ),
    confirm=_READ_ENDPOINTS,
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
        _DESCRIBE_TASK_INTERFACE,
        _DESCRIBE_GROUP,
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
    confirm=_READ_ZONES,
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
    confirm=_READ_ZONES,
)
ZONE_CONFLICT = CauseText(
    code="dns.hosted-zone-conflict",
    title="another private zone or endpoint in this VPC owns the name",
    fix=advice(
        "keep only one owner of {host}, or add the missing record to the zone that owns it",
        "aws route53 disassociate-vpc-from-hosted-zone --hosted-zone-id ZONE_ID "
        "--vpc VPCRegion={task_region},VPCId=VPC_ID",
    ),
    confirm=_READ_ZONES,
)

# ---- addresses and connections ---------------------------------------------------------------------------------------

SECURITY_GROUP = CauseText(
    code="tcp.security-group",
    title=(
        "a security group blocks 443: the endpoints' group does not allow the task in, or the task's group does not "
        "allow it out"
    ),
    fix=advice(
        "allow TCP 443 from {subnet} on the endpoints' security group, and TCP 443 out on the task's",
        "aws ec2 authorize-security-group-ingress --region {task_region} --group-id GROUP_ID --protocol tcp "
        "--port 443 --cidr {cidr}",
    ),
    confirm=_READ_GROUPS,
)
SECURITY_GROUP_S3_EGRESS = CauseText(
    code="tcp.security-group-s3-egress",
    title="the task's security group does not allow 443 out to S3's prefix list",
    fix=advice(
        "allow TCP 443 to S3's prefix list in the task's security group",
        "aws ec2 describe-managed-prefix-lists --region {task_region} "
        "--filters Name=prefix-list-name,Values={s3_service}",
        "aws ec2 authorize-security-group-egress --region {task_region} --group-id GROUP_ID "
        "--ip-permissions IpProtocol=tcp,FromPort=443,ToPort=443,PrefixListIds=[{{PrefixListId=PREFIX_LIST_ID}}]",
    ),
    confirm=reads(_DESCRIBE_TASK_INTERFACE, _DESCRIBE_GROUP),
)
NETWORK_ACL = CauseText(
    code="tcp.nacl",
    title="a network ACL drops the packets in one direction",
    fix=advice(
        "allow 443 in one direction and 1024-65535 in the other, in the network ACLs of the task's subnet and of the "
        "endpoints' subnets",
        "aws ec2 create-network-acl-entry --region {task_region} --network-acl-id ACL_ID --rule-number NUMBER "
        "--protocol tcp --port-range From=443,To=443 --cidr-block CIDR --rule-action allow --egress",
        "aws ec2 create-network-acl-entry --region {task_region} --network-acl-id ACL_ID --rule-number NUMBER "
        "--protocol tcp --port-range From=1024,To=65535 --cidr-block CIDR --rule-action allow --ingress",
        note="The commands are for the task's subnet. On the endpoints' subnets, swap --egress and --ingress.",
    ),
    confirm=reads(
        "aws ec2 describe-network-acls --region {task_region} --filters Name=association.subnet-id,Values=SUBNET_ID",
        note="SUBNET_ID is {own_subnet}{theirs}.",
    ),
)
NO_ROUTE = CauseText(
    code="tcp.no-route",
    title="the subnet has no route to that address",
    fix=advice(
        "create the missing VPC endpoint, which needs no route, or add a route to the subnet's route table",
        "aws ec2 create-route --region {task_region} --route-table-id RTB_ID "
        "--destination-cidr-block 0.0.0.0/0 --nat-gateway-id NAT_ID",
        note="To reach another VPC, use its range and --transit-gateway-id.",
    ),
    confirm=_READ_ROUTES,
)
NO_PUBLIC_IP = CauseText(
    code="tcp.no-public-ip",
    title="the subnet routes to an internet gateway, but the task has no public address",
    fix=advice(
        "assign a public address to the task, or create the missing VPC endpoints",
        "aws ecs update-service --region {task_region} --cluster {cluster} --service SERVICE "
        '--network-configuration "awsvpcConfiguration={{subnets=[SUBNET_ID],securityGroups=[GROUP_ID],'
        'assignPublicIp=ENABLED}}"',
    ),
    confirm=reads(
        "aws ec2 describe-network-interfaces --region {task_region} --filters {by_own_address} "
        '--query "NetworkInterfaces[].[SubnetId,Association.PublicIp]"',
        note="Without a public address, Association.PublicIp is null.",
    ),
)
NAT_DEVICE = CauseText(
    code="tcp.nat-device",
    title="the NAT instance or appliance that the subnet routes to drops packets",
    fix=advice(
        "turn off the source and destination check of the NAT instance, or use a NAT gateway",
        "aws ec2 modify-instance-attribute --region {task_region} --instance-id NAT_ID --no-source-dest-check",
        note="Also check its security group and that it forwards packets.",
    ),
    confirm=_READ_ROUTES,
)
ZONE_WITHOUT_INTERFACE = CauseText(
    code="tcp.az-without-eni",
    title=(
        "traffic to the endpoint's network interface in another zone is not allowed, or that network interface is gone"
    ),
    fix=advice(
        "add a network interface of the endpoint in the task's zone",
        "aws ec2 modify-vpc-endpoint --region {task_region} --vpc-endpoint-id VPCE_ID --add-subnet-ids SUBNET_ID",
    ),
    confirm=reads(
        "aws ec2 describe-network-interfaces --region {task_region} --filters {by_address} "
        '--query "NetworkInterfaces[].[PrivateIpAddress,AvailabilityZone,Status]"'
    ),
)

# ---- endpoints that are missing --------------------------------------------------------------------------------------


def _missing_endpoint(code: str, service: str, *absence_of: str) -> CauseText:
    return CauseText(
        code=code,
        title=f"there is no {service} endpoint in this VPC",
        fix=_CREATE_ENDPOINT,
        confirm=_READ_ENDPOINTS,
        absence_of=absence_of,
    )


MISSING_ECR_API = _missing_endpoint("endpoint.missing.ecr-api", "ecr.api", "ecr.api")
MISSING_ECR_DKR = _missing_endpoint("endpoint.missing.ecr-dkr", "ecr.dkr", "ecr.dkr")
MISSING_SECRETS_MANAGER = _missing_endpoint("endpoint.missing.secretsmanager", "secretsmanager", "secretsmanager")
MISSING_SSM = _missing_endpoint("endpoint.missing.ssm", "ssm", "ssm")
MISSING_OTHER = _missing_endpoint("endpoint.missing.other", "{endpoint}")
MISSING_LOGS = _missing_endpoint("logs.endpoint-missing", "CloudWatch Logs", "logs")
MISSING_CONTROL_PLANE = CauseText(
    code="ecs.control-plane-endpoints-missing",
    title="one or more of the ecs, ecs-agent and ecs-telemetry endpoints is missing from this VPC",
    fix=advice(
        "create the ecs, ecs-agent and ecs-telemetry endpoints, then restart the ECS agent",
        *_CREATE_ENDPOINT.commands,
        note="Repeat the command for each of the three that is missing.",
    ),
    confirm=_READ_ENDPOINTS,
    absence_of=("ecs", "ecs-agent", "ecs-telemetry"),
)
MISSING_S3 = CauseText(
    code="endpoint.missing.s3",
    title="there is no S3 gateway endpoint in this VPC",
    fix=_CREATE_S3_GATEWAY,
    confirm=reads(f'{_READ_S3_ENDPOINTS} --query "VpcEndpoints[].[VpcId,VpcEndpointType,RouteTableIds]"'),
    absence_of=("s3",),
)
S3_ROUTE_TABLE = CauseText(
    code="s3.route-table-not-associated",
    title="the S3 gateway endpoint is not associated with the route table of this subnet",
    fix=advice(
        "associate the S3 gateway endpoint with the subnet's route table",
        "aws ec2 modify-vpc-endpoint --region {task_region} --vpc-endpoint-id VPCE_ID --add-route-table-ids RTB_ID",
    ),
    confirm=_READ_ROUTES,
)
S3_INTERFACE_ONLY = CauseText(
    code="endpoint.s3-interface-not-gateway",
    title="S3 has only an interface endpoint here, and its private DNS does not cover the layer bucket",
    fix=_CREATE_S3_GATEWAY,
    confirm=reads(f'{_READ_S3_ENDPOINTS} --query "VpcEndpoints[].[VpcId,VpcEndpointType,PrivateDnsEnabled]"'),
)

# ---- what lies on the way --------------------------------------------------------------------------------------------

MTU = CauseText(
    code="path.mtu",
    title="large packets are lost on the way (MTU)",
    fix=advice(
        "clamp the MSS on the VPN, transit gateway or appliance on the way, or allow ICMP type 3 code 4",
        "ip route change default via GATEWAY mtu 1300",
        note="The command tries a smaller MTU on this host.",
    ),
    confirm=reads(
        "ping -M do -s 1400 {host_address}",
        note=(
            "Run it in the task's subnet, against a host behind the same hop that answers pings. If smaller pings get "
            "through and this one does not, the MTU is the cause."
        ),
    ),
)
TRANSFER_BROKEN = CauseText(
    code="path.transfer-broken",
    title="a middlebox cuts or stalls long transfers (idle timeout of a NAT, inspection, overload)",
    fix=advice(
        "exempt {hosts} from inspection, or route around the middlebox",
        "aws ec2 replace-route --region {task_region} --route-table-id RTB_ID "
        "--destination-cidr-block CIDR --nat-gateway-id NAT_ID",
    ),
    confirm=reads(
        "aws ec2 describe-flow-logs --region {task_region} --filter Name=resource-id,Values=VPC_ID",
        note="In the flow logs, REJECT records or missing records show where traffic is lost.",
    ),
)
PROXY = CauseText(
    code="path.proxy",
    title="a proxy is on the way, or NO_PROXY does not list the hosts",
    fix=advice(
        "set NO_PROXY where the proxy variables are set: in the task definition, the agent's or the daemon's "
        "configuration",
        "export NO_PROXY={no_proxy}",
    ),
    confirm=read_task_definition("containerDefinitions[].environment"),
)
EGRESS_FIREWALL = CauseText(
    code="path.egress-firewall",
    title="a firewall on the way blocks {hosts}",
    fix=advice(
        "allow {hosts} in the firewall, or create the endpoints so that no traffic passes the firewall",
        "aws network-firewall update-rule-group --region {task_region} --type STATEFUL --rule-group-name NAME "
        "--update-token TOKEN --rule-group file://RULES.json",
    ),
    confirm=reads(
        "aws network-firewall list-firewalls --region {task_region}",
        note="Read their rule groups, or ask the owner of the appliance that the subnet routes to.",
    ),
)
CROSS_REGION = CauseText(
    code="region.cross-region",
    title="the image is in {region}, the task in {task_region}: endpoints of this VPC serve only their own region",
    fix=advice(
        "replicate the repository {repository}, and use the copy in {task_region}",
        "aws ecr put-replication-configuration --region {region} --replication-configuration file://REPLICATION.json",
    ),
    confirm=reads(
        "aws ecr describe-registry --region {region}",
        note="Run it in account {account}. It shows whether the registry replicates to {task_region}.",
    ),
)
IPV4_ONLY = CauseText(
    code="region.ipv6-unsupported-endpoint",
    title="the name has only IPv4 addresses, and the task has only IPv6 routes",
    fix=advice(
        "use the dual-stack name {account}.dkr-ecr.{region}.on.aws, make the endpoint dual-stack, or give the subnet "
        "an IPv4 path",
        "aws ec2 modify-vpc-endpoint --region {task_region} --vpc-endpoint-id VPCE_ID --ip-address-type dualstack",
    ),
    confirm=reads(
        "aws ec2 describe-vpc-endpoints --region {task_region} --filters Name=service-name,Values={services} "
        '--query "VpcEndpoints[].[VpcEndpointId,IpAddressType,DnsOptions]"'
    ),
)

# ---- policies and identities -----------------------------------------------------------------------------------------

ECR_ENDPOINT_POLICY = CauseText(
    code="policy.vpce.ecr",
    title="the policy of the ecr.api or ecr.dkr endpoint does not allow this request",
    fix=advice(
        "allow the pulling role ecr:GetAuthorizationToken on *, and ecr:BatchGetImage and ecr:GetDownloadUrlForLayer "
        "on the repository, in the policies of the ecr.api and ecr.dkr endpoints",
        _SET_POLICY,
    ),
    confirm=_READ_POLICY,
)
S3_ENDPOINT_POLICY = CauseText(
    code="policy.vpce.s3",
    title="the policy of the S3 endpoint does not allow ECR's layer bucket",
    fix=advice(
        "in the policy of the S3 endpoint, allow s3:GetObject on arn:{partition}:s3:::{bucket}/* to Principal *, "
        "without conditions on the principal",
        _SET_POLICY,
    ),
    confirm=reads(f'{_READ_S3_ENDPOINTS} --query "VpcEndpoints[].PolicyDocument"'),
)
OTHER_ENDPOINT_POLICY = CauseText(
    code="policy.vpce.other",
    title="the policy of the {endpoint} endpoint does not allow this request",
    fix=advice("allow {actions} in the policy of the {endpoint} endpoint", _SET_POLICY),
    confirm=_READ_POLICY,
)
EXECUTION_ROLE = CauseText(
    code="iam.execution-role",
    title="the role's own policies do not allow this request (permission missing or mistyped, or the wrong role)",
    fix=advice(
        "attach the permissions of a pull to the role that pulls",
        "aws iam attach-role-policy --role-name {role_name} "
        "--policy-arn arn:{partition}:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy",
    ),
    confirm=reads(
        "aws iam simulate-principal-policy --policy-source-arn {role_arn} --action-names {actions}",
        note="Name the role that does the pull with --pull-role.",
    ),
)
REPOSITORY_POLICY = CauseText(
    code="iam.repository-policy",
    title="the repository's policy does not allow this role or account",
    fix=advice("allow {who} in the policy of the repository {repository}", _SET_REPOSITORY_POLICY),
    confirm=reads(
        "aws ecr get-repository-policy --region {region} --registry-id {account} --repository-name {repository}",
        note="Run it in account {account}.",
    ),
)
SOURCE_VPCE_CONDITION = CauseText(
    code="iam.source-vpce-condition",
    title="a policy of the role has a condition on aws:SourceVpce or aws:SourceVpc that this request does not meet",
    fix=advice(
        "send the request through the endpoint so that it meets the condition, or limit the condition (it must not "
        "apply to ecr:GetAuthorizationToken)",
        "aws iam put-role-policy --role-name {role_name} --policy-name POLICY_NAME "
        "--policy-document file://POLICY.json",
    ),
    confirm=reads(
        "aws iam list-attached-role-policies --role-name {role_name}",
        "aws iam list-role-policies --role-name {role_name}",
        note="Look for aws:SourceVpce and aws:SourceVpc in these policies.",
    ),
)
ORGANISATION_POLICY = CauseText(
    code="iam.scp",
    title="a policy of the organization (SCP or RCP) denies this request",
    fix=advice(
        "exempt the action or the account in the organization's policy",
        "aws organizations update-policy --policy-id POLICY_ID --content file://POLICY.json",
    ),
    confirm=reads(
        "aws organizations list-policies-for-target --target-id {caller_account} --filter SERVICE_CONTROL_POLICY",
        note="Run it in the management account.",
    ),
)
NO_CREDENTIALS = CauseText(
    code="iam.no-credentials",
    title="there is no source of credentials here: no task role, no variables, no profile",
    fix=advice("set taskRoleArn in the task definition", REGISTER),
    confirm=read_task_definition("[taskRoleArn,executionRoleArn]"),
)
CREDENTIALS_REJECTED = CauseText(
    code="iam.credentials-rejected",
    title="the credentials have expired, are invalid, or are not ready yet",
    fix=advice(
        "renew the credentials; remove AWS_ACCESS_KEY_ID and related variables from the task definition where they "
        "override the role",
        REGISTER,
    ),
    confirm=reads("aws sts get-caller-identity --region {task_region}", note="Run it with the same credentials."),
)
TLS_INTERCEPTION = CauseText(
    code="tls.interception",
    title="a middlebox terminates TLS and presents its own certificate for AWS (issuer: {issuer})",
    fix=advice(
        "exempt the hosts of {endpoints} from TLS inspection, or create the endpoints so that no traffic passes the "
        "middlebox",
        "aws network-firewall update-tls-inspection-configuration --region {task_region} "
        "--tls-inspection-configuration-name NAME --update-token TOKEN "
        "--tls-inspection-configuration file://TLS_INSPECTION.json",
        note="The hosts are {hosts}.",
    ),
    confirm=_READ_ISSUER,
)
CA_BUNDLE = CauseText(
    code="tls.ca-bundle",
    title="the trust store is too old, or was replaced by one without Amazon's authorities",
    fix=advice(
        "install newer ca-certificates in the image, or correct --ca-bundle or AWS_CA_BUNDLE in the task definition",
        REGISTER,
    ),
    confirm=_READ_ISSUER,
)
CERTIFICATE_EXPIRED = CauseText(
    code="tls.certificate-expired",
    title="the host that answers presents an out-of-date certificate: a middlebox, or the wrong host",
    fix=advice(
        "find the owner of the address that answers for {host}",
        "aws ec2 describe-network-interfaces --region {task_region} --filters {by_address}",
    ),
    confirm=_READ_ISSUER,
)
CLOCK_SKEW = CauseText(
    code="clock.skew",
    title="the clock of the task's host is wrong",
    fix=advice(
        "repair time synchronization on the host; on Fargate, replace the task",
        "aws ecs stop-task --region {task_region} --cluster {cluster} --task {task}",
        note="Amazon's time server is 169.254.169.123; chronyc sources shows which one the host uses.",
    ),
    confirm=reads("curl -sI https://{host} | grep -i ^date", "date -u"),
)

# ---- images and registries -------------------------------------------------------------------------------------------

REPOSITORY_NOT_FOUND = CauseText(
    code="registry.repo-not-found",
    title="the account, region or repository name is wrong, or the repository was deleted",
    fix=advice(
        "correct the image reference, or create the repository {repository}",
        "aws ecr create-repository --region {region} --repository-name {repository}",
    ),
    confirm=reads(
        "aws ecr describe-repositories --region {region} --registry-id {account} --repository-names {repository}"
    ),
)
TAG_NOT_FOUND = CauseText(
    code="registry.tag-not-found",
    title="the tag or digest was never pushed, or a lifecycle rule removed it",
    fix=advice(
        "push the image again, and check the lifecycle rules",
        "aws ecr get-lifecycle-policy --region {region} --registry-id {account} --repository-name {repository}",
    ),
    confirm=reads("aws ecr describe-images --region {region} --registry-id {account} --repository-name {repository}"),
)
BAD_IMAGE_REFERENCE = CauseText(
    code="registry.bad-image-reference",
    title="the image's host is mistyped: {image}",
    fix=advice("correct the image's host in the task definition: ACCOUNT.dkr.ecr.REGION.{suffix}/NAME:TAG", REGISTER),
    confirm=_READ_IMAGE_FIELD,
)
NO_MATCHING_PLATFORM = CauseText(
    code="registry.no-matching-platform",
    title="the image was built for other platforms",
    fix=advice(
        "also build the image for {platform}, or set runtimePlatform in the task definition",
        "docker buildx build --platform {platform} --tag IMAGE --push .",
    ),
    confirm=reads(READ_MANIFEST),
)
FOREIGN_LAYERS = CauseText(
    code="registry.foreign-layers",
    title="layers of the base image are hosted by its vendor, not in ECR",
    fix=advice(
        "also push the foreign layers: list {registry} in allow-nondistributable-artifacts of the Docker daemon, then "
        "push the image again",
        "docker push {image}",
        note="aws ecr describe-images then shows the larger size.",
    ),
    confirm=reads(READ_MANIFEST, note="Look for layers with urls."),
)
ECR_PUBLIC = CauseText(
    code="registry.ecr-public-no-privatelink",
    title="the image is in ECR Public, which has no VPC endpoint for pulls",
    fix=advice(
        "copy the image to a private repository, or create a pull-through cache rule",
        "aws ecr create-pull-through-cache-rule --region {task_region} --ecr-repository-prefix ecr-public "
        "--upstream-registry-url public.ecr.aws",
    ),
    confirm=_READ_IMAGE_FIELD,
)
PULL_THROUGH = CauseText(
    code="registry.pull-through-redirect",
    title="the repository is a pull-through cache that does not hold this image yet",
    fix=advice("pull the image once from a network with internet access", READ_MANIFEST),
    confirm=reads("aws ecr describe-pull-through-cache-rules --region {region} --registry-id {account}"),
)
TOKEN_EXPIRED = CauseText(
    code="registry.auth-token-expired",
    title="the token has expired or belongs to another region's registry",
    fix=advice(
        "renew the token for {registry}",
        "aws ecr get-login-password --region {region} | docker login --username AWS --password-stdin {registry}",
        note="A runtime that keeps expired tokens needs a newer version.",
    ),
    confirm=reads(
        'aws ecr get-authorization-token --region {region} --query "authorizationData[].[expiresAt,proxyEndpoint]"'
    ),
)
LAYER_CORRUPT = CauseText(
    code="registry.layer-corrupt",
    title="the stored layer is damaged or incomplete",
    fix=advice("push the image again", "docker push {image}"),
    confirm=reads(
        "aws ecr batch-check-layer-availability --region {region} --registry-id {account} "
        "--repository-name {repository} --layer-digests {digest}"
    ),
)

# ---- clients ---------------------------------------------------------------------------------------------------------

LEGACY_HOSTNAME = CauseText(
    code="client.legacy-hostname",
    title="old clients call this host, which private DNS of ecr.api does not cover",
    fix=advice(
        "update the SDK, agent or credential helper, so that it calls api.ecr.{region}.{suffix}", "aws --version"
    ),
    confirm=_READ_ENDPOINTS,
)
FIPS_HOSTNAME = CauseText(
    code="client.fips-hostname",
    title="the client calls the FIPS host, which the endpoints' private DNS does not cover",
    fix=advice("use the standard host {account}.dkr.ecr.{region}.{suffix} in the task definition", REGISTER),
    confirm=_READ_ENDPOINTS,
)
UNRECOGNISED_HOST = CauseText(
    code="client.unrecognised-ecr-host",
    title=(
        "a client does not recognize this host as ECR, or logs in to a different host name from the one it pulls from"
    ),
    fix=advice(
        "use the same registry host for login and pull",
        "aws ecr get-login-password --region {region} | docker login --username AWS --password-stdin {registry}",
    ),
    confirm=_READ_IMAGE_FIELD,
)
VPCE_HOSTNAME = CauseText(
    code="client.vpce-hostname",
    title="the image names an endpoint's own vpce host as its registry; that host contains no account",
    fix=advice(
        "use ACCOUNT.dkr.ecr.{region}.{suffix} as the image's host; private DNS resolves it to the endpoint", REGISTER
    ),
    confirm=_READ_IMAGE_FIELD,
)
OLD_AGENT = CauseText(
    code="client.old-agent",
    title="an old ECS agent sent the request without a token, and the registry answered that the image does not exist",
    fix=advice(
        "update the ECS agent",
        "aws ecs update-container-agent --region {task_region} --cluster {cluster} --container-instance INSTANCE",
    ),
    confirm=reads(
        "aws ecs describe-container-instances --region {task_region} --cluster {cluster} "
        '--container-instances INSTANCE --query "containerInstances[].versionInfo"'
    ),
)
PULL_OUTSIDE_VPC = CauseText(
    code="client.pull-not-in-vpc",
    title="this pull is made outside the VPC by design, so the VPC's endpoints and security groups do not matter",
    fix=advice(
        "allow the service to pull in the repository's policy",
        _SET_REPOSITORY_POLICY,
        note="The principal is the service, for example codebuild.amazonaws.com.",
    ),
    confirm=reads('aws codebuild batch-get-projects --names PROJECT --query "projects[].environment"'),
)

# ---- logs, limits and AWS itself -------------------------------------------------------------------------------------

THROTTLE = CauseText(
    code="throttle",
    title="too many requests in a short time",
    fix=advice(
        "spread the launches, reuse tokens, copy images from other registries to ECR, or request a higher quota",
        "aws service-quotas request-service-quota-increase --region {region} --service-code ecr "
        "--quota-code QUOTA_CODE --desired-value VALUE",
    ),
    confirm=reads("aws service-quotas list-service-quotas --region {region} --service-code ecr"),
)
LOG_GROUP_MISSING = CauseText(
    code="logs.group-missing",
    title="the log group was never created, or was deleted",
    fix=advice(
        "create the log group {group}", "aws logs create-log-group --region {log_region} --log-group-name {group}"
    ),
    confirm=reads("aws logs describe-log-groups --region {log_region} --log-group-name-prefix {group}"),
)
LOG_REGION = CauseText(
    code="logs.misconfigured-region",
    title="awslogs-region is not the intended region",
    fix=advice("correct awslogs-region in logConfiguration.options of the task definition", REGISTER),
    confirm=read_task_definition("containerDefinitions[].logConfiguration"),
)
AWS_OUTAGE = CauseText(
    code="aws.service-error",
    title="AWS is having an outage",
    fix=advice(
        "wait until AWS has resolved the outage, then pull again",
        "aws health describe-events --region us-east-1",
        note="The command lists known outages.",
    ),
    confirm=reads(
        "aws health describe-events --region us-east-1 --filter services=ECR",
        note="It needs a support plan; without one, read https://health.aws.amazon.com/health/status.",
    ),
)
OTHER = CauseText(
    code="other",
    title="a cause that ecr-probe does not know",
    fix=advice(
        "read the failed steps of this finding, and run the check again with a longer --deadline",
        DESCRIBE_TASK,
        note="The command shows what ECS reports.",
    ),
    confirm=reads(DESCRIBE_TASK),
)

CAUSES: Mapping[str, CauseText] = {text.code: text for text in tuple(globals().values()) if isinstance(text, CauseText)}
_MISSING = {endpoint: text for text in CAUSES.values() for endpoint in text.absence_of}


def missing(endpoint: str) -> CauseText:
    """The cause that this endpoint does not exist."""
    return _MISSING.get(endpoint, MISSING_OTHER)


def other(title: str, fix: Advice, confirm: Advice) -> CauseText:
    """A cause of one fault alone, which has the code `other`."""
    return replace(OTHER, title=title, fix=fix, confirm=confirm)

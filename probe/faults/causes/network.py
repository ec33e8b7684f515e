"""Causes on the way of packets: groups, network ACLs, routes, middleboxes, certificates, clocks."""

from __future__ import annotations

from probe.faults.causes.cause import (
    DESCRIBE_GROUP,
    DESCRIBE_TASK_INTERFACE,
    OWNING_ACCOUNT,
    READ_GROUPS,
    READ_ISSUER,
    READ_ROUTES,
    READ_S3_ENDPOINTS,
    REGISTER,
    CauseText,
    Replacement,
    advice,
    read_task_definition,
    reads,
    service_network,
)

SECURITY_GROUP = CauseText(
    code="tcp.security-group",
    title=(
        "a security group blocks 443: the endpoints' group does not allow the task in, or the task's group does not "
        "allow it out"
    ),
    fix=advice(
        "allow TCP 443 from {subnet} on the endpoints' security group, and TCP 443 out on the task's",
        "aws ec2 authorize-security-group-ingress --region {task_region} --group-id GROUP_ID {from_subnet:tcp/443}",
    ),
    confirm=READ_GROUPS,
)
SECURITY_GROUP_S3_EGRESS = CauseText(
    code="tcp.security-group-s3-egress",
    title="the task's security group does not allow 443 out to S3's prefix list",
    fix=advice(
        "allow TCP 443 to S3's prefix list in the task's security group",
        "aws ec2 describe-managed-prefix-lists --region {task_region} "
        "--filters Name=prefix-list-name,Values={s3_service}",
        "aws ec2 authorize-security-group-egress --region {task_region} --group-id GROUP_ID "
        '--ip-permissions "IpProtocol=tcp,FromPort=443,ToPort=443,PrefixListIds=[{{PrefixListId=PREFIX_LIST_ID}}]"',
    ),
    confirm=reads(DESCRIBE_TASK_INTERFACE, DESCRIBE_GROUP),
)
NETWORK_ACL = CauseText(
    code="tcp.nacl",
    title="a network ACL drops the packets in one direction",
    fix=advice(
        "allow 443 in one direction and 1024-65535 in the other, in the network ACLs of the task's subnet and of the "
        "endpoints' subnets",
        "aws ec2 create-network-acl-entry --region {task_region} --network-acl-id ACL_ID --rule-number NUMBER "
        "--protocol tcp --port-range From=443,To=443 {acl_range} --rule-action allow --egress",
        "aws ec2 create-network-acl-entry --region {task_region} --network-acl-id ACL_ID --rule-number NUMBER "
        "--protocol tcp --port-range From=1024,To=65535 {acl_range} --rule-action allow --ingress",
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
        "aws ec2 create-route --region {task_region} --route-table-id RTB_ID {route_out}",
        note="To reach another VPC, use its range and --transit-gateway-id.",
    ),
    confirm=READ_ROUTES,
)
# AWS[block-public-access]
BLOCK_PUBLIC_ACCESS = CauseText(
    code="tcp.block-public-access",
    title="VPC Block Public Access stops traffic through internet gateways, and so through NAT gateways",
    fix=advice(
        "create the missing VPC endpoints, which it does not block, or exclude the VPC of the NAT gateway from it",
        "aws ec2 create-vpc-block-public-access-exclusion --region {task_region} --vpc-id VPC_ID "
        "--internet-gateway-exclusion-mode allow-egress",
        note="An organization can own the setting (ManagedBy) and forbid exclusions (ExclusionsAllowed).",
    ),
    confirm=reads(
        "aws ec2 describe-vpc-block-public-access-options --region {task_region} "
        '--query "VpcBlockPublicAccessOptions.[InternetGatewayBlockMode,State,ManagedBy,ExclusionsAllowed]"',
        "aws ec2 describe-vpc-block-public-access-exclusions --region {task_region} "
        '--query "VpcBlockPublicAccessExclusions[].[ResourceArn,InternetGatewayExclusionMode,State]"',
        note="The mode block-bidirectional stops traffic to the internet.",
    ),
)
NO_PUBLIC_IP = CauseText(
    code="tcp.no-public-ip",
    title="the subnet routes to an internet gateway, but the task has no public address",
    fix=service_network("subnets=[SUBNET_ID],securityGroups=[GROUP_ID],assignPublicIp=ENABLED").to(
        "assign a public address to the task, or create the missing VPC endpoints"
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
        "aws ec2 modify-instance-attribute --region {task_region} --instance-id NAT_INSTANCE_ID --no-source-dest-check",
        note="Also check its security group and that it forwards packets.",
    ),
    confirm=READ_ROUTES,
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
        '--query "NetworkInterfaces[].[VpcId,PrivateIpAddress,AvailabilityZone,Status]"',
        note="{whose_interface}.",
    ),
)
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
# Go: release notes of 1.23 (tlskyber) and 1.24 (tlsmlkem), and go.dev/doc/godebug. Known from the field: the source of
# Terraform's AWS provider turned the key exchange off because of Network Firewall.
LARGE_CLIENT_HELLO = CauseText(  # AWS[network-firewall-split-hello]
    code="path.large-client-hello",
    title="a middlebox on the way drops a ClientHello that needs two packets",
    fix=Replacement(
        "the firewall policy",
        "aws network-firewall describe-firewall-policy --region {task_region} --firewall-policy-name FIREWALL_POLICY "
        "> OLD_FIREWALL_POLICY.json",
        "aws network-firewall update-firewall-policy --region {task_region} --firewall-policy-name FIREWALL_POLICY "
        "--update-token UPDATE_TOKEN --firewall-policy file://FIREWALL_POLICY.json",
    ).to(
        "make the firewall on the way reassemble a ClientHello of two packets: change its rules or update its engine",
        note=(
            "In AWS Network Firewall, replace the stateful default action aws:drop_established with "
            "aws:drop_established_app_layer_to_server. On your own instances, GODEBUG=tlsmlkem=0 (tlskyber=0 for Go "
            "1.23) in the environment of the ECS agent, containerd or Docker makes their ClientHello small until then."
        ),
    ),
    confirm=reads(
        "openssl s_client -connect {host}:443 -servername {host} -groups X25519MLKEM768 </dev/null",
        "openssl s_client -connect {host}:443 -servername {host} -groups X25519 </dev/null",
        note=(
            "Run the openssl commands in the task's subnet with OpenSSL 3.5 or newer. If the first one hangs and the "
            "second one connects, this is the cause."
        ),
    ),
)
REPLACE_ROUTE = Replacement(
    "the route",
    'aws ec2 describe-route-tables --region {task_region} --route-table-ids RTB_ID --query "RouteTables[].Routes"',
    "aws ec2 replace-route --region {task_region} --route-table-id RTB_ID {route_out}",
)
TRANSFER_BROKEN = CauseText(
    code="path.transfer-broken",
    title=(
        "a middlebox cuts or stalls long transfers (idle timeout of a NAT, inspection, overload), or an S3 gateway "
        "endpoint was created or associated during the transfer"
    ),
    fix=REPLACE_ROUTE.to(
        "exempt {hosts} from inspection, or route around the middlebox",
        note="After a change to an S3 gateway endpoint, pull again: nothing else is needed.",
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
TRANSPARENT_PROXY = PROXY.variant(
    title="the subnet's route leads to a proxy that accepts connections to all addresses",
    fix=advice(
        "let the proxy pass the hosts of the pull through, or {around_middlebox}",
        note="NO_PROXY has no effect on a transparent proxy.",
    ),
    confirm=READ_ROUTES,
)
PROXY_NEEDED = PROXY.variant(
    title="the network lets traffic out only through a proxy, and the client does not use it",
    fix=advice(
        "set the proxy where the client runs, for example in the daemon's systemd unit, with the VPC's endpoints in "
        "NO_PROXY",
        "export HTTPS_PROXY=http://HOST:PORT NO_PROXY={no_proxy}",
    ),
    confirm=reads(
        "systemctl show --property Environment docker containerd",
        note="Run it on the client's host. A client that is not a daemon has the variables of its shell.",
    ),
)
EGRESS_FIREWALL = CauseText(
    code="path.egress-firewall",
    title="a firewall on the way blocks {hosts}",
    fix=Replacement(
        "the rule group",
        "aws network-firewall describe-rule-group --region {task_region} --type STATEFUL --rule-group-name RULE_GROUP "
        "> OLD_RULES.json",
        "aws network-firewall update-rule-group --region {task_region} --type STATEFUL --rule-group-name RULE_GROUP "
        "--update-token UPDATE_TOKEN --rule-group file://RULES.json",
    ).to("allow {hosts} in the firewall, or {around_middlebox}"),
    confirm=reads(
        "aws network-firewall list-firewalls --region {task_region}",
        note="Read their rule groups, or ask the owner of the appliance that the subnet routes to.",
    ),
)
ALTERING_MIDDLEBOX = EGRESS_FIREWALL.variant(
    title="a middlebox on the way changes what {hosts} sends, or what is sent to it",
    fix=advice(
        "exempt {hosts} from inspection in the middlebox, or {around_middlebox}",
        *EGRESS_FIREWALL.fix.commands,
        note=EGRESS_FIREWALL.fix.note,
    ),
)
# AWS[ecr-replication]
CROSS_REGION = CauseText(
    code="region.cross-region",
    title=(
        "the image is in {region}, the task in {task_region}, and this VPC has no endpoint of {region} for {endpoints}"
    ),
    fix=Replacement(
        "all replication rules",
        "aws ecr describe-registry --region {region} --query replicationConfiguration > OLD_REPLICATION.json",
        "aws ecr put-replication-configuration --region {region} --replication-configuration file://REPLICATION.json",
    ).to(
        "replicate the repository {repository} to {task_region} and use that copy, or create interface endpoints of "
        "{region} in this VPC (--service-region {region})",
        "aws ecr start-replication-backfill --region {region} --destination region={task_region},registryId={account}",
        note=(
            "A rule replicates only images pushed after it. The third command (of a recent AWS CLI) replicates the "
            "earlier ones; without it, push the image again."
        ),
    ),
    confirm=reads(
        "aws ecr describe-registry --region {region}",
        note="Run it in account {account}. It shows whether the registry replicates to {task_region}.",
    ),
)
IPV4_ONLY = CauseText(  # AWS[endpoint-ip-address-type], AWS[ecr-dual-stack-endpoints]
    code="region.ipv6-unsupported-endpoint",
    title="the name has only IPv4 addresses, and the task has only IPv6 routes",
    fix=advice(
        "use the dual-stack name {account}.dkr-ecr.{region}.{dual_suffix}, give the endpoint IPv6 addresses, or give "
        "the subnet an IPv4 path",
        "aws ec2 modify-vpc-endpoint --region {task_region} --vpc-endpoint-id VPCE_ID "
        "--ip-address-type {endpoint_address_type}",
        note=(
            "EC2 accepts ipv6 only if all subnets of the endpoint have IPv6 alone, and dualstack only if all have both "
            "address families."
        ),
    ),
    confirm=reads(
        "aws ec2 describe-vpc-endpoints --region {task_region} --filters Name=service-name,Values={services} "
        '--query "VpcEndpoints[].[VpcId,VpcEndpointId,IpAddressType,DnsOptions]"',
        note=OWNING_ACCOUNT,
    ),
)
# AWS[gateway-ip-address-type]
S3_GATEWAY_IPV4 = CauseText(
    code="region.ipv6-unsupported-endpoint",
    title="the S3 gateway endpoint carries only IPv4, and the task connects to S3 over IPv6",
    fix=advice(
        "give the S3 gateway endpoint both address families",
        "aws ec2 modify-vpc-endpoint --region {task_region} --vpc-endpoint-id VPCE_ID --ip-address-type dualstack",
    ),
    confirm=reads(
        f'{READ_S3_ENDPOINTS} --query "VpcEndpoints[].[VpcId,VpcEndpointId,VpcEndpointType,IpAddressType,DnsOptions]"'
    ),
)
TLS_INTERCEPTION = CauseText(
    code="tls.interception",
    title="a middlebox terminates TLS and presents its own certificate for AWS (issuer: {issuer})",
    fix=Replacement(
        "the configuration",
        "aws network-firewall describe-tls-inspection-configuration --region {task_region} "
        "--tls-inspection-configuration-name TLS_INSPECTION > OLD_TLS_INSPECTION.json",
        "aws network-firewall update-tls-inspection-configuration --region {task_region} "
        "--tls-inspection-configuration-name TLS_INSPECTION --update-token UPDATE_TOKEN "
        "--tls-inspection-configuration file://TLS_INSPECTION.json",
    ).to(
        "exempt the hosts of {endpoints} from TLS inspection, or {around_middlebox}",
        note="The hosts are {hosts}.",
    ),
    confirm=READ_ISSUER,
)
CA_BUNDLE = CauseText(
    code="tls.ca-bundle",
    title="the trust store is too old, or was replaced by one without Amazon's authorities",
    fix=advice(
        "install newer ca-certificates in the image, or correct --ca-bundle or AWS_CA_BUNDLE in the task definition",
        REGISTER,
    ),
    confirm=READ_ISSUER,
)
CERTIFICATE_EXPIRED = CauseText(
    code="tls.certificate-expired",
    title="the host that answers presents an out-of-date certificate: a middlebox, or the wrong host",
    fix=advice(
        "find the owner of the address that answers for {host}",
        "aws ec2 describe-network-interfaces --region {task_region} --filters {by_dialed} "
        '--query "NetworkInterfaces[].[VpcId,NetworkInterfaceId,InterfaceType,Description]"',
    ),
    confirm=READ_ISSUER,
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

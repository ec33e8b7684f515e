"""Causes in the VPC endpoints: missing, or not where the traffic is."""

from __future__ import annotations

from probe.faults.causes.cause import (
    CREATE_ENDPOINT,
    CREATE_S3_GATEWAY,
    CUTS_S3_CONNECTIONS,
    OWNING_ACCOUNT,
    READ_ENDPOINTS,
    READ_ROUTES,
    READ_S3_ENDPOINTS,
    CauseText,
    advice,
    reads,
)
from probe.faults.causes.network import PROXY
from probe.records import replace


def _missing_endpoint(code: str, service: str, *absence_of: str) -> CauseText:
    return CauseText(
        code=code,
        title=f"there is no {service} endpoint in this VPC",
        fix=CREATE_ENDPOINT,
        confirm=READ_ENDPOINTS,
        absence_of=absence_of,
    )


MISSING_ECR_API = _missing_endpoint("endpoint.missing.ecr-api", "ecr.api", "ecr.api")
MISSING_ECR_DKR = _missing_endpoint("endpoint.missing.ecr-dkr", "ecr.dkr", "ecr.dkr")
MISSING_SECRETS_MANAGER = _missing_endpoint("endpoint.missing.secretsmanager", "secretsmanager", "secretsmanager")
MISSING_SSM = _missing_endpoint("endpoint.missing.ssm", "ssm", "ssm")
MISSING_OTHER = _missing_endpoint("endpoint.missing.other", "{endpoint}")
MISSING_LOGS = _missing_endpoint("logs.endpoint-missing", "CloudWatch Logs", "logs")
# AWS[managed-instances-endpoints]
MISSING_CONTROL_PLANE = CauseText(
    code="ecs.control-plane-endpoints-missing",
    title="one or more of the ecs, ecs-agent and ecs-telemetry endpoints is missing from this VPC",
    fix=advice(
        "create the ecs, ecs-agent and ecs-telemetry endpoints; on EC2, then restart the ECS agent",
        *CREATE_ENDPOINT.commands,
        note="Leave out those that exist. Which of them ECS Managed Instances need was not verified.",
    ),
    confirm=READ_ENDPOINTS,
    absence_of=("ecs", "ecs-agent", "ecs-telemetry"),
)
# AWS[agent-poll-endpoint]
UNSERVED_POLL_ENDPOINT = replace(
    MISSING_CONTROL_PLANE,
    title="the agent's call to ecs.{task_region} does not use the ecs endpoint: there is none, or "
    "its private DNS is off",
    fix=advice(
        "create the ecs, ecs-agent and ecs-telemetry endpoints with private DNS, then restart the ECS agent",
        "aws ec2 create-vpc-endpoint --region {task_region} --vpc-id VPC_ID --vpc-endpoint-type Interface "
        "--service-name com.amazonaws.{task_region}.ecs --subnet-ids SUBNET_ID --security-group-ids GROUP_ID "
        "--private-dns-enabled",
        note="Repeat the command for ecs-agent and ecs-telemetry. Numbered hosts need neither endpoint nor zone.",
    ),
    confirm=reads(
        "dig ecs.{task_region}.{suffix}",
        "aws ec2 describe-vpc-endpoints --region {task_region} "
        "--filters Name=service-name,Values=com.amazonaws.{task_region}.ecs "
        '--query "VpcEndpoints[].[ServiceName,VpcEndpointId,State,PrivateDnsEnabled,VpcId]"',
        note="Run the first one on the instance: its addresses are private if the ecs endpoint is in use.",
    ),
)
AGENT_PROXY = replace(
    PROXY,
    title="the agent uses a proxy for ecs.{task_region}, because its NO_PROXY does not list this host",
    fix=advice(
        "add ecs.{task_region}.{suffix} to NO_PROXY in the agent's configuration, and restart the ECS agent",
        "grep PROXY /etc/ecs/ecs.config",
        note=("Keep what the line lists: 169.254.169.254, 169.254.170.2 and /var/run/docker.sock must be in it too."),
    ),
    confirm=reads("grep PROXY /etc/ecs/ecs.config", note="Run it on the instance."),
)
MISSING_S3 = CauseText(
    code="endpoint.missing.s3",
    title="there is no S3 gateway endpoint in this VPC",
    fix=CREATE_S3_GATEWAY,
    confirm=reads(
        f'{READ_S3_ENDPOINTS} --query "VpcEndpoints[].[VpcId,VpcEndpointType,VpcEndpointId,RouteTableIds]"',
        note=OWNING_ACCOUNT,
    ),
    absence_of=("s3",),
)
S3_ROUTE_TABLE = CauseText(
    code="s3.route-table-not-associated",
    title="the S3 gateway endpoint is not associated with the route table of this subnet",
    fix=advice(
        "associate the S3 gateway endpoint with the subnet's route table",
        "aws ec2 modify-vpc-endpoint --region {task_region} --vpc-endpoint-id VPCE_ID --add-route-table-ids RTB_ID",
        note=CUTS_S3_CONNECTIONS,
    ),
    confirm=READ_ROUTES,
)
# Where the layers arrive and a NAT could carry them: with the route in the table, nothing is wrong.
MAY_LACK_S3_ROUTE = replace(
    S3_ROUTE_TABLE,
    title="the route table of this subnet may have no route to S3's prefix list",
    fix=advice(
        "look for a route to S3's prefix list in the subnet's route table; without one, associate the S3 gateway "
        "endpoint with it",
        *READ_ROUTES.commands,
        *S3_ROUTE_TABLE.fix.commands,
        note=f"{CUTS_S3_CONNECTIONS} {READ_ROUTES.note}",
    ),
)
S3_INTERFACE_ONLY = CauseText(
    code="endpoint.s3-interface-not-gateway",
    title="S3 has only an interface endpoint here, and its private DNS does not cover the layer bucket",
    fix=CREATE_S3_GATEWAY,
    # AWS[s3-private-dns-inbound-only]
    confirm=reads(
        f'{READ_S3_ENDPOINTS} --query "VpcEndpoints[].[VpcId,VpcEndpointType,PrivateDnsEnabled,DnsOptions]"',
        note=(
            "PrivateDnsOnlyForInboundResolverEndpoint must be false, so that tasks in the VPC use the interface. "
            f"{OWNING_ACCOUNT}"
        ),
    ),
)
# AWS[privatelink-service-names], AWS[cross-region-endpoints]
SERVICE_NAME = CauseText(
    code="endpoint.service-name",
    title="the endpoint's service has another name in this partition, or is in another Region",
    fix=advice(
        "use the name that describe-vpc-endpoint-services lists for the service",
        "aws ec2 create-vpc-endpoint --region {task_region} --vpc-id VPC_ID --vpc-endpoint-type Interface "
        "--service-name SERVICE_NAME --subnet-ids SUBNET_ID --security-group-ids GROUP_ID --private-dns-enabled",
        note=(
            "ECR's names begin with cn.com.amazonaws in China and with eu.amazonaws in the EU Sovereign Cloud; most "
            "other services and S3's gateway have com.amazonaws there too. Add --service-region for another Region."
        ),
    ),
    confirm=reads(
        "aws ec2 describe-vpc-endpoint-services --region {task_region} "
        '--query "ServiceDetails[].[ServiceName,ServiceType[].ServiceType]"'
    ),
)
# AWS[endpoint-states]: only `available` carries traffic.
NOT_AVAILABLE = CauseText(
    code="endpoint.not-available",
    title="the endpoint exists but is not available: it is pending, failed, rejected or being deleted",
    fix=advice(
        "wait while the endpoint is pending; delete it if it failed, was rejected or expired, and create it again when "
        "it is gone",
        "aws ec2 delete-vpc-endpoints --region {task_region} --vpc-endpoint-ids VPCE_ID",
        *CREATE_ENDPOINT.commands,
        note=(
            "Run neither command while its state is pending. Two endpoints of one service with private DNS conflict in "
            "a VPC, so create the new one when the old one is no longer listed."
        ),
    ),
    confirm=reads(
        "aws ec2 describe-vpc-endpoints --region {task_region} --filters Name=service-name,Values={services} "
        '--query "VpcEndpoints[].[ServiceName,VpcEndpointId,State,FailureReason,NetworkInterfaceIds,VpcId]"',
        note=OWNING_ACCOUNT,
    ),
)

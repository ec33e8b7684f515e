"""Causes in the VPC endpoints: missing, or not where the traffic is."""

from __future__ import annotations

from probe.faults.causes.cause import (
    CREATE_ENDPOINT,
    CREATE_S3_GATEWAY,
    OWNING_ACCOUNT,
    READ_ENDPOINTS,
    READ_ROUTES,
    READ_S3_ENDPOINTS,
    CauseText,
    advice,
    reads,
)


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
    ),
    confirm=READ_ROUTES,
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
SERVICE_NAME = CauseText(
    code="endpoint.service-name",
    title="this region or partition does not offer an endpoint service with this name",
    fix=advice(
        "use a service name from the list of the region, and --service-region for a service of another region",
        "aws ec2 describe-vpc-endpoint-services --region {task_region} --query ServiceNames",
    ),
    confirm=reads("aws ec2 describe-vpc-endpoint-services --region {task_region} --query ServiceNames"),
)

"""Causes in what pulls: agents, container runtimes, other services."""

from __future__ import annotations

from probe.faults.causes.cause import (
    READ_IMAGE_FIELD,
    REGISTER,
    REPOSITORY_POLICY_DOCUMENT,
    CauseText,
    advice,
    read_task_definition,
    reads,
)

LEGACY_HOSTNAME = CauseText(
    code="client.legacy-hostname",
    title="old clients call this host, which private DNS of ecr.api does not cover",
    fix=advice(
        "update the SDK, agent or credential helper, so that it calls api.ecr.{region}.{suffix}", "aws --version"
    ),
    confirm=reads(
        "curl -s http://localhost:51678/v1/metadata",
        note=(
            "On a container instance it prints the ECS agent's version. Clients released before 24 January 2019 call "
            "this host; the client that does is the one to update."
        ),
    ),
)
FIPS_HOSTNAME = CauseText(  # AWS[ecr-fips-endpoints]
    code="client.fips-hostname",
    title="the client calls the FIPS host, which the private DNS of ecr.api and ecr.dkr does not cover",
    fix=advice(
        "use the standard host {account}.dkr.ecr.{region}.{suffix} in the task definition, and remove "
        "AWS_USE_FIPS_ENDPOINT for clients of ECR; or create ECR's FIPS endpoints, if FIPS is required",
        REGISTER,
        "aws ec2 create-vpc-endpoint --region {task_region} --vpc-id VPC_ID --vpc-endpoint-type Interface "
        "--service-name com.amazonaws.{region}.ecr-fips.dkr --subnet-ids SUBNET_ID --security-group-ids GROUP_ID "
        "--private-dns-enabled",
        note=(
            "The commands are alternatives. ECR has two FIPS endpoints: repeat the second command for "
            "com.amazonaws.{region}.ecr-fips.api. Only some Regions, of the United States, have FIPS hosts."
        ),
    ),
    confirm=read_task_definition("containerDefinitions[].[image,environment]"),
)
FIPS_HOSTNAME_OF_SERVICE = FIPS_HOSTNAME.variant(
    title="the client calls a FIPS host, which the private DNS of the service's standard endpoint does not cover",
    fix=advice(
        "remove AWS_USE_FIPS_ENDPOINT for this client; or create the service's FIPS endpoint, if FIPS is required",
        "aws ec2 create-vpc-endpoint --region {task_region} --vpc-id VPC_ID --vpc-endpoint-type Interface "
        "--service-name FIPS_SERVICE --subnet-ids SUBNET_ID --security-group-ids GROUP_ID --private-dns-enabled",
        note="FIPS_SERVICE is one of the names below. Not every service and Region has FIPS hosts and endpoints.",
    ),
    confirm=reads(
        "aws ec2 describe-vpc-endpoint-services --region {task_region} --query \"ServiceNames[?contains(@, 'fips')]\""
    ),
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
    confirm=READ_IMAGE_FIELD,
)
VPCE_HOSTNAME = CauseText(
    code="client.vpce-hostname",
    title="the image names an endpoint's own vpce host as its registry; that host contains no account",
    fix=advice(
        "use {account}.dkr.ecr.{region}.{suffix} as the image's host; private DNS resolves it to the endpoint", REGISTER
    ),
    confirm=READ_IMAGE_FIELD,
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
    fix=REPOSITORY_POLICY_DOCUMENT.to(
        "allow the service to pull in the repository's policy",
        note="The principal is the service, for example codebuild.amazonaws.com.",
    ),
    confirm=reads(
        'aws codebuild batch-get-projects --region {task_region} --names PROJECT --query "projects[].environment"'
    ),
)
MISCONFIGURED = CauseText(
    code="client.misconfigured",
    title="a setting of the client is missing or invalid, so it sends no request (region, endpoint address, FIPS)",
    fix=advice(
        "correct the setting that the error names, where the client runs: AWS_REGION, AWS_ENDPOINT_URL (with "
        "https://), AWS_USE_FIPS_ENDPOINT, AWS_USE_DUALSTACK_ENDPOINT, or the client's configuration file",
        "aws configure list",
        note="An endpoint address of your own cannot be combined with FIPS or dual-stack.",
    ),
    confirm=reads("aws configure list", note="Run it where the client runs. It shows what variables and files set."),
)
IMDS_HOP_LIMIT = CauseText(
    code="client.imds-hop-limit",
    title="instance metadata answers with a hop limit of 1, which does not reach containers",
    fix=advice(
        "give the task a role of its own (taskRoleArn), or raise the hop limit to 2",
        "aws ec2 modify-instance-metadata-options --region {task_region} --instance-id INSTANCE_ID "
        "--http-put-response-hop-limit 2",
    ),
    confirm=reads(
        "aws ec2 describe-instances --region {task_region} --instance-ids INSTANCE_ID "
        '--query "Reservations[].Instances[].MetadataOptions"'
    ),
)
NO_CREDENTIAL_PROVIDER = CauseText(
    code="client.no-credential-provider",
    title="the client that pulls has no login for this registry: no credential helper or provider for ECR is used",
    fix=advice(
        "install docker-credential-ecr-login in the PATH of the client and list it in credHelpers of config.json "
        "(kubelet: ecr-credential-provider with --image-credential-provider-config), or log in before the pull",
        "aws ecr get-login-password --region {region} | docker login --username AWS --password-stdin {registry}",
        note="The user that runs the client must log in. A login is valid for 12 hours.",
    ),
    confirm=reads(
        "docker-credential-ecr-login list",
        note=(
            "Run it as the user that runs the client: it fails where the helper is not in PATH. In "
            "~/.docker/config.json, auths or credHelpers must contain {registry}."
        ),
    ),
)
PULL_LIMIT = CauseText(
    code="client.pull-limit",
    title="the client limits its own requests, and this one was over the limit",
    fix=advice(
        "raise registryPullQPS and registryBurst in the kubelet's configuration, or start fewer pods at once",
        "kubectl get --raw /api/v1/nodes/NODE/proxy/configz",
        note="The command shows the current values. Restart the kubelet after the change.",
    ),
    confirm=reads("kubectl get --raw /api/v1/nodes/NODE/proxy/configz"),
)

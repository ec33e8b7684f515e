"""Causes in policies, identities, certificates, images and clients: why AWS, or somebody else, says no. No logic."""

from __future__ import annotations

from probe.faults.causes.texts import READ_ENDPOINTS, READ_SIMULATION, CauseText

_POLICY = "aws ec2 modify-vpc-endpoint --region {task_region} --vpc-endpoint-id VPCE_ID --policy-document FILE"
_READ_POLICY = (
    "aws ec2 describe-vpc-endpoints --region {task_region} --filters Name=service-name,Values={services} --query "
    '"VpcEndpoints[].PolicyDocument" '
    "(in the account that owns the endpoint)"
)
_READ_IMAGE = "aws ecr describe-images --region {region} --registry-id {account} --repository-name {repository}"
_READ_ISSUER = (
    "openssl s_client -connect {host}:443 -servername {host} </dev/null | openssl x509 -noout -issuer -dates (from "
    "the task's subnet)"
)

ANSWERS = {
    "policy.vpce.ecr": CauseText(
        "the policy of the ecr.api or ecr.dkr endpoint does not allow it",
        "allow the pulling role ecr:GetAuthorizationToken on *, ecr:BatchGetImage and ecr:GetDownloadUrlForLayer on "
        "the repository, in both endpoints' policies: " + _POLICY,
        _READ_POLICY,
    ),
    "policy.vpce.s3": CauseText(
        "the S3 endpoint's policy does not allow ECR's layer bucket",
        "allow s3:GetObject on arn:{partition}:s3:::{bucket}/* to Principal * without conditions on the principal: "
        + _POLICY,
        "aws ec2 describe-vpc-endpoints --region {task_region} --filters Name=service-name,Values={s3_service} "
        '--query "VpcEndpoints[].PolicyDocument"',
    ),
    "policy.vpce.other": CauseText(
        "the policy of the {endpoint} endpoint does not allow it",
        "allow {actions} there: " + _POLICY,
        _READ_POLICY,
    ),
    "iam.execution-role": CauseText(
        "the role's own policies do not allow it (missing, mistyped, or another role than meant)",
        "attach the pull's rights to the role that pulls: aws iam attach-role-policy --role-name {role_name} "
        "--policy-arn arn:{partition}:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy",
        READ_SIMULATION + " (--pull-role tells the probe which role pulls)",
    ),
    "iam.repository-policy": CauseText(
        "the repository's policy does not allow this role or account",
        "allow it: aws ecr set-repository-policy --region {region} --registry-id {account} --repository-name "
        "{repository} --policy-text FILE",
        "aws ecr get-repository-policy --region {region} --registry-id {account} --repository-name {repository} (in "
        "account {account})",
    ),
    "iam.source-vpce-condition": CauseText(
        "a policy of the role has a condition on aws:SourceVpce or aws:SourceVpc that this request does not meet",
        "take the endpoint's way so that the condition is met, or scope it (not on ecr:GetAuthorizationToken): aws "
        "iam put-role-policy --role-name {role_name} …",
        "aws iam list-attached-role-policies --role-name {role_name} (and list-role-policies; look for aws:SourceVpce "
        "in them)",
    ),
    "iam.scp": CauseText(
        "a policy of the organisation (SCP or RCP) refuses it",
        "exempt the action or the account there: aws organizations update-policy --policy-id POLICY_ID --content FILE",
        "aws organizations list-policies-for-target --target-id {caller_account} --filter SERVICE_CONTROL_POLICY (in "
        "the management account)",
    ),
    "iam.no-credentials": CauseText(
        "nothing gives credentials here: no task role, no variables, no profile",
        "give the task definition a taskRoleArn: aws ecs register-task-definition --task-role-arn ROLE_ARN …",
        "aws ecs describe-task-definition --task-definition FAMILY --query "
        '"taskDefinition.[taskRoleArn,executionRoleArn]"',
    ),
    "iam.credentials-rejected": CauseText(
        "the credentials are expired, invalid or not ready yet",
        "renew them; take AWS_ACCESS_KEY_ID and its like out of the task definition where they override the role (aws "
        "ecs register-task-definition …)",
        "aws sts get-caller-identity --region {task_region} (with the same credentials)",
    ),
    "tls.interception": CauseText(
        "a middlebox ends TLS and signs for AWS itself ({issuer})",
        "exempt {hosts} from TLS inspection (aws network-firewall update-tls-inspection-configuration …), or make the "
        "endpoints so that nothing passes it",
        _READ_ISSUER,
    ),
    "tls.ca-bundle": CauseText(
        "the trust store is too old or replaced by one without Amazon's authorities",
        "install newer ca-certificates in the image, or correct --ca-bundle / AWS_CA_BUNDLE (aws ecs "
        "register-task-definition …)",
        _READ_ISSUER,
    ),
    "tls.certificate-expired": CauseText(
        "whoever answers presents a certificate out of date: a middlebox, or a wrong target",
        "find who has the address: aws ec2 describe-network-interfaces --region {task_region} --filters {by_address}",
        _READ_ISSUER,
    ),
    "clock.skew": CauseText(
        "the clock of the task's host is wrong",
        "repair time sync on the host (chronyc sources; Amazon's is 169.254.169.123); on Fargate start the task anew: "
        "aws ecs stop-task --task {task}",
        "curl -sI https://{host} | grep -i ^date; date -u",
    ),
    "registry.repo-not-found": CauseText(
        "account, region or repository name is wrong, or the repository is gone",
        "correct the reference, or make it: aws ecr create-repository --region {region} --repository-name {repository}",
        "aws ecr describe-repositories --region {region} --registry-id {account} --repository-names {repository}",
    ),
    "registry.tag-not-found": CauseText(
        "the tag or digest was never pushed, or a lifecycle rule removed it",
        "push it again and look at the rules: aws ecr get-lifecycle-policy --region {region} --registry-id {account} "
        "--repository-name {repository}",
        _READ_IMAGE,
    ),
    "registry.bad-image-reference": CauseText(
        "the image's host is mistyped: {image}",
        "correct it in the task definition: aws ecs register-task-definition … "
        "(ACCOUNT.dkr.ecr.REGION.{suffix}/NAME:TAG)",
        "aws ecs describe-task-definition --task-definition FAMILY --query "
        '"taskDefinition.containerDefinitions[].image"',
    ),
    "registry.no-matching-platform": CauseText(
        "the image was built for other platforms",
        "build it for {platform} too (docker buildx build --platform … --push), or set runtimePlatform: aws ecs "
        "register-task-definition --runtime-platform …",
        "aws ecr batch-get-image --region {region} --registry-id {account} --repository-name {repository} --image-ids "
        "imageTag={tag}",
    ),
    "registry.foreign-layers": CauseText(
        "layers of the base image are kept at their vendor's, not in ECR",
        "push them too: list {registry} under allow-nondistributable-artifacts of the docker daemon and docker push "
        "again; aws ecr describe-images shows the new size",
        "aws ecr batch-get-image --region {region} --registry-id {account} --repository-name {repository} --image-ids "
        "imageTag={tag} (layers with urls)",
    ),
    "registry.ecr-public-no-privatelink": CauseText(
        "the image is in ECR Public, which has no VPC endpoint for pulls",
        "copy it to a private repository, or: aws ecr create-pull-through-cache-rule --ecr-repository-prefix "
        "ecr-public --upstream-registry-url public.ecr.aws",
        "aws ecs describe-task-definition --task-definition FAMILY --query "
        '"taskDefinition.containerDefinitions[].image"',
    ),
    "registry.pull-through-redirect": CauseText(
        "the repository is a pull-through cache that has not got this image yet",
        "warm it once from where there is a way out: aws ecr batch-get-image --region {region} --registry-id "
        "{account} --repository-name {repository} "
        "--image-ids imageTag={tag}",
        "aws ecr describe-pull-through-cache-rules --region {region} --registry-id {account}",
    ),
    "registry.auth-token-expired": CauseText(
        "the token is expired or of another region's registry",
        "renew it (aws ecr get-authorization-token --region {region}); runtimes that keep tokens need a newer version",
        "aws ecr get-authorization-token --region {region}",
    ),
    "registry.layer-corrupt": CauseText(
        "the stored layer is damaged or incomplete",
        "push the image again: docker push {image}; then " + _READ_IMAGE,
        "aws ecr batch-check-layer-availability --region {region} --registry-id {account} --repository-name "
        "{repository} --layer-digests {digest}",
    ),
    "client.legacy-hostname": CauseText(
        "old clients call this host, which private DNS of ecr.api does not cover",
        "update SDK, agent or credential helper, so that api.ecr.{region} is called (aws --version)",
        READ_ENDPOINTS,
    ),
    "client.fips-hostname": CauseText(
        "the FIPS host is called, which the endpoints' private DNS does not cover",
        "use the plain host {account}.dkr.ecr.{region}.{suffix} in the task definition: aws ecs "
        "register-task-definition …",
        READ_ENDPOINTS,
    ),
    "client.unrecognised-ecr-host": CauseText(
        "a client does not take this host for ECR, or logs in at another spelling than it pulls from",
        "use one spelling for login and pull: aws ecr get-login-password --region {region} | docker login --username "
        "AWS --password-stdin {registry}",
        "aws ecs describe-task-definition --task-definition FAMILY --query "
        '"taskDefinition.containerDefinitions[].image"',
    ),
    "client.vpce-hostname": CauseText(
        "an endpoint's own vpce name is used as a registry, which has no account in it",
        "use ACCOUNT.dkr.ecr.{region}.{suffix}, which private DNS leads to the endpoint: aws ecs "
        "register-task-definition …",
        "aws ecs describe-task-definition --task-definition FAMILY --query "
        '"taskDefinition.containerDefinitions[].image"',
    ),
    "client.old-agent": CauseText(
        "an old agent asked without a token, and was told that there is no such image",
        "update it: aws ecs update-container-agent --cluster {cluster} --container-instance INSTANCE",
        "aws ecs describe-container-instances --cluster {cluster} --container-instances INSTANCE --query "
        '"containerInstances[].versionInfo"',
    ),
    "client.pull-not-in-vpc": CauseText(
        "this pull is made outside the VPC by design, so its endpoints and groups do not matter",
        "let the service reach the image: aws ecr set-repository-policy --region {region} --repository-name "
        "{repository} --policy-text FILE (for its principal, such as codebuild.amazonaws.com)",
        'aws codebuild batch-get-projects --names PROJECT --query "projects[].environment"',
    ),
    "throttle": CauseText(
        "too many requests at once",
        "spread the launches, keep tokens, copy images of other registries to ECR, or ask for more: aws service-quotas "
        "request-service-quota-increase --service-code ecr …",
        "aws service-quotas list-service-quotas --service-code ecr --region {region}",
    ),
    "logs.group-missing": CauseText(
        "the log group was never made, or was deleted",
        "make it: aws logs create-log-group --region {log_region} --log-group-name {group}",
        "aws logs describe-log-groups --region {log_region} --log-group-name-prefix {group}",
    ),
    "logs.misconfigured-region": CauseText(
        "awslogs-region is not the region that is meant",
        "correct the option: aws ecs register-task-definition … (logConfiguration.options.awslogs-region)",
        "aws ecs describe-task-definition --task-definition FAMILY --query "
        '"taskDefinition.containerDefinitions[].logConfiguration"',
    ),
    "aws.service-error": CauseText(
        "AWS has trouble of its own",
        "wait and try again; aws health describe-events --region us-east-1 tells of known trouble",
        "aws health describe-events --region us-east-1 --filter services=ECR (needs a support plan; else the public "
        "health page)",
    ),
    "other": CauseText(
        "something that ecr-probe has no name for",
        "look at the steps named here; run the probe again with a longer --deadline; aws ecs describe-tasks --cluster "
        "{cluster} --tasks {task} shows what ECS says",
        "aws ecs describe-tasks --cluster {cluster} --tasks {task}",
    ),
}

"""Causes in images and registries."""

from __future__ import annotations

from probe.faults.causes.cause import (
    READ_IMAGE_FIELD,
    READ_MANIFEST,
    REGISTER,
    CauseText,
    advice,
    read_task_definition,
    reads,
)
from probe.records import replace

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
ARCHIVED = CauseText(
    code="registry.archived",
    title="the image is in the storage class ARCHIVE, from which it cannot be pulled",
    fix=advice(
        "restore the image to the storage class STANDARD, and pull it when its status is ACTIVE",
        "aws ecr update-image-storage-class --region {region} --registry-id {account} --repository-name {repository} "
        "--image-id {image_id} --target-storage-class STANDARD",
    ),
    confirm=reads(
        "aws ecr describe-images --region {region} --registry-id {account} --repository-name {repository} "
        '--filter imageStatus=ANY --query "imageDetails[].[imageDigest,imageTags,imageStatus]"',
        note="Without the filter the command lists no archived images.",
    ),
)
BAD_IMAGE_REFERENCE = CauseText(
    code="registry.bad-image-reference",
    title="the image's host is mistyped: {image}",
    fix=advice("correct the image's host where it is configured: ACCOUNT.dkr.ecr.REGION.{suffix}/NAME:TAG", REGISTER),
    confirm=READ_IMAGE_FIELD,
)
BAD_HOST = replace(
    BAD_IMAGE_REFERENCE,
    title="the host {host} is mistyped, or the client has the wrong region or partition",
    fix=advice(
        "correct the host where it is configured: in the image's name, the client's region (AWS_REGION) or its "
        "endpoint URL",
        REGISTER,
    ),
    confirm=read_task_definition("containerDefinitions[].[image,environment]"),
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
ECR_PUBLIC = CauseText(  # AWS[ecr-public-endpoint], AWS[ecr-pull-through-first-pull]
    code="registry.ecr-public-no-privatelink",
    title="the image is in ECR Public, which has no VPC endpoint for pulls",
    fix=advice(
        "copy the image to a private repository, or create a pull-through cache rule",
        "aws ecr create-pull-through-cache-rule --region {task_region} --ecr-repository-prefix ecr-public "
        "--upstream-registry-url public.ecr.aws",
        note=(
            "The first pull through the cache needs a way out of the VPC. The image is then "
            "{account}.dkr.ecr.{task_region}.{suffix}/ecr-public/NAME:TAG."
        ),
    ),
    confirm=READ_IMAGE_FIELD,
)
PULL_THROUGH = CauseText(
    code="registry.pull-through-redirect",
    title="the repository is a pull-through cache that does not hold this image yet",
    fix=advice(
        "pull the image once in a network with internet access",
        "docker pull {image}",
        note="Whether the first pull from an upstream registry in ECR needs internet access is not verified.",
    ),
    confirm=reads("aws ecr describe-pull-through-cache-rules --region {region} --registry-id {account}"),
)
NOT_AN_IMAGE = CauseText(
    code="registry.not-an-image",
    title="a chart, another artifact or an image of an old format was pushed under this tag",
    fix=advice(
        "push an image under this tag with a current tool, or correct the image in the task definition", REGISTER
    ),
    confirm=reads(f'{READ_MANIFEST} --query "images[].[imageManifestMediaType,imageManifest]"'),
)
UPSTREAM_REFUSED = CauseText(
    code="registry.upstream-refused",
    title="the upstream registry refuses the pull-through cache: the rule's secret or the image's path there is wrong",
    fix=advice(
        "correct the rule's secret in Secrets Manager and the image's path behind the rule's prefix (Docker Hub's "
        "official images are under library/)",
        "aws ecr update-pull-through-cache-rule --region {region} --ecr-repository-prefix PREFIX "
        "--credential-arn SECRET_ARN",
        note="For an upstream in ECR of another account the rule has a role (--custom-role-arn), not a secret.",
    ),
    confirm=reads(
        "aws ecr validate-pull-through-cache-rule --region {region} --registry-id {account} "
        "--ecr-repository-prefix PREFIX"
    ),
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
QUOTA = CauseText(
    code="registry.quota",
    title="the repository or the registry has as much as its quota allows",
    fix=advice(
        "remove images that nothing uses, with a lifecycle policy, or request a higher quota",
        "aws service-quotas request-service-quota-increase --region {region} --service-code ecr "
        "--quota-code QUOTA_CODE --desired-value VALUE",
    ),
    confirm=reads(
        "aws service-quotas list-service-quotas --region {region} --service-code ecr",
        "aws ecr describe-images --region {region} --registry-id {account} --repository-name {repository} "
        '--query "length(imageDetails)"',
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

"""Faults of Lambda, App Runner, SageMaker and CodeBuild, which pull outside the VPC; only error texts show them.

These services check the image's name, its format and their role when a function or project is created or changed.
"""

from __future__ import annotations

import re

from probe.faults import causes
from probe.faults.causes import advice, reads
from probe.faults.evidence import Evidence
from probe.faults.fault import Fault, possible
from probe.faults.subjects import Case, Meaning, Subject, says
from probe.model import Failure, Impact, Step
from probe.records import replace

_SET_IMAGE = "aws lambda update-function-code --region {task_region} --function-name FUNCTION --image-uri IMAGE_URI"
_WHERE_CONFIGURED = "Other services have the image in their own configuration."
_READ_IMAGES = reads(
    "aws ecr describe-images --region {region} --registry-id {account} --repository-name {repository}",
    note="Run describe-images with the region of the service: the image must be listed there.",
)
# AWS[lambda-image-region]
_OTHER_REGION = replace(
    causes.CROSS_REGION,
    title="the repository is in another region than the service, which takes images of its own region only",
    fix=advice("push or replicate the image to the service's region, and name it there", _SET_IMAGE),
    confirm=_READ_IMAGES,
)
_BAD_NAME = replace(
    causes.BAD_IMAGE_REFERENCE,
    title="the image's name lacks the registry's host, is mistyped, or is not in private ECR",
    fix=advice("name the image in full: ACCOUNT.dkr.ecr.REGION.{suffix}/NAME:TAG", _SET_IMAGE, note=_WHERE_CONFIGURED),
    confirm=reads("aws lambda get-function --region {task_region} --function-name FUNCTION --query Code.ImageUri"),
)
_NO_SUCH_TAG = replace(
    causes.TAG_NOT_FOUND,
    title="the tag or digest was not pushed yet, is another one, or was removed",
    fix=advice("push the image before the function or service is created", "docker push {image}"),
)
# AWS[lambda-image-format]
_INDEX = replace(
    causes.NOT_AN_IMAGE,
    title="an index was pushed under this tag: an image with attestations, or for several platforms",
    fix=advice(
        "build and push a single image without attestations",
        "docker buildx build --platform PLATFORM --provenance=false --sbom=false --tag IMAGE --push .",
        note="PLATFORM is linux/amd64 or linux/arm64, as the function's architecture.",
    ),
)
IMAGE_INVALID = Fault(
    "service.image-invalid",
    "a service of AWS does not accept the image's name",
    "It checks the name before the pull, outside your VPC, so endpoints and network are not involved. The image must "
    "be in private ECR, in the service's own region.",
    Impact.PULL,
    (_BAD_NAME, causes.REPOSITORY_NOT_FOUND, _OTHER_REGION),
)
# The name has ECR's form, so its region is what the text cannot show.
IMAGE_OF_ECR_INVALID = IMAGE_INVALID.variant(causes=(_OTHER_REGION, _BAD_NAME, causes.REPOSITORY_NOT_FOUND))
IMAGE_MISSING = IMAGE_INVALID.variant(
    title="a service of AWS does not find the image",
    why="It looks for the image outside your VPC, so endpoints and network are not involved.",
    causes=(_NO_SUCH_TAG, causes.REPOSITORY_NOT_FOUND, _OTHER_REGION),
)
FORMAT_REFUSED = Fault(
    "registry.unreadable-image",
    "a service of AWS does not accept the format of the image",
    "The service found the image, so its permissions are right. It accepts single images of Docker's or OCI's format, "
    "not an index.",
    Impact.PULL,
    (_INDEX, causes.NO_MATCHING_PLATFORM),
)
# AWS[codebuild-image-credentials]
BUILD_SETTINGS = Fault(
    "codebuild.image-settings",
    "CodeBuild rejects how the project is set to pull its build image",
    "CodeBuild pulls its own curated images only with CODEBUILD credentials, and images of other accounts or private "
    "registries only with SERVICE_ROLE. The image was not requested.",
    Impact.PULL,
    (
        replace(
            causes.MISCONFIGURED,
            title="imagePullCredentialsType of the project does not fit its image",
            fix=advice(
                "set imagePullCredentialsType to CODEBUILD for a curated image, otherwise to SERVICE_ROLE",
                "aws codebuild update-project --region {task_region} --name PROJECT --environment file://ENVIRONMENT.json",
            ),
            confirm=causes.PULL_OUTSIDE_VPC.confirm,
        ),
    ),
)
_TRUST = replace(
    causes.TRUST_POLICY,
    title="the role's trust policy does not allow the service or identity, or the role is new or does not exist",
    fix=advice(
        "allow the service or identity in the role's trust policy; if the role is new, wait and repeat the request",
        "aws iam get-role --role-name ROLE --query Role.AssumeRolePolicyDocument > OLD_POLICY.json",
        "aws iam update-assume-role-policy --role-name ROLE --policy-document file://POLICY.json",
        note=(
            "The second command replaces the role's trust policy as a whole; the first one saves what is there now. A "
            "new role can take some seconds until it can be assumed."
        ),
    ),
    confirm=reads('aws iam get-role --role-name ROLE --query "Role.AssumeRolePolicyDocument"'),
)
MAY_NOT_ASSUME = replace(
    causes.EXECUTION_ROLE,
    title="the caller's own policy does not allow sts:AssumeRole on the role",
    fix=advice(
        "allow sts:AssumeRole on the role to the caller",
        "aws iam put-role-policy --role-name CALLER --policy-name NEW_POLICY_NAME --policy-document "
        '\'{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"ROLE_ARN"}}]}}\'',
        note="NEW_POLICY_NAME must be a new name: the command replaces a policy with the same name.",
    ),
    fix_of_deny=None,
    confirm=reads(
        "aws sts get-caller-identity --region {task_region}", note="Run get-caller-identity where the client runs."
    ),
)
BAD_ROLE_REQUEST = replace(
    causes.MISCONFIGURED,
    title="the client's settings for the role are incomplete: ARN, duration, token file, or permission to get a token",
    fix=advice(
        "correct the settings that the error names, where the client assumes the role",
        "aws iam get-role --role-name ROLE --query Role.[Arn,MaxSessionDuration]",
        note="A job of GitHub Actions needs the permission id-token: write to get an OIDC token.",
    ),
    confirm=reads("aws iam get-role --role-name ROLE --query Role.[Arn,MaxSessionDuration]"),
)
ROLE_REFUSED = Fault(
    "iam.role-not-assumed",
    "a service or workflow could not assume its role",
    "The role is needed before the image is requested, so ECR was not asked.",
    Impact.START,
    (_TRUST, MAY_NOT_ASSUME),
    other_causes=(causes.MISCONFIGURED,),
)

BUILD_IMAGE = Fault(
    "codebuild.build-image",
    "CodeBuild could not pull the build image; it pulls outside your VPC",
    "The endpoints of the VPC are not involved. The image must be in the project's region, and its repository must "
    "allow codebuild.amazonaws.com or the project's role.",
    Impact.PROOF,
    (causes.PULL_OUTSIDE_VPC, causes.CROSS_REGION, causes.REPOSITORY_POLICY),
)
SERVICE_PULL = Fault(
    "service.image-denied",
    "a service of AWS may not pull the image, or the image does not exist",
    "Lambda and SageMaker pull outside your VPC, so its endpoints are not involved. The repository must allow the "
    "service, and exist in the same region.",
    Impact.PULL,
    (causes.REPOSITORY_POLICY, causes.REPOSITORY_NOT_FOUND, causes.EXECUTION_ROLE, causes.PULL_OUTSIDE_VPC),
)
_ACCESS_ROLE = replace(
    causes.EXECUTION_ROLE,
    title="the role of the service may not pull from this repository, or does not trust the service",
)
# AWS[pulling-role-app-runner]
NOT_PULLED = SERVICE_PULL.variant(
    title="a service of AWS could not pull the image, and does not say why",
    why=(
        "It reports a missing permission and a missing image in the same words. It pulls outside your VPC, so its "
        "endpoints are not involved."
    ),
    causes=(_ACCESS_ROLE, _NO_SUCH_TAG, _OTHER_REGION, causes.NO_MATCHING_PLATFORM, causes.REPOSITORY_POLICY),
)
NO_IMAGE_OR_ROLE = NOT_PULLED.variant(
    causes=(_NO_SUCH_TAG, _ACCESS_ROLE, causes.REPOSITORY_NOT_FOUND, causes.REPOSITORY_POLICY, _OTHER_REGION)
)
_UNEXPLAINED = re.compile(r"copy the image|pull your application image", re.IGNORECASE)
_EITHER = re.compile(r"images included in the model|cannot initialize the provided", re.IGNORECASE)
ACCESS_ROLE = Fault(
    "iam.access-role",
    "App Runner cannot use the access role of the service",
    "It refuses the role before it pulls the image, so ECR was not asked.",
    Impact.PULL,
    (causes.TRUST_POLICY, causes.EXECUTION_ROLE),
)
_TAG_AND_DIGEST = re.compile(r":[\w.-]{1,128}@sha256:")  # Lambda takes one of them
_MASKED_ECR_IMAGE = re.compile(r"(?i)source image \S{0,200}dkr[.-]ecr\b")


def refused_role(step: Step) -> Case:
    """The case of a role that a service or a program of the user, and not ECS, could not assume."""
    suspects = None
    if step.failure is Failure.MALFORMED:
        suspects = possible(BAD_ROLE_REQUEST, *ROLE_REFUSED.causes)
    elif "no identity-based policy" in (step.detail or ""):
        suspects = ROLE_REFUSED.suspects.first(MAY_NOT_ASSUME)
    return Case(ROLE_REFUSED, suspects)


def _refused_image(evidence: Evidence, step: Step) -> Case | None:
    if step.failure is Failure.NOT_FOUND:
        return Case(IMAGE_MISSING)
    of_ecr = evidence.plan.reference is not None or says(step, _MASKED_ECR_IMAGE)
    if says(step, _TAG_AND_DIGEST):
        return Case(IMAGE_OF_ECR_INVALID, possible(_BAD_NAME, _OTHER_REGION, causes.REPOSITORY_NOT_FOUND))
    return Case(IMAGE_OF_ECR_INVALID) if of_ecr else None


def _without_reason(_evidence: Evidence, step: Step) -> Case | None:
    if says(step, _UNEXPLAINED):
        return Case(NOT_PULLED)
    return Case(NO_IMAGE_OR_ROLE) if says(step, _EITHER) else None


MEANINGS = {
    Subject.BUILD_IMAGE: Meaning(BUILD_IMAGE),
    Subject.BUILD_SETTINGS: Meaning(BUILD_SETTINGS),
    Subject.SERVICE_PULL: Meaning(SERVICE_PULL, variants=(NOT_PULLED, NO_IMAGE_OR_ROLE), case=_without_reason),
    Subject.SERVICE_IMAGE: Meaning(IMAGE_INVALID, variants=(IMAGE_OF_ECR_INVALID, IMAGE_MISSING), case=_refused_image),
    Subject.ACCESS_ROLE: Meaning(ACCESS_ROLE),
}

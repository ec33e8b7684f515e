"""Samples of what Lambda, App Runner, SageMaker and CodeBuild write about an image that they cannot use."""

from __future__ import annotations

from tests.explain.sample import Sample

IMAGE = "210987654321.dkr.ecr.eu-north-1.amazonaws.com/shop/cart:7"
ROLE = "arn:aws:iam::210987654321:role/shop"


def _invalid(name: str, text: str, causes: str) -> Sample:
    return Sample(name, text, "task/start/service-image", "malformed", {"service.image-invalid": causes})


def _missing(name: str, text: str) -> Sample:
    causes = {"service.image-invalid": "registry.tag-not-found registry.repo-not-found region.cross-region"}
    return Sample(name, text, "task/start/service-image", "not-found", causes)


def _format(name: str, text: str) -> Sample:
    causes = {"registry.unreadable-image": "registry.not-an-image registry.no-matching-platform"}
    return Sample(name, text, "task/start/media-type", "malformed", causes)


def _denied(name: str, text: str) -> Sample:
    causes = {"service.image-denied": "iam.repository-policy registry.repo-not-found"}
    return Sample(name, text, "task/start/service-pull", "denied", causes)


def _role(name: str, text: str) -> Sample:
    causes = {"iam.role-not-assumed": "iam.trust-policy iam.execution-role"}
    return Sample(name, text, "task/start/role", "denied", causes, pull="unproven")


SERVICE_SAMPLES = (
    _invalid(
        "Lambda: the image's name has no host",
        "An error occurred (InvalidParameterValueException) when calling the CreateFunction operation: Source image "
        "cart:7 is not valid. Provide a valid source image.",
        "registry.bad-image-reference registry.repo-not-found",
    ),
    _invalid(
        "Lambda: an image of ECR Public",
        "operation error Lambda: UpdateFunctionCode, InvalidParameterValueException: Source image "
        "public.ecr.aws/shop/cart:7 is not valid. Provide a valid source image.",
        "registry.bad-image-reference registry.repo-not-found",
    ),
    _invalid(
        "Lambda: perhaps an image of another region",
        f'Resource handler returned message: "Source image {IMAGE} is not valid. Provide a valid source image. '
        '(Service: Lambda, Status Code: 400, Request ID: 3f3f3f3f-0000-4444-8888-121212121212)"',
        "region.cross-region registry.bad-image-reference registry.repo-not-found",
    ),
    _invalid(
        "App Runner: the name is not of the expected form",
        "1 validation error detected: Value 'https://shop/cart' at "
        "'sourceConfiguration.imageRepository.imageIdentifier' failed to satisfy constraint: Member must satisfy "
        "regular expression pattern: an image of ECR",
        "registry.bad-image-reference registry.repo-not-found",
    ),
    _invalid(
        "SageMaker: an image of another registry",
        'Using non-ECR image "quay.io/shop/cart:7" without Vpc repository access mode is not supported.',
        "registry.bad-image-reference registry.repo-not-found",
    ),
    _missing(
        "Lambda: the image was not pushed yet",
        f"Error: creating Lambda Function (shop): InvalidParameterValueException: Source image {IMAGE} does not exist. "
        "Provide a valid source image.",
    ),
    _missing(
        "Lambda: the image of a function was deleted",
        '"StateReason": "The image was removed", "StateReasonCode": "ImageDeleted"',
    ),
    _missing(
        "App Runner: the image does not exist",
        "[AppRunner] Failed to pull your application image. Reason: ECR image doesn't exist.",
    ),
    _format(
        "Lambda: an index with attestations",
        f"The image manifest, config or layer media type for the source image {IMAGE} is not supported. (Service: "
        "Lambda, Status Code: 400)",
    ),
    _format(
        "Lambda: a manifest of an older message",
        "InvalidParameterValueException: The image manifest or layer media type for the source image "
        f"{IMAGE.partition(':')[0]}@sha256:{'4b' * 32} is not supported.",
    ),
    _format(
        "Lambda: a layer of another type",
        f"InvalidImage: ImageLayerFailure: UnsupportedImageLayerDetected - Layer Digest sha256:{'5c' * 32}",
    ),
    _denied(
        "Lambda: the function may not read the image",
        "The function does not have permission to access the specified image.",
    ),
    _denied(
        "Lambda: the state of a function without access",
        '"LastUpdateStatus": "Failed", "LastUpdateStatusReasonCode": "ImageAccessDenied"',
    ),
    Sample(
        "App Runner: the access role cannot be assumed",
        f"CreateService, InvalidRequestException: Error in assuming access role {ROLE}",
        "task/environment/access-role",
        "denied",
        {"iam.access-role": "iam.trust-policy iam.execution-role"},
    ),
    _role(
        "App Runner: the instance role cannot be assumed",
        f"App Runner: InvalidRequestException: Error in assuming instance role {ROLE}",
    ),
    _role(
        "Lambda: the role of the function cannot be assumed",
        "InvalidParameterValueException: The role defined for the function cannot be assumed by Lambda.",
    ),
    _role(
        "CodeBuild: the service role cannot be assumed",
        f"InvalidInputException: CodeBuild is not authorized to perform: sts:AssumeRole on {ROLE}",
    ),
    _role(
        "Step Functions: the role of a state machine that starts tasks",
        "The principal states.amazonaws.com is not authorized to assume the provided role.",
    ),
    _role(
        "SageMaker: the execution role cannot be assumed",
        f"ValidationException when calling the CreateModel operation: Could not assume role {ROLE}. Please ensure that "
        "the role exists and allows principal 'sagemaker.amazonaws.com' to assume the role.",
    ),
    _role(
        "a workflow's role is not assumed by its token",
        "Error: Could not assume role with OIDC: Not authorized to perform sts:AssumeRoleWithWebIdentity",
    ),
    Sample(
        "CodeBuild: a curated image with the project's role",
        "Invalid input: cannot use a CodeBuild curated image with imagePullCredentialsType SERVICE_ROLE",
        "task/environment/build-settings",
        "malformed",
        {"codebuild.image-settings": "client.misconfigured"},
    ),
    Sample(
        "CodeBuild: a private image without the project's role",
        "InvalidInputException: registryCredential must be used with imagePullCredentialsType SERVICE_ROLE",
        "task/environment/build-settings",
        "malformed",
        {"codebuild.image-settings": "client.misconfigured"},
    ),
)

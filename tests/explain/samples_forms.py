"""Samples of events in order of time, of pushes and of other platforms; hosts, accounts and roles are invented."""

from __future__ import annotations

from collections.abc import Mapping

from tests.explain.sample import Sample
from tests.explain.samples_network import IMAGE, REGISTRY

SILENT = f'Error response from daemon: Get "https://{REGISTRY}/v2/": dial tcp 172.45.1.9:443: i/o timeout'

CI_ROLE = "arn:aws:sts::210987654321:assumed-role/ci/build-7"
ON_CART = "on resource: arn:aws:ecr:eu-north-1:210987654321:repository/shop/cart"
REFERS = f"The push refers to repository [{REGISTRY}/shop/cart]\n5f70bf18a086: Preparing\n"
UPLOADS = f"https://{REGISTRY}/v2/shop/cart/blobs/uploads/"


def _unproven(
    name: str, text: str, step: str, failure: str, causes: Mapping[str, str], address_class: str = ""
) -> Sample:
    """A failure that proves nothing about a pull."""
    return Sample(name, text, step, failure, causes, pull="unproven", address_class=address_class)


PUSHES = (
    _unproven(
        "push: the manifest is denied without a reason",
        f"error: failed to push: PUT https://{REGISTRY}/v2/shop/cart/manifests/1: unexpected status code 403 Forbidden",
        "ecr.dkr/request",
        "denied",
        {"iam.denied": "iam.execution-role policy.vpce.ecr"},
    ),
    _unproven(
        "push: containerd commits a manifest that is denied",
        f'failed to push {IMAGE}: failed commit on ref "manifest-sha256:{"ab" * 32}": unexpected status: 403 Forbidden',
        "ecr.dkr/request",
        "denied",
        {"iam.denied": "iam.execution-role policy.vpce.ecr"},
    ),
    _unproven(
        "push: an upload is denied without a reason",
        f"unexpected status from POST request to {UPLOADS}: 403 Forbidden",
        "ecr.dkr/request",
        "denied",
        {"iam.denied": "iam.execution-role policy.vpce.ecr"},
    ),
    _unproven(
        "push: an upload is denied by the identity-based policy",
        f"denied: User: {CI_ROLE} is not authorized to perform: ecr:InitiateLayerUpload {ON_CART} because no "
        "identity-based policy allows the ecr:InitiateLayerUpload action",
        "ecr.dkr/request",
        "denied",
        {"iam.denied": "iam.execution-role iam.source-vpce-condition"},
    ),
    _unproven(
        "push: the image is denied by the endpoint policy",
        f"{REFERS}denied: User: {CI_ROLE} is not authorized to perform: ecr:PutImage {ON_CART} because no VPC endpoint "
        "policy allows the ecr:PutImage action",
        "ecr.dkr/request",
        "denied",
        {"policy.vpce.ecr": "=policy.vpce.ecr"},
    ),
    _unproven(
        "push: the tag is immutable",
        "tag invalid: The image tag '1.2' already exists in the 'shop/cart' repository and cannot be overwritten "
        "because the repository is immutable.",
        "task/environment/tag-immutable",
        "denied",
        {"registry.tag-immutable": "=other"},
    ),
    _unproven(
        "push: the login has expired",
        f"$ docker push {IMAGE}\n{REFERS}denied: Your authorization token has expired. Reauthenticate and try again.",
        "ecr.dkr/request",
        "unauthenticated",
        {"registry.token-rejected": "registry.auth-token-expired iam.credentials-rejected"},
    ),
    _unproven(
        "push: kaniko is not logged in",
        f'error checking push permissions: checking push permission for "{IMAGE}": POST {UPLOADS}: unexpected status '
        "code 401 Unauthorized: Not Authorized",
        "ecr.dkr/request",
        "unauthenticated",
        {"registry.token-rejected": "client.no-credential-provider registry.auth-token-expired"},
    ),
    _unproven(
        "push: the repository does not exist",
        f"{REFERS}name unknown: The repository with name 'shop/cart' does not exist in the registry with id "
        "'210987654321'",
        "ecr.dkr/request",
        "not-found",
        {"registry.repo-not-found": "=registry.repo-not-found"},
    ),
    _unproven(
        "push: a quota is reached",
        f"{REFERS}denied: LimitExceededException: The maximum number of images per repository has been reached",
        "task/environment/quota",
        "too-large",
        {"registry.quota": "=registry.quota"},
    ),
    _unproven(
        "push: nothing answers",
        f'failed to push {IMAGE}: failed to do request: Head "{UPLOADS}0a1b": dial tcp 13.48.9.9:443: i/o timeout',
        "ecr.dkr/tcp/13.48.9.9",
        "timeout",
        {"dns.public-answer": "tcp.no-route tcp.security-group path.proxy endpoint.missing.ecr-dkr"},
        "public",
    ),
)
SAGEMAKER_ROLE = "arn:aws:iam::210987654321:role/models"
PLATFORMS = (
    Sample(
        "Lambda: no permission for the image",
        "An error occurred (AccessDeniedException) when calling the CreateFunction operation: Lambda does not have "
        "permission to access the ECR image. Check the ECR permissions.",
        "task/start/service-pull",
        "denied",
        {"service.image-denied": "iam.repository-policy registry.repo-not-found"},
    ),
    Sample(
        "Lambda: CloudFormation reports no permission",
        'Resource handler returned message: "Lambda does not have permission to access the ECR image. Check the ECR '
        'permissions. (Service: Lambda, Status Code: 403, Request ID: 3f3f3f3f-0000-4444-8888-121212121212)"',
        "task/start/service-pull",
        "denied",
        {"service.image-denied": "iam.repository-policy registry.repo-not-found"},
    ),
    Sample(
        "App Runner: the access role cannot be used",
        "[AppRunner] Failed to pull your application image. Reason: Invalid Access Role in AuthenticationConfiguration",
        "task/environment/access-role",
        "denied",
        {"iam.access-role": "iam.trust-policy iam.execution-role"},
    ),
    Sample(
        "SageMaker: the execution role may not pull",
        "ClientError: Error Details: Access denied for repository: cart in registry ID: 210987654321. Please check if "
        f"your ECR repository and image exist and role {SAGEMAKER_ROLE} has proper pull permissions for SageMaker: "
        "ecr:BatchCheckLayerAvailability, ecr:BatchGetImage, ecr:GetDownloadUrlForLayer",
        "ecr.dkr/manifest",
        "denied",
        {"iam.denied": "iam.execution-role iam.repository-policy registry.repo-not-found"},
    ),
    _unproven(
        "ACK: a controller may not create repositories",
        f"ecr-controller: AccessDeniedException: User: {CI_ROLE} is not authorized to perform: ecr:CreateRepository "
        f"{ON_CART} because no identity-based policy allows the ecr:CreateRepository action",
        "ecr.api/request",
        "denied",
        {"iam.denied": "iam.execution-role iam.source-vpce-condition"},
    ),
)

FORM_SAMPLES = (
    Sample(
        "recovered: a later pull succeeded",
        f"2031-02-03T10:00:00Z {SILENT}\n2031-02-03T11:00:00Z Status: Downloaded newer image for {IMAGE}",
        "task/start/recovered",
        "truncated",
        {"task.recovered": "other"},
        status="inconclusive",
        pull="unproven",
    ),
    *PUSHES,
    *PLATFORMS,
)

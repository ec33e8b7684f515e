"""Samples of denials, throttling, image errors and failed starts; hosts, accounts and roles are invented."""

from __future__ import annotations

from tests.explain.sample import Sample
from tests.explain.samples_network import AUTH, IMAGE, LAYERS, REGISTRY, V2

ROLE = "arn:aws:sts::210987654321:assumed-role/shopExecution/7a7a7a"
FOREIGN_ROLE = "arn:aws:sts::345678901234:assumed-role/shopExecution/7a7a7a"
ON_CART = "on resource: arn:aws:ecr:eu-north-1:210987654321:repository/shop/cart"
HEAD = f"https://{REGISTRY}/v2/shop/cart/manifests/2024-11"
MANIFEST = f"CannotPullContainerError: inspect image has been retried 1 time(s): failed to resolve ref {IMAGE}: "
CONFIGURATION = "CannotPullContainerError: error pulling image configuration: error parsing HTTP 403 response body: "
NOT_JSON = "invalid character '<' looking for beginning of value: "
LOG_DRIVER = (
    "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed "
)
CACHED = "registry.tag-not-found registry.archived registry.pull-through-redirect iam.execution-role"

DENIED = (
    Sample(
        "token denied by the identity-based policy",
        f"{AUTH}The task cannot pull registry auth from Amazon ECR: operation error ECR: GetAuthorizationToken, https "
        "response error StatusCode: 400, RequestID: 3f3f3f3f-0000-4444-8888-121212121212, api error "
        "AccessDeniedException: "
        f"User: {ROLE} is not authorized to perform: ecr:GetAuthorizationToken on resource: * because no "
        "identity-based "
        "policy allows the ecr:GetAuthorizationToken action",
        "ecr.api/token",
        "denied",
        {"iam.denied": "iam.execution-role iam.source-vpce-condition"},
        excludes={"iam.denied": "policy.vpce.ecr iam.repository-policy"},
    ),
    Sample(
        "token denied by the endpoint policy",
        f"{AUTH}{V2}StatusCode: 400, RequestID: 3f3f3f3f-0000-4444-8888-121212121212, api error "
        "AccessDeniedException: User: "
        f"{ROLE} is not authorized to perform: ecr:GetAuthorizationToken on resource: * because no VPC endpoint "
        "policy allows "
        "the ecr:GetAuthorizationToken action",
        "ecr.api/token",
        "denied",
        {"policy.vpce.ecr": "=policy.vpce.ecr"},
        excludes={"policy.vpce.ecr": "iam.execution-role iam.repository-policy"},
    ),
    Sample(
        "token denied without a reason",
        f"CannotPullECRContainerError: AccessDeniedException: User: {ROLE} is not authorized to perform: "
        "ecr:GetAuthorizationToken on resource: *\n\tstatus code: 400, request id: "
        "3f3f3f3f-0000-4444-8888-121212121212",
        "ecr.api/token",
        "denied",
        {"iam.denied": "iam.execution-role policy.vpce.ecr"},
    ),
    Sample(
        "token denied explicitly, without naming the policy",
        "An error occurred (AccessDeniedException) when calling the GetAuthorizationToken operation: User: "
        f"{ROLE} is not authorized to perform: ecr:GetAuthorizationToken on resource: * with an explicit deny",
        "ecr.api/token",
        "denied",
        {"iam.denied": "iam.execution-role policy.vpce.ecr iam.scp"},
    ),
    Sample(
        "token denied by a service control policy",
        f"api error AccessDeniedException: User: {ROLE} is not authorized to perform: ecr:GetAuthorizationToken on "
        "resource: "
        "* with an explicit deny in a service control policy",
        "ecr.api/token",
        "denied",
        {"iam.denied": "=iam.scp"},
    ),
    Sample(
        "manifest denied by the repository policy",
        f"CannotPullContainerError: The task can’t pull the image. Error response from daemon: pull access denied for "
        f"{REGISTRY}/shop/cart, repository does not exist or may require 'docker login': denied: User: {FOREIGN_ROLE} "
        "is not "
        f"authorized to perform: ecr:BatchGetImage {ON_CART} because no resource-based policy allows the "
        "ecr:BatchGetImage "
        "action",
        "ecr.dkr/manifest",
        "denied",
        {"iam.denied": "iam.repository-policy registry.repo-not-found iam.registry-policy"},
    ),
    Sample(
        "manifest denied, beginning of the sentence missing",
        "… because no resource-based policy allows the ecr:BatchGetImage action",
        "ecr.dkr/manifest",
        "denied",
        {"iam.denied": "iam.repository-policy registry.repo-not-found iam.registry-policy"},
    ),
    Sample(
        "manifest denied to a role of another account",
        f"denied: User: {FOREIGN_ROLE} is not authorized to perform: ecr:BatchGetImage {ON_CART} ({IMAGE})",
        "ecr.dkr/manifest",
        "denied",
        {"iam.denied": "iam.execution-role iam.repository-policy policy.vpce.ecr"},
    ),
    Sample(
        "blob denied by the identity-based policy",
        f"failed to copy: httpReadSeeker: failed open: unexpected status code https://{REGISTRY}/v2/shop/cart/blobs/"
        f"sha256:{'1d' * 32}: 403 Forbidden - denied: User: {ROLE} is not authorized to perform: "
        "ecr:GetDownloadUrlForLayer "
        f"{ON_CART} because no identity-based policy allows the ecr:GetDownloadUrlForLayer action",
        "ecr.dkr/blob",
        "denied",
        {"iam.denied": "iam.execution-role iam.source-vpce-condition"},
    ),
    Sample(
        "403 for the manifest without a body",
        f"{MANIFEST}unexpected status from HEAD request to {HEAD}: 403 Forbidden",
        "ecr.dkr/manifest",
        "denied",
        {"iam.denied": "iam.execution-role policy.vpce.ecr"},
    ),
    Sample(
        "only the two words Access Denied",
        "CannotPullContainer AccessDenied",
        "ecr.dkr/manifest",
        "denied",
        {"iam.denied": "iam.execution-role policy.vpce.ecr"},
    ),
    Sample(
        "layer denied by S3 with its XML error",
        f"""{CONFIGURATION}{NOT_JSON}"<?xml version=\\"1.0\\" encoding=\\"UTF-8\\"?>\\n<Error>"""
        """<Code>AccessDenied</Code>"""
        """<Message>Access Denied</Message><RequestId>1A2B3C4D5E6F7A8B</RequestId></Error>\"""",
        "s3/layer",
        "denied",
        {"policy.vpce.s3": "policy.vpce.s3 kms.key"},
    ),
    Sample(
        "layer denied by S3, cut off before the code",
        f'{CONFIGURATION}{NOT_JSON}"<?xml version=',
        "s3/layer",
        "denied",
        {"policy.vpce.s3": "policy.vpce.s3 kms.key"},
    ),
    Sample(
        "layer denied by the S3 endpoint policy",
        f"failed to copy: httpReadSeeker: failed open: unexpected status code {LAYERS}?X-Amz-Signature=0f0f: 403 "
        "Forbidden "
        "<Error><Code>AccessDenied</Code><Message>User: arn:aws:sts::812812325446:assumed-role/storage-access/0 is not "
        'authorized to perform: s3:GetObject on resource: "arn:aws:s3:::prod-eu-north-1-starport-layer-bucket/9c1f" '
        "because no "
        "VPC endpoint policy allows the s3:GetObject action</Message></Error>",
        "s3/layer",
        "denied",
        {"policy.vpce.s3": "=policy.vpce.s3"},
    ),
    Sample(
        "parameter denied by the identity-based policy",
        f"{AUTH}execution resource retrieval failed: unable to retrieve secrets from ssm: service call has been "
        "retried 1 "
        f"time(s): AccessDeniedException: User: {ROLE} is not authorized to perform: ssm:GetParameters on resource: "
        "arn:aws:ssm:eu-north-1:210987654321:parameter/shop/db because no identity-based policy allows the "
        "ssm:GetParameters "
        "action",
        "ssm/request",
        "denied",
        {"iam.denied": "iam.execution-role"},
        pull="unproven",
    ),
    Sample(
        "KMS key of a secret denied",
        f"{AUTH}unable to retrieve secret from asm: api error AccessDeniedException: Access to KMS is not allowed",
        "secretsmanager/request",
        "denied",
        {"iam.denied": "kms.key iam.execution-role"},
        pull="unproven",
    ),
    Sample(
        "secret denied by the endpoint policy",
        f"{AUTH}api error AccessDeniedException: User: {ROLE} is not authorized to perform: "
        "secretsmanager:GetSecretValue on "
        "resource: shop/db because no VPC endpoint policy allows the secretsmanager:GetSecretValue action",
        "secretsmanager/request",
        "denied",
        {"policy.vpce.other": "=policy.vpce.other"},
        pull="unproven",
    ),
    Sample(
        "denied by the endpoint policy of a service that the text does not name",
        f"AccessDeniedException: User: {ROLE} is not authorized to perform this action because no VPC endpoint policy "
        "allows it",
        "unnamed-host/request",
        "denied",
        {"policy.vpce.other": "=policy.vpce.other"},
        "inconclusive",
        "unproven",
    ),
    Sample(
        "log stream denied",
        f"{LOG_DRIVER}to create Cloudwatch log stream: AccessDeniedException: User: {ROLE} is not authorized to "
        "perform: "
        "logs:CreateLogStream on resource: arn:aws:logs:eu-north-1:210987654321:log-group:/ecs/shop:log-stream:a "
        "because no "
        "identity-based policy allows the logs:CreateLogStream action",
        "logs/logs",
        "denied",
        {"iam.denied": "iam.execution-role"},
        pull="unproven",
    ),
)
ERRORS = (
    Sample(
        "no registry token, on an instance",
        f'level=error msg="Handler for POST /v1.44/images/create returned error: Head \\"{HEAD}\\": no basic auth '
        'credentials"',
        "ecr.dkr/challenge",
        "no-credentials",
        {"registry.no-token": "client.no-credential-provider client.unrecognised-ecr-host iam.execution-role"},
    ),
    Sample(
        "no registry token, at the dual-stack host",
        "Error response from daemon: Head "
        '"https://210987654321.dkr-ecr.eu-north-1.on.aws/v2/shop/cart/manifests/2024-11": no basic auth credentials',
        "ecr.dkr/challenge",
        "no-credentials",
        {"registry.no-token": "client.unrecognised-ecr-host client.no-credential-provider iam.execution-role"},
    ),
    Sample(
        "registry token expired, 401",
        f"{MANIFEST}unexpected status from HEAD request to {HEAD}: 401 Unauthorized",
        "ecr.dkr/manifest",
        "unauthenticated",
        {"registry.token-rejected": "registry.auth-token-expired iam.credentials-rejected"},
    ),
    Sample(
        "registry token expired, ECR's message",
        "denied: Your authorization token has expired. Reauthenticate and try again. "
        f"(pulling {IMAGE}: failed to resolve reference)",
        "ecr.dkr/manifest",
        "unauthenticated",
        {"registry.token-rejected": "registry.auth-token-expired"},
    ),
    Sample(
        "credentials' session expired",
        "CannotPullECRContainerError: ExpiredTokenException: The security token included in the request is expired",
        "ecr.api/token",
        "unauthenticated",
        {"credentials.rejected": "iam.credentials-rejected"},
        "inconclusive",
        "unproven",
    ),
    Sample(
        "no credentials on the instance",
        "CannotPullECRContainerError: NoCredentialProviders: no valid providers in chain. Deprecated.",
        "task/credentials",
        "no-credentials",
        {"credentials.missing": "iam.no-credentials path.proxy"},
        "inconclusive",
        "unproven",
    ),
    Sample(
        "token requests throttled",
        "Reason CannotPullECRContainerError: ThrottlingException: Rate exceeded\n\tstatus code: 400, request id: "
        "3f3f3f3f-0000-4444-8888-121212121212",
        "ecr.api/token",
        "throttled",
        {"aws.throttled": "=throttle"},
        "inconclusive",
        "unproven",
    ),
    Sample(
        "manifest requests throttled",
        f"{MANIFEST}unexpected status from HEAD request to {HEAD}: 429 Too Many Requests",
        "ecr.dkr/manifest",
        "throttled",
        {"aws.throttled": "=throttle"},
        "inconclusive",
        "unproven",
    ),
    Sample(
        "S3 SlowDown",
        f"failed to copy: httpReadSeeker: failed open: unexpected status code {LAYERS}: 503 Service Unavailable "
        "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>",
        "s3/layer",
        "throttled",
        {"aws.throttled": "=throttle"},
        "inconclusive",
        "unproven",
    ),
    Sample(
        "clock behind",
        "[ERROR] Unable to discover poll endpoint: InvalidSignatureException: Signature expired: 20241102T100000Z is "
        "now "
        "earlier than 20241102T101500Z (20241102T103000Z - 15 min.)",
        "ecs/request",
        "clock",
        {"clock.skew": "=clock.skew"},
        "inconclusive",
        "unproven",
    ),
    Sample(
        "clock ahead, token request",
        f"{AUTH}{V2}StatusCode: 400, RequestID: 3f3f3f3f-0000-4444-8888-121212121212, api error "
        "InvalidSignatureException: "
        "Signature not yet current: 20241102T103000Z is still later than 20241102T102000Z (20241102T101500Z + 5 min.)",
        "ecr.api/token",
        "clock",
        {"clock.skew": "=clock.skew"},
        "inconclusive",
        "unproven",
    ),
    Sample(
        "5xx of AWS with a request id",
        f"{AUTH}{V2}StatusCode: 500, RequestID: 3f3f3f3f-0000-4444-8888-121212121212, api error ServerException: try "
        "again",
        "ecr.api/token",
        "server-error",
        {"aws.service-error": "=aws.service-error"},
        "inconclusive",
        "unproven",
    ),
    Sample(
        "502 without a request id",
        f"{MANIFEST}unexpected status from HEAD request to {HEAD}: 502 Bad Gateway",
        "ecr.dkr/manifest",
        "server-error",
        {"aws.service-error": "aws.service-error path.egress-firewall"},
        "inconclusive",
        "unproven",
    ),
    Sample(
        "HTML page instead of the token",
        f"{AUTH}{V2}StatusCode: 503, RequestID: , deserialization failed, failed to decode response body, "
        f"{NOT_JSON[:-2]}",
        "ecr.api/token",
        "not-aws",
        {"http.not-aws": "path.egress-firewall path.proxy"},
    ),
    Sample(
        "HTML page instead of the layer, not S3's XML",
        f'{CONFIGURATION}{NOT_JSON}"<!DOCTYPE html><html><head><title>403 Forbidden</title></head><body>Access Denied '
        "by "
        "policy AccessDenied</body></html>",
        "s3/layer",
        "not-aws",
        {"http.not-aws": "path.egress-firewall path.proxy other"},
    ),
)
IMAGES = (
    Sample(
        "tag not found, containerd",
        "CannotPullContainerError: pull image manifest has been retried 7 time(s): failed to resolve ref "
        f"{REGISTRY}/cart:9: "
        f"{REGISTRY}/cart:9: not found",
        "ecr.dkr/manifest",
        "not-found",
        {"registry.tag-not-found": "registry.tag-not-found registry.repo-not-found"},
    ),
    Sample(
        "tag not found, the name of a cache's repository",
        f"CannotPullContainerError: failed to resolve ref {REGISTRY}/docker-hub/library/nginx:1: "
        f"{REGISTRY}/docker-hub/library/nginx:1: not found",
        "ecr.dkr/manifest",
        "not-found",
        {
            "registry.tag-not-found": "registry.tag-not-found registry.pull-through-redirect iam.execution-role "
            "registry.repo-not-found"
        },
    ),
    Sample(
        "tag not found, ECR",
        f"CannotPullContainerError: Error response from daemon: manifest for {REGISTRY}/cart:9 not found: manifest "
        "unknown: "
        "Requested image not found",
        "ecr.dkr/manifest",
        "not-found",
        {"registry.tag-not-found": CACHED},
        excludes={"registry.tag-not-found": "registry.repo-not-found"},
    ),
    Sample(
        "tag not found, perhaps in a pull-through cache",
        f"Error response from daemon: manifest for {IMAGE} not found: manifest unknown: Requested image not found",
        "ecr.dkr/manifest",
        "not-found",
        {"registry.tag-not-found": CACHED},
    ),
    Sample(
        "tag not found, registry masked",
        "CannotPullContainerError: API error (404): manifest for ***.dkr.ecr.eu-north-1.amazonaws.com/***:9 not found",
        "ecr.dkr/manifest",
        "not-found",
        {"registry.tag-not-found": "registry.tag-not-found registry.repo-not-found"},
    ),
    Sample(
        "repository not found",
        f'failed to resolve reference "{REGISTRY}/cart:9": unexpected status from HEAD request: name unknown: The '
        "repository "
        "with name 'cart' does not exist in the registry with id '210987654321'",
        "ecr.dkr/manifest",
        "not-found",
        {"registry.repo-not-found": "registry.repo-not-found registry.pull-through-redirect"},
        excludes={"registry.repo-not-found": "registry.tag-not-found registry.archived"},
    ),
    Sample(
        "repository not found, or access denied",
        f"Error response from daemon: pull access denied for {REGISTRY}/cart, repository does not exist or may require "
        "'docker login'",
        "ecr.dkr/manifest",
        "not-found",
        {"registry.repo-not-found": "iam.execution-role registry.repo-not-found client.no-credential-provider"},
    ),
    Sample(
        "ECR Public denies",
        'failed to resolve reference "public.ecr.aws/shop/scan:2": unexpected status from HEAD request to '
        "https://public.ecr.aws/v2/shop/scan/manifests/2: 403 Forbidden",
        "registry/manifest",
        "denied",
        {"registry.elsewhere": "registry.auth-token-expired client.unrecognised-ecr-host path.egress-firewall"},
    ),
    Sample(
        "image reference without a registry",
        "CannotPullContainerError: API error (404): repository cart-batch not found: does not exist or no pull access",
        "registry/manifest",
        "not-found",
        {"registry.elsewhere": "registry.repo-not-found registry.bad-image-reference"},
    ),
    Sample(
        "no manifest for the platform",
        "CannotPullContainerError: Error response from daemon: no matching manifest for linux/arm64/v8 in the "
        "manifest list "
        f"entries ({REGISTRY}/cart:9)",
        "ecr.dkr/manifest",
        "no-platform",
        {"registry.no-matching-platform": "=registry.no-matching-platform"},
    ),
    Sample(
        "no manifest for the platform, ECS",
        "CannotPullContainerError: pull image manifest has been retried 7 time(s): image Manifest does not contain "
        "descriptor "
        "matching platform 'linux/amd64'",
        "ecr.dkr/manifest",
        "no-platform",
        {"registry.no-matching-platform": "=registry.no-matching-platform"},
    ),
    Sample(
        "exec format error",
        "exec /usr/local/bin/cart: exec format error",
        "task/start/exec",
        "no-platform",
        {"registry.no-matching-platform": "registry.no-matching-platform other"},
        pull="unproven",
    ),
    Sample(
        "attestation instead of an image",
        "CannotPullContainerError: ref pull has been retried 1 time(s): failed to unpack image on snapshotter "
        "overlayfs: failed "
        f"to extract layer sha256:{'2e' * 32}: failed to get stream processor for application/vnd.in-toto+json: no "
        "processor "
        "for media-type: unknown",
        "task/start/media-type",
        "malformed",
        {"registry.unreadable-image": "registry.not-an-image"},
    ),
    Sample(
        "invalid image reference",
        "CannotPullContainerError: invalid reference format: repository name (shop/Cart) must be lowercase",
        "task/environment/reference",
        "malformed",
        {"registry.bad-reference": "=registry.bad-image-reference"},
    ),
    Sample(
        "vpce name as the registry",
        "Error response from daemon: login attempt to "
        "https://vpce-0a9b8c7d6e5f4a3b2-q1w2e3r4.dkr.ecr.eu-north-1.vpce.amazonaws.com/v2/ failed with status: 400 "
        "Bad Request",
        "task/environment/vpce-host",
        "unauthenticated",
        {"registry.vpce-host": "client.vpce-hostname dns.private-dns-disabled"},
    ),
    Sample(
        "pull-through cache redirects upstream",
        "failed to copy: httpReadSeeker: failed open: failed to do request: Get "
        '"https://cdn.upstream.example/registry-v2/blobs/'
        f'sha256/2e/data": dial tcp 198.51.100.7:443: i/o timeout (image {REGISTRY}/mirror/busybox:1.36)',
        "ecr.dkr/blob",
        "redirect",
        {"registry.pull-through-redirect": "registry.pull-through-redirect registry.foreign-layers"},
    ),
    Sample(
        "Windows base layers on another host",
        "failed to register layer: failed to copy: Get "
        f'"https://mcr.microsoft.com/v2/windows/servercore/blobs/sha256:{"3f" * 32}": dial tcp 198.51.100.8:443: i/o '
        "timeout "
        f"while pulling {IMAGE}",
        "ecr.dkr/blob",
        "redirect",
        {"registry.pull-through-redirect": "registry.foreign-layers registry.pull-through-redirect"},
    ),
    Sample(
        "another registry times out",
        "CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref "
        "registry.example.org/shop/scan:2: failed to do request: Head "
        '"https://registry.example.org/v2/shop/scan/manifests/2": dial tcp 198.51.100.9:443: i/o timeout',
        "registry/tcp/198.51.100.9",
        "timeout",
        {"registry.elsewhere": "tcp.no-route tcp.security-group tcp.no-public-ip path.egress-firewall"},
        address_class="private",
    ),
    Sample(
        "ECR Public times out",
        "CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref "
        "public.ecr.aws/shop/scan:2: failed to do request: Head "
        '"https://public.ecr.aws/v2/shop/scan/manifests/2": dial tcp 99.83.145.10:443: i/o timeout',
        "registry/tcp/99.83.145.10",
        "timeout",
        {"registry.elsewhere": "registry.ecr-public-no-privatelink tcp.no-route"},
        address_class="public",
    ),
    Sample(
        "Docker Hub's rate limit",
        'Failed to pull image "shop/scan:2": toomanyrequests: You have reached your pull rate limit.',
        "registry/manifest",
        "throttled",
        {"registry.elsewhere": "=throttle"},
    ),
    Sample(
        "another registry denies",
        "pull access denied for shop/scan, repository does not exist or may require 'docker login': denied: requested "
        "access "
        "to the resource is denied",
        "registry/manifest",
        "denied",
        {"registry.elsewhere": "registry.bad-image-reference registry.repo-not-found"},
    ),
    Sample(
        "CodeBuild's build image",
        "BUILD_CONTAINER_UNABLE_TO_PULL_IMAGE: Unable to pull customer's container image.",
        "task/start/build-image",
        "denied",
        {"codebuild.build-image": "client.pull-not-in-vpc region.cross-region"},
        "inconclusive",
        "unproven",
    ),
)
STARTS = (
    Sample(
        "no execution role",
        "ClientException: Fargate requires task definition to have execution role ARN to support ECR images.",
        "task/environment/execution-role",
        "no-credentials",
        {"iam.no-execution-role": "=iam.execution-role"},
        pull="unproven",
    ),
    Sample(
        "log group not found",
        f"{LOG_DRIVER}to create Cloudwatch log stream: ResourceNotFoundException: The specified log group does not "
        "exist. : "
        "exit status 1",
        "logs/logs",
        "not-found",
        {"logs.group-missing": "=logs.group-missing"},
        pull="unproven",
        severities={"logs.group-missing": "error"},
    ),
    Sample(
        "invalid awslogs-region",
        f"{LOG_DRIVER}to create Cloudwatch log stream: MissingEndpoint: 'Endpoint' configuration is required for this "
        "service",
        "task/environment/log-region",
        "malformed",
        {"logs.misconfigured-region": "=logs.misconfigured-region"},
        pull="unproven",
    ),
    Sample(
        "no region for the log driver",
        "Error response from daemon: failed to initialize logging driver: must specify a value for environment "
        "variable 'AWS_REGION' or log opt 'awslogs-region'",
        "task/environment/log-region",
        "malformed",
        {"logs.misconfigured-region": "=logs.misconfigured-region"},
        pull="unproven",
    ),
    Sample(
        "the region of the log driver is the word of an unset variable",
        f"{LOG_DRIVER}to create Cloudwatch log stream: RequestError: send request failed caused by: Post "
        '"https://logs.undefined.amazonaws.com/": dial tcp: lookup logs.undefined.amazonaws.com on 10.0.0.2:53: no '
        "such host",
        "logs/dns/10.0.0.2",
        "nxdomain",
        {"dns.name-missing": "logs.misconfigured-region client.old-agent registry.bad-image-reference"},
        pull="unproven",
    ),
    Sample(
        "the client does not know the domain of a new partition",
        "Error response from daemon: failed to initialize logging driver: failed to create Cloudwatch log stream: Post "
        '"https://logs.eu-isoe-west-1.amazonaws.com/": dial tcp: lookup logs.eu-isoe-west-1.amazonaws.com on '
        "10.0.0.2:53: no such host",
        "logs/dns/10.0.0.2",
        "nxdomain",
        {"dns.name-missing": "logs.misconfigured-region client.old-agent"},
        pull="unproven",
    ),
    Sample(
        "a registry of another vendor whose name contains ecr",
        'chart pull error: GET "https://corp.azurecr.io/v2/helm/app/app/tags/list": unexpected status code 404: name '
        "unknown: repository helm/app/app is not found",
        "registry/manifest",
        "not-found",
        {"registry.elsewhere": "registry.repo-not-found registry.bad-image-reference"},
    ),
    Sample(
        "a pull with a malformed login",
        f'failed to resolve reference "{IMAGE}": unexpected status from HEAD request to '
        f"https://{REGISTRY}/v2/shop/cart/manifests/1: 400 Bad Request",
        "task/environment/login",
        "malformed",
        {"registry.login-invalid": "client.misconfigured region.cross-region"},
    ),
    Sample(
        "the log driver does not know an option",
        "CannotCreateContainerError: Error response from daemon: unknown log opt 'awslogs-stream-prefix' for awslogs "
        "log driver",
        "task/environment/log-driver",
        "malformed",
        {"logs.driver": "client.misconfigured client.old-agent"},
        pull="unproven",
    ),
    Sample(
        "the log driver's own server refuses",
        "CannotStartContainerError: Error response from daemon: failed to initialize logging driver: dial tcp "
        "127.0.0.1:24224: connect: connection refused",
        "task/environment/log-driver",
        "no-answer",
        {"logs.driver": "other client.misconfigured"},
        pull="unproven",
    ),
    Sample(
        "a registry without TLS",
        'Error response from daemon: Get "https://registry.corp.example:5000/v2/": http: server gave HTTP response to '
        "HTTPS client",
        "registry/tls",
        "not-tls",
        {"registry.elsewhere": "client.misconfigured path.proxy"},
    ),
    Sample(
        "a tag that another registry does not have",
        "initializing source docker://registry.corp.example/team/app:4.3: reading manifest 4.3 in "
        "registry.corp.example/team/app: manifest unknown",
        "registry/manifest",
        "not-found",
        {"registry.elsewhere": "registry.tag-not-found registry.repo-not-found"},
    ),
    Sample(
        "the archive of a layer is of an unknown form",
        "failed to register layer: ApplyLayer exit status 1 stdout: stderr: archive/tar: invalid tar header",
        "task/start/unpack",
        "malformed",
        {"task.unpack": "node.unpack registry.layer-corrupt client.old-agent"},
        pull="unproven",
    ),
    Sample(
        "a client that cannot read the answer",
        f'Error: GET "https://{REGISTRY}/v2/shop/cart/manifests/1": empty response Docker-Content-Digest',
        "task/environment/client-version",
        "malformed",
        {"client.answer-not-understood": "client.old-agent path.egress-firewall"},
    ),
    Sample(
        "Lambda refuses a tag with a digest",
        f"Source image {REGISTRY}/hello-world:latest@sha256:0a1b is not valid. Provide a valid source image",
        "task/start/service-image",
        "malformed",
        {"service.image-invalid": "registry.bad-image-reference region.cross-region"},
    ),
    Sample(
        "App Runner does not say why",
        "[AppRunner] Failed to pull your application image. Be sure you configure your service with a valid access "
        "role to your ECR repository.",
        "task/start/service-pull",
        "denied",
        {"service.image-denied": "iam.execution-role registry.tag-not-found region.cross-region"},
    ),
    Sample(
        "SageMaker names image and role",
        "Failed. Reason: Please make sure all images included in the model for the production variant AllTraffic "
        "exist, and that the execution role used to create the model has permissions to access them.",
        "task/start/service-pull",
        "denied",
        {"service.image-denied": "registry.tag-not-found iam.execution-role registry.repo-not-found"},
    ),
    Sample(
        "a snapshot on the host is missing",
        "ctr: failed to prepare extraction layer: failed to create active: missing parent bucket: not found",
        "task/start/unpack",
        "malformed",
        {"task.unpack": "node.unpack registry.layer-corrupt"},
        pull="unproven",
    ),
    Sample(
        "plain HTTP to the registry",
        f'failed to do request: Head "http://{REGISTRY}/v2/shop/cart/manifests/1": dial tcp 13.48.9.9:80: i/o timeout',
        "task/environment/client-settings",
        "malformed",
        {"client.not-sent": "client.misconfigured client.old-agent"},
        "inconclusive",
        "unproven",
    ),
    Sample(
        "secret not found",
        f"{AUTH}unable to retrieve secret from asm: ResourceNotFoundException: Secrets Manager can't find the "
        "specified secret.",
        "task/start/secret",
        "not-found",
        {"task.secret-missing": "other"},
        pull="unproven",
    ),
    Sample(
        "start timed out",
        "ContainerRuntimeTimeoutError: Could not transition to running; timed out after waiting 1m",
        "task/start/timeout",
        "timeout",
        {"task.start-timeout": "logs.endpoint-missing tcp.security-group"},
        pull="unproven",
    ),
    Sample(
        "disk full",
        "CannotPullContainerError: write /var/lib/docker/tmp/GetImageBlob55: no space left on device",
        "task/start/disk",
        "too-large",
        {"task.disk-full": "=node.disk-full"},
        pull="unproven",
    ),
    Sample(
        "no capacity for the task",
        "service shop was unable to place a task. Reason: Capacity is unavailable at this time. Please try again "
        "later.",
        "task/start/placement",
        "timeout",
        {"task.not-placed": "other"},
        "inconclusive",
        "unproven",
    ),
    Sample(
        "network interface creation throttled",
        "Rate limit exceeded while attempting to Create Network Interface in subnet subnet-0d1e2f3a4b5c6d7e8",
        "task/start/placement",
        "throttled",
        {"task.not-placed": "=throttle"},
        "inconclusive",
        "unproven",
    ),
    Sample(
        "essential container exited",
        "Essential container in task exited",
        "task/start/ended",
        "truncated",
        {"task.ended": "other"},
        "inconclusive",
        "unproven",
    ),
    Sample(
        "headline only",
        "ResourceInitializationError: unable to pull secrets or registry auth",
        "ecr.api/start/cut-short",
        "malformed",
        {"text.cut-short": "tcp.no-route endpoint.missing.ecr-api"},
        "inconclusive",
        "unproven",
    ),
    Sample(
        "EFS volume not mounted",
        "ResourceInitializationError: failed to invoke EFS utils commands to set up EFS volumes: stderr: mount.nfs4: "
        "Connection timed out : unsuccessful EFS utils command execution; code: 32",
        "task/start/volume",
        "unreachable",
        {"task.volume": "other"},
        pull="unproven",
    ),
    Sample(
        "environment file denied",
        "ResourceInitializationError: failed to download env files: file download command: non empty error stream: "
        "AccessDenied: Access Denied\n\tstatus code: 403, request id: 1A2B3C4D5E6F7A8B, host id: zz==",
        "s3/request",
        "denied",
        {"iam.denied": "iam.execution-role policy.vpce.s3"},
        pull="unproven",
    ),
    Sample(
        "unrelated error",
        "panic: runtime error: index out of range [3] with length 3",
        "task/start/unclassified",
        "malformed",
        {"text.unclassified": "other"},
        "inconclusive",
        "unproven",
    ),
    Sample(
        "unrelated error: image pulled, container does not start",
        "CannotStartContainerError: Error response from daemon: driver failed programming external connectivity on "
        "endpoint shop: Bind for 0.0.0.0:9000 failed: port is already allocated",
        "task/start/unclassified",
        "malformed",
        {"text.unclassified": "other"},
        "inconclusive",
        "unproven",
    ),
)
ANSWER_SAMPLES = (*DENIED, *ERRORS, *IMAGES, *STARTS)

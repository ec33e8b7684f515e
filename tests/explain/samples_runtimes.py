"""Samples of runtimes that a client does not reach, of the ECS agent's start, and of logins of other clients."""

from __future__ import annotations

from tests.explain.sample import Sample

REGISTRY = "123456789012.dkr.ecr.eu-north-1.amazonaws.com"
_MANIFEST = f"https://{REGISTRY}/v2/shop/cart/manifests/7"
_LOGS = "CannotStartContainerError: Error response from daemon: failed to initialize logging driver: "
_STREAM = f"{_LOGS}failed to create Cloudwatch log stream: "
_OF_CLIENT = {"task.runtime-down": "other client.misconfigured node.slow-runtime"}
_NO_LOGIN = {"registry.no-token": "client.no-credential-provider client.unrecognised-ecr-host iam.execution-role"}


def _task(name: str, text: str, subject: str, failure: str, causes: dict[str, str], pull: str = "broken") -> Sample:
    proves = pull == "broken" or subject in (
        "start/runtime",
        "start/timeout",
        "start/network-setup",
        "environment/log-driver",
    )
    status = "fail" if proves else "inconclusive"
    return Sample(name, text, f"task/{subject}", failure, causes, status, pull)


RUNTIME_SAMPLES = (
    _task(
        "a build without a daemon",
        "[Container] Running command docker build .\n"
        "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
        "start/runtime",
        "no-answer",
        _OF_CLIENT,
        pull="unproven",
    ),
    _task(
        "the service of a job does not resolve",
        'error during connect: Get "http://docker:2375/v1/info": dial tcp: lookup docker on 10.0.0.2:53: no such host',
        "start/runtime",
        "no-answer",
        _OF_CLIENT,
        pull="unproven",
    ),
    _task(
        "a user who may not use the daemon",
        "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock",
        "start/runtime",
        "prohibited",
        {"task.runtime-down": "client.misconfigured other"},
        pull="unproven",
    ),
    _task(
        "the agent starts before the daemon",
        "ecs-init: [ERROR] dial unix /var/run/docker.sock: connect: no such file or directory",
        "start/runtime",
        "no-answer",
        {"task.runtime-down": "node.slow-runtime other node.disk-full"},
        pull="unproven",
    ),
    _task(
        "no descriptor for a connection",
        f'Error response from daemon: Get "https://{REGISTRY}/v2/": dial tcp 10.0.0.9:443: socket: too many open files',
        "start/runtime",
        "too-large",
        {"task.runtime-down": "other node.slow-runtime"},
        pull="unproven",
    ),
    _task(
        "a list of the agent without quotation marks",
        '[WARN] Invalid format for "ECS_AVAILABLE_LOGGING_DRIVERS" environment variable; expected a JSON array like '
        '["json-file"]. err invalid character',
        "environment/client-settings",
        "malformed",
        {"client.not-sent": "client.misconfigured client.old-agent"},
        pull="unproven",
    ),
    _task(
        "the agent finds no region",
        "[CRITICAL] Unable to communicate with EC2 Metadata service to infer region: Get "
        "http://169.254.169.254/latest/dynamic/instance-identity/document: "
        "dial tcp 169.254.169.254:80: i/o timeout",
        "credentials",
        "no-answer",
        {"credentials.unavailable": "client.imds-hop-limit client.misconfigured other"},
        pull="unproven",
    ),
    _task(
        "the log driver has no path to the credentials of the task",
        f"{_STREAM}CredentialsEndpointError: failed to load credentials caused by: RequestError: send request failed "
        "caused by: Get http://169.254.170.2/v2/credentials/7: dial tcp 169.254.170.2:80: connect: network is "
        "unreachable",
        "credentials",
        "no-answer",
        {"credentials.unavailable": "other iam.no-credentials"},
        pull="unproven",
    ),
    _task(
        "a reserved name of a log group",
        f"{_STREAM}InvalidParameterException: Log groups starting with AWS/ are reserved for AWS.",
        "environment/log-driver",
        "denied",
        {"logs.driver": "other logs.group-missing client.misconfigured"},
        pull="unproven",
    ),
    _task(
        "no host fits the task",
        'Unable to run task. Reasons : ["ATTRIBUTE"]',
        "start/placement",
        "timeout",
        {"task.not-placed": "other client.misconfigured client.old-agent"},
        pull="unproven",
    ),
    _task(
        "a slow start of Docker's, as older agents spell it",
        "STOPPED (DockerTimeoutError: Could not tranisition to started; timed out after waiting 8m0s)",
        "start/timeout",
        "timeout",
        {"task.start-timeout": "logs.endpoint-missing node.slow-runtime"},
        pull="unproven",
    ),
    _task(
        "the store of Windows is too small",
        "Error saving credentials: error storing credentials - err: exit status 1, out: The stub received bad data.",
        "environment/login-store",
        "malformed",
        {"credentials.login-store": "other client.misconfigured"},
    ),
    _task(
        "a login without a user name",
        "Must provide --username with --password-stdin",
        "environment/login-empty",
        "no-credentials",
        {"registry.login-empty": "client.misconfigured iam.no-credentials iam.credentials-rejected"},
    ),
    Sample(
        "a login without a user name, after the call that failed",
        "An error occurred (UnrecognizedClientException) when calling the GetAuthorizationToken operation: The "
        "security token included in the request is invalid.\nMust provide --username with --password-stdin",
        "ecr.api/token",
        "unauthenticated",
        {"credentials.rejected": "iam.credentials-rejected"},
        "inconclusive",
        "unproven",
    ),
    _task(
        "a container that Windows does not start",
        "hcsshim::System::CreateProcess: failure in a Windows system call: The paging file is too small for this "
        "operation to complete. (0x5af)",
        "start/runtime",
        "malformed",
        {"task.runtime-down": "node.slow-runtime registry.no-matching-platform other"},
        pull="unproven",
    ),
    _task(
        "the network of a container on Windows",
        "plugin type=vpc-shared-eni failed (add): hnsCall failed in Win32: An address provided is invalid or reserved.",
        "start/network-setup",
        "no-answer",
        {"task.network-setup": "other node.slow-runtime"},
        pull="unproven",
    ),
    _task(
        "the API of ECR Public in another region",
        "UnsupportedCommandException: GetAuthorizationToken command is only supported in us-east-1.",
        "environment/client-settings",
        "denied",
        {"client.not-sent": "client.misconfigured registry.bad-image-reference"},
        pull="unproven",
    ),
    _task(
        "a build shows only the status of the login",
        "[Container] 2026/11/30 06:55:17 Error while executing command: $(aws ecr get-login). Reason: exit status 254",
        "environment/login-empty",
        "no-credentials",
        {"registry.login-empty": "client.misconfigured iam.no-credentials"},
    ),
    _task(
        "Helm gives no reason",
        f'could not download chart: failed to download "oci://{REGISTRY}/cart" at version "7"',
        "start/cut-short",
        "malformed",
        {"text.cut-short": "client.no-credential-provider registry.tag-not-found registry.repo-not-found"},
        pull="unproven",
    ),
    _task(
        "the CDK, a login without a reason",
        f"fail: docker login --username AWS --password-stdin https://{REGISTRY} exited with error code 1:",
        "start/cut-short",
        "malformed",
        {"text.cut-short": "client.misconfigured iam.credentials-rejected iam.execution-role"},
        pull="unproven",
    ),
    _task(
        "the agent's cluster does not exist",
        "[ERROR] Could not register: ClientException: Cluster not found.",
        "environment/client-settings",
        "malformed",
        {"client.not-sent": "client.misconfigured client.old-agent"},
        pull="unproven",
    ),
    Sample(
        "Fargate, a name that is a file",
        'InternalError: failed to create container model: failed to normalize image reference "./Dockerfile".',
        "task/environment/reference",
        "malformed",
        {"registry.bad-reference": "registry.bad-image-reference client.misconfigured"},
    ),
    Sample(
        "a proxy's status, as Go shows it",
        f'Error response from daemon: Get "https://{REGISTRY}/v2/": Forbidden',
        "task/environment/proxy",
        "denied",
        {"path.proxy": "path.proxy path.egress-firewall"},
    ),
    Sample(
        "push: the end of uploads",
        "57f2: Retrying in 1 second\n05e9: Retrying in 1 second\nEOF",
        "ecr.dkr/request",
        "reset",
        {"registry.upload-cut": "registry.repo-not-found iam.execution-role"},
        pull="unproven",
    ),
    Sample(
        "push: the CDK, the end of an upload",
        f"fail: docker push {REGISTRY}/cdk-assets:7 exited with error code 1: EOF",
        "ecr.dkr/request",
        "reset",
        {"registry.upload-cut": "registry.repo-not-found iam.execution-role"},
        pull="unproven",
    ),
    _task(
        "a job that waits for its image",
        f'prepare environment: image pull failed: Back-off pulling image "{REGISTRY}/cart:7"',
        "start/cut-short",
        "malformed",
        {"text.cut-short": "registry.tag-not-found iam.execution-role tcp.no-route"},
        pull="unproven",
    ),
    Sample(
        "Lambda cannot decrypt the image",
        "KMSAccessDeniedException: Lambda can't decrypt the container image because KMS access is denied.",
        "ecr.dkr/blob",
        "denied",
        {"registry.kms-key": "=kms.key"},
    ),
    Sample(
        "Nomad, one word",
        f"Driver Failure: Failed to pull `{REGISTRY}/cart:7`: unauthorized",
        "ecr.dkr/manifest",
        "unauthenticated",
        {"registry.token-rejected": "client.no-credential-provider registry.auth-token-expired"},
    ),
    Sample(
        "push: a repository whose name was removed",
        f"failed to push {REGISTRY}/cart:7: unknown: The repository ... does not exist",
        "ecr.dkr/request",
        "not-found",
        {"registry.repo-not-found": "=registry.repo-not-found"},
        pull="unproven",
    ),
    Sample(
        "push: the end of an upload, with the lines' numbers",
        f"723 | The push refers to repository [{REGISTRY}/cart]\n1070 | 94a6: Retrying in 1 second\n1071 | EOF",
        "ecr.dkr/request",
        "reset",
        {"registry.upload-cut": "registry.repo-not-found iam.execution-role"},
        pull="unproven",
    ),
    Sample(
        "push: a manifest of a build cache",
        f'failed to push {REGISTRY}/cart:c: failed commit on ref "sha256:{"4b" * 32}": unexpected status: 400 Bad '
        "Request",
        "task/environment/manifest-refused",
        "malformed",
        {"registry.manifest-refused": "other registry.not-an-image"},
        pull="unproven",
    ),
    Sample(
        "regclient, no login",
        f'Failed to generate auth err="No credentials available for basic auth" host={REGISTRY}',
        "ecr.dkr/challenge",
        "no-credentials",
        {"registry.no-token": "client.no-credential-provider"},
    ),
    Sample(
        "Docker Hub's answer in two lines",
        "CannotPullImageManifestError: Error response from daemon: errors:\n"
        "denied: requested access to the resource is denied\nunauthorized: authentication required",
        "registry/manifest",
        "denied",
        {"registry.elsewhere": "registry.bad-image-reference registry.repo-not-found"},
    ),
    Sample(
        "Docker until 17.09: no access",
        f"ERROR: repository {REGISTRY}/shop/cart not found: does not exist or no pull access (docker-compose pull)",
        "ecr.dkr/manifest",
        "not-found",
        {"registry.repo-not-found": "iam.execution-role registry.repo-not-found client.no-credential-provider"},
    ),
    Sample(
        "Tekton, a bare 401",
        f"failed to create task run pod: GET {_MANIFEST}: unsupported status code 401",
        "ecr.dkr/manifest",
        "unauthenticated",
        {"registry.token-rejected": "client.no-credential-provider registry.auth-token-expired"},
    ),
    Sample(
        "a status without a host",
        "Error response from daemon: received unexpected HTTP status: 502 Bad Gateway",
        "ecr.dkr/manifest",
        "server-error",
        {"aws.service-error": "aws.service-error path.egress-firewall"},
        "inconclusive",
        "unproven",
    ),
    Sample(
        "containerd, no platform of an image of ECR Public",
        "public.ecr.aws/shop/cart:7: resolved unpacking linux/arm64 ctr: no match for platform in manifest "
        f"sha256:{'4b' * 32}: not found",
        "registry/manifest",
        "no-platform",
        {"registry.elsewhere": "=registry.no-matching-platform"},
    ),
    Sample(
        "a mistyped region of another service",
        "Post https://ecs.eu-nort-1.amazonaws.com/: dial tcp: lookup ecs.eu-nort-1.amazonaws.com on 8.8.8.8:53: no "
        "such host",
        "ecs/dns/8.8.8.8",
        "nxdomain",
        {"dns.name-missing": "client.misconfigured registry.bad-image-reference"},
        pull="unproven",
    ),
    Sample(
        "ecs-init cannot download the agent",
        "[ERROR] could not download Amazon EC2 Container Service Agent: Get "
        "https://s3.amazonaws.com/amazon-ecs-agent/ecs-agent-v1.14.0.tar.md5: dial tcp 52.216.16.51:443: i/o timeout",
        "s3/tcp/52.216.16.51",
        "timeout",
        {"s3.silent": "endpoint.missing.s3 s3.route-table-not-associated"},
        address_class="public",
    ),
    Sample(
        "Go's timeout before an address is known",
        "Error connecting to TCS: dial tcp: i/o timeout",
        "ecs-telemetry/tcp",
        "timeout",
        {"path.no-answer": "ecs.control-plane-endpoints-missing dns.resolver-unreachable tcp.no-route"},
        pull="unproven",
    ),
)

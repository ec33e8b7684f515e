"""Samples of what clients, hosts and services write where no request failed, or where the reason is missing."""

from __future__ import annotations

from tests.explain.sample import Sample

REGISTRY = "123456789012.dkr.ecr.eu-north-1.amazonaws.com"
IMAGE = f"{REGISTRY}/shop/cart:7"
DIGEST = f"sha256:{'4b' * 32}"
PULL = "CannotPullContainerError: ref pull has been retried 1 time(s): "
RESOLVE = f"CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref {IMAGE}: "
AUTH = "ResourceInitializationError: unable to pull secrets or registry auth: "
V2 = f"https://{REGISTRY}/v2/shop/cart"

# ---- the reason is missing, or unknown
WITHOUT_REASON = (
    Sample(
        "headline only, registry login from a secret",
        f"{AUTH}unable to get registry auth from asm: ...",
        "secretsmanager/start/cut-short",
        "malformed",
        {"text.cut-short": "endpoint.missing.secretsmanager tcp.no-route tcp.security-group iam.execution-role"},
        "inconclusive",
        "unproven",
    ),
    Sample(
        "headline only, parameters, two ellipses",
        f"{AUTH}execution resource retrieval failed: unable to retrieve secrets from ssm: ... ...",
        "ssm/start/cut-short",
        "malformed",
        {"text.cut-short": "endpoint.missing.ssm tcp.no-route"},
        "inconclusive",
        "unproven",
    ),
    Sample(
        "headline only, log stream",
        "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 "
        "times: failed to "
        "create Cloudwatch log stream: ...",
        "logs/start/cut-short",
        "malformed",
        {"text.cut-short": "logs.endpoint-missing logs.group-missing iam.execution-role"},
        "inconclusive",
        "unproven",
    ),
    Sample(
        "headline only, manifest",
        f"{RESOLVE}...",
        "ecr.dkr/start/cut-short",
        "malformed",
        {"text.cut-short": "endpoint.missing.ecr-dkr tcp.no-route registry.tag-not-found"},
        "inconclusive",
        "unproven",
    ),
    Sample(
        "headline only, layer",
        f"{PULL}failed to copy: httpReadSeeker: failed open: …",
        "s3/start/cut-short",
        "malformed",
        {"text.cut-short": "endpoint.missing.s3 s3.route-table-not-associated tcp.security-group-s3-egress"},
        "inconclusive",
        "unproven",
    ),
    Sample(
        "headline only, status of the registry's answer",
        f"{PULL}failed to copy: httpReadSeeker: failed open: unexpected status code {V2}/manifests/sha256:4b...",
        "ecr.dkr/start/cut-answer",
        "malformed",
        {"text.cut-short": "iam.execution-role registry.tag-not-found policy.vpce.ecr"},
        "inconclusive",
        "unproven",
    ),
    Sample(
        "headline only, status of Docker Hub's answer",
        f"{PULL}failed to copy: httpReadSeeker: failed open: unexpected status code "
        "https://registry-1.docker.io/v2/shop/cart/manifests/sha256:4b: 4...",
        "registry/manifest",
        "malformed",
        {"registry.elsewhere": "throttle registry.tag-not-found"},
    ),
    Sample(
        "unknown reason for a manifest",
        f"{RESOLVE}the flux of the capacitor is 9",
        "ecr.dkr/start/unknown-reason",
        "malformed",
        {"text.unclassified": "other"},
        "inconclusive",
        "unproven",
    ),
    Sample(
        "unknown reason behind the words of a request that was not answered",
        f'{RESOLVE}failed to do request: Head "{V2}/manifests/7": the flux of the capacitor is 9',
        "ecr.dkr/start/unknown-reason",
        "malformed",
        {"text.unclassified": "other"},
        "inconclusive",
        "unproven",
    ),
)
# ---- settings, versions and limits of clients
CLIENTS = (
    Sample(
        "address without a scheme",
        "CannotPullECRContainerError: operation error ECR: GetAuthorizationToken, https response error StatusCode: 0, "
        'RequestID: , request send failed, Post "ecr.internal.example/": unsupported protocol scheme ""',
        "task/environment/client-settings",
        "malformed",
        {"client.not-sent": "client.misconfigured client.old-agent"},
        "inconclusive",
        "unproven",
    ),
    Sample(
        "FIPS and an endpoint address",
        "CannotPullECRContainerError: operation error ECR: GetAuthorizationToken, failed to resolve service endpoint, "
        "endpoint rule error, Invalid Configuration: FIPS and custom endpoint are not supported",
        "task/environment/client-settings",
        "malformed",
        {"client.not-sent": "client.misconfigured client.fips-hostname client.old-agent"},
        "inconclusive",
        "unproven",
    ),
    Sample(
        "no region for the client",
        "operation error ECR: GetAuthorizationToken, resolve auth scheme: resolve endpoint: endpoint rule "
        "error, Invalid "
        "Configuration: Missing Region",
        "task/environment/client-settings",
        "malformed",
        {"client.not-sent": "client.misconfigured"},
        "inconclusive",
        "unproven",
    ),
    Sample(
        "agent that does not know the dual-stack host",
        "CannotPullECRContainerError: ecr auth: AuthorizationData is malformed for "
        "123456789012.dkr-ecr.eu-north-1.on.aws/shop/cart:7",
        "task/environment/client-version",
        "malformed",
        {"client.answer-not-understood": "client.old-agent client.unrecognised-ecr-host"},
    ),
    Sample(
        "limit of the kubelet",
        f'Failed to pull image "{IMAGE}": pull QPS exceeded',
        "task/start/pull-limit",
        "throttled",
        {"client.pull-limited": "=client.pull-limit"},
        "inconclusive",
        "unproven",
    ),
    Sample(
        "credential helper not installed",
        f'Failed to find docker auth for repo "{REGISTRY}/shop/cart": exec: "docker-credential-ecr-login": executable '
        "file not found in $PATH",
        "task/environment/helper-missing",
        "not-found",
        {"credentials.no-helper": "=client.no-credential-provider"},
    ),
    Sample(
        "credential helper found nothing",
        "error getting credentials - err: exit status 1, out: `credentials not found in native keychain`",
        "task/environment/helper-failed",
        "no-credentials",
        {"credentials.helper-failed": "iam.no-credentials iam.execution-role endpoint.missing.ecr-api"},
    ),
    Sample(
        "credential provider of the kubelet did not end",
        "Failed getting credential from external registry credential provider: error execing credential "
        "provider plugin "
        f"ecr-credential-provider for image {REGISTRY}/shop/cart: context deadline exceeded",
        "task/environment/helper-failed",
        "timeout",
        {"credentials.helper-failed": "iam.no-credentials endpoint.missing.ecr-api"},
    ),
    Sample(
        "sandbox image of the kubelet, no login",
        'kuberuntime_sandbox.go:72] "Failed to create sandbox for pod" err="rpc error: code = Unknown desc = failed to '
        f'get sandbox image \\"{IMAGE}\\": failed to pull image \\"{IMAGE}\\": failed to resolve reference '
        f'\\"{IMAGE}\\": pull access denied, repository does not exist or may require authorization: authorization '
        'failed: no basic auth credentials"',
        "ecr.dkr/challenge",
        "no-credentials",
        {"registry.no-token": "client.no-credential-provider iam.execution-role endpoint.missing.ecr-api"},
    ),
    Sample(
        "runner of GitLab, no login",
        f"ERROR: Preparation failed: Error response from daemon: Get {V2}/manifests/7: no basic auth credentials",
        "ecr.dkr/challenge",
        "no-credentials",
        {"registry.no-token": "client.no-credential-provider client.unrecognised-ecr-host iam.execution-role"},
    ),
    Sample(
        "podman, no login",
        f"Error: initializing source docker://{IMAGE}: reading manifest 7 in {REGISTRY}/shop/cart: unauthorized: "
        "authentication required",
        "ecr.dkr/challenge",
        "no-credentials",
        {"registry.no-token": "client.no-credential-provider client.unrecognised-ecr-host iam.execution-role"},
    ),
    Sample(
        "instance metadata silent in a container",
        "failed to refresh cached credentials, no EC2 IMDS role found, operation error ec2imds: GetMetadata, request "
        "canceled, context deadline exceeded",
        "task/credentials",
        "no-answer",
        {"credentials.unavailable": "client.imds-hop-limit iam.no-credentials path.proxy"},
        "inconclusive",
        "unproven",
    ),
    Sample(
        "instance without a role",
        "no EC2 IMDS role found, operation error ec2imds: GetMetadata, http response error StatusCode: 404, request to "
        "EC2 IMDS failed",
        "task/credentials",
        "no-credentials",
        {"credentials.missing": "iam.no-credentials"},
        "inconclusive",
        "unproven",
    ),
)
# ---- the host on which the task is started
HOSTS = (
    Sample(
        "disk of a Windows host full",
        "CannotPullContainerError: failed to register layer: re-exec error: exit status 1: output: write "
        "C:\\ProgramData\\layer: There is not enough space on the disk.",
        "task/start/disk",
        "too-large",
        {"task.disk-full": "=node.disk-full"},
        pull="unproven",
    ),
    Sample(
        "layer not unpacked: owner",
        f'{PULL}failed to extract layer {DIGEST}: failed to Lchown "/x" for UID 9, GID 9: lchown /x: invalid argument',
        "task/start/unpack",
        "malformed",
        {"task.unpack": "node.unpack registry.layer-corrupt node.disk-full"},
        pull="unproven",
    ),
    Sample(
        "layer not unpacked: Windows version",
        "failed to register layer: re-exec error: exit status 1: output: hcsshim::ImportLayer failed in "
        "Win32: The system "
        "cannot find the path specified. (0x3)",
        "task/start/unpack",
        "malformed",
        {"task.unpack": "node.unpack registry.no-matching-platform node.disk-full"},
        pull="unproven",
    ),
    Sample(
        "container runtime down",
        "CannotPullContainerError: Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker "
        "daemon running?",
        "task/start/runtime",
        "no-answer",
        {"task.runtime-down": "node.slow-runtime"},
        pull="unproven",
    ),
    Sample(
        "network plugin failed",
        "CannotStartContainerError: netplugin failed with no error message: signal 9",
        "task/start/network-setup",
        "no-answer",
        {"task.network-setup": "other node.slow-runtime"},
        pull="unproven",
    ),
    Sample(
        "image not pulled in time",
        "DockerTimeoutError: Could not transition to pulled; timed out after waiting 2h0m0s",
        "task/start/slow-pull",
        "timeout",
        {"task.slow-pull": "path.transfer-broken node.slow-runtime endpoint.missing.s3"},
    ),
    Sample(
        "container not created in time",
        "DockerTimeoutError: Could not transition to created; timed out after waiting 4m0s",
        "task/start/slow-create",
        "timeout",
        {"task.start-timeout": "node.slow-runtime node.disk-full"},
        pull="unproven",
    ),
    Sample(
        "container not stopped in time",
        "DockerTimeoutError: Could not transition to stopped; timed out after waiting 30s",
        "task/start/slow-stop",
        "timeout",
        {"task.start-timeout": "node.slow-runtime"},
        "inconclusive",
        "unproven",
    ),
    Sample(
        "pull without progress",
        f"cancel pulling image {IMAGE} because of no progress in 5m0s",
        "s3/layer",
        "stalled",
        {"path.transfer-broken": "path.transfer-broken"},
    ),
    Sample(
        "copy of a layer cancelled",
        "CannotPullContainerError: failed to copy: context canceled",
        "s3/layer",
        "stalled",
        {"path.transfer-broken": "path.transfer-broken path.mtu"},
    ),
)
# ---- images, ECS and endpoints
SERVICES = (
    Sample(
        "image in the old format",
        f'{RESOLVE}not implemented: media type "application/vnd.docker.distribution.manifest.v1+prettyjws" is '
        f"no longer "
        "supported since containerd v2.0, please rebuild the image",
        "task/start/media-type",
        "malformed",
        {"registry.unreadable-image": "registry.not-an-image"},
    ),
    Sample(
        "image in the old format, asked for by tag and digest",
        f"[CannotPullContainerError] image verification failed for digest {DIGEST}",
        "task/start/media-type",
        "malformed",
        {"registry.unreadable-image": "client.old-agent registry.not-an-image registry.layer-corrupt"},
    ),
    Sample(
        "pinned digest gone: containerd asked for it as a blob",
        f"CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref "
        f"{REGISTRY}/cart"
        f"@{DIGEST}: unexpected status from HEAD request to https://{REGISTRY}/v2/cart/blobs/{DIGEST}: 403 Forbidden",
        "ecr.dkr/manifest",
        "not-found",
        {"registry.tag-not-found": "registry.tag-not-found"},
    ),
    Sample(
        "no image for the platform, no host",
        "no matching manifest for linux/arm64/v8 in the manifest list entries",
        "ecr.dkr/manifest",
        "no-platform",
        {"registry.no-matching-platform": "=registry.no-matching-platform"},
    ),
    Sample(
        "uppercase image name",
        'failed to parse image "MyApp": invalid character',
        "task/environment/reference",
        "malformed",
        {"registry.bad-reference": "=registry.bad-image-reference"},
    ),
    Sample(
        "Lambda may not pull",
        "Lambda does not have permission to access the ECR image. Check the ECR permissions. (Service: Lambda, Status "
        "Code: 403)",
        "task/start/service-pull",
        "denied",
        {"service.image-denied": "iam.repository-policy registry.repo-not-found"},
    ),
    Sample(
        "role not assumed",
        "ECS was unable to assume the role 'arn:aws:iam::123456789012:role/shop' that was provided for this "
        "task. Please "
        "verify that the role being passed has the proper trust relationship and permissions.",
        "task/start/role",
        "denied",
        {"iam.role-not-assumed": "iam.trust-policy"},
        pull="unproven",
    ),
    Sample(
        "deployment reports no reason",
        "(service shop-web) is unable to consistently start tasks successfully. For more information, see the "
        "Troubleshooting section.",
        "task/start/no-reason",
        "malformed",
        {"text.no-reason": "other"},
        "inconclusive",
        "unproven",
    ),
    Sample(
        "endpoint service of another partition",
        "The Vpc Endpoint Service 'com.amazonaws.eu-north-1.ecr.docker' does not exist (Service: AmazonEC2; "
        "Status Code: "
        "400; Error Code: InvalidServiceName)",
        "task/environment/endpoint-service",
        "not-found",
        {"endpoint.unknown-service": "=endpoint.service-name"},
        "inconclusive",
        "unproven",
    ),
    Sample(
        "bucket of the account",
        "User: arn:aws:sts::123456789012:assumed-role/shop/0 is not authorized to perform: s3:PutObject on resource: "
        '"arn:aws:s3:::shop-uploads/k" because no identity-based policy allows the s3:PutObject action',
        "s3/request",
        "denied",
        {"iam.denied": "iam.execution-role"},
        pull="unproven",
    ),
    Sample(
        "headline and an address of S3",
        "CannotPullContainerError: dial tcp 52.218.1.2:443: i/o timeout",
        "s3/tcp/52.218.1.2",
        "timeout",
        {"s3.silent": "endpoint.missing.s3 s3.route-table-not-associated"},
        address_class="public",
    ),
    Sample(
        "connection to the registry lost",
        f'CannotPullContainerError: Get "{V2}/manifests/7": http2: client connection lost',
        "ecr.dkr/manifest",
        "truncated",
        {"path.transfer-broken": "path.transfer-broken"},
    ),
    Sample(
        "clock years behind",
        f'Get "https://{REGISTRY}/v2/": tls: failed to verify certificate: x509: certificate has expired or is not yet '
        "valid: current time 2015-01-01T00:00:00Z is before 2026-01-01T00:00:00Z",
        "ecr.dkr/tls",
        "expired",
        {"tls.certificate-expired": "clock.skew tls.certificate-expired"},
    ),
)
# ---- what an answer or a host name says besides its failure
WORDS = (
    Sample(
        "KMS key of the repository",
        f"{PULL}failed to copy: httpReadSeeker: failed open: unexpected status code {V2}/blobs/{DIGEST}: 400 "
        f"Bad Request - "
        "Server message: KmsException: the key is disabled",
        "ecr.dkr/blob",
        "malformed",
        {"registry.kms-key": "=kms.key"},
    ),
    Sample(
        "upstream registry refuses the cache",
        "denied: The authentication to the upstream registry failed. Verify that the credentials in AWS "
        "Secrets Manager "
        "are valid.",
        "ecr.dkr/manifest",
        "denied",
        {"registry.upstream-refused": "=registry.upstream-refused"},
    ),
    Sample(
        "API host of China without its ending",
        'Post "https://api.ecr.cn-northwest-1.amazonaws.com/": dial tcp: lookup '
        "api.ecr.cn-northwest-1.amazonaws.com on "
        "10.0.0.2:53: no such host",
        "ecr.api/dns/10.0.0.2",
        "nxdomain",
        {"dns.name-missing": "client.misconfigured registry.bad-image-reference"},
    ),
    Sample(
        "account id with 11 digits",
        "failed to do request: Head https://12345678901.dkr.ecr.eu-north-1.amazonaws.com/v2/x/manifests/1: "
        "dial tcp: lookup "
        "12345678901.dkr.ecr.eu-north-1.amazonaws.com on 10.0.0.2:53: no such host",
        "ecr.dkr/dns/10.0.0.2",
        "nxdomain",
        {"dns.name-missing": "registry.bad-image-reference"},
    ),
    Sample(
        "certificate of a company's proxy",
        f'Get "https://{REGISTRY}/v2/": x509: certificate is valid for proxy.corp.example, not {REGISTRY}',
        "ecr.dkr/tls",
        "wrong-name",
        {"tls.unverified": "tls.interception dns.hosted-zone-conflict path.proxy"},
    ),
    Sample(
        "headline and a public address that may be any service's",
        "CannotPullContainerError: dial tcp 16.12.1.2:443: i/o timeout",
        "unnamed-host/tcp/16.12.1.2",
        "timeout",
        {"path.no-answer": "tcp.no-route tcp.security-group"},
        "inconclusive",
        "unproven",
    ),
)
CLIENT_SAMPLES = (*WITHOUT_REASON, *CLIENTS, *HOSTS, *SERVICES, *WORDS)

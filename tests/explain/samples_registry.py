"""Samples of what registries answer, ECR's and others: to pushes, on certificates, and without a host in the text."""

from __future__ import annotations

from tests.explain.sample import Sample

REGISTRY = "123456789012.dkr.ecr.eu-north-1.amazonaws.com"
V2 = f"https://{REGISTRY}/v2/shop/cart"
DIGEST = f"sha256:{'7c' * 32}"
HUB = 'Error response from daemon: Head "https://registry-1.docker.io/v2/shop/cart/manifests/7": '
BLOB_OF_HUB = (
    'error pulling image configuration: Get "https://production.cloudflare.docker.com/registry-v2/docker/registry/v2/'
    'blobs/sha256/4b/4b7c/data?verify=1": '
)
_OUT_OF_DATE = "x509: certificate has expired or is not yet valid"

PUSHES = (
    Sample(
        "push: too many layers, in JSON",
        'pushing manifest: code: 405, details: "{\\"errors\\":[{\\"code\\":\\"UNSUPPORTED\\",\\"message\\":\\"Invalid '
        "parameter at 'ImageManifest' failed to satisfy constraint: 'Limit on number of layers per image exceeded'"
        '\\"}]}"',
        "task/environment/quota",
        "too-large",
        {"registry.quota": "=registry.quota"},
        pull="unproven",
    ),
    Sample(
        "push: repository full",
        f"denied: The repository with name 'shop/cart' in registry with id '123456789012' already has the maximum "
        f"allowed number of images which is '10000' (pushing {REGISTRY}/shop/cart:7)",
        "task/environment/quota",
        "too-large",
        {"registry.quota": "=registry.quota"},
        pull="unproven",
    ),
    Sample(
        "push: repository of ECR Public full",
        "failed to push public.ecr.aws/a1b2c3d4/cart:7: denied: The repository with name 'cart' in registry with id "
        "'a1b2c3d4' already has the maximum allowed number of images which is '10000'",
        "task/environment/quota",
        "too-large",
        {"registry.quota": "=registry.quota"},
        pull="unproven",
    ),
    Sample(
        "push: manifest with a field that the registry does not know",
        f"PUT {V2}/manifests/sha256-4b.sbom: UNSUPPORTED: Invalid parameter at 'ImageManifest' failed to satisfy "
        "constraint: 'Invalid JSON syntax'",
        "task/environment/manifest-refused",
        "malformed",
        {"registry.manifest-refused": "other registry.not-an-image registry.foreign-layers"},
        pull="unproven",
    ),
    Sample(
        "push: manifest type, no host",
        'unsupported: Unsupported manifest type: "application/vnd.docker.distribution.manifest.v2+json"',
        "task/environment/manifest-refused",
        "malformed",
        {"registry.manifest-refused": "other registry.not-an-image registry.foreign-layers"},
        pull="unproven",
    ),
    Sample(
        "push: build cache",
        f'error writing manifest blob: failed commit on ref "{DIGEST}": unexpected status from PUT request to '
        f"{V2}/manifests/cache: 400 Bad Request",
        "task/environment/manifest-refused",
        "malformed",
        {"registry.manifest-refused": "other registry.not-an-image"},
        pull="unproven",
    ),
    Sample(
        "push: method not allowed",
        f"oras push manifest failed: unexpected status from PUT request to {V2}/manifests/7: 405 Method Not Allowed",
        "task/environment/manifest-refused",
        "malformed",
        {"registry.manifest-refused": "other registry.not-an-image"},
        pull="unproven",
    ),
    Sample(
        "push: a layer is not there",
        f"An error occurred (LayersNotFoundException) when calling the PutImage operation: Layers with digests "
        f"'[{DIGEST}]' required for pushing image into repository with name 'shop/cart' in the registry with id "
        "'123456789012' do not exist",
        "task/environment/content-missing",
        "not-found",
        {"registry.content-missing": "registry.layer-corrupt path.transfer-broken"},
        pull="unproven",
    ),
    Sample(
        "push: upload without an answer, host masked",
        'error: failed to do request: Post "https://***/v2/shop/cart/blobs/uploads/": EOF',
        "ecr.dkr/request",
        "reset",
        {"registry.upload-cut": "registry.repo-not-found iam.execution-role path.transfer-broken"},
        pull="unproven",
    ),
    Sample(
        "push: upload without an answer after retries",
        f"The push refers to repository [{REGISTRY}/shop/cart] 4b7c4b7c4b7c: Retrying in 1 second EOF",
        "ecr.dkr/request",
        "reset",
        {"registry.upload-cut": "registry.repo-not-found iam.execution-role"},
        pull="unproven",
    ),
    Sample(
        "push: name of the repository is no name",
        "An error occurred (InvalidParameterException) when calling the PutImage operation: Invalid parameter at "
        "'repositoryName' failed to satisfy constraint: 'must satisfy regular expression '(?:[a-z0-9]+)''",
        "task/environment/reference",
        "malformed",
        {"registry.bad-reference": "=registry.bad-image-reference"},
        pull="unproven",
    ),
)
ANSWERS = (
    Sample(
        "expired login, no host",
        "ERROR: denied: Your Authorization Token has expired. Please run 'aws ecr get-login' to fetch a new one.",
        "ecr.dkr/manifest",
        "unauthenticated",
        {"registry.token-rejected": "registry.auth-token-expired"},
    ),
    Sample(
        "expired login in a push, not understood by the client",
        "Unable to push 'cart': error parsing HTTP 403 response body: invalid character 'Y' looking for beginning of "
        'value: "Your authorization token has expired. Reauthenticate and try again."',
        "ecr.dkr/request",
        "unauthenticated",
        {"registry.token-rejected": "registry.auth-token-expired"},
        pull="unproven",
    ),
    Sample(
        "rate of the registry, no host",
        "toomanyrequests: Rate exceeded",
        "ecr.dkr/manifest",
        "throttled",
        {"aws.throttled": "=throttle"},
        "inconclusive",
        "unproven",
    ),
    Sample(
        "data limit of ECR Public",
        "Error response from daemon: pull of public.ecr.aws/a1b2c3d4/cart:7: toomanyrequests: Data limit exceeded",
        "registry/manifest",
        "throttled",
        {"registry.elsewhere": "=throttle"},
    ),
    Sample(
        "no platform before a push",
        "no matching manifest for linux/amd64 in the manifest list entries The push refers to repository "
        "[registry.example.com/shop/cart]",
        "ecr.dkr/manifest",
        "no-platform",
        {"registry.no-matching-platform": "=registry.no-matching-platform"},
        pull="unproven",
    ),
    Sample(
        "empty name of an image",
        'ERRO[0000] Failed to pull ctr image: failed to resolve reference "": hostname required  ref=',
        "task/environment/reference",
        "malformed",
        {"registry.bad-reference": "client.misconfigured registry.bad-image-reference"},
    ),
)
CERTIFICATES = (
    Sample(
        "Docker Hub: certificate not yet valid",
        f"{HUB}tls: failed to verify certificate: {_OUT_OF_DATE}: current time 2026-01-02T10:00:00Z is before "
        "2026-03-01T00:00:00Z",
        "registry/tls",
        "expired",
        {"registry.elsewhere": "clock.skew tls.certificate-expired"},
    ),
    Sample(
        "Docker Hub's content: root that has expired",
        f"{BLOB_OF_HUB}{_OUT_OF_DATE}: current time 2025-01-02T10:00:00Z is after 2021-09-30T14:01:15Z",
        "registry/tls",
        "expired",
        {"registry.elsewhere": "tls.ca-bundle tls.certificate-expired"},
    ),
    Sample(
        "quay.io: certificate out of date, no times",
        f'failed to pull image "quay.io/shop/cart:7": Get "https://quay.io/v2/": {_OUT_OF_DATE}',
        "registry/tls",
        "expired",
        {"registry.elsewhere": "tls.certificate-expired clock.skew tls.ca-bundle"},
    ),
    Sample(
        "ghcr.io: unknown authority",
        'failed to resolve reference "ghcr.io/shop/cart:7": failed to do request: Head '
        '"https://ghcr.io/v2/shop/cart/manifests/7": tls: failed to verify certificate: x509: certificate signed by '
        "unknown authority",
        "registry/tls",
        "untrusted",
        {"registry.elsewhere": "tls.interception tls.ca-bundle"},
    ),
    Sample(
        "gcr.io: certificate of another host",
        'failed to pull image "gcr.io/shop/cart:7": Get "https://gcr.io/v2/": x509: certificate is valid for '
        "portal.example.com, not gcr.io",
        "registry/tls",
        "wrong-name",
        {"registry.elsewhere": "tls.interception path.egress-firewall"},
    ),
    Sample(
        "Docker Hub: the resolver reports an error",
        f"{HUB}dial tcp: lookup registry-1.docker.io on 10.0.0.2:53: server misbehaving",
        "registry/dns/10.0.0.2",
        "servfail",
        {"registry.elsewhere": "dns.custom-resolver dns.resolver-unreachable"},
    ),
    Sample(
        "Docker Hub: server error",
        f"{HUB}received unexpected HTTP status: 503 Service Unavailable",
        "registry/manifest",
        "server-error",
        {"registry.elsewhere": "other path.proxy"},
    ),
    Sample(
        "Docker Hub: plain HTTP",
        f"{HUB}http: server gave HTTP response to HTTPS client",
        "registry/tls",
        "not-tls",
        {"registry.elsewhere": "path.proxy path.egress-firewall"},
    ),
    Sample(
        "Docker Hub: refused",
        f"{HUB}dial tcp 10.0.0.9:443: connect: connection refused",
        "registry/tcp/10.0.0.9",
        "refused",
        {"registry.elsewhere": "path.egress-firewall path.proxy"},
        address_class="private",
    ),
)
AROUND = (
    Sample(
        "web identity that the role does not admit",
        "Could not assume role with OIDC: Not authorized to perform sts:AssumeRoleWithWebIdentity",
        "task/start/role",
        "denied",
        {"iam.role-not-assumed": "iam.trust-policy iam.execution-role"},
        pull="unproven",
    ),
    Sample(
        "caller that may not assume the role",
        "An error occurred (AccessDenied) when calling the AssumeRole operation: User: "
        "arn:aws:iam::123456789012:user/ci is not authorized to perform: sts:AssumeRole on resource: "
        "arn:aws:iam::123456789012:role/push because no identity-based policy allows the sts:AssumeRole action",
        "task/start/role",
        "denied",
        {"iam.role-not-assumed": "iam.execution-role iam.trust-policy"},
        pull="unproven",
    ),
    Sample(
        "job without the permission for a token",
        "It looks like you might be trying to authenticate with OIDC. Did you mean to set the `id-token` permission? "
        "Error: Credentials could not be loaded",
        "task/credentials",
        "no-credentials",
        {"credentials.missing": "iam.no-credentials"},
        "inconclusive",
        "unproven",
    ),
    Sample(
        "session longer than the role allows",
        "Could not assume role with user credentials: The requested DurationSeconds exceeds the MaxSessionDuration set "
        "for this role.",
        "task/start/role",
        "malformed",
        {"iam.role-not-assumed": "client.misconfigured iam.trust-policy"},
        pull="unproven",
    ),
    Sample(
        "ECR's helper for Docker Hub",
        'docker-credential-ecr-login with input "shop/cart" failed with stderr: [ERROR] Error parsing the serverURL: '
        "https://index.docker.io/v1/, error: docker-credential-ecr-login can only be used with Amazon Elastic "
        "Container Registry.",
        "task/environment/host-unrecognised",
        "malformed",
        {"client.host-not-recognized": "client.misconfigured client.unrecognised-ecr-host"},
    ),
    Sample(
        "ECR's helper for a host of a newer form",
        "error getting credentials - err: exit status 1, out: `Error parsing the serverURL: "
        "123456789012.dkr-ecr.eu-north-1.on.aws, error: docker-credential-ecr-login can only be used with Amazon "
        "Elastic Container Registry.`",
        "task/environment/host-unrecognised",
        "malformed",
        {"client.host-not-recognized": "client.unrecognised-ecr-host client.misconfigured"},
    ),
    Sample(
        "locked keychain",
        "Error saving credentials: error storing credentials - err: exit status 1, out: `User interaction is not "
        "allowed. (-25308)`",
        "task/environment/login-store",
        "malformed",
        {"credentials.login-store": "client.misconfigured client.no-credential-provider"},
    ),
    Sample(
        "login with a helper that stores nothing",
        "Error saving credentials: error storing credentials - err: exit status 1, out: `not implemented`",
        "task/environment/login-store",
        "malformed",
        {"credentials.login-store": "client.misconfigured client.no-credential-provider"},
    ),
    Sample(
        "address of the proxy in quotation marks",
        "Error while pulling image: Get https://index.docker.io/v1/repositories/library/cart/images: http: error "
        "connecting to proxy http://%E2%80%9Dhttp://proxy.example:8080%E2%80%9D: dial tcp: lookup ”http: invalid "
        "domain name",
        "task/environment/proxy",
        "timeout",
        {"path.proxy": "=path.proxy"},
    ),
    Sample(
        "address of the proxy without a scheme",
        f"{V2}/manifests/7: Proxy URL had no scheme, should start with http:// or https://",
        "task/environment/proxy",
        "malformed",
        {"path.proxy": "=path.proxy"},
    ),
    Sample(
        "proxy of nginx: the resolver does not answer",
        f"[error] 68#68: *1 {REGISTRY} could not be resolved (110: Operation timed out), client: 10.0.1.9",
        "ecr.dkr/dns",
        "no-answer",
        {"dns.resolver-unreachable": "dns.resolver-unreachable dns.custom-resolver"},
    ),
    Sample(
        "SageMaker: repository without its service",
        f"The repository of your image {REGISTRY}/shop/cart:7 does not grant ecr:GetDownloadUrlForLayer, "
        "ecr:BatchGetImage, ecr:BatchCheckLayerAvailability permission to sagemaker.amazonaws.com service principal.",
        "task/start/service-pull",
        "denied",
        {"service.image-denied": "iam.repository-policy registry.repo-not-found"},
    ),
    Sample(
        "installation of an external instance without credentials",
        "[ERROR] Failed to setup Amazon ECS Anywhere on this instance. Exception: Error downloading file from S3: "
        "amazon-ecs-agent-eu-central-1/ECSAnywhereWindowsArtifacts.zip. Message: No credentials specified or obtained "
        "from persisted/shell defaults.",
        "task/credentials",
        "no-credentials",
        {"credentials.missing": "iam.no-credentials"},
        "inconclusive",
        "unproven",
    ),
)
_ALERT = (
    '{"firewall_name":"egress","event":{"event_type":"alert","src_ip":"10.0.1.9","dest_ip":"192.0.2.9","dest_port":443,'
    '"proto":"TCP","alert":{"action":"blocked","signature":"not on the list"},"tls":{"sni":"'
)
FILTERS = (
    Sample(
        "log of a firewall: API of ECR",
        f'{_ALERT}api.ecr.eu-north-1.amazonaws.com","version":"TLS 1.2"}},"app_proto":"tls"}}}}',
        "task/environment/firewall-log",
        "prohibited",
        {"path.firewall-log": "=path.egress-firewall"},
        "inconclusive",
        "unproven",
    ),
    Sample(
        "log of a firewall: Docker Hub, the name before the action",
        '{"event_type":"drop","tls":{"sni":"registry-1.docker.io"},"alert":{"action": "drop"}}',
        "task/environment/firewall-log",
        "prohibited",
        {"path.firewall-log": "=path.egress-firewall"},
        "inconclusive",
        "unproven",
    ),
    Sample(
        "query log of a DNS firewall",
        '{"version":"1.100000","query_name":"api.ecr.eu-north-1.amazonaws.com.","query_type":"A","rcode":"NXDOMAIN",'
        '"firewall_rule_action":"BLOCK","firewall_domain_list_id":"rslvr-fdl-1"}',
        "task/environment/dns-firewall-log",
        "prohibited",
        {"dns.firewall-log": "=dns.firewall"},
        "inconclusive",
        "unproven",
    ),
    Sample(
        "log of a proxy: CONNECT denied",
        f"1700000000.123 1 10.0.1.9 TCP_DENIED/403 3974 CONNECT {REGISTRY}:443 - HIER_NONE/- text/html",
        "task/environment/proxy",
        "denied",
        {"path.proxy": "=path.proxy"},
    ),
)
HOSTS = (
    Sample(
        "push: 401 without a login",
        f'checking push permission for "{REGISTRY}/shop/cart:7": POST {V2}/blobs/uploads/: unexpected status code 401 '
        "Unauthorized: Not Authorized",
        "ecr.dkr/request",
        "unauthenticated",
        {"registry.token-rejected": "client.no-credential-provider registry.auth-token-expired"},
        pull="unproven",
    ),
    Sample(
        "push: connection lost within a layer",
        f'The push refers to repository [{REGISTRY}/shop/cart] Patch "{V2}/blobs/uploads/1f2e3d": write tcp '
        "10.0.1.9:4411->10.0.0.9:443: write: broken pipe",
        "ecr.dkr/request",
        "truncated",
        {"path.transfer-broken": "path.transfer-broken"},
        pull="unproven",
    ),
    Sample(
        "push: upload without an answer, skopeo",
        f"writing blob: initiating layer upload to /v2/shop/cart/blobs/uploads/ in {REGISTRY}: EOF",
        "ecr.dkr/request",
        "reset",
        {"registry.upload-cut": "registry.repo-not-found iam.execution-role"},
        pull="unproven",
    ),
    Sample(
        "name that was joined from two registries",
        f'Failed to pull image "{REGISTRY}/210987654321.dkr.ecr.us-west-2.amazonaws.com/cart:7": manifest unknown',
        "ecr.dkr/manifest",
        "not-found",
        {"registry.tag-not-found": "registry.bad-image-reference registry.tag-not-found"},
    ),
    Sample(
        "rule of a cache without a secret",
        "operation error ECR: CreatePullThroughCacheRule, https response error StatusCode: 400, RequestID: 1-2-3, "
        "UnsupportedUpstreamRegistryException: The specified upstream registry requires authentication.",
        "task/environment/upstream-rule",
        "denied",
        {"registry.upstream-rule-refused": "registry.upstream-refused"},
        "inconclusive",
        "unproven",
    ),
)
REGISTRY_SAMPLES = (*FILTERS, *HOSTS, *AROUND, *PUSHES, *ANSWERS, *CERTIFICATES)

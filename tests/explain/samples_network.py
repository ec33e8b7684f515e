"""Samples of failures of DNS, connections, TLS and transfers; hosts, accounts and addresses are invented."""

from __future__ import annotations

from tests.explain.sample import Sample

REGISTRY = "210987654321.dkr.ecr.eu-north-1.amazonaws.com"
IMAGE = f"{REGISTRY}/shop/cart:2024-11"
LAYERS = "https://prod-eu-north-1-starport-layer-bucket.s3.eu-north-1.amazonaws.com/9c1f-210987654321-0b/77"
AUTH = "ResourceInitializationError: unable to pull secrets or registry auth: "
V2 = "operation error ECR: GetAuthorizationToken, exceeded maximum number of attempts, 3, https response error "
ISSUE = (
    "The task cannot pull registry auth from Amazon ECR: There is a connection issue between the task and Amazon ECR. "
    "Check your task network configuration. "
)
NO_WAY_OUT = "tcp.no-route tcp.security-group tcp.no-public-ip endpoint.missing.ecr-api dns.private-dns-disabled"
NO_ANSWER = "endpoint.missing.ecr-api tcp.no-route tcp.security-group"
S3 = "endpoint.missing.s3 s3.route-table-not-associated tcp.security-group-s3-egress"
NOT_THERE = "dns.hosted-zone-missing-record dns.firewall dns.hosted-zone-conflict dns.resolver-rule"
INSIDE = "tcp.security-group tcp.nacl"

CONNECTIONS = (
    Sample(
        "Fargate, public address of api.ecr",
        f"{AUTH}{ISSUE}{V2}StatusCode: 0, RequestID: , request send failed, Post "
        '"https://api.ecr.eu-north-1.amazonaws.com/": '
        "dial tcp 13.48.121.7:443: i/o timeout.",
        "ecr.api/tcp/13.48.121.7",
        "timeout",
        {"dns.public-answer": NO_WAY_OUT},
        address_class="public",
    ),
    Sample(
        "the same address inside --vpc-cidr",
        f"{AUTH}{V2}StatusCode: 0, RequestID: , request send failed, Post "
        '"https://api.ecr.eu-north-1.amazonaws.com/": dial '
        "tcp 13.48.121.7:443: i/o timeout",
        "ecr.api/tcp/13.48.121.7",
        "timeout",
        {"tcp.silent": INSIDE},
        address_class="vpc",
        vpc_cidrs=("13.48.0.0/16",),
    ),
    Sample(
        "public address of a registry in another region than the task",
        '"taskArn": "arn:aws:ecs:us-east-1:210987654321:task/main/0c1b2a39", "stoppedReason": '
        f'"CannotPullContainerError: failed to do request: Head https://{REGISTRY}/v2/shop/cart/manifests/1: '
        'dial tcp 13.48.121.7:443: i/o timeout"',
        "ecr.dkr/tcp/13.48.121.7",
        "timeout",
        {"dns.public-answer": "region.cross-region tcp.no-route tcp.security-group tcp.no-public-ip"},
        address_class="public",
    ),
    Sample(
        "Fargate, private address of api.ecr",
        f'{AUTH}{ISSUE}RequestError: send request failed\ncaused by: Post "https://api.ecr.eu-north-1.amazonaws.com/": '
        "dial tcp 10.31.4.19:443: i/o timeout",
        "ecr.api/tcp/10.31.4.19",
        "timeout",
        {"tcp.silent": f"{INSIDE} dns.stale-record tcp.no-route path.egress-firewall"},
        address_class="private",
    ),
    Sample(
        "address outside AWS's ranges",
        f"{AUTH}{V2}StatusCode: 0, RequestID: , request send failed, Post "
        '"https://api.ecr.eu-north-1.amazonaws.com/": dial '
        "tcp 172.44.9.200:443: i/o timeout",
        "ecr.api/tcp/172.44.9.200",
        "timeout",
        {"tcp.silent": INSIDE},
        address_class="vpc",
    ),
    Sample(
        "address in 100.64.0.0/10",
        f'Head "https://{REGISTRY}/v2/shop/cart/manifests/2024-11": dial tcp 100.64.12.3:443: connect: connection '
        "timed out",
        "ecr.dkr/tcp/100.64.12.3",
        "timeout",
        {"tcp.silent": INSIDE},
        address_class="vpc",
    ),
    Sample(
        "oldest wording, cut off before the host",
        f"{AUTH}execution resource retrieval failed: unable to retrieve ecr registry auth: service call has been "
        "retried "
        "4 time(s): RequestError: send request failed",
        "ecr.api/tcp",
        "timeout",
        {"path.no-answer": NO_ANSWER},
    ),
    Sample(
        "SDK 1 on an instance, waiting for a connection",
        "CannotPullECRContainerError: RequestError: send request failed\ncaused by: Post "
        "https://api.ecr.sa-east-1.amazonaws.com/: net/http: request canceled while waiting for connection "
        "(Client.Timeout exceeded while awaiting headers)",
        "ecr.api/tcp",
        "timeout",
        {"path.no-answer": NO_ANSWER},
    ),
    Sample(
        "killed while waiting",
        f"{AUTH}pull command failed: : signal: killed",
        "ecr.api/tcp",
        "timeout",
        {"path.no-answer": NO_ANSWER},
    ),
    Sample(
        "Docker, waiting for /v2/",
        f"CannotPullContainerError: API error (500): Get https://{REGISTRY}/v2/: net/http: request canceled while "
        "waiting "
        "for connection (Client.Timeout exceeded while awaiting headers)",
        "ecr.dkr/tcp",
        "timeout",
        {"path.no-answer": "tcp.no-route tcp.no-public-ip tcp.security-group endpoint.missing.ecr-dkr"},
    ),
    Sample(
        "containerd, manifest at a public address",
        f"CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref {IMAGE}: "
        "failed "
        f'to do request: Head "https://{REGISTRY}/v2/shop/cart/manifests/2024-11": dial tcp 16.171.20.8:443: i/o '
        "timeout",
        "ecr.dkr/tcp/16.171.20.8",
        "timeout",
        {"dns.public-answer": "tcp.no-route tcp.security-group tcp.no-public-ip endpoint.missing.ecr-dkr"},
        address_class="public",
    ),
    Sample(
        "layer with its URL",
        "CannotPullContainerError: ref pull has been retried 5 time(s): failed to copy: httpReadSeeker: failed open: "
        "failed "
        f'to do request: Get "{LAYERS}?X-Amz-Security-Token=IQoJb3JpZ2lu": dial tcp 3.5.216.14:443: i/o timeout',
        "s3/tcp/3.5.216.14",
        "timeout",
        {"s3.silent": S3},
        address_class="public",
    ),
    Sample(
        "layer under a headline that names the registry",
        f"CannotPullContainerError: The task cannot pull {IMAGE} from the registry {IMAGE}. There is a connection "
        "issue "
        "between the task and the registry. Check your task network configuration. : failed to copy: httpReadSeeker: "
        "failed "
        f"open: failed to do request: Get {IMAGE}: dial tcp 52.219.171.90:443: i/o timeout",
        "s3/tcp/52.219.171.90",
        "timeout",
        {"s3.silent": S3},
        address_class="public",
    ),
    Sample(
        "layer, cut off after its host",
        "CannotPullContainerError: ref pull has been retried 5 time(s): failed to copy: httpReadSeeker: failed open: "
        "failed "
        f'to do request: Get "{LAYERS}…',
        "s3/tcp",
        "timeout",
        {"path.no-answer": S3},
    ),
    Sample(
        "Docker's layer error between two other reasons",
        "STOPPED (CannotPullContainerError: context canceled) | Status reason CannotPullContainerError: error pulling "
        "image "
        f"configuration: Get {LAYERS}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=0f0f: net/http: request "
        "canceled",
        "s3/tcp",
        "timeout",
        {"path.no-answer": S3},
    ),
    Sample(
        "S3 interface endpoint, blocked by its security group",
        f'failed to copy: httpReadSeeker: failed open: failed to do request: Get "{LAYERS}": dial tcp 10.31.8.4:443: '
        "i/o "
        "timeout",
        "s3/tcp/10.31.8.4",
        "timeout",
        {"tcp.silent": INSIDE},
        address_class="private",
    ),
    Sample(
        "connection refused, which AWS never does",
        f'failed to do request: Head "https://{REGISTRY}/v2/shop/cart/manifests/2024-11": dial tcp 10.31.4.20:443: '
        "connect: "
        "connection refused",
        "ecr.dkr/tcp/10.31.4.20",
        "refused",
        {"tcp.refused": "path.egress-firewall dns.hosted-zone-conflict"},
        address_class="private",
    ),
    Sample(
        "no route",
        f'failed to do request: Head "https://{REGISTRY}/v2/shop/cart/manifests/2024-11": dial tcp '
        "[2a05:d016:1d9:a302::9]:443: connect: network is unreachable",
        "ecr.dkr/tcp/2a05:d016:1d9:a302::9",
        "unreachable",
        {"tcp.no-route": "tcp.no-route"},
        address_class="unknown",
    ),
    Sample(
        "connection refused, address masked",
        'Post "https://api.ecr.eu-north-1.amazonaws.com/": dial tcp xx.xx.xx.xx:443: connect: connection refused',
        "ecr.api/tcp",
        "refused",
        {"tcp.refused": "path.egress-firewall"},
    ),
    Sample(
        "no route, address missing",
        'Post "https://api.ecr.eu-north-1.amazonaws.com/": connect: network is unreachable',
        "ecr.api/tcp",
        "unreachable",
        {"tcp.no-route": "tcp.no-route"},
    ),
    Sample(
        "Python SDK timeout",
        "botocore.exceptions.ConnectTimeoutError: Connect timeout on endpoint URL: "
        '"https://api.ecr.eu-north-1.amazonaws.com/"',
        "ecr.api/tcp",
        "timeout",
        {"path.no-answer": NO_ANSWER},
    ),
    Sample(
        "Java SDK timeout",
        "com.amazonaws.SdkClientException: Unable to execute HTTP request: Connect to "
        "api.ecr.eu-north-1.amazonaws.com:443 "
        "[api.ecr.eu-north-1.amazonaws.com/10.31.4.19] failed: connect timed out",
        "ecr.api/tcp/10.31.4.19",
        "timeout",
        {"tcp.silent": INSIDE},
        address_class="private",
    ),
    Sample(
        "curl timeout",
        f"curl: (28) Failed to connect to {REGISTRY} port 443 after 130912 ms: Connection timed out",
        "ecr.dkr/tcp",
        "timeout",
        {"path.no-answer": "endpoint.missing.ecr-dkr tcp.no-route tcp.security-group"},
    ),
    Sample(
        "Node timeout",
        "Error: connect ETIMEDOUT 10.31.4.19:443 at https://api.ecr.eu-north-1.amazonaws.com/",
        "ecr.api/tcp/10.31.4.19",
        "timeout",
        {"tcp.silent": INSIDE},
        address_class="private",
    ),
    Sample(
        "legacy host of the API",
        "Post https://ecr.ap-south-1.amazonaws.com/: net/http: request canceled while waiting for connection",
        "ecr-legacy/tcp",
        "timeout",
        {"path.no-answer": "client.legacy-hostname"},
    ),
    Sample(
        "FIPS host of the API",
        'Post "https://api.ecr-fips.us-east-2.amazonaws.com/": context deadline exceeded',
        "ecr.api/tcp",
        "timeout",
        {"path.no-answer": "client.fips-hostname endpoint.missing.ecr-api"},
    ),
    Sample(
        "parameter, Systems Manager unreachable",
        f"{AUTH}execution resource retrieval failed: unable to retrieve secrets from ssm: service call has been "
        "retried 5 "
        "time(s): RequestCanceled: request context canceled caused by: context deadline exceeded",
        "ssm/tcp",
        "timeout",
        {"path.no-answer": "endpoint.missing.ssm tcp.no-route tcp.security-group"},
        pull="unproven",
    ),
    Sample(
        "secret, Secrets Manager unreachable",
        f"{AUTH}execution resource retrieval failed: unable to retrieve secret from asm: service call has been "
        "retried 2 "
        "time(s): failed to fetch secret arn:aws:secretsmanager:eu-north-1:210987654321:secret:shop/db from secrets "
        "manager: "
        "operation error Secrets Manager: GetSecretValue, https response error StatusCode: 0, RequestID: , canceled, "
        "context "
        "deadline exceeded",
        "secretsmanager/tcp",
        "timeout",
        {"path.no-answer": "endpoint.missing.secretsmanager tcp.no-route tcp.security-group"},
        pull="unproven",
    ),
    Sample(
        "secret, public address of Secrets Manager",
        f"{AUTH}unable to retrieve secret from asm: RequestError: send request failed caused by: Post "
        '"https://secretsmanager.eu-north-1.amazonaws.com/": dial tcp 13.51.0.77:443: i/o timeout',
        "secretsmanager/tcp/13.51.0.77",
        "timeout",
        {"dns.public-answer": "endpoint.missing.secretsmanager"},
        pull="unproven",
        address_class="public",
    ),
    Sample(
        "log driver, misleading sentence about the log group",
        "ResourceInitializationError: failed to validate logger args: The task cannot find the Amazon CloudWatch log "
        "group "
        "defined in the task definition. There is a connection issue between the task and Amazon CloudWatch. Check "
        "your "
        "network configuration. : signal: killed",
        "logs/tcp",
        "timeout",
        {"path.no-answer": "logs.endpoint-missing tcp.no-route tcp.security-group"},
        pull="unproven",
    ),
    Sample(
        "log router's own error",
        "[2024/11/02 10:11:12] [error] RequestError: send request failed caused by: Post "
        '"https://logs.eu-north-1.amazonaws.com/": dial tcp 10.31.4.77:443: i/o timeout',
        "logs/tcp/10.31.4.77",
        "timeout",
        {"tcp.silent": INSIDE},
        pull="unproven",
        address_class="private",
    ),
    Sample(
        "ECS agent's poll host",
        'level=error time=2024-11-02T10:11:12Z msg="Error connecting to ACS" error="websocket client: unable to dial '
        'ecs-a-7.eu-north-1.amazonaws.com response: : dial tcp 13.53.1.1:443: i/o timeout"',
        "ecs-agent/tcp/13.53.1.1",
        "timeout",
        {"dns.public-answer": "ecs.control-plane-endpoints-missing path.proxy"},
        pull="unproven",
        address_class="public",
    ),
    Sample(
        "ECS agent, public address without a number",
        "[ERROR] Error connecting to TCS: dial tcp 54.239.21.9:443: i/o timeout",
        "ecs-telemetry/tcp/54.239.21.9",
        "timeout",
        {"dns.public-answer": "ecs.control-plane-endpoints-missing tcp.no-route path.proxy tcp.security-group"},
        pull="unproven",
        address_class="public",
    ),
    Sample(
        "ECS agent's telemetry, host missing",
        '[ERROR] Error connecting to TCS: dial tcp 10.31.4.90:443: i/o timeout module="tcs handler"',
        "ecs-telemetry/tcp/10.31.4.90",
        "timeout",
        {"tcp.silent": INSIDE},
        pull="unproven",
        address_class="private",
    ),
    Sample(
        "another AWS service",
        'RequestError: send request failed caused by: Post "https://sts.eu-north-1.amazonaws.com/": dial tcp '
        "13.50.2.3:443: i/o timeout",
        "sts/tcp/13.50.2.3",
        "timeout",
        {"dns.public-answer": "endpoint.missing.other"},
        "inconclusive",
        "unproven",
        address_class="public",
    ),
    Sample(
        "connection to a proxy fails",
        f'failed to do request: Head "https://{REGISTRY}/v2/shop/cart/manifests/2024-11": proxyconnect tcp: dial tcp '
        "10.9.9.9:3128: i/o timeout",
        "task/environment/proxy",
        "timeout",
        {"path.proxy": "=path.proxy"},
    ),
    Sample(
        "proxy requires authentication",
        f'Get "https://{REGISTRY}/v2/": Proxy Authentication Required',
        "task/environment/proxy",
        "denied",
        {"path.proxy": "=path.proxy"},
    ),
    Sample(
        "link-local credentials through a proxy",
        'level=error msg="Failed to create log stream" errorCode=CredentialsEndpointError logGroupName=/ecs/shop '
        'message="failed to load credentials"',
        "task/credentials",
        "no-answer",
        {"credentials.unavailable": "path.proxy"},
        "inconclusive",
        "unproven",
    ),
    Sample(
        "credentials endpoint times out",
        'Get "http://169.254.170.2/v2/credentials/5a5a": dial tcp 169.254.170.2:80: i/o timeout',
        "task/credentials",
        "no-answer",
        {"credentials.unavailable": "iam.no-credentials iam.credentials-rejected -path.proxy"},
        "inconclusive",
        "unproven",
    ),
)
NAMES = (
    Sample(
        "NXDOMAIN from the VPC's resolver",
        f"CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref {IMAGE}: "
        "failed "
        f'to do request: Head "https://{REGISTRY}/v2/shop/cart/manifests/2024-11": dial tcp: lookup {REGISTRY} on '
        "10.31.0.2:53: no such host",
        "ecr.dkr/dns/10.31.0.2",
        "nxdomain",
        {"dns.name-missing": NOT_THERE},
    ),
    Sample(
        "NXDOMAIN from another resolver",
        'Post "https://api.ecr.eu-north-1.amazonaws.com/": dial tcp: lookup api.ecr.eu-north-1.amazonaws.com on '
        "10.200.7.53:53: no such host",
        "ecr.api/dns/10.200.7.53",
        "nxdomain",
        {"dns.name-missing": "dns.custom-resolver dns.hosted-zone-missing-record"},
    ),
    Sample(
        "NXDOMAIN, resolver missing",
        "Could not resolve host: api.ecr.eu-north-1.amazonaws.com",
        "ecr.api/dns",
        "nxdomain",
        {"dns.name-missing": f"{NOT_THERE} dns.custom-resolver"},
    ),
    Sample(
        "NXDOMAIN for a name inside an endpoint's zone",
        'RequestError: send request failed caused by: Post "https://ec2.eu-north-1.amazonaws.com/": dial tcp: lookup '
        "ec2.eu-north-1.amazonaws.com on 10.31.0.2:53: no such host",
        "ec2/dns/10.31.0.2",
        "nxdomain",
        {"dns.name-missing": NOT_THERE},
        "inconclusive",
        "unproven",
    ),
    Sample(
        "NXDOMAIN for a numbered host of the agent",
        'level=error msg="Error connecting to ACS" error="websocket client: unable to dial '
        "ecs-a-7.eu-north-1.amazonaws.com response: : dial tcp: lookup ecs-a-7.eu-north-1.amazonaws.com on "
        '10.31.0.2:53: no such host"',
        "ecs-agent/dns/10.31.0.2",
        "nxdomain",
        {"dns.name-missing": "ecs.control-plane-endpoints-missing path.proxy"},
        pull="unproven",
    ),
    Sample(
        "a host of China without .cn",
        'RequestError: send request failed caused by: Post "https://ecr.cn-northwest-1.amazonaws.com/": dial tcp: '
        "lookup ecr.cn-northwest-1.amazonaws.com on 10.31.0.2:53: no such host",
        "ecr-legacy/dns/10.31.0.2",
        "nxdomain",
        {"dns.name-missing": "client.misconfigured registry.bad-image-reference"},
    ),
    Sample(
        "an account id with 11 digits",
        "dial tcp: lookup 21098765432.dkr.ecr.eu-north-1.amazonaws.com on 10.200.7.53:53: no such host",
        "ecr.dkr/dns/10.200.7.53",
        "nxdomain",
        {"dns.name-missing": "registry.bad-image-reference"},
    ),
    Sample(
        "a region that does not exist",
        "dial tcp: lookup api.ecr.eu-nroth-1.amazonaws.com on 10.31.0.2:53: no such host",
        "ecr.api/dns/10.31.0.2",
        "nxdomain",
        {"dns.name-missing": "client.misconfigured registry.bad-image-reference"},
    ),
    Sample(
        "misspelled registry suffix",
        "dial tcp: lookup 210987654321.dkr.ecr.eu-north-1.amazonaws.co on 172.31.0.2:53: no such host",
        "ecr.dkr/dns/172.31.0.2",
        "nxdomain",
        {"dns.name-missing": "registry.bad-image-reference"},
    ),
    Sample(
        "registry in a misspelled region",
        "dial tcp: lookup 210987654321.dkr.ecr.eu-nroth-1.amazonaws.com on 172.31.0.2:53: no such host",
        "ecr.dkr/dns/172.31.0.2",
        "nxdomain",
        {"dns.name-missing": "registry.bad-image-reference"},
    ),
    Sample(
        "FIPS registry in a region without one",
        "dial tcp: lookup 210987654321.dkr.ecr-fips.eu-north-1.amazonaws.com on 10.31.0.2:53: no such host",
        "ecr.dkr/dns/10.31.0.2",
        "nxdomain",
        {"dns.name-missing": "client.fips-hostname"},
    ),
    Sample(
        "resolver timeout",
        "Post https://ecr.eu-north-1.amazonaws.com/: dial tcp: lookup ecr.eu-north-1.amazonaws.com on 10.200.7.53:53: "
        "read "
        "udp 172.17.0.9:41000->10.200.7.53:53: i/o timeout",
        "ecr-legacy/dns/10.200.7.53",
        "no-answer",
        {"dns.resolver-unreachable": "dns.resolver-unreachable dns.custom-resolver tcp.security-group"},
    ),
    Sample(
        "VPC's resolver timeout",
        'Post "https://api.ecr.eu-north-1.amazonaws.com/": dial tcp: lookup api.ecr.eu-north-1.amazonaws.com on '
        "169.254.169.253:53: read udp 10.31.4.4:52011->169.254.169.253:53: i/o timeout",
        "ecr.api/dns/169.254.169.253",
        "no-answer",
        {"dns.resolver-unreachable": "dns.vpc-attributes-off dns.resolver-unreachable"},
    ),
    Sample(
        "resolver refuses the connection",
        'Post "https://api.ecr.eu-north-1.amazonaws.com/": dial tcp: lookup api.ecr.eu-north-1.amazonaws.com on '
        "10.200.7.53:53: "
        "read udp 10.31.4.4:52011->10.200.7.53:53: read: connection refused",
        "ecr.api/dns/10.200.7.53",
        "no-answer",
        {"dns.resolver-unreachable": "dns.resolver-unreachable"},
    ),
    Sample(
        "SERVFAIL",
        f"dial tcp: lookup {REGISTRY} on 10.200.7.53:53: server misbehaving",
        "ecr.dkr/dns/10.200.7.53",
        "servfail",
        {"dns.servfail": "dns.custom-resolver dns.resolver-unreachable"},
    ),
    Sample(
        "resolver timeout, C library",
        "urllib3.exceptions.NameResolutionError: Failed to resolve 'api.ecr.eu-north-1.amazonaws.com' ([Errno -3] "
        "Temporary "
        "failure in name resolution)",
        "ecr.api/dns",
        "no-answer",
        {"dns.resolver-unreachable": "dns.resolver-unreachable"},
    ),
    Sample(
        "name without an address",
        f"socket.gaierror: [Errno -5] No address associated with hostname: {REGISTRY}",
        "ecr.dkr/dns",
        "no-address",
        {"dns.no-address": NOT_THERE},
    ),
    Sample(
        "endpoint's private DNS name in use",
        "InvalidParameter: private-dns-enabled cannot be set because there is already a conflicting DNS domain for "
        "api.ecr.eu-north-1.amazonaws.com in the VPC vpc-0d1e2f3a4b5c6d7e8",
        "task/environment/private-dns",
        "malformed",
        {"dns.conflicting-domain": "=dns.hosted-zone-conflict"},
        "inconclusive",
        "unproven",
    ),
    Sample(
        "endpoint service not offered in the zone",
        "InvalidParameter: The VPC endpoint service com.amazonaws.eu-north-1.ecr.dkr does not support the "
        "availability zone "
        "of the subnet: subnet-0d1e2f3a4b5c6d7e8",
        "task/environment/endpoint-zone",
        "malformed",
        {"endpoint.not-in-zone": "=tcp.az-without-eni"},
        "inconclusive",
        "unproven",
    ),
)
TLS = (
    Sample(
        "TLS handshake timeout",
        f'failed to do request: Head "https://{REGISTRY}/v2/shop/cart/manifests/2024-11": net/http: TLS handshake '
        "timeout",
        "ecr.dkr/tls",
        "tls-stall",
        {"tls.silent": "path.mtu path.egress-firewall path.large-client-hello"},
    ),
    Sample(
        "TLS handshake timeout, host missing",
        "net/http: TLS handshake timeout",
        "unnamed-host/tls",
        "tls-stall",
        {"tls.silent": "path.mtu path.egress-firewall path.large-client-hello"},
        "inconclusive",
        "unproven",
    ),
    Sample(
        "unknown certificate authority",
        f'Get "https://{REGISTRY}/v2/": x509: certificate signed by unknown authority',
        "ecr.dkr/tls",
        "untrusted",
        {"tls.unverified": "tls.interception tls.ca-bundle"},
    ),
    Sample(
        "untrusted certificate, Python",
        "requests.exceptions.SSLError: HTTPSConnectionPool(host='api.ecr.eu-north-1.amazonaws.com', port=443): [SSL: "
        "CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate in certificate chain",
        "ecr.api/tls",
        "untrusted",
        {"tls.unverified": "tls.interception tls.ca-bundle"},
    ),
    Sample(
        "certificate of another AWS service",
        'Post "https://api.ecr.eu-north-1.amazonaws.com/": tls: failed to verify certificate: x509: certificate is '
        "valid for "
        "logs.eu-north-1.amazonaws.com, *.logs.eu-north-1.vpce.amazonaws.com, not api.ecr.eu-north-1.amazonaws.com",
        "ecr.api/tls",
        "wrong-name",
        {"tls.wrong-name": "dns.hosted-zone-conflict dns.hosted-zone-wrong-name"},
    ),
    Sample(
        "certificate of another organization",
        'Post "https://api.ecr.eu-north-1.amazonaws.com/": x509: certificate is valid for *.proxy.example.net, not '
        "api.ecr.eu-north-1.amazonaws.com",
        "ecr.api/tls",
        "wrong-name",
        {"tls.unverified": "tls.interception"},
    ),
    Sample(
        "certificate expired, or clock wrong",
        f'Get "https://{REGISTRY}/v2/": x509: certificate has expired or is not yet valid: current time '
        "2024-11-02T10:11:12Z is after 2024-10-30T23:59:59Z",
        "ecr.dkr/tls",
        "expired",
        {"tls.certificate-expired": "tls.certificate-expired clock.skew"},
    ),
    Sample(
        "server without TLS",
        f'Get "https://{REGISTRY}/v2/": http: server gave HTTP response to HTTPS client',
        "ecr.dkr/tls",
        "not-tls",
        {"tls.not-tls": "path.egress-firewall path.proxy"},
    ),
    Sample(
        "reset after the ClientHello",
        f'failed to do request: Head "https://{REGISTRY}/v2/shop/cart/manifests/2024-11": read tcp '
        "10.31.4.4:41234->10.31.4.20:443: read: connection reset by peer",
        "ecr.dkr/tls/10.31.4.20",
        "tls-reset",
        {"tls.reset": "path.egress-firewall"},
    ),
    Sample(
        "closed without an answer",
        'Post "https://api.ecr.eu-north-1.amazonaws.com/": EOF',
        "ecr.api/tls",
        "tls-reset",
        {"tls.reset": "path.egress-firewall"},
    ),
)
BYTES = (
    Sample(
        "layer cut off",
        "CannotPullContainerError: ref pull has been retried 1 time(s): failed to copy: httpReadSeeker: failed open: "
        f"{IMAGE}: "
        "unexpected EOF",
        "s3/layer",
        "truncated",
        {"path.transfer-broken": "path.transfer-broken path.mtu"},
    ),
    Sample(
        "layer reset in the middle",
        "failed to copy: read tcp 10.31.4.4:41234->52.219.171.90:443: read: connection reset by peer",
        "s3/layer",
        "reset",
        {"path.transfer-broken": "path.transfer-broken path.mtu"},
    ),
    Sample(
        "layer stalls",
        "failed to copy: read tcp 10.31.4.4:41234->52.219.171.90:443: read: connection timed out",
        "s3/layer",
        "stalled",
        {"path.transfer-broken": "path.transfer-broken path.mtu"},
    ),
    Sample(
        "response headers time out",
        'Post "https://api.ecr.eu-north-1.amazonaws.com/": net/http: timeout awaiting response headers',
        "ecr.api/token",
        "stalled",
        {"path.transfer-broken": "path.transfer-broken path.mtu"},
    ),
    Sample(
        "layer does not match its digest",
        f"error pulling image {IMAGE}: filesystem layer verification failed for digest sha256:{'4e' * 32}",
        "s3/layer",
        "bad-digest",
        {"layers.bad-digest": "registry.layer-corrupt path.egress-firewall"},
    ),
)
# The words of other clients and of what stands between them and AWS, from `source_lists`.
CLIENTS = (
    Sample(
        "Alpine, silent resolver",
        "urllib3.exceptions.NameResolutionError: Failed to resolve 'api.ecr.eu-north-1.amazonaws.com' ([Errno -3] Try "
        "again)",
        "ecr.api/dns",
        "no-answer",
        {"dns.resolver-unreachable": "dns.resolver-unreachable"},
    ),
    Sample(
        "systemd-resolved, silent resolver",
        "api.ecr.eu-north-1.amazonaws.com: resolve call failed: All attempts to contact name servers or networks "
        "failed",
        "ecr.api/dns",
        "no-answer",
        {"dns.resolver-unreachable": "dns.resolver-unreachable"},
    ),
    Sample(
        ".NET on Windows, silent address",
        "System.Net.Http.HttpRequestException: A connection attempt failed because the connected party did not "
        "properly respond after a period of time, or established connection failed because connected host has failed "
        "to respond. (api.ecr.eu-north-1.amazonaws.com:443)",
        "ecr.api/tcp",
        "timeout",
        {"path.no-answer": NO_ANSWER},
    ),
    Sample(
        "Java on Windows, a local firewall",
        "java.net.SocketException: Permission denied: connect: https://api.ecr.eu-north-1.amazonaws.com/",
        "ecr.api/tcp",
        "prohibited",
        {"tcp.refused": "path.egress-firewall"},
    ),
    Sample(
        "Java, another host's certificate",
        "SdkClientException: Unable to execute HTTP request: Certificate for <api.ecr.eu-north-1.amazonaws.com> "
        "doesn't match any of the subject alternative names: [proxy.corp.example]",
        "ecr.api/tls",
        "wrong-name",
        {"tls.unverified": "tls.interception"},
    ),
    Sample(
        "Envoy's RBAC, not IAM",
        f'CannotPullContainerError: failed to resolve reference "{IMAGE}": unexpected status: 403 Forbidden: RBAC: '
        "access denied",
        "ecr.dkr/manifest",
        "not-aws",
        {"http.not-aws": "path.egress-firewall path.proxy"},
    ),
    Sample(
        "Envoy cannot connect",
        f"unexpected status from HEAD request to https://{REGISTRY}/v2/shop/cart/manifests/1: 503 Service Unavailable: "
        "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure, transport "
        "failure reason: delayed connect error: Connection refused",
        "ecr.dkr/manifest",
        "not-aws",
        {"http.not-aws": "path.egress-firewall path.proxy"},
    ),
)
NETWORK_SAMPLES = (*CONNECTIONS, *NAMES, *TLS, *BYTES, *CLIENTS)

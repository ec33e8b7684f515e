"""Texts of names, connections, TLS and transfers, in our own words: hosts, accounts and addresses are made up."""

from __future__ import annotations

from tests.explain.sample import Text

REGISTRY = "210987654321.dkr.ecr.eu-north-1.amazonaws.com"
IMAGE = f"{REGISTRY}/shop/cart:2024-11"
LAYERS = "https://prod-eu-north-1-starport-layer-bucket.s3.eu-north-1.amazonaws.com/9c1f-210987654321-0b/77"
AUTH = "ResourceInitializationError: unable to pull secrets or registry auth: "
V2 = "operation error ECR: GetAuthorizationToken, exceeded maximum number of attempts, 3, https response error "
ISSUE = (
    "The task cannot pull registry auth from Amazon ECR: There is a connection issue between the task and Amazon ECR. "
    "Check your task network configuration. "
)
NO_ENDPOINT = "endpoint.missing.ecr-api tcp.no-route dns.private-dns-disabled"
NO_ANSWER = "endpoint.missing.ecr-api tcp.no-route tcp.security-group"
S3 = "endpoint.missing.s3 s3.route-table-not-associated tcp.security-group-s3-egress"
INSIDE = "tcp.security-group tcp.nacl"

CONNECTIONS = (
    Text(
        "Fargate, a public address of api.ecr",
        f"{AUTH}{ISSUE}{V2}StatusCode: 0, RequestID: , request send failed, Post "
        '"https://api.ecr.eu-north-1.amazonaws.com/": '
        "dial tcp 13.48.121.7:443: i/o timeout.",
        "ecr.api/tcp/13.48.121.7",
        "timeout",
        {"dns.public-answer": NO_ENDPOINT},
        lies="public",
    ),
    Text(
        "the same address, when the range is the reader's own",
        f"{AUTH}{V2}StatusCode: 0, RequestID: , request send failed, Post "
        '"https://api.ecr.eu-north-1.amazonaws.com/": dial '
        "tcp 13.48.121.7:443: i/o timeout",
        "ecr.api/tcp/13.48.121.7",
        "timeout",
        {"tcp.silent": INSIDE},
        lies="vpc",
        ranges=("13.48.0.0/16",),
    ),
    Text(
        "Fargate, an address that can only be private",
        f'{AUTH}{ISSUE}RequestError: send request failed\ncaused by: Post "https://api.ecr.eu-north-1.amazonaws.com/": '
        "dial tcp 10.31.4.19:443: i/o timeout",
        "ecr.api/tcp/10.31.4.19",
        "timeout",
        {"tcp.silent": f"{INSIDE} tcp.no-route path.egress-firewall"},
        lies="private",
    ),
    Text(
        "a range that looks public and is nobody's at AWS",
        f"{AUTH}{V2}StatusCode: 0, RequestID: , request send failed, Post "
        '"https://api.ecr.eu-north-1.amazonaws.com/": dial '
        "tcp 172.44.9.200:443: i/o timeout",
        "ecr.api/tcp/172.44.9.200",
        "timeout",
        {"tcp.silent": INSIDE},
        lies="vpc",
    ),
    Text(
        "carrier-grade space counts as private",
        f'Head "https://{REGISTRY}/v2/shop/cart/manifests/2024-11": dial tcp 100.64.12.3:443: connect: connection '
        "timed out",
        "ecr.dkr/tcp/100.64.12.3",
        "timeout",
        {"tcp.silent": INSIDE},
        lies="vpc",
    ),
    Text(
        "the oldest wording, cut before the host",
        f"{AUTH}execution resource retrieval failed: unable to retrieve ecr registry auth: service call has been "
        "retried "
        "4 time(s): RequestError: send request failed",
        "ecr.api/tcp",
        "timeout",
        {"path.no-answer": NO_ANSWER},
    ),
    Text(
        "SDK 1 on an instance: waiting for a connection",
        "CannotPullECRContainerError: RequestError: send request failed\ncaused by: Post "
        "https://api.ecr.sa-east-1.amazonaws.com/: net/http: request canceled while waiting for connection "
        "(Client.Timeout exceeded while awaiting headers)",
        "ecr.api/tcp",
        "timeout",
        {"path.no-answer": NO_ANSWER},
    ),
    Text(
        "killed while it waited",
        f"{AUTH}pull command failed: : signal: killed",
        "ecr.api/tcp",
        "timeout",
        {"path.no-answer": NO_ANSWER},
    ),
    Text(
        "Docker waits for /v2/",
        f"CannotPullContainerError: API error (500): Get https://{REGISTRY}/v2/: net/http: request canceled while "
        "waiting "
        "for connection (Client.Timeout exceeded while awaiting headers)",
        "ecr.dkr/tcp",
        "timeout",
        {"path.no-answer": "endpoint.missing.ecr-dkr tcp.no-route tcp.security-group"},
    ),
    Text(
        "containerd, the manifest at a public address",
        f"CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref {IMAGE}: "
        "failed "
        f'to do request: Head "https://{REGISTRY}/v2/shop/cart/manifests/2024-11": dial tcp 16.171.20.8:443: i/o '
        "timeout",
        "ecr.dkr/tcp/16.171.20.8",
        "timeout",
        {"dns.public-answer": "endpoint.missing.ecr-dkr tcp.no-route dns.private-dns-disabled"},
        lies="public",
    ),
    Text(
        "a layer whose URL is named",
        "CannotPullContainerError: ref pull has been retried 5 time(s): failed to copy: httpReadSeeker: failed open: "
        "failed "
        f'to do request: Get "{LAYERS}?X-Amz-Security-Token=IQoJb3JpZ2lu": dial tcp 3.5.216.14:443: i/o timeout',
        "s3/tcp/3.5.216.14",
        "timeout",
        {"s3.silent": S3},
        lies="public",
    ),
    Text(
        "a layer under the registry's name: the words decide, not the headline",
        f"CannotPullContainerError: The task cannot pull {IMAGE} from the registry {IMAGE}. There is a connection "
        "issue "
        "between the task and the registry. Check your task network configuration. : failed to copy: httpReadSeeker: "
        "failed "
        f"open: failed to do request: Get {IMAGE}: dial tcp 52.219.171.90:443: i/o timeout",
        "s3/tcp/52.219.171.90",
        "timeout",
        {"s3.silent": S3},
        lies="public",
    ),
    Text(
        "a layer, cut after its host",
        "CannotPullContainerError: ref pull has been retried 5 time(s): failed to copy: httpReadSeeker: failed open: "
        "failed "
        f'to do request: Get "{LAYERS}…',
        "s3/tcp",
        "timeout",
        {"path.no-answer": S3},
    ),
    Text(
        "Docker's words on a layer, between two other reasons",
        "STOPPED (CannotPullContainerError: context canceled) | Status reason CannotPullContainerError: error pulling "
        "image "
        f"configuration: Get {LAYERS}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=0f0f: net/http: request "
        "canceled",
        "s3/tcp",
        "timeout",
        {"path.no-answer": S3},
    ),
    Text(
        "an interface of S3 that nobody admits",
        f'failed to copy: httpReadSeeker: failed open: failed to do request: Get "{LAYERS}": dial tcp 10.31.8.4:443: '
        "i/o "
        "timeout",
        "s3/tcp/10.31.8.4",
        "timeout",
        {"tcp.silent": INSIDE},
        lies="private",
    ),
    Text(
        "refused: AWS never does that",
        f'failed to do request: Head "https://{REGISTRY}/v2/shop/cart/manifests/2024-11": dial tcp 10.31.4.20:443: '
        "connect: "
        "connection refused",
        "ecr.dkr/tcp/10.31.4.20",
        "refused",
        {"tcp.refused": "path.egress-firewall dns.hosted-zone-conflict"},
        lies="private",
    ),
    Text(
        "no route at all",
        f'failed to do request: Head "https://{REGISTRY}/v2/shop/cart/manifests/2024-11": dial tcp '
        "[2a05:d016:1d9:a302::9]:443: connect: network is unreachable",
        "ecr.dkr/tcp/2a05:d016:1d9:a302::9",
        "unreachable",
        {"tcp.no-route": "tcp.no-route"},
        lies="unknown",
    ),
    Text(
        "refused, at an address that somebody masked",
        'Post "https://api.ecr.eu-north-1.amazonaws.com/": dial tcp xx.xx.xx.xx:443: connect: connection refused',
        "ecr.api/tcp",
        "refused",
        {"tcp.refused": "path.egress-firewall"},
    ),
    Text(
        "no route, and no address either",
        'Post "https://api.ecr.eu-north-1.amazonaws.com/": connect: network is unreachable',
        "ecr.api/tcp",
        "unreachable",
        {"tcp.no-route": "tcp.no-route"},
    ),
    Text(
        "the SDK of Python waits",
        "botocore.exceptions.ConnectTimeoutError: Connect timeout on endpoint URL: "
        '"https://api.ecr.eu-north-1.amazonaws.com/"',
        "ecr.api/tcp",
        "timeout",
        {"path.no-answer": NO_ANSWER},
    ),
    Text(
        "the SDK of Java waits",
        "com.amazonaws.SdkClientException: Unable to execute HTTP request: Connect to "
        "api.ecr.eu-north-1.amazonaws.com:443 "
        "[api.ecr.eu-north-1.amazonaws.com/10.31.4.19] failed: connect timed out",
        "ecr.api/tcp/10.31.4.19",
        "timeout",
        {"tcp.silent": INSIDE},
        lies="private",
    ),
    Text(
        "curl on the host",
        f"curl: (28) Failed to connect to {REGISTRY} port 443 after 130912 ms: Connection timed out",
        "ecr.dkr/tcp",
        "timeout",
        {"path.no-answer": "endpoint.missing.ecr-dkr tcp.no-route tcp.security-group"},
    ),
    Text(
        "Node's words",
        "Error: connect ETIMEDOUT 10.31.4.19:443 at https://api.ecr.eu-north-1.amazonaws.com/",
        "ecr.api/tcp/10.31.4.19",
        "timeout",
        {"tcp.silent": INSIDE},
        lies="private",
    ),
    Text(
        "the old name of the API",
        "Post https://ecr.ap-south-1.amazonaws.com/: net/http: request canceled while waiting for connection",
        "ecr-legacy/tcp",
        "timeout",
        {"path.no-answer": "client.legacy-hostname"},
    ),
    Text(
        "the FIPS name of the API",
        'Post "https://api.ecr-fips.us-east-2.amazonaws.com/": context deadline exceeded',
        "ecr.api/tcp",
        "timeout",
        {"path.no-answer": "client.fips-hostname endpoint.missing.ecr-api"},
    ),
    Text(
        "a parameter, unreachable",
        f"{AUTH}execution resource retrieval failed: unable to retrieve secrets from ssm: service call has been "
        "retried 5 "
        "time(s): RequestCanceled: request context canceled caused by: context deadline exceeded",
        "ssm/tcp",
        "timeout",
        {"path.no-answer": "endpoint.missing.ssm tcp.no-route tcp.security-group"},
        pull="unproven",
    ),
    Text(
        "a secret, unreachable",
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
    Text(
        "a secret's host at a public address",
        f"{AUTH}unable to retrieve secret from asm: RequestError: send request failed caused by: Post "
        '"https://secretsmanager.eu-north-1.amazonaws.com/": dial tcp 13.51.0.77:443: i/o timeout',
        "secretsmanager/tcp/13.51.0.77",
        "timeout",
        {"dns.public-answer": "endpoint.missing.secretsmanager"},
        pull="unproven",
        lies="public",
    ),
    Text(
        "the log driver: the sentence on the group misleads",
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
    Text(
        "a log router of somebody's own",
        "[2024/11/02 10:11:12] [error] RequestError: send request failed caused by: Post "
        '"https://logs.eu-north-1.amazonaws.com/": dial tcp 10.31.4.77:443: i/o timeout',
        "logs/tcp/10.31.4.77",
        "timeout",
        {"tcp.silent": INSIDE},
        pull="unproven",
        lies="private",
    ),
    Text(
        "the agent's poll host",
        'level=error time=2024-11-02T10:11:12Z msg="Error connecting to ACS" error="websocket client: unable to dial '
        'ecs-a-7.eu-north-1.amazonaws.com response: : dial tcp 13.53.1.1:443: i/o timeout"',
        "ecs-agent/tcp/13.53.1.1",
        "timeout",
        {"dns.public-answer": "ecs.control-plane-endpoints-missing tcp.no-route"},
        pull="unproven",
        lies="public",
    ),
    Text(
        "the agent's telemetry, without a host",
        '[ERROR] Error connecting to TCS: dial tcp 10.31.4.90:443: i/o timeout module="tcs handler"',
        "ecs-telemetry/tcp/10.31.4.90",
        "timeout",
        {"tcp.silent": INSIDE},
        pull="unproven",
        lies="private",
    ),
    Text(
        "some other service of AWS",
        'RequestError: send request failed caused by: Post "https://sts.eu-north-1.amazonaws.com/": dial tcp '
        "13.50.2.3:443: i/o timeout",
        "sts/tcp/13.50.2.3",
        "timeout",
        {"dns.public-answer": "endpoint.missing.other"},
        "inconclusive",
        "unproven",
        lies="public",
    ),
    Text(
        "the connection goes to a proxy",
        f'failed to do request: Head "https://{REGISTRY}/v2/shop/cart/manifests/2024-11": proxyconnect tcp: dial tcp '
        "10.9.9.9:3128: i/o timeout",
        "task/environment/proxy",
        "timeout",
        {"path.proxy": "=path.proxy"},
    ),
    Text(
        "a proxy that wants a login",
        f'Get "https://{REGISTRY}/v2/": Proxy Authentication Required',
        "task/environment/proxy",
        "denied",
        {"path.proxy": "=path.proxy"},
    ),
    Text(
        "link-local credentials behind a proxy",
        'level=error msg="Failed to create log stream" errorCode=CredentialsEndpointError logGroupName=/ecs/shop '
        'message="failed to load credentials"',
        "task/credentials",
        "no-answer",
        {"credentials.unavailable": "path.proxy"},
        "inconclusive",
        "unproven",
    ),
    Text(
        "credentials that time out at their own address",
        'Get "http://169.254.170.2/v2/credentials/5a5a": dial tcp 169.254.170.2:80: i/o timeout',
        "task/credentials",
        "no-answer",
        {"credentials.unavailable": "path.proxy iam.credentials-rejected"},
        "inconclusive",
        "unproven",
    ),
)
NAMES = (
    Text(
        "a name that the VPC's resolver does not know",
        f"CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref {IMAGE}: "
        "failed "
        f'to do request: Head "https://{REGISTRY}/v2/shop/cart/manifests/2024-11": dial tcp: lookup {REGISTRY} on '
        "10.31.0.2:53: no such host",
        "ecr.dkr/dns/10.31.0.2",
        "nxdomain",
        {"dns.name-missing": "dns.hosted-zone-missing-record dns.hosted-zone-conflict"},
    ),
    Text(
        "a name that a resolver of somebody's own does not know",
        'Post "https://api.ecr.eu-north-1.amazonaws.com/": dial tcp: lookup api.ecr.eu-north-1.amazonaws.com on '
        "10.200.7.53:53: no such host",
        "ecr.api/dns/10.200.7.53",
        "nxdomain",
        {"dns.name-missing": "dns.custom-resolver dns.hosted-zone-missing-record"},
    ),
    Text(
        "a name that does not exist, asked nobody knows where",
        "Could not resolve host: api.ecr.eu-north-1.amazonaws.com",
        "ecr.api/dns",
        "nxdomain",
        {"dns.name-missing": "dns.hosted-zone-missing-record dns.hosted-zone-conflict dns.custom-resolver"},
    ),
    Text(
        "a sibling name under an endpoint's zone",
        'RequestError: send request failed caused by: Post "https://ec2.eu-north-1.amazonaws.com/": dial tcp: lookup '
        "ec2.eu-north-1.amazonaws.com on 10.31.0.2:53: no such host",
        "ec2/dns/10.31.0.2",
        "nxdomain",
        {"dns.name-missing": "dns.hosted-zone-missing-record dns.hosted-zone-conflict"},
        "inconclusive",
        "unproven",
    ),
    Text(
        "a registry that AWS does not have",
        "dial tcp: lookup 210987654321.dkr.ecr.eu-north-1.amazonaws.co on 172.31.0.2:53: no such host",
        "ecr.dkr/dns/172.31.0.2",
        "nxdomain",
        {"dns.name-missing": "registry.bad-image-reference"},
    ),
    Text(
        "a registry of a region that AWS does not have",
        "dial tcp: lookup 210987654321.dkr.ecr.eu-nroth-1.amazonaws.com on 172.31.0.2:53: no such host",
        "ecr.dkr/dns/172.31.0.2",
        "nxdomain",
        {"dns.name-missing": "registry.bad-image-reference"},
    ),
    Text(
        "a FIPS registry where there is none",
        "dial tcp: lookup 210987654321.dkr.ecr-fips.eu-north-1.amazonaws.com on 10.31.0.2:53: no such host",
        "ecr.dkr/dns/10.31.0.2",
        "nxdomain",
        {"dns.name-missing": "client.fips-hostname"},
    ),
    Text(
        "the resolver does not answer",
        "Post https://ecr.eu-north-1.amazonaws.com/: dial tcp: lookup ecr.eu-north-1.amazonaws.com on 10.200.7.53:53: "
        "read "
        "udp 172.17.0.9:41000->10.200.7.53:53: i/o timeout",
        "ecr-legacy/dns/10.200.7.53",
        "no-answer",
        {"dns.resolver-unreachable": "dns.resolver-unreachable dns.custom-resolver tcp.security-group"},
    ),
    Text(
        "the VPC's own resolver does not answer",
        'Post "https://api.ecr.eu-north-1.amazonaws.com/": dial tcp: lookup api.ecr.eu-north-1.amazonaws.com on '
        "169.254.169.253:53: read udp 10.31.4.4:52011->169.254.169.253:53: i/o timeout",
        "ecr.api/dns/169.254.169.253",
        "no-answer",
        {"dns.resolver-unreachable": "dns.vpc-attributes-off dns.resolver-unreachable"},
    ),
    Text(
        "the resolver's port is closed",
        'Post "https://api.ecr.eu-north-1.amazonaws.com/": dial tcp: lookup api.ecr.eu-north-1.amazonaws.com on '
        "10.200.7.53:53: "
        "read udp 10.31.4.4:52011->10.200.7.53:53: read: connection refused",
        "ecr.api/dns/10.200.7.53",
        "no-answer",
        {"dns.resolver-unreachable": "dns.resolver-unreachable"},
    ),
    Text(
        "the resolver fails",
        f"dial tcp: lookup {REGISTRY} on 10.200.7.53:53: server misbehaving",
        "ecr.dkr/dns/10.200.7.53",
        "servfail",
        {"dns.servfail": "dns.custom-resolver dns.resolver-unreachable"},
    ),
    Text(
        "the C library's words for a silent resolver",
        "urllib3.exceptions.NameResolutionError: Failed to resolve 'api.ecr.eu-north-1.amazonaws.com' ([Errno -3] "
        "Temporary "
        "failure in name resolution)",
        "ecr.api/dns",
        "no-answer",
        {"dns.resolver-unreachable": "dns.resolver-unreachable"},
    ),
    Text(
        "a name without an address",
        f"socket.gaierror: [Errno -5] No address associated with hostname: {REGISTRY}",
        "ecr.dkr/dns",
        "no-address",
        {"dns.no-address": "dns.hosted-zone-missing-record dns.hosted-zone-conflict"},
    ),
    Text(
        "an endpoint whose private name is taken",
        "InvalidParameter: private-dns-enabled cannot be set because there is already a conflicting DNS domain for "
        "api.ecr.eu-north-1.amazonaws.com in the VPC vpc-0d1e2f3a4b5c6d7e8",
        "task/environment/private-dns",
        "malformed",
        {"dns.conflicting-domain": "=dns.hosted-zone-conflict"},
        "inconclusive",
        "unproven",
    ),
    Text(
        "an endpoint in a zone where its service is not",
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
    Text(
        "the handshake stalls",
        f'failed to do request: Head "https://{REGISTRY}/v2/shop/cart/manifests/2024-11": net/http: TLS handshake '
        "timeout",
        "ecr.dkr/tls",
        "tls-stall",
        {"tls.silent": "path.mtu path.egress-firewall"},
    ),
    Text(
        "the handshake stalls, with whom is not told",
        "net/http: TLS handshake timeout",
        "unnamed-host/tls",
        "tls-stall",
        {"tls.silent": "path.mtu path.egress-firewall"},
        "inconclusive",
        "unproven",
    ),
    Text(
        "nobody knows who signed it",
        f'Get "https://{REGISTRY}/v2/": x509: certificate signed by unknown authority',
        "ecr.dkr/tls",
        "untrusted",
        {"tls.unverified": "tls.interception tls.ca-bundle"},
    ),
    Text(
        "Python does not trust it",
        "requests.exceptions.SSLError: HTTPSConnectionPool(host='api.ecr.eu-north-1.amazonaws.com', port=443): [SSL: "
        "CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate in certificate chain",
        "ecr.api/tls",
        "untrusted",
        {"tls.unverified": "tls.interception tls.ca-bundle"},
    ),
    Text(
        "another service of AWS answers",
        'Post "https://api.ecr.eu-north-1.amazonaws.com/": tls: failed to verify certificate: x509: certificate is '
        "valid for "
        "logs.eu-north-1.amazonaws.com, *.logs.eu-north-1.vpce.amazonaws.com, not api.ecr.eu-north-1.amazonaws.com",
        "ecr.api/tls",
        "wrong-name",
        {"tls.wrong-name": "dns.hosted-zone-conflict dns.hosted-zone-wrong-name"},
    ),
    Text(
        "somebody else answers",
        'Post "https://api.ecr.eu-north-1.amazonaws.com/": x509: certificate is valid for *.proxy.example.net, not '
        "api.ecr.eu-north-1.amazonaws.com",
        "ecr.api/tls",
        "wrong-name",
        {"tls.unverified": "tls.interception"},
    ),
    Text(
        "out of date, or the clock is",
        f'Get "https://{REGISTRY}/v2/": x509: certificate has expired or is not yet valid: current time '
        "2024-11-02T10:11:12Z is after 2024-10-30T23:59:59Z",
        "ecr.dkr/tls",
        "expired",
        {"tls.certificate-expired": "tls.certificate-expired clock.skew"},
    ),
    Text(
        "what answers does not speak TLS",
        f'Get "https://{REGISTRY}/v2/": http: server gave HTTP response to HTTPS client',
        "ecr.dkr/tls",
        "not-tls",
        {"tls.not-tls": "path.egress-firewall path.proxy"},
    ),
    Text(
        "cut as soon as the name was sent",
        f'failed to do request: Head "https://{REGISTRY}/v2/shop/cart/manifests/2024-11": read tcp '
        "10.31.4.4:41234->10.31.4.20:443: read: connection reset by peer",
        "ecr.dkr/tls/10.31.4.20",
        "tls-reset",
        {"tls.reset": "path.egress-firewall"},
    ),
    Text(
        "cut without a word",
        'Post "https://api.ecr.eu-north-1.amazonaws.com/": EOF',
        "ecr.api/tls",
        "tls-reset",
        {"tls.reset": "path.egress-firewall"},
    ),
)
BYTES = (
    Text(
        "a layer breaks off",
        "CannotPullContainerError: ref pull has been retried 1 time(s): failed to copy: httpReadSeeker: failed open: "
        f"{IMAGE}: "
        "unexpected EOF",
        "s3/layer",
        "truncated",
        {"path.transfer-broken": "path.transfer-broken path.mtu"},
    ),
    Text(
        "a layer is reset in the middle",
        "failed to copy: read tcp 10.31.4.4:41234->52.219.171.90:443: read: connection reset by peer",
        "s3/layer",
        "reset",
        {"path.transfer-broken": "path.transfer-broken path.mtu"},
    ),
    Text(
        "a layer stops coming",
        "failed to copy: read tcp 10.31.4.4:41234->52.219.171.90:443: read: connection timed out",
        "s3/layer",
        "stalled",
        {"path.transfer-broken": "path.transfer-broken path.mtu"},
    ),
    Text(
        "the answer's head does not come",
        'Post "https://api.ecr.eu-north-1.amazonaws.com/": net/http: timeout awaiting response headers',
        "ecr.api/token",
        "stalled",
        {"path.transfer-broken": "path.transfer-broken path.mtu"},
    ),
    Text(
        "a layer that is not what its digest says",
        f"error pulling image {IMAGE}: filesystem layer verification failed for digest sha256:{'4e' * 32}",
        "s3/layer",
        "bad-digest",
        {"layers.bad-digest": "registry.layer-corrupt path.egress-firewall"},
    ),
)
NETWORK = (*CONNECTIONS, *NAMES, *TLS, *BYTES)

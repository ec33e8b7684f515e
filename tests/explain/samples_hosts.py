"""Samples of hosts that AWS does not have, of ECR's own servers, of mirrors, and of a Deny that no sentence names."""

from __future__ import annotations

from tests.explain.sample import Sample

REGISTRY = "210987654321.dkr.ecr.eu-north-1.amazonaws.com"
DIGEST = f"sha256:{'6d' * 32}"
_CI = "User: arn:aws:iam::210987654321:user/ci is not authorized to perform:"
_REPOSITORY = "arn:aws:ecr:eu-north-1:210987654321:repository/shop/cart"
_MIRRORED = 'failed to pull and unpack image "ghcr.io/shop/cart:7": '


def _no_such_host(name: str, endpoint: str, text: str, pull: str = "broken") -> Sample:
    causes = {"path.no-answer": "client.misconfigured registry.bad-image-reference"}
    return Sample(name, text, f"{endpoint}/tcp", "timeout", causes, pull=pull)


HOST_SAMPLES = (
    _no_such_host(
        "the service's name stands where the region belongs",
        "ssm",
        'EndpointConnectionError: Could not connect to the endpoint URL: "https://ssm.ssm.amazonaws.com/"',
        "unproven",
    ),
    _no_such_host(
        "an output format stands where the region belongs",
        "ecr.api",
        'Could not connect to the endpoint URL: "https://api.ecr.json.amazonaws.com/"',
    ),
    Sample(
        "a masked region is not a wrong one",
        'Could not connect to the endpoint URL: "https://api.ecr.region.amazonaws.com/"',
        "ecr.api/tcp",
        "timeout",
        {"path.no-answer": "endpoint.missing.ecr-api tcp.no-route"},
    ),
    Sample(
        "a zone stands where the region belongs",
        "dial tcp: lookup api.ecr.stockholm.amazonaws.com on 10.0.0.2:53: no such host",
        "ecr.api/dns/10.0.0.2",
        "nxdomain",
        {"dns.name-missing": "client.misconfigured registry.bad-image-reference"},
    ),
    Sample(
        "ECR Public's API in a region that has none",
        'Post "https://api.ecr-public.eu-north-1.amazonaws.com/": dial tcp: lookup '
        "api.ecr-public.eu-north-1.amazonaws.com: no such host",
        "registry/dns",
        "nxdomain",
        {"registry.elsewhere": "client.misconfigured registry.bad-image-reference"},
    ),
    Sample(
        "Docker for ECS: the first request to the registry",
        f'CannotPullContainerError: Error response from daemon: Get "https://{REGISTRY}/v2/": context deadline '
        "exceeded (Client.Timeout exceeded while awaiting headers)",
        "ecr.dkr/tcp",
        "timeout",
        {"path.no-answer": "tcp.no-route tcp.no-public-ip tcp.security-group endpoint.missing.ecr-dkr"},
    ),
    Sample(
        "certificate of ECR's own servers",
        f'Get "https://{REGISTRY}/v2/": x509: certificate is valid for *.dkr.starport.eu-north-1.amazonaws.com, '
        f"*.dkr.starport.eu-north-1.vpce.amazonaws.com, not {REGISTRY}",
        "ecr.dkr/tls",
        "wrong-name",
        {"tls.wrong-name": "aws.service-error dns.hosted-zone-conflict"},
    ),
    Sample(
        "a Deny of a repository's action, in an older sentence",
        f"{_CI} ecr:DeleteRepository on resource: {_REPOSITORY} with an explicit deny",
        "ecr.api/request",
        "denied",
        {"iam.denied": "iam.execution-role iam.repository-policy policy.vpce.ecr"},
        pull="unproven",
    ),
    Sample(
        "a Deny of a pull's action, in an older sentence",
        f"{_CI} ecr:BatchGetImage on resource: {_REPOSITORY} with an explicit deny",
        "ecr.dkr/manifest",
        "denied",
        {"iam.denied": "iam.execution-role iam.repository-policy policy.vpce.ecr"},
    ),
    Sample(
        "a mirror sends a layer of another length",
        f'{_MIRRORED}failed commit on ref "layer-{DIGEST}": "layer-{DIGEST}" failed size validation: 25165824 != '
        "18802122: failed precondition",
        "registry/manifest",
        "truncated",
        {"registry.elsewhere": "path.transfer-broken registry.layer-corrupt"},
    ),
    Sample(
        "a mirror sends other bytes",
        f'{_MIRRORED}failed commit on ref "layer-{DIGEST}": unexpected commit digest sha256:{"7e" * 32}, expected '
        f"{DIGEST}: failed precondition",
        "registry/manifest",
        "bad-digest",
        {"registry.elsewhere": "registry.layer-corrupt path.transfer-broken"},
    ),
)

"""Samples of clients without a login or credentials, and of names of images that no registry has."""

from __future__ import annotations

from tests.explain.sample import Sample

REGISTRY = "210987654321.dkr.ecr.eu-north-1.amazonaws.com"
_LOGIN = "client.no-credential-provider"


def _reference(name: str, text: str, causes: str = "=registry.bad-image-reference") -> Sample:
    return Sample(name, text, "task/environment/reference", "malformed", {"registry.bad-reference": causes})


def _host(name: str, host: str, causes: str = "registry.bad-image-reference") -> Sample:
    text = f'Head "https://{host}/v2/shop/cart/manifests/7": dial tcp: lookup {host} on 10.0.0.2:53: no such host'
    return Sample(f"a host of ECR: {name}", text, "ecr.dkr/dns/10.0.0.2", "nxdomain", {"dns.name-missing": causes})


def _none(name: str, text: str, causes: str, failure: str = "no-credentials") -> Sample:
    code = "credentials.missing" if failure == "no-credentials" else "credentials.unavailable"
    return Sample(name, text, "task/credentials", failure, {code: causes}, "inconclusive", "unproven")


def _helper(name: str, text: str, causes: str, failure: str = "not-found") -> Sample:
    return Sample(name, text, "task/environment/helper-missing", failure, {"credentials.no-helper": causes})


def _bare_401(name: str, text: str) -> Sample:
    return Sample(name, text, "ecr.dkr/manifest", "unauthenticated", {"registry.token-rejected": _LOGIN})


CREDENTIAL_SAMPLES = (
    _reference("capitals in a name", f"invalid reference format: repository name ({REGISTRY}/Cart) must be lowercase"),
    _reference(
        "a scheme in a name", f'couldn\'t parse image name "https://{REGISTRY}/cart:7": invalid reference format'
    ),
    _reference("two tags", f'Error parsing image name "{REGISTRY}/cart:7:latest": invalid reference format'),
    _reference(
        "a tag that is empty",
        f'invalid argument "{REGISTRY}/cart:" for "-t, --tag" flag: invalid reference format',
        "registry.bad-image-reference client.misconfigured",
    ),
    _reference(
        "a registry that is empty",
        'failed to build: invalid tag "/cart:latest": invalid reference format',
        "registry.bad-image-reference client.misconfigured",
    ),
    _host("a variable for the account", "$AWS_ACCOUNT_ID.dkr.ecr.eu-north-1.amazonaws.com"),
    _host("no account", ".dkr.ecr.eu-north-1.amazonaws.com"),
    _host("an undefined account", "undefined.dkr.ecr.eu-north-1.amazonaws.com"),
    _host("no region", "210987654321.dkr.ecr..amazonaws.com"),
    _host("a region that is not listed", "210987654321.dkr.ecr.eu-nort-1.amazonaws.com"),
    Sample(
        "a host in the name of a repository",
        "name unknown: The repository with name '***.dkr.ecr.eu-north-1.amazonaws.com/cart' does not exist in the "
        "registry with id '***'",
        "ecr.dkr/manifest",
        "not-found",
        {"registry.repo-not-found": "registry.bad-image-reference registry.repo-not-found"},
    ),
    _helper(
        "a helper for another platform",
        "error getting credentials - err: fork/exec /usr/bin/docker-credential-ecr-login: exec format error, out: ``",
        f"{_LOGIN} client.misconfigured",
        "prohibited",
    ),
    _helper(
        "the helper of a store is not there",
        'error getting credentials - err: exec: "docker-credential-desktop": executable file not found in $PATH',
        f"{_LOGIN} client.misconfigured",
    ),
    _bare_401(
        "a 401 to kubelet",
        f'rpc error: code = Unknown desc = failed to pull and unpack image "{REGISTRY}/cart:7": '
        f'failed to resolve reference "{REGISTRY}/cart:7": unexpected status code [manifests 7]: 401 Unauthorized',
    ),
    _bare_401(
        "a 401 to helm",
        f"unexpected status from HEAD request to https://{REGISTRY}/v2/cart/manifests/7: 401 \nUnauthorized",
    ),
    _bare_401(
        "a 401 to crane",
        f"GET https://{REGISTRY}/v2/cart/manifests/7: unexpected status code 401 Unauthorized: Not Authorized",
    ),
    Sample(
        "no token, and nobody named",
        f"failed to fetch manifest: Get https://{REGISTRY}/v2/cart/manifests/7: no basic auth credentials",
        "ecr.dkr/challenge",
        "no-credentials",
        {"registry.no-token": f"{_LOGIN} client.unrecognised-ecr-host iam.execution-role"},
    ),
    _none(
        "no credentials: the client is not ECS",
        "NoCredentialProviders: no valid providers in chain. Deprecated.",
        "iam.no-credentials client.imds-hop-limit client.misconfigured",
    ),
    _none(
        "no credentials, and then an answer to a request without a token",
        "NoCredentialProviders: no valid providers in chain. Deprecated.\nerror pushing image: "
        f"POST https://{REGISTRY}/v2/cart/blobs/uploads/: unexpected status code 401 Unauthorized: Not Authorized",
        "iam.no-credentials client.imds-hop-limit client.misconfigured",
    ),
    _none(
        "credentials that the ECS agent does not have any more",
        "[INFO] CredentialsV2Request: ID not found. Request IP Address: 10.0.100.9:4411",
        "iam.credentials-rejected iam.no-credentials path.proxy",
        "no-answer",
    ),
    _none("no credentials: a request without a signature", "Missing Authentication Token", "iam.no-credentials"),
    _none(
        "instance metadata, silent",
        'Get "http://169.254.169.254/latest/meta-data/iam/security-credentials/": context deadline exceeded',
        "client.imds-hop-limit iam.no-credentials path.proxy",
        "no-answer",
    ),
    _none(
        "instance metadata, refused",
        "connect ECONNREFUSED 169.254.169.254:80",
        "iam.no-credentials -client.imds-hop-limit -path.proxy",
        "no-answer",
    ),
    _none(
        "the address of a pod's role, refused",
        'failed to load credentials, Get "http://169.254.170.23/v1/credentials": dial tcp 169.254.170.23:80: connect: '
        "connection refused",
        "iam.no-credentials iam.credentials-rejected -path.proxy",
        "no-answer",
    ),
)

"""Samples of logins to ECR that fail before the pull: the password, the provider, the host, the sandbox image."""

from __future__ import annotations

from tests.explain.sample import Sample

REGISTRY = "210987654321.dkr.ecr.eu-north-1.amazonaws.com"
IMAGE = f"{REGISTRY}/shop/cart:7"
_PROVIDER = f"error execing credential provider plugin ecr-credential-provider for image {REGISTRY}/shop/cart"
_PAUSE = "602401143452.dkr.ecr.eu-north-1.amazonaws.com/eks/pause:3.9"


def _login(name: str, text: str, causes: str = "client.misconfigured region.cross-region") -> Sample:
    return Sample(name, text, "task/environment/login", "malformed", {"registry.login-invalid": causes})


def _empty(name: str, text: str) -> Sample:
    causes = {"registry.login-empty": "client.misconfigured iam.no-credentials iam.credentials-rejected"}
    return Sample(name, text, "task/environment/login-empty", "no-credentials", causes)


def _command(name: str, text: str) -> Sample:
    causes = {"client.login-command": "client.misconfigured"}
    return Sample(name, text, "task/environment/login-command", "malformed", causes)


def _unfit(name: str, text: str) -> Sample:
    causes = {"credentials.provider-unfit": "client.no-credential-provider client.misconfigured"}
    return Sample(name, text, "task/environment/provider-unfit", "malformed", causes)


def _unrecognised(name: str, text: str) -> Sample:
    causes = {"client.host-not-recognized": "client.unrecognised-ecr-host client.misconfigured"}
    return Sample(name, text, "task/environment/host-unrecognised", "malformed", causes)


def _host_alone(name: str, text: str) -> Sample:
    causes = {"registry.bad-reference": "=registry.bad-image-reference"}
    return Sample(name, text, "task/environment/host-without-path", "not-found", causes)


LOGIN_SAMPLES = (
    _login(
        "Docker: the password is not a token",
        f"Error response from daemon: login attempt to https://{REGISTRY}/v2/ failed with status: 400 Bad Request",
    ),
    _login(
        "Docker: the token of another region",
        f"$ aws ecr get-login-password --region ap-south-1 | docker login --username AWS --password-stdin {REGISTRY}\n"
        f"Error response from daemon: login attempt to https://{REGISTRY}/v2/ failed with status: 400 Bad Request",
        "region.cross-region client.misconfigured",
    ),
    _login(
        "Docker: the token of another region, whose option is in front",
        f"aws --region=ap-south-1 ecr get-login-password | docker login -u AWS --password-stdin {REGISTRY}\n"
        f"Error response from daemon: login attempt to https://{REGISTRY}/v2/ failed with status: 400 Bad Request",
        "region.cross-region client.misconfigured",
    ),
    _login(
        "Docker: the token of the same region",
        f"aws ecr get-login-password --region eu-north-1 | docker login -u AWS --password-stdin {REGISTRY}\n"
        f"Error response from daemon: login attempt to https://{REGISTRY}/v2/ failed with status: 400 Bad Request",
    ),
    _login("a login described in words", 'since the update docker login fails with "400 Bad Request" at ECR'),
    _login(
        "podman: the password is not a token",
        f'Error: logging into "{REGISTRY}": unable to retrieve auth token: invalid status code from registry 400 '
        "(Bad Request)",
    ),
    _empty("Docker: nothing was piped", "Error: Cannot perform an interactive login from a non TTY device"),
    _empty("Docker: the password is empty", "Error: Password Required"),
    Sample(
        "Docker: nothing was piped, after the command's own error",
        'Unable to locate credentials. You can configure credentials by running "aws configure".\n'
        "Error: Cannot perform an interactive login from a non TTY device",
        "task/credentials",
        "no-credentials",
        {"credentials.missing": "iam.no-credentials"},
        "inconclusive",
        "unproven",
    ),
    _command("Docker: an option that it removed", "unknown shorthand flag: 'e' in -e See 'docker login --help'."),
    _command("Docker: an option that it does not have yet", "unknown flag: --password-stdin"),
    _command("Docker: the printed command as arguments", '"docker login" requires at most 1 argument.'),
    _command("AWS CLI 1: a command of later versions", "aws: error: Invalid choice: 'get-login-password'"),
    _command(
        "AWS CLI 2: a command of version 1",
        "aws: error: argument operation: Invalid choice, valid choices are: batch-get-image | get-authorization-token "
        "| get-login-password | help",
    ),
    _unfit(
        "kubelet: Docker's helper in the place of a provider",
        'level=error msg="Error parsing the serverURL" error="parse \\"https://{\\\\\\"kind\\\\\\":'
        '\\\\\\"CredentialProviderRequest\\\\\\"}\\": invalid port after host"',
    ),
    _unfit(
        "kubelet: a provider of an older version",
        "apiVersion from credential plugin response did not match expected "
        "apiVersion:credentialprovider.kubelet.k8s.io/v1, actual apiVersion:credentialprovider.kubelet.k8s.io/v1alpha1",
    ),
    _unfit(
        "kubelet: the provider prints no JSON",
        "Failed getting credential from external registry credential provider: error reading GVK from response: "
        "couldn't get version/kind; json parse error",
    ),
    _unfit(
        "provider: the request has a version that it does not know",
        'Error running credential provider plugin: no kind "CredentialProviderRequest" is registered for version '
        '"credentialprovider.kubelet.k8s.io/v1" in scheme',
    ),
    _unfit(
        "provider: the request cannot be decoded",
        "Error running credential provider plugin: unsupported credentialproviderrequest",
    ),
    Sample(
        "kubelet: the provider failed without its own words",
        f"Failed getting credential from external registry credential provider: {_PROVIDER}: exit status 1",
        "task/environment/provider-failed",
        "no-credentials",
        {"credentials.helper-failed": "client.no-credential-provider iam.no-credentials iam.execution-role"},
    ),
    _unrecognised(
        "GitHub: docker/login-action finds no region in a new partition's host",
        "Retrieving registries data through AWS SDK...\nAWS ECR detected with  region\nError: Region is missing",
    ),
    _unrecognised(
        "Docker's helper: a host of another form",
        "docker-credential-ecr-login can only be used with Amazon Elastic Container Registry.",
    ),
    _unrecognised(
        "kubelet's provider: a host of another form",
        "Error running credential provider plugin: registry.shop.example is not a valid ECR repository URL",
    ),
    _unrecognised("a plug-in: a host of another form", "invalid ECR registry URL registry.shop.example"),
    Sample(
        "sandbox image of EKS, which the node removed",
        f'Failed to create pod sandbox: rpc error: code = Unknown desc = failed to get sandbox image "{_PAUSE}": '
        f'failed to pull image "{_PAUSE}": failed to resolve reference "{_PAUSE}": pull access denied, repository '
        "does not exist or may require authorization: authorization failed: no basic auth credentials",
        "ecr.dkr/challenge",
        "no-credentials",
        {"registry.no-token": "registry.auth-token-expired client.no-credential-provider iam.execution-role"},
    ),
    Sample(
        "sandbox image of EKS, an older containerd",
        f'kubelet: failed to get sandbox image "{_PAUSE}": failed to pull image "{_PAUSE}": failed to resolve '
        f'reference "{_PAUSE}": unexpected status code [manifests 3.9]: 401 Unauthorized',
        "ecr.dkr/challenge",
        "no-credentials",
        {"registry.no-token": "registry.auth-token-expired client.no-credential-provider iam.execution-role"},
    ),
    Sample(
        "kubelet: a bare 401, without a token",
        f'Failed to pull image "{IMAGE}": rpc error: code = Unknown desc = failed to pull and unpack image "{IMAGE}": '
        f'failed to resolve reference "{IMAGE}": unexpected status code [manifests 7]: 401 Unauthorized',
        "ecr.dkr/manifest",
        "unauthenticated",
        {"registry.token-rejected": "client.no-credential-provider registry.auth-token-expired iam.execution-role"},
    ),
    _host_alone(
        "Docker: the name is only a host",
        f"Error response from daemon: pull access denied for {REGISTRY}, repository does not exist or may require "
        "'docker login': denied: requested access to the resource is denied",
    ),
    _host_alone(
        "containerd: the name is only a host",
        f'failed to resolve reference "docker.io/library/{REGISTRY}:latest": pull access denied, repository '
        "does not exist or may require authorization: server message: insufficient_scope: authorization failed",
    ),
)

"""What clients write about names of images, logins and credentials: (message, failure, action or subject)."""

from __future__ import annotations

from probe.model import Action, Failure

Message = tuple[str, Failure, Action | str | None]
_REGISTRY = "123456789012.dkr.ecr.eu-north-1.amazonaws.com"


def _each(failure: Failure, action: Action | str, *messages: str) -> tuple[Message, ...]:
    return tuple((message, failure, action) for message in messages)


MESSAGES: tuple[Message, ...] = (
    ("invalid AWS registry: 'public.ecr.aws'. must match", Failure.MALFORMED, "host-unrecognised"),
    *_each(
        Failure.MALFORMED,
        "reference",
        'invalid character "{" in host name',
        f"HEAD https://{_REGISTRY}/v2/shop/cart/manifests/7+b: unexpected status code 400 Bad Request",
        "Invalid image reference Shop/Cart",
        'Invalid repository name (ex: "registry.example/shop")',
        "Container.image repository contains invalid characters.",
        "At least one of 'image' must be specified",
        "repository can only contain the runes `abc`: Shop",
        'Invalid image name "docker:/shop", expected colon-separated transport:reference',
        'invalid interpolation format for services.shop.image: "${REGISTRY"',
        "Invalid parameter at 'repositoryName' failed to satisfy constraint: 'must satisfy regular",
    ),
    *_each(
        Failure.MALFORMED,
        "client-settings",
        "Could not find credentials matching ecr:eu-north-1:shop",
        "Expected authority at index 7: http://",
        'invalid endpoint host, "169.254.170.23", only loopback hosts are allowed',
    ),
    *_each(
        Failure.NOT_FOUND,
        "helper-missing",
        "docker-credential-ecr-login not installed or not available in PATH",
        "docker-credential-ecr-login: command not found",
        'Cannot run program "docker-credential-ecr-login.cmd": CreateProcess error=2, File not found',
        'Cannot run program "docker-credential-ecr-login": error=2, No such file or directory',
        "The system does not have docker-credential-ecr-login CLI",
        "fork/exec /opt/bin/ecr-credential-provider: no such file or directory",
    ),
    *_each(
        Failure.PROHIBITED,
        "helper-missing",
        "fork/exec /usr/bin/docker-credential-ecr-login: permission denied",
        "fork/exec /usr/bin/docker-credential-ecr-login: exec format error",
    ),
    *_each(Failure.NO_CREDENTIALS, "login-empty", "reading password: inappropriate ioctl for device"),
    *_each(
        Failure.NO_CREDENTIALS,
        Action.CHALLENGE,
        f"reading manifest 7 in {_REGISTRY}/shop/cart: authentication required",
        "unable to initialize a filesystem scanner: authentication required",
        "basic credential not found",
    ),
    *_each(
        Failure.UNAUTHENTICATED,
        Action.MANIFEST,
        "unsupported status code 401; body: Not Authorized",
        "unexpected status code 401 Unauthorized: Not Authorized",
        "UNAUTHORIZED: Not Authorized",
        "the registry requires authentication (401)",
        "denied: The security token included in the request is invalid",
    ),
    (f"Unauthorized for {_REGISTRY}/shop/cart", Failure.UNAUTHENTICATED, None),
    *_each(
        Failure.UNAUTHENTICATED,
        Action.TOKEN,
        "The request signature we calculated does not match the signature you provided.",
        "Credential should be scoped to a valid region.",
        "the SSO session has expired or is invalid",
        "Error loading SSO Token: Token for shop does not exist",
        "Token is expired. To refresh this SSO session run 'aws sso login' with the corresponding profile.",
        "Error when retrieving token from sso: Token has expired and refresh failed",
    ),
    ("denied: requested access to the resource is denied", Failure.DENIED, None),
    *_each(
        Failure.NO_CREDENTIALS,
        Action.CREDENTIALS,
        "The requested metadata is not found at http://169.254.169.254/latest/meta-data/iam/security-credentials/",
        "CredentialsNotLoaded { source: None }",
        "Aws::Sigv4::Errors::MissingCredentialsError",
        "Cannot load `Aws::Credentials`, missing credentials",
        "Resolved credential object is not valid",
        "Could not resolve credentials using profile: [shop]",
        "Cannot fetch credentials from container - neither of two variables is set",
        "The container metadata credential provider cannot be used unless a variable is set",
        "Missing Authentication Token",
    ),
    *_each(
        Failure.NO_ANSWER,
        Action.CREDENTIALS,
        "[INFO] CredentialsV2Request: ID not found. Request IP Address: 10.0.0.9:4411",
        "[WARN] Unknown eventType: GetCredentialsInvalidRoleType",
        "Error response received from instance metadata service",
        "Error retrieving credentials from the instance profile metadata service.",
        "Failed to connect to service endpoint: ",
    ),
)

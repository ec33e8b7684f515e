"""Messages of registries and of the programs around a pull or push: (message, failure, action or subject).

One list per writer, in the words of its source; the names in them are invented.
"""

from __future__ import annotations

from probe.model import Action, Failure

Message = tuple[str, Failure, Action | str | None]
_PUT = "PUT https://123456789012.dkr.ecr.eu-north-1.amazonaws.com/v2/shop/cart/manifests/7"
_CONSTRAINT = "failed to satisfy constraint:"

# ECR's API behind its registry, and distribution's registry/api/errcode.
_HOST_OF_ECR = "123456789012.dkr.ecr.eu-north-1.amazonaws.com"
REGISTRIES: tuple[Message, ...] = (
    (
        f"Invalid parameter at 'ImageManifest' {_CONSTRAINT} 'Invalid JSON syntax'",
        Failure.MALFORMED,
        "manifest-refused",
    ),
    (f"Invalid parameter at 'repositoryName' {_CONSTRAINT} 'must match a-z'", Failure.MALFORMED, "reference"),
    (
        f"Invalid parameter at 'registryIds' {_CONSTRAINT} 'Member must match [0-9]{{12}}'",
        Failure.MALFORMED,
        "reference",
    ),
    ("denied: requested access to the resource is denied unauthorized: authentication required", Failure.DENIED, None),
    ('error parsing HTTP 403 response body: unexpected end of JSON input: ""', Failure.DENIED, None),
    ("Invalid status code returned when fetching tags list 403 (Forbidden)", Failure.DENIED, None),
    (
        "The repository with name 'cart' does not exist in the registry with id '123456789012' (Service: Ecr, Status "
        "Code: 400) (HandlerErrorCode: NotFound)",
        Failure.NOT_FOUND,
        Action.MANIFEST,
    ),
    ("UNSUPPORTED: Unsupported manifest type: application/x", Failure.MALFORMED, "manifest-refused"),
    ("MANIFEST_INVALID: manifest invalid", Failure.MALFORMED, "manifest-refused"),
    ("manifest failed signature verification", Failure.MALFORMED, "manifest-refused"),
    ("manifest tag did not match URI", Failure.MALFORMED, "manifest-refused"),
    ("TAG_INVALID: no", Failure.MALFORMED, "manifest-refused"),
    ("NAME_INVALID", Failure.MALFORMED, "reference"),
    ("name invalid: invalid repository name", Failure.MALFORMED, "reference"),
    (
        f"unexpected status from {_PUT.replace('PUT', 'PUT request to')}: 405 Method Not Allowed",
        Failure.MALFORMED,
        "manifest-refused",
    ),
    (f"{_PUT}: unexpected status code 400 Bad Request", Failure.MALFORMED, "manifest-refused"),
    (
        "Images with digests '[sha256:4b]' required for pushing image into repository with name 'cart' in the "
        "registry with id '123456789012' do not exist",
        Failure.NOT_FOUND,
        "content-missing",
    ),
    (
        "Layers with digests '[sha256:4b]' required for pushing image into repository with name 'cart' in the "
        "registry with id '123456789012' do not exist",
        Failure.NOT_FOUND,
        "content-missing",
    ),
    ("UploadNotFoundException", Failure.NOT_FOUND, "content-missing"),
    ("manifest blob unknown: blob unknown to registry", Failure.NOT_FOUND, "content-missing"),
    ("blob unknown to registry", Failure.NOT_FOUND, "content-missing"),
    ("MANIFEST_BLOB_UNKNOWN", Failure.NOT_FOUND, "content-missing"),
    ("blob upload unknown", Failure.NOT_FOUND, "content-missing"),
    ("already has the maximum allowed number of images which is '10000'", Failure.TOO_LARGE, "quota"),
    ("already has the maximum number of repositories", Failure.TOO_LARGE, "quota"),
    ("Limit on the size of an image manifest exceeded", Failure.TOO_LARGE, "quota"),
    ("TooManyTagsException", Failure.TOO_LARGE, "quota"),
    ("toomanyrequests: Rate exceeded", Failure.THROTTLED, Action.MANIFEST),
    ("toomanyrequests: Data limit exceeded", Failure.THROTTLED, Action.MANIFEST),
    # oras-go, Helm, Docker
    (
        f"unexpected status from HEAD request to https://{_HOST_OF_ECR}/v2/x/manifests/1: 400 Bad Request",
        Failure.MALFORMED,
        "login",
    ),
    ("empty response Docker-Content-Digest", Failure.MALFORMED, "client-version"),
    ("missing signature key", Failure.MALFORMED, "client-version"),
    ("Invalid Image Repository ECR URI: public.ecr.aws/x/y", Failure.MALFORMED, "reference"),
    ("denied: Your Authorization Token is invalid.", Failure.UNAUTHENTICATED, Action.MANIFEST),
    ("response status code 404: Not Found", Failure.NOT_FOUND, Action.MANIFEST),
    ("unable to locate any tags in provided repository: oci://x", Failure.NOT_FOUND, Action.MANIFEST),
    ("manifest does not contain a layer with mediatype application/tar+gzip", Failure.MALFORMED, "media-type"),
    ("manifest does not contain minimum number of descriptors (2)", Failure.MALFORMED, "media-type"),
    ('Get "https://r.example/v2/": Internal Server Error', Failure.SERVER_ERROR, None),
    (
        "unexpected status from HEAD request to https://public.ecr.aws/v2/x/manifests/1: 400 Bad Request",
        Failure.UNAUTHENTICATED,
        None,
    ),
)
# containerd's reference, distribution/reference, go-containerregistry's pkg/name, oras-go.
REFERENCES: tuple[Message, ...] = tuple(
    (message, Failure.MALFORMED, "reference")
    for message in (
        'failed to resolve reference "": hostname required',
        "object required",
        f"invalid repository name ({'4b' * 32}), cannot specify 64-byte hexadecimal strings",
        "a repository name must be specified",
        "registries must be valid RFC 3986 URI authorities: a b",
        "repository must be between 2 and 255 characters in length: a",
        "tag can only contain the characters `abc`: v1+2",
        "cart: must specify a tag name after the colon",
        "a digest must contain exactly one '@' separator (e.g. registry/repository@digest) saw: a@b@c",
        "invalid reference: missing registry or repository",
        "image name cannot be blank",
        "empty image reference",
        "reference not found in URL",
    )
)
# STS, and programs that ask it: GitHub's action, the SDKs' web identities.
SESSIONS: tuple[Message, ...] = (
    ("AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity", Failure.DENIED, "role"),
    ("User: x is not authorized to perform: sts:TagSession on resource: y", Failure.DENIED, "role"),
    ("No OpenIDConnect provider found in your account for https://ci.example.com", Failure.DENIED, "role"),
    ("Error: Cannot assume IAM Role", Failure.DENIED, "role"),
    ("Incorrect token audience", Failure.DENIED, "role"),
    (
        "Couldn't retrieve verification key from your identity provider, please see the documentation",
        Failure.DENIED,
        "role",
    ),
    ("OpenIDConnect provider's HTTPS certificate doesn't match configured thumbprint", Failure.DENIED, "role"),
    ("IDPCommunicationError: no", Failure.DENIED, "role"),
    ("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.", Failure.MALFORMED, "role"),
    (
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
        Failure.MALFORMED,
        "role",
    ),
    ("Request ARN is invalid", Failure.MALFORMED, "role"),
    ("Error: Unable to get ACTIONS_ID_TOKEN_REQUEST_URL env variable", Failure.MALFORMED, "role"),
    ("Please make sure to give write permissions to id-token in the workflow.", Failure.MALFORMED, "role"),
    ("Did you mean to set the `id-token` permission?", Failure.MALFORMED, "role"),
    ("Web identity token file does not exist: /a", Failure.MALFORMED, "role"),
)
SERVICES: tuple[Message, ...] = (
    (
        "The repository of your image x does not grant ecr:BatchGetImage, ecr:GetDownloadUrlForLayer permission to "
        "sagemaker service principal.",
        Failure.DENIED,
        "service-pull",
    ),
    ("The role 'x' does not have BatchGetImage permission for the image: 'y'.", Failure.DENIED, "service-pull"),
    (
        "Please make sure all images included in the model for the production variant v exist, and that the execution "
        "role used to create the model has permissions to access them.",
        Failure.DENIED,
        "service-pull",
    ),
    ("Image repository must be in the same account as the caller", Failure.DENIED, "service-pull"),
    ("Failed to copy the image from ECR", Failure.DENIED, "service-pull"),
    ("Failed to pull your application image.", Failure.DENIED, "service-pull"),
    ("ERROR: Lambda cannot initialize the provided container image.", Failure.DENIED, "service-pull"),
    ('ECR image "x" is invalid.', Failure.MALFORMED, "service-image"),
    ("Cannot find the requested image: x", Failure.NOT_FOUND, "service-image"),
    ("Requested image shop/cart not found.", Failure.NOT_FOUND, "service-image"),
)
# The awslogs driver, with no region.
LOG_REGIONS: tuple[Message, ...] = tuple(
    (message, Failure.MALFORMED, "log-region")
    for message in (
        "must specify a value for environment variable 'AWS_REGION' or log opt 'awslogs-region'",
        "cannot determine region for awslogs driver: operation error ec2imds: GetRegion",
        "could not create regionFinder: x",
    )
)
# moby's daemon/logger and its drivers; ECS's RegisterTaskDefinition.
LOG_DRIVERS: tuple[Message, ...] = (
    *(
        (message, Failure.MALFORMED, "log-driver")
        for message in (
            "unknown log opt 'awslogs-stream-prefix' for awslogs log driver",
            "must specify a value for log opt 'awslogs-group'",
            "must specify valid value for log opt 'awslogs-create-group': x",
            "you cannot configure log opt 'awslogs-datetime-format' and 'awslogs-multiline-pattern' at the same time",
            "unsupported log format 'x'",
            "logger: no log driver named 'splunk' is registered",
            "logger: logging mode not supported: nonblocking",
            "logger: max-buffer-size option is only supported with 'mode=non-blocking'",
            "Log driver awslogs requires options: awslogs-region, awslogs-group",
            "invalid logging driver: x",
            "failed to get fluentd log driver arguments: no log configuration",
            "at least one container has to be configured with the awsfirelens log driver.",
        )
    ),
    *(
        (f"failed to initialize logging driver: {message}", Failure.NO_ANSWER, "log-driver")
        for message in (
            "dial tcp 127.0.0.1:24224: connect: connection refused",
            "dial unix /var/run/fluent.sock: connect: no such file or directory",
            "Options https://splunk.example:8088/services: dial tcp 10.0.0.9:8088: i/o timeout",
        )
    ),
    (
        "failed to initialize logging driver: RequestError: dial tcp 10.0.0.9:443: i/o timeout",
        Failure.TIMEOUT,
        Action.TCP,  # CloudWatch Logs
    ),
)
# What the host does not find there is its own, in spite of the words of a missing tag.
UNPACKING: tuple[Message, ...] = tuple(
    (message, Failure.MALFORMED, "unpack")
    for message in (
        "failed to prepare extraction layer: failed to create active: missing parent bucket: not found",
        "failed to unpack image on snapshotter overlayfs: content digest sha256:1: not found",
        "failed to extract layer sha256:1: failed to get reader from content store: content digest sha256:1: not found",
    )
)
# dockerd, containerd, Helm, oras-go.
SETTINGS: tuple[Message, ...] = tuple(
    (message, Failure.MALFORMED, "client-settings")
    for message in (
        "insecure registry https://r.example should not contain '://'",
        'invalid mirror: "r.example" is not a valid URI',
        "r.example is not a valid mirror",
        "unable to configure the Docker daemon with file /etc/docker/daemon.json: invalid character '}'",
        "invalid `host` tree",
        "failed to load plugin for hosts: x",
        "Error: repo r.example.org not found",
        "could not find protocol handler for: oci",
        'scheme "oci" not supported',
    )
)
STORES: tuple[Message, ...] = tuple(
    (f"error getting credentials - err: exit status 1, out: `{message}`", Failure.MALFORMED, "login-store")
    for message in (
        "User interaction is not allowed. (-25308)",
        "keychain cannot be accessed because the current session does not allow user interaction.",
        "The user name or passphrase you entered is not correct.",
        "The specified item already exists in the keychain.",
        "unknown (-25293)",
        "The stub received bad data.",
        "A specified logon session does not exist. It may already have been terminated.",
        "pass not initialized: exit status 1",
        'Error: password store is empty. Try "pass init".',
        "gpg: decryption failed: No secret key",
        "gpg: public key: no secret key",
        "Cannot autolaunch D-Bus without X11 $DISPLAY",
        "The name org.freedesktop.secrets was not provided by any .service files",
        "not implemented",
        "no credentials server URL",
    )
)
HELPERS: tuple[Message, ...] = (
    (
        "docker-credential-ecr-login can only be used with Amazon Elastic Container Registry.",
        Failure.MALFORMED,
        "host-unrecognised",
    ),
    ("Error parsing the serverURL", Failure.MALFORMED, "host-unrecognised"),
)
# Go before 1.9, tunnel-agent, urllib3, Requests, libcurl, Java, .NET, hyper, undici.
PROXIES: tuple[Message, ...] = (
    ("http: error connecting to proxy http://proxy.example:3128: dial tcp: i/o timeout", Failure.TIMEOUT, "proxy"),
    ("tunneling socket could not be established, cause=connect ECONNREFUSED 10.0.0.9:3128", Failure.TIMEOUT, "proxy"),
    ("tunneling socket could not be established, statusCode=403", Failure.DENIED, "proxy"),
    ("ProxyError('Unable to connect to proxy', OSError())", Failure.TIMEOUT, "proxy"),
    ("requests: Unable to connect to proxy", Failure.TIMEOUT, "proxy"),
    ('invalid proxy address "a b": parse failed', Failure.MALFORMED, "proxy"),
    ("curl: (5) Unsupported proxy syntax in 'a b'", Failure.MALFORMED, "proxy"),
    ("Proxy URL had no scheme, should start with http:// or https://", Failure.MALFORMED, "proxy"),
    ("Please check proxy URL. It is malformed and could be missing the host.", Failure.MALFORMED, "proxy"),
    ("ProxyManager does not support the supplied scheme", Failure.MALFORMED, "proxy"),
    ("proxy: unknown scheme: htp", Failure.MALFORMED, "proxy"),
    ("parse HTTPS_PROXY: no", Failure.MALFORMED, "proxy"),
    ('Unable to tunnel through proxy. Proxy returns "HTTP/1.1 403 Forbidden"', Failure.DENIED, "proxy"),
    ("unsuccessful tunnel", Failure.DENIED, "proxy"),
    ("The proxy tunnel request to proxy 'http://p:1' failed with status code '407'", Failure.DENIED, "proxy"),
    ("Proxy response (403) !== 200 when HTTP Tunneling", Failure.DENIED, "proxy"),
)
_HOST = "123456789012.dkr.ecr.eu-north-1.amazonaws.com"
# nginx, c-ares, Netty, dig.
RESOLVERS: tuple[Message, ...] = (
    (f"{_HOST} could not be resolved (3: Host not found)", Failure.NXDOMAIN, Action.DNS),
    (f"{_HOST} could not be resolved (2: Server failure)", Failure.SERVFAIL, Action.DNS),
    (f"{_HOST} could not be resolved (5: Operation refused)", Failure.SERVFAIL, Action.DNS),
    (f"{_HOST} could not be resolved (110: Operation timed out)", Failure.NO_ANSWER, Action.DNS),
    (f'host not found in upstream "{_HOST}"', Failure.NXDOMAIN, Action.DNS),
    (f"queryA ETIMEOUT {_HOST}", Failure.NO_ANSWER, Action.DNS),
    (f"queryAaaa ESERVFAIL {_HOST}", Failure.SERVFAIL, Action.DNS),
    (f"getaddrinfo EAI_FAIL {_HOST}", Failure.SERVFAIL, Action.DNS),
    ("no servers could be reached", Failure.NO_ANSWER, Action.DNS),
    ("DNS resolution failed: Timeout while contacting DNS servers", Failure.NO_ANSWER, Action.DNS),
    ("Could not contact DNS servers", Failure.NO_ANSWER, Action.DNS),
    (
        f"[id: 0x1, /10.0.0.2:53] query '1' via UDP timed out after 5000 milliseconds ({_HOST})",
        Failure.NO_ANSWER,
        Action.DNS,
    ),
    ("DNS server returned general failure", Failure.SERVFAIL, Action.DNS),
    ("DNS server refused query", Failure.SERVFAIL, Action.DNS),
    (f"[ERROR] plugin/errors: 2 {_HOST}. AAAA: dial tcp 10.0.0.2:53: i/o timeout", Failure.NO_ANSWER, Action.DNS),
    (f"lookup {_HOST} on 10.0.x.x:xx: read udp 10.0.x.x:xx->10.0.x.x:xx: i/o timeout", Failure.NO_ANSWER, Action.DNS),
    ("Domain name not found", Failure.NXDOMAIN, Action.DNS),
    ("DNS server returned answer with no data", Failure.NO_ADDRESS, Action.DNS),
)
NO_CREDENTIALS: tuple[Message, ...] = tuple(
    (message, Failure.NO_CREDENTIALS, Action.CREDENTIALS)
    for message in (
        "No credentials specified or obtained from persisted/shell defaults.",
        "unable to sign request without credentials set",
        "CredentialsProviderError: no",
        "Credential is missing",
        "no credentials in the property bag",
        "Unable to find credentials",
        "No handler was ready to authenticate. 1 handlers were checked.",
        "No valid credential sources found",
        "Need to perform AWS calls for account 123456789012, but no credentials have been configured",
        "Credentials could not be loaded, please check your action inputs",
        "Access key ID empty after loading credentials",
    )
)
# Logs of filters: Suricata, Route 53 Resolver, Squid. Rules of caches: ECR's API.
FILTERS: tuple[Message, ...] = (
    (f'"alert":{{"action":"blocked"}},"tls":{{"sni":"{_HOST}"}}', Failure.PROHIBITED, "firewall-log"),
    (f'"tls":{{"sni":"{_HOST}"}},"alert":{{"action":"blocked"}}', Failure.PROHIBITED, "firewall-log"),
    (f'"query_name":"{_HOST}","firewall_rule_action":"BLOCK"', Failure.PROHIBITED, "dns-firewall-log"),
    (f'"firewall_rule_action":"BLOCK","query_name":"{_HOST}"', Failure.PROHIBITED, "dns-firewall-log"),
    (f"TCP_DENIED/403 3974 CONNECT {_HOST}:443", Failure.DENIED, "proxy"),
    ("UnsupportedUpstreamRegistryException", Failure.DENIED, "upstream-rule"),
    ("The specified upstream registry requires authentication.", Failure.DENIED, "upstream-rule"),
    ("CreatePullThroughCacheRule, SecretNotFoundException: no", Failure.DENIED, "upstream-rule"),
)
# Docker's client and others like it, and the ECS agent's configuration.
RUNTIMES: tuple[Message, ...] = (
    *(
        (message, Failure.NO_ANSWER, "runtime")
        for message in (
            "Cannot connect to the Docker daemon",
            "Docker daemon is not running",
            "failed to connect to the docker API at unix:///var/run/docker.sock",
            "open //./pipe/docker_engine: The system cannot find the file specified.",
            "cannot access containerd socket",
            "Cannot connect to Podman",
        )
    ),
    ("dial unix /var/run/docker.sock: connect: permission denied", Failure.PROHIBITED, "runtime"),
    ("the docker client must be run with elevated privileges", Failure.PROHIBITED, "runtime"),
    ("lookup docker.io: dial udp 10.0.0.2:53: socket: too many open files", Failure.TOO_LARGE, "runtime"),
    ("Value 'a b' at 'logGroupName' failed to satisfy constraint: x", Failure.DENIED, "log-driver"),
    ("image is not supported by App Runner: @sha256:4b", Failure.MALFORMED, "service-image"),
    ("unexpected HTTP status: 502 Bad Gateway", Failure.SERVER_ERROR, Action.MANIFEST),
    ("unsupported status code 404", Failure.NOT_FOUND, Action.MANIFEST),
    ("unexpected status code 502", Failure.SERVER_ERROR, None),
    ("Failed to create pod sandbox: rpc error: code = DeadlineExceeded desc = x", Failure.NO_ANSWER, "runtime"),
    ("hcs::CreateComputeSystem 4a8: x", Failure.MALFORMED, "runtime"),
    ("The virtual machine or container exited unexpectedly.", Failure.MALFORMED, "runtime"),
    ('Get "https://123456789012.dkr.ecr.eu-north-1.amazonaws.com/v2/": Forbidden', Failure.DENIED, "proxy"),
    ('failed to normalize image reference "./Dockerfile"', Failure.MALFORMED, "reference"),
    ("Unable to parse image name: x", Failure.MALFORMED, "reference"),
    ("Please login prior to push:", Failure.NO_CREDENTIALS, Action.CHALLENGE),
    ("Invalid parameter at 'acceptedMediaTypes' failed to satisfy constraint: x", Failure.MALFORMED, "client-version"),
    ("Unable to execute 'docker' in order to build a container asset.", Failure.NO_ANSWER, "runtime"),
    ("169.254.170.23 is not a valid container metadata service hostname", Failure.MALFORMED, "client-settings"),
    ("hns failed with error : x", Failure.NO_ANSWER, "network-setup"),
    ("unsupportedcommandexception", Failure.DENIED, "client-settings"),
    ("KMSInvalidStateException", Failure.DENIED, Action.BLOB),
    ("container operating system does not match the host operating system", Failure.NO_PLATFORM, Action.MANIFEST),
    ("no auth config found for registry x in auth configs: map[]", Failure.NO_CREDENTIALS, Action.CHALLENGE),
    (
        "unable to retrieve auth token: invalid username/password: unauthorized: x",
        Failure.UNAUTHENTICATED,
        Action.MANIFEST,
    ),
)
AGENT_SETTINGS = (
    'Invalid format for "ECS_ENABLE_TASK_ENI", expected a boolean.',
    "config: invalid value for docker container stop timeout: 0s",
    "Error reading cfg json data, err x",
    "Missing required fields: AWSRegion",
    "Could not register: ClientException: Cluster not found.",
)
# Words in front of a reason, which count where none follows.
STORING = (
    "error storing credentials - err: exit status 1, out: ``",
    "error erasing credentials - err: x",
    "Error saving credentials: x",
)
MESSAGES = (
    *REGISTRIES,
    *REFERENCES,
    *SESSIONS,
    *SERVICES,
    *LOG_REGIONS,
    *LOG_DRIVERS,
    *UNPACKING,
    *SETTINGS,
    *STORES,
    *HELPERS,
    *PROXIES,
    *RESOLVERS,
    *NO_CREDENTIALS,
    *FILTERS,
    *RUNTIMES,
)

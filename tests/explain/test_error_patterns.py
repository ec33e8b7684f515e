"""Every pattern and phrase of the tables: the failure and the round trip that it means."""

from __future__ import annotations

import re

import pytest

from probe.explain.error_patterns import DOCKER_HUB, PATTERNS, Weight, deciding_match
from probe.explain.round_trips import round_trip_in_text, round_trip_of_url
from probe.model import Action, Failure
from tests.explain import client_messages, source_lists
from tests.explain.registry_messages import AGENT_SETTINGS
from tests.explain.samples_logins import LOGIN_SAMPLES
from tests.explain.samples_runtimes import RUNTIME_SAMPLES
from tests.explain.samples_services import SERVICE_SAMPLES

DNS, TCP, TLS = Action.DNS, Action.TCP, Action.TLS
# (text, failure, action or subject): the text alone decides, as the end of an error.
SAMPLES: tuple[tuple[str, Failure, Action | str | None], ...] = (
    ("proxyconnect tcp: dial tcp 10.9.9.9:3128: connect: connection refused", Failure.TIMEOUT, "proxy"),
    ("proxyconnect tcp: EOF", Failure.TIMEOUT, "proxy"),
    ("proxyconnect tcp: dial tcp: lookup proxy.corp on 10.0.0.2:53: no such host", Failure.TIMEOUT, "proxy"),
    ("proxyconnect tcp: tls: first record does not look like a TLS handshake", Failure.TIMEOUT, "proxy"),
    ("407 Proxy Authentication Required", Failure.DENIED, "proxy"),
    ("Fargate requires task definition to have execution role ARN", Failure.NO_CREDENTIALS, "execution-role"),
    ("MissingEndpoint: no endpoint", Failure.MALFORMED, "log-region"),
    ("'Endpoint' configuration is required for this service", Failure.MALFORMED, "log-region"),
    ("MissingRegion: none", Failure.MALFORMED, "log-region"),
    ("could not find region configuration", Failure.MALFORMED, "log-region"),
    ("missing required option: awslogs-region", Failure.MALFORMED, "log-region"),
    ("endpoint service a.b does not support the availability zone of the subnet", Failure.MALFORMED, "endpoint-zone"),
    ("there is a conflicting DNS domain for it", Failure.MALFORMED, "private-dns"),
    ("ConflictingDomainExists", Failure.MALFORMED, "private-dns"),
    ("private-dns-enabled cannot be set because there is already one", Failure.MALFORMED, "private-dns"),
    ("invalid reference format", Failure.MALFORMED, "reference"),
    ("could not parse reference: Cart:1", Failure.MALFORMED, "reference"),
    ("Rate limit exceeded while attempting to Create Network Interface", Failure.THROTTLED, "placement"),
    ("Capacity is unavailable at this time", Failure.TIMEOUT, "placement"),
    ("InsufficientFreeAddressesInSubnet", Failure.TIMEOUT, "placement"),
    ("error while attempting to Create Network Interface", Failure.TIMEOUT, "placement"),
    ("Timeout waiting for network interface provisioning to complete", Failure.TIMEOUT, "placement"),
    ("service shop was unable to place a task", Failure.TIMEOUT, "placement"),
    ("No Container Instances were found in your cluster", Failure.TIMEOUT, "placement"),
    ("TaskFailedToStart: EMPTY CAPACITY PROVIDER", Failure.TIMEOUT, "placement"),
    ("RESOURCE:MEMORY", Failure.TIMEOUT, "placement"),
    ("TaskFailedToStart: AGENT", Failure.TIMEOUT, "placement"),
    ("write /x: no space left on device", Failure.TOO_LARGE, "disk"),
    ("write /x: disk quota exceeded", Failure.TOO_LARGE, "disk"),
    ("no processor for media-type: unknown", Failure.MALFORMED, "media-type"),
    ("unsupported manifest media type and no default available", Failure.MALFORMED, "media-type"),
    ("mediaType in manifest should be x not y", Failure.MALFORMED, "media-type"),
    ("failed to get stream processor for application/x", Failure.MALFORMED, "media-type"),
    ("number of layers and diffIDs don't match: 3 != 4", Failure.MALFORMED, "media-type"),
    ("exec /app: exec format error", Failure.NO_PLATFORM, "exec"),
    ("failed to invoke EFS utils commands to set up EFS volumes: timed out", Failure.UNREACHABLE, "volume"),
    ("BUILD_CONTAINER_UNABLE_TO_PULL_IMAGE", Failure.DENIED, "build-image"),
    (
        "The image tag '1' already exists in the 'shop/cart' repository and cannot be overwritten",
        Failure.DENIED,
        "tag-immutable",
    ),
    ("cannot be overwritten because the tag is immutable", Failure.DENIED, "tag-immutable"),
    ("ImageTagAlreadyExistsException", Failure.DENIED, "tag-immutable"),
    ("LimitExceededException: too many images", Failure.TOO_LARGE, "quota"),
    ("Invalid Access Role in AuthenticationConfiguration", Failure.DENIED, "access-role"),
    ("Access denied for repository: shop/cart in registry ID: 210987654321.", Failure.DENIED, Action.MANIFEST),
    ("Secrets Manager can't find the specified secret", Failure.NOT_FOUND, "secret"),
    ("ParameterNotFound: none", Failure.NOT_FOUND, "secret"),
    ("invalid ssm parameters: /shop/db", Failure.NOT_FOUND, "secret"),
    ("retrieved secret from Secrets Manager did not contain json key user", Failure.NOT_FOUND, "secret"),
    ("CredentialsEndpointError: none", Failure.NO_ANSWER, Action.CREDENTIALS),
    ("failed to load credentials", Failure.NO_ANSWER, Action.CREDENTIALS),
    ("no EC2 IMDS role found", Failure.NO_ANSWER, Action.CREDENTIALS),
    ("EC2MetadataError: failed to make request", Failure.NO_ANSWER, Action.CREDENTIALS),
    ("NoCredentialProviders: none", Failure.NO_CREDENTIALS, Action.CREDENTIALS),
    ("Unable to locate credentials", Failure.NO_CREDENTIALS, Action.CREDENTIALS),
    ("NoCredentialsError", Failure.NO_CREDENTIALS, Action.CREDENTIALS),
    ("no valid providers in chain", Failure.NO_CREDENTIALS, Action.CREDENTIALS),
    ("lookup a.example on 10.0.0.2:53: no such host", Failure.NXDOMAIN, DNS),
    ("lookup a.example: server misbehaving", Failure.SERVFAIL, DNS),
    ("lookup a.example on [fd00::2]:53: cannot unmarshal DNS message", Failure.SERVFAIL, DNS),
    ("lookup a.example: no suitable address found", Failure.NO_ADDRESS, DNS),
    ("lookup a.example on 10.0.0.2:53: dial udp 10.0.0.2:53: connect: network is unreachable", Failure.NO_ANSWER, DNS),
    ("lookup a.example: operation was canceled", Failure.NO_ANSWER, DNS),
    ("lookup a.example: i/o timeout", Failure.NO_ANSWER, DNS),
    ("read udp 10.0.0.9:5555->10.0.0.2:53: i/o timeout", Failure.NO_ANSWER, DNS),
    ("curl: (6) Could not resolve host: a.example", Failure.NXDOMAIN, DNS),
    ("getaddrinfo ENOTFOUND a.example", Failure.NXDOMAIN, DNS),
    ("java.net.UnknownHostException: a.example", Failure.NXDOMAIN, DNS),
    ("no such host", Failure.NXDOMAIN, DNS),
    ("[Errno -2] Name or service not known", Failure.NXDOMAIN, DNS),
    ("nodename nor servname provided, or not known", Failure.NXDOMAIN, DNS),
    ("server can't find a.example: NXDOMAIN", Failure.NXDOMAIN, DNS),
    ("getaddrinfo EAI_AGAIN a.example", Failure.NO_ANSWER, DNS),
    ("Temporary failure in name resolution", Failure.NO_ANSWER, DNS),
    ("server can't find a.example: SERVFAIL", Failure.SERVFAIL, DNS),
    ("server misbehaving", Failure.SERVFAIL, DNS),
    ("No address associated with hostname", Failure.NO_ADDRESS, DNS),
    ("dial tcp 10.0.0.9:443: i/o timeout", Failure.TIMEOUT, TCP),
    ("dial tcp: i/o timeout", Failure.TIMEOUT, TCP),
    ("dial tcp 10.0.0.9:443: connectex: A connection attempt failed because", Failure.TIMEOUT, TCP),
    ("dial tcp 10.0.0.9:443: operation was canceled", Failure.TIMEOUT, TCP),
    ("dial tcp 10.0.0.9:443: connect: connection refused", Failure.REFUSED, TCP),
    ("dial tcp 10.0.0.9:443: connect: connection reset by peer", Failure.RESET, TCP),
    ("dial tcp 10.0.0.9:443: connect: no route to host", Failure.UNREACHABLE, TCP),
    ("dial tcp 10.0.0.9:443: connect: permission denied", Failure.PROHIBITED, TCP),
    ("connect ETIMEDOUT 10.0.0.9:443", Failure.TIMEOUT, TCP),
    ("connect ECONNREFUSED 10.0.0.9:443", Failure.REFUSED, TCP),
    ("connect EHOSTUNREACH 10.0.0.9:443", Failure.UNREACHABLE, TCP),
    ("Failed to connect to a.example port 443: Connection timed out", Failure.TIMEOUT, TCP),
    ("Failed to connect to a.example (10.0.0.9) port 443 after 9 ms: Couldn't connect to server", Failure.TIMEOUT, TCP),
    ("Failed to connect to a.example port 443: Connection refused", Failure.REFUSED, TCP),
    ("Connect to a.example:443 [a.example/10.0.0.9] failed: connect timed out", Failure.TIMEOUT, TCP),
    ("Connect to a.example:443 failed: Connection refused", Failure.REFUSED, TCP),
    ('Connect timeout on endpoint URL: "https://a.example/"', Failure.TIMEOUT, TCP),
    ("Connection to a.example timed out. (connect timeout=60)", Failure.TIMEOUT, TCP),
    ("net/http: TLS handshake timeout", Failure.TLS_STALL, TLS),
    ("SSL handshake timed out", Failure.TLS_STALL, TLS),
    ("x509: certificate is valid for a.example, b.example, not c.example", Failure.WRONG_NAME, TLS),
    ("certificate is not valid for 'c.example'", Failure.WRONG_NAME, TLS),
    ("Hostname mismatch", Failure.WRONG_NAME, TLS),
    ("no alternative certificate subject name matches target host name", Failure.WRONG_NAME, TLS),
    ("certificate has expired", Failure.EXPIRED, TLS),
    ("certificate is not yet valid", Failure.EXPIRED, TLS),
    ("x509: certificate signed by unknown authority", Failure.UNTRUSTED, TLS),
    ("[SSL: CERTIFICATE_VERIFY_FAILED]", Failure.UNTRUSTED, TLS),
    ("unable to get local issuer certificate", Failure.UNTRUSTED, TLS),
    ("self-signed certificate", Failure.UNTRUSTED, TLS),
    ("SSL certificate problem", Failure.UNTRUSTED, TLS),
    ("PKIX path building failed", Failure.UNTRUSTED, TLS),
    ("http: server gave HTTP response to HTTPS client", Failure.NOT_TLS, TLS),
    ("first record does not look like a TLS handshake", Failure.NOT_TLS, TLS),
    ("wrong version number", Failure.NOT_TLS, TLS),
    ("remote error: tls: handshake failure", Failure.TLS_RESET, TLS),
    ("SSL_ERROR_SYSCALL", Failure.TLS_RESET, TLS),
    ("UNEXPECTED_EOF_WHILE_READING", Failure.TLS_RESET, TLS),
    ("filesystem layer verification failed for digest sha256:1", Failure.BAD_DIGEST, Action.LAYER),
    ("unexpected commit digest sha256:1, expected sha256:2", Failure.BAD_DIGEST, Action.LAYER),
    ("digest mismatch", Failure.BAD_DIGEST, Action.LAYER),
    ("failed to verify the layer's digest", Failure.BAD_DIGEST, Action.LAYER),
    ("unexpected EOF", Failure.TRUNCATED, None),
    ("short read: expected 9 bytes but got 7", Failure.TRUNCATED, None),
    ("failed size validation: 7 != 9", Failure.TRUNCATED, None),
    ("IncompleteRead(7 bytes read)", Failure.TRUNCATED, None),
    ("stream error: stream ID 5; INTERNAL_ERROR", Failure.TRUNCATED, None),
    ("read tcp 10.0.0.1:5->10.0.0.9:443: read: connection reset by peer", Failure.RESET, None),
    ("write tcp 10.0.0.1:5->10.0.0.9:443: write: broken pipe", Failure.RESET, None),
    ("read tcp 10.0.0.1:5->10.0.0.9:443: i/o timeout", Failure.STALLED, None),
    ("net/http: timeout awaiting response headers", Failure.STALLED, None),
    ('Read timeout on endpoint URL: "None"', Failure.STALLED, None),
    ('Get "https://a.example/": EOF', Failure.RESET, None),
    ("connection reset by peer", Failure.RESET, None),
    ("read ECONNRESET", Failure.RESET, None),
    ("socket hang up", Failure.RESET, None),
    ("error parsing HTTP 403 response body: invalid character '<' at: \"<?xml", Failure.DENIED, Action.LAYER),
    ("<!DOCTYPE html><title>403 Forbidden</title>AccessDenied", Failure.NOT_AWS, None),
    ("<html>", Failure.NOT_AWS, None),
    ("invalid character '<' looking for beginning of value", Failure.NOT_AWS, None),
    ("no basic auth credentials", Failure.NO_CREDENTIALS, Action.CHALLENGE),
    ("failed to fetch anonymous token: unexpected status: 401 Unauthorized", Failure.NO_CREDENTIALS, Action.CHALLENGE),
    ("Signature expired: 1 is now earlier than 2", Failure.CLOCK, None),
    ("Signature not yet current: 1 is still later than 2", Failure.CLOCK, None),
    ("RequestTimeTooSkewed: far off", Failure.CLOCK, None),
    ("Your authorization token has expired", Failure.UNAUTHENTICATED, Action.MANIFEST),
    ("The provided token has expired", Failure.UNAUTHENTICATED, None),
    ("The provided token has expired", Failure.UNAUTHENTICATED, None),
    ("unexpected status: 401 Unauthorized", Failure.UNAUTHENTICATED, None),
    ("unauthorized: incorrect username or password", Failure.UNAUTHENTICATED, None),
    ("login attempt to https://a.example/v2/ failed", Failure.UNAUTHENTICATED, None),
    ("The security token included in the request is invalid", Failure.UNAUTHENTICATED, Action.TOKEN),
    ("UnrecognizedClientException: who", Failure.UNAUTHENTICATED, None),
    ("toomanyrequests: You have reached your pull rate limit. See https://a.example", Failure.THROTTLED, None),
    ("toomanyrequests: Too Many Requests. Please see https://docs.docker.com/x", Failure.THROTTLED, None),
    ("toomanyrequests: later", Failure.THROTTLED, None),
    ("Rate exceeded", Failure.THROTTLED, None),
    ("unexpected status: 429 Too Many Requests", Failure.THROTTLED, None),
    ("rate limit exceeded", Failure.THROTTLED, None),
    ("ThrottlingException", Failure.THROTTLED, None),
    ("<Code>SlowDown</Code>", Failure.THROTTLED, None),
    ("no matching manifest for linux/arm64/v8 in the manifest list", Failure.NO_PLATFORM, Action.MANIFEST),
    ("does not contain descriptor matching platform 'linux/amd64'", Failure.NO_PLATFORM, Action.MANIFEST),
    ("failed to find a descriptor for platform 0xc0", Failure.NO_PLATFORM, Action.MANIFEST),
    ("no match for platform in manifest", Failure.NO_PLATFORM, Action.MANIFEST),
    ('image operating system "windows" cannot be used on this platform', Failure.NO_PLATFORM, Action.MANIFEST),
    ("repository with name 'x' does not exist in the registry with id '1'", Failure.NOT_FOUND, Action.MANIFEST),
    ("name unknown: no", Failure.NOT_FOUND, Action.MANIFEST),
    ("manifest unknown: no", Failure.NOT_FOUND, Action.MANIFEST),
    ("Requested image not found", Failure.NOT_FOUND, Action.MANIFEST),
    ("blob unknown", Failure.NOT_FOUND, Action.BLOB),
    ("The specified log group does not exist", Failure.NOT_FOUND, Action.LOGS),
    ("log stream ecs/a does not exist", Failure.NOT_FOUND, Action.LOGS),
    (
        "pull access denied for x, repository does not exist or may require 'docker login'",
        Failure.NOT_FOUND,
        Action.MANIFEST,
    ),
    ("a.example/x:1: not found", Failure.NOT_FOUND, Action.MANIFEST),
    ("manifest for a.example/x:1 not found", Failure.NOT_FOUND, Action.MANIFEST),
    ("repo a.example/x not found", Failure.NOT_FOUND, Action.MANIFEST),
    ("unexpected status: 404 Not Found", Failure.NOT_FOUND, Action.MANIFEST),
    ("does not exist or no pull access", Failure.NOT_FOUND, Action.MANIFEST),
    ("ImageNotFoundException: none", Failure.NOT_FOUND, None),
    ("x is not authorized to perform: y", Failure.DENIED, None),
    ("unexpected status: 403 Forbidden", Failure.DENIED, None),
    ("HTTP/1.1 403 Forbidden", Failure.DENIED, None),
    ("failed with status: 403", Failure.DENIED, None),
    ("Access Denied", Failure.DENIED, None),
    ("AccessDeniedException", Failure.DENIED, None),
    ("denied: requested access", Failure.DENIED, None),
    ("because no permissions boundary policy allows the ecr:BatchGetImage action", Failure.DENIED, None),
    ("with an explicit deny in a service control policy", Failure.DENIED, None),
    ("502 Bad Gateway", Failure.SERVER_ERROR, None),
    ("https response error StatusCode: 503", Failure.SERVER_ERROR, None),
    ("InternalFailure", Failure.SERVER_ERROR, None),
    ("Connection refused", Failure.REFUSED, TCP),
    ("Network is unreachable", Failure.UNREACHABLE, TCP),
    ("No route to host", Failure.UNREACHABLE, TCP),
    ("connect: cannot assign requested address", Failure.UNREACHABLE, TCP),
    ("Host is unreachable", Failure.UNREACHABLE, TCP),
)
# ECS's messages about the end of a task: they are part of most stops, so they decide only where nothing else matches.
TASK_ENDS: tuple[tuple[str, Failure, str], ...] = (
    ("Could not transition to started; timed out after waiting 3m0s", Failure.TIMEOUT, "timeout"),
    ("Could not transition to pulled; timed out after waiting 2h0m0s", Failure.TIMEOUT, "slow-pull"),
    ("Could not transition to created; timed out after waiting 4m0s", Failure.TIMEOUT, "slow-create"),
    ("Could not transition to stopped; timed out after waiting 30s", Failure.TIMEOUT, "slow-stop"),
    ("Essential container in task exited", Failure.TRUNCATED, "ended"),
    ("Task failed ELB health checks in (target-group x)", Failure.TRUNCATED, "ended"),
    ("Task failed container health checks", Failure.TRUNCATED, "ended"),
    ("OutOfMemoryError: Container killed due to memory usage", Failure.TRUNCATED, "ended"),
    ("Scaling activity initiated by (deployment ecs-svc/1)", Failure.TRUNCATED, "ended"),
    ("Task stopped by user", Failure.TRUNCATED, "ended"),
    ("Spot interruption", Failure.TRUNCATED, "ended"),
    ("Your Spot Task was interrupted.", Failure.TRUNCATED, "ended"),
    ("Host EC2 (instance i-1) stopped / terminated", Failure.TRUNCATED, "ended"),
)
TIMEOUTS = (
    "request canceled while waiting for connection",
    "(Client.Timeout exceeded while awaiting headers)",
    "signal: killed",
    "https response error StatusCode: 0, RequestID: ",
    "RequestCanceled",
    "request context canceled",
    "net/http: request canceled",
    "context deadline exceeded",
    "context canceled",
    "i/o timeout",
    "Could not connect to the endpoint URL",
    "Connection timed out",
    "ETIMEDOUT",
)
HINTS = ("There is a connection issue between the task and Amazon ECR.", "Check your task network configuration.")


EVERY_TEXT = (
    *(text for text, _, _ in (*SAMPLES, *TASK_ENDS)),
    *TIMEOUTS,
    *HINTS,
    *AGENT_SETTINGS,
    *client_messages.ALL,
    *(message for message, _, _ in source_lists.MESSAGES),
    *(sample.text for sample in (*SERVICE_SAMPLES, *LOGIN_SAMPLES, *RUNTIME_SAMPLES)),
)


@pytest.mark.parametrize(("text", "failure", "about"), SAMPLES, ids=lambda sample: str(sample)[:60])
def test_the_text_means_the_failure(text: str, failure: Failure, about: Action | str | None) -> None:
    for record in (text, f"CannotPullContainerError: {text}", f"context deadline exceeded: {text}"):
        match = deciding_match(record)
        assert match is not None
        assert match.failure is failure
        assert (match.subject or match.action) == about


@pytest.mark.parametrize(
    ("text", "names", "groups"),
    [
        ("lookup a.example on 10.0.0.2:53: no such host", "host server", ("a.example", "10.0.0.2")),
        ("lookup a.example on [fd00::2]:53: server misbehaving", "host server", ("a.example", "[fd00::2]")),
        ("lookup a.example: read udp 10.0.0.9:5->10.0.0.2:53: i/o timeout", "host server", ("a.example", "10.0.0.2")),
        ("Could not resolve host: a.example", "host", ("a.example",)),
        ("getaddrinfo ENOTFOUND a.example", "host", ("a.example",)),
        ("getaddrinfo EAI_AGAIN a.example", "host", ("a.example",)),
        ("dial tcp 10.0.0.9:8443: i/o timeout", "address port", ("10.0.0.9", "8443")),
        ("dial tcp [fd00::9]:443: connect: connection refused", "address port", ("[fd00::9]", "443")),
        ("dial tcp 10.0.0.1:5->10.0.0.9:443: connect: no route to host", "address port", ("10.0.0.9", "443")),
        ("dial tcp *.*.*.*:443: connect: network is unreachable", "address port", (None, "443")),
        ("connect ETIMEDOUT 10.0.0.9:443", "address port", ("10.0.0.9", "443")),
        ("connect ECONNREFUSED 10.0.0.9:443", "address port", ("10.0.0.9", "443")),
        (
            "Failed to connect to a.example (10.0.0.9) port 443 after 9 ms: Connection refused",
            "host address",
            ("a.example", "10.0.0.9"),
        ),
        (
            "Connect to a.example:443 [a.example/10.0.0.9] failed: connect timed out",
            "host address",
            ("a.example", "10.0.0.9"),
        ),
        ("Connect to a.example:443 failed: Connection refused", "host", ("a.example",)),
        ("Connection to a.example timed out.", "host", ("a.example",)),
        ("read tcp 10.0.0.1:5->10.0.0.9:443: i/o timeout", "address port", ("10.0.0.9", "443")),
        ("certificate is valid for a.example, *.b.example, not c.example", "names", ("a.example, *.b.example",)),
        (
            "Certificate for <a.example> doesn't match any of the subject alternative names: [b.example, *.c.example]",
            "host names",
            ("a.example", "b.example, *.c.example"),
        ),
        (
            "Hostname/IP does not match certificate's altnames: Host: a.example. is not in the cert's altnames: "
            "DNS:b.example",
            "host names",
            ("a.example", "b.example"),
        ),
        ('certificate not valid for name "a.example"; certificate is only valid for b', "host", ("a.example",)),
        ("a.example: resolve call failed: Query timed out", "host", ("a.example",)),
        ("Network is unreachable (a.example:443)", "host", ("a.example",)),
        ("no matching manifest for linux/arm64/v8 in the manifest list", "platform", ("linux/arm64/v8",)),
        ("does not contain descriptor matching platform 'linux/amd64'", "platform", ("linux/amd64",)),
        ("toomanyrequests: You have reached your pull rate limit. Rate exceeded", "code", (DOCKER_HUB,)),
        ("toomanyrequests: Too Many Requests. Please see https://docs.docker.com/x", "code", (DOCKER_HUB,)),
        ("toomanyrequests: later", "code", (None,)),
        ("name unknown", "code", ("NAME_UNKNOWN",)),
    ],
)
def test_the_pattern_captures_its_groups(text: str, names: str, groups: tuple[str | None, ...]) -> None:
    match = deciding_match(text)
    assert match is not None
    assert tuple(getattr(match, name) for name in names.split()) == groups


@pytest.mark.parametrize(("text", "failure", "subject"), TASK_ENDS)
def test_the_end_of_a_task_yields_to_the_reason(text: str, failure: Failure, subject: str) -> None:
    match = deciding_match(text)
    assert match is not None
    assert (match.failure, match.subject, match.weight) == (failure, subject, Weight.FAINT)
    combined = deciding_match(f"no basic auth credentials. {text}")
    assert combined is not None
    assert combined.failure is Failure.NO_CREDENTIALS


@pytest.mark.parametrize("text", TIMEOUTS)
def test_a_bare_timeout_yields_to_a_specific_failure(text: str) -> None:
    match = deciding_match(text)
    assert match is not None
    assert (match.failure, match.action, match.weight) == (Failure.TIMEOUT, TCP, Weight.WEAK)
    combined = deciding_match(f"no basic auth credentials: {text}")
    assert combined is not None
    assert combined.failure is Failure.NO_CREDENTIALS


@pytest.mark.parametrize("text", [*HINTS, *AGENT_SETTINGS])
def test_a_hint_in_a_headline_yields_to_every_other_match(text: str) -> None:
    match = deciding_match(text)
    assert match is not None
    assert match.weight is Weight.FAINT
    combined = deciding_match(f"signal: killed. {text}")
    assert combined is not None
    assert combined.weight is Weight.WEAK


@pytest.mark.parametrize("text", ["all is well", "the image was pulled", "GetAuthorizationToken", "exit code 1", ""])
def test_text_without_an_error_matches_nothing(text: str) -> None:
    assert deciding_match(text) is None


def test_every_pattern_has_a_sample() -> None:
    samples = [sample.lower() for sample in EVERY_TEXT]
    unmatched = [row for row in PATTERNS if not any(row.pattern.search(sample) for sample in samples)]
    assert unmatched == []


def test_every_alternative_of_a_pattern_has_a_sample() -> None:
    samples = [sample.lower() for sample in EVERY_TEXT]
    unmatched = [
        alternative
        for row in PATTERNS
        for alternative in _alternatives(row.pattern.pattern)
        if not any(re.search(alternative, sample) for sample in samples)
    ]
    assert unmatched == []


def _alternatives(pattern: str) -> list[str]:
    """The alternatives of a pattern at its outermost level."""
    alternatives, depth, current = [], 0, ""
    for token in re.findall(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|.", pattern, re.DOTALL):  # escapes, classes, characters
        depth += (token == "(") - (token == ")")
        if token == "|" and depth == 0:
            alternatives.append(current)
            current = ""
        else:
            current += token
    return [*alternatives, current]


# ---- round trips ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "endpoint", "action"),
    [
        ("unable to retrieve ecr registry auth", "ecr.api", Action.TOKEN),
        ("The task cannot pull registry auth from Amazon ECR", "ecr.api", Action.TOKEN),
        ("when calling the GetAuthorizationToken operation", "ecr.api", Action.TOKEN),
        ("CannotPullECRContainerError", "ecr.api", Action.TOKEN),
        ("CannotPullContainerAuthError", "ecr.api", Action.TOKEN),
        ("unable to retrieve secret from asm", "secretsmanager", Action.REQUEST),
        ("operation error Secrets Manager: x", "secretsmanager", Action.REQUEST),
        ("arn:aws:secretsmanager:eu-west-1:1:secret:x", "secretsmanager", Action.REQUEST),
        ("calling GetSecretValue", "secretsmanager", Action.REQUEST),
        ("unable to retrieve secrets from ssm", "ssm", Action.REQUEST),
        ("ssm:GetParameters", "ssm", Action.REQUEST),
        ("no such SSM parameter", "ssm", Action.REQUEST),
        ("operation error SSM: x", "ssm", Action.REQUEST),
        ("calling GetParameters", "ssm", Action.REQUEST),
        ("kms:Decrypt", "kms", Action.REQUEST),
        ("operation error KMS: x", "kms", Action.REQUEST),
        ("failed to validate logger args", "logs", Action.LOGS),
        ("failed to initialize logging driver", "logs", Action.LOGS),
        ("find the Amazon CloudWatch log group", "logs", Action.LOGS),
        ("create a log stream", "logs", Action.LOGS),
        ("logs:CreateLogGroup", "logs", Action.LOGS),
        ("logs:PutLogEvents", "logs", Action.LOGS),
        ("CreateLogStream API", "logs", Action.LOGS),
        ("PutLogEvents API", "logs", Action.LOGS),
        ("operation error CloudWatch Logs: x", "logs", Action.LOGS),
        ("the awslogs driver", "logs", Action.LOGS),
        ("inspect image has been retried 1 time(s)", "ecr.dkr", Action.MANIFEST),
        ("pull image manifest has been retried 1 time(s)", "ecr.dkr", Action.MANIFEST),
        ("failed to resolve reference", "ecr.dkr", Action.MANIFEST),
        ("x/manifests/1", "ecr.dkr", Action.MANIFEST),
        ("unexpected status code [manifests 1]", "ecr.dkr", Action.MANIFEST),
        ("manifest for x", "ecr.dkr", Action.MANIFEST),
        ("manifest unknown", "ecr.dkr", Action.MANIFEST),
        ("CannotPullImageManifestError", "ecr.dkr", Action.MANIFEST),
        ("ecr:BatchGetImage", "ecr.dkr", Action.MANIFEST),
        ("no matching manifest", "ecr.dkr", Action.MANIFEST),
        ("ecr:GetDownloadUrlForLayer", "ecr.dkr", Action.BLOB),
        ("ecr:BatchCheckLayerAvailability", "ecr.dkr", Action.BLOB),
        ("x/blobs/sha256:1", "ecr.dkr", Action.BLOB),
        ("error pulling image configuration", "s3", Action.LAYER),
        ("ref pull has been retried 1 time(s)", "s3", Action.LAYER),
        ("failed to copy", "s3", Action.LAYER),
        ("httpReadSeeker", "s3", Action.LAYER),
        ("prod-eu-west-1-starport-layer-bucket", "s3", Action.LAYER),
        ("REDACTED ECR URL related to x", "s3", Action.LAYER),
        ("GetImageBlob1", "s3", Action.LAYER),
        ("failed to extract layer", "s3", Action.LAYER),
        ("failed commit on ref layer-sha256:1", "s3", Action.LAYER),
        ("filesystem layer verification", "s3", Action.LAYER),
        ("s3:GetObject", "s3", Action.LAYER),
        ("failed to download env files", "s3", Action.REQUEST),
        ("no such environment file", "s3", Action.REQUEST),
        ("Error connecting to ACS", "ecs-agent", Action.REQUEST),
        ('module="acs handler"', "ecs-agent", Action.REQUEST),
        ("Error connecting to TCS", "ecs-telemetry", Action.REQUEST),
        ('module="tcs handler"', "ecs-telemetry", Action.REQUEST),
        ("Unable to discover poll endpoint", "ecs", Action.REQUEST),
        ("RegisterContainerInstance", "ecs", Action.REQUEST),
        ("DiscoverPollEndpoint", "ecs", Action.REQUEST),
        ("operation error ECS: x", "ecs", Action.REQUEST),
        ("agent can't register instance", "ecs", Action.REQUEST),
        ("operation error STS: x", "sts", Action.REQUEST),
        ("sts:AssumeRole", "sts", Action.REQUEST),
        ("CannotPullContainer", "ecr.dkr", Action.MANIFEST),
        ("Failed to pull", "ecr.dkr", Action.MANIFEST),
        ("ImagePullBackOff", "ecr.dkr", Action.MANIFEST),
        ("ErrImagePull", "ecr.dkr", Action.MANIFEST),
        ("POST /v1.44/images/create", "ecr.dkr", Action.MANIFEST),
        ("pull access denied", "ecr.dkr", Action.MANIFEST),
        ("The task can't pull the image", "ecr.dkr", Action.MANIFEST),
        ("The task cannot pull x", "ecr.dkr", Action.MANIFEST),
        ("unable to pull secrets or registry auth", "ecr.api", Action.TOKEN),
    ],
)
def test_the_text_names_the_round_trip(text: str, endpoint: str, action: Action) -> None:
    for record in (text, f"unable to pull secrets or registry auth: {text}", f"CannotPullContainerError: {text}"):
        round_trip = round_trip_in_text(record)
        assert round_trip is not None
        if round_trip.sure or record == text:
            assert (round_trip.endpoint, round_trip.action) == (endpoint, action)


def test_the_round_trip_that_is_named_last_counts() -> None:
    round_trip = round_trip_in_text("failed to resolve ref x: later, failed to copy: httpReadSeeker")
    assert round_trip is not None
    assert round_trip.endpoint == "s3"


@pytest.mark.parametrize(
    ("endpoint", "path", "action"),
    [
        ("ecr.api", "/", Action.TOKEN),
        ("ecr-legacy", "/", Action.TOKEN),
        ("ecr.dkr", "/v2/", Action.CHALLENGE),
        ("ecr.dkr", "/v2/x/manifests/1", Action.MANIFEST),
        ("ecr.dkr", "/v2/x/blobs/sha256:1", Action.BLOB),
        ("s3", "/x", Action.LAYER),
        ("logs", "/", Action.LOGS),
        ("kms", "/", Action.REQUEST),
    ],
)
def test_a_url_belongs_to_its_round_trip(endpoint: str, path: str, action: Action) -> None:
    round_trip = round_trip_of_url(endpoint, path)
    assert (round_trip.endpoint, round_trip.action) == (endpoint, action)

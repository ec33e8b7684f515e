"""Error messages as clients write them: (message, failure, action or subject). Hosts and accounts are invented.

One list per writer, in the words of its source. Each message stands alone, as the last clause of a longer error does.
The messages that a source has in one list are in `source_lists`.
"""

from __future__ import annotations

import inspect
import re

import botocore.exceptions

from probe.model import Action, Failure
from tests.explain import credential_messages, registry_messages

DNS, TCP, TLS, CREDENTIALS = Action.DNS, Action.TCP, Action.TLS, Action.CREDENTIALS
Message = tuple[str, Failure, Action | str | None]
# What can stand in front of every message.
HEADLINES = ("", "CannotPullContainerError: ", "failed to do request: ", "rpc error: code = Unknown desc = ")
API = "api.ecr.eu-north-1.amazonaws.com"
REGISTRY = "123456789012.dkr.ecr.eu-north-1.amazonaws.com"
_GO = f'Get "https://{REGISTRY}/v2/": '

# net, net/http, golang.org/x/net/http2, crypto/tls, crypto/x509
GO: tuple[Message, ...] = (
    (f"lookup {API} on 10.0.0.2:53: no such host", Failure.NXDOMAIN, DNS),
    (f"lookup {API} on 10.0.0.2:53: server misbehaving", Failure.SERVFAIL, DNS),
    (f"lookup {API}: no suitable address found", Failure.NO_ADDRESS, DNS),
    (f"lookup {API}: i/o timeout", Failure.NO_ANSWER, DNS),
    (f"lookup {API}: Temporary failure in name resolution", Failure.NO_ANSWER, DNS),
    (f"lookup {API} on 10.0.0.2:53: read udp 10.0.1.9:4411->10.0.0.2:53: i/o timeout", Failure.NO_ANSWER, DNS),
    (f"lookup {API} on 10.0.0.2:53: dial udp 10.0.0.2:53: connect: network is unreachable", Failure.NO_ANSWER, DNS),
    ("dial tcp 10.0.0.9:443: i/o timeout", Failure.TIMEOUT, TCP),
    ("dial tcp4 10.0.0.9:443: connect: connection timed out", Failure.TIMEOUT, TCP),
    ("dial tcp 10.0.0.9:443: connect: operation timed out", Failure.TIMEOUT, TCP),  # macOS
    ("dial tcp [fd00::9]:443: connect: cannot assign requested address", Failure.UNREACHABLE, TCP),
    ("dial tcp [fd00::9]:443: connect: can't assign requested address", Failure.UNREACHABLE, TCP),
    ("dial tcp 10.0.0.9:443: connect: host is down", Failure.UNREACHABLE, TCP),
    ("dial tcp 10.0.0.9:443: connect: network is down", Failure.UNREACHABLE, TCP),
    ("dial tcp6 [fd00::9]:443: connect: address family not supported by protocol", Failure.UNREACHABLE, TCP),
    ("dial tcp 10.0.0.9:443: connect: operation not permitted", Failure.PROHIBITED, TCP),
    ("dial tcp 10.0.0.9:443: connect: software caused connection abort", Failure.RESET, TCP),
    ("dial tcp 10.0.0.9:443: operation was canceled", Failure.TIMEOUT, TCP),
    (f"{_GO}net/http: HTTP/1.x transport connection broken: unexpected EOF", Failure.TRUNCATED, None),
    (f"{_GO}net/http: HTTP/1.x transport connection broken: malformed HTTP response", Failure.TRUNCATED, None),
    (f"{_GO}http2: client connection force closed via ClientConn.Close", Failure.TRUNCATED, None),
    (f"{_GO}http2: server sent GOAWAY and closed the connection; LastStreamID=1", Failure.TRUNCATED, None),
    ("stream error: stream ID 7; REFUSED_STREAM; received from peer", Failure.TRUNCATED, None),
    ("read tcp 10.0.1.9:4411->10.0.0.9:443: use of closed network connection", Failure.TRUNCATED, None),
    ("ssh: connection closed by remote host", Failure.RESET, None),
    (f"{_GO}EOF", Failure.RESET, None),
    (f"{_GO}write tcp 10.0.1.9:4411->10.0.0.9:443: write: broken pipe", Failure.RESET, None),
    (f"{_GO}read tcp 10.0.1.9:4411->10.0.0.9:443: read: connection timed out", Failure.STALLED, None),
    ("tls: first record does not look like a TLS handshake", Failure.NOT_TLS, TLS),
    ("local error: tls: bad record MAC", Failure.TLS_RESET, TLS),
    ("tls: server selected unsupported protocol version 301", Failure.TLS_RESET, TLS),
    (
        "x509: certificate contains an unhandled critical extension: unhandled critical extension",
        Failure.UNTRUSTED,
        TLS,
    ),
    (
        "x509: certificate has expired or is not yet valid: current time 2026-01-02T00:00:00Z is after "
        "2026-01-01T00:00:00Z",
        Failure.EXPIRED,
        TLS,
    ),
    ("x509: certificate is valid for a.example, b.example, not c.example", Failure.WRONG_NAME, TLS),
    ("x509: certificate is not valid for any names, but wanted to match c.example", Failure.WRONG_NAME, TLS),
    (f"{_GO}proxyconnect tcp: dial tcp 10.9.9.9:3128: i/o timeout", Failure.TIMEOUT, "proxy"),
    ('invalid proxy address "http//proxy": parse error', Failure.MALFORMED, "proxy"),
    ('Post "ecr.local/": unsupported protocol scheme ""', Failure.MALFORMED, "client-settings"),
    ('parse "10.0.0.9:443": first path segment in URL cannot contain colon', Failure.MALFORMED, "client-settings"),
    ('parse "https://a.example:x/": invalid port ":x" after host', Failure.MALFORMED, "client-settings"),
    ("net/url: invalid control character in URL", Failure.MALFORMED, "client-settings"),
    ("dial unix /var/run/docker.sock: connect: no such file or directory", Failure.NO_ANSWER, "runtime"),
)
# FormatMessage of Windows Sockets' errors, as Go and .NET show them
WINDOWS: tuple[Message, ...] = (
    (
        "read tcp 10.0.1.9:4411->10.0.0.9:443: wsarecv: An existing connection was forcibly closed by the remote host.",
        Failure.RESET,
        None,
    ),
    (
        "write tcp 10.0.1.9:4411->10.0.0.9:443: wsasend: An established connection was aborted by the software in your "
        "host machine.",
        Failure.RESET,
        None,
    ),
    (
        "The connection has been broken due to keep-alive activity detecting a failure while the operation was in "
        "progress.",
        Failure.RESET,
        None,
    ),
    (
        "read tcp 10.0.1.9:4411->10.0.0.9:443: wsarecv: A connection attempt failed because the connected "
        "party did not "
        "properly respond after a period of time, or established connection failed because connected host has failed "
        "to respond.",
        Failure.STALLED,
        None,
    ),
    (
        f"lookup {API}: getaddrinfow: This is usually a temporary error during hostname resolution and means that the "
        "local server did not receive a response from an authoritative server.",
        Failure.NO_ANSWER,
        DNS,
    ),
    ("failed to register layer: write C:\\layer: There is not enough space on the disk.", Failure.TOO_LARGE, "disk"),
    ("The disk is full.", Failure.TOO_LARGE, "disk"),
)
# OpenSSL, libcurl, wget
CURL: tuple[Message, ...] = (
    ("curl: (5) Could not resolve proxy: proxy.example", Failure.TIMEOUT, "proxy"),
    (f"curl: (28) Failed to connect to {API} port 443 after 9 ms: Connection timed out", Failure.TIMEOUT, TCP),
    (f"curl: (7) Failed to connect to {API} port 443 after 9 ms: Could not connect to server", Failure.TIMEOUT, TCP),
    (f"curl: (7) Failed to connect to {API} port 443: Connection refused", Failure.REFUSED, TCP),
    (f"curl: (7) Failed to connect to {API} port 443: No route to host", Failure.UNREACHABLE, TCP),
    ("curl: (28) SSL connection timeout", Failure.TLS_STALL, TLS),
    ("curl: (35) OpenSSL SSL_connect: SSL_ERROR_SYSCALL in connection to a.example:443", Failure.TLS_RESET, TLS),
    ("error:0A00042E:SSL routines::tlsv1 alert protocol version", Failure.TLS_RESET, TLS),
    ("verify error:num=21:unable to verify the first certificate", Failure.UNTRUSTED, TLS),
    ("SSL: no alternative certificate subject name matches target host name 'a.example'", Failure.WRONG_NAME, TLS),
    ("SSL: certificate subject name 'b.example' does not match target host name 'a.example'", Failure.WRONG_NAME, TLS),
    ("curl: (18) transfer closed with 99 bytes remaining to read", Failure.TRUNCATED, None),
    ("curl: (56) Received HTTP code 403 from proxy after CONNECT", Failure.DENIED, "proxy"),
    ("curl: (56) CONNECT tunnel failed, response 503", Failure.DENIED, "proxy"),
    ("curl: (1) Unsupported URL scheme", Failure.MALFORMED, "client-settings"),
    ("curl: (3) No scheme present", Failure.MALFORMED, "client-settings"),
    ("curl: (3) Bad scheme", Failure.MALFORMED, "client-settings"),
    ("curl: (55) Send failure: Broken pipe", Failure.RESET, None),
    (f"wget: unable to resolve host address '{API}'", Failure.NXDOMAIN, DNS),
    (f"wget: bad address '{API}'", Failure.NXDOMAIN, DNS),  # BusyBox
)
# ssl, urllib3, requests, botocore
PYTHON: tuple[Message, ...] = (
    (f"Failed to resolve '{API}' ([Errno -2] Name or service not known)", Failure.NXDOMAIN, DNS),
    (f"Failed to resolve '{API}' ([Errno -3] Temporary failure in name resolution)", Failure.NO_ANSWER, DNS),
    ("Failed to establish a new connection: [Errno 111] Connection refused", Failure.REFUSED, TCP),
    ("Failed to establish a new connection: [Errno 101] Network is unreachable", Failure.UNREACHABLE, TCP),
    ("Failed to establish a new connection: [Errno 1] Operation not permitted", Failure.PROHIBITED, TCP),
    (f"Connection to {API} timed out. (connect timeout=60)", Failure.TIMEOUT, TCP),
    ("HTTPSConnectionPool(host='a.example', port=443): Read timed out. (read timeout=60)", Failure.STALLED, None),
    ("('Connection aborted.', ConnectionResetError(104, 'Connection reset by peer'))", Failure.RESET, None),
    ("RemoteDisconnected('Remote end closed connection without response')", Failure.RESET, None),
    ("Connection broken: IncompleteRead(9 bytes read, 90 more expected)", Failure.TRUNCATED, None),
    ("_ssl.c:999: The handshake operation timed out", Failure.TLS_STALL, TLS),
    ("EOF occurred in violation of protocol (_ssl.c:2396)", Failure.TLS_RESET, TLS),
    ("[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1000)", Failure.NOT_TLS, TLS),
    ("[SSL: UNSUPPORTED_PROTOCOL] unsupported protocol (_ssl.c:1000)", Failure.TLS_RESET, TLS),
    ("[SSL: TLSV1_ALERT_PROTOCOL_VERSION] tlsv1 alert protocol version (_ssl.c:1000)", Failure.TLS_RESET, TLS),
    (
        "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: unable to get issuer certificate (_ssl.c:1000)",
        Failure.UNTRUSTED,
        TLS,
    ),
    (
        "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: Hostname mismatch, certificate is not valid for "
        "'a.example'. (_ssl.c:1000)",
        Failure.WRONG_NAME,
        TLS,
    ),
    ("hostname 'a.example' doesn't match 'b.example'", Failure.WRONG_NAME, TLS),
    ("ProxyError('Cannot connect to proxy.', OSError())", Failure.TIMEOUT, "proxy"),
    ("Tunnel connection failed: 403 Forbidden", Failure.DENIED, "proxy"),
)
# java.net, sun.security.ssl, Apache HttpClient, Netty, the AWS SDKs for Java
JAVA: tuple[Message, ...] = (
    (f"java.net.UnknownHostException: {API}", Failure.NXDOMAIN, DNS),
    ("Received an UnknownHostException when attempting to interact with a service.", Failure.NXDOMAIN, DNS),
    (f"Connect to {API}:443 [{API}/10.0.0.9] failed: connect timed out", Failure.TIMEOUT, TCP),
    (f"Connect to {API}:443 [{API}/10.0.0.9] failed: Connection refused (Connection refused)", Failure.REFUSED, TCP),
    (f"Connect to {API}:443 [{API}/10.0.0.9] failed: Network is unreachable", Failure.UNREACHABLE, TCP),
    (f"io.netty.channel.ConnectTimeoutException: connection timed out: {API}/10.0.0.9:443", Failure.TIMEOUT, TCP),
    ("java.net.NoRouteToHostException: No route to host", Failure.UNREACHABLE, TCP),
    ("java.net.SocketTimeoutException: Read timed out", Failure.STALLED, None),
    ("java.net.SocketException: Connection reset", Failure.RESET, None),
    ("NoHttpResponseException: a.example:443 failed to respond", Failure.RESET, None),
    ("The target server failed to respond", Failure.RESET, None),
    ("Premature end of Content-Length delimited message body (expected: 9; received: 7", Failure.TRUNCATED, None),
    ("io.netty.handler.ssl.SslHandshakeTimeoutException: handshake timed out after 10000ms", Failure.TLS_STALL, TLS),
    ("javax.net.ssl.SSLHandshakeException: Remote host closed connection during handshake", Failure.TLS_RESET, TLS),
    ("PKIX path validation failed: validity check failed", Failure.EXPIRED, TLS),
    ("java.security.cert.CertificateExpiredException: NotAfter: 2026", Failure.EXPIRED, TLS),
    ("java.security.cert.CertificateNotYetValidException: NotBefore: 2026", Failure.EXPIRED, TLS),
    ("Unable to load AWS credentials from any provider in the chain", Failure.NO_CREDENTIALS, CREDENTIALS),
    ("Unable to load credentials from any of the providers in the chain", Failure.NO_CREDENTIALS, CREDENTIALS),
    ("Unable to contact EC2 metadata service.", Failure.NO_ANSWER, CREDENTIALS),
    ("Failed to load credentials from IMDS.", Failure.NO_ANSWER, CREDENTIALS),
    ("Unable to find a region via the region provider chain.", Failure.MALFORMED, "client-settings"),
)
# System.Net.Http, System.Net.Security, the AWS SDK for .NET
DOTNET: tuple[Message, ...] = (
    (
        "The remote certificate is invalid because of errors in the certificate chain: UntrustedRoot",
        Failure.UNTRUSTED,
        TLS,
    ),
    ("because of errors in the certificate chain: PartialChain", Failure.UNTRUSTED, TLS),
    ("Unable to get IAM security credentials from EC2 Instance Metadata Service.", Failure.NO_ANSWER, CREDENTIALS),
    ("Failed to resolve AWS credentials.", Failure.NO_CREDENTIALS, CREDENTIALS),
    ("No RegionEndpoint or ServiceURL configured", Failure.MALFORMED, "client-settings"),
)
# libuv, node:tls, undici, the AWS SDK for JavaScript
NODE: tuple[Message, ...] = (
    ("read ECONNRESET", Failure.RESET, None),
    ("write EPIPE", Failure.RESET, None),
    ("read ECONNABORTED", Failure.RESET, None),
    ("SocketError: other side closed", Failure.RESET, None),
    ("HeadersTimeoutError: UND_ERR_HEADERS_TIMEOUT", Failure.STALLED, None),
    ("Error: Premature close", Failure.TRUNCATED, None),
    ("Client network socket disconnected before secure TLS connection was established", Failure.TLS_RESET, TLS),
    (
        "Hostname/IP does not match certificate's altnames: Host: a.example. is not in the cert's altnames: DNS:b",
        Failure.WRONG_NAME,
        TLS,
    ),
    ("CredentialsProviderError: Could not load credentials from any providers", Failure.NO_CREDENTIALS, CREDENTIALS),
    ("Error: response aborted", Failure.TRUNCATED, None),
    ("content-length mismatch: expected 9, received 7", Failure.TRUNCATED, None),
    ("write ENETRESET", Failure.RESET, None),
    ("ENOSPC: no space left on device, write", Failure.TOO_LARGE, "disk"),
    ("CredentialsError: Missing credentials in config", Failure.NO_CREDENTIALS, CREDENTIALS),
    ("Error: Region is missing", Failure.MALFORMED, "client-settings"),
    ("ConfigError: Missing region in config", Failure.MALFORMED, "client-settings"),
)
# std::io, hyper, rustls, the AWS SDK for Rust
RUST: tuple[Message, ...] = (
    ("tcp connect error: Connection refused (os error 111)", Failure.REFUSED, TCP),
    ("tcp connect error: Network is unreachable (os error 101)", Failure.UNREACHABLE, TCP),
    ("end of file before message length reached", Failure.TRUNCATED, None),
    ("received fatal alert: HandshakeFailure", Failure.TLS_RESET, TLS),
    ("failed to load IMDS session token", Failure.NO_ANSWER, CREDENTIALS),
    ("no providers in chain provided credentials", Failure.NO_CREDENTIALS, CREDENTIALS),
    ("the credential provider was not enabled", Failure.NO_CREDENTIALS, CREDENTIALS),
)
# aws-sdk-go, aws-sdk-go-v2, smithy-go: middleware, config, credentials, feature/ec2/imds, retry
AWS_GO: tuple[Message, ...] = (
    ("NoCredentialProviders: no valid providers in chain", Failure.NO_CREDENTIALS, CREDENTIALS),
    ("EC2RoleRequestError: no EC2 instance role found", Failure.NO_ANSWER, CREDENTIALS),
    ("EC2MetadataError: failed to make EC2Metadata request", Failure.NO_ANSWER, CREDENTIALS),
    ("no EC2 IMDS role found, operation error ec2imds: GetMetadata", Failure.NO_ANSWER, CREDENTIALS),
    ("failed to read EC2 IMDS role, unexpected end", Failure.NO_ANSWER, CREDENTIALS),
    ("failed to get shop-role EC2 IMDS role credentials", Failure.NO_ANSWER, CREDENTIALS),
    ("request to EC2 IMDS failed", Failure.NO_ANSWER, CREDENTIALS),
    ("error in credential_process: exit status 1", Failure.NO_ANSWER, CREDENTIALS),
    ("credential process timed out: signal", Failure.NO_ANSWER, CREDENTIALS),
    ("Unable to retrieve instance metadata service token", Failure.NO_ANSWER, CREDENTIALS),
    ("failed to get instance metadata", Failure.NO_ANSWER, CREDENTIALS),
    ("static credentials are empty", Failure.NO_CREDENTIALS, CREDENTIALS),
    (
        "failed to resolve service endpoint, endpoint rule error, Invalid Configuration: FIPS and custom endpoint are "
        "not supported",
        Failure.MALFORMED,
        "client-settings",
    ),
    ("UnknownEndpointError: could not resolve endpoint", Failure.MALFORMED, "client-settings"),
    ("unable to resolve service endpoint", Failure.MALFORMED, "client-settings"),
    ("Invalid URL: ecr.local", Failure.MALFORMED, "client-settings"),
    ("FIPS is enabled but this partition does not support FIPS", Failure.MALFORMED, "client-settings"),
    ("DualStack is enabled, but this partition does not support DualStack.", Failure.MALFORMED, "client-settings"),
    (
        "FIPS and DualStack are enabled, but this partition does not support one or both",
        Failure.MALFORMED,
        "client-settings",
    ),
    ("an AWS region is required, but was not found", Failure.MALFORMED, "client-settings"),
    ("failed to get shared config profile, shop", Failure.MALFORMED, "client-settings"),
    ("failed to load shared config file, /root/.aws/config", Failure.MALFORMED, "client-settings"),
    ("failed to get rate limit token, retry quota exceeded, 0 available, 5 requested", Failure.THROTTLED, "pull-limit"),
)
# containerd, Docker, distribution, containers/image, oras, buildkit, kubelet, credential helpers
RUNTIMES: tuple[Message, ...] = (
    ("failed to copy: context canceled", Failure.STALLED, Action.LAYER),
    (f"cancel pulling image {REGISTRY}/shop/cart:1 because of no progress in 5m0s", Failure.STALLED, Action.LAYER),
    ("inactivity time exceeded timeout while pulling image", Failure.STALLED, Action.LAYER),
    ("unauthorized: authentication required", Failure.NO_CREDENTIALS, Action.CHALLENGE),
    ("credential required for basic auth", Failure.NO_CREDENTIALS, Action.CHALLENGE),
    ("failed to handle basic auth because missing username or secret", Failure.NO_CREDENTIALS, Action.CHALLENGE),
    ("invalid status code from registry 401 (Unauthorized)", Failure.UNAUTHENTICATED, None),
    ("invalid status code from registry 403 (Forbidden)", Failure.DENIED, None),
    ("unable to retrieve auth token: invalid username/password", Failure.UNAUTHENTICATED, Action.MANIFEST),
    ("too many requests to registry", Failure.THROTTLED, None),
    ("failed to refresh URL: status 403 Forbidden", Failure.UNAUTHENTICATED, None),
    ("no matching manifest for linux/arm64/v8 in the manifest list entries", Failure.NO_PLATFORM, Action.MANIFEST),
    (
        'no image found in manifest list for architecture "arm64", variant "v8", OS "linux"',
        Failure.NO_PLATFORM,
        Action.MANIFEST,
    ),
    (
        'cannot download image with operating system "windows" when requesting "linux"',
        Failure.NO_PLATFORM,
        Action.MANIFEST,
    ),
    (
        "a Windows version 10.0.20348-based image is incompatible with a 10.0.17763 host",
        Failure.NO_PLATFORM,
        Action.MANIFEST,
    ),
    (
        "The container operating system of the container does not match the operating system of the host.",
        Failure.NO_PLATFORM,
        Action.MANIFEST,
    ),
    ('image manifest does not exist for tag or digest "1"', Failure.NOT_FOUND, Action.MANIFEST),
    ("content at https://a.example/v2/x/manifests/1 not found: not found", Failure.NOT_FOUND, Action.MANIFEST),
    ("Either the image does not exist or its permissions are incorrect.", Failure.DENIED, "service-pull"),
    ("Lambda does not have permission to access the ECR image.", Failure.DENIED, "service-pull"),
    ("image config verification failed for digest sha256:1", Failure.BAD_DIGEST, Action.LAYER),
    ("manifest verification failed for digest sha256:1", Failure.MALFORMED, "media-type"),
    (
        'not implemented: media type "application/vnd.docker.distribution.manifest.v1+prettyjws" is no '
        "longer supported "
        "since containerd v2.0",
        Failure.MALFORMED,
        "media-type",
    ),
    ("schema 1 image manifests are no longer supported", Failure.MALFORMED, "media-type"),
    ("layers from manifest don't match image configuration", Failure.MALFORMED, "media-type"),
    ("invalid rootfs in image configuration", Failure.MALFORMED, "media-type"),
    ("unsupported config media type", Failure.MALFORMED, "media-type"),
    ("unexpected media type application/json for sha256:1", Failure.MALFORMED, "media-type"),
    ('media-type: "x" should not have "manifests" or "fsLayers"', Failure.MALFORMED, "media-type"),
    ("does not appear to be a container image", Failure.MALFORMED, "media-type"),
    ("media-type: cannot determine", Failure.MALFORMED, "media-type"),
    (
        'Encountered remote "application/vnd.cncf.helm.config.v1+json"(unknown) when fetching',
        Failure.MALFORMED,
        "media-type",
    ),
    ("invalid tag format", Failure.MALFORMED, "reference"),
    ("repository name must be lowercase", Failure.MALFORMED, "reference"),
    ("repository name (Shop/Cart) must be lowercase", Failure.MALFORMED, "reference"),
    ('failed to parse image "Shop": invalid character', Failure.MALFORMED, "reference"),
    ('couldn\'t parse image name "Shop": wrong', Failure.MALFORMED, "reference"),
    ("InvalidImageName", Failure.MALFORMED, "reference"),
    (
        '"a.example/x" is not a valid repository URI for Amazon Elastic Container Registry.',
        Failure.MALFORMED,
        "reference",
    ),
    (
        'short-name "cart" did not resolve to an alias and no containers-registries.conf(5) was found',
        Failure.MALFORMED,
        "reference",
    ),
    (f"ecr auth: AuthorizationData is malformed for {REGISTRY}/shop:1", Failure.MALFORMED, "client-version"),
    ("ecr auth: AuthorizationData is nil for shop:1", Failure.MALFORMED, "client-version"),
    ("missing AuthorizationData in ECR response for 123456789012", Failure.MALFORMED, "client-version"),
    ("Invalid ProxyEndpoint returned by ECR: x", Failure.MALFORMED, "client-version"),
    ("unexpected number of results in AuthorizationData (0)", Failure.MALFORMED, "client-version"),
    ("pull QPS exceeded", Failure.THROTTLED, "pull-limit"),
    (
        "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
        Failure.NO_ANSWER,
        "runtime",
    ),
    ('failed to dial "/run/containerd/containerd.sock": context', Failure.NO_ANSWER, "runtime"),
    ("CannotGetDockerClientVersionError", Failure.NO_ANSWER, "runtime"),
    ("netplugin failed with no error message", Failure.NO_ANSWER, "network-setup"),
    ("plugin type=aws-cni failed to setup network for sandbox", Failure.NO_ANSWER, "network-setup"),
    (
        "Failed to create pod sandbox: failed to find network info: cni config uninitialized",
        Failure.NO_ANSWER,
        "network-setup",
    ),
    ("AppNet agent image load failed", Failure.NO_ANSWER, "network-setup"),
    ("ContainerNetworkingError: pause container ended", Failure.NO_ANSWER, "network-setup"),
    (
        'exec: "docker-credential-ecr-login": executable file not found in $PATH',
        Failure.NOT_FOUND,
        "helper-missing",
    ),
    ("docker-credential-ecr-login: no such file or directory", Failure.NOT_FOUND, "helper-missing"),
    (
        'exec: "/usr/bin/ecr-credential-provider": executable file not found in $PATH',
        Failure.NOT_FOUND,
        "helper-missing",
    ),
    ("plugin binary executable /opt/ecr-credential-provider did not exist", Failure.NOT_FOUND, "helper-missing"),
    (
        "unable to assume the role 'arn:aws:iam::123456789012:role/shop'",
        Failure.DENIED,
        "role",
    ),
    ("x is not authorized to assume the role", Failure.DENIED, "role"),
    ("User: x is not authorized to perform: sts:AssumeRole on resource: y", Failure.DENIED, "role"),
    ("Role is invalid or cannot be assumed", Failure.DENIED, "role"),
    (
        "The Vpc Endpoint Service 'com.amazonaws.eu-north-1.ecr.docker' does not exist",
        Failure.NOT_FOUND,
        "endpoint-service",
    ),
    ("InvalidServiceName: x", Failure.NOT_FOUND, "endpoint-service"),
    ("endpoint service com.amazonaws.x.y was not found", Failure.NOT_FOUND, "endpoint-service"),
    ("Only the following Availability Zones are supported: [eu-north-1a]", Failure.MALFORMED, "endpoint-zone"),
    ("asm fetching username: AuthorizationData is malformed, empty field", Failure.NOT_FOUND, "secret"),
    ("container uses execution credentials, but the credentials are empty", Failure.NO_CREDENTIALS, CREDENTIALS),
    ("asm resource: unable to find execution role credentials", Failure.NO_CREDENTIALS, CREDENTIALS),
)
# Words of the host on which a layer is unpacked: a more specific error after them counts.
UNPACKING: tuple[str, ...] = (
    "failed to extract layer sha256:1: input/output error",
    "failed to register layer: Error processing tar file(exit status 1): read-only file system",
    "failed to apply layer: cannot allocate memory",
    "failed to unpack image on snapshotter overlayfs: structure needs cleaning",
    'failed to prepare extraction snapshot "x": stale file handle',
    "failed to stat snapshot x: too many open files",
    "failed to commit snapshot x: too many links",
    "could not get decompression stream: fork/exec /usr/bin/unpigz: cannot allocate memory",
    "failed to extract layer x: archive/tar: invalid tar header",
    "failed to extract layer x: archive/tar: write too long",
    "failed to extract layer x: gzip: invalid header",
    "failed to extract layer x: flate: corrupt input before offset 9",
    "failed to extract layer x: lz4: invalid compressed data",
    "failed to register layer: setxattr: operation not supported",
    "failed to register layer: failed to Lchown /x for UID 9, GID 9: lchown /x: invalid argument",
    "failed to register layer: Insufficient system resources exist to complete the requested service.",
    "failed to register layer: The system cannot find the path specified.",
    "failed to register layer: re-exec error: exit status 1: output: hcsshim::ImportLayer failed",
    "failed to register layer: ApplyLayer exit status 1 stdout: stderr: lchown /etc: no such file or directory",
    "ProcessBaseLayer C:\\x: access is denied",
    "ImportLayer C:\\x: access is denied",
    "Error pulling image (latest), Unhandled tar header type 83",
    "mount callback failed on /var/lib/containerd/tmpmounts/x: unlinkat x: directory not empty",
    "snapshotter not loaded: overlayfs: invalid argument",
    "layer 551 unavailable: unavailable",
    'writing blob: adding layer with blob "sha256:1": processing tar file(lchown /x: invalid argument): exit status 1',
    "container ID 1000 cannot be mapped to a host ID",
    "failed to rebase layer: image unpack job has no layers",
    "readlink /var/lib/docker/overlay2/l: invalid argument",
    'wrong diff id calculated on extraction "sha256:1"',
)
# The client stopped waiting for a helper, or quotes what it printed.
HELPERS: tuple[tuple[str, Failure], ...] = (
    (
        f"error execing credential provider plugin ecr-credential-provider for image {REGISTRY}/shop/cart: context "
        "deadline exceeded",
        Failure.TIMEOUT,
    ),
    (
        f"error execing credential provider plugin ecr-credential-provider for image {REGISTRY}/shop: exit status 1",
        Failure.NO_CREDENTIALS,
    ),
    ("credentials not found in native keychain", Failure.NO_CREDENTIALS),
    ("error getting credentials - err: exit status 1, out: ``", Failure.NO_CREDENTIALS),
    ("Failed getting credential from external registry credential provider: none", Failure.NO_CREDENTIALS),
    ("Failed to find docker auth for repo x", Failure.NO_CREDENTIALS),
)
# Clients that stopped waiting for something: (message).
WAITING: tuple[str, ...] = (
    "ESOCKETTIMEDOUT",
    "UND_ERR_CONNECT_TIMEOUT",
    "Connect Timeout Error (attempted address: a.example:443, timeout: 10000ms)",
    "curl: (28) Timeout was reached",
    "curl: (7) Couldn't connect to server",
    "The request was canceled due to the configured HttpClient.Timeout of 100 seconds elapsing.",
    "A task was canceled.",
    "timeout of 5000ms exceeded",
    "Acquire operation took longer than the configured maximum time.",
    "connection attempt timed out",
    "Network timed out while trying to connect to https://r.example/v1/",
    "Operation timed out after 5000 milliseconds with 0 bytes received",
)
# Words in front of a reason.
WRAPPING: tuple[str, ...] = (
    "failed to do request",
    "request send failed",
    "RequestError: send request failed",
    "error sending request for url (https://a.example/)",
    "error trying to connect",
    "dispatch failure",
    "An HTTP Client failed to establish a connection: x",
    "Unable to execute HTTP request: x",
)
DEPLOYMENTS: tuple[str, ...] = (
    "(service shop-web) is unable to consistently start tasks successfully. For more information, see the "
    "Troubleshooting section.",
    "(service shop-web) (deployment ecs-svc/1) deployment failed: tasks failed to start.",
    "Error occurred during operation 'ECS Deployment Circuit Breaker was triggered'.",
    "ECS deployment circuit breaker: task failed to start.",
    "waiting for ECS Service (shop) update: timeout while waiting for state to become 'tfSTABLE'",
    "Service arn:aws:ecs:eu-north-1:123456789012:service/shop/web did not stabilize.",
    "NotStabilized",
    "Waiter ServicesStable failed: Max attempts exceeded",
    "the service failed to reach a steady state",
)
# Every error of botocore: its template, with a value for each placeholder.
BOTOCORE: dict[str, str] = {
    name: re.sub(r"\{\w+\}", "7", str(getattr(error, "fmt", "")))
    for name, error in inspect.getmembers(botocore.exceptions, inspect.isclass)
    if issubclass(error, botocore.exceptions.BotoCoreError)
}
MESSAGES: tuple[Message, ...] = (
    *GO,
    *WINDOWS,
    *CURL,
    *PYTHON,
    *JAVA,
    *DOTNET,
    *NODE,
    *RUST,
    *AWS_GO,
    *RUNTIMES,
    *registry_messages.MESSAGES,
    *credential_messages.MESSAGES,
)
ALL = (
    *(message for message, _, _ in MESSAGES),
    *UNPACKING,
    *(message for message, _ in HELPERS),
    *WAITING,
    *WRAPPING,
    *registry_messages.STORING,
    *DEPLOYMENTS,
    *BOTOCORE.values(),
)

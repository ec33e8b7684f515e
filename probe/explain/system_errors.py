"""What operating systems, TLS libraries and HTTP clients write about a connection, by failure. Pure data.

Every client ends its error with one of these strings: the C library's, Windows', or its language's own. They are
regular expressions in lower case, for `error_patterns`. Sources, read in November 2026:

- errno: strerror(3) of glibc, musl and macOS
- Windows Sockets: FormatMessage of the codes 10013 to 11004 ("Windows Sockets Error Codes"), and of Schannel's
- Go: net/net.go, net/http/transport.go, x/net/http2, crypto/tls/alert.go, crypto/x509/verify.go
- OpenSSL: X509_verify_cert_error_string and the reasons of sslerr.h; libcurl's lib/strerror.c and failf texts
- Java: java.net, sun.security.ssl, Apache HttpClient, Netty; .NET: System.Net.Http and System.Net.Security
- Node.js: libuv's errno names, node:tls, undici; Rust: std::io, hyper, rustls; Python: ssl, urllib3, botocore
"""

from __future__ import annotations

# ---- before the first byte of a connection

TIMED_OUT = (
    "(?:connection|operation|connect) timed out",
    "connection attempt timed out",
    "a connection attempt failed(?: because)?",  # WSAETIMEDOUT
    "(?:connection|connect|operation) timed? ?out after",  # libcurl, Node.js
)
REFUSED = (
    "connection refused",
    "no connection could be made",  # WSAECONNREFUSED
    "actively refused it",
)
UNREACHABLE = (
    "network is unreachable",
    "no route to host",
    "host is unreachable",
    "can(?:no|')t assign requested address",
    "(?:network|host) is down",
    "address family not supported by protocol",
    "socket operation was attempted to an unreachable (?:network|host)",  # WSAENETUNREACH, WSAEHOSTUNREACH
    "socket operation encountered a dead network",  # WSAENETDOWN
    "socket operation failed because the destination host was down",  # WSAEHOSTDOWN
    "the requested address is not valid in its context",  # WSAEADDRNOTAVAIL
)
PROHIBITED = (
    "permission denied",
    "operation not permitted",
    "access a socket in a way forbidden by its access permissions",  # WSAEACCES
)
RESET = (
    "connection reset(?: by peer)?",
    "broken pipe",
    "software caused connection abort",
    "network dropped connection (?:on|because of) reset",
    "an existing connection was forcibly closed",  # WSAECONNRESET
    "an established connection was aborted",  # WSAECONNABORTED
    "connection has been broken due to keep-alive activity",  # WSAENETRESET
)

# ---- lookups

NAME_UNKNOWN = (
    "no such host(?: is known)?",  # Go, WSAHOST_NOT_FOUND
    "name or service not known",
    "nodename nor servname",
    "name does not resolve",  # musl
    r"\bnxdomain\b",
    "dns name does not exist",  # DNS_ERROR_RCODE_NAME_ERROR
    "unable to resolve host address",  # wget
    "domain name not found",  # c-ares
    "received an unknownhostexception",  # AWS SDK for Java 2
)
RESOLVER_SILENT = (
    "temporary failure in name resolution",
    "temporary error during hostname resolution",  # WSATRY_AGAIN
    "resolving timed out after",  # libcurl
    "no servers could be reached",  # dig, host
    "timeout while contacting dns servers|could not contact dns servers",  # c-ares
    r"query '[^']{1,300}' via (?:udp|tcp) timed out",  # Netty
)
RESOLVER_FAILS = (
    r"\bservfail\b",
    "server misbehaving",
    "non-recoverable (?:failure in name resolution|error occurred during a database lookup)",  # EAI_FAIL, 11003
    "dns server failure",  # DNS_ERROR_RCODE_SERVER_FAILURE
    "dns server returned general failure|dns server refused query",  # c-ares
)
NO_ADDRESS = (
    "no address associated with (?:host)?name",
    "name has no usable address",  # musl
    "requested name is valid, but no data of the requested type was found",  # WSANO_DATA
    "dns server returned answer with no data",  # c-ares
    "no records found for given dns query",  # DNS_INFO_NO_RECORDS
)

# ---- TLS

HANDSHAKE_SILENT = (
    "(?:tls|ssl) handshake time(?:out|d out)",
    "handshake operation timed out",  # Python
    "ssl connection timeout",  # libcurl
    "handshake timed out",  # Netty
)
WRONG_NAME = (
    r"certificate is valid for (?P<names>[^:]{1,300}?), not \S+",
    "certificate is not valid for(?: any names)?",
    "cannot validate certificate for .{1,100} because it doesn't contain any ip sans",
    "certificate relies on legacy common name field",
    "host ?name mismatch",
    r"hostname '[^']{1,255}' doesn't match",
    "no alternative certificate subject name matches",
    "does not match certificate's altnames",
    "err_tls_cert_altname_invalid",
    "no (?:subject alternative dns )?name matching",
    "certificate subject name .{1,255} does not match target host",
    "remotecertificatenamemismatch",
    "notvalidforname",
    "target principal name is incorrect",  # SEC_E_WRONG_PRINCIPAL
    "certificate's cn name does not match the passed value",  # CERT_E_CN_NO_MATCH
)
OUT_OF_DATE = (
    "certificate has expired(?: or is not yet valid)?",
    "certificate is not yet valid",
    "cert_has_expired",
    "cert_not_yet_valid",
    "certificate(?:expired|notyetvalid)exception",
    "invalid peer certificate: (?:expired|notvalidyet)",
    "nottimevalid",  # .NET
    "certificate is not within its validity period",  # CERT_E_EXPIRED
    "received certificate has expired",  # SEC_E_CERT_EXPIRED
)
UNTRUSTED = (
    "signed by unknown authority",
    "certificate[ _]verify[ _]failed",
    r"unable to get (?:local )?issuer(?: |_)cert\w*",
    "unable_to_get_issuer_cert(?:_locally)?",
    "unable to verify the first certificate",
    "unable_to_verify_leaf_signature",
    r"self[- _]signed[ _]cert\w*",
    "ssl certificate problem",
    "pkix path (?:building|validation) failed",
    "unable to find valid certification path",
    "invalid peer certificate: (?:unknownissuer|badsignature|other)",
    "unknownissuer",
    "remote certificate is invalid",
    "remotecertificatechainerrors|untrustedroot|partialchain",
    "issued by an authority that is not trusted",  # SEC_E_UNTRUSTED_ROOT
    "terminated in a root certificate which is not trusted",  # CERT_E_UNTRUSTEDROOT
    "failed to load system roots",
    "certificate is not authorized to sign",
    "root or intermediate certificate is not authorized",
    "too many intermediates for path length",
    "certificate specifies an incompatible key usage",
    "issuer name does not match subject",
    "certificate signature failure",
    "invalid ca certificate",
    "certificate (?:not trusted|rejected|revoked|chain too long)",
    "(?:ca|ee certificate) (?:md|key) too weak",
    "ssl peer certificate or ssh remote key was not ok",  # libcurl
    "ssl validation failed",  # botocore
    "x509: .{0,60}unhandled critical extension",
)
NOT_TLS = (
    "server gave http response to https client",
    "does not look like a tls handshake",
    "wrong[ _]version[ _]number",
    "unsupported or unrecognized ssl message",  # Java
    "invalidcontenttype",  # rustls
    "packet length too long",
    r"ssl routines:[^:]{0,60}:http request",
    "cannot determine the frame size or a corrupted frame was received",  # .NET
)
HANDSHAKE_CUT = (
    r"remote error: tls: [\w ]{1,60}",
    r"local error: tls: [\w ]{1,60}",
    "tls: server selected unsupported protocol version",
    r"tls: (?:server|unsupported|oversized|unexpected|received unexpected|protocol is)[\w ]{1,60}",
    r"alert[ _](?:handshake[ _]failure|protocol[ _]version|internal[ _]error|unknown[ _]ca|bad[ _]certificate)",
    r"received fatal alert: \w{1,40}",
    "remote party sent a tls alert",
    "remote party has closed the transport stream",
    "remote host (?:terminated|closed connection during) (?:the )?handshake",
    "ssl_error_syscall",
    "unexpected_eof_while_reading|unexpected eof while reading",
    "eof occurred in violation of protocol",
    "before secure tls connection was established",  # Node.js
    "tls handshake eof",
    "client network socket disconnected",
    "ssl connection could not be established",  # .NET
    "ssl connect error",
    "unsupported_protocol|no protocols available",
)

# ---- a connection that existed

CUT = (
    "unexpected eof",
    "short read: expected",
    "failed size validation",
    "incompleteread",
    r"\d read, but total bytes expected is",  # botocore
    r"stream (?:error|id \d{1,9}).{0,60}(?:internal_error|protocol_error|cancel|refused_stream|flow_control_error)",
    "server sent goaway",
    "received goaway from server",
    "server closed idle connection",
    "transport connection broken",
    "client connection (?:lost|force closed)",
    "use of closed network connection",
    "premature end of content-length delimited message body",
    "response ended prematurely",  # .NET
    "connection closed before message completed",  # hyper
    "transferred a partial file|transfer closed with",  # libcurl
    "error occurred while reading from response stream",  # botocore
    "end of file before message length reached",
    "content-length mismatch|premature close|response aborted",
    "malformed (?:chunked encoding|http response)",
)
HUNG_UP = (
    "econnreset|econnaborted|epipe|enetreset",
    "socket hang up",
    "remote end closed connection without response",
    "connection was closed before we received a valid response",  # botocore
    "empty reply from server|server returned nothing",  # libcurl
    r"(?:target server|:\d{1,5}) failed to respond",  # Apache HttpClient
    "other side closed",  # undici
    "recv failure|send failure|failure when receiving data from the peer|failed sending data to the peer",
    "connection closed by (?:peer|remote)",
)
STALLED = (
    "timeout awaiting response headers",
    "read timeout on endpoint url",
    r"read timed out",
    "und_err_(?:headers|body)_timeout",
    "operation too slow",
)

# ---- why the client stopped: it does not show what it waited for

WAITED = (
    "client.timeout",
    "signal: killed",
    r"statuscode: 0\b",
    "requestcanceled",
    "request (?:context )?canceled",
    "context (?:deadline exceeded|canceled)",
    "i/o timeout",
    "could not connect to the endpoint url",
    "etimedout|esockettimedout",
    "connect timeout error|und_err_connect_timeout",
    "timeout was reached",
    "could not connect to server|couldn't connect to server",
    "httpclient.timeout|a task was canceled",
    r"timeout of \d{1,9}ms exceeded",
    "acquire operation took longer than",
)
# A request got no answer. The reason follows, unless the text is cut off.
NO_ANSWER = (
    "(?:request send|send request) failed",
    "failed to do request",
    "error sending request for url|error trying to connect|dispatch failure",
    "an http client failed to establish a connection",
    "unable to execute http request",
)

# ---- names of images that the client refuses

# distribution/reference, containerd's reference, go-containerregistry's pkg/name, oras-go's registry.
BAD_REFERENCES = (
    "(?:hostname|object) required",
    r"invalid repository name \([^)]{1,256}\), cannot specify 64-byte hexadecimal",
    r"(?:registries must be valid rfc 3986|a (?:repository name|tag name) must be specified)",
    r"(?:repository|tag|registry) (?:must be between \d{1,3} and \d{1,3} characters|can only contain the characters)",
    r"must specify a tag name after the colon|a digest must contain exactly one '@' separator",
    r"invalid reference: (?:missing|invalid) [\w ]{1,40}",
    "image name cannot be blank|empty image reference|reference not found in url",
)

# ---- proxies

# A proxy's address that no client can use: net/http and url.Parse, urllib3, Requests, libcurl, Java, undici.
BAD_PROXIES = (
    r"invalid proxy (?:address|url|environment variable)\b.{0,200}",
    r"(?:unsupported|unknown|not supported) proxy (?:scheme|syntax)\b",
    "proxy url had (?:no|unsupported) scheme",
    "please check proxy url",
    "proxymanager does not support the supplied scheme",
    r"proxy: unknown scheme: \w{0,20}",
    r"parse \S{0,10}(?:https?_?proxy)\b",
)
# The proxy answered CONNECT, and not with success: tunnel-agent, Java, hyper, .NET, net/http.
TUNNEL_REFUSED = (
    r"tunneling socket could not be established, (?:statuscode=|status code )\d{3}",
    r"unable to tunnel through proxy(?:\. proxy returns \"[^\"]{1,80}\")?",
    "unsuccessful tunnel",
    r"proxy tunnel request to proxy '[^']{1,200}' failed",
    r"proxy response \(\d{3}\) ?!== ?200",
)

# ---- credentials of AWS that a client does not find

# AWS Tools for PowerShell, SDKs for Ruby, JavaScript, Rust and .NET, boto 2, Terraform, the CDK, GitHub's action.
NO_CREDENTIALS = (
    "no credentials specified or obtained from persisted/shell defaults",
    "unable to sign request without credentials set",
    "credentialsprovidererror|credential is missing",
    "no credentials in the property bag",
    "unable to find credentials",
    "no handler was ready to authenticate",
    "no valid credential sources (?:found|for)",
    "need to perform aws calls for account .{1,40}, but no credentials",
    "credentials could not be loaded",
    "access key id empty after loading credentials",
)

# ---- where a client keeps logins

# docker-credential-helpers: osxkeychain, wincred, pass and secretservice in the words of what they call, and
# amazon-ecr-credential-helper, which stores nothing.
LOGIN_STORES = (
    r"user interaction is not allowed(?:\. \(-25308\))?",
    "keychain cannot be accessed",
    r"(?:user name or passphrase you entered is not correct|specified (?:keychain|item) \w[\w ]{1,60} keychain)\b",
    r"\(-25\d{3}\)",
    "stub received bad data",
    "specified logon session does not exist",
    "pass not initialized",
    "password store is empty",
    "gpg: decryption failed|gpg: .{0,60}no secret key",
    "cannot autolaunch d-bus",
    r"org\.freedesktop\.secrets was not provided",
    "out: `not implemented`",
    "no credentials (?:server url|username)",
)

# ---- requests that are never sent

NOT_SENT = (
    "unsupported protocol scheme",
    "no host in request url",
    "first path segment in url cannot contain colon",
    r"invalid (?:control character in url|url escape|port \S{1,80} after host)",
    "no scheme present|bad scheme|unsupported url scheme|url using bad/illegal format",
    # AWS's endpoint rules, the same in every SDK: the models of botocore contain them.
    "invalid configuration: (?:fips|dual-?stack|missing region|accountidendpointmode|unknown apitype)",
    "(?:fips|dualstack)(?: and dualstack)? (?:is|are) enabled,? but this partition does not support",
    "failed to resolve service endpoint",
    "could not resolve endpoint|unknownendpointerror|unable to resolve (?:the )?(?:service )?endpoint",
    "endpoint rule error",
    "invalid (?:endpoint|url): ",
    "(?:could not find|unable to find a) region",
    "missing ?region",
    "an aws region is required",
    "region is missing|you must specify a region|no regionendpoint or serviceurl",
    r"provided region_name .{1,60} doesn't match a supported format",
    "unable to construct (?:an?|a modeled) endpoint",
    "fips pseudo-region",
    "(?:unknown|invalid) region: ",
    "service .{1,40} not available in region",
    "config profile .{1,80} could not be found|failed to get shared config profile",
    "unable to parse config file|failed to load shared config file",
    r"specified config file .{1,255} could not be found",
    "parameter validation failed",
    "invalid endpoint configuration",
    r"invalid (?:defaults mode|configuration value\(s\) provided for proxies_config)",
    "invalid (?:endpoint ec2|ec2) instance metadata endpoint",
)

# ---- the disk and the host on which layers are unpacked

DISK_FULL = (
    "no space left on device",
    "dis[ck] quota exceeded",
    "not enough space on the disk",  # ERROR_DISK_FULL
    "the disk is full",  # ERROR_HANDLE_DISK_FULL
    "enospc",
    "failed writing (?:received data to disk|output to destination)",
)
HOST_ERRORS = (
    "input/output error",
    "read-only file system",
    "cannot allocate memory",
    "too many open (?:files|sockets)",
    "structure needs cleaning",
    "stale file handle",
    "too many links",
    "invalid tar header",
    "archive/tar: ",
    "gzip: invalid header|invalid compressed data|flate: corrupt input",
    "failed to lchown|operation not supported",
    "insufficient system resources exist",
    "system cannot find the (?:path|file) specified",
    "hcsshim::|re-exec error",
)

"""What operating systems, TLS libraries and HTTP clients write about a connection, by failure. Pure data.

Every client ends its error with one of these strings: the C library's, Windows', or its language's own. They are
regular expressions in lower case, for `error_patterns`. `tests/explain/source_lists.py` holds the messages of each
source as a list, with those that are left out and why. Sources, read in November 2026:

- errno: strerror(3) of glibc, musl and macOS; lookups: gai_strerror of glibc and musl, systemd's resolved-bus.c,
  c-ares' ares_strerror.c, Go's net/dnsclient_unix.go
- Windows, in MicrosoftDocs/win32: system-error-codes--9000-11999- (DNS, Sockets), com-error-codes-4 (Schannel, trust)
- Go: net/net.go, net/http/transport.go, x/net/http2, crypto/tls/alert.go, crypto/x509/verify.go and root_darwin.go
- OpenSSL: crypto/x509/x509_txt.c and crypto/err/openssl.txt; libcurl's lib/strerror.c and failf texts
- Java: sun.nio.ch, net_util_md.c, sun.security.ssl, HostnameChecker.java, Apache HttpClient, Netty, NettyUtils.java
- .NET: Resources/Strings.resx of System.Net.Http and System.Net.Security, ConnectHelper.cs
- Node.js: libuv's include/uv.h, ncrypto.cc, undici's lib/core/errors.js, smithy-typescript's node-http-handler
- Rust: core/src/io/error.rs, hyper's and reqwest's src/error.rs, rustls' src/error/mod.rs, smithy-rs
- Python: ssl, urllib3, botocore; proxies: Squid's errors/templates, Envoy's router.cc, HAProxy's http.c
"""

from __future__ import annotations

# ---- before the first byte of a connection

TIMED_OUT = (
    "(?:connection|operation|connect) timed out",
    "connection attempt timed out",
    "network timed out while trying to connect",  # Docker before 1.12
    r"a connection attempt failed(?: because(?: the connected party .{1,200}? failed to respond\.?)?)?",  # WSAETIMEDOUT
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
    "network subsystem is unavailable",  # Java on Windows
    "address family not supported by protocol",
    "an address incompatible with the requested protocol",  # WSAEAFNOSUPPORT
    "protocol family has not been configured into the system",  # WSAEPFNOSUPPORT
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
    "an existing connection was forcibly closed(?: by the remote host)?",  # WSAECONNRESET
    "an established connection was aborted(?: by the software in your host machine)?",  # WSAECONNABORTED
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
    r"\[errno -2\]",  # EAI_NONAME in Python, also with the words of musl
    "unable to resolve host address",  # wget
    "domain name not found",  # c-ares
    "query failed with nxdomain",  # Netty
    "server name or address could not be resolved",  # WinHTTP
    "host name was invalid for dns resolution",  # AWS CRT
    "received an unknownhostexception",  # AWS SDK for Java 2
)
RESOLVER_SILENT = (
    "temporary failure in name resolution",
    r"\[errno -3\]|lookup address information: try again",  # EAI_AGAIN in Python and Rust: musl says "Try again"
    "temporary error during hostname resolution",  # WSATRY_AGAIN
    "no dns packet|no dns servers (?:were )?configured",  # Windows, c-ares
    "no appropriate name servers or networks for name found|all attempts to contact name servers",  # systemd-resolved
    "resolving timed out after",  # libcurl
    "no servers could be reached",  # dig, host
    "timeout while contacting dns servers|could not contact dns servers|dns query cancelled",  # c-ares
    r"query '[^']{1,300}' via (?:udp|tcp) timed out",  # Netty
)
RESOLVER_FAILS = (
    r"\bservfail\b",
    "server misbehaving",
    "non-recoverable (?:failure in name resolution|error occurred during a database lookup)",  # EAI_FAIL, 11003
    r"\[errno -4\]|lookup address information: non-recoverable error",  # EAI_FAIL in Python and Rust, by musl
    # DNS_ERROR_RCODE_*, DNS_ERROR_BAD_PACKET
    "dns server (?:failure|unable to interpret format)|dns request not supported by name server",
    "dns operation refused|bad dns packet|dns signature (?:failed to verify|validity expired)",
    # c-ares
    "dns server (?:returned general failure|refused query|claims query was misformatted|does not implement)",
    "misformatted dns reply",
    "nonrecoverable failure when query to dns",  # AWS CRT
    "cname loop detected",  # Netty, systemd-resolved
    "lame referral|invalid dns response|no answer from dns server|dns response contained records",  # Go
    "dnssec validation failed",
)
NO_ADDRESS = (
    "no address associated with (?:host)?name",
    "name has no usable address",  # musl
    r"\[errno -[59]\]|address family for hostname not supported",  # EAI_NODATA, EAI_ADDRFAMILY
    "requested name is valid, but no data of the requested type was found",  # WSANO_DATA
    "no dns entries found",  # undici
    "no address was found for the supplied host name",  # AWS CRT
    "dns server returned answer with no data",  # c-ares
    "no records found for given dns query",  # DNS_INFO_NO_RECORDS
)

# ---- TLS

HANDSHAKE_SILENT = (
    "(?:tls|ssl) handshake time(?:out|d out)",
    "handshake operation timed out",  # Python
    "ssl connection timeout",  # libcurl
    "handshake timed out",  # Netty
    "tls negotiation timeout",  # AWS CRT
)
WRONG_NAME = (
    r"certificate is valid for (?P<names>[^:]{1,300}?), not \S+",
    "certificate is not valid for(?! the requested usage)(?: any names)?",
    "cannot validate certificate for .{1,100} because it doesn't contain any ip sans",
    "certificate relies on legacy common name field",
    "(?:host ?name|ip address)[ _]mismatch|hostname_mismatch",
    r"hostname '[^']{1,255}' doesn't match",
    "no alternative certificate subject name matches",
    "does not match certificate's altnames",
    "err_tls_cert_altname_invalid",
    "no (?:subject alternative (?:dns )?names?|name) matching|no subject alternative names present",  # Java
    r"certificate for <[^>]{1,255}> doesn't match|certificate subject for <[^>]{1,255}> doesn't contain",  # HttpClient
    "certificate subject name .{1,255} does not match target host",
    "remotecertificatenamemismatch",
    "notvalidforname|certificate not valid for name",  # rustls
    "certificate name does not match input",  # Go on macOS
    "target principal name is incorrect",  # SEC_E_WRONG_PRINCIPAL
    "certificate's cn name does not match the passed value",  # CERT_E_CN_NO_MATCH
    "certificate has an invalid name",  # CERT_E_INVALID_NAME
    "certificate's host name does not match the endpoint",  # AWS CRT
)
OUT_OF_DATE = (
    "certificate has expired(?: or is not yet valid)?",
    "certificate is not yet valid",
    "cert_has_expired",
    "cert_not_yet_valid",
    "certificate(?:expired|notyetvalid)exception",
    r"invalid peer certificate: (?:expired(?!revocation)|notvalidyet|certificate (?:expired|not valid yet))",  # rustls
    "certificate is expired",  # Go on macOS
    "(?:validity|timestamp) check failed",  # Java
    "due to tls certificate (?:expired|not yet valid)",  # AWS CRT
    "nottimevalid",  # .NET
    "certificate is not within its validity period",  # CERT_E_EXPIRED
    "received certificate has expired",  # SEC_E_CERT_EXPIRED
    "validity periods of the certification chain do not nest",  # CERT_E_VALIDITYPERIODNESTING
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
    "invalid peer certificate: [a-z]{4,40}",  # rustls; of a name or a date: above
    "unknownissuer",
    "remote certificate (?:is invalid|was rejected by)",
    "could not establish trust relationship",
    # Java
    "trustanchors parameter must be non-empty|no trusted certificate found",
    "key usage does not permit use for",
    # X509_V_ERR_* as Node.js names them; of a name or a date: above
    "unable_to_(?:get_crl|de(?:crypt|code)_[a-z_]{6,30})|(?:cert|crl)_signature_failure",
    "crl_(?:not_yet_valid|has_expired)|error_in_(?:cert|crl)_[a-z_]{8,20}_field",
    r"cert_(?:chain_too_long|revoked|untrusted|rejected)|path_length_exceeded|\binvalid_(?:ca|purpose)\b",
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
    "(?<!alert )certificate (?:is )?(?:not trusted|rejected|revoked|chain too long)",
    "certificate is not (?:standards compliant|permitted for this usage)",  # Go on macOS
    "(?:ca|ee certificate|ee) (?:md|key) too (?:weak|small)",
    "ssl peer certificate or ssh remote key was not ok",  # libcurl
    # libcurl
    "ssl certificate (?:verification failed|openssl verify result)|certificate issuer check failed",
    "ssl server certificate status verification|issuer check against peer certificate|problem with the ssl ca cert",
    "does not match pinned public key|server certificate was revoked",
    # openssl s_client
    r"verify error:num=\d{1,3}:|verify return code: [1-9]\d{0,2} \(",
    # AWS CRT
    "default tls trust store not found|tls (?:unknown|no) root certificate|invalid certificate chain",
    "tls certificate (?:is malformed|has been revoked|is unknown)",
    "ssl validation failed",  # botocore
    "x509: (?:.{0,60}unhandled critical extension|issuer has name constraints|unknown error)",
    # CERT_E_*, CRYPT_E_*, TRUST_E_*, SEC_E_CERT_UNKNOWN
    "certificate chain could not be built to a trusted root|one of the ca certificates is not trusted",
    "parent of a given certificate in fact did not issue|only be used as an end-entity is being used as a ca",
    "certificate (?:contains an unknown extension that is marked|being used for a purpose other)",
    "path length constraint in the certification chain|certificate is not valid for the requested usage",
    "certificate was explicitly (?:revoked|marked as untrusted)|certificate has invalid policy",
    "revocation (?:process could not continue|function was unable to check)|signature of the certificate cannot be",
    "unknown error occurred while processing the certificate",
)
NOT_TLS = (
    "server gave http response to https client",
    "does not look like a tls handshake",
    "wrong[ _]version[ _]number",
    "un(?:supported or un)?recognized (?:ssl message|record version)|not an ssl/tls record",  # Java, Netty
    "invalidcontenttype",  # rustls
    "packet length too long",
    r"ssl routines:[^:]{0,60}:(?:https? (?:proxy )?request|unknown protocol)",
    # .NET
    "cannot determine the frame size or a corrupted frame was received|handshake failed due to an unexpected packet",
    "token supplied to the function is invalid",  # SEC_E_INVALID_TOKEN: Schannel, of what is no TLS record
)
HANDSHAKE_CUT = (
    r"remote error: tls: [\w ]{1,60}",
    r"local error: tls: [\w ]{1,60}",
    "tls: server selected unsupported protocol version",
    r"tls: (?:server|unsupported|oversized|unexpected|received unexpected|protocol is)[\w ]{1,60}",
    # OpenSSL: "sslv3 alert …", since 3.2 "ssl/tls alert …". Every other reason of a handshake comes after these.
    r"(?:ssl|tls)\w{0,3}[ _]alert[ _][a-z]{2,16}[ _][a-z]{2,16}",
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
    "received an unexpected eof or 0 bytes from the transport stream|ssl handshake failed with openssl error",
    "authentication failed, see inner exception|no common application protocol exists",
    "could not create ssl/tls secure channel",
    # Java, Netty
    "received close_notify during handshake|received handshake warning: ",
    "no appropriate protocol|selected protocol version .{1,20} is not accepted by client",
    "sslengine closed already|ssl peer shut down incorrectly",
    # rustls
    "received corrupt message of type|peer is incompatible|peer misbehaved|cannot decrypt peer's message",
    "received unexpected (?:handshake )?message: got|peer doesn't support any known protocol",
    "peer sent excess record size|handshake not complete",
    # libcurl, Schannel
    "tls connect error|ssl versions not supported|gnutls, handshake failed|could not use specified ssl cipher",
    r"tls \(ssl\) negotiation failed|fatal tls alert was received|due to (?:tls alert|internal ssl error)",  # AWS CRT
    "do not possess a common algorithm|message received was unexpected or badly formatted",
    "ssl connect error",
    # Any reason of OpenSSL that is not one above, as curl, Node.js and Python show it.
    r"error:[0-9a-f]{8}:ssl routines:[^:]{0,60}:[a-z][\w ]{2,60}",
    r"\[ssl: [a-z0-9_]{3,60}\]",
    "unsupported_protocol|no protocols available",
)

# ---- a connection that existed

CUT = (
    "unexpected eof",
    "short read: expected",
    "failed size validation",
    "incompleteread",
    r"\d read, but total bytes expected is",  # botocore
    # x/net http2/errors.go, libcurl
    r"(?:stream|connection) (?:error\b|id \d{1,9}).{0,60}(?:_error|cancel|refused_stream|stream_closed|your_calm"
    r"|settings_timeout|inadequate_security|http_1_1_required)\b",
    r"http/2 stream \d{1,9} (?:was )?(?:reset|closed)|in the http/?2 framing layer",
    "(?:stream|connection) error (?:received|detected|sent by user): ",  # h2, below hyper
    "server sent goaway",
    'received goaway from server|"goaway" frame received',
    "http2: (?:frame too large|failed reading the frame payload)|malformed response from server: ",
    "more than declared content-length",
    "server closed idle connection",
    "transport connection broken",
    "client connection (?:lost|force closed)",
    "use of closed network connection",
    "premature end of content-length delimited message body",
    # .NET
    "response ended prematurely|connection was closed before all data could be read",
    "http/[23] server (?:sent invalid data|reset the stream)|did not complete the http/2 handshake",
    "server returned an invalid or unrecognized response|received an invalid status line|chunk header length could not",
    # hyper, rustls
    "connection closed before message completed|received unexpected message from connection",
    "invalid (?:http (?:version|status-code|header)|content-length) parsed|message head is too large",
    "error reading a body from connection|closed connection without sending tls close_notify",
    # undici, Node.js
    "does not match content-length header|res_content_length_mismatch|stream closed before (?:the )?response",
    r"\bhpe_[a-z_]{3,40}|stream is abnormally aborted",
    "peer sent (?:goaway|rst_stream)|protocol rules violated by peer",  # AWS CRT
    # libcurl
    "transferred a partial file|transfer closed with|received only partial file|weird server reply",
    "received http/0\\.9 when not allowed|invalid status line|bad http content or transfer-encoding",
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
    "other side closed|und_err_socket",  # undici
    "http2 request did not get a response",  # AWS SDK for JavaScript
    "the connection was closed during the request",  # AWS SDK for Java
    "remote host terminated the connection",  # Java
    "error writing a body to connection",  # hyper
    # AWS CRT
    r"connection has closed or is closing|io handle that has already been closed|socket is closed\.",
    "due to connection closed due to an error",
    # .NET
    "server shut down the connection|error occurred on a (?:receive|send)|connection was closed unexpectedly",
    r"connection died, tried \d",  # libcurl
    "recv failure|send failure|failure when receiving data from the peer|failed sending data to the peer",
    "connection closed by (?:peer|remote)",
)
STALLED = (
    "timeout awaiting response headers",
    "read timeout on endpoint url",
    "(?:read|write) timed out",
    "und_err_(?:headers|body)_timeout|(?:headers|body) timeout error|socket idle timeout",
    "socket timed out after .{1,20} of inactivity|because of no activity for",  # AWS SDK for JavaScript
    "waiting for first byte of http response|failure to meet throughput minimum",  # AWS CRT
    "http read timeout occurred after|minimum throughput was specified at",  # AWS SDK for Rust
    "operation too slow",
)

# ---- why the client stopped: it does not show what it waited for

WAITED = (
    r"client\.timeout",
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
    r"httpclient\.timeout|a task was canceled",
    r"timeout of \d{1,9}ms exceeded",
    "the operation has timed out|within the configured connecttimeout",  # .NET
    "execution did not complete before the specified timeout",  # AWS SDK for Java
    "failed to acquire a connection within",  # AWS CRT
    # AWS SDK for JavaScript, fetch
    "did not establish a connection with the server|without establishing a connection within",
    r"has exceeded the configured .{1,20} requesttimeout|request did not complete within \d|aborted due to timeout",
    # AWS SDK for Rust
    r"http connect timeout occurred after|request has timed out|\(all attempts including retries\)",
    "acquire operation took longer than",
)
# A request got no answer. The reason follows, unless the text is cut off.
NO_ANSWER = (
    "(?:request send|send request) failed",
    "failed to do request",
    "error sending request for url|error trying to connect|dispatch failure",
    r"client error \((?:connect|sendrequest)\)|error resolving dns|tcp connect error",  # hyper, reqwest
    "typeerror: fetch failed",
    "an error occurred while sending the request|unable to connect to the remote server",  # .NET
    "connection with the server could not be established",  # WinHTTP
    "quic connection error",  # libcurl
    "an http client failed to establish a connection",
    "unable to execute http request",
)

# ---- names of images that the client refuses

# distribution/reference, containerd's reference, go-containerregistry's pkg/name, oras-go's registry.
BAD_REFERENCES = (
    "(?:hostname|object) required",
    r"invalid repository name \([^)]{1,256}\), cannot specify 64-byte hexadecimal",
    r"(?:registries must be valid rfc 3986|a (?:repository name|tag name) must be specified)",
    r"(?:repository|tag|registry) must be between \d{1,3} and \d{1,3} characters",
    "(?:repository|tag|registry) can only contain the (?:characters|runes)",
    r"must specify a tag name after the colon|a digest must contain exactly one '@' separator",
    r"invalid reference: (?:missing|invalid) [\w ]{1,40}",
    "image name cannot be blank|empty image reference|reference not found in url",
    r"invalid image ?reference(?:exception)?\b",  # jib
    "expected colon-separated transport:reference",  # containers/image
    r"invalid interpolation format for \S{1,200}\.image\b",  # docker compose
    r"invalid repository name (?:\(ex:|\()",  # Docker before 1.10
    r"container\.image (?:repository |tag )?(?:contains invalid characters|should not be null or empty)",  # ECS
    "at least one of 'image' must be specified",
    "failed to normalize image reference|unable to parse image name",  # Fargate, ecs-deploy
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
    "schemes are allowed for proxies",  # .NET
    r"parse \S{0,10}(?:https?_?proxy)\b",
)
# The proxy answered CONNECT, and not with success: tunnel-agent, Java, hyper, .NET, net/http.
TUNNEL_REFUSED = (
    r"tunneling socket could not be established, (?:statuscode=|status code )\d{3}",
    r"unable to tunnel through proxy(?:\. proxy returns \"[^\"]{1,80}\")?",
    "unsuccessful tunnel",
    r"proxy tunnel request to proxy '[^']{1,200}' failed",
    r"proxy response \(\d{3}\) ?!== ?200",
    r"connect refused by proxy.{0,80}",  # Apache HttpClient
    r"\b(?:http|socks[45]), \w{1,20}, \S{1,200} => \S{1,200}, status: \d{3}.{0,40}",  # Netty
    "tunnel error: (?:unsuccessful|proxy authorization required)",  # hyper-util
    "socks server (?:failed to connect|requested username|did not return)|authenticate with the socks server",  # .NET
    "no authentication method was acceptable",  # libcurl
    "because the connect call failed",  # AWS CRT
    # Go shows only the words of the proxy's status.
    r"\b(?:get|head|put|post|patch) \"?https://[^\s\"]{1,300}\"?: (?:forbidden|restricted network)(?=\W{0,3}$)",
)
# No answer of the proxy, or one that is none.
TUNNEL_FAILS = (
    r"\b(?:http|socks[45]), \w{1,20}, \S{1,200} => \S{1,200}, (?:timeout|disconnected)",  # Netty
    "tunnel error: (?:failed to create underlying connection|io error establishing tunnel|unexpected end of file)",
    "proxy connection attempt failed",  # AWS CRT
    "proxy connection failed|und_err_(?:prx|socks5)|socks5 (?:proxy error|connection failed)",  # undici
    # libcurl
    "proxy connect aborted|failed to (?:receive|send) socks|socks[45] (?:initial )?(?:reply|response) ",
    "cannot complete socks[45] connection|unable to negotiate socks5",
)
# The words of a page that a proxy or a firewall sends in place of the server's answer, without the marks of HTML.
PROXY_PAGES = (
    # Squid's errors/templates
    "requested url could not be retrieved|cache access denied|access control configuration prevents your request",
    r"unable to determine ip address from host name.{0,200}|x-squid-error: err_[a-z_]{3,40}",
    # Envoy's router.cc; what follows is about its own connection. Its filters rbac and ext_authz
    "upstream connect error or disconnect/reset before headers.{0,300}",
    "rbac: access denied|no healthy upstream|upstream request timeout",
    "upstream_reset_(?:before|after)_response_started|no_healthy_upstream|rbac_access_denied",
    # HAProxy's http.c
    "request forbidden by administrative rules|no server is available to handle this request",
    "the server (?:returned an invalid or incomplete response|didn't respond in time)",
    # Zscaler, Palo Alto Networks, FortiGuard, Blue Coat
    "your organization has selected zscaler|internet security by zscaler",
    "trying to (?:visit|use) has been blocked in accordance with company policy",
    "fortiguard intrusion prevention|denied because of its content categorization",
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
    "container metadata (?:credential provider|service) cannot be used unless",
    "credentialsnotloaded",
    "missingcredentialserror|cannot load `aws::credentials`",
    "resolved credential object is not valid",
    "could not resolve credentials using profile",
    "cannot fetch credentials from container - neither",
    r"missing ?authentication ?token",  # AWS's answer to a request without a signature
)
# A session of AWS's IAM Identity Center or of aws login. AWS CLI, and the SDKs for JavaScript, Go and Java.
SESSION_OVER = (
    "(?:sso session(?: associated with this profile)?|your session) has expired",
    "error loading (?:sso token|login session token)",
    "token is expired\\. to refresh this sso session",
    "token has expired and refresh failed",
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
    "unsupported protocol schem[ea]",
    "no host in request url",
    "first path segment in url cannot contain colon",
    r"invalid (?:control character in url|url escape|port \S{1,80} after host)",
    "expected authority at index",
    "invalid endpoint host, .{1,80} only loopback hosts are allowed",  # an SDK for Go that does not know EKS's address
    "is not a valid container metadata service hostname",  # the same of an SDK for JavaScript
    "no scheme present|bad scheme|unsupported url scheme|url using bad/illegal format|\\) unsupported protocol",
    "url scheme is not allowed|invalid url, (?:scheme|host) is",  # reqwest, hyper-util
    "only 'http' and 'https' schemes are allowed|invalid request uri was provided",  # .NET
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

# Docker's daemon/logger and its drivers; ECS's API.
LOG_OPTIONS = (
    r"unknown log opt \S{1,100} for",
    "must specify (?:a value|valid value|a positive integer) for log opt",
    "you cannot configure log opt",
    "unsupported log format",
    r"no log driver named \S{1,80} is registered",
    "logging mode not supported",
    "max-buffer-size option is only supported",
    r"log driver \S{1,40} requires options?",
    "(?:invalid|unsupported) log(?:ging)? ?driver",
    "failed to get fluentd log ?driver arguments(?:: .{0,200})?",
    "at least one container has to be configured with the awsfirelens log driver",
)
# What a client refuses of its own configuration: dockerd's daemon.json, containerd's hosts.toml, Helm's repositories.
UNUSABLE_SETTINGS = (
    r"insecure registry \S{1,300} (?:should not contain '://'|is not valid)",
    "invalid (?:registry )?mirror: |is not a valid (?:registry )?mirror",
    "unable to configure the docker daemon with file",
    "invalid `host` tree|failed to load plugin for hosts",
    r"error: repo [\w-]{1,63}(?:\.[\w-]{1,63}){2,8} not found",
    "could not find protocol handler for: oci",
    'scheme "?oci"? (?:is )?not supported',
)

# The ECS agent of its variables and of /etc/ecs/ecs.config.json: agent/config.
AGENT_SETTINGS = (
    r"invalid format for \W{0,3}(?:non)?ecs_\w{2,60}.{0,200}",
    "config: invalid value for docker container",
    "error reading cfg json data",
    "could not register: clientexception: cluster not found",
    r"missing required fields: \w{2,30}",
)

# ---- a container runtime that does not answer

# Docker's client, also on Windows and for a remote daemon: all that follows is about the daemon, not a registry.
RUNTIME_DOWN = (
    r"cannot connect to the docker daemon(?: at \S{1,200})?",
    "is the docker daemon running|(?:docker )?daemon is not running",
    r"failed to connect to the docker api(?: at \S{1,200})?",
    "error during connect: .{0,400}",
    r"open //\./pipe/docker\w{0,20}: .{0,80}",
    r"(?:dial|connect) unix \S{1,200}(?:docker|containerd|crio)\S{0,20}: connect: [\w ]{1,40}",
    r"failed to dial \S{0,20}/run/containerd/\S{1,40}",
    "failed to create pod sandbox: rpc error: code = deadlineexceeded.{0,100}",
    "unable to execute 'docker' in order to build",  # the CDK
    r"cannot access containerd socket|(?:cannot|unable to) connect to podman\b",
    "cannotgetdockerclientversionerror",
)

# hcsshim and Windows' Host Compute Service, when a container is created or started.
WINDOWS_RUNTIME = (
    r"hcsshim::system::\w{1,40}|\bhcs::\w{1,40}",
    "paging file is too small",
    "virtual machine or container exited unexpectedly",
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
    "hcsshim::|re-exec error|processbaselayer |importlayer ",
    "unhandled tar header",
    "(?:applylayer exit status|error processing tar file)",
    "mount callback failed on",
    "image unpack job has no layers",
    r"container id \d{1,10} cannot be mapped to a host id",
    r"readlink \S{0,60}/overlay2?\b\S{0,200}: invalid argument",
    r"snapshotter (?:not loaded|\S{1,60} (?:was |is )?not found)|layer \S{1,80} unavailable",
    "wrong diff id calculated on extraction",
)

"""Lists of error messages, whole, from the sources of systems, libraries and proxies.

A list names its source and has one block of messages, one a line, for each meaning: (failure, action or subject).
A block with the meaning None holds what stands for no failure of a pull, and begins with the reason.
"""

from __future__ import annotations

from typing import NamedTuple

from probe.model import Action, Failure

DNS, TCP, TLS = Action.DNS, Action.TCP, Action.TLS
Meaning = tuple[Failure, Action | str | None]


class SourceList(NamedTuple):
    """`text` is the error in which a client shows a message: its `{}` is replaced."""

    source: str
    text: str
    meanings: dict[Meaning, str]
    left_out: dict[str, str]  # by reason


HOST = "api.ecr.eu-north-1.amazonaws.com"
PROXY = "proxy"
NXDOMAIN, SERVFAIL = (Failure.NXDOMAIN, DNS), (Failure.SERVFAIL, DNS)
NO_ADDRESS, NO_ANSWER = (Failure.NO_ADDRESS, DNS), (Failure.NO_ANSWER, DNS)
TIMEOUT, REFUSED = (Failure.TIMEOUT, TCP), (Failure.REFUSED, TCP)
UNREACHABLE, PROHIBITED = (Failure.UNREACHABLE, TCP), (Failure.PROHIBITED, TCP)
CONNECT_RESET = (Failure.RESET, TCP)
RESET, STALLED, CUT = (Failure.RESET, None), (Failure.STALLED, None), (Failure.TRUNCATED, None)
UNTRUSTED, WRONG_NAME, EXPIRED = (Failure.UNTRUSTED, TLS), (Failure.WRONG_NAME, TLS), (Failure.EXPIRED, TLS)
NOT_TLS, TLS_RESET, TLS_STALL = (Failure.NOT_TLS, TLS), (Failure.TLS_RESET, TLS), (Failure.TLS_STALL, TLS)
NOT_AWS = (Failure.NOT_AWS, None)
PROXY_DENIES, PROXY_SILENT, BAD_PROXY = (
    (Failure.DENIED, PROXY),
    (Failure.TIMEOUT, PROXY),
    (Failure.MALFORMED, PROXY),
)
SETTINGS = (Failure.MALFORMED, "client-settings")
DISK = (Failure.TOO_LARGE, "disk")
CREDENTIALS = (Failure.NO_CREDENTIALS, Action.CREDENTIALS)
METADATA = (Failure.NO_ANSWER, Action.CREDENTIALS)
UNPACK = (Failure.MALFORMED, "unpack")

_SHORT = "a host short of descriptors, buffers, memory or ports, which says nothing about the network"
_MISUSE = "errors in the use of the library, or of sockets that a client of HTTP does not open"

RESOLVERS = (
    SourceList(
        "glibc nss/gai_strerror and musl src/network/gai_strerror.c, behind the numbers that Python shows",
        "{}",
        {
            NXDOMAIN: "[Errno -2] Name or service not known\n[Errno -2] Name does not resolve",
            NO_ANSWER: "[Errno -3] Temporary failure in name resolution\n[Errno -3] Try again",
            SERVFAIL: "[Errno -4] Non-recoverable failure in name resolution\n[Errno -4] Non-recoverable error",
            NO_ADDRESS: "[Errno -5] No address associated with hostname\n[Errno -5] Name has no usable address\n"
            "[Errno -9] Address family for hostname not supported",
        },
        {
            _MISUSE: "[Errno -1] Bad value for ai_flags\n[Errno -6] ai_family not supported\n"
            "[Errno -7] ai_socktype not supported\n[Errno -8] Servname not supported for ai_socktype\n"
            "[Errno -10] Memory allocation failure\n[Errno -11] System error\n[Errno -1] Invalid flags\n"
            "[Errno -6] Unrecognized address family or invalid length\n[Errno -7] Unrecognized socket type\n"
            "[Errno -8] Unrecognized service\n[Errno -10] Out of memory\n[Errno -12] Overflow",
        },
    ),
    SourceList(
        "the same as Rust's library/std/src/sys/net shows them",
        "dns error: failed to lookup address information: {}",
        {
            NXDOMAIN: "Name or service not known\nName does not resolve\n"
            "nodename nor servname provided, or not known\nNo such host is known. (os error 11001)",
            NO_ANSWER: "Temporary failure in name resolution\nTry again",
            SERVFAIL: "Non-recoverable failure in name resolution\nNon-recoverable error",
            NO_ADDRESS: "No address associated with hostname\nName has no usable address",
        },
        {},
    ),
    SourceList(
        "systemd src/resolve/resolved-bus.c",
        f"{HOST}: resolve call failed: {{}}",
        {
            NXDOMAIN: f"'{HOST}' not found\nName '{HOST}' not found",
            NO_ANSWER: "No appropriate name servers or networks for name found\nQuery timed out\n"
            "All attempts to contact name servers or networks failed\nNetwork is down\nQuery aborted\n"
            "All suitable resolution sources turned off\nConfigured DNS server loops back to us",
            SERVFAIL: "Received invalid reply\nDNSSEC validation failed: no-signature\nNo suitable trust anchor known\n"
            f"Could not resolve '{HOST}', server or network returned error SERVFAIL\n"
            f"Could not resolve '{HOST}', server or network returned error REFUSED\n"
            f"CNAME loop detected, or CNAME resolving disabled on '{HOST}'\n"
            "Server does not support requested resource record type",
            NO_ADDRESS: f"'{HOST}' does not have any RR of the requested type",
        },
        {},
    ),
    SourceList(
        "Go src/net/dnsclient_unix.go, lookup.go and net.go",
        f"lookup {HOST} on 10.0.0.2:53: {{}}",
        {
            NXDOMAIN: "no such host",
            SERVFAIL: "server misbehaving\nlame referral\ncannot unmarshal DNS message\ninvalid DNS response\n"
            "no answer from DNS server\nDNS response contained records which contain invalid names",
            NO_ADDRESS: "no suitable address found",
            NO_ANSWER: "i/o timeout\noperation was canceled\nread udp 10.0.1.9:4->10.0.0.2:53: i/o timeout",
        },
        {},
    ),
    SourceList(
        "c-ares src/lib/ares_strerror.c",
        "DNS resolution failed: {}",
        {
            NXDOMAIN: "Domain name not found",
            NO_ADDRESS: "DNS server returned answer with no data",
            SERVFAIL: "DNS server claims query was misformatted\nDNS server returned general failure\n"
            "DNS server does not implement requested operation\nDNS server refused query\nMisformatted DNS reply",
            NO_ANSWER: "Could not contact DNS servers\nTimeout while contacting DNS servers\nDNS query cancelled\n"
            "No DNS servers were configured",
        },
        {
            _MISUSE: "Misformatted DNS query\nMisformatted domain name\nUnsupported address family\nEnd of file\n"
            "Error reading file\nOut of memory\nChannel is being destroyed\nMisformatted string\n"
            "Illegal flags specified\nGiven hostname is not numeric\nIllegal hints flags specified\n"
            "c-ares library initialization not yet performed\nError loading iphlpapi.dll\n"
            "Could not find GetNetworkParams function\nInvalid service name or number\nunknown",
        },
    ),
    SourceList(
        "the same as Node.js's doc/api/dns.md names them",
        f"queryA {{}} {HOST}",
        {
            NXDOMAIN: "ENOTFOUND",
            NO_ADDRESS: "ENODATA",
            SERVFAIL: "EFORMERR\nESERVFAIL\nENOTIMP\nEREFUSED\nEBADRESP",
            NO_ANSWER: "ECONNREFUSED\nETIMEOUT\nECANCELLED",
        },
        {
            _MISUSE: "EBADQUERY\nEBADNAME\nEBADFAMILY\nEOF\nEFILE\nENOMEM\nEDESTRUCTION\nEBADSTR\nEBADFLAGS\nENONAME\n"
            "EBADHINTS\nENOTINITIALIZED\nELOADIPHLPAPI\nEADDRGETNETWORKPARAMS",
        },
    ),
    SourceList(
        "MicrosoftDocs/win32 system-error-codes--9000-11999-: DNS",
        "{}",
        {
            NXDOMAIN: "DNS name does not exist.",
            NO_ADDRESS: "No records found for given DNS query.",
            SERVFAIL: "DNS server failure.\nDNS server unable to interpret format.\n"
            "DNS request not supported by name server.\nDNS operation refused.\nBad DNS packet.\n"
            "DNS signature failed to verify.\nDNS signature validity expired.",
            NO_ANSWER: "No DNS packet.\nNo DNS servers configured for local system.",
        },
        {
            "answers to updates and zone transfers": "DNS name that ought not exist, does exist.\n"
            "DNS RR set that ought not exist, does exist.\nDNS RR set that ought to exist, does not exist.\n"
            "DNS server not authoritative for zone.\nDNS name in update or prereq is not in zone.\nDNS bad key.",
        },
    ),
)
_WSA_TIMED_OUT = (
    "A connection attempt failed because the connected party did not properly respond after a period of time, or "
    "established connection failed because connected host has failed to respond."
)
SOCKETS = (
    SourceList(
        "MicrosoftDocs/win32 system-error-codes--9000-11999-: Windows Sockets, in Go",
        "dial tcp 10.0.0.9:443: connectex: {}",
        {
            PROHIBITED: "An attempt was made to access a socket in a way forbidden by its access permissions.",
            UNREACHABLE: "An address incompatible with the requested protocol was used.\n"
            "The requested address is not valid in its context.\nA socket operation encountered a dead network.\n"
            "A socket operation was attempted to an unreachable network.\n"
            "A socket operation was attempted to an unreachable host.\n"
            "A socket operation failed because the destination host was down.\n"
            "The protocol family has not been configured into the system or no implementation for it exists.",
            CONNECT_RESET: "An established connection was aborted by the software in your host machine.\n"
            "An existing connection was forcibly closed by the remote host.",
            TIMEOUT: _WSA_TIMED_OUT,
            REFUSED: "No connection could be made because the target machine actively refused it.",
            UNPACK: "Too many open sockets.",
        },
        {
            _SHORT: "An operation on a socket could not be performed because the system lacked "
            "sufficient buffer space or because a queue was full.\nOnly one usage of each socket address "
            "(protocol/network address/port) is normally permitted.",
            _MISUSE: "A blocking operation was interrupted by a call to WSACancelBlockingCall.\n"
            "The file handle supplied is not valid.\nAn invalid argument was supplied.\n"
            "A non-blocking socket operation could not be completed immediately.\n"
            "A blocking operation is currently executing.\n"
            "An operation was attempted on a non-blocking socket that already had an operation in progress.\n"
            "An operation was attempted on something that is not a socket.\n"
            "A required address was omitted from an operation on a socket.\n"
            "A connect request was made on an already connected socket.\nCannot translate name.\n"
            "Name component or name was too long.\nToo many references to some kernel object.\n"
            "The system detected an invalid pointer address in attempting to use a pointer argument in a call.\nA "
            "message sent on a datagram socket was larger than the internal message buffer or some other network "
            "limit, or the buffer used to receive a datagram into was smaller than the datagram itself.\nA protocol "
            "was specified in the socket function call that does not support the semantics of the socket type "
            "requested.\nAn unknown, invalid, or unsupported option or level was specified in a getsockopt or "
            "setsockopt call.\nThe requested protocol has not been configured into the system, or no implementation "
            "for it exists.\nThe support for the specified socket type does not exist in this address family.\nThe "
            "attempted operation is not supported for the type of object referenced.\nA request to send or receive "
            "data was disallowed because the socket is not connected and (when sending on a datagram socket using a "
            "sendto call) no address was supplied.\nA request to send or receive data was disallowed because the "
            "socket had already been shut down in that direction with a previous shutdown call.\nCannot remove a "
            "directory that is not empty.\nA Windows Sockets implementation may have a limit on the number of "
            "applications that may use it simultaneously.\nRan out of quota.\nItem is not available "
            "locally.\nWSAStartup cannot function at this time because the underlying system it uses to provide "
            "network services is currently unavailable.\nThe Windows Sockets version requested is not "
            "supported.\nEither the application has not called WSAStartup, or WSAStartup failed.\nNo more results "
            "can be returned by WSALookupServiceNext.\nA call to WSALookupServiceEnd was made while this call was "
            "still processing. The call has been canceled.\nThe procedure call table is invalid.\nThe requested "
            "service provider is invalid.\nThe requested service provider could not be loaded or initialized.\nA "
            "system call has failed.\nNo such service is known. The service cannot be found in the specified name "
            "space.\nThe specified class was not found.",
        },
    ),
    SourceList(
        "the same in .NET, src/libraries/System.Net.Http ConnectHelper.cs",
        f"{{}} ({HOST}:443)",
        {
            PROHIBITED: "An attempt was made to access a socket in a way forbidden by its access permissions.\n"
            "Permission denied",
            UNREACHABLE: "A socket operation was attempted to an unreachable network.\nNetwork is unreachable\n"
            "The requested address is not valid in its context.\nNo route to host\nCannot assign requested address",
            CONNECT_RESET: "An existing connection was forcibly closed by the remote host.\nConnection reset by peer",
            TIMEOUT: f"{_WSA_TIMED_OUT}\nConnection timed out\nOperation timed out",
            REFUSED: "No connection could be made because the target machine actively refused it.\nConnection refused",
            NXDOMAIN: "No such host is known.\nName or service not known\nName does not resolve\n"
            "nodename nor servname provided, or not known",
            NO_ANSWER: "Resource temporarily unavailable\nThis is usually a temporary error during hostname resolution "
            "and means that the local server did not receive a response from an authoritative server.",
            SERVFAIL: "A non-recoverable error occurred during a database lookup.",
            NO_ADDRESS: "The requested name is valid, but no data of the requested type was found.\nNo data available",
        },
        {},
    ),
    SourceList(
        "OpenJDK src/java.base/windows/native/libnet/net_util_md.c",
        "{}: no further information",
        {
            PROHIBITED: "Permission denied: connect",
            UNREACHABLE: "Cannot assign requested address\nHost is down\nNo route to host\nNetwork is down\n"
            "Network is unreachable\nAddress family not supported by protocol family\nNetwork subsystem is unavailable",
            RESET: "Software caused connection abort\nConnection reset by peer\nNetwork dropped connection on reset",
            REFUSED: "Connection refused",
            TIMEOUT: "Connection timed out",
            UNPACK: "Too many open files",
        },
        {
            "lookups, which Java reports as UnknownHostException": "Host not found\nThis is a nonrecoverable error\n"
            "Valid name, no data record of requested type\nNonauthoritative host not found",
            _SHORT: "No buffer space available (maximum connections reached?)\nAddress already in use",
            _MISUSE: "Operation already in progress\nDestination address required\nBad address\n"
            "Operation now in progress\nInterrupted function call\nInvalid argument\nSocket is already connected\n"
            "The message is larger than the maximum supported by the underlying transport\nBad protocol option\n"
            "Socket is not connected\nSocket operation on nonsocket\nProtocol family not supported\n"
            "Too many processes\nProtocol not supported\nProtocol wrong type for socket\n"
            "Cannot send after socket shutdown\nSocket type not supported\nClass type not found\n"
            "Resource temporarily unavailable\nInsufficient memory available\n"
            "Successful WSAStartup not yet performed\nWinsock.dll version out of range\n"
            "Overlapped operation aborted\nGraceful shutdown in progress",
        },
    ),
    SourceList(
        "libuv include/uv.h, as Node.js writes a connection",
        "connect {} 10.0.0.9:443",
        {
            TIMEOUT: "ETIMEDOUT",
            REFUSED: "ECONNREFUSED",
            UNREACHABLE: "ENETUNREACH\nEHOSTUNREACH\nENETDOWN\nEHOSTDOWN\nEADDRNOTAVAIL\nEAFNOSUPPORT\nENONET",
            PROHIBITED: "EACCES\nEPERM",
            CONNECT_RESET: "ECONNRESET\nECONNABORTED\nEPIPE",
        },
        {
            _SHORT: "EMFILE\nENFILE\nENOBUFS\nENOMEM\nEADDRINUSE",
            _MISUSE: "E2BIG\nEAGAIN\nEALREADY\nEBADF\nEBUSY\nECANCELED\nECHARSET\nEDESTADDRREQ\nEEXIST\nEFAULT\nEFBIG\n"
            "EINTR\nEINVAL\nEIO\nEISCONN\nEISDIR\nELOOP\nEMSGSIZE\nENAMETOOLONG\nENODEV\nENOENT\nENOPROTOOPT\nENOSYS\n"
            "ENOTCONN\nENOTDIR\nENOTEMPTY\nENOTSOCK\nENOTSUP\nEOVERFLOW\nEPROTO\nEPROTONOSUPPORT\nEPROTOTYPE\nERANGE\n"
            "EROFS\nESHUTDOWN\nESPIPE\nESRCH\nETXTBSY\nEXDEV\nUNKNOWN\nEOF\nENXIO\nEMLINK\nEREMOTEIO\nENOTTY\nEFTYPE\n"
            "EILSEQ\nESOCKTNOSUPPORT\nENODATA\nEUNATCH\nENOEXEC",
        },
    ),
    SourceList(
        "the same, as Node.js writes a lookup",
        f"getaddrinfo {{}} {HOST}",
        {
            NXDOMAIN: "ENOTFOUND\nEAI_NONAME",
            NO_ANSWER: "EAI_AGAIN\nEAI_CANCELED",
            SERVFAIL: "EAI_FAIL",
            NO_ADDRESS: "EAI_NODATA\nEAI_ADDRFAMILY",
        },
        {
            _SHORT: "EMFILE",
            _MISUSE: "EAI_BADFLAGS\nEAI_BADHINTS\nEAI_FAMILY\nEAI_MEMORY\nEAI_OVERFLOW\nEAI_PROTOCOL\nEAI_SERVICE\n"
            "EAI_SOCKTYPE",
        },
    ),
    SourceList(
        "Rust library/core/src/io/error.rs",
        "tcp connect error: {}",
        {
            UNREACHABLE: "address not available\nhost unreachable\nnetwork down\nnetwork unreachable",
            CONNECT_RESET: "broken pipe\nconnection aborted\nconnection reset",
            REFUSED: "connection refused",
            PROHIBITED: "permission denied",
            TIMEOUT: "timed out\ndeadline has elapsed",
        },
        {},
    ),
)
_CODES = (
    "UNABLE_TO_GET_ISSUER_CERT UNABLE_TO_GET_CRL UNABLE_TO_DECRYPT_CERT_SIGNATURE UNABLE_TO_DECRYPT_CRL_SIGNATURE "
    "UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY CERT_SIGNATURE_FAILURE CRL_SIGNATURE_FAILURE CRL_NOT_YET_VALID "
    "CRL_HAS_EXPIRED ERROR_IN_CERT_NOT_BEFORE_FIELD ERROR_IN_CERT_NOT_AFTER_FIELD ERROR_IN_CRL_LAST_UPDATE_FIELD "
    "ERROR_IN_CRL_NEXT_UPDATE_FIELD DEPTH_ZERO_SELF_SIGNED_CERT SELF_SIGNED_CERT_IN_CHAIN "
    "UNABLE_TO_GET_ISSUER_CERT_LOCALLY UNABLE_TO_VERIFY_LEAF_SIGNATURE CERT_CHAIN_TOO_LONG CERT_REVOKED INVALID_CA "
    "PATH_LENGTH_EXCEEDED INVALID_PURPOSE CERT_UNTRUSTED CERT_REJECTED"
)
CERTIFICATES = (
    SourceList(
        "OpenSSL crypto/x509/x509_txt.c",
        "SSL certificate problem: {}",
        {
            UNTRUSTED: "unspecified certificate verification error\nunable to get issuer certificate\n"
            "unable to get certificate CRL\nunable to decrypt certificate's signature\n"
            "unable to decode issuer public key\ncertificate signature failure\nCRL is not yet valid\n"
            "CRL has expired\nself-signed certificate\nself-signed certificate in certificate chain\n"
            "unable to get local issuer certificate\nunable to verify the first certificate\n"
            "certificate chain too long\ncertificate revoked\nissuer certificate doesn't have a public key\n"
            "path length constraint exceeded\nunsuitable certificate purpose\ncertificate not trusted\n"
            "certificate rejected\nunhandled critical extension\npermitted subtree violation\n"
            "EE certificate key too weak\nCA certificate key too weak\nCA signature digest algorithm too weak\n"
            "OCSP response has expired\ninvalid CA certificate\nMissing Authority Key Identifier\n"
            "Basic Constraints of CA cert not marked critical\n"
            "unable to decrypt CRL's signature\nCRL signature failure\nformat error in certificate's notBefore "
            "field\nformat error in certificate's notAfter field\nformat error in CRL's lastUpdate field\nformat "
            "error in CRL's nextUpdate field\nsubject issuer mismatch\nauthority and subject key identifier "
            "mismatch\nauthority and issuer serial number mismatch\nkey usage does not include certificate "
            "signing\nunable to get CRL issuer certificate\nkey usage does not include CRL signing\nunhandled "
            "critical CRL extension\ninvalid non-CA certificate (has CA markings)\nproxy path length constraint "
            "exceeded\nkey usage does not include digital signature\nproxy certificates not allowed, please set the "
            "appropriate flag\ninvalid or inconsistent certificate extension\ninvalid or inconsistent certificate "
            "policy extension\nno explicit policy\ndifferent CRL scope\nunsupported extension feature\nRFC 3779 "
            "resource not subset of parent's resources\nexcluded subtree violation\nname constraints minimum and "
            "maximum not supported\napplication verification failure\nunsupported name constraint type\nunsupported "
            "or invalid name constraint syntax\nunsupported or invalid name syntax\nCRL path validation error\npath "
            "loop\nSuite B: certificate version invalid\nSuite B: invalid public key algorithm\nSuite B: invalid ECC "
            "curve\nSuite B: invalid signature algorithm\nSuite B: curve not allowed for this LOS\nSuite B: cannot "
            "sign P-384 with P-256\nemail address mismatch\nno matching DANE TLSA records\ninvalid certificate "
            "verification context\nissuer certificate lookup error\nCertificate Transparency required, but no valid "
            "SCTs found\nproxy subject name violation\nOCSP verification needed\nOCSP verification failed\nOCSP "
            "unknown cert\nOCSP response(s) invalid\nOCSP response signature verification failure\nOCSP response not "
            "yet valid (contains a date in the future)\nno OCSP response available for certificate\nCannot find "
            "certificate signature algorithm\nsubject signature algorithm and issuer public key algorithm "
            "mismatch\ncert info signature and signature algorithm mismatch\nPath length invalid for non-CA "
            "cert\nPath length given without key usage keyCertSign\nKey usage keyCertSign invalid for non-CA "
            "cert\nIssuer name empty\nSubject name empty\nMissing Subject Key Identifier\nEmpty Subject Alternative "
            "Name extension\nSubject empty and Subject Alt Name extension not critical\nAuthority Key Identifier "
            "marked critical\nSubject Key Identifier marked critical\nCA cert does not include key usage "
            "extension\nUsing cert extension requires at least X509v3\nCertificate public key has explicit ECC "
            "parameters\nRaw public key untrusted, no trusted keys configured\nunknown certificate verification "
            "error\nout of memory",
            EXPIRED: "certificate is not yet valid or the system clock is incorrect\ncertificate has expired",
            WRONG_NAME: "hostname mismatch\nIP address mismatch",
        },
        {},
    ),
    SourceList(
        "the same in apps/lib/s_cb.c",
        "{}",
        {
            UNTRUSTED: "verify error:num=26:unsuitable certificate purpose\nVerify return code: 26 (unsuitable "
            "certificate purpose)",
            EXPIRED: "verify error:num=10:certificate has expired",
        },
        {"success": "Verify return code: 0 (ok)"},
    ),
    SourceList(
        "Node.js deps/ncrypto/ncrypto.cc",
        "code: '{}'",
        {
            UNTRUSTED: _CODES.replace(" ", "\n"),
            EXPIRED: "CERT_NOT_YET_VALID\nCERT_HAS_EXPIRED",
            WRONG_NAME: "HOSTNAME_MISMATCH\nERR_TLS_CERT_ALTNAME_INVALID",
        },
        {"no failure of a certificate": "OUT_OF_MEM"},
    ),
    SourceList(
        "Go src/crypto/x509/verify.go and root_darwin.go",
        "tls: failed to verify certificate: x509: {}",
        {
            UNTRUSTED: "certificate is not authorized to sign other certificates\n"
            "a root or intermediate certificate is not authorized to sign for this name: a.example\n"
            "a root or intermediate certificate is not authorized for an extended key usage: a\n"
            "too many intermediates for path length constraint\n"
            "certificate specifies an incompatible key usage\n"
            "issuer name does not match subject from issuing certificate\n"
            "issuer has name constraints but leaf doesn't have a SAN extension\n"
            "issuer has name constraints but leaf contains unknown or unconstrained name: a\nunknown error\n"
            "certificate signed by unknown authority\nfailed to load system roots and no roots provided\n"
            "“a.example” certificate is not trusted\n“a.example” certificate is not standards compliant\n"
            "“a.example” certificate is revoked\n“a.example” certificate is not permitted for this usage",
            EXPIRED: "certificate has expired or is not yet valid: current time 2 is after 1\n"
            "“a.example” certificate is expired",
            WRONG_NAME: "certificate relies on legacy Common Name field, use SANs instead\n"
            "cannot validate certificate for 10.0.0.9 because it doesn't contain any IP SANs\n"
            "certificate is not valid for any names, but wanted to match a.example\n"
            "certificate is valid for b.example, not a.example\n“a.example” certificate name does not match input",
        },
        {},
    ),
    SourceList(
        "OpenJDK sun/security/util/HostnameChecker.java, validator and provider/certpath; Apache HttpClient "
        "DefaultHostnameVerifier.java",
        "javax.net.ssl.SSLHandshakeException: {}",
        {
            WRONG_NAME: "No subject alternative names present\n"
            "No subject alternative names matching IP address 10.0.0.9 found\n"
            "No subject alternative DNS name matching a.example found.\nNo name matching a.example found\n"
            "Certificate for <a.example> doesn't match any of the subject alternative names: [b.example]\n"
            "Certificate for <a.example> doesn't match common name of the certificate subject: b.example\n"
            "Certificate subject for <a.example> doesn't contain a common name and does not have alternative names",
            UNTRUSTED: "PKIX path building failed: unable to find valid certification path to requested target\n"
            "PKIX path validation failed: Path does not chain with any of the trust anchors\n"
            "PKIX path validation failed: signature check failed\n"
            "PKIX path validation failed: basic constraints check failed\n"
            "PKIX path validation failed: Algorithm constraints check failed on signature algorithm: SHA1withRSA\n"
            "Unexpected error: java.security.InvalidAlgorithmParameterException: the trustAnchors parameter must be "
            "non-empty\nNo trusted certificate found\n"
            "Extended key usage does not permit use for TLS server authentication",
            EXPIRED: "PKIX path validation failed: java.security.cert.CertPathValidatorException: validity check "
            "failed\nPKIX path validation failed: timestamp check failed\nCertificateExpiredException: NotAfter: 1\n"
            "CertificateNotYetValidException: NotBefore: 1",
        },
        {},
    ),
    SourceList(
        "rustls rustls/src/error/mod.rs: CertificateError, also in the words before version 0.24",
        "invalid peer certificate: {}",
        {
            UNTRUSTED: "BadEncoding\nRevoked\nUnhandledCriticalExtension\nUnknownIssuer\nUnknownRevocationStatus\n"
            "ExpiredRevocationList\nBadSignature\nUnsupportedSignatureAlgorithm\nInvalidPurpose\n"
            "certificate does not allow extended key usage for server authentication, allows client authentication\n"
            "InvalidOcspResponse\nApplicationVerificationFailure\nOther(CaUsedAsEndEntity)\n"
            "certificate revocation list expired: verification time 2 (UNIX)",
            EXPIRED: "Expired\nNotValidYet\ncertificate expired: verification time 2 (UNIX), but certificate is not "
            "valid after 1\ncertificate not valid yet: verification time 1 (UNIX)",
            WRONG_NAME: 'NotValidForName\ncertificate not valid for name "a.example"; certificate is only valid for b',
        },
        {},
    ),
    SourceList(
        "MicrosoftDocs/win32 com-error-codes-4: SEC_E, CERT_E, TRUST_E and CRYPT_E of a server's certificate",
        "{}",
        {
            UNTRUSTED: "The certificate chain was issued by an authority that is not trusted.\n"
            "An unknown error occurred while processing the certificate.\n"
            "A certificate that can only be used as an end-entity is being used as a CA or visa versa.\n"
            "A path length constraint in the certification chain has been violated.\n"
            "A certificate contains an unknown extension that is marked 'critical'.\n"
            "A certificate being used for a purpose other than the ones specified by its CA.\n"
            "A parent of a given certificate in fact did not issue that child certificate.\n"
            "A certificate chain processed, but terminated in a root certificate which is not trusted by the trust "
            "provider.\nA certificate chain could not be built to a trusted root authority.\n"
            "A certificate was explicitly revoked by its issuer.\n"
            "The revocation process could not continue - the certificate(s) could not be checked.\n"
            "The certificate is not valid for the requested usage.\n"
            "The certificate was explicitly marked as untrusted by the user.\n"
            "A certification chain processed correctly, but one of the CA certificates is not trusted by the policy "
            "provider.\nThe certificate has invalid policy.\n"
            "The revocation function was unable to check revocation for the certificate.\n"
            "The revocation function was unable to check revocation because the revocation server was offline.\n"
            "The certificate is revoked.\nThe signature of the certificate cannot be verified.",
            EXPIRED: "The received certificate has expired.\nA required certificate is not within its validity period "
            "when verifying against the current system clock or the timestamp in the signed file.\n"
            "The validity periods of the certification chain do not nest correctly.",
            WRONG_NAME: "The target principal name is incorrect.\n"
            "The certificate's CN name does not match the passed value.\nThe certificate has an invalid name. The name "
            "is not included in the permitted list or is explicitly excluded.",
            TLS_RESET: "The client and server cannot communicate, because they do not possess a common algorithm.\n"
            "The message received was unexpected or badly formatted.",
            NOT_TLS: "The token supplied to the function is invalid",
        },
        {
            "logins, tickets and signed files": "The logon attempt failed\nNo signature was present in the "
            "subject.\nA system shutdown is in progress."
        },
    ),
)
_ALERTS = (
    "unexpected message|bad record mac|decryption failed|record overflow|decompression failure|handshake failure|"
    "no certificate|bad certificate|unsupported certificate|certificate revoked|certificate expired|"
    "certificate unknown|illegal parameter|unknown ca|access denied|decode error|decrypt error|export restriction|"
    "protocol version|insufficient security|internal error|inappropriate fallback|no renegotiation|"
    "missing extension|unsupported extension|unrecognized name|certificate required|no application protocol"
).replace("|", "\n")
_SPOKEN_ALERTS = (
    "received an unexpected message|failed to verify a message|rejected an over-length message|failed to negotiate an "
    "acceptable set of security parameters|rejected the certificate as corrupt or incorrectly signed|did not support "
    "the certificate|found the certificate to be expired|found the certificate was not issued by a trusted CA|denied "
    "access|did not support a suitable TLS version|required a higher security level than was offered|encountered an "
    "internal error|did not recognize a name in the `server_name` extension|required a client certificate"
).replace("|", "\n")
HANDSHAKES = (
    SourceList(
        "OpenSSL crypto/err/openssl.txt: alerts, before version 3.2",
        "error:0A000000:SSL routines::sslv3 alert {}",
        {TLS_RESET: _ALERTS},
        {},
    ),
    SourceList("the same since", "error:0A000000:SSL routines::ssl/tls alert {}", {TLS_RESET: _ALERTS}, {}),
    SourceList(
        "Python's names of them",
        "[SSL: TLSV1_ALERT_{}] (_ssl.c:1000)",
        {TLS_RESET: _ALERTS.upper().replace(" ", "_")},
        {},
    ),
    SourceList(
        "OpenJDK sun/security/ssl/Alert.java", "Received fatal alert: {}", {TLS_RESET: _ALERTS.replace(" ", "_")}, {}
    ),
    SourceList(
        "Go src/crypto/tls/alert.go",
        "remote error: tls: {}",
        {
            TLS_RESET: "close notify\nunexpected message\nbad record MAC\ndecryption failed\nrecord overflow\n"
            "decompression failure\nhandshake failure\nbad certificate\nunsupported certificate\n"
            "revoked certificate\nexpired certificate\nunknown certificate\nillegal parameter\n"
            "unknown certificate authority\naccess denied\nerror decoding message\nerror decrypting message\n"
            "protocol version not supported\ninsufficient security level\ninternal error\ninappropriate fallback\n"
            "user canceled\nno renegotiation\nmissing extension\nunsupported extension\nno application protocol\n"
            "unrecognized name\ncertificate required\nalert(255)",
        },
        {},
    ),
    SourceList(
        "rustls rustls/src/error/mod.rs: alerts", "received fatal alert: the peer {}", {TLS_RESET: _SPOKEN_ALERTS}, {}
    ),
    SourceList(
        "OpenSSL crypto/err/openssl.txt: reasons that a client's handshake can have",
        "error:0A000000:SSL routines::{}",
        {
            UNTRUSTED: "certificate verify failed\nee key too small\nca md too weak",
            NOT_TLS: "wrong version number\nhttp request\nhttps proxy request\npacket length too long\n"
            "unknown protocol",
            TLS_RESET: "unexpected eof while reading\nunsupported protocol\nno protocols available\n"
            "no ciphers available\ndh key too small\nversion too low\nunexpected message\nbad record type\n"
            "record layer failure\nlegacy sigalg disallowed or unsupported\nwrong cipher returned\nbad extension\n"
            "unsafe legacy renegotiation disabled\nwrong signature type\nssl handshake failure\n"
            "decryption failed or bad record mac\nno suitable key share\nbad key share\nunexpected record\n"
            "wrong ssl version\nunsupported ssl version\ntlsv1 unrecognized name",
        },
        {},
    ),
    SourceList(
        "OpenJDK sun/security/ssl: SSLSocketImpl, SSLSocketInputRecord, HandshakeContext; Netty SslHandler",
        "javax.net.ssl.SSLException: {}",
        {
            NOT_TLS: "Unrecognized SSL message, plaintext connection?\nUnsupported or unrecognized SSL message\n"
            "Unrecognized record version SSL-0.0 , plaintext connection?\n"
            "not an SSL/TLS record: 485454502f312e31",
            TLS_RESET: "Remote host terminated the handshake\nReceived close_notify during handshake\n"
            "received handshake warning: unrecognized_name\n"
            "No appropriate protocol (protocol is disabled or cipher suites are inappropriate)\n"
            "The server selected protocol version TLS10 is not accepted by client preferences [TLS12]\n"
            "SSLEngine closed already\nSSL peer shut down incorrectly",
            TLS_STALL: "handshake timed out after 10000ms",
            RESET: "Remote host terminated the connection",
        },
        {},
    ),
    SourceList(
        "rustls rustls/src/error/mod.rs: Error; hyper-rustls",
        "client error (Connect): {}",
        {
            NOT_TLS: "received corrupt message of type InvalidContentType",
            TLS_RESET: "received corrupt message of type MissingData\npeer is incompatible: NoCipherSuitesInCommon\n"
            "peer misbehaved: UnexpectedMessage\ncannot decrypt peer's message\ntls handshake eof\n"
            "received unexpected message: got ApplicationData when expecting Handshake\n"
            "received unexpected handshake message: got ServerHello when expecting Certificate\n"
            "peer doesn't support any known protocol\npeer sent excess record size\nhandshake not complete",
            CUT: "peer closed connection without sending TLS close_notify: https://docs.rs/rustls",
        },
        {},
    ),
    SourceList(
        ".NET src/libraries/System.Net.Security/src/Resources/Strings.resx",
        "The SSL connection could not be established, see inner exception. ---> {}",
        {
            NOT_TLS: "The handshake failed due to an unexpected packet format.\n"
            "Cannot determine the frame size or a corrupted frame was received.",
            TLS_RESET: "Authentication failed because the remote party has closed the transport stream.\n"
            "Authentication failed because the remote party sent a TLS alert: 'HandshakeFailure'.\n"
            "Received an unexpected EOF or 0 bytes from the transport stream.\n"
            "SSL Handshake failed with OpenSSL error - SSL_ERROR_SSL.\nAuthentication failed, see inner exception.\n"
            "No common application protocol exists between the client and the server.",
            UNTRUSTED: "The remote certificate is invalid according to the validation procedure: "
            "RemoteCertificateChainErrors\n"
            "The remote certificate was rejected by the provided RemoteCertificateValidationCallback.\n"
            "The remote certificate is invalid because of errors in the certificate chain: Revoked",
            EXPIRED: "The remote certificate is invalid because of errors in the certificate chain: NotTimeValid",
            WRONG_NAME: "The remote certificate is invalid according to the validation procedure: "
            "RemoteCertificateNameMismatch",
        },
        {},
    ),
)
HTTP = (
    SourceList(
        ".NET src/libraries/System.Net.Http/src/Resources/Strings.resx, System.Net.Requests",
        "System.Net.Http.HttpRequestException: {}",
        {
            CUT: "The response ended prematurely.\nThe response ended prematurely while waiting for the next frame "
            "from the server.\nThe response ended prematurely, with at least 9 additional bytes expected.\n"
            "The HTTP/2 server sent invalid data on the connection. HTTP/2 error code 'PROTOCOL_ERROR' (0x1).\n"
            "The HTTP/2 server reset the stream. HTTP/2 error code 'INTERNAL_ERROR' (0x2).\n"
            "An HTTP/2 connection could not be established because the server did not complete the HTTP/2 handshake.\n"
            "The server returned an invalid or unrecognized response.\nReceived an invalid status line: 'x'.\n"
            "Received chunk header length could not be parsed: 'x'.\n"
            "Unable to read data from the transport connection. The connection was closed before all data could be "
            "read. Expected 9 bytes, read 7 bytes.",
            RESET: "The server shut down the connection.\n"
            "Unable to read data from the transport connection: Connection reset by peer.\n"
            "The underlying connection was closed: An unexpected error occurred on a receive.\n"
            "The underlying connection was closed: The connection was closed unexpectedly.",
            TIMEOUT: "A connection could not be established within the configured ConnectTimeout.\n"
            "The request was canceled due to the configured HttpClient.Timeout of 100 seconds elapsing.\n"
            "The operation has timed out.\nAn error occurred while sending the request.\n"
            "Unable to connect to the remote server",
            NXDOMAIN: f"The remote name could not be resolved: '{HOST}'",
            UNTRUSTED: "The underlying connection was closed: Could not establish trust relationship for the SSL/TLS "
            "secure channel.",
            TLS_RESET: "The request was aborted: Could not create SSL/TLS secure channel.",
            PROXY_DENIES: "The proxy tunnel request to proxy 'http://p:1/' failed with status code '407'.\n"
            "The remote server returned an error: (407) Proxy Authentication Required.\n"
            "Failed to authenticate with the SOCKS server.\nSOCKS server failed to connect to the destination.\n"
            "SOCKS server requested username & password authentication.",
            BAD_PROXY: "Only the 'http', 'socks4', 'socks4a' and 'socks5' schemes are allowed for proxies.",
            SETTINGS: "An invalid request URI was provided. The request URI must either be an absolute URI or "
            "BaseAddress must be set.\nOnly 'http' and 'https' schemes are allowed.",
            (Failure.DENIED, None): "Response status code does not indicate success: 403 (Forbidden).\n"
            "The remote server returned an error: (403) Forbidden.",
            (Failure.UNAUTHENTICATED, None): "Response status code does not indicate success: 401 (Unauthorized).",
            (Failure.NOT_FOUND, Action.MANIFEST): "Response status code does not indicate success: 404 (Not Found).",
            (Failure.THROTTLED, None): "Response status code does not indicate success: 429 (Too Many Requests).",
            (Failure.SERVER_ERROR, None): "Response status code does not indicate success: 503 (Service Unavailable).\n"
            "The remote server returned an error: (503) Server Unavailable.\n"
            "The remote server returned an error: (502) Bad Gateway.",
        },
        {},
    ),
    SourceList(
        "AWS SDK for Java 2: NettyUtils, ApiCallTimeoutException, ApiCallAttemptTimeoutException; Apache HttpClient "
        "ConnectExceptionSupport; Netty",
        "SdkClientException: Unable to execute HTTP request: {}",
        {
            RESET: "The connection was closed during the request. The request will usually succeed on a retry, but if "
            "it does not: consider disabling any proxies you have configured",
            STALLED: "Read timed out\nWrite timed out",
            TIMEOUT: "Acquire operation took longer than the configured maximum time.\n"
            "HTTP request execution did not complete before the specified timeout configuration: 1 millis\n"
            "Client execution did not complete before the specified timeout configuration: 1 millis\n"
            f"connection timed out after 30000 ms: {HOST}/10.0.0.9:443\nConnect timed out\n"
            f"Connect to https://{HOST}:443 [{HOST}/10.0.0.9] failed: Connect timed out\n"
            f"Connect to {HOST}:443 [{HOST}/10.0.0.9] timed out",
            REFUSED: f"Connect to https://{HOST}:443 [{HOST}/10.0.0.9] failed: Connection refused\n"
            f"Connect to {HOST}:443 [{HOST}/10.0.0.9] refused",
            NXDOMAIN: f"Failed to resolve '{HOST}' [A(1), AAAA(28)]\nQuery failed with NXDOMAIN",
            SERVFAIL: f"Query failed with SERVFAIL\nCNAME loop detected for '{HOST}'",
            PROXY_DENIES: "CONNECT refused by proxy: HTTP/1.1 403 Forbidden\n"
            f"http, none, proxy.example/10.9.9.9:3128 => {HOST}:443, status: 403 Forbidden",
            PROXY_SILENT: f"http, none, proxy.example/10.9.9.9:3128 => {HOST}:443, timeout",
        },
        {},
    ),
    SourceList(
        "AWS CRT, for Java and the CLI: aws-c-io source/io.c, aws-c-http source/http.c",
        "HttpException: {}",
        {
            NXDOMAIN: "Host name was invalid for dns resolution.",
            NO_ANSWER: "A temporary failure in name resolution occurred, please try again.",
            NO_ADDRESS: "No address was found for the supplied host name.",
            SERVFAIL: "A nonrecoverable failure when query to dns occurred.",
            TIMEOUT: "socket operation timed out.\n"
            "Connection Manager failed to acquire a connection within the defined timeout.",
            REFUSED: "socket connection refused.",
            UNREACHABLE: "socket connect failure, no route to host.\nnetwork is down.",
            TLS_STALL: "Channel shutdown due to tls negotiation timeout",
            TLS_RESET: "TLS (SSL) negotiation failed\nFatal TLS Alert was received\n"
            "Channel shutdown due to tls alert. The alert was not for a graceful shutdown.\n"
            "Channel shutdown due to internal SSL error.",
            UNTRUSTED: "Default TLS trust store not found on this system.\n"
            "Channel shutdown due to tls unknown root certificate.\n"
            "Channel shutdown due to tls no root certificate found.\n"
            "Channel shutdown due to tls certificate is malformed or not correctly formatted.\n"
            "Channel shutdown due to peer tls certificate has been revoked.\n"
            "Channel shutdown due to peer tls certificate is unknown.\n"
            "Channel shutdown due to invalid certificate chain.",
            EXPIRED: "Channel shutdown due to tls certificate expired.\n"
            "Channel shutdown due to tls certificate not yet valid.",
            WRONG_NAME: "Channel shutdown due to certificate's host name does not match the endpoint host name.",
            RESET: "The connection has closed or is closing.\nsocket is closed.\n"
            "Attempt to read or write to io handle that has already been closed.\n"
            "Channel shutdown due to connection closed due to an error.",
            CUT: "Protocol rules violated by peer\nPeer sent GOAWAY to initiate connection shutdown.\n"
            "Peer sent RST_STREAM to terminate HTTP-stream.",
            STALLED: "Timed out waiting for first byte of HTTP response, after sending the full request.\n"
            "Http connection channel shut down due to failure to meet throughput minimum",
            PROXY_DENIES: "Proxy-based connection establishment failed because the CONNECT call failed",
            PROXY_SILENT: "Proxy connection attempt failed but the negotiation could be continued on a new connection",
        },
        {
            _MISUSE: "Event loop has shutdown and a resource was still using it\nSocket is missing its event loop.\n"
            "Invalid socket options.\nStream failed to read from the underlying io source\nMethod is invalid.\n"
            "HTTP-stream must be activated before use.\nMax pending acquisitions reached",
        },
    ),
    SourceList(
        "WinHTTP, as .NET and PowerShell on Windows show it",
        "Error 1 calling WINHTTP_CALLBACK_STATUS_REQUEST_ERROR, '{}'.",
        {
            NXDOMAIN: "The server name or address could not be resolved",
            TIMEOUT: "A connection with the server could not be established",
            CUT: "The server returned an invalid or unrecognized response",
        },
        {},
    ),
    SourceList(
        "undici lib/core/errors.js and lib/core/connect.js, dispatcher/proxy-agent.js",
        "{}",
        {
            TIMEOUT: "TypeError: fetch failed\n"
            "Connect Timeout Error (attempted addresses: 10.0.0.9:443, timeout: 10000ms)\n"
            "UND_ERR_CONNECT_TIMEOUT\nThe operation was aborted due to timeout",
            STALLED: "Headers Timeout Error\nUND_ERR_HEADERS_TIMEOUT\nBody Timeout Error\nUND_ERR_BODY_TIMEOUT\n"
            "socket idle timeout",
            CUT: "Response body length does not match content-length header\nUND_ERR_RES_CONTENT_LENGTH_MISMATCH\n"
            'HTTP/2: "GOAWAY" frame received with code 0\nHTTP/2: stream closed before the response was complete\n'
            "HPE_INVALID_CONSTANT",
            RESET: "other side closed\nUND_ERR_SOCKET",
            PROXY_SILENT: "Secure Proxy Connection failed\nUND_ERR_PRX_TLS\nProxy Connection failed\nUND_ERR_PRX_CONN\n"
            "SOCKS5 proxy error\nUND_ERR_SOCKS5",
            PROXY_DENIES: "Proxy response (403) !== 200 when HTTP Tunneling",
            NO_ADDRESS: "No DNS entries found",
        },
        {
            _MISUSE: "UND_ERR_INVALID_ARG\nUND_ERR_INVALID_RETURN_VALUE\nUND_ERR_NOT_SUPPORTED\nUND_ERR_DESTROYED\n"
            "UND_ERR_CLOSED\nUND_ERR_BPL_MISSING_UPSTREAM\nUND_ERR_REQ_CONTENT_LENGTH_MISMATCH\n"
            "UND_ERR_RES_EXCEEDED_MAX_SIZE\nUND_ERR_HEADERS_OVERFLOW\nUND_ERR_MAX_ORIGINS_REACHED",
            "words in front of a reason": "UND_ERR_ABORTED\nUND_ERR_INFO\nUND_ERR_REQ_RETRY\nUND_ERR_RESPONSE",
        },
    ),
    SourceList(
        "AWS SDK for JavaScript 3: smithy-typescript's node-http-handler and credential-provider-imds",
        "TimeoutError: {}",
        {
            TIMEOUT: "@smithy/node-http-handler - the request socket did not establish a connection with the server "
            "within the configured timeout of 1000 ms.\nSocket timed out without establishing a connection within 1 "
            "ms\n"
            "@smithy/node-http-handler - [ERROR] a request has exceeded the configured 1 ms requestTimeout.\n"
            "Request did not complete within 1 ms",
            STALLED: "@smithy/node-http-handler - the request socket timed out after 1 ms of inactivity (configured by "
            "client requestHandler).\nStream timed out because of no activity for 1 ms",
            RESET: "Unexpected error: http2 request did not get a response",
            CUT: "HTTP/2 stream is abnormally aborted in mid-communication with result code 2.",
            METADATA: "Unable to connect to instance metadata service\nTimeoutError from instance metadata service\n"
            "Error response received from instance metadata service\n"
            "Invalid response received from instance metadata service.",
            CREDENTIALS: "The container metadata credential provider cannot be used unless the "
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or AWS_CONTAINER_CREDENTIALS_FULL_URI environment variable is set",
        },
        {},
    ),
    SourceList(
        "hyper src/error.rs, hyper-util, reqwest src/error.rs, smithy-rs",
        "{}",
        {
            CUT: "connection closed before message completed\ninvalid HTTP version parsed\n"
            "invalid HTTP status-code parsed\ninvalid HTTP header parsed\ninvalid content-length parsed\n"
            "message head is too large\nreceived unexpected message from connection\n"
            "error reading a body from connection\n"
            "stream error received: unexpected internal error encountered\n"
            "connection error detected: frame with invalid size",
            RESET: "error writing a body to connection",
            TIMEOUT: "client error (Connect)\nclient error (SendRequest)\noperation timed out\n"
            "error sending request for url (https://a.example/)\n"
            "HTTP connect timeout occurred after 3.1s\nrequest has timed out\ndispatch failure\n"
            "operation timeout (all attempts including retries) timeout occurred after 3s\nerror resolving DNS",
            STALLED: "HTTP read timeout occurred after 30s\n"
            "minimum throughput was specified at 1 B/s, but throughput of 0 B/s was observed",
            PROXY_DENIES: "tunnel error: unsuccessful\ntunnel error: proxy authorization required",
            PROXY_SILENT: "tunnel error: failed to create underlying connection\n"
            "tunnel error: io error establishing tunnel\ntunnel error: unexpected end of file",
            SETTINGS: "builder error: URL scheme is not allowed\ninvalid URL, scheme is not http",
        },
        {
            _MISUSE: "invalid HTTP method parsed\nURI too long\ninvalid transfer-encoding parsed\nchannel closed\n"
            "read header from client timeout\nerror shutting down connection\nuser body write aborted\n"
            "user sent unexpected header\nno upgrade available\ndispatch task is gone\nerror upgrading connection\n"
            "error following redirect for url (https://a.example/)",
            "words in front of a reason": "http2 error\nconnection error\nrequest or response body error\n"
            "error decoding response body",
        },
    ),
    SourceList(
        "curl lib/strerror.c: CURLcode",
        "curl: (1) {}",
        {
            SETTINGS: "URL using bad/illegal format or missing URL\nUnsupported protocol",
            PROXY_SILENT: "Could not resolve proxy name\nproxy handshake error",
            NXDOMAIN: "Could not resolve hostname",
            TIMEOUT: "Could not connect to server\nTimeout was reached\nQUIC connection error",
            CUT: "Weird server reply\nError in the HTTP2 framing layer\nTransferred a partial file\n"
            "Unrecognized or bad HTTP Content or Transfer-Encoding\nStream error in the HTTP/2 framing layer",
            DISK: "Failed writing received data to disk/application",
            TLS_RESET: "SSL connect error\nCould not use specified SSL cipher",
            RESET: "Server returned nothing (no headers, no data)\nFailed sending data to the peer\n"
            "Failure when receiving data from the peer",
            UNTRUSTED: "SSL peer certificate or SSH remote key was not OK\n"
            "Problem with the SSL CA cert (path? access rights?)\n"
            "SSL server certificate status verification FAILED\nIssuer check against peer certificate failed\n"
            "SSL public key does not match pinned public key",
        },
        {
            "other protocols, options, files of the client, and statuses that other words state": "Failed "
            "initialization\nFTP: unknown PASS reply\nQuote command returned error\nHTTP response code said error\n"
            "Upload failed (at start/before it took off)\nFailed to open/read local data from file/application\n"
            "Out of memory\nRequested range was not delivered by the server\nCould not resume download\n"
            "Operation was aborted by an application callback\nFailed binding local connection end\n"
            "Number of redirects hit maximum amount\nProblem with the local SSL certificate\n"
            "Maximum file size exceeded\n"
            "Failed to shut down the SSL connection\nLogin denied\nRemote file not found\nError in the SSH layer\n"
            "The max connection limit is reached\nSSL Client Certificate required\nECH attempted but failed\n"
            "FTP: The server failed to connect to data port\nFTP: Accepting server "
            "connect has timed out\nFTP: The server did not accept the PRET command.\nFTP: unknown PASV reply\nFTP: "
            "unknown 227 response format\nFTP: cannot figure out the host in the PASV response\nFTP: could not set "
            "file type\nFTP: could not retrieve (RETR failed) the specified file\nFTP: command PORT failed\nFTP: "
            "command REST failed\nCould not read a file:// file\nLDAP: cannot bind\nLDAP: search failed\nA libcurl "
            "function was given a bad argument\nAn unknown option was passed in to libcurl\nMalformed option "
            "provided in a setopt\nSSL crypto engine not found\nCan not set SSL crypto engine as default\nFailed to "
            "initialize SSL crypto engine\nRequested SSL level failed\nFailed to load CRL file (path? access "
            "rights?, format?)\nSend failed since rewinding of the data stream failed\nTFTP: File Not Found\nTFTP: "
            "Access Violation\nTFTP: Illegal operation\nTFTP: Unknown transfer ID\nRemote file already exists\nTFTP: "
            "No such user\nSocket not ready for send/recv\nRTSP CSeq mismatch or invalid CSeq\nRTSP session "
            "error\nUnable to parse FTP file list\nChunk callback failed\nAPI function called from within "
            "callback\nAn authentication function returned an error\nHTTP/3 error\nUnrecoverable error in "
            "select/poll\nA value or data field grew larger than allowed",
        },
    ),
    SourceList(
        "curl lib: failf of connect, hostip, socks, http_proxy and vtls",
        "curl: (1) {}",
        {
            TIMEOUT: f"Failed to connect to {HOST}:443 after 9 ms: Could not connect to server\n"
            f"Failed to connect to {HOST} port 443 via 10.0.0.9 after 9 ms: Timeout was reached\n"
            "Connection timeout after 5000 ms\nConnection timed out after 5000 milliseconds\n"
            "Operation timed out after 5000 milliseconds with 0 bytes received",
            NXDOMAIN: f"Could not resolve host: {HOST}",
            NO_ANSWER: "Resolving timed out after 5000 milliseconds\n"
            f"Could not resolve host: {HOST} (Timeout while contacting DNS servers)",
            PROXY_DENIES: "CONNECT tunnel failed, response 403\nNo authentication method was acceptable.",
            PROXY_SILENT: "Proxy CONNECT aborted\nProxy CONNECT aborted due to timeout\n"
            "Failed to receive SOCKS response, proxy closed connection\nSOCKS4 reply is incomplete.\n"
            "cannot complete SOCKS5 connection to a.example. (4)\nUnable to negotiate SOCKS5 GSS-API context.",
            BAD_PROXY: "Unsupported proxy scheme for 'x'\nUnsupported proxy syntax in 'x': Malformed input",
            TLS_RESET: "TLS connect error: Connection closed abruptly\nSSL versions not supported\n"
            "GnuTLS, handshake failed: The TLS connection was non-properly terminated.",
            WRONG_NAME: "SSL: certificate subject name 'b' does not match target hostname 'a.example'\n"
            "SSL: no alternative certificate subject name matches target hostname 'a.example'",
            UNTRUSTED: "SSL certificate verification failed: self-signed certificate. (CAfile: none)\n"
            "SSL certificate OpenSSL verify result: unable to get local issuer certificate (20)\n"
            "SSL: Certificate issuer check failed (x)\nServer certificate was revoked: x",
            CUT: "Received only partial file: 9 bytes\nHTTP/2 stream 1 reset by server (error 0x2 INTERNAL_ERROR)\n"
            "Received HTTP/0.9 when not allowed\ntransfer closed with 9 bytes remaining to read\n"
            "HTTP/2 stream 1 was closed cleanly, but before getting all response header fields\nInvalid status line",
            RESET: "Empty reply from server\nRecv failure: Connection reset by peer\n"
            "Connection died, tried 5 times before giving up",
            STALLED: "Operation too slow. Less than 1 bytes/sec transferred the last 30 seconds",
        },
        {},
    ),
    SourceList(
        "x/net http2/transport.go, frame.go and errors.go; Go src/net/http/transport.go",
        f'Get "https://{HOST}/": {{}}',
        {
            CUT: "http2: client connection lost\nhttp2: Transport received GOAWAY from server ErrCode:NO_ERROR\n"
            "http2: server sent GOAWAY and closed the connection\nhttp: server closed idle connection\n"
            "http2: frame too large\nhttp2: failed reading the frame payload: x\nconnection error: PROTOCOL_ERROR\n"
            "stream error: stream ID 1; ENHANCE_YOUR_CALM; received from peer\n"
            "malformed response from server: missing status pseudo header\n"
            "net/http: server replied with more than declared Content-Length; truncated\n"
            "net/http: HTTP/1.x transport connection broken: malformed HTTP status code",
            STALLED: "http2: timeout awaiting response headers\nnet/http: timeout awaiting response headers",
            TIMEOUT: "net/http: request canceled while waiting for connection\n"
            "context deadline exceeded (Client.Timeout exceeded while awaiting headers)",
            TLS_STALL: "net/http: TLS handshake timeout",
            NOT_TLS: "http: server gave HTTP response to HTTPS client",
            SETTINGS: 'unsupported protocol scheme "x"\nhttp: no Host in request URL',
        },
        {},
    ),
    SourceList(
        "curl lib/http.c (-f), OpenJDK sun/net/www/protocol/http/HttpURLConnection.java, SDK for Java 1",
        f"x https://{HOST}/ {{}}",
        {
            (Failure.UNAUTHENTICATED, None): "The requested URL returned error: 401\n"
            "Server returned HTTP response code: 401 for URL: x",
            (Failure.DENIED, None): "The requested URL returned error: 403\n"
            "Server returned HTTP response code: 403 for URL: x",
            (Failure.NOT_FOUND, Action.MANIFEST): "The requested URL returned error: 404",
            (Failure.THROTTLED, None): "The requested URL returned error: 429",
            (Failure.SERVER_ERROR, None): "The requested URL returned error: 503\n"
            "Service: AmazonECR; Status Code: 500\n"
            "Server returned HTTP response code: 502 for URL: x",
        },
        {},
    ),
)
PROXIES = (
    SourceList(
        "Squid errors/templates, without the marks; X-Squid-Error",
        "403 Forbidden ERROR {}",
        {
            NOT_AWS: "The requested URL could not be retrieved\nCache Access Denied.\n"
            "Access Denied. Access control configuration prevents your request from being allowed at this time.\n"
            f"Unable to determine IP address from host name {HOST} The DNS server returned: Timeout\n"
            "X-Squid-Error: ERR_ACCESS_DENIED 0\nX-Squid-Error: ERR_CONNECT_FAIL 110",
        },
        {},
    ),
    SourceList(
        "Squid src/LogTags.cc: what a CONNECT ended with",
        f"1764450000.1 9 10.0.1.9 {{}} 0 CONNECT {HOST}:443 - HIER_NONE/- -",
        {
            PROXY_DENIES: "TCP_DENIED/403\nTCP_DENIED/407\nTCP_DENIED_REPLY/403\nTCP_DENIED_ABORTED/403",
            PROXY_SILENT: "TCP_TUNNEL/503\nNONE_NONE/503\nTAG_NONE/503\nTCP_MISS/503",
        },
        {"a tunnel that Squid opened": "TCP_TUNNEL/200"},
    ),
    SourceList(
        "Envoy source/common/http/utility.cc resetReasonToString",
        "503 Service Unavailable: upstream connect error or disconnect/reset before headers. reset reason: {}",
        {
            NOT_AWS: "local connection failure\nremote connection failure\nconnection timeout\nconnection termination\n"
            "local reset\nlocal refused stream reset\noverflow\nremote reset\nremote refused stream reset\n"
            "remote error with CONNECT request\nprotocol error\noverload manager reset\n"
            "HTTP/1 premature upstream half close\nremote reset (no error)\n"
            "remote connection failure, transport failure reason: delayed connect error: Connection refused",
        },
        {},
    ),
    SourceList(
        "Envoy source/common/router/router.cc, filters rbac and ext_authz",
        "unexpected status: {}",
        {
            NOT_AWS: "403 Forbidden: RBAC: access denied\n503 Service Unavailable: no healthy upstream\n"
            "504 Gateway Timeout: upstream request timeout\n"
            "503 UF,URX upstream_reset_before_response_started{connection_termination}\n"
            "403 - rbac_access_denied_matched_policy[none]\n503 UH no_healthy_upstream",
        },
        {},
    ),
    SourceList(
        "HAProxy src/http.c, without the marks",
        "{}",
        {
            NOT_AWS: "403 Forbidden Request forbidden by administrative rules.\n"
            "502 Bad Gateway The server returned an invalid or incomplete response.\n"
            "503 Service Unavailable No server is available to handle this request.\n"
            "504 Gateway Time-out The server didn't respond in time.",
            (Failure.DENIED, PROXY): "407 Proxy Authentication Required",
        },
        {},
    ),
    SourceList(
        "nginx src/http/ngx_http_special_response.c; block pages of Zscaler, Palo Alto Networks, FortiGuard, Blue Coat",
        "error parsing HTTP 403 response body: invalid character '<' looking for beginning of value: \"{}\"",
        {
            NOT_AWS: "<html><head><title>403 Forbidden</title></head>\n"
            "<html><head><title>503 Service Temporarily Unavailable</title></head>",
        },
        {},
    ),
    SourceList(
        "the same without the marks, as fingerprints in wafw00f name them",
        "403 Forbidden {}",
        {
            NOT_AWS: "Your organization has selected Zscaler to protect you from internet threats\n"
            "Internet Security by Zscaler\nAccess to the web page you were trying to visit has been blocked in "
            "accordance with company policy\nAccess to the application you were trying to use has been blocked in "
            "accordance with company policy\nFortiGuard Intrusion Prevention - Access Blocked\n"
            "Your request was denied because of its content categorization",
        },
        {},
    ),
)
LISTS = (*RESOLVERS, *SOCKETS, *CERTIFICATES, *HANDSHAKES, *HTTP, *PROXIES)
# Every message as a client shows it, with its meaning.
MESSAGES = tuple(
    (item.text.format(line), *meaning)
    for item in LISTS
    for meaning, lines in item.meanings.items()
    for line in lines.split("\n")
)
LEFT_OUT = tuple(
    item.text.format(line) for item in LISTS for lines in item.left_out.values() for line in lines.split("\n")
)

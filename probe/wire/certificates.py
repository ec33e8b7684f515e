"""TLS handshakes: verified ones for requests, an unverified one that only reads the peer's certificate, and the first
flight of a large one.

Only `read_certificate` imports `cryptography`: Python does not parse the certificate of a peer that it did not verify.
"""

from __future__ import annotations

import os
import socket
import ssl
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from probe.model import Failure
from probe.records import Record
from probe.wire import Wire
from probe.wire.errors import Phase, WireError, wire_error
from probe.wire.sockets import Pace, PlainSocket, TlsSocket, connect

_ABBREVIATIONS = {"countryName": "C", "organizationName": "O", "commonName": "CN", "organizationalUnitName": "OU"}
_SHOWN_ATTRIBUTES = ("O", "CN")


class CertificateFacts(Record, frozen=True):
    """The certificate and TLS version that the peer presented. `issuer` reads "O=Amazon, CN=Amazon RSA 2048 M02"."""

    version: str | None
    issuer: str | None
    issuer_organization: str | None
    names: tuple[str, ...]
    not_before: datetime | None
    not_after: datetime | None
    verified: bool


def handshake(wire: Wire, sock: socket.socket, host: str, *, timeout: float, until: float) -> TlsSocket:
    """Perform a TLS handshake with `host` and verify its certificate. Takes over `sock`, and closes it on failure.

    Raises WireError TLS_STALL, TLS_RESET, NOT_TLS, UNTRUSTED, WRONG_NAME, EXPIRED or DEADLINE. TLS_RESET includes a
    peer that sends an alert and one that does not offer TLS 1.2: it was reached, but there is no connection.
    """
    return _handshake(sock, wire.trust(), host, timeout=timeout, until=until)


def read_certificate(
    wire: Wire, address: str, port: int, host: str, *, timeout: float, until: float
) -> CertificateFacts:
    """Open another connection and read the certificate without verifying it. No data is sent over it.

    Raises what `connect` and `handshake` raise, and MALFORMED if the certificate cannot be parsed.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    plain = connect(wire, address, port, timeout=timeout, until=until)
    with _handshake(plain, context, host, timeout=timeout, until=until) as secure:
        der = secure.getpeercert(binary_form=True)
        if not der:
            raise WireError(Failure.MALFORMED, "no certificate was presented")
        return _parse(der, secure.version())


def _handshake(sock: socket.socket, context: ssl.SSLContext, host: str, *, timeout: float, until: float) -> TlsSocket:
    context.sslsocket_class = TlsSocket
    context.minimum_version = max(context.minimum_version, ssl.TLSVersion.TLSv1_2)
    secure: Any = None
    try:
        # SSLContext would notice these errors only after taking over the socket, and leave it open.
        host.encode("idna")
        sock.getpeername()
        secure = context.wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False)
        secure.pace = Pace(idle=timeout, until=until, idle_failure=Failure.TLS_STALL)
        secure.do_handshake()
    except (OSError, ValueError, WireError) as error:
        try:
            raise _handshake_error(error, host) from error
        finally:
            (secure or sock).close()
    assert isinstance(secure, TlsSocket)
    return secure


def _handshake_error(error: Exception, host: str) -> WireError:
    if isinstance(error, WireError) and error.failure is Failure.TLS_STALL:
        return WireError(Failure.TLS_STALL, f"connected, but the handshake did not finish: {error.detail}")
    if isinstance(error, ValueError) and not isinstance(error, ssl.SSLError):
        return WireError(Failure.WRONG_NAME, f"not a valid server name for TLS: {host}: {error}")
    if isinstance(error, ssl.SSLCertVerificationError):
        # Without a free descriptor OpenSSL cannot read the authorities that it trusts.
        try:
            open(os.devnull).close()
        except OSError as shortage:
            return wire_error(shortage, phase=Phase.TLS)
    return wire_error(error, phase=Phase.TLS)


# ---- a large ClientHello ---------------------------------------------------------------------------------------------

# Bytes of the record. A share of X25519MLKEM768 has 1,216 bytes (draft-ietf-tls-ecdhe-mlkem), so the ClientHellos of Go
# 1.24 and OpenSSL 3.5 have about 1,500 to 1,900, which is more than one packet of 1,500 bytes holds.
LARGE_HELLO = 1_800
_PADDING = b"\x00\x15"  # extension type 21 (RFC 7685)
_ALERT, _HANDSHAKE = 21, 22
_RECORD_TYPES = {_ALERT: "alert", _HANDSHAKE: "ServerHello"}


def large_hello(wire: Wire, host: str) -> bytes:
    """The ClientHello that `handshake` sends to `host`, padded to LARGE_HELLO bytes.

    OpenSSL before 3.5 has no post-quantum key share. Padding (RFC 7685) changes nothing but the length, servers ignore
    it (AWS[padding-ignored]), and browsers have sent it to every server for years. Made-up ALPN names would be less
    code, but a firewall may have a policy on them, and a server may refuse them. Only the first record of the answer
    can be read: OpenSSL does not know the padding, so its handshake could not be completed.
    """
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = wire.trust().wrap_bio(incoming, outgoing, server_hostname=host)
    with suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return _padded(outgoing.read(), LARGE_HELLO)


def _padded(record: bytes, size: int) -> bytes:
    """A TLS record with a ClientHello (RFC 8446, section 4.1.2), padded by an extension to `size` bytes."""
    session = 5 + 4 + 2 + 32  # after the headers of record and message, the version and the random bytes
    ciphers = session + 1 + record[session]
    compression = ciphers + 2 + int.from_bytes(record[ciphers : ciphers + 2])
    start = compression + 1 + record[compression]
    rest, extensions = record[start + 2 :], b""
    while rest:
        length = 4 + int.from_bytes(rest[2:4])
        if rest[:2] != _PADDING:  # OpenSSL pads some ClientHellos to 512 bytes, and an extension may occur only once
            extensions += rest[:length]
        rest = rest[length:]
    padding = bytes(max(0, size - (start + 2 + len(extensions) + 4)))
    extensions += _PADDING + len(padding).to_bytes(2) + padding
    hello = record[9:start] + len(extensions).to_bytes(2) + extensions
    message = record[5:6] + len(hello).to_bytes(3) + hello
    return record[:3] + len(message).to_bytes(2) + message


def first_answer(sock: PlainSocket, hello: bytes, *, timeout: float, until: float) -> str:
    """Send a ClientHello and return the kind of the first record that answers: "ServerHello" or "alert".

    Takes over `sock` and closes it. Raises WireError TLS_STALL, TLS_RESET, NOT_TLS or DEADLINE.
    """
    pace = sock.pace = Pace(idle=timeout, until=until, idle_failure=Failure.TLS_STALL)
    pace.ends, pace.ends_failure = time.monotonic() + timeout, Failure.TLS_STALL
    try:
        with sock:
            sock.sendall(hello)
            answer = sock.recv(1)
    except (OSError, WireError) as error:
        raise wire_error(error, phase=Phase.TLS) from error
    if not answer:
        raise WireError(Failure.TLS_RESET, "the connection was closed without an answer")
    if answer[0] not in _RECORD_TYPES:
        raise WireError(Failure.NOT_TLS, f"the answer begins with the byte {answer[0]}")
    return _RECORD_TYPES[answer[0]]


# ---- facts -----------------------------------------------------------------------------------------------------------


def peer_facts(secure: TlsSocket) -> CertificateFacts:
    """The facts of a verified handshake. Its connection must still be open."""
    peer: dict[str, Any] = secure.getpeercert() or {}
    issuer = [(_ABBREVIATIONS.get(key, key), value) for part in peer.get("issuer", ()) for key, value in part]
    names = tuple(value for kind, value in peer.get("subjectAltName", ()) if kind in ("DNS", "IP Address"))
    return CertificateFacts(
        version=secure.version(),
        issuer=_name(issuer),
        issuer_organization=_organization(issuer),
        names=names or tuple(value for part in peer.get("subject", ()) for key, value in part if key == "commonName"),
        not_before=_utc(peer.get("notBefore")),
        not_after=_utc(peer.get("notAfter")),
        verified=True,
    )


def _name(attributes: list[tuple[str, str]]) -> str | None:
    """The organization and common name, or all attributes of a name without them."""
    shown = [attribute for attribute in attributes if attribute[0] in _SHOWN_ATTRIBUTES] or attributes
    return ", ".join(f"{key}={value}" for key, value in shown) or None


def _organization(attributes: list[tuple[str, str]]) -> str | None:
    return next((value for key, value in attributes if key == "O"), None)


def _utc(text: str | None) -> datetime | None:
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(text), UTC) if text else None


def _parse(der: bytes, version: str | None) -> CertificateFacts:
    from cryptography import x509

    try:
        certificate = x509.load_der_x509_certificate(der)
        issuer = [(attribute.rfc4514_attribute_name, str(attribute.value)) for attribute in certificate.issuer]
        try:
            alternative = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
            addresses = alternative.get_values_for_type(x509.IPAddress)
            names = (*alternative.get_values_for_type(x509.DNSName), *map(str, addresses))
        except x509.ExtensionNotFound:
            common_names = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
            names = tuple(str(name.value) for name in common_names)
        return CertificateFacts(
            version=version,
            issuer=_name(issuer),
            issuer_organization=_organization(issuer),
            names=names,
            not_before=certificate.not_valid_before_utc,
            not_after=certificate.not_valid_after_utc,
            verified=False,
        )
    except ValueError as error:
        raise WireError(Failure.MALFORMED, f"the certificate cannot be read: {error}") from error

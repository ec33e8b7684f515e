"""Certificates of the simulated servers, issued by trustme and kept as long as the process runs."""

from __future__ import annotations

import ssl
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from probe.records import Record

if TYPE_CHECKING:
    import trustme

AMAZON = "Amazon"  # public certificates of AWS services are issued by "C=US, O=Amazon, CN=Amazon RSA 2048 M0x"
CORPORATE = "Example Corp TLS Inspection"
STRANGER = "Example Appliance"


class Certificate(Record, frozen=True):
    """A server certificate: the names that it covers, the organisation that signed it, and whether it has expired."""

    names: tuple[str, ...]
    issuer: str = AMAZON
    expired: bool = False


_lock = threading.RLock()  # servers start concurrently; each authority and certificate is issued once
_authorities: dict[str, trustme.CA] = {}
_contexts: dict[Certificate, ssl.SSLContext] = {}


def authority(organisation: str) -> trustme.CA:
    """The certificate authority of an organisation."""
    with _lock:
        if organisation not in _authorities:
            import trustme

            unit = f"{organisation} RSA 2048 M02"
            _authorities[organisation] = trustme.CA(organization_name=organisation, organization_unit_name=unit)
        return _authorities[organisation]


def server_context(certificate: Certificate) -> ssl.SSLContext:
    with _lock:
        if certificate not in _contexts:
            _contexts[certificate] = _server_context(certificate)
        return _contexts[certificate]


def _server_context(certificate: Certificate) -> ssl.SSLContext:
    """A server context with TLS 1.2 or newer and HTTP/1.1, as S3 offers it."""
    today = datetime.now(UTC).replace(tzinfo=None)
    not_after = today + timedelta(days=-1 if certificate.expired else 300)  # about a year, as captured
    issued = authority(certificate.issuer).issue_cert(
        *certificate.names, not_before=not_after - timedelta(days=395), not_after=not_after
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    issued.configure_cert(context)
    return context


def client_context(trusted: tuple[str, ...]) -> ssl.SSLContext:
    """A trust store with the roots of these organisations only."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for organisation in trusted:
        authority(organisation).configure_trust(context)
    return context


def authority_pem(organisation: str = AMAZON) -> bytes:
    """The root certificate as PEM, for clients that need a file."""
    return bytes(authority(organisation).cert_pem.bytes())

"""Wrong certificates, and servers that do not use TLS."""

from __future__ import annotations

from socket import socket
from threading import Event, Lock

from probe.sim import names
from probe.sim.changes import Change, all_of, middlebox, server_certificate
from probe.sim.http import Reply
from probe.sim.listeners import HttpServer, PlainTextServer, ResetOnClientHello
from probe.sim.network import FixedReply
from probe.sim.scenarios.scenario import scenario
from probe.sim.tls import AMAZON, CORPORATE, STRANGER, Certificate
from probe.sim.vpc import VPC

BLOCK_PAGE = Reply(
    403,
    b"<!DOCTYPE html><html><head><title>Blocked</title></head><body>Category: file storage</body></html>",
    content_type="text/html",
)
BUSY_PAGE = Reply(503, b"<html><body>Service unavailable, try again</body></html>", content_type="text/html")


def trust_store(*organisations: str) -> Change:
    """The organisations with a root in the task's trust store."""
    return lambda vpc: setattr(vpc, "trusted", organisations)


class _CertificateOnce:
    """A middlebox that presents its certificate once and resets later connections."""

    def __init__(self) -> None:
        self._first = Lock()

    def serve(self, sock: socket, closing: Event, /) -> None:
        if self._first.acquire(blocking=False):
            HttpServer(
                FixedReply(BLOCK_PAGE), Certificate(names.certificate_names("ecr.api", "us-east-1"), CORPORATE)
            ).serve(sock, closing)
        else:
            ResetOnClientHello().serve(sock, closing)


def _certificate_once(vpc: VPC) -> None:
    endpoint = vpc.endpoints["ecr.api"]
    del endpoint.addresses[1:]
    middlebox("ecr.api", behaviour=_CertificateOnce())(vpc)


PULL_AND_LOGS = ("ecr.api", "ecr.dkr", "s3", "logs")
TLS = (
    scenario(
        "tls-interception",
        "A middlebox re-signs every certificate, and the task does not trust it.",
        middlebox(*PULL_AND_LOGS, issuer=CORPORATE),
        findings={"tls.interception": "tls.interception"},
        s3_reached=False,
    ),
    scenario(
        "tls-interception-trusted",
        "A middlebox re-signs every certificate, and its root is in the trust store: the pull works, but is decrypted.",
        all_of(middlebox(*PULL_AND_LOGS, issuer=CORPORATE), trust_store(AMAZON, CORPORATE)),
        findings={"tls.interception": "tls.interception"},
        status="degraded",
        pull="works",
    ),
    scenario(
        "tls-interception-s3",
        "Only TLS to S3 is intercepted.",
        middlebox("s3", issuer=CORPORATE),
        findings={"tls.interception": "tls.interception"},
        s3_reached=False,
    ),
    scenario(
        "tls-stale-store",
        "The image's trust store is outdated and lacks Amazon's roots.",
        trust_store(STRANGER),
        findings={"tls.ca-bundle": "tls.ca-bundle"},
        s3_reached=False,
    ),
    scenario(
        "tls-expired",
        "The certificate presented for S3 has expired.",
        server_certificate("s3", expired=True),
        findings={"tls.certificate-expired": "tls.certificate-expired"},
        s3_reached=False,
    ),
    scenario(
        "tls-unreadable",
        "A certificate is not trusted, and the second connection, which would read it, is reset.",
        _certificate_once,
        findings={"tls.unverified": "tls.interception"},
    ),
    scenario(
        "tls-not-tls",
        "The server on port 443 answers in plain HTTP.",
        middlebox("ecr.dkr", behaviour=PlainTextServer()),
        findings={"tls.not-tls": "path.egress-firewall"},
    ),
    scenario(
        "block-page",
        "A trusted middlebox answers requests to S3 with a block page.",
        all_of(middlebox("s3", issuer=CORPORATE, reply=BLOCK_PAGE), trust_store(AMAZON, CORPORATE)),
        findings={"tls.interception": "tls.interception", "http.not-aws": "path.egress-firewall"},
    ),
    scenario(
        "busy-page",
        "A trusted middlebox answers requests to the registry with 503.",
        all_of(middlebox("ecr.dkr", issuer=CORPORATE, reply=BUSY_PAGE), trust_store(AMAZON, CORPORATE)),
        findings={"tls.interception": "tls.interception", "http.not-aws": "path.egress-firewall"},
    ),
)

"""Certificates that are wrong, and servers that do not speak TLS."""

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


def trusting(*organisations: str) -> Change:
    """The roots in the task's trust store."""
    return lambda vpc: setattr(vpc, "trusted", organisations)


class _OneHandshake:
    """A middlebox that shows its certificate once, and cuts whoever comes back to read it."""

    def __init__(self) -> None:
        self._first = Lock()

    def serve(self, sock: socket, closing: Event, /) -> None:
        if self._first.acquire(blocking=False):
            HttpServer(
                FixedReply(BLOCK_PAGE), Certificate(names.certificate_names("ecr.api", "us-east-1"), CORPORATE)
            ).serve(sock, closing)
        else:
            ResetOnClientHello().serve(sock, closing)


def _shown_once(vpc: VPC) -> None:
    endpoint = vpc.endpoints["ecr.api"]
    del endpoint.addresses[1:]
    middlebox("ecr.api", behaviour=_OneHandshake())(vpc)


EVERYTHING = ("ecr.api", "ecr.dkr", "s3", "logs")
TLS = (
    scenario(
        "tls-interception",
        "A middlebox signs every certificate anew, and the task does not trust it.",
        middlebox(*EVERYTHING, issuer=CORPORATE),
        findings={"tls.interception": "tls.interception"},
        s3_reached=False,
    ),
    scenario(
        "tls-interception-trusted",
        "The same with the middlebox's root in the trust store: it works, and somebody reads along.",
        all_of(middlebox(*EVERYTHING, issuer=CORPORATE), trusting(AMAZON, CORPORATE)),
        findings={"tls.interception": "tls.interception"},
        status="degraded",
        pull="works",
    ),
    scenario(
        "tls-interception-s3",
        "Only the way to S3 is intercepted.",
        middlebox("s3", issuer=CORPORATE),
        findings={"tls.interception": "tls.interception"},
        s3_reached=False,
    ),
    scenario(
        "tls-stale-store",
        "The image's trust store is so old that it lacks Amazon's roots.",
        trusting(STRANGER),
        findings={"tls.ca-bundle": "tls.ca-bundle"},
        s3_reached=False,
    ),
    scenario(
        "tls-expired",
        "The certificate before S3 is out of date.",
        server_certificate("s3", expired=True),
        findings={"tls.certificate-expired": "tls.certificate-expired"},
        s3_reached=False,
    ),
    scenario(
        "tls-unreadable",
        "A certificate is refused, and whoever presents it cuts the second look at it.",
        _shown_once,
        findings={"tls.unverified": "tls.interception"},
    ),
    scenario(
        "tls-not-tls",
        "Something on port 443 answers in plain HTTP.",
        middlebox("ecr.dkr", behaviour=PlainTextServer()),
        findings={"tls.not-tls": "path.egress-firewall"},
    ),
    scenario(
        "block-page",
        "A trusted middlebox answers for S3 with a page of its own.",
        all_of(middlebox("s3", issuer=CORPORATE, reply=BLOCK_PAGE), trusting(AMAZON, CORPORATE)),
        findings={"tls.interception": "tls.interception", "http.not-aws": "path.egress-firewall"},
    ),
    scenario(
        "busy-page",
        "A trusted middlebox answers for the registry that it is too busy.",
        all_of(middlebox("ecr.dkr", issuer=CORPORATE, reply=BUSY_PAGE), trusting(AMAZON, CORPORATE)),
        findings={"tls.interception": "tls.interception", "http.not-aws": "path.egress-firewall"},
    ),
)

"""Cases of connections and TLS."""

from __future__ import annotations

from typing import Any

from probe.model import Failure
from tests.faults.behaviour import OK, PUBLIC, S3, Host, Reply, days, private
from tests.faults.case import Case
from tests.faults.plans import GLOBAL_IPV6
from tests.faults.world import World

SILENT = Failure.TIMEOUT
CORPORATE = {"issuer": "O=Example Corp, CN=Inspection", "issuer_organization": "Example Corp"}
UNREAD = {"issuer": None, "issuer_organization": None}
EVERYTHING = ("ecr.api", "ecr.dkr", "s3", "logs")
INTERFACES = ("ecr.api", "ecr.dkr", "logs")
S3_SILENCE = (
    "endpoint.missing.s3 s3.route-table-not-associated tcp.security-group-s3-egress tcp.nacl "
    "endpoint.s3-interface-not-gateway path.egress-firewall"
)
NO_CLOCK = {name: Reply(aws=False) for name in ("token", "challenge", "head", "manifest", "blob", "layer", "logs")}


def hosts(*names: str, **changes: Any) -> dict[str, Host]:
    return {name: private(name, **changes) for name in names}


def expired(replies: dict[str, Reply], **certificate: Any) -> World:
    return World(hosts("s3", tls=Failure.EXPIRED, certificate=certificate), replies)


CONNECTIONS = (
    Case(
        "one closed group before three endpoints",
        World(hosts(*INTERFACES, tcp=SILENT)),
        {"tcp.silent": "tcp.security-group tcp.nacl"},
        severities={"tcp.silent": "error"},
        endpoints={"tcp.silent": "ecr.api ecr.dkr logs"},
    ),
    Case(
        "silent and private, outside the known ranges",
        World({"ecr.api": Host(("10.0.2.10",), tcp=SILENT)}, planned={"vpc_cidrs": ("10.0.1.0/24",)}),
        {"tcp.silent": "tcp.security-group tcp.nacl tcp.no-route path.egress-firewall"},
    ),
    Case(
        "logs silent, which the task needs",
        World(hosts("logs", tcp=SILENT)),
        {"tcp.silent": "tcp.security-group"},
        "fail",
        "works",
    ),
    Case(
        "logs silent, and nobody knows whether it is needed",
        World(hosts("logs", tcp=SILENT), planned={"logs_required": False}),
        {"tcp.silent": "tcp.security-group"},
        "degraded",
        "works",
    ),
    Case(
        "one address of two silent, also at the second try",
        World(hosts("ecr.api", tcp={"10.0.2.10": SILENT})),
        {"tcp.partly-silent": "tcp.nacl tcp.security-group tcp.az-without-eni"},
        "degraded",
        "works",
        {"tcp.partly-silent": "warning"},
    ),
    Case(
        "a silent address answers at the second try",
        World(hosts("ecr.api", tcp={"10.0.2.10": SILENT}, again=True)),
        {"probe.retried": ""},
        "pass",
        "works",
    ),
    Case(
        "IPv6 alone is silent: DNS64 without a route",
        World(hosts("ecr.api", ipv6=("64:ff9b::a00:10a",), tcp={"64:ff9b::a00:10a": SILENT})),
        {"tcp.partly-silent": "tcp.no-route tcp.nacl tcp.security-group"},
        "degraded",
        "works",
    ),
    Case(
        "one public address of S3 silent",
        World(hosts("s3", tcp={S3[0]: SILENT})),
        {"tcp.partly-silent": "tcp.nacl tcp.security-group-s3-egress path.egress-firewall"},
        "degraded",
        "works",
    ),
    Case("S3 silent", World(hosts("s3", tcp=SILENT)), {"s3.silent": S3_SILENCE}),
    Case(
        "S3 silent for an image of another region",
        World(hosts("s3", tcp=SILENT), planned={"region": "us-west-2"}),
        {"s3.silent": f"region.cross-region {S3_SILENCE}"},
    ),
    Case(
        "S3 has an interface endpoint with a private name, and it is silent",
        World({"s3": Host(("10.0.1.19",), tcp=SILENT)}),
        {"tcp.silent": "tcp.security-group tcp.nacl"},
    ),
    Case(
        "connections refused",
        World(hosts("s3", tcp=Failure.REFUSED)),
        {"tcp.refused": "path.egress-firewall"},
    ),
    Case(
        "connections to an address in the VPC reset",
        World(hosts("ecr.api", tcp=Failure.RESET)),
        {"tcp.refused": "path.egress-firewall dns.hosted-zone-conflict"},
    ),
    Case(
        "some connections prohibited",
        World(hosts("ecr.api", tcp={"10.0.2.10": Failure.PROHIBITED})),
        {"tcp.refused": "path.egress-firewall"},
        "degraded",
        "works",
    ),
    Case(
        "a router calls S3 unreachable",
        World(hosts("s3", tcp=Failure.UNREACHABLE)),
        {"tcp.refused": "path.egress-firewall tcp.no-route"},
    ),
    Case(
        "no route at all",
        World(hosts(*EVERYTHING, tcp=Failure.UNREACHABLE)),
        {"tcp.no-route": "tcp.no-route"},
        endpoints={"tcp.no-route": "ecr.api ecr.dkr s3 logs"},
    ),
    Case(
        "an IPv4-only registry and an IPv6-only task",
        World(
            {"ecr.dkr": Host(PUBLIC["ecr.dkr"], tcp=Failure.UNREACHABLE)}
            | {
                name: Host((), ipv6=(f"{GLOBAL_IPV6}1{place}",)) for place, name in enumerate(("ecr.api", "s3", "logs"))
            },
            around={"addresses": (f"{GLOBAL_IPV6}77",)},
        ),
        {"region.ipv6-unsupported-endpoint": "=region.ipv6-unsupported-endpoint"},
    ),
    Case(
        "IPv6 answers that an IPv4 task leaves out",
        World(hosts("ecr.api", ipv6=("2600:1f18:9999::10",), unused="ipv6")),
        {"path.family-skipped": ""},
        "pass",
        "works",
    ),
    Case(
        "two faults at once",
        World(hosts("ecr.api", "ecr.dkr", "logs", tcp=SILENT) | hosts("s3", tcp=SILENT)),
        {"tcp.silent": "tcp.security-group tcp.nacl", "s3.silent": "endpoint.missing.s3"},
    ),
)
TLS = (
    Case(
        "the handshake gets no answer",
        World(hosts("ecr.dkr", tls=Failure.TLS_STALL)),
        {"tls.silent": "path.mtu path.egress-firewall"},
    ),
    Case(
        "the handshake gets no answer at one address",
        World(hosts("ecr.dkr", tls={"10.0.2.11": Failure.TLS_STALL})),
        {"tls.silent": "path.mtu path.egress-firewall"},
        "degraded",
        "works",
    ),
    Case(
        "reset after the ClientHello", World(hosts("s3", tls=Failure.TLS_RESET)), {"tls.reset": "path.egress-firewall"}
    ),
    Case("no TLS there", World(hosts("ecr.dkr", tls=Failure.NOT_TLS)), {"tls.not-tls": "path.egress-firewall"}),
    Case(
        "somebody else's certificate everywhere",
        World(hosts(*EVERYTHING, tls=Failure.UNTRUSTED, certificate=CORPORATE)),
        {"tls.interception": "=tls.interception"},
        endpoints={"tls.interception": "ecr.api ecr.dkr s3 logs"},
    ),
    Case(
        "somebody else's certificate in China",
        World(hosts("s3", tls=Failure.UNTRUSTED, certificate=CORPORATE), planned={"partition": "aws-cn"}),
        {"tls.interception": "tls.interception tls.ca-bundle"},
    ),
    Case(
        "somebody else's certificate that is trusted",
        World(hosts("ecr.api", certificate=CORPORATE)),
        {"tls.interception": "=tls.interception"},
        "degraded",
        "works",
        {"tls.interception": "warning"},
    ),
    Case(
        "another issuer, trusted, in China",
        World(hosts("ecr.api", certificate=CORPORATE), planned={"partition": "aws-cn"}),
        {"tls.interception": ""},
        "pass",
        "works",
        {"tls.interception": "info"},
    ),
    Case(
        "a refused certificate that could not be read",
        World(hosts("ecr.api", tls=Failure.UNTRUSTED, certificate=UNREAD)),
        {"tls.unverified": "tls.interception tls.ca-bundle"},
    ),
    Case(
        "Amazon's certificate and an old trust store",
        World(hosts(*EVERYTHING, tls=Failure.UNTRUSTED)),
        {"tls.ca-bundle": "=tls.ca-bundle"},
    ),
    Case(
        "Amazon's certificate for another service",
        World(hosts("ecr.api", tls=Failure.WRONG_NAME, certificate={"names": ("logs.eu-west-1.amazonaws.com",)})),
        {"tls.wrong-name": "dns.hosted-zone-conflict dns.hosted-zone-wrong-name"},
    ),
    Case(
        "out of date, and our clock is right",
        expired({}, not_before=days(-400), not_after=days(-3)),
        {"tls.certificate-expired": "=tls.certificate-expired -clock.skew"},
    ),
    Case(
        "out of date by a clock that is wrong",
        expired(
            {name: Reply(offset=-40 * 86400.0) for name in ("token", "challenge", "head", "manifest", "blob", "logs")},
            not_before=days(-60),
            not_after=days(-3),
        ),
        {"tls.certificate-expired": "=clock.skew -tls.certificate-expired", "clock.skew": "=clock.skew"},
    ),
    Case(
        "out of date, and nobody told the time",
        expired(NO_CLOCK | {"credentials": OK}, not_before=days(-400), not_after=days(-3)),
        {"tls.certificate-expired": "tls.certificate-expired clock.skew"},
    ),
)
CASES = (*CONNECTIONS, *TLS)

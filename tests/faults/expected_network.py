"""Expected verdicts on connections and TLS."""

from __future__ import annotations

from typing import Any

from probe.model import Failure
from tests.faults.expectation import Expected
from tests.faults.fake_hosts import GLOBAL_IPV6, OK, PUBLIC, S3, Host, Reply, days, private
from tests.faults.fake_run import FakeRun

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


def expired(replies: dict[str, Reply], **certificate: Any) -> FakeRun:
    return FakeRun(hosts("s3", tls=Failure.EXPIRED, certificate=certificate), replies)


CONNECTIONS = (
    Expected(
        "one security group blocks three endpoints",
        FakeRun(hosts(*INTERFACES, tcp=SILENT)),
        {"tcp.silent": "tcp.security-group tcp.nacl"},
        severities={"tcp.silent": "error"},
        endpoints={"tcp.silent": "ecr.api ecr.dkr logs"},
    ),
    Expected(
        "silent and private, outside the known ranges",
        FakeRun({"ecr.api": Host(("10.0.2.10",), tcp=SILENT)}, planned={"vpc_cidrs": ("10.0.1.0/24",)}),
        {"tcp.silent": "tcp.security-group tcp.nacl dns.stale-record tcp.no-route path.egress-firewall"},
    ),
    Expected(
        "logs silent, which the task needs",
        FakeRun(hosts("logs", tcp=SILENT)),
        {"tcp.silent": "tcp.security-group"},
        "fail",
        "works",
    ),
    Expected(
        "logs silent, and whether it is needed is unknown",
        FakeRun(hosts("logs", tcp=SILENT), planned={"logs_required": False}),
        {"tcp.silent": "tcp.security-group"},
        "degraded",
        "works",
    ),
    Expected(
        "one address of two silent, also at the second try",
        FakeRun(hosts("ecr.api", tcp={"10.0.2.10": SILENT})),
        {"tcp.partly-silent": "tcp.nacl tcp.security-group tcp.az-without-eni"},
        "degraded",
        "works",
        {"tcp.partly-silent": "warning"},
    ),
    Expected(
        "a silent address answers at the second try",
        FakeRun(hosts("ecr.api", tcp={"10.0.2.10": SILENT}, again=True)),
        {"probe.retried": ""},
        "pass",
        "works",
    ),
    Expected(
        "IPv6 alone is silent: DNS64 without a route",
        FakeRun(hosts("ecr.api", ipv6=("64:ff9b::a00:10a",), tcp={"64:ff9b::a00:10a": SILENT})),
        {"tcp.partly-silent": "tcp.no-route tcp.nacl tcp.security-group"},
        "degraded",
        "works",
    ),
    Expected(
        "one public address of S3 silent",
        FakeRun(hosts("s3", tcp={S3[0]: SILENT})),
        {"tcp.partly-silent": "tcp.nacl tcp.security-group-s3-egress path.egress-firewall"},
        "degraded",
        "works",
    ),
    Expected("S3 silent", FakeRun(hosts("s3", tcp=SILENT)), {"s3.silent": S3_SILENCE}),
    Expected(
        "S3 silent for an image of another region",
        FakeRun(hosts("s3", tcp=SILENT), planned={"region": "us-west-2"}),
        {"region.cross-region": "region.cross-region endpoint.missing.s3 tcp.no-route"},
    ),
    Expected(
        "S3 has an interface endpoint with a private name, and it is silent",
        FakeRun({"s3": Host(("10.0.1.19",), tcp=SILENT)}),
        {"tcp.silent": "tcp.security-group tcp.nacl"},
    ),
    Expected("connections refused", FakeRun(hosts("s3", tcp=Failure.REFUSED)), {"tcp.refused": "path.egress-firewall"}),
    Expected(
        "connections to an address in the VPC reset",
        FakeRun(hosts("ecr.api", tcp=Failure.RESET)),
        {"tcp.refused": "path.egress-firewall dns.hosted-zone-conflict"},
    ),
    Expected(
        "some connections prohibited",
        FakeRun(hosts("ecr.api", tcp={"10.0.2.10": Failure.PROHIBITED})),
        {"tcp.refused": "path.egress-firewall"},
        "degraded",
        "works",
    ),
    Expected(
        "a router reports S3 as unreachable",
        FakeRun(hosts("s3", tcp=Failure.UNREACHABLE)),
        {"tcp.refused": "path.egress-firewall tcp.no-route"},
    ),
    Expected(
        "no route at all",
        FakeRun(hosts(*EVERYTHING, tcp=Failure.UNREACHABLE)),
        {"tcp.no-route": "tcp.no-route"},
        endpoints={"tcp.no-route": "ecr.api ecr.dkr s3 logs"},
    ),
    Expected(
        "an IPv4-only registry and an IPv6-only task",
        FakeRun(
            {"ecr.dkr": Host(PUBLIC["ecr.dkr"], tcp=Failure.UNREACHABLE)}
            | {
                name: Host((), ipv6=(f"{GLOBAL_IPV6}1{place}",)) for place, name in enumerate(("ecr.api", "s3", "logs"))
            },
            around={"addresses": (f"{GLOBAL_IPV6}77",)},
        ),
        {"region.ipv6-unsupported-endpoint": "=region.ipv6-unsupported-endpoint"},
    ),
    Expected(
        "IPv6 answers that an IPv4 task leaves out",
        FakeRun(hosts("ecr.api", ipv6=("2600:1f18:9999::10",), unused="ipv6")),
        {"path.family-skipped": ""},
        "pass",
        "works",
    ),
    Expected(
        "two faults at once",
        FakeRun(hosts("ecr.api", "ecr.dkr", "logs", tcp=SILENT) | hosts("s3", tcp=SILENT)),
        {"tcp.silent": "tcp.security-group tcp.nacl", "s3.silent": "endpoint.missing.s3"},
    ),
)
TLS = (
    Expected(
        "the handshake gets no answer",
        FakeRun(hosts("ecr.dkr", tls=Failure.TLS_STALL)),
        {"tls.silent": "path.mtu path.egress-firewall path.large-client-hello"},
    ),
    Expected(
        "the handshake gets no answer at one address",
        FakeRun(hosts("ecr.dkr", tls={"10.0.2.11": Failure.TLS_STALL})),
        {"tls.silent": "path.mtu path.egress-firewall path.large-client-hello"},
        "degraded",
        "works",
    ),
    Expected(
        "a large ClientHello gets no answer, and a small one does",
        FakeRun(large_hello={"ecr.api": Failure.TLS_STALL, "ecr.dkr": Failure.TLS_STALL, "s3": None}),
        {"path.large-client-hello": "=path.large-client-hello"},
        severities={"path.large-client-hello": "error"},
        endpoints={"path.large-client-hello": "ecr.api ecr.dkr"},
    ),
    Expected(
        "a large ClientHello is reset",
        FakeRun(large_hello={"s3": Failure.TLS_RESET}),
        {"path.large-client-hello": "=path.large-client-hello"},
    ),
    Expected(
        "a large ClientHello gets no answer, nor do requests after a small one",
        FakeRun(replies={"token": Reply(Failure.TIMEOUT)}, large_hello={"ecr.api": Failure.TLS_STALL}),
        {
            "path.large-client-hello": "path.large-client-hello path.mtu path.egress-firewall",
            "path.transfer-broken": "",
        },
    ),
    Expected(
        "the control with a large ClientHello does not connect",
        FakeRun(large_hello={"s3": Failure.TIMEOUT}),
        {"unexplained": ""},
        "pass",
        "works",
        {"unexplained": "info"},
    ),
    Expected(
        "the control with a large ClientHello is cut off by the deadline",
        FakeRun(large_hello={"s3": Failure.DEADLINE}),
        {"probe.deadline": ""},
        "pass",
        "works",
        {"probe.deadline": "info"},
    ),
    Expected(
        "the control with a large ClientHello has a bug",
        FakeRun(large_hello={"s3": Failure.BUG}),
        {"probe.bug": ""},
        "pass",
        "works",
        {"probe.bug": "info"},
    ),
    Expected(
        "reset after the ClientHello",
        FakeRun(hosts("s3", tls=Failure.TLS_RESET)),
        {"tls.reset": "path.egress-firewall"},
    ),
    Expected(
        "the server does not speak TLS",
        FakeRun(hosts("ecr.dkr", tls=Failure.NOT_TLS)),
        {"tls.not-tls": "path.egress-firewall"},
    ),
    Expected(
        "another issuer's certificate at every host",
        FakeRun(hosts(*EVERYTHING, tls=Failure.UNTRUSTED, certificate=CORPORATE)),
        {"tls.interception": "=tls.interception"},
        endpoints={"tls.interception": "ecr.api ecr.dkr s3 logs"},
    ),
    Expected(
        "another issuer's certificate, refused, in China",
        FakeRun(hosts("s3", tls=Failure.UNTRUSTED, certificate=CORPORATE), planned={"partition": "aws-cn"}),
        {"tls.interception": "tls.interception tls.ca-bundle"},
    ),
    Expected(
        "another issuer's certificate that is trusted",
        FakeRun(hosts("ecr.api", certificate=CORPORATE)),
        {"tls.interception": "=tls.interception"},
        "degraded",
        "works",
        {"tls.interception": "warning"},
    ),
    Expected(
        "another issuer's certificate that is trusted, in China",
        FakeRun(hosts("ecr.api", certificate=CORPORATE), planned={"partition": "aws-cn"}),
        {"tls.interception": ""},
        "pass",
        "works",
        {"tls.interception": "info"},
    ),
    Expected(
        "a refused certificate that could not be read",
        FakeRun(hosts("ecr.api", tls=Failure.UNTRUSTED, certificate=UNREAD)),
        {"tls.unverified": "tls.interception tls.ca-bundle"},
    ),
    Expected(
        "Amazon's certificate and an old trust store",
        FakeRun(hosts(*EVERYTHING, tls=Failure.UNTRUSTED)),
        {"tls.ca-bundle": "=tls.ca-bundle"},
    ),
    Expected(
        "Amazon's certificate for another service",
        FakeRun(hosts("ecr.api", tls=Failure.WRONG_NAME, certificate={"names": ("logs.eu-west-1.amazonaws.com",)})),
        {"tls.wrong-name": "dns.hosted-zone-conflict dns.hosted-zone-wrong-name"},
    ),
    Expected(
        "out of date, and the task's clock is right",
        expired({}, not_before=days(-400), not_after=days(-3)),
        {"tls.certificate-expired": "=tls.certificate-expired -clock.skew"},
    ),
    Expected(
        "out of date by the task's clock, which is wrong",
        expired(
            {name: Reply(offset=-40 * 86400.0) for name in ("token", "challenge", "head", "manifest", "blob", "logs")},
            not_before=days(-60),
            not_after=days(-3),
        ),
        {"tls.certificate-expired": "=clock.skew -tls.certificate-expired", "clock.skew": "=clock.skew"},
    ),
    Expected(
        "out of date, and no answer with AWS's time",
        expired(NO_CLOCK | {"credentials": OK}, not_before=days(-400), not_after=days(-3)),
        {"tls.certificate-expired": "tls.certificate-expired clock.skew"},
    ),
)
EXPECTED = (*CONNECTIONS, *TLS)

"""Expected verdicts on connections and TLS."""

from __future__ import annotations

from typing import Any

from probe.model import Failure
from tests.faults.expectation import Expected
from tests.faults.fake_hosts import GLOBAL_IPV6, OK, PRIVATE, PUBLIC, S3, Host, Reply, days, private
from tests.faults.fake_run import FakeRun

SILENT = Failure.TIMEOUT
CORPORATE = {"issuer": "O=Example Corp, CN=Inspection", "issuer_organization": "Example Corp"}
UNREAD = {"issuer": None, "issuer_organization": None}
LOGS_HOST = "logs.eu-west-1.amazonaws.com"
EVERYTHING = ("ecr.api", "ecr.dkr", "s3", "logs")
INTERFACES = ("ecr.api", "ecr.dkr", "logs")
S3_SILENCE = (
    "endpoint.missing.s3 s3.route-table-not-associated tcp.security-group-s3-egress tcp.nacl "
    "endpoint.s3-interface-not-gateway path.egress-firewall"
)
IPV6, FAR_IPV6, S3_IPV6 = f"{GLOBAL_IPV6}10", "2600:1f18:9999::10", "2600:1fa0:8000::8"
DUAL_STACK = ("10.0.0.0/16", "2600:1f18:4a3b:5600::/56")
IPV6_ONLY_WITHOUT_S3 = FakeRun(
    {name: Host((), ipv6=(f"{GLOBAL_IPV6}1{place}",)) for place, name in enumerate(INTERFACES)}
    | {"s3": Host((), ipv6=(S3_IPV6,), tcp=SILENT)},
    around={"addresses": (f"{GLOBAL_IPV6}77",), "subnet_cidr": None, "subnet_cidr_ipv6": f"{GLOBAL_IPV6}/64"},
    planned={"vpc_cidrs": DUAL_STACK[1:]},
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
        {"tcp.silent": "tcp.security-group tcp.nacl dns.stale-record endpoint.not-available path.egress-firewall"},
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
        "IPv6 alone is silent, inside the VPC",
        FakeRun(hosts("ecr.api", ipv6=(IPV6,), tcp={IPV6: SILENT}), planned={"vpc_cidrs": DUAL_STACK}),
        {"tcp.partly-silent": "tcp.security-group tcp.nacl dns.stale-record"},
        "degraded",
        "works",
    ),
    Expected(
        "IPv4 alone is silent, inside the VPC",
        FakeRun(
            hosts("ecr.api", ipv6=(IPV6,), tcp=dict.fromkeys(PRIVATE["ecr.api"], SILENT)),
            planned={"vpc_cidrs": DUAL_STACK},
        ),
        {"tcp.partly-silent": "tcp.security-group tcp.nacl dns.stale-record"},
        "degraded",
        "works",
    ),
    Expected(
        "IPv6 alone is silent at a central endpoint",
        FakeRun({"ecr.api": Host(("10.99.1.10",), ipv6=(FAR_IPV6,), tcp={FAR_IPV6: SILENT})}),
        {"tcp.partly-silent": "tcp.security-group tcp.nacl dns.stale-record tcp.no-route", "dns.central-endpoint": ""},
        "degraded",
        "works",
    ),
    Expected(
        "IPv6 alone is silent at S3",
        FakeRun(hosts("s3", ipv6=(S3_IPV6,), tcp={S3_IPV6: SILENT})),
        {"tcp.partly-silent": "region.ipv6-unsupported-endpoint tcp.no-route tcp.nacl tcp.security-group-s3-egress"},
        "degraded",
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
    Expected(
        "connections refused everywhere, as by one firewall",
        FakeRun(hosts(*EVERYTHING, tcp=Failure.PROHIBITED)),
        {"tcp.refused": "path.egress-firewall"},
        endpoints={"tcp.refused": "ecr.api ecr.dkr s3 logs"},
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
        {"tcp.no-route": "tcp.no-route endpoint.missing.s3 s3.route-table-not-associated path.egress-firewall"},
        endpoints={"tcp.no-route": "s3"},
    ),
    Expected(
        "a router reports one address of S3 as unreachable",
        FakeRun(hosts("s3", tcp={S3[0]: Failure.UNREACHABLE})),
        {"tcp.no-route": "tcp.no-route"},
        "degraded",
        "works",
    ),
    Expected(
        "a router reports addresses outside the VPC as unreachable",
        FakeRun({"ecr.api": Host(("10.99.1.10",), tcp=Failure.UNREACHABLE)}),
        {"tcp.no-route": "tcp.no-route path.egress-firewall"},
    ),
    Expected(
        "a host or router reports an address inside the VPC as unreachable",
        FakeRun(hosts("ecr.api", tcp=Failure.UNREACHABLE)),
        {"tcp.refused": "path.egress-firewall dns.stale-record dns.hosted-zone-conflict"},
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
        "everything is silent, which one fault explains",
        FakeRun(hosts("ecr.api", "ecr.dkr", "logs", tcp=SILENT) | hosts("s3", tcp=SILENT)),
        {"tcp.silent": "tcp.security-group tcp.nacl path.egress-firewall"},
        endpoints={"tcp.silent": "ecr.api ecr.dkr s3 logs"},
    ),
    Expected(
        "two faults at once, which one fault does not explain",
        FakeRun(hosts("ecr.api", "ecr.dkr", tcp=SILENT) | hosts("s3", tcp=SILENT)),
        {"tcp.silent": "tcp.security-group tcp.nacl", "s3.silent": "endpoint.missing.s3"},
    ),
    Expected(
        "S3 is silent although another public address answers",
        FakeRun(hosts("s3", tcp=SILENT), other_region=True),
        {"s3.silent": "path.egress-firewall tcp.nacl tcp.security-group-s3-egress"},
    ),
    Expected(
        "S3 is silent, and the control is answered inside the VPC",
        FakeRun(hosts("s3", tcp=SILENT), other_region=True, control_address="10.0.1.33"),
        {"s3.silent": S3_SILENCE},
    ),
    Expected(
        "S3 is silent over IPv6, the only family of the task",
        IPV6_ONLY_WITHOUT_S3,
        {"s3.silent": f"region.ipv6-unsupported-endpoint {S3_SILENCE} tcp.no-route"},
    ),
    Expected(
        "public addresses are silent, and private DNS would need none of them",
        FakeRun({"ecr.api": Host(PUBLIC["ecr.api"], tcp=SILENT)}),
        {"dns.public-answer": "endpoint.missing.ecr-api"},
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
        excludes={"path.large-client-hello": "path.mtu path.egress-firewall"},
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
        "no descriptor is left for the control with a large ClientHello",
        FakeRun(large_hello={"s3": Failure.NO_RESOURCES}),
        {"probe.no-resources": ""},
        "pass",
        "works",
        {"probe.no-resources": "info"},
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
        "a certificate that claims to be Amazon's, and a trust store that verifies the others",
        FakeRun(hosts("s3", tls=Failure.UNTRUSTED)),
        {"tls.unverified": "tls.interception other"},
    ),
    Expected(
        "a certificate that claims to be Amazon's inside the VPC, and a trust store that verifies the others",
        FakeRun(hosts("ecr.dkr", tls=Failure.UNTRUSTED)),
        {"tls.unverified": "dns.hosted-zone-conflict tls.interception other"},
    ),
    Expected(
        "a certificate that claims to be Amazon's at one address of two",
        FakeRun(hosts("ecr.dkr", tls={"10.0.2.11": Failure.UNTRUSTED})),
        {"tls.unverified": "dns.hosted-zone-conflict tls.interception other"},
        "degraded",
        "works",
    ),
    Expected(
        "Amazon's certificate for another service at one address of two",
        FakeRun(hosts("ecr.api", tls={"10.0.2.10": Failure.WRONG_NAME}, certificate={"names": (LOGS_HOST,)})),
        {"tls.wrong-name": "dns.stale-record aws.service-error dns.hosted-zone-conflict"},
        "degraded",
        "works",
    ),
    Expected(
        "Amazon's certificate for another host at one public address of S3",
        FakeRun(hosts("s3", tls={S3[0]: Failure.WRONG_NAME}, certificate={"names": (LOGS_HOST,)})),
        {"tls.wrong-name": "aws.service-error dns.stale-record dns.hosted-zone-conflict"},
        "degraded",
        "works",
    ),
    Expected(
        "Amazon's certificate for another host at S3's public addresses",
        FakeRun(hosts("s3", tls=Failure.WRONG_NAME, certificate={"names": (LOGS_HOST,)})),
        {"tls.wrong-name": "aws.service-error dns.hosted-zone-conflict"},
    ),
    Expected(
        "Amazon's certificate for another service",
        FakeRun(hosts("ecr.api", tls=Failure.WRONG_NAME, certificate={"names": ("logs.eu-west-1.amazonaws.com",)})),
        {
            "tls.wrong-name": "dns.hosted-zone-conflict dns.hosted-zone-wrong-name dns.stale-record aws.service-error",
        },
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

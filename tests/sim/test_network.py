"""Which packets arrive, and how a connection ends that does not: by dialling."""

from __future__ import annotations

import errno
import socket
import ssl
import threading

import pytest

from probe.sim import changes
from probe.sim.listeners import ClosedPort, Listeners, PlainTextServer, ResetOnClientHello, SilentServer
from probe.sim.network import Treatment
from probe.sim.tls import CORPORATE
from probe.sim.vpc import VPC

API = "api.ecr.us-east-1.amazonaws.com"
LAYERS = "prod-us-east-1-starport-layer-bucket.s3.us-east-1.amazonaws.com"
ENI = "10.0.1.10"
S3 = "52.216.1.8"


def resolved(vpc: VPC, name: str, record: str = "A") -> str:
    return vpc.resolver.answer(name, record).addresses[0]


def silent(vpc: VPC, address: str) -> bool:
    try:
        vpc.dial(address, 443, 0.01).close()
    except TimeoutError:
        return True
    return False


def shaken(vpc: VPC, address: str, host: str) -> ssl.SSLSocket:
    sock = vpc.dial(address, 443, 1)
    try:
        return vpc.trust().wrap_socket(sock, server_hostname=host)
    except BaseException:
        sock.close()
        raise


def test_the_healthy_world_answers(vpc: VPC) -> None:
    assert resolved(vpc, LAYERS) == S3
    assert not any(silent(vpc, address) for address in (ENI, "10.0.2.10", S3))


def test_public_addresses_need_a_way_out(vpc: VPC) -> None:
    public = vpc.public_dns.answer(API, "A").addresses[0]
    assert silent(vpc, public)
    changes.with_nat(vpc)
    assert not silent(vpc, public)


def test_the_gateway_carries_its_own_region_only(vpc: VPC) -> None:
    other = resolved(vpc, "s3.us-west-2.amazonaws.com")
    assert silent(vpc, other)
    changes.without_gateway_route(vpc)
    resolved(vpc, LAYERS)
    assert silent(vpc, S3)
    changes.with_nat(vpc)
    assert not silent(vpc, other)
    assert not silent(vpc, S3)


def test_groups_and_acls_drop(vpc: VPC) -> None:
    changes.closed_security_groups("ecr.api")(vpc)
    assert silent(vpc, ENI)
    assert not silent(vpc, "10.0.1.11")
    changes.acl_drops("10.0.1.11/32")(vpc)
    assert silent(vpc, "10.0.1.11")


def test_egress_to_a_prefix_list(vpc: VPC) -> None:
    resolved(vpc, LAYERS)
    changes.egress_only("10.0.0.0/16")(vpc)
    assert (silent(vpc, ENI), silent(vpc, S3)) == (False, True)
    changes.egress_only("pl-s3")(vpc)
    assert (silent(vpc, ENI), silent(vpc, S3)) == (True, False)


def test_nobody_answers_unless_a_transparent_proxy_does(vpc: VPC) -> None:
    assert silent(vpc, "192.0.2.1")
    vpc.network.transparent_proxy = True
    assert not silent(vpc, "192.0.2.1")


def test_a_closed_world_ends_every_wait(vpc: VPC) -> None:
    ended = threading.Event()

    def wait() -> None:
        with pytest.raises(TimeoutError):
            vpc.dial("10.0.9.9", 443, 60)
        ended.set()

    thread = threading.Thread(target=wait)
    thread.start()
    vpc.close()
    assert ended.wait(5)
    thread.join()


def test_families_without_an_address_have_no_route(vpc: VPC) -> None:
    with pytest.raises(OSError, match="unreachable") as caught:
        vpc.dial("2600:1f18::1", 443, 1)
    assert caught.value.errno == errno.ENETUNREACH
    with pytest.raises(OSError, match="unreachable"):
        vpc.datagram("2600:1f18::1", 53)
    vpc.build(ipv6="2600:1f18:4a3b:5600::/56", ipv4=False)
    with pytest.raises(OSError, match="unreachable"):
        vpc.dial(ENI, 443, 1)
    vpc.dial("2600:1f18:4a3b:5601::a", 443, 1).close()
    vpc.dial("169.254.170.2", 80, 1).close()


def test_dns64_needs_its_route(vpc: VPC) -> None:
    vpc.build(ipv6="2600:1f18:4a3b:5600::/56")
    vpc.resolver.dns64 = True
    made = resolved(vpc, LAYERS, "AAAA")
    assert silent(vpc, made)
    vpc.network.routes.nat = vpc.network.routes.dns64 = True
    assert not silent(vpc, made)


@pytest.mark.parametrize(
    ("does", "number"), [(Treatment.PROHIBIT, errno.EACCES), (Treatment.UNREACHABLE, errno.EHOSTUNREACH)]
)
def test_icmp_errors(vpc: VPC, does: Treatment, number: int) -> None:
    changes.middlebox("ecr.api", behaviour=does)(vpc)
    with pytest.raises(OSError) as caught:  # noqa: PT011 - the number is the point
        vpc.dial(ENI, 443, 1)
    assert caught.value.errno == number


def test_a_box_that_drops(vpc: VPC) -> None:
    changes.middlebox("", behaviour=Treatment.DROP)(vpc)
    changes.with_nat(vpc)
    public = vpc.public_dns.answer(API, "A").addresses[0]
    assert silent(vpc, public)
    assert not silent(vpc, ENI)


def test_refused_is_the_kernels_own(vpc: VPC) -> None:
    changes.middlebox("ecr.api", behaviour=ClosedPort())(vpc)
    with pytest.raises(ConnectionRefusedError):
        vpc.dial(ENI, 443, 1)


@pytest.mark.parametrize(
    ("does", "error"),
    [
        (ResetOnClientHello(), ConnectionResetError),
        (
            ResetOnClientHello(with_fin=True),
            (ssl.SSLEOFError, ssl.SSLZeroReturnError),
        ),  # the latter up to Python 3.11.2
        (PlainTextServer(), ssl.SSLError),
        (SilentServer(), TimeoutError),
    ],
)
def test_what_becomes_of_the_hello(
    vpc: VPC, does: ResetOnClientHello, error: type[OSError] | tuple[type[OSError], ...]
) -> None:
    changes.middlebox("ecr.api", behaviour=does)(vpc)
    with vpc.dial(ENI, 443, 1) as sock:
        sock.settimeout(0.1 if error is TimeoutError else 5)
        with pytest.raises(error):
            vpc.trust().wrap_socket(sock, server_hostname=API)


def test_certificates_are_amazons_and_for_one_label(vpc: VPC) -> None:
    with shaken(vpc, ENI, API) as sock:
        certificate = sock.getpeercert() or {}
        assert sock.version() in ("TLSv1.2", "TLSv1.3")
    assert (("organizationName", "Amazon"),) in certificate["issuer"]
    shaken(vpc, "10.0.1.11", "123456789012.dkr.ecr.us-east-1.amazonaws.com").close()
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        shaken(vpc, "10.0.1.11", "dkr.ecr.us-east-1.amazonaws.com")


def test_other_certificates_fail(vpc: VPC) -> None:
    changes.server_certificate("ecr.api", expired=True)(vpc)
    with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
        shaken(vpc, ENI, API)
    changes.middlebox("ecr.dkr", issuer=CORPORATE)(vpc)
    with pytest.raises(ssl.SSLCertVerificationError, match="local issuer"):
        shaken(vpc, "10.0.1.11", "123456789012.dkr.ecr.us-east-1.amazonaws.com")


def test_the_trust_store_is_one_object(vpc: VPC) -> None:
    wire = vpc.wire()
    assert wire.trust() is wire.trust()
    assert wire.resolvers() == ("10.0.0.2",)


def test_nothing_is_left_behind() -> None:
    with VPC() as vpc:
        port = vpc.port(ENI, 443)
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port), 1)
    with pytest.raises(ConnectionAbortedError):
        vpc.dial(ENI, 443, 1)


def test_what_opens_while_the_world_closes_is_closed_too() -> None:
    listeners = Listeners()
    listeners.close()
    late = socket.socket()
    listeners.keep(late)
    assert late.fileno() == -1

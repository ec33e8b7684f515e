"""Which connections arrive, and how the others end, tested by dialing."""

from __future__ import annotations

import errno
import socket
import ssl
import threading

import pytest

from probe.sim import changes
from probe.sim.network import Treatment
from probe.sim.servers import CORPORATE, ClosedPort, Listeners, PlainTextServer, ResetOnClientHello, SilentServer
from probe.sim.vpc import VPC

API = "api.ecr.us-east-1.amazonaws.com"
LAYERS = "prod-us-east-1-starport-layer-bucket.s3.us-east-1.amazonaws.com"
ENI = "10.0.1.10"
S3 = "52.216.1.8"


def resolved(vpc: VPC, name: str, record: str = "A") -> str:
    return vpc.resolver.answer(name, record).addresses[0]


def is_dropped(vpc: VPC, address: str) -> bool:
    try:
        vpc.dial(address, 443, 0.01).close()
    except TimeoutError:
        return True
    return False


def tls_connection(vpc: VPC, address: str, host: str) -> ssl.SSLSocket:
    sock = vpc.dial(address, 443, 1)
    try:
        return vpc.trust().wrap_socket(sock, server_hostname=host)
    except BaseException:
        sock.close()
        raise


def test_the_healthy_vpc_answers(vpc: VPC) -> None:
    assert resolved(vpc, LAYERS) == S3
    assert not any(is_dropped(vpc, address) for address in (ENI, "10.0.2.10", S3))


def test_public_addresses_need_a_nat_gateway(vpc: VPC) -> None:
    public = vpc.public_dns.answer(API, "A").addresses[0]
    assert is_dropped(vpc, public)
    changes.with_nat(vpc)
    assert not is_dropped(vpc, public)


def test_the_s3_gateway_covers_its_own_region_only(vpc: VPC) -> None:
    other = resolved(vpc, "s3.us-west-2.amazonaws.com")
    assert is_dropped(vpc, other)
    changes.without_gateway_route(vpc)
    resolved(vpc, LAYERS)
    assert is_dropped(vpc, S3)
    changes.with_nat(vpc)
    assert not is_dropped(vpc, other)
    assert not is_dropped(vpc, S3)


def test_security_groups_and_acls_drop_packets(vpc: VPC) -> None:
    changes.closed_security_groups("ecr.api")(vpc)
    assert is_dropped(vpc, ENI)
    assert not is_dropped(vpc, "10.0.1.11")
    changes.acl_drops("10.0.1.11/32")(vpc)
    assert is_dropped(vpc, "10.0.1.11")


def test_egress_to_a_prefix_list(vpc: VPC) -> None:
    resolved(vpc, LAYERS)
    changes.egress_only("10.0.0.0/16")(vpc)
    assert (is_dropped(vpc, ENI), is_dropped(vpc, S3)) == (False, True)
    changes.egress_only("pl-s3")(vpc)
    assert (is_dropped(vpc, ENI), is_dropped(vpc, S3)) == (True, False)


def test_a_transparent_proxy_answers_for_every_address(vpc: VPC) -> None:
    assert is_dropped(vpc, "192.0.2.1")
    vpc.network.transparent_proxy = True
    assert not is_dropped(vpc, "192.0.2.1")


def test_closing_the_vpc_ends_every_wait(vpc: VPC) -> None:
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


def test_an_address_family_without_an_address_has_no_route(vpc: VPC) -> None:
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
    synthesised = resolved(vpc, LAYERS, "AAAA")
    assert is_dropped(vpc, synthesised)
    vpc.network.routes.nat = vpc.network.routes.dns64 = True
    assert not is_dropped(vpc, synthesised)


@pytest.mark.parametrize(
    ("behaviour", "number"), [(Treatment.PROHIBIT, errno.EACCES), (Treatment.UNREACHABLE, errno.EHOSTUNREACH)]
)
def test_icmp_errors(vpc: VPC, behaviour: Treatment, number: int) -> None:
    changes.middlebox("ecr.api", behaviour=behaviour)(vpc)
    with pytest.raises(OSError) as caught:  # noqa: PT011 - the number is the point
        vpc.dial(ENI, 443, 1)
    assert caught.value.errno == number


def test_a_middlebox_drops_public_traffic(vpc: VPC) -> None:
    changes.middlebox("", behaviour=Treatment.DROP)(vpc)
    changes.with_nat(vpc)
    public = vpc.public_dns.answer(API, "A").addresses[0]
    assert is_dropped(vpc, public)
    assert not is_dropped(vpc, ENI)


def test_a_closed_port_refuses_the_connection(vpc: VPC) -> None:
    changes.middlebox("ecr.api", behaviour=ClosedPort())(vpc)
    with pytest.raises(ConnectionRefusedError):
        vpc.dial(ENI, 443, 1)


@pytest.mark.parametrize(
    ("behaviour", "error"),
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
def test_servers_that_do_not_complete_the_handshake(
    vpc: VPC, behaviour: ResetOnClientHello, error: type[OSError] | tuple[type[OSError], ...]
) -> None:
    changes.middlebox("ecr.api", behaviour=behaviour)(vpc)
    with vpc.dial(ENI, 443, 1) as sock:
        sock.settimeout(0.1 if error is TimeoutError else 5)
        with pytest.raises(error):
            vpc.trust().wrap_socket(sock, server_hostname=API)


def test_certificates_are_issued_by_amazon_and_cover_one_label(vpc: VPC) -> None:
    with tls_connection(vpc, ENI, API) as sock:
        certificate = sock.getpeercert() or {}
        assert sock.version() in ("TLSv1.2", "TLSv1.3")
    assert (("organizationName", "Amazon"),) in certificate["issuer"]
    tls_connection(vpc, "10.0.1.11", "123456789012.dkr.ecr.us-east-1.amazonaws.com").close()
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        tls_connection(vpc, "10.0.1.11", "dkr.ecr.us-east-1.amazonaws.com")


def test_wrong_certificates_are_not_trusted(vpc: VPC) -> None:
    changes.server_certificate("ecr.api", expired=True)(vpc)
    with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
        tls_connection(vpc, ENI, API)
    changes.middlebox("ecr.dkr", issuer=CORPORATE)(vpc)
    with pytest.raises(ssl.SSLCertVerificationError, match="local issuer"):
        tls_connection(vpc, "10.0.1.11", "123456789012.dkr.ecr.us-east-1.amazonaws.com")


def test_the_trust_store_is_created_once(vpc: VPC) -> None:
    wire = vpc.wire()
    assert wire.trust() is wire.trust()
    assert wire.resolvers() == ("10.0.0.2",)


def test_closing_the_vpc_closes_every_socket() -> None:
    with VPC() as vpc:
        port = vpc.port(ENI, 443)
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port), 1)
    with pytest.raises(ConnectionAbortedError):
        vpc.dial(ENI, 443, 1)


def test_a_socket_that_opens_while_the_vpc_closes_is_closed_too() -> None:
    listeners = Listeners()
    listeners.close()
    late = socket.socket()
    listeners.keep(late)
    assert late.fileno() == -1

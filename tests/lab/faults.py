"""Faults of the network, as context managers: packet filters, or traffic redirected to a broken server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext

import dns.name
import dns.rdatatype

from probe.sim.task import CREDENTIALS_ADDRESS
from tests.lab.cloud import (
    AGENT,
    BLOCKING_DNS_PORT,
    COMPANY_FORWARDS,
    COMPANY_PUBLIC,
    DEAD,
    DUAL_STACK_DNS_PORT,
    FAILING_DNS_PORT,
    FORBIDDING_PORT,
    HOSTS,
    LARGE_DNS_PORT,
    LAYERS,
    MIDDLEBOX,
    OVERRIDING_DNS_PORT,
    PUBLIC_DNS_PORT,
    RESOLVERS,
    RULE_DNS_PORT,
    S3_ADDRESSES,
    STRICT_PORT,
    TASK,
    TRICKLE_PORT,
    ZONES,
    Cloud,
)
from tests.lab.network import Host

Fault = Callable[[Cloud], AbstractContextManager[None]]

_INPUT = "chain input {{ type filter hook input priority 0; {} }}"
_FORWARD = "chain forward {{ type filter hook forward priority 10; {} }}"
_ARRIVING = "chain arriving {{ type nat hook prerouting priority -100; {} }}"
_S3 = ", ".join(S3_ADDRESSES)
_ENDPOINTS = ", ".join(f"{net}.0/24" for net in ZONES.values())


def nothing(_cloud: Cloud) -> AbstractContextManager[None]:
    return nullcontext()


@contextmanager
def _filtering(hosts: tuple[Host, ...], rules: str) -> Iterator[None]:
    with ExitStack() as stack:
        for host in hosts:
            stack.enter_context(host.filtering(rules))
        yield


def _enis(cloud: Cloud, *, zone: str | None = None, name: str | None = None) -> tuple[Host, ...]:
    """The hosts of the endpoints' interfaces in this zone and of this endpoint; None means all."""
    return tuple(host for place, host in cloud.enis.items() if zone in (None, place[0]) and name in (None, place[1]))


def endpoints_silent(cloud: Cloud) -> AbstractContextManager[None]:
    """A security group without an inbound rule, on every endpoint."""
    return _filtering(_enis(cloud), _INPUT.format("tcp dport 443 drop;"))


def registry_silent(cloud: Cloud) -> AbstractContextManager[None]:
    """The same on ecr.dkr only."""
    return _filtering(_enis(cloud, name="ecr.dkr"), _INPUT.format("tcp dport 443 drop;"))


def logs_silent(cloud: Cloud) -> AbstractContextManager[None]:
    return _filtering(_enis(cloud, name="logs"), _INPUT.format("tcp dport 443 drop;"))


def everything_silent(cloud: Cloud) -> AbstractContextManager[None]:
    """Names resolve, and no address answers."""
    return _filtering((cloud.router,), _FORWARD.format(f"ip saddr {TASK} tcp dport 443 drop;"))


def router_without_route(cloud: Cloud) -> AbstractContextManager[None]:
    """The way to S3 leads to a router without a route of its own, which says so."""
    rule = f"ip daddr {{ {_S3} }} tcp dport 443 reject with icmp net-unreachable;"
    return _filtering((cloud.router,), _FORWARD.format(rule))


def endpoints_unreachable(cloud: Cloud) -> AbstractContextManager[None]:
    """A firewall in front of the endpoints that answers with "host unreachable"."""
    rule = f"ip daddr {{ {_ENDPOINTS} }} tcp dport 443 reject with icmp host-unreachable;"
    return _filtering((cloud.router,), _FORWARD.format(rule))


@contextmanager
def ipv6_silent(cloud: Cloud) -> Iterator[None]:
    """The endpoints' names have IPv6 addresses too, and only IPv4 packets reach them."""
    port = DUAL_STACK_DNS_PORT
    rules = _ARRIVING.format(f"udp dport 53 dnat to :{port}; tcp dport 53 dnat to :{port};")
    with cloud.dual_stack(), cloud.resolver.filtering(rules):
        yield


def zone_silent(cloud: Cloud) -> AbstractContextManager[None]:
    """A network ACL in front of one zone's endpoints."""
    return _filtering(_enis(cloud, zone="b"), _INPUT.format("tcp dport 443 drop;"))


def layers_silent(cloud: Cloud) -> AbstractContextManager[None]:
    """No gateway endpoint: packets to S3 are dropped."""
    return _filtering((cloud.router,), _FORWARD.format(f"ip daddr {{ {_S3} }} drop;"))


def answers_lost(cloud: Cloud) -> AbstractContextManager[None]:
    """A network ACL that allows requests to the endpoints and denies their answers to ephemeral ports."""
    rule = f"ip saddr {{ {_ENDPOINTS} }} ip daddr {TASK} tcp sport 443 drop;"
    return _filtering((cloud.router,), _FORWARD.format(rule))


def layers_refused(cloud: Cloud) -> AbstractContextManager[None]:
    """A firewall that resets connections to S3."""
    return _filtering((cloud.router,), _FORWARD.format(f"ip daddr {{ {_S3} }} tcp dport 443 reject with tcp reset;"))


def endpoints_prohibited(cloud: Cloud) -> AbstractContextManager[None]:
    """A firewall in front of the endpoints that rejects every connection with an ICMP message.

    Linux sends a host six such messages and then one a second (icmp(7), icmp_ratelimit), fewer than a check provokes.
    """
    cloud.router.run("sysctl", "--quiet", "--write", "net.ipv4.icmp_ratelimit=0")
    rule = f"ip daddr {{ {_ENDPOINTS} }} tcp dport 443 reject with icmp admin-prohibited;"
    return _filtering((cloud.router,), _FORWARD.format(rule))


def _in_mid_layer(cloud: Cloud, verdict: str) -> AbstractContextManager[None]:
    """A device on the path that applies `verdict` to a connection to S3 after 300,000 bytes."""
    cloud.router.run("sysctl", "--quiet", "--write", "net.netfilter.nf_conntrack_acct=1")
    return _filtering((cloud.router,), _FORWARD.format(f"ip daddr {{ {_S3} }} ct bytes > 300000 {verdict};"))


def layers_reset(cloud: Cloud) -> AbstractContextManager[None]:
    return _in_mid_layer(cloud, "reject with tcp reset")


def layers_frozen(cloud: Cloud) -> AbstractContextManager[None]:
    """The task's acknowledgments are lost, so S3 stops sending."""
    return _in_mid_layer(cloud, "drop")


_ONCE = "limit rate 1/week burst 1 packets"


@contextmanager
def first_lookups_fail(cloud: Cloud) -> Iterator[None]:
    """The resolver answers the first query for each name and record with SERVFAIL.

    One rule for each, because the order of queries differs from run to run. A rule compares the first eight bytes of
    the name and the record's type, which follows the name (RFC 1035, section 4.1.2).
    """
    rules = "".join(
        f"ip daddr {RESOLVERS[0]} udp dport 53 @th,160,64 0x{wire[:8].hex()} @th,{160 + 8 * len(wire)},16 {record} "
        f"{_ONCE} dnat to :{FAILING_DNS_PORT};\n"
        for wire in (dns.name.from_text(host).to_digestable() for host in (*HOSTS.values(), LAYERS))
        for record in (dns.rdatatype.A, dns.rdatatype.AAAA)
    )
    with cloud.resolving_by(RESOLVERS[0]), cloud.resolver.filtering(_ARRIVING.format(rules)):
        yield


def first_connection_refused(cloud: Cloud) -> AbstractContextManager[None]:
    """A device that resets the first connection to the registry as it opens, and no other."""
    registry = ", ".join(host.addresses[-1] for host in _enis(cloud, name="ecr.dkr"))
    rule = f"ip daddr {{ {registry} }} tcp dport 443 tcp flags syn {_ONCE} reject with tcp reset;"
    return _filtering((cloud.router,), _FORWARD.format(rule))


def layer_reset_once(cloud: Cloud) -> AbstractContextManager[None]:
    """A device that resets one connection to S3 in the middle of a layer, and no other.

    Early, while the server's window is small: a reset after the last byte was sent would break nothing. All further
    packets of this connection are reset too, because a client ignores a reset that data on the way has overtaken
    (RFC 5961, section 3.2).
    """
    cloud.router.run("sysctl", "--quiet", "--write", "net.netfilter.nf_conntrack_acct=1")
    s3 = f"ip daddr {{ {_S3} }}"
    chosen = f"{s3} ct bytes > 50000 {_ONCE} ct mark set 1;"
    return _filtering((cloud.router,), _FORWARD.format(f"{chosen} {s3} ct mark 1 reject with tcp reset;"))


def resolver_silent(cloud: Cloud) -> AbstractContextManager[None]:
    return _filtering((cloud.resolver,), _INPUT.format("udp dport 53 drop; tcp dport 53 drop;"))


def private_names_ignored(cloud: Cloud) -> AbstractContextManager[None]:
    """The endpoints' names resolve to public addresses, which have no route."""
    return resolver_at(cloud, PUBLIC_DNS_PORT)


def resolver_at(cloud: Cloud, port: int) -> AbstractContextManager[None]:
    """The VPC's resolver answers as the server on this port does."""
    return cloud.resolver.filtering(_ARRIVING.format(f"udp dport 53 dnat to :{port}; tcp dport 53 dnat to :{port};"))


def layers_blocked_by_dns(cloud: Cloud) -> AbstractContextManager[None]:
    """A DNS Firewall that answers NXDOMAIN for S3 of this region."""
    return resolver_at(cloud, BLOCKING_DNS_PORT)


def registry_overridden_by_dns(cloud: Cloud) -> AbstractContextManager[None]:
    """A DNS Firewall that answers with a CNAME to a block page for the names of ECR."""
    return resolver_at(cloud, OVERRIDING_DNS_PORT)


def registry_forwarded_to_public_dns(cloud: Cloud) -> AbstractContextManager[None]:
    """A Resolver rule that sends the names of ECR to a server without their private records."""
    return resolver_at(cloud, RULE_DNS_PORT)


def answers_need_tcp(cloud: Cloud) -> AbstractContextManager[None]:
    """Answers do not fit into a packet of UDP, and TCP port 53 is closed."""
    chains = _ARRIVING.format(f"udp dport 53 dnat to :{LARGE_DNS_PORT};"), _INPUT.format("tcp dport 53 drop;")
    return cloud.resolver.filtering("\n".join(chains))


@contextmanager
def base_resolver_silent(cloud: Cloud) -> Iterator[None]:
    """The task asks base+2 only, and its packets are lost; the resolver's other address answers."""
    rule = f"ip daddr {RESOLVERS[0]} udp dport 53 drop; ip daddr {RESOLVERS[0]} tcp dport 53 drop;"
    with cloud.resolving_by(RESOLVERS[0]), cloud.resolver.filtering(_INPUT.format(rule)):
        yield


@contextmanager
def private_dns_off(cloud: Cloud) -> Iterator[None]:
    """The same with a NAT gateway: the pull works, but not through the endpoints."""
    with cloud.nat(), private_names_ignored(cloud):
        yield


def intercepted(cloud: Cloud) -> AbstractContextManager[None]:
    """Traffic to the endpoints and to S3 goes to a middlebox with certificates of its own authority."""
    rule = f"ip saddr {TASK} ip daddr {{ {_ENDPOINTS}, {_S3} }} tcp dport 443 dnat to {MIDDLEBOX};"
    return _filtering((cloud.router,), _ARRIVING.format(rule))


def large_packets_lost(cloud: Cloud) -> AbstractContextManager[None]:
    """An MTU black hole: connections are established, and packets as large as a certificate are lost."""
    rule = f"ip saddr {{ {_ENDPOINTS} }} ip daddr {TASK} meta length > 1200 drop;"
    return _filtering((cloud.router,), _FORWARD.format(rule))


def large_client_hellos_lost(cloud: Cloud) -> AbstractContextManager[None]:
    """A firewall that drops ClientHellos in which the record is longer than 1,400 bytes, however they are cut.

    It reads the first bytes of the TCP payload: record type 22, handshake type 1, and the length between them.
    """
    payload = "@ih,0,8 22 @ih,40,8 1 @ih,24,16 > 1400"
    rule = f"ip saddr {TASK} tcp dport 443 {payload} counter drop;"
    return _filtering((cloud.router,), _FORWARD.format(rule))


@contextmanager
def _losing(cloud: Cloud, local: str, remote: str, packets: str) -> Iterator[None]:
    """Lose these packets of every connection, and the first packet of every DNS question, on their way to `remote`.

    They are counted per connection: whichever packets travel at the same time, two attempts never fail for this.
    Packets of the agent pass, because on AWS the credentials endpoint is on the task's own host.
    """
    agent = f"ip {remote} != {{ {AGENT}, {CREDENTIALS_ADDRESS} }}"
    key = f"ip {remote} . @th,160,128"  # the name server, and where a name begins behind UDP (8 bytes) and DNS (12)
    cloud.router.run("sh", "-c", "echo 1 > /proc/sys/net/netfilter/nf_conntrack_acct")
    rules = f"""
        set seen {{ typeof {key}; size 1024; flags dynamic; }}
        chain forward {{
            type filter hook forward priority 10;
            ip {local} {TASK} {agent} meta l4proto tcp {packets} counter drop;
            ip {local} {TASK} {agent} meta l4proto udp {key} != @seen add @seen {{ {key} }} counter drop;
        }}
    """
    with _filtering((cloud.router,), rules):
        yield
        assert cloud.router.counted() >= 10


def answers_get_lost(cloud: Cloud) -> AbstractContextManager[None]:
    """The first answer (SYN and ACK) and the sixth."""
    return _losing(cloud, "daddr", "saddr", "ct reply packets { 1, 6 }")


def requests_get_lost(cloud: Cloud) -> AbstractContextManager[None]:
    """The third packet (ClientHello) and the sixth; a lost SYN would not be counted, and be lost again."""
    return _losing(cloud, "saddr", "daddr", "ct original packets { 3, 6 }")


@contextmanager
def link_of(cloud: Cloud, mbit: int) -> Iterator[None]:
    """Limit the rate to the task; a burst lasts 5 ms, because the shaper works in the kernel's ticks of up to 4 ms."""
    limit = ("dev", "to-task", "root")
    shaper = ("tbf", "rate", f"{mbit}mbit", "burst", str(mbit * 5 * 1000 // 8), "latency", "50ms")
    cloud.router.run("tc", "qdisc", "add", *limit, *shaper)
    try:
        yield
    finally:
        cloud.router.run("tc", "qdisc", "delete", *limit)


def slow_link(cloud: Cloud) -> AbstractContextManager[None]:
    """100 Mbit/s to the task."""
    return link_of(cloud, 100)


def layers_trickle(cloud: Cloud) -> AbstractContextManager[None]:
    """Layer bytes arrive at one KiB a second, which is too fast to count as a stall."""
    return _filtering((cloud.aws,), _ARRIVING.format(f"ip daddr {{ {_S3} }} tcp dport 443 dnat to :{TRICKLE_PORT};"))


def resolver_of_the_company(cloud: Cloud) -> AbstractContextManager[None]:
    """DHCP options list a name server without the private zones."""
    return cloud.resolving_by(COMPANY_PUBLIC)


def resolver_that_forwards(cloud: Cloud) -> AbstractContextManager[None]:
    return cloud.resolving_by(COMPANY_FORWARDS)


@contextmanager
def first_resolver_dead(cloud: Cloud) -> Iterator[None]:
    with cloud.resolving_by(DEAD, RESOLVERS[0]), _filtering((cloud.router,), _FORWARD.format(f"ip daddr {DEAD} drop;")):
        yield


def api_checks_signatures(cloud: Cloud) -> AbstractContextManager[None]:
    """The simulator's ecr.api replaces moto's, which checks no signatures."""
    rules = _ARRIVING.format(f"tcp dport 443 dnat to :{STRICT_PORT};")
    return _filtering(_enis(cloud, name="ecr.api"), rules)


def api_forbids(cloud: Cloud) -> AbstractContextManager[None]:
    """The task's role may not ask for a token."""
    rules = _ARRIVING.format(f"tcp dport 443 dnat to :{FORBIDDING_PORT};")
    return _filtering(_enis(cloud, name="ecr.api"), rules)

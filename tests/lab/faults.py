"""What can be broken: by packet filters, or by leading traffic to a server gone bad; each as long as its context."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

from tests.lab.cloud import OTHER_CA_PORT, PUBLIC_DNS_PORT, S3, TASK, TRICKLE_PORT, ZONES, Cloud
from tests.lab.network import Host

Fault = Callable[[Cloud], AbstractContextManager[None]]

_INPUT = "chain input {{ type filter hook input priority 0; {} }}"
_FORWARD = "chain forward {{ type filter hook forward priority 10; {} }}"
_ARRIVING = "chain arriving {{ type nat hook prerouting priority -100; {} }}"


@contextmanager
def _filtering(hosts: tuple[Host, ...], rules: str) -> Iterator[None]:
    with ExitStack() as stack:
        for host in hosts:
            stack.enter_context(host.filtering(rules))
        yield


def endpoints_silent(cloud: Cloud) -> AbstractContextManager[None]:
    """A security group that admits nobody, on every endpoint."""
    return _filtering(tuple(cloud.zones.values()), _INPUT.format("tcp dport 443 drop;"))


def everything_silent(cloud: Cloud) -> AbstractContextManager[None]:
    """Names resolve, and nothing that they lead to answers."""
    return _filtering((cloud.router,), _FORWARD.format(f"ip saddr {TASK} tcp dport 443 drop;"))


def zone_silent(cloud: Cloud) -> AbstractContextManager[None]:
    """A network ACL in front of one zone's endpoints."""
    return _filtering((cloud.zones["b"],), _INPUT.format("tcp dport 443 drop;"))


def layers_silent(cloud: Cloud) -> AbstractContextManager[None]:
    """No gateway endpoint: what is meant for S3 is dropped."""
    return _filtering((cloud.router,), _FORWARD.format(f"ip daddr {S3} drop;"))


def firewall_resets(cloud: Cloud) -> AbstractContextManager[None]:
    """A firewall on the way that answers every connection with a reset."""
    return _filtering((cloud.router,), _FORWARD.format(f"ip saddr {TASK} tcp dport 443 reject with tcp reset;"))


def firewall_prohibits(cloud: Cloud) -> AbstractContextManager[None]:
    """A firewall on the way that answers every connection with an ICMP message."""
    rule = f"ip saddr {TASK} tcp dport 443 reject with icmp admin-prohibited;"
    return _filtering((cloud.router,), _FORWARD.format(rule))


def resolver_silent(cloud: Cloud) -> AbstractContextManager[None]:
    return _filtering((cloud.resolver,), _INPUT.format("udp dport 53 drop; tcp dport 53 drop;"))


@contextmanager
def private_dns_off(cloud: Cloud) -> Iterator[None]:
    """The endpoints' names lead to public addresses, and a NAT carries them there: everything works, the wrong way."""
    rules = _ARRIVING.format(f"udp dport 53 dnat to :{PUBLIC_DNS_PORT}; tcp dport 53 dnat to :{PUBLIC_DNS_PORT};")
    with cloud.nat(), cloud.resolver.filtering(rules):
        yield


def tls_intercepted(cloud: Cloud) -> AbstractContextManager[None]:
    """The endpoints' certificates come from somebody else's authority."""
    rules = _ARRIVING.format(f"tcp dport 443 dnat to :{OTHER_CA_PORT};")
    return _filtering(tuple(cloud.zones.values()), rules)


def large_packets_lost(cloud: Cloud) -> AbstractContextManager[None]:
    """An MTU black hole: connections come up, and no packet as large as a certificate ever arrives."""
    sources = ", ".join(f"{net}.0/24" for net in ZONES.values())
    return _filtering(
        (cloud.router,), _FORWARD.format(f"ip saddr {{ {sources} }} ip daddr {TASK} meta length > 1200 drop;")
    )


def layers_trickle(cloud: Cloud) -> AbstractContextManager[None]:
    """Layer bytes come at one KiB a second, never slow enough to be called stalled."""
    return _filtering((cloud.aws,), _ARRIVING.format(f"ip daddr {S3} tcp dport 443 dnat to :{TRICKLE_PORT};"))

"""Translates a configuration of AWS, in its API's own shape, into the laboratory: nftables, routes, and name servers.

Independent of the program: it shares no code with probe/gates, so both can only agree where both understand AWS. The
kernel decides what a gate computes: conntrack is the state of groups, nftables the order of ACL entries, the longest
prefix of a Linux route that of a route table. dnsmasq forwards, and a proxy on the route looks at server names.

Not translated: policies other than those of endpoints, IPv6 out of the VPC, and routes that lead to a part of another
VPC.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator

from tests.inspect.vpc import Account
from tests.lab import servers
from tests.lab.cloud import ENIS, HOSTS, LAYERS, MIDDLEBOX, ROOT, S3_ADDRESSES, Cloud, passing_on
from tests.lab.configured.firewall import rules_of
from tests.lab.configured.names import AMAZON, Answers, Resolvers
from tests.lab.configured.network import Network, is_ipv6
from tests.lab.configured.network import addresses as addresses_of
from tests.lab.configured.packets import packet_filter
from tests.lab.configured.policies import Policies
from tests.lab.configured.routes import Routes
from tests.lab.daemons import Daemon
from tests.lab.faults import resolver_at
from tests.lab.network import Host

DNS_PORT, REFUSING_PORT, FILTER_PORT = 5400, 8447, 8448
_FIRST_TABLE = 500  # of Linux, for the first subnet


@contextlib.contextmanager
def configured(cloud: Cloud, account: Account, role: str) -> Iterator[None]:
    """Within this context the laboratory is what this account's configuration describes, for a task with this role."""
    network = Network(account.objects, account.replies)
    with contextlib.ExitStack() as stack:
        _join_families(cloud, network, stack)
        stack.enter_context(cloud.nat())  # the routes below decide instead
        routes = Routes(network)
        cloud.router.run("nft", "-f", "-", stdin=packet_filter(network, routes.realms))
        for family in ("ip", "ip6"):
            stack.callback(cloud.router.run, "nft", "delete", "table", family, "configuration")
        for number, (cidr, lines) in enumerate(routes.tables(), _FIRST_TABLE):
            _route(cloud, number, cidr, lines, stack)
        _resolve(cloud, Resolvers(network), network.task["VpcId"], stack)
        _inspect(cloud, network, stack)
        _refuse(cloud, Policies(network, role), stack)
        yield


def _route(cloud: Cloud, number: int, cidr: str, lines: list[str], stack: contextlib.ExitStack) -> None:
    """The routes of packets from a range."""
    ip = ("ip", "-6") if is_ipv6(cidr) else ("ip",)
    commands = "".join(f"route add {line} table {number}\n" for line in lines)
    cloud.router.run(*ip, "-batch", "-", stdin=f"{commands}rule add from {cidr} table {number}\n")
    stack.callback(cloud.router.run, *ip, "route", "flush", "table", str(number))
    stack.callback(cloud.router.run, *ip, "rule", "delete", "from", cidr, "table", str(number))


# ---- IPv6 ------------------------------------------------------------------------------------------------------------


def _join_families(cloud: Cloud, network: Network, stack: contextlib.ExitStack) -> None:
    """Give the task and the endpoints' hosts the IPv6 addresses of their interfaces."""
    if not addresses_of(network.task, 6):
        return
    stack.enter_context(cloud.dual_stack())
    places = {address: place for place, address in ENIS.items()}
    for link, interface in enumerate(network.interfaces.values(), 1):
        place = places.get(interface["PrivateIpAddress"])
        for address in addresses_of(interface, 6) if place else ():
            zone, name = place or ("", "")
            stack.enter_context(cloud.ipv6_of(cloud.enis[zone, name], f"to-{zone}-{name}", address, link))


# ---- names -----------------------------------------------------------------------------------------------------------


def _resolve(cloud: Cloud, resolvers: Resolvers, vpc: str, stack: contextlib.ExitStack) -> None:
    for address, hub in resolvers.inbound():
        assert address == MIDDLEBOX, "no other host has an address of a hub"
        answers = resolvers.of(hub)
        if answers is not None:
            _serve(cloud, cloud.middlebox, answers, "dns-inbound", 53, stack)
    own = resolvers.of(vpc)
    if own is None:
        silence = "chain input { type filter hook input priority 0; udp dport 53 drop; tcp dport 53 drop; }"
        stack.enter_context(cloud.resolver.filtering(silence))
    else:
        _serve(cloud, cloud.resolver, own, "dns-configured", DNS_PORT, stack)
        stack.enter_context(resolver_at(cloud, DNS_PORT))
    servers_of_task = resolvers.servers()
    if not set(servers_of_task) <= set(AMAZON):
        stack.enter_context(cloud.resolving_by(*servers_of_task))


def _serve(cloud: Cloud, host: Host, answers: Answers, name: str, port: int, stack: contextlib.ExitStack) -> None:
    own = servers.dnsmasq(
        host, cloud.folder, answers.addresses, name=name, port=port, forwarding=answers.forwarded, at=host.addresses
    )
    stack.callback(own.stop)


# ---- what inspects and refuses ---------------------------------------------------------------------------------------


def _inspect(cloud: Cloud, network: Network, stack: contextlib.ExitStack) -> None:
    """A firewall at the middlebox, to which the routes lead, if the account has one."""
    rules = rules_of(network)
    if rules is None:
        return
    file = cloud.folder / "firewall.json"
    file.write_text(json.dumps(rules))
    command = (sys.executable, "-m", "tests.lab.server_name_filter", str(file), str(FILTER_PORT))
    daemon = Daemon("firewall", cloud.middlebox, command, logs=cloud.folder, more={"PYTHONPATH": str(ROOT)})
    stack.callback(daemon.stop)
    daemon.wait_until_it_listens(FILTER_PORT)
    chain = "type nat hook prerouting priority -100;"
    stack.enter_context(
        cloud.middlebox.filtering(f"chain arriving {{ {chain} tcp dport 443 redirect to :{FILTER_PORT}; }}")
    )


def _refuse(cloud: Cloud, policies: Policies, stack: contextlib.ExitStack) -> None:
    """Servers in front of the real ones that refuse the calls that a policy refuses."""
    for name, directives in policies.refusals():
        if name == "s3":
            _refuse_at(cloud, cloud.aws, S3_ADDRESSES, LAYERS, f"{directives} root {cloud.folder}/registry;", stack)
            continue
        for (zone, other), host in cloud.enis.items():
            if other == name:
                own = f"{directives} {passing_on(name)}"
                _refuse_at(cloud, host, (ENIS[zone, name],), HOSTS[name], own, stack)


def _refuse_at(
    cloud: Cloud, host: Host, addresses: tuple[str, ...], served: str, directives: str, stack: contextlib.ExitStack
) -> None:
    sites = [servers.Site(address, served, directives, REFUSING_PORT) for address in addresses]
    name = f"refusing-{addresses[0]}"
    daemon = servers.nginx(host, cloud.folder, sites, name=name, certificates=cloud.folder)
    stack.callback(daemon.stop)
    redirected = f"ip daddr {{ {', '.join(addresses)} }} tcp dport 443 dnat to :{REFUSING_PORT};"
    chain = "type nat hook prerouting priority -100;"
    stack.enter_context(host.filtering(f"chain arriving {{ {chain} {redirected} }}"))

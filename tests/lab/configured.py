"""Translates a configuration of AWS, in its API's own shape, into the laboratory: nftables, routes, and a name server.

Independent of the program: it shares no code with probe/gates, so both can only agree where both understand AWS. The
kernel decides what a gate computes: conntrack is the state of groups, nftables the order of ACL entries, the longest
prefix of a Linux route that of a route table.

Not translated: policies (the laboratory's servers check none), IPv6, and what leaves the VPC except by a gateway
endpoint or NAT gateway, such as peering.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.lab import servers
from tests.lab.cloud import AWS, HOSTS, LAYERS, OTHER_REGION_NAMES, PUBLIC, RESOLVERS, S3_ADDRESSES, Cloud
from tests.lab.faults import resolver_at

Item = dict[str, Any]
Objects = Mapping[str, Mapping[str, Sequence[Item]]]  # by service and the list in the API's reply

DNS_PORT = 5400
_FIRST_TABLE = 500  # of Linux, for the first subnet
# Groups and ACLs do not apply to the VPC's resolver and to link-local addresses.
_EXEMPT = f"{{ {RESOLVERS[0]}, 169.254.0.0/16 }}"
_PROTOCOLS = {"tcp": "6", "udp": "17", "icmp": "1"}


@contextlib.contextmanager
def configured(cloud: Cloud, objects: Objects) -> Iterator[None]:
    """Within this context the laboratory is what these objects describe. The account has one VPC."""
    vpc = _Vpc(objects)
    answers = vpc.answers()
    with contextlib.ExitStack() as stack:
        stack.enter_context(cloud.nat())  # the routes below decide instead
        cloud.router.run("nft", "-f", "-", stdin=vpc.packet_filter())
        stack.callback(cloud.router.run, "nft", "delete", "table", "ip", "configuration")
        for number, (subnet, routes) in enumerate(vpc.routes(), _FIRST_TABLE):
            table = ("table", str(number))
            commands = "".join(f"route add {route} table {number}\n" for route in routes)
            cloud.router.run("ip", "-batch", "-", stdin=f"{commands}rule add from {subnet} table {number}\n")
            stack.callback(cloud.router.run, "ip", "route", "flush", *table)
            stack.callback(cloud.router.run, "ip", "rule", "delete", "from", subnet, *table)
        if answers is None:
            silence = "chain input { type filter hook input priority 0; udp dport 53 drop; tcp dport 53 drop; }"
            stack.enter_context(cloud.resolver.filtering(silence))
        else:
            daemon = servers.dnsmasq(cloud.resolver, cloud.folder, answers, name="dns-configured", port=DNS_PORT)
            stack.callback(daemon.stop)
            stack.enter_context(resolver_at(cloud, DNS_PORT))
        yield


class _Vpc:
    """The one VPC of the account, as the laboratory can have it."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._subnets: dict[str, str] = {item["SubnetId"]: item["CidrBlock"] for item in self._ec2("Subnets")}
        self._groups = {item["GroupId"]: item for item in self._ec2("SecurityGroups")}
        self._interfaces = {item["NetworkInterfaceId"]: item for item in self._ec2("NetworkInterfaces")}

    def _ec2(self, members: str) -> Sequence[Item]:
        return self._objects["ec2"].get(members, ())

    def _route53(self, members: str) -> Sequence[Item]:
        return self._objects.get("route53", {}).get(members, ())

    def _entries(self, prefix_list: str) -> list[str]:
        return [entry["Cidr"] for entry in self._ec2("Entries") if entry["_PrefixListId"] == prefix_list]

    # ---- groups and ACLs -------------------------------------------------------------------------

    def packet_filter(self) -> str:
        """A table of nftables for the router, through which every packet goes."""
        chains: dict[str, list[str]] = {"groups": [], "acls": []}
        for number, interface in enumerate(self._interfaces.values()):
            address = interface["PrivateIpAddress"]
            for end, way, members in (("saddr", "out", "IpPermissionsEgress"), ("daddr", "in", "IpPermissions")):
                name = f"interface_{number}_{way}"
                chains["groups"].append(f"ip {end} {address} jump {name}")
                chains[name] = [*self._of_groups(interface, members), "drop"]
        for way, near, far in (("out", "saddr", "daddr"), ("in", "daddr", "saddr")):
            for number, (subnet, cidr) in enumerate(self._subnets.items()):
                name = f"subnet_{number}_{way}"
                chains["acls"].append(f"ip {near} {cidr} ip {far} != {cidr} jump {name}")
                chains[name] = [*self._of_acl(subnet, egress=way == "out"), "drop"]
        # A group sees the first packet of a connection, an ACL every packet.
        start = [f"ip saddr {_EXEMPT} accept", f"ip daddr {_EXEMPT} accept", "ct state new jump groups", "jump acls"]
        hook = "type filter hook forward priority 5;"
        declared = "".join(f"chain {name} {{ }}\n" for name in chains)
        filled = "".join(f"chain {name} {{\n{_lines(rules)} }}\n" for name, rules in chains.items())
        return f"table ip configuration {{\n{declared}{filled}chain forward {{ {hook}\n{_lines(start)} }}\n}}\n"

    def _of_groups(self, interface: Item, members: str) -> Iterator[str]:
        """A rule for everything that one of the interface's groups allows."""
        end = "daddr" if members == "IpPermissionsEgress" else "saddr"
        for reference in interface["Groups"]:
            for permission in self._groups[reference["GroupId"]].get(members, ()):
                ports = (permission["FromPort"], permission["ToPort"]) if "FromPort" in permission else None
                what = _matching(permission["IpProtocol"], ports)
                for peer in self._peers(permission):
                    yield f"ip {end} {peer} {what} return"

    def _peers(self, permission: Item) -> Iterator[str]:
        for entry in permission.get("IpRanges", ()):
            yield entry["CidrIp"]
        for entry in permission.get("PrefixListIds", ()):
            yield from self._entries(entry["PrefixListId"])
        for pair in permission.get("UserIdGroupPairs", ()):
            for interface in self._interfaces.values():
                if {"GroupId": pair["GroupId"]} in interface["Groups"]:
                    yield interface["PrivateIpAddress"]

    def _of_acl(self, subnet: str, *, egress: bool) -> Iterator[str]:
        acls = self._ec2("NetworkAcls")
        own = [acl for acl in acls if any(each["SubnetId"] == subnet for each in acl["Associations"])]
        (acl,) = own or [acl for acl in acls if acl["IsDefault"]]
        for entry in sorted(acl["Entries"], key=lambda each: each["RuleNumber"]):
            if entry["Egress"] == egress and "CidrBlock" in entry:
                ports = entry.get("PortRange")
                what = _matching(entry["Protocol"], (ports["From"], ports["To"]) if ports else None)
                verdict = "return" if entry["RuleAction"] == "allow" else "drop"
                yield f"ip {'daddr' if egress else 'saddr'} {entry['CidrBlock']} {what} {verdict}"

    # ---- routes ----------------------------------------------------------------------------------

    def routes(self) -> Iterator[tuple[str, list[str]]]:
        """Each subnet's range and its routes in the notation of `ip route add`. `throw` goes on to the router's own."""
        for subnet, cidr in self._subnets.items():
            found = ["throw 169.254.0.0/16", "blackhole default metric 1000"]
            for route in self._table(subnet)["Routes"]:
                ranges = [route["DestinationCidrBlock"]] if "DestinationCidrBlock" in route else []
                ranges += self._entries(route.get("DestinationPrefixListId", ""))
                found += [self._route(each, route) for each in ranges]
            yield cidr, found

    def _table(self, subnet: str) -> Item:
        tables = self._ec2("RouteTables")
        own = [table for table in tables if any(each.get("SubnetId") == subnet for each in table["Associations"])]
        (table,) = own or [table for table in tables if any(each.get("Main") for each in table["Associations"])]
        return table

    def _route(self, cidr: str, route: Item) -> str:
        if route.get("GatewayId") == "local":
            return f"throw {cidr}"
        return f"{cidr} via {AWS}" if self._carries(route) else f"blackhole {cidr}"

    def _carries(self, route: Item) -> bool:
        """Whether packets leave by this route: no interface has a public address, so none by an internet gateway."""
        if route["State"] != "active":
            return False
        endpoints = {item["VpcEndpointId"]: item for item in self._ec2("VpcEndpoints")}
        if route.get("GatewayId", "") in endpoints:
            return bool(endpoints[route["GatewayId"]]["State"] == "available")
        gateways = {item["NatGatewayId"]: item for item in self._ec2("NatGateways")}
        gateway = gateways.get(route.get("NatGatewayId", ""), {})
        if (gateway.get("State"), gateway.get("ConnectivityType")) != ("available", "public"):
            return False
        onward = self._table(gateway["SubnetId"])["Routes"]
        return any(each.get("GatewayId", "").startswith("igw-") and each["State"] == "active" for each in onward)

    # ---- names -----------------------------------------------------------------------------------

    def answers(self) -> dict[str, tuple[str, ...]] | None:
        """The addresses of every name that the task looks up; none where the name does not exist.

        None: the VPC's resolver does not answer at all.
        """
        (vpc,) = self._ec2("Vpcs")
        if not vpc.get("_enableDnsSupport", True):
            return None
        zones = self._zones() if vpc.get("_enableDnsHostnames", True) else {}
        public = {HOSTS[name]: (address,) for name, address in PUBLIC.items()} | {LAYERS: S3_ADDRESSES}
        found = {name: _answer(name, zones, addresses) for name, addresses in public.items()}
        found |= {name: () for name in found if self._is_blocked(name)}
        return found | OTHER_REGION_NAMES

    def _zones(self) -> dict[str, dict[str, tuple[str, ...]]]:
        """The records of every private zone, those of endpoints with private DNS among them."""
        zones: dict[str, dict[str, tuple[str, ...]]] = {}
        own = {endpoint["VpcEndpointId"]: self._addresses(endpoint) for endpoint in self._ec2("VpcEndpoints")}
        for endpoint in self._ec2("VpcEndpoints"):
            if endpoint.get("PrivateDnsEnabled") and endpoint["State"] == "available":
                for entry in endpoint["DnsEntries"]:
                    if ".vpce." not in entry["DnsName"]:
                        zone = entry["DnsName"].removeprefix("*.")
                        zones.setdefault(zone, {})[entry["DnsName"]] = own[endpoint["VpcEndpointId"]]
        for summary in self._route53("HostedZoneSummaries"):
            zones[summary["Name"].rstrip(".")] = {
                record["Name"].rstrip(".").replace("\\052", "*"): tuple(_values(record, own))
                for record in self._route53("ResourceRecordSets")
                if record["_HostedZoneId"] == summary["HostedZoneId"] and record["Type"] == "A"
            }
        return zones

    def _addresses(self, endpoint: Item) -> tuple[str, ...]:
        interfaces = endpoint.get("NetworkInterfaceIds", ())
        return tuple(self._interfaces[identity]["PrivateIpAddress"] for identity in interfaces)

    def _is_blocked(self, name: str) -> bool:
        """Whether DNS Firewall answers that the name does not exist. The first rule that matches decides."""
        resolver = self._objects.get("route53resolver", {})
        for group in sorted(resolver.get("FirewallRuleGroupAssociations", ()), key=lambda each: each["Priority"]):
            rules = [
                rule
                for rule in resolver["FirewallRules"]
                if rule["FirewallRuleGroupId"] == group["FirewallRuleGroupId"]
            ]
            for rule in sorted(rules, key=lambda each: each["Priority"]):
                listed = [
                    entry["_"].rstrip(".")
                    for entry in resolver["Domains"]
                    if entry["_FirewallDomainListId"] == rule["FirewallDomainListId"]
                ]
                if any(name == each or (each[0] == "*" and name.endswith(each[1:])) for each in listed):
                    assert rule["Action"] == "ALLOW" or rule["BlockResponse"] == "NXDOMAIN", "dnsmasq answers no other"
                    return bool(rule["Action"] == "BLOCK")
        return False


def _answer(name: str, zones: Mapping[str, Mapping[str, tuple[str, ...]]], public: tuple[str, ...]) -> tuple[str, ...]:
    """The answer of the most specific zone, by a record or a wildcard one label up; without a zone, the public one."""
    owning = [zone for zone in zones if f".{name}".endswith(f".{zone}")]
    if not owning:
        return public
    records = zones[max(owning, key=len)]
    return records.get(name) or records.get(f"*.{name.partition('.')[2]}") or ()


def _values(record: Item, endpoints: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    """The addresses of a record, or those of the endpoint to which it is an alias."""
    for value in record.get("ResourceRecords", ()):
        yield value["Value"]
    target = record.get("AliasTarget", {}).get("DNSName", "")
    for identity, addresses in endpoints.items():
        if target.startswith(f"{identity}-"):
            yield from addresses


def _matching(protocol: str, ports: tuple[int, int] | None) -> str:
    """A match of nftables for a protocol, by its name or number, and its destination ports."""
    number = _PROTOCOLS.get(protocol, protocol)
    if number == "-1":
        return ""
    if ports is None or number not in ("6", "17"):
        return f"meta l4proto {number}"
    return f"{'tcp' if number == '6' else 'udp'} dport {ports[0]}-{ports[1]}"


def _lines(rules: Sequence[str]) -> str:
    return "".join(f"{rule}\n" for rule in rules)

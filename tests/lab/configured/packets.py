"""Security groups and network ACLs as nftables of the router, through which every packet goes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tests.lab.cloud import RESOLVERS
from tests.lab.configured.network import Item, Network, addresses, ranges

# Groups and ACLs do not apply to the VPC's resolver and to link-local addresses.
_EXEMPT = f"{{ {RESOLVERS[0]}, 169.254.0.0/16 }}"
_PROTOCOLS = {"tcp": "6", "udp": "17", "icmp": "1"}


def packet_filter(network: Network, realms: Sequence[str]) -> str:
    """The tables for both address families.

    `realms` are subnets of NAT gateways: packets whose route has the realm N, from 1, pass the ACL of the Nth too.
    """
    return "".join(_Family(network, version).table(realms) for version in (4, 6))


class _Family:
    """The filter of one address family."""

    def __init__(self, network: Network, version: int) -> None:
        self._network = network
        self._version = version
        self._ip = "ip" if version == 4 else "ip6"

    def table(self, realms: Sequence[str]) -> str:
        chains: dict[str, list[str]] = {"groups": [], "acls": []}
        for number, interface in enumerate(self._network.interfaces.values()):
            for end, way, members in (("saddr", "out", "IpPermissionsEgress"), ("daddr", "in", "IpPermissions")):
                name = f"interface_{number}_{way}"
                for address in addresses(interface, self._version):
                    chains["groups"].append(f"{self._ip} {end} {address} jump {name}")
                chains[name] = [*self._of_groups(interface, members), "drop"]
        numbers = {}
        for number, subnet in enumerate(self._network.items("Subnets")):
            numbers[subnet["SubnetId"]] = number
            for way, near, far in (("out", "saddr", "daddr"), ("in", "daddr", "saddr")):
                name = f"subnet_{number}_{way}"
                for cidr in ranges(subnet, self._version):
                    chains["acls"].append(f"{self._ip} {near} {cidr} {self._ip} {far} != {cidr} jump {name}")
                chains[name] = [*self._of_acl(subnet, egress=way == "out"), "drop"]
        # A group sees the first packet of a connection, an ACL every packet: a NAT gateway's both when they come to it
        # and when they go on.
        start = ["ct state new jump groups", "jump acls"]
        for realm, identity in enumerate(realms, 1):
            chains[f"nat_{realm}"] = [f"jump subnet_{numbers[identity]}_{way}" for way in ("in", "out")]
            start.append(f"meta rtclassid {realm} ct mark set {realm}")
            start.append(f"ct mark {realm} jump nat_{realm}")
        chains["transit"] = list(self._of_attachments(numbers))
        start.append("jump transit")
        if self._version == 4:
            start = [f"ip saddr {_EXEMPT} accept", f"ip daddr {_EXEMPT} accept", *start]
        hook = "type filter hook forward priority 5;"
        declared = "".join(f"chain {name} {{ }}\n" for name in chains)
        filled = "".join(f"chain {name} {{\n{_lines(rules)} }}\n" for name, rules in chains.items())
        return f"table {self._ip} configuration {{\n{declared}{filled}chain forward {{ {hook}\n{_lines(start)} }}\n}}\n"

    def _of_attachments(self, numbers: dict[str, int]) -> Iterator[str]:
        """Packets to and from another VPC over a transit gateway pass the ACLs of the attachments' own subnets: what
        enters the gateway by inbound rules, what leaves it by outbound ones. Each packet takes the subnet in its zone.
        """
        attachments = self._network.items("TransitGatewayVpcAttachments")
        for item in attachments:
            others = [
                cidr
                for other in attachments
                if other["VpcId"] != item["VpcId"]
                for cidr in ranges(self._network.vpc(other["VpcId"]), self._version)
            ]
            for identity in item["SubnetIds"]:
                zone = self._network.subnet(identity)["AvailabilityZone"]
                for cidr in self._in_zone(item, zone):
                    for other in others:
                        for way, near, far in (("in", "saddr", "daddr"), ("out", "daddr", "saddr")):
                            name = f"subnet_{numbers[identity]}_{way}"
                            yield f"{self._ip} {near} {cidr} {self._ip} {far} {other} jump {name}"

    def _in_zone(self, attachment: Item, zone: str) -> Iterator[str]:
        """The ranges of the VPC's other subnets in this zone."""
        for subnet in self._network.items("Subnets"):
            same = (subnet["VpcId"], subnet["AvailabilityZone"]) == (attachment["VpcId"], zone)
            if same and subnet["SubnetId"] not in attachment["SubnetIds"]:
                yield from ranges(subnet, self._version)

    # ---- groups ----------------------------------------------------------------------------------

    def _of_groups(self, interface: Item, members: str) -> Iterator[str]:
        """A rule for everything that one of the interface's groups allows."""
        egress = members == "IpPermissionsEgress"
        for reference in interface["Groups"]:
            for permission in self._network.groups[reference["GroupId"]].get(members, ()):
                ports = (permission["FromPort"], permission["ToPort"]) if "FromPort" in permission else None
                what = _matching(permission["IpProtocol"], ports)
                for peer in self._peers(permission, interface["VpcId"]):
                    yield f"{self._ip} {'daddr' if egress else 'saddr'} {peer} {what} return"

    def _peers(self, permission: Item, vpc: str) -> Iterator[str]:
        listed, member = ("IpRanges", "CidrIp") if self._version == 4 else ("Ipv6Ranges", "CidrIpv6")
        for entry in permission.get(listed, ()):
            yield entry[member]
        for entry in permission.get("PrefixListIds", ()):
            yield from (cidr for cidr in self._network.entries(entry["PrefixListId"]) if self._is_own(cidr))
        for pair in permission.get("UserIdGroupPairs", ()):
            for interface in self._network.interfaces.values():
                # Over a transit gateway no group counts here: none has the option that makes it count.
                near = interface["VpcId"] == vpc or pair.get("PeeringStatus") == "active"
                if near and {"GroupId": pair["GroupId"]} in interface["Groups"]:
                    yield from addresses(interface, self._version)

    def _is_own(self, cidr: str) -> bool:
        return (":" in cidr) is (self._version == 6)

    # ---- ACLs ------------------------------------------------------------------------------------

    def _of_acl(self, subnet: Item, *, egress: bool) -> Iterator[str]:
        acls = [acl for acl in self._network.items("NetworkAcls") if acl["VpcId"] == subnet["VpcId"]]
        own = [acl for acl in acls if any(each["SubnetId"] == subnet["SubnetId"] for each in acl["Associations"])]
        (acl,) = own or [acl for acl in acls if acl["IsDefault"]]
        member = "CidrBlock" if self._version == 4 else "Ipv6CidrBlock"
        for entry in sorted(acl["Entries"], key=lambda each: each["RuleNumber"]):
            if entry["Egress"] == egress and member in entry:
                ports = entry.get("PortRange")
                what = _matching(entry["Protocol"], (ports["From"], ports["To"]) if ports else None)
                verdict = "return" if entry["RuleAction"] == "allow" else "drop"
                yield f"{self._ip} {'daddr' if egress else 'saddr'} {entry[member]} {what} {verdict}"


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
